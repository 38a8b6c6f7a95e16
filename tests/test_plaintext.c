/* The journal reader's rules, each as a law on a small journal. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/exchange/format.h"
#include "tests/tap.h"

/* ---- A journal as text: what the reader gives, a line an item ---- */

static void put_amount(FILE *out, kt_amount amount, uint8_t given, kt_str currency) {
    char text[KT_AMOUNT_TEXT];
    kt_amount_format(amount, (uint8_t)(given - 1), 0, text);
    fprintf(out, " %s", text);
    if (currency.size) fprintf(out, " %.*s", (int)currency.size, currency.data);
}

static void put_entry(FILE *out, const kt_entry *entry) {
    char day[KT_DAY_TEXT];
    fprintf(out, "%s", kt_day_format(entry->date, day));
    if (entry->text.size) fprintf(out, " \"%.*s\"", (int)entry->text.size, entry->text.data);
    if (entry->ref.size) fprintf(out, " (%.*s)", (int)entry->ref.size, entry->ref.data);
    for (size_t i = 0; i < entry->line_count; i++) {
        const kt_line *line = &entry->lines[i];
        fprintf(out, "%s%.*s", i ? "; " : ": ", (int)line->account.size, line->account.data);
        put_amount(out, line->amount, line->amount_given, line->currency);
        if (line->has_cost) {
            fputs(" @", out);
            put_amount(out, line->cost, line->cost_given, line->cost_currency);
        }
    }
    fputc('\n', out);
}

typedef struct read_options {
    kt_format_options how;
    const char *directory;
    bool declarations, raw;
} read_options;

static const read_options plain;

static void put_item(FILE *out, const kt_item *item, const read_options *options) {
    if (item->kind == KT_ITEM_ENTRY) put_entry(out, &item->entry);
    else if (item->kind == KT_ITEM_LEFT_OUT) fprintf(out, "left out: %zu\n", item->virtual_left_out);
    else if (options->declarations && item->kind == KT_ITEM_CURRENCY)
        fprintf(out, "%.*s %u\n", (int)item->currency.size, item->currency.data, item->decimals);
    else if (options->declarations)
        fprintf(out, "%.*s: type %d\n", (int)item->account.code.size, item->account.code.data, (int)item->account.type);
}

static char *read_bytes(const void *data, size_t size, const read_options *options) {
    char *text = NULL;
    size_t text_size = 0;
    FILE *out = open_memstream(&text, &text_size);
    /* Exactly as long as the source, so that a sanitizer finds a byte read behind it. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!out || !copy) abort();
    if (size) memcpy(copy, data, size);
    kt_source source = {.name = "in", .data = copy, .size = size, .directory = options->directory};
    void *reader;
    kt_error error = {0};
    kt_code code = kt_format_journal.open(&source, &options->how, &reader, &error);
    if (code != KT_OK) fprintf(out, "!! %s: %s\n", kt_code_name(code), error.text);
    while (code == KT_OK) {
        kt_item item;
        kt_code next = kt_format_journal.next(reader, &item, &error);
        if (next == KT_END) break;
        if (next == KT_OK) put_item(out, &item, options);
        else fprintf(out, "%s %s: %s\n", item.can_go_on ? "!" : "!!", kt_code_name(next), error.text);
        if (options->raw && item.kind == KT_ITEM_ENTRY)
            fprintf(out, "[%.*s]\n", (int)item.raw_size, (const char *)item.raw);
        if (next != KT_OK && !item.can_go_on) break;
    }
    kt_format_journal.close(reader);
    fclose(out);
    free(copy);
    return text;
}

static void gives_with(const char *journal, const read_options *options, const char *expected, const char *law) {
    char *found = read_bytes(journal, strlen(journal), options);
    is_text(found, expected, "%s", law);
    free(found);
}

static void gives(const char *journal, const char *expected, const char *law) {
    gives_with(journal, &plain, expected, law);
}

static void says_with(const char *journal, const read_options *options, const char *part, const char *law) {
    char *found = read_bytes(journal, strlen(journal), options);
    has_text(found, part, "%s", law);
    free(found);
}

static void says(const char *journal, const char *part, const char *law) { says_with(journal, &plain, part, law); }

/* An amount in a transaction, and what it is read as. */
static void reads_as(const char *before, const char *amount, const char *expected, const char *law) {
    char journal[600], line[400];
    snprintf(journal, sizeof journal, "%s2024-01-01 x\n  a  %s\n  b\n", before, amount);
    snprintf(line, sizeof line, ": a %s; b ", expected);
    says(journal, line, law);
}

static void refuses(const char *before, const char *amount, const char *part, const char *law) {
    char journal[600];
    snprintf(journal, sizeof journal, "%s2024-01-01 x\n  a  %s\n  b\n", before, amount);
    says(journal, part, law);
}

/* ---- The laws ---- */

static void test_transactions(void) {
    gives("", "", "an empty file holds nothing");
    gives("; c\n# c\n* c\n| c\n% c\n\n  ; c\n  * c\n", "", "comments alone hold nothing");
    gives("2024-01-02 * (12) Shop | milk  ; note\n  a  $1.00  ; why\n  ! b c\t$-1.00\n",
          "2024-01-02 \"Shop | milk\" (12): a 1.00 USD; b c -1.00 USD\n",
          "date, status, code and description are told apart; a name may hold single blanks");
    gives("2024/1/2 x\r\n  a  1 EUR\r\n  b\r\n", "2024-01-02 \"x\": a 1 EUR; b -1 EUR\n", "lines may end in CR LF");
    gives("\xEF\xBB\xBF"
          "2024.01.02=2024-01-05\n  a  1 EUR\n  b\n",
          "2024-01-02: a 1 EUR; b -1 EUR\n", "a byte order mark is passed over, and a second date does not count");
    gives("Y2023\n1/2 x\n  a  1 EUR\n  b\n\nyear 2022\n03-04=03-05\n  a  1 EUR\n  b\n",
          "2023-01-02 \"x\": a 1 EUR; b -1 EUR\n2022-03-04: a 1 EUR; b -1 EUR\n", "Y and year give the year");
    gives("2024/05\n  a  1 EUR\n  b\n", "2024-05-01: a 1 EUR; b -1 EUR\n", "a month is its first day");
    says("01/02 x\n  a  1 EUR\n  b\n", "! invalid: in:1: not a date: 01/02; expected a year", "no year, no clock");
    says("2024-02-30 x\n  a  1 EUR\n  b\n", "not a date: 2024-02-30; expected a date that exists", "dates exist");
    says("2024-01-01 x\n", "in:1: a transaction without postings", "a transaction has postings");
    says("2024-01-01 x\na  1 EUR\nb\n", "in:1: a transaction without postings", "postings are indented");
    says("2024-01-01 x\n  a\n  b\n  c  1 EUR\n", "in:3: a second posting without an amount", "one amount is left out");
    says("2024-01-01 x\n  a  1 EUR x\n  b\n", "in:2: unexpected behind", "nothing follows an amount");
    says("  a  1 EUR\n", "!! invalid: in:1: an indented line that belongs to nothing", "an indented line needs a head");
}

static void test_balance(void) {
    gives("2024-01-01 x\n  a  $50.00\n  b  100 EUR\n  c\n",
          "2024-01-01 \"x\": a 50.00 USD; b 100 EUR; c -50.00 USD; c -100 EUR\n",
          "what is left out becomes a line for each commodity");
    says("2024-01-01 x\n  a  $100.00\n  b  $-99.00\n",
         "! unbalanced: in:1: the entry's postings do not balance: "
         "off by 1.00 USD",
         "a lopsided entry is refused by what it is off by");
    gives("bucket Cash\n2024-01-01 x\n  a  $1\n", "2024-01-01 \"x\": a 1 USD; Cash -1 USD\n",
          "a lone posting goes against the bucket");
    says("2024-01-01 x\n  a  $1\n", "off by 1 USD", "a lone posting without a bucket does not balance");
    gives("2024-01-01 x\n  <a>  $1\n  b\n", "2024-01-01 \"x\": a 1 USD; b -1 USD\n", "a deferred posting is a posting");
}

static void test_virtual_kept(void) {
    says("2024-01-01 x\n  (v)  $1\n", "unbalanced virtual posting (v)", "(virtual) is refused");
    says("2024-01-01 x\n  (v)  $1\n", "--virtual drop leaves all virtual postings out", "with what to do");
    says("2024-01-01 x\n  a  $1\n  b\n  [v]  $1\n  [w]\n", "virtual posting [v]: not supported unless asked for",
         "[virtual] is refused unless told");
    says("2024-01-01 x\n  [v]  $1\n  [w]\n",
         "(--virtual keep posts it, --virtual drop leaves all virtual postings out)", "with both ways of telling");
    says("2024-01-01 x\n  a  $1\n  (b  $-1\n", "virtual posting without its closing bracket", "brackets close");
    read_options keep = {.how = {.virtual_postings = KT_VIRTUAL_KEEP}};
    gives_with("2024-01-01 x\n  a  $1\n  b\n  [v]  $1\n  [w]\n", &keep,
               "2024-01-01 \"x\": a 1 USD; b -1 USD; v 1 USD; w -1 USD\n", "and kept where told, balanced on its own");
    gives_with("2024-01-01 x\n  a  $1\n  [v]  $-1\n", &keep,
               "! unbalanced: in:1: the entry's postings do not balance: off by 1 USD\n",
               "a virtual posting does not balance a real one");
    gives_with(
        "2024-01-01 x\n  (a)  $1\n", &keep,
        "! unsupported: in:2: unbalanced virtual posting (a): not supported, a book has no account that balances "
        "against nothing (--virtual keep keeps balanced [ ] ones alone, --virtual drop leaves all virtual "
        "postings out)\n",
        "(virtual) is refused all the same");
    static const char two[] = "2024-01-01 x\n  a  $10\n  b\n  [a]  $5\n  [b]  $-5\n\n2024-01-02 y\n  a  = $16\n  b\n";
    char journal[300];
    gives_with(
        two, &keep,
        "2024-01-01 \"x\": a 10 USD; b -10 USD; a 5 USD; b -5 USD\n! unsupported: in:8: balance assignment to a, "
        "which has virtual postings: hledger counts them, and ledger does not; not supported\n",
        "an assignment that the tools would answer with two amounts is refused");
    snprintf(journal, sizeof journal, "bucket b\n%s", two);
    gives_with(journal, &keep,
               "2024-01-01 \"x\": a 10 USD; b -10 USD; a 5 USD; b -5 USD\n2024-01-02 \"y\": a 6 USD; b -6 USD\n",
               "in a file of ledger's it is made to the real balance");
    snprintf(journal, sizeof journal, "decimal-mark .\n%s", two);
    gives_with(journal, &keep,
               "2024-01-01 \"x\": a 10 USD; b -10 USD; a 5 USD; b -5 USD\n2024-01-02 \"y\": a 1 USD; b -1 USD\n",
               "and in one of hledger's to all of it");
}

/* As ledger --real and hledger --real (3.3 and 1.25) give it, or refused. */
static void test_virtual_dropped(void) {
    static const char start[] = "2024-01-01 x\n  a  $10\n  b\n  (a)  $5\n\n";
    read_options drop = {.how = {.virtual_postings = KT_VIRTUAL_DROP}}, all = drop;
    char journal[400];
    all.declarations = true;
    gives_with("2024-01-01 x\n  a  $1.00\n  (v)  2.000 EUR @ 3 Z\n  b\n  [v]  $1.000\n  [w]\n", &all,
               "USD 2\na: type 0\nb: type 0\n2024-01-01 \"x\": a 1.00 USD; b -1.00 USD\n",
               "(virtual) and [virtual] are left out, with the accounts, commodities and decimals they alone bring");
    gives_with("2024-01-01 x\n  (v)  $1\n\n2024-01-02 y\n  a  $1\n  b\n  (v)\n", &drop,
               "left out: 1\n2024-01-02 \"y\": a 1 USD; b -1 USD\n",
               "an entry of nothing else is left out whole, and counted");
    says_with("2024-01-01 x\n  a  $1\n  (v)  $-1\n", &drop, "the entry's postings do not balance: off by 1 USD",
              "what is left out balances nothing");
    says_with("2024-01-01 x\n  a  $1\n  b\n  [v]  $1\n", &drop, "the virtual postings do not balance: off by 1 USD",
              "and is itself read as the tools read it");
    says_with("2024-01-01 x\n  a  $1\n  b\n  (v)  $x\n", &drop, "in:4: not an amount", "mistakes in it included");
    snprintf(journal, sizeof journal, "%s2024-01-02 y\n  a  $1 = $11\n  b\n", start);
    says_with(journal, &drop, "2024-01-02 \"y\": a 1 USD; b -1 USD",
              "in ledger's an assertion is about the real balance");
    snprintf(journal, sizeof journal, "%s2024-01-02 y\n  a  $1 = $16\n  b\n", start);
    says_with(journal, &drop, "! rule: in:7: balance assertion failed: a: expected 16 USD, found 11 USD",
              "and one that counts what is left out fails");
    snprintf(journal, sizeof journal, "%s2024-01-02 y\n  a  $1 == $16\n  b\n", start);
    says_with(journal, &drop,
              "! unsupported: in:7: balance assertion of a holds only with its virtual postings, which --virtual drop",
              "in a file of hledger's, too, by name");
    snprintf(journal, sizeof journal, "%s2024-01-02 y\n  a  $1 == $11\n  b\n", start);
    says_with(journal, &drop, "! rule: in:7: balance assertion failed: a: expected 11 USD, found 16 USD",
              "and one that hledger refuses stays refused");
    snprintf(journal, sizeof journal, "%s2024-01-02 y\n  b  $1 == $-9\n  c\n", start);
    says_with(journal, &drop, "2024-01-02 \"y\": b 1 USD; c -1 USD", "accounts that lose nothing are asserted as ever");
    snprintf(journal, sizeof journal,
             "decimal-mark .\n%s2024-01-03 y\n  a  $1 = $18\n  b\n\n2024-01-02 z\n  a  $2\n  b\n", start);
    says_with(journal, &drop, "! unsupported: in:8: balance assertion of a holds only with", "by date as well");
    snprintf(journal, sizeof journal, "%s2024-01-02 y\n  a  = $16\n  b\n", start);
    says_with(journal, &drop, "! unsupported: in:7: balance assignment to a, which has virtual postings",
              "an assignment that would count what is left out is refused by name");
    snprintf(journal, sizeof journal, "bucket b\n%s2024-01-02 y\n  a  = $16\n  b\n", start);
    says_with(journal, &drop, "2024-01-02 \"y\": a 6 USD; b -6 USD", "where ledger does not count it, it is made");
    snprintf(journal, sizeof journal, "%s2024-01-02 y\n  (a)  = $17\n\n2024-01-03\n  (a)  $1 = $18\n", start);
    says_with(journal, &drop, "left out: 1\nleft out: 1\n", "what is left out may assert and assign");
    snprintf(journal, sizeof journal, "%sassert account(\"a\").total == $15\n", start);
    says_with(journal, &drop, "!! unsupported: in:6: balance assertion of a holds only with its virtual postings",
              "the directive assert asks about all of it");
}

static void test_virtual_rules(void) {
    read_options drop = {.how = {.virtual_postings = KT_VIRTUAL_DROP}};
    static const char entry[] = "2024-01-01 x\n  Income:x  $-10\n  b\n";
    char journal[300];
    snprintf(journal, sizeof journal, "= expr 'true'\n  ; why\n  (Tithe)  0.1\n  ! [w]\t1\n  [v]  -1\n\n%s", entry);
    gives_with(journal, &drop, "left out: 0\n2024-01-01 \"x\": Income:x -10 USD; b 10 USD\n",
               "an automated transaction that would add virtual postings alone is left out");
    says(journal, "but all of them are virtual: --virtual drop leaves them out", "as its refusal says");
    snprintf(journal, sizeof journal, "= /^inc/\n  (Tithe)  0.1\n  w  1\n  b  -1\n\n%s", entry);
    says_with(journal, &drop, "automated transaction (=) of line 1 would add postings for Income:x: not supported",
              "one with a real posting is refused");
    snprintf(journal, sizeof journal, "= /^inc/\n  (Tithe)  0.1\n  assert amount > 0\n\n%s", entry);
    says_with(journal, &drop, "automated transaction (=) of line 1", "so is one that asserts");
    says_with("= v\n  c  $1\n  d  $-1\n\n2024-01-01\n  a  $1\n  b\n  (v)  $1\n", &drop,
              "automated transaction (=) of line 1 would add postings for v",
              "and one that meets what is left out, to which ledger would add");
}

static void test_costs(void) {
    gives("2024-01-01 x\n  a  10 X @ $1.50\n  b  $-15.00\n", "2024-01-01 \"x\": a 10 X @ 15.00 USD; b -15.00 USD\n",
          "@ is the price of one");
    gives("2024-01-01 x\n  a  -10 X @@ $15\n  b\n", "2024-01-01 \"x\": a -10 X @ -15 USD; b 15 USD\n",
          "@@ is the price of all, and has the amount's sign");
    gives("2024-01-01 x\n  a  10 X @= $1.50\n  b  2 X (@) $1\n  c\n",
          "2024-01-01 \"x\": a 10 X @ 15 USD; b 2 X @ 2 USD; c -17 USD\n", "@= and (@) are prices");
    gives("2024-01-01 x\n  a  3 X @ $0.333\n  b  $-1.00\n", "2024-01-01 \"x\": a 3 X @ 1.00 USD; b -1.00 USD\n",
          "what prints as zero is taken by the cost, so that the lines sum to zero");
    gives("2024-01-01 x\n  a  1 X @ $0.335\n  b  1 X @ $0.665\n  c  $-1.00\n",
          "2024-01-01 \"x\": a 1 X @ 0.34 USD; b 1 X @ 0.66 USD; c -1.00 USD\n", "each cost is rounded half-even");
    gives("2024-01-01 x\n  a  1 X @ $0.333\n  a  1 X @ $0.333\n  a  1 X @ $0.333\n  c  $-1.00\n",
          "2024-01-01 \"x\": a 1 X @ 0.33 USD; a 1 X @ 0.33 USD; a 1 X @ 0.34 USD; c -1.00 USD\n",
          "and the last cost takes what the rates leave over");
    gives("2024-01-01 x\n  a  3 X @ $0.3333\n  b\n", "2024-01-01 \"x\": a 3 X @ 0.9999 USD; b -0.9999 USD\n",
          "what is left out is exact");
    gives("2024-01-01 x\n  a  331.296869 X @ $53.6599999999999999998612221219\n  b  $-17777.39\n",
          "2024-01-01 \"x\": a 331.296869 X @ 17777.39 USD; b -17777.39 USD\n", "prices may have 28 decimals");
    says("2024-01-01 x\n  a  3 X @ $0.333\n  b  $-1.01\n", "off by -0.011 USD", "what prints as more is not taken");
    gives("2024-01-01 x\n  a  3 X\n  a  4 X\n  b  $-10.00\n",
          "2024-01-01 \"x\": a 3 X @ 4.29 USD; a 4 X @ 5.71 USD; b -10.00 USD\n",
          "two commodities without a price imply one");
    gives("2024-01-01 x\n  b  $-10.00\n  a  3 X\n", "2024-01-01 \"x\": b -10.00 USD; a 3 X @ 10.00 USD\n",
          "and what is no currency is costed in what is one");
    says("2024-01-01 x\n  a  3 X\n  b  $10\n", "off by 3 X and 10 USD", "two of the same sign imply none");
    says("2024-01-01 x\n  a  3 X\n  b  4 Y\n  c  $-10\n", "off by 3 X and 4 Y and -10 USD", "nor do three");
    says("2024-01-01 x\n  a  1 X @ 2 X\n  b\n", "a price in the same commodity as the amount", "a price is in another");
    says("2024-01-01 x\n  a  1 X @ $-2\n  b\n", "a negative price is not supported", "a price is not negative");
    says("2024-01-01 x\n  a  0 X @@ $2\n  b\n", "a total price (@@) for an amount of zero", "nothing has no price");
    says("2024-01-01 x\n  a  1 X @@@ $2\n  b\n", "not an amount", "@@@ is no price");
}

static void test_lots(void) {
    gives("2024-01-01 x\n  c  $1600\n  b  -10 X {$150} [2023-01-01] (n)\n  g  $-100\n",
          "2024-01-01 \"x\": c 1600 USD; b -10 X @ -1500 USD; g -100 USD\n", "a lot's price alone does not count");
    gives("2024-01-01 x\n  c  $1600\n  b  -10 X {$150} @ $160\n  g\n",
          "2024-01-01 \"x\": c 1600 USD; b -10 X @ -1500 USD; g -100 USD\n", "with a price it is what the lot cost");
    gives("2024-01-01 x\n  c  $1600\n  b  -10 X {{$1500}} @ $160\n  g  $-100\n",
          "2024-01-01 \"x\": c 1600 USD; b -10 X @ -1500 USD; g -100 USD\n", "for one or for all");
    gives("2024-01-01 x\n  c  $1600\n  b  -10 X {$150} @ $160\n", "2024-01-01 \"x\": c 1600 USD; b -10 X @ -1600 USD\n",
          "where only the price balances, the price counts");
    says("2024-01-01 x\n  b  1 X {$1\n  c\n", "without its closing '}'", "a lot closes");
    says("2024-01-01 x\n  b  1 X ((e))\n  c\n", "value expression)) is not supported", "a value expression is refused");
}

static void test_amounts(void) {
    reads_as("", "$1.50", "1.50 USD", "$ is USD");
    reads_as("",
             "\xE2\x82\xAC"
             "1.50",
             "1.50 EUR", "the euro sign is EUR");
    reads_as("", "-\xC2\xA3 1.50", "-1.50 GBP", "the pound sign is GBP, behind a sign and before a blank");
    reads_as("", "EUR -3", "-3 EUR", "a sign may stand before the digits");
    reads_as("", "1EUR", "1 EUR", "no blank is needed");
    reads_as("", "2 \"A B 1\"", "2 A B 1", "quoted names are currencies as they are");
    reads_as("", "5", "5", "no name is the book's currency");
    reads_as("", "1,000 EUR", "1000 EUR", "a comma before three digits groups");
    reads_as("", "1,000.50 EUR", "1000.50 EUR", "a comma groups before a period");
    reads_as("", "1.000,50 EUR", "1000.50 EUR", "a period groups before a comma");
    reads_as("", "1,5 EUR", "1.5 EUR", "a comma before other than three digits is decimal");
    reads_as("", "1.000 EUR", "1.000 EUR", "a lone period is decimal");
    reads_as("", "1'234'567.89 CHF", "1234567.89 CHF", "an apostrophe groups");
    reads_as("", "1 234 567,89 EUR", "1234567.89 EUR", "blanks group");
    reads_as("",
             "1\xC2\xA0"
             "234.5 EUR",
             "1234.5 EUR", "so do no-break spaces");
    reads_as("", "1,00,000.00 INR", "100000.00 INR", "groups may be of two");
    reads_as("", "1.000.000 EUR", "1000000 EUR", "two periods group");
    reads_as("", ".5 EUR", "0.5 EUR", "a period may lead");
    reads_as("commodity EUR\n  format 1.000,00 EUR\n", "1.000 EUR", "1000 EUR", "a format says which sign is decimal");
    reads_as("commodity 1.000,00 EUR\n", "1.000 EUR", "1000 EUR", "so does hledger's commodity directive");
    reads_as("decimal-mark ,\n", "1.000 EUR", "1000 EUR", "and decimal-mark");
    reads_as("decimal-mark .\n", "1,000 EUR", "1000 EUR", "either way");
    reads_as("2023-01-01\n  z  1 $ == 1 $\n  y\n\n", "1,000 EUR", "1.000 EUR",
             "in a file of hledger's a lone comma is decimal");
    reads_as("D 1.000,00 EUR\n2023-01-01\n  z  1 $ == 1 $\n  y\n\n", "1.000", "1000 EUR",
             "where D gives bare numbers a name");
    refuses("", "0,123 EUR", "ambiguous number 0,123", "0,123 is refused: the tools disagree");
    refuses("", "12345,678 EUR", "ambiguous number 12345,678", "so is 12345,678");
    refuses("", "1,000,5 EUR", "ambiguous number 1,000,5", "and groups that nobody writes");
    refuses("", "$abc", "not an amount", "letters are no amount");
    refuses("", "$", "not an amount", "a name alone is no amount");
    refuses("", "1e3 EUR", "exponent", "an exponent is refused by name");
    refuses("", "0.1234567890123456789 EUR", "more than 18 decimals", "an amount has 18 decimals at most");
    reads_as("", "0.1000000000000000000000 EUR", "0.100000000000000000 EUR", "zeros behind them do not count");
    refuses("", "9999999999999999999999999999999999999999 EUR", "too large", "an amount has its limit");
    says("2024-01-01 x\n  a  1 h\n  b  -60 m\n", "time units (s, m, h)", "time units are not converted");
}

static void test_expressions(void) {
    reads_as("", "($10.00 * 5)", "50 USD", "an expression is worked out");
    reads_as("", "(2 * ($10 - $1) / 4 + $0.25)", "4.75 USD", "with brackets and the four signs");
    reads_as("", "(-$10 + -($2))", "-12 USD", "and minus before either");
    refuses("", "($10 / 3)", "a quotient that does not come out even", "a quotient without an end is refused");
    refuses("", "($10 * x)", "a name in an amount expression", "so is a name");
    refuses("", "($10 + 3 EUR)", "mixes commodities", "and a mixture");
    refuses("", "($10", "an expression that is more than", "and one that does not close");
    char deep[400] = "";
    memset(deep, '(', 300);
    refuses("", deep, "brackets deep", "and one too deep");
}

static void test_assertions(void) {
    static const char open[] = "2024-01-01 o\n  a  $100\n  a:b  $5\n  e\n\n";
    char journal[600];
    static const struct {
        const char *text, *part, *law;
    } cases[] = {
        {"2024-01-02\n  a  $1 = $101\n  e\n", "2024-01-02: a 1 USD; e -1 USD", "an assertion that holds is no line"},
        {"2024-01-02\n  a  $1 = $100\n  e\n",
         "! rule: in:7: balance assertion failed: a: expected 100 USD, found 101 USD",
         "one that fails is refused, naming expected and found"},
        {"2024-01-02\n  a  $0 =* $105\n  e\n", "2024-01-02: a 0 USD; e 0 USD", "=* counts the accounts below"},
        {"2024-01-02\n  a  1 EUR == $100\n  e\n", "and other commodities", "== allows no other commodity"},
        {"2024-01-02\n  a  1 EUR = $100\n  e\n", "2024-01-02: a 1 EUR; e -1 EUR", "= asks about one commodity"},
        {"2024-01-02\n  a  $-100 = 0\n  e\n", "2024-01-02: a -100 USD", "= 0 asks about all"},
        {"2024-01-02\n  a  = $150\n  e\n", "2024-01-02: a 50 USD; e -50 USD", "an assignment makes the amount"},
        {"2024-01-02\n  a  $7\n  a  = $150\n  e\n", "a 7 USD; a 43 USD; e -50 USD", "after the entry's own postings"},
        {"2024-01-02\n  a  = 0\n  e\n", "a -100 USD; e 100 USD", "to nothing, too"},
        {"2024-01-02\n  a  = $100\n  e  $1\n", "off by 1 USD", "an assignment of what is there adds nothing"},
        {"assert account(\"a\") == $100\n", "2024-01-01", "the directive assert is checked"},
        {"assert account(\"a\") == $99\n", "!! rule: in:6: balance assertion failed", "and ends the reading"},
        {"assert account(\"a\").total > $104\n", "2024-01-01", "with the accounts below"},
        {"assert foo\n", "!! unsupported: in:6: assert", "or refused by name"},
        {"2024-01-02\n  e\n  e  = $1\n", "behind a posting to it whose amount is left out",
         "no balance is told before the amount is"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(journal, sizeof journal, "%s%s", open, cases[i].text);
        says(journal, cases[i].part, cases[i].law);
    }
    says("2024-01-02 x\n  a  1 EUR = 3 EUR\n  b\n\n2024-01-01 x\n  a  2 EUR\n  b\n", "expected 3 EUR, found 1 EUR",
         "an assertion holds in the file's order");
    gives("decimal-mark .\n2024-01-02 x\n  a  1 EUR = 3 EUR\n  b\n\n2024-01-01 x\n  a  2 EUR\n  b  -2 EUR = -1 EUR\n",
          "2024-01-02 \"x\": a 1 EUR; b -1 EUR\n"
          "! rule: in:8: balance assertion failed: b: expected -1 EUR, found -3 EUR\n",
          "in a file of hledger's it may hold by date");
    gives("2024-01-01 x\n  a  1 EUR\n  b\n\n2024-01-02 x\n  a  1 EUR = 5 EUR\n  b\n\n2024-01-02 y\n"
          "  a  1 EUR = 2 EUR\n  b\n",
          "2024-01-01 \"x\": a 1 EUR; b -1 EUR\n"
          "! rule: in:6: balance assertion failed: a: expected 5 EUR, found 2 EUR\n"
          "2024-01-02 \"y\": a 1 EUR; b -1 EUR\n",
          "a refused entry leaves no trace in the balances");
    says("decimal-mark .\n2024-01-02\n  a  1 EUR\n  b\n\n2024-01-01\n  a  = 5 EUR\n  b\n", "which has later postings",
         "an assignment against the dates is refused in a file of hledger's");
}

static void test_names(void) {
    gives("alias food=Expenses:Food\nalias E = Top\n2024-01-01\n  food  1 EUR\n  food:x  1 EUR\n  E:y\n",
          "2024-01-01: Expenses:Food 1 EUR; Expenses:Food:x 1 EUR; Top:y -2 EUR\n",
          "aliases meet a name or its first part");
    gives("account A\n  alias q\n  note n\n2024-01-01\n  q  1 EUR\n  b\n", "2024-01-01: A 1 EUR; b -1 EUR\n",
          "an account may have aliases");
    gives("apply account Top\napply tag t\n2024-01-01\n  a  1 EUR\n  b\nend apply tag\nend apply account\n2024-01-02\n"
          "  a  1 EUR\n  b\n",
          "2024-01-01: Top:a 1 EUR; Top:b -1 EUR\n2024-01-02: a 1 EUR; b -1 EUR\n",
          "apply account puts accounts below another");
    says("apply account T\nend apply tag\n", "!! invalid: in:2: end apply tag: the last one applied is a account",
         "in order");
    says("end\n", "end without an apply", "and an end has a beginning");
    says("alias /a/=b\n", "!! unsupported: in:1: alias with a /regular expression/", "alias by expression is refused");
    gives("commodity EUR\n  alias Euro\n  nomarket\n2024-01-01\n  a  1 Euro\n  b\n", "2024-01-01: a 1 EUR; b -1 EUR\n",
          "commodities may have aliases");
    gives("account-rewrite a  z\n2024-01-01\n  a  1 EUR\n  b\n", "2024-01-01: z 1 EUR; b -1 EUR\n",
          "account-rewrite renames");
    says("account-rewrite a  z\n2024-01-01\n  ab  1 EUR\n  b\n", "account-rewrite of a part", "whole names only");
    static const char *const symbols[] = {"$=AUD", "kr=DKK", NULL};
    read_options mapped = {.how = {.symbols = symbols}};
    gives_with("2024-01-01\n  a  $1\n  b  1 kr\n  c\n", &mapped, "2024-01-01: a 1 AUD; b 1 DKK; c -1 AUD; c -1 DKK\n",
               "symbols are mapped as told");
    static const char *const broken[] = {"$", NULL};
    read_options wrong = {.how = {.symbols = broken}};
    gives_with("", &wrong, "!! usage: symbol $: expected SYMBOL=CODE, such as $=USD\n",
               "and a broken mapping is refused");
    read_options all = {.declarations = true};
    gives_with("account Bank  ; type: Cash\naccount Spend\n  ; type:X\n2024-01-01\n  assets:a  1.50 EUR\n"
               "  Bank:b  2 X @ 1.234 Z\n"
               "  Spend:c\n  REVENUE\t0 EUR\n",
               &all,
               "EUR 2\nX 0\nZ 3\nBank: type 1\nSpend: type 5\nassets:a: type 1\nBank:b: type 1\nSpend:c: type 5\n"
               "REVENUE: type 4\n2024-01-01: assets:a 1.50 EUR; Bank:b 2 X @ 2.468 Z; Spend:c -1.50 EUR; "
               "REVENUE 0 EUR; "
               "Spend:c -2.468 Z\n",
               "currencies with their decimals and accounts with their types come first");
}

static void test_directives(void) {
    gives("comment\n2024 junk\nend comment\ntest bal\n 1\nend test\nP 2024-01-01 X $1\nN X\ntag t\n  check x\npayee p\n"
          "  alias q\ncheck x\ndefine x=1\nvalue x\nbazzle foo\nD $1,000.00\n~ monthly from 2024-01\n  a  $1\n  b\n"
          "~ Every 2nd day of month\n  a  $1\n!year 2024\nb x\n",
          "", "what changes no balance is passed over");
    static const char *const refused[] = {"C 1 Kb = 1024 b",
                                          "eval x",
                                          "expr x",
                                          "python",
                                          "import x",
                                          "apply fixed X $1",
                                          "i 2024/01/01 08:00:00 a",
                                          "o 2024/01/01 09:00:00",
                                          "--flat"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char journal[100];
        snprintf(journal, sizeof journal, "%s\n", refused[i]);
        says(journal, "!! unsupported: in:1: ", refused[i]);
    }
    gives("= /Income/\n  (Tithe)  0.1\n\n2024-01-01\n  a  1 EUR\n  b\n", "2024-01-01: a 1 EUR; b -1 EUR\n",
          "an automated transaction that touches nothing changes nothing");
    says("= /^inc/\n  (Tithe)  0.1\n\n2024-01-01\n  a  1 EUR\n  Income:x\n",
         "! unsupported: in:4: automated transaction (=) of line 1 would add postings for Income:x",
         "one that would is refused with the entry");
    says("= expr 'true'\n  (Tithe)  0.1\n\n2024-01-01\n  a  1 EUR\n  b\n", "automated transaction (=)",
         "and so is one that is not understood");
    says("= [x\n  a  1\n", "!! invalid: in:1: automated transaction (=): not a query", "a broken query is refused");
    says("~ invalid period\n  a  1\n", "!! invalid: in:1: periodic transaction (~): not a period",
         "so is a broken period");
    says("assets:a  $1\n", "neither a transaction nor a directive: assets:a", "a posting at the margin is refused");
    says("include x\n", "!! unsupported: in:1: include", "includes are refused where there is no directory");
    says("account x\n  assert y\n", "!! unsupported: in:2: assert below account", "assert below account is refused");
    says("account x\n  payee y\n2024-01-01\n  Unknown  1 EUR\n  b\n", "moves to another account",
         "payee below account is refused where it would move a posting");
}

static void write_file(const char *name, const char *text) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", test_dir(), name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file)) abort();
}

static void test_includes(void) {
    char path[600];
    snprintf(path, sizeof path, "%s/sub", test_dir());
    mkdir(path, 0700);
    write_file("one.j", "2024-01-01 one\n  a  1 EUR\n  b\nY2020\napply account T\n");
    write_file("sub/b.j", "include c.txt\n");
    write_file("sub/a.j", "05-06 two\n  a  1 EUR\n  b\n");
    write_file("sub/c.txt", "2024-01-03 three\n  a  1 EUR\n  b");
    write_file("self.j", "include self.j\n");
    write_file("bad.j", "2024-01-01 one\n  a  1 EUR\n");
    read_options here = {.directory = test_dir()};
    gives_with("include one.j\nY2021\ninclude sub/*.j\n2024-01-04\n  a  1 EUR\n  b\n", &here,
               "2024-01-01 \"one\": a 1 EUR; b -1 EUR\n2021-05-06 \"two\": a 1 EUR; b -1 EUR\n"
               "2024-01-03 \"three\": a 1 EUR; b -1 EUR\n2024-01-04: a 1 EUR; b -1 EUR\n",
               "included files are read in order, from where they lie, and keep what they set to themselves");
    char *found = read_bytes("include self.j\n", 15, &here);
    has_text(found, "self.j includes itself", "no file includes itself");
    free(found);
    found = read_bytes("include none.j\n", 15, &here);
    has_text(found, "!! invalid: in:1: include: no file none.j", "what is not there is refused");
    free(found);
    found = read_bytes("include **/x\n", 13, &here);
    has_text(found, "!! unsupported: in:1: include: '**'", "** is refused by name");
    free(found);
    found = read_bytes("include bad.j\n2024-01-02\n  a  1 EUR\n  b\n", 40, &here);
    has_text(found, "bad.j:1: the entry's postings do not balance: off by 1 EUR\n2024-01-02",
             "a refusal names the included file");
    free(found);
}

static void test_bad_input(void) {
    read_options raw = {.raw = true};
    gives_with("2024-01-01 x\n  a  1 EUR\n\n2024-01-02\n  a  1 EUR\n  b\n; end\n", &raw,
               "! unbalanced: in:1: the entry's postings do not balance: off by 1 EUR\n[2024-01-01 x\n  a  1 EUR\n]\n"
               "2024-01-02: a 1 EUR; b -1 EUR\n[2024-01-02\n  a  1 EUR\n  b\n]\n",
               "reading goes on behind a refused entry, whose bytes are given");
    char *found = read_bytes("2024-01-01 x\0y\n  a  1 EUR\n  b\n", 30, &plain);
    has_text(found, "! invalid: in:1: a NUL byte", "a NUL byte is refused");
    free(found);
    says("2024-01-01 x\n  a  1 \xE9\n  b\n", "! invalid: in:2: byte 0xE9 at column 8 is not UTF-8", "text is UTF-8");
    says("; \xC0\xAF\n", "!! invalid: in:1: byte 0xC0", "also in comments, and in its shortest form");
    size_t size = ((size_t)1 << 20) + 10;
    char *line = malloc(size);
    if (!line) abort();
    memset(line, 'x', size);
    found = read_bytes(line, size, &plain);
    has_text(found, "!! limit: in:1: the line is longer than", "a line has its limit");
    free(found);
    line[0] = ';';
    line[size - 20] = '\n';
    line[size - 19] = ';';
    found = read_bytes(line, size, &plain);
    is_text(found, "", "and may be as long as that");
    free(found);
    free(line);
    static const char *const guessed[] = {".journal", ".j", ".ledger", ".hledger", ".dat"};
    for (size_t i = 0; i < sizeof guessed / sizeof *guessed; i++) {
        const char *const *at = kt_format_journal.suffixes;
        while (*at && strcmp(*at, guessed[i])) at++;
        ok(*at != NULL, "%s is a journal's ending", guessed[i]);
    }
    ok(kt_format_journal.preamble(NULL).size == 0, "a reject file needs nothing before its entries");
}

int main(void) {
    test_transactions();
    test_balance();
    test_virtual_kept();
    test_virtual_dropped();
    test_virtual_rules();
    test_costs();
    test_lots();
    test_amounts();
    test_expressions();
    test_assertions();
    test_names();
    test_directives();
    test_includes();
    test_bad_input();
    return done();
}
