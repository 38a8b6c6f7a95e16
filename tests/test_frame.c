/* Frames: what is packed is read, and nothing else is: every cut and every byte more is refused. */
#include <stdlib.h>
#include <string.h>

#include "engine/remote/frame.h"
#include "tests/tap.h"

static uint8_t room[8192];
static kt_error error;

typedef kt_code (*reader)(kt_span body);

static kt_code read_hello(kt_span body) {
    kt_hello out;
    return kt_hello_read(body, &out, &error);
}
static kt_code read_question(kt_span body) {
    kt_question out;
    return kt_question_read(body, &out, &error);
}
static kt_code read_answer(kt_span body) {
    kt_answer out;
    return kt_answer_read(body, &out, &error);
}
static kt_code read_batch(kt_span body) {
    kt_batch_frame out;
    return kt_batch_frame_read(body, &out, &error);
}
static kt_code read_receipt(kt_span body) {
    kt_receipt_frame out;
    return kt_receipt_read(body, &out, &error);
}
static kt_code read_refusal(kt_span body) {
    kt_refused out;
    return kt_refusal_read(body, &out, &error);
}
static kt_code read_tried(kt_span body) {
    kt_tried_frame out;
    return kt_tried_read(body, &out, &error);
}

/* A body in memory of exactly its size, so that a sanitizer sees who reads on. */
static kt_code read_exactly(reader read, const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size + 1);
    memcpy(copy, data, size);
    kt_code code = read(kt_span_of(copy, size));
    free(copy);
    return code;
}

static void holds(reader read, const kt_pack *pack, kt_frame_type type, const char *what) {
    kt_frame_type found;
    unsigned taken = 0;
    is_code(read_exactly(read, pack->data, pack->size), KT_OK, "%s is read", what);
    ok(kt_frame_type_of(kt_span_of(pack->data, pack->size), &found, &error) == KT_OK && found == type, "and known");
    for (size_t size = 0; size < pack->size; size++) taken += read_exactly(read, pack->data, size) == KT_OK;
    is_int(taken, 0, "no beginning of it is");
    pack->data[pack->size] = 0;
    ok(read_exactly(read, pack->data, pack->size + 1) != KT_OK, "nor it with a byte more");
    for (kt_frame_type other = KT_FRAME_HELLO; other <= KT_FRAME_TRIED; other++) {
        if (other == type) continue;
        pack->data[1] = (uint8_t)other;
        taken += read_exactly(read, pack->data, pack->size) == KT_OK;
    }
    pack->data[1] = (uint8_t)type;
    is_int(taken, 0, "nor under another type");
}

static void heads(void) {
    uint8_t head[KT_FRAME_HEAD];
    kt_frame_head(head, 0x01020304);
    is_bytes(head, 4, "\1\2\3\4", 4, "a head is the size, big-endian");
    kt_frame_head(head, KT_FRAME_MAX);
    is_int(kt_frame_size(head), KT_FRAME_MAX, "the largest is taken");
    kt_frame_head(head, KT_FRAME_MAX + 1);
    is_int(kt_frame_size(head), 0, "one more is not");
    kt_frame_head(head, 0);
    is_int(kt_frame_size(head), 0, "nor nothing");
}

static void hello(void) {
    kt_pack pack;
    kt_unpack unpack;
    uint8_t key[KT_PUBLIC_KEY_SIZE] = {1, 2, 3};
    kt_told_currency currencies[2] = {{KT_STR("DKK"), 2, true}, {KT_STR("XBT"), 8, false}}, told;
    kt_hello given = {.protocol = 1,
                      .origin = KT_STR("kontor/acme-00000000"),
                      .entity = KT_STR("Acme"),
                      .currency = KT_STR("DKK"),
                      .log_key = key,
                      .fiscal_month = 7,
                      .fiscal_day = 1,
                      .today = 20000,
                      .count = 2};
    kt_pack_init(&pack, room, sizeof room);
    kt_hello_pack(&pack, &given, currencies);
    holds(read_hello, &pack, KT_FRAME_HELLO, "a hello");
    kt_hello found;
    kt_hello_read(kt_span_of(room, pack.size), &found, &error);
    ok(kt_str_equal(found.origin, given.origin) && kt_str_equal(found.entity, given.entity) &&
           memcmp(found.log_key, key, sizeof key) == 0 && found.fiscal_month == 7 && found.today == 20000 &&
           found.count == 2,
       "all of it is there");
    kt_unpack_init(&unpack, found.packed);
    ok(kt_hello_next(&unpack, &told) && told.posted && kt_hello_next(&unpack, &told) && told.decimals == 8 &&
           kt_str_equal(told.code, KT_STR("XBT")) && !kt_hello_next(&unpack, &told),
       "and the currencies");
    room[2] = 2; /* the protocol */
    is_code(read_hello(kt_span_of(room, pack.size)), KT_NEWER, "a later protocol is named as such");
}

static void questions(void) {
    kt_pack pack;
    static kt_question given, found;
    given.account_count = 2;
    given.accounts[0] = KT_STR("1000");
    given.accounts[1] = KT_STR("Assets:Bank");
    given.currency_count = 1;
    given.currencies[0] = KT_STR("EUR");
    given.dimension_count = 1;
    given.dimensions[0] = (kt_dimension){11, KT_STR("North")};
    kt_pack_init(&pack, room, sizeof room);
    kt_question_pack(&pack, &given);
    holds(read_question, &pack, KT_FRAME_QUESTION, "a question");
    kt_question_read(kt_span_of(room, pack.size), &found, &error);
    ok(kt_str_equal(found.accounts[1], given.accounts[1]) && found.dimensions[0].dimension == 11, "all of it is there");
    given.account_count = KT_FRAME_ASKED_MAX;
    for (unsigned i = 0; i < KT_FRAME_ASKED_MAX; i++) given.accounts[i] = KT_STR("1");
    kt_pack_init(&pack, room, sizeof room);
    kt_question_pack(&pack, &given);
    is_code(read_question(kt_span_of(room, pack.size)), KT_LIMIT, "more than a question may ask is refused");
    kt_answer answer = {.account_count = 2, .accounts = {true, false}, .currency_count = 2, .dimension_count = 1};
    answer.currencies[1].known = true;
    answer.currencies[1].decimals = 3;
    kt_pack_init(&pack, room, sizeof room);
    kt_answer_pack(&pack, &answer);
    holds(read_answer, &pack, KT_FRAME_ANSWER, "an answer");
}

static void batches(void) {
    kt_pack pack;
    uint8_t actor[KT_PUBLIC_KEY_SIZE] = {1}, signature[KT_SIGNATURE_SIZE] = {2}, input[KT_HASH_SIZE] = {3};
    kt_told_currency assumed = {KT_STR("XAU"), 3, false};
    kt_batch_frame given = {.id = KT_STR("b1"),
                            .actor = actor,
                            .signature = signature,
                            .input = input,
                            .posted = 2,
                            .rejected = 1,
                            .assumed_count = 1,
                            .count = 2},
                   found;
    kt_pack_init(&pack, room, sizeof room);
    kt_batch_frame_pack(&pack, &given, &assumed);
    kt_pack_bytes(&pack, "one", 3);
    kt_pack_bytes(&pack, "three", 5);
    holds(read_batch, &pack, KT_FRAME_BATCH, "a batch");
    kt_batch_frame_read(kt_span_of(room, pack.size), &found, &error);
    ok(found.count == 2 && found.packed.size == 12 && found.rejected == 1 && found.assumed_count == 1 &&
           memcmp(found.signature, signature, sizeof signature) == 0,
       "all of it is there");
    given.signature = NULL;
    kt_pack_init(&pack, room, sizeof room);
    kt_batch_frame_pack(&pack, &given, &assumed);
    kt_pack_bytes(&pack, "one", 3);
    kt_pack_bytes(&pack, "three", 5);
    is_code(read_batch(kt_span_of(room, pack.size)), KT_INVALID, "a batch without a signature is refused");
    given.flags = KT_BATCH_TRY;
    kt_pack_init(&pack, room, sizeof room);
    kt_batch_frame_pack(&pack, &given, &assumed);
    kt_pack_bytes(&pack, "one", 3);
    kt_pack_bytes(&pack, "three", 5);
    is_code(read_batch(kt_span_of(room, pack.size)), KT_OK, "a try has none");
    given.signature = signature;
    kt_pack_init(&pack, room, sizeof room);
    kt_batch_frame_pack(&pack, &given, &assumed);
    kt_pack_bytes(&pack, "one", 3);
    kt_pack_bytes(&pack, "three", 5);
    is_code(read_batch(kt_span_of(room, pack.size)), KT_INVALID,
            "and a try with one, which could be posted, is refused");
    given.flags = 0;
    given.count = 0;
    kt_pack_init(&pack, room, sizeof room);
    kt_batch_frame_pack(&pack, &given, &assumed);
    is_code(read_batch(kt_span_of(room, pack.size)), KT_INVALID, "a batch of nothing is refused");
    given.count = 1;
    given.id = KT_STR("a\nb");
    kt_pack_init(&pack, room, sizeof room);
    kt_batch_frame_pack(&pack, &given, &assumed);
    kt_pack_bytes(&pack, "one", 3);
    is_code(read_batch(kt_span_of(room, pack.size)), KT_INVALID, "so is an id with a control character");
    given.id = KT_STR("b");
    given.posted = UINT64_MAX;
    kt_pack_init(&pack, room, sizeof room);
    kt_batch_frame_pack(&pack, &given, &assumed);
    kt_pack_bytes(&pack, "one", 3);
    is_code(read_batch(kt_span_of(room, pack.size)), KT_INVALID, "and counts that add up to too much");
}

static void answers(void) {
    kt_pack pack;
    kt_unpack unpack;
    kt_receipt_frame
        receipt = {.receipt = {.batch_id = "b", .first = 1, .last = 2, .entries = 1, .tree_size = 3, .recorded_us = -1},
                   .repeated = true,
                   .note = KT_STR("note\n")},
        found;
    kt_pack_init(&pack, room, sizeof room);
    kt_receipt_pack(&pack, &receipt);
    holds(read_receipt, &pack, KT_FRAME_RECEIPT, "a receipt");
    kt_receipt_read(kt_span_of(room, pack.size), &found, &error);
    ok(found.repeated && found.receipt.last == 2 && found.receipt.recorded_us == -1 &&
           strcmp(found.receipt.batch_id, "b") == 0,
       "all of it is there");
    kt_refused refused = {KT_UNBALANCED, 7, KT_STR("does not balance")}, one;
    kt_pack_init(&pack, room, sizeof room);
    kt_refusal_pack(&pack, &refused);
    holds(read_refusal, &pack, KT_FRAME_REFUSAL, "a refusal");
    kt_refusal_read(kt_span_of(room, pack.size), &one, &error);
    ok(one.code == KT_UNBALANCED && one.record == 7 && kt_str_equal(one.text, refused.text), "all of it is there");
    kt_tried_frame tried = {.entries = 5, .count = 2}, came;
    kt_pack_init(&pack, room, sizeof room);
    kt_tried_pack(&pack, &tried);
    kt_tried_pack_one(&pack, &refused);
    refused.record = 8;
    kt_tried_pack_one(&pack, &refused);
    holds(read_tried, &pack, KT_FRAME_TRIED, "what a try came to");
    kt_tried_read(kt_span_of(room, pack.size), &came, &error);
    kt_unpack_init(&unpack, came.packed);
    ok(kt_tried_next(&unpack, &one) && one.record == 7 && kt_tried_next(&unpack, &one) && one.record == 8 &&
           !kt_tried_next(&unpack, &one),
       "each refusal is there");
}

int main(void) {
    heads();
    hello();
    questions();
    batches();
    answers();
    return done();
}
