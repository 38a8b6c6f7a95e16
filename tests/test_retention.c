/* How long the books are kept is a fact of the company, on record and dated; a report says which years are past it. */
#include <stdlib.h>
#include <string.h>

#include "engine/ledger/company.h"
#include "storage/codec.h"
#include "tests/bookkeeping.h"

static kt_book *book;

static kt_code say(const char *from, const kt_company *facts) {
    kt_batch *batch = begin(book);
    kt_code code = kt_batch_company(batch, day(from), facts, &said);
    if (code == KT_OK) return kt_batch_commit(batch, &receipt, &said);
    kt_batch_abort(batch);
    return code;
}

static uint8_t years_at(const char *at) {
    kt_view *view = view_of(book);
    kt_company company = {0};
    is_code(kt_view_company(view, day(at), &company, &said), KT_OK, "the company on %s", at);
    kt_view_close(view);
    return company.retention_years;
}

static void row_is(const char *at, size_t i, const char *expected) {
    kt_view *view = view_of(book);
    kt_retention *rows = NULL;
    size_t count = 0;
    char text[100] = "", first[KT_DAY_TEXT], last[KT_DAY_TEXT], until[KT_DAY_TEXT] = "-";
    if (is_code(kt_view_retention(view, day(at), &rows, &count, &said), KT_OK, "retention on %s", at) && i < count) {
        if (rows[i].kept_until != KT_DAY_NONE) kt_day_format(rows[i].kept_until, until);
        snprintf(text, sizeof text, "%s %s %llu %s%s", kt_day_format(rows[i].first, first),
                 kt_day_format(rows[i].last, last), (unsigned long long)rows[i].entries, until,
                 rows[i].past ? " past" : "");
    }
    is_text(text, expected, "row %zu on %s", i, at);
    free(rows);
    kt_view_close(view);
}

/* Older records read, and say the same again; each form has its version. */
static void records(void) {
    kt_company company = {.entity = KT_STR("A"), .currency = KT_STR("DKK"), .fiscal_month = 3, .fiscal_day = 1}, again;
    uint8_t old[200], new[200];
    kt_envelope envelope;
    size_t size = kt_company_record(&company, 0, old, sizeof old);
    ok(kt_envelope_read(kt_span_of(old, size), &envelope, &said) == KT_OK && envelope.kind_version == 1,
       "a company that does not say it is written as ever");
    ok(kt_company_read(envelope.body, &again) && again.retention_years == 0, "and read");
    company.retention_years = 255;
    size = kt_company_record(&company, 0, new, sizeof new);
    ok(kt_envelope_read(kt_span_of(new, size), &envelope, &said) == KT_OK && envelope.kind_version == 2,
       "one that does is of version 2");
    ok(kt_company_read(envelope.body, &again) && again.retention_years == 255 && again.fiscal_month == 3, "and read");
    company.retention_years = 1;
    size = kt_company_record(&company, 0, new, sizeof new);
    new[size - 1] = 0;
    ok(kt_envelope_read(kt_span_of(new, size), &envelope, &said) == KT_OK && !kt_company_read(envelope.body, &again),
       "no years are said in the old form alone");
}

static void years(void) {
    kt_create_options create = {.company.fiscal_month = 3};
    book = make_book_with("years", &create);
    row_is("2030-01-01", 0, "");
    is_code(post(book,
                 "2024-02-29 V1 1000 1 / 2000 -1\n2024-03-01 V1 1000 1 / 2000 -1\n2027-06-30 V1 1000 1 / 2000 -1\n"
                 "2024-12-31 V2 1000 1 / 2000 -1"),
            KT_OK, "entries of three fiscal years (%s)", said.text);
    row_is("2099-01-01", 0, "2023-03-01 2024-02-29 1 -");
    kt_company rule = {.retention_years = 5};
    is_code(say("2028-01-01", &rule), KT_OK, "five years, from 2028 on (%s)", said.text);
    is_int(years_at("2028-01-01"), 5, "which is a fact from its day");
    is_int(years_at("2027-12-31"), 0, "and not before");
    rule = (kt_company){.address = KT_STR("Elsewhere")};
    is_code(say("2028-06-01", &rule), KT_OK, "the company moves");
    is_int(years_at("2029-01-01"), 5, "and the rule stays");
    row_is("2029-02-28", 0, "2023-03-01 2024-02-29 1 2029-02-28");
    row_is("2029-03-01", 0, "2023-03-01 2024-02-29 1 2029-02-28 past");
    row_is("2029-03-01", 1, "2024-03-01 2025-02-28 2 2030-02-28");
    row_is("2029-03-01", 2, "2027-03-01 2028-02-29 1 2033-02-28");
    row_is("2029-03-01", 3, "");
    rule = (kt_company){.retention_years = 10};
    is_code(say("2029-01-01", &rule), KT_OK, "ten years, from 2029 on");
    row_is("2029-03-01", 0, "2023-03-01 2024-02-29 1 2034-02-28");
    row_is("2028-12-31", 0, "2023-03-01 2024-02-29 1 2029-02-28");
    kt_book_close(book);
    is_sound("years", "a book with the rule on record");
}

int main(void) {
    records();
    years();
    return done();
}
