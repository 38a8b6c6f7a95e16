#include "engine/sql/walk.h"

/* Entries beside the days that are passed over before one is given all the same. */
#define BREATH 8192u

static kt_code open_records(kt_sql_walk *walk, kt_sql *sql, kt_error *error) {
    walk->unpacked = false;
    return walk->records != NULL ? KT_OK : kt_records_open(sql->view->txn, sql->view->end, &walk->records, error);
}

static kt_code look(kt_sql_walk *walk, uint64_t number, kt_error *error) {
    walk->number = number;
    walk->unpacked = false;
    kt_code code = kt_records_read_whole(walk->records, number, &walk->bytes, NULL, error);
    return code == KT_OK ? kt_envelope_open(walk->bytes, &walk->envelope, error) : code;
}

/* From the record at hand on. */
static kt_code search(kt_sql_walk *walk, uint64_t number, bool *end, kt_error *error) {
    unsigned passed = 0;
    *end = false;
    for (;;) {
        kt_code code = look(walk, number, error);
        if (code != KT_OK) return code;
        if (walk->envelope.kind == KT_KIND_ENTRY &&
            ((walk->envelope.date >= walk->from && walk->envelope.date <= walk->to) || ++passed == BREATH))
            return KT_OK;
        *end = number == (walk->descending ? walk->first : walk->last);
        if (*end) return KT_OK;
        number = walk->descending ? number - 1 : number + 1;
    }
}

kt_code kt_sql_walk_begin(kt_sql_walk *walk, kt_sql *sql, const kt_sql_bounds *bounds, bool *end, kt_error *error) {
    bool any;
    *end = true;
    kt_code code = kt_sql_numbers(sql, bounds, &walk->first, &walk->last, &any, error);
    if (code != KT_OK || !any) return code;
    walk->from = bounds->from;
    walk->to = bounds->to;
    walk->descending = bounds->descending;
    code = open_records(walk, sql, error);
    return code == KT_OK ? search(walk, walk->descending ? walk->last : walk->first, end, error) : code;
}

kt_code kt_sql_walk_next(kt_sql_walk *walk, bool *end, kt_error *error) {
    *end = walk->number == (walk->descending ? walk->first : walk->last);
    if (*end) return KT_OK;
    return search(walk, walk->descending ? walk->number - 1 : walk->number + 1, end, error);
}

kt_code kt_sql_walk_read(kt_sql_walk *walk, kt_sql *sql, uint64_t number, kt_error *error) {
    if (walk->records != NULL && walk->unpacked && walk->number == number) return KT_OK;
    kt_code code = open_records(walk, sql, error);
    if (code == KT_OK) code = look(walk, number, error);
    if (code == KT_OK && walk->envelope.kind != KT_KIND_ENTRY)
        code = kt_fail(error, KT_DAMAGED, "record %llu is no entry", (unsigned long long)number);
    return code == KT_OK ? kt_sql_walk_unpack(walk, error) : code;
}

kt_code kt_sql_walk_unpack(kt_sql_walk *walk, kt_error *error) {
    bool repeats;
    if (walk->unpacked) return KT_OK;
    kt_code code = kt_entry_unpack(&walk->reader, walk->envelope.date, walk->envelope.body, &walk->entry, &repeats,
                                   error);
    walk->unpacked = code == KT_OK;
    return code;
}

void kt_sql_walk_release(kt_sql_walk *walk) {
    kt_records_close(walk->records);
    kt_entry_reader_release(&walk->reader);
    *walk = (kt_sql_walk){0};
}
