/* The book as tables of SQLite: they say what the library says, whatever a query asks for and however it is planned. */
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sql/sql.h"
#include "tests/bookkeeping.h"

static sqlite3 *db;

/* ---- asking ---- */

typedef struct text {
    char *data;
    size_t size, room;
} text;

static void put(text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(text *out, const char *format, ...) {
    va_list list;
    if (out->room - out->size < 4096) {
        out->room = out->room * 2 + 16384;
        out->data = realloc(out->data, out->room);
        if (out->data == NULL) abort();
    }
    va_start(list, format);
    int size = vsnprintf(out->data + out->size, out->room - out->size, format, list);
    va_end(list);
    out->size += (size_t)size < out->room - out->size ? (size_t)size : out->room - out->size - 1;
}

/* Cells parted by '|', rows by line feeds; a cell says its type where it is no text. The error where there is one. */
static text asked(const char *sql) {
    text out = {0};
    sqlite3_stmt *statement;
    put(&out, "%s", "");
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
            for (int i = 0; i < sqlite3_column_count(statement); i++) {
                static const char *const types[] = {"", "i", "REAL ", "", "x", "null"};
                put(&out, "%s%s", i == 0 ? "" : "|", types[sqlite3_column_type(statement, i)]);
                const char *cell = (const char *)sqlite3_column_text(statement, i);
                put(&out, "%.1000s", cell == NULL ? "" : cell);
            }
            put(&out, "\n");
        }
    if (rc != SQLITE_DONE) put(&out, "! %s", sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    return out;
}

static void says(const char *sql, const char *expected, const char *law) {
    text answer = asked(sql);
    if (!is_text(answer.data, expected, "%s", law)) diag("%s", sql);
    free(answer.data);
}

static void refuses(const char *sql, const char *part, const char *law) {
    text answer = asked(sql);
    ok(strchr(answer.data, '!') != NULL, "refused: %s", law);
    if (!has_text(answer.data, part, "%s", law)) diag("%s", sql);
    free(answer.data);
}

static void plans(const char *sql, const char *part, const char *law) {
    char wrapped[1024];
    snprintf(wrapped, sizeof wrapped, "explain query plan %s", sql);
    text answer = asked(wrapped);
    if (!has_text(answer.data, part, "%s", law)) diag("%s", sql);
    free(answer.data);
}

static void run(const char *sql) {
    text answer = asked(sql);
    if (answer.size != 0) diag("%s: %s", sql, answer.data);
    free(answer.data);
}

static void connect_to(const char *name) {
    kt_sql_options options = {.directory = name == NULL ? NULL : path_of(name)};
    sqlite3_close(db);
    if (sqlite3_open(":memory:", &db) != SQLITE_OK || kt_sql_register(db, &options, NULL, &said) != KT_OK) {
        ok(false, "a connection: %s", said.text);
        exit(done());
    }
}

/* ---- against the library ---- */

static void put_str(text *out, kt_str str) {
    if (str.size == 0) put(out, "|null");
    else put(out, "|%.*s", (int)str.size, str.data);
}

static void put_amount(text *out, kt_amount amount, uint8_t decimals) {
    char room[KT_AMOUNT_TEXT];
    kt_amount_format(amount, decimals, '\0', room);
    put(out, "|%s", room);
}

static kt_code put_entry(void *context, const kt_entry_view *view, kt_error *error) {
    text *out = context;
    const kt_entry *entry = &view->entry;
    char date[KT_DAY_TEXT];
    (void)error;
    for (size_t i = 0; i < entry->line_count; i++) {
        const kt_line *line = &entry->lines[i];
        kt_str dimensions[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
        for (uint8_t d = 0; d < line->dimension_count; d++)
            if (line->dimensions[d].dimension <= 3)
                dimensions[line->dimensions[d].dimension - 1] = line->dimensions[d].value;
        put(out, "i%llu|i%zu|%s", (unsigned long long)view->number, i, kt_day_format(entry->date, date));
        put_str(out, line->account);
        put_amount(out, line->amount, view->decimals[i]);
        put_str(out, line->currency.size == 0 ? KT_STR("DKK") : line->currency);
        if (line->has_cost) {
            put_amount(out, line->cost, view->cost_decimals[i]);
            put_str(out, line->cost_currency.size == 0 ? KT_STR("DKK") : line->cost_currency);
        } else put(out, "|null|null");
        put_str(out, entry->series);
        put_str(out, entry->voucher);
        put_str(out, line->text.size != 0 ? line->text : entry->text);
        put_str(out, line->ref.size != 0 ? line->ref : entry->ref);
        put_str(out, line->tax_code);
        for (int d = 0; d < 3; d++) put_str(out, dimensions[d]);
        put(out, "\n");
    }
    return KT_OK;
}

static void same_lines(kt_view *view, const char *where, const kt_journal_filter *filter, const char *law) {
    char sql[1024];
    text expected = {0};
    put(&expected, "%s", "");
    kt_entries(view, filter, put_entry, &expected, &said);
    snprintf(sql, sizeof sql,
             "select number, line, date, account, amount_text, currency, cost_text, cost_currency, series, voucher, "
             "text, ref, tax_code, cost_centre, department, project from lines %s order by number, line",
             where);
    says(sql, expected.data, law);
    free(expected.data);
}

static void same_balances(kt_view *view, const char *arguments, const kt_balance_query *query, const char *law) {
    char sql[1024];
    kt_balance *rows;
    size_t count;
    text expected = {0};
    put(&expected, "%s", "");
    if (kt_balances(view, query, &rows, &count, &said) != KT_OK) count = 0;
    for (size_t i = 0; i < count; i++) {
        put(&expected, "%.*s", (int)rows[i].account.size, rows[i].account.data);
        put_str(&expected, rows[i].name);
        put_str(&expected, rows[i].currency);
        put_str(&expected, rows[i].group);
        put_amount(&expected, rows[i].balance, rows[i].decimals);
        put_amount(&expected, rows[i].book_balance, rows[i].book_decimals);
        put(&expected, "|i%llu|i%llu\n", (unsigned long long)rows[i].lines, (unsigned long long)rows[i].unvalued);
    }
    free(rows);
    snprintf(
        sql, sizeof sql,
        "select account, name, currency, grouping, balance_text, book_balance_text, lines, unvalued from balances%s "
        "order by account, currency",
        arguments);
    says(sql, expected.data, law);
    free(expected.data);
}

static void same_accounts(kt_view *view) {
    kt_account *rows;
    size_t count;
    text expected = {0};
    put(&expected, "%s", "");
    if (kt_view_accounts(view, &rows, &count, &said) != KT_OK) count = 0;
    for (size_t i = 0; i < count; i++) {
        put(&expected, "%.*s", (int)rows[i].code.size, rows[i].code.data);
        put_str(&expected, rows[i].name);
        put(&expected, "|%s|i%u|i%llu\n", kt_account_type_name(rows[i].type), rows[i].id,
            (unsigned long long)rows[i].record);
    }
    free(rows);
    says("select code, name, type, id, record from accounts order by code", expected.data, "the accounts");
    free(expected.data);
}

static void hex(const uint8_t *bytes, size_t size, char *out) {
    for (size_t i = 0; i < size; i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void same_records(kt_book *book, kt_view *view) {
    kt_head head = head_of(book);
    kt_entry_view *entry;
    char sql[512], expected[2048], leaf[65], key[65], time[KT_TIME_TEXT], *note = NULL;
    size_t size;
    snprintf(expected, sizeof expected, "i%llu|i%llu|i%llu|i%llu\n", (unsigned long long)head.size,
             (unsigned long long)head.entries, (unsigned long long)head.batches, (unsigned long long)head.accounts);
    says("select (select count(*) from records), (select count(*) from entries), (select count(*) from batches), "
         "(select count(*) from accounts)",
         expected, "there is as much of everything as the head says");
    snprintf(expected, sizeof expected, "i%llu\n", (unsigned long long)head.entries);
    says("select count(*) from records where name = 'entry'", expected, "and as many entries among the records");
    says("select name, number from records where number = 0", "genesis|i0\n", "the first record is the genesis");
    says("select name from records order by number desc limit 1", "seal\n", "the last one is a seal");
    if (kt_view_checkpoint(view, &note, &size, &said) == KT_OK) {
        snprintf(expected, sizeof expected, "%s\n", note);
        says("select note from checkpoints order by size desc limit 1", expected,
             "the newest checkpoint is the head's");
    }
    free(note);
    says("select count(*) = (select count(*) from batches) from checkpoints", "i1\n", "each batch alone has one");
    if (kt_entry_read(view, receipt.first, &entry, &said) == KT_OK) {
        hex(entry->leaf_hash, 32, leaf);
        hex(entry->actor, 32, key);
        snprintf(
            sql, sizeof sql,
            "select r.leaf_hash, r.batch, e.batch, b.first, b.last, b.key, e.recorded from records r join entries e "
            "using (number) join batches b on b.id = e.batch where r.number = %llu",
            (unsigned long long)receipt.first);
        snprintf(expected, sizeof expected, "%s|%.*s|%.*s|i%llu|i%llu|%s|%s\n", leaf, (int)entry->batch_id.size,
                 entry->batch_id.data, (int)entry->batch_id.size, entry->batch_id.data,
                 (unsigned long long)entry->batch_first, (unsigned long long)entry->batch_last, key,
                 kt_time_format(entry->recorded_us, time));
        says(sql, expected, "an entry's leaf, batch, maker and time");
    }
    kt_entry_view_free(entry);
}

static kt_book *various(void) {
    static const char *const tricky = "2025-03-03 S#Q'1 1000 5 text=it's,\"so\" / 2000 -5 text=%_* ref=R1";
    uint64_t reversal;
    kt_book *book = make_book("various");
    kt_batch_options named = {.id = KT_STR("january")};
    is_code(post_with(book, &named,
                      "2025-01-20 V2 1000 200 text=later cc=north dep=sales / 2000 -200\n"
                      "2025-01-10 V1 1000 100 / 2000 -100 ref=R9 tax=U25"),
            KT_OK, "entries");
    is_code(post(book, "2025-01-15 E1 1000 10 EUR @@ 74.60 / 1100 -74.60\n2025-02-15 E2 1000 -4 EUR / 2000 4 EUR"),
            KT_OK, "in other currencies");
    is_code(post(book, tricky), KT_OK, "with quotes and wildcards in their texts");
    uint64_t number = receipt.first;
    is_code(reverse(book, number, "2025-04-01", true, &reversal), KT_OK, "reversed with minus amounts");
    is_code(close_month(book, "2025-01"), KT_OK, "a closed month");
    is_code(reopen_month(book, "2025-01", "late"), KT_OK, "reopened");
    is_code(close_month(book, "2025-02"), KT_OK, "and another");
    is_code(post(book, "2025-05-05 V9 1000 1 / 5100 -1 proj=p7"), KT_OK, "a last one");
    return book;
}

static void test_tables(void) {
    kt_book *book = various();
    kt_view *view = view_of(book);
    connect_to("various");
    kt_balance_query quarter = {day("2025-01-01"), day("2025-02-28"), KT_BY_NOTHING},
                     months = {KT_DAY_NONE, KT_DAY_NONE, KT_BY_MONTH},
                     centres = {KT_DAY_NONE, KT_DAY_NONE, KT_BY_COST_CENTRE};
    kt_journal_filter january = {.from = day("2025-01-01"), .to = day("2025-01-31")};
    same_lines(view, "", NULL, "every line, with all that it has");
    same_lines(view, "where date between '2025-01-01' and '2025-01-31'", &january, "those of a month");
    same_balances(view, "", NULL, "the trial balance");
    same_balances(view, "('2025-01-01', '2025-02')", &quarter, "of some days");
    same_balances(view, "(null, null, 'month')", &months, "by month");
    same_balances(view, "(null, null, 'cost_centre')", &centres, "by cost centre");
    same_accounts(view);
    same_records(book, view);
    kt_view_close(view);
    says("select month, closed, reason from periods where month < '2025-03'", "2025-01|i0|late\n2025-02|i1|null\n",
         "months, closed and reopened");
    says("select entity, currency, time_zone, fiscal_month from company", "Acme ApS|DKK|UTC|i1\n", "the company");
    says("select code, decimals, posted from currencies where posted order by code", "DKK|i2|i1\nEUR|i2|i1\n",
         "the currencies");
    says(
        "select a.id, a.roles, a.valid_keys, k.key = b.key, g.amount from actors a join actor_keys k on k.actor = a.id "
        "join actor_grants g on g.actor = a.id join batches b on b.id = 'january'",
        "owner|owner|i1|i1|null\n", "who may do what, and whose key signed");
    says("select count(*) from proposals", "i0\n", "nothing stands proposed");
    says("select reverses > 0, minus from entries where reverses is not null; ", "i1|i1\n", "a reversal");
    says("select r.number = e.reversed_by from entries e join entries r on r.reverses = e.number", "i1\n",
         "is linked both ways");
    says("select debit, credit from lines where number in (select number from entries where minus)",
         "i-500|null\nnull|i-500\n", "minus amounts stay in their columns");
    says("select count(*) from balances b join (select account, currency, sum(debit) d, sum(credit) c from lines group "
         "by 1, 2) "
         "using (account, currency) where ifnull(d, 0) <> b.debit or ifnull(c, 0) <> b.credit",
         "i0\n", "debits and credits of lines add up to the balances'");
    says("select text from lines where account = '1000' and text = 'it''s,\"so\"'", "it's,\"so\"\nit's,\"so\"\n",
         "quotes are text like any other");
    kt_book_close(book);
}

/* ---- plans ---- */

static void test_plans(void) {
    connect_to("various");
    plans("select * from lines where account = '1000'", "account=?", "an account is pushed down");
    plans("select * from lines where account = '1000' and date >= '2025-01-01' and date < '2025-02-01'",
          "account=? date>=? date<?", "and days with it");
    plans("select * from lines where account like '10%'", "account~?", "how a code begins");
    plans("select * from lines where account glob '10*'", "account*?", "either way");
    plans("select * from entries where date like '2025-03%'", "date~?", "and how a day begins");
    plans("select * from lines where currency = 'EUR'", "currency=?", "a currency");
    plans("select * from entries where number between 5 and 9", "number>=? number<=?", "a range of numbers");
    plans("select * from entries where batch = 'january'", "batch=?", "a batch");
    plans("select * from accounts where code = '1000'", "code=?", "an account's code");
    plans("select * from checkpoints where size = 5", "size=?", "a checkpoint's size");
    plans("select * from entries e join lines l on l.number = e.number", "number=?", "a join is by number");
    plans("select * from lines l join accounts a on a.code = l.account where l.number = 5", "code=?",
          "and by account where lines are few");
    static const char *const ordered[] = {"select * from entries order by number",
                                          "select * from entries order by number desc",
                                          "select * from lines order by number, line",
                                          "select * from lines where account = '1000' order by number desc, line desc",
                                          "select * from records order by number desc",
                                          "select * from accounts order by code"};
    for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++) {
        char wrapped[256];
        snprintf(wrapped, sizeof wrapped, "explain query plan %s", ordered[i]);
        text answer = asked(wrapped);
        ok(strstr(answer.data, "B-TREE") == NULL, "in order without sorting: %s", ordered[i]);
        free(answer.data);
    }
    text sorted = asked("explain query plan select * from entries order by date");
    has_text(sorted.data, "B-TREE", "what does not come in order is sorted");
    free(sorted.data);
}

/* ---- the same with and without ---- */

static void make_random_book(uint64_t *seed) {
    static const char *const accounts[] = {"1000", "1100",  "2000",  "3000", "4000",  "5000",
                                           "5100", "10:20", "01000", "x",    "1000.0"};
    kt_book *book = make_book("random");
    open_accounts(book, "10:20 asset, 01000 asset, x asset, 1000.0 asset");
    for (unsigned batch = 0; batch < 6; batch++) {
        char id[16], line[256];
        text entries = {0};
        snprintf(id, sizeof id, "b%u", batch);
        for (unsigned i = 0; i < 40; i++) {
            uint64_t amount = 1 + pick(seed, 100000);
            kt_day date = day("2025-01-01") + (kt_day)pick(seed, 200);
            char when[KT_DAY_TEXT];
            snprintf(line, sizeof line, "%s%s V%u-%u %s %llu%s / %s -%llu%s", i == 0 ? "" : "\n",
                     kt_day_format(date, when), batch, i, accounts[pick(seed, 11)], (unsigned long long)amount,
                     pick(seed, 5) == 0 ? " EUR" : "", accounts[pick(seed, 11)], (unsigned long long)amount, "");
            if (strstr(line, "EUR") != NULL) strcat(line, " EUR");
            put(&entries, "%s", line);
        }
        kt_batch_options options = {.id = kt_str_from(id)};
        is_code(post_with(book, &options, entries.data), KT_OK, "batch %u of the random book", batch);
        free(entries.data);
    }
    kt_book_close(book);
}

static const char *one_of(uint64_t *seed, const char *const *words, size_t count) { return words[pick(seed, count)]; }
#define ONE_OF(seed, ...) \
    one_of(seed, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void put_condition(text *out, uint64_t *seed, bool lines) {
    const char *compare = ONE_OF(seed, "=", "<", "<=", ">", ">=", "<>", "is");
    switch (pick(seed, lines ? 7 : 6)) {
    case 0:
        put(out, "number %s %s%llu%s", compare, ONE_OF(seed, "", "'", "-", "0.5 + "),
            (unsigned long long)pick(seed, 280), "");
        break;
    case 1: put(out, "number %s %llu", compare, (unsigned long long)pick(seed, 280)); break;
    case 2:
        if (pick(seed, 3) == 0) {
            put(out, "date %s %s", ONE_OF(seed, "like", "glob"),
                ONE_OF(seed, "'2025-03%'", "'2025-03*'", "'2025-0_-01'", "'2025-06-0?'", "'%'", "'2025-03-01%'", "''",
                       "null", "2025", "'2025-03-011%'", "'z%'", "'2025-1*'"));
            break;
        }
        put(out, "date %s %s", compare,
            ONE_OF(seed, "'2025-03-01'", "'2025-03'", "'2025-02-31'", "'2025'", "'z'", "''", "null", "2025", "2026",
                   "x'32'", "'2025-07-19'", "'2025-01-01'", "'2025-03-01 '"));
        break;
    case 3:
        put(out, "date between '2025-0%llu-11' and '2025-0%llu-20'", (unsigned long long)pick(seed, 8),
            (unsigned long long)pick(seed, 8));
        break;
    case 4:
        if (lines) put(out, "currency %s %s", compare, ONE_OF(seed, "'EUR'", "'DKK'", "'SEK'", "null", "''", "7"));
        else put(out, "batch %s %s", compare, ONE_OF(seed, "'b1'", "'b5'", "'nobody'", "null", "''", "5", "'genesis'"));
        break;
    case 5:
        put(out, "number in (%llu, %llu, 12, 'x', null)", (unsigned long long)pick(seed, 280),
            (unsigned long long)pick(seed, 280));
        break;
    default:
        switch (pick(seed, 4)) {
        case 0:
            put(out, "account %s %s", compare,
                ONE_OF(seed, "'1000'", "'1100'", "1000", "5000", "'x'", "null", "''", "'5'", "cast('1000' as integer)",
                       "'X' collate nocase", "1000.0", "x'31'", "'nobody'", "10"));
            break;
        case 1:
            put(out, "account %s %s", ONE_OF(seed, "like", "glob"),
                ONE_OF(seed, "'10%'", "'10*'", "'X%'", "'_000'", "'1000'", "null", "10", "'%'", "'5?00'"));
            break;
        case 2: put(out, "account in ('1000', '5100', 2000, null, 'x')"); break;
        default: put(out, "account between '1000' and '%llu'", (unsigned long long)pick(seed, 6000)); break;
        }
    }
}

/* A question whose answer has one order. */
static text random_question(uint64_t *seed, bool lines, const char *table, uint64_t shape) {
    text out = {0};
    uint64_t own = shape;
    put(&out, "select %s from %s t where ",
        lines ? "number, line, date, account, amount, currency, voucher, text"
              : "number, date, voucher, batch, line_count",
        table);
    size_t conditions = 1 + pick(&own, 3);
    for (size_t i = 0; i < conditions; i++) {
        if (i != 0) put(&out, "%s", pick(&own, 3) == 0 ? " or " : " and ");
        if (pick(&own, 8) == 0) put(&out, "not ");
        put(&out, "(");
        put_condition(&out, &own, lines);
        put(&out, ")");
    }
    bool down = pick(&own, 2) == 0;
    put(&out, " order by number%s%s%s", down ? " desc" : "", lines ? ", line" : "", lines && down ? " desc" : "");
    if (pick(&own, 4) == 0)
        put(&out, " limit %llu offset %llu", (unsigned long long)pick(&own, 20), (unsigned long long)pick(&own, 5));
    (void)seed;
    return out;
}

static void test_same_answers(void) {
    uint64_t seed = test_seed();
    size_t wrong = 0, rounds = getenv("KONTOR_LONG") != NULL ? 20000 : 1500, answered = 0;
    make_random_book(&seed);
    connect_to("random");
    run("create table l as select * from lines");
    run("create table e as select * from entries");
    for (size_t i = 0; i < rounds && wrong < 3; i++) {
        bool lines = pick(&seed, 2) == 0;
        uint64_t shape = test_random(&seed);
        text pushed = random_question(&seed, lines, lines ? "lines" : "entries", shape);
        text plain = random_question(&seed, lines, lines ? "l" : "e", shape);
        text answer = asked(pushed.data), expected = asked(plain.data);
        answered += expected.size != 0 && expected.data[0] != '!';
        if (strcmp(answer.data, expected.data) != 0) {
            wrong++;
            diag("%s", pushed.data);
            is_text(answer.data, expected.data, "pushed down or not");
        }
        free(pushed.data);
        free(plain.data);
        free(answer.data);
        free(expected.data);
    }
    is_int((long long)wrong, 0, "%zu random questions have the same answers pushed down or not", rounds);
    ok(answered * 3 > rounds, "of which %zu have an answer at all", answered);
    says("select (select count(*) from lines where account = '1000' or number = 60) = (select count(*) from l where "
         "account = '1000' or number = 60)",
         "i1\n", "an or of two keys gives each row once");
    says("select count(*) from (select sum(amount), account from lines group by account except select sum(amount), "
         "account from l group by account)",
         "i0\n", "sums by account are the same");
    says("select count(*) from balances(null, '2025-03-31') x join balances(null, '2025-06-30') y using (account, "
         "currency) "
         "join (select account, currency, sum(amount) s from l where date <= '2025-03-31' group by 1, 2) using "
         "(account, currency) "
         "where x.balance <> s or y.account is null",
         "i0\n", "two questions of balances stand beside one another");
}

/* ---- one moment, as known, refusals ---- */

static void test_moment(void) {
    kt_book *book = make_book("moving");
    post(book, "2025-01-01 V1 1000 1 / 2000 -1\n2025-01-02 V2 1000 2 / 2000 -2");
    int64_t then = receipt.recorded_us;
    connect_to("moving");
    sqlite3_stmt *statement;
    if (!ok(sqlite3_prepare_v2(db,
                               "select count(*) over (), (select count(*) from lines l where l.number > e.number - "
                               "100) from entries e",
                               -1, &statement, NULL) == SQLITE_OK,
            "a statement"))
        return;
    is_int(sqlite3_step(statement), SQLITE_ROW, "has its first row");
    is_int(sqlite3_column_int(statement, 1), 4, "and sees four lines");
    post(book, "2025-01-03 V3 1000 3 / 2000 -3");
    says("select count(*) from entries", "i2\n", "while it stands, the book's moment is the same for all");
    is_int(sqlite3_step(statement), SQLITE_ROW, "then the next");
    is_int(sqlite3_column_int(statement, 1), 4, "which sees the same moment, though the book has moved");
    refuses("select kontor_book('elsewhere')", "still reading", "another book is not opened meanwhile");
    sqlite3_finalize(statement);
    says("select count(*) from entries", "i3\n", "behind it the new entry is there");
    char sql[1400], time[KT_TIME_TEXT];
    snprintf(sql, sizeof sql, "select kontor_book('%s', '%s') like 'kontor/acme-aps-%%'", path_of("moving"),
             kt_time_format(then, time));
    says(sql, "i1\n", "a book as it was known");
    says("select (select count(*) from entries), (select sum(debit) from balances), (select count(*) from checkpoints) "
         "< (select max(size) from checkpoints)",
         "i2|i300|i1\n", "has what was known then");
    kt_book_close(book);
}

static void test_large(void) {
    kt_book *book = make_book("large");
    declare_currency(book, "WEI", 18);
    is_code(post(book, "2025-01-01 W1 1000 9 WEI / 2000 -9 WEI\n2025-01-02 W2 1000 12.000000000000000001 WEI / 2000 "
                       "-12.000000000000000001 WEI"),
            KT_OK, "amounts beyond 64 bits");
    connect_to("large");
    refuses("select amount from lines", "kontor_sum(amount_text)",
            "as a number they are refused, saying what to ask for");
    refuses("select amount from lines where account = '1000'", "exceeds the 64 bits", "on every way");
    says("select amount_text from lines where account = '1000'", "9.000000000000000000\n12.000000000000000001\n",
         "as text they are exact");
    says("select account, kontor_sum(amount_text) from lines group by account",
         "1000|21.000000000000000001\n2000|-21.000000000000000001\n", "and so are sums");
    refuses("select sum(amount) from lines where line = 0", "exceeds", "never a binary fraction");
    refuses("select balance from balances", "balance_text", "nor in balances");
    says("select balance_text from balances where account = '2000'", "-21.000000000000000001\n",
         "which are exact as text");
    kt_book_close(book);
}

static void test_refusals(void) {
    connect_to(NULL);
    unsetenv("KONTOR_BOOK");
    refuses("select * from entries", "which book?", "a question without a book");
    refuses("select kontor_book('nowhere/at/all')", "nowhere/at/all", "a book that is not there");
    says("select kontor_text(1250, 2), kontor_text(-5, 3), kontor_text(7, 0), kontor_text('-170141183460469231731', "
         "18), kontor_text(null, 2)",
         "12.50|-0.005|7|-170.141183460469231731|null\n", "units as text");
    says("select kontor_units('12.50', 2), kontor_units('-3', 2), kontor_units(null, 2)", "i1250|i-300|null\n",
         "text as units");
    refuses("select kontor_units('1.234', 2)", "more than 2 decimals", "nothing is rounded");
    refuses("select kontor_text(1.5, 2)", "binary fraction", "a binary fraction");
    refuses("select kontor_text(1, 19)", "decimals", "too many decimals");
    refuses("select kontor_sum(x) from (select 0.5 x)", "binary fraction", "in a sum too");
    says("select kontor_sum(x), kontor_sum(null) from (select 9223372036854775807 x union all select 1)",
         "9223372036854775808|null\n", "a sum beyond 64 bits is text");
    says("select kontor_sum(x) from (select '0.1' x union all select '0.25' union all select 1)", "1.35\n",
         "of different decimals");
    says("select typeof(kontor_sum(x)) from (select 1 x union all select 2)", "integer\n", "of integers an integer");
    connect_to("various");
    refuses("insert into entries (number) values (1)", "may not be modified", "to write an entry");
    refuses("delete from lines", "may not be modified", "to delete lines");
    refuses("update accounts set name = 'x'", "may not be modified", "to change an account");
    refuses("select * from balances('tomorrow')", "since: 'tomorrow'", "a day that is none");
    refuses("select * from balances(null, null, 'weekday')", "by: 'weekday'", "a dimension that is none");
    refuses("select * from balances('2025-02-01', '2025-01-01')", "behind", "days in the wrong order");
    says("select count(*) from lines where account = 'nobody'; ", "i0\n",
         "an account that is not on record has no lines");
    says("select count(*) from entries where number = 2000000000000 or number = -1", "i0\n",
         "nor is there an entry of any number");
    run("create table entries (number, own)");
    says("select count(*) from entries", "i0\n", "a table of one's own goes before the book's");
    sqlite3_close(db);
    db = NULL;
}

int main(void) {
    test_tables();
    test_plans();
    test_same_answers();
    test_moment();
    test_large();
    test_refusals();
    return done();
}
