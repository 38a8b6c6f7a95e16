#include "storage/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "storage/disk.h"
#include "storage/note.h"

#define KEY_FILE_MAX 4096
#define KEY_NAME_MAX 255
#define PASSPHRASE_MAX 1024 /* with its zero */

/* Argon2id: what a new file is locked with (libsodium's "moderate"), and what a file may ask of this machine. */
#define LOCK_OPS crypto_pwhash_OPSLIMIT_MODERATE
#define LOCK_MEMORY crypto_pwhash_MEMLIMIT_MODERATE
#define LOCK_OPS_MAX 16
#define LOCK_MEMORY_MAX (UINT64_C(1) << 30)

#define SALT_SIZE crypto_pwhash_SALTBYTES
#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define SEALED_SIZE (KT_SEED_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES)
#define LOCK_KEY_SIZE crypto_aead_xchacha20poly1305_ietf_KEYBYTES

_Static_assert(crypto_sign_PUBLICKEYBYTES == KT_PUBLIC_KEY_SIZE, "Ed25519 public key");
_Static_assert(crypto_sign_BYTES == KT_SIGNATURE_SIZE, "Ed25519 signature");
_Static_assert(crypto_sign_SEEDBYTES == KT_SEED_SIZE, "Ed25519 seed");

struct kt_signer {
    uint8_t secret[crypto_sign_SECRETKEYBYTES]; /* the seed, then the public key */
    uint8_t public_key[KT_PUBLIC_KEY_SIZE];
};

kt_code kt_keys_setup(kt_error *error) {
    if (sodium_init() < 0) return kt_fail(error, KT_KEY, "libsodium does not start: no source of random numbers");
    return KT_OK;
}

static kt_code no_memory(kt_error *error) {
    return kt_fail(error, KT_MEMORY, "no guarded memory for a key; the limit on locked memory may be too low");
}

kt_code kt_signer_from_seed(const uint8_t seed[KT_SEED_SIZE], kt_signer **out, kt_error *error) {
    *out = NULL;
    kt_code code = kt_keys_setup(error);
    if (code) return code;
    kt_signer *signer = sodium_malloc(sizeof *signer);
    if (!signer) return no_memory(error);
    crypto_sign_seed_keypair(signer->public_key, signer->secret, seed);
    sodium_mprotect_readonly(signer);
    *out = signer;
    return KT_OK;
}

kt_code kt_signer_generate(kt_signer **out, kt_error *error) {
    *out = NULL;
    kt_code code = kt_keys_setup(error);
    if (code) return code;
    uint8_t *seed = sodium_malloc(KT_SEED_SIZE);
    if (!seed) return no_memory(error);
    randombytes_buf(seed, KT_SEED_SIZE);
    code = kt_signer_from_seed(seed, out, error);
    sodium_free(seed);
    return code;
}

void kt_signer_close(kt_signer *signer) { sodium_free(signer); /* wipes; NULL is accepted */ }

const uint8_t *kt_signer_public(const kt_signer *signer) { return signer->public_key; }

void kt_sign(const kt_signer *signer, const void *message, size_t size, uint8_t signature[KT_SIGNATURE_SIZE]) {
    crypto_sign_detached(signature, NULL, message, size, signer->secret);
}

bool kt_signature_check(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const void *message, size_t size,
                        const uint8_t signature[KT_SIGNATURE_SIZE]) {
    return crypto_sign_verify_detached(signature, message, size, public_key) == 0;
}

void kt_random(void *out, size_t size) { randombytes_buf(out, size); }

void kt_wipe(void *data, size_t size) { sodium_memzero(data, size); }

/* All that is secret while a key file is written or read, in one piece of guarded memory. */
typedef struct secrets {
    char text[KEY_FILE_MAX + 1];
    char passphrase[PASSPHRASE_MAX];
    uint8_t lock_key[LOCK_KEY_SIZE];
    uint8_t seed[KT_SEED_SIZE];
} secrets;

typedef struct key_file {
    char name[KEY_NAME_MAX + 1];
    uint8_t public_key[KT_PUBLIC_KEY_SIZE];
    bool locked;
    uint64_t ops, memory;
    uint8_t salt[SALT_SIZE], nonce[NONCE_SIZE], sealed[SEALED_SIZE];
} key_file;

static kt_code lock_key_of(secrets *held, const key_file *file, kt_error *error) {
    if (crypto_pwhash(held->lock_key, sizeof held->lock_key, held->passphrase, strlen(held->passphrase), file->salt,
                      file->ops, (size_t)file->memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return kt_fail(error, KT_MEMORY, "not enough memory for the passphrase: Argon2id takes %" PRIu64 " MiB",
                       file->memory >> 20);
    return KT_OK;
}

/* The seed as a line of the file, at *at; moves *at on. */
static kt_code write_seed(secrets *held, key_file *file, char *at, kt_error *error) {
    if (!file->locked) {
        memcpy(at, "seed: ", 6);
        kt_hex_encode(held->seed, KT_SEED_SIZE, at + 6);
        memcpy(at + 6 + 2 * KT_SEED_SIZE, "\n", 2);
        return KT_OK;
    }
    file->ops = LOCK_OPS;
    file->memory = LOCK_MEMORY;
    randombytes_buf(file->salt, SALT_SIZE);
    randombytes_buf(file->nonce, NONCE_SIZE);
    kt_code code = lock_key_of(held, file, error);
    if (code) return code;
    crypto_aead_xchacha20poly1305_ietf_encrypt(file->sealed, NULL, held->seed, KT_SEED_SIZE, file->public_key,
                                               KT_PUBLIC_KEY_SIZE, NULL, file->nonce, held->lock_key);
    char salt[2 * SALT_SIZE + 1], nonce[2 * NONCE_SIZE + 1], sealed[2 * SEALED_SIZE + 1];
    kt_hex_encode(file->salt, SALT_SIZE, salt);
    kt_hex_encode(file->nonce, NONCE_SIZE, nonce);
    kt_hex_encode(file->sealed, SEALED_SIZE, sealed);
    snprintf(at, KEY_FILE_MAX / 2, "locked: argon2id %" PRIu64 " %" PRIu64 " %s %s %s\n", file->ops, file->memory, salt,
             nonce, sealed);
    return KT_OK;
}

/* Without stdio, whose buffers would keep a copy of the seed in ordinary memory. */
static kt_code write_file(const char *path, const char *text, kt_error *error) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return kt_fail(error, KT_EXISTS, "%s: is there already; a key file is never overwritten", path);
    if (fd < 0) return kt_fail_errno(error, errno, "%s: cannot create the key file", path);
    kt_code code = KT_OK;
    size_t size = strlen(text), done = 0;
    while (done < size) {
        ssize_t written = write(fd, text + done, size - done);
        if (written > 0) done += (size_t)written;
        else if (written < 0 && errno != EINTR) {
            code = kt_fail_errno(error, errno, "%s: cannot write the key file", path);
            break;
        }
    }
    if (!code && (fchmod(fd, 0600) != 0 || fsync(fd) != 0))
        code = kt_fail_errno(error, errno, "%s: cannot sync the key file", path);
    if (close(fd) != 0 && !code) code = kt_fail_errno(error, errno, "%s: cannot close the key file", path);
    if (!code) code = kt_disk_sync_name(path, error);
    if (code) unlink(path); /* made by this very call: half a key is worse than none */
    return code;
}

static bool name_is_plain(const char *name) {
    size_t size = strlen(name);
    if (size == 0 || size > KEY_NAME_MAX || name[0] == ' ' || name[size - 1] == ' ') return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F) return false;
    return true;
}

kt_code kt_key_save(const kt_signer *signer, const char *path, const char *name, const char *passphrase,
                    kt_error *error) {
    if (!name_is_plain(name))
        return kt_fail(error, KT_INVALID,
                       "%s: the key's name must be one line of 1 to %d bytes, without a space at either end", path,
                       KEY_NAME_MAX);
    size_t passphrase_size = passphrase ? strlen(passphrase) : 0;
    if (passphrase && (passphrase_size == 0 || passphrase_size >= PASSPHRASE_MAX))
        return kt_fail(error, KT_INVALID, "%s: the passphrase must have 1 to %d bytes", path, PASSPHRASE_MAX - 1);
    secrets *held = sodium_malloc(sizeof *held);
    if (!held) return no_memory(error);
    key_file file = {.locked = passphrase != NULL};
    memcpy(held->seed, signer->secret, KT_SEED_SIZE);
    memcpy(file.public_key, signer->public_key, KT_PUBLIC_KEY_SIZE);
    if (passphrase) memcpy(held->passphrase, passphrase, passphrase_size + 1);
    char public_hex[2 * KT_PUBLIC_KEY_SIZE + 1];
    kt_hex_encode(file.public_key, KT_PUBLIC_KEY_SIZE, public_hex);
    int head = snprintf(held->text, KEY_FILE_MAX / 2, "kontor-key-v1\nname: %s\npublic: %s\n", name, public_hex);
    kt_code code = write_seed(held, &file, held->text + head, error);
    if (!code) code = write_file(path, held->text, error);
    sodium_free(held);
    return code;
}

/* Reading. A line is found, ended with a zero in place, and *at moves behind it. NULL: no complete line. */
static char *next_line(char **at) {
    char *line = *at, *feed = strchr(line, '\n');
    if (!feed) return NULL;
    *feed = 0;
    *at = feed + 1;
    return line;
}

static const char *after_label(const char *line, const char *label) {
    size_t size = strlen(label);
    return line && strncmp(line, label, size) == 0 ? line + size : NULL;
}

static bool hex_exactly(const char *text, void *out, size_t size) {
    return strlen(text) == 2 * size && kt_hex_decode(text, 2 * size, out, size);
}

static bool small_number(const char *text, uint64_t *out) {
    uint64_t value = 0;
    if (*text < '1' || *text > '9') return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (value > UINT64_MAX / 100) return false;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *out = value;
    return *text == 0;
}

static kt_code read_lock(char *text, key_file *file, const char *path, kt_error *error) {
    char *field[6], *rest = text;
    size_t count = 0;
    while (count < 6 && (field[count] = strsep(&rest, " "))) count++;
    if (count != 6 || rest || strcmp(field[0], "argon2id") != 0 || !small_number(field[1], &file->ops) ||
        !small_number(field[2], &file->memory) || !hex_exactly(field[3], file->salt, SALT_SIZE) ||
        !hex_exactly(field[4], file->nonce, NONCE_SIZE) || !hex_exactly(field[5], file->sealed, SEALED_SIZE))
        return kt_fail(error, KT_INVALID,
                       "%s:4: expected \"locked: argon2id\" and operations, memory, salt, nonce and the sealed seed",
                       path);
    /* A crafted file must not make this machine work for hours, or take all its memory. */
    if (file->ops > LOCK_OPS_MAX || file->memory > LOCK_MEMORY_MAX || file->memory < crypto_pwhash_MEMLIMIT_MIN)
        return kt_fail(error, KT_INVALID,
                       "%s:4: Argon2id with %" PRIu64 " passes over %" PRIu64
                       " bytes; expected at most %d passes and 8192 to %" PRIu64 " bytes",
                       path, file->ops, file->memory, LOCK_OPS_MAX, LOCK_MEMORY_MAX);
    file->locked = true;
    return KT_OK;
}

static kt_code parse_key(secrets *held, key_file *file, const char *path, kt_error *error) {
    char *at = held->text;
    const char *line = next_line(&at);
    if (!line || strncmp(line, "kontor-key-v", 12) != 0)
        return kt_fail(error, KT_INVALID, "%s:1: not a key file; expected \"kontor-key-v1\" on the first line", path);
    if (strcmp(line, "kontor-key-v1") != 0)
        return kt_fail(error, KT_NEWER, "%s:1: a key file of another version; expected \"kontor-key-v1\"", path);
    const char *name = after_label(next_line(&at), "name: ");
    if (!name || !name_is_plain(name))
        return kt_fail(error, KT_INVALID, "%s:2: expected \"name: \" and the key's name", path);
    memcpy(file->name, name, strlen(name) + 1);
    const char *public_hex = after_label(next_line(&at), "public: ");
    if (!public_hex || !hex_exactly(public_hex, file->public_key, KT_PUBLIC_KEY_SIZE))
        return kt_fail(error, KT_INVALID, "%s:3: expected \"public: \" and %d hexadecimal digits", path,
                       2 * KT_PUBLIC_KEY_SIZE);
    char *secret = next_line(&at);
    const char *seed = after_label(secret, "seed: ");
    if (seed && !hex_exactly(seed, held->seed, KT_SEED_SIZE))
        return kt_fail(error, KT_INVALID, "%s:4: expected \"seed: \" and %d hexadecimal digits", path,
                       2 * KT_SEED_SIZE);
    if (!seed && !after_label(secret, "locked: "))
        return kt_fail(error, KT_INVALID, "%s:4: expected \"seed: \" or \"locked: \"", path);
    if (!seed) {
        kt_code code = read_lock(secret + 8, file, path, error);
        if (code) return code;
    }
    if (*at) return kt_fail(error, KT_INVALID, "%s:5: expected the end of the file", path);
    return KT_OK;
}

/* *shared: whether others than the owner may read or change it. */
static kt_code read_file(const char *path, char *text, bool *shared, kt_error *error) {
    /* O_NONBLOCK: a named pipe in the place of the file must not hold us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) return kt_fail(error, KT_KEY, "%s: no such key file", path);
    if (fd < 0) return kt_fail_errno(error, errno, "%s: cannot open the key file", path);
    kt_code code = KT_OK;
    struct stat about;
    size_t size = 0;
    if (fstat(fd, &about) != 0) code = kt_fail_errno(error, errno, "%s: cannot look at the key file", path);
    else if (!S_ISREG(about.st_mode)) code = kt_fail(error, KT_INVALID, "%s: not a file; expected a key file", path);
    while (!code && size <= KEY_FILE_MAX) {
        ssize_t got = read(fd, text + size, KEY_FILE_MAX + 1 - size);
        if (got == 0) break;
        if (got > 0) size += (size_t)got;
        else if (errno != EINTR) code = kt_fail_errno(error, errno, "%s: cannot read the key file", path);
    }
    close(fd);
    if (code) return code;
    if (size > KEY_FILE_MAX)
        return kt_fail(error, KT_INVALID, "%s: more than %d bytes; expected a key file", path, KEY_FILE_MAX);
    text[size] = 0;
    if (strlen(text) != size)
        return kt_fail(error, KT_INVALID, "%s: a zero byte at %zu; expected a key file", path, strlen(text));
    *shared = (about.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    return KT_OK;
}

static kt_code unlock(secrets *held, key_file *file, const char *path, kt_passphrase_callback ask, void *context,
                      kt_error *error) {
    if (!ask) return kt_fail(error, KT_KEY, "%s: the key is locked with a passphrase, and none was given", path);
    kt_code code = ask(context, file->name, held->passphrase, PASSPHRASE_MAX, error);
    if (code) return code;
    if (!memchr(held->passphrase, 0, PASSPHRASE_MAX))
        return kt_fail(error, KT_KEY, "%s: the passphrase is longer than %d bytes", path, PASSPHRASE_MAX - 1);
    code = lock_key_of(held, file, error);
    if (code) return code;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(held->seed, NULL, NULL, file->sealed, SEALED_SIZE, file->public_key,
                                                   KT_PUBLIC_KEY_SIZE, file->nonce, held->lock_key) != 0)
        return kt_fail(error, KT_KEY, "%s: wrong passphrase, or the key file was changed", path);
    return KT_OK;
}

kt_code kt_key_load(const char *path, kt_passphrase_callback ask, void *context, kt_signer **out, kt_error *error) {
    *out = NULL;
    kt_code code = kt_keys_setup(error);
    if (code) return code;
    secrets *held = sodium_malloc(sizeof *held);
    if (!held) return no_memory(error);
    memset(held, 0, sizeof *held);
    key_file file = {0};
    bool shared = false;
    kt_signer *signer = NULL;
    code = read_file(path, held->text, &shared, error);
    if (!code) code = parse_key(held, &file, path, error);
    if (!code && shared && !file.locked)
        code = kt_fail(error, KT_KEY, "%s: others may read this key file; expected mode 0600 (chmod 600)", path);
    if (!code && file.locked) code = unlock(held, &file, path, ask, context, error);
    if (!code) code = kt_signer_from_seed(held->seed, &signer, error);
    if (!code && memcmp(signer->public_key, file.public_key, KT_PUBLIC_KEY_SIZE) != 0) {
        code = kt_fail(error, KT_KEY, "%s: the seed does not belong to the public key in line 3", path);
        kt_signer_close(signer);
        signer = NULL;
    }
    *out = signer;
    sodium_free(held);
    return code;
}
