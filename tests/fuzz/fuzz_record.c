/* Any bytes as a record. What is taken as a genesis, a seal or an entry is packed again to the very same bytes: a record
   has one spelling, so its hash says all. */
#include <stdlib.h>
#include <string.h>

#include "engine/genesis.h"
#include "engine/ledger/entry.h"
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
    if (envelope->kind != KT_KIND_ENTRY || envelope->kind_version != KT_ENTRY_VERSION) return;
    size_t bound = kt_entry_bound(&entry);
    uint8_t *again = malloc(bound);
    if (again == NULL) return;
    kt_pack_init(&pack, again, bound);
    kt_entry_pack(&pack, &entry, repeats);
    if (pack.size > bound) abort();
    must_be_same(data, size, again, pack.size);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_envelope envelope;
    kt_error error = {0};
    kt_long head;
    kt_code code = kt_envelope_read(kt_span_of(data, size), &envelope, &error);
    if (code != KT_OK) {
        must_say_why(code, &error);
        return 0;
    }
    as_seal(&envelope, data, size);
    as_genesis(&envelope, data, size);
    as_entry(&envelope, data, size);
    if (kt_long_read(envelope.body, &head, &error) == KT_OK &&
        (head.kind < KT_KIND_STORAGE_END || head.parts == 0 || head.size > KT_WHOLE_MAX ||
         head.hashes + (size_t)head.parts * KT_HASH_SIZE > data + size))
        abort();
    return 0;
}
