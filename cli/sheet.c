#include "cli/sheet.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common.h"

#define SHEET_MAX ((size_t)16 << 20)

typedef struct reader {
    kt_sheet *sheet;
    const char *const *names;
    size_t needed;
    size_t place[KT_SHEET_COLUMNS]; /* column of the file -> column asked for */
    size_t width;                   /* columns of the file */
    bool headed;
    size_t line, field, used, room;
    kt_sheet_row row;
    kt_code code;
    kt_error *error;
} reader;

static void refuse(reader *at, const char *what, const char *found) {
    if (at->code == KT_OK)
        at->code = kt_fail(at->error, KT_INVALID, "%s:%zu: %s%s", at->sheet->path, at->line, what, found);
}

static void head_field(reader *at, const char *text, size_t size) {
    if (at->field >= KT_SHEET_COLUMNS) {
        refuse(at, "too many columns", "");
        return;
    }
    for (size_t i = 0; at->names[i] != NULL; i++)
        if (strlen(at->names[i]) == size && memcmp(at->names[i], text, size) == 0) {
            for (size_t j = 0; j < at->field; j++)
                if (at->place[j] == i) refuse(at, "column named twice: ", at->names[i]);
            at->place[at->field++] = i;
            return;
        }
    char name[64];
    size_t shown = size < sizeof(name) - 1 ? size : sizeof(name) - 1;
    memcpy(name, text, shown);
    name[shown] = '\0';
    refuse(at, "unknown column: ", name);
}

static void on_field(void *data, size_t size, void *context) {
    reader *at = context;
    if (at->code != KT_OK) return;
    if (!at->headed) {
        head_field(at, data, size);
        return;
    }
    if (at->field >= at->width) {
        refuse(at, "more fields than the header names", "");
        return;
    }
    if (memchr(data, '\0', size) != NULL) {
        refuse(at, "a NUL byte", "");
        return;
    }
    /* The cells together are never longer than the file. */
    char *to = at->sheet->text + at->used;
    memcpy(to, data, size);
    at->used += size;
    at->row.cells[at->place[at->field++]] = (kt_str){to, size};
}

static void head_row(reader *at) {
    at->headed = true;
    at->width = at->field;
    for (size_t i = 0; i < at->needed; i++) {
        bool found = false;
        for (size_t j = 0; j < at->width; j++) found = found || at->place[j] == i;
        if (!found) refuse(at, "the header lacks a column: ", at->names[i]);
    }
}

static void on_row(int last, void *context) {
    reader *at = context;
    (void)last;
    if (at->code != KT_OK) return;
    if (!at->headed) {
        head_row(at);
    } else if (at->field != at->width) {
        refuse(at, "fewer fields than the header names", "");
    } else {
        if (at->sheet->count == at->room) {
            size_t room = at->room == 0 ? 256 : at->room * 2;
            kt_sheet_row *rows = realloc(at->sheet->rows, room * sizeof(*rows));
            if (rows == NULL) {
                at->code = kt_fail(at->error, KT_MEMORY, "%s: no memory", at->sheet->path);
                return;
            }
            at->sheet->rows = rows;
            at->room = room;
        }
        at->row.line = at->line;
        at->sheet->rows[at->sheet->count++] = at->row;
    }
    at->row = (kt_sheet_row){0};
    at->field = 0;
}

/* Line by line, so that each row knows its line. */
static void parse(reader *at, struct csv_parser *parser, const char *text, size_t size) {
    const char *end = text + size;
    while (at->code == KT_OK && text < end) {
        const char *feed = memchr(text, '\n', (size_t)(end - text));
        size_t step = feed == NULL ? (size_t)(end - text) : (size_t)(feed - text) + 1;
        at->line++;
        if (csv_parse(parser, text, step, on_field, on_row, at) != step)
            refuse(at, "broken quoting: ", csv_strerror(csv_error(parser)));
        text += step;
    }
    if (at->code == KT_OK && csv_fini(parser, on_field, on_row, at) != 0)
        refuse(at, "a quote that is never closed", "");
    if (at->code == KT_OK && !at->headed) refuse(at, "empty: expected a header row", "");
}

kt_code kt_sheet_read(const char *path, const char *const *names, size_t needed, kt_sheet *out, kt_error *error) {
    struct csv_parser parser;
    char *text;
    size_t size, skip = 0;
    *out = (kt_sheet){.path = path};
    kt_code code = kt_file_read(path, SHEET_MAX, &text, &size, error);
    if (code != KT_OK) return code;
    reader at = {.sheet = out, .names = names, .needed = needed, .error = error};
    out->text = malloc(size + 1);
    if (out->text == NULL || csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        free(text);
        return kt_fail(error, KT_MEMORY, "%s: no memory", path);
    }
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) skip = 3;
    parse(&at, &parser, text + skip, size - skip);
    csv_free(&parser);
    free(text);
    return at.code;
}

void kt_sheet_release(kt_sheet *sheet) {
    free(sheet->rows);
    free(sheet->text);
    *sheet = (kt_sheet){0};
}
