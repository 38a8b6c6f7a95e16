/*
 * book: a book made, posted to and looked after, all through the public C API and opened exactly as `kontor post` opens it.
 *
 * Posting sends each batch on and fills the next one while it is hashed, signed, written and synced, up to as many as the
 * book allows under way; it ends when the last receipt is there, and an entry counts only then (law 3).
 */
#ifndef KT_BENCH_BOOK_H
#define KT_BENCH_BOOK_H

#include "bench/lib/year.h"

/* Makes a book with all accounts of the year, 8,192 a batch. */
void bench_book_make(const char *directory, const bench_year *year);

/* What the receipts said. Zeroed before the first use; waits and recorded are freed by bench_receipts_release. */
typedef struct bench_receipts {
    uint64_t batches;
    size_t room;
    int64_t *waits;    /* ns from sending a batch to seeing its receipt, a batch each */
    int64_t *recorded; /* µs, a batch each */
} bench_receipts;

void bench_receipts_release(bench_receipts *receipts);

/* Posts the next `entries` of the year, `batch` each. progress (may be NULL) hears after each batch how many were sent.
   Returns how many were posted: fewer only where bench_stopped. */
uint64_t bench_book_post(kt_book *book, bench_year *year, uint64_t entries, uint32_t batch, bench_receipts *receipts,
                         void (*progress)(void *context, uint64_t entries), void *context);

kt_book *bench_book_open(const char *directory);
void bench_book_stats(const char *directory, kt_stats *out);

/* Opens, posts and closes: the nanoseconds of it, the batches' receipts added. single_thread: all on this one. */
int64_t bench_book_fill(const char *directory, bool single_thread, bench_year *year, uint64_t entries, uint32_t batch,
                        bench_receipts *receipts, void (*progress)(void *context, uint64_t entries), void *context);

/* The median of `rounds` batches of one entry each, from begin to receipt. */
int64_t bench_book_single(kt_book *book, bench_year *year, unsigned rounds);

#endif
