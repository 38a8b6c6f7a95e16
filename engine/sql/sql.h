/*
 * sql: the book as tables of SQLite, read where they lie.
 *
 * Each table is a virtual one of the same name in every database of a connection (`select * from entries`), and reads the book's
 * own pages: nothing is copied into SQLite, nothing can be written through it. What a query says of numbers, days, accounts,
 * batches and currencies is used to read less (bounds.h).
 *
 * The same objects make two things: kontor_sql.so, which any SQLite loads and whose entry point is
 * sqlite3_kontorsql_init (SQLite makes that name of the file's: its letters up to the first point), and `kontor sql`, where they
 * are linked in and compiled with SQLITE_CORE.
 *
 * One moment: a view is opened with the first cursor of a connection and closed with the last, so all tables of a statement
 * show one head, however the book moves meanwhile (law 11).
 *
 * Numbers (law 8): amounts are SQLite integers, counts of the smallest unit, and never a binary fraction. One beyond 64 bits is
 * refused where it is asked for as a number: as text SQLite would take it for a binary fraction when summing. The columns
 * ..._text and kontor_sum() give every amount and sum exactly. What is empty in the book is NULL.
 *
 * Lifetime: what is registered lives until the connection is closed. A connection is used as a book is: by one thread at a time.
 */
#ifndef KT_SQL_SQL_H
#define KT_SQL_SQL_H

#include "engine/kontor.h"

struct sqlite3;
struct sqlite3_api_routines;

typedef struct kt_sql kt_sql;

typedef struct kt_sql_options {
    const char *directory; /* of the book; NULL: what kontor_book('DIR') or KONTOR_BOOK names */
    kt_str entity;         /* when given, a book of another entity is refused */
    kt_view_options view;  /* what is seen of it */
} kt_sql_options;

/* options may be NULL. *out (may be NULL) is the connection's. */
kt_code kt_sql_register(struct sqlite3 *db, const kt_sql_options *options, kt_sql **out, kt_error *error);

/* Why the last query failed, where the book was the reason; KT_OK: it was not. Asking forgets it. */
kt_code kt_sql_fault(kt_sql *sql, kt_error *error);

/* The columns of all tables, one after another; false behind the last. */
typedef struct kt_sql_description {
    const char *table, *table_about, *column, *type, *about;
    bool hidden;  /* an argument, as in balances('2026-01-01') */
    bool indexed; /* what a query says of it is used to read less */
} kt_sql_description;
bool kt_sql_describe(size_t n, kt_sql_description *out);

/* The entry point that SQLite looks for. */
int sqlite3_kontorsql_init(struct sqlite3 *db, char **message, const struct sqlite3_api_routines *api);

#endif
