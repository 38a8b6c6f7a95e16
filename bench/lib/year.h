/*
 * year: the bench's entries, always the same ones: two lines on two accounts drawn at random, an amount drawn at random, a
 * voucher number that rises, a text of 12 bytes, days in order. A fixed seed.
 *
 * Making one costs about 17 ns of the time that is measured: no division, no formatting, nothing looked up in memory.
 * Entries are borrowed until the next are made. A year points into itself and is not copied.
 */
#ifndef KT_BENCH_YEAR_H
#define KT_BENCH_YEAR_H

#include "engine/kontor.h"

#define BENCH_ACCOUNTS_MAX 10000000u
#define BENCH_CODE 8 /* digits of an account's code, at most */

#define BENCH_YEAR_MANY 64 /* entries made at a time, at most */

typedef struct bench_year {
    kt_entry entries[BENCH_YEAR_MANY];
    struct bench_made {
        kt_line lines[2];
        char codes[2][BENCH_CODE];
        char voucher[20];
    } made[BENCH_YEAR_MANY];
    uint64_t random;
    uint64_t count;    /* entries made */
    uint64_t day_ends; /* the entry that begins the next day */
    uint64_t days, entries_a_year;
    kt_day first;
    uint32_t accounts, base;
    unsigned code_size, voucher_begin;
    char voucher[20];
} bench_year;

void bench_year_init(bench_year *year, uint32_t accounts, uint64_t entries_a_year);
const kt_entry *bench_year_next(bench_year *year);
const kt_entry *bench_year_many(bench_year *year, uint32_t count); /* the next `count`, at most BENCH_YEAR_MANY */

/* The code of account index, 0 to accounts - 1. room holds BENCH_CODE bytes. */
kt_str bench_year_account(const bench_year *year, uint32_t index, char room[BENCH_CODE]);

/* The next `entries` as a CSV file that `kontor post` takes, a row a line. */
void bench_year_csv(bench_year *year, uint64_t entries, const char *path);

#endif
