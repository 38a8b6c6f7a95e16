#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/common.h"
#include "cli/passphrase.h"
#include "engine/remote/serve.h"

/* An octal number of up to four digits. */
static kt_code read_mode(const kt_arguments *arguments, unsigned *out, kt_error *error) {
    const char *text = kt_given_value(arguments, "mode");
    size_t digits = text == NULL ? 0 : strspn(text, "01234567");
    *out = 0600;
    if (text == NULL) return KT_OK;
    if (digits == 0 || digits > 4 || text[digits] != '\0')
        return kt_fail(error, KT_USAGE, "--mode %.20s: expected the permissions of a file, as 0660", text);
    *out = 0;
    for (size_t i = 0; i < digits; i++) *out = *out * 8 + (unsigned)(text[i] - '0');
    if (*out > 0777) return kt_fail(error, KT_USAGE, "--mode %.20s: expected at most 0777", text);
    if ((*out & 0200) == 0) return kt_fail(error, KT_USAGE, "--mode %.20s: nobody could write to the socket", text);
    return KT_OK;
}

/* Before there is a thread, so that none of them takes the signal: it is read like any other input. */
static kt_code catch_signals(int *out, kt_error *error) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || (*out = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return kt_fail_errno(error, errno, "signals");
    return KT_OK;
}

static void tell_ready(void *context, const char *origin) {
    printf("serving %s at %s\n", origin, (const char *)context);
    (void)fflush(stdout);
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_desk_stats stats = {0};
    const char *path = kt_given_value(arguments, "socket");
    kt_serve_options options = {.socket = path,
                                .entity = kt_str_from(kt_given_value(arguments, "entity")),
                                .stop = -1,
                                .ready = tell_ready,
                                .passphrase = kt_passphrase_ask,
                                .passphrase_context = kt_passphrase_context(arguments)};
    union {
        const char *in;
        void *out;
    } context = {.in = path}; /* only read */
    options.context = context.out;
    if (path == NULL) return kt_fail(error, KT_USAGE, "where? Give --socket PATH");
    kt_code code = kt_book_argument(arguments, &options.directory, error);
    if (code == KT_OK) code = kt_passphrase_check(arguments, error);
    if (code == KT_OK) code = read_mode(arguments, &options.mode, error);
    if (code == KT_OK) code = catch_signals(&options.stop, error);
    if (code != KT_OK) return code;
    code = kt_serve(&options, &stats, error);
    (void)close(options.stop);
    if (code == KT_OK || stats.batches > 0)
        printf("stopped: %" PRIu64 " %s of %" PRIu64 " %s in %" PRIu64 " %s; %" PRIu64 " repeated, %" PRIu64
               " refused\n",
               stats.batches, stats.batches == 1 ? "batch" : "batches", stats.entries,
               stats.entries == 1 ? "entry" : "entries", stats.commits, stats.commits == 1 ? "commit" : "commits",
               stats.repeated, stats.refused);
    return code;
}

static const kt_option options[] = {
    {"socket", "PATH", "the unix socket to listen at; made, and taken away at the end", NULL, false, false},
    {"mode", "OCTAL", "its permissions, which say who may connect; default 0600", NULL, false, false},
    KT_PASSPHRASE_OPTION,
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_serve = {
    .name = "serve",
    .words = "",
    .takes = KT_TAKES_BOOK,
    .group = KT_GROUP_KEEPING,
    .summary = "keep the book open for others, who post through a socket",
    .about =
        "Joins into one commit what arrived during the last; each client is answered when its batch is on the disk.\n"
        "Clients sign their own batches (kontor post --socket PATH --key FILE). SIGTERM and SIGINT finish what was\n"
        "received, and stop.",
    .options = options,
    .example = "kontor serve --socket /run/kontor/acme --mode 0660",
    .run = run,
};
