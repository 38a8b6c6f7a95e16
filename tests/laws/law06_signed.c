/* Laws 6 and 7: each move of the head is a checkpoint that extends the one before; a batch is its maker's, by right. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ledger/entry.h"
#include "engine/tables.h"
#include "storage/journal.h"
#include "storage/note.h"
#include "tests/bookkeeping.h"

#define MOVES 12

static void checkpoints(void)
{
    kt_book *book = make_book("book");
    kt_verifier verifier;
    char *notes[MOVES];
    size_t sizes[MOVES];
    const char *key = kt_book_verifier(book);
    is_code(kt_verifier_parse(key, strlen(key), &verifier, &said), KT_OK, "the book says its log's key");
    unsigned good = 0, extended = 0;
    for (unsigned i = 0; i < MOVES; i++) {
        kt_checkpoint checkpoint;
        kt_code code = i % 4 == 3 ? close_month(book, i == 3   ? "2025-01"
                                                      : i == 7 ? "2025-02"
                                                               : "2025-03")
                                  : post(book, "2026-01-31 - 1000 1 / 2000 -1");
        kt_head head = head_of(book);
        kt_view *view = view_of(book);
        if (code == KT_OK && kt_view_checkpoint(view, &notes[i], &sizes[i], &said) == KT_OK &&
            kt_checkpoint_open(notes[i], sizes[i], &verifier, false, &checkpoint, &said) == KT_OK)
            good += checkpoint.size == head.size && memcmp(checkpoint.root, head.root, sizeof head.root) == 0;
        kt_view_close(view);
    }
    is_int(good, MOVES, "every commit ends in a checkpoint over all records, signed by the log's key");
    for (unsigned i = 0; i < MOVES; i++) {
        kt_verify_options options = {.verifier = key, .since = notes[i], .since_size = sizes[i]};
        extended += verify_path(path_of("book"), &options, NULL) == KT_OK;
        free(notes[i]);
    }
    is_int(extended, MOVES, "and extends every one before it");
    kt_book_close(book);
}

static kt_signer *stranger(const char *file)
{
    kt_signer *signer = NULL;
    if (kt_signer_generate(&signer, &said) != KT_OK ||
        kt_key_save(signer, path_of(file), "stranger", NULL, &said) != KT_OK)
        diag("%s", said.text);
    return signer;
}

static void by_right(void)
{
    kt_book *book = make_book("rights");
    char *before = told(book);
    kt_signer_close(stranger("stranger.key"));
    kt_open_options options = {.key_file = path_of("stranger.key")};
    kt_book *theirs = NULL;
    kt_batch *batch = NULL;
    is_code(kt_book_open(path_of("rights"), &options, &theirs, &said), KT_OK, "anybody with the files may read");
    is_code(kt_batch_begin(theirs, NULL, &batch, NULL, &said), KT_FORBIDDEN,
            "but a key that is not on record may not begin a batch");
    has_text(said.text, "not on record", "and is told why");
    kt_book_close(theirs);
    is_untouched(book, before, "nothing was stored");
    is_code(post(book, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "the one on record may");
    kt_view *view = view_of(book);
    kt_entry_view *entry = NULL;
    is_code(kt_entry_read(view, receipt.first, &entry, &said), KT_OK, "the entry is read");
    kt_verifier verifier;
    (void)kt_verifier_parse(kt_book_verifier(book), strlen(kt_book_verifier(book)), &verifier, NULL);
    if (entry)
        is_bytes(entry->actor, KT_KEY_SIZE, verifier.public_key, KT_KEY_SIZE, "and names its maker");
    kt_entry_view_free(entry);
    kt_view_close(view);
    kt_book_close(book);
}

/* A whole batch of one entry put into the journal past all checks: hashed, signed by `actor` and under a good checkpoint. */
static uint64_t forge(const char *name, const kt_entry *entry, const char *actor_key, const char *id)
{
    kt_store_options with = {.names = kt_table_names, .count = KT_TABLE_COUNT};
    kt_store *store = NULL;
    kt_journal *journal = NULL;
    kt_signer *log = NULL, *actor = NULL;
    char path[1100], origin[200] = "", directory[1024];
    uint8_t record[1000];
    uint64_t number = 0;
    kt_pack pack;
    kt_seal seal;
    kt_log_head head;
    kt_book *book = open_book(name);
    snprintf(origin, sizeof origin, "%s", kt_book_origin(book));
    kt_book_close(book);
    snprintf(directory, sizeof directory, "%s", path_of(name));
    snprintf(path, sizeof path, "%s/keys/log.key", directory);
    kt_journal_options options = {.directory = directory, .origin = origin, .clock_us = test_clock};
    kt_pack_init(&pack, record, sizeof record);
    kt_entry_pack(&pack, entry, false);
    kt_code code = kt_store_open(directory, &with, &store, &said);
    if (code == KT_OK)
        code = kt_journal_open(store, &options, &journal, &said);
    if (code == KT_OK)
        code = kt_key_load(path, NULL, NULL, &log, &said);
    if (code == KT_OK && actor_key)
        code = kt_key_load(path_of(actor_key), NULL, NULL, &actor, &said);
    if (code == KT_OK)
        code = kt_journal_begin(journal, true, &said);
    if (code == KT_OK)
        code = kt_journal_append(journal, kt_span_of(record, pack.size), &number, &said);
    kt_seal_input input = {.id = kt_span_of(id, strlen(id)), .actor = actor ? actor : log, .log = log, .read = 1, .posted = 1};
    if (code == KT_OK)
        code = kt_journal_seal(journal, &input, &seal, &head, &said);
    is_code(code, KT_OK, "a forged batch is in the journal (%s)", code == KT_OK ? "" : said.text);
    kt_journal_close(journal);
    kt_store_close(store);
    kt_signer_close(log);
    kt_signer_close(actor);
    return number;
}

/* The first finding of verify on a forged copy. */
static void finds(const char *text, const char *actor, const char *id, kt_code code, uint64_t behind, const char *law)
{
    entry_room room;
    found first;
    const kt_entry *entry = entry_of(&room, text);
    for (size_t i = 0; i < entry->line_count; i++) { /* as records keep them */
        (void)kt_amount_rescale(room.lines[i].amount, (uint8_t)(room.lines[i].amount_given - 1), 2, KT_ROUND_EXACT,
                                &room.lines[i].amount);
    }
    copy_book("honest", "forged");
    uint64_t number = forge("forged", entry, actor, id);
    is_code(verify_path(path_of("forged"), NULL, &first), KT_DAMAGED, "%s is found by verification", law);
    is_code(first.code, code, "as what it is");
    is_int((long long)first.record, (long long)(number + behind), "naming the record");
    diag("%s", first.what);
}

static void forged(void)
{
    kt_book *book = make_book("honest");
    is_code(post(book, "2026-01-31 V1 1000 1 / 2000 -1"), KT_OK, "an honest book");
    uint64_t honest = receipt.first;
    is_code(reverse(book, honest, "2026-01-31", false, NULL), KT_OK, "with a reversal");
    is_code(close_month(book, "2025-12"), KT_OK, "and a closed month");
    kt_batch_options named = {.id = KT_STR("used")};
    is_code(post_with(book, &named, "2026-01-31 - 1000 1 / 2000 -1"), KT_OK, "and a batch with a name");
    kt_book_close(book);
    is_sound("honest", "it verifies");
    finds("2026-01-31 - 1000 5 / 2000 -5", "stranger.key", "f", KT_FORBIDDEN, 1,
          "a batch well signed by a key that is not on record");
    finds("2026-01-31 - 1000 5 / 2000 -4", NULL, "f", KT_UNBALANCED, 0, "a signed entry that does not balance (law 2)");
    finds("2025-12-31 - 1000 5 / 2000 -5", NULL, "f", KT_CLOSED, 0, "a signed entry in a closed month (law 10)");
    finds("2026-01-31 - 1000 5 / 9999 -5", NULL, "f", KT_UNKNOWN, 0, "a signed entry on an account that is not there");
    finds("2026-01-31 V1 1000 5 / 2000 -5", NULL, "f", KT_DUPLICATE, 0, "a signed entry whose voucher is used");
    finds("2026-01-31 - 1000 5 EUR / 2000 -5 EUR", NULL, "f", KT_UNKNOWN, 0, "a currency that nobody put on record");
    finds("2026-01-31 - 1000 5 / 2000 -5", NULL, "used", KT_DAMAGED, 1, "a second batch of the same id (law 5)");
}

int main(void)
{
    checkpoints();
    by_right();
    forged();
    return done();
}
