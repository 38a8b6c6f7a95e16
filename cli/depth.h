/*
 * depth: a trial balance brought to a depth of the account tree.
 *
 * A code with ':' folds by its components ("Assets:Bank:DKK" at depth 2 is "Assets:Bank"); any other by its parents on
 * record. Rows are folded in place; the strings still live as long as the view.
 */
#ifndef KT_CLI_DEPTH_H
#define KT_CLI_DEPTH_H

#include "engine/kontor.h"

kt_code kt_depth_fold(kt_view *view, kt_balance *rows, size_t *count, size_t depth, kt_error *error);

#endif
