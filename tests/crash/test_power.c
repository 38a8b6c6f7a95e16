/* A power cut takes what was not synced. A poster's writes and syncs are traced and played back up to many moments,
   each with the unsynced writes dropped, kept in part, or torn; the book opens, verifies, and has every batch that was
   acknowledged (LAW 3, LAW 4). The same poster on a store that does not sync must be caught. */
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
#include "tests/crash/replay.h"
#include "tests/tap.h"

#define VERIFY_BELOW (4u << 20) /* images larger than this are verified in full each tenth time only */

static uint64_t state;
static char program[4096], shim[4096], place[600], trace_path[700], book[700], base[700], image[700], image_book[720];
static crash_load load = {
    .batches = 42, .large = 39, .spread = 41}; /* towards the end, so that most images are small */
static crash_sum *sums;

/* ---- the poster's side ---- */

static int poster(int count, char **words) {
    if (count == 3 && strcmp(words[1], "found") == 0) {
        kt_error error = {0};
        crash_ack ack = {0, crash_found(words[2], &error)};
        return write(TRACE_ACKS, &ack, sizeof ack) != (ssize_t)sizeof ack || ack.code != KT_OK;
    }
    if (count != 4 || strcmp(words[1], "post") != 0) return 2;
    load.seed = strtoull(words[3], NULL, 0);
    return crash_poster(words[2], &load, 0, TRACE_ACKS);
}

/* Runs a poster with its trace; true: it ended well. */
static bool traced(const char *who, const char *what) {
    char seed[32], to[800], under[800];
    int status = 0, nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)load.seed);
    snprintf(to, sizeof to, "KONTOR_TRACE=%s", trace_path);
    snprintf(under, sizeof under, "KONTOR_TRACE_PLACE=%s", place);
    const char *arguments[] = {who, what, book, strcmp(what, "post") == 0 ? seed : NULL, NULL};
    const char *settings[] = {to, under, NULL};
    unlink(trace_path);
    pid_t child = crash_spawn(who, arguments, shim, settings, nothing);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    close(nothing);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool copy_book(const char *from, const char *to) {
    char command[2400]; /* paths of this test's own making */
    snprintf(command, sizeof command, "mkdir -p '%s' && cp -R '%s' '%s'", to, from, to);
    return system(command) == 0;
}

/* ---- cuts ---- */

struct tally {
    unsigned cuts, verified, wrong, acks, pieces, ahead;
    kt_error first;
};

static void wrong(struct tally *tally, size_t number, crash_cut cut, const kt_error *why) {
    static const char *const names[] = {"all unsynced writes dropped", "some kept", "some sectors kept",
                                        "the last torn"};
    if (tally->wrong++ == 0)
        kt_fail(&tally->first, KT_DAMAGED, "cut before event %zu, %s: %s", number, names[cut], why->text);
}

/* The disk as the cut leaves it is a good book with at least the batches acknowledged. */
static void cut_here(crash_replay *replay, size_t number, crash_cut cut, unsigned acked, struct tally *tally) {
    kt_error why = {0};
    unsigned found;
    struct stat status;
    char data[800];
    crash_remove(image_book);
    tally->cuts++;
    snprintf(data, sizeof data, "%s/data.mdb", image_book);
    if (!crash_replay_image(replay, cut, &state, image) || stat(data, &status) != 0) {
        kt_fail(&why, KT_IO, "the image has no data.mdb");
        wrong(tally, number, cut, &why);
        return;
    }
    bool some_pieces, some_ahead;
    if (crash_leftovers(image_book, &some_pieces, &some_ahead)) {
        tally->pieces += some_pieces;
        tally->ahead += some_ahead;
    }
    /* Verified as the cut left it, and checked once a writer has opened it. */
    if (status.st_size < (off_t)VERIFY_BELOW || tally->cuts % 10 == 0) {
        tally->verified++;
        if (!crash_verify(image_book, &why)) {
            wrong(tally, number, cut, &why);
            return;
        }
    }
    if (!crash_check(image_book, &load, sums, acked, acked + 1, &found, &why)) wrong(tally, number, cut, &why);
}

static bool *choose(const crash_replay *replay, unsigned small, unsigned large) {
    size_t count = crash_replay_count(replay), border = 0;
    const void *bytes;
    bool *chosen = calloc(count + 1, sizeof *chosen);
    unsigned acks = 0;
    for (size_t i = 0; i < count && acks < load.large - 1; i++) {
        acks += crash_replay_event(replay, i, &bytes)->kind == TRACE_ACK;
        border = i + 1;
    }
    for (unsigned i = 0; chosen && border > 0 && i < small; i++) chosen[test_random(&state) % border] = true;
    for (unsigned i = 0; chosen && i < large; i++) chosen[border + test_random(&state) % (count + 1 - border)] = true;
    return chosen;
}

/* Each acknowledgement with everything unsynced dropped, and `small` and `large` random moments (before the large
   batch, and from it on) with a random cut. *unsynced: acknowledgements with bytes of theirs not synced. */
static void cut_often(crash_replay *replay, unsigned small, unsigned large, struct tally *tally, unsigned *unsynced) {
    bool *chosen = choose(replay, small, large);
    unsigned acked = 0;
    *unsynced = 0;
    for (size_t i = 0; chosen && i <= crash_replay_count(replay); i++) {
        const void *bytes;
        crash_replay_to(replay, i);
        if (!crash_replay_knows(replay, "book/data.mdb")) continue; /* not opened yet */
        bool ack = i > 0 && crash_replay_event(replay, i - 1, &bytes)->kind == TRACE_ACK;
        if (ack) {
            acked++;
            tally->acks++;
            *unsynced += crash_replay_unsynced(replay) != 0;
            cut_here(replay, i, CUT_DROPS_ALL, acked, tally);
        }
        if (chosen[i]) cut_here(replay, i, (crash_cut)(test_random(&state) % 4), acked, tally);
    }
    free(chosen);
    crash_remove(image_book);
}

/* ---- laws ---- */

static bool begin_book(void) {
    kt_error error = {0};
    char command[2400];
    snprintf(command, sizeof command, "rm -rf '%s' '%s' && mkdir -p '%s'", place, base, place);
    return system(command) == 0 && crash_found(book, &error) == KT_OK && copy_book(book, base);
}

/* The trace has everything: played to its end it gives the file as it lies there, and nothing went through memory. */
static void trace_is_whole(crash_replay *replay) {
    char path[800];
    size_t size = 0, mapped = 0, read = 0;
    const void *bytes;
    struct stat status = {0};
    for (size_t i = 0; i < crash_replay_count(replay); i++)
        mapped += crash_replay_event(replay, i, &bytes)->kind == TRACE_MAPPED;
    is_int((long long)mapped, 0, "the journal is not written through memory");
    snprintf(path, sizeof path, "%s/data.mdb", book);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *there = fstat(fd, &status) == 0 ? malloc((size_t)status.st_size + 1) : NULL;
    if (there) read = (size_t)pread(fd, there, (size_t)status.st_size, 0);
    const uint8_t *played = crash_replay_file(replay, "book/data.mdb", &size);
    is_bytes(played, size, there, read, "all of the trace gives the file as it lies there");
    free(there);
    close(fd);
}

static void synced_poster(void) {
    struct tally tally = {0};
    unsigned unsynced, more = getenv("KONTOR_LONG") ? 20 : 1;
    ok(begin_book() && traced(program, "post"), "a poster runs with its trace");
    crash_replay *replay = crash_replay_open(trace_path, place, base);
    if (!ok(replay != NULL, "the trace is read")) return;
    cut_often(replay, 150 * more, 25 * more, &tally, &unsynced);
    diag("%zu events, %u cuts, %u of them verified in full, %u with pieces of a batch and %u with state written ahead",
         crash_replay_count(replay), tally.cuts, tally.verified, tally.pieces, tally.ahead);
    is_int(tally.acks, load.batches, "each batch is acknowledged");
    is_int(unsynced, 0, "nothing is acknowledged before all that was written is synced (LAW 3)");
    ok(tally.wrong == 0, "%u power cuts: acknowledged batches are there, each whole or absent, and verification passes",
       tally.cuts);
    if (tally.wrong != 0) diag("%u wrong; %s", tally.wrong, tally.first.text);
    trace_is_whole(replay);
    crash_replay_close(replay);
}

/* The test can fail: the same on a store that does not sync. */
static void unsynced_poster(void) {
    struct tally tally = {0};
    unsigned unsynced;
    char careless[4096];
    const char *built = crash_built("tests/crash/nosync_power");
    if (!ok(built != NULL, "there is a poster whose store does not sync")) return;
    snprintf(careless, sizeof careless, "%s", built);
    ok(begin_book() && traced(careless, "post"), "it runs with its trace");
    crash_replay *replay = crash_replay_open(trace_path, place, base);
    if (!ok(replay != NULL, "the trace is read")) return;
    cut_often(replay, 0, 0, &tally, &unsynced);
    is_int(tally.acks, load.batches, "it acknowledges each batch as well");
    is_int(unsynced, load.batches, "each time with writes not synced");
    is_int(tally.wrong, load.batches, "and each time a power cut is found to lose what was acknowledged");
    has_text(tally.first.text, "acknowledged work is lost", "by that reason");
    crash_replay_close(replay);
}

/* A book that is said to be founded is on the disk, with its directory and its key. */
static void founding(void) {
    kt_error why = {0};
    char command[2400];
    unsigned crashed = 0, odd = 0;
    snprintf(command, sizeof command, "rm -rf '%s' '%s' && mkdir -p '%s'", place, base, place);
    ok(system(command) == 0 && traced(program, "found"), "a book is founded with its trace");
    crash_replay *replay = crash_replay_open(trace_path, place, NULL);
    if (!ok(replay != NULL, "the trace is read")) return;
    for (size_t i = 0; i < crash_replay_count(replay); i++) {
        kt_book *opened = NULL;
        crash_replay_to(replay, i);
        crash_remove(image_book);
        crash_replay_image(replay, (crash_cut)(test_random(&state) % 4), &state, image);
        /* Half a founding is no book, or a whole one. */
        kt_open_options options = {.read_only = true};
        kt_code code = kt_book_open(image_book, &options, &opened, &why);
        kt_book_close(opened);
        odd += code == KT_OK && !crash_verify(image_book, &why);
        crashed += code == KT_OK;
    }
    is_int(odd, 0, "cut anywhere in between, it is a good book (%u times) or refused as none", crashed);
    crash_replay_to(replay, crash_replay_count(replay));
    crash_remove(image_book);
    crash_replay_image(replay, CUT_DROPS_ALL, &state, image);
    bool good = crash_check(image_book, &load, sums, 0, 0, &crashed, &why) && crash_verify(image_book, &why);
    ok(good, "once it is said to be founded, a power cut does not take it, nor its directory, nor its key");
    if (!good) diag("%s", why.text);
    crash_replay_close(replay);
    crash_remove(image_book);
}

int main(int count, char **words) {
    if (count > 1) return poster(count, words);
    const char *built = crash_built("tests/libtrace.so");
    if (!built) skip_all("libtrace.so is not built");
    snprintf(shim, sizeof shim, "%s", built);
    if (!realpath("/proc/self/exe", program)) skip_all("no /proc to find this program by");
    state = test_seed();
    load.seed = test_random(&state);
    sums = crash_sums(&load);
    snprintf(place, sizeof place, "%s/place", test_dir());
    snprintf(book, sizeof book, "%s/book", place);
    snprintf(base, sizeof base, "%s/base", test_dir());
    snprintf(image, sizeof image, "%s/image", test_dir());
    snprintf(image_book, sizeof image_book, "%s/book", image);
    snprintf(trace_path, sizeof trace_path, "%s/trace", test_dir());
    if (mkdir(image, 0700) != 0) skip_all("%s: %s", image, strerror(errno));
    founding();
    synced_poster();
    unsynced_poster();
    free(sums);
    return done();
}
