/*
 * view: reading at one moment: one read transaction, one end, and memory for what its answers point to.
 *
 * Laws kept: 11. `end` is the head's size, or the size of the last head recorded at or before the time asked for.
 */
#ifndef KT_ENGINE_VIEW_H
#define KT_ENGINE_VIEW_H

#include "engine/book.h"

struct kt_view {
    kt_book *book;
    kt_txn *txn;
    kt_state *state; /* without changes: reads alone */
    kt_log_row row;  /* the head seen */
    uint64_t end;    /* records below it are seen */
    bool as_known;
    struct kt_view_chunk *chunks;
};

/* A zero-terminated copy that lives as long as the view; {NULL, 0} where memory is short. */
kt_str kt_view_keep(kt_view *view, kt_str text);

#endif
