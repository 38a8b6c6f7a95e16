#include "storage/hasher.h"

#include <pthread.h>
#include <stdlib.h>

struct kt_hasher {
    /* The block: set by the caller while nothing is offered. */
    uint64_t first;
    const uint8_t *data;
    const uint16_t *lengths;
    /* What is hashed: touched by one side at a time, by the one that `working` names. */
    uint32_t done;
    size_t done_bytes;
    kt_tree tree;
    kt_content content;
    uint32_t tile_count;
    kt_tile_root tiles[KT_HASHER_TILES];
    uint32_t crcs[KT_BLOCK_RECORDS];
    uint8_t leaves[KT_HASHER_STEP][KT_HASH_SIZE];
    /* The hand-over, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t offered_more, idle;
    uint32_t offered;
    bool working, ending, single, started;
    pthread_t thread;
};

static void keep_tile(void *context, unsigned tile_level, uint64_t index, const uint8_t root[KT_HASH_SIZE]) {
    kt_hasher *hasher = context;
    kt_tile_root *tile = &hasher->tiles[hasher->tile_count++];
    tile->level = (uint8_t)tile_level;
    tile->index = index;
    memcpy(tile->root, root, KT_HASH_SIZE);
}

static void hash_step(kt_hasher *hasher, uint32_t count) {
    const uint8_t *at = hasher->data + hasher->done_bytes;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = hasher->done + i;
        size_t size = hasher->lengths[index];
        hasher->crcs[index] = kt_block_record_crc(hasher->first + index, at, size);
        kt_leaf_hash(at, size, hasher->leaves[i]);
        at += size;
    }
    kt_content_add(&hasher->content, hasher->leaves[0], count);
    kt_tree_add_many(&hasher->tree, hasher->leaves[0], count, keep_tile, hasher);
    hasher->done += count;
    hasher->done_bytes = (size_t)(at - hasher->data);
}

static void hash_to(kt_hasher *hasher, uint32_t count) {
    while (hasher->done < count) {
        uint32_t left = count - hasher->done;
        hash_step(hasher, left < KT_HASHER_STEP ? left : KT_HASHER_STEP);
    }
}

static void *work(void *context) {
    kt_hasher *hasher = context;
    pthread_mutex_lock(&hasher->lock);
    while (!hasher->ending) {
        if (hasher->done >= hasher->offered) {
            hasher->working = false;
            pthread_cond_signal(&hasher->idle);
            pthread_cond_wait(&hasher->offered_more, &hasher->lock);
            continue;
        }
        uint32_t count = hasher->offered;
        hasher->working = true;
        pthread_mutex_unlock(&hasher->lock);
        hash_to(hasher, count);
        pthread_mutex_lock(&hasher->lock);
    }
    pthread_mutex_unlock(&hasher->lock);
    return NULL;
}

kt_code kt_hasher_open(bool single, kt_hasher **out, kt_error *error) {
    kt_hasher *hasher = calloc(1, sizeof *hasher);
    *out = hasher;
    if (hasher == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    hasher->single = single;
    pthread_mutex_init(&hasher->lock, NULL);
    pthread_cond_init(&hasher->offered_more, NULL);
    pthread_cond_init(&hasher->idle, NULL);
    kt_tree_init(&hasher->tree);
    kt_content_init(&hasher->content);
    return KT_OK;
}

void kt_hasher_close(kt_hasher *hasher) {
    if (hasher == NULL) return;
    if (hasher->started) {
        pthread_mutex_lock(&hasher->lock);
        hasher->ending = true;
        pthread_cond_signal(&hasher->offered_more);
        pthread_mutex_unlock(&hasher->lock);
        pthread_join(hasher->thread, NULL);
    }
    pthread_cond_destroy(&hasher->idle);
    pthread_cond_destroy(&hasher->offered_more);
    pthread_mutex_destroy(&hasher->lock);
    free(hasher);
}

/* When it returns, what is hashed is the caller's again. */
static void wait_idle(kt_hasher *hasher) {
    if (!hasher->started) return;
    pthread_mutex_lock(&hasher->lock);
    while (hasher->working || hasher->done < hasher->offered) pthread_cond_wait(&hasher->idle, &hasher->lock);
    pthread_mutex_unlock(&hasher->lock);
}

void kt_hasher_begin(kt_hasher *hasher, const kt_tree *tree) {
    kt_hasher_drop(hasher);
    hasher->tree = *tree;
    kt_content_init(&hasher->content);
    hasher->tile_count = 0;
}

void kt_hasher_block(kt_hasher *hasher, uint64_t first, const uint8_t *data, const uint16_t *lengths) {
    kt_hasher_drop(hasher);
    hasher->first = first;
    hasher->data = data;
    hasher->lengths = lengths;
}

void kt_hasher_drop(kt_hasher *hasher) {
    wait_idle(hasher);
    hasher->done = hasher->offered = 0;
    hasher->done_bytes = 0;
}

static bool start(kt_hasher *hasher) {
    if (hasher->started || hasher->single) return hasher->started;
    hasher->started = pthread_create(&hasher->thread, NULL, work, hasher) == 0;
    hasher->single = !hasher->started;
    return hasher->started;
}

void kt_hasher_offer(kt_hasher *hasher, uint32_t count) {
    if (count % KT_HASHER_STEP != 0 || !start(hasher)) return;
    pthread_mutex_lock(&hasher->lock);
    hasher->offered = count;
    pthread_cond_signal(&hasher->offered_more);
    pthread_mutex_unlock(&hasher->lock);
}

void kt_hasher_finish(kt_hasher *hasher, uint32_t count) {
    wait_idle(hasher);
    hash_to(hasher, count); /* the rest is less than a step, or all of it */
}

const uint32_t *kt_hasher_crcs(const kt_hasher *hasher) { return hasher->crcs; }
const kt_tree *kt_hasher_tree(const kt_hasher *hasher) { return &hasher->tree; }
const kt_content *kt_hasher_content(const kt_hasher *hasher) { return &hasher->content; }

const kt_tile_root *kt_hasher_take_tiles(kt_hasher *hasher, uint32_t *count) {
    *count = hasher->tile_count;
    hasher->tile_count = 0;
    return hasher->tiles;
}
