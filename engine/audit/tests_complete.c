/*
 * complete: is the population whole, and does every entry in it balance?
 *
 * Completeness: for each account and currency, the opening balance and the turnovers of the entries themselves give the
 * closing balance, and the turnovers are those that balances tell of. Balances are kept apart from the entries (in runs of
 * sums), so that the one proves the other.
 */
#include <stdlib.h>

#include "engine/audit/tests.h"

/* ---- completeness ---- */

struct sum {
    kt_amount debit, credit; /* columns, in the row's currency */
    uint64_t lines;
};

struct foreign {  /* an account in another currency than the book's */
    uint64_t key; /* account and currency + 1; 0: free */
    struct sum sum;
};

enum { FAULT_TURNOVER = 1, FAULT_ROLL, FAULT_NO_BALANCE };

struct fault {
    uint32_t account;
    uint16_t currency;
    kt_amount expected, found;
};

struct completeness {
    kt_test_self self;
    struct sum *book; /* an account each */
    struct foreign *foreign;
    size_t foreign_count, foreign_room;
    struct fault *faults; /* of the spots kept, by their `value` */
    size_t fault_count, fault_room;
};

static kt_code begin_completeness(void *context, kt_error *error) {
    struct completeness *self = context;
    self->book = calloc(self->self.work->account_count + 1, sizeof *self->book);
    return self->book == NULL ? kt_fail(error, KT_MEMORY, "out of memory for the accounts") : KT_OK;
}

static void end_completeness(void *context) {
    struct completeness *self = context;
    free(self->book);
    free(self->foreign);
    free(self->faults);
}

static struct foreign *place_of(struct foreign *slots, size_t room, uint64_t key) {
    size_t at = kt_audit_mix(key, 0) & (room - 1);
    while (slots[at].key != 0 && slots[at].key != key) at = (at + 1) & (room - 1);
    return &slots[at];
}

static kt_code sum_of(struct completeness *self, uint32_t account, uint16_t currency, struct sum **out,
                      kt_error *error) {
    if (currency == self->self.work->book_currency) {
        *out = &self->book[account];
        return KT_OK;
    }
    uint64_t key = ((uint64_t)account << 16 | currency) + 1;
    if (self->foreign_count * 2 >= self->foreign_room) {
        size_t room = self->foreign_room == 0 ? 64 : self->foreign_room * 2;
        struct foreign *grown = calloc(room, sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory for the accounts");
        for (size_t i = 0; i < self->foreign_room; i++)
            if (self->foreign[i].key != 0) *place_of(grown, room, self->foreign[i].key) = self->foreign[i];
        free(self->foreign);
        self->foreign = grown;
        self->foreign_room = room;
    }
    struct foreign *place = place_of(self->foreign, self->foreign_room, key);
    self->foreign_count += place->key == 0;
    place->key = key;
    *out = &place->sum;
    return KT_OK;
}

static bool add_sum(struct sum *into, const struct sum *more) {
    into->lines += more->lines;
    return kt_amount_add(into->debit, more->debit, &into->debit) &&
           kt_amount_add(into->credit, more->credit, &into->credit);
}

static kt_code overflow(kt_error *error) { return kt_fail(error, KT_OVERFLOW, "a sum exceeds 128 bits"); }

static kt_code see_completeness(void *context, const kt_seen *seen, kt_error *error) {
    struct completeness *self = context;
    for (size_t i = 0; i < seen->line_count; i++) {
        const kt_seen_line *line = &seen->lines[i];
        struct sum *sum;
        kt_code code = sum_of(self, line->account, line->currency, &sum, error);
        if (code != KT_OK) return code;
        struct sum more = {line->debit ? line->amount : 0, line->debit ? 0 : -line->amount, 1};
        if (!add_sum(sum, &more)) return overflow(error);
    }
    return KT_OK;
}

static kt_code merge_completeness(void *context, void *other, kt_error *error) {
    struct completeness *self = context, *from = other;
    for (size_t i = 0; i < self->self.work->account_count; i++)
        if (!add_sum(&self->book[i], &from->book[i])) return overflow(error);
    for (size_t i = 0; i < from->foreign_room; i++) {
        uint64_t key = from->foreign[i].key;
        struct sum *sum;
        if (key == 0) continue;
        kt_code code = sum_of(self, (uint32_t)((key - 1) >> 16), (uint16_t)(key - 1), &sum, error);
        if (code != KT_OK) return code;
        if (!add_sum(sum, &from->foreign[i].sum)) return overflow(error);
    }
    return KT_OK;
}

static kt_code fault(struct completeness *self, uint32_t reason, const struct fault *what, kt_error *error) {
    kt_spot spot = {.reason = reason, .value = self->fault_count};
    if (self->fault_count < self->self.work->options.most_findings) {
        if (self->fault_count == self->fault_room) {
            size_t room = self->fault_room == 0 ? 16 : self->fault_room * 2;
            struct fault *grown = realloc(self->faults, room * sizeof *grown);
            if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory for findings");
            self->faults = grown;
            self->fault_room = room;
        }
        self->faults[self->fault_count++] = *what;
        return kt_spots_add(&self->self.spots, &spot, error);
    }
    self->self.spots.all++;
    return KT_OK;
}

/* Rows of balances, ordered by account and currency, taken one after the other. */
struct rows {
    kt_balance *rows;
    size_t count, next;
};

static int compare_str(kt_str a, kt_str b) {
    return kt_span_compare(kt_span_of(a.data, a.size), kt_span_of(b.data, b.size));
}

static int compare_rows(const kt_balance *a, const kt_balance *b) {
    int order = compare_str(a->account, b->account);
    return order != 0 ? order : compare_str(a->currency, b->currency);
}

/* The row of the same account and currency; NULL: there is none. */
static const kt_balance *row_like(struct rows *rows, const kt_balance *wanted) {
    while (rows->next < rows->count && compare_rows(&rows->rows[rows->next], wanted) < 0) rows->next++;
    bool here = rows->next < rows->count && compare_rows(&rows->rows[rows->next], wanted) == 0;
    return here ? &rows->rows[rows->next] : NULL;
}

static bool place_in(const kt_audit_work *work, const kt_balance *row, uint32_t *account, uint16_t *currency) {
    while (*account < work->account_count && compare_str(work->accounts[*account].code, row->account) < 0) ++*account;
    for (*currency = 0; *currency < work->currency_count; ++*currency)
        if (kt_str_equal(work->currencies[*currency].code, row->currency)) break;
    return *account < work->account_count && kt_str_equal(work->accounts[*account].code, row->account) &&
           *currency < work->currency_count;
}

/* One account in one currency: the turnovers of entries against those of balances, and opening to closing. Takes the sum
   out, so that what is left at the end has no balance. */
static kt_code check_row(struct completeness *self, struct rows *openings, struct rows *turnovers,
                         const kt_balance *closing, uint32_t account, uint16_t currency, kt_error *error) {
    const kt_balance *opening = row_like(openings, closing), *turnover = row_like(turnovers, closing);
    struct sum *sum, none = {0, 0, 0};
    struct fault found = {.account = account, .currency = currency};
    kt_code code = sum_of(self, account, currency, &sum, error);
    if (code != KT_OK) return code;
    struct sum entries = *sum;
    *sum = none;
    self->self.count++;
    struct sum told = turnover == NULL ? none : (struct sum){turnover->debit, turnover->credit, turnover->lines};
    if (told.debit != entries.debit || told.credit != entries.credit || told.lines != entries.lines) {
        found.expected = told.debit - told.credit;
        found.found = entries.debit - entries.credit;
        code = fault(self, FAULT_TURNOVER, &found, error);
    }
    kt_amount rolled = opening == NULL ? 0 : opening->balance;
    if (!kt_amount_add(rolled, entries.debit, &rolled) || !kt_amount_add(rolled, -entries.credit, &rolled))
        return overflow(error);
    if (code == KT_OK && rolled != closing->balance) {
        found.expected = closing->balance;
        found.found = rolled;
        code = fault(self, FAULT_ROLL, &found, error);
    }
    return code;
}

static kt_code check_left(struct completeness *self, uint32_t account, uint16_t currency, const struct sum *sum,
                          kt_error *error) {
    struct fault found = {.account = account, .currency = currency, .found = sum->debit - sum->credit};
    return sum->lines == 0 ? KT_OK : fault(self, FAULT_NO_BALANCE, &found, error);
}

static kt_code check_rows(struct completeness *self, struct rows *openings, struct rows *turnovers,
                          struct rows *closings, kt_error *error) {
    const kt_audit_work *work = self->self.work;
    kt_code code = KT_OK;
    uint32_t account = 0;
    uint16_t currency;
    for (size_t i = 0; i < closings->count && code == KT_OK; i++) {
        if (!place_in(work, &closings->rows[i], &account, &currency))
            return kt_fail(error, KT_DAMAGED, "a balance names an account or a currency that is not on record");
        code = check_row(self, openings, turnovers, &closings->rows[i], account, currency, error);
    }
    for (uint32_t i = 0; i < work->account_count && code == KT_OK; i++)
        code = check_left(self, i, work->book_currency, &self->book[i], error);
    for (size_t i = 0; i < self->foreign_room && code == KT_OK; i++)
        if (self->foreign[i].key != 0)
            code = check_left(self, (uint32_t)((self->foreign[i].key - 1) >> 16), (uint16_t)(self->foreign[i].key - 1),
                              &self->foreign[i].sum, error);
    return code;
}

static kt_code finish_completeness(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    struct completeness *self = context;
    const kt_audit_work *work = self->self.work;
    kt_day from = work->options.from, to = work->options.to;
    struct rows openings = {0}, turnovers = {0}, closings = {0};
    kt_balance_query query = {KT_DAY_NONE, to, KT_BY_NOTHING};
    kt_code code = kt_balances(work->view, &query, &closings.rows, &closings.count, error);
    query.from = from;
    if (code == KT_OK) code = kt_balances(work->view, &query, &turnovers.rows, &turnovers.count, error);
    if (code == KT_OK && from > KT_DAY_MIN) { /* which KT_DAY_NONE is not */
        query = (kt_balance_query){KT_DAY_NONE, from - 1, KT_BY_NOTHING};
        code = kt_balances(work->view, &query, &openings.rows, &openings.count, error);
    }
    if (code == KT_OK) code = check_rows(self, &openings, &turnovers, &closings, error);
    free(openings.rows);
    free(turnovers.rows);
    free(closings.rows);
    char entries[KT_AMOUNT_TEXT], accounts[KT_AMOUNT_TEXT];
    out->count = self->self.count;
    out->examined = kt_report_text(reporter, "%s accounts (each in each of its currencies) over %s entries",
                                   kt_report_count(out->count, accounts),
                                   kt_report_count(reporter->audit.population.entries, entries));
    if (self->self.spots.all != 0) out->status = KT_AUDIT_IMBALANCE;
    return code;
}

static void explain_completeness(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                                 kt_audit_finding *out) {
    struct completeness *self = context;
    const kt_audit_work *work = self->self.work;
    const struct fault *fault = &self->faults[spot->value];
    char expected[KT_AMOUNT_TEXT], found[KT_AMOUNT_TEXT];
    (void)entry;
    out->account = kt_report_keep(reporter, work->accounts[fault->account].code);
    out->currency = kt_report_keep(reporter, work->currencies[fault->currency].code);
    out->decimals = work->currencies[fault->currency].decimals;
    out->has_amount = true;
    out->amount = fault->found - fault->expected;
    kt_report_amount(fault->expected, out->decimals, expected);
    kt_report_amount(fault->found, out->decimals, found);
    if (spot->reason == FAULT_ROLL)
        out->why = kt_report_text(reporter, "opening and postings come to %s, the closing balance is %s", found,
                                  expected);
    else if (spot->reason == FAULT_TURNOVER)
        out->why = kt_report_text(reporter, "the entries' postings come to %s, the balances' to %s%s", found, expected,
                                  fault->found == fault->expected ? " in other columns or numbers of lines" : "");
    else out->why = kt_report_text(reporter, "postings of %s, and no balance", found);
}

const kt_tester kt_tester_completeness = {
    .about =
        {.name = "completeness",
         .title = "Completeness: every account rolls forward",
         .asks =
             "For each account and currency: opening balance plus debits less credits of the entries is the closing "
             "balance, and the entries' turnovers are those the balances tell of.",
         .criterion = "ISA 240.33(a): completeness of the population of journal entries"},
    .size = sizeof(struct completeness),
    .begin = begin_completeness,
    .see = see_completeness,
    .merge = merge_completeness,
    .finish = finish_completeness,
    .explain = explain_completeness,
    .end = end_completeness,
};

/* ---- balance ---- */

enum { REASON_OFF = 1, REASON_ONE_LINE };

struct weight {
    kt_str currency;
    kt_amount sum;
};

#define WEIGHTS 16u

struct balance {
    kt_test_self self;
};

/* Law 2: what the lines count for adds up to nothing in each currency it is counted in. */
static bool is_level(const kt_entry *entry, kt_str book) {
    struct weight weights[WEIGHTS];
    size_t count = 0;
    for (size_t i = 0; i < entry->line_count; i++) {
        const kt_line *line = &entry->lines[i];
        kt_str currency = line->has_cost ? line->cost_currency : line->currency;
        size_t at = 0;
        if (currency.size == 0) currency = book;
        while (at < count && !kt_str_equal(weights[at].currency, currency)) at++;
        if (at == WEIGHTS) return true; /* in so many currencies at once the book's own check is taken for it */
        if (at == count) weights[count++] = (struct weight){currency, 0};
        if (!kt_amount_add(weights[at].sum, line->has_cost ? line->cost : line->amount, &weights[at].sum)) return false;
    }
    for (size_t at = 0; at < count; at++)
        if (weights[at].sum != 0) return false;
    return true;
}

static kt_code see_balance(void *context, const kt_seen *seen, kt_error *error) {
    struct balance *self = context;
    kt_spot spot = {.entry = seen->number};
    self->self.count++;
    if (!is_level(seen->entry, self->self.work->company.currency)) spot.reason = REASON_OFF;
    else if (seen->line_count < 2) spot.reason = REASON_ONE_LINE;
    return spot.reason == 0 ? KT_OK : kt_spots_add(&self->self.spots, &spot, error);
}

static kt_code finish_balance(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    (void)context;
    (void)error;
    out->note = kt_report_text(
        reporter, "%s",
        "the book refuses such entries when they are posted; files can be looked at before they are "
        "imported: kontor audit FILE");
    return KT_OK;
}

static void explain_balance(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                            kt_audit_finding *out) {
    (void)context;
    (void)entry;
    out->why = kt_report_text(reporter, "%s",
                              spot->reason == REASON_OFF ? "debits and credits differ" : "it has one line alone");
}

const kt_tester kt_tester_balance = {
    .about = {.name = "balance",
              .title = "Entries that do not balance, or have one line",
              .asks = "Every entry adds up to nothing in each currency it is counted in, and has two lines at least.",
              .criterion = "double entry; ISA 240.A45(d): entries without account numbers"},
    .size = sizeof(struct balance),
    .see = see_balance,
    .finish = finish_balance,
    .explain = explain_balance,
};
