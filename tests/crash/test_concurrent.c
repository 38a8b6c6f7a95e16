/* Two writers take turns and both finish; readers never wait for a writer, nor a writer for readers, and each view is
   one moment between two batches (LAW 4, LAW 11). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/load.h"
#include "tests/tap.h"

#define BATCHES 30 /* of each writer */
#define WRITERS 2
#define PATIENCE 60 /* seconds until a hang is a failure */

static char directory[1024];

static pid_t process(void) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    return child;
}

static int exit_of(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static kt_line line_of(kt_amount amount, const char *account) {
    return (kt_line){.amount = amount, .account = kt_str_from(account)};
}

/* Writer w's batch b: 1 + (w + b) % 7 entries under the id "w-b", or `entries` of them. */
static unsigned entries_of(unsigned writer, unsigned number) {
    return 1 + (writer + number) % 7 + (number % 10 == 9 ? 2000 : 0);
}

static kt_code add_entries(kt_batch *batch, unsigned count, kt_error *error) {
    kt_code code = KT_OK;
    for (unsigned i = 0; i < count && code == KT_OK; i++) {
        kt_line lines[2] = {line_of(100 + i, "1000"), line_of(-(kt_amount)(100 + i), i % 2 ? "2000" : "3000")};
        kt_entry entry = {.lines = lines, .line_count = 2};
        kt_day_from_civil(2026, 1 + (int)(i % 12), 1, &entry.date);
        code = kt_batch_add(batch, &entry, NULL, error);
    }
    return code;
}

static int writer(unsigned number) {
    kt_error error = {0};
    kt_book *book = NULL;
    kt_code code = kt_book_open(directory, NULL, &book, &error);
    for (unsigned i = 0; i < BATCHES && code == KT_OK; i++) {
        kt_batch *batch = NULL;
        char id[32];
        snprintf(id, sizeof id, "%u-%u", number, i);
        kt_batch_options options = {.id = kt_str_from(id)};
        code = kt_batch_begin(book, &options, &batch, NULL, &error);
        if (code == KT_OK) code = add_entries(batch, entries_of(number, i), &error);
        if (code == KT_OK) code = kt_batch_commit(batch, NULL, &error);
        else kt_batch_abort(batch);
    }
    if (code != KT_OK) fprintf(stderr, "# writer %u: %s\n", number, error.text);
    kt_book_close(book);
    return code != KT_OK;
}

/* ---- views ---- */

struct seen {
    kt_head head;
    kt_amount sum, turnover;
};

static kt_code look(kt_view *view, struct seen *out, kt_error *error) {
    kt_balance *rows = NULL;
    size_t count = 0;
    *out = (struct seen){0};
    kt_code code = kt_view_head(view, &out->head, error);
    if (code == KT_OK) code = kt_balances(view, NULL, &rows, &count, error);
    for (size_t i = 0; code == KT_OK && i < count; i++) {
        out->sum += rows[i].balance;
        out->turnover += rows[i].debit;
    }
    free(rows);
    return code;
}

static kt_code look_now(kt_book *book, struct seen *out, kt_error *error) {
    kt_view *view = NULL;
    kt_code code = kt_view_open(book, NULL, &view, error);
    if (code == KT_OK) code = look(view, out, error);
    kt_view_close(view);
    return code;
}

static bool same(const struct seen *a, const struct seen *b) {
    return a->head.size == b->head.size && a->head.entries == b->head.entries && a->sum == b->sum &&
           a->turnover == b->turnover && memcmp(a->head.root, b->head.root, sizeof a->head.root) == 0;
}

static kt_amount turnover_of(unsigned entries) {
    kt_amount turnover = 0;
    for (unsigned i = 0; i < entries; i++) turnover += 100 + i;
    return turnover;
}

/* Entries and turnover of a head are those of whole batches of each writer, one after the other. */
static bool is_between_batches(const struct seen *seen) {
    uint64_t entries[BATCHES + 1][WRITERS] = {{0}};
    kt_amount turnover[BATCHES + 1][WRITERS] = {{0}};
    for (unsigned w = 0; w < WRITERS; w++)
        for (unsigned i = 0; i < BATCHES; i++) {
            entries[i + 1][w] = entries[i][w] + entries_of(w, i);
            turnover[i + 1][w] = turnover[i][w] + turnover_of(entries_of(w, i));
        }
    uint64_t batches = seen->head.batches - CRASH_BASE;
    for (unsigned a = 0; a <= BATCHES && a <= batches; a++) {
        unsigned b = (unsigned)batches - a;
        if (b <= BATCHES && seen->head.entries == entries[a][0] + entries[b][1] &&
            seen->turnover == turnover[a][0] + turnover[b][1])
            return true;
    }
    return false;
}

static void two_writers(kt_book *book) {
    kt_error error = {0};
    kt_view *early = NULL;
    struct seen first, now, before;
    unsigned looks = 0, unbalanced = 0, torn = 0, backwards = 0, moved = 0, failed = 0;
    is_code(kt_view_open(book, NULL, &early, &error), KT_OK, "a view is opened before the writers start");
    look(early, &first, &error);
    before = first;
    pid_t writers[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++)
        if ((writers[i] = process()) == 0) _exit(writer(i));
    unsigned running = WRITERS, wrong = 0;
    while (running > 0) {
        int status;
        pid_t ended = waitpid(-1, &status, WNOHANG);
        if (ended > 0) {
            running--;
            wrong += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        }
        failed += look_now(book, &now, &error) != KT_OK;
        looks++;
        unbalanced += now.sum != 0;
        torn += !is_between_batches(&now);
        backwards += now.head.size < before.head.size;
        moved += now.head.size > before.head.size;
        before = now;
        failed += look(early, &now, &error) != KT_OK;
        torn += !same(&now, &first);
    }
    kt_view_close(early);
    is_int(wrong, 0, "two writers at once both finish");
    is_int(failed, 0, "reading goes on meanwhile (%u looks, the head had moved at %u)", looks, moved);
    is_int(unbalanced, 0, "balances sum to zero in each view");
    is_int(torn, 0, "each view is a moment between two batches, and the view opened before stays as it was");
    is_int(backwards, 0, "no view is older than the one before");
}

static kt_code walk(void *context, const kt_entry_view *entry, kt_error *error) {
    uint64_t *last = context;
    if (entry->number <= *last)
        return kt_fail(error, KT_DAMAGED, "entry %llu comes behind %llu", (unsigned long long)entry->number,
                       (unsigned long long)*last);
    *last = entry->number;
    return KT_OK;
}

/* The receipts of all batches, found by sending them again, part the records between them. */
static void order_is_total(kt_book *book) {
    kt_error error = {0};
    struct seen now;
    kt_view *view = NULL;
    unsigned repeated = 0, apart = 0, rising = 0;
    uint64_t covered = 0, walked = 0;
    for (unsigned w = 0; w < WRITERS; w++) {
        uint64_t last = 0;
        for (unsigned i = 0; i < BATCHES; i++) {
            char id[32];
            kt_receipt receipt = {0};
            kt_batch *batch = NULL;
            snprintf(id, sizeof id, "%u-%u", w, i);
            kt_batch_options options = {.id = kt_str_from(id)};
            repeated += kt_batch_begin(book, &options, &batch, &receipt, &error) == KT_REPEATED;
            kt_batch_abort(batch);
            apart += receipt.last - receipt.first == entries_of(w, i); /* its entries and the seal */
            rising += receipt.first > last;
            last = receipt.last;
            covered += receipt.last - receipt.first + 1;
        }
    }
    is_int(repeated, WRITERS * BATCHES, "each batch of both is there, once");
    is_int(apart, WRITERS * BATCHES, "with its records in one stretch");
    is_int(rising, WRITERS * BATCHES, "each writer's batches lie in the order they were sent");
    look_now(book, &now, &error);
    is_int((long long)now.head.batches, CRASH_BASE + WRITERS * BATCHES, "no more batches than that");
    kt_code code = kt_view_open(book, NULL, &view, &error);
    if (code == KT_OK) code = kt_entries(view, NULL, walk, &walked, &error);
    kt_view_close(view);
    is_code(code, KT_OK, "the journal is one sequence");
    ok(now.head.size > covered && covered > 0, "all of their records are in it");
    ok(crash_verify(directory, &error), "verification passes");
}

/* ---- nobody waits ---- */

/* A writer that stops in the middle of a batch larger than one transaction, until it is told to go on. */
static int slow_writer(int say, int hear) {
    kt_error error = {0};
    kt_book *book = NULL;
    kt_batch *batch = NULL;
    char text[KT_TEXT_MAX], byte = 0;
    memset(text, 'x', sizeof text);
    kt_code code = kt_book_open(directory, NULL, &book, &error);
    if (code == KT_OK) code = kt_batch_begin(book, NULL, &batch, NULL, &error);
    for (unsigned i = 0; i < 400 && code == KT_OK; i++) {
        kt_line lines[15];
        for (unsigned j = 0; j < 15; j++) {
            lines[j] = line_of(j == 14 ? -14 : 1, j == 14 ? "2000" : "1000");
            lines[j].text = (kt_str){text, sizeof text};
        }
        kt_entry entry = {.lines = lines, .line_count = 15};
        kt_day_from_civil(2026, 6, 1, &entry.date);
        code = kt_batch_add(batch, &entry, NULL, &error);
    }
    if (code == KT_OK && (write(say, "m", 1) != 1 || read(hear, &byte, 1) != 1)) code = KT_IO;
    if (code == KT_OK) code = kt_batch_commit(batch, NULL, &error);
    else kt_batch_abort(batch);
    kt_book_close(book);
    return code != KT_OK;
}

/* Whoever waited here would wait for ever: the writer goes on only after the reading is done. */
static void readers_do_not_wait(kt_book *book) {
    kt_error error = {0};
    int from[2], to[2];
    char byte;
    struct seen before, middle, after;
    kt_book *other = NULL;
    kt_batch *batch = NULL;
    kt_view *held = NULL;
    look_now(book, &before, &error);
    if (pipe2(from, O_CLOEXEC) != 0 || pipe2(to, O_CLOEXEC) != 0) return;
    pid_t child = process();
    if (child == 0) _exit(slow_writer(from[1], to[0]));
    close(from[1]);
    ok(read(from[0], &byte, 1) == 1, "a writer stands in the middle of a batch of several transactions");
    is_code(look_now(book, &middle, &error), KT_OK, "a reader with the book open looks at it meanwhile");
    ok(same(&before, &middle), "and sees nothing of the batch");
    kt_open_options options = {.read_only = true};
    kt_code code = kt_book_open(directory, &options, &other, &error);
    if (code == KT_OK) code = look_now(other, &middle, &error);
    kt_book_close(other);
    ok(code == KT_OK && same(&before, &middle), "so does a reader that opens it meanwhile");
    ok(crash_verify(directory, &error), "the book verifies meanwhile");
    kt_open_options hasty = {.no_wait = true};
    other = NULL;
    code = kt_book_open(directory, &hasty, &other, &error);
    if (code == KT_OK) code = kt_batch_begin(other, NULL, &batch, NULL, &error);
    is_code(code, KT_BUSY, "a second writer that will not wait is told so, and takes nothing away");
    kt_batch_abort(batch);
    kt_book_close(other);
    is_code(kt_view_open(book, NULL, &held, &error), KT_OK, "a reader holds a view");
    ok(write(to[1], "g", 1) == 1 && exit_of(child) == 0, "and the writer finishes all the same");
    look(held, &middle, &error);
    ok(same(&before, &middle), "the view is as it was");
    kt_view_close(held);
    look_now(book, &after, &error);
    ok(after.head.batches == before.head.batches + 1 && after.head.entries == before.head.entries + 400 &&
           after.sum == 0,
       "the next one has the batch, whole");
    ok(crash_verify(directory, &error), "verification passes");
    close(from[0]);
    close(to[0]);
    close(to[1]);
}

int main(void) {
    kt_error error = {0};
    kt_book *book = NULL;
    snprintf(directory, sizeof directory, "%s/book", test_dir());
    is_code(crash_found(directory, &error), KT_OK, "a book is founded");
    is_code(kt_book_open(directory, NULL, &book, &error), KT_OK, "and opened");
    if (!book) return done();
    alarm(PATIENCE);
    two_writers(book);
    order_is_total(book);
    readers_do_not_wait(book);
    kt_book_close(book);
    return done();
}
