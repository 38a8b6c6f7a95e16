/*
 * actors: the records of actors, keys and grants. The public functions are in engine/kontor_access.h.
 *
 * Bodies, as arrays:
 *     ACTOR       [id, key]                          a new actor with the first key
 *     GRANT       [id, role, [amount, ranges, series]]  a role, or the same with other limits; see engine/access_rows.h
 *     WITHDRAWAL  [id, role, reason]
 *     ROTATION    [from, to, signature of from, signature of to]
 *     REVOCATION  [key, reason]
 *
 * Laws kept: 7. Checks and changes are engine/access's; here are the records, and the signatures of a rotation.
 */
#ifndef KT_ENGINE_ACTORS_H
#define KT_ENGINE_ACTORS_H

#include "engine/batch.h"

/* The book's own kinds: 9216 to 10239. */
enum {
    KT_KIND_ACTOR = 9216,
    KT_KIND_GRANT = 9217,
    KT_KIND_WITHDRAWAL = 9218,
    KT_KIND_ROTATION = 9219,
    KT_KIND_REVOCATION = 9220
};

/* One for all of them. self: kt_access. */
kt_code kt_actors_apply(void *self, const kt_record *record, kt_error *error);

/* The actor of a key as of a view; {NULL, 0}: not on record. */
struct kt_view;
kt_code kt_actor_of_key(struct kt_view *view, const uint8_t key[KT_KEY_SIZE], kt_str *out, kt_error *error);

#endif
