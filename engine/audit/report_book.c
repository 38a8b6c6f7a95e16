/* book: the report's sections on which book this is and what stands behind it. */
#include <inttypes.h>

#include "engine/audit/report.h"

/* ---- identity ---- */

static void text_fact(kt_html *html, const char *name, kt_str text) {
    if (text.size == 0) return;
    kt_report_fact(html, name);
    kt_html_name(html, text);
    kt_report_fact_end(html);
}

static void fiscal_year(kt_html *html, const kt_company *company) {
    static const char *const months[12] = {"January", "February", "March",     "April",   "May",      "June",
                                           "July",    "August",   "September", "October", "November", "December"};
    unsigned month = company->fiscal_month == 0 ? 1 : company->fiscal_month;
    unsigned day = company->fiscal_day == 0 ? 1 : company->fiscal_day;
    kt_report_fact(html, "Fiscal year");
    kt_html_rawf(html, "begins on %u %s", day, months[(month - 1) % 12]);
    kt_report_fact_end(html);
}

static void dates(kt_html *html, const kt_facts *facts) {
    kt_report_fact(html, "Period looked at");
    if (facts->from == KT_DAY_NONE && facts->to == KT_DAY_NONE) kt_html_raw(html, "the whole book");
    if (facts->from != KT_DAY_NONE) {
        kt_html_raw(html, "from ");
        kt_html_day(html, facts->from);
        kt_html_raw(html, " ");
    }
    if (facts->to != KT_DAY_NONE) {
        kt_html_raw(html, "to ");
        kt_html_day(html, facts->to);
    }
    kt_report_fact_end(html);
    kt_report_fact(html, "Entries in the book");
    kt_html_count(html, facts->head.entries);
    if (facts->head.first_day != KT_DAY_NONE) {
        kt_html_raw(html, ", dated ");
        kt_html_day(html, facts->head.first_day);
        kt_html_raw(html, " to ");
        kt_html_day(html, facts->head.last_day);
    }
    kt_report_fact_end(html);
}

void kt_section_book(kt_html *html, const kt_facts *facts) {
    const kt_company *company = &facts->company;
    kt_report_open(html, "book", "The book");
    kt_html_raw(html, "<dl class=\"facts\">\n");
    text_fact(html, "Entity", company->entity);
    if (!kt_str_equal(company->entity, kt_str_from(facts->genesis.entity)))
        text_fact(html, "Founded as", kt_str_from(facts->genesis.entity));
    text_fact(html, "Company number", company->company_number);
    text_fact(html, "VAT number", company->vat_number);
    text_fact(html, "Currency", company->currency);
    fiscal_year(html, company);
    text_fact(html, "Time zone", company->time_zone.size > 0 ? company->time_zone : KT_STR("UTC"));
    text_fact(html, "Calendar", company->calendar.size > 0 ? company->calendar : KT_STR("mon-fri"));
    if (company->retention_years != 0) {
        kt_report_fact(html, "Kept");
        kt_html_rawf(html, "%u years behind a fiscal year's end", company->retention_years);
        kt_report_fact_end(html);
    }
    dates(html, facts);
    text_fact(html, "Origin", kt_str_from(facts->genesis.origin));
    kt_report_fact(html, "Book id");
    kt_html_raw(html, "<span class=\"hash\">");
    kt_html_hex(html, facts->genesis.book_id, KT_BOOK_ID_SIZE);
    kt_html_raw(html, "</span>");
    kt_report_fact_end(html);
    kt_html_raw(html, "</dl>\n");
    kt_report_close(html);
}

/* ---- checkpoint and witnesses ---- */

bool kt_report_cosigned_enough(const kt_facts *facts) {
    const kt_verify_options *asked = &facts->options->verify;
    size_t quorum = asked->quorum == 0 ? asked->witness_count : asked->quorum;
    return facts->verified.cosigners > 0 && facts->verified.cosigners >= quorum;
}

static void key_fact(kt_html *html, const kt_facts *facts) {
    char text[KT_VERIFIER_MAX];
    kt_report_fact(html, "Signed by");
    if (facts->checkpoint.code == KT_OK) {
        kt_verifier_format(&facts->verifier, text);
        kt_html_raw(html, "<span class=\"hash\">");
        kt_html_words(html, text);
        kt_html_raw(html, "</span>");
    } else kt_html_words(html, facts->checkpoint.why.text);
    kt_report_fact_end(html);
}

static void witnesses(kt_html *html, const kt_facts *facts) {
    const kt_verify_options *asked = &facts->options->verify;
    const kt_verify_result *verified = &facts->verified;
    kt_html_raw(html, "<h3>Witnesses</h3>\n");
    if (asked->witness_count == 0) {
        kt_html_raw(
            html,
            "<p>No witness was named for this report. A log key alone does not stop whoever holds it from writing the "
            "past anew and signing it again: only checkpoints kept elsewhere, and independent witnesses, do. "
            "<code>kontor report audit --witness VKEY</code> asks for their cosignatures.</p>\n");
        return;
    }
    kt_html_raw(html, "<p>");
    if (kt_report_cosigned_enough(facts)) {
        kt_report_mark(html, KT_MARK_GOOD, "cosigned");
        kt_html_rawf(html, " by %u of the %zu witnesses named (%zu were asked for): the first ", verified->cosigners,
                     asked->witness_count, asked->quorum == 0 ? asked->witness_count : asked->quorum);
        kt_html_counted(html, verified->cosigned_size, "record", "records");
        kt_html_raw(html, ", since ");
        kt_html_time(html, verified->cosigned_us);
        kt_html_raw(html, " UTC. ");
        uint64_t rest = verified->records > verified->cosigned_size ? verified->records - verified->cosigned_size : 0;
        kt_html_counted(html, rest, "record behind them rests", "records behind them rest");
        kt_html_raw(html, " on the log key alone.");
    } else {
        kt_report_mark(html, KT_MARK_WRONG, "not cosigned by enough");
        kt_html_rawf(html, " of the %zu witnesses named; %zu were asked for.", asked->witness_count,
                     asked->quorum == 0 ? asked->witness_count : asked->quorum);
    }
    kt_html_raw(html, "</p>\n<ul class=\"keys\">\n");
    for (size_t i = 0; i < asked->witness_count; i++) {
        kt_html_raw(html, "<li class=\"hash\">");
        kt_html_words(html, asked->witnesses[i]);
        kt_html_raw(html, "</li>\n");
    }
    kt_html_raw(html, "</ul>\n");
}

void kt_section_checkpoint(kt_html *html, const kt_facts *facts) {
    kt_report_open(html, "checkpoint", "Checkpoint and witnesses");
    kt_html_raw(
        html,
        "<p>The checkpoint is one hash over every record so far, signed. Whoever keeps it can tell whether anything "
        "before it was changed, dropped or inserted since.</p>\n<dl class=\"facts\">\n");
    kt_report_fact(html, "Records");
    kt_html_count(html, facts->head.size);
    kt_report_fact_end(html);
    kt_report_fact(html, "Root");
    kt_html_raw(html, "<span class=\"hash\">");
    kt_html_base64(html, facts->head.root, KT_DIGEST_SIZE);
    kt_html_raw(html, "</span>");
    kt_report_fact_end(html);
    kt_report_fact(html, "Last recorded");
    if (facts->head.recorded_us != 0) {
        kt_html_time(html, facts->head.recorded_us);
        kt_html_raw(html, " UTC");
    }
    kt_report_fact_end(html);
    key_fact(html, facts);
    kt_html_raw(html, "</dl>\n");
    witnesses(html, facts);
    kt_report_close(html);
}

/* ---- verification ---- */

static void checked(kt_html *html, bool clean, uint64_t count, const char *what) {
    kt_html_raw(html, "<tr role=\"row\">");
    kt_html_cell(html, "n", "Count");
    kt_html_count(html, count);
    kt_html_cell_end(html);
    kt_html_cell(html, "t", "Checked");
    kt_html_raw(html, what);
    kt_html_cell_end(html);
    kt_html_cell(html, "t", "Result");
    kt_report_mark(html, clean ? KT_MARK_GOOD : KT_MARK_LOOK, clean ? "correct" : "see the findings");
    kt_html_cell_end(html);
    kt_html_raw(html, "</tr>\n");
}

static void what_was_checked(kt_html *html, const kt_facts *facts) {
    const kt_verify_result *verified = &facts->verified;
    bool clean = facts->verification.code == KT_OK;
    kt_chart_table(html, "What was verified", true);
    kt_html_raw(
        html,
        "<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\" class=\"n\">Count</th><th "
        "role=\"columnheader\" scope=\"col\">Checked</th><th role=\"columnheader\" "
        "scope=\"col\">Result</th></tr></thead><tbody role=\"rowgroup\">\n");
    checked(html, clean, verified->records, "records: stored bytes, leaves and the tree over them");
    checked(html, clean, verified->batches,
            "batches: seals, their signatures, and what their makers were allowed to do");
    checked(html, clean, verified->checkpoints, "checkpoints: signatures, each extending the one before");
    checked(html, clean, verified->entries, "entries: replayed, balanced, in open periods");
    kt_html_raw(html, "<tr role=\"row\"><td role=\"cell\" class=\"n\"></td>");
    kt_html_cell(html, "t", "Checked");
    kt_html_raw(html, "state: every balance and register");
    kt_html_cell_end(html);
    kt_html_cell(html, "t", "Result");
    kt_report_mark(html, verified->state_equal ? KT_MARK_GOOD : KT_MARK_WRONG,
                   verified->state_equal ? "what the replay gives" : "not what the replay gives");
    kt_html_cell_end(html);
    kt_html_raw(html, "</tr>\n</tbody>");
    kt_chart_table_end(html);
}

static void wrongs(kt_html *html, const kt_facts *facts) {
    if (facts->wrong_count == 0) {
        kt_html_raw(html, "<p class=\"box wrong\">");
        kt_html_words(html, facts->verification.why.text);
        kt_html_raw(html, "</p>\n");
        return;
    }
    kt_chart_table(html, "Findings of the verification", true);
    kt_html_raw(
        html,
        "<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\" class=\"n\">Record</th><th "
        "role=\"columnheader\" scope=\"col\">Kind</th><th role=\"columnheader\" "
        "scope=\"col\">What</th></tr></thead><tbody role=\"rowgroup\">\n");
    for (size_t i = 0; i < facts->wrong_count; i++) {
        const kt_wrong *wrong = &facts->wrongs[i];
        kt_html_raw(html, "<tr role=\"row\">");
        kt_html_cell(html, "n", "Record");
        if (wrong->record != UINT64_MAX) kt_html_number(html, wrong->record);
        kt_html_cell_end(html);
        kt_html_cell(html, "t", "Kind");
        kt_html_words(html, kt_code_name(wrong->code));
        kt_html_cell_end(html);
        kt_html_cell(html, "w", "What");
        kt_html_words(html, wrong->what);
        kt_html_cell_end(html);
        kt_html_raw(html, "</tr>\n");
    }
    kt_html_raw(html, "</tbody>");
    kt_chart_table_end(html);
    kt_report_cut(html, facts->wrong_count, facts->verified.findings, "findings", "kontor verify --most 100000");
}

static void since(kt_html *html, const kt_verify_options *asked) {
    kt_note note;
    kt_checkpoint kept;
    if (asked->since == NULL) return;
    kt_html_raw(html, "<li>It extends a checkpoint kept from before");
    if (kt_note_cut(asked->since, asked->since_size, &note, NULL) == KT_OK &&
        kt_checkpoint_read(&note, &kept, NULL) == KT_OK) {
        kt_html_raw(html, ", of ");
        kt_html_counted(html, kept.size, "record", "records");
    }
    kt_html_raw(html, ".</li>\n");
}

void kt_section_verification(kt_html *html, const kt_facts *facts) {
    const kt_verify_options *asked = &facts->options->verify;
    bool clean = facts->verification.code == KT_OK;
    kt_report_open(html, "verification", "Verification");
    kt_html_rawf(html, "<p class=\"box %s\">", clean ? "good" : "wrong");
    kt_report_mark(html, clean ? KT_MARK_GOOD : KT_MARK_WRONG,
                   clean ? "nothing wrong was found" : "something is wrong");
    kt_html_raw(
        html, clean
                  ? ": everything that is stored was recomputed from the signed records."
                  : ": the findings below come first error first; figures elsewhere in this report may rest on them.");
    kt_html_raw(html, "</p>\n");
    if (clean) kt_html_raw(html, "<ul>\n");
    if (clean && asked->verifier != NULL) {
        kt_html_raw(html, "<li>Its checkpoints are signed by the key that was given: <span class=\"hash\">");
        kt_html_words(html, asked->verifier);
        kt_html_raw(html, "</span></li>\n");
    } else if (clean) {
        kt_html_raw(
            html, "<li>It was held against the key that it names itself, which shows damage and not a book made anew; "
                  "<code>--key</code> holds it against one kept elsewhere.</li>\n");
    }
    if (clean) since(html, asked);
    if (clean) kt_html_raw(html, "</ul>\n");
    what_was_checked(html, facts);
    if (!clean) wrongs(html, facts);
    if (facts->verified.records > facts->head.size) {
        kt_html_raw(html, "<p class=\"note\">Verified was the whole book; this report is about its first ");
        kt_html_counted(html, facts->head.size, "record", "records");
        kt_html_raw(html, facts->as_known ? ", as it was known then.</p>\n" : ", and more were added since.</p>\n");
    }
    kt_report_close(html);
}
