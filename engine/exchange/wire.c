/*
 * wire: kt_format_msgpack, the bulk wire form: entries one behind the other, each one canonical msgpack array of tags
 * and values, the tags rising (storage/codec.h: shortest forms, no maps, no floats).
 *
 *   entry   1 date (days since 1970-01-01), 2 series, 3 voucher, 4 text, 5 ref, 6 array of lines
 *   line    1 account, 2 currency, 3 amount, 4 its decimals, 5 cost, 6 its decimals, 7 the cost's currency, 8 text,
 *           9 ref, 10 tax code, 11 array of dimension, value, dimension, value ... rising
 *
 * Needed are 1 and 6 of an entry, 1 and 3 of a line; texts that are not given are empty, decimals 0. An amount is a
 * whole number (beyond 64 bits: ext type 1, 16 bytes big-endian), a debit above zero, with its last `decimals` digits
 * behind the decimal sign: 1250 with 2 is 12.50. For example
 * [1, 20484, 3, "7", 6, [[1, "1000", 3, 1250, 4, 2], [1, "2000", 3, -1250, 4, 2]]].
 *
 * Messages count entries from 1 and give the byte an entry begins at. What is well-formed msgpack but no entry is
 * refused, and reading may go on; what is no canonical msgpack has no end that could be known, and ends reading.
 * Bounds: nothing is allocated for what an array claims to hold, only for lines that are there.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/format.h"
#include "engine/exchange/gather.h"
#include "engine/exchange/source.h"
#include "storage/codec.h"

typedef struct reader {
    const kt_source *source;
    const uint8_t *at, *end;
    size_t number; /* of the entry in hand, from 1 */
    kt_gather gather;
} reader;

typedef struct place { /* for messages */
    const reader *r;
    size_t byte, line; /* line 0: the entry itself */
} place;

static kt_code refuse(const place *where, kt_code code, const char *what, kt_error *error) {
    if (where->line)
        return kt_fail(error, code, "%s:%zu: entry %zu (byte %zu), line %zu: %s", where->r->source->name,
                       where->r->number, where->r->number, where->byte, where->line, what);
    return kt_fail(error, code, "%s:%zu: entry %zu (byte %zu): %s", where->r->source->name, where->r->number,
                   where->r->number, where->byte, what);
}

/* Whether the bytes end within one msgpack value, whatever its form; only to say so in a message. */
static bool cut_short(const uint8_t *at, const uint8_t *end) {
    /* Behind 0xc0: bytes of the length, bytes besides it, 1: of length times values, 2: of twice as many. */
    static const uint8_t shape[32][3] = {
        {0, 0, 0},  {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {4, 0, 0}, {1, 1, 0},
        {2, 1, 0},  {4, 1, 0}, {0, 4, 0}, {0, 8, 0}, {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 8, 0},
        {0, 1, 0},  {0, 2, 0}, {0, 4, 0}, {0, 8, 0}, {0, 2, 0}, {0, 3, 0}, {0, 5, 0}, {0, 9, 0},
        {0, 17, 0}, {1, 0, 0}, {2, 0, 0}, {4, 0, 0}, {2, 0, 1}, {4, 0, 1}, {2, 0, 2}, {4, 0, 2},
    };
    uint64_t values = 1;
    while (values > 0) {
        if (at == end) return true;
        uint8_t head = *at++;
        uint64_t body = 0, inside = 0;
        if (head >= 0x80 && head < 0x90) inside = 2u * (head & 15u);
        else if (head >= 0x90 && head < 0xa0) inside = head & 15u;
        else if (head >= 0xa0 && head < 0xc0) body = head & 31u;
        else if (head >= 0xc0 && head < 0xe0) {
            const uint8_t *how = shape[head - 0xc0];
            uint64_t length = 0;
            if ((size_t)(end - at) < how[0]) return true;
            for (size_t i = 0; i < how[0]; i++) length = length << 8 | *at++;
            body = how[1] + (how[2] ? 0 : length);
            inside = length * how[2];
        }
        if (body > (uint64_t)(end - at)) return true;
        at += body;
        values += inside - 1;
        if (values > (uint64_t)(end - at)) /* every value takes a byte at the least */
            return true;
    }
    return false;
}

static kt_code read_text(kt_unpack *u, kt_str *out, const place *where, const char *what, kt_error *error) {
    if (!kt_unpack_text(u, &out->data, &out->size)) return refuse(where, KT_INVALID, what, error);
    return kt_utf8_valid(out->data, out->size) ? KT_OK : refuse(where, KT_INVALID, "a text that is no UTF-8", error);
}

static kt_code read_decimals(kt_unpack *u, uint8_t *given, const place *where, kt_error *error) {
    uint64_t decimals;
    if (!kt_unpack_uint(u, &decimals) || decimals > KT_DECIMALS_MAX)
        return refuse(where, KT_INVALID, "decimals is no whole number from 0 to 18", error);
    *given = KT_AS_WRITTEN(decimals);
    return KT_OK;
}

static kt_code read_amount(kt_unpack *u, kt_amount *amount, uint8_t *given, const place *where, kt_error *error) {
    if (!kt_unpack_amount(u, amount)) return refuse(where, KT_INVALID, "the amount is no whole number", error);
    kt_amount most = kt_amount_limit();
    if (*amount > most || *amount < -most) {
        *amount = 0;
        return refuse(where, KT_OVERFLOW, "the amount is larger than can be kept", error);
    }
    *given = KT_AS_WRITTEN(0);
    return KT_OK;
}

static kt_code read_dimensions(kt_unpack *u, kt_gather *gather, const place *where, kt_error *error) {
    uint32_t count = 0, last = 0;
    if (!kt_unpack_array(u, &count) || count % 2 != 0)
        return refuse(where, KT_INVALID, "dimensions are no array of numbers and values", error);
    for (uint32_t i = 0; i < count; i += 2) {
        kt_str value;
        if (!kt_unpack_tag(u, &last) || last > KT_DIMENSIONS_MAX)
            return refuse(where, KT_INVALID, "a dimension is no number from 1 to 11, or they do not rise", error);
        kt_code code = read_text(u, &value, where, "a dimension's value is no text", error);
        if (code == KT_OK) code = kt_gather_dimension(gather, (uint8_t)last, value);
        if (code != KT_OK) return code == KT_MEMORY ? refuse(where, code, "no memory", error) : code;
    }
    return KT_OK;
}

static kt_code read_field(kt_unpack *u, uint32_t tag, kt_line *line, kt_gather *gather, const place *where,
                          kt_error *error) {
    switch (tag) {
    case 1: return read_text(u, &line->account, where, "the account is no text", error);
    case 2: return read_text(u, &line->currency, where, "the currency is no text", error);
    case 3: return read_amount(u, &line->amount, &line->amount_given, where, error);
    case 4: return read_decimals(u, &line->amount_given, where, error);
    case 5: line->has_cost = true; return read_amount(u, &line->cost, &line->cost_given, where, error);
    case 6: return read_decimals(u, &line->cost_given, where, error);
    case 7: return read_text(u, &line->cost_currency, where, "the cost's currency is no text", error);
    case 8: return read_text(u, &line->text, where, "the text is no text", error);
    case 9: return read_text(u, &line->ref, where, "the reference is no text", error);
    case 10: return read_text(u, &line->tax_code, where, "the tax code is no text", error);
    case 11: return read_dimensions(u, gather, where, error);
    default: return refuse(where, KT_INVALID, "a tag that is not known; expected 1 to 11", error);
    }
}

static kt_code read_line(reader *r, kt_unpack *u, const place *where, kt_error *error) {
    uint32_t count = 0, tag = 0, seen = 0;
    kt_code code;
    kt_line *line = kt_gather_line(&r->gather, &code);
    if (!line) return refuse(where, code, code == KT_LIMIT ? "more lines than an entry may have" : "no memory", error);
    if (!kt_unpack_array(u, &count) || count % 2 != 0)
        return refuse(where, KT_INVALID, "is no array of tags and values", error);
    for (uint32_t i = 0; i < count; i += 2) {
        if (!kt_unpack_tag(u, &tag)) return refuse(where, KT_INVALID, "a tag is no number, or they do not rise", error);
        code = read_field(u, tag, line, &r->gather, where, error);
        if (code != KT_OK) return code;
        seen |= 1u << tag;
    }
    if (!(seen & 1u << 1) || !(seen & 1u << 3))
        return refuse(where, KT_INVALID, seen & 1u << 1 ? "has no amount (3)" : "has no account (1)", error);
    if ((seen & (1u << 6 | 1u << 7)) && !(seen & 1u << 5))
        return refuse(where, KT_INVALID, "has the decimals (6) or the currency (7) of a cost but no cost (5)", error);
    return KT_OK;
}

static kt_code read_lines(reader *r, kt_unpack *u, place where, kt_error *error) {
    uint32_t count = 0;
    if (!kt_unpack_array(u, &count)) return refuse(&where, KT_INVALID, "the lines (6) are no array", error);
    for (uint32_t i = 0; i < count; i++) {
        where.line = (size_t)i + 1;
        kt_code code = read_line(r, u, &where, error);
        if (code != KT_OK) return code;
    }
    return KT_OK;
}

static kt_code read_date(kt_unpack *u, kt_day *day, const place *where, kt_error *error) {
    int64_t value;
    if (!kt_unpack_int(u, &value) || value < KT_DAY_MIN || value > KT_DAY_MAX)
        return refuse(where, KT_INVALID,
                      "the date (1) is no day from 0001-01-01 to 9999-12-31, counted from 1970-01-01", error);
    *day = (kt_day)value;
    return KT_OK;
}

static kt_code read_entry(reader *r, kt_unpack *u, kt_entry *entry, const place *where, kt_error *error) {
    uint32_t count = 0, tag = 0, seen = 0;
    if (!kt_unpack_array(u, &count) || count % 2 != 0)
        return refuse(where, KT_INVALID, "is no array of tags and values", error);
    for (uint32_t i = 0; i < count; i += 2) {
        kt_str *texts[] = {&entry->series, &entry->voucher, &entry->text, &entry->ref};
        kt_code code = KT_OK;
        if (!kt_unpack_tag(u, &tag)) return refuse(where, KT_INVALID, "a tag is no number, or they do not rise", error);
        if (tag == 1) code = read_date(u, &entry->date, where, error);
        else if (tag <= 5)
            code = read_text(u, texts[tag - 2], where, "series, voucher, text or ref (2 to 5) is no text", error);
        else if (tag == 6) code = read_lines(r, u, *where, error);
        else code = refuse(where, KT_INVALID, "a tag that is not known; expected 1 to 6", error);
        if (code != KT_OK) return code;
        seen |= 1u << tag;
    }
    if (!(seen & 1u << 1) || !(seen & 1u << 6))
        return refuse(where, KT_INVALID, seen & 1u << 1 ? "has no lines (6)" : "has no date (1)", error);
    return KT_OK;
}

static kt_code wire_next(void *context, kt_item *item, kt_error *error) {
    reader *r = context;
    *item = (kt_item){.kind = KT_ITEM_ENTRY, .entry.date = KT_DAY_NONE};
    kt_gather_reset(&r->gather);
    item->done = (size_t)(r->at - r->source->data);
    if (r->at == r->end) return KT_END;
    r->number++;
    place where = {r, item->done, 0};
    item->entry.file = r->source->name;
    item->entry.file_line = r->number;
    kt_unpack u;
    kt_unpack_init(&u, kt_span_of(r->at, (size_t)(r->end - r->at)));
    kt_code code = read_entry(r, &u, &item->entry, &where, error);
    kt_gather_finish(&r->gather, &item->entry);
    if (code != KT_OK) { /* is there an end of it to go on behind? */
        kt_unpack_init(&u, kt_span_of(r->at, (size_t)(r->end - r->at)));
        if (!kt_unpack_skip(&u)) {
            bool cut = cut_short(r->at, r->end);
            r->at = r->end;
            return refuse(&where, KT_INVALID,
                          cut ? "the file ends within the entry: it is cut short"
                              : "is no canonical msgpack (shortest forms, no maps, no floats)",
                          error);
        }
        item->can_go_on = code != KT_MEMORY;
    }
    item->raw = r->at;
    item->raw_size = (size_t)(u.at - r->at);
    r->at = u.at;
    item->done = (size_t)(r->at - r->source->data);
    return code;
}

static void wire_close(void *context) {
    reader *r = context;
    if (!r) return;
    kt_gather_release(&r->gather);
    free(r);
}

static kt_code wire_open(const kt_source *source, const kt_format_options *options, void **out, kt_error *error) {
    *out = NULL;
    if (options->decimal || options->group || options->delimiter || options->date_format || options->encoding ||
        options->virtual_postings || options->symbols)
        return kt_fail(error, KT_USAGE,
                       "format msgpack has no options: no --decimal, --group, --delimiter, "
                       "--date-format, --encoding, --virtual, --symbol");
    if (source->size == 0) return kt_fail(error, KT_INVALID, "%s: is empty", source->name);
    uint8_t head = source->data[0];
    if ((head & 0xf0) != 0x90 && head != 0xdc && head != 0xdd) {
        const char *looks = kt_source_looks_like(source);
        return kt_fail(error, KT_INVALID, "%s: %s%s; expected msgpack, one array an entry", source->name,
                       looks ? "looks like " : "does not begin with a msgpack array", looks ? looks : "");
    }
    reader *r = calloc(1, sizeof *r);
    if (!r) return kt_fail(error, KT_MEMORY, "%s: no memory", source->name);
    r->source = source;
    r->at = source->data;
    r->end = source->data + source->size;
    *out = r;
    return KT_OK;
}

static kt_str wire_preamble(void *context) {
    (void)context;
    return (kt_str){0};
}

static const char *const suffixes[] = {".msgpack", ".mpk", NULL};

const kt_format kt_format_msgpack = {"msgpack", suffixes, wire_open, wire_next, wire_close, wire_preamble, NULL};
