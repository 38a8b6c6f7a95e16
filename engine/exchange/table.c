#include "engine/exchange/table.h"

#include <stdlib.h>
#include <string.h>

#include "engine/exchange/source.h"

/* ---- Values ------------------------------------------------------------------------------------- */

static bool read_day(const kt_table *table, kt_str text, kt_day *day) {
    if (table->options.date_format) return kt_day_parse_format(text.data, text.size, table->options.date_format, day);
    if (table->layout->loose && text.size == 8) return kt_day_parse_format(text.data, text.size, "%Y%m%d", day);
    return kt_day_parse(text.data, text.size, day);
}

bool kt_table_read_day(kt_table *table, kt_str text, kt_day *day) {
    if (!text.size || !read_day(table, text, day)) return false;
    if (text.size <= sizeof table->last_date_text) {
        memcpy(table->last_date_text, text.data, text.size);
        table->last_date = (kt_str){table->last_date_text, text.size};
        table->last_day = *day;
    }
    return true;
}

kt_code kt_table_number_fault(const kt_table *table, const kt_row *row, const char *column, kt_str text,
                              kt_number_fault fault, kt_error *error) {
    char shown[KT_SHOWN];
    kt_code code = fault == KT_NUMBER_OVERFLOW ? KT_OVERFLOW : KT_INVALID;
    if (fault == KT_NUMBER_EMPTY)
        return kt_fail(error, code, "%s:%zu: %s is empty; expected a number", table->source->name, row->line, column);
    char group[32] = "";
    if (table->options.group) snprintf(group, sizeof group, ", groups parted by '%c'", table->options.group);
    bool comma = !table->options.decimal && text.size > 0 && memchr(text.data, ',', text.size);
    return kt_fail(error, code, "%s:%zu: %s %s: %s; expected digits, decimals behind '%c'%s%s", table->source->name,
                   row->line, column, kt_text_show_figure(text, shown), kt_number_fault_text(fault), table->decimal,
                   group, comma ? "; where they stand behind a comma give --decimal , (and --group .)" : "");
}

/* ---- The header row ----------------------------------------------------------------------------- */

static size_t normal_name(const kt_layout *layout, kt_str name, char *out, size_t room) {
    size_t n = 0;
    name = kt_text_trim(name);
    for (size_t i = 0; i < name.size && n + 1 < room; i++) {
        char c = name.data[i];
        if (layout->loose && (c == ' ' || c == '_')) continue;
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    out[n] = 0;
    return n;
}

static const kt_column *find_column(const kt_layout *layout, kt_str name) {
    char normal[64];
    normal_name(layout, name, normal, sizeof normal);
    for (const kt_column *column = layout->columns; column->name; column++)
        if (strcmp(column->name, normal) == 0) return column;
    return NULL;
}

static void list_names(const kt_layout *layout, char *out, size_t room) {
    size_t n = 0;
    out[0] = 0;
    for (const kt_column *column = layout->columns; column->name; column++) {
        int length = snprintf(out + n, room - n, "%s%s", n ? ", " : "", column->name);
        if (length < 0 || (size_t)length >= room - n) break;
        n += (size_t)length;
    }
}

/* Not one column is known: then the file is something else, and its first line is not shown. */
static kt_code no_header(const kt_table *table, const kt_row *row, kt_error *error) {
    const char *looks = kt_source_looks_like(table->source), *hint = "";
    char names[700];
    list_names(table->layout, names, sizeof names);
    if (looks)
        return kt_fail(error, KT_INVALID, "%s:1: looks like %s; expected CSV with a header row naming %s",
                       table->source->name, looks, names);
    if (row->count == 1 && memchr(row->raw, ';', row->raw_size))
        hint = " (if fields are parted by ';', give --delimiter ';')";
    else if (row->count == 1 && memchr(row->raw, '\t', row->raw_size))
        hint = " (if fields are parted by tabs, give a tab as --delimiter)";
    return kt_fail(error, KT_INVALID, "%s:%zu: is no header row of format %s%s; expected columns named %s",
                   table->source->name, row->line, table->layout->name, hint, names);
}

static kt_code map_columns(kt_table *table, const kt_row *row, kt_error *error) {
    char shown[KT_SHOWN], names[700];
    size_t known = 0;
    for (size_t i = 0; i < row->count; i++) known += find_column(table->layout, row->fields[i]) != NULL;
    if (known == 0) return no_header(table, row, error);
    for (size_t i = 0; i < row->count; i++) {
        const kt_column *column = find_column(table->layout, row->fields[i]);
        if (!column && !table->layout->others_pass) {
            list_names(table->layout, names, sizeof names);
            return kt_fail(error, KT_INVALID, "%s:%zu: column %zu, '%s', is not known; expected %s",
                           table->source->name, row->line, i + 1, kt_text_show(row->fields[i], shown), names);
        }
        if (!column || column->role == KT_ROLE_IGNORED) continue;
        if (table->column[column->role] >= 0)
            return kt_fail(error, KT_INVALID, "%s:%zu: column '%s' stands twice, as column %d and column %zu",
                           table->source->name, row->line, kt_text_show(row->fields[i], shown),
                           table->column[column->role] + 1, i + 1);
        table->column[column->role] = (int16_t)i;
        table->present |= 1u << column->role;
        if (table->layout->key_roles >> column->role & 1) table->key_columns = i + 1;
    }
    return table->layout->check(table, error);
}

static kt_code read_header(kt_table *table, kt_error *error) {
    const char *looks = kt_source_looks_like(table->source);
    if (looks)
        return kt_fail(error, KT_INVALID, "%s:1: looks like %s; expected CSV with a header row", table->source->name,
                       looks);
    const kt_row *row;
    kt_code code = kt_rows_next(table->rows, &row, error);
    if (code == KT_END) return kt_fail(error, KT_INVALID, "%s: is empty", table->source->name);
    if (code == KT_OK) code = map_columns(table, row, error);
    if (code != KT_OK) return code;
    table->header = (kt_str){(const char *)row->raw, row->raw_size};
    kt_rows_expect(table->rows, row->count);
    return KT_OK;
}

/* ---- Opening ------------------------------------------------------------------------------------ */

static kt_code check_options(const kt_layout *layout, const kt_format_options *options, kt_error *error) {
    char decimal = options->decimal ? options->decimal : '.';
    if (decimal != '.' && decimal != ',')
        return kt_fail(error, KT_USAGE, "the decimal sign cannot be '%c'; expected '.' or ','", decimal);
    if (options->group && (options->group == decimal || (options->group >= '0' && options->group <= '9') ||
                           options->group == '-' || options->group == '+' || options->group == '"'))
        return kt_fail(error, KT_USAGE, "numbers cannot be grouped by '%c' when '%c' is the decimal sign",
                       options->group, decimal);
    if (options->virtual_postings || options->symbols)
        return kt_fail(error, KT_USAGE, "--virtual and --symbol are for format journal, not %s", layout->name);
    return KT_OK;
}

static uint64_t family_of(const kt_table_key *key) {
    return kt_text_hash(KT_HASH_START, key->series.data, key->series.size);
}

static uint64_t key_hash(const kt_table *table, const kt_table_key *key) {
    uint64_t hash = kt_text_hash(family_of(key), "\n", 1); /* so that series and voucher do not run together */
    hash = kt_text_hash(hash, key->voucher.data, key->voucher.size);
    if (table->layout->day_in_key) hash = kt_text_hash(hash, &key->day, sizeof key->day);
    return hash;
}

/* Reads the file up to the present entry once more: see seen.h. */
static kt_code refill(void *context, kt_seen *seen, kt_error *error) {
    const kt_table *table = context;
    kt_source part = *table->source;
    part.size = table->refill_until;
    void *opened = NULL;
    kt_code code = kt_table_open(table->layout, &part, &table->options, &opened, error);
    if (code != KT_OK) return code;
    kt_table *again = opened;
    kt_seen_close(again->seen);
    again->seen = NULL;
    kt_item item;
    for (;;) {
        code = kt_table_next(again, &item, error);
        if (code == KT_END || (code != KT_OK && !item.can_go_on)) break;
        code = KT_OK;
        if (again->key.voucher.size) code = kt_seen_put(seen, key_hash(again, &again->key), error);
        if (code != KT_OK) break;
    }
    kt_table_close(again);
    return code == KT_END ? KT_OK : code;
}

kt_code kt_table_open(const kt_layout *layout, const kt_source *source, const kt_format_options *options, void **reader,
                      kt_error *error) {
    *reader = NULL;
    kt_code code = check_options(layout, options, error);
    if (code != KT_OK) return code;
    kt_table *table = calloc(1, sizeof *table);
    if (!table) return kt_fail(error, KT_MEMORY, "%s: no memory", source->name);
    table->layout = layout;
    table->source = source;
    table->options = *options;
    table->decimal = options->decimal ? options->decimal : '.';
    for (size_t i = 0; i < KT_ROLES_MAX; i++) table->column[i] = -1;
    code = kt_rows_open(source, options, layout->latin1, &table->rows, error);
    if (code == KT_OK) code = read_header(table, error);
    if (code == KT_OK) code = kt_seen_open(refill, table, &table->seen, error);
    if (code != KT_OK) {
        kt_table_close(table);
        return code;
    }
    *reader = table;
    return KT_OK;
}

void kt_table_close(void *reader) {
    kt_table *table = reader;
    if (!table) return;
    kt_rows_close(table->rows);
    kt_gather_release(&table->gather);
    kt_seen_close(table->seen);
    free(table);
}

kt_str kt_table_preamble(void *reader) { return ((kt_table *)reader)->header; }

/* ---- Entries ------------------------------------------------------------------------------------ */

static bool belongs(const kt_table *table, const kt_table_key *key) {
    const kt_table_key *present = &table->key;
    if (!key->known || !present->known) return true;
    return kt_text_same(key->voucher, present->voucher) && kt_text_same(key->series, present->series) &&
           (!table->layout->day_in_key || key->day == present->day || key->day == KT_DAY_NONE ||
            present->day == KT_DAY_NONE);
}

static void mark_bad(kt_table *table, const kt_error *why) {
    if (!table->bad) table->why = *why;
    table->bad = true;
}

/* Rows without a voucher: the sums of the entry so far, for each currency. */
static void add_sum(kt_table *table, const kt_line *line) {
    uint8_t decimals = (uint8_t)(line->amount_given - 1);
    size_t i = 0;
    while (i < table->sum_count && !kt_text_same(table->sums[i].currency, line->currency)) i++;
    if (i == sizeof table->sums / sizeof table->sums[0] || line->amount_given == 0) {
        table->sums_known = false;
        return;
    }
    if (i == table->sum_count) {
        table->sum_count++;
        table->sums[i].currency = line->currency;
        table->sums[i].sum = line->amount;
        table->sums[i].decimals = decimals;
        return;
    }
    uint8_t finer = decimals > table->sums[i].decimals ? decimals : table->sums[i].decimals;
    kt_amount sum, more;
    if (!kt_amount_rescale(table->sums[i].sum, table->sums[i].decimals, finer, KT_ROUND_EXACT, &sum) ||
        !kt_amount_rescale(line->amount, decimals, finer, KT_ROUND_EXACT, &more) ||
        !kt_amount_add(sum, more, &table->sums[i].sum))
        table->sums_known = false;
    table->sums[i].decimals = finer;
}

static bool balanced(const kt_table *table) {
    if (!table->sums_known || table->gather.count < 2) return false;
    for (size_t i = 0; i < table->sum_count; i++)
        if (table->sums[i].sum != 0) return false;
    return true;
}

static void begin(kt_table *table, const kt_row *row, const kt_table_key *key) {
    table->key = *key;
    kt_entry *entry = table->entry;
    entry->date = key->day;
    entry->series = key->series;
    entry->voucher = key->voucher;
    entry->text = entry->ref = (kt_str){0};
    entry->reverses = entry->proposal = 0;
    entry->minus = false;
    entry->file = table->source->name;
    entry->file_line = row->line;
    table->bad = false;
    table->sum_count = 0;
    table->sums_known = true;
    if (table->doubt) {
        kt_error why;
        kt_fail(&why, KT_INVALID, "%s:%zu: refused too, since the unreadable line %zu may belong to it",
                table->source->name, row->line, table->doubt);
        mark_bad(table, &why);
        table->doubt = 0;
    }
}

/* One row of the present entry; where it has a fault, table->scratch says which. KT_OK also where the row is bad. */
static kt_code take(kt_table *table, const kt_row *row, const kt_table_key *key, kt_code fault, kt_error *error) {
    kt_error *why = &table->scratch;
    if (key->known) {
        if (!table->key.known) table->key = *key;
        else if (table->key.day == KT_DAY_NONE) table->key.day = key->day;
        table->entry->series = table->key.series;
        table->entry->voucher = table->key.voucher;
        if (table->entry->date == KT_DAY_NONE) table->entry->date = table->key.day;
        table->doubt = 0;
    } else {
        table->doubt = row->line;
    }
    kt_code code;
    kt_line *line = kt_gather_line(&table->gather, &code);
    if (code == KT_MEMORY)
        return kt_fail(error, code, "%s:%zu: no memory for the lines of the entry", table->source->name, row->line);
    if (!line) {
        kt_fail(why, KT_LIMIT, "%s:%zu: the entry has more than %d lines", table->source->name, row->line,
                KT_LINES_MAX);
        mark_bad(table, why);
        return KT_OK;
    }
    if (fault == KT_OK) fault = table->layout->line(table, row, key, line, why);
    if (fault == KT_MEMORY) return kt_fail(error, fault, "%s:%zu: no memory", table->source->name, row->line);
    if (fault != KT_OK) mark_bad(table, why);
    if (table->layout->ends_balanced && table->key.voucher.size == 0) add_sum(table, line);
    return KT_OK;
}

/* The next row with its key and, where it is bad, its fault in table->scratch. KT_END. */
static kt_code next_row(kt_table *table, const kt_row **row, kt_table_key *key, kt_code *fault, kt_error *error) {
    if (table->held) {
        *row = table->held;
        *key = table->held_key;
        *fault = table->held_fault;
        table->held = NULL;
        return KT_OK;
    }
    *fault = kt_rows_next(table->rows, row, &table->scratch);
    if (*fault == KT_END) return KT_END;
    if (*fault != KT_OK && !(*row)->can_go_on) {
        *error = table->scratch;
        return *fault;
    }
    table->layout->key(table, *row, key);
    return KT_OK;
}

/* Reads rows as long as they belong together; the first that does not is held back. */
static kt_code read_entry(kt_table *table, const uint8_t **first, const uint8_t **last, kt_error *error) {
    for (bool begun = false;; begun = true) {
        const kt_row *row;
        kt_table_key key;
        kt_code fault, code = next_row(table, &row, &key, &fault, error);
        if (code == KT_END && begun) return KT_OK;
        if (code != KT_OK) return code;
        if (!begun) {
            begin(table, row, &key);
            *first = row->raw;
        } else if (!belongs(table, &key)) {
            table->held = row;
            table->held_key = key;
            table->held_fault = fault;
            return KT_OK;
        }
        code = take(table, row, &key, fault, error);
        if (code != KT_OK) return code;
        *last = row->raw + row->raw_size;
        if (table->layout->ends_balanced && table->key.known && table->key.voucher.size == 0 && balanced(table))
            return KT_OK;
    }
}

/* An entry that comes back is refused: its first part may have been posted already. */
static kt_code check_again(kt_table *table, const uint8_t *first, kt_error *error) {
    if (!table->seen || table->key.voucher.size == 0) return KT_OK;
    bool again = false;
    table->refill_until = (size_t)(first - table->source->data);
    if (kt_seen_rises(table->seen, family_of(&table->key), table->key.voucher)) return KT_OK;
    kt_code code = kt_seen_add(table->seen, key_hash(table, &table->key), &again, error);
    if (code != KT_OK || !again) return code;
    char shown[KT_SHOWN];
    kt_error why;
    kt_fail(&why, KT_INVALID, "%s:%zu: voucher %s comes back after other entries; its lines must stand together",
            table->source->name, table->entry->file_line, kt_text_show(table->key.voucher, shown));
    mark_bad(table, &why);
    return KT_OK;
}

kt_code kt_table_next(void *reader, kt_item *item, kt_error *error) {
    kt_table *table = reader;
    const uint8_t *first = NULL, *last = NULL;
    kt_error unused;
    if (!error) error = &unused;
    /* What belongs to other kinds of items is left as it is. */
    item->kind = KT_ITEM_ENTRY;
    item->raw = NULL;
    item->raw_size = item->virtual_left_out = 0;
    item->can_go_on = false;
    table->entry = &item->entry;
    table->bad = false;
    kt_gather_reset(&table->gather);
    if (!kt_rows_release(table->rows, table->held != NULL)) table->held = NULL;
    kt_code code = read_entry(table, &first, &last, error);
    if (code == KT_OK) code = check_again(table, first, error);
    item->done = table->held ? (size_t)(table->held->raw - table->source->data) : kt_rows_done(table->rows);
    if (code != KT_OK) {
        item->entry = (kt_entry){.date = KT_DAY_NONE};
        return code;
    }
    kt_gather_finish(&table->gather, &item->entry);
    item->raw = first;
    item->raw_size = (size_t)(last - first);
    if (!table->bad) return KT_OK;
    item->can_go_on = true;
    *error = table->why;
    return table->why.code;
}
