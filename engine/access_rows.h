/*
 * access_rows: what state keeps of actors, and how a grant's limits are packed.
 *
 *     ACTORS     key -> the actor, the records that brought the key in and ended it
 *     GRANTS     (actor, role, record) -> given with these limits, or taken back, by that record; the last one holds
 *     PROPOSALS  number -> open, approved or rejected; the proposer's key; the digest of what was proposed
 *
 * Lifetime: what is read borrows the row's bytes.
 */
#ifndef KT_ENGINE_ACCESS_ROWS_H
#define KT_ENGINE_ACCESS_ROWS_H

#include "engine/kontor.h"
#include "engine/tables.h"
#include "storage/digest.h"
#include "storage/state.h"

#define KT_LIMITS_PACKED_MAX 65536u /* bytes of one grant's packed limits */

typedef struct kt_key_row {
    uint64_t from, until; /* records; until 0: valid */
    bool revoked;
    kt_str actor, reason;
} kt_key_row;

kt_code kt_key_row_read(kt_span value, kt_key_row *out, kt_error *error);
kt_code kt_key_row_put(kt_state *state, const uint8_t key[KT_KEY_SIZE], const kt_key_row *row, kt_error *error);

typedef struct kt_grant_row {
    kt_str actor;
    kt_role role;
    uint64_t record;
    bool withdrawn;
    kt_span limits; /* packed; empty where withdrawn */
} kt_grant_row;

kt_code kt_grant_row_read(kt_span key, kt_span value, kt_grant_row *out, kt_error *error);
kt_code kt_grant_row_put(kt_state *state, const kt_grant_row *row, kt_error *error);

typedef struct kt_proposal_row {
    kt_proposal_status status;
    uint64_t decided;              /* by this record; 0: open */
    bool sealed;                   /* the batch that proposed it has ended, and so its proposer is known */
    uint8_t proposer[KT_KEY_SIZE]; /* key */
    uint8_t digest[KT_HASH_SIZE];
} kt_proposal_row;

kt_code kt_proposal_row_read(kt_span value, kt_proposal_row *out, kt_error *error);
/* KT_NOT_FOUND: no proposal of that number, as *error says. */
kt_code kt_proposal_row_get(kt_state *state, uint64_t number, kt_proposal_row *out, kt_error *error);
kt_code kt_proposal_row_put(kt_state *state, uint64_t number, const kt_proposal_row *row, kt_error *error);

/* Limits as they are in the grant's record: [amount, [from, to ...], [series ...]]. Returns the size; more than the room:
   it did not fit. */
size_t kt_limits_pack(const kt_limits *limits, uint8_t *out, size_t room);
/* ranges and series are malloc'd, and borrow the packed bytes: kt_limits_release. KT_DAMAGED. */
kt_code kt_limits_read(kt_span packed, kt_limits *out, kt_error *error);
void kt_limits_release(kt_limits *limits);

#endif
