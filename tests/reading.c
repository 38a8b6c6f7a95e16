#include "tests/reading.h"

#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"

static void put_str(FILE *out, const char *before, kt_str text, const char *after) {
    if (text.size) fprintf(out, "%s%.*s%s", before, (int)text.size, text.data, after);
}

static void put_amount(FILE *out, kt_amount amount, uint8_t given) {
    char buffer[KT_AMOUNT_TEXT];
    if (given == 0) {
        fputs(" ?", out);
        return;
    }
    kt_amount_format(amount, (uint8_t)(given - 1), 0, buffer);
    fprintf(out, " %s", buffer);
}

static void put_entry(FILE *out, const kt_entry *entry) {
    char day[KT_DAY_TEXT];
    fputs(entry->date == KT_DAY_NONE ? "no date" : kt_day_format(entry->date, day), out);
    fputc(' ', out);
    put_str(out, "", entry->series, "/");
    put_str(out, "", entry->voucher, "");
    put_str(out, " \"", entry->text, "\"");
    put_str(out, " (", entry->ref, ")");
    for (size_t i = 0; i < entry->line_count; i++) {
        const kt_line *line = &entry->lines[i];
        fprintf(out, "%s%.*s", i ? "; " : ": ", (int)line->account.size, line->account.data);
        put_amount(out, line->amount, line->amount_given);
        put_str(out, " ", line->currency, "");
        if (line->has_cost) {
            fputs(" @", out);
            put_amount(out, line->cost, line->cost_given);
            put_str(out, " ", line->cost_currency, "");
        }
        for (size_t d = 0; d < line->dimension_count; d++)
            fprintf(out, " {%u=%.*s}", line->dimensions[d].dimension, (int)line->dimensions[d].value.size,
                    line->dimensions[d].value.data);
        put_str(out, " \"", line->text, "\"");
        put_str(out, " (", line->ref, ")");
        put_str(out, " %", line->tax_code, "");
    }
    fputc('\n', out);
}

static void read_all(FILE *out, const kt_format *format, void *reader, bool raw) {
    for (;;) {
        kt_item item;
        kt_error error = {0};
        memset(&item, 0, sizeof item);
        kt_code code = format->next(reader, &item, &error);
        if (code == KT_END) break;
        if (code != KT_OK) {
            fprintf(out, "%s %s\n", item.can_go_on ? "!" : "!!", error.text);
            if (!item.can_go_on) break;
        } else {
            put_entry(out, &item.entry);
        }
        if (raw) fprintf(out, "[%.*s]\n", (int)item.raw_size, (const char *)item.raw);
    }
}

char *reading(const kt_format *format, const kt_format_options *options, const void *data, size_t size, bool raw) {
    static const kt_format_options none;
    char *text = NULL;
    size_t text_size = 0;
    FILE *out = open_memstream(&text, &text_size);
    if (!out) abort();
    /* Of its own, and exactly as long, so that a byte read behind it is found. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) abort();
    if (size) memcpy(copy, data, size);
    kt_source source = {.name = "in", .data = copy, .size = size};
    void *reader = NULL;
    kt_error error = {0};
    if (format->open(&source, options ? options : &none, &reader, &error) != KT_OK) fprintf(out, "!! %s\n", error.text);
    else read_all(out, format, reader, raw);
    format->close(reader);
    free(copy);
    fclose(out);
    return text;
}

char *reading_text(const kt_format *format, const kt_format_options *options, const char *text) {
    return reading(format, options, text, strlen(text), false);
}

bool reads(const kt_format *format, const kt_format_options *options, const char *text, const char *expected,
           const char *law) {
    char *found = reading_text(format, options, text);
    bool good = is_text(found, expected, "%s", law);
    free(found);
    return good;
}

bool reading_has(const kt_format *format, const kt_format_options *options, const char *text, const char *part,
                 const char *law) {
    char *found = reading_text(format, options, text);
    bool good = has_text(found, part, "%s", law);
    free(found);
    return good;
}
