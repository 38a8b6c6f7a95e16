#include "engine/remote/client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

void kt_client_begin(kt_client *client, unsigned slot, int socket, int64_t now) {
    *client = (kt_client){.slot = slot, .socket = socket, .state = KT_CLIENT_HEAD, .since = now, .need = KT_FRAME_HEAD};
}

/* Into [out + have, out + need). MORE: the socket has no more; READY: it is all there. */
static kt_client_event fill(kt_client *client, uint8_t *out) {
    while (client->have < client->need) {
        ssize_t got = recv(client->socket, out + client->have, client->need - client->have, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return KT_CLIENT_MORE;
        if (got <= 0) return KT_CLIENT_GONE;
        client->have += (size_t)got;
    }
    return KT_CLIENT_READY;
}

kt_client_event kt_client_read(kt_client *client, int64_t now) {
    if (client->state == KT_CLIENT_BODY) return fill(client, client->job.body);
    size_t before = client->have;
    kt_client_event event = fill(client, client->head);
    if (before == 0 && client->have != 0) client->since = now;
    if (event != KT_CLIENT_READY) return event;
    client->have = 0;
    client->need = kt_frame_size(client->head);
    return client->need == 0 ? KT_CLIENT_BAD : KT_CLIENT_SIZED;
}

bool kt_client_take_body(kt_client *client) {
    client->job.body = malloc(client->need);
    client->job.size = client->need;
    client->state = KT_CLIENT_BODY;
    return client->job.body != NULL;
}

void kt_client_answer(kt_client *client, int64_t now) {
    client->state = KT_CLIENT_ANSWERS;
    client->since = now;
    client->have = 0;
    client->need = client->job.answer_size;
}

kt_client_event kt_client_write(kt_client *client, int64_t now) {
    while (client->have < client->need) {
        ssize_t sent = send(client->socket, client->job.answer + client->have, client->need - client->have,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return KT_CLIENT_MORE;
        if (sent < 0) return KT_CLIENT_GONE;
        client->have += (size_t)sent;
    }
    if (client->job.hangs_up) return KT_CLIENT_GONE;
    kt_job_clear(&client->job);
    client->state = KT_CLIENT_HEAD;
    client->since = now;
    client->have = 0;
    client->need = KT_FRAME_HEAD;
    return KT_CLIENT_DONE;
}

bool kt_client_is_late(const kt_client *client, int64_t now, int64_t patience) {
    bool under_way = client->state == KT_CLIENT_BODY || client->state == KT_CLIENT_ANSWERS ||
                     (client->state == KT_CLIENT_HEAD && client->have != 0);
    return under_way && now - client->since > patience;
}
