#include "cli/chart.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef KT_DATA_DIR
#define KT_DATA_DIR "/usr/local/share/kontor"
#endif

bool kt_rule_parse(kt_str name, kt_balance_rule *out) {
    static const struct {
        const char *name;
        kt_balance_rule rule;
    } rules[] = {
        {"", KT_RULE_NONE},
        {"none", KT_RULE_NONE},
        {"not-negative", KT_RULE_NOT_NEGATIVE},
        {"not_negative", KT_RULE_NOT_NEGATIVE},
        {"not-positive", KT_RULE_NOT_POSITIVE},
        {"not_positive", KT_RULE_NOT_POSITIVE},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
        if (kt_str_equal(name, kt_str_from(rules[i].name))) {
            *out = rules[i].rule;
            return true;
        }
    return false;
}

const char *kt_rule_name(kt_balance_rule rule) {
    switch (rule) {
    case KT_RULE_NOT_NEGATIVE: return "not-negative";
    case KT_RULE_NOT_POSITIVE: return "not-positive";
    default: return "";
    }
}

/* Where the program lies: its checkout or installation. */
static bool program_directory(char out[PATH_MAX]) {
    ssize_t size = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (size <= 0) return false;
    out[size] = '\0';
    char *slash = strrchr(out, '/');
    if (slash == NULL) return false;
    *slash = '\0';
    return true;
}

static bool is_file(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

static bool try_root(const char *root, const char *name, char out[PATH_MAX]) {
    static const char *const folders[] = {"charts", "fixtures/charts"}, *const endings[] = {".csv", ""};
    for (size_t i = 0; i < 4; i++) {
        int size = snprintf(out, PATH_MAX, "%s/%s/%s%s", root, folders[i / 2], name, endings[i % 2]);
        if (size > 0 && size < PATH_MAX && is_file(out)) return true;
    }
    return false;
}

/* A path as it is, else a name: beside KONTOR_DATA, the program's checkout, its installation. */
static kt_code find_chart(const char *name, char out[PATH_MAX], kt_error *error) {
    char program[PATH_MAX], up[PATH_MAX];
    const char *data = getenv("KONTOR_DATA");
    struct stat about;
    if (stat(name, &about) == 0 || strchr(name, '/') != NULL) {
        int size = snprintf(out, PATH_MAX, "%s", name);
        return size < PATH_MAX ? KT_OK : kt_fail(error, KT_LIMIT, "chart %.60s...: the path is too long", name);
    }
    if (data != NULL && data[0] != '\0' && try_root(data, name, out)) return KT_OK;
    if (program_directory(program)) {
        int size = snprintf(up, sizeof(up), "%s/..", program);
        if (size > 0 && size < (int)sizeof(up) && try_root(up, name, out)) return KT_OK;
        size = snprintf(up, sizeof(up), "%s/../share/kontor", program);
        if (size > 0 && size < (int)sizeof(up) && try_root(up, name, out)) return KT_OK;
        if (try_root(program, name, out)) return KT_OK;
    }
    if (try_root(KT_DATA_DIR, name, out)) return KT_OK;
    return kt_fail(error, KT_NOT_FOUND, "chart %.100s: neither a file nor a chart in %s/charts", name,
                   data != NULL && data[0] != '\0' ? data : KT_DATA_DIR);
}

enum { CODE, NAME, TYPE, PARENT, CURRENCY, RULE };

static kt_code read_account(const kt_sheet *sheet, const kt_sheet_row *row, kt_account *out, kt_error *error) {
    *out = (kt_account){
        .code = row->cells[CODE],
        .name = row->cells[NAME],
        .parent = row->cells[PARENT],
        .currency = row->cells[CURRENCY],
        .open_from = KT_DAY_NONE,
        .closed_from = KT_DAY_NONE,
    };
    if (out->code.size == 0)
        return kt_fail(error, KT_INVALID, "%s:%zu: an account without a code", sheet->path, row->line);
    if (out->code.size > KT_ACCOUNT_CODE_MAX)
        return kt_fail(error, KT_LIMIT, "%s:%zu: account code of %zu bytes, at most %d", sheet->path, row->line,
                       out->code.size, KT_ACCOUNT_CODE_MAX);
    kt_str type = row->cells[TYPE];
    if (!kt_account_type_parse(type, &out->type))
        return kt_fail(error, KT_INVALID,
                       "%s:%zu: account %.*s: type \"%.*s\", expected asset, liability, equity, income or expense",
                       sheet->path, row->line, (int)out->code.size, out->code.data,
                       (int)(type.size > 40 ? 40 : type.size), type.size == 0 ? "" : type.data);
    kt_str rule = row->cells[RULE];
    if (!kt_rule_parse(rule, &out->rule))
        return kt_fail(error, KT_INVALID, "%s:%zu: account %.*s: rule \"%.*s\", expected not-negative or not-positive",
                       sheet->path, row->line, (int)out->code.size, out->code.data,
                       (int)(rule.size > 40 ? 40 : rule.size), rule.data);
    return KT_OK;
}

/* Accounts by code, to find parents and doubles: indexes into the sheet's rows. */
typedef struct sorted {
    kt_str code;
    size_t index;
} sorted;

static int by_code(const void *left, const void *right) {
    const sorted *a = left, *b = right;
    size_t least = a->code.size < b->code.size ? a->code.size : b->code.size;
    int order = memcmp(a->code.data, b->code.data, least);
    if (order != 0) return order;
    if (a->code.size != b->code.size) return a->code.size < b->code.size ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static const sorted *look_up(const sorted *codes, size_t count, kt_str code) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        sorted key = {code, 0};
        if (by_code(&codes[middle], &key) < 0) low = middle + 1;
        else high = middle;
    }
    return low < count && kt_str_equal(codes[low].code, code) ? &codes[low] : NULL;
}

/* Takes an account and, before it, those above it. depth stops a circle of parents. */
static kt_code take(kt_chart *chart, const kt_account *read, const sorted *codes, bool *taken, size_t index,
                    size_t depth, kt_error *error) {
    const kt_sheet *sheet = &chart->sheet;
    const kt_account *account = &read[index];
    if (taken[index]) return KT_OK;
    if (depth > 64)
        return kt_fail(error, KT_INVALID,
                       "%s:%zu: account %.*s: its parents go round in a circle, or more than 64 deep", sheet->path,
                       sheet->rows[index].line, (int)account->code.size, account->code.data);
    if (account->parent.size > 0) {
        const sorted *parent = look_up(codes, sheet->count, account->parent);
        if (parent == NULL)
            return kt_fail(error, KT_UNKNOWN, "%s:%zu: account %.*s: its parent %.*s is not in the chart", sheet->path,
                           sheet->rows[index].line, (int)account->code.size, account->code.data,
                           (int)(account->parent.size > 100 ? 100 : account->parent.size), account->parent.data);
        kt_code code = take(chart, read, codes, taken, parent->index, depth + 1, error);
        if (code != KT_OK) return code;
    }
    taken[index] = true;
    chart->accounts[chart->count] = *account;
    chart->lines[chart->count++] = sheet->rows[index].line;
    return KT_OK;
}

static kt_code order_accounts(kt_chart *chart, const kt_account *read, sorted *codes, bool *taken, kt_error *error) {
    const kt_sheet *sheet = &chart->sheet;
    kt_code code = KT_OK;
    for (size_t i = 0; i < sheet->count; i++) codes[i] = (sorted){read[i].code, i};
    qsort(codes, sheet->count, sizeof(*codes), by_code);
    for (size_t i = 1; i < sheet->count; i++)
        if (kt_str_equal(codes[i - 1].code, codes[i].code))
            return kt_fail(error, KT_DUPLICATE, "%s:%zu: account %.*s stands in line %zu too", sheet->path,
                           sheet->rows[codes[i].index].line, (int)codes[i].code.size, codes[i].code.data,
                           sheet->rows[codes[i - 1].index].line);
    for (size_t i = 0; code == KT_OK && i < sheet->count; i++) code = take(chart, read, codes, taken, i, 0, error);
    return code;
}

kt_code kt_chart_read(const char *name, kt_chart *out, kt_error *error) {
    static const char *const columns[] = {"code", "name", "type", "parent", "currency", "rule", NULL};
    char path[PATH_MAX];
    *out = (kt_chart){0};
    kt_code code = find_chart(name, path, error);
    if (code == KT_OK) code = kt_sheet_read(path, columns, 3, &out->sheet, error);
    out->sheet.path = name;
    if (code != KT_OK) return code;
    size_t count = out->sheet.count, room = count == 0 ? 1 : count;
    kt_account *read = calloc(room, sizeof(*read));
    sorted *codes = calloc(room, sizeof(*codes));
    bool *taken = calloc(room, sizeof(*taken));
    out->accounts = calloc(room, sizeof(*out->accounts));
    out->lines = calloc(room, sizeof(*out->lines));
    if (read == NULL || codes == NULL || taken == NULL || out->accounts == NULL || out->lines == NULL)
        code = kt_fail(error, KT_MEMORY, "%s: no memory", name);
    for (size_t i = 0; code == KT_OK && i < count; i++)
        code = read_account(&out->sheet, &out->sheet.rows[i], &read[i], error);
    if (code == KT_OK) code = order_accounts(out, read, codes, taken, error);
    free(read);
    free(codes);
    free(taken);
    return code;
}

void kt_chart_release(kt_chart *chart) {
    free(chart->accounts);
    free(chart->lines);
    kt_sheet_release(&chart->sheet);
    *chart = (kt_chart){0};
}

kt_code kt_rules_read(const char *path, kt_rules *out, kt_error *error) {
    static const char *const columns[] = {"prefix", "type", NULL};
    *out = (kt_rules){0};
    kt_code code = kt_sheet_read(path, columns, 2, &out->sheet, error);
    if (code != KT_OK) return code;
    out->rules = calloc(out->sheet.count + 1, sizeof(*out->rules));
    if (out->rules == NULL) return kt_fail(error, KT_MEMORY, "%s: no memory", path);
    for (size_t i = 0; i < out->sheet.count; i++) {
        const kt_sheet_row *row = &out->sheet.rows[i];
        kt_type_rule *rule = &out->rules[i];
        rule->prefix = row->cells[0];
        if (rule->prefix.size == 0 || !kt_account_type_parse(row->cells[1], &rule->type))
            return kt_fail(error, KT_INVALID,
                           "%s:%zu: expected a prefix and asset, liability, equity, income or expense", path,
                           row->line);
        out->count++;
    }
    return KT_OK;
}

void kt_rules_release(kt_rules *rules) {
    free(rules->rules);
    kt_sheet_release(&rules->sheet);
    *rules = (kt_rules){0};
}
