#include "engine/remote/job.h"

#include <stdlib.h>

void kt_job_clear(kt_job *job) {
    free(job->body);
    if (job->answer != job->small) free(job->answer);
    job->body = job->answer = NULL;
    job->size = job->answer_size = 0;
    job->hangs_up = false;
}

kt_code kt_job_answer(kt_job *job, const uint8_t *body, size_t size, kt_error *error) {
    uint8_t *room = job->small;
    if (size > KT_FRAME_MAX) return kt_fail(error, KT_LIMIT, "an answer of %zu bytes", size);
    if (KT_FRAME_HEAD + size > sizeof job->small && (room = malloc(KT_FRAME_HEAD + size)) == NULL)
        return kt_fail(error, KT_MEMORY, "out of memory for an answer");
    kt_frame_head(room, size);
    memcpy(room + KT_FRAME_HEAD, body, size);
    job->answer = room;
    job->answer_size = KT_FRAME_HEAD + size;
    return KT_OK;
}

/* What was packed behind the room for the head, in the job's own room. */
static void answer_small(kt_job *job, const kt_pack *pack) {
    kt_frame_head(job->small, pack->size);
    job->answer = job->small;
    job->answer_size = KT_FRAME_HEAD + pack->size;
}

/* Cut where a character begins, so that it stays UTF-8. */
static size_t whole_characters(const char *text, size_t most) {
    size_t size = strlen(text);
    if (size <= most) return size;
    size = most;
    while (size != 0 && ((uint8_t)text[size] & 0xc0) == 0x80) size--;
    return size;
}

void kt_job_refuse(kt_job *job, kt_code code, int64_t record, const char *text) {
    kt_pack pack;
    size_t size = whole_characters(text, KT_FRAME_TEXT_MAX);
    if (!kt_utf8_valid(text, size)) {
        text = "refused";
        size = strlen(text);
    }
    kt_refused refused = {code, record, {text, size}};
    kt_pack_init(&pack, job->small + KT_FRAME_HEAD, sizeof job->small - KT_FRAME_HEAD);
    kt_refusal_pack(&pack, &refused);
    answer_small(job, &pack);
}

void kt_job_answer_submission(kt_job *job) {
    const kt_submission *submission = &job->submission;
    kt_pack pack;
    if (submission->code != KT_OK && submission->code != KT_REPEATED) {
        kt_job_refuse(job, submission->code, submission->record, submission->text);
        return;
    }
    kt_receipt_frame frame = {submission->receipt, submission->code == KT_REPEATED, kt_str_from(submission->note)};
    kt_pack_init(&pack, job->small + KT_FRAME_HEAD, sizeof job->small - KT_FRAME_HEAD);
    kt_receipt_pack(&pack, &frame);
    answer_small(job, &pack);
}

void kt_job_put(kt_job_queue *queue, kt_job *job) {
    job->next = NULL;
    if (queue->last == NULL) queue->first = job;
    else queue->last->next = job;
    queue->last = job;
}

kt_job *kt_job_get(kt_job_queue *queue) {
    kt_job *job = queue->first;
    if (job == NULL) return NULL;
    queue->first = job->next;
    if (queue->first == NULL) queue->last = NULL;
    job->next = NULL;
    return job;
}
