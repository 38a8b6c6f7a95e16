#include <stdio.h>
#include <string.h>

#include "cli/show.h"

enum { ENTRY, DATE, SERIES, VOUCHER, TEXT, REF, REVERSES, LINES, COUNT = LINES + KT_LINE_COLUMNS };

static const kt_column entry_columns[LINES] = {
    [ENTRY] = {"number", "entry", KT_CELL_NUMBER, false},   [DATE] = {"date", "date", KT_CELL_TEXT, false},
    [SERIES] = {"series", "series", KT_CELL_TEXT, false},   [VOUCHER] = {"voucher", "voucher", KT_CELL_TEXT, false},
    [TEXT] = {"text", NULL, KT_CELL_PROSE, false},          [REF] = {"ref", NULL, KT_CELL_TEXT, false},
    [REVERSES] = {"reverses", NULL, KT_CELL_NUMBER, false},
};

typedef struct walk {
    kt_out *out;
    kt_str currency;
    uint64_t entries, lines;
    kt_side_sums sums;
} walk;

static kt_code on_entry(void *context, const kt_entry_view *view, kt_error *error) {
    walk *at = context;
    const kt_entry *entry = &view->entry;
    bool people = kt_out_style(at->out) == KT_STYLE_TABLE;
    kt_code code = KT_OK;
    at->entries++;
    for (size_t i = 0; code == KT_OK && i < entry->line_count; i++) {
        at->lines++;
        /* People read an entry's own facts once. */
        if (!people || i == 0) {
            kt_out_count(at->out, ENTRY, view->number);
            kt_out_day(at->out, DATE, entry->date);
            kt_out_text(at->out, SERIES, entry->series);
            kt_out_text(at->out, VOUCHER, entry->voucher);
            kt_out_text(at->out, TEXT, entry->text);
            kt_out_text(at->out, REF, entry->ref);
            if (entry->reverses != 0) kt_out_count(at->out, REVERSES, entry->reverses);
        }
        kt_line_cells(at->out, LINES, view, i, at->currency);
        if (people && entry->lines[i].text.size == 0) kt_out_text(at->out, LINES + KT_LINE_TEXT, entry->text);
        code = kt_out_row(at->out, error);
        if (code == KT_OK && people) code = kt_side_sums_add(&at->sums, view, i, at->currency, error);
    }
    return code;
}

static kt_code limit(const kt_arguments *arguments, const char *option, bool *has, kt_amount *amount, uint8_t *given,
                     kt_error *error) {
    const char *text = kt_given_value(arguments, option);
    uint8_t decimals = 0;
    if (text == NULL) return KT_OK;
    kt_number_fault fault = kt_number_parse(text, strlen(text), '.', '\0', amount, &decimals);
    if (fault != KT_NUMBER_OK)
        return kt_fail(error, KT_USAGE, "--%s %.60s: %s", option, text, kt_number_fault_text(fault));
    if (*amount < 0) return kt_fail(error, KT_USAGE, "--%s %.60s: a size without a sign is expected", option, text);
    *has = true;
    *given = KT_AS_WRITTEN(decimals);
    return KT_OK;
}

static kt_code read_filter(const kt_arguments *arguments, kt_journal_filter *filter, kt_error *error) {
    *filter = (kt_journal_filter){
        .series = kt_str_from(kt_given_value(arguments, "series")),
        .voucher = kt_str_from(kt_given_value(arguments, "voucher")),
        .text = kt_str_from(kt_given_value(arguments, "text")),
        .account = kt_str_from(kt_given_value(arguments, "account")),
    };
    kt_code code = kt_option_range(arguments, &filter->from, &filter->to, error);
    if (code == KT_OK) code = limit(arguments, "min", &filter->has_min, &filter->min, &filter->min_given, error);
    if (code == KT_OK) code = limit(arguments, "max", &filter->has_max, &filter->max, &filter->max_given, error);
    return code;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading = {0};
    kt_journal_filter filter;
    kt_column columns[COUNT];
    walk at = {0};
    memcpy(columns, entry_columns, sizeof(entry_columns));
    memcpy(columns + LINES, kt_line_columns, sizeof(kt_line_columns));
    kt_code code = read_filter(arguments, &filter, error);
    if (code == KT_OK) code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) {
        kt_show_title(&reading, "journal", filter.from, filter.to);
        code = kt_out_open(reading.style, columns, COUNT, false, &at.out, error);
    }
    if (code == KT_OK) {
        at.currency = reading.company.currency;
        code = kt_entries(reading.view, &filter, on_entry, &at, error);
    }
    if (code == KT_OK) code = kt_side_sums_print(&at.sums, at.out, LINES, error);
    kt_code closed = kt_out_close(at.out, code == KT_OK ? error : NULL);
    if (code == KT_OK) code = closed;
    if (code == KT_OK) {
        kt_say(reading.style, "%s", at.entries == 0 ? "" : "\n");
        kt_show_counted(reading.style, at.entries, "entry", "entries", ", ");
        kt_show_counted(reading.style, at.lines, "line", "lines", "\n");
    }
    kt_side_sums_release(&at.sums);
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"from", "DATE", "from that day, inclusive", NULL, false, false},
    {"to", "DATE", "to that day, inclusive", NULL, false, false},
    {"series", "NAME", "only this series of vouchers", NULL, false, false},
    {"voucher", "NUMBER", "only this voucher", NULL, false, false},
    {"text", "PART", "only entries whose text holds this", NULL, false, false},
    {"account", "CODE", "only entries with a line on it, or below it where it ends in : or *", NULL, false, false},
    {"min", "AMOUNT", "only entries with a line of at least this", NULL, false, false},
    {"max", "AMOUNT", "only entries with a line of at most this", NULL, false, false},
    {"as-known", "TIME", "what was on record at that time", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_journal = {
    .name = "journal",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_READING,
    .summary = "list entries, all or those that fit",
    .about = "In the order of record. An amount is compared without its sign.",
    .options = options,
    .example = "kontor journal --from 2026-03 --account 5820 --min 10000 --json",
    .run = run,
};
