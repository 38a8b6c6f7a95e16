#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/actor.h"

typedef struct terms {
    kt_limits limits;
    kt_account_range ranges[KT_LIMIT_RANGES_MAX];
    kt_str series[KT_LIMIT_SERIES_MAX];
} terms;

kt_code kt_word_role(const char *text, kt_role *out, kt_error *error) {
    if (kt_role_parse(kt_str_from(text), out)) return KT_OK;
    return kt_fail(error, KT_USAGE, "there is no role %.40s; expected one of: " KT_ROLE_WORDS, text);
}

/* In the book's currency, to its smallest unit. */
static kt_code take_limit(const kt_arguments *arguments, kt_book *book, kt_amount *out, kt_error *error) {
    const char *text = kt_given_value(arguments, "limit");
    kt_view *view = NULL;
    kt_company company;
    kt_currency currency;
    uint8_t decimals = 0;
    if (text == NULL) return KT_OK;
    kt_code code = kt_view_open(book, NULL, &view, error);
    if (code == KT_OK) code = kt_view_company(view, KT_DAY_MAX, &company, error);
    if (code == KT_OK) code = kt_view_currency(view, company.currency, &currency, error);
    if (code == KT_OK && (kt_number_parse(text, strlen(text), '.', '\0', out, &decimals) != KT_NUMBER_OK || *out <= 0 ||
                          !kt_amount_rescale(*out, decimals, currency.decimals, KT_ROUND_EXACT, out)))
        code = kt_fail(error, KT_USAGE, "--limit %.60s: expected an amount above zero in %.*s, as 10000.00", text,
                       (int)company.currency.size, company.currency.data);
    kt_view_close(view);
    return code;
}

static kt_code take_terms(const kt_arguments *arguments, terms *out, kt_error *error) {
    const char *text;
    for (size_t n = 0; (text = kt_given_nth(arguments, "accounts", n)) != NULL; n++) {
        if (n == KT_LIMIT_RANGES_MAX)
            return kt_fail(error, KT_USAGE, "--accounts: more than %d ranges", KT_LIMIT_RANGES_MAX);
        const char *dash = strchr(text, '-');
        size_t size = dash == NULL ? strlen(text) : (size_t)(dash - text);
        out->ranges[n] = (kt_account_range){{text, size}, kt_str_from(dash == NULL ? NULL : dash + 1)};
        if (size == 0 || (dash != NULL && dash[1] == '\0'))
            return kt_fail(error, KT_USAGE, "--accounts %.60s: expected a code, or FROM-TO as 4000-4999", text);
    }
    for (size_t n = 0; (text = kt_given_nth(arguments, "series", n)) != NULL; n++) {
        if (n == KT_LIMIT_SERIES_MAX)
            return kt_fail(error, KT_USAGE, "--series: more than %d series", KT_LIMIT_SERIES_MAX);
        out->series[n] = kt_str_from(text);
        out->limits.series_count = n + 1;
    }
    while (kt_given_nth(arguments, "accounts", out->limits.account_count) != NULL) out->limits.account_count++;
    out->limits.accounts = out->ranges;
    out->limits.series = out->series;
    return KT_OK;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    terms given = {0};
    kt_role role;
    char what[200];
    kt_code code = kt_word_role(arguments->words[1], &role, error);
    if (code == KT_OK) code = take_terms(arguments, &given, error);
    if (code == KT_OK) code = kt_writing_open(arguments, &writing, error);
    if (code == KT_OK) code = take_limit(arguments, writing.book, &given.limits.amount, error);
    if (code == KT_OK)
        code = kt_batch_actor_grant(writing.batch, kt_str_from(arguments->words[0]), role, &given.limits, error);
    if (code == KT_OK) {
        (void)snprintf(what, sizeof(what), "actor %.64s is %s", arguments->words[0], kt_role_name(role));
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

static const kt_option options[] = {
    {"limit", "AMOUNT", "of one entry, in the book's currency; what lies above it can only be proposed", NULL, false,
     false},
    {"accounts", "FROM-TO", "only entries whose every line lies between these codes; may be repeated", NULL, false,
     true},
    {"series", "S", "only entries of this series; may be repeated", NULL, false, true},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_actor_grant = {
    .name = "actor",
    .verb = "grant",
    .words = "ID ROLE",
    .least = 2,
    .most = 2,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "give an actor a role, or the same one with other limits",
    .about =
        "clerk posts and proposes; controller approves, closes months and keeps the registers; payroll runs payroll;\n"
        "staff keeps people's records; auditor only reads; admin keeps actors, keys and the company's facts; owner\n"
        "may do everything. Nobody grants to himself. It counts behind the batch that says it.",
    .options = options,
    .example = "kontor actor grant anna clerk --limit 10000 --accounts 4000-5999 --series A",
    .run = run,
};
