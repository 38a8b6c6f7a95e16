#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2 */
#endif
#include "tests/serving.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/ledger/entry.h"
#include "engine/remote/link.h"

struct serving {
    kt_serve_options options;
    pthread_t thread;
    int stop[2], ready[2];
    kt_code code;
    kt_error error;
    kt_desk_stats stats;
    char socket[1024], directory[1024];
};

static _Noreturn void die(const char *what, const kt_error *error) {
    diag("%s: %s", what, error != NULL ? error->text : strerror(errno));
    ok(false, "%s", what);
    exit(done());
}

static void tell_ready(void *context, const char *origin) {
    serving *server = context;
    (void)origin;
    if (write(server->ready[1], "r", 1) != 1) abort();
}

static void *run(void *context) {
    serving *server = context;
    server->code = kt_serve(&server->options, &server->stats, &server->error);
    if (write(server->ready[1], "e", 1) != 1) abort();
    return NULL;
}

const char *serving_socket(const char *name) {
    static char path[1024];
    snprintf(path, sizeof path, "%s.socket", path_of(name));
    return path;
}

serving *serving_start(const char *name, const kt_serve_options *options) {
    serving *server = calloc(1, sizeof *server);
    char how;
    if (server == NULL || pipe2(server->stop, O_CLOEXEC) != 0 || pipe2(server->ready, O_CLOEXEC) != 0)
        die("a server is made", NULL);
    if (options != NULL) server->options = *options;
    snprintf(server->socket, sizeof server->socket, "%s", serving_socket(name));
    snprintf(server->directory, sizeof server->directory, "%s", path_of(name));
    server->options.socket = server->socket;
    server->options.directory = server->directory;
    server->options.stop = server->stop[0];
    server->options.ready = tell_ready;
    server->options.context = server;
    if (pthread_create(&server->thread, NULL, run, server) != 0) die("a server is started", NULL);
    if (read(server->ready[0], &how, 1) != 1 || how != 'r') {
        pthread_join(server->thread, NULL);
        die("a server listens", &server->error);
    }
    return server;
}

void serving_tell_stop(serving *server) {
    if (server->stop[1] >= 0) close(server->stop[1]);
    server->stop[1] = -1;
}

kt_code serving_stop(serving *server, kt_desk_stats *stats, kt_error *error) {
    serving_tell_stop(server);
    pthread_join(server->thread, NULL);
    kt_code code = server->code;
    if (stats != NULL) *stats = server->stats;
    if (error != NULL) *error = server->error;
    close(server->stop[0]);
    close(server->ready[0]);
    close(server->ready[1]);
    free(server);
    return code;
}

/* ---- clients ---- */

kt_signer *serving_signer(const char *name) {
    char path[1100];
    kt_signer *signer;
    snprintf(path, sizeof path, "%s/keys/log.key", path_of(name));
    if (kt_key_load(path, NULL, NULL, &signer, &said) != KT_OK) die("the actor's key is loaded", &said);
    return signer;
}

kt_remote *serving_remote(const char *name, const kt_signer *signer) {
    kt_remote *remote;
    kt_remote_options options = {.signer = signer};
    if (kt_remote_open(serving_socket(name), &options, &remote, &said) != KT_OK) die("a client connects", &said);
    return remote;
}

kt_code serving_post(kt_remote *remote, const char *id, const char *entry, kt_receipt *out) {
    entry_room room;
    kt_batch_options options = {.id = kt_str_from(id)};
    kt_code code = kt_remote_begin(remote, &options, out, &said);
    if (code == KT_OK) code = kt_remote_add(remote, entry_of(&room, entry), &said);
    if (code == KT_OK) return kt_remote_commit(remote, 0, out, &said);
    kt_remote_abort(remote);
    return code;
}

int serving_connect(const char *name) {
    struct sockaddr_un address;
    uint8_t body[65536];
    if (kt_link_address(serving_socket(name), &address, &said) != KT_OK) die("a socket's address", &said);
    int socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0 || connect(socket_, (struct sockaddr *)&address, sizeof address) != 0)
        die("a client connects", NULL);
    if (serving_receive(socket_, body) == 0) die("the server says hello", NULL);
    return socket_;
}

bool serving_send(int socket, const void *data, size_t size) {
    const uint8_t *at = data;
    while (size != 0) {
        ssize_t sent = send(socket, at, size, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool receive_all(int socket, uint8_t *out, size_t size) {
    while (size != 0) {
        struct pollfd ready = {.fd = socket, .events = POLLIN};
        if (poll(&ready, 1, 10000) != 1) return false;
        ssize_t got = recv(socket, out, size, 0);
        if (got <= 0) return false;
        out += got;
        size -= (size_t)got;
    }
    return true;
}

size_t serving_receive(int socket, uint8_t *out) {
    uint8_t head[KT_FRAME_HEAD];
    if (!receive_all(socket, head, sizeof head)) return 0;
    uint32_t size = kt_frame_size(head);
    return size != 0 && size <= 65536 && receive_all(socket, out, size) ? size : 0;
}

kt_code serving_refusal(int socket, char *text) {
    uint8_t body[65536];
    kt_refused refused;
    size_t size = serving_receive(socket, body);
    if (text != NULL) text[0] = '\0';
    if (size == 0) return KT_END;
    if (kt_refusal_read(kt_span_of(body, size), &refused, NULL) != KT_OK) return KT_OK;
    if (text != NULL) snprintf(text, 1200, "%.*s", (int)refused.text.size, refused.text.data);
    return refused.code;
}

/* ---- batches ---- */

uint8_t *serving_frame(const char *origin, const char *id, const kt_draft *draft, const kt_signer *signer,
                       size_t *size) {
    uint8_t signature[KT_SIGNATURE_SIZE];
    kt_pack pack;
    if (kt_draft_sign(draft, origin, kt_str_from(id), signer, signature, NULL) != KT_OK) die("a signature", NULL);
    kt_batch_frame batch = {.id = kt_str_from(id),
                            .actor = kt_signer_public(signer),
                            .signature = signature,
                            .posted = draft->entry_count,
                            .count = draft->count};
    uint8_t *frame = malloc(1024 + draft->size);
    if (frame == NULL) die("memory", NULL);
    kt_pack_init(&pack, frame + KT_FRAME_HEAD, 1024 - KT_FRAME_HEAD);
    kt_batch_frame_pack(&pack, &batch, NULL);
    memcpy(frame + KT_FRAME_HEAD + pack.size, draft->data, draft->size);
    kt_frame_head(frame, pack.size + draft->size);
    *size = KT_FRAME_HEAD + pack.size + draft->size;
    return frame;
}

size_t serving_entry(const char *date, const char *voucher, kt_amount amount, uint8_t *out, size_t room) {
    kt_line lines[2] = {{.account = KT_STR("1000"), .amount = amount}, {.account = KT_STR("4000"), .amount = -amount}};
    kt_entry entry = {.date = day(date), .voucher = kt_str_from(voucher), .lines = lines, .line_count = 2};
    kt_pack pack;
    kt_pack_init(&pack, out, room);
    kt_entry_pack(&pack, &entry, false);
    return pack.size;
}
