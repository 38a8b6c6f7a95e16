#include "engine/audit/refold.h"

#include <pthread.h>
#include <stdlib.h>

struct kt_refold {
    const kt_registry *registry;
    kt_txn *txn;
    uint64_t end;
    kt_store *scratch;
    void (*then)(void *context);
    void *context;
    pthread_t thread;
    bool running, done;
    kt_code code;
    uint64_t record;
    bool unread;
    kt_error error;
};

static kt_code apply_all(kt_refold *refold, kt_replay *replay) {
    kt_span record;
    for (;;) {
        kt_code code = kt_replay_next(replay, &refold->record, &record, &refold->error);
        if (code == KT_END) break;
        refold->unread = code != KT_OK;
        if (code == KT_OK) code = kt_replay_apply(replay, &refold->error);
        if (code != KT_OK) return code;
    }
    refold->record = UINT64_MAX;
    return kt_replay_finish(replay, &refold->error);
}

/* A write transaction belongs to the thread that began it: the replay lives here from end to end. */
static void work(kt_refold *refold) {
    kt_replay *replay;
    refold->record = UINT64_MAX;
    refold->code = kt_replay_open(refold->registry, refold->txn, refold->end, refold->scratch, &replay, &refold->error);
    if (refold->code == KT_OK) {
        refold->code = apply_all(refold, replay);
        kt_replay_close(replay);
    }
    refold->done = true;
}

static void *work_beside(void *context) {
    kt_refold *refold = context;
    work(refold);
    if (refold->then != NULL) refold->then(refold->context);
    return NULL;
}

kt_code kt_refold_start(const kt_registry *registry, kt_txn *txn, uint64_t end, kt_store *scratch, bool single,
                        void (*then)(void *context), void *context, kt_refold **out, kt_error *error) {
    kt_refold *refold = calloc(1, sizeof *refold);
    *out = refold;
    if (refold == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    refold->registry = registry;
    refold->txn = txn;
    refold->end = end;
    refold->scratch = scratch;
    refold->then = then;
    refold->context = context;
    refold->running = !single && pthread_create(&refold->thread, NULL, work_beside, refold) == 0;
    return KT_OK;
}

kt_code kt_refold_wait(kt_refold *refold, uint64_t *record, bool *unread, kt_error *error) {
    if (refold->running) {
        pthread_join(refold->thread, NULL);
        refold->running = false;
    }
    if (!refold->done) work(refold);
    *record = refold->record;
    *unread = refold->unread;
    if (refold->code != KT_OK && error != NULL) *error = refold->error;
    return refold->code;
}

void kt_refold_close(kt_refold *refold) {
    if (refold == NULL) return;
    if (refold->running) pthread_join(refold->thread, NULL);
    free(refold);
}
