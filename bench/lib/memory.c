#define _GNU_SOURCE
#include "bench/lib/memory.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench/lib/tool.h"

#define LOOK_NS 10000000
#define LOOKS_A_SEARCH 10 /* children are looked for less often: it means reading all of /proc */

static pthread_t watcher;
static atomic_bool watching;
static bool with_children;
static uint64_t peak_kb;

/* The anonymous memory of a process; 0 where it is gone. *parent: of whom it is a child. */
static uint64_t anonymous_kb(const char *process, long *parent) {
    char path[300], line[256];
    uint64_t kb = 0;
    snprintf(path, sizeof path, "/proc/%s/status", process);
    FILE *status = fopen(path, "r");
    *parent = 0;
    if (status == NULL) return 0;
    while (fgets(line, sizeof line, status) != NULL) {
        unsigned long found;
        if (sscanf(line, "PPid: %ld", parent) == 1) continue;
        if (sscanf(line, "RssAnon: %lu kB", &found) == 1) {
            kb = found;
            break;
        }
    }
    fclose(status);
    return kb;
}

static uint64_t children_kb(void) {
    DIR *all = opendir("/proc");
    uint64_t sum = 0;
    struct dirent *one;
    if (all == NULL) return 0;
    while ((one = readdir(all)) != NULL) {
        long parent;
        if (one->d_name[0] < '1' || one->d_name[0] > '9') continue;
        uint64_t kb = anonymous_kb(one->d_name, &parent);
        if (parent == (long)getpid()) sum += kb;
    }
    closedir(all);
    return sum;
}

static void *watch(void *unused) {
    uint64_t children = 0;
    (void)unused;
    for (unsigned look = 0; atomic_load(&watching); look++) {
        long parent;
        if (with_children && look % LOOKS_A_SEARCH == 0) children = children_kb();
        uint64_t kb = anonymous_kb("self", &parent) + children;
        if (kb > peak_kb) peak_kb = kb;
        nanosleep(&(struct timespec){0, LOOK_NS}, NULL);
    }
    return NULL;
}

void bench_memory_start(bool children) {
    peak_kb = 0;
    with_children = children;
    atomic_store(&watching, true);
    if (pthread_create(&watcher, NULL, watch, NULL) != 0) bench_die("a thread", NULL);
}

uint64_t bench_memory_stop(void) {
    atomic_store(&watching, false);
    pthread_join(watcher, NULL);
    return peak_kb * 1024;
}
