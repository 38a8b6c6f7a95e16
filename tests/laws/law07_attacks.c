/* Law 7 under attack: what an actor tries who wants more than he was given: with several batches in one, sent ones under way,
   batches signed elsewhere and joined under one head, aborted and tried ones, and with what limits are counted in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/actors.h"
#include "engine/ledger/period.h"
#include "engine/ledger/proposal.h"
#include "engine/registry.h"
#include "engine/remote/accept.h"
#include "storage/codec.h"
#include "tests/acting.h"
#include "tests/serving.h"

/* anna posts up to 10,000.00, bert controls, carl administers. */
static kt_book *staff(const char *name) {
    kt_book *book = make_book(name);
    kt_limits ten = {.amount = 1000000};
    is_code(add_actor(book, "anna", "anna"), KT_OK, "anna");
    is_code(grant(book, "anna", KT_ROLE_CLERK, &ten), KT_OK, "posts up to 10,000.00");
    is_code(add_actor(book, "bert", "bert"), KT_OK, "bert");
    is_code(grant(book, "bert", KT_ROLE_CONTROLLER, NULL), KT_OK, "controls");
    is_code(add_actor(book, "carl", "carl"), KT_OK, "carl");
    is_code(grant(book, "carl", KT_ROLE_ADMIN, NULL), KT_OK, "administers");
    return book;
}

/* ---- batches under way, aborted, tried ---- */

static void under_way(void) {
    kt_book_close(staff("way"));
    kt_book *carl = open_as("way", "carl");
    kt_batch *batch = begin(carl);
    is_code(kt_batch_key_revoke(batch, public_of("carl"), KT_STR("gone"), &said), KT_OK, "carl revokes his own key");
    is_code(kt_batch_send(batch, &said), KT_OK, "which is sent, and not received");
    is_code(kt_batch_begin(carl, NULL, &batch, NULL, &said), KT_FORBIDDEN, "then he begins no batch any more");
    is_code(kt_batch_begin(carl, NULL, &batch, NULL, &said), KT_FORBIDDEN, "however often he tries");
    is_code(kt_book_receive(carl, true, NULL, &said), KT_OK, "nor when it is received");
    is_code(kt_batch_begin(carl, NULL, &batch, NULL, &said), KT_FORBIDDEN, "of course");
    kt_book_close(carl);

    kt_book *book = open_as("way", NULL);
    batch = begin(book);
    is_code(kt_batch_actor_add(batch, KT_STR("second"), public_of("second"), &said), KT_OK, "a second");
    is_code(kt_batch_actor_grant(batch, KT_STR("second"), KT_ROLE_OWNER, NULL, &said), KT_OK, "owner");
    is_code(kt_batch_actor_revoke(batch, KT_STR("owner"), KT_ROLE_OWNER, KT_STR("gone"), &said), KT_OK,
            "comes, the first goes");
    is_code(kt_batch_send(batch, &said), KT_OK, "sent");
    batch = begin(book);
    is_code(kt_batch_actor_add(batch, KT_STR("x"), public_of("x"), &said), KT_FORBIDDEN, "he may nothing any more");
    kt_batch_abort(batch); /* forgets what is in memory: what was sent has to count all the same */
    batch = begin(book);
    is_code(kt_batch_actor_add(batch, KT_STR("x"), public_of("x"), &said), KT_FORBIDDEN, "nor behind an aborted batch");
    kt_batch_abort(batch);
    while (kt_book_receive(book, true, NULL, &said) == KT_OK) continue;
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_FORBIDDEN, "nor when all is received");
    kt_book_close(book);
    is_sound("way", "what is stored verifies");
}

static void tried(void) {
    kt_book_close(staff("tried"));
    kt_book *carl = open_as("tried", "carl");
    kt_batch_options dry = {.dry_run = true};
    kt_batch *batch = NULL;
    is_code(kt_batch_begin(carl, &dry, &batch, NULL, &said), KT_OK, "in a batch that is only tried");
    is_code(kt_batch_actor_grant(batch, KT_STR("bert"), KT_ROLE_CLERK, NULL, &said), KT_OK, "a role is given");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "and tried");
    kt_book *bert = open_as("tried", "bert");
    is_code(post(bert, "2026-01-31 - 1000 1 / 2000 -1"), KT_FORBIDDEN, "which gives nothing");
    batch = begin(carl);
    is_code(kt_batch_actor_grant(batch, KT_STR("bert"), KT_ROLE_CLERK, NULL, &said), KT_OK, "given and");
    kt_batch_abort(batch);
    is_code(withdraw(carl, "bert", KT_ROLE_CLERK), KT_NOT_FOUND, "aborted it was never given");
    kt_book_close(carl);
    kt_book_close(bert);
    is_sound("tried", "the book verifies");
}

/* ---- from afar ---- */

struct afar {
    kt_book *book;
    kt_accept *accept;
    int64_t record;
    bool clean;
};

static kt_signer *key_of(const char *name) {
    char file[100];
    kt_signer *signer = NULL;
    snprintf(file, sizeof file, "%s.key", name);
    (void)public_of(name);
    if (kt_key_load(path_of(file), NULL, NULL, &signer, &said) != KT_OK) diag("%s", said.text);
    return signer;
}

/* A batch of one record, signed as its actor signs; in the turn that is open. */
static kt_code send_record(struct afar *afar, const char *who, const char *id, kt_span record, bool entry) {
    uint8_t *body, signature[KT_SIGNATURE_SIZE], packed[4096];
    char note[KT_CHECKPOINT_MAX];
    kt_draft draft;
    kt_draft_entry about = {0};
    kt_arrival arrival;
    kt_pack pack;
    kt_signer *signer = key_of(who);
    kt_draft_init(&draft);
    kt_draft_add(&draft, record, entry ? &about : NULL, &said);
    (void)kt_draft_sign(&draft, kt_book_origin(afar->book), kt_str_from(id), signer, signature, &said);
    kt_batch_frame frame = {.id = kt_str_from(id),
                            .actor = kt_signer_public(signer),
                            .signature = signature,
                            .posted = draft.entry_count,
                            .count = draft.count};
    kt_pack_init(&pack, packed, sizeof packed);
    kt_batch_frame_pack(&pack, &frame, NULL);
    body = malloc(pack.size + draft.size);
    memcpy(body, packed, pack.size);
    memcpy(body + pack.size, draft.data, draft.size);
    kt_code code = kt_arrival_read(&kt_the_registry, kt_book_origin(afar->book),
                                   kt_span_of(body, pack.size + draft.size), &arrival, &afar->record, &said);
    if (code == KT_OK)
        code = kt_accept_batch(afar->accept, &arrival, &receipt, note, &afar->record, &afar->clean, &said);
    free(body);
    kt_draft_release(&draft);
    kt_signer_close(signer);
    return code;
}

static void commit(struct afar *afar) {
    uint64_t size;
    uint8_t root[KT_HASH_SIZE];
    char note[KT_CHECKPOINT_MAX];
    is_code(kt_accept_commit(afar->accept, &size, root, note, &said), KT_OK, "the others are under one head");
}

static kt_span begin_record(kt_pack *pack, uint8_t out[512], uint32_t kind, uint32_t fields) {
    kt_pack_init(pack, out, 512);
    kt_pack_envelope(pack, kind, 1, day("2026-01-01"));
    kt_pack_array(pack, fields);
    return kt_span_of(out, 0);
}

static kt_span grant_record(const char *id, kt_role role, uint8_t out[512]) {
    kt_pack pack;
    (void)begin_record(&pack, out, KT_KIND_GRANT, 3);
    kt_pack_text(&pack, id, strlen(id));
    kt_pack_uint(&pack, (uint64_t)role);
    kt_pack_array(&pack, 3);
    kt_pack_uint(&pack, 0);
    kt_pack_array(&pack, 0);
    kt_pack_array(&pack, 0);
    return kt_span_of(out, pack.size);
}

static kt_span revocation_record(const char *key, uint8_t out[512]) {
    kt_pack pack;
    (void)begin_record(&pack, out, KT_KIND_REVOCATION, 2);
    kt_pack_bytes(&pack, public_of(key), KT_KEY_SIZE);
    kt_pack_text(&pack, "lost", 4);
    return kt_span_of(out, pack.size);
}

static kt_span close_record(uint8_t out[512]) {
    return kt_span_of(out, kt_period_record(day("2025-06-01"), true, KT_STR(""), out, 512));
}

static void from_afar(void) {
    uint8_t out[512];
    struct afar afar = {.book = staff("afar")};
    is_code(kt_accept_open(afar.book, &afar.accept, &said), KT_OK, "a server");
    is_code(kt_accept_begin(afar.accept, &said), KT_OK, "takes its turn");
    kt_span record = kt_span_of(out, serving_entry("2026-01-05", "1", 500, out, sizeof out));
    out[5] = 2; /* 95 01 cd kind kind version */
    is_code(send_record(&afar, "anna", "two", record, true), KT_INVALID,
            "an entry of the version that approved ones have, which it is not, is not taken");
    record = kt_span_of(out, serving_entry("2026-01-05", "1", 500, out, sizeof out));
    is_code(send_record(&afar, "anna", "one", record, true), KT_OK, "one of its own is");
    is_code(send_record(&afar, "anna", "raise", grant_record("anna", KT_ROLE_CONTROLLER, out), false), KT_FORBIDDEN,
            "a clerk raises nothing");
    is_code(send_record(&afar, "carl", "self", grant_record("carl", KT_ROLE_CLERK, out), false), KT_FORBIDDEN,
            "an administrator not himself");
    is_code(send_record(&afar, "carl", "gone", revocation_record("bert", out), false), KT_OK,
            "he revokes a key from afar");
    is_code(send_record(&afar, "bert", "close", close_record(out), false), KT_FORBIDDEN,
            "which closes no month behind it, under the same head");
    is_code(send_record(&afar, "carl", "give", grant_record("anna", KT_ROLE_CONTROLLER, out), false), KT_OK,
            "and he gives a role");
    is_code(send_record(&afar, "anna", "close too", close_record(out), false), KT_OK,
            "which counts behind it, under the same head");
    commit(&afar);
    kt_accept_close(afar.accept);
    kt_book_close(afar.book);
    is_sound("afar", "the book verifies, and rebuilds to the same state");
}

/* ---- what a limit is counted in ---- */

static void measures(void) {
    kt_book *book = make_book("units");
    kt_limits ten = {.amount = 1000000};
    is_code(add_actor(book, "anna", "anna"), KT_OK, "a clerk");
    is_code(grant(book, "anna", KT_ROLE_CLERK, &ten), KT_OK, "posts up to 10,000.00");
    kt_book *anna = open_as("units", "anna");
    is_code(declare_currency(anna, "DKK", 0), KT_FORBIDDEN,
            "and does not make it 1,000,000 by taking the decimals from the book's currency");
    is_code(declare_currency(anna, "DKK", 2), KT_OK, "(to say again what is so changes nothing)");
    is_code(declare_currency(anna, "XAU", 3), KT_OK, "she brings in others");
    is_code(post(anna, "2026-01-31 V1 1000 10001 / 2000 -10001"), KT_FORBIDDEN, "the limit holds");
    is_code(declare_currency(book, "DKK", 3), KT_OK, "who administers may change them while nothing is posted");
    is_code(post(anna, "2026-01-31 V1 1000 1000.001 / 2000 -1000.001"), KT_FORBIDDEN, "and with them what a limit is");
    kt_book_close(anna);
    kt_book_close(book);
    is_sound("units", "the book verifies, and rebuilds to the same state");
}

/* ---- what is in memory and what a replay finds ---- */

/* One change of what somebody may, or an entry of one of them; what is refused is as if it had not been tried. */
static void change(kt_batch *batch, uint64_t *random, unsigned counts[3]) {
    char id[20];
    snprintf(id, sizeof id, "m%u", (unsigned)pick(random, 20));
    kt_role role = (kt_role)(KT_ROLE_CLERK + pick(random, 6));
    kt_limits limits = {.amount = (kt_amount)pick(random, 90) * 100};
    kt_str series = pick(random, 2) ? KT_STR("S") : KT_STR("T");
    if (pick(random, 4) == 0) {
        limits.series = &series;
        limits.series_count = 1;
    }
    kt_code code = pick(random, 5) == 0 ? kt_batch_actor_revoke(batch, kt_str_from(id), role, KT_STR("x"), &said)
                                        : kt_batch_actor_grant(batch, kt_str_from(id), role, &limits, &said);
    if (code != KT_OK && code != KT_LIMIT && code != KT_NOT_FOUND) is_code(code, KT_OK, "a change of grants");
    counts[code == KT_OK ? 0 : code == KT_LIMIT ? 1 : 2]++;
}

/* Limits fill all places there are, are taken back in the same batch and the next, in batches that are committed, aborted and
   sent, in memory that is old and that is loaded anew: what was taken is what a replay takes. */
static void many_limits(void) {
    uint64_t random = test_seed();
    unsigned counts[3] = {0}, posted[2] = {0};
    kt_book *book = make_book("many");
    kt_batch *batch = begin(book);
    for (unsigned i = 0; i < 20; i++) {
        char id[20];
        snprintf(id, sizeof id, "m%u", i);
        is_code(kt_batch_actor_add(batch, kt_str_from(id), public_of(id), &said), KT_OK, "%s", id);
    }
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "twenty actors");
    for (unsigned i = 0; i < 60; i++) {
        batch = begin(book);
        for (uint64_t n = 1 + pick(&random, 25); n != 0; n--) change(batch, &random, counts);
        uint64_t how = pick(&random, 6);
        if (how == 0) kt_batch_abort(batch);
        else if (how == 1) is_code(kt_batch_send(batch, &said), KT_OK, "sent");
        else is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "committed");
        while (how == 1 && kt_book_receive(book, true, NULL, &said) == KT_OK) continue;
        if (how == 2) book = reopen(book);
        char name[20], entry[100];
        snprintf(name, sizeof name, "m%u", (unsigned)pick(&random, 20));
        snprintf(entry, sizeof entry, "2026-01-31 %s#V%u 1000 %u / 2000 -%u", pick(&random, 2) ? "S" : "T", i, i, i);
        kt_book *other = open_as("many", name);
        posted[post(other, entry) == KT_OK]++;
        kt_book_close(other);
    }
    kt_book_close(book);
    diag("%u changes, %u beyond the most, %u of what was not there; %u entries posted, %u refused", counts[0],
         counts[1], counts[2], posted[1], posted[0]);
    ok(counts[1] != 0 && posted[0] != 0 && posted[1] != 0, "all of it came up");
    is_sound("many", "the book verifies, and rebuilds to the same state");
}

/* State is no truth: a row that no book writes is refused where it is read, and not followed. */
static void rows(void) {
    uint8_t bytes[200] = {0};
    kt_key_row row;
    memset(bytes + 18, 'a', sizeof bytes - 18);
    bytes[17] = KT_ACTOR_ID_MAX;
    is_code(kt_key_row_read(kt_span_of(bytes, sizeof bytes), &row, &said), KT_OK, "the longest id there is");
    bytes[17] = KT_ACTOR_ID_MAX + 1;
    is_code(kt_key_row_read(kt_span_of(bytes, sizeof bytes), &row, &said), KT_DAMAGED, "one longer is none");
    bytes[17] = 0;
    is_code(kt_key_row_read(kt_span_of(bytes, sizeof bytes), &row, &said), KT_DAMAGED, "nor is an empty one");
}

int main(void) {
    under_way();
    tried();
    from_afar();
    measures();
    many_limits();
    rows();
    return done();
}
