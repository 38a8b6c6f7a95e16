/* saft_pen: elements of a SAF-T file, through libxml2's xmlTextWriter to whoever takes the bytes. */
#include <libxml/xmlwriter.h>
#include <string.h>

#include "engine/exchange/saft_write.h"

#define REPLACEMENT "\xEF\xBF\xBD"

/* ---- Fields ------------------------------------------------------------------------------------- */

/* XML 1.0, production 2. All kept text is UTF-8, so that surrogates cannot be there. */
static bool holds(const unsigned char *at, size_t size) {
    if (size == 1) return at[0] >= 0x20 || at[0] == '\t' || at[0] == '\n' || at[0] == '\r';
    return !(size == 3 && at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe);
}

kt_saft_change kt_saft_field(kt_str text, size_t most, char out[KT_SAFT_FIELD]) {
    kt_saft_change change = {0};
    size_t used = 0, characters = 0;
    for (size_t i = 0; i < text.size;) {
        const unsigned char *at = (const unsigned char *)text.data + i;
        size_t size = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
        if (size > text.size - i) size = text.size - i;
        if (characters++ == most) {
            change.cut = true;
            break;
        }
        bool good = holds(at, size);
        size_t written = good ? size : sizeof REPLACEMENT - 1;
        memcpy(out + used, good ? (const char *)at : REPLACEMENT, written);
        change.replaced += !good;
        used += written;
        i += size;
    }
    out[used] = 0;
    return change;
}

/* ---- The taker ---------------------------------------------------------------------------------- */

/* libxml2 is never told of a failure: it would print it. */
static int to_taker(void *context, const char *data, int size) {
    kt_saft_writer *writer = context;
    if (writer->failure.code != KT_OK) return size;
    if (size > 0 && writer->write(writer->context, data, (size_t)size, &writer->failure) != KT_OK) {
        if (writer->failure.code == KT_OK) writer->failure.code = KT_IO; /* a taker that says nothing */
        writer->failed = true;
    }
    return size;
}

static int close_nothing(void *context) {
    (void)context;
    return 0;
}

kt_code kt_saft_pen_open(kt_saft_writer *writer, kt_error *error) {
    xmlOutputBufferPtr buffer = xmlOutputBufferCreateIO(to_taker, close_nothing, writer, NULL);
    writer->pen = buffer ? xmlNewTextWriter(buffer) : NULL;
    if (buffer && !writer->pen) xmlOutputBufferClose(buffer);
    if (!writer->pen) return kt_fail(error, KT_MEMORY, "no memory for an export");
    writer->failed = xmlTextWriterSetIndent(writer->pen, 1) < 0 ||
                     xmlTextWriterStartDocument(writer->pen, "1.0", "UTF-8", NULL) < 0;
    return KT_OK;
}

void kt_saft_pen_close(kt_saft_writer *writer) {
    if (writer->pen) xmlFreeTextWriter(writer->pen);
    writer->pen = NULL;
}

kt_code kt_saft_finish(kt_saft_writer *writer, kt_error *error) {
    if (!writer->failed && xmlTextWriterEndDocument(writer->pen) < 0) writer->failed = true;
    if (!writer->failed && xmlTextWriterFlush(writer->pen) < 0) writer->failed = true;
    if (!writer->failed && writer->failure.code == KT_OK) return KT_OK;
    if (writer->failure.code == KT_OK) return kt_fail(error, KT_MEMORY, "no memory for an export");
    if (error) *error = writer->failure;
    return writer->failure.code;
}

/* ---- Elements ----------------------------------------------------------------------------------- */

static const xmlChar *x(const char *text) { return (const xmlChar *)text; }

void kt_saft_begin(kt_saft_writer *writer, const char *name) {
    if (!writer->failed && xmlTextWriterStartElement(writer->pen, x(name)) < 0) writer->failed = true;
}

void kt_saft_attribute(kt_saft_writer *writer, const char *name, const char *value) {
    if (!writer->failed && xmlTextWriterWriteAttribute(writer->pen, x(name), x(value)) < 0) writer->failed = true;
}

void kt_saft_end(kt_saft_writer *writer) {
    if (!writer->failed && xmlTextWriterEndElement(writer->pen) < 0) writer->failed = true;
}

void kt_saft_words(kt_saft_writer *writer, const char *name, const char *text) {
    if (!writer->failed && xmlTextWriterWriteElement(writer->pen, x(name), x(text)) < 0) writer->failed = true;
}

void kt_saft_text(kt_saft_writer *writer, const char *name, kt_str text, size_t most) {
    char field[KT_SAFT_FIELD];
    kt_saft_change change = kt_saft_field(text, most, field);
    writer->result->texts_cut += change.cut;
    writer->result->characters_replaced += change.replaced;
    kt_saft_words(writer, name, field);
}

void kt_saft_count(kt_saft_writer *writer, const char *name, uint64_t count) {
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)count);
    kt_saft_words(writer, name, text);
}

void kt_saft_day(kt_saft_writer *writer, const char *name, kt_day day) {
    char text[KT_DAY_TEXT];
    kt_saft_words(writer, name, kt_day_format(day, text));
}

void kt_saft_amount(kt_saft_writer *writer, const char *name, kt_amount amount, uint8_t decimals) {
    char text[KT_AMOUNT_TEXT];
    kt_amount written = amount;
    uint8_t places = decimals;
    (void)kt_saft_monetary(amount, decimals, &written, &places); /* looked at before: it can */
    kt_amount_format(written, places, 0, text);
    kt_saft_words(writer, name, text);
}
