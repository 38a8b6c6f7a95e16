/* Witnesses: what they cosign and what not, the protocol, quorums, and that what was given out stands on the disk. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/cosign.h"
#include "storage/tree.h"
#include "tests/witnessing.h"

/* ---- a log of its own, without a book: as many leaves as wanted, with another history on demand ---- */

#define LEAVES 400

typedef struct grove {
    kt_signer *signer;
    kt_verifier log;
    uint8_t leaf[2][LEAVES][KT_HASH_SIZE]; /* two histories */
    unsigned which;
} grove;

static grove trees;

static kt_code hash_subtree(void *context, uint64_t begin, uint64_t end, uint8_t out[KT_HASH_SIZE], kt_error *error) {
    const grove *self = context;
    kt_tree tree;
    (void)error;
    kt_tree_init(&tree);
    for (uint64_t i = begin; i < end; i++) kt_tree_add(&tree, self->leaf[self->which][i], NULL, NULL);
    kt_tree_root(&tree, out);
    return KT_OK;
}

static void plant(void) {
    uint8_t seed[KT_SEED_SIZE] = {42};
    uint64_t state = test_seed();
    kt_signer_from_seed(seed, &trees.signer, &said);
    kt_verifier_make("test/log", kt_signer_public(trees.signer), &trees.log, &said);
    for (unsigned i = 0; i < LEAVES; i++)
        for (unsigned k = 0; k < 2; k++)
            for (unsigned b = 0; b < KT_HASH_SIZE; b++) trees.leaf[k][i][b] = (uint8_t)test_random(&state);
}

static char *log_vkey(char out[KT_VERIFIER_MAX]) {
    kt_verifier_format(&trees.log, out);
    return out;
}

/* History `which` at `size`, signed. */
static size_t sign(unsigned which, uint64_t size, char note[KT_CHECKPOINT_MAX]) {
    kt_checkpoint checkpoint = {.origin = "test/log", .size = size};
    uint8_t signature[KT_SIGNATURE_SIZE];
    trees.which = which;
    hash_subtree(&trees, 0, size, checkpoint.root, NULL);
    if (kt_checkpoint_sign(&checkpoint, trees.signer, signature, &said) != KT_OK) diag("%s", said.text);
    return kt_checkpoint_note(&checkpoint, &trees.log, signature, note);
}

static char *body_of(unsigned which, uint64_t old, uint64_t size, size_t *length) {
    char note[KT_CHECKPOINT_MAX], *out = NULL;
    kt_add_checkpoint request = {.old_size = old, .note = note};
    request.note_size = sign(which, size, note);
    if (old > 0 && old < size &&
        kt_tree_prove_consistency(old, size, hash_subtree, &trees, request.hashes, &request.count, &said) != KT_OK)
        diag("%s", said.text);
    if (kt_add_checkpoint_format(&request, &out, length, &said) != KT_OK) diag("%s", said.text);
    return out;
}

static unsigned ask_body(kt_witness *witness, const char *body, size_t size, char answer[2000], const char **type) {
    kt_witness_answer got;
    said = (kt_error){0};
    (void)kt_witness_add_checkpoint(witness, body, size, &got, &said);
    snprintf(answer, 2000, "%.*s", (int)got.size, got.body ? got.body : "");
    if (type) *type = got.type;
    free(got.body);
    return got.status;
}

static unsigned ask(kt_witness *witness, unsigned which, uint64_t old, uint64_t size, char answer[2000]) {
    size_t length;
    char *body = body_of(which, old, size, &length);
    unsigned status = ask_body(witness, body, length, answer, NULL);
    free(body);
    return status;
}

static uint64_t last_of(kt_witness *witness) {
    char *note = NULL;
    size_t size;
    kt_note parts;
    kt_checkpoint checkpoint = {.size = UINT64_MAX};
    kt_code code = kt_witness_last(witness, "test/log", &note, &size, &said);
    if (code == KT_OK && !note) return 0;
    if (code == KT_OK && kt_note_cut(note, size, &parts, &said) == KT_OK)
        (void)kt_checkpoint_read(&parts, &checkpoint, &said);
    free(note);
    return checkpoint.size;
}

/* ---- making one ---- */

static unsigned mode_of(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 ? about.st_mode & 07777 : 0;
}

static void made(void) {
    char vkey[KT_VERIFIER_MAX], again[KT_VERIFIER_MAX];
    umask(0);
    kt_witness *witness = make_witness("made", log_vkey(vkey));
    umask(022);
    is_int(mode_of(path_of("made")), 0700, "a witness's directory is its owner's alone");
    is_int(mode_of(path_of("made/witness.key")), 0600, "as is its key");
    kt_verifier key;
    const char *its = kt_witness_verifier(witness);
    is_code(kt_verifier_parse_as(KT_VERIFIER_WITNESS, its, strlen(its), &key, &said), KT_OK,
            "it has a verifier key of a witness");
    is_text(key.name, "test/made", "under its name");
    snprintf(again, sizeof again, "%s", its);
    kt_witness_close(witness);
    witness = open_witness("made");
    is_text(kt_witness_verifier(witness), again, "opened again it is the same");
    is_code(kt_witness_create(path_of("made"), "test/other", NULL, &said), KT_EXISTS, "and is not overwritten");
    is_code(kt_witness_create(path_of("bad"), "a name", NULL, &said), KT_INVALID, "a name with a space is refused");
    is_code(kt_witness_create(path_of("bad"), "test/bad", "no key", &said), KT_INVALID, "what is no log's key too");
    is_code(kt_witness_create(path_of("bad"), "test/bad", again, &said), KT_UNSUPPORTED, "a witness's is none");
    ok(access(path_of("bad"), F_OK) != 0, "and nothing is left of it");
    is_code(kt_witness_add(witness, log_vkey(vkey), &said), KT_OK, "told of the same log again it says nothing");
    /* A log's keys, one after the other; and not more than it keeps. */
    kt_code code = KT_OK;
    for (unsigned i = 1; i <= KT_WITNESS_LOG_KEYS && code == KT_OK; i++) {
        uint8_t seed[KT_SEED_SIZE] = {(uint8_t)(100 + i)};
        kt_signer *signer = NULL;
        kt_signer_from_seed(seed, &signer, &said);
        kt_verifier_make("test/log", kt_signer_public(signer), &key, &said);
        kt_signer_close(signer);
        kt_verifier_format(&key, again);
        code = kt_witness_add(witness, again, &said);
        if (i < KT_WITNESS_LOG_KEYS && code != KT_OK) diag("key %u: %s", i, said.text);
    }
    is_code(code, KT_LIMIT, "seven more keys of it, and not an eighth");
    kt_witness_close(witness);
    is_code(kt_witness_open(path_of("nowhere"), NULL, &witness, &said), KT_FOREIGN,
            "where there is none, none is opened");
}

/* ---- the protocol ---- */

static void protocol(void) {
    char vkey[KT_VERIFIER_MAX], answer[2000], note[KT_CHECKPOINT_MAX];
    const char *type = NULL;
    kt_witness *witness = make_witness("protocol", log_vkey(vkey));
    is_int(ask(witness, 0, 0, 5, answer), 200, "the first checkpoint of a log is cosigned");
    kt_verifier key;
    kt_note parts;
    char whole[KT_CHECKPOINT_MAX + 2001];
    const char *its = kt_witness_verifier(witness);
    size_t size = sign(0, 5, note);
    snprintf(whole, sizeof whole, "%s%s", note, answer);
    kt_verifier_parse_as(KT_VERIFIER_WITNESS, its, strlen(its), &key, &said);
    is_code(kt_note_cut(whole, strlen(whole), &parts, &said), KT_OK, "its answer goes below the checkpoint");
    is_code(kt_note_check(&parts, &key, NULL, &said), KT_OK, "and holds there");
    is_int(ask(witness, 0, 5, 12, answer), 200, "the next by its proof");
    is_int(ask(witness, 0, 12, 12, answer), 200, "the same again");
    char *body = body_of(0, 5, 20, &size);
    is_int(ask_body(witness, body, size, answer, &type), 409, "a proof from another size than the last is a conflict");
    free(body);
    is_text(answer, "12\n", "and the last one's size the answer");
    is_text(type, "text/x.tlog.size", "typed as such");
    is_int(ask(witness, 0, 0, 5, answer), 409, "an older checkpoint again is one too");
    is_text(answer, "12\n", "answered by the last one's size");
    is_int((long long)last_of(witness), 12, "which it stays");
    is_int(evidence_of("protocol", "fork-"), 0, "that is no fork");
    is_int(ask(witness, 0, 13, 12, answer), 400, "a proof from beyond the checkpoint is none");
    is_int(ask(witness, 1, 12, 12, answer), 409, "another tree of that size is a conflict");
    is_int(evidence_of("protocol", "fork-"), 1, "and evidence");
    is_int(ask(witness, 1, 0, 12, answer), 409, "whatever it says to be proved from");
    is_int(ask(witness, 1, 12, 20, answer), 422, "a larger one of another history is not proved");
    is_int(evidence_of("protocol", "unproved-"), 1, "and kept");
    body = body_of(0, 12, 20, &size);
    memmove(strchr(body, '\n') + 1, strchr(strchr(body, '\n') + 1, '\n') + 1,
            strlen(strchr(strchr(body, '\n') + 1, '\n')));
    is_int(ask_body(witness, body, strlen(body), answer, NULL), 422, "nor one with a hash left out");
    free(body);
    is_int(ask(witness, 0, 12, 20, answer), 200, "none of this keeps it from the log's own next one");
    is_int((long long)last_of(witness), 20, "which is now the last");

    /* Not its log; not its key; nothing at all. */
    body = body_of(0, 20, 21, &size);
    char *origin = strstr(body, "test/log\n");
    origin[0] = 'T';
    is_int(ask_body(witness, body, size, answer, NULL), 404, "a log that it was not told of is not known");
    origin[0] = 't';
    char *signature = strstr(body, "\xE2\x80\x94 test/log ");
    char *digit = signature + strlen("\xE2\x80\x94 test/log ") + 20;
    *digit = *digit == 'A' ? 'B' : 'A';
    is_int(ask_body(witness, body, size, answer, NULL), 403, "a signature that does not hold is forbidden");
    signature[strlen("\xE2\x80\x94 ")] = 'T';
    is_int(ask_body(witness, body, size, answer, NULL), 403, "so is nobody's it knows");
    is_int(ask_body(witness, body, size - 1, answer, NULL), 400, "a note that is cut short is none");
    is_int(ask_body(witness, "", 0, answer, NULL), 400, "nothing is none");
    free(body);
    is_int((long long)last_of(witness), 20, "and nothing of that moves it");
    kt_witness_close(witness);
}

static void bounded(void) {
    char vkey[KT_VERIFIER_MAX], answer[2000];
    kt_witness *witness = make_witness("bounded", log_vkey(vkey));
    (void)ask(witness, 0, 0, 41, answer);
    unsigned wrong = 0;
    for (uint64_t size = 1; size < 41; size++) wrong += ask(witness, 0, 0, size, answer) != 409;
    for (uint64_t size = 1; size < 41; size++) wrong += ask(witness, 0, 0, size, answer) != 409;
    is_int(wrong, 0, "every older checkpoint sent twice is a conflict");
    is_int(evidence_of("bounded", "behind-"), 40, "and kept once");
    char command[3000];
    snprintf(command, sizeof command,
             "cd '%s'/evidence && f=$(ls | head -n 1) && for i in $(seq 960); do ln $f ${f%%%%.*}$i; done",
             path_of("bounded"));
    if (system(command) != 0) diag("no links");
    is_int(ask(witness, 0, 41, 300, answer), 200, "with a thousand of them it goes on");
    is_int(ask(witness, 0, 0, 41, answer), 409, "refusing as before");
    is_int(evidence_of("bounded", "behind-"), 1000, "and keeping no more");
    has_text(said.text, "no more room for evidence", "which it says");
    is_int(ask(witness, 1, 0, 300, answer), 409, "what only the owner can have made");
    is_int(evidence_of("bounded", "fork-"), 1, "has room of its own");
    kt_witness_close(witness);
}

static void clocks(void) {
    char vkey[KT_VERIFIER_MAX], answer[2000], *note = NULL;
    size_t size;
    int64_t before = clock_now;
    kt_verifier key;
    kt_note parts;
    uint64_t first = 0, second = 0;
    kt_witness *witness = make_witness("clocks", log_vkey(vkey));
    kt_verifier_parse_as(KT_VERIFIER_WITNESS, kt_witness_verifier(witness), strlen(kt_witness_verifier(witness)), &key,
                         &said);
    (void)ask(witness, 0, 0, 5, answer);
    if (kt_witness_last(witness, "test/log", &note, &size, &said) == KT_OK && !kt_note_cut(note, size, &parts, &said))
        (void)kt_note_check(&parts, &key, &first, &said);
    free(note);
    clock_now -= INT64_C(3600) * 1000000;
    (void)ask(witness, 0, 5, 6, answer);
    if (kt_witness_last(witness, "test/log", &note, &size, &said) == KT_OK && !kt_note_cut(note, size, &parts, &said))
        (void)kt_note_check(&parts, &key, &second, &said);
    free(note);
    clock_now = before;
    ok(first > 0 && second == first, "a clock that is behind gives no time before the last one's");
    kt_witness_close(witness);
}

/* ---- its own files ---- */

static void damaged(void) {
    char vkey[KT_VERIFIER_MAX], answer[2000], path[1400], command[3000], data[8192];
    kt_witness *witness = make_witness("damaged", log_vkey(vkey));
    (void)ask(witness, 0, 0, 5, answer);
    snprintf(command, sizeof command, "ls '%s'/logs/*", path_of("damaged"));
    FILE *list = popen(command, "r");
    if (!list || !fgets(path, sizeof path, list)) diag("no file of a log");
    if (list) pclose(list);
    path[strcspn(path, "\n")] = 0;
    int file = open(path, O_RDWR);
    ssize_t size = read(file, data, sizeof data);
    size_t caught = 0, cosigned = 0;
    for (ssize_t i = 0; i < size; i++) {
        char flipped = (char)(data[i] ^ 4);
        char *note = NULL;
        size_t length;
        if (pwrite(file, &flipped, 1, i) != 1) diag("not written");
        caught += kt_witness_last(witness, "test/log", &note, &length, &said) == KT_DAMAGED;
        free(note);
        cosigned += ask(witness, 1, 5, 9, answer) == 200 || ask(witness, 1, 0, 9, answer) == 200;
        if (pwrite(file, data + i, 1, i) != 1) diag("not written");
    }
    is_int((long long)caught, (long long)size, "every byte of a log's file changed is found");
    is_int((long long)cosigned, 0, "and no other history is cosigned over it");
    close(file);
    is_int((long long)last_of(witness), 5, "whole again it is read");
    kt_witness_close(witness);
}

/* What was given out is what the state says or less, however it ends. */
static void killed(void) {
    char vkey[KT_VERIFIER_MAX], answer[2000];
    unsigned rounds = getenv("KONTOR_LONG") ? 200 : 25, wrong = 0, resumed = 0;
    uint64_t state = test_seed(), last = 0;
    kt_witness_close(make_witness("killed", log_vkey(vkey)));
    for (unsigned i = 0; i < rounds; i++) {
        int ends[2];
        uint64_t given = last, got;
        if (pipe(ends) != 0) diag("no pipe");
        pid_t child = fork();
        if (child == 0) {
            kt_witness *witness = open_witness("killed");
            for (uint64_t size = last_of(witness) + 1; size <= LEAVES; size++) {
                if (ask(witness, 0, size - 1, size, answer) != 200) _exit(1);
                if (write(ends[1], &size, sizeof size) != (ssize_t)sizeof size) _exit(1);
            }
            for (;;) pause();
        }
        close(ends[1]);
        usleep((useconds_t)test_random(&state) % 15000);
        kill(child, SIGKILL);
        while (read(ends[0], &got, sizeof got) == (ssize_t)sizeof got) given = got;
        close(ends[0]);
        waitpid(child, NULL, 0);
        kt_witness *witness = open_witness("killed");
        last = last_of(witness);
        if (last == UINT64_MAX || last < given) wrong++;
        if (last > given) resumed++; /* on the disk, and not given out: asked again it is */
        if (last > 0 && ask(witness, 0, last, last, answer) != 200) wrong++;
        if (last > 1 && ask(witness, 1, 0, last, answer) == 200) wrong++;
        kt_witness_close(witness);
    }
    is_int(wrong, 0, "killed %u times, it never gave out more than it knows of (%u times less)", rounds, resumed);
    ok(last > 0, "and it came to %llu", (unsigned long long)last);
}

/* Killed between writing and answering: the log asks again and is told. */
static void unanswered(void) {
    char vkey[KT_VERIFIER_MAX], answer[2000];
    kt_witness *witness = make_witness("unanswered", log_vkey(vkey));
    (void)ask(witness, 0, 0, 5, answer);
    pid_t child = fork();
    if (child == 0) {
        kt_witness *again = open_witness("unanswered");
        _exit(ask(again, 0, 5, 8, answer) == 200 ? 0 : 1); /* nobody hears it */
    }
    waitpid(child, NULL, 0);
    is_int((long long)last_of(witness), 8, "an answer that was lost is on the disk, seen by another process");
    is_int(ask(witness, 0, 5, 8, answer), 409, "asked again as before it is a conflict");
    is_text(answer, "8\n", "that says how to ask");
    is_int(ask(witness, 0, 8, 8, answer), 200, "and so the cosignature is had");
    kt_witness_close(witness);
}

/* Two processes, two histories, one state. */
static void raced(void) {
    char vkey[KT_VERIFIER_MAX], answer[2000];
    unsigned both = 0, none = 0;
    kt_witness *witness = make_witness("raced", log_vkey(vkey));
    (void)ask(witness, 0, 0, 1, answer);
    memcpy(trees.leaf[1][0], trees.leaf[0][0], KT_HASH_SIZE); /* they part behind the first record */
    for (unsigned i = 0; i < 8; i++) {
        pid_t child[2];
        int status[2];
        kt_witness_close(witness);
        char command[3000];
        snprintf(command, sizeof command, "rm -rf '%s'", path_of("raced"));
        if (system(command) != 0) diag("not removed");
        witness = make_witness("raced", vkey);
        (void)ask(witness, 0, 0, 1, answer);
        for (unsigned k = 0; k < 2; k++)
            if ((child[k] = fork()) == 0) {
                kt_witness *own = open_witness("raced");
                _exit(ask(own, k, 1, 200 + i, answer) == 200 ? 0 : 1);
            }
        for (unsigned k = 0; k < 2; k++) waitpid(child[k], &status[k], 0);
        both += status[0] == 0 && status[1] == 0;
        none += status[0] != 0 && status[1] != 0;
    }
    is_int(both, 0, "of two histories shown at the same time, never both are cosigned");
    is_int(none, 0, "and always one is");
    is_int(evidence_of("raced", "fork-"), 1, "the other is evidence");
    kt_witness_close(witness);
}

/* ---- with books ---- */

static kt_book *book;
static kt_witness *three[3];
static const char *vkeys[8];

static void quorum(void) {
    found first;
    const char *two[] = {vkeys[0], vkeys[1], NULL}, *twice[] = {vkeys[0], vkeys[0], NULL};
    is_code(verify_witnessed("book", two, 0, &first), KT_DAMAGED, "nobody cosigned: verification with witnesses fails");
    has_text(first.what, "no checkpoint cosigned by any of the 2 witnesses", "and says so");
    is_code(witness_book(three[0], book), KT_OK, "one of three cosigns");
    is_code(verify_witnessed("book", twice, 0, NULL), KT_OK, "the same witness given twice is one");
    is_code(verify_witnessed("book", twice, 2, NULL), KT_USAGE, "and no quorum of two");
    is_code(verify_witnessed("book", two, 0, &first), KT_DAMAGED, "one is not two");
    has_text(first.what, "the most is 1", "which is said");
    is_code(verify_witnessed("book", two, 1, NULL), KT_OK, "one of two is enough where that is asked for");
    is_code(witness_book(three[0], book), KT_OK, "the same witness cosigns again");
    is_code(verify_witnessed("book", vkeys, 2, NULL), KT_DAMAGED, "and still counts once");
    is_code(witness_book(three[2], book), KT_OK, "another cosigns the same checkpoint");
    is_code(verify_witnessed("book", vkeys, 2, NULL), KT_OK, "two of three are a quorum of two");
    is_code(verify_witnessed("book", vkeys, 0, NULL), KT_DAMAGED, "and not all");
    is_code(verify_witnessed("book", vkeys, 4, NULL), KT_USAGE, "more than are given are none");
    const char *log[] = {kt_book_verifier(book), NULL};
    is_code(verify_witnessed("book", log, 0, NULL), KT_UNSUPPORTED, "the log's key is no witness's");
    /* The owner's own key in a witness's clothes. */
    kt_verifier key, own;
    char text[KT_VERIFIER_MAX];
    (void)kt_verifier_parse(log[0], strlen(log[0]), &key, &said);
    (void)kt_verifier_make_as(KT_VERIFIER_WITNESS, "test/own", key.public_key, &own, &said);
    kt_verifier_format(&own, text);
    const char *dressed[] = {text, NULL};
    is_code(verify_witnessed("book", dressed, 0, NULL), KT_USAGE, "nor is it in a witness's form");
    /* One witness's key under two names. */
    (void)kt_verifier_parse_as(KT_VERIFIER_WITNESS, vkeys[0], strlen(vkeys[0]), &key, &said);
    (void)kt_verifier_make_as(KT_VERIFIER_WITNESS, "test/alias", key.public_key, &own, &said);
    kt_verifier_format(&own, text);
    const char *alias[] = {vkeys[0], text, NULL};
    is_code(verify_witnessed("book", alias, 2, NULL), KT_USAGE, "one key under two names is one witness");
    kt_verify_options options = {.quorum = 1};
    is_code(verify_path(path_of("book"), &options, NULL), KT_USAGE, "a quorum of nobody is none");
}

static void grown(void) {
    kt_verify_result result = {0};
    kt_verify_options options = {.witnesses = vkeys, .witness_count = 3, .quorum = 2};
    uint64_t cosigned = head_of(book).size;
    is_code(post(book, "2025-02-01 C1 1000 5 / 4000 -5"), KT_OK, "the book goes on");
    is_code(kt_verify(path_of("book"), &options, &result, &said), KT_OK, "it extends what was cosigned");
    ok(result.cosigners == 2 && result.cosigned_size == cosigned && result.cosigned_us > 0,
       "verification says how far that reaches, and from when");
    is_code(witness_book(three[1], book), KT_OK, "a third witness comes later");
    is_code(verify_witnessed("book", vkeys, 0, NULL), KT_DAMAGED, "all three on no one checkpoint are not all");
    is_code(witness_book(three[0], book), KT_OK, "the first");
    is_code(witness_book(three[2], book), KT_OK, "and the last come again");
    is_code(verify_witnessed("book", vkeys, 0, NULL), KT_OK, "now all three cosigned it");
    is_code(kt_backup(book, path_of("copy"), &options, &said), KT_OK, "a backup has what was cosigned with it");
}

/* Given by whoever verifies; the owner's own place does not count then. */
static void given(void) {
    char *note = NULL, *older = NULL;
    size_t size = 0, older_size = 0;
    found first;
    copy_book("book", "gone");
    char command[3000];
    snprintf(command, sizeof command, "rm -rf '%s'/witness", path_of("gone"));
    if (system(command) != 0) diag("nothing is removed");
    is_code(verify_witnessed("gone", vkeys, 1, &first), KT_DAMAGED, "an owner who takes all of it away is found");
    is_code(first.code, KT_KEY, "for want of a cosignature");
    is_code(kt_witness_last(three[0], kt_book_origin(book), &note, &size, &said), KT_OK,
            "the witness has its last one");
    kt_str cosigned[2] = {{note, size}, {note, size}};
    kt_verify_options options = {
        .witnesses = vkeys, .witness_count = 3, .quorum = 1, .cosigned = cosigned, .cosigned_count = 1};
    is_code(verify_path(path_of("gone"), &options, NULL), KT_OK, "the book is held against that");
    options.quorum = 2;
    is_code(verify_path(path_of("gone"), &options, &first), KT_DAMAGED, "one cosignature on it is no quorum of two");
    has_text(first.what, "by 1 of the 3 witnesses given; expected 2", "which is said");
    options.quorum = 1;
    copy_book("book", "short");
    is_code(post(book, "2025-03-01 D1 1000 5 / 4000 -5"), KT_OK, "the book goes on");
    is_code(witness_view(three[0], book, &older, &older_size), KT_OK, "and is cosigned, without the owner keeping it");
    cosigned[0] = (kt_str){older, older_size};
    is_code(verify_path(path_of("short"), &options, &first), KT_DAMAGED,
            "an older copy with all that is in it is found by the witness's last one");
    has_text(first.what, "rolled back", "and called that");
    is_code(verify_witnessed("short", vkeys, 0, NULL), KT_OK, "by what the owner left in it, it is not");
    note[5] ^= 1;
    cosigned[0] = (kt_str){note, size};
    is_code(verify_path(path_of("book"), &options, &first), KT_DAMAGED, "a changed note holds nothing");
    is_int((long long)first.count, 1, "and is one finding");
    free(note);
    free(older);
}

static void from_files(void) {
    char *last = NULL, *newest = NULL, *proof = NULL, *note = NULL, *old = NULL;
    size_t last_size, newest_size, proof_size, size, old_size;
    (void)kt_witness_last(three[1], kt_book_origin(book), &last, &last_size, &said);
    kt_view *view = view_of(book);
    (void)kt_view_checkpoint(view, &newest, &newest_size, &said);
    is_code(kt_witness_cosign(three[1], newest, newest_size, NULL, 0, &note, &size, &said), KT_INVALID,
            "a later checkpoint without a proof is refused");
    is_code(kt_prove_consistency(view, last, last_size, newest, newest_size, &proof, &proof_size, &said), KT_OK,
            "a proof from the note that it cosigned last");
    is_code(kt_witness_cosign(three[1], newest, newest_size, proof, proof_size, &note, &size, &said), KT_OK,
            "and it is cosigned");
    free(note);
    is_code(kt_witness_cosign(three[1], newest, newest_size, NULL, 0, &note, &size, &said), KT_OK,
            "the same again needs none");
    free(note);
    is_code(kt_witness_cosign(three[1], last, last_size, NULL, 0, &note, &size, &said), KT_DAMAGED,
            "an older one is refused");
    ok(note == NULL, "and nothing given");
    is_code(kt_witness_cosign(three[1], newest, newest_size, "nonsense", 8, &note, &size, &said), KT_INVALID,
            "what is no proof is refused");
    uint64_t seed = 9;
    kt_create_options options = {.context = &seed};
    kt_book *other = make_book_with("other", &options);
    is_code(witness_view(three[1], other, &old, &old_size), KT_UNKNOWN,
            "another book's checkpoint is nothing it knows");
    has_text(said.text, kt_book_origin(other), "and its log is named");
    kt_book_close(other);
    kt_view_close(view);
    free(last);
    free(newest);
    free(proof);
}

/* A log under the same name with another key. */
static void impostor(void) {
    kt_verifier key, wrong;
    char text[KT_VERIFIER_MAX];
    const char *its = kt_book_verifier(book);
    (void)kt_verifier_parse(its, strlen(its), &key, &said);
    (void)kt_verifier_make(key.name, trees.log.public_key, &wrong, &said);
    kt_verifier_format(&wrong, text);
    kt_witness *witness = make_witness("impostor", text);
    char *note = NULL;
    size_t size;
    is_code(witness_view(witness, book, &note, &size), KT_FOREIGN, "the right log under another key is not cosigned");
    is_code(kt_witness_add(witness, its, &said), KT_OK, "told of that key as well");
    is_code(witness_view(witness, book, &note, &size), KT_OK, "it is");
    free(note);
    kt_witness_close(witness);
}

static void asked(void) {
    char *note = NULL;
    size_t size;
    const char *its = kt_book_verifier(book);
    kt_witness *witness = make_witness("asked", its);
    const char *expected = kt_witness_verifier(witness);
    kt_view *view = view_of(book);
    is_code(kt_witness_ask(view, carry, witness, expected, &note, &size, &said), KT_OK, "a witness is asked");
    is_code(kt_cosigned_keep(path_of("book"), note, size, &said), KT_OK, "and its answer kept");
    free(note);
    is_code(kt_witness_ask(view, carry, witness, expected, &note, &size, &said), KT_OK, "asked again it answers again");
    free(note);
    is_code(kt_witness_ask(view, carry, witness, vkeys[0], &note, &size, &said), KT_FOREIGN,
            "another witness than expected is not taken for it");
    kt_view_close(view);
    is_code(post(book, "2025-04-01 E1 1000 5 / 4000 -5\n2025-04-01 E2 1000 5 / 4000 -5"), KT_OK, "the book goes on");
    view = view_of(book);
    is_code(kt_witness_ask(view, carry, witness, NULL, &note, &size, &said), KT_OK, "it is asked for the next");
    free(note);
    kt_view_close(view);
    uint64_t seed = 10;
    kt_create_options options = {.context = &seed};
    kt_book *other = make_book_with("stranger", &options);
    view = view_of(other);
    is_code(kt_witness_ask(view, carry, witness, NULL, &note, &size, &said), KT_UNKNOWN,
            "of another log it knows nothing");
    kt_view_close(view);
    kt_book_close(other);
    kt_witness_close(witness);
}

/* What stands in the book's witness/ is nobody's word. */
static void untrusted(void) {
    char path[1400], *note = NULL;
    size_t size;
    copy_book("book", "strewn");
    snprintf(path, sizeof path, "%s/witness/99999999999999999999", path_of("strewn"));
    FILE *out = fopen(path, "w");
    if (out) {
        fputs("rubbish", out);
        fclose(out);
    }
    is_code(verify_witnessed("strewn", vkeys, 0, NULL), KT_OK, "rubbish beside what was cosigned changes nothing");
    (void)witness_view(three[0], book, &note, &size);
    is_code(kt_cosigned_keep(path_of("strewn"), "rubbish", 7, &said), KT_INVALID, "and is not kept");
    for (unsigned i = 0; i < 70; i++) {
        char entry[100];
        free(note);
        snprintf(entry, sizeof entry, "2025-05-01 F%u 1000 5 / 4000 -5", i);
        if (post(book, entry) != KT_OK || witness_book(three[0], book) != KT_OK) diag("%s", said.text);
        note = NULL;
    }
    char command[3000];
    snprintf(command, sizeof command, "test $(ls '%s'/witness | wc -l) = 64", path_of("book"));
    ok(system(command) == 0, "the newest 64 stay");
    const char *one[] = {vkeys[0], NULL};
    is_code(verify_witnessed("book", one, 0, NULL), KT_OK, "and they are held against the book, each of them");
}

static kt_code count_logs(void *context, const kt_witness_log *log, kt_error *error) {
    (void)error;
    if (log->size > 0 && log->time_us > 0 && log->origin[0] && log->verifier[0]) ++*(unsigned *)context;
    return KT_OK;
}

int main(void) {
    if (kt_keys_setup(&said) != KT_OK) skip_all("%s", said.text);
    plant();
    made();
    protocol();
    bounded();
    clocks();
    damaged();
    killed();
    unanswered();
    raced();
    book = make_book("book");
    is_code(post(book, "2025-01-31 A1 1000 100 / 3000 -100"), KT_OK, "a book has entries");
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"w1", "w2", "w3"};
        three[i] = make_witness(names[i], kt_book_verifier(book));
        vkeys[i] = kt_witness_verifier(three[i]);
    }
    quorum();
    grown();
    given();
    from_files();
    impostor();
    asked();
    untrusted();
    unsigned logs = 0;
    is_code(kt_witness_logs(three[0], count_logs, &logs, &said), KT_OK, "a witness says what it knows");
    is_int(logs, 1, "of its one log");
    for (unsigned i = 0; i < 3; i++) kt_witness_close(three[i]);
    kt_book_close(book);
    kt_signer_close(trees.signer);
    return done();
}
