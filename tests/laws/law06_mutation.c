/* Law 6 by mutation: every byte of every stored block and value, records in another order, parts of other books, older copies,
   forks, and histories rewritten and signed again with the owner's real keys: each is refused by verification, none by
   its death. tests/outside/test_go_tlog.sh does the same to the exported log. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/tables.h"
#include "storage/codec.h"
#include "storage/head.h"
#include "tests/bookkeeping.h"
#include "tests/mutating.h"
#include "tests/witnessing.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

static bool thorough;     /* all bits of all bytes, all bytes of the file, every pair of records */
static size_t every = 1;  /* of what is tried: all, or under a sanitizer one in so many */
static uint64_t chance;   /* where those begin that are tried, so that in some runs all of them are */
static book_file file;    /* of "book" */
static uint8_t *spoilt;   /* room for it */
static uint64_t readings; /* its digest */

static const char *some(void) { return thorough || every != 1 ? "every one" : "one in four"; }

/* ---- the book, and its relatives ---- */

#define MOVES 7

static struct kept {
    char *note;
    size_t size;
    uint64_t records;
    kt_str cosigned;
} kept[MOVES]; /* a checkpoint for each move, as somebody elsewhere kept it, and as a witness cosigned it */
static kt_witness *witness;

static void keep(kt_book *book, unsigned move) {
    kt_view *view = view_of(book);
    if (kt_view_checkpoint(view, &kept[move].note, &kept[move].size, &said) != KT_OK) diag("%s", said.text);
    kept[move].records = head_of(book).size;
    kt_view_close(view);
    char *note;
    if (witness_view(witness, book, &note, &kept[move].cosigned.size) != KT_OK) diag("%s", said.text);
    kept[move].cosigned.data = note;
}

/* One move of the head; `way` tells histories apart that are alike in everything but an amount. */
static kt_code move_on(kt_book *book, unsigned move, unsigned way) {
    char text[500];
    switch (move) {
    case 0: return declare_currency(book, "EUR", 2);
    case 1:
        snprintf(text, sizeof text,
                 "2026-01-31 V1 1000 %u.25 / 2000 -%u.25\n2026-01-31 V2 5000 7 cc=North text=wage / 1000 -7", 10 + way,
                 10 + way);
        break;
    case 2:
        snprintf(text, sizeof text, "2026-02-10 S#1 1100 1 EUR @@ 7.%02u / 1000 -7.%02u", 40 + way, 40 + way);
        break;
    case 3: return reverse(book, kept[0].records, "2026-02-28", way % 2 != 0, NULL);
    case 4: return close_month(book, way % 2 == 0 ? "2026-01" : "2025-12");
    default: snprintf(text, sizeof text, "2026-03-%02u V%u 1000 %u / 4000 -%u", move, move, 5 + way, 5 + way); break;
    }
    return post(book, text);
}

static char *relative(unsigned from) {
    static char names[4][40];
    static unsigned next;
    char *out = names[next++ % 4];
    snprintf(out, sizeof names[0], "from-%u", from);
    return out;
}

/* "book"; "from-N": its copy after move N; "sibling": from move 0 on another history, under the same keys; "other": of the
   same moves, with other keys. */
static void make_books(void) {
    uint64_t seed = 8;
    kt_create_options with = {.context = &seed};
    kt_book *book = make_book("book"), *other = make_book_with("other", &with);
    witness = make_witness("witness", kt_book_verifier(book));
    kt_code code = KT_OK;
    for (unsigned move = 0; move < MOVES && code == KT_OK; move++) {
        code = move_on(book, move, 0);
        keep(book, move);
        copy_book("book", relative(move));
        if (code == KT_OK) code = move_on(other, move, 0);
    }
    kt_book_close(book);
    kt_book_close(other);
    copy_book("from-0", "sibling");
    kt_book *sibling = open_book("sibling");
    for (unsigned move = 1; move < MOVES && code == KT_OK; move++) code = move_on(sibling, move, 1);
    kt_book_close(sibling);
    is_code(code, KT_OK, "three books are made (%s)", code == KT_OK ? "" : said.text);
    is_sound("book", "the book verifies");
    is_sound("sibling", "and so does one of another history, under the same keys");
    is_sound("other", "and one under other keys");
    book_file_open(&file, path_of("book"), "book");
    spoilt = malloc(file.size);
    readings = book_digest(path_of("book"));
    ok(spoilt != NULL && readings != 0, "the book reads well: %zu values of %zu bytes", file.count, file.value_bytes);
}

/* ---- bytes ---- */

/* The bytes that are tried: of blocks all, of other values and of keys some, from a place that another run has elsewhere. */
typedef struct tries {
    bool keys, mend;
    struct try {
        const struct file_place *place;
        size_t at; /* in the file */
    }
    *at;
    size_t count;
} tries;

static void choose(tries *out, bool keys, size_t of_blocks, size_t of_others) {
    *out = (tries){.keys = keys, .at = calloc(file.value_bytes + file.key_bytes, sizeof *out->at)};
    size_t seen = pick(&chance, 1000);
    for (const struct file_place *place = file.places; place < file.places + file.count; place++) {
        size_t step = every * (place->table == KT_TABLE_BLOCKS ? of_blocks : of_others);
        size_t size = keys ? place->key_size : place->value_size, begin = keys ? place->key_at : place->value_at;
        for (size_t i = 0; i < size; i++)
            if (seen++ % step == 0) out->at[out->count++] = (struct try){place, begin + i};
    }
}

/* One bit of each, or all of them one after the other. */
static size_t mutants_of(const tries *from) { return thorough ? from->count * 8 : from->count; }

static bool flip(void *context, size_t n, const char *directory) {
    const tries *from = context;
    const struct try *one = &from->at[thorough ? n / 8 : n];
    memcpy(spoilt, file.bytes, file.size);
    spoilt[one->at] ^= (uint8_t)(1u << (thorough ? n % 8 : (n * 5 + n / 8) % 8));
    if (from->mend) book_file_mend(one->place, spoilt);
    if (memcmp(spoilt, file.bytes, file.size) == 0) return false;
    return directory == NULL || book_file_put(directory, spoilt, file.size);
}

static void every_value(void) {
    tries of;
    size_t checksums = 0, back = 0;
    choose(&of, false, 1, thorough ? 1 : 4);
    for (size_t i = 0; i < file.count; i++) checksums += book_file_checksums(&file, &file.places[i]);
    mutants plain = {"a byte of a value", mutants_of(&of), flip, NULL, NULL, &of};
    mutants_caught(&plain, 0, "every byte of every stored block (of other values %s), changed", some());
    of.mend = true;
    for (size_t n = 0; n < plain.count; n++) back += !flip(&of, n, NULL);
    if (thorough)
        is_int((long long)back, (long long)checksums * 8, "the only bytes that checksums make good are their own");
    plain.what = "a byte under its checksum";
    mutants_caught(&plain, back, "and with all checksums made to fit it, but for the %zu that are checksums' own bytes",
                   back);
    free(of.at);
    choose(&of, true, thorough ? 1 : 4, thorough ? 1 : 4);
    mutants keys = {"a byte of a key", mutants_of(&of), flip, NULL, NULL, &of};
    mutants_caught(&keys, 0, "the bytes of keys (%s)", some());
    of.mend = true;
    mutants_caught(&keys, 0, "and with the checksums made to fit");
    free(of.at);
}

/* Another book, large enough for tiles and for a record in parts: sampled. */
static void large_book(void) {
    tries of;
    size_t back = 0;
    kt_book *book = make_book("large");
    kt_line *lines = calloc(8000, sizeof *lines);
    for (size_t i = 0; i < 8000; i++)
        lines[i] = (kt_line){.amount = i % 2 ? -100 : 100, .account = KT_STR("1000"), .text = KT_STR("wage")};
    kt_entry entry = {.date = day("2025-07-31"), .voucher = KT_STR("P1"), .lines = lines, .line_count = 2};
    kt_batch *batch = begin(book);
    kt_code code = KT_OK;
    for (unsigned i = 0; i < 600 && code == KT_OK; i++) {
        entry.voucher = (kt_str){NULL, 0};
        entry.line_count = i == 300 ? 8000 : 2;
        code = kt_batch_add(batch, &entry, NULL, &said);
    }
    if (code == KT_OK) code = kt_batch_commit(batch, &receipt, &said);
    is_code(code, KT_OK, "a book with tiles, and with an entry in parts");
    kt_book_close(book);
    free(lines);
    book_file_close(&file);
    free(spoilt);
    book_file_open(&file, path_of("large"), "large");
    spoilt = malloc(file.size);
    choose(&of, false, thorough ? 97 : 1597, thorough ? 7 : 97);
    mutants some_of = {"a byte of a large book", mutants_of(&of), flip, NULL, NULL, &of};
    mutants_caught(&some_of, 0, "bytes of its %zu values, sampled", file.count);
    of.mend = true;
    for (size_t n = 0; n < some_of.count; n++) back += !flip(&of, n, NULL);
    mutants_caught(&some_of, back, "and under checksums made to fit");
    free(of.at);
}

static bool is_alike(void *context, const char *directory) {
    (void)context;
    return book_digest(directory) == readings;
}

/* Bytes of the file itself, of LMDB's own structure too. Nobody reads free room in pages, free pages, and the older of LMDB's
   two beginnings. */
#define PAGE 4096
#define STRUCTURE 64 /* bytes at a page's beginning: what it is, and where its rows are */

static size_t raw_every, raw_begin;

static size_t raw_count(void) {
    return thorough ? file.size : 2 * ((file.size / PAGE * STRUCTURE - raw_begin) / raw_every);
}

/* All, or in turns one anywhere and one of a page's beginning. */
static size_t raw_at(size_t n) {
    size_t half = n / 2 * raw_every + raw_begin;
    if (thorough) return n;
    return n % 2 == 0 ? half / STRUCTURE * PAGE + half % STRUCTURE : half * (PAGE / STRUCTURE);
}

static bool flip_raw(void *context, size_t n, const char *directory) {
    (void)context;
    memcpy(spoilt, file.bytes, file.size);
    spoilt[raw_at(n)] ^= (uint8_t)(1u << (n * 5 + n / 8) % 8);
    return book_file_put(directory, spoilt, file.size);
}

/* What kills the process that verifies is a finding of the one that asked for it. */
static void every_raw(void) {
    mutant_tally tally;
    size_t told_of = 0;
    raw_every = 7 * every;
    raw_begin = pick(&chance, raw_every);
    mutants raw = {"a byte of the file", raw_count(), flip_raw, is_alike, NULL, NULL};
    mutants_try(&raw, &tally);
    ok(tally.missed == 0 && tally.caught + tally.died + tally.unread == tally.tried && tally.unread > 0,
       "bytes of the file itself: %zu tried, %zu caught, %zu more by the end of verification's child, %zu are read by "
       "nobody (the book reads alike)",
       tally.tried, tally.caught, tally.died, tally.unread);
    if (tally.missed != 0) diag("%s", tally.why);
    if (mkdir(path_of("dead"), 0700) != 0) diag("no place for what kills");
    size_t dead = tally.died < MUTANTS_DEAD ? tally.died : MUTANTS_DEAD;
    for (size_t i = 0; i < dead; i++) {
        found first;
        (void)flip_raw(NULL, tally.dead[i], path_of("dead"));
        told_of += verify_path(path_of("dead"), NULL, &first) == KT_DAMAGED && strstr(first.what, "is damaged") != NULL;
    }
    is_int((long long)told_of, (long long)dead, "which kontor verify says, and goes on living");
}

static bool cut(void *context, size_t n, const char *directory) {
    (void)context;
    size_t size = n / 2 * PAGE + (n % 2) * (1 + n * 977 % (PAGE - 1));
    return size < file.size && book_file_put(directory, file.bytes, size);
}

static void every_cut(void) {
    mutant_tally tally;
    mutants cuts = {"a cut", file.size / PAGE * 2, cut, is_alike, NULL, NULL};
    mutants_try(&cuts, &tally);
    ok(tally.caught > 0 && tally.caught + tally.unread == tally.tried && tally.missed == 0 && tally.died == 0,
       "the file cut off at and within every page: %zu tried, %zu caught, of %zu what is gone was free", tally.tried,
       tally.caught, tally.unread);
}

/* ---- records ---- */

static journal_copy own, sibling, other;

static bool put_records(const char *directory, const kt_span *records, size_t count) {
    bool same = count == own.count;
    for (size_t i = 0; i < count && same; i++) same = kt_span_compare(records[i], own.records[i]) == 0;
    return !same && book_file_put(directory, file.bytes, file.size) &&
           journal_copy_put(directory, records, count, &own);
}

static bool swap_records(void *context, size_t n, const char *directory) {
    (void)context;
    kt_span records[1000];
    size_t a = n / own.count, b = n % own.count;
    memcpy(records, own.records, own.count * sizeof *records);
    if (a >= b) return false;
    records[a] = own.records[b];
    records[b] = own.records[a];
    return put_records(directory, records, own.count);
}

enum { DROP, DOUBLE, TURN, WAYS };

static bool reorder(void *context, size_t n, const char *directory) {
    (void)context;
    kt_span records[1000];
    size_t way = n % WAYS, at = n / WAYS, count = 0;
    for (size_t i = 0; i < own.count; i++) {
        if (way != DROP || i != at) records[count++] = own.records[i];
        if (way == DOUBLE && i == at) records[count++] = own.records[i];
    }
    if (way == TURN) { /* to the end */
        memmove(records + at, records + at + 1, (count - at - 1) * sizeof *records);
        records[count - 1] = own.records[at];
    }
    return put_records(directory, records, count);
}

static bool splice_record(void *context, size_t n, const char *directory) {
    const journal_copy *from = context;
    kt_span records[1000];
    size_t at = n / from->count, theirs = n % from->count;
    memcpy(records, own.records, own.count * sizeof *records);
    records[at] = from->records[theirs];
    return put_records(directory, records, own.count);
}

/* A run of blocks of another book's in place of the own ones: sealed batches whole, with their makers' good signatures. */
static bool splice_blocks(void *context, size_t n, const char *directory) {
    const journal_copy *from = context;
    kt_span records[1000];
    size_t first = n / own.block_count, last = n % own.block_count, count = 0, mine = 0, theirs = 0;
    if (first > last || last >= from->block_count) return false;
    for (size_t i = 0; i < own.block_count; i++) {
        bool take = i >= first && i <= last;
        const kt_span *at = take ? from->records + theirs : own.records + mine;
        uint32_t here = take ? from->blocks[i] : own.blocks[i];
        memcpy(records + count, at, here * sizeof *records);
        count += here;
        mine += own.blocks[i];
        theirs += i < from->block_count ? from->blocks[i] : 0;
    }
    return put_records(directory, records, count);
}

/* One in so many of a set's mutants. */
typedef struct thinned {
    const mutants *all;
    size_t step, begin;
} thinned;

static bool make_thinned(void *context, size_t n, const char *directory) {
    const thinned *some_of = context;
    return some_of->all->make(some_of->all->context, some_of->begin + n * some_of->step, directory);
}

static const kt_verify_options *options_thinned(void *context, size_t n) {
    const thinned *some_of = context;
    return some_of->all->options(some_of->all->context, some_of->begin + n * some_of->step);
}

/* Sets count what they cannot change (a record in its own place) as no change; how many that is, is theirs to tell. */
static void caught_all(mutants whole, size_t step, const char *law) {
    mutant_tally tally;
    thinned some_of = {&whole, thorough ? 1 : step * every, 0};
    some_of.begin = pick(&chance, some_of.step);
    mutants set = {whole.what,
                   (whole.count - some_of.begin + some_of.step - 1) / some_of.step,
                   make_thinned,
                   NULL,
                   whole.options == NULL ? NULL : options_thinned,
                   &some_of};
    mutants_try(&set, &tally);
    if (tally.missed != 0) diag("%s", tally.why);
    ok(tally.tried > 0 && tally.caught == tally.tried && tally.missed == 0 && tally.died == 0 &&
           tally.tried + tally.same == set.count,
       "%s: %zu tried, %zu caught", law, tally.tried, tally.caught);
}

static void every_record(void) {
    journal_copy_open(&own, path_of("book"));
    journal_copy_open(&sibling, path_of("sibling"));
    journal_copy_open(&other, path_of("other"));
    is_int((long long)sibling.count, (long long)own.count, "the sibling has as many records");
    mutants swaps = {"a swap", own.count * own.count, swap_records, NULL, NULL, NULL};
    mutants_caught(&swaps, own.count * (own.count + 1) / 2, "every two records in each other's place");
    mutants order = {"another order", own.count * WAYS, reorder, NULL, NULL, NULL};
    mutants_caught(&order, 1 /* the last one is at the end already */, "every record left out, twice, or at the end");
    caught_all((mutants){"a sibling's record", own.count * sibling.count, splice_record, NULL, NULL, &sibling}, 3,
               "any record of a sibling's history in the place of any");
    caught_all((mutants){"another's record", own.count * other.count, splice_record, NULL, NULL, &other}, 3,
               "any record of another book's in the place of any");
    caught_all((mutants){"a sibling's blocks", own.block_count * own.block_count, splice_blocks, NULL, NULL, &sibling},
               1, "batches of a sibling's history, whole and well signed, in the place of the book's");
    caught_all((mutants){"another's blocks", own.block_count * own.block_count, splice_blocks, NULL, NULL, &other}, 1,
               "batches of another book's");
}

/* ---- checkpoints, and whatever else stands in a row of its own ---- */

typedef struct rows {
    book_file *from;
    const char *name;
} rows;

static kt_span content(const book_file *of, const struct file_place *place) {
    return kt_span_of(of->bytes + place->value_at + KT_VALUE_OVERHEAD, place->value_size - KT_VALUE_OVERHEAD);
}

/* Value `theirs` under the key of value `mine` of the same table; with none left, value `mine` is taken away. */
static bool splice_row(void *context, size_t n, const char *directory) {
    book_file *from = context;
    size_t mine = n / (from->count + 1), theirs = n % (from->count + 1);
    const struct file_place *to = &file.places[mine], *with = theirs < from->count ? &from->places[theirs] : NULL;
    kt_span key = kt_span_of(file.bytes + to->key_at, to->key_size);
    if (to->table == KT_TABLE_BLOCKS || (with != NULL && with->table != to->table)) return false;
    if (with != NULL && kt_span_compare(content(&file, to), content(from, with)) == 0) return false;
    return book_file_put(directory, file.bytes, file.size) &&
           book_row_put(directory, to->table, key, with == NULL ? (kt_span){0} : content(from, with));
}

static void every_row(void) {
    static const char *const names[] = {"sibling", "other", "from-3", "book"};
    static const char *const laws[] = {"every checkpoint and every other row, by any of a sibling's",
                                       "by any of another book's", "by any of an older copy's",
                                       "by any other of its own, or left out"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        book_file from;
        book_file_open(&from, path_of(names[i]), names[i]);
        caught_all((mutants){names[i], file.count * (from.count + 1), splice_row, NULL, NULL, &from}, 3, laws[i]);
        book_file_close(&from);
    }
}

/* ---- against a kept checkpoint ---- */

/* Histories that verification of the book alone cannot tell from the true one: signed with the owner's real keys. */
typedef struct history {
    char name[40];
    unsigned branch; /* the last move that is true */
} history;
static history histories[MOVES * 3];
static size_t history_count;
static kt_verify_options against;

static void branch_off(unsigned from, unsigned to, const char *what) {
    history *made = &histories[history_count++];
    snprintf(made->name, sizeof made->name, "%s-%u", what, from);
    made->branch = from;
    copy_book(relative(from), made->name);
    kt_book *book = open_book(made->name);
    kt_code code = KT_OK;
    for (unsigned move = from + 1; move < to && code == KT_OK; move++) code = move_on(book, move, 2);
    kt_book_close(book);
    if (code != KT_OK) diag("%s: %s", made->name, said.text);
}

static bool pair_of(size_t n, bool lies, const history **past, unsigned *move) {
    *past = &histories[n / MOVES];
    *move = (unsigned)(n % MOVES);
    return (*move > (*past)->branch) == lies;
}

static bool make_history(void *context, size_t n, const char *directory) {
    const history *past;
    unsigned move;
    char path[1200];
    if (!pair_of(n, *(const bool *)context, &past, &move)) return false;
    snprintf(path, sizeof path, "%s/%s", test_dir(), past->name);
    book_file whole;
    book_file_open(&whole, path, past->name);
    bool put = book_file_put(directory, whole.bytes, whole.size);
    book_file_close(&whole);
    return put;
}

static const kt_verify_options *since_kept(void *context, size_t n) {
    (void)context;
    against = (kt_verify_options){.since = kept[n % MOVES].note, .since_size = kept[n % MOVES].size, .most = 1};
    return &against;
}

/* The same, from what a witness cosigned. */
static const kt_verify_options *since_cosigned(void *context, size_t n) {
    static const char *keys[1];
    (void)context;
    keys[0] = kt_witness_verifier(witness);
    against = (kt_verify_options){
        .witnesses = keys, .witness_count = 1, .cosigned = &kept[n % MOVES].cosigned, .cosigned_count = 1, .most = 1};
    return &against;
}

static void every_history(void) {
    static const bool lies = true, truths = false;
    mutant_tally tally;
    size_t sound = 0;
    for (unsigned move = 0; move < MOVES; move++) branch_off(move, move, "old");
    for (unsigned move = 0; move + 1 < MOVES; move++) branch_off(move, move + 2, "fork");
    for (unsigned move = 0; move + 1 < MOVES; move++) branch_off(move, MOVES, "rewritten");
    for (size_t i = 0; i < history_count; i++) sound += verify_path(path_of(histories[i].name), NULL, NULL) == KT_OK;
    is_int((long long)sound, (long long)history_count,
           "older copies, forks, and histories rewritten and signed again with the owner's "
           "real keys: all %zu verify by themselves",
           history_count);
    mutants false_ones = {"a false history", history_count * MOVES,   make_history, NULL,
                          since_kept,        (void *)(uintptr_t)&lies};
    caught_all(false_ones, 1, "each against each kept checkpoint of what it drops or denies");
    false_ones.options = since_cosigned;
    caught_all(false_ones, 1, "and against each that a witness cosigned");
    for (unsigned way = 0; way < 2; way++) {
        mutants true_ones = {"a true history",
                             history_count * MOVES,
                             make_history,
                             NULL,
                             way == 0 ? since_kept : since_cosigned,
                             (void *)(uintptr_t)&truths};
        mutants_try(&true_ones, &tally);
        ok(tally.tried > 0 && tally.caught == 0 && tally.missed == tally.tried,
           "against those %s before it branched off, %zu of %zu are accepted: nothing is refused blindly",
           way == 0 ? "kept" : "cosigned", tally.missed, tally.tried);
    }
}

/* ---- does this test judge at all? ---- */

static bool make_whole(void *context, size_t n, const char *directory) {
    (void)context, (void)n;
    return book_file_put(directory, file.bytes, file.size);
}

static bool make_again(void *context, size_t n, const char *directory) {
    (void)context, (void)n;
    return book_file_put(directory, file.bytes, file.size) && journal_copy_put(directory, own.records, own.count, &own);
}

static bool kill_it(void *context, size_t n, const char *directory) {
    (void)context, (void)directory;
    if (n % 3 == 0) raise(SIGKILL);
    return book_file_put(directory, spoilt, 100);
}

static void control(void) {
    mutant_tally tally;
    mutants whole = {"the book itself", 10, make_whole, NULL, NULL, NULL};
    mutants_try(&whole, &tally);
    ok(tally.tried == 10 && tally.caught == 0 && tally.missed == 10,
       "the book itself, treated as a mutant, is accepted");
    whole.make = make_again;
    mutants_try(&whole, &tally);
    ok(tally.tried == 10 && tally.caught == 0 && tally.missed == 10, "and so it is with its blocks written anew");
    mutants dying = {"what kills", 12, kill_it, NULL, NULL, NULL};
    mutants_try(&dying, &tally);
    ok(tally.died == 4 && tally.caught == 8, "a child that dies is counted, and the next takes over");
}

int main(void) {
    thorough = getenv("KONTOR_LONG") != NULL;
#ifdef __SANITIZE_ADDRESS__
    thorough = false;
    every = 5; /* prime to MOVES, or the same checkpoint would always be tried */
#endif
    chance = test_seed();
    make_books();
    every_value();
    every_raw();
    every_cut();
    every_record();
    every_row();
    every_history();
    control();
    large_book();
    for (unsigned i = 0; i < MOVES; i++) {
        free(kept[i].note);
        free((char *)(uintptr_t)kept[i].cosigned.data);
    }
    kt_witness_close(witness);
    journal_copy_close(&own);
    journal_copy_close(&sibling);
    journal_copy_close(&other);
    book_file_close(&file);
    free(spoilt);
    return done();
}
