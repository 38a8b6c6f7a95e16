#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "engine/money.h"

uint64_t kt_progress_clock_ms(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

uint64_t kt_progress_rate(uint64_t count, uint64_t ms) {
    if (ms == 0) return 0;
    if (count > UINT64_MAX / 1000u) return count / ms * 1000u;
    return count * 1000u / ms;
}

void kt_progress_begin(kt_progress *progress, const char *what) {
    *progress = (kt_progress){.what = what, .on = isatty(STDERR_FILENO) == 1, .started_ms = kt_progress_clock_ms()};
}

/* Never wider than the terminal: a line that wraps is not overwritten by the next. */
static unsigned bar_width(size_t others) {
    enum { WIDEST = 30, LEAST = 5 };
    struct winsize size;
    unsigned columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    if (others + LEAST >= columns) return 0;
    unsigned left = columns - (unsigned)others - 1u;
    return left > WIDEST ? WIDEST : left;
}

void kt_progress_show(kt_progress *progress, uint64_t done, uint64_t of, uint64_t counted, const char *name) {
    if (!progress->on) return;
    uint64_t now = kt_progress_clock_ms(), elapsed = now - progress->started_ms;
    /* The first half second shows nothing, so that quick work leaves the terminal quiet. */
    if (elapsed < 500 || (progress->drawn && now - progress->drawn_ms < 100)) return;
    progress->drawn = true;
    progress->drawn_ms = now;
    uint64_t thousandth = of / 1000u + 1u, share = done >= of ? 1000u : done / thousandth;
    uint64_t left = share == 0 ? 0 : elapsed / share * (1000u - share) / 1000u;
    char count[KT_AMOUNT_TEXT], rate[KT_AMOUNT_TEXT], tail[3 * KT_AMOUNT_TEXT], bar[64];
    (void)kt_amount_format((kt_amount)counted, 0, ',', count);
    (void)kt_amount_format((kt_amount)kt_progress_rate(counted, elapsed), 0, ',', rate);
    int used = snprintf(tail, sizeof(tail), " %3" PRIu64 "%%  %s %s, %s/s", share / 10u, count, name, rate);
    if (share > 0 && used > 0 && (size_t)used < sizeof(tail))
        (void)snprintf(tail + used, sizeof(tail) - (size_t)used, ", %" PRIu64 ":%02" PRIu64 " left", left / 60u,
                       left % 60u);
    unsigned width = bar_width(strlen(progress->what) + strlen(" []") + strlen(tail));
    for (unsigned i = 0; i < width; i++) bar[i] = i < share * width / 1000u ? '#' : '.';
    bar[width] = '\0';
    fprintf(stderr, width == 0 ? "\r%s%s%s\033[K" : "\r%s [%s]%s\033[K", progress->what, bar, tail);
    (void)fflush(stderr);
}

void kt_progress_end(kt_progress *progress) {
    if (progress->drawn) fputs("\r\033[K", stderr);
    progress->drawn = false;
}

void kt_progress_import(void *context, uint64_t bytes_done, uint64_t bytes, uint64_t entries) {
    kt_progress_show(context, bytes_done, bytes, entries, "entries");
}

void kt_progress_records(void *context, uint64_t done, uint64_t of) {
    kt_progress_show(context, done, of, done, "records");
}
