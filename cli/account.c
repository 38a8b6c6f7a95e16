#include "cli/account.h"

#include <string.h>

#include "cli/chart.h"

#define TYPES "asset liability equity income expense unclassified"

const kt_option kt_account_options[] = {
    {"name", "TEXT", "what it is called", NULL, false, false},
    {"type", "TYPE", "asset, liability, equity, income or expense", TYPES, false, false},
    {"parent", "CODE", "the account above it; none: at the top", NULL, false, false},
    {"currency", "CODE", "take postings in this currency alone; none: any", NULL, false, false},
    {"rule", "RULE", "not-negative, not-positive or none", "none not-negative not-positive", false, false},
    {"open-from", "DATE", "first day that takes postings; none: any", NULL, false, false},
    {"close-from", "DATE", "first day that takes no more; none: open", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

static void apply_text(const kt_arguments *arguments, const char *option, kt_str *to) {
    const char *text = kt_given_value(arguments, option);
    if (text != NULL) *to = strcmp(text, "none") == 0 ? (kt_str){NULL, 0} : kt_str_from(text);
}

static kt_code apply_day(const kt_arguments *arguments, const char *option, kt_day *to, kt_error *error) {
    const char *text = kt_given_value(arguments, option);
    if (text == NULL) return KT_OK;
    if (strcmp(text, "none") == 0) {
        *to = KT_DAY_NONE;
        return KT_OK;
    }
    return kt_option_from(arguments, option, to, error);
}

kt_code kt_account_take_options(const kt_arguments *arguments, kt_account *account, kt_error *error) {
    const char *name = kt_given_value(arguments, "name"), *type = kt_given_value(arguments, "type");
    const char *rule = kt_given_value(arguments, "rule");
    if (name != NULL) account->name = kt_str_from(name);
    if (type != NULL && !kt_account_type_parse(kt_str_from(type), &account->type))
        return kt_fail(error, KT_USAGE, "--type %.40s: expected one of: %s", type, TYPES);
    if (rule != NULL && !kt_rule_parse(kt_str_from(rule), &account->rule))
        return kt_fail(error, KT_USAGE, "--rule %.40s: expected none, not-negative or not-positive", rule);
    apply_text(arguments, "parent", &account->parent);
    apply_text(arguments, "currency", &account->currency);
    kt_code code = apply_day(arguments, "open-from", &account->open_from, error);
    return code != KT_OK ? code : apply_day(arguments, "close-from", &account->closed_from, error);
}

kt_code kt_account_show(kt_style style, const kt_account *accounts, size_t count, bool upright, kt_error *error) {
    enum { CODE, NAME, TYPE, PARENT, CURRENCY, RULE, OPEN, CLOSED, RECORD, COUNT };
    kt_column columns[COUNT] = {
        [CODE] = {"account", "account", KT_CELL_TEXT, false},   [NAME] = {"name", "name", KT_CELL_PROSE, false},
        [TYPE] = {"type", "type", KT_CELL_TEXT, false},         [PARENT] = {"parent", NULL, KT_CELL_TEXT, false},
        [CURRENCY] = {"currency", NULL, KT_CELL_TEXT, false},   [RULE] = {"rule", NULL, KT_CELL_TEXT, false},
        [OPEN] = {"open_from", NULL, KT_CELL_TEXT, false},      [CLOSED] = {"closed_from", NULL, KT_CELL_TEXT, false},
        [RECORD] = {"record", "record", KT_CELL_NUMBER, false},
    };
    /* People see a column where some account has something in it. */
    for (size_t i = 0; i < count; i++) {
        if (accounts[i].parent.size > 0) columns[PARENT].head = "parent";
        if (accounts[i].currency.size > 0) columns[CURRENCY].head = "currency";
        if (accounts[i].rule != KT_RULE_NONE) columns[RULE].head = "rule";
        if (accounts[i].open_from != KT_DAY_NONE) columns[OPEN].head = "open from";
        if (accounts[i].closed_from != KT_DAY_NONE) columns[CLOSED].head = "closed from";
    }
    kt_out *out;
    kt_code code = kt_out_open(style, columns, COUNT, upright, &out, error);
    if (code != KT_OK) return code;
    for (size_t i = 0; code == KT_OK && i < count; i++) {
        const kt_account *account = &accounts[i];
        kt_out_text(out, CODE, account->code);
        kt_out_text(out, NAME, account->name);
        kt_out_words(out, TYPE, kt_account_type_name(account->type));
        kt_out_text(out, PARENT, account->parent);
        kt_out_text(out, CURRENCY, account->currency);
        kt_out_words(out, RULE, kt_rule_name(account->rule));
        kt_out_day(out, OPEN, account->open_from);
        kt_out_day(out, CLOSED, account->closed_from);
        kt_out_count(out, RECORD, account->record);
        code = kt_out_row(out, error);
    }
    kt_code closed = kt_out_close(out, error);
    if (count == 0) kt_say(style, "no accounts\n");
    return code != KT_OK ? code : closed;
}
