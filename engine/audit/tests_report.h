/*
 * report: what a run of tests gives, put together: texts that live as long as the answer.
 *
 * Lifetime: the reporter belongs to the kt_audit that is its first member, and goes with kt_audit_free. Errors: where memory
 * is short a text is empty and `code` says KT_MEMORY, which the run looks at when it is done.
 */
#ifndef KT_AUDIT_TESTS_REPORT_H
#define KT_AUDIT_TESTS_REPORT_H

#include "engine/kontor.h"

struct kt_report_chunk;

typedef struct kt_reporter {
    kt_audit audit; /* the answer: kept first, so that the one is found by the other */
    struct kt_report_chunk *chunks;
    kt_code code;
} kt_reporter;

kt_reporter *kt_reporter_new(void); /* NULL: no memory */

kt_str kt_report_keep(kt_reporter *reporter, kt_str text);
kt_str kt_report_text(kt_reporter *reporter, const char *format, ...) __attribute__((format(printf, 2, 3)));
void kt_report_parameter(kt_reporter *reporter, kt_audit_test *test, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "1,234"; room of KT_AMOUNT_TEXT. Returns it. */
char *kt_report_count(uint64_t count, char room[KT_AMOUNT_TEXT]);
char *kt_report_amount(kt_amount amount, uint8_t decimals, char room[KT_AMOUNT_TEXT]);
/* Billionths as "0.012345" with so many decimals (up to 9), cut. */
char *kt_report_share(int64_t billionths, unsigned decimals, char room[KT_AMOUNT_TEXT]);

#endif
