/* Batches sent one behind the other are the batches that would have been committed one by one: each is answered,
   received and stored byte for byte the same; so are entries added several at once (LAW 1, 3). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tables.h"
#include "storage/digest.h"
#include "storage/store.h"
#include "tests/bookkeeping.h"

/* ---- the same book twice: committed one by one on one thread, and sent ---- */

#define BATCHES 360u
#define LARGEST 12000u

struct plan {
    uint64_t seed;
    bool sends;
    kt_book *book;
    unsigned accounts;           /* tried to be opened, N0 and on */
    unsigned rising;             /* the last rising voucher */
    unsigned queue[KT_SENT_MAX]; /* batches sent, oldest first */
    unsigned queued, most;       /* how many, and how many there were at most */
    uint64_t numbers[64];        /* of entries, to be reversed */
    unsigned kinds[8];           /* of answers, that the test is not about nothing */
    kt_sha256 answers;           /* all codes and numbers, in order */
    kt_code codes[BATCHES];      /* of committing, or of receiving */
    kt_receipt receipts[BATCHES];
};

static int64_t standing; /* a clock that stands where it is put */
static int64_t standing_clock(void *context) {
    (void)context;
    return standing;
}

static kt_book *open_standing(const char *name, bool single) {
    kt_open_options options = {.clock_us = standing_clock, .single_thread = single};
    kt_book *book = NULL;
    if (kt_book_open(path_of(name), &options, &book, &said) != KT_OK) diag("%s", said.text);
    return book;
}

/* The same book each time: one is made, the others are its copies, since a batch without an id has a random one. */
static void make_standing(const char *name) {
    static bool made;
    if (!made) kt_book_close(make_book("made"));
    made = true;
    copy_book("made", name);
    standing = INT64_C(1767300000000000);
}

static kt_code answered(struct plan *plan, kt_code code, uint64_t number) {
    const int64_t both[2] = {code, code == KT_OK ? (int64_t)number : 0};
    kt_sha256_update(&plan->answers, both, sizeof both);
    plan->kinds[code == KT_OK           ? 0
                : code == KT_DUPLICATE  ? 1
                : code == KT_CLOSED     ? 2
                : code == KT_RULE       ? 3
                : code == KT_UNKNOWN    ? 4
                : code == KT_UNBALANCED ? 5
                : code == KT_REPEATED   ? 6
                                        : 7]++;
    return code;
}

/* Words of one entry; what it says follows from the random numbers alone. */
struct drawn {
    char voucher[KT_VOUCHER_MAX], code[4][16], value[3][16];
    kt_line lines[4];
    kt_dimension dimensions[4][3];
    kt_entry entry;
};

static void draw_account(struct plan *plan, uint64_t *random, char out[16]) {
    static const char *const chart[] = {"1000", "1100", "2000", "3000", "4000", "5000", "5100", "5900"};
    if (plan->accounts != 0 && pick(random, 3) == 0) snprintf(out, 16, "N%u", (unsigned)pick(random, plan->accounts));
    else if (pick(random, 500) == 0) snprintf(out, 16, "unknown");
    else snprintf(out, 16, "%s", chart[pick(random, 8)]);
}

static void draw_dimensions(struct drawn *out, kt_line *line, kt_dimension *dimensions, uint64_t *random) {
    for (uint8_t d = 0; d < 3; d++)
        if (pick(random, 4) == 0)
            dimensions[line->dimension_count++] = (kt_dimension){(uint8_t)(d + 1), kt_str_from(out->value[d])};
    line->dimensions = dimensions;
}

static const kt_entry *draw(struct plan *plan, uint64_t *random, struct drawn *out) {
    memset(out, 0, sizeof *out);
    kt_day_from_civil(2025 + (int)pick(random, 2), 1 + (int)pick(random, 12), 1 + (int)pick(random, 28),
                      &out->entry.date);
    uint64_t kind = pick(random, 8);
    if (kind < 3) snprintf(out->voucher, sizeof out->voucher, "R%07u", ++plan->rising);
    else if (kind < 5) snprintf(out->voucher, sizeof out->voucher, "r%llu", (unsigned long long)pick(random, 1000000));
    else if (kind == 5) snprintf(out->voucher, sizeof out->voucher, "%llx", (unsigned long long)test_random(random));
    out->entry.voucher = kt_str_from(out->voucher);
    out->entry.series = pick(random, 2) ? KT_STR("A") : (kt_str){NULL, 0};
    out->entry.text = pick(random, 3) ? (kt_str){NULL, 0} : KT_STR("a text");
    size_t count = 2 + pick(random, 3);
    kt_str currency = pick(random, 9) == 0 ? KT_STR("JPY") : (kt_str){NULL, 0};
    kt_amount sum = 0;
    for (unsigned d = 0; d < 3; d++)
        snprintf(out->value[d], sizeof out->value[d], "d%llu", (unsigned long long)pick(random, 12));
    for (size_t i = 0; i < count; i++) {
        kt_line *line = &out->lines[i];
        draw_account(plan, random, out->code[i]);
        line->account = kt_str_from(out->code[i]);
        line->currency = currency;
        line->amount = i + 1 < count ? (kt_amount)pick(random, 100000) - 50000 : -sum;
        sum += line->amount;
        if (pick(random, 3) == 0) draw_dimensions(out, line, out->dimensions[i], random);
    }
    if (pick(random, 300) == 0) out->lines[0].amount++;
    out->entry.lines = out->lines;
    out->entry.line_count = count;
    return &out->entry;
}

static kt_day month_day(uint64_t *random) {
    kt_day out;
    kt_day_from_civil(2025, 1 + (int)pick(random, 12), 1, &out);
    return out;
}

/* Registers: a new account, a period, a currency. */
static void fill_registers(struct plan *plan, kt_batch *batch, uint64_t *random) {
    char code[16];
    if (pick(random, 4) == 0) {
        snprintf(code, sizeof code, "N%u", plan->accounts++);
        kt_account account = {.code = kt_str_from(code), .type = KT_ASSET};
        if (pick(random, 3) == 0) account.rule = KT_RULE_NOT_NEGATIVE;
        (void)answered(plan, kt_batch_account(batch, &account, &said), 0);
    }
    if (pick(random, 40) == 0) (void)answered(plan, kt_batch_period_close(batch, month_day(random), &said), 0);
    if (pick(random, 30) == 0)
        (void)answered(plan, kt_batch_period_reopen(batch, month_day(random), KT_STR("again"), &said), 0);
    if (pick(random, 50) == 0) {
        snprintf(code, sizeof code, "X%llu", (unsigned long long)pick(random, 20));
        (void)answered(plan, kt_batch_currency(batch, kt_str_from(code), (uint8_t)pick(random, 9), &said), 0);
    }
}

static uint64_t size_of(unsigned batch, uint64_t *random) {
    uint64_t kind = batch % 97 == 13 ? 0 : pick(random, 50);
    if (kind == 0) return 8193 + pick(random, LARGEST - 8193);
    if (kind < 4) return 0;
    return kind < 12 ? 100 + pick(random, 900) : 1 + pick(random, 20);
}

static void fill_batch(struct plan *plan, unsigned which, kt_batch *batch, uint64_t *random) {
    struct drawn drawn;
    uint64_t number = 0, size = size_of(which, random);
    if (size != 0) fill_registers(plan, batch, random);
    for (uint64_t i = 0; i < size; i++) {
        if (answered(plan, kt_batch_add(batch, draw(plan, random, &drawn), &number, &said), number) == KT_OK)
            plan->numbers[i % 64] = number;
        if (pick(random, 600) != 0) continue;
        uint64_t reversed = plan->numbers[pick(random, 64)];
        (void)answered(
            plan,
            kt_batch_reverse(batch, reversed, month_day(random), (kt_str){NULL, 0}, pick(random, 2), &number, &said),
            number);
    }
}

/* The oldest one sent. */
static bool take(struct plan *plan, bool wait) {
    unsigned batch = plan->queue[0];
    kt_code code = kt_book_receive(plan->book, wait, &plan->receipts[batch], &said);
    if (code == KT_BUSY && !wait) return false;
    plan->codes[batch] = code;
    memmove(plan->queue, plan->queue + 1, --plan->queued * sizeof *plan->queue);
    return true;
}

static void end_batch(struct plan *plan, unsigned number, kt_batch *batch, uint64_t eagerness) {
    if (!plan->sends) {
        plan->codes[number] = kt_batch_commit(batch, &plan->receipts[number], &said);
        return;
    }
    kt_code code = kt_batch_send(batch, &said);
    if (code == KT_BUSY && plan->queued == KT_SENT_MAX && take(plan, true)) code = kt_batch_send(batch, &said);
    if (code == KT_OK) plan->queue[plan->queued++] = number;
    else plan->codes[number] = code;
    if (plan->queued > plan->most) plan->most = plan->queued;
    while (plan->queued != 0 && eagerness == 0 && take(plan, false)) {
    }
}

static void one_batch(struct plan *plan, unsigned number) {
    char id[32];
    kt_batch *batch = NULL;
    kt_receipt before = {0};
    uint64_t random = plan->seed + number * UINT64_C(1000003);
    (void)test_random(&random);
    uint64_t fate = pick(&random, 20), eagerness = pick(&random, 40);
    bool repeats = number > 3 && pick(&random, 15) == 0;
    snprintf(id, sizeof id, "batch %u", repeats ? number - 1 - (unsigned)pick(&random, 3) : number);
    kt_batch_options options = {.id = kt_str_from(id), .dry_run = fate == 0, .rejected = pick(&random, 3)};
    options.allow_duplicate_voucher = pick(&random, 30) == 0;
    standing += (int64_t)pick(&random, 3000000) - 500000; /* at times it falls */
    kt_code code = answered(plan, kt_batch_begin(plan->book, &options, &batch, &before, &said), 0);
    if (code == KT_REPEATED) {
        kt_sha256_update(&plan->answers, &before.first, sizeof before.first);
        kt_sha256_update(&plan->answers, &before.last, sizeof before.last);
        kt_sha256_update(&plan->answers, &before.tree_size, sizeof before.tree_size);
        kt_sha256_update(&plan->answers, before.root, sizeof before.root);
    }
    plan->codes[number] = code;
    if (batch == NULL) return;
    fill_batch(plan, number, batch, &random);
    plan->codes[number] = KT_END;
    if (fate == 1) kt_batch_abort(batch);
    else end_batch(plan, number, batch, eagerness);
}

/* All tables, each as one digest; the book is closed. */
static void digests_of(const char *name, uint8_t out[KT_TABLE_COUNT][KT_HASH_SIZE]) {
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT, .read_only = true};
    kt_store *store = NULL;
    kt_txn *txn;
    kt_cursor *cursor;
    kt_span key, value;
    if (kt_store_open(path_of(name), &options, &store, &said) != KT_OK ||
        kt_txn_begin(store, false, &txn, NULL) != KT_OK)
        abort();
    for (kt_table table = 0; table < KT_TABLE_COUNT; table++) {
        kt_sha256 hash;
        kt_sha256_init(&hash);
        if (kt_cursor_open(txn, table, &cursor, NULL) != KT_OK) abort();
        kt_cursor_raw(cursor, true);
        for (kt_code code = kt_cursor_first(cursor, &key, &value, NULL); code == KT_OK;
             code = kt_cursor_next(cursor, &key, &value, NULL)) {
            const uint64_t sizes[2] = {key.size, value.size};
            kt_sha256_update(&hash, sizes, sizeof sizes);
            kt_sha256_update(&hash, key.data, key.size);
            kt_sha256_update(&hash, value.data, value.size);
        }
        kt_cursor_close(cursor);
        kt_sha256_final(&hash, out[table]);
    }
    kt_txn_abort(txn);
    kt_store_close(store);
}

static bool same_tables(const char *one, const char *other) {
    uint8_t a[KT_TABLE_COUNT][KT_HASH_SIZE], b[KT_TABLE_COUNT][KT_HASH_SIZE];
    bool same = true;
    digests_of(one, a);
    digests_of(other, b);
    for (unsigned table = 0; table < KT_TABLE_COUNT; table++)
        if (memcmp(a[table], b[table], KT_HASH_SIZE) != 0) {
            diag("table %s differs", kt_table_names[table]);
            same = false;
        }
    return same;
}

static struct plan *run_plan(const char *name, uint64_t seed, bool single, bool sends, char **told_of,
                             uint8_t answers[KT_HASH_SIZE]) {
    struct plan *plan = calloc(1, sizeof *plan);
    make_standing(name);
    plan->seed = seed;
    plan->sends = sends;
    plan->book = open_standing(name, single);
    kt_sha256_init(&plan->answers);
    for (unsigned i = 0; i < BATCHES; i++) one_batch(plan, i);
    while (plan->queued != 0) (void)take(plan, true);
    if (sends) is_code(kt_book_receive(plan->book, true, NULL, &said), KT_END, "%s: then nothing is under way", name);
    *told_of = told(plan->book);
    kt_book_close(plan->book);
    kt_sha256_final(&plan->answers, answers);
    return plan;
}

static void compare(const char *name, const struct plan *one, const struct plan *other) {
    unsigned codes = 0, receipts = 0, stored = 0;
    for (unsigned i = 0; i < BATCHES; i++) {
        const kt_receipt *a = &one->receipts[i], *b = &other->receipts[i];
        stored += one->codes[i] == KT_OK && a->first <= a->last;
        if (one->codes[i] != other->codes[i]) {
            if (codes++ == 0)
                diag("batch %u: %s, and %s", i, kt_code_name(one->codes[i]), kt_code_name(other->codes[i]));
        } else if (!same_receipt(a, b) && receipts++ == 0)
            diag("batch %u: %s %llu-%llu of %llu, and %s %llu-%llu of %llu", i, a->batch_id,
                 (unsigned long long)a->first, (unsigned long long)a->last, (unsigned long long)a->tree_size,
                 b->batch_id, (unsigned long long)b->first, (unsigned long long)b->last,
                 (unsigned long long)b->tree_size);
    }
    is_int(codes, 0, "%s: of %u batches, %u stored, each ends the same", name, BATCHES, stored);
    is_int(receipts, 0, "%s: and its receipt is the same: records, time, root", name);
}

static void test_same_book(uint64_t *random) {
    static const char *const names[] = {"sent", "sent-single", "committed"};
    uint64_t seed = test_random(random);
    uint8_t expected[KT_HASH_SIZE], answers[KT_HASH_SIZE];
    char *expected_told, *told_of;
    struct plan *one = run_plan("one-by-one", seed, true, false, &expected_told, expected);
    diag("answers: %u taken, %u duplicate, %u closed, %u by rule, %u unknown, %u unbalanced, %u repeated, %u other",
         one->kinds[0], one->kinds[1], one->kinds[2], one->kinds[3], one->kinds[4], one->kinds[5], one->kinds[6],
         one->kinds[7]);
    ok(one->kinds[0] > 10000 && one->kinds[1] && one->kinds[2] && one->kinds[3] && one->kinds[4] && one->kinds[5] &&
           one->kinds[6],
       "batches one by one on one thread: many entries, and refusals of all kinds");
    (void)is_sound("one-by-one", "one by one: the book is sound");
    for (unsigned i = 0; i < 3; i++) {
        const char *name = names[i];
        struct plan *other = run_plan(name, seed, i == 1, i != 2, &told_of, answers);
        if (i != 2) is_int(other->most, KT_SENT_MAX, "%s: %d batches were ahead at most", name, KT_SENT_MAX);
        is_bytes(answers, sizeof answers, expected, sizeof expected, "%s: each entry is answered the same", name);
        compare(name, one, other);
        ok(strcmp(told_of, expected_told) == 0, "%s: checkpoint, balances and registers are the same", name);
        ok(same_tables("one-by-one", name), "%s: all tables are the same, byte for byte", name);
        (void)is_sound(name, "and the book is sound");
        free(told_of);
        free(other);
    }
    free(expected_told);
    free(one);
}

/* ---- several at once ---- */

#define MANY 9000u

/* Entries between accounts of which there are few or many, one in 700 refused. */
static kt_entry *draw_many(unsigned accounts, uint64_t *random, unsigned count, struct drawn **room) {
    kt_entry *entries = calloc(count, sizeof *entries);
    *room = calloc(count, sizeof **room);
    struct plan none = {0};
    for (unsigned i = 0; i < count; i++) {
        struct drawn *drawn = &(*room)[i];
        entries[i] = *draw(&none, random, drawn);
        for (size_t line = 0; accounts && line < entries[i].line_count; line++) {
            snprintf(drawn->code[line], sizeof drawn->code[line], "M%u", (unsigned)pick(random, accounts));
            drawn->lines[line].account = kt_str_from(drawn->code[line]);
        }
    }
    return entries;
}

static void open_many(const char *name, unsigned accounts) {
    char code[16];
    make_standing(name);
    kt_book *book = open_standing(name, true);
    kt_batch *batch = NULL;
    if (kt_batch_begin(book, &(kt_batch_options){.id = KT_STR("accounts")}, &batch, NULL, &said) != KT_OK) abort();
    for (unsigned i = 0; i < accounts; i++) {
        snprintf(code, sizeof code, "M%u", i);
        kt_account account = {.code = kt_str_from(code), .type = KT_ASSET};
        if (kt_batch_account(batch, &account, &said) != KT_OK) ok(false, "an account: %s", said.text);
    }
    if (kt_batch_commit(batch, NULL, &said) != KT_OK) ok(false, "the accounts: %s", said.text);
    kt_book_close(book);
}

/* All entries but the refused ones, in pieces; the refused ones' places and reasons in one digest. */
static void add_all(const char *name, const kt_entry *entries, size_t count, bool many, uint64_t random,
                    uint8_t refused[KT_HASH_SIZE]) {
    kt_book *book = open_standing(name, false);
    kt_batch *batch = NULL;
    kt_sha256 hash;
    unsigned wrong = 0, refusals = 0;
    kt_sha256_init(&hash);
    if (kt_batch_begin(book, &(kt_batch_options){.id = KT_STR("all")}, &batch, NULL, &said) != KT_OK) abort();
    for (size_t at = 0; at < count;) {
        size_t piece = many ? pick(&random, 500) : 1, added = SIZE_MAX;
        if (piece > count - at) piece = count - at;
        kt_code code = many ? kt_batch_add_many(batch, entries + at, piece, &added, &said)
                            : kt_batch_add(batch, &entries[at], NULL, &said);
        if (!many) added = code == KT_OK;
        wrong += code == KT_OK ? added != piece : added >= piece;
        at += added;
        if (code == KT_OK) continue;
        const uint64_t both[2] = {at++, (uint64_t)code};
        kt_sha256_update(&hash, both, sizeof both);
        refusals++;
    }
    is_int(wrong, 0, "%s: the count of those taken is right each time, with %u refused", name, refusals);
    ok(refusals > 0, "%s: some are refused", name);
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "%s: the others are committed", name);
    kt_sha256_final(&hash, refused);
    kt_book_close(book);
}

static void test_many(uint64_t *random, unsigned accounts) {
    uint8_t one[KT_HASH_SIZE], other[KT_HASH_SIZE];
    struct drawn *room;
    char single[32], many[32];
    snprintf(single, sizeof single, "%u-singly", accounts);
    snprintf(many, sizeof many, "%u-together", accounts);
    kt_entry *entries = draw_many(accounts, random, 6000, &room);
    open_many(single, accounts);
    add_all(single, entries, 6000, false, 0, one);
    kt_receipt expected = receipt;
    open_many(many, accounts);
    add_all(many, entries, 6000, true, test_random(random), other);
    is_bytes(other, sizeof other, one, sizeof one, "%s: it stops where one by one is refused, for the same reason",
             many);
    ok(same_receipt(&receipt, &expected), "%s: the receipt is the same, root and all", many);
    ok(same_tables(single, many), "%s: and all tables are, byte for byte", many);
    (void)is_sound(many, "and the book is sound");
    free(entries);
    free(room);
}

int main(void) {
    uint64_t random = test_seed();
    test_same_book(&random);
    test_many(&random, 0);
    test_many(&random, MANY);
    return done();
}
