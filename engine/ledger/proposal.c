#include "engine/ledger/proposal.h"

#include <stdlib.h>

#include "engine/actors.h"
#include "engine/ledger/check.h"
#include "engine/ledger/post.h"
#include "engine/view.h"

#define REJECTION_ROOM (KT_TEXT_MAX + 64u)

/* Of the entry as it would be stored, but for what only its posting can say. */
static kt_code digest_of(const kt_entry *entry, uint8_t out[KT_HASH_SIZE], kt_error *error) {
    kt_entry plain = *entry;
    kt_pack pack;
    kt_sha256 hash;
    size_t room = kt_entry_bound(entry);
    uint8_t *bytes = malloc(room);
    if (bytes == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    plain.proposal = 0;
    kt_pack_init(&pack, bytes, room);
    kt_entry_pack(&pack, &plain, false);
    kt_sha256_init(&hash);
    kt_sha256_update(&hash, bytes, pack.size);
    kt_sha256_final(&hash, out);
    free(bytes);
    return KT_OK;
}

/* ---- what an actor may post ---- */

static void weigh(const kt_ledger *ledger, const kt_entry *entry, kt_access_entry *out) {
    const kt_posting_plan *plan = ledger->plan;
    *out = (kt_access_entry){.entry = entry, .valued = true, .decimals = ledger->company.decimals};
    for (size_t i = 0; i < plan->count; i++) {
        if (!plan->lines[i].has_book) out->valued = false;
        else if (plan->lines[i].book > 0) out->amount += plan->lines[i].book;
    }
}

kt_code kt_entry_allow(kt_ledger *ledger, const kt_entry *entry, kt_error *error) {
    kt_access *access = kt_fold_access(ledger->fold);
    uint32_t right = entry->proposal != 0 ? KT_RIGHT_APPROVE : KT_RIGHT_POST;
    uint8_t digest[KT_HASH_SIZE];
    kt_access_entry what;
    bool limited;
    kt_code code = kt_access_ask(access, right, error);
    if (code == KT_OK && entry->proposal != 0) {
        code = digest_of(entry, digest, error);
        if (code == KT_OK) code = kt_access_may_decide(access, entry->proposal, KT_PROPOSAL_APPROVED, digest, error);
    }
    if (code == KT_OK) code = kt_access_limited(access, &limited, error);
    if (code != KT_OK || !limited) return code;
    weigh(ledger, entry, &what);
    return kt_access_ask_entry(access, right, &what, error);
}

kt_code kt_proposal_carry_out(kt_ledger *ledger, const kt_entry *entry, uint64_t number, kt_error *error) {
    uint8_t digest[KT_HASH_SIZE];
    kt_code code = digest_of(entry, digest, error);
    return code == KT_OK ? kt_access_decide(kt_fold_access(ledger->fold), entry->proposal, KT_PROPOSAL_APPROVED, digest,
                                            number, error)
                         : code;
}

/* ---- records ---- */

/* The decimals of its currencies are in amounts that are stored from now on. */
kt_code kt_proposal_fold(kt_ledger *ledger, const kt_entry *entry, uint64_t number, kt_error *error) {
    uint8_t digest[KT_HASH_SIZE];
    kt_code code = kt_entry_mark(ledger, error);
    if (code == KT_OK) code = digest_of(entry, digest, error);
    return code == KT_OK ? kt_access_propose(kt_fold_access(ledger->fold), number, digest, error) : code;
}

kt_code kt_proposal_apply(void *self, const kt_record *record, kt_error *error) {
    kt_ledger *ledger = self;
    kt_entry entry;
    bool repeats;
    kt_code code = kt_entry_unpack(&ledger->plan->reader, record->date, record->body, &entry, &repeats, error);
    if (code == KT_OK && (entry.proposal != 0 || entry.reverses >= record->number))
        code = kt_fail(error, KT_DAMAGED, "a proposal's record is malformed");
    if (code == KT_OK) code = kt_entry_check(ledger, &entry, repeats, error);
    return code == KT_OK ? kt_proposal_fold(ledger, &entry, record->number, error) : code;
}

kt_code kt_proposal_arrive(void *self, const kt_record *record, kt_error *error) {
    (void)self;
    (void)record;
    return kt_fail(error, KT_UNSUPPORTED, "a proposal is made where the book is, not sent to it");
}

static bool read_rejection(kt_span body, uint64_t *proposal, kt_str *reason) {
    kt_unpack unpack;
    uint32_t count;
    kt_unpack_init(&unpack, body);
    return kt_unpack_array(&unpack, &count) && count == 2 && kt_unpack_uint(&unpack, proposal) &&
           kt_unpack_text(&unpack, &reason->data, &reason->size) && kt_unpack_done(&unpack) &&
           reason->size <= KT_TEXT_MAX && kt_utf8_valid(reason->data, reason->size);
}

kt_code kt_rejection_apply(void *self, const kt_record *record, kt_error *error) {
    kt_ledger *ledger = self;
    uint64_t proposal;
    kt_str reason;
    if (!read_rejection(record->body, &proposal, &reason))
        return kt_fail(error, KT_DAMAGED, "record %llu: a rejection's record is malformed",
                       (unsigned long long)record->number);
    return kt_access_decide(kt_fold_access(ledger->fold), proposal, KT_PROPOSAL_REJECTED, NULL, record->number, error);
}

/* ---- deciding ---- */

static kt_code read_proposal(kt_batch *batch, uint64_t number, kt_records **records, kt_envelope *envelope,
                             kt_error *error) {
    kt_journal *journal = kt_book_journal(batch->book);
    kt_span bytes;
    kt_code code = kt_records_open(kt_journal_txn(journal), kt_journal_head(journal)->tree.size, records, error);
    if (code == KT_OK) code = kt_records_read_whole(*records, number, &bytes, NULL, error);
    if (code == KT_OK) code = kt_envelope_read(bytes, envelope, error);
    if (code == KT_OK && envelope->kind != KT_KIND_PROPOSAL)
        code = kt_fail(error, KT_NOT_FOUND, "record %llu is no proposal", (unsigned long long)number);
    return code;
}

kt_code kt_batch_approve(kt_batch *batch, uint64_t proposal, uint64_t *number, kt_error *error) {
    kt_records *records = NULL;
    kt_envelope envelope;
    kt_entry_reader reader = {0};
    kt_entry entry;
    bool repeats, allowed = batch->allow_duplicate_voucher;
    kt_proposing propose = batch->propose;
    kt_access *access = kt_fold_access(kt_book_fold(batch->book));
    kt_code code = kt_access_ask(access, KT_RIGHT_APPROVE, error);
    if (code == KT_OK) code = kt_access_may_decide(access, proposal, KT_PROPOSAL_APPROVED, NULL, error);
    if (code == KT_OK) code = read_proposal(batch, proposal, &records, &envelope, error);
    /* A copy: posting writes blocks, and with them the pages that the record lies on may move. */
    uint8_t *body = code == KT_OK ? malloc(envelope.body.size) : NULL;
    if (code == KT_OK && body == NULL) code = kt_fail(error, KT_MEMORY, "out of memory");
    if (code == KT_OK) {
        memcpy(body, envelope.body.data, envelope.body.size);
        code = kt_entry_unpack(&reader, envelope.date, kt_span_of(body, envelope.body.size), &entry, &repeats, error);
    }
    kt_records_close(records);
    if (code == KT_OK) {
        entry.proposal = proposal;
        batch->allow_duplicate_voucher = allowed || repeats;
        batch->propose = KT_PROPOSE_NOTHING;
        code = kt_batch_add(batch, &entry, number, error);
        batch->allow_duplicate_voucher = allowed;
        batch->propose = propose;
    }
    kt_entry_reader_release(&reader);
    free(body);
    return code == KT_OK ? code : kt_fail_at(error, code, "proposal %llu", (unsigned long long)proposal);
}

kt_code kt_batch_reject(kt_batch *batch, uint64_t proposal, kt_str reason, kt_error *error) {
    uint8_t record[REJECTION_ROOM];
    kt_pack pack;
    kt_code code = kt_batch_may(batch, KT_KIND_REJECTION, error);
    if (code == KT_OK && (reason.size > KT_TEXT_MAX || !kt_utf8_valid(reason.data, reason.size)))
        code = kt_fail(error, KT_INVALID, "the reason is longer than %d bytes or not UTF-8", KT_TEXT_MAX);
    if (code == KT_OK)
        code = kt_access_may_decide(kt_fold_access(kt_book_fold(batch->book)), proposal, KT_PROPOSAL_REJECTED, NULL,
                                    error);
    if (code != KT_OK) return code;
    kt_pack_init(&pack, record, sizeof record);
    kt_pack_envelope(&pack, KT_KIND_REJECTION, 1, kt_batch_today(batch));
    kt_pack_array(&pack, 2);
    kt_pack_uint(&pack, proposal);
    kt_pack_text(&pack, reason.data, reason.size);
    return kt_batch_append(batch, kt_span_of(record, pack.size), NULL, error);
}

/* ---- the list ---- */

static kt_code fill_decision(kt_view *view, kt_proposal *out, kt_error *error) {
    kt_records *records;
    kt_span bytes;
    kt_envelope envelope;
    kt_batch_row row;
    uint64_t proposal;
    kt_str reason;
    kt_code code = kt_batch_row_of(view->state, out->decided, &row, error);
    if (code == KT_OK) code = kt_actor_of_key(view, row.actor, &out->decider, error);
    if (code != KT_OK || out->status != KT_PROPOSAL_REJECTED) return code;
    code = kt_records_open(view->txn, view->end, &records, error);
    if (code != KT_OK) return code;
    code = kt_records_read(records, out->decided, &bytes, error);
    if (code == KT_OK) code = kt_envelope_read(bytes, &envelope, error);
    if (code == KT_OK && !read_rejection(envelope.body, &proposal, &reason))
        code = kt_fail(error, KT_DAMAGED, "record %llu: a rejection's record is malformed",
                       (unsigned long long)out->decided);
    if (code == KT_OK) out->reason = kt_view_keep(view, reason);
    kt_records_close(records);
    return code;
}

static kt_code fill_proposal(kt_view *view, kt_span key, kt_span value, kt_proposal *out, kt_error *error) {
    kt_proposal_row row;
    if (key.size != 8) return kt_fail(error, KT_DAMAGED, "a proposal's row is malformed");
    kt_code code = kt_proposal_row_read(value, &row, error);
    *out = (kt_proposal){.number = kt_get_be64(key.data)};
    if (code == KT_OK && row.decided != 0 && row.decided < view->end) {
        out->status = row.status;
        out->decided = row.decided;
    }
    return code == KT_OK ? kt_actor_of_key(view, row.proposer, &out->proposer, error) : code;
}

kt_code kt_view_proposals(kt_view *view, bool open_only, kt_proposal **out, size_t *count, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    uint64_t rows, pages;
    *out = NULL;
    *count = 0;
    kt_code code = kt_table_stat(view->txn, KT_TABLE_PROPOSALS, &rows, &pages, error);
    if (code != KT_OK) return code;
    kt_proposal *proposals = calloc(rows + 1, sizeof *proposals);
    if (proposals == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    code = kt_cursor_open(view->txn, KT_TABLE_PROPOSALS, &cursor, error);
    if (code == KT_OK) {
        for (code = kt_cursor_first(cursor, &key, &value, error); code == KT_OK && *count < rows;
             code = kt_cursor_next(cursor, &key, &value, error)) {
            kt_proposal *proposal = &proposals[*count];
            code = fill_proposal(view, key, value, proposal, error);
            if (code != KT_OK || proposal->number >= view->end) break; /* they rise */
            if (open_only && proposal->status != KT_PROPOSAL_OPEN) continue;
            if (proposal->decided != 0) code = fill_decision(view, proposal, error);
            if (code != KT_OK) break;
            ++*count;
        }
        kt_cursor_close(cursor);
    }
    if (code != KT_OK && code != KT_END) {
        free(proposals);
        return code;
    }
    *out = proposals;
    return KT_OK;
}
