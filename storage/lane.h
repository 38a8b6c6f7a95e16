/*
 * lane: jobs done one after another, on a thread of their own once it is started, and on the caller's until then.
 *
 * One thread gives (or the thread of the lane before it, so that lanes make a pipeline); the order of jobs is the order in
 * which they were given, so what comes out is the same with threads and without. Small work never starts a thread.
 *
 *     give ─► [ job job job ] ─► done in order          wait: all that was given is done
 *
 * A job's memory is seen by the next, and by whoever waited. Lifetime: a job's context lives until the job is done.
 */
#ifndef KT_STORAGE_LANE_H
#define KT_STORAGE_LANE_H

#include "storage/bytes.h"
#include "storage/error.h"

typedef struct kt_lane kt_lane;
typedef void (*kt_lane_job)(void *context, uint64_t argument);

kt_code kt_lane_open(kt_lane **out, kt_error *error);
void kt_lane_close(kt_lane *lane); /* after all that was given; NULL is accepted */
/* False: no thread is to be had, and jobs go on being done by whoever gives them. */
bool kt_lane_start(kt_lane *lane);
/* Waits while the lane is full. */
void kt_lane_give(kt_lane *lane, kt_lane_job job, void *context, uint64_t argument);
void kt_lane_wait(kt_lane *lane);
bool kt_lane_idle(kt_lane *lane);
/* From within a job: are others waiting behind it? */
bool kt_lane_waits(kt_lane *lane);

#endif
