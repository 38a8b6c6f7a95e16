/* The transport of C2SP tlog-witness; what is answered is for kt_witness_add_checkpoint. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common.h"

#define DEFAULT_LISTEN "127.0.0.1:8470"
#define CONNECTIONS 64u
#define PATIENCE_S 10u
#define MEMORY_OF_ONE ((size_t)16 << 10) /* headers and what is read at a time */

/* Touched by the server's one thread, and by the command's own before it starts and after it ended. */
typedef struct server {
    kt_witness *witness;
    uint64_t cosigned, refused;
} server;

/* A request's body as it comes in. */
typedef struct request_body {
    size_t size;
    char body[KT_ADD_CHECKPOINT_BODY_MAX];
} request_body;

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *type, char *body,
                               size_t size, const char *allow) {
    struct MHD_Response *response = MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) return MHD_NO;
    enum MHD_Result good = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (allow != NULL) good = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    if (good == MHD_YES) good = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return good;
}

static enum MHD_Result respond_text(struct MHD_Connection *connection, unsigned status, const char *text,
                                    const char *allow) {
    char copy[200];
    (void)snprintf(copy, sizeof copy, "%s\n", text);
    return respond(connection, status, "text/plain; charset=utf-8", copy, strlen(copy), allow);
}

static void tell(const char *text) {
    fputs("refused: ", stderr);
    kt_print_safe(stderr, kt_str_from(text));
    fputc('\n', stderr);
}

static enum MHD_Result answer_checkpoint(server *self, struct MHD_Connection *connection, const request_body *box) {
    kt_witness_answer answer;
    kt_error error = {0};
    kt_code code = kt_witness_add_checkpoint(self->witness, box->body, box->size, &answer, &error);
    if (code == KT_OK) self->cosigned++;
    else self->refused++;
    /* A log asks first what was seen last: that is no refusal worth a line. */
    if (code == KT_DAMAGED || answer.status == 500) tell(error.text);
    if (answer.body == NULL) return MHD_NO;
    enum MHD_Result good = respond(connection, answer.status, answer.type, answer.body, answer.size, NULL);
    free(answer.body);
    return good;
}

/* Ours, beside the protocol: whoever verifies asks for the newest himself, and not the log's owner. */
static enum MHD_Result answer_last(server *self, struct MHD_Connection *connection) {
    const char *origin = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "origin");
    char *note = NULL;
    size_t size = 0;
    kt_error error = {0};
    if (origin == NULL) return respond_text(connection, MHD_HTTP_BAD_REQUEST, "expected ?origin=LOG", NULL);
    kt_code code = kt_witness_last(self->witness, origin, &note, &size, &error);
    if (code != KT_OK && code != KT_UNKNOWN) tell(error.text);
    if (note == NULL)
        return code == KT_OK || code == KT_UNKNOWN
                   ? respond_text(connection, MHD_HTTP_NOT_FOUND, "nothing was cosigned of such a log", NULL)
                   : respond_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "the witness cannot answer now", NULL);
    enum MHD_Result good = respond(connection, MHD_HTTP_OK, "text/plain; charset=utf-8", note, size, NULL);
    free(note);
    return good;
}

static bool is_too_long(struct MHD_Connection *connection) {
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return length != NULL && (strlen(length) > 9 || strtoul(length, NULL, 10) > KT_ADD_CHECKPOINT_BODY_MAX);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *data_size, void **state) {
    server *self = context;
    request_body *box = *state;
    bool posts = strcmp(method, "POST") == 0, gets = strcmp(method, "GET") == 0;
    (void)version;
    if (box == NULL) { /* the headers alone */
        if (is_too_long(connection))
            return respond_text(connection, MHD_HTTP_CONTENT_TOO_LARGE, "more than a checkpoint and its proof", NULL);
        *state = box = calloc(1, sizeof *box);
        return box == NULL ? MHD_NO : MHD_YES;
    }
    if (*data_size > 0) { /* longer than it said: not another byte of it */
        if (*data_size > sizeof box->body - box->size) return MHD_NO;
        memcpy(box->body + box->size, data, *data_size);
        box->size += *data_size;
        *data_size = 0;
        return MHD_YES;
    }
    if (strcmp(url, "/add-checkpoint") == 0)
        return posts ? answer_checkpoint(self, connection, box)
                     : respond_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "expected POST", "POST");
    if (strcmp(url, "/last-checkpoint") == 0)
        return gets ? answer_last(self, connection)
                    : respond_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "expected GET", "GET");
    return respond_text(connection, MHD_HTTP_NOT_FOUND, "POST /add-checkpoint, GET /last-checkpoint?origin=LOG", NULL);
}

static void on_end(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why) {
    (void)context;
    (void)connection;
    (void)why;
    free(*state);
    *state = NULL;
}

/* ---- listening ---- */

static kt_code read_address(const char *text, struct addrinfo **out, kt_error *error) {
    char host[64] = "127.0.0.1";
    const char *colon = strrchr(text, ':'), *port = colon == NULL ? text : colon + 1;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    size_t size = colon == NULL ? 0 : (size_t)(colon - text);
    bool bracketed = size >= 2 && text[0] == '[' && text[size - 1] == ']';
    if (size > 0 && size < sizeof host)
        (void)snprintf(host, sizeof host, "%.*s", (int)size - (bracketed ? 2 : 0), text + (bracketed ? 1 : 0));
    size_t digits = strspn(port, "0123456789");
    if (size >= sizeof host || digits == 0 || digits > 5 || port[digits] != '\0' || strtoul(port, NULL, 10) > 65535 ||
        getaddrinfo(host, port, &hints, out) != 0)
        return kt_fail(error, KT_USAGE, "--listen %.80s: expected an address and a port, as %s", text, DEFAULT_LISTEN);
    return KT_OK;
}

static kt_code start(server *self, const char *text, struct MHD_Daemon **out, kt_error *error) {
    struct addrinfo *address = NULL;
    kt_code code = read_address(text, &address, error);
    if (code != KT_OK) return code;
    unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD;
    if (address->ai_family == AF_INET6) flags |= MHD_USE_IPv6;
    errno = 0;
    *out = MHD_start_daemon(flags, 0, NULL, NULL, on_request, self, MHD_OPTION_SOCK_ADDR, address->ai_addr,
                            MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, PATIENCE_S,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_OF_ONE, MHD_OPTION_NOTIFY_COMPLETED, on_end,
                            NULL, MHD_OPTION_END);
    freeaddrinfo(address);
    return *out != NULL ? KT_OK : kt_fail_errno(error, errno, "--listen %s: cannot listen there", text);
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    server self = {.cosigned = 0};
    const char *listen = kt_given_value(arguments, "listen");
    struct MHD_Daemon *daemon = NULL;
    sigset_t set;
    int number = 0;
    /* Before there is a thread, so that none of them takes the signal. */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return kt_fail_errno(error, errno, "signals");
    kt_code code = kt_witness_open(arguments->words[0], NULL, &self.witness, error);
    if (code == KT_OK) code = start(&self, listen == NULL ? DEFAULT_LISTEN : listen, &daemon, error);
    if (code == KT_OK) {
        const union MHD_DaemonInfo *bound = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
        printf("serving %s at port %u\n", kt_witness_verifier(self.witness), bound == NULL ? 0u : bound->port);
        (void)fflush(stdout);
        (void)sigwait(&set, &number);
        MHD_stop_daemon(
            daemon); /* what it works on is finished: a state that was written is answered or asked for again */
        printf("stopped: %" PRIu64 " cosigned, %" PRIu64 " refused\n", self.cosigned, self.refused);
    }
    kt_witness_close(self.witness);
    return code;
}

static const kt_option options[] = {
    {"listen", "ADDRESS:PORT", "default " DEFAULT_LISTEN "; port 0: any that is free", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_witness_serve = {
    .name = "witness",
    .verb = "serve",
    .words = "DIR",
    .least = 1,
    .most = 1,
    .group = KT_GROUP_TRUST,
    .summary = "cosign over HTTP for whoever asks (C2SP tlog-witness)",
    .about =
        "POST /add-checkpoint answers with the cosignature, and GET /last-checkpoint?origin=LOG with the note cosigned "
        "last. "
        "Nobody is asked who he is: only checkpoints that a known log signed are looked at. It listens on this machine "
        "alone unless told otherwise; to the world it belongs behind a server that speaks TLS. SIGTERM and SIGINT stop "
        "it.",
    .options = options,
    .example = "kontor witness serve /var/lib/witness --listen 127.0.0.1:8470",
    .run = run,
};
