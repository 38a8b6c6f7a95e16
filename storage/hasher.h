/*
 * hasher: the hashes of a block, made while the block is still being filled.
 *
 * Hashing a record (its checksum, its leaf, the batch's content, the tree) needs its bytes and nothing else, and takes
 * about as long as checking and packing the next one. So a second thread does it, some hundred records behind the
 * first. What comes out is the same byte for byte with one thread and with two, since the order is the records'.
 *
 *     block ─► offer ... offer ─► finish        (offer hands over whole steps; finish hashes the rest and waits)
 *
 * Small batches never wake the thread. Where none can be had, or one is asked for, all is done in finish.
 *
 * Lifetime: the bytes and lengths of a block belong to the caller and stay where they are from kt_hasher_block until
 * kt_hasher_finish. Only one thread calls; the other is the hasher's own and ends with close.
 */
#ifndef KT_STORAGE_HASHER_H
#define KT_STORAGE_HASHER_H

#include "storage/block.h"
#include "storage/seal.h"
#include "storage/tree.h"

#define KT_HASHER_STEP 512u                                      /* records handed over at a time */
#define KT_HASHER_TILES (KT_BLOCK_RECORDS / KT_TILE_WIDTH + 16u) /* of all levels, completed by one block */

typedef struct kt_tile_root {
    uint8_t level;
    uint64_t index;
    uint8_t root[KT_HASH_SIZE];
} kt_tile_root;

typedef struct kt_hasher kt_hasher;

kt_code kt_hasher_open(bool single, kt_hasher **out, kt_error *error); /* single: no second thread */
void kt_hasher_close(kt_hasher *hasher);

/* A batch begins from this tree, with empty content. */
void kt_hasher_begin(kt_hasher *hasher, const kt_tree *tree);
/* A block begins: its first record's number, and where its bytes and lengths will be. */
void kt_hasher_block(kt_hasher *hasher, uint64_t first, const uint8_t *data, const uint16_t *lengths);
/* The first `count` records of the block are there. */
void kt_hasher_offer(kt_hasher *hasher, uint32_t count);
/* All `count` records are hashed when it returns; offering may go on behind them. */
void kt_hasher_finish(kt_hasher *hasher, uint32_t count);
/* The block is not to be hashed: what was offered is done with, and forgotten. */
void kt_hasher_drop(kt_hasher *hasher);

/* After finish, until the next offer. */
const uint32_t *kt_hasher_crcs(const kt_hasher *hasher); /* of the block's records */
const kt_tree *kt_hasher_tree(const kt_hasher *hasher);
const kt_content *kt_hasher_content(const kt_hasher *hasher);
/* Full tiles completed since they were taken last; *count of them. */
const kt_tile_root *kt_hasher_take_tiles(kt_hasher *hasher, uint32_t *count);

#endif
