#include "engine/remote/draft.h"

#include <stdlib.h>

#include "storage/large.h"

#define BYTES_HEAD 5u        /* of msgpack bytes, at most */
#define FRAME_RESERVE 16384u /* for what stands before the records */
#define ROOM_MOST (KT_FRAME_MAX - FRAME_RESERVE)

void kt_draft_init(kt_draft *draft) {
    *draft = (kt_draft){0};
    kt_content_init(&draft->content);
}

void kt_draft_release(kt_draft *draft) {
    free(draft->data);
    free(draft->entries);
    kt_draft_init(draft);
}

void kt_draft_clear(kt_draft *draft) {
    draft->size = draft->entry_count = 0;
    draft->count = 0;
    kt_content_init(&draft->content);
}

static kt_code too_large(kt_error *error) {
    return kt_fail(error, KT_LIMIT,
                   "a batch through a socket has at most %u bytes of records: split it, or post to the "
                   "book itself",
                   ROOM_MOST);
}

static kt_code grow(kt_draft *draft, size_t more, kt_error *error) {
    if (draft->size + more <= draft->room) return KT_OK;
    size_t room = draft->room == 0 ? 4096 : draft->room;
    while (room < draft->size + more) room *= 2;
    uint8_t *grown = realloc(draft->data, room);
    if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory for a batch");
    draft->data = grown;
    draft->room = room;
    return KT_OK;
}

static kt_code note_entry(kt_draft *draft, const kt_draft_entry *entry, uint32_t record, kt_error *error) {
    if (draft->entry_count == draft->entry_room) {
        size_t room = draft->entry_room == 0 ? 16 : draft->entry_room * 2;
        kt_draft_entry *grown = realloc(draft->entries, room * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory for a batch");
        draft->entries = grown;
        draft->entry_room = room;
    }
    draft->entries[draft->entry_count] = *entry;
    draft->entries[draft->entry_count++].record = record;
    return KT_OK;
}

kt_code kt_draft_room(kt_draft *draft, size_t most, uint8_t **room, kt_error *error) {
    kt_code code = grow(draft, BYTES_HEAD + most, error);
    if (code == KT_OK) *room = draft->data + draft->size + BYTES_HEAD;
    return code;
}

/* The record was packed behind room for the longest head; most heads are shorter. */
kt_code kt_draft_take(kt_draft *draft, size_t size, const kt_draft_entry *entry, kt_error *error) {
    uint8_t leaf[KT_HASH_SIZE], *record = draft->data + draft->size + BYTES_HEAD;
    kt_pack pack;
    kt_pack_init(&pack, NULL, 0);
    kt_pack_bytes(&pack, record, size);
    if (draft->size + pack.size > ROOM_MOST) return too_large(error);
    kt_code code = entry == NULL ? KT_OK : note_entry(draft, entry, draft->count, error);
    if (code != KT_OK) return code;
    size_t head = pack.size - size;
    kt_leaf_hash(record, size, leaf);
    kt_content_add(&draft->content, leaf, 1);
    memmove(draft->data + draft->size + head, record, size);
    uint8_t *at = draft->data + draft->size;
    if (head == 2) {
        at[0] = 0xc4;
        at[1] = (uint8_t)size;
    } else {
        at[0] = 0xc5;
        at[1] = (uint8_t)(size >> 8);
        at[2] = (uint8_t)size;
    }
    draft->size += pack.size;
    draft->count++;
    return KT_OK;
}

static kt_code take_copy(void *context, kt_span record, kt_error *error) {
    kt_draft *draft = context;
    uint8_t *room;
    kt_code code = kt_draft_room(draft, record.size, &room, error);
    if (code != KT_OK) return code;
    memcpy(room, record.data, record.size);
    return kt_draft_take(draft, record.size, NULL, error);
}

kt_code kt_draft_add(kt_draft *draft, kt_span record, const kt_draft_entry *entry, kt_error *error) {
    kt_draft before = *draft;
    kt_code code = record.size > ROOM_MOST        ? too_large(error)
                   : record.size <= KT_RECORD_MAX ? take_copy(draft, record, error)
                                                  : kt_large_split(record, take_copy, draft, error);
    if (code == KT_OK && entry != NULL) code = note_entry(draft, entry, draft->count - 1, error);
    if (code == KT_OK) return KT_OK;
    draft->size = before.size;
    draft->count = before.count;
    draft->content = before.content;
    return code;
}

/* Parts and heads of long records are entries' as well: only records of registers stay. */
kt_code kt_draft_drop_entries(kt_draft *draft, kt_error *error) {
    kt_unpack unpack;
    kt_envelope envelope;
    uint8_t leaf[KT_HASH_SIZE];
    const uint8_t *record;
    size_t size, kept = 0, next_entry = 0;
    uint32_t count = draft->count, kept_count = 0;
    kt_code code = KT_OK;
    kt_unpack_init(&unpack, kt_span_of(draft->data, draft->size));
    kt_content_init(&draft->content);
    for (uint32_t i = 0; i < count && code == KT_OK; i++) {
        const uint8_t *from = unpack.at;
        kt_unpack_bytes(&unpack, &record, &size);
        if (next_entry < draft->entry_count && draft->entries[next_entry].record == i) {
            next_entry++;
            continue;
        }
        code = kt_envelope_read(kt_span_of(record, size), &envelope, error);
        if (code != KT_OK || envelope.kind == KT_KIND_PART) continue;
        kt_leaf_hash(record, size, leaf);
        kt_content_add(&draft->content, leaf, 1);
        memmove(draft->data + kept, from, (size_t)(unpack.at - from));
        kept += (size_t)(unpack.at - from);
        kept_count++;
    }
    draft->size = kept;
    draft->count = kept_count;
    draft->entry_count = 0;
    return code;
}

const kt_draft_entry *kt_draft_entry_of(const kt_draft *draft, int64_t record) {
    size_t low = 0, high = draft->entry_count;
    if (record < 0) return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (draft->entries[middle].record < record) low = middle + 1;
        else high = middle;
    }
    return low < draft->entry_count ? &draft->entries[low] : NULL;
}

kt_code kt_draft_sign(const kt_draft *draft, const char *origin, kt_str id, const kt_signer *actor,
                      uint8_t signature[KT_SIGNATURE_SIZE], kt_error *error) {
    char message[KT_SEAL_MESSAGE_MAX];
    kt_seal seal = {.id = kt_span_of(id.data, id.size), .count = draft->count};
    memcpy(seal.actor, kt_signer_public(actor), sizeof seal.actor);
    kt_content_final(&draft->content, seal.content);
    return kt_sign(actor, message, kt_seal_message(origin, &seal, message), signature, error);
}
