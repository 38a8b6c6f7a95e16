#include "engine/ledger/account.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "engine/ledger/currency.h"
#include "storage/codec.h"

#define FIRST_SLOTS 1024u
#define LARGE_PAGE ((size_t)2 << 20)
#define FACTS_MAX 2048u
#define EXPECTED 16u
#define TOGETHER 32u
#define MANY 4096u
#define ALL_AFTER 8192u   /* accounts looked up one by one before all are read at once */
#define ALL_MOST 2000000u /* but not more: they are held in memory, 64 to 200 bytes each */

_Static_assert(sizeof(kt_account_slot) == 64, "a slot is a cache line");

struct kt_accounts {
    kt_account_slot *slots; /* open addressing by code, so that an account is one line of memory; id 0: free */
    uint32_t slot_count, count;
    bool asked_all; /* the rest was read, or found too large */
};

/* Zeroed, on whole cache lines; in large pages where it is large and the machine has them, since it is met at random. */
static kt_account_slot *new_slots(uint32_t count) {
    size_t size = count * sizeof(kt_account_slot);
    bool large = size >= LARGE_PAGE;
    kt_account_slot *slots = aligned_alloc(large ? LARGE_PAGE : 64, size);
    if (slots == NULL) return NULL;
    if (large) (void)madvise(slots, size, MADV_HUGEPAGE); /* a wish */
    memset(slots, 0, size);
    return slots;
}

kt_code kt_accounts_open(kt_accounts **out, kt_error *error) {
    kt_accounts *accounts = calloc(1, sizeof *accounts);
    *out = accounts;
    if (accounts == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    accounts->slot_count = FIRST_SLOTS;
    accounts->slots = new_slots(FIRST_SLOTS);
    return accounts->slots == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
}

void kt_accounts_forget(kt_accounts *accounts) {
    for (uint32_t i = 0; i < accounts->slot_count && accounts->count != 0; i++) {
        kt_account_slot *slot = &accounts->slots[i];
        if (slot->id == 0) continue;
        if (slot->sums != NULL) free(slot->sums->of);
        free(slot->sums);
        if (slot->code_size > KT_ACCOUNT_NEAR) free(slot->far);
        *slot = (kt_account_slot){0};
    }
    accounts->count = 0;
    accounts->asked_all = false;
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

kt_code kt_account_facts_read(kt_span code, kt_span value, kt_account *out, kt_error *error) {
    kt_unpack unpack;
    uint32_t count;
    uint64_t id;
    kt_unpack_init(&unpack, value);
    *out = (kt_account){.code = {(const char *)code.data, code.size}};
    kt_unpack_array(&unpack, &count);
    kt_unpack_uint(&unpack, &id);
    kt_unpack_uint(&unpack, &out->record);
    out->id = (uint32_t)id;
    if (count != 9 || !unpack_facts(&unpack, out))
        return kt_fail(error, KT_DAMAGED, "an account's facts are malformed");
    return KT_OK;
}

kt_code kt_account_facts(kt_state *state, kt_str code, kt_account *out, kt_error *error) {
    kt_span value;
    if (code.size == 0 || code.size > KT_ACCOUNT_CODE_MAX) return KT_NOT_FOUND;
    kt_code result = kt_state_get(state, KT_TABLE_ACCOUNTS, kt_span_of(code.data, code.size), &value, error);
    if (result != KT_OK) return result;
    result = kt_account_facts_read(kt_span_of(code.data, code.size), value, out, error);
    return result;
}

static kt_code put_facts(kt_ledger *ledger, const kt_account *account, kt_error *error) {
    uint8_t buffer[FACTS_MAX];
    kt_pack pack;
    kt_pack_init(&pack, buffer, sizeof buffer);
    kt_pack_array(&pack, 9);
    kt_pack_uint(&pack, account->id);
    kt_pack_uint(&pack, account->record);
    pack_facts(&pack, account);
    return kt_state_put(ledger->state, KT_TABLE_ACCOUNTS, kt_span_of(account->code.data, account->code.size),
                        kt_span_of(buffer, pack.size), error);
}

/* ---- slots ---- */

static inline uint32_t hash_code(kt_str code) {
    uint64_t h = code.size * 0x9e3779b97f4a7c15ull, word;
    const uint8_t *at = (const uint8_t *)code.data;
    size_t left = code.size;
    for (; left > 8; at += 8, left -= 8) {
        memcpy(&word, at, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    h = (h ^ kt_bytes_word(at, left)) * 0xff51afd7ed558ccdull;
    return (uint32_t)(((h ^ h >> 32) * 0x9e3779b97f4a7c15ull) >> 32); /* digits alone differ in few bits */
}

/* Where a slot for this hash is free. */
static kt_account_slot *free_slot(kt_account_slot *slots, uint32_t count, uint32_t hash) {
    uint32_t at = hash & (count - 1);
    while (slots[at].id != 0) at = (at + 1) & (count - 1);
    return &slots[at];
}

/* Room for so many more accounts, two thirds full at most. */
static bool reserve(kt_accounts *accounts, size_t more) {
    uint32_t count = accounts->slot_count;
    while (((uint64_t)accounts->count + more) * 3 > (uint64_t)count * 2 && count < UINT32_MAX / 2) count *= 2;
    if (count == accounts->slot_count) return true;
    kt_account_slot *slots = new_slots(count);
    if (slots == NULL) return false;
    for (uint32_t i = 0; i < accounts->slot_count; i++) {
        const kt_account_slot *slot = &accounts->slots[i];
        if (slot->id == 0) continue;
        *free_slot(slots, count, hash_code((kt_str){kt_account_slot_code(slot), slot->code_size})) = *slot;
    }
    free(accounts->slots);
    accounts->slots = slots;
    accounts->slot_count = count;
    return true;
}

static bool set_code(kt_account_slot *slot, kt_str code) {
    char *room = slot->near;
    if (code.size > KT_ACCOUNT_NEAR) room = slot->far = malloc(code.size);
    if (room == NULL) return false;
    memcpy(room, code.data, code.size);
    slot->code_size = (uint32_t)code.size;
    return true;
}

static kt_code fill_slot(kt_ledger *ledger, kt_account_slot *slot, const kt_account *facts, kt_error *error) {
    uint8_t decimals;
    slot->id = facts->id;
    slot->open_from = facts->open_from;
    slot->closed_from = facts->closed_from;
    slot->rule = (uint8_t)facts->rule;
    slot->currency = 0;
    if (facts->currency.size == 0) return KT_OK;
    return kt_currency_id(ledger, facts->currency, &slot->currency, &decimals, error);
}

static kt_code keep_slot(kt_ledger *ledger, kt_str code, uint32_t hash, const kt_account *facts, kt_account_slot **out,
                         kt_error *error) {
    kt_accounts *accounts = ledger->accounts;
    kt_account_slot slot = {0};
    if (!reserve(accounts, 1)) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_code result = fill_slot(ledger, &slot, facts, error);
    if (result == KT_OK && !set_code(&slot, code)) result = kt_fail(error, KT_MEMORY, "out of memory");
    if (result != KT_OK) return result;
    *out = free_slot(accounts->slots, accounts->slot_count, hash);
    **out = slot;
    accounts->count++;
    return KT_OK;
}

static inline kt_account_slot *find_slot(const kt_accounts *accounts, kt_str code, uint32_t hash) {
    uint32_t mask = accounts->slot_count - 1, at = hash & mask;
    for (kt_account_slot *slot; (slot = &accounts->slots[at])->id != 0; at = (at + 1) & mask)
        if (slot->code_size == code.size && kt_bytes_same(kt_account_slot_code(slot), code.data, code.size))
            return slot;
    return NULL;
}

struct row {
    kt_str code;
    kt_span value;
    uint32_t hash;
};

/* Where state has a change, as that says. */
static kt_code keep_row(kt_ledger *ledger, const struct row *row, kt_error *error) {
    kt_account facts;
    kt_account_slot *slot;
    kt_span key = kt_span_of(row->code.data, row->code.size);
    if (find_slot(ledger->accounts, row->code, row->hash) != NULL) return KT_OK;
    kt_code code = kt_state_has_change(ledger->state, KT_TABLE_ACCOUNTS, key)
                       ? kt_account_facts(ledger->state, row->code, &facts, error)
                       : kt_account_facts_read(key, row->value, &facts, error);
    return code == KT_OK ? keep_slot(ledger, row->code, row->hash, &facts, &slot, error) : code;
}

/* All accounts as the transaction has them, in one walk; some at a time, so that memory brings their slots meanwhile. */
static kt_code load_all(kt_ledger *ledger, kt_txn *txn, uint64_t count, kt_error *error) {
    kt_accounts *accounts = ledger->accounts;
    kt_cursor *cursor;
    kt_span key;
    struct row rows[TOGETHER];
    unsigned held = 0;
    if (!reserve(accounts, count)) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_code code = kt_cursor_open(txn, KT_TABLE_ACCOUNTS, &cursor, error), end;
    if (code != KT_OK) return code;
    for (end = kt_cursor_first(cursor, &key, &rows[0].value, error); code == KT_OK && (end == KT_OK || held != 0);
         end = end == KT_OK ? kt_cursor_next(cursor, &key, &rows[held].value, error) : end) {
        if (end == KT_OK) {
            rows[held].code = (kt_str){(const char *)key.data, key.size};
            rows[held].hash = hash_code(rows[held].code);
            __builtin_prefetch(&accounts->slots[rows[held].hash & (accounts->slot_count - 1)], 1);
            if (++held < TOGETHER) continue;
        }
        for (unsigned i = 0; i < held && code == KT_OK; i++) code = keep_row(ledger, &rows[i], error);
        held = 0;
    }
    kt_cursor_close(cursor);
    return code != KT_OK || end == KT_END ? code : end;
}

/* Once many were looked up one by one, the rest is read at once, in the order of the table's pages. */
static kt_code load_rest(kt_ledger *ledger, kt_error *error) {
    uint64_t count, pages;
    ledger->accounts->asked_all = true;
    kt_txn *txn = kt_state_txn(ledger->state);
    if (txn == NULL) return KT_OK;
    kt_code code = kt_table_stat(txn, KT_TABLE_ACCOUNTS, &count, &pages, error);
    return code == KT_OK && count <= ALL_MOST ? load_all(ledger, txn, count, error) : code;
}

static kt_code load_slot(kt_ledger *ledger, kt_str code, uint32_t hash, kt_account_slot **out, kt_error *error) {
    kt_account facts;
    kt_code result = kt_account_facts(ledger->state, code, &facts, error);
    return result == KT_OK ? keep_slot(ledger, code, hash, &facts, out, error) : result;
}

void kt_accounts_prefetch(const kt_ledger *ledger, const kt_line *lines, size_t count) {
    const kt_accounts *accounts = ledger->accounts;
    if (accounts->count < MANY) return; /* few are in the cache anyway */
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(&accounts->slots[hash_code(lines[i].account) & (accounts->slot_count - 1)]);
}

kt_code kt_accounts_expect(kt_ledger *ledger, const kt_line *lines, size_t count, kt_error *error) {
    kt_accounts *accounts = ledger->accounts;
    kt_code code = KT_OK;
    if (accounts->count >= ALL_AFTER && !accounts->asked_all) code = load_rest(ledger, error);
    if (code != KT_OK) return code;
    if (!reserve(accounts, count)) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_accounts_prefetch(ledger, lines, count < EXPECTED ? count : EXPECTED);
    return KT_OK;
}

kt_code kt_account_slot_find(kt_ledger *ledger, kt_str code, kt_account_slot **out, kt_error *error) {
    uint32_t hash = hash_code(code);
    *out = find_slot(ledger->accounts, code, hash);
    return *out != NULL ? KT_OK : load_slot(ledger, code, hash, out, error);
}

static kt_code found_posting(void *context, const kt_run_cell *cell, kt_error *error) {
    (void)error;
    *(bool *)context |= cell->count != 0;
    return KT_OK;
}

/* Rarely asked, so it is looked up in the sums and kept nowhere. */
static kt_code has_postings(kt_ledger *ledger, uint32_t id, bool *found, kt_error *error) {
    *found = false;
    return kt_runs_sums(ledger->runs, kt_state_txn(ledger->state), id, found_posting, found, error);
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
        kt_code code = kt_account_facts(ledger->state, at, &parent, error);
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
    code = kt_account_facts(ledger->state, account->code, &before, error);
    if (code == KT_NOT_FOUND) return KT_OK;
    if (code != KT_OK || before.type == KT_UNCLASSIFIED || before.type == account->type) return code;
    code = has_postings(ledger, before.id, &posted, error);
    if (code == KT_OK && posted)
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
    kt_account_slot *slot;
    uint8_t key[12];
    kt_code code = kt_account_body_read(record, &account, error);
    if (code == KT_OK) code = kt_account_check(ledger, &account, error); /* enforced again on replay */
    if (code != KT_OK) return code;
    code = kt_account_facts(ledger->state, account.code, &before, error);
    if (code == KT_OK) account.id = before.id;
    else if (code == KT_NOT_FOUND) code = next_id(ledger, &account.id, error);
    if (code == KT_OK) code = put_facts(ledger, &account, error);
    kt_put_be32(key, account.id);
    kt_put_be64(key + 4, record->number);
    if (code == KT_OK)
        code = kt_state_put(ledger->state, KT_TABLE_ACCOUNT_FACTS, kt_span_of(key, sizeof key), record->body, error);
    if (code == KT_OK) code = kt_account_slot_find(ledger, account.code, &slot, error);
    return code == KT_OK ? fill_slot(ledger, slot, &account, error) : code;
}
