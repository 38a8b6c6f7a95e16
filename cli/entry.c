#include <string.h>

#include "cli/show.h"

enum {
    ENTRY,
    DATE,
    SERIES,
    VOUCHER,
    TEXT,
    REF,
    REVERSES,
    REVERSED_BY,
    BATCH,
    FIRST,
    LAST,
    RECORDED,
    ACTOR_ID,
    ACTOR,
    STATUS,
    PROPOSAL,
    LEAF,
    PARTS,
    LINES,
    COUNT = LINES + KT_LINE_COLUMNS
};

static const kt_column entry_columns[LINES] = {
    [ENTRY] = {"number", "entry", KT_CELL_NUMBER, false},
    [DATE] = {"date", "date", KT_CELL_TEXT, false},
    [SERIES] = {"series", "series", KT_CELL_TEXT, false},
    [VOUCHER] = {"voucher", "voucher", KT_CELL_TEXT, false},
    [TEXT] = {"text", "text", KT_CELL_PROSE, false},
    [REF] = {"ref", "ref", KT_CELL_TEXT, false},
    [REVERSES] = {"reverses", "reverses", KT_CELL_NUMBER, false},
    [REVERSED_BY] = {"reversed_by", "reversed by", KT_CELL_NUMBER, false},
    [BATCH] = {"batch", "batch", KT_CELL_TEXT, false},
    [FIRST] = {"batch_first", "its first record", KT_CELL_NUMBER, false},
    [LAST] = {"batch_last", "its last record", KT_CELL_NUMBER, false},
    [RECORDED] = {"recorded", "recorded", KT_CELL_TEXT, false},
    [ACTOR_ID] = {"actor_id", "actor", KT_CELL_TEXT, false},
    [ACTOR] = {"actor", "actor's key", KT_CELL_TEXT, false},
    [STATUS] = {"status", "status", KT_CELL_TEXT, false},
    [PROPOSAL] = {"proposal", "carries out proposal", KT_CELL_NUMBER, false},
    [LEAF] = {"leaf_hash", "leaf hash", KT_CELL_TEXT, false},
    [PARTS] = {"parts", "records before it", KT_CELL_NUMBER, false},
};

static void entry_cells(kt_out *out, const kt_entry_view *view) {
    const kt_entry *entry = &view->entry;
    kt_out_count(out, ENTRY, view->number);
    kt_out_day(out, DATE, entry->date);
    kt_out_text(out, SERIES, entry->series);
    kt_out_text(out, VOUCHER, entry->voucher);
    kt_out_text(out, TEXT, entry->text);
    kt_out_text(out, REF, entry->ref);
    if (entry->reverses != 0) kt_out_count(out, REVERSES, entry->reverses);
    if (view->reversed_by != 0) kt_out_count(out, REVERSED_BY, view->reversed_by);
    kt_out_text(out, BATCH, view->batch_id);
    kt_out_count(out, FIRST, view->batch_first);
    kt_out_count(out, LAST, view->batch_last);
    kt_out_time(out, RECORDED, view->recorded_us);
    kt_out_text(out, ACTOR_ID, view->actor_id);
    kt_out_hex(out, ACTOR, view->actor, sizeof(view->actor));
    kt_out_words(out, STATUS, view->proposed ? "proposed" : "posted");
    if (entry->proposal != 0) kt_out_count(out, PROPOSAL, entry->proposal);
    kt_out_hex(out, LEAF, view->leaf_hash, sizeof(view->leaf_hash));
    if (view->parts != 0 || kt_out_style(out) != KT_STYLE_TABLE) kt_out_count(out, PARTS, view->parts);
}

/* What a line carries beside its amount is shown to people where some line has it. */
static void head_where_used(kt_column *columns, const kt_entry *entry) {
    columns[KT_LINE_TEXT].head = NULL;
    for (size_t i = 0; i < entry->line_count; i++) {
        const kt_line *line = &entry->lines[i];
        if (line->has_cost) {
            columns[KT_LINE_COST].head = "value";
            columns[KT_LINE_COST_CURRENCY].head = "in";
        }
        if (line->text.size > 0) columns[KT_LINE_TEXT].head = "text";
        if (line->ref.size > 0) columns[KT_LINE_REF].head = "ref";
        if (line->tax_code.size > 0) columns[KT_LINE_TAX].head = "tax code";
        for (uint8_t j = 0; j < line->dimension_count; j++) switch (line->dimensions[j].dimension) {
            case KT_DIMENSION_COST_CENTRE: columns[KT_LINE_COST_CENTRE].head = "cost centre"; break;
            case KT_DIMENSION_DEPARTMENT: columns[KT_LINE_DEPARTMENT].head = "department"; break;
            case KT_DIMENSION_PROJECT: columns[KT_LINE_PROJECT].head = "project"; break;
            default: columns[KT_LINE_DIMENSIONS].head = "dimensions";
            }
    }
}

static kt_code print_line(const kt_reading *reading, const kt_entry_view *view, size_t at, kt_side_sums *sums,
                          kt_out *out, kt_error *error) {
    const kt_line *line = &view->entry.lines[at];
    kt_account account;
    kt_line_cells(out, 0, view, at, reading->company.currency);
    kt_code code = kt_view_account(reading->view, line->account, &account, error);
    if (code == KT_OK) {
        kt_out_text(out, KT_LINE_NAME, account.name);
        code = kt_out_row(out, error);
    }
    return code != KT_OK ? code : kt_side_sums_add(sums, view, at, reading->company.currency, error);
}

static kt_code print_people(const kt_reading *reading, const kt_entry_view *view, kt_error *error) {
    kt_out *out;
    kt_column columns[KT_LINE_COLUMNS];
    kt_side_sums sums = {0};
    kt_code code = kt_out_open(reading->style, entry_columns, LINES, true, &out, error);
    if (code != KT_OK) return code;
    entry_cells(out, view);
    code = kt_out_row(out, error);
    kt_code closed = kt_out_close(out, error);
    if (code != KT_OK || closed != KT_OK) return code != KT_OK ? code : closed;
    kt_say(reading->style, "\n");
    memcpy(columns, kt_line_columns, sizeof(columns));
    columns[KT_LINE_NAME].head = "name";
    head_where_used(columns, &view->entry);
    code = kt_out_open(reading->style, columns, KT_LINE_COLUMNS, false, &out, error);
    for (size_t i = 0; code == KT_OK && i < view->entry.line_count; i++)
        code = print_line(reading, view, i, &sums, out, error);
    if (code == KT_OK) code = kt_side_sums_print(&sums, out, 0, error);
    kt_side_sums_release(&sums);
    closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static kt_code print_rows(const kt_reading *reading, const kt_entry_view *view, kt_error *error) {
    kt_out *out;
    kt_column columns[COUNT];
    memcpy(columns, entry_columns, sizeof(entry_columns));
    memcpy(columns + LINES, kt_line_columns, sizeof(kt_line_columns));
    kt_code code = kt_out_open(reading->style, columns, COUNT, false, &out, error);
    for (size_t i = 0; code == KT_OK && i < view->entry.line_count; i++) {
        entry_cells(out, view);
        kt_line_cells(out, LINES, view, i, reading->company.currency);
        code = kt_out_row(out, error);
    }
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading = {0};
    kt_entry_view *view = NULL;
    uint64_t number = 0;
    kt_code code = kt_word_number(arguments->words[0], "an entry", &number, error);
    if (code == KT_OK) code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_entry_read(reading.view, number, &view, error);
    if (code == KT_OK)
        code = reading.style == KT_STYLE_TABLE ? print_people(&reading, view, error)
                                               : print_rows(&reading, view, error);
    kt_entry_view_free(view);
    kt_reading_close(&reading);
    return code;
}

const kt_command kt_command_entry = {
    .name = "entry",
    .words = "NUMBER",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_READING,
    .summary = "show one entry, or a proposal of one, whole: lines, batch, actor, times, leaf hash",
    .about = "In JSON and CSV a row is a line, and carries what is known of the entry too.",
    .example = "kontor entry 4711",
    .run = run,
};
