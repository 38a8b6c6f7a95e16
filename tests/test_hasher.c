/* The hasher: in whatever steps, the same hashes come out, and seals and checkpoints that hold. */
#include <stdlib.h>
#include <string.h>

#include "storage/hasher.h"
#include "tests/storing.h"

#define BLOCKS 5

static kt_parcel parcels[BLOCKS];
static uint32_t counts[BLOCKS] = {KT_BLOCK_RECORDS, 1, 511, 513, 5000};

typedef struct outcome {
    uint8_t root[KT_HASH_SIZE], content[KT_HASH_SIZE];
    uint32_t crcs, tiles, odd_tiles;
} outcome;

static void fill(uint64_t *state) {
    for (int b = 0; b < BLOCKS; b++) {
        parcels[b].data = malloc(KT_BLOCK_BYTES);
        if (parcels[b].data == NULL) abort();
        for (uint32_t i = 0; i < counts[b]; i++) {
            parcels[b].lengths[i] = (uint16_t)(test_random(state) % 40);
            for (uint16_t k = 0; k < parcels[b].lengths[i]; k++)
                parcels[b].data[parcels[b].bytes++] = (uint8_t)test_random(state);
        }
    }
}

/* How far ahead of the end the hasher is called: 0 not at all, 1 at each record, 2 at some; the last ends the batch. */
static outcome run(int manner, uint64_t *random, kt_parcel *last) {
    outcome out = {0};
    kt_hasher *hasher;
    kt_error error;
    kt_tree empty;
    uint64_t number = 0;
    kt_signer *signer = storing_signer(1);
    kt_tree_init(&empty);
    if (kt_hasher_open("kontor/test", &hasher, &error) != KT_OK) exit(1);
    kt_hasher_begin(hasher, &empty);
    for (int b = 0; b < BLOCKS; b++) {
        kt_parcel *parcel = &parcels[b];
        parcel->first = number;
        parcel->count = counts[b];
        parcel->begins = b == 0;
        parcel->hashed = 0;
        parcel->hashed_bytes = 0;
        for (uint32_t i = 1; i <= counts[b] && manner != 0; i++)
            if (manner == 1 || test_random(random) % 300 == 0) kt_hasher_to(hasher, parcel, i);
        if (b == BLOCKS - 1) {
            *last = *parcel;
            parcel = last;
            parcel->end = KT_PARCEL_SEALED;
            parcel->actor = parcel->log = signer;
            parcel->seal = (kt_seal){.id = kt_span_of("b", 1), .count = number + counts[b], .epoch = 1};
            memcpy(parcel->seal.actor, kt_signer_public(signer), sizeof parcel->seal.actor);
        }
        kt_hasher_finish(hasher, parcel);
        out.crcs = kt_crc32c(out.crcs, parcel->crcs, counts[b] * sizeof(uint32_t));
        out.tiles += parcel->tile_count;
        for (uint32_t i = 0; i < parcel->tile_count; i++) out.odd_tiles += parcel->tiles[i].level != 0;
        number += counts[b];
    }
    memcpy(out.root, last->head.root, sizeof out.root);
    memcpy(out.content, last->seal.content, sizeof out.content);
    kt_hasher_close(hasher);
    kt_signer_close(signer);
    return out;
}

/* By the definitions, a record at a time. */
static outcome by_definition(kt_span seal) {
    outcome out = {0};
    kt_tree tree;
    kt_content content;
    uint64_t number = 0;
    kt_tree_init(&tree);
    kt_content_init(&content);
    for (int b = 0; b < BLOCKS; b++) {
        const uint8_t *at = parcels[b].data;
        for (uint32_t i = 0; i < counts[b]; i++) {
            uint8_t leaf[KT_HASH_SIZE];
            uint32_t crc = kt_block_record_crc(number++, at, parcels[b].lengths[i]);
            out.crcs = kt_crc32c(out.crcs, &crc, sizeof crc);
            kt_leaf_hash(at, parcels[b].lengths[i], leaf);
            kt_content_add(&content, leaf, 1);
            kt_tree_add(&tree, leaf, NULL, NULL);
            at += parcels[b].lengths[i];
        }
    }
    uint8_t leaf[KT_HASH_SIZE]; /* the seal's, which the content does not cover */
    kt_leaf_hash(seal.data, seal.size, leaf);
    kt_tree_add(&tree, leaf, NULL, NULL);
    out.tiles = (uint32_t)((number + 1) / KT_TILE_WIDTH);
    kt_tree_root(&tree, out.root);
    kt_content_final(&content, out.content);
    return out;
}

int main(void) {
    static const char *const manners[] = {"at the end", "one by one", "here and there"};
    uint64_t random = test_seed();
    kt_parcel *last = calloc(1, sizeof *last);
    if (last == NULL) abort();
    fill(&random);
    for (int manner = 0; manner < 3; manner++) {
        outcome found = run(manner, &random, last);
        kt_span seal = kt_span_of(last->data + last->bytes - last->lengths[last->count - 1],
                                  last->lengths[last->count - 1]);
        outcome expected = by_definition(seal);
        is_bytes(&found, sizeof found, &expected, sizeof expected,
                 "hashed %s: checksums, content, root and tiles are those of the records", manners[manner]);
        is_int(last->count, counts[BLOCKS - 1] + 1, "the seal stands behind them");
        char message[KT_SEAL_MESSAGE_MAX];
        size_t size = kt_seal_message("kontor/test", &last->seal, message);
        ok(kt_signature_check(last->seal.actor, message, size, last->seal.signature), "and its signature holds");
    }
    for (int b = 0; b < BLOCKS; b++) free(parcels[b].data);
    free(last);
    return done();
}
