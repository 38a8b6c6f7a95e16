/*
 * split: the fields of one flawless row of a CSV file, found 64 bytes at a time.
 *
 * Nearly all rows are of one line, with fields that are plain or wholly quoted. Those are split here, without a branch
 * for each byte; everything else (a doubled quote, a line end within quotes, a stray carriage return, a NUL, an empty or
 * overlong line, bad quoting) is answered with false, and is for rows.c, which goes through it byte by byte and names
 * what is wrong. So nothing is ever refused here, and what is taken is exactly what rows.c would have taken.
 *
 * Pure: no memory; reads no byte behind `end`. SSE2 where the processor has it (every x86-64), else plain C; both
 * give the same.
 */
#ifndef KT_EXCHANGE_SPLIT_H
#define KT_EXCHANGE_SPLIT_H

#include "engine/kontor.h"

typedef struct kt_split {
    size_t count; /* fields */
    size_t size;  /* of the row, with its line end */
    bool high;    /* some byte is beyond ASCII; whether it is UTF-8 has not been looked at */
    bool ended;   /* by a line feed: else by the end of the file */
} kt_split;

/* The row that begins at `at`; `most` fields at the most. False: not one for this room. */
bool kt_split_row(const uint8_t *at, const uint8_t *end, char delimiter, kt_str *fields, size_t most, kt_split *out);
/* The same without the processor's help: what runs where there is none, and what tests compare with. */
bool kt_split_row_plainly(const uint8_t *at, const uint8_t *end, char delimiter, kt_str *fields, size_t most,
                          kt_split *out);

#endif
