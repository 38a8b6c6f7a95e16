/*
 * pen: what every writer of an export writes with: text into a buffer of one size, and from there to whoever takes it.
 *
 * A pen without a taker writes nothing: so an export is gone through once, that a refusal comes before the first byte.
 * The first failure of the taker is kept, nothing more is written, and kt_pen_finish gives it.
 *
 * Laws kept: 8 (amounts are digits, never rounded). Memory is flat: the buffer.
 * Lifetime: the pen is the caller's value; it holds nothing that has to be given back.
 */
#ifndef KT_EXCHANGE_PEN_H
#define KT_EXCHANGE_PEN_H

#include "engine/kontor.h"

#define KT_PEN_ROOM 32768

typedef struct kt_pen {
    kt_export_write write; /* NULL: nothing is written */
    void *context;
    size_t used;
    kt_error failure; /* code 0: none */
    char buffer[KT_PEN_ROOM];
} kt_pen;

void kt_pen_init(kt_pen *pen, kt_export_write write, void *context);
/* What is left in the buffer goes out; the first failure there was. */
kt_code kt_pen_finish(kt_pen *pen, kt_error *error);
static inline bool kt_pen_failed(const kt_pen *pen) { return pen->failure.code != KT_OK; }

void kt_pen_put(kt_pen *pen, const char *data, size_t size);
void kt_pen_words(kt_pen *pen, const char *text);
void kt_pen_text(kt_pen *pen, kt_str text);
void kt_pen_day(kt_pen *pen, kt_day day);
void kt_pen_count(kt_pen *pen, uint64_t count);
void kt_pen_amount(kt_pen *pen, kt_amount amount, uint8_t decimals);

/* A field of RFC 4180, quoted where it must be. */
void kt_pen_field(kt_pen *pen, kt_str text);
/* A string of RFC 8259 with its quotes; the characters of `also` (ASCII) are escaped too. */
void kt_pen_string(kt_pen *pen, kt_str text, const char *also);

#endif
