#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_format_options none = {0};
    feed(&kt_format_ads, &none, data, size);
    return 0;
}
