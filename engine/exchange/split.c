#include "engine/exchange/split.h"

#include <string.h>

#include "engine/exchange/rows.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#define HAVE_SSE2 1
#else
#define HAVE_SSE2 0
#endif

#define CHUNK 64

/* Of 64 bytes, one bit a byte. */
typedef struct marks {
    uint64_t delimiter, feed;
    bool seldom; /* the others may not all be zero */
    uint64_t quote, high;
    uint64_t odd; /* carriage returns and NULs */
} marks;

static inline marks mark_plainly(const uint8_t *bytes, char delimiter) {
    marks m = {.seldom = true};
    for (unsigned i = 0; i < CHUNK; i++) {
        uint8_t byte = bytes[i];
        m.delimiter |= (uint64_t)(byte == (uint8_t)delimiter) << i;
        m.feed |= (uint64_t)(byte == '\n') << i;
        m.quote |= (uint64_t)(byte == '"') << i;
        m.high |= (uint64_t)(byte >= 0x80) << i;
        m.odd |= (uint64_t)(byte == '\r' || byte == 0) << i;
    }
    return m;
}

#if HAVE_SSE2
static inline uint64_t bits(__m128i v) { return (uint64_t)(unsigned)_mm_movemask_epi8(v); }

static inline uint64_t bits4(__m128i a, __m128i b, __m128i c, __m128i d) {
    return bits(a) | bits(b) << 16 | bits(c) << 32 | bits(d) << 48;
}

static inline uint64_t equal(const __m128i v[4], char byte) {
    const __m128i all = _mm_set1_epi8(byte);
    return bits4(_mm_cmpeq_epi8(v[0], all), _mm_cmpeq_epi8(v[1], all), _mm_cmpeq_epi8(v[2], all),
                 _mm_cmpeq_epi8(v[3], all));
}

/* True where one of the bytes may be a quote, a carriage return, NUL or beyond ASCII. */
static inline bool any_seldom(const __m128i v[4]) {
    const __m128i blank = _mm_set1_epi8('\r' + 1), feed = _mm_set1_epi8('\n'), quote = _mm_set1_epi8('"');
    __m128i found = _mm_setzero_si128();
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) { /* as signed bytes, those beyond ASCII are below all others */
        __m128i low = _mm_andnot_si128(_mm_cmpeq_epi8(v[i], feed), _mm_cmplt_epi8(v[i], blank));
        found = _mm_or_si128(found, _mm_or_si128(low, _mm_cmpeq_epi8(v[i], quote)));
    }
    return _mm_movemask_epi8(found) != 0;
}

static inline marks mark(const uint8_t *bytes, char delimiter) {
    const __m128i v[4] = {_mm_loadu_si128((const __m128i *)(const void *)bytes),
                          _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16)),
                          _mm_loadu_si128((const __m128i *)(const void *)(bytes + 32)),
                          _mm_loadu_si128((const __m128i *)(const void *)(bytes + 48))};
    marks m = {.delimiter = equal(v, delimiter), .feed = equal(v, '\n')};
    m.seldom = any_seldom(v);
    if (__builtin_expect(m.seldom, 0)) {
        m.quote = equal(v, '"');
        m.high = bits4(v[0], v[1], v[2], v[3]);
        m.odd = equal(v, '\r') | equal(v, 0);
    }
    return m;
}
#endif

/* The last bytes of a file: a line feed stands in for its end. */
static __attribute__((noinline)) void mark_tail(const uint8_t *bytes, size_t size, char delimiter, marks *out) {
    uint8_t tail[CHUNK];
    memset(tail, '\n', CHUNK);
    memcpy(tail, bytes, size);
    *out = mark_plainly(tail, delimiter);
}

/* Bit i is set where an odd number of bits up to i are: from an opening quote to before the closing one. */
static inline uint64_t odd_so_far(uint64_t x) {
    for (unsigned i = 1; i < 64; i *= 2) x ^= x << i;
    return x;
}

static size_t count_bits(uint64_t x) {
    size_t count = 0;
    for (; x; x &= x - 1) count++;
    return count;
}

/* Delimiters within quotes have been passed over by parity alone. That is right if each field with quotes has exactly
   two, at its ends: then they are taken off, else false. */
static bool unquote(kt_str *fields, size_t count, size_t quotes) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        kt_str *field = &fields[i];
        if (field->size == 0 || field->data[0] != '"') continue;
        if (field->size < 2 || field->data[field->size - 1] != '"') return false;
        *field = (kt_str){field->data + 1, field->size - 2};
        found += 2;
    }
    return found == quotes;
}

static inline __attribute__((always_inline)) bool split(const uint8_t *at, const uint8_t *end, char delimiter,
                                                        kt_str *fields, size_t most, kt_split *out,
                                                        marks (*of)(const uint8_t *bytes, char delimiter)) {
    const uint8_t *start = at;
    size_t count = 0, quotes = 0;
    uint64_t high = 0, inside = 0; /* inside: all ones where the chunk begins within quotes */
    for (const uint8_t *base = at;; base += CHUNK) {
        size_t left = (size_t)(end - base);
        marks m;
        if (__builtin_expect(left < CHUNK, 0)) mark_tail(base, left, delimiter, &m);
        else m = of(base, delimiter);
        uint64_t feed = m.feed, delimiters = m.delimiter;
        if (__builtin_expect((m.quote | inside) != 0, 0)) {
            uint64_t within = odd_so_far(m.quote) ^ inside;
            feed &= ~within;
            delimiters &= ~within;
            inside = (within >> 63) ? ~UINT64_C(0) : 0;
        }
        /* The bits before the line feed; all where there is none. */
        const uint64_t row = (feed & (0 - feed)) - 1;
        unsigned body = feed ? (unsigned)__builtin_ctzll(feed) : CHUNK;
        const unsigned stop = body;
        if (__builtin_expect(m.seldom, 0)) {
            high |= m.high & row;
            quotes += count_bits(m.quote & row);
            if (m.odd & row) {
                /* One carriage return before the line feed is half of the line end. */
                if (!feed || stop == 0 || (m.odd & row) != UINT64_C(1) << (stop - 1) || base[stop - 1] != '\r')
                    return false;
                body--;
            }
        }
        if (__builtin_expect((m.feed & row) != 0, 0)) return false; /* within quotes */
        for (uint64_t d = delimiters & row; d; d &= d - 1) {
            const uint8_t *here = base + __builtin_ctzll(d);
            fields[count] = (kt_str){(const char *)start, (size_t)(here - start)};
            start = here + 1;
            if (++count == most) return false;
        }
        if (!feed) {
            if (left < CHUNK || (size_t)(base - at) >= KT_ROW_MAX) return false; /* never closed, or too long */
            continue;
        }
        const uint8_t *here = base + body;
        fields[count++] = (kt_str){(const char *)start, (size_t)(here - start)};
        out->count = count;
        out->ended = stop < left;
        out->size = (size_t)(base + stop - at) + out->ended;
        out->high = high != 0;
        if (here == at) return false; /* an empty line */
        return quotes == 0 || unquote(fields, count, quotes);
    }
}

bool kt_split_row_plainly(const uint8_t *at, const uint8_t *end, char delimiter, kt_str *fields, size_t most,
                          kt_split *out) {
    return split(at, end, delimiter, fields, most, out, mark_plainly);
}

bool kt_split_row(const uint8_t *at, const uint8_t *end, char delimiter, kt_str *fields, size_t most, kt_split *out) {
#if HAVE_SSE2
    return split(at, end, delimiter, fields, most, out, mark);
#else
    return split(at, end, delimiter, fields, most, out, mark_plainly);
#endif
}
