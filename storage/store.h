/*
 * store: one LMDB environment with named tables, read and write transactions.
 *
 * Every stored value begins with its version (1 byte) and a CRC32C (4 bytes, little-endian) over the table's
 * number, the key and the bytes; it is checked at each read, because LMDB has no checksums. A value that fails is
 * KT_DAMAGED, naming table and key. Tables are named by the caller: number i is names[i], and the numbers are part
 * of the format.
 *
 * The map is reserved large at open (1 TiB, halved where refused) and never grown under readers. MDB_WRITEMAP is
 * never used: stray writes through a pointer must not reach the journal. Commits are synced; only a scratch store
 * (rebuilt state that is thrown away) is not.
 *
 * Laws kept: 3 (commit returns after the sync), 4 (a transaction is whole or absent), 11 (readers and the writer do
 * not wait for each other).
 *
 * Lifetime: a span from a transaction is valid until that transaction ends or, in a write transaction, until its
 * next write. A write transaction belongs to the thread that began it. One process opens a directory's environment
 * once: opening it again shares it.
 *
 * After a commit failed for the disk's sake the store is poisoned: every later write is KT_POISONED until it is
 * opened anew.
 */
#ifndef KT_STORAGE_STORE_H
#define KT_STORAGE_STORE_H

#include "storage/bytes.h"
#include "storage/error.h"

#define KT_TABLES_MAX 32
#define KT_KEY_MAX 500
#define KT_VALUE_OVERHEAD 5
/* A value of this many bytes fills whole pages of 4096 together with the overheads of ours and LMDB's. */
#define KT_VALUE_PAGES(pages) ((size_t)(pages)*4096 - 16 - KT_VALUE_OVERHEAD)

typedef struct kt_store kt_store;
typedef struct kt_txn kt_txn;
typedef struct kt_cursor kt_cursor;
typedef unsigned kt_table;

typedef struct kt_store_options {
    const char *const *names; /* of the tables */
    unsigned count;           /* at most KT_TABLES_MAX */
    bool create;              /* make the environment; else it must be there */
    bool read_only;
    bool scratch; /* not synced: for state that is rebuilt and thrown away */
    /* Tables from this one on came with a newer format and may be missing: whoever opens looks at the format before he asks for
       any of them. 0: none may. */
    unsigned newer_from;
    bool make_newer; /* make those that are missing */
} kt_store_options;

/* The directory must exist. KT_FOREIGN: no environment in it. KT_DAMAGED: not LMDB, or broken. */
kt_code kt_store_open(const char *directory, const kt_store_options *options, kt_store **out, kt_error *error);
void kt_store_close(kt_store *store);

kt_code kt_store_may_write(const kt_store *store, kt_error *error); /* KT_POISONED, KT_PERMISSION */
/* KT_POISONED, KT_BUSY (too many readers), KT_IO ... */
kt_code kt_txn_begin(kt_store *store, bool write, kt_txn **out, kt_error *error);
/* A read transaction comes to see what was committed since; spans from it are void. */
kt_code kt_txn_renew(kt_txn *txn, kt_error *error);
uint64_t kt_txn_snapshot(const kt_txn *txn);         /* two with the same number see the same */
kt_code kt_txn_commit(kt_txn *txn, kt_error *error); /* the transaction is over either way */
void kt_txn_abort(kt_txn *txn);                      /* NULL is accepted */

/* KT_NOT_FOUND leaves *error alone. */
kt_code kt_txn_get(kt_txn *txn, kt_table table, kt_span key, kt_span *value, kt_error *error);
kt_code kt_txn_put(kt_txn *txn, kt_table table, kt_span key, kt_span value, kt_error *error);
/* As put, for a key above all others in the table: pages are filled whole. */
kt_code kt_txn_append(kt_txn *txn, kt_table table, kt_span key, kt_span value, kt_error *error);
/* Room of size bytes to be filled in place before the next write; for values that carry their own checksums.
   The version byte is set; the caller writes the checksum of his choice into the four bytes before *room, and
   reads with a raw cursor. */
kt_code kt_txn_append_room(kt_txn *txn, kt_table table, kt_span key, size_t size, uint8_t **room, kt_error *error);
kt_code kt_txn_delete(kt_txn *txn, kt_table table, kt_span key, kt_error *error); /* KT_NOT_FOUND */
kt_code kt_txn_clear(kt_txn *txn, kt_table table, kt_error *error);               /* every key of the table */

/* The checksum that put writes: over table, key and bytes. */
uint32_t kt_value_crc(kt_table table, kt_span key, const void *data, size_t size);

kt_code kt_cursor_open(kt_txn *txn, kt_table table, kt_cursor **out, kt_error *error);
void kt_cursor_close(kt_cursor *cursor);
/* Each moves and reads; KT_END where there is none. The value is checked unless `raw` was asked for, when it is the
   stored bytes whole, version and checksum included. */
kt_code kt_cursor_seek(kt_cursor *cursor, kt_span at_least, kt_span *key, kt_span *value, kt_error *error);
kt_code kt_cursor_first(kt_cursor *cursor, kt_span *key, kt_span *value, kt_error *error);
kt_code kt_cursor_last(kt_cursor *cursor, kt_span *key, kt_span *value, kt_error *error);
kt_code kt_cursor_next(kt_cursor *cursor, kt_span *key, kt_span *value, kt_error *error);
kt_code kt_cursor_prev(kt_cursor *cursor, kt_span *key, kt_span *value, kt_error *error);
kt_code kt_cursor_delete(kt_cursor *cursor, kt_error *error); /* what it stands on; next gives what followed */
void kt_cursor_raw(kt_cursor *cursor, bool raw);

typedef struct kt_store_stats {
    uint64_t page_size, pages_used, free_pages, free_list;
    uint64_t tables; /* in the environment, whoever made them */
    uint64_t readers;
} kt_store_stats;
kt_code kt_store_stat(kt_txn *txn, kt_store_stats *out, kt_error *error);
kt_code kt_table_stat(kt_txn *txn, kt_table table, uint64_t *keys, uint64_t *pages, kt_error *error);
const char *kt_table_name(const kt_store *store, kt_table table);

/* In a child made by fork: environments of the parent are left to it, and directories are opened anew. */
void kt_store_forked(void);

/* A consistent copy of the environment into an open file, while others write. */
kt_code kt_store_copy(kt_store *store, int file, kt_error *error);

#endif
