/* The log's key is changed on record: both keys sign, the origin stays, and whoever trusts either follows. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/note.h"
#include "tests/acting.h"

static char *checkpoint_of(kt_book *book, size_t *size) {
    kt_view *view = view_of(book);
    char *note = NULL;
    if (kt_view_checkpoint(view, &note, size, &said) != KT_OK) diag("%s", said.text);
    kt_view_close(view);
    return note;
}

static void changing(void) {
    kt_book *book = make_book("book");
    char first[KT_VERIFIER_MAX], second[KT_VERIFIER_MAX];
    size_t sizes[3];
    snprintf(first, sizeof first, "%s", kt_book_verifier(book));
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "a book");
    int64_t known = receipt.recorded_us;
    char *before = checkpoint_of(book, &sizes[0]);
    is_code(change_log_key(book, "next"), KT_OK, "its log's key is changed");
    snprintf(second, sizeof second, "%s", kt_book_verifier(book));
    ok(strcmp(first, second) != 0 && strncmp(first, second, strlen(kt_book_origin(book)) + 1) == 0,
       "the verifier key is another, of the same name");
    char *at = checkpoint_of(book, &sizes[1]);
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "the book goes on, by the same actor");
    char *after = checkpoint_of(book, &sizes[2]);
    kt_verifier old_key, new_key;
    kt_checkpoint checkpoint;
    (void)kt_verifier_parse(first, strlen(first), &old_key, NULL);
    (void)kt_verifier_parse(second, strlen(second), &new_key, NULL);
    is_code(kt_checkpoint_open(before, sizes[0], &old_key, false, &checkpoint, &said), KT_OK,
            "the checkpoint before is by the old key");
    is_code(kt_checkpoint_open(at, sizes[1], &new_key, false, &checkpoint, &said), KT_OK,
            "the one over the change by the new");
    is_code(kt_checkpoint_open(after, sizes[2], &new_key, false, &checkpoint, &said), KT_OK, "and so is the next");
    kt_view *view = view_known(book, known);
    size_t size;
    char *again = NULL;
    is_code(kt_view_checkpoint(view, &again, &size, &said), KT_OK, "an older checkpoint is printed again");
    ok(again != NULL && strcmp(again, before) == 0, "under the key it was signed by");
    free(again);
    kt_view_close(view);
    const char *keys[] = {first, second, NULL}, *notes[] = {before, at, after};
    for (unsigned k = 0; k < 3; k++)
        for (unsigned n = 0; n < 3; n++) {
            kt_verify_options options = {.verifier = keys[k], .since = notes[n], .since_size = sizes[n]};
            is_code(verify_path(path_of("book"), &options, NULL), KT_OK, "it verifies under key %u since checkpoint %u",
                    k, n);
        }
    kt_verifier stranger;
    char third[KT_VERIFIER_MAX];
    (void)kt_verifier_make(kt_book_origin(book), public_of("stranger"), &stranger, NULL);
    kt_verifier_format(&stranger, third);
    kt_verify_options wrong = {.verifier = third};
    is_code(verify_path(path_of("book"), &wrong, NULL), KT_DAMAGED, "and under no other key");
    view = view_of(book);
    char *proof = NULL;
    is_code(kt_prove_consistency(view, before, sizes[0], NULL, 0, &proof, &size, &said), KT_OK,
            "consistency is proved across the change");
    free(proof);
    is_code(kt_prove(view, 3, &proof, &size, &said), KT_OK, "and an entry before it");
    kt_proved *proved = NULL;
    is_code(kt_check_proof(proof, size, second, &proved, &said), KT_OK, "under the new key");
    kt_proved_free(proved);
    free(proof);
    kt_view_close(view);
    book = reopen(book);
    is_text(kt_book_verifier(book), second, "opened again it has the new key");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "and posts");
    is_code(change_log_key(book, "third"), KT_OK, "the key is changed again");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "and it posts still, by the founder's own key");
    kt_book_close(book);
    ok(access(path_of("book/keys/actor.key"), F_OK) == 0, "which has a file of its own now");
    free(before);
    free(at);
    free(after);
    ok(is_sound("book", "the book verifies, and rebuilds to the same state"), "with two changes");
}

static void refusals(void) {
    kt_book *book = make_book("refusing");
    is_code(change_log_key(book, "one"), KT_OK, "a key");
    is_code(change_log_key(book, "one"), KT_EXISTS, "is not changed for itself");
    ok(access(path_of("refusing/keys/log.next"), F_OK) != 0, "which leaves nothing behind");
    is_code(add_actor(book, "anna", "anna"), KT_OK, "an actor");
    is_code(grant(book, "anna", KT_ROLE_ADMIN, NULL), KT_OK, "who administers");
    kt_book *anna = open_as("refusing", "anna");
    is_code(change_log_key(anna, "two"), KT_FORBIDDEN, "does not change the log's key: an owner does");
    kt_batch *batch = begin(book);
    (void)public_of("three");
    is_code(kt_batch_log_rotate(batch, path_of("three.key"), &said), KT_OK, "a change");
    is_code(kt_batch_log_rotate(batch, path_of("two.key"), &said), KT_USAGE, "is one in a batch");
    kt_batch_abort(batch);
    ok(access(path_of("refusing/keys/log.next"), F_OK) != 0, "aborted it leaves nothing behind");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "and the key is what it was");
    is_code(change_log_key(book, "missing/no"), KT_KEY, "a file that is not there is no key");
    kt_book_close(anna);
    kt_book_close(book);
    is_sound("refusing", "the book verifies, and rebuilds to the same state");
}

/* Two handles: one changes the key, the other goes on. And a crash between the commit and the file's new name. */
static void others(void) {
    kt_book *book = make_book("two"), *other = open_book("two");
    is_code(post(other, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "two have the book open");
    is_code(change_log_key(book, "x"), KT_OK, "one changes the log's key");
    is_code(post(other, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "the other follows");
    is_text(kt_book_verifier(other), kt_book_verifier(book), "and has the new key");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "both post");
    kt_book_close(other);
    is_code(change_log_key(book, "y"), KT_OK, "once more");
    kt_book_close(book);
    /* As the files were when the batch was on the disk, and nothing had its new name yet. */
    char from[700], to[700];
    snprintf(from, sizeof from, "%s", path_of("two/keys/log.key"));
    snprintf(to, sizeof to, "%s", path_of("two/keys/log.next"));
    is_int(rename(from, to), 0, "the new key's file waits under its first name");
    is_int(link(path_of("x.key"), from), 0, "and the old one is still in its place");
    book = open_book("two");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "whoever posts next puts it into its place");
    ok(access(to, F_OK) != 0, "for good");
    kt_book_close(book);
    is_sound("two", "the book verifies, and rebuilds to the same state");
}

int main(void) {
    changing();
    refusals();
    others();
    return done();
}
