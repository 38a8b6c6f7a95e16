#include "engine/ledger/form.h"

#include <stdlib.h>

#include "engine/ledger/company.h"
#include "engine/ledger/currency.h"

void kt_form_release(kt_form *form) {
    free(form->lines);
    *form = (kt_form){0};
}

/* Copies the entry's lines into the form (where they are not already) with room for one more. */
static kt_code own_lines(kt_form *form, kt_entry *entry, kt_error *error) {
    bool ours = entry->lines == form->lines;
    if (entry->line_count + 1 > form->room) {
        kt_line *grown = realloc(form->lines, (entry->line_count + 1) * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        form->lines = grown;
        form->room = entry->line_count + 1;
    }
    if (!ours) memcpy(form->lines, entry->lines, entry->line_count * sizeof *entry->lines);
    entry->lines = form->lines;
    return KT_OK;
}

static bool is_book(const kt_ledger *ledger, kt_str currency) {
    return currency.size == 0 || kt_str_equal(currency, (kt_str){ledger->company.code, ledger->company.code_size});
}

static bool is_turned_line(const kt_ledger *ledger, const kt_line *line) {
    return line->has_cost && is_book(ledger, line->currency) && !is_book(ledger, line->cost_currency);
}

bool kt_form_is_simple(const kt_entry *entry) {
    size_t more = 0;
    for (size_t i = 0; i < entry->line_count; i++) {
        const kt_line *line = &entry->lines[i];
        more |= line->currency.size | line->amount_given | (line->has_cost ? 1u : 0u);
    }
    return more == 0;
}

bool kt_form_is_turned(const kt_ledger *ledger, const kt_entry *entry) {
    for (size_t i = 0; i < entry->line_count; i++)
        if (is_turned_line(ledger, &entry->lines[i])) return true;
    return false;
}

static bool rescale(kt_amount amount, uint8_t given, uint8_t decimals, kt_amount *out) {
    if (given == 0) {
        *out = amount;
        return true;
    }
    return kt_amount_rescale(amount, (uint8_t)(given - 1), decimals, KT_ROUND_HALF_EVEN, out);
}

/* To KT_DECIMALS_MAX decimals, however it is given, so that lines can be weighed against each other. */
static bool weigh(const kt_line *line, uint8_t decimals, kt_amount *out) {
    uint8_t given = line->amount_given == 0 ? KT_AS_WRITTEN(decimals) : line->amount_given;
    return rescale(line->amount, given, KT_DECIMALS_MAX, out);
}

/* The lines of `currency` without a rate share what the turned lines came to. */
static kt_code hand_over(kt_form *form, kt_ledger *ledger, size_t count, kt_str currency, kt_amount total,
                         kt_error *error) {
    kt_amount weight = 0, scaled, left = total;
    size_t last = count;
    kt_currency_slot *slot = NULL;
    kt_code code = kt_currency_slot_find(ledger, currency, &slot, error);
    if (code != KT_OK && code != KT_NOT_FOUND) return code;
    uint8_t decimals = code == KT_OK ? slot->decimals : 0; /* the check refuses one that is not on record */
    for (size_t i = 0; i < count; i++) {
        if (form->lines[i].has_cost || !kt_str_equal(form->lines[i].currency, currency)) continue;
        if (!weigh(&form->lines[i], decimals, &scaled) || __builtin_add_overflow(weight, scaled, &weight))
            return kt_fail(error, KT_OVERFLOW, "the entry's sum exceeds 128 bits");
        last = i;
    }
    if (last == count || weight == 0)
        return kt_fail(error, KT_UNBALANCED, "no lines in %.*s take the rate", (int)currency.size, currency.data);
    for (size_t i = 0; i <= last; i++) {
        kt_line *line = &form->lines[i];
        if (line->has_cost || !kt_str_equal(line->currency, currency)) continue;
        kt_amount share = left;
        if (i != last &&
            (!weigh(line, decimals, &scaled) || !kt_amount_ratio(total, scaled, weight, KT_ROUND_HALF_EVEN, &share)))
            return kt_fail(error, KT_OVERFLOW, "the entry's sum exceeds 128 bits");
        line->has_cost = true;
        line->cost = share;
        line->cost_given = 0;
        line->cost_currency = (kt_str){NULL, 0};
        if (__builtin_sub_overflow(left, share, &left))
            return kt_fail(error, KT_OVERFLOW, "the entry's sum exceeds 128 bits");
    }
    return KT_OK;
}

kt_code kt_form_turn(kt_form *form, kt_ledger *ledger, kt_entry *entry, kt_error *error) {
    kt_code code = own_lines(form, entry, error);
    for (size_t i = 0; i < entry->line_count && code == KT_OK; i++) {
        if (!is_turned_line(ledger, &form->lines[i])) continue;
        kt_str currency = form->lines[i].cost_currency;
        kt_amount total = 0, amount;
        for (size_t k = i; k < entry->line_count; k++) {
            kt_line *line = &form->lines[k];
            if (!is_turned_line(ledger, line) || !kt_str_equal(line->cost_currency, currency)) continue;
            if (!rescale(line->amount, line->amount_given, ledger->company.decimals, &amount))
                return kt_fail(error, KT_OVERFLOW, "an amount is too large");
            if (__builtin_sub_overflow(total, amount, &total))
                return kt_fail(error, KT_OVERFLOW, "the entry's sum exceeds 128 bits");
            line->has_cost = false;
            line->cost = 0;
            line->cost_currency = (kt_str){NULL, 0};
        }
        code = hand_over(form, ledger, entry->line_count, currency, total, error);
    }
    return code;
}

kt_code kt_form_round(kt_form *form, kt_entry *entry, kt_str account, kt_amount left, kt_error *error) {
    kt_code code = own_lines(form, entry, error);
    if (code == KT_OK) form->lines[entry->line_count++] = (kt_line){.amount = -left, .account = account};
    return code;
}

kt_code kt_form_settle(kt_form *form, const kt_ledger *ledger, kt_entry *entry, kt_error *error) {
    const kt_posting_plan *plan = ledger->plan;
    bool settled = true;
    for (size_t i = 0; i < entry->line_count && settled; i++) {
        const kt_line *line = &entry->lines[i];
        settled = line->amount_given == 0 && line->cost_given == 0 &&
                  (line->currency.size == 0 || plan->lines[i].currency != NULL) &&
                  (!line->has_cost || line->cost_currency.size == 0 || !is_book(ledger, line->cost_currency));
    }
    if (settled) return KT_OK;
    kt_code code = own_lines(form, entry, error);
    for (size_t i = 0; i < entry->line_count && code == KT_OK; i++) {
        kt_line *line = &form->lines[i];
        line->amount = plan->lines[i].amount;
        line->amount_given = line->cost_given = 0;
        if (plan->lines[i].currency == NULL) line->currency = (kt_str){NULL, 0};
        if (!line->has_cost) continue;
        line->cost = plan->lines[i].cost;
        if (is_book(ledger, line->cost_currency)) line->cost_currency = (kt_str){NULL, 0};
    }
    return code;
}

/* What a rate leaves over goes to the rounding account, a smallest unit for each rate at the most. */
static kt_code round_off(kt_form *form, kt_ledger *ledger, kt_entry *entry, kt_str account, kt_error *error) {
    kt_amount left = ledger->plan->left, most = 0;
    for (size_t i = 0; i < entry->line_count; i++) most += entry->lines[i].has_cost;
    if (account.size == 0 || !ledger->plan->only_book || left > most || -left > most) return KT_UNBALANCED;
    return kt_form_round(form, entry, account, left, error);
}

kt_code kt_form_check(kt_form *form, kt_ledger *ledger, kt_entry *entry, kt_str rounding_account, bool voucher_repeats,
                      kt_error *error) {
    kt_code code = kt_company_load(ledger, error);
    bool few = entry->line_count <= KT_LINES_MAX; /* more are refused before one is read */
    if (code == KT_OK && few && kt_form_is_turned(ledger, entry)) code = kt_form_turn(form, ledger, entry, error);
    if (code == KT_OK) code = kt_entry_check(ledger, entry, voucher_repeats, error);
    if (code == KT_UNBALANCED) {
        kt_code rounded = round_off(form, ledger, entry, rounding_account, error);
        if (rounded == KT_OK) code = kt_entry_check(ledger, entry, voucher_repeats, error);
        else if (rounded != KT_UNBALANCED) code = rounded;
    }
    return code == KT_OK ? kt_form_settle(form, ledger, entry, error) : code;
}
