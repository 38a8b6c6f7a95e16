#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/audit_ask.h"
#include "cli/trust.h"

#define FILE_NAME "audit.html"

typedef struct request {
    kt_audit_report_options options;
    kt_trust trust;
    const char *words[KT_AUDIT_WORDS_MAX + 1];
    const char *path; /* of the directory */
    int directory, file;
} request;

/* ---- where it goes ---- */

/* The directory, new or empty: a report never stands beside an older one as if it were of the same book. */
static kt_code open_directory(request *asked, kt_error *error) {
    size_t names = 0;
    if (mkdir(asked->path, 0700) != 0 && errno != EEXIST)
        return kt_fail_errno(error, errno, "%s: cannot create the directory", asked->path);
    asked->directory = open(asked->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (asked->directory < 0 && errno == ENOTDIR)
        return kt_fail(error, KT_EXISTS, "%s: is there, and no directory", asked->path);
    if (asked->directory < 0) return kt_fail_errno(error, errno, "%s: cannot open the directory", asked->path);
    int second = openat(asked->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = second < 0 ? NULL : fdopendir(second);
    if (list == NULL) {
        kt_code code = kt_fail_errno(error, errno, "%s: cannot read the directory", asked->path);
        if (second >= 0) close(second);
        return code;
    }
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;)
        names += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(list);
    return names == 0
               ? KT_OK
               : kt_fail(error, KT_EXISTS, "%s: is not empty; expected a new or an empty directory", asked->path);
}

static kt_code open_file(request *asked, kt_error *error) {
    asked->file = openat(asked->directory, FILE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return asked->file >= 0 ? KT_OK : kt_fail_errno(error, errno, "%s/%s: cannot create", asked->path, FILE_NAME);
}

static kt_code take(void *context, const char *data, size_t size, kt_error *error) {
    const request *asked = context;
    while (size > 0) {
        ssize_t written = write(asked->file, data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0)
            return kt_fail_errno(error, written < 0 ? errno : EIO, "%s/%s: cannot write", asked->path, FILE_NAME);
        data += written;
        size -= (size_t)written;
    }
    return KT_OK;
}

/* What is no whole page does not stay. */
static kt_code close_file(request *asked, kt_code code, kt_error *error) {
    if (asked->file >= 0) {
        if (code == KT_OK && fsync(asked->file) != 0)
            code = kt_fail_errno(error, errno, "%s/%s: cannot sync", asked->path, FILE_NAME);
        if (close(asked->file) != 0 && code == KT_OK)
            code = kt_fail_errno(error, errno, "%s/%s: cannot close", asked->path, FILE_NAME);
        if (code != KT_OK) (void)unlinkat(asked->directory, FILE_NAME, 0);
    }
    if (asked->directory >= 0) close(asked->directory);
    return code;
}

/* ---- what is said of it ---- */

static kt_code say(const request *asked, kt_style style, const kt_audit_report_result *result, kt_error *error) {
    enum { PAGE, VERIFIED, WRONG, RECONCILED, TESTS, FLAGGED, COUNT };
    static const kt_column columns[COUNT] = {
        [PAGE] = {"file", "report", KT_CELL_TEXT, false},
        [VERIFIED] = {"verified", "verified", KT_CELL_FLAG, false},
        [WRONG] = {"verification_findings", "found wrong", KT_CELL_COUNT, false},
        [RECONCILED] = {"reconciled", "reconciled", KT_CELL_FLAG, false},
        [TESTS] = {"tests", "tests run", KT_CELL_COUNT, false},
        [FLAGGED] = {"flagged", "pointed at", KT_CELL_COUNT, false},
    };
    char path[4200];
    kt_out *out;
    kt_code code = kt_out_open(style, columns, COUNT, true, &out, error);
    if (code != KT_OK) return code;
    (void)snprintf(path, sizeof path, "%s/%s", asked->path, FILE_NAME);
    kt_out_words(out, PAGE, path);
    kt_out_flag(out, VERIFIED, result->verified);
    kt_out_count(out, WRONG, result->verify_findings);
    kt_out_flag(out, RECONCILED, result->reconciled);
    kt_out_count(out, TESTS, result->tests);
    kt_out_count(out, FLAGGED, result->flagged);
    code = kt_out_row(out, error);
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

/* Findings of tests are no error; a book that is not what it says it is, is one, and the report says where. */
static kt_code judge(const request *asked, const kt_audit_report_result *result, kt_error *error) {
    if (!result->verified)
        return kt_fail(error, KT_DAMAGED, "verification found something wrong: see %s/%s", asked->path, FILE_NAME);
    if (!result->reconciled)
        return kt_fail(error, KT_DAMAGED, "the entries do not add up to the trial balance: see %s/%s", asked->path,
                       FILE_NAME);
    return KT_OK;
}

/* ---- the command ---- */

static int64_t now_us(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static kt_code read_request(const kt_arguments *arguments, request *asked, kt_error *error) {
    const char *made = kt_given_value(arguments, "made");
    asked->path = kt_given_value(arguments, "out");
    if (asked->path == NULL)
        return kt_fail(error, KT_USAGE, "where to? Give --out DIR, which must not exist or be empty");
    asked->options.made_us = now_us();
    if (made != NULL && !kt_time_parse(made, strlen(made), &asked->options.made_us))
        return kt_fail(error, KT_USAGE, "--made %.40s: expected a time such as 2026-03-31T17:00:00Z or a day", made);
    kt_code code = kt_audit_ask(arguments, asked->words, &asked->options.audit, error);
    if (code == KT_OK) code = kt_trust_read(arguments, &asked->trust, error);
    asked->options.verify = asked->trust.options;
    asked->options.verify.threads = asked->options.audit.threads;
    asked->options.verify.progress = kt_progress_records;
    asked->options.verify.context = &asked->trust.progress;
    asked->options.audit.progress = kt_progress_records;
    asked->options.audit.context = &asked->trust.progress;
    return code;
}

static kt_code make(request *asked, kt_reading *reading, kt_audit_report_result *result, kt_error *error) {
    kt_code code = open_directory(asked, error);
    if (code == KT_OK) code = open_file(asked, error);
    if (code == KT_OK) {
        kt_progress_begin(&asked->trust.progress, "examining");
        code = kt_audit_report(reading->view, &asked->options, take, asked, result, error);
        kt_progress_end(&asked->trust.progress);
    }
    return close_file(asked, code, error);
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading = {0};
    kt_audit_report_result result = {0};
    request *asked = calloc(1, sizeof *asked);
    if (asked == NULL) return kt_fail(error, KT_MEMORY, "no memory");
    asked->directory = asked->file = -1;
    kt_code code = read_request(arguments, asked, error);
    if (code == KT_OK) code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = make(asked, &reading, &result, error);
    if (code == KT_OK) code = say(asked, reading.style, &result, error);
    if (code == KT_OK) code = judge(asked, &result, error);
    kt_reading_close(&reading);
    (void)kt_trust_close(&asked->trust, NULL);
    free(asked);
    return code;
}

static const kt_option options[] = {
    {"out", "DIR", "where " FILE_NAME " is written; must not exist or be empty", NULL, false, false},
    {"key", "PUBKEY", "the verifier key (or a file with it) that must have signed; default: the book's own", NULL,
     false, false},
    {"since", "CHECKPOINT-FILE", "a checkpoint kept from before, which the book must extend", NULL, false, false},
    {"witness", "VKEY", "a witness's key (or a file with it) that must have cosigned; may be repeated", NULL, false,
     true},
    {"quorum", "N", "how many of these witnesses must have cosigned one checkpoint; default: all", NULL, false, false},
    {"cosigned", "CHECKPOINT-FILE", "hold the book against this cosigned checkpoint; may be repeated", NULL, false,
     true},
    KT_AUDIT_ASK_OPTIONS("25"),
    {"made", "TIME", "the time printed as that of its making; default: now", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_report_audit = {
    .name = "report",
    .verb = "audit",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_TRUST,
    .summary = "one HTML page for the auditor: verification, trial balance, tests and charts",
    .about =
        "A page that needs nothing beside it, for the screen and for paper: which book it is, checkpoint and "
        "witnesses,\n"
        "verification, trial balance, who may do what, open proposals, and what each test examined and points at.\n"
        "Same bytes for the same book and options (--made says when). Where verification finds something wrong, or "
        "the\n"
        "entries do not add up, the page is written all the same, says so, and the exit status is 1.",
    .options = options,
    .example = "kontor report audit --out audit-2026 --from 2026 --to 2026 --key acme.vkey",
    .run = run,
};
