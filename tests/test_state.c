/* State: reading sees the open batch's changes first; flushed they are stored, forgotten they never were. */
#include "storage/state.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/storing.h"

enum { KEYS = 60, VALUE = 40 };

typedef struct map { /* the naive state: one slot a key and table */
    struct {
        bool there;
        size_t size;
        uint8_t bytes[VALUE];
    } slots[2][KEYS];
} map;

static const kt_table tables[2] = {STORING_ONE, STORING_TWO};

static kt_span key_of(unsigned key, char out[16]) {
    (void)snprintf(out, 16, "key%u", key);
    return kt_span_of(out, strlen(out));
}

static int compare(kt_state *state, const map *expected) {
    int wrong = 0;
    char name[16];
    kt_span value;
    for (unsigned t = 0; t < 2; t++)
        for (unsigned k = 0; k < KEYS; k++) {
            kt_code code = kt_state_get(state, tables[t], key_of(k, name), &value, NULL);
            wrong += expected->slots[t][k].there
                         ? code != KT_OK || kt_span_compare(value, kt_span_of(expected->slots[t][k].bytes,
                                                                              expected->slots[t][k].size)) != 0
                         : code != KT_NOT_FOUND;
        }
    return wrong;
}

static void change(kt_state *state, map *model, uint64_t *random) {
    unsigned t = (unsigned)(test_random(random) % 2), k = (unsigned)(test_random(random) % KEYS);
    char name[16];
    kt_error error;
    kt_code code;
    if (test_random(random) % 3 == 0) {
        model->slots[t][k].there = false;
        code = kt_state_delete(state, tables[t], key_of(k, name), &error);
    } else {
        model->slots[t][k].there = true;
        model->slots[t][k].size = (size_t)(test_random(random) % (VALUE + 1));
        for (size_t i = 0; i < model->slots[t][k].size; i++) model->slots[t][k].bytes[i] = (uint8_t)test_random(random);
        code = kt_state_put(state, tables[t], key_of(k, name),
                            kt_span_of(model->slots[t][k].bytes, model->slots[t][k].size), &error);
    }
    if (code != KT_OK) diag("%s", error.text);
}

static kt_txn *commit(kt_store *store, kt_txn *txn, kt_state *state) {
    kt_error error;
    if (kt_txn_commit(txn, &error) != KT_OK || kt_txn_begin(store, true, &txn, &error) != KT_OK) diag("%s", error.text);
    kt_state_bind(state, txn);
    return txn;
}

/* Random changes, flushed, forgotten, spilled and undone at random, beside the naive state. */
static void test_random_changes(kt_store *store, uint64_t *random) {
    kt_error error;
    kt_txn *txn;
    kt_state *state;
    map *now = calloc(1, sizeof(*now)), *stored = calloc(1, sizeof(*stored));
    int wrong[4] = {0}, undone = 0;
    (void)kt_txn_begin(store, true, &txn, &error);
    (void)kt_state_open(&state, &error);
    kt_state_bind(state, txn);
    ok(kt_state_txn(state) == txn, "state is bound to a transaction");
    for (int round = 0; round < 150; round++) {
        for (uint64_t i = test_random(random) % 120; i != 0; i--) change(state, now, random);
        wrong[0] += compare(state, now);
        uint64_t spills = test_random(random) % 3;
        for (uint64_t s = 0; s < spills; s++) { /* a large batch writes one table before its end */
            kt_changes *turned;
            if (kt_state_turn(state, 1u << STORING_TWO, &turned, &error) != KT_OK) wrong[1]++;
            for (uint64_t i = test_random(random) % 60; i != 0; i--) change(state, now, random);
            wrong[1] += compare(state, now); /* what is under way lies below what gathers */
            if (kt_changes_write(turned, txn, KT_TABLE_UNDO, &error) != KT_OK) wrong[1]++;
            wrong[1] += compare(state, now);
            txn = commit(store, txn, state);
            kt_state_written(state);
            wrong[1] += compare(state, now);
        }
        if (test_random(random) % 2) {
            if (kt_state_flush(state, KT_STATE_ALL, &error) != KT_OK ||
                kt_txn_clear(txn, KT_TABLE_UNDO, &error) != KT_OK)
                wrong[2]++;
            *stored = *now;
        } else {
            undone += spills != 0;
            kt_state_forget(state);
            if (kt_state_undo(txn, KT_TABLE_UNDO, UINT64_MAX, &error) != KT_OK) wrong[3]++;
            *now = *stored;
        }
        txn = commit(store, txn, state);
        wrong[3] += compare(state, now) + (storing_rows(store, KT_TABLE_UNDO) != 0);
    }
    is_int(wrong[0], 0, "reading sees the changes first, and what is stored behind them");
    is_int(wrong[1], 0, "a table that is spilled reads the same, before, while and after it is written");
    is_int(wrong[2], 0, "flushing and sealing never fail");
    is_int(wrong[3], 0, "forgotten and undone, state is what it was; flushed, what it became");
    ok(undone > 5, "spills were undone %d times", undone);
    kt_state_close(state);
    kt_txn_abort(txn);
    free(now);
    free(stored);
}

static void test_own_bytes(kt_store *store) {
    kt_error error;
    kt_txn *txn;
    kt_state *state;
    kt_span value, key = kt_span_of("own", 3);
    (void)kt_txn_begin(store, true, &txn, &error);
    (void)kt_state_open(&state, &error);
    kt_state_bind(state, txn);
    (void)kt_state_put(state, STORING_ONE, key, kt_span_of("0123456789", 10), &error);
    (void)kt_state_get(state, STORING_ONE, key, &value, &error);
    (void)kt_state_put(state, STORING_ONE, key, kt_span_of(value.data + 2, 5), &error);
    (void)kt_state_get(state, STORING_ONE, key, &value, &error);
    is_bytes(value.data, value.size, "23456", 5, "a value may be made of the one it replaces");
    (void)kt_state_put(state, STORING_ONE, kt_span_of("empty", 5), kt_span_of(NULL, 0), &error);
    is_code(kt_state_get(state, STORING_ONE, kt_span_of("empty", 5), &value, &error), KT_OK, "an empty value is there");
    is_int((long long)value.size, 0, "and empty");
    error = (kt_error){.text = "as it was"};
    is_code(kt_state_get(state, STORING_ONE, kt_span_of("none", 4), &value, &error), KT_NOT_FOUND,
            "a key that is not there is not found");
    is_text(error.text, "as it was", "and the error is left alone");
    is_code(kt_state_delete(state, STORING_ONE, kt_span_of("none", 4), &error), KT_OK,
            "it may be deleted all the same");
    is_code(kt_state_flush(state, KT_STATE_ALL, &error), KT_OK, "and flushed");
    bool many = true;
    for (unsigned i = 0; i < 5000; i++) { /* beyond the first slots */
        uint8_t name[4];
        kt_put_be32(name, i);
        many &= kt_state_put(state, STORING_TWO, kt_span_of(name, 4), kt_span_of(name, 4), &error) == KT_OK;
    }
    static uint8_t large[7 << 20];
    is_int((long long)kt_state_full(state, KT_STATE_ALL), 0, "some thousand changes are not many");
    (void)kt_state_put(state, STORING_ONE, key, kt_span_of(large, sizeof large), &error);
    is_int((long long)kt_state_full(state, KT_STATE_ALL), 1 << STORING_ONE, "some megabytes are");
    is_int((long long)kt_state_full(state, 1u << STORING_TWO), 0, "and only tables asked for are named");
    for (unsigned i = 0; i < 5000; i++) {
        uint8_t name[4];
        kt_put_be32(name, i);
        many &= kt_state_get(state, STORING_TWO, kt_span_of(name, 4), &value, &error) == KT_OK &&
                kt_span_compare(value, kt_span_of(name, 4)) == 0;
    }
    ok(many, "thousands of changes are found again");
    kt_state_close(state);
    kt_state_close(NULL);
    kt_txn_abort(txn);
}

static void test_bad_undo(kt_store *store) {
    static const uint8_t rows[][6] = {{STORING_TWO, 9, 0, 1, 'k', 'v'}, {200, 1, 0, 1, 'k', 'v'}};
    kt_error error;
    kt_txn *txn;
    for (size_t i = 0; i < 2; i++) {
        uint8_t name[8] = {0};
        (void)kt_txn_begin(store, true, &txn, &error);
        (void)kt_txn_put(txn, KT_TABLE_UNDO, kt_span_of(name, 8), kt_span_of(rows[i], 6), &error);
        is_code(kt_state_undo(txn, KT_TABLE_UNDO, UINT64_MAX, &error), KT_DAMAGED,
                "an undo row that cannot be is refused");
        kt_txn_abort(txn);
    }
}

int main(void) {
    char directory[STORING_PATH];
    uint64_t random = test_seed();
    kt_error error;
    kt_store *store = storing_open(storing_directory("state", directory), true, false, &error);
    test_random_changes(store, &random);
    test_own_bytes(store);
    test_bad_undo(store);
    kt_store_close(store);
    return done();
}
