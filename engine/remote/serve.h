/*
 * serve: a book kept open for others: one writer, many clients at a unix socket, many batches in one commit.
 *
 *     clients ═► I/O (this thread) ─► checkers ─► writer: take the turn, apply, one sync, give it back ─► answers
 *
 * Who may connect is the socket's mode; who may post what is on record, and each batch carries its actor's signature:
 * the server holds no key but the log's.
 *
 * Bounds: KT_SERVE_CLIENTS connections (the one idle longest gives way to a new one), a frame of KT_FRAME_MAX, 64 KiB for
 * each client and `most_bytes` for all larger frames together. A frame or an answer that is not done in `patience_ms` ends
 * its connection. One client's trouble is its own.
 *
 * Laws kept: 3, 4, 5, 7, 11. Errors: as kt_book_open and the door's; KT_POISONED, KT_IO, KT_DISK_FULL: the book took no more and
 * everybody was told so.
 */
#ifndef KT_REMOTE_SERVE_H
#define KT_REMOTE_SERVE_H

#include "engine/remote/desk.h"

#define KT_SERVE_CLIENTS 1024u
#define KT_SERVE_BYTES ((size_t)128 << 20)
#define KT_SERVE_PATIENCE_MS 10000

typedef struct kt_serve_options {
    const char *directory, *socket;
    kt_str entity; /* as in kt_open_options */
    unsigned mode; /* of the socket; 0: 0600 */
    int stop;      /* a descriptor: readable when it is time to stop; it is not read. -1: never */
    unsigned threads;
    /* 0: as above. */
    unsigned most_clients;
    size_t most_bytes;
    int64_t patience_ms;
    void (*ready)(void *context, const char *origin); /* it listens; may be NULL */
    void *context;
    /* As in kt_open_options; asked before it listens. */
    kt_code (*passphrase)(void *context, const char *key_name, char *out, size_t room, kt_error *error);
    void *passphrase_context;
} kt_serve_options;

/* Serves until it is told to stop: then it takes no more clients, finishes and answers what it has received, and takes the
   socket away. */
kt_code kt_serve(const kt_serve_options *options, kt_desk_stats *stats, kt_error *error);

#endif
