/*
 * proof: proofs that a record lies in the book, and that one checkpoint extends another: made from a view, checked with
 * nothing but a key. Their text is storage/proof.h's; what a record says is for the floors above.
 *
 * Made without reading the whole tree: a subtree's hash comes from the stored roots of full tiles and from the leaves of the
 * one tile that is not full or holds the record, so at most some 250 leaves and 250 roots a level are read.
 *
 * Laws kept: 6. A proof that would not hold is never given out: KT_DAMAGED, the book is.
 * Lifetime: what was checked borrows the text until it is closed.
 */
#ifndef KT_AUDIT_PROOF_H
#define KT_AUDIT_PROOF_H

#include "engine/view.h"
#include "storage/large.h"
#include "storage/proof.h"

/* The record (a long one with its parts) under the view's checkpoint, and the records beside it, by number, rising. *text is
   the caller's: free(). KT_NOT_FOUND: no such record. KT_LIMIT. */
kt_code kt_proof_make(kt_view *view, uint64_t number, const uint64_t *beside, size_t beside_count, char **text,
                      size_t *size, kt_error *error);
/* The same under an earlier checkpoint of the book, with all signatures that its note carries. Errors as
   kt_proof_make_consistency. */
kt_code kt_proof_make_under(kt_view *view, uint64_t number, const uint64_t *beside, size_t beside_count,
                            const char *note, size_t note_size, char **text, size_t *size, kt_error *error);

/* From one checkpoint of the book to a later one, both signed by the log key; newer NULL: to the view's own. KT_USAGE: in the
   wrong order. KT_NOT_FOUND: beyond the view. KT_DAMAGED: the book does not lead to these roots, so its history is not
   that of the checkpoint. */
kt_code kt_proof_make_consistency(kt_view *view, const char *older, size_t older_size, const char *newer,
                                  size_t newer_size, char **text, size_t *size, kt_error *error);

/* Its hashes alone, from one size to a later one; *count is 0 from nothing and to the same size. Whether they hold says who has
   the roots. KT_NOT_FOUND: beyond the view. */
kt_code kt_proof_make_hashes(kt_view *view, uint64_t from, uint64_t to, uint8_t *hashes, size_t *count,
                             kt_error *error);

typedef struct kt_proof_checked {
    kt_proof proof;
    kt_checkpoint checkpoint, older;
    /* Inclusion: */
    kt_proof_extra extra;
    uint8_t leaf[KT_HASH_SIZE];
    kt_envelope envelope; /* of the record, a long one put together */
    uint32_t parts;
    uint8_t *bytes; /* of extra */
    kt_large large;
} kt_proof_checked;

/* KT_OK: the signature holds, and every hash and every record in it. KT_INVALID: not a proof in its one form, or without the
   record. KT_FOREIGN: of another log, or not signed by this key. KT_DAMAGED: it does not hold. out is to be released in every
   case. */
kt_code kt_proof_check(const char *text, size_t size, const char *verifier, kt_proof_checked *out, kt_error *error);
void kt_proof_checked_release(kt_proof_checked *checked);

#endif
