#include "engine/ledger/currency.h"

#include <stdlib.h>

#include "engine/ledger/company.h"
#include "storage/codec.h"

struct kt_currencies {
    kt_currency_slot **slots;
    uint32_t count, room;
};

#define FACTS_SIZE 12u

kt_code kt_currencies_open(kt_currencies **out, kt_error *error) {
    *out = calloc(1, sizeof **out);
    return *out == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
}

void kt_currencies_forget(kt_currencies *currencies) {
    for (uint32_t i = 0; i < currencies->count; i++) free(currencies->slots[i]);
    currencies->count = 0;
}

void kt_currencies_close(kt_currencies *currencies) {
    if (currencies == NULL) return;
    kt_currencies_forget(currencies);
    free(currencies->slots);
    free(currencies);
}

kt_code kt_currency_facts_read(kt_span code, kt_span value, kt_currency_slot *out, kt_error *error) {
    if (value.size != FACTS_SIZE || code.size == 0 || code.size > KT_CURRENCY_CODE_MAX)
        return kt_fail(error, KT_DAMAGED, "a currency's facts are malformed");
    *out = (kt_currency_slot){.id = kt_get_le16(value.data),
                              .decimals = value.data[2],
                              .posted = value.data[3] != 0,
                              .code_size = (uint8_t)code.size};
    memcpy(out->code, code.data, code.size);
    return KT_OK;
}

static kt_code put_facts(kt_ledger *ledger, const kt_currency_slot *slot, uint64_t record, kt_error *error) {
    uint8_t facts[FACTS_SIZE];
    kt_put_le16(facts, slot->id);
    facts[2] = slot->decimals;
    facts[3] = slot->posted;
    kt_put_le64(facts + 4, record);
    return kt_state_put(ledger->state, KT_TABLE_CURRENCIES, kt_span_of(slot->code, slot->code_size),
                        kt_span_of(facts, sizeof facts), error);
}

static kt_code keep(kt_currencies *currencies, const kt_currency_slot *facts, kt_currency_slot **out, kt_error *error) {
    if (currencies->count == currencies->room) {
        uint32_t room = currencies->room == 0 ? 16 : currencies->room * 2;
        kt_currency_slot **grown = realloc(currencies->slots, room * sizeof(kt_currency_slot *));
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        currencies->slots = grown;
        currencies->room = room;
    }
    *out = malloc(sizeof **out);
    if (*out == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    **out = *facts;
    currencies->slots[currencies->count++] = *out;
    return KT_OK;
}

kt_code kt_currency_slot_find(kt_ledger *ledger, kt_str code, kt_currency_slot **out, kt_error *error) {
    kt_currencies *currencies = ledger->currencies;
    kt_currency_slot facts;
    kt_span value;
    for (uint32_t i = 0; i < currencies->count; i++) { /* few, and the newest are rarely asked for */
        kt_currency_slot *slot = currencies->slots[i];
        if (slot->code_size == code.size && memcmp(slot->code, code.data, code.size) == 0) {
            *out = slot;
            return KT_OK;
        }
    }
    if (code.size == 0 || code.size > KT_CURRENCY_CODE_MAX) return KT_NOT_FOUND;
    kt_span key = kt_span_of(code.data, code.size);
    kt_code result = kt_state_get(ledger->state, KT_TABLE_CURRENCIES, key, &value, error);
    if (result == KT_OK) result = kt_currency_facts_read(key, value, &facts, error);
    return result == KT_OK ? keep(currencies, &facts, out, error) : result;
}

/* Ids from above: no two alike, and none that an account on record names. */
kt_code kt_currency_try(kt_ledger *ledger, kt_str code, uint8_t decimals, kt_error *error) {
    kt_currency_slot *slot, facts = {.decimals = decimals, .tried = true, .code_size = (uint8_t)code.size};
    memcpy(facts.code, code.data, code.size);
    facts.id = UINT16_MAX;
    for (uint32_t i = 0; i < ledger->currencies->count; i++)
        facts.id = (uint16_t)(facts.id - ledger->currencies->slots[i]->tried);
    return keep(ledger->currencies, &facts, &slot, error);
}

void kt_currencies_untry(kt_currencies *currencies) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < currencies->count; i++) {
        if (currencies->slots[i]->tried) free(currencies->slots[i]);
        else currencies->slots[kept++] = currencies->slots[i];
    }
    currencies->count = kept;
}

kt_code kt_currency_id(kt_ledger *ledger, kt_str code, uint16_t *id, uint8_t *decimals, kt_error *error) {
    kt_currency_slot *slot;
    kt_code result = kt_currency_slot_find(ledger, code, &slot, error);
    if (result != KT_OK) return result;
    *id = slot->id;
    *decimals = slot->decimals;
    return KT_OK;
}

static kt_code record_of(kt_ledger *ledger, const kt_currency_slot *slot, uint64_t *record, kt_error *error) {
    kt_span value;
    kt_code code = kt_state_get(ledger->state, KT_TABLE_CURRENCIES, kt_span_of(slot->code, slot->code_size), &value,
                                error);
    if (code == KT_OK) *record = kt_get_le64(value.data + 4);
    return code;
}

kt_code kt_currency_mark_posted(kt_ledger *ledger, kt_currency_slot *slot, kt_error *error) {
    uint64_t record;
    kt_code code = record_of(ledger, slot, &record, error);
    if (code != KT_OK) return code;
    slot->posted = true;
    return put_facts(ledger, slot, record, error);
}

kt_code kt_currency_check(kt_ledger *ledger, kt_str code, uint8_t decimals, kt_error *error) {
    kt_currency_slot *slot;
    if (code.size == 0 || code.size > KT_CURRENCY_CODE_MAX)
        return kt_fail(error, KT_LIMIT, "a currency's code has %zu bytes, expected 1 to %d", code.size,
                       KT_CURRENCY_CODE_MAX);
    if (!kt_utf8_valid(code.data, code.size)) return kt_fail(error, KT_INVALID, "a currency's code is not UTF-8");
    if (kt_utf8_controls(code.data, code.size))
        return kt_fail(error, KT_INVALID, "a currency's code has a control character");
    if (decimals > KT_DECIMALS_MAX)
        return kt_fail(error, KT_LIMIT, "currency %.*s: %u decimals, at most %d are kept", (int)code.size, code.data,
                       decimals, KT_DECIMALS_MAX);
    kt_code result = kt_currency_slot_find(ledger, code, &slot, error);
    if (result == KT_NOT_FOUND) return KT_OK;
    if (result != KT_OK || slot->decimals == decimals) return result;
    if (slot->posted)
        return kt_fail(error, KT_RULE, "currency %.*s has postings with %u decimals: they cannot become %u",
                       (int)code.size, code.data, slot->decimals, decimals);
    result = kt_company_load(ledger, error);
    if (result != KT_OK || ledger->company.currency != slot->id) return result;
    return kt_access_ask(kt_fold_access(ledger->fold), KT_RIGHT_ADMIN, error); /* LAW 7: limits count in them */
}

size_t kt_currency_record(kt_str code, uint8_t decimals, kt_day date, uint8_t *out, size_t room) {
    kt_pack pack;
    kt_pack_init(&pack, out, room);
    kt_pack_envelope(&pack, KT_KIND_CURRENCY, 1, date);
    kt_pack_array(&pack, 2);
    kt_pack_text(&pack, code.data, code.size);
    kt_pack_uint(&pack, decimals);
    return pack.size;
}

static kt_code next_id(kt_ledger *ledger, uint16_t *id, kt_error *error) {
    uint8_t bytes[2];
    kt_span value, key = kt_span_of("currencies", 10);
    kt_code code = kt_state_get(ledger->state, KT_TABLE_TOTALS, key, &value, error);
    if (code != KT_OK && code != KT_NOT_FOUND) return code;
    uint16_t last = code == KT_OK && value.size == 2 ? kt_get_le16(value.data) : 0;
    if (last == UINT16_MAX) return kt_fail(error, KT_LIMIT, "more than %d currencies", UINT16_MAX);
    *id = (uint16_t)(last + 1);
    kt_put_le16(bytes, *id);
    return kt_state_put(ledger->state, KT_TABLE_TOTALS, key, kt_span_of(bytes, sizeof bytes), error);
}

bool kt_currency_read(kt_span body, kt_str *name, uint8_t *decimals) {
    kt_unpack unpack;
    uint32_t count;
    uint64_t number;
    kt_unpack_init(&unpack, body);
    if (!kt_unpack_array(&unpack, &count) || count != 2 || !kt_unpack_text(&unpack, &name->data, &name->size) ||
        !kt_unpack_uint(&unpack, &number) || !kt_unpack_done(&unpack) || number > KT_DECIMALS_MAX)
        return false;
    *decimals = (uint8_t)number;
    return true;
}

kt_code kt_currency_number(kt_state *state, kt_str code, uint64_t *number, kt_error *error) {
    kt_currency_slot facts;
    kt_span value, key = kt_span_of(code.data, code.size);
    kt_code result = kt_state_get(state, KT_TABLE_CURRENCIES, key, &value, error);
    if (result == KT_OK) result = kt_currency_facts_read(key, value, &facts, error);
    if (result == KT_OK) *number = kt_get_le64(value.data + 4);
    return result;
}

kt_code kt_currency_apply(void *self, const kt_record *record, kt_error *error) {
    kt_ledger *ledger = self;
    uint8_t decimals;
    kt_str name;
    kt_currency_slot *slot, facts = {0};
    if (!kt_currency_read(record->body, &name, &decimals))
        return kt_fail(error, KT_DAMAGED, "record %llu: a currency record is malformed",
                       (unsigned long long)record->number);
    kt_code code = kt_currency_check(ledger, name, decimals, error);
    if (code != KT_OK) return code;
    code = kt_currency_slot_find(ledger, name, &slot, error);
    if (code == KT_NOT_FOUND) {
        facts.code_size = (uint8_t)name.size;
        memcpy(facts.code, name.data, name.size);
        code = next_id(ledger, &facts.id, error);
        if (code == KT_OK) code = keep(ledger->currencies, &facts, &slot, error);
    } else if (code == KT_OK && slot->decimals == decimals)
        return KT_OK; /* an entry's proof needs the record that said so before it, not one that says it again */
    if (code != KT_OK) return code;
    slot->decimals = decimals;
    if (ledger->company.loaded && ledger->company.currency == slot->id) ledger->company.decimals = slot->decimals;
    return put_facts(ledger, slot, record->number, error);
}
