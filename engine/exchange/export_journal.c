/*
 * export_journal: kt_export_journal, a journal that ledger 3 and hledger both read, with the same balances in each.
 *
 *     commodity "X-1"                          every currency in use
 *     account Assets:Bank account              every account on record, with its type for hledger (A L E R X)
 *         ; type: A
 *     2026-01-31 (ref) Text
 *         ; series: A                          voucher, series, reverses, minus: in comments
 *         ; voucher: 17
 *         Assets:Bank account  -12.50 EUR @@ 93.25 DKK  ; the line's text
 *             ; cost_centre: north             and what else the line has
 *
 * Amounts have all decimals of their currency. In comments both programs look for tags, dates and expressions, so that
 * a text which holds a ':' or '[' or control characters stands as a JSON string with those escaped; one longer than
 * PIECE is cut into several such strings, since ledger reads lines of at most 4,095 bytes.
 *
 * Refused, since one of the two would read something else or nothing: names of accounts with two blanks in a row,
 * other than plain blanks, empty parts between colons, or a beginning that means something (virtual postings, marks,
 * comments, `assert`); names of currencies with `"`, `;` or `\`, and s, m, h (ledger's units of time); days before
 * 1400; a cost for an amount of zero.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/export.h"
#include "engine/exchange/text.h"

#define PIECE 600
#define FIRST_YEAR 1400

/* ---- Names -------------------------------------------------------------------------------------- */

/* A blank of Unicode's, which hledger takes for one, or a control character. */
static bool has_strange_blank(kt_str text) {
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c[3] = {0};
        for (size_t k = 0; k < 3 && i + k < text.size; k++) c[k] = (unsigned char)text.data[i + k];
        if (c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] <= 0xa0)) return true;
        if ((c[0] == 0xe1 && c[1] == 0x9a && c[2] == 0x80) || (c[0] == 0xe3 && c[1] == 0x80 && c[2] == 0x80))
            return true;
        if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] <= 0x8b || c[2] == 0xa8 || c[2] == 0xa9 || c[2] == 0xaf)) return true;
        if (c[0] == 0xe2 && c[1] == 0x81 && c[2] == 0x9f) return true;
    }
    return false;
}

static bool begins(kt_str text, const char *with) {
    size_t size = strlen(with);
    return text.size >= size && memcmp(text.data, with, size) == 0;
}

/* Why the two programs would not read the name as it is; NULL: they do. */
static const char *account_fault(kt_str name) {
    if (name.size == 0 || kt_text_trim(name).size != name.size) return "begins or ends with a blank";
    if (has_strange_blank(name)) return "has a blank other than the plain one";
    if (strchr(";#%|*!([<{@=~&\"'", name.data[0])) return "begins with a character that has a meaning";
    if (begins(name, "assert ") || begins(name, "check ") || begins(name, "expr ")) return "begins with a directive";
    if (name.data[0] == ':' || name.data[name.size - 1] == ':') return "has an empty part at a colon";
    for (size_t i = 0; i + 1 < name.size; i++) {
        char a = name.data[i], b = name.data[i + 1];
        if (a == ' ' && b == ' ') return "has two blanks in a row";
        if (a == ' ' && b == ';') return "has a ';' behind a blank";
        if (a == ':' && b == ':') return "has an empty part at a colon";
        if ((a == ':' && b == ' ') || (a == ' ' && b == ':')) return "has a blank beside a colon";
    }
    return NULL;
}

static const char *currency_fault(kt_str code) {
    if (kt_text_trim(code).size != code.size || has_strange_blank(code)) return "has blanks at an end or strange ones";
    if (code.size == 1 && strchr("smh", code.data[0])) return "is a unit of time to ledger";
    for (size_t i = 0; i < code.size; i++)
        if (strchr("\";\\", code.data[i])) return "has a '\"', ';' or '\\'";
    return NULL;
}

static kt_code refuse_name(const kt_entry_view *view, size_t line, const char *what, kt_str name, const char *fault,
                           kt_error *error) {
    char shown[KT_SHOWN];
    if (!fault) return KT_OK;
    return kt_fail(error, KT_UNSUPPORTED,
                   "entry %llu, line %zu: the name of %s '%s' %s, which ledger and hledger do not both read as it is",
                   (unsigned long long)view->number, line + 1, what, kt_text_show(name, shown), fault);
}

/* Bare where it is nothing but capitals; so no word of theirs is met. */
static void put_currency(kt_pen *pen, kt_str code) {
    bool bare = code.size > 0;
    for (size_t i = 0; i < code.size && bare; i++) bare = code.data[i] >= 'A' && code.data[i] <= 'Z';
    if (!bare) kt_pen_put(pen, "\"", 1);
    kt_pen_text(pen, code);
    if (!bare) kt_pen_put(pen, "\"", 1);
}

/* ---- What comes first --------------------------------------------------------------------------- */

static kt_code put_currencies(kt_exporter *exporter, kt_error *error) {
    kt_currency *currencies;
    size_t count;
    kt_code code = kt_view_currencies(exporter->view, &currencies, &count, error);
    if (code != KT_OK) return code;
    for (size_t i = 0; i < count; i++) {
        if (currency_fault(currencies[i].code)) continue; /* refused where a line has it */
        kt_pen_words(&exporter->pen, "commodity ");
        put_currency(&exporter->pen, currencies[i].code);
        kt_pen_put(&exporter->pen, "\n", 1);
    }
    free(currencies);
    return code;
}

static kt_code begin(kt_exporter *exporter, kt_error *error) {
    static const char *const types[] = {NULL, "A", "L", "E", "R", "X"};
    kt_account *accounts;
    size_t count;
    kt_pen *pen = &exporter->pen;
    kt_code code = put_currencies(exporter, error);
    if (code == KT_OK) code = kt_view_accounts(exporter->view, &accounts, &count, error);
    if (code != KT_OK) return code;
    for (size_t i = 0; i < count; i++) {
        if (account_fault(accounts[i].code)) continue; /* refused where a line has it */
        kt_pen_words(pen, "account ");
        kt_pen_text(pen, accounts[i].code);
        kt_pen_put(pen, "\n", 1);
        if (accounts[i].type == KT_UNCLASSIFIED || accounts[i].type > KT_EXPENSE) continue;
        kt_pen_words(pen, "    ; type: ");
        kt_pen_words(pen, types[accounts[i].type]);
        kt_pen_put(pen, "\n", 1);
    }
    free(accounts);
    return code;
}

/* ---- Comments ----------------------------------------------------------------------------------- */

static bool is_plain(kt_str text, const char *without) {
    if (text.size == 0 || text.size > PIECE || text.data[0] == '"' || kt_text_trim(text).size != text.size)
        return false;
    if (has_strange_blank(text)) return false;
    for (size_t i = 0; i < text.size; i++)
        if (strchr(without, text.data[i])) return false;
    return true;
}

/* "    ; key: value", in several lines where it is long. */
static void put_comment(kt_pen *pen, const char *indent, const char *key, kt_str value) {
    if (is_plain(value, ":[]")) {
        kt_pen_words(pen, indent);
        kt_pen_words(pen, key);
        kt_pen_text(pen, value);
        kt_pen_put(pen, "\n", 1);
        return;
    }
    for (size_t at = 0; at < value.size;) {
        size_t size = value.size - at < PIECE ? value.size - at : PIECE;
        while (at + size < value.size && ((unsigned char)value.data[at + size] & 0xc0) == 0x80) size--;
        kt_pen_words(pen, indent);
        kt_pen_words(pen, key);
        kt_pen_string(pen, (kt_str){value.data + at, size}, ":[]");
        kt_pen_put(pen, "\n", 1);
        at += size;
    }
}

static void put_line_comments(kt_pen *pen, const kt_line *line, bool text_written) {
    static const char indent[] = "        ; ";
    if (!text_written) put_comment(pen, indent, "text: ", line->text);
    put_comment(pen, indent, "ref: ", line->ref);
    put_comment(pen, indent, "tax_code: ", line->tax_code);
    for (uint8_t d = 0; d < line->dimension_count; d++) {
        static const char *const keys[KT_DIMENSIONS_MAX + 1] = {"",
                                                                "cost_centre: ",
                                                                "department: ",
                                                                "project: ",
                                                                "dimension4: ",
                                                                "dimension5: ",
                                                                "dimension6: ",
                                                                "dimension7: ",
                                                                "dimension8: ",
                                                                "dimension9: ",
                                                                "dimension10: ",
                                                                "dimension11: "};
        put_comment(pen, indent, keys[line->dimensions[d].dimension], line->dimensions[d].value);
    }
}

/* ---- Entries ------------------------------------------------------------------------------------ */

static void put_head(kt_pen *pen, const kt_entry_view *view) {
    static const char indent[] = "    ; ";
    const kt_entry *entry = &view->entry;
    bool plain_ref = is_plain(entry->ref, "()"), plain_text = is_plain(entry->text, ";");
    if (plain_text && strchr("*!(=", entry->text.data[0])) plain_text = false;
    kt_pen_put(pen, "\n", 1);
    kt_pen_day(pen, entry->date);
    if (plain_ref) {
        kt_pen_words(pen, " (");
        kt_pen_text(pen, entry->ref);
        kt_pen_words(pen, ")");
    }
    if (plain_text) {
        kt_pen_put(pen, " ", 1);
        kt_pen_text(pen, entry->text);
    }
    kt_pen_put(pen, "\n", 1);
    if (!plain_text) put_comment(pen, indent, "text: ", entry->text);
    if (!plain_ref) put_comment(pen, indent, "ref: ", entry->ref);
    put_comment(pen, indent, "series: ", entry->series);
    put_comment(pen, indent, "voucher: ", entry->voucher);
    if (entry->reverses) {
        kt_pen_words(pen, "    ; reverses: ");
        kt_pen_count(pen, entry->reverses);
        kt_pen_put(pen, "\n", 1);
    }
    if (entry->minus) kt_pen_words(pen, "    ; minus: yes\n");
}

static kt_code check_line(const kt_exporter *exporter, const kt_entry_view *view, size_t i, kt_error *error) {
    const kt_line *line = &view->entry.lines[i];
    kt_str currency = kt_exporter_currency(exporter, line->currency);
    kt_code code = refuse_name(view, i, "account", line->account, account_fault(line->account), error);
    if (code == KT_OK) code = refuse_name(view, i, "currency", currency, currency_fault(currency), error);
    if (code != KT_OK || !line->has_cost) return code;
    currency = kt_exporter_currency(exporter, line->cost_currency);
    if (line->amount == 0)
        return kt_exporter_refuse(view, i, "has a cost for an amount of zero, which a journal cannot say; export json",
                                  error);
    return refuse_name(view, i, "currency", currency, currency_fault(currency), error);
}

static kt_code put_line(kt_exporter *exporter, const kt_entry_view *view, size_t i, kt_error *error) {
    const kt_line *line = &view->entry.lines[i];
    kt_pen *pen = &exporter->pen;
    kt_code code = check_line(exporter, view, i, error);
    if (code != KT_OK) return code;
    bool plain = is_plain(line->text, ":[]");
    kt_pen_words(pen, "    ");
    kt_pen_text(pen, line->account);
    kt_pen_words(pen, "  ");
    kt_pen_amount(pen, line->amount, view->decimals[i]);
    kt_pen_put(pen, " ", 1);
    put_currency(pen, kt_exporter_currency(exporter, line->currency));
    if (line->has_cost) {
        kt_pen_words(pen, " @@ ");
        kt_pen_amount(pen, line->cost < 0 ? -line->cost : line->cost, view->cost_decimals[i]);
        kt_pen_put(pen, " ", 1);
        put_currency(pen, kt_exporter_currency(exporter, line->cost_currency));
    }
    if (plain) {
        kt_pen_words(pen, "  ; ");
        kt_pen_text(pen, line->text);
    }
    kt_pen_put(pen, "\n", 1);
    put_line_comments(pen, line, plain);
    return KT_OK;
}

static kt_code put_entry(kt_exporter *exporter, const kt_entry_view *view, kt_error *error) {
    int year, month, dom;
    kt_day_to_civil(view->entry.date, &year, &month, &dom);
    if (year < FIRST_YEAR)
        return kt_exporter_refuse(view, 0, "is of a day before the year 1400, which ledger does not read", error);
    put_head(&exporter->pen, view);
    kt_code code = KT_OK;
    for (size_t i = 0; i < view->entry.line_count && code == KT_OK; i++) code = put_line(exporter, view, i, error);
    exporter->result.minus_left_out += view->entry.minus; /* said in a comment, which no reader heeds */
    exporter->result.reverses_left_out += view->entry.reverses != 0;
    return code;
}

const kt_export_format kt_export_journal = {"journal", begin, put_entry};
