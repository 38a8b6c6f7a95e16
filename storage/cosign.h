/*
 * cosign: cosignatures of witnesses, C2SP tlog-cosignature (cosignature/v1, Ed25519), and the body in which a log asks a
 * witness for one, C2SP tlog-witness (add-checkpoint).
 *
 * What is signed is "cosignature/v1\ntime <seconds since 1970>\n" and the whole text of the checkpoint. In the note the
 * signature line of a key of type 0x04 carries be u64 time || signature behind the key id. What it says: at that time
 * this was the largest tree of the log that the witness had seen, and each it saw before is its beginning. It does not
 * sign its own name, so a key serves under one name alone.
 *
 *     old <size of the checkpoint cosigned last, 0: none>
 *     <hash in base64> ...
 *
 *     <checkpoint, a signed note>
 *
 * Laws kept: 6, 12. Bounds as in storage/note.h; anything else is KT_INVALID, with the line.
 */
#ifndef KT_STORAGE_COSIGN_H
#define KT_STORAGE_COSIGN_H

#include "storage/note.h"

#define KT_COSIGNATURE_SIZE (8u + KT_SIGNATURE_SIZE) /* in a note, behind the key id */
#define KT_COSIGNATURE_LINE_MAX (KT_NOTE_NAME_MAX + 128)
#define KT_COSIGN_HASHES_MAX 63u
#define KT_ADD_CHECKPOINT_MAX (KT_NOTE_MAX + 64 * 48) /* bytes */

/* The signature line, with its line feed and a zero. cosigner is of type KT_VERIFIER_WITNESS; time is below 2^63.
   KT_LIMIT: a text that is no note's. Fails also as kt_sign does. */
kt_code kt_cosign(const kt_signer *signer, const kt_verifier *cosigner, uint64_t time, const char *text,
                  size_t text_size, char out[KT_COSIGNATURE_LINE_MAX], size_t *size, kt_error *error);
/* signature: of a note's line, behind the key id. */
bool kt_cosignature_holds(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const char *text, size_t text_size,
                          const uint8_t *signature, size_t size, uint64_t *time);

/* Two notes of the same text as one: the signatures of `newer`, then those of `older` whose keys are not among them.
   Zero-terminated, the caller's: free(). KT_FOREIGN: other texts. KT_LIMIT: it would be too large. */
kt_code kt_note_merge(const char *newer, size_t newer_size, const char *older, size_t older_size, char **out,
                      size_t *size, kt_error *error);

/* What is asked of a witness. The note borrows the body. */
typedef struct kt_add_checkpoint {
    uint64_t old_size;
    size_t count; /* of hashes */
    uint8_t hashes[KT_COSIGN_HASHES_MAX * KT_HASH_SIZE];
    const char *note;
    size_t note_size;
} kt_add_checkpoint;

kt_code kt_add_checkpoint_parse(const char *body, size_t size, kt_add_checkpoint *out, kt_error *error);
/* Zero-terminated, the caller's: free(). */
kt_code kt_add_checkpoint_format(const kt_add_checkpoint *request, char **out, size_t *size, kt_error *error);

#endif
