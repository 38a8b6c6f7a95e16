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
} kt_format_options;

typedef struct kt_type_rule {
    kt_str prefix;
    kt_account_type type;
} kt_type_rule;

typedef struct kt_import_options {
    const char *format; /* "csv" "ads" "json" "msgpack" "journal"; NULL: guessed from the name */
    kt_format_options how;
    kt_str id; /* batch id; empty: digest of the bytes and the options that change their meaning */
    bool skip_bad, dry_run, allow_duplicate_voucher, create_accounts;
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
    kt_control read, posted, rejected; /* read = posted + rejected */
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
