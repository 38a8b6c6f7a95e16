/*
 * keep: backups, restoring and rebuilding. The public functions are in kontor.h; these take the registry.
 *
 * A backup is a hot copy of one snapshot of the environment, with the signing keys, in a new directory (0700), synced and
 * then verified. A restore is the same copy the other way. Neither overwrites anything.
 *
 * Rebuild replays the journal into scratch and compares; where the stored state differs it is replaced in one
 * transaction (law 1: the journal's bytes are the only truth).
 */
#ifndef KT_AUDIT_KEEP_H
#define KT_AUDIT_KEEP_H

#include "engine/fold.h"
#include "engine/kontor.h"

kt_code kt_backup_with(const kt_registry *registry, kt_store *store, const char *source, const char *destination,
                       const kt_verify_options *verify, kt_error *error);
kt_code kt_rebuild_with(const kt_registry *registry, const char *directory,
                        void (*progress)(void *context, uint64_t done, uint64_t of), void *context, bool *equal,
                        uint64_t *records, kt_error *error);

#endif
