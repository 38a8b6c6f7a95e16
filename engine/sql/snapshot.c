#include <stdlib.h>
#include <string.h>

#include "engine/ledger/account.h"
#include "engine/sql/table.h"

/* With so many accounts looked up one by one, it is cheaper to have them all at hand. */
#define SEARCHES_MOST 64u

static void drop_sums(kt_sql_sums *sums) {
    if (sums == NULL || --sums->uses != 0) return;
    free(sums->rows);
    free(sums);
}

static void close_view(kt_sql *sql) {
    kt_names_release(&sql->names);
    free(sql->accounts);
    drop_sums(sql->sums);
    kt_view_close(sql->view);
    sql->accounts = NULL;
    sql->account_count = 0;
    sql->account_searches = 0;
    sql->named = false;
    sql->sums = NULL;
    sql->view = NULL;
}

static kt_code count_up(kt_sql *sql, kt_view *view, kt_error *error) {
    kt_head head;
    kt_totals totals = {0};
    kt_code code = kt_view_head(view, &head, error);
    if (code == KT_OK) code = kt_totals_load(view->state, &totals, error);
    if (code != KT_OK) return code;
    sql->records = head.size;
    sql->entries = head.entries;
    sql->batches = head.batches;
    sql->accounts_there = head.accounts;
    sql->postings = totals.postings;
    return KT_OK;
}

kt_code kt_sql_open(kt_sql *sql, kt_error *error) {
    kt_open_options options = {.read_only = true, .entity = kt_str_from(sql->entity)};
    if (sql->book != NULL) return KT_OK;
    const char *directory = sql->directory != NULL ? sql->directory : getenv("KONTOR_BOOK");
    if (directory == NULL || directory[0] == '\0')
        return kt_fail(error, KT_USAGE, "which book? select kontor_book('DIR') or set KONTOR_BOOK");
    return kt_book_open(directory, &options, &sql->book, error);
}

kt_code kt_sql_choose(kt_sql *sql, const char *directory, const kt_view_options *view, kt_error *error) {
    if (sql->cursors != 0) return kt_fail(error, KT_BUSY, "a statement is still reading the book that is open");
    char *copy = NULL;
    if (directory != NULL && (copy = strdup(directory)) == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_book_close(sql->book);
    free(sql->directory);
    sql->book = NULL;
    sql->directory = copy;
    sql->view_options = *view;
    kt_code code = directory == NULL ? KT_OK : kt_sql_enter(sql, error); /* also to see how much there is */
    if (code == KT_OK && directory != NULL) kt_sql_leave(sql);
    return code;
}

kt_code kt_sql_enter(kt_sql *sql, kt_error *error) {
    kt_code code = KT_OK;
    if (sql->cursors == 0) {
        code = kt_sql_open(sql, error);
        if (code == KT_OK) code = kt_view_open(sql->book, &sql->view_options, &sql->view, error);
        if (code == KT_OK) code = count_up(sql, sql->view, error);
        if (code != KT_OK) close_view(sql);
    }
    if (code == KT_OK) sql->cursors++;
    return code;
}

void kt_sql_leave(kt_sql *sql) {
    if (--sql->cursors == 0) close_view(sql);
}

void kt_sql_release(kt_sql *sql) {
    if (--sql->uses != 0) return;
    close_view(sql);
    kt_book_close(sql->book);
    free(sql->directory);
    free(sql);
}

/* ---- of the snapshot ---- */

kt_code kt_sql_currencies(kt_sql *sql, const kt_names **out, kt_error *error) {
    if (!sql->named) {
        kt_code code = kt_currency_names_load(sql->view, &sql->names, error);
        if (code != KT_OK) {
            kt_names_release(&sql->names);
            return code;
        }
        sql->named = true;
    }
    *out = &sql->names;
    return KT_OK;
}

uint16_t kt_sql_currency_id(const kt_names *names, kt_str code) {
    if (code.size == 0) return names->book_currency;
    for (uint16_t i = 0; i < names->currency_count; i++)
        if (kt_str_equal(names->currencies[i].code, code)) return (uint16_t)(i + 1);
    return 0;
}

const kt_currency *kt_sql_book_currency(const kt_names *names) {
    static const kt_currency none;
    return names->book_currency == 0 ? &none : &names->currencies[names->book_currency - 1];
}

kt_code kt_sql_accounts(kt_sql *sql, const kt_account **out, size_t *count, kt_error *error) {
    kt_code code = KT_OK;
    if (sql->accounts == NULL) code = kt_view_accounts(sql->view, &sql->accounts, &sql->account_count, error);
    *out = sql->accounts;
    *count = sql->account_count;
    return code;
}

static kt_code search(const kt_account *accounts, size_t count, kt_str code, kt_account *out) {
    size_t low = 0, high = count;
    kt_span wanted = kt_span_of(code.data, code.size);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = kt_span_compare(kt_span_of(accounts[middle].code.data, accounts[middle].code.size), wanted);
        if (order == 0) {
            *out = accounts[middle];
            return KT_OK;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return KT_NOT_FOUND;
}

kt_code kt_sql_account(kt_sql *sql, kt_str code, kt_account *out, kt_error *error) {
    const kt_account *accounts;
    size_t count;
    if (code.size == 0 || code.size > KT_ACCOUNT_CODE_MAX) return KT_NOT_FOUND;
    if (sql->accounts == NULL && sql->account_searches++ < SEARCHES_MOST)
        return kt_view_account(sql->view, code, out, error);
    kt_code found = kt_sql_accounts(sql, &accounts, &count, error);
    return found == KT_OK ? search(accounts, count, code, out) : found;
}

kt_code kt_sql_batch_range(kt_sql *sql, kt_str id, uint64_t *first, uint64_t *last, bool *found, kt_error *error) {
    kt_batch_row row;
    kt_code code = kt_batch_row_by_id(sql->view->state, kt_span_of(id.data, id.size), &row, error);
    *found = code == KT_OK && row.last < sql->view->end;
    if (*found) {
        *first = row.first;
        *last = row.last;
    }
    return code == KT_NOT_FOUND ? KT_OK : code;
}

kt_code kt_sql_batch_of(kt_sql *sql, uint64_t record, kt_batch_row *row, bool *known, kt_error *error) {
    if (*known && record >= row->first && record <= row->last) return KT_OK;
    kt_code code = kt_batch_row_of(sql->view->state, record, row, error);
    *known = code == KT_OK;
    return code == KT_NOT_FOUND ? kt_fail(error, KT_DAMAGED, "record %llu lies in no batch", (unsigned long long)record)
                                : code;
}

kt_code kt_sql_numbers(kt_sql *sql, const kt_sql_bounds *bounds, uint64_t *first, uint64_t *last, bool *any,
                       kt_error *error) {
    uint64_t from = 0, to = 0;
    *any = !bounds->nothing && sql->view->end != 0;
    if (!*any) return KT_OK;
    *first = bounds->first;
    *last = bounds->last < sql->view->end ? bounds->last : sql->view->end - 1;
    if (bounds->batch.data != NULL) {
        kt_code code = kt_sql_batch_range(sql, bounds->batch, &from, &to, any, error);
        if (code != KT_OK) return code;
        if (from > *first) *first = from;
        if (to < *last) *last = to;
    }
    *any = *any && *first <= *last;
    return KT_OK;
}
