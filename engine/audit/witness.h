/*
 * witness: whether a witness cosigns a checkpoint. The public functions are in kontor.h; here is what its two ways in, files and
 * the protocol of C2SP tlog-witness, have in common.
 *
 * In the order of that document, with the status it gives over HTTP:
 *
 *     not a checkpoint                                 400
 *     of a log that this witness was not told of       404
 *     not signed by a key of that log                  403
 *     a proof from a size above the checkpoint's       400
 *     another tree of the size cosigned last           409, evidence: fork
 *     fewer records than were cosigned last            409, evidence: behind
 *     a proof from another size than that one's        409
 *     a proof that does not hold                       422, evidence: unproved
 *     otherwise the state is written and synced, and   200
 *
 * All of it happens under the witness's lock: between looking at the last checkpoint and replacing it nobody else does either.
 * A cosignature's time is never before the last one's, whatever the clock says.
 */
#ifndef KT_AUDIT_WITNESS_H
#define KT_AUDIT_WITNESS_H

#include "engine/audit/witness_state.h"

typedef struct kt_witness_verdict {
    unsigned status;
    uint64_t last_size; /* of the checkpoint cosigned last, before this one */
    char *note;         /* 200: the cosigned one, zero-terminated; the caller's: free() */
    size_t size;
    char line[KT_COSIGNATURE_LINE_MAX]; /* 200: the cosignature alone */
    size_t line_size;
} kt_witness_verdict;

/* KT_OK: status 200. Otherwise *error says why, and status is 500 where it is the witness's own fault. */
kt_code kt_witness_judge(kt_witness *witness, const kt_add_checkpoint *request, kt_witness_verdict *out,
                         kt_error *error);

#endif
