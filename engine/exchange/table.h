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
#include "engine/exchange/text.h"

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
    uint32_t key_roles;       /* the columns a key is made of, a bit for each role */
    bool day_in_key;
    bool ends_balanced; /* rows without a voucher end an entry where they sum to zero */
    /* The header has been read: are the columns there that must be? */
    kt_code (*check)(const kt_table *table, kt_error *error);
    /* The key of a row; not known where the row ends before one of the key's columns (table->key_columns). */
    void (*key)(kt_table *table, const kt_row *row, kt_table_key *key);
    /* Fills the line from a row, as far as it can be read; sets what the row says of the entry in table->entry. */
    kt_code (*line)(kt_table *table, const kt_row *row, const kt_table_key *key, kt_line *line, kt_error *error);
} kt_layout;

struct kt_table {
    const kt_layout *layout;
    const kt_source *source;
    kt_format_options options;
    char decimal; /* the sign */
    kt_rows *rows;
    kt_gather gather;
    kt_seen *seen;
    int16_t column[KT_ROLES_MAX]; /* of a role; -1: the file has no such column */
    uint32_t present;             /* the roles that have one, a bit for each */
    size_t key_columns;           /* a row of fewer fields has no known key */
    kt_str header;
    kt_entry *entry; /* the one being read: the caller's */
    kt_table_key key;
    const kt_row *held; /* read, but of the next entry; NULL: none */
    kt_table_key held_key;
    kt_code held_fault; /* scratch says which */
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
static inline kt_str kt_table_value(const kt_table *table, const kt_row *row, unsigned role) {
    int column = table->column[role];
    if (column < 0 || (size_t)column >= row->count) return (kt_str){0};
    return kt_text_trim(row->fields[column]);
}
static inline bool kt_table_has(const kt_table *table, unsigned role) { return table->column[role] >= 0; }

/* A date in --date-format, else YYYY-MM-DD (in a loose layout also YYYYMMDD). */
bool kt_table_read_day(kt_table *table, kt_str text, kt_day *day);
static inline bool kt_table_day(kt_table *table, kt_str text, kt_day *day) {
    if (text.size == 0 || !kt_text_same(text, table->last_date)) return kt_table_read_day(table, text, day);
    *day = table->last_day;
    return true;
}

/* Why a number could not be read. */
kt_code kt_table_number_fault(const kt_table *table, const kt_row *row, const char *column, kt_str text,
                              kt_number_fault fault, kt_error *error);
/* A number as the options write it; `column` and the value stand in the message. */
static inline kt_code kt_table_number(const kt_table *table, const kt_row *row, unsigned role, const char *column,
                                      kt_amount *amount, uint8_t *decimals, kt_error *error) {
    kt_str text = kt_table_value(table, row, role);
    kt_number_fault fault = kt_number_parse(text.data, text.size, table->decimal, table->options.group, amount,
                                            decimals);
    if (fault == KT_NUMBER_OK) return KT_OK;
    *amount = 0;
    *decimals = 0;
    return kt_table_number_fault(table, row, column, text, fault, error);
}

#endif
