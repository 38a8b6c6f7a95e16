/* The poster is killed at random moments of a bulk load; what was acknowledged is there, nothing is half there (LAW 3,
   LAW 4), and the same input sent again completes it exactly once (LAW 5). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/crash/load.h"
#include "tests/tap.h"

#define VERIFY_EACH 10 /* a full verification each tenth kill; the cheaper check after each */

static uint64_t state;
static char directory[1024];

/* Laws broken so far: a law is one test however many kills it stood. */
static unsigned killed, completed, verified, wrong_check, wrong_verify, wrong_again, in_large, pieces, ahead,
    unfinished;
static int64_t large_us, window_us; /* what a batch larger than a transaction takes here; kills fall within */

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Of very different lengths. */
static int64_t random_delay_us(void) {
    static const unsigned most[] = {3000, 10000, 30000, 100000};
    return (int64_t)(test_random(&state) % most[test_random(&state) % 4]);
}

/* In a large batch, any moment of it; half of them counted from when the first of it is written, since what lies
   between its first piece and its end is short. */
static int64_t random_large_us(bool *from_write) {
    *from_write = test_random(&state) % 2 == 0;
    return (int64_t)(test_random(&state) % (uint64_t)window_us) / (*from_write ? 3 : 1);
}

static int64_t written_last(void) {
    char path[1100];
    struct stat status;
    snprintf(path, sizeof path, "%s/data.mdb", directory);
    return stat(path, &status) == 0 ? (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec : 0;
}

static bool take_ack(int acks, unsigned *acked) {
    crash_ack ack;
    if (read(acks, &ack, sizeof ack) != (ssize_t)sizeof ack) return false;
    if (ack.code == KT_OK && ack.batch + 1 > *acked) *acked = ack.batch + 1;
    return true;
}

/* Reads acknowledgements until the moment has come, kills, and reads what was still said. The moment: so long after now
   or, from_write, after the book is first written to. True: killed. */
static bool kill_after(pid_t child, int acks, int64_t delay, bool from_write, unsigned *acked) {
    int status;
    int64_t begun = now_us(), written = written_last(), patience = from_write ? window_us * 4 : 0;
    for (;;) {
        struct pollfd ready = {.fd = acks, .events = POLLIN};
        if (patience > 0 && (written_last() != written || now_us() - begun > patience)) {
            patience = 0;
            begun = now_us();
        }
        int64_t left = patience > 0 ? 500 : begun + delay - now_us();
        struct timespec wait = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};
        if (left <= 0) break;
        int count = ppoll(&ready, 1, &wait, NULL);
        if (count > 0 && !take_ack(acks, acked)) break; /* all posted */
    }
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    while (take_ack(acks, acked)) {
    }
    return WIFSIGNALED(status);
}

static bool complain(unsigned *wrong, const kt_error *why, const char *when) {
    if ((*wrong)++ == 0) diag("kill %u, %s: %s", killed, when, why->text);
    return false;
}

/* One poster, killed. False: the load is complete. */
static bool round_of_kill(const crash_load *load, const crash_sum *sums, unsigned *acked) {
    int ends[2];
    kt_error why = {0};
    unsigned found;
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    unsigned before = *acked, from = *acked > 2 ? *acked - 2 : 0; /* two that lie there already are sent again */
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        _exit(crash_poster(directory, load, from, ends[1]));
    }
    close(ends[1]);
    bool large = *acked < load->batches && crash_is_large(load, *acked), some_pieces, some_ahead;
    bool from_write = false;
    int64_t delay = large ? random_large_us(&from_write) : random_delay_us();
    bool was_killed = kill_after(child, ends[0], delay, from_write, acked);
    close(ends[0]);
    killed += was_killed;
    in_large += was_killed && *acked < load->batches && crash_is_large(load, *acked);
    if (crash_leftovers(directory, &some_pieces, &some_ahead)) {
        pieces += some_pieces;
        ahead += some_ahead;
    }
    bool full = killed % VERIFY_EACH == 0 && was_killed;
    /* As the next reader would find it, before a writer has swept up. */
    if (full && test_random(&state) % 2 == 0 && ++verified && !crash_verify(directory, &why))
        return complain(&wrong_verify, &why, "verified as it was left");
    if (!crash_check(directory, load, sums, *acked, *acked + 1, &found, &why))
        return complain(&wrong_check, &why, "opened again");
    if (full && ++verified && !crash_verify(directory, &why)) return complain(&wrong_verify, &why, "verified");
    /* A batch whose end is never reached takes longer than was thought. */
    window_us = found > before || !large ? large_us : window_us * 5 / 4;
    *acked = found;
    if (!was_killed && *acked < load->batches) {
        kt_fail(&why, KT_IO, "the poster ended by itself after %u batches", *acked);
        return complain(&wrong_check, &why, "not killed");
    }
    return was_killed || *acked < load->batches;
}

/* The whole input again, by a poster that nobody disturbs: every batch is a repeat and the book as it was. */
static void send_again(const crash_load *load, const crash_sum *sums) {
    kt_error why = {0};
    kt_book *book = NULL;
    unsigned found, repeated = 0;
    kt_code code = kt_book_open(directory, NULL, &book, &why);
    for (unsigned batch = 0; code == KT_OK && batch < load->batches; batch++) {
        kt_receipt receipt = {0};
        repeated += crash_post(book, load, batch, &receipt, &why) == KT_REPEATED &&
                    receipt.entries == crash_entries(load, batch);
    }
    kt_book_close(book);
    completed++;
    if (repeated != load->batches) {
        kt_fail(&why, KT_DAMAGED, "%u of %u batches were recognized", repeated, load->batches);
        complain(&wrong_again, &why, "sent again");
    }
    if (!crash_check(directory, load, sums, load->batches, load->batches, &found, &why))
        complain(&wrong_again, &why, "sent again");
    if (++verified && !crash_verify(directory, &why)) complain(&wrong_verify, &why, "completed");
}

/* Posts up to the first large batch undisturbed, to learn how long such a one takes here. */
static void learn(const crash_load *load, unsigned *acked) {
    kt_error error = {0};
    kt_book *book = NULL;
    kt_code code = kt_book_open(directory, NULL, &book, &error);
    large_us = 10000;
    for (*acked = 0; code == KT_OK && *acked < load->large; ++*acked) {
        int64_t begun = now_us();
        code = crash_post(book, load, *acked, NULL, &error);
        if (2 * (now_us() - begun) > large_us) /* the spread one takes longer */
            large_us = 2 * (now_us() - begun);
    }
    window_us = large_us;
    kt_book_close(book);
    if (code != KT_OK) complain(&wrong_check, &error, "posting");
}

static void one_book(unsigned kills, bool large) {
    crash_load load = {.seed = test_random(&state), .batches = 100};
    if (large) load = (crash_load){.seed = load.seed, .batches = 8, .large = 2, .spread = 4};
    crash_sum *sums = crash_sums(&load);
    kt_error error = {0};
    unsigned acked = 0;
    if (crash_found(directory, &error) != KT_OK) complain(&wrong_check, &error, "founding");
    else if (large && large_us == 0) learn(&load, &acked);
    while (wrong_check + wrong_verify == 0 && killed < kills && round_of_kill(&load, sums, &acked)) {
    }
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (wrong_check + wrong_verify == 0 && crash_poster(directory, &load, 0, nothing) != 0) unfinished++;
    close(nothing);
    if (wrong_check + wrong_verify == 0) send_again(&load, sums);
    crash_remove(directory);
    free(sums);
}

/* Books of many small batches, whose kills fall beside a commit, and books whose kills fall into large ones. */
static void books(unsigned kills, bool large) {
    kills += killed;
    while (killed < kills && wrong_check + wrong_verify == 0) one_book(kills, large);
}

/* ---- the command, on a file ---- */

#define FILE_ENTRIES 4000

/* Two-line entries; `fat` ones fill more than a transaction. */
static bool write_file(const char *path, unsigned entries, bool fat) {
    FILE *out = fopen(path, "w");
    if (!out) return false;
    fputs("date,voucher,account,amount,text\n", out);
    for (unsigned i = 0; i < entries; i++) {
        unsigned amount = 1 + (unsigned)(test_random(&state) % 100000);
        for (int line = 0; line < 2; line++) {
            fprintf(out, "2026-%02u-15,%u,%s,%s%u,", 1 + i % 12, i + 1, line ? "1100" : "1000", line ? "-" : "",
                    amount);
            fprintf(out, "%0*d\n", fat ? 4000 : 4, 0);
        }
    }
    return fclose(out) == 0;
}

static int exit_of(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool count(uint64_t *entries, uint64_t *batches, kt_error *why) {
    kt_book *book = NULL;
    kt_view *view = NULL;
    kt_head head = {0};
    kt_code code = kt_book_open(directory, NULL, &book, why);
    if (code == KT_OK) code = kt_view_open(book, NULL, &view, why);
    if (code == KT_OK) code = kt_view_head(view, &head, why);
    kt_view_close(view);
    kt_book_close(book);
    *entries = head.entries;
    *batches = head.batches;
    return code == KT_OK;
}

static pid_t kontor(const char *program, const char *file) {
    const char *arguments[] = {program, "post", "--book", directory, file, NULL};
    return crash_spawn(program, arguments, NULL, NULL, -1);
}

/* A file killed half-way is absent or whole; sent until it says so, it is there once. */
static bool one_file(const char *program, const char *file, unsigned entries, bool fat) {
    kt_error why = {0};
    uint64_t found, batches;
    for (int i = 0; i < 4; i++) {
        pid_t child = kontor(program, file);
        usleep((useconds_t)(random_delay_us() * (fat ? 3 : 1)));
        kill(child, SIGKILL);
        killed += exit_of(child) == -1;
        if (!count(&found, &batches, &why)) return complain(&wrong_check, &why, "a file, opened again");
        if (batches > CRASH_BASE + 1 || found != (batches - CRASH_BASE) * entries)
            kt_fail(&why, KT_DAMAGED, "%llu entries in %llu batches, expected %u or none", (unsigned long long)found,
                    (unsigned long long)batches - CRASH_BASE, entries);
        if (why.code != KT_OK || !crash_verify(directory, &why))
            return complain(&wrong_check, &why, "a file, opened again");
    }
    int first = exit_of(kontor(program, file)), second = exit_of(kontor(program, file));
    if (first != 0 || second != 0 || !count(&found, &batches, &why) || batches != CRASH_BASE + 1 || found != entries) {
        kt_fail(&why, KT_DAMAGED, "exit status %d and %d, %llu entries, expected %u", first, second,
                (unsigned long long)found, entries);
        return complain(&wrong_again, &why, "a file, sent again");
    }
    return crash_verify(directory, &why) || complain(&wrong_verify, &why, "a file, sent again");
}

static void files(const char *program, unsigned rounds) {
    char file[1100];
    kt_error error = {0};
    unsigned before = killed, bad = 0;
    fflush(stdout);
    int out = dup(STDOUT_FILENO), nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nothing, STDOUT_FILENO); /* what the command says is none of TAP's */
    snprintf(file, sizeof file, "%s/load.csv", test_dir());
    for (unsigned i = 0; i < rounds; i++) {
        bool fat = i % 4 == 3;
        unsigned entries = fat ? 2400 : FILE_ENTRIES;
        bad += !write_file(file, entries, fat) || crash_found(directory, &error) != KT_OK ||
               !one_file(program, file, entries, fat);
        crash_remove(directory);
    }
    dup2(out, STDOUT_FILENO);
    close(out);
    close(nothing);
    is_int(bad, 0, "kontor post, killed %u times: the file is absent or whole, and sent again it is there once",
           killed - before);
}

int main(void) {
    unsigned more = getenv("KONTOR_LONG") ? 15 : 1, kills = 210 * more;
    const char *named = getenv("KONTOR"), *program = named && *named ? named : crash_built("kontor");
    state = test_seed();
    snprintf(directory, sizeof directory, "%s/book", test_dir());
    int64_t begun = now_us();
    books(190 * more, false);
    books(20 * more, true);
    for (unsigned again = 0; again < 20 && (pieces == 0 || in_large == 0); again++)
        books(5, true); /* where chance had it */
    diag("%u kills, %u of them in a batch larger than one transaction, %u loads completed, %u full verifications, "
         "%lld ms",
         killed, in_large, completed, verified, (long long)(now_us() - begun) / 1000);
    ok(killed >= kills, "the poster was killed %u times at random moments", killed);
    is_int(wrong_check, 0, "after each kill the acknowledged batches are there, whole, and nothing besides");
    is_int(wrong_verify, 0, "verification passes (each %dth kill, and each load completed: %u times)", VERIFY_EACH,
           verified);
    is_int(wrong_again + unfinished, 0, "the same input sent again completes it, exactly once");
    ok(in_large > 0, "some kills fell into batches larger than one transaction (%u)", in_large);
    ok(pieces > 0, "some left pieces of one behind (%u, and state written ahead %u times)", pieces, ahead);
    if (access(program ? program : "", X_OK) == 0) files(program, 4 * more);
    else skip(1, "kontor is not built");
    return done();
}
