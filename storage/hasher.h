/*
 * hasher: checksums, leaves, content and tree of blocks, in the order of their records; seals and checkpoints.
 *
 * It needs a block's bytes and nothing else, so it may run on a thread of its own some hundred records behind whoever fills
 * the block: `to` hashes the first so many, `finish` the rest and, where the batch ends there, makes its seal
 * (law 7) and the checkpoint (law 6). Only signing can fail, where ssh-agent has the key: the parcel says so (failed), and
 * all that end a batch behind it fail with it, unsigned, until the next `begin`.
 *
 * Lifetime: one thread at a time; a parcel stays where it is until finished.
 */
#ifndef KT_STORAGE_HASHER_H
#define KT_STORAGE_HASHER_H

#include "storage/parcel.h"

#define KT_HASHER_STEP 512u /* records hashed at a time */

typedef struct kt_hasher kt_hasher;

/* origin: the log's name, borrowed. */
kt_code kt_hasher_open(const char *origin, kt_hasher **out, kt_error *error);
void kt_hasher_close(kt_hasher *hasher);
/* The next block follows this tree. */
void kt_hasher_begin(kt_hasher *hasher, const kt_tree *tree);
void kt_hasher_to(kt_hasher *hasher, kt_parcel *parcel, uint32_t count);
void kt_hasher_finish(kt_hasher *hasher, kt_parcel *parcel);

#endif
