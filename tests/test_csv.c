/* The csv reader: RFC 4180, the columns, which rows make an entry, and every way a file can be bad. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/rows.h"
#include "tests/reading.h"
#include "tests/tap.h"

#if __has_include(<csv.h>)
#include <csv.h>
#define HAS_CSV_H
#endif

#define HEAD "date,voucher,account,amount\n"
#define CSV &kt_format_csv

static void columns(void) {
    reads(CSV, NULL, HEAD "2026-01-31,1,1000,12.50\n2026-01-31,1,2000,-12.5\n",
          "2026-01-31 1: 1000 12.50; 2000 -12.5\n", "an entry is the lines of one voucher, amounts as written");
    reads(CSV, NULL, "account,amount,date,voucher\n1000,1,2026-01-31,7\n2000,-1,2026-01-31,7\n",
          "2026-01-31 7: 1000 1; 2000 -1\n", "columns stand in any order");
    reads(CSV, NULL,
          " Date "
          ",VOUCHER,account,debit,Credit\n2026-01-31,1,1000,5,\n2026-01-31,1,2000,,5.00\n2026-01-31,1,3000,0.00,0\n",
          "2026-01-31 1: 1000 5; 2000 -5.00; 3000 0.00\n", "debit and credit instead of amount; names in any case");
    reads(CSV, NULL,
          "date,voucher,account,amount,currency,text,series,cost_centre,department,project,ref,tax_code\n"
          "2026-02-01,9,1000,1,EUR,Rent,S,10,20,30,R1,M25\n2026-02-01,9,2000,-1,EUR,Rent,S,,,31,R2,\n",
          "2026-02-01 S/9 \"Rent\": 1000 1 EUR {1=10} {2=20} {3=30} (R1) %M25; 2000 -1 EUR {3=31} (R2)\n",
          "all optional columns; a text shared by all lines becomes the entry's");
    reads(CSV, NULL, "\xEF\xBB\xBF" HEAD "2026-01-31,1,1000,1\r\n2026-01-31,1,2000,-1",
          "2026-01-31 1: 1000 1; 2000 -1\n", "a byte order mark, CR LF and a last line without an end");
    reads(CSV, NULL, HEAD "\n2026-01-31, 1 ,1000, 1\n\r\n2026-01-31,1,2000,-1\n\n", "2026-01-31 1: 1000 1; 2000 -1\n",
          "empty lines are passed over, blanks around values too");
    reads(CSV, NULL, HEAD, "", "a header row alone holds no entry");
}

static void header_faults(void) {
    reading_has(CSV, NULL, "date,voucher,account,amount,colour\n",
                "!! in:1: column 5, 'colour', is not known; expected date, voucher",
                "an unknown column is refused by name, with those there are");
    reading_has(CSV, NULL, "date,account,amount\n", "no column 'voucher'", "a missing column is refused by name");
    reading_has(CSV, NULL, "date,voucher,account\n", "no column 'amount'", "a file without amounts is refused");
    reading_has(CSV, NULL, "date,voucher,account,debit\n", "has 'debit' but no column 'credit'", "debit needs credit");
    reading_has(CSV, NULL, "date,voucher,account,amount,credit\n", "both 'amount' and 'credit'",
                "not both ways at once");
    reading_has(CSV, NULL, "date,voucher,account,amount,date\n", "'date' stands twice, as column 1 and column 5",
                "a column that stands twice is refused by name");
    reading_has(CSV, NULL, "", "!! in: is empty", "an empty file is refused");
    reading_has(CSV, NULL, "\n\n", "!! in: is empty", "a file of empty lines is refused");
    reading_has(CSV, NULL, "<?xml version=\"1.0\"?><a/>", "looks like an XML", "XML is named");
    reading_has(CSV, NULL, "{\"a\": 1}\n", "looks like a JSON", "JSON is named");
    reading_has(CSV, NULL, "PK\x03\x04zzz", "looks like a ZIP", "a spreadsheet is named");
    reading_has(CSV, NULL, "date;voucher;account;amount\n", "give --delimiter ';'", "another delimiter is guessed at");
    reading_has(CSV, NULL, "2026-01-31,1,Anna Hansen,5\n", "is no header row",
                "a file without a header row is refused");
    char *shown = reading_text(CSV, NULL, "2026-01-31,1,Anna Hansen,5\n");
    ok(!strstr(shown, "Anna"), "and what stands there is not shown (law 9)");
    free(shown);
    shown = reading(CSV, NULL, "a\0b,c\n", 6, false);
    has_text(shown, "looks like a binary file", "bytes that are no text are named");
    free(shown);
}

static void quoting(void) {
    static const char head[] = "date,voucher,account,amount,text\n";
    char text[2000];
#define WITH(rest) (snprintf(text, sizeof text, "%s%s", head, rest), text)
    reads(CSV, NULL, WITH("2026-01-31,1,\"1000\",\"1\",\"a, \"\"b\"\"\nc\"\n2026-01-31,1,2000,-1,x\n"),
          "2026-01-31 1: 1000 1 \"a, \"b\"\nc\"; 2000 -1 \"x\"\n",
          "quoted delimiters, quotes and line ends (RFC 4180)");
    reads(CSV, NULL, WITH("2026-01-31,1,1000,1,\"\n\n\"\n2026-01-31,1,2000,x,y\n"),
          "! in:5: amount a text of 1 bytes: not a number; expected digits, decimals behind '.'\n",
          "lines are counted through quoted line ends");
    reading_has(CSV, NULL, WITH("2026-01-31,1,1000,1,a\"b\n"), "! in:2: broken quoting: a quote within a field",
                "a quote within a field that is not quoted");
    reading_has(CSV, NULL, WITH("2026-01-31,1,1000,1,\"a\"b\n"), "! in:2: broken quoting: text behind a closing quote",
                "text behind a closing quote");
    reading_has(CSV, NULL, WITH("2026-01-31,1,1000,1,\"a\n2026-01-31,1,1000,1,b\n"),
                "! in:2: broken quoting: a quote opened in this row is never closed", "a quote that is never closed");
    reading_has(CSV, NULL, WITH("2026-01-31,1,1000,1,a\rb\n"), "! in:2: a carriage return", "a lone carriage return");
    reads(CSV, NULL,
          WITH("2026-01-31,1,1000,1,\"a\"b\n2026-01-31,1,2000,-1,\n2026-01-31,2,1000,1,\n2026-01-31,2,2000,-1,\n"),
          "! in:2: broken quoting: text behind a closing quote; a quote within a field must be doubled\n"
          "2026-01-31 2: 1000 1; 2000 -1\n",
          "a row with broken quoting makes its own entry bad, and no other");
    reads(CSV, NULL,
          "text,date,voucher,account,amount\n,2026-01-31,1,1000,1\n\"a\"b,2026-01-31,1,2000,-1\n"
          ",2026-01-31,2,1000,1\n,2026-01-31,2,2000,-1\n,2026-01-31,3,1000,1\n,2026-01-31,3,2000,-1\n",
          "! in:3: broken quoting: text behind a closing quote; a quote within a field must be doubled\n"
          "! in:4: refused too, since the unreadable line 3 may belong to it\n2026-01-31 3: 1000 1; 2000 -1\n",
          "where it cannot be told whose row it is, both neighbours are refused");
#undef WITH
}

static void values(void) {
    kt_format_options danish = {.decimal = ',', .group = '.', .delimiter = ';', .date_format = "%d.%m.%Y"};
    reads(CSV, &danish, "date;voucher;account;amount\n31.1.2026;1;1000;1.234,50\n31.01.2026;1;2000;-1.234,50\n",
          "2026-01-31 1: 1000 1234.50; 2000 -1234.50\n", "--decimal, --group, --delimiter, --date-format");
    kt_format_options semicolon = {.delimiter = ';'};
    reading_has(CSV, &semicolon, "date;voucher;account;amount\n2026-01-31;1;1000;1.234,50\n",
                "! in:2: amount '1.234,50'", "1.234,50 is refused without them");
    reading_has(CSV, NULL, HEAD "2026-01-31,1,1000,\n", "! in:2: amount is empty", "an empty amount");
    reading_has(CSV, NULL, HEAD "2026-01-31,1,1000,12x\n", "amount a text of 3 bytes: not a number",
                "an amount that is no number");
    reading_has(CSV, NULL, HEAD "2026-01-31,1,1000,1.2345678901234567890\n", "! in:2: amount '1.2345678901234567890'",
                "too many decimals");
    reading_has(CSV, NULL, HEAD "2026-01-31,1,1000,99999999999999999999999999999999999999999\n", "! in:2: amount '999",
                "an amount beyond what is kept");
    reading_has(CSV, NULL, HEAD "2026-02-30,1,1000,1\n", "! in:2: date '2026-02-30' is no date; expected YYYY-MM-DD",
                "an impossible date");
    reading_has(CSV, NULL, HEAD ",1,1000,1\n", "! in:2: date (empty) is no date", "an empty date");
    reading_has(CSV, NULL, HEAD "2026-01-31,1,,1\n", "! in:2: account is empty", "an empty account");
    reading_has(CSV, NULL, HEAD "2026-01-31,1,1000\n", "! in:2: found 3 columns, expected 4", "too few columns");
    reading_has(CSV, NULL, HEAD "2026-01-31,1,1000,1,2\n", "! in:2: found 5 columns, expected 4", "too many columns");
    reading_has(CSV, NULL, "date,voucher,account,debit,credit\n2026-01-31,1,1000,1,2\n",
                "debit '1' and credit '2' on one line", "debit and credit on one line");
    reading_has(CSV, NULL, "date,voucher,account,debit,credit\n2026-01-31,1,1000,,\n", "both empty",
                "neither debit nor credit");
    reading_has(CSV, NULL, HEAD "2026-01-31,\xE6,1000,1\n",
                "! in:2: byte 12 of the row (0xE6) is no UTF-8; if the file is in another encoding, give --encoding",
                "bytes that are no UTF-8");
    char *found = reading(CSV, NULL, HEAD "2026-01-31,\0,1000,1\n", sizeof HEAD + 20, false);
    has_text(found, "! in:2: a NUL byte (byte 12 of the row)", "a NUL byte");
    free(found);
    kt_format_options windows = {.encoding = "windows-1252"}, latin = {.encoding = "ISO-8859-1"},
                      odd = {.encoding = "ebcdic"};
    reads(CSV, &windows, "date,voucher,account,amount,text\n2026-01-31,1,1000,1,\x80 \xE6\xF8\"\"\n",
          "! in:2: broken quoting: a quote within a field; the whole field must be quoted and the quote doubled\n",
          "quoting in another encoding");
    reads(CSV, &windows, "date,voucher,account,amount,text\n2026-01-31,1,1000,1,\"\x80 \xE6\"\"\"\n",
          "2026-01-31 1 \"€ æ\"\": 1000 1\n", "windows-1252 becomes UTF-8");
    reads(CSV, &latin, "date,voucher,account,amount,text\n2026-01-31,1,1000,1,\xE5r\n", "2026-01-31 1 \"år\": 1000 1\n",
          "iso-8859-1 becomes UTF-8");
    reading_has(CSV, &windows, "date,voucher,account,amount,text\n2026-01-31,1,1000,1,\x81\n",
                "! in:2: column 5 has a byte", "a byte that windows-1252 does not have");
    reading_has(CSV, &odd, HEAD, "!! encoding 'ebcdic' is not known", "an encoding that is not known");
    kt_format_options same = {.decimal = ',', .group = ','};
    reading_has(CSV, &same, HEAD, "!! numbers cannot be grouped", "group and decimal sign must differ");
}

static void entries(void) {
    reads(CSV, NULL, HEAD "2026-01-31,1,1000,1\n2026-01-31,2,1000,1\n2026-01-31,1,2000,-1\n2026-01-31,3,9,0\n",
          "2026-01-31 1: 1000 1\n2026-01-31 2: 1000 1\n"
          "! in:4: voucher 1 comes back after other entries; its lines must stand together\n2026-01-31 3: 9 0\n",
          "coming back to a finished voucher is refused");
    reads(CSV, NULL, HEAD "2026-01-31,5,1,0\n2026-01-31,3,1,0\n2026-01-31,4,1,0\n2026-02-01,4,1,0\n2026-01-31,3,1,0\n",
          "2026-01-31 5: 1 0\n2026-01-31 3: 1 0\n2026-01-31 4: 1 0\n2026-02-01 4: 1 0\n"
          "! in:6: voucher 3 comes back after other entries; its lines must stand together\n",
          "numbers may stand in any order, and a number on another date is another entry");
    reads(CSV, NULL,
          "date,voucher,account,amount,series\n2026-01-31,1,1,0,A\n2026-01-31,1,1,0,B\n2026-01-31,A1,1,0,\n2026-01-31,"
          "1,1,0,A\n",
          "2026-01-31 A/1: 1 0\n2026-01-31 B/1: 1 0\n2026-01-31 A1: 1 0\n"
          "! in:5: voucher 1 comes back after other entries; its lines must stand together\n",
          "series are counted apart");
    reads(CSV, NULL,
          HEAD "2026-01-31,,1,5\n2026-01-31,,2,-5.00\n2026-01-31,,3,2\n2026-01-31,,4,-1\n2026-01-31,,5,-1\n2026-01-31,,"
               "6,1\n2026-02-01,,7,1\n2026-02-01,,8,-1\n",
          "2026-01-31 : 1 5; 2 -5.00\n2026-01-31 : 3 2; 4 -1; 5 -1\n2026-01-31 : 6 1\n2026-02-01 : 7 1; 8 -1\n",
          "lines without a voucher are an entry until they balance or the date changes");
    reads(CSV, NULL,
          "date,voucher,account,amount,currency\n2026-01-31,,1,5,EUR\n2026-01-31,,2,-5,USD\n2026-01-31,,3,-5,EUR\n2026-"
          "01-31,,4,5,USD\n2026-01-31,,5,1,\n",
          "2026-01-31 : 1 5 EUR; 2 -5 USD; 3 -5 EUR; 4 5 USD\n2026-01-31 : 5 1\n", "each currency by itself");
    reads(CSV, NULL, HEAD "2026-01-31,1,1,1\n2026-13-31,1,2,-1\n2026-01-31,2,1,1\n",
          "! in:3: date '2026-13-31' is no date; expected YYYY-MM-DD, or give --date-format\n2026-01-31 2: 1 1\n",
          "a bad date does not tear its entry apart");
    char *found = reading(CSV, NULL, HEAD "2026-01-31,1,1,x\n2026-01-31,1,2,-1\n2026-01-31,2,1,1", sizeof HEAD - 1 + 51,
                          true);
    is_text(found,
            "! in:2: amount a text of 1 bytes: not a number; expected digits, decimals behind '.'\n"
            "[2026-01-31,1,1,x\n2026-01-31,1,2,-1\n]\n2026-01-31 2: 1 1\n[2026-01-31,2,1,1]\n",
            "an entry's own bytes are all its rows");
    free(found);
    kt_source source = {.name = "in",
                        .data = (const uint8_t *)HEAD "2026-01-31,1,1,x\n2026-01-31,1,2,-1\n",
                        .size = sizeof HEAD - 1 + 35};
    kt_format_options none = {0};
    void *reader;
    kt_item item;
    kt_error error;
    kt_format_csv.open(&source, &none, &reader, &error);
    is_code(kt_format_csv.next(reader, &item, &error), KT_INVALID, "a bad entry is refused");
    is_int((long long)item.entry.line_count, 2, "and comes with its lines as far as they could be read");
    is_int((long long)item.entry.lines[1].amount, -1, "for the control totals");
    kt_str preamble = kt_format_csv.preamble(reader);
    is_bytes(preamble.data, preamble.size, HEAD, sizeof HEAD - 1, "the header row stands before what is rejected");
    kt_format_csv.close(reader);
}

static void limits(void) {
    size_t size = (size_t)3 << 20;
    char *big = malloc(size);
    if (!big) return;
    memset(big, 'x', size);
    memcpy(big, HEAD, sizeof HEAD - 1);
    char *found = reading(CSV, NULL, big, size, false);
    is_text(found, "!! in:2: the line is longer than 1048576 bytes\n", "a line over 1 MiB ends reading");
    free(found);
    memcpy(big + sizeof HEAD - 1, "2026-01-31,1,1,\"", 16);
    big[2 << 20] = '\n';
    found = reading(CSV, NULL, big, (2 << 20) + 1, false);
    is_text(found, "!! in:2: the line is longer than 1048576 bytes\n", "in a quoted field too");
    free(found);
    memset(big, ',', 2000);
    memcpy(big, HEAD, sizeof HEAD - 1);
    found = reading(CSV, NULL, big, 2000, false);
    has_text(found, "! in:2: more than 256 columns", "rows of too many columns are refused");
    free(found);
    free(big);
}

/* 200,000 vouchers, the last of them the first again: the memory for finished ones in both ways of keeping them. */
static void many(bool rising) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fputs(HEAD, out);
    unsigned count = 200000;
    for (unsigned i = 1; i <= count; i++)
        fprintf(out, "2026-01-31,V%u,1,0\n", rising ? i : (unsigned)((uint64_t)i * 7919 % 200003));
    fprintf(out, "2026-01-31,V%u,1,0\n", rising ? 1u : 7919u);
    fclose(out);
    kt_source source = {.name = "in", .data = (const uint8_t *)text, .size = size};
    kt_format_options none = {0};
    void *reader = NULL;
    kt_item item;
    kt_error error = {0};
    kt_format_csv.open(&source, &none, &reader, &error);
    unsigned good = 0;
    kt_code code;
    while ((code = kt_format_csv.next(reader, &item, &error)) == KT_OK) good++;
    is_int(good, count, "every voucher of %s numbers is taken once", rising ? "rising" : "shuffled");
    has_text(error.text, "comes back", "and refused when it comes back");
    is_code(kt_format_csv.next(reader, &item, &error), KT_END, "behind it is the end");
    kt_format_csv.close(reader);
    free(text);
}

/* ---- libcsv in strict mode says the same -------------------------------------------------------- */

#ifdef HAS_CSV_H
static void put_field(void *data, size_t size, void *context) {
    FILE *out = context;
    fputc('<', out);
    if (size) fwrite(data, 1, size, out);
    fputc('>', out);
}

static void their_row(int end, void *context) {
    (void)end;
    fputc('\n', context);
}

static int no_space(unsigned char c) {
    (void)c;
    return 0;
}

/* Loaded and not linked: nothing else of the project needs it. */
static struct {
    int (*init)(struct csv_parser *parser, unsigned char options);
    size_t (*parse)(struct csv_parser *parser, const void *data, size_t size, void (*field)(void *, size_t, void *),
                    void (*row)(int, void *), void *context);
    int (*fini)(struct csv_parser *parser, void (*field)(void *, size_t, void *), void (*row)(int, void *),
                void *context);
    void (*free)(struct csv_parser *parser);
    void (*set_space)(struct csv_parser *parser, int (*is_space)(unsigned char));
} libcsv;

static bool load_libcsv(void) {
    void *library = dlopen("libcsv.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!library) return false;
    *(void **)&libcsv.init = dlsym(library, "csv_init");
    *(void **)&libcsv.parse = dlsym(library, "csv_parse");
    *(void **)&libcsv.fini = dlsym(library, "csv_fini");
    *(void **)&libcsv.free = dlsym(library, "csv_free");
    *(void **)&libcsv.set_space = dlsym(library, "csv_set_space_func");
    return libcsv.init && libcsv.parse && libcsv.fini && libcsv.free && libcsv.set_space;
}

static char *theirs(const char *data, size_t size) {
    char *text = NULL;
    size_t text_size = 0;
    FILE *out = open_memstream(&text, &text_size);
    struct csv_parser parser;
    libcsv.init(&parser, CSV_STRICT | CSV_STRICT_FINI);
    libcsv.set_space(&parser, no_space);
    if (libcsv.parse(&parser, data, size, put_field, their_row, out) != size ||
        libcsv.fini(&parser, put_field, their_row, out) != 0)
        fputs("!", out);
    libcsv.free(&parser);
    fclose(out);
    return text;
}

static char *ours(const char *data, size_t size) {
    char *text = NULL;
    size_t text_size = 0;
    FILE *out = open_memstream(&text, &text_size);
    kt_source source = {.name = "in", .data = (const uint8_t *)data, .size = size};
    kt_format_options none = {0};
    kt_rows *rows = NULL;
    const kt_row *row;
    kt_error error;
    kt_code code = kt_rows_open(&source, &none, false, &rows, &error);
    while (code == KT_OK && (code = kt_rows_next(rows, &row, &error)) == KT_OK) {
        for (size_t i = 0; i < row->count; i++)
            put_field((void *)(uintptr_t)row->fields[i].data, row->fields[i].size, out);
        fputc('\n', out);
    }
    if (code != KT_END) fputs("!", out);
    kt_rows_close(rows);
    fclose(out);
    return text;
}

static void against_libcsv(void) {
    static const char letters[] = "a,\"\n\"b,\"\n";
    if (!load_libcsv()) {
        skip(2, "libcsv is not installed");
        return;
    }
    uint64_t state = test_seed();
    int agreed = 0, refused = 0, rounds = 20000;
    for (int i = 0; i < rounds; i++) {
        char text[40];
        size_t size = 1 + test_random(&state) % 24;
        for (size_t k = 0; k < size; k++) text[k] = letters[test_random(&state) % (sizeof letters - 1)];
        char *a = theirs(text, size), *b = ours(text, size);
        /* What stands before a fault is reported by both, but not by both to the same field. */
        bool bad = strchr(a, '!') && strchr(b, '!');
        refused += bad;
        agreed += bad || strcmp(a, b) == 0;
        if (!bad && strcmp(a, b) != 0) diag("of %zu bytes: %.*s\ntheirs %s\nours %s", size, (int)size, text, a, b);
        free(a);
        free(b);
    }
    is_int(agreed, rounds, "rows and fields are those that libcsv finds in strict mode");
    ok(refused > rounds / 20 && refused < rounds * 19 / 20, "good files and bad ones were tried (%d of %d bad)",
       refused, rounds);
}
#else
static void against_libcsv(void) { skip(2, "libcsv-dev was not installed when this was built"); }
#endif

int main(void) {
    columns();
    header_faults();
    quoting();
    values();
    entries();
    limits();
    many(true);
    many(false);
    against_libcsv();
    return done();
}
