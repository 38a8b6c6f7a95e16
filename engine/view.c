#include "engine/view.h"

#include <stdlib.h>

#include "engine/logkey.h"

struct kt_view_chunk {
    struct kt_view_chunk *next;
    size_t used, room;
    char bytes[];
};

kt_str kt_view_keep(kt_view *view, kt_str text) {
    struct kt_view_chunk *chunk = view->chunks;
    if (chunk == NULL || chunk->room - chunk->used < text.size + 1) {
        size_t room = text.size + 1 > 16384 ? text.size + 1 : 16384;
        chunk = malloc(sizeof *chunk + room);
        if (chunk == NULL) return (kt_str){NULL, 0};
        *chunk = (struct kt_view_chunk){view->chunks, 0, room};
        view->chunks = chunk;
    }
    char *at = chunk->bytes + chunk->used;
    if (text.size != 0) memcpy(at, text.data, text.size);
    at[text.size] = 0;
    chunk->used += text.size + 1;
    return (kt_str){at, text.size};
}

kt_code kt_view_open(kt_book *book, const kt_view_options *options, kt_view **out, kt_error *error) {
    static const kt_view_options defaults;
    if (options == NULL) options = &defaults;
    *out = NULL;
    kt_view *view = calloc(1, sizeof *view);
    if (view == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    view->book = book;
    view->as_known = options->as_known;
    kt_code code = kt_txn_begin(kt_book_store(book), false, &view->txn, error);
    if (code == KT_OK) code = kt_state_open(&view->state, error);
    if (code == KT_OK) {
        kt_state_bind(view->state, view->txn);
        int64_t time = options->as_known ? options->known_us : INT64_MAX;
        code = kt_log_row_known(view->txn, time, &view->row, error);
        if (code == KT_NOT_FOUND) code = KT_OK; /* nothing was known yet */
        view->end = view->row.size;
    }
    if (code != KT_OK) kt_view_close(view);
    else *out = view;
    return code;
}

void kt_view_close(kt_view *view) {
    if (view == NULL) return;
    for (struct kt_view_chunk *chunk = view->chunks, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    kt_state_close(view->state);
    kt_txn_abort(view->txn);
    free(view);
}

kt_code kt_view_checkpoint(kt_view *view, char **note, size_t *size, kt_error *error) {
    if (view->end == 0) return kt_fail(error, KT_NOT_FOUND, "the book had no checkpoint then");
    *note = malloc(KT_CHECKPOINT_MAX);
    if (*note == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_code code = kt_log_note(view->txn, kt_book_origin(view->book), &view->row, *note, size, error);
    if (code == KT_OK) return code;
    free(*note);
    *note = NULL;
    return code;
}
