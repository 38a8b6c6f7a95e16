/*
 * kontor_access.h: who may do what, and the second pair of eyes. Part of kontor.h, whose rules on ownership, threads and
 * errors hold here too.
 *
 * An actor is a person (or a machine that posts for one), known by an id that stays on record for ever: give a staff number
 * or initials, not a name. An actor acts through keys: several over time, each of one actor. What an actor may do
 * is a set of grants: a role, and for each how far it goes. All of it is on record, and verification holds every batch
 * against what was in force when it began (law 7): what a batch changes about actors, keys and grants counts from
 * the record behind its seal on.
 *
 * Four eyes: what lies above an actor's limits can be proposed. A proposal is a record that moves no balance; it becomes an
 * entry when another actor, who may approve so much, approves it: two persons, not two keys.
 *
 *     clerk (limit 10,000)  ── proposes ──►  proposal 17  ── controller approves ──►  entry 23, which names proposal 17
 *                                                         └─ rejects, or the proposer withdraws it
 */
#ifndef KT_KONTOR_ACCESS_H
#define KT_KONTOR_ACCESS_H

#include "engine/kontor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KT_ACTOR_ID_MAX 64       /* bytes of UTF-8, no control characters */
#define KT_LIMIT_RANGES_MAX 64   /* ranges of accounts of one grant */
#define KT_LIMIT_SERIES_MAX 64   /* series of one grant */
#define KT_LIMIT_DISTINCT_MAX 64 /* different limits in force in one book */

typedef enum kt_role {
    KT_ROLE_OWNER = 1,      /* everything; the actor "owner" of the founding has it */
    KT_ROLE_CLERK = 2,      /* posts and proposes */
    KT_ROLE_CONTROLLER = 3, /* approves and rejects proposals, closes and reopens periods, keeps the registers */
    KT_ROLE_PAYROLL = 4,    /* runs payroll */
    KT_ROLE_STAFF = 5,      /* keeps people's records */
    KT_ROLE_AUDITOR = 6,    /* only reads */
    KT_ROLE_ADMIN = 7       /* actors, keys, grants, the company's facts */
} kt_role;

const char *kt_role_name(kt_role role); /* "clerk"; "?" for what is none */
bool kt_role_parse(kt_str name, kt_role *out);

/* Accounts whose code lies between from and to, inclusive, compared as bytes; to also takes in what begins with it, so
   that "1000" to "1999" holds "1999.5". to empty: as from. */
typedef struct kt_account_range {
    kt_str from, to;
} kt_account_range;

/* How far a grant goes, for roles that post, propose or approve. All zero: without limit. */
typedef struct kt_limits {
    /* Of one entry: its debits in the book's currency, by its own rates, in smallest units; 0: any. An entry with a line that
       has no amount in the book's currency lies above every amount. */
    kt_amount amount;
    const kt_account_range *accounts; /* every line of an entry lies in one of them; none: any account */
    size_t account_count;
    const kt_str *series; /* the entry's series is one of them; none: any series */
    size_t series_count;
} kt_limits;

/* ---- Changes: each is a record in the batch ------------------------------------------------------ */

/* A new actor with the first key. KT_EXISTS: the id or the key is on record. Asks for the right to administer. */
kt_code kt_batch_actor_add(kt_batch *batch, kt_str id, const uint8_t key[KT_KEY_SIZE], kt_error *error);
/* Gives a role, or gives it anew with other limits (NULL: none). Nobody grants to himself: KT_FORBIDDEN. Only an owner makes
   owners. KT_UNKNOWN: no such actor. KT_LIMIT. */
kt_code kt_batch_actor_grant(kt_batch *batch, kt_str id, kt_role role, const kt_limits *limits, kt_error *error);
/* Takes a role back. KT_NOT_FOUND: the actor has it not. KT_RULE: no owner with a key would be left. */
kt_code kt_batch_actor_revoke(kt_batch *batch, kt_str id, kt_role role, kt_str reason, kt_error *error);

/* The actor of key `from` acts through key `to` from now on. Both sign (kt_key_rotation_message); a key by which the
   other was signed for is proved to be in its holder's hands. The batch is that actor's own or an administrator's. KT_KEY: a
   signature does not hold. */
#define KT_ROTATION_MESSAGE_MAX 512
size_t kt_key_rotation_message(const char *origin, const uint8_t from[KT_KEY_SIZE], const uint8_t to[KT_KEY_SIZE],
                               char out[KT_ROTATION_MESSAGE_MAX]);
kt_code kt_batch_key_rotate(kt_batch *batch, const uint8_t from[KT_KEY_SIZE], const uint8_t to[KT_KEY_SIZE],
                            const uint8_t from_signature[64], const uint8_t to_signature[64], kt_error *error);
/* Moves a key file to keys/actor.key, where a book that is opened without a key file looks for its actor's (the log's key is it
   until then); the one there before stays as keys/actor.<8 hex>.key. Behind a rotation of that very key. KT_USAGE: the file lies on
   another file system. */
kt_code kt_book_own_key(kt_book *book, const char *key_file, kt_error *error);
/* No batch signed by this key is taken behind this one. An actor's own, or by an administrator. KT_RULE: no owner would be left with
   a key. */
kt_code kt_batch_key_revoke(kt_batch *batch, const uint8_t key[KT_KEY_SIZE], kt_str reason, kt_error *error);

/* The log's own key, which signs checkpoints, becomes that of a key file: the checkpoint over this batch is signed by it, and
   every later one; both keys sign the record. The file comes into the book's place for it (keys/log.key), the old one stays
   as keys/actor.key where it was the founder's too. Only an owner does this, in a batch that is committed. Verifier keys kept
   elsewhere (auditors', witnesses') are told apart by the record; kt_book_verifier gives the new one. KT_KEY KT_EXISTS KT_USAGE. */
kt_code kt_batch_log_rotate(kt_batch *batch, const char *key_file, kt_error *error);

/* As kt_batch_add, but the entry only stands proposed: checked as any, and moves nothing. Its voucher is taken when it is
   approved. */
kt_code kt_batch_propose(kt_batch *batch, const kt_entry *entry, uint64_t *number, kt_error *error);
/* Of the open batch, also those by kt_batch_options.propose. */
uint64_t kt_batch_proposed(const kt_batch *batch);
/* Posts a proposal as it was proposed, under the approver's limits. *entry (may be NULL) is the number it gets. KT_FORBIDDEN: the
   approver proposed it, or may not approve so much. KT_NOT_FOUND: no proposal. KT_RULE: decided before. Otherwise as
   kt_batch_add: what was good when it was proposed may lie in a closed month now. */
kt_code kt_batch_approve(kt_batch *batch, uint64_t proposal, uint64_t *entry, kt_error *error);
/* The proposer withdraws, or whoever may approve rejects. */
kt_code kt_batch_reject(kt_batch *batch, uint64_t proposal, kt_str reason, kt_error *error);

/* ---- Queries ---------------------------------------------------------------------------------------- */

typedef struct kt_key_facts {
    uint8_t key[KT_KEY_SIZE];
    kt_str actor;
    uint64_t from;  /* record that brought it in; it counts behind the seal of that batch */
    uint64_t until; /* record that rotated it out or revoked it; 0: valid */
    bool revoked;
    kt_str reason;
} kt_key_facts;

typedef struct kt_grant {
    kt_str actor;
    kt_role role;
    kt_limits limits;
    uint64_t record; /* that gave it */
} kt_grant;

typedef struct kt_actors {
    kt_key_facts *keys; /* by actor, then in the order of record; an actor without one does not exist */
    size_t key_count;
    kt_grant *grants; /* in force, by actor, then role */
    size_t grant_count;
} kt_actors;

/* As of the view. Strings live until kt_actors_free. */
kt_code kt_view_actors(kt_view *view, kt_actors **out, kt_error *error);
void kt_actors_free(kt_actors *actors);

typedef enum kt_proposal_status {
    KT_PROPOSAL_OPEN = 0,
    KT_PROPOSAL_APPROVED = 1,
    KT_PROPOSAL_REJECTED = 2
} kt_proposal_status;

typedef struct kt_proposal {
    uint64_t number; /* kt_entry_read reads it as an entry that moves nothing */
    kt_proposal_status status;
    kt_str proposer;  /* actor */
    uint64_t decided; /* record of the entry or the rejection; 0: open */
    kt_str decider;
    kt_str reason;
} kt_proposal;

/* Rising by number. open_only leaves out what is decided. free(). The strings live as long as the view. */
kt_code kt_view_proposals(kt_view *view, bool open_only, kt_proposal **out, size_t *count, kt_error *error);

#ifdef __cplusplus
}
#endif
#endif
