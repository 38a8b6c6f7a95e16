/*
 * link: a client's end of the socket: frames out, frames in, one after the other.
 *
 * Lifetime: a body received is valid until the next receive. Errors: KT_IO where nobody listens or the other side went
 * away; KT_PERMISSION; KT_INVALID for what is no frame; KT_MEMORY.
 */
#ifndef KT_REMOTE_LINK_H
#define KT_REMOTE_LINK_H

#include "engine/remote/frame.h"

typedef struct kt_link kt_link;

kt_code kt_link_open(const char *path, kt_link **out, kt_error *error);
void kt_link_close(kt_link *link);
/* One frame whose body is both spans, one behind the other. */
kt_code kt_link_send(kt_link *link, kt_span begin, kt_span rest, kt_error *error);
kt_code kt_link_receive(kt_link *link, kt_span *body, kt_error *error);

/* The address of a path. KT_USAGE: too long for a socket. */
struct sockaddr_un;
kt_code kt_link_address(const char *path, struct sockaddr_un *out, kt_error *error);

#endif
