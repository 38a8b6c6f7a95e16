/*
 * memory: anonymous memory at its peak, looked at every few milliseconds while the work runs. Pages of the mapped book
 * are the page cache's and not counted. What a child process holds (verification works in one) is counted with it.
 */
#ifndef KT_BENCH_MEMORY_H
#define KT_BENCH_MEMORY_H

#include <stdint.h>

void bench_memory_start(void);
uint64_t bench_memory_stop(void); /* bytes */

#endif
