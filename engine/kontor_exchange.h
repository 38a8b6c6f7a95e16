/*
 * kontor_exchange.h: files in and out. Part of kontor.h, whose rules on ownership, threads and errors hold here too.
 */
#ifndef KT_KONTOR_EXCHANGE_H
#define KT_KONTOR_EXCHANGE_H

#include "engine/kontor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Exporting ---------------------------------------------------------------------------------- */

typedef struct kt_export_options {
    kt_day from, to; /* of the entries, inclusive; KT_DAY_NONE: open */
} kt_export_options;

/* What was written, and what the format has no place for. No balance depends on it. */
typedef struct kt_export_result {
    uint64_t entries, lines;
    uint64_t minus_left_out;    /* entries booked with minus amounts, written as any other: turnover differs */
    uint64_t reverses_left_out; /* entries whose link to the one they reverse is not written */
    uint64_t texts_left_out;    /* texts and references of entries that have lines with their own */
} kt_export_result;

/* Takes the bytes; a code other than KT_OK ends the export and is returned. */
typedef kt_code (*kt_export_write)(void *context, const char *data, size_t size, kt_error *error);

/* The view's entries in the order of record, memory flat, as text that kt_import reads in the same format: "csv",
   "json" (JSON lines), "journal" (plain text for ledger and hledger). Into a book with the same accounts and currencies it
   brings the same balances. KT_UNSUPPORTED "entry 12, line 3: ..." before anything is written, where a format cannot
   hold what balances depend on: csv has no costs and no dimensions 4 to 11. options and result may be NULL. */
kt_code kt_export(kt_view *view, const char *format, const kt_export_options *options, kt_export_write write,
                  void *context, kt_export_result *result, kt_error *error);

/* GL_Detail.csv, Trial_Balance.csv and Chart_Of_Accounts.csv of the AICPA's Audit Data Standards (General Ledger, July
   2015) in a directory, which must not exist or be empty (KT_EXISTS). Made 0700, files 0600. After a failure
   what is there is no export: Chart_Of_Accounts.csv is written last. KT_UNSUPPORTED as above. */
kt_code kt_export_ads(kt_view *view, const char *directory, const kt_export_options *options, kt_export_result *result,
                      kt_error *error);

/* ---- SAF-T Financial ---------------------------------------------------------------------------- */

typedef struct kt_saft_standard { /* accounts whose codes begin with prefix stand for this one of the authority's list */
    kt_str prefix, standard;
} kt_saft_standard;

typedef struct kt_saft_options { /* zero: not given */
    kt_day from, to; /* of the entries, inclusive; KT_DAY_NONE: open */
    kt_day created;  /* the day the file is made; 0: the day the view's last record was */
    kt_str contact;  /* a person's name, unstructured */
    kt_str bank_account;
    const kt_saft_standard *standards; /* longest prefix wins */
    size_t standard_count;
} kt_saft_options;

typedef struct kt_saft_result {
    kt_export_result all;
    uint64_t journals, accounts;
    kt_amount debit, credit; /* TotalDebit, TotalCredit */
    uint8_t decimals;
    uint64_t texts_cut;              /* longer than the format's fields */
    uint64_t characters_replaced;    /* XML 1.0 cannot hold them: U+FFFD stands there */
    uint64_t tax_codes_left_out;     /* lines: no tax amount is on record, which the format wants beside a code */
    uint64_t accounts_without_standard;
    bool company_number_missing, contact_missing, bank_account_missing; /* which the authority expects */
} kt_saft_result;

/* The view's entries as one SAF-T Financial file, memory flat: variant "no-1.10" (Skatteetaten's schema 1.10, against which
   it validates) or "dk-1.0" (the Danish Business Authority's layout 1.0, held against public descriptions of it alone).
   The view is walked once for the totals, and once for each series. KT_UNSUPPORTED, before anything is written, "entry 12,
   line 3: ...": a line with no amount in the book's currency, amounts of more than 2 decimals or 18 digits, currencies without
   three letters, series of more than 18 characters, accounts of more than 70, years before 1970 and behind 2100. options and
   result may be NULL. */
kt_code kt_export_saft(kt_view *view, const char *variant, const kt_saft_options *options, kt_export_write write,
                       void *context, kt_saft_result *result, kt_error *error);

/* One account of a file. Amounts are debit minus credit but for debit and credit, which are its lines' columns. */
typedef struct kt_saft_account {
    kt_str code, name;
    kt_account_type type; /* as kt_import would have it without rules */
    bool declared;        /* it stands among the file's accounts; else it is only posted to */
    kt_amount opening, debit, credit, closing;
    kt_amount difference; /* opening + debit - credit - closing; 0: it rolls forward */
} kt_saft_account;

typedef struct kt_saft_report {
    const char *country, *version, *software, *company, *company_number, *currency; /* as the file says; "" */
    kt_day from, to;                                                                 /* KT_DAY_NONE: not said */
    uint8_t decimals;                                                                /* of all amounts here */
    uint64_t entries, lines, refused;
    kt_amount debit, credit; /* of all lines that could be read, those of refused transactions too */
    bool says_entries, says_debit, says_credit;
    uint64_t entries_said;
    kt_amount debit_said, credit_said;
    kt_saft_account *accounts; /* in the file's order */
    size_t account_count, not_rolling, not_declared;
    kt_amount openings, closings; /* of all accounts together: zero where they are whole */
    uint64_t outside;             /* transactions dated outside the file's own period */
    uint64_t turned;              /* lines with an amount below zero, taken for one of the other side */
    uint64_t analyses_left_out, parties_left_out, taxes_left_out; /* lines */
    const char *analyses[KT_DIMENSIONS_MAX + 1]; /* the AnalysisType that stands for a dimension; "": none */
} kt_saft_report;

/* Reads a SAF-T file ("-" is not taken: it is read again by kt_import) and says whether it holds together, without any book.
   refused (may be NULL) is told each transaction that kt_import would refuse for what it is itself. */
kt_code kt_saft_examine(const char *path, void (*refused)(void *context, const kt_error *why), void *context,
                        kt_saft_report **out, kt_error *error);
void kt_saft_report_free(kt_saft_report *report);

/* ---- Importing ---------------------------------------------------------------------------------- */

/* What becomes of a journal's virtual postings, which balance against nothing or among themselves. */
typedef enum kt_virtual {
    KT_VIRTUAL_REFUSE, /* each is refused by name */
    KT_VIRTUAL_KEEP,   /* balanced [account] ones are postings as any; (account) ones are refused */
    KT_VIRTUAL_DROP    /* both are left out, as ledger --real and hledger --real do, and counted in the result */
} kt_virtual;

typedef struct kt_format_options {
    char decimal;                /* 0: '.' */
    char group;                  /* 0: none */
    char delimiter;              /* 0: ',' */
    const char *date_format;     /* NULL: YYYY-MM-DD (journal: also / and .); else %Y %m %d %y */
    const char *encoding;        /* NULL: UTF-8; also "windows-1252", "iso-8859-1" */
    kt_virtual virtual_postings; /* journal */
    const char *const *symbols;  /* journal: "$=USD", ended by NULL; over $ € £ */
    const char *openings; /* saft: NULL: opening balances are not posted; else they are one entry of series OPEN on the
                             day before the period, and what they are off by goes to this account ("": refused) */
} kt_format_options;

typedef struct kt_type_rule {
    kt_str prefix;
    kt_account_type type;
} kt_type_rule;

typedef struct kt_import_options {
    const char *format; /* "csv" "ads" "json" "msgpack" "journal" "saft"; NULL: guessed from the name */
    kt_format_options how;
    kt_str id; /* batch id; empty: digest of the bytes and the options that change their meaning */
    bool skip_bad, dry_run, allow_duplicate_voucher, create_accounts;
    kt_proposing propose; /* as kt_batch_options */
    const kt_type_rule *rules; /* longest prefix wins */
    size_t rule_count;
    kt_str rounding_account;
    const char *reject_path; /* skip_bad: where refused entries are written, in their own format; NULL: none.
                                  Made (0600) when there is the first one; never overwritten: KT_EXISTS */
    uint64_t most_refusals;  /* reported by `refused`; 0: all */
    void (*progress)(void *context, uint64_t bytes_done, uint64_t bytes, uint64_t entries);
    void (*refused)(void *context, const kt_error *why);       /* with skip_bad: a bad entry */
    void (*creates)(void *context, const kt_account *account); /* before it posts */
    void *context;
} kt_import_options;

typedef struct kt_control { /* in the book's currency, over lines that have a book amount */
    uint64_t entries, lines;
    kt_amount debit, credit;
} kt_control;

typedef struct kt_import_result {
    kt_control read, posted, proposed, rejected; /* read is their sum */
    uint64_t accounts_created, currencies_declared;
    /* KT_VIRTUAL_DROP: virtual postings left out of what was posted, entries that held nothing else (they are in no
       total), and automated transactions whose postings would all be virtual. */
    uint64_t virtual_left_out, entries_left_out, automated_left_out;
    kt_receipt receipt;
    uint8_t decimals; /* of the book's currency */
} kt_import_result;

/* Posts one file ("-": standard input) as one batch. KT_OK: all posted; KT_REPEATED: posted before, see
   result->receipt; KT_END: skip_bad and some were rejected; otherwise nothing was stored. */
kt_code kt_import(kt_book *book, const char *path, const kt_import_options *options, kt_import_result *result,
                  kt_error *error);

#ifdef __cplusplus
}
#endif

#endif
