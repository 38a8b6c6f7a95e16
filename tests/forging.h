/*
 * forging: batches put into a book past all checks: hashed, signed by whom the forger likes, under a good checkpoint of the
 * book's own log key. What is wrong with them only verification can find.
 *
 * The book that is forged is the one named "forged" in test_dir(), a copy whose origin stands in forged_origin.
 */
#ifndef KT_TESTS_FORGING_H
#define KT_TESTS_FORGING_H

#include "engine/ledger/entry.h"
#include "storage/seal.h"

extern char forged_origin[200];

/* What is forged: a batch of these records, or a seal that says what is not so. */
typedef struct forgery {
    const char *actor, *id; /* a key file, NULL: the book's; the batch's id */
    kt_span records[4];
    uint32_t count;
    uint64_t posted, proposed; /* entries that the seal counts */
    int32_t days;              /* from the day of the seal's time to its date */
    const char *log;           /* the file of the key that signs the checkpoint; NULL: the book's own */
} forgery;

/* Gives the number of the batch's first record. */
uint64_t forge(const forgery *forged);

/* The record of an entry written as in tests/bookkeeping.h. */
kt_span entry_record(const char *text, uint8_t *out, size_t room);

#endif
