/*
 * block: a run of records as one stored value, under the number of its first record.
 *
 * A block holds up to KT_BLOCK_RECORDS records and KT_BLOCK_BYTES bytes of them. Its layout, little-endian,
 * behind the version byte and checksum that every stored value has:
 *
 *     count u32 | bytes u32 | groups * (offset u32, crc u32) | count * (length u16, crc u32) | the records' bytes
 *
 * A group is 64 records: offset is where its first record starts among the bytes, crc is the CRC32C of its slice
 * of the (length, crc) table. The value's own checksum covers table, key, count, bytes and the groups; so
 * one record is read by checking a kilobyte, and damage names its record. A record's crc is over its number (8 bytes
 * big-endian) and its bytes.
 *
 * Laws kept: 1, 12. Lifetime: a view borrows the transaction's bytes.
 */
#ifndef KT_STORAGE_BLOCK_H
#define KT_STORAGE_BLOCK_H

#include "storage/store.h"

#define KT_BLOCK_RECORDS 8192u
#define KT_BLOCK_BYTES (768u * 1024u)
#define KT_RECORD_MAX 65535u /* bytes of one record: the bound of a C2SP entry bundle */
#define KT_BLOCK_GROUP 64u

typedef struct kt_block_view {
    uint64_t first;
    uint32_t count, bytes;
    const uint8_t *groups, *table, *records;
    uint64_t checked_group;           /* the group whose slice was checked last + 1 */
    uint32_t next_index, next_offset; /* where a walk goes on */
} kt_block_view;

/* Size of the value that holds count records of `bytes` bytes, without the stored value's own head. */
size_t kt_block_size(uint32_t count, uint32_t bytes);

/* The checksum of one record: over its number and its bytes. */
uint32_t kt_block_record_crc(uint64_t number, const uint8_t *data, size_t size);

/* crcs: of the records, or NULL to have them computed. Writes the value's content to room, and the checksum into the four bytes before it. */
void kt_block_write(kt_table table, uint64_t first, uint32_t count, const uint16_t *lengths, const uint32_t *crcs,
                    const uint8_t *records, uint32_t bytes, uint8_t *room);

/* Checks the head of a stored value (whole, with version and checksum). KT_DAMAGED, KT_NEWER. */
kt_code kt_block_open(kt_table table, kt_span key, kt_span stored, kt_block_view *out, kt_error *error);
/* Record number first + index, its table slice and its bytes checked. */
kt_code kt_block_record(kt_block_view *block, uint32_t index, kt_span *record, kt_error *error);

#endif
