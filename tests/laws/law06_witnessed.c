/* LAW 6, seen from outside: a log's owner has its real key, and still cannot show another past than the one that a witness
   cosigned. Rolled back, forked, or rewritten and signed again from the first record: plain verification under his key finds
   nothing wrong with it (that is the control), verification with a witness does, and the witness itself refuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/witnessing.h"

static kt_book *book;
static kt_witness *witness;
static char key[400];
static const char *vkeys[2];

/* What the owner's own key says of it. */
static void control(const char *name, const char *what) {
    kt_verify_options options = {.verifier = key};
    is_code(verify_path(path_of(name), &options, NULL), KT_OK,
            "%s: under the owner's key alone nothing is wrong with it", what);
}

static void caught(const char *name, const char *what, const char *word) {
    found first;
    kt_verify_options options = {.verifier = key, .witnesses = vkeys, .witness_count = 1};
    is_code(verify_path(path_of(name), &options, &first), KT_DAMAGED, "%s: with a witness it is found", what);
    has_text(first.what, word, "and called that");
    has_text(first.what, "cosigned", "against what was cosigned");
}

static void refused(const char *name, const char *what, const char *sort) {
    size_t size = 0;
    char *note = NULL;
    kt_proved *proved = NULL;
    kt_book *tampered = open_book(name);
    unsigned before = evidence_of("witness", "");
    is_code(witness_view(witness, tampered, &note, &size), KT_DAMAGED, "%s: the witness refuses it", what);
    has_text(said.text, "evidence/", "saying where the evidence lies");
    is_int(evidence_of("witness", ""), before + 1, "which it keeps");
    is_code(witness_view(witness, tampered, &note, &size), KT_DAMAGED, "again it refuses");
    is_int(evidence_of("witness", ""), before + 1, "and keeps nothing twice");
    char *text = evidence_text("witness", sort, &size);
    ok(text != NULL, "the evidence is of its sort: %s", sort);
    if (text)
        is_code(kt_check_proof(text, size, key, &proved, &said), KT_DAMAGED,
                "both checkpoints in it are signed by the log, and the one does not extend the other");
    kt_view *view = view_of(tampered);
    is_code(kt_witness_ask(view, carry, witness, vkeys[0], &note, &size, &said), KT_DAMAGED,
            "asked by its owner it refuses too (%s)", said.text);
    kt_view_close(view);
    free(text);
    kt_proved_free(proved);
    kt_book_close(tampered);
}

static void roll_back(void) {
    is_code(post(book, "2025-02-01 B1 1000 5 / 4000 -5"), KT_OK, "the book goes on");
    is_code(witness_book(witness, book), KT_OK, "and is witnessed");
    /* The owner puts back an older copy, and has to show what was cosigned since: without it he is found too. */
    char command[3000];
    snprintf(command, sizeof command, "cp '%s'/witness/* '%s'/witness/", path_of("book"), path_of("older"));
    if (system(command) != 0) diag("nothing is copied");
    control("older", "a rolled back book");
    caught("older", "a rolled back book", "rolled back");
    refused("older", "a rolled back book", "behind-");
}

static void fork_it(void) {
    /* From the older copy, past what was cosigned: by one batch of as many records, and by one more. */
    copy_book("older", "forked");
    kt_book *forked = open_book("forked");
    is_code(post(forked, "2025-02-01 B1 1000 6 / 4000 -6"), KT_OK, "the owner goes on elsewhere, with his real key");
    is_int((long long)head_of(forked).size, (long long)head_of(book).size, "to the same size");
    kt_book_close(forked);
    control("forked", "a fork of the same size");
    caught("forked", "a fork of the same size", "rewritten");
    refused("forked", "a fork of the same size", "fork-");
    forked = open_book("forked");
    is_code(post(forked, "2025-02-02 B2 1000 7 / 4000 -7"), KT_OK, "and further");
    kt_book_close(forked);
    control("forked", "a longer fork");
    caught("forked", "a longer fork", "rewritten");
    refused("forked", "a longer fork", "unproved-");
}

/* The same company, log and keys from the first record on, and another history. Batches end elsewhere: the seal of the first
   variant is the very record behind the cosigned ones, which verification must not step over. */
static void rewrite(const char *entries, const char *what, bool last) {
    kt_book *again = make_book("again");
    is_text(kt_book_verifier(again), key, "%s: the log is the same, and so is its key", what);
    is_code(post(again, entries), KT_OK, "another history is written and signed");
    ok(head_of(again).size > head_of(book).size, "which is longer");
    kt_book_close(again);
    char command[3000];
    snprintf(command, sizeof command, "mkdir '%s'/witness && cp \"$(ls '%s'/witness/* | tail -n 1)\" '%s'/witness/",
             path_of("again"), path_of("book"), path_of("again"));
    if (system(command) != 0) diag("nothing is copied");
    control("again", what);
    caught("again", what, "rewritten");
    if (last) refused("again", what, "unproved-");
    snprintf(command, sizeof command, "rm -rf '%s'", path_of("again"));
    if (system(command) != 0) diag("nothing is removed");
}

int main(void) {
    book = make_book("book");
    snprintf(key, sizeof key, "%s", kt_book_verifier(book));
    witness = make_witness("witness", key);
    vkeys[0] = kt_witness_verifier(witness);
    is_code(post(book, "2025-01-31 A1 1000 100 / 3000 -100"), KT_OK, "a book has entries");
    is_code(witness_book(witness, book), KT_OK, "a witness cosigns its checkpoint");
    is_code(verify_witnessed("book", vkeys, 0, NULL), KT_OK, "with it the book verifies");
    copy_book("book", "older");
    roll_back();
    fork_it();
    char command[3000];
    snprintf(command, sizeof command, "rm -f '%s'/evidence/*", path_of("witness"));
    if (system(command) != 0) diag("nothing is removed");
    rewrite("2025-01-31 A1 1000 90 / 3000 -90\n2025-02-01 B1 1000 5 / 4000 -5\n2025-02-01 B2 1000 5 / 4000 -5\n"
            "2025-02-01 B3 1000 5 / 4000 -5",
            "a rewritten book", false);
    rewrite("2025-01-31 A1 1000 90 / 3000 -90\n2025-02-01 B1 1000 5 / 4000 -5\n2025-02-01 B2 1000 5 / 4000 -5\n"
            "2025-02-01 B3 1000 5 / 4000 -5\n2025-02-01 B4 1000 5 / 4000 -5",
            "one with a batch across", true);
    is_code(verify_witnessed("book", vkeys, 0, NULL), KT_OK, "the book itself still verifies");
    is_code(witness_book(witness, book), KT_OK, "and the witness still cosigns it");
    kt_witness_close(witness);
    kt_book_close(book);
    return done();
}
