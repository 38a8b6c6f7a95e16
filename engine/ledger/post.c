#include "engine/ledger/post.h"

#include <stdlib.h>

#include "engine/ledger/company.h"
#include "engine/ledger/dimension.h"
#include "engine/ledger/entry.h"
#include "engine/ledger/form.h"
#include "engine/ledger/period.h"
#include "engine/ledger/proposal.h"
#include "engine/ledger/reverse.h"

#define RECORD_ROOM 8192u

kt_ledger *kt_batch_ledger(kt_batch *batch) { return kt_fold_self(kt_book_fold(batch->book), &kt_ledger_department); }

/* ---- entries ---- */

/* Puts on record what the entry needs and a batch may say by itself: currencies of ISO 4217 and dimension values. */
/* An ISO 4217 currency that is not on record yet is tried, or put there. */
static kt_code need_currency(kt_batch *batch, kt_str code, bool try, bool *needed, kt_error *error) {
    kt_currency_slot *slot;
    if (code.size == 0) return KT_OK;
    kt_code result = kt_currency_slot_find(kt_batch_ledger(batch), code, &slot, error);
    if (result != KT_NOT_FOUND) return result;
    int decimals = kt_iso4217_decimals(code.data, code.size);
    if (decimals < 0) return KT_OK; /* the check refuses it by name */
    *needed = true;
    if (try) return kt_currency_try(kt_batch_ledger(batch), code, (uint8_t)decimals, error);
    return kt_batch_currency(batch, code, (uint8_t)decimals, error);
}

static kt_code need_currencies(kt_batch *batch, const kt_entry *entry, bool try, bool *needed, kt_error *error) {
    kt_code code = KT_OK;
    for (size_t i = 0; i < entry->line_count && code == KT_OK; i++) {
        const kt_line *line = &entry->lines[i];
        if (line->currency.size != 0) code = need_currency(batch, line->currency, try, needed, error);
        if (code == KT_OK && line->has_cost) code = need_currency(batch, line->cost_currency, try, needed, error);
    }
    return code;
}

static kt_code declare_dimensions(kt_batch *batch, const kt_entry *entry, const kt_line *line, kt_error *error) {
    uint8_t record[RECORD_ROOM];
    kt_code code = KT_OK;
    for (unsigned i = 0; i < line->dimension_count && code == KT_OK; i++) {
        code = kt_dimension_known(kt_batch_ledger(batch), &line->dimensions[i], error);
        if (code != KT_NOT_FOUND) continue;
        size_t size = kt_dimension_record(&line->dimensions[i], entry->date, record, sizeof record);
        code = kt_batch_append(batch, kt_span_of(record, size), NULL, error);
    }
    return code;
}

/* Packs in place where it fits a block, else through memory. */
static kt_code append_entry(kt_batch *batch, uint32_t kind, const kt_entry *entry, size_t bound, bool repeats,
                            uint64_t *number, kt_error *error) {
    kt_journal *journal = kt_book_journal(batch->book);
    kt_pack pack;
    uint8_t *room;
    if (bound <= KT_RECORD_MAX) {
        kt_code code = kt_journal_room(journal, bound, &room, error);
        if (code != KT_OK) return code;
        kt_pack_init(&pack, room, bound);
        kt_entry_pack_as(&pack, kind, entry, repeats);
        *number = kt_journal_next(journal);
        kt_journal_take(journal, pack.size);
        return KT_OK;
    }
    room = malloc(bound);
    if (room == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_pack_init(&pack, room, bound);
    kt_entry_pack_as(&pack, kind, entry, repeats);
    kt_code code = kt_journal_append(journal, kt_span_of(room, pack.size), number, error);
    free(room);
    return code;
}

/* Everything is checked; from here on only the surroundings can fail, and then the batch is over. */
static kt_code commit_entry(kt_batch *batch, kt_ledger *ledger, uint32_t kind, const kt_entry *entry, size_t bound,
                            uint64_t *number, kt_error *error) {
    kt_code code = KT_OK;
    uint64_t given = 0;
    for (size_t i = 0; i < entry->line_count && code == KT_OK; i++)
        if (entry->lines[i].dimension_count != 0) code = declare_dimensions(batch, entry, &entry->lines[i], error);
    if (code == KT_OK) code = append_entry(batch, kind, entry, bound, ledger->plan->voucher_used, &given, error);
    bool proposed = kind == KT_KIND_PROPOSAL;
    if (code == KT_OK) code = (proposed ? kt_proposal_fold : kt_entry_fold)(ledger, entry, given, error);
    if (code != KT_OK) {
        batch->broken = code;
        return code;
    }
    batch->entries += !proposed;
    batch->proposed += proposed;
    if (number != NULL) *number = given;
    return KT_OK;
}

static kt_code check_new(kt_batch *batch, kt_ledger *ledger, kt_form *form, kt_entry *entry, kt_error *error) {
    kt_str rounding = batch->rounding_account[0] == 0 ? (kt_str){NULL, 0} : kt_str_from(batch->rounding_account);
    return kt_form_check(form, ledger, entry, rounding, batch->allow_duplicate_voucher, error);
}

/* The check of an entry that needs currencies put on record: first as if they were there, so that a refusal leaves the
   batch as it was (law 12). */
static kt_code check_with_currencies(kt_batch *batch, kt_ledger *ledger, const kt_entry *entry, kt_error *error) {
    kt_form form = {0};
    kt_entry trial = *entry;
    bool needed = false;
    kt_code code = need_currencies(batch, entry, true, &needed, error);
    if (code == KT_OK && needed) code = check_new(batch, ledger, &form, &trial, error);
    kt_currencies_untry(ledger->currencies);
    kt_form_release(&form);
    return code == KT_OK && needed ? need_currencies(batch, entry, false, &needed, error) : code;
}

/* Before anything is allocated or appended for it. */
static kt_code check_size(const kt_entry *entry, size_t *bound, kt_error *error) {
    *bound = kt_entry_bound(entry);
    if (*bound <= KT_WHOLE_MAX) return KT_OK;
    kt_fail(error, KT_LIMIT, "an entry of up to %zu bytes, at most %u are kept: split it", *bound, KT_WHOLE_MAX);
    return entry->file == NULL ? KT_LIMIT : kt_fail_at(error, KT_LIMIT, "%s:%zu", entry->file, entry->file_line);
}

/* An entry that was checked: *kind, an entry, becomes a proposal where it lies beyond the actor's limits and the batch proposes
   those. */
static kt_code allow(kt_batch *batch, kt_ledger *ledger, const kt_entry *entry, uint32_t *kind, kt_error *error) {
    if (*kind == KT_KIND_PROPOSAL) return KT_OK;
    kt_code code = kt_entry_allow(ledger, entry, error);
    if (code == KT_OK) return code;
    if (code == KT_FORBIDDEN && batch->propose == KT_PROPOSE_BEYOND && entry->proposal == 0 &&
        kt_access_ask(kt_fold_access(kt_book_fold(batch->book)), KT_RIGHT_POST, NULL) == KT_OK) {
        *kind = KT_KIND_PROPOSAL;
        return KT_OK;
    }
    return kt_entry_locate(entry, code, error);
}

static kt_code add_formed(kt_batch *batch, kt_ledger *ledger, uint32_t kind, const kt_entry *entry, bool few,
                          uint64_t *number, kt_error *error) {
    kt_form form = {0};
    kt_entry given = *entry;
    kt_code code = few ? check_with_currencies(batch, ledger, entry, error) : KT_OK;
    if (code == KT_OK) code = check_new(batch, ledger, &form, &given, error);
    if (code == KT_OK) code = allow(batch, ledger, &given, &kind, error);
    if (code == KT_OK) code = commit_entry(batch, ledger, kind, &given, kt_entry_bound(&given), number, error);
    kt_form_release(&form);
    return code;
}

static kt_code add(kt_batch *batch, uint32_t kind, const kt_entry *entry, uint64_t *number, kt_error *error) {
    kt_ledger *ledger = kt_batch_ledger(batch);
    size_t bound = 0;
    bool few = entry->line_count <= KT_LINES_MAX; /* more are refused before one is read */
    kt_code code = kt_batch_may(batch, kind, error);
    if (code == KT_OK)
        code = kt_access_ask(kt_fold_access(ledger->fold), entry->proposal != 0 ? KT_RIGHT_APPROVE : KT_RIGHT_POST,
                             error);
    if (code == KT_OK && entry->reverses != 0) code = kt_reversal_target(batch, entry->reverses, error);
    if (code == KT_OK && few) code = check_size(entry, &bound, error);
    if (code == KT_OK && few && kt_form_is_simple(entry)) {
        code = kt_entry_check(ledger, entry, batch->allow_duplicate_voucher, error);
        if (code == KT_OK) code = allow(batch, ledger, entry, &kind, error);
        if (code == KT_OK) code = commit_entry(batch, ledger, kind, entry, bound, number, error);
    } else if (code == KT_OK) code = add_formed(batch, ledger, kind, entry, few, number, error);
    return code == KT_OK ? KT_OK : kt_batch_break(batch, code);
}

kt_code kt_batch_add(kt_batch *batch, const kt_entry *entry, uint64_t *number, kt_error *error) {
    if (batch->propose == KT_PROPOSE_ALL) return kt_batch_propose(batch, entry, number, error);
    return add(batch, KT_KIND_ENTRY, entry, number, error);
}

kt_code kt_batch_propose(kt_batch *batch, const kt_entry *entry, uint64_t *number, kt_error *error) {
    kt_entry plain = *entry;
    plain.proposal = 0;
    return add(batch, KT_KIND_PROPOSAL, &plain, number, error);
}

/* Accounts are asked for this many entries before they are met. */
#define AHEAD 8u

kt_code kt_batch_add_many(kt_batch *batch, const kt_entry *entries, size_t count, size_t *added, kt_error *error) {
    kt_ledger *ledger = kt_batch_ledger(batch);
    kt_code code = KT_OK;
    for (*added = 0; *added < count; ++*added) {
        size_t soon = *added + AHEAD;
        if (soon < count && entries[soon].line_count <= AHEAD)
            kt_accounts_prefetch(ledger, entries[soon].lines, entries[soon].line_count);
        code = kt_batch_add(batch, &entries[*added], NULL, error);
        if (code != KT_OK) break;
    }
    return code;
}

kt_code kt_entry_apply(void *self, const kt_record *record, kt_error *error) {
    kt_ledger *ledger = self;
    kt_entry entry;
    bool repeats;
    kt_code code = kt_entry_unpack(&ledger->plan->reader, record->date, record->body, &entry, &repeats, error);
    if (code == KT_OK && entry.reverses >= record->number)
        code = kt_fail(error, KT_DAMAGED, "an entry reverses record %llu, which is not before it",
                       (unsigned long long)entry.reverses);
    if (code == KT_OK && (entry.proposal != 0) != (record->kind_version == KT_ENTRY_APPROVED_VERSION))
        code = kt_fail(error, KT_DAMAGED, "an entry's record is of version %u", record->kind_version);
    if (code == KT_OK) code = kt_entry_check(ledger, &entry, repeats, error);
    if (code == KT_OK) code = kt_entry_allow(ledger, &entry, error);
    return code == KT_OK ? kt_entry_fold(ledger, &entry, record->number, error) : code;
}

/* ---- registers ---- */

kt_code kt_batch_account(kt_batch *batch, const kt_account *given, kt_error *error) {
    uint8_t record[RECORD_ROOM];
    bool needed = false;
    kt_account facts = *given;
    const kt_account *account = &facts;
    if (facts.open_from == 0) facts.open_from = KT_DAY_NONE;
    if (facts.closed_from == 0) facts.closed_from = KT_DAY_NONE;
    kt_code code = kt_batch_may(batch, KT_KIND_ACCOUNT, error);
    if (code == KT_OK) code = need_currency(batch, account->currency, true, &needed, error);
    if (code == KT_OK) code = kt_account_check(kt_batch_ledger(batch), account, error);
    kt_currencies_untry(kt_batch_ledger(batch)->currencies);
    if (code == KT_OK && needed) code = need_currency(batch, account->currency, false, &needed, error);
    if (code != KT_OK) return code;
    size_t size = kt_account_record(account, kt_batch_today(batch), record, sizeof record);
    return kt_batch_append(batch, kt_span_of(record, size), NULL, error);
}

kt_code kt_batch_currency(kt_batch *batch, kt_str code, uint8_t decimals, kt_error *error) {
    uint8_t record[RECORD_ROOM];
    kt_code result = kt_batch_may(batch, KT_KIND_CURRENCY, error);
    if (result == KT_OK) result = kt_currency_check(kt_batch_ledger(batch), code, decimals, error);
    if (result != KT_OK) return result;
    size_t size = kt_currency_record(code, decimals, kt_batch_today(batch), record, sizeof record);
    return kt_batch_append(batch, kt_span_of(record, size), NULL, error);
}

static kt_code append_period(kt_batch *batch, kt_day month, bool close, kt_str reason, kt_error *error) {
    uint8_t record[RECORD_ROOM];
    kt_code code = kt_batch_may(batch, KT_KIND_PERIOD, error);
    if (code == KT_OK && (month < KT_DAY_MIN || month > KT_DAY_MAX))
        code = kt_fail(error, KT_INVALID, "the month is out of range");
    if (code == KT_OK) code = kt_period_check(kt_batch_ledger(batch), kt_day_month(month), close, reason, error);
    if (code != KT_OK) return code;
    size_t size = kt_period_record(kt_day_month(month), close, reason, record, sizeof record);
    return kt_batch_append(batch, kt_span_of(record, size), NULL, error);
}

kt_code kt_batch_period_close(kt_batch *batch, kt_day month, kt_error *error) {
    return append_period(batch, month, true, (kt_str){NULL, 0}, error);
}

kt_code kt_batch_period_reopen(kt_batch *batch, kt_day month, kt_str reason, kt_error *error) {
    return append_period(batch, month, false, reason, error);
}

static void keep(kt_str *now, kt_str before) {
    if (now->size == 0) *now = before;
}

kt_code kt_batch_company(kt_batch *batch, kt_day from, const kt_company *company, kt_error *error) {
    uint8_t record[RECORD_ROOM];
    kt_ledger *ledger = kt_batch_ledger(batch);
    kt_company now = *company, before;
    kt_code code = kt_batch_may(batch, KT_KIND_COMPANY, error);
    if (code == KT_OK) code = kt_company_load(ledger, error);
    if (code == KT_OK && ledger->company.changed)
        code = kt_fail(error, KT_RULE,
                       "the company's facts are changed in this batch already: say all of them in one change");
    if (code == KT_OK) code = kt_company_at(ledger->state, from, UINT64_MAX, &before, error);
    if (code != KT_OK) return code;
    keep(&now.entity, before.entity);
    keep(&now.currency, before.currency);
    keep(&now.time_zone, before.time_zone);
    keep(&now.company_number, before.company_number);
    keep(&now.vat_number, before.vat_number);
    keep(&now.address, before.address);
    keep(&now.calendar, before.calendar);
    if (now.retention_years == 0) now.retention_years = before.retention_years;
    /* The fiscal year is one for all days, so what is not said stays what it is now. */
    if (now.fiscal_month == 0) now.fiscal_month = ledger->company.fiscal_month;
    if (now.fiscal_day == 0) now.fiscal_day = ledger->company.fiscal_day;
    if (from < KT_DAY_MIN || from > KT_DAY_MAX) return kt_fail(error, KT_INVALID, "the day is out of range");
    code = kt_company_check(ledger, &now, error);
    if (code != KT_OK) return code;
    size_t size = kt_company_record(&now, from, record, sizeof record);
    return kt_batch_append(batch, kt_span_of(record, size), NULL, error);
}

kt_code kt_ledger_found(kt_batch *batch, const kt_create_options *options, kt_error *error) {
    uint8_t record[RECORD_ROOM];
    kt_ledger *ledger = kt_batch_ledger(batch);
    kt_company company = options->company;
    if (company.fiscal_month == 0) company.fiscal_month = 1;
    if (company.fiscal_day == 0) company.fiscal_day = 1;
    if (company.time_zone.size == 0) company.time_zone = KT_STR("UTC");
    int decimals = options->decimals_given ? options->decimals
                                           : kt_iso4217_decimals(company.currency.data, company.currency.size);
    if (company.currency.size == 0 || decimals < 0)
        return kt_fail(error, KT_UNKNOWN, "currency %.*s is not in ISO 4217: say its decimals",
                       (int)company.currency.size, company.currency.data);
    kt_code code = kt_company_check(ledger, &company, error);
    if (code == KT_OK) code = kt_batch_currency(batch, company.currency, (uint8_t)decimals, error);
    if (code != KT_OK) return code;
    size_t size = kt_company_record(&company, kt_batch_today(batch), record, sizeof record);
    return kt_batch_append(batch, kt_span_of(record, size), NULL, error);
}

kt_code kt_batch_find_account(kt_batch *batch, kt_str code, kt_account *out, kt_error *error) {
    return kt_account_facts(kt_batch_ledger(batch)->state, code, out, error);
}

kt_code kt_batch_find_currency(kt_batch *batch, kt_str code, uint8_t *decimals, bool *posted, kt_error *error) {
    kt_currency_slot *slot;
    kt_ledger *ledger = kt_batch_ledger(batch);
    kt_code result = kt_company_load(ledger, error);
    if (result != KT_OK) return result;
    if (code.size == 0) code = (kt_str){ledger->company.code, ledger->company.code_size};
    result = kt_currency_slot_find(ledger, code, &slot, error);
    if (result == KT_OK) {
        *decimals = slot->decimals;
        *posted = slot->posted;
    } else if (result == KT_NOT_FOUND && kt_iso4217_decimals(code.data, code.size) >= 0) {
        *decimals = (uint8_t)kt_iso4217_decimals(code.data, code.size);
        *posted = false;
        result = KT_OK;
    }
    return result;
}
