#include "engine/remote/link.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define AHEAD 4096u /* most answers come with one call */

struct kt_link {
    int socket;
    char *path;
    uint8_t *body;
    size_t room;
    uint8_t ahead[AHEAD]; /* read and not yet asked for */
    size_t ahead_at, ahead_end;
};

kt_code kt_link_address(const char *path, struct sockaddr_un *out, kt_error *error) {
    size_t size = strlen(path);
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (size == 0 || size >= sizeof out->sun_path)
        return kt_fail(error, KT_USAGE, "%s: the path of a socket has 1 to %zu bytes", path, sizeof out->sun_path - 1);
    memcpy(out->sun_path, path, size + 1);
    return KT_OK;
}

kt_code kt_link_open(const char *path, kt_link **out, kt_error *error) {
    struct sockaddr_un address;
    *out = NULL;
    kt_code code = kt_link_address(path, &address, error);
    if (code != KT_OK) return code;
    kt_link *link = calloc(1, sizeof *link);
    if (link == NULL || (link->path = strdup(path)) == NULL) {
        free(link);
        return kt_fail(error, KT_MEMORY, "out of memory");
    }
    link->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->socket < 0) code = kt_fail_errno(error, errno, "%s", path);
    while (code == KT_OK && connect(link->socket, (const struct sockaddr *)&address, sizeof address) != 0) {
        if (errno == EINTR) continue;
        if (errno == ECONNREFUSED || errno == ENOENT || errno == ENOTSOCK)
            code = kt_fail(error, KT_IO, "%s: nobody serves a book there", path);
        else code = kt_fail_errno(error, errno, "%s", path);
    }
    if (code != KT_OK) kt_link_close(link);
    else *out = link;
    return code;
}

void kt_link_close(kt_link *link) {
    if (link == NULL) return;
    if (link->socket >= 0) close(link->socket);
    free(link->path);
    free(link->body);
    free(link);
}

/* What was written of the parts so far is left out of them. */
static void advance(struct iovec *parts, size_t count, size_t written) {
    for (size_t i = 0; i < count; i++) {
        size_t taken = written < parts[i].iov_len ? written : parts[i].iov_len;
        parts[i].iov_base = (uint8_t *)parts[i].iov_base + taken;
        parts[i].iov_len -= taken;
        written -= taken;
    }
}

kt_code kt_link_send(kt_link *link, kt_span begin, kt_span rest, kt_error *error) {
    uint8_t head[KT_FRAME_HEAD];
    size_t left = sizeof head + begin.size + rest.size;
    if (begin.size + rest.size > KT_FRAME_MAX)
        return kt_fail(error, KT_LIMIT, "a frame of %zu bytes, at most %u are sent", begin.size + rest.size,
                       KT_FRAME_MAX);
    kt_frame_head(head, begin.size + rest.size);
    union {
        const uint8_t *in;
        void *out;
    } first = {.in = begin.data}, second = {.in = rest.data}; /* sendmsg only reads */
    struct iovec parts[3] = {{head, sizeof head}, {first.out, begin.size}, {second.out, rest.size}};
    while (left != 0) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
        ssize_t written = sendmsg(link->socket, &message, MSG_NOSIGNAL);
        if (written < 0 && errno == EINTR) continue;
        /* Whoever hung up may have said why, and that is to be read. */
        if (written < 0 && (errno == EPIPE || errno == ECONNRESET)) return KT_OK;
        if (written < 0) return kt_fail_errno(error, errno, "%s", link->path);
        left -= (size_t)written;
        advance(parts, 3, (size_t)written);
    }
    return KT_OK;
}

static kt_code read_some(kt_link *link, uint8_t *out, size_t room, size_t *got, kt_error *error) {
    for (;;) {
        ssize_t count = recv(link->socket, out, room, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count == 0 || (count < 0 && errno == ECONNRESET))
            return kt_fail(error, KT_IO, "%s: the server hung up; send the batch again: it is stored once", link->path);
        if (count < 0) return kt_fail_errno(error, errno, "%s", link->path);
        *got = (size_t)count;
        return KT_OK;
    }
}

static kt_code read_all(kt_link *link, uint8_t *out, size_t size, kt_error *error) {
    kt_code code = KT_OK;
    while (size != 0 && code == KT_OK) {
        size_t got = link->ahead_end - link->ahead_at;
        if (got == 0 && size >= AHEAD) code = read_some(link, out, size, &got, error);
        else {
            if (got == 0) {
                link->ahead_at = link->ahead_end = 0;
                code = read_some(link, link->ahead, AHEAD, &link->ahead_end, error);
                got = link->ahead_end;
            }
            if (got > size) got = size;
            if (code == KT_OK) memcpy(out, link->ahead + link->ahead_at, got);
            link->ahead_at += got;
        }
        out += got;
        size -= got;
    }
    return code;
}

kt_code kt_link_receive(kt_link *link, kt_span *body, kt_error *error) {
    uint8_t head[KT_FRAME_HEAD];
    kt_code code = read_all(link, head, sizeof head, error);
    if (code != KT_OK) return code;
    uint32_t size = kt_frame_size(head);
    if (size == 0) return kt_fail(error, KT_INVALID, "%s: what listens there is no kontor", link->path);
    if (size > link->room) {
        uint8_t *grown = realloc(link->body, size);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory for a frame");
        link->body = grown;
        link->room = size;
    }
    code = read_all(link, link->body, size, error);
    *body = kt_span_of(link->body, size);
    return code;
}
