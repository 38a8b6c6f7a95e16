/* ledger: the report's sections on balances, on who may do what, and on what waits for approval. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/audit/report.h"

static void heads(kt_html *html, const char *const *names, const char *forms, size_t count) {
    kt_html_raw(html, "<thead role=\"rowgroup\"><tr role=\"row\">");
    for (size_t i = 0; i < count; i++)
        kt_html_rawf(html, "<th role=\"columnheader\" scope=\"col\"%s>%s</th>", forms[i] == 'n' ? " class=\"n\"" : "",
                     names[i]);
    kt_html_raw(html, "</tr></thead>");
}

static void amount_cell(kt_html *html, const char *label, kt_amount amount, uint8_t decimals) {
    kt_html_cell(html, "n", label);
    kt_html_amount(html, amount, decimals);
    kt_html_cell_end(html);
}

/* ---- trial balance ---- */

static void account_cell(kt_html *html, const kt_trial_row *row) {
    kt_html_cell(html, "w", "Account");
    kt_html_raw(html, "<span class=\"account\"><b>");
    kt_html_name(html, row->account);
    kt_html_raw(html, "</b> ");
    if (!kt_str_equal(row->account, row->name)) kt_html_name(html, row->name);
    kt_html_raw(html, "</span>");
    kt_html_cell_end(html);
}

/* book: in the book's currency, all rows; else those of other currencies in their own. */
static size_t trial_rows(kt_html *html, const kt_facts *facts, bool book, bool before) {
    size_t shown = 0;
    for (size_t i = 0; i < facts->trial.count && shown < facts->most_rows; i++) {
        const kt_trial_row *row = &facts->trial.rows[i];
        bool own = kt_str_equal(row->currency, facts->company.currency);
        uint8_t decimals = book ? facts->decimals : row->decimals;
        if (!book && own) continue;
        shown++;
        kt_html_raw(html, "<tr role=\"row\">");
        account_cell(html, row);
        if (facts->trial.foreign) {
            kt_html_cell(html, "t", "Currency");
            kt_html_text(html, row->currency);
            kt_html_cell_end(html);
        }
        if (before) amount_cell(html, "Before", book ? row->book_before : row->before, decimals);
        amount_cell(html, "Debit", book ? row->book_debit : row->debit, decimals);
        amount_cell(html, "Credit", book ? row->book_credit : row->credit, decimals);
        amount_cell(html, "Balance", book ? row->book_after : row->after, decimals);
        kt_html_raw(html, "</tr>\n");
    }
    return shown;
}

static void trial_sums(kt_html *html, const kt_facts *facts, bool before) {
    const kt_trial_row *sums = &facts->trial.sums;
    kt_html_raw(html, "</tbody><tfoot role=\"rowgroup\"><tr role=\"row\"><td role=\"cell\" class=\"w\" data-l=\"\">All "
                      "accounts</td>");
    if (facts->trial.foreign) kt_html_raw(html, "<td role=\"cell\" class=\"t\"></td>");
    if (before) amount_cell(html, "Before", sums->book_before, facts->decimals);
    amount_cell(html, "Debit", sums->book_debit, facts->decimals);
    amount_cell(html, "Credit", sums->book_credit, facts->decimals);
    amount_cell(html, "Balance", sums->book_after, facts->decimals);
    kt_html_raw(html, "</tr></tfoot>");
}

static void trial_table(kt_html *html, const kt_facts *facts, bool book) {
    static const char *const names[] = {"Account", "Currency", "Before", "Debit", "Credit", "Balance"};
    const char *some[6];
    char forms[7] = "", span[64], command[120];
    size_t count = 0, rows = facts->trial.count;
    bool before = facts->from != KT_DAY_NONE;
    for (unsigned i = 0; i < 6; i++) {
        if ((i == 1 && !facts->trial.foreign) || (i == 2 && !before)) continue;
        some[count] = names[i];
        forms[count++] = i < 2 ? 't' : 'n';
    }
    kt_chart_table(html, book ? "Trial balance" : "Amounts in other currencies", true);
    heads(html, some, forms, count);
    kt_html_raw(html, "<tbody role=\"rowgroup\">\n");
    size_t shown = trial_rows(html, facts, book, before);
    if (book) trial_sums(html, facts, before);
    else kt_html_raw(html, "</tbody>");
    kt_chart_table_end(html);
    for (size_t i = 0; i < facts->trial.count && !book; i++)
        rows -= kt_str_equal(facts->trial.rows[i].currency, facts->company.currency);
    (void)snprintf(command, sizeof command, "kontor balance%s", kt_facts_span(facts, span));
    kt_report_cut(html, shown, rows, "rows", command);
}

static void trial_notes(kt_html *html, const kt_facts *facts) {
    const kt_trial *trial = &facts->trial;
    kt_html_raw(html, "<p>");
    if (trial->sums.book_debit == trial->sums.book_credit) {
        kt_report_mark(html, KT_MARK_GOOD, "debit and credit are equal");
    } else {
        kt_report_mark(html, KT_MARK_LOOK, "debit and credit differ");
        kt_html_raw(html, " by lines in other currencies whose value in the book's is not known");
    }
    kt_html_raw(html, ", in ");
    kt_html_text(html, facts->company.currency);
    kt_html_raw(html, facts->from != KT_DAY_NONE
                          ? ". Debit and credit are of the period; before and balance are of all days up to it.</p>\n"
                          : ".</p>\n");
    if (trial->sums.unvalued > 0) {
        kt_html_raw(html, "<p class=\"note\">");
        kt_html_counted(html, trial->sums.unvalued, "line carries", "lines carry");
        kt_html_raw(html, " no rate: no value in the book's currency is known, and none is in these totals.</p>\n");
    }
    if (trial->unclassified > 0) {
        kt_html_raw(html, "<p class=\"note\">");
        kt_html_counted(html, trial->unclassified, "account has", "accounts have");
        kt_html_raw(html, " no type (asset, liability, equity, income or expense).</p>\n");
    }
}

void kt_section_trial_balance(kt_html *html, const kt_facts *facts) {
    kt_report_open(html, "balance", "Trial balance");
    if (facts->balances.code != KT_OK) kt_report_missing(html, &facts->balances, "The trial balance");
    else if (facts->trial.count == 0)
        kt_html_raw(html, "<p>There are no postings in this period, and none before it.</p>\n");
    else {
        trial_notes(html, facts);
        trial_table(html, facts, true);
        if (facts->trial.foreign) {
            kt_html_raw(html, "<h3>Amounts in other currencies</h3>\n");
            trial_table(html, facts, false);
        }
        kt_html_raw(html, "<div class=\"figures\">\n");
        kt_chart_types(html, facts);
        kt_html_raw(html, "</div>\n");
    }
    kt_report_close(html);
}

/* ---- actors ---- */

static void limits(kt_html *html, const kt_facts *facts, const kt_limits *limits) {
    const char *between = "";
    if (limits->amount != 0) {
        kt_html_raw(html, "up to ");
        kt_html_amount(html, limits->amount, facts->decimals);
        kt_html_raw(html, " ");
        kt_html_text(html, facts->company.currency);
        between = "; ";
    }
    for (size_t i = 0; i < limits->account_count; i++) {
        const kt_account_range *range = &limits->accounts[i];
        kt_html_raw(html, i > 0 ? ", " : between);
        if (i == 0) kt_html_raw(html, "accounts ");
        kt_html_name(html, range->from);
        if (range->to.size > 0 && !kt_str_equal(range->from, range->to)) {
            kt_html_raw(html, "\xe2\x80\x93");
            kt_html_name(html, range->to);
        }
        between = "; ";
    }
    for (size_t i = 0; i < limits->series_count; i++) {
        kt_html_raw(html, i > 0 ? ", " : between);
        if (i == 0) kt_html_raw(html, "series ");
        kt_html_name(html, limits->series[i]);
        between = "; ";
    }
    if (*between == 0) kt_html_raw(html, "without limit");
}

static void grants_table(kt_html *html, const kt_facts *facts) {
    static const char *const names[] = {"Actor", "Role", "As far as", "Granted by record"};
    const kt_actors *actors = facts->actors;
    kt_chart_table(html, "Roles on record", true);
    heads(html, names, "tttn", 4);
    kt_html_raw(html, "<tbody role=\"rowgroup\">\n");
    size_t shown = actors->grant_count < facts->most_rows ? actors->grant_count : facts->most_rows;
    for (size_t i = 0; i < shown; i++) {
        const kt_grant *grant = &actors->grants[i];
        kt_html_raw(html, "<tr role=\"row\">");
        kt_html_cell(html, "t", "Actor");
        kt_html_name(html, grant->actor);
        kt_html_cell_end(html);
        kt_html_cell(html, "t", "Role");
        kt_html_words(html, kt_role_name(grant->role));
        kt_html_cell_end(html);
        kt_html_cell(html, "w", "As far as");
        limits(html, facts, &grant->limits);
        kt_html_cell_end(html);
        kt_html_cell(html, "n", "Granted by record");
        kt_html_number(html, grant->record);
        kt_html_cell_end(html);
        kt_html_raw(html, "</tr>\n");
    }
    kt_html_raw(html, "</tbody>");
    kt_chart_table_end(html);
    kt_report_cut(html, shown, actors->grant_count, "grants", "kontor actor list");
}

static void keys_table(kt_html *html, const kt_facts *facts) {
    static const char *const names[] = {"Actor", "Key", "From record", "Valid"};
    const kt_actors *actors = facts->actors;
    kt_chart_table(html, "Keys on record", true);
    heads(html, names, "ttnt", 4);
    kt_html_raw(html, "<tbody role=\"rowgroup\">\n");
    size_t shown = actors->key_count < facts->most_rows ? actors->key_count : facts->most_rows;
    for (size_t i = 0; i < shown; i++) {
        const kt_key_facts *key = &actors->keys[i];
        kt_html_raw(html, "<tr role=\"row\">");
        kt_html_cell(html, "t", "Actor");
        kt_html_name(html, key->actor);
        kt_html_cell_end(html);
        kt_html_cell(html, "w", "Key");
        kt_html_raw(html, "<span class=\"hash\">");
        kt_html_hex(html, key->key, KT_KEY_SIZE);
        kt_html_raw(html, "</span>");
        kt_html_cell_end(html);
        kt_html_cell(html, "n", "From record");
        kt_html_number(html, key->from);
        kt_html_cell_end(html);
        kt_html_cell(html, "t", "Valid");
        if (key->until == 0) kt_html_raw(html, "yes");
        else kt_html_rawf(html, "%s by record %" PRIu64, key->revoked ? "revoked" : "rotated out", key->until);
        if (key->reason.size > 0) {
            kt_html_raw(html, ": ");
            kt_html_cut(html, key->reason, 200);
        }
        kt_html_cell_end(html);
        kt_html_raw(html, "</tr>\n");
    }
    kt_html_raw(html, "</tbody>");
    kt_chart_table_end(html);
    kt_report_cut(html, shown, actors->key_count, "keys", "kontor key list");
}

void kt_section_actors(kt_html *html, const kt_facts *facts) {
    kt_report_open(html, "actors", "Who may do what");
    if (facts->actors == NULL) kt_report_missing(html, &facts->people, "The actors");
    else {
        kt_html_raw(html, "<p>Roles, limits and keys are on record, and verification held every batch against what was "
                          "in force when it "
                          "began. Below is what is in force now.</p>\n");
        grants_table(html, facts);
        kt_html_raw(html, "<h3>Keys</h3>\n");
        keys_table(html, facts);
    }
    kt_report_close(html);
}

/* ---- proposals ---- */

static void proposal_row(kt_html *html, const kt_facts *facts, const kt_open_proposal *open) {
    kt_html_raw(html, "<tr role=\"row\">");
    kt_html_cell(html, "n", "Proposal");
    kt_html_number(html, open->proposal.number);
    kt_html_cell_end(html);
    kt_html_cell(html, "t", "Date");
    kt_html_day(html, open->date);
    kt_html_cell_end(html);
    kt_html_cell(html, "t", "Voucher");
    kt_html_words(html, open->series);
    kt_html_raw(html, open->series[0] != 0 && open->voucher[0] != 0 ? " " : "");
    kt_html_words(html, open->voucher);
    kt_html_cell_end(html);
    kt_html_cell(html, "t", "Proposed by");
    kt_html_name(html, open->proposal.proposer);
    kt_html_cell_end(html);
    kt_html_cell(html, "n", "Lines");
    kt_html_count(html, open->lines);
    kt_html_cell_end(html);
    amount_cell(html, "Debit", open->debit, facts->decimals);
    kt_html_raw(html, "</tr>\n");
}

void kt_section_proposals(kt_html *html, const kt_facts *facts) {
    static const char *const names[] = {"Proposal", "Date", "Voucher", "Proposed by", "Lines", "Debit"};
    kt_report_open(html, "proposals", "Open proposals");
    if (facts->people.code != KT_OK) kt_report_missing(html, &facts->people, "The proposals");
    else {
        kt_html_raw(html, "<p>");
        if (facts->proposal_count == 0) kt_html_raw(html, "None waits for approval. ");
        else {
            kt_html_counted(html, facts->proposal_count, "entry waits", "entries wait");
            kt_html_raw(html, " for a second person's approval, and are in no balance. ");
        }
        kt_html_counted(html, facts->decided_proposals, "was decided before", "were decided before");
        kt_html_raw(html, ".</p>\n");
    }
    if (facts->people.code == KT_OK && facts->proposal_count > 0) {
        size_t shown = facts->proposal_count < facts->most_rows ? facts->proposal_count : facts->most_rows;
        kt_chart_table(html, "Open proposals", true);
        heads(html, names, "ntttnn", 6);
        kt_html_raw(html, "<tbody role=\"rowgroup\">\n");
        for (size_t i = 0; i < shown; i++) proposal_row(html, facts, &facts->proposals[i]);
        kt_html_raw(html, "</tbody>");
        kt_chart_table_end(html);
        kt_report_cut(html, shown, facts->proposal_count, "proposals", "kontor proposals");
    }
    kt_report_close(html);
}
