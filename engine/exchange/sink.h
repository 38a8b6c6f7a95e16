/*
 * sink: where an import's entries go: into a book, or to somebody who keeps one elsewhere.
 *
 * An import opens one batch in the sink, adds to it and commits or aborts it. The functions promise what those of the
 * same name in engine/kontor.h do.
 *
 * Lifetime: the book's currency lives as long as the sink's `to`; what is given to add is the caller's again when it returns.
 */
#ifndef KT_EXCHANGE_SINK_H
#define KT_EXCHANGE_SINK_H

#include "engine/kontor.h"

typedef struct kt_sink {
    kt_code (*currency)(void *to, kt_str *out, kt_error *error); /* the book's */
    kt_code (*begin)(void *to, const kt_batch_options *options, kt_receipt *receipt, kt_error *error);
    /* Gives a batch that was begun without an id its id and content digest: KT_REPEATED and KT_DUPLICATE as begin gives
       them. NULL: begin has to be told. */
    kt_code (*name)(void *to, const kt_batch_options *options, kt_receipt *receipt, kt_error *error);
    kt_code (*find_account)(void *to, kt_str code, kt_account *out, kt_error *error);
    kt_code (*find_currency)(void *to, kt_str code, uint8_t *decimals, bool *posted, kt_error *error);
    kt_code (*add_account)(void *to, const kt_account *account, kt_error *error);
    kt_code (*add_currency)(void *to, kt_str code, uint8_t decimals, kt_error *error);
    kt_code (*add)(void *to, const kt_entry *entry, kt_error *error);
    bool (*proposed)(void *to); /* the entry added last is only proposed; NULL: none ever is */
    /* Where entries are judged elsewhere, and so not all when they are added: has all that was added judged, stores nothing,
       and takes the entries out of the batch again. *news: some were refused that had not been before; adding one of
       them again gives its refusal. NULL: what add took is taken. */
    kt_code (*judge)(void *to, bool *news, kt_error *error);
    kt_code (*commit)(void *to, uint64_t rejected, kt_receipt *receipt, kt_error *error);
    void (*abort)(void *to);
} kt_sink;

/* A book, by the functions of kontor.h. */
typedef struct kt_book_sink {
    kt_book *book;
    kt_batch *batch;
    uint64_t proposals; /* in it, before the entry added last */
    char currency[KT_CURRENCY_CODE_MAX + 1];
} kt_book_sink;                    /* all zero but the book to begin with */
extern const kt_sink kt_sink_book; /* to: a kt_book_sink */

/* kt_import, into any sink. */
kt_code kt_import_into(const kt_sink *sink, void *to, const char *path, const kt_import_options *options,
                       kt_import_result *result, kt_error *error);

#endif
