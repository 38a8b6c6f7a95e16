/* SAF-T Financial: what the reader makes of a file and every way one can be bad, what kt_saft_examine finds, and that an
   export, Norwegian or Danish, read again into a book of its own gives the same balances. */
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"
#include "tests/reading.h"

#define SAFT &kt_format_saft
#define NO "urn:StandardAuditFile-Taxation-Financial:NO"
#define DK "urn:StandardAuditFile-Taxation-Financial:DK"
#define HEAD                                                                                                 \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AuditFile xmlns=\"" NO "\"><Header><AuditFileVersion>1.10" \
    "</AuditFileVersion><DefaultCurrencyCode>NOK</DefaultCurrencyCode></Header>\n"
#define JOURNAL(transactions)                                                                            \
    HEAD "<GeneralLedgerEntries><Journal><JournalID>J</JournalID><Description>x</Description><Type>GL</" \
         "Type>\n" transactions "</Journal></GeneralLedgerEntries></AuditFile>\n"
#define TRANSACTION(id, lines)                                                                          \
    "<Transaction><TransactionID>" id "</TransactionID><Period>1</Period><PeriodYear>2026</PeriodYear>" \
    "<TransactionDate>2026-01-31</TransactionDate><Description>t</Description>" lines "</Transaction>\n"
#define LINE(account, amounts) "<Line><RecordID>1</RecordID><AccountID>" account "</AccountID>" amounts "</Line>"
#define DEBIT(amount) "<DebitAmount><Amount>" amount "</Amount></DebitAmount>"
#define CREDIT(amount) "<CreditAmount><Amount>" amount "</Amount></CreditAmount>"
#define TWO(amounts) JOURNAL(TRANSACTION("1", LINE("1000", amounts) LINE("2000", CREDIT("1"))))
#define READ "2026-01-31 J/1 \"t\": 1000 "

/* ---- Reading ---- */

static void good(void) {
    reads(SAFT, NULL, TWO(DEBIT("1")), READ "1 NOK; 2000 -1 NOK\n", "a transaction of two lines");
    reads(SAFT, NULL,
          "\xEF\xBB\xBF<x:AuditFile xmlns:x=\"" DK "\"><x:GeneralLedgerEntries><x:Journal><x:JournalID> A "
          "</x:JournalID><x:Transaction><x:TransactionID>7</x:TransactionID><x:TransactionDate>2026-02-01Z"
          "</x:TransactionDate><x:Line><x:AccountID>1</x:AccountID><x:Description>\xc3\xb8 &amp; <![CDATA[<b>]]>"
          "</x:Description><x:DebitAmount>\n  <x:Amount>\n +.50 "
          "</x:Amount></x:DebitAmount><x:ReferenceNumber>R</x:ReferenceNumber>"
          "</x:Line><y:Line xmlns:y=\"" DK "\"><y:AccountID>2</y:AccountID><y:CreditAmount><y:Amount>0.5</y:Amount>"
          "</y:CreditAmount></y:Line></x:Transaction></x:Journal></x:GeneralLedgerEntries></x:AuditFile>",
          "2026-02-01 A/7: 1 0.50 \"\xc3\xb8 & <b>\" (R); 2 -0.5\n",
          "Danish, any prefix, CDATA, blanks around values, numbers as xs:decimal has them, no currency said");
    reads(
        SAFT, NULL,
        TWO("<Analysis><AnalysisType>P</AnalysisType><AnalysisID>p</AnalysisID></Analysis><Analysis><AnalysisType>A"
            "</AnalysisType><AnalysisID>a</AnalysisID><AnalysisAmount><Amount>1.00</Amount></AnalysisAmount></Analysis>"
            "<Analysis><AnalysisType>KST</AnalysisType><AnalysisID>k</AnalysisID></Analysis><Analysis><AnalysisType>X"
            "</AnalysisType><AnalysisID>x</AnalysisID></Analysis><SourceDocumentID>S</SourceDocumentID>"
            "<Description>l</Description>" DEBIT(
                "1") "<TaxInformation><TaxCode>3</TaxCode><TaxAmount><Amount>5</Amount>"
                     "</TaxAmount></TaxInformation>"),
        READ "1 NOK {1=k} {2=a} {3=p} {4=x} \"l\" (S) %3; 2000 -1 NOK\n", "analyses, references, texts, tax codes");
    reads(SAFT, NULL,
          TWO("<Analysis><AnalysisType>A</AnalysisType><AnalysisID>a</AnalysisID><AnalysisAmount><Amount>0.5</Amount>"
              "</AnalysisAmount></Analysis>" DEBIT("1")),
          READ "1 NOK; 2000 -1 NOK\n", "an analysis that splits the amount is left out");
    reads(SAFT, NULL,
          TWO("<DebitAmount><Amount>1</Amount><CurrencyCode>EUR</CurrencyCode><CurrencyAmount>0.10</CurrencyAmount>"
              "<ExchangeRate>10</ExchangeRate></DebitAmount>"),
          READ "0.10 EUR @ 1 NOK; 2000 -1 NOK\n", "another currency, with what it counts for");
    reads(SAFT, NULL,
          TWO("<DebitAmount><Amount>1</Amount><CurrencyCode>NOK</CurrencyCode><CurrencyAmount>1.00</CurrencyAmount>"
              "</DebitAmount>"),
          READ "1 NOK; 2000 -1 NOK\n", "the file's own currency, said twice");
    reads(SAFT, NULL, TWO(DEBIT("0") CREDIT("-1")), READ "1 NOK; 2000 -1 NOK\n",
          "both amounts, one of them zero; below zero counts for the other side");
    reads(SAFT, NULL, TWO("<DebitAmount>1</DebitAmount>"), READ "1 NOK; 2000 -1 NOK\n",
          "an amount without an element of its own");
}

static void bad_lines(void) {
    reading_has(SAFT, NULL, TWO(DEBIT("2")),
                "! in:4: transaction 1: does not balance: debit 2.00, credit 1.00, off by 1.00",
                "a transaction that does not balance is refused by its id and line");
    reading_has(SAFT, NULL, JOURNAL(TRANSACTION("9", LINE("1000", DEBIT("0")))),
                "! in:4: transaction 9: has one line only; expected two or more", "one of one line too");
    reading_has(SAFT, NULL, JOURNAL(TRANSACTION("9", "")), "! in:4: transaction 9: has no lines", "and one of none");
    reading_has(SAFT, NULL, TWO(""), "transaction 1: line 1 has no DebitAmount and no CreditAmount", "neither amount");
    reading_has(SAFT, NULL, TWO(DEBIT("1") CREDIT("1")), "line 1 has a DebitAmount and a CreditAmount", "both");
    reading_has(SAFT, NULL, TWO(DEBIT("1,5")), "line 1 has the amount '1,5': not a number", "no number");
    reading_has(SAFT, NULL, TWO(DEBIT("1e3")), "line 1 has the amount a text of 3 bytes: not a number", "an exponent");
    reading_has(SAFT, NULL, TWO(DEBIT("")), "line 1 has the amount (empty)", "no amount");
    reading_has(SAFT, NULL, JOURNAL(TRANSACTION("1", "<Line>" DEBIT("1") "</Line>" LINE("2", CREDIT("1")))),
                "line 1 has no AccountID", "no account");
    reading_has(SAFT, NULL, TWO("<DebitAmount><Amount>1</Amount><CurrencyCode>EUR</CurrencyCode></DebitAmount>"),
                "line 1 has a CurrencyCode without a CurrencyAmount", "a currency without an amount");
    reading_has(SAFT, NULL,
                TWO("<DebitAmount><Amount>1</Amount><CurrencyCode>EUR</CurrencyCode><CurrencyAmount>-1</CurrencyAmount>"
                    "</DebitAmount>"),
                "has a CurrencyAmount on the other side", "signs that contradict");
    reading_has(SAFT, NULL,
                TWO("<DebitAmount><Amount>1</Amount><CurrencyCode>NOK</CurrencyCode><CurrencyAmount>2</CurrencyAmount>"
                    "</DebitAmount>"),
                "in the file's own currency that is not its Amount", "two amounts in one currency");
    reading_has(
        SAFT, NULL,
        JOURNAL("<Transaction><TransactionID>1</TransactionID><TransactionDate>2026-02-30</TransactionDate>" LINE(
            "1", DEBIT("1")) LINE("2", CREDIT("1")) "</Transaction>"),
        "transaction 1: has the TransactionDate '2026-02-30'; expected YYYY-MM-DD", "no date");
    reading_has(SAFT, NULL, JOURNAL("<Transaction>" LINE("1", DEBIT("1")) LINE("2", CREDIT("1")) "</Transaction>"),
                "! in:4: a transaction without an id: has no TransactionID", "no id");
    reading_has(
        SAFT, NULL,
        JOURNAL(TRANSACTION("1", LINE("1", DEBIT("1"))) TRANSACTION("2", LINE("1", DEBIT("1")) LINE("2", CREDIT("1")))),
        "\n2026-01-31 J/2", "reading goes on behind a bad one");
}

static void bad_files(void) {
    reading_has(SAFT, NULL, "", "!! in: is empty", "an empty file");
    reading_has(SAFT, NULL, "date,account\n", "!! in:1: is no XML", "CSV");
    reading_has(SAFT, NULL, "<html/>", "!! in:1: the root is 'html' of the namespace ''", "other XML");
    reading_has(SAFT, NULL, "<AuditFile xmlns=\"urn:OECD:StandardAuditFile-Tax:PT_1.04_01\"/>",
                "the root is 'AuditFile' of the", "another country's SAF-T");
    reading_has(SAFT, NULL, HEAD, "is no well-formed XML: it ends too early", "a file cut off");
    reading_has(SAFT, NULL, HEAD "</Auditfile>", "is no well-formed XML: an element is closed that is not the one open",
                "elements that do not match");
    reading_has(SAFT, NULL, "<!DOCTYPE a [<!ENTITY a \"b\">]><AuditFile xmlns=\"" NO "\">&a;</AuditFile>",
                "!! in:1: has a DOCTYPE", "a DOCTYPE is refused before it is read");
    reading_has(SAFT, NULL, "<!-- <!DOCTYPE --><?x <!DOCTYPE?>\n<!DOCTYPE a SYSTEM \"http://127.0.0.1/x\"><a/>",
                "!! in:2: has a DOCTYPE", "wherever it stands, and nothing is fetched");
    reading_has(SAFT, NULL, "<AuditFile xmlns=\"" NO "\"><Header>&a;</Header></AuditFile>",
                "an entity that is not one of XML's five", "an entity");
    reading_has(SAFT, NULL, "<?xml version=\"1.0\" encoding=\"UTF-7\"?><AuditFile xmlns=\"" NO "\"/>",
                "!! in:1:", "another encoding");
    reading_has(SAFT, NULL, "<AuditFile xmlns=\"" NO "\"><Header><X>\xFF</X></Header></AuditFile>",
                "is no well-formed XML", "bytes that are no UTF-8");
    static const char wide[] = "\xff\xfe<\0a\0/\0>\0";
    char *seen = reading(SAFT, NULL, wide, sizeof wide - 1, false);
    has_text(seen, "is UTF-16", "UTF-16");
    free(seen);
    char *deep = malloc(40000);
    size_t size = (size_t)sprintf(deep, "<AuditFile xmlns=\"" NO "\">");
    for (int i = 0; i < 10000; i++) size += (size_t)sprintf(deep + size, "<a>");
    seen = reading(SAFT, NULL, deep, size, false);
    has_text(seen, "more than 32 levels deep", "nesting without an end");
    free(seen);
    free(deep);
    kt_format_options comma = {.decimal = ','};
    reading_has(SAFT, &comma, HEAD "</AuditFile>", "!! format saft has none of these options", "options for CSV");
}

#define LATIN                                                                 \
    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<AuditFile xmlns=\"" NO \
    "\"><GeneralLedgerEntries><Journal><JournalID>"                           \
    "\xe5</JournalID>" TRANSACTION("1", LINE("\xf8", DEBIT("1"))              \
                                            LINE("2", CREDIT("1"))) "</Journal></GeneralLedgerEntries></AuditFile>"

static void places(void) {
    char *seen = reading(SAFT, NULL, LATIN, sizeof LATIN - 1, false);
    is_text(seen, "2026-01-31 \xc3\xa5/1 \"t\": \xc3\xb8 1; 2 -1\n", "ISO-8859-1");
    free(seen);
    static const char two[] = JOURNAL(
        "<!-- <Transaction> -->" TRANSACTION("1", LINE("1", DEBIT("1")) LINE("2", CREDIT("2")))) "\n";
    seen = reading(SAFT, NULL, two, sizeof two - 1, true);
    ok(strstr(seen, "\n[<Transaction><TransactionID>1<") && strstr(seen, "</Transaction>]\n"),
       "a refused transaction's own bytes are known");
    free(seen);
    char *broken = strdup(LATIN);
    memcpy(strstr(broken, "ISO-8859-1"), "ASCII     ", 10);
    seen = reading(SAFT, NULL, broken, strlen(broken), false);
    has_text(seen, "!! in:", "bytes that are not in the encoding named");
    free(seen);
    free(broken);
    /* More lines than libxml2 counts, and a transaction of many lines. */
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fputs(HEAD "<GeneralLedgerEntries><Journal><JournalID>J</JournalID>\n", out);
    for (int i = 0; i < 70000; i++) fputs("<Other a='>'/>\n", out);
    fputs(TRANSACTION("1", LINE("1", DEBIT("1"))) "</Journal></GeneralLedgerEntries></AuditFile>", out);
    fclose(out);
    seen = reading(SAFT, NULL, text, size, false);
    has_text(seen, "! in:70004: transaction 1", "lines are counted beyond 65,535");
    free(seen);
    free(text);
}

/* ---- Examining ---- */

static void write_file(const char *path, const char *text) {
    FILE *out = fopen(path, "w");
    if (!out || fputs(text, out) == EOF || fclose(out)) diag("%s is not written", path);
}

#define ACCOUNT(id, standard, opening, closing)                      \
    "<Account><AccountID>" id "</AccountID><AccountDescription>n" id \
    "</AccountDescription><StandardAccountID>" standard              \
    "</StandardAccountID><AccountType>GL</AccountType>" opening closing "</Account>"
#define OPEN(side, amount) "<Opening" side "Balance>" amount "</Opening" side "Balance>"
#define CLOSE(side, amount) "<Closing" side "Balance>" amount "</Closing" side "Balance>"
#define MASTER                                                                                                         \
    "<AuditFile xmlns=\"" NO                                                                                           \
    "\"><Header><DefaultCurrencyCode>NOK</DefaultCurrencyCode><SelectionCriteria><PeriodStart>2"                       \
    "</PeriodStart><PeriodStartYear>2026</PeriodStartYear><PeriodEnd>2</PeriodEnd><PeriodEndYear>2026</PeriodEndYear>" \
    "</SelectionCriteria></Header><MasterFiles><GeneralLedgerAccounts>\n" ACCOUNT("1900", "19", OPEN("Debit", "10"),   \
                                                                                  CLOSE("Debit", "11.00"))             \
        ACCOUNT("2050", "20", OPEN("Credit", "8"), CLOSE("Credit", "8")) ACCOUNT(                                      \
            "3000", "30", OPEN("Credit", "0"),                                                                         \
            CLOSE("Debit",                                                                                             \
                  "0")) "</GeneralLedgerAccounts></MasterFiles><GeneralLedgerEntries><NumberOfEntries>1</"             \
                        "NumberOfEntries>"                                                                             \
                        "<TotalDebit>1</TotalDebit><TotalCredit>2</TotalCredit><Journal><JournalID>J</"                \
                        "JournalID>" TRANSACTION("1", LINE("1900", DEBIT("1")) LINE("3000", CREDIT("1"))) TRANSACTION( \
                            "2", LINE("1900", DEBIT("0.00"))                                                           \
                                     LINE("9999", CREDIT("0"))) "</Journal></GeneralLedgerEntries></AuditFile>\n"

static void examining(void) {
    char path[400];
    snprintf(path, sizeof path, "%s", path_of("master.xml"));
    kt_saft_report *report = NULL;
    write_file(path, MASTER);
    if (!is_code(kt_saft_examine(path, NULL, NULL, &report, &said), KT_OK, "a file is examined (%s)", said.text))
        return;
    is_int((long long)report->account_count, 4, "four accounts, one of them only posted to");
    is_int((long long)report->not_declared, 1, "which is told");
    is_int((long long)report->not_rolling, 1, "one does not roll forward");
    ok(report->decimals == 2 && report->accounts[2].difference == -100 && report->accounts[2].credit == 100,
       "by what its closing balance lacks");
    ok(report->openings == 200 && report->closings == 300, "the openings and the closings do not add up");
    ok(report->says_entries && report->entries_said == 1 && report->entries == 2 && report->credit_said == 200 &&
           report->credit == 100,
       "the file's totals beside those of its transactions");
    ok(report->from == day("2026-02-01") && report->to == day("2026-02-28") && report->outside == 2,
       "its periods are months, and both transactions lie outside them");
    ok(report->accounts[0].type == KT_ASSET && report->accounts[1].type == KT_EQUITY &&
           report->accounts[2].type == KT_INCOME && report->accounts[3].type == KT_UNCLASSIFIED,
       "types by NS 4102");
    kt_saft_report_free(report);
    kt_book *book = make_book_with("opening", &(kt_create_options){.company.currency = KT_STR("NOK")});
    kt_import_options options = {.create_accounts = true, .how.openings = ""};
    kt_import_result result;
    is_code(kt_import(book, path, &options, &result, &said), KT_UNBALANCED, "openings that do not add up are refused");
    has_text(said.text, "the opening balances add up to 2.00 instead of zero", "by how much");
    options.how.openings = "2999";
    is_code(kt_import(book, path, &options, &result, &said), KT_OK, "unless an account takes the rest (%s)", said.text);
    ok(balance_between(book, "2999", "NOK", "2026-01-31", "2026-01-31") == -200 &&
           balance_between(book, "1900", "NOK", "2026-01-31", "2026-01-31") == 1000 + 100,
       "on the day before the period");
    options.how.openings = NULL;
    options.allow_duplicate_voucher = true;
    is_code(kt_import(book, path, &options, &result, &said), KT_OK, "without them it is another submission (%s)",
            said.text);
    kt_book_close(book);
    kt_import_options csv = {.format = "csv", .how.openings = ""};
    book = open_book("opening");
    is_code(kt_import(book, path, &csv, &result, &said), KT_USAGE, "other formats have no openings");
    kt_book_close(book);
}

/* ---- The example ---- */

typedef struct refusals {
    unsigned count;
} refusals;

static void count_refused(void *context, const kt_error *why) {
    ((refusals *)context)->count++;
    diag("%s", why->text);
}

static void example(void) {
    char path[1200], names[100] = "";
    kt_saft_report *report = NULL;
    refusals refused = {0};
    if (!test_cases()) {
        skip(6, "the cases are not here");
        return;
    }
    snprintf(path, sizeof path, "%s/saft/ExampleFile_888888888_20180228235959.xml", test_cases());
    if (!is_code(kt_saft_examine(path, count_refused, &refused, &report, &said), KT_OK, "the example is examined (%s)",
                 said.text))
        return;
    for (size_t i = 0; i < report->account_count; i++)
        if (report->accounts[i].difference && strlen(names) < 80)
            strncat(strncat(names, report->accounts[i].code.data, report->accounts[i].code.size), " ", 2);
    is_text(names, "1920 2711 2740 ", "three of its 22 accounts do not roll forward");
    ok(report->account_count == 22 && report->openings == 254541000 && report->decimals == 2,
       "and its openings add up to 2,545,410.00");
    ok(refused.count == 0 && report->entries == 53 && report->entries_said == 53 && report->debit == 948704935 &&
           report->debit_said == 948704935 && report->credit == report->credit_said,
       "its totals are right");
    kt_saft_report_free(report);
    kt_book *book = make_book_with("example", &(kt_create_options){.company.currency = KT_STR("NOK")});
    kt_import_options options = {.create_accounts = true};
    kt_import_result result;
    is_code(kt_import(book, path, &options, &result, &said), KT_OK, "it is posted (%s)", said.text);
    ok(result.posted.entries == 53 && result.posted.debit == 948704935, "all of it");
    kt_book_close(book);
}

/* ---- Writing ---- */

static kt_code to_stream(void *context, const char *data, size_t size, kt_error *error) {
    return fwrite(data, 1, size, context) == size ? KT_OK : kt_fail(error, KT_IO, "cannot write");
}

static kt_code write_saft(kt_book *book, const char *variant, const char *path, const kt_saft_options *options,
                          kt_saft_result *result) {
    kt_view *view = view_of(book);
    FILE *out = fopen(path, "w");
    kt_code code = out ? kt_export_saft(view, variant, options, to_stream, out, result, &said) : KT_IO;
    if (out) fclose(out);
    kt_view_close(view);
    return code;
}

/* Skatteetaten's schema, where it and xmllint are at hand. */
static void validates(const char *path, const char *law) {
    char command[2600];
    static int there = -1;
    if (there < 0) there = test_cases() && system("command -v xmllint >/dev/null 2>&1") == 0;
    if (!there) {
        skip(1, "the schema or xmllint is not here");
        return;
    }
    snprintf(command, sizeof command,
             "xmllint --noout --schema '%s/saft/Norwegian_SAF-T_Financial_Schema_v_1.10.xsd' '%s' >'%s' 2>&1",
             test_cases(), path, path_of("xmllint"));
    if (ok(system(command) == 0, "%s validates", law)) return;
    snprintf(command, sizeof command, "head -n 5 '%s' | sed 's/^/# /'", path_of("xmllint"));
    if (system(command) != 0) diag("and why is not known");
}

/* "account currency balance book" a line. */
static char *balances_of(kt_book *book) {
    char *text = NULL, balance[KT_AMOUNT_TEXT], booked[KT_AMOUNT_TEXT];
    size_t size = 0, count = 0;
    kt_balance *rows = NULL;
    kt_balance_query query = {.from = KT_DAY_NONE, .to = KT_DAY_NONE, .by = KT_BY_MONTH};
    kt_view *view = view_of(book);
    FILE *out = open_memstream(&text, &size);
    if (kt_balances(view, &query, &rows, &count, &said) != KT_OK) fprintf(out, "no balances: %s", said.text);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].balance == 0 && rows[i].book_balance == 0) continue;
        kt_amount_format(rows[i].balance, rows[i].decimals, 0, balance);
        kt_amount_format(rows[i].book_balance, rows[i].book_decimals, 0, booked);
        fprintf(out, "%.*s|%.*s|%s|%s|%.*s|%.*s\n", (int)rows[i].account.size, rows[i].account.data,
                (int)rows[i].currency.size, rows[i].currency.data, balance, booked, (int)rows[i].name.size,
                rows[i].name.data, (int)rows[i].group.size, rows[i].group.data);
    }
    fclose(out);
    free(rows);
    kt_view_close(view);
    return text;
}

static void comes_back(kt_book *book, const char *variant, const char *name) {
    char path[400], to[64];
    kt_saft_result result;
    snprintf(path, sizeof path, "%s", path_of("out.xml"));
    snprintf(to, sizeof to, "back-%s-%s", name, variant);
    if (!is_code(write_saft(book, variant, path, NULL, &result), KT_OK, "%s: %s is written (%s)", name, variant,
                 said.text))
        return;
    if (strcmp(variant, "no-1.10") == 0) validates(path, name);
    kt_saft_report *report = NULL;
    is_code(kt_saft_examine(path, NULL, NULL, &report, &said), KT_OK, "%s: it is read (%s)", name, said.text);
    ok(report && report->refused == 0 && report->not_rolling == 0 && report->openings == 0 && report->closings == 0 &&
           report->entries == result.all.entries && report->entries_said == report->entries &&
           report->debit == report->debit_said && report->credit == report->credit_said,
       "%s: %s holds together", name, variant);
    kt_saft_report_free(report);
    if (result.all.entries == 0) return;
    kt_create_options create = {.company = {.entity = KT_STR("Acme ApS"), .currency = KT_STR("DKK")}};
    kt_book *other = NULL;
    if (kt_book_create(path_of(to), &create, &said) != KT_OK) diag("%s", said.text);
    other = open_book(to);
    kt_import_options options = {.create_accounts = true};
    kt_import_result imported;
    is_code(kt_import(other, path, &options, &imported, &said), KT_OK, "%s: %s is posted to a new book (%s)", name,
            variant, said.text);
    char *before = balances_of(book), *after = balances_of(other);
    is_text(after, before, "%s: and gives the same balances by account, currency and month", name);
    free(before);
    free(after);
    kt_book_close(other);
}

/* ---- Random books ---- */

static uint64_t state;
static const char *const codes[] = {
    "1920", "Kasse: \xc3\xb8re & <l\xc3\xa5n>", "3000", "\xe9\x8a\x80\xe8\xa1\x8c", "a\"b'c", "8050"};
static const char *const names[] = {"Bank",  "K\xc3\xa6re \"<&>'", "Salg", "\xe7\x8e\xb0\xe9\x87\x91", "Diverse",
                                    "Renter"};
#define CODES (sizeof codes / sizeof codes[0])

static kt_str random_text(char *room, size_t most, bool plain) {
    static const char *const parts[] = {"x",
                                        "<",
                                        "&amp;",
                                        "]]>",
                                        "\"",
                                        "'",
                                        "\xc3\xa6\xc3\xb8\xc3\xa5",
                                        "\xe9\x8a\x80",
                                        "\xf0\x9f\x98\x80",
                                        "7",
                                        "--",
                                        "\xef\xbf\xbe",
                                        "\xc2\x85",
                                        "#",
                                        "\n",
                                        "\t",
                                        "\r",
                                        "\x01",
                                        "\x7f",
                                        "  ",
                                        "Z"};
    size_t size = 0, count = pick(&state, 30) == 0 ? most : pick(&state, 8);
    for (size_t i = 0; i < count; i++) {
        const char *part = parts[pick(&state, plain ? 7 : sizeof parts / sizeof parts[0])];
        if (size + strlen(part) > most) break;
        memcpy(room + size, part, strlen(part));
        size += strlen(part);
    }
    return (kt_str){room, size};
}

typedef struct made {
    kt_line lines[8];
    kt_dimension dimensions[8][KT_DIMENSIONS_MAX];
    char texts[8][4200], refs[8][300], taxes[8][40], values[8][KT_DIMENSIONS_MAX][70], text[4200], ref[300], series[24],
        voucher[24];
} made;

static kt_code add_random(kt_batch *batch, made *m, uint64_t number) {
    static const char *const currencies[] = {"DKK", "EUR", "JPY", "USD"};
    memset(m, 0, sizeof *m);
    size_t count = 2 + pick(&state, 6);
    kt_amount left = 0;
    for (size_t i = 0; i < count; i++) {
        kt_line *line = &m->lines[i];
        size_t currency = pick(&state, 3) ? 0 : pick(&state, 4);
        kt_amount amount = (kt_amount)pick(&state, pick(&state, 9) ? 100000 : 10000000000000ull) *
                           (pick(&state, 2) ? 1 : -1);
        *line = (kt_line){.account = kt_str_from(codes[pick(&state, CODES)]),
                          .amount = i + 1 == count ? -left : amount};
        if (i + 1 < count && currency && amount) {
            line->currency = kt_str_from(currencies[currency]);
            line->has_cost = true;
            line->cost = pick(&state, 4) ? amount * (kt_amount)(1 + pick(&state, 9)) : 0;
        }
        left += line->has_cost ? line->cost : line->amount;
        line->text = random_text(m->texts[i], KT_TEXT_MAX, false);
        line->ref = random_text(m->refs[i], KT_REF_MAX, true);
        line->tax_code = random_text(m->taxes[i], 30, true);
        line->dimensions = m->dimensions[i];
        for (uint8_t d = 1; d <= KT_DIMENSIONS_MAX; d++) {
            kt_str value = pick(&state, 8) ? (kt_str){0} : random_text(m->values[i][d - 1], 60, true);
            if (value.size) m->dimensions[i][line->dimension_count++] = (kt_dimension){d, value};
        }
    }
    kt_entry entry = {.date = day("2024-11-15") + (kt_day)pick(&state, 500), .lines = m->lines, .line_count = count};
    entry.text = random_text(m->text, KT_TEXT_MAX, false);
    entry.ref = random_text(m->ref, KT_REF_MAX, true);
    if (pick(&state, 3)) {
        static const char *const series[] = {"A", "GL", "Bilag \xc3\xb8", "&"};
        entry.series = kt_str_from(series[pick(&state, 4)]);
        snprintf(m->voucher, sizeof m->voucher, "<%llu", (unsigned long long)number);
        if (pick(&state, 3)) entry.voucher = kt_str_from(m->voucher);
    }
    entry.minus = pick(&state, 5) == 0;
    return kt_batch_add(batch, &entry, NULL, &said);
}

static kt_book *empty_book(const char *name, uint8_t fiscal_month) {
    kt_create_options create = {.company = {.entity = KT_STR("\xc3\x86"
                                                             "ble & S\xc3\xb8n <ApS>"),
                                            .currency = KT_STR("DKK"),
                                            .fiscal_month = fiscal_month,
                                            .company_number = KT_STR("12345678"),
                                            .vat_number = KT_STR("DK12345678"),
                                            .address = KT_STR("Havnegade 1\n2. sal\n1058 K\xc3\xb8"
                                                              "benhavn K")}};
    if (kt_book_create(path_of(name), &create, &said) != KT_OK) diag("%s", said.text);
    return open_book(name);
}

static void open_codes(kt_book *book) {
    static const kt_account_type types[CODES] = {KT_ASSET,     KT_ASSET,        KT_INCOME,
                                                 KT_LIABILITY, KT_UNCLASSIFIED, KT_INCOME};
    kt_batch *batch = begin(book);
    kt_code code = KT_OK;
    for (size_t i = 0; i < CODES && code == KT_OK; i++) {
        kt_account account = {.code = kt_str_from(codes[i]), .name = kt_str_from(names[i]), .type = types[i]};
        code = kt_batch_account(batch, &account, &said);
    }
    if (code == KT_OK) code = kt_batch_commit(batch, NULL, &said);
    is_code(code, KT_OK, "accounts with strange names (%s)", said.text);
}

static kt_book *random_book(const char *name, uint64_t count) {
    kt_book *book = empty_book(name, (uint8_t)(1 + pick(&state, 12)));
    open_codes(book);
    made *room = malloc(sizeof *room);
    for (unsigned part = 0; part < 2; part++) {
        kt_batch *batch = begin(book);
        kt_code code = KT_OK;
        for (uint64_t i = 0; i < count / 2 && code == KT_OK; i++) code = add_random(batch, room, part * count + i);
        if (code == KT_OK) code = kt_batch_commit(batch, NULL, &said);
        else kt_batch_abort(batch);
        is_code(code, KT_OK, "%s: random entries are posted (%s)", name, said.text);
    }
    free(room);
    return book;
}

static void random_books(void) {
    state = test_seed();
    unsigned books = getenv("KONTOR_LONG") ? 12 : 2;
    for (unsigned i = 0; i < books; i++) {
        char name[32];
        snprintf(name, sizeof name, "random-%u", i);
        kt_book *book = random_book(name, 200);
        comes_back(book, "no-1.10", name);
        comes_back(book, "dk-1.0", name);
        kt_saft_options year = {.from = day("2025-02-03"),
                                .to = day("2025-08-01"),
                                .contact = KT_STR("Kari & Co"),
                                .bank_account = KT_STR("98765432100"),
                                .created = day("2026-01-01")};
        char path[400];
        snprintf(path, sizeof path, "%s", path_of("year.xml"));
        kt_saft_result result;
        kt_saft_report *report = NULL;
        is_code(write_saft(book, "no-1.10", path, &year, &result), KT_OK, "half a year is written (%s)", said.text);
        validates(path, "and");
        is_code(kt_saft_examine(path, NULL, NULL, &report, &said), KT_OK, "and read (%s)", said.text);
        ok(report && report->not_rolling == 0 && report->outside == 0 && report->openings == 0 &&
               report->from == year.from && report->to == year.to,
           "every account rolls forward from the openings before it, which are whole");
        kt_saft_report_free(report);
        kt_book_close(book);
    }
}

/* ---- Edges ---- */

static void empty(void) {
    kt_book *book = empty_book("empty", 1);
    comes_back(book, "no-1.10", "nothing at all");
    comes_back(book, "dk-1.0", "nothing at all");
    open_codes(book);
    comes_back(book, "no-1.10", "accounts without entries");
    kt_saft_result result;
    is_code(write_saft(book, "no", path_of("x.xml"), NULL, &result), KT_UNSUPPORTED, "a variant that is not");
    has_text(said.text, "there are no-1.10 and dk-1.0", "names those that are");
    kt_book_close(book);
}

static void long_entry(void) {
    enum { LINES = 100000 };
    kt_book *book = make_book("long");
    kt_line *lines = calloc(LINES, sizeof *lines);
    kt_amount left = 0;
    for (size_t i = 0; i < LINES; i++) {
        kt_amount amount = (kt_amount)(i % 977) - 400;
        lines[i] = (kt_line){.account = i % 2 ? KT_STR("1000") : KT_STR("2000"),
                             .amount = i + 1 == LINES ? -left : amount,
                             .text = KT_STR("one of many")};
        left += amount;
    }
    kt_entry entry = {.date = day("2026-03-01"), .lines = lines, .line_count = LINES, .voucher = KT_STR("L")};
    kt_batch *batch = begin(book);
    kt_code code = kt_batch_add(batch, &entry, NULL, &said);
    if (code == KT_OK) code = kt_batch_commit(batch, NULL, &said);
    is_code(code, KT_OK, "an entry of 100,000 lines is posted (%s)", said.text);
    comes_back(book, "no-1.10", "100,000 lines");
    free(lines);
    kt_book_close(book);
}

static void cannot(const char *name, const char *before, const char *entry, const char *why) {
    kt_book *book = make_book(name);
    if (before) is_code(declare_currency(book, before, 3), KT_OK, "currency %s", before);
    is_code(post(book, entry), KT_OK, "%s is posted (%s)", entry, said.text);
    kt_saft_result result;
    char path[400];
    snprintf(path, sizeof path, "%s", path_of("cannot.xml"));
    is_code(write_saft(book, "no-1.10", path, NULL, &result), KT_UNSUPPORTED, "which SAF-T cannot hold");
    has_text(said.text, why, "and why");
    FILE *in = fopen(path, "r");
    ok(in && getc(in) == EOF, "before anything is written");
    if (in) fclose(in);
    kt_book_close(book);
}

static void refusals_of_writing(void) {
    cannot("c1", NULL, "2026-01-01 A 1000 1 EUR / 2000 -1 EUR", ", line 1: has no amount in the book's currency");
    cannot("c2", NULL, "2026-01-01 A 1000 1.234 KWD @@ 30 DKK / 2000 -30",
           ", line 1: the amount in its own currency has more than 2");
    cannot("c3", "XX-1", "2026-01-01 A 1000 1 XX-1 @@ 30 DKK / 2000 -30", "code has not three letters");
    cannot("c4", NULL, "2026-01-01 a-series-of-19-chars#A 1000 1 / 2000 -1",
           "the series 'a-series-of-19-chars' is longer");
    cannot("c5", NULL, "1969-12-31 A 1000 1 / 2000 -1", "before 1970");
    cannot("c6", NULL, "2026-01-01 A 1000 10000000000000000.00 / 2000 -10000000000000000.00",
           "more than 2 decimals or 18 digits");
    kt_book *book = make_book("c7");
    is_code(post(book, "2026-01-01 A 1000 1 / 2000 -1"), KT_OK, "an entry");
    kt_view *view = view_of(book);
    FILE *full = fopen("/dev/full", "w");
    if (full) {
        setvbuf(full, NULL, _IONBF, 0);
        is_code(kt_export_saft(view, "no-1.10", NULL, to_stream, full, NULL, &said), KT_IO,
                "a taker that fails ends it");
        fclose(full);
    } else skip(1, "/dev/full is not here");
    kt_view_close(view);
    kt_book_close(book);
}

static void rates(void) {
    kt_book *book = make_book("rates");
    is_code(post(book, "2026-01-01 A 1000 3 EUR @@ 22.38 DKK / 1100 3 EUR @@ 22.37 DKK / 2000 -44.75"), KT_OK,
            "two rates");
    char path[400], text[20000];
    snprintf(path, sizeof path, "%s", path_of("rates.xml"));
    is_code(write_saft(book, "no-1.10", path, NULL, NULL), KT_OK, "are written (%s)", said.text);
    FILE *in = fopen(path, "r");
    size_t size = in ? fread(text, 1, sizeof text - 1, in) : 0;
    if (in) fclose(in);
    text[size] = 0;
    has_text(text, "<CurrencyAmount>3.00</CurrencyAmount>\n      <ExchangeRate>7.46</ExchangeRate>",
             "one that can be said exactly");
    has_text(text, "<CurrencyAmount>3.00</CurrencyAmount>\n     </DebitAmount>",
             "and one that cannot is not, as both amounts are");
    kt_book_close(book);
}

int main(void) {
    good();
    bad_lines();
    bad_files();
    places();
    examining();
    example();
    empty();
    random_books();
    long_entry();
    refusals_of_writing();
    rates();
    return done();
}
