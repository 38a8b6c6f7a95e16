/*
 * load: the bulk load of the crash tests, the same on every run with its seed, so that whatever happened to the
 * process or the machine one can say which whole batches lie in the book.
 *
 * A book holds CRASH_BASE batches of its founding and then batch 0, 1, 2 ... of the load, in that order. Batches are
 * of very different sizes: a few entries, some thousand, one entry of many records, and where asked for more than one
 * transaction holds: large ones by their bytes (24 blocks of 768 KiB), spread ones by their vouchers, each on a page of
 * its own, so that state is written before the head moves.
 */
#ifndef KT_TESTS_CRASH_LOAD_H
#define KT_TESTS_CRASH_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/kontor.h"

#define CRASH_ACCOUNTS 8
#define CRASH_BASE 2 /* genesis, and the accounts */

typedef struct crash_load {
    uint64_t seed;
    unsigned batches;
    unsigned large, spread; /* every which batch is; 0: none */
} crash_load;

typedef struct crash_sum { /* of the batches before this one */
    uint64_t entries;
    kt_amount balance[CRASH_ACCOUNTS];
} crash_sum;

/* What a poster says of each batch: KT_OK means acknowledged. */
typedef struct crash_ack {
    uint32_t batch;
    int32_t code;
} crash_ack;

/* Founds the book and opens the accounts. */
kt_code crash_found(const char *directory, kt_error *error);

uint64_t crash_entries(const crash_load *load, unsigned batch);
/* Larger than one transaction. */
bool crash_is_large(const crash_load *load, unsigned batch);
/* load->batches + 1 sums, the last one of all. free(). */
crash_sum *crash_sums(const crash_load *load);

/* Begins batch number `batch` under its own id and fills it; *out, where not NULL, is the caller's to send, commit or
   abort, whatever is returned. */
kt_code crash_fill(kt_book *book, const crash_load *load, unsigned batch, kt_batch **out, kt_receipt *receipt,
                   kt_error *error);
/* Posts batch number `batch` under its own id. KT_REPEATED: lies there already, *receipt says where. */
kt_code crash_post(kt_book *book, const crash_load *load, unsigned batch, kt_receipt *receipt, kt_error *error);

/* A new book in the directory with the first `count` batches; and a copy of it where another may have been. Paths of the
   test's own making. */
bool crash_book_with(const char *directory, const crash_load *load, unsigned count);
bool crash_copy(const char *from, const char *to);

/* The poster's process: posts batches from `from` on and writes a crash_ack for each to `acks`, after the call
   returned. Ends with the first refusal. Returns the exit status. */
int crash_poster(const char *directory, const crash_load *load, unsigned from, int acks);

/* The book opened again: at least `acked` and at most `most` batches are there, whole, and nothing besides: the head
   ends at the last one's seal, entries and balances are those of the batches, and the last one sent again is
   recognized where it lies. *found: how many. On false, why says what is wrong. */
bool crash_check(const char *directory, const crash_load *load, const crash_sum *sums, unsigned acked, unsigned most,
                 unsigned *found, kt_error *why);

/* Looks below the book's surface at what a writer left behind: pieces of a batch above the head, and state written
   ahead of it. False: neither could be looked for. */
bool crash_leftovers(const char *directory, bool *pieces, bool *ahead);

/* Full verification, in a process of its own; *why has the first finding. */
bool crash_verify(const char *directory, kt_error *why);

/* Takes away a book's files and the directory. */
void crash_remove(const char *directory);

/* This program run again with these arguments (ended by NULL), with LD_PRELOAD and `settings` ("NAME=value", ended by
   NULL) in its environment, and `acks` as file 3. Returns its process id. */
int crash_spawn(const char *program, const char *const *arguments, const char *preload, const char *const *settings,
                int acks);

/* A file beside the tests in the build directory, as "tests/libtrace.so". NULL: not built. The next call's text
   overwrites this one's. */
const char *crash_built(const char *name);

#endif
