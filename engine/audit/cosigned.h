/*
 * cosigned: checkpoints that witnesses cosigned, kept beside a book, and what verification holds a book against.
 *
 * They lie in the book's witness/, a file each by size, 20 digits. Nobody trusts that place: a file counts by the signatures in it,
 * so an owner can take files away, which verification with a witness finds where no other meets the quorum, and cannot make any.
 * He can also leave an old one; whoever asks the witness itself for its last (kt_witness_last) finds that too.
 */
#ifndef KT_AUDIT_COSIGNED_H
#define KT_AUDIT_COSIGNED_H

#include "engine/kontor.h"
#include "storage/cosign.h"
#include "storage/store.h"

#define KT_COSIGNED_KEPT 64u     /* files that stay */
#define KT_COSIGNED_LOOKED 1024u /* files that are looked at */
#define KT_WITNESSES_MAX 100u

/* A checkpoint that the book must extend. */
typedef struct kt_held {
    kt_checkpoint checkpoint;
    char what[160]; /* "the checkpoint given", with an article */
} kt_held;

typedef struct kt_held_list {
    kt_held *held; /* by size, rising */
    size_t count;
} kt_held_list;

typedef void (*kt_cosigned_found)(void *context, kt_code code, const char *what);

/* Adds what `options` asks for: the checkpoint since, and what witnesses cosigned; what does not hold, and a quorum that is not
   met, goes to `found`. Each must be signed by the key that was the log's then (engine/logkey). out: of cosigned checkpoints, says what met the quorum. KT_USAGE:
   the options themselves. */
kt_code kt_held_read(const char *directory, const kt_verify_options *options, kt_txn *txn, const char *origin,
                     kt_cosigned_found found, void *context, kt_held_list *list, kt_verify_result *out,
                     kt_error *error);
void kt_held_release(kt_held_list *list);

#endif
