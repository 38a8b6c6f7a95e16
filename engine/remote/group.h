/*
 * group: what arrived meanwhile, into one commit; and what each sender is to be told.
 *
 * Batches that are refused leave no trace. Where one is refused at its first record that costs nothing; where later, the
 * commit is given up and the good ones before it are done again. That happens at most KT_GROUP_AGAIN times: then what is
 * good is committed, and the rest of the group is left for the next (so it always gets shorter).
 *
 * Laws kept: 3 (answers are made after the sync), 4, 5. Lifetime: one thread; submissions are the caller's.
 */
#ifndef KT_REMOTE_GROUP_H
#define KT_REMOTE_GROUP_H

#include "engine/remote/accept.h"

#define KT_GROUP_AGAIN 4u

typedef struct kt_submission {
    kt_arrival arrival; /* read and found good (kt_arrival_read) */
    /* What becomes of it. */
    bool decided;
    bool applied;   /* while the commit is open */
    kt_code code;   /* KT_OK: stored; KT_REPEATED; or why not */
    int64_t record; /* refused; -1: the batch as a whole */
    kt_receipt receipt;
    char note[KT_CHECKPOINT_MAX];
    char text[KT_FRAME_TEXT_MAX + 1];
} kt_submission;

/* Decides at least the first of them, in order; *decided: how many. KT_OK, or the code of the surroundings that
   undecided ones were given (KT_POISONED: nothing can be stored any more). */
kt_code kt_group_commit(kt_accept *accept, kt_submission *const *submissions, size_t count, size_t *decided);

#endif
