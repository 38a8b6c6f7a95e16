/*
 * gather: the lines of one entry while a reader collects them; its memory is used again for the next entry.
 *
 * Lifetime: lines and dimensions move while the entry grows; the pointers in a kt_entry are right from
 * kt_gather_finish until the next kt_gather_reset.
 * Bounds: at most KT_LINES_MAX lines (KT_LIMIT); an unusually large entry's memory is given back afterwards.
 */
#ifndef KT_EXCHANGE_GATHER_H
#define KT_EXCHANGE_GATHER_H

#include "engine/kontor.h"

typedef struct kt_gather {
    kt_line *lines;
    kt_dimension *dimensions;
    size_t count, room;
    size_t dimension_count, dimension_room;
} kt_gather; /* all zero to begin with */

#define KT_GATHER_KEEP ((size_t)65536) /* lines that stay allocated between entries: some 10 MB */

void kt_gather_release(kt_gather *gather);
static inline void kt_gather_reset(kt_gather *gather) {
    if (gather->room > KT_GATHER_KEEP) kt_gather_release(gather);
    gather->count = 0;
    gather->dimension_count = 0;
}

/* Room for one more line. KT_LIMIT, KT_MEMORY. */
kt_code kt_gather_grow(kt_gather *gather);

/* A new line, all zero; valid until the next one. NULL with KT_LIMIT or KT_MEMORY in *code. */
static inline kt_line *kt_gather_line(kt_gather *gather, kt_code *code) {
    *code = gather->count < gather->room ? KT_OK : kt_gather_grow(gather);
    if (*code != KT_OK) return NULL;
    kt_line *line = &gather->lines[gather->count++];
    /* Member by member: compilers make of a whole struct a string instruction, which is slow to start. */
    line->amount = line->cost = 0;
    line->account = line->currency = line->cost_currency = (kt_str){0};
    line->amount_given = line->cost_given = 0;
    line->has_cost = false;
    line->dimension_count = 0;
    line->dimensions = NULL;
    line->text = line->ref = line->tax_code = (kt_str){0};
    return line;
}

/* A dimension of the line added last; an empty value adds nothing. Rising, as kt_line wants them. */
kt_code kt_gather_dimension(kt_gather *gather, uint8_t dimension, kt_str value);

/* Puts the lines into the entry. A text and a reference that all lines share become the entry's own, so that they
   are stored once. */
void kt_gather_finish(kt_gather *gather, kt_entry *entry);

#endif
