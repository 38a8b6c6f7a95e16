/* help: the texts of --help, the overview and the hint after wrong usage, all from the table of commands. */
#ifndef KT_CLI_HELP_H
#define KT_CLI_HELP_H

#include "cli/options.h"

void kt_help_overview(void);
void kt_help_command(const kt_command *command);
/* All verbs of a family: "account". */
void kt_help_family(const char *name);

#endif
