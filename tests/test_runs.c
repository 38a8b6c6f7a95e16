/* Runs: whatever was added up in whatever order, every question gets the answer of a plain list. */
#include "storage/runs.h"

#include <stdlib.h>

#include "tests/runs_model.h"

enum { BLOCKS = 600 }; /* above 8 * 8 * 8, so that runs of three levels above the first are merged */

static void test_against_model(uint64_t *random) {
    model m;
    int wrong = 0, asked = 0;
    model_open(&m, "model");
    for (int block = 0; block < BLOCKS; block++) {
        model_block(&m, random);
        if (test_random(random) % 10 == 0) model_seal(&m);
        if (block % 40 != 0 && block != BLOCKS - 1) continue;
        model_seal(&m);
        for (int i = 0; i < 25; i++, asked++) {
            kt_runs_query query = model_query(&m, random);
            wrong += model_compare(&m, &query) != 0;
        }
    }
    model_seal(&m);
    is_int(wrong, 0, "%d random questions about %zu postings get the answers of a plain list", asked, m.count);
    int digits = 0, made = 0;
    for (int level = 0, blocks = m.blocks; level < 4; level++, blocks /= (int)KT_RUN_FAN) {
        digits += model_runs(&m, level, true, true) == blocks % (int)KT_RUN_FAN;
        made += blocks % (int)KT_RUN_FAN;
    }
    ok(digits == 4 && m.blocks > 512,
       "of %d blocks as many runs of each size are left as the number's digits in base %u", m.blocks, KT_RUN_FAN);

    kt_runs_query all = {.first_month = INT32_MIN, .last_month = INT32_MAX, .last_day = 31, .end = UINT64_MAX};
    is_int(model_compare(&m, &all), 0, "sums over everything are right");
    all.items = true;
    is_int(model_compare(&m, &all), 0, "and the lists add up to the same");
    all.end = 0;
    is_int(model_compare(&m, &all), 0, "before the first record there is nothing");
    for (uint64_t end = 1; end < m.next; end += m.next / 20) {
        all.end = end;
        all.items = false;
        wrong += model_compare(&m, &all) != 0;
    }
    is_int(wrong, 0, "as of any earlier record, what was known then");

    kt_error error;
    kt_txn *txn;
    uint64_t runs, postings;
    (void)kt_txn_begin(m.store, false, &txn, &error);
    (void)kt_runs_count(txn, model_tables, &runs, &postings, &error);
    ok(runs == (uint64_t)made && postings == m.count, "every posting is counted once");
    kt_txn_abort(txn);
    model_close(&m);
}

/* ---- the same bytes ---- */

static void test_deterministic(uint64_t seed) {
    enum { SOME = 150 };
    model one, two;
    uint8_t first[KT_HASH_SIZE], second[KT_HASH_SIZE];
    uint64_t a = seed, b = seed, other = seed + 1;
    model_open(&one, "one");
    model_open(&two, "two");
    for (int block = 0; block < SOME; block++) {
        model_block(&one, &a);
        model_block(&two, &b);
        model_seal(&one);
        if (test_random(&other) % 20 == 0) model_seal(&two); /* other batches of the same blocks */
        if (test_random(&other) % 10 == 0 && two.txn == NULL)
            kt_runs_forget(two.runs); /* and a process that begins anew */
    }
    model_seal(&two);
    model_digest(&one, first);
    model_digest(&two, second);
    is_bytes(first, sizeof(first), second, sizeof(second),
             "the same blocks give the same bytes, however they were batched and whoever wrote them");
    model_close(&two);

    /* A batch broken off in the middle, some of it committed. */
    kt_error error;
    kt_txn *txn;
    size_t count = one.count;
    uint64_t next = one.next;
    for (int block = 0; block < 40; block++) model_block(&one, &other);
    (void)kt_txn_commit(one.txn, &error); /* a piece: no seal */
    one.txn = NULL;
    kt_runs_forget(one.runs);
    model_digest(&one, second);
    ok(memcmp(first, second, sizeof(first)) != 0, "a batch in pieces leaves runs that no manifest lists");
    one.count = count;
    one.next = next;
    kt_runs_query all = {.first_month = INT32_MIN, .last_month = INT32_MAX, .last_day = 31, .end = UINT64_MAX};
    is_int(model_compare(&one, &all), 0, "which no reader sees");
    (void)kt_txn_begin(one.store, true, &txn, &error);
    is_code(kt_runs_recover(txn, model_tables, &error), KT_OK, "recovering drops them");
    (void)kt_txn_commit(txn, &error);
    model_digest(&one, second);
    is_bytes(second, sizeof(second), first, sizeof(first), "and nothing else");
    for (int block = 0; block < 20; block++) model_block(&one, &other);
    model_seal(&one);
    is_int(model_compare(&one, &all), 0, "and the next batch goes on from there");
    model_close(&one);
}

/* ---- the open batch's own sums ---- */

static kt_code add_balance(void *context, const kt_run_cell *cell, kt_error *error) {
    kt_int128 *balances = context;
    (void)error;
    balances[cell->key.currency] += cell->debit - cell->credit;
    return KT_OK;
}

static void test_open_sums(uint64_t *random) {
    model m;
    kt_error error;
    int wrong = 0;
    model_open(&m, "open");
    for (int block = 0; block < 70; block++) {
        model_block(&m, random);
        if (test_random(random) % 5 == 0) model_seal(&m);
        if (m.txn == NULL) (void)kt_txn_begin(m.store, true, &m.txn, &error);
        uint32_t account = 1 + (uint32_t)(test_random(random) % MODEL_ACCOUNTS);
        kt_int128 found[MODEL_CURRENCIES + 1] = {0}, expected[MODEL_CURRENCIES + 1] = {0};
        wrong += kt_runs_sums(m.runs, m.txn, account, add_balance, found, &error) != KT_OK;
        for (size_t i = 0; i < m.count; i++)
            if (m.postings[i].key.account == account) expected[m.postings[i].key.currency] += m.postings[i].item.amount;
        wrong += memcmp(found, expected, sizeof(found)) != 0;
    }
    is_int(wrong, 0, "an account's sums hold what the open batch has added so far");
    model_close(&m);
}

/* ---- sums that do not fit ---- */

static kt_code add_two(const char *name, const kt_run_item *one, const kt_run_item *two) {
    const kt_run_key key = {.account = 1, .currency = 1};
    kt_error error;
    model m;
    model_open(&m, name);
    kt_code code = kt_runs_add(m.runs, &key, one, &error);
    if (code == KT_OK && two != NULL) code = kt_runs_add(m.runs, &key, two, &error);
    if (code != KT_OK) diag("%s", error.text);
    (void)kt_txn_begin(m.store, true, &m.txn, &error);
    kt_runs_turn(m.runs);
    code = kt_runs_block(m.runs, m.txn, 0, 1, &error);
    if (code != KT_OK) {
        kt_txn_abort(m.txn);
        m.txn = NULL;
        model_close(&m);
        return code;
    }
    model_seal(&m);
    m.postings = malloc(sizeof(*m.postings));
    m.postings[0] = (struct model_posting){key, *one};
    m.count = 1;
    kt_runs_query all = {.first_month = INT32_MIN, .last_month = INT32_MAX, .last_day = 31, .end = UINT64_MAX};
    is_int(model_compare(&m, &all), 0, "and it holds what was taken");
    model_close(&m);
    return code;
}

static void test_overflow(void) {
    const kt_int128 most = (kt_int128)(((kt_uint128)1 << 127) - 1), least = -most - 1;
    kt_run_item item = {.amount = most, .book = most}, one = {.amount = 1, .line = 1, .book = 1},
                lowest = {.amount = least, .line = 2, .book = least};
    is_code(add_two("most", &item, NULL), KT_OK, "the largest amount is added");
    is_code(add_two("more", &item, &one), KT_OVERFLOW, "one more does not fit and is refused");
    is_code(add_two("lowest", &lowest, NULL), KT_OVERFLOW, "nor does an amount that has no counterpart");
}

/* Bytes that no disk gives, since a checksum would not hold: a reader must not crash over them all the same. */
static kt_code drop_cell(void *context, const kt_run_cell *cell, kt_error *error) {
    (void)error;
    *(uint64_t *)context += cell->count;
    return KT_OK;
}

static kt_code drop_item(void *context, const kt_run_key *key, const kt_run_item *item, kt_error *error) {
    (void)error;
    *(uint64_t *)context += item->number + key->account;
    return KT_OK;
}

static void test_garbage(uint64_t *random) {
    kt_error error;
    kt_txn *txn;
    kt_span key, value;
    kt_cursor *cursor;
    uint8_t bytes[KT_RUN_LIST_PIECE], name[32];
    uint64_t sink = 0;
    int other = 0;
    model m;
    model_open(&m, "garbage");
    for (int block = 0; block < 9; block++) model_block(&m, random);
    model_seal(&m);
    for (int i = 0; i < 2000; i++) {
        kt_table table = i % 2 ? model_tables.cells : model_tables.lists;
        (void)kt_txn_begin(m.store, true, &txn, &error);
        (void)kt_cursor_open(txn, table, &cursor, &error);
        (void)kt_cursor_first(cursor, &key, &value, &error);
        size_t size = value.size, name_size = key.size;
        memcpy(bytes, value.data, size);
        memcpy(name, key.data, name_size);
        kt_cursor_close(cursor);
        for (uint64_t flips = 1 + test_random(random) % 4; flips != 0; flips--)
            bytes[test_random(random) % size] = (uint8_t)test_random(random);
        (void)kt_txn_put(txn, table, kt_span_of(name, name_size), kt_span_of(bytes, size), &error);
        kt_runs_query query = model_query(&m, random);
        kt_code code = kt_runs_scan(txn, model_tables, &query, drop_cell, drop_item, &sink, &error);
        other += code != KT_OK && code != KT_DAMAGED;
        kt_txn_abort(txn);
    }
    is_int(other, 0, "nonsense under a good checksum is read or refused, and crashes nothing");
    model_close(&m);
}

int main(void) {
    uint64_t random = test_seed();
    test_against_model(&random);
    test_deterministic(random);
    test_open_sums(&random);
    test_overflow();
    test_garbage(&random);
    return done();
}
