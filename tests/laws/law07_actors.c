/* Law 7: who may do what is on record, holds when posting and again when verifying; and the second pair of eyes. */
#include <stdlib.h>
#include <string.h>

#include "storage/note.h"
#include "tests/acting.h"
#include "tests/forging.h"

/* "office": anna posts up to 10,000.00, bert controls, carl administers. */
static void staff(const char *name) {
    kt_book *book = make_book(name);
    kt_limits ten = {.amount = 1000000};
    is_code(add_actor(book, "anna", "anna"), KT_OK, "an actor comes on record");
    is_code(grant(book, "anna", KT_ROLE_CLERK, &ten), KT_OK, "with a role and a limit");
    is_code(add_actor(book, "bert", "bert"), KT_OK, "another too");
    is_code(grant(book, "bert", KT_ROLE_CONTROLLER, NULL), KT_OK, "who controls");
    is_code(add_actor(book, "carl", "carl"), KT_OK, "and a third");
    is_code(grant(book, "carl", KT_ROLE_ADMIN, NULL), KT_OK, "who administers");
    kt_book_close(book);
}

static void roles(void) {
    staff("office");
    kt_book *anna = open_as("office", "anna"), *bert = open_as("office", "bert"), *carl = open_as("office", "carl");
    is_code(post(anna, "2026-01-31 V1 1000 10000 / 2000 -10000"), KT_OK, "a clerk posts up to the limit");
    is_code(close_month(anna, "2025-12"), KT_FORBIDDEN, "and closes no month");
    has_text(said.text, "anna may not close", "as it is said");
    is_code(open_accounts(anna, "7000 expense Phones"), KT_FORBIDDEN, "nor opens accounts");
    is_code(post(bert, "2026-01-31 - 1000 1 / 2000 -1"), KT_FORBIDDEN, "a controller does not post");
    is_code(close_month(bert, "2025-12"), KT_OK, "but closes");
    is_code(open_accounts(bert, "7000 expense Phones"), KT_OK, "and keeps the registers");
    is_code(grant(bert, "anna", KT_ROLE_CLERK, NULL), KT_FORBIDDEN, "he lifts no limit");
    is_code(grant(carl, "carl", KT_ROLE_CLERK, NULL), KT_FORBIDDEN, "nobody grants to himself");
    is_code(grant(carl, "bert", KT_ROLE_OWNER, NULL), KT_FORBIDDEN, "and only an owner makes owners");
    is_code(grant(carl, "dora", KT_ROLE_CLERK, NULL), KT_UNKNOWN, "who is not on record gets no role");
    is_code(add_actor(carl, "anna", "new"), KT_EXISTS, "an id is one actor's");
    is_code(add_actor(carl, "anna2", "anna"), KT_EXISTS, "and so is a key");
    is_code(grant(carl, "bert", KT_ROLE_CLERK, NULL), KT_OK, "an administrator grants");
    is_code(post(bert, "2026-01-31 - 1000 20000 / 2000 -20000"), KT_OK, "from the next batch on");
    is_code(withdraw(carl, "bert", KT_ROLE_CLERK), KT_OK, "and takes back");
    is_code(post(bert, "2026-01-31 - 1000 1 / 2000 -1"), KT_FORBIDDEN, "from the next batch on");
    is_code(withdraw(carl, "bert", KT_ROLE_CLERK), KT_NOT_FOUND, "once");
    kt_book_close(anna);
    kt_book_close(bert);
    kt_book_close(carl);
    ok(is_sound("office", "the book verifies, and rebuilds to the same state"), "with all of it");
}

static void limits(void) {
    kt_account_range bank = {KT_STR("1000"), KT_STR("1999")}, sales = {KT_STR("4000"), {NULL, 0}};
    kt_account_range both[2] = {bank, sales};
    kt_str cash = KT_STR("K");
    kt_limits kept = {.amount = 5000, .accounts = both, .account_count = 2, .series = &cash, .series_count = 1};
    kt_book *book = open_as("office", NULL);
    is_code(add_actor(book, "till", "till"), KT_OK, "a till is an actor too");
    is_code(grant(book, "till", KT_ROLE_CLERK, &kept), KT_OK, "which posts sales to the bank in its series");
    kt_book *till = open_as("office", "till");
    is_code(post(till, "2026-02-01 K#1 1000 50 / 4000 -50"), KT_OK, "within all limits it posts");
    is_code(post(till, "2026-02-01 K#2 1000 50.01 / 4000 -50.01"), KT_FORBIDDEN, "a hundredth above it does not");
    has_text(said.text, "50.01", "what it came to is said");
    has_text(said.text, "50.00", "and the limit");
    is_code(post(till, "2026-02-01 K#2 1000 5 / 2000 -5"), KT_FORBIDDEN, "nor to another account");
    has_text(said.text, "account 2000", "which is named");
    is_code(post(till, "2026-02-01 V#2 1000 5 / 4000 -5"), KT_FORBIDDEN, "nor in another series");
    has_text(said.text, "series 'V'", "which is named");
    is_code(post(till, "2026-02-01 K#2 1000 30 / 1100 -40 / 4000 10"), KT_OK,
            "debits count, however many lines they have");
    is_code(declare_currency(book, "XAU", 2), KT_OK, "a currency without a rate");
    is_code(post(till, "2026-02-01 K#3 1000 1 XAU / 4000 -1 XAU"), KT_FORBIDDEN, "is above every amount");
    kt_limits zero = {.amount = -1};
    is_code(grant(book, "till", KT_ROLE_CLERK, &zero), KT_INVALID, "a limit below zero is none");
    kt_account_range empty = {KT_STR("2000"), KT_STR("1000")};
    is_code(grant(book, "till", KT_ROLE_CLERK, &(kt_limits){.accounts = &empty, .account_count = 1}), KT_INVALID,
            "nor an empty range");
    kt_code code = KT_OK;
    int given = 0;
    for (; given < 100 && code == KT_OK; given++) {
        char id[20];
        snprintf(id, sizeof id, "m%d", given);
        code = add_actor(book, id, id);
        if (code == KT_OK) code = grant(book, id, KT_ROLE_CLERK, &(kt_limits){.amount = 1000 + given});
    }
    is_code(code, KT_LIMIT, "so many different limits are kept and no more");
    is_int(given, KT_LIMIT_DISTINCT_MAX - 2 + 1, "namely %d in all", KT_LIMIT_DISTINCT_MAX);
    is_code(grant(book, "m3", KT_ROLE_CLERK, &kept), KT_OK, "one that another has is no new one");
    is_code(grant(book, "m4", KT_ROLE_CLERK, &(kt_limits){.amount = 77}), KT_OK,
            "and what nobody has any more is free again");
    kt_book_close(till);
    kt_book_close(book);
    ok(is_sound("office", "the book verifies, and rebuilds to the same state"), "with limits of all kinds");
}

static kt_proposal proposal_of(kt_book *book, uint64_t number) {
    kt_view *view = view_of(book);
    kt_proposal *all = NULL, facts = {0};
    size_t count = 0;
    is_code(kt_view_proposals(view, false, &all, &count, &said), KT_OK, "proposals are listed");
    for (size_t i = 0; i < count; i++)
        if (all[i].number == number) facts = all[i];
    static char texts[3][100];
    snprintf(texts[0], 100, "%.*s", (int)facts.proposer.size, facts.proposer.data ? facts.proposer.data : "");
    snprintf(texts[1], 100, "%.*s", (int)facts.decider.size, facts.decider.data ? facts.decider.data : "");
    snprintf(texts[2], 100, "%.*s", (int)facts.reason.size, facts.reason.data ? facts.reason.data : "");
    facts.proposer = kt_str_from(texts[0]);
    facts.decider = kt_str_from(texts[1]);
    facts.reason = kt_str_from(texts[2]);
    free(all);
    kt_view_close(view);
    return facts;
}

static void four_eyes(void) {
    staff("eyes");
    kt_book *anna = open_as("eyes", "anna"), *bert = open_as("eyes", "bert");
    kt_batch_options beyond = {.propose = KT_PROPOSE_BEYOND};
    is_code(post(anna, "2026-03-01 V1 1000 10000.01 / 2000 -10000.01"), KT_FORBIDDEN,
            "above the limit a clerk does not post");
    is_code(post_with(anna, &beyond,
                      "2026-03-01 V1 1000 5 / 2000 -5\n2026-03-01 V2 1000 20000 / 2000 -20000\n"
                      "2026-03-01 V3 1000 7 / 2000 -7"),
            KT_OK, "where a batch proposes what lies beyond, it goes in");
    is_int((long long)receipt.entries, 2, "two entries are posted");
    is_int((long long)receipt.proposed, 1, "and one stands proposed");
    uint64_t number = receipt.first + 1, entry = 0;
    is_int((long long)balance(anna, "1000"), 1200, "which moves no balance");
    is_code(post_with(anna, &beyond, "2026-03-01 - 1000 20000 / 2000 -19999"), KT_UNBALANCED,
            "what does not balance is not proposed either");
    kt_proposal facts = proposal_of(anna, number);
    is_int(facts.status, KT_PROPOSAL_OPEN, "it is open");
    is_text(facts.proposer.data, "anna", "and says whose it is");
    is_code(decide(anna, number, true, &entry), KT_FORBIDDEN, "the clerk may not approve");
    kt_book *book = open_as("eyes", NULL);
    is_code(grant(book, "anna", KT_ROLE_CONTROLLER, NULL), KT_OK, "and when she may approve others'");
    is_code(decide(anna, number, true, &entry), KT_FORBIDDEN, "she may not her own");
    has_text(said.text, "another actor", "as it is said");
    is_code(decide(bert, number + 1, true, &entry), KT_NOT_FOUND, "what is no proposal is not approved");
    is_code(decide(bert, number, true, &entry), KT_OK, "another person approves");
    is_int((long long)balance(anna, "1000"), 2001200, "and then it counts");
    kt_view *view = view_of(bert);
    kt_entry_view *shown = NULL;
    is_code(kt_entry_read(view, entry, &shown, &said), KT_OK, "the entry is there");
    if (shown) {
        is_int((long long)shown->entry.proposal, (long long)number, "naming what it carries out");
        ok(kt_str_equal(shown->entry.voucher, KT_STR("V2")), "with the voucher it was proposed with");
    }
    kt_entry_view_free(shown);
    kt_view_close(view);
    facts = proposal_of(bert, number);
    is_int(facts.status, KT_PROPOSAL_APPROVED, "the proposal says so");
    is_text(facts.decider.data, "bert", "and by whom");
    is_code(decide(bert, number, true, &entry), KT_RULE, "once");
    is_code(post_with(anna, &beyond, "2026-03-01 V4 1000 20000 / 2000 -20000"), KT_OK, "another is proposed");
    number = receipt.first;
    is_code(close_month(bert, "2026-03"), KT_OK, "its month is closed meanwhile");
    is_code(decide(bert, number, true, &entry), KT_CLOSED, "then approving comes too late (law 10)");
    is_code(decide(bert, number, false, NULL), KT_OK, "and it is rejected");
    facts = proposal_of(bert, number);
    is_int(facts.status, KT_PROPOSAL_REJECTED, "which it says");
    is_text(facts.reason.data, "wrong account", "with the reason");
    is_code(decide(bert, number, true, &entry), KT_RULE, "a rejected one is not approved");
    is_code(post_with(anna, &beyond, "2026-04-01 V5 1000 20000 / 2000 -20000"), KT_OK, "one more");
    number = receipt.first;
    kt_book *carl = open_as("eyes", "carl");
    is_code(decide(carl, number, false, NULL), KT_FORBIDDEN, "who has nothing to do with it does not reject it");
    is_code(decide(anna, number, false, NULL), KT_OK, "the proposer withdraws it");
    kt_limits small = {.amount = 1500000};
    is_code(grant(book, "bert", KT_ROLE_CONTROLLER, &small), KT_OK, "where the controller has a limit too");
    is_code(post_with(anna, &beyond,
                      "2026-04-01 V5 1000 15000.01 / 2000 -15000.01\n2026-04-01 V6 1000 15000 / 2000 -15000"),
            KT_OK, "of two proposals");
    number = receipt.first;
    is_code(decide(bert, number, true, &entry), KT_FORBIDDEN, "the one above it");
    has_text(said.text, "15,000.00", "(the limit is said)");
    is_code(decide(bert, number + 1, true, &entry), KT_OK, "is not his, the other is");
    kt_batch *batch = begin(bert);
    kt_entry unlike = {
        .date = day("2026-04-01"),
        .proposal = number,
        .lines = (kt_line[]){{.amount = 5, .account = KT_STR("1000")}, {.amount = -5, .account = KT_STR("2000")}},
        .line_count = 2};
    is_code(kt_batch_add(batch, &unlike, NULL, &said), KT_RULE, "under a proposal's number nothing else is posted");
    kt_batch_abort(batch);
    kt_book_close(anna);
    kt_book_close(bert);
    kt_book_close(carl);
    kt_book_close(book);
    ok(is_sound("eyes", "the book verifies, and rebuilds to the same state"), "with proposals in it");
}

static void keys(void) {
    staff("keys");
    kt_book *anna = open_as("keys", "anna"), *book = open_as("keys", NULL);
    kt_batch_options beyond = {.propose = KT_PROPOSE_BEYOND};
    is_code(post_with(anna, &beyond, "2026-03-01 V1 1000 20000 / 2000 -20000"), KT_OK, "anna proposes");
    uint64_t number = receipt.first;
    (void)public_of("anna2");
    is_code(rotate(anna, "anna", "anna2", "bert"), KT_KEY, "a rotation that the new key did not sign is none");
    is_code(rotate(anna, "anna", "bert", NULL), KT_EXISTS, "another's key is not taken over");
    is_code(rotate(anna, "carl", "anna2", NULL), KT_FORBIDDEN, "nor is another's rotated");
    is_code(rotate(anna, "anna", "anna2", NULL), KT_OK, "her own is");
    kt_batch *batch = NULL;
    is_code(kt_batch_begin(anna, NULL, &batch, NULL, &said), KT_FORBIDDEN, "the old key posts no more");
    has_text(said.text, "rotated out by record", "and says since when");
    kt_book *again = open_as("keys", "anna2");
    is_code(post(again, "2026-03-01 V2 1000 5 / 2000 -5"), KT_OK, "the new one does, with the same rights");
    is_code(grant(book, "anna", KT_ROLE_CONTROLLER, NULL), KT_OK, "and as a controller besides");
    is_code(decide(again, number, true, NULL), KT_FORBIDDEN, "two keys are one person: her proposal stays hers");
    is_code(revoke_key(again, "bert"), KT_FORBIDDEN, "nobody revokes another's key without the right to");
    is_code(revoke_key(book, "bert"), KT_OK, "an administrator does");
    uint64_t record = receipt.first;
    kt_book *bert = open_as("keys", "bert");
    is_code(kt_batch_begin(bert, NULL, &batch, NULL, &said), KT_FORBIDDEN, "a revoked key posts no more");
    has_text(said.text, "revoked by record", "and says since when");
    is_code(revoke_key(book, "bert"), KT_RULE, "it is revoked once");
    kt_view *view = view_of(book);
    kt_actors *actors = NULL;
    is_code(kt_view_actors(view, &actors, &said), KT_OK, "actors are listed");
    unsigned right = 0;
    for (size_t i = 0; actors && i < actors->key_count; i++) {
        const kt_key_facts *key = &actors->keys[i];
        right += kt_str_equal(key->actor, KT_STR("bert")) && key->revoked && key->until == record &&
                 kt_str_equal(key->reason, KT_STR("lost"));
        right += kt_str_equal(key->actor, KT_STR("anna")) && key->until == 0;
    }
    is_int(right, 2, "with their keys, since and until when, and why");
    is_int(actors ? (long long)actors->grant_count : 0, 5, "and their roles");
    kt_actors_free(actors);
    kt_view_close(view);
    kt_verifier owner;
    (void)kt_verifier_parse(kt_book_verifier(book), strlen(kt_book_verifier(book)), &owner, NULL);
    batch = begin(book);
    is_code(kt_batch_key_revoke(batch, owner.public_key, KT_STR("gone"), &said), KT_RULE,
            "the last owner's key is not revoked");
    kt_batch_abort(batch);
    is_code(revoke_key(book, "carl"), KT_OK, "an administrator's is");
    batch = begin(book);
    is_code(kt_batch_key_revoke(batch, owner.public_key, KT_STR("gone"), &said), KT_RULE,
            "whoever else may administer");
    is_code(kt_batch_actor_revoke(batch, KT_STR("owner"), KT_ROLE_OWNER, KT_STR("gone"), &said), KT_RULE,
            "nor is the last role");
    kt_batch_abort(batch);
    batch = begin(book);
    is_code(kt_batch_actor_add(batch, KT_STR("emil"), public_of("emil"), &said), KT_OK, "in one batch");
    is_code(kt_batch_actor_grant(batch, KT_STR("emil"), KT_ROLE_ADMIN, NULL, &said), KT_OK,
            "an actor comes and gets a role");
    is_code(kt_batch_actor_revoke(batch, KT_STR("emil"), KT_ROLE_ADMIN, KT_STR("no"), &said), KT_OK, "and loses it");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "all at once");
    kt_book_close(anna);
    kt_book_close(again);
    kt_book_close(bert);
    kt_book_close(book);
    ok(is_sound("keys", "the book verifies, and rebuilds to the same state"), "with keys rotated and revoked");
}

/* What an aborted batch changed is forgotten; what was sent and not received counts for the next. */
static void turns(void) {
    kt_book *book = make_book("turns");
    kt_batch *batch = begin(book);
    is_code(kt_batch_actor_add(batch, KT_STR("anna"), public_of("anna"), &said), KT_OK, "an actor in a batch");
    kt_batch_abort(batch);
    is_code(add_actor(book, "anna", "anna"), KT_OK, "that is aborted was never there");
    batch = begin(book);
    is_code(kt_batch_actor_grant(batch, KT_STR("anna"), KT_ROLE_CLERK, &(kt_limits){.amount = 100}, &said), KT_OK,
            "a grant");
    is_code(kt_batch_send(batch, &said), KT_OK, "that is sent");
    batch = begin(book);
    is_code(kt_batch_actor_grant(batch, KT_STR("anna"), KT_ROLE_CONTROLLER, NULL, &said), KT_OK,
            "and another behind it");
    is_code(kt_batch_send(batch, &said), KT_OK, "too");
    is_code(kt_book_receive(book, true, NULL, &said), KT_OK, "are both");
    is_code(kt_book_receive(book, true, NULL, &said), KT_OK, "received");
    kt_book_close(book);
    ok(is_sound("turns", "the book verifies, and rebuilds to the same state"), "with batches sent");
}

/* ---- what stands in the journal without the right to ---- */

static void is_found(const forgery *forged, kt_code code, const char *part, const char *law) {
    found first;
    copy_book("honest", "forged");
    (void)forge(forged);
    is_code(verify_path(path_of("forged"), NULL, &first), KT_DAMAGED, "%s is found by verification", law);
    is_code(first.code, code, "as what it is");
    has_text(first.what, part, "and the fault");
}

static void forged(void) {
    uint8_t record[1000], small[1000];
    staff("honest");
    kt_book *book = open_as("honest", NULL);
    snprintf(forged_origin, sizeof forged_origin, "%s", kt_book_origin(book));
    kt_batch_options beyond = {.propose = KT_PROPOSE_BEYOND};
    kt_book *anna = open_as("honest", "anna");
    is_code(post_with(anna, &beyond, "2026-01-31 V1 1000 20000 / 2000 -20000"), KT_OK, "a proposal");
    uint64_t number = receipt.first;
    kt_book_close(anna);
    is_code(revoke_key(book, "carl"), KT_OK, "and a revoked key");
    kt_book_close(book);
    forgery posted = {.actor = "anna.key",
                      .id = "f",
                      .records = {entry_record("2026-01-31 V9 1000 20000 / 2000 -20000", record, sizeof record)},
                      .count = 1,
                      .posted = 1};
    is_found(&posted, KT_FORBIDDEN, "beyond what its actor anna may post",
             "a well signed entry above its actor's limit");
    forgery within = posted;
    within.records[0] = entry_record("2026-01-31 V9 1000 5 / 2000 -5", small, sizeof small);
    within.actor = "bert.key";
    is_found(&within, KT_FORBIDDEN, "actor bert may not post", "one by an actor who does not post");
    within.actor = "carl.key";
    is_found(&within, KT_FORBIDDEN, "revoked by record", "one under a revoked key");
    entry_room room;
    kt_pack pack;
    kt_entry *entry = (kt_entry *)(uintptr_t)entry_of(&room, "2026-01-31 V1 1000 20000 / 2000 -20000");
    for (size_t i = 0; i < entry->line_count; i++)
        (void)kt_amount_rescale(room.lines[i].amount, (uint8_t)(room.lines[i].amount_given - 1), 2, KT_ROUND_EXACT,
                                &room.lines[i].amount);
    entry->proposal = number;
    kt_pack_init(&pack, record, sizeof record);
    kt_entry_pack(&pack, entry, false);
    posted.records[0] = kt_span_of(record, pack.size);
    is_found(&posted, KT_FORBIDDEN, "may not", "a proposal approved by whoever proposed it");
    room.lines[0].amount++;
    room.lines[1].amount--;
    kt_pack_init(&pack, record, sizeof record);
    kt_entry_pack(&pack, entry, false);
    posted.records[0] = kt_span_of(record, pack.size);
    posted.actor = "bert.key";
    is_found(&posted, KT_RULE, "is not what proposal", "an approval of something else than was proposed");
}

int main(void) {
    roles();
    limits();
    four_eyes();
    keys();
    turns();
    forged();
    return done();
}
