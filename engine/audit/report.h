/*
 * report: kt_audit_report of kontor_audit.h, one page from what report_facts.h gathered, a section a function.
 *
 *     facts ──► cover, summary ──► the book ──► checkpoint, witnesses ──► verification ──► trial balance ──► activity
 *                               ──► tests ──► actors ──► proposals ──► how to check all this
 *
 * The page has no scripts, and says so to the browser (Content-Security-Policy): nothing of it is loaded, run or sent, whatever
 * the texts of a book say. It shows of entries what the findings show, and no text beyond (law 9). It states what was
 * recomputed and tested, and never judges people.
 *
 * Memory: what the facts take; the page itself is streamed. Laws kept: 8, 9, 11.
 */
#ifndef KT_AUDIT_REPORT_H
#define KT_AUDIT_REPORT_H

#include "engine/audit/report_chart.h"
#include "engine/audit/report_facts.h"
#include "engine/audit/report_html.h"

extern const char *const kt_report_style[]; /* CSS without & and <; NULL ends it */

void kt_section_book(kt_html *html, const kt_facts *facts);
void kt_section_checkpoint(kt_html *html, const kt_facts *facts);
void kt_section_verification(kt_html *html, const kt_facts *facts);
void kt_section_trial_balance(kt_html *html, const kt_facts *facts);
void kt_section_activity(kt_html *html, const kt_facts *facts);
void kt_section_tests(kt_html *html, const kt_facts *facts);
void kt_section_actors(kt_html *html, const kt_facts *facts);
void kt_section_proposals(kt_html *html, const kt_facts *facts);

typedef enum kt_mark { KT_MARK_GOOD, KT_MARK_LOOK, KT_MARK_WRONG, KT_MARK_NONE } kt_mark;
/* A sign and its words, which are told apart by more than colour. */
void kt_report_mark(kt_html *html, kt_mark mark, const char *words);
kt_mark kt_report_test_mark(const kt_audit_test *test);
void kt_report_test_status(kt_html *html, const kt_audit_test *test);

void kt_report_open(kt_html *html, const char *id, const char *title); /* <section><h2> */
void kt_report_close(kt_html *html);
/* A part that could not be read. */
void kt_report_missing(kt_html *html, const kt_part *part, const char *what);
/* "shown of": what was left out, and the command that lists all. */
void kt_report_cut(kt_html *html, uint64_t shown, uint64_t all, const char *what, const char *command);
/* <dt> and <dd>; the caller writes between and ends with kt_report_fact_end. */
void kt_report_fact(kt_html *html, const char *name);
void kt_report_fact_end(kt_html *html);
bool kt_report_cosigned_enough(const kt_facts *facts);

#endif
