/*
 * chart: charts of accounts to choose from, and rules for account types.
 *
 * A chart is a CSV file with the columns code, name, type and perhaps parent, currency, rule. It is checked whole
 * before anything is made of it, and its accounts are given with parents before children.
 * Lifetime: kt_chart_read .. kt_chart_release.
 */
#ifndef KT_CLI_CHART_H
#define KT_CLI_CHART_H

#include "cli/sheet.h"
#include "engine/kontor.h"

typedef struct kt_chart {
    kt_sheet sheet;
    kt_account *accounts; /* parents first */
    size_t *lines;        /* where each stands in the file */
    size_t count;
} kt_chart;

/* name: a path, or the name of a chart that came with the program ("dk"). KT_NOT_FOUND says where it was looked for. */
kt_code kt_chart_read(const char *name, kt_chart *out, kt_error *error);
void kt_chart_release(kt_chart *chart);

/* "not-negative", "not-positive", "none". */
bool kt_rule_parse(kt_str name, kt_balance_rule *out);
const char *kt_rule_name(kt_balance_rule rule);

typedef struct kt_rules {
    kt_sheet sheet;
    kt_type_rule *rules;
    size_t count;
} kt_rules;

/* A CSV file with the columns prefix and type. */
kt_code kt_rules_read(const char *path, kt_rules *out, kt_error *error);
void kt_rules_release(kt_rules *rules);

#endif
