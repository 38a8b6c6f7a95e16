/* Batches sent and not yet received: what is checked against them, in what order they come back, and what closing, aborting and
   a second writer make of them (LAW 3, 4, 5, 10). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

static kt_receipt got;

static kt_code sent(kt_batch *batch) { return kt_batch_send(batch, &said); }
static kt_code received(kt_book *book) {
    memset(&got, 0, sizeof got);
    return kt_book_receive(book, true, &got, &said);
}

/* Entries parted by line feeds, sent as one batch; the first refusal ends it and leaves nothing. */
static kt_code send_with(kt_book *book, const kt_batch_options *options, const char *entries) {
    kt_batch *batch;
    kt_code code = fill_with(book, options, entries, &batch);
    return code == KT_OK ? sent(batch) : code;
}

static kt_code send_id(kt_book *book, const char *id, const char *entries) {
    kt_batch_options options = {.id = kt_str_from(id)};
    return send_with(book, &options, entries);
}

/* ---- an entry is checked against what was sent ---- */

static void test_checked(void) {
    static const uint8_t one[KT_DIGEST_SIZE] = {1}, two[KT_DIGEST_SIZE] = {2};
    kt_book *book = make_book("checked");
    kt_batch *batch;
    uint64_t number = 0;
    kt_batch_options options = {.id = KT_STR("first"), .content_digest = one};
    is_code(send_with(book, &options, "2025-01-31 V1 1000 100.00 / 2000 -100.00"), KT_OK, "a batch is sent");
    is_code(send_id(book, "twice", "2025-01-31 V1 1000 1.00 / 2000 -1.00"), KT_DUPLICATE,
            "a voucher of a batch that is sent is used");
    is_code(kt_batch_begin(book, &options, &batch, &receipt, &said), KT_REPEATED,
            "the id of a batch that is sent is answered as a repeat");
    kt_receipt repeat = receipt;
    ok(batch == NULL && repeat.entries == 1, "and no batch is open");
    options.content_digest = two;
    is_code(kt_batch_begin(book, &options, &batch, NULL, &said), KT_DUPLICATE, "and for other content is refused");

    batch = begin(book);
    kt_account account = {.code = KT_STR("1200"), .type = KT_ASSET, .rule = KT_RULE_NOT_NEGATIVE};
    is_code(kt_batch_account(batch, &account, &said), KT_OK, "an account is opened");
    is_code(sent(batch), KT_OK, "in a batch that is sent");
    is_code(send_id(book, "to it", "2025-02-01 - 1200 50.00 / 3000 -50.00"), KT_OK, "and may be posted to");
    is_code(send_id(book, "too much", "2025-02-01 - 1200 -50.01 / 3000 50.01"), KT_RULE,
            "its balance rule counts what was sent");
    is_code(send_id(book, "just", "2025-02-01 - 1200 -50.00 / 3000 50.00"), KT_OK, "all of it may be taken");
    is_code(send_id(book, "no more", "2025-02-01 - 1200 -0.01 / 3000 0.01"), KT_RULE, "and then no more");

    batch = begin(book);
    is_code(kt_batch_currency(batch, KT_STR("PTS"), 3, &said), KT_OK, "a currency is declared");
    is_code(sent(batch), KT_OK, "in a batch that is sent");
    is_code(send_id(book, "points", "2025-03-01 - 1000 0.125 PTS / 3000 -0.125 PTS"), KT_OK, "and may be posted in");

    batch = begin(book);
    is_code(kt_batch_period_close(batch, day("2025-01-01"), &said), KT_OK, "a month is closed");
    is_code(sent(batch), KT_OK, "in a batch that is sent");
    is_code(send_id(book, "closed", "2025-01-15 - 1000 1.00 / 2000 -1.00"), KT_CLOSED, "and takes nothing more");

    batch = begin(book);
    is_code(add(batch, "2025-04-01 - 1000 7.00 / 2000 -7.00", &number), KT_OK, "an entry");
    is_code(sent(batch), KT_OK, "in a batch that is sent");
    batch = begin(book);
    is_code(kt_batch_reverse(batch, number, day("2025-04-02"), (kt_str){NULL, 0}, false, NULL, &said), KT_OK,
            "may be reversed");
    is_code(sent(batch), KT_OK, "by a batch that is sent");
    batch = begin(book);
    is_code(kt_batch_reverse(batch, number, day("2025-04-02"), (kt_str){NULL, 0}, false, NULL, &said), KT_RULE,
            "and then not again");
    kt_batch_abort(batch);

    is_code(received(book), KT_OK, "the first is received");
    ok(same_receipt(&got, &repeat), "with what the repeat was told");
    is_int(got.recorded_us != 0 && got.tree_size == got.last + 1, 1, "under a checkpoint of its own");
    kt_code code;
    unsigned more = 0;
    while ((code = received(book)) == KT_OK) more++;
    is_code(code, KT_END, "the others are received");
    is_int(more, 8, "all of them, and nothing of what was refused");
    is_int((long long)balance(book, "1200"), 0, "balances are those of what was sent");
    kt_book_close(book);
    (void)is_sound("checked", "and the book is sound");
}

/* ---- sending, receiving, committing, in and out of turn ---- */

static void test_order(void) {
    char id[32];
    kt_book *book = make_book("order");
    kt_batch *batch;
    is_code(received(book), KT_END, "where nothing is sent there is nothing to receive");
    is_code(kt_book_receive(book, false, NULL, NULL), KT_END, "whether one waits or not");
    is_code(send_id(book, "a", "2025-01-31 V1 1000 100.00 / 2000 -100.00"), KT_OK, "a batch is sent");
    is_code(post(book, "2025-01-31 V2 1000 1.00 / 2000 -1.00"), KT_USAGE, "behind it none may be committed");
    has_text(said.text, "not received", "which is said");
    is_code(send_id(book, "b", "2025-01-31 V2 1000 2.00 / 2000 -2.00"), KT_OK,
            "what was in that one was not taken, and the next is sent");
    batch = begin(book);
    is_code(sent(batch), KT_OK, "an empty one is sent");
    is_code(send_id(book, "c", "2025-01-31 V3 1000 4.00 / 2000 -4.00"), KT_OK, "and one behind it");
    batch = begin(book);
    is_code(add(batch, "2025-01-31 V4 1000 8.00 / 2000 -8.00", NULL), KT_OK, "one that is open");
    kt_batch_abort(batch);
    is_code(received(book), KT_OK, "is aborted; those sent are received");
    is_text(got.batch_id, "a", "in the order of sending");
    is_code(kt_book_receive(book, true, NULL, &said), KT_OK, "a receipt may go unread");
    is_code(received(book), KT_OK, "the empty one is received in its turn");
    ok(got.first > got.last && got.entries == 0, "and holds nothing");
    is_code(kt_book_receive(book, false, &got, &said), KT_OK, "what is known to be done is received without waiting");
    is_text(got.batch_id, "c", "it is the last");
    is_code(received(book), KT_END, "and there is no more");
    is_int((long long)balance(book, "1000"), 10600, "what was sent is there, and what was not is not");
    is_code(post(book, "2025-01-31 V4 1000 8.00 / 2000 -8.00"), KT_OK, "now one is committed, with a voucher let go");

    for (unsigned i = 0; i < KT_SENT_MAX; i++) {
        snprintf(id, sizeof id, "full %u", i);
        if (send_id(book, id, "2025-02-01 - 1000 1.00 / 2000 -1.00") != KT_OK) ok(false, "one of 16: %s", said.text);
    }
    batch = begin(book);
    is_code(add(batch, "2025-02-01 V9 1000 0.50 / 2000 -0.50", NULL), KT_OK, "behind %d sent one is filled",
            KT_SENT_MAX);
    is_code(sent(batch), KT_BUSY, "but cannot be sent");
    is_code(add(batch, "2025-02-01 V10 1000 0.50 / 2000 -0.50", NULL), KT_OK, "it is still open");
    is_code(sent(batch), KT_BUSY, "and still cannot be sent");
    is_code(received(book), KT_OK, "until one is received");
    is_code(sent(batch), KT_OK, "then it is");
    kt_code code = KT_BUSY;
    unsigned count = 0;
    for (unsigned long tries = 0; code == KT_OK || (code == KT_BUSY && tries < 2000000000ul); tries++) {
        code = kt_book_receive(book, false, &got, &said);
        count += code == KT_OK;
    }
    is_code(code, KT_END, "who does not wait is told KT_BUSY until each is there");
    is_int(count, KT_SENT_MAX, "and then all are");
    is_int((long long)got.entries, 2, "the last with both its entries");
    is_int((long long)balance(book, "1000"), 10600 + 800 + 1700, "all of it is in the book");
    kt_book_close(book);
    (void)is_sound("order", "and it is sound");
}

/* A batch whose hashing takes a while. */
static void fill_large(kt_batch *batch, unsigned count) {
    entry_room room;
    const kt_entry *entry = entry_of(&room, "2025-02-01 - 1000 1.00 / 2000 -1.00");
    for (unsigned i = 0; i < count; i++)
        if (kt_batch_add(batch, entry, NULL, &said) != KT_OK) ok(false, "an entry: %s", said.text);
}

static void test_closing(void) {
    kt_book *book = make_book("closing");
    kt_batch *batch = begin(book);
    fill_large(batch, 20000);
    is_code(sent(batch), KT_OK, "a large batch is sent");
    is_code(send_id(book, "behind", "2025-01-31 V1 1000 1.00 / 2000 -1.00"), KT_OK, "and one behind it");
    batch = begin(book);
    is_code(add(batch, "2025-01-31 V2 1000 1.00 / 2000 -1.00", NULL), KT_OK, "a third is open");
    book = reopen(book);
    is_int((long long)balance(book, "1000"), 2000100,
           "a book that is closed stores what was sent, and not what was open");
    is_code(received(book), KT_END, "nothing is under way when it is opened again");
    is_code(send_id(book, "behind", "2025-01-31 V1 1000 1.00 / 2000 -1.00"), KT_REPEATED, "a batch sent then is known");
    is_code(post(book, "2025-01-31 V2 1000 1.00 / 2000 -1.00"), KT_OK, "and the voucher of the open one is free");

    batch = begin(book);
    fill_large(batch, 20000);
    is_code(sent(batch), KT_OK, "again a large one is sent");
    batch = begin(book);
    fill_large(batch, 20000);
    kt_batch_abort(batch);
    is_code(send_id(book, "third", "2025-01-31 V3 1000 1.00 / 2000 -1.00"), KT_OK,
            "behind it one is aborted, and another sent");
    is_code(received(book), KT_OK, "the large one is received");
    is_int((long long)got.entries, 20000, "whole");
    is_code(received(book), KT_OK, "and the other");
    is_int((long long)balance(book, "1000"), 2000100 + 100 + 2000100, "nothing of the one between is there");
    kt_book_close(book);
    (void)is_sound("closing", "and the book is sound");
}

/* A second writer gets its turn when all are received, and not before; readers need none. */
static void test_turn(void) {
    kt_book *book = make_book("turn"), *other = NULL;
    kt_batch *batch = NULL;
    kt_open_options options = {.clock_us = test_clock, .no_wait = true};
    is_code(kt_book_open(path_of("turn"), &options, &other, &said), KT_OK, "two writers");
    is_code(send_id(book, "one", "2025-01-31 V1 1000 1.00 / 2000 -1.00"), KT_OK, "one sends");
    is_code(kt_batch_begin(other, NULL, &batch, NULL, &said), KT_BUSY, "the other has to wait");
    is_code(received(book), KT_OK, "until it is received");
    is_code(post(other, "2025-01-31 V2 1000 1.00 / 2000 -1.00"), KT_OK, "then it posts");
    is_code(send_id(book, "two", "2025-01-31 V2 1000 1.00 / 2000 -1.00"), KT_DUPLICATE,
            "and the first sees what it posted");
    is_code(send_id(book, "two", "2025-01-31 V3 1000 1.00 / 2000 -1.00"), KT_OK, "and sends behind it");
    kt_book_close(book);
    is_int((long long)balance(other, "1000"), 300, "all three are there");
    kt_book_close(other);
    (void)is_sound("turn", "and the book is sound");
}

static void test_none_added(void) {
    kt_book *book = make_book("none-added");
    kt_batch *batch = begin(book);
    entry_room rooms[3];
    kt_entry entries[3] = {*entry_of(&rooms[0], "2025-01-31 V1 1000 1.00 / 2000 -1.00"),
                           *entry_of(&rooms[1], "2025-01-31 V1 1000 1.00 / 2000 -1.00"),
                           *entry_of(&rooms[2], "2025-01-31 V2 1000 1.00 / 2000 -1.00")};
    size_t added = 9;
    is_code(kt_batch_add_many(batch, entries, 0, &added, &said), KT_OK, "none at all are taken");
    is_int((long long)added, 0, "and counted");
    is_code(kt_batch_add_many(batch, entries, 3, &added, &said), KT_DUPLICATE, "of three the second is refused");
    is_int((long long)added, 1, "one was added before it");
    is_code(kt_batch_add_many(batch, entries, 3, &added, &said), KT_DUPLICATE, "the first is known now");
    is_int((long long)added, 0, "and none was added before it");
    is_code(kt_batch_add_many(batch, entries + 2, 1, &added, &said), KT_OK, "the third is taken, which had not been");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "the batch is committed");
    is_int((long long)receipt.entries, 2, "with the two");
    kt_book_close(book);
}

int main(void) {
    test_checked();
    test_order();
    test_closing();
    test_turn();
    test_none_added();
    return done();
}
