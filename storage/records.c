#include "storage/records.h"

#include <stdlib.h>

#include "storage/codec.h"

struct kt_records {
    kt_txn *txn;
    kt_cursor *cursor;
    uint64_t end;
    kt_block_view block; /* count 0: none */
    uint8_t *whole;      /* a long record put together */
    size_t whole_room;
};

kt_code kt_records_open(kt_txn *txn, uint64_t end, kt_records **out, kt_error *error) {
    kt_records *records = calloc(1, sizeof *records);
    *out = NULL;
    if (records == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    records->txn = txn;
    records->end = end;
    kt_code code = kt_cursor_open(txn, KT_TABLE_BLOCKS, &records->cursor, error);
    if (code != KT_OK) {
        free(records);
        return code;
    }
    kt_cursor_raw(records->cursor, true);
    *out = records;
    return KT_OK;
}

void kt_records_close(kt_records *records) {
    if (records == NULL) return;
    kt_cursor_close(records->cursor);
    free(records->whole);
    free(records);
}

uint64_t kt_records_end(const kt_records *records) { return records->end; }

static bool holds(const kt_block_view *block, uint64_t number) {
    return block->count != 0 && number >= block->first && number - block->first < block->count;
}

/* Moves to the block that holds number: the next one in a walk, otherwise by its key. */
static kt_code find_block(kt_records *records, uint64_t number, kt_error *error) {
    kt_block_view *block = &records->block;
    kt_span key, value;
    uint8_t wanted[8];
    kt_code code;
    bool follows = block->count != 0 && number == block->first + block->count;
    block->count = 0;
    if (follows) code = kt_cursor_next(records->cursor, &key, &value, error);
    else {
        kt_put_be64(wanted, number);
        code = kt_cursor_seek(records->cursor, kt_span_of(wanted, 8), &key, &value, error);
        if (code == KT_END) code = kt_cursor_last(records->cursor, &key, &value, error);
        else if (code == KT_OK && kt_span_compare(key, kt_span_of(wanted, 8)) != 0)
            code = kt_cursor_prev(records->cursor, &key, &value, error);
    }
    if (code == KT_END) return kt_fail(error, KT_DAMAGED, "record %llu: no block holds it", (unsigned long long)number);
    if (code != KT_OK) return code;
    code = kt_block_open(KT_TABLE_BLOCKS, key, value, block, error);
    if (code != KT_OK) block->count = 0;
    else if (!holds(block, number)) {
        block->count = 0;
        code = kt_fail(error, KT_DAMAGED, "record %llu: no block holds it", (unsigned long long)number);
    }
    return code;
}

kt_code kt_records_read(kt_records *records, uint64_t number, kt_span *record, kt_error *error) {
    if (number >= records->end)
        return kt_fail(error, KT_NOT_FOUND, "no record %llu: the last one is %lld", (unsigned long long)number,
                       (long long)records->end - 1);
    kt_code code = holds(&records->block, number) ? KT_OK : find_block(records, number, error);
    if (code != KT_OK) return code;
    return kt_block_record(&records->block, (uint32_t)(number - records->block.first), record, error);
}

kt_code kt_records_block(kt_records *records, uint64_t number, uint64_t *first, uint32_t *count, kt_error *error) {
    kt_code code = holds(&records->block, number) ? KT_OK : find_block(records, number, error);
    if (code != KT_OK) return code;
    *first = records->block.first;
    *count = records->block.count;
    return KT_OK;
}

kt_code kt_records_view(kt_records *records, uint64_t number, kt_block_view *out, kt_error *error) {
    kt_code code = holds(&records->block, number) ? KT_OK : find_block(records, number, error);
    if (code == KT_OK) *out = records->block;
    return code;
}

kt_code kt_long_read(kt_span body, kt_long *out, kt_error *error) {
    kt_unpack unpack;
    uint32_t fields, count;
    uint64_t kind, kind_version;
    const uint8_t *hashes;
    size_t size;
    kt_unpack_init(&unpack, body);
    *out = (kt_long){0};
    if (!kt_unpack_array(&unpack, &fields) || fields != 4 || !kt_unpack_uint(&unpack, &kind) ||
        !kt_unpack_uint(&unpack, &kind_version) || !kt_unpack_uint(&unpack, &out->size) ||
        !kt_unpack_bytes(&unpack, &hashes, &size) || !kt_unpack_done(&unpack) || kind > UINT32_MAX ||
        kind < KT_KIND_STORAGE_END || /* a seal in parts would be applied, and nobody would check its signature */
        kind_version > UINT32_MAX || size == 0 || size % KT_HASH_SIZE != 0 || out->size > KT_WHOLE_MAX)
        return kt_fail(error, KT_DAMAGED, "the head of a long record is malformed");
    count = (uint32_t)(size / KT_HASH_SIZE);
    out->kind = (uint32_t)kind;
    out->kind_version = (uint32_t)kind_version;
    out->parts = count;
    out->hashes = hashes;
    return KT_OK;
}

/* A long record has one spelling: every part but the last is full, and all carry its date. */
static kt_code append_part(kt_records *records, uint64_t number, int32_t date, const uint8_t *expected, size_t *filled,
                           size_t size, kt_error *error) {
    kt_span part;
    kt_envelope envelope;
    uint8_t hash[KT_HASH_SIZE];
    const uint8_t *data;
    size_t bytes;
    kt_unpack unpack;
    kt_code code = kt_records_read(records, number, &part, error);
    if (code != KT_OK) return code;
    kt_leaf_hash(part.data, part.size, hash);
    if (memcmp(hash, expected, KT_HASH_SIZE) != 0)
        return kt_fail(error, KT_DAMAGED, "record %llu: not the part that its long record names",
                       (unsigned long long)number);
    code = kt_envelope_read(part, &envelope, error);
    if (code != KT_OK) return code;
    kt_unpack_init(&unpack, envelope.body);
    size_t left = size - *filled;
    if (envelope.kind != KT_KIND_PART || envelope.date != date || !kt_unpack_bytes(&unpack, &data, &bytes) ||
        bytes != (left < KT_PART_BODY ? left : KT_PART_BODY))
        return kt_fail(error, KT_DAMAGED, "record %llu: is no part of a long record", (unsigned long long)number);
    memcpy(records->whole + *filled, data, bytes);
    *filled += bytes;
    return KT_OK;
}

#define ENVELOPE_ROOM 32

static kt_code put_together(kt_records *records, uint64_t number, const kt_envelope *head, kt_span *record,
                            uint32_t *parts, kt_error *error) {
    kt_long whole;
    kt_code code = kt_long_read(head->body, &whole, error);
    if (code != KT_OK) return code;
    if (whole.parts > number || whole.size > (uint64_t)whole.parts * KT_RECORD_MAX)
        return kt_fail(error, KT_DAMAGED, "record %llu: its parts do not fit", (unsigned long long)number);
    /* The head's bytes move with the cursor, so its hashes are kept first. */
    size_t hash_bytes = (size_t)whole.parts * KT_HASH_SIZE, need = ENVELOPE_ROOM + (size_t)whole.size + hash_bytes;
    if (need > records->whole_room) {
        uint8_t *grown = realloc(records->whole, need);
        if (grown == NULL)
            return kt_fail(error, KT_MEMORY, "out of memory for record %llu", (unsigned long long)number);
        records->whole = grown;
        records->whole_room = need;
    }
    kt_pack pack;
    kt_pack_init(&pack, records->whole, ENVELOPE_ROOM);
    kt_pack_envelope(&pack, whole.kind, whole.kind_version, head->date);
    size_t filled = pack.size, end = pack.size + (size_t)whole.size;
    uint8_t *hashes = records->whole + ENVELOPE_ROOM + whole.size;
    memcpy(hashes, whole.hashes, hash_bytes);
    for (uint32_t i = 0; i < whole.parts && code == KT_OK; i++)
        code = append_part(records, number - whole.parts + i, head->date, hashes + (size_t)i * KT_HASH_SIZE, &filled,
                           end, error);
    if (code != KT_OK) return code;
    if (filled != end) return kt_fail(error, KT_DAMAGED, "record %llu: a part is missing", (unsigned long long)number);
    if (end <= KT_RECORD_MAX)
        return kt_fail(error, KT_DAMAGED, "record %llu: is in parts, and would fit in one", (unsigned long long)number);
    *record = kt_span_of(records->whole, filled);
    if (parts != NULL) *parts = whole.parts;
    return KT_OK;
}

kt_code kt_records_read_whole(kt_records *records, uint64_t number, kt_span *record, uint32_t *parts, kt_error *error) {
    kt_envelope envelope;
    if (parts != NULL) *parts = 0;
    kt_code code = kt_records_read(records, number, record, error);
    if (code == KT_OK) code = kt_envelope_open(*record, &envelope, error);
    if (code != KT_OK || envelope.kind != KT_KIND_LONG) return code;
    return put_together(records, number, &envelope, record, parts, error);
}
