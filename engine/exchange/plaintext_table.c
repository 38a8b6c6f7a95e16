#include "engine/exchange/plaintext_table.h"

#include <stdlib.h>
#include <string.h>

#include "engine/exchange/plaintext_text.h"

static uint64_t hash_of(const char *key, size_t size) {
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)key[i]) * 1099511628211u;
    return hash ^ (hash >> 29);
}

static kt_plain_slot *slot_of(const kt_plain_table *table, const char *key, size_t size, uint64_t hash) {
    size_t mask = table->room - 1;
    for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
        kt_plain_slot *slot = &table->slots[at];
        if (!slot->key || (slot->hash == hash && slot->size == size && memcmp(slot->key, key, size) == 0)) return slot;
    }
}

void *kt_plaintext_table_find(const kt_plain_table *table, const char *key, size_t size) {
    if (table->room == 0) return NULL;
    return slot_of(table, key, size, hash_of(key, size))->value;
}

static bool grow(kt_plain_table *table) {
    size_t room = table->room ? table->room * 2 : 64;
    kt_plain_table larger = {.slots = calloc(room, sizeof *larger.slots), .room = room, .count = table->count};
    if (!larger.slots) return false;
    for (size_t i = 0; i < table->room; i++)
        if (table->slots[i].key)
            *slot_of(&larger, table->slots[i].key, table->slots[i].size, table->slots[i].hash) = table->slots[i];
    free(table->slots);
    *table = larger;
    return true;
}

bool kt_plaintext_table_put(kt_plain_table *table, const char *key, size_t size, void *value, void **old) {
    if (old) *old = NULL;
    if ((table->count + 1) * 4 > table->room * 3 && !grow(table)) return false;
    uint64_t hash = hash_of(key, size);
    kt_plain_slot *slot = slot_of(table, key, size, hash);
    if (slot->key) {
        if (old) *old = slot->value;
        slot->value = value;
        return true;
    }
    char *copy = malloc(size + 1);
    if (!copy) return false;
    memcpy(copy, key, size);
    copy[size] = 0;
    *slot = (kt_plain_slot){copy, size, value, hash};
    table->count++;
    return true;
}

void kt_plaintext_table_release(kt_plain_table *table, void (*drop)(void *value)) {
    for (size_t i = 0; i < table->room; i++) {
        if (table->slots[i].key && drop) drop(table->slots[i].value);
        free(table->slots[i].key);
    }
    free(table->slots);
    memset(table, 0, sizeof *table);
}

void kt_plaintext_names_init(kt_plain_names *names) {
    memset(names, 0, sizeof *names);
    names->end_commodity = &names->first_commodity;
    names->end_account = &names->first_account;
}

static void drop_commodity(void *value) {
    kt_plain_commodity *commodity = value;
    free(commodity->code);
    free(commodity);
}

static void drop_account(void *value) {
    kt_plain_account *account = value;
    free(account->name);
    free(account->balances);
    free(account);
}

void kt_plaintext_names_release(kt_plain_names *names) {
    kt_plaintext_table_release(&names->commodities, drop_commodity);
    kt_plaintext_table_release(&names->accounts, drop_account);
    kt_plaintext_table_release(&names->commodity_aliases, NULL);
    kt_plaintext_table_release(&names->account_aliases, NULL);
    kt_plaintext_names_init(names);
}

static char *copy_text(const char *text, size_t size) {
    char *copy = malloc(size + 1);
    if (copy) {
        memcpy(copy, text, size);
        copy[size] = 0;
    }
    return copy;
}

kt_plain_commodity *kt_plaintext_names_commodity(kt_plain_names *names, const char *code, size_t size) {
    kt_plain_commodity *commodity = kt_plaintext_table_find(&names->commodities, code, size);
    if (commodity) return commodity;
    commodity = calloc(1, sizeof *commodity);
    if (!commodity) return NULL;
    commodity->code = copy_text(code, size);
    commodity->size = size;
    commodity->seconds = size == 1 && (*code == 's' || *code == 'm' || *code == 'h');
    if (!commodity->code || !kt_plaintext_table_put(&names->commodities, code, size, commodity, NULL)) {
        drop_commodity(commodity);
        return NULL;
    }
    *names->end_commodity = commodity;
    names->end_commodity = &commodity->next;
    return commodity;
}

kt_plain_account *kt_plaintext_names_account(kt_plain_names *names, const char *name, size_t size) {
    kt_plain_account *account = kt_plaintext_table_find(&names->accounts, name, size);
    if (account) return account;
    account = calloc(1, sizeof *account);
    if (!account) return NULL;
    account->name = copy_text(name, size);
    account->size = size;
    account->last_day = KT_DAY_NONE;
    account->assigned_day = KT_DAY_NONE;
    if (!account->name || !kt_plaintext_table_put(&names->accounts, name, size, account, NULL)) {
        drop_account(account);
        return NULL;
    }
    *names->end_account = account;
    names->end_account = &account->next;
    return account;
}

kt_plain_balance *kt_plaintext_names_balance(kt_plain_account *account, kt_plain_commodity *commodity) {
    for (size_t i = 0; i < account->balance_count; i++)
        if (account->balances[i].commodity == commodity) return &account->balances[i];
    if (account->balance_count == account->balance_room) {
        size_t room = account->balance_room ? account->balance_room * 2 : 2;
        kt_plain_balance *larger = realloc(account->balances, room * sizeof *larger);
        if (!larger) return NULL;
        account->balances = larger;
        account->balance_room = room;
    }
    kt_plain_balance *balance = &account->balances[account->balance_count++];
    *balance = (kt_plain_balance){.commodity = commodity};
    return balance;
}

static kt_account_type type_of_top(const char *name, size_t size) {
    static const struct {
        const char *name;
        kt_account_type type;
    } known[] = {
        {"asset", KT_ASSET},      {"assets", KT_ASSET},    {"liability", KT_LIABILITY}, {"liabilities", KT_LIABILITY},
        {"debt", KT_LIABILITY},   {"debts", KT_LIABILITY}, {"equity", KT_EQUITY},       {"income", KT_INCOME},
        {"incomes", KT_INCOME},   {"revenue", KT_INCOME},  {"revenues", KT_INCOME},     {"expense", KT_EXPENSE},
        {"expenses", KT_EXPENSE},
    };
    const char *colon = memchr(name, ':', size);
    size_t top = colon ? (size_t)(colon - name) : size;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (kt_plaintext_text_equal_fold(name, top, known[i].name)) return known[i].type;
    return KT_UNCLASSIFIED;
}

kt_account_type kt_plaintext_names_type(const kt_plain_names *names, const kt_plain_account *account) {
    if (account->typed) return account->type;
    for (size_t size = account->size; size-- > 0;) {
        if (account->name[size] != ':') continue;
        const kt_plain_account *parent = kt_plaintext_table_find(&names->accounts, account->name, size);
        if (parent && parent->typed) return parent->type;
    }
    return type_of_top(account->name, account->size);
}
