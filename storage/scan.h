/*
 * scan: the reader's side of runs: sums and postings of a span of days, as of a record.
 *
 * Sums over whole months come from cells; months cut by a day, and runs cut by `end`, from lists.
 * Laws kept: 11 (it reads one snapshot). Lifetime: what a callback is given is valid until it returns.
 */
#ifndef KT_STORAGE_SCAN_H
#define KT_STORAGE_SCAN_H

#include "storage/runs.h"

typedef struct kt_runs_query {
    uint32_t account; /* 0: all */
    int32_t first_month, last_month;
    uint8_t first_day, last_day; /* inside those months, from 0; last_day 31: to the month's end */
    uint64_t end;                /* sees records below it */
    bool items;                  /* each posting, even where sums would do */
} kt_runs_query;

/* Either may be NULL when not wanted. Cells come in no particular order and the same key more than once; items of one
   account, currency, dimensions and month by record, then line, but different runs and cells in turn. */
typedef kt_code (*kt_run_cell_callback)(void *context, const kt_run_cell *cell, kt_error *error);
typedef kt_code (*kt_run_item_callback)(void *context, const kt_run_key *key, const kt_run_item *item, kt_error *error);

/* Sums over whole months come from cells; months cut by a day, and runs cut by `end`, from lists. */
kt_code kt_runs_scan(kt_txn *txn, kt_run_tables tables, const kt_runs_query *query, kt_run_cell_callback cell,
                     kt_run_item_callback item, void *context, kt_error *error);

#endif
