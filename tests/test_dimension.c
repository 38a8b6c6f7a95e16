/* Dimensions: cost centre, department, project and eight of one's own, on each line and in reports. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

static kt_book *book;

/* "group=balance ..." of an account, as the report has them. */
static const char *groups(const char *account, kt_by by, const char *from, const char *to) {
    static char text[1000];
    kt_view *view = view_of(book);
    kt_balance_query query = {day(from), day(to), by};
    kt_balance *rows = NULL;
    size_t count = 0, size = 0;
    text[0] = '\0';
    if (kt_balances(view, &query, &rows, &count, &said) != KT_OK) diag("%s", said.text);
    for (size_t i = 0; i < count; i++)
        if (kt_str_equal(rows[i].account, kt_str_from(account)))
            size += (size_t)snprintf(text + size, sizeof text - size, "%s%.*s=%lld", size ? " " : "",
                                     (int)rows[i].group.size, rows[i].group.size ? rows[i].group.data : "",
                                     (long long)rows[i].balance);
    free(rows);
    kt_view_close(view);
    return text;
}

static void reports(void) {
    is_code(post(book, "2026-01-10 - 5000 100 cc=ADM dep=HQ / 5000 50 cc=SALES / 5000 7 / 1000 -157\n"
                       "2026-01-20 - 5000 20 cc=ADM proj=P1 / 5000 -5 cc=SALES dep=HQ / 1000 -15\n"
                       "2026-02-10 - 5000 1 cc=ADM dep=HQ / 1000 -1"),
            KT_OK, "wages of several cost centres");
    is_text(groups("5000", KT_BY_COST_CENTRE, "", ""), "=700 ADM=12100 SALES=4500", "by cost centre");
    is_text(groups("5000", KT_BY_DEPARTMENT, "", ""), "=7700 HQ=9600", "by department");
    is_text(groups("5000", KT_BY_PROJECT, "", ""), "=15300 P1=2000", "by project");
    is_text(groups("5000", KT_BY_COST_CENTRE, "", "2026-01-15"), "=700 ADM=10000 SALES=5000",
            "to a day within a month");
    is_text(groups("5000", KT_BY_COST_CENTRE, "2026-01-15", "2026-01-31"), "ADM=2000 SALES=-500", "from one");
    is_text(groups("5000", KT_BY_COST_CENTRE, "2026-02-01", ""), "ADM=100", "and of a month");
    is_text(groups("5000", KT_BY_MONTH, "", ""), "2026-01=17200 2026-02=100", "by month, whatever their dimensions");
    is_text(groups("5000", KT_BY_NOTHING, "", ""), "=17300", "and all together");
    is_text(groups("1000", KT_BY_COST_CENTRE, "", ""), "=-17300",
            "lines without a value stand in a group without a name");
    book = reopen(book);
    is_text(groups("5000", KT_BY_COST_CENTRE, "", ""), "=700 ADM=12100 SALES=4500", "reopened, the book says the same");
}

static void own_dimensions(void) {
    kt_dimension eleven[KT_DIMENSIONS_MAX];
    char values[KT_DIMENSIONS_MAX][20];
    for (uint8_t i = 0; i < KT_DIMENSIONS_MAX; i++) {
        snprintf(values[i], sizeof values[i], "value %u", i + 1);
        eleven[i] = (kt_dimension){(uint8_t)(i + 1), kt_str_from(values[i])};
    }
    kt_line lines[] = {
        {.amount = 3, .account = KT_STR("5100"), .dimension_count = KT_DIMENSIONS_MAX, .dimensions = eleven},
        {.amount = -3, .account = KT_STR("1000")}};
    kt_entry entry = {.date = day("2026-03-01"), .lines = lines, .line_count = 2};
    kt_batch *batch = begin(book);
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_OK, "a line has all eleven");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "and is committed");
    is_int((long long)(receipt.last - receipt.first), 12, "each value new to the book is a record of its own");
    is_text(groups("5100", (kt_by)4, "", ""), "value 4=3", "the fourth is one's own, and reported like the others");
    is_text(groups("5100", (kt_by)11, "", ""), "value 11=3", "as is the eleventh");
    kt_view *view = view_of(book);
    kt_entry_view *read = NULL;
    is_code(kt_entry_read(view, receipt.last - 1, &read, &said), KT_OK, "the entry is read");
    if (read) {
        is_int(read->entry.lines[0].dimension_count, KT_DIMENSIONS_MAX, "with all of them");
        ok(kt_str_equal(read->entry.lines[0].dimensions[10].value, KT_STR("value 11")), "as they were given");
    }
    kt_entry_view_free(read);
    kt_view_close(view);
    kt_balance_query query = {KT_DAY_NONE, KT_DAY_NONE, (kt_by)12};
    kt_balance *rows = NULL;
    size_t count;
    view = view_of(book);
    is_code(kt_balances(view, &query, &rows, &count, &said), KT_USAGE, "there is no twelfth to report by");
    free(rows);
    kt_view_close(view);
    kt_dimension longest[KT_DIMENSIONS_MAX];
    char value[KT_DIMENSION_VALUE_MAX];
    memset(value, 'v', sizeof value);
    for (uint8_t i = 0; i < KT_DIMENSIONS_MAX; i++)
        longest[i] = (kt_dimension){(uint8_t)(i + 1), {value, sizeof value}};
    lines[0].dimensions = longest;
    batch = begin(book);
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_LIMIT, "all eleven at their longest are too much for a line");
    lines[0].dimension_count = 6;
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_OK, "six are not");
    kt_batch_abort(batch);
}

static void many(void) {
    kt_batch *batch = begin(book);
    kt_code code = KT_OK;
    char entry[100];
    for (unsigned i = 0; i < 3000 && code == KT_OK; i++) {
        snprintf(entry, sizeof entry, "2026-04-%02u - 4000 %u cc=C%u proj=P%u / 1000 -%u", 1 + i % 30, i, i % 50, i % 7,
                 i);
        code = add(batch, entry, NULL);
    }
    is_code(code, KT_OK, "many pairs of values");
    is_code(kt_batch_commit(batch, NULL, &said), KT_OK, "are committed");
    kt_amount sum = 0, expected = 0;
    for (unsigned i = 13; i < 3000; i += 50) expected += i * 100;
    kt_view *view = view_of(book);
    kt_balance_query query = {KT_DAY_NONE, KT_DAY_NONE, KT_BY_COST_CENTRE};
    kt_balance *rows = NULL;
    size_t count = 0;
    (void)kt_balances(view, &query, &rows, &count, &said);
    for (size_t i = 0; i < count; i++)
        if (kt_str_equal(rows[i].account, KT_STR("4000")) && kt_str_equal(rows[i].group, KT_STR("C13")))
            sum += rows[i].balance;
    is_int((long long)sum, (long long)expected, "and each adds up over whatever stands beside it");
    free(rows);
    kt_view_close(view);
}

int main(void) {
    book = make_book("book");
    reports();
    own_dimensions();
    many();
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
