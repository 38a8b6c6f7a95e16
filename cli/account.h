/* account: what the account commands share: one row that shows an account whole, and reading it from options. */
#ifndef KT_CLI_ACCOUNT_H
#define KT_CLI_ACCOUNT_H

#include "cli/common.h"

extern const kt_option kt_account_options[];

/* Changes what the options name; the rest stays. "none" empties a parent, a currency or a day. */
kt_code kt_account_take_options(const kt_arguments *arguments, kt_account *account, kt_error *error);
/* Shows accounts, one upright or many as a table. */
kt_code kt_account_show(kt_style style, const kt_account *accounts, size_t count, bool upright, kt_error *error);

#endif
