#include "engine/ledger/account.h"

#include <stdlib.h>

#include "engine/ledger/currency.h"
#include "storage/codec.h"

#define FIRST_SLOTS 4096u
#define FACTS_MAX 2048u

struct kt_accounts {
    kt_account_slot **slots;
    uint32_t slot_count, count;
};

kt_code kt_accounts_open(kt_accounts **out, kt_error *error) {
    kt_accounts *accounts = calloc(1, sizeof *accounts);
    *out = accounts;
    if (accounts == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    accounts->slot_count = FIRST_SLOTS;
    accounts->slots = calloc(FIRST_SLOTS, sizeof(kt_account_slot *));
    return accounts->slots == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
}

void kt_accounts_forget(kt_accounts *accounts) {
    for (uint32_t i = 0; i < accounts->slot_count && accounts->count != 0; i++) {
        if (accounts->slots[i] == NULL) continue;
        free(accounts->slots[i]->balances);
        free(accounts->slots[i]);
        accounts->slots[i] = NULL;
    }
    accounts->count = 0;
}

void kt_accounts_close(kt_accounts *accounts) {
    if (accounts == NULL) return;
    if (accounts->slots != NULL) kt_accounts_forget(accounts);
    free(accounts->slots);
    free(accounts);
}

/* ---- facts ---- */

static kt_str take_str(kt_unpack *unpack) {
    kt_str text;
    kt_unpack_text(unpack, &text.data, &text.size);
    return text;
}

static void pack_facts(kt_pack *pack, const kt_account *account) {
    kt_pack_text(pack, account->name.data, account->name.size);
    kt_pack_uint(pack, (uint64_t)account->type);
    kt_pack_text(pack, account->parent.data, account->parent.size);
    kt_pack_text(pack, account->currency.data, account->currency.size);
    kt_pack_uint(pack, (uint64_t)account->rule);
    kt_pack_int(pack, account->open_from);
    kt_pack_int(pack, account->closed_from);
}

static bool is_day(int64_t day) { return day == KT_DAY_NONE || (day >= KT_DAY_MIN && day <= KT_DAY_MAX); }

static bool unpack_facts(kt_unpack *unpack, kt_account *account) {
    uint64_t type, rule;
    int64_t open_from, closed_from;
    account->name = take_str(unpack);
    kt_unpack_uint(unpack, &type);
    account->parent = take_str(unpack);
    account->currency = take_str(unpack);
    kt_unpack_uint(unpack, &rule);
    kt_unpack_int(unpack, &open_from);
    kt_unpack_int(unpack, &closed_from);
    account->type = (kt_account_type)type;
    account->rule = (kt_balance_rule)rule;
    account->open_from = (kt_day)open_from;
    account->closed_from = (kt_day)closed_from;
    return kt_unpack_done(unpack) && type <= KT_EXPENSE && rule <= KT_RULE_NOT_POSITIVE && is_day(open_from) &&
           is_day(closed_from);
}

kt_code kt_account_facts_read(kt_span code, kt_span value, kt_account *out, bool *posted, kt_error *error) {
    kt_unpack unpack;
    uint32_t count;
    uint64_t id;
    bool has_posting;
    kt_unpack_init(&unpack, value);
    *out = (kt_account){.code = {(const char *)code.data, code.size}};
    kt_unpack_array(&unpack, &count);
    kt_unpack_uint(&unpack, &id);
    kt_unpack_uint(&unpack, &out->record);
    kt_unpack_bool(&unpack, &has_posting);
    out->id = (uint32_t)id;
    if (posted != NULL) *posted = has_posting;
    if (count != 10 || !unpack_facts(&unpack, out))
        return kt_fail(error, KT_DAMAGED, "an account's facts are malformed");
    return KT_OK;
}

kt_code kt_account_facts(kt_state *state, kt_str code, kt_account *out, bool *posted, kt_error *error) {
    kt_span value;
    if (code.size == 0 || code.size > KT_ACCOUNT_CODE_MAX) return KT_NOT_FOUND;
    kt_code result = kt_state_get(state, KT_TABLE_ACCOUNTS, kt_span_of(code.data, code.size), &value, error);
    if (result != KT_OK) return result;
    result = kt_account_facts_read(kt_span_of(code.data, code.size), value, out, posted, error);
    return result;
}

static kt_code put_facts(kt_ledger *ledger, const kt_account *account, bool posted, kt_error *error) {
    uint8_t buffer[FACTS_MAX];
    kt_pack pack;
    kt_pack_init(&pack, buffer, sizeof buffer);
    kt_pack_array(&pack, 10);
    kt_pack_uint(&pack, account->id);
    kt_pack_uint(&pack, account->record);
    kt_pack_bool(&pack, posted);
    pack_facts(&pack, account);
    return kt_state_put(ledger->state, KT_TABLE_ACCOUNTS, kt_span_of(account->code.data, account->code.size),
                        kt_span_of(buffer, pack.size), error);
}

/* ---- slots ---- */

static inline uint32_t hash_code(kt_str code) {
    uint64_t h = code.size * 0x9e3779b97f4a7c15ull, word;
    const char *at = code.data;
    size_t left = code.size;
    for (; left >= 8; at += 8, left -= 8) {
        memcpy(&word, at, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    if (left != 0) {
        word = 0;
        memcpy(&word, at, left);
        h = (h ^ word) * 0xff51afd7ed558ccdull;
    }
    return (uint32_t)(h >> 32) ^ (uint32_t)h;
}

static bool grow_slots(kt_accounts *accounts) {
    uint32_t count = accounts->slot_count * 2;
    kt_account_slot **slots = calloc(count, sizeof(kt_account_slot *));
    if (slots == NULL) return false;
    for (uint32_t i = 0; i < accounts->slot_count; i++) {
        if (accounts->slots[i] == NULL) continue;
        uint32_t at = accounts->slots[i]->hash & (count - 1);
        while (slots[at] != NULL) at = (at + 1) & (count - 1);
        slots[at] = accounts->slots[i];
    }
    free(accounts->slots);
    accounts->slots = slots;
    accounts->slot_count = count;
    return true;
}

static kt_code fill_slot(kt_ledger *ledger, kt_account_slot *slot, const kt_account *facts, bool posted,
                         kt_error *error) {
    uint8_t decimals;
    slot->id = facts->id;
    slot->open_from = facts->open_from;
    slot->closed_from = facts->closed_from;
    slot->rule = (uint8_t)facts->rule;
    slot->posted = posted;
    slot->currency = 0;
    if (facts->currency.size == 0) return KT_OK;
    return kt_currency_id(ledger, facts->currency, &slot->currency, &decimals, error);
}

static kt_code load_slot(kt_ledger *ledger, kt_str code, uint32_t hash, kt_account_slot **out, kt_error *error) {
    kt_accounts *accounts = ledger->accounts;
    kt_account facts;
    bool posted;
    kt_code result = kt_account_facts(ledger->state, code, &facts, &posted, error);
    if (result != KT_OK) return result;
    if (accounts->count * 2 >= accounts->slot_count && !grow_slots(accounts))
        return kt_fail(error, KT_MEMORY, "out of memory");
    kt_account_slot *slot = calloc(1, sizeof *slot + code.size);
    if (slot == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    slot->hash = hash;
    slot->code_size = (uint32_t)code.size;
    memcpy(slot->code, code.data, code.size);
    result = fill_slot(ledger, slot, &facts, posted, error);
    if (result != KT_OK) {
        free(slot);
        return result;
    }
    uint32_t at = hash & (accounts->slot_count - 1);
    while (accounts->slots[at] != NULL) at = (at + 1) & (accounts->slot_count - 1);
    accounts->slots[at] = slot;
    accounts->count++;
    *out = slot;
    return KT_OK;
}

kt_code kt_account_slot_find(kt_ledger *ledger, kt_str code, kt_account_slot **out, kt_error *error) {
    kt_accounts *accounts = ledger->accounts;
    uint32_t hash = hash_code(code), at = hash & (accounts->slot_count - 1);
    for (kt_account_slot *slot; (slot = accounts->slots[at]) != NULL; at = (at + 1) & (accounts->slot_count - 1))
        if (slot->hash == hash && slot->code_size == code.size && memcmp(slot->code, code.data, code.size) == 0) {
            *out = slot;
            return KT_OK;
        }
    return load_slot(ledger, code, hash, out, error);
}

kt_code kt_account_mark_posted(kt_ledger *ledger, kt_account_slot *slot, kt_error *error) {
    kt_account facts;
    kt_code code = kt_account_facts(ledger->state, (kt_str){slot->code, slot->code_size}, &facts, NULL, error);
    if (code == KT_OK) code = put_facts(ledger, &facts, true, error);
    slot->posted = code == KT_OK;
    return code;
}

/* ---- records ---- */

static kt_code check_text(kt_str text, size_t least, size_t most, const char *what, kt_error *error) {
    if (text.size < least || text.size > most)
        return kt_fail(error, KT_LIMIT, "%s has %zu bytes, expected %zu to %zu", what, text.size, least, most);
    if (!kt_utf8_valid(text.data, text.size)) return kt_fail(error, KT_INVALID, "%s is not UTF-8", what);
    if (kt_utf8_controls(text.data, text.size)) return kt_fail(error, KT_INVALID, "%s has a control character", what);
    return KT_OK;
}

/* A parent must be on record, and no account may come to stand below itself. */
static kt_code check_parent(kt_ledger *ledger, const kt_account *account, kt_error *error) {
    kt_account parent;
    kt_str at = account->parent;
    for (unsigned depth = 0; at.size != 0; depth++) {
        if (kt_str_equal(at, account->code) || depth > 64)
            return kt_fail(error, KT_INVALID, "account %.*s would stand below itself", (int)account->code.size,
                           account->code.data);
        kt_code code = kt_account_facts(ledger->state, at, &parent, NULL, error);
        if (code == KT_NOT_FOUND)
            return kt_fail(error, KT_UNKNOWN, "account %.*s: its parent %.*s is not on record", (int)account->code.size,
                           account->code.data, (int)at.size, at.data);
        if (code != KT_OK) return code;
        at = parent.parent;
    }
    return KT_OK;
}

kt_code kt_account_check(kt_ledger *ledger, const kt_account *account, kt_error *error) {
    kt_account before;
    bool posted = false;
    uint16_t currency;
    uint8_t decimals;
    kt_code code = check_text(account->code, 1, KT_ACCOUNT_CODE_MAX, "an account's code", error);
    if (code == KT_OK) code = check_text(account->name, 0, KT_NAME_MAX, "an account's name", error);
    if (code == KT_OK) code = check_parent(ledger, account, error);
    if (code == KT_OK && ((unsigned)account->type > KT_EXPENSE || (unsigned)account->rule > KT_RULE_NOT_POSITIVE))
        code = kt_fail(error, KT_USAGE, "account %.*s: no such type or balance rule", (int)account->code.size,
                       account->code.data);
    if (code == KT_OK && !(is_day(account->open_from) && is_day(account->closed_from)))
        code = kt_fail(error, KT_INVALID, "account %.*s: its opening or closing day is out of range",
                       (int)account->code.size, account->code.data);
    if (code == KT_OK && account->currency.size != 0) {
        code = kt_currency_id(ledger, account->currency, &currency, &decimals, error);
        if (code == KT_NOT_FOUND)
            code = kt_fail(error, KT_UNKNOWN, "account %.*s: currency %.*s is not on record", (int)account->code.size,
                           account->code.data, (int)account->currency.size, account->currency.data);
    }
    if (code != KT_OK) return code;
    code = kt_account_facts(ledger->state, account->code, &before, &posted, error);
    if (code == KT_NOT_FOUND) return KT_OK;
    if (code == KT_OK && posted && before.type != KT_UNCLASSIFIED && before.type != account->type)
        return kt_fail(error, KT_RULE, "account %.*s has postings: its type stays %s", (int)account->code.size,
                       account->code.data, kt_account_type_name(before.type));
    return code;
}

size_t kt_account_record(const kt_account *account, kt_day date, uint8_t *out, size_t room) {
    kt_pack pack;
    kt_pack_init(&pack, out, room);
    kt_pack_envelope(&pack, KT_KIND_ACCOUNT, 1, date);
    kt_pack_array(&pack, 8);
    kt_pack_text(&pack, account->code.data, account->code.size);
    pack_facts(&pack, account);
    return pack.size;
}

static kt_code next_id(kt_ledger *ledger, uint32_t *id, kt_error *error) {
    uint8_t bytes[4];
    kt_span value, key = kt_span_of("accounts", 8);
    kt_code code = kt_state_get(ledger->state, KT_TABLE_TOTALS, key, &value, error);
    if (code != KT_OK && code != KT_NOT_FOUND) return code;
    *id = code == KT_OK && value.size == 4 ? kt_get_le32(value.data) + 1 : 1;
    kt_put_le32(bytes, *id);
    return kt_state_put(ledger->state, KT_TABLE_TOTALS, key, kt_span_of(bytes, sizeof bytes), error);
}

kt_code kt_account_body_read(const kt_record *record, kt_account *out, kt_error *error) {
    kt_unpack unpack;
    uint32_t count;
    *out = (kt_account){.record = record->number};
    kt_unpack_init(&unpack, record->body);
    kt_unpack_array(&unpack, &count);
    out->code = take_str(&unpack);
    if (count == 8 && unpack_facts(&unpack, out)) return KT_OK;
    return kt_fail(error, KT_DAMAGED, "record %llu: an account record is malformed",
                   (unsigned long long)record->number);
}

kt_code kt_account_apply(void *self, const kt_record *record, kt_error *error) {
    kt_ledger *ledger = self;
    kt_account account, before;
    bool posted = false;
    kt_account_slot *slot;
    uint8_t key[12];
    kt_code code = kt_account_body_read(record, &account, error);
    if (code == KT_OK) code = kt_account_check(ledger, &account, error); /* enforced again on replay */
    if (code != KT_OK) return code;
    code = kt_account_facts(ledger->state, account.code, &before, &posted, error);
    if (code == KT_OK) account.id = before.id;
    else if (code == KT_NOT_FOUND) code = next_id(ledger, &account.id, error);
    if (code == KT_OK) code = put_facts(ledger, &account, posted, error);
    kt_put_be32(key, account.id);
    kt_put_be64(key + 4, record->number);
    if (code == KT_OK)
        code = kt_state_put(ledger->state, KT_TABLE_ACCOUNT_FACTS, kt_span_of(key, sizeof key), record->body, error);
    if (code == KT_OK) code = kt_account_slot_find(ledger, account.code, &slot, error);
    return code == KT_OK ? fill_slot(ledger, slot, &account, posted, error) : code;
}
