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

struct map {
    struct change **slots;
    size_t slot_count, count;
    size_t bytes[KT_TABLES_MAX];
};

struct kt_changes {
    struct map map;
    kt_changes *next; /* turned over after it */
};

struct kt_state {
    kt_txn *txn;
    kt_txn *(*settle)(void *context);
    void *settle_context;
    struct map now;
    kt_changes *oldest, *newest;
};

#define FIRST_SLOTS 1024u
#define FULL_BYTES ((size_t)6 << 20) /* of changes to one table: some ten thousand pages at the worst */

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

void kt_state_settle_by(kt_state *state, kt_txn *(*settle)(void *context), void *context) {
    state->settle = settle;
    state->settle_context = context;
}

kt_txn *kt_state_txn(kt_state *state) {
    return state->settle == NULL ? state->txn : state->settle(state->settle_context);
}

uint64_t kt_state_full(const kt_state *state, uint64_t tables) {
    uint64_t full = 0;
    for (kt_table table = 0; table < KT_TABLES_MAX; table++)
        if ((tables >> table & 1) != 0 && state->now.bytes[table] > FULL_BYTES) full |= (uint64_t)1 << table;
    return full;
}

static uint32_t hash_of(kt_table table, kt_span key) { return kt_crc32c(table * 0x9e3779b9u, key.data, key.size); }

static struct change *find(const struct map *map, kt_table table, kt_span key, uint32_t hash) {
    if (map->count == 0) return NULL;
    struct change *change = map->slots[hash & (map->slot_count - 1)];
    while (change != NULL && (change->hash != hash || change->table != table ||
                              kt_span_compare(kt_span_of(change->key, change->key_size), key) != 0))
        change = change->next;
    return change;
}

/* The newest change to a key, among those of now and those turned over. */
static const struct change *find_newest(const kt_state *state, kt_table table, kt_span key) {
    uint32_t hash = hash_of(table, key);
    const struct change *newest = find(&state->now, table, key, hash);
    if (newest != NULL) return newest;
    for (const kt_changes *changes = state->oldest; changes != NULL; changes = changes->next) {
        const struct change *change = find(&changes->map, table, key, hash);
        if (change != NULL) newest = change;
    }
    return newest;
}

kt_code kt_state_get(kt_state *state, kt_table table, kt_span key, kt_span *value, kt_error *error) {
    const struct change *change = find_newest(state, table, key);
    if (change == NULL) return state->txn == NULL ? KT_NOT_FOUND : kt_txn_get(state->txn, table, key, value, error);
    if (change->deleted) return KT_NOT_FOUND;
    *value = kt_span_of(change->value, change->value_size);
    return KT_OK;
}

bool kt_state_has_change(const kt_state *state, kt_table table, kt_span key) {
    return find_newest(state, table, key) != NULL;
}

/* ---- gathering ---- */

static bool grow(struct map *map) {
    size_t count = map->slot_count == 0 ? FIRST_SLOTS : map->slot_count * 2;
    struct change **slots = calloc(count, sizeof *slots);
    if (slots == NULL) return false;
    for (size_t i = 0; i < map->slot_count; i++)
        for (struct change *change = map->slots[i], *next; change != NULL; change = next) {
            next = change->next;
            change->next = slots[change->hash & (count - 1)];
            slots[change->hash & (count - 1)] = change;
        }
    free(map->slots);
    map->slots = slots;
    map->slot_count = count;
    return true;
}

static size_t weight(const struct change *change) { return sizeof *change + change->key_size + change->value_room; }

static bool insert(struct map *map, struct change *change) {
    if (map->count >= map->slot_count && !grow(map)) return false;
    change->next = map->slots[change->hash & (map->slot_count - 1)];
    map->slots[change->hash & (map->slot_count - 1)] = change;
    map->count++;
    map->bytes[change->table] += weight(change);
    return true;
}

static void free_change(struct change *change) {
    free(change->value);
    free(change);
}

static struct change *find_or_add(struct map *map, kt_table table, kt_span key) {
    uint32_t hash = hash_of(table, key);
    struct change *change = find(map, table, key, hash);
    if (change != NULL) return change;
    change = calloc(1, sizeof *change + key.size);
    if (change == NULL) return NULL;
    change->hash = hash;
    change->table = table;
    change->key_size = (uint32_t)key.size;
    memcpy(change->key, key.data, key.size);
    if (insert(map, change)) return change;
    free_change(change);
    return NULL;
}

kt_code kt_state_put(kt_state *state, kt_table table, kt_span key, kt_span value, kt_error *error) {
    struct change *change = find_or_add(&state->now, table, key);
    if (change == NULL) return kt_fail(error, KT_MEMORY, "out of memory for state");
    if (value.size > change->value_room || change->value == NULL) {
        uint8_t *grown = malloc(value.size + 1);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory for state");
        if (value.size != 0) memcpy(grown, value.data, value.size); /* value may lie in the old room */
        free(change->value);
        state->now.bytes[table] += value.size - change->value_room;
        change->value = grown;
        change->value_room = (uint32_t)value.size;
    } else if (value.size != 0) memmove(change->value, value.data, value.size);
    change->value_size = (uint32_t)value.size;
    change->deleted = false;
    return KT_OK;
}

kt_code kt_state_delete(kt_state *state, kt_table table, kt_span key, kt_error *error) {
    struct change *change = find_or_add(&state->now, table, key);
    if (change == NULL) return kt_fail(error, KT_MEMORY, "out of memory for state");
    change->deleted = true;
    return KT_OK;
}

static void release(struct map *map) {
    for (size_t i = 0; i < map->slot_count; i++)
        for (struct change *change = map->slots[i], *next; change != NULL; change = next) {
            next = change->next;
            free_change(change);
        }
    free(map->slots);
    *map = (struct map){0};
}

void kt_state_forget(kt_state *state) {
    release(&state->now);
    while (state->oldest != NULL) kt_state_written(state);
}

/* ---- turning over ---- */

/* Moves the changes to these tables from one map to another. */
static bool move_tables(struct map *from, struct map *to, uint64_t tables) {
    for (size_t i = 0; i < from->slot_count; i++)
        for (struct change **at = &from->slots[i]; *at != NULL;) {
            struct change *change = *at;
            if ((tables >> change->table & 1) == 0) {
                at = &change->next;
                continue;
            }
            *at = change->next;
            from->count--;
            from->bytes[change->table] -= weight(change);
            if (insert(to, change)) continue;
            free_change(change);
            return false;
        }
    return true;
}

kt_code kt_state_turn(kt_state *state, uint64_t tables, kt_changes **out, kt_error *error) {
    kt_changes *changes = calloc(1, sizeof *changes);
    *out = changes;
    if (changes == NULL) return kt_fail(error, KT_MEMORY, "out of memory for state");
    if (state->newest == NULL) state->oldest = changes;
    else state->newest->next = changes;
    state->newest = changes;
    if (tables == KT_STATE_ALL) {
        changes->map = state->now;
        state->now = (struct map){0};
        return KT_OK;
    }
    return move_tables(&state->now, &changes->map, tables) ? KT_OK
                                                           : kt_fail(error, KT_MEMORY, "out of memory for state");
}

void kt_state_written(kt_state *state) {
    kt_changes *changes = state->oldest;
    state->oldest = changes->next;
    if (state->oldest == NULL) state->newest = NULL;
    release(&changes->map);
    free(changes);
}

static int by_key(const void *a, const void *b) {
    const struct change *x = *(struct change *const *)a, *y = *(struct change *const *)b;
    if (x->table != y->table) return x->table < y->table ? -1 : 1;
    return kt_span_compare(kt_span_of(x->key, x->key_size), kt_span_of(y->key, y->key_size));
}

static kt_code write_change(kt_txn *txn, const struct change *change, kt_error *error) {
    kt_span key = kt_span_of(change->key, change->key_size);
    if (!change->deleted)
        return kt_txn_put(txn, change->table, key, kt_span_of(change->value, change->value_size), error);
    kt_code code = kt_txn_delete(txn, change->table, key, error);
    return code == KT_NOT_FOUND ? KT_OK : code;
}

/* ---- spilling ---- */

/* An undo row, under a rising number: table, length of the key, key, whether there was a value, the value. */
static kt_code keep_old(kt_txn *txn, const struct change *change, kt_table undo, uint64_t number, kt_error *error) {
    uint8_t name[8];
    kt_span old = {NULL, 0};
    kt_code code = kt_txn_get(txn, change->table, kt_span_of(change->key, change->key_size), &old, error);
    if (code != KT_OK && code != KT_NOT_FOUND) return code;
    size_t size = 4 + change->key_size + old.size;
    uint8_t *row = malloc(size);
    if (row == NULL) return kt_fail(error, KT_MEMORY, "out of memory for state");
    row[0] = (uint8_t)change->table;
    kt_put_le16(row + 1, (uint16_t)change->key_size);
    row[3] = code == KT_OK;
    memcpy(row + 4, change->key, change->key_size);
    if (old.size != 0) memcpy(row + 4 + change->key_size, old.data, old.size);
    kt_put_be64(name, number);
    code = kt_txn_append(txn, undo, kt_span_of(name, sizeof name), kt_span_of(row, size), error);
    free(row);
    return code;
}

static kt_code next_undo(kt_txn *txn, kt_table undo, uint64_t *number, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    kt_code code = kt_cursor_open(txn, undo, &cursor, error);
    if (code != KT_OK) return code;
    code = kt_cursor_last(cursor, &key, &value, error);
    *number = code == KT_OK ? kt_get_be64(key.data) + 1 : 0;
    kt_cursor_close(cursor);
    return code == KT_END ? KT_OK : code;
}

kt_code kt_changes_write(const kt_changes *changes, kt_txn *txn, kt_table undo, kt_error *error) {
    const struct map *map = &changes->map;
    uint64_t number = 0;
    if (map->count == 0) return KT_OK;
    struct change **sorted = malloc(map->count * sizeof(struct change *));
    if (sorted == NULL) return kt_fail(error, KT_MEMORY, "out of memory for state");
    size_t count = 0;
    for (size_t i = 0; i < map->slot_count; i++)
        for (struct change *change = map->slots[i]; change != NULL; change = change->next) sorted[count++] = change;
    qsort(sorted, count, sizeof(struct change *), by_key);
    kt_code code = undo == KT_NO_UNDO ? KT_OK : next_undo(txn, undo, &number, error);
    for (size_t i = 0; i < count && code == KT_OK; i++) {
        if (undo != KT_NO_UNDO) code = keep_old(txn, sorted[i], undo, number + i, error);
        if (code == KT_OK) code = write_change(txn, sorted[i], error);
    }
    free(sorted);
    return code;
}

kt_code kt_state_flush(kt_state *state, uint64_t tables, kt_error *error) {
    kt_changes *changes;
    kt_code code = kt_state_turn(state, tables, &changes, error);
    if (code == KT_OK) code = kt_changes_write(changes, state->txn, KT_NO_UNDO, error);
    if (changes != NULL && changes == state->oldest) kt_state_written(state);
    return code;
}

struct undo_row {
    kt_table table;
    bool there;
    kt_span key, old;
};

static kt_code read_undo(kt_span row, struct undo_row *out, kt_error *error) {
    size_t key_size = row.size < 4 ? 0 : kt_get_le16(row.data + 1);
    if (row.size < 4 + key_size || row.data[0] >= KT_TABLES_MAX || key_size > KT_KEY_MAX)
        return kt_fail(error, KT_DAMAGED, "an undo row is malformed");
    *out = (struct undo_row){.table = row.data[0],
                             .there = row.data[3] != 0,
                             .key = kt_span_of(row.data + 4, key_size),
                             .old = kt_span_of(row.data + 4 + key_size, row.size - 4 - key_size)};
    return KT_OK;
}

static kt_code put_back(kt_txn *txn, kt_span bytes, uint64_t tables, kt_error *error) {
    struct undo_row row;
    kt_code code = read_undo(bytes, &row, error);
    if (code != KT_OK) return code;
    if ((tables >> row.table & 1) == 0)
        return kt_fail(error, KT_DAMAGED, "an undo row is of a table that does not spill");
    if (row.there) return kt_txn_put(txn, row.table, row.key, row.old, error);
    code = kt_txn_delete(txn, row.table, row.key, error);
    return code == KT_NOT_FOUND ? KT_OK : code;
}

kt_code kt_state_undo(kt_txn *txn, kt_table undo, uint64_t tables, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    uint8_t *copy = NULL;
    kt_code code = kt_cursor_open(txn, undo, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_last(cursor, &key, &value, error); code == KT_OK;
         code = kt_cursor_prev(cursor, &key, &value, error)) {
        uint8_t *grown = realloc(copy, value.size + 1); /* writing moves what the cursor shows */
        if (grown == NULL) {
            code = kt_fail(error, KT_MEMORY, "out of memory for state");
            break;
        }
        copy = grown;
        memcpy(copy, value.data, value.size);
        code = put_back(txn, kt_span_of(copy, value.size), tables, error);
        if (code != KT_OK) break;
    }
    kt_cursor_close(cursor);
    free(copy);
    return code == KT_END ? kt_txn_clear(txn, undo, error) : code;
}

static kt_code copy_key(kt_table table, kt_span key, uint8_t out[KT_KEY_MAX], kt_span *made, kt_error *error) {
    if (key.size >= KT_KEY_MAX) return kt_fail(error, KT_LIMIT, "a key of a table that spills has %zu bytes", key.size);
    out[0] = (uint8_t)table;
    if (key.size != 0) memcpy(out + 1, key.data, key.size);
    *made = kt_span_of(out, 1 + key.size);
    return KT_OK;
}

/* Newest first, so that the oldest of several rows of one key is what stays. A copied row is kept whole. */
kt_code kt_state_undo_copy(kt_txn *from, kt_txn *to, kt_table undo, kt_error *error) {
    uint8_t room[KT_KEY_MAX];
    kt_cursor *cursor;
    kt_span key, value, name;
    struct undo_row row;
    kt_code code = kt_cursor_open(from, undo, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_last(cursor, &key, &value, error); code == KT_OK;
         code = kt_cursor_prev(cursor, &key, &value, error)) {
        code = read_undo(value, &row, error);
        if (code == KT_OK) code = copy_key(row.table, row.key, room, &name, error);
        if (code == KT_OK) code = kt_txn_put(to, undo, name, value, error);
        if (code != KT_OK) break;
    }
    kt_cursor_close(cursor);
    return code == KT_END ? KT_OK : code;
}

kt_code kt_state_undone(kt_txn *copy, kt_table undo, kt_table table, kt_span key, bool *there, kt_span *old,
                        kt_error *error) {
    uint8_t room[KT_KEY_MAX];
    kt_span name, value;
    struct undo_row row;
    kt_code code = copy_key(table, key, room, &name, error);
    if (code == KT_OK) code = kt_txn_get(copy, undo, name, &value, error);
    if (code == KT_OK) code = read_undo(value, &row, error);
    if (code != KT_OK) return code;
    *there = row.there;
    *old = row.old;
    return KT_OK;
}
