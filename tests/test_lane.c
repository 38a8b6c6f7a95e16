/* A lane: jobs in the order they were given, with a thread and without, and nobody waits for ever. */
#include "storage/lane.h"

#include <stdlib.h>

#include "tests/tap.h"

#define JOBS 5000u

struct log {
    uint64_t seen[2 * JOBS];
    unsigned count;
    kt_lane *next; /* jobs are passed on to it */
    struct log *next_log;
};

static void note(void *context, uint64_t argument) {
    struct log *log = context;
    log->seen[log->count++] = argument;
    if (log->next != NULL) kt_lane_give(log->next, note, log->next_log, argument * 3);
}

static void run(bool first_threaded, bool second_threaded) {
    kt_lane *first, *second;
    kt_error error;
    struct log *second_log = calloc(1, sizeof *second_log), *first_log = calloc(1, sizeof *first_log);
    if (first_log == NULL || second_log == NULL || kt_lane_open(&first, &error) != KT_OK ||
        kt_lane_open(&second, &error) != KT_OK)
        abort();
    first_log->next = second;
    first_log->next_log = second_log;
    if (first_threaded && !kt_lane_start(first)) abort();
    if (second_threaded && !kt_lane_start(second)) abort();
    for (uint64_t i = 0; i < JOBS; i++) {
        kt_lane_give(first, note, first_log, i);
        if (i % 1000 == 999) kt_lane_wait(first);
    }
    kt_lane_wait(first);
    kt_lane_wait(second);
    unsigned wrong = first_log->count != JOBS || second_log->count != JOBS;
    for (uint64_t i = 0; i < JOBS; i++) wrong += first_log->seen[i] != i || second_log->seen[i] != 3 * i;
    is_int(wrong, 0, "%s, %s: every job is done, in order, and passed on in order",
           first_threaded ? "a thread" : "the caller", second_threaded ? "a thread" : "whoever gives");
    ok(kt_lane_idle(first) && kt_lane_idle(second), "and then the lanes are idle");
    for (uint64_t i = 0; i < JOBS; i++) kt_lane_give(first, note, first_log, i);
    kt_lane_close(first);
    kt_lane_close(second);
    is_int(second_log->count, 2 * JOBS, "closing does what was given first");
    free(first_log);
    free(second_log);
}

int main(void) {
    run(false, false);
    run(true, false);
    run(false, true);
    run(true, true);
    kt_lane_close(NULL);
    return done();
}
