/* Law 1 and determinism: state is what the journal gives, whatever the locale, the clock, the thread or the environment. */
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/registry.h"
#include "engine/replay.h"
#include "engine/tables.h"
#include "tests/bookkeeping.h"

#define START INT64_C(1767225600000000)

/* A locale that writes numbers with a comma: the system's, or one made here. */
static bool comma_locale(void) {
    static const char *const names[] = {"da_DK.UTF-8", "da_DK.utf8",  "de_DE.UTF-8",
                                        "de_DE.utf8",  "fr_FR.UTF-8", "tests"};
    char command[1200];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (i == 5) {
            snprintf(command, sizeof command, "localedef -i da_DK -f UTF-8 '%s/tests' >/dev/null 2>&1", test_dir());
            if (system(command) < 0) return false;
            setenv("LOCPATH", test_dir(), 1);
        }
        if (setlocale(LC_ALL, names[i])) return *localeconv()->decimal_point == ',';
    }
    return false;
}

static const char *csv(void) {
    const char *path = path_of("in.csv");
    FILE *out = fopen(path, "w");
    if (out) {
        fputs("date,voucher,account,amount,currency,text,cost_centre\n"
              "2026-02-01,I1,1000,1234.50,,straße,ADM\n2026-02-01,I1,2000,-1234.50,,STRASSE,\n"
              "2026-02-02,I2,1100,0.50,EUR,ISTANBUL,\n2026-02-02,I2,2000,-0.50,EUR,ıstanbul,\n",
              out);
        fclose(out);
    }
    return path;
}

static kt_code import_and_reverse(kt_book *book) {
    kt_import_options options = {.id = KT_STR("import")};
    kt_import_result result;
    kt_code code = kt_import(book, csv(), &options, &result, &said);
    uint64_t count;
    kt_batch_options named = {.id = KT_STR("undo")};
    kt_batch *batch = NULL;
    if (code == KT_OK) code = kt_batch_begin(book, &named, &batch, NULL, &said);
    if (code == KT_OK)
        code = kt_batch_reverse_batch(batch, KT_STR("import"), day("2026-03-01"), (kt_str){NULL, 0}, true, &count,
                                      &said);
    return code == KT_OK ? kt_batch_commit(batch, NULL, &said) : code;
}

/* Everything a book may hold, always the same, every batch with an id of its own. */
static void *write_book(void *name) {
    kt_create_options options = {.company = {.entity = KT_STR("Acme ApS"), .currency = KT_STR("DKK")},
                                 .clock_us = test_clock,
                                 .random = test_bytes};
    kt_open_options open = {.clock_us = test_clock};
    kt_book *book = NULL;
    clock_now = START;
    kt_code code = kt_book_create(path_of(name), &options, &said);
    if (code == KT_OK) code = kt_book_open(path_of(name), &open, &book, &said);
    for (unsigned i = 0; i < 30 && code == KT_OK; i++) {
        kt_batch *batch = NULL;
        char id[20], entry[200];
        snprintf(id, sizeof id, "batch %u", i);
        kt_batch_options named = {.id = kt_str_from(id)};
        code = kt_batch_begin(book, &named, &batch, NULL, &said);
        static const char *const accounts[] = {"1000", "1100", "2000"};
        for (unsigned a = 0; i == 0 && a < 3 && code == KT_OK; a++) {
            kt_account account = {
                .code = kt_str_from(accounts[a]), .open_from = KT_DAY_NONE, .closed_from = KT_DAY_NONE};
            code = kt_batch_account(batch, &account, &said);
        }
        for (unsigned k = 0; k < 20 && code == KT_OK; k++) {
            snprintf(entry, sizeof entry,
                     "2026-01-%02u V%u-%u 1000 %u.25 cc=C%u / 1100 0.50 EUR @@ 3.7250 / 2000 -%u.97", 1 + k, i, k,
                     k * i, k % 3, k * i + 3);
            code = add(batch, entry, NULL);
        }
        if (code == KT_OK && i == 29) code = kt_batch_period_close(batch, day("2026-01-01"), &said);
        if (batch) code = code == KT_OK ? kt_batch_commit(batch, NULL, &said) : (kt_batch_abort(batch), code);
    }
    if (code == KT_OK) code = import_and_reverse(book);
    is_code(code, KT_OK, "a book is written (%s)", code == KT_OK ? "" : said.text);
    kt_book_close(book);
    return NULL;
}

static void *rebuild(void *name) {
    uint64_t records;
    bool equal = false;
    kt_code code = kt_rebuild(path_of(name), NULL, NULL, &equal, &records, &said);
    is_code(code, KT_OK, "the journal is replayed");
    ok(equal, "and gives the stored state byte for byte");
    return NULL;
}

static void threaded(void *(*work)(void *), const char *name) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, (void *)(uintptr_t)name) == 0) pthread_join(thread, NULL);
    else ok(false, "a thread starts");
}

static char *checkpoint_of(const char *name) {
    kt_book *book = open_book(name);
    kt_view *view = view_of(book);
    char *note = NULL;
    size_t size;
    (void)kt_view_checkpoint(view, &note, &size, &said);
    kt_view_close(view);
    kt_book_close(book);
    return note;
}

static void same(const char *a, const char *b) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT, .read_only = true};
    kt_store *stores[2] = {NULL, NULL};
    kt_txn *txns[2] = {NULL, NULL};
    char *first = checkpoint_of(a), *second = checkpoint_of(b);
    is_text(second, first, "the same batches give the same root and checkpoint (%s, %s)", a, b);
    free(first);
    free(second);
    kt_code code = kt_store_open(path_of(a), &options, &stores[0], &said);
    if (code == KT_OK) code = kt_store_open(path_of(b), &options, &stores[1], &said);
    for (int i = 0; i < 2 && code == KT_OK; i++) code = kt_txn_begin(stores[i], false, &txns[i], &said);
    if (code == KT_OK) code = kt_state_compare(&kt_the_registry, stores[0], txns[0], txns[1], &said);
    is_code(code, KT_OK, "and the same state, key for key (%s)", code == KT_OK ? "" : said.text);
    for (int i = 0; i < 2; i++) {
        kt_txn_abort(txns[i]);
        kt_store_close(stores[i]);
    }
}

int main(void) {
    (void)test_dir();
    write_book((void *)(uintptr_t) "plain");
    rebuild((void *)(uintptr_t) "plain");
    threaded(write_book, "thread");
    threaded(rebuild, "thread");
    same("plain", "thread");
    setenv("TZ", "Pacific/Kiritimati", 1);
    tzset();
    setenv("HOME", "/nowhere", 1);
    if (chdir("/") != 0) diag("/ is no place to work in");
    if (comma_locale()) {
        char half[8];
        snprintf(half, sizeof half, "%.1f", 0.5);
        is_text(half, "0,5", "a locale with another decimal sign is in force");
        write_book((void *)(uintptr_t) "elsewhere");
        rebuild((void *)(uintptr_t) "elsewhere");
        rebuild((void *)(uintptr_t) "plain");
        same("plain", "elsewhere");
        found first;
        is_code(verify_path(path_of("plain"), NULL, &first), KT_OK, "and the other's book verifies here");
    } else {
        skip(8, "no locale with a decimal comma, and none could be made");
    }
    return done();
}
