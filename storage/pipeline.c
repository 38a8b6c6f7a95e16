#include "storage/pipeline.h"

#include <pthread.h>
#include <stdlib.h>

#include "storage/hasher.h"
#include "storage/lane.h"

#define PARCELS 32u /* a batch has two at least, if it is large: its blocks, and the one of its seal */

struct sent {
    bool done;
    kt_code code;
    kt_error error;
    kt_log_head head;
};

struct kt_pipeline {
    kt_hasher *hasher;
    kt_writer *writer;
    void (*prepare)(void *context, uint64_t first, uint32_t count);
    void *context;
    kt_lane *hashing, *writing;
    bool running; /* the lanes have threads */
    kt_parcel *parcels[PARCELS];
    unsigned next;
    unsigned ends, changes; /* written and not committed; of the writing lane */
    /* Under the guard: what the lanes tell. */
    pthread_mutex_t guard;
    pthread_cond_t moved;
    uint64_t committed;
    struct sent sent[KT_PIPELINE_SENT];
    unsigned first, count, done;
    kt_code failed;
    kt_error failure;
};

kt_code kt_pipeline_open(kt_store *store, const char *origin, const kt_writer_hooks *hooks, kt_pipeline **out,
                         kt_error *error) {
    kt_pipeline *pipeline = calloc(1, sizeof *pipeline);
    *out = NULL;
    if (pipeline == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    pipeline->prepare = hooks->prepare;
    pipeline->context = hooks->context;
    pthread_mutex_init(&pipeline->guard, NULL);
    pthread_cond_init(&pipeline->moved, NULL);
    kt_code code = kt_hasher_open(origin, &pipeline->hasher, error);
    if (code == KT_OK) code = kt_writer_open(store, hooks, &pipeline->writer, error);
    if (code == KT_OK) code = kt_lane_open(&pipeline->hashing, error);
    if (code == KT_OK) code = kt_lane_open(&pipeline->writing, error);
    if (code != KT_OK) kt_pipeline_close(pipeline);
    else *out = pipeline;
    return code;
}

void kt_pipeline_close(kt_pipeline *pipeline) {
    if (pipeline == NULL) return;
    kt_lane_close(pipeline->hashing); /* in this order: the first gives to the second */
    kt_lane_close(pipeline->writing);
    kt_writer_close(pipeline->writer);
    kt_hasher_close(pipeline->hasher);
    for (unsigned i = 0; i < PARCELS; i++) {
        if (pipeline->parcels[i] != NULL) free(pipeline->parcels[i]->data);
        free(pipeline->parcels[i]);
    }
    pthread_cond_destroy(&pipeline->moved);
    pthread_mutex_destroy(&pipeline->guard);
    free(pipeline);
}

bool kt_pipeline_start(kt_pipeline *pipeline) {
    if (!pipeline->running) pipeline->running = kt_lane_start(pipeline->writing) && kt_lane_start(pipeline->hashing);
    return pipeline->running;
}

bool kt_pipeline_runs(const kt_pipeline *pipeline) { return pipeline->running; }

/* ---- failures ---- */

void kt_pipeline_fail(kt_pipeline *pipeline, kt_code code, const kt_error *error) {
    pthread_mutex_lock(&pipeline->guard);
    if (pipeline->failed == KT_OK) {
        pipeline->failed = code;
        pipeline->failure = *error;
    }
    pthread_mutex_unlock(&pipeline->guard);
}

kt_code kt_pipeline_failure(kt_pipeline *pipeline, kt_error *error) {
    pthread_mutex_lock(&pipeline->guard);
    kt_code code = pipeline->failed;
    if (code != KT_OK && error != NULL) *error = pipeline->failure;
    pthread_mutex_unlock(&pipeline->guard);
    return code;
}

void kt_pipeline_forget_failure(kt_pipeline *pipeline) { pipeline->failed = KT_OK; }

/* ---- what the lanes do ---- */

/* What was written since the last commit has this outcome. */
static void tell(kt_pipeline *pipeline, kt_code code, const kt_error *error) {
    pthread_mutex_lock(&pipeline->guard);
    for (; pipeline->ends != 0; pipeline->ends--) {
        struct sent *sent = &pipeline->sent[(pipeline->first + pipeline->done++) % KT_PIPELINE_SENT];
        sent->done = true;
        sent->code = code;
        if (code != KT_OK) sent->error = *error;
    }
    if (code == KT_OK) pipeline->committed += pipeline->changes;
    pipeline->changes = 0;
    pthread_cond_broadcast(&pipeline->moved);
    pthread_mutex_unlock(&pipeline->guard);
}

static kt_code commit(kt_pipeline *pipeline, kt_error *error) {
    kt_code code = kt_writer_commit(pipeline->writer, error);
    if (code == KT_OK) tell(pipeline, code, error);
    return code;
}

/* Batches that wait behind a written one share its sync: a lane that falls behind catches up, and none waits for what has not
   come yet. */
static bool is_due(kt_pipeline *pipeline, const kt_parcel *parcel) {
    if (parcel->end == KT_PARCEL_PIECE) return true;
    return pipeline->ends != 0 &&
           (!kt_lane_waits(pipeline->writing) || kt_writer_blocks(pipeline->writer) >= KT_PIPELINE_BLOCKS);
}

static void store_parcel(void *context, uint64_t index) {
    kt_pipeline *pipeline = context;
    kt_parcel *parcel = pipeline->parcels[index];
    kt_error error = {0};
    kt_code code = kt_pipeline_failure(pipeline, &error);
    bool failed_before = code != KT_OK;
    if (code == KT_OK && parcel->failed != KT_OK) {
        /* The batches before it are whole and signed; its own blocks come to lie above the head. */
        if (pipeline->ends != 0) code = commit(pipeline, &error);
        if (code == KT_OK) {
            code = parcel->failed;
            error = parcel->failure;
        }
    }
    if (code == KT_OK) code = kt_writer_put(pipeline->writer, parcel, &error);
    if (parcel->end == KT_PARCEL_SEALED) {
        pthread_mutex_lock(&pipeline->guard);
        pipeline->sent[(pipeline->first + pipeline->done + pipeline->ends++) % KT_PIPELINE_SENT].head = parcel->head;
        pthread_mutex_unlock(&pipeline->guard);
    }
    pipeline->changes += parcel->changes != NULL;
    if (code == KT_OK && is_due(pipeline, parcel)) code = commit(pipeline, &error);
    if (code != KT_OK) {
        kt_writer_abort(pipeline->writer);
        if (!failed_before) kt_pipeline_fail(pipeline, code, &error);
        tell(pipeline, code, &error);
    }
    pthread_mutex_lock(&pipeline->guard);
    parcel->busy = false;
    pthread_cond_broadcast(&pipeline->moved);
    pthread_mutex_unlock(&pipeline->guard);
}

static void finish_parcel(void *context, uint64_t index) {
    kt_pipeline *pipeline = context;
    const kt_parcel *parcel = pipeline->parcels[index];
    kt_hasher_finish(pipeline->hasher, pipeline->parcels[index]);
    if (pipeline->prepare != NULL && parcel->count != 0)
        pipeline->prepare(pipeline->context, parcel->first, parcel->count);
    kt_lane_give(pipeline->writing, store_parcel, pipeline, index);
}

static void hash_step(void *context, uint64_t argument) {
    kt_pipeline *pipeline = context;
    kt_hasher_to(pipeline->hasher, pipeline->parcels[argument >> 32], (uint32_t)argument);
}

/* Batches that are whole are not dropped with the open one: its blocks come to lie above the head, and are dropped there. */
static void abort_writer(void *context, uint64_t argument) {
    kt_pipeline *pipeline = context;
    kt_error error = {0};
    (void)argument;
    kt_code code = pipeline->ends == 0 ? KT_OK : commit(pipeline, &error);
    kt_writer_abort(pipeline->writer);
    if (code == KT_OK) return;
    kt_pipeline_fail(pipeline, code, &error);
    tell(pipeline, code, &error);
}

static void pass_abort(void *context, uint64_t argument) {
    kt_lane_give(((kt_pipeline *)context)->writing, abort_writer, context, argument);
}

/* ---- parcels ---- */

kt_code kt_pipeline_next(kt_pipeline *pipeline, kt_parcel **out, kt_error *error) {
    unsigned index = pipeline->next;
    kt_parcel *parcel = pipeline->parcels[index];
    if (parcel == NULL) {
        parcel = calloc(1, sizeof *parcel);
        if (parcel != NULL) parcel->data = malloc(KT_BLOCK_BYTES);
        if (parcel == NULL || parcel->data == NULL) {
            free(parcel);
            return kt_fail(error, KT_MEMORY, "out of memory");
        }
        parcel->index = index;
        pipeline->parcels[index] = parcel;
    }
    pthread_mutex_lock(&pipeline->guard);
    while (parcel->busy) pthread_cond_wait(&pipeline->moved, &pipeline->guard);
    pthread_mutex_unlock(&pipeline->guard);
    parcel->count = parcel->bytes = parcel->hashed = parcel->tile_count = 0;
    parcel->hashed_bytes = 0;
    parcel->end = KT_PARCEL_GOES_ON;
    parcel->changes = NULL;
    pipeline->next = (index + 1) % PARCELS;
    *out = parcel;
    return KT_OK;
}

void kt_pipeline_hash(kt_pipeline *pipeline, kt_parcel *parcel) {
    kt_lane_give(pipeline->hashing, hash_step, pipeline, (uint64_t)parcel->index << 32 | parcel->count);
}

void kt_pipeline_give(kt_pipeline *pipeline, kt_parcel *parcel) {
    pthread_mutex_lock(&pipeline->guard);
    parcel->busy = true;
    if (parcel->end == KT_PARCEL_SEALED)
        pipeline->sent[(pipeline->first + pipeline->count++) % KT_PIPELINE_SENT].done = false;
    pthread_mutex_unlock(&pipeline->guard);
    kt_lane_give(pipeline->hashing, finish_parcel, pipeline, parcel->index);
}

void kt_pipeline_wait(kt_pipeline *pipeline) {
    kt_lane_wait(pipeline->hashing);
    kt_lane_wait(pipeline->writing);
}

void kt_pipeline_abort(kt_pipeline *pipeline) {
    kt_lane_give(pipeline->hashing, pass_abort, pipeline, 0);
    kt_pipeline_wait(pipeline);
}

/* ---- what came of them ---- */

uint64_t kt_pipeline_committed(kt_pipeline *pipeline) {
    pthread_mutex_lock(&pipeline->guard);
    uint64_t committed = pipeline->committed;
    pthread_mutex_unlock(&pipeline->guard);
    return committed;
}

unsigned kt_pipeline_under_way(const kt_pipeline *pipeline) { return pipeline->count; }

kt_code kt_pipeline_receive(kt_pipeline *pipeline, bool wait, kt_log_head *head, kt_error *error) {
    if (pipeline->count == 0) return KT_END;
    pthread_mutex_lock(&pipeline->guard);
    struct sent *sent = &pipeline->sent[pipeline->first];
    while (wait && !sent->done) pthread_cond_wait(&pipeline->moved, &pipeline->guard);
    bool done = sent->done;
    kt_code code = sent->code;
    if (done) {
        *head = sent->head;
        if (code != KT_OK && error != NULL) *error = sent->error;
        pipeline->first = (pipeline->first + 1) % KT_PIPELINE_SENT;
        pipeline->count--;
        pipeline->done--;
    }
    pthread_mutex_unlock(&pipeline->guard);
    return done ? code : kt_fail(error, KT_BUSY, "the batch is under way");
}

void kt_pipeline_set_head(kt_pipeline *pipeline, const kt_tree *tree) {
    kt_hasher_begin(pipeline->hasher, tree);
    kt_writer_set_head(pipeline->writer, tree->size);
}

kt_writer *kt_pipeline_writer(kt_pipeline *pipeline) { return pipeline->writer; }
