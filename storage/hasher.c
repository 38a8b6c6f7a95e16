#include "storage/hasher.h"

#include <stdio.h>
#include <stdlib.h>

struct kt_hasher {
    const char *origin;
    kt_tree tree;
    kt_content content;
    uint8_t leaves[KT_HASHER_STEP][KT_HASH_SIZE];
    kt_code failed; /* to sign, since begin */
    kt_error failure;
};

kt_code kt_hasher_open(const char *origin, kt_hasher **out, kt_error *error) {
    kt_hasher *hasher = calloc(1, sizeof *hasher);
    *out = hasher;
    if (hasher == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    hasher->origin = origin;
    kt_tree_init(&hasher->tree);
    kt_content_init(&hasher->content);
    return KT_OK;
}

void kt_hasher_close(kt_hasher *hasher) { free(hasher); }

void kt_hasher_begin(kt_hasher *hasher, const kt_tree *tree) {
    hasher->tree = *tree;
    hasher->failed = KT_OK;
}

static void keep_tile(void *context, unsigned tile_level, uint64_t index, const uint8_t root[KT_HASH_SIZE]) {
    kt_parcel *parcel = context;
    kt_tile_root *tile = &parcel->tiles[parcel->tile_count++];
    tile->level = (uint8_t)tile_level;
    tile->index = index;
    memcpy(tile->root, root, KT_HASH_SIZE);
}

static void hash_step(kt_hasher *hasher, kt_parcel *parcel, uint32_t count) {
    const uint8_t *at = parcel->data + parcel->hashed_bytes;
    if (parcel->hashed == 0) {
        parcel->tile_count = 0;
        if (parcel->begins) kt_content_init(&hasher->content);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = parcel->hashed + i;
        size_t size = parcel->lengths[index];
        parcel->crcs[index] = kt_block_record_crc(parcel->first + index, at, size);
        kt_leaf_hash(at, size, hasher->leaves[i]);
        at += size;
    }
    kt_content_add(&hasher->content, hasher->leaves[0], count);
    kt_tree_add_many(&hasher->tree, hasher->leaves[0], count, keep_tile, parcel);
    parcel->hashed += count;
    parcel->hashed_bytes = (size_t)(at - parcel->data);
}

void kt_hasher_to(kt_hasher *hasher, kt_parcel *parcel, uint32_t count) {
    while (parcel->hashed < count) {
        uint32_t left = count - parcel->hashed;
        hash_step(hasher, parcel, left < KT_HASHER_STEP ? left : KT_HASHER_STEP);
    }
}

/* LAW 7: what the actor signs is what was hashed. */
static kt_code append_seal(kt_hasher *hasher, kt_parcel *parcel, kt_error *error) {
    char message[KT_SEAL_MESSAGE_MAX];
    kt_seal *seal = &parcel->seal;
    if (parcel->count == 0 && parcel->begins) kt_content_init(&hasher->content);
    kt_content_final(&hasher->content, seal->content);
    size_t size = kt_seal_message(hasher->origin, seal, message);
    kt_code code = kt_sign(parcel->actor, message, size, seal->signature, error);
    if (code != KT_OK) return kt_fail_at(error, code, "the batch could not be signed");
    size = kt_seal_write(seal, kt_seal_date(seal->recorded_us), parcel->data + parcel->bytes);
    parcel->lengths[parcel->count++] = (uint16_t)size;
    parcel->bytes += (uint32_t)size;
    kt_hasher_to(hasher, parcel, parcel->count);
    return KT_OK;
}

/* LAW 6: a checkpoint over all records so far. */
static kt_code sign_head(kt_hasher *hasher, kt_parcel *parcel, kt_error *error) {
    kt_log_head *head = &parcel->head;
    head->tree = hasher->tree;
    kt_checkpoint checkpoint = {.size = head->tree.size};
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", hasher->origin);
    kt_tree_root(&head->tree, head->root);
    memcpy(checkpoint.root, head->root, sizeof head->root);
    kt_code code = kt_checkpoint_sign(&checkpoint, parcel->log, head->signature, error);
    return code == KT_OK ? code : kt_fail_at(error, code, "the checkpoint could not be signed");
}

void kt_hasher_finish(kt_hasher *hasher, kt_parcel *parcel) {
    kt_hasher_to(hasher, parcel, parcel->count);
    parcel->failed = KT_OK;
    if (parcel->end != KT_PARCEL_SEALED) return;
    /* What lies behind a batch that is not stored is not stored either: no agent is asked for it. */
    if (hasher->failed == KT_OK && parcel->actor != NULL) /* else it was sealed where it came from */
        hasher->failed = append_seal(hasher, parcel, &hasher->failure);
    if (hasher->failed == KT_OK) hasher->failed = sign_head(hasher, parcel, &hasher->failure);
    parcel->failed = hasher->failed;
    if (parcel->failed != KT_OK) parcel->failure = hasher->failure;
}
