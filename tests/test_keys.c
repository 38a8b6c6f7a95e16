#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/keys.h"
#include "storage/note.h"
#include "tests/tap.h"

/* RFC 8032, section 7.1, test 2. */
#define SEED "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
#define PUBLIC "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define SIGNED_72                                                      \
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" \
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
#define FILE_TEXT "kontor-key-v1\nname: office\npublic: " PUBLIC "\nseed: " SEED "\n"

static char path[600];

static const char *file(const char *name) {
    snprintf(path, sizeof path, "%s/%s", test_dir(), name);
    return path;
}

static void write_text(const char *name, const char *text, size_t size, mode_t mode) {
    int fd = open(file(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, text, size) != (ssize_t)size || fchmod(fd, mode) != 0 || close(fd) != 0)
        diag("cannot write %s", path);
}

static size_t read_text(const char *name, char *out, size_t room) {
    FILE *stream = fopen(file(name), "r");
    size_t size = stream ? fread(out, 1, room - 1, stream) : 0;
    if (stream) fclose(stream);
    out[size] = 0;
    return size;
}

/* No eight digits in a row of the seed may show in a message (law 9). */
static bool shows_secret(const char *text) {
    for (size_t i = 0; i + 8 <= strlen(SEED); i++) {
        char part[9] = {0};
        memcpy(part, &SEED[i], 8);
        if (strstr(text, part)) return true;
    }
    return false;
}

static kt_signer *published(void) {
    uint8_t seed[KT_SEED_SIZE];
    kt_signer *signer = NULL;
    kt_hex_decode(SEED, strlen(SEED), seed, sizeof seed);
    kt_signer_from_seed(seed, &signer, NULL);
    return signer;
}

static void test_signing(void) {
    kt_error error;
    is_code(kt_keys_setup(&error), KT_OK, "signing can be set up");
    is_code(kt_keys_setup(&error), KT_OK, "and again");
    kt_signer *signer = published(), *one = NULL, *other = NULL;
    char hex[2 * KT_SIGNATURE_SIZE + 1];
    uint8_t signature[KT_SIGNATURE_SIZE];
    kt_hex_encode(kt_signer_public(signer), KT_PUBLIC_KEY_SIZE, hex);
    is_text(hex, PUBLIC, "the public key is RFC 8032's");
    kt_sign(signer, "\x72", 1, signature);
    kt_hex_encode(signature, sizeof signature, hex);
    is_text(hex, SIGNED_72, "the signature is RFC 8032's");
    ok(kt_signature_check(kt_signer_public(signer), "\x72", 1, signature), "it holds");
    ok(!kt_signature_check(kt_signer_public(signer), "\x73", 1, signature), "not for another message");
    signature[63] ^= 1;
    ok(!kt_signature_check(kt_signer_public(signer), "\x72", 1, signature), "nor with a bit changed");
    is_code(kt_signer_generate(&one, &error), KT_OK, "a key is made from random bytes");
    is_code(kt_signer_generate(&other, &error), KT_OK, "and another");
    ok(memcmp(kt_signer_public(one), kt_signer_public(other), KT_PUBLIC_KEY_SIZE) != 0, "which differs");
    kt_signer_close(one);
    kt_signer_close(other);
    kt_signer_close(signer);
    kt_signer_close(NULL);
    uint8_t bytes[16] = {0}, zeros[16] = {0};
    kt_random(bytes, sizeof bytes);
    ok(memcmp(bytes, zeros, sizeof bytes) != 0, "random bytes are drawn");
    kt_wipe(bytes, sizeof bytes);
    ok(memcmp(bytes, zeros, sizeof bytes) == 0, "and wiped");
}

static void test_plain_file(void) {
    kt_error error;
    kt_signer *signer = published(), *loaded = NULL;
    char text[4096];
    mode_t old = umask(0);
    is_code(kt_key_save(signer, file("plain.key"), "office", NULL, &error), KT_OK, "a key is saved");
    umask(old);
    read_text("plain.key", text, sizeof text);
    is_text(text, FILE_TEXT, "as four lines of text");
    struct stat about;
    ok(stat(path, &about) == 0 && (about.st_mode & 07777) == 0600, "which only its owner may read, whatever the umask");
    is_code(kt_key_save(signer, path, "office", NULL, &error), KT_EXISTS, "a key file is never overwritten");
    has_text(error.text, "plain.key", "the refusal names the file");
    is_code(kt_key_load(path, NULL, NULL, &loaded, &error), KT_OK, "it is loaded");
    ok(loaded && memcmp(kt_signer_public(loaded), kt_signer_public(signer), KT_PUBLIC_KEY_SIZE) == 0,
       "to the same key");
    kt_signer_close(loaded);
    is_code(kt_key_save(signer, file("no/such/place.key"), "office", NULL, &error), KT_IO,
            "a place that is not there is refused");
    is_code(kt_key_save(signer, file("name.key"), "two\nlines", NULL, &error), KT_INVALID,
            "a name of two lines is refused");
    is_code(kt_key_save(signer, file("name.key"), "office", "", &error), KT_INVALID, "an empty passphrase is refused");
    ok(access(path, F_OK) != 0, "and nothing is left behind");
    kt_signer_close(signer);
}

static void refused(const char *what, const char *text, size_t size, mode_t mode, kt_code expected) {
    kt_error error = {0};
    kt_signer *loaded = NULL;
    write_text("bad.key", text, size, mode);
    is_code(kt_key_load(path, NULL, NULL, &loaded, &error), expected, "a key file %s is refused", what);
    ok(!loaded && strstr(error.text, "bad.key") && !shows_secret(error.text), "by its name and without its secret");
    unlink(path);
}

static void test_bad_files(void) {
    static const struct {
        const char *what, *text;
        kt_code code;
    } bad[] = {
        {"that is empty", "", KT_INVALID},
        {"of another kind", "date,voucher,account,amount\n", KT_INVALID},
        {"of a newer version", "kontor-key-v2\nname: office\npublic: " PUBLIC "\nseed: " SEED "\n", KT_NEWER},
        {"without a name", "kontor-key-v1\npublic: " PUBLIC "\nseed: " SEED "\n", KT_INVALID},
        {"with a short public key", "kontor-key-v1\nname: office\npublic: 3d40\nseed: " SEED "\n", KT_INVALID},
        {"without a seed", "kontor-key-v1\nname: office\npublic: " PUBLIC "\n", KT_INVALID},
        {"with a short seed", "kontor-key-v1\nname: office\npublic: " PUBLIC "\nseed: 4ccd089b28ff96da\n", KT_INVALID},
        {"cut in the seed", "kontor-key-v1\nname: office\npublic: " PUBLIC "\nseed: " SEED, KT_INVALID},
        {"with a line too many", FILE_TEXT "more\n", KT_INVALID},
        {"with the seed of another key",
         "kontor-key-v1\nname: office\npublic: "
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\nseed: " SEED "\n",
         KT_KEY},
        {"locked in another way", "kontor-key-v1\nname: office\npublic: " PUBLIC "\nlocked: scrypt 1 2 3 4 5\n",
         KT_INVALID},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(bad[i].what, bad[i].text, strlen(bad[i].text), 0600, bad[i].code);
    refused("that the group may read", FILE_TEXT, strlen(FILE_TEXT), 0640, KT_KEY);
    refused("that others may read", FILE_TEXT, strlen(FILE_TEXT), 0604, KT_KEY);
    refused("with a zero byte", FILE_TEXT "\0", sizeof FILE_TEXT, 0600, KT_INVALID);
    static char large[5000];
    memset(large, '\n', sizeof large);
    memcpy(large, FILE_TEXT, strlen(FILE_TEXT));
    refused("of 5,000 bytes", large, sizeof large, 0600, KT_INVALID);

    kt_error error;
    kt_signer *loaded;
    is_code(kt_key_load(file("missing.key"), NULL, NULL, &loaded, &error), KT_KEY, "a missing key file is refused");
    is_code(kt_key_load(test_dir(), NULL, NULL, &loaded, &error), KT_INVALID, "a directory is refused");
    if (mkfifo(file("pipe.key"), 0600) == 0)
        is_code(kt_key_load(path, NULL, NULL, &loaded, &error), KT_INVALID,
                "a named pipe is refused and not waited for");
}

/* What Argon2id is asked for stands in the file, so the file may not ask for everything. */
static void test_lock_bounds(void) {
    static const struct {
        const char *what, *ops, *memory;
    } bad[] = {
        {"more passes than is sane", "4294967295", "67108864"},
        {"more memory than is sane", "3", "1099511627776"},
        {"next to no memory", "3", "1"},
        {"no passes", "0", "67108864"},
        {"a negative number", "-3", "67108864"},
        {"a number beyond all measure", "99999999999999999999", "67108864"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[1024], what[64];
        snprintf(what, sizeof what, "locked with %s", bad[i].what);
        int size = snprintf(text, sizeof text,
                            "kontor-key-v1\nname: office\npublic: " PUBLIC
                            "\nlocked: argon2id %s %s %032d %048d %096d\n",
                            bad[i].ops, bad[i].memory, 0, 0, 0);
        refused(what, text, (size_t)size, 0600, KT_INVALID);
    }
}

static kt_code give(void *context, const char *key_name, char *out, size_t room, kt_error *error) {
    (void)error;
    is_text(key_name, "office", "the passphrase is asked for by the key's name");
    snprintf(out, room, "%s", (const char *)context);
    return KT_OK;
}

static kt_code decline(void *context, const char *key_name, char *out, size_t room, kt_error *error) {
    (void)context;
    (void)out;
    (void)room;
    return kt_fail(error, KT_KEY, "no passphrase for %s", key_name);
}

static void test_locked_file(void) {
    kt_error error;
    kt_signer *signer = published(), *loaded = NULL;
    char right[] = "correct horse", wrong[] = "correct house", text[4096];
    is_code(kt_key_save(signer, file("locked.key"), "office", right, &error), KT_OK,
            "a key is saved with a passphrase");
    size_t size = read_text("locked.key", text, sizeof text);
    ok(!shows_secret(text) && !strstr(text, right), "neither seed nor passphrase stand in the file");
    is_code(kt_key_load(path, NULL, NULL, &loaded, &error), KT_KEY, "without a passphrase it is refused");
    is_code(kt_key_load(path, decline, NULL, &loaded, &error), KT_KEY, "so it is where none is given");
    is_text(error.text, "no passphrase for office", "in the words of whoever was asked");
    is_code(kt_key_load(path, give, wrong, &loaded, &error), KT_KEY, "with a wrong one too");
    ok(!loaded && !strstr(error.text, wrong) && !shows_secret(error.text), "and the message does not show it");
    chmod(path, 0644);
    is_code(kt_key_load(path, give, right, &loaded, &error), KT_OK,
            "with the right one it is loaded, whoever may read it");
    ok(loaded && memcmp(kt_signer_public(loaded), kt_signer_public(signer), KT_PUBLIC_KEY_SIZE) == 0,
       "to the same key");
    kt_signer_close(loaded);
    char *digit = strstr(text, "public: ") + 8;
    *digit = *digit == '0' ? '1' : '0';
    write_text("locked.key", text, size, 0600);
    is_code(kt_key_load(path, give, right, &loaded, &error), KT_KEY, "a changed public key breaks the lock");
    kt_signer_close(signer);
}

int main(void) {
    test_signing();
    test_plain_file();
    test_bad_files();
    test_lock_bounds();
    test_locked_file();
    return done();
}
