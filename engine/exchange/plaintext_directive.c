#include "engine/exchange/plaintext_directive.h"

#include <stdlib.h>
#include <string.h>

#include "engine/exchange/plaintext_account.h"
#include "engine/exchange/plaintext_amount.h"
#include "engine/exchange/plaintext_assert.h"
#include "engine/exchange/plaintext_date.h"
#include "engine/exchange/plaintext_entry.h"
#include "engine/exchange/plaintext_rule.h"

#define APPLIED_MAX 1000

static kt_str word_of(kt_str *text) {
    size_t size = 0;
    while (size < text->size && !kt_plaintext_text_is_blank(text->data[size])) size++;
    kt_str word = {text->data, size};
    *text = kt_plaintext_text_trim((kt_str){text->data + size, text->size - size});
    return word;
}

static bool is(kt_str word, const char *known) { return kt_plaintext_text_equal(word.data, word.size, known); }

/* Without a comment: from a ';' that blanks stand before. */
static kt_str without_comment(kt_str text, kt_str *comment) {
    *comment = (kt_str){NULL, 0};
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == ';' && (i == 0 || kt_plaintext_text_is_blank(text.data[i - 1]))) {
            *comment = (kt_str){text.data + i + 1, text.size - i - 1};
            text.size = i;
            break;
        }
    return kt_plaintext_text_trim(text);
}

static kt_code unsupported(kt_plaintext *p, const char *what, kt_error *error) {
    return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "%s: this directive is not supported", what);
}

static kt_code needs_argument(kt_plaintext *p, kt_str word, kt_error *error) {
    return KT_PLAIN_REFUSE(p, error, KT_INVALID, "directive %.*s: expected more behind it", KT_PLAIN_SHOWN(word));
}

/* The next line that belongs to the directive; KT_END: none. */
static kt_code next_below(kt_plaintext *p, kt_str *text, kt_error *error) {
    kt_plain_line line;
    kt_code code = kt_plaintext_text_peek(p->file, &line, error);
    if (code != KT_OK) return code;
    if (line.size == 0 || !kt_plaintext_text_is_blank(line.text[0])) return KT_END;
    kt_plaintext_text_pass(p->file, &line);
    p->line = line.number;
    *text = kt_plaintext_text_trim((kt_str){line.text, line.size});
    return kt_plaintext_text_check(p->file, &line, error);
}

/* ---- account ---- */

static void read_type(kt_plain_account *account, kt_str comment) {
    static const struct {
        const char *name;
        kt_account_type type;
    } known[] = {{"a", KT_ASSET},  {"c", KT_ASSET},  {"cash", KT_ASSET},        {"l", KT_LIABILITY},
                 {"e", KT_EQUITY}, {"v", KT_EQUITY}, {"conversion", KT_EQUITY}, {"r", KT_INCOME},
                 {"i", KT_INCOME}, {"x", KT_EXPENSE}};
    const char *at = kt_plaintext_text_find(comment, "type:");
    if (!at || (at > comment.data && !kt_plaintext_text_is_blank(at[-1]) && at[-1] != ',')) return;
    const char *end = comment.data + comment.size;
    kt_str value = {at + 5, (size_t)(end - at - 5)};
    const char *comma = memchr(value.data, ',', value.size);
    if (comma) value.size = (size_t)(comma - value.data);
    value = kt_plaintext_text_trim(value);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (kt_plaintext_text_equal_fold(value.data, value.size, known[i].name)) {
            account->type = known[i].type;
            account->typed = true;
            return;
        }
    static const struct {
        const char *name;
        kt_account_type type;
    } longer[] = {{"asset", KT_ASSET},           {"assets", KT_ASSET},    {"liability", KT_LIABILITY},
                  {"liabilities", KT_LIABILITY}, {"equity", KT_EQUITY},   {"income", KT_INCOME},
                  {"revenue", KT_INCOME},        {"revenues", KT_INCOME}, {"expense", KT_EXPENSE},
                  {"expenses", KT_EXPENSE}};
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
        if (kt_plaintext_text_equal_fold(value.data, value.size, longer[i].name)) {
            account->type = longer[i].type;
            account->typed = true;
        }
}

static kt_code account_below(kt_plaintext *p, kt_plain_account *account, kt_str text, kt_error *error) {
    if (text.data[0] == ';') {
        read_type(account, text);
        return KT_OK;
    }
    kt_plaintext_mark_ledger(p);
    kt_str word = word_of(&text);
    if (is(word, "default")) {
        p->bucket = account;
        return KT_OK;
    }
    if (text.size == 0) return needs_argument(p, word, error);
    if (is(word, "alias")) return kt_plaintext_account_alias(p, text, account, error);
    if (is(word, "payee")) p->maps_unknown = true;
    if (is(word, "assert") || is(word, "eval") || is(word, "expr"))
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "%.*s below account is not supported", KT_PLAIN_SHOWN(word));
    return KT_OK;
}

static kt_code read_account(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_str comment = {NULL, 0}, name = text;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\t' ||
            (text.data[i] == ' ' && i + 1 < text.size && kt_plaintext_text_is_blank(text.data[i + 1]))) {
            name.size = i;
            without_comment((kt_str){text.data + i, text.size - i}, &comment);
            break;
        }
    kt_plain_account *account;
    kt_code code = kt_plaintext_account_named(p, name, &account, error);
    if (code != KT_OK) return code;
    account->declared = true;
    read_type(account, comment);
    kt_str below;
    while ((code = next_below(p, &below, error)) == KT_OK)
        if ((code = account_below(p, account, below, error)) != KT_OK) return code;
    return code == KT_END ? KT_OK : code;
}

/* ---- commodity ---- */

static kt_code commodity_below(kt_plaintext *p, kt_plain_commodity *commodity, kt_str text, kt_error *error) {
    if (text.data[0] == ';') return KT_OK;
    kt_str word = word_of(&text);
    if (!is(word, "format")) kt_plaintext_mark_ledger(p);
    if (is(word, "nomarket") || is(word, "default")) return KT_OK;
    if (text.size == 0) return needs_argument(p, word, error);
    if (is(word, "format")) {
        kt_plain_commodity *shown;
        kt_plain_style style;
        kt_str comment;
        kt_code code = kt_plaintext_amount_example(p, without_comment(text, &comment), &shown, &style, error);
        if (code == KT_OK && shown != commodity)
            return KT_PLAIN_REFUSE(p, error, KT_INVALID, "commodity %s: its format shows another commodity, %s",
                                   commodity->code, shown->code);
        return code;
    }
    if (is(word, "alias")) {
        if (text.size > 2 && text.data[0] == '"' && text.data[text.size - 1] == '"')
            text = (kt_str){text.data + 1, text.size - 2};
        if (!kt_plaintext_table_put(&p->names.commodity_aliases, text.data, text.size, commodity, NULL))
            return KT_PLAIN_NO_MEMORY(p, error);
        return KT_OK;
    }
    if (is(word, "assert") || is(word, "eval") || is(word, "expr"))
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "%.*s below commodity is not supported", KT_PLAIN_SHOWN(word));
    return KT_OK;
}

static bool has_number(kt_str text) {
    bool quoted = false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"') quoted = !quoted;
        else if (!quoted && kt_plaintext_text_is_digit(text.data[i])) return true;
    }
    return false;
}

static kt_code read_commodity(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_str comment, shown = without_comment(text, &comment);
    kt_plain_commodity *commodity = NULL;
    kt_plain_style style;
    kt_code code = KT_OK;
    if (has_number(shown)) {
        code = kt_plaintext_amount_example(p, shown, &commodity, &style, error);
        /* hledger asks for the decimal sign here; without one ledger alone takes the line, for the symbol in it. */
        if (code == KT_OK && style.decimal) kt_plaintext_mark_hledger(p);
        else if (code == KT_OK) commodity->styled = false;
    } else {
        kt_plain_cursor c = {shown.data, shown.data + shown.size};
        kt_str symbol;
        if (!kt_plaintext_amount_symbol(p, &c, &symbol) || c.at < c.end)
            return KT_PLAIN_REFUSE(p, error, KT_INVALID, "commodity: not a symbol: %.*s", KT_PLAIN_SHOWN(shown));
        commodity = kt_plaintext_commodity(p, symbol.data, symbol.size);
        if (!commodity) return KT_PLAIN_NO_MEMORY(p, error);
    }
    kt_str below;
    while (code == KT_OK && (code = next_below(p, &below, error)) == KT_OK)
        code = commodity_below(p, commodity, below, error);
    return code == KT_END ? KT_OK : code;
}

static kt_code read_default(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_str comment;
    kt_code code = kt_plaintext_amount_example(p, without_comment(text, &comment), &p->default_commodity,
                                               &p->default_style, error);
    p->has_default_style = code == KT_OK;
    return code;
}

/* ---- alias, account-rewrite ---- */

static kt_code read_alias(kt_plaintext *p, kt_str text, kt_error *error) {
    if (text.size > 0 && text.data[0] == '/')
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "alias with a /regular expression/ is not supported: %.*s",
                               KT_PLAIN_SHOWN(text));
    const char *equals = memchr(text.data, '=', text.size);
    if (!equals) return KT_PLAIN_REFUSE(p, error, KT_INVALID, "alias: expected NAME=ACCOUNT");
    kt_str from = kt_plaintext_text_trim((kt_str){text.data, (size_t)(equals - text.data)});
    kt_str to = kt_plaintext_text_trim((kt_str){equals + 1, text.size - (size_t)(equals - text.data) - 1});
    kt_plain_account *account;
    if (p->hledger) {
        account = to.size ? kt_plaintext_names_account(&p->names, to.data, to.size) : NULL;
        if (!account) return to.size ? KT_PLAIN_NO_MEMORY(p, error) : needs_argument(p, KT_STR("alias"), error);
        return kt_plaintext_account_alias(p, from, account, error);
    }
    kt_code code = kt_plaintext_account_named(p, to, &account, error);
    return code == KT_OK ? kt_plaintext_account_alias(p, from, account, error) : code;
}

static kt_code read_rewrite(kt_plaintext *p, kt_str text, kt_error *error) {
    size_t split = 0;
    while (split + 1 < text.size && !(kt_plaintext_text_is_blank(text.data[split]) &&
                                      (text.data[split] == '\t' || kt_plaintext_text_is_blank(text.data[split + 1]))))
        split++;
    kt_str from = {text.data, split}, to = kt_plaintext_text_trim((kt_str){text.data + split, text.size - split});
    for (size_t i = 0; i < from.size; i++)
        if (memchr("\\^$.|?*+()[]{}/", from.data[i], 15))
            return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                                   "account-rewrite with an expression is not supported: "
                                   "%.*s",
                                   KT_PLAIN_SHOWN(text));
    if (split + 1 >= text.size || to.size == 0)
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "account-rewrite: only ACCOUNT  ACCOUNT is supported");
    kt_plain_account *account = kt_plaintext_names_account(&p->names, to.data, to.size);
    if (!account || !kt_plaintext_table_put(&p->rewrites, from.data, from.size, account, NULL))
        return KT_PLAIN_NO_MEMORY(p, error);
    kt_plaintext_mark_ledger(p);
    return KT_OK;
}

/* ---- apply, end, year ---- */

void kt_plaintext_directive_unapply(kt_plaintext *p, size_t count) {
    while (p->applied_count > count) {
        kt_plain_applied *top = &p->applied[--p->applied_count];
        if (top->kind == KT_PLAIN_APPLY_YEAR) p->year = top->year;
        free(top->prefix);
    }
}

static kt_code read_year(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_str comment;
    int year = kt_plaintext_date_year(without_comment(text, &comment));
    if (year == 0)
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "not a year: %.*s; expected four digits", KT_PLAIN_SHOWN(text));
    p->year = year;
    return KT_OK;
}

static kt_code read_apply(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_str kind = word_of(&text);
    kt_plain_applied applied = {.year = p->year};
    if (is(kind, "fixed") || is(kind, "rate"))
        return unsupported(p, is(kind, "fixed") ? "apply fixed" : "apply rate", error);
    if (text.size == 0) return needs_argument(p, KT_STR("apply"), error);
    if (p->applied_count == APPLIED_MAX)
        return KT_PLAIN_REFUSE(p, error, KT_LIMIT, "apply: more than %d within each other", APPLIED_MAX);
    if (is(kind, "account")) {
        kt_plain_account *account;
        kt_code code = kt_plaintext_account_named(p, text, &account, error);
        if (code != KT_OK) return code;
        if (!(applied.prefix = strdup(account->name))) return KT_PLAIN_NO_MEMORY(p, error);
    } else if (is(kind, "tag")) {
        kt_plaintext_mark_ledger(p);
        applied.kind = KT_PLAIN_APPLY_TAG;
    } else if (is(kind, "year")) {
        kt_plaintext_mark_ledger(p);
        applied.kind = KT_PLAIN_APPLY_YEAR;
        kt_code code = read_year(p, text, error);
        if (code != KT_OK) return code;
    } else {
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "apply %.*s: this directive is not supported",
                               KT_PLAIN_SHOWN(kind));
    }
    if (p->applied_count == p->applied_room) {
        size_t room = p->applied_room ? p->applied_room * 2 : 4;
        kt_plain_applied *larger = realloc(p->applied, room * sizeof *larger);
        if (!larger) {
            free(applied.prefix);
            return KT_PLAIN_NO_MEMORY(p, error);
        }
        p->applied = larger;
        p->applied_room = room;
    }
    p->applied[p->applied_count++] = applied;
    return KT_OK;
}

static kt_code read_end(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_str first = word_of(&text), second = word_of(&text);
    if (is(first, "aliases")) {
        kt_plaintext_mark_hledger(p);
        kt_plaintext_table_release(&p->names.account_aliases, NULL);
        return KT_OK;
    }
    if (p->applied_count <= p->file->applied)
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "end without an apply before it in this file");
    static const char *const names[] = {"account", "tag", "year"};
    kt_plain_applied_kind top = p->applied[p->applied_count - 1].kind;
    if (second.size > 0 && !is(second, names[top]))
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "end apply %.*s: the last one applied is a %s",
                               KT_PLAIN_SHOWN(second), names[top]);
    if (second.size == 0) kt_plaintext_mark_ledger(p);
    kt_plaintext_directive_unapply(p, p->applied_count - 1);
    return KT_OK;
}

/* ---- the others ---- */

static kt_code skip_comment(kt_plaintext *p, kt_error *error) {
    kt_plain_line line;
    kt_code code;
    while ((code = kt_plaintext_text_peek(p->file, &line, error)) == KT_OK) {
        kt_plaintext_text_pass(p->file, &line);
        p->line = line.number;
        code = kt_plaintext_text_check(p->file, &line, error);
        if (code != KT_OK) return code;
        if ((line.size >= 11 && memcmp(line.text, "end comment", 11) == 0) ||
            (line.size >= 8 && memcmp(line.text, "end test", 8) == 0))
            return KT_OK;
    }
    return code == KT_END ? KT_OK : code;
}

static kt_code read_price(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_str date = word_of(&text);
    kt_day day;
    kt_code code = kt_plaintext_date_read(p, date, &day, error);
    if (code == KT_OK && text.size == 0)
        code = KT_PLAIN_REFUSE(p, error, KT_INVALID, "P: expected a date, a commodity and its price");
    return code;
}

static kt_code read_bucket(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_plaintext_mark_ledger(p);
    return kt_plaintext_account_named(p, text, &p->bucket, error);
}

static kt_code read_decimal_mark(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_str comment, mark = without_comment(text, &comment);
    if (mark.size != 1 || (*mark.data != '.' && *mark.data != ','))
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "decimal-mark: expected . or ,");
    kt_plaintext_mark_hledger(p);
    p->decimal_mark = *mark.data;
    return KT_OK;
}

static kt_code read_include(kt_plaintext *p, kt_str text, kt_error *error) {
    static const char *const prefixes[] = {"timeclock:", "timedot:", "csv:", "journal:", "ssv:", "tsv:"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (text.size > strlen(prefixes[i]) && memcmp(text.data, prefixes[i], strlen(prefixes[i])) == 0)
            return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "include: another reader's file is not supported: %.*s",
                                   KT_PLAIN_SHOWN(text));
    if (text.size > 1 && text.data[0] == '"' && text.data[text.size - 1] == '"')
        text = (kt_str){text.data + 1, text.size - 2};
    return kt_plaintext_text_include(p->file, p->line, text, error);
}

/* tag, payee, define and the like: nothing in them changes a balance, but an assertion could refuse the file. */
static kt_code skip_below(kt_plaintext *p, const char *directive, kt_error *error) {
    kt_str text;
    kt_code code;
    while ((code = next_below(p, &text, error)) == KT_OK) {
        kt_str word = word_of(&text);
        if (word.data[0] != ';') kt_plaintext_mark_ledger(p);
        if (is(word, "assert"))
            return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "assert below %s is not supported", directive);
    }
    return code == KT_END ? KT_OK : code;
}

/* What ledger does not know it passes over, when it is a word with something behind it. */
static kt_code pass_over(kt_plaintext *p, kt_str word, kt_str rest, kt_error *error) {
    bool plain = word.size > 1 && word.data[0] >= 'a' && word.data[0] <= 'z' && rest.size > 0;
    for (size_t i = 0; i < word.size; i++)
        plain = plain && ((word.data[i] >= 'a' && word.data[i] <= 'z') || word.data[i] == '-' || word.data[i] == '_');
    if (plain && word.data[0] != 'i' && word.data[0] != 'o') return KT_OK;
    return KT_PLAIN_REFUSE(p, error, KT_INVALID, "neither a transaction nor a directive: %.*s; a posting is indented",
                           KT_PLAIN_SHOWN(word));
}

static kt_code read_letter(kt_plaintext *p, kt_str word, kt_str rest, kt_error *error) {
    switch (word.data[0]) {
    case 'P': return read_price(p, rest, error);
    case 'D': return rest.size ? read_default(p, rest, error) : needs_argument(p, word, error);
    case 'N': return rest.size ? KT_OK : needs_argument(p, word, error);
    case 'Y': return read_year(p, rest, error);
    case 'A': return read_bucket(p, rest, error);
    case 'C': return unsupported(p, "C (a conversion of units)", error);
    case 'i':
    case 'I':
    case 'o':
    case 'O': return unsupported(p, "i/o (timeclock)", error);
    case 'b':
    case 'h': return KT_OK;
    default: return pass_over(p, word, rest, error);
    }
}

static kt_code read_word(kt_plaintext *p, kt_str word, kt_str rest, kt_error *error) {
    static const char *const refused[] = {"eval", "expr", "python", "import", "capture", "fixed", "endfixed"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (is(word, refused[i])) return unsupported(p, refused[i], error);
    if (is(word, "comment") || is(word, "test")) return skip_comment(p, error);
    if (is(word, "end")) return read_end(p, rest, error);
    if (rest.size == 0 && word.data[0] != 'Y') return needs_argument(p, word, error);
    if (is(word, "account")) return read_account(p, rest, error);
    if (is(word, "commodity")) return read_commodity(p, rest, error);
    if (is(word, "alias")) return read_alias(p, rest, error);
    if (is(word, "include")) return read_include(p, rest, error);
    if (is(word, "apply")) return read_apply(p, rest, error);
    if (is(word, "year")) {
        kt_plaintext_mark_ledger(p);
        return read_year(p, rest, error);
    }
    if (is(word, "bucket")) return read_bucket(p, rest, error);
    if (is(word, "decimal-mark")) return read_decimal_mark(p, rest, error);
    if (is(word, "account-rewrite")) return read_rewrite(p, rest, error);
    if (is(word, "assert")) return kt_plaintext_assert_directive(p, rest, error);
    if (is(word, "tag") || is(word, "payee")) return skip_below(p, is(word, "tag") ? "tag" : "payee", error);
    if (is(word, "check") || is(word, "def") || is(word, "define") || is(word, "value")) {
        kt_plaintext_mark_ledger(p);
        return KT_OK;
    }
    if (word.data[0] == 'Y' && word.size == 5) return read_year(p, (kt_str){word.data + 1, 4}, error);
    return pass_over(p, word, rest, error);
}

static kt_code read_rule(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_str query = {text.data + 1, text.size - 1};
    if (text.data[0] == '=') return kt_plaintext_rule_add(p, query, error);
    kt_code code = kt_plaintext_rule_period(p, query, error);
    return code == KT_OK ? kt_plaintext_entry_block(p, error) : code;
}

kt_code kt_plaintext_directive_read(kt_plaintext *p, const kt_plain_line *line, kt_error *error) {
    kt_plaintext_text_pass(p->file, line);
    kt_code code = kt_plaintext_text_check(p->file, line, error);
    if (code != KT_OK || line->size == 0) return code;
    kt_str text = {line->text, line->size};
    if (kt_plaintext_text_is_blank(text.data[0])) {
        text = kt_plaintext_text_trim(text);
        if (memchr(";#*|%", text.data[0], 5)) return KT_OK;
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "an indented line that belongs to nothing");
    }
    if (memchr(";#*|%", text.data[0], 5)) return KT_OK;
    if (text.data[0] == '=' || text.data[0] == '~') return read_rule(p, text, error);
    if (text.data[0] == '-') return unsupported(p, "an option (--)", error);
    if ((text.data[0] == '!' || text.data[0] == '@') && text.size > 1) text = (kt_str){text.data + 1, text.size - 1};
    kt_str word = word_of(&text);
    if (word.size == 0) return KT_PLAIN_REFUSE(p, error, KT_INVALID, "neither a transaction nor a directive");
    return word.size == 1 ? read_letter(p, word, text, error) : read_word(p, word, text, error);
}
