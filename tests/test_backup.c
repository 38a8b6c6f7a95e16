/* Backup and restore: a hot copy while others post, verified; nothing is overwritten. */
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

#include "tests/bookkeeping.h"

static void is_equal(const char *a, const char *b, const char *law) {
    kt_book *first = open_book(a), *second = open_book(b);
    char *one = told(first), *two = told(second);
    is_text(two, one, "%s", law);
    free(one);
    free(two);
    kt_book_close(first);
    kt_book_close(second);
}

static void copies(void) {
    kt_book *book = make_book("book");
    struct stat status;
    is_code(post(book, "2026-01-31 V1 1000 1 cc=A / 2000 -1 cc=A"), KT_OK, "a book with something in it");
    is_code(kt_backup(book, path_of("backup"), NULL, &said), KT_OK, "is backed up (%s)", said.text);
    is_equal("book", "backup", "the backup says the same, checkpoint and all");
    is_sound("backup", "and verifies");
    is_int(stat(path_of("backup"), &status) == 0 ? (int)(status.st_mode & 0777) : -1, 0700,
           "others cannot look into it");
    is_int(stat(path_of("backup/keys/log.key"), &status) == 0 ? (int)(status.st_mode & 0777) : -1, 0600,
           "nor at its key");
    is_code(kt_backup(book, path_of("backup"), NULL, &said), KT_EXISTS, "what is there is not overwritten");
    has_text(said.text, "backup", "by name");
    kt_code code = kt_backup(book, path_of("no/such/place"), NULL, &said);
    is_code(code, KT_IO, "a place that is not there is refused");
    is_code(post(book, "2026-01-31 V2 1000 1 / 2000 -1"), KT_OK, "the book goes on");
    is_code(kt_restore(path_of("backup"), path_of("restored"), NULL, &said), KT_OK, "the backup is restored (%s)",
            said.text);
    is_equal("backup", "restored", "as it was");
    is_code(kt_restore(path_of("backup"), path_of("book"), NULL, &said), KT_EXISTS, "but not over the book");
    code = kt_restore(path_of("nowhere"), path_of("restored2"), NULL, &said);
    ok(code != KT_OK && access(path_of("restored2"), F_OK) != 0, "nor from nowhere, which leaves nothing");
    kt_book *restored = open_book("restored");
    is_code(post(restored, "2026-01-31 V1 1000 1 / 2000 -1"), KT_DUPLICATE, "the restored book knows what it knew");
    is_code(post(restored, "2026-01-31 V2 1000 7 / 2000 -7"), KT_OK, "and goes on by itself");
    kt_book_close(restored);
    kt_book_close(book);
    is_sound("restored", "under good signatures");
}

/* A child posts without end while the parent makes backups. */
static void hot(void) {
    kt_book *book = make_book("busy");
    kt_book_close(book);
    pid_t child = fork();
    if (child == 0) {
        book = open_book("busy");
        for (;;)
            if (post(book, "2026-01-31 - 1000 1 / 2000 -1\n2026-01-31 - 1000 2 EUR / 2000 -2 EUR") != KT_OK) _exit(1);
    }
    uint64_t last = 0;
    unsigned failed = 0, rising = 0, halves = 0;
    for (unsigned i = 0; i < 8; i++) {
        char name[20];
        snprintf(name, sizeof name, "hot%u", i);
        usleep(30000);
        book = open_book("busy");
        kt_code code = kt_backup(book, path_of(name), NULL, &said);
        kt_book_close(book);
        if (code != KT_OK) {
            failed++;
            diag("%s", said.text);
            continue;
        }
        book = open_book(name);
        kt_head head = head_of(book);
        rising += head.size > last;
        halves += head.entries % 2 != 0 || balance(book, "1000") * 2 != (kt_amount)head.entries * 100;
        last = head.size;
        kt_book_close(book);
    }
    int status;
    is_int(waitpid(child, &status, WNOHANG), 0, "others post all the while");
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    is_int(failed, 0, "a hot backup verifies, whatever was being posted");
    is_int(rising, 8, "each holds more than the one before");
    is_int(halves, 0, "and whole batches only");
}

/* A batch larger than one transaction; its vouchers lie on a page each, so that state too is written ahead of the
   head. */
static kt_code hold_batch(kt_book *book) {
    kt_batch *batch = begin(book);
    kt_line lines[] = {{.amount = 1, .account = KT_STR("1000")}, {.amount = -1, .account = KT_STR("2000")}};
    kt_code code = KT_OK;
    for (unsigned i = 1; i <= 100000 && code == KT_OK; i++) {
        char voucher[20];
        snprintf(voucher, sizeof voucher, "%u", i * 512);
        kt_entry entry = {.date = day("2026-01-31"), .voucher = kt_str_from(voucher), .lines = lines, .line_count = 2};
        code = kt_batch_add(batch, &entry, NULL, &said);
    }
    return code;
}

/* While another process holds an open batch: the backup waits for nobody (law 11), or the alarm ends this test. */
static void meanwhile(void) {
    int ready[2];
    char byte = 1;
    kt_book *book = make_book("held");
    is_code(post(book, "2026-01-31 7 1000 1 / 2000 -1"), KT_OK, "a book with an entry");
    kt_book_close(book);
    if (pipe(ready) != 0) return;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        byte = hold_batch(open_book("held")) != KT_OK;
        if (write(ready[1], &byte, 1) == 1) pause();
        _exit(1);
    }
    ok(read(ready[0], &byte, 1) == 1 && byte == 0, "another process holds an open batch of 100,000 entries");
    alarm(20);
    kt_open_options options = {.read_only = true};
    is_code(kt_book_open(path_of("held"), &options, &book, &said), KT_OK, "the book is opened meanwhile");
    is_code(kt_backup(book, path_of("unheld"), NULL, &said), KT_OK, "the book is backed up meanwhile, and verified");
    kt_book_close(book);
    alarm(0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    is_equal("held", "unheld", "it has what was committed");
    is_sound("unheld", "and nothing else");
    is_sound("held", "as has the book, when the writer is gone");
}

/* A backup of a book that is damaged says so. */
static void damaged(void) {
    copy_book("backup", "broken");
    FILE *file = fopen(path_of("broken/data.mdb"), "r+b");
    long size = 0;
    if (file && fseek(file, 0, SEEK_END) == 0) size = ftell(file);
    char *bytes = calloc(1, (size_t)size + 1);
    rewind(file);
    size_t got = fread(bytes, 1, (size_t)size, file);
    for (size_t i = 0; i + 8 < got; i++) /* every copy of the entry's account and amount: 1000, 100 */
        if (memcmp(bytes + i,
                   "\xa4"
                   "1000\x64",
                   6) == 0) {
            fseek(file, (long)i + 5, SEEK_SET);
            fputc(0x63, file);
        }
    free(bytes);
    fclose(file);
    kt_book *book = NULL;
    if (is_code(kt_book_open(path_of("broken"), NULL, &book, &said), KT_OK, "a damaged book may open"))
        is_code(kt_backup(book, path_of("broken2"), NULL, &said), KT_DAMAGED, "but its backup is found to be damaged");
    kt_book_close(book);
}

int main(void) {
    copies();
    hot();
    meanwhile();
    damaged();
    return done();
}
