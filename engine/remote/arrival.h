/*
 * arrival: a batch that somebody sent, looked at as far as that goes without the book: its form, its kinds, its counts and
 * its signature. Any thread may do it, and nothing but the rest is left to the writer.
 *
 * Laws kept: 7 (the signature is the actor's, over exactly these records and this book's origin), 12.
 * Lifetime: it borrows the frame's body. Errors: KT_INVALID, KT_LIMIT, KT_NEWER; KT_FORBIDDEN: the signature does not hold.
 */
#ifndef KT_REMOTE_ARRIVAL_H
#define KT_REMOTE_ARRIVAL_H

#include "engine/fold.h"
#include "engine/remote/frame.h"

typedef struct kt_arrival {
    kt_batch_frame frame;
    uint8_t content[KT_HASH_SIZE];
} kt_arrival;

/* *record: the one that was refused, -1: the batch as a whole. */
kt_code kt_arrival_read(const kt_registry *registry, const char *origin, kt_span body, kt_arrival *out, int64_t *record,
                        kt_error *error);

#endif
