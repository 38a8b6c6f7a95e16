/* Cosignatures of witnesses, against published ones, and the body in which one is asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/cosign.h"
#include "tests/tap.h"

#define DASH "\xE2\x80\x94 "

/* A witness of the public network and a checkpoint of a public log that it cosigned, with those of others. */
#define REMORA "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
#define ARCHE_TEXT                              \
    "arche2025h1.staging.ct.transparency.dev\n" \
    "1432088532\n"                              \
    "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n"
#define ARCHE_LINES                                                                                                    \
    DASH "arche2025h1.staging.ct.transparency.dev "                                                                    \
         "zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRN" \
         "Z5"                                                                                                          \
         "5lvGt0=\n" DASH "arche2025h1.staging.ct.transparency.dev "                                                   \
         "ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n"
#define REMORA_LINE        \
    DASH "remora.n621.de " \
         "2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n"
#define STAGEMOLE_LINE           \
    DASH "witness.stagemole.eu " \
         "Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==\n"

static kt_error error;
static kt_signer *signer[2];
static kt_verifier cosigner[2], log_key;

static kt_code check_text(const char *text, const kt_verifier *verifier, uint64_t *time) {
    kt_note note;
    kt_code code = kt_note_cut(text, strlen(text), &note, &error);
    return code == KT_OK ? kt_note_check(&note, verifier, time, &error) : code;
}

static void published(void) {
    kt_verifier remora;
    char text[KT_VERIFIER_MAX];
    uint64_t time = 0;
    is_code(kt_verifier_parse_as(KT_VERIFIER_WITNESS, REMORA, strlen(REMORA), &remora, &error), KT_OK,
            "a witness's verifier key is read");
    is_int(remora.key_id, 0xda77ade7, "with its key id");
    kt_verifier_format(&remora, text);
    is_text(text, REMORA, "and comes out as it went in");
    is_code(kt_verifier_parse(REMORA, strlen(REMORA), &remora, &error), KT_UNSUPPORTED, "it is no log's key");
    has_text(error.text, "0x04", "which is said");
    static const char log[] = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
    is_code(kt_verifier_parse_as(KT_VERIFIER_WITNESS, log, strlen(log), &remora, &error), KT_UNSUPPORTED,
            "and a log's is no witness's");
    kt_verifier_parse_as(KT_VERIFIER_WITNESS, REMORA, strlen(REMORA), &remora, &error);
    is_code(check_text(ARCHE_TEXT "\n" ARCHE_LINES REMORA_LINE STAGEMOLE_LINE, &remora, &time), KT_OK,
            "its published cosignature holds, among those of others");
    is_int((long long)time, 0x6a122120, "and says when");
    is_code(check_text("arche2025h1.staging.ct.transparency.dev\n1432088533\n"
                       "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n" REMORA_LINE,
                       &remora, &time),
            KT_DAMAGED, "not over another checkpoint");
    is_code(check_text(ARCHE_TEXT "\n" STAGEMOLE_LINE, &remora, &time), KT_KEY, "nor is another's taken for it");
    is_code(check_text(ARCHE_TEXT "extension\n\n" REMORA_LINE, &remora, &time), KT_DAMAGED,
            "extension lines are signed too");

    /* The example of c2sp.org/tlog-cosignature. */
    static const char example[] =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" DASH
        "example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n" DASH
        "witness.example.com/w1 "
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    kt_note note;
    kt_note_signature line;
    kt_checkpoint checkpoint;
    size_t at = 0, count = 0;
    is_code(kt_note_cut(example, strlen(example), &note, &error), KT_OK, "the document's example is a note");
    is_code(kt_checkpoint_read(&note, &checkpoint, &error), KT_OK, "of a checkpoint");
    is_int((long long)checkpoint.size, 20852163, "of its size");
    ok(kt_note_next(&note, &at, &count, &line, &error) == KT_OK && line.size == KT_SIGNATURE_SIZE, "the log signed it");
    ok(kt_note_next(&note, &at, &count, &line, &error) == KT_OK && line.size == KT_COSIGNATURE_SIZE &&
           line.key_id == 0x8d66cf3f,
       "the witness cosigned it");
    is_int(line.bytes[4] << 24 | line.bytes[5] << 16 | line.bytes[6] << 8 | line.bytes[7], 1679315147,
           "at the time in the document");
    is_code(kt_note_next(&note, &at, &count, &line, &error), KT_END, "and nobody else");
}

static const char text[] = "kontor/acme-00000001\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

static void make_keys(void) {
    for (unsigned i = 0; i < 2; i++) {
        uint8_t seed[KT_SEED_SIZE] = {(uint8_t)(i + 1)};
        kt_signer_from_seed(seed, &signer[i], &error);
        kt_verifier_make_as(KT_VERIFIER_WITNESS, i ? "witness.example.com/b" : "witness.example.com/a",
                            kt_signer_public(signer[i]), &cosigner[i], &error);
    }
    kt_verifier_make("witness.example.com/a", kt_signer_public(signer[0]), &log_key, &error);
}

static size_t line_of(unsigned who, uint64_t time, char out[KT_COSIGNATURE_LINE_MAX]) {
    size_t size = 0;
    if (kt_cosign(signer[who], &cosigner[who], time, text, strlen(text), out, &size, &error) != KT_OK)
        diag("%s", error.text);
    return size;
}

static void made(void) {
    char line[2][KT_COSIGNATURE_LINE_MAX], note[4096];
    uint64_t time = 0;
    size_t caught = 0, size = line_of(0, 1700000000, line[0]);
    ok(size == strlen(line[0]) && size > 0 && line[0][size - 1] == '\n', "a cosignature is a line");
    line_of(1, 1700000001, line[1]);
    snprintf(note, sizeof note, "%s\n%s%s", text, line[0], line[1]);
    for (unsigned i = 0; i < 2; i++) {
        is_code(check_text(note, &cosigner[i], &time), KT_OK, "cosignature %u of two holds", i + 1);
        is_int((long long)time, 1700000000 + i, "with its time");
    }
    ok(log_key.key_id != cosigner[0].key_id, "the same key under the same name has another id as a log's");
    is_code(check_text(note, &log_key, &time), KT_KEY, "so a cosignature is no log's signature");
    size_t from = strlen(text) + 1, end = from + strlen(line[0]) - 1;
    for (size_t i = 0; i < end; i++) {
        if (i == from - 1) continue;
        note[i] = (char)(note[i] ^ 1);
        caught += check_text(note, &cosigner[0], &time) != KT_OK;
        note[i] = (char)(note[i] ^ 1);
    }
    is_int((long long)caught, (long long)end - 1, "every byte of text and cosignature counts");
    is_code(kt_cosign(signer[0], &cosigner[0], UINT64_C(1) << 63, text, strlen(text), line[0], &size, &error), KT_LIMIT,
            "a time beyond 2^63 - 1 is refused");
    uint8_t part[4 + KT_COSIGNATURE_SIZE] = {0}, message[200];
    char base64[200];
    for (unsigned i = 0; i < 4; i++) part[i] = (uint8_t)(cosigner[0].key_id >> (24 - 8 * i));
    part[4] = 0x80;
    int length = snprintf((char *)message, sizeof message, "cosignature/v1\ntime 9223372036854775808\n%s", text);
    is_code(kt_sign(signer[0], message, (size_t)length, part + 12, &error), KT_OK, "signed all the same");
    kt_base64_encode(part, sizeof part, base64);
    snprintf(note, sizeof note, "%s\n" DASH "%s %s\n", text, cosigner[0].name, base64);
    is_code(check_text(note, &cosigner[0], &time), KT_DAMAGED, "it does not hold");
    static char long_text[KT_NOTE_MAX + 2];
    memset(long_text, 'x', sizeof long_text);
    is_code(kt_cosign(signer[0], &cosigner[0], 1, long_text, sizeof long_text, line[0], &size, &error), KT_LIMIT,
            "a text that is too long for a note is not cosigned");
}

static void merged(void) {
    char line[2][KT_COSIGNATURE_LINE_MAX], again[KT_COSIGNATURE_LINE_MAX], a[4096], b[4096], *out = NULL;
    size_t size = 0;
    uint64_t time = 0;
    line_of(0, 10, line[0]);
    line_of(1, 20, line[1]);
    line_of(0, 30, again);
    snprintf(a, sizeof a, "%s\n%s%s", text, line[0], line[1]);
    snprintf(b, sizeof b, "%s\n%s", text, again);
    is_code(kt_note_merge(b, strlen(b), a, strlen(a), &out, &size, &error), KT_OK, "two notes of one text are joined");
    ok(out && size == strlen(out) && check_text(out, &cosigner[1], &time) == KT_OK && time == 20,
       "what only the older has stays");
    ok(out && check_text(out, &cosigner[0], &time) == KT_OK && time == 30 && !strstr(out, line[0]),
       "what both have is the newer's");
    free(out);
    snprintf(a, sizeof a, "x%s\n%s", text, line[0]);
    is_code(kt_note_merge(b, strlen(b), a, strlen(a), &out, &size, &error), KT_FOREIGN, "of two texts they are not");
    is_code(kt_note_merge(b, strlen(b), "x", 1, &out, &size, &error), KT_INVALID, "nor with what is no note");
    ok(out == NULL, "and nothing is given");
}

static kt_code parse(const char *body, kt_add_checkpoint *out) {
    return kt_add_checkpoint_parse(body, strlen(body), out, &error);
}

#define HASH "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"

static void asked(void) {
    kt_add_checkpoint request;
    char *again;
    size_t size;
    /* The example of c2sp.org/tlog-witness, its checkpoint shortened. */
    static const char body[] = "old 20852014\n" HASH "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
                               "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
                               "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\nexample.com/behind-the-sofa\n";
    is_code(parse(body, &request), KT_OK, "the document's request is read");
    ok(request.old_size == 20852014 && request.count == 4 && request.note_size == 28, "with its size, hashes and note");
    is_code(kt_add_checkpoint_format(&request, &again, &size, &error), KT_OK, "written again");
    is_bytes(again, size, body, strlen(body), "it is the same");
    free(again);
    is_code(parse("old 0\n\nx\n", &request), KT_OK, "one without hashes too");
    static const char *const bad[] = {"",
                                      "old",
                                      "old 0",
                                      "old 0\n",
                                      "old 00\n\nx",
                                      "old 1 \n\nx",
                                      "old\n\nx",
                                      "old -1\n\nx",
                                      "old +1\n\nx",
                                      "old  1\n\nx",
                                      "new 1\n\nx",
                                      "Old 1\n\nx",
                                      "\nold 1\n",
                                      "old 1\nx\n\n",
                                      ("old 1\n" HASH),
                                      "old 1\r\n\r\nx",
                                      "old 1\n \n\nx",
                                      "old 18446744073709551616\n\nx"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        is_code(parse(bad[i], &request), KT_INVALID, "body %zu of those that are none is refused", i + 1);
    char many[64 * sizeof HASH + 20] = "old 5\n";
    for (unsigned i = 0; i < 63; i++) strcat(many, HASH);
    strcat(many, "\n");
    is_code(parse(many, &request), KT_OK, "63 hashes are read");
    strcpy(strrchr(many, '=') + 2, HASH "\n");
    is_code(parse(many, &request), KT_INVALID, "64 are not");
    has_text(error.text, "line 65", "and the line is named");
    char *large = calloc(1, KT_ADD_CHECKPOINT_MAX + 2);
    memset(large, 'x', KT_ADD_CHECKPOINT_MAX + 1);
    is_code(kt_add_checkpoint_parse(large, KT_ADD_CHECKPOINT_MAX + 1, &request, &error), KT_INVALID,
            "nor is a body that is too large");
    free(large);
}

int main(void) {
    if (kt_keys_setup(&error) != KT_OK) skip_all("%s", error.text);
    make_keys();
    published();
    made();
    merged();
    asked();
    kt_signer_close(signer[0]);
    kt_signer_close(signer[1]);
    return done();
}
