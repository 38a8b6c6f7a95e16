#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/crash/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/tables.h"
#include "storage/store.h"

#define FAT_LINES 15 /* with texts of full length: an entry just below the largest record */
#define LONG_LINES 4000
#define LINES_MOST LONG_LINES

#define SERIES KT_STR("the longest name a series may be")
#define PAGE 512 /* vouchers on one page of state */

enum shape { SMALL, MIDDLE, LONG, LARGE, SPREAD };

/* splitmix64 of two numbers: what a batch holds follows from the seed and its number alone. */
static uint64_t mix(uint64_t a, uint64_t b) {
    uint64_t z = a + (b + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static enum shape shape_of(const crash_load *load, unsigned batch) {
    if (load->spread != 0 && batch % load->spread == load->spread - 1) return SPREAD;
    if (load->large != 0 && batch % load->large == load->large - 1) return LARGE;
    switch (mix(load->seed, batch) % 8) {
    case 0: return MIDDLE;
    case 1: return LONG;
    default: return SMALL;
    }
}

bool crash_is_large(const crash_load *load, unsigned batch) { return shape_of(load, batch) >= LARGE; }

uint64_t crash_entries(const crash_load *load, unsigned batch) {
    uint64_t random = mix(load->seed, batch) / 8;
    switch (shape_of(load, batch)) {
    case MIDDLE: return 500 + random % 3000;
    case LONG: return 3;
    case LARGE: return 450 + random % 400; /* twelve a block: one piece and a half, up to three */
    case SPREAD: return 58000 + random % 6000;
    default: return 1 + random % 20;
    }
}

/* The pattern of one entry: all lines but the last on one account, the last one balances them on another. */
struct pattern {
    unsigned lines, from, to;
    kt_amount amount;
    bool fat;
};

static struct pattern pattern_of(const crash_load *load, unsigned batch, uint64_t entry) {
    uint64_t random = mix(mix(load->seed, batch), entry);
    enum shape shape = shape_of(load, batch);
    struct pattern pattern = {.lines = 2, .fat = shape == LARGE};
    pattern.from = (unsigned)(random % CRASH_ACCOUNTS);
    pattern.to = (pattern.from + 1 + (unsigned)(random / 8 % (CRASH_ACCOUNTS - 1))) % CRASH_ACCOUNTS;
    pattern.amount = 1 + (kt_amount)(random / 64 % 1000000);
    if (shape == LARGE) pattern.lines = FAT_LINES;
    if (shape == LONG && entry == 1) pattern.lines = LONG_LINES;
    return pattern;
}

crash_sum *crash_sums(const crash_load *load) {
    crash_sum *sums = calloc(load->batches + 1, sizeof *sums);
    for (unsigned batch = 0; sums && batch < load->batches; batch++) {
        crash_sum *next = &sums[batch + 1];
        *next = sums[batch];
        next->entries += crash_entries(load, batch);
        for (uint64_t entry = 0; entry < crash_entries(load, batch); entry++) {
            struct pattern pattern = pattern_of(load, batch, entry);
            next->balance[pattern.from] += pattern.amount * (pattern.lines - 1);
            next->balance[pattern.to] -= pattern.amount * (pattern.lines - 1);
        }
    }
    return sums;
}

/* ---- posting ---- */

static kt_str account_of(unsigned number) {
    static const char *const codes[CRASH_ACCOUNTS] = {"1000", "1100", "1200", "2000", "3000", "4000", "5000", "6000"};
    return kt_str_from(codes[number]);
}

kt_code crash_found(const char *directory, kt_error *error) {
    kt_create_options options = {.company = {.entity = KT_STR("Crash ApS"), .currency = KT_STR("DKK")}};
    kt_book *book = NULL;
    kt_batch *batch = NULL;
    kt_code code = kt_book_create(directory, &options, error);
    if (code == KT_OK) code = kt_book_open(directory, NULL, &book, error);
    if (code == KT_OK) code = kt_batch_begin(book, NULL, &batch, NULL, error);
    for (unsigned i = 0; i < CRASH_ACCOUNTS && code == KT_OK; i++) {
        kt_account account = {
            .code = account_of(i), .type = KT_ASSET, .open_from = KT_DAY_NONE, .closed_from = KT_DAY_NONE};
        code = kt_batch_account(batch, &account, error);
    }
    if (code == KT_OK) code = kt_batch_commit(batch, NULL, error);
    else kt_batch_abort(batch);
    kt_book_close(book);
    return code;
}

static kt_code add_entry(kt_batch *batch, const crash_load *load, unsigned number, uint64_t entry, kt_line *lines,
                         kt_str text, kt_error *error) {
    struct pattern pattern = pattern_of(load, number, entry);
    char voucher[KT_VOUCHER_MAX + 1];
    snprintf(voucher, sizeof voucher, "the same prefix for all of the vouchers %llu",
             (unsigned long long)(1 + entry) * PAGE + number);
    for (unsigned i = 0; i < pattern.lines; i++)
        lines[i] = (kt_line){.amount = pattern.amount,
                             .account = account_of(pattern.from),
                             .text = pattern.fat ? text : (kt_str){NULL, 0}};
    lines[pattern.lines - 1].amount = -pattern.amount * (pattern.lines - 1);
    lines[pattern.lines - 1].account = account_of(pattern.to);
    kt_entry added = {.series = SERIES, .voucher = kt_str_from(voucher), .text = KT_STR("load"), .lines = lines};
    added.line_count = pattern.lines;
    kt_day_from_civil(2026, 1 + (int)(entry % 12), 1 + (int)number % 28, &added.date);
    return kt_batch_add(batch, &added, NULL, error);
}

kt_code crash_fill(kt_book *book, const crash_load *load, unsigned number, kt_batch **out, kt_receipt *receipt,
                   kt_error *error) {
    char id[32];
    uint8_t digest[KT_DIGEST_SIZE];
    snprintf(id, sizeof id, "load-%u", number);
    for (size_t i = 0; i < sizeof digest; i++) digest[i] = (uint8_t)mix(mix(load->seed, number), i);
    kt_batch_options options = {.id = kt_str_from(id), .content_digest = digest};
    kt_code code = kt_batch_begin(book, &options, out, receipt, error);
    if (code != KT_OK) return code;
    kt_line *lines = calloc(LINES_MOST, sizeof *lines);
    char *text = malloc(KT_TEXT_MAX);
    if (!lines || !text) code = kt_fail(error, KT_MEMORY, "out of memory");
    else memset(text, 'x', KT_TEXT_MAX);
    for (uint64_t entry = 0; entry < crash_entries(load, number) && code == KT_OK; entry++)
        code = add_entry(*out, load, number, entry, lines, (kt_str){text, KT_TEXT_MAX}, error);
    free(text);
    free(lines);
    return code;
}

kt_code crash_post(kt_book *book, const crash_load *load, unsigned number, kt_receipt *receipt, kt_error *error) {
    kt_batch *batch = NULL;
    kt_code code = crash_fill(book, load, number, &batch, receipt, error);
    if (code == KT_OK) return kt_batch_commit(batch, receipt, error);
    kt_batch_abort(batch);
    return code;
}

int crash_poster(const char *directory, const crash_load *load, unsigned from, int acks) {
    kt_book *book;
    kt_error error = {0};
    kt_code code = kt_book_open(directory, NULL, &book, &error);
    for (unsigned batch = from; code == KT_OK && batch < load->batches; batch++) {
        code = crash_post(book, load, batch, NULL, &error);
        if (code == KT_REPEATED) code = KT_OK;
        crash_ack ack = {batch, code};
        if (write(acks, &ack, sizeof ack) != (ssize_t)sizeof ack) code = KT_IO;
    }
    if (code != KT_OK) fprintf(stderr, "# poster: %s\n", error.text);
    kt_book_close(book);
    return code != KT_OK;
}

/* ---- checking ---- */

static kt_code check_balances(kt_view *view, const crash_sum *sum, kt_error *why) {
    kt_balance *rows = NULL;
    size_t count = 0;
    kt_amount found[CRASH_ACCOUNTS] = {0};
    kt_code code = kt_balances(view, NULL, &rows, &count, why);
    for (size_t i = 0; code == KT_OK && i < count; i++)
        for (unsigned j = 0; j < CRASH_ACCOUNTS; j++)
            if (kt_str_equal(rows[i].account, account_of(j))) found[j] += rows[i].balance;
    for (unsigned j = 0; code == KT_OK && j < CRASH_ACCOUNTS; j++)
        if (found[j] != sum->balance[j])
            code = kt_fail(why, KT_DAMAGED, "account %.*s: balance %lld, expected %lld", (int)account_of(j).size,
                           account_of(j).data, (long long)found[j], (long long)sum->balance[j]);
    free(rows);
    return code;
}

static kt_code check_head(kt_view *view, const crash_sum *sums, unsigned acked, unsigned most, unsigned *found,
                          uint64_t *size, kt_error *why) {
    kt_head head;
    kt_entry_view *last = NULL;
    kt_code code = kt_view_head(view, &head, why);
    if (code != KT_OK) return code;
    *size = head.size;
    *found = head.batches < CRASH_BASE ? 0 : (unsigned)(head.batches - CRASH_BASE);
    if (head.batches < CRASH_BASE + (uint64_t)acked)
        return kt_fail(why, KT_DAMAGED, "%llu batches, but %u were acknowledged: acknowledged work is lost",
                       (unsigned long long)head.batches, acked + CRASH_BASE);
    if (*found > most) return kt_fail(why, KT_DAMAGED, "%u batches, but at most %u were sent", *found, most);
    if (head.entries != sums[*found].entries)
        return kt_fail(why, KT_DAMAGED, "%u batches with %llu entries, expected %llu: one is not whole", *found,
                       (unsigned long long)head.entries, (unsigned long long)sums[*found].entries);
    code = kt_entry_read(view, head.size - 1, &last, why);
    kt_entry_view_free(last);
    if (code != KT_NOT_FOUND || (why && !strstr(why->text, "seal")))
        return kt_fail(why, KT_DAMAGED, "the head ends at record %llu, which is no seal",
                       (unsigned long long)head.size - 1);
    return check_balances(view, &sums[*found], why);
}

bool crash_check(const char *directory, const crash_load *load, const crash_sum *sums, unsigned acked, unsigned most,
                 unsigned *found, kt_error *why) {
    kt_book *book = NULL;
    kt_view *view = NULL;
    uint64_t size = 0;
    *found = 0;
    kt_code code = kt_book_open(directory, NULL, &book, why);
    if (code == KT_OK) code = kt_view_open(book, NULL, &view, why);
    if (code == KT_OK) code = check_head(view, sums, acked, most, found, &size, why);
    kt_view_close(view);
    if (code == KT_OK && *found > 0) {
        kt_receipt receipt = {0};
        code = crash_post(book, load, *found - 1, &receipt, why);
        if (code == KT_REPEATED && receipt.last == size - 1 && receipt.entries == crash_entries(load, *found - 1))
            code = KT_OK;
        else
            code = kt_fail_at(why, KT_DAMAGED, "the last batch is not recognized where it lies (%s)",
                              kt_code_name(code));
    }
    kt_book_close(book);
    return code == KT_OK;
}

bool crash_leftovers(const char *directory, bool *pieces, bool *ahead) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT, .read_only = true};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    kt_span mark;
    uint64_t rows = 0, pages;
    *pieces = *ahead = false;
    kt_code code = kt_store_open(directory, &options, &store, NULL);
    if (code == KT_OK) code = kt_txn_begin(store, false, &txn, NULL);
    if (code == KT_OK) *pieces = kt_txn_get(txn, KT_TABLE_META, kt_span_of("pending", 7), &mark, NULL) == KT_OK;
    if (code == KT_OK) code = kt_table_stat(txn, KT_TABLE_UNDO, &rows, &pages, NULL);
    *ahead = rows != 0;
    kt_txn_abort(txn);
    kt_store_close(store);
    return code == KT_OK;
}

static void first_finding(void *context, const kt_finding *finding) {
    kt_error *why = context;
    if (why->code == KT_OK) kt_fail(why, finding->code, "%s", finding->what);
}

bool crash_verify(const char *directory, kt_error *why) {
    kt_error first = {0}, error = {0};
    kt_verify_options options = {.found = first_finding, .context = &first};
    kt_code code = kt_verify(directory, &options, NULL, &error);
    if (code != KT_OK && why) *why = first.code != KT_OK ? first : error;
    return code == KT_OK;
}

void crash_remove(const char *directory) {
    static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock", "keys/log.key"};
    char path[4096];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (snprintf(path, sizeof path, "%s/%s", directory, names[i]) < (int)sizeof path) unlink(path);
    if (snprintf(path, sizeof path, "%s/keys", directory) < (int)sizeof path) rmdir(path);
    rmdir(directory);
}

/* ---- other processes ---- */

int crash_spawn(const char *program, const char *const *arguments, const char *preload, const char *const *settings,
                int acks) {
    fflush(NULL);
    pid_t child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (acks == 3) fcntl(acks, F_SETFD, 0); /* it lies where it should: only let it stay open */
    else if (acks >= 0) dup2(acks, 3);
    if (preload) {
        setenv("LD_PRELOAD", preload, 1);
        setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
    }
    for (; settings && *settings; settings++) {
        char name[64];
        const char *equals = strchr(*settings, '=');
        snprintf(name, sizeof name, "%.*s", (int)(equals - *settings), *settings);
        setenv(name, equals + 1, 1);
    }
    execv(program, (char *const *)(uintptr_t)arguments);
    fprintf(stderr, "# %s: %s\n", program, strerror(errno));
    _exit(127);
}

const char *crash_built(const char *name) {
    static char path[4096];
    char whole[4096];
    const char *build = getenv("KONTOR_BUILD");
    snprintf(whole, sizeof whole, "%s/%s", build && *build ? build : "build", name);
    return realpath(whole, path);
}

bool crash_book_with(const char *directory, const crash_load *load, unsigned count) {
    kt_error error = {0};
    kt_book *book = NULL;
    crash_remove(directory);
    kt_code code = crash_found(directory, &error);
    if (code == KT_OK) code = kt_book_open(directory, NULL, &book, &error);
    for (unsigned i = 0; i < count && code == KT_OK; i++) code = crash_post(book, load, i, NULL, &error);
    kt_book_close(book);
    return code == KT_OK;
}

bool crash_copy(const char *from, const char *to) {
    char command[2400];
    crash_remove(to);
    snprintf(command, sizeof command, "cp -R '%s' '%s'", from, to);
    return system(command) == 0;
}
