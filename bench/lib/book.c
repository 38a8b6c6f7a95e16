#include "bench/lib/book.h"

#include <stdlib.h>

#include "bench/lib/tool.h"

#define ACCOUNTS_A_BATCH 8192u

static kt_book *open_with(const char *directory, const kt_open_options *options) {
    kt_error error = {0};
    kt_book *book;
    if (kt_book_open(directory, options, &book, &error) != KT_OK) bench_die("opening", &error);
    return book;
}

kt_book *bench_book_open(const char *directory) { return open_with(directory, NULL); }

static kt_batch *begin(kt_book *book) {
    kt_error error = {0};
    kt_batch *batch;
    if (kt_batch_begin(book, NULL, &batch, NULL, &error) != KT_OK) bench_die("a batch", &error);
    return batch;
}

void bench_book_make(const char *directory, const bench_year *year) {
    kt_error error = {0};
    kt_create_options options = {.company = {.entity = KT_STR("Bench"), .currency = KT_STR("DKK")}};
    if (kt_book_create(directory, &options, &error) != KT_OK) bench_die("making the book", &error);
    kt_book *book = bench_book_open(directory);
    kt_batch *batch = NULL;
    for (uint32_t i = 0; i < year->accounts && !bench_stopped(); i++) {
        char room[BENCH_CODE];
        kt_account account = {.code = bench_year_account(year, i, room),
                              .type = i % 2 == 0 ? KT_ASSET : KT_INCOME,
                              .open_from = KT_DAY_NONE,
                              .closed_from = KT_DAY_NONE};
        if (batch == NULL) batch = begin(book);
        if (kt_batch_account(batch, &account, &error) != KT_OK) bench_die("an account", &error);
        if ((i + 1) % ACCOUNTS_A_BATCH != 0 && i + 1 != year->accounts) continue;
        if (kt_batch_commit(batch, NULL, &error) != KT_OK) bench_die("the accounts", &error);
        batch = NULL;
    }
    kt_batch_abort(batch);
    kt_book_close(book);
}

/* ---- posting ---- */

/* Batches sent whose receipt is not there yet, oldest first: a ring of when they were sent. */
struct under_way {
    kt_book *book;
    bench_receipts *receipts;
    int64_t sent[KT_SENT_MAX];
    unsigned oldest, count;
};

static void keep_receipt(bench_receipts *receipts, int64_t wait, int64_t recorded) {
    if (receipts->batches == receipts->room) {
        receipts->room = receipts->room == 0 ? 1024 : receipts->room * 2;
        receipts->waits = realloc(receipts->waits, receipts->room * sizeof *receipts->waits);
        receipts->recorded = realloc(receipts->recorded, receipts->room * sizeof *receipts->recorded);
        if (receipts->waits == NULL || receipts->recorded == NULL) bench_die("memory", NULL);
    }
    receipts->waits[receipts->batches] = wait;
    receipts->recorded[receipts->batches++] = recorded;
}

void bench_receipts_release(bench_receipts *receipts) {
    free(receipts->waits);
    free(receipts->recorded);
    *receipts = (bench_receipts){0};
}

/* One receipt; false: it is not there yet. */
static bool receive(struct under_way *under_way, bool wait) {
    kt_error error = {0};
    kt_receipt receipt;
    if (under_way->count == 0) return false;
    kt_code code = kt_book_receive(under_way->book, wait, &receipt, &error);
    if (code == KT_BUSY && !wait) return false;
    if (code != KT_OK) bench_die("a receipt", &error);
    keep_receipt(under_way->receipts, bench_now_ns() - under_way->sent[under_way->oldest], receipt.recorded_us);
    under_way->oldest = (under_way->oldest + 1) % KT_SENT_MAX;
    under_way->count--;
    return true;
}

static void send_batch(struct under_way *under_way, kt_batch *batch) {
    kt_error error = {0};
    if (under_way->count == KT_SENT_MAX) receive(under_way, true);
    under_way->sent[(under_way->oldest + under_way->count++) % KT_SENT_MAX] = bench_now_ns();
    if (kt_batch_send(batch, &error) != KT_OK) bench_die("sending a batch", &error);
    while (receive(under_way, false)) {
    }
}

uint64_t bench_book_post(kt_book *book, bench_year *year, uint64_t entries, uint32_t batch_entries,
                         bench_receipts *receipts, void (*progress)(void *context, uint64_t entries), void *context) {
    struct under_way under_way = {.book = book, .receipts = receipts};
    kt_error error = {0};
    uint64_t posted = 0;
    while (posted < entries && !bench_stopped()) {
        uint64_t left = entries - posted;
        uint32_t size = left < batch_entries ? (uint32_t)left : batch_entries;
        kt_batch *batch = begin(book);
        for (uint32_t i = 0, many; i < size; i += many) {
            size_t added;
            many = size - i < BENCH_YEAR_MANY ? size - i : BENCH_YEAR_MANY;
            if (kt_batch_add_many(batch, bench_year_many(year, many), many, &added, &error) != KT_OK)
                bench_die("an entry", &error);
        }
        send_batch(&under_way, batch);
        posted += size;
        if (progress != NULL) progress(context, posted);
    }
    while (receive(&under_way, true)) {
    }
    return posted;
}

int64_t bench_book_fill(const char *directory, bool single_thread, bench_year *year, uint64_t entries, uint32_t batch,
                        bench_receipts *receipts, void (*progress)(void *context, uint64_t entries), void *context) {
    kt_open_options options = {.single_thread = single_thread};
    int64_t start = bench_now_ns();
    kt_book *book = open_with(directory, &options);
    bench_book_post(book, year, entries, batch, receipts, progress, context);
    kt_book_close(book);
    return bench_now_ns() - start;
}

int64_t bench_book_single(kt_book *book, bench_year *year, unsigned rounds) {
    kt_error error = {0};
    int64_t *spent = calloc(rounds, sizeof *spent);
    if (spent == NULL) bench_die("memory", NULL);
    for (unsigned i = 0; i < rounds; i++) {
        const kt_entry *entry = bench_year_next(year);
        int64_t start = bench_now_ns();
        kt_batch *batch = begin(book);
        if (kt_batch_add(batch, entry, NULL, &error) != KT_OK || kt_batch_commit(batch, NULL, &error) != KT_OK)
            bench_die("an entry alone", &error);
        spent[i] = bench_now_ns() - start;
    }
    int64_t median = bench_rank(spent, rounds, 500);
    free(spent);
    return median;
}

void bench_book_stats(const char *directory, kt_stats *out) {
    kt_error error = {0};
    kt_book *book;
    kt_view *view;
    kt_open_options options = {.read_only = true};
    if (kt_book_open(directory, &options, &book, &error) != KT_OK || kt_view_open(book, NULL, &view, &error) != KT_OK ||
        kt_view_stats(view, out, &error) != KT_OK)
        bench_die("figures", &error);
    kt_view_close(view);
    kt_book_close(book);
}
