/* Batches signed elsewhere, many under one head: what is stored of them, what is refused, and that one's refusal is no
   other's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ledger/account.h"
#include "engine/ledger/currency.h"
#include "engine/ledger/dimension.h"
#include "engine/ledger/entry.h"
#include "engine/registry.h"
#include "engine/remote/group.h"
#include "storage/seal.h"
#include "tests/serving.h"

#define MOST 16

static kt_book *book;
static kt_signer *signer;
static kt_accept *accept_;
static kt_submission submissions[MOST];
static uint8_t *bodies[MOST];
static unsigned count;

static void clear(void) {
    for (unsigned i = 0; i < count; i++) free(bodies[i]);
    count = 0;
}

/* A submission of what stands in a draft; the draft is cleared. */
static kt_code submit_as(const char *id, kt_draft *draft, const kt_batch_frame *with) {
    uint8_t signature[KT_SIGNATURE_SIZE];
    kt_batch_frame frame = *with;
    kt_pack pack;
    int64_t record;
    uint8_t *body = malloc(4096 + draft->size);
    if (kt_draft_sign(draft, kt_book_origin(book), kt_str_from(id), signer, signature, NULL) != KT_OK) exit(1);
    frame.id = kt_str_from(id);
    frame.actor = kt_signer_public(signer);
    frame.signature = signature;
    frame.posted = draft->entry_count;
    frame.count = draft->count;
    kt_pack_init(&pack, body, 4096);
    kt_told_currency assumed = {KT_STR("XAU"), 5, false};
    kt_batch_frame_pack(&pack, &frame, &assumed);
    memcpy(body + pack.size, draft->data, draft->size);
    bodies[count] = body;
    kt_code code = kt_arrival_read(&kt_the_registry, kt_book_origin(book), kt_span_of(body, pack.size + draft->size),
                                   &submissions[count].arrival, &record, &said);
    count++;
    kt_draft_release(draft);
    return code;
}

static kt_code submit(const char *id, kt_draft *draft) { return submit_as(id, draft, &(kt_batch_frame){0}); }

static void put_entry(kt_draft *draft, const char *date, const char *voucher, kt_amount amount) {
    uint8_t record[512];
    kt_draft_entry about = {0};
    kt_draft_add(draft, kt_span_of(record, serving_entry(date, voucher, amount, record, sizeof record)), &about, &said);
}

static void put_lines(kt_draft *draft, const kt_entry *entry, bool repeats) {
    uint8_t record[4096];
    kt_draft_entry about = {0};
    kt_pack pack;
    kt_pack_init(&pack, record, sizeof record);
    kt_entry_pack(&pack, entry, repeats);
    kt_draft_add(draft, kt_span_of(record, pack.size), &about, &said);
}

static kt_code good(const char *id, const char *voucher) {
    kt_draft draft;
    kt_draft_init(&draft);
    put_entry(&draft, "2026-01-05", voucher, 700);
    return submit(id, &draft);
}

/* All that was submitted, in as many commits as it takes. */
static unsigned commit_all(void) {
    unsigned commits = 0;
    for (size_t at = 0, decided; at < count; at += decided, commits++) {
        kt_submission *group[MOST];
        for (size_t i = at; i < count; i++) group[i - at] = &submissions[i];
        kt_code code = kt_group_commit(accept_, group, count - at, &decided);
        if (code != KT_OK || decided == 0) {
            diag("%s", submissions[at].text);
            ok(false, "a group is decided");
            break;
        }
    }
    return commits;
}

static void open_up(const char *name) {
    book = make_book(name);
    signer = serving_signer(name);
    is_code(kt_accept_open(book, &accept_, &said), KT_OK, "a book accepts what others signed");
}

static void close_up(const char *name) {
    clear();
    kt_accept_close(accept_);
    kt_signer_close(signer);
    kt_book_close(book);
    is_sound(name, "the book is sound");
}

/* ---- one head over many ---- */

static void one_head(void) {
    char id[20], voucher[20];
    open_up("one-head");
    kt_head before = head_of(book);
    int64_t early = clock_now;
    unsigned wrong = 0;
    for (unsigned i = 0; i < 10; i++) {
        snprintf(id, sizeof id, "b%u", i);
        snprintf(voucher, sizeof voucher, "%u", i);
        wrong += good(id, voucher) != KT_OK;
    }
    is_int(wrong, 0, "ten batches are read, and their signatures hold");
    is_int(commit_all(), 1, "they go into one commit");
    kt_head after = head_of(book);
    for (unsigned i = 0; i < count; i++) {
        const kt_receipt *got = &submissions[i].receipt;
        wrong += submissions[i].code != KT_OK || got->tree_size != after.size || got->entries != 1 ||
                 got->last != before.size + 2 * i + 1 || got->first + 1 != got->last ||
                 memcmp(got->root, after.root, KT_DIGEST_SIZE) != 0 || strstr(submissions[i].note, "kontor/") == NULL;
    }
    is_int(wrong, 0, "each has its own place, and the checkpoint of all");
    is_int((long long)(after.batches - before.batches), 10, "the head counts ten batches more");
    kt_view *view = view_known(book, submissions[0].receipt.recorded_us);
    kt_head known;
    kt_view_head(view, &known, &said);
    ok(known.size == after.size && known.entries == before.entries + 10, "at their time all of them are known");
    kt_view_close(view);
    view = view_known(book, early);
    kt_view_head(view, &known, &said);
    ok(known.size == before.size && known.entries == before.entries, "and before it none");
    kt_view_close(view);
    kt_batch_options again = {.id = KT_STR("b4")};
    kt_batch *batch;
    is_code(kt_batch_begin(book, &again, &batch, &receipt, &said), KT_REPEATED,
            "one in the middle is known as posted by the book itself");
    ok(receipt.last == submissions[4].receipt.last && receipt.tree_size == after.size, "and where it lies");
    close_up("one-head");
}

/* ---- refusals ---- */

static void others_untouched(void) {
    kt_draft draft;
    open_up("mixed");
    good("a", "1");
    kt_draft_init(&draft); /* good, then bad: refused late */
    put_entry(&draft, "2026-01-05", "2", 100);
    put_entry(&draft, "2026-01-05", "2", 100);
    submit("late", &draft);
    good("b", "3");
    good("a", "1");        /* again, in the same group */
    kt_draft_init(&draft); /* refused at once */
    put_entry(&draft, "2026-01-05", "1", 100);
    submit("first", &draft);
    good("c", "2"); /* the voucher that the late one had used for a moment */
    is_int(commit_all(), 1, "six batches, two of them bad, make one commit");
    is_code(submissions[0].code, KT_OK, "the first is stored");
    is_code(submissions[1].code, KT_DUPLICATE, "one that is bad at its second entry is refused (%s)",
            submissions[1].text);
    is_int(submissions[1].record, 1, "naming it");
    is_code(submissions[2].code, KT_OK, "the one behind it is stored");
    is_code(submissions[3].code, KT_REPEATED, "a repeat in the same group is a repeat");
    ok(submissions[3].receipt.last == submissions[0].receipt.last &&
           submissions[3].receipt.tree_size == submissions[0].receipt.tree_size,
       "of the one that is stored with it");
    is_code(submissions[4].code, KT_DUPLICATE, "one that is bad at its first entry is refused");
    is_int(submissions[4].record, 0, "naming it too");
    is_code(submissions[5].code, KT_OK, "what a refused one had used is free");
    is_int((long long)head_of(book).entries, 3, "three entries are there");
    ok(balance(book, "1000") == 2100, "of three amounts");
    clear();
    for (unsigned i = 0; i < 12; i++) { /* more late refusals than are done again for one commit */
        char id[20];
        kt_draft_init(&draft);
        snprintf(id, sizeof id, "bad %u", i);
        put_entry(&draft, "2026-01-06", i % 2 ? "x" : "y", 100);
        put_entry(&draft, "2026-01-06", i % 2 ? "x" : "y", 100);
        submit(id, &draft);
    }
    good("d", "4");
    unsigned commits = commit_all(), refused = 0;
    for (unsigned i = 0; i < 12; i++) refused += submissions[i].code == KT_DUPLICATE && submissions[i].record == 1;
    is_int(refused, 12, "many bad ones are each refused for their own sake");
    ok(commits > 1 && commits <= 4, "in bounded pieces (%u)", commits);
    is_code(submissions[12].code, KT_OK, "and the good one behind them is stored");
    close_up("mixed");
}

/* As kt_batch_add says it, and no word less. */
static void same_refusals(void) {
    static const struct {
        const char *entry, *law;
    } all[] = {
        {"2026-01-05 - 1000 1.00 / 4000 -1.50", "an unbalanced entry"},
        {"2026-01-05 - 1000 1.00 / 9999 -1.00", "an unknown account"},
        {"2025-12-05 - 1000 1.00 / 4000 -1.00", "a closed month"},
        {"2026-01-05 V 1000 1.00 / 4000 -1.00", "a voucher used before"},
        {"2026-01-05 - 1000 1.00 ZZZ / 4000 -1.00 ZZZ", "an unknown currency"},
        {"2026-01-05 - 1000 1.00 / 1900 -1.00", "a closed account"},
        {"2026-01-05 - 1800 -1.00 / 4000 1.00", "an account's rule"},
        {"2026-01-05 - 1700 1.00 EUR / 4000 -1.00 EUR", "an account's currency"},
    };
    unsigned differ = 0;
    open_up("refusals");
    kt_account closed = {.code = KT_STR("1900"), .type = KT_ASSET, .closed_from = day("2026-01-01")};
    kt_account ruled = {.code = KT_STR("1800"), .type = KT_ASSET, .rule = KT_RULE_NOT_NEGATIVE};
    kt_account dkk = {.code = KT_STR("1700"), .type = KT_ASSET, .currency = KT_STR("DKK")};
    if (open_account(book, &closed) != KT_OK || open_account(book, &ruled) != KT_OK ||
        open_account(book, &dkk) != KT_OK || declare_currency(book, "EUR", 2) != KT_OK ||
        close_month(book, "2025-12") != KT_OK || post(book, "2026-01-05 V 1000 1.00 / 4000 -1.00") != KT_OK)
        ok(false, "%s", said.text);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        entry_room room;
        kt_draft draft;
        kt_code direct = post(book, all[i].entry);
        kt_error before = said;
        const kt_entry *given = entry_of(&room, all[i].entry);
        for (size_t l = 0; l < given->line_count; l++) /* as they would be stored */
            room.lines[l].amount_given = room.lines[l].cost_given = 0;
        kt_draft_init(&draft);
        put_lines(&draft, given, false);
        submit("refused", &draft);
        commit_all();
        bool same = submissions[0].code == direct && direct != KT_OK &&
                    strstr(before.text, submissions[0].text) != NULL;
        ok(same, "%s is refused alike (%s)", all[i].law, submissions[0].text);
        if (!same) diag("directly: %s", before.text);
        differ += !same;
        clear();
    }
    is_int(differ, 0, "no refusal is another than the book's own");
    close_up("refusals");
}

/* Forms that the book's own packing would not have made. */
static void other_forms(void) {
    kt_line lines[2] = {{.account = KT_STR("1000"), .amount = 5}, {.account = KT_STR("4000"), .amount = -5}};
    kt_entry entry = {.date = day("2026-01-05"), .lines = lines, .line_count = 2};
    kt_dimension pair = {1, KT_STR("North")};
    uint8_t record[512];
    kt_pack pack;
    kt_draft draft;
    open_up("forms");
    char *before = told(book);
    lines[0].currency = KT_STR("DKK");
    kt_draft_init(&draft);
    put_lines(&draft, &entry, false);
    submit("1", &draft);
    lines[0].currency = (kt_str){NULL, 0};
    entry.voucher = KT_STR("new");
    kt_draft_init(&draft);
    put_lines(&draft, &entry, true);
    submit("2", &draft);
    entry.voucher = (kt_str){NULL, 0};
    lines[0].dimensions = &pair;
    lines[0].dimension_count = 1;
    kt_draft_init(&draft);
    put_lines(&draft, &entry, false);
    submit("3", &draft);
    lines[0].dimension_count = 0;
    entry.reverses = 1;
    kt_draft_init(&draft);
    put_lines(&draft, &entry, false);
    submit("4", &draft);
    entry.reverses = 0;
    kt_draft_init(&draft); /* a part of nothing */
    kt_pack_init(&pack, record, sizeof record);
    kt_pack_envelope(&pack, KT_KIND_PART, 1, 0);
    kt_pack_bytes(&pack, "x", 1);
    kt_draft_add(&draft, kt_span_of(record, pack.size), NULL, &said);
    submit("5", &draft);
    kt_account account = {.code = KT_STR("1000"), .open_from = KT_DAY_NONE, .closed_from = KT_DAY_NONE};
    kt_draft_init(&draft); /* meant as new */
    kt_draft_add(&draft, kt_span_of(record, kt_account_record(&account, 0, record, sizeof record)), NULL, &said);
    submit_as("6", &draft, &(kt_batch_frame){.flags = KT_BATCH_NEW_ACCOUNTS});
    kt_draft_init(&draft); /* counted with other decimals */
    put_entry(&draft, "2026-01-05", "A", 5);
    submit_as("7", &draft, &(kt_batch_frame){.assumed_count = 1});
    commit_all();
    is_code(submissions[0].code, KT_INVALID, "a line that names the book's currency (%s)", submissions[0].text);
    is_code(submissions[1].code, KT_INVALID, "a voucher that repeats nothing (%s)", submissions[1].text);
    is_code(submissions[2].code, KT_UNKNOWN, "a value that is not on record (%s)", submissions[2].text);
    is_code(submissions[3].code, KT_UNSUPPORTED, "a reversal (%s)", submissions[3].text);
    is_code(submissions[4].code, KT_INVALID, "a part of nothing (%s)", submissions[4].text);
    is_code(submissions[5].code, KT_EXISTS, "an account that is no longer new (%s)", submissions[5].text);
    is_code(submissions[6].code, KT_RULE, "decimals that are not the currency's (%s)", submissions[6].text);
    is_untouched(book, before, "nothing of them is stored");
    clear();
    kt_draft_init(&draft);
    kt_seal seal = {.id = kt_span_of("x", 1)};
    kt_draft_add(&draft, kt_span_of(record, kt_seal_write(&seal, 0, record)), NULL, &said);
    is_code(submit("8", &draft), KT_INVALID, "a seal is not posted");
    kt_draft_init(&draft);
    put_entry(&draft, "2026-01-05", "B", 5);
    draft.entry_count = 2;
    is_code(submit("9", &draft), KT_INVALID, "nor entries that are counted wrong");
    kt_draft_init(&draft); /* a value and the entry that uses it */
    kt_draft_add(&draft, kt_span_of(record, kt_dimension_record(&pair, entry.date, record, sizeof record)), NULL,
                 &said);
    lines[0].dimension_count = 1;
    put_lines(&draft, &entry, false);
    clear();
    is_code(submit("10", &draft), KT_OK, "registers and entries together are read");
    commit_all();
    is_code(submissions[0].code, KT_OK, "and stored");
    close_up("forms");
}

/* An entry too large for one record: parts, as the book makes them. */
static void large(void) {
    enum { LINES = 30000 };
    kt_line *lines = calloc(LINES, sizeof *lines);
    kt_entry entry = {.date = day("2026-01-05"), .voucher = KT_STR("L"), .lines = lines, .line_count = LINES};
    kt_draft draft;
    kt_pack pack;
    kt_draft_entry about = {0};
    open_up("large");
    for (unsigned i = 0; i < LINES; i++)
        lines[i] = (kt_line){.account = i % 2 ? KT_STR("1000") : KT_STR("4000"), .amount = i % 2 ? 7 : -7};
    size_t bound = kt_entry_bound(&entry);
    uint8_t *record = malloc(bound);
    kt_pack_init(&pack, record, bound);
    kt_entry_pack(&pack, &entry, false);
    kt_draft_init(&draft);
    is_code(kt_draft_add(&draft, kt_span_of(record, pack.size), &about, &said), KT_OK, "a large entry is taken");
    ok(draft.count > 1 && draft.entry_count == 1, "in parts (%u)", draft.count);
    is_code(submit("large", &draft), KT_OK, "it is read");
    good("small", "S");
    commit_all();
    is_code(submissions[0].code, KT_OK, "and stored (%s)", submissions[0].text);
    is_code(submissions[1].code, KT_OK, "with others");
    ok(balance(book, "1000") == 7 * LINES / 2 + 700, "all its lines count");
    clear();
    /* The same with a part left out, and with one twice. */
    kt_draft_init(&draft);
    kt_draft_add(&draft, kt_span_of(record, pack.size), &about, &said);
    kt_unpack unpack;
    const uint8_t *part;
    size_t size;
    kt_unpack_init(&unpack, kt_span_of(draft.data, draft.size));
    kt_unpack_bytes(&unpack, &part, &size);
    kt_draft cut;
    kt_draft_init(&cut);
    for (uint32_t i = 1; i < draft.count; i++) {
        kt_unpack_bytes(&unpack, &part, &size);
        kt_draft_add(&cut, kt_span_of(part, size), i + 1 == draft.count ? &about : NULL, &said);
    }
    submit("cut", &cut);
    commit_all();
    ok(submissions[0].code != KT_OK, "one with a part left out is refused (%s)", submissions[0].text);
    kt_draft_release(&draft);
    free(record);
    free(lines);
    close_up("large");
}

int main(void) {
    one_head();
    others_untouched();
    same_refusals();
    other_forms();
    large();
    return done();
}
