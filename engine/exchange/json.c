/*
 * json: kt_format_json, JSON lines (RFC 8259, one value a line): one entry a line, as
 *
 *   {"date": "2026-01-31", "voucher": "1", "series": "", "text": "", "ref": "", "lines": [
 *     {"account": "1000", "amount": "12.50", "currency": "EUR", "cost": "93.25", "cost_currency": "DKK", "text": "",
 *      "cost_centre": "", "department": "", "project": "", "dimensions": {"4": "x"}, "ref": "", "tax_code": ""}]}
 *
 * date and lines are needed, and in a line account and amount or one of debit and credit. Amounts are strings of
 * decimal digits, or whole numbers: a JSON number with a point or an exponent is refused, since many programs write
 * binary fractions there. The cost of a line given by debit or credit stands without a sign. Unknown keys and keys
 * that stand twice are refused by name. Empty lines are passed over.
 *
 * jansson parses; its own messages quote the input and are not shown (law 9). Strings point into its values, which
 * live until the next call. Bounds: a line is at most LINE_MAX_BYTES, of a longer one no more is read.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/format.h"
#include "engine/exchange/gather.h"
#include "engine/exchange/source.h"
#include "engine/exchange/text.h"

#define LINE_MAX_BYTES ((size_t)64 << 20)

typedef struct reader {
    const kt_source *source;
    const uint8_t *at, *end;
    size_t line, entry_line;
    kt_gather gather;
    json_t *root;
} reader;

enum { DATE, VOUCHER, SERIES, TEXT, REF, LINES, ENTRY_KEYS };
static const char *const entry_keys[] = {"date", "voucher", "series", "text", "ref", "lines"};

enum {
    ACCOUNT,
    AMOUNT,
    DEBIT,
    CREDIT,
    CURRENCY,
    COST,
    COST_CURRENCY,
    LINE_TEXT,
    COST_CENTRE,
    DEPARTMENT,
    PROJECT,
    DIMENSIONS,
    LINE_REF,
    TAX_CODE,
    LINE_KEYS
};
static const char *const line_keys[] = {"account", "amount",        "debit", "credit",      "currency",
                                        "cost",    "cost_currency", "text",  "cost_centre", "department",
                                        "project", "dimensions",    "ref",   "tax_code"};

/* ---- Values ------------------------------------------------------------------------------------- */

/* Puts each member into its place; a key that is not known is refused. `where` begins the message. */
static kt_code sort_members(const json_t *object, const char *const *keys, size_t count, json_t **out,
                            const char *where, kt_error *error) {
    const char *key;
    json_t *value;
    memset(out, 0, count * sizeof *out);
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        size_t i = 0;
        while (i < count && strcmp(keys[i], key) != 0) i++;
        if (i == count) {
            char shown[KT_SHOWN], names[256] = "";
            for (size_t k = 0, n = 0; k < count && n < sizeof names - 32; k++)
                n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", k ? ", " : "", keys[k]);
            return kt_fail(error, KT_INVALID, "%s: key '%s' is not known; expected %s", where,
                           kt_text_show(kt_str_from(key), shown), names);
        }
        if (!json_is_null(value)) /* null is "not given" */
            out[i] = value;
    }
    return KT_OK;
}

static kt_code read_text(const json_t *value, const char *name, kt_str *out, const char *where, kt_error *error) {
    *out = (kt_str){0};
    if (!value) return KT_OK;
    if (!json_is_string(value)) return kt_fail(error, KT_INVALID, "%s: %s is not a string", where, name);
    *out = (kt_str){json_string_value(value), json_string_length(value)};
    return KT_OK;
}

static kt_code read_number(const json_t *value, const char *name, kt_amount *out, uint8_t *given, const char *where,
                           kt_error *error) {
    char shown[KT_SHOWN];
    *out = 0;
    *given = KT_AS_WRITTEN(0);
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return KT_OK;
    }
    if (json_is_real(value))
        return kt_fail(error, KT_INVALID,
                       "%s: %s is a number with a fraction; expected a string of decimal digits, as \"12.50\"", where,
                       name);
    if (!json_is_string(value))
        return kt_fail(error, KT_INVALID, "%s: %s is neither a string nor a whole number", where, name);
    kt_str text = {json_string_value(value), json_string_length(value)};
    uint8_t decimals = 0;
    kt_number_fault fault = kt_number_parse(text.data, text.size, '.', 0, out, &decimals);
    if (fault == KT_NUMBER_OK) {
        *given = KT_AS_WRITTEN(decimals);
        return KT_OK;
    }
    *out = 0;
    return kt_fail(error, fault == KT_NUMBER_OVERFLOW ? KT_OVERFLOW : KT_INVALID,
                   "%s: %s %s: %s; expected digits, decimals behind '.'", where, name,
                   text.size ? kt_text_show_figure(text, shown) : "(empty)", kt_number_fault_text(fault));
}

/* ---- Lines -------------------------------------------------------------------------------------- */

static kt_code read_amount(json_t *const *members, kt_line *line, int *side, const char *where, kt_error *error) {
    int given = !!members[AMOUNT] + !!members[DEBIT] + !!members[CREDIT];
    *side = 1;
    if (given != 1)
        return kt_fail(error, KT_INVALID, "%s: found %d of amount, debit and credit; expected one of them", where,
                       given);
    unsigned key = members[AMOUNT] ? AMOUNT : members[DEBIT] ? DEBIT : CREDIT;
    kt_code code = read_number(members[key], line_keys[key], &line->amount, &line->amount_given, where, error);
    if (key == CREDIT) {
        line->amount = -line->amount;
        *side = -1;
    }
    return code;
}

static kt_code read_cost(json_t *const *members, kt_line *line, int side, const char *where, kt_error *error) {
    if (!members[COST])
        return members[COST_CURRENCY] ? kt_fail(error, KT_INVALID, "%s: cost_currency without cost", where) : KT_OK;
    line->has_cost = true;
    kt_code code = read_number(members[COST], "cost", &line->cost, &line->cost_given, where, error);
    line->cost *= side;
    if (code == KT_OK) code = read_text(members[COST_CURRENCY], "cost_currency", &line->cost_currency, where, error);
    return code;
}

static kt_code read_dimensions(reader *r, json_t *const *members, const char *where, kt_error *error) {
    kt_str values[KT_DIMENSIONS_MAX + 1] = {{0}};
    static const unsigned keys[] = {COST_CENTRE, DEPARTMENT, PROJECT};
    kt_code code = KT_OK;
    for (size_t i = 0; i < 3 && code == KT_OK; i++)
        code = read_text(members[keys[i]], line_keys[keys[i]], &values[i + 1], where, error);
    if (code != KT_OK) return code;
    if (members[DIMENSIONS] && !json_is_object(members[DIMENSIONS]))
        return kt_fail(error, KT_INVALID, "%s: dimensions is not an object", where);
    const char *key;
    json_t *value;
    json_object_foreach(members[DIMENSIONS], key, value) {
        unsigned number = key[0] >= '1' && key[0] <= '9' ? (unsigned)(key[0] - '0') : 0;
        if (number && key[1])
            number = key[1] >= '0' && key[1] <= '9' && !key[2] ? number * 10 + (unsigned)(key[1] - '0') : 0;
        char shown[KT_SHOWN];
        kt_text_show(kt_str_from(key), shown);
        if (number < 1 || number > KT_DIMENSIONS_MAX)
            return kt_fail(error, KT_INVALID, "%s: dimension '%s'; expected a number from 1 to %d", where, shown,
                           KT_DIMENSIONS_MAX);
        if (values[number].size) return kt_fail(error, KT_INVALID, "%s: dimension %u stands twice", where, number);
        code = read_text(value, "a dimension", &values[number], where, error);
        if (code != KT_OK) return code;
    }
    for (uint8_t i = 1; i <= KT_DIMENSIONS_MAX; i++)
        if (kt_gather_dimension(&r->gather, i, values[i]) != KT_OK)
            return kt_fail(error, KT_MEMORY, "%s: no memory", where);
    return KT_OK;
}

static kt_code read_line(reader *r, const json_t *value, size_t number, kt_error *error) {
    char where[512];
    snprintf(where, sizeof where, "%.400s:%zu: line %zu of the entry", r->source->name, r->entry_line, number);
    json_t *members[LINE_KEYS];
    kt_code code;
    kt_line *line = kt_gather_line(&r->gather, &code);
    if (!line)
        return kt_fail(error, code,
                       code == KT_LIMIT ? "%s: more lines than an entry may have (%d)" : "%s: no memory (%d lines)",
                       where, KT_LINES_MAX);
    if (!json_is_object(value)) return kt_fail(error, KT_INVALID, "%s: is not an object", where);
    code = sort_members(value, line_keys, LINE_KEYS, members, where, error);
    int side = 1;
    if (code == KT_OK) code = read_amount(members, line, &side, where, error);
    if (code == KT_OK && !members[ACCOUNT]) code = kt_fail(error, KT_INVALID, "%s: has no account", where);
    if (code == KT_OK) code = read_text(members[ACCOUNT], "account", &line->account, where, error);
    if (code == KT_OK) code = read_text(members[CURRENCY], "currency", &line->currency, where, error);
    if (code == KT_OK) code = read_cost(members, line, side, where, error);
    if (code == KT_OK) code = read_text(members[LINE_TEXT], "text", &line->text, where, error);
    if (code == KT_OK) code = read_text(members[LINE_REF], "ref", &line->ref, where, error);
    if (code == KT_OK) code = read_text(members[TAX_CODE], "tax_code", &line->tax_code, where, error);
    return code == KT_OK ? read_dimensions(r, members, where, error) : code;
}

/* ---- Entries ------------------------------------------------------------------------------------ */

static kt_code read_lines(reader *r, const json_t *lines, const char *where, kt_error *error) {
    if (!lines) return kt_fail(error, KT_INVALID, "%s: has no lines", where);
    if (!json_is_array(lines)) return kt_fail(error, KT_INVALID, "%s: lines is not an array", where);
    kt_code first = KT_OK;
    kt_error unused;
    for (size_t i = 0; i < json_array_size(lines); i++) { /* all of them, for the control totals of a bad entry */
        kt_code code = read_line(r, json_array_get(lines, i), i + 1, first == KT_OK ? error : &unused);
        if (code == KT_MEMORY || code == KT_LIMIT) return first == KT_OK ? code : first;
        if (first == KT_OK) first = code;
    }
    return first;
}

static kt_code read_entry(reader *r, kt_entry *entry, kt_error *error) {
    char where[512], shown[KT_SHOWN];
    snprintf(where, sizeof where, "%.400s:%zu", r->source->name, r->entry_line);
    if (!json_is_object(r->root))
        return kt_fail(error, KT_INVALID, "%s: is no JSON object; expected one entry a line", where);
    json_t *members[ENTRY_KEYS];
    kt_code code = sort_members(r->root, entry_keys, ENTRY_KEYS, members, where, error);
    if (code == KT_OK) code = read_lines(r, members[LINES], where, error);
    /* The entry's own first: what all lines share takes the place of none. */
    if (code == KT_OK) code = read_text(members[TEXT], "text", &entry->text, where, error);
    if (code == KT_OK) code = read_text(members[REF], "ref", &entry->ref, where, error);
    kt_gather_finish(&r->gather, entry); /* as far as it could be read */
    kt_str text;
    if (code == KT_OK) code = read_text(members[VOUCHER], "voucher", &entry->voucher, where, error);
    if (code == KT_OK) code = read_text(members[SERIES], "series", &entry->series, where, error);
    if (code == KT_OK) code = read_text(members[DATE], "date", &text, where, error);
    if (code == KT_OK && !members[DATE]) code = kt_fail(error, KT_INVALID, "%s: has no date", where);
    if (code == KT_OK && !kt_day_parse(text.data, text.size, &entry->date))
        code = kt_fail(error, KT_INVALID, "%s: date %s is no date; expected YYYY-MM-DD", where,
                       text.size ? kt_text_show_figure(text, shown) : "(empty)");
    return code;
}

static kt_code syntax_fault(reader *r, const json_error_t *fault, kt_error *error) {
    const char *what = "is no JSON object; expected one whole entry a line";
    switch (json_error_code(fault)) {
    case json_error_out_of_memory:
        return kt_fail(error, KT_MEMORY, "%s:%zu: no memory for the entry", r->source->name, r->entry_line);
    case json_error_stack_overflow: what = "is nested too deep"; break;
    case json_error_premature_end_of_input:
        what = "ends within the JSON object; expected one whole entry a line";
        break;
    case json_error_end_of_input_expected:
        what = "has something behind the JSON object; expected one entry a line";
        break;
    case json_error_invalid_utf8: what = "is not UTF-8"; break;
    case json_error_null_character:
    case json_error_null_byte_in_key: what = "has a NUL in a string"; break;
    case json_error_duplicate_key: what = "has a key twice in one object"; break;
    case json_error_numeric_overflow: what = "has a number too large; expected a string of decimal digits"; break;
    default: break;
    }
    int column = fault->column > 0 ? fault->column : 0;
    return kt_fail(error, KT_INVALID, "%s:%zu: %s (column %d)", r->source->name, r->entry_line, what, column);
}

static bool blank(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (data[i] != ' ' && data[i] != '\t' && data[i] != '\r') return false;
    return true;
}

/* The next line that is not empty: KT_END, KT_LIMIT or KT_OK. */
static kt_code next_line(reader *r, const uint8_t **data, size_t *size, size_t *raw_size, kt_error *error) {
    for (;;) {
        size_t left = (size_t)(r->end - r->at);
        if (left == 0) return KT_END;
        const uint8_t *feed = memchr(r->at, '\n', left < LINE_MAX_BYTES ? left : LINE_MAX_BYTES);
        if (!feed && left > LINE_MAX_BYTES)
            return kt_fail(error, KT_LIMIT, "%s:%zu: the line is longer than %zu bytes", r->source->name, r->line,
                           LINE_MAX_BYTES);
        *data = r->at;
        *size = (size_t)((feed ? feed : r->end) - r->at);
        *raw_size = *size + (feed ? 1 : 0);
        r->entry_line = r->line++;
        r->at += *raw_size;
        if (!blank(*data, *size)) return KT_OK;
    }
}

static kt_code json_next(void *context, kt_item *item, kt_error *error) {
    reader *r = context;
    *item = (kt_item){.kind = KT_ITEM_ENTRY, .entry.date = KT_DAY_NONE};
    json_decref(r->root);
    r->root = NULL;
    kt_gather_reset(&r->gather);
    const uint8_t *data = NULL;
    size_t size = 0, raw_size = 0;
    kt_code code = next_line(r, &data, &size, &raw_size, error);
    item->done = (size_t)(r->at - r->source->data);
    if (code != KT_OK) return code;
    item->raw = data;
    item->raw_size = raw_size;
    item->entry.file = r->source->name;
    item->entry.file_line = r->entry_line;
    json_error_t fault;
    r->root = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &fault);
    code = r->root ? read_entry(r, &item->entry, error) : syntax_fault(r, &fault, error);
    item->can_go_on = code != KT_OK && code != KT_MEMORY;
    return code;
}

static void json_close(void *context) {
    reader *r = context;
    if (!r) return;
    json_decref(r->root);
    kt_gather_release(&r->gather);
    free(r);
}

static kt_code json_open(const kt_source *source, const kt_format_options *options, void **out, kt_error *error) {
    *out = NULL;
    if (options->decimal || options->group || options->delimiter || options->date_format || options->encoding ||
        options->virtual_postings || options->symbols)
        return kt_fail(error, KT_USAGE,
                       "format json has no options: no --decimal, --group, --delimiter, --date-format, "
                       "--encoding, --virtual, --symbol");
    if (source->size == 0) return kt_fail(error, KT_INVALID, "%s: is empty", source->name);
    size_t mark = source->size >= 3 && memcmp(source->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    const char *looks = kt_source_looks_like(source);
    size_t at = mark;
    while (at < source->size && (source->data[at] == '\n' || blank(source->data + at, 1))) at++;
    if (at < source->size && source->data[at] == '[')
        return kt_fail(error, KT_INVALID, "%s:1: begins as a JSON array; expected JSON lines, one entry a line",
                       source->name);
    if (at < source->size && source->data[at] != '{')
        return kt_fail(error, KT_INVALID, "%s:1: %s%s; expected JSON lines, one entry a line", source->name,
                       looks ? "looks like " : "begins with no JSON object", looks ? looks : "");
    reader *r = calloc(1, sizeof *r);
    if (!r) return kt_fail(error, KT_MEMORY, "%s: no memory", source->name);
    r->source = source;
    r->at = source->data + mark;
    r->end = source->data + source->size;
    r->line = 1;
    *out = r;
    return KT_OK;
}

static kt_str json_preamble(void *context) {
    (void)context;
    return (kt_str){0};
}

static const char *const suffixes[] = {".json", ".jsonl", ".ndjson", NULL};

const kt_format kt_format_json = {"json", suffixes, json_open, json_next, json_close, json_preamble, NULL};
