/* The client: what it packs is byte for byte what the book would have packed, and what it is refused it is told of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ledger/ledger.h"
#include "engine/view.h"
#include "storage/codec.h"
#include "tests/serving.h"

/* ---- the same bytes ---- */

static const char *const same[] = {
    "2026-01-05 1 1000 100.00 / 4000 -100.00",
    "2026-01-05 S#7 1000 1.5 text=a / 4000 -1.5 text=b ref=r tax=M",
    "2026-01-06 - 1000 10.00 EUR @@ 74.60 / 4000 -74.60",
    "2026-01-06 - 1000 10.00 EUR / 4000 -10.00 EUR",
    "2026-01-07 2 5000 5.00 cc=North / 1000 -5.00 dep=Sales proj=X1",
    "2026-01-07 3 5000 5.00 cc=North / 1000 -5.00 cc=South",
    "2026-01-08 - 1000 1.00 USD @@ 6.873 / 4000 -6.87",
    "2026-01-08 - 1000 70.00 @@ 9.38 EUR / 1100 -9.38 EUR",
    "2026-01-09 4 1000 0.00 / 4000 0.00",
    "2026-01-09 5 1000 92233720368547758.08 / 4000 -92233720368547758.08",
};
#define SAME (sizeof same / sizeof *same)

static kt_code post_direct(kt_book *book, size_t i) {
    kt_batch_options options = {.rounding_account = KT_STR("5900")};
    return post_with(book, &options, same[i]);
}

static kt_code post_remote(kt_remote *remote, size_t i) {
    entry_room room;
    kt_batch_options options = {.rounding_account = KT_STR("5900")};
    kt_code code = kt_remote_begin(remote, &options, NULL, &said);
    if (code == KT_OK) code = kt_remote_add(remote, entry_of(&room, same[i]), &said);
    if (code == KT_OK) return kt_remote_commit(remote, 0, &receipt, &said);
    kt_remote_abort(remote);
    return code;
}

/* All records but seals, which have their own times and signatures, and the days of registers: the head's, which follow the
   server's clock. */
static unsigned differences(kt_book *a, kt_book *b) {
    kt_view *views[2] = {view_of(a), view_of(b)};
    kt_records *records[2];
    kt_span bytes[2];
    kt_envelope envelopes[2];
    unsigned differ = views[0]->end != views[1]->end;
    for (unsigned i = 0; i < 2; i++)
        if (kt_records_open(views[i]->txn, views[i]->end, &records[i], &said) != KT_OK) return 1000;
    for (uint64_t n = 1; n < views[0]->end && !differ; n++) {
        for (unsigned i = 0; i < 2; i++)
            if (kt_records_read(records[i], n, &bytes[i], &said) != KT_OK ||
                kt_envelope_read(bytes[i], &envelopes[i], &said) != KT_OK)
                return 1000;
        if (envelopes[0].kind == KT_KIND_SEAL && envelopes[1].kind == KT_KIND_SEAL) continue;
        bool dated = envelopes[0].kind != KT_KIND_CURRENCY;
        if (kt_span_compare(dated ? bytes[0] : envelopes[0].body, dated ? bytes[1] : envelopes[1].body) != 0) {
            differ++;
            diag("record %llu differs", (unsigned long long)n);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        kt_records_close(records[i]);
        kt_view_close(views[i]);
    }
    return differ;
}

static kt_code post_many_lines(kt_book *book, kt_remote *remote, unsigned count) {
    kt_line *lines = calloc(count, sizeof *lines);
    kt_batch *batch;
    kt_entry entry = {.date = day("2026-01-10"), .voucher = KT_STR("many"), .lines = lines, .line_count = count};
    for (unsigned i = 0; i < count; i++)
        lines[i] = (kt_line){.account = i % 2 ? KT_STR("1000") : KT_STR("4000"), .amount = i % 2 ? 7 : -7};
    kt_code code;
    if (remote != NULL) {
        code = kt_remote_begin(remote, NULL, NULL, &said);
        if (code == KT_OK) code = kt_remote_add(remote, &entry, &said);
        if (code == KT_OK) code = kt_remote_commit(remote, 0, &receipt, &said);
        else kt_remote_abort(remote);
    } else {
        code = kt_batch_begin(book, NULL, &batch, NULL, &said);
        if (code == KT_OK) code = kt_batch_add(batch, &entry, NULL, &said);
        if (code == KT_OK) code = kt_batch_commit(batch, &receipt, &said);
    }
    free(lines);
    return code;
}

static void same_bytes(void) {
    kt_book *direct = make_book("direct"), *served = make_book("served");
    kt_signer *signer = serving_signer("served");
    serving *server = serving_start("served", NULL);
    kt_remote *remote = serving_remote("served", signer);
    for (size_t i = 0; i < SAME; i++) {
        kt_code code = post_direct(direct, i);
        kt_error why = said;
        is_code(post_remote(remote, i), code, "%s", same[i]);
        if (code != KT_OK) diag("%s", why.text);
    }
    is_code(post_many_lines(direct, NULL, 30000), KT_OK, "an entry in parts");
    is_code(post_many_lines(NULL, remote, 30000), KT_OK, "through the socket too");
    is_int(differences(direct, served), 0, "what the client packs is what the book would have packed, byte for byte");
    kt_remote_close(remote);
    is_code(serving_stop(server, NULL, &said), KT_OK, "it stops");
    kt_book_close(direct);
    kt_book_close(served);
    is_sound("served", "the book is sound");
    kt_signer_close(signer);
}

/* ---- refusals ---- */

static void refusals(void) {
    kt_book *book = make_book("refusals");
    kt_signer *signer = serving_signer("refusals");
    serving *server = serving_start("refusals", NULL);
    kt_remote *remote = serving_remote("refusals", signer);
    entry_room room;
    is_code(serving_post(remote, "1", "2026-01-05 V 1000 1.00 / 9999 -1.00", &receipt), KT_UNKNOWN,
            "an account that is not on record is refused where the entry is added");
    is_code(serving_post(remote, "2", "2026-01-05 V 1000 1.00 / 4000 -2.00", &receipt), KT_UNBALANCED,
            "so is one that does not balance");
    is_code(open_accounts(book, "9999 expense New"), KT_OK, "meanwhile the account is opened");
    is_code(serving_post(remote, "1", "2026-01-05 V 1000 1.00 / 9999 -1.00", &receipt), KT_OK,
            "and then it is taken, under the same id");
    is_code(serving_post(remote, "1", "2026-01-05 V 1000 1.00 / 9999 -1.00", &receipt), KT_REPEATED,
            "which is then used");
    is_code(kt_remote_begin(remote, NULL, NULL, &said), KT_OK, "a batch of two");
    kt_entry entry = *entry_of(&room, "2026-01-05 W 1000 1.00 cc=East / 4000 -1.00");
    entry.file = "two.csv";
    entry.file_line = 2;
    is_code(kt_remote_add(remote, &entry, &said), KT_OK, "one good");
    entry = *entry_of(&room, "2026-01-05 V 1000 1.00 / 4000 -1.00");
    entry.file = "two.csv";
    entry.file_line = 4;
    is_code(kt_remote_add(remote, &entry, &said), KT_OK, "one that only the book can refuse");
    is_code(kt_remote_commit(remote, 0, &receipt, &said), KT_DUPLICATE, "is refused by the commit");
    ok(strncmp(said.text, "two.csv:4: voucher V: ", 22) == 0, "which names its line (%s)", said.text);
    is_code(serving_post(remote, "3", "2026-01-05 X 1000 1.00 cc=East / 4000 -1.00", &receipt), KT_OK,
            "a value that was lost with it is put on record again");
    is_code(kt_remote_commit(remote, 0, &receipt, &said), KT_USAGE, "without a batch nothing is committed");
    is_code(kt_remote_begin(remote, NULL, NULL, &said), KT_OK, "a batch of nothing");
    is_code(kt_remote_commit(remote, 0, &receipt, &said), KT_OK, "stores nothing");
    is_int((long long)receipt.tree_size, 0, "and gets no checkpoint");
    /* Decimals that change between being told and being used. */
    is_code(declare_currency(book, "XAU", 2), KT_OK, "a currency is declared");
    is_code(serving_post(remote, "4", "2026-01-05 Y 1000 1.00 XAU / 4000 -1.50 XAU", &receipt), KT_UNBALANCED,
            "and asked for");
    is_code(declare_currency(book, "XAU", 3), KT_OK, "then given other decimals");
    is_code(serving_post(remote, "4", "2026-01-05 Y 1000 1.00 XAU / 4000 -1.00 XAU", &receipt), KT_RULE,
            "amounts counted with the old ones are refused");
    kt_remote_close(remote);
    remote = serving_remote("refusals", signer);
    is_code(serving_post(remote, "4", "2026-01-05 Y 1000 1.00 XAU / 4000 -1.00 XAU", &receipt), KT_OK,
            "and counted anew they are taken");
    ok(balance_between(book, "1000", "XAU", "", "") == 1000, "as what they were");
    kt_remote_close(remote);
    is_code(serving_stop(server, NULL, &said), KT_OK, "it stops");
    kt_remote_options options = {.signer = signer};
    is_code(kt_remote_open(serving_socket("refusals"), &options, &remote, &said), KT_IO,
            "then nobody listens there (%s)", said.text);
    kt_book_close(book);
    is_sound("refusals", "the book is sound");
    kt_signer_close(signer);
}

int main(void) {
    same_bytes();
    refusals();
    return done();
}
