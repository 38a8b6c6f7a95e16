#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* PTHREAD_MUTEX_ADAPTIVE_NP */
#endif
#include "engine/remote/desk.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/registry.h"
#include "engine/remote/inquiry.h"

#define CHECKERS_MAX 64u
#define GROUP_MAX 1024u                /* batches in one commit */
#define GROUP_BYTES ((size_t)32 << 20) /* of frames in one commit, but for the first */
#define TRIED_ROOM (KT_FRAME_TRIED_MAX * (KT_FRAME_TEXT_MAX + 32u) + 64u)

typedef struct checker {
    kt_desk *desk;
    kt_book *book; /* of its own, for reading */
    pthread_t thread;
} checker;

struct kt_desk {
    kt_book *book; /* the writer's */
    kt_accept *accept;
    int wake;
    pthread_mutex_t lock; /* over all that follows but the threads */
    pthread_cond_t to_check, to_write;
    kt_job_queue checking, writing, done;
    unsigned resting; /* checkers that wait */
    bool ends, checkers_ended;
    kt_code health;
    kt_error why;
    kt_desk_stats stats;
    checker checkers[CHECKERS_MAX];
    unsigned checker_count;
    pthread_t writer;
    bool writes;
};

const char *kt_desk_origin(const kt_desk *desk) { return kt_book_origin(desk->book); }

/* ---- handing over ---- */

/* Nobody is woken who is awake: whoever is at work looks for more before it rests. */
void kt_desk_give(kt_desk *desk, kt_job_queue *jobs) {
    unsigned count = 0;
    if (jobs->first == NULL) return;
    pthread_mutex_lock(&desk->lock);
    for (kt_job *job; (job = kt_job_get(jobs)) != NULL; count++) kt_job_put(&desk->checking, job);
    unsigned wakes = count < desk->resting ? count : desk->resting;
    pthread_mutex_unlock(&desk->lock);
    while (wakes-- != 0) pthread_cond_signal(&desk->to_check);
}

kt_job *kt_desk_take(kt_desk *desk) {
    pthread_mutex_lock(&desk->lock);
    kt_job *first = desk->done.first;
    desk->done = (kt_job_queue){0};
    pthread_mutex_unlock(&desk->lock);
    return first;
}

kt_code kt_desk_health(kt_desk *desk, kt_error *error) {
    pthread_mutex_lock(&desk->lock);
    kt_code code = desk->health;
    if (code != KT_OK && error != NULL) *error = desk->why;
    pthread_mutex_unlock(&desk->lock);
    return code;
}

void kt_desk_stats_of(kt_desk *desk, kt_desk_stats *out) {
    pthread_mutex_lock(&desk->lock);
    *out = desk->stats;
    pthread_mutex_unlock(&desk->lock);
}

static void wake(const kt_desk *desk) {
    uint64_t one = 1;
    /* It fails only where the counter is full, and then whoever reads it is awake. */
    if (write(desk->wake, &one, sizeof one) < 0) return;
}

static void finish(kt_desk *desk, kt_job_queue *jobs) {
    if (jobs->first == NULL) return;
    pthread_mutex_lock(&desk->lock);
    bool idle = desk->done.first == NULL;
    for (kt_job *job; (job = kt_job_get(jobs)) != NULL;) kt_job_put(&desk->done, job);
    pthread_mutex_unlock(&desk->lock);
    if (idle) wake(desk);
}

static void finish_one(kt_desk *desk, kt_job *job) {
    kt_job_queue one = {0};
    kt_job_put(&one, job);
    finish(desk, &one);
}

static void pass_to_writer(kt_desk *desk, kt_job *job) {
    pthread_mutex_lock(&desk->lock);
    bool first = desk->writing.first == NULL;
    kt_job_put(&desk->writing, job);
    pthread_mutex_unlock(&desk->lock);
    if (first) pthread_cond_signal(&desk->to_write);
}

/* ---- checking ---- */

static kt_code inquire(checker *self, kt_job *job, kt_error *error) {
    uint8_t room[KT_INQUIRY_ROOM];
    kt_view *view;
    kt_pack pack;
    kt_pack_init(&pack, room, sizeof room);
    kt_code code = kt_view_open(self->book, NULL, &view, error);
    if (code != KT_OK) return code;
    if (job->body == NULL) code = kt_inquiry_hello(view, &pack, error);
    else code = kt_inquiry_answer(view, kt_span_of(job->body, job->size), &pack, error);
    kt_view_close(view);
    return code == KT_OK ? kt_job_answer(job, room, pack.size, error) : code;
}

/* A try without records: only whether the id is on record. */
static kt_code look_up(checker *self, kt_job *job, kt_error *error) {
    kt_submission *submission = &job->submission;
    uint8_t room[64];
    kt_view *view;
    kt_pack pack;
    kt_tried_frame tried = {0};
    kt_code code = kt_view_open(self->book, NULL, &view, error);
    if (code != KT_OK) return code;
    code = kt_inquiry_batch(view, &submission->arrival.frame, &submission->receipt, submission->note, error);
    kt_view_close(view);
    if (code != KT_NOT_FOUND) {
        submission->code = code;
        if (code != KT_REPEATED) return code;
        kt_job_answer_submission(job);
        return KT_OK;
    }
    kt_pack_init(&pack, room, sizeof room);
    kt_tried_pack(&pack, &tried);
    return kt_job_answer(job, room, pack.size, error);
}

/* True: it goes on to the writer. */
static bool check(checker *self, kt_job *job) {
    kt_error error = {0};
    kt_frame_type type = KT_FRAME_QUESTION;
    int64_t record = -1;
    kt_span body = kt_span_of(job->body, job->size);
    kt_code code = job->body == NULL ? KT_OK : kt_frame_type_of(body, &type, &error);
    if (code == KT_OK && type == KT_FRAME_BATCH) {
        kt_arrival *arrival = &job->submission.arrival;
        code = kt_arrival_read(&kt_the_registry, kt_desk_origin(self->desk), body, arrival, &record, &error);
        if (code == KT_OK && arrival->frame.count != 0) return true;
        if (code == KT_OK) code = look_up(self, job, &error);
    } else if (code == KT_OK && type == KT_FRAME_QUESTION) code = inquire(self, job, &error);
    else if (code == KT_OK) code = kt_fail(&error, KT_INVALID, "a frame that only the server sends");
    if (code != KT_OK) kt_job_refuse(job, code, record, error.text);
    return false;
}

static void *run_checker(void *context) {
    checker *self = context;
    kt_desk *desk = self->desk;
    pthread_mutex_lock(&desk->lock);
    for (;;) {
        kt_job *job = kt_job_get(&desk->checking);
        if (job == NULL && desk->ends) break;
        if (job == NULL) {
            desk->resting++;
            pthread_cond_wait(&desk->to_check, &desk->lock);
            desk->resting--;
            continue;
        }
        pthread_mutex_unlock(&desk->lock);
        if (check(self, job)) pass_to_writer(desk, job);
        else finish_one(desk, job);
        pthread_mutex_lock(&desk->lock);
    }
    pthread_mutex_unlock(&desk->lock);
    return NULL;
}

/* ---- writing ---- */

typedef struct trying {
    kt_pack pack;
    kt_tried_frame tried;
    uint64_t refused;
} trying;

static void note_refused(void *context, int64_t record, kt_code code, const char *text) {
    trying *try = context;
    kt_refused one = {code, record, kt_str_from(text)};
    try->refused++;
    if (try->tried.count == KT_FRAME_TRIED_MAX || !kt_utf8_valid(text, one.text.size)) {
        try->tried.more = true;
        return;
    }
    kt_tried_pack_one(&try->pack, &one);
    try->tried.count++;
}

static void answer_try(kt_job *job, trying *try, uint8_t *room, kt_error *error) {
    uint8_t head[64];
    kt_pack pack;
    uint64_t posted = job->submission.arrival.frame.posted;
    try->tried.entries = posted > try->refused ? posted - try->refused : 0;
    kt_pack_init(&pack, head, sizeof head);
    kt_tried_pack(&pack, &try->tried);
    memmove(room + pack.size, room, try->pack.size);
    memcpy(room, head, pack.size);
    if (kt_job_answer(job, room, pack.size + try->pack.size, error) != KT_OK)
        kt_job_refuse(job, error->code, -1, error->text);
}

static void do_try(kt_desk *desk, kt_job *job) {
    trying try = {0};
    kt_error error = {0};
    uint8_t *room = malloc(TRIED_ROOM);
    kt_pack_init(&try.pack, room, room == NULL ? 0 : TRIED_ROOM - 64);
    kt_code code = room == NULL ? kt_fail(&error, KT_MEMORY, "out of memory")
                                : kt_accept_try(desk->accept, &job->submission.arrival, note_refused, &try, &error);
    if (code == KT_OK) answer_try(job, &try, room, &error);
    else kt_job_refuse(job, code, -1, error.text);
    free(room);
    finish_one(desk, job);
}

static void count_outcomes(kt_desk *desk, kt_submission *const *submissions, size_t count) {
    bool stored = false;
    pthread_mutex_lock(&desk->lock);
    for (size_t i = 0; i < count; i++) {
        const kt_submission *submission = submissions[i];
        if (submission->code == KT_OK) {
            desk->stats.batches++;
            desk->stats.entries += submission->receipt.entries;
            stored = true;
        } else if (submission->code == KT_REPEATED) desk->stats.repeated++;
        else desk->stats.refused++;
    }
    desk->stats.commits += stored;
    pthread_mutex_unlock(&desk->lock);
}

/* A store that took a failed sync takes nothing more until it is opened anew (law 3). */
static void note_health(kt_desk *desk, kt_code code, const char *text) {
    if (code != KT_POISONED && code != KT_IO && code != KT_DISK_FULL) return;
    pthread_mutex_lock(&desk->lock);
    if (desk->health == KT_OK) desk->health = kt_fail(&desk->why, code, "%s", text);
    pthread_mutex_unlock(&desk->lock);
}

/* The jobs are written in the order they came; those that the commit left for the next go back to the front. */
static void do_group(kt_desk *desk, kt_job **jobs, size_t count, size_t *done) {
    kt_submission *submissions[GROUP_MAX];
    kt_job_queue finished = {0};
    for (size_t i = 0; i < count; i++) submissions[i] = &jobs[i]->submission;
    kt_code code = kt_group_commit(desk->accept, submissions, count, done);
    count_outcomes(desk, submissions, *done);
    if (code != KT_OK) note_health(desk, code, submissions[0]->text);
    for (size_t i = 0; i < *done; i++) {
        kt_job_answer_submission(jobs[i]);
        kt_job_put(&finished, jobs[i]);
    }
    finish(desk, &finished);
}

/* Takes what is there, as far as it goes into one commit; a try goes by itself. Under the lock. */
static size_t take_group(kt_desk *desk, kt_job **jobs, size_t held) {
    size_t bytes = 0;
    while (held < GROUP_MAX && desk->writing.first != NULL) {
        kt_job *next = desk->writing.first;
        if (held != 0 && (next->submission.arrival.frame.flags & KT_BATCH_TRY) != 0) break;
        bytes += next->size;
        if (held != 0 && bytes > GROUP_BYTES) break;
        jobs[held++] = kt_job_get(&desk->writing);
        if ((next->submission.arrival.frame.flags & KT_BATCH_TRY) != 0) break;
    }
    return held;
}

static void *run_writer(void *context) {
    kt_desk *desk = context;
    kt_job *jobs[GROUP_MAX];
    size_t held = 0; /* left over from the last group */
    for (;;) {
        pthread_mutex_lock(&desk->lock);
        while (held == 0 && desk->writing.first == NULL && !desk->checkers_ended)
            pthread_cond_wait(&desk->to_write, &desk->lock);
        size_t count = take_group(desk, jobs, held);
        pthread_mutex_unlock(&desk->lock);
        if (count == 0) return NULL;
        size_t done = 1;
        if ((jobs[0]->submission.arrival.frame.flags & KT_BATCH_TRY) != 0) do_try(desk, jobs[0]);
        else do_group(desk, jobs, count, &done);
        held = count - done;
        memmove(jobs, jobs + done, held * sizeof *jobs);
    }
}

/* ---- opening ---- */

static kt_code start(kt_desk *desk, const kt_desk_options *options, kt_error *error) {
    long cores = options->threads != 0 ? (long)options->threads : sysconf(_SC_NPROCESSORS_ONLN);
    unsigned wanted = cores < 1 ? 1 : cores > (long)CHECKERS_MAX ? CHECKERS_MAX : (unsigned)cores;
    kt_open_options reading = {.read_only = true};
    kt_code code = KT_OK;
    for (unsigned i = 0; i < wanted && code == KT_OK; i++) {
        checker *self = &desk->checkers[i];
        self->desk = desk;
        code = kt_book_open(options->directory, &reading, &self->book, error);
        if (code != KT_OK) break;
        int failed = pthread_create(&self->thread, NULL, run_checker, self);
        if (failed == 0) desk->checker_count++;
        else {
            kt_book_close(self->book);
            code = kt_fail_errno(error, failed, "a thread");
        }
    }
    if (code == KT_OK) {
        int failed = pthread_create(&desk->writer, NULL, run_writer, desk);
        desk->writes = failed == 0;
        if (failed != 0) code = kt_fail_errno(error, failed, "a thread");
    }
    return code;
}

kt_code kt_desk_open(const kt_desk_options *options, kt_desk **out, kt_error *error) {
    kt_desk *desk = calloc(1, sizeof *desk);
    *out = NULL;
    if (desk == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    desk->wake = options->wake;
    pthread_mutexattr_t spins; /* it is held for some instructions at a time */
    pthread_mutexattr_init(&spins);
    pthread_mutexattr_settype(&spins, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&desk->lock, &spins);
    pthread_mutexattr_destroy(&spins);
    pthread_cond_init(&desk->to_check, NULL);
    pthread_cond_init(&desk->to_write, NULL);
    kt_open_options opening = {.entity = options->entity,
                               .clock_us = options->clock_us,
                               .context = options->context,
                               .passphrase = options->passphrase,
                               .passphrase_context = options->passphrase_context};
    kt_code code = kt_book_open(options->directory, &opening, &desk->book, error);
    if (code == KT_OK) code = kt_accept_open(desk->book, &desk->accept, error);
    if (code ==
        KT_OK) { /* the key is there and right, and the book can be written: said now, not to the first client */
        code = kt_accept_begin(desk->accept, error);
        if (code == KT_OK) kt_accept_abort(desk->accept);
    }
    if (code == KT_OK) code = start(desk, options, error);
    if (code != KT_OK) kt_desk_close(desk);
    else *out = desk;
    return code;
}

void kt_desk_close(kt_desk *desk) {
    if (desk == NULL) return;
    pthread_mutex_lock(&desk->lock);
    desk->ends = true;
    pthread_cond_broadcast(&desk->to_check);
    pthread_mutex_unlock(&desk->lock);
    for (unsigned i = 0; i < desk->checker_count; i++) {
        pthread_join(desk->checkers[i].thread, NULL);
        kt_book_close(desk->checkers[i].book);
    }
    pthread_mutex_lock(&desk->lock);
    desk->checkers_ended = true;
    pthread_cond_broadcast(&desk->to_write);
    pthread_mutex_unlock(&desk->lock);
    if (desk->writes) pthread_join(desk->writer, NULL);
    kt_accept_close(desk->accept);
    kt_book_close(desk->book);
    pthread_cond_destroy(&desk->to_check);
    pthread_cond_destroy(&desk->to_write);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}
