#include "engine/audit/leaves.h"

#include <pthread.h>
#include <stdlib.h>

#include "engine/access.h"
#include "storage/codec.h"

#define STRETCH_BLOCKS 64u
#define HELPERS_MAX 64u
#define SPARE_SLOTS 3u /* one being taken, and two ahead of it */

/* A slot goes round: free, waiting to be hashed, being hashed, hashed, taken in its turn and free again. */
struct slot {
    enum { FREE, WAITING, HASHING, HASHED } state;
    uint32_t block_count;
    kt_block_view blocks[STRETCH_BLOCKS];
    kt_stretch stretch;
};

struct kt_leaves {
    const kt_registry *registry;
    kt_records *records;
    uint64_t next, end; /* the first record that no slot holds */
    bool stopped;       /* its block cannot be read */
    /* Slots are filled and taken in a ring, by the one thread that calls kt_leaves_next. */
    struct slot **slots;
    unsigned slot_count, oldest, filled;
    bool taken;           /* the oldest is with the caller */
    pthread_mutex_t lock; /* of the slots' states and of ending */
    pthread_cond_t waiting, hashed;
    bool ending;
    pthread_t threads[HELPERS_MAX];
    unsigned thread_count;
};

/* ---- one stretch, by one thread ---- */

static kt_leaf_sort sort_of(const kt_registry *registry, kt_span record) {
    static const kt_leaf_sort sorts[] = {
        [KT_COUNTS_NOT] = KT_LEAF_PLAIN, [KT_COUNTS_ENTRY] = KT_LEAF_POSTING, [KT_COUNTS_PROPOSAL] = KT_LEAF_LOOK};
    kt_envelope envelope;
    if (kt_envelope_open(record, &envelope, NULL) != KT_OK || envelope.kind == KT_KIND_SEAL ||
        envelope.kind == KT_KIND_LONG || envelope.kind == KT_KIND_LOG_KEY)
        return KT_LEAF_LOOK;
    for (unsigned i = 0; i < registry->kind_count; i++)
        if (registry->kinds[i].kind == envelope.kind) return sorts[registry->kinds[i].counts];
    return KT_LEAF_PLAIN;
}

static bool read_stretch(const kt_registry *registry, struct slot *slot) {
    kt_stretch *stretch = &slot->stretch;
    uint32_t at = 0;
    for (uint32_t b = 0; b < slot->block_count; b++) {
        kt_block_view *block = &slot->blocks[b];
        uint32_t begin = (uint32_t)(stretch->first + at - block->first), count = block->count - begin;
        if (count > stretch->count - at) count = stretch->count - at; /* the reader's end lies within the block */
        for (uint32_t i = 0; i < count; i++, at++) {
            kt_span record;
            if (kt_block_record(block, begin + i, &record, NULL) != KT_OK) return false;
            kt_leaf_hash(record.data, record.size, stretch->leaves[at]);
            stretch->sorts[at] = (uint8_t)sort_of(registry, record);
        }
    }
    return true;
}

/* A seal has a checkpoint behind it, which needs the tree as it stands there; unless the tile ends there too. */
static bool is_parted(const kt_stretch *stretch, uint32_t at) {
    return memchr(stretch->sorts + at, KT_LEAF_LOOK, KT_TILE_WIDTH - 1) != NULL;
}

static void hash_stretch(const kt_registry *registry, struct slot *slot) {
    kt_stretch *stretch = &slot->stretch;
    stretch->unread = !read_stretch(registry, slot);
    if (stretch->unread) return;
    memset(stretch->whole, 0, sizeof stretch->whole);
    uint64_t tile = stretch->first / KT_TILE_WIDTH;
    for (unsigned i = 0; i < KT_STRETCH_TILES; i++) {
        uint64_t begin = (tile + i) * KT_TILE_WIDTH;
        if (begin < stretch->first) continue;
        if (begin + KT_TILE_WIDTH > stretch->first + stretch->count) break;
        uint32_t at = (uint32_t)(begin - stretch->first);
        if (is_parted(stretch, at)) continue;
        kt_tile_hash(stretch->leaves[at], stretch->roots[i]);
        stretch->whole[i] = true;
    }
}

/* Under the lock, which it gives up while it works. False: none is waiting. */
static bool hash_one(kt_leaves *leaves) {
    for (unsigned i = 0; i < leaves->slot_count; i++) {
        struct slot *slot = leaves->slots[(leaves->oldest + i) % leaves->slot_count];
        if (slot->state != WAITING) continue;
        slot->state = HASHING;
        pthread_mutex_unlock(&leaves->lock);
        hash_stretch(leaves->registry, slot);
        pthread_mutex_lock(&leaves->lock);
        slot->state = HASHED;
        pthread_cond_signal(&leaves->hashed);
        return true;
    }
    return false;
}

void kt_leaves_help(kt_leaves *leaves) {
    pthread_mutex_lock(&leaves->lock);
    while (!leaves->ending)
        if (!hash_one(leaves)) pthread_cond_wait(&leaves->waiting, &leaves->lock);
    pthread_mutex_unlock(&leaves->lock);
}

static void *help(void *context) {
    kt_leaves_help(context);
    return NULL;
}

/* ---- all of them, in order ---- */

kt_code kt_leaves_open(const kt_registry *registry, kt_records *records, unsigned helpers, kt_leaves **out,
                       kt_error *error) {
    kt_leaves *leaves = calloc(1, sizeof *leaves);
    *out = NULL;
    if (leaves == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    pthread_mutex_init(&leaves->lock, NULL);
    pthread_cond_init(&leaves->waiting, NULL);
    pthread_cond_init(&leaves->hashed, NULL);
    leaves->registry = registry;
    leaves->records = records;
    leaves->end = kt_records_end(records);
    if (helpers > HELPERS_MAX) helpers = HELPERS_MAX;
    leaves->slots = calloc(2 * helpers + SPARE_SLOTS, sizeof *leaves->slots);
    for (; leaves->slots != NULL && leaves->slot_count < 2 * helpers + SPARE_SLOTS; leaves->slot_count++)
        if ((leaves->slots[leaves->slot_count] = calloc(1, sizeof **leaves->slots)) == NULL) break;
    if (leaves->slot_count == 0) {
        kt_leaves_close(leaves);
        return kt_fail(error, KT_MEMORY, "out of memory");
    }
    while (leaves->thread_count < helpers &&
           pthread_create(&leaves->threads[leaves->thread_count], NULL, help, leaves) == 0)
        leaves->thread_count++;
    *out = leaves;
    return KT_OK;
}

void kt_leaves_end(kt_leaves *leaves) {
    pthread_mutex_lock(&leaves->lock);
    leaves->ending = true;
    pthread_cond_broadcast(&leaves->waiting);
    pthread_mutex_unlock(&leaves->lock);
}

void kt_leaves_close(kt_leaves *leaves) {
    if (leaves == NULL) return;
    kt_leaves_end(leaves);
    while (leaves->thread_count != 0) pthread_join(leaves->threads[--leaves->thread_count], NULL);
    for (unsigned i = 0; i < leaves->slot_count; i++) free(leaves->slots[i]);
    free(leaves->slots);
    pthread_cond_destroy(&leaves->hashed);
    pthread_cond_destroy(&leaves->waiting);
    pthread_mutex_destroy(&leaves->lock);
    free(leaves);
}

/* As many whole blocks as there is room for, one at the least. False: there is none. */
static bool fill(kt_leaves *leaves, struct slot *slot) {
    slot->stretch.first = leaves->next;
    slot->stretch.count = slot->block_count = 0;
    while (slot->block_count < STRETCH_BLOCKS && leaves->next < leaves->end && !leaves->stopped) {
        kt_block_view *block = &slot->blocks[slot->block_count];
        leaves->stopped = kt_records_view(leaves->records, leaves->next, block, NULL) != KT_OK;
        if (leaves->stopped) break;
        uint64_t end = block->first + block->count;
        uint32_t count = (uint32_t)((end < leaves->end ? end : leaves->end) - leaves->next);
        if (count > KT_STRETCH_MOST - slot->stretch.count) break;
        slot->stretch.count += count;
        slot->block_count++;
        leaves->next += count;
    }
    return slot->block_count != 0;
}

/* Hands over what is free; the states are read without the lock by the only thread that makes slots free or waiting. */
static void fill_slots(kt_leaves *leaves) {
    while (leaves->filled < leaves->slot_count) {
        struct slot *slot = leaves->slots[(leaves->oldest + leaves->filled) % leaves->slot_count];
        if (!fill(leaves, slot)) return;
        leaves->filled++;
        pthread_mutex_lock(&leaves->lock);
        slot->state = WAITING;
        pthread_cond_signal(&leaves->waiting);
        pthread_mutex_unlock(&leaves->lock);
    }
}

const kt_stretch *kt_leaves_next(kt_leaves *leaves, uint64_t *next) {
    if (leaves->taken) {
        pthread_mutex_lock(&leaves->lock); /* who looks for work begins with the oldest */
        leaves->slots[leaves->oldest]->state = FREE;
        leaves->oldest = (leaves->oldest + 1) % leaves->slot_count;
        pthread_mutex_unlock(&leaves->lock);
        leaves->filled--;
        leaves->taken = false;
    }
    fill_slots(leaves);
    *next = leaves->next;
    if (leaves->filled == 0) return NULL;
    struct slot *slot = leaves->slots[leaves->oldest];
    pthread_mutex_lock(&leaves->lock);
    while (slot->state != HASHED)
        if (!hash_one(leaves)) pthread_cond_wait(&leaves->hashed, &leaves->lock);
    pthread_mutex_unlock(&leaves->lock);
    leaves->taken = true;
    return &slot->stretch;
}
