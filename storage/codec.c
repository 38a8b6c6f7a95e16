#include "storage/codec.h"

#include <msgpack/pack.h>

static int append(void *context, const char *bytes, size_t size) {
    kt_pack *pack = context;
    if (size != 0 && pack->size + size <= pack->room) memcpy(pack->data + pack->size, bytes, size);
    pack->size += size;
    return 0;
}

static inline msgpack_packer packer_of(kt_pack *pack) {
    msgpack_packer packer;
    msgpack_packer_init(&packer, pack, append);
    return packer;
}

void kt_pack_array_wide(kt_pack *pack, uint32_t count) {
    msgpack_packer packer = packer_of(pack);
    msgpack_pack_array(&packer, count);
}

void kt_pack_uint_wide(kt_pack *pack, uint64_t value) {
    msgpack_packer packer = packer_of(pack);
    msgpack_pack_uint64(&packer, value);
}

void kt_pack_int_wide(kt_pack *pack, int64_t value) {
    msgpack_packer packer = packer_of(pack);
    msgpack_pack_int64(&packer, value);
}

#define EXT_AMOUNT 1

void kt_pack_amount_wide(kt_pack *pack, kt_int128 value) {
    if (value > 0 && value <= (kt_int128)UINT64_MAX) {
        kt_pack_uint_wide(pack, (uint64_t)value);
        return;
    }
    uint8_t bytes[16];
    kt_put_be64(bytes, (uint64_t)((kt_uint128)value >> 64));
    kt_put_be64(bytes + 8, (uint64_t)value);
    msgpack_packer packer = packer_of(pack);
    msgpack_pack_ext_with_body(&packer, bytes, sizeof bytes, EXT_AMOUNT);
}

void kt_pack_text_wide(kt_pack *pack, const char *data, size_t size) {
    msgpack_packer packer = packer_of(pack);
    msgpack_pack_str(&packer, size);
    msgpack_pack_str_body(&packer, data, size);
}

void kt_pack_bytes(kt_pack *pack, const void *data, size_t size) {
    msgpack_packer packer = packer_of(pack);
    msgpack_pack_bin(&packer, size);
    msgpack_pack_bin_body(&packer, data, size);
}

/* ---- reading ---- */

static bool fail(kt_unpack *unpack) {
    unpack->failed = true;
    unpack->at = unpack->end;
    return false;
}

static inline size_t left(const kt_unpack *unpack) { return (size_t)(unpack->end - unpack->at); }

/* size bytes big-endian, one to eight. */
static bool take_be(kt_unpack *unpack, size_t size, uint64_t *out) {
    if (left(unpack) < size) return fail(unpack);
    uint64_t value = 0;
    if (left(unpack) >= 8) value = kt_get_be64(unpack->at) >> (64 - 8 * size);
    else
        for (size_t i = 0; i < size; i++) value = value << 8 | unpack->at[i];
    unpack->at += size;
    *out = value;
    return true;
}

static bool take_head(kt_unpack *unpack, uint8_t *head) {
    if (unpack->failed || unpack->at == unpack->end) return fail(unpack);
    *head = *unpack->at++;
    return true;
}

bool kt_unpack_array_wide(kt_unpack *unpack, uint32_t *count) {
    uint8_t head;
    uint64_t value;
    *count = 0;
    if (!take_head(unpack, &head)) return false;
    if ((head & 0xf0) == 0x90) value = head & 0x0f;
    else if (head == 0xdc) {
        if (!take_be(unpack, 2, &value) || value < 16) return fail(unpack);
    } else if (head == 0xdd) {
        if (!take_be(unpack, 4, &value) || value < 65536) return fail(unpack);
    } else return fail(unpack);
    if (value > left(unpack)) return fail(unpack); /* an element takes a byte at least */
    *count = (uint32_t)value;
    return true;
}

/* Any integer in its shortest form; negative ones only below zero. */
static bool take_integer(kt_unpack *unpack, uint8_t head, bool *negative, uint64_t *bits) {
    *negative = false;
    if (head < 0x80) {
        *bits = head;
        return true;
    }
    if (head >= 0xe0) {
        *negative = true;
        *bits = (uint64_t)(int64_t)(int8_t)head;
        return true;
    }
    if (head >= 0xcc && head <= 0xcf) {
        static const uint64_t above[4] = {0x7f, 0xff, 0xffff, 0xffffffff};
        if (!take_be(unpack, (size_t)1 << (head - 0xcc), bits)) return false;
        return *bits > above[head - 0xcc] ? true : fail(unpack);
    }
    if (head >= 0xd0 && head <= 0xd3) {
        static const int64_t below[4] = {-32, INT8_MIN, INT16_MIN, INT32_MIN};
        size_t size = (size_t)1 << (head - 0xd0);
        if (!take_be(unpack, size, bits)) return false;
        unsigned shift = (unsigned)(64 - 8 * size);
        int64_t value = (int64_t)(*bits << shift) >> shift;
        *bits = (uint64_t)value;
        *negative = true;
        return value < below[head - 0xd0] ? true : fail(unpack);
    }
    return fail(unpack);
}

bool kt_unpack_uint_wide(kt_unpack *unpack, uint64_t *value) {
    uint8_t head;
    bool negative;
    *value = 0;
    if (!take_head(unpack, &head)) return false;
    if (head < 0x80) {
        *value = head;
        return true;
    }
    uint64_t bits;
    if (!take_integer(unpack, head, &negative, &bits)) return false;
    if (negative) return fail(unpack);
    *value = bits;
    return true;
}

bool kt_unpack_int_wide(kt_unpack *unpack, int64_t *value) {
    uint8_t head;
    bool negative;
    uint64_t bits;
    *value = 0;
    if (!take_head(unpack, &head) || !take_integer(unpack, head, &negative, &bits)) return false;
    if (!negative && bits > INT64_MAX) return fail(unpack);
    *value = (int64_t)bits;
    return true;
}

bool kt_unpack_amount_wide(kt_unpack *unpack, kt_int128 *value) {
    uint8_t head;
    bool negative;
    uint64_t bits;
    *value = 0;
    if (!take_head(unpack, &head)) return false;
    if (head != 0xd8) {
        if (!take_integer(unpack, head, &negative, &bits)) return false;
        *value = negative ? (kt_int128)(int64_t)bits : (kt_int128)bits;
        return true;
    }
    if (left(unpack) < 17 || unpack->at[0] != EXT_AMOUNT) return fail(unpack);
    kt_int128 wide = (kt_int128)((kt_uint128)kt_get_be64(unpack->at + 1) << 64 | kt_get_be64(unpack->at + 9));
    if (wide >= INT64_MIN && wide <= (kt_int128)UINT64_MAX) return fail(unpack);
    unpack->at += 17;
    *value = wide;
    return true;
}

static bool take_run(kt_unpack *unpack, uint64_t size, const uint8_t **data, size_t *out_size) {
    if (size > left(unpack)) return fail(unpack);
    *data = unpack->at;
    *out_size = (size_t)size;
    unpack->at += size;
    return true;
}

bool kt_unpack_text_wide(kt_unpack *unpack, const char **data, size_t *size) {
    uint8_t head;
    uint64_t length;
    *data = NULL;
    *size = 0;
    if (!take_head(unpack, &head)) return false;
    if ((head & 0xe0) == 0xa0) length = head & 0x1f;
    else if (head == 0xd9) {
        if (!take_be(unpack, 1, &length) || length < 32) return fail(unpack);
    } else if (head == 0xda) {
        if (!take_be(unpack, 2, &length) || length < 256) return fail(unpack);
    } else if (head == 0xdb) {
        if (!take_be(unpack, 4, &length) || length < 65536) return fail(unpack);
    } else return fail(unpack);
    return take_run(unpack, length, (const uint8_t **)data, size);
}

bool kt_unpack_bytes(kt_unpack *unpack, const uint8_t **data, size_t *size) {
    uint8_t head;
    uint64_t length;
    *data = NULL;
    *size = 0;
    if (!take_head(unpack, &head)) return false;
    if (head == 0xc4) {
        if (!take_be(unpack, 1, &length)) return false;
    } else if (head == 0xc5) {
        if (!take_be(unpack, 2, &length) || length < 256) return fail(unpack);
    } else if (head == 0xc6) {
        if (!take_be(unpack, 4, &length) || length < 65536) return fail(unpack);
    } else return fail(unpack);
    return take_run(unpack, length, data, size);
}

bool kt_unpack_bool(kt_unpack *unpack, bool *value) {
    uint8_t head;
    *value = false;
    if (!take_head(unpack, &head)) return false;
    if (head != 0xc2 && head != 0xc3) return fail(unpack);
    *value = head == 0xc3;
    return true;
}

static bool skip_value(kt_unpack *unpack, int depth) {
    if (unpack->failed || unpack->at == unpack->end || depth > 64) return fail(unpack);
    uint8_t head = *unpack->at;
    const uint8_t *bytes;
    const char *text;
    size_t size;
    kt_int128 amount;
    bool flag;
    if ((head & 0xf0) == 0x90 || head == 0xdc || head == 0xdd) {
        uint32_t count;
        if (!kt_unpack_array(unpack, &count)) return false;
        for (uint32_t i = 0; i < count; i++)
            if (!skip_value(unpack, depth + 1)) return false;
        return true;
    }
    if ((head & 0xe0) == 0xa0 || (head >= 0xd9 && head <= 0xdb)) return kt_unpack_text(unpack, &text, &size);
    if (head >= 0xc4 && head <= 0xc6) return kt_unpack_bytes(unpack, &bytes, &size);
    if (head == 0xc2 || head == 0xc3) return kt_unpack_bool(unpack, &flag);
    return kt_unpack_amount(unpack, &amount);
}

bool kt_unpack_skip(kt_unpack *unpack) { return skip_value(unpack, 0); }

bool kt_unpack_tag_wide(kt_unpack *unpack, uint32_t *last) {
    uint64_t tag;
    if (!kt_unpack_uint(unpack, &tag)) return false;
    if (tag <= *last || tag > UINT32_MAX) return fail(unpack);
    *last = (uint32_t)tag;
    return true;
}

kt_code kt_envelope_open_wide(kt_span record, kt_envelope *out, kt_error *error) {
    kt_unpack unpack;
    uint32_t count;
    uint64_t version, kind, kind_version;
    int64_t date;
    kt_unpack_init(&unpack, record);
    if (!kt_unpack_array(&unpack, &count) || count != 5 || !kt_unpack_uint(&unpack, &version))
        return kt_fail(error, KT_DAMAGED, "a record is not an envelope of five");
    if (version != KT_ENVELOPE_VERSION)
        return kt_fail(error, version == 0 ? KT_DAMAGED : KT_NEWER, "a record has envelope version %llu, expected %d",
                       (unsigned long long)version, KT_ENVELOPE_VERSION);
    if (!kt_unpack_uint(&unpack, &kind) || !kt_unpack_uint(&unpack, &kind_version) || !kt_unpack_int(&unpack, &date) ||
        kind > UINT32_MAX || kind_version > UINT32_MAX || date < INT32_MIN || date > INT32_MAX)
        return kt_fail(error, KT_DAMAGED, "a record's envelope is malformed");
    *out = (kt_envelope){(uint32_t)kind, (uint32_t)kind_version, (int32_t)date, {unpack.at, left(&unpack)}};
    return KT_OK;
}

kt_code kt_envelope_read(kt_span record, kt_envelope *out, kt_error *error) {
    kt_unpack unpack;
    kt_code code = kt_envelope_open(record, out, error);
    if (code != KT_OK) return code;
    kt_unpack_init(&unpack, out->body);
    if (!kt_unpack_skip(&unpack) || !kt_unpack_done(&unpack))
        return kt_fail(error, KT_DAMAGED, "a record's body is not one value in canonical form");
    return KT_OK;
}

static inline bool continuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

bool kt_utf8_valid_wide(const void *data, size_t size) {
    const uint8_t *at = data, *end = at + size;
    while (at < end) {
        while (end - at >= 8) { /* plain ASCII without NUL, eight at a time */
            uint64_t word;
            memcpy(&word, at, 8);
            if ((word | (word - 0x0101010101010101ull)) & 0x8080808080808080ull) break;
            at += 8;
        }
        if (at == end) break;
        size_t rest = (size_t)(end - at);
        if (*at == 0) return false;
        if (*at < 0x80) at++;
        else if (*at >= 0xc2 && *at <= 0xdf && rest >= 2 && continuation(at[1])) at += 2;
        else if ((*at & 0xf0) == 0xe0 && rest >= 3 && continuation(at[1]) && continuation(at[2]) &&
                 !(*at == 0xe0 && at[1] < 0xa0) && !(*at == 0xed && at[1] >= 0xa0))
            at += 3;
        else if (*at >= 0xf0 && *at <= 0xf4 && rest >= 4 && continuation(at[1]) && continuation(at[2]) &&
                 continuation(at[3]) && !(*at == 0xf0 && at[1] < 0x90) && !(*at == 0xf4 && at[1] >= 0x90))
            at += 4;
        else return false;
    }
    return true;
}

bool kt_utf8_controls_wide(const void *data, size_t size) {
    const uint8_t *at = data, *end = at + size;
    for (; at < end; at++)
        if (*at < 0x20 || *at == 0x7f || (*at == 0xc2 && end - at > 1 && at[1] < 0xa0)) return true;
    return false;
}
