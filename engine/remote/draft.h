/*
 * draft: a batch in the making at a client's: its records as they will be stored, packed and hashed as they come.
 *
 * Laws kept: 7 (what the client signs is what it packed), 12 (bounded: a draft holds what fits one frame).
 * Lifetime: everything is the draft's own. Errors: KT_LIMIT, KT_MEMORY.
 */
#ifndef KT_REMOTE_DRAFT_H
#define KT_REMOTE_DRAFT_H

#include "engine/remote/frame.h"
#include "storage/seal.h"

typedef struct kt_draft_entry {
    uint64_t ordinal; /* which of the entries that were to be added, from 0 */
    uint32_t record;  /* its number in the draft, from 0: a long one's is its head's */
    const char *file; /* where it was read, for messages */
    size_t file_line;
} kt_draft_entry;

typedef struct kt_draft {
    uint8_t *data; /* records, each as msgpack bytes */
    size_t size, room;
    uint32_t count;
    kt_content content;
    kt_draft_entry *entries;
    size_t entry_count, entry_room;
} kt_draft; /* kt_draft_init to begin with */

void kt_draft_init(kt_draft *draft);
void kt_draft_release(kt_draft *draft);
void kt_draft_clear(kt_draft *draft);

/* A record, in parts where it is above KT_RECORD_MAX. entry NULL: of a register. On failure the draft is as it was. */
kt_code kt_draft_add(kt_draft *draft, kt_span record, const kt_draft_entry *entry, kt_error *error);
/* Room for a record of at most `most` bytes (<= KT_RECORD_MAX) to be packed in place, and then taken. */
kt_code kt_draft_room(kt_draft *draft, size_t most, uint8_t **room, kt_error *error);
kt_code kt_draft_take(kt_draft *draft, size_t size, const kt_draft_entry *entry, kt_error *error);
/* Leaves the records of registers alone. */
kt_code kt_draft_drop_entries(kt_draft *draft, kt_error *error);
/* The entry that a record belongs to: its own, or the next behind it. NULL: none. */
const kt_draft_entry *kt_draft_entry_of(const kt_draft *draft, int64_t record);

/* The actor's signature over the batch (storage/seal.h). */
kt_code kt_draft_sign(const kt_draft *draft, const char *origin, kt_str id, const kt_signer *actor,
                      uint8_t signature[KT_SIGNATURE_SIZE], kt_error *error);

#endif
