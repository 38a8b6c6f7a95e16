#include "engine/ledger/check.h"

#include <stdlib.h>

#include "engine/ledger/company.h"
#include "engine/ledger/dimension.h"
#include "engine/ledger/period.h"
#include "engine/ledger/proposal.h"
#include "engine/ledger/reverse.h"
#include "engine/ledger/voucher.h"
#include "storage/codec.h"

kt_code kt_plan_open(kt_posting_plan **out, kt_error *error) {
    *out = calloc(1, sizeof **out);
    return *out == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
}

void kt_plan_close(kt_posting_plan *plan) {
    if (plan == NULL) return;
    kt_entry_reader_release(&plan->reader);
    free(plan->lines);
    free(plan->weights);
    free(plan);
}

/* ---- form, date and period ---- */

static kt_code refuse_text(kt_str text, size_t most, const char *what, bool code, kt_error *error) {
    if (text.size > most)
        return kt_fail(error, KT_LIMIT, "%s has %zu bytes, at most %zu are kept", what, text.size, most);
    if (!kt_utf8_valid(text.data, text.size))
        return kt_fail(error, KT_INVALID, "%s is not UTF-8 or has a NUL byte", what);
    if (code && kt_utf8_controls(text.data, text.size))
        return kt_fail(error, KT_INVALID, "%s has a control character", what);
    return KT_OK;
}

static inline kt_code check_text(kt_str text, size_t most, const char *what, kt_error *error) {
    if (text.size <= most && kt_ascii_plain(text.data, text.size)) return KT_OK;
    return refuse_text(text, most, what, false, error);
}

/* Names and numbers are shown as they are: no control characters, which a terminal would obey. */
static inline kt_code check_code(kt_str text, size_t most, const char *what, kt_error *error) {
    if (text.size <= most && kt_ascii_plain(text.data, text.size)) return KT_OK;
    return refuse_text(text, most, what, true, error);
}

static kt_code check_form(const kt_entry *entry, kt_error *error) {
    if (entry->line_count == 0) return kt_fail(error, KT_INVALID, "an entry without lines");
    if (entry->line_count > KT_LINES_MAX)
        return kt_fail(error, KT_LIMIT, "an entry of %zu lines, at most %d are kept", entry->line_count, KT_LINES_MAX);
    kt_code code = check_code(entry->series, KT_SERIES_MAX, "the series", error);
    if (code == KT_OK) code = check_code(entry->voucher, KT_VOUCHER_MAX, "the voucher", error);
    if (code == KT_OK) code = check_text(entry->text, KT_TEXT_MAX, "the text", error);
    return code == KT_OK ? check_code(entry->ref, KT_REF_MAX, "the reference", error) : code;
}

static kt_code look_at_day(kt_ledger *ledger, kt_day day, kt_error *error) {
    kt_day_memo *memo = &ledger->memo;
    if (memo->known && memo->day == day) return KT_OK;
    memo->day = day;
    memo->month = kt_day_month(day);
    memo->day_of_month = (uint8_t)(day - kt_month_first(memo->month));
    kt_code code = kt_period_is_closed(ledger, memo->month, &memo->closed, error);
    memo->known = code == KT_OK;
    return code;
}

/* LAW 10. */
static kt_code check_date(kt_ledger *ledger, const kt_entry *entry, kt_error *error) {
    char text[KT_DAY_TEXT];
    if (entry->date < KT_DAY_MIN || entry->date > KT_DAY_MAX)
        return kt_fail(error, KT_INVALID, "the date is out of range");
    kt_code code = look_at_day(ledger, entry->date, error);
    if (code != KT_OK || !ledger->memo.closed) return code;
    kt_day_format(entry->date, text);
    return kt_fail(error, KT_CLOSED, "%s lies in period %.7s, which is closed", text, text);
}

/* ---- a line ---- */

static kt_code not_open(const kt_entry *entry, const kt_account_slot *slot, kt_error *error) {
    char day[KT_DAY_TEXT], limit[KT_DAY_TEXT];
    if (slot->open_from != KT_DAY_NONE && entry->date < slot->open_from)
        return kt_fail(error, KT_CLOSED, "account %.*s opens on %s, the entry is of %s", (int)slot->code_size,
                       kt_account_slot_code(slot), kt_day_format(slot->open_from, limit),
                       kt_day_format(entry->date, day));
    return kt_fail(error, KT_CLOSED, "account %.*s is closed from %s, the entry is of %s", (int)slot->code_size,
                   kt_account_slot_code(slot), kt_day_format(slot->closed_from, limit),
                   kt_day_format(entry->date, day));
}

static kt_code check_account(kt_ledger *ledger, const kt_entry *entry, const kt_line *line, kt_planned_line *out,
                             kt_error *error) {
    if (line->account.size == 0) return kt_fail(error, KT_INVALID, "a line without an account");
    kt_code code = kt_account_slot_find(ledger, line->account, &out->account, error);
    if (code == KT_NOT_FOUND)
        return kt_fail(error, KT_UNKNOWN, "account %.*s is not on record",
                       (int)(line->account.size < 256 ? line->account.size : 256), line->account.data);
    if (code != KT_OK) return code;
    const kt_account_slot *slot = out->account;
    bool early = slot->open_from != KT_DAY_NONE && entry->date < slot->open_from,
         late = slot->closed_from != KT_DAY_NONE && entry->date >= slot->closed_from;
    return early || late ? not_open(entry, slot, error) : KT_OK;
}

/* NULL for the book's own. */
static kt_code find_currency(kt_ledger *ledger, kt_str code, kt_currency_slot **out, kt_error *error) {
    const kt_company_now *now = &ledger->company;
    *out = NULL;
    if (code.size == 0 || (code.size == now->code_size && memcmp(code.data, now->code, code.size) == 0)) return KT_OK;
    kt_code result = kt_currency_slot_find(ledger, code, out, error);
    if (result != KT_NOT_FOUND) return result;
    return kt_fail(error, KT_UNKNOWN,
                   "currency %.*s is not on record and not in ISO 4217: declare it with its decimals",
                   (int)(code.size < 64 ? code.size : 64), code.data);
}

static bool within_limit(kt_amount amount) {
    /* 10^30, kept as the product of two halves, since C has no literal of that size. */
    const kt_amount limit = (kt_amount)1000000000000000 * 1000000000000000;
    if ((int64_t)amount == amount) return true;
    return amount <= limit && amount >= -limit;
}

static kt_code check_written(const kt_ledger *ledger, const kt_line *line, kt_planned_line *out, kt_error *error) {
    uint8_t decimals = out->currency == NULL ? ledger->company.decimals : out->currency->decimals;
    kt_str code = out->currency == NULL ? (kt_str){ledger->company.code, ledger->company.code_size}
                                        : (kt_str){out->currency->code, out->currency->code_size};
    out->amount = line->amount;
    if (line->amount_given > KT_AS_WRITTEN(KT_DECIMALS_MAX))
        return kt_fail(error, KT_INVALID, "an amount is given with %u decimals, at most %d are read",
                       line->amount_given - 1, KT_DECIMALS_MAX);
    if (line->amount_given != 0 &&
        !kt_amount_rescale(line->amount, (uint8_t)(line->amount_given - 1), decimals, KT_ROUND_EXACT, &out->amount)) {
        char text[KT_AMOUNT_TEXT];
        kt_amount_format(line->amount, (uint8_t)(line->amount_given - 1), 0, text);
        if (line->amount_given - 1 <= decimals)
            return kt_fail(error, KT_OVERFLOW, "amount %s %.*s is too large", text, (int)code.size, code.data);
        return kt_fail(error, KT_INVALID, "amount %s has %u decimals, %.*s has %u", text, line->amount_given - 1,
                       (int)code.size, code.data, decimals);
    }
    if (!within_limit(out->amount))
        return kt_fail(error, KT_OVERFLOW, "an amount of %.*s exceeds 10^%d units", (int)code.size, code.data,
                       KT_POSTING_DIGITS);
    return KT_OK;
}

static inline kt_code check_amount(const kt_ledger *ledger, const kt_line *line, kt_planned_line *out,
                                   kt_error *error) {
    out->amount = line->amount;
    if (line->amount_given == 0 && within_limit(line->amount)) return KT_OK;
    return check_written(ledger, line, out, error);
}

static kt_code check_cost(kt_ledger *ledger, const kt_line *line, kt_planned_line *out, kt_currency_slot **weighs,
                          kt_error *error) {
    kt_code code = find_currency(ledger, line->cost_currency, weighs, error);
    if (code != KT_OK) return code;
    if (out->currency == *weighs) return kt_fail(error, KT_INVALID, "a line's cost is in the line's own currency");
    if (out->currency == NULL)
        return kt_fail(error, KT_INVALID,
                       "a line in the book's currency carries a rate: it belongs on the foreign lines");
    uint8_t decimals = *weighs == NULL ? ledger->company.decimals : (*weighs)->decimals;
    out->cost = line->cost;
    if (line->cost_given > KT_AS_WRITTEN(2 * KT_DECIMALS_MAX)) /* a product has the decimals of both its factors */
        return kt_fail(error, KT_INVALID, "a cost is given with %u decimals, at most %d are read", line->cost_given - 1,
                       2 * KT_DECIMALS_MAX);
    if (line->cost_given != 0) {
        uint8_t given = (uint8_t)(line->cost_given - 1);
        if (!kt_amount_rescale(line->cost, given, decimals, KT_ROUND_EXACT, &out->cost)) {
            ledger->plan->rounded = true;
            if (!kt_amount_rescale(line->cost, given, decimals, KT_ROUND_HALF_EVEN, &out->cost))
                return kt_fail(error, KT_OVERFLOW, "a line's cost is too large");
        }
    }
    if (!within_limit(out->cost))
        return kt_fail(error, KT_OVERFLOW, "a line's cost exceeds 10^%d units", KT_POSTING_DIGITS);
    if ((out->cost > 0 && out->amount < 0) || (out->cost < 0 && out->amount > 0))
        return kt_fail(error, KT_INVALID, "a line's cost has another sign than its amount");
    return KT_OK;
}

static kt_code add_weight(kt_posting_plan *plan, kt_currency_slot *currency, kt_amount amount, kt_error *error) {
    size_t i = 0;
    while (i < plan->weight_count && plan->weights[i].currency != currency) i++;
    if (i == plan->weight_count) {
        if (i == plan->weight_room) {
            size_t room = plan->weight_room == 0 ? 8 : plan->weight_room * 2;
            struct kt_weight *grown = realloc(plan->weights, room * sizeof *grown);
            if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
            plan->weights = grown;
            plan->weight_room = room;
        }
        plan->weights[plan->weight_count++] = (struct kt_weight){currency, 0};
    }
    if (__builtin_add_overflow(plan->weights[i].sum, amount, &plan->weights[i].sum))
        return kt_fail(error, KT_OVERFLOW, "the entry's sum exceeds 128 bits");
    return KT_OK;
}

static kt_code wrong_currency(kt_ledger *ledger, const kt_planned_line *line, kt_error *error) {
    const kt_account_slot *slot = line->account;
    kt_account facts = {0};
    kt_str found = line->currency == NULL ? (kt_str){ledger->company.code, ledger->company.code_size}
                                          : (kt_str){line->currency->code, line->currency->code_size};
    kt_code code = kt_account_facts(ledger->state, (kt_str){kt_account_slot_code(slot), slot->code_size}, &facts,
                                    error);
    if (code != KT_OK) return code;
    return kt_fail(error, KT_RULE, "account %.*s takes %.*s only, found %.*s", (int)slot->code_size,
                   kt_account_slot_code(slot), (int)facts.currency.size, facts.currency.data, (int)found.size,
                   found.data);
}

/* What a line has beside account and amount. */
static kt_code check_extras(const kt_line *line, kt_error *error) {
    kt_code code = KT_OK;
    if (line->dimension_count != 0) code = kt_dimension_check(line->dimensions, line->dimension_count, error);
    if (code == KT_OK) code = check_text(line->text, KT_TEXT_MAX, "a line's text", error);
    if (code == KT_OK) code = check_code(line->ref, KT_REF_MAX, "a line's reference", error);
    return code == KT_OK ? check_code(line->tax_code, KT_SERIES_MAX, "a line's tax code", error) : code;
}

static inline bool has_extras(const kt_line *line) {
    return (line->dimension_count | line->text.size | line->ref.size | line->tax_code.size) != 0;
}

static kt_code check_line(kt_ledger *ledger, const kt_entry *entry, const kt_line *line, kt_planned_line *out,
                          kt_error *error) {
    kt_currency_slot *weighs;
    kt_code code = check_account(ledger, entry, line, out, error);
    out->currency = NULL;
    if (code == KT_OK && line->currency.size != 0) code = find_currency(ledger, line->currency, &out->currency, error);
    if (code != KT_OK) return code;
    uint16_t id = out->currency == NULL ? ledger->company.currency : out->currency->id;
    if (out->account->currency != 0 && out->account->currency != id) return wrong_currency(ledger, out, error);
    code = check_amount(ledger, line, out, error);
    weighs = out->currency;
    if (code == KT_OK && line->has_cost) code = check_cost(ledger, line, out, &weighs, error);
    if (code != KT_OK) return code;
    out->weighs = weighs;
    kt_amount weight = line->has_cost ? out->cost : out->amount;
    out->in_book_currency = out->currency == NULL;
    out->has_book = weighs == NULL;
    out->book = weight;
    if (has_extras(line)) code = check_extras(line, error);
    if (code != KT_OK) return code;
    if (weighs != NULL) return add_weight(ledger->plan, weighs, weight, error);
    if (__builtin_add_overflow(ledger->plan->left, weight, &ledger->plan->left))
        return kt_fail(error, KT_OVERFLOW, "the entry's sum exceeds 128 bits");
    return KT_OK;
}

/* ---- balance ---- */

static kt_code unbalanced(kt_ledger *ledger, const kt_entry *entry, const kt_currency_slot *currency, kt_amount off,
                          kt_error *error) {
    const kt_posting_plan *plan = ledger->plan;
    uint8_t decimals = currency == NULL ? ledger->company.decimals : currency->decimals;
    kt_str code = currency == NULL ? (kt_str){ledger->company.code, ledger->company.code_size}
                                   : (kt_str){currency->code, currency->code_size};
    kt_amount debit = 0, credit = 0;
    char debits[KT_AMOUNT_TEXT], credits[KT_AMOUNT_TEXT], offs[KT_AMOUNT_TEXT];
    for (size_t i = 0; i < plan->count; i++) {
        const kt_planned_line *line = &plan->lines[i];
        bool costs = entry->lines[i].has_cost;
        bool here = currency == NULL ? line->has_book
                    : costs          ? kt_str_equal(entry->lines[i].cost_currency, code)
                                     : line->currency == currency;
        if (!here) continue;
        kt_amount weight = costs ? line->cost : line->amount;
        if (weight > 0) debit += weight;
        else credit -= weight;
    }
    kt_amount_format(debit, decimals, 0, debits);
    kt_amount_format(credit, decimals, 0, credits);
    kt_amount_format(off, decimals, 0, offs);
    return kt_fail(error, KT_UNBALANCED, "does not balance: debit %s, credit %s, off by %s %.*s", debits, credits, offs,
                   (int)code.size, code.data);
}

/* LAW 2. */
static kt_code check_balance(kt_ledger *ledger, const kt_entry *entry, kt_error *error) {
    const kt_posting_plan *plan = ledger->plan;
    for (size_t i = 0; i < plan->weight_count; i++)
        if (plan->weights[i].sum != 0)
            return unbalanced(ledger, entry, plan->weights[i].currency, plan->weights[i].sum, error);
    ledger->plan->only_book = true;
    return plan->left == 0 ? KT_OK : unbalanced(ledger, entry, NULL, plan->left, error);
}

/* ---- vouchers and rules ---- */

static kt_code check_voucher(kt_ledger *ledger, const kt_entry *entry, bool repeats, kt_error *error) {
    bool used;
    kt_posting_plan *plan = ledger->plan;
    plan->year = kt_company_year(ledger, entry->date);
    plan->voucher_used = false;
    if (entry->voucher.size == 0) return KT_OK;
    kt_code code = kt_voucher_used(ledger, plan->year, entry->series, entry->voucher, &used, error);
    plan->voucher_used = used;
    if (code != KT_OK || !used || repeats) return code;
    return kt_fail(error, KT_DUPLICATE, "this voucher is used already in series '%.*s' of fiscal year %d",
                   (int)entry->series.size, entry->series.data, plan->year);
}

static struct kt_account_sum *sum_of(const kt_account_slot *slot, uint16_t currency) {
    for (uint16_t i = 0; i < slot->sums->count; i++)
        if (slot->sums->of[i].currency == currency) return &slot->sums->of[i];
    return NULL;
}

static kt_code add_cell(void *context, const kt_run_cell *cell, kt_error *error) {
    kt_account_slot *slot = context;
    struct kt_account_sum *sum = sum_of(slot, cell->key.currency);
    if (sum == NULL) {
        kt_account_sums *sums = slot->sums;
        struct kt_account_sum *grown = realloc(sums->of, (sums->count + 1u) * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        sums->of = grown;
        sum = &sums->of[sums->count++];
        *sum = (struct kt_account_sum){cell->key.currency, 0, 0};
    }
    sum->balance += cell->debit - cell->credit;
    return KT_OK;
}

static kt_code load_balances(kt_ledger *ledger, kt_account_slot *slot, kt_error *error) {
    if (slot->sums != NULL) return KT_OK;
    slot->sums = calloc(1, sizeof *slot->sums);
    if (slot->sums == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_code code = kt_runs_sums(ledger->runs, kt_state_txn(ledger->state), slot->id, add_cell, slot, error);
    if (code == KT_OK) return KT_OK;
    free(slot->sums->of);
    free(slot->sums);
    slot->sums = NULL;
    return code;
}

static uint16_t currency_id(const kt_ledger *ledger, const kt_planned_line *line) {
    return line->currency == NULL ? ledger->company.currency : line->currency->id;
}

/* Where the entry's lines meet the account's balance. A balance that breaks the rule already may still come nearer to it. */
static kt_code check_rule(kt_ledger *ledger, const kt_planned_line *line, kt_error *error) {
    kt_account_slot *slot = line->account;
    const struct kt_account_sum *sum = sum_of(slot, currency_id(ledger, line));
    kt_amount before = sum->balance, after = before + sum->added;
    bool broken = slot->rule == KT_RULE_NOT_NEGATIVE ? after < 0 && after < before : after > 0 && after > before;
    if (!broken) return KT_OK;
    char text[KT_AMOUNT_TEXT];
    kt_amount_format(after, line->currency == NULL ? ledger->company.decimals : line->currency->decimals, 0, text);
    return kt_fail(error, KT_RULE, "account %.*s may not go %s zero: its balance would be %s", (int)slot->code_size,
                   kt_account_slot_code(slot), slot->rule == KT_RULE_NOT_NEGATIVE ? "below" : "above", text);
}

/* A line's part of what the entry adds to its account; a cell of nothing makes the place for it. */
static kt_code add_planned(kt_ledger *ledger, const kt_planned_line *line, kt_error *error) {
    kt_run_cell nothing = {.key = {.currency = currency_id(ledger, line)}};
    kt_code code = load_balances(ledger, line->account, error);
    if (code == KT_OK) code = add_cell(line->account, &nothing, error);
    if (code == KT_OK) sum_of(line->account, nothing.key.currency)->added += line->amount;
    return code;
}

/* One pass adds up, so that a long entry on one account takes no longer than on many. */
static kt_code check_rules(kt_ledger *ledger, kt_error *error) {
    kt_posting_plan *plan = ledger->plan;
    kt_code code = KT_OK;
    bool ruled = false;
    for (size_t i = 0; i < plan->count && code == KT_OK; i++) {
        if (plan->lines[i].account->rule == KT_RULE_NONE) continue;
        ruled = true;
        code = add_planned(ledger, &plan->lines[i], error);
    }
    for (size_t i = 0; ruled && i < plan->count && code == KT_OK; i++)
        if (plan->lines[i].account->rule != KT_RULE_NONE) code = check_rule(ledger, &plan->lines[i], error);
    for (size_t i = 0; ruled && i < plan->count; i++) {
        struct kt_account_sum *sum = plan->lines[i].account->rule == KT_RULE_NONE
                                         ? NULL
                                         : sum_of(plan->lines[i].account, currency_id(ledger, &plan->lines[i]));
        if (sum != NULL) sum->added = 0;
    }
    return code;
}

static kt_code check_reversal(kt_ledger *ledger, const kt_entry *entry, kt_error *error) {
    uint64_t before;
    if (entry->reverses == 0) return KT_OK;
    kt_code code = kt_reversal_of(ledger->state, entry->reverses, &before, error);
    if (code != KT_OK || before == 0) return code;
    return kt_fail(error, KT_RULE, "entry %llu is reversed already, by entry %llu", (unsigned long long)entry->reverses,
                   (unsigned long long)before);
}

/* ---- all of it ---- */

static kt_code check_lines(kt_ledger *ledger, const kt_entry *entry, kt_error *error) {
    kt_posting_plan *plan = ledger->plan;
    if (entry->line_count > plan->room) {
        kt_planned_line *grown = realloc(plan->lines, entry->line_count * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        plan->lines = grown;
        plan->room = entry->line_count;
    }
    kt_code code = kt_accounts_expect(ledger, entry->lines, entry->line_count, error);
    for (size_t i = 0; i < entry->line_count && code == KT_OK; i++) {
        code = check_line(ledger, entry, &entry->lines[i], &plan->lines[i], error);
        plan->count = i + 1;
    }
    return code;
}

/* LAW 12: a refusal begins with where the entry stands. */
kt_code kt_entry_locate(const kt_entry *entry, kt_code code, kt_error *error) {
    if (entry->voucher.size != 0 && entry->voucher.size <= KT_VOUCHER_MAX &&
        kt_utf8_valid(entry->voucher.data, entry->voucher.size))
        kt_fail_at(error, code, "voucher %.*s", (int)entry->voucher.size, entry->voucher.data);
    if (entry->file != NULL) kt_fail_at(error, code, "%s:%zu", entry->file, entry->file_line);
    return code;
}

kt_code kt_entry_check(kt_ledger *ledger, const kt_entry *entry, bool voucher_repeats, kt_error *error) {
    kt_posting_plan *plan = ledger->plan;
    plan->count = plan->weight_count = 0;
    plan->left = 0;
    plan->rounded = plan->only_book = false;
    kt_code code = kt_company_load(ledger, error);
    if (code == KT_OK) code = check_form(entry, error);
    if (code == KT_OK) code = check_date(ledger, entry, error);
    if (code == KT_OK) code = check_lines(ledger, entry, error);
    if (code == KT_OK) code = check_balance(ledger, entry, error);
    if (code == KT_OK) code = check_voucher(ledger, entry, voucher_repeats, error);
    if (code == KT_OK) code = check_rules(ledger, error);
    if (code == KT_OK) code = check_reversal(ledger, entry, error);
    return code == KT_OK ? KT_OK : kt_entry_locate(entry, code, error);
}

static kt_code mark_book_currency(kt_ledger *ledger, kt_error *error) {
    kt_currency_slot *slot;
    kt_code code = kt_currency_slot_find(ledger, (kt_str){ledger->company.code, ledger->company.code_size}, &slot,
                                         error);
    if (code == KT_OK && !slot->posted) code = kt_currency_mark_posted(ledger, slot, error);
    ledger->company.posted = code == KT_OK;
    return code;
}

/* NULL: the book's. */
static kt_code mark_currency(kt_ledger *ledger, kt_currency_slot *currency, kt_error *error) {
    if (currency == NULL) return ledger->company.posted ? KT_OK : mark_book_currency(ledger, error);
    return currency->posted ? KT_OK : kt_currency_mark_posted(ledger, currency, error);
}

kt_code kt_entry_mark(kt_ledger *ledger, kt_error *error) {
    kt_code code = KT_OK;
    for (size_t i = 0; i < ledger->plan->count && code == KT_OK; i++) {
        code = mark_currency(ledger, ledger->plan->lines[i].currency, error);
        if (code == KT_OK) code = mark_currency(ledger, ledger->plan->lines[i].weighs, error);
    }
    return code;
}

static kt_code fold_line(kt_ledger *ledger, const kt_entry *entry, const kt_line *line, kt_planned_line *planned,
                         uint64_t number, uint32_t index, kt_error *error) {
    kt_code code = KT_OK;
    kt_run_key key = {
        .account = planned->account->id, .currency = currency_id(ledger, planned), .month = ledger->memo.month};
    /* Both the line's currency and the one it counts in: their decimals are now in amounts that are stored. */
    code = mark_currency(ledger, planned->currency, error);
    if (code == KT_OK) code = mark_currency(ledger, planned->weighs, error);
    if (code == KT_OK && line->dimension_count != 0)
        code = kt_dimension_set(ledger, line->dimensions, line->dimension_count, &key.dimensions, error);
    if (code != KT_OK) return code;
    kt_run_item item = {.number = number,
                        .line = index,
                        .day = ledger->memo.day_of_month,
                        .minus = entry->minus,
                        .own_book = !planned->in_book_currency,
                        .unvalued = !planned->has_book,
                        .amount = planned->amount,
                        .book = planned->has_book ? planned->book : 0};
    if (planned->account->sums != NULL) {
        kt_run_cell cell = {.key = key, .debit = planned->amount};
        code = add_cell(planned->account, &cell, error);
        if (code != KT_OK) return code;
    }
    return kt_runs_add(ledger->runs, &key, &item, error);
}

kt_code kt_entry_fold(kt_ledger *ledger, const kt_entry *entry, uint64_t number, kt_error *error) {
    kt_posting_plan *plan = ledger->plan;
    kt_totals *totals = &ledger->totals;
    uint8_t seen[8];
    kt_code code = kt_totals_load(ledger->state, totals, error);
    for (size_t i = 0; i < plan->count && code == KT_OK; i++)
        code = fold_line(ledger, entry, &entry->lines[i], &plan->lines[i], number, (uint32_t)i, error);
    if (code == KT_OK && entry->voucher.size != 0 && !plan->voucher_used) kt_voucher_use(ledger);
    if (code == KT_OK && entry->reverses != 0) {
        uint8_t key[8];
        kt_put_be64(key, entry->reverses);
        kt_put_le64(seen, number);
        code = kt_state_put(ledger->state, KT_TABLE_REVERSALS, kt_span_of(key, 8), kt_span_of(seen, 8), error);
    }
    if (code == KT_OK && entry->proposal != 0) code = kt_proposal_carry_out(ledger, entry, number, error);
    totals->changed = true;
    totals->entries++;
    totals->postings += plan->count;
    if (totals->first_day == KT_DAY_NONE || entry->date < totals->first_day) totals->first_day = entry->date;
    if (totals->last_day == KT_DAY_NONE || entry->date > totals->last_day) totals->last_day = entry->date;
    return code;
}
