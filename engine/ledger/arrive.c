#include "engine/ledger/arrive.h"

#include "engine/ledger/check.h"
#include "engine/ledger/dimension.h"
#include "engine/ledger/entry.h"
#include "engine/ledger/proposal.h"
#include "engine/ledger/voucher.h"

static kt_code other_form(const char *what, kt_error *error) {
    return kt_fail(error, KT_INVALID, "an entry's record is not in the form that is stored: %s", what);
}

/* What the book's own code would have packed otherwise. */
static kt_code check_form(const kt_ledger *ledger, const kt_entry *entry, bool repeats, kt_error *error) {
    const kt_company_now *now = &ledger->company;
    kt_str book = {now->code, now->code_size};
    if (entry->reverses != 0)
        return kt_fail(error, KT_UNSUPPORTED, "a reversal is made where the book is, not sent to it");
    if (entry->proposal != 0)
        return kt_fail(error, KT_UNSUPPORTED, "a proposal is approved where the book is, not from afar");
    if (repeats != ledger->plan->voucher_used)
        return other_form("it says that its voucher was used before, and it was not", error);
    for (size_t i = 0; i < entry->line_count; i++) {
        const kt_line *line = &entry->lines[i];
        if (kt_str_equal(line->currency, book) || (line->has_cost && kt_str_equal(line->cost_currency, book)))
            return other_form("a line names the book's own currency", error);
    }
    return KT_OK;
}

static kt_code check_dimensions(kt_ledger *ledger, const kt_entry *entry, kt_error *error) {
    for (size_t i = 0; i < entry->line_count; i++)
        for (unsigned d = 0; d < entry->lines[i].dimension_count; d++) {
            const kt_dimension *pair = &entry->lines[i].dimensions[d];
            kt_code code = kt_dimension_known(ledger, pair, error);
            if (code == KT_NOT_FOUND)
                return kt_fail(error, KT_UNKNOWN, "value %.*s of dimension %u is not on record", (int)pair->value.size,
                               pair->value.data, pair->dimension);
            if (code != KT_OK) return code;
        }
    return KT_OK;
}

kt_code kt_entry_arrive(void *self, const kt_record *record, kt_error *error) {
    kt_ledger *ledger = self;
    kt_entry_reader reader = {0};
    kt_entry entry;
    bool repeats;
    kt_code code = kt_entry_unpack(&reader, record->date, record->body, &entry, &repeats, error);
    if (code == KT_DAMAGED) code = kt_fail(error, KT_INVALID, "an entry's record is malformed");
    if (code == KT_OK) code = kt_entry_check(ledger, &entry, repeats, error);
    if (code == KT_OK) code = check_form(ledger, &entry, repeats, error);
    if (code == KT_OK && record->kind_version != KT_ENTRY_VERSION)
        code = other_form("it is of the version that approved entries have", error);
    if (code == KT_OK) code = check_dimensions(ledger, &entry, error);
    if (code == KT_OK) {
        code = kt_entry_allow(ledger, &entry, error);
        if (code != KT_OK) kt_entry_locate(&entry, code, error);
    }
    if (code == KT_OK) code = kt_entry_fold(ledger, &entry, record->number, error);
    kt_entry_reader_release(&reader);
    return code;
}

kt_code kt_account_arrive(void *self, const kt_record *record, kt_error *error) {
    kt_account account;
    if (kt_account_body_read(record, &account, error) != KT_OK)
        return kt_fail(error, KT_INVALID, "an account's record is malformed");
    return kt_account_apply(self, record, error);
}
