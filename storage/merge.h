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
    /* A tournament: who has the lowest key comes first, and each game that was played remembers its loser. So the next is
       known after four comparisons. */
    struct kt_merge_key { /* a reader's next key as two numbers, in the order of keys */
        uint64_t high, low;
    } keys[KT_RUN_FAN];
    uint8_t losers[KT_RUN_FAN]; /* of the games 1 to KT_RUN_FAN - 1; game i is between the winners of 2i and 2i + 1 */
    unsigned first;             /* the reader whose turn it is */
} kt_merger;

/* The runs in the order of their records; writer is begun and gets finished. KT_OVERFLOW, KT_DAMAGED. */
kt_code kt_runs_merge(kt_merger *merger, kt_txn *txn, kt_run_tables tables, const kt_run sources[KT_RUN_FAN],
                      kt_run_writer *writer, kt_error *error);

#endif
