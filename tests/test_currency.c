/* Currencies: each with its own number of decimals, from ISO 4217 or declared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

static kt_book *book;

static void from_iso(void) {
    kt_view *view = view_of(book);
    kt_currency one;
    is_code(kt_view_currency(view, KT_STR("JPY"), &one, &said), KT_OK, "a currency of ISO 4217 needs no declaration");
    ok(one.decimals == 0 && !one.declared && !one.posted, "and is not on record before it is used");
    is_code(kt_view_currency(view, KT_STR("XQZ"), &one, &said), KT_NOT_FOUND, "another is not known");
    kt_view_close(view);
    is_code(post(book, "2026-01-31 - 1000 1000 JPY / 2000 -1000 JPY"), KT_OK, "it is posted in");
    is_code(post(book, "2026-01-31 - 1000 1.5 KWD / 2000 -1.500 KWD"), KT_OK, "one with three decimals, too");
    view = view_of(book);
    is_code(kt_view_currency(view, KT_STR("JPY"), &one, &said), KT_OK, "and then");
    ok(one.declared && one.posted, "it is on record");
    kt_view_close(view);
    is_int((long long)balance_between(book, "1000", "JPY", "", ""), 1000, "without decimals an amount is its units");
    is_int((long long)balance_between(book, "1000", "KWD", "", ""), 1500, "with three a thousandth");
    is_code(post(book, "2026-01-31 - 1000 1.0 JPY / 2000 -1 JPY"), KT_OK, "decimals that are zero do no harm");
    is_code(post(book, "2026-01-31 - 1000 1.5 JPY / 2000 -1.5 JPY"), KT_INVALID, "half a yen is refused");
    has_text(said.text, "amount 1.5 has 1 decimals, JPY has 0", "saying what was found and what is kept");
    is_code(post(book, "2026-01-31 - 1000 0.005 / 2000 -0.005"), KT_INVALID, "half an øre, too");
    has_text(said.text, "amount 0.005 has 3 decimals, DKK has 2", "likewise");
}

static void declared(void) {
    is_code(post(book, "2026-01-31 - 1000 1 WEI / 2000 -1 WEI"), KT_UNKNOWN, "one that nobody declared is refused");
    has_text(said.text, "WEI is not on record and not in ISO 4217: declare it", "saying what to do");
    is_code(declare_currency(book, "WEI", 18), KT_OK, "18 decimals are kept");
    is_code(post(book, "2026-01-31 - 1000 1.000000000000000001 WEI / 2000 -1.000000000000000001 WEI"), KT_OK,
            "all of them");
    ok(balance_between(book, "1000", "WEI", "", "") == (kt_amount)1000000000000000001, "to the last");
    is_code(declare_currency(book, "SHARE", 0), KT_OK, "none are kept, too");
    is_code(declare_currency(book, "SHARE", 4), KT_OK, "they may change while nothing is posted");
    is_code(post(book, "2026-01-31 - 1000 0.0001 SHARE / 2000 -0.0001 SHARE"), KT_OK, "then it is posted");
    is_code(declare_currency(book, "SHARE", 2), KT_RULE, "and they stay");
    has_text(said.text, "currency SHARE has postings with 4 decimals: they cannot become 2", "saying why");
    is_code(declare_currency(book, "SHARE", 4), KT_OK, "saying the same again is no change");
    is_code(declare_currency(book, "USD", 4), KT_OK, "one of ISO 4217 may be declared finer");
    is_code(post(book, "2026-01-31 - 1000 0.0001 USD / 2000 -0.0001 USD"), KT_OK, "and is");
    is_code(declare_currency(book, "A currency of thirty-three bytes!", 2), KT_LIMIT,
            "a code has 32 bytes at the most");
    is_code(declare_currency(book, "A\x01", 2), KT_INVALID, "and no control characters");
}

static void in_a_batch(void) {
    uint8_t decimals = 99;
    bool posted = true;
    kt_batch *batch = begin(book);
    is_code(kt_batch_find_currency(batch, KT_STR("ISK"), &decimals, &posted, &said), KT_OK, "a batch knows ISO 4217");
    ok(decimals == 0 && !posted, "before it is used");
    is_code(add(batch, "2026-01-31 - 1000 3 ISK / 2000 -3 ISK", NULL), KT_OK, "and when it is");
    is_code(kt_batch_find_currency(batch, KT_STR("ISK"), &decimals, &posted, &said), KT_OK, "knows");
    ok(posted, "that it is posted");
    is_code(kt_batch_currency(batch, KT_STR("ISK"), 2, &said), KT_RULE, "so that its decimals stay");
    is_code(kt_batch_find_currency(batch, (kt_str){NULL, 0}, &decimals, &posted, &said), KT_OK,
            "the book's has no name");
    is_int(decimals, 2, "but decimals");
    is_code(kt_batch_find_currency(batch, KT_STR("XQZ"), &decimals, &posted, &said), KT_NOT_FOUND,
            "and another is unknown");
    kt_batch_abort(batch);
}

static void lists(void) {
    kt_view *view = view_of(book);
    kt_currency *all = NULL;
    size_t count = 0;
    unsigned unsorted = 0;
    is_code(kt_view_currencies(view, &all, &count, &said), KT_OK, "currencies are listed");
    is_int((long long)count, 6, "those on record");
    for (size_t i = 1; i < count; i++) unsorted += memcmp(all[i - 1].code.data, all[i].code.data, 3) >= 0;
    is_int(unsorted, 0, "by code");
    free(all);
    kt_view_close(view);
}

static void of_the_book(void) {
    kt_create_options options = {.company = {.currency = KT_STR("BTC")}, .decimals_given = true, .decimals = 8};
    kt_book *other = make_book_with("coins", &options);
    is_code(post(other, "2026-01-31 - 1000 0.00000001 / 2000 -0.00000001"), KT_OK,
            "a book may be kept in any currency");
    is_int((long long)balance(other, "1000"), 1, "in its units");
    is_code(post(other, "2026-01-31 - 1000 0.000000001 / 2000 -0.000000001"), KT_INVALID, "and no finer");
    is_code(declare_currency(other, "BTC", 2), KT_RULE, "which stays once it is posted");
    kt_book_close(other);
    options.company.currency = KT_STR("DKK");
    options.decimals = 0;
    other = make_book_with("crowns", &options);
    is_code(post(other, "2026-01-31 - 1000 0.50 / 2000 -0.50"), KT_INVALID, "a book in whole crowns takes no halves");
    is_code(declare_currency(other, "DKK", 2), KT_OK, "until that is changed, while nothing is posted");
    is_code(post(other, "2026-01-31 - 1000 0.50 / 2000 -0.50"), KT_OK, "and then it does");
    is_int((long long)balance(other, "1000"), 50, "in hundredths");
    kt_book_close(other);
    is_sound("crowns", "such a book verifies");
    kt_create_options unknown = {.company = {.entity = KT_STR("Acme"), .currency = KT_STR("XQZ")}};
    is_code(kt_book_create(path_of("none"), &unknown, &said), KT_UNKNOWN,
            "a book in an unknown currency takes its decimals");
    has_text(said.text, "XQZ", "which is said");
    options.decimals = 19;
    options.company.entity = KT_STR("Acme");
    is_code(kt_book_create(path_of("none"), &options, &said), KT_LIMIT, "and not 19 of them");
}

/* What an account has in a currency, in the book's. */
static kt_amount book_balance(kt_book *of, const char *account) {
    kt_view *view = view_of(of);
    kt_balance *rows = NULL;
    size_t count = 0;
    kt_amount sum = 0;
    is_code(kt_balances(view, NULL, &rows, &count, &said), KT_OK, "balances are read");
    for (size_t i = 0; i < count; i++)
        if (kt_str_equal(rows[i].account, kt_str_from(account))) sum += rows[i].book_balance;
    free(rows);
    kt_view_close(view);
    return sum;
}

static kt_code import_text(kt_book *into, const char *text) {
    kt_import_options options = {.create_accounts = true};
    FILE *out = fopen(path_of("in.journal"), "w");
    if (!out) return KT_IO;
    fputs(text, out);
    fclose(out);
    return kt_import(into, path_of("in.journal"), &options, NULL, &said);
}

/* A currency that lines only count in is kept in amounts like any other. */
static void counted_in(void) {
    kt_book *other = make_book("costs");
    is_code(post(other, "2026-01-31 - 1000 100 USD @@ 700 / 1100 -90 EUR @@ -700"), KT_OK,
            "dollars for euros, both worth 700 crowns");
    is_code(declare_currency(other, "DKK", 4), KT_RULE, "the crowns keep their decimals, though no line is in crowns");
    has_text(said.text, "currency DKK has postings with 2 decimals: they cannot become 4", "saying why");
    is_code(post(other, "2026-01-31 - 1000 5 SEK @@ 10 GBP / 1100 -5 PLN @@ -10 GBP"), KT_OK,
            "and crowns of Sweden for złoty, both worth 10 pounds");
    is_code(declare_currency(other, "GBP", 3), KT_RULE, "the pounds keep theirs");
    uint8_t decimals = 0;
    bool posted = false;
    kt_batch *batch = begin(other);
    is_code(kt_batch_find_currency(batch, KT_STR("GBP"), &decimals, &posted, &said), KT_OK, "a batch knows");
    ok(posted && decimals == 2, "that they are posted");
    is_code(add(batch, "2026-01-31 - 1000 7 NOK @@ 9 CHF / 1100 -7 NOK @@ -9 CHF", NULL), KT_OK, "what it just added");
    is_code(kt_batch_currency(batch, KT_STR("CHF"), 3, &said), KT_RULE, "counts at once");
    kt_batch_abort(batch);
    char *before = told(other);
    is_code(import_text(other, "2026-02-02 tiny\n    Assets:A    1.2345 DKK\n    Assets:B\n"), KT_INVALID,
            "nor do they change by a file that writes more of them");
    is_code(import_text(other, "2026-02-02 tiny\n    Assets:A    1.23456 GBP\n    Assets:B\n"), KT_INVALID,
            "in either currency");
    is_untouched(other, before, "and nothing of it is stored");
    ok(book_balance(other, "1000") == 70000, "700 crowns are 700 crowns");
    is_code(import_text(other, "2026-02-02 fine\n    Assets:A    1.234 TND\n    Assets:B\n"), KT_OK,
            "another currency comes with the decimals it has");
    kt_book_close(other);
    is_sound("costs", "the book verifies");
}

int main(void) {
    book = make_book("book");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "something is posted");
    from_iso();
    declared();
    in_a_batch();
    lists();
    of_the_book();
    counted_in();
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
