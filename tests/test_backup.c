/* Backup and restore: a hot copy while others post, verified; nothing is overwritten. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bookkeeping.h"

static void is_equal(const char *a, const char *b, const char *law)
{
    kt_book *first = open_book(a), *second = open_book(b);
    char *one = told(first), *two = told(second);
    is_text(two, one, "%s", law);
    free(one);
    free(two);
    kt_book_close(first);
    kt_book_close(second);
}

static void copies(void)
{
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
static void hot(void)
{
    kt_book *book = make_book("busy");
    kt_book_close(book);
    pid_t child = fork();
    if (child == 0) {
        book = open_book("busy");
        for (;;)
            if (post(book, "2026-01-31 - 1000 1 / 2000 -1\n2026-01-31 - 1000 2 EUR / 2000 -2 EUR") != KT_OK)
                _exit(1);
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

/* A backup of a book that is damaged says so. */
static void damaged(void)
{
    copy_book("backup", "broken");
    FILE *file = fopen(path_of("broken/data.mdb"), "r+b");
    long size = 0;
    if (file && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
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

int main(void)
{
    copies();
    hot();
    damaged();
    return done();
}
