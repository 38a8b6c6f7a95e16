/*
 * digest: SHA-256 and CRC32C.
 *
 * SHA-256 comes from OpenSSL (SHA-NI where the processor has it), through its low-level calls: one state
 * on the stack, nothing fetched and nothing allocated for each hash, since the tree makes two of them for
 * every record. CRC32C (RFC 3720, appendix B.4: polynomial 0x1EDC6F41 reflected, initial and final
 * complement) uses SSE4.2 where the processor has it, else tables; both give the same.
 */
#ifndef KT_STORAGE_DIGEST_H
#define KT_STORAGE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define KT_HASH_SIZE 32

typedef struct kt_sha256 { /* a running hash; a plain value, copied freely */
    _Alignas(16) unsigned char opaque[128];
} kt_sha256;

void kt_sha256_init(kt_sha256 *hash);
void kt_sha256_update(kt_sha256 *hash, const void *data, size_t size);
void kt_sha256_final(kt_sha256 *hash, uint8_t out[KT_HASH_SIZE]);
void kt_sha256_of(const void *data, size_t size, uint8_t out[KT_HASH_SIZE]);

/* RFC 6962, section 2.1: leaf = SHA-256(0x00 || data), node = SHA-256(0x01 || left || right). */
void kt_leaf_hash(const void *data, size_t size, uint8_t out[KT_HASH_SIZE]);
void kt_node_hash(const uint8_t left[KT_HASH_SIZE], const uint8_t right[KT_HASH_SIZE], uint8_t out[KT_HASH_SIZE]);

/* Continues a CRC32C: 0 to begin with. */
uint32_t kt_crc32c(uint32_t crc, const void *data, size_t size);
/* Of a number (8 bytes, big-endian) and the bytes behind it: what a record's checksum covers. */
uint32_t kt_crc32c_numbered(uint64_t number, const void *data, size_t size);
/* The same as kt_crc32c without the processor's help: what runs where there is none, and what tests compare with. */
uint32_t kt_crc32c_by_table(uint32_t crc, const void *data, size_t size);

#endif
