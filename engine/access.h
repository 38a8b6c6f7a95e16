/*
 * access: who may do what.
 *
 * Each kind of record asks for a right. The actors' rights are on record; the book asks here when a batch is sealed,
 * when posting and again on replay (law 7), so a record by somebody without the right is found whoever signed it.
 * The genesis names the first actor, who has every right.
 */
#ifndef KT_ENGINE_ACCESS_H
#define KT_ENGINE_ACCESS_H

#include "engine/kontor.h"
#include "storage/state.h"

enum {
    KT_RIGHT_POST = 1,     /* entries */
    KT_RIGHT_REGISTER = 2, /* accounts, currencies, dimensions */
    KT_RIGHT_CLOSE = 4,    /* periods */
    KT_RIGHT_ADMIN = 8,    /* the company's facts, actors */
    KT_RIGHT_ALL = 15
};

kt_code kt_access_grant(kt_state *state, const uint8_t actor[KT_KEY_SIZE], uint32_t rights, uint64_t record,
                        kt_error *error);
/* KT_FORBIDDEN: not on record, or without one of the rights. */
kt_code kt_access_check(kt_state *state, const uint8_t actor[KT_KEY_SIZE], uint32_t rights, kt_error *error);

#endif
