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

void kt_gather_reset(kt_gather *gather);
void kt_gather_release(kt_gather *gather);

/* A new line, all zero; valid until the next one. NULL with KT_LIMIT or KT_MEMORY in *code. */
kt_line *kt_gather_line(kt_gather *gather, kt_code *code);

/* A dimension of the line added last; an empty value adds nothing. Rising, as kt_line wants them. */
kt_code kt_gather_dimension(kt_gather *gather, uint8_t dimension, kt_str value);

/* Puts the lines into the entry. A text and a reference that all lines share become the entry's own, so that they
   are stored once. */
void kt_gather_finish(kt_gather *gather, kt_entry *entry);

#endif
