#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkostemp */
#endif
#include "storage/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "storage/disk.h"
#include "storage/note.h"

#define KEY_FILE_MAX 4096
#define PASSPHRASE_MAX 1024 /* with its zero */

/* Argon2id: what a new file is locked with (libsodium's "moderate"), and what a file may ask of this machine. */
#define LOCK_OPS crypto_pwhash_OPSLIMIT_MODERATE
#define LOCK_MEMORY crypto_pwhash_MEMLIMIT_MODERATE
#define LOCK_OPS_MAX 16
#define LOCK_MEMORY_MAX (UINT64_C(1) << 30)

#define AGENT_LINE "agent: ssh-agent"

#define SALT_SIZE crypto_pwhash_SALTBYTES
#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define SEALED_SIZE (KT_SEED_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES)
#define LOCK_KEY_SIZE crypto_aead_xchacha20poly1305_ietf_KEYBYTES

static kt_code no_memory(kt_error *error) {
    return kt_fail(error, KT_MEMORY, "no guarded memory for a key; the limit on locked memory may be too low");
}

/* All that is secret while a key file is written or read, in one piece of guarded memory. */
typedef struct secrets {
    char text[KEY_FILE_MAX + 1];
    char passphrase[PASSPHRASE_MAX];
    uint8_t lock_key[LOCK_KEY_SIZE];
    uint8_t seed[KT_SEED_SIZE];
} secrets;

typedef struct key_file {
    char name[KT_KEY_NAME_MAX + 1];
    uint8_t public_key[KT_PUBLIC_KEY_SIZE];
    kt_key_kind kind;
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
    if (file->kind == KT_KEY_AGENT) {
        memcpy(at, AGENT_LINE "\n", sizeof AGENT_LINE + 1);
        return KT_OK;
    }
    if (file->kind == KT_KEY_OPEN) {
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

/* Without stdio, whose buffers would keep a copy of the seed in ordinary memory. The file is new; it is taken away again
   where it could not be written. */
static kt_code write_new(int fd, const char *path, const char *text, kt_error *error) {
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
    if (code) unlink(path); /* made by this very call: half a key is worse than none */
    return code;
}

static kt_code write_file(const char *path, const char *text, kt_error *error) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return kt_fail(error, KT_EXISTS, "%s: is there already; a key file is never overwritten", path);
    if (fd < 0) return kt_fail_errno(error, errno, "%s: cannot create the key file", path);
    kt_code code = write_new(fd, path, text, error);
    if (code) return code;
    code = kt_disk_sync_name(path, error);
    if (code) unlink(path);
    return code;
}

static bool name_is_plain(const char *name) {
    size_t size = strlen(name);
    if (size == 0 || size > KT_KEY_NAME_MAX || name[0] == ' ' || name[size - 1] == ' ') return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F) return false;
    return true;
}

static kt_code bad_name(const char *path, kt_error *error) {
    return kt_fail(error, KT_INVALID,
                   "%s: the key's name must be one line of 1 to %d bytes, without a space at either end", path,
                   KT_KEY_NAME_MAX);
}

/* The whole file into held->text. held has what is secret in it, file the rest. */
static kt_code compose(secrets *held, key_file *file, kt_error *error) {
    char public_hex[2 * KT_PUBLIC_KEY_SIZE + 1];
    kt_hex_encode(file->public_key, KT_PUBLIC_KEY_SIZE, public_hex);
    int head = snprintf(held->text, KEY_FILE_MAX / 2, "kontor-key-v1\nname: %s\npublic: %s\n", file->name, public_hex);
    return write_seed(held, file, held->text + head, error);
}

/* The passphrase goes through guarded memory alone. */
static kt_code ask_for(secrets *held, const char *name, const char *path, kt_passphrase_callback ask, void *context,
                       kt_error *error) {
    memset(held->passphrase, 0, PASSPHRASE_MAX);
    kt_code code = ask(context, name, held->passphrase, PASSPHRASE_MAX, error);
    if (code) return code;
    if (!memchr(held->passphrase, 0, PASSPHRASE_MAX))
        return kt_fail(error, KT_KEY, "%s: the passphrase is longer than %d bytes", path, PASSPHRASE_MAX - 1);
    return KT_OK;
}

static kt_code choose_for(secrets *held, const char *name, const char *path, kt_passphrase_callback choose,
                          void *context, kt_error *error) {
    kt_code code = ask_for(held, name, path, choose, context, error);
    if (!code && held->passphrase[0] == 0)
        code = kt_fail(error, KT_INVALID, "%s: the passphrase must have 1 to %d bytes", path, PASSPHRASE_MAX - 1);
    return code;
}

/* choose NULL: not locked. signer NULL: an agent's. */
static kt_code save(const kt_signer *signer, const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const char *path,
                    const char *name, kt_passphrase_callback choose, void *context, kt_error *error) {
    if (!name_is_plain(name)) return bad_name(path, error);
    kt_code code = kt_keys_setup(error);
    if (code) return code;
    secrets *held = sodium_malloc(sizeof *held);
    if (!held) return no_memory(error);
    key_file file = {.kind = !signer ? KT_KEY_AGENT : choose ? KT_KEY_LOCKED : KT_KEY_OPEN};
    memcpy(file.name, name, strlen(name) + 1);
    memcpy(file.public_key, public_key, KT_PUBLIC_KEY_SIZE);
    if (signer) code = kt_signer_seed(signer, held->seed, error);
    if (!code && choose) code = choose_for(held, name, path, choose, context, error);
    if (!code) code = compose(held, &file, error);
    if (!code) code = write_file(path, held->text, error);
    sodium_free(held);
    return code;
}

static kt_code give_passphrase(void *context, const char *key_name, char *out, size_t room, kt_error *error) {
    const char *passphrase = context;
    size_t size = strlen(passphrase);
    (void)key_name;
    if (size >= room) return kt_fail(error, KT_INVALID, "the passphrase must have 1 to %zu bytes", room - 1);
    memcpy(out, passphrase, size + 1);
    return KT_OK;
}

kt_code kt_key_save(const kt_signer *signer, const char *path, const char *name, const char *passphrase,
                    kt_error *error) {
    union {
        const char *in;
        void *out;
    } context = {.in = passphrase}; /* only read */
    return save(signer, kt_signer_public(signer), path, name, passphrase ? give_passphrase : NULL, context.out, error);
}

kt_code kt_key_save_locked(const kt_signer *signer, const char *path, const char *name, kt_passphrase_callback choose,
                           void *context, kt_error *error) {
    return save(signer, kt_signer_public(signer), path, name, choose, context, error);
}

kt_code kt_key_save_agent(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const char *path, const char *name,
                          kt_error *error) {
    return save(NULL, public_key, path, name, NULL, NULL, error);
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
    file->kind = KT_KEY_LOCKED;
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
    bool agent = secret && strcmp(secret, AGENT_LINE) == 0;
    if (!seed && !agent && !after_label(secret, "locked: "))
        return kt_fail(error, KT_INVALID, "%s:4: expected \"seed: \", \"locked: \" or \"" AGENT_LINE "\"", path);
    if (agent) file->kind = KT_KEY_AGENT;
    else if (!seed) {
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
    kt_code code = ask_for(held, file->name, path, ask, context, error);
    if (!code) code = lock_key_of(held, file, error);
    if (code) return code;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(held->seed, NULL, NULL, file->sealed, SEALED_SIZE, file->public_key,
                                                   KT_PUBLIC_KEY_SIZE, file->nonce, held->lock_key) != 0)
        return kt_fail(error, KT_KEY, "%s: wrong passphrase, or the key file was changed", path);
    return KT_OK;
}

static kt_code read_key(secrets *held, key_file *file, const char *path, kt_error *error) {
    bool shared = false;
    memset(held, 0, sizeof *held);
    kt_code code = read_file(path, held->text, &shared, error);
    if (!code) code = parse_key(held, file, path, error);
    if (!code && shared && file->kind == KT_KEY_OPEN)
        code = kt_fail(error, KT_KEY, "%s: others may read this key file; expected mode 0600 (chmod 600)", path);
    return code;
}

/* The seed, unlocked and proved to be the public key's. */
static kt_code open_seed(secrets *held, key_file *file, const char *path, kt_passphrase_callback ask, void *context,
                         kt_signer **out, kt_error *error) {
    kt_code code = file->kind == KT_KEY_LOCKED ? unlock(held, file, path, ask, context, error) : KT_OK;
    if (!code) code = kt_signer_from_seed(held->seed, out, error);
    if (!code && memcmp(kt_signer_public(*out), file->public_key, KT_PUBLIC_KEY_SIZE) != 0) {
        code = kt_fail(error, KT_KEY, "%s: the seed does not belong to the public key in line 3", path);
        kt_signer_close(*out);
        *out = NULL;
    }
    return code;
}

kt_code kt_key_load(const char *path, kt_passphrase_callback ask, void *context, kt_signer **out, kt_error *error) {
    *out = NULL;
    kt_code code = kt_keys_setup(error);
    if (code) return code;
    secrets *held = sodium_malloc(sizeof *held);
    if (!held) return no_memory(error);
    key_file file = {0};
    code = read_key(held, &file, path, error);
    if (!code && file.kind == KT_KEY_AGENT) {
        code = kt_signer_from_agent(file.public_key, file.name, out, error);
        if (code) (void)kt_fail_at(error, code, "%s", path);
    } else if (!code) code = open_seed(held, &file, path, ask, context, out, error);
    sodium_free(held);
    return code;
}

kt_code kt_key_look(const char *path, kt_key_about *out, kt_error *error) {
    memset(out, 0, sizeof *out);
    kt_code code = kt_keys_setup(error);
    if (code) return code;
    secrets *held = sodium_malloc(sizeof *held);
    if (!held) return no_memory(error);
    key_file file = {0};
    code = read_file(path, held->text, &(bool){false}, error);
    if (!code) code = parse_key(held, &file, path, error);
    if (!code) {
        memcpy(out->name, file.name, sizeof out->name);
        memcpy(out->public_key, file.public_key, sizeof out->public_key);
        out->kind = file.kind;
    }
    sodium_free(held);
    return code;
}

/* ---- locking and unlocking a file that is there ---- */

/* The place of a temporary file in the same directory: PATH.new-XXXXXX, opened as mkstemp does, 0600. */
static kt_code open_beside(const char *path, char beside[PATH_MAX], int *fd, kt_error *error) {
    if (snprintf(beside, PATH_MAX, "%s.new-XXXXXX", path) >= PATH_MAX)
        return kt_fail(error, KT_LIMIT, "%s: the path is too long", path);
    *fd = mkostemp(beside, O_CLOEXEC);
    return *fd >= 0 ? KT_OK : kt_fail_errno(error, errno, "%s: cannot create the key file's successor", path);
}

/* What a file system does with it is its own matter: one that writes elsewhere keeps the old bytes for a while. */
static kt_code overwrite(int fd, off_t size, const char *path, kt_error *error) {
    static const uint8_t zeros[KEY_FILE_MAX];
    off_t done = 0;
    while (done < size) {
        size_t part = (size_t)(size - done) < sizeof zeros ? (size_t)(size - done) : sizeof zeros;
        ssize_t written = pwrite(fd, zeros, part, done);
        if (written > 0) done += written;
        else if (written < 0 && errno != EINTR)
            return kt_fail_errno(error, errno, "%s: is written anew, but the old bytes could not be overwritten", path);
    }
    if (fsync(fd) != 0)
        return kt_fail_errno(error, errno, "%s: is written anew, but the old bytes could not be overwritten", path);
    return KT_OK;
}

/* held->text goes to the file that `old` has open under this path. */
static kt_code replace_file(secrets *held, int old, const char *path, kt_error *error) {
    char beside[PATH_MAX];
    struct stat about;
    int fd = -1;
    if (fstat(old, &about) != 0) return kt_fail_errno(error, errno, "%s: cannot look at the key file", path);
    if (about.st_nlink > 1)
        return kt_fail(error, KT_KEY, "%s: has %lu names (hard links), and the others would keep the old bytes", path,
                       (unsigned long)about.st_nlink);
    kt_code code = open_beside(path, beside, &fd, error);
    if (!code) code = write_new(fd, beside, held->text, error);
    if (code) return code;
    if (rename(beside, path) != 0) {
        code = kt_fail_errno(error, errno, "%s: cannot take the new key file's name", path);
        unlink(beside);
        return code;
    }
    code = kt_disk_sync_name(path, error);
    return code ? code : overwrite(old, about.st_size, path, error);
}

static kt_code relock(secrets *held, const char *path, kt_passphrase_callback ask, kt_passphrase_callback choose,
                      void *context, kt_error *error) {
    key_file file = {0};
    kt_signer *signer = NULL;
    kt_code code = read_key(held, &file, path, error);
    if (!code && file.kind == KT_KEY_AGENT)
        code = kt_fail(error, KT_KEY, "%s: ssh-agent holds this key: there is no seed to be locked in the file", path);
    int old = code ? -1 : open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (!code && old < 0) code = kt_fail_errno(error, errno, "%s: cannot open the key file for writing", path);
    if (!code) code = open_seed(held, &file, path, ask, context, &signer, error);
    if (!code && choose) code = choose_for(held, file.name, path, choose, context, error);
    file.kind = choose ? KT_KEY_LOCKED : KT_KEY_OPEN;
    if (!code) code = compose(held, &file, error);
    if (!code) code = replace_file(held, old, path, error);
    if (old >= 0) close(old);
    kt_signer_close(signer);
    return code;
}

kt_code kt_key_relock(const char *path, kt_passphrase_callback ask, kt_passphrase_callback choose, void *context,
                      kt_error *error) {
    /* A link stays, and what it names is written anew. */
    char *real = realpath(path, NULL);
    if (!real && errno == ENOENT) return kt_fail(error, KT_KEY, "%s: no such key file", path);
    if (!real) return kt_fail_errno(error, errno, "%s: cannot open the key file", path);
    kt_code code = kt_keys_setup(error);
    secrets *held = code ? NULL : sodium_malloc(sizeof *held);
    if (!code && !held) code = no_memory(error);
    if (!code) code = relock(held, real, ask, choose, context, error);
    sodium_free(held);
    free(real);
    return code;
}
