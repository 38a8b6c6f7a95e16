#include "engine/money.h"

#include <stdio.h>
#include <string.h>

#include "tests/tap.h"

#define MAX128 ((kt_amount)((((kt_amount)1 << 126) - 1) * 2 + 1))
#define MIN128 (-MAX128 - 1)

static const char *text_of(kt_amount amount, uint8_t decimals) {
    static char buffers[4][KT_AMOUNT_TEXT];
    static unsigned turn;
    char *buffer = buffers[turn++ % 4];
    kt_amount_format(amount, decimals, 0, buffer);
    return buffer;
}

/* What the parser makes of a text, in words. */
static const char *parsed(const char *text, char decimal, char group) {
    static char buffer[128];
    kt_amount units = 0;
    uint8_t decimals = 0;
    kt_number_fault fault = kt_number_parse(text, strlen(text), decimal, group, &units, &decimals);
    if (fault != KT_NUMBER_OK) return kt_number_fault_text(fault);
    snprintf(buffer, sizeof buffer, "%s/%u", text_of(units, 0), decimals);
    return buffer;
}

typedef struct reading_case {
    const char *text;
    char decimal, group;
    const char *expected;
} reading_case;

static void reading(void) {
    static const char none[] = "not a number";
    static const reading_case cases[] = {
        {"0", '.', 0, "0/0"},
        {"-0.00", '.', 0, "0/2"},
        {"-1.50", '.', 0, "-150/2"},
        {"+7", '.', 0, "7/0"},
        {".5", '.', 0, "5/1"},
        {"5.", '.', 0, "5/0"},
        {"12345678", '.', 0, "12345678/0"},
        {"123456789012345678", '.', 0, "123456789012345678/0"},
        {"1234567890123456789", '.', 0, "1234567890123456789/0"},
        {"1234567890123456.78", '.', 0, "123456789012345678/2"},
        {"00000000000000000000000000000000000000000000000000000001.10", '.', 0, "110/2"},
        {"1000000000000000000000000000000000000", '.', 0, "1000000000000000000000000000000000000/0"},
        {"-1000000000000000000000000000000000000", '.', 0, "-1000000000000000000000000000000000000/0"},
        {"1000000000000000000000000000000000001", '.', 0, "larger than 10^36 smallest units"},
        {"-10000000000000000000000000000000000000", '.', 0, "larger than 10^36 smallest units"},
        {"99999999999999999999999999999999999999999999999999999999999999999999999999999999", '.', 0,
         "larger than 10^36 smallest units"},
        {"0.123456789012345678", '.', 0, "123456789012345678/18"},
        {"0.1234567890123456789", '.', 0, "more than 18 decimals"},
        {"", '.', 0, "empty"},
        {"-", '.', 0, none},
        {".", '.', 0, none},
        {"-.", '.', 0, none},
        {"--1", '.', 0, none},
        {"1e5", '.', 0, none},
        {"0x10", '.', 0, none},
        {" 1", '.', 0, none},
        {"1 ", '.', 0, none},
        {"1.2.3", '.', 0, none},
        {"1234567/", '.', 0, none},
        {"1234567:", '.', 0, none},
        {"1234567\xB9", '.', 0, none},
        {"12345678a", '.', 0, none},
        {"NaN", '.', 0, none},
        {"1-", '.', 0, none},
        {"1,50", '.', 0, none},
        {"1,50", ',', 0, "150/2"},
        {"1.234,50", ',', 0, none},
        {"1.234,50", ',', '.', "123450/2"},
        {"1.234.567,8", ',', '.', "12345678/1"},
        {"1234567,8", ',', '.', "12345678/1"},
        {"1234.567,8", ',', '.', none},
        {"1.23,50", ',', '.', none},
        {"1.2345,50", ',', '.', none},
        {"1.234.56,50", ',', '.', none},
        {".234,50", ',', '.', none},
        {"1..234", ',', '.', none},
        {"1.234.", ',', '.', none},
        {"1.234567,5", ',', '.', none},
        {"1,234.567", '.', ',', "1234567/3"},
        {"1,234.567,890", '.', ',', none},
        {"-1'000'000.00", '.', '\'', "-100000000/2"},
        {"1,234", ',', ',', none},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is_text(parsed(cases[i].text, cases[i].decimal, cases[i].group), cases[i].expected,
                "\"%s\" with decimal '%c' and group '%c'", cases[i].text, cases[i].decimal,
                cases[i].group ? cases[i].group : '-');
    kt_amount units;
    uint8_t decimals;
    is_int(kt_number_parse("1\0002", 3, '.', 0, &units, &decimals), KT_NUMBER_SYNTAX, "a NUL byte is not a digit");
    ok(kt_number_parse("12345678999", 8, '.', 0, &units, &decimals) == KT_NUMBER_OK && units == 12345678,
       "nothing behind the given size is read");
}

static void writing(void) {
    char buffer[KT_AMOUNT_TEXT];
    is_text(text_of(0, 2), "0.00", "nothing with two decimals");
    is_text(text_of(-5, 2), "-0.05", "five øre below zero");
    is_text(text_of(123456, 0), "123456", "no decimals, no point");
    is_text(text_of(-1, 18), "-0.000000000000000001", "the smallest unit of eighteen decimals");
    kt_amount_format(123456789, 2, ',', buffer);
    is_text(buffer, "1,234,567.89", "groups of three");
    kt_amount_format(12345, 2, ',', buffer);
    is_text(buffer, "123.45", "no group where three digits are all");
    kt_amount_format(-100000, 2, '.', buffer);
    is_text(buffer, "-1.000.00", "a separator is what the caller says");
    is_text(text_of(MAX128, 0), "170141183460469231731687303715884105727", "the largest 128-bit sum");
    size_t size = kt_amount_format(MIN128, 0, ',', buffer);
    is_text(buffer, "-170,141,183,460,469,231,731,687,303,715,884,105,728", "the smallest 128-bit sum");
    is_int((long long)size, (long long)strlen(buffer), "the length is returned");
    kt_amount_format(MIN128, 38, ',', buffer);
    is_text(buffer, "-1.70141183460469231731687303715884105728", "the most decimals that can be asked for");
}

typedef struct rounding_case {
    int amount;
    const char *exact, *half_even, *half_up, *down; /* of amount / 100 */
} rounding_case;

static const char *scaled(kt_amount amount, uint8_t from, uint8_t to, kt_rounding mode) {
    kt_amount out;
    return kt_amount_rescale(amount, from, to, mode, &out) ? text_of(out, 0) : "refused";
}

static const char *ratio(kt_amount amount, kt_amount numerator, kt_amount denominator, kt_rounding mode) {
    kt_amount out;
    return kt_amount_ratio(amount, numerator, denominator, mode, &out) ? text_of(out, 0) : "refused";
}

static void rounding(void) {
    static const rounding_case cases[] = {{100, "1", "1", "1", "1"},
                                          {149, "refused", "1", "1", "1"},
                                          {150, "refused", "2", "2", "1"},
                                          {151, "refused", "2", "2", "1"},
                                          {250, "refused", "2", "3", "2"},
                                          {-149, "refused", "-1", "-1", "-1"},
                                          {-150, "refused", "-2", "-2", "-1"},
                                          {-250, "refused", "-2", "-3", "-2"},
                                          {-251, "refused", "-3", "-3", "-2"},
                                          {50, "refused", "0", "1", "0"},
                                          {-50, "refused", "0", "-1", "0"},
                                          {-49, "refused", "0", "0", "0"},
                                          {0, "0", "0", "0", "0"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const rounding_case *c = &cases[i];
        is_text(scaled(c->amount, 2, 0, KT_ROUND_EXACT), c->exact, "%d/100 exactly", c->amount);
        is_text(scaled(c->amount, 2, 0, KT_ROUND_HALF_EVEN), c->half_even, "%d/100, half to even", c->amount);
        is_text(scaled(c->amount, 2, 0, KT_ROUND_HALF_UP), c->half_up, "%d/100, half away from zero", c->amount);
        is_text(scaled(c->amount, 2, 0, KT_ROUND_DOWN), c->down, "%d/100, towards zero", c->amount);
        is_text(ratio(c->amount, 1, 100, KT_ROUND_HALF_EVEN), c->half_even, "%d * 1/100, half to even", c->amount);
        is_text(ratio(c->amount, -3, -300, KT_ROUND_HALF_UP), c->half_up, "%d * -3/-300, half away", c->amount);
        is_text(ratio(-c->amount, 1, -100, KT_ROUND_DOWN), c->down, "%d * 1/-100, towards zero", -c->amount);
        is_text(ratio(c->amount, 7, 700, KT_ROUND_EXACT), c->exact, "%d * 7/700 exactly", c->amount);
    }
}

static void scaling_limits(void) {
    is_text(scaled(5, 0, 18, KT_ROUND_EXACT), "5000000000000000000", "up by eighteen decimals");
    is_text(scaled(MAX128, 2, 2, KT_ROUND_EXACT), "170141183460469231731687303715884105727", "nothing to do");
    is_text(scaled(MAX128, 0, 1, KT_ROUND_DOWN), "refused", "overflow upwards is refused");
    is_text(scaled(MIN128, 0, 1, KT_ROUND_DOWN), "refused", "and of the smallest");
    is_text(scaled(MIN128, 1, 0, KT_ROUND_DOWN), "-17014118346046923173168730371588410572", "the smallest comes down");
    is_text(scaled(1, 0, 38, KT_ROUND_EXACT), "100000000000000000000000000000000000000", "by 38 decimals");
    is_text(scaled(1, 0, 39, KT_ROUND_EXACT), "refused", "by 39 nothing fits");
    is_text(scaled(0, 0, 255, KT_ROUND_EXACT), "0", "except nothing");
    is_text(scaled(MAX128, 39, 0, KT_ROUND_HALF_UP), "0", "by 39 downwards nothing is left");
    is_text(scaled(MAX128, 255, 0, KT_ROUND_EXACT), "refused", "which is not exact");
    is_text(scaled(MAX128, 38, 0, KT_ROUND_HALF_UP), "2", "by 38 downwards");
}

static void ratio_limits(void) {
    kt_amount limit = kt_amount_limit();
    is_text(text_of(limit, 0), "1000000000000000000000000000000000000", "the limit is 10^36");
    is_text(ratio(1, 1, 0, KT_ROUND_DOWN), "refused", "a zero denominator is refused");
    is_text(ratio(limit, limit, limit, KT_ROUND_EXACT), text_of(limit, 0), "a product of 240 bits");
    is_text(ratio(-limit, limit - 1, limit, KT_ROUND_EXACT), "-999999999999999999999999999999999999",
            "and its neighbour");
    is_text(ratio(limit, limit, 1, KT_ROUND_DOWN), "refused", "a quotient beyond 128 bits is refused");
    is_text(ratio(MAX128, 2, 2, KT_ROUND_EXACT), text_of(MAX128, 0), "the largest survives");
    is_text(ratio(MIN128, -1, 1, KT_ROUND_EXACT), "refused", "the smallest has no positive twin");
    is_text(ratio(MIN128, -1, -1, KT_ROUND_EXACT), text_of(MIN128, 0), "but is itself");
    is_text(ratio(MIN128, MIN128, MIN128, KT_ROUND_EXACT), text_of(MIN128, 0), "and its square over itself");
    is_text(ratio(MAX128, MAX128, MIN128, KT_ROUND_HALF_UP), text_of(-(MAX128 - 1), 0), "(2^127-1)^2 / -2^127");
    is_text(ratio(MAX128, 3, 2, KT_ROUND_DOWN), "refused", "one and a half times the largest is refused");
    is_text(ratio(0, MIN128, 7, KT_ROUND_EXACT), "0", "nothing stays nothing");
    kt_amount sum;
    ok(!kt_amount_add(MAX128, 1, &sum), "a sum beyond 128 bits is refused");
    ok(kt_amount_add(MAX128, MIN128, &sum) && sum == -1, "a sum within is not");
}

/* Any 128-bit number, small ones as likely as large ones. */
static kt_amount any_amount(uint64_t *seed) {
    kt_amount high = (int64_t)test_random(seed);
    kt_amount wide = high * ((kt_amount)1 << 64) + (kt_amount)test_random(seed);
    return wide >> (test_random(seed) % 127);
}

/* Reads digit by digit in the plainest way. */
static bool plainly(const char *text, kt_amount *units, uint8_t *decimals) {
    kt_amount value = 0;
    bool behind = false;
    *decimals = 0;
    for (const char *at = text + (*text == '-'); *at; at++) {
        if (*at == '.') {
            behind = true;
            continue;
        }
        value = value * 10 + (*at - '0');
        *decimals = (uint8_t)(*decimals + behind);
        if (value > kt_amount_limit()) return false;
    }
    *units = *text == '-' ? -value : value;
    return true;
}

static void random_numbers(uint64_t seed) {
    int wrong_text = 0, wrong_plain = 0, wrong_group = 0;
    for (int i = 0; i < 200000; i++) {
        char text[KT_AMOUNT_TEXT];
        kt_amount amount = any_amount(&seed) % (kt_amount_limit() + 1), units = 0;
        uint8_t decimals = (uint8_t)(test_random(&seed) % (KT_DECIMALS_MAX + 1)), found = 0;
        size_t size = kt_amount_format(amount, decimals, 0, text);
        wrong_text += kt_number_parse(text, size, '.', 0, &units, &found) != KT_NUMBER_OK || units != amount ||
                      found != decimals;
        size = kt_amount_format(amount, decimals, '_', text);
        wrong_group += kt_number_parse(text, size, '.', '_', &units, &found) != KT_NUMBER_OK || units != amount ||
                       found != decimals;
        /* any digits at all */
        size_t digits = 1 + test_random(&seed) % 40;
        for (size_t d = 0; d < digits; d++) text[d] = (char)('0' + test_random(&seed) % 10);
        text[digits] = '\0';
        size_t point = test_random(&seed) % 45;
        if (point < digits && digits - point <= KT_DECIMALS_MAX + 1) text[point] = '.';
        if (strcmp(text, ".") == 0) continue;
        kt_amount plain = 0;
        uint8_t plain_decimals = 0;
        bool fits = plainly(text, &plain, &plain_decimals);
        kt_number_fault fault = kt_number_parse(text, digits, '.', 0, &units, &found);
        wrong_plain += fits ? fault != KT_NUMBER_OK || units != plain || found != plain_decimals
                            : fault != KT_NUMBER_OVERFLOW;
    }
    is_int(wrong_text, 0, "any amount goes to text and comes back");
    is_int(wrong_group, 0, "with groups too");
    is_int(wrong_plain, 0, "reading eight digits at a time is the same as reading one");
}

static void random_ratios(uint64_t seed) {
    int wrong_back = 0, wrong_small = 0, wrong_scale = 0;
    for (int i = 0; i < 100000; i++) {
        kt_amount amount = any_amount(&seed), other = any_amount(&seed), out, up;
        if (other && !(amount == MIN128 && other == -1))
            wrong_back += !kt_amount_ratio(amount, other, other, KT_ROUND_EXACT, &out) || out != amount;
        /* small enough for the compiler's own arithmetic */
        kt_amount a = amount >> 65, n = other >> 65, d = (kt_amount)(test_random(&seed) >> 3) + 1;
        if (kt_amount_ratio(a, n, d, KT_ROUND_DOWN, &out)) wrong_small += out != a * n / d;
        else wrong_small++;
        uint8_t steps = (uint8_t)(test_random(&seed) % 19);
        if (kt_amount_rescale(amount, 0, steps, KT_ROUND_EXACT, &up))
            wrong_scale += !kt_amount_rescale(up, steps, 0, KT_ROUND_EXACT, &out) || out != amount;
    }
    is_int(wrong_back, 0, "x * y / y is x, whatever the size of x * y");
    is_int(wrong_small, 0, "a ratio that fits 128 bits is the compiler's");
    is_int(wrong_scale, 0, "more decimals and back lose nothing");
}

static void currencies(void) {
    static const struct {
        const char *code;
        int decimals;
    } cases[] = {{"DKK", 2},  {"EUR", 2},  {"JPY", 0},  {"ISK", 0}, {"KWD", 3},   {"TND", 3}, {"CLF", 4},  {"UYW", 4},
                 {"AED", 2},  {"ZWG", 2},  {"BGN", 2},  {"BIF", 0}, {"XPF", 0},   {"BHD", 3}, {"XCG", 2},  {"XXX", -1},
                 {"XAU", -1}, {"dkk", -1}, {"DEM", -1}, {"DK", -1}, {"DKKK", -1}, {"", -1},   {"ZZZ", -1}, {"AAA", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is_int(kt_iso4217_decimals(cases[i].code, strlen(cases[i].code)), cases[i].decimals, "decimals of \"%s\"",
               cases[i].code);
    int known = 0;
    for (int n = 0; n < 26 * 26 * 26; n++) {
        char code[3] = {(char)('A' + n / 676), (char)('A' + n / 26 % 26), (char)('A' + n % 26)};
        known += kt_iso4217_decimals(code, 3) >= 0;
    }
    is_int(known, 171, "the table has each code that gives decimals once, in an order the search finds");
}

int main(void) {
    uint64_t seed = test_seed();
    reading();
    writing();
    rounding();
    scaling_limits();
    ratio_limits();
    random_numbers(seed);
    random_ratios(seed + 1);
    currencies();
    return done();
}
