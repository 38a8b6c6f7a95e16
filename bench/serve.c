/*
 * serve: 64 clients that post one entry at a time through `kontor serve`, against one client that does so without it.
 *
 * Both post to the same book on the same machine, in turns: a round of one alone (kt_batch_begin, add, commit of one
 * entry, the book kept open), then a round of all clients through the socket, each waiting for its receipt before it makes
 * the next entry. The server is a process of its own, and the clients are threads of another. Each entry is its own batch:
 * its client packs, hashes and signs it, and the server verifies the signature, checks, and syncs before it answers. The
 * clock runs over the posting alone; rates are medians of the rounds.
 *
 * It ends with a verification of the book, and fails where that fails, or where an entry is missing or stands there twice.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/lib/tool.h"
#include "engine/remote/remote.h"
#include "engine/remote/serve.h"

#define ACCOUNTS 1000u
#define CLIENTS_MAX 512u
#define ROUNDS_MAX 25u

typedef struct plan {
    unsigned clients, rounds;
    uint64_t alone, each; /* entries in a round: of one alone, of each client */
    const char *directory;
    bool json;
    char book[BENCH_PATH], socket[BENCH_PATH], key[BENCH_PATH];
    int64_t alone_ns[ROUNDS_MAX], served_ns[ROUNDS_MAX];
    int64_t client_cpu_ns, server_cpu_ns; /* of all rounds */
} plan;

typedef struct client {
    const plan *bench;
    const kt_signer *signer;
    pthread_barrier_t *start;
    uint64_t seed, number;
    unsigned index;
    pthread_t thread;
} client;

static uint64_t draw(uint64_t *state) { /* splitmix64 */
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void account_code(uint64_t number, char out[8]) {
    (void)snprintf(out, 8, "%04u", (unsigned)(number % ACCOUNTS));
}

/* A two-line entry of accounts drawn at random; vouchers rise in a series of each client's own. */
typedef struct pair {
    kt_entry entry;
    kt_line lines[2];
    char accounts[2][8], series[8], voucher[24];
} pair;

static const kt_entry *make_entry(pair *made, unsigned index, uint64_t number, uint64_t *seed) {
    uint64_t amount = 1 + draw(seed) % 1000000;
    memset(made, 0, sizeof *made);
    account_code(draw(seed), made->accounts[0]);
    account_code(draw(seed), made->accounts[1]);
    (void)snprintf(made->series, sizeof made->series, "C%u", index);
    (void)snprintf(made->voucher, sizeof made->voucher, "%llu", (unsigned long long)number);
    made->lines[0] = (kt_line){.account = kt_str_from(made->accounts[0]), .amount = (kt_amount)amount};
    made->lines[1] = (kt_line){.account = kt_str_from(made->accounts[1]), .amount = -(kt_amount)amount};
    made->entry = (kt_entry){.date = (kt_day)(20000 + number % 365),
                             .series = kt_str_from(made->series),
                             .voucher = kt_str_from(made->voucher),
                             .text = KT_STR("sale of 12 b"),
                             .lines = made->lines,
                             .line_count = 2};
    return &made->entry;
}

static void make_book(const plan *bench) {
    kt_error error;
    kt_create_options options = {.company = {.entity = KT_STR("Bench"), .currency = KT_STR("DKK")}};
    kt_book *book;
    kt_batch *batch;
    char code[8];
    if (kt_book_create(bench->book, &options, &error) != KT_OK ||
        kt_book_open(bench->book, NULL, &book, &error) != KT_OK ||
        kt_batch_begin(book, NULL, &batch, NULL, &error) != KT_OK)
        bench_die("making the book", &error);
    for (uint64_t i = 0; i < ACCOUNTS; i++) {
        account_code(i, code);
        kt_account account = {.code = kt_str_from(code), .type = KT_ASSET};
        if (kt_batch_account(batch, &account, &error) != KT_OK) bench_die("opening accounts", &error);
    }
    if (kt_batch_commit(batch, NULL, &error) != KT_OK) bench_die("opening accounts", &error);
    kt_book_close(book);
}

static int64_t post_alone(const plan *bench, uint64_t number, uint64_t *seed) {
    kt_error error;
    kt_book *book;
    kt_batch *batch;
    pair made;
    if (kt_book_open(bench->book, NULL, &book, &error) != KT_OK) bench_die("opening the book", &error);
    int64_t started = 0;
    for (uint64_t i = 0; i <= bench->alone; i++) { /* the first, which loads the key, is not counted */
        if (i == 1) started = bench_now_ns();
        if (kt_batch_begin(book, NULL, &batch, NULL, &error) != KT_OK ||
            kt_batch_add(batch, make_entry(&made, CLIENTS_MAX, number + i, seed), NULL, &error) != KT_OK ||
            kt_batch_commit(batch, NULL, &error) != KT_OK)
            bench_die("posting alone", &error);
    }
    int64_t taken = bench_now_ns() - started;
    kt_book_close(book);
    return taken;
}

/* ---- the server, and its clients ---- */

static int told; /* the server's end of a pipe: it listens */

static void tell_ready(void *context, const char *origin) {
    (void)context;
    if (write(told, origin, 1) != 1) _exit(1);
}

static _Noreturn void run_server(const plan *bench, int stop) {
    kt_error error = {0};
    kt_desk_stats stats = {0};
    kt_serve_options options = {.directory = bench->book, .socket = bench->socket, .stop = stop, .ready = tell_ready};
    kt_code code = kt_serve(&options, &stats, &error);
    if (code != KT_OK) fprintf(stderr, "serving: %s\n", error.text);
    else if (write(told, &stats, sizeof stats) != (ssize_t)sizeof stats) code = KT_IO;
    _exit(code == KT_OK ? 0 : 1);
}

static void *run_client(void *context) {
    client *self = context;
    kt_error error;
    kt_remote *remote;
    kt_remote_options options = {.signer = self->signer};
    pair made;
    if (kt_remote_open(self->bench->socket, &options, &remote, &error) != KT_OK) bench_die("connecting", &error);
    for (uint64_t i = 0; i <= self->bench->each; i++) { /* the first, which asks for accounts, is not counted */
        if (i == 1) pthread_barrier_wait(self->start);
        if (kt_remote_begin(remote, NULL, NULL, &error) != KT_OK ||
            kt_remote_add(remote, make_entry(&made, self->index, self->number + i, &self->seed), &error) != KT_OK ||
            kt_remote_commit(remote, 0, NULL, &error) != KT_OK)
            bench_die("posting through the socket", &error);
    }
    kt_remote_close(remote);
    return NULL;
}

static int64_t cpu_ns(const struct rusage *usage) {
    return ((int64_t)usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000 +
           ((int64_t)usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
}

/* Every client knows the accounts before the clock runs, as one that posts all day does: they are asked for once. */
static int64_t post_served(plan *bench, uint64_t number, const kt_signer *signer, kt_desk_stats *stats) {
    int ready[2], stop[2];
    char origin;
    if (pipe(ready) != 0 || pipe(stop) != 0) bench_die("a pipe", NULL);
    pid_t server = fork();
    if (server < 0) bench_die("a process", NULL);
    if (server == 0) {
        close(ready[0]);
        close(stop[1]);
        told = ready[1];
        run_server(bench, stop[0]);
    }
    close(ready[1]);
    close(stop[0]);
    if (read(ready[0], &origin, 1) != 1) bench_die("starting the server", NULL);
    pthread_barrier_t start;
    client *clients = calloc(bench->clients, sizeof *clients);
    if (clients == NULL || pthread_barrier_init(&start, NULL, bench->clients + 1) != 0) bench_die("threads", NULL);
    for (unsigned i = 0; i < bench->clients; i++) {
        clients[i] = (client){
            .bench = bench, .signer = signer, .start = &start, .seed = number * 1000 + i, .number = number, .index = i};
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) != 0) bench_die("a thread", NULL);
    }
    pthread_barrier_wait(&start);
    int64_t started = bench_now_ns(), cpu = bench_cpu_ns();
    for (unsigned i = 0; i < bench->clients; i++) pthread_join(clients[i].thread, NULL);
    int64_t taken = bench_now_ns() - started;
    bench->client_cpu_ns += bench_cpu_ns() - cpu;
    pthread_barrier_destroy(&start);
    free(clients);
    close(stop[1]); /* readable: its end */
    int status;
    struct rusage before, after;
    getrusage(RUSAGE_CHILDREN, &before);
    if (read(ready[0], stats, sizeof *stats) != (ssize_t)sizeof *stats || waitpid(server, &status, 0) != server ||
        status != 0)
        bench_die("the server", NULL);
    getrusage(RUSAGE_CHILDREN, &after);
    bench->server_cpu_ns += cpu_ns(&after) - cpu_ns(&before);
    close(ready[0]);
    return taken;
}

/* ---- what came of it ---- */

static void check(const plan *bench, uint64_t entries) {
    kt_error error;
    kt_verify_result result;
    if (kt_verify(bench->book, NULL, &result, &error) != KT_OK) bench_die("verifying", &error);
    if (result.entries == entries) return;
    (void)fprintf(stderr, "%llu entries were acknowledged, and %llu are there\n", (unsigned long long)entries,
                  (unsigned long long)result.entries);
    exit(1);
}

static void show(plan *bench, const kt_desk_stats *stats) {
    char room[2][40];
    uint64_t alone = bench_rate(bench->alone, bench_rank(bench->alone_ns, bench->rounds, 500));
    uint64_t served = bench_rate(bench->each * bench->clients, bench_rank(bench->served_ns, bench->rounds, 500));
    uint64_t ratio = alone == 0 ? 0 : served * 100 / alone,
             grouped = stats->commits == 0 ? 0 : stats->batches * 10 / stats->commits;
    int64_t entries = (int64_t)(bench->each * bench->clients * bench->rounds);
    if (bench->json) {
        printf("{\"clients\": %u, \"alone_per_s\": %llu, \"served_per_s\": %llu, \"ratio\": %llu.%02llu, "
               "\"batches_a_commit\": %llu.%llu}\n",
               bench->clients, (unsigned long long)alone, (unsigned long long)served, (unsigned long long)ratio / 100,
               (unsigned long long)ratio % 100, (unsigned long long)grouped / 10, (unsigned long long)grouped % 10);
        return;
    }
    printf("one alone        %10s  entries/s, each a signed batch of its own, synced\n",
           bench_show((int64_t)alone, 0, room[0], sizeof room[0]));
    printf("%3u served       %10s  entries/s, each signed by its client, verified, and synced before it is answered\n",
           bench->clients, bench_show((int64_t)served, 0, room[1], sizeof room[1]));
    printf("processor        %10s  us an entry: its client\n",
           bench_show(bench->client_cpu_ns / entries / 100, 1, room[0], sizeof room[0]));
    printf("                 %10s  us an entry: the server\n",
           bench_show(bench->server_cpu_ns / entries / 100, 1, room[0], sizeof room[0]));
    printf("ratio            %10s\n", bench_show((int64_t)ratio, 2, room[0], sizeof room[0]));
    printf("batches a commit %10s\n", bench_show((int64_t)grouped, 1, room[0], sizeof room[0]));
}

static void read_options(plan *bench, int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
        if (strcmp(name, "--json") == 0) {
            bench->json = true;
            continue;
        }
        i++;
        if (strcmp(name, "--clients") == 0) bench->clients = (unsigned)bench_number(name, value, CLIENTS_MAX);
        else if (strcmp(name, "--rounds") == 0) bench->rounds = (unsigned)bench_number(name, value, ROUNDS_MAX);
        else if (strcmp(name, "--alone") == 0) bench->alone = bench_number(name, value, 10000000);
        else if (strcmp(name, "--each") == 0) bench->each = bench_number(name, value, 10000000);
        else if (strcmp(name, "--dir") == 0) bench->directory = value;
        else {
            (void)fprintf(stderr, "usage: serve [--clients 64] [--rounds 5] [--alone 2000] [--each 200] [--dir DIR] "
                                  "[--json]\n");
            exit(2);
        }
    }
}

int main(int count, char **arguments) {
    plan bench = {.clients = 64, .rounds = 5, .alone = 2000, .each = 200, .directory = "/tmp"};
    kt_error error;
    kt_desk_stats stats = {0}, total = {0};
    kt_signer *signer;
    uint64_t seed = 1, number = 1, entries = 0;
    read_options(&bench, count, arguments);
    const char *place = bench_place(bench.directory, false);
    (void)snprintf(bench.book, sizeof bench.book, "%s/book", place);
    (void)snprintf(bench.socket, sizeof bench.socket, "%s/socket", place);
    (void)snprintf(bench.key, sizeof bench.key, "%s/book/keys/log.key", place);
    make_book(&bench);
    if (kt_key_load(bench.key, NULL, NULL, &signer, &error) != KT_OK) bench_die("loading the key", &error);
    for (unsigned round = 0; round < bench.rounds; round++) {
        bench.alone_ns[round] = post_alone(&bench, number, &seed);
        bench.served_ns[round] = post_served(&bench, number, signer, &stats);
        total.batches += stats.batches;
        total.commits += stats.commits;
        number += bench.alone + bench.each + 2;
        entries += bench.alone + 1 + (bench.each + 1) * bench.clients;
    }
    kt_signer_close(signer);
    show(&bench, &total);
    check(&bench, entries);
    return 0;
}
