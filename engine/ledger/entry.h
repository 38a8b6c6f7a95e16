/*
 * entry: the entry record: packed and read.
 *
 * Body: an array of field tags and values, tags rising: 1 series, 2 voucher, 3 text, 4 ref, 5 lines, 6 the entry it
 * reverses, 7 true: its voucher was allowed to repeat, 8 true: booked with minus amounts, 9 the proposal it carries out (then the
 * record is of version 2). Fields that are
 * empty, zero or false are left out. A line: [account, amount, then tags and values: 1 currency, 2 cost, 3 cost currency,
 * 4 text, 5 ref, 6 tax code, 7 dimensions (number, value ...)]. The currency is left out where it is the book's. Amounts
 * are in the smallest unit of their currency, as of the record.
 *
 * Lifetime: a read entry's texts borrow the record's bytes, its lines the reader's memory until the next read.
 */
#ifndef KT_LEDGER_ENTRY_H
#define KT_LEDGER_ENTRY_H

#include "engine/ledger/ledger.h"
#include "storage/codec.h"

#define KT_ENTRY_VERSION 1
#define KT_ENTRY_APPROVED_VERSION 2 /* with field 9 */

/* Most bytes the record can take. */
size_t kt_entry_bound(const kt_entry *entry);
/* Packs the whole record, as an entry's or as a proposal's of one. amount_given and cost_given are not looked at: amounts are in
   smallest units. */
void kt_entry_pack_as(kt_pack *pack, uint32_t kind, const kt_entry *entry, bool voucher_repeats);
static inline void kt_entry_pack(kt_pack *pack, const kt_entry *entry, bool voucher_repeats) {
    kt_entry_pack_as(pack, KT_KIND_ENTRY, entry, voucher_repeats);
}

typedef struct kt_entry_reader {
    kt_line *lines;
    size_t line_room;
    kt_dimension *dimensions;
    size_t dimension_room;
    bool out_of_memory; /* what failed was no fault of the bytes */
} kt_entry_reader;      /* all zero to begin with */

void kt_entry_reader_release(kt_entry_reader *reader);
/* KT_DAMAGED: not an entry in its one form. */
kt_code kt_entry_unpack(kt_entry_reader *reader, kt_day date, kt_span body, kt_entry *out, bool *voucher_repeats,
                        kt_error *error);

#endif
