/*
 * tool: what every benchmark counts with: clocks, medians, numbers read and shown, a place on the disk that is removed
 * again. Benchmarks are programs that end at the first fault: bench_die says what was being done and exits with 1.
 *
 * The place is removed at exit, however the program ends; SIGINT and SIGTERM only raise a flag that the posting looks at
 * between batches, so that a long run that is broken off leaves nothing of several gigabytes behind.
 */
#ifndef KT_BENCH_TOOL_H
#define KT_BENCH_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/error.h"

#define BENCH_PATH 4096

_Noreturn void bench_die(const char *what, const kt_error *error); /* error NULL: errno says why */

int64_t bench_now_ns(void);
int64_t bench_cpu_ns(void); /* of all threads of this process, user and system */

/* Per second, of what took ns. */
uint64_t bench_rate(uint64_t count, int64_t ns);
/* Sorts the values. The one that `permille` of a thousand do not exceed; 500: the median. 0 where there is none. */
int64_t bench_rank(int64_t *values, size_t count, unsigned permille);

/* A whole number above 0, as written; anything else ends the program with status 2. */
uint64_t bench_number(const char *option, const char *text, uint64_t most);

/* A value of `decimals` decimals with its thousands parted; `size` bytes of room, returned. */
char *bench_show(int64_t value, unsigned decimals, char *room, size_t size);

/* A directory of this run's own in `directory`. keep: it stays. */
const char *bench_place(const char *directory, bool keep);
void bench_remove(const char *path); /* a directory with all below it; nothing there is fine */
bool bench_stopped(void);            /* somebody wants an end */

/* Bytes that may still be written where `directory` lies. */
uint64_t bench_room(const char *directory);

#endif
