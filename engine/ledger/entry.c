#include "engine/ledger/entry.h"

#include <stdlib.h>

enum { TAG_SERIES = 1, TAG_VOUCHER, TAG_TEXT, TAG_REF, TAG_LINES, TAG_REVERSES, TAG_REPEATS, TAG_MINUS, TAG_PROPOSAL };
enum { LINE_CURRENCY = 1, LINE_COST, LINE_COST_CURRENCY, LINE_TEXT, LINE_REF, LINE_TAX, LINE_DIMENSIONS };

size_t kt_entry_bound(const kt_entry *entry) {
    size_t bound = 96 + entry->series.size + entry->voucher.size + entry->text.size + entry->ref.size;
    for (size_t i = 0; i < entry->line_count; i++) {
        const kt_line *line = &entry->lines[i];
        bound += 72 + line->account.size + line->currency.size + line->cost_currency.size + line->text.size +
                 line->ref.size + line->tax_code.size;
        for (unsigned d = 0; d < line->dimension_count; d++) bound += 8 + line->dimensions[d].value.size;
    }
    return bound;
}

static inline void pack_text_field(kt_pack *pack, unsigned tag, kt_str text) {
    if (text.size == 0) return;
    kt_pack_uint(pack, tag);
    kt_pack_text(pack, text.data, text.size);
}

static void pack_line(kt_pack *pack, const kt_line *line) {
    int present = (line->currency.size != 0) + line->has_cost + (line->has_cost && line->cost_currency.size != 0) +
                  (line->text.size != 0) + (line->ref.size != 0) + (line->tax_code.size != 0) +
                  (line->dimension_count != 0);
    unsigned fields = (unsigned)present;
    kt_pack_array(pack, 2 + 2 * fields);
    kt_pack_text(pack, line->account.data, line->account.size);
    kt_pack_amount(pack, line->amount);
    if (fields == 0) return;
    pack_text_field(pack, LINE_CURRENCY, line->currency);
    if (line->has_cost) {
        kt_pack_uint(pack, LINE_COST);
        kt_pack_amount(pack, line->cost);
        pack_text_field(pack, LINE_COST_CURRENCY, line->cost_currency);
    }
    pack_text_field(pack, LINE_TEXT, line->text);
    pack_text_field(pack, LINE_REF, line->ref);
    pack_text_field(pack, LINE_TAX, line->tax_code);
    if (line->dimension_count == 0) return;
    kt_pack_uint(pack, LINE_DIMENSIONS);
    kt_pack_array(pack, 2u * line->dimension_count);
    for (unsigned i = 0; i < line->dimension_count; i++) {
        kt_pack_uint(pack, line->dimensions[i].dimension);
        kt_pack_text(pack, line->dimensions[i].value.data, line->dimensions[i].value.size);
    }
}

/* ---- the most common form ---- */

#define PLAIN_TEXT 32u  /* shorter ones have a head of one byte */
#define PLAIN_LINES 16u /* likewise fewer */

static inline uint8_t *put_text(uint8_t *at, kt_str text) {
    *at = (uint8_t)(0xa0 | text.size);
    kt_bytes_copy(at + 1, text.data, text.size);
    return at + 1 + text.size;
}

static inline uint8_t *put_text_field(uint8_t *at, uint8_t tag, kt_str text) {
    if (text.size == 0) return at;
    *at = tag;
    return put_text(at + 1, text);
}

/* Entries with short texts and a few lines of account and amount. */
static inline bool is_plain(const kt_entry *entry) {
    size_t more = entry->reverses != 0 || entry->minus || entry->proposal != 0 || entry->line_count >= PLAIN_LINES;
    more |= (entry->series.size | entry->voucher.size | entry->text.size | entry->ref.size) >= PLAIN_TEXT;
    for (size_t i = 0; i < entry->line_count && more == 0; i++) {
        const kt_line *line = &entry->lines[i];
        more = line->currency.size | (line->has_cost ? 1u : 0u) | line->text.size | line->ref.size |
               line->tax_code.size | line->dimension_count;
        more |= line->account.size >= PLAIN_TEXT || line->amount != (int32_t)line->amount;
    }
    return more == 0;
}

/* The same bytes as below. The fields' own room is known to be there, so nothing is asked on the way. */
static void pack_plain(kt_pack *pack, uint32_t kind, const kt_entry *entry) {
    unsigned fields = 1u + (entry->series.size != 0) + (entry->voucher.size != 0) + (entry->text.size != 0) +
                      (entry->ref.size != 0);
    kt_pack_envelope(pack, kind, KT_ENTRY_VERSION, entry->date);
    uint8_t *at = pack->data + pack->size;
    *at++ = (uint8_t)(0x90 | 2 * fields);
    at = put_text_field(at, TAG_SERIES, entry->series);
    at = put_text_field(at, TAG_VOUCHER, entry->voucher);
    at = put_text_field(at, TAG_TEXT, entry->text);
    at = put_text_field(at, TAG_REF, entry->ref);
    *at++ = TAG_LINES;
    *at++ = (uint8_t)(0x90 | entry->line_count);
    for (size_t i = 0; i < entry->line_count; i++) {
        *at = 0x92;
        at = put_text(at + 1, entry->lines[i].account);
        int32_t amount = (int32_t)entry->lines[i].amount;
        if (amount > 0xffff || amount < INT16_MIN) { /* most are: below, each has a head of its own */
            *at = amount > 0 ? 0xce : 0xd2;
            kt_put_be32(at + 1, (uint32_t)amount);
            at += 5;
        } else {
            kt_pack small = {.data = at, .room = 9};
            kt_pack_int(&small, amount);
            at += small.size;
        }
    }
    pack->size = (size_t)(at - pack->data);
}

void kt_entry_pack_as(kt_pack *pack, uint32_t kind, const kt_entry *entry, bool voucher_repeats) {
    if (!voucher_repeats && pack->room - pack->size >= kt_entry_bound(entry) && is_plain(entry)) {
        pack_plain(pack, kind, entry);
        return;
    }
    int present = (entry->series.size != 0) + (entry->voucher.size != 0) + (entry->text.size != 0) +
                  (entry->ref.size != 0) + 1 + (entry->reverses != 0) + voucher_repeats + entry->minus +
                  (entry->proposal != 0);
    unsigned fields = (unsigned)present;
    kt_pack_envelope(pack, kind, entry->proposal != 0 ? KT_ENTRY_APPROVED_VERSION : KT_ENTRY_VERSION, entry->date);
    kt_pack_array(pack, 2 * fields);
    pack_text_field(pack, TAG_SERIES, entry->series);
    pack_text_field(pack, TAG_VOUCHER, entry->voucher);
    pack_text_field(pack, TAG_TEXT, entry->text);
    pack_text_field(pack, TAG_REF, entry->ref);
    kt_pack_uint(pack, TAG_LINES);
    kt_pack_array(pack, (uint32_t)entry->line_count);
    for (size_t i = 0; i < entry->line_count; i++) pack_line(pack, &entry->lines[i]);
    if (entry->reverses != 0) {
        kt_pack_uint(pack, TAG_REVERSES);
        kt_pack_uint(pack, entry->reverses);
    }
    if (voucher_repeats) {
        kt_pack_uint(pack, TAG_REPEATS);
        kt_pack_bool(pack, true);
    }
    if (entry->minus) {
        kt_pack_uint(pack, TAG_MINUS);
        kt_pack_bool(pack, true);
    }
    if (entry->proposal != 0) {
        kt_pack_uint(pack, TAG_PROPOSAL);
        kt_pack_uint(pack, entry->proposal);
    }
}

/* ---- reading ---- */

void kt_entry_reader_release(kt_entry_reader *reader) {
    free(reader->lines);
    free(reader->dimensions);
    *reader = (kt_entry_reader){0};
}

static bool take_text(kt_unpack *unpack, kt_str *out) {
    return kt_unpack_text(unpack, &out->data, &out->size) && out->size != 0 && kt_utf8_valid(out->data, out->size);
}

static bool take_true(kt_unpack *unpack, bool *out) { return kt_unpack_bool(unpack, out) && *out; }

/* Room for count more dimension pairs behind the `used` first; pointers into the old room are moved by the caller. */
static bool dimension_room(kt_entry_reader *reader, size_t used, size_t count) {
    if (used + count <= reader->dimension_room) return true;
    size_t room = reader->dimension_room * 2 > used + count ? reader->dimension_room * 2 : used + count + 64;
    kt_dimension *grown = realloc(reader->dimensions, room * sizeof *grown);
    reader->out_of_memory = grown == NULL;
    if (grown == NULL) return false;
    reader->dimensions = grown;
    reader->dimension_room = room;
    return true;
}

static bool take_dimensions(kt_entry_reader *reader, kt_unpack *unpack, size_t *used, kt_line *line) {
    uint32_t count;
    uint64_t number;
    if (!kt_unpack_array(unpack, &count) || count == 0 || count % 2 != 0 || count > 2 * KT_DIMENSIONS_MAX ||
        !dimension_room(reader, *used, count / 2))
        return false;
    for (uint32_t i = 0; i < count / 2; i++) {
        kt_dimension *pair = &reader->dimensions[(*used)++];
        if (!kt_unpack_uint(unpack, &number) || number > KT_DIMENSIONS_MAX || !take_text(unpack, &pair->value))
            return false;
        pair->dimension = (uint8_t)number;
    }
    line->dimension_count = (uint8_t)(count / 2);
    return true;
}

/* Field by field: as one constant, compilers clear it by a string instruction that takes longer than reading the line. */
static inline void clear_line(kt_line *line) {
    line->cost = 0;
    line->currency = (kt_str){NULL, 0};
    line->cost_currency = (kt_str){NULL, 0};
    line->amount_given = line->cost_given = line->dimension_count = 0;
    line->has_cost = false;
    line->dimensions = NULL;
    line->text = (kt_str){NULL, 0};
    line->ref = (kt_str){NULL, 0};
    line->tax_code = (kt_str){NULL, 0};
}

static inline void clear_entry(kt_entry *entry, kt_day date) {
    entry->date = date;
    entry->series = (kt_str){NULL, 0};
    entry->voucher = (kt_str){NULL, 0};
    entry->text = (kt_str){NULL, 0};
    entry->ref = (kt_str){NULL, 0};
    entry->lines = NULL;
    entry->line_count = 0;
    entry->reverses = 0;
    entry->proposal = 0;
    entry->minus = false;
    entry->file = NULL;
    entry->file_line = 0;
}

/* The form of nearly all lines: an account of fewer than 32 bytes and an amount of five, nothing else. Reads it
   without a call, or leaves everything as it was; what it leaves is read, or refused, by the long way. */
static inline bool take_plain_line(kt_unpack *unpack, kt_line *line) {
    const uint8_t *at = unpack->at;
    if (unpack->end - at < 7 || at[0] != 0x92 || (at[1] & 0xe0) != 0xa0) return false;
    size_t size = at[1] & 0x1f;
    if (size == 0 || unpack->end - at < (ptrdiff_t)(7 + size)) return false;
    const char *account = (const char *)at + 2;
    at += 2 + size;
    uint32_t number = kt_get_be32(at + 1);
    if (at[0] == 0xce && number > 0xffff) line->amount = number;
    else if (at[0] == 0xd2 && (int32_t)number < INT16_MIN) line->amount = (int32_t)number;
    else return false;
    if (!kt_ascii_plain(account, size)) return false;
    line->account = (kt_str){account, size};
    unpack->at = at + 5;
    return true;
}

static bool take_line(kt_entry_reader *reader, kt_unpack *unpack, size_t *used, kt_line *line) {
    uint32_t count, tag = 0;
    clear_line(line);
    if (take_plain_line(unpack, line)) return true;
    if (!kt_unpack_array(unpack, &count) || count < 2 || count % 2 != 0 || !take_text(unpack, &line->account) ||
        !kt_unpack_amount(unpack, &line->amount))
        return false;
    for (count -= 2; count != 0; count -= 2) {
        bool good = false;
        if (!kt_unpack_tag(unpack, &tag)) return false;
        switch (tag) {
        case LINE_CURRENCY: good = take_text(unpack, &line->currency); break;
        case LINE_COST: good = line->has_cost = kt_unpack_amount(unpack, &line->cost); break;
        case LINE_COST_CURRENCY: good = line->has_cost && take_text(unpack, &line->cost_currency); break;
        case LINE_TEXT: good = take_text(unpack, &line->text); break;
        case LINE_REF: good = take_text(unpack, &line->ref); break;
        case LINE_TAX: good = take_text(unpack, &line->tax_code); break;
        case LINE_DIMENSIONS: good = take_dimensions(reader, unpack, used, line); break;
        default: break;
        }
        if (!good) return false;
    }
    return true;
}

static bool take_lines(kt_entry_reader *reader, kt_unpack *unpack, kt_entry *out) {
    uint32_t count;
    size_t used = 0;
    if (!kt_unpack_array(unpack, &count) || count == 0 || count > KT_LINES_MAX) return false;
    if (count > reader->line_room) {
        size_t room = count < 4 ? 4 : count; /* as little as malloc has at hand: a reader may live for one entry */
        kt_line *grown = realloc(reader->lines, room * sizeof *grown);
        reader->out_of_memory = grown == NULL;
        if (grown == NULL) return false;
        reader->lines = grown;
        reader->line_room = room;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!take_line(reader, unpack, &used, &reader->lines[i])) return false;
    /* The pairs lie in the order of the lines; their room may have moved while they were read. */
    used = 0;
    for (uint32_t i = 0; i < count; i++) {
        reader->lines[i].dimensions = reader->lines[i].dimension_count == 0 ? NULL : reader->dimensions + used;
        used += reader->lines[i].dimension_count;
    }
    out->lines = reader->lines;
    out->line_count = count;
    return true;
}

kt_code kt_entry_unpack(kt_entry_reader *reader, kt_day date, kt_span body, kt_entry *out, bool *voucher_repeats,
                        kt_error *error) {
    kt_unpack unpack;
    uint32_t count, tag = 0;
    clear_entry(out, date);
    *voucher_repeats = false;
    kt_unpack_init(&unpack, body);
    bool good = kt_unpack_array(&unpack, &count) && count % 2 == 0;
    for (; good && count != 0; count -= 2) {
        if (!kt_unpack_tag(&unpack, &tag)) break;
        switch (tag) {
        case TAG_SERIES: good = take_text(&unpack, &out->series); break;
        case TAG_VOUCHER: good = take_text(&unpack, &out->voucher); break;
        case TAG_TEXT: good = take_text(&unpack, &out->text); break;
        case TAG_REF: good = take_text(&unpack, &out->ref); break;
        case TAG_LINES: good = take_lines(reader, &unpack, out); break;
        case TAG_REVERSES: good = kt_unpack_uint(&unpack, &out->reverses) && out->reverses != 0; break;
        case TAG_REPEATS: good = take_true(&unpack, voucher_repeats); break;
        case TAG_MINUS: good = take_true(&unpack, &out->minus); break;
        case TAG_PROPOSAL: good = kt_unpack_uint(&unpack, &out->proposal) && out->proposal != 0; break;
        default: good = false; break;
        }
    }
    if (good && kt_unpack_done(&unpack) && out->line_count != 0) return KT_OK;
    if (reader->out_of_memory) return kt_fail(error, KT_MEMORY, "out of memory for an entry");
    return kt_fail(error, KT_DAMAGED, "an entry's record is malformed");
}
