#include "tests/forging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tables.h"
#include "storage/block.h"
#include "storage/head.h"
#include "tests/bookkeeping.h"

char forged_origin[200];

static kt_signer *signer_of(const char *file) {
    kt_signer *signer = NULL;
    if (kt_key_load(path_of(file), NULL, NULL, &signer, &said) != KT_OK) diag("%s", said.text);
    return signer;
}

/* The seal's record: good in everything but what the forgery says. */
static size_t forge_seal(const forgery *forged, const kt_log_head *head, const kt_content *content, kt_seal *seal,
                         uint8_t *out) {
    char message[KT_SEAL_MESSAGE_MAX];
    kt_signer *actor = signer_of(forged->actor ? forged->actor : "forged/keys/log.key");
    *seal = (kt_seal){.id = kt_span_of(forged->id, strlen(forged->id)),
                      .count = forged->count,
                      .recorded_us = head->recorded_us + 1000000,
                      .read = forged->posted + forged->proposed,
                      .posted = forged->posted,
                      .epoch = head->epoch + 1};
    memcpy(seal->actor, kt_signer_public(actor), sizeof seal->actor);
    kt_content_final(content, seal->content);
    if (kt_sign(actor, message, kt_seal_message(forged_origin, seal, message), seal->signature, &said) != KT_OK)
        exit(1);
    kt_signer_close(actor);
    return kt_seal_write(seal, kt_seal_date(seal->recorded_us) + forged->days, out);
}

/* Puts the batch into "forged", past all checks: hashed, signed and under a good checkpoint. Gives the number of its first
   record. */
uint64_t forge(const forgery *forged) {
    static uint8_t bytes[5 * KT_RECORD_MAX];
    kt_store_options with = {.names = kt_table_names, .count = KT_TABLE_COUNT};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    kt_log_head head;
    kt_content content;
    kt_seal seal;
    uint16_t lengths[5];
    uint8_t leaf[KT_HASH_SIZE], key[8], *room;
    uint32_t size = 0;
    kt_code code = kt_store_open(path_of("forged"), &with, &store, &said);
    if (code == KT_OK) code = kt_txn_begin(store, true, &txn, &said);
    if (code == KT_OK) code = kt_log_head_read(txn, &head, &said);
    uint64_t first = head.tree.size;
    kt_content_init(&content);
    for (uint32_t i = 0; i <= forged->count; i++) {
        lengths[i] = (uint16_t)(i < forged->count ? forged->records[i].size
                                                  : forge_seal(forged, &head, &content, &seal, bytes + size));
        if (i < forged->count) memcpy(bytes + size, forged->records[i].data, lengths[i]);
        kt_leaf_hash(bytes + size, lengths[i], leaf);
        kt_content_add(&content, leaf, 1);
        kt_tree_add(&head.tree, leaf, NULL, NULL); /* the book is smaller than a tile */
        size += lengths[i];
    }
    kt_signer *log = signer_of(forged->log ? forged->log : "forged/keys/log.key");
    kt_checkpoint checkpoint = {.size = head.tree.size};
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", forged_origin);
    kt_tree_root(&head.tree, head.root);
    memcpy(checkpoint.root, head.root, sizeof head.root);
    if (kt_checkpoint_sign(&checkpoint, log, head.signature, &said) != KT_OK) exit(1);
    kt_signer_close(log);
    head.batches++;
    head.recorded_us = seal.recorded_us;
    head.epoch = seal.epoch;
    kt_put_be64(key, first);
    uint32_t count = forged->count + 1;
    if (code == KT_OK)
        code = kt_txn_append_room(txn, KT_TABLE_BLOCKS, kt_span_of(key, 8), kt_block_size(count, size), &room, &said);
    if (code == KT_OK) {
        kt_block_write(KT_TABLE_BLOCKS, first, count, lengths, NULL, bytes, size, room);
        code = kt_log_head_write(txn, &head, &said);
    }
    if (code == KT_OK) code = kt_txn_commit(txn, &said);
    is_code(code, KT_OK, "a forged batch is in the journal (%s)", code == KT_OK ? "" : said.text);
    kt_store_close(store);
    return first;
}

kt_span entry_record(const char *text, uint8_t *out, size_t room) {
    entry_room read;
    kt_pack pack;
    const kt_entry *entry = entry_of(&read, text);
    for (size_t i = 0; i < entry->line_count; i++) { /* as records keep them */
        (void)kt_amount_rescale(read.lines[i].amount, (uint8_t)(read.lines[i].amount_given - 1), 2, KT_ROUND_EXACT,
                                &read.lines[i].amount);
    }
    kt_pack_init(&pack, out, room);
    kt_entry_pack(&pack, entry, false);
    return kt_span_of(out, pack.size);
}
