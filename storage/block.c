#include "storage/block.h"

#include "storage/digest.h"

#define HEAD 8u
#define GROUP_ENTRY 8u
#define TABLE_ENTRY 6u

static uint32_t group_count(uint32_t count) { return (count + KT_BLOCK_GROUP - 1) / KT_BLOCK_GROUP; }

size_t kt_block_size(uint32_t count, uint32_t bytes) {
    return HEAD + (size_t)group_count(count) * GROUP_ENTRY + (size_t)count * TABLE_ENTRY + bytes;
}

uint32_t kt_block_record_crc(uint64_t number, const uint8_t *data, size_t size) {
    return kt_crc32c_numbered(number, data, size);
}

void kt_block_write(kt_table table, uint64_t first, uint32_t count, const uint16_t *lengths, const uint32_t *crcs,
                    const uint8_t *records, uint32_t bytes, uint8_t *room) {
    uint32_t groups = group_count(count);
    uint8_t *group = room + HEAD, *entry = group + (size_t)groups * GROUP_ENTRY;
    uint8_t *out = entry + (size_t)count * TABLE_ENTRY, *slice = entry;
    kt_put_le32(room, count);
    kt_put_le32(room + 4, bytes);
    uint32_t offset = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i % KT_BLOCK_GROUP == 0) kt_put_le32(group, offset);
        kt_put_le16(entry, lengths[i]);
        kt_put_le32(entry + 2, crcs != NULL ? crcs[i] : kt_block_record_crc(first + i, records + offset, lengths[i]));
        entry += TABLE_ENTRY;
        offset += lengths[i];
        if (i % KT_BLOCK_GROUP == KT_BLOCK_GROUP - 1 || i == count - 1) {
            kt_put_le32(group + 4, kt_crc32c(0, slice, (size_t)(entry - slice)));
            group += GROUP_ENTRY;
            slice = entry;
        }
    }
    memcpy(out, records, bytes);
    uint8_t key[8];
    kt_put_be64(key, first);
    kt_put_le32(room - 4, kt_value_crc(table, kt_span_of(key, 8), room, HEAD + (size_t)groups * GROUP_ENTRY));
}

kt_code kt_block_open(kt_table table, kt_span key, kt_span stored, kt_block_view *out, kt_error *error) {
    if (key.size != 8) return kt_fail(error, KT_DAMAGED, "a block's key has %zu bytes, expected 8", key.size);
    uint64_t first = kt_get_be64(key.data);
    if (stored.size < KT_VALUE_OVERHEAD + HEAD || stored.data[0] == 0)
        return kt_fail(error, KT_DAMAGED, "block of record %llu: too short", (unsigned long long)first);
    if (stored.data[0] > 1)
        return kt_fail(error, KT_NEWER, "block of record %llu: version %u, expected 1", (unsigned long long)first,
                       stored.data[0]);
    const uint8_t *at = stored.data + KT_VALUE_OVERHEAD;
    size_t size = stored.size - KT_VALUE_OVERHEAD;
    uint32_t count = kt_get_le32(at), bytes = kt_get_le32(at + 4);
    if (count == 0 || count > KT_BLOCK_RECORDS || bytes > KT_BLOCK_BYTES || size != kt_block_size(count, bytes))
        return kt_fail(error, KT_DAMAGED, "block of record %llu: its size does not fit its counts",
                       (unsigned long long)first);
    size_t head = HEAD + (size_t)group_count(count) * GROUP_ENTRY;
    uint32_t expected = kt_get_le32(stored.data + 1), found = kt_value_crc(table, key, at, head);
    if (expected != found)
        return kt_fail(error, KT_DAMAGED, "block of record %llu: head checksum %08x, expected %08x",
                       (unsigned long long)first, found, expected);
    *out = (kt_block_view){first, count, bytes, at + HEAD, at + head, at + head + (size_t)count * TABLE_ENTRY, 0, 0, 0};
    return KT_OK;
}

static bool check_group(kt_block_view *block, uint32_t group) {
    uint32_t begin = group * KT_BLOCK_GROUP;
    uint32_t records = block->count - begin < KT_BLOCK_GROUP ? block->count - begin : KT_BLOCK_GROUP;
    uint32_t expected = kt_get_le32(block->groups + (size_t)group * GROUP_ENTRY + 4);
    if (kt_crc32c(0, block->table + (size_t)begin * TABLE_ENTRY, (size_t)records * TABLE_ENTRY) != expected)
        return false;
    block->checked_group = group + 1;
    return true;
}

/* The group's first record lies where the group says; the others follow each other. */
static uint64_t find_offset(const kt_block_view *block, uint32_t group, uint32_t index) {
    uint32_t begin = group * KT_BLOCK_GROUP;
    uint64_t offset = kt_get_le32(block->groups + (size_t)group * GROUP_ENTRY);
    const uint8_t *slice = block->table + (size_t)begin * TABLE_ENTRY;
    for (uint32_t i = begin; i < index; i++, slice += TABLE_ENTRY) offset += kt_get_le16(slice);
    return offset;
}

kt_code kt_block_record(kt_block_view *block, uint32_t index, kt_span *record, kt_error *error) {
    uint64_t number = block->first + index, offset = block->next_offset;
    uint32_t group = index / KT_BLOCK_GROUP;
    const uint8_t *slice = block->table + (size_t)index * TABLE_ENTRY;
    if (block->checked_group != group + 1) {
        if (!check_group(block, group))
            return kt_fail(error, KT_DAMAGED, "record %llu: its offset table is damaged", (unsigned long long)number);
        offset = find_offset(block, group, index);
    } else if (index != block->next_index) offset = find_offset(block, group, index);
    uint16_t length = kt_get_le16(slice);
    if (offset + length > block->bytes)
        return kt_fail(error, KT_DAMAGED, "record %llu: lies outside its block", (unsigned long long)number);
    block->next_index = index + 1;
    block->next_offset = (uint32_t)offset + length;
    *record = kt_span_of(block->records + offset, length);
    uint32_t found = kt_block_record_crc(number, record->data, record->size), expected = kt_get_le32(slice + 2);
    if (found == expected) return KT_OK;
    return kt_fail(error, KT_DAMAGED, "record %llu: checksum %08x, expected %08x", (unsigned long long)number, found,
                   expected);
}
