/* period_changes: all closings and reopenings there were; kt_view_periods tells the last of each month. */
#include <stdlib.h>

#include "engine/ledger/period.h"
#include "engine/view.h"

static kt_code push(kt_period **rows, size_t *count, size_t *room, const kt_period *row, kt_error *error) {
    if (*count == *room) {
        size_t wanted = *room == 0 ? 32 : *room * 2;
        kt_period *grown = realloc(*rows, wanted * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        *rows = grown;
        *room = wanted;
    }
    (*rows)[(*count)++] = *row;
    return KT_OK;
}

kt_code kt_view_period_changes(kt_view *view, kt_period **out, size_t *count, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    kt_period row;
    kt_batch_row batch;
    size_t room = 0;
    *out = NULL;
    *count = 0;
    kt_code code = kt_cursor_open(view->txn, KT_TABLE_PERIODS, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_first(cursor, &key, &value, error); code == KT_OK;
         code = kt_cursor_next(cursor, &key, &value, error)) {
        code = kt_period_row_read(key, value, &row, error);
        if (code == KT_OK && row.record >= view->end) continue; /* not known yet */
        if (code == KT_OK) code = kt_batch_row_of(view->state, row.record, &batch, error);
        if (code == KT_OK) row.recorded_us = batch.recorded_us;
        if (code == KT_OK) code = push(out, count, &room, &row, error);
        if (code != KT_OK) break;
    }
    kt_cursor_close(cursor);
    if (code == KT_END) return KT_OK;
    free(*out);
    *out = NULL;
    *count = 0;
    return code == KT_NOT_FOUND ? kt_fail(error, KT_DAMAGED, "a period's record lies in no batch") : code;
}
