/*
 * bulk_post: how fast are two-line entries posted, with every check, index, hash, signature and sync in place?
 *
 * It opens a book exactly as `kontor post` does and posts through the public C API, a batch at a time. Beside it, in the
 * same run: the ceiling (the journal's bytes alone on one thread, bench/lib/ceiling.h), `kontor post` of the same entries as
 * a CSV file, the questions that are asked of a book, and how fast it is rebuilt. It ends with a verification of all
 * that it wrote and fails if that fails.
 *
 *     bulk_post [--entries N] [--accounts M] [--batch B] [--repeat R] [--dir DIR] [--kontor PATH] [--json] [--keep]
 *               [--single-thread]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/lib/book.h"
#include "bench/lib/ceiling.h"
#include "bench/lib/memory.h"
#include "bench/lib/reading.h"
#include "bench/lib/tool.h"

#define REPEATS_MAX 99
#define SINGLES 21
#define NONE INT64_MIN /* no figure: what makes it is not there */

struct options {
    uint64_t entries;
    uint32_t accounts, batch, repeat;
    const char *directory;
    char kontor[BENCH_PATH];
    bool json, keep, single_thread;
};

/* What one run gives, in the order of telling. */
enum figure {
    POSTED,
    PROCESSOR,
    WALL,
    BATCH_MEDIAN,
    BATCH_99,
    CEILING,
    RATIO,
    CSV,
    SINGLE,
    DISK,
    MEMORY,
    FREE_PAGES,
    FREE_LIST,
    BALANCE_MONTH_END,
    BALANCE_ANY_DAY,
    BALANCE_KNOWN,
    STATEMENT,
    LINES,
    OPEN,
    VERIFY,
    VERIFY_MEMORY,
    REBUILD,
    REBUILD_RATIO,
    FIGURES
};

static const struct {
    const char *name, *json, *what;
    unsigned decimals;
} figures[FIGURES] = {
    [POSTED] = {"posted", "entries_per_s", "entries/s, durable, all checks", 0},
    [PROCESSOR] = {"processor", "processor_ns", "ns an entry, of all threads", 0},
    [WALL] = {"", "wall_ns", "ns an entry by the clock", 0},
    [BATCH_MEDIAN] = {"batch", "batch_median_us", "us from sending a batch to its receipt, median", 0},
    [BATCH_99] = {"", "batch_99_us", "us, 99 of 100", 0},
    [CEILING] = {"ceiling", "ceiling_per_s", "entries/s, the bytes alone on one thread", 0},
    [RATIO] = {"ratio", "ratio", "posted to ceiling", 3},
    [CSV] = {"from CSV", "csv_per_s", "entries/s, kontor post of a file, its start included", 0},
    [SINGLE] = {"single entry", "single_us", "us, a batch of one entry, committed", 0},
    [DISK] = {"on disk", "bytes_per_entry", "bytes an entry, everything", 1},
    [MEMORY] = {"memory", "rss_mb", "MB anonymous at its peak", 1},
    [FREE_PAGES] = {"free list", "free_pages", "pages that LMDB will use again", 0},
    [FREE_LIST] = {"", "free_list", "entries of the list", 0},
    [BALANCE_MONTH_END] = {"trial balance", "balance_month_end_us", "us at a month's end", 0},
    [BALANCE_ANY_DAY] = {"", "balance_any_day_us", "us on any day", 0},
    [BALANCE_KNOWN] = {"", "balance_as_known_us", "us at a month's end as known half-way", 0},
    [STATEMENT] = {"statement", "statement_month_us", "us, one account, one month", 0},
    [LINES] = {"", "statement_lines", "lines of it", 0},
    [OPEN] = {"opening", "open_us", "us", 0},
    [VERIFY] = {"verify", "verify_per_s", "records/s", 0},
    [VERIFY_MEMORY] = {"", "verify_mb", "MB anonymous at its peak", 1},
    [REBUILD] = {"rebuild", "rebuild_per_s", "records/s", 0},
    [REBUILD_RATIO] = {"", "rebuild_ratio", "to posting", 3},
};

/* Megabytes with one decimal. */
static int64_t mb(uint64_t bytes) { return (int64_t)(bytes * 10 / 1000000); }

/* ---- one run ---- */

static void read_book(const char *directory, const bench_receipts *receipts, const bench_year *year, int64_t *out) {
    char code[BENCH_CODE];
    kt_day from, to, month_end, any_day;
    uint64_t lines;
    uint64_t half = receipts->batches / 2;
    kt_view_options known = {.as_known = true, .known_us = receipts->recorded[half > 0 ? half - 1 : 0]};
    kt_day_from_civil(2025, 6, 1, &from);
    kt_day_from_civil(2025, 6, 30, &to);
    kt_day_from_civil(2025, 11, 30, &month_end);
    kt_day_from_civil(2025, 11, 17, &any_day);
    out[OPEN] = bench_time_open(directory) / 1000;
    kt_book *book = bench_book_open(directory);
    out[BALANCE_MONTH_END] = bench_time_balance(book, month_end, NULL) / 1000;
    out[BALANCE_ANY_DAY] = bench_time_balance(book, any_day, NULL) / 1000;
    out[BALANCE_KNOWN] = bench_time_balance(book, month_end, &known) / 1000;
    out[STATEMENT] = bench_time_statement(book, bench_year_account(year, 1, code), from, to, &lines) / 1000;
    out[LINES] = (int64_t)lines;
    kt_book_close(book);
}

/* The wall time of `kontor post FILE`, from its start to its end. */
static int64_t run_kontor(const char *kontor, const char *book, const char *file) {
    int64_t start = bench_now_ns();
    pid_t child = fork();
    if (child < 0) bench_die("a process", NULL);
    if (child == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, STDIN_FILENO);
        dup2(nowhere, STDOUT_FILENO);
        execl(kontor, kontor, "post", "--book", book, file, (char *)NULL);
        _exit(127);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) bench_die("waiting", NULL);
    int64_t spent = bench_now_ns() - start;
    if (status == 0) return spent;
    fprintf(stderr, "bulk_post: %s post %s failed\n", kontor, file);
    exit(1);
}

/* The same entries from a file, into a book of their own. */
static void post_csv(const struct options *options, const char *base, int64_t *out, bool *verified) {
    char book[BENCH_PATH + 8], file[BENCH_PATH + 16];
    bench_year year;
    bench_trust trust;
    out[CSV] = NONE;
    if (access(options->kontor, X_OK) != 0) return;
    snprintf(book, sizeof book, "%s/csv", base);
    snprintf(file, sizeof file, "%s/year.csv", base);
    bench_year_init(&year, options->accounts, options->entries);
    bench_book_make(book, &year);
    bench_year_csv(&year, options->entries, file);
    out[CSV] = (int64_t)bench_rate(options->entries, run_kontor(options->kontor, book, file));
    if (!bench_verify(book, NULL, NULL, &trust)) *verified = false;
    bench_remove(file);
    bench_remove(book);
}

/* False: something that was written did not verify. */
static bool run(const struct options *options, const char *base, int64_t *out) {
    char book[BENCH_PATH + 8], ceiling[BENCH_PATH + 16];
    bool verified = true;
    bench_year year;
    bench_receipts receipts = {0};
    bench_trust trust;
    kt_stats stats;
    snprintf(book, sizeof book, "%s/book", base);
    snprintf(ceiling, sizeof ceiling, "%s/ceiling", base);
    bench_remove(book);
    bench_year_init(&year, options->accounts, options->entries);
    bench_book_make(book, &year);
    bench_memory_start(false);
    int64_t cpu = bench_cpu_ns();
    int64_t spent = bench_book_fill(book, options->single_thread, &year, options->entries, options->batch, &receipts,
                                    NULL, NULL);
    cpu = bench_cpu_ns() - cpu;
    out[MEMORY] = mb(bench_memory_stop());
    if (bench_stopped()) exit(130);
    out[POSTED] = (int64_t)bench_rate(options->entries, spent);
    out[PROCESSOR] = cpu / (int64_t)options->entries;
    out[WALL] = spent / (int64_t)options->entries;
    bench_book_stats(book, &stats);
    out[DISK] = (int64_t)(stats.disk_bytes * 10 / options->entries);
    out[FREE_PAGES] = (int64_t)stats.free_pages;
    out[FREE_LIST] = (int64_t)stats.free_list;
    read_book(book, &receipts, &year, out);
    out[BATCH_MEDIAN] = bench_rank(receipts.waits, receipts.batches, 500) / 1000;
    out[BATCH_99] = bench_rank(receipts.waits, receipts.batches, 990) / 1000;
    bench_receipts_release(&receipts);
    out[CEILING] = (int64_t)bench_rate(options->entries,
                                       bench_ceiling(book, ceiling, options->entries, options->batch));
    out[RATIO] = out[CEILING] == 0 ? NONE : out[POSTED] * 1000 / out[CEILING];
    bench_remove(ceiling);
    post_csv(options, base, out, &verified);
    kt_book *open = bench_book_open(book);
    out[SINGLE] = bench_book_single(open, &year, SINGLES) / 1000;
    kt_book_close(open);
    if (!bench_rebuild(book, &trust)) verified = false;
    out[REBUILD] = (int64_t)bench_rate(trust.records, trust.ns);
    out[REBUILD_RATIO] = out[POSTED] == 0 ? NONE : out[REBUILD] * 1000 / out[POSTED];
    if (!bench_verify(book, NULL, NULL, &trust)) verified = false;
    out[VERIFY] = (int64_t)bench_rate(trust.records, trust.ns);
    out[VERIFY_MEMORY] = mb(trust.memory);
    return verified;
}

/* ---- telling ---- */

static void tell_json(const struct options *options, const int64_t *of) {
    printf("{\"bench\":\"bulk_post\",\"version\":\"%s\",\"entries\":%llu,\"accounts\":%u,\"batch\":%u,\"repeat\":%u",
           KT_VERSION, (unsigned long long)options->entries, options->accounts, options->batch, options->repeat);
    for (int i = 0; i < FIGURES; i++) {
        char text[KT_AMOUNT_TEXT] = "null";
        if (of[i] != NONE) kt_amount_format(of[i], (uint8_t)figures[i].decimals, 0, text);
        printf(",\"%s\":%s", figures[i].json, text);
    }
    printf("}\n");
}

static void tell(const struct options *options, const int64_t *of) {
    char text[64];
    printf("%-14s %12s  batches of %u, %u accounts", "entries",
           bench_show((int64_t)options->entries, 0, text, sizeof text), options->batch, options->accounts);
    if (options->repeat > 1) printf("; medians of %u", options->repeat);
    printf("\n");
    for (int i = 0; i < FIGURES; i++) {
        if (of[i] == NONE) snprintf(text, sizeof text, "-");
        else bench_show(of[i], figures[i].decimals, text, sizeof text);
        printf("%-14s %12s  %s\n", figures[i].name, text, figures[i].what);
    }
}

/* The command lies beside the benchmarks' directory. */
static void find_kontor(char *path, size_t size) {
    char self[BENCH_PATH];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) return;
    self[length] = 0;
    snprintf(path, size, "%s/kontor", dirname(dirname(self)));
}

static struct options read_options(int count, char **words) {
    struct options options = {.entries = 1000000, .accounts = 1000, .batch = 8192, .repeat = 1, .directory = "/tmp"};
    find_kontor(options.kontor, sizeof options.kontor);
    for (int i = 1; i < count; i++) {
        const char *word = words[i], *value = i + 1 < count ? words[i + 1] : "";
        if (strcmp(word, "--json") == 0) options.json = true;
        else if (strcmp(word, "--keep") == 0) options.keep = true;
        else if (strcmp(word, "--single-thread") == 0) options.single_thread = true;
        else if (strcmp(word, "--entries") == 0) options.entries = bench_number(word, value, 10000000000u), i++;
        else if (strcmp(word, "--accounts") == 0)
            options.accounts = (uint32_t)bench_number(word, value, BENCH_ACCOUNTS_MAX), i++;
        else if (strcmp(word, "--batch") == 0) options.batch = (uint32_t)bench_number(word, value, 1000000), i++;
        else if (strcmp(word, "--repeat") == 0) options.repeat = (uint32_t)bench_number(word, value, REPEATS_MAX), i++;
        else if (strcmp(word, "--dir") == 0) options.directory = value, i++;
        else if (strcmp(word, "--kontor") == 0) snprintf(options.kontor, sizeof options.kontor, "%s", value), i++;
        else {
            fprintf(stderr,
                    "bulk_post: unknown '%s'\n"
                    "usage: bulk_post [--entries N] [--accounts M] [--batch B] [--repeat R] [--dir DIR]\n"
                    "                 [--kontor PATH] [--json] [--keep] [--single-thread]\n",
                    word);
            exit(2);
        }
    }
    if (options.accounts < 2) options.accounts = 2;
    return options;
}

/* Book, ceiling, file and the book made from it. */
#define BYTES_AN_ENTRY 400u

int main(int count, char **words) {
    struct options options = read_options(count, words);
    int64_t all[FIGURES][REPEATS_MAX], medians[FIGURES];
    bool verified = true;
    if (options.entries * BYTES_AN_ENTRY > bench_room(options.directory)) {
        fprintf(stderr, "bulk_post: %s: too little room on the disk: %llu entries take about %llu MB while it runs\n",
                options.directory, (unsigned long long)options.entries,
                (unsigned long long)(options.entries * BYTES_AN_ENTRY / 1000000));
        return 1;
    }
    const char *base = bench_place(options.directory, options.keep);
    for (uint32_t i = 0; i < options.repeat; i++) {
        int64_t one[FIGURES];
        if (!run(&options, base, one)) verified = false;
        if (bench_stopped()) return 130;
        for (int k = 0; k < FIGURES; k++) all[k][i] = one[k];
    }
    for (int k = 0; k < FIGURES; k++) medians[k] = bench_rank(all[k], options.repeat, 500);
    if (options.json) tell_json(&options, medians);
    else tell(&options, medians);
    if (options.keep) fprintf(stderr, "kept: %s\n", base);
    return verified ? 0 : 1;
}
