#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
    is_code(kt_sign(signer, "\x72", 1, signature, &error), KT_OK, "it signs");
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
        {"held by another agent", "kontor-key-v1\nname: office\npublic: " PUBLIC "\nagent: gpg-agent\n", KT_INVALID},
        {"held by an agent and something more",
         "kontor-key-v1\nname: office\npublic: " PUBLIC "\nagent: ssh-agent\nseed: " SEED "\n", KT_INVALID},
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

static void test_agent_file(void) {
    kt_error error;
    kt_signer *signer = published();
    kt_key_about about;
    char text[4096];
    is_code(kt_key_save_agent(kt_signer_public(signer), file("agent.key"), "office", &error), KT_OK,
            "a key file is made for a key that ssh-agent holds");
    read_text("agent.key", text, sizeof text);
    is_text(text, "kontor-key-v1\nname: office\npublic: " PUBLIC "\nagent: ssh-agent\n", "as four lines of text");
    is_code(kt_key_look(path, &about, &error), KT_OK, "it says what it is");
    ok(about.kind == KT_KEY_AGENT && memcmp(about.public_key, kt_signer_public(signer), KT_PUBLIC_KEY_SIZE) == 0,
       "whose key, and who holds it");
    is_text(about.name, "office", "and its name");
    is_code(kt_key_save_agent(kt_signer_public(signer), path, "office", &error), KT_EXISTS, "it is not overwritten");
    chmod(path, 0644);
    unsetenv("SSH_AUTH_SOCK");
    kt_signer *loaded = NULL;
    is_code(kt_key_load(path, NULL, NULL, &loaded, &error), KT_KEY, "without an agent it does not load");
    has_text(error.text, "agent.key", "which names the file");
    has_text(error.text, "SSH_AUTH_SOCK", "and not its mode: there is no secret in it");
    kt_signer_close(signer);
}

/* ---- locking and unlocking in place ---- */

typedef struct answers {
    const char *old, *chosen; /* NULL: declines */
    int asked, chose;
} answers;

static kt_code answer(const char *with, char *out, size_t room, kt_error *error) {
    if (!with) return kt_fail(error, KT_KEY, "nobody answers");
    snprintf(out, room, "%s", with);
    return KT_OK;
}

static kt_code on_ask(void *context, const char *key_name, char *out, size_t room, kt_error *error) {
    (void)key_name;
    ((answers *)context)->asked++;
    return answer(((answers *)context)->old, out, room, error);
}

static kt_code on_choose(void *context, const char *key_name, char *out, size_t room, kt_error *error) {
    (void)key_name;
    ((answers *)context)->chose++;
    return answer(((answers *)context)->chosen, out, room, error);
}

static kt_key_kind kind_of(const char *name) {
    kt_key_about about;
    kt_error error;
    if (kt_key_look(file(name), &about, &error) != KT_OK) diag("%s", error.text);
    return about.kind;
}

static int files_in_place(void) {
    int count = 0;
    DIR *directory = opendir(test_dir());
    while (directory && readdir(directory)) count++;
    if (directory) closedir(directory);
    return count;
}

static void test_relock(void) {
    kt_error error;
    kt_signer *signer = published(), *loaded = NULL;
    char text[4096], before[4096], old_bytes[4096] = {0};
    answers both = {"first", "first", 0, 0}, change = {"first", "second", 0, 0}, wrong = {"third", "fourth", 0, 0};
    struct stat about;
    kt_key_save(signer, file("re.key"), "office", NULL, &error);
    int count = files_in_place(), old = open(path, O_RDONLY);
    is_code(kt_key_relock(path, on_ask, on_choose, &both, &error), KT_OK, "an open key file is locked in its place");
    ok(both.asked == 0 && both.chose == 1, "with a passphrase chosen and none asked for");
    read_text("re.key", text, sizeof text);
    ok(kind_of("re.key") == KT_KEY_LOCKED && !shows_secret(text), "and its seed is gone from it");
    ok(stat(path, &about) == 0 && (about.st_mode & 07777) == 0600, "only its owner may read it");
    ok(read(old, old_bytes, sizeof old_bytes) == (ssize_t)strlen(FILE_TEXT) && old_bytes[0] == 0 &&
           !memcmp(old_bytes, old_bytes + 1, strlen(FILE_TEXT) - 1),
       "the old file's bytes are overwritten, seen by whoever had it open");
    close(old);
    is_code(kt_key_relock(file("re.key"), on_ask, on_choose, &change, &error), KT_OK, "its passphrase is changed");
    ok(change.asked == 1 && change.chose == 1, "with the old one asked for");
    read_text("re.key", before, sizeof before);
    is_code(kt_key_relock(file("re.key"), on_ask, on_choose, &wrong, &error), KT_KEY, "with a wrong one it is refused");
    ok(wrong.chose == 0 && read_text("re.key", text, sizeof text) > 0 && strcmp(text, before) == 0,
       "before another is chosen, and the file is what it was");
    change.old = "second";
    is_code(kt_key_relock(file("re.key"), NULL, NULL, NULL, &error), KT_KEY, "a locked one is not unlocked unasked");
    is_code(kt_key_relock(file("re.key"), on_ask, NULL, &change, &error), KT_OK, "it is unlocked");
    read_text("re.key", text, sizeof text);
    is_text(text, FILE_TEXT, "to what it was at first");
    is_code(kt_key_load(file("re.key"), NULL, NULL, &loaded, &error), KT_OK, "and loads");
    kt_signer_close(loaded);
    change = (answers){NULL, NULL, 0, 0};
    is_code(kt_key_relock(file("re.key"), on_ask, on_choose, &change, &error), KT_KEY,
            "where none is chosen it is refused");
    change.chosen = "";
    is_code(kt_key_relock(file("re.key"), on_ask, on_choose, &change, &error), KT_INVALID,
            "where an empty one is chosen too");
    is_int(files_in_place(), count, "nothing else is left beside it");
    char other[700];
    snprintf(other, sizeof other, "%s/other-name.key", test_dir());
    if (link(file("re.key"), other) == 0) {
        is_code(kt_key_relock(file("re.key"), on_ask, on_choose, &both, &error), KT_KEY,
                "a file with two names is refused");
        has_text(error.text, "2 names", "since the other would keep the seed");
        unlink(other);
    }
    if (symlink("re.key", other) == 0) {
        is_code(kt_key_relock(other, on_ask, on_choose, &both, &error), KT_OK, "through a link");
        ok(lstat(other, &about) == 0 && S_ISLNK(about.st_mode) && kind_of("re.key") == KT_KEY_LOCKED,
           "the file that it names is locked, and the link stays");
    }
    is_code(kt_key_relock(file("none.key"), on_ask, on_choose, &both, &error), KT_KEY,
            "a file that is not there is refused");
    both = (answers){NULL, "third", 0, 0};
    is_code(kt_key_save_locked(signer, file("made-locked.key"), "office", on_choose, &both, &error), KT_OK,
            "a key is saved with a passphrase that is asked for");
    ok(kind_of("made-locked.key") == KT_KEY_LOCKED && both.chose == 1, "and is locked from the beginning");
    kt_signer_close(signer);
}

/* ---- what a core dump would hold ---- */

#ifdef __has_feature
#define SHADOWED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SHADOWED 1
#else
#define SHADOWED 0
#endif

/* Needles, in a page that is left out of core dumps as well. */
typedef struct needles {
    uint8_t seed[KT_SEED_SIZE];
    char hex[2 * KT_SEED_SIZE + 1];
    char passphrase[40];
} needles;

static kt_code give_needle(void *context, const char *key_name, char *out, size_t room, kt_error *error) {
    (void)key_name;
    (void)error;
    if (room < sizeof(needles){0}.passphrase) abort();
    for (size_t i = 0; i < sizeof(needles){0}.passphrase; i++) out[i] = ((const needles *)context)->passphrase[i];
    return KT_OK;
}

/* Where in memory that a core dump would hold these bytes lie: how many mappings. */
static int dumped(const void *bytes, size_t size) {
    FILE *maps = fopen("/proc/self/smaps", "r");
    char row[4200];
    unsigned long from = 0, to = 0, a, b;
    char access[8] = "", mode[8];
    int count = 0;
    while (maps && fgets(row, sizeof row, maps)) {
        if (sscanf(row, "%lx-%lx %7s", &a, &b, mode) == 3 && strchr(mode, 'p')) {
            from = a;
            to = b;
            memcpy(access, mode, sizeof access);
            if (strstr(row, "[vvar")) access[0] = '-';
        }
        if (strncmp(row, "VmFlags:", 8) != 0) continue;
        if (access[0] == 'r' && !strstr(row, " dd"))
            count += memmem((const void *)from, to - from, bytes, size) != NULL;
        from = to = 0;
        access[0] = 0;
    }
    if (maps) fclose(maps);
    return maps ? count : -1;
}

static void test_core(void) {
    kt_error error;
    kt_signer *signer = NULL, *open_key = NULL, *locked_key = NULL;
    needles *hidden = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (SHADOWED || hidden == MAP_FAILED || madvise(hidden, 4096, MADV_DONTDUMP) != 0 || dumped("", 1) < 1) {
        skip(1, "memory cannot be looked through here");
        return;
    }
    kt_random(hidden->passphrase, sizeof hidden->passphrase - 1);
    for (size_t i = 0; i < sizeof hidden->passphrase - 1; i++)
        hidden->passphrase[i] = (char)('a' + (hidden->passphrase[i] & 15));
    hidden->passphrase[sizeof hidden->passphrase - 1] = 0;
    is_code(kt_signer_generate(&signer, &error), KT_OK, "a key is made");
    kt_signer_seed(signer, hidden->seed, &error);
    kt_hex_encode(hidden->seed, KT_SEED_SIZE, hidden->hex);
    is_code(kt_key_save(signer, file("core.key"), "office", NULL, &error), KT_OK, "saved open");
    is_code(kt_key_load(path, NULL, NULL, &open_key, &error), KT_OK, "loaded");
    is_code(kt_key_save_locked(signer, file("core-locked.key"), "office", give_needle, hidden, &error), KT_OK,
            "saved locked");
    is_code(kt_key_load(path, give_needle, hidden, &locked_key, &error), KT_OK, "loaded with its passphrase");
    is_code(kt_key_relock(path, give_needle, NULL, hidden, &error), KT_OK, "unlocked");
    uint8_t signature[KT_SIGNATURE_SIZE];
    kt_sign(locked_key, "text", 4, signature, &error);
    is_int(dumped(hidden->seed, KT_SEED_SIZE), 0, "the seed lies nowhere that a core dump would hold");
    is_int(dumped(hidden->seed, 8), 0, "nor does its beginning");
    is_int(dumped(hidden->hex, 2 * KT_SEED_SIZE), 0, "nor does it in hexadecimal");
    is_int(dumped(hidden->passphrase, sizeof hidden->passphrase - 1), 0, "nor does the passphrase");
    uint8_t *plant = malloc(KT_SEED_SIZE);
    memcpy(plant, hidden->seed, KT_SEED_SIZE);
    ok(dumped(hidden->seed, KT_SEED_SIZE) > 0, "a copy in ordinary memory would have been found");
    kt_wipe(plant, KT_SEED_SIZE);
    free(plant);
    kt_signer_close(signer);
    kt_signer_close(open_key);
    kt_signer_close(locked_key);
    munmap(hidden, 4096);
}

int main(void) {
    test_signing();
    test_plain_file();
    test_bad_files();
    test_lock_bounds();
    test_locked_file();
    test_agent_file();
    test_relock();
    test_core();
    return done();
}
