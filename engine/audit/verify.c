#define _GNU_SOURCE
#include "engine/audit/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/audit/examine.h"
#include "engine/book.h"
#include "engine/replay.h"

/* One message of the child, whole in one write of the pipe. */
enum message_kind { MESSAGE_PROGRESS, MESSAGE_FOUND, MESSAGE_SCRATCH, MESSAGE_DONE };

struct message {
    enum message_kind kind;
    kt_code code;
    uint64_t a, b;
    kt_verify_result result;
    char text[1300];
};

static void send_message(int pipe, const struct message *message) {
    const char *at = (const char *)message;
    size_t left = sizeof *message;
    while (left != 0) {
        ssize_t written = write(pipe, at, left);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) _exit(1); /* nobody listens */
        at += written;
        left -= (size_t)written;
    }
}

static void tell_progress(void *context, uint64_t done, uint64_t of) {
    struct message message = {.kind = MESSAGE_PROGRESS, .a = done, .b = of};
    send_message(*(int *)context, &message);
}

static void tell_text(int pipe, enum message_kind kind, kt_code code, uint64_t record, const char *text) {
    struct message message = {.kind = kind, .code = code, .a = record};
    strncpy(message.text, text, sizeof message.text - 1);
    send_message(pipe, &message);
}

static void tell_found(void *context, uint64_t record, kt_code code, const char *what) {
    tell_text(*(int *)context, MESSAGE_FOUND, code, record, what);
}

static void tell_scratch(void *context, const char *path) {
    tell_text(*(int *)context, MESSAGE_SCRATCH, KT_OK, 0, path);
}

__attribute__((noreturn)) static void work_in_child(int pipe, const kt_registry *registry, const char *directory,
                                                    const kt_verify_options *options) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGPIPE};
    struct message message = {.kind = MESSAGE_DONE};
    kt_error error = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) signal(faults[i], SIG_DFL);
    prctl(PR_SET_DUMPABLE, 0); /* LAW 9: a crash here leaves no core with what was read */
    kt_store_forked();
    kt_examine_sink sink = {tell_found, tell_progress, tell_scratch, &pipe};
    message.code = kt_examine(registry, directory, options, &sink, &message.result, &error);
    strncpy(message.text, error.text, sizeof message.text - 1);
    send_message(pipe, &message);
    _exit(0);
}

/* ---- the parent ---- */

struct listen {
    const kt_verify_options *options;
    kt_verify_result *out;
    char *scratch;
    uint64_t reached;
    bool done;
    kt_code code;
    kt_error *error;
};

static void pass_on(const struct listen *listen, uint64_t record, kt_code code, const char *what) {
    kt_finding finding = {record, code, what};
    if (listen->options->found != NULL) listen->options->found(listen->options->context, &finding);
}

static void hear(struct listen *listen, struct message *message) {
    message->text[sizeof message->text - 1] = 0;
    switch (message->kind) {
    case MESSAGE_PROGRESS:
        listen->reached = message->a;
        if (listen->options->progress != NULL)
            listen->options->progress(listen->options->context, message->a, message->b);
        break;
    case MESSAGE_FOUND:
        listen->out->findings++;
        pass_on(listen, message->a, message->code, message->text);
        break;
    case MESSAGE_SCRATCH: listen->scratch = strdup(message->text); break;
    case MESSAGE_DONE:
        listen->done = true;
        listen->code = message->code;
        *listen->out = message->result;
        if (message->code != KT_OK) kt_fail(listen->error, message->code, "%s", message->text);
        break;
    }
}

/* False: the pipe ended, or the child said nothing for too long. */
static bool read_message(int pipe, struct message *message, bool *hung) {
    char *at = (char *)message;
    size_t left = sizeof *message;
    while (left != 0) {
        struct pollfd ready = {.fd = pipe, .events = POLLIN};
        int count = poll(&ready, 1, KT_VERIFY_PATIENCE * 1000);
        if (count < 0 && errno == EINTR) continue;
        *hung = count == 0;
        if (count <= 0) return false;
        ssize_t got = read(pipe, at, left);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        left -= (size_t)got;
    }
    return true;
}

static kt_code listen_to(pid_t child, int pipe, struct listen *listen, kt_error *error) {
    struct message message;
    bool hung = false;
    int status = 0;
    while (!listen->done && read_message(pipe, &message, &hung)) hear(listen, &message);
    if (hung) kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (listen->done) return listen->code;
    char what[200];
    if (hung)
        snprintf(what, sizeof what, "reading hung behind record %llu: the store is damaged",
                 (unsigned long long)listen->reached);
    else if (WIFSIGNALED(status))
        snprintf(what, sizeof what, "reading crashed behind record %llu (%s): the store is damaged",
                 (unsigned long long)listen->reached, strsignal(WTERMSIG(status)));
    else return kt_fail(error, KT_IO, "verification ended early");
    listen->out->findings++;
    pass_on(listen, UINT64_MAX, KT_DAMAGED, what);
    return KT_OK;
}

kt_code kt_verify_with(const kt_registry *registry, const char *directory, const kt_verify_options *options,
                       kt_verify_result *out, kt_error *error) {
    static const kt_verify_options defaults;
    kt_verify_result unwanted;
    struct listen listen = {
        .options = options == NULL ? &defaults : options, .out = out == NULL ? &unwanted : out, .error = error};
    int ends[2];
    *listen.out = (kt_verify_result){0};
    if (pipe2(ends, O_CLOEXEC) != 0) return kt_fail_errno(error, errno, "verification's pipe");
    pid_t child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        return kt_fail_errno(error, errno, "verification's process");
    }
    if (child == 0) {
        close(ends[0]);
        work_in_child(ends[1], registry, directory, listen.options);
    }
    close(ends[1]);
    kt_code code = listen_to(child, ends[0], &listen, error);
    close(ends[0]);
    kt_scratch_remove(listen.scratch); /* also where the child could not */
    if (code != KT_OK) return code;
    return listen.out->findings == 0
               ? KT_OK
               : kt_fail(error, KT_DAMAGED, "%s: verification found %llu fault%s", directory,
                         (unsigned long long)listen.out->findings, listen.out->findings == 1 ? "" : "s");
}
