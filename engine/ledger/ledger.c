#include "engine/ledger/ledger.h"

#include <stdlib.h>

#include "engine/ledger/account.h"
#include "engine/ledger/check.h"
#include "engine/ledger/currency.h"
#include "engine/ledger/dimension.h"
#include "engine/ledger/period.h"
#include "engine/ledger/voucher.h"

const kt_run_tables kt_ledger_runs = {KT_TABLE_RUNS, KT_TABLE_CELLS, KT_TABLE_LISTS};

#define TOTALS_SIZE 24u

static kt_span totals_key(void) { return kt_span_of("ledger", 6); }

kt_code kt_totals_load(kt_state *state, kt_totals *totals, kt_error *error) {
    kt_span value;
    if (totals->loaded) return KT_OK;
    *totals = (kt_totals){.loaded = true, .first_day = KT_DAY_NONE, .last_day = KT_DAY_NONE};
    kt_code code = kt_state_get(state, KT_TABLE_TOTALS, totals_key(), &value, error);
    if (code == KT_NOT_FOUND) return KT_OK;
    totals->loaded = code == KT_OK;
    if (code != KT_OK) return code;
    if (value.size != TOTALS_SIZE) return kt_fail(error, KT_DAMAGED, "the ledger's totals are malformed");
    totals->entries = kt_get_le64(value.data);
    totals->postings = kt_get_le64(value.data + 8);
    totals->first_day = (kt_day)kt_get_le32(value.data + 16);
    totals->last_day = (kt_day)kt_get_le32(value.data + 20);
    return KT_OK;
}

static kt_code write_totals(kt_ledger *ledger, kt_error *error) {
    uint8_t value[TOTALS_SIZE];
    if (!ledger->totals.changed) return KT_OK;
    kt_put_le64(value, ledger->totals.entries);
    kt_put_le64(value + 8, ledger->totals.postings);
    kt_put_le32(value + 16, (uint32_t)ledger->totals.first_day);
    kt_put_le32(value + 20, (uint32_t)ledger->totals.last_day);
    ledger->totals.changed = false;
    return kt_state_put(ledger->state, KT_TABLE_TOTALS, totals_key(), kt_span_of(value, sizeof value), error);
}

static void close_ledger(void *self) {
    kt_ledger *ledger = self;
    if (ledger == NULL) return;
    kt_accounts_close(ledger->accounts);
    kt_currencies_close(ledger->currencies);
    kt_periods_close(ledger->periods);
    kt_vouchers_close(ledger->vouchers);
    kt_dimensions_close(ledger->dimensions);
    kt_plan_close(ledger->plan);
    kt_runs_close(ledger->runs);
    free(ledger);
}

static kt_code open_ledger(kt_fold *fold, void **self, kt_error *error) {
    kt_ledger *ledger = calloc(1, sizeof *ledger);
    *self = ledger;
    if (ledger == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    ledger->fold = fold;
    ledger->state = kt_fold_state(fold);
    kt_code code = kt_accounts_open(&ledger->accounts, error);
    if (code == KT_OK) code = kt_currencies_open(&ledger->currencies, error);
    if (code == KT_OK) code = kt_periods_open(&ledger->periods, error);
    if (code == KT_OK) code = kt_vouchers_open(&ledger->vouchers, error);
    if (code == KT_OK) code = kt_dimensions_open(&ledger->dimensions, error);
    if (code == KT_OK) code = kt_plan_open(&ledger->plan, error);
    return code == KT_OK ? kt_runs_open(kt_ledger_runs, &ledger->runs, error) : code;
}

static void forget(void *self) {
    kt_ledger *ledger = self;
    kt_accounts_forget(ledger->accounts);
    kt_currencies_forget(ledger->currencies);
    kt_periods_forget(ledger->periods);
    kt_vouchers_forget(ledger->vouchers);
    kt_dimensions_forget(ledger->dimensions);
    kt_runs_forget(ledger->runs);
    ledger->totals = (kt_totals){0};
    ledger->company = (kt_company_now){0};
    ledger->memo.known = false;
}

static void turn(void *self) { kt_runs_turn(((kt_ledger *)self)->runs); }

static void drop(void *self) { kt_runs_drop(((kt_ledger *)self)->runs); }

static kt_code flush(void *self, kt_error *error) {
    kt_ledger *ledger = self;
    kt_code code = kt_vouchers_flush(ledger, error);
    ledger->company.changed = false;
    if (code == KT_OK) code = write_totals(ledger, error);
    return code;
}

static void prepare(void *self, uint64_t first, uint32_t count) {
    kt_runs_draft(((kt_ledger *)self)->runs, first, count);
}

static kt_code block(void *self, kt_txn *txn, uint64_t first, uint32_t count, kt_error *error) {
    return kt_runs_block(((kt_ledger *)self)->runs, txn, first, count, error);
}

static kt_code head(void *self, kt_txn *txn, kt_error *error) {
    return kt_runs_seal(((kt_ledger *)self)->runs, txn, error);
}

static kt_code recover(kt_txn *txn, kt_error *error) { return kt_runs_recover(txn, kt_ledger_runs, error); }

const kt_department kt_ledger_department = {
    "ledger", open_ledger, close_ledger, forget,
    turn,     drop,        flush,        prepare,
    block,    head,        recover,      {KT_TABLE_VOUCHERS, KT_TABLE_REVERSALS, KT_TABLE_DIMENSIONS, 0}};
