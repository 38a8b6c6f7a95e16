/* The golden log of transparency-dev/tessera rebuilt byte for byte, and the proofs of transparency-dev/merkle accepted
   and refused as stated. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* nftw */
#endif
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/tlog.h"
#include "storage/note.h"
#include "storage/tree.h"
#include "tests/tap.h"

#define LOG_SIZE 15

/* Bytes of a file with a zero behind them, the caller's; NULL where it cannot be read. */
static char *read_file(const char *path, size_t *size) {
    FILE *stream = fopen(path, "rb");
    char *data = stream ? calloc(1, 65537) : NULL;
    *size = data ? fread(data, 1, 65536, stream) : 0;
    if (stream) fclose(stream);
    return data;
}

static void same_file(const char *one_dir, const char *one_name, const char *other_dir, const char *other_name) {
    char one_path[1200], other_path[1200];
    size_t one_size, other_size;
    snprintf(one_path, sizeof one_path, "%s/%s", one_dir, one_name);
    snprintf(other_path, sizeof other_path, "%s/%s", other_dir, other_name);
    char *one = read_file(one_path, &one_size), *other = read_file(other_path, &other_size);
    if (one && other) is_bytes(one, one_size, other, other_size, "%s is the golden log's, byte for byte", other_name);
    else ok(false, "%s and %s can be read", one_path, other_path);
    free(one);
    free(other);
}

/* "PRIVATE+KEY+name+key id+base64(type || seed)", as Go's note package writes it. */
static kt_signer *published_signer(const char *text, kt_verifier *verifier) {
    const char *name = strstr(text, "PRIVATE+KEY+");
    const char *end = name ? strchr(name += 12, '+') : NULL;
    uint8_t key[1 + KT_SEED_SIZE];
    size_t size;
    kt_signer *signer = NULL;
    if (!end || end - name > KT_NOTE_NAME_MAX || !kt_base64_decode(end + 10, 44, key, sizeof key, &size) ||
        size != sizeof key || key[0] != 1 || kt_signer_from_seed(key + 1, &signer, NULL))
        return NULL;
    char plain_name[KT_NOTE_NAME_MAX + 1] = {0};
    memcpy(plain_name, name, (size_t)(end - name));
    kt_verifier_make(plain_name, kt_signer_public(signer), verifier, NULL);
    char key_id[9];
    snprintf(key_id, sizeof key_id, "%08x", verifier->key_id);
    ok(strncmp(key_id, end + 1, 8) == 0, "the published key has the published key id");
    return signer;
}

typedef struct leaves {
    struct {
        const char *bytes;
        size_t size;
    } leaf[LOG_SIZE];
} leaves;

static bool split_bundle(const char *bundle, size_t size, leaves *out) {
    size_t at = 0;
    for (size_t i = 0; i < LOG_SIZE; i++) {
        if (size - at < 2) return false;
        out->leaf[i].size = (size_t)(uint8_t)bundle[at] << 8 | (uint8_t)bundle[at + 1];
        out->leaf[i].bytes = bundle + at + 2;
        if (size - at - 2 < out->leaf[i].size) return false;
        at += 2 + out->leaf[i].size;
    }
    return at == size;
}

static void rebuild(const char *golden, const leaves *from, size_t count, const kt_signer *signer,
                    const kt_verifier *verifier) {
    kt_error error = {0};
    kt_tlog_writer *writer;
    kt_tree tree;
    char directory[600], name[64], note[KT_CHECKPOINT_MAX];
    snprintf(directory, sizeof directory, "%s/log%zu", test_dir(), count);
    kt_code code = kt_tlog_writer_open(directory, false, &writer, &error);
    kt_tree_init(&tree);
    for (size_t i = 0; i < count && !code; i++) {
        uint8_t hash[KT_HASH_SIZE];
        kt_leaf_hash(from->leaf[i].bytes, from->leaf[i].size, hash);
        kt_tree_add(&tree, hash, NULL, NULL);
        code = kt_tlog_writer_add(writer, from->leaf[i].bytes, from->leaf[i].size, &error);
    }
    kt_checkpoint made = {.size = count}, opened;
    uint8_t signature[KT_SIGNATURE_SIZE];
    memcpy(made.origin, verifier->name, strlen(verifier->name));
    kt_tree_root(&tree, made.root);
    kt_checkpoint_sign(&made, signer, signature, NULL);
    size_t size = kt_checkpoint_note(&made, verifier, signature, note);
    if (!code) code = kt_tlog_writer_finish(writer, note, size, &error);
    is_code(code, KT_OK, "a log of %zu leaves is written", count);
    kt_tlog_writer_close(writer);
    snprintf(name, sizeof name, "checkpoint.%zu", count);
    same_file(directory, "checkpoint", golden, name);
    if (count > 0) {
        snprintf(name, sizeof name, "tile/0/000.p/%zu", count);
        same_file(directory, name, golden, name);
        snprintf(name, sizeof name, "tile/entries/000.p/%zu", count);
        same_file(directory, name, golden, name);
    }
    is_code(kt_checkpoint_open(note, size, verifier, false, &opened, &error), KT_OK, "its checkpoint is opened");
}

static void test_golden_log(const char *cases) {
    char path[1100], golden[1000];
    size_t readme_size, bundle_size;
    kt_verifier verifier;
    leaves from;
    snprintf(golden, sizeof golden, "%s/tlog/golden-log", cases);
    snprintf(path, sizeof path, "%s/README.md", cases);
    char *readme = read_file(path, &readme_size);
    snprintf(path, sizeof path, "%s/tile/entries/000.p/%d", golden, LOG_SIZE);
    char *bundle = read_file(path, &bundle_size);
    kt_signer *signer = readme ? published_signer(readme, &verifier) : NULL;
    if (!signer || !bundle) skip(1, "no golden log with its key here");
    else if (ok(split_bundle(bundle, bundle_size, &from), "the golden bundle is read")) {
        for (size_t count = 0; count <= LOG_SIZE; count++) rebuild(golden, &from, count, signer, &verifier);
        same_file(golden, "checkpoint", golden, "checkpoint.15");
    }
    kt_signer_close(signer);
    free(bundle);
    free(readme);
}

/* ---- Proofs: one JSON object in each file ---- */

typedef struct proof_case {
    json_t *json;
    uint8_t hashes[KT_PROOF_MAX + 8][KT_HASH_SIZE];
    size_t count;
} proof_case;

/* Some of the numbers are above what a JSON reader of 63-bit integers takes, so they are read as texts. */
static char *quote_numbers(const char *text, size_t size) {
    char *out = malloc(3 * size + 1), *at = out;
    bool inside = false;
    for (size_t i = 0; out && i < size; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        bool before = i > 0 && text[i - 1] >= '0' && text[i - 1] <= '9';
        bool after = i + 1 < size && text[i + 1] >= '0' && text[i + 1] <= '9';
        inside ^= text[i] == '"';
        if (!inside && digit && !before) *at++ = '"';
        *at++ = text[i];
        if (!inside && digit && !after) *at++ = '"';
    }
    if (out) *at = 0;
    return out;
}

static uint64_t number(const proof_case *from, const char *name) {
    const char *text = json_string_value(json_object_get(from->json, name));
    return text ? strtoull(text, NULL, 10) : 0;
}

/* The cases use short words for roots that do not matter; these are kept apart by being filled up with zeros. An empty
   one is no hash, and no reader of ours would pass it on. */
static bool hash_of(const proof_case *from, const char *name, uint8_t out[KT_HASH_SIZE]) {
    const char *text = json_string_value(json_object_get(from->json, name));
    size_t size = 0;
    memset(out, 0, KT_HASH_SIZE);
    return text && kt_base64_decode(text, strlen(text), out, KT_HASH_SIZE, &size) && size > 0;
}

static bool read_proof(proof_case *out) {
    json_t *list = json_object_get(out->json, "proof");
    out->count = json_array_size(list);
    if (out->count > sizeof out->hashes / sizeof *out->hashes) return false;
    for (size_t i = 0; i < out->count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        size_t size;
        if (!text || !kt_base64_decode(text, strlen(text), out->hashes[i], KT_HASH_SIZE, &size) || size != KT_HASH_SIZE)
            return false;
    }
    return true;
}

static kt_code check_case(const proof_case *from, const char *kind, kt_error *error) {
    uint8_t one[KT_HASH_SIZE], other[KT_HASH_SIZE];
    const uint8_t *proof = from->hashes[0];
    if (strcmp(kind, "inclusion") == 0 || strcmp(kind, "subtreeinclusion") == 0) {
        if (!hash_of(from, "leafHash", one) || !hash_of(from, "root", other)) return KT_INVALID;
        uint64_t index = number(from, "leafIdx");
        if (strcmp(kind, "inclusion") == 0)
            return kt_tree_check_inclusion(one, index, number(from, "treeSize"), proof, from->count, other, error);
        return kt_tree_check_subtree_inclusion(one, index, number(from, "start"), number(from, "end"), proof,
                                               from->count, other, error);
    }
    if (!hash_of(from, "root1", one) || !hash_of(from, "root2", other)) return KT_INVALID;
    if (strcmp(kind, "consistency") == 0)
        return kt_tree_check_consistency(number(from, "size1"), one, number(from, "size2"), other, proof, from->count,
                                         error);
    return kt_tree_check_subtree_consistency(number(from, "start"), number(from, "end"), one, number(from, "size"),
                                             other, proof, from->count, error);
}

static const char *kind_now; /* nftw carries no context */
static size_t good_seen, bad_seen, wrong_seen;

static int visit(const char *path, const struct stat *about, int type, struct FTW *where) {
    (void)about;
    (void)where;
    size_t length = strlen(path), size;
    if (type != FTW_F || length < 5 || strcmp(path + length - 5, ".json") != 0) return 0;
    char *text = read_file(path, &size), *quoted = text ? quote_numbers(text, size) : NULL;
    proof_case found = {.json = quoted ? json_loads(quoted, 0, NULL) : NULL};
    const json_t *stated = json_object_get(found.json, "wantErr");
    if (!json_is_boolean(stated)) {
        wrong_seen++;
        diag("%s: no case", path);
    } else {
        bool bad = json_is_true(stated);
        kt_error error = {0};
        bool refused = !read_proof(&found) || check_case(&found, kind_now, &error) != KT_OK;
        good_seen += !bad;
        bad_seen += bad;
        if (refused != bad) {
            wrong_seen++;
            diag("%s: %s, and should not be: %s", path, refused ? "refused" : "accepted", error.text);
        }
    }
    json_decref(found.json);
    free(quoted);
    free(text);
    return 0;
}

static void test_proofs(const char *cases, const char *kind) {
    char path[1000];
    snprintf(path, sizeof path, "%s/tlog/merkle/%s", cases, kind);
    kind_now = kind;
    good_seen = bad_seen = wrong_seen = 0;
    nftw(path, visit, 16, FTW_PHYS);
    if (good_seen + bad_seen + wrong_seen == 0) {
        skip(1, "no cases in tlog/merkle/%s", kind);
        return;
    }
    ok(wrong_seen == 0 && good_seen > 0 && bad_seen > 0, "%s: %zu good proofs accepted, %zu bad ones refused", kind,
       good_seen, bad_seen);
}

int main(void) {
    const char *cases = test_cases();
    if (!cases) skip_all("no outside cases here (KONTOR_CASES)");
    test_golden_log(cases);
    test_proofs(cases, "inclusion");
    test_proofs(cases, "consistency");
    test_proofs(cases, "subtreeinclusion");
    test_proofs(cases, "subtreeconsistency");
    return done();
}
