#include "engine/audit/witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/audit/proof.h"

_Static_assert(KT_ADD_CHECKPOINT_BODY_MAX == KT_ADD_CHECKPOINT_MAX, "the public bound is storage's");

/* ---- the note that is kept and given out: the log's own lines, and the cosignature ---- */

/* Each key's first line: a signature that somebody else added is nothing to cosign over, and nothing to keep. */
static kt_code put_log_lines(const kt_witness_state *state, const kt_note *note, char *text, size_t *used,
                             kt_error *error) {
    bool seen[KT_WITNESS_LOG_KEYS] = {false};
    size_t at = 0, count = 0;
    kt_note_signature line;
    kt_code code;
    while ((code = kt_note_next(note, &at, &count, &line, error)) == KT_OK)
        for (size_t i = 0; i < state->key_count; i++) {
            if (seen[i] || !kt_note_signature_is_by(&line, &state->keys[i])) continue;
            memcpy(text + *used, line.line, line.line_size);
            *used += line.line_size;
            seen[i] = true;
        }
    return code == KT_END ? KT_OK : code;
}

/* The text, an empty line and the log's lines: no more than it came with. */
static kt_code strip(const kt_witness_state *state, const kt_note *note, char **out, size_t *size, kt_error *error) {
    char *text = malloc(KT_NOTE_MAX + KT_COSIGNATURE_LINE_MAX);
    *out = text;
    if (text == NULL) return kt_fail(error, KT_MEMORY, "out of memory for a checkpoint");
    memcpy(text, note->text, note->text_size);
    *size = note->text_size;
    text[(*size)++] = '\n';
    return put_log_lines(state, note, text, size, error);
}

static kt_code cosign(kt_witness *witness, const kt_witness_state *state, const kt_note *note, kt_witness_verdict *out,
                      kt_error *error) {
    int64_t now = witness->options.clock_us(witness->options.context) / 1000000;
    uint64_t time = now < 0 ? 0 : (uint64_t)now;
    if (time < state->time) time = state->time;
    kt_code code = strip(state, note, &out->note, &out->size, error);
    if (code == KT_OK)
        code = kt_cosign(witness->signer, &witness->verifier, time, note->text, note->text_size, out->line,
                         &out->line_size, error);
    if (code != KT_OK) return code;
    if (out->size + out->line_size > KT_NOTE_MAX) {
        out->status = 400;
        return kt_fail(error, KT_INVALID, "checkpoint: %zu bytes and a cosignature; at most %d are kept", out->size,
                       KT_NOTE_MAX);
    }
    memcpy(out->note + out->size, out->line, out->line_size + 1);
    out->size += out->line_size;
    /* LAW 3: on the disk before anybody has it. */
    return kt_witness_state_write(witness, state, out->note, out->size, error);
}

/* ---- judging ---- */

static kt_code refuse(const kt_witness *witness, const kt_witness_state *state, kt_evidence sort, const kt_note *note,
                      const kt_add_checkpoint *request, kt_error *error) {
    char path[4096], *text = NULL;
    size_t size;
    kt_error why = {0};
    kt_code code = strip(state, note, &text, &size, &why);
    if (code == KT_OK)
        code = kt_witness_keep_evidence(witness, state, sort, text, size, request->hashes, request->count, path, &why);
    free(text);
    size_t used = error == NULL ? 0 : strlen(error->text);
    if (error == NULL) return KT_DAMAGED;
    (void)snprintf(error->text + used, sizeof error->text - used, "; %s%s",
                   code != KT_OK  ? "the evidence could not be kept: "
                   : path[0] == 0 ? "there is no more room for evidence"
                                  : "kept as ",
                   code != KT_OK ? why.text : path);
    return KT_DAMAGED;
}

static kt_code judge_order(const kt_witness *witness, const kt_witness_state *state, const kt_checkpoint *found,
                           const kt_note *note, const kt_add_checkpoint *request, unsigned *status, kt_error *error) {
    const kt_checkpoint *last = &state->last;
    *status = 409;
    if (state->note != NULL && found->size == last->size && memcmp(found->root, last->root, KT_HASH_SIZE) != 0) {
        kt_fail(error, KT_DAMAGED,
                "log %s: another tree of %" PRIu64 " records than this witness cosigned: its history was forked",
                last->origin, found->size);
        return refuse(witness, state, KT_EVIDENCE_FORK, note, request, error);
    }
    if (found->size < last->size) {
        kt_fail(error, KT_DAMAGED,
                "log %s: a checkpoint of %" PRIu64 " records, and this witness cosigned one of %" PRIu64
                ": the log was rolled back, or this is an older checkpoint",
                last->origin, found->size, last->size);
        return refuse(witness, state, KT_EVIDENCE_BEHIND, note, request, error);
    }
    if (request->old_size != last->size)
        return kt_fail(error, KT_INVALID,
                       "log %s: the proof is from %" PRIu64 " records; expected from the %" PRIu64
                       " that this witness cosigned last",
                       found->origin, request->old_size, last->size);
    *status = 422;
    uint8_t empty[KT_HASH_SIZE];
    kt_sha256_of("", 0, empty);
    if (found->size == 0 && memcmp(found->root, empty, KT_HASH_SIZE) != 0)
        return kt_fail(error, KT_DAMAGED, "log %s: no records, and not the root of none", found->origin);
    if (last->size == 0 && request->count > 0)
        return kt_fail(error, KT_INVALID, "log %s: %zu hashes; expected none from no records", found->origin,
                       request->count);
    if (last->size == 0) return KT_OK;
    kt_code code = kt_tree_check_consistency(last->size, last->root, found->size, found->root, request->hashes,
                                             request->count, error);
    if (code == KT_OK) return KT_OK;
    kt_fail_at(error, KT_DAMAGED,
               "log %s: the checkpoint of %" PRIu64 " records is not proved to extend the one of %" PRIu64
               " that this witness cosigned last",
               found->origin, found->size, last->size);
    return refuse(witness, state, KT_EVIDENCE_UNPROVED, note, request, error);
}

static kt_code judge(kt_witness *witness, const kt_add_checkpoint *request, kt_witness_state *state,
                     kt_witness_verdict *out, kt_error *error) {
    kt_note note;
    kt_checkpoint found;
    out->status = 400;
    kt_code code = kt_note_cut(request->note, request->note_size, &note, error);
    if (code == KT_OK) code = kt_checkpoint_read(&note, &found, error);
    if (code != KT_OK) return code;
    code = kt_witness_state_read(witness, found.origin, state, error);
    out->status = code == KT_UNKNOWN ? 404 : 500;
    if (code != KT_OK) return code;
    out->last_size = state->last.size;
    out->status = 403;
    code = kt_witness_state_check(state, &note, error);
    if (code == KT_INVALID) out->status = 400;
    if (code != KT_OK) return code;
    out->status = 400;
    if (request->old_size > found.size)
        return kt_fail(error, KT_INVALID, "log %s: a proof from %" PRIu64 " records to %" PRIu64, found.origin,
                       request->old_size, found.size);
    code = judge_order(witness, state, &found, &note, request, &out->status, error);
    if (code != KT_OK) return code;
    out->status = 500;
    code = cosign(witness, state, &note, out, error);
    if (code == KT_OK) out->status = 200;
    return code;
}

kt_code kt_witness_judge(kt_witness *witness, const kt_add_checkpoint *request, kt_witness_verdict *out,
                         kt_error *error) {
    kt_witness_state state = {.key_count = 0};
    *out = (kt_witness_verdict){.status = 500};
    kt_code code = kt_witness_lock(witness, error);
    if (code != KT_OK) return code;
    code = judge(witness, request, &state, out, error);
    kt_witness_state_release(&state);
    kt_witness_unlock(witness);
    if (code != KT_OK) {
        free(out->note);
        out->note = NULL;
    }
    return code;
}

/* ---- from files, and from a book ---- */

static kt_code give(kt_witness *witness, const kt_add_checkpoint *request, char **note, size_t *size,
                    kt_witness_verdict *verdict, kt_error *error) {
    kt_code code = kt_witness_judge(witness, request, verdict, error);
    *note = verdict->note;
    *size = verdict->size;
    return code;
}

kt_code kt_witness_cosign(kt_witness *witness, const char *checkpoint, size_t checkpoint_size, const char *proof,
                          size_t proof_size, char **note, size_t *size, kt_error *error) {
    kt_proof parsed;
    kt_note older, newer;
    kt_checkpoint from;
    kt_witness_verdict verdict;
    kt_add_checkpoint request = {.note = checkpoint, .note_size = checkpoint_size};
    kt_code code = KT_OK;
    *note = NULL;
    if (proof != NULL) {
        code = kt_proof_parse(proof, proof_size, &parsed, error);
        if (code == KT_OK && (!parsed.consistency || parsed.count > KT_COSIGN_HASHES_MAX))
            code = kt_fail(error, KT_INVALID, "proof: expected one of consistency");
        if (code == KT_OK) code = kt_note_cut(parsed.older, parsed.older_size, &older, error);
        if (code == KT_OK) code = kt_checkpoint_read(&older, &from, error);
        if (code != KT_OK) return code;
        request.old_size = from.size;
        request.count = parsed.count;
        memcpy(request.hashes, parsed.hashes, parsed.count * KT_HASH_SIZE);
    } else if (kt_note_cut(checkpoint, checkpoint_size, &newer, NULL) == KT_OK &&
               kt_checkpoint_read(&newer, &from, NULL) == KT_OK) {
        /* The same again needs no proof. */
        kt_witness_state state;
        if (kt_witness_state_read(witness, from.origin, &state, NULL) == KT_OK && state.last.size == from.size)
            request.old_size = from.size;
        kt_witness_state_release(&state);
    }
    return give(witness, &request, note, size, &verdict, error);
}

static kt_code last_size(const kt_witness *witness, const char *origin, uint64_t *out, kt_error *error) {
    kt_witness_state state;
    kt_code code = kt_witness_state_read(witness, origin, &state, error);
    *out = state.last.size;
    kt_witness_state_release(&state);
    return code;
}

kt_code kt_witness_cosign_view(kt_witness *witness, kt_view *view, char **note, size_t *size, kt_error *error) {
    kt_add_checkpoint request = {.old_size = 0};
    kt_witness_verdict verdict = {.status = 0};
    char *own = NULL;
    uint64_t seen;
    *note = NULL;
    kt_code code = last_size(witness, kt_book_origin(view->book), &request.old_size, error);
    if (code == KT_OK) code = kt_view_checkpoint(view, &own, &request.note_size, error);
    request.note = own;
    while (code == KT_OK) {
        seen = request.old_size;
        if (seen > view->end) request.old_size = 0; /* nothing can be proved; the witness says so, and keeps it */
        code = kt_proof_make_hashes(view, request.old_size, view->end, request.hashes, &request.count, error);
        if (code != KT_OK) break;
        code = give(witness, &request, note, size, &verdict, error);
        /* Somebody else had it cosign in between. */
        if (code == KT_OK || verdict.status != 409 || verdict.last_size == seen) break;
        request.old_size = verdict.last_size;
        code = KT_OK;
    }
    free(own);
    return code;
}

kt_code kt_witness_last(kt_witness *witness, const char *origin, char **note, size_t *size, kt_error *error) {
    kt_witness_state state;
    *note = NULL;
    kt_code code = kt_witness_state_read(witness, origin, &state, error);
    if (code == KT_OK && state.note != NULL) {
        *note = strndup(state.note, state.note_size);
        *size = state.note_size;
        if (*note == NULL) code = kt_fail(error, KT_MEMORY, "out of memory");
    }
    kt_witness_state_release(&state);
    return code;
}

/* ---- the protocol ---- */

static void say(kt_witness_answer *out, const char *type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(kt_witness_answer *out, const char *type, const char *format, ...) {
    char text[sizeof((kt_error *)NULL)->text + 2];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    out->type = type;
    out->body = strdup(text);
    out->size = strlen(text);
}

kt_code kt_witness_add_checkpoint(kt_witness *witness, const char *body, size_t size, kt_witness_answer *out,
                                  kt_error *error) {
    static const char plain[] = "text/plain; charset=utf-8";
    kt_add_checkpoint request;
    kt_witness_verdict verdict = {.status = 400};
    kt_error unwanted = {0};
    if (error == NULL) error = &unwanted;
    kt_code code = kt_add_checkpoint_parse(body, size, &request, error);
    if (code == KT_OK) code = kt_witness_judge(witness, &request, &verdict, error);
    *out = (kt_witness_answer){.status = verdict.status};
    if (code == KT_OK) say(out, plain, "%s", verdict.line);
    else if (verdict.status == 409) say(out, "text/x.tlog.size", "%" PRIu64 "\n", verdict.last_size);
    /* Where the witness itself fails, and where its files lie, is for its own log. */
    else if (verdict.status == 500) say(out, plain, "the witness cannot answer now\n");
    else if (verdict.status == 422) say(out, plain, "not proved to extend the checkpoint cosigned last\n");
    else say(out, plain, "%s\n", error->text);
    free(verdict.note);
    if (out->body == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    return code;
}
