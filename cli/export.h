/* export: what the exports of entries share: options, standard output as the taker, and saying what was left out. */
#ifndef KT_CLI_EXPORT_H
#define KT_CLI_EXPORT_H

#include "cli/common.h"

/* --from, --to, --as-known. */
extern const kt_option kt_export_option_table[];

/* Warns of what the format has no place for. */
void kt_export_warn(const char *format, const kt_export_result *result);
/* Runs `export FORMAT` to standard output. */
kt_code kt_export_print(const kt_arguments *arguments, const char *format, kt_error *error);

#endif
