#include "cli/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "cli/common.h"
#include "storage/signer.h"

void *kt_passphrase_context(const kt_arguments *arguments) {
    union {
        const kt_arguments *in;
        void *out;
    } context = {.in = arguments}; /* only read */
    return context.out;
}

/* *out is -1 where it is not given. */
static kt_code descriptor(const kt_arguments *arguments, int *out, kt_error *error) {
    uint64_t number = 0;
    *out = -1;
    if (kt_option_find(arguments->command, "passphrase-fd", strlen("passphrase-fd")) == NULL) return KT_OK;
    const char *text = kt_given_value(arguments, "passphrase-fd");
    if (text == NULL) return KT_OK;
    kt_code code = kt_word_number(text, "--passphrase-fd", &number, error);
    if (code == KT_OK && (number > INT_MAX || fcntl((int)number, F_GETFD) < 0))
        code = kt_fail(error, KT_USAGE, "--passphrase-fd %.20s: no descriptor of that number is open", text);
    if (code == KT_OK) *out = (int)number;
    return code;
}

kt_code kt_passphrase_check(const kt_arguments *arguments, kt_error *error) {
    int unused;
    return descriptor(arguments, &unused, error);
}

/* ---- one line ---- */

/* What has come of a line: written to out, or only compared with it. */
typedef struct taking {
    char *out;
    size_t room, size;
    bool compares, differs, too_long;
} taking;

/* KT_END: the line is over. A local byte is the only copy outside guarded memory. */
static kt_code take_byte(int from, taking *line) {
    char byte = 0;
    ssize_t count = read(from, &byte, 1);
    kt_code code = KT_OK;
    if (count < 0) code = errno == EINTR || errno == EAGAIN ? KT_OK : KT_IO;
    else if (count == 0 || byte == '\n') code = KT_END;
    else if (line->compares) {
        if (line->out[line->size] != byte) line->differs = true;
        else line->size++;
    } else if (line->size + 1 >= line->room || byte == '\0') line->too_long = true;
    else line->out[line->size++] = byte;
    kt_wipe(&byte, 1);
    return code;
}

static kt_code end_line(taking *line, const char *key_name, kt_error *error) {
    if (line->compares) line->differs |= line->out[line->size] != '\0';
    else line->out[line->size] = '\0';
    if (line->too_long)
        return kt_fail(error, KT_KEY, "key %s: a passphrase has at most %zu bytes, none of them zero", key_name,
                       line->room - 1);
    if (line->differs) return kt_fail(error, KT_KEY, "key %s: the two passphrases differ", key_name);
    return KT_OK;
}

static kt_code from_descriptor(int from, const char *key_name, taking *line, kt_error *error) {
    kt_code code;
    do code = take_byte(from, line);
    while (code == KT_OK);
    if (code != KT_END) return kt_fail_errno(error, errno, "--passphrase-fd %d", from);
    if (line->size == 0)
        return kt_fail(error, KT_KEY, "--passphrase-fd %d: no line with the passphrase of key %s", from, key_name);
    return end_line(line, key_name, error);
}

/* ---- the terminal ---- */

typedef struct terminal {
    int file;
    int signals; /* a signalfd: what came meanwhile */
    sigset_t mask;
    struct termios before;
} terminal;

static void restore(terminal *tty) {
    (void)tcsetattr(tty->file, TCSAFLUSH, &tty->before);
    (void)sigprocmask(SIG_SETMASK, &tty->mask, NULL);
    (void)close(tty->signals);
}

/* Signals wait, so that none of them leaves the terminal without its echo. */
static kt_code silence(terminal *tty, kt_error *error) {
    static const int which[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(which) / sizeof(*which); i++) sigaddset(&set, which[i]);
    if (sigprocmask(SIG_BLOCK, &set, &tty->mask) != 0) return kt_fail_errno(error, errno, "signals");
    tty->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    struct termios quiet = tty->before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    quiet.c_lflag |= ECHONL | ICANON;
    if (tty->signals < 0 || tcsetattr(tty->file, TCSAFLUSH, &quiet) != 0) {
        kt_code code = kt_fail_errno(error, errno, "the terminal");
        restore(tty);
        return code;
    }
    return KT_OK;
}

/* *came: the signal that ended it, 0: none. */
static kt_code read_quietly(terminal *tty, taking *line, int *came, kt_error *error) {
    struct pollfd watch[2] = {{.fd = tty->file, .events = POLLIN}, {.fd = tty->signals, .events = POLLIN}};
    kt_code code = KT_OK;
    *came = 0;
    while (code == KT_OK) {
        if (poll(watch, 2, -1) < 0 && errno != EINTR) return kt_fail_errno(error, errno, "the terminal");
        struct signalfd_siginfo about;
        if ((watch[1].revents & POLLIN) != 0 && read(tty->signals, &about, sizeof(about)) == (ssize_t)sizeof(about)) {
            *came = (int)about.ssi_signo;
            return KT_OK;
        }
        if (watch[0].revents != 0) code = take_byte(tty->file, line);
    }
    return code == KT_END ? KT_OK : kt_fail_errno(error, errno, "the terminal");
}

static void prompt(const terminal *tty, const char *words, const char *key_name) {
    int copy = dup(tty->file);
    FILE *out = copy < 0 ? NULL : fdopen(copy, "w");
    if (out == NULL) {
        if (copy >= 0) (void)close(copy);
        return;
    }
    fprintf(out, "%s ", words);
    kt_print_safe(out, kt_str_from(key_name));
    fputs(": ", out);
    (void)fclose(out);
}

static kt_code ask_once(terminal *tty, const char *words, const char *key_name, taking *line, kt_error *error) {
    const taking empty = *line;
    for (;;) {
        int came = 0;
        kt_code code = silence(tty, error);
        if (code != KT_OK) return code;
        prompt(tty, words, key_name);
        code = read_quietly(tty, line, &came, error);
        restore(tty);
        if (code != KT_OK) return code;
        if (came == 0) return end_line(line, key_name, error);
        if (write(tty->file, "\n", 1) < 0) came = came == SIGTSTP ? SIGHUP : came;
        (void)raise(came); /* with what it does to this program: mostly, its end */
        if (came != SIGTSTP) return kt_fail(error, KT_KEY, "key %s: interrupted, no passphrase was given", key_name);
        *line = empty; /* it was stopped, and goes on: asked again */
    }
}

static kt_code from_terminal(const char *key_name, bool twice, char *out, size_t room, kt_error *error) {
    terminal tty = {.file = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)};
    if (tty.file < 0 || tcgetattr(tty.file, &tty.before) != 0) {
        if (tty.file >= 0) (void)close(tty.file);
        return kt_fail(error, KT_KEY,
                       "key %s needs a passphrase, and there is no terminal to ask on: give --passphrase-fd N",
                       key_name);
    }
    taking line = {.out = out, .room = room}, again = {.out = out, .room = room, .compares = true};
    kt_code code = ask_once(&tty, twice ? "New passphrase for key" : "Passphrase of key", key_name, &line, error);
    if (code == KT_OK && line.size == 0) code = kt_fail(error, KT_KEY, "key %s: no passphrase was given", key_name);
    if (code == KT_OK && twice) code = ask_once(&tty, "The same again for key", key_name, &again, error);
    (void)close(tty.file);
    return code;
}

static kt_code get(void *context, const char *key_name, bool twice, char *out, size_t room, kt_error *error) {
    int from;
    taking line = {.out = out, .room = room};
    kt_code code = descriptor(context, &from, error);
    if (code != KT_OK) return code;
    return from >= 0 ? from_descriptor(from, key_name, &line, error) : from_terminal(key_name, twice, out, room, error);
}

kt_code kt_passphrase_ask(void *arguments, const char *key_name, char *out, size_t room, kt_error *error) {
    return get(arguments, key_name, false, out, room, error);
}

kt_code kt_passphrase_choose(void *arguments, const char *key_name, char *out, size_t room, kt_error *error) {
    return get(arguments, key_name, true, out, room, error);
}
