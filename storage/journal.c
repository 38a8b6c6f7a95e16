#include "storage/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "storage/codec.h"
#include "storage/hasher.h"

#define PIECE_BLOCKS 24u /* blocks of one transaction: bounds its memory */

struct kt_journal {
    kt_store *store;
    kt_journal_options options;
    int lock;
    kt_txn *txn; /* NULL: no batch open */
    kt_log_head head;
    kt_hasher *hasher;
    uint64_t first, next; /* of the batch; the next record */
    uint64_t epoch;       /* this writer's; 0: has sealed nothing yet */
    unsigned blocks;      /* in this transaction */
    bool pending;         /* pieces are committed above the head */
    bool discards;        /* the batch is only tried */
    /* The block being filled. */
    uint32_t count, bytes;
    uint16_t lengths[KT_BLOCK_RECORDS];
    uint8_t *data;
};

static kt_span pending_key(void) { return kt_span_of("pending", 7); }

kt_code kt_journal_open(kt_store *store, const kt_journal_options *options, kt_journal **out, kt_error *error) {
    char path[4096];
    *out = NULL;
    int length = snprintf(path, sizeof path, "%s/writer.lock", options->directory);
    if (length < 0 || (size_t)length >= sizeof path)
        return kt_fail(error, KT_USAGE, "%s: path too long", options->directory);
    kt_journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    journal->store = store;
    journal->options = *options;
    journal->data = malloc(KT_BLOCK_BYTES);
    journal->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    kt_code code = kt_hasher_open(options->single_thread, &journal->hasher, error);
    if (code == KT_OK && journal->data == NULL) code = kt_fail(error, KT_MEMORY, "out of memory");
    else if (code == KT_OK && journal->lock < 0) code = kt_fail_errno(error, errno, "%s", path);
    if (code != KT_OK) kt_journal_close(journal);
    else *out = journal;
    return code;
}

void kt_journal_close(kt_journal *journal) {
    if (journal == NULL) return;
    kt_journal_abort(journal);
    if (journal->lock >= 0) close(journal->lock);
    kt_hasher_close(journal->hasher);
    free(journal->data);
    free(journal);
}

kt_txn *kt_journal_txn(kt_journal *journal) { return journal->txn; }
const kt_log_head *kt_journal_head(const kt_journal *journal) { return &journal->head; }
uint64_t kt_journal_next(const kt_journal *journal) { return journal->next; }

static kt_code take_lock(kt_journal *journal, bool no_wait, kt_error *error) {
    while (flock(journal->lock, LOCK_EX | (no_wait ? LOCK_NB : 0)) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK)
            return kt_fail(error, KT_BUSY, "%s: another writer has its turn", journal->options.directory);
        return kt_fail_errno(error, errno, "%s/writer.lock", journal->options.directory);
    }
    return KT_OK;
}

/* Deletes the rows of a table from one key up to, and without, another. */
static kt_code drop_rows(kt_txn *txn, kt_table table, kt_span from, kt_span to, kt_error *error) {
    kt_span key, value;
    kt_cursor *cursor;
    kt_code code = kt_cursor_open(txn, table, &cursor, error);
    if (code != KT_OK) return code;
    kt_cursor_raw(cursor, true); /* damaged or not, it goes */
    do {
        code = kt_cursor_seek(cursor, from, &key, &value, error);
        if (code == KT_OK) code = kt_span_compare(key, to) < 0 ? kt_cursor_delete(cursor, error) : KT_END;
    } while (code == KT_OK);
    kt_cursor_close(cursor);
    return code == KT_END ? KT_OK : code;
}

/* Blocks that begin at or above the head, and the roots of tiles that the head does not fill. */
static kt_code drop_above(kt_txn *txn, uint64_t size, kt_error *error) {
    static const uint8_t above_all[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                                          255, 255, 255, 255, 255, 255, 255, 255};
    uint8_t from[9], to[1];
    kt_put_be64(from, size);
    kt_code code = drop_rows(txn, KT_TABLE_BLOCKS, kt_span_of(from, 8), kt_span_of(above_all, sizeof above_all), error);
    for (unsigned level = 0; level < KT_TREE_LEVELS / 8 - 1 && code == KT_OK; level++) {
        from[0] = (uint8_t)level;
        to[0] = (uint8_t)(level + 1);
        kt_put_be64(from + 1, size >> (8 * (level + 1)));
        code = drop_rows(txn, KT_TABLE_TILES, kt_span_of(from, sizeof from), kt_span_of(to, sizeof to), error);
    }
    return code;
}

/* J2: drops what lies above the head and lets the engine do likewise, in the open transaction. */
static kt_code drop_pending(kt_journal *journal, kt_error *error) {
    kt_span value;
    uint64_t size = journal->head.tree.size;
    kt_code code = kt_txn_get(journal->txn, KT_TABLE_META, pending_key(), &value, error);
    if (code == KT_NOT_FOUND) return KT_OK;
    if (code == KT_OK) code = drop_above(journal->txn, size, error);
    if (code != KT_OK) return code;
    code = KT_OK;
    if (journal->options.recover != NULL)
        code = journal->options.recover(journal->options.context, journal->txn, size, error);
    if (code == KT_OK) code = kt_txn_delete(journal->txn, KT_TABLE_META, pending_key(), error);
    if (code != KT_OK) return code;
    kt_txn *txn = journal->txn;
    journal->txn = NULL;
    code = kt_txn_commit(txn, error);
    return code == KT_OK ? kt_txn_begin(journal->store, true, &journal->txn, error) : code;
}

static void start_block(kt_journal *journal) {
    journal->count = journal->bytes = 0;
    kt_hasher_block(journal->hasher, journal->next, journal->data, journal->lengths);
}

kt_code kt_journal_begin(kt_journal *journal, bool no_wait, kt_error *error) {
    kt_code code = take_lock(journal, no_wait, error);
    if (code != KT_OK) return code;
    code = kt_txn_begin(journal->store, true, &journal->txn, error);
    if (code == KT_OK) code = kt_log_head_read(journal->txn, &journal->head, error);
    if (code == KT_OK) code = drop_pending(journal, error);
    if (code != KT_OK) {
        kt_journal_abort(journal);
        return code;
    }
    journal->first = journal->next = journal->head.tree.size;
    kt_hasher_begin(journal->hasher, &journal->head.tree);
    journal->blocks = 0;
    journal->pending = journal->discards = false;
    start_block(journal);
    return KT_OK;
}

void kt_journal_discard(kt_journal *journal) { journal->discards = true; }

void kt_journal_abort(kt_journal *journal) {
    kt_txn_abort(journal->txn);
    journal->txn = NULL;
    if (journal->pending) { /* best effort: if the disk is full, the next writer does it */
        journal->pending = false;
        if (kt_txn_begin(journal->store, true, &journal->txn, NULL) == KT_OK && drop_pending(journal, NULL) != KT_OK) {
            /* left above the head, where nothing reads */
        }
        kt_txn_abort(journal->txn);
        journal->txn = NULL;
    }
    if (journal->lock >= 0) flock(journal->lock, LOCK_UN);
}

kt_code kt_journal_recover(kt_journal *journal, kt_error *error) {
    kt_txn *txn;
    kt_span value;
    kt_code code = kt_txn_begin(journal->store, false, &txn, error);
    if (code != KT_OK) return code;
    code = kt_txn_get(txn, KT_TABLE_META, pending_key(), &value, error);
    kt_txn_abort(txn);
    if (code == KT_NOT_FOUND) return KT_OK;
    if (code == KT_OK) code = kt_journal_begin(journal, true, error);
    if (code == KT_BUSY) return KT_OK; /* somebody is writing it right now */
    kt_journal_abort(journal);
    return code;
}

/* ---- filling blocks ---- */

/* Hashes what was appended since the last call, and stores the roots of the tiles that it completed. */
static kt_code hash_new(kt_journal *journal, kt_error *error) {
    uint32_t count;
    kt_code code = KT_OK;
    kt_hasher_finish(journal->hasher, journal->count);
    const kt_tile_root *tiles = kt_hasher_take_tiles(journal->hasher, &count);
    for (uint32_t i = 0; i < count && code == KT_OK; i++) {
        uint8_t key[9];
        key[0] = tiles[i].level;
        kt_put_be64(key + 1, tiles[i].index);
        code = kt_txn_put(journal->txn, KT_TABLE_TILES, kt_span_of(key, sizeof key),
                          kt_span_of(tiles[i].root, KT_HASH_SIZE), error);
    }
    return code;
}

static kt_code write_block(kt_journal *journal, kt_error *error) {
    if (journal->count == 0) return KT_OK;
    uint64_t first = journal->next - journal->count;
    uint8_t key[8], *room;
    if (journal->discards) {
        start_block(journal);
        if (journal->options.dropped != NULL) journal->options.dropped(journal->options.context);
        return KT_OK;
    }
    kt_code code = hash_new(journal, error);
    if (code != KT_OK) return code;
    kt_put_be64(key, first);
    code = kt_txn_append_room(journal->txn, KT_TABLE_BLOCKS, kt_span_of(key, sizeof key),
                              kt_block_size(journal->count, journal->bytes), &room, error);
    if (code != KT_OK) return code;
    kt_block_write(KT_TABLE_BLOCKS, first, journal->count, journal->lengths, kt_hasher_crcs(journal->hasher),
                   journal->data, journal->bytes, room);
    uint32_t count = journal->count;
    start_block(journal);
    journal->blocks++;
    return journal->options.block == NULL ? KT_OK
                                          : journal->options.block(journal->options.context, first, count, error);
}

/* J2: commits a piece above the head and goes on in a new transaction. */
static kt_code commit_piece(kt_journal *journal, kt_error *error) {
    uint8_t size[8];
    kt_put_le64(size, journal->head.tree.size);
    kt_code code = kt_txn_put(journal->txn, KT_TABLE_META, pending_key(), kt_span_of(size, sizeof size), error);
    if (code == KT_OK && journal->options.piece != NULL) code = journal->options.piece(journal->options.context, error);
    if (code != KT_OK) return code;
    kt_txn *txn = journal->txn;
    journal->txn = NULL;
    journal->pending = true;
    code = kt_txn_commit(txn, error);
    if (code == KT_OK) code = kt_txn_begin(journal->store, true, &journal->txn, error);
    journal->blocks = 0;
    if (code == KT_OK && journal->options.renewed != NULL)
        journal->options.renewed(journal->options.context, journal->txn);
    return code;
}

kt_code kt_journal_room(kt_journal *journal, size_t most, uint8_t **room, kt_error *error) {
    if (journal->count == KT_BLOCK_RECORDS || journal->bytes + most > KT_BLOCK_BYTES) {
        kt_code code = write_block(journal, error);
        bool full = journal->blocks >= PIECE_BLOCKS ||
                    (journal->options.full != NULL && journal->options.full(journal->options.context));
        if (code == KT_OK && full && !journal->discards) code = commit_piece(journal, error);
        if (code != KT_OK) return code;
    }
    *room = journal->data + journal->bytes;
    return KT_OK;
}

void kt_journal_take(kt_journal *journal, size_t size) {
    journal->lengths[journal->count++] = (uint16_t)size;
    journal->bytes += (uint32_t)size;
    journal->next++;
    if (!journal->discards) kt_hasher_offer(journal->hasher, journal->count);
}

static kt_code append_small(kt_journal *journal, kt_span record, kt_error *error) {
    uint8_t *room;
    kt_code code = kt_journal_room(journal, record.size, &room, error);
    if (code != KT_OK) return code;
    memcpy(room, record.data, record.size);
    kt_journal_take(journal, record.size);
    return KT_OK;
}

static kt_code append_part(kt_journal *journal, int32_t date, kt_span slice, uint8_t hash[KT_HASH_SIZE],
                           kt_error *error) {
    uint8_t *room;
    kt_pack pack;
    kt_code code = kt_journal_room(journal, KT_RECORD_MAX, &room, error);
    if (code != KT_OK) return code;
    kt_pack_init(&pack, room, KT_RECORD_MAX);
    kt_pack_envelope(&pack, KT_KIND_PART, 1, date);
    kt_pack_bytes(&pack, slice.data, slice.size);
    kt_leaf_hash(room, pack.size, hash);
    kt_journal_take(journal, pack.size);
    return KT_OK;
}

kt_code kt_journal_append(kt_journal *journal, kt_span record, uint64_t *number, kt_error *error) {
    kt_envelope envelope;
    kt_code code = KT_OK;
    if (record.size <= KT_RECORD_MAX) {
        code = append_small(journal, record, error);
        *number = journal->next - 1;
        return code;
    }
    if (record.size > KT_WHOLE_MAX)
        return kt_fail(error, KT_LIMIT, "a record of %zu bytes, at most %u are kept", record.size, KT_WHOLE_MAX);
    code = kt_envelope_read(record, &envelope, error);
    if (code != KT_OK) return code;
    size_t parts = (envelope.body.size + KT_PART_BODY - 1) / KT_PART_BODY;
    uint8_t *hashes = malloc(parts * KT_HASH_SIZE), *room;
    if (hashes == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    for (size_t i = 0; i < parts && code == KT_OK; i++) {
        size_t from = i * KT_PART_BODY, left = envelope.body.size - from;
        code = append_part(journal, envelope.date,
                           kt_span_of(envelope.body.data + from, left < KT_PART_BODY ? left : KT_PART_BODY),
                           hashes + i * KT_HASH_SIZE, error);
    }
    if (code == KT_OK) code = kt_journal_room(journal, KT_RECORD_MAX, &room, error);
    if (code == KT_OK) {
        kt_pack pack;
        kt_pack_init(&pack, room, KT_RECORD_MAX);
        kt_pack_envelope(&pack, KT_KIND_LONG, 1, envelope.date);
        kt_pack_array(&pack, 4);
        kt_pack_uint(&pack, envelope.kind);
        kt_pack_uint(&pack, envelope.kind_version);
        kt_pack_uint(&pack, envelope.body.size);
        kt_pack_bytes(&pack, hashes, parts * KT_HASH_SIZE);
        kt_journal_take(journal, pack.size);
        *number = journal->next - 1;
    }
    free(hashes);
    return code;
}

/* ---- sealing ---- */

/* J5. */
static void set_time(kt_journal *journal, kt_seal *seal) {
    int64_t now = journal->options.clock_us(journal->options.clock_context);
    seal->clock_behind = now < journal->head.recorded_us;
    seal->recorded_us = seal->clock_behind ? journal->head.recorded_us : now;
}

static kt_code append_seal(kt_journal *journal, const kt_seal_input *input, kt_seal *seal, kt_error *error) {
    char message[KT_SEAL_MESSAGE_MAX];
    uint8_t *room;
    if (input->id.size == 0 || input->id.size > KT_SEAL_ID_MAX) /* no reader would take the seal */
        return kt_fail(error, KT_USAGE, "a batch id has %zu bytes, expected 1 to %d", input->id.size, KT_SEAL_ID_MAX);
    kt_code code = kt_journal_room(journal, KT_SEAL_RECORD_MAX, &room, error);
    if (code == KT_OK) code = hash_new(journal, error);
    if (code != KT_OK) return code;
    /* A writer that finds another's epoch at the head comes after him. */
    if (journal->epoch == 0 || journal->epoch != journal->head.epoch) journal->epoch = journal->head.epoch + 1;
    *seal = (kt_seal){.id = input->id,
                      .count = journal->next - journal->first,
                      .has_input = input->has_input,
                      .read = input->read,
                      .posted = input->posted,
                      .rejected = input->rejected,
                      .epoch = journal->epoch};
    memcpy(seal->actor, kt_signer_public(input->actor), sizeof seal->actor);
    memcpy(seal->input, input->input, sizeof seal->input);
    kt_content_final(kt_hasher_content(journal->hasher), seal->content);
    set_time(journal, seal);
    size_t size = kt_seal_message(journal->options.origin, seal, message);
    kt_sign(input->actor, message, size, seal->signature);
    kt_journal_take(journal, kt_seal_write(seal, kt_seal_date(seal->recorded_us), room));
    return KT_OK;
}

/* LAW 6: the head moves with a signed checkpoint, in the transaction that holds all it covers. */
static kt_code move_head(kt_journal *journal, const kt_seal *seal, const kt_signer *log, kt_log_head *head,
                         kt_error *error) {
    *head = (kt_log_head){.batches = journal->head.batches + 1,
                          .recorded_us = seal->recorded_us,
                          .epoch = seal->epoch,
                          .tree = *kt_hasher_tree(journal->hasher)};
    kt_checkpoint checkpoint = {.size = head->tree.size};
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", journal->options.origin);
    kt_tree_root(&head->tree, head->root);
    memcpy(checkpoint.root, head->root, sizeof head->root);
    kt_checkpoint_sign(&checkpoint, log, head->signature);
    kt_code code = kt_log_head_write(journal->txn, head, error);
    if (code != KT_OK || !journal->pending) return code;
    code = kt_txn_clear(journal->txn, KT_TABLE_UNDO, error);
    return code == KT_OK ? kt_txn_delete(journal->txn, KT_TABLE_META, pending_key(), error) : code;
}

kt_code kt_journal_seal(kt_journal *journal, const kt_seal_input *input, kt_seal *seal, kt_log_head *head,
                        kt_error *error) {
    kt_code code = journal->discards ? kt_fail(error, KT_USAGE, "a batch that is only tried cannot be sealed")
                                     : append_seal(journal, input, seal, error);
    if (code == KT_OK && journal->options.sealed != NULL)
        code = journal->options.sealed(journal->options.context, seal, journal->next - 1, error);
    if (code == KT_OK) code = write_block(journal, error);
    if (code == KT_OK && journal->options.flush != NULL) code = journal->options.flush(journal->options.context, error);
    if (code == KT_OK) code = move_head(journal, seal, input->log, head, error);
    if (code == KT_OK) {
        kt_txn *txn = journal->txn;
        journal->txn = NULL;
        code = kt_txn_commit(txn, error); /* LAW 3 */
        if (code == KT_OK) journal->pending = false;
    }
    kt_journal_abort(journal); /* gives the turn back; drops everything after a failure */
    return code;
}

kt_code kt_journal_commit_state(kt_journal *journal, kt_error *error) {
    kt_txn *txn = journal->txn;
    journal->txn = NULL;
    kt_code code = kt_txn_commit(txn, error);
    kt_journal_abort(journal);
    return code;
}
