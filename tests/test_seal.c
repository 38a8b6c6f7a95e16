/* The seal: what its maker signs, said in text; the content digest; and one spelling of the record. */
#include "storage/seal.h"

#include <stdio.h>
#include <stdlib.h>

#include "storage/codec.h"
#include "storage/note.h"
#include "storage/records.h"
#include "tests/storing.h"

static kt_seal sample(const char *id) {
    kt_seal seal = {.id = kt_span_of(id, strlen(id)),
                    .count = 12,
                    .recorded_us = 1789000000000000,
                    .clock_behind = true,
                    .has_input = true,
                    .read = 10,
                    .posted = 9,
                    .rejected = 1,
                    .epoch = 3};
    memset(seal.actor, 0xaa, sizeof(seal.actor));
    memset(seal.content, 0xcc, sizeof(seal.content));
    memset(seal.signature, 0x55, sizeof(seal.signature));
    memset(seal.input, 0x11, sizeof(seal.input));
    return seal;
}

static bool same(const kt_seal *a, const kt_seal *b) {
    return kt_span_compare(a->id, b->id) == 0 && memcmp(a->actor, b->actor, sizeof(a->actor)) == 0 &&
           a->count == b->count && memcmp(a->content, b->content, sizeof(a->content)) == 0 &&
           memcmp(a->signature, b->signature, sizeof(a->signature)) == 0 && a->recorded_us == b->recorded_us &&
           a->clock_behind == b->clock_behind && a->has_input == b->has_input &&
           memcmp(a->input, b->input, sizeof(a->input)) == 0 && a->read == b->read && a->posted == b->posted &&
           a->rejected == b->rejected && a->epoch == b->epoch;
}

static void test_message(void) {
    char text[KT_SEAL_MESSAGE_MAX], expected[KT_SEAL_MESSAGE_MAX], long_id[KT_SEAL_ID_MAX + 1];
    kt_seal seal = sample("\x01z");
    seal.count = 18446744073709551615u;
    size_t size = kt_seal_message("kontor/acme-00112233", &seal, text);
    (void)snprintf(expected, sizeof(expected),
                   "kontor/batch/v1\nkontor/acme-00112233\n017a\n"
                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n18446744073709551615\n"
                   "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\n");
    is_bytes(text, size, expected, strlen(expected),
             "the message is six lines of text, ids and digests in hexadecimal");
    memset(long_id, 'x', sizeof(long_id) - 1);
    long_id[KT_SEAL_ID_MAX] = 0;
    seal = sample(long_id);
    size = kt_seal_message("kontor/acme-00112233", &seal, text);
    ok(size < KT_SEAL_MESSAGE_MAX - 1 && text[size - 1] == '\n', "the longest id fits");
}

static void test_record(void) {
    uint8_t record[KT_SEAL_RECORD_MAX];
    kt_envelope envelope;
    kt_error error;
    char long_id[KT_SEAL_ID_MAX + 1];
    memset(long_id, 'x', sizeof(long_id) - 1);
    long_id[KT_SEAL_ID_MAX] = 0;
    kt_seal seal = sample(long_id), back;
    seal.read = seal.posted = seal.rejected = seal.epoch = seal.count = UINT64_MAX;
    seal.recorded_us = INT64_MIN;
    size_t size = kt_seal_write(&seal, -719162, record);
    ok(size <= KT_SEAL_RECORD_MAX, "the largest seal has %zu bytes and fits", size);
    is_code(kt_envelope_read(kt_span_of(record, size), &envelope, &error), KT_OK, "it is a record");
    is_int(envelope.kind, KT_KIND_SEAL, "of the kind that seals have");
    is_code(kt_seal_read(envelope.body, envelope.kind_version, &back, &error), KT_OK, "it is read");
    ok(same(&seal, &back), "and says what was written");

    seal = sample("plain");
    seal.has_input = seal.clock_behind = false;
    memset(seal.input, 0, sizeof(seal.input));
    size = kt_seal_write(&seal, 20706, record);
    (void)kt_envelope_read(kt_span_of(record, size), &envelope, &error);
    is_code(kt_seal_read(envelope.body, 1, &back, &error), KT_OK, "one without a digest of input is read");
    ok(same(&seal, &back), "and says so");
    is_code(kt_seal_read(envelope.body, 2, &back, &error), KT_NEWER, "a later version says so");
    is_code(kt_seal_read(envelope.body, 0, &back, &error), KT_DAMAGED, "version 0 never was");
    int taken = 0;
    for (size_t cut = 0; cut < envelope.body.size; cut++)
        taken += kt_seal_read(kt_span_of(envelope.body.data, cut), 1, &back, &error) == KT_OK;
    is_int(taken, 0, "cut anywhere it is refused");

    seal.id = kt_span_of("", 0);
    size = kt_seal_write(&seal, 20706, record);
    (void)kt_envelope_read(kt_span_of(record, size), &envelope, &error);
    is_code(kt_seal_read(envelope.body, 1, &back, &error), KT_DAMAGED, "a seal without an id is refused");
}

/* The definition, written down once more: SHA-256 over the SHA-256 of each 256 leaf hashes. */
static void content_of(const uint8_t *leaves, size_t count, uint8_t out[KT_HASH_SIZE]) {
    size_t runs = (count + 255) / 256;
    uint8_t *digests = calloc(runs + 1, KT_HASH_SIZE);
    for (size_t i = 0; i < runs; i++) {
        size_t here = count - i * 256 < 256 ? count - i * 256 : 256;
        kt_sha256_of(leaves + i * 256 * KT_HASH_SIZE, here * KT_HASH_SIZE, digests + i * KT_HASH_SIZE);
    }
    kt_sha256_of(digests, runs * KT_HASH_SIZE, out);
    free(digests);
}

static void test_content(uint64_t *random) {
    enum { MOST = 2000 };
    uint8_t *leaves = malloc((size_t)MOST * KT_HASH_SIZE), expected[KT_HASH_SIZE], found[KT_HASH_SIZE];
    for (size_t i = 0; i < (size_t)MOST * KT_HASH_SIZE; i++) leaves[i] = (uint8_t)test_random(random);
    static const size_t counts[] = {0, 1, 255, 256, 257, 511, 512, 513, 1024, MOST};
    bool all = true, kept = true;
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        kt_content content;
        kt_content_init(&content);
        for (size_t done = 0; done < counts[i];) { /* in pieces of any size */
            size_t piece = 1 + test_random(random) % 300;
            piece = piece < counts[i] - done ? piece : counts[i] - done;
            kt_content_add(&content, leaves + done * KT_HASH_SIZE, piece);
            done += piece;
            kt_content_final(&content, found); /* asking does not end it */
            content_of(leaves, done, expected);
            kept &= memcmp(found, expected, KT_HASH_SIZE) == 0;
        }
        kt_content_final(&content, found);
        content_of(leaves, counts[i], expected);
        all &= memcmp(found, expected, KT_HASH_SIZE) == 0;
    }
    ok(all, "the content digest is SHA-256 over the SHA-256 of each 256 leaf hashes, however they come");
    ok(kept, "and may be asked for at any time");
    free(leaves);
}

int main(void) {
    uint64_t random = test_seed();
    test_message();
    test_record();
    test_content(&random);
    return done();
}
