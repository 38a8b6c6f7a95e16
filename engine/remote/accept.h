/*
 * accept: batches signed elsewhere into a book, many under one head.
 *
 *     begin ──► batch, batch ... ──► commit          try: begin, apply, abort
 *       │          │
 *       └──────────┴──► abort           nothing of any of them remains
 *
 * Each batch is checked as kt_batch_add would check it, from packed records. One that is refused at its first record has
 * changed nothing; one that is refused later has, and then only abort is left (*clean says which).
 *
 * Laws kept: 3 and 6 (commit moves the head over all batches with one checkpoint and one sync), 4, 5, 7.
 * Lifetime: all of it belongs to one thread, the writer's; an arrival is borrowed for the call.
 */
#ifndef KT_REMOTE_ACCEPT_H
#define KT_REMOTE_ACCEPT_H

#include "engine/batch.h"
#include "engine/remote/arrival.h"
#include "storage/note.h"

typedef struct kt_accept kt_accept;

kt_code kt_accept_open(kt_book *book, kt_accept **out, kt_error *error);
void kt_accept_close(kt_accept *accept);

/* Takes the writer's turn. */
kt_code kt_accept_begin(kt_accept *accept, kt_error *error);
/* KT_OK: it will be stored by the commit; KT_REPEATED: it was before, or is a repeat of one in this commit
   (receipt->tree_size == 0 then, and until the commit also of what is new). Else as kt_batch_add; *record: the one
   refused, -1: the batch as a whole. note: of the checkpoint, where there is one. */
kt_code kt_accept_batch(kt_accept *accept, const kt_arrival *arrival, kt_receipt *receipt, char note[KT_CHECKPOINT_MAX],
                        int64_t *record, bool *clean, kt_error *error);
/* What is new in every receipt of the batches. On failure nothing of them is stored. */
kt_code kt_accept_commit(kt_accept *accept, uint64_t *tree_size, uint8_t root[KT_HASH_SIZE],
                         char note[KT_CHECKPOINT_MAX], kt_error *error);
void kt_accept_abort(kt_accept *accept);

/* Each record as if it were posted, beyond those that are refused; a turn of its own. KT_OK where it ran to the end. */
typedef void (*kt_accept_refused)(void *context, int64_t record, kt_code code, const char *text);
kt_code kt_accept_try(kt_accept *accept, const kt_arrival *arrival, kt_accept_refused refused, void *context,
                      kt_error *error);

/* Is the batch id on record, as of a transaction? KT_NOT_FOUND: no. KT_REPEATED with the receipt and the note;
   KT_DUPLICATE: for other content. */
kt_code kt_accept_look_up(kt_state *state, const char *origin, const kt_batch_frame *frame, kt_receipt *receipt,
                          char note[KT_CHECKPOINT_MAX], kt_error *error);

#endif
