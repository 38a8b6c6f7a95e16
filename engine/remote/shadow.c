#include "engine/remote/shadow.h"

#include <stdlib.h>

#include "engine/ledger/account.h"
#include "engine/ledger/currency.h"
#include "engine/ledger/dimension.h"
#include "engine/ledger/voucher.h"
#include "engine/registry.h"

#define RECORD_ROOM 2048u

struct kt_shadow {
    kt_fold *fold;
    kt_ledger *ledger;
    uint64_t next; /* number of the next record, which nothing looks at */
};

kt_code kt_shadow_open(kt_shadow **out, kt_error *error) {
    kt_shadow *shadow = calloc(1, sizeof *shadow);
    *out = NULL;
    if (shadow == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_code code = kt_fold_open(&kt_the_registry, &shadow->fold, error);
    if (code != KT_OK) {
        free(shadow);
        return code;
    }
    shadow->ledger = kt_fold_self(shadow->fold, &kt_ledger_department);
    *out = shadow;
    return KT_OK;
}

void kt_shadow_close(kt_shadow *shadow) {
    if (shadow == NULL) return;
    kt_fold_close(shadow->fold);
    free(shadow);
}

kt_ledger *kt_shadow_ledger(kt_shadow *shadow) { return shadow->ledger; }

kt_code kt_shadow_apply(kt_shadow *shadow, kt_span record, kt_error *error) {
    kt_envelope envelope;
    kt_code code = kt_envelope_read(record, &envelope, error);
    if (code != KT_OK) return code;
    kt_record applied = {++shadow->next, envelope.kind, envelope.kind_version, envelope.date, envelope.body};
    return kt_fold_apply(shadow->fold, &applied, error);
}

/* The facts of the company are few, and set as loading them from state would. */
static kt_code set_company(kt_shadow *shadow, const kt_hello *hello, kt_error *error) {
    kt_company_now *now = &shadow->ledger->company;
    kt_currency_slot *slot;
    kt_code code = kt_currency_slot_find(shadow->ledger, hello->currency, &slot, error);
    if (code == KT_NOT_FOUND)
        return kt_fail(error, KT_INVALID, "the server does not say the decimals of its book's currency");
    if (code != KT_OK) return code;
    *now = (kt_company_now){.loaded = true,
                            .posted = true,
                            .currency = slot->id,
                            .decimals = slot->decimals,
                            .code_size = (uint8_t)hello->currency.size,
                            .fiscal_month = hello->fiscal_month,
                            .fiscal_day = hello->fiscal_day,
                            .year_first = 1,
                            .year_last = 0};
    memcpy(now->code, hello->currency.data, hello->currency.size);
    return KT_OK;
}

kt_code kt_shadow_begin(kt_shadow *shadow, const kt_hello *hello, kt_error *error) {
    kt_unpack unpack;
    kt_told_currency currency;
    kt_code code = KT_OK;
    kt_fold_forget(shadow->fold);
    shadow->next = 0;
    kt_unpack_init(&unpack, hello->packed);
    for (uint32_t i = 0; i < hello->count && code == KT_OK; i++) {
        if (!kt_hello_next(&unpack, &currency)) return kt_fail(error, KT_INVALID, "the server's hello is cut short");
        code = kt_shadow_tell_currency(shadow, &currency, error);
    }
    return code == KT_OK ? set_company(shadow, hello, error) : code;
}

void kt_shadow_renew(kt_shadow *shadow) { kt_vouchers_forget(shadow->ledger->vouchers); }

kt_code kt_shadow_knows_account(kt_shadow *shadow, kt_str code, kt_error *error) {
    kt_account_slot *slot;
    return kt_account_slot_find(shadow->ledger, code, &slot, error);
}

kt_code kt_shadow_account(kt_shadow *shadow, kt_str code, kt_account *out, kt_error *error) {
    return kt_account_facts(shadow->ledger->state, code, out, error);
}

kt_code kt_shadow_currency(kt_shadow *shadow, kt_str code, uint8_t *decimals, bool *posted, kt_error *error) {
    kt_currency_slot *slot;
    kt_code result = kt_currency_slot_find(shadow->ledger, code, &slot, error);
    if (result != KT_OK) return result;
    *decimals = slot->decimals;
    *posted = slot->posted;
    return KT_OK;
}

kt_code kt_shadow_dimension(kt_shadow *shadow, const kt_dimension *pair, kt_error *error) {
    if (pair->value.size == 0 || pair->value.size > KT_DIMENSION_VALUE_MAX) return KT_NOT_FOUND;
    return kt_dimension_known(shadow->ledger, pair, error);
}

kt_code kt_shadow_tell_account(kt_shadow *shadow, kt_str code, kt_error *error) {
    uint8_t record[RECORD_ROOM];
    kt_account account = {.code = code, .open_from = KT_DAY_NONE, .closed_from = KT_DAY_NONE};
    return kt_shadow_apply(shadow, kt_span_of(record, kt_account_record(&account, 0, record, sizeof record)), error);
}

kt_code kt_shadow_posted(kt_shadow *shadow, kt_str code, kt_error *error) {
    kt_currency_slot *slot;
    kt_code result = kt_currency_slot_find(shadow->ledger, code, &slot, error);
    return result == KT_OK && !slot->posted ? kt_currency_mark_posted(shadow->ledger, slot, error) : result;
}

kt_code kt_shadow_tell_currency(kt_shadow *shadow, const kt_told_currency *told, kt_error *error) {
    uint8_t record[RECORD_ROOM];
    size_t size = kt_currency_record(told->code, told->decimals, 0, record, sizeof record);
    kt_code code = kt_shadow_apply(shadow, kt_span_of(record, size), error);
    return code == KT_OK && told->posted ? kt_shadow_posted(shadow, told->code, error) : code;
}

kt_code kt_shadow_tell_dimension(kt_shadow *shadow, const kt_dimension *pair, kt_error *error) {
    uint8_t record[RECORD_ROOM];
    size_t size = kt_dimension_record(pair, 0, record, sizeof record);
    return kt_shadow_apply(shadow, kt_span_of(record, size), error);
}
