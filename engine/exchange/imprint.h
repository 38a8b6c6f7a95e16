/*
 * imprint: the digest of what an import's bytes mean, from which the default batch id is made.
 *
 * It is the SHA-256 over the format, the options that change what the bytes mean, and the bytes; where a journal
 * includes other files, over what was read from them too. Options that only say what to do with the entries (skip bad
 * ones, create accounts, allow a voucher twice) are not part of it: the same file sent again is the same submission.
 *
 * The bytes of a large file are hashed by a thread of their own between kt_imprint_begin and kt_imprint_wait; the
 * digest is the same.
 *
 * Lifetime: from kt_imprint_begin to kt_imprint_drop, through which every one goes; source and options outlive it.
 * It stays where it is. Errors: none; where no thread can be had, it does without.
 */
#ifndef KT_EXCHANGE_IMPRINT_H
#define KT_EXCHANGE_IMPRINT_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/exchange/format.h"
#include "storage/digest.h"

typedef struct kt_imprint { /* all zero: not begun */
    const kt_source *source;
    kt_sha256 hash;
    pthread_t thread;
    bool running;
    atomic_bool hashed;
} kt_imprint;

void kt_imprint_begin(kt_imprint *imprint, const kt_format *format, const kt_import_options *options,
                      const kt_source *source);
/* Are the bytes hashed? Until they are. */
bool kt_imprint_finished(const kt_imprint *imprint);
void kt_imprint_wait(kt_imprint *imprint);
/* Behind the bytes: what was read of included files; a refused item counts by its own bytes. */
void kt_imprint_item(kt_imprint *imprint, const kt_item *item);
void kt_imprint_refused(kt_imprint *imprint, const kt_item *item);
void kt_imprint_end(kt_imprint *imprint, uint8_t digest[KT_DIGEST_SIZE], char id[2 * KT_DIGEST_SIZE + 1]);
void kt_imprint_drop(kt_imprint *imprint);

#endif
