#include "storage/lane.h"

#include <pthread.h>
#include <stdlib.h>

#define LANE_JOBS 128u /* more than the steps of all blocks under way */

struct job {
    kt_lane_job job;
    void *context;
    uint64_t argument;
};

struct kt_lane {
    pthread_mutex_t lock;
    pthread_cond_t more, less; /* a job was given; one was done */
    pthread_t thread;
    bool started, ending;
    uint64_t given, done; /* all since the start */
    unsigned sleeping;    /* somebody waits for less */
    struct job jobs[LANE_JOBS];
};

kt_code kt_lane_open(kt_lane **out, kt_error *error) {
    kt_lane *lane = calloc(1, sizeof *lane);
    *out = lane;
    if (lane == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->more, NULL);
    pthread_cond_init(&lane->less, NULL);
    return KT_OK;
}

static void *work(void *context) {
    kt_lane *lane = context;
    pthread_mutex_lock(&lane->lock);
    for (;;) {
        while (lane->done == lane->given && !lane->ending) pthread_cond_wait(&lane->more, &lane->lock);
        if (lane->done == lane->given) break;
        struct job job = lane->jobs[lane->done % LANE_JOBS];
        pthread_mutex_unlock(&lane->lock);
        job.job(job.context, job.argument);
        pthread_mutex_lock(&lane->lock);
        lane->done++;
        if (lane->sleeping != 0) pthread_cond_broadcast(&lane->less);
    }
    pthread_mutex_unlock(&lane->lock);
    return NULL;
}

bool kt_lane_start(kt_lane *lane) {
    if (!lane->started) lane->started = pthread_create(&lane->thread, NULL, work, lane) == 0;
    return lane->started;
}

void kt_lane_close(kt_lane *lane) {
    if (lane == NULL) return;
    if (lane->started) {
        pthread_mutex_lock(&lane->lock);
        lane->ending = true;
        pthread_cond_signal(&lane->more);
        pthread_mutex_unlock(&lane->lock);
        pthread_join(lane->thread, NULL);
    }
    pthread_cond_destroy(&lane->more);
    pthread_cond_destroy(&lane->less);
    pthread_mutex_destroy(&lane->lock);
    free(lane);
}

/* Until at most `left` of the jobs are still to be done; called under the lock. */
static void wait_for(kt_lane *lane, uint64_t left) {
    lane->sleeping++;
    while (lane->given - lane->done > left) pthread_cond_wait(&lane->less, &lane->lock);
    lane->sleeping--;
}

void kt_lane_give(kt_lane *lane, kt_lane_job job, void *context, uint64_t argument) {
    if (!lane->started) {
        job(context, argument);
        return;
    }
    pthread_mutex_lock(&lane->lock);
    wait_for(lane, LANE_JOBS - 1);
    lane->jobs[lane->given++ % LANE_JOBS] = (struct job){job, context, argument};
    if (lane->given - lane->done == 1) pthread_cond_signal(&lane->more); /* else it is at work */
    pthread_mutex_unlock(&lane->lock);
}

void kt_lane_wait(kt_lane *lane) {
    if (!lane->started) return;
    pthread_mutex_lock(&lane->lock);
    wait_for(lane, 0);
    pthread_mutex_unlock(&lane->lock);
}

bool kt_lane_idle(kt_lane *lane) {
    if (!lane->started) return true;
    pthread_mutex_lock(&lane->lock);
    bool idle = lane->given == lane->done;
    pthread_mutex_unlock(&lane->lock);
    return idle;
}

bool kt_lane_waits(kt_lane *lane) {
    if (!lane->started) return false;
    pthread_mutex_lock(&lane->lock);
    bool waits = lane->given - lane->done > 1;
    pthread_mutex_unlock(&lane->lock);
    return waits;
}
