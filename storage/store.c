#include "storage/store.h"

#include <errno.h>
#include <limits.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "storage/digest.h"
#include "storage/whole.h"

#define VALUE_VERSION 1
#define MAP_SIZE ((size_t)1 << 40)
#define MAP_LEAST ((size_t)1 << 28)
#define READERS_MAX 510
#define FULL_DISK ((uint64_t)1 << 20) /* fewer free bytes than this is full */

/* LMDB must not have one environment open twice in a process, so handles on one directory share it. */
struct kt_store {
    struct kt_store *next;
    unsigned references;
    dev_t device;
    ino_t inode;
    MDB_env *env;
    MDB_dbi tables[KT_TABLES_MAX];
    char *names[KT_TABLES_MAX];
    unsigned count;
    char *directory;
    bool read_only;
    atomic_bool poisoned; /* by whoever commits; asked by whoever begins */
};

struct kt_txn {
    kt_store *store;
    MDB_txn *txn;
    bool write;
};

struct kt_cursor {
    kt_txn *txn;
    MDB_cursor *cursor;
    kt_table table;
    bool raw;
};

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static kt_store *open_stores; /* guarded by open_lock */

static kt_code fail(const kt_store *store, int rc, const char *doing, kt_error *error) {
    switch (rc) {
    case MDB_NOTFOUND: return kt_fail(error, KT_NOT_FOUND, "%s: %s: not found", store->directory, doing);
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL:
        return kt_fail(error, KT_DAMAGED, "%s: %s: the store is damaged: %s", store->directory, doing,
                       mdb_strerror(rc));
    case MDB_PANIC: /* writing the meta page failed: LMDB trusts nothing it holds until it is opened anew */
        return kt_fail(error, KT_POISONED, "%s: %s: an earlier write failed: close the book, verify it, open it again",
                       store->directory, doing);
    case MDB_VERSION_MISMATCH:
        return kt_fail(error, KT_NEWER, "%s: %s: another LMDB format: %s", store->directory, doing, mdb_strerror(rc));
    case MDB_MAP_FULL: return kt_fail(error, KT_DISK_FULL, "%s: %s: the reserved map is full", store->directory, doing);
    case MDB_READERS_FULL:
        return kt_fail(error, KT_BUSY, "%s: %s: more than %d readers at once", store->directory, doing, READERS_MAX);
    case MDB_TXN_FULL:
    case MDB_BAD_TXN:
    case MDB_BAD_RSLOT: return kt_fail(error, KT_IO, "%s: %s: %s", store->directory, doing, mdb_strerror(rc));
    case EIO: { /* LMDB says so of a short write too, which is what a full disk looks like from there */
        struct statvfs disk;
        if (statvfs(store->directory, &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize < FULL_DISK)
            return kt_fail(error, KT_DISK_FULL, "%s: %s: no space left on the disk", store->directory, doing);
        break;
    }
    default: break;
    }
    if (rc < 0) return kt_fail(error, KT_DAMAGED, "%s: %s: %s", store->directory, doing, mdb_strerror(rc));
    return kt_fail_errno(error, rc, "%s: %s", store->directory, doing);
}

/* ---- opening ---- */

#define NO_TABLE UINT_MAX /* a handle that LMDB refuses */

/* Tables that an older version did not make. */
static kt_code make_newer(kt_store *store, const kt_store_options *options, kt_error *error) {
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (rc != 0) return fail(store, rc, "begin", error);
    for (unsigned i = options->newer_from; i < options->count && rc == 0; i++)
        if (store->tables[i] == NO_TABLE) rc = mdb_dbi_open(txn, options->names[i], MDB_CREATE, &store->tables[i]);
    if (rc == 0) rc = mdb_txn_commit(txn);
    else mdb_txn_abort(txn);
    return rc == 0 ? KT_OK : fail(store, rc, "make a table", error);
}

static kt_code open_tables(kt_store *store, const kt_store_options *options, kt_error *error) {
    MDB_txn *txn = NULL;
    bool missing = false;
    /* LAW 11: opening waits for no writer, so it reads unless tables are to be made. */
    int rc = mdb_txn_begin(store->env, NULL, options->create ? 0 : MDB_RDONLY, &txn);
    if (rc != 0) return fail(store, rc, "begin", error);
    for (unsigned i = 0; i < options->count; i++) {
        store->names[i] = strdup(options->names[i]);
        if (store->names[i] == NULL) rc = ENOMEM;
        else rc = mdb_dbi_open(txn, options->names[i], options->create ? MDB_CREATE : 0, &store->tables[i]);
        if (rc == MDB_NOTFOUND && options->newer_from != 0 && i >= options->newer_from) {
            store->tables[i] = NO_TABLE;
            missing = true;
            rc = 0;
        }
        if (rc == MDB_NOTFOUND) {
            mdb_txn_abort(txn);
            return kt_fail(error, KT_FOREIGN, "%s: is not a book: it has no table '%s'", store->directory,
                           options->names[i]);
        }
        if (rc != 0) {
            mdb_txn_abort(txn);
            return fail(store, rc, "open a table", error);
        }
    }
    /* The handles stay valid after the commit; a read transaction's too. */
    rc = mdb_txn_commit(txn);
    if (rc != 0) return fail(store, rc, "open the tables", error);
    return missing && options->make_newer ? make_newer(store, options, error) : KT_OK;
}

static kt_code open_environment(kt_store *store, const kt_store_options *options, kt_error *error) {
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD;
    if (options->read_only) flags |= MDB_RDONLY;
    if (options->scratch) flags |= MDB_NOSYNC;
#ifdef KT_TEST_NOSYNC /* only tests/crash builds this, to prove that its power cut test can fail */
    flags |= MDB_NOSYNC;
#endif
    int rc = 0;
    bool lockless = false;
    for (size_t size = MAP_SIZE; size >= MAP_LEAST;) {
        rc = mdb_env_create(&store->env);
        if (rc != 0) return fail(store, rc, "create", error);
        mdb_env_set_mapsize(store->env, size);
        mdb_env_set_maxdbs(store->env, KT_TABLES_MAX);
        mdb_env_set_maxreaders(store->env, READERS_MAX);
        rc = mdb_env_open(store->env, store->directory, flags | (lockless ? MDB_NOLOCK : 0u), 0600);
        if (rc == 0) return KT_OK;
        mdb_env_close(store->env);
        store->env = NULL;
        if (options->read_only && !lockless && (rc == EROFS || rc == EACCES || rc == ENOENT)) lockless = true;
        else if (rc == ENOMEM || rc == EINVAL) size /= 2; /* address space is short, or somebody watches over it */
        else break;
    }
    return fail(store, rc, "open", error);
}

static void destroy(kt_store *store) {
    if (store->env != NULL) mdb_env_close(store->env);
    for (unsigned i = 0; i < store->count; i++) free(store->names[i]);
    free(store->directory);
    free(store);
}

static kt_code open_fresh(const char *directory, const kt_store_options *options, kt_store **out, kt_error *error) {
    kt_store *store = calloc(1, sizeof *store);
    if (store == NULL || (store->directory = strdup(directory)) == NULL) {
        free(store);
        return kt_fail(error, KT_MEMORY, "%s: out of memory", directory);
    }
    store->count = options->count;
    store->read_only = options->read_only;
    store->references = 1;
    kt_code code = open_environment(store, options, error);
    if (code == KT_OK) code = kt_file_whole(store->env, store->directory, error);
    if (code == KT_OK) code = open_tables(store, options, error);
    struct stat status;
    if (code == KT_OK && stat(directory, &status) != 0) code = kt_fail_errno(error, errno, "%s", directory);
    if (code != KT_OK) {
        destroy(store);
        return code;
    }
    store->device = status.st_dev;
    store->inode = status.st_ino;
    store->next = open_stores;
    open_stores = store;
    *out = store;
    return KT_OK;
}

kt_code kt_store_open(const char *directory, const kt_store_options *options, kt_store **out, kt_error *error) {
    *out = NULL;
    struct stat status;
    if (stat(directory, &status) != 0) return kt_fail_errno(error, errno, "%s", directory);
    if (!S_ISDIR(status.st_mode)) return kt_fail(error, KT_FOREIGN, "%s: is not a directory", directory);
    char path[4096];
    struct stat data;
    int written = snprintf(path, sizeof path, "%s/data.mdb", directory);
    if (written < 0 || (size_t)written >= sizeof path) return kt_fail(error, KT_USAGE, "%s: path too long", directory);
    if (!options->create && stat(path, &data) != 0) {
        if (errno == ENOENT) return kt_fail(error, KT_FOREIGN, "%s: is not a book: no data.mdb in it", directory);
        return kt_fail_errno(error, errno, "%s", path);
    }
    kt_code code = KT_OK;
    pthread_mutex_lock(&open_lock);
    kt_store *store = open_stores;
    while (store != NULL && (store->device != status.st_dev || store->inode != status.st_ino)) store = store->next;
    if (store != NULL && store->read_only && !options->read_only)
        code = kt_fail(error, KT_BUSY, "%s: open for reading only in this process", directory);
    else if (store != NULL) {
        store->references++;
        *out = store;
    } else code = open_fresh(directory, options, out, error);
    pthread_mutex_unlock(&open_lock);
    return code;
}

void kt_store_close(kt_store *store) {
    if (store == NULL) return;
    pthread_mutex_lock(&open_lock);
    if (--store->references == 0) {
        kt_store **at = &open_stores;
        while (*at != store) at = &(*at)->next;
        *at = store->next;
        destroy(store);
    }
    pthread_mutex_unlock(&open_lock);
}

void kt_store_forked(void) {
    open_stores = NULL;
    open_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER; /* another thread may have held it at the fork */
}

const char *kt_table_name(const kt_store *store, kt_table table) { return store->names[table]; }

/* ---- transactions ---- */

kt_code kt_store_may_write(const kt_store *store, kt_error *error) {
    if (store->poisoned)
        return kt_fail(error, KT_POISONED, "%s: an earlier sync failed: close the book, verify it, open it again",
                       store->directory);
    if (store->read_only) return kt_fail(error, KT_PERMISSION, "%s: is open for reading only", store->directory);
    return KT_OK;
}

kt_code kt_txn_begin(kt_store *store, bool write, kt_txn **out, kt_error *error) {
    *out = NULL;
    kt_code code = write ? kt_store_may_write(store, error) : KT_OK;
    if (code != KT_OK) return code;
    kt_txn *txn = calloc(1, sizeof *txn);
    if (txn == NULL) return kt_fail(error, KT_MEMORY, "%s: out of memory", store->directory);
    txn->store = store;
    txn->write = write;
    if (!write) {
        int dead;
        mdb_reader_check(store->env, &dead); /* a killed reader must not hold old pages for ever */
    }
    int rc = mdb_txn_begin(store->env, NULL, write ? 0 : MDB_RDONLY, &txn->txn);
    if (rc != 0) {
        free(txn);
        return fail(store, rc, write ? "begin to write" : "begin to read", error);
    }
    *out = txn;
    return KT_OK;
}

kt_code kt_txn_renew(kt_txn *txn, kt_error *error) {
    mdb_txn_reset(txn->txn);
    int rc = mdb_txn_renew(txn->txn);
    return rc == 0 ? KT_OK : fail(txn->store, rc, "begin to read", error);
}

uint64_t kt_txn_snapshot(const kt_txn *txn) { return mdb_txn_id(txn->txn); }

/* LAW 3: mdb_txn_commit returns after the data and then the meta page are synced. */
kt_code kt_txn_commit(kt_txn *txn, kt_error *error) {
    kt_store *store = txn->store;
    int rc = mdb_txn_commit(txn->txn);
    bool write = txn->write;
    free(txn);
    if (rc == 0) return KT_OK;
    if (write) store->poisoned = true;
    return fail(store, rc, "commit", error);
}

void kt_txn_abort(kt_txn *txn) {
    if (txn == NULL) return;
    mdb_txn_abort(txn->txn);
    free(txn);
}

uint32_t kt_value_crc(kt_table table, kt_span key, const void *data, size_t size) {
    uint8_t number = (uint8_t)table;
    uint32_t crc = kt_crc32c(0, &number, 1);
    crc = kt_crc32c(crc, key.data, key.size);
    return kt_crc32c(crc, data, size);
}

static void key_text(kt_span key, char out[80]) {
    size_t shown = key.size < 36 ? key.size : 36;
    for (size_t i = 0; i < shown; i++) snprintf(out + 2 * i, 3, "%02x", key.data[i]);
    if (shown == 0) out[0] = 0;
}

static kt_code checked(const kt_store *store, kt_table table, kt_span key, const MDB_val *stored, kt_span *value,
                       kt_error *error) {
    char text[80];
    const uint8_t *bytes = stored->mv_data;
    if (stored->mv_size < KT_VALUE_OVERHEAD || bytes[0] == 0) {
        key_text(key, text);
        return kt_fail(error, KT_DAMAGED, "table %s, key %s: the value is too short", store->names[table], text);
    }
    if (bytes[0] > VALUE_VERSION) {
        key_text(key, text);
        return kt_fail(error, KT_NEWER, "table %s, key %s: value version %u, expected %d", store->names[table], text,
                       bytes[0], VALUE_VERSION);
    }
    *value = (kt_span){bytes + KT_VALUE_OVERHEAD, stored->mv_size - KT_VALUE_OVERHEAD};
    uint32_t expected = kt_get_le32(bytes + 1), found = kt_value_crc(table, key, value->data, value->size);
    if (expected == found) return KT_OK;
    key_text(key, text);
    return kt_fail(error, KT_DAMAGED, "table %s, key %s: checksum %08x, expected %08x", store->names[table], text,
                   found, expected);
}

kt_code kt_txn_get(kt_txn *txn, kt_table table, kt_span key, kt_span *value, kt_error *error) {
    MDB_val k = {key.size, (void *)(uintptr_t)key.data}, v;
    int rc = mdb_get(txn->txn, txn->store->tables[table], &k, &v);
    if (rc == MDB_NOTFOUND) return KT_NOT_FOUND;
    if (rc != 0) return fail(txn->store, rc, "read", error);
    return checked(txn->store, table, key, &v, value, error);
}

static kt_code reserve(kt_txn *txn, kt_table table, kt_span key, size_t size, unsigned flags, uint8_t **room,
                       kt_error *error) {
    MDB_val k = {key.size, (void *)(uintptr_t)key.data}, v = {size + KT_VALUE_OVERHEAD, NULL};
    int rc = mdb_put(txn->txn, txn->store->tables[table], &k, &v, flags | MDB_RESERVE);
    if (rc == MDB_KEYEXIST) /* MDB_APPEND out of order: only a bug in the caller or a damaged table */
        return kt_fail(error, KT_DAMAGED, "table %s: a key is not above the last", txn->store->names[table]);
    if (rc != 0) return fail(txn->store, rc, "write", error);
    *room = v.mv_data;
    (*room)[0] = VALUE_VERSION;
    *room += KT_VALUE_OVERHEAD;
    return KT_OK;
}

static kt_code put(kt_txn *txn, kt_table table, kt_span key, kt_span value, unsigned flags, kt_error *error) {
    uint8_t *room;
    kt_code code = reserve(txn, table, key, value.size, flags, &room, error);
    if (code != KT_OK) return code;
    kt_put_le32(room - 4, kt_value_crc(table, key, value.data, value.size));
    if (value.size != 0) memcpy(room, value.data, value.size);
    return KT_OK;
}

kt_code kt_txn_put(kt_txn *txn, kt_table table, kt_span key, kt_span value, kt_error *error) {
    return put(txn, table, key, value, 0, error);
}

kt_code kt_txn_append(kt_txn *txn, kt_table table, kt_span key, kt_span value, kt_error *error) {
    return put(txn, table, key, value, MDB_APPEND, error);
}

kt_code kt_txn_append_room(kt_txn *txn, kt_table table, kt_span key, size_t size, uint8_t **room, kt_error *error) {
    return reserve(txn, table, key, size, MDB_APPEND, room, error);
}

kt_code kt_txn_delete(kt_txn *txn, kt_table table, kt_span key, kt_error *error) {
    MDB_val k = {key.size, (void *)(uintptr_t)key.data};
    int rc = mdb_del(txn->txn, txn->store->tables[table], &k, NULL);
    if (rc == MDB_NOTFOUND) return KT_NOT_FOUND;
    return rc == 0 ? KT_OK : fail(txn->store, rc, "delete", error);
}

kt_code kt_txn_clear(kt_txn *txn, kt_table table, kt_error *error) {
    int rc = mdb_drop(txn->txn, txn->store->tables[table], 0);
    return rc == 0 ? KT_OK : fail(txn->store, rc, "clear a table", error);
}

/* ---- cursors ---- */

kt_code kt_cursor_open(kt_txn *txn, kt_table table, kt_cursor **out, kt_error *error) {
    *out = calloc(1, sizeof **out);
    if (*out == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    (*out)->txn = txn;
    (*out)->table = table;
    int rc = mdb_cursor_open(txn->txn, txn->store->tables[table], &(*out)->cursor);
    if (rc == 0) return KT_OK;
    free(*out);
    *out = NULL;
    return fail(txn->store, rc, "open a cursor", error);
}

void kt_cursor_close(kt_cursor *cursor) {
    if (cursor == NULL) return;
    mdb_cursor_close(cursor->cursor);
    free(cursor);
}

void kt_cursor_raw(kt_cursor *cursor, bool raw) { cursor->raw = raw; }

static kt_code move(kt_cursor *cursor, MDB_cursor_op operation, MDB_val k, kt_span *key, kt_span *value,
                    kt_error *error) {
    MDB_val v;
    int rc = mdb_cursor_get(cursor->cursor, &k, &v, operation);
    if (rc == MDB_NOTFOUND) return KT_END;
    if (rc != 0) return fail(cursor->txn->store, rc, "read", error);
    *key = kt_span_of(k.mv_data, k.mv_size);
    if (cursor->raw) {
        *value = kt_span_of(v.mv_data, v.mv_size);
        return KT_OK;
    }
    return checked(cursor->txn->store, cursor->table, *key, &v, value, error);
}

kt_code kt_cursor_seek(kt_cursor *cursor, kt_span at_least, kt_span *key, kt_span *value, kt_error *error) {
    return move(cursor, MDB_SET_RANGE, (MDB_val){at_least.size, (void *)(uintptr_t)at_least.data}, key, value, error);
}

kt_code kt_cursor_first(kt_cursor *cursor, kt_span *key, kt_span *value, kt_error *error) {
    return move(cursor, MDB_FIRST, (MDB_val){0, NULL}, key, value, error);
}

kt_code kt_cursor_last(kt_cursor *cursor, kt_span *key, kt_span *value, kt_error *error) {
    return move(cursor, MDB_LAST, (MDB_val){0, NULL}, key, value, error);
}

kt_code kt_cursor_next(kt_cursor *cursor, kt_span *key, kt_span *value, kt_error *error) {
    return move(cursor, MDB_NEXT, (MDB_val){0, NULL}, key, value, error);
}

kt_code kt_cursor_prev(kt_cursor *cursor, kt_span *key, kt_span *value, kt_error *error) {
    return move(cursor, MDB_PREV, (MDB_val){0, NULL}, key, value, error);
}

kt_code kt_cursor_delete(kt_cursor *cursor, kt_error *error) {
    int rc = mdb_cursor_del(cursor->cursor, 0);
    return rc == 0 ? KT_OK : fail(cursor->txn->store, rc, "delete", error);
}

/* ---- figures and copies ---- */

static kt_code free_list(kt_txn *txn, kt_store_stats *out, kt_error *error) {
    MDB_cursor *cursor;
    MDB_val k, v;
    int rc = mdb_cursor_open(txn->txn, 0, &cursor); /* table 0 is LMDB's own free list */
    if (rc != 0) return fail(txn->store, rc, "read the free list", error);
    while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
        size_t pages;
        memcpy(&pages, v.mv_data, sizeof pages);
        out->free_pages += pages;
        out->free_list++;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? KT_OK : fail(txn->store, rc, "read the free list", error);
}

kt_code kt_store_stat(kt_txn *txn, kt_store_stats *out, kt_error *error) {
    MDB_envinfo info;
    MDB_stat stat;
    *out = (kt_store_stats){0};
    mdb_env_info(txn->store->env, &info);
    mdb_env_stat(txn->store->env, &stat);
    out->page_size = stat.ms_psize;
    out->pages_used = info.me_last_pgno + 1;
    MDB_stat main; /* table 1 is LMDB's own list of the named ones */
    if (mdb_stat(txn->txn, 1, &main) == 0) out->tables = main.ms_entries;
    out->readers = info.me_numreaders;
    return free_list(txn, out, error);
}

kt_code kt_table_stat(kt_txn *txn, kt_table table, uint64_t *keys, uint64_t *pages, kt_error *error) {
    MDB_stat stat;
    int rc = mdb_stat(txn->txn, txn->store->tables[table], &stat);
    if (rc != 0) return fail(txn->store, rc, "count", error);
    *keys = stat.ms_entries;
    *pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    return KT_OK;
}

kt_code kt_store_copy(kt_store *store, int file, kt_error *error) {
    int rc = mdb_env_copyfd2(store->env, file, MDB_CP_COMPACT); /* LAW 11: the other way takes the writer's turn */
    return rc == 0 ? KT_OK : fail(store, rc, "copy", error);
}
