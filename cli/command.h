/*
 * command: what a command of the command line is, and the table of them all.
 *
 * A command says once what it takes (its options, its words, its example); parsing, --help and the completion of
 * shells are read from that. It does its work through engine/kontor.h and returns a kt_code, which main turns into
 * the exit status: a command never exits by itself and prints no error by itself.
 *
 * Lifetime: everything here is constant and static.
 */
#ifndef KT_CLI_COMMAND_H
#define KT_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "storage/error.h"

typedef struct kt_option {
    const char *name;     /* without the dashes; NULL ends a list */
    const char *argument; /* what its value is called in help: "FILE", "DATE"; NULL: a flag */
    const char *help;     /* one line */
    const char *words;    /* the values there are, parted by spaces; NULL: any */
    bool value_optional;  /* a value only as --name=VALUE */
    bool repeats;         /* may be given more than once */
} kt_option;

/* What many commands take alike. */
#define KT_TAKES_BOOK 1u     /* --book, --entity */
#define KT_TAKES_KEY 2u      /* --key: the actor's; --passphrase-fd */
#define KT_TAKES_STYLE 4u    /* --json, --csv */
#define KT_TAKES_BOOK_NEW 8u /* --book alone: the book does not exist yet */

typedef enum kt_command_group {
    KT_GROUP_POSTING,
    KT_GROUP_READING,
    KT_GROUP_REGISTERS,
    KT_GROUP_TRUST,
    KT_GROUP_KEEPING,
    KT_GROUP_OTHER,
    KT_GROUP_COUNT,
    KT_GROUP_HIDDEN
} kt_command_group;

struct kt_arguments;

typedef struct kt_command {
    const char *name;   /* "account" */
    const char *verb;   /* "add"; NULL: the command is one word */
    const char *words;  /* of its words in help: "FILE..."; "" where it takes none */
    size_t least, most; /* how many words */
    unsigned takes;
    kt_command_group group;
    const char *summary;      /* one line, no full stop */
    const char *about;        /* more, for --help; may be NULL */
    const kt_option *options; /* of its own; may be NULL */
    const char *example;
    kt_code (*run)(const struct kt_arguments *arguments, kt_error *error);
} kt_command;

extern const kt_command kt_command_init, kt_command_post, kt_command_reverse;
extern const kt_command kt_command_balance, kt_command_ledger, kt_command_journal, kt_command_entry;
extern const kt_command kt_command_income, kt_command_balance_sheet;
extern const kt_command kt_command_account_add, kt_command_account_list, kt_command_account_show;
extern const kt_command kt_command_account_set, kt_command_account_close;
extern const kt_command kt_command_period_list, kt_command_period_close, kt_command_period_reopen;
extern const kt_command kt_command_company_show, kt_command_company_set;
extern const kt_command kt_command_currency_list, kt_command_currency_add;
extern const kt_command kt_command_verify, kt_command_checkpoint, kt_command_rebuild, kt_command_stats;
extern const kt_command kt_command_serve, kt_command_backup, kt_command_restore, kt_command_export_tlog;
extern const kt_command kt_command_prove, kt_command_check_proof;
extern const kt_command kt_command_audit, kt_command_report_audit;
extern const kt_command kt_command_witness_init, kt_command_witness_add, kt_command_witness_show;
extern const kt_command kt_command_witness_cosign, kt_command_witness_ask, kt_command_witness_serve;
extern const kt_command kt_command_import_saft, kt_command_export_saft, kt_command_retention;
extern const kt_command kt_command_export_csv, kt_command_export_json, kt_command_export_journal, kt_command_export_ads;
extern const kt_command kt_command_actor_add, kt_command_actor_grant, kt_command_actor_revoke, kt_command_actor_list;
extern const kt_command kt_command_propose, kt_command_approve, kt_command_reject, kt_command_proposals;
extern const kt_command kt_command_key_new, kt_command_key_list, kt_command_key_show, kt_command_key_lock;
extern const kt_command kt_command_key_unlock, kt_command_key_rotate, kt_command_key_revoke;
extern const kt_command kt_command_sql;
extern const kt_command kt_command_version, kt_command_help, kt_command_complete;

/* All commands, ended by NULL; those with the same name stand together. */
extern const kt_command *const kt_commands[];

/* By name; the first of a family ("account") where it has verbs. NULL: there is none. */
const kt_command *kt_command_find(const char *name);
/* By name and verb. NULL: there is none. */
const kt_command *kt_command_find_verb(const char *name, const char *verb);

#endif
