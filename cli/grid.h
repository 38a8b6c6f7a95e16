/*
 * grid: a table for people, laid out by libsmartcols and printed in parts of bounded size.
 *
 * The first part sets the least width of each column for the parts that follow, so that a journal of any length keeps
 * its columns and flat memory. A rule is a row of dashes as wide as the column's numbers.
 *
 * Lifetime: kt_grid_open .. kt_grid_close. Functions answer false where memory ran out.
 */
#ifndef KT_CLI_GRID_H
#define KT_CLI_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/output.h"

typedef struct kt_grid kt_grid;

typedef enum kt_grid_kind { KT_GRID_PLAIN, KT_GRID_STRONG, KT_GRID_RULE } kt_grid_kind;

/* columns must outlive the table. NULL: no memory. */
kt_grid *kt_grid_open(const kt_column *columns, size_t count);
/* Takes the texts out of cells (leaving NULL). */
bool kt_grid_row(kt_grid *table, char **cells, kt_grid_kind kind);
/* Prints what is there and keeps the widths. */
bool kt_grid_print(kt_grid *table);
void kt_grid_close(kt_grid *table);

#endif
