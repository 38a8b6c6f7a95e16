/*
 * memory: anonymous memory at its peak, looked at every few milliseconds while the work runs. Pages of the mapped book
 * are the page cache's and not counted. What child processes hold is counted with it
 * where that is asked for (verification works in one): looking for them takes a while.
 */
#ifndef KT_BENCH_MEMORY_H
#define KT_BENCH_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

void bench_memory_start(bool children);
uint64_t bench_memory_stop(void); /* bytes */

#endif
