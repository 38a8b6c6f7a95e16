/*
 * format: what every reader of outside bytes gives the importer.
 *
 * A reader turns the bytes of one file into items, one at a time: accounts and currencies that the file
 * declares, and entries. It is a pure parser: it knows nothing of the book. Amounts are given as written
 * (KT_AS_WRITTEN); the book brings them to the currency's decimals.
 *
 * Lifetime: what an item points to stays valid until the next call of next() or close(). The source
 * outlives the reader.
 * Errors: a refusal names "file:line: " first. After KT_INVALID, KT_UNSUPPORTED, KT_UNBALANCED, KT_LIMIT,
 * KT_RULE (a failed assertion) or KT_OVERFLOW with item->can_go_on set, the reader stands behind the bad entry and next() may be called
 * again (--skip-bad); otherwise reading is over.
 * Bounds: nothing is allocated in proportion to a size that the input claims, only to bytes that are there;
 * a reader's own memory stays flat however long the file.
 */
#ifndef KT_EXCHANGE_FORMAT_H
#define KT_EXCHANGE_FORMAT_H

#include "engine/kontor.h"

/* The bytes of one input, all of them addressable (a file is mapped; standard input is spooled first). */
typedef struct kt_source {
    const char *name; /* for messages */
    const uint8_t *data;
    size_t size;
    const char *directory; /* for `include`: where relative names start; NULL: includes are refused */
} kt_source;

typedef enum kt_item_kind {
    KT_ITEM_ENTRY,
    KT_ITEM_ACCOUNT,
    KT_ITEM_CURRENCY,
    KT_ITEM_LEFT_OUT /* something read of which nothing is to be posted (--virtual drop); it only counts */
} kt_item_kind;

typedef struct kt_item {
    kt_item_kind kind;
    kt_entry entry;     /* KT_ITEM_ENTRY; file and file_line are set */
    kt_account account; /* KT_ITEM_ACCOUNT: code, type, perhaps name */
    kt_str currency;    /* KT_ITEM_CURRENCY: code */
    uint8_t decimals;   /*   and the most decimals the file writes of it */
    /* The entry's own bytes in the source, also for a refused one: for the reject file. */
    const uint8_t *raw;
    size_t raw_size;
    kt_str before, behind; /* what stands around them there, so that they can be read alone */
    size_t virtual_left_out; /* postings left out of the entry; KT_ITEM_LEFT_OUT: 0 where it was no entry but a rule */
    bool can_go_on;          /* after a refusal: see above */
    size_t done;             /* bytes of the source consumed so far, for a progress bar */
} kt_item;

typedef struct kt_format {
    const char *name;            /* as in --format */
    const char *const *suffixes; /* ".csv", ... ended by NULL */
    kt_code (*open)(const kt_source *source, const kt_format_options *options, void **reader, kt_error *error);
    kt_code (*next)(void *reader, kt_item *item, kt_error *error); /* KT_END behind the last */
    void (*close)(void *reader);
    /* Bytes that must stand before the rejected entries so that the reject file reads as the same format:
       for csv and ads the header row, else nothing. Valid until close. */
    kt_str (*preamble)(void *reader);
    /* And behind them; NULL: nothing. Valid until close. */
    kt_str (*closing)(void *reader);
} kt_format;

extern const kt_format kt_format_csv;
extern const kt_format kt_format_ads;
extern const kt_format kt_format_json;
extern const kt_format kt_format_msgpack;
extern const kt_format kt_format_journal;
extern const kt_format kt_format_saft;

/* By name, or guessed from the path's ending (NULL name). KT_UNSUPPORTED names what there is. */
kt_code kt_format_find(const char *name, const char *path, const kt_format **out, kt_error *error);

#endif
