/*
 * html: the pen that the report is written with. Markup comes from this program's own literals alone (kt_html_raw), and
 * everything that comes from a book goes through kt_html_text, which leaves nothing of it that a browser, or an XML parser,
 * takes for more than letters: & < > " ' become entities, control characters their pictures (U+2400 on), and what
 * is no UTF-8, no character of XML, or turns the direction of what follows (U+202A to U+202E, U+2066 to U+2069) U+FFFD.
 *
 * The page is HTML5 in the syntax of XML, so that any XML parser can hold it against the rules. It is written by a pen and not
 * by a template library: Debian's for C (libctemplate, libtemplate-tiny and the like) are C++ or unkept, and libxml2's writer,
 * which is here, escapes markup but passes control characters on and wants every text terminated by a zero; what is
 * needed is three functions.
 *
 * Numbers: amounts as accountants write them, (1,234.50) below zero, never rounded (law 8); shares from billionths; places in
 * pictures are whole numbers of a picture's own units.
 *
 * Memory is flat: the buffer. The first failure of the taker is kept, nothing more is written, kt_html_finish gives it.
 * Lifetime: the pen is the caller's value. Laws kept: 8, 9 (it holds no field back and adds none: what is written is for the
 * rooms that write).
 */
#ifndef KT_AUDIT_REPORT_HTML_H
#define KT_AUDIT_REPORT_HTML_H

#include "engine/audit/tests_zone.h"
#include "engine/kontor.h"

#define KT_HTML_ROOM 16384u

typedef struct kt_html {
    kt_export_write write;
    void *context;
    size_t used;
    kt_error failure; /* code 0: none */
    char buffer[KT_HTML_ROOM];
} kt_html;

void kt_html_init(kt_html *html, kt_export_write write, void *context);
kt_code kt_html_finish(kt_html *html, kt_error *error);

/* Markup of our own, as it is. */
void kt_html_raw(kt_html *html, const char *markup);
/* "%s" is raw too, and the rest whole numbers: for literals and the numbers between them. At most 1,000 bytes. */
void kt_html_rawf(kt_html *html, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Anything: escaped. */
void kt_html_text(kt_html *html, kt_str text);
void kt_html_words(kt_html *html, const char *text);
/* At most so many bytes of it, and an ellipsis. */
void kt_html_cut(kt_html *html, kt_str text, size_t most);
/* In <bdi>, so that a name written from right to left leaves what is around it where it was. */
void kt_html_name(kt_html *html, kt_str text);

void kt_html_count(kt_html *html, uint64_t count); /* 1,234 */
void kt_html_counted(kt_html *html, uint64_t count, const char *one, const char *many);
void kt_html_number(kt_html *html, uint64_t number); /* 1234: which one */
void kt_html_amount(kt_html *html, kt_amount amount, uint8_t decimals);
void kt_html_plain_amount(kt_html *html, kt_amount amount, uint8_t decimals); /* within SVG, which knows no <span> */
void kt_html_share(kt_html *html, int64_t billionths, unsigned decimals); /* "0.0123"; in percent: times 100 before */
void kt_html_day(kt_html *html, kt_day day);                              /* KT_DAY_NONE: nothing */
void kt_html_month(kt_html *html, kt_month month);                        /* 2026-03 */
void kt_html_local(kt_html *html, const kt_zone *zone, int64_t time_us);  /* "2026-03-01 14:05" there; 0: nothing */
void kt_html_time(kt_html *html, int64_t time_us);                        /* UTC, to the second */
void kt_html_hex(kt_html *html, const uint8_t *bytes, size_t size);
void kt_html_base64(kt_html *html, const uint8_t *bytes, size_t size); /* of at most 128 bytes */

/* Cells of a table that becomes a list where the screen is narrow: `label` stands beside the cell there. `form`: "t" text, "w" text as
   wide as the row, "n" a number or amount. */
void kt_html_cell(kt_html *html, const char *form, const char *label); /* <td ...> */
void kt_html_cell_end(kt_html *html);

#endif
