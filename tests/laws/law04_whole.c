/* Laws 3, 4 and 5: a batch is whole or absent, is on the disk when it is acknowledged, and is stored once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bookkeeping.h"

static kt_book *book;

/* The file's bytes, whole. */
static char *bytes_of(size_t *size) {
    FILE *in = fopen(path_of("book/data.mdb"), "rb");
    char *bytes = NULL;
    if (in && fseek(in, 0, SEEK_END) == 0) {
        *size = (size_t)ftell(in);
        rewind(in);
        bytes = malloc(*size + 1);
        if (fread(bytes, 1, *size, in) != *size) *size = 0;
    }
    if (in) fclose(in);
    return bytes;
}

static void absent(void) {
    size_t before, after;
    char *was = bytes_of(&before);
    kt_batch *batch = begin(book);
    for (unsigned i = 0; i < 100; i++)
        if (add(batch, "2026-01-31 - 1000 1 / 2000 -1", NULL) != KT_OK) diag("%s", said.text);
    kt_batch_abort(batch);
    char *is = bytes_of(&after);
    is_bytes(is, after, was, before, "an aborted batch leaves the journal's file as it was, byte for byte");
    free(was);
    free(is);
    char *said_before = told(book);
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1\n2026-01-31 - 1000 1 / 2000 -2"), KT_UNBALANCED,
            "a batch with one bad entry is refused");
    is_untouched(book, said_before, "and its good one is not stored");
}

static void gone(void) {
    char *before = told(book);
    kt_book_close(book);
    pid_t child = fork();
    if (child == 0) {
        book = open_book("book");
        kt_batch *batch = begin(book);
        for (unsigned i = 0; i < 100; i++) (void)add(batch, "2026-01-31 - 1000 1 / 2000 -1", NULL);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    book = open_book("book");
    is_untouched(book, before, "a writer that vanishes before the commit leaves nothing");
    child = fork();
    if (child == 0) {
        kt_book *own = NULL; /* a handle is not carried over a fork */
        kt_open_options options = {.clock_us = test_clock};
        if (kt_book_open(path_of("book"), &options, &own, NULL) == KT_OK)
            _exit(post(own, "2026-01-31 - 1000 7 / 2000 -7") == KT_OK ? 0 : 1);
        _exit(2);
    }
    int status = 0;
    waitpid(child, &status, 0);
    is_int(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0, "a writer that vanishes right after the commit");
    book = reopen(book);
    is_int((long long)balance(book, "1000"), 700, "leaves all of it (law 3)");
}

static void large(void) {
    char *before = told(book);
    kt_batch *batch = begin(book);
    kt_line lines[] = {{.amount = 1, .account = KT_STR("1000")}, {.amount = -1, .account = KT_STR("2000")}};
    kt_entry entry = {.date = day("2026-01-31"), .lines = lines, .line_count = 2};
    kt_code code = KT_OK;
    for (unsigned i = 0; i < 210000 && code == KT_OK; i++) code = kt_batch_add(batch, &entry, NULL, &said);
    is_code(code, KT_OK, "a batch grows larger than one transaction");
    kt_book *other = open_book("book");
    is_untouched(other, told(book), "and nobody sees anything of it");
    kt_book_close(other);
    kt_batch_abort(batch);
    is_untouched(book, before, "and aborted, it leaves nothing");
    is_code(post(book, "2026-01-31 - 1000 7 / 2000 -7"), KT_OK, "the next batch takes its numbers");
}

static kt_code send(const char *id, uint8_t content, const char *entries) {
    uint8_t digest[KT_DIGEST_SIZE] = {content};
    kt_batch_options options = {.id = kt_str_from(id), .content_digest = content ? digest : NULL};
    return post_with(book, &options, entries);
}

static void once(void) {
    kt_receipt first;
    is_code(send("payroll-01", 1, "2026-01-31 - 5000 9 / 1000 -9"), KT_OK, "a batch with an id is posted");
    first = receipt;
    is_text(first.batch_id, "payroll-01", "its receipt says the id");
    char *before = told(book);
    is_code(send("payroll-01", 1, "2026-01-31 - 5000 9 / 1000 -9"), KT_REPEATED, "sent again, it is a repeat");
    is_bytes(&receipt, sizeof receipt, &first, sizeof first, "and the answer is the first receipt");
    is_code(send("payroll-01", 0, "2026-01-31 - 5000 9 / 1000 -9"), KT_REPEATED,
            "also where nobody says what it stands for");
    is_code(send("payroll-01", 2, "2026-01-31 - 5000 8 / 1000 -8"), KT_DUPLICATE,
            "the same id for other content is refused");
    has_text(said.text, "payroll-01", "by name");
    book = reopen(book);
    is_code(send("payroll-01", 1, "2026-01-31 - 5000 9 / 1000 -9"), KT_REPEATED, "reopened, the book still knows it");
    is_untouched(book, before, "and nothing was stored twice");
    is_code(send("payroll-02", 1, "2026-01-31 - 5000 9 / 1000 -9"), KT_OK,
            "another id for the same content is another batch");
    is_code(send("payroll-03", 0, "2026-01-31 - 5000 9 / 1000 -9"), KT_OK, "a batch that says nothing of its content");
    is_code(send("payroll-03", 1, "2026-01-31 - 5000 9 / 1000 -9"), KT_DUPLICATE,
            "is not taken for one that does, since nobody can tell whether they are the same");
    has_text(said.text, "payroll-03 was used for other content", "which is said");
    is_code(send("payroll-03", 0, "2026-01-31 - 5000 9 / 1000 -9"), KT_REPEATED, "but for one that says as little");
}

/* An entry in a new currency that is refused for what it reverses. */
static void not_reversing(void) {
    uint64_t reversal = 0;
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "an entry");
    uint64_t number = receipt.first;
    is_code(reverse(book, number, "2026-01-31", false, &reversal), KT_OK, "is reversed");
    char *before = told(book);
    kt_batch *batch = begin(book);
    entry_room room;
    kt_entry entry = *entry_of(&room, "2026-01-31 - 1000 5 SEK / 2000 -5 SEK");
    entry.reverses = 1;
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_NOT_FOUND, "one that reverses what is no entry is refused");
    entry.reverses = UINT64_MAX;
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_NOT_FOUND, "or what is not there");
    entry.reverses = number;
    is_code(kt_batch_add(batch, &entry, NULL, &said), KT_RULE, "or what is reversed already");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "and the batch is empty");
    ok(receipt.first > receipt.last, "its new currency is not on record either");
    is_untouched(book, before, "nothing is stored");
}

static void nothing_posted(void) {
    char *before = told(book);
    kt_batch *batch = NULL;
    kt_batch_options options = {.id = KT_STR("empty")};
    is_code(kt_batch_begin(book, &options, &batch, NULL, &said), KT_OK, "a batch begins");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "and is committed empty");
    ok(receipt.entries == 0 && receipt.first > receipt.last, "its receipt covers no record");
    is_code(kt_batch_begin(book, &options, &batch, NULL, &said), KT_OK, "the id is still free");
    is_code(add(batch, "2026-01-31 - 1000 1 EUR / 2001 -1 EUR", NULL), KT_UNKNOWN,
            "a batch whose only entry, in a new currency, is refused");
    kt_account bad = {.code = KT_STR("1200"), .currency = KT_STR("SEK"), .parent = KT_STR("none")};
    is_code(kt_batch_account(batch, &bad, &said), KT_UNKNOWN, "as is an account in another new currency");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "is as empty");
    ok(receipt.entries == 0 && receipt.first > receipt.last, "and covers no record");
    is_untouched(book, before, "nothing is stored");
    not_reversing();
    is_code(send("empty", 0, "2026-01-31 - 1000 1 EUR / 2000 -1 EUR"), KT_OK,
            "so that the mended file can be sent under the same id");
}

/* All of one batch, tried or posted. */
static kt_code run_batch(bool dry, kt_receipt *out) {
    kt_batch *batch = NULL;
    kt_batch_options options = {.id = KT_STR("tried"), .dry_run = dry};
    kt_code code = kt_batch_begin(book, &options, &batch, NULL, &said);
    if (code != KT_OK) return code;
    kt_account account = {.code = KT_STR("6000"), .open_from = KT_DAY_NONE, .closed_from = KT_DAY_NONE};
    is_code(kt_batch_account(batch, &account, &said), KT_OK, "an account is opened");
    kt_line lines[] = {{.amount = 1, .account = KT_STR("6000")}, {.amount = -1, .account = KT_STR("2000")}};
    for (unsigned i = 0; i < 20000 && code == KT_OK; i++) {
        char voucher[20];
        snprintf(voucher, sizeof voucher, "T%u", i);
        kt_entry entry = {.date = day("2026-01-31"), .voucher = kt_str_from(voucher), .lines = lines, .line_count = 2};
        code = kt_batch_add(batch, &entry, NULL, &said);
    }
    is_code(code, KT_OK, "20,000 entries are posted");
    is_code(add(batch, "2026-01-31 T7 6000 1 / 2000 -1", NULL), KT_DUPLICATE, "a voucher of the batch is known to it");
    is_code(add(batch, "2026-01-31 - 6000 1 / 2000 -2", NULL), KT_UNBALANCED, "a lopsided entry is refused");
    return kt_batch_commit(batch, out, &said);
}

static void tried(void) {
    size_t before, after;
    kt_receipt dry, wet;
    char *was = bytes_of(&before);
    is_code(run_batch(true, &dry), KT_OK, "a batch is tried");
    char *is = bytes_of(&after);
    is_bytes(is, after, was, before, "which leaves the journal's file as it was, byte for byte");
    free(was);
    free(is);
    is_int((long long)dry.entries, 20000, "its receipt says what would be posted");
    is_code(run_batch(false, &wet), KT_OK, "then it is posted: neither its id nor anything in it is taken");
    ok(wet.entries == dry.entries && wet.first == dry.first && wet.last == dry.last,
       "with the numbers that were said (%llu to %llu)", (unsigned long long)dry.first, (unsigned long long)dry.last);
    is_code(run_batch(true, &dry), KT_REPEATED, "tried once more, it is a repeat");
}

static void misuse(void) {
    char long_id[KT_BATCH_ID_MAX + 2];
    memset(long_id, 'x', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    is_code(send("genesis", 1, "2026-01-31 - 1000 1 / 2000 -1"), KT_DUPLICATE,
            "the founding's id is taken, and nothing else is taken for it");
    is_code(send(long_id, 0, ""), KT_LIMIT, "a batch id that is too long is refused");
    is_code(send("\xff", 0, ""), KT_LIMIT, "or is not UTF-8");
    kt_batch *batch = begin(book), *second = NULL;
    is_code(kt_batch_begin(book, NULL, &second, NULL, &said), KT_USAGE, "a handle has one batch open at a time");
    kt_book *other = NULL;
    kt_open_options options = {.no_wait = true};
    is_code(kt_book_open(path_of("book"), &options, &other, &said), KT_OK, "a second handle opens");
    is_code(kt_batch_begin(other, NULL, &second, NULL, &said), KT_BUSY, "but does not get the writer's turn");
    kt_batch_abort(batch);
    is_code(kt_batch_begin(other, NULL, &second, NULL, &said), KT_OK, "before the first gives it back");
    kt_batch_abort(second);
    kt_book_close(other);
}

int main(void) {
    book = make_book("book");
    absent();
    gone();
    large();
    once();
    nothing_posted();
    tried();
    misuse();
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
