/*
 * book: found, open, close. The inside of kt_book for the floors above; it is handed the registry's table at open, and
 * knows no department.
 *
 * Laws kept: 3, 4, 5, 6, 7 through storage/journal and engine/fold.
 */
#ifndef KT_ENGINE_BOOK_H
#define KT_ENGINE_BOOK_H

#include "engine/fold.h"
#include "storage/journal.h"
#include "storage/keys.h"

/* Touched by book.c and batch.c alone. */
struct kt_book {
    char *directory, *key_file; /* of the actor; NULL: keys/actor.key, or the log's where there is none */
    const kt_registry *registry;
    kt_store *store;
    kt_fold *fold;
    kt_journal *journal;    /* NULL: read only */
    kt_signer *log, *actor; /* loaded with the first batch; actor may be log */
    uint8_t log_key[KT_KEY_SIZE]; /* as of the head seen */
    kt_genesis genesis;
    char verifier[KT_VERIFIER_MAX];
    bool no_wait, single_thread;
    uint64_t seen; /* size of the head that the fold's memory belongs to */
    kt_batch *batch;
    /* Batches sent and not received, oldest first. */
    struct kt_sent {
        kt_receipt receipt; /* all but the root */
        bool stored;        /* an empty one is not */
    } sent[KT_SENT_MAX];
    unsigned sent_first, sent_count;
    int64_t (*clock_us)(void *context);
    void *clock_context;
    kt_passphrase_callback passphrase;
    void *passphrase_context;
};

kt_code kt_book_open_with(const kt_registry *registry, const char *directory, const kt_open_options *options,
                          kt_book **out, kt_error *error);
/* A new book of one genesis record, in an open batch that the caller fills with the company's facts and commits.
   Until then the directory holds no book. */
kt_code kt_book_found(const kt_registry *registry, const char *directory, const kt_create_options *options,
                      kt_book **out, kt_batch **batch, kt_error *error);

/* Removes what founding made in the directory: a book that could not be founded leaves no half of itself. */
void kt_book_unfound(const char *directory);

kt_store *kt_book_store(kt_book *book);
kt_fold *kt_book_fold(kt_book *book);
kt_journal *kt_book_journal(kt_book *book);
const kt_genesis *kt_book_genesis(const kt_book *book);
const kt_registry *kt_book_registry(const kt_book *book);

/* The log's key, and the actor's besides, once they are needed. KT_KEY. */
kt_code kt_book_load_log(kt_book *book, kt_error *error);
kt_code kt_book_load_actor(kt_book *book, kt_error *error);
const kt_signer *kt_book_actor_signer(const kt_book *book); /* NULL before the first batch */
/* Another may have written, and changed the log's key: the one on record is loaded. */
kt_code kt_book_follow_log(kt_book *book, kt_error *error);
/* The log's key is this one from now on, as is on the disk. Takes it over. */
void kt_book_take_log(kt_book *book, kt_signer *log);
const kt_signer *kt_book_log_signer(const kt_book *book); /* NULL: not loaded */

#endif
