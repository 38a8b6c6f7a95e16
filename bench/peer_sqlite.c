/*
 * peer_sqlite: the same year of two-line entries into SQLite, as somebody would who wants a ledger that lasts.
 *
 *     peer_sqlite DATABASE FILE.csv ENTRIES-A-TRANSACTION
 *
 * Prepared statements, WAL with synchronous=FULL, an index on account, balances kept by an upsert for each line; each
 * entry is checked to sum to zero and each account to exist, as Kontor does. Nothing is hashed or signed. Prints the
 * entries posted and, one a line, each account's balance in smallest units, for the comparison.
 */
#define _DEFAULT_SOURCE /* strsep */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct peer {
    sqlite3 *database;
    sqlite3_stmt *account, *entry, *line, *balance;
} peer;

static _Noreturn void stop(peer *p, const char *what) {
    fprintf(stderr, "peer_sqlite: %s: %s\n", what, p->database ? sqlite3_errmsg(p->database) : "no database");
    exit(1);
}

static void run(peer *p, const char *sql) {
    if (sqlite3_exec(p->database, sql, NULL, NULL, NULL) != SQLITE_OK) stop(p, sql);
}

static sqlite3_stmt *prepare(peer *p, const char *sql) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(p->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
        stop(p, sql);
    return statement;
}

static void step(peer *p, sqlite3_stmt *statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) stop(p, "step");
    sqlite3_reset(statement);
}

static void open_database(peer *p, const char *path) {
    if (sqlite3_open(path, &p->database) != SQLITE_OK) stop(p, path);
    run(p, "PRAGMA journal_mode=WAL");
    run(p, "PRAGMA synchronous=FULL");
    run(p, "CREATE TABLE account(id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);"
           "CREATE TABLE entry(id INTEGER PRIMARY KEY, date TEXT NOT NULL, voucher TEXT NOT NULL UNIQUE, text TEXT);"
           "CREATE TABLE line(entry INTEGER NOT NULL, account INTEGER NOT NULL, amount INTEGER NOT NULL);"
           "CREATE INDEX line_account ON line(account);"
           "CREATE TABLE balance(account INTEGER PRIMARY KEY, amount INTEGER NOT NULL);");
    p->account = prepare(p, "SELECT id FROM account WHERE code = ?1");
    p->entry = prepare(p, "INSERT INTO entry(date, voucher, text) VALUES(?1, ?2, ?3)");
    p->line = prepare(p, "INSERT INTO line(entry, account, amount) VALUES(?1, ?2, ?3)");
    p->balance = prepare(p, "INSERT INTO balance(account, amount) VALUES(?1, ?2) "
                            "ON CONFLICT(account) DO UPDATE SET amount = amount + excluded.amount");
}

static void open_accounts(peer *p) {
    char code[16];
    sqlite3_stmt *insert = prepare(p, "INSERT INTO account(code) VALUES(?1)");
    run(p, "BEGIN");
    for (int i = 0; i < 1000; i++) {
        snprintf(code, sizeof code, "a%04d", 1000 + i);
        sqlite3_bind_text(insert, 1, code, -1, SQLITE_TRANSIENT);
        step(p, insert);
    }
    run(p, "COMMIT");
    sqlite3_finalize(insert);
}

static int64_t find_account(peer *p, const char *code) {
    sqlite3_bind_text(p->account, 1, code, -1, SQLITE_STATIC);
    if (sqlite3_step(p->account) != SQLITE_ROW) stop(p, code);
    int64_t id = sqlite3_column_int64(p->account, 0);
    sqlite3_reset(p->account);
    return id;
}

static void post_line(peer *p, int64_t entry, const char *code, int64_t amount) {
    int64_t account = find_account(p, code);
    sqlite3_bind_int64(p->line, 1, entry);
    sqlite3_bind_int64(p->line, 2, account);
    sqlite3_bind_int64(p->line, 3, amount);
    step(p, p->line);
    sqlite3_bind_int64(p->balance, 1, account);
    sqlite3_bind_int64(p->balance, 2, amount);
    step(p, p->balance);
}

/* "-12.34" is -1234: two decimals always, as the file is written. */
static int64_t cents(const char *text) {
    bool negative = *text == '-';
    int64_t value = 0;
    for (text += negative; *text; text++)
        if (*text != '.') value = value * 10 + (*text - '0');
    return negative ? -value : value;
}

/* date,voucher,account,amount,text: cells of our own making, without quotes. */
static bool split(char *row, char *cells[5]) {
    row[strcspn(row, "\r\n")] = '\0';
    for (int i = 0; i < 5; i++) {
        cells[i] = strsep(&row, ",");
        if (!cells[i]) return false;
    }
    return true;
}

static uint64_t post_file(peer *p, FILE *in, uint64_t batch) {
    char row[512], voucher[64] = "", *cells[5];
    uint64_t entries = 0;
    int64_t entry = 0, sum = 0;
    if (!fgets(row, sizeof row, in)) stop(p, "an empty file");
    run(p, "BEGIN");
    while (fgets(row, sizeof row, in)) {
        if (!split(row, cells)) stop(p, "a row of fewer than five cells");
        if (strcmp(voucher, cells[1]) != 0) {
            if (sum != 0) stop(p, "an entry does not balance");
            if (entries > 0 && entries % batch == 0) run(p, "COMMIT; BEGIN");
            snprintf(voucher, sizeof voucher, "%s", cells[1]);
            sqlite3_bind_text(p->entry, 1, cells[0], -1, SQLITE_STATIC);
            sqlite3_bind_text(p->entry, 2, cells[1], -1, SQLITE_STATIC);
            sqlite3_bind_text(p->entry, 3, cells[4], -1, SQLITE_STATIC);
            step(p, p->entry);
            entry = sqlite3_last_insert_rowid(p->database);
            entries++;
        }
        int64_t amount = cents(cells[3]);
        sum += amount;
        post_line(p, entry, cells[2], amount);
    }
    if (sum != 0) stop(p, "the last entry does not balance");
    run(p, "COMMIT");
    return entries;
}

int main(int count, char **words) {
    peer p = {0};
    if (count != 4 || strtoull(words[3], NULL, 10) == 0) {
        fprintf(stderr, "usage: peer_sqlite DATABASE FILE.csv ENTRIES-A-TRANSACTION\n");
        return 2;
    }
    FILE *in = fopen(words[2], "r");
    if (!in) {
        perror(words[2]);
        return 4;
    }
    open_database(&p, words[1]);
    open_accounts(&p);
    printf("%" PRIu64 " entries\n", post_file(&p, in, strtoull(words[3], NULL, 10)));
    fclose(in);
    sqlite3_stmt *all = prepare(&p, "SELECT code, amount FROM balance JOIN account ON id = account ORDER BY code");
    while (sqlite3_step(all) == SQLITE_ROW)
        printf("%s %lld\n", (const char *)sqlite3_column_text(all, 0), sqlite3_column_int64(all, 1));
    sqlite3_finalize(all);
    sqlite3_stmt *const statements[] = {p.account, p.entry, p.line, p.balance};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) sqlite3_finalize(statements[i]);
    return sqlite3_close(p.database) == SQLITE_OK ? 0 : 1; /* the last close folds the WAL into the database */
}
