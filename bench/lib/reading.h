/*
 * reading: how long the questions take. Each time is the median of five, the view's opening included; the first warms the
 * pages that the others find.
 */
#ifndef KT_BENCH_READING_H
#define KT_BENCH_READING_H

#include "engine/kontor.h"

/* A trial balance of all accounts to the end of day `to` (KT_DAY_NONE: of everything). known may be NULL. */
int64_t bench_time_balance(kt_book *book, kt_day to, const kt_view_options *known);
/* One account from..to. *lines: of the statement. */
int64_t bench_time_statement(kt_book *book, kt_str account, kt_day from, kt_day to, uint64_t *lines);
int64_t bench_time_open(const char *directory);

typedef struct bench_trust {
    int64_t ns;
    uint64_t records;
    uint64_t memory; /* bytes, anonymous, at its peak */
} bench_trust;

/* False: what is there does not verify, and the reason is on the standard error. progress may be NULL. */
bool bench_verify(const char *directory, void (*progress)(void *context, uint64_t done, uint64_t of), void *context,
                  bench_trust *out);
/* False: the state came out another. */
bool bench_rebuild(const char *directory, bench_trust *out);

#endif
