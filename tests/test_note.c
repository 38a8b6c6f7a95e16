#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/note.h"
#include "tests/tap.h"

#define DASH "\xE2\x80\x94 "

/* The published key and a checkpoint of transparency-dev's test log. */
#define LOG_VERIFIER "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
#define LOG_TEXT "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n"
#define LOG_SIGNATURE                \
    DASH "example.com/log/testdata " \
         "M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n"
#define OTHER_SIGNATURE DASH "example.com/witness AAAAAQID\n"

static kt_verifier log_key;

static kt_code open_text(const char *note, kt_checkpoint *out, kt_error *error) {
    return kt_checkpoint_open(note, strlen(note), &log_key, false, out, error);
}

static void test_encodings(void) {
    /* RFC 4648, section 10. */
    static const char *const pair[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    char text[32];
    uint8_t bytes[32];
    size_t size, wrong = 0;
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        size_t length = kt_base64_encode(pair[i][0], strlen(pair[i][0]), text);
        wrong += length != strlen(text) || strcmp(text, pair[i][1]) != 0;
        wrong += !kt_base64_decode(text, length, bytes, sizeof bytes, &size) || size != strlen(pair[i][0]) ||
                 memcmp(bytes, pair[i][0], size) != 0;
    }
    is_int((long long)wrong, 0, "base64 is RFC 4648's, both ways");
    static const char *const bad[] = {
        "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm-v", "Zm9v\n", " Zm9v", "Zm9vZg=a", "=m9v", "Z=9v"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok(!kt_base64_decode(bad[i], strlen(bad[i]), bytes, sizeof bytes, &size), "base64 \"%s\" is refused", bad[i]);
    ok(!kt_base64_decode("Zm9vYmFy", 8, bytes, 5, &size), "base64 that does not fit is refused");
    ok(kt_base64_decode("Zm9vYmFy", 8, bytes, 6, &size) && size == 6, "and taken where it just fits");

    kt_hex_encode("\x00\xFF\x1a", 3, text);
    is_text(text, "00ff1a", "hexadecimal is written in lower case");
    ok(kt_hex_decode("00fF1A", 6, bytes, 3) && memcmp(bytes, "\x00\xFF\x1a", 3) == 0, "and read in either");
    ok(!kt_hex_decode("00f", 3, bytes, 3) && !kt_hex_decode("0g", 2, bytes, 3) &&
           !kt_hex_decode("00112233", 8, bytes, 3),
       "half bytes, other letters and too many are refused");
}

static void test_verifiers(void) {
    kt_error error;
    kt_verifier again;
    char text[KT_VERIFIER_MAX];
    is_code(kt_verifier_parse(LOG_VERIFIER, strlen(LOG_VERIFIER), &log_key, &error), KT_OK,
            "the published verifier key is read");
    is_int(log_key.key_id, 0x33d7b496, "its key id is the one in it");
    kt_verifier_format(&log_key, text);
    is_text(text, LOG_VERIFIER, "and comes out as it went in");
    is_code(kt_verifier_make("example.com/log/testdata", log_key.public_key, &again, &error), KT_OK,
            "it is made from name and key");
    ok(memcmp(&again, &log_key, sizeof again) == 0, "to the same");

    static const struct {
        const char *text;
        kt_code code;
    } bad[] = {
        {"", KT_INVALID},
        {"example.com/log/testdata", KT_INVALID},
        {"example.com/log/testdata+33d7b496", KT_INVALID},
        {"example.com/log/testdata+33d7b496+", KT_INVALID},
        {"+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx", KT_INVALID},
        {"example.com/log/testdata+33d7b497+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx", KT_INVALID},
        {"example.com/log/testdata+33D7B496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx", KT_INVALID},
        {"example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkS", KT_INVALID},
        {"example.com/log/testdatb+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx", KT_INVALID},
        {"example.com/log/testdata+33d7b496+AuHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx", KT_UNSUPPORTED},
        {"example com+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx", KT_INVALID},
        {LOG_VERIFIER "\n", KT_INVALID},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        is_code(kt_verifier_parse(bad[i].text, strlen(bad[i].text), &again, &error), bad[i].code,
                "verifier \"%.60s\" is refused", bad[i].text);
    static const char *const names[] = {"",         "a b",          "a+b",          "a\nb",
                                        "a\x7f",    "a\xC2\xA0",    "\xE3\x80\x80", "a\xFF",
                                        "\xC0\xAF", "\xED\xA0\x80", "\xE2\x80"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        is_code(kt_verifier_make(names[i], log_key.public_key, &again, &error), KT_INVALID,
                "key name %zu of those with "
                "spaces, plus signs, controls or bad UTF-8 is refused",
                i + 1);
    char longest[KT_NOTE_NAME_MAX + 2];
    memset(longest, 'n', sizeof longest);
    longest[KT_NOTE_NAME_MAX + 1] = 0;
    is_code(kt_verifier_make(longest, log_key.public_key, &again, &error), KT_INVALID,
            "a name of 256 bytes is refused");
    longest[KT_NOTE_NAME_MAX] = 0;
    is_code(kt_verifier_make(longest, log_key.public_key, &again, &error), KT_OK, "one of 255 is taken");
    kt_verifier_format(&again, text);
    is_code(kt_verifier_parse(text, strlen(text), &again, &error), KT_OK, "and read back");
}

static void test_published_checkpoint(void) {
    kt_checkpoint checkpoint;
    kt_error error;
    is_code(open_text(LOG_TEXT "\n" LOG_SIGNATURE, &checkpoint, &error), KT_OK, "the published checkpoint is opened");
    is_text(checkpoint.origin, "example.com/log/testdata", "with its origin");
    is_int((long long)checkpoint.size, 15, "its size");
    char text[KT_CHECKPOINT_MAX];
    size_t size = kt_checkpoint_text(&checkpoint, text);
    is_bytes(text, size, LOG_TEXT, strlen(LOG_TEXT), "and its text comes out the same");

    is_code(open_text(LOG_TEXT "\n" OTHER_SIGNATURE LOG_SIGNATURE OTHER_SIGNATURE, &checkpoint, &error), KT_OK,
            "signatures of others are passed over");
    is_code(open_text(LOG_TEXT "\n" OTHER_SIGNATURE, &checkpoint, &error), KT_KEY,
            "a note without a signature by this key is refused");
    has_text(error.text, "example.com/log/testdata+33d7b496", "the refusal names the key");
    is_code(open_text("example.com/log/testdata\n16\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n" LOG_SIGNATURE,
                      &checkpoint, &error),
            KT_DAMAGED, "a signature over another text is refused");
    has_text(error.text, "line 5", "the refusal names its line");

    char note[] = LOG_TEXT "\n" LOG_SIGNATURE;
    size_t accepted = 0;
    for (size_t i = 0; i < sizeof note - 1; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            note[i] = (char)(note[i] ^ (1 << bit));
            accepted += !kt_checkpoint_open(note, sizeof note - 1, &log_key, true, &checkpoint, &error);
            note[i] = (char)(note[i] ^ (1 << bit));
        }
    is_int((long long)accepted, 0, "no bit of the note can be changed");
    for (size_t i = 0; i < sizeof note - 1; i++)
        accepted += !kt_checkpoint_open(note, i, &log_key, true, &checkpoint, &error);
    is_int((long long)accepted, 0, "nor can it be cut anywhere");
}

static void test_malformed(void) {
    static const struct {
        const char *what, *note;
    } bad[] = {
        {"nothing", ""},
        {"no empty line", LOG_TEXT LOG_SIGNATURE},
        {"no signature", LOG_TEXT "\n"},
        {"a signature line without its line feed", LOG_TEXT "\n" DASH "example.com/log/testdata AAAAAQID"},
        {"a hyphen for the dash", LOG_TEXT "\n- example.com/log/testdata AAAAAQID\n" LOG_SIGNATURE},
        {"no name", LOG_TEXT "\n" DASH " AAAAAQID\n" LOG_SIGNATURE},
        {"no base64", LOG_TEXT "\n" DASH "example.com\n" LOG_SIGNATURE},
        {"bad base64", LOG_TEXT "\n" DASH "example.com AAAAAQI\n" LOG_SIGNATURE},
        {"a key id alone", LOG_TEXT "\n" DASH "example.com AAAAAQ==\n" LOG_SIGNATURE},
        {"two spaces", LOG_TEXT "\n" DASH "example.com  AAAAAQID\n" LOG_SIGNATURE},
        {"a tab in the text", "example.com/log/testdata\n15\t\nx\n\n" LOG_SIGNATURE},
        {"a carriage return", "example.com/log/testdata\r\n15\nx\n\n" LOG_SIGNATURE},
        {"bad UTF-8", "example.com/log/testdat\xE1\n15\nx\n\n" LOG_SIGNATURE},
    };
    kt_checkpoint checkpoint;
    kt_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        is_code(open_text(bad[i].note, &checkpoint, &error), KT_INVALID, "a note with %s is refused", bad[i].what);
    is_code(
        kt_checkpoint_open("a\0b\n\n" LOG_SIGNATURE, 5 + strlen(LOG_SIGNATURE), &log_key, true, &checkpoint, &error),
        KT_INVALID, "a note with a zero byte is refused");

    static char many[KT_NOTE_MAX + 2];
    size_t size = (size_t)snprintf(many, sizeof many, "%s", LOG_TEXT "\n" LOG_SIGNATURE);
    for (int i = 1; i < KT_NOTE_SIGNATURES; i++)
        size += (size_t)snprintf(many + size, sizeof many - size, "%s", OTHER_SIGNATURE);
    is_code(open_text(many, &checkpoint, &error), KT_OK, "a note may carry %d signatures", KT_NOTE_SIGNATURES);
    snprintf(many + size, sizeof many - size, "%s", OTHER_SIGNATURE);
    is_code(open_text(many, &checkpoint, &error), KT_INVALID, "and not one more");
    memset(many, 'x', sizeof many);
    is_code(kt_checkpoint_open(many, sizeof many, &log_key, true, &checkpoint, &error), KT_INVALID,
            "a note of more than 64 KiB is refused");
}

/* Signed by our own key, so that the text alone is at fault. */
static kt_code open_signed(const kt_signer *signer, const kt_verifier *verifier, const char *text, bool any_origin,
                           kt_checkpoint *out, kt_error *error) {
    uint8_t signed_part[4 + KT_SIGNATURE_SIZE];
    for (unsigned i = 0; i < 4; i++) signed_part[i] = (uint8_t)(verifier->key_id >> (24 - 8 * i));
    kt_sign(signer, text, strlen(text), signed_part + 4, NULL);
    char base64[128], note[4096];
    kt_base64_encode(signed_part, sizeof signed_part, base64);
    int size = snprintf(note, sizeof note, "%s\n" DASH "%s %s\n", text, verifier->name, base64);
    return kt_checkpoint_open(note, (size_t)size, verifier, any_origin, out, error);
}

static void test_own(void) {
#define ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    static const struct {
        const char *what, *text;
        kt_code code;
    } text[] = {
        {"no leaves", "kontor/a-00000000\n0\n" ROOT "\n", KT_OK},
        {"the largest size", "kontor/a-00000000\n18446744073709551615\n" ROOT "\n", KT_OK},
        {"extension lines", "kontor/a-00000000\n1\n" ROOT "\none more\nand more\n", KT_OK},
        {"a size too large", "kontor/a-00000000\n18446744073709551616\n" ROOT "\n", KT_INVALID},
        {"a leading zero", "kontor/a-00000000\n01\n" ROOT "\n", KT_INVALID},
        {"a sign", "kontor/a-00000000\n+1\n" ROOT "\n", KT_INVALID},
        {"a space behind the size", "kontor/a-00000000\n1 \n" ROOT "\n", KT_INVALID},
        {"no size", "kontor/a-00000000\n\n" ROOT "\n", KT_INVALID},
        {"no root", "kontor/a-00000000\n1\n", KT_INVALID},
        {"a short root", "kontor/a-00000000\n1\nAAAA\n", KT_INVALID},
        {"an empty extension line", "kontor/a-00000000\n1\n" ROOT "\n\nmore\n", KT_INVALID},
        {"no origin", "\n1\n" ROOT "\n", KT_INVALID},
        {"another origin", "kontor/b-00000000\n1\n" ROOT "\n", KT_FOREIGN},
    };
    kt_signer *signer;
    kt_error error;
    kt_verifier verifier;
    kt_checkpoint checkpoint;
    is_code(kt_signer_generate(&signer, &error), KT_OK, "a key is made");
    kt_verifier_make("kontor/a-00000000", kt_signer_public(signer), &verifier, &error);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        is_code(open_signed(signer, &verifier, text[i].text, false, &checkpoint, &error), text[i].code,
                "a checkpoint with %s is %s", text[i].what, text[i].code ? "refused" : "opened");
    is_code(open_signed(signer, &verifier, "kontor/b-00000000\n1\n" ROOT "\n", true, &checkpoint, &error), KT_OK,
            "another origin is taken where any is");

    kt_checkpoint made = {.size = UINT64_MAX};
    memset(made.root, 0xFF, sizeof made.root);
    char name[KT_NOTE_NAME_MAX + 1], note[KT_CHECKPOINT_MAX];
    memset(name, 'n', KT_NOTE_NAME_MAX);
    name[KT_NOTE_NAME_MAX] = 0;
    memcpy(made.origin, name, sizeof name);
    kt_verifier_make(name, kt_signer_public(signer), &verifier, &error);
    uint8_t signature[KT_SIGNATURE_SIZE];
    kt_checkpoint_sign(&made, signer, signature, NULL);
    ok(kt_checkpoint_check(&made, verifier.public_key, signature), "a checkpoint's signature holds");
    size_t size = kt_checkpoint_note(&made, &verifier, signature, note);
    ok(size == strlen(note) && size < sizeof note, "the longest checkpoint fits");
    is_code(kt_checkpoint_open(note, size, &verifier, false, &checkpoint, &error), KT_OK, "and is opened");
    ok(memcmp(&made, &checkpoint, sizeof made) == 0, "to what it was");
    made.size--;
    ok(!kt_checkpoint_check(&made, verifier.public_key, signature), "another size breaks the signature");
    kt_signer_close(signer);
}

int main(void) {
    test_encodings();
    test_verifiers();
    test_published_checkpoint();
    test_malformed();
    test_own();
    return done();
}
