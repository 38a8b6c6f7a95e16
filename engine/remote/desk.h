/*
 * desk: the threads behind the server's I/O: some that read and check what came, on all cores, and one that writes.
 *
 * The writer takes whatever is there when the commit before it is done (no timer), and answers after the sync. Between
 * commits the writer's turn is free, so others may post to the book directly.
 *
 * Laws kept: 3, 11 (questions are answered from views). Lifetime: kt_desk_close waits until everything given is done.
 * Jobs that are done are told of by one byte, or more, at the wake descriptor (an eventfd).
 */
#ifndef KT_REMOTE_DESK_H
#define KT_REMOTE_DESK_H

#include "engine/remote/job.h"

typedef struct kt_desk kt_desk;

typedef struct kt_desk_options {
    const char *directory;
    kt_str entity;                      /* as in kt_open_options */
    unsigned threads;                   /* that check; 0: one a core */
    int wake;                           /* an eventfd */
    int64_t (*clock_us)(void *context); /* for tests; NULL: the system's */
    void *context;
    /* As in kt_open_options. */
    kt_code (*passphrase)(void *context, const char *key_name, char *out, size_t room, kt_error *error);
    void *passphrase_context;
} kt_desk_options;

typedef struct kt_desk_stats {
    uint64_t batches, entries, commits, refused, repeated;
} kt_desk_stats;

kt_code kt_desk_open(const kt_desk_options *options, kt_desk **out, kt_error *error);
void kt_desk_close(kt_desk *desk);
const char *kt_desk_origin(const kt_desk *desk);

/* All that came meanwhile at once: the queue is empty then. */
void kt_desk_give(kt_desk *desk, kt_job_queue *jobs);
/* All jobs done since the last call, first done first; NULL: none. */
kt_job *kt_desk_take(kt_desk *desk);
/* KT_OK, or why nothing can be stored any more. */
kt_code kt_desk_health(kt_desk *desk, kt_error *error);
void kt_desk_stats_of(kt_desk *desk, kt_desk_stats *out);

#endif
