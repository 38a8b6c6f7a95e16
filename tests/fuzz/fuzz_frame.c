/* Any bytes as a frame's body. What is taken is packed again to the very same bytes, since a frame has one spelling; a
   batch is then looked at as the server does, whose signature no accident makes. */
#include <stdlib.h>
#include <string.h>

#include "engine/registry.h"
#include "engine/remote/arrival.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM ((size_t)1 << 20)

static uint8_t *room;

static void must_be_same(const uint8_t *data, size_t size, const kt_pack *pack) {
    if (pack->size != size || memcmp(data, pack->data, size) != 0) abort();
}

static void must_say_why(kt_code code, const kt_error *error) {
    if (error->code != code || error->text[0] == 0) abort();
}

static void as_hello(kt_span body, kt_pack *pack) {
    static kt_told_currency currencies[KT_FRAME_CURRENCIES_MAX];
    kt_hello hello;
    kt_error error = {0};
    kt_unpack unpack;
    kt_code code = kt_hello_read(body, &hello, &error);
    if (code != KT_OK) {
        must_say_why(code, &error);
        return;
    }
    kt_unpack_init(&unpack, hello.packed);
    for (uint32_t i = 0; i < hello.count; i++)
        if (!kt_hello_next(&unpack, &currencies[i])) abort();
    kt_hello_pack(pack, &hello, currencies);
    must_be_same(body.data, body.size, pack);
}

static void as_question(kt_span body, kt_pack *pack) {
    static kt_question question;
    kt_error error = {0};
    kt_code code = kt_question_read(body, &question, &error);
    if (code != KT_OK) {
        must_say_why(code, &error);
        return;
    }
    kt_question_pack(pack, &question);
    must_be_same(body.data, body.size, pack);
}

static void as_answer(kt_span body, kt_pack *pack) {
    kt_answer answer;
    if (kt_answer_read(body, &answer, NULL) != KT_OK) return;
    kt_answer_pack(pack, &answer);
    must_be_same(body.data, body.size, pack);
}

static void as_batch(kt_span body, kt_pack *pack) {
    static kt_told_currency assumed[KT_FRAME_CURRENCIES_MAX];
    kt_arrival arrival;
    kt_batch_frame batch;
    kt_error error = {0};
    kt_unpack unpack;
    int64_t record;
    kt_code code = kt_batch_frame_read(body, &batch, &error);
    if (code != KT_OK) {
        must_say_why(code, &error);
        return;
    }
    kt_unpack_init(&unpack, batch.assumed);
    for (uint32_t i = 0; i < batch.assumed_count; i++)
        if (!kt_assumed_next(&unpack, &assumed[i])) abort();
    kt_batch_frame_pack(pack, &batch, assumed);
    if (batch.packed.size != 0 && pack->size + batch.packed.size <= ROOM)
        memcpy(pack->data + pack->size, batch.packed.data, batch.packed.size);
    pack->size += batch.packed.size;
    must_be_same(body.data, body.size, pack);
    code = kt_arrival_read(&kt_the_registry, "kontor/fuzz-00000000", body, &arrival, &record, &error);
    if (code != KT_OK) must_say_why(code, &error);
    else if (batch.signature != NULL) abort(); /* nobody signed this */
}

static void as_outcome(kt_span body, kt_pack *pack) {
    kt_receipt_frame receipt;
    kt_refused refused;
    kt_tried_frame tried;
    kt_unpack unpack;
    if (kt_receipt_read(body, &receipt, NULL) == KT_OK) {
        /* An id with a NUL is none of ours, and no text says it. */
        if (strlen(receipt.receipt.batch_id) > KT_BATCH_ID_MAX) abort();
        kt_receipt_pack(pack, &receipt);
        must_be_same(body.data, body.size, pack);
    } else if (kt_refusal_read(body, &refused, NULL) == KT_OK) {
        kt_refusal_pack(pack, &refused);
        must_be_same(body.data, body.size, pack);
    } else if (kt_tried_read(body, &tried, NULL) == KT_OK) {
        kt_tried_pack(pack, &tried);
        kt_unpack_init(&unpack, tried.packed);
        for (uint32_t i = 0; i < tried.count; i++) {
            if (!kt_tried_next(&unpack, &refused)) abort();
            kt_tried_pack_one(pack, &refused);
        }
        must_be_same(body.data, body.size, pack);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    void (*const readers[])(kt_span, kt_pack *) = {as_hello, as_question, as_answer, as_batch, as_outcome};
    kt_frame_type type;
    kt_pack pack;
    if (room == NULL && (kt_keys_setup(NULL) != KT_OK || (room = malloc(ROOM)) == NULL)) return 0;
    if (size > ROOM) return 0;
    if (size >= KT_FRAME_HEAD && kt_frame_size(data) > KT_FRAME_MAX) abort();
    if (kt_frame_type_of(kt_span_of(data, size), &type, NULL) != KT_OK) return 0;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        kt_pack_init(&pack, room, ROOM);
        readers[i](kt_span_of(data, size), &pack);
    }
    return 0;
}
