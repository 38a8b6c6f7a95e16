/* tests: the report's sections on when entries were made, and on what each test examined and points at. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/audit/report.h"

void kt_section_activity(kt_html *html, const kt_facts *facts) {
    kt_report_open(html, "activity", "When entries were made");
    if (facts->audit == NULL) kt_report_missing(html, &facts->tests, "The entries");
    else if (facts->audit->population.entries == 0) kt_html_raw(html, "<p>There are no entries in this period.</p>\n");
    else {
        kt_html_raw(html, "<div class=\"figures\">\n");
        kt_chart_months(html, facts);
        kt_chart_week(html, facts);
        kt_html_raw(html, "</div>\n");
    }
    kt_report_close(html);
}

/* ---- the population ---- */

static void side(kt_html *html, const kt_audit_population *population, const char *name, uint64_t lines,
                 kt_amount debit, kt_amount credit) {
    kt_html_rawf(html, "<tr role=\"row\"><td role=\"cell\" class=\"w\" data-l=\"\">%s</td>", name);
    kt_html_cell(html, "n", "Lines");
    kt_html_count(html, lines);
    kt_html_cell_end(html);
    kt_html_cell(html, "n", "Debit");
    kt_html_amount(html, debit, population->decimals);
    kt_html_cell_end(html);
    kt_html_cell(html, "n", "Credit");
    kt_html_amount(html, credit, population->decimals);
    kt_html_cell_end(html);
    kt_html_raw(html, "</tr>\n");
}

static void population(kt_html *html, const kt_audit *audit) {
    const kt_audit_population *all = &audit->population;
    kt_html_raw(html, "<h3>Population</h3>\n<p>Every test looked at all ");
    kt_html_counted(html, all->entries, "entry", "entries");
    kt_html_raw(html, " of the period, or says what it took of them. They are held against the trial balance, which is "
                      "kept apart from "
                      "the entries: ");
    kt_report_mark(html, all->reconciled ? KT_MARK_GOOD : KT_MARK_WRONG, all->reconciled ? "reconciled" : "not equal");
    kt_html_raw(html, ".</p>\n");
    kt_chart_table(html, "Population held against the trial balance", true);
    kt_html_raw(html,
                "<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">From</th><th "
                "role=\"columnheader\" "
                "scope=\"col\" class=\"n\">Lines</th><th role=\"columnheader\" scope=\"col\" class=\"n\">Debit</th><th "
                "role=\"columnheader\" scope=\"col\" class=\"n\">Credit</th></tr></thead><tbody role=\"rowgroup\">\n");
    side(html, all, "Entries examined", all->lines, all->debit, all->credit);
    side(html, all, "Trial balance", all->trial_lines, all->trial_debit, all->trial_credit);
    kt_html_raw(html, "</tbody><tfoot role=\"rowgroup\">\n");
    uint64_t off = all->lines > all->trial_lines ? all->lines - all->trial_lines : all->trial_lines - all->lines;
    side(html, all, "Difference", off, all->debit_off, all->credit_off);
    kt_html_raw(html, "</tfoot>");
    kt_chart_table_end(html);
    if (all->unvalued > 0) {
        kt_html_raw(html, "<p class=\"note\">");
        kt_html_counted(html, all->unvalued, "line has", "lines have");
        kt_html_raw(html, " no amount in the book's currency, and count in no sum.</p>\n");
    }
}

/* ---- findings ---- */

struct shape { /* which columns a test's findings fill */
    bool entry, other, date, account, counter, voucher, amount;
};

static struct shape shape_of(const kt_audit_test *test) {
    struct shape shape = {0};
    for (size_t i = 0; i < test->finding_count; i++) {
        const kt_audit_finding *finding = &test->findings[i];
        shape.entry |= finding->entry != 0;
        shape.other |= finding->other != 0;
        shape.date |= finding->date != KT_DAY_NONE;
        shape.account |= finding->account.size != 0;
        shape.counter |= finding->counter.size != 0;
        shape.voucher |= finding->voucher.size != 0 || finding->series.size != 0;
        shape.amount |= finding->has_amount;
    }
    return shape;
}

static void head(kt_html *html, bool there, const char *form, const char *name) {
    if (there) kt_html_rawf(html, "<th role=\"columnheader\" scope=\"col\" class=\"%s\">%s</th>", form, name);
}

static void heads(kt_html *html, const struct shape *shape) {
    kt_html_raw(html, "<thead role=\"rowgroup\"><tr role=\"row\">");
    head(html, shape->entry, "n", "Entry");
    head(html, shape->other, "n", "See also");
    head(html, shape->date, "t", "Date");
    head(html, shape->date, "t", "Recorded");
    head(html, shape->voucher, "t", "Voucher");
    head(html, shape->account || shape->counter, "t", "Account");
    head(html, shape->amount, "n", "Amount");
    head(html, true, "t", "Why");
    kt_html_raw(html, "</tr></thead><tbody role=\"rowgroup\">\n");
}

static void number_cell(kt_html *html, bool there, const char *label, uint64_t number) {
    if (!there) return;
    kt_html_cell(html, "n", label);
    if (number != 0) kt_html_number(html, number);
    kt_html_cell_end(html);
}

static void account_cell(kt_html *html, const kt_audit_finding *finding) {
    kt_html_cell(html, "t", "Account");
    kt_html_name(html, finding->account);
    if (finding->counter.size > 0) {
        kt_html_raw(html, finding->account.size > 0 ? " / " : "/ ");
        kt_html_name(html, finding->counter);
    }
    kt_html_cell_end(html);
}

static void amount_cell(kt_html *html, const kt_facts *facts, const kt_audit_finding *finding) {
    kt_html_cell(html, "n", "Amount");
    if (finding->has_amount) {
        if (finding->currency.size > 0 && !kt_str_equal(finding->currency, facts->company.currency)) {
            kt_html_text(html, finding->currency);
            kt_html_raw(html, " ");
        }
        kt_html_amount(html, finding->amount, finding->decimals);
    }
    kt_html_cell_end(html);
}

static void finding_row(kt_html *html, const kt_facts *facts, const kt_audit_finding *finding,
                        const struct shape *shape) {
    kt_html_raw(html, "<tr role=\"row\">");
    number_cell(html, shape->entry, "Entry", finding->entry);
    number_cell(html, shape->other, "See also", finding->other);
    if (shape->date) {
        kt_html_cell(html, "t d", "Date");
        kt_html_day(html, finding->date);
        kt_html_cell_end(html);
        kt_html_cell(html, "t d", "Recorded");
        kt_html_local(html, facts->zone, finding->recorded_us);
        kt_html_cell_end(html);
    }
    if (shape->voucher) {
        kt_html_cell(html, "t", "Voucher");
        kt_html_text(html, finding->series);
        kt_html_raw(html, finding->series.size > 0 && finding->voucher.size > 0 ? " " : "");
        kt_html_text(html, finding->voucher);
        kt_html_cell_end(html);
    }
    if (shape->account || shape->counter) account_cell(html, finding);
    if (shape->amount) amount_cell(html, facts, finding);
    kt_html_cell(html, "w", "Why");
    kt_html_cut(html, finding->why, 600);
    kt_html_cell_end(html);
    kt_html_raw(html, "</tr>\n");
}

static void findings(kt_html *html, const kt_facts *facts, const kt_audit_test *test) {
    char command[160], span[64], label[120];
    if (test->finding_count == 0) return;
    struct shape shape = shape_of(test);
    (void)snprintf(label, sizeof label, "Findings: %s", test->about->title);
    kt_chart_table(html, label, true);
    heads(html, &shape);
    for (size_t i = 0; i < test->finding_count; i++) finding_row(html, facts, &test->findings[i], &shape);
    kt_html_raw(html, "</tbody>");
    kt_chart_table_end(html);
    (void)snprintf(command, sizeof command, "kontor audit %s%s --limit %" PRIu64, test->about->name,
                   kt_facts_span(facts, span), test->flagged);
    kt_report_cut(html, test->finding_count, test->flagged, "findings", command);
}

/* ---- statistics ---- */

static void statistics(kt_html *html, const kt_audit_table *table) {
    if (table->bin_count == 0) return;
    kt_html_raw(html, "<dl class=\"facts small\">\n");
    kt_report_fact(html, "Amounts");
    kt_html_count(html, table->count);
    kt_report_fact_end(html);
    if (table->freedom != 0) {
        kt_report_fact(html, "Chi-square");
        kt_html_share(html, table->chi_square, 2);
        kt_html_rawf(html, " with %u degrees of freedom", table->freedom);
        if (table->critical_5_percent != 0) {
            kt_html_raw(html, "; critical at 5 %: ");
            kt_html_share(html, table->critical_5_percent, 2);
            kt_html_raw(html, ", at 1 %: ");
            kt_html_share(html, table->critical_1_percent, 2);
        }
        kt_report_fact_end(html);
    }
    kt_report_fact(html, "Mean absolute deviation");
    kt_html_share(html, table->mad, 5);
    if (table->limits[2] != 0) {
        kt_html_raw(html, " (close to ");
        kt_html_share(html, table->limits[0], 4);
        kt_html_raw(html, ", acceptable to ");
        kt_html_share(html, table->limits[1], 4);
        kt_html_raw(html, ", marginal to ");
        kt_html_share(html, table->limits[2], 4);
        kt_html_raw(html, ")");
    }
    kt_report_fact_end(html);
    if (table->conformity != KT_AUDIT_NO_VERDICT) {
        kt_report_fact(html, "Conformity (Nigrini)");
        kt_html_words(html, kt_audit_conformity_name(table->conformity));
        kt_report_fact_end(html);
    }
    kt_html_raw(html, "</dl>\n");
}

/* ---- a test ---- */

static void parameters(kt_html *html, const kt_audit *audit, const kt_audit_test *test) {
    kt_html_raw(html, "<dl class=\"facts small\">\n");
    kt_report_fact(html, "Examined");
    kt_html_text(html, test->examined);
    kt_report_fact_end(html);
    kt_report_fact(html, "Population");
    kt_html_words(html,
                  audit->population.reconciled ? "reconciled to the trial balance" : "not equal to the trial balance");
    kt_report_fact_end(html);
    for (size_t i = 0; i < test->parameter_count; i++) {
        kt_report_fact(html, test->parameters[i].name);
        kt_html_text(html, test->parameters[i].value);
        kt_report_fact_end(html);
    }
    kt_report_fact(html, "Rests on");
    kt_html_words(html, test->about->criterion);
    kt_report_fact_end(html);
    kt_html_raw(html, "</dl>\n");
}

static void one(kt_html *html, const kt_facts *facts, const kt_audit_test *test) {
    kt_html_rawf(html, "<article id=\"test-%s\"><h3>%s</h3>\n<p class=\"verdict\">", test->about->name,
                 test->about->title);
    kt_report_test_status(html, test);
    if (test->flagged > 0) {
        kt_html_raw(html, ": ");
        kt_html_counted(html, test->flagged, "finding", "findings");
    }
    kt_html_raw(html, "</p>\n<p>");
    kt_html_words(html, test->about->asks);
    kt_html_raw(html, "</p>\n");
    parameters(html, facts->audit, test);
    if (test->note.size > 0) {
        kt_html_raw(html, "<p class=\"note\">");
        kt_html_text(html, test->note);
        kt_html_raw(html, "</p>\n");
    }
    statistics(html, &test->table);
    if (test->table.bin_count != 0 && test->table.count != 0) {
        kt_html_raw(html, "<div class=\"figures\">\n");
        kt_chart_digits(html, test);
        kt_html_raw(html, "</div>\n");
    }
    findings(html, facts, test);
    kt_html_raw(html, "</article>\n");
}

void kt_section_tests(kt_html *html, const kt_facts *facts) {
    kt_report_open(html, "tests", "Tests");
    if (facts->audit == NULL) kt_report_missing(html, &facts->tests, "The entries");
    else {
        population(html, facts->audit);
        for (size_t i = 0; i < facts->audit->test_count; i++) one(html, facts, &facts->audit->tests[i]);
    }
    kt_report_close(html);
}
