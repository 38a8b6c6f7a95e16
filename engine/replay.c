#include "engine/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/tables.h"
#include "storage/codec.h"
#include "storage/run.h"

#define COMMIT_BLOCKS 64u

struct kt_replay {
    const kt_registry *registry;
    kt_txn *source;
    kt_records *records;
    kt_store *target;
    kt_txn *txn;
    kt_fold *fold;
    uint64_t next, end;
    kt_span record; /* read last */
    uint64_t block_first;
    uint32_t block_count;
    bool sealed;        /* the record read last was a seal */
    uint32_t unclaimed; /* parts since the last record that was none */
    unsigned blocks;
};

kt_code kt_replay_open(const kt_registry *registry, kt_txn *source, uint64_t end, kt_store *target, kt_replay **out,
                       kt_error *error) {
    kt_replay *replay = calloc(1, sizeof *replay);
    *out = NULL;
    if (replay == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    replay->registry = registry;
    replay->source = source;
    replay->target = target;
    replay->end = end;
    kt_code code = kt_records_open(source, end, &replay->records, error);
    if (code == KT_OK) code = kt_fold_open(registry, &replay->fold, error);
    if (code == KT_OK) code = kt_txn_begin(target, true, &replay->txn, error);
    if (code == KT_OK) {
        kt_fold_bind(replay->fold, replay->txn);
        *out = replay;
    } else kt_replay_close(replay);
    return code;
}

void kt_replay_close(kt_replay *replay) {
    if (replay == NULL) return;
    kt_fold_close(replay->fold);
    kt_txn_abort(replay->txn);
    kt_records_close(replay->records);
    free(replay);
}

kt_code kt_replay_next(kt_replay *replay, uint64_t *number, kt_span *record, kt_error *error) {
    if (replay->next == replay->end) return KT_END;
    *number = replay->next;
    kt_code code = kt_records_read(replay->records, replay->next, record, error);
    if (code == KT_OK && replay->next - replay->block_first >= replay->block_count)
        code = kt_records_block(replay->records, replay->next, &replay->block_first, &replay->block_count, error);
    if (code != KT_OK) return code;
    replay->record = *record;
    replay->next++;
    return KT_OK;
}

void kt_replay_skip(kt_replay *replay) {
    if (replay->next < replay->end) replay->next++;
}

/* In pieces, so that the memory of a transaction stays bounded. */
static kt_code commit(kt_replay *replay, kt_error *error) {
    kt_txn *txn = replay->txn;
    replay->txn = NULL;
    replay->blocks = 0;
    kt_code code = kt_txn_commit(txn, error);
    if (code == KT_OK) code = kt_txn_begin(replay->target, true, &replay->txn, error);
    if (code == KT_OK) kt_fold_bind(replay->fold, replay->txn);
    return code;
}

static kt_code end_block(kt_replay *replay, kt_error *error) {
    kt_fold *fold = replay->fold;
    kt_state *state = kt_fold_state(fold);
    kt_code code = replay->sealed ? kt_fold_flush(fold, error) : KT_OK;
    kt_fold_turn(fold);
    if (code == KT_OK) code = kt_fold_block(fold, replay->txn, replay->block_first, replay->block_count, error);
    if (code == KT_OK && replay->sealed) code = kt_fold_head(fold, replay->txn, error);
    if (code == KT_OK && replay->sealed) code = kt_state_flush(state, KT_STATE_ALL, error);
    if (code != KT_OK) return code;
    uint64_t full = kt_state_full(state, kt_registry_spills(replay->registry));
    if (full != 0) code = kt_state_flush(state, full, error);
    return code == KT_OK && (++replay->blocks >= COMMIT_BLOCKS || full != 0) ? commit(replay, error) : code;
}

/* Parts stand before the long record that lists them, and nowhere else: no signed byte is left unread. */
static kt_code claim_parts(kt_replay *replay, const kt_envelope *envelope, kt_error *error) {
    kt_long whole = {0};
    kt_code code = KT_OK;
    if (envelope->kind == KT_KIND_PART) {
        replay->unclaimed++;
        return KT_OK;
    }
    if (envelope->kind == KT_KIND_LONG) code = kt_long_read(envelope->body, &whole, error);
    if (code == KT_OK && whole.parts != replay->unclaimed)
        code = kt_fail(error, KT_DAMAGED, "%u parts stand before it, it lists %u", replay->unclaimed, whole.parts);
    replay->unclaimed = 0;
    return code;
}

static kt_code apply(kt_replay *replay, uint64_t number, kt_error *error) {
    kt_envelope envelope;
    kt_genesis genesis;
    kt_span whole = replay->record;
    kt_code code = kt_envelope_open(whole, &envelope, error); /* what it holds is checked by whoever applies it */
    if (code != KT_OK) return code;
    replay->sealed = envelope.kind == KT_KIND_SEAL;
    code = claim_parts(replay, &envelope, error);
    if (code != KT_OK || envelope.kind == KT_KIND_PART) return code;
    if (envelope.kind == KT_KIND_GENESIS) {
        if (number != 0)
            return kt_fail(error, KT_DAMAGED, "record %llu is a second genesis", (unsigned long long)number);
        code = kt_genesis_read(whole, &genesis, error);
        return code == KT_OK ? kt_fold_genesis_apply(replay->fold, &genesis, error) : code;
    }
    if (envelope.kind == KT_KIND_LONG) {
        code = kt_records_read_whole(replay->records, number, &whole, NULL, error);
        if (code == KT_OK) code = kt_envelope_open(whole, &envelope, error);
        if (code != KT_OK) return code;
    }
    kt_record record = {number, envelope.kind, envelope.kind_version, envelope.date, envelope.body};
    return kt_fold_apply(replay->fold, &record, error);
}

kt_code kt_replay_apply(kt_replay *replay, kt_error *error) {
    uint64_t number = replay->next - 1;
    kt_code code = apply(replay, number, error);
    if (code != KT_OK) return kt_fail_at(error, code, "record %llu", (unsigned long long)number);
    return number == replay->block_first + replay->block_count - 1 ? end_block(replay, error) : KT_OK;
}

/* A batch is being written in pieces, or was broken off. */
static bool is_pending(kt_txn *stored, kt_code *code, kt_error *error) {
    kt_span mark;
    *code = kt_txn_get(stored, KT_TABLE_META, kt_span_of("pending", 7), &mark, error);
    bool found = *code == KT_OK;
    if (*code == KT_NOT_FOUND) *code = KT_OK;
    return found;
}

/* What an unfinished batch replaced in the source's state is kept beside the fresh one, for the comparison. */
kt_code kt_replay_finish(kt_replay *replay, kt_error *error) {
    kt_code code = KT_OK;
    if (!replay->sealed) return kt_fail(error, KT_DAMAGED, "the last record is no seal");
    if (is_pending(replay->source, &code, error))
        code = kt_state_undo_copy(replay->source, replay->txn, KT_TABLE_UNDO, error);
    return code == KT_OK ? commit(replay, error) : code;
}

/* ---- scratch ---- */

static const char *const scratch_files[] = {"data.mdb", "lock.mdb"};

void kt_scratch_remove(char *path) {
    if (path == NULL) return;
    char file[4096];
    for (unsigned i = 0; i < 2; i++)
        if (snprintf(file, sizeof file, "%s/%s", path, scratch_files[i]) < (int)sizeof file) unlink(file);
    rmdir(path);
    free(path);
}

kt_code kt_scratch_open(char **path, kt_store **out, kt_error *error) {
    const char *base = getenv("TMPDIR");
    if (base == NULL || base[0] != '/') base = "/tmp";
    size_t size = strlen(base) + 20;
    *path = malloc(size);
    if (*path == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    snprintf(*path, size, "%s/kontor-XXXXXX", base);
    if (mkdtemp(*path) == NULL) { /* mode 0700 */
        kt_code code = kt_fail_errno(error, errno, "%s", *path);
        free(*path);
        *path = NULL;
        return code;
    }
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT, .create = true, .scratch = true};
    return kt_store_open(*path, &options, out, error);
}

/* ---- comparing ---- */

static void key_text(kt_span key, char out[68]) {
    size_t shown = key.size < 32 ? key.size : 32;
    out[0] = 0;
    for (size_t i = 0; i < shown; i++) snprintf(out + 2 * i, 3, "%02x", key.data[i]);
}

static kt_code differs(kt_store *names, kt_table table, kt_span key, const char *how, kt_error *error) {
    char text[68];
    key_text(key, text);
    return kt_fail(error, KT_DAMAGED, "state: table %s, key %s: %s", kt_table_name(names, table), text, how);
}

/* What a batch that is being written in pieces, or was broken off, has put into state is no state yet: runs above those
   of the head, and rows that spilled, whose old bytes are kept. */
struct compare {
    const kt_registry *registry;
    kt_store *names;
    kt_txn *fresh;
    bool pending;
    uint64_t runs_end; /* the sequence that such runs begin at */
};

static kt_code begin_compare(struct compare *compare, kt_txn *stored, kt_error *error) {
    const kt_run_tables tables = {KT_TABLE_RUNS, KT_TABLE_CELLS, KT_TABLE_LISTS};
    kt_run *runs = NULL;
    uint32_t count;
    kt_code code;
    compare->pending = is_pending(stored, &code, error);
    if (!compare->pending) return code;
    code = kt_run_manifest(stored, tables, &runs, &count, &compare->runs_end, error);
    free(runs);
    return code;
}

/* The row the cursor stands on as the head has it, or the next such one. */
static kt_code as_of_head(const struct compare *compare, kt_table table, kt_cursor *stored, kt_code code, kt_span *key,
                          kt_span *value, kt_error *error) {
    bool of_runs = table == KT_TABLE_CELLS || table == KT_TABLE_LISTS, there = false;
    kt_span old;
    while (code == KT_OK && compare->pending) {
        if (of_runs)
            return key->size >= 8 && kt_get_be64(key->data) >= compare->runs_end ? KT_END : KT_OK; /* the last */
        code = kt_state_undone(compare->fresh, KT_TABLE_UNDO, table, *key, &there, &old, error);
        if (code == KT_NOT_FOUND) return KT_OK;
        if (code == KT_OK && there) {
            *value = old;
            return KT_OK;
        }
        if (code == KT_OK) code = kt_cursor_next(stored, key, value, error);
    }
    return code;
}

static kt_code compare_table(const struct compare *compare, kt_table table, kt_cursor *stored, kt_cursor *fresh,
                             kt_error *error) {
    kt_store *names = compare->names;
    kt_span a_key, a, b_key, b;
    kt_code left = as_of_head(compare, table, stored, kt_cursor_first(stored, &a_key, &a, error), &a_key, &a, error);
    kt_code right = kt_cursor_first(fresh, &b_key, &b, error);
    while (left == KT_OK && right == KT_OK) {
        int order = kt_span_compare(a_key, b_key);
        if (order < 0) return differs(names, table, a_key, "is stored, and does not follow from the journal", error);
        if (order > 0) return differs(names, table, b_key, "follows from the journal, and is not stored", error);
        if (kt_span_compare(a, b) != 0)
            return differs(names, table, a_key, "is stored with other bytes than follow from the journal", error);
        left = as_of_head(compare, table, stored, kt_cursor_next(stored, &a_key, &a, error), &a_key, &a, error);
        right = kt_cursor_next(fresh, &b_key, &b, error);
    }
    if (left == KT_OK && right == KT_END)
        return differs(names, table, a_key, "is stored, and does not follow from the journal", error);
    if (left == KT_END && right == KT_OK)
        return differs(names, table, b_key, "follows from the journal, and is not stored", error);
    return left != KT_END ? left : right != KT_END ? right : KT_OK;
}

/* What a broken-off batch replaced must be what the journal gives: it is put back when the book is next written to. */
static kt_code check_undo(const struct compare *compare, kt_txn *stored, kt_error *error) {
    uint64_t rows, pages;
    kt_cursor *cursor;
    kt_span name, value, old, now;
    kt_code code = kt_table_stat(stored, KT_TABLE_UNDO, &rows, &pages, error);
    if (code == KT_OK && rows != 0 && !compare->pending)
        return kt_fail(error, KT_DAMAGED, "undo rows are stored, and no batch is pending");
    if (code != KT_OK || !compare->pending) return code;
    code = kt_cursor_open(compare->fresh, KT_TABLE_UNDO, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_first(cursor, &name, &value, error); code == KT_OK;
         code = kt_cursor_next(cursor, &name, &value, error)) {
        bool there;
        kt_table table = name.data[0];
        kt_span key = kt_span_of(name.data + 1, name.size - 1);
        if (table >= KT_TABLE_COUNT || (kt_registry_spills(compare->registry) >> table & 1) == 0) {
            code = kt_fail(error, KT_DAMAGED, "an undo row is of a table that does not spill");
            break;
        }
        code = kt_state_undone(compare->fresh, KT_TABLE_UNDO, table, key, &there, &old, error);
        if (code != KT_OK) break;
        kt_code found = kt_txn_get(compare->fresh, table, key, &now, error);
        if ((found == KT_OK) != there || (there && kt_span_compare(old, now) != 0)) {
            code = differs(compare->names, table, key, "an undo row keeps other bytes than follow from the journal",
                           error);
            break;
        }
    }
    kt_cursor_close(cursor);
    return code == KT_END ? KT_OK : code;
}

kt_code kt_state_compare(const kt_registry *registry, kt_store *names, kt_txn *stored, kt_txn *fresh, kt_error *error) {
    struct compare compare = {.registry = registry, .names = names, .fresh = fresh};
    kt_code code = begin_compare(&compare, stored, error);
    if (code == KT_OK) code = check_undo(&compare, stored, error);
    for (kt_table table = KT_TABLE_STATE; table < KT_TABLE_COUNT && code == KT_OK; table++) {
        kt_cursor *a = NULL, *b = NULL;
        code = kt_cursor_open(stored, table, &a, error);
        if (code == KT_OK) code = kt_cursor_open(fresh, table, &b, error);
        if (code == KT_OK) code = compare_table(&compare, table, a, b, error);
        kt_cursor_close(a);
        kt_cursor_close(b);
    }
    return code;
}
