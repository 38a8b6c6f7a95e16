/* The log's side of C2SP tlog-witness: asking somebody else to cosign, whatever carries the words. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/audit/proof.h"
#include "storage/cosign.h"

#define TURNS 4 /* it says what it saw last, and others may ask in between */

/* The witness's lines under the checkpoint: what is no cosignature, or not by the key expected, is left out. */
static kt_code join_lines(const char *own, size_t own_size, const char *lines, size_t lines_size,
                          const kt_verifier *expected, char **out, size_t *size, kt_error *error) {
    char *whole = malloc(own_size + lines_size + 1), *text = malloc(own_size + lines_size + 1);
    size_t at = 0, count = 0, used = 0;
    kt_note note;
    kt_note_signature line;
    kt_code code = whole == NULL || text == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
    if (code == KT_OK) {
        memcpy(whole, own, own_size);
        memcpy(whole + own_size, lines, lines_size);
        memcpy(text, own, own_size);
        used = own_size;
        code = kt_note_cut(whole, own_size + lines_size, &note, error);
    }
    while (code == KT_OK && (code = kt_note_next(&note, &at, &count, &line, error)) == KT_OK) {
        if (line.line < whole + own_size || line.size != KT_COSIGNATURE_SIZE ||
            (expected != NULL && !kt_note_signature_is_by(&line, expected)))
            continue;
        memcpy(text + used, line.line, line.line_size);
        used += line.line_size;
    }
    if (code == KT_END)
        code = used > own_size ? KT_OK
                               : kt_fail(error, KT_KEY, "no cosignature%s%s", expected ? " by " : "",
                                         expected ? expected->name : "");
    if (code == KT_OK && expected != NULL) code = kt_note_cut(text, used, &note, error);
    if (code == KT_OK && expected != NULL) code = kt_note_check(&note, expected, NULL, error);
    free(whole);
    if (code != KT_OK) {
        free(text);
        return kt_fail_at(error, code == KT_KEY ? KT_FOREIGN : code, "the witness's answer");
    }
    text[used] = 0;
    *out = text;
    *size = used;
    return KT_OK;
}

static kt_code refusal(unsigned status, const char *answer, size_t size, const kt_view *view, uint64_t seen,
                       kt_error *error) {
    const char *feed = size == 0 ? NULL : memchr(answer, '\n', size);
    size_t first = feed == NULL ? size : (size_t)(feed - answer);
    int shown = first > 200 ? 200 : (int)first;
    switch (status) {
    case 400: return kt_fail(error, KT_INVALID, "the witness does not understand the request: %.*s", shown, answer);
    case 403:
        return kt_fail(error, KT_FOREIGN, "the witness knows log %s under another key: %.*s",
                       kt_book_origin(view->book), shown, answer);
    case 404:
        return kt_fail(error, KT_UNKNOWN, "the witness was told of no log %s: %.*s", kt_book_origin(view->book), shown,
                       answer);
    case 422:
        return kt_fail(error, KT_DAMAGED,
                       "the witness refuses: this book is not proved to extend the %" PRIu64
                       " records that it cosigned: its history was rewritten or forked",
                       seen);
    default: return kt_fail(error, KT_IO, "the witness answers with status %u: %.*s", status, shown, answer);
    }
}

/* 409: what it saw last, from which to prove. */
static kt_code read_conflict(const char *answer, size_t size, const kt_view *view, bool first, uint64_t *seen,
                             kt_error *error) {
    uint64_t last;
    if (size == 0 || answer[size - 1] != '\n' || !kt_decimal_read(answer, size - 1, &last))
        return kt_fail(error, KT_INVALID, "the witness's answer: expected the size that it cosigned last");
    if (last > view->end)
        return kt_fail(error, KT_DAMAGED,
                       "the witness cosigned %" PRIu64 " records of this log, and the book has %" PRIu64
                       ": it was rolled back, or is an older copy",
                       last, view->end);
    if (!first && last == *seen)
        return kt_fail(error, KT_DAMAGED,
                       "the witness cosigned another tree of %" PRIu64 " records of this log: the book was forked",
                       last);
    *seen = last;
    return KT_OK;
}

kt_code kt_witness_ask(kt_view *view, kt_witness_post post, void *context, const char *witness, char **note,
                       size_t *size, kt_error *error) {
    kt_add_checkpoint request = {.old_size = 0};
    kt_verifier expected;
    char *own = NULL, *answer = malloc(KT_NOTE_MAX + 1);
    *note = NULL;
    kt_code code = answer == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
    if (code == KT_OK && witness != NULL)
        code = kt_verifier_parse_as(KT_VERIFIER_WITNESS, witness, strlen(witness), &expected, error);
    if (code == KT_OK) code = kt_view_checkpoint(view, &own, &request.note_size, error);
    request.note = own;
    for (unsigned turn = 0; code == KT_OK; turn++) {
        char *body;
        size_t body_size, answer_size = 0;
        unsigned status = 0;
        if (turn == TURNS) {
            code = kt_fail(error, KT_BUSY, "the witness saw another checkpoint each time; others ask it too");
            break;
        }
        code = kt_proof_make_hashes(view, request.old_size, view->end, request.hashes, &request.count, error);
        if (code == KT_OK) code = kt_add_checkpoint_format(&request, &body, &body_size, error);
        if (code != KT_OK) break;
        code = post(context, body, body_size, &status, answer, KT_NOTE_MAX, &answer_size, error);
        free(body);
        if (code != KT_OK) break;
        if (status == 200) {
            code = join_lines(own, request.note_size, answer, answer_size, witness == NULL ? NULL : &expected, note,
                              size, error);
            break;
        }
        code = status == 409 ? read_conflict(answer, answer_size, view, turn == 0, &request.old_size, error)
                             : refusal(status, answer, answer_size, view, request.old_size, error);
    }
    free(own);
    free(answer);
    return code;
}
