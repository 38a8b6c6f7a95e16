/* Any bytes as a block under any number. The first byte says which checksums are made to fit, so that what lies behind
   them is met too; a record that is given lies within the block. */
#include <stdlib.h>

#include "storage/block.h"
#include "storage/digest.h"
#include "storage/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The head's checksum, and those of the slices of the table that are there. */
static void mend(uint8_t how, kt_span key, uint8_t *stored, size_t size) {
    if (size < KT_VALUE_OVERHEAD + 8) return;
    uint8_t *at = stored + KT_VALUE_OVERHEAD;
    uint32_t count = kt_get_le32(at);
    size_t groups = count / KT_BLOCK_GROUP + (count % KT_BLOCK_GROUP != 0), head = 8 + groups * 8,
           room = size - KT_VALUE_OVERHEAD;
    if (count > KT_BLOCK_RECORDS || head + (size_t)count * 6 > room) return;
    if (how & 2) kt_put_le32(at + 4, (uint32_t)(room - head - (size_t)count * 6));
    for (size_t g = 0; g < groups && (how & 4); g++) {
        size_t here = g + 1 < groups ? KT_BLOCK_GROUP : count - g * KT_BLOCK_GROUP;
        kt_put_le32(at + 8 + g * 8 + 4, kt_crc32c(0, at + head + g * KT_BLOCK_GROUP * 6, here * 6));
    }
    kt_put_le32(stored + 1, kt_value_crc(KT_TABLE_BLOCKS, key, at, head));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kt_block_view view;
    kt_span record;
    kt_error error = {0};
    if (size < 9) return 0;
    kt_span key = kt_span_of(data + 1, 8);
    size_t stored_size = size - 9;
    uint8_t *stored = malloc(stored_size + 1);
    if (stored == NULL) return 0;
    memcpy(stored, data + 9, stored_size);
    if (data[0] & 1) mend(data[0], key, stored, stored_size);
    kt_code code = kt_block_open(KT_TABLE_BLOCKS, key, kt_span_of(stored, stored_size), &view, &error);
    if (code != KT_OK && (error.code != code || error.text[0] == 0)) abort();
    if (code == KT_OK && (view.count == 0 || view.count > KT_BLOCK_RECORDS)) abort();
    for (uint32_t i = 0; code == KT_OK && i < view.count; i++) {
        error = (kt_error){0};
        kt_code read = kt_block_record(&view, i, &record, &error);
        if (read == KT_OK && (record.data < stored || record.data + record.size > stored + stored_size)) abort();
        if (read != KT_OK && (read != KT_DAMAGED || error.text[0] == 0)) abort();
    }
    free(stored);
    return 0;
}
