/* Law 12: bad input is refused by saying what is wrong, and leaves everything as it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

static kt_book *book;
static char long_text[KT_TEXT_MAX + 2];

/* ---- every refusal of an entry ---- */

static kt_code give(const kt_entry *entry) {
    kt_batch *batch = begin(book);
    kt_code code = kt_batch_add(batch, entry, NULL, &said);
    if (code == KT_OK) kt_batch_abort(batch);
    else (void)kt_batch_commit(batch, &receipt, NULL);
    return code;
}

static void refuses(const kt_entry *entry, kt_code code, const char *part, const char *law) {
    char *before = told(book);
    is_code(give(entry), code, "%s is refused", law);
    has_text(said.text, part, "%s: and named", law);
    is_untouched(book, before, "%s: nothing changed", law);
}

static void entry_refused(const char *text, kt_code code, const char *part, const char *law) {
    entry_room room;
    refuses(entry_of(&room, text), code, part, law);
}

static void forms(void) {
    kt_line lines[] = {{.amount = 1, .account = KT_STR("1000")}, {.amount = -1, .account = KT_STR("2000")}};
    kt_entry good = {.date = day("2026-01-31"), .lines = lines, .line_count = 2};
    kt_entry bad = good;
    is_code(give(&good), KT_OK, "the entry that the others are made from is good");
    bad.line_count = 0;
    refuses(&bad, KT_INVALID, "without lines", "an entry without lines");
    bad.line_count = KT_LINES_MAX + 1;
    refuses(&bad, KT_LIMIT, "1000001 lines", "an entry of too many lines");
    bad = good;
    bad.date = KT_DAY_NONE;
    refuses(&bad, KT_INVALID, "date", "an entry without a date");
    bad.date = KT_DAY_MAX + 1;
    refuses(&bad, KT_INVALID, "date", "an entry of the year 10000");
    bad = good;
    bad.voucher = (kt_str){long_text, KT_VOUCHER_MAX + 1};
    refuses(&bad, KT_LIMIT, "the voucher has 65 bytes", "a voucher that is too long");
    bad.voucher = KT_STR("a\0b");
    refuses(&bad, KT_INVALID, "NUL", "a voucher with a NUL byte");
    bad = good;
    bad.series = (kt_str){long_text, KT_SERIES_MAX + 1};
    refuses(&bad, KT_LIMIT, "the series", "a series that is too long");
    bad = good;
    bad.text = (kt_str){long_text, KT_TEXT_MAX + 1};
    refuses(&bad, KT_LIMIT, "the text has 4097 bytes", "a text that is too long");
    bad.text = KT_STR("\xc3(");
    refuses(&bad, KT_INVALID, "not UTF-8", "a text that is no UTF-8");
    bad = good;
    bad.ref = (kt_str){long_text, KT_REF_MAX + 1};
    refuses(&bad, KT_LIMIT, "the reference", "a reference that is too long");
}

/* What is shown as it is holds nothing that a terminal would obey: neither does the refusal. */
static void is_plain(const char *text, const char *law) {
    bool plain = true;
    for (const char *at = text; *at; at++)
        plain = plain && (unsigned char)*at >= 0x20 && *at != 0x7f && strncmp(at, "\xc2\x9b", 2) != 0;
    ok(plain, "%s: and shown without it", law);
}

static void controls(void) {
    static const char *const bad[] = {"V\x1b[31m", "V\n1", "V\t", "\x01", "V\x7f", "V\xc2\x9b[31m"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kt_str text = kt_str_from(bad[i]);
        kt_line lines[] = {{.amount = 1, .account = KT_STR("1000")}, {.amount = -1, .account = KT_STR("2000")}};
        kt_entry entry = {.date = day("2026-01-31"), .lines = lines, .line_count = 2}, with = entry;
        with.voucher = text;
        refuses(&with, KT_INVALID, "the voucher has a control character", "a voucher with a control character");
        is_plain(said.text, "the voucher");
        with = entry;
        with.series = text;
        refuses(&with, KT_INVALID, "the series has a control character", "a series with one");
        with = entry;
        with.ref = text;
        refuses(&with, KT_INVALID, "the reference has a control character", "a reference with one");
        lines[0].ref = text;
        refuses(&entry, KT_INVALID, "a line's reference has a control character", "a line's reference with one");
        lines[0].ref = (kt_str){NULL, 0};
        lines[1].tax_code = text;
        refuses(&entry, KT_INVALID, "a line's tax code has a control character", "a tax code with one");
        is_plain(said.text, "the tax code");
        lines[1].tax_code = (kt_str){NULL, 0};
        kt_dimension value = {1, text};
        lines[1].dimensions = &value;
        lines[1].dimension_count = 1;
        refuses(&entry, KT_INVALID, "a value of dimension 1 is not UTF-8 or has a control character",
                "a dimension's value with one");
        is_plain(said.text, "the dimension's value");
    }
    kt_line lines[] = {{.amount = 1, .account = KT_STR("1000")}, {.amount = -1, .account = KT_STR("2000")}};
    kt_entry entry = {.date = day("2026-01-31"), .text = KT_STR("two\nlines"), .lines = lines, .line_count = 2};
    is_code(give(&entry), KT_OK, "a text may have lines");
    entry.voucher = KT_STR("Æ\xc2\xa0-1");
    is_code(give(&entry), KT_OK, "and a voucher any letters");
}

static void line_refused(kt_line line, kt_code code, const char *part, const char *law) {
    kt_line lines[] = {line, {.amount = -1, .account = KT_STR("2000")}};
    kt_entry entry = {.date = day("2026-01-31"), .lines = lines, .line_count = 2, .file = "in.csv", .file_line = 17};
    refuses(&entry, code, part, law);
    has_text(said.text, "in.csv:17: ", "%s: with its place", law);
}

static void lines(void) {
    kt_dimension falling[] = {{2, KT_STR("A")}, {1, KT_STR("B")}}, twelfth = {12, KT_STR("A")}, empty = {1, {NULL, 0}};
    kt_dimension broken = {1, KT_STR("\xff")}, longest = {1, {long_text, KT_DIMENSION_VALUE_MAX + 1}};
    kt_line good = {.amount = 1, .account = KT_STR("1000")}, bad = good;
    bad.account = (kt_str){NULL, 0};
    line_refused(bad, KT_INVALID, "without an account", "a line without an account");
    bad.account = KT_STR("9999");
    line_refused(bad, KT_UNKNOWN, "account 9999 is not on record", "an account that is not there");
    bad.account = (kt_str){long_text, sizeof long_text - 1};
    line_refused(bad, KT_UNKNOWN, "is not on record", "an account's code beyond all bounds");
    bad = good;
    bad.currency = KT_STR("XQZ");
    line_refused(bad, KT_UNKNOWN, "XQZ", "a currency that nobody knows");
    bad.currency = KT_STR("EUR");
    line_refused(bad, KT_UNBALANCED, "EUR", "a line in a currency that nothing balances");
    bad = good;
    bad.amount_given = KT_AS_WRITTEN(3);
    line_refused(bad, KT_INVALID, "0.001 has 3 decimals, DKK has 2", "an amount with too many decimals");
    bad = good;
    bad.dimension_count = 2;
    bad.dimensions = falling;
    line_refused(bad, KT_INVALID, "rising", "dimensions in no order");
    bad.dimension_count = 1;
    bad.dimensions = &twelfth;
    line_refused(bad, KT_INVALID, "from 1 to 11", "a twelfth dimension");
    bad.dimensions = &empty;
    line_refused(bad, KT_LIMIT, "0 bytes", "an empty value of a dimension");
    bad.dimensions = &longest;
    line_refused(bad, KT_LIMIT, "65 bytes", "one that is too long");
    bad.dimensions = &broken;
    line_refused(bad, KT_INVALID, "UTF-8", "or no UTF-8");
    bad = good;
    bad.tax_code = (kt_str){long_text, KT_SERIES_MAX + 1};
    line_refused(bad, KT_LIMIT, "tax code", "a tax code that is too long");
    bad = good;
    bad.text = KT_STR("\xed\xa0\x80");
    line_refused(bad, KT_INVALID, "line's text", "half a surrogate in a line's text");
}

/* Batch ids and the company's facts are shown as they are, too. */
static void controls_of_batches(void) {
    static const char *const bad[] = {"B\x1b[31m", "B\t", "\x01", "B\x7f", "B\xc2\x9b[31m", "B\n1"};
    static const char *const names[] = {"entity", "company number", "VAT number", "calendar", "time zone", "address"};
    char *before = told(book);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kt_str text = kt_str_from(bad[i]);
        kt_batch *batch = NULL;
        kt_batch_options options = {.id = text};
        is_code(kt_batch_begin(book, &options, &batch, NULL, &said), KT_LIMIT, "a batch id with a control character");
        has_text(said.text, "without control characters", "is refused by saying so");
        is_plain(said.text, "the batch id");
        kt_batch_abort(batch);
        kt_company facts[] = {{.entity = text},   {.company_number = text}, {.vat_number = text},
                              {.calendar = text}, {.time_zone = text},      {.address = text}};
        for (size_t k = 0; k < sizeof facts / sizeof *facts; k++) {
            bool lines = strchr(bad[i], '\n') && strcmp(names[k], "address") == 0;
            batch = begin(book);
            kt_code code = kt_batch_company(batch, day("2026-01-01"), &facts[k], &said);
            is_code(code, lines ? KT_OK : KT_INVALID, "the company's %s with %s", names[k],
                    lines ? "a line feed is taken" : "one is refused");
            if (!lines) has_text(said.text, "has a control character", "by what it is");
            if (!lines) is_plain(said.text, "the company's fact");
            kt_batch_abort(batch);
        }
    }
    is_untouched(book, before, "and nothing of it is stored");
}

static void meaning(void) {
    entry_refused("2026-01-31 V9 1000 1 / 2000 -2", KT_UNBALANCED, "voucher V9: ", "a lopsided entry");
    entry_refused("2026-01-31 V1 1000 1 / 2000 -1", KT_DUPLICATE, "fiscal year 2026", "a voucher used before");
    entry_refused("2025-12-31 - 1000 1 / 2000 -1", KT_CLOSED, "period 2025-12", "an entry in a closed month");
    entry_refused("2026-01-31 - 1300 1 / 2000 -1", KT_CLOSED, "account 1300 is closed from 2026-01-01",
                  "a closed account");
    entry_refused("2026-01-31 - 1310 1 / 2000 -1", KT_CLOSED, "account 1310 opens on 2027-01-01",
                  "an account not yet open");
    entry_refused("2026-01-31 - 1100 -1 / 2000 1", KT_RULE, "may not go below zero", "a balance rule");
    entry_refused("2026-01-31 - 1320 1 / 2000 -1", KT_RULE, "1320 takes EUR only, found DKK",
                  "an account of one currency");
}

/* ---- registers ---- */

static void registers(void) {
    char *before = told(book);
    kt_account account = {.code = KT_STR("1400"), .open_from = KT_DAY_NONE, .closed_from = KT_DAY_NONE}, bad = account;
    bad.code = (kt_str){NULL, 0};
    is_code(open_account(book, &bad), KT_LIMIT, "an account without a code is refused");
    bad.code = (kt_str){long_text, KT_ACCOUNT_CODE_MAX + 1};
    is_code(open_account(book, &bad), KT_LIMIT, "one with a code that is too long");
    bad = account;
    bad.code = KT_STR("14\n00");
    is_code(open_account(book, &bad), KT_INVALID, "one with a line feed");
    bad.code = KT_STR("14\xc2\x9b"
                      "00");
    is_code(open_account(book, &bad), KT_INVALID, "or another control character");
    bad = account;
    bad.type = (kt_account_type)17;
    is_code(open_account(book, &bad), KT_USAGE, "one of no type there is");
    bad = account;
    bad.rule = (kt_balance_rule)17;
    is_code(open_account(book, &bad), KT_USAGE, "one of no rule there is");
    bad = account;
    bad.parent = KT_STR("none");
    is_code(open_account(book, &bad), KT_UNKNOWN, "one below another that is not there");
    bad = account;
    bad.currency = KT_STR("XQZ");
    is_code(open_account(book, &bad), KT_UNKNOWN, "one in a currency that nobody knows");
    is_code(declare_currency(book, "SHARE", 19), KT_LIMIT, "a currency of 19 decimals");
    is_code(declare_currency(book, "", 2), KT_LIMIT, "one without a code");
    is_code(declare_currency(book, "A\x7f", 2), KT_INVALID, "one with a control character");
    is_code(declare_currency(book, "DKK", 3), KT_RULE, "other decimals for what is posted");
    kt_batch *batch = begin(book);
    is_code(kt_batch_period_close(batch, KT_DAY_NONE, &said), KT_INVALID, "a month that is none");
    is_code(kt_batch_reverse(batch, 0, day("2026-01-31"), (kt_str){NULL, 0}, false, NULL, &said), KT_NOT_FOUND,
            "the reversal of the genesis");
    is_code(kt_batch_reverse(batch, UINT64_MAX, day("2026-01-31"), (kt_str){NULL, 0}, false, NULL, &said), KT_NOT_FOUND,
            "or of what is not there");
    kt_company company = {.currency = KT_STR("EUR")};
    is_code(kt_batch_company(batch, day("2026-01-01"), &company, &said), KT_RULE, "another currency for the book");
    company = (kt_company){.fiscal_month = 7};
    is_code(kt_batch_company(batch, day("2026-01-01"), &company, &said), KT_RULE,
            "another fiscal year, once entries exist");
    company = (kt_company){.entity = KT_STR("\xff")};
    is_code(kt_batch_company(batch, day("2026-01-01"), &company, &said), KT_INVALID, "a name that is no UTF-8");
    is_code(kt_batch_company(batch, KT_DAY_NONE, &(kt_company){0}, &said), KT_INVALID, "facts of no day");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "the batch in which all this was refused");
    ok(receipt.first > receipt.last, "is empty");
    is_untouched(book, before, "and the book is as it was");
}

/* ---- junk ---- */

static kt_str junk_text(uint64_t *random) {
    static const char *const some[] = {"",    "1000", "2000", "1100", "DKK", "EUR",
                                       "JPY", "XQZ",  "\xff", "V1",   "a b", "*"};
    static char bytes[8][64];
    static unsigned next;
    uint64_t which = pick(random, 16);
    if (which < sizeof some / sizeof *some) return kt_str_from(some[which]);
    if (which == 15) return (kt_str){long_text, pick(random, sizeof long_text - 1)};
    char *out = bytes[next++ % 8];
    size_t size = pick(random, 60);
    for (size_t i = 0; i < size; i++) out[i] = (char)test_random(random);
    return (kt_str){out, size};
}

static kt_amount junk_amount(uint64_t *random) {
    kt_amount high = (kt_amount)(int64_t)test_random(random);
    switch (pick(random, 4)) {
    case 0: return (kt_amount)pick(random, 3) - 1;
    case 1: return high;
    case 2: return high * INT64_MAX + (kt_amount)pick(random, 9);
    default: return high * INT64_MAX * 2 - 1;
    }
}

static void junk_line(uint64_t *random, kt_line *line, kt_dimension *dimensions) {
    *line = (kt_line){.amount = junk_amount(random),
                      .cost = junk_amount(random),
                      .account = pick(random, 3) ? KT_STR("1000") : junk_text(random),
                      .currency = pick(random, 2) ? (kt_str){NULL, 0} : junk_text(random),
                      .cost_currency = pick(random, 2) ? (kt_str){NULL, 0} : junk_text(random),
                      .amount_given = pick(random, 2) ? 0 : (uint8_t)test_random(random),
                      .cost_given = pick(random, 2) ? 0 : (uint8_t)test_random(random),
                      .has_cost = pick(random, 3) == 0,
                      .dimension_count = (uint8_t)pick(random, 3),
                      .dimensions = dimensions,
                      .text = pick(random, 4) ? (kt_str){NULL, 0} : junk_text(random),
                      .tax_code = pick(random, 4) ? (kt_str){NULL, 0} : junk_text(random)};
    for (unsigned i = 0; i < 2; i++) dimensions[i] = (kt_dimension){(uint8_t)pick(random, 14), junk_text(random)};
}

static kt_code junk_entry(uint64_t *random, kt_batch *batch) {
    kt_line junk[5];
    kt_dimension dimensions[5][2];
    size_t count = pick(random, 5);
    for (size_t i = 0; i < count; i++) junk_line(random, &junk[i], dimensions[i]);
    if (count > 1 && pick(random, 2)) { /* give it a chance */
        junk[1] = junk[0];
        junk[1].amount = -junk[0].amount / 2 * 2;
        count = 2;
    }
    kt_entry entry = {.date = pick(random, 4) ? day("2026-01-01") + (kt_day)pick(random, 365)
                                              : (kt_day)test_random(random),
                      .series = pick(random, 2) ? (kt_str){NULL, 0} : junk_text(random),
                      .voucher = pick(random, 2) ? (kt_str){NULL, 0} : junk_text(random),
                      .lines = junk,
                      .line_count = count,
                      .reverses = pick(random, 4) ? 0 : test_random(random) >> pick(random, 64),
                      .minus = pick(random, 2)};
    return kt_batch_add(batch, &entry, NULL, &said);
}

static kt_code junk_register(uint64_t *random, kt_batch *batch) {
    kt_company company = {junk_text(random),         junk_text(random), (uint8_t)pick(random, 15),
                          (uint8_t)pick(random, 40), junk_text(random), junk_text(random),
                          junk_text(random),         junk_text(random), junk_text(random),
                          (uint8_t)pick(random, 200)};
    kt_account account = {.code = junk_text(random),
                          .name = junk_text(random),
                          .type = (kt_account_type)pick(random, 8),
                          .parent = junk_text(random),
                          .currency = junk_text(random),
                          .rule = (kt_balance_rule)pick(random, 5),
                          .open_from = (kt_day)test_random(random),
                          .closed_from = (kt_day)test_random(random)};
    kt_day when = pick(random, 2) ? (kt_day)test_random(random) : day("2026-06-15");
    switch (pick(random, 7)) {
    case 0: return kt_batch_company(batch, when, &company, &said);
    case 1: return kt_batch_account(batch, &account, &said);
    case 2: return kt_batch_currency(batch, junk_text(random), (uint8_t)pick(random, 25), &said);
    case 3: return kt_batch_period_close(batch, when, &said);
    case 4: return kt_batch_period_reopen(batch, when, junk_text(random), &said);
    case 5: return kt_batch_reverse(batch, pick(random, 40), when, junk_text(random), pick(random, 2), NULL, &said);
    default: {
        uint64_t count;
        return kt_batch_reverse_batch(batch, junk_text(random), when, junk_text(random), pick(random, 2), &count,
                                      &said);
    }
    }
}

static void junk_queries(uint64_t *random) {
    kt_view *view = pick(random, 2) ? view_of(book) : view_known(book, (int64_t)test_random(random));
    kt_balance_query query = {(kt_day)test_random(random), (kt_day)test_random(random), (kt_by)pick(random, 120)};
    kt_balance *rows = NULL;
    kt_statement *statement = NULL;
    kt_entry_view *entry = NULL;
    kt_report *report = NULL;
    kt_account account;
    kt_currency currency;
    size_t count;
    (void)kt_balances(view, &query, &rows, &count, &said);
    (void)kt_statement_read(view, junk_text(random), query.from, query.to, &statement, &said);
    (void)kt_entry_read(view, test_random(random) >> pick(random, 64), &entry, &said);
    (void)kt_view_account(view, junk_text(random), &account, &said);
    (void)kt_view_currency(view, junk_text(random), &currency, &said);
    if (kt_income_statement(view, query.from, query.to, &report, &said) == KT_OK) kt_report_free(report);
    if (kt_balance_sheet(view, query.to, &report, &said) == KT_OK) kt_report_free(report);
    free(rows);
    kt_statement_free(statement);
    kt_entry_view_free(entry);
    kt_view_close(view);
}

static void junk(void) {
    uint64_t random = test_seed();
    unsigned taken = 0, refused = 0, unnamed = 0, moved = 0;
    for (unsigned round = 0; round < 60; round++) {
        kt_batch *batch = begin(book);
        char *before = told(book);
        unsigned good = 0;
        for (unsigned i = 0; i < 60; i++) {
            said.text[0] = '\0';
            kt_code code = pick(&random, 4) ? junk_entry(&random, batch) : junk_register(&random, batch);
            good += code == KT_OK;
            refused += code != KT_OK;
            unnamed += code != KT_OK && !said.text[0];
        }
        taken += good;
        if (good == 0 || pick(&random, 2)) {
            kt_code code = good == 0 ? kt_batch_commit(batch, &receipt, &said) : KT_OK;
            if (good != 0) kt_batch_abort(batch);
            char *after = told(book);
            moved += code != KT_OK || strcmp(before, after) != 0;
            free(after);
        } else if (kt_batch_commit(batch, &receipt, &said) != KT_OK) {
            diag("%s", said.text);
            moved++;
        }
        free(before);
        junk_queries(&random);
    }
    diag("%u taken, %u refused", taken, refused);
    is_int(unnamed, 0, "each of %u refusals of junk says why", refused);
    is_int(moved, 0, "and what is refused or aborted leaves the book as it was");
}

int main(void) {
    memset(long_text, 'x', sizeof long_text - 1);
    book = make_book("book");
    is_code(post(book, "2026-01-01 V1 1000 100 / 2000 -100"), KT_OK, "there is something in the book");
    kt_account odd[] = {
        {.code = KT_STR("1300"), .open_from = KT_DAY_NONE, .closed_from = day("2026-01-01")},
        {.code = KT_STR("1310"), .open_from = day("2027-01-01"), .closed_from = KT_DAY_NONE},
        {.code = KT_STR("1320"), .currency = KT_STR("EUR"), .open_from = KT_DAY_NONE, .closed_from = KT_DAY_NONE},
        {.code = KT_STR("1100"),
         .type = KT_ASSET,
         .rule = KT_RULE_NOT_NEGATIVE,
         .open_from = KT_DAY_NONE,
         .closed_from = KT_DAY_NONE}};
    for (size_t i = 0; i < 4; i++) is_code(open_account(book, &odd[i]), KT_OK, "an account that will refuse is opened");
    is_code(close_month(book, "2025-12"), KT_OK, "and a month is closed");
    forms();
    controls();
    controls_of_batches();
    lines();
    meaning();
    registers();
    junk();
    kt_book_close(book);
    is_sound("book", "and after all that the book verifies");
    return done();
}
