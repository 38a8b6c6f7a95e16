#define _GNU_SOURCE
#include "bench/lib/year.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "bench/lib/tool.h"

static inline uint64_t next_random(uint64_t *state) { /* splitmix64 */
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

/* 0 to below - 1 from 32 random bits, by the high half of a product. */
static inline uint32_t below(uint64_t random, uint32_t bound) {
    return (uint32_t)((random & 0xffffffff) * bound >> 32);
}

/* Eight digits at once: two numbers of four digits, high before low, are split in pairs and then in single digits, each in
   a lane of its own. The products are divisions by 100 and by 10, exact for what a lane can hold. */
static inline void write_digits(uint64_t high, uint64_t low, char out[8]) {
    uint64_t lanes = high | low << 32;
    uint64_t hundreds = (lanes * 10486u >> 20) & 0x0000007f0000007full;
    lanes = hundreds | (lanes - 100u * hundreds) << 16;
    uint64_t tens = (lanes * 103u >> 10) & 0x000f000f000f000full;
    lanes = htole64((tens | (lanes - 10u * tens) << 8) | 0x3030303030303030ull);
    memcpy(out, &lanes, 8);
}

static inline void write_code(uint32_t code, char out[BENCH_CODE]) { write_digits(code / 10000u, code % 10000u, out); }

static uint64_t day_begins(const bench_year *year, uint64_t day) { return (day * year->entries_a_year + 364) / 365; }

void bench_year_init(bench_year *year, uint32_t accounts, uint64_t entries_a_year) {
    *year = (bench_year){.random = 1, .entries_a_year = entries_a_year, .accounts = accounts, .voucher_begin = 19};
    for (year->base = 1000, year->code_size = 4; year->base < accounts; year->base *= 10) year->code_size++;
    kt_day_from_civil(2025, 1, 1, &year->first);
    memset(year->voucher, '0', sizeof year->voucher);
    year->day_ends = day_begins(year, 1);
    for (int i = 0; i < BENCH_YEAR_MANY; i++) {
        struct bench_made *made = &year->made[i];
        year->entries[i] = (kt_entry){
            .date = year->first, .text = KT_STR("Sale of wood"), .lines = made->lines, .line_count = 2};
        for (int k = 0; k < 2; k++)
            made->lines[k].account = (kt_str){made->codes[k] + BENCH_CODE - year->code_size, year->code_size};
        if (year->code_size == 4) made->lines[0].account.data = made->codes[1]; /* see write_accounts */
    }
}

/* Two short codes are eight digits together. */
static inline void write_accounts(const bench_year *year, struct bench_made *made, uint32_t a, uint32_t b) {
    if (year->code_size == 4) write_digits(year->base + a, year->base + b, made->codes[1]);
    else {
        write_code(year->base + a, made->codes[0]);
        write_code(year->base + b, made->codes[1]);
    }
}

static inline void count_voucher(bench_year *year) {
    unsigned digit = sizeof year->voucher - 1;
    while (year->voucher[digit] == '9') year->voucher[digit--] = '0';
    year->voucher[digit]++;
    if (digit < year->voucher_begin) year->voucher_begin = digit;
}

static inline void make(bench_year *year, unsigned place) {
    struct bench_made *made = &year->made[place];
    kt_entry *entry = &year->entries[place];
    uint64_t draw = next_random(&year->random);
    /* The second one is drawn from the others. */
    uint32_t a = below(draw, year->accounts), b = a + 1 + below(draw >> 32, year->accounts - 1);
    if (b >= year->accounts) b -= year->accounts;
    write_accounts(year, made, a, b);
    int64_t amount = 100 + below(draw * 0x9e3779b97f4a7c15ull >> 32, 1000000);
    made->lines[0].amount = amount;
    made->lines[1].amount = -amount;
    count_voucher(year);
    memcpy(made->voucher, year->voucher, sizeof made->voucher);
    entry->voucher = (kt_str){made->voucher + year->voucher_begin, sizeof made->voucher - year->voucher_begin};
    while (year->count >= year->day_ends) year->day_ends = day_begins(year, ++year->days + 1);
    entry->date = year->first + (kt_day)year->days;
    year->count++;
}

const kt_entry *bench_year_many(bench_year *year, uint32_t count) {
    for (unsigned i = 0; i < count; i++) make(year, i);
    return year->entries;
}

const kt_entry *bench_year_next(bench_year *year) { return bench_year_many(year, 1); }

kt_str bench_year_account(const bench_year *year, uint32_t index, char room[BENCH_CODE]) {
    write_code(year->base + index, room);
    return (kt_str){room + BENCH_CODE - year->code_size, year->code_size};
}

void bench_year_csv(bench_year *year, uint64_t entries, const char *path) {
    FILE *out = fopen(path, "w");
    if (out == NULL) bench_die(path, NULL);
    fputs("date,voucher,account,amount,text\n", out);
    for (uint64_t i = 0; i < entries; i++) {
        const kt_entry *entry = bench_year_next(year);
        char day[KT_DAY_TEXT];
        kt_day_format(entry->date, day);
        for (size_t k = 0; k < entry->line_count; k++) {
            char amount[KT_AMOUNT_TEXT];
            kt_amount_format(entry->lines[k].amount, 2, 0, amount);
            fprintf(out, "%s,%.*s,%.*s,%s,%.*s\n", day, (int)entry->voucher.size, entry->voucher.data,
                    (int)entry->lines[k].account.size, entry->lines[k].account.data, amount, (int)entry->text.size,
                    entry->text.data);
        }
    }
    if (fclose(out) != 0) bench_die(path, NULL);
}
