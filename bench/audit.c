/*
 * audit: how long do the auditor's tests take over all entries of a book?
 *
 * It makes a book of the bench's entries (bench/lib/year.h), or takes one that is there (--book), and runs all tests
 * through the public C API, as `kontor audit` does, the view's opening included; then each test alone. A first run that
 * warms the pages is not counted. The bench's accounts are drawn at random, so that nearly every pair of them occurs: that
 * is the worst there is for the test of seldom pairs.
 *
 *     audit [--entries N] [--accounts M] [--threads T] [--repeat R] [--book DIR] [--dir DIR] [--json] [--keep] [--each]
 *
 * It fails where the population does not reconcile, or entries are missing from it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/lib/book.h"
#include "bench/lib/memory.h"
#include "bench/lib/tool.h"

#define REPEATS_MAX 99

struct options {
    uint64_t entries;
    uint32_t accounts, repeat;
    unsigned threads;
    const char *book, *directory;
    bool json, keep, each;
};

static struct options read_options(int count, char **words) {
    struct options options = {.entries = 1000000, .accounts = 1000, .repeat = 3, .directory = "/tmp"};
    for (int i = 1; i < count; i++) {
        const char *word = words[i], *value = i + 1 < count ? words[i + 1] : "";
        if (strcmp(word, "--json") == 0) options.json = true;
        else if (strcmp(word, "--keep") == 0) options.keep = true;
        else if (strcmp(word, "--each") == 0) options.each = true;
        else if (strcmp(word, "--entries") == 0) options.entries = bench_number(word, value, 1000000000), i++;
        else if (strcmp(word, "--accounts") == 0)
            options.accounts = (uint32_t)bench_number(word, value, BENCH_ACCOUNTS_MAX), i++;
        else if (strcmp(word, "--threads") == 0) options.threads = (unsigned)bench_number(word, value, 16), i++;
        else if (strcmp(word, "--repeat") == 0) options.repeat = (uint32_t)bench_number(word, value, REPEATS_MAX), i++;
        else if (strcmp(word, "--book") == 0) options.book = value, i++;
        else if (strcmp(word, "--dir") == 0) options.directory = value, i++;
        else {
            fprintf(stderr,
                    "audit: unknown '%s'\n"
                    "usage: audit [--entries N] [--accounts M] [--threads T] [--repeat R] [--book DIR] [--dir DIR]\n"
                    "             [--json] [--keep] [--each]\n",
                    word);
            exit(2);
        }
    }
    if (options.accounts < 2) options.accounts = 2;
    return options;
}

static void make_book(const struct options *options, const char *book) {
    bench_year *year = malloc(sizeof *year);
    bench_receipts receipts = {0};
    if (year == NULL) bench_die("making the book", NULL);
    bench_year_init(year, options->accounts, options->entries);
    bench_book_make(book, year);
    (void)bench_book_fill(book, false, year, options->entries, 8192, &receipts, NULL, NULL);
    bench_receipts_release(&receipts);
    free(year);
}

/* Nanoseconds of one run, the view's opening included. test NULL: all. */
static int64_t run(kt_book *book, const struct options *options, const char *test, uint64_t *entries, bool *good) {
    kt_audit_options audit_options = {.tests = &test, .test_count = test == NULL ? 0 : 1, .threads = options->threads};
    kt_audit *audit;
    kt_view *view;
    kt_error error;
    int64_t started = bench_now_ns();
    if (kt_view_open(book, NULL, &view, &error) != KT_OK) bench_die("opening a view", &error);
    if (kt_audit_run(view, &audit_options, &audit, &error) != KT_OK) bench_die("examining", &error);
    int64_t taken = bench_now_ns() - started;
    *entries = audit->population.entries;
    *good = *good && audit->reconciled;
    kt_audit_free(audit);
    kt_view_close(view);
    return taken;
}

static void tell_each(kt_book *book, const struct options *options, bool *good) {
    char text[64];
    const kt_audit_about *about;
    uint64_t entries;
    for (size_t i = 0; (about = kt_audit_nth(i)) != NULL && !bench_stopped(); i++) {
        int64_t taken = run(book, options, about->name, &entries, good);
        printf("%-14s %12s  ms alone\n", about->name, bench_show(taken / 1000000, 0, text, sizeof text));
    }
}

static void tell(const struct options *options, uint64_t entries, int64_t ns, int64_t cpu, uint64_t memory) {
    char text[64];
    uint64_t each = entries == 0 ? 1 : entries;
    if (options->json) {
        printf("{\"bench\":\"audit\",\"version\":\"%s\",\"entries\":%llu,\"ms\":%lld,\"entries_per_second\":%llu,"
               "\"processor_ns\":%lld,\"memory_bytes\":%llu}\n",
               KT_VERSION, (unsigned long long)entries, (long long)(ns / 1000000),
               (unsigned long long)bench_rate(entries, ns), (long long)(cpu / (int64_t)each),
               (unsigned long long)memory);
        return;
    }
    printf("%-14s %12s\n", "entries", bench_show((int64_t)entries, 0, text, sizeof text));
    printf("%-14s %12s  ms, all tests, median of %u\n", "audit", bench_show(ns / 1000000, 0, text, sizeof text),
           options->repeat);
    printf("%-14s %12s  entries a second\n", "", bench_show((int64_t)bench_rate(entries, ns), 0, text, sizeof text));
    printf("%-14s %12s  ns an entry, of all threads\n", "processor",
           bench_show(cpu / (int64_t)each, 0, text, sizeof text));
    printf("%-14s %12s  MB anonymous at its peak\n", "memory",
           bench_show((int64_t)(memory / 100000), 1, text, sizeof text));
}

int main(int count, char **words) {
    struct options options = read_options(count, words);
    int64_t times[REPEATS_MAX], cpu = 0;
    uint64_t entries = 0, memory = 0;
    char path[BENCH_PATH];
    bool good = true;
    if (options.book != NULL) (void)snprintf(path, sizeof path, "%s", options.book);
    else {
        const char *base = bench_place(options.directory, options.keep);
        if (snprintf(path, sizeof path, "%s/book", base) >= (int)sizeof path) bench_die("making the book", NULL);
        make_book(&options, path);
        if (bench_stopped()) return 130;
    }
    kt_book *book = bench_book_open(path);
    (void)run(book, &options, NULL, &entries, &good); /* warms the pages */
    for (uint32_t i = 0; i < options.repeat && !bench_stopped(); i++) {
        int64_t before = bench_cpu_ns();
        bench_memory_start(false);
        times[i] = run(book, &options, NULL, &entries, &good);
        uint64_t peak = bench_memory_stop();
        cpu += bench_cpu_ns() - before;
        if (peak > memory) memory = peak;
    }
    if (bench_stopped()) return 130;
    tell(&options, entries, bench_rank(times, options.repeat, 500), cpu / options.repeat, memory);
    if (options.each && !options.json) tell_each(book, &options, &good);
    kt_book_close(book);
    if (options.book == NULL && entries != options.entries) good = false;
    if (!good) fprintf(stderr, "audit: what was examined does not reconcile\n");
    if (options.keep && options.book == NULL) fprintf(stderr, "kept: %s\n", path);
    return good ? 0 : 1;
}
