/*
 * saft_write: what the rooms that write a SAF-T file share: what is written, and the pen it is written with.
 *
 * First all entries are gone through for what the file says before them (totals, series, analyses, tax codes) and for what the
 * format cannot hold (saft_scan.c); then the file is written from its top (saft_master.c, saft_entries.c), with
 * libxml2's xmlTextWriter, which holds only the names of the elements that are open. Memory: the accounts, the values of
 * dimensions, and the longest entry.
 *
 * Lifetime: from kt_saft_writer_open to kt_saft_writer_close. Errors: the first failure of the taker is kept, nothing more
 * is written, and kt_saft_finish gives it.
 */
#ifndef KT_EXCHANGE_SAFT_WRITE_H
#define KT_EXCHANGE_SAFT_WRITE_H

#include "engine/exchange/codes.h"
#include "engine/kontor.h"

typedef struct _xmlTextWriter kt_saft_pen; /* libxml2's */

typedef struct kt_saft_series {
    char name[KT_SERIES_MAX + 1]; /* as JournalID */
    uint64_t first, last;         /* numbers of its first entry and its last */
} kt_saft_series;

typedef struct kt_saft_balance { /* of an account, in the book's currency */
    kt_amount opening, closing;
} kt_saft_balance;

typedef struct kt_saft_writer {
    kt_view *view;
    const kt_saft_options *options;
    bool danish;
    kt_company company;
    kt_head head;
    uint8_t decimals; /* of the book's currency */
    kt_day from, to;  /* of the selection; KT_DAY_NONE: there is nothing to select */
    kt_saft_result *result;
    kt_saft_series *series; /* by name */
    size_t series_count, series_room, series_last;
    kt_codes analyses; /* the dimension's number in the first byte, the value behind it */
    kt_codes taxes;
    kt_account *accounts; /* all on record, by code */
    kt_saft_balance *balances;
    size_t account_count;
    uint64_t batch_first, batch_last; /* of the batch whose day is known */
    kt_day batch_day;
    kt_saft_pen *pen;
    kt_export_write write;
    void *context;
    bool failed;
    kt_error failure; /* code 0: not the taker's */
} kt_saft_writer;

/* ---- saft_scan.c ---- */

/* KT_UNSUPPORTED where the format cannot hold the view. */
kt_code kt_saft_scan(kt_saft_writer *writer, kt_error *error);
/* The line's amount in the book's currency. False: it has none. */
bool kt_saft_book_amount(const kt_saft_writer *writer, const kt_line *line, kt_amount *out);
/* As it stands in the file: at most 2 decimals and 18 digits. False: it cannot. */
bool kt_saft_monetary(kt_amount amount, uint8_t decimals, kt_amount *out, uint8_t *written);
bool kt_saft_is_credit(const kt_entry *entry, const kt_line *line, kt_amount book);
/* The line's rate, in 8 decimals. False: none says it exactly. */
bool kt_saft_rate(kt_amount book, uint8_t book_decimals, kt_amount foreign, uint8_t decimals, kt_amount *out);
kt_str kt_saft_journal_id(const kt_entry *entry);
const char *kt_saft_analysis_type(uint8_t dimension);
kt_str kt_saft_line_ref(const kt_entry *entry, const kt_line *line);

/* ---- saft_pen.c ---- */

/* Text as XML holds it: what it cannot is U+FFFD, what is more than `most` characters is cut; zero-terminated. */
#define KT_SAFT_CHARACTERS 256
#define KT_SAFT_FIELD (4 * KT_SAFT_CHARACTERS + 1)
typedef struct kt_saft_change {
    bool cut;
    uint64_t replaced;
} kt_saft_change;
kt_saft_change kt_saft_field(kt_str text, size_t most, char out[KT_SAFT_FIELD]);

kt_code kt_saft_pen_open(kt_saft_writer *writer, kt_error *error);
void kt_saft_begin(kt_saft_writer *writer, const char *name);
void kt_saft_attribute(kt_saft_writer *writer, const char *name, const char *value);
void kt_saft_end(kt_saft_writer *writer);
void kt_saft_text(kt_saft_writer *writer, const char *name, kt_str text, size_t most);
void kt_saft_words(kt_saft_writer *writer, const char *name, const char *text);
void kt_saft_count(kt_saft_writer *writer, const char *name, uint64_t count);
void kt_saft_day(kt_saft_writer *writer, const char *name, kt_day day);
void kt_saft_amount(kt_saft_writer *writer, const char *name, kt_amount amount, uint8_t decimals);
kt_code kt_saft_finish(kt_saft_writer *writer, kt_error *error);
void kt_saft_pen_close(kt_saft_writer *writer);

/* ---- saft_master.c, saft_entries.c ---- */

/* Before anything is written: the accounts with their balances. KT_UNSUPPORTED where one of them has no place. */
kt_code kt_saft_weigh(kt_saft_writer *writer, kt_error *error);
void kt_saft_header(kt_saft_writer *writer);
void kt_saft_master(kt_saft_writer *writer);
kt_code kt_saft_entries(kt_saft_writer *writer, kt_error *error);

#endif
