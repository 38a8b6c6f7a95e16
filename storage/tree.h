/*
 * tree: the RFC 6962 Merkle tree over all records.
 *
 * Kept: the frontier, that is the roots of the full subtrees that the tree's size falls into, largest
 * first (one for each set bit of the size). From it the root follows, and with each leaf the next frontier.
 * Everything else is recomputed from leaves, or from the roots of full 256-tiles (C2SP tlog-tiles).
 *
 * Laws kept: 6 (every checkpoint extends the one before: proofs of consistency). Pure: no memory, no clock.
 */
#ifndef KT_STORAGE_TREE_H
#define KT_STORAGE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/digest.h"
#include "storage/error.h"

#define KT_TREE_LEVELS 64
#define KT_TILE_WIDTH 256
#define KT_PROOF_MAX 64 /* hashes of an inclusion or consistency proof, at most */

typedef struct kt_tree {
    uint64_t size;                               /* leaves */
    uint8_t level[KT_TREE_LEVELS][KT_HASH_SIZE]; /* [k]: root of the full subtree of 2^k leaves, where bit k
                                                       of size is set; otherwise undefined */
} kt_tree;

/* Called for each full subtree of 2^(8*(tile_level+1)) leaves as it is completed: tile_level 0 is a full tile of
   256 leaf hashes, index its number on that level. */
typedef void (*kt_tile_callback)(void *context, unsigned tile_level, uint64_t index, const uint8_t root[KT_HASH_SIZE]);

void kt_tree_init(kt_tree *tree);
void kt_tree_add(kt_tree *tree, const uint8_t leaf[KT_HASH_SIZE], kt_tile_callback tile, void *context);
/* count leaf hashes, one after the other; the same as count calls of kt_tree_add, and cheaper. */
void kt_tree_add_many(kt_tree *tree, const uint8_t *leaves, size_t count, kt_tile_callback tile, void *context);
/* The root of a full tile, from its KT_TILE_WIDTH leaf hashes; needs no tree, so that many can be made at once. */
void kt_tile_hash(const uint8_t *leaves, uint8_t out[KT_HASH_SIZE]);
/* The leaves of a full tile whose root is known; size is a multiple of KT_TILE_WIDTH. */
void kt_tree_add_tile(kt_tree *tree, const uint8_t root[KT_HASH_SIZE], kt_tile_callback tile, void *context);
/* The same for any full subtree: of 2^level leaves; size is a multiple of that. */
void kt_tree_add_subtree(kt_tree *tree, unsigned level, const uint8_t root[KT_HASH_SIZE]);
/* The root; of no leaves: SHA-256 of nothing. */
void kt_tree_root(const kt_tree *tree, uint8_t out[KT_HASH_SIZE]);

/* Frontier as bytes: one hash for each set bit of size, largest subtree first. */
size_t kt_tree_frontier(const kt_tree *tree, uint8_t *out /* KT_TREE_LEVELS * KT_HASH_SIZE */);
bool kt_tree_from_frontier(kt_tree *tree, uint64_t size, const uint8_t *hashes, size_t bytes);

/* Root of the perfect or ragged subtree over leaves [begin, end) of a tree, by the caller's means: used by the
   proof makers to get any subtree hash. begin is a multiple of the smallest power of two >= end - begin. */
typedef kt_code (*kt_subtree_callback)(void *context, uint64_t begin, uint64_t end, uint8_t out[KT_HASH_SIZE],
                                       kt_error *error);

/* RFC 6962, sections 2.1.1 and 2.1.2. *count hashes of KT_HASH_SIZE are written to proof (KT_PROOF_MAX of room). */
kt_code kt_tree_prove_inclusion(uint64_t index, uint64_t size, kt_subtree_callback subtree, void *context,
                                uint8_t *proof, size_t *count, kt_error *error);
kt_code kt_tree_prove_consistency(uint64_t size1, uint64_t size2, kt_subtree_callback subtree, void *context,
                                  uint8_t *proof, size_t *count, kt_error *error);

/* KT_OK or KT_DAMAGED. A proof with a hash too many or too few is refused, sizes out of order too; from size 0
   nothing can be proved except to size 0. */
kt_code kt_tree_check_inclusion(const uint8_t leaf[KT_HASH_SIZE], uint64_t index, uint64_t size, const uint8_t *proof,
                                size_t count, const uint8_t root[KT_HASH_SIZE], kt_error *error);
kt_code kt_tree_check_consistency(uint64_t size1, const uint8_t root1[KT_HASH_SIZE], uint64_t size2,
                                  const uint8_t root2[KT_HASH_SIZE], const uint8_t *proof, size_t count,
                                  kt_error *error);

/* The same for a subtree over leaves [begin, end) in place of a whole tree (draft-ietf-plants-merkle-tree-certs,
   section 4): begin is a multiple of the smallest power of two >= end - begin. An empty subtree is consistent with
   any tree, and its root is SHA-256 of nothing. */
kt_code kt_tree_check_subtree_inclusion(const uint8_t leaf[KT_HASH_SIZE], uint64_t index, uint64_t begin, uint64_t end,
                                        const uint8_t *proof, size_t count, const uint8_t root[KT_HASH_SIZE],
                                        kt_error *error);
kt_code kt_tree_check_subtree_consistency(uint64_t begin, uint64_t end, const uint8_t subroot[KT_HASH_SIZE],
                                          uint64_t size, const uint8_t root[KT_HASH_SIZE], const uint8_t *proof,
                                          size_t count, kt_error *error);

#endif
