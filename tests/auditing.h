/* auditing: what the tests of the auditor's tests say in one line. */
#ifndef KT_TESTS_AUDITING_H
#define KT_TESTS_AUDITING_H

#include "tests/bookkeeping.h"

/* "Acme ApS" in Copenhagen, Danish holidays, Monday to Friday. */
kt_book *make_danish_book(const char *name);
/* The tests' clock goes on from here: "2026-01-15T21:30:00Z". */
void clock_at(const char *utc);
/* The next entry's or entries' number: they are posted in one batch, and so follow each other from here. 0: refused. */
uint64_t posted(kt_book *book, const char *entries);

/* NULL where it fails, which is shown. */
kt_audit *audited(kt_book *book, const kt_audit_options *options);
/* One test of the answer; an empty one where it is not there. */
const kt_audit_test *test_of(const kt_audit *audit, const char *name);
/* The finding on an entry, NULL: it is not pointed at. */
const kt_audit_finding *finding_of(const kt_audit *audit, const char *test, uint64_t entry);
/* The test points at the entry, and says why in words that have `why`. */
bool points_at(const kt_audit *audit, const char *test, uint64_t entry, const char *why, const char *law);
bool leaves_alone(const kt_audit *audit, const char *test, uint64_t entry, const char *law);

#endif
