/*
 * sheet: small CSV files that tell the command line something: a chart of accounts, rules for account types.
 *
 * A sheet is read whole (at most 16 MiB), with libcsv in its strict mode, UTF-8 with a BOM tolerated. The first row
 * names the columns. Law 12: refusals name file and line, what was found and what was expected.
 * Lifetime: kt_sheet_read .. kt_sheet_release; the texts live as long as the sheet.
 */
#ifndef KT_CLI_SHEET_H
#define KT_CLI_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/kontor.h"

#define KT_SHEET_COLUMNS 16

typedef struct kt_sheet_row {
    kt_str cells[KT_SHEET_COLUMNS]; /* in the order asked for; {NULL, 0} where the sheet has no such column */
    size_t line;
} kt_sheet_row;

typedef struct kt_sheet {
    const char *path;
    kt_sheet_row *rows;
    size_t count;
    char *text; /* the cells' bytes */
} kt_sheet;

/* names: the columns there may be, ended by NULL; the first `needed` of them must be there.
   KT_INVALID, KT_LIMIT, KT_IO. */
kt_code kt_sheet_read(const char *path, const char *const *names, size_t needed, kt_sheet *out, kt_error *error);
void kt_sheet_release(kt_sheet *sheet);

#endif
