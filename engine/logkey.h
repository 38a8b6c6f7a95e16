/*
 * logkey: the log's key, and its changes on record.
 *
 * Genesis names the first. A LOG_KEY record, signed by the old key and by the new, hands over: every checkpoint over more
 * records than its number is signed by the new one, beginning with the one that covers it. So whoever trusts the first key
 * is led to the newest by signatures alone, and whoever trusts a later one needs no earlier: its checkpoints cover all that
 * was before. The origin, which is the log's name, stays.
 *
 *     LOG_KEY  [old key, new key, signature of the old, signature of the new]
 *
 * State: LOG_KEYS, record -> key; genesis is record 0. The key's file is keys/log.key. A new one waits as keys/log.next until its
 * batch is on the disk; then the old one becomes keys/actor.key, where it was also its owner's and no such file is there,
 * or keys/log.<8 hex>.key. Who finds log.next to be the key after a crash in between does that first.
 *
 * Laws kept: 6, 7. Only an owner changes the log's key, and where the book is, not from afar.
 */
#ifndef KT_ENGINE_LOGKEY_H
#define KT_ENGINE_LOGKEY_H

#include "engine/fold.h"
#include "storage/head.h"
#include "storage/keys.h"
#include "storage/note.h"

/* The key that signs the checkpoint over `size` records, or the newest (UINT64_MAX). KT_DAMAGED: none. */
kt_code kt_log_key_at(kt_txn *txn, uint64_t size, uint8_t out[KT_KEY_SIZE], kt_error *error);
/* Is it the log's key, or was it once? */
kt_code kt_log_key_known(kt_txn *txn, const uint8_t key[KT_KEY_SIZE], bool *out, kt_error *error);
/* kt_checkpoint_open of a note of this log, under the key that signs checkpoints of its size. KT_KEY: not signed by it. */
kt_code kt_log_checkpoint_open(kt_txn *txn, const char *origin, const char *note, size_t size, kt_checkpoint *out,
                               kt_error *error);
/* The signed note of a stored head, under the key that was the log's then, or under one that is known. *size (nullable): its
   length. */
kt_code kt_log_note(kt_txn *txn, const char *origin, const kt_log_row *row, char note[KT_CHECKPOINT_MAX], size_t *size,
                    kt_error *error);
kt_code kt_log_note_by(const uint8_t key[KT_KEY_SIZE], const char *origin, const kt_log_row *row,
                       char note[KT_CHECKPOINT_MAX], size_t *size, kt_error *error);
/* From state: genesis is applied. */
kt_code kt_log_key_found(kt_state *state, const uint8_t key[KT_KEY_SIZE], kt_error *error);

typedef struct kt_log_handover {
    const uint8_t *from, *to; /* borrow the body */
} kt_log_handover;

/* KT_DAMAGED: malformed, or a signature does not hold. */
kt_code kt_log_handover_read(const char *origin, kt_span body, kt_log_handover *out, kt_error *error);

kt_code kt_log_key_apply(void *self, const kt_record *record, kt_error *error); /* self: kt_access */
kt_code kt_log_key_arrive(void *self, const kt_record *record, kt_error *error);

/* Packs the record. */
#define KT_LOG_KEY_RECORD_MAX 256
kt_code kt_log_key_record(const char *origin, const kt_signer *from, const kt_signer *to, kt_day date,
                          uint8_t out[KT_LOG_KEY_RECORD_MAX], size_t *size, kt_error *error);

/* The files. Loads the key that the book's newest checkpoint is by, or puts it in its place first. KT_KEY: neither file is it. */
kt_code kt_log_key_load(const char *directory, const uint8_t key[KT_KEY_SIZE], kt_passphrase_callback ask,
                        void *context, kt_signer **out, kt_error *error);
/* The key of a file, which gets keys/log.next as a second name. KT_USAGE: it lies on another file system. */
kt_code kt_log_key_prepare(const char *directory, const char *file, kt_passphrase_callback ask, void *context,
                           kt_signer **out, kt_error *error);
void kt_log_key_drop(const char *directory); /* the second name; what it names stays where it was */
/* keys/log.next comes into its place. */
kt_code kt_log_key_install(const char *directory, const uint8_t old_key[KT_KEY_SIZE], kt_error *error);

#endif
