/* A key held by ssh-agent signs as one in a file does, and an agent that errs, lies, dawdles or is gone spoils nothing: first
   with an agent played here, then with OpenSSH's. */
#include "storage/agent.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "storage/keys.h"
#include "storage/note.h"
#include "tests/bookkeeping.h"

#define BLOB 51u

/* ---- an agent of our own ---- */

enum manner { GOOD, FORGES, CUTS, HUGE, EMPTY, DECLINES, OTHER, HANGS, DRIBBLES, TRAILS, NO_KEYS, SHORT, COUNTS_MORE };

static struct {
    char path[KT_AGENT_PATH_MAX];
    int socket;
    atomic_int manner, signatures, left; /* left: how many more it signs before it declines; negative: any number */
    _Atomic(const kt_signer *) signer;
} agent;

static size_t put32(uint8_t *at, size_t value) {
    for (unsigned i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
    return 4;
}

static size_t put(uint8_t *at, const void *data, size_t size) {
    put32(at, size);
    memcpy(at + 4, data, size);
    return 4 + size;
}

static size_t put_key(uint8_t *at) {
    size_t size = put32(at, BLOB);
    size += put(at + size, "ssh-ed25519", 11);
    return size + put(at + size, kt_signer_public(agent.signer), KT_PUBLIC_KEY_SIZE);
}

/* Answers without their length. */
static size_t identities(uint8_t *out, uint32_t count) {
    size_t size = 1;
    out[0] = 12;
    size += put32(out + size, count);
    size += put(out + size, "\0\0\0\7ssh-rsa\0\0\0\3\1\0\1", 18);
    size += put(out + size, "another", 7);
    size += put_key(out + size);
    return size + put(out + size, "ours", 4);
}

static size_t signature(uint8_t *out, const uint8_t *message, size_t message_size, bool forged) {
    uint8_t bytes[KT_SIGNATURE_SIZE], whole[100];
    if (kt_sign(agent.signer, message, message_size, bytes, NULL) != KT_OK) abort();
    bytes[3] ^= forged;
    size_t size = put(whole, "ssh-ed25519", 11);
    size += put(whole + size, bytes, sizeof bytes);
    out[0] = 14;
    return 1 + put(out + 1, whole, size);
}

static size_t answer_to(const uint8_t *question, size_t size, uint8_t *out) {
    enum manner manner = (enum manner)atomic_load(&agent.manner);
    if (manner == DECLINES || (question[0] == 13 && atomic_load(&agent.left) == 0)) {
        out[0] = 5;
        return 1;
    }
    if (manner == OTHER) {
        out[0] = 6;
        return 1;
    }
    if (question[0] == 11 && manner == NO_KEYS) {
        out[0] = 12;
        return 1 + put32(out + 1, 0);
    }
    if (question[0] == 11) return identities(out, manner == COUNTS_MORE ? UINT32_MAX : 2);
    atomic_fetch_add(&agent.signatures, 1);
    if (atomic_load(&agent.left) > 0) atomic_fetch_sub(&agent.left, 1);
    size_t at = 1 + 4 + BLOB;
    if (size < at + 8) abort();
    size_t message_size = (size_t)question[at] << 24 | (size_t)question[at + 1] << 16 | (size_t)question[at + 2] << 8 |
                          question[at + 3];
    if (size != at + 4 + message_size + 4) abort();
    return signature(out, question + at + 4, message_size, manner == FORGES);
}

static bool read_all(int from, uint8_t *out, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t got = read(from, out + done, size - done);
        if (got > 0) done += (size_t)got;
        else if (got == 0 || errno != EINTR) return false;
    }
    return true;
}

static void serve_one(int to) {
    static uint8_t question[70000], out[1000];
    uint8_t head[4];
    enum manner manner = (enum manner)atomic_load(&agent.manner);
    if (!read_all(to, head, 4)) return;
    size_t size = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (size > sizeof question || !read_all(to, question, size)) return;
    if (manner == HANGS) {
        if (read(to, head, 1) != 0) abort(); /* until the other end has enough of it */
        return;
    }
    size_t answer = answer_to(question, size, out + 4);
    if (manner == TRAILS) out[4 + answer++] = 0;
    put32(out, manner == HUGE ? UINT32_MAX : manner == EMPTY ? 0 : answer);
    if (manner == CUTS) answer /= 2;
    if (manner == SHORT) put32(out, answer /= 2);
    for (size_t i = 0; manner == DRIBBLES && i < 4 + answer; i++) {
        if (send(to, out + i, 1, MSG_NOSIGNAL) != 1) return;
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    if (manner != DRIBBLES) (void)send(to, out, 4 + answer, MSG_NOSIGNAL);
}

static void *agent_runs(void *nothing) {
    for (;;) {
        int to = accept(agent.socket, NULL, NULL);
        if (to < 0) return nothing;
        serve_one(to);
        close(to);
    }
}

static void start_agent(pthread_t *thread) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(agent.path, sizeof agent.path, "%s/agent", test_dir());
    memcpy(address.sun_path, agent.path, strlen(agent.path));
    agent.socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(agent.socket, (struct sockaddr *)&address, sizeof address) != 0 || listen(agent.socket, 8) != 0 ||
        pthread_create(thread, NULL, agent_runs, NULL) != 0)
        skip_all("no unix socket can be made here");
    atomic_store(&agent.left, -1);
}

/* ---- what is asked of it ---- */

static kt_signer *new_signer(void) {
    kt_signer *signer = NULL;
    if (kt_signer_generate(&signer, NULL) != KT_OK) abort();
    return signer;
}

static kt_code ask(enum manner manner, int timeout_ms, kt_error *error) {
    atomic_store(&agent.manner, manner);
    return kt_agent_find(agent.path, kt_signer_public(agent.signer), timeout_ms, error);
}

static kt_code ask_to_sign(enum manner manner, kt_error *error) {
    uint8_t given[KT_SIGNATURE_SIZE];
    atomic_store(&agent.manner, manner);
    return kt_agent_sign(agent.path, kt_signer_public(agent.signer), "text", 4, 2000, given, error);
}

static void test_answers(void) {
    static const struct {
        enum manner manner;
        const char *what, *said;
    } bad[] = {
        {CUTS, "hangs up in the middle", "hung up"},
        {HUGE, "promises 4 GB", "4294967295 bytes"},
        {EMPTY, "says nothing", "0 bytes"},
        {DECLINES, "declines", "declined"},
        {OTHER, "answers something else", "message 6"},
        {TRAILS, "says more than it should", "malformed"},
        {SHORT, "ends a field too early", "malformed"},
    };
    kt_error error;
    is_code(ask(GOOD, 2000, &error), KT_OK, "a key is found in an agent");
    is_code(ask_to_sign(GOOD, &error), KT_OK, "and signs there");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        is_code(ask(bad[i].manner, 2000, &error), KT_KEY, "an agent that %s is refused", bad[i].what);
        has_text(error.text, bad[i].said, "and what it did is said");
        is_code(ask_to_sign(bad[i].manner, &error), KT_KEY, "so it is where it %s when asked to sign", bad[i].what);
    }
    is_code(ask(COUNTS_MORE, 2000, &error), KT_KEY, "an agent that counts four thousand million keys is refused");
    is_code(ask(NO_KEYS, 2000, &error), KT_KEY, "an agent that does not hold the key is refused");
    has_text(error.text, "ssh-add", "and what to do is said");
    has_text(error.text, "SHA256:", "with the key's fingerprint");
    is_code(ask(HANGS, 150, &error), KT_KEY, "an agent that does not answer is given up");
    has_text(error.text, "within 150 ms", "after its time");
    char large[1] = {0};
    is_code(kt_agent_sign(agent.path, kt_signer_public(agent.signer), large, KT_AGENT_MESSAGE_MAX + 1, 100,
                          (uint8_t[KT_SIGNATURE_SIZE]){0}, &error),
            KT_LIMIT, "a message that no agent takes is refused here");
    is_code(kt_agent_find("/nowhere/agent", kt_signer_public(agent.signer), 100, &error), KT_KEY,
            "where no agent listens");
    has_text(error.text, "none listens at /nowhere/agent", "that is said");
}

static void on_alarm(int number) { (void)number; }

static void test_interrupted(void) {
    kt_error error;
    struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART */
    struct itimerval often = {.it_interval = {.tv_usec = 3000}, .it_value = {.tv_usec = 3000}}, never = {0};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    kt_code code = ask(DRIBBLES, 20000, &error);
    setitimer(ITIMER_REAL, &never, NULL);
    is_code(code, KT_OK, "neither bytes that come one by one nor signals between them matter");
    is_code(ask(DRIBBLES, 30, &error), KT_KEY, "but the time counts for the whole answer");
}

/* A cut at every place, and every byte changed: refused or read, never more. */
static void test_readers(void) {
    uint8_t answer[1000], out[KT_SIGNATURE_SIZE], *copy;
    bool there, held = true;
    size_t size = identities(answer, 2);
    ok(kt_agent_read_identities(answer, size, kt_signer_public(agent.signer), &there, NULL) == KT_OK && there,
       "a whole list of keys is read");
    for (size_t cut = 0; cut < size; cut++) {
        copy = malloc(cut + 1); /* exact, so that a byte too many is seen by the sanitizers */
        memcpy(copy, answer, cut);
        held = held && kt_agent_read_identities(copy, cut, kt_signer_public(agent.signer), &there, NULL) == KT_KEY;
        free(copy);
    }
    ok(held, "one that is cut anywhere is refused");
    size = signature(answer, (const uint8_t *)"x", 1, false);
    ok(kt_agent_read_signature(answer, size, out, NULL) == KT_OK, "a whole signature is read");
    held = true;
    for (size_t cut = 0; cut < size; cut++) {
        copy = malloc(cut + 1);
        memcpy(copy, answer, cut);
        held = held && kt_agent_read_signature(copy, cut, out, NULL) == KT_KEY;
        free(copy);
    }
    ok(held, "one that is cut anywhere is refused");
}

static void test_public_lines(void) {
    /* The key of RFC 8032, section 7.1, test 2. */
    static const char line[] =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM office\n";
    uint8_t key[KT_PUBLIC_KEY_SIZE];
    char hex[2 * KT_PUBLIC_KEY_SIZE + 1];
    kt_error error;
    is_code(kt_openssh_read(line, strlen(line), key, &error), KT_OK, "a public key line of OpenSSH's is read");
    kt_hex_encode(key, sizeof key, hex);
    is_text(hex, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "to the key in it");
    static const char *const bad[] = {
        "",
        "ssh-ed25519",
        "ssh-ed25519 ",
        "ssh-ed25519 AAAA office",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GY= x",
        "ssh-ed25518 AAAAC3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok(kt_openssh_read(bad[i], strlen(bad[i]), key, &error) != KT_OK, "'%.24s' is none", bad[i]);
    is_code(kt_openssh_read("ssh-rsa AAAAB3Nz x", 18, key, &error), KT_UNSUPPORTED,
            "an RSA key is refused by its kind");
}

static void test_signer(void) {
    kt_error error;
    kt_signer *held = NULL;
    uint8_t signed_by[KT_SIGNATURE_SIZE] = {0}, zeros[KT_SIGNATURE_SIZE] = {0};
    char path[700];
    snprintf(path, sizeof path, "%s/agent.key", test_dir());
    atomic_store(&agent.manner, GOOD);
    is_code(kt_key_save_agent(kt_signer_public(agent.signer), path, "office", &error), KT_OK,
            "a key file names the agent");
    unsetenv("SSH_AUTH_SOCK");
    is_code(kt_key_load(path, NULL, NULL, &held, &error), KT_KEY, "without an agent it is refused");
    has_text(error.text, "SSH_AUTH_SOCK", "and what names one is said");
    setenv("SSH_AUTH_SOCK", agent.path, 1);
    is_code(kt_key_load(path, NULL, NULL, &held, &error), KT_OK, "with one it is loaded");
    is_code(kt_sign(held, "text", 4, signed_by, &error), KT_OK, "and signs");
    ok(kt_signature_check(kt_signer_public(agent.signer), "text", 4, signed_by), "and the signature holds");
    memset(signed_by, 0, sizeof signed_by);
    atomic_store(&agent.manner, FORGES);
    is_code(kt_sign(held, "text", 4, signed_by, &error), KT_KEY, "a signature that does not hold is refused");
    has_text(error.text, "does not hold", "and said");
    ok(memcmp(signed_by, zeros, sizeof zeros) == 0, "and not given on");
    atomic_store(&agent.manner, GOOD);
    char copy[700];
    snprintf(copy, sizeof copy, "%s/copy.key", test_dir());
    is_code(kt_key_save(held, copy, "office", NULL, &error), KT_KEY, "such a key has no seed to be saved");
    ok(access(copy, F_OK) != 0, "and no file is made");
    is_code(kt_key_relock(path, NULL, NULL, NULL, &error), KT_KEY, "nor one to be unlocked");
    kt_signer_close(held);
}

/* ---- a book whose key an agent holds ---- */

/* The book's own key is taken out of its file. */
static kt_signer *take_key(const char *name) {
    char path[700];
    kt_error error;
    kt_signer *signer = NULL;
    snprintf(path, sizeof path, "%s/keys/log.key", path_of(name));
    if (kt_key_load(path, NULL, NULL, &signer, &error) != KT_OK || unlink(path) != 0 ||
        kt_key_save_agent(kt_signer_public(signer), path, "log", &error) != KT_OK)
        diag("%s", error.text);
    return signer;
}

static void test_book(void) {
    kt_book *book = make_book("held");
    kt_book_close(book);
    const kt_signer *before = agent.signer;
    kt_signer *signer = take_key("held");
    agent.signer = signer;
    book = open_book("held");
    atomic_store(&agent.signatures, 0);
    is_code(post(book, "2025-01-31 V1 1000 100.00 / 2000 -100.00"), KT_OK,
            "a book whose key an agent holds takes a batch");
    is_int(atomic_load(&agent.signatures), 2, "with two signatures: the batch's and the checkpoint's");
    char *told_before = told(book);
    static const enum manner bad[] = {FORGES, CUTS, DECLINES, TRAILS};
    static const char *const what[] = {"forges", "hangs up", "declines", "says too much"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        atomic_store(&agent.manner, bad[i]);
        is_code(post(book, "2025-01-31 V2 1000 1.00 / 2000 -1.00"), KT_KEY, "an agent that %s fails the batch",
                what[i]);
        has_text(said.text, "could not be signed", "which is said");
        atomic_store(&agent.manner, GOOD);
    }
    atomic_store(&agent.left, 1);
    is_code(post(book, "2025-01-31 V2 1000 1.00 / 2000 -1.00"), KT_KEY,
            "one that signs the batch and not the checkpoint too");
    has_text(said.text, "checkpoint", "which is said as well");
    atomic_store(&agent.left, -1);
    is_untouched(book, told_before, "and the book is what it was");
    is_code(post(book, "2025-01-31 V2 1000 2.00 / 2000 -2.00"), KT_OK, "and takes the next");

    /* Batches under way: what was signed is stored, what lies behind the first that was not is not. */
    atomic_store(&agent.left, 4);
    kt_batch *batch;
    kt_code sent = KT_OK, came[4];
    for (int i = 0; i < 4; i++) {
        char entry[80];
        snprintf(entry, sizeof entry, "2025-02-0%d W%d 1000 1.00 / 2000 -1.00", i + 1, i);
        if (sent == KT_OK) sent = fill_with(book, NULL, entry, &batch);
        if (sent == KT_OK) sent = kt_batch_send(batch, &said);
    }
    for (int i = 0; i < 4; i++) came[i] = kt_book_receive(book, true, NULL, &said);
    ok(came[0] == KT_OK && came[1] == KT_OK, "of batches sent, those that were signed are stored");
    /* The lanes may have told of the failure before the last was sent. */
    ok(came[2] == KT_KEY && (came[3] == KT_KEY || came[3] == KT_END), "from the first that was not on, none");
    atomic_store(&agent.left, -1);
    is_code(post(book, "2025-02-05 X1 1000 4.00 / 2000 -4.00"), KT_OK, "and the next is");
    is_int((long long)balance(book, "1000"), 10800, "exactly these are in the balance");
    kt_book_close(book);
    ok(is_sound("held", "the book verifies"), "and is sound");
    agent.signer = before;
    kt_signer_close(signer);
}

/* ---- OpenSSH's own ---- */

static bool talk(const char *path, const uint8_t *question, size_t size) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint8_t head[4], answer[1];
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    put32(head, size);
    bool done = connect(to, (struct sockaddr *)&address, sizeof address) == 0 && send(to, head, 4, MSG_NOSIGNAL) == 4 &&
                send(to, question, size, MSG_NOSIGNAL) == (ssize_t)size && read_all(to, head, 4) &&
                read_all(to, answer, 1) && answer[0] == 6;
    close(to);
    return done;
}

/* SSH_AGENTC_ADD_IDENTITY, section 4.2.3. */
static bool load_into(const char *path, const kt_signer *signer) {
    uint8_t frame[300], secret[64];
    if (kt_signer_seed(signer, secret, NULL) != KT_OK) return false;
    memcpy(secret + 32, kt_signer_public(signer), 32);
    size_t size = 1;
    frame[0] = 17;
    size += put(frame + size, "ssh-ed25519", 11);
    size += put(frame + size, kt_signer_public(signer), 32);
    size += put(frame + size, secret, 64);
    size += put(frame + size, "test", 4);
    return talk(path, frame, size);
}

static bool forget_all(const char *path) { return talk(path, (const uint8_t[]){19}, 1); }

static void with_openssh(const char *path) {
    kt_error error;
    setenv("SSH_AUTH_SOCK", path, 1);
    kt_book *book = make_book("openssh");
    kt_book_close(book);
    kt_signer *signer = take_key("openssh");
    book = open_book("openssh");
    is_code(post(book, "2025-01-31 V1 1000 100.00 / 2000 -100.00"), KT_KEY, "ssh-agent without the key is refused");
    has_text(said.text, "ssh-add", "with what to do");
    ok(load_into(path, signer), "the key is loaded into it");
    is_code(post(book, "2025-01-31 V1 1000 100.00 / 2000 -100.00"), KT_OK, "and a batch is posted");
    char *entries = malloc(64 * 1000);
    size_t size = 0;
    for (int i = 0; i < 1000; i++)
        size += (size_t)sprintf(entries + size, "%s2025-02-01 B%d 1000 1.00 / 2000 -1.00", i == 0 ? "" : "\n", i);
    is_code(post(book, entries), KT_OK, "so is one of a thousand entries");
    free(entries);
    is_code(close_month(book, "2025-01"), KT_OK, "and a month is closed");
    char *before = told(book);
    ok(forget_all(path), "the agent forgets the key while the book is open");
    is_code(post(book, "2025-02-01 V2 1000 1.00 / 2000 -1.00"), KT_KEY, "then nothing is posted");
    is_untouched(book, before, "and the book is what it was");
    ok(load_into(path, signer), "it learns it again");
    is_code(post(book, "2025-02-01 V2 1000 1.00 / 2000 -1.00"), KT_OK, "and goes on");
    kt_book_close(book);
    ok(is_sound("openssh", "the book verifies"), "and is sound");
    kt_signer *held = NULL;
    is_code(kt_signer_from_agent(kt_signer_public(signer), "test", &held, &error), KT_OK, "its key is found there");
    struct timespec from, to;
    uint8_t bytes[KT_SIGNATURE_SIZE];
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < 200; i++) (void)kt_sign(held, "text", 4, bytes, NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    diag("a signature by ssh-agent took %ld us",
         ((to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000) / 200);
    kt_signer_close(held);
    kt_signer_close(signer);
}

static void test_openssh(void) {
    char path[KT_AGENT_PATH_MAX];
    snprintf(path, sizeof path, "%s/ssh", test_dir());
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL) _exit(127);
        execlp("ssh-agent", "ssh-agent", "-D", "-a", path, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    bool there = false;
    for (int i = 0; child > 0 && i < 500 && !there && waitpid(child, &status, WNOHANG) == 0; i++) {
        there = access(path, F_OK) == 0;
        if (!there) (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    if (!there) {
        skip(1, "no ssh-agent here (openssh-client)");
        return;
    }
    with_openssh(path);
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
    unlink(path);
}

int main(void) {
    pthread_t thread;
    kt_error error;
    if (kt_keys_setup(&error) != KT_OK) skip_all("%s", error.text);
    kt_signer *signer = new_signer();
    agent.signer = signer;
    start_agent(&thread);
    test_answers();
    test_interrupted();
    test_readers();
    test_public_lines();
    test_signer();
    test_book();
    shutdown(agent.socket, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(agent.socket);
    unlink(agent.path);
    test_openssh();
    kt_signer_close(signer);
    return done();
}
