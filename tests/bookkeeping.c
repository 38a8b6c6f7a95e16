#include "tests/bookkeeping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

kt_error said;
kt_receipt receipt;
int64_t clock_now = INT64_C(1767225600000000); /* 2026-01-01 */

__attribute__((noreturn)) static void die(const char *what) {
    diag("%s: %s", what, said.text);
    ok(false, "%s", what);
    exit(done());
}

kt_day day(const char *text) {
    kt_day out = KT_DAY_NONE;
    if (text && *text && !kt_day_parse(text, strlen(text), &out)) die("a date in a test's text");
    return out;
}

int64_t test_clock(void *context) {
    (void)context;
    return clock_now += 1000000;
}

void test_bytes(void *context, void *out, size_t size) {
    uint64_t seed = 7, *state = context ? context : &seed;
    for (size_t i = 0; i < size; i++) ((uint8_t *)out)[i] = (uint8_t)test_random(state);
}

const char *path_of(const char *name) {
    static char paths[8][1024];
    static unsigned next;
    char *out = paths[next++ % 8];
    snprintf(out, sizeof paths[0], "%s/%s", test_dir(), name);
    return out;
}

/* ---- books ---- */

kt_book *open_book(const char *name) {
    kt_open_options options = {.clock_us = test_clock};
    kt_book *book = NULL;
    if (kt_book_open(path_of(name), &options, &book, &said) != KT_OK) die("a book is opened");
    return book;
}

kt_book *make_book_with(const char *name, const kt_create_options *options) {
    kt_create_options with = *options;
    if (!with.company.entity.size) with.company.entity = KT_STR("Acme ApS");
    if (!with.company.currency.size) with.company.currency = KT_STR("DKK");
    if (!with.clock_us) with.clock_us = test_clock;
    if (!with.random) with.random = test_bytes;
    if (kt_book_create(path_of(name), &with, &said) != KT_OK) die("a book is made");
    kt_book *book = open_book(name);
    if (open_accounts(book, CHART) != KT_OK) die("the chart is opened");
    return book;
}

kt_book *make_book(const char *name) {
    kt_create_options options = {0};
    return make_book_with(name, &options);
}

kt_book *reopen(kt_book *book) {
    kt_open_options options = {.clock_us = test_clock};
    kt_book *again = NULL;
    char path[1024];
    snprintf(path, sizeof path, "%s", kt_book_directory(book));
    kt_book_close(book);
    if (kt_book_open(path, &options, &again, &said) != KT_OK) die("a book is reopened");
    return again;
}

void copy_book(const char *from, const char *to) {
    char command[2200];
    snprintf(command, sizeof command, "rm -rf '%s' && cp -r '%s' '%s'", path_of(to), path_of(from), path_of(to));
    if (system(command) != 0) die("a book is copied");
}

/* ---- entries from their text ---- */

static char *token(char **at) {
    while (**at == ' ') ++*at;
    char *begin = *at;
    if (!*begin) return NULL;
    while (**at && **at != ' ') ++*at;
    if (**at) *(*at)++ = '\0';
    return begin;
}

static void number(const char *text, kt_amount *amount, uint8_t *given) {
    uint8_t decimals;
    if (!text || kt_number_parse(text, strlen(text), '.', 0, amount, &decimals) != KT_NUMBER_OK)
        die("an amount in a test's text");
    *given = KT_AS_WRITTEN(decimals);
}

static bool starts(const char *text, const char *with, kt_str *rest) {
    size_t size = strlen(with);
    if (strncmp(text, with, size) != 0) return false;
    *rest = kt_str_from(text + size);
    return true;
}

static void read_word(kt_line *line, kt_dimension *dimensions, char *word, char **at) {
    static const char *const names[] = {"cc=", "dep=", "proj="};
    for (uint8_t d = 0; d < 3; d++)
        if (starts(word, names[d], &dimensions[line->dimension_count].value)) {
            dimensions[line->dimension_count++].dimension = (uint8_t)(d + 1);
            line->dimensions = dimensions;
            return;
        }
    if (starts(word, "text=", &line->text) || starts(word, "ref=", &line->ref) || starts(word, "tax=", &line->tax_code))
        return;
    if (strcmp(word, "@@") == 0) {
        line->has_cost = true;
        number(token(at), &line->cost, &line->cost_given);
    } else if (line->has_cost) {
        line->cost_currency = kt_str_from(word);
    } else {
        line->currency = kt_str_from(word);
    }
}

const kt_entry *entry_of(entry_room *room, const char *text) {
    memset(room, 0, sizeof *room);
    snprintf(room->text, sizeof room->text, "%s", text);
    char *at = room->text, *word = token(&at), *series;
    room->entry.date = day(word);
    word = token(&at);
    if (!word) die("a test's entry has a voucher");
    series = strchr(word, '#');
    if (series) {
        *series = '\0';
        room->entry.series = kt_str_from(word);
        word = series + 1;
    }
    if (strcmp(word, "-") != 0) room->entry.voucher = kt_str_from(word);
    room->entry.lines = room->lines;
    kt_line *line = NULL;
    while ((word = token(&at)) != NULL) {
        if (!line || strcmp(word, "/") == 0) {
            if (line) word = token(&at);
            if (room->entry.line_count == ENTRY_LINES || !word) die("a test's entry has a good number of lines");
            line = &room->lines[room->entry.line_count++];
            line->account = kt_str_from(word);
            number(token(&at), &line->amount, &line->amount_given);
        } else {
            read_word(line, room->dimensions[line - room->lines], word, &at);
        }
    }
    return &room->entry;
}

/* ---- batches ---- */

kt_batch *begin(kt_book *book) {
    kt_batch *batch = NULL;
    if (kt_batch_begin(book, NULL, &batch, NULL, &said) != KT_OK) die("a batch begins");
    return batch;
}

static kt_code finish(kt_batch *batch, kt_code code) {
    if (code == KT_OK) return kt_batch_commit(batch, &receipt, &said);
    kt_batch_abort(batch);
    return code;
}

kt_code add(kt_batch *batch, const char *entry, uint64_t *number_given) {
    entry_room room;
    return kt_batch_add(batch, entry_of(&room, entry), number_given, &said);
}

kt_code fill_with(kt_book *book, const kt_batch_options *options, const char *entries, kt_batch **out) {
    char *copy = strdup(entries), *rest = copy;
    kt_code code = kt_batch_begin(book, options, out, &receipt, &said);
    for (char *one; *out && code == KT_OK && (one = strsep(&rest, "\n")) != NULL;)
        if (*one) code = add(*out, one, NULL);
    free(copy);
    if (code == KT_OK) return code;
    kt_batch_abort(*out);
    *out = NULL;
    return code;
}

kt_code post_with(kt_book *book, const kt_batch_options *options, const char *entries) {
    kt_batch *batch;
    kt_code code = fill_with(book, options, entries, &batch);
    return code == KT_OK ? finish(batch, code) : code;
}

bool same_receipt(const kt_receipt *a, const kt_receipt *b) {
    return strcmp(a->batch_id, b->batch_id) == 0 && a->first == b->first && a->last == b->last &&
           a->entries == b->entries && a->recorded_us == b->recorded_us && a->clock_behind == b->clock_behind &&
           a->tree_size == b->tree_size && memcmp(a->root, b->root, KT_DIGEST_SIZE) == 0;
}

kt_code post(kt_book *book, const char *entries) { return post_with(book, NULL, entries); }

kt_code open_account(kt_book *book, const kt_account *account) {
    kt_batch *batch = begin(book);
    return finish(batch, kt_batch_account(batch, account, &said));
}

kt_code open_accounts(kt_book *book, const char *accounts) {
    char *copy = strdup(accounts), *rest = copy;
    kt_batch *batch = begin(book);
    kt_code code = KT_OK;
    for (char *one; code == KT_OK && (one = strsep(&rest, ",")) != NULL;) {
        kt_account account = {.open_from = KT_DAY_NONE, .closed_from = KT_DAY_NONE};
        account.code = kt_str_from(token(&one));
        if (!kt_account_type_parse(kt_str_from(token(&one)), &account.type)) die("an account's type in a test's text");
        account.name = kt_str_from(token(&one));
        code = kt_batch_account(batch, &account, &said);
    }
    code = finish(batch, code);
    free(copy);
    return code;
}

kt_code declare_currency(kt_book *book, const char *currency, uint8_t decimals) {
    kt_batch *batch = begin(book);
    return finish(batch, kt_batch_currency(batch, kt_str_from(currency), decimals, &said));
}

static kt_day month_of(const char *month) {
    kt_day first, last;
    if (!kt_day_parse_span(month, strlen(month), &first, &last)) die("a month in a test's text");
    return first;
}

kt_code close_month(kt_book *book, const char *month) {
    kt_batch *batch = begin(book);
    return finish(batch, kt_batch_period_close(batch, month_of(month), &said));
}

kt_code reopen_month(kt_book *book, const char *month, const char *reason) {
    kt_batch *batch = begin(book);
    return finish(batch, kt_batch_period_reopen(batch, month_of(month), kt_str_from(reason), &said));
}

kt_code reverse(kt_book *book, uint64_t entry, const char *date, bool negative, uint64_t *reversal) {
    kt_batch *batch = begin(book);
    return finish(batch, kt_batch_reverse(batch, entry, day(date), (kt_str){NULL, 0}, negative, reversal, &said));
}

/* ---- reading ---- */

kt_view *view_of(kt_book *book) {
    kt_view *view = NULL;
    if (kt_view_open(book, NULL, &view, &said) != KT_OK) die("a view opens");
    return view;
}

kt_view *view_known(kt_book *book, int64_t time_us) {
    kt_view *view = NULL;
    kt_view_options options = {true, time_us};
    if (kt_view_open(book, &options, &view, &said) != KT_OK) die("a view of the past opens");
    return view;
}

kt_head head_of(kt_book *book) {
    kt_head head;
    kt_view *view = view_of(book);
    if (kt_view_head(view, &head, &said) != KT_OK) die("the head is read");
    kt_view_close(view);
    return head;
}

static kt_balance *balances(kt_view *view, const kt_balance_query *query, size_t *count) {
    kt_balance *rows = NULL;
    if (kt_balances(view, query, &rows, count, &said) != KT_OK) die("balances are read");
    return rows;
}

kt_amount balance_between(kt_book *book, const char *account, const char *currency, const char *from, const char *to) {
    kt_balance_query query = {day(from), day(to), KT_BY_NOTHING};
    kt_view *view = view_of(book);
    kt_company company;
    size_t count;
    kt_amount sum = 0;
    if (kt_view_company(view, KT_DAY_MAX, &company, &said) != KT_OK) die("the company is read");
    kt_str wanted = currency && *currency ? kt_str_from(currency) : company.currency;
    kt_balance *rows = balances(view, &query, &count);
    for (size_t i = 0; i < count; i++)
        if (kt_str_equal(rows[i].account, kt_str_from(account)) && kt_str_equal(rows[i].currency, wanted))
            sum += rows[i].balance;
    free(rows);
    kt_view_close(view);
    return sum;
}

kt_amount balance(kt_book *book, const char *account) { return balance_between(book, account, NULL, NULL, NULL); }

void columns(kt_book *book, const char *account, kt_amount *debit, kt_amount *credit) {
    kt_view *view = view_of(book);
    size_t count;
    kt_balance *rows = balances(view, NULL, &count);
    *debit = *credit = 0;
    for (size_t i = 0; i < count; i++)
        if (kt_str_equal(rows[i].account, kt_str_from(account))) {
            *debit += rows[i].debit;
            *credit += rows[i].credit;
        }
    free(rows);
    kt_view_close(view);
}

static void tell_balances(FILE *out, kt_view *view) {
    kt_balance_query query = {KT_DAY_NONE, KT_DAY_NONE, KT_BY_MONTH};
    char debit[KT_AMOUNT_TEXT], credit[KT_AMOUNT_TEXT], book_balance[KT_AMOUNT_TEXT];
    size_t count;
    kt_balance *rows = balances(view, &query, &count);
    for (size_t i = 0; i < count; i++) {
        kt_amount_format(rows[i].debit, rows[i].decimals, 0, debit);
        kt_amount_format(rows[i].credit, rows[i].decimals, 0, credit);
        kt_amount_format(rows[i].book_balance, rows[i].book_decimals, 0, book_balance);
        fprintf(out, "%.*s %.*s %.*s %s %s %s\n", (int)rows[i].account.size, rows[i].account.data,
                (int)rows[i].group.size, rows[i].group.data, (int)rows[i].currency.size, rows[i].currency.data, debit,
                credit, book_balance);
    }
    free(rows);
}

static void tell_registers(FILE *out, kt_view *view) {
    kt_account *accounts;
    kt_currency *currencies;
    kt_period *periods;
    size_t count;
    if (kt_view_accounts(view, &accounts, &count, &said) != KT_OK) die("accounts are read");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%.*s %d %d %d %d\n", (int)accounts[i].code.size, accounts[i].code.data, (int)accounts[i].type,
                (int)accounts[i].rule, accounts[i].open_from, accounts[i].closed_from);
    free(accounts);
    if (kt_view_currencies(view, &currencies, &count, &said) != KT_OK) die("currencies are read");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%.*s %u\n", (int)currencies[i].code.size, currencies[i].code.data, currencies[i].decimals);
    free(currencies);
    if (kt_view_periods(view, &periods, &count, &said) != KT_OK) die("periods are read");
    for (size_t i = 0; i < count; i++) fprintf(out, "%d %d\n", periods[i].month, periods[i].closed);
    free(periods);
}

char *told(kt_book *book) {
    kt_view *view = view_of(book);
    char *text = NULL, *note = NULL;
    size_t size, note_size;
    FILE *out = open_memstream(&text, &size);
    if (!out || kt_view_checkpoint(view, &note, &note_size, &said) != KT_OK) die("a book tells of itself");
    fputs(note, out);
    free(note);
    tell_balances(out, view);
    tell_registers(out, view);
    fclose(out);
    kt_view_close(view);
    return text;
}

bool is_untouched(kt_book *book, char *before, const char *law, ...) {
    char text[500];
    va_list arguments;
    va_start(arguments, law);
    vsnprintf(text, sizeof text, law, arguments);
    va_end(arguments);
    char *after = told(book);
    bool same = is_text(after, before, "%s", text);
    free(after);
    free(before);
    return same;
}

/* ---- trust ---- */

static void on_found(void *context, const kt_finding *finding) {
    found *first = context;
    if (first->count++ != 0) return;
    first->record = finding->record;
    first->code = finding->code;
    snprintf(first->what, sizeof first->what, "%s", finding->what);
}

kt_code verify_path(const char *path, const kt_verify_options *options, found *first) {
    found unwanted;
    kt_verify_options with = options ? *options : (kt_verify_options){0};
    kt_verify_result result;
    if (!first) first = &unwanted;
    *first = (found){0};
    with.found = on_found;
    with.context = first;
    return kt_verify(path, &with, &result, &said);
}

bool is_sound(const char *name, const char *law) {
    found first;
    bool equal = false;
    uint64_t records;
    kt_code code = verify_path(path_of(name), NULL, &first);
    if (code == KT_OK) code = kt_rebuild(path_of(name), NULL, NULL, &equal, &records, &said);
    bool passed = is_code(code, KT_OK, "%s", law);
    if (!passed) diag("%s; %s", said.text, first.what);
    return passed && (equal || ok(equal, "%s: rebuilding gives the same state", law));
}

uint64_t pick(uint64_t *state, uint64_t limit) { return test_random(state) % limit; }
