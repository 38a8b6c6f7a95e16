/*
 * facts: all that the report tells, gathered before its first byte is written, so that a refusal comes before anything.
 *
 * A part that a damaged book does not give has its reason in words instead (`why` of kt_part): the report says so in its
 * place. Everything else (memory, keys, wrong usage) ends the gathering.
 *
 * Lifetime: kt_facts_gather .. kt_facts_release; texts live as long as the view, the audit and the actors it holds.
 * Laws kept: 8, 11.
 */
#ifndef KT_AUDIT_REPORT_FACTS_H
#define KT_AUDIT_REPORT_FACTS_H

#include "engine/audit/tests_calendar.h"
#include "engine/audit/tests_zone.h"
#include "engine/genesis.h"
#include "engine/kontor.h"
#include "storage/note.h"

#define KT_FACTS_WRONGS_MAX 100u

typedef struct kt_part {
    kt_code code; /* KT_OK: it is there */
    kt_error why;
} kt_part;

/* A finding of the verification. */
typedef struct kt_wrong {
    uint64_t record; /* UINT64_MAX: none */
    kt_code code;
    char what[400];
} kt_wrong;

/* An account in one currency: turnover of the period, and what stood before it and stands behind it. */
typedef struct kt_trial_row {
    kt_str account, name, currency;
    kt_account_type type;
    uint8_t decimals;
    kt_amount before, debit, credit, after;                     /* in the row's currency */
    kt_amount book_before, book_debit, book_credit, book_after; /* in the book's */
    uint64_t unvalued;
} kt_trial_row;

typedef struct kt_trial {
    kt_trial_row *rows; /* by account, currency */
    size_t count;
    kt_trial_row sums;    /* the book_ fields and unvalued alone */
    bool foreign;         /* some row is in another currency than the book's */
    size_t unclassified;  /* accounts without a type */
    kt_amount by_type[6]; /* book_after by account type */
} kt_trial;

typedef struct kt_open_proposal {
    kt_proposal proposal;
    kt_day date;
    char series[KT_SERIES_MAX + 1], voucher[KT_VOUCHER_MAX + 1];
    kt_amount debit; /* in the book's currency, of lines that have such an amount */
    size_t lines;
} kt_open_proposal;

typedef struct kt_facts {
    const kt_audit_report_options *options;
    kt_view *view;
    kt_head head;
    kt_company company;
    uint8_t decimals; /* of the book's currency */
    kt_genesis genesis;
    kt_zone *zone;
    bool as_known;
    size_t most_rows;
    kt_day from, to; /* KT_DAY_NONE: open */

    kt_part checkpoint;
    kt_verifier verifier; /* whose signature the checkpoint carries */

    kt_part verification; /* KT_OK: nothing wrong; KT_DAMAGED: see wrongs */
    kt_verify_result verified;
    kt_wrong *wrongs;
    size_t wrong_count;

    kt_part balances;
    kt_trial trial;

    kt_part tests;
    kt_audit *audit; /* NULL: could not be run */

    kt_part people;
    kt_actors *actors;
    kt_open_proposal *proposals;
    size_t proposal_count;
    uint64_t decided_proposals;
} kt_facts;

kt_code kt_facts_gather(kt_view *view, const kt_audit_report_options *options, kt_facts *out, kt_error *error);
void kt_facts_release(kt_facts *facts);

/* "--from 2026-01-01 --to 2026-12-31", with a space before it; empty where the whole book is looked at. */
const char *kt_facts_span(const kt_facts *facts, char out[64]);

#endif
