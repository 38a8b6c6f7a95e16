/* storing: stores, journals and clocks for the tests of storage's rooms. */
#ifndef KT_TESTS_STORING_H
#define KT_TESTS_STORING_H

#include "storage/journal.h"
#include "tests/tap.h"

/* Tables beside storage's own five, free for a test. */
enum { STORING_ONE = KT_TABLE_STATE, STORING_TWO, STORING_THREE, STORING_COUNT };

#define STORING_PATH 700
/* A new directory of this test's own. */
const char *storing_directory(const char *name, char out[STORING_PATH]);
/* NULL with *error set where it does not open. */
kt_store *storing_open(const char *directory, bool create, bool read_only, kt_error *error);

/* A clock that stands where it is put; the journal's clock_context is an int64_t. */
int64_t storing_clock(void *time_us);
/* Signer number `number`, always the same. */
kt_signer *storing_signer(uint8_t number);
/* A record of a kind, its body `size` bytes that follow from `seed`; returns the record's size. */
size_t storing_record(uint32_t kind, int32_t date, uint64_t seed, size_t size, uint8_t *out, size_t room);
/* Seals the open batch with signer 1 for both actor and log. */
kt_code storing_seal(kt_journal *journal, const char *id, kt_seal *seal, kt_log_head *head, kt_error *error);
/* Where in a file a mapped value lies; bytes: all of the file, whose name ends so. SIZE_MAX: not there. Pages that were given up
   may hold the same bytes, so the process's map is asked. */
size_t storing_place(kt_span value, const char *ends, const uint8_t *bytes, size_t size);
/* How many rows a table has. */
uint64_t storing_rows(kt_store *store, kt_table table);

#endif
