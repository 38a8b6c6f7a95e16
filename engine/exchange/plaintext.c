#include "engine/exchange/plaintext.h"

#include <stdlib.h>
#include <string.h>

#include "engine/exchange/plaintext_directive.h"
#include "engine/exchange/plaintext_entry.h"
#include "engine/exchange/plaintext_rule.h"

void kt_plaintext_mark_ledger(kt_plaintext *p) { p->saw_ledger = true; }

void kt_plaintext_mark_hledger(kt_plaintext *p) { p->saw_hledger = true; }

/* ---- Symbols ---- */

static kt_str mapped(const kt_plaintext *p, const char *symbol, size_t size) {
    static const struct {
        const char *symbol, *code;
    } known[] = {{"$", "USD"}, {"\xE2\x82\xAC", "EUR"}, {"\xC2\xA3", "GBP"}};
    for (const char *const *at = p->options.symbols; at && *at; at++) {
        const char *equals = strrchr(*at, '=');
        if (equals && (size_t)(equals - *at) == size && memcmp(*at, symbol, size) == 0) return kt_str_from(equals + 1);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (kt_plaintext_text_equal(symbol, size, known[i].symbol)) return kt_str_from(known[i].code);
    return (kt_str){symbol, size};
}

kt_plain_commodity *kt_plaintext_commodity(kt_plaintext *p, const char *symbol, size_t size) {
    if (size == 0) return kt_plaintext_names_commodity(&p->names, "", 0);
    kt_plain_commodity *commodity = kt_plaintext_table_find(&p->names.commodity_aliases, symbol, size);
    if (commodity) return commodity;
    kt_str code = mapped(p, symbol, size);
    return kt_plaintext_names_commodity(&p->names, code.data, code.size);
}

/* ---- One walk ---- */

static void forget(kt_plaintext *p) {
    kt_plaintext_text_close(p->file);
    p->file = NULL;
    kt_plaintext_directive_unapply(p, 0);
    kt_plaintext_rule_release(p);
    kt_plaintext_table_release(&p->rewrites, NULL);
    kt_plaintext_names_release(&p->names);
    p->year = 0;
    p->decimal_mark = 0;
    p->default_commodity = NULL;
    p->has_default_style = p->maps_unknown = false;
    p->bucket = NULL;
    p->time_unit = NULL;
    p->post_count = p->sum_count = 0;
    p->entry_number = 0;
    p->dated_posts = false;
}

static kt_code start(kt_plaintext *p, kt_error *error) {
    forget(p);
    p->file = kt_plaintext_text_open(p->source);
    if (!p->file) return kt_fail(error, KT_MEMORY, "no memory to read the journal");
    return KT_OK;
}

static kt_code enter_file(kt_plaintext *p, kt_error *error) {
    kt_code code = kt_plaintext_text_next_file(&p->file, error);
    if (code == KT_OK) {
        p->file->year = p->year;
        p->file->decimal_mark = p->decimal_mark;
        p->file->applied = p->applied_count;
    }
    return code;
}

static void leave_file(kt_plaintext *p) {
    kt_plaintext_directive_unapply(p, p->file->applied);
    p->year = p->file->year;
    p->decimal_mark = p->file->decimal_mark;
    kt_plaintext_text_pop(&p->file);
}

/* Goes on to the next entry, or rule that is left out. KT_END behind the last; *refused: the code is about an entry, and reading may go on. */
static kt_code step(kt_plaintext *p, bool *refused, kt_error *error) {
    *refused = p->rule_left_out = false;
    for (;;) {
        kt_plain_line line;
        kt_code code = enter_file(p, error);
        if (code != KT_OK && code != KT_END) return code;
        code = kt_plaintext_text_peek(p->file, &line, error);
        if (code == KT_END && p->file->below) {
            leave_file(p);
            continue;
        }
        if (code != KT_OK) return code;
        p->place = p->file->name;
        p->line = line.number;
        if (line.size > 0 && kt_plaintext_text_is_digit(line.text[0])) {
            code = kt_plaintext_entry_read(p, &line, error);
            *refused = code != KT_OK && code != KT_MEMORY;
            return code;
        }
        code = kt_plaintext_directive_read(p, &line, error);
        if (code != KT_OK || p->rule_left_out) return code;
    }
}

/* The whole source, for what it leaves behind. Refusals are told on the walk that gives the entries. */
static kt_code walk(kt_plaintext *p, kt_error *error) {
    kt_code code = start(p, error);
    if (code != KT_OK) return code;
    bool refused;
    kt_error ignored;
    do code = step(p, &refused, &ignored);
    while (code == KT_OK || refused);
    return code == KT_MEMORY ? kt_fail(error, code, "%s", ignored.text) : KT_OK;
}

/* Walks a second time to sum up what the first found to be asked for by date. */
static kt_code sum_late(kt_plaintext *p, kt_error *error) {
    /* Accounts and commodities are made anew by the walk: the names lead over. */
    size_t count = p->late_count;
    char **names = calloc(count * 2, sizeof *names);
    bool fits = names != NULL;
    for (size_t i = 0; fits && i < count; i++) {
        names[2 * i] = strdup(p->late[i].account->name);
        names[2 * i + 1] = strdup(p->late[i].commodity->code);
        fits = names[2 * i] && names[2 * i + 1];
    }
    kt_code code = fits ? start(p, error) : kt_fail(error, KT_MEMORY, "no memory to read the journal");
    for (size_t i = 0; code == KT_OK && i < count; i++) {
        kt_plain_late *late = &p->late[i];
        late->account = kt_plaintext_names_account(&p->names, names[2 * i], strlen(names[2 * i]));
        late->commodity = kt_plaintext_names_commodity(&p->names, names[2 * i + 1], strlen(names[2 * i + 1]));
        if (!late->account || !late->commodity) {
            code = kt_fail(error, KT_MEMORY, "no memory to read the journal");
            break;
        }
        late->next = late->account->first_late;
        late->account->first_late = i + 1;
    }
    for (size_t i = 0; names && i < count * 2; i++) free(names[i]);
    free(names);
    p->counting_late = true;
    bool refused;
    kt_error ignored;
    while (code == KT_OK || (code != KT_END && code != KT_MEMORY && refused)) code = step(p, &refused, &ignored);
    p->counting_late = false;
    return code == KT_MEMORY ? kt_fail(error, code, "no memory to read the journal") : KT_OK;
}

/* ---- What comes first ---- */

static char *copied(const char *text, size_t size) {
    char *copy = malloc(size + 1);
    if (copy) {
        memcpy(copy, text, size);
        copy[size] = 0;
    }
    return copy;
}

static bool collect_currencies(kt_plaintext *p) {
    size_t count = 0;
    for (const kt_plain_commodity *at = p->names.first_commodity; at; at = at->next) count++;
    p->currencies = calloc(count + 1, sizeof *p->currencies);
    for (const kt_plain_commodity *at = p->names.first_commodity; p->currencies && at; at = at->next) {
        if ((!at->posted && !at->costed) || at->size == 0) continue;
        struct kt_plain_found_currency *found = &p->currencies[p->currency_count];
        found->code = copied(at->code, at->size);
        if (!found->code) return false;
        found->size = at->size;
        found->decimals = at->posted ? at->most : at->priced;
        p->currency_count++;
    }
    return p->currencies != NULL;
}

static bool collect_accounts(kt_plaintext *p) {
    size_t count = 0;
    for (const kt_plain_account *at = p->names.first_account; at; at = at->next) count++;
    p->accounts = calloc(count + 1, sizeof *p->accounts);
    for (const kt_plain_account *at = p->names.first_account; p->accounts && at; at = at->next) {
        if (!at->declared && !at->posted) continue;
        struct kt_plain_found_account *found = &p->accounts[p->account_count];
        found->name = copied(at->name, at->size);
        if (!found->name) return false;
        found->size = at->size;
        found->type = kt_plaintext_names_type(&p->names, at);
        p->account_count++;
    }
    return p->accounts != NULL;
}

static kt_code survey(kt_plaintext *p, kt_error *error) {
    p->surveying = true;
    kt_code code = walk(p, error);
    if (code == KT_OK && p->saw_hledger && !p->saw_ledger) {
        p->hledger = true;
        p->late_count = 0;
        code = walk(p, error);
    }
    if (code == KT_OK && p->late_count > 0) code = sum_late(p, error);
    bool bare_posted = false;
    uint8_t bare = 0;
    for (const kt_plain_commodity *at = p->names.first_commodity; at; at = at->next)
        if (at->size == 0 && at->posted) {
            bare_posted = true;
            bare = at->most;
        }
    if (code == KT_OK && (!collect_currencies(p) || !collect_accounts(p)))
        code = kt_fail(error, KT_MEMORY, "no memory for the journal's accounts");
    p->surveying = false;
    if (code == KT_OK) code = start(p, error);
    for (size_t i = 0; code == KT_OK && i <= p->currency_count; i++) {
        bool named = i < p->currency_count;
        if (!named && !bare_posted) break;
        const char *name = named ? p->currencies[i].code : "";
        kt_plain_commodity *commodity = kt_plaintext_names_commodity(&p->names, name, strlen(name));
        if (!commodity) return kt_fail(error, KT_MEMORY, "no memory for the journal's currencies");
        commodity->most = named ? p->currencies[i].decimals : bare;
        commodity->posted = true;
    }
    return code;
}

/* ---- The face ---- */

static void journal_close(void *reader) {
    kt_plaintext *p = reader;
    if (!p) return;
    forget(p);
    for (size_t i = 0; i < p->currency_count; i++) free(p->currencies[i].code);
    for (size_t i = 0; i < p->account_count; i++) free(p->accounts[i].name);
    free(p->currencies);
    free(p->accounts);
    free(p->applied);
    free(p->posts);
    free(p->sums);
    free(p->lines);
    free(p->late);
    free(p);
}

static kt_code journal_open(const kt_source *source, const kt_format_options *options, void **reader, kt_error *error) {
    *reader = NULL;
    for (const char *const *at = options ? options->symbols : NULL; at && *at; at++) {
        const char *equals = strrchr(*at, '=');
        if (!equals || equals == *at || !equals[1])
            return kt_fail(error, KT_USAGE, "symbol %s: expected SYMBOL=CODE, such as $=USD", *at);
    }
    kt_plaintext *p = calloc(1, sizeof *p);
    if (!p) return kt_fail(error, KT_MEMORY, "no memory to read the journal");
    p->source = source;
    p->place = source->name ? source->name : "journal";
    if (options) p->options = *options;
    kt_plaintext_names_init(&p->names);
    kt_code code = survey(p, error);
    if (code != KT_OK) {
        journal_close(p);
        return code;
    }
    *reader = p;
    return KT_OK;
}

static size_t consumed(const kt_plaintext *p) {
    const kt_plain_file *file = p->file;
    while (file->below) file = file->below;
    return file->at;
}

static kt_code journal_next(void *reader, kt_item *item, kt_error *error) {
    kt_plaintext *p = reader;
    memset(item, 0, sizeof *item);
    if (p->currency_at < p->currency_count) {
        item->kind = KT_ITEM_CURRENCY;
        item->currency = (kt_str){p->currencies[p->currency_at].code, p->currencies[p->currency_at].size};
        item->decimals = p->currencies[p->currency_at++].decimals;
        return KT_OK;
    }
    if (p->account_at < p->account_count) {
        item->kind = KT_ITEM_ACCOUNT;
        item->account = (kt_account){.code = {p->accounts[p->account_at].name, p->accounts[p->account_at].size},
                                     .type = p->accounts[p->account_at].type,
                                     .open_from = KT_DAY_NONE,
                                     .closed_from = KT_DAY_NONE};
        p->account_at++;
        return KT_OK;
    }
    bool refused;
    kt_code code = step(p, &refused, error);
    item->kind = KT_ITEM_ENTRY;
    item->done = consumed(p);
    if (code == KT_OK && p->rule_left_out) {
        item->kind = KT_ITEM_LEFT_OUT;
        return KT_OK;
    }
    if (code == KT_OK) code = kt_plaintext_entry_give(p, &item->entry, error);
    if (code == KT_OK) item->virtual_left_out = p->virtual_left_out;
    if (code == KT_OK && item->entry.line_count == 0) item->kind = KT_ITEM_LEFT_OUT;
    if (code == KT_OK || refused) {
        item->entry.file = p->place;
        item->entry.file_line = p->entry_line;
        item->raw = p->raw;
        item->raw_size = p->raw_size;
        item->can_go_on = refused;
    }
    return code;
}

static kt_str journal_preamble(void *reader) {
    (void)reader;
    return (kt_str){NULL, 0};
}

static const char *const suffixes[] = {".journal", ".j", ".ledger", ".hledger", ".dat", ".ldg", ".test", NULL};

const kt_format kt_format_journal = {
    .name = "journal",
    .suffixes = suffixes,
    .open = journal_open,
    .next = journal_next,
    .close = journal_close,
    .preamble = journal_preamble,
};
