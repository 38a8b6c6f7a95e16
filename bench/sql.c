/*
 * sql: how long do questions in SQL take, over a book of two-line entries?
 *
 * The question that has a promise: the lines of one account, some 10,000 of them, with their texts, warm, in under 50 ms whatever
 * the size of the book. Each question is prepared, run to its last row and finished, with every cell read; the figures are
 * medians of --repeat runs behind one that warms. It ends by comparing sums in SQL with the trial balance, and fails where
 * they differ.
 *
 *     sql [--entries N] [--accounts M] [--repeat R] [--dir DIR] [--json]
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/lib/book.h"
#include "bench/lib/tool.h"
#include "engine/sql/sql.h"

#define REPEATS_MAX 99
#define BATCH 8192

struct options {
    uint64_t entries;
    uint32_t accounts, repeat;
    const char *directory;
    bool json;
};

static const struct question {
    const char *key, *what;
    const char *sql; /* %1: an account, %2: an entry */
} questions[] = {
    {"account", "all lines of one account, with texts",
     "select number, date, amount_text, voucher, text from lines where account = '%1'"},
    {"account_month", "of one month",
     "select number, date, amount_text, voucher, text from lines where account = '%1' and date like '2025-03%' "
     "and date >= '2025-03-01' and date < '2025-04-01'"},
    {"account_sum", "the sum of one account", "select count(*), sum(amount) from lines where account = '%1'"},
    {"account_join", "its lines with their entries",
     "select e.number, e.text, l.amount from lines l join entries e on e.number = l.number where l.account = '%1'"},
    {"entry", "one entry with its lines",
     "select * from entries e join lines l on l.number = e.number where e.number = %2"},
    {"newest", "the ten newest entries", "select * from entries order by number desc limit 10"},
    {"balances", "the trial balance", "select * from balances"},
    {"month", "all entries of one month",
     "select number from entries where date >= '2025-03-01' and date < '2025-04-01'"},
    {"types", "sums by type of account, all lines",
     "select a.type, sum(l.amount) from lines l join accounts a on a.code = l.account group by a.type"},
    {"every_line", "every line", "select number, amount from lines"},
};

enum { QUESTIONS = sizeof questions / sizeof *questions };

static void read_options(struct options *out, int count, char **words) {
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? words[i + 1] : NULL;
        if (strcmp(words[i], "--json") == 0) {
            out->json = true;
            continue;
        }
        if (value == NULL) {
            fprintf(stderr, "%s: expected --entries N, --accounts M, --repeat R, --dir DIR or --json\n", words[0]);
            exit(2);
        }
        if (strcmp(words[i], "--entries") == 0) out->entries = bench_number(words[i], value, UINT32_MAX);
        else if (strcmp(words[i], "--accounts") == 0)
            out->accounts = (uint32_t)bench_number(words[i], value, BENCH_ACCOUNTS_MAX);
        else if (strcmp(words[i], "--repeat") == 0) out->repeat = (uint32_t)bench_number(words[i], value, REPEATS_MAX);
        else if (strcmp(words[i], "--dir") == 0) out->directory = value;
        else {
            fprintf(stderr, "%s: %s is no option\n", words[0], words[i]);
            exit(2);
        }
        i++;
    }
}

static void spell(const char *sql, kt_str account, uint64_t entry, char *out, size_t room) {
    size_t used = 0;
    for (; *sql != '\0' && used + 40 < room; sql++) {
        if (sql[0] == '%' && (sql[1] == '1' || sql[1] == '2')) {
            int size = sql[1] == '1' ? snprintf(out + used, room - used, "%.*s", (int)account.size, account.data)
                                     : snprintf(out + used, room - used, "%llu", (unsigned long long)entry);
            used += (size_t)size;
            sql++;
        } else out[used++] = *sql;
    }
    out[used] = '\0';
}

static _Noreturn void fail(sqlite3 *db, const char *sql) {
    fprintf(stderr, "%s\n  %s\n", sql, sqlite3_errmsg(db));
    exit(1);
}

/* Every cell is read, as whoever asked would. */
static uint64_t run(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement;
    uint64_t rows = 0;
    int rc;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) fail(db, sql);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        rows++;
        for (int i = 0; i < sqlite3_column_count(statement); i++)
            if (sqlite3_column_type(statement, i) == SQLITE_TEXT) (void)sqlite3_column_text(statement, i);
    }
    if (rc != SQLITE_DONE) fail(db, sql);
    sqlite3_finalize(statement);
    return rows;
}

static void ask(sqlite3 *db, const struct options *options, const struct question *question, kt_str account,
                bool last) {
    char sql[1024], time[32], cpu_time[32], rows_text[32];
    int64_t spent[REPEATS_MAX], cpu[REPEATS_MAX];
    spell(question->sql, account, options->entries / 2, sql, sizeof sql);
    uint64_t rows = run(db, sql);
    for (uint32_t i = 0; i < options->repeat; i++) {
        int64_t start = bench_now_ns(), cpu_start = bench_cpu_ns();
        (void)run(db, sql);
        spent[i] = bench_now_ns() - start;
        cpu[i] = bench_cpu_ns() - cpu_start;
    }
    int64_t ns = bench_rank(spent, options->repeat, 500), cpu_ns = bench_rank(cpu, options->repeat, 500);
    if (options->json)
        printf("\"%s_ns\":%lld,\"%s_cpu_ns\":%lld,\"%s_rows\":%llu%s", question->key, (long long)ns, question->key,
               (long long)cpu_ns, question->key, (unsigned long long)rows, last ? "}\n" : ",");
    else
        printf("%-14s %12s us %12s us of the processor %10s rows: %s\n", question->key,
               bench_show(ns / 1000, 0, time, sizeof time), bench_show(cpu_ns / 1000, 0, cpu_time, sizeof cpu_time),
               bench_show((int64_t)rows, 0, rows_text, sizeof rows_text), question->what);
    fflush(stdout);
}

/* Debits and credits of all accounts, by both ways. */
static void compare(sqlite3 *db) {
    static const char sql[] =
        "select count(*) from balances b join (select account, currency, sum(debit) d, sum(credit) c, "
        "count(*) n from lines group by account, currency) l using (account, currency) "
        "where ifnull(d, 0) != b.debit or ifnull(c, 0) != b.credit or n != b.lines";
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW)
        fail(db, sql);
    long long wrong = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    if (wrong != 0) {
        fprintf(stderr, "%lld accounts have other sums in SQL than in the trial balance\n", wrong);
        exit(1);
    }
}

int main(int count, char **arguments) {
    struct options options = {.entries = 1000000, .accounts = 200, .repeat = 5, .directory = "/tmp"};
    char book[BENCH_PATH], room[BENCH_CODE];
    bench_receipts receipts = {0};
    kt_error error = {0};
    sqlite3 *db;
    read_options(&options, count, arguments);
    bench_year *year = malloc(sizeof *year);
    if (year == NULL) bench_die("making entries", NULL);
    snprintf(book, sizeof book, "%s/book", bench_place(options.directory, false));
    bench_year_init(year, options.accounts, options.entries);
    bench_book_make(book, year);
    (void)bench_book_fill(book, false, year, options.entries, BATCH, &receipts, NULL, NULL);
    bench_receipts_release(&receipts);
    kt_str account = bench_year_account(year, options.accounts / 2, room);
    kt_sql_options sql = {.directory = book};
    if (sqlite3_open(":memory:", &db) != SQLITE_OK) bench_die("starting SQLite", NULL);
    if (kt_sql_register(db, &sql, NULL, &error) != KT_OK) bench_die("registering the tables", &error);
    if (options.json)
        printf("{\"bench\":\"sql\",\"entries\":%llu,\"accounts\":%u,\"repeat\":%u,",
               (unsigned long long)options.entries, options.accounts, options.repeat);
    else
        printf("%llu entries of two lines, %u accounts; medians of %u\n", (unsigned long long)options.entries,
               options.accounts, options.repeat);
    for (size_t i = 0; i < QUESTIONS && !bench_stopped(); i++)
        ask(db, &options, &questions[i], account, i + 1 == QUESTIONS);
    compare(db);
    sqlite3_close(db);
    free(year);
    return 0;
}
