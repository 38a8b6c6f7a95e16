/*
 * scale: does the cost of an entry, and of a question, grow with the book?
 *
 * Posts entries of the bench's kind, 50 million to a year, through the public C API into a book opened exactly as `kontor
 * post` opens it, and stops at 1, 2, 5, 10, 20, 50, 100 ... million to ask what is asked of a book. It looks at the disk before
 * each slice and ends early, saying so, where there is too little room. It ends with a verification of what it wrote and
 * fails if that fails.
 *
 *     scale [--entries N] [--first N] [--accounts M] [--batch B] [--year N] [--dir DIR] [--json FILE] [--keep]
 *           [--single-thread]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/lib/book.h"
#include "bench/lib/memory.h"
#include "bench/lib/reading.h"
#include "bench/lib/tool.h"

#define SINGLES 11
#define ROOM_LEFT 1000000000u /* of the disk, for others */
#define FIRST_GUESS 110u      /* bytes an entry, until the book itself says */

struct options {
    uint64_t entries, first, year;
    uint32_t accounts, batch;
    const char *directory, *json;
    bool keep, single_thread;
};

/* What is told at a mark. */
struct mark {
    uint64_t entries, rate, disk, disk_tenths, statement_lines, memory, free_pages, free_list;
    int64_t balance, balance_day, statement, open, single, wait_median, wait_99, wait_most;
};

/* ---- progress ---- */

#define DRAW_NS 200000000

struct progress {
    bool on;
    int64_t start, drawn;
    uint64_t before; /* entries there when the slice began */
    uint64_t of;
};

static void begin_progress(struct progress *progress, uint64_t before, uint64_t of) {
    *progress = (struct progress){
        .on = isatty(STDERR_FILENO) == 1, .start = bench_now_ns(), .before = before, .of = of};
}

static void draw(struct progress *progress, const char *what, uint64_t done, uint64_t in_slice) {
    char counted[32], all[32], rate[32];
    int64_t now = bench_now_ns();
    if (!progress->on || now - progress->drawn < DRAW_NS) return;
    progress->drawn = now;
    fprintf(stderr, "\r%s %s of %s, %s/s\033[K", what, bench_show((int64_t)done, 0, counted, sizeof counted),
            bench_show((int64_t)progress->of, 0, all, sizeof all),
            bench_show((int64_t)bench_rate(in_slice, now - progress->start), 0, rate, sizeof rate));
    fflush(stderr);
}

static void draw_entries(void *context, uint64_t entries) {
    struct progress *progress = context;
    draw(progress, "posting", progress->before + entries, entries);
}

static void draw_records(void *context, uint64_t done, uint64_t of) {
    struct progress *progress = context;
    progress->of = of;
    draw(progress, "verifying", done, done);
}

static void end_progress(struct progress *progress) {
    if (progress->on) fprintf(stderr, "\r\033[K");
}

/* ---- telling ---- */

/* One column of the table: as many digits as people read, right-aligned. */
static const struct {
    const char *head[2];
    int width;
} columns[] = {
    {{"entries", "in the book"}, 12},
    {{"posted", "entries/s"}, 11},
    {{"on disk", "bytes/entry"}, 13},
    {{"balance", "ms"}, 10},
    {{"on a day", "ms"}, 10},
    {{"statement", "ms"}, 11},
    {{"its", "lines"}, 7},
    {{"open", "ms"}, 7},
    {{"one entry", "ms"}, 11},
    {{"a batch", "ms"}, 9},
    {{"memory", "MB"}, 9},
    {{"free list", "pages"}, 11},
};

static void tell_head(void) {
    for (int row = 0; row < 2; row++) {
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            printf("%*s", columns[i].width, columns[i].head[row]);
        printf("\n");
    }
    fflush(stdout);
}

static void tell_mark(const struct mark *mark) {
    const struct {
        int64_t value;
        unsigned decimals;
    } cells[] = {
        {(int64_t)mark->entries, 0},
        {(int64_t)mark->rate, 0},
        {(int64_t)mark->disk_tenths, 1},
        {mark->balance / 10000, 2},
        {mark->balance_day / 10000, 2},
        {mark->statement / 10000, 2},
        {(int64_t)mark->statement_lines, 0},
        {mark->open / 10000, 2},
        {mark->single / 10000, 2},
        {mark->wait_median / 10000, 2},
        {(int64_t)(mark->memory / 100000), 1},
        {(int64_t)mark->free_pages, 0},
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        char text[64];
        printf("%*s", columns[i].width, bench_show(cells[i].value, cells[i].decimals, text, sizeof text));
    }
    printf("\n");
    fflush(stdout);
}

/* How each line of JSON begins. */
static void write_head(FILE *out, const struct options *options) {
    fprintf(out, "{\"bench\":\"scale\",\"version\":\"%s\",\"accounts\":%u,\"batch\":%u", KT_VERSION, options->accounts,
            options->batch);
}

struct field {
    const char *name;
    int64_t value;
};

static void write_fields(FILE *out, const struct options *options, const struct field *fields, size_t count) {
    for (size_t i = 0; i < count; i++) fprintf(out, ",\"%s\":%lld", fields[i].name, (long long)fields[i].value);
    fputs("}\n", out);
    if (fflush(out) != 0) bench_die(options->json, NULL);
}

static void write_mark(FILE *out, const struct options *options, const struct mark *mark) {
    const struct field fields[] = {
        {"entries_a_year", (int64_t)options->year},
        {"entries", (int64_t)mark->entries},
        {"entries_per_s", (int64_t)mark->rate},
        {"disk_bytes", (int64_t)mark->disk},
        {"balance_us", mark->balance / 1000},
        {"balance_day_us", mark->balance_day / 1000},
        {"statement_us", mark->statement / 1000},
        {"statement_lines", (int64_t)mark->statement_lines},
        {"open_us", mark->open / 1000},
        {"single_us", mark->single / 1000},
        {"batch_median_us", mark->wait_median / 1000},
        {"batch_99_us", mark->wait_99 / 1000},
        {"batch_most_us", mark->wait_most / 1000},
        {"anonymous_bytes", (int64_t)mark->memory},
        {"free_pages", (int64_t)mark->free_pages},
        {"free_list", (int64_t)mark->free_list},
    };
    write_head(out, options);
    fprintf(out, ",\"bytes_per_entry\":%llu.%llu", (unsigned long long)mark->disk_tenths / 10,
            (unsigned long long)mark->disk_tenths % 10);
    write_fields(out, options, fields, sizeof fields / sizeof *fields);
}

/* ---- a slice, and what is asked behind it ---- */

/* The last month that is whole by now, or the first one. */
static kt_month month_to_ask(const bench_year *year) {
    kt_month first = kt_day_month(year->first), last = kt_day_month(year->first + (kt_day)year->days);
    return last > first ? last - 1 : first;
}

/* empty: what the book took on the disk before the first entry, its accounts included. */
static void ask(const char *directory, uint64_t empty, bench_year *year, struct mark *mark) {
    char code[BENCH_CODE];
    kt_month month = month_to_ask(year);
    kt_stats stats;
    bench_book_stats(directory, &stats);
    mark->disk = stats.disk_bytes;
    mark->disk_tenths = (stats.disk_bytes - empty) * 10 / mark->entries;
    mark->free_pages = stats.free_pages;
    mark->free_list = stats.free_list;
    mark->open = bench_time_open(directory);
    kt_book *book = bench_book_open(directory);
    mark->balance = bench_time_balance(book, KT_DAY_NONE, NULL);
    mark->balance_day = bench_time_balance(book, kt_month_first(month) + 14, NULL);
    mark->statement = bench_time_statement(book, bench_year_account(year, 1, code), kt_month_first(month),
                                           kt_month_last(month), &mark->statement_lines);
    mark->single = bench_book_single(book, year, SINGLES);
    kt_book_close(book);
}

/* Posts up to `to` entries and asks. False: somebody wants an end. */
static bool make_slice(const struct options *options, const char *book, uint64_t empty, bench_year *year, uint64_t to,
                       struct mark *mark) {
    struct progress progress;
    bench_receipts receipts = {0};
    uint64_t before = year->count;
    *mark = (struct mark){.entries = to};
    begin_progress(&progress, before, options->entries);
    bench_memory_start(false);
    int64_t spent = bench_book_fill(book, options->single_thread, year, to - before, options->batch, &receipts,
                                    draw_entries, &progress);
    mark->memory = bench_memory_stop();
    end_progress(&progress);
    mark->rate = bench_rate(to - before, spent);
    mark->wait_median = bench_rank(receipts.waits, receipts.batches, 500);
    mark->wait_99 = bench_rank(receipts.waits, receipts.batches, 990);
    mark->wait_most = bench_rank(receipts.waits, receipts.batches, 1000);
    bench_receipts_release(&receipts);
    if (bench_stopped()) return false;
    ask(book, empty, year, mark);
    return true;
}

/* 1, 2, 5, 10, 20, 50 ... times the first mark. */
static uint64_t next_mark(uint64_t first, uint64_t mark) {
    static const uint64_t steps[] = {1, 2, 5};
    for (uint64_t ten = first;; ten *= 10)
        for (int i = 0; i < 3; i++)
            if (ten * steps[i] > mark) return ten * steps[i];
}

/* False, and said: the disk has no room for the entries from..to. */
static bool has_room(const char *directory, uint64_t from, uint64_t to, uint64_t disk_tenths) {
    uint64_t bytes = disk_tenths == 0 ? FIRST_GUESS : disk_tenths / 10 + 1;
    uint64_t needed = (to - from) * bytes + (to - from) * bytes / 10 + ROOM_LEFT, room = bench_room(directory);
    char next[32], missing[32];
    if (needed <= room) return true;
    printf("ends early: the disk has no room for %s entries: %s MB are missing\n",
           bench_show((int64_t)to, 0, next, sizeof next),
           bench_show((int64_t)((needed - room) / 1000000 + 1), 0, missing, sizeof missing));
    return false;
}

static bool verify(const struct options *options, const char *book, FILE *json) {
    struct progress progress;
    bench_trust trust;
    char records[32], rate[32], memory[32];
    begin_progress(&progress, 0, 0);
    bool good = bench_verify(book, draw_records, &progress, &trust);
    end_progress(&progress);
    if (good)
        printf("verified: %s records, %s/s, %s MB anonymous at its peak\n",
               bench_show((int64_t)trust.records, 0, records, sizeof records),
               bench_show((int64_t)bench_rate(trust.records, trust.ns), 0, rate, sizeof rate),
               bench_show((int64_t)(trust.memory / 100000), 1, memory, sizeof memory));
    if (json != NULL) {
        const struct field fields[] = {{"records", (int64_t)trust.records},
                                       {"records_per_s", (int64_t)bench_rate(trust.records, trust.ns)},
                                       {"anonymous_bytes", (int64_t)trust.memory}};
        write_head(json, options);
        fprintf(json, ",\"verified\":%s", good ? "true" : "false");
        write_fields(json, options, fields, sizeof fields / sizeof *fields);
    }
    return good;
}

static struct options read_options(int count, char **words) {
    struct options options = {
        .entries = 100000000, .first = 1000000, .year = 50000000, .accounts = 1000, .batch = 8192, .directory = "/tmp"};
    for (int i = 1; i < count; i++) {
        const char *word = words[i], *value = i + 1 < count ? words[i + 1] : "";
        if (strcmp(word, "--keep") == 0) options.keep = true;
        else if (strcmp(word, "--single-thread") == 0) options.single_thread = true;
        else if (strcmp(word, "--entries") == 0) options.entries = bench_number(word, value, 10000000000u), i++;
        else if (strcmp(word, "--first") == 0) options.first = bench_number(word, value, 10000000000u), i++;
        else if (strcmp(word, "--year") == 0) options.year = bench_number(word, value, 10000000000u), i++;
        else if (strcmp(word, "--accounts") == 0)
            options.accounts = (uint32_t)bench_number(word, value, BENCH_ACCOUNTS_MAX), i++;
        else if (strcmp(word, "--batch") == 0) options.batch = (uint32_t)bench_number(word, value, 1000000), i++;
        else if (strcmp(word, "--dir") == 0) options.directory = value, i++;
        else if (strcmp(word, "--json") == 0 && *value != 0) options.json = value, i++;
        else {
            fprintf(stderr,
                    "scale: unknown '%s'\n"
                    "usage: scale [--entries N] [--first N] [--accounts M] [--batch B] [--year N] [--dir DIR]\n"
                    "             [--json FILE] [--keep] [--single-thread]\n",
                    word);
            exit(2);
        }
    }
    if (options.accounts < 2) options.accounts = 2;
    return options;
}

int main(int count, char **words) {
    struct options options = read_options(count, words);
    char book[BENCH_PATH + 8], accounts[32], entries[32];
    bench_year year;
    kt_stats stats;
    struct mark mark = {0};
    uint64_t first_rate = 0, goal = 0;
    FILE *json = options.json == NULL ? NULL : fopen(options.json, "w");
    if (options.json != NULL && json == NULL) bench_die(options.json, NULL);
    const char *base = bench_place(options.directory, options.keep);
    snprintf(book, sizeof book, "%s/book", base);
    bench_year_init(&year, options.accounts, options.year);
    bench_book_make(book, &year);
    if (bench_stopped()) return 130;
    bench_book_stats(book, &stats);
    printf("%s entries, %s accounts, batches of %u, each acknowledged on the disk\n\n",
           bench_show((int64_t)options.entries, 0, entries, sizeof entries),
           bench_show(options.accounts, 0, accounts, sizeof accounts), options.batch);
    tell_head();
    while (goal < options.entries) {
        uint64_t to = next_mark(options.first, goal);
        if (to > options.entries) to = options.entries;
        /* The entries committed one by one behind the last mark may lie above a very small one. */
        if (to <= year.count) to = year.count + 1;
        if (!has_room(options.directory, year.count, to, mark.disk_tenths)) break;
        if (!make_slice(&options, book, stats.disk_bytes, &year, to, &mark)) return 130;
        tell_mark(&mark);
        if (json != NULL) write_mark(json, &options, &mark);
        if (first_rate == 0) first_rate = mark.rate;
        goal = to;
    }
    if (first_rate != 0)
        printf("\nthe last slice runs at %llu.%02llu of the first\n", (unsigned long long)(mark.rate / first_rate),
               (unsigned long long)(mark.rate * 100 / first_rate % 100));
    fflush(stdout);
    bool good = verify(&options, book, json);
    if (json != NULL && fclose(json) != 0) bench_die(options.json, NULL);
    if (options.keep) fprintf(stderr, "kept: %s\n", base);
    return good ? 0 : 1;
}
