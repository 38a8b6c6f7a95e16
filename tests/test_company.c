/* The company's facts are on record and dated; its fiscal year says where vouchers and results begin anew. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bookkeeping.h"

static kt_book *book;

static kt_code change(const char *from, const kt_company *facts) {
    kt_batch *batch = begin(book);
    kt_code code = kt_batch_company(batch, day(from), facts, &said);
    if (code == KT_OK) return kt_batch_commit(batch, &receipt, &said);
    kt_batch_abort(batch);
    return code;
}

static void is_at(const char *at, const char *address, const char *law) {
    kt_view *view = view_of(book);
    kt_company company;
    char found_address[300] = "";
    if (is_code(kt_view_company(view, day(at), &company, &said), KT_OK, "the company on %s", at))
        memcpy(found_address, company.address.data, company.address.size < 299 ? company.address.size : 299);
    is_text(found_address, address, "%s", law);
    kt_view_close(view);
}

static void facts(void) {
    kt_view *view = view_of(book);
    kt_company company;
    is_code(kt_view_company(view, day("2026-06-01"), &company, &said), KT_OK, "the company is on record");
    ok(kt_str_equal(company.entity, KT_STR("Acme ApS")) && kt_str_equal(company.currency, KT_STR("DKK")) &&
           kt_str_equal(company.time_zone, KT_STR("UTC")) && company.fiscal_month == 7 && company.fiscal_day == 1,
       "as it was founded");
    kt_view_close(view);
    int64_t before = head_of(book).recorded_us;
    kt_company moved = {.address = KT_STR("Nygade 1")};
    is_code(change("2026-06-01", &moved), KT_OK, "it moves in June");
    moved.address = KT_STR("Vestergade 9");
    is_code(change("2026-09-01", &moved), KT_OK, "and again in September");
    is_at("2026-05-31", "", "before, it had no address");
    is_at("2026-06-01", "Nygade 1", "in June the new one");
    is_at("2026-08-31", "Nygade 1", "until the end of August");
    is_at("2026-09-01", "Vestergade 9", "and then the next");
    moved.address = KT_STR("Nygade 1, 2. tv.");
    is_code(change("2026-06-01", &moved), KT_OK, "a fact of June is corrected");
    is_at("2026-07-01", "Nygade 1, 2. tv.", "and counts from its day");
    is_at("2026-09-01", "Vestergade 9", "but not beyond the next");
    kt_company named = {.entity = KT_STR("Acme A/S"), .vat_number = KT_STR("DK12345678")};
    is_code(change("2026-09-01", &named), KT_OK, "it takes another name");
    is_at("2026-10-01", "Vestergade 9", "what is not named stays");
    view = view_known(book, before);
    is_code(kt_view_company(view, day("2026-09-01"), &company, &said), KT_OK, "as known before all that");
    ok(company.address.size == 0 && kt_str_equal(company.entity, KT_STR("Acme ApS")), "there is none of it");
    kt_view_close(view);
    view = view_known(book, 0);
    is_code(kt_view_company(view, day("2026-09-01"), &company, &said), KT_NOT_FOUND,
            "before the book there is no company");
    kt_view_close(view);
}

static void year_is(unsigned month, unsigned dom, const char *at, const char *first, const char *last) {
    kt_company company = {.fiscal_month = (uint8_t)month, .fiscal_day = (uint8_t)dom};
    char a[KT_DAY_TEXT], b[KT_DAY_TEXT];
    kt_day from, to;
    kt_fiscal_year(&company, day(at), &from, &to);
    is_text(kt_day_format(from, a), first, "the fiscal year of %s from %02u-%02u begins", at, month, dom);
    is_text(kt_day_format(to, b), last, "and ends");
}

static void fiscal_years(void) {
    year_is(0, 0, "2026-06-15", "2026-01-01", "2026-12-31");
    year_is(1, 1, "2026-01-01", "2026-01-01", "2026-12-31");
    year_is(1, 1, "2026-12-31", "2026-01-01", "2026-12-31");
    year_is(7, 1, "2026-06-30", "2025-07-01", "2026-06-30");
    year_is(7, 1, "2026-07-01", "2026-07-01", "2027-06-30");
    year_is(3, 1, "2024-02-29", "2023-03-01", "2024-02-29");
    year_is(4, 6, "2026-04-05", "2025-04-06", "2026-04-05");
    year_is(12, 28, "2026-12-27", "2025-12-28", "2026-12-27");
    year_is(7, 1, "0001-01-01", "0001-01-01", "0001-06-30");
    year_is(7, 1, "9999-12-31", "9999-07-01", "9999-12-31");
}

static void vouchers(void) {
    is_code(post(book, "2026-06-30 V1 1000 1 / 2000 -1"), KT_OK, "a voucher of the old year");
    is_code(post(book, "2025-07-01 V1 1000 1 / 2000 -1"), KT_DUPLICATE, "which began in July of the last");
    has_text(said.text, "fiscal year 2025", "and is called by the year it begins in");
    is_code(post(book, "2026-07-01 V1 1000 1 / 2000 -1"), KT_OK, "in July numbers begin anew");
    is_code(post(book, "2027-06-30 V1 1000 1 / 2000 -1"), KT_DUPLICATE, "for a year");
}

static void what_stays(void) {
    kt_company other = {.currency = KT_STR("EUR")};
    is_code(change("2027-01-01", &other), KT_RULE, "the book's currency stays");
    other = (kt_company){.fiscal_month = 1};
    is_code(change("2027-01-01", &other), KT_RULE, "and the fiscal year, once there are entries");
    other = (kt_company){.fiscal_month = 7, .fiscal_day = 1};
    is_code(change("2027-01-01", &other), KT_OK, "which may be said again");
    other = (kt_company){.fiscal_day = 29};
    is_code(change("2027-01-01", &other), KT_INVALID, "no year begins on a 29th");
}

static void refused(const kt_company *company, kt_code code, const char *law) {
    kt_create_options options = {.company = *company};
    is_code(kt_book_create(path_of("none"), &options, &said), code, "%s", law);
    diag("%s", said.text);
    is_int(access(path_of("none"), F_OK), -1, "and leaves no directory");
}

static void founding(void) {
    static char long_name[300];
    memset(long_name, 'x', sizeof long_name - 1);
    kt_company company = {.currency = KT_STR("DKK")};
    refused(&company, KT_USAGE, "a company has a name");
    company.entity = kt_str_from(long_name);
    refused(&company, KT_USAGE, "of 255 bytes at the most");
    company = (kt_company){.entity = KT_STR("Acme")};
    refused(&company, KT_UNKNOWN, "a book has a currency");
    company = (kt_company){.entity = KT_STR("Acme"), .currency = KT_STR("DKK"), .fiscal_month = 13};
    refused(&company, KT_INVALID, "and a year of twelve months");
    company = (kt_company){.entity = KT_STR("Acme"), .currency = KT_STR("DKK"), .fiscal_month = 2, .fiscal_day = 30};
    refused(&company, KT_INVALID, "with days that there are");
    company = (kt_company){.entity = KT_STR("Acme\xff"), .currency = KT_STR("DKK")};
    refused(&company, KT_INVALID, "in UTF-8");
    company = (kt_company){.entity = KT_STR("Acme"), .currency = KT_STR("DKK")};
    kt_create_options options = {.company = company};
    is_code(kt_book_create(path_of("other"), &options, &said), KT_OK, "another book is made");
    is_code(kt_book_create(path_of("other"), &options, &said), KT_EXISTS, "but not over one that is there");
}

/* What was said last need not be what counts last: days order the facts, live and on replay. */
static void in_any_order(void) {
    kt_book *kept = book;
    kt_create_options options = {.company = {.fiscal_month = 1}};
    kt_company july = {.fiscal_month = 7}, april = {.fiscal_month = 4}, moved = {.address = KT_STR("Nygade 1")};
    book = make_book_with("orders", &options);
    is_code(change("2030-01-01", &july), KT_OK, "a year from July is put on record, to count from 2030");
    is_code(change("2020-01-01", &april), KT_OK, "and then one from April, to count from 2020");
    is_code(post(book, "2025-05-05 V1 1000 1 / 2000 -1"), KT_OK, "a voucher of May 2025");
    is_code(post(book, "2024-07-01 V1 1000 1 / 2000 -1"), KT_DUPLICATE, "lies in the year from July 2024");
    has_text(said.text, "fiscal year 2024", "by the facts of the latest day, not by what was said last");
    is_code(post(book, "2025-07-01 V1 1000 1 / 2000 -1"), KT_OK, "the next year has numbers of its own");
    book = reopen(book);
    is_code(post(book, "2024-07-02 V1 1000 1 / 2000 -1"), KT_DUPLICATE, "reopened, the book counts the same years");
    is_code(post(book, "2026-07-01 V1 1000 1 / 2000 -1"), KT_OK, "and goes on");
    is_sound("orders", "replay counts them too");
    is_code(change("2031-01-01", &moved), KT_OK, "an address from 2031 takes the year from what holds then");
    is_code(change("2032-01-01", &april), KT_RULE, "which no longer changes");
    is_code(post(book, "2025-06-30 V1 1000 1 / 2000 -1"), KT_DUPLICATE, "and the years stay");
    is_at("2030-12-31", "", "until 2031 there is no address");
    is_at("2031-01-01", "Nygade 1", "and then there is");
    kt_book_close(book);
    is_sound("orders", "and the book verifies");
    book = kept;
}

/* The fiscal year is one for all days: a fact of an earlier day that does not name it leaves it as it is now, and does not
   bring back the one that was on record for that day. */
static void earlier_facts(void) {
    kt_book *kept = book;
    kt_create_options options = {.company = {.fiscal_month = 1}};
    kt_company july = {.fiscal_month = 7}, moved = {.address = KT_STR("Nygade 1")}, january = {.fiscal_month = 1},
               company;
    book = make_book_with("earlier", &options);
    is_code(change("2030-01-01", &july), KT_OK, "a year from July is put on record, to count from 2030");
    is_code(change("2028-01-01", &moved), KT_OK, "and an address from 2028, without a word of the year");
    is_code(post(book, "2026-07-01 V1 1000 1 / 2000 -1"), KT_OK, "the first voucher");
    is_code(post(book, "2026-06-30 V1 1000 1 / 2000 -1"), KT_OK, "June lies in another year");
    moved.address = KT_STR("Vestergade 9");
    is_code(change("2020-01-01", &moved), KT_OK, "with entries there, an address from 2020 is taken still");
    is_code(change("2019-01-01", &january), KT_RULE, "another year is not");
    is_at("2020-01-01", "Vestergade 9", "the address counts from its day");
    is_at("2028-01-01", "Nygade 1", "until the next");
    static const char *const days[] = {"2020-06-01", "2028-06-01", "2031-06-01"};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        kt_view *view = view_of(book);
        is_code(kt_view_company(view, day(days[i]), &company, &said), KT_OK, "the company on %s", days[i]);
        is_int(company.fiscal_month, 7, "has its year from July");
        kt_view_close(view);
    }
    book = reopen(book);
    is_code(post(book, "2027-06-30 V1 1000 1 / 2000 -1"), KT_DUPLICATE, "reopened, the book counts vouchers from July");
    is_code(post(book, "2027-07-01 V1 1000 1 / 2000 -1"), KT_OK, "and anew in the next");
    kt_book_close(book);
    is_sound("earlier", "and the book verifies");
    book = kept;
}

static void twice(void) {
    kt_company moved = {.address = KT_STR("Nygade 1")}, named = {.vat_number = KT_STR("DK87654321")};
    kt_batch *batch = begin(book);
    is_code(kt_batch_company(batch, day("2027-02-01"), &moved, &said), KT_OK, "a batch changes a fact");
    is_code(kt_batch_company(batch, day("2027-02-01"), &named, &said), KT_RULE,
            "but not another in a change of its own");
    has_text(said.text, "say all of them in one change", "which is said");
    is_code(kt_batch_company(batch, day("2028-02-01"), &named, &said), KT_RULE, "nor from another day");
    kt_batch_abort(batch);
    is_code(change("2027-02-01", &moved), KT_OK, "the next batch may");
    is_code(change("2027-02-01", &named), KT_OK, "and the next");
    is_at("2027-02-01", "Nygade 1", "and both hold");
    kt_view *view = view_of(book);
    kt_company company;
    is_code(kt_view_company(view, day("2027-02-01"), &company, &said), KT_OK, "the company is read");
    ok(kt_str_equal(company.vat_number, KT_STR("DK87654321")), "and has the number too");
    kt_view_close(view);
}

int main(void) {
    kt_create_options options = {.company = {.fiscal_month = 7, .fiscal_day = 1}};
    book = make_book_with("book", &options);
    kt_company earlier = {.fiscal_month = 4};
    is_code(change("2026-01-01", &earlier), KT_OK, "the fiscal year may change while there is no entry");
    earlier.fiscal_month = 7;
    is_code(change("2026-01-01", &earlier), KT_OK, "and change back");
    facts();
    fiscal_years();
    vouchers();
    what_stays();
    twice();
    in_any_order();
    earlier_facts();
    founding();
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
