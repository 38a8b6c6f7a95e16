#define _GNU_SOURCE
#include "bench/lib/reading.h"

#include <errno.h>
#include <stdlib.h>

#include "bench/lib/memory.h"
#include "bench/lib/tool.h"

#define ROUNDS 5

int64_t bench_time_balance(kt_book *book, kt_day to, const kt_view_options *known) {
    int64_t spent[ROUNDS];
    kt_error error = {0};
    for (int i = 0; i < ROUNDS; i++) {
        kt_view *view;
        kt_balance *rows;
        size_t count;
        kt_balance_query query = {.from = KT_DAY_NONE, .to = to};
        int64_t start = bench_now_ns();
        if (kt_view_open(book, known, &view, &error) != KT_OK ||
            kt_balances(view, &query, &rows, &count, &error) != KT_OK)
            bench_die("a trial balance", &error);
        spent[i] = bench_now_ns() - start;
        free(rows);
        kt_view_close(view);
    }
    return bench_rank(spent, ROUNDS, 500);
}

int64_t bench_time_statement(kt_book *book, kt_str account, kt_day from, kt_day to, uint64_t *lines) {
    int64_t spent[ROUNDS];
    kt_error error = {0};
    for (int i = 0; i < ROUNDS; i++) {
        kt_view *view;
        kt_statement *statement;
        int64_t start = bench_now_ns();
        if (kt_view_open(book, NULL, &view, &error) != KT_OK ||
            kt_statement_read(view, account, from, to, &statement, &error) != KT_OK)
            bench_die("a statement", &error);
        spent[i] = bench_now_ns() - start;
        *lines = statement->posting_count;
        kt_statement_free(statement);
        kt_view_close(view);
    }
    return bench_rank(spent, ROUNDS, 500);
}

int64_t bench_time_open(const char *directory) {
    int64_t spent[ROUNDS];
    kt_error error = {0};
    for (int i = 0; i < ROUNDS; i++) {
        kt_book *book;
        int64_t start = bench_now_ns();
        if (kt_book_open(directory, NULL, &book, &error) != KT_OK) bench_die("opening", &error);
        spent[i] = bench_now_ns() - start;
        kt_book_close(book);
    }
    return bench_rank(spent, ROUNDS, 500);
}

static void tell_found(void *context, const kt_finding *finding) {
    (void)context;
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, finding->what);
}

bool bench_verify(const char *directory, void (*progress)(void *context, uint64_t done, uint64_t of), void *context,
                  bench_trust *out) {
    kt_error error = {0};
    kt_verify_result result = {0};
    kt_verify_options options = {.progress = progress, .found = tell_found, .most = 10, .context = context};
    bench_memory_start(true);
    int64_t start = bench_now_ns();
    kt_code code = kt_verify(directory, &options, &result, &error);
    out->ns = bench_now_ns() - start;
    out->memory = bench_memory_stop();
    out->records = result.records;
    if (code == KT_OK && result.state_equal) return true;
    fprintf(stderr, "%s: what was written does not verify: %s\n", program_invocation_short_name,
            code == KT_OK ? "the state is another" : error.text);
    return false;
}

bool bench_rebuild(const char *directory, bench_trust *out) {
    kt_error error = {0};
    bool equal = false;
    bench_memory_start(true);
    int64_t start = bench_now_ns();
    if (kt_rebuild(directory, NULL, NULL, &equal, &out->records, &error) != KT_OK) bench_die("rebuilding", &error);
    out->ns = bench_now_ns() - start;
    out->memory = bench_memory_stop();
    if (!equal) fprintf(stderr, "%s: the state came out another when rebuilt\n", program_invocation_short_name);
    return equal;
}
