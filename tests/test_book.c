/* Opening a book: what is none, whose it is, who may write, and what the clock says. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/keys.h"
#include "tests/bookkeeping.h"

static void write_text(const char *path, const char *text) {
    FILE *out = fopen(path, "w");
    if (out) {
        fputs(text, out);
        fclose(out);
    }
}

static void refuses(const char *path, const kt_open_options *options, kt_code code, const char *part, const char *law) {
    kt_book *book = NULL;
    is_code(kt_book_open(path, options, &book, &said), code, "%s is refused", law);
    has_text(said.text, part, "and named");
    ok(book == NULL, "and not opened");
    kt_book_close(book);
}

static void no_books(void) {
    mkdir(path_of("empty"), 0700);
    refuses(path_of("empty"), NULL, KT_FOREIGN, "empty", "an empty directory");
    kt_book *book = NULL;
    kt_code code = kt_book_open(path_of("nowhere"), NULL, &book, &said);
    ok(code != KT_OK && strstr(said.text, "nowhere"), "a directory that is not there (%s)", said.text);
    write_text(path_of("file"), "text");
    code = kt_book_open(path_of("file"), NULL, &book, &said);
    ok(code != KT_OK && strstr(said.text, "file"), "a file (%s)", said.text);
    mkdir(path_of("junk"), 0700);
    char *junk = malloc(65537);
    memset(junk, 'x', 65536);
    junk[65536] = '\0';
    write_text(path_of("junk/data.mdb"), junk);
    free(junk);
    code = kt_book_open(path_of("junk"), NULL, &book, &said);
    ok(code == KT_DAMAGED || code == KT_FOREIGN, "what is no store (%s)", said.text);
    ok(access(path_of("empty/data.mdb"), F_OK) != 0, "opening makes no book where there is none");
}

static void whose(void) {
    kt_open_options options = {.entity = KT_STR("Other A/S")};
    refuses(path_of("book"), &options, KT_FOREIGN, "is the book of 'Acme ApS', expected 'Other A/S'", "another's book");
    options.entity = KT_STR("Acme ApS");
    kt_book *book = NULL;
    is_code(kt_book_open(path_of("book"), &options, &book, &said), KT_OK, "the right one opens");
    is_text(kt_book_directory(book), path_of("book"), "knows where it is");
    ok(strncmp(kt_book_origin(book), "kontor/acme-aps-", 16) == 0 && strlen(kt_book_origin(book)) == 24,
       "has an origin made of its name (%s)", kt_book_origin(book));
    ok(strncmp(kt_book_verifier(book), kt_book_origin(book), 24) == 0 && kt_book_verifier(book)[24] == '+',
       "which names its log's key");
    kt_book_close(book);
}

static kt_code begin_with(const char *key_file) {
    kt_open_options options = {.key_file = key_file};
    kt_book *book = NULL;
    kt_batch *batch = NULL;
    kt_code code = kt_book_open(path_of("book"), &options, &book, &said);
    if (code == KT_OK) code = kt_batch_begin(book, NULL, &batch, NULL, &said);
    kt_batch_abort(batch);
    kt_book_close(book);
    return code;
}

static void keys(void) {
    kt_signer *signer = NULL;
    is_code(begin_with(NULL), KT_OK, "the key in the book may write");
    is_code(begin_with(path_of("none.key")), KT_KEY, "a key that is not there may not");
    has_text(said.text, "none.key", "which is named");
    write_text(path_of("junk.key"), "kontor-key-v1\n");
    chmod(path_of("junk.key"), 0600);
    is_code(begin_with(path_of("junk.key")), KT_KEY, "nor what is no key");
    (void)kt_signer_generate(&signer, NULL);
    is_code(kt_key_save(signer, path_of("other.key"), "other", NULL, &said), KT_OK, "another key");
    is_code(begin_with(path_of("other.key")), KT_FORBIDDEN, "is not on record");
    rename(path_of("book/keys/log.key"), path_of("kept.key"));
    is_code(begin_with(NULL), KT_KEY, "without its key the book takes nothing");
    kt_book *book = open_book("book");
    is_int((long long)balance(book, "1000"), 100, "and can be read");
    kt_book_close(book);
    is_code(kt_key_save(signer, path_of("book/keys/log.key"), "other", NULL, &said), KT_OK, "a wrong key in its place");
    is_code(begin_with(NULL), KT_KEY, "is found out");
    has_text(said.text, "is not this book's log key", "and called that");
    rename(path_of("kept.key"), path_of("book/keys/log.key"));
    is_code(begin_with(NULL), KT_OK, "with its own key it writes again");
    kt_signer_close(signer);
}

static void read_only(void) {
    kt_open_options options = {.read_only = true};
    kt_book *book = NULL;
    kt_batch *batch = NULL;
    is_code(kt_book_open(path_of("book"), &options, &book, &said), KT_OK, "a book is opened for reading only");
    is_code(kt_batch_begin(book, NULL, &batch, NULL, &said), KT_PERMISSION, "and takes no batch");
    has_text(said.text, "reading only", "saying why");
    is_int((long long)balance(book, "1000"), 100, "it is read");
    kt_book_close(book);
    if (geteuid() == 0) {
        skip(2, "root may write anywhere");
        return;
    }
    chmod(path_of("book/data.mdb"), 0400);
    chmod(path_of("book"), 0500);
    is_code(kt_book_open(path_of("book"), NULL, &book, &said), KT_PERMISSION,
            "a book that cannot be written is not opened for it");
    is_code(kt_book_open(path_of("book"), &options, &book, &said), KT_OK, "but for reading");
    kt_book_close(book);
    chmod(path_of("book"), 0700);
    chmod(path_of("book/data.mdb"), 0600);
}

static void clocks(void) {
    kt_book *book = open_book("book");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "a batch");
    int64_t before = receipt.recorded_us;
    ok(!receipt.clock_behind, "is recorded by the clock");
    clock_now -= INT64_C(86400000000);
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "the clock goes back a day");
    is_int(receipt.recorded_us, before, "the next batch is recorded no earlier than the last");
    ok(receipt.clock_behind, "and its receipt says so");
    clock_now += INT64_C(2) * 86400000000;
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "when the clock is right again");
    ok(!receipt.clock_behind && receipt.recorded_us > before, "so is the time");
    kt_head head = head_of(book);
    ok(head.recorded_us == receipt.recorded_us && head.size == receipt.tree_size && head.size == receipt.last + 1 &&
           memcmp(head.root, receipt.root, sizeof head.root) == 0,
       "the head is what the receipt says");
    ok(head.first_day == day("2026-01-31") && head.last_day == day("2026-01-31") && head.accounts == 8,
       "and tells days and accounts");
    kt_book_close(book);
}

/* Two writers in two processes take turns; readers wait for neither. */
static void turns(void) {
    enum { BATCHES = 20 };
    pid_t children[2];
    kt_book *book = open_book("book");
    kt_amount before = balance(book, "1000");
    kt_book_close(book);
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] != 0) continue;
        kt_book *own = open_book("book");
        int failed = 0;
        for (int b = 0; b < BATCHES; b++)
            failed += post(own, "2026-02-01 - 1000 1 / 2000 -1\n2026-02-01 - 1000 2 / 2000 -2") != KT_OK;
        kt_book_close(own);
        _exit(failed);
    }
    book = open_book("book");
    unsigned halves = 0;
    for (int i = 0; i < 50; i++) halves += (balance(book, "1000") - before) % 300 != 0;
    int failed = 0, status = 0;
    for (int i = 0; i < 2; i++) {
        waitpid(children[i], &status, 0);
        failed += status;
    }
    is_int(failed, 0, "two writers at once both finish");
    is_int(halves, 0, "readers see whole batches all the while");
    ok(balance(book, "1000") == before + (kt_amount)BATCHES * 2 * 300, "and in the end all of both");
    is_code(post(book, "2026-02-01 - 1000 1 / 2000 -1"), KT_OK, "a handle that did not write sees it, and goes on");
    kt_book_close(book);
}

/* Another process holds an open batch; opening waits for nobody (law 11). A test that waits is ended by its alarm. */
static void open_meanwhile(void) {
    int ready[2];
    char byte;
    if (pipe(ready) != 0) return;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        kt_book *own = open_book("book");
        kt_batch *batch = begin(own);
        kt_code code = add(batch, "2026-02-02 - 1000 1 / 2000 -1", NULL);
        if (write(ready[1], &code, 1) == 1) pause();
        _exit(1);
    }
    is_int(read(ready[0], &byte, 1), 1, "another process holds an open batch");
    alarm(20);
    kt_open_options ways[] = {{.clock_us = test_clock}, {.clock_us = test_clock, .no_wait = true}, {.read_only = true}};
    static const char *const names[] = {"for writing", "without waiting", "for reading"};
    for (size_t i = 0; i < 3; i++) {
        kt_book *book = NULL;
        kt_batch *batch = NULL;
        is_code(kt_book_open(path_of("book"), &ways[i], &book, &said), KT_OK, "a book is opened %s meanwhile",
                names[i]);
        ok(balance(book, "1000") > 0, "and read");
        if (ways[i].no_wait)
            is_code(kt_batch_begin(book, NULL, &batch, NULL, &said), KT_BUSY, "only the writer's turn is taken");
        kt_book_close(book);
    }
    is_code(verify_path(path_of("book"), NULL, NULL), KT_OK, "it verifies meanwhile");
    alarm(0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
}

int main(void) {
    kt_book *book = make_book("book");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "a book with something in it");
    kt_book_close(book);
    no_books();
    whose();
    keys();
    read_only();
    clocks();
    turns();
    open_meanwhile();
    is_sound("book", "the book verifies");
    return done();
}
