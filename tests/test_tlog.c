#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/exchange/tlog.h"
#include "storage/note.h"
#include "storage/tree.h"
#include "tests/tap.h"

#define MANY 256300 /* 1001 full tiles and 44 leaves more: beyond tile 999, and up to level 2 */
#define FEW 600

static char directory[600], path[700];

static const char *log_dir(const char *name) {
    snprintf(directory, sizeof directory, "%s/%s", test_dir(), name);
    return directory;
}

/* The file's size, or -1 where there is none; its first bytes in out. */
static long long read_file(const char *name, uint8_t *out, size_t room) {
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_RDONLY);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) != 0) return -1;
    ssize_t got = out ? read(fd, out, room) : 0;
    close(fd);
    return got < 0 ? -1 : (long long)about.st_size;
}

static size_t leaf_bytes(size_t number, char out[64]) {
    /* Of many lengths, none among them. */
    return number == 5 ? 0
                       : (size_t)snprintf(out, 64, "leaf %zu%.*s", number, (int)(number % 40),
                                          "........................................");
}

static size_t note_of(const kt_tree *tree, char out[KT_CHECKPOINT_MAX]) {
    static const uint8_t seed[KT_SEED_SIZE] = {1};
    kt_checkpoint checkpoint = {.origin = "kontor/test-00000000", .size = tree->size};
    kt_tree_root(tree, checkpoint.root);
    kt_signer *signer = NULL;
    kt_verifier verifier;
    uint8_t signature[KT_SIGNATURE_SIZE];
    kt_signer_from_seed(seed, &signer, NULL);
    kt_verifier_make(checkpoint.origin, kt_signer_public(signer), &verifier, NULL);
    kt_checkpoint_sign(&checkpoint, signer, signature, NULL);
    kt_signer_close(signer);
    return kt_checkpoint_note(&checkpoint, &verifier, signature, out);
}

static kt_code write_log(const char *name, size_t count, bool hashes_only, kt_tree *tree, kt_error *error) {
    kt_tlog_writer *writer;
    kt_tree_init(tree);
    kt_code code = kt_tlog_writer_open(log_dir(name), hashes_only, &writer, error);
    for (size_t i = 0; i < count && !code; i++) {
        char bytes[64];
        uint8_t hash[KT_HASH_SIZE];
        size_t size = leaf_bytes(i, bytes);
        kt_leaf_hash(bytes, size, hash);
        kt_tree_add(tree, hash, NULL, NULL);
        code = kt_tlog_writer_add(writer, bytes, size, error);
    }
    char note[KT_CHECKPOINT_MAX];
    size_t size = note_of(tree, note);
    if (!code) code = kt_tlog_writer_finish(writer, note, size, error);
    kt_tlog_writer_close(writer);
    return code;
}

static void test_paths(void) {
    char found[KT_TLOG_PATH_MAX];
    static const struct {
        const char *kind, *path;
        uint64_t index;
        unsigned width;
    } tile[] = {
        {"0", "tile/0/000", 0, 256},
        {"0", "tile/0/999.p/1", 999, 1},
        {"0", "tile/0/x001/000", 1000, 256},
        {"4", "tile/4/x001/x234/067", 1234067, 256},
        {"4", "tile/4/x001/x234/067.p/8", 1234067, 8},
        {"entries", "tile/entries/x123/456.p/255", 123456, 255},
        {"0", "tile/0/x018/x446/x744/x073/x709/x551/615", UINT64_MAX, 256},
    };
    for (size_t i = 0; i < sizeof tile / sizeof *tile; i++) {
        kt_tlog_path(tile[i].kind, tile[i].index, tile[i].width, found);
        is_text(found, tile[i].path, "a tile's path is the specification's");
    }
}

static void test_many_leaves(void) {
    kt_error error;
    kt_tree tree, tile;
    uint8_t level1[256 * KT_HASH_SIZE], hashes[256 * KT_HASH_SIZE], root[KT_HASH_SIZE];
    is_code(write_log("many", MANY, true, &tree, &error), KT_OK, "256,300 leaves are written as hashes alone");
    static const struct {
        const char *name;
        long long size;
    } file[] = {
        {"tile/0/000", 8192},
        {"tile/0/999", 8192},
        {"tile/0/x001/000", 8192},
        {"tile/0/x001/001.p/44", 44 * 32},
        {"tile/0/1000", -1},
        {"tile/0/x000/000", -1},
        {"tile/0/x001/001", -1},
        {"tile/0/x001/002.p/0", -1},
        {"tile/1/000", 8192},
        {"tile/1/002", 8192},
        {"tile/1/003.p/233", 233 * 32},
        {"tile/1/003", -1},
        {"tile/2/000.p/3", 3 * 32},
        {"tile/2/000", -1},
        {"tile/3/000.p/0", -1},
        {"tile/entries/000", -1},
    };
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        is_int(read_file(file[i].name, NULL, 0), file[i].size, "%s has its size", file[i].name);

    read_file("tile/1/000", level1, sizeof level1);
    size_t wrong = 0;
    for (unsigned i = 0; i < 256; i++) {
        char name[KT_TLOG_PATH_MAX];
        kt_tlog_path("0", i, 256, name);
        wrong += read_file(name, hashes, sizeof hashes) != sizeof hashes;
        kt_tree_init(&tile);
        kt_tree_add_many(&tile, hashes, 256, NULL, NULL);
        kt_tree_root(&tile, root);
        wrong += memcmp(root, level1 + (size_t)i * KT_HASH_SIZE, KT_HASH_SIZE) != 0;
    }
    is_int((long long)wrong, 0, "each hash on level 1 is the root of its tile on level 0");
    kt_tree_init(&tile);
    kt_tree_add_many(&tile, level1, 256, NULL, NULL);
    kt_tree_root(&tile, root);
    read_file("tile/2/000.p/3", hashes, sizeof hashes);
    is_bytes(hashes, KT_HASH_SIZE, root, KT_HASH_SIZE, "and so it is on level 2");

    /* The last, ragged way up the tree: level 2's three, level 1's rest, level 0's rest. */
    kt_tree again = {.size = 0};
    memset(&again, 0, sizeof again);
    size_t frontier_size = 0;
    uint8_t frontier[KT_TREE_LEVELS * KT_HASH_SIZE], expected[KT_TREE_LEVELS * KT_HASH_SIZE];
    static const struct {
        const char *name;
        size_t width;
    } edge[] = {{"tile/2/000.p/3", 3}, {"tile/1/003.p/233", 233}, {"tile/0/x001/001.p/44", 44}};
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
        read_file(edge[i].name, hashes, sizeof hashes);
        kt_tree_init(&again);
        kt_tree_add_many(&again, hashes, edge[i].width, NULL, NULL);
        frontier_size += kt_tree_frontier(&again, frontier + frontier_size);
    }
    is_bytes(frontier, frontier_size, expected, kt_tree_frontier(&tree, expected),
             "the partial tiles hold the tree's edge");
}

static void test_bundles(void) {
    kt_error error;
    kt_tree tree;
    static uint8_t bundle[65536], first[65536];
    is_code(write_log("few", FEW, false, &tree, &error), KT_OK, "600 leaves are written with their bytes");
    size_t number = 0, wrong = 0;
    static const char *const name[] = {"tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"};
    for (size_t i = 0; i < 3; i++) {
        long long size = read_file(name[i], bundle, sizeof bundle);
        for (long long at = 0; at < size; number++) {
            char bytes[64];
            size_t expected = leaf_bytes(number, bytes);
            size_t found = (size_t)bundle[at] << 8 | bundle[at + 1];
            wrong += found != expected || memcmp(bundle + at + 2, bytes, expected) != 0;
            at += 2 + (long long)expected;
        }
    }
    is_int((long long)number, FEW, "the bundles hold them all");
    is_int((long long)wrong, 0, "each behind its length in two bytes");
    char note[KT_CHECKPOINT_MAX];
    size_t note_size = note_of(&tree, note);
    long long size = read_file("checkpoint", bundle, sizeof bundle);
    is_bytes(bundle, (size_t)size, note, note_size, "the checkpoint is the note given");

    long long first_size = read_file("tile/entries/001", first, sizeof first);
    is_code(write_log("fewer", 512, false, &tree, &error), KT_OK, "a log of 512 leaves has no partial tile on level 0");
    size = read_file("tile/entries/001", bundle, sizeof bundle);
    is_bytes(bundle, (size_t)size, first, (size_t)first_size, "and full bundles that stay the same as it grows");
    is_int(read_file("tile/0/002.p/0", NULL, 0), -1, "no tile is empty");
    is_int(read_file("tile/1/000.p/2", NULL, 0), 64, "two full tiles give two hashes on level 1");
    is_code(write_log("none", 0, false, &tree, &error), KT_OK, "a log of no leaves is a checkpoint alone");
    ok(read_file("checkpoint", NULL, 0) > 0 && read_file("tile", NULL, 0) == -1, "and no tile");
}

static void test_refusals(void) {
    kt_error error;
    kt_tree tree;
    kt_tlog_writer *writer = NULL;
    is_code(write_log("few", 3, false, &tree, &error), KT_EXISTS, "a log is not written over another");
    has_text(error.text, "/few: is not empty", "the refusal names the directory");
    snprintf(path, sizeof path, "%s/file", test_dir());
    close(open(path, O_WRONLY | O_CREAT, 0600));
    is_code(write_log("file", 3, false, &tree, &error), KT_EXISTS, "nor over a file");
    is_code(write_log("no/such", 3, false, &tree, &error), KT_IO, "nor in a place that is not there");
    mkdir(log_dir("empty"), 0700);
    is_code(write_log("empty", 3, false, &tree, &error), KT_OK, "an empty directory is taken");

    static uint8_t large[KT_TLOG_LEAF_MAX + 1];
    char note[KT_CHECKPOINT_MAX];
    is_code(kt_tlog_writer_open(log_dir("large"), false, &writer, &error), KT_OK, "a writer is opened");
    is_code(kt_tlog_writer_add(writer, large, KT_TLOG_LEAF_MAX, &error), KT_OK, "a leaf of 65,535 bytes is taken");
    is_code(kt_tlog_writer_add(writer, large, sizeof large, &error), KT_LIMIT, "one byte more is refused");
    has_text(error.text, "leaf 1 has 65536 bytes", "the refusal names the leaf");
    is_code(kt_tlog_writer_add(writer, large, 1, &error), KT_LIMIT, "and the writer takes nothing after it");
    is_code(kt_tlog_writer_finish(writer, note, note_of(&tree, note), &error), KT_LIMIT, "nor is it finished");
    kt_tlog_writer_close(writer);

    is_code(kt_tlog_writer_open(log_dir("other"), false, &writer, &error), KT_OK, "a writer is opened");
    is_code(kt_tlog_writer_add(writer, "x", 1, &error), KT_OK, "with a leaf");
    is_code(kt_tlog_writer_finish(writer, note, note_of(&tree, note), &error), KT_DAMAGED,
            "a checkpoint of other leaves is refused");
    has_text(error.text, "expected size and root 1 ", "the refusal says what was expected");
    is_int(read_file("checkpoint", NULL, 0), -1, "and no checkpoint is written");
    kt_tlog_writer_close(writer);
    kt_tlog_writer_close(NULL);

    is_code(kt_tlog_writer_open(log_dir("broken"), false, &writer, &error), KT_OK, "a writer is opened");
    snprintf(path, sizeof path, "%s/tile", directory);
    close(open(path, O_WRONLY | O_CREAT, 0600));
    kt_code code = KT_OK;
    for (int i = 0; i < 256 && !code; i++) code = kt_tlog_writer_add(writer, "x", 1, &error);
    is_code(code, KT_IO, "a tile that cannot be written is told");
    has_text(error.text, "broken/tile", "by its name");
    is_code(kt_tlog_writer_add(writer, "x", 1, &error), KT_IO, "and told again");
    kt_tlog_writer_close(writer);
}

int main(void) {
    test_paths();
    test_many_leaves();
    test_bundles();
    test_refusals();
    return done();
}
