#include "engine/audit/tests_digits.h"

#include <stdlib.h>

#include "storage/bytes.h"

/* log10(1 + 1/d) for d from 1 to 99. */
static const int32_t shares[99] = {
    301029996, 176091259, 124938737, 96910013, 79181246, 66946790, 57991947, 51152522, 45757491, 41392685, 37788561,
    34762106,  32184683,  29963223,  28028724, 26328939, 24823584, 23481096, 22276395, 21189299, 20203386, 19305155,
    18483406,  17728767,  17033339,  16390416, 15794267, 15239967, 14723257, 14240439, 13788284, 13363962, 12964977,
    12589127,  12234456,  11899223,  11581873, 11281010, 10995384, 10723865, 10465434, 10219165, 9984221,  9759837,
    9545318,   9340026,   9143379,   8954843,  8773924,  8600172,  8433168,  8272526,  8117890,  7968930,  7825338,
    7686829,   7553138,   7424018,   7299239,  7178585,  7061854,  6948860,  6839425,  6733383,  6630579,  6530867,
    6434110,   6340178,   6248949,   6160309,  6074148,  5990364,  5908860,  5829544,  5752329,  5677133,  5603878,
    5532489,   5462896,   5395032,   5328834,  5264240,  5201194,  5139640,  5079526,  5020801,  4963420,  4907334,
    4852503,   4798883,   4746435,   4695121,  4644905,  4595752,  4547628,  4500501,  4454341,  4409119,  4364805,
};

int64_t kt_digits_benford(unsigned digits) { return digits >= 1 && digits <= 99 ? shares[digits - 1] : 0; }

unsigned kt_digits_leading(kt_amount magnitude, unsigned digits) {
    static const uint64_t powers[20] = {UINT64_C(1),
                                        UINT64_C(10),
                                        UINT64_C(100),
                                        UINT64_C(1000),
                                        UINT64_C(10000),
                                        UINT64_C(100000),
                                        UINT64_C(1000000),
                                        UINT64_C(10000000),
                                        UINT64_C(100000000),
                                        UINT64_C(1000000000),
                                        UINT64_C(10000000000),
                                        UINT64_C(100000000000),
                                        UINT64_C(1000000000000),
                                        UINT64_C(10000000000000),
                                        UINT64_C(100000000000000),
                                        UINT64_C(1000000000000000),
                                        UINT64_C(10000000000000000),
                                        UINT64_C(100000000000000000),
                                        UINT64_C(1000000000000000000),
                                        UINT64_C(10000000000000000000)};
    while (magnitude > (kt_amount)(UINT64_MAX / 2)) magnitude /= 1000; /* the leading digits stay what they are */
    if (magnitude <= 0) return 0;
    uint64_t number = (uint64_t)magnitude;
    unsigned bits = 64u - (unsigned)__builtin_clzll(number);
    unsigned count = bits * 1233u >> 12; /* of digits, or one less: 1233 / 4096 is log10(2) */
    if (number >= powers[count]) count++;
    return count < digits ? 0 : (unsigned)(number / powers[count - digits]);
}

/* ---- judging ---- */

#define ONE KT_AUDIT_ONE

static kt_int128 magnitude_of(kt_int128 value) { return value < 0 ? -value : value; }

/* |observed - expected| - 1/2 over the root of n p (1 - p), against 2.576, squared: 6.635776. */
static bool is_beyond_chance(kt_int128 off, kt_int128 count, int64_t share) {
    kt_int128 distance = magnitude_of(off) - ONE / 2;
    if (distance <= 0) return false;
    return distance * distance / 6635776 * 1000000 > count * share * (ONE - share);
}

static kt_audit_conformity conformity_of(const kt_audit_table *table) {
    for (unsigned i = 0; i < 3; i++)
        if (table->mad <= table->limits[i]) return (kt_audit_conformity)(KT_AUDIT_CLOSE + i);
    return KT_AUDIT_NONCONFORMITY;
}

/* Nigrini's limits, and the critical values of chi-square, all in billionths. */
static void set_limits(kt_audit_table *table, bool two) {
    static const int64_t limits[2][3] = {{6000000, 12000000, 15000000}, {1200000, 1800000, 2200000}};
    static const int64_t critical[2][2] = {{INT64_C(15507000000), INT64_C(20090000000)},
                                           {INT64_C(112022000000), INT64_C(122942000000)}};
    for (unsigned i = 0; i < 3; i++) table->limits[i] = limits[two][i];
    table->critical_5_percent = critical[two][0];
    table->critical_1_percent = critical[two][1];
}

kt_code kt_digits_judge(const uint64_t *observed, const uint64_t *firsts, unsigned first, unsigned last,
                        kt_audit_table *out, kt_error *error) {
    unsigned bins = last - first + 1;
    kt_int128 count = 0, chi_square = 0, deviations = 0;
    *out = (kt_audit_table){.freedom = bins - 1};
    for (unsigned i = 0; i < bins; i++) count += observed[i];
    if (count > (kt_int128)KT_DIGITS_AMOUNTS_MAX)
        return kt_fail(error, KT_LIMIT, "more than %llu amounts", (unsigned long long)KT_DIGITS_AMOUNTS_MAX);
    out->bins = calloc(bins, sizeof *out->bins);
    if (out->bins == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    out->bin_count = bins;
    out->count = (uint64_t)count;
    set_limits(out, first >= 10);
    for (unsigned i = 0; i < bins; i++) {
        kt_audit_bin *bin = &out->bins[i];
        int64_t share = kt_digits_benford(first + i);
        kt_int128 off = (kt_int128)observed[i] * ONE - count * share; /* observed less expected, in billionths */
        *bin = (kt_audit_bin){.digits = first + i, .observed = observed[i], .first = firsts[i], .expected = share};
        if (count == 0) continue;
        bin->share = (int64_t)((kt_int128)observed[i] * ONE / count);
        bin->deviation = bin->share - share;
        bin->flagged = is_beyond_chance(off, count, share);
        chi_square += off * off / (count * share);
        deviations += magnitude_of(off);
    }
    if (count == 0) return KT_OK;
    out->chi_square = chi_square > INT64_MAX ? INT64_MAX : (int64_t)chi_square;
    out->mad = (int64_t)(deviations / (count * bins));
    out->conformity = conformity_of(out);
    return KT_OK;
}
