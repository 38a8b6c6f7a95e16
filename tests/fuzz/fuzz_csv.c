#include "tests/fuzz/feed.h"

/* The first byte chooses the options. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    kt_format_options options = {.delimiter = data[0] & 1 ? ';' : 0,
                                 .decimal = data[0] & 2 ? ',' : 0,
                                 .group = data[0] & 4 ? ' ' : 0,
                                 .encoding = data[0] & 8 ? "windows-1252" : NULL,
                                 .date_format = data[0] & 16 ? "%d.%m.%y" : NULL};
    feed(&kt_format_csv, &options, data + 1, size - 1);
    return 0;
}
