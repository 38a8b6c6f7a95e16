/* kt_export: what is written, read again into a book with the same accounts, gives the same balances; ledger and hledger
   say so too. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bookkeeping.h"

#define ACCOUNTS                                                                             \
    "Assets:Bank asset, 1000:Petty~cash asset, 2000 liability, Income:Sales~&~more income, " \
    "5000#1 expense, \xc3\x86\xc3\xb8:\xe6\x97\xa5\xe6\x9c\xac expense, Gewinn(alt) equity, 7'x,y\"z unclassified"
static const char *const codes[] = {"Assets:Bank", "1000:Petty cash",
                                    "2000",        "Income:Sales & more",
                                    "5000#1",      "\xc3\x86\xc3\xb8:\xe6\x97\xa5\xe6\x9c\xac",
                                    "Gewinn(alt)", "7'x,y\"z"};
/* The first is the book's. */
static const char *const currencies[] = {"DKK", "EUR", "JPY", "KWD", "X-1", "gold bar", "U0", "\xe2\x82\xbf"};
static const uint8_t decimals[] = {2, 2, 0, 3, 18, 9, 0, 8};
#define CODES (sizeof codes / sizeof codes[0])
#define CURRENCIES (sizeof currencies / sizeof currencies[0])

static uint64_t state;

/* ---- Files --------------------------------------------------------------------------------------- */

static kt_code to_stream(void *context, const char *data, size_t size, kt_error *error) {
    return fwrite(data, 1, size, context) == size ? KT_OK : kt_fail(error, KT_IO, "cannot write");
}

static kt_code export_to(kt_book *book, const char *format, const char *path, const kt_export_options *options,
                         kt_export_result *result) {
    kt_view *view = view_of(book);
    FILE *out = fopen(path, "w");
    kt_code code = out ? kt_export(view, format, options, to_stream, out, result, &said) : KT_IO;
    if (out) fclose(out);
    kt_view_close(view);
    return code;
}

static long long size_of(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 ? (long long)about.st_size : -1;
}

static char *whole(const char *path) {
    static char text[65536];
    FILE *in = fopen(path, "r");
    size_t size = in ? fread(text, 1, sizeof text - 1, in) : 0;
    if (in) fclose(in);
    text[size] = 0;
    return text;
}

/* "account currency balance book" a line, those of nothing left out; free(). */
static char *balances_of(kt_book *book, const kt_balance_query *query) {
    char *text = NULL, balance[KT_AMOUNT_TEXT], booked[KT_AMOUNT_TEXT];
    size_t size = 0, count = 0;
    kt_balance *rows = NULL;
    kt_view *view = view_of(book);
    FILE *out = open_memstream(&text, &size);
    if (kt_balances(view, query, &rows, &count, &said) != KT_OK) fprintf(out, "no balances: %s", said.text);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].balance == 0 && rows[i].book_balance == 0) continue;
        kt_amount_format(rows[i].balance, rows[i].decimals, 0, balance);
        kt_amount_format(rows[i].book_balance, rows[i].book_decimals, 0, booked);
        fprintf(out, "%.*s|%.*s|%s|%s|%.*s\n", (int)rows[i].account.size, rows[i].account.data,
                (int)rows[i].currency.size, rows[i].currency.data, balance, booked, (int)rows[i].group.size,
                rows[i].group.data);
    }
    fclose(out);
    free(rows);
    kt_view_close(view);
    return text;
}

/* ---- Books --------------------------------------------------------------------------------------- */

static kt_book *empty_book(const char *name) {
    kt_create_options options = {0};
    kt_book *book = make_book_with(name, &options);
    kt_batch *batch = begin(book);
    static const kt_account_type types[CODES] = {KT_ASSET,   KT_ASSET,   KT_LIABILITY, KT_INCOME,
                                                 KT_EXPENSE, KT_EXPENSE, KT_EQUITY,    KT_UNCLASSIFIED};
    kt_code code = KT_OK;
    for (size_t i = 0; i < CODES && code == KT_OK; i++) {
        kt_account account = {.code = kt_str_from(codes[i]), .type = types[i]};
        code = kt_batch_account(batch, &account, &said);
    }
    for (size_t i = 0; i < CURRENCIES && code == KT_OK; i++)
        if (kt_iso4217_decimals(currencies[i], strlen(currencies[i])) < 0)
            code = kt_batch_currency(batch, kt_str_from(currencies[i]), decimals[i], &said);
    if (code == KT_OK) code = kt_batch_commit(batch, NULL, &said);
    if (code != KT_OK) is_code(code, KT_OK, "a book with strange accounts is made (%s)", said.text);
    return book;
}

static kt_str random_text(char *room, size_t most, bool code) {
    static const char *const parts[] = {"Rent",
                                        " ",
                                        "\"",
                                        ",",
                                        "\n",
                                        "\r\n",
                                        "\t",
                                        ";",
                                        ":",
                                        "date:",
                                        "[2026-01-01]",
                                        "[=x",
                                        "\xc3\xa6\xc3\xb8\xc3\xa5",
                                        "\xf0\x9f\x98\x80",
                                        "\\",
                                        "|",
                                        "*",
                                        "(",
                                        ")",
                                        "=",
                                        "::",
                                        "  ",
                                        "\xc2\x85",
                                        "\xe2\x80\xa8",
                                        "Value::",
                                        "UUID: 1",
                                        "'",
                                        "#",
                                        "@",
                                        "x",
                                        "7"};
    size_t size = 0, count = pick(&state, 3) ? pick(&state, 5) : 0;
    if (!code && pick(&state, 40) == 0) count = 4000;
    for (size_t i = 0; i < count; i++) {
        const char *part = parts[pick(&state, sizeof parts / sizeof parts[0])];
        size_t more = strlen(part);
        if (code && (strpbrk(part, "\n\r\t ") || strstr(part, "\xc2\x85"))) continue;
        if (size + more > most) break;
        memcpy(room + size, part, more);
        size += more;
    }
    return (kt_str){room, size};
}

static kt_amount random_amount(void) {
    kt_amount amount = (kt_amount)pick(&state, 1000000) + 1;
    switch (pick(&state, 8)) {
    case 0: amount *= INT64_C(1000000000000); break;
    case 1: amount = amount * INT64_C(1000000000000) * 1000003 + 7; break; /* more than 64 bits */
    default: break;
    }
    return pick(&state, 2) ? amount : -amount;
}

typedef struct made_entry {
    kt_line lines[12];
    kt_dimension dimensions[12][KT_DIMENSIONS_MAX];
    char room[12][3][4200], values[12][KT_DIMENSIONS_MAX][80], text[4200], ref[300], series[40], voucher[80];
    size_t count;
} made_entry;

static kt_line *add_line(made_entry *entry, size_t currency, kt_amount amount) {
    kt_line *line = &entry->lines[entry->count++];
    *line = (kt_line){.account = kt_str_from(codes[pick(&state, CODES)]), .amount = amount};
    if (currency || pick(&state, 2)) line->currency = kt_str_from(currencies[currency]);
    return line;
}

static void decorate(made_entry *entry, size_t i, bool own_dimensions) {
    kt_line *line = &entry->lines[i];
    line->text = random_text(entry->room[i][0], KT_TEXT_MAX, false);
    line->ref = random_text(entry->room[i][1], KT_REF_MAX, true);
    line->tax_code = random_text(entry->room[i][2], KT_SERIES_MAX, true);
    line->dimensions = entry->dimensions[i];
    for (uint8_t d = 1; d <= (own_dimensions ? KT_DIMENSIONS_MAX : KT_DIMENSION_PROJECT); d++) {
        if (pick(&state, 5)) continue;
        kt_str value = random_text(entry->values[i][d - 1], 40, true);
        if (value.size) entry->dimensions[i][line->dimension_count++] = (kt_dimension){d, value};
    }
}

static kt_code add_random(kt_batch *batch, made_entry *made, uint64_t number, bool rich) {
    memset(made, 0, sizeof *made);
    kt_amount left = 0;
    size_t groups = 1 + pick(&state, 3);
    for (size_t g = 0; g < groups; g++) {
        size_t currency = pick(&state, CURRENCIES);
        kt_amount amount = random_amount();
        kt_line *line = add_line(made, currency, amount);
        if (rich && currency && pick(&state, 2)) { /* the book's currency takes the other side */
            line->has_cost = true;
            line->cost = pick(&state, 6) ? random_amount() : 0;
            if ((line->cost < 0) != (amount < 0)) line->cost = -line->cost;
            if (!__builtin_add_overflow(left, -line->cost, &left)) continue;
        }
        if (pick(&state, 10) == 0) add_line(made, currency, 0);
        add_line(made, currency, -amount);
    }
    if (left) add_line(made, 0, left);
    kt_entry entry = {.date = day("2025-01-01") + (kt_day)pick(&state, 700), .lines = made->lines};
    entry.line_count = made->count;
    for (size_t i = 0; i < made->count; i++) decorate(made, i, rich);
    entry.text = random_text(made->text, KT_TEXT_MAX, false);
    entry.ref = random_text(made->ref, KT_REF_MAX, true);
    if (pick(&state, 3)) {
        entry.series = random_text(made->series, KT_SERIES_MAX, true);
        snprintf(made->voucher, sizeof made->voucher, "V\"%llu", (unsigned long long)number);
        entry.voucher = kt_str_from(made->voucher);
    }
    entry.minus = pick(&state, 5) == 0;
    return kt_batch_add(batch, &entry, NULL, &said);
}

static kt_book *random_book(const char *name, uint64_t count, bool rich) {
    kt_book *book = empty_book(name);
    kt_batch *batch = begin(book);
    made_entry *room = malloc(sizeof *room);
    kt_code code = KT_OK;
    for (uint64_t i = 0; i < count && code == KT_OK; i++) code = add_random(batch, room, i, rich);
    free(room);
    if (code == KT_OK) code = kt_batch_commit(batch, NULL, &said);
    else kt_batch_abort(batch);
    is_code(code, KT_OK, "%s: %llu random entries are posted (%s)", name, (unsigned long long)count, said.text);
    return book;
}

/* ---- Laws ---------------------------------------------------------------------------------------- */

static void comes_back(kt_book *book, const char *format, const char *path, const char *to) {
    const kt_balance_query by_month = {.from = KT_DAY_NONE, .to = KT_DAY_NONE, .by = KT_BY_MONTH};
    const kt_balance_query by_department = {.from = KT_DAY_NONE, .to = KT_DAY_NONE, .by = KT_BY_DEPARTMENT};
    kt_book *other = empty_book(to);
    kt_import_options options = {.format = format};
    kt_import_result result = {0};
    is_code(kt_import(other, path, &options, &result, &said), KT_OK, "%s is read again (%s)", format, said.text);
    char *before = balances_of(book, &by_month), *after = balances_of(other, &by_month);
    is_text(after, before, "%s: the same balances, by account, currency and month", format);
    free(before);
    free(after);
    if (strcmp(format, "csv") == 0 || strcmp(format, "json") == 0) {
        before = balances_of(book, &by_department);
        after = balances_of(other, &by_department);
        is_text(after, before, "%s: and by department", format);
        free(before);
        free(after);
    }
    kt_book_close(other);
}

/* The entry as the library tells it, for what comes back whole. What all lines share a reader gives to the entry, so a
   text or reference counts as that of each line. */
static kt_code tell(void *context, const kt_entry_view *view, kt_error *error) {
    FILE *out = context;
    const kt_entry *e = &view->entry;
    (void)error;
    fprintf(out, "%d|%.*s|%.*s\n", (int)e->date, (int)e->series.size, e->series.data, (int)e->voucher.size,
            e->voucher.data);
    for (size_t i = 0; i < e->line_count; i++) {
        const kt_line *l = &e->lines[i];
        char amount[KT_AMOUNT_TEXT], cost[KT_AMOUNT_TEXT] = "";
        kt_str currency = l->currency.size ? l->currency : KT_STR("DKK"); /* as exports name it */
        kt_str text = l->text.size ? l->text : e->text, ref = l->ref.size ? l->ref : e->ref;
        kt_amount_format(l->amount, view->decimals[i], 0, amount);
        if (l->has_cost) kt_amount_format(l->cost, view->cost_decimals[i], 0, cost);
        fprintf(out, " %.*s %s %.*s %s %.*s|%.*s|%.*s|", (int)l->account.size, l->account.data, amount,
                (int)currency.size, currency.data, cost, (int)text.size, text.data, (int)ref.size, ref.data,
                (int)l->tax_code.size, l->tax_code.data);
        for (size_t d = 0; d < l->dimension_count; d++)
            fprintf(out, " %d=%.*s", l->dimensions[d].dimension, (int)l->dimensions[d].value.size,
                    l->dimensions[d].value.data);
        fputc('\n', out);
    }
    return KT_OK;
}

static char *entries_of(kt_book *book) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    kt_view *view = view_of(book);
    kt_entries(view, NULL, tell, out, &said);
    kt_view_close(view);
    fclose(out);
    return text;
}

/* Of long texts the first line that differs is enough. */
static void is_same(const char *now, const char *expected, const char *law) {
    const char *a = now, *b = expected;
    for (const char *f = now, *e = expected; *f && *f == *e; f++, e++)
        if (*f == '\n') {
            a = f + 1;
            b = e + 1;
        }
    if (ok(strcmp(now, expected) == 0, "%s", law)) return;
    diag("expected %.*s", (int)strcspn(b, "\n"), b);
    diag("found    %.*s", (int)strcspn(a, "\n"), a);
}

static void json_holds_all(kt_book *book, const char *to) {
    kt_book *other = open_book(to);
    char *before = entries_of(book), *after = entries_of(other);
    is_same(after, before, "json: every entry comes back with all it had but minus and reverses");
    free(before);
    free(after);
    kt_book_close(other);
}

/* ---- ledger and hledger ---- */

static bool is_installed(const char *program) {
    char command[100];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", program);
    return system(command) == 0;
}

static bool runs(const char *command) {
    int status = system(command);
    if (status != 0) diag("%s: status %d", command, status);
    return status == 0;
}

/* One balance of theirs: "QUANTITY SYMBOL", the symbol perhaps quoted. */
static void put_theirs(FILE *out, const char *account, char *amount) {
    char *symbol = strchr(amount, ' ');
    if (!symbol) return; /* nothing, or zero */
    *symbol++ = 0;
    size_t size = strlen(symbol);
    if (*symbol == '"' && size > 1) {
        symbol[size - 1] = 0;
        symbol++;
    }
    if (amount[strspn(amount, "-0.")]) fprintf(out, "%s|%s|%s\n", account, symbol, amount);
}

/* "account|amount", and further amounts below, each on a line. */
static void read_ledger(FILE *in, FILE *out) {
    char line[4096], account[1024] = "";
    while (fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = 0;
        char *bar = strchr(line, '|'), *amount = bar ? bar + 1 : line;
        if (bar) snprintf(account, sizeof account, "%.*s", (int)(bar - line), line);
        put_theirs(out, account, amount + strspn(amount, " "));
    }
}

/* "account","commodity","balance" in quotes, quotes doubled; a header row. */
static void read_hledger(FILE *in, FILE *out) {
    char line[4096], fields[3][1024];
    for (bool header = true; fgets(line, sizeof line, in); header = false) {
        const char *at = line;
        for (int f = 0; f < 3; f++) {
            size_t size = 0;
            for (at++; *at && !(*at == '"' && at[1] != '"'); at++) {
                if (*at == '"') at++;
                if (size < sizeof fields[f] - 1) fields[f][size++] = *at;
            }
            fields[f][size] = 0;
            at += strcspn(at, "\n,");
            if (*at) at++;
        }
        if (!header && fields[2][strspn(fields[2], "-0.")]) fprintf(out, "%s|%s|%s\n", fields[0], fields[1], fields[2]);
    }
}

static void agrees(const char *program, const char *arguments, void (*take)(FILE *in, FILE *out), const char *path,
                   const char *expected) {
    char line[4000];
    const char *theirs = path_of("theirs.txt");
    if (!is_installed(program)) {
        skip(2, "%s is not installed", program);
        return;
    }
    snprintf(line, sizeof line, "LC_ALL=C sort >'%s'", theirs);
    FILE *out = popen(line, "w");
    snprintf(line, sizeof line, "LC_ALL=C.UTF-8 %s -f '%s' %s", program, path, arguments);
    FILE *in = popen(line, "r");
    if (in && out) take(in, out);
    int status = in ? pclose(in) : -1;
    if (out) pclose(out);
    is_int(status, 0, "journal: %s reads it", program);
    snprintf(line, sizeof line, "LC_ALL=C diff '%s' '%s' | head -20 >&2; cmp -s '%s' '%s'", expected, theirs, expected,
             theirs);
    ok(size_of(expected) > 0 && runs(line), "journal: %s has the same balances", program);
}

static void write_expected(kt_book *book, const char *path) {
    kt_balance *rows = NULL;
    size_t count = 0;
    kt_view *view = view_of(book);
    char command[2200];
    snprintf(command, sizeof command, "LC_ALL=C sort >'%s'", path);
    FILE *out = popen(command, "w");
    is_code(kt_balances(view, NULL, &rows, &count, &said), KT_OK, "the book has balances");
    for (size_t i = 0; i < count && out; i++) {
        char amount[KT_AMOUNT_TEXT];
        if (rows[i].balance == 0) continue;
        kt_amount_format(rows[i].balance, rows[i].decimals, 0, amount);
        fprintf(out, "%.*s|%.*s|%s\n", (int)rows[i].account.size, rows[i].account.data, (int)rows[i].currency.size,
                rows[i].currency.data, amount);
    }
    if (out) pclose(out);
    free(rows);
    kt_view_close(view);
}

static void others_agree(kt_book *book, const char *path) {
    const char *expected = path_of("expected.txt");
    write_expected(book, expected);
    agrees("ledger", "--args-only balance --flat --no-total --balance-format '%(account)|%(scrub(amount))\\n'",
           read_ledger, path, expected);
    agrees("hledger", "balance --flat --no-total --layout=bare --output-format=csv", read_hledger, path, expected);
    if (is_installed("hledger")) {
        char line[2200];
        snprintf(line, sizeof line, "LC_ALL=C.UTF-8 hledger -f '%s' check -s", path);
        ok(runs(line), "journal: hledger check -s finds nothing");
    } else {
        skip(1, "hledger is not installed");
    }
}

static void round_trips(void) {
    for (unsigned round = 0; round < 3; round++) {
        char name[40], to[40];
        snprintf(name, sizeof name, "rich%u", round);
        kt_book *book = random_book(name, 150, true);
        kt_export_result result;
        is_code(export_to(book, "json", path_of("all.jsonl"), NULL, &result), KT_OK, "json is written (%s)", said.text);
        is_int((long long)result.entries, 150, "with all entries counted");
        snprintf(to, sizeof to, "json%u", round);
        comes_back(book, "json", path_of("all.jsonl"), to);
        json_holds_all(book, to);
        is_code(export_to(book, "journal", path_of("all.journal"), NULL, &result), KT_OK, "a journal is written (%s)",
                said.text);
        snprintf(to, sizeof to, "journal%u", round);
        comes_back(book, "journal", path_of("all.journal"), to);
        others_agree(book, path_of("all.journal"));
        is_code(export_to(book, "csv", path_of("all.csv"), NULL, &result), KT_UNSUPPORTED,
                "csv is refused for its costs");
        has_text(said.text, "entry ", "naming the entry: %s", said.text);
        is_int(size_of(path_of("all.csv")), 0, "before anything is written");
        kt_book_close(book);
        snprintf(name, sizeof name, "plain%u", round);
        book = random_book(name, 150, false);
        is_code(export_to(book, "csv", path_of("all.csv"), NULL, &result), KT_OK, "csv is written (%s)", said.text);
        snprintf(to, sizeof to, "csv%u", round);
        comes_back(book, "csv", path_of("all.csv"), to);
        kt_book_close(book);
    }
}

/* ---- What is refused, left out and made ---- */

static kt_book *odd_book(const char *name, const char *account, const char *currency) {
    kt_book *book = make_book(name);
    kt_batch *batch = begin(book);
    kt_account odd = {.code = kt_str_from(account), .type = KT_ASSET};
    kt_line lines[] = {{.account = odd.code, .amount = 5, .currency = kt_str_from(currency)},
                       {.account = KT_STR("1000"), .amount = -5, .currency = kt_str_from(currency)}};
    kt_entry entry = {.date = day("2026-01-31"), .lines = lines, .line_count = 2};
    kt_code code = KT_OK;
    if (strcmp(account, "1000") != 0) code = kt_batch_account(batch, &odd, &said);
    if (code == KT_OK && *currency) code = kt_batch_currency(batch, lines[0].currency, 2, &said);
    if (code == KT_OK) code = kt_batch_add(batch, &entry, NULL, &said);
    if (code == KT_OK) code = kt_batch_commit(batch, NULL, &said);
    is_code(code, KT_OK, "a book with account '%s', currency '%s' (%s)", account, currency, said.text);
    return book;
}

static void names_refused(void) {
    static const char *const odd[][2] = {{"two  blanks", ""},
                                         {"(virtual)", ""},
                                         {"[also]", ""},
                                         {"; comment", ""},
                                         {"* cleared", ""},
                                         {"a::b", ""},
                                         {"a:", ""},
                                         {"no\xc2\xa0"
                                          "break",
                                          ""},
                                         {"assert x", ""},
                                         {"1000", "a;b"},
                                         {"1000", "q\"q"},
                                         {"1000", "h"},
                                         {"1000", "back\\slash"}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        char name[40];
        snprintf(name, sizeof name, "odd%zu", i);
        kt_book *book = odd_book(name, odd[i][0], odd[i][1]);
        is_code(export_to(book, "journal", path_of("odd.journal"), NULL, NULL), KT_UNSUPPORTED, "a journal refuses it");
        has_text(said.text, "line 1", "naming the line: %s", said.text);
        is_int(size_of(path_of("odd.journal")), 0, "with nothing written");
        is_code(export_to(book, "json", path_of("odd.jsonl"), NULL, NULL), KT_OK, "json does not (%s)", said.text);
        kt_book_close(book);
    }
}

static void counted(void) {
    kt_book *book = make_book("counted");
    kt_export_result result;
    uint64_t reversal;
    is_code(post(book, "2026-01-31 V1 1000 100.00 text=a dep=north / 2000 -100.00\n2026-02-01 V2 1000 7 / 2000 -7"),
            KT_OK, "two entries are posted");
    is_code(reverse(book, head_of(book).size - 2, "2026-02-02", true, &reversal), KT_OK, "one is reversed (%s)",
            said.text);
    is_code(export_to(book, "csv", path_of("c.csv"), NULL, &result), KT_OK, "csv is written");
    is_int((long long)result.lines, 6, "lines are counted");
    is_int((long long)result.minus_left_out, 1, "and minus amounts, which it has no place for");
    is_int((long long)result.reverses_left_out, 1, "and links");
    kt_export_options february = {.from = day("2026-02-01"), .to = day("2026-02-01")};
    is_code(export_to(book, "csv", path_of("f.csv"), &february, &result), KT_OK, "a range is written");
    is_text(whole(path_of("f.csv")),
            "date,series,voucher,account,amount,currency,text,cost_centre,department,project,ref,tax_code\n"
            "2026-02-01,,V2,1000,7.00,DKK,,,,,,\n2026-02-01,,V2,2000,-7.00,DKK,,,,,,\n",
            "and nothing beside it");
    is_code(export_to(book, "xml", path_of("x"), NULL, NULL), KT_UNSUPPORTED, "another format is refused by name");
    kt_book_close(book);
}

static void twice(void) {
    kt_book *book = make_book("twice");
    kt_batch_options options = {.allow_duplicate_voucher = true};
    is_code(post_with(book, &options, "2026-01-31 V1 1000 5.00 / 2000 -5.00\n2026-01-31 V1 1000 6.00 / 2000 -6.00"),
            KT_OK, "a voucher is posted twice on purpose");
    is_code(export_to(book, "csv", path_of("t"), NULL, NULL), KT_UNSUPPORTED, "csv would make one entry of them");
    is_code(export_to(book, "json", path_of("t"), NULL, NULL), KT_OK, "json does not");
    kt_book_close(book);
}

static kt_code full(void *context, const char *data, size_t size, kt_error *error) {
    (void)context, (void)data, (void)size;
    return kt_fail(error, KT_DISK_FULL, "no room");
}

static void taker_fails(void) {
    kt_book *book = open_book("counted");
    kt_view *view = view_of(book);
    is_code(kt_export(view, "json", NULL, full, NULL, NULL, &said), KT_DISK_FULL, "a taker's failure is the export's");
    is_text(said.text, "no room", "in its words");
    kt_view_close(view);
    kt_book_close(book);
}

static void zero_with_cost(void) {
    kt_book *book = make_book("zero");
    is_code(post(book, "2026-01-31 V1 1000 0.00 EUR @@ 5.00 / 2000 -5.00"), KT_OK, "a revaluation is posted (%s)",
            said.text);
    is_code(export_to(book, "journal", path_of("z"), NULL, NULL), KT_UNSUPPORTED, "which no journal can say");
    is_code(export_to(book, "json", path_of("z"), NULL, NULL), KT_OK, "and json can");
    kt_book *early = make_book("early");
    is_code(post(early, "1399-12-31 V1 1000 5.00 / 2000 -5.00"), KT_OK, "an entry of the year 1399 is posted");
    is_code(export_to(early, "journal", path_of("z"), NULL, NULL), KT_UNSUPPORTED, "which ledger cannot read");
    has_text(said.text, "1400", "and that is said");
    kt_book_close(early);
    kt_view *view = view_of(book);
    is_code(kt_export_ads(view, path_of("zero-ads"), NULL, NULL, &said), KT_UNSUPPORTED, "GL_Detail cannot");
    is_int(size_of(path_of("zero-ads")), -1, "and nothing is made");
    kt_view_close(view);
    kt_book_close(book);
}

/* ---- ADS ---- */

static int mode_of(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 ? (int)(about.st_mode & 0777) : -1;
}

static void ads_balances(kt_book *book, const char *path, const char *to) {
    const kt_balance_query by_month = {.from = KT_DAY_NONE, .to = KT_DAY_NONE, .by = KT_BY_MONTH};
    kt_book *other = empty_book(to);
    kt_import_options options = {.format = "ads"};
    kt_import_result result;
    is_code(kt_import(other, path, &options, &result, &said), KT_OK, "ads: GL_Detail is read again (%s)", said.text);
    char *before = balances_of(book, &by_month), *after = balances_of(other, &by_month);
    is_text(after, before, "ads: with the same balances");
    free(before);
    free(after);
    kt_book_close(other);
}

static void ads(void) {
    kt_book *book = open_book("rich0"), *small = open_book("counted");
    kt_view *view = view_of(book);
    char path[1200], directory[1024];
    snprintf(directory, sizeof directory, "%s", path_of("ads"));
    is_code(kt_export_ads(view, directory, NULL, NULL, &said), KT_OK, "ads is written (%s)", said.text);
    is_int(mode_of(directory), 0700, "its directory is the owner's alone");
    snprintf(path, sizeof path, "%s/Trial_Balance.csv", directory);
    is_int(mode_of(path), 0600, "and so are its files");
    snprintf(path, sizeof path, "%s/GL_Detail.csv", directory);
    ads_balances(book, path, "from-ads");
    is_code(kt_export_ads(view, directory, NULL, NULL, &said), KT_EXISTS, "a second time it overwrites nothing");
    kt_view_close(view);
    kt_book_close(book);
    view = view_of(small);
    kt_export_options february = {.from = day("2026-02-01"), .to = day("2026-02-28")};
    snprintf(directory, sizeof directory, "%s", path_of("ads2"));
    is_code(kt_export_ads(view, directory, &february, NULL, &said), KT_OK, "a month is written (%s)", said.text);
    snprintf(path, sizeof path, "%s/Trial_Balance.csv", directory);
    is_text(whole(path),
            "GL_Account_Number,Fiscal_Year,Period,Balance_As_Of_Date,Amount_Beginning,Amount_Ending,Amount_Currency,"
            "Amount_Beginning_Reporting,Amount_Ending_Reporting,Amount_Reporting_Currency\n"
            "1000,2026,2,2026-02-28,100.00,100.00,DKK,100.00,100.00,DKK\n"
            "2000,2026,2,2026-02-28,-100.00,-100.00,DKK,-100.00,-100.00,DKK\n",
            "the trial balance begins before it and ends with it");
    snprintf(path, sizeof path, "%s/Chart_Of_Accounts.csv", directory);
    has_text(whole(path), "1000,Bank,Assets,\n", "the chart has the standard's types");
    snprintf(path, sizeof path, "%s/GL_Detail.csv", directory);
    has_text(whole(path), ",2026-02-02,2026,2,1000,-7.00,D,DKK,", "minus amounts keep side and sign");
    kt_view_close(view);
    kt_book_close(small);
}

int main(void) {
    state = test_seed();
    round_trips();
    names_refused();
    counted();
    twice();
    taker_fails();
    zero_with_cost();
    ads();
    return done();
}
