#include "engine/remote/arrival.h"

#include "storage/records.h"

static const kt_kind *kind_of(const kt_registry *registry, uint32_t kind) {
    for (unsigned i = 0; i < registry->kind_count; i++)
        if (registry->kinds[i].kind == kind) return &registry->kinds[i];
    return NULL;
}

/* A kind that is posted. Genesis and seals are the book's own to write. */
static kt_code check_kind(const kt_registry *registry, const kt_envelope *envelope, uint64_t *entries,
                          kt_error *error) {
    kt_long whole = {.kind = envelope->kind, .kind_version = envelope->kind_version};
    if (envelope->kind == KT_KIND_PART) return KT_OK;
    if (envelope->kind == KT_KIND_LONG && kt_long_read(envelope->body, &whole, error) != KT_OK)
        return kt_fail(error, KT_INVALID, "a long record's head is malformed");
    const kt_kind *kind = kind_of(registry, whole.kind);
    if (kind == NULL || whole.kind_version == 0 || whole.kind_version > kind->version)
        return kt_fail(error, KT_INVALID, "kind %u version %u is not one that can be posted here", whole.kind,
                       whole.kind_version);
    *entries += kind->counts == KT_COUNTS_ENTRY;
    return KT_OK;
}

static kt_code check_signature(const char *origin, const kt_arrival *arrival, kt_error *error) {
    const kt_batch_frame *frame = &arrival->frame;
    char message[KT_SEAL_MESSAGE_MAX];
    kt_seal seal = {.id = kt_span_of(frame->id.data, frame->id.size), .count = frame->count};
    memcpy(seal.actor, frame->actor, sizeof seal.actor);
    memcpy(seal.content, arrival->content, sizeof seal.content);
    if (kt_signature_check(frame->actor, message, kt_seal_message(origin, &seal, message), frame->signature))
        return KT_OK;
    return kt_fail(error, KT_FORBIDDEN, "the batch's signature is not that of its actor %02x%02x%02x%02x...",
                   frame->actor[0], frame->actor[1], frame->actor[2], frame->actor[3]);
}

kt_code kt_arrival_read(const kt_registry *registry, const char *origin, kt_span body, kt_arrival *out, int64_t *record,
                        kt_error *error) {
    kt_unpack unpack;
    kt_content content;
    kt_envelope envelope;
    uint8_t leaf[KT_HASH_SIZE];
    const uint8_t *bytes;
    size_t size;
    uint64_t entries = 0;
    *record = -1;
    kt_code code = kt_batch_frame_read(body, &out->frame, error);
    if (code != KT_OK) return code;
    kt_content_init(&content);
    kt_unpack_init(&unpack, out->frame.packed);
    for (uint32_t i = 0; i < out->frame.count; i++) {
        kt_unpack_bytes(&unpack, &bytes, &size);
        *record = i;
        code = kt_envelope_read(kt_span_of(bytes, size), &envelope, error);
        if (code == KT_DAMAGED) code = kt_fail(error, KT_INVALID, "a record is malformed");
        if (code == KT_OK) code = check_kind(registry, &envelope, &entries, error);
        if (code != KT_OK) return code;
        kt_leaf_hash(bytes, size, leaf);
        kt_content_add(&content, leaf, 1);
    }
    *record = -1;
    kt_content_final(&content, out->content);
    if (entries != out->frame.posted)
        return kt_fail(error, KT_INVALID, "the batch counts %llu entries, found %llu",
                       (unsigned long long)out->frame.posted, (unsigned long long)entries);
    return out->frame.signature == NULL ? KT_OK : check_signature(origin, out, error);
}
