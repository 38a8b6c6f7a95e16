/* Sources: c2sp.org/tlog-cosignature and c2sp.org/tlog-witness. */
#include "storage/cosign.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_TEXT 44 /* 32 bytes in base64 */
#define PREFIX_MAX 64

static size_t put_message(char *out, uint64_t time, const char *text, size_t size) {
    size_t used = (size_t)snprintf(out, PREFIX_MAX, "cosignature/v1\ntime %" PRIu64 "\n", time);
    memcpy(out + used, text, size);
    return used + size;
}

kt_code kt_cosign(const kt_signer *signer, const kt_verifier *cosigner, uint64_t time, const char *text,
                  size_t text_size, char out[KT_COSIGNATURE_LINE_MAX], size_t *size, kt_error *error) {
    char message[KT_NOTE_MAX + PREFIX_MAX], base64[KT_COSIGNATURE_LINE_MAX - KT_NOTE_NAME_MAX];
    uint8_t part[4 + KT_COSIGNATURE_SIZE];
    if (text_size > KT_NOTE_MAX || time > INT64_MAX)
        return kt_fail(error, KT_LIMIT, "checkpoint: %zu bytes at time %" PRIu64 "; expected at most %d", text_size,
                       time, KT_NOTE_MAX);
    for (unsigned i = 0; i < 4; i++) part[i] = (uint8_t)(cosigner->key_id >> (24 - 8 * i));
    for (unsigned i = 0; i < 8; i++) part[4 + i] = (uint8_t)(time >> (56 - 8 * i));
    kt_code code = kt_sign(signer, message, put_message(message, time, text, text_size), part + 12, error);
    if (code != KT_OK) return code;
    kt_base64_encode(part, sizeof part, base64);
    *size = (size_t)snprintf(out, KT_COSIGNATURE_LINE_MAX, "\xE2\x80\x94 %s %s\n", cosigner->name, base64);
    return KT_OK;
}

bool kt_cosignature_holds(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const char *text, size_t text_size,
                          const uint8_t *signature, size_t size, uint64_t *time) {
    char message[KT_NOTE_MAX + PREFIX_MAX];
    *time = 0;
    if (size != KT_COSIGNATURE_SIZE || text_size > KT_NOTE_MAX) return false;
    for (unsigned i = 0; i < 8; i++) *time = *time << 8 | signature[i];
    return *time <= INT64_MAX &&
           kt_signature_check(public_key, message, put_message(message, *time, text, text_size), signature + 8);
}

/* ---- merging ---- */

static bool has_key(const kt_note *note, const kt_note_signature *wanted, kt_note_signature *room) {
    size_t at = 0, count = 0;
    while (kt_note_next(note, &at, &count, room, NULL) == KT_OK)
        if (room->key_id == wanted->key_id && room->name_size == wanted->name_size &&
            memcmp(room->name, wanted->name, wanted->name_size) == 0)
            return true;
    return false;
}

/* Every line is one; so that what comes of merging two can be read. */
static kt_code count_lines(const kt_note *note, size_t *count, kt_note_signature *room, kt_error *error) {
    size_t at = 0;
    kt_code code;
    *count = 0;
    while ((code = kt_note_next(note, &at, count, room, error)) == KT_OK) {
    }
    return code == KT_END ? KT_OK : code;
}

static kt_code add_lines(const kt_note *newer, const kt_note *older, size_t count, char *text, size_t *used,
                         kt_error *error) {
    kt_note_signature line, room;
    size_t at = 0, seen = 0;
    while (kt_note_next(older, &at, &seen, &line, NULL) == KT_OK) {
        if (has_key(newer, &line, &room)) continue;
        if (count++ == KT_NOTE_SIGNATURES || *used + line.line_size > KT_NOTE_MAX)
            return kt_fail(error, KT_LIMIT, "note: with more signatures than %d, or %d bytes", KT_NOTE_SIGNATURES,
                           KT_NOTE_MAX);
        memcpy(text + *used, line.line, line.line_size);
        *used += line.line_size;
    }
    return KT_OK;
}

kt_code kt_note_merge(const char *newer, size_t newer_size, const char *older, size_t older_size, char **out,
                      size_t *size, kt_error *error) {
    kt_note a, b;
    size_t count, ignored;
    kt_note_signature room;
    *out = NULL;
    kt_code code = kt_note_cut(newer, newer_size, &a, error);
    if (code == KT_OK) code = kt_note_cut(older, older_size, &b, error);
    if (code == KT_OK) code = count_lines(&a, &count, &room, error);
    if (code == KT_OK) code = count_lines(&b, &ignored, &room, error);
    if (code != KT_OK) return code;
    if (a.text_size != b.text_size || memcmp(a.text, b.text, a.text_size) != 0)
        return kt_fail(error, KT_FOREIGN, "note: signatures of one text do not belong under another");
    char *text = malloc(KT_NOTE_MAX + 1);
    if (text == NULL) return kt_fail(error, KT_MEMORY, "out of memory for a note");
    memcpy(text, newer, newer_size);
    *size = newer_size;
    code = add_lines(&a, &b, count, text, size, error);
    text[*size] = 0;
    if (code != KT_OK) free(text);
    else *out = text;
    return code;
}

/* ---- asking ---- */

static kt_code read_line(const char **at, const char *end, size_t number, const char **line, size_t *size,
                         kt_error *error) {
    const char *feed = *at == end ? NULL : memchr(*at, '\n', (size_t)(end - *at));
    if (feed == NULL)
        return kt_fail(error, KT_INVALID,
                       "add-checkpoint: ends at line %zu; expected \"old\" and a size, hashes, an empty line and a "
                       "checkpoint",
                       number);
    *line = *at;
    *size = (size_t)(feed - *at);
    *at = feed + 1;
    return KT_OK;
}

kt_code kt_add_checkpoint_parse(const char *body, size_t size, kt_add_checkpoint *out, kt_error *error) {
    const char *at = body, *end = body + size, *line = body;
    size_t length = 0, got, number = 1;
    memset(out, 0, sizeof *out);
    if (size > KT_ADD_CHECKPOINT_MAX)
        return kt_fail(error, KT_INVALID, "add-checkpoint: %zu bytes; expected at most %d", size,
                       KT_ADD_CHECKPOINT_MAX);
    kt_code code = read_line(&at, end, number, &line, &length, error);
    if (code != KT_OK) return code;
    if (length < 5 || memcmp(line, "old ", 4) != 0 || !kt_decimal_read(line + 4, length - 4, &out->old_size))
        return kt_fail(error, KT_INVALID,
                       "add-checkpoint: line 1: expected \"old\" and a size, a decimal number without leading zeros");
    for (;;) {
        code = read_line(&at, end, ++number, &line, &length, error);
        if (code != KT_OK) return code;
        if (length == 0) break;
        if (out->count == KT_COSIGN_HASHES_MAX)
            return kt_fail(error, KT_INVALID, "add-checkpoint: line %zu: more than %u hashes", number,
                           KT_COSIGN_HASHES_MAX);
        if (length != HASH_TEXT ||
            !kt_base64_decode(line, length, out->hashes + out->count * KT_HASH_SIZE, KT_HASH_SIZE, &got) ||
            got != KT_HASH_SIZE)
            return kt_fail(error, KT_INVALID, "add-checkpoint: line %zu: expected a hash, %d bytes in base64", number,
                           KT_HASH_SIZE);
        out->count++;
    }
    out->note = at;
    out->note_size = (size_t)(end - at);
    return KT_OK;
}

kt_code kt_add_checkpoint_format(const kt_add_checkpoint *request, char **out, size_t *size, kt_error *error) {
    size_t room = 32 + (HASH_TEXT + 1) * request->count + 1 + request->note_size + 1;
    char *text = malloc(room), *at = text;
    *out = NULL;
    if (text == NULL) return kt_fail(error, KT_MEMORY, "out of memory for a request");
    at += sprintf(at, "old %" PRIu64 "\n", request->old_size);
    for (size_t i = 0; i < request->count; i++) {
        at += kt_base64_encode(request->hashes + i * KT_HASH_SIZE, KT_HASH_SIZE, at);
        *at++ = '\n';
    }
    *at++ = '\n';
    memcpy(at, request->note, request->note_size);
    at[request->note_size] = 0;
    *size = (size_t)(at - text) + request->note_size;
    *out = text;
    return KT_OK;
}
