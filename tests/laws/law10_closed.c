/* Law 10: a closed period takes no posting by any way in, until a recorded, reasoned reopening. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/codec.h"
#include "tests/bookkeeping.h"

static kt_book *book;
static uint64_t early, later;
static char early_batch[KT_BATCH_ID_MAX + 1];

static const char *file(const char *name, const void *bytes, size_t size) {
    const char *path = path_of(name);
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(bytes, 1, size, out) != size) diag("%s is not written", path);
    if (out) fclose(out);
    return path;
}

static size_t msgpack(uint8_t *out, size_t room) {
    kt_pack pack;
    kt_pack_init(&pack, out, room);
    kt_pack_array(&pack, 4);
    kt_pack_uint(&pack, 1);
    kt_pack_int(&pack, day("2026-01-31"));
    kt_pack_uint(&pack, 6);
    kt_pack_array(&pack, 2);
    for (int side = 0; side < 2; side++) {
        kt_pack_array(&pack, 4);
        kt_pack_uint(&pack, 1);
        kt_pack_text(&pack, side ? "2000" : "1000", 4);
        kt_pack_uint(&pack, 3);
        kt_pack_amount(&pack, side ? -1 : 1);
    }
    return pack.size;
}

/* Every format carries the same entry of 2026-01-31. */
static void import_each(kt_code expected, const char *law) {
    static const struct {
        const char *name, *format, *text;
    } files[] = {
        {"in.csv", "csv", "date,voucher,account,amount\n2026-01-31,,1000,1\n2026-01-31,,2000,-1\n"},
        {"in.ads", "ads",
         "Journal_ID,GL_Account_Number,Amount,Effective_Date\n77,1000,1,20260131\n77,2000,-1,20260131\n"},
        {"in.json", "json",
         "{\"date\":\"2026-01-31\",\"lines\":[{\"account\":\"1000\",\"amount\":\"1\"},{\"account\":\"2000\",\"amount\":"
         "\"-1\"}]}\n"},
        {"in.journal", "journal", "2026-01-31 late\n    1000    1 DKK\n    2000\n"},
        {"in.msgpack", "msgpack", NULL},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        uint8_t packed[200];
        char id[40];
        kt_import_result result;
        size_t size = files[i].text ? strlen(files[i].text) : msgpack(packed, sizeof packed);
        snprintf(id, sizeof id, "%s %d", files[i].format, (int)expected);
        kt_import_options options = {.format = files[i].format, .id = kt_str_from(id)};
        kt_code code = kt_import(book, file(files[i].name, files[i].text ? (const void *)files[i].text : packed, size),
                                 &options, &result, &said);
        is_code(code, expected, "%s by %s", law, files[i].format);
        if (code == KT_CLOSED) has_text(said.text, "2026-01", "naming the period");
        else if (code != KT_OK) diag("%s", said.text);
    }
}

static void every_way_in(void) {
    char *before = told(book);
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_CLOSED, "a closed period takes no posting by the API");
    has_text(said.text, "2026-01", "and the refusal names it");
    is_code(post(book, "2026-01-01 - 1000 1 / 2000 -1"), KT_CLOSED, "on its first day");
    is_code(post(book, "2026-02-01 - 1000 1 / 2000 -1\n2026-01-15 - 1000 1 / 2000 -1"), KT_CLOSED,
            "nor by a batch that is partly elsewhere");
    import_each(KT_CLOSED, "nor");
    is_code(reverse(book, later, "2026-01-31", false, NULL), KT_CLOSED, "nor by a reversal dated in it");
    kt_batch *batch = begin(book);
    uint64_t count;
    is_code(kt_batch_reverse_batch(batch, kt_str_from(early_batch), day("2026-01-31"), (kt_str){NULL, 0}, true, &count,
                                   &said),
            KT_CLOSED, "nor by the reversal of a batch");
    kt_batch_abort(batch);
    batch = begin(book);
    is_code(kt_batch_period_close(batch, day("2026-03-31"), &said), KT_OK, "a batch that closes a month");
    is_code(add(batch, "2026-03-01 - 1000 1 / 2000 -1", NULL), KT_CLOSED, "posts nothing into it any more");
    is_code(add(batch, "2026-04-01 - 1000 1 / 2000 -1", NULL), KT_OK, "but elsewhere");
    kt_batch_abort(batch);
    book = reopen(book);
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_CLOSED, "reopened, the book still knows");
    is_code(close_month(book, "2026-01"), KT_CLOSED, "closing it again is refused");
    is_code(reopen_month(book, "2026-01", ""), KT_USAGE, "reopening it without a reason, too");
    is_code(reopen_month(book, "2026-02", "why not"), KT_CLOSED, "and reopening one that is open");
    is_untouched(book, before, "nothing of this changed the book");
    is_code(post(book, "2025-12-31 - 1000 1 / 2000 -1\n2026-02-01 - 1000 1 / 2000 -1"), KT_OK,
            "the months around it take postings");
}

int main(void) {
    book = make_book("book");
    is_code(post(book, "2026-01-10 V1 1000 100 / 2000 -100"), KT_OK, "an entry of January");
    early = receipt.first;
    snprintf(early_batch, sizeof early_batch, "%s", receipt.batch_id);
    is_code(post(book, "2026-02-10 V2 1000 100 / 2000 -100"), KT_OK, "and one of February");
    later = receipt.first;
    is_code(close_month(book, "2026-01"), KT_OK, "January is closed");
    every_way_in();
    is_code(reverse(book, early, "2026-02-01", false, NULL), KT_OK,
            "what stands in the closed month is mended in an open one");
    is_code(reopen_month(book, "2026-01", "auditor's correction"), KT_OK, "a reasoned reopening is recorded");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "and the month takes postings");
    import_each(KT_OK, "again");
    is_code(close_month(book, "2026-01"), KT_OK, "until it is closed again");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_CLOSED, "and then no more");
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
