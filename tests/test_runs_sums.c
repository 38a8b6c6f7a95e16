/* Merges that take the sums alone, which a book meets only beyond ten million postings: met here after a few dozen. */
#define KT_RUN_LISTS 300u
#include "storage/runs.c" /* with that limit; the library's own is not linked */

#include "tests/runs_model.h"

int main(void) {
    enum { BLOCKS = 600 };
    uint64_t random = test_seed();
    model m;
    int wrong = 0, asked = 0, most_sums = 0, most_lists = 0;
    model_open(&m, "sums");
    for (int block = 0; block < BLOCKS; block++) {
        model_block(&m, &random);
        if (test_random(&random) % 10 == 0) model_seal(&m);
        if (block % 50 != 0 && block != BLOCKS - 1) continue;
        model_seal(&m);
        for (int i = 0; i < 25; i++, asked++) {
            kt_runs_query query = model_query(&m, &random);
            wrong += model_compare(&m, &query) != 0;
        }
        int sums = model_runs(&m, -1, true, false), lists = model_runs(&m, -1, false, true);
        most_sums = sums > most_sums ? sums : most_sums;
        most_lists = lists > most_lists ? lists : most_lists;
    }
    ok(most_sums > 0, "runs of sums alone were made");
    ok(most_lists >= 64, "and the runs they were made of went on serving lists");
    is_int(wrong, 0, "%d random questions about %zu postings get the answers of a plain list", asked, m.count);
    ok(model_runs(&m, 2, true, false) > 0, "sums were merged two levels up");
    kt_runs_query all = {.first_month = INT32_MIN, .last_month = INT32_MAX, .last_day = 31, .end = UINT64_MAX};
    is_int(model_compare(&m, &all), 0, "sums over everything are right");
    all.items = true;
    is_int(model_compare(&m, &all), 0, "and the lists add up to the same");
    kt_error error;
    kt_txn *txn;
    uint64_t runs, postings;
    (void)kt_txn_begin(m.store, false, &txn, &error);
    (void)kt_runs_count(txn, model_tables, &runs, &postings, &error);
    ok(postings == m.count, "every posting is counted once, in sums");
    kt_txn_abort(txn);
    model_close(&m);
    return done();
}
