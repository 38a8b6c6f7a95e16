#include "storage/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "storage/digest.h"
#include "storage/note.h"

/* draft-ietf-sshm-ssh-agent, section 6.1. */
#define AGENT_FAILURE 5
#define AGENT_REQUEST_IDENTITIES 11
#define AGENT_IDENTITIES_ANSWER 12
#define AGENT_SIGN_REQUEST 13
#define AGENT_SIGN_RESPONSE 14

#define KIND "ssh-ed25519"
#define KIND_SIZE (sizeof KIND - 1)
/* RFC 8709, section 4: string kind, string key. */
#define BLOB_SIZE (4 + KIND_SIZE + 4 + KT_PUBLIC_KEY_SIZE)
#define BLOB_BASE64 ((BLOB_SIZE + 2) / 3 * 4)

/* ---- SSH's strings ---- */

static uint8_t *put_be32(uint8_t *at, size_t value) {
    for (unsigned i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
    return at + 4;
}

static uint8_t *put_string(uint8_t *at, const void *data, size_t size) {
    at = put_be32(at, size);
    memcpy(at, data, size);
    return at + size;
}

static void write_blob(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], uint8_t out[BLOB_SIZE]) {
    put_string(put_string(out, KIND, KIND_SIZE), public_key, KT_PUBLIC_KEY_SIZE);
}

/* What is left of an answer. */
typedef struct rest {
    const uint8_t *at;
    size_t size;
} rest;

static bool take_u32(rest *from, uint32_t *out) {
    if (from->size < 4) return false;
    *out = (uint32_t)from->at[0] << 24 | (uint32_t)from->at[1] << 16 | (uint32_t)from->at[2] << 8 | from->at[3];
    from->at += 4;
    from->size -= 4;
    return true;
}

static bool take_string(rest *from, rest *out) {
    uint32_t size;
    if (!take_u32(from, &size) || size > from->size) return false;
    *out = (rest){from->at, size};
    from->at += size;
    from->size -= size;
    return true;
}

static bool is_kind(const rest *text) { return text->size == KIND_SIZE && memcmp(text->at, KIND, KIND_SIZE) == 0; }

/* ---- answers ---- */

static kt_code not_an_answer(kt_error *error, const char *expected) {
    return kt_fail(error, KT_KEY, "ssh-agent: its answer is cut off or malformed; expected %s", expected);
}

/* Takes the type. */
static kt_code take_type(rest *answer, uint8_t expected, const char *what, kt_error *error) {
    if (answer->size == 0) return not_an_answer(error, what);
    uint8_t type = *answer->at++;
    answer->size--;
    if (type == expected) return KT_OK;
    if (type == AGENT_FAILURE)
        return kt_fail(error, KT_KEY,
                       "ssh-agent: declined; is the key still loaded (ssh-add -l), and was it confirmed?");
    return kt_fail(error, KT_KEY, "ssh-agent: answered with message %u; expected %u, %s", type, expected, what);
}

kt_code kt_agent_read_identities(const uint8_t *answer, size_t size, const uint8_t public_key[KT_PUBLIC_KEY_SIZE],
                                 bool *found, kt_error *error) {
    static const char what[] = "its keys";
    rest left = {answer, size}, blob, comment;
    uint8_t wanted[BLOB_SIZE];
    uint32_t count;
    *found = false;
    kt_code code = take_type(&left, AGENT_IDENTITIES_ANSWER, what, error);
    if (code != KT_OK) return code;
    if (!take_u32(&left, &count)) return not_an_answer(error, what);
    write_blob(public_key, wanted);
    /* The count is only believed as far as there are bytes for it. */
    for (uint32_t i = 0; i < count; i++) {
        if (!take_string(&left, &blob) || !take_string(&left, &comment)) return not_an_answer(error, what);
        if (blob.size == BLOB_SIZE && memcmp(blob.at, wanted, BLOB_SIZE) == 0) *found = true;
    }
    return left.size == 0 ? KT_OK : not_an_answer(error, what);
}

kt_code kt_agent_read_signature(const uint8_t *answer, size_t size, uint8_t signature[KT_SIGNATURE_SIZE],
                                kt_error *error) {
    static const char what[] = "a signature";
    rest left = {answer, size}, whole, kind, bytes;
    kt_code code = take_type(&left, AGENT_SIGN_RESPONSE, what, error);
    if (code != KT_OK) return code;
    if (!take_string(&left, &whole) || left.size != 0 || !take_string(&whole, &kind) || !take_string(&whole, &bytes) ||
        whole.size != 0)
        return not_an_answer(error, what);
    if (!is_kind(&kind) || bytes.size != KT_SIGNATURE_SIZE)
        return kt_fail(error, KT_KEY, "ssh-agent: its signature is not one of %d bytes by " KIND, KT_SIGNATURE_SIZE);
    memcpy(signature, bytes.at, KT_SIGNATURE_SIZE);
    return KT_OK;
}

/* ---- the socket ---- */

typedef struct call {
    const char *path;
    int socket;
    int timeout_ms;
    int64_t deadline_ms;
} call;

static int64_t clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Of the system, and still a matter of the key: a server's book is none the worse for it. */
static kt_code trouble(const call *to, kt_error *error) {
    (void)kt_fail_errno(error, errno, "ssh-agent at %s", to->path);
    if (error != NULL) error->code = KT_KEY;
    return KT_KEY;
}

static kt_code too_late(const call *to, kt_error *error) {
    return kt_fail(error, KT_KEY, "ssh-agent at %s: no answer within %d ms", to->path, to->timeout_ms);
}

/* Until the socket is ready for `events`, or the time is over. */
static kt_code wait_for(const call *to, short events, kt_error *error) {
    for (;;) {
        int64_t left = to->deadline_ms - clock_ms();
        if (left <= 0) return too_late(to, error);
        struct pollfd watch = {.fd = to->socket, .events = events};
        int ready = poll(&watch, 1, (int)left);
        if (ready > 0) return KT_OK;
        if (ready < 0 && errno != EINTR) return trouble(to, error);
    }
}

static kt_code connect_to(call *to, kt_error *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(to->path);
    if (size == 0 || size >= sizeof address.sun_path)
        return kt_fail(error, KT_KEY, "SSH_AUTH_SOCK: %zu bytes; expected the path of ssh-agent's socket, at most %zu",
                       size, sizeof address.sun_path - 1);
    memcpy(address.sun_path, to->path, size);
    to->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (to->socket < 0) return trouble(to, error);
    while (connect(to->socket, (const struct sockaddr *)&address, sizeof address) != 0) {
        if (errno == EISCONN) break;
        if (errno == ENOENT || errno == ECONNREFUSED)
            return kt_fail(error, KT_KEY, "ssh-agent: none listens at %s (SSH_AUTH_SOCK)", to->path);
        if (errno != EAGAIN && errno != EINTR) return trouble(to, error);
        /* Others stand in its queue. There is no event for a place in it. */
        if (clock_ms() >= to->deadline_ms) return too_late(to, error);
        (void)poll(NULL, 0, 5);
    }
    return KT_OK;
}

static kt_code send_all(const call *to, const uint8_t *data, size_t size, kt_error *error) {
    for (size_t done = 0; done < size;) {
        ssize_t sent = send(to->socket, data + done, size - done, MSG_NOSIGNAL);
        if (sent >= 0) {
            done += (size_t)sent;
            continue;
        }
        kt_code code = KT_OK;
        if (errno == EAGAIN) code = wait_for(to, POLLOUT, error);
        else if (errno != EINTR) code = trouble(to, error);
        if (code != KT_OK) return code;
    }
    return KT_OK;
}

static kt_code receive_all(const call *to, uint8_t *data, size_t size, kt_error *error) {
    for (size_t done = 0; done < size;) {
        ssize_t got = recv(to->socket, data + done, size - done, 0);
        if (got == 0) return kt_fail(error, KT_KEY, "ssh-agent at %s: hung up without a whole answer", to->path);
        if (got > 0) {
            done += (size_t)got;
            continue;
        }
        kt_code code = KT_OK;
        if (errno == EAGAIN) code = wait_for(to, POLLIN, error);
        else if (errno != EINTR) code = trouble(to, error);
        if (code != KT_OK) return code;
    }
    return KT_OK;
}

static kt_code receive_frame(const call *to, uint8_t **answer, size_t *size, kt_error *error) {
    uint8_t head[4];
    kt_code code = receive_all(to, head, sizeof head, error);
    if (code != KT_OK) return code;
    rest left = {head, sizeof head};
    uint32_t length = 0;
    (void)take_u32(&left, &length);
    if (length == 0 || length > KT_AGENT_FRAME_MAX)
        return kt_fail(error, KT_KEY, "ssh-agent at %s: an answer of %u bytes; expected 1 to %u", to->path, length,
                       KT_AGENT_FRAME_MAX);
    *answer = malloc(length);
    if (*answer == NULL) return kt_fail(error, KT_MEMORY, "out of memory for ssh-agent's answer");
    *size = length;
    return receive_all(to, *answer, length, error);
}

/* One question, one answer (free()). */
static kt_code ask(const char *socket_path, int timeout_ms, const uint8_t *question, size_t question_size,
                   uint8_t **answer, size_t *size, kt_error *error) {
    call to = {.path = socket_path, .socket = -1, .timeout_ms = timeout_ms, .deadline_ms = clock_ms() + timeout_ms};
    *answer = NULL;
    kt_code code = connect_to(&to, error);
    if (code == KT_OK) code = send_all(&to, question, question_size, error);
    if (code == KT_OK) code = receive_frame(&to, answer, size, error);
    if (to.socket >= 0) close(to.socket);
    return code;
}

kt_code kt_agent_place(const char *key_name, char out[KT_AGENT_PATH_MAX], kt_error *error) {
    const char *path = getenv("SSH_AUTH_SOCK");
    if (path == NULL || path[0] == '\0')
        return kt_fail(error, KT_KEY, "key %s is held by ssh-agent, and SSH_AUTH_SOCK names none", key_name);
    if (strlen(path) >= KT_AGENT_PATH_MAX)
        return kt_fail(error, KT_KEY, "SSH_AUTH_SOCK: %zu bytes; expected the path of ssh-agent's socket, at most %d",
                       strlen(path), KT_AGENT_PATH_MAX - 1);
    memcpy(out, path, strlen(path) + 1);
    return KT_OK;
}

kt_code kt_agent_find(const char *socket_path, const uint8_t public_key[KT_PUBLIC_KEY_SIZE], int timeout_ms,
                      kt_error *error) {
    uint8_t question[5], *answer;
    size_t size;
    bool found = false;
    *put_be32(question, 1) = AGENT_REQUEST_IDENTITIES;
    kt_code code = ask(socket_path, timeout_ms, question, sizeof question, &answer, &size, error);
    if (code == KT_OK) code = kt_agent_read_identities(answer, size, public_key, &found, error);
    free(answer);
    if (code == KT_OK && !found) {
        char print[KT_FINGERPRINT_MAX];
        kt_openssh_fingerprint(public_key, print);
        code = kt_fail(error, KT_KEY, "ssh-agent at %s does not hold the key %s; load it with ssh-add", socket_path,
                       print);
    }
    return code;
}

kt_code kt_agent_sign(const char *socket_path, const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const void *message,
                      size_t size, int timeout_ms, uint8_t signature[KT_SIGNATURE_SIZE], kt_error *error) {
    uint8_t blob[BLOB_SIZE], *answer = NULL;
    size_t answer_size;
    if (size > KT_AGENT_MESSAGE_MAX)
        return kt_fail(error, KT_LIMIT, "ssh-agent: %zu bytes to be signed; expected at most %u", size,
                       KT_AGENT_MESSAGE_MAX);
    size_t body = 1 + 4 + BLOB_SIZE + 4 + size + 4;
    uint8_t *question = malloc(4 + body);
    if (question == NULL) return kt_fail(error, KT_MEMORY, "out of memory for a question to ssh-agent");
    write_blob(public_key, blob);
    uint8_t *at = put_be32(question, body);
    *at++ = AGENT_SIGN_REQUEST;
    at = put_string(at, blob, sizeof blob);
    at = put_string(at, message, size);
    put_be32(at, 0); /* flags: none are known to Ed25519 */
    kt_code code = ask(socket_path, timeout_ms, question, 4 + body, &answer, &answer_size, error);
    if (code == KT_OK) code = kt_agent_read_signature(answer, answer_size, signature, error);
    free(answer);
    free(question);
    return code;
}

/* ---- OpenSSH's public key lines ---- */

kt_code kt_openssh_read(const char *text, size_t size, uint8_t public_key[KT_PUBLIC_KEY_SIZE], kt_error *error) {
    uint8_t blob[BLOB_SIZE];
    size_t blob_size = 0, width = 0;
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r')) size--;
    if (size <= KIND_SIZE || memcmp(text, KIND " ", KIND_SIZE + 1) != 0) {
        bool other = size > 4 && (memcmp(text, "ssh-", 4) == 0 || memcmp(text, "ecds", 4) == 0 ||
                                  memcmp(text, "sk-s", 4) == 0 || memcmp(text, "sk-e", 4) == 0);
        return other ? kt_fail(error, KT_UNSUPPORTED, "an OpenSSH key of another kind; expected " KIND)
                     : kt_fail(error, KT_INVALID, "not an OpenSSH public key; expected \"" KIND " BASE64 comment\"");
    }
    const char *base64 = text + KIND_SIZE + 1;
    size_t left = size - KIND_SIZE - 1;
    while (width < left && base64[width] != ' ' && base64[width] != '\t') width++;
    rest from = {blob, 0}, kind, key;
    if (width == BLOB_BASE64 && kt_base64_decode(base64, width, blob, sizeof blob, &blob_size)) from.size = blob_size;
    if (!take_string(&from, &kind) || !is_kind(&kind) || !take_string(&from, &key) || key.size != KT_PUBLIC_KEY_SIZE ||
        from.size != 0)
        return kt_fail(error, KT_INVALID,
                       "an OpenSSH public key that is cut off or changed; expected %zu characters of "
                       "base64 behind " KIND,
                       BLOB_BASE64);
    memcpy(public_key, key.at, KT_PUBLIC_KEY_SIZE);
    return KT_OK;
}

void kt_openssh_fingerprint(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], char out[KT_FINGERPRINT_MAX]) {
    uint8_t blob[BLOB_SIZE], digest[KT_HASH_SIZE];
    char base64[KT_HASH_SIZE * 4 / 3 + 4];
    write_blob(public_key, blob);
    kt_sha256_of(blob, sizeof blob, digest);
    kt_base64_encode(digest, sizeof digest, base64);
    snprintf(out, KT_FINGERPRINT_MAX, "SHA256:%.43s", base64); /* without the one sign of padding */
}
