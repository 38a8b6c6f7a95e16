/*
 * bulk_post: how fast are two-line entries posted, with every check, index, hash, signature and sync in place?
 *
 * It opens a book exactly as `kontor post` does and posts through the public C API, a batch at a time. Beside it, in the
 * same run, the ceiling: the same bytes hashed into a tree, signed per batch and appended to LMDB with a sync for each
 * batch, on one thread, and no accounting. It ends with a verification of what it wrote and fails if that fails.
 *
 *     bulk_post [--entries N] [--accounts M] [--batch B] [--dir DIR] [--json]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/kontor.h"
#include "storage/block.h"
#include "storage/head.h"
#include "storage/journal.h"

struct options {
    uint64_t entries;
    uint32_t accounts, batch;
    const char *directory;
    bool json;
};

static _Noreturn void die(const char *what, const kt_error *error) {
    fprintf(stderr, "bulk_post: %s: %s\n", what, error == NULL ? strerror(errno) : error->text);
    exit(1);
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint64_t next_random(uint64_t *state) { /* splitmix64 */
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static int64_t cpu_ns(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
           ((int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

/* ---- anonymous memory, looked at while the work runs ---- */

static atomic_long peak_kb;
static atomic_bool watching;

static long anonymous_kb(void) {
    char line[256];
    long kb = 0;
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL) return 0;
    while (fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "RssAnon: %ld kB", &kb) == 1) break;
    fclose(status);
    return kb;
}

static void *watch(void *unused) {
    (void)unused;
    while (atomic_load(&watching)) {
        long kb = anonymous_kb();
        if (kb > atomic_load(&peak_kb)) atomic_store(&peak_kb, kb);
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    return NULL;
}

/* ---- the full engine ---- */

static void make_book(const char *directory, uint32_t accounts) {
    kt_error error = {0};
    kt_book *book;
    kt_batch *batch;
    kt_create_options options = {.company = {.entity = KT_STR("Bench"), .currency = KT_STR("DKK")}};
    if (kt_book_create(directory, &options, &error) != KT_OK || kt_book_open(directory, NULL, &book, &error) != KT_OK ||
        kt_batch_begin(book, NULL, &batch, NULL, &error) != KT_OK)
        die("making the book", &error);
    for (uint32_t i = 0; i < accounts; i++) {
        char code[16];
        snprintf(code, sizeof code, "%u", 1000 + i);
        kt_account account = {.code = kt_str_from(code),
                              .type = i % 2 == 0 ? KT_ASSET : KT_INCOME,
                              .open_from = KT_DAY_NONE,
                              .closed_from = KT_DAY_NONE};
        if (kt_batch_account(batch, &account, &error) != KT_OK) die("an account", &error);
    }
    if (kt_batch_commit(batch, NULL, &error) != KT_OK) die("the accounts", &error);
    kt_book_close(book);
}

/* One year of two-line entries: rising voucher, 12-byte text, two accounts drawn at random, dates rising. Gives the
   recorded time of the batch in the middle. */
static int64_t post(const char *directory, const struct options *options) {
    int64_t half_time = 0;
    kt_error error = {0};
    kt_book *book;
    kt_batch *batch = NULL;
    uint64_t random = 1;
    kt_day first;
    kt_day_from_civil(2025, 1, 1, &first);
    char(*codes)[16] = calloc(options->accounts, sizeof *codes);
    uint8_t *sizes = calloc(options->accounts, 1);
    if (codes == NULL || sizes == NULL) die("memory", NULL);
    for (uint32_t i = 0; i < options->accounts; i++)
        sizes[i] = (uint8_t)snprintf(codes[i], sizeof *codes, "%u", 1000 + i);
    if (kt_book_open(directory, NULL, &book, &error) != KT_OK) die("opening", &error);
    for (uint64_t i = 0; i < options->entries; i++) {
        char voucher[24];
        if (batch == NULL && kt_batch_begin(book, NULL, &batch, NULL, &error) != KT_OK) die("a batch", &error);
        uint64_t draw = next_random(&random);
        uint32_t a = (uint32_t)((draw & 0xffffffff) % options->accounts),
                 b = (uint32_t)((draw >> 32) % options->accounts);
        if (a == b) b = (b + 1) % options->accounts;
        kt_amount amount = (kt_amount)(100 + (draw >> 20) % 1000000);
        kt_line lines[2] = {{.account = {codes[a], sizes[a]}, .amount = amount},
                            {.account = {codes[b], sizes[b]}, .amount = -amount}};
        int digits = 0;
        char reversed[24];
        for (uint64_t n = i + 1; n != 0; n /= 10) reversed[digits++] = (char)('0' + n % 10);
        for (int k = 0; k < digits; k++) voucher[k] = reversed[digits - 1 - k];
        kt_entry entry = {.date = first + (kt_day)(i * 365 / options->entries),
                          .voucher = {voucher, (size_t)digits},
                          .text = KT_STR("Sale of wood"),
                          .lines = lines,
                          .line_count = 2};
        if (kt_batch_add(batch, &entry, NULL, &error) != KT_OK) die("an entry", &error);
        if ((i + 1) % options->batch == 0 || i + 1 == options->entries) {
            kt_receipt receipt;
            if (kt_batch_commit(batch, &receipt, &error) != KT_OK) die("a commit", &error);
            if (i < options->entries / 2) half_time = receipt.recorded_us;
            batch = NULL;
        }
    }
    kt_book_close(book);
    free(codes);
    free(sizes);
    return half_time;
}

/* ---- the ceiling ---- */

struct ceiling {
    kt_store *store;
    kt_signer *signer;
    kt_tree tree;
    uint16_t lengths[KT_BLOCK_RECORDS];
    uint8_t (*leaves)[KT_HASH_SIZE];
    uint8_t *data;
    uint32_t count, bytes;
    uint64_t first;
};

static void ceiling_block(struct ceiling *work, kt_txn *txn) {
    kt_error error = {0};
    uint8_t key[8], *room;
    const uint8_t *at = work->data;
    for (uint32_t i = 0; i < work->count; i++) {
        kt_leaf_hash(at, work->lengths[i], work->leaves[i]);
        at += work->lengths[i];
    }
    kt_tree_add_many(&work->tree, work->leaves[0], work->count, NULL, NULL);
    kt_put_be64(key, work->first);
    if (kt_txn_append_room(txn, KT_TABLE_BLOCKS, kt_span_of(key, 8), kt_block_size(work->count, work->bytes), &room,
                           &error) != KT_OK)
        die("the ceiling's block", &error);
    kt_block_write(KT_TABLE_BLOCKS, work->first, work->count, work->lengths, NULL, work->data, work->bytes, room);
    work->first += work->count;
    work->count = work->bytes = 0;
}

/* One batch: its blocks, its signature, the checkpoint's, one commit. */
static void ceiling_batch(struct ceiling *work, const uint8_t *bytes, const uint16_t *lengths, uint32_t count) {
    kt_error error = {0};
    kt_txn *txn;
    uint8_t root[KT_HASH_SIZE], signature[2][KT_SIGNATURE_SIZE];
    if (kt_txn_begin(work->store, true, &txn, &error) != KT_OK) die("the ceiling", &error);
    for (uint32_t i = 0; i < count; i++) {
        if (work->count == KT_BLOCK_RECORDS || work->bytes + lengths[i] > KT_BLOCK_BYTES) ceiling_block(work, txn);
        memcpy(work->data + work->bytes, bytes, lengths[i]);
        work->lengths[work->count++] = lengths[i];
        work->bytes += lengths[i];
        bytes += lengths[i];
    }
    ceiling_block(work, txn);
    kt_tree_root(&work->tree, root);
    kt_sign(work->signer, root, sizeof root, signature[0]);
    kt_sign(work->signer, signature[0], sizeof signature[0], signature[1]);
    if (kt_txn_put(txn, KT_TABLE_META, kt_span_of("head", 4), kt_span_of(signature, sizeof signature), &error) !=
            KT_OK ||
        kt_txn_commit(txn, &error) != KT_OK)
        die("the ceiling's commit", &error);
}

/* Feeds the ceiling the records of the book, read before the clock runs. Returns its nanoseconds. */
static int64_t run_ceiling(const char *book, const char *directory, const struct options *options) {
    static const char *const names[] = {"meta", "blocks"};
    static const char *const book_names[] = {"meta", "blocks"};
    kt_error error = {0};
    struct ceiling *work = calloc(1, sizeof *work);
    kt_store *source;
    kt_txn *txn;
    kt_records *records;
    kt_log_head head;
    kt_store_options own = {.names = names, .count = 2, .create = true},
                     other = {.names = book_names, .count = 2, .read_only = true};
    if (work == NULL || mkdir(directory, 0700) != 0) die(directory, NULL);
    work->leaves = malloc(KT_BLOCK_RECORDS * sizeof *work->leaves);
    work->data = malloc(KT_BLOCK_BYTES);
    uint8_t *bytes = malloc((size_t)options->batch * 2048);
    uint16_t *lengths = malloc((size_t)options->batch * 4 + 64);
    if (work->leaves == NULL || work->data == NULL || bytes == NULL || lengths == NULL) die("memory", NULL);
    kt_tree_init(&work->tree);
    if (kt_signer_generate(&work->signer, &error) != KT_OK ||
        kt_store_open(directory, &own, &work->store, &error) != KT_OK ||
        kt_store_open(book, &other, &source, &error) != KT_OK || kt_txn_begin(source, false, &txn, &error) != KT_OK ||
        kt_log_head_read(txn, &head, &error) != KT_OK ||
        kt_records_open(txn, head.tree.size, &records, &error) != KT_OK)
        die("the ceiling", &error);
    int64_t spent = 0;
    uint64_t number = head.tree.size - options->entries - (options->entries + options->batch - 1) / options->batch;
    while (number < head.tree.size) {
        uint32_t count = 0;
        size_t filled = 0;
        for (; count <= options->batch && number < head.tree.size; count++, number++) { /* a batch and its seal */
            kt_span record;
            if (kt_records_read(records, number, &record, &error) != KT_OK) die("reading", &error);
            memcpy(bytes + filled, record.data, record.size);
            lengths[count] = (uint16_t)record.size;
            filled += record.size;
        }
        int64_t start = now_ns();
        ceiling_batch(work, bytes, lengths, count);
        spent += now_ns() - start;
    }
    kt_records_close(records);
    kt_txn_abort(txn);
    kt_store_close(source);
    kt_store_close(work->store);
    kt_signer_close(work->signer);
    free(bytes);
    free(lengths);
    free(work->leaves);
    free(work->data);
    free(work);
    return spent;
}

/* ---- reading what was written ---- */

#define ROUNDS 5

static int compare_ns(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Median of the time that a trial balance takes, the view's opening included. */
static int64_t time_balance(kt_book *book, kt_day at, const kt_view_options *known) {
    int64_t spent[ROUNDS];
    kt_error error = {0};
    for (int i = 0; i < ROUNDS; i++) {
        kt_view *view;
        kt_balance *rows;
        size_t count;
        kt_balance_query query = {.from = KT_DAY_NONE, .to = at};
        int64_t start = now_ns();
        if (kt_view_open(book, known, &view, &error) != KT_OK ||
            kt_balances(view, &query, &rows, &count, &error) != KT_OK)
            die("a trial balance", &error);
        spent[i] = now_ns() - start;
        free(rows);
        kt_view_close(view);
    }
    qsort(spent, ROUNDS, sizeof *spent, compare_ns);
    return spent[ROUNDS / 2];
}

struct reading {
    int64_t month_end, any_day, as_known, statement, open;
};

static int64_t time_statement(kt_book *book) {
    int64_t spent[ROUNDS];
    kt_error error = {0};
    kt_day from, to;
    kt_day_from_civil(2025, 6, 1, &from);
    kt_day_from_civil(2025, 6, 30, &to);
    for (int i = 0; i < ROUNDS; i++) {
        kt_view *view;
        kt_statement *statement;
        int64_t start = now_ns();
        if (kt_view_open(book, NULL, &view, &error) != KT_OK ||
            kt_statement_read(view, KT_STR("1001"), from, to, &statement, &error) != KT_OK)
            die("a statement", &error);
        spent[i] = now_ns() - start;
        kt_statement_free(statement);
        kt_view_close(view);
    }
    qsort(spent, ROUNDS, sizeof *spent, compare_ns);
    return spent[ROUNDS / 2];
}

static void time_reading(const char *directory, int64_t half_time, struct reading *out) {
    kt_error error = {0};
    kt_book *book;
    kt_day month_end, any_day;
    kt_view_options known = {.as_known = true, .known_us = half_time};
    kt_day_from_civil(2025, 11, 30, &month_end);
    kt_day_from_civil(2025, 11, 17, &any_day);
    int64_t start = now_ns();
    if (kt_book_open(directory, NULL, &book, &error) != KT_OK) die("opening", &error);
    out->open = now_ns() - start;
    out->month_end = time_balance(book, month_end, NULL);
    out->any_day = time_balance(book, any_day, NULL);
    out->as_known = time_balance(book, month_end, &known);
    out->statement = time_statement(book);
    kt_book_close(book);
}

/* ---- telling ---- */

static void report(const struct options *options, int64_t spent, int64_t cpu, int64_t ceiling, uint64_t disk,
                   uint64_t free_pages, const struct reading *reading) {
    uint64_t rate = (uint64_t)((kt_uint128)options->entries * 1000000000u / (uint64_t)spent);
    uint64_t top = (uint64_t)((kt_uint128)options->entries * 1000000000u / (uint64_t)ceiling);
    uint64_t permille = rate * 1000 / top, tenths = disk * 10 / options->entries,
             mb = (uint64_t)atomic_load(&peak_kb) / 1024;
    if (options->json)
        printf("{\"bench\":\"bulk_post\",\"entries\":%llu,\"accounts\":%u,\"batch\":%u,\"entries_per_s\":%llu,"
               "\"ceiling_per_s\":%llu,"
               "\"ratio\":%llu.%03llu,\"bytes_per_entry\":%llu.%llu,\"rss_mb\":%llu,\"free_pages\":%llu,"
               "\"balance_month_end_us\":%lld,\"balance_any_day_us\":%lld,\"balance_as_known_us\":%lld,\"statement_"
               "month_us\":%lld,\"open_us\":%lld}\n",
               (unsigned long long)options->entries, options->accounts, options->batch, (unsigned long long)rate,
               (unsigned long long)top, (unsigned long long)permille / 1000, (unsigned long long)permille % 1000,
               (unsigned long long)tenths / 10, (unsigned long long)tenths % 10, (unsigned long long)mb,
               (unsigned long long)free_pages, (long long)reading->month_end / 1000, (long long)reading->any_day / 1000,
               (long long)reading->as_known / 1000, (long long)reading->statement / 1000,
               (long long)reading->open / 1000);
    else
        printf("entries         %12llu  (batches of %u, %u accounts)\n"
               "posted          %12llu  entries/s, durable, all checks\n"
               "processor       %12llu  ns an entry, of %llu ns in all\n"
               "ceiling         %12llu  entries/s, the bytes alone\n"
               "ratio           %8llu.%03llu\n"
               "on disk         %10llu.%llu  bytes/entry\n"
               "memory          %12llu  MB anonymous at its peak\n"
               "free pages      %12llu  that LMDB will use again\n"
               "trial balance   %12lld  us at a month's end, median of 5\n"
               "                %12lld  us on any day\n"
               "                %12lld  us at a month's end as known half-way\n"
               "statement       %12lld  us, one account, one month\n"
               "opening         %12lld  us\n",
               (unsigned long long)options->entries, options->batch, options->accounts, (unsigned long long)rate,
               (unsigned long long)cpu / options->entries, (unsigned long long)spent / options->entries,
               (unsigned long long)top, (unsigned long long)permille / 1000, (unsigned long long)permille % 1000,
               (unsigned long long)tenths / 10, (unsigned long long)tenths % 10, (unsigned long long)mb,
               (unsigned long long)free_pages, (long long)reading->month_end / 1000, (long long)reading->any_day / 1000,
               (long long)reading->as_known / 1000, (long long)reading->statement / 1000,
               (long long)reading->open / 1000);
}

static void read_stats(const char *directory, kt_stats *stats) {
    kt_error error = {0};
    kt_book *book;
    kt_view *view;
    kt_open_options options = {.read_only = true};
    if (kt_book_open(directory, &options, &book, &error) != KT_OK || kt_view_open(book, NULL, &view, &error) != KT_OK ||
        kt_view_stats(view, stats, &error) != KT_OK)
        die("figures", &error);
    kt_view_close(view);
    kt_book_close(book);
}

static void remove_directory(const char *directory) {
    static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock", "keys/log.key"};
    char path[4096];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/keys", directory);
    rmdir(path);
    rmdir(directory);
}

static uint64_t number_of(const char *text) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != 0 || value == 0) die(text, NULL);
    return value;
}

static struct options read_options(int count, char **words) {
    struct options options = {1000000, 1000, 8192, "/tmp", false};
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--json") == 0) options.json = true;
        else if (i + 1 == count) die(words[i], NULL);
        else if (strcmp(words[i], "--entries") == 0) options.entries = number_of(words[++i]);
        else if (strcmp(words[i], "--accounts") == 0) options.accounts = (uint32_t)number_of(words[++i]);
        else if (strcmp(words[i], "--batch") == 0) options.batch = (uint32_t)number_of(words[++i]);
        else if (strcmp(words[i], "--dir") == 0) options.directory = words[++i];
        else {
            fprintf(stderr, "usage: bulk_post [--entries N] [--accounts M] [--batch B] [--dir DIR] [--json]\n");
            exit(2);
        }
    }
    if (options.accounts < 2) options.accounts = 2;
    return options;
}

int main(int count, char **words) {
    struct options options = read_options(count, words);
    char base[3800], book[4096], ceiling[4096];
    kt_error error = {0};
    pthread_t watcher;
    kt_stats stats;
    struct reading reading;
    snprintf(base, sizeof base, "%s/kontor-bench-XXXXXX", options.directory);
    if (mkdtemp(base) == NULL) die(base, NULL);
    snprintf(book, sizeof book, "%s/book", base);
    snprintf(ceiling, sizeof ceiling, "%s/ceiling", base);
    make_book(book, options.accounts);
    atomic_store(&watching, true);
    if (pthread_create(&watcher, NULL, watch, NULL) != 0) die("a thread", NULL);
    int64_t start = now_ns(), cpu = cpu_ns();
    int64_t half_time = post(book, &options);
    int64_t spent = now_ns() - start;
    cpu = cpu_ns() - cpu;
    atomic_store(&watching, false);
    pthread_join(watcher, NULL);
    read_stats(book, &stats);
    time_reading(book, half_time, &reading);
    int64_t top = run_ceiling(book, ceiling, &options);
    report(&options, spent, cpu, top, stats.disk_bytes, stats.free_pages, &reading);
    fflush(stdout);
    kt_code code = kt_verify(book, NULL, NULL, &error);
    if (code != KT_OK) fprintf(stderr, "bulk_post: what was written does not verify: %s\n", error.text);
    remove_directory(book);
    remove_directory(ceiling);
    rmdir(base);
    return code == KT_OK ? 0 : 1;
}
