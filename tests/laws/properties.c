/* What holds after any sequence of batches, closings and reversals, whoever thought of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

#define ACCOUNTS 6
#define CURRENCIES 3
#define MOMENTS 40

static const char *const accounts[ACCOUNTS] = {"1000", "1100", "2000", "3000", "4000", "5000"};
static const char *const currencies[CURRENCIES] = {"DKK", "EUR", "JPY"};
static kt_book *book;
static uint64_t random_state;
static kt_day start;

/* ---- counting apart from the engine ---- */

typedef struct counted {
    kt_day from, to;
    kt_amount sums[ACCOUNTS][CURRENCIES], worth[ACCOUNTS];
    uint64_t lines;
} counted;

static size_t place_of(kt_str code, const char *const *names, size_t count) {
    size_t i = 0;
    while (i < count && !kt_str_equal(code, kt_str_from(names[i]))) i++;
    return i;
}

static kt_code count_entry(void *context, const kt_entry_view *view, kt_error *error) {
    counted *sum = context;
    (void)error;
    if (view->entry.date < sum->from || view->entry.date > sum->to) return KT_OK;
    for (size_t i = 0; i < view->entry.line_count; i++) {
        const kt_line *line = &view->entry.lines[i];
        size_t account = place_of(line->account, accounts, ACCOUNTS);
        size_t currency = line->currency.size ? place_of(line->currency, currencies, CURRENCIES) : 0;
        if (account == ACCOUNTS || currency == CURRENCIES) continue;
        sum->sums[account][currency] += line->amount;
        if (currency == 0) sum->worth[account] += line->amount;
        else if (line->has_cost) sum->worth[account] += line->cost;
        sum->lines++;
    }
    return KT_OK;
}

static bool agrees(kt_view *view, kt_day from, kt_day to, kt_by by) {
    counted naive = {.from = from, .to = to}, told_sum = {.from = from};
    kt_balance_query query = {from, to, by};
    kt_balance *rows = NULL;
    size_t count = 0;
    if (kt_entries(view, NULL, count_entry, &naive, &said) != KT_OK ||
        kt_balances(view, &query, &rows, &count, &said) != KT_OK)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t account = place_of(rows[i].account, accounts, ACCOUNTS);
        told_sum.sums[account][place_of(rows[i].currency, currencies, CURRENCIES)] += rows[i].debit - rows[i].credit;
        told_sum.worth[account] += rows[i].book_balance;
        told_sum.lines += rows[i].lines;
    }
    free(rows);
    return memcmp(naive.sums, told_sum.sums, sizeof naive.sums) == 0 &&
           memcmp(naive.worth, told_sum.worth, sizeof naive.worth) == 0 && naive.lines == told_sum.lines;
}

/* ---- what must hold of one view ---- */

static unsigned lopsided, miscounted, misgrouped, misstated;

static void debits_equal_credits(kt_view *view) {
    kt_balance *rows = NULL;
    size_t count = 0;
    kt_amount left = 0;
    if (kt_balances(view, NULL, &rows, &count, &said) != KT_OK) lopsided++;
    for (size_t i = 0; i < count; i++) left += rows[i].book_debit - rows[i].book_credit;
    lopsided += left != 0;
    free(rows);
}

static kt_day some_day(void) { return start + (kt_day)pick(&random_state, 800); }

static void recount(kt_view *view) {
    kt_day a = some_day(), b = some_day();
    miscounted += !agrees(view, KT_DAY_MIN, a, KT_BY_NOTHING);
    miscounted += !agrees(view, a < b ? a : b, a < b ? b : a, KT_BY_NOTHING);
    misgrouped += !agrees(view, KT_DAY_MIN, b, KT_BY_MONTH);
    misgrouped += !agrees(view, a < b ? a : b, KT_DAY_MAX, KT_BY_COST_CENTRE);
}

/* A statement runs from its opening to the balance on its last day. */
static void states(kt_view *view) {
    size_t account = pick(&random_state, ACCOUNTS);
    kt_day a = some_day(), b = some_day(), from = a < b ? a : b, to = a < b ? b : a;
    counted before = {.from = KT_DAY_MIN, .to = from - 1}, after = {.from = KT_DAY_MIN, .to = to};
    kt_statement *statement = NULL;
    kt_amount running[CURRENCIES] = {0}, last[CURRENCIES] = {0};
    if (kt_entries(view, NULL, count_entry, &before, &said) != KT_OK ||
        kt_entries(view, NULL, count_entry, &after, &said) != KT_OK ||
        kt_statement_read(view, kt_str_from(accounts[account]), from, to, &statement, &said) != KT_OK) {
        misstated++;
        return;
    }
    for (size_t i = 0; i < statement->opening_count; i++) {
        size_t c = place_of(statement->openings[i].currency, currencies, CURRENCIES);
        running[c] = last[c] = statement->openings[i].balance;
    }
    misstated += memcmp(running, before.sums[account], sizeof running) != 0;
    for (size_t i = 0; i < statement->posting_count; i++) {
        const kt_posting *posting = &statement->postings[i];
        size_t c = place_of(posting->currency, currencies, CURRENCIES);
        running[c] += posting->amount;
        last[c] = posting->running;
        misstated += posting->date < from || posting->date > to || last[c] != running[c];
        misstated += i > 0 && posting->date < posting[-1].date;
    }
    misstated += memcmp(last, after.sums[account], sizeof last) != 0;
    kt_statement_free(statement);
}

/* Balances by month and cost centre, with the head's root, as text. */
static char *known(kt_view *view) {
    char *text = NULL;
    size_t size;
    kt_head head;
    FILE *out = open_memstream(&text, &size);
    if (kt_view_head(view, &head, &said) == KT_OK)
        fprintf(out, "%llu %llu %02x%02x\n", (unsigned long long)head.size, (unsigned long long)head.entries,
                head.root[0], head.root[31]);
    for (kt_by by = KT_BY_COST_CENTRE; by <= KT_BY_MONTH; by += KT_BY_MONTH - KT_BY_COST_CENTRE) {
        kt_balance_query query = {KT_DAY_NONE, start + 200, by};
        kt_balance *rows = NULL;
        size_t count = 0;
        (void)kt_balances(view, &query, &rows, &count, &said);
        for (size_t i = 0; i < count; i++)
            fprintf(out, "%.*s %.*s %.*s %lld %lld %lld\n", (int)rows[i].account.size, rows[i].account.data,
                    (int)rows[i].group.size, rows[i].group.data, (int)rows[i].currency.size, rows[i].currency.data,
                    (long long)rows[i].debit, (long long)rows[i].credit, (long long)rows[i].book_balance);
        free(rows);
    }
    fclose(out);
    return text;
}

/* ---- random acts ---- */

static void draw(entry_room *room) {
    static const char *const centres[] = {"A", "B", "C"};
    memset(room, 0, sizeof *room);
    room->entry.date = some_day();
    room->entry.lines = room->lines;
    kt_amount left[CURRENCIES] = {0};
    size_t lines = 1 + pick(&random_state, 4);
    for (size_t i = 0; i < lines; i++) {
        kt_line *line = &room->lines[i];
        size_t currency = pick(&random_state, CURRENCIES);
        line->account = kt_str_from(accounts[pick(&random_state, ACCOUNTS)]);
        line->amount = (kt_amount)pick(&random_state, 20001) - 10000;
        line->currency = kt_str_from(currencies[currency]);
        if (pick(&random_state, 3) == 0) {
            room->dimensions[i][0] = (kt_dimension){1, kt_str_from(centres[pick(&random_state, 3)])};
            line->dimension_count = 1;
            line->dimensions = room->dimensions[i];
        }
        line->has_cost = currency != 0 && pick(&random_state, 2);
        if (line->has_cost) line->cost = line->amount * 7;
        left[line->has_cost ? 0 : currency] += line->has_cost ? line->cost : line->amount;
    }
    for (size_t c = 0; c < CURRENCIES; c++)
        if (left[c] != 0)
            room->lines[lines++] = (kt_line){.account = kt_str_from(accounts[pick(&random_state, ACCOUNTS)]),
                                             .amount = -left[c],
                                             .currency = kt_str_from(currencies[c])};
    room->entry.line_count = lines;
}

static unsigned wrong;

static void act_entries(kt_batch *batch) {
    for (uint64_t n = 1 + pick(&random_state, 30); n > 0; n--) {
        entry_room room;
        draw(&room);
        kt_code code = kt_batch_add(batch, &room.entry, NULL, &said);
        if (code != KT_OK && code != KT_CLOSED && wrong++ == 0) diag("%s", said.text);
    }
}

/* A record drawn at random, which is often none that can be reversed. */
static void act_reversals(kt_batch *batch, uint64_t size) {
    for (unsigned i = 0; i < 5; i++) {
        kt_code code = kt_batch_reverse(batch, pick(&random_state, size), some_day(), (kt_str){NULL, 0},
                                        pick(&random_state, 2), NULL, &said);
        if (code != KT_OK && code != KT_CLOSED && code != KT_NOT_FOUND && code != KT_RULE && wrong++ == 0)
            diag("%s", said.text);
    }
}

static void act(void) {
    uint64_t size = head_of(book).size;
    kt_batch *batch = begin(book);
    kt_day month = some_day();
    switch (pick(&random_state, 8)) {
    case 0: (void)kt_batch_period_close(batch, month, NULL); break;
    case 1: (void)kt_batch_period_reopen(batch, month, KT_STR("needed"), NULL); break;
    case 2:
    case 3: act_reversals(batch, size); break;
    default: act_entries(batch); break;
    }
    if (pick(&random_state, 8) == 0) kt_batch_abort(batch);
    else wrong += kt_batch_commit(batch, &receipt, &said) != KT_OK;
    if (pick(&random_state, 10) == 0) book = reopen(book);
}

/* ---- the end of it ---- */

static kt_code list_entry(void *context, const kt_entry_view *view, kt_error *error) {
    uint64_t *list = context; /* count, then numbers of the entries that reverse nothing */
    (void)error;
    if (view->entry.reverses == 0) list[++list[0]] = view->number;
    return KT_OK;
}

/* An entry, its reversal, the reversal of that and so on: an even number of them is nothing, an odd one the first. */
static bool undo(kt_batch *batch, kt_view *view, uint64_t number, bool negative) {
    uint64_t links = 0, last = number;
    while (number != 0) {
        kt_entry_view *entry = NULL;
        if (kt_entry_read(view, number, &entry, &said) != KT_OK) return false;
        links++;
        last = number;
        number = entry->reversed_by;
        kt_entry_view_free(entry);
    }
    return links % 2 == 0 ||
           kt_batch_reverse(batch, last, start + 5000, (kt_str){NULL, 0}, negative, NULL, &said) == KT_OK;
}

static void reverse_everything(void) {
    kt_head head = head_of(book);
    uint64_t *list = calloc(head.entries + 2, sizeof *list);
    kt_view *view = view_of(book);
    is_code(kt_entries(view, NULL, list_entry, list, &said), KT_OK, "all entries are listed");
    kt_batch *batch = begin(book);
    unsigned failed = 0;
    for (uint64_t i = 1; i <= list[0]; i++) failed += !undo(batch, view, list[i], i % 2);
    kt_view_close(view);
    is_int(failed, 0, "every entry that stands is reversed");
    is_code(kt_batch_commit(batch, NULL, &said), KT_OK, "in one batch");
    kt_balance *rows = NULL;
    size_t count = 0, left = 0;
    view = view_of(book);
    (void)kt_balances(view, NULL, &rows, &count, &said);
    for (size_t i = 0; i < count; i++) left += rows[i].balance != 0 || rows[i].book_balance != 0;
    is_int((long long)left, 0, "reversing everything leaves nothing on %zu balances", count);
    free(rows);
    kt_view_close(view);
    free(list);
}

int main(void) {
    char *moments[MOMENTS];
    int64_t times[MOMENTS];
    unsigned changed = 0;
    random_state = test_seed();
    start = day("2025-11-17");
    book = make_book("book");
    for (unsigned m = 0; m < MOMENTS; m++) {
        act();
        act();
        kt_view *view = view_of(book);
        debits_equal_credits(view);
        recount(view);
        states(view);
        moments[m] = known(view);
        times[m] = head_of(book).recorded_us;
        kt_view_close(view);
    }
    is_int(wrong, 0, "random batches are taken, or refused for what they are");
    diag("%llu entries", (unsigned long long)head_of(book).entries);
    for (unsigned m = 0; m < MOMENTS; m++) {
        kt_view *view = view_known(book, times[m]);
        char *now = known(view);
        changed += strcmp(now, moments[m]) != 0;
        debits_equal_credits(view);
        recount(view);
        states(view);
        kt_view_close(view);
        free(now);
        free(moments[m]);
    }
    is_int(changed, 0, "what was known at a time is never changed by what came later");
    is_int(lopsided, 0, "debits equal credits at every head, in every view");
    is_int(miscounted, 0, "a balance on any day is what a naive recount of the entries gives");
    is_int(misgrouped, 0, "and so are the sums of all months, and of all cost centres");
    is_int(misstated, 0, "a statement opens with the balance before it and closes with the balance after it");
    reverse_everything();
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
