/* audit_ask: what `audit` and `report audit` ask alike: the limits of the tests, from the command line. */
#ifndef KT_CLI_AUDIT_ASK_H
#define KT_CLI_AUDIT_ASK_H

#include "cli/common.h"

/* Rows of a command's table of options; limit: how many findings are shown where nothing is said. */
#define KT_AUDIT_ASK_OPTIONS(limit)                                                                           \
    {"from", "DATE", "entries from that day, inclusive", NULL, false, false},                                 \
        {"to", "DATE", "entries to that day, inclusive", NULL, false, false},                                 \
        {"as-known", "TIME", "what was on record at that time, as 2026-04-01T12:00:00Z", NULL, false, false}, \
        {"limit", "N", "findings shown of each test (" limit "); all are counted", NULL, false, false},       \
        {"night", "HOURS", "when it is night where the company is (22-6)", NULL, false, false},               \
        {"backdated", "DAYS", "recorded more than so many days later (30)", NULL, false, false},              \
        {"duplicates", "DAYS", "the same amount within so many days (14)", NULL, false, false},               \
        {"seldom-account", "N", "an account of at most so many entries (2)", NULL, false, false},             \
        {"seldom-pair", "N", "a pair of accounts that meets at most so often (2)", NULL, false, false},       \
        {"seldom-user", "N", "an actor who made at most so many entries (5)", NULL, false, false},            \
        {"round", "N", "a round sum is a multiple of so many whole units (1000)", NULL, false, false},        \
        {"below", "PERCENT", "so close below a limit is just below (10)", NULL, false, false},                \
        {"word", "WORD", "one more word to ask about, as plug or plug*", NULL, false, true}, {                \
        "threads", "N", "at most so many threads (one a core)", NULL, false, false                            \
    }

/* words: room for KT_AUDIT_WORDS_MAX + 1. */
kt_code kt_audit_ask(const kt_arguments *arguments, const char **words, kt_audit_options *out, kt_error *error);

#endif
