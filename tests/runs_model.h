/* runs_model: postings kept as a plain list beside the runs, so that every answer can be had twice. */
#ifndef KT_TESTS_RUNS_MODEL_H
#define KT_TESTS_RUNS_MODEL_H

#include "storage/run.h"
#include "storage/scan.h"
#include "tests/storing.h"

enum { MODEL_ACCOUNTS = 30, MODEL_CURRENCIES = 3, MODEL_SETS = 3, MODEL_MONTHS = 14, MODEL_FIRST_MONTH = -5 };

extern const kt_run_tables model_tables;

typedef struct model {
    struct model_posting {
        kt_run_key key;
        kt_run_item item;
    } * postings;
    size_t count, room;
    uint64_t next; /* record */
    int blocks;    /* that held postings: the others make no run */
    kt_store *store;
    kt_runs *runs;
    kt_txn *txn; /* NULL: no batch open */
} model;

void model_open(model *m, const char *name);
void model_close(model *m);
/* A block of some records with random postings, in the open batch (begun where there is none). */
void model_block(model *m, uint64_t *random);
void model_seal(model *m);
/* Compares what a scan gives with the list; how many differences. */
int model_compare(model *m, const kt_runs_query *query);
kt_runs_query model_query(const model *m, uint64_t *random);
/* The three tables, as one digest. */
void model_digest(model *m, uint8_t out[KT_HASH_SIZE]);
/* Runs in the stored manifest whose flags are these, at this level or any (-1). */
int model_runs(model *m, int level, bool sums, bool lists);

#endif
