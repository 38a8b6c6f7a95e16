/* Proofs from anywhere. What is read comes out again as it went in. The fuzzer cannot sign, so the records of each input are
   also put into a small tree of their own under a good signature, and looked at as somebody would who trusts that key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kontor.h"
#include "storage/proof.h"

#define LEAVES 9

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) abort();
}

typedef struct grove {
    uint8_t leaf[LEAVES][KT_HASH_SIZE];
} grove;

static kt_code hash_subtree(void *context, uint64_t begin, uint64_t end, uint8_t out[KT_HASH_SIZE], kt_error *error) {
    const grove *grove = context;
    kt_tree tree;
    (void)error;
    kt_tree_init(&tree);
    for (uint64_t i = begin; i < end; i++) kt_tree_add(&tree, grove->leaf[i], NULL, NULL);
    kt_tree_root(&tree, out);
    return KT_OK;
}

static void look(const char *text, size_t size, const char *verifier) {
    kt_error error = {0};
    kt_proved *proved;
    kt_code code = kt_check_proof(text, size, verifier, &proved, &error);
    must(code == KT_OK ? proved != NULL : proved == NULL && error.code == code && error.text[0] != 0);
    volatile char sink = 0;
    if (code == KT_OK && proved->entry)
        for (size_t i = 0; i < proved->entry->entry.line_count; i++) {
            kt_str account = proved->entry->entry.lines[i].account;
            for (size_t k = 0; k < account.size; k++) sink = (char)(sink ^ account.data[k]);
            must(proved->entry->decimals[i] <= KT_DECIMALS_MAX && proved->entry->cost_decimals[i] <= KT_DECIMALS_MAX);
        }
    kt_proved_free(proved);
}

static size_t sign(const kt_checkpoint *checkpoint, char note[KT_CHECKPOINT_MAX], char vkey[KT_VERIFIER_MAX]) {
    static const uint8_t seed[KT_SEED_SIZE] = {7};
    uint8_t signature[KT_SIGNATURE_SIZE];
    kt_signer *signer;
    kt_verifier verifier;
    must(!kt_signer_from_seed(seed, &signer, NULL));
    must(!kt_verifier_make(checkpoint->origin, kt_signer_public(signer), &verifier, NULL));
    if (kt_checkpoint_sign(checkpoint, signer, signature, NULL) != KT_OK) abort();
    kt_signer_close(signer);
    kt_verifier_format(&verifier, vkey);
    return kt_checkpoint_note(checkpoint, &verifier, signature, note);
}

static void look_signed(kt_proof_extra *extra) {
    grove grove;
    static uint8_t hashes[LEAVES][KT_PROOF_MAX * KT_HASH_SIZE];
    kt_proof proof = {0};
    kt_checkpoint checkpoint = {.origin = "kontor/fuzz-00000000"};
    uint32_t beside = extra->beside_count < LEAVES - 1 ? extra->beside_count : LEAVES - 1;
    kt_span last = extra->records[extra->record_count - 1];
    for (uint32_t i = 0; i < beside; i++)
        kt_leaf_hash(extra->beside[i].record.data, extra->beside[i].record.size, grove.leaf[i]);
    kt_leaf_hash(last.data, last.size, grove.leaf[beside]);
    extra->beside_count = beside;
    checkpoint.size = beside + 1;
    hash_subtree(&grove, 0, checkpoint.size, checkpoint.root, NULL);
    for (uint32_t i = 0; i < beside; i++) {
        size_t count;
        must(!kt_tree_prove_inclusion(i, checkpoint.size, hash_subtree, &grove, hashes[i], &count, NULL));
        extra->beside[i].number = i;
        extra->beside[i].hashes = kt_span_of(hashes[i], count * KT_HASH_SIZE);
    }
    proof.index = beside;
    must(!kt_tree_prove_inclusion(beside, checkpoint.size, hash_subtree, &grove, proof.hashes, &proof.count, NULL));
    char note[KT_CHECKPOINT_MAX], vkey[KT_VERIFIER_MAX], *encoded, *text;
    size_t size;
    proof.note_size = sign(&checkpoint, note, vkey);
    proof.note = note;
    must(!kt_proof_extra_encode(extra, &encoded, &proof.extra_size, NULL));
    proof.extra = encoded;
    must(!kt_proof_format(&proof, &text, &size, NULL));
    look(text, size, vkey);
    free(text);
    free(encoded);
}

/* What begins as extra data does is taken for it, so that the fuzzer need not find its way through base64. */
static void as_extra(const uint8_t *data, size_t size) {
    kt_proof_extra extra;
    kt_error error = {0};
    uint8_t *bytes;
    char *text = malloc(size / 3 * 4 + 8);
    must(text != NULL);
    size_t length = kt_base64_encode(data, size, text);
    if (kt_proof_extra_decode(text, length, &extra, &bytes, &error) == KT_OK) {
        look_signed(&extra);
        kt_proof_extra_release(&extra, bytes);
    } else must(error.text[0] != 0);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char vkey[] = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
    kt_proof proof;
    kt_proof_extra extra;
    kt_error error = {0};
    char *again;
    size_t length;
    if (size > 0 && data[0] == 0x93) {
        as_extra(data, size);
        return 0;
    }
    look((const char *)data, size, vkey);
    if (kt_proof_parse((const char *)data, size, &proof, &error) != KT_OK) {
        must(error.code == KT_INVALID && error.text[0] != 0);
        return 0;
    }
    must(!kt_proof_format(&proof, &again, &length, &error));
    must(length == size && memcmp(again, data, size) == 0);
    free(again);
    uint8_t *bytes;
    if (proof.extra == NULL || kt_proof_extra_decode(proof.extra, proof.extra_size, &extra, &bytes, &error) != KT_OK)
        return 0;
    must(!kt_proof_extra_encode(&extra, &again, &length, &error));
    must(length == proof.extra_size && memcmp(again, proof.extra, length) == 0);
    free(again);
    look_signed(&extra);
    kt_proof_extra_release(&extra, bytes);
    return 0;
}
