/* Vouchers: each number once in its series and fiscal year, in whatever order and form they come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

static kt_book *book;

static kt_code give(const char *date, const char *series, const char *voucher) {
    kt_line lines[] = {{.amount = 1, .account = KT_STR("1000")}, {.amount = -1, .account = KT_STR("2000")}};
    kt_entry entry = {.date = day(date),
                      .series = kt_str_from(series),
                      .voucher = kt_str_from(voucher),
                      .lines = lines,
                      .line_count = 2};
    kt_batch *batch = begin(book);
    kt_code code = kt_batch_add(batch, &entry, NULL, &said);
    if (code == KT_OK) return kt_batch_commit(batch, &receipt, &said);
    kt_batch_abort(batch);
    return code;
}

static void once(const char *series, const char *voucher) {
    is_code(give("2026-01-31", series, voucher), KT_OK, "%s of series '%s' is free", voucher, series);
    is_code(give("2026-12-31", series, voucher), KT_DUPLICATE, "and then used");
}

static void forms(void) {
    static const char *const alike[] = {"1",
                                        "01",
                                        "001",
                                        "INV-1",
                                        "INV-01",
                                        "inv-1",
                                        "INV1",
                                        "INV-",
                                        "1a",
                                        "a1a",
                                        "0",
                                        "00",
                                        "2026-1",
                                        "2026-01",
                                        "9999999999999999999",
                                        "99999999999999999999",
                                        "000000000000000000000000000001",
                                        "00000000000000000000000000000001",
                                        "faktura æøå 7",
                                        "1 ",
                                        " 1",
                                        "-1",
                                        "+1",
                                        "1.0"};
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) once("", alike[i]);
    once("S", "1");
    once("T", "1");
    once("S1", "1");
    once("S", "11");
}

static void long_forms(void) {
    char voucher[KT_VOUCHER_MAX + 1], series[KT_SERIES_MAX + 1];
    memset(series, 's', KT_SERIES_MAX);
    series[KT_SERIES_MAX] = '\0';
    memset(voucher, '9', KT_VOUCHER_MAX);
    voucher[KT_VOUCHER_MAX] = '\0';
    once(series, voucher);
    voucher[KT_VOUCHER_MAX - 1] = '8';
    once(series, voucher);
    memset(voucher, '0', KT_VOUCHER_MAX);
    once(series, voucher);
    voucher[0] = '1';
    once(series, voucher);
    memset(voucher, 'x', KT_VOUCHER_MAX);
    once(series, voucher);
}

static void years(void) {
    is_code(give("2027-01-01", "", "1"), KT_OK, "a new fiscal year begins its numbers anew");
    is_code(give("2025-12-31", "", "1"), KT_OK, "an old one has its own");
    is_code(give("2027-12-31", "", "1"), KT_DUPLICATE, "each of them once");
    has_text(said.text, "fiscal year 2027", "and the refusal says which");
    is_code(give("2026-05-05", "", ""), KT_OK, "an entry without a voucher");
    is_code(give("2026-05-05", "", ""), KT_OK, "is never used up");
}

static void allowed(void) {
    kt_batch_options options = {.allow_duplicate_voucher = true};
    is_code(post_with(book, &options, "2026-01-31 1 1000 1 / 2000 -1\n2026-01-31 1 1000 1 / 2000 -1"), KT_OK,
            "a batch may be told to let vouchers repeat");
    is_code(give("2026-01-31", "", "1"), KT_DUPLICATE, "which holds for that batch alone");
    is_code(post_with(book, &options, "2026-01-31 fresh 1000 1 / 2000 -1"), KT_OK, "what it uses first");
    is_code(give("2026-01-31", "", "fresh"), KT_DUPLICATE, "is used");
}

static void aborted(void) {
    kt_batch *batch = begin(book);
    is_code(add(batch, "2026-01-31 A1 1000 1 / 2000 -1", NULL), KT_OK, "a batch uses a voucher");
    is_code(add(batch, "2026-01-31 A1 1000 1 / 2000 -1", NULL), KT_DUPLICATE, "once");
    is_code(add(batch, "2026-01-31 A2 1000 1 / 2000 -2", NULL), KT_UNBALANCED, "a refused entry uses none");
    is_code(add(batch, "2026-01-31 A2 1000 1 / 2000 -1", NULL), KT_OK, "so that it can be mended");
    kt_batch_abort(batch);
    is_code(give("2026-01-31", "", "A1"), KT_OK, "an aborted batch uses none either");
}

/* ---- against a model ---- */

#define SLOTS 65536

static struct used {
    char name[60];
    bool kept; /* committed */
} model[SLOTS];

static struct used *find(const char *name) {
    uint64_t hash = 1469598103934665603u;
    for (const char *at = name; *at; at++) hash = (hash ^ (uint8_t)*at) * 1099511628211u;
    size_t at = hash % SLOTS;
    while (model[at].name[0] && strcmp(model[at].name, name) != 0) at = (at + 1) % SLOTS;
    return &model[at];
}

static void draw(uint64_t *random, char *voucher, size_t room) {
    static const char *const prefixes[] = {"", "", "INV-", "K", "2026-", "a9b"};
    const char *prefix = prefixes[pick(random, 6)];
    uint64_t number = pick(random, 3) ? pick(random, 1500) : UINT64_C(1) << pick(random, 60);
    if (pick(random, 2)) snprintf(voucher, room, "%s%llu", prefix, (unsigned long long)number);
    else snprintf(voucher, room, "%s%0*llu", prefix, (int)(1 + pick(random, 6)), (unsigned long long)number);
}

/* What is known after the batch: everything, or only what was committed before. */
static void settle(bool kept) {
    struct used *again = calloc(SLOTS, sizeof *again);
    size_t count = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (model[i].name[0] && (kept || model[i].kept)) again[count++] = model[i];
    memset(model, 0, sizeof model);
    for (size_t i = 0; i < count; i++) {
        struct used *place = find(again[i].name);
        *place = again[i];
        place->kept = true;
    }
    free(again);
}

static void random_order(void) {
    static const char *const series[] = {"", "S", "T"};
    uint64_t random = test_seed();
    unsigned wrong = 0, taken = 0, refused = 0;
    for (unsigned round = 0; round < 40; round++) {
        kt_batch *batch = begin(book);
        for (unsigned i = 0; i < 400; i++) {
            char voucher[40], name[60];
            unsigned year = 2030 + (unsigned)pick(&random, 2);
            const char *of = series[pick(&random, 3)];
            draw(&random, voucher, sizeof voucher);
            snprintf(name, sizeof name, "%u/%s/%s", year, of, voucher);
            kt_line lines[] = {{.amount = 1, .account = KT_STR("1000")}, {.amount = -1, .account = KT_STR("2000")}};
            kt_entry entry = {.date = day(year == 2030 ? "2030-03-01" : "2031-03-01"),
                              .series = kt_str_from(of),
                              .voucher = kt_str_from(voucher),
                              .lines = lines,
                              .line_count = 2};
            struct used *place = find(name);
            kt_code code = kt_batch_add(batch, &entry, NULL, &said);
            if (code != (place->name[0] ? KT_DUPLICATE : KT_OK) && wrong++ == 0) diag("%s: %s", name, said.text);
            taken += code == KT_OK;
            refused += code != KT_OK;
            if (!place->name[0]) memcpy(place->name, name, sizeof name);
        }
        bool kept = pick(&random, 4) != 0;
        if (kept && kt_batch_commit(batch, NULL, &said) != KT_OK) wrong++;
        else if (!kept) kt_batch_abort(batch);
        settle(kept);
        if (pick(&random, 5) == 0) book = reopen(book);
    }
    is_int(wrong, 0, "%u vouchers in random order are taken and %u refused as a plain list of them would", taken,
           refused);
}

int main(void) {
    book = make_book("book");
    forms();
    long_forms();
    years();
    allowed();
    aborted();
    random_order();
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
