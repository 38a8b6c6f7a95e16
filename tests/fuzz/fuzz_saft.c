/* The SAF-T reader, with openings posted and without. Beyond 64 KiB bytes bring nothing that fewer do not. */
#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_format_options none = {0}, openings = {.openings = "2050"};
    if (size > 65536) return -1;
    feed(&kt_format_saft, &none, data, size);
    feed(&kt_format_saft, &openings, data, size);
    return 0;
}
