/*
 * ledger: what the rooms of the ledger share while records are checked and applied.
 *
 * Every room keeps what it needs of state in memory, loaded when asked for and dropped by its _forget. The state
 * tables are the truth; the memory only saves looking twice.
 */
#ifndef KT_LEDGER_LEDGER_H
#define KT_LEDGER_LEDGER_H

#include "engine/fold.h"
#include "engine/kontor.h"
#include "engine/tables.h"
#include "storage/runs.h"

/* Kinds of the ledger: 1024 to 2047. */
enum {
    KT_KIND_ENTRY = 1024,
    KT_KIND_ACCOUNT = 1025,
    KT_KIND_CURRENCY = 1026,
    KT_KIND_PERIOD = 1027,
    KT_KIND_COMPANY = 1028,
    KT_KIND_DIMENSION = 1029,
    KT_KIND_PROPOSAL = 1030,
    KT_KIND_REJECTION = 1031
};

typedef struct kt_accounts kt_accounts;
typedef struct kt_currencies kt_currencies;
typedef struct kt_periods kt_periods;
typedef struct kt_vouchers kt_vouchers;
typedef struct kt_dimension_sets kt_dimension_sets;
typedef struct kt_posting_plan kt_posting_plan;

typedef struct kt_totals {
    bool loaded, changed;
    uint64_t entries, postings;
    kt_day first_day, last_day; /* KT_DAY_NONE: no entry */
} kt_totals;

/* What of the company's facts every entry needs. */
typedef struct kt_company_now {
    bool loaded;
    bool changed;      /* by the open batch */
    kt_day from;       /* the day these facts begin */
    uint16_t currency; /* id of the book's */
    uint8_t decimals;
    bool posted; /* something is posted in it */
    char code[KT_CURRENCY_CODE_MAX];
    uint8_t code_size;
    uint8_t fiscal_month, fiscal_day;
    /* The fiscal year asked for last. */
    kt_day year_first, year_last;
    int32_t year;
} kt_company_now;

/* The day met last, since neighbours in a file are alike. */
typedef struct kt_day_memo {
    bool known; /* dropped when a period changes */
    bool closed;
    kt_day day;
    kt_month month;
    uint8_t day_of_month; /* from 0 */
} kt_day_memo;

typedef struct kt_ledger {
    kt_fold *fold;
    kt_state *state;
    kt_accounts *accounts;
    kt_currencies *currencies;
    kt_periods *periods;
    kt_vouchers *vouchers;
    kt_dimension_sets *dimensions;
    kt_posting_plan *plan;
    kt_runs *runs;
    kt_totals totals;
    kt_company_now company;
    kt_day_memo memo;
} kt_ledger;

extern const kt_department kt_ledger_department;
extern const kt_run_tables kt_ledger_runs;

/* Reads the totals where they are not in memory yet. */
kt_code kt_totals_load(kt_state *state, kt_totals *totals, kt_error *error);

#endif
