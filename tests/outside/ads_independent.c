#include "tests/outside/ads_independent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/tap.h"

const char *ads_file(char *out, size_t room) {
    const char *cases = test_cases();
    if (!cases) return NULL;
    snprintf(out, room, "%s/ads/GL_Detail.csv", cases);
    return access(out, R_OK) == 0 ? out : NULL;
}

typedef struct pending {
    size_t sum;
    int64_t amount;
} pending;

static size_t sum_of(ads_counts *c, const char *account, const char *currency) {
    size_t i = 0;
    while (i < c->sum_count && (strcmp(c->sums[i].account, account) || strcmp(c->sums[i].currency, currency))) i++;
    if (i == c->sum_count && i < 1000) {
        snprintf(c->sums[i].account, sizeof c->sums[i].account, "%s", account);
        snprintf(c->sums[i].currency, sizeof c->sums[i].currency, "%s", currency);
        c->sum_count++;
    }
    return i;
}

static int64_t hundredths(const char *text) {
    char *end;
    int64_t whole = strtoll(text, &end, 10) * 100;
    if (*end == '.' && end[1]) whole += (end[1] - '0') * 10 + (end[2] ? end[2] - '0' : 0);
    return whole;
}

/* The four lopsided entries of the file are off in one currency each; lines of nothing in another do not count. */
static void finish(ads_counts *c, const char *journal, const pending *lines, size_t count) {
    int64_t off = 0;
    for (size_t i = 0; i < count; i++) off += lines[i].amount;
    c->entries++;
    for (size_t i = 0; i < count; i++) {
        ads_sum *sum = &c->sums[lines[i].sum];
        sum->all += lines[i].amount;
        if (off == 0 && lines[i].amount < 0) sum->credit -= lines[i].amount;
        if (off == 0 && lines[i].amount > 0) sum->debit += lines[i].amount;
    }
    if (off == 0) c->balanced_lines += count;
    else if (c->lopsided_count < 100) {
        snprintf(c->lopsided[c->lopsided_count].journal, 16, "%s", journal);
        c->lopsided[c->lopsided_count++].off = off;
    }
}

int ads_count(const char *path, ads_counts *c) {
    memset(c, 0, sizeof *c);
    FILE *in = fopen(path, "r");
    if (!in) return -1;
    static pending lines[2000];
    size_t count = 0;
    char text[4096], journal[16] = "";
    if (!fgets(text, sizeof text, in)) return -1;
    while (fgets(text, sizeof text, in)) {
        char *fields[17], *rest = text;
        for (size_t i = 0; i < 17; i++) fields[i] = rest ? strsep(&rest, ",\n") : text + strlen(text);
        if (strcmp(journal, fields[0])) {
            if (count) finish(c, journal, lines, count);
            count = 0;
            snprintf(journal, sizeof journal, "%s", fields[0]);
        }
        int64_t amount = hundredths(fields[7]);
        if (fields[8][0] == 'H') amount = -amount;
        lines[count++] = (pending){sum_of(c, fields[6], fields[9]), amount};
        c->lines++;
        if (count == 2000) break;
    }
    finish(c, journal, lines, count);
    fclose(in);
    return 0;
}
