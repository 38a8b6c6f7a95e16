/*
 * refold: the replay of all records into scratch, on a thread of its own beside the hashing.
 *
 * Verification needs every record hashed and every record applied; neither needs the other. Each reads the records for
 * itself, under their checksums. With one thread the replay runs when it is waited for. A thread that is done with it
 * goes on with what it is given.
 *
 * Lifetime: it borrows the store's transaction, which nobody else uses until it was waited for, and the scratch store.
 */
#ifndef KT_AUDIT_REFOLD_H
#define KT_AUDIT_REFOLD_H

#include "engine/replay.h"

typedef struct kt_refold kt_refold;

/* then (nullable) is called with its context on the replay's own thread, when that is done. */
kt_code kt_refold_start(const kt_registry *registry, kt_txn *txn, uint64_t end, kt_store *scratch, bool single,
                        void (*then)(void *context), void *context, kt_refold **out, kt_error *error);
/* KT_OK: all was applied and is committed. Otherwise *record and *error say what was not; *unread where the record could not
   even be read, which whoever hashes it finds too. */
kt_code kt_refold_wait(kt_refold *refold, uint64_t *record, bool *unread, kt_error *error);
void kt_refold_close(kt_refold *refold);

#endif
