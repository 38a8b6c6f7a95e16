#include "engine/audit/report.h"

#include <inttypes.h>
#include <string.h>

#include "storage/digest.h"

/* ---- what sections share ---- */

void kt_report_mark(kt_html *html, kt_mark mark, const char *words) {
    static const char *const forms[] = {"good", "look", "wrong", "none"};
    static const char *const signs[] = {"\xe2\x9c\x93", "\xe2\x96\xb2", "\xe2\x9c\x97", "\xe2\x97\x8b"};
    kt_html_rawf(html, "<span class=\"mark %s\"><span aria-hidden=\"true\">%s</span> ", forms[mark], signs[mark]);
    kt_html_words(html, words);
    kt_html_raw(html, "</span>");
}

kt_mark kt_report_test_mark(const kt_audit_test *test) {
    switch (test->status) {
    case KT_AUDIT_CLEAR: return KT_MARK_GOOD;
    case KT_AUDIT_FLAGGED: return KT_MARK_LOOK;
    case KT_AUDIT_IMBALANCE: return KT_MARK_WRONG;
    default: return KT_MARK_NONE;
    }
}

void kt_report_test_status(kt_html *html, const kt_audit_test *test) {
    static const char *const words[] = {"nothing pointed at", "to look into", "not run", "does not add up"};
    kt_report_mark(html, kt_report_test_mark(test), words[(unsigned)test->status & 3u]);
}

void kt_report_open(kt_html *html, const char *id, const char *title) {
    kt_html_rawf(html, "<section id=\"%s\"><h2>%s</h2>\n", id, title);
}

void kt_report_close(kt_html *html) { kt_html_raw(html, "</section>\n"); }

void kt_report_missing(kt_html *html, const kt_part *part, const char *what) {
    kt_html_raw(html, "<p class=\"box wrong\">");
    kt_report_mark(html, KT_MARK_WRONG, what);
    kt_html_raw(html, " could not be read: ");
    kt_html_words(html, part->why.text);
    kt_html_raw(html, "</p>\n");
}

void kt_report_cut(kt_html *html, uint64_t shown, uint64_t all, const char *what, const char *command) {
    if (shown >= all) return;
    kt_html_raw(html, "<p class=\"note\">The first ");
    kt_html_count(html, shown);
    kt_html_raw(html, " of ");
    kt_html_count(html, all);
    kt_html_rawf(html, " %s are shown. All of them: <code>", what);
    kt_html_words(html, command);
    kt_html_raw(html, "</code></p>\n");
}

void kt_report_fact(kt_html *html, const char *name) { kt_html_rawf(html, "<div><dt>%s</dt><dd>", name); }
void kt_report_fact_end(kt_html *html) { kt_html_raw(html, "</dd></div>\n"); }

/* ---- the head of the page ---- */

static void style(kt_html *html) {
    uint8_t digest[KT_DIGEST_SIZE];
    kt_sha256 hash;
    kt_sha256_init(&hash);
    for (size_t i = 0; kt_report_style[i] != NULL; i++)
        kt_sha256_update(&hash, kt_report_style[i], strlen(kt_report_style[i]));
    kt_sha256_final(&hash, digest);
    kt_html_raw(html, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-");
    kt_html_base64(html, digest, sizeof digest);
    kt_html_raw(html, "'; base-uri 'none'; form-action 'none'\" />\n<style>");
    for (size_t i = 0; kt_report_style[i] != NULL; i++) kt_html_raw(html, kt_report_style[i]);
    kt_html_raw(html, "</style>\n");
}

static void period(kt_html *html, const kt_facts *facts) {
    kt_day from = facts->from == KT_DAY_NONE ? facts->head.first_day : facts->from;
    kt_day to = facts->to == KT_DAY_NONE ? facts->head.last_day : facts->to;
    if (from == KT_DAY_NONE || to == KT_DAY_NONE) {
        kt_html_raw(html, "no entries");
        return;
    }
    kt_html_day(html, from);
    kt_html_raw(html, " to ");
    kt_html_day(html, to);
}

static void head(kt_html *html, const kt_facts *facts) {
    kt_html_raw(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\" "
        "/>\n");
    style(html);
    kt_html_raw(
        html,
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n"
        "<meta name=\"color-scheme\" content=\"light dark\" />\n<meta name=\"robots\" content=\"noindex\" />\n"
        "<meta name=\"referrer\" content=\"no-referrer\" />\n<meta name=\"generator\" content=\"Kontor " KT_VERSION
        "\" />\n<title>Audit report: ");
    kt_html_text(html, facts->company.entity);
    kt_html_raw(html, ", ");
    period(html, facts);
    kt_html_raw(html, "</title>\n</head>\n<body>\n<a class=\"skip\" href=\"#summary\">Skip to the summary</a>\n");
}

static void cover(kt_html *html, const kt_facts *facts) {
    kt_html_raw(html, "<header><p class=\"kicker\">Audit report</p><h1>");
    kt_html_name(html, facts->company.entity);
    kt_html_raw(html, "</h1>\n<p class=\"sub\">");
    period(html, facts);
    kt_html_raw(html, facts->from == KT_DAY_NONE && facts->to == KT_DAY_NONE ? ", the whole book" : "");
    kt_html_raw(html, " \xc2\xb7 amounts in ");
    kt_html_text(html, facts->company.currency);
    kt_html_raw(html, "</p>\n<p class=\"made\">Made ");
    kt_html_local(html, facts->zone, facts->options->made_us);
    kt_html_raw(html, " ");
    kt_html_words(html, kt_zone_name(facts->zone));
    kt_html_raw(html, " (");
    kt_html_time(html, facts->options->made_us);
    kt_html_raw(html, " UTC) from the book itself by Kontor " KT_VERSION
                      ". It states what was recomputed and tested; it is no auditor's opinion.</p></header>\n");
}

/* ---- contents ---- */

static const struct {
    const char *id, *title;
} sections[] = {{"summary", "Summary"},
                {"book", "The book"},
                {"checkpoint", "Checkpoint and witnesses"},
                {"verification", "Verification"},
                {"balance", "Trial balance"},
                {"activity", "When entries were made"},
                {"tests", "Tests"},
                {"actors", "Who may do what"},
                {"proposals", "Open proposals"},
                {"check", "How to check this report"}};

static void contents(kt_html *html, const kt_facts *facts) {
    kt_html_raw(html, "<nav aria-label=\"Contents\"><h2>Contents</h2><ol>\n");
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        kt_html_rawf(html, "<li><a href=\"#%s\">%s</a>", sections[i].id, sections[i].title);
        if (strcmp(sections[i].id, "tests") == 0 && facts->audit != NULL) {
            kt_html_raw(html, "<ul>\n");
            for (size_t k = 0; k < facts->audit->test_count; k++)
                kt_html_rawf(html, "<li><a href=\"#test-%s\">%s</a></li>\n", facts->audit->tests[k].about->name,
                             facts->audit->tests[k].about->title);
            kt_html_raw(html, "</ul>");
        }
        kt_html_raw(html, "</li>\n");
    }
    kt_html_raw(html, "</ol></nav>\n");
}

/* ---- summary ---- */

static void tile(kt_html *html, const char *name) { kt_html_rawf(html, "<div class=\"tile\"><h3>%s</h3><p>", name); }
static void tile_more(kt_html *html) { kt_html_raw(html, "</p><p class=\"more\">"); }
static void tile_end(kt_html *html) { kt_html_raw(html, "</p></div>\n"); }

static void verification_tile(kt_html *html, const kt_facts *facts) {
    bool good = facts->verification.code == KT_OK;
    tile(html, "Verification");
    kt_report_mark(html, good ? KT_MARK_GOOD : KT_MARK_WRONG, good ? "nothing wrong was found" : "something is wrong");
    tile_more(html);
    if (good) {
        kt_html_counted(html, facts->verified.records, "record", "records");
        kt_html_raw(html, ", ");
        kt_html_counted(html, facts->verified.batches, "signed batch", "signed batches");
        kt_html_raw(html,
                    facts->options->verify.verifier != NULL ? ", under the key given" : ", under the book's own key");
    } else {
        kt_html_counted(html, facts->verified.findings > 0 ? facts->verified.findings : facts->wrong_count, "finding",
                        "findings");
    }
    tile_end(html);
}

static void witness_tile(kt_html *html, const kt_facts *facts) {
    const kt_verify_options *asked = &facts->options->verify;
    tile(html, "Witnesses");
    if (asked->witness_count == 0) {
        kt_report_mark(html, KT_MARK_NONE, "none asked for");
        tile_more(html);
        kt_html_raw(html, asked->since != NULL ? "Held against a checkpoint kept from before."
                                               : "The history rests on the log key alone.");
    } else {
        bool enough = kt_report_cosigned_enough(facts);
        kt_report_mark(html, enough ? KT_MARK_GOOD : KT_MARK_WRONG, enough ? "cosigned" : "not cosigned by enough");
        tile_more(html);
        kt_html_rawf(html, "%u of %zu", facts->verified.cosigners, asked->witness_count);
        kt_html_raw(html, " witnesses, over ");
        kt_html_counted(html, facts->verified.cosigned_size, "record", "records");
    }
    tile_end(html);
}

static void population_tile(kt_html *html, const kt_facts *facts) {
    tile(html, "Population");
    if (facts->audit == NULL) {
        kt_report_mark(html, KT_MARK_WRONG, "could not be read");
        tile_end(html);
        return;
    }
    bool good = facts->audit->reconciled;
    kt_report_mark(html, good ? KT_MARK_GOOD : KT_MARK_WRONG,
                   good ? "reconciled to the trial balance" : "does not add up to the trial balance");
    tile_more(html);
    kt_html_counted(html, facts->audit->population.entries, "entry", "entries");
    kt_html_raw(html, ", ");
    kt_html_counted(html, facts->audit->population.lines, "line", "lines");
    tile_end(html);
}

static void tests_tile(kt_html *html, const kt_facts *facts) {
    uint64_t counts[4] = {0};
    tile(html, "Tests");
    if (facts->audit == NULL) {
        kt_report_mark(html, KT_MARK_WRONG, "could not be run");
        tile_end(html);
        return;
    }
    for (size_t i = 0; i < facts->audit->test_count; i++) counts[kt_report_test_mark(&facts->audit->tests[i])]++;
    uint64_t look = counts[KT_MARK_LOOK], wrong = counts[KT_MARK_WRONG];
    kt_report_mark(html,
                   wrong > 0  ? KT_MARK_WRONG
                   : look > 0 ? KT_MARK_LOOK
                              : KT_MARK_GOOD,
                   wrong > 0  ? "do not add up"
                   : look > 0 ? "point at entries to look into"
                              : "point at nothing");
    tile_more(html);
    kt_html_rawf(html, "%" PRIu64 " of %zu point at something", look + wrong, facts->audit->test_count);
    if (counts[KT_MARK_NONE] > 0) kt_html_rawf(html, ", %" PRIu64 " could not be run", counts[KT_MARK_NONE]);
    tile_end(html);
}

static void tests_overview(kt_html *html, const kt_audit *audit) {
    kt_html_raw(
        html,
        "<h3>What the tests point at</h3>\n<p>What is pointed at is to be looked into by a person; most of it will "
        "have an ordinary reason.</p>\n");
    kt_chart_table(html, "Tests and what they point at", true);
    kt_html_raw(html, "<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">Test</th><th "
                      "role=\"columnheader\" "
                      "scope=\"col\">Result</th><th role=\"columnheader\" scope=\"col\" class=\"n\">Pointed "
                      "at</th></tr></thead><tbody role=\"rowgroup\">\n");
    for (size_t i = 0; i < audit->test_count; i++) {
        const kt_audit_test *test = &audit->tests[i];
        kt_html_rawf(html,
                     "<tr role=\"row\"><td role=\"cell\" class=\"w\" data-l=\"Test\"><a href=\"#test-%s\">%s</a></td>",
                     test->about->name, test->about->title);
        kt_html_cell(html, "t", "Result");
        kt_report_test_status(html, test);
        kt_html_cell_end(html);
        kt_html_cell(html, "n", "Pointed at");
        if (test->status != KT_AUDIT_REFUSED) kt_html_count(html, test->flagged);
        kt_html_cell_end(html);
        kt_html_raw(html, "</tr>\n");
    }
    kt_html_raw(html, "</tbody>");
    kt_chart_table_end(html);
}

static void summary(kt_html *html, const kt_facts *facts) {
    kt_report_open(html, "summary", "Summary");
    kt_html_raw(html, "<div class=\"tiles\">\n");
    verification_tile(html, facts);
    witness_tile(html, facts);
    population_tile(html, facts);
    tests_tile(html, facts);
    kt_html_raw(html, "</div>\n");
    if (facts->audit != NULL) tests_overview(html, facts->audit);
    kt_report_close(html);
}

/* ---- how to check ---- */

static void command(kt_html *html, const char *words, const char *span, const char *what) {
    kt_html_raw(html, "<li><code>");
    kt_html_words(html, words);
    kt_html_words(html, span);
    kt_html_rawf(html, "</code> %s</li>\n", what);
}

static void how_to_check(kt_html *html, const kt_facts *facts) {
    char span[64];
    kt_facts_span(facts, span);
    kt_report_open(html, "check", sections[9].title);
    kt_html_raw(html, "<p>This page is a copy; the book is the source. Whoever has the book can make everything in it "
                      "again:</p><ul>\n");
    command(html, "kontor verify --key KEY --since CHECKPOINT --witness VKEY", "",
            "recomputes leaves, tree, signatures and balances, under keys and checkpoints that were kept elsewhere");
    command(html, "kontor audit", span, "runs the tests, with <code>--json</code> for other programs");
    command(html, "kontor balance", span, "is the trial balance");
    command(html, "kontor entry NUMBER", "", "shows an entry whole, with who signed it and when");
    command(html, "kontor prove NUMBER", "", "proves one entry to somebody who may not see the rest");
    kt_html_raw(
        html, "</ul>\n<h3>How it is written</h3><ul>\n<li>A balance is debit less credit; amounts below zero stand in "
              "brackets: (1,234.50).</li>\n<li>An entry's <em>date</em> is the day it counts for; <em>recorded</em> is "
              "when it "
              "was stored, told in ");
    kt_html_words(html, kt_zone_name(facts->zone));
    kt_html_raw(html, kt_zone_known(facts->zone) ? "" : " (the company's time zone is not known to this machine)");
    kt_html_raw(
        html, ".</li>\n<li>An entry's number is its record's number in the journal, and never changes.</li>\n</ul>\n");
    kt_report_close(html);
}

/* ---- all of it ---- */

static void page(kt_html *html, const kt_facts *facts) {
    head(html, facts);
    cover(html, facts);
    contents(html, facts);
    kt_html_raw(html, "<main>\n");
    summary(html, facts);
    kt_section_book(html, facts);
    kt_section_checkpoint(html, facts);
    kt_section_verification(html, facts);
    kt_section_trial_balance(html, facts);
    kt_section_activity(html, facts);
    kt_section_tests(html, facts);
    kt_section_actors(html, facts);
    kt_section_proposals(html, facts);
    how_to_check(html, facts);
    kt_html_raw(html, "</main>\n<footer><p>");
    kt_html_words(html, facts->genesis.origin);
    kt_html_raw(html, " \xc2\xb7 ");
    kt_html_counted(html, facts->head.size, "record", "records");
    kt_html_raw(html, " \xc2\xb7 root <span class=\"hash\">");
    kt_html_base64(html, facts->head.root, KT_DIGEST_SIZE);
    kt_html_raw(html, "</span></p></footer>\n</body>\n</html>\n");
}

static void tell(const kt_facts *facts, kt_audit_report_result *result) {
    *result = (kt_audit_report_result){.verified = facts->verification.code == KT_OK,
                                       .verify_findings = facts->verified.findings > facts->wrong_count
                                                              ? facts->verified.findings
                                                              : facts->wrong_count};
    if (facts->audit == NULL) return;
    result->reconciled = facts->audit->reconciled;
    for (size_t i = 0; i < facts->audit->test_count; i++) {
        result->tests += facts->audit->tests[i].status != KT_AUDIT_REFUSED;
        result->flagged += facts->audit->tests[i].flagged;
    }
}

kt_code kt_audit_report(kt_view *view, const kt_audit_report_options *options, kt_export_write write, void *context,
                        kt_audit_report_result *result, kt_error *error) {
    static const kt_audit_report_options defaults;
    kt_facts facts;
    kt_html html;
    kt_code code = kt_facts_gather(view, options == NULL ? &defaults : options, &facts, error);
    if (code == KT_OK) {
        kt_html_init(&html, write, context);
        page(&html, &facts);
        code = kt_html_finish(&html, error);
    }
    if (code == KT_OK && result != NULL) tell(&facts, result);
    kt_facts_release(&facts);
    return code;
}
