/* Invariant: for each bit k set in size, level[k] is the root of the 2^k leaves that end where the lower bits of size
   begin. Everything here is a walk along the bits of size. */
#include "storage/tree.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* Sizes beyond are nobody's: a proof in a tree of 2^63 leaves still fits KT_PROOF_MAX. */
#define SIZE_MAX_LEAVES (UINT64_C(1) << 63)

void kt_tree_init(kt_tree *tree) { memset(tree, 0, sizeof *tree); }

/* Adds the full subtree of 2^k leaves whose root is given; size is a multiple of 2^k. */
static void add_subtree(kt_tree *tree, unsigned k, const uint8_t *root, kt_tile_callback tile, void *context) {
    uint64_t size = tree->size;
    uint64_t after = size + (UINT64_C(1) << k);
    assert((size & ((UINT64_C(1) << k) - 1)) == 0 && after > size && after <= SIZE_MAX_LEAVES);
    uint8_t hash[KT_HASH_SIZE];
    memcpy(hash, root, KT_HASH_SIZE);
    for (;;) {
        if (tile && k % 8 == 0 && k > 0) tile(context, k / 8 - 1, (after >> k) - 1, hash);
        if (!((size >> k) & 1)) break;
        kt_node_hash(tree->level[k], hash, hash);
        k++;
    }
    memcpy(tree->level[k], hash, KT_HASH_SIZE);
    tree->size = after;
}

void kt_tree_add(kt_tree *tree, const uint8_t leaf[KT_HASH_SIZE], kt_tile_callback tile, void *context) {
    if (tree->size & 1) add_subtree(tree, 0, leaf, tile, context);
    else { /* half of all leaves only wait for their sibling */ memcpy(tree->level[0], leaf, KT_HASH_SIZE);
        tree->size++;
    }
}

/* Level by level: no carry to look for, and the processor overlaps hashes that do not depend on each other. */
void kt_tile_hash(const uint8_t *leaves, uint8_t out[KT_HASH_SIZE]) {
    uint8_t nodes[KT_TILE_WIDTH / 2][KT_HASH_SIZE];
    for (size_t i = 0; i < KT_TILE_WIDTH / 2; i++)
        kt_node_hash(leaves + 2 * i * KT_HASH_SIZE, leaves + (2 * i + 1) * KT_HASH_SIZE, nodes[i]);
    for (size_t width = KT_TILE_WIDTH / 4; width > 0; width /= 2)
        for (size_t i = 0; i < width; i++) kt_node_hash(nodes[2 * i], nodes[2 * i + 1], nodes[i]);
    memcpy(out, nodes[0], KT_HASH_SIZE);
}

void kt_tree_add_tile(kt_tree *tree, const uint8_t root[KT_HASH_SIZE], kt_tile_callback tile, void *context) {
    add_subtree(tree, 8, root, tile, context);
}

void kt_tree_add_subtree(kt_tree *tree, unsigned level, const uint8_t root[KT_HASH_SIZE]) {
    add_subtree(tree, level, root, NULL, NULL);
}

void kt_tree_add_many(kt_tree *tree, const uint8_t *leaves, size_t count, kt_tile_callback tile, void *context) {
    for (; count > 0 && tree->size % KT_TILE_WIDTH; count--, leaves += KT_HASH_SIZE)
        kt_tree_add(tree, leaves, tile, context);
    for (; count >= KT_TILE_WIDTH; count -= KT_TILE_WIDTH, leaves += KT_TILE_WIDTH * KT_HASH_SIZE) {
        uint8_t root[KT_HASH_SIZE];
        kt_tile_hash(leaves, root);
        kt_tree_add_tile(tree, root, tile, context);
    }
    for (; count > 0; count--, leaves += KT_HASH_SIZE) kt_tree_add(tree, leaves, tile, context);
}

void kt_tree_root(const kt_tree *tree, uint8_t out[KT_HASH_SIZE]) {
    if (tree->size == 0) {
        kt_sha256_of("", 0, out);
        return;
    }
    uint64_t rest = tree->size;
    uint8_t hash[KT_HASH_SIZE];
    memcpy(hash, tree->level[__builtin_ctzll(rest)], KT_HASH_SIZE);
    for (rest &= rest - 1; rest; rest &= rest - 1) kt_node_hash(tree->level[__builtin_ctzll(rest)], hash, hash);
    memcpy(out, hash, KT_HASH_SIZE);
}

size_t kt_tree_frontier(const kt_tree *tree, uint8_t *out) {
    size_t bytes = 0;
    for (unsigned k = KT_TREE_LEVELS; k-- > 0;)
        if ((tree->size >> k) & 1) {
            memcpy(out + bytes, tree->level[k], KT_HASH_SIZE);
            bytes += KT_HASH_SIZE;
        }
    return bytes;
}

bool kt_tree_from_frontier(kt_tree *tree, uint64_t size, const uint8_t *hashes, size_t bytes) {
    kt_tree_init(tree);
    if (size > SIZE_MAX_LEAVES || bytes != (size_t)__builtin_popcountll(size) * KT_HASH_SIZE) return false;
    tree->size = size;
    for (unsigned k = KT_TREE_LEVELS; k-- > 0;)
        if ((size >> k) & 1) {
            memcpy(tree->level[k], hashes, KT_HASH_SIZE);
            hashes += KT_HASH_SIZE;
        }
    return true;
}

/* The proofs are found from the root down and written from the leaf up. */
typedef struct path {
    size_t count;
    struct {
        uint64_t begin, end;
    } part[KT_PROOF_MAX];
} path;

static void path_push(path *found, uint64_t begin, uint64_t end) {
    assert(found->count < KT_PROOF_MAX && begin < end);
    found->part[found->count].begin = begin;
    found->part[found->count].end = end;
    found->count++;
}

static kt_code path_write(const path *found, kt_subtree_callback subtree, void *context, uint8_t *proof, size_t *count,
                          kt_error *error) {
    for (size_t i = 0; i < found->count; i++) {
        size_t from = found->count - 1 - i;
        kt_code code = subtree(context, found->part[from].begin, found->part[from].end, proof + i * KT_HASH_SIZE,
                               error);
        if (code) return code;
    }
    *count = found->count;
    return KT_OK;
}

/* The largest power of two smaller than count (RFC 6962: k < n <= 2k); count >= 2. */
static uint64_t split_of(uint64_t count) { return UINT64_C(1) << (63 - __builtin_clzll(count - 1)); }

kt_code kt_tree_prove_inclusion(uint64_t index, uint64_t size, kt_subtree_callback subtree, void *context,
                                uint8_t *proof, size_t *count, kt_error *error) {
    *count = 0;
    if (index >= size || size > SIZE_MAX_LEAVES)
        return kt_fail(error, KT_USAGE, "inclusion proof: leaf %" PRIu64 " is not in a tree of %" PRIu64 " leaves",
                       index, size);
    path found = {0};
    uint64_t begin = 0, end = size;
    while (end - begin > 1) {
        uint64_t middle = begin + split_of(end - begin);
        if (index < middle) {
            path_push(&found, middle, end);
            end = middle;
        } else {
            path_push(&found, begin, middle);
            begin = middle;
        }
    }
    return path_write(&found, subtree, context, proof, count, error);
}

kt_code kt_tree_prove_consistency(uint64_t size1, uint64_t size2, kt_subtree_callback subtree, void *context,
                                  uint8_t *proof, size_t *count, kt_error *error) {
    *count = 0;
    if (size1 == size2) return KT_OK;
    if (size1 == 0 || size1 > size2 || size2 > SIZE_MAX_LEAVES)
        return kt_fail(error, KT_USAGE,
                       "consistency proof: from %" PRIu64 " to %" PRIu64
                       " leaves; expected a first size of at least 1 and not above the second",
                       size1, size2);
    path found = {0};
    uint64_t begin = 0, end = size2;
    while (end != size1) {
        uint64_t middle = begin + split_of(end - begin);
        if (size1 <= middle) {
            path_push(&found, middle, end);
            end = middle;
        } else {
            path_push(&found, begin, middle);
            begin = middle;
        }
    }
    /* Where the old tree is a subtree of the new one as a whole, the checker knows its root already. */
    if (begin > 0) path_push(&found, begin, end);
    return path_write(&found, subtree, context, proof, count, error);
}

static bool same_hash(const uint8_t *one, const uint8_t *other) { return memcmp(one, other, KT_HASH_SIZE) == 0; }

/* A subtree begins at a multiple of the smallest power of two that is not less than its width. */
static bool subtree_fits(uint64_t begin, uint64_t end, uint64_t size) {
    if (begin > end || end > size || size > SIZE_MAX_LEAVES) return false;
    uint64_t width = end - begin;
    uint64_t step = width <= 1 ? 1 : 2 * split_of(width);
    return begin % step == 0;
}

/* RFC 9162, section 2.1.3.2. */
kt_code kt_tree_check_inclusion(const uint8_t leaf[KT_HASH_SIZE], uint64_t index, uint64_t size, const uint8_t *proof,
                                size_t count, const uint8_t root[KT_HASH_SIZE], kt_error *error) {
    if (index >= size || size > SIZE_MAX_LEAVES)
        return kt_fail(error, KT_DAMAGED, "inclusion proof: leaf %" PRIu64 " is not in a tree of %" PRIu64 " leaves",
                       index, size);
    uint8_t hash[KT_HASH_SIZE];
    memcpy(hash, leaf, KT_HASH_SIZE);
    uint64_t at = index, last = size - 1; /* of the node, and of the last one on its level */
    for (size_t i = 0; i < count; i++) {
        const uint8_t *sibling = proof + i * KT_HASH_SIZE;
        if (last == 0)
            return kt_fail(error, KT_DAMAGED, "inclusion proof: %zu hashes; leaf %" PRIu64 " of %" PRIu64 " takes %zu",
                           count, index, size, i);
        if ((at & 1) || at == last) {
            kt_node_hash(sibling, hash, hash);
            for (; !(at & 1) && at > 0; at >>= 1) /* a ragged edge has no sibling on these levels */
                last >>= 1;
        } else kt_node_hash(hash, sibling, hash);
        at >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return kt_fail(error, KT_DAMAGED, "inclusion proof: %zu hashes are too few for leaf %" PRIu64 " of %" PRIu64,
                       count, index, size);
    if (!same_hash(hash, root))
        return kt_fail(error, KT_DAMAGED,
                       "inclusion proof: leaf %" PRIu64 " of %" PRIu64 " leads to another root than the one given",
                       index, size);
    return KT_OK;
}

/* RFC 9162, section 2.1.4.2, widened to subtrees as in draft-ietf-plants-merkle-tree-certs, section 4.4.3; an old
   tree is the subtree that begins at 0. The caller has seen that the subtree fits and is not empty. */
static kt_code check_consistency(uint64_t begin, uint64_t end, const uint8_t *root1, uint64_t size,
                                 const uint8_t *root2, const uint8_t *proof, size_t count, kt_error *error) {
    uint64_t first = begin, at = end - 1, last = size - 1;
    bool whole = at == last;
    while (first != at && (whole || (at & 1))) {
        first >>= 1;
        at >>= 1;
        last >>= 1;
    }
    uint8_t old[KT_HASH_SIZE], new[KT_HASH_SIZE];
    size_t used = 0;
    if (first == at) memcpy(old, root1, KT_HASH_SIZE);
    else if (count > 0) memcpy(old, proof, KT_HASH_SIZE), used = 1;
    else
        return kt_fail(error, KT_DAMAGED, "consistency proof: empty, from %" PRIu64 " to %" PRIu64 " leaves", end,
                       size);
    memcpy(new, old, KT_HASH_SIZE);
    for (; used < count; used++) {
        const uint8_t *sibling = proof + used * KT_HASH_SIZE;
        if (last == 0)
            return kt_fail(error, KT_DAMAGED,
                           "consistency proof: %zu hashes; from %" PRIu64 " to %" PRIu64 " leaves takes %zu", count,
                           end, size, used);
        if ((at & 1) || at == last) {
            if (first < at) kt_node_hash(sibling, old, old);
            kt_node_hash(sibling, new, new);
            for (; !(at & 1) && at > 0; at >>= 1) {
                first >>= 1;
                last >>= 1;
            }
        } else kt_node_hash(new, sibling, new);
        first >>= 1;
        at >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return kt_fail(error, KT_DAMAGED,
                       "consistency proof: %zu hashes are too few from %" PRIu64 " to %" PRIu64 " leaves", count, end,
                       size);
    if (!same_hash(old, root1))
        return kt_fail(error, KT_DAMAGED,
                       "consistency proof: leads to another root at %" PRIu64 " leaves than the one given", end);
    if (!same_hash(new, root2))
        return kt_fail(error, KT_DAMAGED,
                       "consistency proof: leads to another root at %" PRIu64 " leaves than the one given", size);
    return KT_OK;
}

/* Nothing but the root of no leaves is consistent with no leaves. */
static kt_code check_empty(const uint8_t *root, size_t count, kt_error *error) {
    uint8_t empty[KT_HASH_SIZE];
    kt_sha256_of("", 0, empty);
    if (count > 0)
        return kt_fail(error, KT_DAMAGED, "consistency proof: %zu hashes for no leaves; expected none", count);
    if (!same_hash(root, empty))
        return kt_fail(error, KT_DAMAGED, "consistency proof: the root of no leaves is not SHA-256 of nothing");
    return KT_OK;
}

kt_code kt_tree_check_consistency(uint64_t size1, const uint8_t root1[KT_HASH_SIZE], uint64_t size2,
                                  const uint8_t root2[KT_HASH_SIZE], const uint8_t *proof, size_t count,
                                  kt_error *error) {
    if (size1 > size2 || size2 > SIZE_MAX_LEAVES)
        return kt_fail(error, KT_DAMAGED, "consistency proof: sizes %" PRIu64 " and %" PRIu64 " are out of order",
                       size1, size2);
    if (size2 == 0) {
        kt_code code = check_empty(root1, count, error);
        return code ? code : check_empty(root2, count, error);
    }
    if (size1 == 0)
        return kt_fail(error, KT_DAMAGED, "consistency proof: nothing can be proved from 0 to %" PRIu64 " leaves",
                       size2);
    return check_consistency(0, size1, root1, size2, root2, proof, count, error);
}

kt_code kt_tree_check_subtree_inclusion(const uint8_t leaf[KT_HASH_SIZE], uint64_t index, uint64_t begin, uint64_t end,
                                        const uint8_t *proof, size_t count, const uint8_t root[KT_HASH_SIZE],
                                        kt_error *error) {
    if (!subtree_fits(begin, end, end) || index < begin || index >= end)
        return kt_fail(error, KT_DAMAGED,
                       "inclusion proof: leaf %" PRIu64 " in leaves %" PRIu64 " to %" PRIu64 " is not in a subtree",
                       index, begin, end);
    return kt_tree_check_inclusion(leaf, index - begin, end - begin, proof, count, root, error);
}

kt_code kt_tree_check_subtree_consistency(uint64_t begin, uint64_t end, const uint8_t subroot[KT_HASH_SIZE],
                                          uint64_t size, const uint8_t root[KT_HASH_SIZE], const uint8_t *proof,
                                          size_t count, kt_error *error) {
    if (!subtree_fits(begin, end, size))
        return kt_fail(error, KT_DAMAGED,
                       "consistency proof: leaves %" PRIu64 " to %" PRIu64 " are not a subtree of %" PRIu64, begin, end,
                       size);
    if (begin == end) return check_empty(subroot, count, error);
    return check_consistency(begin, end, subroot, size, root, proof, count, error);
}
