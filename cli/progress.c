#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

uint64_t kt_progress_clock_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

uint64_t kt_progress_rate(uint64_t count, uint64_t ms)
{
    if (ms == 0)
        return 0;
    if (count > UINT64_MAX / 1000u)
        return count / ms * 1000u;
    return count * 1000u / ms;
}

void kt_progress_begin(kt_progress *progress, const char *what)
{
    *progress = (kt_progress){.what = what, .on = isatty(STDERR_FILENO) == 1, .started_ms = kt_progress_clock_ms()};
}

void kt_progress_show(kt_progress *progress, uint64_t done, uint64_t of, uint64_t counted, const char *name)
{
    enum { WIDE = 30 };
    if (!progress->on)
        return;
    uint64_t now = kt_progress_clock_ms(), elapsed = now - progress->started_ms;
    /* The first half second shows nothing, so that quick work leaves the terminal quiet. */
    if (elapsed < 500 || (progress->drawn && now - progress->drawn_ms < 100))
        return;
    progress->drawn = true;
    progress->drawn_ms = now;
    uint64_t thousandth = of / 1000u + 1u, share = done >= of ? 1000u : done / thousandth;
    char bar[WIDE + 1];
    for (unsigned i = 0; i < WIDE; i++)
        bar[i] = i < share * WIDE / 1000u ? '#' : '.';
    bar[WIDE] = '\0';
    uint64_t left = share == 0 ? 0 : elapsed / share * (1000u - share) / 1000u;
    fprintf(stderr, "\r%s [%s] %3" PRIu64 "%%  %" PRIu64 " %s, %" PRIu64 "/s", progress->what, bar, share / 10u,
            counted, name, kt_progress_rate(counted, elapsed));
    if (share > 0)
        fprintf(stderr, ", %" PRIu64 ":%02" PRIu64 " left", left / 60u, left % 60u);
    fputs("\033[K", stderr);
    (void)fflush(stderr);
}

void kt_progress_end(kt_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}

void kt_progress_import(void *context, uint64_t bytes_done, uint64_t bytes, uint64_t entries)
{
    kt_progress_show(context, bytes_done, bytes, entries, "entries");
}

void kt_progress_records(void *context, uint64_t done, uint64_t of)
{
    kt_progress_show(context, done, of, done, "records");
}
