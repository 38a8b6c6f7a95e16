/* The auditor's page: what it says is what the book says, and nothing that stands in a book is more than letters in it. */
#include <stdlib.h>
#include <string.h>

#include "engine/audit/report_html.h"
#include "storage/note.h"
#include "tests/bookkeeping.h"

typedef struct page {
    char *text;
    size_t size, room;
    kt_audit_report_result result;
} page;

static kt_code take(void *context, const char *data, size_t size, kt_error *error) {
    page *to = context;
    if (to->size + size + 1 > to->room) {
        to->room = (to->size + size + 1) * 2;
        to->text = realloc(to->text, to->room);
        if (to->text == NULL) return kt_fail(error, KT_MEMORY, "no memory");
    }
    memcpy(to->text + to->size, data, size);
    to->size += size;
    to->text[to->size] = 0;
    return KT_OK;
}

static kt_code refuse(void *context, const char *data, size_t size, kt_error *error) {
    (void)context;
    (void)data;
    (void)size;
    return kt_fail(error, KT_DISK_FULL, "no room");
}

static kt_code report(kt_book *book, const kt_audit_report_options *options, page *out) {
    kt_view *view = view_of(book);
    *out = (page){0};
    kt_code code = kt_audit_report(view, options, take, out, &out->result, &said);
    kt_view_close(view);
    return code;
}

static const kt_audit_report_options plain = {.made_us = INT64_C(1782907200000000)};

static unsigned count_of(const char *text, const char *part) {
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part)) count++;
    return count;
}

/* A page is too long to be shown. */
static bool holds_text(const char *text, const char *part, const char *law) {
    return ok(text != NULL && strstr(text, part) != NULL, "%s", law) || (diag("expected: %s", part), false);
}

/* ---- letters ---- */

static void written(page *out, const void *data, size_t size) {
    kt_html html;
    *out = (page){0};
    kt_html_init(&html, take, out);
    kt_html_text(&html, (kt_str){data, size});
    (void)kt_html_finish(&html, NULL);
}

static void is_written(const char *given, size_t size, const char *expected, const char *law) {
    page out;
    written(&out, given, size);
    is_text(out.text == NULL ? "" : out.text, expected, "%s", law);
    free(out.text);
}

/* Nothing in it can end a text, an attribute or a comment, or be no character of XML. */
static bool is_harmless(const page *out) {
    const uint8_t *at = (const uint8_t *)out->text;
    for (size_t i = 0; i < out->size; i++) {
        if (at[i] < 0x20 || at[i] == 0x7f || at[i] == '<' || at[i] == '>' || at[i] == '"' || at[i] == '\'')
            return false;
        if (at[i] == '&' && memchr(at + i, ';', 6) == NULL) return false;
        if (at[i] == 0xc2 && at[i + 1] < 0xa0) return false;
        if (at[i] >= 0xc0 && (at[i + 1] & 0xc0u) != 0x80u) return false;
    }
    return true;
}

static void letters(void) {
    static const uint8_t odd[] = {'<', '>', '&', '"', '\'', 0x80, 0xe2, 0xc2};
    uint64_t seed = test_seed();
    unsigned bad = 0;
    is_written("<script>alert('x')</script>", 27, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;",
               "markup is letters");
    is_written("a & \"b\"", 7, "a &amp; &quot;b&quot;", "so are ampersands and quotes");
    is_written("a\0b\n\x1b[31m\x7f", 10,
               "a\xe2\x90\x80"
               "b\xe2\x90\x8a\xe2\x90\x9b[31m\xe2\x90\xa1",
               "control characters are pictures");
    is_written("\xff\xc3(\xc0\xaf\xed\xa0\x80", 8,
               "\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
               "what is no UTF-8 is replaced");
    is_written("x\xe2\x80\xaey\xef\xbf\xbf\xc2\x85", 9, "x\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbd",
               "so is what turns the direction, and what XML does not know");
    is_written("\xc3\xa6\xe2\x82\xac\xf0\x9f\x99\x82", 9, "\xc3\xa6\xe2\x82\xac\xf0\x9f\x99\x82",
               "other letters are kept");
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t bytes[64];
        page out;
        size_t size = pick(&seed, sizeof bytes + 1);
        for (size_t k = 0; k < size; k++)
            bytes[k] = pick(&seed, 3) == 0 ? odd[pick(&seed, sizeof odd)] : (uint8_t)pick(&seed, 256);
        written(&out, bytes, size);
        if (!is_harmless(&out)) bad++;
        free(out.text);
    }
    is_int(bad, 0, "of 2,000 texts of any bytes none is more than letters");
}

/* ---- a book ---- */

/* 1,200 sales of amounts that range over several sizes, so that the digits can be looked at. */
static void sell(kt_book *book) {
    kt_batch *batch = begin(book);
    for (unsigned i = 0; i < 1200; i++) {
        char text[200];
        entry_room room;
        unsigned amount = 100 + i * i % 99991 * 7;
        (void)snprintf(text, sizeof text, "2025-%02u-%02u S%u 1000 %u.%02u text=Sale / 4000 -%u.%02u text=Sale",
                       i % 12 + 1, i % 28 + 1, i + 1, amount / 100, amount % 100, amount / 100, amount % 100);
        if (kt_batch_add(batch, entry_of(&room, text), NULL, &said) != KT_OK) break;
    }
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "a year of sales");
}

static kt_book *make(void) {
    kt_book *book = make_book("a");
    (void)open_accounts(book, "6000 expense <script>alert(1)</script>");
    (void)open_accounts(book, "6100 expense \"Fish&chips\"'n'\xe2\x80\xae"
                              "evil");
    sell(book);
    is_code(post(book, "2025-03-01 V1 6000 1234.50 text=<img/src=x> / 1000 -1234.50\n"
                       "2025-03-02 V2 6100 99.99 / 1000 -99.99\n"
                       "2025-03-03 V3 1000 10.00 EUR @@ 74.60 / 4000 -74.60\n"
                       "2024-12-31 V4 1000 5000.00 / 3000 -5000.00"),
            KT_OK, "and what is odd about it");
    return book;
}

/* As accountants write it. */
static void accounting(kt_amount amount, uint8_t decimals, char out[KT_AMOUNT_TEXT + 40]) {
    char text[KT_AMOUNT_TEXT];
    (void)kt_amount_format(amount < 0 ? -amount : amount, decimals, ',', text);
    (void)snprintf(out, KT_AMOUNT_TEXT + 40, amount < 0 ? "<span class=\"neg\">(%s)</span>" : "%s", text);
}

static bool has_row(const char *table, const kt_balance *row, bool book) {
    char code[400], debit[KT_AMOUNT_TEXT + 40], credit[KT_AMOUNT_TEXT + 40], rest[KT_AMOUNT_TEXT + 40];
    char want[1000];
    uint8_t decimals = book ? row->book_decimals : row->decimals;
    accounting(book ? row->book_debit : row->debit, decimals, debit);
    accounting(book ? row->book_credit : row->credit, decimals, credit);
    accounting(book ? row->book_balance : row->balance, decimals, rest);
    (void)snprintf(code, sizeof code, "<b><bdi>%.*s</bdi></b>", (int)row->account.size, row->account.data);
    (void)snprintf(want, sizeof want,
                   "data-l=\"Currency\">%.*s</td><td role=\"cell\" class=\"n\" data-l=\"Debit\">%s</td><td "
                   "role=\"cell\" class=\"n\" "
                   "data-l=\"Credit\">%s</td><td role=\"cell\" class=\"n\" data-l=\"Balance\">%s</td></tr>",
                   (int)row->currency.size, row->currency.data, debit, credit, rest);
    for (const char *at = table; (at = strstr(at, code)) != NULL; at++) {
        const char *end = strstr(at, "</tr>"), *there = strstr(at, want);
        if (there != NULL && end != NULL && there < end) return true;
    }
    return false;
}

static void money(kt_book *book, const page *out) {
    kt_view *view = view_of(book);
    kt_balance *rows = NULL;
    size_t count = 0, right = 0, foreign = 0, own = 0;
    (void)kt_balances(view, NULL, &rows, &count, &said);
    const char *trial = strstr(out->text, "<section id=\"balance\">"),
               *others = strstr(trial, "Amounts in other currencies</h3>");
    for (size_t i = 0; i < count; i++) {
        right += has_row(trial, &rows[i], true);
        if (kt_str_equal(rows[i].currency, KT_STR("DKK"))) continue;
        foreign++;
        own += others != NULL && has_row(others, &rows[i], false);
    }
    ok(count > 5 && right == count, "each of %zu rows of the trial balance has the amounts of kt_balances (%zu have)",
       count, right);
    ok(foreign == 1 && own == 1, "what is in another currency stands in its own besides");
    holds_text(trial, "debit and credit are equal", "and the sums are equal, as the page says");
    free(rows);
    kt_view_close(view);
}

static void what_it_says(kt_book *book) {
    page out, again;
    is_code(report(book, &plain, &out), KT_OK, "a report is made");
    ok(out.result.verified && out.result.reconciled && out.result.tests >= 17 && out.result.flagged > 0,
       "and its result says that the book is whole, and that tests point at something");
    holds_text(out.text, "<title>Audit report: Acme", "it names the book");
    holds_text(out.text, kt_book_origin(book), "its origin");
    holds_text(out.text, "Made 2026-07-01 12:00 ", "and the time it was told");
    holds_text(out.text, "nothing wrong was found", "what was verified");
    holds_text(out.text, "reconciled to the trial balance", "that what was examined is all there is");
    holds_text(out.text, "The history rests on the log key alone", "that there is no witness");
    unsigned tests = 0, missing = 0;
    for (const kt_audit_about *about; (about = kt_audit_nth(tests)) != NULL; tests++) {
        char id[80];
        (void)snprintf(id, sizeof id, "<article id=\"test-%s\">", about->name);
        missing += count_of(out.text, id) != 1;
    }
    ok(tests > 0 && missing == 0, "each of %u tests has its section", tests);
    const char *digits = strstr(out.text, "<article id=\"test-benford\">");
    holds_text(digits == NULL ? "" : digits, "<figure id=\"figure-benford\">", "Benford's law has its picture");
    holds_text(out.text, "<figure id=\"figure-months\">", "so have the months");
    holds_text(out.text, "<figure id=\"figure-week\">", "the hours of the week");
    holds_text(out.text, "<figure id=\"figure-types\">", "and the types of accounts");
    is_int(count_of(out.text, "<svg"), count_of(out.text, "<desc"), "each picture says in words what it shows");
    holds_text(out.text, "kontor audit backdated --limit ", "what was cut says how to have all of it");
    money(book, &out);
    is_code(report(book, &plain, &again), KT_OK, "made again");
    is_bytes(again.text, again.size, out.text, out.size, "it is the same bytes");
    free(again.text);
    free(out.text);
}

static void what_it_is_not(kt_book *book) {
    static const char *const never[] = {
        "<script", "javascript:", "<img",    " style=", " src=",   "url(",   "@import",     "Fraud",
        "fraud",   "FRAUD",       "<iframe", "<link",   "<object", "https:", "\xe2\x80\xae"};
    static const char *const words[] = {"sale", NULL};
    kt_audit_report_options options = plain;
    options.audit.words = words;
    options.audit.most_findings = 100000;
    page out;
    is_code(report(book, &options, &out), KT_OK, "a report of everything");
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        is_int(count_of(out.text, never[i]), 0, "it never has: %s", never[i]);
    is_int(count_of(out.text, "http"), 2,
           "no address but the name of XHTML, and no other http than the policy's http-equiv");
    holds_text(out.text, "content=\"default-src 'none'; style-src 'sha256-", "nothing may be loaded or run");
    holds_text(out.text, "&lt;script&gt;alert(1)&lt;/script&gt;", "a name that is markup stands there as letters");
    has_text(out.text,
             "&quot;Fish&amp;chips&quot;&#39;n&#39;\xef\xbf\xbd"
             "evil",
             "so does one with quotes");
    free(out.text);
}

static void parts_of_it(kt_book *book) {
    page out;
    kt_audit_report_options options = plain;
    options.audit.from = day("2025-01-01");
    options.audit.to = day("2025-06-30");
    options.most_rows = 2;
    options.audit.most_findings = 1;
    is_code(report(book, &options, &out), KT_OK, "half a year");
    holds_text(out.text, "data-l=\"Before\">5,000.00</td>", "has what stood before it");
    holds_text(out.text, "The first 2 of ", "rows that are too many are counted, and");
    holds_text(out.text, "kontor balance --from 2025-01-01 --to 2025-06-30", "the command that lists them is named");
    free(out.text);

    options = plain;
    options.audit.from = day("2031-01-01");
    is_code(report(book, &options, &out), KT_OK, "a time without entries");
    holds_text(out.text, "There are no entries in this period", "is told as that");
    free(out.text);

    options = plain;
    options.verify.verifier = "kontor/other+00000000+AQ==";
    is_code(report(book, &options, &out), KT_INVALID, "what is no key is refused before anything is written");
    ok(out.size == 0, "indeed");
    free(out.text);
    kt_view *view = view_of(book);
    is_code(kt_audit_report(view, &plain, refuse, NULL, NULL, &said), KT_DISK_FULL, "what cannot be written is told");
    kt_view_close(view);
}

static void another_key(kt_book *book) {
    static const uint8_t key[KT_PUBLIC_KEY_SIZE] = {1};
    kt_verifier other;
    char verifier[KT_VERIFIER_MAX];
    kt_audit_report_options options = plain;
    page out;
    is_code(kt_verifier_make(kt_book_origin(book), key, &other, &said), KT_OK, "a key");
    kt_verifier_format(&other, verifier);
    options.verify.verifier = verifier;
    is_code(report(book, &options, &out), KT_OK, "a book that another key should have signed is reported");
    ok(!out.result.verified && out.result.verify_findings > 0, "as not verified");
    holds_text(out.text, "something is wrong", "the page says so");
    free(out.text);
}

int main(void) {
    letters();
    kt_book *book = make();
    what_it_says(book);
    what_it_is_not(book);
    parts_of_it(book);
    another_key(book);
    kt_book_close(book);
    return done();
}
