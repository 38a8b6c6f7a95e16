/* Proofs: that a record is in the book, and that one checkpoint extends another, for who has no book. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/tables.h"
#include "storage/proof.h"
#include "tests/acting.h"
#include "tests/bookkeeping.h"

#define SMALL 45    /* batches of one entry */
#define LARGE 66200 /* entries: beyond a full tile of level 1 */

typedef struct text {
    char *data;
    size_t size;
} text;

static kt_book *book;
static text note[SMALL + 8]; /* checkpoints kept, by age */
static size_t notes;

static void keep_note(void) {
    kt_view *view = view_of(book);
    kt_view_checkpoint(view, &note[notes].data, &note[notes].size, &said);
    notes++;
    kt_view_close(view);
}

static text prove(kt_view *view, uint64_t number) {
    text made = {NULL, 0};
    if (kt_prove(view, number, &made.data, &made.size, &said) != KT_OK)
        diag("%llu: %s", (unsigned long long)number, said.text);
    return made;
}

static kt_code check(text proof, const char *key) {
    kt_proved *proved;
    kt_code code = kt_check_proof(proof.data, proof.size, key, &proved, &said);
    kt_proved_free(proved);
    return code;
}

/* The record's proof holds and gives what the book itself says of it. */
static bool proves(kt_view *view, uint64_t number) {
    kt_proved *proved = NULL;
    kt_entry_view *entry = NULL;
    text made = prove(view, number);
    kt_head head;
    bool good = made.data != NULL && kt_view_head(view, &head, &said) == KT_OK &&
                kt_check_proof(made.data, made.size, kt_book_verifier(book), &proved, &said) == KT_OK &&
                proved->number == number && proved->size == head.size && !proved->consistency &&
                memcmp(proved->root, head.root, KT_DIGEST_SIZE) == 0;
    bool is_entry = kt_entry_read(view, number, &entry, NULL) == KT_OK && !entry->proposed;
    good = good && is_entry == (proved->entry != NULL);
    if (good && is_entry) {
        const kt_entry *a = &entry->entry, *b = &proved->entry->entry;
        good = a->line_count == b->line_count && a->date == b->date && kt_str_equal(a->voucher, b->voucher) &&
               memcmp(entry->leaf_hash, proved->leaf_hash, KT_DIGEST_SIZE) == 0 && entry->parts == proved->parts &&
               kt_str_equal(proved->currency, KT_STR("DKK"));
        for (size_t i = 0; i < a->line_count && good; i++)
            good = a->lines[i].amount == b->lines[i].amount && kt_str_equal(a->lines[i].account, b->lines[i].account) &&
                   entry->decimals[i] == proved->entry->decimals[i] &&
                   entry->cost_decimals[i] == proved->entry->cost_decimals[i];
    }
    if (!good) diag("record %llu: %s", (unsigned long long)number, said.text);
    kt_entry_view_free(entry);
    kt_proved_free(proved);
    free(made.data);
    return good;
}

static void small_books(void) {
    size_t tried = 0, wrong = 0;
    keep_note();
    for (unsigned i = 0; i < SMALL; i++) {
        char entry[100];
        snprintf(entry, sizeof entry, "2025-03-%02u V%u 1000 %u.25 / 4000 -%u.25", i % 28 + 1, i, i + 1, i + 1);
        if (post(book, entry) != KT_OK) diag("%s", said.text);
        kt_view *view = view_of(book);
        uint64_t size = head_of(book).size;
        for (uint64_t number = 0; number < size; number++, tried++) wrong += !proves(view, number);
        kt_view_close(view);
        keep_note();
    }
    is_int((long long)wrong, 0, "every record of books of %u sizes proves and checks: %zu proofs", SMALL, tried);
}

static text prove_between(kt_view *view, text older, text newer) {
    text made = {NULL, 0};
    (void)kt_prove_consistency(view, older.data, older.size, newer.data, newer.size, &made.data, &made.size, &said);
    return made;
}

static void between_all(const char *law) {
    size_t wrong = 0, tried = 0, order = 0;
    kt_view *view = view_of(book);
    for (size_t i = 0; i < notes; i++)
        for (size_t k = 0; k < notes; k++) {
            kt_proved *proved = NULL;
            text made = prove_between(view, note[i], note[k]);
            if (i > k) {
                order += made.data == NULL && said.code == KT_USAGE;
                continue;
            }
            bool good = made.data != NULL &&
                        kt_check_proof(made.data, made.size, kt_book_verifier(book), &proved, &said) == KT_OK &&
                        proved->consistency && proved->older_size <= proved->size;
            if (!good) diag("%zu to %zu: %s", i, k, said.text);
            wrong += !good;
            tried++;
            kt_proved_free(proved);
            free(made.data);
        }
    is_int((long long)wrong, 0, "%s: consistency between every pair of %zu checkpoints proves and checks", law, notes);
    is_int((long long)order, (long long)(notes * (notes - 1) / 2), "and every pair in the wrong order is refused");
    text made = prove_between(view, note[0], (text){NULL, 0});
    is_code(made.data == NULL ? said.code : check(made, kt_book_verifier(book)), KT_OK,
            "also to the newest, where none is given");
    free(made.data);
    kt_view_close(view);
}

/* Nothing but the text itself is taken: each byte changed in several ways, each left out, each end cut off. */
static void spoil(text proof, const char *what) {
    size_t tried = 0, caught = 0;
    char *copy = malloc(proof.size + 1);
    for (size_t i = 0; i < proof.size; i++) {
        static const unsigned char flips[] = {1, 2, 4, 0x20, 0x80};
        for (size_t k = 0; k < sizeof flips; k++, tried++) {
            memcpy(copy, proof.data, proof.size);
            copy[i] = (char)(copy[i] ^ flips[k]);
            kt_code code = check((text){copy, proof.size}, kt_book_verifier(book));
            caught += code == KT_INVALID || code == KT_DAMAGED || code == KT_FOREIGN || code == KT_NEWER;
        }
        memcpy(copy, proof.data, i);
        memcpy(copy + i, proof.data + i + 1, proof.size - i - 1);
        caught += check((text){copy, proof.size - 1}, kt_book_verifier(book)) != KT_OK;
        /* Its own memory, so that reading behind it is seen. */
        char *cut = malloc(i + 1);
        memcpy(cut, proof.data, i);
        caught += check((text){cut, i}, kt_book_verifier(book)) != KT_OK;
        free(cut);
        tried += 2;
    }
    free(copy);
    is_int((long long)caught, (long long)tried,
           "%s: every byte changed, left out, and every end cut off is refused (%zu tried)", what, tried);
}

static void spoiled(void) {
    kt_view *view = view_of(book);
    uint64_t last = head_of(book).size - 2;
    text proof = prove(view, last), other = prove(view, last - 2);
    spoil(proof, "an entry's proof");
    text between = prove_between(view, note[3], note[20]);
    spoil(between, "a proof of consistency");

    /* The entry of one proof in the proof of another. */
    char *extra = strchr(proof.data, '\n') + 1, *rest = strchr(extra, '\n');
    char *extra2 = strchr(other.data, '\n') + 1, *rest2 = strchr(extra2, '\n');
    text mixed = {malloc(proof.size + other.size), 0};
    mixed.size = (size_t)sprintf(mixed.data, "%.*s%.*s%s", (int)(extra - proof.data), proof.data, (int)(rest2 - extra2),
                                 extra2, rest);
    is_code(check(mixed, kt_book_verifier(book)), KT_DAMAGED,
            "another entry of the same book in an entry's proof is refused");
    has_text(said.text, "leads to another root", "saying what does not hold");
    mixed.size = (size_t)sprintf(mixed.data, "%.*s%s", (int)(extra - proof.data), proof.data, rest + 1);
    is_code(check(mixed, kt_book_verifier(book)), KT_INVALID, "a proof without its record is refused");
    free(mixed.data);
    free(proof.data);
    free(other.data);
    free(between.data);
    kt_view_close(view);
}

static void other_book(void) {
    uint64_t seed = 8;
    kt_create_options options = {.context = &seed};
    kt_book *other = make_book_with("other", &options);
    kt_view *view = view_of(book);
    text proof = prove(view, 2), between = prove_between(view, note[1], note[2]);
    is_code(check(proof, kt_book_verifier(other)), KT_FOREIGN, "under another book's key a proof is refused");
    has_text(said.text, "none of its 1 signatures is by", "saying whose signature is wanted");
    is_code(check(between, kt_book_verifier(other)), KT_FOREIGN, "and a proof of consistency is");
    is_code(check(proof, "nonsense"), KT_INVALID, "what is no key is refused");
    kt_view *theirs = view_of(other);
    text crossed = prove_between(theirs, note[0], (text){NULL, 0});
    ok(crossed.data == NULL && said.code == KT_FOREIGN, "a book proves nothing about another's checkpoint");
    kt_view_close(theirs);
    is_code(kt_prove(view, head_of(book).size, &crossed.data, &crossed.size, &said), KT_NOT_FOUND,
            "what is not there is not proved");
    free(proof.data);
    free(between.data);
    kt_view_close(view);
    kt_book_close(other);
}

static void fork_is_seen(void) {
    copy_book("book", "fork");
    kt_book *fork = open_book("fork");
    is_code(post(fork, "2025-05-01 F1 1000 5 / 4000 -5"), KT_OK, "a copy goes on by itself, with the owner's real key");
    is_code(post(book, "2025-05-01 F1 1000 6 / 4000 -6"), KT_OK, "and the book by itself");
    keep_note();
    kt_view *view = view_of(fork);
    text made = prove_between(view, note[notes - 1], (text){NULL, 0});
    ok(made.data == NULL && said.code == KT_DAMAGED, "the copy cannot prove that it extends the book's checkpoint");
    has_text(said.text, "history is not that of the checkpoints", "and says so");
    kt_view_close(view);
    is_code(post(book, "2025-05-02 - 1000 1 / 4000 -1"), KT_OK, "the book goes on");
    keep_note();
    view = view_of(fork);
    made = prove_between(view, note[notes - 1], (text){NULL, 0});
    ok(made.data == NULL && said.code == KT_NOT_FOUND, "an older copy does not know the newest checkpoint");
    kt_view_close(view);
    kt_book_close(fork);
}

static void currencies(void) {
    is_code(declare_currency(book, "XAU", 5), KT_OK, "a currency of five decimals");
    is_code(post(book, "2025-06-01 C1 1000 1.00001 XAU @@ 100 DKK / 4000 -100"), KT_OK, "is posted");
    uint64_t number = receipt.last - 1;
    kt_view *view = view_of(book);
    kt_proved *proved = NULL;
    text proof = prove(view, number);
    ok(proves(view, number), "it proves");
    is_code(kt_check_proof(proof.data, proof.size, kt_book_verifier(book), &proved, &said), KT_OK, "and checks");
    if (proved && proved->entry) {
        is_int(proved->entry->decimals[0], 5, "with the decimals that are on record");
        is_int((long long)proved->beside_count, 3, "company and both currencies beside it, each proved");
    }
    kt_proved_free(proved);
    free(proof.data);
    kt_view_close(view);
}

/* Put on record again as it is, after an entry was posted in it. */
static void currency_again(void) {
    is_code(declare_currency(book, "PTS", 1), KT_OK, "a currency");
    is_code(declare_currency(book, "PTS", 3), KT_OK, "whose decimals change while nothing is posted");
    is_code(post(book, "2025-06-02 C2 1000 1.001 PTS @@ 100 DKK / 4000 -100"), KT_OK, "is posted");
    uint64_t number = receipt.last - 1;
    is_code(declare_currency(book, "PTS", 3), KT_OK, "and declared again");
    kt_view *view = view_of(book);
    kt_proved *proved = NULL;
    text proof = prove(view, number);
    is_code(kt_check_proof(proof.data, proof.size, kt_book_verifier(book), &proved, &said), KT_OK,
            "the entry's proof rests on what was on record before it");
    if (proved && proved->entry) is_int(proved->entry->decimals[0], 3, "with the decimals of then");
    kt_proved_free(proved);
    free(proof.data);
    kt_view_close(view);
}

/* A proposal proves as what it is, and the entry that carries it out as an entry. */
static void approved(void) {
    entry_room room;
    uint64_t proposal = 0, number = 0;
    kt_batch *batch = begin(book);
    is_code(kt_batch_propose(batch, entry_of(&room, "2025-06-03 A1 1000 5 / 4000 -5"), &proposal, &said), KT_OK,
            "an entry is proposed");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "and stored");
    is_code(add_actor(book, "second", "second"), KT_OK, "another person");
    is_code(grant(book, "second", KT_ROLE_CONTROLLER, NULL), KT_OK, "who may approve");
    is_code(grant(book, "second", KT_ROLE_CLERK, NULL), KT_OK, "and post");
    kt_book_close(book);
    kt_book *second = open_as("book", "second");
    is_code(decide(second, proposal, true, &number), KT_OK, "approves it");
    kt_book_close(second);
    book = open_book("book");
    kt_view *view = view_of(book);
    kt_proved *proved = NULL;
    text proof = prove(view, proposal), entry = prove(view, number);
    is_code(kt_check_proof(proof.data, proof.size, kt_book_verifier(book), &proved, &said), KT_OK,
            "the proposal's proof checks");
    ok(proved && proved->entry == NULL && kt_str_equal(proved->kind, KT_STR("proposal")), "as no entry");
    kt_proved_free(proved);
    is_code(kt_check_proof(entry.data, entry.size, kt_book_verifier(book), &proved, &said), KT_OK,
            "the approved entry's proof checks");
    ok(proved && proved->entry && proved->entry->entry.proposal == proposal, "and names the proposal");
    kt_proved_free(proved);
    free(proof.data);
    free(entry.data);
    kt_view_close(view);
}

static void long_entry(void) {
    enum { LINES = 20000 };
    kt_line *lines = calloc(LINES, sizeof *lines);
    for (size_t i = 0; i < LINES; i++)
        lines[i] = (kt_line){
            .amount = i % 2 ? -100 : 100, .account = i % 2 ? KT_STR("1000") : KT_STR("5000"), .text = KT_STR("wage")};
    kt_entry entry = {.date = day("2025-07-31"), .voucher = KT_STR("P1"), .lines = lines, .line_count = LINES};
    uint64_t number = 0;
    kt_batch *batch = begin(book);
    is_code(kt_batch_add(batch, &entry, &number, &said), KT_OK, "an entry of 20,000 lines");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "is stored");
    kt_view *view = view_of(book);
    ok(proves(view, number), "a long entry proves and checks whole");
    ok(proves(view, number - 1), "and so does a part of it, as what it is");
    text proof = prove(view, number);
    kt_proof parsed;
    kt_proof_extra extra;
    uint8_t *bytes;
    is_code(kt_proof_parse(proof.data, proof.size, &parsed, &said), KT_OK, "its proof is read");
    is_code(kt_proof_extra_decode(parsed.extra, parsed.extra_size, &extra, &bytes, &said), KT_OK,
            "with the records in it");
    ok(extra.record_count > 3, "the head behind %u parts", extra.record_count - 1);
    for (unsigned way = 0; way < 4; way++) {
        static const char *const laws[] = {"without its first part", "with two parts in each other's place",
                                           "without any part", "with a part twice"};
        kt_span kept[2] = {extra.records[0], extra.records[1]};
        kt_proof_extra wrong = extra;
        if (way == 0) wrong.records++, wrong.record_count--;
        if (way == 1) extra.records[0] = kept[1], extra.records[1] = kept[0];
        if (way == 2) wrong.records += wrong.record_count - 1, wrong.record_count = 1;
        if (way == 3) extra.records[0] = kept[1];
        kt_proof spoilt = parsed;
        text made, encoded;
        kt_proof_extra_encode(&wrong, &encoded.data, &encoded.size, &said);
        spoilt.extra = encoded.data;
        spoilt.extra_size = encoded.size;
        kt_proof_format(&spoilt, &made.data, &made.size, &said);
        ok(check(made, kt_book_verifier(book)) != KT_OK, "it is refused %s: %s", laws[way], said.text);
        free(encoded.data);
        free(made.data);
        extra.records[0] = kept[0];
        extra.records[1] = kept[1];
    }
    kt_proof_extra_release(&extra, bytes);
    free(proof.data);
    kt_view_close(view);
    free(lines);
    keep_note();
}

static int64_t now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void large_book(void) {
    int64_t before = clock_now;
    uint64_t earlier = head_of(book).size, state = test_seed();
    kt_batch *batch = begin(book);
    kt_line lines[2] = {{.amount = 100, .account = KT_STR("1000")}, {.amount = -100, .account = KT_STR("4000")}};
    kt_entry entry = {.date = day("2025-08-01"), .lines = lines, .line_count = 2};
    kt_code code = KT_OK;
    for (size_t i = 0; i < LARGE && code == KT_OK; i++) code = kt_batch_add(batch, &entry, NULL, &said);
    is_code(code, KT_OK, "66,200 entries more");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "are stored");
    keep_note();
    kt_view *view = view_of(book);
    uint64_t size = head_of(book).size;
    static const uint64_t edges[] = {0, 1, 255, 256, 257, 65279, 65280, 65535, 65536, 65537};
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) wrong += !proves(view, edges[i]);
    for (size_t i = 0; i < 300; i++) wrong += !proves(view, i < 3 ? size - 1 - i : pick(&state, size));
    is_int((long long)wrong, 0, "records at the edges of tiles, and some anywhere, prove and check in a large book");
    int64_t begun = now_us();
    for (size_t i = 0; i < 200; i++) free(prove(view, earlier + pick(&state, LARGE)).data);
    int64_t each = (now_us() - begun) / 200;
    diag("a proof is made in %lld us", (long long)each);
    ok(each < 20000, "a proof does not read the whole tree");
    kt_view_close(view);

    /* An earlier head has no frontier stored: all comes from tiles and leaves. */
    view = view_known(book, before);
    wrong = 0;
    for (uint64_t number = 0; number < earlier; number += number < 150 ? 1 : 7) wrong += !proves(view, number);
    is_int((long long)wrong, 0, "as known before, records prove under the checkpoint of then");
    kt_view_close(view);
    between_all("with a large book");
}

/* A stored root of a tile that is not that of its leaves, under a checksum that holds. */
static void damage_is_seen(void) {
    copy_book("book", "hurt");
    kt_store_options options = {.names = kt_table_names, .count = KT_TABLE_COUNT};
    kt_store *store = NULL;
    kt_txn *txn = NULL;
    uint8_t key[9] = {0}, root[KT_HASH_SIZE] = {1};
    kt_code code = kt_store_open(path_of("hurt"), &options, &store, &said);
    if (code == KT_OK) code = kt_txn_begin(store, true, &txn, &said);
    if (code == KT_OK)
        code = kt_txn_put(txn, KT_TABLE_TILES, kt_span_of(key, sizeof key), kt_span_of(root, sizeof root), &said);
    if (code == KT_OK) code = kt_txn_commit(txn, &said);
    kt_store_close(store);
    is_code(code, KT_OK, "the stored root of the first tile is changed in a copy");
    kt_book *hurt = open_book("hurt");
    kt_view *view = view_of(hurt);
    text made;
    is_code(kt_prove(view, 300, &made.data, &made.size, &said), KT_DAMAGED,
            "no proof that would not hold is given out");
    has_text(said.text, "kontor verify", "but a word about the damage");
    is_code(kt_prove(view, 3, &made.data, &made.size, &said), KT_OK, "one that does not rest on it is");
    free(made.data);
    kt_view_close(view);
    kt_book_close(hurt);
}

/* A record under each checkpoint that was kept, as far as it reaches. */
static void under_all(void) {
    kt_view *view = view_of(book);
    unsigned wrong = 0, tried = 0;
    for (size_t n = 0; n < notes; n++) {
        for (uint64_t number = 0; number < 12; number++) {
            kt_proved *proved = NULL;
            text made = {NULL, 0};
            kt_checkpoint checkpoint;
            kt_verifier verifier;
            const char *key = kt_book_verifier(book);
            (void)kt_verifier_parse(key, strlen(key), &verifier, NULL);
            (void)kt_checkpoint_open(note[n].data, note[n].size, &verifier, false, &checkpoint, NULL);
            kt_code code = kt_prove_under(view, number, note[n].data, note[n].size, &made.data, &made.size, &said);
            if (number >= checkpoint.size) wrong += code != KT_NOT_FOUND;
            else
                wrong += code != KT_OK || kt_check_proof(made.data, made.size, key, &proved, &said) != KT_OK ||
                         proved->size != checkpoint.size || proved->number != number ||
                         memcmp(proved->root, checkpoint.root, KT_DIGEST_SIZE) != 0;
            tried++;
            kt_proved_free(proved);
            free(made.data);
        }
    }
    ok(wrong == 0 && tried > 100,
       "a record is proved under any checkpoint that covers it, and under no other (%u of %u wrong)", wrong, tried);
    kt_view_close(view);
    kt_book *other = make_book_with(
        "stranger", &(kt_create_options){.company = {.entity = KT_STR("Other"), .currency = KT_STR("DKK")}});
    view = view_of(other);
    text made = {NULL, 0};
    is_code(kt_prove_under(view, 1, note[0].data, note[0].size, &made.data, &made.size, &said), KT_FOREIGN,
            "not under another book's");
    kt_view_close(view);
    kt_book_close(other);
}

int main(void) {
    book = make_book("book");
    small_books();
    between_all("in small books");
    under_all();
    spoiled();
    other_book();
    fork_is_seen();
    currencies();
    currency_again();
    approved();
    long_entry();
    large_book();
    damage_is_seen();
    for (size_t i = 0; i < notes; i++) free(note[i].data);
    kt_book_close(book);
    return done();
}
