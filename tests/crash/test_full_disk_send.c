/* A disk that fails while one batch is under way and the next is being filled behind it: the one that could not be stored
   says why when it is received, and so does every one after it, which was checked against what is not there; nothing of
   them is in the book nor in memory, and the same batches, sent once more, are there once (LAW 3, LAW 4). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/load.h"
#include "tests/tap.h"

#define BEFORE 4 /* batches in the book when the disk fails */
#define SENDS 2  /* and those sent while it does */

/* What becomes of the second batch. */
enum order {
    SENT,      /* it is sent before the first is received */
    OPEN,      /* the first is received while it is open; then it is sent */
    COMMITTED, /* likewise, and it is committed */
    ABORTED,   /* it is aborted before the first is received */
    ORDERS
};
static const char *const order_names[] = {"sent behind it", "open behind it", "committed behind it",
                                          "aborted behind it"};

/* What a poster on a failing disk met. */
struct report {
    kt_error faulty[SENDS]; /* KT_OK: acknowledged; KT_END: aborted by choice */
    kt_error again[SENDS];  /* once more through the same handle, the disk being well */
    kt_error reading;       /* looking into the book through the same handle */
    kt_code none;           /* receiving what was not sent */
    bool filled;            /* the second batch was taken whole */
};

static uint64_t state;
static char program[4096], shim[4096], directory[600], base[600];

/* ---- the poster's side, under the shim ---- */

static void fill(kt_book *book, const crash_load *load, unsigned which, kt_batch **out, kt_error *why) {
    *out = NULL;
    why->code = crash_fill(book, load, BEFORE + which, out, NULL, why);
    if (why->code == KT_OK) return;
    kt_batch_abort(*out);
    *out = NULL;
}

static bool hand_over(kt_batch *batch, kt_error *why) {
    if (batch) why->code = kt_batch_send(batch, why);
    return batch && why->code == KT_OK;
}

static void receive(kt_book *book, bool sent, kt_error *why) {
    if (sent) why->code = kt_book_receive(book, true, NULL, why);
}

static void try_both(kt_book *book, const crash_load *load, enum order order, struct report *report, kt_error *met) {
    kt_batch *first, *second;
    fill(book, load, 0, &first, &met[0]);
    bool first_sent = hand_over(first, &met[0]), second_sent = false;
    fill(book, load, 1, &second, &met[1]);
    report->filled = second != NULL;
    if (order == ABORTED && second) {
        kt_batch_abort(second);
        second = NULL;
        met[1].code = KT_END;
    }
    if (order == SENT) second_sent = hand_over(second, &met[1]);
    receive(book, first_sent, &met[0]);
    if (order == OPEN) second_sent = hand_over(second, &met[1]);
    if (order == COMMITTED && second) met[1].code = kt_batch_commit(second, NULL, &met[1]);
    receive(book, second_sent, &met[1]);
}

/* failing DIRECTORY SEED LARGE SPREAD NAME VALUE ORDER */
static int poster(char **words) {
    crash_load load = {.seed = strtoull(words[3], NULL, 0),
                       .batches = BEFORE + SENDS,
                       .large = (unsigned)atoi(words[4]),
                       .spread = (unsigned)atoi(words[5])};
    struct report report = {0}, unwanted;
    kt_book *book = NULL;
    kt_view *view = NULL;
    if (kt_book_open(words[2], NULL, &book, NULL) != KT_OK) return 1;
    setenv(words[6], words[7], 1);
    try_both(book, &load, (enum order)atoi(words[8]), &report, report.faulty);
    report.none = kt_book_receive(book, true, NULL, NULL);
    unsetenv(words[6]);
    try_both(book, &load, SENT, &unwanted, report.again);
    report.reading.code = kt_view_open(book, NULL, &view, &report.reading);
    kt_view_close(view);
    kt_book_close(book);
    return write(3, &report, sizeof report) != (ssize_t)sizeof report;
}

/* ---- the test's side ---- */

static bool run_poster(const crash_load *load, const char *name, uint64_t value, enum order order,
                       struct report *report) {
    int ends[2], status = 0;
    char seed[32], large[16], spread[16], number[32], how[16], fault_place[700];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)load->seed);
    snprintf(large, sizeof large, "%u", load->large);
    snprintf(spread, sizeof spread, "%u", load->spread);
    snprintf(number, sizeof number, "%llu", (unsigned long long)value);
    snprintf(how, sizeof how, "%d", (int)order);
    snprintf(fault_place, sizeof fault_place, "KONTOR_FAULT_PLACE=%s", directory);
    const char *arguments[] = {program, "failing", directory, seed, large, spread, name, number, how, NULL};
    const char *settings[] = {fault_place, NULL};
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    pid_t child = crash_spawn(program, arguments, shim, settings, ends[1]);
    close(ends[1]);
    size_t got = 0;
    for (ssize_t more; got < sizeof *report; got += (size_t)more)
        if ((more = read(ends[0], (char *)report + got, sizeof *report - got)) <= 0) break;
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return got == sizeof *report && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct tally {
    unsigned tried, refused, wrong;
    unsigned filled; /* the second batch was whole and open when the first was refused */
    kt_error first;
};

static void complain(struct tally *tally, const char *what, const kt_error *why) {
    if (tally->wrong++ == 0)
        kt_fail(&tally->first, KT_DAMAGED, "%s: %s (%s)", what, kt_code_name(why->code), why->text);
}

static bool is(const char *name, const char *setting) { return strcmp(name, setting) == 0; }

/* What the poster was told. *least and *most: the batches that may be there. */
static void check_report(const struct report *report, const char *name, enum order order, kt_code expected,
                         struct tally *tally, unsigned *least, unsigned *most) {
    const kt_error *one = &report->faulty[0], *two = &report->faulty[1];
    bool poisons = is(name, "KONTOR_FAULT_SYNC") || is(name, "KONTOR_FAULT_META");
    const kt_error *why = one->code != KT_OK ? one : two; /* the first that failed has the disk's own words */
    *least = BEFORE + (unsigned)(one->code == KT_OK) + (unsigned)(two->code == KT_OK);
    if (one->code != KT_OK && two->code == KT_OK) complain(tally, "the second is taken without the first", one);
    if (why->code != KT_OK && why->code != KT_END) {
        tally->refused++;
        tally->filled += report->filled && one->code != KT_OK;
        if (why->code != expected || !strstr(why->text, directory)) complain(tally, "the refusal", why);
    }
    if (one->code != KT_OK && two->code != expected && two->code != KT_POISONED && two->code != KT_END)
        complain(tally, "the refusal of the second", two);
    if (report->none != KT_END) complain(tally, "receiving more than was sent", two);
    for (unsigned i = 0; i < SENDS; i++) {
        const kt_error *again = &report->again[i];
        bool taken = report->faulty[i].code == KT_OK;
        bool good = again->code == (taken ? KT_REPEATED : KT_OK);
        /* What met an aborted one is told by nobody, but the handle knows. */
        if (again->code == KT_POISONED && why->code != KT_OK) continue;
        if (!good || (poisons && why->code != KT_OK && why->code != KT_END))
            complain(tally, i == 0 ? "the first again through the same handle" : "the second likewise", again);
        if (good) *least = BEFORE + i + 1 > *least ? BEFORE + i + 1 : *least;
    }
    if (report->reading.code != KT_POISONED && (report->reading.code != KT_OK))
        complain(tally, "reading through the same handle", &report->reading);
    *most = *least;
    /* A meta page whose write failed may have arrived all the same: then what it names is there, and whole. */
    if (is(name, "KONTOR_FAULT_META")) *most = order == ABORTED && *least < BEFORE + 1 ? BEFORE + 1 : BEFORE + SENDS;
}

/* One poster on a disk that fails at one point; the book as it was left, and the batches sent again. */
static void attempt(const crash_load *load, const crash_sum *sums, const char *name, uint64_t value, enum order order,
                    kt_code expected, struct tally *tally) {
    struct report report = {0}, after = {0};
    kt_error why = {0};
    kt_book *book = NULL;
    unsigned found, least, most;
    tally->tried++;
    if (!crash_copy(base, directory) || !run_poster(load, name, value, order, &report)) {
        complain(tally, "the poster did not end well", &why);
        return;
    }
    unsigned wrong = tally->wrong;
    check_report(&report, name, order, expected, tally, &least, &most);
    if (!crash_verify(directory, &why) || !crash_check(directory, load, sums, least, most, &found, &why)) {
        complain(tally, "as it was left", &why);
    } else {
        kt_code code = kt_book_open(directory, NULL, &book, &why);
        if (code == KT_OK) try_both(book, load, SENT, &after, after.faulty);
        kt_book_close(book);
        for (unsigned i = 0; i < SENDS; i++)
            if (after.faulty[i].code != (found > BEFORE + i ? KT_REPEATED : KT_OK))
                complain(tally, "once the disk is well", &after.faulty[i]);
        if (!crash_check(directory, load, sums, BEFORE + SENDS, BEFORE + SENDS, &found, &why) ||
            !crash_verify(directory, &why))
            complain(tally, "in the end", &why);
    }
    if (tally->wrong != wrong)
        diag("%s=%llu, %s: %s, then %s; again %s, %s; reading %s", name, (unsigned long long)value, order_names[order],
             kt_code_name(report.faulty[0].code), kt_code_name(report.faulty[1].code),
             kt_code_name(report.again[0].code), kt_code_name(report.again[1].code), kt_code_name(report.reading.code));
}

static void report_tally(const struct tally *tally, const char *what, const char *fault) {
    ok(tally->wrong == 0 && tally->refused > 0, "%s, %s: refused (%u of %u), and both are there once when sent again",
       what, fault, tally->refused, tally->tried);
    if (tally->wrong != 0) diag("%u wrong; %s", tally->wrong, tally->first.text);
}

static void kind_of_batch(const char *what, crash_load load, uint64_t bytes, unsigned rounds) {
    crash_sum *sums = crash_sums(&load);
    struct tally space = {0}, writes = {0}, syncs = {0}, metas = {0};
    ok(crash_book_with(base, &load, BEFORE), "%s: a book with some batches", what);
    for (unsigned i = 0; i < rounds; i++)
        attempt(&load, sums, "KONTOR_FAULT_SPACE", test_random(&state) % bytes, (enum order)(i % ORDERS), KT_DISK_FULL,
                &space);
    for (unsigned i = 1; i <= 2; i++)
        for (unsigned order = 0; order < ORDERS; order++)
            attempt(&load, sums, "KONTOR_FAULT_WRITE", i, (enum order)order, KT_DISK_FULL, &writes);
    for (unsigned i = 1; i <= 2; i++)
        attempt(&load, sums, "KONTOR_FAULT_SYNC", i, (enum order)(test_random(&state) % ORDERS), KT_IO, &syncs);
    for (unsigned i = 1; i <= 3; i++)
        attempt(&load, sums, "KONTOR_FAULT_META", i, (enum order)(test_random(&state) % ORDERS), KT_IO, &metas);
    report_tally(&space, what, "on a disk that fills up anywhere");
    report_tally(&writes, what, "on a disk that is full");
    report_tally(&syncs, what, "on a disk whose sync fails");
    report_tally(&metas, what, "on a disk whose meta page fails");
    if (load.large == 0)
        ok(writes.filled > 0, "the next one was filled behind what failed (%u times)", writes.filled + space.filled);
    free(sums);
    crash_remove(directory);
    crash_remove(base);
}

int main(int count, char **words) {
    if (count == 9) return poster(words);
    unsigned more = getenv("KONTOR_LONG") ? 20 : 1;
    const char *built = crash_built("tests/libfault.so");
    if (!built) skip_all("libfault.so is not built");
    snprintf(shim, sizeof shim, "%s", built);
    if (!realpath("/proc/self/exe", program)) skip_all("no /proc to find this program by");
    state = test_seed();
    snprintf(directory, sizeof directory, "%s/book", test_dir());
    snprintf(base, sizeof base, "%s/base", test_dir());
    uint64_t seed = test_random(&state);
    kind_of_batch("a batch and one behind it", (crash_load){.seed = seed, .batches = BEFORE + SENDS}, 200000, 8 * more);
    kind_of_batch("a batch and one of several transactions behind it",
                  (crash_load){.seed = seed, .batches = BEFORE + SENDS, .large = BEFORE + 2}, 30000000, 4 * more);
    kind_of_batch("a batch of several transactions and one behind it",
                  (crash_load){.seed = seed, .batches = BEFORE + SENDS, .large = BEFORE + 1}, 30000000, 4 * more);
    return done();
}
