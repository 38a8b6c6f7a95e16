/* Notes, verifier keys and base64 from anywhere. What is accepted must come out again as it went in. */
#include <stdlib.h>
#include <string.h>

#include "storage/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) abort();
}

/* The fuzzer cannot sign, so the text of each input is also opened with a good signature put behind it. */
static void open_signed(const char *text, size_t size) {
    uint8_t seed[KT_SEED_SIZE] = {7}, part[4 + KT_SIGNATURE_SIZE];
    kt_signer *signer;
    kt_verifier verifier;
    must(!kt_signer_from_seed(seed, &signer, NULL));
    must(!kt_verifier_make("kontor/fuzz", kt_signer_public(signer), &verifier, NULL));
    for (unsigned i = 0; i < 4; i++) part[i] = (uint8_t)(verifier.key_id >> (24 - 8 * i));
    if (kt_sign(signer, text, size, part + 4, NULL) != KT_OK) abort();
    kt_signer_close(signer);
    static const char dash[] = "\n\xE2\x80\x94 kontor/fuzz ";
    char *note = malloc(size + sizeof dash + 100);
    must(note != NULL);
    memcpy(note, text, size);
    memcpy(note + size, dash, sizeof dash - 1);
    size_t total = size + sizeof dash - 1;
    total += kt_base64_encode(part, sizeof part, note + total);
    note[total++] = '\n';
    kt_checkpoint checkpoint;
    kt_error error;
    if (!kt_checkpoint_open(note, total, &verifier, true, &checkpoint, &error)) {
        char again[KT_CHECKPOINT_MAX];
        size_t length = kt_checkpoint_text(&checkpoint, again);
        must(length <= size && memcmp(text, again, length) == 0);
        must(kt_checkpoint_open(note, total, &verifier, false, &checkpoint, &error) == KT_OK ||
             strcmp(checkpoint.origin, verifier.name) != 0);
    }
    free(note);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char vkey[] = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
    const char *text = (const char *)data;
    kt_verifier verifier;
    kt_checkpoint checkpoint;
    kt_error error;
    must(!kt_verifier_parse(vkey, sizeof vkey - 1, &verifier, &error));
    kt_checkpoint_open(text, size, &verifier, false, &checkpoint, &error);
    if (size > 0 && data[size - 1] == '\n') open_signed(text, size);
    if (!kt_verifier_parse(text, size, &verifier, &error)) {
        char again[KT_VERIFIER_MAX];
        kt_verifier_format(&verifier, again);
        must(strlen(again) == size && memcmp(again, text, size) == 0);
    }
    uint8_t *bytes = malloc(size + 1);
    char *base64 = malloc(size + 4);
    must(bytes && base64);
    size_t length;
    if (kt_base64_decode(text, size, bytes, size, &length))
        must(kt_base64_encode(bytes, length, base64) == size && memcmp(base64, text, size) == 0);
    free(base64);
    free(bytes);
    return 0;
}
