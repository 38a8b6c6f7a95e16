/*
 * spots: what a test points at: all counted, those of the lowest entry numbers kept.
 *
 * Kept so, what comes out is the same however the entries were shared out to workers. Memory is bounded by the number
 * kept. A heap with the highest on top.
 */
#ifndef KT_AUDIT_TESTS_SPOTS_H
#define KT_AUDIT_TESTS_SPOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/error.h"

typedef struct kt_spot {
    uint64_t entry, other; /* as in a finding */
    uint64_t value, more;  /* the test's own, to say why */
    uint32_t reason;       /* likewise */
} kt_spot;

typedef struct kt_spots {
    kt_spot *kept;
    size_t count, room;
    uint64_t most;
    uint64_t all;
} kt_spots;

void kt_spots_init(kt_spots *spots, uint64_t most);
void kt_spots_release(kt_spots *spots);
kt_code kt_spots_add(kt_spots *spots, const kt_spot *spot, kt_error *error);
kt_code kt_spots_merge(kt_spots *spots, const kt_spots *others, kt_error *error);
/* By entry, reason, other; no more are added then. */
void kt_spots_sort(kt_spots *spots);

#endif
