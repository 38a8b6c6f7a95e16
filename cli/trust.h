/*
 * trust: what verify, backup and restore share: options of a verification, findings as they come, and the
 * lines that say what was checked.
 */
#ifndef KT_CLI_TRUST_H
#define KT_CLI_TRUST_H

#include "cli/common.h"
#include "cli/progress.h"

typedef struct kt_trust {
    kt_verify_options options;
    kt_style style;
    kt_out *out;          /* JSON and CSV: a row a finding */
    char *since;          /* text of the checkpoint file */
    char *key;            /* text of the key file */
    char **witness_files; /* texts of the key files of witnesses, NULL where a key was given itself */
    const char **witnesses;
    kt_str *cosigned; /* texts of files */
    kt_progress progress;
    uint64_t findings;
} kt_trust;

/* A verifier key as it is, or a file that holds it, whose text is *kept (free()). NULL: nothing. */
kt_code kt_trust_key(const char *text, char **kept, const char **out, kt_error *error);
/* What stands before a line of what was checked. */
const char *kt_trust_mark(bool good);

/* Reads --key, --witness, --quorum and, where the command has them, --since and --cosigned into an empty *out, which kt_trust_close releases. */
kt_code kt_trust_read(const kt_arguments *arguments, kt_trust *out, kt_error *error);
/* The same where the command has them, with --threads and --most, and opens the rows of findings. */
kt_code kt_trust_open(const kt_arguments *arguments, const char *what, kt_trust *out, kt_error *error);
/* What was checked, a line each. */
void kt_trust_print(const kt_trust *trust, const kt_verify_result *result);
/* Ends the rows. */
kt_code kt_trust_close(kt_trust *trust, kt_error *error);

#endif
