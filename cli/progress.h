/*
 * progress: a bar on standard error, only where that is a terminal.
 *
 * Shows how far, how fast and how long still. Whole numbers only; drawn ten times a second at most.
 * Lifetime: a kt_progress is the caller's plain value; kt_progress_end wipes the line.
 */
#ifndef KT_CLI_PROGRESS_H
#define KT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct kt_progress {
    const char *what; /* what goes on: "posting" */
    bool on;
    bool drawn;
    uint64_t started_ms, drawn_ms;
} kt_progress;

void kt_progress_begin(kt_progress *progress, const char *what);
/* done of `of` steps; counted: entries or records so far, called `name`. */
void kt_progress_show(kt_progress *progress, uint64_t done, uint64_t of, uint64_t counted, const char *name);
void kt_progress_end(kt_progress *progress);

/* As the engine's callbacks want it: context is a kt_progress. */
void kt_progress_import(void *context, uint64_t bytes_done, uint64_t bytes, uint64_t entries);
void kt_progress_records(void *context, uint64_t done, uint64_t of);

/* Milliseconds on a clock that never goes back. */
uint64_t kt_progress_clock_ms(void);
/* count a second over ms; 0 where no time went by. */
uint64_t kt_progress_rate(uint64_t count, uint64_t ms);

#endif
