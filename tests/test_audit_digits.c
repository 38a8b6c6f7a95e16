/* Leading digits, Benford's law, chi-square and Nigrini's limits: against figures computed elsewhere, at fifty digits. */
#include <stdlib.h>

#include "engine/audit/tests_digits.h"
#include "storage/bytes.h"
#include "tests/tap.h"

/* log10(1 + 1/d) in billionths, by repeated squaring of (d + 1)/d as a fixed-point number of 60 bits: a binary digit of the
   logarithm to the base 2 a step, divided by that of 10. */
static int64_t log2_bits(uint64_t numerator, uint64_t denominator, unsigned bits) {
    kt_uint128 one = (kt_uint128)1 << 60, x = ((kt_uint128)numerator << 60) / denominator;
    int64_t result = 0;
    unsigned whole = 0;
    while (x >= 2 * one) {
        x /= 2;
        whole++;
    }
    for (unsigned i = 0; i < bits; i++) {
        x = (x * x) >> 60;
        result *= 2;
        if (x >= 2 * one) {
            x /= 2;
            result++;
        }
    }
    return result + ((int64_t)whole << bits);
}

static void constants(void) {
    unsigned wrong = 0;
    int64_t ten = log2_bits(10, 1, 50), sum1 = 0, sum2 = 0;
    for (unsigned d = 1; d <= 99; d++) {
        kt_int128 share = ((kt_int128)log2_bits(d + 1, d, 50) * 1000000000 * 2 / ten + 1) / 2;
        if ((int64_t)share != kt_digits_benford(d)) wrong++;
        if (d < 10) sum1 += kt_digits_benford(d);
        else sum2 += kt_digits_benford(d);
    }
    is_int(wrong, 0, "the 99 shares are log10(1 + 1/d), rounded");
    ok(llabs(sum1 - KT_AUDIT_ONE) < 10 && llabs(sum2 - KT_AUDIT_ONE) < 50, "those of 1 to 9 are all, and of 10 to 99");
    is_int(kt_digits_benford(0) + kt_digits_benford(100), 0, "and there are no others");
}

static void leading(void) {
    kt_amount huge = kt_amount_limit();
    is_int(kt_digits_leading(7, 1), 7, "7 begins with 7");
    is_int(kt_digits_leading(7, 2), 0, "and has no two digits");
    is_int(kt_digits_leading(10, 2), 10, "10 begins with 10");
    is_int(kt_digits_leading(99, 1), 9, "99 with 9");
    is_int(kt_digits_leading(0, 1), 0, "nothing begins with nothing");
    is_int(kt_digits_leading(huge, 2), 10, "the largest amount kept, 10 to the 36th, with 10");
    is_int(kt_digits_leading(huge - 1, 2), 99, "and one less with 99");
    unsigned wrong = 0;
    for (kt_amount power = 1; power < huge; power *= 10) {
        wrong += kt_digits_leading(power, 1) != 1;
        wrong += power > 1 && kt_digits_leading(power - 1, 1) != 9;
        wrong += power > 10 && kt_digits_leading(power - 1, 2) != 99;
        wrong += power > 1 && kt_digits_leading(power * 3 / 2, 2) != 15;
    }
    is_int(wrong, 0, "at each power of ten");
    for (unsigned i = 1; i < 100000; i++) {
        unsigned one = i, two = i;
        while (one >= 10) one /= 10;
        while (two >= 100) two /= 10;
        wrong += kt_digits_leading(i, 1) != one || kt_digits_leading(i, 2) != (i < 10 ? 0 : two);
    }
    is_int(wrong, 0, "and for every number below a hundred thousand");
}

struct sequence {
    uint64_t one[10], two[100];
};

static void count(struct sequence *sequence, kt_amount value) {
    unsigned two = kt_digits_leading(value, 2);
    sequence->one[kt_digits_leading(value, 1)]++;
    if (two != 0) sequence->two[two]++;
}

static void judge(const struct sequence *sequence, const char *what, int64_t chi_one, int64_t mad_one,
                  kt_audit_conformity one, int64_t chi_two, int64_t mad_two, kt_audit_conformity two) {
    static const uint64_t firsts[100];
    kt_audit_table table;
    is_code(kt_digits_judge(sequence->one + 1, firsts, 1, 9, &table, NULL), KT_OK, "%s: first digits", what);
    is_int(table.freedom, 8, "have eight degrees of freedom");
    ok(llabs(table.chi_square / 1000 - chi_one) <= 2 + chi_one / 10000000,
       "chi-square in millionths is as computed elsewhere, to seven digits: %lld, %lld",
       (long long)table.chi_square / 1000, (long long)chi_one);
    ok(llabs(table.mad - mad_one) <= 2, "and the mean deviation in billionths: %lld, %lld", (long long)table.mad,
       (long long)mad_one);
    is_text(kt_audit_conformity_name(table.conformity), kt_audit_conformity_name(one), "and so Nigrini's verdict");
    free(table.bins);
    is_code(kt_digits_judge(sequence->two + 10, firsts, 10, 99, &table, NULL), KT_OK, "%s: first two digits", what);
    is_int(table.freedom, 89, "have 89");
    ok(llabs(table.chi_square / 1000 - chi_two) <= 2 + chi_two / 10000000,
       "chi-square is as computed elsewhere: %lld, %lld", (long long)table.chi_square / 1000, (long long)chi_two);
    ok(llabs(table.mad - mad_two) <= 2, "and the mean deviation: %lld, %lld", (long long)table.mad, (long long)mad_two);
    is_text(kt_audit_conformity_name(table.conformity), kt_audit_conformity_name(two), "and the verdict");
    free(table.bins);
}

static void sequences(void) {
    struct sequence powers = {0}, fibonacci = {0}, growth = {0}, uniform = {0};
    kt_amount a = 13, b = 21;
    for (kt_amount value = 16; value < (kt_amount)1 << 117; value *= 2)
        for (unsigned i = 0; i < 10; i++) count(&powers, value);
    while (a <= kt_amount_limit()) {
        for (unsigned i = 0; i < 10; i++) count(&fibonacci, a);
        kt_amount next = a + b;
        a = b;
        b = next;
    }
    kt_amount grown = 1000000;
    for (unsigned i = 0; i < 2400; i++, grown = grown * 101 / 100) count(&growth, grown);
    for (unsigned value = 1000; value < 10000; value++) count(&uniform, value);
    judge(&powers, "powers of two", 877245, 1687617, KT_AUDIT_CLOSE, 367975802, 4641677, KT_AUDIT_NONCONFORMITY);
    judge(&fibonacci, "Fibonacci numbers", 4940586, 4418830, KT_AUDIT_CLOSE, 664755067, 4910279,
          KT_AUDIT_NONCONFORMITY);
    judge(&growth, "what grows by one percent", 4244645, 4158240, KT_AUDIT_CLOSE, 7106939, 531142, KT_AUDIT_CLOSE);
    judge(&uniform, "even numbers", 3615284636, 59717035, KT_AUDIT_NONCONFORMITY, 3663727113, 5974275,
          KT_AUDIT_NONCONFORMITY);
}

static void large(void) {
    uint64_t many[9], firsts[9] = {0};
    kt_audit_table table;
    for (unsigned i = 0; i < 9; i++) many[i] = (uint64_t)kt_digits_benford(i + 1) * 9;
    is_code(kt_digits_judge(many, firsts, 1, 9, &table, NULL), KT_OK, "nine billion amounts are judged");
    ok(table.mad < 10 && table.chi_square < KT_AUDIT_ONE, "and conform to what they were made by");
    free(table.bins);
    many[0] = 0;
    many[8] = UINT64_C(9000000000);
    is_code(kt_digits_judge(many, firsts, 1, 9, &table, NULL), KT_LIMIT, "more than ten are refused");
    for (unsigned i = 0; i < 8; i++) many[i] = 0;
    is_code(kt_digits_judge(many, firsts, 1, 9, &table, NULL), KT_OK, "all of one digit is no overflow");
    ok(table.conformity == KT_AUDIT_NONCONFORMITY && table.bins[8].flagged && table.bins[0].flagged,
       "and stands out, as do those that are missing");
    free(table.bins);
}

int main(void) {
    constants();
    leading();
    sequences();
    large();
    return done();
}
