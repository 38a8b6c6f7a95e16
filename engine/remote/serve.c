#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include "engine/remote/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/remote/client.h"
#include "engine/remote/door.h"

#define EVENTS 256
#define TICK_MS 250        /* how often it looks whether somebody is late */
#define PAUSE_MS 100       /* after the system had no descriptor for a new client */
#define SPARE_FILES 64u    /* descriptors for everything but clients */
#define IDLE_LEAST_MS 1000 /* that makes room for a new client */

/* What an event is about: a slot's number, or one of these. */
#define ABOUT_DOOR UINT32_MAX
#define ABOUT_STOP (UINT32_MAX - 1)
#define ABOUT_WAKE (UINT32_MAX - 2)

typedef struct server {
    kt_serve_options options;
    kt_desk *desk;
    kt_door *door;
    int epoll, wake;
    kt_client **slots; /* NULL: free */
    unsigned slot_count, used;
    size_t bytes;        /* reserved of most_bytes */
    unsigned waiting;    /* clients that wait for bytes */
    int64_t paused_till; /* no new clients before; 0: not paused */
    int64_t last_tick;
    kt_job_queue given; /* whole frames of this round of the loop */
    bool draining;
} server;

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- slots ---- */

static void watch(server *self, unsigned slot, uint32_t wanted) {
    kt_client *client = self->slots[slot];
    struct epoll_event event = {.events = wanted, .data.u32 = slot};
    if (client->wanted == wanted) return;
    client->wanted = wanted;
    epoll_ctl(self->epoll, EPOLL_CTL_MOD, client->socket, &event);
}

static void free_slot(server *self, unsigned slot) {
    kt_client *client = self->slots[slot];
    kt_job_clear(&client->job);
    free(client);
    self->slots[slot] = NULL;
    self->used--;
}

static void give_back(server *self, kt_client *client) {
    self->bytes -= client->reserved;
    client->reserved = 0;
}

/* The job of a client that is gone goes on: what it sent may be stored, and it may ask for it again. */
static void hang_up(server *self, unsigned slot) {
    kt_client *client = self->slots[slot];
    if (client->socket >= 0) close(client->socket);
    client->socket = -1;
    if (client->state == KT_CLIENT_WAITS) self->waiting--;
    if (client->state == KT_CLIENT_WORKS) return;
    give_back(self, client);
    free_slot(self, slot);
}

static void give_job(server *self, unsigned slot) {
    kt_client *client = self->slots[slot];
    client->state = KT_CLIENT_WORKS;
    kt_job_put(&self->given, &client->job);
}

/* ---- answering ---- */

static void write_on(server *self, unsigned slot, int64_t now) {
    kt_client *client = self->slots[slot];
    kt_client_event event = kt_client_write(client, now);
    if (event == KT_CLIENT_MORE) watch(self, slot, EPOLLOUT);
    else if (event == KT_CLIENT_GONE || self->draining) hang_up(self, slot);
    else watch(self, slot, EPOLLIN);
}

static void answer(server *self, unsigned slot, int64_t now) {
    kt_client *client = self->slots[slot];
    free(client->job.body); /* the memory is for others while the answer goes out */
    client->job.body = NULL;
    give_back(self, client);
    kt_client_answer(client, now);
    write_on(self, slot, now);
}

static void refuse(server *self, unsigned slot, kt_code code, const char *text, int64_t now) {
    kt_client *client = self->slots[slot];
    if (client->state == KT_CLIENT_WAITS) self->waiting--;
    kt_job_refuse(&client->job, code, -1, text);
    client->job.hangs_up = true;
    answer(self, slot, now);
}

/* ---- reading ---- */

static void read_on(server *self, unsigned slot, int64_t now);

/* False: too little is left for all, and it waits for its turn. */
static bool find_memory(server *self, unsigned slot, int64_t now) {
    kt_client *client = self->slots[slot];
    size_t size = client->need > KT_CLIENT_OWN ? client->need : 0;
    if (self->options.most_bytes - self->bytes < size) return false;
    client->reserved = size;
    self->bytes += size;
    client->since = now;
    if (!kt_client_take_body(client)) refuse(self, slot, KT_MEMORY, "out of memory for a frame", now);
    else read_on(self, slot, now);
    return true;
}

static void read_on(server *self, unsigned slot, int64_t now) {
    kt_client *client = self->slots[slot];
    char text[100];
    switch (kt_client_read(client, now)) {
    case KT_CLIENT_SIZED:
        if (find_memory(self, slot, now)) return;
        client->state = KT_CLIENT_WAITS;
        client->since = now;
        self->waiting++;
        watch(self, slot, 0);
        return;
    case KT_CLIENT_READY: give_job(self, slot); return;
    case KT_CLIENT_BAD:
        snprintf(text, sizeof text, "a frame of %lu bytes, expected 1 to %u", (unsigned long)kt_get_be32(client->head),
                 KT_FRAME_MAX);
        refuse(self, slot, KT_LIMIT, text, now);
        return;
    case KT_CLIENT_GONE: hang_up(self, slot); return;
    case KT_CLIENT_MORE:
        if (self->draining) hang_up(self, slot); /* what was received so far is no frame */
        else watch(self, slot, EPOLLIN);
        return;
    case KT_CLIENT_DONE: return;
    }
}

/* Those that waited longest come first. */
static void serve_waiting(server *self, int64_t now) {
    while (self->waiting != 0) {
        unsigned first = self->slot_count;
        for (unsigned i = 0; i < self->slot_count; i++) {
            const kt_client *client = self->slots[i];
            if (client == NULL || client->state != KT_CLIENT_WAITS) continue;
            if (first == self->slot_count || client->since < self->slots[first]->since) first = i;
        }
        if (first == self->slot_count) return;
        if (self->options.most_bytes - self->bytes < self->slots[first]->need) return;
        self->waiting--;
        find_memory(self, first, now);
    }
}

static void client_event(server *self, unsigned slot, uint32_t events, int64_t now) {
    kt_client *client = self->slots[slot];
    if (client == NULL || client->socket < 0) return;
    bool gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
    switch (client->state) {
    case KT_CLIENT_HEAD:
    case KT_CLIENT_BODY: read_on(self, slot, now); break; /* also what came before it hung up */
    case KT_CLIENT_ANSWERS:
        if (gone) hang_up(self, slot);
        else write_on(self, slot, now);
        break;
    case KT_CLIENT_WAITS:
    case KT_CLIENT_WORKS:
        if (gone) hang_up(self, slot);
        else watch(self, slot, 0); /* it sends on before it has its answer: that waits */
        break;
    case KT_CLIENT_NONE: break;
    }
}

/* ---- new clients ---- */

static unsigned find_slot(server *self, int64_t now) {
    unsigned idle = self->slot_count;
    for (unsigned i = 0; i < self->slot_count; i++) {
        const kt_client *client = self->slots[i];
        if (client == NULL) return i;
        if (client->state != KT_CLIENT_HEAD || client->have != 0 || now - client->since < IDLE_LEAST_MS) continue;
        if (idle == self->slot_count || client->since < self->slots[idle]->since) idle = i;
    }
    if (idle != self->slot_count) hang_up(self, idle);
    return idle;
}

static void turn_away(int socket) {
    kt_job job = {0};
    kt_job_refuse(&job, KT_BUSY, -1, "the server has as many clients as it takes: try again later");
    if (send(socket, job.answer, job.answer_size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) { /* then without a word */
    }
    close(socket);
}

static void admit(server *self, int socket, int64_t now) {
    unsigned slot = find_slot(self, now);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = slot};
    if (slot == self->slot_count) {
        turn_away(socket);
        return;
    }
    kt_client *client = calloc(1, sizeof *client);
    if (client == NULL || epoll_ctl(self->epoll, EPOLL_CTL_ADD, socket, &event) != 0) {
        free(client);
        close(socket);
        return;
    }
    kt_client_begin(client, slot, socket, now);
    client->wanted = EPOLLIN;
    self->slots[slot] = client;
    self->used++;
    give_job(self, slot); /* the hello */
}

static void watch_door(server *self, bool wanted) {
    struct epoll_event event = {.events = wanted ? EPOLLIN : 0, .data.u32 = ABOUT_DOOR};
    epoll_ctl(self->epoll, EPOLL_CTL_MOD, kt_door_descriptor(self->door), &event);
}

static void door_event(server *self, int64_t now) {
    for (unsigned i = 0; i < EVENTS; i++) {
        int socket = accept4(kt_door_descriptor(self->door), NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (socket >= 0) {
            admit(self, socket, now);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) { /* no descriptor, no memory: not in a tight loop */
            watch_door(self, false);
            self->paused_till = now + PAUSE_MS;
        }
        return;
    }
}

/* ---- what is done ---- */

static void wake_event(server *self, int64_t now) {
    uint64_t count;
    if (read(self->wake, &count, sizeof count) < 0) { /* somebody else's wake came first */
    }
    kt_job *next;
    for (kt_job *job = kt_desk_take(self->desk); job != NULL; job = next) {
        next = job->next;
        kt_client *client = (kt_client *)(void *)job;
        unsigned slot = client->slot;
        client->state = KT_CLIENT_ANSWERS;
        if (client->socket < 0) hang_up(self, slot);
        else answer(self, slot, now);
    }
}

/* ---- the loop ---- */

static void begin_drain(server *self, int64_t now) {
    if (self->draining) return;
    self->draining = true;
    epoll_ctl(self->epoll, EPOLL_CTL_DEL, kt_door_descriptor(self->door), NULL);
    if (self->options.stop >= 0) epoll_ctl(self->epoll, EPOLL_CTL_DEL, self->options.stop, NULL);
    kt_door_close(self->door);
    self->door = NULL;
    /* What has come whole is still taken; whoever has sent nothing, or half a frame, is hung up on. */
    for (unsigned i = 0; i < self->slot_count; i++) {
        kt_client *client = self->slots[i];
        if (client != NULL && (client->state == KT_CLIENT_HEAD || client->state == KT_CLIENT_BODY))
            read_on(self, i, now);
    }
}

static void tick(server *self, int64_t now) {
    self->last_tick = now;
    if (self->paused_till != 0 && now >= self->paused_till && !self->draining) {
        self->paused_till = 0;
        watch_door(self, true);
    }
    for (unsigned i = 0; i < self->slot_count; i++) {
        kt_client *client = self->slots[i];
        if (client == NULL || !kt_client_is_late(client, now, self->options.patience_ms)) continue;
        if (client->state == KT_CLIENT_ANSWERS) hang_up(self, i);
        else refuse(self, i, KT_LIMIT, "the frame did not come in time", now);
    }
}

static kt_code run(server *self, kt_error *error) {
    struct epoll_event events[EVENTS];
    while (!(self->draining && self->used == 0)) {
        int count = epoll_wait(self->epoll, events, EVENTS, self->used != 0 || self->paused_till != 0 ? TICK_MS : -1);
        if (count < 0 && errno != EINTR) return kt_fail_errno(error, errno, "waiting for clients");
        int64_t now = now_ms();
        bool stops = false, door = false;
        for (int i = 0; i < count; i++) {
            uint32_t about = events[i].data.u32;
            if (about == ABOUT_WAKE) wake_event(self, now);
            else if (about == ABOUT_STOP) stops = true;
            else if (about == ABOUT_DOOR) door = true;
            else client_event(self, about, events[i].events, now);
        }
        /* New clients last: they may take the place of one that an event above was about. */
        if (door && !self->draining) door_event(self, now);
        if (self->waiting != 0) serve_waiting(self, now);
        if (now - self->last_tick >= TICK_MS) tick(self, now);
        if (stops || kt_desk_health(self->desk, NULL) != KT_OK) begin_drain(self, now);
        kt_desk_give(self->desk, &self->given);
    }
    return kt_desk_health(self->desk, error);
}

static kt_code add_watch(server *self, int descriptor, uint32_t about, kt_error *error) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = about};
    if (descriptor < 0 || epoll_ctl(self->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0) return KT_OK;
    return kt_fail_errno(error, errno, "watching for clients");
}

/* As many as there are descriptors for. */
static unsigned clients_possible(unsigned wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
    if (limit.rlim_cur < wanted + SPARE_FILES && limit.rlim_max > limit.rlim_cur) {
        limit.rlim_cur = limit.rlim_max < wanted + SPARE_FILES ? limit.rlim_max : wanted + SPARE_FILES;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
    }
    if (limit.rlim_cur >= wanted + SPARE_FILES) return wanted;
    return limit.rlim_cur > 2 * SPARE_FILES ? (unsigned)limit.rlim_cur - SPARE_FILES : SPARE_FILES;
}

static kt_code open_all(server *self, kt_error *error) {
    kt_serve_options *options = &self->options;
    if (options->mode == 0) options->mode = 0600;
    if (options->most_clients == 0) options->most_clients = KT_SERVE_CLIENTS;
    if (options->most_bytes == 0) options->most_bytes = KT_SERVE_BYTES;
    if (options->most_bytes < KT_FRAME_MAX) options->most_bytes = KT_FRAME_MAX; /* or the largest would wait for ever */
    if (options->patience_ms == 0) options->patience_ms = KT_SERVE_PATIENCE_MS;
    self->slot_count = clients_possible(options->most_clients);
    self->slots = calloc(self->slot_count, sizeof(kt_client *));
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->slots == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    if (self->epoll < 0 || self->wake < 0) return kt_fail_errno(error, errno, "watching for clients");
    kt_desk_options desk = {.directory = options->directory,
                            .entity = options->entity,
                            .threads = options->threads,
                            .wake = self->wake,
                            .passphrase = options->passphrase,
                            .passphrase_context = options->passphrase_context};
    kt_code code = kt_desk_open(&desk, &self->desk, error);
    if (code == KT_OK) code = kt_door_open(options->socket, options->mode, &self->door, error);
    if (code == KT_OK) code = add_watch(self, kt_door_descriptor(self->door), ABOUT_DOOR, error);
    if (code == KT_OK) code = add_watch(self, options->stop, ABOUT_STOP, error);
    return code == KT_OK ? add_watch(self, self->wake, ABOUT_WAKE, error) : code;
}

kt_code kt_serve(const kt_serve_options *options, kt_desk_stats *stats, kt_error *error) {
    server self = {.options = *options, .epoll = -1, .wake = -1};
    kt_code code = open_all(&self, error);
    if (code == KT_OK) {
        if (options->ready != NULL) options->ready(options->context, kt_desk_origin(self.desk));
        code = run(&self, error);
    }
    kt_door_close(self.door);
    if (stats != NULL && self.desk != NULL) kt_desk_stats_of(self.desk, stats);
    kt_desk_close(self.desk); /* all jobs are done then, and may be let go */
    for (unsigned i = 0; i < self.slot_count && self.slots != NULL; i++)
        if (self.slots[i] != NULL) {
            self.slots[i]->state = KT_CLIENT_NONE;
            hang_up(&self, i);
        }
    free(self.slots);
    if (self.wake >= 0) close(self.wake);
    if (self.epoll >= 0) close(self.epoll);
    return code;
}
