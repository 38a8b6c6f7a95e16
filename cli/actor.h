/* actor: what the commands about actors share. */
#ifndef KT_CLI_ACTOR_H
#define KT_CLI_ACTOR_H

#include "cli/common.h"

#define KT_ROLE_WORDS "owner clerk controller payroll staff auditor admin"

/* KT_USAGE: no such role. */
kt_code kt_word_role(const char *text, kt_role *out, kt_error *error);

#endif
