#include "engine/exchange/rows.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/split.h"
#include "engine/exchange/text.h"

#define BLOCK_SIZE ((size_t)65536)

typedef struct block { /* text that had to be made: unquoted or recoded */
    struct block *next;
    size_t used, room;
    char text[];
} block;

struct kt_rows {
    const kt_source *source;
    const uint8_t *at, *end;
    size_t line;
    char delimiter;
    bool recode;
    iconv_t iconv;
    const char *encoding;
    size_t expected;
    kt_str fields[KT_COLUMNS_MAX + 1]; /* one more, to see that there are too many */
    block *blocks, *current;
    kt_row last;
    bool made_text, careful;
    size_t count; /* fields of the row in hand, up to one more than there may be */
    bool no_memory;
};

/* ---- Text that had to be made ------------------------------------------------------------------- */

static char *reserve(kt_rows *rows, size_t size) {
    block *b = rows->current;
    while (b && b->room - b->used < size) { /* blocks behind the current one are free */
        b = b->next;
        if (b) b->used = 0;
    }
    if (!b) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        b = malloc(sizeof *b + room);
        if (!b) {
            rows->no_memory = true;
            return NULL;
        }
        b->used = 0;
        b->room = room;
        b->next = rows->blocks;
        rows->blocks = b;
        if (!rows->current) rows->current = b;
        else { /* put behind the current one, so that the order of use stays */ rows->blocks = b->next;
            b->next = rows->current->next;
            rows->current->next = b;
        }
    }
    rows->current = b;
    rows->made_text = true;
    return b->text + b->used;
}

bool kt_rows_release(kt_rows *rows, bool held) {
    if (!rows->blocks) return true;
    bool stays = !(held && rows->made_text);
    if (!stays) { /* its text goes */
        rows->at = rows->last.raw;
        rows->line = rows->last.line;
    }
    size_t kept = 0;
    for (block **link = &rows->blocks; *link;) {
        block *b = *link;
        if (kept++ < 4 && b->room == BLOCK_SIZE) {
            b->used = 0;
            link = &b->next;
        } else { /* one large entry shall not keep its memory for the rest of the file */
            *link = b->next;
            free(b);
        }
    }
    rows->current = rows->blocks;
    return stays;
}

static bool has_high(const char *data, size_t size) {
    size_t at = 0;
    for (uint64_t word; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, data + at, sizeof word);
        if (word & 0x8080808080808080u) return true;
    }
    for (; at < size; at++)
        if ((unsigned char)data[at] >= 0x80) return true;
    return false;
}

/* Brings one field to UTF-8. False: bytes that the encoding does not have. */
static bool recode(kt_rows *rows, kt_str *field) {
    if (!has_high(field->data, field->size)) return true;
    size_t room = field->size * 3; /* every character of these encodings is at most three bytes of UTF-8 */
    char *out = reserve(rows, room);
    if (!out) return true; /* no_memory says so */
    char *in = (char *)(uintptr_t)field->data, *to = out;
    size_t in_left = field->size, out_left = room;
    iconv(rows->iconv, NULL, NULL, NULL, NULL);
    if (iconv(rows->iconv, &in, &in_left, &to, &out_left) == (size_t)-1) return false;
    *field = (kt_str){out, room - out_left};
    rows->current->used += field->size;
    return true;
}

/* ---- Opening ------------------------------------------------------------------------------------ */

static bool same_name(const char *a, const char *b) {
    for (; *a || *b; a++, b++) {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
        if (x == '_') x = '-';
        if (x != *b) return false;
    }
    return true;
}

static kt_code choose_encoding(kt_rows *rows, const char *asked, bool latin1, kt_error *error) {
    static const char *const known[][2] = {
        {"utf-8", NULL},
        {"utf8", NULL},
        {"windows-1252", "WINDOWS-1252"},
        {"cp1252", "WINDOWS-1252"},
        {"iso-8859-1", "ISO-8859-1"},
        {"iso8859-1", "ISO-8859-1"},
        {"latin1", "ISO-8859-1"},
        {"latin-1", "ISO-8859-1"},
        {"iso-8859-15", "ISO-8859-15"},
    };
    const char *name = NULL;
    if (!asked) {
        if (latin1 && kt_text_bad(rows->at, (size_t)(rows->end - rows->at)) != (size_t)(rows->end - rows->at))
            name = "ISO-8859-1";
    } else {
        size_t i = 0, count = sizeof known / sizeof known[0];
        while (i < count && !same_name(asked, known[i][0])) i++;
        if (i == count)
            return kt_fail(error, KT_USAGE,
                           "encoding '%s' is not known; there are utf-8, windows-1252, iso-8859-1, iso-8859-15", asked);
        name = known[i][1];
    }
    if (!name) return KT_OK;
    rows->iconv = iconv_open("UTF-8", name);
    if (rows->iconv == (iconv_t)-1) return kt_fail(error, KT_UNSUPPORTED, "this system's iconv does not know %s", name);
    rows->recode = true;
    rows->encoding = name;
    return KT_OK;
}

kt_code kt_rows_open(const kt_source *source, const kt_format_options *options, bool latin1, kt_rows **out,
                     kt_error *error) {
    *out = NULL;
    char d = options->delimiter ? options->delimiter : ',';
    bool letter = (d >= '0' && d <= '9') || (d >= 'A' && d <= 'Z') || (d >= 'a' && d <= 'z');
    if (letter || d == '"' || d == '.' || d == '-' || (d != '\t' && (d < 0x20 || d == 0x7F)))
        return kt_fail(error, KT_USAGE, "the delimiter cannot be that byte (0x%02X); expected , ; | or a tab",
                       (unsigned char)d);
    if (source->size == 0) return kt_fail(error, KT_INVALID, "%s: is empty", source->name);
    kt_rows *rows = calloc(1, sizeof *rows);
    if (!rows) return kt_fail(error, KT_MEMORY, "%s: no memory", source->name);
    rows->source = source;
    rows->at = source->data;
    rows->end = source->data + source->size;
    rows->line = 1;
    rows->delimiter = d;
    if (source->size >= 3 && memcmp(source->data, "\xEF\xBB\xBF", 3) == 0) rows->at += 3;
    kt_code code = choose_encoding(rows, options->encoding, latin1, error);
    if (code != KT_OK) {
        kt_rows_close(rows);
        return code;
    }
    *out = rows;
    return KT_OK;
}

void kt_rows_close(kt_rows *rows) {
    if (!rows) return;
    if (rows->recode) iconv_close(rows->iconv);
    while (rows->blocks) {
        block *next = rows->blocks->next;
        free(rows->blocks);
        rows->blocks = next;
    }
    free(rows);
}

void kt_rows_expect(kt_rows *rows, size_t columns) { rows->expected = columns; }

void kt_rows_careful(kt_rows *rows) { rows->careful = true; }

size_t kt_rows_done(const kt_rows *rows) { return (size_t)(rows->at - rows->source->data); }

/* ---- Rows with quotes --------------------------------------------------------------------------- */

/* What is kept of such a row is its first line: reading goes on behind it. */
static kt_code quoted_fault(kt_rows *rows, const char *what, kt_error *error) {
    rows->last.can_go_on = true;
    return kt_fail(error, KT_INVALID, "%s:%zu: broken quoting: %s", rows->source->name, rows->last.line, what);
}

/* A field with doubled quotes, made into what it means. False: no memory. */
static bool undouble(kt_rows *rows, kt_str *field) {
    char *out = reserve(rows, field->size);
    if (!out) return false;
    const char *at = field->data, *end = at + field->size;
    size_t n = 0;
    while (at < end) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        size_t size = (size_t)((quote ? quote + 1 : end) - at);
        memcpy(out + n, at, size);
        n += size;
        at += size + (quote ? 1 : 0);
    }
    rows->current->used += n;
    *field = (kt_str){out, n};
    return true;
}

/* From an opening quote to behind the closing one. NULL: never closed before `end`. */
static const char *quoted_field(kt_rows *rows, const char *at, const char *end, kt_str *field) {
    bool doubled = false;
    const char *start = ++at;
    for (;;) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        if (!quote) return NULL;
        at = quote + 1;
        if (at < end && *at == '"') {
            doubled = true;
            at++;
            continue;
        }
        *field = (kt_str){start, (size_t)(quote - start)};
        if (doubled && !undouble(rows, field)) field->size = 0; /* no_memory says so */
        return at;
    }
}

static size_t line_feeds(const char *data, size_t size) {
    size_t count = 0;
    const char *end = data + size, *at = memchr(data, '\n', size);
    while (at) {
        count++;
        at++;
        at = memchr(at, '\n', (size_t)(end - at));
    }
    return count;
}

/* The row at rows->last.raw, whose first line has a quote. On a fault reading goes on behind that first line. */
static kt_code split_quoted(kt_rows *rows, const uint8_t *first_end, kt_error *error) {
    const char *start = (const char *)rows->last.raw, *at = start;
    size_t left = (size_t)(rows->end - rows->last.raw);
    bool cut = left > KT_ROW_MAX;
    const char *end = start + (cut ? KT_ROW_MAX : left);
    rows->at = first_end;
    rows->line = rows->last.line + 1;
    for (;;) {
        kt_str field = {at, 0};
        if (at < end && *at == '"') {
            at = quoted_field(rows, at, end, &field);
            if (!at)
                return quoted_fault(rows,
                                    cut ? "a quote opened in this row is not closed within 1 MiB"
                                        : "a quote opened in this row is never closed",
                                    error);
        } else {
            while (at < end && *at != rows->delimiter && *at != '\n' && *at != '"' && *at != '\r') at++;
            field.size = (size_t)(at - field.data);
            if (at < end && *at == '"')
                return quoted_fault(
                    rows, "a quote within a field; the whole field must be quoted and the quote doubled", error);
        }
        if (rows->count <= KT_COLUMNS_MAX) rows->fields[rows->count++] = field;
        if (at == end || *at == '\n' || (*at == '\r' && (at + 1 == end || at[1] == '\n'))) break;
        if (*at == '\r') return quoted_fault(rows, "a carriage return without a line feed outside quotes", error);
        if (*at != rows->delimiter)
            return quoted_fault(rows, "text behind a closing quote; a quote within a field must be doubled", error);
        at++;
    }
    if (at == end && cut) return quoted_fault(rows, "the row is longer than 1 MiB", error);
    at += at < end && *at == '\r';
    at += at < end && *at == '\n';
    rows->last.raw_size = (size_t)(at - start);
    rows->at = rows->last.raw + rows->last.raw_size;
    rows->line = rows->last.line + line_feeds(start, rows->last.raw_size);
    return KT_OK;
}

/* ---- Rows --------------------------------------------------------------------------------------- */

static void split_plain(kt_rows *rows, const char *data, size_t size) {
    const char *end = data + size;
    const char d = rows->delimiter;
    kt_str *field = rows->fields, *last = rows->fields + KT_COLUMNS_MAX;
    for (const char *at = data;; at++) {
        const char *start = at;
        while (at < end && *at != d) at++;
        field->data = start;
        field->size = (size_t)(at - start);
        field++;
        if (at == end || field > last) break;
    }
    rows->count = (size_t)(field - rows->fields);
}

static kt_code fault(kt_rows *rows, kt_error *error, const char *what) {
    rows->last.can_go_on = true;
    return kt_fail(error, KT_INVALID, "%s:%zu: %s", rows->source->name, rows->last.line, what);
}

/* Everything that can be wrong with a row whose fields are known. */
static kt_code check(kt_rows *rows, bool high, kt_error *error) {
    const char *name = rows->source->name;
    size_t line = rows->last.line;
    rows->last.count = rows->count <= KT_COLUMNS_MAX ? rows->count : KT_COLUMNS_MAX;
    if (rows->no_memory) return kt_fail(error, KT_MEMORY, "%s:%zu: no memory", name, line);
    rows->last.can_go_on = true;
    const uint8_t *raw = rows->last.raw;
    const uint8_t *nul = memchr(raw, 0, rows->last.raw_size);
    if (nul)
        return kt_fail(error, KT_INVALID, "%s:%zu: a NUL byte (byte %zu of the row); expected text", name, line,
                       (size_t)(nul - raw) + 1);
    if (rows->count > KT_COLUMNS_MAX)
        return kt_fail(error, KT_LIMIT, "%s:%zu: more than %d columns", name, line, KT_COLUMNS_MAX);
    if (high && !rows->recode) {
        size_t bad = kt_text_bad(raw, rows->last.raw_size);
        if (bad < rows->last.raw_size)
            return kt_fail(error, KT_INVALID,
                           "%s:%zu: byte %zu of the row (0x%02X) is no UTF-8; if the file is in another encoding, give "
                           "--encoding windows-1252 or iso-8859-1",
                           name, line, bad + 1, raw[bad]);
    }
    if (high && rows->recode) {
        for (size_t i = 0; i < rows->count; i++)
            if (!recode(rows, &rows->fields[i]))
                return kt_fail(error, KT_INVALID, "%s:%zu: column %zu has a byte that %s does not have", name, line,
                               i + 1, rows->encoding);
        if (rows->no_memory) {
            rows->last.can_go_on = false;
            return kt_fail(error, KT_MEMORY, "%s:%zu: no memory", name, line);
        }
    }
    if (rows->expected && rows->count != rows->expected)
        return kt_fail(error, KT_INVALID, "%s:%zu: found %zu columns, expected %zu as in the header row", name, line,
                       rows->count, rows->expected);
    return KT_OK;
}

/* The row as nearly all are: of the expected number of fields, without a fault, and nothing to be made of it. False: it
   is to be read carefully, and nothing has happened. */
static inline bool read_quickly(kt_rows *rows) {
    kt_split split;
    if (rows->at == rows->end || rows->careful || rows->no_memory ||
        !kt_split_row(rows->at, rows->end, rows->delimiter, rows->fields, KT_COLUMNS_MAX, &split))
        return false;
    if (split.size > KT_ROW_MAX || (rows->expected && split.count != rows->expected)) return false;
    if (split.high && (rows->recode || kt_text_bad(rows->at, split.size) != split.size)) return false;
    kt_row *row = &rows->last;
    row->fields = rows->fields;
    row->count = split.count;
    row->line = rows->line;
    row->raw = rows->at;
    row->raw_size = split.size;
    row->can_go_on = true;
    rows->count = split.count;
    rows->made_text = false;
    rows->at += split.size;
    rows->line++;
    return true;
}

static __attribute__((noinline)) kt_code read_carefully(kt_rows *rows, kt_error *error) {
    size_t left;
    const uint8_t *feed;
    for (;;) {
        left = (size_t)(rows->end - rows->at);
        if (left == 0) return KT_END;
        feed = memchr(rows->at, '\n', left < KT_ROW_MAX ? left : KT_ROW_MAX);
        size_t size = (size_t)((feed ? feed : rows->end) - rows->at);
        if (size > 1 || (size == 1 && rows->at[0] != '\r')) break;
        rows->at += size + (feed ? 1 : 0); /* an empty line */
        rows->line++;
    }
    rows->last = (kt_row){.fields = rows->fields, .line = rows->line, .raw = rows->at};
    rows->count = 0;
    rows->made_text = false;
    if (!feed && left > KT_ROW_MAX)
        return kt_fail(error, KT_LIMIT, "%s:%zu: the line is longer than %zu bytes", rows->source->name, rows->line,
                       KT_ROW_MAX);
    const uint8_t *end = feed ? feed + 1 : rows->end;
    rows->last.raw_size = (size_t)(end - rows->at);
    const char *body = (const char *)rows->at;
    bool high;
    if (memchr(body, '"', rows->last.raw_size)) {
        kt_code code = split_quoted(rows, end, error);
        if (code != KT_OK) {
            rows->last.count = rows->count <= KT_COLUMNS_MAX ? rows->count : KT_COLUMNS_MAX;
            return code;
        }
        high = has_high((const char *)rows->last.raw, rows->last.raw_size);
        return check(rows, high, error);
    }
    size_t size = (size_t)((feed ? feed : rows->end) - rows->at);
    if (body[size - 1] == '\r') size--;
    split_plain(rows, body, size);
    high = has_high(body, size);
    rows->at = end;
    rows->line++;
    kt_code code = check(rows, high, error);
    if (code == KT_OK && memchr(body, '\r', size))
        code = fault(rows, error, "a carriage return within the line; lines end in LF or CR LF");
    return code;
}

kt_code kt_rows_next(kt_rows *rows, const kt_row **row, kt_error *error) {
    *row = &rows->last;
    return read_quickly(rows) ? KT_OK : read_carefully(rows, error);
}
