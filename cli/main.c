/* main: finds the command, runs it, says what went wrong, and turns its code into the exit status. */
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/common.h"
#include "cli/help.h"

/* In the order of the overview. */
const kt_command *const kt_commands[] = {
    &kt_command_post,          &kt_command_import_saft,
    &kt_command_reverse,       &kt_command_propose,
    &kt_command_proposals,     &kt_command_approve,
    &kt_command_reject,        &kt_command_balance,
    &kt_command_ledger,        &kt_command_journal,
    &kt_command_entry,         &kt_command_income,
    &kt_command_balance_sheet, &kt_command_sql,
    &kt_command_account_add,   &kt_command_account_list,
    &kt_command_account_show,  &kt_command_account_set,
    &kt_command_account_close, &kt_command_period_list,
    &kt_command_period_close,  &kt_command_period_reopen,
    &kt_command_actor_list,    &kt_command_actor_add,
    &kt_command_actor_grant,   &kt_command_actor_revoke,
    &kt_command_company_show,  &kt_command_company_set,
    &kt_command_retention,     &kt_command_currency_list,
    &kt_command_currency_add,  &kt_command_verify,
    &kt_command_checkpoint,    &kt_command_rebuild,
    &kt_command_export_tlog,   &kt_command_export_csv,
    &kt_command_export_json,   &kt_command_export_journal,
    &kt_command_export_ads,    &kt_command_export_saft,
    &kt_command_prove,         &kt_command_check_proof,
    &kt_command_audit,         &kt_command_report_audit,
    &kt_command_witness_init,  &kt_command_witness_add,
    &kt_command_witness_show,  &kt_command_witness_cosign,
    &kt_command_witness_ask,   &kt_command_witness_serve,
    &kt_command_key_new,       &kt_command_key_list,
    &kt_command_key_show,      &kt_command_key_lock,
    &kt_command_key_unlock,    &kt_command_key_rotate,
    &kt_command_key_revoke,    &kt_command_init,
    &kt_command_serve,         &kt_command_backup,
    &kt_command_restore,       &kt_command_stats,
    &kt_command_help,          &kt_command_version,
    &kt_command_complete,      NULL,
};

const kt_command *kt_command_find(const char *name) {
    for (const kt_command *const *at = kt_commands; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0) return *at;
    return NULL;
}

const kt_command *kt_command_find_verb(const char *name, const char *verb) {
    for (const kt_command *const *at = kt_commands; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0 && (*at)->verb != NULL && strcmp((*at)->verb, verb) == 0) return *at;
    return NULL;
}

static kt_code dispatch(const kt_arguments *arguments, kt_error *error) {
    if (arguments->help && arguments->family != NULL) kt_help_family(arguments->family);
    else if (arguments->help && arguments->command != NULL) kt_help_command(arguments->command);
    else if (arguments->version) return kt_command_version.run(arguments, error);
    else if (arguments->command == NULL) kt_help_overview();
    else return arguments->command->run(arguments, error);
    return KT_OK;
}

static void hint(const kt_arguments *arguments) {
    fputs("try: kontor ", stderr);
    if (arguments->command != NULL && arguments->command->verb != NULL)
        fprintf(stderr, "%s %s ", arguments->command->name, arguments->command->verb);
    else if (arguments->command != NULL) fprintf(stderr, "%s ", arguments->command->name);
    else if (arguments->family != NULL) fprintf(stderr, "%s ", arguments->family);
    fputs("--help\n", stderr);
}

static void say_error(const kt_error *error) {
    if (error->text[0] == '\0') return;
    fputs("kontor: ", stderr);
    kt_print_safe(stderr, kt_str_from(error->text));
    fputc('\n', stderr);
}

/* A reader that had enough, as head: no reason to say anything. */
static bool reader_left(void) {
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return ferror(stdout) != 0 && poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/* A mapped file ended before its time: a damaged book, or an input that was cut while it was read. Nothing that was
   not acknowledged exists (law 4), so going away with a sentence is enough. Only what a handler may call. */
static void on_cut_short(int number) {
    static const char text[] = "kontor: a file ends too early: the book is damaged (kontor verify says where), or an "
                               "input was cut while it was read; nothing was stored\n";
    (void)number;
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0) _exit(4);
    _exit(1);
}

/* LAW 9: no core dump of a process that holds keys, and nobody else of the same user looks into it. The keys' own memory is
   left out of dumps besides (storage/signer.h). */
static void keep_memory_private(void) {
    static const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int main(int argc, char **argv) {
    kt_arguments arguments;
    kt_error error = {0};
    keep_memory_private();
    /* A fixed locale, for the width of characters alone: nothing depends on the user's. */
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    /* A reader that goes away is an output that cannot be written, and no reason to die in the middle. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGBUS, on_cut_short);
    kt_code code = kt_arguments_parse(argc, argv, &arguments, &error);
    if (code == KT_OK) code = dispatch(&arguments, &error);
    int status = kt_exit_status(code);
    kt_error lost = {0};
    kt_code flushed = kt_out_flush(&lost);
    bool quiet = flushed != KT_OK && reader_left();
    if (status != 0 && !(quiet && code == KT_IO)) say_error(&error);
    if (code == KT_USAGE) hint(&arguments);
    if (flushed != KT_OK && status == 0) {
        if (!quiet) say_error(&lost);
        status = kt_exit_status(flushed);
    }
    kt_arguments_release(&arguments);
    return status;
}
