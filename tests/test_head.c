/* The head, and each head before it: found again by size, and by the time at which it was the last. */
#include "storage/head.h"

#include <stdlib.h>

#include "tests/storing.h"

static void grow(kt_log_head *head, uint64_t *random) {
    uint8_t leaf[KT_HASH_SIZE];
    uint64_t leaves = 1 + test_random(random) % 600;
    for (uint64_t i = 0; i < leaves; i++) {
        memset(leaf, (int)(test_random(random) & 0xff), sizeof(leaf));
        kt_tree_add(&head->tree, leaf, NULL, NULL);
    }
    head->batches++;
    head->recorded_us += (int64_t)(test_random(random) % 4) * 1000; /* often the same time: a clock that stands */
    head->epoch = head->batches / 7;
    kt_tree_root(&head->tree, head->root);
    memset(head->signature, (int)head->batches, sizeof(head->signature));
}

static bool is_row(const kt_log_row *row, const kt_log_head *head) {
    return row->size == head->tree.size && row->batches == head->batches && row->recorded_us == head->recorded_us &&
           memcmp(row->root, head->root, KT_HASH_SIZE) == 0 &&
           memcmp(row->signature, head->signature, KT_SIGNATURE_SIZE) == 0;
}

static void test_known(kt_txn *txn, const kt_log_head *heads, size_t count) {
    kt_error error;
    kt_log_row row;
    int wrong = 0;
    for (int64_t time = heads[0].recorded_us - 2; time <= heads[count - 1].recorded_us + 2000; time += 500) {
        size_t last = count; /* the naive answer */
        for (size_t i = 0; i < count && heads[i].recorded_us <= time; i++) last = i;
        kt_code code = kt_log_row_known(txn, time, &row, &error);
        wrong += last == count ? code != KT_NOT_FOUND : code != KT_OK || !is_row(&row, &heads[last]);
    }
    is_int(wrong, 0, "as known at any time is the last head recorded at or before it, of %zu heads", count);
    is_code(kt_log_row_known(txn, INT64_MAX, &row, &error), KT_OK, "at the end of time");
    ok(is_row(&row, &heads[count - 1]), "the newest is known");
    is_code(kt_log_row_known(txn, INT64_MIN, &row, &error), KT_NOT_FOUND, "and before all time none");
}

static void test_damage(kt_store *store, const kt_log_head *head) {
    kt_error error;
    kt_txn *txn;
    kt_span value;
    kt_log_head found;
    uint8_t bytes[2048];
    (void)kt_txn_begin(store, true, &txn, &error);
    (void)kt_txn_get(txn, KT_TABLE_META, kt_span_of("head", 4), &value, &error);
    size_t size = value.size;
    memcpy(bytes, value.data, size);
    bytes[size - 1] ^= 1; /* under a checksum that fits: only the root can tell */
    (void)kt_txn_put(txn, KT_TABLE_META, kt_span_of("head", 4), kt_span_of(bytes, size), &error);
    is_code(kt_log_head_read(txn, &found, &error), KT_DAMAGED, "a frontier that does not give the root is refused");
    bytes[size - 1] ^= 1;
    (void)kt_txn_put(txn, KT_TABLE_META, kt_span_of("head", 4), kt_span_of(bytes, size - KT_HASH_SIZE), &error);
    is_code(kt_log_head_read(txn, &found, &error), KT_DAMAGED, "one that lacks a hash too");
    (void)kt_txn_put(txn, KT_TABLE_META, kt_span_of("head", 4), kt_span_of(bytes, 40), &error);
    is_code(kt_log_head_read(txn, &found, &error), KT_DAMAGED, "a head that is too short too");
    is_code(kt_log_head_write(txn, head, &error), KT_DAMAGED, "and a head below the last is not written");
    kt_txn_abort(txn);
}

int main(void) {
    enum { HEADS = 300 };
    char directory[STORING_PATH];
    uint64_t random = test_seed();
    kt_error error;
    kt_txn *txn;
    kt_log_row row;
    kt_log_head *heads = calloc(HEADS, sizeof(*heads)), head, found;
    kt_store *store = storing_open(storing_directory("head", directory), true, false, &error);
    (void)kt_txn_begin(store, true, &txn, &error);
    is_code(kt_log_head_read(txn, &head, &error), KT_OK, "a store without a head has one");
    uint8_t nothing[KT_HASH_SIZE];
    kt_sha256_of("", 0, nothing);
    ok(head.tree.size == 0 && memcmp(head.root, nothing, KT_HASH_SIZE) == 0, "of no records");
    is_code(kt_log_row_known(txn, INT64_MAX, &row, &error), KT_NOT_FOUND, "and nothing is known yet");
    head.recorded_us = -5000; /* before 1970 too */
    int unread = 0;
    for (int i = 0; i < HEADS; i++) {
        grow(&head, &random);
        heads[i] = head;
        if (kt_log_head_write(txn, &head, &error) != KT_OK || kt_log_head_read(txn, &found, &error) != KT_OK ||
            found.tree.size != head.tree.size || found.batches != head.batches || found.epoch != head.epoch ||
            found.recorded_us != head.recorded_us || memcmp(found.root, head.root, KT_HASH_SIZE) != 0)
            unread++;
        if (i == 0 || i == 1 || i == 6 || i == HEADS - 1) test_known(txn, heads, (size_t)i + 1);
    }
    is_int(unread, 0, "every head is read as it was written");
    int wrong = 0;
    for (int i = 0; i < HEADS; i++) {
        wrong += kt_log_row_at(txn, heads[i].tree.size, &row, &error) != KT_OK || !is_row(&row, &heads[i]);
        if (i != 0 && heads[i].tree.size - 1 != heads[i - 1].tree.size)
            wrong += kt_log_row_at(txn, heads[i].tree.size - 1, &row, &error) != KT_NOT_FOUND;
    }
    is_int(wrong, 0, "every earlier head is found by its size, and no other size has one");
    (void)kt_txn_commit(txn, &error);
    test_damage(store, &heads[0]);
    kt_store_close(store);
    free(heads);
    return done();
}
