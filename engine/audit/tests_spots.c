#include "engine/audit/tests_spots.h"

#include <stdlib.h>

void kt_spots_init(kt_spots *spots, uint64_t most) { *spots = (kt_spots){.most = most}; }

void kt_spots_release(kt_spots *spots) {
    free(spots->kept);
    spots->kept = NULL;
}

static int compare(const kt_spot *a, const kt_spot *b) {
    if (a->entry != b->entry) return a->entry < b->entry ? -1 : 1;
    if (a->reason != b->reason) return a->reason < b->reason ? -1 : 1;
    if (a->other != b->other) return a->other < b->other ? -1 : 1;
    if (a->value != b->value) return a->value < b->value ? -1 : 1;
    return (a->more > b->more) - (a->more < b->more);
}

static void swap(kt_spot *a, kt_spot *b) {
    kt_spot held = *a;
    *a = *b;
    *b = held;
}

static void rise(kt_spot *heap, size_t at) {
    for (; at > 0 && compare(&heap[at], &heap[(at - 1) / 2]) > 0; at = (at - 1) / 2)
        swap(&heap[at], &heap[(at - 1) / 2]);
}

static void sink(kt_spot *heap, size_t count) {
    for (size_t at = 0, child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && compare(&heap[child + 1], &heap[child]) > 0) child++;
        if (compare(&heap[at], &heap[child]) >= 0) return;
        swap(&heap[at], &heap[child]);
    }
}

static kt_code keep(kt_spots *spots, const kt_spot *spot, kt_error *error) {
    if (spots->count == spots->most) {
        if (spots->most == 0 || compare(spot, &spots->kept[0]) >= 0) return KT_OK;
        spots->kept[0] = *spot;
        sink(spots->kept, spots->count);
        return KT_OK;
    }
    if (spots->count == spots->room) {
        size_t room = spots->room == 0 ? 16 : spots->room * 2;
        kt_spot *grown = realloc(spots->kept, room * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory for findings");
        spots->kept = grown;
        spots->room = room;
    }
    spots->kept[spots->count] = *spot;
    rise(spots->kept, spots->count++);
    return KT_OK;
}

kt_code kt_spots_add(kt_spots *spots, const kt_spot *spot, kt_error *error) {
    spots->all++;
    return keep(spots, spot, error);
}

kt_code kt_spots_merge(kt_spots *spots, const kt_spots *others, kt_error *error) {
    kt_code code = KT_OK;
    spots->all += others->all;
    for (size_t i = 0; i < others->count && code == KT_OK; i++) code = keep(spots, &others->kept[i], error);
    return code;
}

static int in_order(const void *a, const void *b) { return compare(a, b); }

void kt_spots_sort(kt_spots *spots) {
    if (spots->count != 0) qsort(spots->kept, spots->count, sizeof *spots->kept, in_order);
}
