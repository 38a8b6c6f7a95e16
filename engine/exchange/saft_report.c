/* saft_report: kt_saft_examine, which holds what a SAF-T file says of itself against what its transactions add up to. */
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/saft.h"
#include "engine/exchange/source.h"

typedef struct report { /* what is handed out, and what it borrows from */
    kt_saft_report out;
    kt_saft_facts facts;
} report;

void kt_saft_report_free(kt_saft_report *handed) {
    if (!handed) return;
    report *whole = (report *)(void *)handed;
    kt_saft_facts_release(&whole->facts);
    free(handed->accounts);
    free(whole);
}

static uint8_t most_decimals(const kt_saft_facts *facts) {
    uint8_t most = facts->debit.decimals > facts->credit.decimals ? facts->debit.decimals : facts->credit.decimals;
    if (facts->debit_said.decimals > most) most = facts->debit_said.decimals;
    if (facts->credit_said.decimals > most) most = facts->credit_said.decimals;
    for (size_t i = 0; i < facts->row_count; i++) {
        const kt_saft_row *row = &facts->rows[i];
        if (row->opening.decimals > most) most = row->opening.decimals;
        if (row->closing.decimals > most) most = row->closing.decimals;
    }
    int currency = kt_iso4217_decimals(facts->currency, strlen(facts->currency));
    return currency > most ? (uint8_t)currency : most;
}

static bool bring(kt_saft_sum sum, uint8_t decimals, kt_amount *out) {
    return kt_amount_rescale(sum.units, sum.decimals, decimals, KT_ROUND_EXACT, out);
}

static bool fill_account(kt_saft_report *out, const kt_saft_row *row, kt_saft_account *account) {
    *account = (kt_saft_account){.code = row->code, .name = row->name, .type = row->type, .declared = row->declared};
    kt_amount sum;
    bool fine = bring(row->opening, out->decimals, &account->opening) &&
                bring(row->closing, out->decimals, &account->closing) &&
                bring(row->debit, out->decimals, &account->debit) &&
                bring(row->credit, out->decimals, &account->credit) &&
                kt_amount_add(account->opening, account->debit, &sum) && kt_amount_add(sum, -account->credit, &sum) &&
                kt_amount_add(sum, -account->closing, &account->difference) &&
                kt_amount_add(out->openings, account->opening, &out->openings) &&
                kt_amount_add(out->closings, account->closing, &out->closings);
    out->not_rolling += account->difference != 0;
    out->not_declared += !row->declared;
    return fine;
}

static kt_code fill(report *whole, kt_error *error) {
    kt_saft_report *out = &whole->out;
    const kt_saft_facts *facts = &whole->facts;
    out->country = facts->danish ? "DK" : "NO";
    out->version = facts->version;
    out->software = facts->software;
    out->company = facts->company;
    out->company_number = facts->company_number;
    out->currency = facts->currency;
    out->from = facts->from;
    out->to = facts->to;
    out->decimals = most_decimals(facts);
    out->entries = facts->entries;
    out->lines = facts->lines;
    out->says_entries = facts->says_entries;
    out->says_debit = facts->says_debit;
    out->says_credit = facts->says_credit;
    out->entries_said = facts->entries_said;
    out->outside = facts->outside;
    out->turned = facts->turned;
    out->analyses_left_out = facts->analyses_left_out;
    out->parties_left_out = facts->parties_left_out;
    out->taxes_left_out = facts->taxes_left_out;
    for (unsigned d = 0; d <= KT_DIMENSIONS_MAX; d++) out->analyses[d] = facts->analyses[d];
    out->accounts = calloc(facts->row_count ? facts->row_count : 1, sizeof *out->accounts);
    if (!out->accounts) return kt_fail(error, KT_MEMORY, "no memory for a report");
    out->account_count = facts->row_count;
    bool fine = bring(facts->debit, out->decimals, &out->debit) && bring(facts->credit, out->decimals, &out->credit) &&
                bring(facts->debit_said, out->decimals, &out->debit_said) &&
                bring(facts->credit_said, out->decimals, &out->credit_said);
    for (size_t i = 0; i < facts->row_count && fine; i++) fine = fill_account(out, &facts->rows[i], &out->accounts[i]);
    return fine ? KT_OK : kt_fail(error, KT_OVERFLOW, "the file's sums are beyond what can be counted");
}

static kt_code read_all(const kt_source *source, void (*refused)(void *, const kt_error *), void *context,
                        report *whole, kt_error *error) {
    kt_format_options none = {0};
    void *reader;
    kt_error why;
    kt_code code = kt_format_saft.open(source, &none, &reader, error);
    if (code != KT_OK) return code;
    for (;;) {
        kt_item item;
        code = kt_format_saft.next(reader, &item, &why);
        if (code == KT_OK) continue;
        if (code == KT_END || !item.can_go_on) break;
        whole->out.refused++;
        if (refused) refused(context, &why);
    }
    if (code == KT_END) {
        kt_saft_facts *facts = kt_saft_facts_of(reader);
        whole->facts = *facts; /* with what it holds */
        kt_saft_facts_init(facts);
        code = KT_OK;
    } else if (error) *error = why;
    kt_format_saft.close(reader);
    return code;
}

kt_code kt_saft_examine(const char *path, void (*refused)(void *context, const kt_error *why), void *context,
                        kt_saft_report **out, kt_error *error) {
    kt_source_file *file = NULL;
    *out = NULL;
    report *whole = calloc(1, sizeof *whole);
    if (!whole) return kt_fail(error, KT_MEMORY, "%s: no memory", path);
    kt_code code = kt_source_open(path, &file, error);
    if (code == KT_OK) code = read_all(kt_source_of(file), refused, context, whole, error);
    if (code == KT_OK) code = fill(whole, error);
    kt_source_close(file);
    if (code == KT_OK) *out = &whole->out;
    else kt_saft_report_free(&whole->out);
    return code;
}
