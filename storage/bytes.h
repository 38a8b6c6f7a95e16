/*
 * bytes: spans, byte order and variable-length integers. Big-endian where keys must sort, little-endian
 * inside values. Inline, pure, no errors but what a reader's `end` says.
 */
#ifndef KT_STORAGE_BYTES_H
#define KT_STORAGE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes. From the store: valid until the transaction ends or writes. */
typedef struct kt_span {
    const uint8_t *data;
    size_t size;
} kt_span;

__extension__ typedef __int128 kt_int128;
__extension__ typedef unsigned __int128 kt_uint128;

static inline kt_span kt_span_of(const void *data, size_t size) { return (kt_span){(const uint8_t *)data, size}; }

static inline int kt_span_compare(kt_span a, kt_span b) {
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* Up to eight bytes as one number, without a call. */
static inline uint64_t kt_bytes_word(const uint8_t *in, size_t size) {
    uint64_t word = 0;
    uint32_t low, high;
    if (size >= 4) {
        memcpy(&low, in, 4);
        memcpy(&high, in + size - 4, 4);
        return low | (uint64_t)high << 32; /* overlapping: still one number for each run of bytes of one size */
    }
    for (size_t i = 0; i < size; i++) word = word << 8 | in[i];
    return word;
}

/* Are these the same, for short ones such as codes? Without a call, whatever the size. */
static inline bool kt_bytes_same(const void *one, const void *other, size_t size) {
    const uint8_t *a = (const uint8_t *)one, *b = (const uint8_t *)other;
    uint64_t x, y, differ = 0;
    if (size <= 8) return kt_bytes_word(a, size) == kt_bytes_word(b, size);
    for (; size > 8; a += 8, b += 8, size -= 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        differ |= x ^ y;
    }
    memcpy(&x, a + size - 8, 8); /* the last eight, some of them a second time */
    memcpy(&y, b + size - 8, 8);
    return (differ | (x ^ y)) == 0;
}

/* Copies up to 32 bytes without a call. */
static inline void kt_bytes_copy(uint8_t *out, const void *data, size_t size) {
    const uint8_t *in = (const uint8_t *)data;
    if (size >= 16) {
        memcpy(out, in, 16);
        memcpy(out + size - 16, in + size - 16, 16); /* some of them a second time */
    } else if (size >= 8) {
        memcpy(out, in, 8);
        memcpy(out + size - 8, in + size - 8, 8);
    } else if (size >= 4) {
        memcpy(out, in, 4);
        memcpy(out + size - 4, in + size - 4, 4);
    } else {
        for (size_t i = 0; i < size; i++) out[i] = in[i];
    }
}

static inline void kt_put_be64(uint8_t *out, uint64_t value) {
    value = __builtin_bswap64(value);
    memcpy(out, &value, 8);
}

static inline uint64_t kt_get_be64(const uint8_t *in) {
    uint64_t value;
    memcpy(&value, in, 8);
    return __builtin_bswap64(value);
}

static inline void kt_put_be32(uint8_t *out, uint32_t value) {
    value = __builtin_bswap32(value);
    memcpy(out, &value, 4);
}

static inline uint32_t kt_get_be32(const uint8_t *in) {
    uint32_t value;
    memcpy(&value, in, 4);
    return __builtin_bswap32(value);
}

static inline void kt_put_le64(uint8_t *out, uint64_t value) { memcpy(out, &value, 8); }
static inline void kt_put_le32(uint8_t *out, uint32_t value) { memcpy(out, &value, 4); }
static inline void kt_put_le16(uint8_t *out, uint16_t value) { memcpy(out, &value, 2); }

static inline uint64_t kt_get_le64(const uint8_t *in) {
    uint64_t value;
    memcpy(&value, in, 8);
    return value;
}

static inline uint32_t kt_get_le32(const uint8_t *in) {
    uint32_t value;
    memcpy(&value, in, 4);
    return value;
}

static inline uint16_t kt_get_le16(const uint8_t *in) {
    uint16_t value;
    memcpy(&value, in, 2);
    return value;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values are kept little-endian as the machine is");

#define KT_VARINT_MAX 10
#define KT_VARINT128_MAX 19

/* LEB128. Returns behind what was written. */
static inline uint8_t *kt_put_varint(uint8_t *out, uint64_t value) {
    while (value >= 0x80) {
        *out++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

/* Returns behind what was read, NULL where it runs past end or over 64 bits. */
static inline const uint8_t *kt_get_varint(const uint8_t *in, const uint8_t *end, uint64_t *out) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (in == NULL || in == end) return NULL;
        uint8_t byte = *in++;
        if (shift == 63 && byte > 1) return NULL;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return in;
        }
    }
    return NULL;
}

/* Zigzag LEB128 of 128 bits. */
static inline uint8_t *kt_put_zigzag128(uint8_t *out, kt_int128 value) {
    kt_uint128 bits = ((kt_uint128)value << 1) ^ (kt_uint128)(value >> 127);
    for (; bits >> 64 != 0; bits >>= 7) *out++ = (uint8_t)((uint8_t)bits | 0x80);
    return kt_put_varint(out, (uint64_t)bits);
}

static inline const uint8_t *kt_get_zigzag128_wide(const uint8_t *in, const uint8_t *end, kt_int128 *out) {
    kt_uint128 bits = 0;
    for (unsigned shift = 0; shift < 128; shift += 7) {
        if (in == NULL || in == end) return NULL;
        uint8_t byte = *in++;
        if (shift == 126 && byte > 3) return NULL;
        bits |= (kt_uint128)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = (kt_int128)(bits >> 1) ^ -(kt_int128)(bits & 1);
            return in;
        }
    }
    return NULL;
}

/* Nearly all take nine bytes at the most, and then 64 bits do. */
static inline const uint8_t *kt_get_zigzag128(const uint8_t *in, const uint8_t *end, kt_int128 *out) {
    const uint8_t *at = in;
    uint64_t bits = 0;
    if (in == NULL) return NULL;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        if (at == end) return NULL;
        uint8_t byte = *at++;
        bits |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
            return at;
        }
    }
    return kt_get_zigzag128_wide(in, end, out);
}

#endif
