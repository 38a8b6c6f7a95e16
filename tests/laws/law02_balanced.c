/* Law 2: every entry sums to zero in the book's currency, and in each other one unless its lines carry rates. */
#include <stdlib.h>

#include "tests/bookkeeping.h"

static kt_book *book;
static const char *const currencies[] = {"", "EUR", "USD", "JPY"};

static void refuses(const char *entry, kt_code code, const char *law) {
    char *before = told(book);
    is_code(post(book, entry), code, "%s is refused", law);
    diag("%s", said.text);
    is_untouched(book, before, "%s: nothing is stored", law);
}

static void plain(void) {
    is_code(post(book, "2026-01-31 - 1000 100.00 / 2000 -100.00"), KT_OK, "a balanced entry is posted");
    refuses("2026-01-31 - 1000 100.00 / 2000 -99.99", KT_UNBALANCED, "an entry that is off by a smallest unit");
    has_text(said.text, "off by 0.01 DKK", "the refusal says by how much, in which currency");
    refuses("2026-01-31 - 1000 100.00", KT_UNBALANCED, "an entry of one line");
    is_code(post(book, "2026-01-31 - 1000 0"), KT_OK, "one line of nothing sums to zero");
    refuses("2026-01-31 - 1000 100.00 / 2000 -100.00 EUR", KT_UNBALANCED, "an entry of two currencies without rates");
    is_code(post(book, "2026-01-31 - 1000 10 / 2000 -10 / 1100 5 EUR / 3000 -5 EUR"), KT_OK,
            "an entry that balances in each of its currencies is posted");
    refuses("2026-01-31 - 1000 10 / 2000 -10 / 1100 5 EUR / 3000 -4 EUR", KT_UNBALANCED,
            "an entry that is off in another currency than the book's");
    has_text(said.text, "EUR", "the refusal names that currency");
}

static void rates(void) {
    is_code(post(book, "2026-02-01 - 1000 -745.00 / 1100 100 EUR @@ 745.00"), KT_OK, "a rate gives the line a weight");
    is_int((long long)balance_between(book, "1100", "EUR", "2026-02-01", ""), 10000, "which keeps its own amount");
    refuses("2026-02-01 - 1000 -745.01 / 1100 100 EUR @@ 745.00", KT_UNBALANCED,
            "an entry that its rates do not balance");
    refuses("2026-02-01 - 1000 745.00 / 1100 -100 EUR @@ 745.00", KT_INVALID, "a cost of another sign than the amount");
    refuses("2026-02-01 - 1100 100 EUR @@ 100 EUR / 1000 -100", KT_INVALID, "a cost in the line's own currency");
    is_code(post(book, "2026-02-01 - 1000 -745.00 @@ -100 EUR / 1100 100 EUR"), KT_OK,
            "a rate written on the book's own line is turned to the foreign lines");
    is_int((long long)balance_between(book, "1100", "EUR", "2026-02-01", ""), 20000, "and the amounts stay");
    refuses("2026-02-01 - 1000 -745.00 @@ -100 EUR / 1100 745", KT_UNBALANCED, "a turned rate that no line takes");
    is_code(post(book, "2026-02-01 - 1100 100 USD @@ 90 EUR / 2000 -90 EUR"), KT_OK,
            "a cost in a third currency weighs there");
    refuses("2026-02-01 - 1100 100 USD @@ 90 EUR / 2000 -90", KT_UNBALANCED, "and nowhere else");
    is_code(post(book, "2026-02-01 - 1100 0 EUR @@ 5 / 4000 -5"), KT_OK,
            "a revaluation moves no amount, only its worth");
}

/* A turned rate is shared by weight, however the amounts are given. */
static void shared(void) {
    kt_line lines[] = {
        {.amount = -7450, .account = KT_STR("1000"), .has_cost = true, .cost = -1000, .cost_currency = KT_STR("EUR")},
        {.amount = 500, .account = KT_STR("1100"), .currency = KT_STR("EUR")},
        {.amount = 5, .account = KT_STR("5000"), .currency = KT_STR("EUR"), .amount_given = KT_AS_WRITTEN(0)}};
    kt_entry entry = {.date = day("2026-02-02"), .lines = lines, .line_count = 3};
    kt_batch *batch = begin(book);
    uint64_t number = 0;
    is_code(kt_batch_add(batch, &entry, &number, &said), KT_OK, "a turned rate on two lines");
    is_code(kt_batch_commit(batch, NULL, &said), KT_OK, "is posted");
    kt_view *view = view_of(book);
    kt_entry_view *read = NULL;
    is_code(kt_entry_read(view, number, &read, &said), KT_OK, "the entry is read");
    if (read) {
        is_int((long long)read->entry.lines[1].cost, 3725, "five euros in cents take half of it");
        is_int((long long)read->entry.lines[2].cost, 3725, "five euros as written the other half");
    }
    kt_entry_view_free(read);
    kt_view_close(view);
}

/* Amounts as nobody should give them. */
static kt_code odd(kt_amount a, uint8_t a_given, kt_amount b, uint8_t b_given) {
    kt_line lines[] = {{.amount = a, .account = KT_STR("1000"), .amount_given = a_given},
                       {.amount = b, .account = KT_STR("2000"), .amount_given = b_given}};
    kt_entry entry = {.date = day("2026-03-01"), .lines = lines, .line_count = 2};
    kt_batch *batch = begin(book);
    kt_code code = kt_batch_add(batch, &entry, NULL, &said);
    kt_batch_abort(batch);
    return code;
}

static void edges(void) {
    const kt_amount limit = (kt_amount)1000000000000000 * 1000000000000000;
    const kt_amount least = -(kt_amount)INT64_MAX * INT64_MAX * 2 - (kt_amount)INT64_MAX * 4 - 2; /* -2^127 */
    char *before = told(book);
    is_code(odd(limit, 0, -limit, 0), KT_OK, "10^30 units is kept");
    is_code(odd(limit + 1, 0, -limit - 1, 0), KT_OVERFLOW, "one more is not");
    is_code(odd(least, 0, least, 0), KT_OVERFLOW, "nor the smallest 128-bit number");
    is_code(odd(least, KT_AS_WRITTEN(0), -1, 0), KT_OVERFLOW, "however it is written");
    is_code(odd(limit, KT_AS_WRITTEN(0), -limit, KT_AS_WRITTEN(0)), KT_OVERFLOW, "nor 10^30 whole crowns");
    is_code(odd(5, 255, -5, 255), KT_INVALID, "254 decimals are refused");
    is_code(odd(0, 255, 0, 255), KT_INVALID, "of nothing, too");
    kt_line wild[] = {
        {.amount = least, .account = KT_STR("1000"), .has_cost = true, .cost = -1, .cost_currency = KT_STR("EUR")},
        {.amount = least, .account = KT_STR("1000"), .has_cost = true, .cost = -1, .cost_currency = KT_STR("EUR")},
        {.amount = least, .account = KT_STR("1100"), .currency = KT_STR("EUR")}};
    kt_entry turned = {.date = day("2026-03-01"), .lines = wild, .line_count = 3};
    kt_batch *wild_batch = begin(book);
    is_code(kt_batch_add(wild_batch, &turned, NULL, &said), KT_OVERFLOW,
            "rates on lines beyond all bounds are refused");
    wild[0].cost_given = 255;
    wild[0].currency = KT_STR("USD");
    wild[0].amount = -1;
    turned.line_count = 1;
    is_code(kt_batch_add(wild_batch, &turned, NULL, &said), KT_INVALID, "and a cost with 254 decimals");
    kt_batch_abort(wild_batch);
    is_code(odd(limit, 0, -limit + 1, 0), KT_UNBALANCED, "one unit in 10^30 is seen");
    kt_line *lines = calloc(1000, sizeof *lines);
    for (unsigned i = 0; i < 1000; i++)
        lines[i] = (kt_line){.amount = i % 2 ? -limit : limit, .account = KT_STR("1000")};
    kt_entry entry = {.date = day("2026-03-01"), .lines = lines, .line_count = 1000};
    kt_batch *batch = begin(book);
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_OK, "a thousand of the largest add up");
    entry.line_count = 999;
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_UNBALANCED, "and are off by the largest when one is missing");
    entry.line_count = 0;
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_INVALID, "an entry without lines is refused");
    kt_batch_abort(batch);
    free(lines);
    is_untouched(book, before, "edges leave nothing");
}

/* An entry at random; what it weighs in each currency is counted apart from the engine. */
struct weighed {
    kt_line lines[6];
    size_t count;
    kt_amount weights[4];
};

static void draw_line(uint64_t *random, struct weighed *out) {
    static const char *const accounts[] = {"1000", "1100", "2000", "3000"};
    kt_line *line = &out->lines[out->count++];
    size_t currency = pick(random, 4), cost = pick(random, 4);
    *line = (kt_line){.amount = (kt_amount)pick(random, 7) - 3,
                      .account = kt_str_from(accounts[pick(random, 4)]),
                      .currency = kt_str_from(currencies[currency])};
    if (pick(random, 3) == 0 && cost != currency && currency != 0) {
        line->has_cost = true;
        line->cost_currency = kt_str_from(currencies[cost]);
        line->cost = line->amount * (kt_amount)(1 + pick(random, 3));
        out->weights[cost] += line->cost;
    } else {
        out->weights[currency] += line->amount;
    }
}

/* Closes what is open in a currency, sometimes wrongly. */
static void close_off(uint64_t *random, struct weighed *out) {
    for (size_t c = 0; c < 4; c++) {
        if (out->weights[c] == 0 || out->count == 6 || pick(random, 5) == 0) continue;
        kt_amount amount = -out->weights[c] + (pick(random, 6) == 0);
        out->lines[out->count++] = (kt_line){
            .amount = amount, .account = KT_STR("5000"), .currency = kt_str_from(currencies[c])};
        out->weights[c] += amount;
    }
}

static void random_entries(void) {
    uint64_t random = test_seed();
    unsigned wrong = 0, taken = 0, refused = 0;
    kt_batch *batch = begin(book);
    for (unsigned i = 0; i < 20000; i++) {
        struct weighed entry = {.count = 0};
        for (uint64_t lines = 1 + pick(&random, 3); lines > 0; lines--) draw_line(&random, &entry);
        close_off(&random, &entry);
        bool balanced = true;
        for (size_t c = 0; c < 4; c++) balanced &= entry.weights[c] == 0;
        kt_entry given = {
            .date = day("2026-04-01") + (kt_day)pick(&random, 60), .lines = entry.lines, .line_count = entry.count};
        kt_code code = kt_batch_add(batch, &given, NULL, &said);
        if (code != (balanced ? KT_OK : KT_UNBALANCED)) {
            if (wrong++ == 0) diag("entry %u, %s: %s", i, balanced ? "balanced" : "lopsided", said.text);
        }
        taken += code == KT_OK;
        refused += code == KT_UNBALANCED;
    }
    is_int(wrong, 0, "a random entry is accepted exactly where each of its weights sums to zero");
    ok(taken > 1000 && refused > 1000, "both happened often (%u accepted, %u refused)", taken, refused);
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "what was accepted is committed");
    is_int((long long)receipt.entries, taken, "all of it and nothing else");
}

int main(void) {
    book = make_book("book");
    is_code(post(book, "2026-01-01 - 1100 1 EUR / 3000 -1 EUR / 1100 1 USD / 3000 -1 USD / 1100 1 JPY / 3000 -1 JPY"),
            KT_OK, "all currencies are on record");
    plain();
    rates();
    shared();
    edges();
    random_entries();
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
