#include "engine/ledger/reverse.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/ledger/entry.h"
#include "engine/ledger/post.h"

kt_code kt_reversal_of(kt_state *state, uint64_t number, uint64_t *reversal, kt_error *error) {
    uint8_t key[8];
    kt_span value;
    *reversal = 0;
    kt_put_be64(key, number);
    kt_code code = kt_state_get(state, KT_TABLE_REVERSALS, kt_span_of(key, sizeof key), &value, error);
    if (code == KT_OK && value.size == 8) *reversal = kt_get_le64(value.data);
    return code == KT_NOT_FOUND ? KT_OK : code;
}

kt_code kt_reversal_target(kt_batch *batch, uint64_t number, kt_error *error) {
    kt_journal *journal = kt_book_journal(batch->book);
    kt_records *records;
    kt_span bytes;
    kt_envelope envelope;
    kt_code code = kt_records_open(kt_journal_txn(journal), kt_journal_head(journal)->tree.size, &records, error);
    if (code != KT_OK) return code;
    code = kt_records_read_whole(records, number, &bytes, NULL, error);
    if (code == KT_OK) code = kt_envelope_read(bytes, &envelope, error);
    if (code == KT_OK && envelope.kind != KT_KIND_ENTRY)
        code = kt_fail(error, KT_NOT_FOUND, "record %llu is no entry", (unsigned long long)number);
    kt_records_close(records);
    return code;
}

struct reversing {
    kt_batch *batch;
    kt_txn *txn; /* of its own: the journal's ends with every piece, and its pages move with every block */
    kt_records *records;
    kt_entry_reader reader;
    kt_day date;
    kt_str text;
    bool negative;
};

/* The lines turned; costs too, so that the book amounts cancel to the last unit. Negative: each stays in the column where
   it was, also where the entry was itself booked with minus amounts. */
static kt_code add_reversal(struct reversing *work, const kt_entry *entry, uint64_t number, uint64_t *reversal,
                            kt_error *error) {
    char text[64];
    kt_line *lines = malloc(entry->line_count * sizeof *lines);
    if (lines == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    for (size_t i = 0; i < entry->line_count; i++) {
        lines[i] = entry->lines[i];
        lines[i].amount = -lines[i].amount;
        lines[i].cost = -lines[i].cost;
    }
    snprintf(text, sizeof text, "Reversal of entry %llu", (unsigned long long)number);
    kt_entry turned = {.date = work->date,
                       .series = entry->series,
                       .text = work->text.size != 0 ? work->text : kt_str_from(text),
                       .ref = entry->voucher,
                       .lines = lines,
                       .line_count = entry->line_count,
                       .reverses = number,
                       .minus = work->negative != entry->minus};
    kt_code code = kt_batch_add(work->batch, &turned, reversal, error);
    free(lines);
    return code == KT_OK ? code : kt_fail_at(error, code, "reversing entry %llu", (unsigned long long)number);
}

static kt_code reverse_one(struct reversing *work, uint64_t number, bool must_be_entry, uint64_t *reversal,
                           kt_error *error) {
    kt_span bytes;
    kt_envelope envelope;
    kt_entry entry;
    bool repeats;
    uint64_t before;
    kt_code code = kt_records_read_whole(work->records, number, &bytes, NULL, error);
    if (code == KT_OK) code = kt_envelope_read(bytes, &envelope, error);
    if (code != KT_OK) return code;
    if (envelope.kind != KT_KIND_ENTRY)
        return must_be_entry ? kt_fail(error, KT_NOT_FOUND, "record %llu is no entry", (unsigned long long)number)
                             : KT_NOT_FOUND;
    code = kt_reversal_of(kt_fold_state(kt_book_fold(work->batch->book)), number, &before, error);
    if (code == KT_OK && before != 0)
        code = kt_fail(error, KT_RULE, "entry %llu is reversed already, by entry %llu", (unsigned long long)number,
                       (unsigned long long)before);
    if (code == KT_OK) code = kt_entry_unpack(&work->reader, envelope.date, envelope.body, &entry, &repeats, error);
    return code == KT_OK ? add_reversal(work, &entry, number, reversal, error) : code;
}

static kt_code begin(struct reversing *work, kt_batch *batch, kt_day date, kt_str text, bool negative,
                     kt_error *error) {
    *work = (struct reversing){.batch = batch, .date = date, .text = text, .negative = negative};
    (void)kt_journal_txn(kt_book_journal(batch->book)); /* waits: what was sent is committed then, and seen */
    kt_code code = kt_txn_begin(kt_book_store(batch->book), false, &work->txn, error);
    if (code == KT_OK)
        code = kt_records_open(work->txn, kt_journal_head(kt_book_journal(batch->book))->tree.size, &work->records,
                               error);
    if (code != KT_OK) kt_txn_abort(work->txn);
    return code;
}

static void end(struct reversing *work) {
    kt_records_close(work->records);
    kt_txn_abort(work->txn);
    kt_entry_reader_release(&work->reader);
}

kt_code kt_batch_reverse(kt_batch *batch, uint64_t number, kt_day date, kt_str text, bool negative, uint64_t *reversal,
                         kt_error *error) {
    struct reversing work;
    kt_code code = begin(&work, batch, date, text, negative, error);
    if (code != KT_OK) return code;
    code = reverse_one(&work, number, true, reversal, error);
    end(&work);
    return code;
}

kt_code kt_batch_reverse_batch(kt_batch *batch, kt_str batch_id, kt_day date, kt_str text, bool negative,
                               uint64_t *count, kt_error *error) {
    struct reversing work;
    kt_batch_row row;
    uint64_t reversal;
    *count = 0;
    kt_code code = kt_batch_row_by_id(kt_fold_state(kt_book_fold(batch->book)),
                                      kt_span_of(batch_id.data, batch_id.size), &row, error);
    if (code == KT_NOT_FOUND)
        return kt_fail(error, KT_NOT_FOUND, "no batch %.*s on record", (int)batch_id.size, batch_id.data);
    uint64_t first = row.first, last = row.last; /* the row's bytes go with the first posting */
    if (code == KT_OK) code = begin(&work, batch, date, text, negative, error);
    if (code != KT_OK) return code;
    for (uint64_t number = first; number <= last && code == KT_OK; number++) {
        code = reverse_one(&work, number, false, &reversal, error);
        if (code == KT_OK) ++*count;
        else if (code == KT_NOT_FOUND) code = KT_OK; /* a register's record, a part, the seal */
    }
    end(&work);
    return code;
}
