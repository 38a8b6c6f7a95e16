#include "storage/digest.h"

#include <stdbool.h>
#include <string.h>

/* OpenSSL 3 calls these deprecated in favour of EVP, which fetches and allocates for each hash and costs several
   times more on the 64-byte inputs of the tree. Both run the same assembly. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#include <nmmintrin.h>
#include <wmmintrin.h>
#define HAVE_SSE42 1
#else
#define HAVE_SSE42 0
#endif

#define BLOCK 64

_Static_assert(sizeof(SHA256_CTX) <= sizeof(((kt_sha256 *)0)->opaque), "an OpenSSL state fits into kt_sha256");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(kt_sha256), "kt_sha256 is aligned for an OpenSSL state");
_Static_assert(KT_HASH_SIZE == SHA256_DIGEST_LENGTH, "the size of a SHA-256");

static SHA256_CTX *state_of(kt_sha256 *hash) { return (SHA256_CTX *)(void *)hash->opaque; }

void kt_sha256_init(kt_sha256 *hash) {
    memset(hash->opaque, 0, sizeof hash->opaque);
    SHA256_Init(state_of(hash));
}

void kt_sha256_update(kt_sha256 *hash, const void *data, size_t size) {
    if (size > 0) SHA256_Update(state_of(hash), data, size);
}

void kt_sha256_final(kt_sha256 *hash, uint8_t out[KT_HASH_SIZE]) { SHA256_Final(out, state_of(hash)); }

static void store_be32(uint8_t *out, uint32_t value) {
    value = __builtin_bswap32(value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    memcpy(out, &value, 4);
}

/* The initial value of FIPS 180-4, section 5.3.3. SHA256_Transform reads and writes h alone, so the rest of the
   state is left as it lies. */
static void state_start(SHA256_CTX *state) {
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(state->h, initial, sizeof initial);
}

static void state_write(const SHA256_CTX *state, uint8_t out[KT_HASH_SIZE]) {
    for (int i = 0; i < 8; i++) store_be32(out + 4 * i, (uint32_t)state->h[i]);
}

/* Closes a hash of `total` bytes, the last `rest` of which (fewer than a block) lie in block already. */
static void state_pad(SHA256_CTX *state, uint8_t block[BLOCK], size_t rest, uint64_t total) {
    block[rest++] = 0x80;
    memset(block + rest, 0, BLOCK - rest);
    if (rest > BLOCK - 8) {
        SHA256_Transform(state, block);
        memset(block, 0, BLOCK);
    }
    store_be32(block + 56, (uint32_t)(total >> 29));
    store_be32(block + 60, (uint32_t)(total << 3));
    SHA256_Transform(state, block);
}

void kt_sha256_of(const void *data, size_t size, uint8_t out[KT_HASH_SIZE]) {
    SHA256_CTX state;
    SHA256_Init(&state);
    if (size > 0) SHA256_Update(&state, data, size);
    SHA256_Final(out, &state);
}

static void prefixed_hash(uint8_t prefix, const uint8_t *bytes, size_t size, uint8_t out[KT_HASH_SIZE]) {
    uint8_t block[BLOCK];
    block[0] = prefix;
    if (size >= 4 * BLOCK) { /* from here on Update's cost is lost among the blocks', and it takes many at a time */
        SHA256_CTX whole;
        SHA256_Init(&whole);
        SHA256_Update(&whole, block, 1);
        SHA256_Update(&whole, bytes, size);
        SHA256_Final(out, &whole);
        return;
    }
    SHA256_CTX state;
    state_start(&state);
    uint64_t total = (uint64_t)size + 1;
    size_t filled = 1;
    while (size >= BLOCK - filled) {
        memcpy(block + filled, bytes, BLOCK - filled);
        bytes += BLOCK - filled;
        size -= BLOCK - filled;
        filled = 0;
        SHA256_Transform(&state, block);
    }
    if (size > 0) memcpy(block + filled, bytes, size);
    state_pad(&state, block, filled + size, total);
    state_write(&state, out);
}

#if defined(__x86_64__)
/* OpenSSL loads a block sixteen bytes at a time. Where those were stored in other pieces, it waits until they have left
   the processor for its cache, and cannot begin one hash while the last is still going on; so blocks are put together
   in registers and stored as they are loaded. That is a third of a node's time. */
#define UNIT 16u
#define UNITS (BLOCK / UNIT)
#define LEAF_BLOCKS 4u                                     /* of a leaf that is put together here */
#define LEAF_LEAST UNIT                                    /* its last bytes are loaded as a unit */
#define LEAF_MOST (LEAF_BLOCKS * BLOCK - 1 - 1 - 8)        /* behind the prefix, before the padding and the length */
#define BITS(bytes) __builtin_bswap64((bytes)*UINT64_C(8)) /* as the length is written */

__extension__ typedef unsigned __int128 unit;

static inline __m128i load(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)(const void *)bytes); }

/* Sixteen bytes of a row of bytes that is moved back by one: `before` ends where `here` begins. */
static inline __m128i moved(__m128i before, __m128i here) {
    return _mm_or_si128(_mm_slli_si128(here, 1), _mm_srli_si128(before, 15));
}

/* Volatile, or a loop of these is made into a call of memcpy, which stores in pieces of its own choice. */
static inline void put(__m128i *at, __m128i value) { *(volatile __m128i *)at = value; }

static inline __m128i swap_words(__m128i words) {
    words = _mm_or_si128(_mm_slli_epi16(words, 8), _mm_srli_epi16(words, 8));
    return _mm_shufflehi_epi16(_mm_shufflelo_epi16(words, 0xb1), 0xb1);
}

static inline void hash_blocks(const __m128i *units, size_t blocks, uint8_t out[KT_HASH_SIZE]) {
    SHA256_CTX state;
    state_start(&state);
    if (blocks == 1) SHA256_Transform(&state, (const uint8_t *)units);
    else {
        state.Nl = state.Nh = state.num = 0;
        SHA256_Update(&state, units, blocks * BLOCK);
    }
    __m128i low = load((const uint8_t *)state.h), high = load((const uint8_t *)(state.h + 4));
    _mm_storeu_si128((__m128i *)(void *)out, swap_words(low));
    _mm_storeu_si128((__m128i *)(void *)(out + UNIT), swap_words(high));
}

void kt_leaf_hash(const void *data, size_t size, uint8_t out[KT_HASH_SIZE]) {
    const uint8_t *bytes = data;
    __m128i units[LEAF_BLOCKS * UNITS];
    if (size < LEAF_LEAST || size > LEAF_MOST) {
        prefixed_hash(0x00, bytes, size, out);
        return;
    }
    size_t blocks = (size + 1 + 8) / BLOCK + 1, count = blocks * UNITS;
    size_t full = (size + 1) / UNIT, rest = (size + 1) % UNIT; /* of the prefix and the data */
    put(units, _mm_slli_si128(load(bytes), 1));
    for (size_t i = 1; i < full; i++) put(units + i, load(bytes + i * UNIT - 1));
    unit last;
    memcpy(&last, bytes + size - UNIT, UNIT);
    last = last >> (8 * (UNIT - 1 - rest)) >> 8; /* the bytes that fill no unit */
    last |= (unit)0x80 << (8 * rest);
    for (size_t i = full + 1; i < count - 1; i++) put(units + i, _mm_setzero_si128());
    if (full == count - 1) last |= (unit)BITS(size + 1) << 64;
    else put(units + count - 1, _mm_set_epi64x((long long)BITS(size + 1), 0));
    put(units + full, _mm_set_epi64x((long long)(last >> 64), (long long)last));
    hash_blocks(units, blocks, out);
}

void kt_node_hash(const uint8_t left[KT_HASH_SIZE], const uint8_t right[KT_HASH_SIZE], uint8_t out[KT_HASH_SIZE]) {
    /* 65 bytes are two blocks, of which the second is the last byte, the padding and the length. */
    __m128i a = load(left), b = load(left + UNIT), c = load(right), d = load(right + UNIT), none = _mm_setzero_si128();
    __m128i units[2 * UNITS] = {_mm_or_si128(_mm_slli_si128(a, 1), _mm_set_epi64x(0, 0x01)),
                                moved(a, b),
                                moved(b, c),
                                moved(c, d),
                                _mm_or_si128(_mm_srli_si128(d, 15), _mm_set_epi64x(0, 0x8000)),
                                none,
                                none,
                                _mm_set_epi64x((long long)BITS(1 + 2 * KT_HASH_SIZE), 0)};
    hash_blocks(units, 2, out);
}
#else
void kt_leaf_hash(const void *data, size_t size, uint8_t out[KT_HASH_SIZE]) { prefixed_hash(0x00, data, size, out); }

void kt_node_hash(const uint8_t left[KT_HASH_SIZE], const uint8_t right[KT_HASH_SIZE], uint8_t out[KT_HASH_SIZE]) {
    uint8_t both[2 * KT_HASH_SIZE];
    memcpy(both, left, KT_HASH_SIZE);
    memcpy(both + KT_HASH_SIZE, right, KT_HASH_SIZE);
    prefixed_hash(0x01, both, sizeof both, out);
}
#endif

/* CRC32C in software, eight bytes at a time: T(k)[b] is the CRC of byte b with k zero bytes behind it. A CRC without
   its complements is linear, so each entry is the sum of those of its bits; the compiler works the tables out and
   nothing is left to be set up, or shared, at run time. */
#define ENTRY(b, c0, c1, c2, c3, c4, c5, c6, c7)                                                                    \
    (((b)&1 ? (c0) : 0u) ^ ((b)&2 ? (c1) : 0u) ^ ((b)&4 ? (c2) : 0u) ^ ((b)&8 ? (c3) : 0u) ^ ((b)&16 ? (c4) : 0u) ^ \
     ((b)&32 ? (c5) : 0u) ^ ((b)&64 ? (c6) : 0u) ^ ((b)&128 ? (c7) : 0u))
#define ENTRIES4(b, ...) \
    ENTRY(b, __VA_ARGS__), ENTRY((b) + 1, __VA_ARGS__), ENTRY((b) + 2, __VA_ARGS__), ENTRY((b) + 3, __VA_ARGS__)
#define ENTRIES16(b, ...)                                                                     \
    ENTRIES4(b, __VA_ARGS__), ENTRIES4((b) + 4, __VA_ARGS__), ENTRIES4((b) + 8, __VA_ARGS__), \
        ENTRIES4((b) + 12, __VA_ARGS__)
#define ENTRIES64(b, ...)                                                                          \
    ENTRIES16(b, __VA_ARGS__), ENTRIES16((b) + 16, __VA_ARGS__), ENTRIES16((b) + 32, __VA_ARGS__), \
        ENTRIES16((b) + 48, __VA_ARGS__)
#define TABLE(...) \
    { ENTRIES64(0, __VA_ARGS__), ENTRIES64(64, __VA_ARGS__), ENTRIES64(128, __VA_ARGS__), ENTRIES64(192, __VA_ARGS__) }

static const uint32_t crc_table[8][256] = {
    TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
    TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
    TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
    TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
    TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
    TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
    TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
    TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};

static uint64_t load_le64(const uint8_t *bytes) {
    uint64_t value;
    memcpy(&value, bytes, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

uint32_t kt_crc32c_by_table(uint32_t crc, const void *data, size_t size) {
    const uint8_t *bytes = data;
    crc = ~crc;
    for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t word = load_le64(bytes) ^ crc;
        crc = 0;
        for (unsigned k = 0; k < 8; k++) crc ^= crc_table[7 - k][(uint8_t)(word >> (8 * k))];
    }
    for (; size > 0; bytes++, size--) crc = (crc >> 8) ^ crc_table[0][(uint8_t)crc ^ *bytes];
    return ~crc;
}

#if HAVE_SSE42
#define FOR_CRC __attribute__((target("sse4.2,pclmul")))

/* Three lanes hide the instruction's latency of three cycles. A lane's CRC is carried over the lanes behind it by
   multiplying with x^(8 * bytes): the product of two reflected 32-bit polynomials comes out one bit low, and the CRC
   of a 64-bit word multiplies by x^32, hence the exponents 8 * bytes - 33. */
#define LANE 256
#define OVER_ONE_LANE 0xb9e02b86  /* x^(8 * 256 - 33) mod P */
#define OVER_TWO_LANES 0xdd7e3b0c /* x^(8 * 512 - 33) mod P */

FOR_CRC static const uint8_t *crc_lanes(uint64_t *crc, const uint8_t *bytes, size_t size) {
    const __m128i over_one = _mm_set_epi64x(0, OVER_ONE_LANE);
    const __m128i over_two = _mm_set_epi64x(0, OVER_TWO_LANES);
    uint64_t first = *crc;
    for (; size >= 3 * LANE; bytes += 3 * LANE, size -= 3 * LANE) {
        uint64_t second = 0, third = 0;
        for (size_t at = 0; at < LANE; at += 8) {
            first = _mm_crc32_u64(first, load_le64(bytes + at));
            second = _mm_crc32_u64(second, load_le64(bytes + LANE + at));
            third = _mm_crc32_u64(third, load_le64(bytes + 2 * LANE + at));
        }
        __m128i moved_first = _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)first), over_two, 0);
        __m128i moved_second = _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)second), over_one, 0);
        __m128i sum = _mm_xor_si128(moved_first, moved_second);
        first = _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(sum)) ^ third;
    }
    *crc = first;
    return bytes;
}

/* Fewer than eight bytes, in the fewest steps. */
FOR_CRC static inline uint32_t crc_tail(uint32_t crc, const uint8_t *bytes, size_t size) {
    uint32_t word;
    uint16_t half;
    if (size & 4) {
        memcpy(&word, bytes, 4);
        crc = _mm_crc32_u32(crc, word);
        bytes += 4;
    }
    if (size & 2) {
        memcpy(&half, bytes, 2);
        crc = _mm_crc32_u16(crc, half);
        bytes += 2;
    }
    return size & 1 ? _mm_crc32_u8(crc, *bytes) : crc;
}

FOR_CRC static uint32_t crc_by_processor(uint32_t crc, const uint8_t *bytes, size_t size) {
    uint64_t wide = (uint32_t)~crc;
    const uint8_t *end = bytes + size;
    if (size >= 3 * LANE) bytes = crc_lanes(&wide, bytes, size);
    for (; end - bytes >= 8; bytes += 8) wide = _mm_crc32_u64(wide, load_le64(bytes));
    return ~crc_tail((uint32_t)wide, bytes, (size_t)(end - bytes));
}
#endif

#if HAVE_SSE42
static inline bool have_processor(void) { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"); }

FOR_CRC static uint32_t numbered_by_processor(uint64_t number, const uint8_t *bytes, size_t size) {
    uint64_t wide = _mm_crc32_u64(UINT32_MAX, __builtin_bswap64(number));
    if (size >= 3 * LANE) return crc_by_processor(~(uint32_t)wide, bytes, size);
    const uint8_t *end = bytes + size;
    for (; end - bytes >= 8; bytes += 8) wide = _mm_crc32_u64(wide, load_le64(bytes));
    return ~crc_tail((uint32_t)wide, bytes, (size_t)(end - bytes));
}
#endif

uint32_t kt_crc32c(uint32_t crc, const void *data, size_t size) {
    if (size == 0) return crc;
#if HAVE_SSE42
    if (have_processor()) return crc_by_processor(crc, data, size);
#endif
    return kt_crc32c_by_table(crc, data, size);
}

uint32_t kt_crc32c_numbered(uint64_t number, const void *data, size_t size) {
#if HAVE_SSE42
    if (have_processor()) return numbered_by_processor(number, data, size);
#endif
    uint8_t key[8];
    for (unsigned i = 0; i < 8; i++) key[i] = (uint8_t)(number >> (56 - 8 * i));
    return kt_crc32c_by_table(kt_crc32c_by_table(0, key, sizeof key), data, size);
}
