/*
 * saft_facts: what a SAF-T file says about itself, and what its transactions add up to, account by account.
 *
 * A reader fills it while it reads, so that at the end what the file says (openings, closings, totals) can be held against
 * what it holds. Sums are kept with as many decimals as the file writes (law 8: nothing is rounded).
 *
 * Lifetime: from kt_saft_facts_init to kt_saft_facts_release; texts are copied. A row moves when another is added.
 * Errors: KT_MEMORY, KT_OVERFLOW. Bounds: about 200 bytes and its texts for each account that the file names.
 */
#ifndef KT_EXCHANGE_SAFT_FACTS_H
#define KT_EXCHANGE_SAFT_FACTS_H

#include "engine/kontor.h"

typedef struct kt_saft_sum {
    kt_amount units;
    uint8_t decimals;
} kt_saft_sum;

/* False: overflow. */
bool kt_saft_sum_add(kt_saft_sum *sum, kt_saft_sum more);
static inline kt_saft_sum kt_saft_sum_minus(kt_saft_sum sum) { return (kt_saft_sum){-sum.units, sum.decimals}; }

typedef struct kt_saft_row {
    kt_str code, name;
    kt_account_type type;
    bool declared; /* in GeneralLedgerAccounts; else only posted to */
    kt_saft_sum opening, closing;
    kt_saft_sum debit, credit; /* of its lines */
} kt_saft_row;

typedef struct kt_saft_facts {
    char version[40], software[80], company[KT_NAME_MAX + 1], company_number[40], currency[KT_CURRENCY_CODE_MAX + 1];
    bool danish;
    kt_day from, to; /* of the selection; KT_DAY_NONE: not said */
    bool says_entries, says_debit, says_credit;
    uint64_t entries_said;
    kt_saft_sum debit_said, credit_said;
    uint64_t entries, lines;
    kt_saft_sum debit, credit;
    uint64_t outside, turned, analyses_left_out, parties_left_out, taxes_left_out;
    char analyses[KT_DIMENSIONS_MAX + 1][40]; /* what stands for a dimension; "": nothing does */
    kt_saft_row *rows;
    size_t row_count, row_room;
    uint32_t *slots; /* index + 1; a power of two */
    size_t slot_count;
    struct kt_saft_text *texts;
} kt_saft_facts;

void kt_saft_facts_init(kt_saft_facts *facts);
void kt_saft_facts_release(kt_saft_facts *facts);
/* The account's row, made where there is none. */
kt_code kt_saft_facts_row(kt_saft_facts *facts, kt_str code, kt_saft_row **out, kt_error *error);
/* A copy that lives as long as the facts. */
kt_code kt_saft_facts_keep(kt_saft_facts *facts, kt_str *text, kt_error *error);

#endif
