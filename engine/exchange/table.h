/*
 * table: entries out of the rows of a CSV file: what the csv and the ads reader have in common.
 *
 * A layout names columns (roles) and says which rows make one entry; this room reads the header row, runs through the
 * rows, ends an entry where the key changes, and refuses one that comes back after others.
 *
 * Which entry an unreadable row belongs to:
 *  - its key columns can still be read: to the entry of that key (it begins a bad entry, or makes the present one bad);
 *  - they cannot: to the present entry, which is bad, and, if the next readable row has another key, perhaps to the
 *    next one too, which then is refused as well. So no part of an entry is ever posted.
 *
 * Lifetime: an item lives until the next call. Errors: see format.h. Bounds: rows.h, gather.h, seen.h.
 */
#ifndef KT_EXCHANGE_TABLE_H
#define KT_EXCHANGE_TABLE_H

#include "engine/exchange/format.h"
#include "engine/exchange/gather.h"
#include "engine/exchange/rows.h"
#include "engine/exchange/seen.h"

#define KT_ROLES_MAX 32
#define KT_ROLE_IGNORED 255

typedef struct kt_column {
    const char *name; /* lower case; in a loose layout without blanks and underscores */
    uint8_t role;
} kt_column;

typedef struct kt_table kt_table;

/* What makes a row belong to an entry. */
typedef struct kt_table_key {
    bool known; /* the key columns could be read */
    kt_day day; /* KT_DAY_NONE: the row does not say, or not readably */
    kt_str series, voucher;
} kt_table_key;

typedef struct kt_layout {
    const char *name;
    const kt_column *columns; /* ended by a NULL name; several names may have one role */
    bool loose;               /* names: blanks and underscores do not count (case never does) */
    bool others_pass;         /* columns of other names are passed over instead of refused */
    bool latin1;              /* see rows.h */
    bool day_in_key;
    bool ends_balanced; /* rows without a voucher end an entry where they sum to zero */
    /* The header has been read: are the columns there that must be? */
    kt_code (*check)(const kt_table *table, kt_error *error);
    void (*key)(kt_table *table, const kt_row *row, kt_table_key *key);
    /* Fills the line from a row, as far as it can be read; sets what the row says of the entry in table->item. */
    kt_code (*line)(kt_table *table, const kt_row *row, kt_line *line, kt_error *error);
} kt_layout;

struct kt_table {
    const kt_layout *layout;
    const kt_source *source;
    kt_format_options options;
    kt_rows *rows;
    kt_gather gather;
    kt_seen *seen;
    int16_t column[KT_ROLES_MAX]; /* of a role; -1: the file has no such column */
    kt_str header;
    kt_entry entry; /* the one being read */
    kt_table_key key;
    bool bad;
    kt_error why;     /* the first fault of the present entry */
    kt_error scratch; /* the fault of the row in hand */
    size_t doubt;     /* line of an unreadable row that may belong to the next entry; 0: none */
    bool sums_known;
    size_t sum_count;
    struct {
        kt_str currency;
        kt_amount sum;
        uint8_t decimals;
    } sums[8];
    kt_str last_date; /* the date read last, since it is nearly always the next one too */
    kt_day last_day;
    char last_date_text[16];
    size_t refill_until;
};

kt_code kt_table_open(const kt_layout *layout, const kt_source *source, const kt_format_options *options, void **reader,
                      kt_error *error);
kt_code kt_table_next(void *reader, kt_item *item, kt_error *error);
void kt_table_close(void *reader);
kt_str kt_table_preamble(void *reader);

/* The value in a role's column, trimmed; empty where the file has no such column or the row ends before it. */
kt_str kt_table_value(const kt_table *table, const kt_row *row, unsigned role);
static inline bool kt_table_has(const kt_table *table, unsigned role) { return table->column[role] >= 0; }

/* A date in --date-format, else YYYY-MM-DD (in a loose layout also YYYYMMDD). */
bool kt_table_day(kt_table *table, kt_str text, kt_day *day);

/* A number as the options write it; `column` and the value stand in the message. */
kt_code kt_table_number(const kt_table *table, const kt_row *row, unsigned role, const char *column, kt_amount *amount,
                        uint8_t *decimals, kt_error *error);

#endif
