/*
 * access: who may do what: the policy on record, held against every batch.
 *
 * Kinds of record ask here for a right when they are added or applied; entries also say how large they are. Where the actor is
 * known (posting) the answer comes at once, and a refusal changes nothing; on replay he is named by the seal, so what was
 * asked for is gathered and judged there, by the same rules (law 7). The policy that counts for a batch is the one before
 * it: what a batch changes counts behind its seal.
 *
 *     act ──► ask, ask_entry, make ... ──► sealed ──► (the changes count)
 *              └── on replay: gathered ──────┘
 *
 * An entry is weighed against each of the (at most KT_LIMIT_DISTINCT_MAX) different limits in force, which gives a mask of those that
 * take it in; only the different masks are kept for the seal, so that a batch of any size is judged in little memory.
 *
 * Lifetime: memory of state, loaded when first asked, dropped by forget.
 */
#ifndef KT_ENGINE_ACCESS_H
#define KT_ENGINE_ACCESS_H

#include "engine/access_rows.h"

enum {
    KT_RIGHT_POST = 1,     /* entries, proposals */
    KT_RIGHT_REGISTER = 2, /* accounts */
    KT_RIGHT_CLOSE = 4,    /* periods */
    KT_RIGHT_ADMIN = 8,    /* the company's facts, actors */
    KT_RIGHT_VALUES = 16,  /* currencies and dimension values, which entries bring with them */
    KT_RIGHT_APPROVE = 32, /* proposals of others */
    KT_RIGHT_PAYROLL = 64,
    KT_RIGHT_STAFF = 128,
    KT_RIGHT_OWN = 256 /* owners, and the log's key */
};

typedef struct kt_access kt_access;

kt_code kt_access_open(kt_state *state, kt_access **out, kt_error *error);
void kt_access_close(kt_access *access);
void kt_access_forget(kt_access *access);

/* The book whose access it is, as its genesis says; borrowed. Rotations are signed for it. */
void kt_access_set_origin(kt_access *access, const char *origin);
const char *kt_access_origin(const kt_access *access);
kt_state *kt_access_state(kt_access *access);

/* The founding: actor "owner" with everything. */
kt_code kt_access_found(kt_access *access, const uint8_t key[KT_KEY_SIZE], kt_error *error);

/* The batch begun now is this key's. KT_FORBIDDEN: not on record, or not valid any more. */
kt_code kt_access_act(kt_access *access, const uint8_t key[KT_KEY_SIZE], kt_error *error);
/* KT_FORBIDDEN: the actor has not all of these rights. */
kt_code kt_access_ask(kt_access *access, uint32_t rights, kt_error *error);

/* An entry that has been checked, with what it comes to. */
typedef struct kt_access_entry {
    const kt_entry *entry;
    kt_amount amount; /* debits in the book's currency, in smallest units */
    bool valued;      /* every line has an amount in it */
    uint8_t decimals;
} kt_access_entry;

/* Is any limit in force? Else entries need not be weighed. */
kt_code kt_access_limited(kt_access *access, bool *out, kt_error *error);
/* KT_FORBIDDEN: the actor's grants of this right (KT_RIGHT_POST, KT_RIGHT_APPROVE) do not go so far. */
kt_code kt_access_ask_entry(kt_access *access, uint32_t right, const kt_access_entry *what, kt_error *error);

/* LAW 7: all that was asked for since the last seal, against this key's actor. On KT_OK the next batch begins. */
kt_code kt_access_sealed(kt_access *access, const uint8_t key[KT_KEY_SIZE], kt_error *error);

/* A change of the policy, as its record says it. */
typedef struct kt_access_change {
    enum kt_access_what { KT_ACCESS_ADD, KT_ACCESS_GRANT, KT_ACCESS_WITHDRAW, KT_ACCESS_ROTATE, KT_ACCESS_REVOKE } what;
    kt_str actor;
    kt_role role;
    kt_span limits;                /* packed */
    const uint8_t *key, *next_key; /* next_key: rotation */
    kt_str reason;
} kt_access_change;

/* May it be made? Errors as the functions of engine/kontor_access.h; changes nothing. */
kt_code kt_access_check(kt_access *access, const kt_access_change *change, kt_error *error);
kt_code kt_access_make(kt_access *access, const kt_access_change *change, uint64_t record, kt_error *error);

/* Record `number` stands proposed; digest: of what. */
kt_code kt_access_propose(kt_access *access, uint64_t number, const uint8_t digest[KT_HASH_SIZE], kt_error *error);
/* May it be decided so? Approval: by another actor, and the digest (NULL: not compared) is what was proposed. Rejection: by the proposer, or whoever
   may approve; digest NULL. */
kt_code kt_access_may_decide(kt_access *access, uint64_t proposal, kt_proposal_status status, const uint8_t *digest,
                             kt_error *error);
kt_code kt_access_decide(kt_access *access, uint64_t proposal, kt_proposal_status status, const uint8_t *digest,
                         uint64_t record, kt_error *error);

#endif
