/*
 * bounds: what a query says of a table's keys, as bounds to read within.
 *
 * SQLite asks which comparisons a table can use (plan) and gives their values with each search (read). Bounds may be
 * wider than what was said, never narrower: SQLite compares every row again. So a value of another type than the column's
 * (account = 1000, as some write) costs time and never a row.
 */
#ifndef KT_SQL_BOUNDS_H
#define KT_SQL_BOUNDS_H

#include "engine/kontor.h"

typedef struct kt_sql_table kt_sql_table;
typedef struct kt_sql_bounds kt_sql_bounds;
struct sqlite3_index_info;
struct sqlite3_value;
struct kt_sql;

typedef enum kt_sql_key {
    KT_SQL_PLAIN = 0,
    KT_SQL_NUMBER,   /* = and ranges */
    KT_SQL_DAY,      /* = and ranges, of text "2026-03-31", and how LIKE and GLOB begin */
    KT_SQL_ACCOUNT,  /* =, ranges, and how LIKE and GLOB begin */
    KT_SQL_BATCH,    /* = */
    KT_SQL_CURRENCY, /* = */
    KT_SQL_SINCE,    /* arguments: a hidden column each */
    KT_SQL_UNTIL,
    KT_SQL_BY
} kt_sql_key;

/* Account codes between low and high, inclusive, as bytes, that begin with a prefix. */
typedef struct kt_sql_codes {
    kt_str low, high, prefix;
    bool has_low, has_high;
    bool numeric; /* compared with this number, in whatever way */
    int64_t number;
} kt_sql_codes;

struct kt_sql_bounds {
    bool nothing; /* no row can fit */
    bool descending;
    uint64_t first, last; /* numbers; last UINT64_MAX: open */
    kt_day from, to;      /* KT_DAY_MIN, KT_DAY_MAX: open */
    bool by_account;
    kt_sql_codes account;
    kt_str batch, currency; /* data NULL: not said */
    kt_str since, until, by;
};

/* Borrows the values. */
void kt_sql_bounds_read(const kt_sql_table *table, int flags, const char *plan, int count,
                        struct sqlite3_value **values, kt_sql_bounds *out);
bool kt_sql_codes_fit(const kt_sql_codes *codes, kt_str code);
/* Exactly one code can fit. */
bool kt_sql_codes_one(const kt_sql_codes *codes);
/* Answers SQLite's xBestIndex. */
int kt_sql_plan(const struct kt_sql *sql, const kt_sql_table *table, struct sqlite3_index_info *info);

#endif
