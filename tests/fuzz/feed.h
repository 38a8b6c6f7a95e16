/* feed: runs one reader over the fuzzer's bytes, and holds it to what every reader promises. */
#ifndef KT_TESTS_FUZZ_FEED_H
#define KT_TESTS_FUZZ_FEED_H

#include <stdlib.h>
#include <string.h>

#include "engine/exchange/format.h"

static inline void feed_touch(kt_str text) {
    volatile char sink = 0;
    for (size_t i = 0; i < text.size; i++) sink = (char)(sink ^ text.data[i]);
}

static inline void feed(const kt_format *format, const kt_format_options *options, const uint8_t *data, size_t size) {
    kt_source source = {.name = "fuzz", .data = data, .size = size};
    kt_error error = {0};
    void *reader = NULL;
    if (format->open(&source, options, &reader, &error) != KT_OK) {
        if (error.code == KT_OK || !error.text[0]) abort();
        format->close(reader);
        return;
    }
    size_t done = 0;
    for (;;) {
        kt_item item;
        memset(&item, 0, sizeof item);
        kt_code code = format->next(reader, &item, &error);
        if (code == KT_END || (code != KT_OK && !item.can_go_on)) break;
        /* Forward with every item, own bytes within the source, and a reason for every refusal. */
        if (item.done < done || item.done > size || item.raw < data || item.raw + item.raw_size > data + size) abort();
        if (code != KT_OK && (error.code != code || strncmp(error.text, "fuzz:", 5))) abort();
        done = item.done;
        feed_touch(item.entry.voucher);
        feed_touch(item.entry.text);
        for (size_t i = 0; i < item.entry.line_count; i++) {
            feed_touch(item.entry.lines[i].account);
            feed_touch(item.entry.lines[i].text);
            for (size_t d = 0; d < item.entry.lines[i].dimension_count; d++)
                feed_touch(item.entry.lines[i].dimensions[d].value);
        }
    }
    feed_touch(format->preamble(reader));
    format->close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
