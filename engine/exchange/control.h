/*
 * control: the control totals of an import, and the reject file.
 *
 * A total counts entries and lines, and debit and credit in the book's currency over the lines that have an amount in
 * it: those in the book's currency, and those whose cost is. Amounts with more decimals than the book keeps are rounded
 * half-even here (they count only in the totals of rejected entries, or as a cost, which the book rounds alike).
 *
 * The reject file is made with the first bad entry, mode 0600, and never overwrites anything (KT_EXISTS); it is synced
 * before the import is acknowledged, and taken away again where the import fails as a whole.
 */
#ifndef KT_EXCHANGE_CONTROL_H
#define KT_EXCHANGE_CONTROL_H

#include "engine/exchange/format.h"

/* What one entry adds to a total. KT_OVERFLOW. */
kt_code kt_control_of(const kt_entry *entry, kt_str book_currency, uint8_t decimals, kt_control *out, kt_error *error);
/* Adds that to a total; the entry is for the message. KT_OVERFLOW. */
kt_code kt_control_add(kt_control *control, const kt_control *more, const kt_entry *entry, kt_error *error);

/* The book's currency has got more decimals. */
kt_code kt_control_rescale(kt_control *control, uint8_t from, uint8_t to, kt_error *error);

typedef struct kt_rejects {
    const char *path; /* NULL: nothing is written */
    FILE *file;
    bool text; /* each entry ends in a line feed */
    bool made; /* by this import, and not yet to be kept */
    char closing[160];
} kt_rejects;

/* preamble and closing: what the format has before the first and behind the last. */
kt_code kt_rejects_add(kt_rejects *rejects, kt_str preamble, kt_str closing, const kt_item *item, kt_error *error);
/* Synced and closed; where there is none, KT_OK. */
kt_code kt_rejects_close(kt_rejects *rejects, kt_error *error);
/* From here on it stays. */
void kt_rejects_keep(kt_rejects *rejects);
/* Closed, and taken away where it was made and is not to be kept. */
void kt_rejects_drop(kt_rejects *rejects);

#endif
