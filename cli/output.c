#include "cli/output.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/grid.h"

struct kt_out {
    kt_style style;
    bool upright;
    kt_column columns[KT_COLUMNS_MAX];
    size_t count;
    char *cells[KT_COLUMNS_MAX];  /* the row at hand; NULL: empty */
    bool numbers[KT_COLUMNS_MAX]; /* filled with a number */
    size_t rows;                  /* written to JSON or CSV */
    bool no_memory;
    kt_grid *table; /* for people */
};

kt_code kt_style_of(const kt_arguments *arguments, kt_style *out, kt_error *error) {
    bool json = kt_given_flag(arguments, "json"), csv = kt_given_flag(arguments, "csv");
    if (json && csv) return kt_fail(error, KT_USAGE, "--json and --csv exclude each other");
    *out = json ? KT_STYLE_JSON : csv ? KT_STYLE_CSV : KT_STYLE_TABLE;
    return KT_OK;
}

static void csv_text(const char *text) {
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"') putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void csv_header(const kt_out *out) {
    bool first = true;
    for (size_t i = 0; i < out->count; i++) {
        if (out->columns[i].key == NULL || out->columns[i].off) continue;
        if (!first) putchar(',');
        csv_text(out->columns[i].key);
        first = false;
    }
    fputs("\r\n", stdout);
}

kt_code kt_out_open(kt_style style, const kt_column *columns, size_t count, bool upright, kt_out **out,
                    kt_error *error) {
    assert(count <= KT_COLUMNS_MAX);
    *out = NULL;
    kt_out *made = calloc(1, sizeof(*made));
    if (made == NULL) return kt_fail(error, KT_MEMORY, "no memory for a table");
    made->style = style;
    made->upright = upright;
    made->count = count;
    memcpy(made->columns, columns, count * sizeof(*columns));
    if (style == KT_STYLE_TABLE && !upright) {
        made->table = kt_grid_open(made->columns, count);
        if (made->table == NULL) {
            free(made);
            return kt_fail(error, KT_MEMORY, "no memory for a table");
        }
    }
    if (style == KT_STYLE_JSON) putchar('[');
    if (style == KT_STYLE_CSV) csv_header(made);
    *out = made;
    return KT_OK;
}

static void set(kt_out *out, size_t column, const char *text, size_t size) {
    assert(column < out->count);
    if (out->columns[column].off) return;
    free(out->cells[column]);
    out->cells[column] = malloc(size + 1);
    if (out->cells[column] == NULL) {
        out->no_memory = true;
        return;
    }
    memcpy(out->cells[column], text, size);
    out->cells[column][size] = '\0';
}

void kt_out_text(kt_out *out, size_t column, kt_str text) {
    set(out, column, text.size == 0 ? "" : text.data, text.size);
}

void kt_out_words(kt_out *out, size_t column, const char *text) { set(out, column, text, strlen(text)); }

void kt_out_amount(kt_out *out, size_t column, kt_amount amount, uint8_t decimals) {
    char text[KT_AMOUNT_TEXT];
    size_t size = kt_amount_format(amount, decimals, out->style == KT_STYLE_TABLE ? ',' : '\0', text);
    set(out, column, text, size);
}

void kt_out_count(kt_out *out, size_t column, uint64_t count) {
    char text[KT_AMOUNT_TEXT];
    bool people = out->style == KT_STYLE_TABLE && out->columns[column].cell == KT_CELL_COUNT;
    size_t size = kt_amount_format((kt_amount)count, 0, people ? ',' : '\0', text);
    set(out, column, text, size);
}

void kt_out_integer(kt_out *out, size_t column, int64_t number) {
    char text[KT_AMOUNT_TEXT];
    set(out, column, text, kt_amount_format(number, 0, '\0', text));
    out->numbers[column] = true;
}

void kt_out_day(kt_out *out, size_t column, kt_day day) {
    char text[KT_DAY_TEXT];
    if (day != KT_DAY_NONE) set(out, column, kt_day_format(day, text), KT_DAY_TEXT - 1);
}

void kt_out_time(kt_out *out, size_t column, int64_t time) {
    char text[KT_TIME_TEXT];
    if (time != 0) kt_out_words(out, column, kt_time_format(time, text));
}

void kt_out_hex(kt_out *out, size_t column, const uint8_t *bytes, size_t size) {
    char text[2 * 64 + 1];
    assert(size <= 64);
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    set(out, column, text, 2 * size);
}

void kt_out_flag(kt_out *out, size_t column, bool flag) {
    if (out->style == KT_STYLE_TABLE) kt_out_words(out, column, flag ? "yes" : "no");
    else kt_out_words(out, column, flag ? "true" : "false");
}

static void clear(kt_out *out) {
    for (size_t i = 0; i < out->count; i++) {
        free(out->cells[i]);
        out->cells[i] = NULL;
        out->numbers[i] = false;
    }
}

static json_t *json_cell(const kt_column *column, const char *text, bool number) {
    switch (column->cell) {
    case KT_CELL_COUNT:
    case KT_CELL_NUMBER: return text == NULL ? json_null() : json_integer((json_int_t)strtoumax(text, NULL, 10));
    case KT_CELL_FLAG: return json_boolean(text != NULL && strcmp(text, "true") == 0);
    case KT_CELL_VALUE:
        if (number && text != NULL) return json_integer((json_int_t)strtoimax(text, NULL, 10));
        return text == NULL ? json_null() : json_string(text);
    case KT_CELL_AMOUNT: return text == NULL ? json_null() : json_string(text);
    default: return json_string(text == NULL ? "" : text);
    }
}

static bool json_row(kt_out *out) {
    json_t *row = json_object();
    bool good = row != NULL;
    for (size_t i = 0; good && i < out->count; i++)
        if (out->columns[i].key != NULL && !out->columns[i].off)
            good = json_object_set_new(row, out->columns[i].key,
                                       json_cell(&out->columns[i], out->cells[i], out->numbers[i])) == 0;
    char *text = good ? json_dumps(row, 0) : NULL;
    if (text != NULL) {
        fputs(out->rows == 0 ? "\n  " : ",\n  ", stdout);
        fputs(text, stdout);
    }
    free(text);
    json_decref(row);
    return text != NULL;
}

static void csv_row(kt_out *out) {
    bool first = true;
    for (size_t i = 0; i < out->count; i++) {
        if (out->columns[i].key == NULL || out->columns[i].off) continue;
        if (!first) putchar(',');
        if (out->cells[i] != NULL) csv_text(out->cells[i]);
        first = false;
    }
    fputs("\r\n", stdout);
}

/* "name  value" for each cell that is filled. */
static void upright_row(const kt_out *out) {
    size_t widest = 0;
    for (size_t i = 0; i < out->count; i++)
        if (out->columns[i].head != NULL && !out->columns[i].off && out->cells[i] != NULL && out->cells[i][0] != '\0' &&
            strlen(out->columns[i].head) > widest)
            widest = strlen(out->columns[i].head);
    for (size_t i = 0; i < out->count; i++) {
        const char *head = out->columns[i].head, *cell = out->cells[i];
        if (head == NULL || out->columns[i].off || cell == NULL || cell[0] == '\0') continue;
        printf("%-*s  ", (int)widest, head);
        /* Several lines (an address) go on under each other. */
        for (size_t size; *cell != '\0'; cell += size) {
            size = strcspn(cell, "\n");
            kt_print_safe(stdout, (kt_str){cell, size});
            putchar('\n');
            size += cell[size] == '\n';
            if (cell[size] != '\0') printf("%-*s  ", (int)widest, "");
        }
    }
}

static kt_code written(kt_out *out, kt_error *error) {
    if (out->no_memory) return kt_fail(error, KT_MEMORY, "no memory for a row");
    if (ferror(stdout) != 0) return kt_fail(error, KT_IO, "cannot write to standard output");
    return KT_OK;
}

static kt_code people_row(kt_out *out, kt_grid_kind kind, kt_error *error) {
    if (out->upright) upright_row(out);
    else if (!out->no_memory && !kt_grid_row(out->table, out->cells, kind)) out->no_memory = true;
    clear(out);
    return written(out, error);
}

kt_code kt_out_row(kt_out *out, kt_error *error) {
    if (out->style == KT_STYLE_TABLE) return people_row(out, KT_GRID_PLAIN, error);
    if (out->no_memory) return written(out, error);
    if (out->style == KT_STYLE_CSV) csv_row(out);
    else if (!json_row(out)) out->no_memory = true;
    out->rows++;
    clear(out);
    return written(out, error);
}

kt_code kt_out_row_people(kt_out *out, bool strong, kt_error *error) {
    if (out->style == KT_STYLE_TABLE) return people_row(out, strong ? KT_GRID_STRONG : KT_GRID_PLAIN, error);
    clear(out);
    return KT_OK;
}

kt_code kt_out_rule(kt_out *out, kt_error *error) {
    return out->style == KT_STYLE_TABLE ? people_row(out, KT_GRID_RULE, error) : KT_OK;
}

kt_code kt_out_close(kt_out *out, kt_error *error) {
    if (out == NULL) return KT_OK;
    if (out->style == KT_STYLE_JSON) fputs(out->rows == 0 ? "]\n" : "\n]\n", stdout);
    if (out->table != NULL && !kt_grid_print(out->table)) out->no_memory = true;
    kt_code code = written(out, error);
    kt_out_abort(out);
    return code;
}

void kt_out_abort(kt_out *out) {
    if (out == NULL) return;
    clear(out);
    kt_grid_close(out->table);
    free(out);
}

kt_style kt_out_style(const kt_out *out) { return out->style; }

void kt_say(kt_style style, const char *format, ...) {
    if (style != KT_STYLE_TABLE) return;
    va_list list;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
}

void kt_warn(const char *format, ...) {
    va_list list;
    va_start(list, format);
    fputs("warning: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
}

void kt_print_safe(FILE *to, kt_str text) {
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte < 0x20 || byte == 0x7f) fprintf(to, "\\x%02x", byte);
        else if (byte == 0xc2 && i + 1 < text.size && (unsigned char)text.data[i + 1] < 0xa0)
            fprintf(to, "\\u%04x", (unsigned char)text.data[++i]); /* C1 controls move the cursor too */
        else fputc(byte, to);
    }
}

bool kt_terminal_utf8(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    if (isatty(STDOUT_FILENO) != 1) return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *value = getenv(names[i]);
        if (value == NULL || value[0] == '\0') continue;
        return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL || strstr(value, "utf-8") != NULL;
    }
    return false;
}

bool kt_terminal_colour(void) {
    const char *no = getenv("NO_COLOR"), *kind = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && (no == NULL || no[0] == '\0') && (kind == NULL || strcmp(kind, "dumb") != 0);
}

unsigned kt_terminal_columns(void) {
    struct winsize size;
    return isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

kt_code kt_out_flush(kt_error *error) {
    errno = 0;
    if (fflush(stdout) == 0 && ferror(stdout) == 0) return KT_OK;
    if (errno != 0) return kt_fail_errno(error, errno, "cannot write to standard output");
    return kt_fail(error, KT_IO, "cannot write to standard output");
}
