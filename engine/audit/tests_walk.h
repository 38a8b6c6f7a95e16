/*
 * walk: all entries of the population, once, on several threads, each shown to every test.
 *
 * The records are taken in stretches, by whoever is free. A worker reads through a view of its own of the same moment
 * (records below the view's end do not change), so that nothing is shared but the work, which is only read.
 *
 * Besides the tests' selves a worker counts the population and when things were recorded.
 * Laws kept: 8 (sums are checked), 11.
 */
#ifndef KT_AUDIT_TESTS_WALK_H
#define KT_AUDIT_TESTS_WALK_H

#include "engine/audit/tests.h"

#define KT_AUDIT_THREADS_MAX 16u
#define KT_TESTERS_MAX 32u

typedef struct kt_audit_worker {
    const kt_audit_work *work;
    struct kt_audit_walk *walk;
    kt_view *view; /* its own, but for the first */
    void *selves[KT_TESTERS_MAX];
    /* Counted on the first walk. */
    kt_audit_population sums; /* entries, lines, unvalued, debit, credit alone */
    uint64_t hours[24], recorded_days[7], valid_days[7], week[7][24];
    kt_audit_month *months; /* of all from the head's first day to its last */
    size_t month_count;
    /* While it walks. */
    kt_seen_batch batch;
    kt_seen_line *lines;
    size_t line_room;
    kt_day year_first, year_last;
    kt_code code;
    kt_error error;
} kt_audit_worker;

typedef struct kt_audit_walk {
    kt_audit_work *work;
    const kt_tester *testers[KT_TESTERS_MAX];
    size_t tester_count;
    kt_audit_worker workers[KT_AUDIT_THREADS_MAX];
    unsigned worker_count;
    uint64_t next;     /* stretch nobody has taken; atomic */
    uint64_t done;     /* records of all walks; atomic */
    bool first, ended; /* ended: somebody failed; atomic */
} kt_audit_walk;

/* Opens the workers and a self of each test for each of them. */
kt_code kt_audit_walk_open(kt_audit_walk *walk, kt_error *error);
/* Walks as often as the work has parts. */
kt_code kt_audit_walk_run(kt_audit_walk *walk, kt_error *error);
/* Everything into the first worker. */
kt_code kt_audit_walk_merge(kt_audit_walk *walk, kt_error *error);
void kt_audit_walk_close(kt_audit_walk *walk);

#endif
