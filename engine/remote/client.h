/*
 * client: one connection as the server's I/O thread sees it: a frame coming in, at work, or its answer going out.
 *
 *     head ──► body ──► at work ──► answering ──► head ...
 *       │        │ (too little memory for all: waits)
 *       └────────┴──► refused: answering, then hung up
 *
 * One frame at a time: whoever sends more leaves it in the system's buffer. Nothing blocks.
 *
 * Laws kept: 12 (a frame's size is bounded before anything is allocated for it). Lifetime: a client lives in a slot of the
 * server; it outlives its connection while its job is at work.
 */
#ifndef KT_REMOTE_CLIENT_H
#define KT_REMOTE_CLIENT_H

#include "engine/remote/job.h"

#define KT_CLIENT_OWN ((size_t)64 << 10) /* a frame up to this size asks nobody for memory */

typedef enum kt_client_state {
    KT_CLIENT_NONE,
    KT_CLIENT_HEAD,
    KT_CLIENT_BODY,
    KT_CLIENT_WAITS,
    KT_CLIENT_WORKS,
    KT_CLIENT_ANSWERS
} kt_client_state;

typedef struct kt_client {
    kt_job job; /* the first member: a job done is its client's */
    unsigned slot;
    int socket; /* -1: hung up, while its job is at work */
    kt_client_state state;
    int64_t since;   /* milliseconds: when the frame or the answer began, or it became idle */
    uint32_t wanted; /* what epoll was told to watch for */
    uint8_t head[KT_FRAME_HEAD];
    size_t have, need; /* of the head or the body; of the answer, what is sent */
    size_t reserved;   /* of the memory for all */
} kt_client;

typedef enum kt_client_event {
    KT_CLIENT_MORE,  /* goes on when the socket is ready */
    KT_CLIENT_SIZED, /* the head is there: memory for `need` bytes is to be found */
    KT_CLIENT_READY, /* a whole frame */
    KT_CLIENT_DONE,  /* the answer is out */
    KT_CLIENT_BAD,   /* a size that is not taken */
    KT_CLIENT_GONE
} kt_client_event;

void kt_client_begin(kt_client *client, unsigned slot, int socket, int64_t now);
/* Reads on, in states HEAD and BODY. */
kt_client_event kt_client_read(kt_client *client, int64_t now);
/* Memory for the body was found. False: there is none. */
bool kt_client_take_body(kt_client *client);
/* The job's answer goes out; reads again when it is done. */
void kt_client_answer(kt_client *client, int64_t now);
kt_client_event kt_client_write(kt_client *client, int64_t now);
/* Is a frame or an answer under way, and since too long? Or the frame's head only begun. */
bool kt_client_is_late(const kt_client *client, int64_t now, int64_t patience);

#endif
