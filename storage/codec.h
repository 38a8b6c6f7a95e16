/*
 * codec: records to and from canonical msgpack.
 *
 * Canonical means: shortest forms, arrays with integer field tags that rise, no maps, no floats, and nothing
 * behind the last value. Anything else is refused on reading, so that a record has exactly one spelling and
 * its hash says all. Amounts are msgpack integers, and beyond 64 bits ext type 1 of 16 bytes big-endian
 * (refused where 64 bits would do).
 *
 * Writing goes through msgpack-c's packer. Reading is a cursor of our own, because msgpack-c's unpacker
 * allocates for each value and cannot tell a shortest form from a longer one. The forms that nearly all values have (one
 * byte of head, at most four of number) are written and read inline, since an entry has some twenty of them.
 *
 * Laws kept: 8 (no floats), 12 (malformed bytes are refused). Lifetime: a writer writes into the caller's
 * buffer; a reader borrows the bytes, and texts it gives point into them.
 */
#ifndef KT_STORAGE_CODEC_H
#define KT_STORAGE_CODEC_H

#include "storage/bytes.h"
#include "storage/error.h"

#define KT_ENVELOPE_VERSION 1

/* Writes into [data, data + room). When it does not fit, `size` keeps counting and nothing more is written:
   check size <= room at the end. */
typedef struct kt_pack {
    uint8_t *data;
    size_t size, room;
} kt_pack;

static inline void kt_pack_init(kt_pack *pack, void *data, size_t room) { *pack = (kt_pack){(uint8_t *)data, 0, room}; }

/* The forms that are not inline. */
void kt_pack_array_wide(kt_pack *pack, uint32_t count);
void kt_pack_uint_wide(kt_pack *pack, uint64_t value);
void kt_pack_int_wide(kt_pack *pack, int64_t value);
void kt_pack_amount_wide(kt_pack *pack, kt_int128 value);
void kt_pack_text_wide(kt_pack *pack, const char *data, size_t size);
void kt_pack_bytes(kt_pack *pack, const void *data, size_t size);

static inline void kt_pack_head(kt_pack *pack, unsigned head) {
    if (pack->size < pack->room) pack->data[pack->size] = (uint8_t)head;
    pack->size++;
}

/* A head and a number of two or four bytes behind it. */
static inline void kt_pack_head16(kt_pack *pack, uint8_t head, uint32_t number) {
    const uint8_t bytes[3] = {head, (uint8_t)(number >> 8), (uint8_t)number};
    if (pack->size + sizeof bytes <= pack->room) memcpy(pack->data + pack->size, bytes, sizeof bytes);
    pack->size += sizeof bytes;
}

static inline void kt_pack_head32(kt_pack *pack, uint8_t head, uint32_t number) {
    if (pack->size + 5 <= pack->room) {
        pack->data[pack->size] = head;
        kt_put_be32(pack->data + pack->size + 1, number);
    }
    pack->size += 5;
}

static inline void kt_pack_array(kt_pack *pack, uint32_t count) {
    if (count < 16) kt_pack_head(pack, 0x90 | count);
    else kt_pack_array_wide(pack, count);
}

static inline void kt_pack_uint(kt_pack *pack, uint64_t value) {
    if (value < 0x80) kt_pack_head(pack, (unsigned)value);
    else if (value > 0xffff && value <= UINT32_MAX) kt_pack_head32(pack, 0xce, (uint32_t)value);
    else if (value > 0xff && value <= 0xffff) kt_pack_head16(pack, 0xcd, (uint32_t)value);
    else kt_pack_uint_wide(pack, value);
}

static inline void kt_pack_int(kt_pack *pack, int64_t value) {
    if (value >= 0) kt_pack_uint(pack, (uint64_t)value);
    else if (value >= -32) kt_pack_head(pack, (uint8_t)value);
    else if (value < INT16_MIN && value >= INT32_MIN) kt_pack_head32(pack, 0xd2, (uint32_t)value);
    else if (value < INT8_MIN && value >= INT16_MIN) kt_pack_head16(pack, 0xd1, (uint16_t)value);
    else kt_pack_int_wide(pack, value);
}

static inline void kt_pack_amount(kt_pack *pack, kt_int128 value) {
    if (value == (int64_t)value) kt_pack_int(pack, (int64_t)value);
    else kt_pack_amount_wide(pack, value);
}

static inline void kt_pack_text(kt_pack *pack, const char *data, size_t size) {
    if (size < 32 && pack->size + 1 + size <= pack->room) {
        pack->data[pack->size] = (uint8_t)(0xa0 | size);
        kt_bytes_copy(pack->data + pack->size + 1, data, size);
        pack->size += 1 + size;
    } else kt_pack_text_wide(pack, data, size);
}

static inline void kt_pack_bool(kt_pack *pack, bool value) { kt_pack_head(pack, value ? 0xc3 : 0xc2); }

/* [version, kind, kind version, date, body]: all but the body, which the caller packs next as one value. */
static inline void kt_pack_envelope(kt_pack *pack, uint32_t kind, uint32_t kind_version, int32_t date) {
    kt_pack_array(pack, 5);
    kt_pack_uint(pack, KT_ENVELOPE_VERSION);
    kt_pack_uint(pack, kind);
    kt_pack_uint(pack, kind_version);
    kt_pack_int(pack, date);
}

/* A cursor over packed bytes. The first fault sticks: later reads give zeros and false. */
typedef struct kt_unpack {
    const uint8_t *at, *end;
    bool failed;
} kt_unpack;

static inline void kt_unpack_init(kt_unpack *unpack, kt_span bytes) {
    *unpack = (kt_unpack){bytes.data, bytes.data + bytes.size, false};
}

/* The forms that are not inline, and what is refused. */
bool kt_unpack_array_wide(kt_unpack *unpack, uint32_t *count);
bool kt_unpack_uint_wide(kt_unpack *unpack, uint64_t *value);
bool kt_unpack_int_wide(kt_unpack *unpack, int64_t *value);
bool kt_unpack_amount_wide(kt_unpack *unpack, kt_int128 *value);
bool kt_unpack_text_wide(kt_unpack *unpack, const char **data, size_t *size);
bool kt_unpack_tag_wide(kt_unpack *unpack, uint32_t *last);

/* count is at most the bytes left */
static inline bool kt_unpack_array(kt_unpack *unpack, uint32_t *count) {
    const uint8_t *at = unpack->at;
    if (at == unpack->end || (*at & 0xf0) != 0x90 || (*at & 0x0f) >= unpack->end - at)
        return kt_unpack_array_wide(unpack, count);
    *count = *at & 0x0f;
    unpack->at = at + 1;
    return true;
}

static inline bool kt_unpack_uint(kt_unpack *unpack, uint64_t *value) {
    if (unpack->at == unpack->end || *unpack->at >= 0x80) return kt_unpack_uint_wide(unpack, value);
    *value = *unpack->at++;
    return true;
}

static inline bool kt_unpack_int(kt_unpack *unpack, int64_t *value) {
    if (unpack->at == unpack->end || *unpack->at >= 0x80) return kt_unpack_int_wide(unpack, value);
    *value = *unpack->at++;
    return true;
}

static inline bool kt_unpack_amount(kt_unpack *unpack, kt_int128 *value) {
    const uint8_t *at = unpack->at;
    if (unpack->end - at >= 5) {
        uint32_t number = kt_get_be32(at + 1);
        if (*at == 0xce && number > 0xffff) *value = number;
        else if (*at == 0xd2 && (int32_t)number < INT16_MIN) *value = (int32_t)number;
        else return kt_unpack_amount_wide(unpack, value);
        unpack->at = at + 5;
        return true;
    }
    return kt_unpack_amount_wide(unpack, value);
}

/* UTF-8 is the caller's to check */
static inline bool kt_unpack_text(kt_unpack *unpack, const char **data, size_t *size) {
    const uint8_t *at = unpack->at;
    if (at == unpack->end || (*at & 0xe0) != 0xa0 || (*at & 0x1f) >= unpack->end - at)
        return kt_unpack_text_wide(unpack, data, size);
    *size = *at & 0x1f;
    *data = (const char *)at + 1;
    unpack->at = at + 1 + *size;
    return true;
}

bool kt_unpack_bytes(kt_unpack *unpack, const uint8_t **data, size_t *size);
bool kt_unpack_bool(kt_unpack *unpack, bool *value);
bool kt_unpack_skip(kt_unpack *unpack); /* one value of any allowed kind, at most 64 deep */
/* Nothing failed and nothing is left. */
static inline bool kt_unpack_done(const kt_unpack *unpack) { return !unpack->failed && unpack->at == unpack->end; }
/* The next field's tag in an array of [tag, value, ...]: must rise over *last (begin with 0). */
static inline bool kt_unpack_tag(kt_unpack *unpack, uint32_t *last) {
    const uint8_t *at = unpack->at;
    if (at == unpack->end || *at >= 0x80 || *at <= *last) return kt_unpack_tag_wide(unpack, last);
    *last = *at;
    unpack->at = at + 1;
    return true;
}

typedef struct kt_envelope {
    uint32_t kind, kind_version;
    int32_t date;
    kt_span body; /* one packed value, checked only by whoever reads it */
} kt_envelope;

/* KT_NEWER: an envelope version above ours. KT_DAMAGED: anything else that is not an envelope around one value. */
kt_code kt_envelope_read(kt_span record, kt_envelope *out, kt_error *error);
/* The same but for the body, which is everything behind the date: for who reads the body next, and there refuses what is
   not one value in canonical form (kt_unpack_done). So a record is gone through once. */
kt_code kt_envelope_open_wide(kt_span record, kt_envelope *out, kt_error *error);
static inline kt_code kt_envelope_open(kt_span record, kt_envelope *out, kt_error *error) {
    const uint8_t *at = record.data; /* nearly all: kind and date of two bytes each, the kind's version of one */
    if (record.size < 9 || at[0] != 0x95 || at[1] != KT_ENVELOPE_VERSION || at[2] != 0xcd || at[3] == 0 ||
        at[5] >= 0x80 || at[6] != 0xcd || at[7] == 0)
        return kt_envelope_open_wide(record, out, error);
    out->kind = (uint32_t)at[3] << 8 | at[4];
    out->kind_version = at[5];
    out->date = at[7] << 8 | at[8];
    out->body = kt_span_of(at + 9, record.size - 9);
    return KT_OK;
}

bool kt_utf8_valid_wide(const void *data, size_t size);
bool kt_utf8_controls_wide(const void *data, size_t size);

/* Eight bytes of U+0020 to U+007E: none with the highest bit, none below 0x20, no 0x7f. */
static inline bool kt_ascii_plain8(uint64_t word) {
    const uint64_t high = UINT64_C(0x8080808080808080), one = UINT64_C(0x0101010101010101);
    return ((word | ~(word + 0x60 * one) | (word + one)) & high) == 0;
}

/* Nothing but printable ASCII, as most text in a book is; looked at in words that overlap. */
static inline bool kt_ascii_plain(const void *data, size_t size) {
    const uint8_t *at = (const uint8_t *)data;
    uint64_t word;
    uint32_t first, last;
    if (size >= 8) {
        const uint8_t *tail = at + size - 8;
        for (; at < tail; at += 8) {
            memcpy(&word, at, 8);
            if (!kt_ascii_plain8(word)) return false;
        }
        memcpy(&word, tail, 8);
        return kt_ascii_plain8(word);
    }
    if (size >= 4) {
        memcpy(&first, at, 4);
        memcpy(&last, at + size - 4, 4);
        return kt_ascii_plain8((uint64_t)first << 32 | last);
    }
    for (size_t i = 0; i < size; i++)
        if (at[i] < 0x20 || at[i] > 0x7e) return false;
    return true;
}

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms) without NUL. */
static inline bool kt_utf8_valid(const void *data, size_t size) {
    return kt_ascii_plain(data, size) || kt_utf8_valid_wide(data, size);
}

/* Has well-formed text a control character (U+0001 to U+001F, U+007F to U+009F), which a terminal would obey? */
static inline bool kt_utf8_controls(const void *data, size_t size) {
    return !kt_ascii_plain(data, size) && kt_utf8_controls_wide(data, size);
}

#endif
