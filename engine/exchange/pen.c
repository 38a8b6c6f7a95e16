#include "engine/exchange/pen.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void kt_pen_init(kt_pen *pen, kt_export_write write, void *context) {
    pen->write = write;
    pen->context = context;
    pen->used = 0;
    pen->failure = (kt_error){0};
}

static void flush(kt_pen *pen) {
    if (pen->write && pen->used > 0 && !kt_pen_failed(pen)) {
        kt_code code = pen->write(pen->context, pen->buffer, pen->used, &pen->failure);
        pen->failure.code = code; /* also of a taker that says no more than that */
    }
    pen->used = 0;
}

kt_code kt_pen_finish(kt_pen *pen, kt_error *error) {
    flush(pen);
    if (kt_pen_failed(pen) && error) *error = pen->failure;
    return pen->failure.code;
}

void kt_pen_put(kt_pen *pen, const char *data, size_t size) {
    if (!pen->write) return;
    while (size > 0) {
        if (pen->used == KT_PEN_ROOM) flush(pen);
        size_t part = KT_PEN_ROOM - pen->used;
        if (part > size) part = size;
        memcpy(pen->buffer + pen->used, data, part);
        pen->used += part;
        data += part;
        size -= part;
    }
}

void kt_pen_words(kt_pen *pen, const char *text) { kt_pen_put(pen, text, strlen(text)); }

void kt_pen_text(kt_pen *pen, kt_str text) { kt_pen_put(pen, text.data, text.size); }

void kt_pen_day(kt_pen *pen, kt_day day) {
    char text[KT_DAY_TEXT];
    kt_pen_words(pen, kt_day_format(day, text));
}

void kt_pen_count(kt_pen *pen, uint64_t count) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, count);
    kt_pen_words(pen, text);
}

void kt_pen_amount(kt_pen *pen, kt_amount amount, uint8_t decimals) {
    char text[KT_AMOUNT_TEXT];
    kt_pen_put(pen, text, kt_amount_format(amount, decimals, 0, text));
}

void kt_pen_field(kt_pen *pen, kt_str text) {
    bool quoted = text.size > 0 && (text.data[0] == ' ' || text.data[text.size - 1] == ' ');
    for (size_t i = 0; i < text.size && !quoted; i++) quoted = strchr(",\"\r\n", text.data[i]) != NULL;
    if (!quoted) {
        kt_pen_text(pen, text);
        return;
    }
    kt_pen_put(pen, "\"", 1);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"') kt_pen_put(pen, "\"", 1);
        kt_pen_put(pen, text.data + i, 1);
    }
    kt_pen_put(pen, "\"", 1);
}

void kt_pen_string(kt_pen *pen, kt_str text, const char *also) {
    kt_pen_put(pen, "\"", 1);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        char escaped[8];
        if (c == '"' || c == '\\') {
            snprintf(escaped, sizeof escaped, "\\%c", c);
            kt_pen_words(pen, escaped);
        } else if (c < 0x20 || c == 0x7f || strchr(also, c)) {
            snprintf(escaped, sizeof escaped, "\\u%04x", c);
            kt_pen_words(pen, escaped);
        } else if (c == 0xc2 && i + 1 < text.size && (unsigned char)text.data[i + 1] < 0xa0) {
            /* U+0080 to U+009F, among them a line end */
            snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned char)text.data[++i]);
            kt_pen_words(pen, escaped);
        } else {
            kt_pen_put(pen, text.data + i, 1);
        }
    }
    kt_pen_put(pen, "\"", 1);
}
