#include "engine/access.h"

#include <stdlib.h>

#include "engine/access_policy.h"
#include "storage/codec.h"

struct demand { /* of the batch's actor, judged at the seal where he is not known before */
    uint32_t actor, right;
    bool must_not_be; /* this actor; else must be, or have the right */
};

struct weighed {
    uint32_t right;
    uint64_t mask; /* limits that took an entry in */
};

struct kt_access {
    kt_state *state;
    const char *origin;
    kt_policy policy;
    bool acting_known;
    uint32_t acting, asked;
    struct kt_policy_list demands, weighed, proposed; /* of the batch */
};

kt_code kt_access_open(kt_state *state, kt_access **out, kt_error *error) {
    *out = calloc(1, sizeof **out);
    if (*out == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    (*out)->state = state;
    return KT_OK;
}

void kt_access_set_origin(kt_access *access, const char *origin) { access->origin = origin; }
const char *kt_access_origin(const kt_access *access) { return access->origin; }
kt_state *kt_access_state(kt_access *access) { return access->state; }

static void begin(kt_access *access) {
    access->asked = 0;
    access->acting_known = false;
    access->demands.count = access->weighed.count = access->proposed.count = 0;
}

void kt_access_forget(kt_access *access) {
    kt_policy_forget(&access->policy);
    begin(access);
}

void kt_access_close(kt_access *access) {
    if (access == NULL) return;
    kt_policy_release(&access->policy);
    free(access->demands.at);
    free(access->weighed.at);
    free(access->proposed.at);
    free(access);
}

static kt_code load(kt_access *access, kt_error *error) {
    return kt_policy_load(&access->policy, access->state, error);
}

kt_code kt_access_found(kt_access *access, const uint8_t key[KT_KEY_SIZE], kt_error *error) {
    uint8_t packed[16];
    kt_limits none = {0};
    kt_key_row row = {.actor = KT_STR("owner")};
    size_t size = kt_limits_pack(&none, packed, sizeof packed);
    kt_grant_row grant = {.actor = row.actor, .role = KT_ROLE_OWNER, .limits = kt_span_of(packed, size)};
    kt_access_forget(access);
    access->policy.loaded = true;
    access->policy.now = 1;
    kt_code code = kt_key_row_put(access->state, key, &row, error);
    if (code == KT_OK) code = kt_grant_row_put(access->state, &grant, error);
    if (code == KT_OK) code = kt_policy_add_key(&access->policy, key, &row, 0, error);
    return code == KT_OK ? kt_policy_add_grant(&access->policy, &grant, 0, error) : code;
}

/* ---- asking ---- */

static kt_code find_acting(kt_access *access, const uint8_t key[KT_KEY_SIZE], uint32_t *out, kt_error *error) {
    kt_code code = load(access, error);
    if (code != KT_OK) return code;
    const kt_policy_key *found = kt_policy_key_find(&access->policy, key);
    if (found == NULL || found->from > access->policy.now)
        return kt_fail(error, KT_FORBIDDEN, "the actor's key %02x%02x%02x%02x... is not on record in this book", key[0],
                       key[1], key[2], key[3]);
    kt_str id = kt_policy_actor_id(&access->policy, found->actor);
    if (found->until <= access->policy.now)
        return kt_fail(error, KT_FORBIDDEN, "key %02x%02x%02x%02x... of actor %.*s was %s by record %llu", key[0],
                       key[1], key[2], key[3], (int)id.size, id.data, found->revoked ? "revoked" : "rotated out",
                       (unsigned long long)found->ended);
    *out = found->actor;
    return KT_OK;
}

kt_code kt_access_act(kt_access *access, const uint8_t key[KT_KEY_SIZE], kt_error *error) {
    begin(access);
    kt_code code = find_acting(access, key, &access->acting, error);
    access->acting_known = code == KT_OK;
    return code;
}

static kt_code check_rights(const kt_access *access, uint32_t who, uint32_t rights, kt_error *error) {
    static const char *const names[] = {"post entries",
                                        "change the registers",
                                        "close and reopen periods",
                                        "administer the book",
                                        "bring in currencies and dimension values",
                                        "approve what others proposed",
                                        "run payroll",
                                        "keep people's records",
                                        "make owners or change the log's key"};
    uint32_t missing = rights & ~kt_policy_rights(&access->policy, who);
    kt_str id = kt_policy_actor_id(&access->policy, who);
    if (missing == 0) return KT_OK;
    return kt_fail(error, KT_FORBIDDEN, "actor %.*s may not %s", (int)id.size, id.data, names[__builtin_ctz(missing)]);
}

kt_code kt_access_ask(kt_access *access, uint32_t rights, kt_error *error) {
    if ((rights & ~access->asked) == 0) return KT_OK;
    kt_code code = access->acting_known ? check_rights(access, access->acting, rights, error) : KT_OK;
    if (code == KT_OK) access->asked |= rights;
    return code;
}

static kt_code check_demand(const kt_access *access, uint32_t who, const struct demand *demand, kt_error *error) {
    kt_str id = kt_policy_actor_id(&access->policy, demand->actor), own = kt_policy_actor_id(&access->policy, who);
    if (demand->must_not_be && who == demand->actor)
        return kt_fail(error, KT_FORBIDDEN, "actor %.*s may not do this for himself: another actor must", (int)id.size,
                       id.data);
    if (demand->must_not_be || who == demand->actor || (kt_policy_rights(&access->policy, who) & demand->right) != 0)
        return KT_OK;
    return kt_fail(error, KT_FORBIDDEN, "actor %.*s may not do this for actor %.*s", (int)own.size, own.data,
                   (int)id.size, id.data);
}

static kt_code demand(kt_access *access, struct demand wanted, kt_error *error) {
    const struct demand *known = access->demands.at;
    if (access->acting_known) {
        kt_code code = check_demand(access, access->acting, &wanted, error);
        if (code != KT_OK) return code;
    }
    for (size_t i = 0; i < access->demands.count; i++)
        if (known[i].actor == wanted.actor && known[i].right == wanted.right &&
            known[i].must_not_be == wanted.must_not_be)
            return KT_OK;
    struct demand *added = kt_policy_push(&access->demands, sizeof *added, error);
    if (added == NULL) return KT_MEMORY;
    *added = wanted;
    return KT_OK;
}

/* ---- limits ---- */

static bool allowed(const kt_access *access, uint32_t who, const struct weighed *weighed) {
    const kt_policy_grant *grants = access->policy.grants.at;
    for (size_t i = 0; i < access->policy.grants.count; i++) {
        const kt_policy_grant *grant = &grants[i];
        if (grant->actor == who && kt_policy_holds(grant->from, grant->until, access->policy.now) &&
            (kt_role_rights(grant->role) & weighed->right) != 0 &&
            (grant->limit == KT_POLICY_NO_LIMIT || (weighed->mask >> grant->limit & 1) != 0))
            return true;
    }
    return false;
}

/* Why not: told by the first grant that has the right. */
static kt_code beyond(const kt_access *access, uint32_t who, uint32_t right, const kt_access_entry *what,
                      kt_error *error) {
    const kt_policy_grant *grants = access->policy.grants.at, *grant = NULL;
    kt_str id = kt_policy_actor_id(&access->policy, who);
    char amount[KT_AMOUNT_TEXT], most[KT_AMOUNT_TEXT];
    for (size_t i = 0; i < access->policy.grants.count && grant == NULL; i++)
        if (grants[i].actor == who && kt_policy_holds(grants[i].from, grants[i].until, access->policy.now) &&
            (kt_role_rights(grants[i].role) & right) != 0 && grants[i].limit != KT_POLICY_NO_LIMIT)
            grant = &grants[i];
    if (grant == NULL) return check_rights(access, who, right, error);
    const kt_limits *limits = &access->policy.limits[grant->limit].limits;
    const kt_line *line = kt_limits_beyond(limits, what->entry);
    const char *doing = right == KT_RIGHT_APPROVE ? "approve" : "post";
    if (line != NULL)
        return kt_fail(error, KT_FORBIDDEN, "account %.*s lies outside those that actor %.*s may %s to",
                       (int)line->account.size, line->account.data, (int)id.size, id.data, doing);
    if (!kt_limits_series(limits, what->entry->series))
        return kt_fail(error, KT_FORBIDDEN, "series '%.*s' is not one that actor %.*s may %s in",
                       (int)what->entry->series.size, what->entry->series.data, (int)id.size, id.data, doing);
    kt_amount_format(limits->amount, what->decimals, ',', most);
    if (!what->valued)
        return kt_fail(
            error, KT_FORBIDDEN,
            "a line has no amount in the book's currency, so the entry lies above the %s that actor %.*s may "
            "%s",
            most, (int)id.size, id.data, doing);
    kt_amount_format(what->amount, what->decimals, ',', amount);
    return kt_fail(error, KT_FORBIDDEN, "the entry comes to %s, above the %s that actor %.*s may %s", amount, most,
                   (int)id.size, id.data, doing);
}

kt_code kt_access_limited(kt_access *access, bool *out, kt_error *error) {
    kt_code code = load(access, error);
    *out = access->policy.limit_count != 0;
    return code;
}

kt_code kt_access_ask_entry(kt_access *access, uint32_t right, const kt_access_entry *what, kt_error *error) {
    struct weighed weighed = {.right = right};
    const struct weighed *known = access->weighed.at;
    kt_code code = load(access, error);
    if (code != KT_OK) return code;
    for (unsigned i = 0; i < access->policy.limit_count; i++)
        if (access->policy.limits[i].packed != NULL && kt_limits_take(&access->policy.limits[i].limits, what))
            weighed.mask |= (uint64_t)1 << i;
    if (access->acting_known && !allowed(access, access->acting, &weighed))
        return beyond(access, access->acting, right, what, error);
    for (size_t i = access->weighed.count; i-- > 0;)
        if (known[i].right == weighed.right && known[i].mask == weighed.mask) return KT_OK;
    struct weighed *added = kt_policy_push(&access->weighed, sizeof *added, error);
    if (added == NULL) return KT_MEMORY;
    *added = weighed;
    return KT_OK;
}

/* ---- the seal ---- */

/* Whose they are is known now. */
static kt_code name_proposers(kt_access *access, const uint8_t key[KT_KEY_SIZE], kt_error *error) {
    const uint64_t *numbers = access->proposed.at;
    kt_proposal_row row;
    kt_code code = KT_OK;
    for (size_t i = 0; i < access->proposed.count && code == KT_OK; i++) {
        code = kt_proposal_row_get(access->state, numbers[i], &row, error);
        row.sealed = true;
        memcpy(row.proposer, key, KT_KEY_SIZE);
        if (code == KT_OK) code = kt_proposal_row_put(access->state, numbers[i], &row, error);
    }
    return code;
}

kt_code kt_access_sealed(kt_access *access, const uint8_t key[KT_KEY_SIZE], kt_error *error) {
    uint32_t who = KT_POLICY_NOBODY;
    const struct weighed *weighed = access->weighed.at;
    const struct demand *demands = access->demands.at;
    kt_code code = find_acting(access, key, &who, error);
    if (code == KT_OK) code = check_rights(access, who, access->asked, error);
    for (size_t i = 0; i < access->demands.count && code == KT_OK; i++)
        code = check_demand(access, who, &demands[i], error);
    for (size_t i = 0; i < access->weighed.count && code == KT_OK; i++)
        if (!allowed(access, who, &weighed[i]))
            code = kt_fail(error, KT_FORBIDDEN, "an entry of the batch lies beyond what its actor %.*s may %s",
                           (int)kt_policy_actor_id(&access->policy, who).size,
                           kt_policy_actor_id(&access->policy, who).data,
                           weighed[i].right == KT_RIGHT_APPROVE ? "approve" : "post");
    if (code == KT_OK) code = name_proposers(access, key, error);
    if (code != KT_OK) return code;
    access->policy.now++;
    begin(access);
    return KT_OK;
}

/* ---- changes ---- */

static kt_code check_text(kt_str text, size_t most, const char *what, kt_error *error) {
    if (text.size <= most && kt_utf8_valid(text.data, text.size) && !kt_utf8_controls(text.data, text.size))
        return KT_OK;
    return kt_fail(error, KT_INVALID, "%s is longer than %zu bytes, not UTF-8 or has a control character", what, most);
}

/* Without this key, or without this grant, is there still an owner with a key? Nobody else could make one again. */
static kt_code check_left(const kt_access *access, const kt_policy_key *without, const kt_policy_grant *less,
                          kt_error *error) {
    const kt_policy_grant *grants = access->policy.grants.at;
    const kt_policy_key *keys = access->policy.keys.at;
    for (size_t i = 0; i < access->policy.grants.count; i++) {
        if (&grants[i] == less || grants[i].until != KT_POLICY_FOREVER ||
            (kt_role_rights(grants[i].role) & KT_RIGHT_OWN) == 0)
            continue;
        for (size_t k = 0; k < access->policy.keys.count; k++)
            if (&keys[k] != without && keys[k].until == KT_POLICY_FOREVER && keys[k].actor == grants[i].actor)
                return KT_OK;
    }
    return kt_fail(error, KT_RULE, "no owner would be left with a key");
}

static kt_code check_add(kt_access *access, const kt_access_change *change, kt_error *error) {
    kt_code code = kt_access_ask(access, KT_RIGHT_ADMIN, error);
    if (code == KT_OK && change->actor.size == 0) code = kt_fail(error, KT_INVALID, "an actor without an id");
    if (code == KT_OK) code = check_text(change->actor, KT_ACTOR_ID_MAX, "the actor's id", error);
    if (code != KT_OK) return code;
    if (kt_policy_actor_find(&access->policy, change->actor) != KT_POLICY_NOBODY)
        return kt_fail(error, KT_EXISTS, "actor %.*s is on record already", (int)change->actor.size,
                       change->actor.data);
    const kt_policy_key *known = kt_policy_key_find(&access->policy, change->key);
    if (known == NULL) return KT_OK;
    kt_str id = kt_policy_actor_id(&access->policy, known->actor);
    return kt_fail(error, KT_EXISTS, "the key is on record already, as actor %.*s's", (int)id.size, id.data);
}

static kt_code unknown_actor(const kt_access_change *change, kt_error *error) {
    return kt_fail(error, KT_UNKNOWN, "actor %.*s is not on record",
                   (int)(change->actor.size < KT_ACTOR_ID_MAX ? change->actor.size : KT_ACTOR_ID_MAX),
                   change->actor.data);
}

static kt_code check_role(kt_access *access, const kt_access_change *change, uint32_t *who, kt_error *error) {
    uint32_t rights = KT_RIGHT_ADMIN | (change->role == KT_ROLE_OWNER ? KT_RIGHT_OWN : 0u);
    if (change->role < KT_ROLE_OWNER || change->role > KT_ROLE_ADMIN)
        return kt_fail(error, KT_INVALID, "%d is no role", (int)change->role);
    *who = kt_policy_actor_find(&access->policy, change->actor);
    return *who == KT_POLICY_NOBODY ? unknown_actor(change, error) : kt_access_ask(access, rights, error);
}

static kt_code check_withdraw(kt_access *access, const kt_access_change *change, uint32_t who, kt_error *error) {
    const kt_policy_grant *grant = kt_policy_grant_find(&access->policy, who, change->role);
    if (grant == NULL)
        return kt_fail(error, KT_NOT_FOUND, "actor %.*s is no %s", (int)change->actor.size, change->actor.data,
                       kt_role_name(change->role));
    kt_code code = check_text(change->reason, KT_TEXT_MAX, "the reason", error);
    return code == KT_OK ? check_left(access, NULL, grant, error) : code;
}

static kt_code check_key(kt_access *access, const kt_access_change *change, kt_error *error) {
    const kt_policy_key *key = kt_policy_key_find(&access->policy, change->key);
    if (key == NULL) return kt_fail(error, KT_UNKNOWN, "the key is not on record in this book");
    kt_str id = kt_policy_actor_id(&access->policy, key->actor);
    if (key->until != KT_POLICY_FOREVER)
        return kt_fail(error, KT_RULE, "the key of actor %.*s is not valid any more", (int)id.size, id.data);
    kt_code code = demand(access, (struct demand){.actor = key->actor, .right = KT_RIGHT_ADMIN}, error);
    if (code != KT_OK || change->what == KT_ACCESS_ROTATE) {
        if (code != KT_OK || kt_policy_key_find(&access->policy, change->next_key) == NULL) return code;
        return kt_fail(error, KT_EXISTS, "the new key is on record already: a key is one actor's, once");
    }
    code = check_text(change->reason, KT_TEXT_MAX, "the reason", error);
    return code == KT_OK ? check_left(access, key, NULL, error) : code;
}

kt_code kt_access_check(kt_access *access, const kt_access_change *change, kt_error *error) {
    uint32_t who;
    uint16_t limit;
    kt_code code = load(access, error);
    if (code != KT_OK) return code;
    switch (change->what) {
    case KT_ACCESS_ADD: return check_add(access, change, error);
    case KT_ACCESS_GRANT:
        code = check_role(access, change, &who, error);
        if (code == KT_OK) code = kt_policy_limit_find(&access->policy, change->limits, &limit, error);
        return code == KT_OK ? demand(access, (struct demand){.actor = who, .must_not_be = true}, error) : code;
    case KT_ACCESS_WITHDRAW:
        code = check_role(access, change, &who, error);
        return code == KT_OK ? check_withdraw(access, change, who, error) : code;
    case KT_ACCESS_ROTATE:
    case KT_ACCESS_REVOKE: break;
    }
    return check_key(access, change, error);
}

static kt_code end_key(kt_access *access, kt_policy_key *key, bool revoked, kt_str reason, uint64_t record,
                       kt_error *error) {
    kt_key_row row = {.from = key->record,
                      .until = record,
                      .revoked = revoked,
                      .actor = kt_policy_actor_id(&access->policy, key->actor),
                      .reason = reason};
    key->until = access->policy.now + 1;
    key->ended = record;
    key->revoked = revoked;
    return kt_key_row_put(access->state, key->key, &row, error);
}

static kt_code new_key(kt_access *access, const uint8_t key[KT_KEY_SIZE], kt_str id, uint64_t record, kt_error *error) {
    kt_key_row row = {.from = record, .actor = id};
    kt_code code = kt_key_row_put(access->state, key, &row, error);
    return code == KT_OK ? kt_policy_add_key(&access->policy, key, &row, access->policy.now + 1, error) : code;
}

static kt_code change_grant(kt_access *access, const kt_access_change *change, uint64_t record, kt_error *error) {
    kt_grant_row row = {.actor = change->actor,
                        .role = change->role,
                        .record = record,
                        .withdrawn = change->what == KT_ACCESS_WITHDRAW,
                        .limits = change->limits};
    kt_code code = kt_grant_row_put(access->state, &row, error);
    return code == KT_OK ? kt_policy_add_grant(&access->policy, &row, access->policy.now + 1, error) : code;
}

kt_code kt_access_make(kt_access *access, const kt_access_change *change, uint64_t record, kt_error *error) {
    kt_code code = kt_access_check(access, change, error);
    if (code != KT_OK) return code;
    switch (change->what) {
    case KT_ACCESS_ADD: return new_key(access, change->key, change->actor, record, error);
    case KT_ACCESS_GRANT:
    case KT_ACCESS_WITHDRAW: return change_grant(access, change, record, error);
    case KT_ACCESS_ROTATE:
        code = new_key(access, change->next_key,
                       kt_policy_actor_id(&access->policy, kt_policy_key_find(&access->policy, change->key)->actor),
                       record, error);
        if (code != KT_OK) return code;
        return end_key(access, kt_policy_key_find(&access->policy, change->key), false, change->reason, record, error);
    case KT_ACCESS_REVOKE: break;
    }
    return end_key(access, kt_policy_key_find(&access->policy, change->key), true, change->reason, record, error);
}

/* ---- proposals ---- */

kt_code kt_access_propose(kt_access *access, uint64_t number, const uint8_t digest[KT_HASH_SIZE], kt_error *error) {
    kt_proposal_row row = {.status = KT_PROPOSAL_OPEN};
    uint64_t *added = kt_policy_push(&access->proposed, sizeof *added, error);
    if (added == NULL) return KT_MEMORY;
    *added = number;
    memcpy(row.digest, digest, KT_HASH_SIZE);
    return kt_proposal_row_put(access->state, number, &row, error);
}

static kt_code may_decide(kt_access *access, uint64_t proposal, kt_proposal_status status, const uint8_t *digest,
                          kt_proposal_row *row, kt_error *error) {
    kt_code code = load(access, error);
    if (code == KT_OK) code = kt_proposal_row_get(access->state, proposal, row, error);
    if (code != KT_OK) return code;
    if (row->status != KT_PROPOSAL_OPEN)
        return kt_fail(error, KT_RULE, "proposal %llu was %s by record %llu", (unsigned long long)proposal,
                       row->status == KT_PROPOSAL_APPROVED ? "approved" : "rejected", (unsigned long long)row->decided);
    if (!row->sealed)
        return kt_fail(error, KT_RULE, "proposal %llu stands in the same batch", (unsigned long long)proposal);
    if (digest != NULL && memcmp(digest, row->digest, KT_HASH_SIZE) != 0)
        return kt_fail(error, KT_RULE, "the entry is not what proposal %llu proposed", (unsigned long long)proposal);
    const kt_policy_key *key = kt_policy_key_find(&access->policy, row->proposer);
    if (key == NULL)
        return kt_fail(error, KT_DAMAGED, "the proposer of %llu is not on record", (unsigned long long)proposal);
    struct demand wanted = {.actor = key->actor, .right = KT_RIGHT_APPROVE};
    if (status == KT_PROPOSAL_APPROVED) wanted = (struct demand){.actor = key->actor, .must_not_be = true};
    return demand(access, wanted, error);
}

kt_code kt_access_may_decide(kt_access *access, uint64_t proposal, kt_proposal_status status, const uint8_t *digest,
                             kt_error *error) {
    kt_proposal_row row;
    return may_decide(access, proposal, status, digest, &row, error);
}

kt_code kt_access_decide(kt_access *access, uint64_t proposal, kt_proposal_status status, const uint8_t *digest,
                         uint64_t record, kt_error *error) {
    kt_proposal_row row;
    kt_code code = may_decide(access, proposal, status, digest, &row, error);
    if (code != KT_OK) return code;
    row.status = status;
    row.decided = record;
    return kt_proposal_row_put(access->state, proposal, &row, error);
}
