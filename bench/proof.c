/*
 * proof: how long does it take to prove that an entry lies in a large book, and to check that without the book?
 *
 * A book of two-line entries is posted as bulk_post does. Then, for entries drawn at random: a proof made from the open book
 * (kt_prove: the record, its inclusion proof, the checkpoint, and the same for the company and the currencies it is
 * understood by), and that proof checked with nothing but a key (kt_check_proof: every hash, and the signature). The same
 * for consistency between two checkpoints drawn at random. Each is measured alone; figures are medians, and what 99 of
 * 100 do not exceed. The book is warm: it was just written.
 *
 *     proof [--entries N] [--accounts M] [--batch B] [--rounds R] [--dir DIR] [--json] [--keep]
 *
 * It fails where a proof does not check, or where one with a changed byte does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/lib/book.h"
#include "bench/lib/tool.h"

#define ROUNDS_MAX 100000u
#define CHECKPOINTS 64u

struct options {
    uint64_t entries;
    uint32_t accounts, batch, rounds;
    const char *directory;
    bool json, keep;
};

enum figure {
    RECORDS,
    MAKE,
    MAKE_99,
    CHECK,
    CHECK_99,
    BYTES,
    HASHES,
    CONSISTENT_MAKE,
    CONSISTENT_MAKE_99,
    CONSISTENT_CHECK,
    CONSISTENT_CHECK_99,
    FIGURES
};

static const struct {
    const char *name, *json, *what;
    unsigned decimals;
} figures[FIGURES] = {
    [RECORDS] = {"records", "records", "in the book", 0},
    [MAKE] = {"made", "make_us", "us, an entry's proof from the open book, median", 1},
    [MAKE_99] = {"", "make_99_us", "us, 99 of 100", 1},
    [CHECK] = {"checked", "check_us", "us, without the book, median", 1},
    [CHECK_99] = {"", "check_99_us", "us, 99 of 100", 1},
    [BYTES] = {"size", "bytes", "bytes of text, median", 0},
    [HASHES] = {"", "hashes", "hashes from the entry to the root, median", 0},
    [CONSISTENT_MAKE] = {"consistency", "consistency_make_us", "us, a proof between two checkpoints made, median", 1},
    [CONSISTENT_MAKE_99] = {"", "consistency_make_99_us", "us, 99 of 100", 1},
    [CONSISTENT_CHECK] = {"", "consistency_check_us", "us, checked, median", 1},
    [CONSISTENT_CHECK_99] = {"", "consistency_check_99_us", "us, 99 of 100", 1},
};

typedef struct note {
    char *text;
    size_t size;
} note;

struct run {
    kt_book *book;
    kt_view *view;
    const char *key;
    uint64_t size, random; /* records; the state of the generator */
    note notes[CHECKPOINTS];
    uint32_t note_count, rounds;
    int64_t *made, *checked, *bytes, *hashes; /* ns, a round each */
};

static uint64_t draw(uint64_t *state, uint64_t below) { /* splitmix64 */
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

/* A changed byte must be refused, or what was measured is no checking. */
static void must_refuse(struct run *run, note proof) {
    kt_proved *proved;
    proof.text[draw(&run->random, proof.size)] ^= 0x04;
    if (kt_check_proof(proof.text, proof.size, run->key, &proved, NULL) == KT_OK) {
        fprintf(stderr, "proof: one with a changed byte is taken\n");
        exit(1);
    }
}

static void check(struct run *run, uint32_t round, note proof) {
    kt_error error = {0};
    kt_proved *proved;
    int64_t start = bench_now_ns();
    kt_code code = kt_check_proof(proof.text, proof.size, run->key, &proved, &error);
    run->checked[round] = bench_now_ns() - start;
    if (code != KT_OK) bench_die("checking a proof", &error);
    run->bytes[round] = (int64_t)proof.size;
    run->hashes[round] = (int64_t)proved->hashes;
    kt_proved_free(proved);
    if (round % 16 == 0) must_refuse(run, proof);
}

/* An entry drawn at random; the first records are genesis and accounts, and some are seals: drawn again. */
static void prove_entry(struct run *run, uint32_t round) {
    kt_error error = {0};
    for (;;) {
        note proof;
        kt_proved *proved;
        uint64_t number = draw(&run->random, run->size);
        int64_t start = bench_now_ns();
        if (kt_prove(run->view, number, &proof.text, &proof.size, &error) != KT_OK) bench_die("making a proof", &error);
        run->made[round] = bench_now_ns() - start;
        if (kt_check_proof(proof.text, proof.size, run->key, &proved, &error) != KT_OK)
            bench_die("checking a proof", &error);
        bool is_entry = proved->entry != NULL && proved->number == number;
        kt_proved_free(proved);
        if (is_entry) check(run, round, proof);
        free(proof.text);
        if (is_entry) return;
    }
}

static void prove_between(struct run *run, uint32_t round) {
    kt_error error = {0};
    note proof;
    uint32_t a = (uint32_t)draw(&run->random, run->note_count), b = (uint32_t)draw(&run->random, run->note_count);
    const note *older = &run->notes[a < b ? a : b], *newer = &run->notes[a < b ? b : a];
    int64_t start = bench_now_ns();
    if (kt_prove_consistency(run->view, older->text, older->size, newer->text, newer->size, &proof.text, &proof.size,
                             &error) != KT_OK)
        bench_die("making a proof of consistency", &error);
    run->made[round] = bench_now_ns() - start;
    check(run, round, proof);
    free(proof.text);
}

/* Tenths of a microsecond. */
static int64_t tenths(int64_t *values, uint32_t count, unsigned permille) {
    return bench_rank(values, count, permille) / 100;
}

static void measure(struct run *run, int64_t *out) {
    out[RECORDS] = (int64_t)run->size;
    for (uint32_t i = 0; i < run->rounds && !bench_stopped(); i++) prove_entry(run, i);
    out[MAKE] = tenths(run->made, run->rounds, 500);
    out[MAKE_99] = tenths(run->made, run->rounds, 990);
    out[CHECK] = tenths(run->checked, run->rounds, 500);
    out[CHECK_99] = tenths(run->checked, run->rounds, 990);
    out[BYTES] = bench_rank(run->bytes, run->rounds, 500);
    out[HASHES] = bench_rank(run->hashes, run->rounds, 500);
    for (uint32_t i = 0; i < run->rounds && !bench_stopped(); i++) prove_between(run, i);
    out[CONSISTENT_MAKE] = tenths(run->made, run->rounds, 500);
    out[CONSISTENT_MAKE_99] = tenths(run->made, run->rounds, 990);
    out[CONSISTENT_CHECK] = tenths(run->checked, run->rounds, 500);
    out[CONSISTENT_CHECK_99] = tenths(run->checked, run->rounds, 990);
}

/* Checkpoints of earlier times, spread over the book, and the newest. */
static void keep_notes(struct run *run, const bench_receipts *receipts) {
    kt_error error = {0};
    uint64_t count = receipts->batches < CHECKPOINTS - 1 ? receipts->batches : CHECKPOINTS - 1;
    for (uint64_t i = 0; i <= count; i++) {
        kt_view *view;
        note *kept = &run->notes[run->note_count++];
        kt_view_options known = {.as_known = i < count};
        if (i < count) known.known_us = receipts->recorded[receipts->batches * i / count];
        if (kt_view_open(run->book, &known, &view, &error) != KT_OK ||
            kt_view_checkpoint(view, &kept->text, &kept->size, &error) != KT_OK)
            bench_die("a checkpoint", &error);
        kt_view_close(view);
    }
}

static void run_all(const struct options *options, const char *base, int64_t *out) {
    char directory[BENCH_PATH + 8];
    bench_year year;
    bench_receipts receipts = {0};
    kt_error error = {0};
    kt_head head;
    struct run run = {.rounds = options->rounds, .random = 1};
    snprintf(directory, sizeof directory, "%s/book", base);
    bench_year_init(&year, options->accounts, options->entries);
    bench_book_make(directory, &year);
    (void)bench_book_fill(directory, false, &year, options->entries, options->batch, &receipts, NULL, NULL);
    if (bench_stopped()) exit(130);
    run.made = calloc(options->rounds, sizeof *run.made);
    run.checked = calloc(options->rounds, sizeof *run.checked);
    run.bytes = calloc(options->rounds, sizeof *run.bytes);
    run.hashes = calloc(options->rounds, sizeof *run.hashes);
    if (run.made == NULL || run.checked == NULL || run.bytes == NULL || run.hashes == NULL) bench_die("memory", NULL);
    run.book = bench_book_open(directory);
    run.key = kt_book_verifier(run.book);
    if (kt_view_open(run.book, NULL, &run.view, &error) != KT_OK || kt_view_head(run.view, &head, &error) != KT_OK)
        bench_die("the head", &error);
    run.size = head.size;
    keep_notes(&run, &receipts);
    measure(&run, out);
    if (bench_stopped()) exit(130);
    for (uint32_t i = 0; i < run.note_count; i++) free(run.notes[i].text);
    free(run.made);
    free(run.checked);
    free(run.bytes);
    free(run.hashes);
    bench_receipts_release(&receipts);
    kt_view_close(run.view);
    kt_book_close(run.book);
}

/* ---- telling ---- */

static void tell_json(const struct options *options, const int64_t *of) {
    printf("{\"bench\":\"proof\",\"version\":\"%s\",\"entries\":%llu,\"rounds\":%u", KT_VERSION,
           (unsigned long long)options->entries, options->rounds);
    for (int i = 0; i < FIGURES; i++) {
        char text[KT_AMOUNT_TEXT];
        kt_amount_format(of[i], (uint8_t)figures[i].decimals, 0, text);
        printf(",\"%s\":%s", figures[i].json, text);
    }
    printf("}\n");
}

static void tell(const int64_t *of) {
    char text[64];
    for (int i = 0; i < FIGURES; i++)
        printf("%-14s %12s  %s\n", figures[i].name, bench_show(of[i], figures[i].decimals, text, sizeof text),
               figures[i].what);
}

static struct options read_options(int count, char **words) {
    struct options options = {.entries = 1000000, .accounts = 1000, .batch = 8192, .rounds = 1000, .directory = "/tmp"};
    for (int i = 1; i < count; i++) {
        const char *word = words[i], *value = i + 1 < count ? words[i + 1] : "";
        if (strcmp(word, "--json") == 0) options.json = true;
        else if (strcmp(word, "--keep") == 0) options.keep = true;
        else if (strcmp(word, "--entries") == 0) options.entries = bench_number(word, value, 10000000000u), i++;
        else if (strcmp(word, "--accounts") == 0)
            options.accounts = (uint32_t)bench_number(word, value, BENCH_ACCOUNTS_MAX), i++;
        else if (strcmp(word, "--batch") == 0) options.batch = (uint32_t)bench_number(word, value, 1000000), i++;
        else if (strcmp(word, "--rounds") == 0) options.rounds = (uint32_t)bench_number(word, value, ROUNDS_MAX), i++;
        else if (strcmp(word, "--dir") == 0) options.directory = value, i++;
        else {
            fprintf(
                stderr,
                "proof: unknown '%s'\n"
                "usage: proof [--entries N] [--accounts M] [--batch B] [--rounds R] [--dir DIR] [--json] [--keep]\n",
                word);
            exit(2);
        }
    }
    if (options.accounts < 2) options.accounts = 2;
    return options;
}

#define BYTES_AN_ENTRY 200u

int main(int count, char **words) {
    struct options options = read_options(count, words);
    int64_t of[FIGURES];
    if (options.entries * BYTES_AN_ENTRY > bench_room(options.directory)) {
        fprintf(stderr, "proof: %s: too little room on the disk for %llu entries, about %llu MB\n", options.directory,
                (unsigned long long)options.entries, (unsigned long long)(options.entries * BYTES_AN_ENTRY / 1000000));
        return 1;
    }
    const char *base = bench_place(options.directory, options.keep);
    run_all(&options, base, of);
    if (options.json) tell_json(&options, of);
    else tell(of);
    if (options.keep) fprintf(stderr, "kept: %s\n", base);
    return 0;
}
