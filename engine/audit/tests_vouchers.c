/*
 * vouchers: numbers that are missing or used twice, in each series and fiscal year.
 *
 * A voucher is a prefix and the number at its end ("INV-0017"); vouchers of one fiscal year, series and prefix make a
 * sequence, whatever the number of leading zeros. Missing are the numbers between the lowest and the highest one used: where a
 * sequence should begin is nobody's to guess. A voucher without digits at its end is in no sequence and only looked at for
 * being used twice. Several entries may share a voucher only where that was asked for when they were posted.
 *
 * Numbers are sifted in blocks of 65,536, so that a sequence need not be in memory; how one block joins the next is kept
 * for BLOCKS_MAX blocks.
 */
#include <stdlib.h>

#include "engine/audit/tests.h"

#define BLOCK_BITS 16
#define BLOCKS_MAX 1000000u
#define DIGITS_MAX 18u

enum { REASON_GAP = 1, REASON_TWICE };

/* What a worker found of one block: its ends. */
struct block {
    uint64_t sequence, first, first_entry, last, last_entry;
};

struct vouchers {
    kt_test_self self;
    struct block *blocks;
    size_t count, room;
    uint64_t lost;          /* blocks beyond what is kept */
    uint64_t missing, none; /* numbers; entries without a voucher */
};

static void end_vouchers(void *context) { free(((struct vouchers *)context)->blocks); }

/* The sequence a voucher is of (odd), or the voucher by itself (even), and its number. */
static uint64_t sequence_of(const kt_seen *seen, uint64_t *number) {
    kt_str voucher = seen->entry->voucher;
    size_t digits = 0;
    while (digits < voucher.size && digits < DIGITS_MAX) {
        char c = voucher.data[voucher.size - 1 - digits];
        if (c < '0' || c > '9') break;
        digits++;
    }
    uint64_t year = kt_audit_hash((uint32_t)seen->year_first, seen->entry->series);
    *number = 0;
    if (digits == 0) return kt_audit_hash(year, voucher) & ~UINT64_C(1);
    size_t prefix = voucher.size - digits;
    for (size_t i = prefix; i < voucher.size; i++) *number = *number * 10 + (uint64_t)(voucher.data[i] - '0');
    return kt_audit_hash(year, (kt_str){voucher.data, prefix}) | 1;
}

static kt_code see_vouchers(void *context, const kt_seen *seen, kt_error *error) {
    struct vouchers *self = context;
    const kt_audit_work *work = self->self.work;
    uint64_t number;
    if (seen->entry->voucher.size == 0) {
        self->none += work->part == 0;
        return KT_OK;
    }
    self->self.count += work->part == 0;
    uint64_t sequence = sequence_of(seen, &number);
    kt_sift_item item = {sequence, number, seen->number};
    return kt_sift_put(&self->self.sift, kt_audit_mix(sequence, number >> BLOCK_BITS), &item, work->parts, work->part,
                       error);
}

static kt_code keep_block(struct vouchers *self, const struct block *block, kt_error *error) {
    if (self->count == BLOCKS_MAX) {
        self->lost++;
        return KT_OK;
    }
    if (self->count == self->room) {
        size_t room = self->room == 0 ? 64 : self->room * 2;
        struct block *grown = realloc(self->blocks, room * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory for voucher numbers");
        self->blocks = grown;
        self->room = room;
    }
    self->blocks[self->count++] = *block;
    return KT_OK;
}

static kt_code add_gap(struct vouchers *self, uint64_t number, uint64_t entry, uint64_t next, uint64_t next_entry,
                       kt_error *error) {
    kt_spot spot = {.entry = entry, .other = next_entry, .reason = REASON_GAP, .value = number, .more = next};
    self->missing += next - number - 1;
    return kt_spots_add(&self->self.spots, &spot, error);
}

static kt_code sorted_vouchers(void *context, const kt_sift_item *items, size_t count, kt_error *error) {
    struct vouchers *self = context;
    struct block block = {0};
    kt_code code = KT_OK;
    for (size_t i = 0; i < count && code == KT_OK; i++) {
        const kt_sift_item *item = &items[i], *last = i == 0 ? NULL : &items[i - 1];
        bool joins = last != NULL && last->a == item->a && last->b >> BLOCK_BITS == item->b >> BLOCK_BITS;
        if (joins && last->b == item->b) { /* by entry: the first one is the earliest */
            kt_spot spot = {.entry = item->c, .other = block.last_entry, .reason = REASON_TWICE};
            code = kt_spots_add(&self->self.spots, &spot, error);
            continue;
        }
        if (joins && item->b - last->b > 1) code = add_gap(self, last->b, block.last_entry, item->b, item->c, error);
        if (!joins) {
            if (last != NULL && (last->a & 1) != 0) code = keep_block(self, &block, error);
            block = (struct block){item->a, item->b, item->c, item->b, item->c};
        }
        block.last = item->b;
        block.last_entry = item->c;
    }
    if (code == KT_OK && count != 0 && (items[count - 1].a & 1) != 0) code = keep_block(self, &block, error);
    return code;
}

static kt_code merge_vouchers(void *context, void *other, kt_error *error) {
    struct vouchers *self = context, *from = other;
    kt_code code = KT_OK;
    self->lost += from->lost;
    self->missing += from->missing;
    self->none += from->none;
    for (size_t i = 0; i < from->count && code == KT_OK; i++) code = keep_block(self, &from->blocks[i], error);
    return code;
}

static int by_sequence(const void *a, const void *b) {
    const struct block *x = a, *y = b;
    if (x->sequence != y->sequence) return x->sequence < y->sequence ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* From one block's last number to the next one's first. */
static kt_code join_blocks(struct vouchers *self, uint64_t *sequences, kt_error *error) {
    kt_code code = KT_OK;
    *sequences = 0;
    if (self->count != 0) qsort(self->blocks, self->count, sizeof *self->blocks, by_sequence);
    for (size_t i = 0; i < self->count && code == KT_OK; i++) {
        const struct block *block = &self->blocks[i], *last = i == 0 ? NULL : &self->blocks[i - 1];
        if (last == NULL || last->sequence != block->sequence) ++*sequences;
        else if (block->first - last->last > 1)
            code = add_gap(self, last->last, last->last_entry, block->first, block->first_entry, error);
    }
    return code;
}

static kt_code finish_vouchers(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    struct vouchers *self = context;
    char vouchers[KT_AMOUNT_TEXT], count[KT_AMOUNT_TEXT], missing[KT_AMOUNT_TEXT], none[KT_AMOUNT_TEXT];
    uint64_t sequences;
    kt_code code = join_blocks(self, &sequences, error);
    kt_report_count(self->self.count, vouchers);
    kt_report_count(self->missing, missing);
    kt_report_count(self->none, none);
    out->examined = kt_report_text(reporter,
                                   "%s vouchers in %s sequences; %s numbers are missing, %s entries have none",
                                   vouchers, kt_report_count(sequences, count), missing, none);
    kt_report_parameter(reporter, out, "a sequence is",
                        "a fiscal year, a series, and what stands before the last digits");
    if (self->missing > self->self.count)
        out->note = kt_report_text(reporter, "%s",
                                   "more numbers are missing than used: some of these are hardly sequences");
    if (self->lost != 0)
        out->note = kt_report_text(reporter, "%s",
                                   "the numbers are so scattered that what is missing between far ones was "
                                   "not looked for; a shorter range has fewer");
    return code;
}

static void explain_vouchers(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                             kt_audit_finding *out) {
    const struct vouchers *self = context;
    kt_str voucher = entry->entry.voucher;
    kt_day first, last;
    char year[KT_DAY_TEXT];
    (void)out;
    kt_fiscal_year(&self->self.work->company, entry->entry.date, &first, &last);
    kt_day_format(first, year);
    if (spot->reason == REASON_TWICE) {
        out->why = kt_report_text(
            reporter, "the number of voucher %.*s is used already by entry %llu, in the fiscal year from %s",
            (int)voucher.size, voucher.data, (unsigned long long)spot->other, year);
        return;
    }
    unsigned long long from = spot->value + 1, to = spot->more - 1;
    if (from == to)
        out->why = kt_report_text(reporter, "behind voucher %.*s number %llu is missing, in the fiscal year from %s",
                                  (int)voucher.size, voucher.data, from, year);
    else
        out->why = kt_report_text(reporter,
                                  "behind voucher %.*s numbers %llu to %llu are missing, in the fiscal year from %s",
                                  (int)voucher.size, voucher.data, from, to, year);
}

const kt_tester kt_tester_vouchers = {
    .about =
        {.name = "vouchers",
         .title = "Gaps and duplicates in voucher numbers",
         .asks =
             "Numbers missing between the lowest and the highest of a series in a fiscal year, and vouchers used by "
             "more than one entry.",
         .criterion = "ISA 240.33(a): completeness; Danish bookkeeping act (law no. 700 of 2022): an audit trail from "
                      "voucher to posting"},
    .size = sizeof(struct vouchers),
    .see = see_vouchers,
    .sorted = sorted_vouchers,
    .merge = merge_vouchers,
    .finish = finish_vouchers,
    .explain = explain_vouchers,
    .end = end_vouchers,
};
