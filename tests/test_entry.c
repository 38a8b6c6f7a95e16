/* The entry's record: one spelling for each entry, and nothing else is read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ledger/entry.h"
#include "tests/bookkeeping.h"

static uint8_t room[8192], again[8192];

static bool same_line(const kt_line *a, const kt_line *b) {
    bool same = a->amount == b->amount && a->has_cost == b->has_cost && (!a->has_cost || a->cost == b->cost) &&
                kt_str_equal(a->account, b->account) && kt_str_equal(a->currency, b->currency) &&
                kt_str_equal(a->cost_currency, b->cost_currency) && kt_str_equal(a->text, b->text) &&
                kt_str_equal(a->ref, b->ref) && kt_str_equal(a->tax_code, b->tax_code) &&
                a->dimension_count == b->dimension_count;
    for (unsigned i = 0; same && i < a->dimension_count; i++)
        same = a->dimensions[i].dimension == b->dimensions[i].dimension &&
               kt_str_equal(a->dimensions[i].value, b->dimensions[i].value);
    return same;
}

static bool same_entry(const kt_entry *a, const kt_entry *b) {
    bool same = a->date == b->date && kt_str_equal(a->series, b->series) && kt_str_equal(a->voucher, b->voucher) &&
                kt_str_equal(a->text, b->text) && kt_str_equal(a->ref, b->ref) && a->reverses == b->reverses &&
                a->minus == b->minus && a->proposal == b->proposal && a->line_count == b->line_count;
    for (size_t i = 0; same && i < a->line_count; i++) same = same_line(&a->lines[i], &b->lines[i]);
    return same;
}

/* Read as a record and packed again; the size, or 0 where it is refused. */
static size_t round_trip(kt_entry_reader *reader, kt_span bytes, kt_entry *entry) {
    kt_envelope envelope;
    bool repeats;
    kt_pack pack;
    if (kt_envelope_read(bytes, &envelope, &said) != KT_OK || envelope.kind != KT_KIND_ENTRY ||
        kt_entry_unpack(reader, envelope.date, envelope.body, entry, &repeats, &said) != KT_OK ||
        envelope.kind_version != (entry->proposal != 0 ? KT_ENTRY_APPROVED_VERSION : KT_ENTRY_VERSION))
        return 0;
    kt_pack_init(&pack, again, sizeof again);
    kt_entry_pack(&pack, entry, repeats);
    return pack.size;
}

static kt_str draw_text(uint64_t *random) {
    static const char *const some[] = {"1000",  "Æble", "x",
                                       "A:B:C", "V-17", "a longer text, of more than thirty-one bytes"};
    return pick(random, 3) ? (kt_str){NULL, 0} : kt_str_from(some[pick(random, 6)]);
}

static kt_amount draw_amount(uint64_t *random) {
    kt_amount amount = (kt_amount)(test_random(random) >> pick(random, 64));
    if (pick(random, 4) == 0) amount *= INT64_MAX;
    return pick(random, 2) ? amount : -amount;
}

static void draw(uint64_t *random, entry_room *out) {
    memset(out, 0, sizeof *out);
    out->entry = (kt_entry){.date = KT_DAY_MIN + (kt_day)pick(random, (uint64_t)(KT_DAY_MAX - KT_DAY_MIN) + 1),
                            .series = draw_text(random),
                            .voucher = draw_text(random),
                            .text = draw_text(random),
                            .ref = draw_text(random),
                            .lines = out->lines,
                            .line_count = 1 + pick(random, 20),
                            .reverses = pick(random, 4) ? 0 : 1 + (test_random(random) >> 1),
                            .proposal = pick(random, 4) ? 0 : 1 + (test_random(random) >> 1),
                            .minus = pick(random, 4) == 0};
    for (size_t i = 0; i < out->entry.line_count; i++) {
        kt_line *line = &out->lines[i];
        *line = (kt_line){.amount = draw_amount(random),
                          .account = KT_STR("1000"),
                          .currency = draw_text(random),
                          .text = draw_text(random),
                          .ref = draw_text(random),
                          .tax_code = draw_text(random)};
        line->has_cost = pick(random, 3) == 0;
        if (line->has_cost) {
            line->cost = draw_amount(random);
            line->cost_currency = draw_text(random);
        }
        for (uint8_t d = 0; d < pick(random, 4); d++) {
            out->dimensions[i][line->dimension_count++] = (kt_dimension){(uint8_t)(d + 1), KT_STR("C1")};
            line->dimensions = out->dimensions[i];
        }
    }
}

static void round_trips(void) {
    uint64_t random = test_seed();
    kt_entry_reader reader = {0};
    entry_room drawn;
    kt_entry read;
    unsigned lost = 0, respelled = 0, unbounded = 0, taken = 0, crooked = 0;
    for (unsigned i = 0; i < 2000; i++) {
        kt_pack pack;
        draw(&random, &drawn);
        kt_pack_init(&pack, room, sizeof room);
        kt_entry_pack(&pack, &drawn.entry, pick(&random, 4) == 0);
        size_t size = pack.size;
        unbounded += size > kt_entry_bound(&drawn.entry);
        size_t repacked = round_trip(&reader, kt_span_of(room, size), &read);
        lost += repacked == 0 || !same_entry(&drawn.entry, &read);
        respelled += repacked != size || memcmp(room, again, size) != 0;
        for (unsigned k = 0; k < 40; k++) { /* other bytes: refused, or the one spelling of another entry */
            size_t at = pick(&random, size), cut = pick(&random, 3) ? size : at;
            uint8_t was = room[at];
            room[at] = (uint8_t)test_random(&random);
            repacked = round_trip(&reader, kt_span_of(room, cut), &read);
            taken += repacked != 0;
            crooked += repacked != 0 && (repacked != cut || memcmp(room, again, cut) != 0);
            room[at] = was;
        }
    }
    is_int(lost, 0, "a packed entry is read as it was");
    is_int(respelled, 0, "and packed to the same bytes");
    is_int(unbounded, 0, "which are no more than its bound");
    is_int(crooked, 0, "what is read of bytes changed at random (%u) has no other spelling", taken);
    ok(taken > 100, "and some of it is read");
    kt_entry_reader_release(&reader);
}

/* ---- each malformed form ---- */

static kt_pack body;

static void start(uint32_t fields) {
    kt_pack_init(&body, room, sizeof room);
    kt_pack_array(&body, fields);
}

static void line(void) {
    kt_pack_array(&body, 2);
    kt_pack_text(&body, "1000", 4);
    kt_pack_amount(&body, 5);
}

static void lines(void) {
    kt_pack_uint(&body, 5);
    kt_pack_array(&body, 1);
}

static void field(unsigned tag, const char *text) {
    kt_pack_uint(&body, tag);
    kt_pack_text(&body, text, strlen(text));
}

static void reads(kt_code expected, const char *law) {
    kt_entry_reader reader = {0};
    kt_entry entry;
    bool repeats;
    is_code(kt_entry_unpack(&reader, 0, kt_span_of(room, body.size), &entry, &repeats, &said), expected, "%s", law);
    kt_entry_reader_release(&reader);
}

static void line_of(uint32_t fields) {
    start(2);
    lines();
    kt_pack_array(&body, fields);
    kt_pack_text(&body, "1000", 4);
    kt_pack_amount(&body, 5);
}

static void malformed_entries(void) {
    start(2), lines(), line();
    reads(KT_OK, "an entry of one line is read");
    start(0);
    reads(KT_DAMAGED, "one of nothing is not");
    start(2), field(4, "r");
    reads(KT_DAMAGED, "nor one without lines");
    start(2), kt_pack_uint(&body, 5), kt_pack_array(&body, 0);
    reads(KT_DAMAGED, "nor with none");
    start(3), lines(), line();
    reads(KT_DAMAGED, "nor with half a field");
    start(4), lines(), line(), field(4, "r");
    reads(KT_DAMAGED, "nor with fields in another order");
    start(4), lines(), line(), lines(), line();
    reads(KT_DAMAGED, "nor with one twice");
    start(4), field(4, ""), lines(), line();
    reads(KT_DAMAGED, "nor with an empty text, which is left out");
    start(4), field(4, "\xff"), lines(), line();
    reads(KT_DAMAGED, "nor with a text that is no UTF-8");
    start(4), lines(), line(), kt_pack_uint(&body, 6), kt_pack_uint(&body, 0);
    reads(KT_DAMAGED, "nor reversing the genesis");
    start(4), lines(), line(), kt_pack_uint(&body, 7), kt_pack_bool(&body, false);
    reads(KT_DAMAGED, "nor with a false, which is left out");
    start(4), lines(), line(), kt_pack_uint(&body, 9), kt_pack_uint(&body, 0);
    reads(KT_DAMAGED, "nor carrying out the genesis");
    start(4), lines(), line(), kt_pack_uint(&body, 10), kt_pack_uint(&body, 1);
    reads(KT_DAMAGED, "nor with a field that this version does not know");
    start(2), lines(), line(), kt_pack_uint(&body, 0);
    reads(KT_DAMAGED, "nor with something behind it");
    start(2), lines(), line();
    body.size--;
    reads(KT_DAMAGED, "nor cut short");
    start(2), kt_pack_uint(&body, 5);
    room[body.size++] = 0xdd; /* array 32: two thousand million lines that are not there */
    memset(room + body.size, 0x7f, 4);
    body.size += 4;
    reads(KT_DAMAGED, "nor with more lines than bytes");
}

static void malformed_lines(void) {
    line_of(2);
    reads(KT_OK, "a line of account and amount is read");
    start(2), lines(), kt_pack_array(&body, 1), kt_pack_text(&body, "1000", 4);
    reads(KT_DAMAGED, "one without an amount is not");
    start(2), lines(), kt_pack_array(&body, 2), kt_pack_text(&body, "", 0), kt_pack_amount(&body, 5);
    reads(KT_DAMAGED, "nor without an account");
    start(2), lines(), kt_pack_array(&body, 2), kt_pack_text(&body, "1", 1), kt_pack_text(&body, "5", 1);
    reads(KT_DAMAGED, "nor with a text for an amount");
    start(2), lines(), kt_pack_array(&body, 2), kt_pack_text(&body, "1", 1);
    room[body.size++] = 0xcb; /* a double */
    memset(room + body.size, 0, 8);
    body.size += 8;
    reads(KT_DAMAGED, "nor with a binary fraction (law 8)");
    start(2), lines(), kt_pack_array(&body, 2), kt_pack_text(&body, "1", 1);
    room[body.size++] = 0xd0; /* int 8 for what fits a fixint */
    room[body.size++] = 5;
    reads(KT_DAMAGED, "nor with an amount longer than it need be");
    line_of(4), field(3, "EUR");
    reads(KT_DAMAGED, "nor with a cost's currency without a cost");
    line_of(6), kt_pack_uint(&body, 2), kt_pack_amount(&body, 7), field(1, "EUR");
    reads(KT_DAMAGED, "nor with its fields in another order");
    line_of(4), field(8, "x");
    reads(KT_DAMAGED, "nor with one that is not known");
    line_of(4), kt_pack_uint(&body, 7), kt_pack_array(&body, 0);
    reads(KT_DAMAGED, "nor with no dimensions, which are left out");
    line_of(4), kt_pack_uint(&body, 7), kt_pack_array(&body, 1), kt_pack_uint(&body, 1);
    reads(KT_DAMAGED, "nor with half a dimension");
    line_of(4), kt_pack_uint(&body, 7), kt_pack_array(&body, 2), kt_pack_uint(&body, 12), kt_pack_text(&body, "x", 1);
    reads(KT_DAMAGED, "nor with a twelfth");
}

int main(void) {
    round_trips();
    malformed_entries();
    malformed_lines();
    return done();
}
