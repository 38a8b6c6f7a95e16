/*
 * codec: records to and from canonical msgpack.
 *
 * Canonical means: shortest forms, arrays with integer field tags that rise, no maps, no floats, and nothing
 * behind the last value. Anything else is refused on reading, so that a record has exactly one spelling and
 * its hash says all. Amounts are msgpack integers, and beyond 64 bits ext type 1 of 16 bytes big-endian
 * (refused where 64 bits would do).
 *
 * Writing goes through msgpack-c's packer. Reading is a cursor of our own, because msgpack-c's unpacker
 * allocates for each value and cannot tell a shortest form from a longer one.
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

void kt_pack_array(kt_pack *pack, uint32_t count);
void kt_pack_uint(kt_pack *pack, uint64_t value);
void kt_pack_int(kt_pack *pack, int64_t value);
void kt_pack_amount(kt_pack *pack, kt_int128 value);
void kt_pack_text(kt_pack *pack, const char *data, size_t size);
void kt_pack_bytes(kt_pack *pack, const void *data, size_t size);
void kt_pack_bool(kt_pack *pack, bool value);
/* [version, kind, kind version, date, body]: all but the body, which the caller packs next as one value. */
void kt_pack_envelope(kt_pack *pack, uint32_t kind, uint32_t kind_version, int32_t date);

/* A cursor over packed bytes. The first fault sticks: later reads give zeros and false. */
typedef struct kt_unpack {
    const uint8_t *at, *end;
    bool failed;
} kt_unpack;

static inline void kt_unpack_init(kt_unpack *unpack, kt_span bytes) {
    *unpack = (kt_unpack){bytes.data, bytes.data + bytes.size, false};
}

bool kt_unpack_array(kt_unpack *unpack, uint32_t *count); /* count is at most the bytes left */
bool kt_unpack_uint(kt_unpack *unpack, uint64_t *value);
bool kt_unpack_int(kt_unpack *unpack, int64_t *value);
bool kt_unpack_amount(kt_unpack *unpack, kt_int128 *value);
bool kt_unpack_text(kt_unpack *unpack, const char **data, size_t *size); /* UTF-8 is the caller's to check */
bool kt_unpack_bytes(kt_unpack *unpack, const uint8_t **data, size_t *size);
bool kt_unpack_bool(kt_unpack *unpack, bool *value);
bool kt_unpack_skip(kt_unpack *unpack);       /* one value of any allowed kind, at most 64 deep */
bool kt_unpack_done(const kt_unpack *unpack); /* nothing failed and nothing is left */
/* The next field's tag in an array of [tag, value, ...]: must rise over *last (begin with 0). */
bool kt_unpack_tag(kt_unpack *unpack, uint32_t *last);

typedef struct kt_envelope {
    uint32_t kind, kind_version;
    int32_t date;
    kt_span body; /* one packed value, checked only by whoever reads it */
} kt_envelope;

/* KT_NEWER: an envelope version above ours. KT_DAMAGED: anything else that is not an envelope. */
kt_code kt_envelope_read(kt_span record, kt_envelope *out, kt_error *error);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms) without NUL. */
bool kt_utf8_valid(const void *data, size_t size);
/* Has well-formed text a control character (U+0001 to U+001F, U+007F to U+009F), which a terminal would obey? */
bool kt_utf8_controls(const void *data, size_t size);

#endif
