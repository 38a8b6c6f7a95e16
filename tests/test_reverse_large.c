/* A batch too large for one transaction is reversed as a whole: the reversal is written in pieces too, while what it reverses
   is still being read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kontor.h"
#include "tests/tap.h"

enum { ENTRIES = 6000 }; /* of four kilobytes each: more than twenty-four blocks */

int main(void)
{
    char directory[600], text[4000];
    kt_error error = {0};
    kt_book *book = NULL;
    kt_batch *batch = NULL;
    kt_view *view = NULL;
    kt_balance *balances = NULL;
    size_t rows = 0;
    uint64_t count = 0;
    kt_create_options company = {.company = {.entity = KT_STR("Acme ApS"), .currency = KT_STR("DKK")}};
    (void)snprintf(directory, sizeof(directory), "%s/book", test_dir());
    memset(text, 'x', sizeof(text));
    is_code(kt_book_create(directory, &company, &error), KT_OK, "a book is made");
    is_code(kt_book_open(directory, NULL, &book, &error), KT_OK, "and opened");
    is_code(kt_batch_begin(book, &(kt_batch_options){.id = KT_STR("wrong")}, &batch, NULL, &error), KT_OK,
            "a batch begins");
    kt_account accounts[2] = {{.code = KT_STR("1000"), .type = KT_ASSET}, {.code = KT_STR("4000"), .type = KT_INCOME}};
    for (int i = 0; i < 2; i++) {
        accounts[i].open_from = accounts[i].closed_from = KT_DAY_NONE;
        (void)kt_batch_account(batch, &accounts[i], &error);
    }
    kt_line lines[2] = {{.account = KT_STR("1000"), .amount = 100}, {.account = KT_STR("4000"), .amount = -100}};
    kt_entry entry = {.date = 20000, .text = {text, sizeof(text)}, .lines = lines, .line_count = 2};
    int refused = 0;
    for (int i = 0; i < ENTRIES; i++)
        refused += kt_batch_add(batch, &entry, NULL, &error) != KT_OK;
    is_int(refused, 0, "takes %d long entries", ENTRIES);
    is_code(kt_batch_commit(batch, NULL, &error), KT_OK, "and is committed");

    is_code(kt_batch_begin(book, NULL, &batch, NULL, &error), KT_OK, "another begins");
    is_code(kt_batch_reverse_batch(batch, KT_STR("wrong"), 20001, (kt_str){text, sizeof(text)}, false, &count, &error),
            KT_OK, "and reverses the first as a whole");
    is_int((long long)count, ENTRIES, "entry by entry");
    is_code(kt_batch_commit(batch, NULL, &error), KT_OK, "and is committed");
    is_code(kt_view_open(book, NULL, &view, &error), KT_OK, "a view opens");
    is_code(kt_balances(view, NULL, &balances, &rows, &error), KT_OK, "and gives the balances");
    ok(rows == 2 && balances[0].balance == 0 && balances[1].balance == 0 &&
           balances[0].debit == (kt_amount)ENTRIES * 100,
       "everything is undone");
    free(balances);
    kt_view_close(view);
    kt_book_close(book);
    is_code(kt_verify(directory, NULL, NULL, &error), KT_OK, "and all of it verifies");
    return done();
}
