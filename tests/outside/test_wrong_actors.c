/* Batches in the journal that nobody had the right to, hashed and signed as they should be, under a good checkpoint: the
   program's verification finds each, and so does a reader in Python that was written from storage/FORMAT.md alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "engine/actors.h"
#include "engine/ledger/proposal.h"
#include "engine/logkey.h"
#include "storage/codec.h"
#include "tests/acting.h"
#include "tests/forging.h"

static const char *python;
static uint64_t open_proposal, decided_proposal, end; /* end: where the forged batch begins */
static char origin[200];

/* "honest": anna posts up to 10,000.00 and approves, bert controls, carl administers, dora's key is revoked. */
static void make_honest(void) {
    static const char *const ids[] = {"anna", "bert", "carl", "dora"};
    static const kt_role roles[] = {KT_ROLE_CLERK, KT_ROLE_CONTROLLER, KT_ROLE_ADMIN, KT_ROLE_CLERK};
    kt_book *book = make_book("honest");
    for (unsigned i = 0; i < 4; i++) {
        kt_limits limits = {.amount = i == 0 ? 1000000 : 0};
        is_code(add_actor(book, ids[i], ids[i]), KT_OK, "%s is on record", ids[i]);
        is_code(grant(book, ids[i], roles[i], &limits), KT_OK, "as %s", kt_role_name(roles[i]));
    }
    is_code(grant(book, "anna", KT_ROLE_CONTROLLER, NULL), KT_OK, "anna approves too");
    is_code(revoke_key(book, "dora"), KT_OK, "dora's key is revoked");
    kt_book *anna = open_as("honest", "anna"), *bert = open_as("honest", "bert");
    kt_batch_options beyond = {.propose = KT_PROPOSE_BEYOND};
    is_code(post_with(anna, &beyond, "2026-01-31 V1 1000 20000 / 2000 -20000\n2026-01-31 V2 1000 20000 / 2000 -20000"),
            KT_OK, "two proposals");
    open_proposal = receipt.first;
    decided_proposal = receipt.first + 1;
    is_code(decide(bert, decided_proposal, true, NULL), KT_OK, "one is approved");
    end = head_of(book).size;
    snprintf(origin, sizeof origin, "%s", kt_book_origin(book));
    snprintf(forged_origin, sizeof forged_origin, "%s", origin);
    (void)public_of("eve");
    kt_book_close(anna);
    kt_book_close(bert);
    kt_book_close(book);
}

/* ---- records ---- */

static uint8_t room[8][2000];
static unsigned next_room;

static kt_pack begin_record(uint32_t kind, uint32_t version, const char *date, uint32_t fields) {
    kt_pack pack;
    kt_pack_init(&pack, room[next_room++ % 8], sizeof room[0]);
    kt_pack_envelope(&pack, kind, version, day(date));
    kt_pack_array(&pack, fields);
    return pack;
}

static void put_text(kt_pack *pack, const char *text) { kt_pack_text(pack, text, strlen(text)); }

static kt_span actor_record(const char *id, const char *key) {
    kt_pack pack = begin_record(KT_KIND_ACTOR, 1, "2026-01-01", 2);
    put_text(&pack, id);
    kt_pack_bytes(&pack, public_of(key), KT_KEY_SIZE);
    return kt_span_of(pack.data, pack.size);
}

static kt_span grant_record(const char *id, kt_role role) {
    kt_pack pack = begin_record(KT_KIND_GRANT, 1, "2026-01-01", 3);
    put_text(&pack, id);
    kt_pack_uint(&pack, (uint64_t)role);
    kt_pack_array(&pack, 3);
    kt_pack_uint(&pack, 0);
    kt_pack_array(&pack, 0);
    kt_pack_array(&pack, 0);
    return kt_span_of(pack.data, pack.size);
}

static kt_span withdrawal_record(const char *id, kt_role role) {
    kt_pack pack = begin_record(KT_KIND_WITHDRAWAL, 1, "2026-01-01", 3);
    put_text(&pack, id);
    kt_pack_uint(&pack, (uint64_t)role);
    put_text(&pack, "left");
    return kt_span_of(pack.data, pack.size);
}

static kt_span revocation_record(const char *key) {
    kt_pack pack = begin_record(KT_KIND_REVOCATION, 1, "2026-01-01", 2);
    kt_pack_bytes(&pack, public_of(key), KT_KEY_SIZE);
    put_text(&pack, "lost");
    return kt_span_of(pack.data, pack.size);
}

static kt_span rejection_record(uint64_t proposal) {
    kt_pack pack = begin_record(KT_KIND_REJECTION, 1, "2026-01-01", 2);
    kt_pack_uint(&pack, proposal);
    put_text(&pack, "no");
    return kt_span_of(pack.data, pack.size);
}

static kt_signer *signer_of(const char *file) {
    kt_signer *signer = NULL;
    if (kt_key_load(path_of(file), NULL, NULL, &signer, &said) != KT_OK) diag("%s", said.text);
    return signer;
}

static kt_span rotation_record(const char *from, const char *to, const char *signs_for_to) {
    char message[KT_ROTATION_MESSAGE_MAX], files[2][100];
    uint8_t signature[KT_SIGNATURE_SIZE];
    kt_pack pack = begin_record(KT_KIND_ROTATION, 1, "2026-01-01", 4);
    uint8_t keys[2][KT_KEY_SIZE];
    memcpy(keys[0], public_of(from), KT_KEY_SIZE);
    memcpy(keys[1], public_of(to), KT_KEY_SIZE);
    size_t size = kt_key_rotation_message(origin, keys[0], keys[1], message);
    kt_pack_bytes(&pack, keys[0], KT_KEY_SIZE);
    kt_pack_bytes(&pack, keys[1], KT_KEY_SIZE);
    snprintf(files[0], sizeof files[0], "%s.key", from);
    snprintf(files[1], sizeof files[1], "%s.key", signs_for_to);
    for (unsigned i = 0; i < 2; i++) {
        kt_signer *signer = signer_of(files[i]);
        is_code(kt_sign(signer, message, size, signature, &said), KT_OK, "signed");
        kt_pack_bytes(&pack, signature, sizeof signature);
        kt_signer_close(signer);
    }
    return kt_span_of(pack.data, pack.size);
}

static kt_span log_key_record(const char *from, const char *to) {
    uint8_t *out = room[next_room++ % 8];
    size_t size = 0;
    kt_signer *old = signer_of(from), *new = signer_of(to);
    is_code(kt_log_key_record(origin, old, new, day("2026-01-01"), out, &size, &said), KT_OK, "a change of log keys");
    kt_signer_close(old);
    kt_signer_close(new);
    return kt_span_of(out, size);
}

/* An entry under another kind, or naming a proposal. version: 0: as it should be. */
static kt_span entry_like(uint32_t kind, uint64_t proposal, uint32_t version, const char *text) {
    entry_room read;
    kt_pack pack;
    kt_entry *entry = (kt_entry *)(uintptr_t)entry_of(&read, text);
    for (size_t i = 0; i < entry->line_count; i++)
        (void)kt_amount_rescale(read.lines[i].amount, (uint8_t)(read.lines[i].amount_given - 1), 2, KT_ROUND_EXACT,
                                &read.lines[i].amount);
    entry->proposal = proposal;
    kt_pack_init(&pack, room[next_room++ % 8], sizeof room[0]);
    kt_entry_pack_as(&pack, kind, entry, false);
    if (version != 0) pack.data[5] = (uint8_t)version; /* 95 01 cd kind kind version */
    return kt_span_of(pack.data, pack.size);
}

/* ---- forged books ---- */

/* The reader's exit status; its last line is left in `line`. */
static int reads(const char *log, char line[600]) {
    char command[3000];
    snprintf(command, sizeof command, "PYTHONDONTWRITEBYTECODE=1 %s tests/outside/read_book.py '%s' 2>&1", python, log);
    (void)fflush(NULL);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL) return -1;
    line[0] = 0;
    while (fgets(line, 600, pipe) != NULL) continue;
    line[strcspn(line, "\n")] = 0;
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void export_log(const char *book, const char *log) {
    char command[1200];
    kt_open_options options = {.read_only = true};
    kt_book *opened = NULL;
    snprintf(command, sizeof command, "rm -rf '%s'", path_of(log));
    if (system(command) != 0) diag("%s", command);
    if (kt_book_open(path_of(book), &options, &opened, &said) != KT_OK) diag("%s", said.text);
    kt_view *view = view_of(opened);
    is_code(kt_export_tlog(view, path_of(log), false, &said), KT_OK, "its log is exported");
    kt_view_close(view);
    kt_book_close(opened);
}

/* 95 01 cd kind ... */
static bool is_proposal(kt_span record) {
    return ((uint32_t)record.data[3] << 8 | record.data[4]) == KT_KIND_PROPOSAL && record.data[2] == 0xcd;
}

static void is_found(const char *law, const forgery *forged, const char *part) {
    found first;
    char line[600];
    copy_book("honest", "forged");
    (void)forge(forged);
    is_code(verify_path(path_of("forged"), NULL, &first), KT_DAMAGED, "%s: verification finds it", law);
    ok(strncmp(first.what, "state", 5) != 0, "in the journal: %s", first.what);
    export_log("forged", "log");
    is_int(reads(path_of("log"), line), 1, "and so does the reader");
    has_text(line, part, "for that reason");
}

static void is_refused(const char *law, const char *actor, uint64_t posted, kt_span record, kt_span second,
                       const char *part) {
    const forgery forged = {.actor = actor,
                            .id = "f",
                            .records = {record, second},
                            .count = second.size == 0 ? 1 : 2,
                            .posted = posted,
                            .proposed = is_proposal(record)};
    is_found(law, &forged, part);
}

static const kt_span none = {NULL, 0};

static void entries(void) {
    is_refused("an entry above its actor's limit", "anna.key", 1,
               entry_like(KT_KIND_ENTRY, 0, 0, "2026-01-31 V9 1000 20000 / 2000 -20000"), none, "no grant takes in");
    is_refused("an entry by a controller", "bert.key", 1,
               entry_like(KT_KIND_ENTRY, 0, 0, "2026-01-31 V9 1000 5 / 2000 -5"), none, "no grant takes in");
    is_refused("an entry under a revoked key", "dora.key", 1,
               entry_like(KT_KIND_ENTRY, 0, 0, "2026-01-31 V9 1000 5 / 2000 -5"), none, "not valid any more");
    is_refused("an entry under a key that its own batch brings in", "eve.key", 0, actor_record("eve", "eve"), none,
               "not on record");
    is_refused("a proposal by a controller", "bert.key", 0,
               entry_like(KT_KIND_PROPOSAL, 0, 0, "2026-01-31 V9 1000 5 / 2000 -5"), none, "lacks right 1");
    is_refused("an entry of a version that says it was approved", "anna.key", 1,
               entry_like(KT_KIND_ENTRY, 0, 2, "2026-01-31 V9 1000 5 / 2000 -5"), none, "version");
    is_refused("an approval of a version that knows of none", "bert.key", 1,
               entry_like(KT_KIND_ENTRY, open_proposal, 1, "2026-01-31 V1 1000 20000 / 2000 -20000"), none, "version");
}

static void decisions(void) {
    const char *same = "2026-01-31 V1 1000 20000 / 2000 -20000";
    is_refused("a proposal approved by whoever proposed it", "anna.key", 1,
               entry_like(KT_KIND_ENTRY, open_proposal, 0, same), none, "its own proposal");
    is_refused("an approval of something else", "bert.key", 1,
               entry_like(KT_KIND_ENTRY, open_proposal, 0, "2026-01-31 V1 1000 20000.01 / 2000 -20000.01"), none,
               "is not what proposal");
    is_refused("an approval of what is no proposal", "bert.key", 1,
               entry_like(KT_KIND_ENTRY, open_proposal - 1, 0, same), none, "is no proposal");
    is_refused("an approval of what is decided", "bert.key", 1,
               entry_like(KT_KIND_ENTRY, decided_proposal, 0, "2026-01-31 V2 1000 20000 / 2000 -20000"), none,
               "is decided already");
    is_refused("two decisions in one batch", "bert.key", 1, entry_like(KT_KIND_ENTRY, open_proposal, 0, same),
               rejection_record(open_proposal), "is decided already");
    is_refused("a rejection by who has nothing to do with it", "carl.key", 0, rejection_record(open_proposal), none,
               "may not reject");
    is_refused("a rejection in the proposal's own batch", "anna.key", 0,
               entry_like(KT_KIND_PROPOSAL, 0, 0, "2026-01-31 V9 1000 5 / 2000 -5"), rejection_record(end),
               "is no proposal");
}

static void actors(void) {
    is_refused("a grant to oneself", "carl.key", 0, grant_record("carl", KT_ROLE_CLERK), none, "grants to itself");
    is_refused("an owner made by an administrator", "carl.key", 0, grant_record("anna", KT_ROLE_OWNER), none,
               "lacks right");
    is_refused("an owner deposed by one", "carl.key", 0, withdrawal_record("owner", KT_ROLE_OWNER), none,
               "no owner keeps a key");
    is_refused("a grant by a clerk", "anna.key", 0, grant_record("bert", KT_ROLE_CLERK), none, "lacks right");
    is_refused("a grant to nobody", "carl.key", 0, grant_record("eve", KT_ROLE_CLERK), none, "is not on record");
    is_refused("an actor of a known id", "carl.key", 0, actor_record("anna", "eve"), none, "is on record");
    is_refused("an actor of a known key", "carl.key", 0, actor_record("eve", "dora"), none, "is on record");
    is_refused("a role taken back that is not held", "carl.key", 0, withdrawal_record("bert", KT_ROLE_CLERK), none,
               "has not role");
    is_refused("no owner left", NULL, 0, revocation_record("carl"), withdrawal_record("owner", KT_ROLE_OWNER),
               "no owner keeps a key");
    is_refused("a rotation that the new key did not sign", "anna.key", 0, rotation_record("anna", "eve", "anna"), none,
               "the signature does not hold");
    is_refused("a rotation by another", "bert.key", 0, rotation_record("anna", "eve", "eve"), none,
               "the key is anna's");
    is_refused("a rotation to a known key", "anna.key", 0, rotation_record("anna", "dora", "dora"), none,
               "is on record");
    is_refused("a rotation of a revoked key", "carl.key", 0, rotation_record("dora", "eve", "eve"), none,
               "not valid any more");
    is_refused("a revocation by another", "anna.key", 0, revocation_record("bert"), none, "the key is bert's");
    is_refused("a revocation of a revoked key", "carl.key", 0, revocation_record("dora"), none, "not valid any more");
}

static void log_keys(void) {
    is_refused("a log key changed by an administrator", "carl.key", 0, log_key_record("forged/keys/log.key", "eve.key"),
               none, "lacks right 256");
    is_refused("a log key that was not the log's", NULL, 0, log_key_record("anna.key", "eve.key"), none,
               "log's key so far is another");
    is_refused("a checkpoint under the key that was changed", NULL, 0, log_key_record("forged/keys/log.key", "eve.key"),
               none, "signed by another key");
    forgery twice = {.id = "f",
                     .records = {log_key_record("forged/keys/log.key", "eve.key"),
                                 log_key_record("forged/keys/log.key", "anna.key")},
                     .count = 2,
                     .log = "eve.key"};
    is_found("a log key changed twice by the same one", &twice, "log's key so far is another");
    twice.log = "anna.key";
    is_found("also under the second", &twice, "log's key so far is another");
}

int main(void) {
    static const char *const candidates[] = {"/usr/bin/python3", "python3"};
    char probe[300], line[600];
    for (size_t i = 0; i < 2 && python == NULL; i++) {
        snprintf(probe, sizeof probe,
                 "%s -c 'import cryptography, sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null", candidates[i]);
        if (system(probe) == 0) python = candidates[i];
    }
    if (python == NULL) skip_all("no python3 with cryptography here (apt-get install python3-cryptography)");
    make_honest();
    is_code(verify_path(path_of("honest"), NULL, NULL), KT_OK, "the honest book verifies");
    export_log("honest", "log");
    is_int(reads(path_of("log"), line), 0, "and the reader takes it");
    diag("%s", line);
    entries();
    decisions();
    actors();
    log_keys();
    return done();
}
