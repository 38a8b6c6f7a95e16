/* The server: many at once, and each batch once; what is malformed, too large, slow or gone harms nobody else; it stops
   when told and leaves nothing behind. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/remote/door.h"
#include "engine/remote/link.h"
#include "tests/serving.h"

#define CLIENTS 64u
#define EACH 12u

/* ---- many at once ---- */

typedef struct client {
    const char *socket; /* NULL: not started */
    const kt_signer *signer;
    unsigned index, posted, repeated;
    uint64_t highest;
    kt_error error;
    pthread_t thread;
} client;

/* Each batch is sent twice, by a client of its own and at times by two at once. */
static void *run_client(void *context) {
    client *self = context;
    kt_remote *remote;
    kt_remote_options options = {.signer = self->signer};
    if (kt_remote_open(self->socket, &options, &remote, &self->error) != KT_OK) return NULL;
    for (unsigned i = 0; i < 2 * EACH; i++) {
        char id[40], voucher[24];
        kt_line lines[2] = {{.account = KT_STR("1000"), .amount = 100}, {.account = KT_STR("4000"), .amount = -100}};
        kt_entry entry = {.date = day("2026-01-05"), .lines = lines, .line_count = 2};
        kt_receipt got = {0};
        snprintf(id, sizeof id, "client %u batch %u", self->index / 2, i / 2);
        snprintf(voucher, sizeof voucher, "%u-%u", self->index / 2, i / 2);
        entry.voucher = kt_str_from(voucher);
        kt_batch_options batch = {.id = kt_str_from(id)};
        kt_code code = kt_remote_begin(remote, &batch, &got, &self->error);
        if (code == KT_OK) code = kt_remote_add(remote, &entry, &self->error);
        if (code == KT_OK) code = kt_remote_commit(remote, 0, &got, &self->error);
        if (code == KT_OK) self->posted++;
        else if (code == KT_REPEATED) self->repeated++;
        else break;
        if (got.tree_size <= got.last) break; /* a checkpoint covers it */
        if (got.last > self->highest) self->highest = got.last;
    }
    kt_remote_close(remote);
    return NULL;
}

static void many(void) {
    static client clients[CLIENTS];
    unsigned posted = 0, repeated = 0, wrong = 0;
    kt_desk_stats stats;
    kt_book *book = make_book("many");
    kt_signer *signer = serving_signer("many");
    serving *server = serving_start("many", NULL);
    kt_head before = head_of(book);
    char socket[1024];
    snprintf(socket, sizeof socket, "%s", serving_socket("many"));
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (client){.socket = socket, .signer = signer, .index = i};
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) != 0) clients[i].socket = NULL;
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (clients[i].socket != NULL) pthread_join(clients[i].thread, NULL);
        posted += clients[i].posted;
        repeated += clients[i].repeated;
        wrong += clients[i].posted + clients[i].repeated != 2 * EACH;
        if (clients[i].posted + clients[i].repeated != 2 * EACH) diag("client %u: %s", i, clients[i].error.text);
    }
    is_int(wrong, 0, "64 clients at once are all answered");
    is_int(posted, CLIENTS / 2 * EACH, "each batch is stored once");
    is_int(repeated, 2 * CLIENTS * EACH - posted, "and whoever sends it again is told where it lies");
    is_code(serving_stop(server, &stats, &said), KT_OK, "the server stops");
    ok(stats.commits < stats.batches, "several batches share a commit (%llu in %llu)",
       (unsigned long long)stats.batches, (unsigned long long)stats.commits);
    kt_head after = head_of(book);
    is_int((long long)(after.entries - before.entries), CLIENTS / 2 * EACH, "the book has each entry once");
    is_int((long long)(after.batches - before.batches), CLIENTS / 2 * EACH, "and each batch");
    ok(balance(book, "1000") == 100 * CLIENTS / 2 * EACH, "and its amounts");
    kt_book_close(book);
    is_sound("many", "what was served is sound");
    kt_signer_close(signer);
}

/* ---- trouble of one ---- */

static size_t good_frame(const char *name, const kt_signer *signer, const char *id, const char *voucher,
                         uint8_t **frame) {
    uint8_t record[256];
    size_t size;
    kt_draft draft;
    kt_draft_entry entry = {0};
    kt_book *book = open_book(name);
    kt_draft_init(&draft);
    kt_draft_add(&draft, kt_span_of(record, serving_entry("2026-01-05", voucher, 500, record, sizeof record)), &entry,
                 NULL);
    *frame = serving_frame(kt_book_origin(book), id, &draft, signer, &size);
    kt_draft_release(&draft);
    kt_book_close(book);
    return size;
}

static void still_works(kt_remote *good, const char *law) {
    static unsigned number;
    char id[20], entry[80];
    snprintf(id, sizeof id, "good %u", ++number);
    snprintf(entry, sizeof entry, "2026-01-05 G%u 1000 1.00 / 4000 -1.00", number);
    is_code(serving_post(good, id, entry, &receipt), KT_OK, "%s", law);
}

static void malformed(const char *name, kt_remote *good, const kt_signer *signer) {
    static const struct {
        const char *what;
        size_t size;
        uint8_t bytes[12];
        kt_code code;
    } all[] = {
        {"a size of 0", 4, {0, 0, 0, 0}, KT_LIMIT},
        {"a size above the limit", 4, {0, 0x80, 0, 1}, KT_LIMIT},
        {"the largest size there is", 4, {255, 255, 255, 255}, KT_LIMIT},
        {"no array", 5, {0, 0, 0, 1, 0xc0}, KT_INVALID},
        {"an empty array", 5, {0, 0, 0, 1, 0x90}, KT_INVALID},
        {"an unknown type", 6, {0, 0, 0, 2, 0x91, 0x09}, KT_INVALID},
        {"what only a server says", 6, {0, 0, 0, 2, 0x91, 0x01}, KT_INVALID},
        {"an array that claims more than there is", 6, {0, 0, 0, 2, 0x9f, 0x04}, KT_INVALID},
        {"a question that is cut short", 6, {0, 0, 0, 2, 0x94, 0x02}, KT_INVALID},
        {"a batch that is none", 6, {0, 0, 0, 2, 0x9a, 0x04}, KT_INVALID},
    };
    char text[1200];
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int socket = serving_connect(name);
        serving_send(socket, all[i].bytes, all[i].size);
        is_code(serving_refusal(socket, text), all[i].code, "%s is refused (%s)", all[i].what, text);
        close(socket);
    }
    uint8_t *frame;
    size_t size = good_frame(name, signer, "a batch to be spoilt", "M1", &frame);
    uint64_t state = test_seed();
    unsigned taken = 0, refused = 0;
    int socket = serving_connect(name);
    uint8_t record[256];
    size_t rejected = size - 3 - (2 + serving_entry("2026-01-05", "M1", 500, record, sizeof record));
    for (unsigned i = 0; i < 300; i++) { /* a frame with one bit flipped, behind its size */
        size_t at = KT_FRAME_HEAD + (size_t)pick(&state, size - KT_FRAME_HEAD);
        if (at == KT_FRAME_HEAD + 2 || at == rejected) at++; /* flags and that count are the sender's to say */
        uint8_t bit = (uint8_t)(1u << pick(&state, 8));
        frame[at] ^= bit;
        serving_send(socket, frame, size);
        kt_code code = serving_refusal(socket, text);
        taken += code == KT_OK;
        refused += code != KT_OK && code != KT_END;
        frame[at] ^= bit;
    }
    close(socket);
    is_int(taken, 0, "no batch with a flipped bit is taken");
    is_int(refused, 300, "each is refused, and the connection goes on");
    socket = serving_connect(name);
    serving_send(socket, frame, size);
    is_code(serving_refusal(socket, text), KT_OK, "unspoilt it is taken");
    close(socket);
    free(frame);
    still_works(good, "and others are served as before");
}

static void slow(const char *name, kt_remote *good, const kt_signer *signer) {
    uint8_t *frame, head[4] = {0, 0x7f, 0, 0};
    char text[1200];
    size_t size = good_frame(name, signer, "slow", "S1", &frame);
    int half = serving_connect(name), one = serving_connect(name), claims = serving_connect(name),
        idle = serving_connect(name);
    serving_send(half, frame, size / 2);
    serving_send(one, frame, 1);
    serving_send(claims, head, sizeof head);
    still_works(good, "while one sends half a frame, others are served");
    is_code(serving_refusal(half, text), KT_LIMIT, "half a frame is not waited for (%s)", text);
    is_code(serving_refusal(half, text), KT_END, "and its sender is hung up on");
    is_code(serving_refusal(one, NULL), KT_LIMIT, "nor is one byte");
    is_code(serving_refusal(claims, NULL), KT_LIMIT, "nor is a large frame of which nothing comes");
    ok(serving_send(idle, frame, size) && serving_refusal(idle, NULL) == KT_OK, "who is idle between frames may be");
    close(half);
    close(one);
    close(claims);
    close(idle);
    free(frame);
}

/* They send a whole batch and do not wait for the answer. */
static void vanishing(const char *name, kt_remote *good, const kt_signer *signer) {
    char id[40], voucher[20];
    uint8_t *frame;
    unsigned lost = 0, stored = 0;
    for (unsigned i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "vanished %u", i);
        snprintf(voucher, sizeof voucher, "W%u", i);
        size_t size = good_frame(name, signer, id, voucher, &frame);
        int socket = serving_connect(name);
        serving_send(socket, frame, i % 4 == 0 ? size - 1 : size);
        close(socket);
        free(frame);
    }
    still_works(good, "after many that vanished, others are served");
    for (unsigned i = 0; i < 40; i++) { /* and they come again */
        snprintf(id, sizeof id, "vanished %u", i);
        snprintf(voucher, sizeof voucher, "W%u", i);
        size_t size = good_frame(name, signer, id, voucher, &frame);
        int socket = serving_connect(name);
        uint8_t body[65536];
        kt_receipt_frame got = {0};
        serving_send(socket, frame, size);
        size_t came = serving_receive(socket, body);
        kt_code code = kt_receipt_read(kt_span_of(body, came), &got, &said);
        lost += code != KT_OK;
        stored += got.repeated;
        if (i % 4 == 0 && got.repeated) lost++; /* what did not come whole was not stored */
        close(socket);
        free(frame);
    }
    is_int(lost, 0, "whoever vanished may send again");
    is_int(stored, 30, "and what had come whole was stored, once");
}

/* Those that do not read their answers fill their own buffers alone. */
static void deaf(const char *name, kt_remote *good) {
    uint8_t frame[4 + 16];
    kt_question question = {.account_count = 1, .accounts = {KT_STR("1000")}};
    kt_pack pack;
    kt_pack_init(&pack, frame + 4, sizeof frame - 4);
    kt_question_pack(&pack, &question);
    kt_frame_head(frame, pack.size);
    int socket = serving_connect(name), flags = fcntl(socket, F_GETFL);
    fcntl(socket, F_SETFL, flags | O_NONBLOCK);
    for (unsigned i = 0; i < 100000; i++)
        if (send(socket, frame, 4 + pack.size, MSG_NOSIGNAL) < 0) break;
    still_works(good, "while one asks and asks and hears nothing, others are served");
    close(socket);
}

/* Large frames share what memory there is; small ones need none of it. */
static void greedy(const char *name, kt_remote *good) {
    enum { GREEDY = 40 };
    uint8_t head[4], part[70000] = {0};
    int sockets[GREEDY];
    kt_frame_head(head, KT_FRAME_MAX);
    for (unsigned i = 0; i < GREEDY; i++) {
        sockets[i] = serving_connect(name);
        serving_send(sockets[i], head, sizeof head);
        (void)!send(sockets[i], part, sizeof part, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    still_works(good, "while forty claim the largest frame, small ones are served");
    for (unsigned i = 0; i < GREEDY; i++) close(sockets[i]);
    still_works(good, "and when they are gone");
}

static void crowd(void) {
    enum { MOST = 8 };
    kt_serve_options options = {.most_clients = MOST};
    kt_book *book = make_book("crowd");
    kt_signer *signer = serving_signer("crowd");
    serving *server = serving_start("crowd", &options);
    int sockets[MOST];
    struct sockaddr_un address;
    for (unsigned i = 0; i < MOST; i++) sockets[i] = serving_connect("crowd");
    int late = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (kt_link_address(serving_socket("crowd"), &address, &said) != KT_OK ||
        connect(late, (struct sockaddr *)&address, sizeof address) != 0)
        ok(false, "a client too many connects");
    is_code(serving_refusal(late, NULL), KT_BUSY, "a client too many is turned away");
    close(late);
    usleep(1200 * 1000);
    kt_remote *remote = serving_remote("crowd", signer);
    is_code(serving_post(remote, "crowd", "2026-01-05 1 1000 1.00 / 4000 -1.00", &receipt), KT_OK,
            "but takes the place of one that has been idle");
    kt_remote_close(remote);
    for (unsigned i = 0; i < MOST; i++) close(sockets[i]);
    is_code(serving_stop(server, NULL, &said), KT_OK, "and it stops");
    kt_signer_close(signer);
    kt_book_close(book);
}

static void trouble(void) {
    kt_serve_options options = {.patience_ms = 400, .most_bytes = 16u << 20};
    kt_book *book = make_book("trouble");
    kt_signer *signer = serving_signer("trouble");
    serving *server = serving_start("trouble", &options);
    kt_remote *good = serving_remote("trouble", signer);
    malformed("trouble", good, signer);
    slow("trouble", good, signer);
    vanishing("trouble", good, signer);
    deaf("trouble", good);
    greedy("trouble", good);
    kt_remote_close(good);
    is_code(serving_stop(server, NULL, &said), KT_OK, "after all that it stops cleanly");
    kt_book_close(book);
    is_sound("trouble", "and the book is sound");
    kt_signer_close(signer);
}

/* ---- who may ---- */

static void rights(void) {
    kt_book *book = make_book("rights");
    kt_signer *signer = serving_signer("rights"), *stranger;
    serving *server = serving_start("rights", NULL);
    if (kt_signer_generate(&stranger, &said) != KT_OK) ok(false, "a key is made");
    kt_remote *remote = serving_remote("rights", stranger);
    char *before = told(book);
    is_code(serving_post(remote, "x", "2026-01-05 1 1000 1.00 / 4000 -1.00", &receipt), KT_FORBIDDEN,
            "a key that is not on record may not post");
    has_text(said.text, "not on record in this book", "and is told so");
    kt_remote_close(remote);
    /* The right actor's name under a stranger's signature. */
    uint8_t record[256], *frame;
    size_t size;
    kt_draft draft;
    kt_draft_entry entry = {0};
    kt_draft_init(&draft);
    kt_draft_add(&draft, kt_span_of(record, serving_entry("2026-01-05", "1", 5, record, sizeof record)), &entry, NULL);
    frame = serving_frame(kt_book_origin(book), "forged", &draft, stranger, &size);
    for (size_t i = 0; i + 32 < size; i++)
        if (memcmp(frame + i, kt_signer_public(stranger), 32) == 0) memcpy(frame + i, kt_signer_public(signer), 32);
    int socket = serving_connect("rights");
    serving_send(socket, frame, size);
    is_code(serving_refusal(socket, NULL), KT_FORBIDDEN, "a signature of another than the actor is refused");
    free(frame);
    frame = serving_frame("kontor/other-00000000", "replayed", &draft, signer, &size);
    serving_send(socket, frame, size);
    is_code(serving_refusal(socket, NULL), KT_FORBIDDEN, "and one that was made for another book");
    free(frame);
    close(socket);
    kt_draft_release(&draft);
    is_untouched(book, before, "nothing of it is stored");
    kt_remote_options other = {.signer = signer, .entity = KT_STR("Other A/S")};
    is_code(kt_remote_open(serving_socket("rights"), &other, &remote, &said), KT_FOREIGN,
            "a client that means another entity is told at once");
    is_code(serving_stop(server, NULL, &said), KT_OK, "it stops");
    kt_signer_close(stranger);
    kt_signer_close(signer);
    kt_book_close(book);
}

/* ---- stopping ---- */

static void drain(void) {
    enum { SENT = 48 };
    kt_book *book = make_book("drain");
    kt_signer *signer = serving_signer("drain");
    serving *server = serving_start("drain", NULL);
    int sockets[SENT], half = serving_connect("drain"), idle = serving_connect("drain");
    uint8_t *frames[SENT], *cut;
    size_t sizes[SENT], cut_size = good_frame("drain", signer, "half", "half", &cut);
    for (unsigned i = 0; i < SENT; i++) {
        char id[20], voucher[20];
        snprintf(id, sizeof id, "last %u", i);
        snprintf(voucher, sizeof voucher, "L%u", i);
        sizes[i] = good_frame("drain", signer, id, voucher, &frames[i]);
        sockets[i] = serving_connect("drain");
    }
    serving_send(half, cut, cut_size - 3);
    for (unsigned i = 0; i < SENT; i++) serving_send(sockets[i], frames[i], sizes[i]);
    serving_tell_stop(server);
    unsigned answered = 0;
    for (unsigned i = 0; i < SENT; i++) {
        answered += serving_refusal(sockets[i], NULL) == KT_OK;
        close(sockets[i]);
        free(frames[i]);
    }
    is_int(answered, SENT, "told to stop, it answers all that it had received");
    is_code(serving_refusal(half, NULL), KT_END, "hangs up on who sent half");
    is_code(serving_refusal(idle, NULL), KT_END, "and on who sent nothing");
    struct stat there;
    ok(stat(serving_socket("drain"), &there) != 0, "and its socket is gone");
    is_code(serving_stop(server, NULL, &said), KT_OK, "it ends without a fault");
    is_int((long long)head_of(book).entries, SENT, "what was answered is stored, and no more");
    close(half);
    close(idle);
    free(cut);
    kt_book_close(book);
    is_sound("drain", "the book is sound");
    kt_signer_close(signer);
}

static void door(void) {
    kt_door *first, *second;
    struct stat there;
    const char *path = path_of("door");
    mode_t before = umask(0);
    is_code(kt_door_open(path, 0600, &first, &said), KT_OK, "a socket is made");
    umask(before);
    ok(stat(path, &there) == 0 && (there.st_mode & 07777) == 0600, "with mode 0600 under any umask");
    is_code(kt_door_open(path, 0600, &second, &said), KT_BUSY, "a second server at the same path is refused");
    has_text(said.text, "listens there already", "and told why");
    ok(stat(path, &there) == 0, "the first one's socket stays");
    kt_door_close(first);
    ok(stat(path, &there) != 0, "and goes with it");
    before = umask(0777);
    is_code(kt_door_open(path, 0660, &first, &said), KT_OK, "under umask 0777 too");
    umask(before);
    ok(stat(path, &there) == 0 && (there.st_mode & 07777) == 0660, "with mode 0660 where asked for");
    /* Somebody else's has come to stand there. */
    unlink(path);
    is_code(kt_door_open(path, 0600, &second, &said), KT_OK, "where the file was taken away, another server comes");
    kt_door_close(first);
    ok(stat(path, &there) == 0, "whose socket the first one leaves alone");
    kt_door_close(second);
    /* A server that died. */
    struct sockaddr_un address;
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    if (kt_link_address(path, &address, &said) != KT_OK ||
        bind(dead, (struct sockaddr *)&address, sizeof address) != 0 || listen(dead, 1) != 0)
        ok(false, "a socket is bound");
    close(dead);
    is_code(kt_door_open(path, 0600, &first, &said), KT_OK, "the socket of a dead server is replaced");
    kt_door_close(first);
    FILE *file = fopen(path, "w");
    if (file) fclose(file);
    is_code(kt_door_open(path, 0600, &first, &said), KT_EXISTS, "what is no socket is never replaced");
    unlink(path);
    char longest[300];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    is_code(kt_door_open(longest, 0600, &first, &said), KT_USAGE, "a path too long for a socket is refused");
    is_code(kt_door_open(path_of("no/where/door"), 0600, &first, &said), KT_IO, "and one in no directory");
}

/* Others may post to the book while it is served. */
static void beside(void) {
    kt_book *book = make_book("beside");
    kt_signer *signer = serving_signer("beside");
    serving *server = serving_start("beside", NULL);
    kt_remote *remote = serving_remote("beside", signer);
    is_code(serving_post(remote, "1", "2026-01-05 A 1000 1.00 / 4000 -1.00", &receipt), KT_OK, "through the socket");
    is_code(post(book, "2026-01-05 B 1000 1.00 / 4000 -1.00"), KT_OK, "and beside it");
    is_code(serving_post(remote, "2", "2026-01-05 B 1000 1.00 / 4000 -1.00", &receipt), KT_DUPLICATE,
            "the server sees what others posted");
    is_code(close_month(book, "2026-01"), KT_OK, "a month is closed beside it");
    is_code(serving_post(remote, "3", "2026-01-05 C 1000 1.00 / 4000 -1.00", &receipt), KT_CLOSED,
            "and closed for clients");
    is_code(serving_post(remote, "4", "2026-02-05 C 1000 1.00 / 4000 -1.00", &receipt), KT_OK, "another is not");
    kt_remote_close(remote);
    is_code(serving_stop(server, NULL, &said), KT_OK, "it stops");
    kt_book_close(book);
    is_sound("beside", "the book of both is sound");
    kt_signer_close(signer);
}

int main(void) {
    many();
    trouble();
    crowd();
    rights();
    drain();
    door();
    beside();
    return done();
}
