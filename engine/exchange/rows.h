/*
 * rows: the rows of a CSV file (RFC 4180), each with its fields, its line number and its own bytes.
 *
 * Why not libcsv, the house's parser for CSV: its callbacks give neither line numbers nor a row's own bytes, and
 * every field is copied. Measured on 200 MB of six-column rows, on one core: libcsv with callbacks that do nothing
 * 290 MB/s; fed by the line, as line numbers need it, with fields copied out of it, 170 MB/s, and 80 MB/s for whole
 * entries. This room: 1,500 to 2,300 MB/s for rows that split.h takes and 750 to 840 for the others, with the checks for
 * UTF-8, NUL and stray carriage returns, and 500 to 700 MB/s for whole entries (130 to 190 ns for one of two lines);
 * only fields with doubled quotes or in another encoding are copied. libcsv in strict mode is held against it in
 * tests/test_csv.c, and the quick way against the careful one in tests/test_csv_quick.c.
 *
 * A line ends in LF or CR LF. Empty lines are passed over. Blanks are part of a field. A byte order mark is passed
 * over. Text is UTF-8, or becomes it through iconv field by field (windows-1252, iso-8859-1, iso-8859-15: in all of
 * them the bytes below 0x80 are ASCII).
 *
 * Lifetime: fields stay valid until kt_rows_release, also behind later rows; the array `fields` until the next row.
 * Errors: "file:line: " first. With row->can_go_on the next row may be read; `fields` then holds what stands
 * before the fault, for whoever wants to know which entry the row belongs to.
 * Bounds: a row is at most KT_ROW_MAX bytes: of a longer one no more than that is read (KT_LIMIT, and reading is
 * over); at most KT_COLUMNS_MAX fields.
 */
#ifndef KT_EXCHANGE_ROWS_H
#define KT_EXCHANGE_ROWS_H

#include "engine/exchange/format.h"

#define KT_ROW_MAX ((size_t)1 << 20)
#define KT_COLUMNS_MAX 256

typedef struct kt_row {
    const kt_str *fields;
    size_t count;
    size_t line;        /* number of its first line, from 1 */
    const uint8_t *raw; /* with its line end */
    size_t raw_size;
    bool can_go_on;
} kt_row;

typedef struct kt_rows kt_rows;

/* latin1: where no encoding is asked for and the file is not UTF-8, take it for ISO-8859-1. KT_USAGE: a delimiter
   or an encoding that cannot be. KT_INVALID: an empty file. */
kt_code kt_rows_open(const kt_source *source, const kt_format_options *options, bool latin1, kt_rows **out,
                     kt_error *error);
void kt_rows_close(kt_rows *rows);

/* From now on a row of another number of fields is refused. */
void kt_rows_expect(kt_rows *rows, size_t columns);

/* KT_END behind the last row. *row, which is not set then, stands until the next call. */
kt_code kt_rows_next(kt_rows *rows, const kt_row **row, kt_error *error);

/* For tests: from now on no row is read in the quick way (split.h), which must not make a difference. */
void kt_rows_careful(kt_rows *rows);

/* Fields of earlier rows are needed no more; held: but the row read last still is. False: it could not be kept, and is
   read again by the next call. */
bool kt_rows_release(kt_rows *rows, bool held);

size_t kt_rows_done(const kt_rows *rows); /* bytes consumed */

#endif
