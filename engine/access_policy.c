#include "engine/access_policy.h"

#include <stdlib.h>

#include "storage/codec.h"

static void free_limit(kt_policy_limit *limit) {
    kt_limits_release(&limit->limits);
    free(limit->packed);
    *limit = (kt_policy_limit){0};
}

void kt_policy_forget(kt_policy *policy) {
    policy->actors.count = policy->keys.count = policy->grants.count = 0;
    for (unsigned i = 0; i < policy->limit_count; i++) free_limit(&policy->limits[i]);
    policy->limit_count = 0;
    policy->loaded = false;
}

void kt_policy_release(kt_policy *policy) {
    kt_policy_forget(policy);
    free(policy->actors.at);
    free(policy->keys.at);
    free(policy->grants.at);
}

void *kt_policy_push(struct kt_policy_list *list, size_t size, kt_error *error) {
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 8 : 2 * list->room;
        void *grown = realloc(list->at, room * size);
        if (grown == NULL) {
            kt_fail(error, KT_MEMORY, "out of memory");
            return NULL;
        }
        list->at = grown;
        list->room = room;
    }
    return (char *)list->at + size * list->count++;
}

/* ---- what is held in memory ---- */

uint32_t kt_policy_actor_find(const kt_policy *policy, kt_str id) {
    const kt_policy_actor *actors = policy->actors.at;
    for (uint32_t i = 0; i < policy->actors.count; i++)
        if (actors[i].size == id.size && memcmp(actors[i].id, id.data, id.size) == 0) return i;
    return KT_POLICY_NOBODY;
}

kt_str kt_policy_actor_id(const kt_policy *policy, uint32_t index) {
    const kt_policy_actor *found = (const kt_policy_actor *)policy->actors.at + index;
    return (kt_str){found->id, found->size};
}

static kt_code need_actor(kt_policy *policy, kt_str id, uint32_t *out, kt_error *error) {
    *out = kt_policy_actor_find(policy, id);
    if (*out != KT_POLICY_NOBODY) return KT_OK;
    kt_policy_actor *added = kt_policy_push(&policy->actors, sizeof *added, error);
    if (added == NULL) return KT_MEMORY;
    memcpy(added->id, id.data, id.size);
    added->size = (uint8_t)id.size;
    *out = (uint32_t)policy->actors.count - 1;
    return KT_OK;
}

kt_policy_key *kt_policy_key_find(const kt_policy *policy, const uint8_t key[KT_KEY_SIZE]) {
    kt_policy_key *keys = policy->keys.at;
    for (size_t i = 0; i < policy->keys.count; i++)
        if (memcmp(keys[i].key, key, KT_KEY_SIZE) == 0) return &keys[i];
    return NULL;
}

bool kt_policy_holds(uint32_t from, uint32_t until, uint32_t batch) { return from <= batch && batch < until; }

uint32_t kt_role_rights(kt_role role) {
    switch (role) {
    case KT_ROLE_OWNER: return 2 * KT_RIGHT_OWN - 1;
    case KT_ROLE_CLERK: return KT_RIGHT_POST | KT_RIGHT_VALUES;
    case KT_ROLE_CONTROLLER: return KT_RIGHT_APPROVE | KT_RIGHT_CLOSE | KT_RIGHT_REGISTER | KT_RIGHT_VALUES;
    case KT_ROLE_PAYROLL: return KT_RIGHT_PAYROLL;
    case KT_ROLE_STAFF: return KT_RIGHT_STAFF;
    case KT_ROLE_ADMIN: return KT_RIGHT_ADMIN;
    case KT_ROLE_AUDITOR: break;
    }
    return 0;
}

uint32_t kt_policy_rights(const kt_policy *policy, uint32_t who) {
    const kt_policy_grant *grants = policy->grants.at;
    uint32_t rights = 0;
    for (size_t i = 0; i < policy->grants.count; i++)
        if (grants[i].actor == who && kt_policy_holds(grants[i].from, grants[i].until, policy->now))
            rights |= kt_role_rights(grants[i].role);
    return rights;
}

kt_policy_grant *kt_policy_grant_find(const kt_policy *policy, uint32_t who, kt_role role) {
    kt_policy_grant *grants = policy->grants.at;
    for (size_t i = 0; i < policy->grants.count; i++)
        if (grants[i].actor == who && grants[i].role == role && grants[i].until == KT_POLICY_FOREVER) return &grants[i];
    return NULL;
}

static bool in_use(const kt_policy *policy, uint16_t limit) {
    const kt_policy_grant *grants = policy->grants.at;
    for (size_t i = 0; i < policy->grants.count; i++)
        if (grants[i].limit == limit && grants[i].until > policy->now) return true;
    return false;
}

/* The slot that holds these limits, or may. KT_LIMIT. */
kt_code kt_policy_limit_find(kt_policy *policy, kt_span packed, uint16_t *out, kt_error *error) {
    kt_limits limits;
    uint16_t spare = KT_POLICY_NO_LIMIT;
    *out = KT_POLICY_NO_LIMIT;
    kt_code code = kt_limits_read(packed, &limits, error);
    if (code != KT_OK) return code;
    bool without = limits.amount == 0 && limits.account_count == 0 && limits.series_count == 0;
    kt_limits_release(&limits);
    for (uint16_t i = 0; i < policy->limit_count && !without; i++) {
        const kt_policy_limit *limit = &policy->limits[i];
        bool used = limit->packed != NULL && in_use(policy, i);
        if (used && kt_span_compare(kt_span_of(limit->packed, limit->size), packed) == 0) *out = i;
        if (!used && spare == KT_POLICY_NO_LIMIT) spare = i;
    }
    if (without || *out != KT_POLICY_NO_LIMIT) return KT_OK;
    *out = spare != KT_POLICY_NO_LIMIT ? spare : (uint16_t)policy->limit_count;
    if (*out < KT_LIMIT_DISTINCT_MAX) return KT_OK;
    return kt_fail(error, KT_LIMIT, "%d different limits are in force, which is the most: give one that another has",
                   KT_LIMIT_DISTINCT_MAX);
}

static kt_code take_limit(kt_policy *policy, kt_span packed, uint16_t *out, kt_error *error) {
    kt_code code = kt_policy_limit_find(policy, packed, out, error);
    if (code != KT_OK || *out == KT_POLICY_NO_LIMIT) return code;
    kt_policy_limit *limit = &policy->limits[*out];
    if (limit->packed != NULL && in_use(policy, *out)) return KT_OK;
    free_limit(limit);
    limit->packed = malloc(packed.size);
    if (limit->packed == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    memcpy(limit->packed, packed.data, packed.size);
    limit->size = packed.size;
    if (*out == policy->limit_count) policy->limit_count++;
    return kt_limits_read(kt_span_of(limit->packed, limit->size), &limit->limits, error);
}

/* ---- loading ---- */

kt_code kt_policy_add_key(kt_policy *policy, const uint8_t key[KT_KEY_SIZE], const kt_key_row *row, uint32_t from,
                          kt_error *error) {
    uint32_t who;
    kt_code code = need_actor(policy, row->actor, &who, error);
    kt_policy_key *added = code == KT_OK ? kt_policy_push(&policy->keys, sizeof *added, error) : NULL;
    if (added == NULL) return KT_MEMORY;
    *added = (kt_policy_key){.actor = who,
                             .from = from,
                             .until = row->until == 0 ? KT_POLICY_FOREVER : 0,
                             .record = row->from,
                             .ended = row->until,
                             .revoked = row->revoked};
    memcpy(added->key, key, KT_KEY_SIZE);
    return KT_OK;
}

kt_code kt_policy_add_grant(kt_policy *policy, const kt_grant_row *row, uint32_t from, kt_error *error) {
    uint32_t who;
    uint16_t limit = KT_POLICY_NO_LIMIT;
    kt_code code = need_actor(policy, row->actor, &who, error);
    if (code != KT_OK) return code;
    kt_policy_grant *before = kt_policy_grant_find(policy, who, row->role);
    if (before != NULL) before->until = from;
    if (row->withdrawn) return KT_OK;
    code = take_limit(policy, row->limits, &limit, error);
    if (code != KT_OK) return code;
    kt_policy_grant *added = kt_policy_push(&policy->grants, sizeof *added, error);
    if (added == NULL) return KT_MEMORY;
    *added = (kt_policy_grant){who, from, KT_POLICY_FOREVER, row->role, limit};
    return KT_OK;
}

/* Rows come by actor, role and record: the last of an actor's role holds, and what was before it takes no limit's place. */
static kt_code load_grant(kt_policy *policy, kt_grant_row *last, const kt_grant_row *row, kt_error *error) {
    bool replaced = row != NULL && row->role == last->role && kt_str_equal(row->actor, last->actor);
    kt_code code = last->actor.size == 0 || replaced ? KT_OK : kt_policy_add_grant(policy, last, 0, error);
    if (row != NULL) *last = *row;
    return code;
}

static kt_code load_rows(kt_policy *policy, kt_state *state, kt_table table, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    kt_grant_row last = {0};
    kt_code code = kt_cursor_open(kt_state_txn(state), table, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_first(cursor, &key, &value, error); code == KT_OK;
         code = kt_cursor_next(cursor, &key, &value, error)) {
        kt_key_row row;
        kt_grant_row grant;
        if (table == KT_TABLE_ACTORS) {
            if (key.size != KT_KEY_SIZE) code = kt_fail(error, KT_DAMAGED, "an actor's key has a malformed row");
            if (code == KT_OK) code = kt_key_row_read(value, &row, error);
            if (code == KT_OK) code = kt_policy_add_key(policy, key.data, &row, 0, error);
        } else {
            code = kt_grant_row_read(key, value, &grant, error);
            if (code == KT_OK) code = load_grant(policy, &last, &grant, error);
        }
        if (code != KT_OK) break;
    }
    kt_cursor_close(cursor);
    return code == KT_END ? load_grant(policy, &last, NULL, error) : code;
}

kt_code kt_policy_load(kt_policy *policy, kt_state *state, kt_error *error) {
    if (policy->loaded) return KT_OK;
    policy->now = 1;
    policy->loaded = true;
    if (kt_state_txn(state) == NULL) return KT_OK; /* a state bound to none knows of nobody */
    kt_code code = load_rows(policy, state, KT_TABLE_ACTORS, error);
    if (code == KT_OK) code = load_rows(policy, state, KT_TABLE_GRANTS, error);
    if (code != KT_OK) kt_policy_forget(policy);
    return code;
}

/* ---- limits ---- */

static int compare(kt_str a, kt_str b) {
    return kt_span_compare(kt_span_of(a.data, a.size), kt_span_of(b.data, b.size));
}

static bool in_range(const kt_account_range *range, kt_str code) {
    kt_str to = range->to.size == 0 ? range->from : range->to;
    if (compare(code, range->from) < 0) return false;
    return compare(code, to) <= 0 || (code.size > to.size && memcmp(code.data, to.data, to.size) == 0);
}

const kt_line *kt_limits_beyond(const kt_limits *limits, const kt_entry *entry) {
    for (size_t i = 0; i < entry->line_count && limits->account_count != 0; i++) {
        bool within = false;
        for (size_t k = 0; k < limits->account_count && !within; k++)
            within = in_range(&limits->accounts[k], entry->lines[i].account);
        if (!within) return &entry->lines[i];
    }
    return NULL;
}

bool kt_limits_series(const kt_limits *limits, kt_str series) {
    for (size_t i = 0; i < limits->series_count; i++)
        if (kt_str_equal(limits->series[i], series)) return true;
    return limits->series_count == 0;
}

bool kt_limits_take(const kt_limits *limits, const kt_access_entry *what) {
    return (limits->amount == 0 || (what->valued && what->amount <= limits->amount)) &&
           kt_limits_series(limits, what->entry->series) && kt_limits_beyond(limits, what->entry) == NULL;
}
