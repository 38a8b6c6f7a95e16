#include "engine/batch.h"

#include <stdlib.h>

#include "engine/logkey.h"
#include "storage/codec.h"

kt_code kt_batch_start(kt_book *book, kt_batch **out, kt_error *error) {
    kt_batch *batch = calloc(1, sizeof *batch);
    *out = NULL;
    if (batch == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    batch->book = book;
    book->batch = *out = batch;
    return KT_OK;
}

/* A random id, for a batch that nothing else names. */
static void random_id(kt_batch *batch) {
    uint8_t bytes[16];
    kt_random(bytes, sizeof bytes);
    kt_hex_encode(bytes, sizeof bytes, batch->id);
}

static void fill_receipt(kt_receipt *receipt, const kt_batch_row *row, uint64_t entries) {
    memset(receipt, 0, sizeof *receipt);
    size_t size = row->id.size < KT_BATCH_ID_MAX ? row->id.size : KT_BATCH_ID_MAX;
    memcpy(receipt->batch_id, row->id.data, size);
    receipt->first = row->first;
    receipt->last = row->last;
    receipt->entries = entries;
    receipt->proposed = row->read - row->posted - row->rejected;
    receipt->recorded_us = row->recorded_us;
    receipt->clock_behind = row->clock_behind;
    receipt->tree_size = row->last + 1;
}

/* LAW 5. */
static kt_code look_up(kt_book *book, const kt_batch_options *options, kt_receipt *receipt, kt_error *error) {
    kt_batch_row row;
    kt_log_row head;
    kt_state *state = kt_fold_state(book->fold);
    kt_code code = kt_batch_row_by_id(state, kt_span_of(options->id.data, options->id.size), &row, error);
    if (code == KT_NOT_FOUND) return KT_OK;
    if (code != KT_OK) return code;
    if (row.first == 0) /* whoever chose the same id has not posted anything yet */
        return kt_fail(error, KT_DUPLICATE, "batch id %.*s is that of the book's founding", (int)options->id.size,
                       options->id.data);
    if (options->content_digest != NULL &&
        (!row.has_input || memcmp(row.input, options->content_digest, KT_DIGEST_SIZE) != 0))
        return kt_fail(error, KT_DUPLICATE, "batch id %.*s was used for other content (records %llu to %llu)",
                       (int)options->id.size, options->id.data, (unsigned long long)row.first,
                       (unsigned long long)row.last);
    if (receipt != NULL) {
        fill_receipt(receipt, &row, row.posted);
        code = kt_log_row_covering(kt_state_txn(state), row.last, &head, error);
        if (code != KT_OK) return code;
        receipt->tree_size = head.size;
        memcpy(receipt->root, head.root, KT_HASH_SIZE);
    }
    return kt_fail(error, KT_REPEATED, "already posted as batch %.*s, records %llu to %llu", (int)options->id.size,
                   options->id.data, (unsigned long long)row.first, (unsigned long long)row.last);
}

static kt_code set_id(kt_batch *batch, const kt_batch_options *options, kt_error *error) {
    if (options->id.size > KT_BATCH_ID_MAX || !kt_utf8_valid(options->id.data, options->id.size) ||
        kt_utf8_controls(options->id.data, options->id.size))
        return kt_fail(error, KT_LIMIT,
                       "a batch id has %zu bytes, at most %d of UTF-8 without control characters are kept",
                       options->id.size, KT_BATCH_ID_MAX);
    if (options->id.size != 0) {
        memcpy(batch->id, options->id.data, options->id.size);
        batch->id[options->id.size] = '\0';
    }
    batch->has_digest = options->content_digest != NULL;
    if (batch->has_digest) memcpy(batch->digest, options->content_digest, KT_DIGEST_SIZE);
    return KT_OK;
}

static kt_code fill_batch(kt_batch *batch, const kt_batch_options *options, kt_error *error) {
    kt_code code = set_id(batch, options, error);
    if (code != KT_OK) return code;
    if (options->rounding_account.size > KT_ACCOUNT_CODE_MAX)
        return kt_fail(error, KT_LIMIT, "the rounding account's code is longer than %d bytes", KT_ACCOUNT_CODE_MAX);
    if (options->id.size == 0) random_id(batch);
    if (options->rounding_account.size != 0)
        memcpy(batch->rounding_account, options->rounding_account.data, options->rounding_account.size);
    batch->allow_duplicate_voucher = options->allow_duplicate_voucher;
    batch->propose = options->propose;
    batch->dry_run = options->dry_run;
    if (batch->dry_run) kt_journal_discard(batch->book->journal);
    batch->rejected = options->rejected;
    return KT_OK;
}

static kt_code begin_journal(kt_book *book, kt_error *error) {
    kt_code code = kt_journal_begin(book->journal, book->no_wait, error);
    if (code != KT_OK) return code;
    uint64_t size = kt_journal_head(book->journal)->tree.size;
    if (size == book->seen) return KT_OK;
    kt_fold_forget(book->fold); /* somebody else wrote in between */
    book->seen = size;
    code = kt_book_follow_log(book, error);
    if (code != KT_OK) kt_journal_abort(book->journal);
    return code;
}

kt_code kt_book_take_turn(kt_book *book, kt_error *error) {
    if (book->batch != NULL) return kt_fail(error, KT_USAGE, "%s: a batch is open already", book->directory);
    if (book->journal == NULL) return kt_fail(error, KT_PERMISSION, "%s: is open for reading only", book->directory);
    kt_code code = kt_book_load_log(book, error);
    return code == KT_OK ? begin_journal(book, error) : code;
}

void kt_book_end_turn(kt_book *book, kt_code code, uint64_t size) {
    if (code == KT_OK) {
        book->seen = size;
        return;
    }
    kt_journal_abort(book->journal);
    kt_fold_forget(book->fold);
}

kt_code kt_batch_name(kt_batch *batch, const kt_batch_options *options, kt_receipt *receipt, kt_error *error) {
    kt_code code = set_id(batch, options, error);
    return code == KT_OK ? look_up(batch->book, options, receipt, error) : code;
}

kt_code kt_batch_begin(kt_book *book, const kt_batch_options *options, kt_batch **out, kt_receipt *receipt,
                       kt_error *error) {
    static const kt_batch_options defaults;
    if (options == NULL) options = &defaults;
    *out = NULL;
    if (book->batch != NULL) return kt_fail(error, KT_USAGE, "%s: a batch is open already", book->directory);
    if (book->journal == NULL) return kt_fail(error, KT_PERMISSION, "%s: is open for reading only", book->directory);
    kt_code code = kt_book_load_actor(book, error);
    if (code == KT_OK) code = begin_journal(book, error);
    if (code != KT_OK) return code;
    code = kt_access_act(kt_fold_access(book->fold), kt_signer_public(book->actor), error);
    if (code == KT_OK && options->id.size != 0) code = look_up(book, options, receipt, error);
    if (code == KT_OK) code = kt_batch_start(book, out, error);
    if (code == KT_OK) code = fill_batch(*out, options, error);
    if (code == KT_OK) return KT_OK;
    if (*out != NULL) kt_batch_abort(*out);
    else kt_journal_abort(book->journal);
    *out = NULL;
    return code;
}

kt_code kt_batch_break(kt_batch *batch, kt_code code) {
    if (code <= KT_DAMAGED) batch->broken = code;
    return code;
}

kt_code kt_batch_may(kt_batch *batch, uint32_t kind, kt_error *error) {
    kt_book *book = batch->book;
    if (batch->broken != KT_OK) return kt_fail(error, batch->broken, "the batch is broken off: only abort is left");
    const kt_kind *known = kt_fold_kind(book->fold, kind);
    if (known == NULL) return kt_fail(error, KT_USAGE, "kind %u is not in the registry", kind);
    return kt_access_ask(kt_fold_access(book->fold), known->right, error);
}

kt_day kt_batch_today(const kt_batch *batch) {
    return (kt_day)(kt_journal_head(batch->book->journal)->recorded_us / 86400000000ll);
}

kt_code kt_batch_append(kt_batch *batch, kt_span record, uint64_t *number, kt_error *error) {
    kt_envelope envelope;
    kt_code code = kt_envelope_read(record, &envelope, error);
    if (code == KT_OK) code = kt_batch_may(batch, envelope.kind, error);
    if (code != KT_OK) return code;
    uint64_t given;
    code = kt_journal_append(batch->book->journal, record, &given, error);
    if (code != KT_OK) return kt_batch_break(batch, code);
    kt_record applied = {given, envelope.kind, envelope.kind_version, envelope.date, envelope.body};
    code = kt_fold_apply(batch->book->fold, &applied, error);
    if (code != KT_OK) batch->broken = code; /* appended but not applied: checks should have said so before */
    if (number != NULL) *number = given;
    return code;
}

uint64_t kt_batch_proposed(const kt_batch *batch) { return batch->proposed; }

void kt_batch_rejected(kt_batch *batch, uint64_t rejected) { batch->rejected = rejected; }

static void close_batch(kt_batch *batch) {
    if (batch->next_log != NULL) kt_log_key_drop(batch->book->directory);
    kt_signer_close(batch->next_log);
    batch->book->batch = NULL;
    free(batch);
}

void kt_batch_abort(kt_batch *batch) {
    if (batch == NULL) return;
    kt_journal_abort(batch->book->journal); /* first, so that nobody is at work */
    kt_fold_forget(batch->book->fold);
    close_batch(batch);
}

/* A batch that stores nothing: it is broken, empty or only tried. *receipt says so; false: it is to be stored. */
static bool ends_unstored(kt_batch *batch, kt_receipt *receipt, kt_code *code, kt_error *error) {
    kt_book *book = batch->book;
    uint64_t first = kt_journal_head(book->journal)->tree.size, next = kt_journal_next(book->journal);
    memset(receipt, 0, sizeof *receipt);
    *code = KT_OK;
    receipt->first = first;
    if (batch->broken != KT_OK)
        *code = kt_fail(error, batch->broken, "the batch is broken off and cannot be committed");
    else if (next == first) receipt->last = first - 1; /* nothing posted: no id is reserved */
    else if (batch->dry_run) {
        receipt->last = next; /* where the seal would lie */
        receipt->entries = batch->entries;
        receipt->proposed = batch->proposed;
    } else return false;
    kt_batch_abort(batch);
    return true;
}

static void seal_input(const kt_batch *batch, kt_seal_input *input) {
    *input = (kt_seal_input){.id = kt_span_of(batch->id, strlen(batch->id)),
                             .actor = batch->book->actor,
                             .log = batch->next_log != NULL ? batch->next_log : batch->book->log,
                             .has_input = batch->has_digest,
                             .read = batch->entries + batch->proposed + batch->rejected,
                             .posted = batch->entries,
                             .rejected = batch->rejected};
    memcpy(input->input, batch->digest, sizeof input->input);
}

static void receipt_of(kt_receipt *receipt, const kt_batch *batch, const kt_seal *seal, uint64_t first) {
    kt_batch_row row = {.first = first,
                        .last = first + seal->count,
                        .recorded_us = seal->recorded_us,
                        .read = batch->proposed,
                        .clock_behind = seal->clock_behind,
                        .id = seal->id};
    fill_receipt(receipt, &row, batch->entries);
}

static void push_sent(kt_book *book, const kt_receipt *receipt, bool stored) {
    book->sent[(book->sent_first + book->sent_count++) % KT_SENT_MAX] = (struct kt_sent){*receipt, stored};
}

kt_code kt_batch_send(kt_batch *batch, kt_error *error) {
    kt_book *book = batch->book;
    kt_receipt receipt;
    kt_seal_input input;
    kt_seal seal;
    kt_code code;
    if (book->sent_count == KT_SENT_MAX)
        return kt_fail(error, KT_BUSY, "%s: %d batches are sent and not received: receive one first", book->directory,
                       KT_SENT_MAX);
    if (batch->next_log != NULL)
        return kt_fail(error, KT_USAGE, "%s: a batch that changes the log's key is committed, not sent",
                       book->directory);
    if (ends_unstored(batch, &receipt, &code, error)) {
        if (code == KT_OK) push_sent(book, &receipt, false);
        return code;
    }
    uint64_t first = receipt.first;
    seal_input(batch, &input);
    code = kt_journal_send(book->journal, &input, &seal, error);
    if (code == KT_OK) {
        receipt_of(&receipt, batch, &seal, first);
        push_sent(book, &receipt, true);
        book->seen = receipt.tree_size;
    } else kt_fold_forget(book->fold);
    close_batch(batch);
    return code;
}

kt_code kt_book_receive(kt_book *book, bool wait, kt_receipt *receipt, kt_error *error) {
    kt_log_head head;
    struct kt_sent *sent = &book->sent[book->sent_first];
    kt_code code = KT_OK;
    if (book->sent_count == 0) return KT_END;
    if (sent->stored) code = kt_journal_receive(book->journal, wait, &head, error);
    if (code == KT_BUSY) return code;
    if (code == KT_OK && receipt != NULL) {
        *receipt = sent->receipt;
        if (sent->stored) memcpy(receipt->root, head.root, KT_HASH_SIZE);
    }
    book->sent_first = (book->sent_first + 1) % KT_SENT_MAX;
    book->sent_count--;
    if (code != KT_OK && book->batch != NULL) book->batch->broken = code; /* it was checked against what is not there */
    else if (code != KT_OK) kt_fold_forget(book->fold);
    return code;
}

kt_code kt_batch_commit(kt_batch *batch, kt_receipt *receipt, kt_error *error) {
    kt_book *book = batch->book;
    kt_receipt unwanted;
    kt_seal_input input;
    kt_seal seal;
    kt_log_head head;
    kt_code code;
    if (receipt == NULL) receipt = &unwanted;
    if (book->sent_count != 0) {
        kt_batch_abort(batch);
        return kt_fail(error, KT_USAGE, "%s: batches are sent and not received", book->directory);
    }
    if (ends_unstored(batch, receipt, &code, error)) return code;
    uint64_t first = receipt->first;
    seal_input(batch, &input);
    code = kt_journal_seal(book->journal, &input, &seal, &head, error);
    if (code == KT_OK) {
        receipt_of(receipt, batch, &seal, first);
        memcpy(receipt->root, head.root, KT_HASH_SIZE);
        book->seen = head.tree.size;
        if (batch->next_log != NULL) kt_book_take_log(book, batch->next_log);
    } else {
        kt_fold_forget(book->fold);
        kt_signer_close(batch->next_log); /* its file stays: after a failed sync the change may be on the disk */
    }
    batch->next_log = NULL;
    close_batch(batch);
    return code;
}

kt_code kt_batch_log_rotate(kt_batch *batch, const char *key_file, kt_error *error) {
    kt_book *book = batch->book;
    uint8_t record[KT_LOG_KEY_RECORD_MAX];
    kt_signer *next = NULL;
    size_t size;
    kt_code code = kt_batch_may(batch, KT_KIND_LOG_KEY, error);
    if (code == KT_OK && (batch->next_log != NULL || book->sent_count != 0))
        code = kt_fail(error, KT_USAGE, "%s: the log's key is changed once in a batch, with none under way",
                       book->directory);
    if (code == KT_OK)
        code = kt_log_key_prepare(book->directory, key_file, book->passphrase, book->passphrase_context, &next, error);
    if (code == KT_OK && memcmp(kt_signer_public(next), book->log_key, KT_KEY_SIZE) == 0)
        code = kt_fail(error, KT_EXISTS, "%s: is the log's key already", key_file);
    if (code == KT_OK)
        code = kt_log_key_record(book->genesis.origin, book->log, next, kt_batch_today(batch), record, &size, error);
    if (code == KT_OK) code = kt_batch_append(batch, kt_span_of(record, size), NULL, error);
    if (code == KT_OK) batch->next_log = next;
    else if (next != NULL) {
        kt_log_key_drop(book->directory);
        kt_signer_close(next);
    }
    return code;
}
