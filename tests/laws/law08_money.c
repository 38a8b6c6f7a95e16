/* Law 8: money is counted in whole smallest units; rounding has one place and its remainder is booked. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bookkeeping.h"

static kt_book *book;

static kt_code rounded(const char *entries) {
    kt_batch_options options = {.rounding_account = KT_STR("5900")};
    return post_with(book, &options, entries);
}

static void remainder_booked(void) {
    const char *entry = "2026-01-31 - 1100 3.33 EUR @@ 24.8085 / 1000 -24.80";
    is_code(post(book, entry), KT_UNBALANCED, "what a rate leaves over is refused where no account takes it");
    has_text(said.text, "off by 0.01 DKK", "to the unit");
    is_code(rounded(entry), KT_OK, "and booked where one does");
    is_int((long long)balance(book, "5900"), -1, "to the unit");
    is_int((long long)balance(book, "1000"), -2480, "the other lines are as they were given");
    is_code(rounded("2026-01-31 - 1100 3.33 EUR @@ 24.8285 / 1000 -24.80"), KT_UNBALANCED,
            "more than a unit for each rate is no rounding but a mistake");
    is_code(rounded("2026-01-31 - 1000 10.00 / 2000 -9.99"), KT_UNBALANCED, "nor is anything where there is no rate");
    is_code(rounded("2026-01-31 - 1100 1 EUR @@ 7.455 / 1100 1 EUR / 1000 -7.45"), KT_UNBALANCED,
            "nor what is off in another currency");
    is_code(rounded("2026-01-31 - 1000 1.005 / 2000 -1.005"), KT_INVALID, "an amount is never rounded, only a cost");
}

/* What a cost as written comes to in the book: the other line takes it, and nothing is left over. */
static void comes_to(const char *cost, const char *units) {
    char entry[200];
    snprintf(entry, sizeof entry, "2026-02-01 - 1100 %s EUR @@ %s / 1000 %s", cost[0] == '-' ? "-1" : "1", cost, units);
    is_code(post(book, entry), KT_OK, "a cost of %s comes to %s turned", cost, units);
}

static void half_even(void) {
    comes_to("0.125", "-0.12");
    comes_to("0.135", "-0.14");
    comes_to("0.145", "-0.14");
    comes_to("0.135000000000000001", "-0.14");
    comes_to("0.125000000000000001", "-0.13");
    comes_to("-0.125", "0.12");
    comes_to("-0.135", "0.14");
    comes_to("0.0049", "0");
}

static void exact_sums(void) {
    const kt_amount limit = (kt_amount)1000000000000000 * 1000000000000000;
    kt_batch *batch = begin(book);
    kt_line lines[] = {{.amount = limit, .account = KT_STR("3000")}, {.amount = -limit, .account = KT_STR("4000")}};
    kt_entry entry = {.date = day("2026-03-31"), .lines = lines, .line_count = 2};
    kt_code code = KT_OK;
    for (unsigned i = 0; i < 1000 && code == KT_OK; i++) code = kt_batch_add(batch, &entry, NULL, &said);
    is_code(code, KT_OK, "a thousand of the largest amounts are added");
    is_code(kt_batch_commit(batch, NULL, &said), KT_OK, "and posted");
    is_code(post(book, "2026-03-31 - 3000 0.01 / 4000 -0.01"), KT_OK, "and one unit");
    ok(balance(book, "3000") == 1000 * limit + 1, "sums are exact where a double would have lost 17 digits");
    ok(balance(book, "4000") == -1000 * limit - 1, "on both sides");
}

/* n * rate in ten-thousandths, rounded half-even to hundredths. */
static long long half_even_of(long long product) {
    long long quotient = product / 100, rest = product % 100;
    if (rest > 50 || (rest == 50 && quotient % 2 != 0)) quotient++;
    return quotient;
}

static void random_rates(void) {
    uint64_t random = test_seed();
    long long left = (long long)balance(book, "5900"), bank = (long long)balance(book, "1000");
    kt_batch_options options = {.rounding_account = KT_STR("5900")};
    kt_batch *batch = NULL;
    kt_code code = kt_batch_begin(book, &options, &batch, NULL, &said);
    for (unsigned i = 0; i < 3000 && code == KT_OK; i++) {
        long long amount = 1 + (long long)pick(&random, 10000), rate = 70000 + (long long)pick(&random, 10000);
        long long cost = half_even_of(amount * rate / 100); /* the product cut to four decimals */
        long long paid = cost + (long long)pick(&random, 3) - 1;
        kt_line lines[] = {{.amount = amount,
                            .account = KT_STR("1100"),
                            .currency = KT_STR("EUR"),
                            .has_cost = true,
                            .cost = amount * rate / 100,
                            .cost_given = KT_AS_WRITTEN(4)},
                           {.amount = -paid, .account = KT_STR("1000")}};
        kt_entry entry = {.date = day("2026-04-01"), .lines = lines, .line_count = 2};
        code = kt_batch_add(batch, &entry, NULL, &said);
        left += paid - cost;
        bank -= paid;
    }
    is_code(code, KT_OK, "random rates are posted (%s)", code == KT_OK ? "" : said.text);
    is_code(kt_batch_commit(batch, NULL, &said), KT_OK, "and committed");
    is_int((long long)balance(book, "5900"), left, "the rounding account holds what was left over, to the unit");
    is_int((long long)balance(book, "1000"), bank, "and the bank what was paid");
}

static void sums_to_zero(void) {
    kt_view *view = view_of(book);
    kt_balance *rows = NULL;
    size_t count = 0;
    kt_amount sum = 0;
    is_code(kt_balances(view, NULL, &rows, &count, &said), KT_OK, "the trial balance is read");
    for (size_t i = 0; i < count; i++) sum += rows[i].book_balance;
    ok(sum == 0, "and sums to zero in the book's currency");
    free(rows);
    kt_view_close(view);
}

int main(void) {
    book = make_book("book");
    remainder_booked();
    half_even();
    exact_sums();
    random_rates();
    sums_to_zero();
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
