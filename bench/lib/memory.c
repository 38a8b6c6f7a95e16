#define _GNU_SOURCE
#include "bench/lib/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/lib/tool.h"

#define LOOK_NS 10000000
#define LOOKS_A_SEARCH 10 /* children are looked for less often: it means reading all of /proc */

static pthread_t watcher;
static atomic_bool watching;
static DIR *processes; /* NULL: children are not looked for */
static uint64_t peak_kb;

/* Nothing here allocates while it watches: what is measured forks (verification does), and a sanitizer's allocator whose lock is
   held then stays locked in the child. */

/* The anonymous memory of a process; 0 where it is gone. *parent: of whom it is a child. */
static uint64_t anonymous_kb(const char *process, long *parent) {
    char path[300], text[4096];
    snprintf(path, sizeof path, "/proc/%s/status", process);
    *parent = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    text[size < 0 ? 0 : size] = 0;
    const char *at = strstr(text, "\nPPid:"), *anonymous = strstr(text, "\nRssAnon:");
    if (at != NULL) *parent = strtol(at + 6, NULL, 10);
    return anonymous == NULL ? 0 : strtoull(anonymous + 9, NULL, 10);
}

static uint64_t children_kb(void) {
    uint64_t sum = 0;
    struct dirent *one;
    rewinddir(processes);
    while ((one = readdir(processes)) != NULL) {
        long parent;
        if (one->d_name[0] < '1' || one->d_name[0] > '9') continue;
        uint64_t kb = anonymous_kb(one->d_name, &parent);
        if (parent == (long)getpid()) sum += kb;
    }
    return sum;
}

static void *watch(void *unused) {
    uint64_t children = 0;
    (void)unused;
    for (unsigned look = 0; atomic_load(&watching); look++) {
        long parent;
        if (processes != NULL && look % LOOKS_A_SEARCH == 0) children = children_kb();
        uint64_t kb = anonymous_kb("self", &parent) + children;
        if (kb > peak_kb) peak_kb = kb;
        nanosleep(&(struct timespec){0, LOOK_NS}, NULL);
    }
    return NULL;
}

void bench_memory_start(bool children) {
    peak_kb = 0;
    processes = children ? opendir("/proc") : NULL;
    atomic_store(&watching, true);
    if (pthread_create(&watcher, NULL, watch, NULL) != 0) bench_die("a thread", NULL);
}

uint64_t bench_memory_stop(void) {
    atomic_store(&watching, false);
    pthread_join(watcher, NULL);
    if (processes != NULL) closedir(processes);
    processes = NULL;
    return peak_kb * 1024;
}
