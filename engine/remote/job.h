/*
 * job: one frame of one client on its way through the server, and the frame that answers it.
 *
 *     I/O ─► a checker (any of several threads) ─┬─► I/O            questions, what is refused without the book
 *                                                └─► the writer ─► I/O      batches
 *
 * A job belongs to whoever has it; handing it over goes through a queue's lock. The body is what the client sent; the
 * answer is a whole frame with its head, in the job's own small room or, where that is too small, in memory of its own.
 */
#ifndef KT_REMOTE_JOB_H
#define KT_REMOTE_JOB_H

#include "engine/remote/group.h"

#define KT_JOB_SMALL 3072u

typedef struct kt_job {
    struct kt_job *next;
    uint8_t *body; /* NULL: the client is new, and gets the hello */
    size_t size;
    kt_submission submission;
    uint8_t *answer; /* small, or allocated */
    size_t answer_size;
    bool hangs_up; /* after the answer */
    uint8_t small[KT_JOB_SMALL];
} kt_job;

void kt_job_clear(kt_job *job); /* the body and the answer go */

/* A refusal as the answer; it always fits. */
void kt_job_refuse(kt_job *job, kt_code code, int64_t record, const char *text);
/* What became of the submission: a receipt or a refusal. */
void kt_job_answer_submission(kt_job *job);
/* A packed body becomes the answer; KT_MEMORY. room: where it was packed. */
kt_code kt_job_answer(kt_job *job, const uint8_t *body, size_t size, kt_error *error);

/* First in, first out; not locked by itself. */
typedef struct kt_job_queue {
    kt_job *first, *last;
} kt_job_queue;
void kt_job_put(kt_job_queue *queue, kt_job *job);
kt_job *kt_job_get(kt_job_queue *queue); /* NULL: empty */

#endif
