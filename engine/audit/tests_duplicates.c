/*
 * duplicates: the same amount to one party within a few days.
 *
 * The book has no register of parties yet, so a party is the reference on a line (of the largest debit, then of the largest
 * credit), then the entry's own; where there is none, it is the pair of the debit and the credit account. The amount is
 * the largest debit, in its currency. Entries that reverse another are left out. Each entry is held against the one before
 * it, by valid date, of the same party and amount.
 */
#include <stdio.h>

#include "engine/audit/tests.h"

enum { BY_REF = 1, BY_PAIR };

/* Zero: nothing to hold against another. The reason is kept in the lowest bit: a reference is never taken for a pair. */
static uint64_t key_of(const kt_audit_work *work, const kt_seen *seen) {
    const kt_entry *entry = seen->entry;
    if (seen->debit == KT_SEEN_NONE || seen->credit == KT_SEEN_NONE || entry->reverses != 0) return 0;
    const kt_seen_line *debit = &seen->lines[seen->debit], *credit = &seen->lines[seen->credit];
    kt_str ref = entry->lines[seen->debit].ref;
    if (ref.size == 0) ref = entry->lines[seen->credit].ref;
    if (ref.size == 0) ref = entry->ref;
    uint64_t party = ref.size != 0 ? kt_audit_hash(2, ref)
                                   : kt_audit_mix((uint64_t)debit->account << 32 | credit->account, 3);
    uint64_t amount = kt_audit_mix((uint64_t)debit->amount, (uint64_t)(debit->amount >> 64));
    (void)work;
    uint64_t key = kt_audit_mix(party, kt_audit_mix(amount, debit->currency));
    return ref.size != 0 ? key | 1 : key & ~UINT64_C(1);
}

static kt_code see_duplicates(void *context, const kt_seen *seen, kt_error *error) {
    kt_test_self *self = context;
    const kt_audit_work *work = self->work;
    uint64_t key = key_of(work, seen);
    if (key == 0) return KT_OK;
    self->count += work->part == 0;
    kt_sift_item item = {key, (uint64_t)((int64_t)seen->entry->date - KT_DAY_MIN), seen->number};
    return kt_sift_put(&self->sift, kt_audit_mix(key, 4), &item, work->parts, work->part, error);
}

static kt_code sorted_duplicates(void *context, const kt_sift_item *items, size_t count, kt_error *error) {
    kt_test_self *self = context;
    uint64_t days = self->work->options.duplicate_days;
    kt_code code = KT_OK;
    for (size_t i = 1; i < count && code == KT_OK; i++) {
        const kt_sift_item *item = &items[i], *last = &items[i - 1];
        if (item->a != last->a || item->b - last->b > days) continue;
        kt_spot spot = {.entry = item->c,
                        .other = last->c,
                        .reason = (item->a & 1) != 0 ? BY_REF : BY_PAIR,
                        .value = item->b - last->b};
        code = kt_spots_add(&self->spots, &spot, error);
    }
    return code;
}

static kt_code finish_duplicates(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    const kt_test_self *self = context;
    char entries[KT_AMOUNT_TEXT];
    (void)error;
    out->examined = kt_report_text(reporter, "%s entries with a debit and a credit that reverse no other",
                                   kt_report_count(self->count, entries));
    kt_report_parameter(reporter, out, "within", "%u days of each other", self->work->options.duplicate_days);
    kt_report_parameter(reporter, out, "a party is", "%s",
                        "the reference of a line or of the entry, else its debit and credit account");
    return KT_OK;
}

static void explain_duplicates(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                               kt_audit_finding *out) {
    char reversed[64] = "";
    (void)context;
    if (entry->reversed_by != 0)
        (void)snprintf(reversed, sizeof reversed, "; it was reversed by entry %llu",
                       (unsigned long long)entry->reversed_by);
    out->why = kt_report_text(reporter, "the same amount %s as entry %llu, %llu days apart%s",
                              spot->reason == BY_REF ? "and reference" : "on the same accounts",
                              (unsigned long long)spot->other, (unsigned long long)spot->value, reversed);
}

const kt_tester kt_tester_duplicates = {
    .about = {.name = "duplicates",
              .title = "The same amount to one party twice",
              .asks = "Entries of the same amount and party within so many days.",
              .criterion = "common audit practice: sums paid or booked twice"},
    .size = sizeof(kt_test_self),
    .see = see_duplicates,
    .sorted = sorted_duplicates,
    .finish = finish_duplicates,
    .explain = explain_duplicates,
};
