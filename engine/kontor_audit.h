/*
 * kontor_audit.h: the tests an auditor runs over a book. Part of kontor.h, whose rules on ownership, threads and errors
 * hold here too.
 *
 * A test looks at the whole population (all entries of a span of valid days, as known to the view), says what it looked at,
 * and points at entries with the reason why. It never judges: what is pointed at is to be looked into by a person, and most
 * of it will have an ordinary reason. The criteria are those of ISA 240 (the auditor's responsibilities relating to fraud
 * in an audit of financial statements), paragraph A45 on journal entries: "entries (a) made to unrelated, unusual, or
 * seldom-used accounts, (b) made by individuals who typically do not make journal entries, (c) recorded at the end of the
 * period or as post-closing entries that have little or no explanation or description, (d) made either before or
 * during the preparation of the financial statements that do not have account numbers, or (e) containing round
 * numbers or consistent ending numbers"; and paragraph 33 (a), that the completeness of the population be established.
 *
 *     kt_audit_run(view, options, &audit, &error)
 *         audit->population                  what was examined, held against the trial balance
 *         audit->tests[i]                    one a test, in the order of kt_audit_nth
 *             .status .flagged .findings     what it points at: all counted, the first kept
 *             .table                         of statistical tests: observed, expected, deviation
 *
 * One walk over the entries feeds all tests, on `threads` threads; memory is bounded (some 450 MB at the most, plus a few
 * dozen bytes an account), however large the book. The answer is the same with any number of threads.
 *
 * Amounts are whole counts (law 8); shares, chi-squares and mean deviations are whole counts of billionths (KT_AUDIT_ONE).
 */
#ifndef KT_KONTOR_AUDIT_H
#define KT_KONTOR_AUDIT_H

#include "engine/kontor.h"
#include "engine/kontor_exchange.h"
#include "engine/kontor_trust.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KT_AUDIT_ONE INT64_C(1000000000) /* 1, in billionths */
#define KT_AUDIT_BENFORD_LEAST 1000u     /* amounts; fewer say nothing about digits */
#define KT_AUDIT_WORDS_MAX 256u          /* suspicious words of the caller's */

/* What a test is, whether or not it runs. */
typedef struct kt_audit_about {
    const char *name;      /* "completeness"; for commands and files */
    const char *title;     /* for people, no full stop */
    const char *asks;      /* what it looks for: a sentence or two */
    const char *criterion; /* the outside rule or source it rests on */
    bool statistical;      /* it has a table and a verdict */
} kt_audit_about;

/* The n-th test, NULL behind the last. They are static. */
const kt_audit_about *kt_audit_nth(size_t n);
const kt_audit_about *kt_audit_find(kt_str name); /* NULL: none of that name */

/* All zero: every test over the whole book, with the defaults named. */
typedef struct kt_audit_options {
    const char *const *tests; /* names; NULL: all. KT_UNKNOWN where one is none */
    size_t test_count;
    kt_day from, to;        /* valid days, inclusive; 0 or KT_DAY_NONE: open */
    uint64_t most_findings; /* kept of each test, lowest entry numbers first; 0: 100. All are counted */
    unsigned threads;       /* 0: one a core, at most 16 */

    uint8_t night_from, night_until; /* hours of recorded time where the company is; both 0: 22 and 6 */
    uint16_t backdated_days;         /* recorded more than so many days after the valid date; 0: 30 */
    uint16_t duplicate_days;         /* the same amount to one party within so many days; 0: 14 */
    uint32_t seldom_account;         /* an account with at most so many entries is seldom used; 0: 2 */
    uint32_t seldom_pair;     /* a debit and credit account that meet in at most so many entries; 0: 2; to 65,534 */
    uint32_t seldom_actor;    /* an actor who made at most so many entries; 0: 5 */
    uint32_t round_units;     /* a round sum is a multiple of so many whole units of its currency; 0: 1000 */
    uint8_t below_percent;    /* so close below a limit is just below, in percent of it; 0: 10 */
    const char *const *words; /* suspicious words beside the built-in ones, ended by NULL; "plug*": also as the
                                        beginning of a word */

    void (*progress)(void *context, uint64_t records, uint64_t of); /* on the calling thread */
    void *context;
} kt_audit_options;

/* What was examined, and whether it is all there. Sums are of the book's currency, over lines that have a book amount. */
typedef struct kt_audit_population {
    kt_day from, to; /* as asked; KT_DAY_NONE: open */
    uint64_t entries, lines;
    uint64_t unvalued; /* lines without a book amount */
    kt_amount debit, credit;
    /* The trial balance of the same days, which is kept apart from the entries. */
    uint64_t trial_lines;
    kt_amount trial_debit, trial_credit;
    bool reconciled;                 /* lines, debit and credit are equal */
    kt_amount debit_off, credit_off; /* entries less trial balance */
    kt_str currency;
    uint8_t decimals;
} kt_audit_population;

typedef struct kt_audit_finding {
    uint64_t entry; /* number of the entry pointed at; 0: none (an account, a gap at the beginning, a file's entry) */
    uint64_t other; /* of another it is held against: the earlier one, a proposal, the far side of a gap; 0: none */
    kt_day date;    /* valid, of the entry; KT_DAY_NONE: no entry */
    int64_t recorded_us; /* 0: no entry */
    bool has_amount;
    kt_amount amount; /* in currency */
    kt_str currency;
    uint8_t decimals;
    kt_str account,
        counter; /* concerned; empty: none. For an entry without one in particular: its largest debit, credit */
    kt_str series, voucher; /* of the entry */
    kt_str why;             /* a sentence, no full stop */
} kt_audit_finding;

typedef struct kt_audit_parameter {
    const char *name; /* "night from" */
    kt_str value;     /* "22:00 Europe/Copenhagen" */
} kt_audit_parameter;

typedef enum kt_audit_status {
    KT_AUDIT_CLEAR = 0, /* it ran and points at nothing */
    KT_AUDIT_FLAGGED,   /* it ran and points at something */
    KT_AUDIT_REFUSED,   /* it did not run: too little to say anything; see note */
    KT_AUDIT_IMBALANCE  /* what was examined does not add up: the population is not what the book says it is */
} kt_audit_status;
const char *kt_audit_status_name(kt_audit_status status); /* "clear", "flagged", "refused", "imbalance" */

/* Nigrini's conformity to Benford's law by the mean absolute deviation (Benford's Law, Wiley 2012, table 7.1): first digits
   close to 0.006, acceptable to 0.012, marginal to 0.015, above that none; first two digits 0.0012, 0.0018, 0.0022. */
typedef enum kt_audit_conformity {
    KT_AUDIT_NO_VERDICT = 0,
    KT_AUDIT_CLOSE,
    KT_AUDIT_ACCEPTABLE,
    KT_AUDIT_MARGINAL,
    KT_AUDIT_NONCONFORMITY
} kt_audit_conformity;
const char *kt_audit_conformity_name(kt_audit_conformity conformity); /* "close conformity" ... */

typedef struct kt_audit_bin {
    uint32_t digits; /* 1 to 9, 10 to 99, or an ending 0 to 99 */
    uint64_t observed;
    uint64_t first;    /* an entry in it; 0: none */
    int64_t share;     /* observed of all, in billionths */
    int64_t expected;  /* share expected, in billionths */
    int64_t deviation; /* share less expected */
    bool flagged;
} kt_audit_bin;

/* The table of a statistical test. */
typedef struct kt_audit_table {
    kt_audit_bin *bins;
    size_t bin_count;
    uint64_t count; /* amounts in it */
    int64_t chi_square;
    unsigned freedom;           /* degrees of; 0: no chi-square */
    int64_t critical_5_percent; /* critical values of chi-square at 5 % and at 1 %; 0: not given */
    int64_t critical_1_percent;
    int64_t mad;       /* mean absolute deviation of the shares */
    int64_t limits[3]; /* Nigrini's: close, acceptable, marginal, each "up to"; 0: not given */
    kt_audit_conformity conformity;
} kt_audit_table;

typedef struct kt_audit_test {
    const kt_audit_about *about;
    kt_audit_status status;
    kt_str examined; /* a sentence: "12,345 entries, 24,690 lines" and what the test took of them */
    kt_str note;     /* what limits the answer, or why it was refused; may be empty */
    uint64_t count;  /* of what it took: entries, amounts, accounts ..., as `examined` says */
    kt_audit_parameter *parameters;
    size_t parameter_count;
    uint64_t flagged; /* all it points at */
    kt_audit_finding *findings;
    size_t finding_count; /* kept of them */
    kt_audit_table table; /* bin_count 0: none */
} kt_audit_test;

/* For pictures of the population; counts of entries. */
typedef struct kt_audit_month {
    kt_month month; /* of the valid date */
    uint64_t entries, lines;
    kt_amount debit; /* in the book's currency */
} kt_audit_month;

typedef struct kt_audit {
    kt_audit_population population; /* each test examined this, or what it says it took of it */
    bool reconciled;                /* the population, and every account's roll-forward where that was tested */
    kt_audit_test *tests;
    size_t test_count;
    kt_str time_zone;          /* recorded times are counted in it */
    kt_str calendar;           /* of the company: "mon-fri dk" */
    uint64_t hours[24];        /* entries by the hour they were recorded in, where the company is */
    uint64_t recorded_days[7]; /* by the weekday they were recorded on, Monday first */
    uint64_t valid_days[7];    /* by the weekday of their valid date */
    uint64_t week[7][24];      /* by the weekday and the hour they were recorded in */
    kt_audit_month *months;    /* rising, those with entries */
    size_t month_count;
} kt_audit;

/* Runs the tests. options may be NULL. KT_OK: they ran, whatever they point at. KT_UNKNOWN: no such test. KT_USAGE: from behind to,
   an hour above 23. KT_DAMAGED: an entry cannot be read. KT_MEMORY. What it gives is the caller's until kt_audit_free. */
kt_code kt_audit_run(kt_view *view, const kt_audit_options *options, kt_audit **out, kt_error *error);
void kt_audit_free(kt_audit *audit);

/* The test of files before they are imported: what of it does not balance, has one line, or could not be posted for
   another reason. The file is read as kt_import reads it (import may be NULL; dry_run and skip_bad are set), nothing is
   stored. The answer has one test, "file"; its findings have no entry number, `why` begins with the file and line. Its
   population is the file's, held against its own control totals (read = posted + rejected). KT_INVALID and so on: it
   cannot be read at all. */
kt_code kt_audit_file(kt_book *book, const char *path, const kt_import_options *import, const kt_audit_options *options,
                      kt_audit **out, kt_error *error);

/* All closings and reopenings of months on record, by month and then in the order of record; kt_view_periods tells the last of
   each month. *out is the caller's; free(). Strings live as long as the view. */
kt_code kt_view_period_changes(kt_view *view, kt_period **out, size_t *count, kt_error *error);

/* ---- The report: all of it on paper --------------------------------------------------------------- */

typedef struct kt_audit_report_options {
    kt_audit_options audit;   /* the tests; most_findings 0: 25, to be read on paper */
    kt_verify_options verify; /* found and context are not called: what is found stands in the report */
    int64_t made_us;          /* µs since 1970 UTC, printed as the time it was made: no clock is looked at */
    uint64_t most_rows;       /* of the trial balance, the actors and the proposals; 0: 2,000. Sums are over all */
} kt_audit_report_options;

typedef struct kt_audit_report_result {
    bool verified;            /* kt_verify found nothing */
    bool reconciled;          /* as in kt_audit; false where the tests could not read the book */
    uint64_t verify_findings; /* of kt_verify */
    uint64_t flagged;         /* findings of all tests together */
    uint64_t tests;           /* that ran */
} kt_audit_report_result;

/* One HTML page that needs nothing beside it: no scripts, style and charts inside, for the screen and for paper. It says which
   book this is, what stands behind it (checkpoint, witnesses, verification), its trial balance, who may do what, open
   proposals, and what the tests examined and point at. The same bytes for the same book and options. A damaged book is
   reported as such, as far as it can be read: KT_OK, and *result (may be NULL) says so. KT_USAGE, KT_UNKNOWN, KT_KEY:
   as from kt_audit_run and kt_verify. What `write` refuses is returned. */
kt_code kt_audit_report(kt_view *view, const kt_audit_report_options *options, kt_export_write write, void *context,
                        kt_audit_report_result *result, kt_error *error);

#ifdef __cplusplus
}
#endif

#endif
