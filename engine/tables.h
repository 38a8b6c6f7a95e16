/*
 * tables: the numbers and names of all tables of a book. The numbers are part of the format (they are in every
 * checksum); see storage/FORMAT.md. Everything from KT_TABLE_STATE on is state: it can be dropped and rebuilt.
 */
#ifndef KT_ENGINE_TABLES_H
#define KT_ENGINE_TABLES_H

#include "storage/records.h"

enum {
    KT_TABLE_ACTORS = KT_TABLE_STATE, /* 5: key -> the actor's, since and until when */
    KT_TABLE_BATCHES,                 /* 6: batch id -> number of its seal */
    KT_TABLE_SEALS,                   /* 7: number of a seal -> the batch's facts */
    KT_TABLE_TOTALS,                  /* 8: a department's name -> its counters */
    KT_TABLE_ACCOUNTS,                /* 9: code -> id */
    KT_TABLE_ACCOUNT_FACTS,           /* 10: id, record -> the account as of that record */
    KT_TABLE_CURRENCIES,              /* 11: code -> facts */
    KT_TABLE_PERIODS,                 /* 12: month -> closed or reopened */
    KT_TABLE_COMPANY,                 /* 13: day, record -> facts from that day on */
    KT_TABLE_DIMENSIONS,              /* 14: set of (dimension, value) pairs -> id */
    KT_TABLE_DIMENSION_SETS,          /* 15: id -> the pairs */
    KT_TABLE_VOUCHERS,                /* 16: fiscal year, series, prefix, width, page -> numbers used */
    KT_TABLE_REVERSALS,               /* 17: entry -> the entry that reverses it */
    KT_TABLE_RUNS,                    /* 18: the manifest of runs */
    KT_TABLE_CELLS,                   /* 19: sums */
    KT_TABLE_LISTS,                   /* 20: postings by account */
    KT_TABLE_GRANTS,                  /* 21: actor, role, record -> given with limits, or taken back */
    KT_TABLE_PROPOSALS,               /* 22: proposal -> what became of it */
    KT_TABLE_LOG_KEYS,                /* 23: record -> the log's key from it on */
    KT_TABLE_COUNT
};

/* Came with format 3 of state. */
#define KT_TABLE_NEWER KT_TABLE_GRANTS

extern const char *const kt_table_names[KT_TABLE_COUNT];

#endif
