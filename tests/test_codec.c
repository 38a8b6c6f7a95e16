/* Records have one spelling: shortest forms are taken, every longer one is refused, and msgpack-c reads the same. */
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "storage/codec.h"
#include "storage/note.h"
#include "tests/tap.h"

typedef enum { ARRAY, UINT, INT, AMOUNT, TEXT, BYTES, BOOL, SKIP } kind;

typedef struct spelling {
    kind read_as;
    const char *hex;
    bool taken;
    const char *what;
} spelling;

static const spelling spellings[] = {
    {UINT, "00", true, "0"},
    {UINT, "7f", true, "127"},
    {UINT, "cc80", true, "128 in one byte"},
    {UINT, "cc7f", false, "127 in one byte more"},
    {UINT, "ccff", true, "255"},
    {UINT, "cd00ff", false, "255 in two bytes"},
    {UINT, "cd0100", true, "256"},
    {UINT, "ce0000ffff", false, "65535 in four bytes"},
    {UINT, "ce00010000", true, "65536"},
    {UINT, "cf00000000ffffffff", false, "2^32-1 in eight bytes"},
    {UINT, "cf0000000100000000", true, "2^32"},
    {UINT, "cfffffffffffffffff", true, "2^64-1"},
    {UINT, "ff", false, "-1 as a count"},
    {UINT, "d0ff", false, "-1 in a byte more"},
    {UINT, "d3000000000000007b", false, "123 as a signed number"},
    {UINT, "ca3f800000", false, "a binary fraction"},
    {UINT, "cb3ff0000000000000", false, "a longer binary fraction"},
    {UINT, "c0", false, "nil"},
    {UINT, "cd01", false, "a number cut short"},
    {UINT, "", false, "nothing"},
    {INT, "e0", true, "-32"},
    {INT, "d0e0", false, "-32 in a byte more"},
    {INT, "d0df", true, "-33"},
    {INT, "d080", true, "-128"},
    {INT, "d1ff80", false, "-128 in two bytes"},
    {INT, "d1ff7f", true, "-129"},
    {INT, "d18000", true, "-32768"},
    {INT, "d2ffff8000", false, "-32768 in four bytes"},
    {INT, "d2ffff7fff", true, "-32769"},
    {INT, "d3ffffffff80000000", false, "-2^31 in eight bytes"},
    {INT, "d3ffffffff7fffffff", true, "-2^31-1"},
    {INT, "d38000000000000000", true, "-2^63"},
    {INT, "d07f", false, "127 as a signed number"},
    {INT, "cf8000000000000000", false, "2^63, which is no int64"},
    {INT, "cf7fffffffffffffff", true, "2^63-1"},
    {AMOUNT, "cfffffffffffffffff", true, "the largest of 64 bits"},
    {AMOUNT, "d80100000000000000010000000000000000", true, "2^64, in 16 bytes"},
    {AMOUNT, "d8010000000000000000ffffffffffffffff", false, "2^64-1 in 16 bytes"},
    {AMOUNT, "d801ffffffffffffffff8000000000000000", false, "-2^63 in 16 bytes"},
    {AMOUNT, "d801ffffffffffffffff7fffffffffffffff", true, "-2^63-1 in 16 bytes"},
    {AMOUNT, "d80180000000000000000000000000000000", true, "-2^127"},
    {AMOUNT, "d80200000000000000010000000000000000", false, "16 bytes of another ext type"},
    {AMOUNT, "c7100100000000000000010000000000000000", false, "an amount as ext 8"},
    {AMOUNT, "d701ffffffffffffffff", false, "an amount of 8 bytes"},
    {AMOUNT, "d801000000000000000100000000000000", false, "an amount cut short"},
    {TEXT, "a0", true, "the empty text"},
    {TEXT, "a161", true, "a text of one byte"},
    {TEXT, "d90161", false, "a text of one byte, its length in a byte more"},
    {TEXT, "da000161", false, "a text of one byte, its length in two"},
    {TEXT, "db0000000161", false, "a text of one byte, its length in four"},
    {TEXT, "a261", false, "a text cut short"},
    {TEXT, "d9ff61", false, "a text that claims more than there is"},
    {TEXT, "dbffffffff61", false, "a text that claims four gigabytes"},
    {TEXT, "c40161", false, "bytes as a text"},
    {BYTES, "c400", true, "no bytes"},
    {BYTES, "c40161", true, "one byte"},
    {BYTES, "c5000161", false, "one byte, its length in two"},
    {BYTES, "c60000000161", false, "one byte, its length in four"},
    {BYTES, "c6ffffffff61", false, "bytes that claim four gigabytes"},
    {BYTES, "a161", false, "a text as bytes"},
    {BOOL, "c2", true, "false"},
    {BOOL, "c3", true, "true"},
    {BOOL, "01", false, "1 as a truth"},
    {ARRAY, "90", true, "the empty array"},
    {ARRAY, "9101", true, "an array of one"},
    {ARRAY, "dc000101", false, "an array of one, its count in two bytes"},
    {ARRAY, "dd0000000101", false, "an array of one, its count in four"},
    {ARRAY, "dcffff", false, "an array that claims more than there are bytes"},
    {ARRAY, "80", false, "a map as an array"},
    {SKIP, "80", false, "a map"},
    {SKIP, "de0000", false, "a longer map"},
    {SKIP, "c0", false, "nil, as any value"},
    {SKIP, "c1", false, "the byte that is never used"},
    {SKIP, "ca3f800000", false, "a binary fraction, as any value"},
    {SKIP, "9391c2a161c40161", true, "arrays in arrays"},
    {SKIP, "93c2a161", false, "an array with an element missing"},
};

static bool read_one(kind read_as, kt_unpack *unpack) {
    uint32_t count;
    uint64_t number;
    int64_t whole;
    kt_int128 amount;
    const char *text;
    const uint8_t *bytes;
    size_t size;
    bool flag;
    switch (read_as) {
    case ARRAY:
        if (!kt_unpack_array(unpack, &count)) return false;
        while (count-- != 0)
            if (!kt_unpack_skip(unpack)) return false;
        return true;
    case UINT: return kt_unpack_uint(unpack, &number);
    case INT: return kt_unpack_int(unpack, &whole);
    case AMOUNT: return kt_unpack_amount(unpack, &amount);
    case TEXT: return kt_unpack_text(unpack, &text, &size);
    case BYTES: return kt_unpack_bytes(unpack, &bytes, &size);
    case BOOL: return kt_unpack_bool(unpack, &flag);
    default: return kt_unpack_skip(unpack);
    }
}

static void test_spellings(void) {
    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
        const spelling *s = &spellings[i];
        uint8_t bytes[64];
        kt_unpack unpack;
        if (!kt_hex_decode(s->hex, strlen(s->hex), bytes, sizeof(bytes))) diag("bad hex %s", s->hex);
        kt_unpack_init(&unpack, kt_span_of(bytes, strlen(s->hex) / 2));
        bool taken = read_one(s->read_as, &unpack) && kt_unpack_done(&unpack);
        ok(taken == s->taken, "%s is %s", s->what, s->taken ? "taken" : "refused");
    }
}

/* ---- against msgpack-c ---- */

/* Writes again what it reads; false where reading fails. */
static bool spell_again(kt_unpack *unpack, kt_pack *pack, int depth) {
    uint32_t count;
    kt_int128 amount;
    const char *text;
    const uint8_t *bytes;
    size_t size;
    bool flag;
    if (unpack->at == unpack->end || depth > 64) return false;
    uint8_t head = *unpack->at;
    if ((head & 0xf0) == 0x90 || head == 0xdc || head == 0xdd) {
        if (!kt_unpack_array(unpack, &count)) return false;
        kt_pack_array(pack, count);
        while (count-- != 0)
            if (!spell_again(unpack, pack, depth + 1)) return false;
        return true;
    }
    if ((head & 0xe0) == 0xa0 || (head >= 0xd9 && head <= 0xdb)) {
        if (!kt_unpack_text(unpack, &text, &size)) return false;
        kt_pack_text(pack, text, size);
    } else if (head >= 0xc4 && head <= 0xc6) {
        if (!kt_unpack_bytes(unpack, &bytes, &size)) return false;
        kt_pack_bytes(pack, bytes, size);
    } else if (head == 0xc2 || head == 0xc3) {
        if (!kt_unpack_bool(unpack, &flag)) return false;
        kt_pack_bool(pack, flag);
    } else {
        if (!kt_unpack_amount(unpack, &amount)) return false;
        kt_pack_amount(pack, amount);
    }
    return true;
}

/* A number of any width, so that every form is met. */
static uint64_t any_width(uint64_t *random) {
    uint64_t value = test_random(random), edge = test_random(random) % 8;
    value >>= test_random(random) % 64;
    if (edge == 0) value = (UINT64_C(1) << (test_random(random) % 64)) - 1;
    if (edge == 1) value = UINT64_C(1) << (test_random(random) % 64);
    return value;
}

static kt_int128 any_amount(uint64_t *random) {
    kt_uint128 value = (kt_uint128)any_width(random) << 64 | test_random(random);
    value >>= test_random(random) % 128;
    if (test_random(random) % 4 == 0) value = any_width(random);
    return test_random(random) % 2 ? (kt_int128)value : -(kt_int128)(value & ~((kt_uint128)1 << 127));
}

static void put_any(kt_pack *pack, uint64_t *random, int depth) {
    static const uint8_t zeros[70000];
    uint64_t size = test_random(random) % 40 == 0 ? any_width(random) % sizeof(zeros) : test_random(random) % 40;
    switch (test_random(random) % (depth < 4 ? 7 : 5)) {
    case 0: kt_pack_uint(pack, any_width(random)); break;
    case 1: kt_pack_int(pack, (int64_t)(test_random(random) % 2 ? any_width(random) : 0 - any_width(random))); break;
    case 2: kt_pack_amount(pack, any_amount(random)); break;
    case 3: kt_pack_text(pack, (const char *)zeros, size); break;
    case 4: kt_pack_bytes(pack, zeros, size); break;
    case 5: kt_pack_bool(pack, test_random(random) % 2); break;
    default:
        size %= 20;
        kt_pack_array(pack, (uint32_t)size);
        while (size-- != 0) put_any(pack, random, depth + 1);
    }
}

static uint8_t written[1 << 22], again[1 << 22];

static bool same_number(const msgpack_object *object, kt_int128 value) {
    if (object->type == MSGPACK_OBJECT_POSITIVE_INTEGER) return (kt_int128)object->via.u64 == value;
    if (object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) return (kt_int128)object->via.i64 == value;
    if (object->type != MSGPACK_OBJECT_EXT || object->via.ext.type != 1 || object->via.ext.size != 16) return false;
    const uint8_t *at = (const uint8_t *)object->via.ext.ptr;
    return (kt_int128)((kt_uint128)kt_get_be64(at) << 64 | kt_get_be64(at + 8)) == value;
}

static bool msgpack_c_takes(const uint8_t *bytes, size_t size, size_t *used) {
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    *used = 0;
    bool taken = msgpack_unpack_next(&unpacked, (const char *)bytes, size, used) == MSGPACK_UNPACK_SUCCESS;
    msgpack_unpacked_destroy(&unpacked);
    return taken;
}

static void test_numbers(uint64_t *random) {
    bool same = true, read = true;
    for (int i = 0; i < 20000 && same && read; i++) {
        kt_int128 value = any_amount(random), back;
        kt_pack pack;
        kt_unpack unpack;
        msgpack_unpacked unpacked;
        size_t used = 0;
        kt_pack_init(&pack, written, sizeof(written));
        kt_pack_amount(&pack, value);
        msgpack_unpacked_init(&unpacked);
        same = msgpack_unpack_next(&unpacked, (const char *)written, pack.size, &used) == MSGPACK_UNPACK_SUCCESS &&
               used == pack.size && same_number(&unpacked.data, value);
        msgpack_unpacked_destroy(&unpacked);
        kt_unpack_init(&unpack, kt_span_of(written, pack.size));
        read = kt_unpack_amount(&unpack, &back) && kt_unpack_done(&unpack) && back == value;
    }
    ok(same, "msgpack-c reads every amount as the same number");
    ok(read, "and so does our reader");
}

static void test_values(uint64_t *random) {
    bool taken = true, equal = true, library = true;
    for (int i = 0; i < 3000 && taken && equal && library; i++) {
        kt_pack pack, second;
        kt_unpack unpack;
        size_t used;
        kt_pack_init(&pack, written, sizeof(written));
        put_any(&pack, random, 0);
        kt_unpack_init(&unpack, kt_span_of(written, pack.size));
        kt_pack_init(&second, again, sizeof(again));
        taken = pack.size <= sizeof(written) && spell_again(&unpack, &second, 0) && kt_unpack_done(&unpack);
        equal = second.size == pack.size && memcmp(written, again, pack.size) == 0;
        library = msgpack_c_takes(written, pack.size, &used) && used == pack.size;
    }
    ok(taken, "what is packed is read");
    ok(equal, "and packed again it is the same bytes");
    ok(library, "and msgpack-c takes it whole");
}

/* Random bytes, mostly small heads so that much of it means something. */
static void test_garbage(uint64_t *random) {
    static const uint8_t heads[] = {0x90, 0x91, 0x92, 0xa0, 0xa1, 0xc2, 0xc3, 0xc4, 0xc5, 0xcc, 0xcd, 0xce, 0xcf,
                                    0xd0, 0xd1, 0xd2, 0xd3, 0xd8, 0xd9, 0xda, 0xdc, 0xdd, 0x01, 0xff, 0x00};
    int taken = 0;
    bool one_spelling = true, library = true, same_end = true;
    for (int i = 0; i < 200000; i++) {
        uint8_t bytes[24];
        size_t size = 1 + test_random(random) % sizeof(bytes), used;
        for (size_t k = 0; k < size; k++)
            bytes[k] = test_random(random) % 2 ? heads[test_random(random) % sizeof(heads)]
                                               : (uint8_t)test_random(random);
        kt_unpack unpack, skipped;
        kt_pack pack;
        kt_unpack_init(&unpack, kt_span_of(bytes, size));
        skipped = unpack;
        kt_pack_init(&pack, again, sizeof(again));
        bool good = spell_again(&unpack, &pack, 0), skips = kt_unpack_skip(&skipped);
        same_end &= good == skips && (!good || unpack.at == skipped.at);
        if (!good) continue;
        taken++;
        one_spelling &= pack.size == (size_t)(unpack.at - bytes) && memcmp(again, bytes, pack.size) == 0;
        library &= msgpack_c_takes(bytes, size, &used) && used == pack.size;
    }
    diag("%d of 200000 random inputs held a value", taken);
    ok(taken > 1000, "some random bytes hold a value");
    ok(one_spelling, "whatever is taken is spelled in the one way we write it");
    ok(library, "and msgpack-c takes the same bytes");
    ok(same_end, "skipping a value and reading it agree");
}

static void test_faults_stick(void) {
    const uint8_t bytes[] = {0xc0, 0x01, 0xa1, 'a'};
    kt_unpack unpack;
    uint64_t number = 7;
    const char *text = "x";
    size_t size = 1;
    kt_unpack_init(&unpack, kt_span_of(bytes, sizeof(bytes)));
    ok(!kt_unpack_uint(&unpack, &number) && number == 0, "a fault gives zero");
    ok(!kt_unpack_uint(&unpack, &number), "and sticks");
    ok(!kt_unpack_text(&unpack, &text, &size) && size == 0, "for texts too");
    ok(!kt_unpack_done(&unpack), "and never counts as done");

    uint8_t deep[200];
    memset(deep, 0x91, sizeof(deep));
    deep[sizeof(deep) - 1] = 0x01;
    kt_unpack_init(&unpack, kt_span_of(deep, sizeof(deep)));
    ok(!kt_unpack_skip(&unpack), "arrays more than 64 deep are refused");

    const uint8_t tags[] = {0x01, 0x03, 0x03};
    uint32_t last = 0;
    kt_unpack_init(&unpack, kt_span_of(tags, sizeof(tags)));
    ok(kt_unpack_tag(&unpack, &last) && kt_unpack_tag(&unpack, &last) && last == 3, "tags that rise are taken");
    ok(!kt_unpack_tag(&unpack, &last), "one that comes twice is refused");

    uint8_t small[4];
    kt_pack pack;
    kt_pack_init(&pack, small, sizeof(small));
    kt_pack_text(&pack, "much too long", 13);
    ok(pack.size == 14, "a writer without room goes on counting");
}

static kt_code read_envelope(const char *hex, kt_envelope *out) {
    uint8_t bytes[64];
    if (!kt_hex_decode(hex, strlen(hex), bytes, sizeof(bytes))) diag("bad hex %s", hex);
    return kt_envelope_read(kt_span_of(bytes, strlen(hex) / 2), out, NULL);
}

static void test_envelopes(void) {
    kt_envelope envelope;
    uint8_t bytes[64];
    kt_pack pack;
    kt_pack_init(&pack, bytes, sizeof(bytes));
    kt_pack_envelope(&pack, 1024, 1, -5);
    kt_pack_text(&pack, "body", 4);
    is_code(kt_envelope_read(kt_span_of(bytes, pack.size), &envelope, NULL), KT_OK, "an envelope is read");
    ok(envelope.kind == 1024 && envelope.kind_version == 1 && envelope.date == -5 && envelope.body.size == 5,
       "and gives kind, version, date and body");
    is_code(read_envelope("9501cd040001fba0", &envelope), KT_OK, "so it is from bytes written by hand");
    is_code(read_envelope("9502cd040001fba0", &envelope), KT_NEWER, "a later envelope version says so");
    is_code(read_envelope("9500cd040001fba0", &envelope), KT_DAMAGED, "version 0 never was");
    is_code(read_envelope("9401cd040001fb", &envelope), KT_DAMAGED, "an envelope of four is refused");
    is_code(read_envelope("9501cd040001fba000", &envelope), KT_DAMAGED, "a byte behind the body is refused");
    is_code(read_envelope("9501cd040001fb", &envelope), KT_DAMAGED, "an envelope without a body is refused");
    is_code(read_envelope("9501cd040001fb80", &envelope), KT_DAMAGED, "a map as body is refused");
    is_code(read_envelope("9501cd040001cea0000000a0", &envelope), KT_DAMAGED, "a date beyond 32 bits is refused");
    is_code(read_envelope("9501cf000000010000000001fba0", &envelope), KT_DAMAGED, "a kind beyond 32 bits is refused");
    is_code(read_envelope("", &envelope), KT_DAMAGED, "nothing is no record");
}

/* ---- UTF-8 ---- */

/* Unicode 15, table 3-7, written down once more as it stands there. */
static bool utf8_by_table(const uint8_t *at, size_t size) {
    static const uint8_t rows[][9] = {
        /* length, then lowest and highest of each byte */
        {1, 0x01, 0x7f, 0, 0, 0, 0, 0, 0},
        {2, 0xc2, 0xdf, 0x80, 0xbf, 0, 0, 0, 0},
        {3, 0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf, 0, 0},
        {3, 0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf, 0, 0},
        {3, 0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf, 0, 0},
        {3, 0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf, 0, 0},
        {4, 0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
        {4, 0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
        {4, 0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf},
    };
    while (size != 0) {
        size_t length = 0;
        for (size_t r = 0; r < sizeof(rows) / sizeof(*rows) && length == 0; r++) {
            bool fits = rows[r][0] <= size;
            for (size_t b = 0; b < rows[r][0] && fits; b++)
                fits = at[b] >= rows[r][1 + 2 * b] && at[b] <= rows[r][2 + 2 * b];
            if (fits) length = rows[r][0];
        }
        if (length == 0) return false;
        at += length;
        size -= length;
    }
    return true;
}

static void test_utf8(uint64_t *random) {
    static const uint8_t edges[] = {0x00, 0x01, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2,
                                    0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    enum { EDGES = sizeof(edges) };
    bool same = true;
    int good = 0;
    for (unsigned a = 0; a < EDGES; a++)
        for (unsigned b = 0; b < EDGES; b++)
            for (unsigned c = 0; c < EDGES; c++)
                for (unsigned d = 0; d < EDGES; d++) {
                    const uint8_t bytes[4] = {edges[a], edges[b], edges[c], edges[d]};
                    for (size_t size = 1; size <= 4; size++) {
                        bool expected = utf8_by_table(bytes, size);
                        same &= kt_utf8_valid(bytes, size) == expected;
                        good += expected;
                    }
                }
    ok(same && good > 1000, "UTF-8 is what Unicode's table says, for every mix of the bytes at its edges");
    for (int i = 0; i < 100000; i++) { /* longer, so that eight at a time is met */
        uint8_t bytes[40];
        size_t size = test_random(random) % sizeof(bytes);
        for (size_t k = 0; k < size; k++)
            bytes[k] = test_random(random) % 12 ? 'a' : edges[test_random(random) % EDGES];
        same &= kt_utf8_valid(bytes, size) == utf8_by_table(bytes, size);
    }
    ok(same, "and in longer texts too");
    ok(kt_utf8_valid("", 0), "an empty text is UTF-8");
    unsigned controls = 0;
    for (unsigned c = 1; c < 0x800; c++) {
        uint8_t bytes[2] = {(uint8_t)c};
        if (c >= 0x80) {
            bytes[0] = (uint8_t)(0xc0 | c >> 6);
            bytes[1] = (uint8_t)(0x80 | (c & 0x3f));
        }
        bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
        controls += kt_utf8_controls(bytes, c < 0x80 ? 1 : 2) == control;
    }
    is_int(controls, 0x7ff, "control characters of one byte and of two are told from others");
    unsigned wrong = 0;
    for (size_t size = 1; size < 20; size++) /* any byte at any place among plain ones */
        for (size_t at = 0; at < size; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                uint8_t bytes[20];
                memset(bytes, 'a', sizeof(bytes));
                bytes[at] = (uint8_t)byte;
                wrong += kt_utf8_valid(bytes, size) != (byte != 0 && byte < 0x80);
                wrong += byte < 0x80 && kt_utf8_controls(bytes, size) != (byte < 0x20 || byte == 0x7f);
            }
    is_int(wrong, 0, "wherever they stand, in a text of any length");
}

/* What is written inline and what through msgpack-c must be one form, and must not leave its room. */
static void test_room(void) {
    static const kt_int128 numbers[] = {0,
                                        0x7f,
                                        0x80,
                                        0xff,
                                        0x100,
                                        0xffff,
                                        0x10000,
                                        0xffffffff,
                                        0x100000000,
                                        INT64_MAX,
                                        -1,
                                        -32,
                                        -33,
                                        INT8_MIN,
                                        INT8_MIN - 1,
                                        INT16_MIN,
                                        INT16_MIN - 1,
                                        INT32_MIN,
                                        (kt_int128)INT32_MIN - 1,
                                        INT64_MIN,
                                        (kt_int128)UINT64_MAX,
                                        (kt_int128)UINT64_MAX + 1,
                                        (kt_int128)INT64_MIN - 1};
    unsigned outside = 0, miscounted = 0, misread = 0;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        uint8_t bytes[40];
        kt_pack pack, whole;
        kt_unpack unpack;
        kt_int128 back;
        uint8_t all[40];
        kt_pack_init(&whole, all, sizeof(all));
        kt_pack_amount(&whole, numbers[i]);
        kt_unpack_init(&unpack, kt_span_of(all, whole.size));
        misread += !kt_unpack_amount(&unpack, &back) || !kt_unpack_done(&unpack) || back != numbers[i];
        for (size_t room = 0; room <= whole.size; room++) {
            memset(bytes, 0xee, sizeof(bytes));
            kt_pack_init(&pack, bytes, room);
            kt_pack_amount(&pack, numbers[i]);
            miscounted += pack.size != whole.size;
            for (size_t k = room; k < sizeof(bytes); k++) outside += bytes[k] != 0xee;
            kt_unpack_init(&unpack, kt_span_of(all, room));
            misread += room < whole.size && kt_unpack_amount(&unpack, &back);
        }
    }
    is_int(misread, 0, "a number at each edge of each form is read again, and not where its bytes end early");
    is_int(miscounted, 0, "its size is counted whatever the room");
    is_int(outside, 0, "and nothing is written behind the room");
}

int main(void) {
    uint64_t random = test_seed();
    test_spellings();
    test_faults_stick();
    test_envelopes();
    test_numbers(&random);
    test_values(&random);
    test_garbage(&random);
    test_utf8(&random);
    test_room();
    return done();
}
