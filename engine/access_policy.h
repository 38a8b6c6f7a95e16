/*
 * access_policy: the policy in memory: actors, keys, grants and the limits they go to.
 *
 * Batches are counted from 1 on: what holds in one is from <= now < until, and what a batch changes begins or ends with the next.
 * A slot of limits stands for one set of them however many grants have it, and is used again when none has.
 *
 * Lifetime: grows as it is told; pointers into it are valid until something is added. Inside of engine/access.
 */
#ifndef KT_ENGINE_ACCESS_POLICY_H
#define KT_ENGINE_ACCESS_POLICY_H

#include "engine/access.h"

#define KT_POLICY_FOREVER UINT32_MAX
#define KT_POLICY_NO_LIMIT UINT16_MAX
#define KT_POLICY_NOBODY UINT32_MAX

typedef struct kt_policy_actor {
    char id[KT_ACTOR_ID_MAX];
    uint8_t size;
} kt_policy_actor;

typedef struct kt_policy_key {
    uint8_t key[KT_KEY_SIZE];
    uint32_t actor, from, until;
    uint64_t record, ended; /* as in its row */
    bool revoked;
} kt_policy_key;

typedef struct kt_policy_grant {
    uint32_t actor, from, until;
    kt_role role;
    uint16_t limit;
} kt_policy_grant;

typedef struct kt_policy_limit {
    uint8_t *packed; /* NULL: free to be used */
    size_t size;
    kt_limits limits;
} kt_policy_limit;

struct kt_policy_list {
    void *at;
    size_t count, room;
};

typedef struct kt_policy {
    bool loaded;
    uint32_t now;
    struct kt_policy_list actors, keys, grants;
    kt_policy_limit limits[KT_LIMIT_DISTINCT_MAX];
    unsigned limit_count; /* slots below are or were used */
} kt_policy;              /* all zero to begin with */

kt_code kt_policy_load(kt_policy *policy, kt_state *state, kt_error *error); /* where it is not loaded */
void kt_policy_forget(kt_policy *policy);
void kt_policy_release(kt_policy *policy);

/* A new element of this size at the list's end; NULL: KT_MEMORY. */
void *kt_policy_push(struct kt_policy_list *list, size_t size, kt_error *error);

uint32_t kt_policy_actor_find(const kt_policy *policy, kt_str id); /* KT_POLICY_NOBODY */
kt_str kt_policy_actor_id(const kt_policy *policy, uint32_t index);
kt_policy_key *kt_policy_key_find(const kt_policy *policy, const uint8_t key[KT_KEY_SIZE]); /* NULL */
kt_policy_grant *kt_policy_grant_find(const kt_policy *policy, uint32_t who,
                                      kt_role role); /* that does not end; NULL */

bool kt_policy_holds(uint32_t from, uint32_t until, uint32_t batch);
uint32_t kt_role_rights(kt_role role);
uint32_t kt_policy_rights(const kt_policy *policy, uint32_t who); /* now */

/* The slot that holds these limits, or may: KT_POLICY_NO_LIMIT where they are none. KT_LIMIT. */
kt_code kt_policy_limit_find(kt_policy *policy, kt_span packed, uint16_t *out, kt_error *error);

/* from: the batch that it holds from. */
kt_code kt_policy_add_key(kt_policy *policy, const uint8_t key[KT_KEY_SIZE], const kt_key_row *row, uint32_t from,
                          kt_error *error);
/* Ends the grant of the same role before it. */
kt_code kt_policy_add_grant(kt_policy *policy, const kt_grant_row *row, uint32_t from, kt_error *error);

/* Do the limits take an entry in? If not, what is beyond them: a line's account, the series, or else the amount. */
bool kt_limits_take(const kt_limits *limits, const kt_access_entry *what);
const kt_line *kt_limits_beyond(const kt_limits *limits, const kt_entry *entry); /* NULL */
bool kt_limits_series(const kt_limits *limits, kt_str series);

#endif
