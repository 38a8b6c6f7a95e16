#include "engine/audit/report_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/audit/verify.h"
#include "engine/logkey.h"
#include "engine/view.h"

/* What a damaged book cannot give is said in its place; all else ends the report. */
static kt_code part(kt_part *out, kt_code code, kt_error *error) {
    out->code = code;
    if (code == KT_OK) return KT_OK;
    if (code != KT_DAMAGED && code != KT_NEWER && code != KT_OVERFLOW && code != KT_NOT_FOUND) return code;
    out->why = *error;
    return KT_OK;
}

/* ---- the book and its checkpoint ---- */

static kt_code read_book(kt_facts *facts, kt_error *error) {
    kt_currency currency;
    kt_code code = kt_view_head(facts->view, &facts->head, error);
    if (code == KT_OK) code = kt_view_company(facts->view, KT_DAY_MAX, &facts->company, error);
    if (code == KT_OK) code = kt_view_currency(facts->view, facts->company.currency, &currency, error);
    if (code == KT_OK) code = kt_zone_open(NULL, facts->company.time_zone, &facts->zone, error);
    if (code == KT_OK) facts->decimals = currency.decimals;
    return code;
}

static kt_code read_checkpoint(kt_facts *facts, kt_error *error) {
    uint8_t key[KT_KEY_SIZE];
    kt_error why = {0};
    kt_code code = kt_log_key_at(facts->view->txn, facts->view->end, key, &why);
    if (code == KT_OK) code = kt_verifier_make(facts->genesis.origin, key, &facts->verifier, &why);
    code = part(&facts->checkpoint, code, &why);
    if (code != KT_OK && error != NULL) *error = why;
    return code;
}

/* ---- verification ---- */

static void take_wrong(void *context, const kt_finding *finding) {
    kt_facts *facts = context;
    if (facts->wrong_count == KT_FACTS_WRONGS_MAX) return;
    kt_wrong *wrong = &facts->wrongs[facts->wrong_count++];
    *wrong = (kt_wrong){.record = finding->record, .code = finding->code};
    strncpy(wrong->what, finding->what, sizeof wrong->what - 1);
}

/* Progress has a context of the caller's; findings are ours. */
struct listening {
    kt_facts *facts;
    const kt_verify_options *given;
};

static void on_found(void *context, const kt_finding *finding) {
    take_wrong(((struct listening *)context)->facts, finding);
}

static void on_progress(void *context, uint64_t done, uint64_t of) {
    const kt_verify_options *given = ((struct listening *)context)->given;
    if (given->progress != NULL) given->progress(given->context, done, of);
}

static kt_code verify(kt_facts *facts, kt_error *error) {
    struct listening listening = {facts, &facts->options->verify};
    kt_verify_options options = facts->options->verify;
    options.found = on_found;
    options.progress = on_progress;
    options.context = &listening;
    facts->wrongs = calloc(KT_FACTS_WRONGS_MAX, sizeof *facts->wrongs);
    if (facts->wrongs == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_error why = {0};
    kt_code code = kt_verify_with(kt_book_registry(facts->view->book), kt_book_directory(facts->view->book), &options,
                                  &facts->verified, &why);
    if (code != KT_OK && facts->wrong_count == 0 && code != KT_DAMAGED) {
        if (error != NULL) *error = why;
        return code;
    }
    facts->verification.code = code;
    facts->verification.why = why;
    return KT_OK;
}

/* ---- trial balance ---- */

static int compare_text(kt_str a, kt_str b) {
    size_t least = a.size < b.size ? a.size : b.size;
    int order = least == 0 ? 0 : memcmp(a.data, b.data, least);
    return order != 0 ? order : a.size < b.size ? -1 : a.size > b.size;
}

static int compare_rows(const kt_balance *a, const kt_balance *b) {
    int order = compare_text(a->account, b->account);
    return order != 0 ? order : compare_text(a->currency, b->currency);
}

static bool add_sums(kt_trial *trial, const kt_trial_row *row, kt_str currency) {
    kt_trial_row *sums = &trial->sums;
    kt_amount *type = &trial->by_type[(unsigned)row->type <= KT_EXPENSE ? row->type : 0];
    sums->unvalued += row->unvalued;
    if (!kt_str_equal(row->currency, currency)) trial->foreign = true;
    return kt_amount_add(sums->book_before, row->book_before, &sums->book_before) &&
           kt_amount_add(sums->book_debit, row->book_debit, &sums->book_debit) &&
           kt_amount_add(sums->book_credit, row->book_credit, &sums->book_credit) &&
           kt_amount_add(sums->book_after, row->book_after, &sums->book_after) &&
           kt_amount_add(*type, row->book_after, type);
}

static bool make_row(const kt_balance *before, const kt_balance *within, kt_trial_row *out) {
    const kt_balance *facts = within != NULL ? within : before;
    *out = (kt_trial_row){.account = facts->account,
                          .name = facts->name,
                          .currency = facts->currency,
                          .type = facts->type,
                          .decimals = facts->decimals};
    if (before != NULL) {
        out->before = before->balance;
        out->book_before = before->book_balance;
        out->unvalued += before->unvalued;
    }
    out->after = out->before;
    out->book_after = out->book_before;
    if (within == NULL) return true;
    out->debit = within->debit;
    out->credit = within->credit;
    out->book_debit = within->book_debit;
    out->book_credit = within->book_credit;
    out->unvalued += within->unvalued;
    return kt_amount_add(out->before, within->balance, &out->after) &&
           kt_amount_add(out->book_before, within->book_balance, &out->book_after);
}

/* Both lists are in the same order. */
static kt_code merge(kt_facts *facts, const kt_balance *before, size_t before_count, const kt_balance *within,
                     size_t within_count, kt_error *error) {
    kt_trial *trial = &facts->trial;
    bool fits = true;
    trial->rows = calloc(before_count + within_count + 1, sizeof *trial->rows);
    if (trial->rows == NULL) return kt_fail(error, KT_MEMORY, "out of memory for the trial balance");
    for (size_t i = 0, k = 0; (i < before_count || k < within_count) && fits;) {
        int order = i == before_count ? 1 : k == within_count ? -1 : compare_rows(&before[i], &within[k]);
        kt_trial_row *row = &trial->rows[trial->count];
        fits = make_row(order <= 0 ? &before[i] : NULL, order >= 0 ? &within[k] : NULL, row) &&
               add_sums(trial, row, facts->company.currency);
        if (row->type == KT_UNCLASSIFIED && (trial->count == 0 || !kt_str_equal(row[-1].account, row->account)))
            trial->unclassified++;
        trial->count++;
        if (order <= 0) i++;
        if (order >= 0) k++;
    }
    return fits ? KT_OK : kt_fail(error, KT_OVERFLOW, "a sum exceeds 128 bits");
}

static kt_code read_trial(kt_facts *facts, kt_error *error) {
    kt_balance *before = NULL, *within = NULL;
    size_t before_count = 0, within_count = 0;
    kt_balance_query query = {facts->from, facts->to, KT_BY_NOTHING};
    kt_error why = {0};
    kt_code code = kt_balances(facts->view, &query, &within, &within_count, &why);
    if (code == KT_OK && facts->from != KT_DAY_NONE && facts->from > KT_DAY_MIN) {
        query = (kt_balance_query){KT_DAY_NONE, facts->from - 1, KT_BY_NOTHING};
        code = kt_balances(facts->view, &query, &before, &before_count, &why);
    }
    if (code == KT_OK) code = merge(facts, before, before_count, within, within_count, &why);
    free(before);
    free(within);
    code = part(&facts->balances, code, &why);
    if (code != KT_OK && error != NULL) *error = why;
    return code;
}

/* ---- the tests ---- */

static kt_code run_tests(kt_facts *facts, kt_error *error) {
    kt_error why = {0};
    kt_audit_options options = facts->options->audit;
    if (options.most_findings == 0) options.most_findings = 25;
    kt_code code = kt_audit_run(facts->view, &options, &facts->audit, &why);
    code = part(&facts->tests, code, &why);
    if (code != KT_OK && error != NULL) *error = why;
    return code;
}

/* ---- actors and proposals ---- */

static void keep_text(kt_str text, char *out, size_t room) {
    size_t size = text.size < room - 1 ? text.size : room - 1;
    if (size != 0) memcpy(out, text.data, size);
    out[size] = 0;
}

static kt_code read_proposal(const kt_facts *facts, const kt_proposal *proposal, kt_open_proposal *out,
                             kt_error *error) {
    kt_entry_view *view = NULL;
    kt_str own = facts->company.currency;
    bool fits = true;
    *out = (kt_open_proposal){.proposal = *proposal};
    kt_code code = kt_entry_read(facts->view, proposal->number, &view, error);
    if (code != KT_OK) return code;
    const kt_entry *entry = &view->entry;
    out->date = entry->date;
    out->lines = entry->line_count;
    keep_text(entry->series, out->series, sizeof out->series);
    keep_text(entry->voucher, out->voucher, sizeof out->voucher);
    for (size_t i = 0; i < entry->line_count && fits; i++) {
        const kt_line *line = &entry->lines[i];
        bool cost = line->has_cost && (line->cost_currency.size == 0 || kt_str_equal(line->cost_currency, own));
        kt_amount amount = line->currency.size == 0 || kt_str_equal(line->currency, own) ? line->amount
                           : cost                                                        ? line->cost
                                                                                         : 0;
        if (amount > 0) fits = kt_amount_add(out->debit, amount, &out->debit);
    }
    kt_entry_view_free(view);
    return fits ? KT_OK : kt_fail(error, KT_OVERFLOW, "a sum exceeds 128 bits");
}

static kt_code read_proposals(kt_facts *facts, kt_error *error) {
    kt_proposal *all = NULL;
    size_t count = 0;
    kt_code code = kt_view_proposals(facts->view, false, &all, &count, error);
    size_t room = 0;
    for (size_t i = 0; i < count; i++) room += all[i].status == KT_PROPOSAL_OPEN;
    facts->decided_proposals = count - room;
    facts->proposals = calloc(room + 1, sizeof *facts->proposals);
    if (code == KT_OK && facts->proposals == NULL) code = kt_fail(error, KT_MEMORY, "out of memory for the proposals");
    for (size_t i = 0; i < count && code == KT_OK; i++) {
        if (all[i].status != KT_PROPOSAL_OPEN) continue;
        kt_open_proposal *place = &facts->proposals[facts->proposal_count++];
        *place = (kt_open_proposal){.proposal = all[i], .date = KT_DAY_NONE};
        if (facts->proposal_count <= facts->most_rows) code = read_proposal(facts, &all[i], place, error);
    }
    free(all);
    return code;
}

static kt_code read_people(kt_facts *facts, kt_error *error) {
    kt_error why = {0};
    kt_code code = kt_view_actors(facts->view, &facts->actors, &why);
    if (code == KT_OK) code = read_proposals(facts, &why);
    code = part(&facts->people, code, &why);
    if (code != KT_OK && error != NULL) *error = why;
    return code;
}

/* ---- all of it ---- */

static kt_day open_day(kt_day day) { return day == 0 ? KT_DAY_NONE : day; }

kt_code kt_facts_gather(kt_view *view, const kt_audit_report_options *options, kt_facts *out, kt_error *error) {
    *out = (kt_facts){.options = options,
                      .view = view,
                      .genesis = *kt_book_genesis(view->book),
                      .as_known = view->as_known,
                      .most_rows = options->most_rows == 0 ? 2000 : options->most_rows,
                      .from = open_day(options->audit.from),
                      .to = open_day(options->audit.to)};
    if (view->end == 0) return kt_fail(error, KT_NOT_FOUND, "nothing was on record then");
    kt_code code = read_book(out, error);
    if (code == KT_OK) code = read_checkpoint(out, error);
    if (code == KT_OK) code = read_trial(out, error);
    if (code == KT_OK) code = read_people(out, error);
    if (code == KT_OK) code = run_tests(out, error);
    if (code == KT_OK) code = verify(out, error);
    return code;
}

void kt_facts_release(kt_facts *facts) {
    kt_zone_close(facts->zone);
    kt_audit_free(facts->audit);
    kt_actors_free(facts->actors);
    free(facts->wrongs);
    free(facts->trial.rows);
    free(facts->proposals);
    *facts = (kt_facts){0};
}

const char *kt_facts_span(const kt_facts *facts, char out[64]) {
    char from[KT_DAY_TEXT] = "", to[KT_DAY_TEXT] = "";
    if (facts->from != KT_DAY_NONE) kt_day_format(facts->from, from);
    if (facts->to != KT_DAY_NONE) kt_day_format(facts->to, to);
    (void)snprintf(out, 64, "%s%s%s%s", *from ? " --from " : "", from, *to ? " --to " : "", to);
    return out;
}
