#include "engine/fold.h"

#include <stdlib.h>

#include "engine/logkey.h"
#include "engine/tables.h"

#define DEPARTMENTS_MAX 8
#define ROW_FIXED 114u

struct kt_fold {
    const kt_registry *registry;
    kt_state *state;
    kt_access *access;
    void *selves[DEPARTMENTS_MAX];
    kt_genesis genesis;
    uint64_t batch_first; /* first record after the last seal */
    int64_t last_time;
    bool loaded;
};

kt_code kt_fold_open(const kt_registry *registry, kt_fold **out, kt_error *error) {
    *out = NULL;
    kt_fold *fold = calloc(1, sizeof *fold);
    if (fold == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    fold->registry = registry;
    kt_code code = kt_state_open(&fold->state, error);
    if (code == KT_OK) code = kt_access_open(fold->state, &fold->access, error);
    for (unsigned i = 0; i < registry->department_count && code == KT_OK; i++)
        code = registry->departments[i]->open(fold, &fold->selves[i], error);
    if (code != KT_OK) kt_fold_close(fold);
    else *out = fold;
    return code;
}

void kt_fold_close(kt_fold *fold) {
    if (fold == NULL) return;
    for (unsigned i = 0; i < fold->registry->department_count; i++)
        fold->registry->departments[i]->close(fold->selves[i]);
    kt_access_close(fold->access);
    kt_state_close(fold->state);
    free(fold);
}

kt_state *kt_fold_state(kt_fold *fold) { return fold->state; }

kt_access *kt_fold_access(kt_fold *fold) { return fold->access; }

void *kt_fold_self(kt_fold *fold, const kt_department *department) {
    if (department == NULL) return fold->access;
    for (unsigned i = 0; i < fold->registry->department_count; i++)
        if (fold->registry->departments[i] == department) return fold->selves[i];
    return NULL;
}

const kt_kind *kt_fold_kind(const kt_fold *fold, uint32_t kind) {
    for (unsigned i = 0; i < fold->registry->kind_count; i++)
        if (fold->registry->kinds[i].kind == kind) return &fold->registry->kinds[i];
    return NULL;
}

void kt_fold_bind(kt_fold *fold, kt_txn *txn) { kt_state_bind(fold->state, txn); }

void kt_fold_forget(kt_fold *fold) {
    kt_state_forget(fold->state);
    for (unsigned i = 0; i < fold->registry->department_count; i++)
        fold->registry->departments[i]->forget(fold->selves[i]);
    kt_access_forget(fold->access);
    fold->loaded = false;
}

/* ---- the rows of batches ---- */

static kt_code write_row(kt_fold *fold, const kt_seal *seal, uint64_t first, uint64_t number, kt_error *error) {
    uint8_t row[ROW_FIXED + KT_SEAL_ID_MAX], key[8];
    kt_put_be64(key, number);
    kt_put_le64(row, first);
    kt_put_le64(row + 8, (uint64_t)seal->recorded_us);
    kt_put_le64(row + 16, seal->read);
    kt_put_le64(row + 24, seal->posted);
    kt_put_le64(row + 32, seal->rejected);
    row[40] = seal->has_input;
    row[41] = seal->clock_behind;
    memset(row + 42, 0, 8);
    memcpy(row + 50, seal->input, KT_HASH_SIZE);
    memcpy(row + 82, seal->actor, KT_KEY_SIZE);
    memcpy(row + ROW_FIXED, seal->id.data, seal->id.size);
    kt_code code = kt_state_put(fold->state, KT_TABLE_SEALS, kt_span_of(key, sizeof key),
                                kt_span_of(row, ROW_FIXED + seal->id.size), error);
    return code == KT_OK ? kt_state_put(fold->state, KT_TABLE_BATCHES, seal->id, kt_span_of(key, sizeof key), error)
                         : code;
}

static kt_code read_row(kt_span key, kt_span value, kt_batch_row *out, kt_error *error) {
    if (key.size != 8 || value.size <= ROW_FIXED) return kt_fail(error, KT_DAMAGED, "a batch's row is malformed");
    const uint8_t *row = value.data;
    *out = (kt_batch_row){.first = kt_get_le64(row),
                          .last = kt_get_be64(key.data),
                          .recorded_us = (int64_t)kt_get_le64(row + 8),
                          .read = kt_get_le64(row + 16),
                          .posted = kt_get_le64(row + 24),
                          .rejected = kt_get_le64(row + 32),
                          .has_input = row[40] != 0,
                          .clock_behind = row[41] != 0,
                          .id = kt_span_of(row + ROW_FIXED, value.size - ROW_FIXED)};
    memcpy(out->input, row + 50, KT_HASH_SIZE);
    memcpy(out->actor, row + 82, KT_KEY_SIZE);
    return KT_OK;
}

kt_code kt_batch_row_of(kt_state *state, uint64_t record, kt_batch_row *out, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    uint8_t wanted[8];
    kt_code code = kt_cursor_open(kt_state_txn(state), KT_TABLE_SEALS, &cursor, error);
    if (code != KT_OK) return code;
    kt_put_be64(wanted, record);
    code = kt_cursor_seek(cursor, kt_span_of(wanted, sizeof wanted), &key, &value, error);
    kt_cursor_close(cursor);
    if (code == KT_END) return KT_NOT_FOUND;
    return code == KT_OK ? read_row(key, value, out, error) : code;
}

kt_code kt_batch_row_by_id(kt_state *state, kt_span id, kt_batch_row *out, kt_error *error) {
    kt_span number, row;
    uint8_t key[8];
    if (id.size == 0 || id.size > KT_SEAL_ID_MAX) return KT_NOT_FOUND;
    kt_code code = kt_state_get(state, KT_TABLE_BATCHES, id, &number, error);
    if (code != KT_OK) return code;
    if (number.size != 8) return kt_fail(error, KT_DAMAGED, "a batch's number is malformed");
    memcpy(key, number.data, sizeof key);
    code = kt_state_get(state, KT_TABLE_SEALS, kt_span_of(key, sizeof key), &row, error);
    if (code == KT_NOT_FOUND) return kt_fail(error, KT_DAMAGED, "a batch's row is missing");
    /* The row's bytes, not the key on this stack, carry what lasts. */
    return code == KT_OK ? read_row(kt_span_of(key, sizeof key), row, out, error) : code;
}

/* ---- applying ---- */

kt_code kt_fold_genesis_apply(kt_fold *fold, const kt_genesis *genesis, kt_error *error) {
    fold->genesis = *genesis;
    kt_access_set_origin(fold->access, fold->genesis.origin);
    kt_code code = kt_log_key_found(fold->state, genesis->log_key, error);
    return code == KT_OK ? kt_access_found(fold->access, genesis->actor_key, error) : code;
}

/* The last seal's number and time, from state, when they are not in memory. */
static kt_code load(kt_fold *fold, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    kt_batch_row row;
    if (fold->loaded) return KT_OK;
    kt_code code = kt_cursor_open(kt_state_txn(fold->state), KT_TABLE_SEALS, &cursor, error);
    if (code != KT_OK) return code;
    fold->batch_first = 0;
    fold->last_time = INT64_MIN;
    code = kt_cursor_last(cursor, &key, &value, error);
    if (code == KT_OK && (code = read_row(key, value, &row, error)) == KT_OK) {
        fold->batch_first = row.last + 1;
        fold->last_time = row.recorded_us;
    }
    kt_cursor_close(cursor);
    if (code == KT_END) code = KT_OK;
    fold->loaded = code == KT_OK;
    return code;
}

/* LAW 7: rights are enforced where the batch ends, live and on replay. */
kt_code kt_fold_sealed(kt_fold *fold, const kt_seal *seal, uint64_t number, kt_error *error) {
    kt_batch_row before;
    kt_code code = load(fold, error);
    if (code == KT_OK) code = kt_access_sealed(fold->access, seal->actor, error);
    if (code != KT_OK) return code;
    if (number - fold->batch_first != seal->count)
        return kt_fail(error, KT_DAMAGED, "seal %llu counts %llu records, found %llu", (unsigned long long)number,
                       (unsigned long long)seal->count, (unsigned long long)(number - fold->batch_first));
    if (seal->recorded_us < fold->last_time)
        return kt_fail(error, KT_DAMAGED, "seal %llu is recorded earlier than the one before it",
                       (unsigned long long)number);
    code = kt_batch_row_by_id(fold->state, seal->id, &before, error);
    if (code == KT_OK)
        return kt_fail(error, KT_DAMAGED, "seal %llu repeats the batch id of seal %llu", /* LAW 5 */
                       (unsigned long long)number, (unsigned long long)before.last);
    if (code != KT_NOT_FOUND) return code;
    code = write_row(fold, seal, fold->batch_first, number, error);
    fold->batch_first = number + 1;
    fold->last_time = seal->recorded_us;
    return code;
}

kt_code kt_fold_apply(kt_fold *fold, const kt_record *record, kt_error *error) {
    if (record->kind == KT_KIND_SEAL) {
        kt_seal seal;
        kt_code code = kt_seal_read(record->body, record->kind_version, &seal, error);
        if (code == KT_OK && record->date != kt_seal_date(seal.recorded_us))
            code = kt_fail(error, KT_DAMAGED, "seal %llu is not dated by its recorded time",
                           (unsigned long long)record->number);
        return code == KT_OK ? kt_fold_sealed(fold, &seal, record->number, error) : code;
    }
    const kt_kind *kind = kt_fold_kind(fold, record->kind);
    if (kind != NULL && record->kind_version == 0)
        return kt_fail(error, KT_DAMAGED, "record %llu: kind %u has no version 0", (unsigned long long)record->number,
                       record->kind);
    if (kind == NULL || record->kind_version > kind->version)
        return kt_fail(error, KT_NEWER, "record %llu: kind %u version %u is not known to this version",
                       (unsigned long long)record->number, record->kind, record->kind_version);
    kt_code code = kt_access_ask(fold->access, kind->right, error);
    if (code != KT_OK) return code;
    return kind->apply(kt_fold_self(fold, kind->department), record, error);
}

void kt_fold_turn(kt_fold *fold) {
    for (unsigned i = 0; i < fold->registry->department_count; i++)
        fold->registry->departments[i]->turn(fold->selves[i]);
}

void kt_fold_drop(kt_fold *fold) {
    for (unsigned i = 0; i < fold->registry->department_count; i++)
        fold->registry->departments[i]->drop(fold->selves[i]);
}

kt_code kt_fold_flush(kt_fold *fold, kt_error *error) {
    kt_code code = KT_OK;
    for (unsigned i = 0; i < fold->registry->department_count && code == KT_OK; i++)
        code = fold->registry->departments[i]->flush(fold->selves[i], error);
    return code;
}

void kt_fold_prepare(kt_fold *fold, uint64_t first, uint32_t count) {
    for (unsigned i = 0; i < fold->registry->department_count; i++)
        fold->registry->departments[i]->prepare(fold->selves[i], first, count);
}

kt_code kt_fold_block(kt_fold *fold, kt_txn *txn, uint64_t first, uint32_t count, kt_error *error) {
    kt_code code = KT_OK;
    for (unsigned i = 0; i < fold->registry->department_count && code == KT_OK; i++)
        code = fold->registry->departments[i]->block(fold->selves[i], txn, first, count, error);
    return code;
}

kt_code kt_fold_head(kt_fold *fold, kt_txn *txn, kt_error *error) {
    kt_code code = KT_OK;
    for (unsigned i = 0; i < fold->registry->department_count && code == KT_OK; i++)
        code = fold->registry->departments[i]->head(fold->selves[i], txn, error);
    return code;
}

uint64_t kt_registry_spills(const kt_registry *registry) {
    uint64_t mask = 0;
    for (unsigned i = 0; i < registry->department_count; i++)
        for (const kt_table *spills = registry->departments[i]->spills; *spills != 0; spills++)
            mask |= (uint64_t)1 << *spills;
    return mask;
}

kt_code kt_fold_recover(kt_fold *fold, kt_txn *txn, kt_error *error) {
    kt_code code = kt_state_undo(txn, KT_TABLE_UNDO, kt_registry_spills(fold->registry), error);
    for (unsigned i = 0; i < fold->registry->department_count && code == KT_OK; i++)
        code = fold->registry->departments[i]->recover(txn, error);
    return code;
}
