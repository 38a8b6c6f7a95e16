/*
 * batch: what is posted together: begun, filled, committed or sent, received.
 *
 *     idle ──begin──► open ──commit/abort──► idle
 *                       └──send──► under way ──receive──► stored
 *
 * Laws kept: 3, 4, 5, 6, 7 through storage/journal and engine/fold.
 */
#ifndef KT_ENGINE_BATCH_H
#define KT_ENGINE_BATCH_H

#include "engine/book.h"

struct kt_batch {
    kt_book *book;
    kt_signer *next_log; /* signs its checkpoint and those behind it; NULL: the log's key stays */
    char id[KT_BATCH_ID_MAX + 1];
    char rounding_account[KT_ACCOUNT_CODE_MAX + 1];
    bool has_digest, allow_duplicate_voucher, dry_run;
    kt_proposing propose;
    uint8_t digest[KT_DIGEST_SIZE];
    uint64_t rejected, entries, proposed;
    kt_code broken;   /* surroundings failed: only abort is left */
};

/* An empty one in the turn that the journal has begun. */
kt_code kt_batch_start(kt_book *book, kt_batch **out, kt_error *error);

/* For those who append batches that others signed (kt_journal_append_sealed, kt_journal_commit): the writer's turn without an
   actor, with the log's key loaded; and its end, with what came of it: the head's size on KT_OK, else all is forgotten. */
kt_code kt_book_take_turn(kt_book *book, kt_error *error);
void kt_book_end_turn(kt_book *book, kt_code code, uint64_t size);

/* Appends a packed record of a kind, applies it, and gives its number. */
kt_code kt_batch_append(kt_batch *batch, kt_span record, uint64_t *number, kt_error *error);
/* The day that records of registers are dated by: the head's; on an empty book, day 0. */
kt_day kt_batch_today(const kt_batch *batch);
/* Packs nothing itself: says that a record of this kind is coming, so that its right is checked. */
kt_code kt_batch_may(kt_batch *batch, uint32_t kind, kt_error *error);
/* Notes a failure of the surroundings. Returns code. */
kt_code kt_batch_break(kt_batch *batch, kt_code code);

#endif
