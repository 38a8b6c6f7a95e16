#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* nftw */
#endif
#include "tests/tap.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int tests_run, tests_failed;
static char directory[512];
static pid_t owner;         /* a forked child that exits must not take the directory with it */
static char seed_note[100]; /* shown with a failure: prove hides what passing tests say */

static bool report(bool passed, const char *law, va_list arguments) {
    tests_run++;
    tests_failed += !passed;
    printf("%sok %d - ", passed ? "" : "not ", tests_run);
    va_list copy;
    va_copy(copy, arguments);
    vprintf(law, copy);
    va_end(copy);
    putchar('\n');
    fflush(stdout);
    if (!passed) {
        fprintf(stderr, "# failed: ");
        vfprintf(stderr, law, arguments);
        fprintf(stderr, "\n%s", seed_note);
    }
    return passed;
}

#define REPORT(passed)                             \
    va_list arguments;                             \
    va_start(arguments, law);                      \
    bool holds = report((passed), law, arguments); \
    va_end(arguments)

bool ok(bool passed, const char *law, ...) {
    REPORT(passed);
    return holds;
}

bool is_int(long long found, long long expected, const char *law, ...) {
    REPORT(found == expected);
    if (!holds) diag("expected %lld\n   found %lld", expected, found);
    return holds;
}

bool is_text(const char *found, const char *expected, const char *law, ...) {
    REPORT(found == expected || (found && expected && strcmp(found, expected) == 0));
    if (!holds) diag("expected %s\n   found %s", expected ? expected : "(no text)", found ? found : "(no text)");
    return holds;
}

static void diag_bytes(const char *name, const uint8_t *data, size_t size, size_t from) {
    size_t begin = from > 8 ? from - 8 : 0;
    char text[3 * 32 + 1] = "";
    for (size_t i = 0; i < 32 && begin + i < size; i++) snprintf(text + 3 * i, 4, "%02x ", data[begin + i]);
    diag("%s %zu bytes, from byte %zu: %s", name, size, begin, text);
}

bool is_bytes(const void *found, size_t found_size, const void *expected, size_t expected_size, const char *law, ...) {
    const uint8_t *a = found, *b = expected;
    size_t same = 0;
    while (same < found_size && same < expected_size && a[same] == b[same]) same++;
    REPORT(found_size == expected_size && same == found_size);
    if (!holds) {
        diag_bytes("expected", b, expected_size, same);
        diag_bytes("   found", a, found_size, same);
    }
    return holds;
}

bool is_code(kt_code found, kt_code expected, const char *law, ...) {
    REPORT(found == expected);
    if (!holds)
        diag("expected %s (%d)\n   found %s (%d)", kt_code_name(expected), (int)expected, kt_code_name(found),
             (int)found);
    return holds;
}

bool has_text(const char *found, const char *part, const char *law, ...) {
    REPORT(found && strstr(found, part));
    if (!holds) diag("expected a text with: %s\n   found %s", part, found ? found : "(no text)");
    return holds;
}

void diag(const char *format, ...) {
    char text[8192];
    FILE *to = tests_failed ? stderr : stdout;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *line = text, *end; line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        fprintf(to, "# %.*s\n", end ? (int)(end - line) : (int)strlen(line), line);
    }
    fflush(to);
}

void skip(int tests, const char *reason, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, reason);
    vsnprintf(text, sizeof text, reason, arguments);
    va_end(arguments);
    for (int i = 0; i < tests; i++) printf("ok %d # SKIP %s\n", ++tests_run, text);
    fflush(stdout);
}

void skip_all(const char *reason, ...) {
    va_list arguments;
    va_start(arguments, reason);
    fputs("1..0 # SKIP ", stdout);
    vprintf(reason, arguments);
    va_end(arguments);
    putchar('\n');
    exit(0);
}

int done(void) {
    printf("1..%d\n", tests_run);
    if (tests_failed) diag("%d of %d tests failed", tests_failed, tests_run);
    fflush(stdout);
    return tests_failed || tests_run == 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status, (void)place;
    if (kind == FTW_DP) return rmdir(path) && errno != ENOENT;
    return unlink(path) && errno != ENOENT;
}

/* Tests take permissions away; without them back, nothing below could be removed. */
static int open_up(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status, (void)place;
    if (kind == FTW_D || kind == FTW_DNR) (void)!chmod(path, 0700);
    return 0;
}

static void remove_directory(void) {
    if (getpid() != owner) return;
    nftw(directory, open_up, 16, FTW_PHYS);
    nftw(directory, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

const char *test_dir(void) {
    if (directory[0]) return directory;
    const char *temporary = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/kontor-test-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(directory)) {
        printf("Bail out! %s: %s\n", directory, strerror(errno));
        exit(255);
    }
    owner = getpid();
    atexit(remove_directory);
    return directory;
}

const char *test_cases(void) {
    const char *named = getenv("KONTOR_CASES");
    const char *place = named && *named ? named : "../shared/cases";
    struct stat status;
    return stat(place, &status) == 0 && S_ISDIR(status.st_mode) ? place : NULL;
}

/* A crash in a random test is of no use without its seed. */
static void say_seed(int number) {
    (void)!write(STDERR_FILENO, seed_note, strlen(seed_note));
    signal(number, SIG_DFL);
    raise(number);
}

uint64_t test_seed(void) {
    const char *given = getenv("KONTOR_SEED");
    struct timespec now;
    uint64_t seed;
    if (given && *given) {
        seed = strtoull(given, NULL, 0);
    } else {
        clock_gettime(CLOCK_REALTIME, &now);
        seed = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    }
    snprintf(seed_note, sizeof seed_note, "# KONTOR_SEED=%llu repeats it\n", (unsigned long long)seed);
    fputs(seed_note, stdout);
    signal(SIGABRT, say_seed);
    signal(SIGFPE, say_seed);
    return seed;
}

uint64_t test_random(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}
