/* What anybody may send to a witness. A request that is read comes out again as it went in; the fuzzer cannot sign, so its old
   size and hashes are also sent with a checkpoint that the log did sign, of another history than the one cosigned: no proof leads
   there, so nothing is ever cosigned. Notes are merged with a cosigned one of the same text, and checked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kontor.h"
#include "storage/cosign.h"
#include "storage/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) abort();
}

static kt_witness *witness;
static kt_signer *signer;
static kt_verifier log_key, cosigner;
static char place[] = "/dev/shm/kontor-fuzz-XXXXXX";

static void remove_place(void) {
    char command[100];
    kt_witness_close(witness);
    (void)snprintf(command, sizeof command, "rm -rf %s", place);
    if (system(command) != 0) fputs("the witness's directory stays\n", stderr);
}

static size_t sign(uint64_t size, uint8_t history, char note[KT_CHECKPOINT_MAX]) {
    kt_checkpoint checkpoint = {.origin = "kontor/fuzz-00000000", .size = size};
    uint8_t signature[KT_SIGNATURE_SIZE];
    memset(checkpoint.root, history, sizeof checkpoint.root);
    must(!kt_checkpoint_sign(&checkpoint, signer, signature, NULL));
    return kt_checkpoint_note(&checkpoint, &log_key, signature, note);
}

static unsigned send(const char *body, size_t size) {
    kt_witness_answer answer;
    kt_error error = {0};
    kt_code code = kt_witness_add_checkpoint(witness, body, size, &answer, &error);
    must(answer.body != NULL && answer.size == strlen(answer.body) && answer.size > 0);
    must((code == KT_OK) == (answer.status == 200));
    must(code == KT_OK || (error.code == code && error.text[0] != 0));
    free(answer.body);
    return answer.status;
}

static void set_up(void) {
    static const uint8_t seed[KT_SEED_SIZE] = {7};
    char vkey[KT_VERIFIER_MAX], path[100], note[KT_CHECKPOINT_MAX], *body;
    size_t size;
    must(!kt_keys_setup(NULL) && !kt_signer_from_seed(seed, &signer, NULL));
    must(!kt_verifier_make("kontor/fuzz-00000000", kt_signer_public(signer), &log_key, NULL));
    kt_verifier_format(&log_key, vkey);
    must(mkdtemp(place) != NULL);
    (void)snprintf(path, sizeof path, "%s/witness", place);
    must(!kt_witness_create(path, "fuzz/w", vkey, NULL) && !kt_witness_open(path, NULL, &witness, NULL));
    const char *its = kt_witness_verifier(witness);
    must(!kt_verifier_parse_as(KT_VERIFIER_WITNESS, its, strlen(its), &cosigner, NULL));
    must(atexit(remove_place) == 0);
    kt_add_checkpoint request = {.note = note, .note_size = sign(5, 1, note)};
    must(!kt_add_checkpoint_format(&request, &body, &size, NULL));
    must(send(body, size) == 200);
    free(body);
}

static void send_signed(const kt_add_checkpoint *asked) {
    char note[KT_CHECKPOINT_MAX], *body;
    size_t size;
    kt_add_checkpoint request = *asked;
    request.note = note;
    for (unsigned way = 0; way < 3; way++) {
        request.note_size = sign(way == 0 ? 5 : way == 1 ? 9 : 3, 2, note);
        if (way < 2) request.old_size = 5;
        must(!kt_add_checkpoint_format(&request, &body, &size, NULL));
        must(send(body, size) != 200);
        free(body);
    }
}

static void look_at_note(const char *text, size_t size) {
    kt_note note;
    kt_checkpoint checkpoint;
    uint64_t time;
    if (kt_note_cut(text, size, &note, NULL) != KT_OK) return;
    must(kt_note_check(&note, &cosigner, &time, NULL) != KT_OK);
    (void)kt_checkpoint_read(&note, &checkpoint, NULL);
    char line[KT_COSIGNATURE_LINE_MAX], *whole, *merged;
    size_t line_size, merged_size;
    must(!kt_cosign(signer, &log_key, 1, note.text, note.text_size, line, &line_size, NULL));
    size_t total = note.text_size + 1 + line_size;
    must((whole = malloc(total)) != NULL);
    memcpy(whole, note.text, note.text_size);
    whole[note.text_size] = '\n';
    memcpy(whole + note.text_size + 1, line, line_size);
    if (total <= KT_NOTE_MAX && kt_note_merge(whole, total, text, size, &merged, &merged_size, NULL) == KT_OK) {
        must(merged_size >= total && memcmp(merged, whole, total) == 0);
        must(kt_note_cut(merged, merged_size, &note, NULL) == KT_OK);
        free(merged);
    }
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    kt_add_checkpoint request;
    kt_error error = {0};
    char *again;
    size_t length;
    if (witness == NULL) set_up();
    (void)send(text, size);
    look_at_note(text, size);
    kt_code code = kt_add_checkpoint_parse(text, size, &request, &error);
    must(code == KT_OK || (code == KT_INVALID && error.text[0] != 0));
    if (code != KT_OK) return 0;
    must(!kt_add_checkpoint_format(&request, &again, &length, NULL));
    must(length == size && memcmp(again, text, size) == 0);
    free(again);
    look_at_note(request.note, request.note_size);
    send_signed(&request);
    return 0;
}
