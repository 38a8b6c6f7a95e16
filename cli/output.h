/*
 * output: the one table writer, for people (libsmartcols), as JSON (jansson) and as CSV (RFC 4180).
 *
 * A command names its columns once and fills rows; how they look is decided here. For people numbers stand to the
 * right with separators for thousands, texts are made safe for a terminal, colour is used on a terminal alone and not
 * where NO_COLOR is set. JSON is one array of objects, amounts as decimal strings; it and CSV are written row by row,
 * so memory stays flat. A long table for people is printed in parts that keep their columns' widths.
 *
 * Lifetime: kt_out_open .. kt_out_close; texts given are copied. Errors: a failed write is kept and told by
 * kt_out_row and kt_out_close as KT_IO. Numbers: law 8, amounts are whole counts.
 */
#ifndef KT_CLI_OUTPUT_H
#define KT_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"
#include "engine/kontor.h"

typedef enum kt_style { KT_STYLE_TABLE, KT_STYLE_JSON, KT_STYLE_CSV } kt_style;

typedef enum kt_cell {
    KT_CELL_TEXT,   /* a code or a date: never cut */
    KT_CELL_PROSE,  /* a name or a text: cut where the terminal is narrow */
    KT_CELL_AMOUNT, /* a string in JSON */
    KT_CELL_COUNT,  /* how many: with separators */
    KT_CELL_NUMBER, /* which one: without */
    KT_CELL_FLAG,
    KT_CELL_VALUE /* for machines: a text or a number as each row has it; not filled: null */
} kt_cell;

typedef struct kt_column {
    const char *key;  /* in JSON and CSV; NULL: for people only */
    const char *head; /* for people; NULL: for machines only */
    kt_cell cell;
    bool off; /* left out altogether */
} kt_column;

#define KT_COLUMNS_MAX 40

typedef struct kt_out kt_out;

/* --json, --csv or neither. Both: KT_USAGE. */
kt_code kt_style_of(const kt_arguments *arguments, kt_style *out, kt_error *error);

/* columns are copied. upright: people see the (one) row as a list of names and values. */
kt_code kt_out_open(kt_style style, const kt_column *columns, size_t count, bool upright, kt_out **out,
                    kt_error *error);

/* Fill the row at hand; a cell not filled is empty, null or false. */
void kt_out_text(kt_out *out, size_t column, kt_str text);
void kt_out_words(kt_out *out, size_t column, const char *text);
void kt_out_amount(kt_out *out, size_t column, kt_amount amount, uint8_t decimals);
void kt_out_count(kt_out *out, size_t column, uint64_t count);
void kt_out_integer(kt_out *out, size_t column, int64_t number); /* in a cell of KT_CELL_VALUE a number in JSON */
void kt_out_day(kt_out *out, size_t column, kt_day day);    /* KT_DAY_NONE: empty */
void kt_out_time(kt_out *out, size_t column, int64_t time); /* 0: empty */
void kt_out_hex(kt_out *out, size_t column, const uint8_t *bytes, size_t size);
void kt_out_flag(kt_out *out, size_t column, bool flag);

/* Ends the row. */
kt_code kt_out_row(kt_out *out, kt_error *error);
/* Ends a row that only people see: a heading of a section, a total (bold). */
kt_code kt_out_row_people(kt_out *out, bool strong, kt_error *error);
/* A rule under the columns of amounts and counts; people only. */
kt_code kt_out_rule(kt_out *out, kt_error *error);
/* Ends the table, prints what is left and frees it (also where it fails). NULL is accepted. */
kt_code kt_out_close(kt_out *out, kt_error *error);
/* Frees without printing more: for a command that fails. */
void kt_out_abort(kt_out *out);

kt_style kt_out_style(const kt_out *out);

/* A sentence for people on standard output; nothing in JSON or CSV. */
void kt_say(kt_style style, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "warning: ..." on standard error. */
void kt_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints text with control characters made visible. */
void kt_print_safe(FILE *to, kt_str text);

/* Whether people read this on a terminal that shows UTF-8; whether it may be coloured. */
bool kt_terminal_utf8(void);
bool kt_terminal_colour(void);
/* Columns of the terminal people read on; 0: no terminal, or it does not say. */
unsigned kt_terminal_columns(void);

/* Flushes standard output; KT_IO where something of it was lost. */
kt_code kt_out_flush(kt_error *error);

#endif
