/* The hasher: one thread or two, offered in whatever steps, the same bytes come out. */
#include <stdlib.h>
#include <string.h>

#include "storage/hasher.h"
#include "tests/tap.h"

#define BLOCKS 5

static uint8_t data[BLOCKS][KT_BLOCK_RECORDS * 40];
static uint16_t lengths[BLOCKS][KT_BLOCK_RECORDS];
static uint32_t counts[BLOCKS] = {KT_BLOCK_RECORDS, 1, 511, 513, 5000};

typedef struct outcome {
    uint8_t root[KT_HASH_SIZE], content[KT_HASH_SIZE];
    uint32_t crcs, tiles, odd_tiles;
} outcome;

static void fill(uint64_t *state) {
    for (int b = 0; b < BLOCKS; b++) {
        size_t filled = 0;
        for (uint32_t i = 0; i < counts[b]; i++) {
            lengths[b][i] = (uint16_t)(test_random(state) % 40);
            for (uint16_t k = 0; k < lengths[b][i]; k++) data[b][filled++] = (uint8_t)test_random(state);
        }
    }
}

/* How the records are offered: 0 never, 1 each, 2 each but the block is first dropped once and begun again. */
static outcome run(bool single, int manner) {
    outcome out = {0};
    kt_hasher *hasher;
    kt_error error;
    kt_tree empty;
    uint64_t number = 0;
    kt_tree_init(&empty);
    if (kt_hasher_open(single, &hasher, &error) != KT_OK) exit(1);
    kt_hasher_begin(hasher, &empty);
    if (manner == 2) {
        kt_hasher_block(hasher, 0, data[4], lengths[4]);
        for (uint32_t i = 1; i <= 3000; i++) kt_hasher_offer(hasher, i);
        kt_hasher_begin(hasher, &empty);
    }
    for (int b = 0; b < BLOCKS; b++) {
        uint32_t tiles;
        kt_hasher_block(hasher, number, data[b], lengths[b]);
        for (uint32_t i = 1; i <= counts[b] && manner != 0; i++) kt_hasher_offer(hasher, i);
        kt_hasher_finish(hasher, counts[b]);
        out.crcs = kt_crc32c(out.crcs, kt_hasher_crcs(hasher), counts[b] * sizeof(uint32_t));
        const kt_tile_root *roots = kt_hasher_take_tiles(hasher, &tiles);
        out.tiles += tiles;
        for (uint32_t i = 0; i < tiles; i++) out.odd_tiles += roots[i].level != 0;
        number += counts[b];
    }
    kt_tree_root(kt_hasher_tree(hasher), out.root);
    kt_content_final(kt_hasher_content(hasher), out.content);
    kt_hasher_close(hasher);
    return out;
}

/* By the definitions, a record at a time. */
static outcome by_definition(void) {
    outcome out = {0};
    kt_tree tree;
    kt_content content;
    uint64_t number = 0;
    kt_tree_init(&tree);
    kt_content_init(&content);
    for (int b = 0; b < BLOCKS; b++) {
        const uint8_t *at = data[b];
        for (uint32_t i = 0; i < counts[b]; i++) {
            uint8_t leaf[KT_HASH_SIZE];
            uint32_t crc = kt_block_record_crc(number++, at, lengths[b][i]);
            out.crcs = kt_crc32c(out.crcs, &crc, sizeof crc);
            kt_leaf_hash(at, lengths[b][i], leaf);
            kt_content_add(&content, leaf, 1);
            kt_tree_add(&tree, leaf, NULL, NULL);
            at += lengths[b][i];
        }
    }
    out.tiles = (uint32_t)(number / KT_TILE_WIDTH);
    kt_tree_root(&tree, out.root);
    kt_content_final(&content, out.content);
    return out;
}

int main(void) {
    uint64_t state = test_seed();
    fill(&state);
    outcome expected = by_definition();
    for (int single = 0; single < 2; single++)
        for (int manner = 0; manner < 3; manner++) {
            static const char *const manners[] = {"not offered", "offered one by one",
                                                  "offered after a block that was dropped"};
            outcome found = run(single != 0, manner);
            is_bytes(&found, sizeof found, &expected, sizeof expected,
                     "%s, %s: checksums, content, root and tiles are those of the records",
                     single ? "one thread" : "two threads", manners[manner]);
        }
    return done();
}
