/* draw: the other half of report_chart.h: balances by type, and digits observed against digits expected. */
#include <inttypes.h>

#include "engine/audit/report_chart.h"

#define WIDTH 480
#define ONE KT_AUDIT_ONE

/* ---- balances by type ---- */

static const struct {
    kt_account_type type;
    const char *name;
} types[6] = {{KT_ASSET, "Assets"},  {KT_LIABILITY, "Liabilities"}, {KT_EQUITY, "Equity"},
              {KT_INCOME, "Income"}, {KT_EXPENSE, "Expenses"},      {KT_UNCLASSIFIED, "Accounts without a type"}};

static bool is_shown(const kt_trial *trial, unsigned i) {
    return types[i].type != KT_UNCLASSIFIED || trial->unclassified != 0;
}

static void draw_types(kt_html *html, const kt_facts *facts, kt_amount debit, kt_amount credit, int height) {
    int zero = 4 + kt_chart_place(credit, debit + credit, WIDTH - 8), y = 8;
    if (debit + credit == 0) zero = WIDTH / 2;
    for (unsigned i = 0; i < 6; i++) {
        kt_amount amount = facts->trial.by_type[types[i].type];
        if (!is_shown(&facts->trial, i)) continue;
        int size = kt_chart_place(amount < 0 ? -amount : amount, debit + credit, WIDTH - 8);
        if (size == 0 && amount != 0) size = 1;
        kt_chart_text(html, 4, y + 12, "first");
        kt_html_words(html, types[i].name);
        kt_html_raw(html, "</text>\n");
        kt_chart_text(html, WIDTH - 4, y + 12, "end strong");
        kt_html_plain_amount(html, amount, facts->decimals);
        kt_html_raw(html, "</text>\n");
        kt_html_rawf(html, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"14\"/>\n",
                     amount < 0 ? "two" : "one", amount < 0 ? zero - size : zero, y + 19, size);
        y += 44;
    }
    kt_html_rawf(html, "<path class=\"axis\" d=\"M%d 22V%d\"/>\n", zero, y + 4);
    kt_chart_text(html, 4, height - 8, "first");
    kt_html_raw(html, "\xe2\x86\x90 credit</text>\n");
    kt_chart_text(html, zero < 90 ? 90 : zero > WIDTH - 90 ? WIDTH - 90 : zero, height - 8, "middle");
    kt_html_raw(html, "0</text>\n");
    kt_chart_text(html, WIDTH - 4, height - 8, "end");
    kt_html_raw(html, "debit \xe2\x86\x92</text>\n");
}

void kt_chart_types(kt_html *html, const kt_facts *facts) {
    const kt_trial *trial = &facts->trial;
    kt_amount debit = 0, credit = 0;
    int height = 40 + 44 * (trial->unclassified != 0 ? 6 : 5);
    if (trial->count == 0) return;
    for (unsigned i = 0; i < 6; i++) {
        if (trial->by_type[i] > debit) debit = trial->by_type[i];
        if (-trial->by_type[i] > credit) credit = -trial->by_type[i];
    }
    kt_html_rawf(html, "<figure id=\"figure-types\"><figcaption>Balances by type of account, debit less credit, in ");
    kt_html_text(html, facts->company.currency);
    kt_html_rawf(
        html,
        "</figcaption>\n<svg role=\"img\" viewBox=\"0 0 %d %d\" aria-labelledby=\"types-title types-desc\"><title "
        "id=\"types-title\">Balances by type of account</title><desc id=\"types-desc\">",
        WIDTH, height);
    kt_html_raw(html,
                "A bar for each type of account: to the right of zero where debits exceed credits, to the left where "
                "credits exceed debits. The amounts stand beside their names.</desc>\n");
    draw_types(html, facts, debit, credit, height);
    kt_html_raw(html, "</svg>\n<details><summary>The figures of this picture</summary>\n");
    kt_chart_table(html, "Balances by type of account", false);
    kt_html_raw(
        html, "<thead><tr><th scope=\"col\">Type</th><th scope=\"col\" class=\"n\">Balance</th></tr></thead><tbody>\n");
    for (unsigned i = 0; i < 6; i++) {
        if (!is_shown(trial, i)) continue;
        kt_html_rawf(html, "<tr><th scope=\"row\">%s</th><td class=\"n\">", types[i].name);
        kt_html_amount(html, trial->by_type[types[i].type], facts->decimals);
        kt_html_raw(html, "</td></tr>\n");
    }
    kt_html_raw(html, "</tbody>");
    kt_chart_table_end(html);
    kt_html_raw(html, "</details></figure>\n");
}

/* ---- digits ---- */

#define LEFT 50
#define RIGHT 472
#define TOP 32
#define BOTTOM 214
#define HEIGHT 290

/* In tenths of a percent, so that steps are whole. */
static int64_t share_step(int64_t top) {
    static const int64_t steps[] = {1, 2, 5, 10, 20, 50, 100, 200};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (top <= steps[i] * 5 * (ONE / 1000)) return steps[i] * (ONE / 1000);
    return ONE / 5;
}

static void digits_name(kt_html *html, const kt_audit_table *table, const kt_audit_bin *bin) {
    kt_html_rawf(html, table->bin_count == 100 ? "%02" PRIu32 : "%" PRIu32, bin->digits);
}

static void draw_shares(kt_html *html, int64_t step, int64_t top) {
    for (int64_t at = 0; at <= top; at += step) {
        int y = BOTTOM - kt_chart_place(at, top, BOTTOM - TOP);
        kt_html_rawf(html, "<path class=\"%s\" d=\"M%d %dH%d\"/>\n", at == 0 ? "axis" : "grid", LEFT, y, RIGHT);
        kt_chart_text(html, LEFT - 6, y + 5, "end");
        kt_html_share(html, at * 100, step < ONE / 100 ? 1 : 0);
        kt_html_raw(html, "</text>\n");
    }
}

static int middle_of(size_t i, size_t count) { return LEFT + ((int)i * 2 + 1) * (RIGHT - LEFT) / ((int)count * 2); }

static void draw_observed(kt_html *html, const kt_audit_table *table, int64_t top) {
    int room = (RIGHT - LEFT) / (int)table->bin_count, width = room > 6 ? room * 3 / 5 : room > 2 ? room - 1 : room;
    for (size_t i = 0; i < table->bin_count; i++) {
        const kt_audit_bin *bin = &table->bins[i];
        int x = middle_of(i, table->bin_count), height = kt_chart_place(bin->share, top, BOTTOM - TOP);
        kt_html_raw(html, "<g><title>");
        digits_name(html, table, bin);
        kt_html_raw(html, ": observed ");
        kt_html_share(html, bin->share * 100, 2);
        kt_html_raw(html, " %, expected ");
        kt_html_share(html, bin->expected * 100, 2);
        kt_html_rawf(html, " %%</title><rect class=\"one\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/></g>\n",
                     x - width / 2, BOTTOM - height, width, height);
        int expected = kt_chart_place(bin->expected, top, BOTTOM - TOP), higher = height > expected ? height : expected;
        if (bin->flagged) kt_html_rawf(html, "<path class=\"flag\" d=\"M%d %dl4 -7h-8z\"/>\n", x, BOTTOM - higher - 7);
        if (table->bin_count > 9 && bin->digits % 10 != 0) continue;
        kt_chart_text(html, x, BOTTOM + 19, "middle");
        digits_name(html, table, bin);
        kt_html_raw(html, "</text>\n");
    }
}

static void draw_expected(kt_html *html, const kt_audit_table *table, int64_t top) {
    kt_html_raw(html, "<path class=\"line\" d=\"");
    for (size_t i = 0; i < table->bin_count; i++)
        kt_html_rawf(html, "%s%d %d", i == 0 ? "M" : "L", middle_of(i, table->bin_count),
                     BOTTOM - kt_chart_place(table->bins[i].expected, top, BOTTOM - TOP));
    kt_html_raw(html, "\"/>\n");
    for (size_t i = 0; i < table->bin_count && table->bin_count < 10; i++)
        kt_html_rawf(html, "<circle class=\"dot\" cx=\"%d\" cy=\"%d\" r=\"4\"/>\n", middle_of(i, table->bin_count),
                     BOTTOM - kt_chart_place(table->bins[i].expected, top, BOTTOM - TOP));
}

static void draw_digits_legend(kt_html *html, const kt_audit_table *table, bool flagged) {
    kt_html_rawf(html, "<rect class=\"one\" x=\"%d\" y=\"%d\" width=\"14\" height=\"12\"/>\n", LEFT, HEIGHT - 20);
    kt_chart_text(html, LEFT + 20, HEIGHT - 9, "first");
    kt_html_raw(html, "observed</text>\n");
    kt_html_rawf(html, "<path class=\"line\" d=\"M%d %dh22\"/><circle class=\"dot\" cx=\"%d\" cy=\"%d\" r=\"4\"/>\n",
                 LEFT + 100, HEIGHT - 14, LEFT + 111, HEIGHT - 14);
    kt_chart_text(html, LEFT + 128, HEIGHT - 9, "first");
    kt_html_raw(html, "expected</text>\n");
    if (!flagged) return;
    kt_html_rawf(html, "<path class=\"flag\" d=\"M%d %dl4 -7h-8z\"/>\n", LEFT + 212, HEIGHT - 10);
    kt_chart_text(html, LEFT + 222, HEIGHT - 9, "first");
    kt_html_raw(html, table->freedom != 0 ? "beyond chance at 1 %</text>\n" : "pointed at</text>\n");
}

static void digits_table(kt_html *html, const kt_audit_table *table) {
    kt_html_rawf(html, "</svg>\n<details%s><summary>The figures of this picture</summary>\n",
                 table->bin_count <= 9 ? "" : " class=\"long\"");
    kt_chart_table(html, "Observed and expected shares", false);
    kt_html_raw(html,
                "<thead><tr><th scope=\"col\">Digits</th><th scope=\"col\" class=\"n\">Observed</th><th scope=\"col\" "
                "class=\"n\">Share %</th><th scope=\"col\" class=\"n\">Expected %</th><th scope=\"col\" "
                "class=\"n\">Deviation %</th><th scope=\"col\">");
    kt_html_raw(html, table->freedom != 0 ? "Beyond chance" : "Pointed at");
    kt_html_raw(html, "</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < table->bin_count; i++) {
        const kt_audit_bin *bin = &table->bins[i];
        kt_html_raw(html, "<tr><th scope=\"row\">");
        digits_name(html, table, bin);
        kt_html_raw(html, "</th><td class=\"n\">");
        kt_html_count(html, bin->observed);
        kt_html_raw(html, "</td><td class=\"n\">");
        kt_html_share(html, bin->share * 100, 3);
        kt_html_raw(html, "</td><td class=\"n\">");
        kt_html_share(html, bin->expected * 100, 3);
        kt_html_raw(html, "</td><td class=\"n\">");
        kt_html_share(html, bin->deviation * 100, 3);
        kt_html_raw(html, bin->flagged ? "</td><td>yes</td></tr>\n" : "</td><td></td></tr>\n");
    }
    kt_html_raw(html, "</tbody>");
    kt_chart_table_end(html);
    kt_html_raw(html, "</details></figure>\n");
}

void kt_chart_digits(kt_html *html, const kt_audit_test *test) {
    const kt_audit_table *table = &test->table;
    const char *name = test->about->name; /* ours */
    int64_t top = 0;
    bool flagged = false;
    if (table->bin_count == 0 || table->count == 0) return;
    for (size_t i = 0; i < table->bin_count; i++) {
        if (table->bins[i].share > top) top = table->bins[i].share;
        if (table->bins[i].expected > top) top = table->bins[i].expected;
        flagged = flagged || table->bins[i].flagged;
    }
    int64_t step = share_step(top);
    top = (top + step - 1) / step * step;
    kt_html_rawf(
        html,
        "<figure id=\"figure-%s\"><figcaption>Observed against expected shares</figcaption>\n<svg role=\"img\" "
        "viewBox=\"0 0 %d %d\" aria-labelledby=\"%s-title %s-desc\"><title id=\"%s-title\">%s: observed against "
        "expected "
        "shares</title><desc id=\"%s-desc\">",
        name, WIDTH, HEIGHT, name, name, name, test->about->title, name);
    kt_html_raw(html, "Bars are the observed shares of ");
    kt_html_counted(html, table->count, "amount", "amounts");
    kt_html_raw(html, ", the line the expected ones. The table below has the figures.</desc>\n");
    draw_shares(html, step, top);
    draw_observed(html, table, top);
    draw_expected(html, table, top);
    kt_chart_text(html, 4, 16, "first");
    kt_html_raw(html, "Share of amounts, %</text>\n");
    kt_chart_text(html, (LEFT + RIGHT) / 2, BOTTOM + 40, "middle");
    kt_html_raw(html, table->bin_count == 100 ? "Last digits"
                      : table->bin_count == 9 ? "First digit"
                                              : "First two digits");
    kt_html_raw(html, "</text>\n");
    draw_digits_legend(html, table, flagged);
    digits_table(html, table);
}
