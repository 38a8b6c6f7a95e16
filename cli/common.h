/*
 * common: what commands share: opening the book for reading or for one batch, reading days and amounts from the
 * command line, saying what was stored, and the exit status that belongs to a code.
 *
 * Lifetime: kt_reading and kt_writing are the caller's values, closed with kt_reading_close and kt_writing_close
 * (which abort what was not committed), also after a failed open.
 */
#ifndef KT_CLI_COMMON_H
#define KT_CLI_COMMON_H

#include "cli/options.h"
#include "cli/output.h"
#include "engine/kontor.h"

/* 0 done, 1 refused or found wrong, 2 wrong usage, 3 done in part, 4 the surroundings. */
int kt_exit_status(kt_code code);

/* --book or KONTOR_BOOK; KT_USAGE where neither is given. */
kt_code kt_book_argument(const kt_arguments *arguments, const char **out, kt_error *error);
/* --key or KONTOR_KEY, NULL where neither is given. */
const char *kt_key_argument(const kt_arguments *arguments);
kt_code kt_open_argument(const kt_arguments *arguments, bool read_only, kt_book **out, kt_error *error);

typedef struct kt_reading {
    kt_style style;
    kt_book *book;
    kt_view *view;
    kt_head head;
    kt_company company; /* the newest facts */
    uint8_t decimals;   /* of the book's currency */
} kt_reading;

/* Opens the book read-only, a view (as known at --as-known, where the command has it), the head and the company. */
kt_code kt_reading_open(const kt_arguments *arguments, kt_reading *out, kt_error *error);
void kt_reading_close(kt_reading *reading);

typedef struct kt_writing {
    kt_style style;
    kt_book *book;
    kt_batch *batch;
} kt_writing;

kt_code kt_writing_open(const kt_arguments *arguments, kt_writing *out, kt_error *error);
/* Commits and says what was stored: "done: batch, records, checkpoint". */
kt_code kt_writing_commit(kt_writing *writing, const char *what, kt_error *error);
void kt_writing_close(kt_writing *writing);

/* Days of an option: --from takes the first day of 2026 or 2026-03, --to and --at the last. *out is KT_DAY_NONE where
   it was not given. */
kt_code kt_option_from(const kt_arguments *arguments, const char *option, kt_day *out, kt_error *error);
kt_code kt_option_until(const kt_arguments *arguments, const char *option, kt_day *out, kt_error *error);
/* Exactly one day. */
kt_code kt_option_day(const kt_arguments *arguments, const char *option, kt_day *out, kt_error *error);
/* --from and --to, in order. */
kt_code kt_option_range(const kt_arguments *arguments, kt_day *from, kt_day *to, kt_error *error);
/* "2026-03": its month. */
kt_code kt_word_month(const char *text, kt_day *first, kt_error *error);
/* A whole number that is a record's. */
kt_code kt_word_number(const char *text, const char *what, uint64_t *out, kt_error *error);

/* --retention: 1 to 255 years; 0 where it was not given. */
kt_code kt_retention_argument(const kt_arguments *arguments, uint8_t *out, kt_error *error);

/* Today where the company is. Reports alone ask for it; records never do. */
kt_day kt_today(kt_str time_zone);

/* A whole file of at most `most` bytes, zero-terminated; free(). */
kt_code kt_file_read(const char *path, size_t most, char **out, size_t *size, kt_error *error);

#endif
