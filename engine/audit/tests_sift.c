#include "engine/audit/tests_sift.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 340u /* items: 8 KiB */

struct kt_sift_chunk {
    struct kt_sift_chunk *next;
    uint32_t count;
    kt_sift_item items[CHUNK];
};

unsigned kt_sift_parts(uint64_t items) { return items == 0 ? 1 : (unsigned)((items - 1) / KT_SIFT_MOST + 1); }

kt_code kt_sift_put(kt_sift *sift, uint64_t spread, const kt_sift_item *item, unsigned parts, unsigned part,
                    kt_error *error) {
    if (parts > 1 && (uint32_t)spread % parts != part) return KT_OK;
    struct kt_sift_chunk **bucket = &sift->buckets[spread >> 56], *chunk = *bucket;
    if (chunk == NULL || chunk->count == CHUNK) {
        chunk = malloc(sizeof *chunk);
        if (chunk == NULL) return kt_fail(error, KT_MEMORY, "out of memory for the keys of entries");
        chunk->next = *bucket;
        chunk->count = 0;
        *bucket = chunk;
    }
    chunk->items[chunk->count++] = *item;
    return KT_OK;
}

/* ---- sorting ---- */

static inline bool less(const kt_sift_item *x, const kt_sift_item *y) {
    if (x->a != y->a) return x->a < y->a;
    return x->b != y->b ? x->b < y->b : x->c < y->c;
}

static void insertion(kt_sift_item *items, size_t count) {
    for (size_t i = 1; i < count; i++) {
        kt_sift_item held = items[i];
        size_t at = i;
        for (; at > 0 && less(&held, &items[at - 1]); at--) items[at] = items[at - 1];
        items[at] = held;
    }
}

static void sink(kt_sift_item *items, size_t at, size_t count) {
    kt_sift_item held = items[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && less(&items[child], &items[child + 1])) child++;
        if (!less(&held, &items[child])) break;
        items[at] = items[child];
    }
    items[at] = held;
}

static void heap(kt_sift_item *items, size_t count) {
    for (size_t i = count / 2; i > 0; i--) sink(items, i - 1, count);
    for (size_t end = count; end > 1; end--) {
        kt_sift_item top = items[0];
        items[0] = items[end - 1];
        items[end - 1] = top;
        sink(items, 0, end - 1);
    }
}

static void order3(kt_sift_item *x, kt_sift_item *y, kt_sift_item *z) {
    kt_sift_item held;
    if (less(y, x)) held = *x, *x = *y, *y = held;
    if (less(z, y)) held = *y, *y = *z, *z = held;
    if (less(y, x)) held = *x, *x = *y, *y = held;
}

/* Quicksort on the middle of three, the smaller side first; what it does badly a heap does. Several times qsort's speed, since
   the comparison is no call. */
static void quick(kt_sift_item *items, size_t count, unsigned depth) {
    while (count > 24) {
        if (depth-- == 0) {
            heap(items, count);
            return;
        }
        order3(&items[0], &items[count / 2], &items[count - 1]);
        kt_sift_item pivot = items[count / 2];
        size_t low = 0, high = count - 1;
        for (;;) {
            while (less(&items[low], &pivot)) low++;
            while (less(&pivot, &items[high])) high--;
            if (low >= high) break;
            kt_sift_item held = items[low];
            items[low++] = items[high];
            items[high--] = held;
        }
        size_t left = high + 1;
        if (left < count - left) {
            quick(items, left, depth);
            items += left;
            count -= left;
        } else {
            quick(items + left, count - left, depth);
            count = left;
        }
    }
    insertion(items, count);
}

kt_code kt_sift_bucket(kt_sift *const *sifts, unsigned count, unsigned bucket, kt_sift *into, kt_sift_item **items,
                       size_t *item_count, kt_error *error) {
    size_t all = 0;
    *item_count = 0;
    *items = NULL;
    for (unsigned i = 0; i < count; i++)
        for (const struct kt_sift_chunk *chunk = sifts[i]->buckets[bucket]; chunk != NULL; chunk = chunk->next)
            all += chunk->count;
    if (all == 0) return KT_OK;
    if (all > into->room_count) {
        free(into->room);
        into->room_count = 0;
        into->room = malloc(all * sizeof *into->room);
        if (into->room == NULL) return kt_fail(error, KT_MEMORY, "out of memory for the keys of entries");
        into->room_count = all;
    }
    for (unsigned i = 0; i < count; i++)
        for (const struct kt_sift_chunk *chunk = sifts[i]->buckets[bucket]; chunk != NULL; chunk = chunk->next) {
            memcpy(into->room + *item_count, chunk->items, chunk->count * sizeof *into->room);
            *item_count += chunk->count;
        }
    quick(into->room, all, 64);
    *items = into->room;
    return KT_OK;
}

void kt_sift_clear(kt_sift *sift) {
    for (unsigned i = 0; i < KT_SIFT_BUCKETS; i++) {
        for (struct kt_sift_chunk *chunk = sift->buckets[i], *next; chunk != NULL; chunk = next) {
            next = chunk->next;
            free(chunk);
        }
        sift->buckets[i] = NULL;
    }
}

void kt_sift_release(kt_sift *sift) {
    kt_sift_clear(sift);
    free(sift->room);
    *sift = (kt_sift){0};
}
