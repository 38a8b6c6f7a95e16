/*
 * kontor.h: a company's book, for a C programmer.
 *
 * A book is a directory. Everything that happens in it is a record in one append-only journal, and
 * everything else (balances, statements, registers) is what you get by reading it. Records are posted
 * in batches; a batch is whole or absent (law 4), is signed by its actor (law 7), and is acknowledged
 * only when it is on the disk under a signed checkpoint (laws 3 and 6).
 *
 *     kt_book_open  ->  kt_batch_begin  ->  kt_batch_add ...  ->  kt_batch_commit   (or kt_batch_abort)
 *                   ->  kt_view_open    ->  kt_balances, kt_statement, kt_entries   ->  kt_view_close
 *
 * Every function that can fail returns a kt_code: KT_OK (0) or a negative reason, and puts a sentence
 * into the kt_error given last (which may be NULL).
 *
 * Ownership: a handle belongs to whoever opened it and is closed with its _close (NULL is accepted).
 * A kt_str points into memory of somebody else and is not zero-terminated; where a query returns one
 * it stays valid until the view, list or callback it came with ends. Arrays returned by queries are
 * the caller's and go back through the matching _free.
 *
 * Threads: one kt_book is used by one thread at a time; open the book again for another. A view never
 * waits for a writer, nor a writer for a view (law 11). Two writers, in one process or in two, take
 * turns: the second waits in kt_batch_begin.
 *
 * Signs: an amount above zero is a debit, below zero a credit. A balance is debit minus credit.
 */
#ifndef KT_KONTOR_H
#define KT_KONTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/day.h"
#include "engine/money.h"
#include "storage/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KT_VERSION "0.1.0"

/* Sizes, in bytes of UTF-8. Longer ones are refused with KT_LIMIT. */
#define KT_ACCOUNT_CODE_MAX 255
#define KT_CURRENCY_CODE_MAX 32
#define KT_NAME_MAX 255
#define KT_VOUCHER_MAX 64
#define KT_SERIES_MAX 32
#define KT_TEXT_MAX 4096
#define KT_REF_MAX 255
#define KT_BATCH_ID_MAX 128
#define KT_DIMENSION_VALUE_MAX 64
#define KT_LINES_MAX 1000000 /* lines of one entry */
#define KT_DIGEST_SIZE 32
#define KT_KEY_SIZE 32

/* Text that lies elsewhere: size bytes of UTF-8 at data, no zero at the end. {NULL, 0} is "not given". */
typedef struct kt_str {
    const char *data;
    size_t size;
} kt_str;

#define KT_STR(literal) ((kt_str){(literal), sizeof(literal) - 1})
kt_str kt_str_from(const char *text); /* NULL gives {NULL, 0} */
bool kt_str_equal(kt_str a, kt_str b);

/* ---- The book --------------------------------------------------------------------------------- */

typedef struct kt_book kt_book;

/* What the company is. Facts are on record and dated: each change is a new record. */
typedef struct kt_company {
    kt_str entity;         /* legal name; required */
    kt_str currency;       /* the book's currency: required */
    uint8_t fiscal_month;  /* first month of the fiscal year, 1 to 12; 0: 1 */
    uint8_t fiscal_day;    /* and its day, 1 to 28; 0: 1 */
    kt_str time_zone;      /* IANA name; default "UTC" */
    kt_str company_number; /* such as a CVR number */
    kt_str vat_number;
    kt_str address;          /* lines parted by line feeds */
    kt_str calendar;         /* working days and holidays, as "mon-fri" */
    uint8_t retention_years; /* how long the books are kept behind a fiscal year's end; 0: not said */
} kt_company;

typedef struct kt_create_options {
    kt_company company;
    bool decimals_given; /* take `decimals` for the book's currency instead of ISO 4217's */
    uint8_t decimals;
    kt_str chart_name; /* only recorded */
    /* For tests: NULL means the system's clock and random source. */
    int64_t (*clock_us)(void *context);
    void (*random)(void *context, void *out, size_t size);
    void *context;
} kt_create_options;

/* Makes the directory (0700) with its first signing key (0600) and the genesis record.
   KT_EXISTS where the directory holds anything. */
kt_code kt_book_create(const char *directory, const kt_create_options *options, kt_error *error);

typedef struct kt_open_options {
    bool read_only;                     /* no batches; works on a book that cannot be written */
    const char *key_file;               /* actor's key; NULL: keys/log.key in the book */
    kt_str entity;                      /* when given, a book of another entity is refused with KT_FOREIGN */
    bool no_wait;                       /* KT_BUSY instead of waiting for another writer */
    bool older_state;                   /* for rebuilding: one of an older format is not refused with KT_OLDER */
    bool single_thread;                 /* all on the calling thread: slower, and the same bytes */
    int64_t (*clock_us)(void *context); /* for tests; NULL: the system's */
    void *context;
    /* Asked for a key that is locked, with the first batch, and before the writer's turn is taken: writes at most room bytes
       with a zero into out, which is guarded memory, wiped behind. NULL: a locked key is refused with KT_KEY. */
    kt_code (*passphrase)(void *context, const char *key_name, char *out, size_t room, kt_error *error);
    void *passphrase_context;
} kt_open_options;

/* KT_FOREIGN: not a book. KT_NEWER: made by a newer version. KT_DAMAGED, KT_PERMISSION, KT_KEY, KT_IO.
   options may be NULL. What an interrupted writer left above the head is dropped here (law 4). */
kt_code kt_book_open(const char *directory, const kt_open_options *options, kt_book **out, kt_error *error);
void kt_book_close(kt_book *book);

const char *kt_book_directory(const kt_book *book);
const char *kt_book_origin(const kt_book *book);   /* "kontor/acme-aps-1a2b3c4d": the log's name */
const char *kt_book_verifier(const kt_book *book); /* the log key as a C2SP vkey: "name+hash+key" */

/* ---- Entries ---------------------------------------------------------------------------------- */

#define KT_DIMENSION_COST_CENTRE 1
#define KT_DIMENSION_DEPARTMENT 2
#define KT_DIMENSION_PROJECT 3
#define KT_DIMENSIONS_MAX 11 /* the three above and eight of the user's own */

typedef struct kt_dimension {
    uint8_t dimension; /* 1 to KT_DIMENSIONS_MAX, each at most once on a line, rising */
    kt_str value;
} kt_dimension;

/* How an amount is given: a count of the currency's smallest unit (0), or n decimals as written (n + 1),
   which the book brings to the currency's decimals or refuses. */
#define KT_AS_WRITTEN(decimals) ((uint8_t)((decimals) + 1))

typedef struct kt_line {
    kt_amount amount; /* debit above zero, credit below */
    kt_amount cost;   /* what the line counts for in cost_currency; same sign as amount or zero */
    kt_str account;
    kt_str currency;      /* empty: the book's */
    kt_str cost_currency; /* empty: the book's */
    uint8_t amount_given; /* 0, or KT_AS_WRITTEN(decimals): too many decimals are refused */
    uint8_t cost_given;   /* likewise; too many decimals are rounded half-even, since a cost is a product */
    bool has_cost;        /* the line carries a rate: cost / amount */
    uint8_t dimension_count;
    const kt_dimension *dimensions;
    kt_str text, ref, tax_code;
} kt_line;

typedef struct kt_entry {
    kt_day date;
    kt_str series, voucher; /* voucher: used once in its series and fiscal year, where given */
    kt_str text, ref;
    const kt_line *lines;
    size_t line_count;
    uint64_t reverses; /* number of the entry this one reverses, 0: none */
    uint64_t proposal; /* number of the proposal that this one carries out, 0: none; see kt_batch_approve */
    bool minus;        /* booked with minus amounts: an amount below zero stays in the debit column, and one above
                               zero in the credit column, so that a correction does not inflate turnover */
    /* Where it was read, for messages: "file:line". Not stored. */
    const char *file;
    size_t file_line;
} kt_entry;

/* ---- Batches ---------------------------------------------------------------------------------- */

typedef struct kt_batch kt_batch;

typedef enum kt_proposing {
    KT_PROPOSE_NOTHING, /* what lies beyond the actor's limits is refused */
    KT_PROPOSE_BEYOND,  /* ... is proposed */
    KT_PROPOSE_ALL      /* everything is only proposed */
} kt_proposing;

typedef struct kt_batch_options {
    kt_str id;                     /* empty: a random one, so that nothing is taken for a repeat */
    const uint8_t *content_digest; /* KT_DIGEST_SIZE bytes: what the id stands for; NULL: not compared */
    bool allow_duplicate_voucher;
    kt_proposing propose;    /* what kt_batch_add makes of entries; see kt_batch_propose */
    bool dry_run;            /* checks and applies in memory alone; commit stores nothing and says what it would */
    kt_str rounding_account; /* takes what a rate leaves over; empty: refused as unbalanced */
    uint64_t rejected;       /* entries of the input that were refused, for the seal; also kt_batch_rejected */
} kt_batch_options;

typedef struct kt_receipt {
    char batch_id[KT_BATCH_ID_MAX + 1];
    uint64_t first, last; /* record numbers of the batch, the seal last */
    uint64_t entries;     /* entries among them */
    uint64_t proposed;    /* and proposals */
    int64_t recorded_us;  /* µs since 1970 UTC */
    bool clock_behind;    /* the clock was behind the last record, whose time was used instead */
    uint64_t tree_size;   /* of the checkpoint that covers it */
    uint8_t root[KT_DIGEST_SIZE];
} kt_receipt;

/* Takes the writer's turn and looks the id up. KT_REPEATED: stored before with the same digest (or none
   was given); *receipt (may be NULL) says where, *out is NULL. KT_DUPLICATE: the same id with another digest.
   options may be NULL. */
kt_code kt_batch_begin(kt_book *book, const kt_batch_options *options, kt_batch **out, kt_receipt *receipt,
                       kt_error *error);

/* Gives an open batch that was begun without an id the id and content digest of `options` (nothing else of it counts),
   and looks it up, as kt_batch_begin would have: for whoever knows them only when much of the batch has been read.
   KT_REPEATED, KT_DUPLICATE and KT_LIMIT as there; then only kt_batch_abort is left. */
kt_code kt_batch_name(kt_batch *batch, const kt_batch_options *options, kt_receipt *receipt, kt_error *error);

/* Checks one entry against the book and what the batch already holds, and adds it. On a refusal the batch is
   as it was before the call and may go on. *number (may be NULL) is the record number it will have.
   KT_UNBALANCED KT_UNKNOWN KT_CLOSED KT_OVERFLOW KT_DUPLICATE KT_INVALID KT_LIMIT KT_RULE KT_FORBIDDEN;
   surroundings (KT_DISK_FULL ...) end the batch: only kt_batch_abort is left.
   Refusals are found in a fixed order: the entry's form, its date and period, then line by line the
   account, currency, amount and dimensions, then its balance, its voucher, the accounts' rules, and the actor's limits. */
kt_code kt_batch_add(kt_batch *batch, const kt_entry *entry, uint64_t *number, kt_error *error);

/* The same for several, in order; it stops at the first that is refused, with *added before it. Faster where accounts are so
   many that each is a walk to memory: those of the entries to come are brought meanwhile. */
kt_code kt_batch_add_many(kt_batch *batch, const kt_entry *entries, size_t count, size_t *added, kt_error *error);

/* Entries of the input that whoever feeds the batch rejected: the seal counts read = posted + rejected. */
void kt_batch_rejected(kt_batch *batch, uint64_t rejected);

/* Seals, signs, syncs; then and only then the batch exists. An empty batch stores nothing, reserves no id
   and gives KT_OK with receipt->entries == 0 and first > last. In every case the batch is closed. */
kt_code kt_batch_commit(kt_batch *batch, kt_receipt *receipt, kt_error *error);
void kt_batch_abort(kt_batch *batch);

/* The same in two steps, for those who post batch after batch: the batch is handed over to be hashed, signed, written and
   synced on other threads, and the next may begin at once; it is checked against what was sent before it. Sending
   acknowledges nothing: a batch exists when it was received. The batch is closed, except by KT_BUSY: KT_SENT_MAX
   are sent and not received. The book keeps the writer's turn until all are received. */
#define KT_SENT_MAX 16
kt_code kt_batch_send(kt_batch *batch, kt_error *error);
/* The oldest batch sent, in the order of sending; *receipt (may be NULL) as from kt_batch_commit. KT_END: none is sent. KT_BUSY:
   it is not on the disk yet, and !wait. Any other code: it is not stored, nor are those sent after it, which say so
   in their turn; an open batch can then only be aborted. kt_batch_commit is refused while batches are not received. */
kt_code kt_book_receive(kt_book *book, bool wait, kt_receipt *receipt, kt_error *error);

/* ---- Registers: each change is a record in the batch ------------------------------------------- */

typedef enum kt_account_type {
    KT_UNCLASSIFIED = 0,
    KT_ASSET = 1,
    KT_LIABILITY = 2,
    KT_EQUITY = 3,
    KT_INCOME = 4,
    KT_EXPENSE = 5
} kt_account_type;

const char *kt_account_type_name(kt_account_type type);
bool kt_account_type_parse(kt_str name, kt_account_type *out); /* also singular/plural, "revenue", "expenses" */

typedef enum kt_balance_rule {
    KT_RULE_NONE = 0,
    KT_RULE_NOT_NEGATIVE = 1, /* debits may not fall below credits, in any currency */
    KT_RULE_NOT_POSITIVE = 2  /* credits may not fall below debits */
} kt_balance_rule;

typedef struct kt_account {
    kt_str code; /* unique; account trees use "a:b" or a parent */
    kt_str name;
    kt_account_type type;
    kt_str parent;   /* code of an account on record, or empty */
    kt_str currency; /* only this one may be posted; empty: any */
    kt_balance_rule rule;
    /* Given as 0 or KT_DAY_NONE: not set; always told as KT_DAY_NONE then. */
    kt_day open_from;   /* first day that takes a posting; not set: any day */
    kt_day closed_from; /* first day that takes none; not set: open */
    /* Read only. */
    uint32_t id;     /* 1, 2, 3 ... in the order of record */
    uint64_t record; /* the record that said all this last */
} kt_account;

/* Opens an account, or changes one that is on record (the whole of it is said again).
   A type may change while the account is unclassified or has no posting; a code never. */
kt_code kt_batch_account(kt_batch *batch, const kt_account *account, kt_error *error);

/* Declares a currency's decimals (0 to 18). They may change while nothing is posted in it. Currencies of
   ISO 4217 need no declaration. */
kt_code kt_batch_currency(kt_batch *batch, kt_str code, uint8_t decimals, kt_error *error);

/* Closes the month that holds `first` (law 10), or reopens it with a reason. KT_CLOSED where it is closed. */
kt_code kt_batch_period_close(kt_batch *batch, kt_day month, kt_error *error);
kt_code kt_batch_period_reopen(kt_batch *batch, kt_day month, kt_str reason, kt_error *error);

/* New facts of the company from a day on; empty fields keep what is on record. The currency, and the first
   day of the fiscal year once entries exist, cannot change. */
kt_code kt_batch_company(kt_batch *batch, kt_day from, const kt_company *company, kt_error *error);

/* Does the batch (or the book) know this account, with all that the batch has added so far? KT_NOT_FOUND. */
kt_code kt_batch_find_account(kt_batch *batch, kt_str code, kt_account *out, kt_error *error);
/* Decimals of a currency as the batch sees it; KT_NOT_FOUND where neither declared nor in ISO 4217. */
kt_code kt_batch_find_currency(kt_batch *batch, kt_str code, uint8_t *decimals, bool *posted, kt_error *error);

/* Adds the entry that reverses number: its lines with the sign turned or, `negative`, with debit and credit
   kept in their columns and the amounts below zero so that turnover is not inflated. KT_RULE: reversed before.
   A batch is reversed with kt_batch_reverse_batch: every entry of it, in order. */
kt_code kt_batch_reverse(kt_batch *batch, uint64_t number, kt_day date, kt_str text, bool negative, uint64_t *reversal,
                         kt_error *error);
kt_code kt_batch_reverse_batch(kt_batch *batch, kt_str batch_id, kt_day date, kt_str text, bool negative,
                               uint64_t *count, kt_error *error);

/* ---- Views: reading at one moment --------------------------------------------------------------- */

typedef struct kt_view kt_view;

typedef struct kt_view_options {
    bool as_known; /* see the book as it was known at known_us */
    int64_t known_us;
} kt_view_options;

/* One snapshot of the head. Keep it short: an open view keeps old pages from being used again. */
kt_code kt_view_open(kt_book *book, const kt_view_options *options, kt_view **out, kt_error *error);
void kt_view_close(kt_view *view);

typedef struct kt_head {
    uint64_t size; /* records */
    uint64_t entries;
    uint64_t batches;
    uint64_t accounts;
    uint8_t root[KT_DIGEST_SIZE];
    int64_t recorded_us;        /* of the last batch; 0 where none */
    kt_day first_day, last_day; /* of all entries; KT_DAY_NONE where none */
} kt_head;

/* As known: size and recorded_us are of the head at that time. */
kt_code kt_view_head(kt_view *view, kt_head *out, kt_error *error);

/* The company as of a day. The strings live as long as the view. */
kt_code kt_view_company(kt_view *view, kt_day at, kt_company *out, kt_error *error);

/* First and last day of the fiscal year a day lies in. */
void kt_fiscal_year(const kt_company *company, kt_day day, kt_day *first, kt_day *last);

/* The signed note of the head (C2SP tlog-checkpoint), zero-terminated, the caller's: free(). */
kt_code kt_view_checkpoint(kt_view *view, char **note, size_t *size, kt_error *error);

kt_code kt_view_account(kt_view *view, kt_str code, kt_account *out, kt_error *error); /* KT_NOT_FOUND */
/* All accounts by code. *out is the caller's; free(). Strings live as long as the view. */
kt_code kt_view_accounts(kt_view *view, kt_account **out, size_t *count, kt_error *error);

typedef struct kt_currency {
    kt_str code;
    uint8_t decimals;
    bool declared; /* on record, or of ISO 4217 and in use */
    bool posted;
} kt_currency;
kt_code kt_view_currency(kt_view *view, kt_str code, kt_currency *out, kt_error *error);
kt_code kt_view_currencies(kt_view *view, kt_currency **out, size_t *count, kt_error *error);

typedef struct kt_period {
    kt_month month;
    bool closed;
    uint64_t record; /* the record that closed or reopened it last; 0: none */
    kt_str reason;   /* of the last reopening */
    int64_t recorded_us;
} kt_period;
/* Every month from the first posting or closing to the last. free(). */
kt_code kt_view_periods(kt_view *view, kt_period **out, size_t *count, kt_error *error);

typedef enum kt_by {
    KT_BY_NOTHING = 0,
    KT_BY_COST_CENTRE = KT_DIMENSION_COST_CENTRE,
    KT_BY_DEPARTMENT = KT_DIMENSION_DEPARTMENT,
    KT_BY_PROJECT = KT_DIMENSION_PROJECT,
    KT_BY_MONTH = 100
} kt_by;

/* One row of a trial balance: an account, a currency and, where asked for, a group. */
typedef struct kt_balance {
    kt_amount debit, credit, balance;                /* in the row's currency; credit is not negative unless
                                                        entries were booked with minus amounts */
    kt_amount book_debit, book_credit, book_balance; /* in the book's currency */
    kt_str account, name, currency;
    kt_account_type type;
    uint8_t decimals; /* of currency */
    uint8_t book_decimals;
    uint64_t lines;    /* postings summed */
    uint64_t unvalued; /* of them without a book amount */
    kt_str group;      /* "2026-03", a cost centre ...; empty: none */
} kt_balance;

typedef struct kt_balance_query {
    kt_day from; /* KT_DAY_NONE: from the beginning. Inclusive */
    kt_day to;   /* KT_DAY_NONE: to the end. Inclusive */
    kt_by by;
} kt_balance_query;

/* Rows ordered by account code, currency, group; accounts without postings in the range are left out.
   free(). The strings live as long as the view. query may be NULL. */
kt_code kt_balances(kt_view *view, const kt_balance_query *query, kt_balance **out, size_t *count, kt_error *error);

/* One posting as a statement or a journal shows it. Strings live until the callback returns. */
typedef struct kt_posting {
    uint64_t number; /* of the entry */
    uint32_t line;   /* in the entry, from 0 */
    kt_day date;
    kt_amount amount;
    kt_amount running; /* balance after it, in its currency (statements) */
    kt_amount book;    /* in the book's currency, where has_book */
    bool has_book;
    bool minus; /* of an entry booked with minus amounts: see kt_entry */
    kt_str account, currency;
    uint8_t decimals;
    kt_str series, voucher, text, ref;
} kt_posting;

typedef struct kt_opening {
    kt_str currency;
    uint8_t decimals;
    kt_amount balance;
} kt_opening;

typedef struct kt_statement {
    kt_opening *openings; /* a row a currency, before `from` */
    size_t opening_count;
    kt_posting *postings; /* by date, then record, then line */
    size_t posting_count;
} kt_statement;

/* The postings of one account from..to, inclusive, with running balances. Strings and arrays are freed by
   kt_statement_free. KT_NOT_FOUND: no such account. */
kt_code kt_statement_read(kt_view *view, kt_str account, kt_day from, kt_day to, kt_statement **out, kt_error *error);
void kt_statement_free(kt_statement *statement);

/* One entry whole, with all that is known about it. Strings live until kt_entry_view_free. */
typedef struct kt_entry_view {
    uint64_t number;
    kt_entry entry;          /* amounts in smallest units (amount_given 0), cost likewise */
    const uint8_t *decimals; /* a line each, of the line's currency */
    const uint8_t *cost_decimals;
    uint64_t reversed_by; /* 0: not reversed */
    kt_str batch_id;
    uint64_t batch_first, batch_last;
    int64_t recorded_us;
    uint8_t actor[KT_KEY_SIZE]; /* the key that signed its batch */
    kt_str actor_id;            /* whose key it is */
    bool proposed;              /* it is no entry, but a proposal of one: see kt_batch_propose */
    uint8_t leaf_hash[KT_DIGEST_SIZE];
    uint32_t parts; /* continuation records before it */
} kt_entry_view;

/* An entry, or a proposal of one. KT_NOT_FOUND: no record of that number, or another's (the text says what it is). */
kt_code kt_entry_read(kt_view *view, uint64_t number, kt_entry_view **out, kt_error *error);
void kt_entry_view_free(kt_entry_view *entry);

typedef struct kt_journal_filter {
    kt_day from, to;        /* KT_DAY_NONE: open */
    kt_str series, voucher; /* equal */
    kt_str text;            /* contained in the entry's or a line's text, ASCII case folded */
    kt_str account;         /* a line is on it or, where it ends in ':' or '*', below it */
    bool has_min, has_max;  /* some line's magnitude, compared as min_given/max_given say */
    kt_amount min, max;
    uint8_t min_given, max_given;
    uint64_t first, last; /* record numbers, inclusive; 0: open */
} kt_journal_filter;

/* Calls back for each entry that fits, in the order of record, memory flat. A callback's code other than
   KT_OK ends the walk and is returned (KT_END ends it with KT_OK). Only number, entry, decimals and
   cost_decimals of the view are set. */
typedef kt_code (*kt_entry_callback)(void *context, const kt_entry_view *entry, kt_error *error);
kt_code kt_entries(kt_view *view, const kt_journal_filter *filter, kt_entry_callback callback, void *context,
                   kt_error *error);

/* ---- Statements of result and position ---------------------------------------------------------- */

/* Amounts are positive as people read them: income, liabilities and equity are credits.
   Only the book's currency: what has no book amount is counted in unvalued_lines and named. */
typedef struct kt_report_row {
    kt_str account, name;
    kt_account_type type;
    kt_amount amount;
    bool computed; /* a line that is no account: the result of the year, undistributed earlier results */
} kt_report_row;

typedef struct kt_report {
    kt_report_row *rows; /* ordered by type, then code */
    size_t row_count;
    uint8_t decimals;
    kt_str currency;
    kt_amount income, expense, result;     /* result = income - expense */
    kt_amount assets, liabilities, equity; /* assets = liabilities + equity + unclassified */
    kt_amount unclassified;                /* credit minus debit on accounts of no type */
    uint64_t unvalued_lines;               /* postings left out for want of a rate */
    kt_day from, to;
} kt_report;

kt_code kt_income_statement(kt_view *view, kt_day from, kt_day to, kt_report **out, kt_error *error);
kt_code kt_balance_sheet(kt_view *view, kt_day at, kt_report **out, kt_error *error);
void kt_report_free(kt_report *report);

/* ---- How long the books are kept ------------------------------------------------------------------ */

/* A fiscal year that has entries, by the rule on record on the day asked for (kt_company.retention_years). In Denmark it
   is five years from the end of the fiscal year (bogføringsloven, law 700 of 24 May 2022, § 12); in Norway five, and three
   and a half for some of it (bokføringsloven § 13). */
typedef struct kt_retention {
    kt_day first, last; /* of the fiscal year */
    uint64_t entries;
    kt_day kept_until; /* the last day they are to be kept; KT_DAY_NONE: no rule is on record */
    bool past;         /* the day asked for lies behind it */
} kt_retention;
/* One row a fiscal year, the oldest first; free(). Reads every record's head. */
kt_code kt_view_retention(kt_view *view, kt_day at, kt_retention **out, size_t *count, kt_error *error);

#ifdef __cplusplus
}
#endif

#include "engine/kontor_access.h"
#include "engine/kontor_audit.h"
#include "engine/kontor_exchange.h"
#include "engine/kontor_trust.h"

#endif
