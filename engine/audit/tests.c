#include "engine/audit/tests.h"

#include <stdlib.h>
#include <unistd.h>

#include "engine/audit/tests_walk.h"
#include "engine/view.h"

/* ---- what there is ---- */

const kt_audit_about *kt_audit_nth(size_t n) {
    for (size_t i = 0; kt_testers[i] != NULL; i++)
        if (i == n) return &kt_testers[i]->about;
    return NULL;
}

const kt_audit_about *kt_audit_find(kt_str name) {
    for (size_t i = 0; kt_testers[i] != NULL; i++)
        if (kt_str_equal(kt_str_from(kt_testers[i]->about.name), name)) return &kt_testers[i]->about;
    return NULL;
}

const char *kt_audit_status_name(kt_audit_status status) {
    static const char *const names[] = {"clear", "flagged", "refused", "imbalance"};
    return (unsigned)status <= KT_AUDIT_IMBALANCE ? names[status] : "?";
}

const char *kt_audit_conformity_name(kt_audit_conformity conformity) {
    static const char *const names[] = {"", "close conformity", "acceptable conformity",
                                        "marginally acceptable conformity", "nonconformity"};
    return (unsigned)conformity <= KT_AUDIT_NONCONFORMITY ? names[conformity] : "?";
}

kt_amount kt_audit_unit(uint8_t decimals) {
    kt_amount unit = 1;
    for (uint8_t i = 0; i < decimals; i++) unit *= 10;
    return unit;
}

/* ---- options ---- */

static unsigned cores(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (unsigned)count;
}

#define DEFAULT(field, value) \
    if (out->field == 0) out->field = (value)

static kt_code take_options(const kt_audit_options *given, kt_audit_options *out, kt_error *error) {
    if (given != NULL) *out = *given;
    if (out->from == 0) out->from = KT_DAY_NONE;
    if (out->to == 0) out->to = KT_DAY_NONE;
    if (out->from != KT_DAY_NONE && out->to != KT_DAY_NONE && out->from > out->to)
        return kt_fail(error, KT_USAGE, "the first day lies behind the last");
    if (out->night_from > 23 || out->night_until > 23)
        return kt_fail(error, KT_USAGE, "the night begins at hour %u and ends at hour %u; expected 0 to 23",
                       out->night_from, out->night_until);
    if (out->night_from == 0 && out->night_until == 0) {
        out->night_from = 22;
        out->night_until = 6;
    }
    if (out->below_percent > 100) return kt_fail(error, KT_USAGE, "more than 100 percent below a limit");
    for (size_t i = 0; out->words != NULL && out->words[i] != NULL; i++)
        if (i == KT_AUDIT_WORDS_MAX) return kt_fail(error, KT_LIMIT, "more than %u words", KT_AUDIT_WORDS_MAX);
    DEFAULT(most_findings, 100);
    DEFAULT(threads, cores());
    DEFAULT(backdated_days, 30);
    DEFAULT(duplicate_days, 14);
    DEFAULT(seldom_account, 2);
    DEFAULT(seldom_pair, 2);
    DEFAULT(seldom_actor, 5);
    DEFAULT(round_units, 1000);
    DEFAULT(below_percent, 10);
    if (out->threads > KT_AUDIT_THREADS_MAX) out->threads = KT_AUDIT_THREADS_MAX;
    if (out->seldom_pair >= UINT16_MAX) out->seldom_pair = UINT16_MAX - 1; /* meetings are counted up to that */
    return KT_OK;
}

static kt_code pick_testers(kt_audit_walk *walk, const kt_audit_options *options, kt_error *error) {
    for (size_t i = 0; i < options->test_count; i++)
        if (kt_audit_find(kt_str_from(options->tests[i])) == NULL)
            return kt_fail(error, KT_UNKNOWN, "there is no test '%s'", options->tests[i]);
    for (size_t i = 0; kt_testers[i] != NULL; i++) {
        bool wanted = options->test_count == 0 || options->tests == NULL;
        for (size_t k = 0; k < options->test_count && !wanted; k++)
            wanted = kt_str_equal(kt_str_from(options->tests[k]), kt_str_from(kt_testers[i]->about.name));
        if (wanted && walk->tester_count < KT_TESTERS_MAX) walk->testers[walk->tester_count++] = kt_testers[i];
    }
    return KT_OK;
}

/* ---- what does not change ---- */

static kt_code index_accounts(kt_audit_work *work, kt_error *error) {
    size_t count = 16;
    while (count < work->account_count * 3) count *= 2;
    work->account_slots = calloc(count, sizeof *work->account_slots);
    if (work->account_slots == NULL) return kt_fail(error, KT_MEMORY, "out of memory for the accounts");
    work->account_slot_count = count;
    for (size_t i = 0; i < work->account_count; i++) {
        uint64_t hash = kt_audit_hash(0, work->accounts[i].code);
        size_t at = hash & (count - 1);
        while (work->account_slots[at] != 0) at = (at + 1) & (count - 1);
        work->account_slots[at] = hash >> 32 << 32 | (uint32_t)(i + 1);
    }
    return KT_OK;
}

static kt_code open_work(kt_view *view, kt_audit_work *work, kt_error *error) {
    work->view = view;
    kt_code code = kt_view_head(view, &work->head, error);
    if (code == KT_OK) code = kt_view_company(view, KT_DAY_MAX, &work->company, error); /* the newest facts */
    if (code == KT_OK) code = kt_view_accounts(view, &work->accounts, &work->account_count, error);
    if (code == KT_OK) code = kt_view_currencies(view, &work->currencies, &work->currency_count, error);
    if (code == KT_OK) code = index_accounts(work, error);
    if (code == KT_OK) code = kt_zone_open(NULL, work->company.time_zone, &work->zone, error);
    if (code != KT_OK) return code;
    kt_calendar_read(work->company.calendar, work->company.time_zone, &work->calendar);
    for (size_t i = 0; i < work->currency_count; i++)
        if (kt_str_equal(work->currencies[i].code, work->company.currency)) {
            work->book_currency = (uint16_t)i;
            return KT_OK;
        }
    return kt_fail(error, KT_DAMAGED, "the book's currency is not on record");
}

static void close_work(kt_audit_work *work) {
    kt_zone_close(work->zone);
    free(work->accounts);
    free(work->account_slots);
    free(work->currencies);
}

/* ---- the population ---- */

static kt_code reconcile(const kt_audit_work *work, const kt_audit_walk *walk, kt_reporter *reporter, kt_error *error) {
    kt_audit_population *population = &reporter->audit.population;
    kt_balance_query query = {work->options.from, work->options.to, KT_BY_NOTHING};
    kt_balance *rows = NULL;
    size_t count = 0;
    *population = walk->workers[0].sums;
    population->from = work->options.from;
    population->to = work->options.to;
    population->currency = kt_report_keep(reporter, work->company.currency);
    population->decimals = work->currencies[work->book_currency].decimals;
    kt_code code = kt_balances(work->view, &query, &rows, &count, error);
    bool fits = true;
    for (size_t i = 0; i < count && fits; i++) {
        population->trial_lines += rows[i].lines;
        fits = kt_amount_add(population->trial_debit, rows[i].book_debit, &population->trial_debit) &&
               kt_amount_add(population->trial_credit, rows[i].book_credit, &population->trial_credit);
    }
    free(rows);
    if (code != KT_OK) return code;
    fits = fits && kt_amount_add(population->debit, -population->trial_debit, &population->debit_off) &&
           kt_amount_add(population->credit, -population->trial_credit, &population->credit_off);
    if (!fits) return kt_fail(error, KT_OVERFLOW, "a sum exceeds 128 bits");
    population->reconciled = population->lines == population->trial_lines && population->debit_off == 0 &&
                             population->credit_off == 0;
    reporter->audit.reconciled = population->reconciled;
    return KT_OK;
}

static void tell_activity(const kt_audit_work *work, kt_audit_walk *walk, kt_reporter *reporter) {
    kt_audit *audit = &reporter->audit;
    kt_audit_worker *counted = &walk->workers[0];
    audit->time_zone = kt_report_keep(reporter, kt_str_from(kt_zone_name(work->zone)));
    audit->calendar = kt_report_keep(reporter, work->company.calendar);
    memcpy(audit->hours, counted->hours, sizeof audit->hours);
    memcpy(audit->recorded_days, counted->recorded_days, sizeof audit->recorded_days);
    memcpy(audit->valid_days, counted->valid_days, sizeof audit->valid_days);
    memcpy(audit->week, counted->week, sizeof audit->week);
    for (size_t i = 0; i < counted->month_count; i++)
        if (counted->months[i].entries != 0) counted->months[audit->month_count++] = counted->months[i];
    audit->months = counted->months;
    counted->months = NULL;
}

/* ---- findings ---- */

static void tell_entry(kt_reporter *reporter, const kt_entry_view *view, const kt_audit_work *work,
                       kt_audit_finding *out) {
    kt_amount largest = 0, lowest = 0;
    const kt_line *debit = NULL, *credit = NULL;
    out->date = view->entry.date;
    out->recorded_us = view->recorded_us;
    out->series = kt_report_keep(reporter, view->entry.series);
    out->voucher = kt_report_keep(reporter, view->entry.voucher);
    for (size_t i = 0; i < view->entry.line_count; i++) {
        const kt_line *line = &view->entry.lines[i];
        kt_amount weight = line->has_cost ? line->cost : line->amount;
        if (weight > largest) {
            largest = weight;
            debit = line;
            out->decimals = view->decimals[i];
        } else if (weight < lowest) {
            lowest = weight;
            credit = line;
        }
    }
    if (credit != NULL) out->counter = kt_report_keep(reporter, credit->account);
    if (debit == NULL) return;
    out->account = kt_report_keep(reporter, debit->account);
    out->has_amount = true;
    out->amount = debit->amount;
    out->currency = kt_report_keep(reporter, debit->currency.size == 0 ? work->company.currency : debit->currency);
}

static kt_code tell_findings(const kt_audit_work *work, const kt_tester *tester, kt_test_self *self,
                             kt_reporter *reporter, kt_audit_test *test, kt_error *error) {
    kt_code code = KT_OK;
    kt_spots_sort(&self->spots);
    test->flagged = self->spots.all;
    if (self->spots.count == 0) return KT_OK;
    test->findings = calloc(self->spots.count, sizeof *test->findings);
    if (test->findings == NULL) return kt_fail(error, KT_MEMORY, "out of memory for findings");
    for (size_t i = 0; i < self->spots.count && code == KT_OK; i++) {
        const kt_spot *spot = &self->spots.kept[i];
        kt_audit_finding *finding = &test->findings[test->finding_count++];
        kt_entry_view *view = NULL;
        *finding = (kt_audit_finding){.entry = spot->entry, .other = spot->other, .date = KT_DAY_NONE};
        if (spot->entry != 0) code = kt_entry_read(work->view, spot->entry, &view, error);
        if (code == KT_OK && view != NULL) tell_entry(reporter, view, work, finding);
        if (code == KT_OK) tester->explain(self, reporter, spot, view, finding);
        kt_entry_view_free(view);
    }
    return code;
}

static kt_code tell_test(const kt_audit_work *work, const kt_tester *tester, kt_test_self *self, kt_reporter *reporter,
                         kt_audit_test *test, kt_error *error) {
    char entries[KT_AMOUNT_TEXT], lines[KT_AMOUNT_TEXT];
    const kt_audit_population *population = &reporter->audit.population;
    kt_code code = KT_OK;
    test->about = &tester->about;
    test->count = self->count;
    if (tester->finish != NULL) code = tester->finish(self, reporter, test, error);
    if (code == KT_OK) code = tell_findings(work, tester, self, reporter, test, error);
    if (test->examined.size == 0)
        test->examined = kt_report_text(reporter, "%s entries, %s lines", kt_report_count(population->entries, entries),
                                        kt_report_count(population->lines, lines));
    if (test->status == KT_AUDIT_CLEAR && test->flagged != 0) test->status = KT_AUDIT_FLAGGED;
    if (test->status == KT_AUDIT_IMBALANCE) reporter->audit.reconciled = false;
    return code;
}

static kt_code tell(const kt_audit_work *work, kt_audit_walk *walk, kt_reporter *reporter, kt_error *error) {
    kt_audit *audit = &reporter->audit;
    kt_code code = reconcile(work, walk, reporter, error);
    if (code != KT_OK) return code;
    tell_activity(work, walk, reporter);
    audit->tests = calloc(walk->tester_count + 1, sizeof *audit->tests);
    if (audit->tests == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    for (size_t i = 0; i < walk->tester_count && code == KT_OK; i++)
        code = tell_test(work, walk->testers[i], walk->workers[0].selves[i], reporter,
                         &audit->tests[audit->test_count++], error);
    if (code == KT_OK && reporter->code != KT_OK)
        code = kt_fail(error, KT_MEMORY, "out of memory for the findings' texts");
    return code;
}

kt_code kt_audit_run(kt_view *view, const kt_audit_options *options, kt_audit **out, kt_error *error) {
    kt_audit_work work = {0};
    kt_reporter *reporter = kt_reporter_new();
    kt_audit_walk *walk = calloc(1, sizeof *walk);
    *out = NULL;
    kt_code code = reporter == NULL || walk == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
    if (code == KT_OK) code = take_options(options, &work.options, error);
    if (code == KT_OK) code = pick_testers(walk, &work.options, error);
    if (code == KT_OK) code = open_work(view, &work, error);
    if (code == KT_OK) {
        walk->work = &work;
        code = kt_audit_walk_open(walk, error);
        if (code == KT_OK) code = kt_audit_walk_run(walk, error);
        if (code == KT_OK) code = kt_audit_walk_merge(walk, error);
        if (code == KT_OK) code = tell(&work, walk, reporter, error);
        kt_audit_walk_close(walk);
    }
    close_work(&work);
    free(walk);
    if (code == KT_OK) *out = &reporter->audit;
    else if (reporter != NULL) kt_audit_free(&reporter->audit);
    return code;
}
