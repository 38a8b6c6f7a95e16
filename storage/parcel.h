/*
 * parcel: a block on its way into the store, and what is handed on with it.
 *
 *     journal fills it ─► hasher hashes it, signs at the batch's end ─► writer stores it, commits at an end
 *
 * Each part is touched by one side at a time: by the caller until it is handed over, then by the lane that has it.
 */
#ifndef KT_STORAGE_PARCEL_H
#define KT_STORAGE_PARCEL_H

#include "storage/block.h"
#include "storage/head.h"
#include "storage/seal.h"
#include "storage/state.h"

#define KT_PARCEL_TILES (KT_BLOCK_RECORDS / KT_TILE_WIDTH + 16u) /* of all levels, completed by one block */

typedef struct kt_tile_root {
    uint8_t level;
    uint64_t index;
    uint8_t root[KT_HASH_SIZE];
} kt_tile_root;

typedef enum kt_parcel_end {
    KT_PARCEL_GOES_ON, /* more blocks of the batch follow */
    KT_PARCEL_PIECE,   /* so too, but what is there is committed above the head */
    KT_PARCEL_SEALED   /* the batch ends: its seal is still to be made, signed and appended; the head moves */
} kt_parcel_end;

typedef struct kt_parcel {
    /* The block. */
    uint64_t first;
    uint32_t count, bytes;
    bool begins;    /* is the first of its batch */
    bool busy;      /* given; under the pipeline's lock */
    unsigned index; /* among the pipeline's */
    uint16_t lengths[KT_BLOCK_RECORDS];
    uint8_t *data; /* KT_BLOCK_BYTES */
    /* Made of it by the hasher. */
    uint32_t hashed;
    size_t hashed_bytes;
    uint32_t crcs[KT_BLOCK_RECORDS];
    uint32_t tile_count;
    kt_tile_root tiles[KT_PARCEL_TILES];
    /* How it ends. */
    kt_parcel_end end;
    kt_changes *changes; /* to be written with it; NULL: none */
    kt_seal seal;        /* its id borrows id; content and signature are the hasher's */
    uint8_t id[KT_SEAL_ID_MAX];
    const kt_signer *actor, *log;
    kt_code failed; /* not KT_OK: it could not be signed, and why */
    kt_error failure;
    kt_log_head head; /* batches, time and epoch are given; tree, root and signature the hasher's */
} kt_parcel;

#endif
