#include "engine/remote/accept.h"

#include <stdlib.h>

#include "engine/ledger/account.h"
#include "engine/ledger/currency.h"
#include "engine/logkey.h"
#include "storage/large.h"

struct kt_accept {
    kt_book *book;
    kt_fold *fold;
    kt_journal *journal;
    kt_ledger *ledger;
    kt_large large;
    uint64_t size; /* of the head the turn began from */
    bool open;
};

kt_code kt_accept_open(kt_book *book, kt_accept **out, kt_error *error) {
    kt_accept *accept = calloc(1, sizeof *accept);
    *out = accept;
    if (accept == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    accept->book = book;
    accept->fold = kt_book_fold(book);
    accept->journal = kt_book_journal(book);
    accept->ledger = kt_fold_self(accept->fold, &kt_ledger_department);
    return KT_OK;
}

void kt_accept_close(kt_accept *accept) {
    if (accept == NULL) return;
    kt_accept_abort(accept);
    kt_large_release(&accept->large);
    free(accept);
}

kt_code kt_accept_begin(kt_accept *accept, kt_error *error) {
    kt_code code = kt_book_take_turn(accept->book, error);
    if (code != KT_OK) return code;
    accept->size = kt_journal_head(accept->journal)->tree.size;
    accept->open = true;
    return KT_OK;
}

void kt_accept_abort(kt_accept *accept) {
    if (accept->open) kt_book_end_turn(accept->book, KT_END, 0);
    accept->open = false;
}

/* ---- law 5 ---- */

static void fill_receipt(const kt_batch_row *row, kt_receipt *receipt) {
    memset(receipt, 0, sizeof *receipt);
    memcpy(receipt->batch_id, row->id.data, row->id.size < KT_BATCH_ID_MAX ? row->id.size : KT_BATCH_ID_MAX);
    receipt->first = row->first;
    receipt->last = row->last;
    receipt->entries = row->posted;
    receipt->proposed = row->read - row->posted - row->rejected;
    receipt->recorded_us = row->recorded_us;
    receipt->clock_behind = row->clock_behind;
}

static kt_code find_row(kt_state *state, const kt_batch_frame *frame, kt_batch_row *row, kt_error *error) {
    int shown = (int)frame->id.size;
    kt_code code = kt_batch_row_by_id(state, kt_span_of(frame->id.data, frame->id.size), row, error);
    if (code != KT_OK) return code;
    if (row->first == 0)
        return kt_fail(error, KT_DUPLICATE, "batch id %.*s is that of the book's founding", shown, frame->id.data);
    if (frame->input != NULL && (!row->has_input || memcmp(row->input, frame->input, KT_HASH_SIZE) != 0))
        return kt_fail(error, KT_DUPLICATE, "batch id %.*s was used for other content (records %llu to %llu)", shown,
                       frame->id.data, (unsigned long long)row->first, (unsigned long long)row->last);
    return KT_OK;
}

static kt_code repeated(const kt_receipt *receipt, kt_error *error) {
    return kt_fail(error, KT_REPEATED, "already posted as batch %s, records %llu to %llu", receipt->batch_id,
                   (unsigned long long)receipt->first, (unsigned long long)receipt->last);
}

/* The checkpoint that covers it: a batch in the middle of others under one head has none of its own. */
static kt_code cover(kt_txn *txn, const char *origin, kt_receipt *receipt, char note[KT_CHECKPOINT_MAX],
                     kt_error *error) {
    kt_log_row row;
    kt_code code = kt_log_row_covering(txn, receipt->last, &row, error);
    if (code == KT_NOT_FOUND)
        return kt_fail(error, KT_DAMAGED, "no checkpoint covers record %llu", (unsigned long long)receipt->last);
    if (code != KT_OK) return code;
    receipt->tree_size = row.size;
    memcpy(receipt->root, row.root, KT_HASH_SIZE);
    return kt_log_note(txn, origin, &row, note, NULL, error);
}

kt_code kt_accept_look_up(kt_state *state, const char *origin, const kt_batch_frame *frame, kt_receipt *receipt,
                          char note[KT_CHECKPOINT_MAX], kt_error *error) {
    kt_batch_row row;
    kt_code code = find_row(state, frame, &row, error);
    if (code != KT_OK) return code;
    fill_receipt(&row, receipt);
    code = cover(kt_state_txn(state), origin, receipt, note, error);
    return code == KT_OK ? repeated(receipt, error) : code;
}

static kt_code look_up_here(kt_accept *accept, const kt_batch_frame *frame, kt_receipt *receipt,
                            char note[KT_CHECKPOINT_MAX], kt_error *error) {
    kt_batch_row row;
    kt_code code = find_row(kt_fold_state(accept->fold), frame, &row, error);
    if (code != KT_OK) return code == KT_NOT_FOUND ? KT_OK : code;
    fill_receipt(&row, receipt);
    if (receipt->last < accept->size)
        code = cover(kt_state_txn(kt_fold_state(accept->fold)), kt_book_origin(accept->book), receipt, note, error);
    return code == KT_OK ? repeated(receipt, error) : code;
}

/* ---- records ---- */

static kt_code append(kt_accept *accept, kt_span record, kt_error *error) {
    uint8_t *room;
    kt_code code = kt_journal_room(accept->journal, record.size, &room, error);
    if (code != KT_OK) return code;
    memcpy(room, record.data, record.size);
    kt_journal_take(accept->journal, record.size);
    return KT_OK;
}

static kt_code check_new_account(kt_accept *accept, const kt_record *record, kt_error *error) {
    kt_account account, before;
    if (kt_account_body_read(record, &account, NULL) != KT_OK) return KT_OK; /* refused where it is applied */
    kt_code code = kt_account_facts(accept->ledger->state, account.code, &before, error);
    if (code == KT_NOT_FOUND) return KT_OK;
    if (code != KT_OK) return code;
    return kt_fail(error, KT_EXISTS, "account %.*s was opened by somebody else meanwhile: send the batch again",
                   (int)account.code.size, account.code.data);
}

/* Applied before it is appended, so that a refusal leaves the journal as it was; but behind making room, which may end the
   block before it. */
static kt_code apply(kt_accept *accept, const kt_arrival *arrival, const kt_envelope *whole, kt_span record,
                     kt_error *error) {
    uint8_t *room;
    const kt_kind *kind = kt_fold_kind(accept->fold, whole->kind);
    kt_code code = kind == NULL ? kt_fail(error, KT_INVALID, "kind %u is not one that can be posted here", whole->kind)
                                : kt_access_ask(kt_fold_access(accept->fold), kind->right, error);
    if (code == KT_OK) code = kt_journal_room(accept->journal, record.size, &room, error);
    if (code != KT_OK) return code;
    kt_record applied = {kt_journal_next(accept->journal), whole->kind, whole->kind_version, whole->date, whole->body};
    if (whole->kind == KT_KIND_ACCOUNT && (arrival->frame.flags & KT_BATCH_NEW_ACCOUNTS) != 0)
        code = check_new_account(accept, &applied, error);
    if (code != KT_OK) return code;
    code = (kind->arrive != NULL ? kind->arrive : kind->apply)(kt_fold_self(accept->fold, kind->department), &applied,
                                                               error);
    if (code != KT_OK) return code;
    memcpy(room, record.data, record.size);
    kt_journal_take(accept->journal, record.size);
    return KT_OK;
}

static kt_code take_record(kt_accept *accept, const kt_arrival *arrival, kt_span record, kt_error *error) {
    kt_envelope envelope;
    kt_code code = kt_envelope_read(record, &envelope, error);
    if (code != KT_OK) return code;
    if (envelope.kind == KT_KIND_PART) {
        code = kt_large_part(&accept->large, record, &envelope, error);
        return code == KT_OK ? append(accept, record, error) : code;
    }
    if (envelope.kind == KT_KIND_LONG) code = kt_large_whole(&accept->large, &envelope, error);
    else if (accept->large.parts != 0) code = kt_fail(error, KT_INVALID, "parts of a record without their head");
    kt_large_reset(&accept->large);
    return code == KT_OK ? apply(accept, arrival, &envelope, record, error) : code;
}

/* The decimals that amounts were counted with are those that they are stored with. */
static kt_code check_assumed(kt_accept *accept, const kt_batch_frame *frame, kt_error *error) {
    kt_unpack unpack;
    kt_told_currency told;
    kt_currency_slot *slot;
    kt_unpack_init(&unpack, frame->assumed);
    for (uint32_t i = 0; i < frame->assumed_count; i++) {
        kt_assumed_next(&unpack, &told);
        kt_code code = kt_currency_slot_find(accept->ledger, told.code, &slot, error);
        if (code == KT_NOT_FOUND || (code == KT_OK && slot->decimals != told.decimals))
            return kt_fail(error, KT_RULE,
                           "currency %.*s has not the %u decimals that the batch was made with: send it "
                           "again",
                           (int)told.code.size, told.code.data, told.decimals);
        if (code != KT_OK) return code;
    }
    return KT_OK;
}

/* ---- batches ---- */

static kt_code seal_batch(kt_accept *accept, const kt_arrival *arrival, kt_receipt *receipt, kt_error *error) {
    const kt_batch_frame *frame = &arrival->frame;
    kt_seal seal;
    uint64_t number;
    kt_seal_given given = {.id = kt_span_of(frame->id.data, frame->id.size),
                           .count = frame->count,
                           .has_input = frame->input != NULL,
                           .read = frame->posted + frame->rejected,
                           .posted = frame->posted,
                           .rejected = frame->rejected};
    memcpy(given.actor, frame->actor, sizeof given.actor);
    memcpy(given.content, arrival->content, sizeof given.content);
    memcpy(given.signature, frame->signature, sizeof given.signature);
    if (given.has_input) memcpy(given.input, frame->input, sizeof given.input);
    kt_code code = kt_journal_append_sealed(accept->journal, &given, &seal, &number, error);
    if (code != KT_OK) return code;
    kt_batch_row row = {.first = number - frame->count,
                        .last = number,
                        .read = frame->posted,
                        .posted = frame->posted,
                        .recorded_us = seal.recorded_us,
                        .clock_behind = seal.clock_behind,
                        .id = given.id};
    fill_receipt(&row, receipt);
    return KT_OK;
}

kt_code kt_accept_batch(kt_accept *accept, const kt_arrival *arrival, kt_receipt *receipt, char note[KT_CHECKPOINT_MAX],
                        int64_t *record, bool *clean, kt_error *error) {
    const kt_batch_frame *frame = &arrival->frame;
    kt_unpack unpack;
    const uint8_t *bytes;
    size_t size;
    uint64_t first = kt_journal_next(accept->journal);
    *record = -1;
    *clean = true;
    note[0] = '\0';
    kt_large_reset(&accept->large);
    kt_code code = look_up_here(accept, frame, receipt, note, error);
    if (code == KT_OK) code = kt_access_act(kt_fold_access(accept->fold), frame->actor, error);
    if (code != KT_OK) return code;
    kt_unpack_init(&unpack, frame->packed);
    for (uint32_t i = 0; i < frame->count && code == KT_OK; i++) {
        kt_unpack_bytes(&unpack, &bytes, &size);
        code = take_record(accept, arrival, kt_span_of(bytes, size), error);
        if (code != KT_OK) *record = i;
    }
    *clean = kt_journal_next(accept->journal) == first;
    if (code == KT_OK && accept->large.parts != 0)
        code = kt_fail(error, KT_INVALID, "parts of a record without their head");
    if (code == KT_OK) code = check_assumed(accept, frame, error);
    return code == KT_OK ? seal_batch(accept, arrival, receipt, error) : code;
}

kt_code kt_accept_commit(kt_accept *accept, uint64_t *tree_size, uint8_t root[KT_HASH_SIZE],
                         char note[KT_CHECKPOINT_MAX], kt_error *error) {
    kt_log_head head;
    accept->open = false;
    kt_code code = kt_journal_commit(accept->journal, kt_book_log_signer(accept->book), &head, error);
    kt_book_end_turn(accept->book, code, head.tree.size);
    if (code != KT_OK) return code;
    *tree_size = head.tree.size;
    memcpy(root, head.root, KT_HASH_SIZE);
    kt_log_row row = {.size = head.tree.size};
    memcpy(row.root, head.root, KT_HASH_SIZE);
    memcpy(row.signature, head.signature, KT_SIGNATURE_SIZE);
    return kt_log_note_by(kt_signer_public(kt_book_log_signer(accept->book)), kt_book_origin(accept->book), &row, note,
                          NULL, error);
}

kt_code kt_accept_try(kt_accept *accept, const kt_arrival *arrival, kt_accept_refused refused, void *context,
                      kt_error *error) {
    const kt_batch_frame *frame = &arrival->frame;
    kt_unpack unpack;
    kt_error why;
    const uint8_t *bytes;
    size_t size;
    kt_code code = kt_accept_begin(accept, error);
    if (code != KT_OK) return code;
    kt_journal_discard(accept->journal);
    code = kt_access_act(kt_fold_access(accept->fold), frame->actor, error);
    kt_large_reset(&accept->large);
    kt_unpack_init(&unpack, frame->packed);
    for (uint32_t i = 0; i < frame->count && code == KT_OK; i++) {
        kt_unpack_bytes(&unpack, &bytes, &size);
        kt_code taken = take_record(accept, arrival, kt_span_of(bytes, size), &why);
        if (taken <= KT_IO) code = kt_fail(error, taken, "%s", why.text);
        else if (taken != KT_OK) refused(context, i, taken, why.text);
    }
    kt_accept_abort(accept);
    return code;
}
