/*
 * chart: the report's pictures, as SVG within the page: each a figure with a title and a description for who does not see it,
 * words along its axes, and its figures as a table below it.
 *
 * Places and sizes are whole numbers of a picture 480 units wide, which is near what a phone shows and half of what a desk
 * does, so that letters keep their size. Colours are the style's (two that those who see no red or green tell apart), and
 * nothing is said by colour alone. Laws kept: 8.
 */
#ifndef KT_AUDIT_REPORT_CHART_H
#define KT_AUDIT_REPORT_CHART_H

#include "engine/audit/report_facts.h"
#include "engine/audit/report_html.h"

void kt_chart_months(kt_html *html, const kt_facts *facts);
void kt_chart_week(kt_html *html, const kt_facts *facts);
void kt_chart_types(kt_html *html, const kt_facts *facts);
/* Observed against expected shares of a statistical test's table. */
void kt_chart_digits(kt_html *html, const kt_audit_test *test);

/* value of most, in units of a picture: 0 to units. */
int kt_chart_place(kt_amount value, kt_amount most, int units);
/* Begins <text> of a form: "first", "middle" or "end" of it lies at x. */
void kt_chart_text(kt_html *html, int x, int y, const char *form);

/* Begins a table that may scroll within its own frame where it is too wide; kt_chart_table_end ends it. */
void kt_chart_table(kt_html *html, const char *label, bool stacks);
void kt_chart_table_end(kt_html *html);

#endif
