/*
 * lines: one row a line of an entry.
 *
 * Where accounts are named, their postings come from the lists by account and month that statements read, gathered and brought
 * into the order of record; the journal is asked only for what the lists do not hold (texts, vouchers, costs). Otherwise the
 * journal is walked.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/ledger/account.h"
#include "engine/ledger/balance.h"
#include "engine/sql/walk.h"

enum {
    NUMBER,
    LINE,
    DATE,
    ACCOUNT,
    AMOUNT,
    AMOUNT_TEXT,
    CURRENCY,
    DECIMALS,
    DEBIT,
    CREDIT,
    BOOK_AMOUNT,
    BOOK_AMOUNT_TEXT,
    COST,
    COST_TEXT,
    COST_CURRENCY,
    SERIES,
    VOUCHER,
    TEXT,
    REF,
    TAX_CODE,
    COST_CENTRE,
    DEPARTMENT,
    PROJECT,
    DIMENSIONS
};

static const kt_sql_column columns[] = {
    [NUMBER] = {"number", "INTEGER", KT_SQL_NUMBER, "of the entry"},
    [LINE] = {"line", "INTEGER", KT_SQL_PLAIN, "in the entry, from 0"},
    [DATE] = {"date", "TEXT", KT_SQL_DAY, "of the entry"},
    [ACCOUNT] = {"account", "TEXT", KT_SQL_ACCOUNT, "code"},
    [AMOUNT] = {"amount", "INTEGER", KT_SQL_PLAIN, "in smallest units, debit above zero"},
    [AMOUNT_TEXT] = {"amount_text", "TEXT", KT_SQL_PLAIN, "the same with its decimals, exact"},
    [CURRENCY] = {"currency", "TEXT", KT_SQL_CURRENCY, "of amount"},
    [DECIMALS] = {"decimals", "INTEGER", KT_SQL_PLAIN, "of the currency"},
    [DEBIT] = {"debit", "INTEGER", KT_SQL_PLAIN, "in smallest units; NULL: it stands in the other column"},
    [CREDIT] = {"credit", "INTEGER", KT_SQL_PLAIN, "likewise"},
    [BOOK_AMOUNT] = {"book_amount", "INTEGER", KT_SQL_PLAIN, "in the book's currency; NULL: it has no rate"},
    [BOOK_AMOUNT_TEXT] = {"book_amount_text", "TEXT", KT_SQL_PLAIN, "the same with its decimals, exact"},
    [COST] = {"cost", "INTEGER", KT_SQL_PLAIN, "what the line counts for, where it has a rate"},
    [COST_TEXT] = {"cost_text", "TEXT", KT_SQL_PLAIN, "the same with its decimals, exact"},
    [COST_CURRENCY] = {"cost_currency", "TEXT", KT_SQL_PLAIN, NULL},
    [SERIES] = {"series", "TEXT", KT_SQL_PLAIN, "of the entry"},
    [VOUCHER] = {"voucher", "TEXT", KT_SQL_PLAIN, "of the entry"},
    [TEXT] = {"text", "TEXT", KT_SQL_PLAIN, "the line's, else the entry's"},
    [REF] = {"ref", "TEXT", KT_SQL_PLAIN, "the line's, else the entry's"},
    [TAX_CODE] = {"tax_code", "TEXT", KT_SQL_PLAIN, NULL},
    [COST_CENTRE] = {"cost_centre", "TEXT", KT_SQL_PLAIN, NULL},
    [DEPARTMENT] = {"department", "TEXT", KT_SQL_PLAIN, NULL},
    [PROJECT] = {"project", "TEXT", KT_SQL_PLAIN, NULL},
    [DIMENSIONS] = {"dimensions", "TEXT", KT_SQL_PLAIN, "the other ones, \"4=x 5=y\""},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

/* Gathering is for few lines of many: beyond these, the journal is walked. One account alone is always gathered. */
#define GATHER_MOST UINT64_C(4000000)
#define WALK_AT_MOST 1024u /* records in which it is quicker to look than to gather */

struct posting {
    kt_amount amount, book;
    uint64_t number;
    uint32_t line;
    kt_day date;
    uint32_t account; /* place in codes */
    uint16_t currency;
    bool has_book, minus;
};

typedef struct state {
    kt_sql_walk walk;
    const kt_names *names;
    bool gathered;
    size_t at; /* of lines, or of postings; the entry's line where the journal is walked */
    /* Gathered: */
    struct posting *postings;
    size_t count, room;
    kt_str *codes;
    uint32_t code_count;
    bool descending;
    uint64_t first;    /* numbers below are left out */
    uint16_t currency; /* 0: any */
} state;

static uint64_t rows(const kt_sql *sql) { return sql->postings; }

/* ---- gathering ---- */

static kt_code take(void *context, const kt_run_key *key, const kt_run_item *item, kt_error *error) {
    state *self = context;
    if (item->number < self->first || (self->currency != 0 && key->currency != self->currency)) return KT_OK;
    if (key->currency == 0 || key->currency > self->names->currency_count)
        return kt_fail(error, KT_DAMAGED, "a posting names no currency on record");
    if (self->count == self->room) {
        size_t room = self->room == 0 ? 256 : self->room * 2;
        struct posting *grown = realloc(self->postings, room * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        self->postings = grown;
        self->room = room;
    }
    self->postings[self->count++] = (struct posting){.amount = item->amount,
                                                     .book = item->book,
                                                     .number = item->number,
                                                     .line = item->line,
                                                     .date = kt_month_first(key->month) + item->day,
                                                     .account = self->code_count,
                                                     .currency = key->currency,
                                                     .has_book = !item->unvalued,
                                                     .minus = item->minus};
    return KT_OK;
}

static int by_number(const void *a, const void *b) {
    const struct posting *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static kt_code scan_account(state *self, kt_sql *sql, const kt_account *account, const kt_sql_bounds *bounds,
                            uint64_t last, kt_error *error) {
    kt_runs_query query;
    (void)kt_span_query(bounds->from == KT_DAY_MIN ? KT_DAY_NONE : bounds->from,
                        bounds->to == KT_DAY_MAX ? KT_DAY_NONE : bounds->to, last + 1, &query);
    query.account = account->id;
    query.items = true;
    kt_code code = kt_runs_scan(sql->view->txn, kt_ledger_runs, &query, NULL, take, self, error);
    self->codes[self->code_count++] = account->code;
    return code;
}

static kt_code gather_one(state *self, kt_sql *sql, const kt_sql_bounds *bounds, uint64_t last, kt_error *error) {
    kt_account account;
    kt_str code = bounds->account.low;
    if (code.size == 0 || code.size > KT_ACCOUNT_CODE_MAX) return KT_OK;
    kt_code found = kt_account_facts(sql->view->state, code, &account, error);
    if (found != KT_OK) return found == KT_NOT_FOUND ? KT_OK : found;
    self->codes = malloc(sizeof *self->codes);
    if (self->codes == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    account.code = kt_view_keep(sql->view, code); /* the value's bytes are SQLite's */
    return account.code.size == 0 ? kt_fail(error, KT_MEMORY, "out of memory")
                                  : scan_account(self, sql, &account, bounds, last, error);
}

static kt_code gather_some(state *self, kt_sql *sql, const kt_sql_bounds *bounds, uint64_t last, kt_error *error) {
    const kt_account *accounts;
    size_t count, fit = 0;
    kt_code code = kt_sql_accounts(sql, &accounts, &count, error);
    for (size_t i = 0; i < count && code == KT_OK; i++) fit += kt_sql_codes_fit(&bounds->account, accounts[i].code);
    self->gathered = fit <= count / 4 + 1 && (count == 0 || sql->postings / count * fit <= GATHER_MOST);
    if (code != KT_OK || !self->gathered || fit == 0) return code;
    self->codes = malloc(fit * sizeof *self->codes);
    if (self->codes == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    for (size_t i = 0; i < count && code == KT_OK; i++)
        if (kt_sql_codes_fit(&bounds->account, accounts[i].code))
            code = scan_account(self, sql, &accounts[i], bounds, last, error);
    return code;
}

static kt_code gather(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, uint64_t last, kt_error *error) {
    state *self = cursor->state;
    self->gathered = true;
    self->descending = bounds->descending;
    kt_code code = kt_sql_codes_one(&bounds->account) ? gather_one(self, cursor->sql, bounds, last, error)
                                                      : gather_some(self, cursor->sql, bounds, last, error);
    if (code != KT_OK || !self->gathered) return code;
    if (self->count != 0) qsort(self->postings, self->count, sizeof *self->postings, by_number);
    self->at = self->descending ? self->count - 1 : 0;
    cursor->end = self->count == 0;
    return KT_OK;
}

/* ---- walking ---- */

/* The first line of the entry that the walk stands on. */
static kt_code enter_entry(kt_sql_cursor *cursor, kt_error *error) {
    state *self = cursor->state;
    if (cursor->end) return KT_OK;
    kt_code code = kt_sql_walk_unpack(&self->walk, error);
    self->at = code == KT_OK && self->walk.descending ? self->walk.entry.line_count - 1 : 0;
    return code;
}

static kt_code filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    state *self = cursor->state;
    uint64_t last;
    bool any;
    free(self->codes);
    self->codes = NULL;
    self->code_count = 0;
    self->count = 0;
    self->gathered = false;
    cursor->end = true;
    kt_code code = kt_sql_currencies(cursor->sql, &self->names, error);
    if (code == KT_OK) code = kt_sql_numbers(cursor->sql, bounds, &self->first, &last, &any, error);
    if (code != KT_OK || !any) return code;
    self->currency = 0;
    if (bounds->currency.data != NULL) {
        self->currency = bounds->currency.size == 0 ? 0 : kt_sql_currency_id(self->names, bounds->currency);
        if (self->currency == 0) return KT_OK;
    }
    if (bounds->by_account && last - self->first >= WALK_AT_MOST) {
        code = gather(cursor, bounds, last, error);
        if (code != KT_OK || self->gathered) return code;
    }
    code = kt_sql_walk_begin(&self->walk, cursor->sql, bounds, &cursor->end, error);
    return code == KT_OK ? enter_entry(cursor, error) : code;
}

static kt_code next(kt_sql_cursor *cursor, kt_error *error) {
    state *self = cursor->state;
    if (self->gathered) {
        cursor->end = self->descending ? self->at == 0 : self->at + 1 >= self->count;
        self->at += self->descending ? (size_t)-1 : 1;
        return KT_OK;
    }
    if (self->walk.descending ? self->at > 0 : self->at + 1 < self->walk.entry.line_count) {
        self->at += self->walk.descending ? (size_t)-1 : 1;
        return KT_OK;
    }
    kt_code code = kt_sql_walk_next(&self->walk, &cursor->end, error);
    return code == KT_OK ? enter_entry(cursor, error) : code;
}

/* ---- cells ---- */

/* The line at hand, as much of it as the lists hold. */
static kt_code line_now(kt_sql_cursor *cursor, struct posting *out, kt_str *account, kt_error *error) {
    const state *self = cursor->state;
    if (self->gathered) {
        *out = self->postings[self->at];
        *account = self->codes[out->account];
        return KT_OK;
    }
    const kt_line *line = &self->walk.entry.lines[self->at];
    kt_str weighs = line->has_cost ? line->cost_currency : line->currency;
    uint16_t currency = kt_sql_currency_id(self->names, line->currency), book = self->names->book_currency;
    if (currency == 0)
        return kt_fail(error, KT_DAMAGED, "entry %llu names no currency on record",
                       (unsigned long long)self->walk.number);
    *out = (struct posting){.amount = line->amount,
                            .book = line->has_cost && currency != book ? line->cost : line->amount,
                            .number = self->walk.number,
                            .line = (uint32_t)self->at,
                            .date = self->walk.envelope.date,
                            .currency = currency,
                            .has_book = kt_sql_currency_id(self->names, weighs) == book,
                            .minus = self->walk.entry.minus};
    *account = line->account;
    return KT_OK;
}

static int64_t row_id(kt_sql_cursor *cursor) {
    const state *self = cursor->state;
    uint64_t number = self->gathered ? self->postings[self->at].number : self->walk.number;
    uint64_t line = self->gathered ? self->postings[self->at].line : self->at;
    return (int64_t)(number << 20 | line); /* KT_LINES_MAX is below 2^20 */
}
_Static_assert(KT_LINES_MAX < 1 << 20, "a line's number fits its row's");

/* A value of the line whose entry is not at hand: the journal is asked. */
static kt_code whole_line(kt_sql_cursor *cursor, const kt_line **out, kt_error *error) {
    state *self = cursor->state;
    size_t line = self->at;
    if (self->gathered) {
        const struct posting *posting = &self->postings[self->at];
        kt_code code = kt_sql_walk_read(&self->walk, cursor->sql, posting->number, error);
        if (code != KT_OK) return code;
        line = posting->line;
    }
    if (line >= self->walk.entry.line_count)
        return kt_fail(error, KT_DAMAGED, "entry %llu has no line %zu", (unsigned long long)self->walk.number, line);
    *out = &self->walk.entry.lines[line];
    return KT_OK;
}

static kt_code cost_cell(const state *self, sqlite3_context *out, const kt_line *line, int column, kt_error *error) {
    uint16_t id = kt_sql_currency_id(self->names, line->cost_currency);
    if (!line->has_cost || id == 0) return KT_OK;
    const kt_currency *currency = &self->names->currencies[id - 1];
    if (column == COST) return kt_sql_amount(out, line->cost, "cost_text", error);
    if (column == COST_TEXT) kt_sql_amount_text(out, line->cost, currency->decimals);
    else kt_sql_text(out, currency->code);
    return KT_OK;
}

static kt_str dimension(const kt_line *line, uint8_t wanted) {
    for (uint8_t i = 0; i < line->dimension_count; i++)
        if (line->dimensions[i].dimension == wanted) return line->dimensions[i].value;
    return (kt_str){NULL, 0};
}

static void other_dimensions(sqlite3_context *out, const kt_line *line) {
    char text[KT_DIMENSIONS_MAX * (KT_DIMENSION_VALUE_MAX + 4)];
    size_t used = 0;
    for (uint8_t i = 0; i < line->dimension_count; i++) {
        const kt_dimension *pair = &line->dimensions[i];
        if (pair->dimension <= KT_DIMENSION_PROJECT || pair->value.size > KT_DIMENSION_VALUE_MAX) continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%u=%.*s", used == 0 ? "" : " ", pair->dimension,
                                 (int)pair->value.size, pair->value.data);
    }
    kt_sql_text(out, (kt_str){text, used});
}

static kt_code whole_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    state *self = cursor->state;
    const kt_line *line = NULL;
    kt_code code = whole_line(cursor, &line, error);
    if (code != KT_OK) return code;
    const kt_entry *entry = &self->walk.entry;
    switch (column) {
    case COST:
    case COST_TEXT:
    case COST_CURRENCY: return cost_cell(self, out, line, column, error);
    case SERIES: kt_sql_text(out, entry->series); break;
    case VOUCHER: kt_sql_text(out, entry->voucher); break;
    case TEXT: kt_sql_text(out, line->text.size != 0 ? line->text : entry->text); break;
    case REF: kt_sql_text(out, line->ref.size != 0 ? line->ref : entry->ref); break;
    case TAX_CODE: kt_sql_text(out, line->tax_code); break;
    case COST_CENTRE: kt_sql_text(out, dimension(line, KT_DIMENSION_COST_CENTRE)); break;
    case DEPARTMENT: kt_sql_text(out, dimension(line, KT_DIMENSION_DEPARTMENT)); break;
    case PROJECT: kt_sql_text(out, dimension(line, KT_DIMENSION_PROJECT)); break;
    case DIMENSIONS: other_dimensions(out, line); break;
    default: break;
    }
    return KT_OK;
}

/* Which column it stands in: the sign says, and minus amounts stay in the other one. */
static kt_code side_cell(sqlite3_context *out, const struct posting *line, bool debit, kt_error *error) {
    if ((line->amount >= 0) == line->minus ? debit : !debit) return KT_OK;
    return kt_sql_amount(out, debit ? line->amount : -line->amount, "amount_text", error);
}

static kt_code cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    const state *self = cursor->state;
    struct posting line = {0};
    kt_str account = {NULL, 0};
    kt_code code = line_now(cursor, &line, &account, error);
    if (code != KT_OK) return code;
    const kt_currency *currency = &self->names->currencies[line.currency - 1];
    switch (column) {
    case NUMBER: kt_sql_number(out, line.number); break;
    case LINE: kt_sql_number(out, line.line); break;
    case DATE: kt_sql_day(out, line.date); break;
    case ACCOUNT: kt_sql_text(out, account); break;
    case AMOUNT: code = kt_sql_amount(out, line.amount, "amount_text", error); break;
    case AMOUNT_TEXT: kt_sql_amount_text(out, line.amount, currency->decimals); break;
    case CURRENCY: kt_sql_text(out, currency->code); break;
    case DECIMALS: kt_sql_number(out, currency->decimals); break;
    case DEBIT:
    case CREDIT: code = side_cell(out, &line, column == DEBIT, error); break;
    case BOOK_AMOUNT:
        if (line.has_book) code = kt_sql_amount(out, line.book, "book_amount_text", error);
        break;
    case BOOK_AMOUNT_TEXT:
        if (line.has_book) kt_sql_amount_text(out, line.book, kt_sql_book_currency(self->names)->decimals);
        break;
    default: return whole_cell(cursor, out, column, error);
    }
    return code == KT_OK ? KT_OK
                         : kt_fail_at(error, code, "entry %llu, line %u", (unsigned long long)line.number, line.line);
}

static void release(kt_sql_cursor *cursor) {
    state *self = cursor->state;
    kt_sql_walk_release(&self->walk);
    free(self->postings);
    free(self->codes);
}

const kt_sql_table kt_sql_lines = {.name = "lines",
                                   .about = "lines of entries, in the order of record",
                                   .columns = columns,
                                   .order = {NUMBER, LINE},
                                   .backwards = true,
                                   .state = sizeof(state),
                                   .rows = rows,
                                   .filter = filter,
                                   .next = next,
                                   .cell = cell,
                                   .row_id = row_id,
                                   .release = release};
