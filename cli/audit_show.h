/*
 * audit_show: what the auditor's tests gave, for people and as rows.
 *
 * Rows (JSON and CSV) are of one table whose column `row` says what each is: "population" (one), "test" (one a test),
 * "parameter", "finding", "digits" (a line of a statistical test's table). Cells that do not belong to it are empty.
 * Shares and deviations are parts of 1.
 */
#ifndef KT_CLI_AUDIT_SHOW_H
#define KT_CLI_AUDIT_SHOW_H

#include "cli/common.h"

/* Every test by name and title (people), or with what it asks and rests on. */
kt_code kt_audit_show_list(kt_style style, kt_error *error);

/* JSON and CSV: opens the rows. People: *out is NULL. */
kt_code kt_audit_show_open(kt_style style, kt_out **out, kt_error *error);
/* file: the name of the file examined; NULL: the book. whole: people see all of a statistical test's table. */
kt_code kt_audit_show(kt_out *out, const kt_audit *audit, const char *file, bool whole, kt_error *error);

#endif
