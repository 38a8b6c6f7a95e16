/*
 * serving: a server on a thread of the test's own, and clients that send it bytes, good ones and others.
 *
 * The socket of a book lies beside it: path_of("NAME.socket"). Receiving waits for ten seconds at the most.
 */
#ifndef KT_TESTS_SERVING_H
#define KT_TESTS_SERVING_H

#include "engine/remote/draft.h"
#include "engine/remote/remote.h"
#include "engine/remote/serve.h"
#include "tests/bookkeeping.h"

typedef struct serving serving;
/* options may be NULL; its directory, socket, stop and ready are filled in. Dies where it does not listen. */
serving *serving_start(const char *name, const kt_serve_options *options);
const char *serving_socket(const char *name);
void serving_tell_stop(serving *server);
/* Tells it, waits for its end. */
kt_code serving_stop(serving *server, kt_desk_stats *stats, kt_error *error);

/* The key of the first actor; closed by the caller. */
kt_signer *serving_signer(const char *name);
kt_remote *serving_remote(const char *name, const kt_signer *signer); /* dies where it cannot */
/* One entry through a remote, as a batch of its own. */
kt_code serving_post(kt_remote *remote, const char *id, const char *entry, kt_receipt *out);

/* Raw clients. */
int serving_connect(const char *name); /* the hello is taken */
bool serving_send(int socket, const void *data, size_t size);
/* The next frame's body into a buffer of 64 KiB; 0: the server hung up. */
size_t serving_receive(int socket, uint8_t *out);
/* The code of the refusal that comes; KT_OK: something else came, KT_END: it hung up. *text (may be NULL): 1200 bytes. */
kt_code serving_refusal(int socket, char *text);

/* A frame (with its head) of a signed batch over a draft; free(). seed of the change: flips a bit of the signature. */
uint8_t *serving_frame(const char *origin, const char *id, const kt_draft *draft, const kt_signer *signer,
                       size_t *size);
/* A record of a two-line entry: 1000 against 4000. */
size_t serving_entry(const char *date, const char *voucher, kt_amount amount, uint8_t *out, size_t room);

#endif
