/*
 * table: what a virtual table is here, and what all of them share: the snapshot, and the rows that are kept with it.
 *
 * A table says its columns, finds its rows and tells a cell; module.c makes of it what SQLite asks for. Adding one is a file with a
 * kt_sql_table and one line in sql.c.
 *
 * Lifetime: what a cursor reads is valid until the snapshot is left, which is when the connection's last cursor closes.
 */
#ifndef KT_SQL_TABLE_H
#define KT_SQL_TABLE_H

#include <sqlite3ext.h>
/* Ours come behind: sqlite3ext.h makes a macro of each of SQLite's functions. */
#include "engine/ledger/register.h"
#include "engine/sql/bounds.h"
#include "engine/sql/sql.h"
#ifndef SQLITE_CORE
SQLITE_EXTENSION_INIT3
#endif

typedef struct kt_sql_cursor kt_sql_cursor;

typedef struct kt_sql_column {
    const char *name; /* NULL ends a list */
    const char *type; /* INTEGER, TEXT or BLOB */
    kt_sql_key key;   /* what a query says of it is used */
    const char *about;
} kt_sql_column;

struct kt_sql_table {
    const char *name, *about;
    const kt_sql_column *columns;
    int order[2];   /* columns that the rows come ordered by, rising, ended by -1 */
    bool backwards; /* or falling, where asked for */
    size_t state;   /* bytes of a cursor's own, zeroed when it opens */
    uint64_t (*rows)(const kt_sql *sql);
    /* Stands on the first row, or sets end. Called anew for each search; rows beside the bounds may be given. */
    kt_code (*filter)(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error);
    kt_code (*next)(kt_sql_cursor *cursor, kt_error *error);
    kt_code (*cell)(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error);
    int64_t (*row_id)(kt_sql_cursor *cursor); /* the same row has the same in every search */
    void (*release)(kt_sql_cursor *cursor);   /* may be NULL */
};

struct kt_sql_cursor {
    sqlite3_vtab_cursor base;
    kt_sql *sql;
    const kt_sql_table *table;
    bool end;
    void *state;
};

/* Sums that were asked for, shared by the cursors that read them. */
typedef struct kt_sql_sums {
    kt_balance_query query;
    kt_balance *rows;
    size_t count;
    unsigned uses;
} kt_sql_sums;

/* What a registration of a table carries. */
typedef struct kt_sql_registered {
    kt_sql *sql;
    const kt_sql_table *table;
} kt_sql_registered;

#define KT_SQL_TABLES_MAX 32

struct kt_sql {
    unsigned uses; /* registrations that point here */
    kt_sql_registered registered[KT_SQL_TABLES_MAX];
    char *directory;
    char entity[KT_NAME_MAX + 1];
    kt_view_options view_options;
    kt_book *book;
    kt_code fault;
    kt_error fault_error;
    /* As of the last view, for plans. */
    uint64_t records, entries, postings, batches, accounts_there;
    /* The snapshot. */
    kt_view *view;
    unsigned cursors;
    bool named;
    kt_names names; /* currencies alone */
    kt_account *accounts;
    size_t account_count;
    unsigned account_searches;
    kt_sql_sums *sums;
};

/* Opens the book where that was not done. KT_USAGE: none was named. */
kt_code kt_sql_open(kt_sql *sql, kt_error *error);
/* NULL directory: back to none. Refused with KT_BUSY while a statement is reading. */
kt_code kt_sql_choose(kt_sql *sql, const char *directory, const kt_view_options *view, kt_error *error);
kt_code kt_sql_enter(kt_sql *sql, kt_error *error);
void kt_sql_leave(kt_sql *sql);
void kt_sql_release(kt_sql *sql); /* one registration less */

/* Of the snapshot. */
kt_code kt_sql_currencies(kt_sql *sql, const kt_names **out, kt_error *error);
/* id of a currency; 0: not on record. */
uint16_t kt_sql_currency_id(const kt_names *names, kt_str code);
const kt_currency *kt_sql_book_currency(const kt_names *names);
/* All, by code. */
kt_code kt_sql_accounts(kt_sql *sql, const kt_account **out, size_t *count, kt_error *error);
/* One; KT_NOT_FOUND leaves *error alone. */
kt_code kt_sql_account(kt_sql *sql, kt_str code, kt_account *out, kt_error *error);
/* The records [*first, *last] of a batch; false: there is none of that id. */
kt_code kt_sql_batch_range(kt_sql *sql, kt_str id, uint64_t *first, uint64_t *last, bool *found, kt_error *error);
/* The batch of a record, into row where it is not that one already. */
kt_code kt_sql_batch_of(kt_sql *sql, uint64_t record, kt_batch_row *row, bool *known, kt_error *error);
/* Both of them bring the numbers wanted into [*first, *last]; false: nothing fits. */
kt_code kt_sql_numbers(kt_sql *sql, const kt_sql_bounds *bounds, uint64_t *first, uint64_t *last, bool *any,
                       kt_error *error);

/* ---- cells: what is empty is NULL ---- */

void kt_sql_text(sqlite3_context *out, kt_str text);
void kt_sql_day(sqlite3_context *out, kt_day day);
void kt_sql_time(sqlite3_context *out, int64_t time_us);
void kt_sql_hex(sqlite3_context *out, const uint8_t *bytes, size_t size);
void kt_sql_number(sqlite3_context *out, uint64_t number);    /* 0 too */
void kt_sql_reference(sqlite3_context *out, uint64_t number); /* 0: NULL */
void kt_sql_amount_text(sqlite3_context *out, kt_amount amount, uint8_t decimals);
/* As an integer. KT_OVERFLOW: beyond 64 bits; text says whose column it is, `instead` which to ask for. */
kt_code kt_sql_amount(sqlite3_context *out, kt_amount amount, const char *instead, kt_error *error);

/* ---- tables whose rows are in memory ---- */

typedef struct kt_sql_list { /* begins the state of such a cursor */
    void *rows;              /* freed with `drop` */
    size_t at, count;
    void (*drop)(void *rows); /* NULL: not the cursor's */
} kt_sql_list;
void kt_sql_list_set(kt_sql_cursor *cursor, void *rows, size_t count, void (*drop)(void *rows));
kt_code kt_sql_list_next(kt_sql_cursor *cursor, kt_error *error);
int64_t kt_sql_list_row_id(kt_sql_cursor *cursor); /* the place in the list */
void kt_sql_list_release(kt_sql_cursor *cursor);
uint64_t kt_sql_few(const kt_sql *sql); /* rows of a table that is always small */

int kt_sql_functions(sqlite3 *db, kt_sql *sql);
extern const sqlite3_module kt_sql_module;

extern const kt_sql_table kt_sql_entries, kt_sql_lines, kt_sql_accounts_table, kt_sql_balances, kt_sql_records,
    kt_sql_batches, kt_sql_checkpoints, kt_sql_currencies_table, kt_sql_periods, kt_sql_company, kt_sql_actors,
    kt_sql_actor_keys, kt_sql_actor_grants, kt_sql_proposals;

#endif
