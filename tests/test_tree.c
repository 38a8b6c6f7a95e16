#include <stdlib.h>
#include <string.h>

#include "storage/note.h"
#include "storage/tree.h"
#include "tests/tap.h"

#define LEAVES 70000

static uint8_t leaf[LEAVES][KT_HASH_SIZE];

/* MTH of RFC 6962, section 2.1, as it is written there: the other opinion in all that follows. */
static void root_by_definition(uint64_t begin, uint64_t end, uint8_t out[KT_HASH_SIZE]) {
    if (begin == end) {
        kt_sha256_of("", 0, out);
        return;
    }
    if (end - begin == 1) {
        memcpy(out, leaf[begin], KT_HASH_SIZE);
        return;
    }
    uint64_t k = 1;
    while (2 * k < end - begin) k *= 2;
    uint8_t joined[65] = {1};
    root_by_definition(begin, begin + k, joined + 1);
    root_by_definition(begin + k, end, joined + 33);
    kt_sha256_of(joined, sizeof joined, out);
}

static size_t misplaced; /* subtrees asked for that are none */

static kt_code subtree(void *context, uint64_t begin, uint64_t end, uint8_t out[KT_HASH_SIZE], kt_error *error) {
    (void)context;
    (void)error;
    uint64_t step = 1;
    while (step < end - begin) step *= 2;
    misplaced += begin >= end || begin % step != 0;
    root_by_definition(begin, end, out);
    return KT_OK;
}

static void test_published_roots(void) {
    /* The leaves and roots of certificate transparency's first reference tests. */
    static const struct {
        const char *leaf, *root;
    } step[] = {
        {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {"606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    kt_tree tree;
    uint8_t root[KT_HASH_SIZE];
    char hex[2 * KT_HASH_SIZE + 1];
    kt_tree_init(&tree);
    kt_tree_root(&tree, root);
    kt_hex_encode(root, sizeof root, hex);
    is_text(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "the root of no leaves is SHA-256 of nothing");
    for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
        uint8_t bytes[16], hash[KT_HASH_SIZE];
        size_t size = strlen(step[i].leaf);
        kt_hex_decode(step[i].leaf, size, bytes, sizeof bytes);
        kt_leaf_hash(bytes, size / 2, hash);
        kt_tree_add(&tree, hash, NULL, NULL);
        kt_tree_root(&tree, root);
        kt_hex_encode(root, sizeof root, hex);
        is_text(hex, step[i].root, "the root of %zu leaves is the published one", i + 1);
    }
}

static void test_frontier(void) {
    kt_tree tree, again;
    uint8_t frontier[KT_TREE_LEVELS * KT_HASH_SIZE], root[KT_HASH_SIZE], other[KT_HASH_SIZE];
    size_t wrong = 0, lost = 0;
    kt_tree_init(&tree);
    for (uint64_t size = 0; size <= 600; size++) {
        kt_tree_root(&tree, root);
        root_by_definition(0, size, other);
        wrong += memcmp(root, other, sizeof root) != 0;
        size_t bytes = kt_tree_frontier(&tree, frontier);
        if (!kt_tree_from_frontier(&again, size, frontier, bytes)) lost++;
        kt_tree_root(&again, other);
        lost += memcmp(root, other, sizeof root) != 0;
        lost += kt_tree_from_frontier(&again, size, frontier, bytes + KT_HASH_SIZE);
        lost += bytes > 0 && kt_tree_from_frontier(&again, size, frontier, bytes - KT_HASH_SIZE);
        kt_tree_add(&tree, leaf[size], NULL, NULL);
    }
    is_int((long long)wrong, 0, "the root is RFC 6962's at each size to 600");
    is_int((long long)lost, 0, "a frontier gives its tree back, and one hash more or less is refused");
}

typedef struct tiles {
    size_t count;
    struct {
        unsigned level;
        uint64_t index;
        uint8_t root[KT_HASH_SIZE];
    } tile[400];
} tiles;

static void note_tile(void *context, unsigned level, uint64_t index, const uint8_t root[KT_HASH_SIZE]) {
    tiles *seen = context;
    if (seen->count < sizeof seen->tile / sizeof *seen->tile) {
        seen->tile[seen->count].level = level;
        seen->tile[seen->count].index = index;
        memcpy(seen->tile[seen->count].root, root, KT_HASH_SIZE);
    }
    seen->count++;
}

static void test_tiles(uint64_t *random) {
    static tiles single, many;
    kt_tree one, other;
    uint8_t root[KT_HASH_SIZE], expected[KT_HASH_SIZE];
    kt_tree_init(&one);
    for (size_t i = 0; i < LEAVES; i++) kt_tree_add(&one, leaf[i], note_tile, &single);
    is_int((long long)single.count, 273 + 1, "70,000 leaves fill 273 tiles and one on the next level");
    size_t wrong = 0;
    for (size_t i = 0; i < single.count; i++) {
        uint64_t width = single.tile[i].level == 0 ? 256 : 65536;
        root_by_definition(single.tile[i].index * width, (single.tile[i].index + 1) * width, expected);
        wrong += memcmp(expected, single.tile[i].root, KT_HASH_SIZE) != 0;
    }
    is_int((long long)wrong, 0, "each full tile is told once, with its root");
    kt_tree_root(&one, root);
    root_by_definition(0, LEAVES, expected);
    is_bytes(root, sizeof root, expected, sizeof expected, "the root of 70,000 leaves is RFC 6962's");

    for (int round = 0; round < 3; round++) {
        kt_tree_init(&other);
        memset(&many, 0, sizeof many);
        for (size_t at = 0; at < LEAVES;) {
            size_t count = (size_t)(test_random(random) % (round == 0 ? 5 : round == 1 ? 700 : 20000));
            count = count < LEAVES - at ? count : LEAVES - at;
            kt_tree_add_many(&other, leaf[at], count, note_tile, &many);
            at += count;
        }
        uint8_t frontier[2][KT_TREE_LEVELS * KT_HASH_SIZE];
        size_t size[2] = {kt_tree_frontier(&one, frontier[0]), kt_tree_frontier(&other, frontier[1])};
        is_bytes(frontier[1], size[1], frontier[0], size[0], "leaves added many at a time give the same tree");
        ok(memcmp(&many, &single, sizeof many) == 0, "and tell the same tiles in the same order");
    }
    kt_tree_init(&other);
    memset(&many, 0, sizeof many);
    for (size_t at = 0; at < LEAVES;) { /* full tiles by their roots, in any order with leaves */
        uint8_t hash[KT_HASH_SIZE];
        bool tile = at % KT_TILE_WIDTH == 0 && at + KT_TILE_WIDTH <= LEAVES && test_random(random) % 3 != 0;
        if (tile) {
            kt_tile_hash(leaf[at], hash);
            kt_tree_add_tile(&other, hash, note_tile, &many);
        } else kt_tree_add(&other, leaf[at], note_tile, &many);
        at += tile ? KT_TILE_WIDTH : 1;
    }
    uint8_t roots[2][KT_HASH_SIZE];
    kt_tree_root(&one, roots[0]);
    kt_tree_root(&other, roots[1]);
    is_bytes(roots[1], KT_HASH_SIZE, roots[0], KT_HASH_SIZE, "full tiles added by their roots give the same tree");
    ok(memcmp(&many, &single, sizeof many) == 0, "and are told the same");
}

/* Every way to spoil a proof by one hash, one bit or one leaf must be refused. */
static size_t accepted_spoiled(uint64_t index, uint64_t size, uint8_t *proof, size_t count,
                               const uint8_t root[KT_HASH_SIZE], uint64_t *random) {
    const uint8_t *own = leaf[index];
    size_t accepted = 0;
    uint8_t longer[(KT_PROOF_MAX + 1) * KT_HASH_SIZE];
    memcpy(longer, proof, count * KT_HASH_SIZE);
    memcpy(longer + count * KT_HASH_SIZE, root, KT_HASH_SIZE);
    accepted += !kt_tree_check_inclusion(own, index, size, longer, count + 1, root, NULL);
    if (count > 0) {
        accepted += !kt_tree_check_inclusion(own, index, size, proof, count - 1, root, NULL);
        accepted += !kt_tree_check_inclusion(own, index, size, proof + KT_HASH_SIZE, count - 1, root, NULL);
        size_t bit = (size_t)(test_random(random) % (count * KT_HASH_SIZE * 8));
        proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
        accepted += !kt_tree_check_inclusion(own, index, size, proof, count, root, NULL);
        proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
        accepted += !kt_tree_check_inclusion(own, index ^ 1, size, proof, count, root, NULL);
    }
    accepted += !kt_tree_check_inclusion(leaf[index + 1], index, size, proof, count, root, NULL);
    accepted += !kt_tree_check_inclusion(own, index + size, size, proof, count, root, NULL);
    return accepted;
}

static void test_inclusion(uint64_t *random) {
    uint8_t proof[KT_PROOF_MAX * KT_HASH_SIZE], root[KT_HASH_SIZE];
    size_t refused = 0, accepted = 0, count;
    for (uint64_t size = 1; size <= 70; size++) {
        root_by_definition(0, size, root);
        for (uint64_t index = 0; index < size; index++) {
            if (kt_tree_prove_inclusion(index, size, subtree, NULL, proof, &count, NULL) ||
                kt_tree_check_inclusion(leaf[index], index, size, proof, count, root, NULL))
                refused++;
            accepted += accepted_spoiled(index, size, proof, count, root, random);
        }
    }
    is_int((long long)refused, 0, "each leaf of each tree to 70 leaves is proved");
    is_int((long long)accepted, 0, "no proof of inclusion with anything changed is accepted");
    kt_error error;
    is_code(kt_tree_prove_inclusion(8, 8, subtree, NULL, proof, &count, &error), KT_USAGE,
            "a leaf beyond the tree cannot be proved");
    has_text(error.text, "leaf 8", "the refusal names it");
}

static size_t accepted_spoiled_pair(uint64_t size1, uint64_t size2, uint8_t *proof, size_t count, const uint8_t *root1,
                                    const uint8_t *root2, uint64_t *random) {
    size_t accepted = 0;
    uint8_t longer[(KT_PROOF_MAX + 1) * KT_HASH_SIZE];
    memcpy(longer, proof, count * KT_HASH_SIZE);
    memcpy(longer + count * KT_HASH_SIZE, root2, KT_HASH_SIZE);
    accepted += !kt_tree_check_consistency(size1, root1, size2, root2, longer, count + 1, NULL);
    accepted += !kt_tree_check_consistency(size1, leaf[size2], size2, root2, proof, count, NULL);
    accepted += !kt_tree_check_consistency(size1, root1, size2, leaf[size2], proof, count, NULL);
    accepted += size1 != size2 && !kt_tree_check_consistency(size2, root2, size1, root1, proof, count, NULL);
    if (count > 0) {
        accepted += !kt_tree_check_consistency(size1, root1, size2, root2, proof, count - 1, NULL);
        size_t bit = (size_t)(test_random(random) % (count * KT_HASH_SIZE * 8));
        proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
        accepted += !kt_tree_check_consistency(size1, root1, size2, root2, proof, count, NULL);
        proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    return accepted;
}

static void test_consistency(uint64_t *random) {
    uint8_t proof[KT_PROOF_MAX * KT_HASH_SIZE], root1[KT_HASH_SIZE], root2[KT_HASH_SIZE];
    size_t refused = 0, accepted = 0, count;
    for (uint64_t size2 = 1; size2 <= 70; size2++) {
        root_by_definition(0, size2, root2);
        for (uint64_t size1 = 1; size1 <= size2; size1++) {
            root_by_definition(0, size1, root1);
            if (kt_tree_prove_consistency(size1, size2, subtree, NULL, proof, &count, NULL) ||
                kt_tree_check_consistency(size1, root1, size2, root2, proof, count, NULL))
                refused++;
            accepted += accepted_spoiled_pair(size1, size2, proof, count, root1, root2, random);
        }
    }
    is_int((long long)refused, 0, "each tree to 70 leaves is proved to extend each smaller one");
    is_int((long long)accepted, 0, "no proof of consistency with anything changed is accepted");
    is_int((long long)misplaced, 0, "proofs ask for subtrees only, beginning where subtrees begin");

    kt_error error;
    root_by_definition(0, 0, root1);
    is_code(kt_tree_check_consistency(0, root1, 0, root1, NULL, 0, &error), KT_OK,
            "nothing is consistent with nothing");
    is_code(kt_tree_check_consistency(0, root1, 5, root2, NULL, 0, &error), KT_DAMAGED,
            "nothing can be proved from no leaves");
    is_code(kt_tree_prove_consistency(0, 5, subtree, NULL, proof, &count, &error), KT_USAGE, "nor made");
    is_code(kt_tree_prove_consistency(6, 5, subtree, NULL, proof, &count, &error), KT_USAGE,
            "a proof from a larger to a smaller tree is refused");
    has_text(error.text, "from 6 to 5", "the refusal names both sizes");
}

static kt_code no_subtree(void *context, uint64_t begin, uint64_t end, uint8_t out[KT_HASH_SIZE], kt_error *error) {
    (void)context;
    (void)out;
    return kt_fail(error, KT_DAMAGED, "leaves %llu to %llu are gone", (unsigned long long)begin,
                   (unsigned long long)end);
}

static void test_large(void) {
    uint8_t proof[KT_PROOF_MAX * KT_HASH_SIZE], root[KT_HASH_SIZE];
    size_t count;
    static const uint64_t index[] = {0, 255, 256, 65535, 65536, 69999};
    root_by_definition(0, LEAVES, root);
    size_t refused = 0;
    for (size_t i = 0; i < sizeof index / sizeof *index; i++)
        if (kt_tree_prove_inclusion(index[i], LEAVES, subtree, NULL, proof, &count, NULL) ||
            kt_tree_check_inclusion(leaf[index[i]], index[i], LEAVES, proof, count, root, NULL))
            refused++;
    is_int((long long)refused, 0, "leaves at the edges of tiles are proved");
    kt_error error;
    is_code(kt_tree_prove_inclusion(3, 8, no_subtree, NULL, proof, &count, &error), KT_DAMAGED,
            "a proof whose hashes cannot be had says why");
    is_text(error.text, "leaves 2 to 3 are gone", "in the words of whoever should have them");
    is_code(kt_tree_check_inclusion(leaf[0], UINT64_MAX, UINT64_MAX, proof, 64, root, &error), KT_DAMAGED,
            "sizes beyond all measure are refused");
    is_code(kt_tree_check_consistency(UINT64_MAX - 1, root, UINT64_MAX, root, proof, 64, &error), KT_DAMAGED,
            "in proofs of consistency too");
}

int main(void) {
    uint64_t random = test_seed();
    for (size_t i = 0; i < LEAVES; i++)
        for (size_t at = 0; at < KT_HASH_SIZE; at += 8) {
            uint64_t number = test_random(&random);
            memcpy(leaf[i] + at, &number, 8);
        }
    test_published_roots();
    test_frontier();
    test_tiles(&random);
    test_inclusion(&random);
    test_consistency(&random);
    test_large();
    return done();
}
