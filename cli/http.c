#include "cli/http.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 8192
#define URL_MAX 1024

typedef struct target {
    char host[256], port[16], prefix[URL_MAX];
    bool bracketed; /* an IPv6 address */
} target;

static kt_code read_url(const char *url, target *out, kt_error *error) {
    static const char scheme[] = "http://";
    if (strncmp(url, "https://", 8) == 0)
        return kt_fail(
            error, KT_UNSUPPORTED,
            "%.200s: TLS is not spoken here, and nothing needs it but who asks whom: put a tunnel in between", url);
    if (strncmp(url, scheme, strlen(scheme)) != 0 || strlen(url) >= URL_MAX)
        return kt_fail(error, KT_USAGE, "%.200s: expected a URL as http://127.0.0.1:8470", url);
    for (const char *at = url; *at != '\0'; at++)
        if (*at <= ' ' || *at == 0x7F) return kt_fail(error, KT_USAGE, "the URL has a space or a control character");
    const char *host = url + strlen(scheme), *end = host + strcspn(host, "/"), *colon;
    out->bracketed = *host == '[';
    if (out->bracketed) {
        const char *close = memchr(host, ']', (size_t)(end - host));
        colon = close == NULL ? end : close + 1;
    } else colon = memchr(host, ':', (size_t)(end - host));
    if (colon == NULL) colon = end;
    bool ported = colon < end && *colon == ':';
    int host_size = (int)(colon - host) - (out->bracketed ? 2 : 0);
    if ((!ported && colon != end) || host_size <= 0 || host_size >= (int)sizeof out->host ||
        end - colon > (ptrdiff_t)sizeof out->port - 1 || (ported && end - colon < 2))
        return kt_fail(error, KT_USAGE, "%.200s: expected a URL as http://127.0.0.1:8470", url);
    (void)snprintf(out->host, sizeof out->host, "%.*s", host_size, host + (out->bracketed ? 1 : 0));
    (void)snprintf(out->port, sizeof out->port, "%.*s", ported ? (int)(end - colon - 1) : 2, ported ? colon + 1 : "80");
    (void)snprintf(out->prefix, sizeof out->prefix, "%s", end);
    size_t size = strlen(out->prefix);
    while (size > 0 && out->prefix[size - 1] == '/') out->prefix[--size] = '\0';
    return KT_OK;
}

/* ---- waiting, but not for ever ---- */

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static kt_code wait_for(int file, short events, int64_t until, kt_error *error) {
    for (;;) {
        struct pollfd ready = {.fd = file, .events = events};
        int64_t left = until - now_ms();
        int count = left <= 0 ? 0 : poll(&ready, 1, (int)left);
        if (count > 0) return KT_OK;
        if (count == 0) return kt_fail(error, KT_IO, "no answer within %d seconds", KT_HTTP_PATIENCE_MS / 1000);
        if (errno != EINTR) return kt_fail_errno(error, errno, "waiting");
    }
}

static kt_code connect_one(const struct addrinfo *address, int64_t until, int *out, kt_error *error) {
    int fault = 0, file = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof fault;
    kt_code code = KT_OK;
    if (file < 0) return kt_fail_errno(error, errno, "a socket");
    if (connect(file, address->ai_addr, address->ai_addrlen) != 0) {
        if (errno != EINPROGRESS) code = kt_fail_errno(error, errno, "connecting");
        else code = wait_for(file, POLLOUT, until, error);
        if (code == KT_OK && (getsockopt(file, SOL_SOCKET, SO_ERROR, &fault, &size) != 0 || fault != 0))
            code = kt_fail_errno(error, fault != 0 ? fault : errno, "connecting");
    }
    if (code == KT_OK) *out = file;
    else (void)close(file);
    return code;
}

static kt_code connect_to(const target *to, int64_t until, int *out, kt_error *error) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int fault = getaddrinfo(to->host, to->port, &hints, &found);
    if (fault != 0) return kt_fail(error, KT_IO, "%s", gai_strerror(fault));
    kt_code code = KT_IO;
    for (const struct addrinfo *at = found; at != NULL && code != KT_OK; at = at->ai_next)
        code = connect_one(at, until, out, error);
    freeaddrinfo(found);
    return code;
}

static kt_code send_all(int file, const char *data, size_t size, int64_t until, kt_error *error) {
    while (size > 0) {
        ssize_t sent = send(file, data, size, MSG_NOSIGNAL);
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN) {
            kt_code code = wait_for(file, POLLOUT, until, error);
            if (code != KT_OK) return code;
        } else if (errno != EINTR) return kt_fail_errno(error, errno, "sending");
    }
    return KT_OK;
}

/* To the end; more than `room` is refused. */
static kt_code receive_all(int file, char *data, size_t room, size_t *size, int64_t until, kt_error *error) {
    *size = 0;
    for (;;) {
        if (*size == room) return kt_fail(error, KT_LIMIT, "an answer of more than %zu bytes", room);
        ssize_t got = recv(file, data + *size, room - *size, 0);
        if (got == 0) return KT_OK;
        if (got > 0) *size += (size_t)got;
        else if (errno == EAGAIN) {
            kt_code code = wait_for(file, POLLIN, until, error);
            if (code != KT_OK) return code;
        } else if (errno != EINTR) return kt_fail_errno(error, errno, "receiving");
    }
}

/* ---- the answer ---- */

/* A header's value between head and end, NULL where it is not there. */
static const char *header(const char *head, const char *end, const char *name) {
    size_t size = strlen(name);
    for (const char *line = head; line < end;) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        if (feed == NULL) return NULL;
        if ((size_t)(feed - line) > size && strncasecmp(line, name, size) == 0 && line[size] == ':')
            return line + size + 1 + strspn(line + size + 1, " \t");
        line = feed + 1;
    }
    return NULL;
}

/* text has a zero behind it. */
static kt_code read_answer(const char *text, size_t size, unsigned *status, const char **body, size_t *body_size,
                           kt_error *error) {
    const char *split = strstr(text, "\r\n\r\n");
    if (size < 13 || strncmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ' || split == NULL || split - text > HEAD_MAX)
        return kt_fail(error, KT_IO, "that is no answer of HTTP/1");
    *status = 0;
    for (int i = 9; i < 12; i++) {
        if (text[i] < '0' || text[i] > '9') return kt_fail(error, KT_IO, "an answer without a status");
        *status = *status * 10 + (unsigned)(text[i] - '0');
    }
    const char *head = strchr(text, '\n') + 1, *end = split + 2;
    *body = split + 4;
    *body_size = size - (size_t)(*body - text);
    const char *coding = header(head, end, "Transfer-Encoding"), *length = header(head, end, "Content-Length");
    if (coding != NULL && strncasecmp(coding, "identity", 8) != 0)
        return kt_fail(error, KT_UNSUPPORTED, "an answer in chunks, which HTTP/1.0 has none of");
    if (length != NULL) {
        size_t digits = strspn(length, "0123456789");
        unsigned long expected = digits == 0 || digits > 9 ? 0 : strtoul(length, NULL, 10);
        if (digits == 0 || digits > 9 || *body_size < expected)
            return kt_fail(error, KT_IO, "the answer was cut short");
        *body_size = expected;
    }
    return KT_OK;
}

static kt_code exchange(const target *to, const char *path, const char *body, size_t size, char *text, size_t room,
                        size_t *used, kt_error *error) {
    char head[URL_MAX * 2];
    int file = -1;
    int64_t until = now_ms() + KT_HTTP_PATIENCE_MS;
    int length = snprintf(head, sizeof head,
                          "POST %s%s HTTP/1.0\r\nHost: %s%s%s:%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                          "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                          to->prefix, path, to->bracketed ? "[" : "", to->host, to->bracketed ? "]" : "", to->port,
                          size);
    if (length < 0 || length >= (int)sizeof head) return kt_fail(error, KT_USAGE, "too long a URL");
    kt_code code = connect_to(to, until, &file, error);
    if (code != KT_OK) return code;
    code = send_all(file, head, (size_t)length, until, error);
    if (code == KT_OK) code = send_all(file, body, size, until, error);
    if (code == KT_OK) code = receive_all(file, text, room, used, until, error);
    (void)close(file);
    return code;
}

kt_code kt_http_post(const char *url, const char *path, const char *body, size_t size, unsigned *status, char *answer,
                     size_t room, size_t *answer_size, kt_error *error) {
    target to;
    const char *found = "";
    size_t used = 0;
    kt_code code = read_url(url, &to, error);
    if (code != KT_OK) return code;
    char *text = malloc(HEAD_MAX + room + 2);
    if (text == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    code = exchange(&to, path, body, size, text, HEAD_MAX + room + 1, &used, error);
    if (code == KT_OK) {
        text[used] = '\0';
        code = read_answer(text, used, status, &found, answer_size, error);
    }
    if (code == KT_OK && *answer_size > room) code = kt_fail(error, KT_LIMIT, "an answer of more than %zu bytes", room);
    if (code == KT_OK) memcpy(answer, found, *answer_size);
    free(text);
    return code == KT_OK ? KT_OK : kt_fail_at(error, code, "%.200s", url);
}
