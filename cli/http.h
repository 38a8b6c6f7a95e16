/*
 * http: one POST over plain HTTP, and its answer, both of bounded size: what asking a witness needs and no more.
 *
 * No TLS: a checkpoint is no secret, and what comes back counts by its signature alone. Where a witness is behind https, a
 * tunnel (stunnel, ssh -L) carries it. No redirects, no chunks: it asks in HTTP/1.0 and takes the answer to its end.
 *
 * Bounds: KT_HTTP_PATIENCE_MS for all of it, 8 KiB of headers. Errors: KT_USAGE (the URL), KT_UNSUPPORTED, KT_IO, KT_LIMIT.
 */
#ifndef KT_CLI_HTTP_H
#define KT_CLI_HTTP_H

#include <stddef.h>

#include "storage/error.h"

#define KT_HTTP_PATIENCE_MS 20000

/* url: "http://HOST[:PORT][/PREFIX]"; `path` is put behind it. answer has `room` bytes. */
kt_code kt_http_post(const char *url, const char *path, const char *body, size_t size, unsigned *status, char *answer,
                     size_t room, size_t *answer_size, kt_error *error);

#endif
