/* A block: each record comes back as it went in; each flipped bit is found, and names its record or the block. */
#include "storage/block.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/storing.h"

typedef struct made {
    uint64_t first;
    uint32_t count, bytes;
    uint16_t lengths[KT_BLOCK_RECORDS];
    uint8_t *records, *stored; /* stored: whole, with version and checksum */
    size_t size;
    uint8_t key[8];
} made;

static void make(made *block, uint64_t first, uint32_t count, uint32_t longest, uint64_t *random) {
    *block = (made){.first = first, .count = count};
    block->records = malloc((size_t)count * longest + 1);
    for (uint32_t i = 0; i < count; i++) {
        block->lengths[i] = (uint16_t)(test_random(random) % (longest + 1));
        for (uint32_t k = 0; k < block->lengths[i]; k++)
            block->records[block->bytes + k] = (uint8_t)test_random(random);
        block->bytes += block->lengths[i];
    }
    block->size = KT_VALUE_OVERHEAD + kt_block_size(count, block->bytes);
    block->stored = malloc(block->size);
    block->stored[0] = 1;
    kt_block_write(KT_TABLE_BLOCKS, first, count, block->lengths, NULL, block->records, block->bytes,
                   block->stored + KT_VALUE_OVERHEAD);
    kt_put_be64(block->key, first);
}

static void unmake(made *block) {
    free(block->records);
    free(block->stored);
}

static kt_code open_block(const made *block, kt_block_view *view, kt_error *error) {
    return kt_block_open(KT_TABLE_BLOCKS, kt_span_of(block->key, 8), kt_span_of(block->stored, block->size), view,
                         error);
}

/* The first record that does not come back as it went in; count where all do. */
static uint32_t first_wrong(const made *block, kt_error *error) {
    kt_block_view view;
    kt_span record;
    uint32_t offset = 0;
    if (open_block(block, &view, error) != KT_OK) return UINT32_MAX;
    for (uint32_t i = 0; i < block->count; offset += block->lengths[i++])
        if (kt_block_record(&view, i, &record, error) != KT_OK ||
            kt_span_compare(record, kt_span_of(block->records + offset, block->lengths[i])) != 0)
            return i;
    return block->count;
}

static void test_back_and_forth(uint64_t *random) {
    static const uint32_t counts[] = {1, 2, 63, 64, 65, 128, 129, 1000, KT_BLOCK_RECORDS};
    kt_error error = {0};
    bool all = true;
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        made block;
        make(&block, test_random(random) >> 8, counts[i], 90, random);
        all &= first_wrong(&block, &error) == counts[i];
        unmake(&block);
    }
    ok(all, "records come back as they went in, from one to %u of them", KT_BLOCK_RECORDS);

    made block;
    kt_block_view view;
    kt_span record;
    make(&block, 100, 300, 40, random);
    bool good = open_block(&block, &view, &error) == KT_OK;
    for (int i = 0; i < 2000; i++)
        good &= kt_block_record(&view, (uint32_t)(test_random(random) % 300), &record, &error) == KT_OK;
    ok(good, "and in any order");
    unmake(&block);
}

/* What a flipped bit at `at` must be blamed on: the head, an offset table, or one record. */
static void expect(const made *block, size_t at, char out[100]) {
    size_t groups = (block->count + KT_BLOCK_GROUP - 1) / KT_BLOCK_GROUP, head = KT_VALUE_OVERHEAD + 8 + groups * 8;
    size_t table = head + (size_t)block->count * 6;
    if (at < head) {
        (void)snprintf(out, 100, "block of record %llu", (unsigned long long)block->first);
        return;
    }
    uint32_t index = 0;
    if (at < table)
        index = (uint32_t)((at - head) / 6 / KT_BLOCK_GROUP * KT_BLOCK_GROUP); /* the first of the group meets it */
    else
        for (size_t offset = table + block->lengths[0]; offset <= at; offset += block->lengths[++index]) {
        }
    (void)snprintf(out, 100, "record %llu: ", (unsigned long long)(block->first + index));
}

static void test_flips(uint64_t *random) {
    made block;
    kt_error error;
    make(&block, 5000, 150, 30, random);
    int silent = 0, misnamed = 0;
    for (size_t at = 0; at < block.size; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            char blamed[100];
            error = (kt_error){0};
            block.stored[at] ^= (uint8_t)(1u << bit);
            bool whole = first_wrong(&block, &error) == block.count;
            block.stored[at] ^= (uint8_t)(1u << bit);
            expect(&block, at, blamed);
            silent += whole;
            if (!whole && (error.code > KT_DAMAGED || strstr(error.text, blamed) == NULL) && misnamed++ == 0)
                diag("byte %zu: '%s' does not name '%s'", at, error.text, blamed);
        }
    is_int(silent, 0, "every flipped bit of a block is found");
    is_int(misnamed, 0, "and named: the record, the offset table at its first record, or the block");
    ok(first_wrong(&block, &error) == block.count, "without one the block reads");

    block.stored[block.size - 1] ^= 1;
    kt_block_view view;
    kt_span record;
    (void)open_block(&block, &view, &error);
    is_code(kt_block_record(&view, 0, &record, &error), KT_OK, "one damaged record leaves the others readable");
    block.stored[block.size - 1] ^= 1;
    block.key[7] ^= 1;
    is_code(open_block(&block, &view, &error), KT_DAMAGED, "a block under another number is found");
    block.key[7] ^= 1;
    is_code(
        kt_block_open(KT_TABLE_TILES, kt_span_of(block.key, 8), kt_span_of(block.stored, block.size), &view, &error),
        KT_DAMAGED, "and in another table");
    unmake(&block);
}

static void test_limits(uint64_t *random) {
    made block;
    kt_block_view view;
    kt_error error;
    make(&block, 7, 3, 10, random);
    int taken = 0;
    for (size_t size = 0; size < block.size; size++)
        taken += kt_block_open(KT_TABLE_BLOCKS, kt_span_of(block.key, 8), kt_span_of(block.stored, size), &view,
                               &error) == KT_OK;
    is_int(taken, 0, "a block cut anywhere is refused");
    is_code(
        kt_block_open(KT_TABLE_BLOCKS, kt_span_of(block.key, 7), kt_span_of(block.stored, block.size), &view, &error),
        KT_DAMAGED, "and one whose key is no number");
    /* Counts that claim too much are refused before anything is read through them. */
    uint8_t *at = block.stored + KT_VALUE_OVERHEAD;
    kt_put_le32(at, KT_BLOCK_RECORDS + 1);
    is_code(open_block(&block, &view, &error), KT_DAMAGED, "more records than a block holds are refused");
    kt_put_le32(at, 0);
    is_code(open_block(&block, &view, &error), KT_DAMAGED, "none too");
    kt_put_le32(at, 3);
    kt_put_le32(at + 4, KT_BLOCK_BYTES + 1);
    is_code(open_block(&block, &view, &error), KT_DAMAGED, "more bytes than a block holds too");
    kt_put_le32(at + 4, block.bytes);
    is_code(open_block(&block, &view, &error), KT_OK, "and the right ones are taken");
    block.stored[0] = 2;
    is_code(open_block(&block, &view, &error), KT_NEWER, "a block of a later version says so");
    unmake(&block);
}

int main(void) {
    uint64_t random = test_seed();
    test_back_and_forth(&random);
    test_flips(&random);
    test_limits(&random);
    return done();
}
