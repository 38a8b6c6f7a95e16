/*
 * pipeline: parcels on their way: one lane hashes and signs them, the next stores them, in the order they were given.
 *
 *     next ─► (the caller fills) ─► hash, hash ─► give ║ hasher ─► writer ─► receive, where the parcel was an end
 *
 * Without threads (none started, or none to be had) a parcel given is stored when give returns; the bytes are the same.
 * After a failure nothing more is stored: parcels given pass unstored, and ends are received with the failure, until it
 * is forgotten.
 *
 * Lifetime: one thread calls. Threads are started where there is work for them, and end with close.
 */
#ifndef KT_STORAGE_PIPELINE_H
#define KT_STORAGE_PIPELINE_H

#include "storage/writer.h"

#define KT_PIPELINE_BLOCKS 32u /* of one transaction, at most: bounds its memory */
#define KT_PIPELINE_SENT 16u   /* ends given and not received, at most */

typedef struct kt_pipeline kt_pipeline;

kt_code kt_pipeline_open(kt_store *store, const char *origin, const kt_writer_hooks *hooks, kt_pipeline **out,
                         kt_error *error);
void kt_pipeline_close(kt_pipeline *pipeline); /* what was given is finished first; NULL is accepted */

/* Gives the lanes threads; false: they have none. Only while the writer has no transaction open, which ends on the thread
   it began on. */
bool kt_pipeline_start(kt_pipeline *pipeline);
bool kt_pipeline_runs(const kt_pipeline *pipeline);

/* The next parcel, empty, once it is free. */
kt_code kt_pipeline_next(kt_pipeline *pipeline, kt_parcel **out, kt_error *error);
void kt_pipeline_hash(kt_pipeline *pipeline, kt_parcel *parcel); /* what is in it so far may be hashed */
void kt_pipeline_give(kt_pipeline *pipeline, kt_parcel *parcel); /* whole, and with its end */
void kt_pipeline_wait(kt_pipeline *pipeline);                    /* until all that was given is done */
void kt_pipeline_abort(kt_pipeline *pipeline);                   /* waits, and drops the writer's open transaction */

/* How many parcels with changes were committed, in all. */
uint64_t kt_pipeline_committed(kt_pipeline *pipeline);
unsigned kt_pipeline_under_way(const kt_pipeline *pipeline); /* ends given and not received */
/* The oldest end given. KT_END: none. KT_BUSY: not done, and !wait. Else what came of it. */
kt_code kt_pipeline_receive(kt_pipeline *pipeline, bool wait, kt_log_head *head, kt_error *error);

kt_code kt_pipeline_failure(kt_pipeline *pipeline, kt_error *error); /* KT_OK: none */
void kt_pipeline_fail(kt_pipeline *pipeline, kt_code code, const kt_error *error);
void kt_pipeline_forget_failure(kt_pipeline *pipeline);

/* All is done, and the next parcel follows this head. */
void kt_pipeline_set_head(kt_pipeline *pipeline, const kt_tree *tree);
kt_writer *kt_pipeline_writer(kt_pipeline *pipeline); /* after wait, or while no thread runs */

#endif
