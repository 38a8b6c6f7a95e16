/*
 * proof: the text of proofs, made and read: C2SP tlog-proof (https://c2sp.org/tlog-proof) for inclusion, and one of ours for
 * consistency. Whether a proof holds is for who knows a key (engine/audit/proof.h); here is only how it is written.
 *
 *     c2sp.org/tlog-proof@v1           kontor/consistency/v1
 *     extra <base64>                   <hash in base64> ...
 *     index <number>
 *     <hash in base64> ...             <older checkpoint, a signed note>
 *
 *     <checkpoint, a signed note>      <newer checkpoint, a signed note>
 *
 * The extra data of ours is the record itself, its parts where it is long, and records beside it that are needed to
 * understand it, each with a proof of its own; see FORMAT.md. It is not authenticated as such: each record in it is
 * held against the tree.
 *
 * A text has one spelling: what is accepted comes out again as it went in. Bounds: KT_PROOF_TEXT_MAX bytes, KT_PROOF_MAX
 * hashes, notes as in storage/note.h; anything else is KT_INVALID, with the line.
 *
 * Lifetime: what was read borrows the text (or the decoded extra data). Laws kept: 6, 12.
 */
#ifndef KT_STORAGE_PROOF_H
#define KT_STORAGE_PROOF_H

#include "storage/note.h"
#include "storage/records.h"
#include "storage/tree.h"

#define KT_PROOF_BESIDE_MAX 1024u                   /* records beside the one that is proved */
#define KT_PROOF_EXTRA_MAX (KT_WHOLE_MAX * 5u / 4u) /* bytes */
#define KT_PROOF_TEXT_MAX ((size_t)KT_PROOF_EXTRA_MAX / 3 * 4 + (size_t)3 * KT_NOTE_MAX)

typedef struct kt_proof {
    bool consistency;
    uint64_t index;    /* inclusion: of the leaf */
    const char *extra; /* inclusion: in base64; NULL: none */
    size_t extra_size;
    size_t count; /* of hashes */
    uint8_t hashes[KT_PROOF_MAX * KT_HASH_SIZE];
    const char *note, *older; /* signed notes; older: consistency alone */
    size_t note_size, older_size;
} kt_proof;

kt_code kt_proof_parse(const char *text, size_t size, kt_proof *out, kt_error *error);
/* Zero-terminated, the caller's: free(). KT_LIMIT. */
kt_code kt_proof_format(const kt_proof *proof, char **out, size_t *size, kt_error *error);

/* A record beside the one that is proved, with its own proof of inclusion under the same checkpoint. */
typedef struct kt_proof_beside {
    uint64_t number;
    kt_span record;
    kt_span hashes; /* count * KT_HASH_SIZE */
} kt_proof_beside;

typedef struct kt_proof_extra {
    kt_span *records; /* the parts of a long record in order, and last the record that is proved */
    uint32_t record_count;
    kt_proof_beside *beside; /* by number, rising */
    uint32_t beside_count;
} kt_proof_extra;

/* Packed, and in base64 as kt_proof wants it; free(). */
kt_code kt_proof_extra_encode(const kt_proof_extra *extra, char **out, size_t *size, kt_error *error);
/* *bytes is what the spans borrow; both are given back by kt_proof_extra_release. KT_INVALID. */
kt_code kt_proof_extra_decode(const char *base64, size_t size, kt_proof_extra *out, uint8_t **bytes, kt_error *error);
void kt_proof_extra_release(kt_proof_extra *extra, uint8_t *bytes);

#endif
