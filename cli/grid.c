#include "cli/grid.h"

#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>

/* Rows laid out at once. */
#define PART 4096

typedef struct row {
    char *cells[KT_COLUMNS_MAX];
    kt_grid_kind kind;
} row;

struct kt_grid {
    const kt_column *columns;
    size_t count;
    row *rows;
    size_t used;
    size_t widths[KT_COLUMNS_MAX]; /* least widths, from the parts before */
    bool headed;                   /* the headings were printed */
};

static bool is_number(const kt_column *column) {
    return column->cell == KT_CELL_AMOUNT || column->cell == KT_CELL_COUNT || column->cell == KT_CELL_NUMBER;
}

static bool is_shown(const kt_column *column) { return column->head != NULL && !column->off; }

kt_grid *kt_grid_open(const kt_column *columns, size_t count) {
    kt_grid *table = calloc(1, sizeof(*table));
    if (table == NULL) return NULL;
    table->columns = columns;
    table->count = count;
    table->rows = calloc(PART, sizeof(*table->rows));
    if (table->rows == NULL) {
        free(table);
        return NULL;
    }
    return table;
}

static void drop_rows(kt_grid *table) {
    for (size_t i = 0; i < table->used; i++) {
        for (size_t j = 0; j < table->count; j++) free(table->rows[i].cells[j]);
        memset(&table->rows[i], 0, sizeof(table->rows[i]));
    }
    table->used = 0;
}

bool kt_grid_row(kt_grid *table, char **cells, kt_grid_kind kind) {
    /* Kept back until there is more, so that a total and its rule share a part with some rows. */
    if (table->used == PART && !kt_grid_print(table)) return false;
    row *at = &table->rows[table->used++];
    at->kind = kind;
    for (size_t i = 0; i < table->count; i++) {
        at->cells[i] = cells[i];
        cells[i] = NULL;
    }
    return true;
}

/* The width of numbers in bytes, which are columns since numbers are ASCII. */
static size_t number_width(const kt_grid *table, size_t column) {
    size_t widest = strlen(table->columns[column].head);
    if (table->widths[column] > widest) widest = table->widths[column];
    for (size_t i = 0; i < table->used; i++) {
        size_t size = table->rows[i].cells[column] == NULL ? 0 : strlen(table->rows[i].cells[column]);
        if (size > widest) widest = size;
    }
    return widest;
}

/* What the columns need at the least. A name keeps 16 characters: rather a line that wraps than one that says nothing. */
static size_t least_width(const kt_grid *table) {
    enum { LEAST = 16, BETWEEN = 2 };
    size_t sum = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (!is_shown(&table->columns[i])) continue;
        bool prose = table->columns[i].cell == KT_CELL_PROSE;
        size_t widest = strlen(table->columns[i].head);
        for (size_t j = 0; j < table->used && !(prose && widest >= LEAST); j++) {
            const char *cell = table->rows[j].cells[i];
            size_t size = cell == NULL ? 0 : mbstowcs(NULL, cell, 0);
            if (size != (size_t)-1 && size > widest) widest = prose && size > LEAST ? LEAST : size;
        }
        if (!prose && table->widths[i] > widest) widest = table->widths[i];
        sum += widest + (sum == 0 ? 0 : BETWEEN);
    }
    return sum;
}

static char *rule_text(size_t width) {
    bool utf8 = kt_terminal_utf8();
    const char *dash = utf8 ? "\xe2\x94\x80" : "-";
    size_t step = utf8 ? 3 : 1;
    char *text = malloc(width * step + 1);
    if (text == NULL) return NULL;
    for (size_t i = 0; i < width; i++) memcpy(text + i * step, dash, step);
    text[width * step] = '\0';
    return text;
}

static bool add_columns(const kt_grid *table, struct libscols_table *laid) {
    for (size_t i = 0; i < table->count; i++) {
        const kt_column *column = &table->columns[i];
        if (!is_shown(column)) continue;
        int flags = is_number(column) ? SCOLS_FL_RIGHT : column->cell == KT_CELL_PROSE ? SCOLS_FL_TRUNC : 0;
        struct libscols_column *made = scols_table_new_column(laid, column->head, (int)table->widths[i], flags);
        if (made == NULL) return false;
        if (!table->headed) (void)scols_cell_set_color(scols_column_get_header(made), "bold");
    }
    return true;
}

static bool add_row(kt_grid *table, struct libscols_table *laid, size_t index, const size_t *numbers) {
    row *from = &table->rows[index];
    struct libscols_line *line = scols_table_new_line(laid, NULL);
    if (line == NULL) return false;
    size_t shown = 0;
    for (size_t i = 0; i < table->count; i++) {
        const kt_column *column = &table->columns[i];
        if (!is_shown(column)) continue;
        if (from->kind == KT_GRID_RULE && (column->cell == KT_CELL_AMOUNT || column->cell == KT_CELL_COUNT)) {
            free(from->cells[i]);
            from->cells[i] = rule_text(numbers[i]);
            if (from->cells[i] == NULL) return false;
        }
        if (from->cells[i] != NULL && scols_line_refer_data(line, shown, from->cells[i]) != 0) return false;
        from->cells[i] = NULL; /* the line's now */
        shown++;
    }
    if (from->kind == KT_GRID_STRONG) (void)scols_line_set_color(line, "bold");
    return true;
}

bool kt_grid_print(kt_grid *table) {
    if (table->used == 0) return true;
    size_t numbers[KT_COLUMNS_MAX] = {0};
    bool good = false;
    struct libscols_table *laid = scols_new_table();
    if (laid == NULL) return false;
    for (size_t i = 0; i < table->count; i++)
        if (is_shown(&table->columns[i]) && is_number(&table->columns[i])) numbers[i] = number_width(table, i);
    (void)scols_table_enable_colors(laid, kt_terminal_colour());
    (void)scols_table_enable_noheadings(laid, table->headed);
    (void)scols_table_enable_minout(laid, 1);
    (void)scols_table_set_column_separator(laid, "  ");
    size_t least = least_width(table);
    if (kt_terminal_columns() != 0 && kt_terminal_columns() < least) {
        (void)scols_table_set_termwidth(laid, least);
        (void)scols_table_set_termforce(laid, SCOLS_TERMFORCE_ALWAYS);
    }
    if (!add_columns(table, laid)) goto end;
    for (size_t i = 0; i < table->used; i++)
        if (!add_row(table, laid, i, numbers)) goto end;
    scols_table_set_stream(laid, stdout);
    good = scols_print_table(laid) == 0;
    for (size_t i = 0, shown = 0; i < table->count; i++)
        if (is_shown(&table->columns[i]))
            table->widths[i] = scols_column_get_width(scols_table_get_column(laid, shown++));
    table->headed = true;
end:
    scols_unref_table(laid);
    drop_rows(table);
    return good;
}

void kt_grid_close(kt_grid *table) {
    if (table == NULL) return;
    drop_rows(table);
    free(table->rows);
    free(table);
}
