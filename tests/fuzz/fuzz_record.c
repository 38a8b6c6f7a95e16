/* Any bytes as a record. What is taken as a genesis, a seal or an entry is packed again to the very same bytes: a record
   has one spelling, so its hash says all. As a change of actors, a rejection or a log key it is applied to a book that was
   just founded; and as rows of state that actors are loaded from. */
#include <stdlib.h>
#include <string.h>

#include "engine/access_rows.h"
#include "engine/actors.h"
#include "engine/genesis.h"
#include "engine/ledger/entry.h"
#include "engine/ledger/proposal.h"
#include "engine/logkey.h"
#include "engine/registry.h"
#include "storage/codec.h"
#include "storage/records.h"
#include "storage/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_same(const uint8_t *data, size_t size, const uint8_t *again, size_t again_size) {
    if (again_size != size || memcmp(data, again, size) != 0) abort();
}

static void must_say_why(kt_code code, const kt_error *error) {
    if (error->code != code || error->text[0] == 0) abort();
}

static void as_seal(const kt_envelope *envelope, const uint8_t *data, size_t size) {
    uint8_t again[KT_SEAL_RECORD_MAX];
    char message[KT_SEAL_MESSAGE_MAX];
    kt_error error = {0};
    kt_seal seal;
    kt_code code = kt_seal_read(envelope->body, envelope->kind_version, &seal, &error);
    if (code != KT_OK) {
        must_say_why(code, &error);
        return;
    }
    size_t length = kt_seal_message("kontor/fuzz-00000000", &seal, message);
    if (length < 100 || message[length - 1] != '\n') abort();
    if (envelope->kind == KT_KIND_SEAL) must_be_same(data, size, again, kt_seal_write(&seal, envelope->date, again));
}

static void as_genesis(const kt_envelope *envelope, const uint8_t *data, size_t size) {
    uint8_t again[KT_GENESIS_RECORD_MAX];
    kt_error error = {0};
    kt_genesis genesis;
    kt_code code = kt_genesis_read(kt_span_of(data, size), &genesis, &error);
    if (code != KT_OK) must_say_why(code, &error);
    else must_be_same(data, size, again, kt_genesis_write(&genesis, envelope->date, again));
}

static void as_entry(const kt_envelope *envelope, const uint8_t *data, size_t size) {
    static kt_entry_reader reader;
    kt_error error = {0};
    kt_entry entry;
    kt_pack pack;
    bool repeats;
    kt_code code = kt_entry_unpack(&reader, envelope->date, envelope->body, &entry, &repeats, &error);
    if (code != KT_OK) {
        must_say_why(code, &error);
        return;
    }
    if (envelope->kind != KT_KIND_ENTRY ||
        envelope->kind_version != (entry.proposal != 0 ? KT_ENTRY_APPROVED_VERSION : KT_ENTRY_VERSION))
        return;
    size_t bound = kt_entry_bound(&entry);
    uint8_t *again = malloc(bound);
    if (again == NULL) return;
    kt_pack_init(&pack, again, bound);
    kt_entry_pack(&pack, &entry, repeats);
    if (pack.size > bound) abort();
    must_be_same(data, size, again, pack.size);
    free(again);
}

/* A book of the actor whose seed is 32 times 01 (in tests/fuzz/seeds/record a rotation is signed for it), with a proposal. */
static kt_fold *found(void) {
    static kt_fold *fold;
    static const uint8_t seed[KT_SEED_SIZE] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                               1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    static kt_genesis genesis = {.origin = "kontor/fuzz-00000000"};
    kt_signer *signer = NULL;
    if (fold == NULL) {
        if (kt_keys_setup(NULL) != KT_OK || kt_signer_from_seed(seed, &signer, NULL) != KT_OK ||
            kt_fold_open(&kt_the_registry, &fold, NULL) != KT_OK)
            abort();
        memcpy(genesis.actor_key, kt_signer_public(signer), KT_KEY_SIZE);
        memcpy(genesis.log_key, genesis.actor_key, KT_KEY_SIZE);
        kt_signer_close(signer);
    }
    kt_fold_forget(fold);
    if (kt_fold_genesis_apply(fold, &genesis, NULL) != KT_OK ||
        kt_access_propose(kt_fold_access(fold), 7, genesis.actor_key, NULL) != KT_OK ||
        kt_access_sealed(kt_fold_access(fold), genesis.actor_key, NULL) != KT_OK)
        abort();
    return fold;
}

/* What one batch did with the record, once more with it in the next: an actor comes once, a key goes once. */
static void as_change(const kt_envelope *envelope) {
    static const uint32_t kinds[] = {KT_KIND_ACTOR,    KT_KIND_GRANT,      KT_KIND_WITHDRAWAL,
                                     KT_KIND_ROTATION, KT_KIND_REVOCATION, KT_KIND_REJECTION};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        kt_record record = {10, kinds[i], 1, envelope->date, envelope->body};
        kt_error error = {0};
        kt_fold *fold = found();
        kt_code code = kt_fold_apply(fold, &record, &error);
        if (code != KT_OK) {
            must_say_why(code, &error);
            continue;
        }
        code = kt_fold_apply(fold, &record, &error);
        if (code == KT_OK && kinds[i] != KT_KIND_GRANT) abort();
    }
}

static void as_log_key(const kt_envelope *envelope) {
    kt_error error = {0};
    kt_log_handover handover;
    kt_code code = kt_log_handover_read("kontor/fuzz-00000000", envelope->body, &handover, &error);
    if (code != KT_OK) must_say_why(code, &error);
}

static void as_limits(kt_span bytes) {
    kt_limits limits;
    kt_error error = {0};
    kt_code code = kt_limits_read(bytes, &limits, &error);
    if (code != KT_OK) {
        must_say_why(code, &error);
        return;
    }
    uint8_t *again = malloc(bytes.size);
    if (again == NULL) abort();
    must_be_same(bytes.data, bytes.size, again, kt_limits_pack(&limits, again, bytes.size));
    kt_limits_release(&limits);
    free(again);
}

/* The first byte is the size of the row's key. */
static void as_rows(const uint8_t *data, size_t size) {
    kt_error error = {0};
    kt_key_row key;
    kt_grant_row grant;
    kt_proposal_row proposal;
    size_t name = size == 0 ? 0 : data[0] < size ? data[0] : size - 1, from = size == 0 ? 0 : 1 + name;
    kt_code code = kt_key_row_read(kt_span_of(data, size), &key, &error);
    if (code != KT_OK) must_say_why(code, &error);
    else if (key.actor.size == 0 || key.actor.size > KT_ACTOR_ID_MAX || key.reason.size > size) abort();
    code = kt_grant_row_read(kt_span_of(data + (size != 0), name), kt_span_of(data + from, size - from), &grant,
                             &error);
    if (code != KT_OK) must_say_why(code, &error);
    else if (grant.actor.size == 0 || grant.actor.size > KT_ACTOR_ID_MAX) abort();
    else as_limits(grant.limits);
    code = kt_proposal_row_read(kt_span_of(data, size), &proposal, &error);
    if (code != KT_OK) must_say_why(code, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_envelope envelope;
    kt_error error = {0};
    kt_long head;
    as_rows(data, size);
    as_limits(kt_span_of(data, size));
    kt_code code = kt_envelope_read(kt_span_of(data, size), &envelope, &error);
    if (code != KT_OK) {
        must_say_why(code, &error);
        return 0;
    }
    as_seal(&envelope, data, size);
    as_genesis(&envelope, data, size);
    as_entry(&envelope, data, size);
    as_change(&envelope);
    as_log_key(&envelope);
    as_limits(envelope.body);
    if (kt_long_read(envelope.body, &head, &error) == KT_OK &&
        (head.kind < KT_KIND_STORAGE_END || head.parts == 0 || head.size > KT_WHOLE_MAX ||
         head.hashes + (size_t)head.parts * KT_HASH_SIZE > data + size))
        abort();
    return 0;
}
