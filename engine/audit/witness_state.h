/*
 * witness_state: what a witness keeps in its directory, as files of text (storage/FORMAT.md says each byte):
 *
 *     witness.key            its key                     verifier         its vkey
 *     logs/<sha256>          per log, by its origin: its keys, and the note cosigned last
 *     evidence/<sort>-<log>-<checkpoint>.proof           a checkpoint refused, behind the one it does not extend
 *     lock                   whoever reads a log's file to change it holds an flock on this
 *
 * Law 3 for witnesses: a log's file is replaced whole and synced, with its name, before the cosignature in it is given out. Its
 * note carries the witness's own cosignature, so a file that somebody else wrote is KT_DAMAGED.
 */
#ifndef KT_AUDIT_WITNESS_STATE_H
#define KT_AUDIT_WITNESS_STATE_H

#include "engine/kontor.h"
#include "storage/cosign.h"

struct kt_witness {
    char *directory;
    int lock;
    kt_signer *signer;
    kt_verifier verifier;
    char vkey[KT_VERIFIER_MAX];
    kt_witness_options options;
};

/* A log as its file has it. */
typedef struct kt_witness_state {
    char hash[2 * KT_HASH_SIZE + 1]; /* of its origin: the file's name */
    kt_verifier keys[KT_WITNESS_LOG_KEYS];
    size_t key_count;
    char *text;       /* of the file */
    const char *note; /* cosigned last, in text; NULL: none yet */
    size_t note_size;
    kt_checkpoint last; /* size 0: none yet */
    uint64_t time;      /* of its cosignature, in seconds */
} kt_witness_state;

kt_code kt_witness_lock(kt_witness *witness, kt_error *error);
void kt_witness_unlock(kt_witness *witness);

/* KT_UNKNOWN: no such log. KT_DAMAGED: not what this witness wrote. To be released in every case. */
kt_code kt_witness_state_read(const kt_witness *witness, const char *origin, kt_witness_state *out, kt_error *error);
/* note NULL: the one it has, if any. On the disk when it returns KT_OK. */
kt_code kt_witness_state_write(const kt_witness *witness, const kt_witness_state *state, const char *note, size_t size,
                               kt_error *error);
void kt_witness_state_release(kt_witness_state *state);

/* Which of the log's keys signed. KT_FOREIGN: none. KT_DAMAGED: a signature by one of them does not hold. */
kt_code kt_witness_state_check(const kt_witness_state *state, const kt_note *note, kt_error *error);

/* What an evidence file shows. Each sort has room of its own, so that what anybody may send (an old checkpoint again, a proof
   that is none) leaves room for what only the log's owner can have made. */
typedef enum kt_evidence {
    KT_EVIDENCE_FORK,     /* another tree of the same size: nothing but the owner's signature under both makes that */
    KT_EVIDENCE_UNPROVED, /* a later checkpoint whose proof does not hold */
    KT_EVIDENCE_BEHIND,   /* an earlier one */
    KT_EVIDENCE_SORTS
} kt_evidence;
#define KT_EVIDENCE_MOST 1000u /* files of a sort and a log */

/* Writes the last note, the refused one and the hashes given as a proof that does not hold, once for each checkpoint. path: where
   it lies, "" where there was no room for it. */
kt_code kt_witness_keep_evidence(const kt_witness *witness, const kt_witness_state *state, kt_evidence sort,
                                 const char *note, size_t size, const uint8_t *hashes, size_t count, char path[4096],
                                 kt_error *error);
kt_code kt_witness_count_evidence(const kt_witness *witness, const char *hash, uint64_t *count, kt_error *error);

#endif
