/*
 * book: open, close, batches, replay. The inside of kt_book and kt_batch for the floors above; it is handed the
 * registry's table at open, and knows no department.
 *
 *     closed ──open──► idle ──begin──► open batch ──commit/abort──► idle
 *
 * Laws kept: 3, 4, 5, 6, 7 through storage/journal and engine/fold.
 */
#ifndef KT_ENGINE_BOOK_H
#define KT_ENGINE_BOOK_H

#include "engine/fold.h"
#include "storage/journal.h"

struct kt_batch {
    kt_book *book;
    char id[KT_BATCH_ID_MAX + 1];
    char rounding_account[KT_ACCOUNT_CODE_MAX + 1];
    bool has_digest, allow_duplicate_voucher, dry_run;
    uint8_t digest[KT_DIGEST_SIZE];
    uint64_t rejected, entries;
    uint32_t granted; /* rights that the actor was found to have: asked once a batch */
    kt_code broken;   /* surroundings failed: only abort is left */
};

kt_code kt_book_open_with(const kt_registry *registry, const char *directory, const kt_open_options *options,
                          kt_book **out, kt_error *error);
/* A new book of one genesis record, in an open batch that the caller fills with the company's facts and commits.
   Until then the directory holds no book. */
kt_code kt_book_found(const kt_registry *registry, const char *directory, const kt_create_options *options,
                      kt_book **out, kt_batch **batch, kt_error *error);

/* For those who append batches that others signed (kt_journal_append_sealed, kt_journal_commit): the writer's turn without an
   actor, with the log's key loaded; and its end, with what came of it: the head's size on KT_OK, else all is forgotten. */
kt_code kt_book_take_turn(kt_book *book, kt_error *error);
void kt_book_end_turn(kt_book *book, kt_code code, uint64_t size);
const kt_signer *kt_book_log_signer(const kt_book *book); /* once a turn was taken */

/* Removes what founding made in the directory: a book that could not be founded leaves no half of itself. */
void kt_book_unfound(const char *directory);

kt_store *kt_book_store(kt_book *book);
kt_fold *kt_book_fold(kt_book *book);
kt_journal *kt_book_journal(kt_book *book);
const kt_genesis *kt_book_genesis(const kt_book *book);
const kt_registry *kt_book_registry(const kt_book *book);

/* Appends a packed record of a kind, applies it, and gives its number. */
kt_code kt_batch_append(kt_batch *batch, kt_span record, uint64_t *number, kt_error *error);
/* Packs nothing itself: says that a record of this kind is coming, so that its right is checked. */
kt_code kt_batch_may(kt_batch *batch, uint32_t kind, kt_error *error);
/* Notes a failure of the surroundings. Returns code. */
kt_code kt_batch_break(kt_batch *batch, kt_code code);

#endif
