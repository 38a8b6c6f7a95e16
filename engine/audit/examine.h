/*
 * examine: the work of verification, in one process: the records replayed on one thread and hashed on all others.
 *
 * Every record is read under its checksum, its leaf hashed into a fresh tree, its batch's content and signature checked
 * at each seal, the checkpoint of that size checked against the tree and the log key, each full tile's stored root
 * compared, and the record applied to fresh state, where all rules are enforced again. At the end the head and the
 * whole state are compared. After damage that stops the replay, the remaining records are still read, so that all
 * damaged ones are named.
 */
#ifndef KT_AUDIT_EXAMINE_H
#define KT_AUDIT_EXAMINE_H

#include "engine/fold.h"
#include "engine/kontor.h"

typedef struct kt_examine_sink {
    void (*found)(void *context, uint64_t record, kt_code code, const char *what);
    void (*progress)(void *context, uint64_t done, uint64_t of);
    void (*scratch)(void *context, const char *path); /* where the scratch lies, so that somebody else can remove it */
    void *context;
} kt_examine_sink;

/* KT_OK: it ran to the end (out->findings says what was found). Others: it could not run. */
kt_code kt_examine(const kt_registry *registry, const char *directory, const kt_verify_options *options,
                   const kt_examine_sink *sink, kt_verify_result *out, kt_error *error);

#endif
