#include "engine/exchange/plaintext_rule.h"

#include <stdlib.h>
#include <string.h>

#define RULES_MAX 1000 /* each is held against every posting */

static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kt_plaintext_text_is_digit(c) || c == ':' || c == '_' ||
           c == ' ' || c == '-';
}

static bool is_query_word(kt_str word) {
    static const char *const known[] = {"and",  "or",   "not",  "expr",  "payee", "desc", "note",   "tag",   "meta",
                                        "data", "code", "show", "only",  "bold",  "for",  "since",  "until", "acct",
                                        "amt",  "cur",  "date", "date2", "depth", "real", "status", "type",  "inacct"};
    const char *colon = memchr(word.data, ':', word.size);
    size_t size = colon ? (size_t)(colon - word.data) : word.size;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (kt_plaintext_text_equal_fold(word.data, size, known[i])) return true;
    return false;
}

/* Brackets that never close make no regular expression. */
static bool is_broken(kt_str query) {
    int round = 0;
    bool square = false;
    for (size_t i = 0; i < query.size; i++) {
        char c = query.data[i];
        if (c == '\\') {
            i++;
        } else if (square) {
            square = c != ']' || query.data[i - 1] == '[';
        } else if (c == '[') {
            square = true;
        } else if (c == '(') {
            round++;
        } else if (c == ')' && --round < 0) {
            return true;
        }
    }
    return square || round != 0;
}

/* The literal that the query looks for, where it is one. */
static kt_code understand(kt_plaintext *p, kt_str query, kt_plain_rule *rule, kt_error *error) {
    kt_str word = query;
    bool slashes = word.size > 2 && word.data[0] == '/' && word.data[word.size - 1] == '/';
    if (slashes) word = (kt_str){word.data + 1, word.size - 2};
    rule->from_start = word.size > 0 && word.data[0] == '^';
    if (rule->from_start) word = (kt_str){word.data + 1, word.size - 1};
    rule->to_end = word.size > 0 && word.data[word.size - 1] == '$';
    if (rule->to_end) word.size--;
    bool plain = word.size > 0;
    for (size_t i = 0; i < word.size; i++) plain = plain && is_plain(word.data[i]) && (slashes || word.data[i] != ' ');
    if (!plain || (!slashes && is_query_word(word))) return KT_OK;
    rule->word = malloc(word.size + 1);
    if (!rule->word) return KT_PLAIN_NO_MEMORY(p, error);
    for (size_t i = 0; i < word.size; i++) rule->word[i] = kt_plaintext_text_lower(word.data[i]);
    rule->word[word.size] = 0;
    return KT_OK;
}

static bool is_virtual_posting(kt_str text) {
    if (text.data[0] == '*' || text.data[0] == '!')
        text = kt_plaintext_text_trim((kt_str){text.data + 1, text.size - 1});
    size_t size = 0;
    while (size < text.size && text.data[size] != '\t' &&
           !(text.data[size] == ' ' && size + 1 < text.size && kt_plaintext_text_is_blank(text.data[size + 1])))
        size++;
    return size > 2 &&
           ((text.data[0] == '(' && text.data[size - 1] == ')') || (text.data[0] == '[' && text.data[size - 1] == ']'));
}

/* Passes what stands below the rule. What is not understood there is taken for something that is not virtual. */
static kt_code read_body(kt_plaintext *p, kt_plain_rule *rule, kt_error *error) {
    kt_plain_line line;
    kt_code code;
    size_t postings = 0;
    bool others = false;
    while ((code = kt_plaintext_text_peek(p->file, &line, error)) == KT_OK) {
        if (line.size == 0 || !kt_plaintext_text_is_blank(line.text[0])) break;
        kt_plaintext_text_pass(p->file, &line);
        kt_str text = kt_plaintext_text_trim((kt_str){line.text, line.size});
        if (text.size == 0 || text.data[0] == ';') continue;
        if (is_virtual_posting(text)) postings++;
        else others = true;
    }
    rule->only_virtual = postings > 0 && !others;
    return code == KT_END ? KT_OK : code;
}

kt_code kt_plaintext_rule_add(kt_plaintext *p, kt_str query, kt_error *error) {
    query = kt_plaintext_text_trim(query);
    if (query.size == 0 || is_broken(query))
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "automated transaction (=): not a query: %.*s",
                               KT_PLAIN_SHOWN(query));
    if (p->rule_count == RULES_MAX)
        return KT_PLAIN_REFUSE(p, error, KT_LIMIT, "more than %d automated transactions (=)", RULES_MAX);
    if (p->rule_count == p->rule_room) {
        size_t room = p->rule_room ? p->rule_room * 2 : 4;
        kt_plain_rule *larger = realloc(p->rules, room * sizeof *larger);
        if (!larger) return KT_PLAIN_NO_MEMORY(p, error);
        p->rules = larger;
        p->rule_room = room;
    }
    kt_plain_rule rule = {.line = p->line};
    kt_code code = read_body(p, &rule, error);
    p->rule_left_out = code == KT_OK && rule.only_virtual && p->options.virtual_postings == KT_VIRTUAL_DROP;
    if (code != KT_OK || p->rule_left_out) return code;
    code = understand(p, query, &rule, error);
    if (code == KT_OK) p->rules[p->rule_count++] = rule;
    return code;
}

static bool touches(const kt_plain_rule *rule, const kt_plain_account *account) {
    if (!rule->word) return true;
    size_t size = strlen(rule->word);
    if (size > account->size) return false;
    size_t last = account->size - size;
    for (size_t at = rule->to_end ? last : 0; at <= last; at++) {
        size_t same = 0;
        while (same < size && kt_plaintext_text_lower(account->name[at + same]) == rule->word[same]) same++;
        if (same == size) return true;
        if (rule->from_start) return false;
    }
    return false;
}

kt_code kt_plaintext_rule_check(kt_plaintext *p, kt_error *error) {
    for (size_t i = 0; i < p->rule_count; i++)
        for (size_t k = 0; k < p->post_count; k++) {
            const kt_plain_rule *rule = &p->rules[i];
            const kt_plain_account *account = p->posts[k].account;
            if (rule->from_start && rule->to_end && rule->word && account->size != strlen(rule->word)) continue;
            if (touches(rule, account))
                return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                                       "automated transaction (=) of line %zu would add "
                                       "postings for %s: not supported%s",
                                       rule->line, account->name,
                                       rule->only_virtual ? ", but all of them are virtual: --virtual drop leaves them "
                                                            "out"
                                                          : "");
        }
    return KT_OK;
}

/* ---- Periods ---- */

static bool is_number_word(kt_str word) {
    size_t digits = 0;
    while (digits < word.size && kt_plaintext_text_is_digit(word.data[digits])) digits++;
    if (digits == 0) return false;
    const char *rest = word.data + digits;
    size_t size = word.size - digits;
    if (size == 0 || kt_plaintext_text_equal_fold(rest, size, "st") || kt_plaintext_text_equal_fold(rest, size, "nd") ||
        kt_plaintext_text_equal_fold(rest, size, "rd") || kt_plaintext_text_equal_fold(rest, size, "th"))
        return true;
    for (size_t i = 0; i < word.size; i++)
        if (!kt_plaintext_text_is_digit(word.data[i]) && !memchr("-/.qQ", word.data[i], 5)) return false;
    return true;
}

static bool is_period_word(kt_str word) {
    static const char *const known[] = {
        "daily",    "weekly",   "biweekly", "fortnightly", "monthly",  "bimonthly", "quarterly", "yearly",
        "every",    "from",     "since",    "to",          "until",    "in",        "on",        "of",
        "before",   "after",    "the",      "and",         "this",     "last",      "next",      "current",
        "previous", "ago",      "hence",    "today",       "tomorrow", "yesterday", "day",       "days",
        "week",     "weeks",    "month",    "months",      "quarter",  "quarters",  "year",      "years",
        "weekday",  "weekdays", "weekend",  "weekendday",  "mon",      "tue",       "wed",       "thu",
        "fri",      "sat",      "sun",      "monday",      "tuesday",  "wednesday", "thursday",  "friday",
        "saturday", "sunday",   "jan",      "feb",         "mar",      "apr",       "may",       "jun",
        "jul",      "aug",      "sep",      "oct",         "nov",      "dec",       "january",   "february",
        "march",    "april",    "june",     "july",        "august",   "september", "october",   "november",
        "december", "begin",    "end",      "inclusive",   "-"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (kt_plaintext_text_equal_fold(word.data, word.size, known[i])) return true;
    return is_number_word(word);
}

kt_code kt_plaintext_rule_period(kt_plaintext *p, kt_str period, kt_error *error) {
    period = kt_plaintext_text_trim(period);
    size_t at = 0, words = 0;
    while (at < period.size && period.data[at] != ';') {
        size_t start = at;
        while (at < period.size && !memchr(" \t,", period.data[at], 3) && period.data[at] != ';') at++;
        kt_str word = {period.data + start, at - start};
        if (word.size > 0 && !is_period_word(word))
            return KT_PLAIN_REFUSE(p, error, KT_INVALID, "periodic transaction (~): not a period: %.*s",
                                   KT_PLAIN_SHOWN(period));
        words += word.size > 0;
        if (at < period.size && period.data[at] == ';') break;
        /* Two blanks end hledger's period; what follows is a description. */
        if (at + 1 < period.size && kt_plaintext_text_is_blank(period.data[at]) &&
            kt_plaintext_text_is_blank(period.data[at + 1]))
            break;
        at += at < period.size;
    }
    if (words == 0)
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "periodic transaction (~): expected a period such as monthly");
    return KT_OK;
}

void kt_plaintext_rule_release(kt_plaintext *p) {
    for (size_t i = 0; i < p->rule_count; i++) free(p->rules[i].word);
    free(p->rules);
    p->rules = NULL;
    p->rule_count = p->rule_room = 0;
}
