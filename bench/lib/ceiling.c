#include "bench/lib/ceiling.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/lib/tool.h"
#include "storage/block.h"
#include "storage/head.h"
#include "storage/journal.h"

struct ceiling {
    kt_store *store;
    kt_signer *signer;
    kt_tree tree;
    uint16_t lengths[KT_BLOCK_RECORDS];
    uint8_t (*leaves)[KT_HASH_SIZE];
    uint8_t *data;
    uint32_t count, bytes;
    uint64_t first;
};

static void ceiling_block(struct ceiling *work, kt_txn *txn) {
    kt_error error = {0};
    uint8_t key[8], *room;
    const uint8_t *at = work->data;
    for (uint32_t i = 0; i < work->count; i++) {
        kt_leaf_hash(at, work->lengths[i], work->leaves[i]);
        at += work->lengths[i];
    }
    kt_tree_add_many(&work->tree, work->leaves[0], work->count, NULL, NULL);
    kt_put_be64(key, work->first);
    if (kt_txn_append_room(txn, KT_TABLE_BLOCKS, kt_span_of(key, 8), kt_block_size(work->count, work->bytes), &room,
                           &error) != KT_OK)
        bench_die("the ceiling's block", &error);
    kt_block_write(KT_TABLE_BLOCKS, work->first, work->count, work->lengths, NULL, work->data, work->bytes, room);
    work->first += work->count;
    work->count = work->bytes = 0;
}

/* One batch: its blocks, its signature, the checkpoint's, one commit. */
static void ceiling_batch(struct ceiling *work, const uint8_t *bytes, const uint16_t *lengths, uint32_t count) {
    kt_error error = {0};
    kt_txn *txn;
    uint8_t root[KT_HASH_SIZE], signature[2][KT_SIGNATURE_SIZE];
    if (kt_txn_begin(work->store, true, &txn, &error) != KT_OK) bench_die("the ceiling", &error);
    for (uint32_t i = 0; i < count; i++) {
        if (work->count == KT_BLOCK_RECORDS || work->bytes + lengths[i] > KT_BLOCK_BYTES) ceiling_block(work, txn);
        memcpy(work->data + work->bytes, bytes, lengths[i]);
        work->lengths[work->count++] = lengths[i];
        work->bytes += lengths[i];
        bytes += lengths[i];
    }
    ceiling_block(work, txn);
    kt_tree_root(&work->tree, root);
    (void)kt_sign(work->signer, root, sizeof root, signature[0], NULL);
    (void)kt_sign(work->signer, signature[0], sizeof signature[0], signature[1], NULL);
    if (kt_txn_put(txn, KT_TABLE_META, kt_span_of("head", 4), kt_span_of(signature, sizeof signature), &error) !=
            KT_OK ||
        kt_txn_commit(txn, &error) != KT_OK)
        bench_die("the ceiling's commit", &error);
}

int64_t bench_ceiling(const char *book, const char *directory, uint64_t entries, uint32_t batch) {
    static const char *const names[] = {"meta", "blocks"};
    static const char *const book_names[] = {"meta", "blocks"};
    kt_error error = {0};
    struct ceiling *work = calloc(1, sizeof *work);
    kt_store *source;
    kt_txn *txn;
    kt_records *records;
    kt_log_head head;
    kt_store_options own = {.names = names, .count = 2, .create = true},
                     other = {.names = book_names, .count = 2, .read_only = true};
    if (work == NULL || mkdir(directory, 0700) != 0) bench_die(directory, NULL);
    work->leaves = malloc(KT_BLOCK_RECORDS * sizeof *work->leaves);
    work->data = malloc(KT_BLOCK_BYTES);
    uint8_t *bytes = malloc((size_t)batch * 2048);
    uint16_t *lengths = malloc((size_t)batch * 4 + 64);
    if (work->leaves == NULL || work->data == NULL || bytes == NULL || lengths == NULL) bench_die("memory", NULL);
    kt_tree_init(&work->tree);
    if (kt_signer_generate(&work->signer, &error) != KT_OK ||
        kt_store_open(directory, &own, &work->store, &error) != KT_OK ||
        kt_store_open(book, &other, &source, &error) != KT_OK || kt_txn_begin(source, false, &txn, &error) != KT_OK ||
        kt_log_head_read(txn, &head, &error) != KT_OK ||
        kt_records_open(txn, head.tree.size, &records, &error) != KT_OK)
        bench_die("the ceiling", &error);
    int64_t spent = 0;
    uint64_t number = head.tree.size - entries - (entries + batch - 1) / batch;
    while (number < head.tree.size) {
        uint32_t count = 0;
        size_t filled = 0;
        for (; count <= batch && number < head.tree.size; count++, number++) { /* a batch and its seal */
            kt_span record;
            if (kt_records_read(records, number, &record, &error) != KT_OK) bench_die("reading", &error);
            memcpy(bytes + filled, record.data, record.size);
            lengths[count] = (uint16_t)record.size;
            filled += record.size;
        }
        int64_t start = bench_now_ns();
        ceiling_batch(work, bytes, lengths, count);
        spent += bench_now_ns() - start;
    }
    kt_records_close(records);
    kt_txn_abort(txn);
    kt_store_close(source);
    kt_store_close(work->store);
    kt_signer_close(work->signer);
    free(bytes);
    free(lengths);
    free(work->leaves);
    free(work->data);
    free(work);
    return spent;
}
