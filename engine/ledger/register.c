#include "engine/ledger/register.h"

#include <stdlib.h>

#include "engine/ledger/account.h"
#include "engine/ledger/company.h"
#include "engine/ledger/currency.h"
#include "engine/ledger/period.h"
#include "storage/codec.h"
#include "storage/scan.h"

/* ---- the head and the company ---- */

/* Lists of one account are in the order of records, so each entry is counted where its first line stands. */
static kt_code count_entries(void *context, const kt_run_key *key, const kt_run_item *item, kt_error *error) {
    kt_head *head = context;
    (void)error;
    kt_day day = kt_month_first(key->month) + item->day;
    if (item->line == 0) head->entries++;
    if (head->first_day == KT_DAY_NONE || day < head->first_day) head->first_day = day;
    if (head->last_day == KT_DAY_NONE || day > head->last_day) head->last_day = day;
    return KT_OK;
}

kt_code kt_view_head(kt_view *view, kt_head *out, kt_error *error) {
    kt_totals totals = {0};
    *out = (kt_head){.size = view->end,
                     .batches = view->row.batches,
                     .recorded_us = view->row.recorded_us,
                     .first_day = KT_DAY_NONE,
                     .last_day = KT_DAY_NONE};
    memcpy(out->root, view->row.root, KT_HASH_SIZE);
    if (view->as_known) {
        kt_runs_query query = {
            .first_month = INT32_MIN, .last_month = INT32_MAX, .last_day = 31, .end = view->end, .items = true};
        kt_code code = kt_runs_scan(view->txn, kt_ledger_runs, &query, NULL, count_entries, out, error);
        if (code != KT_OK) return code;
    } else {
        kt_code code = kt_totals_load(view->state, &totals, error);
        if (code != KT_OK) return code;
        out->entries = totals.entries;
        out->first_day = totals.first_day;
        out->last_day = totals.last_day;
    }
    uint64_t pages;
    if (!view->as_known) return kt_table_stat(view->txn, KT_TABLE_ACCOUNTS, &out->accounts, &pages, error);
    kt_account *accounts;
    size_t count;
    kt_code code = kt_view_accounts(view, &accounts, &count, error);
    if (code != KT_OK) return code;
    out->accounts = count;
    free(accounts);
    return KT_OK;
}

kt_code kt_view_company(kt_view *view, kt_day at, kt_company *out, kt_error *error) {
    kt_code code = kt_company_at(view->state, at, view->as_known ? view->end : UINT64_MAX, out, error);
    return code == KT_NOT_FOUND ? kt_fail(error, code, "the company was not on record then") : code;
}

/* ---- accounts ---- */

/* The account as of the view's end: KT_NOT_FOUND where it was opened later. */
static kt_code as_known(kt_view *view, kt_account *account, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    kt_record record;
    uint8_t wanted[12];
    if (!view->as_known || account->record < view->end) return KT_OK;
    kt_code code = kt_cursor_open(view->txn, KT_TABLE_ACCOUNT_FACTS, &cursor, error);
    if (code != KT_OK) return code;
    kt_put_be32(wanted, account->id);
    kt_put_be64(wanted + 4, view->end);
    code = kt_cursor_seek(cursor, kt_span_of(wanted, sizeof wanted), &key, &value, error);
    code = code == KT_OK    ? kt_cursor_prev(cursor, &key, &value, error)
           : code == KT_END ? kt_cursor_last(cursor, &key, &value, error)
                            : code;
    if (code == KT_OK && (key.size != 12 || kt_get_be32(key.data) != account->id)) code = KT_END;
    kt_cursor_close(cursor);
    if (code == KT_END) return KT_NOT_FOUND;
    if (code != KT_OK) return code;
    record = (kt_record){.number = kt_get_be64(key.data + 4), .body = value};
    uint32_t id = account->id;
    code = kt_account_body_read(&record, account, error);
    account->id = id;
    return code;
}

kt_code kt_view_account(kt_view *view, kt_str code, kt_account *out, kt_error *error) {
    kt_code result = kt_account_facts(view->state, code, out, error);
    if (result == KT_OK) {
        out->code = kt_view_keep(view, code);
        result = as_known(view, out, error);
    }
    return result == KT_NOT_FOUND ? kt_fail(error, result, "account %.*s is not on record", (int)code.size, code.data)
                                  : result;
}

kt_code kt_view_accounts(kt_view *view, kt_account **out, size_t *count, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    uint64_t room, pages;
    *out = NULL;
    *count = 0;
    kt_code code = kt_table_stat(view->txn, KT_TABLE_ACCOUNTS, &room, &pages, error);
    if (code != KT_OK) return code;
    kt_account *accounts = calloc(room + 1, sizeof *accounts);
    if (accounts == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    code = kt_cursor_open(view->txn, KT_TABLE_ACCOUNTS, &cursor, error);
    if (code == KT_OK) {
        for (code = kt_cursor_first(cursor, &key, &value, error); code == KT_OK && *count < room;
             code = kt_cursor_next(cursor, &key, &value, error)) {
            code = kt_account_facts_read(key, value, &accounts[*count], error);
            if (code == KT_OK) code = as_known(view, &accounts[*count], error);
            if (code == KT_OK) ++*count;
            else if (code != KT_NOT_FOUND) break;
        }
        kt_cursor_close(cursor);
    }
    if (code != KT_OK && code != KT_END) {
        free(accounts);
        return code;
    }
    *out = accounts;
    return KT_OK;
}

/* ---- currencies ---- */

static kt_code read_currency(kt_span key, kt_span value, kt_currency *out, uint16_t *id, kt_error *error) {
    kt_currency_slot slot;
    kt_code code = kt_currency_facts_read(key, value, &slot, error);
    if (code != KT_OK) return code;
    *out = (kt_currency){{(const char *)key.data, key.size}, slot.decimals, true, slot.posted};
    *id = slot.id;
    return KT_OK;
}

kt_code kt_view_currency(kt_view *view, kt_str code, kt_currency *out, kt_error *error) {
    kt_span value, key = kt_span_of(code.data, code.size);
    uint16_t id;
    kt_code result = code.size == 0 || code.size > KT_CURRENCY_CODE_MAX
                         ? KT_NOT_FOUND
                         : kt_state_get(view->state, KT_TABLE_CURRENCIES, key, &value, error);
    if (result == KT_OK) {
        result = read_currency(key, value, out, &id, error);
        out->code = kt_view_keep(view, code);
        return result;
    }
    int decimals = kt_iso4217_decimals(code.data, code.size);
    if (result == KT_NOT_FOUND && decimals >= 0) {
        *out = (kt_currency){kt_view_keep(view, code), (uint8_t)decimals, false, false};
        return KT_OK;
    }
    return result == KT_NOT_FOUND ? kt_fail(error, result, "currency %.*s is not on record", (int)code.size, code.data)
                                  : result;
}

/* By code, with ids beside where wanted. */
static kt_code list_currencies(kt_view *view, kt_currency **out, uint16_t **ids, size_t *count, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    uint64_t room, pages;
    *count = 0;
    kt_code code = kt_table_stat(view->txn, KT_TABLE_CURRENCIES, &room, &pages, error);
    if (code != KT_OK) return code;
    *out = calloc(room + 1, sizeof **out);
    *ids = calloc(room + 1, sizeof **ids);
    if (*out == NULL || *ids == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    code = kt_cursor_open(view->txn, KT_TABLE_CURRENCIES, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_first(cursor, &key, &value, error); code == KT_OK && *count < room;
         code = kt_cursor_next(cursor, &key, &value, error)) {
        code = read_currency(key, value, &(*out)[*count], &(*ids)[*count], error);
        if (code != KT_OK) break;
        ++*count;
    }
    kt_cursor_close(cursor);
    return code == KT_END ? KT_OK : code;
}

kt_code kt_view_currencies(kt_view *view, kt_currency **out, size_t *count, kt_error *error) {
    uint16_t *ids = NULL;
    *out = NULL;
    kt_code code = list_currencies(view, out, &ids, count, error);
    free(ids);
    if (code != KT_OK) {
        free(*out);
        *out = NULL;
    }
    return code;
}

/* ---- names by id ---- */

static kt_code load_currencies(kt_view *view, kt_names *names, kt_error *error) {
    kt_currency *currencies = NULL;
    uint16_t *ids = NULL;
    size_t count;
    kt_company company;
    kt_code code = list_currencies(view, &currencies, &ids, &count, error);
    for (size_t i = 0; i < count && code == KT_OK; i++)
        if (ids[i] > names->currency_count) names->currency_count = ids[i];
    names->currencies = code == KT_OK ? calloc(names->currency_count + 1u, sizeof *names->currencies) : NULL;
    if (code == KT_OK && names->currencies == NULL) code = kt_fail(error, KT_MEMORY, "out of memory");
    if (code == KT_OK) code = kt_company_at(view->state, KT_DAY_MAX, UINT64_MAX, &company, error);
    for (size_t i = 0; i < count && code == KT_OK; i++) {
        if (ids[i] == 0) continue;
        names->currencies[ids[i] - 1] = currencies[i];
        if (kt_str_equal(currencies[i].code, company.currency)) names->book_currency = ids[i];
    }
    free(currencies);
    free(ids);
    return code;
}

kt_code kt_currency_names_load(kt_view *view, kt_names *out, kt_error *error) {
    *out = (kt_names){0};
    return load_currencies(view, out, error);
}

kt_code kt_names_load(kt_view *view, kt_names *out, kt_error *error) {
    kt_account *accounts;
    size_t count;
    *out = (kt_names){0};
    kt_code code = load_currencies(view, out, error);
    if (code == KT_OK) code = kt_view_accounts(view, &accounts, &count, error);
    if (code != KT_OK) return code;
    for (size_t i = 0; i < count; i++)
        if (accounts[i].id > out->account_count) out->account_count = accounts[i].id;
    out->accounts = calloc(out->account_count + 1u, sizeof *out->accounts);
    if (out->accounts == NULL) code = kt_fail(error, KT_MEMORY, "out of memory");
    for (size_t i = 0; i < count && code == KT_OK; i++)
        if (accounts[i].id != 0) out->accounts[accounts[i].id - 1] = accounts[i];
    free(accounts);
    return code;
}

void kt_names_release(kt_names *names) {
    free(names->accounts);
    free(names->currencies);
    *names = (kt_names){0};
}

/* ---- periods ---- */

struct months {
    kt_period *periods;
    kt_month first, last;
};

/* Each row in the order of month and record; as known, later ones are left out. */
static kt_code visit_rows(kt_view *view, kt_code (*visit)(void *context, const kt_period *row), void *context,
                          kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    kt_period row;
    kt_code code = kt_cursor_open(view->txn, KT_TABLE_PERIODS, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_first(cursor, &key, &value, error); code == KT_OK;
         code = kt_cursor_next(cursor, &key, &value, error)) {
        code = kt_period_row_read(key, value, &row, error);
        if (code == KT_OK && row.record < view->end) code = visit(context, &row);
        if (code != KT_OK) break;
    }
    kt_cursor_close(cursor);
    return code == KT_END ? KT_OK : code;
}

static kt_code widen(void *context, const kt_period *row) {
    struct months *months = context;
    if (row->month < months->first) months->first = row->month;
    if (row->month > months->last) months->last = row->month;
    return KT_OK;
}

static kt_code take_row(void *context, const kt_period *row) {
    struct months *months = context;
    kt_period *period = &months->periods[row->month - months->first];
    kt_str reason = row->closed ? period->reason : row->reason; /* of the last reopening */
    *period = *row;
    period->reason = reason;
    return KT_OK;
}

static kt_code fill_periods(kt_view *view, struct months *months, size_t *count, kt_error *error) {
    kt_batch_row batch;
    *count = (size_t)(months->last - months->first) + 1;
    months->periods = calloc(*count, sizeof *months->periods);
    if (months->periods == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    for (size_t i = 0; i < *count; i++) months->periods[i].month = months->first + (kt_month)i;
    kt_code code = visit_rows(view, take_row, months, error);
    for (size_t i = 0; i < *count && code == KT_OK; i++) {
        if (months->periods[i].record == 0) continue;
        code = kt_batch_row_of(view->state, months->periods[i].record, &batch, error);
        if (code == KT_OK) months->periods[i].recorded_us = batch.recorded_us;
    }
    return code;
}

kt_code kt_view_periods(kt_view *view, kt_period **out, size_t *count, kt_error *error) {
    struct months months = {.first = INT32_MAX, .last = INT32_MIN};
    kt_head head;
    *out = NULL;
    *count = 0;
    kt_code code = kt_view_head(view, &head, error);
    if (code == KT_OK && head.entries != 0) {
        months.first = kt_day_month(head.first_day);
        months.last = kt_day_month(head.last_day);
    }
    if (code == KT_OK) code = visit_rows(view, widen, &months, error);
    if (code != KT_OK || months.first > months.last) return code;
    code = fill_periods(view, &months, count, error);
    if (code == KT_OK) *out = months.periods;
    else free(months.periods);
    return code;
}
