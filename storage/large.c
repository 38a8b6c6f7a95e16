#include "storage/large.h"

#include <stdlib.h>

static kt_code emit_part(kt_large_emit emit, void *context, int32_t date, kt_span slice, uint8_t *room,
                         uint8_t hash[KT_HASH_SIZE], kt_error *error) {
    kt_pack pack;
    kt_pack_init(&pack, room, KT_RECORD_MAX);
    kt_pack_envelope(&pack, KT_KIND_PART, 1, date);
    kt_pack_bytes(&pack, slice.data, slice.size);
    kt_leaf_hash(room, pack.size, hash);
    return emit(context, kt_span_of(room, pack.size), error);
}

kt_code kt_large_split(kt_span record, kt_large_emit emit, void *context, kt_error *error) {
    kt_envelope envelope;
    if (record.size > KT_WHOLE_MAX)
        return kt_fail(error, KT_LIMIT, "a record of %zu bytes, at most %u are kept", record.size, KT_WHOLE_MAX);
    kt_code code = kt_envelope_read(record, &envelope, error);
    if (code != KT_OK) return code;
    size_t parts = (envelope.body.size + KT_PART_BODY - 1) / KT_PART_BODY;
    uint8_t *hashes = malloc(parts * KT_HASH_SIZE + KT_RECORD_MAX);
    if (hashes == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    uint8_t *room = hashes + parts * KT_HASH_SIZE;
    for (size_t i = 0; i < parts && code == KT_OK; i++) {
        size_t from = i * KT_PART_BODY, left = envelope.body.size - from;
        kt_span slice = kt_span_of(envelope.body.data + from, left < KT_PART_BODY ? left : KT_PART_BODY);
        code = emit_part(emit, context, envelope.date, slice, room, hashes + i * KT_HASH_SIZE, error);
    }
    if (code == KT_OK) {
        kt_pack pack;
        kt_pack_init(&pack, room, KT_RECORD_MAX);
        kt_pack_envelope(&pack, KT_KIND_LONG, 1, envelope.date);
        kt_pack_array(&pack, 4);
        kt_pack_uint(&pack, envelope.kind);
        kt_pack_uint(&pack, envelope.kind_version);
        kt_pack_uint(&pack, envelope.body.size);
        kt_pack_bytes(&pack, hashes, parts * KT_HASH_SIZE);
        code = emit(context, kt_span_of(room, pack.size), error);
    }
    free(hashes);
    return code;
}

/* ---- back: a long record has one spelling, every part but the last full, and all carry its date ---- */

void kt_large_release(kt_large *large) {
    free(large->body);
    free(large->hashes);
    *large = (kt_large){0};
}

void kt_large_reset(kt_large *large) {
    large->size = 0;
    large->parts = 0;
}

static bool make_room(kt_large *large, size_t size) {
    if (large->parts == large->hash_room) {
        uint32_t room = large->hash_room == 0 ? 64 : large->hash_room * 2;
        uint8_t *grown = realloc(large->hashes, (size_t)room * KT_HASH_SIZE);
        if (grown == NULL) return false;
        large->hashes = grown;
        large->hash_room = room;
    }
    if (large->size + size <= large->room) return true;
    size_t room = large->room * 2 > large->size + size ? large->room * 2 : large->size + size;
    uint8_t *grown = realloc(large->body, room);
    if (grown == NULL) return false;
    large->body = grown;
    large->room = room;
    return true;
}

kt_code kt_large_part(kt_large *large, kt_span record, const kt_envelope *envelope, kt_error *error) {
    kt_unpack unpack;
    const uint8_t *bytes;
    size_t size;
    kt_unpack_init(&unpack, envelope->body);
    if (envelope->kind_version != 1 || !kt_unpack_bytes(&unpack, &bytes, &size) || size == 0 ||
        !kt_unpack_done(&unpack))
        return kt_fail(error, KT_DAMAGED, "a part of a long record is malformed");
    if (large->parts != 0 && envelope->date != large->date)
        return kt_fail(error, KT_DAMAGED, "the parts of a long record are of several days");
    if (size > KT_PART_BODY || (large->parts != 0 && large->size % KT_PART_BODY != 0))
        return kt_fail(error, KT_DAMAGED, "a part of a long record is not full");
    if (large->size + size > KT_WHOLE_MAX)
        return kt_fail(error, KT_LIMIT, "a long record of more than %u bytes", KT_WHOLE_MAX);
    if (!make_room(large, size)) return kt_fail(error, KT_MEMORY, "out of memory for a long record");
    kt_leaf_hash(record.data, record.size, large->hashes + (size_t)large->parts * KT_HASH_SIZE);
    memcpy(large->body + large->size, bytes, size);
    large->size += size;
    large->date = envelope->date;
    large->parts++;
    return KT_OK;
}

kt_code kt_large_whole(const kt_large *large, kt_envelope *head, kt_error *error) {
    kt_long whole;
    kt_code code = kt_long_read(head->body, &whole, error);
    if (code != KT_OK) return code;
    if (whole.parts != large->parts || whole.size != large->size || head->date != large->date ||
        memcmp(whole.hashes, large->hashes, (size_t)whole.parts * KT_HASH_SIZE) != 0)
        return kt_fail(error, KT_DAMAGED, "a long record does not list the parts before it");
    kt_pack pack;
    uint8_t room[32];
    kt_pack_init(&pack, room, sizeof room);
    kt_pack_envelope(&pack, whole.kind, whole.kind_version, head->date);
    if (pack.size + large->size <= KT_RECORD_MAX)
        return kt_fail(error, KT_DAMAGED, "a record is in parts, and would fit in one");
    head->kind = whole.kind;
    head->kind_version = whole.kind_version;
    head->body = kt_span_of(large->body, large->size);
    return KT_OK;
}
