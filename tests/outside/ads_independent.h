/* ads_independent: GL_Detail.csv counted by other means than the reader's: its own splitting (the file has no quotes),
   its own numbers (two decimals at the most, 64 bits), its own tables. */
#ifndef KT_TESTS_ADS_INDEPENDENT_H
#define KT_TESTS_ADS_INDEPENDENT_H

#include <stddef.h>
#include <stdint.h>

typedef struct ads_sum {
    char account[16], currency[4];
    int64_t debit, credit; /* hundredths, of balanced entries alone */
    int64_t all;           /* debit minus credit of all entries */
} ads_sum;

typedef struct ads_off {
    char journal[16];
    int64_t off; /* debit minus credit, in hundredths */
} ads_off;

typedef struct ads_counts {
    ads_sum sums[1000];
    size_t sum_count;
    ads_off lopsided[100];
    size_t lopsided_count, entries, lines, balanced_lines;
} ads_counts;

/* 0: counted. */
int ads_count(const char *path, ads_counts *out);

/* "CASES/ads/GL_Detail.csv" in out, NULL where there is no such file. */
const char *ads_file(char *out, size_t room);

#endif
