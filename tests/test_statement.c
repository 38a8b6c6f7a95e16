/* A statement: one account's postings by day, with a running balance in each currency. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

static kt_book *book;

/* "EUR 1.00 | 2026-01-02 V1 100.00 100.00 text | ...": openings, then date, voucher, amount, running balance, text. */
static const char *statement(kt_view *view, const char *account, const char *from, const char *to) {
    static char text[4000];
    kt_statement *read = NULL;
    size_t size = 0;
    char amount[KT_AMOUNT_TEXT], running[KT_AMOUNT_TEXT], date[KT_DAY_TEXT];
    text[0] = '\0';
    if (kt_statement_read(view, kt_str_from(account), day(from), day(to), &read, &said) != KT_OK)
        return kt_code_name(said.code);
    for (size_t i = 0; i < read->opening_count; i++) {
        const kt_opening *opening = &read->openings[i];
        kt_amount_format(opening->balance, opening->decimals, 0, amount);
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%.*s %s", size ? " | " : "",
                                 (int)opening->currency.size, opening->currency.data, amount);
    }
    for (size_t i = 0; i < read->posting_count; i++) {
        const kt_posting *posting = &read->postings[i];
        kt_amount_format(posting->amount, posting->decimals, 0, amount);
        kt_amount_format(posting->running, posting->decimals, 0, running);
        size += (size_t)snprintf(text + size, sizeof text - size, " | %s %.*s %s %s %.*s",
                                 kt_day_format(posting->date, date), (int)posting->voucher.size,
                                 posting->voucher.size ? posting->voucher.data : "", amount, running,
                                 (int)posting->text.size, posting->text.size ? posting->text.data : "");
    }
    kt_statement_free(read);
    return text;
}

int main(void) {
    book = make_book("book");
    is_code(
        post(book, "2026-01-20 V2 1000 200 text=later / 2000 -200\n2026-01-10 V1 1000 100 text=earlier / 2000 -100"),
        KT_OK, "entries are posted out of order");
    is_code(post(book, "2026-01-20 V3 1000 -50 / 1000 -7 text=fee / 5100 57"), KT_OK,
            "and one with two lines on the account");
    kt_view *view = view_of(book);
    is_text(statement(view, "1000", "", ""),
            "DKK 0.00 | 2026-01-10 V1 100.00 100.00 earlier | 2026-01-20 V2 200.00 300.00 later | 2026-01-20 V3 -50.00 "
            "250.00  | "
            "2026-01-20 V3 -7.00 243.00 fee",
            "they are stated by day, then by record, then by line");
    is_text(statement(view, "1000", "2026-01-11", "2026-01-19"), "DKK 100.00",
            "without postings there is an opening balance");
    is_text(statement(view, "1000", "2026-01-20", "2026-01-20"),
            "DKK 100.00 | 2026-01-20 V2 200.00 300.00 later | 2026-01-20 V3 -50.00 250.00  | 2026-01-20 V3 -7.00 "
            "243.00 fee",
            "both days are included");
    is_text(statement(view, "1000", "2026-02-01", ""), "DKK 243.00", "the opening is what was before");
    is_text(statement(view, "3000", "", ""), "", "an account without postings has nothing");
    is_text(statement(view, "3001", "", ""), "not found", "one that is not on record is refused");
    is_text(statement(view, "1000", "2026-02-01", "2026-01-01"), "usage", "as are days in the wrong order");
    kt_view_close(view);
    int64_t then = head_of(book).recorded_us;
    is_code(post(book, "2026-01-15 E1 1000 10 EUR @@ 74.60 / 1100 -74.60\n2026-02-15 E2 1000 -4 EUR / 2000 4 EUR"),
            KT_OK, "another currency");
    view = view_of(book);
    is_text(statement(view, "1000", "2026-01-15", "2026-01-15"), "DKK 100.00 | EUR 0.00 | 2026-01-15 E1 10.00 10.00 ",
            "runs beside the book's");
    is_text(statement(view, "1000", "2026-02-01", "2026-02-28"), "DKK 243.00 | EUR 10.00 | 2026-02-15 E2 -4.00 6.00 ",
            "each with its own opening and balance");
    kt_statement *read = NULL;
    is_code(kt_statement_read(view, KT_STR("1000"), day("2026-01-15"), day("2026-02-15"), &read, &said), KT_OK,
            "a statement");
    if (read) {
        ok(read->postings[0].has_book && read->postings[0].book == 7460, "tells a posting's worth where it has a rate");
        ok(!read->postings[4].has_book, "and that it has none where it has not");
    }
    kt_statement_free(read);
    kt_view_close(view);
    view = view_known(book, then);
    is_text(statement(view, "1000", "2026-02-01", ""), "DKK 243.00", "as known before, it is as it was");
    kt_view_close(view);
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
