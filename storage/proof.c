#include "storage/proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/codec.h"

#define INCLUSION "c2sp.org/tlog-proof@v1"
#define CONSISTENCY "kontor/consistency/v1"
#define EXTRA_VERSION 1
#define HASH_TEXT 44 /* 32 bytes in base64 */
#define RECORDS_MAX (KT_WHOLE_MAX / KT_PART_BODY + 2)

_Static_assert(KT_RECORD_MAX / KT_HASH_SIZE > RECORDS_MAX, "a long record's hashes fit its head");

/* ---- reading the text ---- */

typedef struct lines {
    const char *at, *end;
    size_t number; /* of the line read last, from 1 */
} lines;

/* The next line without its line feed; false at the end, or where the last has none. */
static bool next_line(lines *from, const char **line, size_t *size) {
    const char *feed = from->at == from->end ? NULL : memchr(from->at, '\n', (size_t)(from->end - from->at));
    if (feed == NULL) return false;
    *line = from->at;
    *size = (size_t)(feed - from->at);
    from->at = feed + 1;
    from->number++;
    return true;
}

static bool begins(const char *line, size_t size, const char *word) {
    size_t length = strlen(word);
    return size >= length && memcmp(line, word, length) == 0;
}

static bool is_line(const char *line, size_t size, const char *word) {
    return size == strlen(word) && begins(line, size, word);
}

static bool read_index(const char *digits, size_t size, uint64_t *out) {
    uint64_t value = 0;
    if (size == 0 || (digits[0] == '0' && size > 1)) return false;
    for (size_t i = 0; i < size; i++)
        if (digits[i] < '0' || digits[i] > '9' || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(digits[i] - '0'), &value))
            return false;
    *out = value;
    return true;
}

/* Up to the empty line, which is taken too. */
static kt_code read_hashes(lines *from, kt_proof *out, kt_error *error) {
    const char *line;
    size_t size, got;
    for (;;) {
        if (!next_line(from, &line, &size))
            return kt_fail(error, KT_INVALID, "proof: ends at line %zu; expected an empty line and a checkpoint",
                           from->number);
        if (size == 0) return KT_OK;
        if (out->count == KT_PROOF_MAX)
            return kt_fail(error, KT_INVALID, "proof: line %zu: more than %d hashes", from->number, KT_PROOF_MAX);
        if (size != HASH_TEXT ||
            !kt_base64_decode(line, size, out->hashes + out->count * KT_HASH_SIZE, KT_HASH_SIZE, &got) ||
            got != KT_HASH_SIZE)
            return kt_fail(error, KT_INVALID, "proof: line %zu: expected a hash, %d bytes in base64", from->number,
                           KT_HASH_SIZE);
        out->count++;
    }
}

static kt_code read_inclusion(lines *from, kt_proof *out, kt_error *error) {
    const char *line;
    size_t size;
    bool more = next_line(from, &line, &size);
    if (more && begins(line, size, "extra ")) {
        out->extra = line + 6;
        out->extra_size = size - 6;
        if (out->extra_size == 0)
            return kt_fail(error, KT_INVALID, "proof: line %zu: no extra data; the line is left out then",
                           from->number);
        more = next_line(from, &line, &size);
    }
    if (!more || !begins(line, size, "index ") || !read_index(line + 6, size - 6, &out->index))
        return kt_fail(error, KT_INVALID,
                       "proof: line %zu: expected \"index\" and a decimal number without leading zeros", from->number);
    kt_code code = read_hashes(from, out, error);
    if (code != KT_OK) return code;
    out->note = from->at;
    out->note_size = (size_t)(from->end - from->at);
    return KT_OK;
}

/* The older note: its text to the empty line, its signatures to the next. */
static kt_code read_consistency(lines *from, kt_proof *out, kt_error *error) {
    const char *line;
    size_t size;
    kt_code code = read_hashes(from, out, error);
    if (code != KT_OK) return code;
    out->older = from->at;
    for (unsigned empty = 0; empty < 2; empty += size == 0)
        if (!next_line(from, &line, &size))
            return kt_fail(error, KT_INVALID,
                           "proof: ends at line %zu; expected two checkpoints with an empty line between",
                           from->number);
    out->older_size = (size_t)(from->at - out->older) - 1;
    out->note = from->at;
    out->note_size = (size_t)(from->end - from->at);
    return KT_OK;
}

kt_code kt_proof_parse(const char *text, size_t size, kt_proof *out, kt_error *error) {
    lines from = {text, text + size, 0};
    const char *line;
    size_t length;
    memset(out, 0, sizeof *out);
    if (size > KT_PROOF_TEXT_MAX)
        return kt_fail(error, KT_INVALID, "proof: %zu bytes; expected at most %zu", size, KT_PROOF_TEXT_MAX);
    if (!next_line(&from, &line, &length) || (!is_line(line, length, INCLUSION) && !is_line(line, length, CONSISTENCY)))
        return kt_fail(error, KT_INVALID, "proof: line 1: not a proof; expected " INCLUSION " or " CONSISTENCY);
    out->consistency = is_line(line, length, CONSISTENCY);
    kt_code code = out->consistency ? read_consistency(&from, out, error) : read_inclusion(&from, out, error);
    if (code == KT_OK && (out->note_size > KT_NOTE_MAX || out->older_size > KT_NOTE_MAX))
        code = kt_fail(error, KT_INVALID, "proof: a checkpoint of more than %d bytes", KT_NOTE_MAX);
    return code;
}

/* ---- writing it ---- */

kt_code kt_proof_format(const kt_proof *proof, char **out, size_t *size, kt_error *error) {
    size_t room = proof->extra_size + proof->note_size + proof->older_size + KT_PROOF_MAX * (HASH_TEXT + 1) + 100;
    *out = NULL;
    if (room > KT_PROOF_TEXT_MAX)
        return kt_fail(error, KT_LIMIT, "proof: of %zu bytes; at most %zu are read", room, KT_PROOF_TEXT_MAX);
    char *text = malloc(room), *at = text;
    if (text == NULL) return kt_fail(error, KT_MEMORY, "out of memory for a proof of %zu bytes", room);
    at += sprintf(at, "%s\n", proof->consistency ? CONSISTENCY : INCLUSION);
    if (proof->extra_size > 0) {
        memcpy(at, "extra ", 6);
        memcpy(at + 6, proof->extra, proof->extra_size);
        at += 6 + proof->extra_size;
        *at++ = '\n';
    }
    if (!proof->consistency) at += sprintf(at, "index %" PRIu64 "\n", proof->index);
    for (size_t i = 0; i < proof->count; i++) {
        at += kt_base64_encode(proof->hashes + i * KT_HASH_SIZE, KT_HASH_SIZE, at);
        *at++ = '\n';
    }
    *at++ = '\n';
    if (proof->consistency) {
        memcpy(at, proof->older, proof->older_size);
        at += proof->older_size;
        *at++ = '\n';
    }
    memcpy(at, proof->note, proof->note_size);
    at += proof->note_size;
    *at = 0;
    *out = text;
    *size = (size_t)(at - text);
    return KT_OK;
}

/* ---- the extra data ---- */

static void pack_extra(const kt_proof_extra *extra, kt_pack *pack) {
    kt_pack_array(pack, 3);
    kt_pack_uint(pack, EXTRA_VERSION);
    kt_pack_array(pack, extra->record_count);
    for (uint32_t i = 0; i < extra->record_count; i++)
        kt_pack_bytes(pack, extra->records[i].data, extra->records[i].size);
    kt_pack_array(pack, extra->beside_count);
    for (uint32_t i = 0; i < extra->beside_count; i++) {
        const kt_proof_beside *beside = &extra->beside[i];
        kt_pack_array(pack, 3);
        kt_pack_uint(pack, beside->number);
        kt_pack_bytes(pack, beside->record.data, beside->record.size);
        kt_pack_bytes(pack, beside->hashes.data, beside->hashes.size);
    }
}

kt_code kt_proof_extra_encode(const kt_proof_extra *extra, char **out, size_t *size, kt_error *error) {
    size_t room = 64;
    *out = NULL;
    for (uint32_t i = 0; i < extra->record_count; i++) room += extra->records[i].size + 5;
    for (uint32_t i = 0; i < extra->beside_count; i++)
        room += extra->beside[i].record.size + extra->beside[i].hashes.size + 24;
    if (room > KT_PROOF_EXTRA_MAX || extra->beside_count > KT_PROOF_BESIDE_MAX)
        return kt_fail(error, KT_LIMIT, "proof: %zu bytes of records; at most %u are taken", room, KT_PROOF_EXTRA_MAX);
    uint8_t *bytes = malloc(room);
    char *text = malloc(room / 3 * 4 + 8);
    kt_code code = bytes == NULL || text == NULL ? kt_fail(error, KT_MEMORY, "out of memory for a proof") : KT_OK;
    if (code == KT_OK) {
        kt_pack pack;
        kt_pack_init(&pack, bytes, room);
        pack_extra(extra, &pack);
        *size = kt_base64_encode(bytes, pack.size, text);
        *out = text;
        text = NULL;
    }
    free(text);
    free(bytes);
    return code;
}

static bool unpack_span(kt_unpack *unpack, kt_span *out) { return kt_unpack_bytes(unpack, &out->data, &out->size); }

static bool unpack_records(kt_unpack *unpack, kt_proof_extra *out, bool *memory) {
    uint32_t count;
    if (!kt_unpack_array(unpack, &count) || count == 0 || count > RECORDS_MAX) return false;
    out->records = calloc(count, sizeof *out->records);
    if (out->records == NULL) return *memory = false;
    out->record_count = count;
    for (uint32_t i = 0; i < count; i++)
        if (!unpack_span(unpack, &out->records[i]) || out->records[i].size > KT_RECORD_MAX) return false;
    return true;
}

static bool unpack_beside(kt_unpack *unpack, kt_proof_extra *out, bool *memory) {
    uint32_t count, three;
    if (!kt_unpack_array(unpack, &count) || count > KT_PROOF_BESIDE_MAX) return false;
    out->beside = calloc(count + 1, sizeof *out->beside);
    if (out->beside == NULL) return *memory = false;
    out->beside_count = count;
    for (uint32_t i = 0; i < count; i++) {
        kt_proof_beside *beside = &out->beside[i];
        if (!kt_unpack_array(unpack, &three) || three != 3 || !kt_unpack_uint(unpack, &beside->number) ||
            !unpack_span(unpack, &beside->record) || !unpack_span(unpack, &beside->hashes) ||
            beside->record.size > KT_RECORD_MAX || beside->hashes.size % KT_HASH_SIZE != 0 ||
            beside->hashes.size > KT_PROOF_MAX * KT_HASH_SIZE || (i > 0 && beside->number <= beside[-1].number))
            return false;
    }
    return true;
}

kt_code kt_proof_extra_decode(const char *base64, size_t size, kt_proof_extra *out, uint8_t **bytes, kt_error *error) {
    kt_unpack unpack;
    uint32_t three;
    uint64_t version;
    size_t got;
    bool memory = true;
    *out = (kt_proof_extra){0};
    *bytes = NULL;
    if (size / 4 * 3 > KT_PROOF_EXTRA_MAX + 3u)
        return kt_fail(error, KT_INVALID, "proof: extra data of more than %u bytes", KT_PROOF_EXTRA_MAX);
    uint8_t *data = malloc(size / 4 * 3 + 3);
    if (data == NULL) return kt_fail(error, KT_MEMORY, "out of memory for a proof");
    kt_code code = KT_OK;
    if (!kt_base64_decode(base64, size, data, size / 4 * 3 + 3, &got))
        code = kt_fail(error, KT_INVALID, "proof: the extra data is not base64 in its one form");
    if (code == KT_OK) {
        kt_unpack_init(&unpack, kt_span_of(data, got));
        if (!kt_unpack_array(&unpack, &three) || !kt_unpack_uint(&unpack, &version))
            code = kt_fail(error, KT_INVALID, "proof: the extra data is not of Kontor's form");
        else if (version > EXTRA_VERSION)
            code = kt_fail(error, KT_NEWER, "proof: extra data of version %" PRIu64 "; this program reads up to %d",
                           version, EXTRA_VERSION);
        else if (three != 3 || version != EXTRA_VERSION || !unpack_records(&unpack, out, &memory) ||
                 !unpack_beside(&unpack, out, &memory) || !kt_unpack_done(&unpack))
            code = memory ? kt_fail(error, KT_INVALID, "proof: the extra data is malformed")
                          : kt_fail(error, KT_MEMORY, "out of memory for a proof");
    }
    if (code == KT_OK) *bytes = data;
    else kt_proof_extra_release(out, data);
    return code;
}

void kt_proof_extra_release(kt_proof_extra *extra, uint8_t *bytes) {
    free(extra->records);
    free(extra->beside);
    free(bytes);
    *extra = (kt_proof_extra){0};
}
