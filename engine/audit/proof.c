#include "engine/audit/proof.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/logkey.h"

#define LEVELS 7 /* tiles of 256^7 leaves: more than there will ever be */

/* ---- hashes of subtrees ---- */

typedef struct proof_source {
    kt_view *view;
    kt_records *records;
    kt_cursor *tiles;
    uint8_t tile_at[9]; /* the key that the cursor stands on */
    bool standing;
    kt_tree tree; /* of the newest head */
    /* Subtrees hashed already: the records beside one another share most of theirs. */
    struct known_subtree {
        uint64_t begin, end;
        uint8_t hash[KT_HASH_SIZE];
    } known[KT_PROOF_MAX * 2];
    size_t known_count;
} proof_source;

static kt_code open_source(kt_view *view, proof_source *out, kt_error *error) {
    kt_log_head head;
    *out = (proof_source){.view = view};
    kt_code code = kt_log_head_read(view->txn, &head, error);
    if (code == KT_OK) out->tree = head.tree;
    if (code == KT_OK) code = kt_records_open(view->txn, view->end, &out->records, error);
    if (code == KT_OK) code = kt_cursor_open(view->txn, KT_TABLE_TILES, &out->tiles, error);
    return code;
}

static void close_source(proof_source *source) {
    kt_records_close(source->records);
    kt_cursor_close(source->tiles);
}

/* Roots are asked for in order mostly, so the next row is tried before the tree of the store is gone down. */
static kt_code tile_root(proof_source *source, unsigned level, uint64_t index, uint8_t out[KT_HASH_SIZE],
                         kt_error *error) {
    uint8_t wanted[9] = {(uint8_t)level}, before[9] = {(uint8_t)level};
    kt_span key, value;
    kt_put_be64(wanted + 1, index);
    kt_put_be64(before + 1, index - 1);
    bool follows = source->standing && index > 0 && memcmp(source->tile_at, before, sizeof before) == 0;
    kt_code code = follows ? kt_cursor_next(source->tiles, &key, &value, error)
                           : kt_cursor_seek(source->tiles, kt_span_of(wanted, sizeof wanted), &key, &value, error);
    source->standing = code == KT_OK;
    if (code != KT_OK && code != KT_END) return code;
    if (code == KT_END || key.size != sizeof wanted || memcmp(key.data, wanted, sizeof wanted) != 0 ||
        value.size != KT_HASH_SIZE) {
        source->standing = false;
        return kt_fail(error, KT_DAMAGED, "the root of tile %" PRIu64 " of level %u is not stored", index, level);
    }
    memcpy(source->tile_at, wanted, sizeof wanted);
    memcpy(out, value.data, KT_HASH_SIZE);
    return KT_OK;
}

/* What lies right of begin up to the end is the end of the newest tree's frontier. */
static bool is_edge(const proof_source *source, uint64_t begin, uint64_t end) {
    uint64_t width = end - begin;
    return end == source->tree.size && (begin == 0 || (begin & -begin) > width);
}

static kt_code hash_subtree(void *context, uint64_t begin, uint64_t end, uint8_t out[KT_HASH_SIZE], kt_error *error) {
    proof_source *source = context;
    kt_tree part;
    if (is_edge(source, begin, end)) {
        part = source->tree;
        part.size = end - begin;
        kt_tree_root(&part, out);
        return KT_OK;
    }
    for (size_t i = 0; i < source->known_count; i++)
        if (source->known[i].begin == begin && source->known[i].end == end) {
            memcpy(out, source->known[i].hash, KT_HASH_SIZE);
            return KT_OK;
        }
    kt_code code = KT_OK;
    kt_tree_init(&part);
    for (uint64_t at = begin; at < end && code == KT_OK;) {
        unsigned level = LEVELS;
        for (; level > 0; level--) {
            uint64_t leaves = UINT64_C(1) << (8 * level);
            if (at % leaves == 0 && end - at >= leaves) break;
        }
        uint8_t hash[KT_HASH_SIZE];
        if (level > 0) code = tile_root(source, level - 1, at >> (8 * level), hash, error);
        else {
            kt_span record;
            code = kt_records_read(source->records, at, &record, error);
            if (code == KT_OK) kt_leaf_hash(record.data, record.size, hash);
        }
        if (code == KT_OK) kt_tree_add_subtree(&part, 8 * level, hash);
        at += UINT64_C(1) << (8 * level);
    }
    if (code != KT_OK) return code;
    kt_tree_root(&part, out);
    if (source->known_count < sizeof source->known / sizeof *source->known) {
        struct known_subtree *known = &source->known[source->known_count++];
        known->begin = begin;
        known->end = end;
        memcpy(known->hash, out, KT_HASH_SIZE);
    }
    return KT_OK;
}

/* Hashes for a leaf, and that they hold: nothing is given out that whoever checks it would refuse. */
static kt_code prove_leaf(proof_source *source, uint64_t number, kt_span record, uint8_t *hashes, size_t *count,
                          kt_error *error) {
    uint8_t leaf[KT_HASH_SIZE];
    kt_leaf_hash(record.data, record.size, leaf);
    kt_code code = kt_tree_prove_inclusion(number, source->view->end, hash_subtree, source, hashes, count, error);
    if (code == KT_OK)
        code = kt_tree_check_inclusion(leaf, number, source->view->end, hashes, *count, source->view->row.root, error);
    return code == KT_DAMAGED ? kt_fail_at(error, code, "record %" PRIu64 " (kontor verify says more)", number) : code;
}

/* ---- making ---- */

/* The reader's bytes move, so those that go into a proof are kept. */
static kt_code keep_record(proof_source *source, uint64_t number, kt_span *out, kt_error *error) {
    kt_span record;
    kt_code code = kt_records_read(source->records, number, &record, error);
    if (code != KT_OK) return code;
    kt_str kept = kt_view_keep(source->view, (kt_str){(const char *)record.data, record.size});
    *out = kt_span_of(kept.data, record.size);
    return kept.data == NULL ? kt_fail(error, KT_MEMORY, "out of memory for a proof") : KT_OK;
}

/* How many parts lie before it: 0 where the record is not long. */
static kt_code count_parts(proof_source *source, uint64_t number, uint32_t *out, kt_error *error) {
    kt_span record;
    kt_envelope envelope;
    kt_long whole;
    *out = 0;
    kt_code code = kt_records_read(source->records, number, &record, error);
    if (code == KT_OK) code = kt_envelope_open(record, &envelope, error);
    if (code != KT_OK || envelope.kind != KT_KIND_LONG) return code;
    code = kt_long_read(envelope.body, &whole, error);
    if (code == KT_OK && whole.parts > number)
        code = kt_fail(error, KT_DAMAGED, "record %" PRIu64 ": its parts do not fit", number);
    if (code == KT_OK) *out = whole.parts;
    return code;
}

static kt_code gather(proof_source *source, uint64_t number, const uint64_t *beside, kt_proof_extra *extra,
                      kt_error *error) {
    kt_code code = KT_OK;
    for (uint32_t i = 0; i < extra->record_count && code == KT_OK; i++)
        code = keep_record(source, number - (extra->record_count - 1 - i), &extra->records[i], error);
    for (uint32_t i = 0; i < extra->beside_count && code == KT_OK; i++) {
        uint8_t hashes[KT_PROOF_MAX * KT_HASH_SIZE];
        size_t count;
        extra->beside[i].number = beside[i];
        code = keep_record(source, beside[i], &extra->beside[i].record, error);
        if (code == KT_OK) code = prove_leaf(source, beside[i], extra->beside[i].record, hashes, &count, error);
        if (code != KT_OK) break;
        kt_str kept = kt_view_keep(source->view, (kt_str){(const char *)hashes, count * KT_HASH_SIZE});
        if (kept.data == NULL) code = kt_fail(error, KT_MEMORY, "out of memory for a proof");
        extra->beside[i].hashes = kt_span_of(kept.data, kept.size);
    }
    return code;
}

/* note: of a checkpoint over view->end records with view->row's root. */
static kt_code make(kt_view *view, uint64_t number, const uint64_t *beside, size_t beside_count, const char *note,
                    size_t note_size, char **text, size_t *size, kt_error *error) {
    proof_source source;
    kt_proof proof = {.index = number, .note = note, .note_size = note_size};
    kt_proof_extra extra = {0};
    char *extra_text = NULL;
    uint32_t parts = 0;
    *text = NULL;
    if (beside_count > KT_PROOF_BESIDE_MAX)
        return kt_fail(error, KT_LIMIT, "record %" PRIu64 ": more than %u records would stand beside it", number,
                       KT_PROOF_BESIDE_MAX);
    kt_code code = open_source(view, &source, error);
    if (code == KT_OK) code = count_parts(&source, number, &parts, error);
    if (code == KT_OK) {
        extra.records = calloc((size_t)parts + 1, sizeof *extra.records);
        extra.beside = calloc(beside_count + 1, sizeof *extra.beside);
        extra.record_count = parts + 1;
        extra.beside_count = (uint32_t)beside_count;
        if (extra.records == NULL || extra.beside == NULL)
            code = kt_fail(error, KT_MEMORY, "out of memory for a proof");
    }
    if (code == KT_OK) code = gather(&source, number, beside, &extra, error);
    if (code == KT_OK) code = prove_leaf(&source, number, extra.records[parts], proof.hashes, &proof.count, error);
    if (code == KT_OK) code = kt_proof_extra_encode(&extra, &extra_text, &proof.extra_size, error);
    proof.extra = extra_text;
    if (code == KT_OK) code = kt_proof_format(&proof, text, size, error);
    kt_proof_extra_release(&extra, NULL);
    free(extra_text);
    close_source(&source);
    return code;
}

kt_code kt_proof_make(kt_view *view, uint64_t number, const uint64_t *beside, size_t beside_count, char **text,
                      size_t *size, kt_error *error) {
    char *note = NULL;
    size_t note_size;
    kt_code code = kt_view_checkpoint(view, &note, &note_size, error);
    if (code == KT_OK) code = make(view, number, beside, beside_count, note, note_size, text, size, error);
    free(note);
    return code;
}

static kt_code open_note(const kt_view *view, const char *which, const char *note, size_t size, kt_checkpoint *out,
                         kt_error *error) {
    kt_code code = kt_log_checkpoint_open(view->txn, kt_book_origin(view->book), note, size, out, error);
    if (code == KT_KEY) code = KT_FOREIGN; /* nobody's key is missing: the checkpoint is not this book's */
    if (code != KT_OK) return kt_fail_at(error, code, "the %s checkpoint", which);
    if (out->size > view->end)
        return kt_fail(error, KT_NOT_FOUND,
                       "the %s checkpoint is of %" PRIu64 " records, and the book has %" PRIu64
                       ": it was cut off, or is an older copy",
                       which, out->size, view->end);
    return KT_OK;
}

kt_code kt_proof_make_under(kt_view *view, uint64_t number, const uint64_t *beside, size_t beside_count,
                            const char *note, size_t note_size, char **text, size_t *size, kt_error *error) {
    kt_checkpoint checkpoint;
    kt_view earlier = *view;
    *text = NULL;
    kt_code code = open_note(view, "given", note, note_size, &checkpoint, error);
    if (code == KT_OK && number >= checkpoint.size)
        code = kt_fail(error, KT_NOT_FOUND,
                       "record %" PRIu64 " came behind the checkpoint given, of %" PRIu64 " records", number,
                       checkpoint.size);
    if (code != KT_OK) return code;
    earlier.end = earlier.row.size = checkpoint.size;
    memcpy(earlier.row.root, checkpoint.root, KT_HASH_SIZE);
    code = make(&earlier, number, beside, beside_count, note, note_size, text, size, error);
    view->chunks = earlier.chunks; /* what it kept is the view's */
    return code;
}

kt_code kt_proof_make_consistency(kt_view *view, const char *older, size_t older_size, const char *newer,
                                  size_t newer_size, char **text, size_t *size, kt_error *error) {
    proof_source source;
    kt_proof proof = {.consistency = true, .older = older, .older_size = older_size};
    kt_checkpoint from, to;
    char *own = NULL;
    *text = NULL;
    kt_code code = open_source(view, &source, error);
    if (code == KT_OK && newer == NULL) {
        code = kt_view_checkpoint(view, &own, &newer_size, error);
        newer = own;
    }
    if (code == KT_OK) code = open_note(view, "first", older, older_size, &from, error);
    if (code == KT_OK) code = open_note(view, "second", newer, newer_size, &to, error);
    if (code == KT_OK && from.size > to.size)
        code = kt_fail(error, KT_USAGE,
                       "the first checkpoint is of %" PRIu64 " records and the second of %" PRIu64
                       ": expected the older one first",
                       from.size, to.size);
    if (code == KT_OK)
        code = kt_tree_prove_consistency(from.size, to.size, hash_subtree, &source, proof.hashes, &proof.count, error);
    if (code == KT_OK) {
        code = kt_tree_check_consistency(from.size, from.root, to.size, to.root, proof.hashes, proof.count, error);
        if (code == KT_DAMAGED) code = kt_fail_at(error, code, "the book's history is not that of the checkpoints");
    }
    proof.note = newer;
    proof.note_size = newer_size;
    if (code == KT_OK) code = kt_proof_format(&proof, text, size, error);
    free(own);
    close_source(&source);
    return code;
}

kt_code kt_proof_make_hashes(kt_view *view, uint64_t from, uint64_t to, uint8_t *hashes, size_t *count,
                             kt_error *error) {
    proof_source source;
    *count = 0;
    if (from > to || to > view->end)
        return kt_fail(error, KT_NOT_FOUND, "from %" PRIu64 " to %" PRIu64 " records: the book has %" PRIu64, from, to,
                       view->end);
    if (from == 0 || from == to) return KT_OK;
    kt_code code = open_source(view, &source, error);
    if (code == KT_OK) code = kt_tree_prove_consistency(from, to, hash_subtree, &source, hashes, count, error);
    close_source(&source);
    return code;
}

/* ---- checking ---- */

static kt_code check_note(const char *note, size_t size, const kt_verifier *verifier, const char *which,
                          kt_checkpoint *out, kt_error *error) {
    kt_code code = kt_checkpoint_open(note, size, verifier, false, out, error);
    if (code == KT_KEY) code = KT_FOREIGN; /* signed, and not by this key */
    return code == KT_OK ? code : kt_fail_at(error, code, "the proof's %scheckpoint", which);
}

/* A long record's parts are those that its head lists; a short record stands alone. */
static kt_code put_together(kt_proof_checked *out, kt_error *error) {
    uint64_t number = out->proof.index;
    uint32_t parts = out->extra.record_count - 1;
    kt_code code = kt_envelope_read(out->extra.records[parts], &out->envelope, error);
    if (code != KT_OK) return kt_fail_at(error, code, "record %" PRIu64, number);
    if ((out->envelope.kind == KT_KIND_LONG) != (parts > 0))
        return kt_fail(error, KT_INVALID, "record %" PRIu64 ": %" PRIu32 " parts are with it; expected %s", number,
                       parts, parts > 0 ? "none" : "those that it lists");
    for (uint32_t i = 0; i < parts && code == KT_OK; i++) {
        kt_envelope part;
        code = kt_envelope_read(out->extra.records[i], &part, error);
        if (code == KT_OK && part.kind != KT_KIND_PART)
            code = kt_fail(error, KT_DAMAGED, "what is with it is no part of a long record");
        if (code == KT_OK) code = kt_large_part(&out->large, out->extra.records[i], &part, error);
    }
    if (code == KT_OK && parts > 0) code = kt_large_whole(&out->large, &out->envelope, error);
    out->parts = parts;
    return code == KT_OK ? code : kt_fail_at(error, code, "record %" PRIu64, number);
}

static kt_code check_inclusion(kt_proof_checked *out, kt_error *error) {
    const kt_proof *proof = &out->proof;
    if (proof->extra == NULL)
        return kt_fail(error, KT_INVALID, "the proof has no extra data, and so not the record that it proves");
    kt_code code = kt_proof_extra_decode(proof->extra, proof->extra_size, &out->extra, &out->bytes, error);
    if (code != KT_OK) return code;
    kt_span record = out->extra.records[out->extra.record_count - 1];
    kt_leaf_hash(record.data, record.size, out->leaf);
    code = kt_tree_check_inclusion(out->leaf, proof->index, out->checkpoint.size, proof->hashes, proof->count,
                                   out->checkpoint.root, error);
    for (uint32_t i = 0; i < out->extra.beside_count && code == KT_OK; i++) {
        const kt_proof_beside *beside = &out->extra.beside[i];
        uint8_t leaf[KT_HASH_SIZE];
        kt_leaf_hash(beside->record.data, beside->record.size, leaf);
        code = kt_tree_check_inclusion(leaf, beside->number, out->checkpoint.size, beside->hashes.data,
                                       beside->hashes.size / KT_HASH_SIZE, out->checkpoint.root, error);
        if (code != KT_OK) code = kt_fail_at(error, code, "record %" PRIu64 " beside it", beside->number);
    }
    return code == KT_OK ? put_together(out, error) : code;
}

kt_code kt_proof_check(const char *text, size_t size, const char *verifier, kt_proof_checked *out, kt_error *error) {
    kt_verifier key;
    *out = (kt_proof_checked){0};
    kt_code code = kt_verifier_parse(verifier, strlen(verifier), &key, error);
    if (code == KT_OK) code = kt_proof_parse(text, size, &out->proof, error);
    const kt_proof *proof = &out->proof;
    if (code == KT_OK)
        code = check_note(proof->note, proof->note_size, &key, proof->consistency ? "newer " : "", &out->checkpoint,
                          error);
    if (code == KT_OK && proof->consistency)
        code = check_note(proof->older, proof->older_size, &key, "older ", &out->older, error);
    if (code != KT_OK) return code;
    if (!proof->consistency) return check_inclusion(out, error);
    return kt_tree_check_consistency(out->older.size, out->older.root, out->checkpoint.size, out->checkpoint.root,
                                     proof->hashes, proof->count, error);
}

void kt_proof_checked_release(kt_proof_checked *checked) {
    kt_proof_extra_release(&checked->extra, checked->bytes);
    kt_large_release(&checked->large);
    checked->bytes = NULL;
}
