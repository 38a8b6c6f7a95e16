#include "engine/audit/witness_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "storage/disk.h"
#include "storage/proof.h"

#define FIRST_LINE "kontor-witness-log-v1\n"
#define LOG_MAX (sizeof FIRST_LINE + KT_WITNESS_LOG_KEYS * (KT_VERIFIER_MAX + 8) + KT_NOTE_MAX)

static kt_code path_of(char out[4096], const kt_witness *witness, const char *folder, const char *name,
                       kt_error *error) {
    int size = snprintf(out, 4096, "%s/%s%s", witness->directory, folder, name);
    return size < 0 || size >= 4096 ? kt_fail(error, KT_USAGE, "%s: path too long", witness->directory) : KT_OK;
}

/* ---- the directory ---- */

static kt_code make_folder(const char *directory, const char *name, kt_error *error) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s%s", directory, name) >= (int)sizeof path)
        return kt_fail(error, KT_USAGE, "%s: path too long", directory);
    return mkdir(path, 0700) == 0 ? KT_OK : kt_fail_errno(error, errno, "%s", path);
}

static kt_code make_place(const char *directory, kt_error *error) {
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) return kt_fail_errno(error, errno, "%s", directory);
    DIR *listing = opendir(directory);
    if (listing == NULL) return kt_fail_errno(error, errno, "%s", directory);
    bool empty = true;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    closedir(listing);
    if (!empty) return kt_fail(error, KT_EXISTS, "%s: is there already and is not overwritten", directory);
    return chmod(directory, 0700) == 0 ? KT_OK : kt_fail_errno(error, errno, "%s", directory);
}

/* The verifier's file comes last: what has none is no witness. */
static kt_code fill_place(const char *directory, const char *name, const kt_signer *signer, kt_error *error) {
    char path[4096], text[KT_VERIFIER_MAX + 1];
    kt_verifier verifier;
    kt_code code = kt_verifier_make_as(KT_VERIFIER_WITNESS, name, kt_signer_public(signer), &verifier, error);
    if (code == KT_OK) code = make_place(directory, error);
    if (code == KT_OK && snprintf(path, sizeof path, "%s/witness.key", directory) >= (int)sizeof path)
        code = kt_fail(error, KT_USAGE, "%s: path too long", directory);
    if (code == KT_OK) code = kt_key_save(signer, path, name, NULL, error);
    if (code == KT_OK) code = make_folder(directory, "/logs", error);
    if (code == KT_OK) code = make_folder(directory, "/evidence", error);
    if (code != KT_OK) return code;
    kt_verifier_format(&verifier, text);
    strcat(text, "\n");
    (void)snprintf(path, sizeof path, "%s/lock", directory);
    code = kt_disk_create(path, "", 0, error);
    (void)snprintf(path, sizeof path, "%s/verifier", directory);
    if (code == KT_OK) code = kt_disk_create(path, text, strlen(text), error);
    return code == KT_OK ? kt_disk_sync_name(directory, error) : code;
}

kt_code kt_witness_create(const char *directory, const char *name, const char *log, kt_error *error) {
    kt_signer *signer = NULL;
    kt_verifier verifier;
    kt_witness *witness;
    kt_code code = kt_keys_setup(error);
    /* Before anything is made: what is wrong with the words. */
    if (code == KT_OK && log != NULL) code = kt_verifier_parse(log, strlen(log), &verifier, error);
    if (code == KT_OK) code = kt_signer_generate(&signer, error);
    if (code == KT_OK) code = fill_place(directory, name, signer, error);
    kt_signer_close(signer);
    if (code != KT_OK || log == NULL) return code;
    code = kt_witness_open(directory, NULL, &witness, error);
    if (code == KT_OK) code = kt_witness_add(witness, log, error);
    kt_witness_close(witness);
    return code;
}

static kt_code read_verifier(kt_witness *witness, kt_error *error) {
    char path[4096], *text;
    size_t size;
    kt_code code = path_of(path, witness, "", "verifier", error);
    if (code == KT_OK) code = kt_disk_read(path, KT_VERIFIER_MAX, &text, &size, error);
    if (code == KT_NOT_FOUND) return kt_fail(error, KT_FOREIGN, "%s: no witness there", witness->directory);
    if (code != KT_OK) return code;
    if (size > 0 && text[size - 1] == '\n') size--;
    code = kt_verifier_parse_as(KT_VERIFIER_WITNESS, text, size, &witness->verifier, error);
    free(text);
    if (code != KT_OK) return kt_fail_at(error, KT_DAMAGED, "%s", path);
    kt_verifier_format(&witness->verifier, witness->vkey);
    return KT_OK;
}

static kt_code read_key(kt_witness *witness, kt_error *error) {
    char path[4096];
    kt_code code = path_of(path, witness, "", "witness.key", error);
    if (code == KT_OK) code = kt_key_load(path, NULL, NULL, &witness->signer, error);
    if (code == KT_OK &&
        memcmp(kt_signer_public(witness->signer), witness->verifier.public_key, KT_PUBLIC_KEY_SIZE) != 0)
        code = kt_fail(error, KT_DAMAGED, "%s: not the key of the verifier beside it", path);
    if (code == KT_OK) code = path_of(path, witness, "", "lock", error);
    if (code == KT_OK && (witness->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
        code = kt_fail_errno(error, errno, "%s", path);
    return code;
}

static int64_t system_clock(void *context) {
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

kt_code kt_witness_open(const char *directory, const kt_witness_options *options, kt_witness **out, kt_error *error) {
    kt_witness *witness = calloc(1, sizeof *witness);
    *out = NULL;
    if (witness == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    witness->lock = -1;
    if (options != NULL) witness->options = *options;
    if (witness->options.clock_us == NULL) witness->options.clock_us = system_clock;
    witness->directory = strdup(directory);
    kt_code code = witness->directory == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : kt_keys_setup(error);
    if (code == KT_OK) code = read_verifier(witness, error);
    if (code == KT_OK) code = read_key(witness, error);
    if (code != KT_OK) kt_witness_close(witness);
    else *out = witness;
    return code;
}

void kt_witness_close(kt_witness *witness) {
    if (witness == NULL) return;
    if (witness->lock >= 0) close(witness->lock);
    kt_signer_close(witness->signer);
    free(witness->directory);
    free(witness);
}

const char *kt_witness_verifier(const kt_witness *witness) { return witness->vkey; }

kt_code kt_witness_lock(kt_witness *witness, kt_error *error) {
    while (flock(witness->lock, LOCK_EX) != 0)
        if (errno != EINTR) return kt_fail_errno(error, errno, "%s/lock", witness->directory);
    return KT_OK;
}

void kt_witness_unlock(kt_witness *witness) { (void)flock(witness->lock, LOCK_UN); }

/* ---- a log's file ---- */

static void hash_of(const char *origin, char out[2 * KT_HASH_SIZE + 1]) {
    uint8_t hash[KT_HASH_SIZE];
    kt_sha256_of(origin, strlen(origin), hash);
    kt_hex_encode(hash, sizeof hash, out);
}

/* The lines of keys, to the empty line. */
static bool read_keys(kt_witness_state *state, const char **at, const char *end) {
    for (;;) {
        const char *line = *at, *feed = line == end ? NULL : memchr(line, '\n', (size_t)(end - line));
        if (feed == NULL) return false;
        *at = feed + 1;
        if (feed == line) return state->key_count > 0;
        if (state->key_count == KT_WITNESS_LOG_KEYS || feed - line < 4 || memcmp(line, "log ", 4) != 0 ||
            kt_verifier_parse(line + 4, (size_t)(feed - line) - 4, &state->keys[state->key_count], NULL) != KT_OK ||
            strcmp(state->keys[state->key_count].name, state->keys[0].name) != 0)
            return false;
        state->key_count++;
    }
}

static kt_code read_state(const kt_witness *witness, kt_witness_state *out, const char *path, kt_error *error) {
    size_t size;
    kt_note note;
    kt_code code = kt_disk_read(path, LOG_MAX, &out->text, &size, error);
    if (code != KT_OK) return code;
    const char *at = out->text, *end = out->text + size;
    char named[sizeof out->hash];
    bool good = size >= strlen(FIRST_LINE) && memcmp(at, FIRST_LINE, strlen(FIRST_LINE)) == 0;
    if (good) at += strlen(FIRST_LINE);
    good = good && read_keys(out, &at, end);
    if (good) hash_of(out->keys[0].name, named);
    if (!good || strcmp(named, out->hash) != 0)
        return kt_fail(error, KT_DAMAGED, "%s: not the file of a log that this witness wrote", path);
    if (at == end) return KT_OK;
    out->note = at;
    out->note_size = (size_t)(end - at);
    code = kt_note_cut(at, out->note_size, &note, error);
    if (code == KT_OK) code = kt_note_check(&note, &witness->verifier, &out->time, error);
    if (code == KT_OK) code = kt_witness_state_check(out, &note, error);
    if (code == KT_OK) code = kt_checkpoint_read(&note, &out->last, error);
    if (code == KT_OK && strcmp(out->last.origin, out->keys[0].name) != 0)
        code = kt_fail(error, KT_DAMAGED, "the checkpoint of another log");
    return code == KT_OK ? KT_OK : kt_fail_at(error, code == KT_MEMORY ? code : KT_DAMAGED, "%s", path);
}

static kt_code read_named(const kt_witness *witness, kt_witness_state *out, kt_error *error) {
    char path[4096];
    kt_code code = path_of(path, witness, "logs/", out->hash, error);
    return code == KT_OK ? read_state(witness, out, path, error) : code;
}

kt_code kt_witness_state_read(const kt_witness *witness, const char *origin, kt_witness_state *out, kt_error *error) {
    memset(out, 0, sizeof *out);
    hash_of(origin, out->hash);
    kt_code code = read_named(witness, out, error);
    if (code == KT_NOT_FOUND) return kt_fail(error, KT_UNKNOWN, "this witness was told of no log %s", origin);
    return code;
}

void kt_witness_state_release(kt_witness_state *state) {
    free(state->text);
    state->text = NULL;
}

kt_code kt_witness_state_write(const kt_witness *witness, const kt_witness_state *state, const char *note, size_t size,
                               kt_error *error) {
    char path[4096], *text = malloc(LOG_MAX), *at = text;
    if (text == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    if (note == NULL) {
        note = state->note;
        size = state->note_size;
    }
    at += sprintf(at, FIRST_LINE);
    for (size_t i = 0; i < state->key_count; i++) {
        char vkey[KT_VERIFIER_MAX];
        kt_verifier_format(&state->keys[i], vkey);
        at += sprintf(at, "log %s\n", vkey);
    }
    *at++ = '\n';
    if (note != NULL) memcpy(at, note, size);
    kt_code code = path_of(path, witness, "logs/", state->hash, error);
    if (code == KT_OK) code = kt_disk_replace(path, text, (size_t)(at - text) + size, error);
    free(text);
    return code;
}

kt_code kt_witness_state_check(const kt_witness_state *state, const kt_note *note, kt_error *error) {
    kt_code code = KT_KEY;
    for (size_t i = 0; i < state->key_count && code == KT_KEY; i++)
        code = kt_note_check(note, &state->keys[i], NULL, error);
    /* Nobody's key is missing: it is not signed as this log signs. */
    return code == KT_KEY ? kt_fail_at(error, KT_FOREIGN, "the checkpoint") : code;
}

/* ---- logs ---- */

kt_code kt_witness_add(kt_witness *witness, const char *log, kt_error *error) {
    kt_witness_state state;
    kt_verifier key;
    kt_code code = kt_verifier_parse(log, strlen(log), &key, error);
    if (code != KT_OK) return code;
    if (memcmp(key.public_key, witness->verifier.public_key, KT_PUBLIC_KEY_SIZE) == 0)
        return kt_fail(error, KT_INVALID, "log %s: its key is this witness's own", key.name);
    code = kt_witness_lock(witness, error);
    if (code != KT_OK) return code;
    code = kt_witness_state_read(witness, key.name, &state, error);
    if (code == KT_UNKNOWN) code = KT_OK;
    bool known = false;
    for (size_t i = 0; i < state.key_count; i++)
        known = known || memcmp(state.keys[i].public_key, key.public_key, KT_PUBLIC_KEY_SIZE) == 0;
    if (code == KT_OK && !known && state.key_count == KT_WITNESS_LOG_KEYS)
        code = kt_fail(error, KT_LIMIT, "log %s: has %d keys, and no more are kept", key.name, KT_WITNESS_LOG_KEYS);
    if (code == KT_OK && !known) {
        state.keys[state.key_count++] = key;
        code = kt_witness_state_write(witness, &state, NULL, 0, error);
    }
    kt_witness_state_release(&state);
    kt_witness_unlock(witness);
    return code;
}

static int only_hashes(const struct dirent *entry) {
    return strlen(entry->d_name) == (size_t)2 * KT_HASH_SIZE && entry->d_name[0] != '.';
}

kt_code kt_witness_logs(kt_witness *witness,
                        kt_code (*found)(void *context, const kt_witness_log *log, kt_error *error), void *context,
                        kt_error *error) {
    char path[4096];
    struct dirent **names = NULL;
    kt_code code = path_of(path, witness, "logs", "", error);
    if (code != KT_OK) return code;
    int count = scandir(path, &names, only_hashes, alphasort);
    if (count < 0) return kt_fail_errno(error, errno, "%s", path);
    for (int i = 0; i < count; i++) {
        kt_witness_state state = {.key_count = 0};
        char vkey[KT_VERIFIER_MAX];
        if (code == KT_OK) {
            memcpy(state.hash, names[i]->d_name, sizeof state.hash);
            code = read_named(witness, &state, error);
        }
        kt_witness_log log = {.size = state.last.size, .time_us = (int64_t)state.time * 1000000};
        if (code == KT_OK) code = kt_witness_count_evidence(witness, state.hash, &log.evidence, error);
        if (code == KT_OK) {
            kt_verifier_format(&state.keys[state.key_count - 1], vkey);
            log.origin = state.keys[0].name;
            log.verifier = vkey;
            code = found(context, &log, error);
        }
        kt_witness_state_release(&state);
        free(names[i]);
    }
    free(names);
    return code;
}

/* ---- evidence ---- */

static const char *const sort_names[KT_EVIDENCE_SORTS] = {"fork", "unproved", "behind"};

#define HASH_SHOWN 16 /* characters, of a log's hash in the names of its evidence */

static kt_code count_files(const kt_witness *witness, const char *prefix, uint64_t *count, kt_error *error) {
    char path[4096];
    kt_code code = path_of(path, witness, "evidence", "", error);
    if (code != KT_OK) return code;
    DIR *listing = opendir(path);
    if (listing == NULL) return kt_fail_errno(error, errno, "%s", path);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        *count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    closedir(listing);
    return KT_OK;
}

static void prefix_of(kt_evidence sort, const char *hash, char out[64]) {
    (void)snprintf(out, 64, "%s-%.*s-", sort_names[sort], HASH_SHOWN, hash);
}

kt_code kt_witness_count_evidence(const kt_witness *witness, const char *hash, uint64_t *count, kt_error *error) {
    kt_code code = KT_OK;
    *count = 0;
    for (kt_evidence sort = 0; sort < KT_EVIDENCE_SORTS && code == KT_OK; sort++) {
        char prefix[64];
        prefix_of(sort, hash, prefix);
        code = count_files(witness, prefix, count, error);
    }
    return code;
}

kt_code kt_witness_keep_evidence(const kt_witness *witness, const kt_witness_state *state, kt_evidence sort,
                                 const char *note, size_t size, const uint8_t *hashes, size_t count, char path[4096],
                                 kt_error *error) {
    kt_proof proof = {.consistency = true,
                      .count = count,
                      .note = note,
                      .note_size = size,
                      .older = state->note,
                      .older_size = state->note_size};
    char prefix[64], name[160], hex[2 * KT_HASH_SIZE + 1], *text = NULL;
    uint64_t kept = 0;
    kt_note parts;
    uint8_t hash[KT_HASH_SIZE];
    path[0] = 0;
    memcpy(proof.hashes, hashes, count * KT_HASH_SIZE);
    prefix_of(sort, state->hash, prefix);
    kt_code code = kt_note_cut(note, size, &parts, error);
    if (code == KT_OK) code = count_files(witness, prefix, &kept, error);
    if (code != KT_OK || kept >= KT_EVIDENCE_MOST) return code;
    /* By the text that was signed: no more files than the owner signed checkpoints, however often they are sent. */
    kt_sha256_of(parts.text, parts.text_size, hash);
    kt_hex_encode(hash, sizeof hash, hex);
    (void)snprintf(name, sizeof name, "%s%s.proof", prefix, hex);
    code = path_of(path, witness, "evidence/", name, error);
    if (code == KT_OK) code = kt_proof_format(&proof, &text, &size, error);
    if (code == KT_OK) code = kt_disk_create(path, text, size, error);
    free(text);
    if (code != KT_OK && code != KT_EXISTS) path[0] = 0;
    return code == KT_EXISTS ? KT_OK : code;
}
