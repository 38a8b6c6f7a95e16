/*
 * large: a record above KT_RECORD_MAX as parts and the head that lists them, and back (storage/records.h).
 *
 * Laws kept: 1 (the pieces are the same bytes whoever makes them), 12. Lifetime: what emit is given is valid until it
 * returns; a whole put together lives until the next part, reset or release.
 */
#ifndef KT_STORAGE_LARGE_H
#define KT_STORAGE_LARGE_H

#include "storage/codec.h"
#include "storage/records.h"

typedef kt_code (*kt_large_emit)(void *context, kt_span record, kt_error *error);

/* Parts, and behind them the head. KT_LIMIT above KT_WHOLE_MAX. */
kt_code kt_large_split(kt_span record, kt_large_emit emit, void *context, kt_error *error);

typedef struct kt_large {
    uint8_t *body, *hashes;
    size_t size, room;
    uint32_t parts, hash_room;
    int32_t date;
} kt_large; /* all zero to begin with */

void kt_large_release(kt_large *large);
void kt_large_reset(kt_large *large);
/* A part's record and its envelope. */
kt_code kt_large_part(kt_large *large, kt_span record, const kt_envelope *envelope, kt_error *error);
/* The head's envelope becomes that of the whole, over exactly the parts taken since the last reset. KT_DAMAGED. */
kt_code kt_large_whole(const kt_large *large, kt_envelope *head, kt_error *error);

#endif
