#include "storage/state.h"

#include <stdlib.h>

#include "storage/digest.h"

struct change {
    struct change *next; /* in its slot */
    uint32_t hash;
    kt_table table;
    bool deleted;
    uint32_t key_size, value_size, value_room;
    uint8_t *value;
    uint8_t key[];
};

struct kt_state {
    kt_txn *txn;
    struct change **slots;
    size_t slot_count, count, bytes;
};

#define FIRST_SLOTS 1024u

kt_code kt_state_open(kt_state **out, kt_error *error) {
    kt_state *state = calloc(1, sizeof *state);
    *out = state;
    return state == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
}

void kt_state_close(kt_state *state) {
    if (state == NULL) return;
    kt_state_forget(state);
    free(state);
}

void kt_state_bind(kt_state *state, kt_txn *txn) { state->txn = txn; }
kt_txn *kt_state_txn(const kt_state *state) { return state->txn; }
size_t kt_state_bytes(const kt_state *state) { return state->bytes; }

static uint32_t hash_of(kt_table table, kt_span key) { return kt_crc32c(table * 0x9e3779b9u, key.data, key.size); }

static struct change *find(const kt_state *state, kt_table table, kt_span key, uint32_t hash) {
    if (state->count == 0) return NULL;
    struct change *change = state->slots[hash & (state->slot_count - 1)];
    while (change != NULL && (change->hash != hash || change->table != table ||
                              kt_span_compare(kt_span_of(change->key, change->key_size), key) != 0))
        change = change->next;
    return change;
}

kt_code kt_state_get(kt_state *state, kt_table table, kt_span key, kt_span *value, kt_error *error) {
    struct change *change = find(state, table, key, hash_of(table, key));
    if (change == NULL) return kt_txn_get(state->txn, table, key, value, error);
    if (change->deleted) return KT_NOT_FOUND;
    *value = kt_span_of(change->value, change->value_size);
    return KT_OK;
}

static bool grow(kt_state *state) {
    size_t count = state->slot_count == 0 ? FIRST_SLOTS : state->slot_count * 2;
    struct change **slots = calloc(count, sizeof *slots);
    if (slots == NULL) return false;
    for (size_t i = 0; i < state->slot_count; i++)
        for (struct change *change = state->slots[i], *next; change != NULL; change = next) {
            next = change->next;
            change->next = slots[change->hash & (count - 1)];
            slots[change->hash & (count - 1)] = change;
        }
    free(state->slots);
    state->slots = slots;
    state->slot_count = count;
    return true;
}

static struct change *find_or_add(kt_state *state, kt_table table, kt_span key) {
    uint32_t hash = hash_of(table, key);
    struct change *change = find(state, table, key, hash);
    if (change != NULL) return change;
    if (state->count >= state->slot_count && !grow(state)) return NULL;
    change = calloc(1, sizeof *change + key.size);
    if (change == NULL) return NULL;
    change->hash = hash;
    change->table = table;
    change->key_size = (uint32_t)key.size;
    memcpy(change->key, key.data, key.size);
    change->next = state->slots[hash & (state->slot_count - 1)];
    state->slots[hash & (state->slot_count - 1)] = change;
    state->count++;
    state->bytes += sizeof *change + key.size;
    return change;
}

kt_code kt_state_put(kt_state *state, kt_table table, kt_span key, kt_span value, kt_error *error) {
    struct change *change = find_or_add(state, table, key);
    if (change == NULL) return kt_fail(error, KT_MEMORY, "out of memory for state");
    if (value.size > change->value_room || change->value == NULL) {
        uint8_t *grown = malloc(value.size + 1);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory for state");
        if (value.size != 0) memcpy(grown, value.data, value.size); /* value may lie in the old room */
        free(change->value);
        state->bytes += value.size - change->value_room;
        change->value = grown;
        change->value_room = (uint32_t)value.size;
    } else if (value.size != 0) memmove(change->value, value.data, value.size);
    change->value_size = (uint32_t)value.size;
    change->deleted = false;
    return KT_OK;
}

kt_code kt_state_delete(kt_state *state, kt_table table, kt_span key, kt_error *error) {
    struct change *change = find_or_add(state, table, key);
    if (change == NULL) return kt_fail(error, KT_MEMORY, "out of memory for state");
    change->deleted = true;
    return KT_OK;
}

static int by_key(const void *a, const void *b) {
    const struct change *x = *(struct change *const *)a, *y = *(struct change *const *)b;
    if (x->table != y->table) return x->table < y->table ? -1 : 1;
    return kt_span_compare(kt_span_of(x->key, x->key_size), kt_span_of(y->key, y->key_size));
}

kt_code kt_state_flush(kt_state *state, kt_error *error) {
    if (state->count == 0) return KT_OK;
    struct change **sorted = malloc(state->count * sizeof(struct change *));
    if (sorted == NULL) return kt_fail(error, KT_MEMORY, "out of memory for state");
    size_t filled = 0;
    for (size_t i = 0; i < state->slot_count; i++)
        for (struct change *change = state->slots[i]; change != NULL; change = change->next) sorted[filled++] = change;
    qsort(sorted, filled, sizeof *sorted, by_key); /* each page of a table is met once */
    kt_code code = KT_OK;
    for (size_t i = 0; i < filled && code == KT_OK; i++) {
        kt_span key = kt_span_of(sorted[i]->key, sorted[i]->key_size);
        if (sorted[i]->deleted) {
            code = kt_txn_delete(state->txn, sorted[i]->table, key, error);
            if (code == KT_NOT_FOUND) code = KT_OK;
        } else code = kt_txn_put(state->txn, sorted[i]->table, key, kt_span_of(sorted[i]->value, sorted[i]->value_size), error);
    }
    free(sorted);
    kt_state_forget(state);
    return code;
}

void kt_state_forget(kt_state *state) {
    for (size_t i = 0; i < state->slot_count; i++)
        for (struct change *change = state->slots[i], *next; change != NULL; change = next) {
            next = change->next;
            free(change->value);
            free(change);
        }
    free(state->slots);
    state->slots = NULL;
    state->slot_count = state->count = state->bytes = 0;
}
