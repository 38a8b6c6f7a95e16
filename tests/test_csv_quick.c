/* What is quick in reading CSV gives, on random input, what the careful way gives: rows, entries, numbers, names. */
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/codes.h"
#include "engine/exchange/imprint.h"
#include "engine/exchange/rows.h"
#include "engine/exchange/split.h"
#include "engine/exchange/table.h"
#include "storage/note.h"
#include "tests/reading.h"
#include "tests/tap.h"

static uint64_t seed;

static size_t below(size_t limit) { return (size_t)(test_random(&seed) % limit); }

/* ---- The splitter ------------------------------------------------------------------------------- */

static size_t random_text(char *out, size_t room) {
    static const char *const parts[] = {
        ",",        ",",          ",",       ",",       "\n",
        "\r\n",     "\r",         "\"",      "\"\"",    "a",
        "17",       "2026-01-31", "1000.50", "-3",      "a rather long text, if it comes often ",
        " ",        "\xC3\xA6",   "\xF8",    "\"a,b\"", ",\"x\",",
        "\"a\nb\"", ";",          "\t"};
    size_t size = 0, wanted = below(room - 64);
    bool zeros = below(8) == 0; /* seldom: with one, a row is always for the careful way */
    while (size < wanted) {
        if (zeros && below(40) == 0) {
            out[size++] = 0;
            continue;
        }
        /* Most texts hold rows without a fault. */
        const char *part = parts[below(4) ? 8 + below(6) : below(sizeof parts / sizeof parts[0])];
        if (below(5) == 0) part = below(4) ? "," : "\n";
        memcpy(out + size, part, strlen(part));
        size += strlen(part);
    }
    return size;
}

static void splitting(void) {
    int rounds = 40000, same = 0, taken = 0;
    for (int round = 0; round < rounds; round++) {
        char text[320];
        size_t size = random_text(text, sizeof text), most = 1 + below(12);
        if (size == 0) text[size++] = 'a';
        uint8_t *copy = malloc(size); /* exactly as long, so that a byte read behind it is found */
        if (!copy) abort();
        memcpy(copy, text, size);
        kt_str a[13], b[13];
        kt_split x, y;
        char delimiter = below(4) ? ',' : below(2) ? ';' : '\t';
        bool first = kt_split_row(copy, copy + size, delimiter, a, most, &x);
        bool second = kt_split_row_plainly(copy, copy + size, delimiter, b, most, &y);
        bool good = first == second;
        if (first && second) {
            good = x.count == y.count && x.size == y.size && x.high == y.high && x.size <= size && x.count <= most;
            for (size_t i = 0; good && i < x.count; i++) good = a[i].data == b[i].data && a[i].size == b[i].size;
            taken++;
        }
        same += good;
        if (!good) diag("%zu bytes: %.*s", size, (int)size, text);
        free(copy);
    }
    is_int(same, rounds, "a row is split alike with and without the processor's help");
    ok(taken > rounds / 10, "and often it was one for the splitter (%d of %d)", taken, rounds);
}

/* ---- Rows --------------------------------------------------------------------------------------- */

static char *rows_of(const uint8_t *data, size_t size, const kt_format_options *options, bool careful, size_t *count) {
    char *text = NULL;
    size_t text_size = 0;
    FILE *out = open_memstream(&text, &text_size);
    if (!out) abort();
    kt_source source = {.name = "in", .data = data, .size = size};
    kt_rows *rows = NULL;
    const kt_row *row;
    kt_error error = {0};
    kt_code code = kt_rows_open(&source, options, false, &rows, &error);
    if (code == KT_OK && careful) kt_rows_careful(rows);
    for (size_t number = 0; code == KT_OK; number++) {
        code = kt_rows_next(rows, &row, &error);
        if (code == KT_END) break;
        fprintf(out, "%zu %zu+%zu done %zu:", row->line, (size_t)(row->raw - data), row->raw_size, kt_rows_done(rows));
        for (size_t i = 0; i < row->count; i++) {
            fputs(" <", out);
            fwrite(row->fields[i].data ? row->fields[i].data : "", 1, row->fields[i].size, out);
            fputc('>', out);
        }
        if (code == KT_OK && number == 0) kt_rows_expect(rows, row->count);
        if (code == KT_OK) (*count)++;
        else fprintf(out, "!%s", error.text);
        if (code != KT_OK && row->can_go_on) code = KT_OK;
        fputc('\n', out);
    }
    kt_rows_close(rows);
    fclose(out);
    return text;
}

static void rows(void) {
    int rounds = 20000, same = 0;
    size_t good = 0, unused = 0;
    for (int round = 0; round < rounds; round++) {
        char text[600];
        size_t size = random_text(text, sizeof text);
        if (size == 0) text[size++] = 'a';
        uint8_t *copy = malloc(size);
        if (!copy) abort();
        memcpy(copy, text, size);
        kt_format_options options = {.delimiter = below(6) ? 0 : ';', .encoding = below(6) ? NULL : "windows-1252"};
        char *quick = rows_of(copy, size, &options, false, &good), *slow = rows_of(copy, size, &options, true, &unused);
        if (strcmp(quick, slow) == 0) same++;
        else diag("quick:\n%s\ncareful:\n%s", quick, slow);
        free(quick);
        free(slow);
        free(copy);
    }
    is_int(same, rounds, "rows, fields, line numbers, own bytes and faults are those of the careful way");
    ok(good > (size_t)rounds, "and there were rows without a fault (%zu)", good);
}

/* A line is taken or refused at the same length both ways, also where chunks end. */
static void long_rows(void) {
    enum { SIZE = (1 << 20) + 200 };
    uint8_t *data = malloc(SIZE);
    if (!data) abort();
    int same = 0, rounds = 0;
    for (size_t size = 60; size < SIZE; size += size < 200 ? 1 : size < KT_ROW_MAX - 70 ? KT_ROW_MAX - 65 - size : 1) {
        size_t unused = 0;
        kt_format_options options = {0};
        memset(data, 'x', size);
        data[1] = ',';
        for (int ending = 0; ending < 3; ending++, rounds++) {
            data[size - 1] = ending > 0 ? '\n' : 'x';
            data[size - 2] = ending > 1 ? '\r' : 'x';
            char *quick = rows_of(data, size, &options, false, &unused);
            char *slow = rows_of(data, size, &options, true, &unused);
            same += strcmp(quick, slow) == 0;
            free(quick);
            free(slow);
        }
    }
    is_int(same, rounds, "up to the longest line that is taken, and beyond");
    free(data);
}

/* ---- Entries ------------------------------------------------------------------------------------ */

static void put_field(FILE *out, const char *text, char delimiter, bool last) {
    unsigned how = (unsigned)below(12);
    if (how == 0) fprintf(out, "\"%s\"", text);
    else if (how == 1) fprintf(out, " %s ", text);
    else fputs(text, out);
    if (!last) fputc(delimiter, out);
}

static void put_row(FILE *out, const char *day, unsigned voucher, char delimiter, bool english) {
    static const char *const accounts[] = {"1000", "a2000", "Bank: Giro", "30", "a longer code than sixteen"};
    static const char *const texts[] = {"", "Rent",
                                        "K\xC3\xB8"
                                        "b",
                                        "x \"\"y\"\" z",
                                        "Kaffe og br\xC3\xB8"
                                        "d til m\xC3\xB8"
                                        "det"};
    static const char *const english_amounts[] = {
        "1.50", "-1.50", "12345678.90", "123456789012.34",     "7",   "-0.5", "1.234",
        "x",    "",      "+3.00",       "1234567890123456.00", ".25", "5.",   "99999999999999999999"};
    static const char *const danish_amounts[] = {"1,50", "-1,50", "1.234,50", "12.345.678,00", "7",
                                                 "1.50", "1,234", "",         "1.2345,00"};
    char number[32];
    snprintf(number, sizeof number, "%s%u", voucher % 7 ? "V" : "", voucher);
    put_field(out, below(60) ? day : "2026-02-30", delimiter, false);
    put_field(out, below(30) ? number : "", delimiter, false);
    put_field(out, below(60) ? accounts[below(5)] : "", delimiter, false);
    const char *amount = english ? english_amounts[below(4) ? below(6) : below(14)]
                                 : danish_amounts[below(4) ? below(5) : below(9)];
    put_field(out, amount, delimiter, false);
    const char *text = texts[below(5)];
    if (strchr(text, '"')) fprintf(out, "\"%s\"", text);
    else put_field(out, text, delimiter, true);
    fputs(below(80) ? "" : below(2) ? "\"" : ",,", out);
    fputs(below(20) ? "\n" : below(2) ? "\r\n" : "\n\n", out);
}

static char *random_file(size_t *size, char delimiter, bool english) {
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (!out) abort();
    if (below(8) == 0) fputs("\xEF\xBB\xBF", out);
    fprintf(out, "date%cvoucher%caccount%camount%ctext%s", delimiter, delimiter, delimiter, delimiter,
            below(4) ? "\n" : "\r\n");
    unsigned voucher = 1;
    for (size_t entries = below(12); entries > 0; entries--) {
        char day[16];
        snprintf(day, sizeof day, "2026-0%zu-1%zu", 1 + below(3), below(3));
        for (size_t lines = 1 + below(3); lines > 0; lines--) put_row(out, day, voucher, delimiter, english);
        voucher = below(10) ? voucher + 1 : 1 + (unsigned)below(voucher);
    }
    fclose(out);
    return text;
}

/* As reading() gives it, with every row read the careful way. */
static kt_code careful_open(const kt_source *source, const kt_format_options *options, void **reader, kt_error *error) {
    kt_code code = kt_format_csv.open(source, options, reader, error);
    if (code == KT_OK) kt_rows_careful(((kt_table *)*reader)->rows);
    return code;
}

static void entries(void) {
    kt_format careful = kt_format_csv;
    careful.open = careful_open;
    int rounds = 6000, same = 0, refusals = 0, taken = 0;
    for (int round = 0; round < rounds; round++) {
        bool english = below(3) > 0;
        kt_format_options options = {.delimiter = below(4) ? 0 : ';'};
        if (!english) {
            options.decimal = ',';
            options.group = '.';
            options.delimiter = ';';
        }
        size_t size = 0;
        char *text = random_file(&size, options.delimiter ? options.delimiter : ',', english);
        char *quick = reading(&kt_format_csv, &options, text, size, true),
             *slow = reading(&careful, &options, text, size, true);
        if (strcmp(quick, slow) == 0) same++;
        else diag("%s\nquick:\n%s\ncareful:\n%s", text, quick, slow);
        refusals += strstr(quick, "! in:") != NULL;
        taken += strstr(quick, "\n2026") != NULL;
        free(quick);
        free(slow);
        free(text);
    }
    is_int(same, rounds, "entries, own bytes and refusals of whole files are those of the careful way");
    ok(refusals > rounds / 5 && taken > rounds / 5, "files with refusals (%d) and with entries (%d) were among them",
       refusals, taken);
}

/* An entry is refused where its key has been finished before, however the numbers run. */
static void coming_back(void) {
    static const char *const names[] = {"1",
                                        "2",
                                        "3",
                                        "10",
                                        "V1",
                                        "V2",
                                        "V3",
                                        "V10",
                                        "W7",
                                        "W6",
                                        "A",
                                        "B",
                                        "V01",
                                        "999999999999999999",
                                        "1000000000000000000",
                                        "X9999999999999999999"};
    enum { NAMES = sizeof names / sizeof names[0], LONGEST = 24 };
    int rounds = 4000, same = 0;
    for (int round = 0; round < rounds; round++) {
        char text[LONGEST * 40 + 64], expected[LONGEST + 1], found[LONGEST + 1];
        size_t size = (size_t)snprintf(text, sizeof text, "date,voucher,account,amount\n"), count = 0, given = 0;
        bool finished[NAMES] = {false};
        size_t last = NAMES, of = 2 + below(NAMES - 1);
        for (size_t n = below(LONGEST); n > 0; n--) {
            size_t name = below(of);
            size += (size_t)snprintf(text + size, sizeof text - size, "2026-01-31,%s,1,0\n", names[name]);
            if (name == last) continue;
            last = name;
            expected[count++] = finished[name] ? '!' : '.';
            finished[name] = true;
        }
        expected[count] = 0;
        kt_source source = {.name = "in", .data = (const uint8_t *)text, .size = size};
        kt_format_options none = {0};
        void *reader = NULL;
        kt_item item;
        kt_error error;
        kt_code code = kt_format_csv.open(&source, &none, &reader, &error);
        while (code == KT_OK || (code != KT_END && item.can_go_on)) {
            code = kt_format_csv.next(reader, &item, &error);
            if (code != KT_END && given < LONGEST) found[given++] = code == KT_OK ? '.' : '!';
        }
        found[given] = 0;
        kt_format_csv.close(reader);
        if (strcmp(expected, found) == 0) same++;
        else diag("%s\nexpected %s found %s", text, expected, found);
    }
    is_int(same, rounds, "vouchers that come back are refused, and no others");
}

/* ---- Numbers and texts -------------------------------------------------------------------------- */

/* The manual of kt_number_parse, word for word and digit by digit. */
static kt_number_fault number_by_hand(const char *text, size_t size, char decimal, char group, kt_amount *units,
                                      uint8_t *decimals) {
    size_t at = 0, whole = 0, part = 0, group_digits = 0;
    bool negative = false, grouped = false, beyond = false;
    kt_amount value = 0;
    if (size == 0) return KT_NUMBER_EMPTY;
    if (text[0] == '-' || text[0] == '+') negative = text[at++] == '-';
    for (; at < size; at++) {
        char c = text[at];
        if (group && c == group) {
            if (group == decimal || (grouped ? group_digits != 3 : whole < 1 || whole > 3)) return KT_NUMBER_SYNTAX;
            grouped = true;
            group_digits = 0;
            continue;
        }
        if (c < '0' || c > '9') break;
        whole++;
        group_digits++;
        if (value > kt_amount_limit()) beyond = true;
        else value = value * 10 + (c - '0');
    }
    if (grouped && group_digits != 3) return KT_NUMBER_SYNTAX;
    if (at < size && text[at] == decimal)
        for (at++; at < size && text[at] >= '0' && text[at] <= '9'; at++, part++) {
            if (value > kt_amount_limit()) beyond = true;
            else value = value * 10 + (text[at] - '0');
        }
    if (at < size || whole + part == 0) return KT_NUMBER_SYNTAX;
    if (part > KT_DECIMALS_MAX) return KT_NUMBER_DECIMALS;
    if (beyond || value > kt_amount_limit()) return KT_NUMBER_OVERFLOW;
    *units = negative ? -value : value;
    *decimals = (uint8_t)part;
    return KT_NUMBER_OK;
}

static void numbers(void) {
    static const char digits[] = "0123456789";
    int rounds = 300000, same = 0, good = 0;
    for (int round = 0; round < rounds; round++) {
        char text[48], decimal = below(3) ? '.' : ',', group = below(3) ? 0 : below(2) ? ' ' : below(2) ? '.' : ',';
        size_t size = 0;
        if (below(3) == 0) text[size++] = below(4) ? '-' : '+';
        for (size_t n = below(4) ? below(9) : below(24); n > 0; n--) text[size++] = digits[below(10)];
        if (group && below(2)) {
            text[size++] = group;
            for (size_t n = below(6) ? 3 : below(5); n > 0; n--) text[size++] = digits[below(10)];
        }
        if (below(4)) text[size++] = below(12) ? decimal : '.';
        for (size_t n = below(4) ? 2 : below(5); n > 0; n--) text[size++] = digits[below(10)];
        if (size && below(12) == 0) text[below(size)] = "/:-. x,\0"[below(8)];
        char *copy = malloc(size ? size : 1);
        if (!copy) abort();
        memcpy(copy, text, size);
        kt_amount a = 0, b = 0;
        uint8_t x = 0, y = 0;
        kt_number_fault first = kt_number_parse(copy, size, decimal, group, &a, &x);
        kt_number_fault second = number_by_hand(copy, size, decimal, group, &b, &y);
        free(copy);
        if (first == second && a == b && x == y) same++;
        else diag("'%.*s' (%c %d): %d and %d", (int)size, text, decimal, group, (int)first, (int)second);
        good += first == KT_NUMBER_OK;
    }
    is_int(same, rounds, "numbers read eight digits at a time are those read one by one");
    ok(good > rounds / 3 && good < rounds, "good ones and bad ones were tried (%d good)", good);
}

static void texts(void) {
    int rounds = 100000, same = 0, trimmed = 0;
    for (int round = 0; round < rounds; round++) {
        char a[64], b[64];
        size_t size = below(40), other = below(8) ? size : below(40);
        for (size_t i = 0; i < sizeof a; i++) a[i] = b[i] = " \tab"[below(4)];
        if (below(2)) b[below(40)] = 'c';
        kt_str x = {a, size}, y = {b, other}, t = kt_text_trim(x);
        same += kt_text_same(x, y) == kt_str_equal(x, y);
        size_t from = 0, to = size;
        while (from < to && (a[from] == ' ' || a[from] == '\t')) from++;
        while (to > from && (a[to - 1] == ' ' || a[to - 1] == '\t')) to--;
        trimmed += t.size == to - from && (t.size == 0 || t.data == a + from);
    }
    is_int(same, rounds, "texts compared in words are the same where they are byte by byte");
    is_int(trimmed, rounds, "and trimmed alike");
}

/* ---- Names of accounts, and the digest ---------------------------------------------------------- */

static void codes(void) {
    enum { MOST = 5000 };
    kt_codes set = {0};
    size_t first_at[MOST], count = 0, right = 0;
    bool known[MOST] = {false};
    kt_error error = {0};
    for (int i = 0; i < 40000; i++) {
        size_t which = below(1 + below(MOST));
        char text[300];
        int size = snprintf(
            text, sizeof text, "%s%zu%.*s", which % 3 ? "" : "Assets:Bank:", which, which % 50 ? 0 : 200,
            "................................................................................................"
            "................................................................................................"
            "................");
        if (!known[which]) first_at[count++] = which;
        kt_account_type type = known[which] ? KT_INCOME : KT_ASSET;
        known[which] = true;
        if (kt_codes_add(&set, (kt_str){text, (size_t)size}, (kt_str){0}, type, &error) != KT_OK)
            diag("%s", error.text);
    }
    for (size_t i = 0; i < set.count && i < count; i++) {
        char text[300];
        int size = snprintf(text, sizeof text, "%s%zu", first_at[i] % 3 ? "" : "Assets:Bank:", first_at[i]);
        right += set.named[i].type == KT_ASSET && set.named[i].code.size >= (size_t)size &&
                 memcmp(set.named[i].code.data, text, (size_t)size) == 0;
    }
    is_int((long long)set.count, (long long)count, "every account is kept once");
    is_int((long long)right, (long long)count, "in the order of its first coming, with what was said then");
    kt_codes_release(&set);
}

/* Digests from before a thread made them, so that what was posted then is still known. */
static void imprints(void) {
    static const struct {
        size_t size;
        const char *id;
    } cases[] = {{100, "dbafa4889be0108d9a527733fc337e57da9129e98981f1f173f27e1f0536f976"},
                 {3000000, "23b01b0ad89e99b6ee231523d977590c9c1b974127f23ca2422481ec38ba39d6"}};
    uint8_t *data = malloc(cases[1].size);
    if (!data) abort();
    for (size_t i = 0; i < cases[1].size; i++) data[i] = (uint8_t)(i * 7 % 251);
    kt_import_options options = {.how = {.delimiter = ';', .date_format = "%d.%m.%Y"},
                                 .rounding_account = KT_STR("9999")};
    for (size_t i = 0; i < 2; i++) {
        kt_source source = {.name = "in", .data = data, .size = cases[i].size};
        kt_imprint imprint = {0};
        uint8_t digest[KT_DIGEST_SIZE];
        char id[2 * KT_DIGEST_SIZE + 1];
        kt_imprint_begin(&imprint, &kt_format_csv, &options, &source);
        kt_imprint_end(&imprint, digest, id);
        kt_imprint_drop(&imprint);
        is_text(id, cases[i].id, "the id of %zu bytes is what it always was", cases[i].size);
    }
    free(data);
}

int main(void) {
    seed = test_seed();
    splitting();
    rows();
    long_rows();
    entries();
    coming_back();
    numbers();
    texts();
    codes();
    imprints();
    return done();
}
