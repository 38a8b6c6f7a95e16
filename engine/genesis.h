/*
 * genesis: the first record: which book this is, and whose keys hold at the beginning.
 *
 * The origin "kontor/<slug>-<8 hex of the book id>" is the log's name in every checkpoint and batch
 * signature, and never changes. The company's facts are a record of their own, since they do.
 */
#ifndef KT_ENGINE_GENESIS_H
#define KT_ENGINE_GENESIS_H

#include "engine/kontor.h"
#include "storage/store.h"

#define KT_FORMAT_VERSION 1 /* of the journal, as genesis says */
#define KT_STATE_VERSION 3  /* of state, in table meta; rebuilding brings an older one to it */
#define KT_SUITE 1          /* SHA-256, Ed25519 */
#define KT_ORIGIN_MAX 100
#define KT_BOOK_ID_SIZE 16

typedef struct kt_genesis {
    uint32_t format, suite;
    uint8_t book_id[KT_BOOK_ID_SIZE];
    char entity[KT_NAME_MAX + 1];
    char origin[KT_ORIGIN_MAX + 1];
    uint8_t log_key[KT_KEY_SIZE];
    uint8_t actor_key[KT_KEY_SIZE]; /* the first actor, who may do everything */
} kt_genesis;

/* Fills in the origin from entity and book_id. */
void kt_genesis_name(kt_genesis *genesis);
#define KT_GENESIS_RECORD_MAX 1024
size_t kt_genesis_write(const kt_genesis *genesis, kt_day date, uint8_t out[KT_GENESIS_RECORD_MAX]);
/* A whole record. KT_NEWER: format or suite above ours. KT_DAMAGED. */
kt_code kt_genesis_read(kt_span record, kt_genesis *out, kt_error *error);

/* The format of what the book keeps beside its journal: looked at before anything that another version may have changed.
   KT_FOREIGN: none, so no book. KT_NEWER. KT_OLDER: rebuilding brings it to ours. */
kt_code kt_format_check(kt_txn *txn, const char *directory, kt_error *error);
kt_code kt_format_write(kt_txn *txn, kt_error *error); /* ours */

#endif
