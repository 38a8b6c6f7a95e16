/*
 * walk: the entries of the journal in the order of record, or the other way round; each unpacked only when more is asked for than
 * its number and day.
 *
 * Lifetime: the entry and its texts are valid until the next step. Released with kt_sql_walk_release.
 */
#ifndef KT_SQL_WALK_H
#define KT_SQL_WALK_H

#include "engine/ledger/entry.h"
#include "engine/sql/table.h"

typedef struct kt_sql_walk {
    kt_records *records;
    kt_entry_reader reader;
    uint64_t first, last; /* records, inclusive */
    kt_day from, to;
    bool descending;
    uint64_t number; /* of the entry that it stands on */
    kt_span bytes;
    kt_envelope envelope;
    kt_entry entry;
    bool unpacked;
} kt_sql_walk;

/* Stands on the first entry; *end: there is none. An entry beside the days may be met now and then, so that a long walk comes up
   for air: SQLite looks for an interruption only between rows. */
kt_code kt_sql_walk_begin(kt_sql_walk *walk, kt_sql *sql, const kt_sql_bounds *bounds, bool *end, kt_error *error);
kt_code kt_sql_walk_next(kt_sql_walk *walk, bool *end, kt_error *error);
/* Any entry by its number. KT_DAMAGED: it is none. */
kt_code kt_sql_walk_read(kt_sql_walk *walk, kt_sql *sql, uint64_t number, kt_error *error);
kt_code kt_sql_walk_unpack(kt_sql_walk *walk, kt_error *error);
void kt_sql_walk_release(kt_sql_walk *walk);

#endif
