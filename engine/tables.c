#include "engine/tables.h"

const char *const kt_table_names[KT_TABLE_COUNT] = {
    "meta",     "blocks",    "tiles",         "heads",      "undo",    "actors",  "batches",    "seals",
    "totals",   "accounts",  "account_facts", "currencies", "periods", "company", "dimensions", "dimension_sets",
    "vouchers", "reversals", "runs",          "cells",      "lists",   "grants",  "proposals",  "log_keys",
};
