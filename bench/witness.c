/*
 * witness: how long it takes to have one checkpoint cosigned: its proof made from the book, the checkpoint and the proof checked,
 * the cosignature made, and the witness's state written and synced before it is given out.
 *
 * The book grows by one batch between two checkpoints, which is not counted; the book has as many entries as asked for before.
 * The clock runs over kt_witness_cosign_view, and apart from that over kt_witness_add_checkpoint, which is what a server does: it
 * has no book, and its work does not depend on the book's size but for the length of the proof. Medians.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/lib/book.h"
#include "bench/lib/tool.h"

#define ROUNDS_MAX 10000u

typedef struct plan {
    uint64_t entries;
    unsigned rounds;
    const char *directory;
    bool json;
    int64_t cosign[ROUNDS_MAX], serve[ROUNDS_MAX];
} plan;

static plan bench;

/* What a server does in one call: the second time for each checkpoint, with a proof, is the one that counts. */
typedef struct carrier {
    kt_witness *witness;
    int64_t ns;
} carrier;

static kt_code carry(void *context, const char *body, size_t size, unsigned *status, char *answer, size_t room,
                     size_t *answer_size, kt_error *error) {
    carrier *self = context;
    kt_witness_answer got;
    int64_t started = bench_now_ns();
    (void)kt_witness_add_checkpoint(self->witness, body, size, &got, error);
    self->ns = bench_now_ns() - started;
    if (got.body == NULL || got.size > room) return KT_MEMORY;
    *status = got.status;
    *answer_size = got.size;
    memcpy(answer, got.body, got.size);
    free(got.body);
    return KT_OK;
}

static void round_of(kt_book *book, kt_witness *witness, carrier *server, unsigned round) {
    kt_error error;
    kt_view *view;
    char *note;
    size_t size;
    if (kt_view_open(book, NULL, &view, &error) != KT_OK) bench_die("opening a view", &error);
    int64_t started = bench_now_ns();
    if (kt_witness_cosign_view(witness, view, &note, &size, &error) != KT_OK) bench_die("cosigning", &error);
    int64_t taken = bench_now_ns() - started;
    free(note);
    if (kt_witness_ask(view, carry, server, NULL, &note, &size, &error) != KT_OK) bench_die("asking", &error);
    free(note);
    kt_view_close(view);
    if (round > 0) { /* the first loads what the others find */
        bench.cosign[round - 1] = taken;
        bench.serve[round - 1] = server->ns;
    }
}

static void run(const char *place) {
    char book_path[BENCH_PATH], path[2][BENCH_PATH];
    kt_error error;
    bench_year year;
    bench_receipts receipts = {0};
    kt_witness *witness[2];
    bench_year_init(&year, 1000, bench.entries);
    (void)snprintf(book_path, sizeof book_path, "%s/book", place);
    bench_book_make(book_path, &year);
    (void)bench_book_fill(book_path, false, &year, bench.entries, 8192, &receipts, NULL, NULL);
    kt_book *book = bench_book_open(book_path);
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(path[i], sizeof path[i], "%s/w%u", place, i);
        if (kt_witness_create(path[i], "bench/w", kt_book_verifier(book), &error) != KT_OK ||
            kt_witness_open(path[i], NULL, &witness[i], &error) != KT_OK)
            bench_die("making a witness", &error);
    }
    carrier server = {witness[1], 0};
    for (unsigned round = 0; round <= bench.rounds && !bench_stopped(); round++) {
        (void)bench_book_post(book, &year, 1, 1, &receipts, NULL, NULL);
        round_of(book, witness[0], &server, round);
    }
    for (unsigned i = 0; i < 2; i++) kt_witness_close(witness[i]);
    kt_book_close(book);
    bench_receipts_release(&receipts);
}

static void show(void) {
    char room[4][40];
    int64_t cosign = bench_rank(bench.cosign, bench.rounds, 500), late = bench_rank(bench.cosign, bench.rounds, 990);
    int64_t serve = bench_rank(bench.serve, bench.rounds, 500);
    if (bench.json)
        printf("{\"entries\": %llu, \"cosign_us\": %lld, \"cosign_99_us\": %lld, \"serve_us\": %lld}\n",
               (unsigned long long)bench.entries, (long long)cosign / 1000, (long long)late / 1000,
               (long long)serve / 1000);
    else
        printf("entries   %10s  in the book\n"
               "cosigned  %10s  us, proof made, checked, state synced, median of %u\n"
               "          %10s  us, 99 of 100\n"
               "served    %10s  us, the same without the book, median\n",
               bench_show((int64_t)bench.entries, 0, room[0], sizeof room[0]),
               bench_show(cosign / 1000, 0, room[1], sizeof room[1]), bench.rounds,
               bench_show(late / 1000, 0, room[2], sizeof room[2]),
               bench_show(serve / 1000, 0, room[3], sizeof room[3]));
}

int main(int count, char **arguments) {
    bench.entries = 1000000;
    bench.rounds = 200;
    bench.directory = "/tmp";
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
        if (strcmp(name, "--json") == 0) {
            bench.json = true;
            continue;
        }
        i++;
        if (strcmp(name, "--entries") == 0) bench.entries = bench_number(name, value, 1000000000);
        else if (strcmp(name, "--rounds") == 0) bench.rounds = (unsigned)bench_number(name, value, ROUNDS_MAX);
        else if (strcmp(name, "--dir") == 0) bench.directory = value;
        else {
            (void)fprintf(stderr, "usage: witness [--entries 1000000] [--rounds 200] [--dir DIR] [--json]\n");
            exit(2);
        }
    }
    run(bench_place(bench.directory, false));
    if (bench_stopped()) return 1;
    show();
    return 0;
}
