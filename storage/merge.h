/*
 * merge: several runs become one: sums of one key add up, lists follow one another in the order of the runs.
 *
 * Laws kept: 8 (a sum that does not fit is refused). Lifetime: the merger's room is used again for every merge.
 */
#ifndef KT_STORAGE_MERGE_H
#define KT_STORAGE_MERGE_H

#include "storage/run.h"

typedef struct kt_merger {
    kt_run_reader readers[KT_RUN_FAN];
    struct kt_merge_turn { /* a reader's next key as two numbers, in the order of keys */
        uint64_t high, low;
        unsigned reader;
    } turns[KT_RUN_FAN]; /* the lowest first */
    unsigned count;      /* readers that still have cells */
} kt_merger;

/* The runs in the order of their records; writer is begun and gets finished. KT_OVERFLOW, KT_DAMAGED. */
kt_code kt_runs_merge(kt_merger *merger, kt_txn *txn, kt_run_tables tables, const kt_run sources[KT_RUN_FAN],
                      kt_run_writer *writer, kt_error *error);

#endif
