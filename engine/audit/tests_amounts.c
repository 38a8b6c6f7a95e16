/*
 * amounts: round sums, endings that repeat, and Benford's law.
 *
 * Endings and Benford look at amounts: the magnitudes of lines, each once an entry, since the other side of the same sum is
 * no second observation (an entry of two lines is one amount, an invoice with its tax three). Zeros are none.
 */
#include <stdlib.h>

#include "engine/audit/tests.h"
#include "engine/audit/tests_digits.h"

/* ---- round sums ---- */

struct round {
    kt_test_self self;
    kt_amount *steps; /* a currency each */
};

static kt_code begin_round(void *context, kt_error *error) {
    struct round *self = context;
    const kt_audit_work *work = self->self.work;
    self->steps = calloc(work->currency_count + 1, sizeof *self->steps);
    if (self->steps == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    for (size_t i = 0; i < work->currency_count; i++)
        self->steps[i] = kt_audit_unit(work->currencies[i].decimals) * work->options.round_units;
    return KT_OK;
}

static void end_round(void *context) { free(((struct round *)context)->steps); }

/* 64 bits nearly always do, and divide several times faster. */
static bool is_multiple(kt_amount amount, kt_amount step) {
    if (amount == (int64_t)amount && step == (int64_t)step) return (int64_t)amount % (int64_t)step == 0;
    return amount % step == 0;
}

static kt_code see_round(void *context, const kt_seen *seen, kt_error *error) {
    struct round *self = context;
    self->self.count++;
    if (seen->debit == KT_SEEN_NONE) return KT_OK;
    const kt_seen_line *line = &seen->lines[seen->debit];
    if (!is_multiple(line->amount, self->steps[line->currency])) return KT_OK;
    kt_spot spot = {.entry = seen->number, .reason = 1};
    return kt_spots_add(&self->self.spots, &spot, error);
}

static kt_code finish_round(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    const struct round *self = context;
    (void)error;
    kt_report_parameter(reporter, out, "a multiple of", "%u whole units of the currency",
                        self->self.work->options.round_units);
    return KT_OK;
}

static void explain_round(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                          kt_audit_finding *out) {
    const struct round *self = context;
    char step[KT_AMOUNT_TEXT];
    (void)spot;
    (void)entry;
    out->why = kt_report_text(reporter, "its largest debit is a multiple of %s",
                              kt_report_count(self->self.work->options.round_units, step));
}

const kt_tester kt_tester_round = {
    .about = {.name = "round",
              .title = "Round sums",
              .asks = "Entries whose largest debit is a multiple of so many whole units.",
              .criterion = "ISA 240.A45(e): round numbers"},
    .size = sizeof(struct round),
    .begin = begin_round,
    .see = see_round,
    .finish = finish_round,
    .explain = explain_round,
    .end = end_round,
};

/* ---- counting amounts by digits ---- */

struct digits {
    kt_test_self self;
    uint64_t seen[100], first[100]; /* by digits or ending; the first entry of each */
    kt_amount *units;               /* of endings: a currency each */
};

static void count_digits(struct digits *self, unsigned digits, uint64_t number) {
    if (self->seen[digits]++ == 0) self->first[digits] = number;
    self->self.count++;
}

static kt_code merge_digits(void *context, void *other, kt_error *error) {
    struct digits *self = context, *from = other;
    (void)error;
    for (unsigned i = 0; i < 100; i++) {
        if (from->seen[i] != 0 && (self->seen[i] == 0 || from->first[i] < self->first[i]))
            self->first[i] = from->first[i];
        self->seen[i] += from->seen[i];
    }
    return KT_OK;
}

static bool refuse_few(const kt_test_self *self, kt_reporter *reporter, kt_audit_test *out) {
    char count[KT_AMOUNT_TEXT], least[KT_AMOUNT_TEXT];
    if (self->count >= KT_AUDIT_BENFORD_LEAST) return false;
    out->status = KT_AUDIT_REFUSED;
    out->note = kt_report_text(reporter, "%s amounts: fewer than %s say nothing about digits",
                               kt_report_count(self->count, count), kt_report_count(KT_AUDIT_BENFORD_LEAST, least));
    return true;
}

static void tell_count(const kt_test_self *self, kt_reporter *reporter, kt_audit_test *out, const char *which) {
    char count[KT_AMOUNT_TEXT], entries[KT_AMOUNT_TEXT];
    out->examined = kt_report_text(reporter, "%s amounts%s of %s entries, each once an entry, without zeros",
                                   kt_report_count(self->count, count), which,
                                   kt_report_count(reporter->audit.population.entries, entries));
}

/* ---- endings ---- */

#define ENDINGS 100
#define ENDING_LEAST 20 /* amounts of one ending before it is pointed at */

static kt_code begin_endings(void *context, kt_error *error) {
    struct digits *self = context;
    const kt_audit_work *work = self->self.work;
    self->units = calloc(work->currency_count + 1, sizeof *self->units);
    if (self->units == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    for (size_t i = 0; i < work->currency_count; i++) self->units[i] = kt_audit_unit(work->currencies[i].decimals);
    return KT_OK;
}

static void end_endings(void *context) { free(((struct digits *)context)->units); }

static kt_code see_endings(void *context, const kt_seen *seen, kt_error *error) {
    struct digits *self = context;
    (void)error;
    for (size_t i = 0; i < seen->line_count; i++) {
        const kt_seen_line *line = &seen->lines[i];
        kt_amount magnitude = kt_audit_abs(line->amount), unit = self->units[line->currency];
        if (!line->fresh || magnitude < unit * ENDINGS) continue;
        bool small = magnitude == (int64_t)magnitude && unit == (int64_t)unit;
        count_digits(self,
                     small ? (unsigned)((int64_t)magnitude / (int64_t)unit % ENDINGS)
                           : (unsigned)(magnitude / unit % ENDINGS),
                     seen->number);
    }
    return KT_OK;
}

/* Twice its share at least, and beyond what chance gives by four standard deviations: (o - n/100)^2 > 16 n 99/10000. */
static bool repeats(uint64_t observed, uint64_t count) {
    if (observed < ENDING_LEAST || observed * (ENDINGS / 2) <= count) return false;
    kt_int128 off = (kt_int128)observed * ENDINGS - (kt_int128)count;
    return off * off > (kt_int128)16 * 99 * (kt_int128)count;
}

static kt_code finish_endings(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    struct digits *self = context;
    kt_audit_table *table = &out->table;
    kt_int128 off, deviations = 0;
    kt_code code = KT_OK;
    uint64_t count = self->self.count;
    tell_count(&self->self, reporter, out, " of a hundred whole units or more");
    kt_report_parameter(reporter, out, "ending", "the last two digits before the decimals; 00 counts as a round sum");
    kt_report_parameter(reporter, out, "pointed at", "%u or more, twice the expected share, 4 standard deviations",
                        ENDING_LEAST);
    if (refuse_few(&self->self, reporter, out)) return KT_OK;
    table->bins = calloc(ENDINGS, sizeof *table->bins);
    if (table->bins == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    table->bin_count = ENDINGS;
    table->count = count;
    for (unsigned i = 0; i < ENDINGS && code == KT_OK; i++) {
        kt_audit_bin *bin = &table->bins[i];
        *bin = (kt_audit_bin){.digits = i,
                              .observed = self->seen[i],
                              .first = self->first[i],
                              .share = (int64_t)((kt_int128)self->seen[i] * KT_AUDIT_ONE / (kt_int128)count),
                              .expected = KT_AUDIT_ONE / ENDINGS,
                              .flagged = i != 0 && repeats(self->seen[i], count)};
        bin->deviation = bin->share - bin->expected;
        off = (kt_int128)bin->observed * ENDINGS - (kt_int128)count;
        deviations += off < 0 ? -off : off;
        kt_spot spot = {.entry = bin->first, .reason = i, .value = bin->observed, .more = count};
        if (bin->flagged) code = kt_spots_add(&self->self.spots, &spot, error);
    }
    table->mad = (int64_t)(deviations * KT_AUDIT_ONE / ENDINGS / ENDINGS / (kt_int128)count);
    return code;
}

/* The line that a digit is told by. */
static void tell_line(const struct digits *self, kt_reporter *reporter, const kt_entry_view *entry, size_t line,
                      kt_audit_finding *out) {
    kt_str currency = entry->entry.lines[line].currency;
    out->amount = entry->entry.lines[line].amount;
    out->decimals = entry->decimals[line];
    out->currency = kt_report_keep(reporter, currency.size == 0 ? self->self.work->company.currency : currency);
    out->has_amount = true;
}

static void explain_endings(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                            kt_audit_finding *out) {
    char observed[KT_AMOUNT_TEXT], count[KT_AMOUNT_TEXT], share[KT_AMOUNT_TEXT];
    const struct digits *self = context;
    for (size_t i = 0; i < entry->entry.line_count; i++) {
        const kt_line *line = &entry->entry.lines[i];
        kt_amount unit = kt_audit_unit(entry->decimals[i]);
        if ((uint32_t)(kt_audit_abs(line->amount) / unit % ENDINGS) != spot->reason) continue;
        tell_line(self, reporter, entry, i, out);
        break;
    }
    out->why = kt_report_text(
        reporter, "%s of %s amounts (%s %%) end in %02u before the decimals, 1 %% was expected; this is the first",
        kt_report_count(spot->value, observed), kt_report_count(spot->more, count),
        kt_report_share((int64_t)((kt_int128)spot->value * 100 * KT_AUDIT_ONE / (kt_int128)spot->more), 1, share),
        spot->reason);
}

const kt_tester kt_tester_endings = {
    .about =
        {.name = "endings",
         .title = "Endings that repeat",
         .asks =
             "Whether the last two digits before the decimals are spread evenly, as they are in amounts that nobody "
             "chose.",
         .criterion = "ISA 240.A45(e): a consistent ending number; the last-two digits test, Nigrini, Benford's Law "
                      "(Wiley 2012)",
         .statistical = true},
    .size = sizeof(struct digits),
    .begin = begin_endings,
    .see = see_endings,
    .merge = merge_digits,
    .finish = finish_endings,
    .explain = explain_endings,
    .end = end_endings,
};

/* ---- Benford ---- */

static void see_leading(struct digits *self, const kt_seen *seen, unsigned digits) {
    for (size_t i = 0; i < seen->line_count; i++) {
        if (!seen->lines[i].fresh) continue;
        unsigned leading = kt_digits_leading(kt_audit_abs(seen->lines[i].amount), digits);
        if (leading != 0) count_digits(self, leading, seen->number);
    }
}

static kt_code see_first(void *context, const kt_seen *seen, kt_error *error) {
    (void)error;
    see_leading(context, seen, 1);
    return KT_OK;
}

static kt_code see_second(void *context, const kt_seen *seen, kt_error *error) {
    (void)error;
    see_leading(context, seen, 2);
    return KT_OK;
}

/* Points at the digits that come too often, where neither Nigrini's limits nor chi-square put it down to chance. */
static kt_code point_at(struct digits *self, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    const kt_audit_table *table = &out->table;
    kt_code code = KT_OK;
    if (table->conformity != KT_AUDIT_NONCONFORMITY) return KT_OK;
    if (table->chi_square <= table->critical_5_percent) {
        out->note = kt_report_text(reporter, "%s",
                                   "the mean deviation is beyond the limits and chi-square is not: with so few amounts "
                                   "that much comes by chance");
        return KT_OK;
    }
    out->status = KT_AUDIT_FLAGGED;
    for (size_t i = 0; i < table->bin_count && code == KT_OK; i++) {
        const kt_audit_bin *bin = &table->bins[i];
        kt_spot spot = {.entry = bin->first, .reason = bin->digits, .value = bin->observed, .more = table->count};
        if (bin->flagged && bin->deviation > 0) code = kt_spots_add(&self->self.spots, &spot, error);
    }
    return code;
}

static kt_code judge(struct digits *self, unsigned first, unsigned last, kt_reporter *reporter, kt_audit_test *out,
                     kt_error *error) {
    kt_report_parameter(reporter, out, "least number of amounts", "%u", KT_AUDIT_BENFORD_LEAST);
    if (refuse_few(&self->self, reporter, out)) return KT_OK;
    kt_code code = kt_digits_judge(self->seen + first, self->first + first, first, last, &out->table, error);
    return code == KT_OK ? point_at(self, reporter, out, error) : code;
}

static kt_code finish_first(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    struct digits *self = context;
    tell_count(&self->self, reporter, out, "");
    return judge(self, 1, 9, reporter, out, error);
}

static kt_code finish_second(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    struct digits *self = context;
    tell_count(&self->self, reporter, out, " of two digits or more");
    return judge(self, 10, 99, reporter, out, error);
}

static void explain_digits(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                           kt_audit_finding *out) {
    char observed[KT_AMOUNT_TEXT], count[KT_AMOUNT_TEXT], share[KT_AMOUNT_TEXT], expected[KT_AMOUNT_TEXT];
    const struct digits *self = context;
    for (size_t i = 0; i < entry->entry.line_count; i++) {
        const kt_line *line = &entry->entry.lines[i];
        if (kt_digits_leading(kt_audit_abs(line->amount), spot->reason < 10 ? 1 : 2) != spot->reason) continue;
        tell_line(self, reporter, entry, i, out);
        break;
    }
    out->why = kt_report_text(
        reporter, "%s of %s amounts (%s %%) begin with %u, %s %% was expected; this is the first",
        kt_report_count(spot->value, observed), kt_report_count(spot->more, count),
        kt_report_share((int64_t)((kt_int128)spot->value * 100 * KT_AUDIT_ONE / (kt_int128)spot->more), 2, share),
        spot->reason, kt_report_share(kt_digits_benford(spot->reason) * 100, 2, expected));
}

const kt_tester kt_tester_benford = {
    .about =
        {.name = "benford",
         .title = "First digits against Benford's law",
         .asks =
             "Whether first digits come as often as in amounts that grew by themselves; points at those that come too "
             "often where both the mean deviation and chi-square are beyond their limits.",
         .criterion = "Benford's law; conformity by Nigrini, Benford's Law (Wiley 2012), table 7.1",
         .statistical = true},
    .size = sizeof(struct digits),
    .see = see_first,
    .merge = merge_digits,
    .finish = finish_first,
    .explain = explain_digits,
};

const kt_tester kt_tester_benford2 = {
    .about = {.name = "benford2",
              .title = "First two digits against Benford's law",
              .asks = "The same for the first two digits, which show smaller groups.",
              .criterion = "Benford's law; conformity by Nigrini, Benford's Law (Wiley 2012), table 7.1",
              .statistical = true},
    .size = sizeof(struct digits),
    .see = see_second,
    .merge = merge_digits,
    .finish = finish_second,
    .explain = explain_digits,
};
