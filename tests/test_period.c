/* Periods: months from the first posting to the last, closed and reopened on record. What a closed one refuses is law 10. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

static kt_book *book;

/* "2026-01c 2026-02 ...": the months on record, c where closed. */
static const char *months(void) {
    static char text[1000];
    char first[KT_DAY_TEXT];
    kt_view *view = view_of(book);
    kt_period *periods = NULL;
    size_t count = 0, size = 0;
    text[0] = '\0';
    if (kt_view_periods(view, &periods, &count, &said) != KT_OK) diag("%s", said.text);
    for (size_t i = 0; i < count && size < sizeof text - 20; i++) {
        kt_day_format(kt_month_first(periods[i].month), first);
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%.7s%s", i ? " " : "", first,
                                 periods[i].closed ? "c" : "");
    }
    free(periods);
    kt_view_close(view);
    return text;
}

static kt_period period(const char *month, char reason[100]) {
    kt_view *view = view_of(book);
    kt_period *periods = NULL, found_period = {0};
    size_t count = 0;
    (void)kt_view_periods(view, &periods, &count, &said);
    for (size_t i = 0; i < count; i++)
        if (periods[i].month == kt_day_month(day(month))) found_period = periods[i];
    snprintf(reason, 100, "%.*s", (int)found_period.reason.size,
             found_period.reason.data ? found_period.reason.data : "");
    free(periods);
    kt_view_close(view);
    return found_period;
}

int main(void) {
    char reason[100];
    book = make_book("book");
    is_text(months(), "", "an empty book has no periods");
    is_code(close_month(book, "2026-03"), KT_OK, "a month may be closed before anything is posted");
    is_text(months(), "2026-03c", "and is one");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "a posting before it");
    is_text(months(), "2026-01 2026-02 2026-03c", "gives every month from there");
    is_code(post(book, "2026-05-01 - 1000 1 / 2000 -1"), KT_OK, "a posting behind it");
    is_text(months(), "2026-01 2026-02 2026-03c 2026-04 2026-05", "and every month to there");
    is_code(close_month(book, "2026-01"), KT_OK, "the first is closed");
    uint64_t closing = receipt.first;
    kt_period january = period("2026-01-01", reason);
    is_int((long long)january.record, (long long)closing, "by a record that is named");
    is_int(january.recorded_us, receipt.recorded_us, "and dated");
    is_text(reason, "", "without a reason");
    is_code(reopen_month(book, "2026-01", "wrong VAT"), KT_OK, "it is reopened");
    january = period("2026-01-01", reason);
    is_text(reason, "wrong VAT", "for a reason that stays on record");
    ok(!january.closed && january.record > closing, "and is open");
    is_text(months(), "2026-01 2026-02 2026-03c 2026-04 2026-05", "as the list says");
    book = reopen(book);
    is_text(months(), "2026-01 2026-02 2026-03c 2026-04 2026-05", "reopened, the book says the same");
    char *before = told(book);
    kt_batch *batch = begin(book);
    is_code(kt_batch_period_close(batch, day("2026-02-14"), &said), KT_OK, "any day of a month names it");
    is_code(kt_batch_period_close(batch, day("2026-02-28"), &said), KT_CLOSED, "and so it is closed already");
    is_code(kt_batch_period_reopen(batch, day("2026-02-01"), KT_STR("at once"), &said), KT_OK,
            "and reopened in the same batch");
    kt_batch_abort(batch);
    is_untouched(book, before, "an aborted closing is none");
    is_code(post(book, "2026-02-14 - 1000 1 / 2000 -1"), KT_OK, "and the month takes postings");
    is_code(close_month(book, "0001-01"), KT_OK, "the first month there is");
    is_code(close_month(book, "9999-12"), KT_OK, "and the last");
    is_code(post(book, "9999-12-31 - 1000 1 / 2000 -1"), KT_CLOSED, "are closed like others");
    kt_view *view = view_of(book);
    kt_period *periods = NULL;
    size_t count = 0;
    is_code(kt_view_periods(view, &periods, &count, &said), KT_OK, "all of them are listed");
    is_int((long long)count, 9999 * 12, "119,988 months");
    free(periods);
    kt_view_close(view);
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
