/*
 * records: reading the journal, by number and in order.
 *
 * A record is what one leaf hashes. One larger than KT_RECORD_MAX is kept as parts (kind KT_KIND_PART) followed by a
 * head (kind KT_KIND_LONG) that lists their leaf hashes; the whole goes under the head's number, and reading the
 * head gives the whole back. Walks meet parts and heads; "whole" reading skips none.
 *
 * Laws kept: 1, 12. Lifetime: a reader borrows its transaction; a span it gives is valid until the next call.
 */
#ifndef KT_STORAGE_RECORDS_H
#define KT_STORAGE_RECORDS_H

#include "storage/block.h"
#include "storage/digest.h"

/* Storage's own tables; the engine's state follows. */
enum {
    KT_TABLE_META = 0,
    KT_TABLE_BLOCKS = 1,
    KT_TABLE_TILES = 2,
    KT_TABLE_HEADS = 3,
    KT_TABLE_UNDO = 4,
    KT_TABLE_STATE = 5
};

/* Storage's own kinds of record. */
enum { KT_KIND_GENESIS = 0, KT_KIND_SEAL = 1, KT_KIND_PART = 2, KT_KIND_LONG = 3, KT_KIND_LOG_KEY = 4, KT_KIND_STORAGE_END = 1024 };

#define KT_PART_BODY (KT_RECORD_MAX - 64u)  /* bytes that each part but the last holds */
#define KT_WHOLE_MAX (120u * 1024u * 1024u) /* bytes of a long record: its parts' hashes must fit one record */

typedef struct kt_records kt_records;

/* Sees records below `end` only. */
kt_code kt_records_open(kt_txn *txn, uint64_t end, kt_records **out, kt_error *error);
void kt_records_close(kt_records *records);
uint64_t kt_records_end(const kt_records *records);

/* The record as its leaf hashes it. KT_NOT_FOUND: at or above end. KT_DAMAGED. */
kt_code kt_records_read(kt_records *records, uint64_t number, kt_span *record, kt_error *error);
/* As read; a long record's head gives the whole, checked against its parts' hashes. *parts (nullable): how many. */
kt_code kt_records_read_whole(kt_records *records, uint64_t number, kt_span *record, uint32_t *parts, kt_error *error);
/* The block that holds a record: [*first, *first + *count). */
kt_code kt_records_block(kt_records *records, uint64_t number, uint64_t *first, uint32_t *count, kt_error *error);
/* The same, to read the block's records without this reader, on any thread while the transaction lasts. */
kt_code kt_records_view(kt_records *records, uint64_t number, kt_block_view *out, kt_error *error);

/* A long record's head. */
typedef struct kt_long {
    uint32_t kind, kind_version;
    uint64_t size; /* bytes of the body */
    uint32_t parts;
    const uint8_t *hashes; /* parts * KT_HASH_SIZE, of the part records */
} kt_long;
kt_code kt_long_read(kt_span body, kt_long *out, kt_error *error);

#endif
