/* A disk that fills up, or fails to sync, at any moment of a batch: the batch is refused and nothing of it is stored,
   what was there before is intact and verifies, and the same batch posts once there is space (LAW 3, LAW 4). Where it is
   the synced write of LMDB's meta page that fails, nobody can say what the disk holds: the handle is good for nothing
   more, and the batch is there whole or not at all. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/load.h"
#include "tests/tap.h"

#define BEFORE 4 /* batches in the book when the disk fails */

/* What a poster on a failing disk met, in the order of its attempts. */
struct report {
    kt_error faulty;  /* the batch, while the disk fails */
    kt_error again;   /* once more through the same handle, the disk being well */
    kt_error reading; /* looking into the book through the same handle */
};

static uint64_t state;
static char program[4096], shim[4096], directory[600], base[600];

/* ---- the poster's side, under the shim ---- */

static void try_post(kt_book *book, const crash_load *load, kt_error *out) {
    out->code = crash_post(book, load, BEFORE, NULL, out);
}

/* failing DIRECTORY SEED LARGE SPREAD NAME VALUE */
static int poster(char **words) {
    crash_load load = {.seed = strtoull(words[3], NULL, 0),
                       .batches = BEFORE + 1,
                       .large = (unsigned)atoi(words[4]),
                       .spread = (unsigned)atoi(words[5])};
    struct report report = {0};
    kt_book *book = NULL;
    kt_view *view = NULL;
    if (kt_book_open(words[2], NULL, &book, NULL) != KT_OK) return 1;
    setenv(words[6], words[7], 1);
    try_post(book, &load, &report.faulty);
    unsetenv(words[6]);
    try_post(book, &load, &report.again);
    report.reading.code = kt_view_open(book, NULL, &view, &report.reading);
    kt_view_close(view);
    kt_book_close(book);
    return write(3, &report, sizeof report) != (ssize_t)sizeof report;
}

/* ---- the test's side ---- */

static bool run_poster(const crash_load *load, const char *name, uint64_t value, struct report *report) {
    int ends[2], status = 0;
    char seed[32], large[16], spread[16], number[32], fault_place[700];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)load->seed);
    snprintf(large, sizeof large, "%u", load->large);
    snprintf(spread, sizeof spread, "%u", load->spread);
    snprintf(number, sizeof number, "%llu", (unsigned long long)value);
    snprintf(fault_place, sizeof fault_place, "KONTOR_FAULT_PLACE=%s", directory);
    const char *arguments[] = {program, "failing", directory, seed, large, spread, name, number, NULL};
    const char *settings[] = {fault_place, NULL};
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    pid_t child = crash_spawn(program, arguments, shim, settings, ends[1]);
    close(ends[1]);
    bool said = read(ends[0], report, sizeof *report) == (ssize_t)sizeof *report;
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return said && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct tally {
    unsigned tried, refused, wrong;
    unsigned stored; /* found there before it was sent again */
    kt_error first;
};

static bool complain(struct tally *tally, const char *what, const kt_error *why) {
    if (tally->wrong++ == 0)
        kt_fail(&tally->first, KT_DAMAGED, "%s: %s (%s)", what, kt_code_name(why->code), why->text);
    return false;
}

static bool is(const char *name, const char *setting) { return strcmp(name, setting) == 0; }

/* What the poster was told, with the disk failing and afterwards. */
static void check_report(const struct report *report, const char *name, kt_code expected, struct tally *tally) {
    if (report->faulty.code == KT_OK) { /* the fault came too late */
        if (report->again.code != KT_REPEATED) complain(tally, "a batch that was taken", &report->again);
        return;
    }
    tally->refused++;
    if (report->faulty.code != expected || !strstr(report->faulty.text, directory))
        complain(tally, "the refusal", &report->faulty);
    bool sync = is(name, "KONTOR_FAULT_SYNC") || is(name, "KONTOR_FAULT_META");
    if (report->again.code != KT_POISONED && (report->again.code != KT_OK || sync))
        complain(tally, "again through the same handle", &report->again);
    /* Where it was the meta page that could not be written, nothing is read through that handle either. */
    if (report->reading.code != KT_POISONED && (report->reading.code != KT_OK || is(name, "KONTOR_FAULT_META")))
        complain(tally, "reading through the same handle", &report->reading);
}

/* One poster on a disk that fails at one point; the book as it was left, and the batch sent again. */
static void attempt(const crash_load *load, const crash_sum *sums, const char *name, uint64_t value, kt_code expected,
                    struct tally *tally) {
    struct report report = {0};
    kt_error why = {0};
    kt_book *book = NULL;
    unsigned found;
    tally->tried++;
    if (!crash_copy(base, directory) || !run_poster(load, name, value, &report)) {
        complain(tally, "the poster did not end well", &why);
        return;
    }
    check_report(&report, name, expected, tally);
    bool stored = report.faulty.code == KT_OK || report.again.code == KT_OK;
    /* A meta page whose write failed may have arrived all the same: then the batch is there, and whole. */
    unsigned least = BEFORE + stored, most = is(name, "KONTOR_FAULT_META") ? BEFORE + 1 : least;
    bool good = crash_verify(directory, &why) && crash_check(directory, load, sums, least, most, &found, &why);
    stored = good && found == BEFORE + 1;
    tally->stored += stored && report.faulty.code != KT_OK;
    if (!good) {
        complain(tally, "as it was left", &why);
        return;
    }
    kt_code code = kt_book_open(directory, NULL, &book, &why);
    if (code == KT_OK) try_post(book, load, &why);
    kt_book_close(book);
    if (why.code != (stored ? KT_REPEATED : KT_OK)) complain(tally, "once there is space", &why);
    if (!crash_check(directory, load, sums, BEFORE + 1, BEFORE + 1, &found, &why) || !crash_verify(directory, &why))
        complain(tally, "in the end", &why);
}

/* About what a batch writes, from what the file grows by. */
static uint64_t size_of_batch(const crash_load *load) {
    struct stat before, after;
    char path[700];
    struct report report;
    snprintf(path, sizeof path, "%s/data.mdb", directory);
    if (!crash_copy(base, directory) || stat(path, &before) != 0 ||
        !run_poster(load, "KONTOR_FAULT_SYNC", 1000000, &report) || stat(path, &after) != 0)
        return 0;
    return (uint64_t)(after.st_size - before.st_size) + 65536;
}

static void report_tally(const struct tally *tally, const char *what, const char *after) {
    ok(tally->wrong == 0 && tally->refused > 0, "%s: refused (%u of %u), and %s", what, tally->refused, tally->tried,
       after);
    if (tally->wrong != 0) diag("%u wrong; %s", tally->wrong, tally->first.text);
}

static void kind_of_batch(const char *what, crash_load load, unsigned rounds, unsigned writes, unsigned syncs) {
    static const char as_it_was[] = "all as it was until there is space";
    char law[200];
    crash_sum *sums = crash_sums(&load);
    struct tally space = {0}, write_calls = {0}, sync_calls = {0}, meta_calls = {0};
    ok(crash_book_with(base, &load, BEFORE), "%s: a book with some batches", what);
    uint64_t bytes = size_of_batch(&load);
    for (unsigned i = 0; i < rounds; i++)
        attempt(&load, sums, "KONTOR_FAULT_SPACE", test_random(&state) % (bytes + 1), KT_DISK_FULL, &space);
    for (unsigned i = 1; i <= writes; i++) attempt(&load, sums, "KONTOR_FAULT_WRITE", i, KT_DISK_FULL, &write_calls);
    for (unsigned i = 1; i <= syncs; i++) attempt(&load, sums, "KONTOR_FAULT_SYNC", i, KT_IO, &sync_calls);
    bool whole = load.large == 0 && load.spread == 0; /* else the second meta page is that of a piece, too */
    for (unsigned i = whole ? 1 : 3; i <= (whole ? 3 : 12); i += whole ? 1 : 9)
        attempt(&load, sums, "KONTOR_FAULT_META", i, KT_IO, &meta_calls);
    snprintf(law, sizeof law, "%s on a disk that fills up anywhere", what);
    report_tally(&space, law, as_it_was);
    snprintf(law, sizeof law, "%s on a disk that is full at a write", what);
    report_tally(&write_calls, law, as_it_was);
    snprintf(law, sizeof law, "%s whose sync fails: no more writes through that handle", what);
    report_tally(&sync_calls, law, as_it_was);
    snprintf(law, sizeof law, "%s whose meta page fails: no more reads and writes through that handle", what);
    report_tally(&meta_calls, law, "whole or absent when the book is opened anew");
    if (whole)
        is_int(meta_calls.stored, 1, "it is there where the page arrived and could not be taken back, and else not");
    free(sums);
    crash_remove(directory);
    crash_remove(base);
}

int main(int count, char **words) {
    if (count == 8) return poster(words);
    unsigned more = getenv("KONTOR_LONG") ? 20 : 1;
    const char *built = crash_built("tests/libfault.so");
    if (!built) skip_all("libfault.so is not built");
    snprintf(shim, sizeof shim, "%s", built);
    if (!realpath("/proc/self/exe", program)) skip_all("no /proc to find this program by");
    state = test_seed();
    snprintf(directory, sizeof directory, "%s/book", test_dir());
    snprintf(base, sizeof base, "%s/base", test_dir());
    uint64_t seed = test_random(&state);
    kind_of_batch("a batch", (crash_load){.seed = seed, .batches = BEFORE + 1}, 20 * more, 3, 1);
    kind_of_batch("a batch of several transactions",
                  (crash_load){.seed = seed, .batches = BEFORE + 1, .large = BEFORE + 1}, 3 * more, 1, 2);
    kind_of_batch("a batch that writes state ahead",
                  (crash_load){.seed = seed, .batches = BEFORE + 1, .spread = BEFORE + 1}, 2 * more, 1, 1);
    return done();
}
