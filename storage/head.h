/*
 * head: where the journal ends, and each checkpoint it ever had.
 *
 * The head (table meta, key "head") holds the tree's size and frontier, the last recorded time and the log's signature
 * over the checkpoint; it moves in the same transaction as everything below it. Every earlier head stays in table
 * heads under its size with root, time and signature, so that each checkpoint can be printed again.
 * Only the newest frontier is kept: an older one follows from the tiles.
 *
 * Laws kept: 6.
 */
#ifndef KT_STORAGE_HEAD_H
#define KT_STORAGE_HEAD_H

#include "storage/keys.h"
#include "storage/note.h"
#include "storage/records.h"
#include "storage/tree.h"

typedef struct kt_log_head {
    uint64_t batches;
    int64_t recorded_us;
    uint64_t epoch;
    uint8_t root[KT_HASH_SIZE];
    uint8_t signature[KT_SIGNATURE_SIZE];
    kt_tree tree; /* its size is the head's */
} kt_log_head;

/* A store without a head has one of size 0. */
kt_code kt_log_head_read(kt_txn *txn, kt_log_head *out, kt_error *error);
/* Writes the head and its row in table heads. */
kt_code kt_log_head_write(kt_txn *txn, const kt_log_head *head, kt_error *error);

typedef struct kt_log_row {
    uint64_t size, batches;
    int64_t recorded_us;
    uint8_t root[KT_HASH_SIZE];
    uint8_t signature[KT_SIGNATURE_SIZE];
} kt_log_row;

kt_code kt_log_row_read(kt_span key, kt_span value, kt_log_row *out, kt_error *error);
/* The row of exactly this size: KT_NOT_FOUND. */
kt_code kt_log_row_at(kt_txn *txn, uint64_t size, kt_log_row *out, kt_error *error);
/* The first that covers a record: of a size above its number. KT_NOT_FOUND. */
kt_code kt_log_row_covering(kt_txn *txn, uint64_t number, kt_log_row *out, kt_error *error);
/* The last head recorded at or before a time: KT_NOT_FOUND where there is none. */
kt_code kt_log_row_known(kt_txn *txn, int64_t time_us, kt_log_row *out, kt_error *error);

#endif
