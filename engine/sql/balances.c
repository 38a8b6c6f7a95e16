/*
 * balances: the trial balance, of all days or of those asked for: balances('2026-01-01', '2026-03-31', 'month').
 *
 * The sums of one question are kept while the snapshot lasts, so that looking up accounts one by one in a join adds up once.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/sql/table.h"

enum {
    ACCOUNT,
    NAME,
    TYPE,
    CURRENCY,
    GROUPING,
    DECIMALS,
    DEBIT,
    CREDIT,
    BALANCE,
    BALANCE_TEXT,
    BOOK_DEBIT,
    BOOK_CREDIT,
    BOOK_BALANCE,
    BOOK_BALANCE_TEXT,
    LINES,
    UNVALUED,
    SINCE,
    UNTIL,
    BY
};

static const kt_sql_column columns[] = {
    [ACCOUNT] = {"account", "TEXT", KT_SQL_ACCOUNT, "code"},
    [NAME] = {"name", "TEXT", KT_SQL_PLAIN, "of the account"},
    [TYPE] = {"type", "TEXT", KT_SQL_PLAIN, "of the account"},
    [CURRENCY] = {"currency", "TEXT", KT_SQL_PLAIN, NULL},
    [GROUPING] = {"grouping", "TEXT", KT_SQL_PLAIN, "what they are summed by: a month, a cost centre …"},
    [DECIMALS] = {"decimals", "INTEGER", KT_SQL_PLAIN, "of the currency"},
    [DEBIT] = {"debit", "INTEGER", KT_SQL_PLAIN, "in smallest units"},
    [CREDIT] = {"credit", "INTEGER", KT_SQL_PLAIN, "in smallest units"},
    [BALANCE] = {"balance", "INTEGER", KT_SQL_PLAIN, "debit minus credit"},
    [BALANCE_TEXT] = {"balance_text", "TEXT", KT_SQL_PLAIN, "the same with its decimals, exact"},
    [BOOK_DEBIT] = {"book_debit", "INTEGER", KT_SQL_PLAIN, "in the book's currency"},
    [BOOK_CREDIT] = {"book_credit", "INTEGER", KT_SQL_PLAIN, "in the book's currency"},
    [BOOK_BALANCE] = {"book_balance", "INTEGER", KT_SQL_PLAIN, "in the book's currency"},
    [BOOK_BALANCE_TEXT] = {"book_balance_text", "TEXT", KT_SQL_PLAIN, "the same with its decimals, exact"},
    [LINES] = {"lines", "INTEGER", KT_SQL_PLAIN, "postings summed"},
    [UNVALUED] = {"unvalued", "INTEGER", KT_SQL_PLAIN, "of them without an amount in the book's currency"},
    [SINCE] = {"since", "TEXT", KT_SQL_SINCE, "first day; 2026-03 and 2026 will do"},
    [UNTIL] = {"until", "TEXT", KT_SQL_UNTIL, "last day, likewise"},
    [BY] = {"by", "TEXT", KT_SQL_BY, "month, cost_centre, department, project or a dimension's number"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

typedef struct state {
    kt_sql_sums *sums;
    size_t at, end;
} state;

static uint64_t rows(const kt_sql *sql) { return sql->accounts_there; }

static void drop(kt_sql_sums *sums) {
    if (sums == NULL || --sums->uses != 0) return;
    free(sums->rows);
    free(sums);
}

static kt_code read_day(kt_str text, bool last, const char *name, kt_day *out, kt_error *error) {
    kt_day first_day, last_day;
    *out = KT_DAY_NONE;
    if (text.size == 0) return KT_OK;
    if (!kt_day_parse_span(text.data, text.size, &first_day, &last_day))
        return kt_fail(error, KT_USAGE, "%s: '%.*s': expected a day that exists, as 2026-03-31, 2026-03 or 2026", name,
                       (int)(text.size < 40 ? text.size : 40), text.data);
    *out = last ? last_day : first_day;
    return KT_OK;
}

static kt_code read_by(kt_str text, kt_by *out, kt_error *error) {
    static const struct {
        const char *name;
        kt_by by;
    } names[] = {{"month", KT_BY_MONTH},
                 {"cost_centre", KT_BY_COST_CENTRE},
                 {"department", KT_BY_DEPARTMENT},
                 {"project", KT_BY_PROJECT}};
    *out = KT_BY_NOTHING;
    if (text.size == 0) return KT_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (kt_str_equal(text, kt_str_from(names[i].name))) {
            *out = names[i].by;
            return KT_OK;
        }
    int number = 0;
    for (size_t i = 0; i < text.size && number <= KT_DIMENSIONS_MAX; i++) {
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';
        number = digit ? number * 10 + (text.data[i] - '0') : KT_DIMENSIONS_MAX + 1;
    }
    *out = (kt_by)number;
    if (number >= 1 && number <= KT_DIMENSIONS_MAX) return KT_OK;
    return kt_fail(error, KT_USAGE, "by: '%.*s': expected month, cost_centre, department, project or 1 to %d",
                   (int)(text.size < 40 ? text.size : 40), text.data, KT_DIMENSIONS_MAX);
}

static kt_code find_sums(kt_sql *sql, const kt_balance_query *query, kt_sql_sums **out, kt_error *error) {
    kt_sql_sums *kept = sql->sums;
    if (kept == NULL || kept->query.from != query->from || kept->query.to != query->to || kept->query.by != query->by) {
        kept = calloc(1, sizeof *kept);
        if (kept == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        *kept = (kt_sql_sums){.query = *query, .uses = 1};
        kt_code code = kt_balances(sql->view, query, &kept->rows, &kept->count, error);
        if (code != KT_OK) {
            free(kept);
            return code;
        }
        drop(sql->sums);
        sql->sums = kept;
    }
    kept->uses++;
    *out = kept;
    return KT_OK;
}

static int compare(kt_str a, kt_str b) {
    return kt_span_compare(kt_span_of(a.data, a.size), kt_span_of(b.data, b.size));
}

/* Rows are by account: the first whose account does not lie below (or lies above) a code. */
static size_t place(const kt_sql_sums *sums, kt_str code, bool above) {
    size_t low = 0, high = sums->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(sums->rows[middle].account, code);
        if (order < 0 || (above && order == 0)) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void release(kt_sql_cursor *cursor) {
    state *self = cursor->state;
    drop(self->sums);
    self->sums = NULL;
}

static kt_code filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    state *self = cursor->state;
    kt_balance_query query;
    kt_code code = read_day(bounds->since, false, "since", &query.from, error);
    if (code == KT_OK) code = read_day(bounds->until, true, "until", &query.to, error);
    if (code == KT_OK) code = read_by(bounds->by, &query.by, error);
    release(cursor);
    if (code == KT_OK) code = find_sums(cursor->sql, &query, &self->sums, error);
    if (code != KT_OK) return code;
    self->at = bounds->account.has_low ? place(self->sums, bounds->account.low, false) : 0;
    self->end = bounds->account.has_high ? place(self->sums, bounds->account.high, true) : self->sums->count;
    cursor->end = self->at >= self->end;
    return KT_OK;
}

static kt_code next(kt_sql_cursor *cursor, kt_error *error) {
    state *self = cursor->state;
    (void)error;
    cursor->end = ++self->at >= self->end;
    return KT_OK;
}

/* The place in the whole answer, and beside it which question was asked. */
static int64_t row_id(kt_sql_cursor *cursor) {
    const state *self = cursor->state;
    const kt_balance_query *query = &self->sums->query;
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ (uint32_t)query->from) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ (uint32_t)query->to ^ hash >> 32) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ (uint32_t)query->by ^ hash >> 32) * UINT64_C(0xff51afd7ed558ccd);
    return (int64_t)(hash >> 33 << 32 | (uint32_t)self->at);
}

static kt_code cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    const state *self = cursor->state;
    const kt_balance *row = &self->sums->rows[self->at];
    kt_code code = KT_OK;
    switch (column) {
    case ACCOUNT: kt_sql_text(out, row->account); break;
    case NAME: kt_sql_text(out, row->name); break;
    case TYPE: kt_sql_text(out, kt_str_from(kt_account_type_name(row->type))); break;
    case CURRENCY: kt_sql_text(out, row->currency); break;
    case GROUPING: kt_sql_text(out, row->group); break;
    case DECIMALS: kt_sql_number(out, row->decimals); break;
    case DEBIT: code = kt_sql_amount(out, row->debit, "balance_text", error); break;
    case CREDIT: code = kt_sql_amount(out, row->credit, "balance_text", error); break;
    case BALANCE: code = kt_sql_amount(out, row->balance, "balance_text", error); break;
    case BALANCE_TEXT: kt_sql_amount_text(out, row->balance, row->decimals); break;
    case BOOK_DEBIT: code = kt_sql_amount(out, row->book_debit, "book_balance_text", error); break;
    case BOOK_CREDIT: code = kt_sql_amount(out, row->book_credit, "book_balance_text", error); break;
    case BOOK_BALANCE: code = kt_sql_amount(out, row->book_balance, "book_balance_text", error); break;
    case BOOK_BALANCE_TEXT: kt_sql_amount_text(out, row->book_balance, row->book_decimals); break;
    case LINES: kt_sql_number(out, row->lines); break;
    case UNVALUED: kt_sql_number(out, row->unvalued); break;
    default: break; /* arguments are not told */
    }
    return code == KT_OK ? KT_OK : kt_fail_at(error, code, "account %.*s", (int)row->account.size, row->account.data);
}

const kt_sql_table kt_sql_balances = {
    .name = "balances",
    .about = "sums by account and currency: balances(since, until, by), each may be left out",
    .columns = columns,
    .order = {ACCOUNT, CURRENCY},
    .state = sizeof(state),
    .rows = rows,
    .filter = filter,
    .next = next,
    .cell = cell,
    .row_id = row_id,
    .release = release};
