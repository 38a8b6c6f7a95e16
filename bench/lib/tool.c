#define _GNU_SOURCE
#include "bench/lib/tool.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "engine/money.h"
#include "storage/bytes.h"

static char place[BENCH_PATH];
static volatile sig_atomic_t stop;

void bench_die(const char *what, const kt_error *error) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, error == NULL ? strerror(errno) : error->text);
    exit(1);
}

int64_t bench_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t bench_cpu_ns(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
           ((int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

uint64_t bench_rate(uint64_t count, int64_t ns) {
    return ns <= 0 ? 0 : (uint64_t)((kt_uint128)count * 1000000000u / (uint64_t)ns);
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t bench_rank(int64_t *values, size_t count, unsigned permille) {
    if (count == 0) return 0;
    qsort(values, count, sizeof *values, compare);
    size_t at = count * permille / 1000;
    return values[at < count ? at : count - 1];
}

uint64_t bench_number(const char *option, const char *text, uint64_t most) {
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && value <= most; at++) value = value * 10 + (uint64_t)(*at - '0');
    if (*at == 0 && at != text && value != 0 && value <= most) return value;
    fprintf(stderr, "%s: %s %s: expected a number from 1 to %llu\n", program_invocation_short_name, option, text,
            (unsigned long long)most);
    exit(2);
}

char *bench_show(int64_t value, unsigned decimals, char *room, size_t size) {
    char text[KT_AMOUNT_TEXT];
    kt_amount_format(value, (uint8_t)decimals, ',', text);
    snprintf(room, size, "%s", text);
    return room;
}

/* ---- the place ---- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void bench_remove(const char *path) { (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static void remove_place(void) { bench_remove(place); }

/* The second signal ends the program the hard way. */
static void want_end(int number) {
    stop = 1;
    signal(number, SIG_DFL);
}

bool bench_stopped(void) { return stop != 0; }

const char *bench_place(const char *directory, bool keep) {
    snprintf(place, sizeof place - 64, "%s/kontor-bench-XXXXXX", directory);
    if (mkdtemp(place) == NULL) bench_die(place, NULL);
    if (!keep) atexit(remove_place);
    signal(SIGINT, want_end);
    signal(SIGTERM, want_end);
    return place;
}

uint64_t bench_room(const char *directory) {
    struct statvfs disk;
    if (statvfs(directory, &disk) != 0) bench_die(directory, NULL);
    return (uint64_t)disk.f_bavail * disk.f_frsize;
}
