#include "engine/logkey.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/tables.h"
#include "storage/codec.h"
#include "storage/disk.h"
#include "storage/note.h"

#define MESSAGE_MAX 512

/* ---- state ---- */

kt_code kt_log_key_at(kt_txn *txn, uint64_t size, uint8_t out[KT_KEY_SIZE], kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    uint8_t wanted[8];
    kt_put_be64(wanted, size);
    kt_code code = kt_cursor_open(txn, KT_TABLE_LOG_KEYS, &cursor, error);
    if (code != KT_OK) return code;
    code = kt_cursor_seek(cursor, kt_span_of(wanted, sizeof wanted), &key, &value, error);
    if (code == KT_OK) code = kt_cursor_prev(cursor, &key, &value, error); /* it hands over behind this size */
    else if (code == KT_END) code = kt_cursor_last(cursor, &key, &value, error);
    if (code == KT_OK && value.size != KT_KEY_SIZE) code = kt_fail(error, KT_DAMAGED, "a log key's row is malformed");
    if (code == KT_OK) memcpy(out, value.data, KT_KEY_SIZE);
    if (code == KT_END) code = kt_fail(error, KT_DAMAGED, "no log key is on record");
    kt_cursor_close(cursor);
    return code;
}

kt_code kt_log_key_known(kt_txn *txn, const uint8_t key[KT_KEY_SIZE], bool *out, kt_error *error) {
    kt_cursor *cursor;
    kt_span name, value;
    *out = false;
    kt_code code = kt_cursor_open(txn, KT_TABLE_LOG_KEYS, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_first(cursor, &name, &value, error); code == KT_OK;
         code = kt_cursor_next(cursor, &name, &value, error))
        *out = *out || (value.size == KT_KEY_SIZE && memcmp(value.data, key, KT_KEY_SIZE) == 0);
    kt_cursor_close(cursor);
    return code == KT_END ? KT_OK : code;
}

/* Which key it has to be is known when it is read, so each is tried, the newest first. */
kt_code kt_log_checkpoint_open(kt_txn *txn, const char *origin, const char *note, size_t size, kt_checkpoint *out,
                               kt_error *error) {
    kt_cursor *cursor;
    kt_span name, value;
    uint8_t key[KT_KEY_SIZE];
    kt_code opened = KT_KEY, code = kt_cursor_open(txn, KT_TABLE_LOG_KEYS, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_last(cursor, &name, &value, error); code == KT_OK;
         code = kt_cursor_prev(cursor, &name, &value, error)) {
        kt_verifier verifier;
        if (value.size != KT_KEY_SIZE) code = kt_fail(error, KT_DAMAGED, "a log key's row is malformed");
        if (code == KT_OK) code = kt_verifier_make(origin, value.data, &verifier, error);
        if (code != KT_OK) break;
        opened = kt_checkpoint_open(note, size, &verifier, false, out, error);
        if (opened != KT_KEY) break;
    }
    if (code == KT_OK && opened == KT_OK) code = kt_log_key_at(txn, out->size, key, error);
    if (code == KT_OK && opened == KT_OK && memcmp(key, value.data, KT_KEY_SIZE) != 0)
        opened = kt_fail(error, KT_KEY, "the checkpoint is signed by a key of the log that was not its key then");
    kt_cursor_close(cursor);
    return code == KT_OK || code == KT_END ? opened : code;
}

kt_code kt_log_note_by(const uint8_t key[KT_KEY_SIZE], const char *origin, const kt_log_row *row,
                       char note[KT_CHECKPOINT_MAX], size_t *size, kt_error *error) {
    kt_verifier verifier;
    kt_checkpoint checkpoint = {.size = row->size};
    kt_code code = kt_verifier_make(origin, key, &verifier, error);
    if (code != KT_OK) return code;
    memcpy(checkpoint.origin, verifier.name, sizeof checkpoint.origin);
    memcpy(checkpoint.root, row->root, KT_HASH_SIZE);
    size_t length = kt_checkpoint_note(&checkpoint, &verifier, row->signature, note);
    if (size != NULL) *size = length;
    return KT_OK;
}

kt_code kt_log_note(kt_txn *txn, const char *origin, const kt_log_row *row, char note[KT_CHECKPOINT_MAX], size_t *size,
                    kt_error *error) {
    uint8_t key[KT_KEY_SIZE];
    kt_code code = kt_log_key_at(txn, row->size, key, error);
    return code == KT_OK ? kt_log_note_by(key, origin, row, note, size, error) : code;
}

static kt_code put(kt_state *state, uint64_t record, const uint8_t *key, kt_error *error) {
    uint8_t name[8];
    kt_put_be64(name, record);
    return kt_state_put(state, KT_TABLE_LOG_KEYS, kt_span_of(name, sizeof name), kt_span_of(key, KT_KEY_SIZE), error);
}

kt_code kt_log_key_found(kt_state *state, const uint8_t key[KT_KEY_SIZE], kt_error *error) {
    return put(state, 0, key, error);
}

/* ---- the record ---- */

static size_t message_of(const char *origin, const uint8_t *from, const uint8_t *to, char out[MESSAGE_MAX]) {
    char a[2 * KT_KEY_SIZE + 1], b[2 * KT_KEY_SIZE + 1];
    kt_hex_encode(from, KT_KEY_SIZE, a);
    kt_hex_encode(to, KT_KEY_SIZE, b);
    int size = snprintf(out, MESSAGE_MAX, "kontor/log-key/v1\n%s\n%s\n%s\n", origin, a, b);
    return size < 0 || size >= MESSAGE_MAX ? 0 : (size_t)size;
}

static bool take(kt_unpack *unpack, size_t size, const uint8_t **out) {
    size_t found;
    return kt_unpack_bytes(unpack, out, &found) && found == size;
}

kt_code kt_log_handover_read(const char *origin, kt_span body, kt_log_handover *out, kt_error *error) {
    kt_unpack unpack;
    uint32_t count;
    const uint8_t *old_signature, *new_signature;
    char message[MESSAGE_MAX];
    kt_unpack_init(&unpack, body);
    if (!kt_unpack_array(&unpack, &count) || count != 4 || !take(&unpack, KT_KEY_SIZE, &out->from) ||
        !take(&unpack, KT_KEY_SIZE, &out->to) || !take(&unpack, KT_SIGNATURE_SIZE, &old_signature) ||
        !take(&unpack, KT_SIGNATURE_SIZE, &new_signature) || !kt_unpack_done(&unpack))
        return kt_fail(error, KT_DAMAGED, "a record of the log's key is malformed");
    size_t size = message_of(origin, out->from, out->to, message);
    if (!kt_signature_check(out->from, message, size, old_signature) ||
        !kt_signature_check(out->to, message, size, new_signature))
        return kt_fail(error, KT_DAMAGED, "a signature on the change of the log's key does not hold");
    return KT_OK;
}

kt_code kt_log_key_apply(void *self, const kt_record *record, kt_error *error) {
    kt_access *access = self;
    kt_state *state = kt_access_state(access);
    kt_log_handover handover;
    uint8_t now[KT_KEY_SIZE];
    kt_code code = kt_log_handover_read(kt_access_origin(access), record->body, &handover, error);
    if (code == KT_OK) code = kt_log_key_at(kt_state_txn(state), UINT64_MAX, now, error);
    if (code == KT_OK && memcmp(now, handover.from, KT_KEY_SIZE) != 0)
        code = kt_fail(error, KT_DAMAGED, "record %llu changes a log key that is not the log's",
                       (unsigned long long)record->number);
    return code == KT_OK ? put(state, record->number, handover.to, error) : code;
}

kt_code kt_log_key_arrive(void *self, const kt_record *record, kt_error *error) {
    (void)self;
    (void)record;
    return kt_fail(error, KT_UNSUPPORTED, "the log's key is changed where the book is, not from afar");
}

kt_code kt_log_key_record(const char *origin, const kt_signer *from, const kt_signer *to, kt_day date,
                          uint8_t out[KT_LOG_KEY_RECORD_MAX], size_t *size, kt_error *error) {
    char message[MESSAGE_MAX];
    uint8_t signatures[2][KT_SIGNATURE_SIZE];
    kt_pack pack;
    size_t length = message_of(origin, kt_signer_public(from), kt_signer_public(to), message);
    kt_code code = kt_sign(from, message, length, signatures[0], error);
    if (code == KT_OK) code = kt_sign(to, message, length, signatures[1], error);
    if (code != KT_OK) return code;
    kt_pack_init(&pack, out, KT_LOG_KEY_RECORD_MAX);
    kt_pack_envelope(&pack, KT_KIND_LOG_KEY, 1, date);
    kt_pack_array(&pack, 4);
    kt_pack_bytes(&pack, kt_signer_public(from), KT_KEY_SIZE);
    kt_pack_bytes(&pack, kt_signer_public(to), KT_KEY_SIZE);
    kt_pack_bytes(&pack, signatures[0], KT_SIGNATURE_SIZE);
    kt_pack_bytes(&pack, signatures[1], KT_SIGNATURE_SIZE);
    *size = pack.size;
    return KT_OK;
}

/* ---- the files ---- */

struct paths {
    char now[4096], next[4096], actor[4096], old[4096];
};

static kt_code make_paths(const char *directory, const uint8_t *old_key, struct paths *out, kt_error *error) {
    char hex[9];
    kt_hex_encode(old_key, 4, hex);
    int size = snprintf(out->old, sizeof out->old, "%s/keys/log.%s.key", directory, hex);
    if (size < 0 || (size_t)size >= sizeof out->old) return kt_fail(error, KT_USAGE, "%s: path too long", directory);
    (void)snprintf(out->now, sizeof out->now, "%s/keys/log.key", directory);
    (void)snprintf(out->next, sizeof out->next, "%s/keys/log.next", directory);
    (void)snprintf(out->actor, sizeof out->actor, "%s/keys/actor.key", directory);
    return KT_OK;
}

kt_code kt_log_key_install(const char *directory, const uint8_t old_key[KT_KEY_SIZE], kt_error *error) {
    struct paths paths;
    kt_code code = make_paths(directory, old_key, &paths, error);
    if (code != KT_OK) return code;
    const char *kept = access(paths.actor, F_OK) == 0 ? paths.old : paths.actor;
    if (link(paths.now, kept) != 0 && errno != EEXIST) return kt_fail_errno(error, errno, "%s", kept);
    if (rename(paths.next, paths.now) != 0) return kt_fail_errno(error, errno, "%s", paths.next);
    return kt_disk_sync_name(paths.now, error);
}

kt_code kt_log_key_load(const char *directory, const uint8_t key[KT_KEY_SIZE], kt_passphrase_callback ask,
                        void *context, kt_signer **out, kt_error *error) {
    struct paths paths;
    uint8_t found[KT_KEY_SIZE];
    kt_code code = make_paths(directory, key, &paths, error);
    *out = NULL;
    if (code == KT_OK) code = kt_key_load(paths.now, ask, context, out, error);
    if (code != KT_OK || memcmp(kt_signer_public(*out), key, KT_KEY_SIZE) == 0) return code;
    memcpy(found, kt_signer_public(*out), KT_KEY_SIZE);
    kt_signer_close(*out);
    *out = NULL;
    if (access(paths.next, F_OK) == 0) code = kt_key_load(paths.next, ask, context, out, error);
    if (code == KT_OK && *out != NULL && memcmp(kt_signer_public(*out), key, KT_KEY_SIZE) == 0)
        code = kt_log_key_install(directory, found, error);
    else if (code == KT_OK)
        code = kt_fail(error, KT_KEY, "%s: is not this book's log key %02x%02x%02x%02x...", paths.now, key[0], key[1],
                       key[2], key[3]);
    if (code == KT_OK) return KT_OK;
    kt_signer_close(*out);
    *out = NULL;
    return code;
}

/* No copy of a seed is made: the file gets a second name, which becomes its name in the book. */
static kt_code link_next(const struct paths *paths, const char *file, kt_error *error) {
    if (unlink(paths->next) != 0 && errno != ENOENT) return kt_fail_errno(error, errno, "%s", paths->next);
    if (link(file, paths->next) == 0) return kt_disk_sync_name(paths->next, error);
    if (errno == EXDEV)
        return kt_fail(error, KT_USAGE, "%s: lies on another file system than the book: make the key beside it", file);
    return kt_fail_errno(error, errno, "%s", file);
}

void kt_log_key_drop(const char *directory) {
    static const uint8_t none[KT_KEY_SIZE];
    struct paths paths;
    if (make_paths(directory, none, &paths, NULL) == KT_OK) (void)unlink(paths.next);
}

kt_code kt_log_key_prepare(const char *directory, const char *file, kt_passphrase_callback ask, void *context,
                           kt_signer **out, kt_error *error) {
    static const uint8_t none[KT_KEY_SIZE];
    struct paths paths;
    *out = NULL;
    kt_code code = make_paths(directory, none, &paths, error);
    if (code == KT_OK) code = kt_key_load(file, ask, context, out, error);
    if (code == KT_OK) code = link_next(&paths, file, error);
    if (code == KT_OK) return KT_OK;
    kt_signer_close(*out);
    *out = NULL;
    return code;
}
