/* A record is gone through once: an envelope is opened without looking into its body, so whoever reads the body of any kind
   refuses what is not one value in its one form. */
#include <stdlib.h>
#include <string.h>

#include "engine/fold.h"
#include "engine/registry.h"
#include "engine/tables.h"
#include "storage/codec.h"
#include "storage/head.h"
#include "storage/records.h"
#include "tests/acting.h"

#define KINDS_MAX 64

static unsigned seen[KINDS_MAX]; /* bodies of each kind, by its place in the registry */

static kt_code fill_actors(kt_book *book) {
    kt_batch_options beyond = {.propose = KT_PROPOSE_BEYOND};
    kt_code code = add_actor(book, "anna", "anna");
    if (code == KT_OK) code = grant(book, "anna", KT_ROLE_CLERK, &(kt_limits){.amount = 5});
    (void)public_of("anna2");
    if (code == KT_OK) code = rotate(book, "anna", "anna2", NULL);
    kt_book *anna = open_as("book", "anna2");
    if (code == KT_OK) code = post_with(anna, &beyond, "2026-01-31 - 1000 1 / 1100 -1");
    uint64_t proposal = receipt.first;
    if (code == KT_OK) code = decide(anna, proposal, false, NULL);
    kt_book_close(anna);
    if (code == KT_OK) code = change_log_key(book, "log");
    if (code == KT_OK) code = withdraw(book, "anna", KT_ROLE_CLERK);
    return code == KT_OK ? revoke_key(book, "anna2") : code;
}

static void fill(void) {
    kt_book *book = make_book("book");
    kt_company company = {.entity = KT_STR("Another name")};
    kt_batch *batch;
    kt_code code = declare_currency(book, "XBT", 8);
    if (code == KT_OK) code = post(book, "2026-01-31 S#V1 5000 12.50 cc=C1 text=wage ref=r tax=T / 1000 -12.50");
    if (code == KT_OK) code = post(book, "2026-01-31 - 1100 1 EUR @@ 7.50 / 1000 -7.50");
    if (code == KT_OK) code = reverse(book, receipt.last - 1, "2026-02-01", true, NULL);
    if (code == KT_OK) code = close_month(book, "2025-12");
    batch = begin(book);
    if (code == KT_OK) code = kt_batch_company(batch, day("2026-03-01"), &company, &said);
    if (code == KT_OK) code = kt_batch_commit(batch, NULL, &said);
    if (code == KT_OK) code = fill_actors(book);
    is_code(code, KT_OK, "a book is filled with records of all kinds (%s)", code == KT_OK ? "" : said.text);
    kt_book_close(book);
}

static kt_code apply(kt_fold *fold, const kt_envelope *envelope, uint64_t number, kt_span body) {
    kt_record record = {number, envelope->kind, envelope->kind_version, envelope->date, body};
    kt_error error = {0};
    return kt_fold_apply(fold, &record, &error);
}

/* Not one of these is what was packed: each would be a second spelling of it, or of nothing. */
static unsigned taken(kt_fold *fold, const kt_envelope *envelope, uint64_t number) {
    uint8_t bytes[4096];
    size_t size = envelope->body.size;
    unsigned wrong = 0;
    if (size + 1 > sizeof bytes) return 0;
    memcpy(bytes, envelope->body.data, size);
    for (unsigned tail = 0; tail < 256; tail += 51) { /* a byte behind it */
        bytes[size] = (uint8_t)tail;
        wrong += apply(fold, envelope, number, kt_span_of(bytes, size + 1)) != KT_DAMAGED;
    }
    for (size_t cut = 0; cut < size; cut++) /* bytes missing */
        wrong += apply(fold, envelope, number, kt_span_of(bytes, cut)) != KT_DAMAGED;
    uint8_t wide[4096] = {0xdc, 0}; /* its array in a longer form than it needs */
    wide[2] = bytes[0] & 0x0f;
    memcpy(wide + 3, bytes + 1, size - 1);
    wrong += (bytes[0] & 0xf0) != 0x90 || apply(fold, envelope, number, kt_span_of(wide, size + 2)) != KT_DAMAGED;
    static const uint8_t others[] = {0x80, 0xc0, 0xc1, 0xca,
                                     0x01, 0xa0, 0x90}; /* a map, nil, nothing, a fraction ... */
    for (size_t i = 0; i < sizeof others; i++)
        wrong += apply(fold, envelope, number, kt_span_of(others + i, 1)) != KT_DAMAGED;
    return wrong;
}

static void all_kinds(kt_txn *txn, kt_fold *fold, uint64_t end) {
    kt_records *records = NULL;
    kt_span bytes;
    kt_envelope envelope;
    unsigned wrong[KINDS_MAX] = {0};
    if (kt_records_open(txn, end, &records, &said) != KT_OK) diag("%s", said.text);
    for (uint64_t number = 0; number < end; number++) {
        if (kt_records_read(records, number, &bytes, &said) != KT_OK ||
            kt_envelope_open(bytes, &envelope, &said) != KT_OK)
            continue;
        for (unsigned i = 0; i < kt_the_registry.kind_count; i++)
            if (kt_the_registry.kinds[i].kind == envelope.kind) {
                seen[i]++;
                wrong[i] += taken(fold, &envelope, end);
            }
    }
    kt_records_close(records);
    for (unsigned i = 0; i < kt_the_registry.kind_count; i++) {
        ok(seen[i] != 0, "there is a record of kind %s", kt_the_registry.kinds[i].name);
        is_int(wrong[i], 0, "no body of kind %s is taken that is not one value in its one form",
               kt_the_registry.kinds[i].name);
    }
}

int main(void) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    kt_fold *fold = NULL;
    kt_log_head head;
    fill();
    kt_code code = kt_store_open(path_of("book"), &options, &store, &said);
    if (code == KT_OK) code = kt_txn_begin(store, true, &txn, &said);
    if (code == KT_OK) code = kt_log_head_read(txn, &head, &said);
    if (code == KT_OK) code = kt_fold_open(&kt_the_registry, &fold, &said);
    if (is_code(code, KT_OK, "its state is opened")) {
        kt_fold_bind(fold, txn);
        all_kinds(txn, fold, head.tree.size);
    }
    kt_fold_close(fold);
    kt_txn_abort(txn);
    kt_store_close(store);
    return done();
}
