#include "engine/genesis.h"

#include "engine/tables.h"
#include "storage/codec.h"
#include "storage/records.h"

void kt_genesis_name(kt_genesis *genesis) {
    static const char digits[] = "0123456789abcdef";
    size_t size = 0;
    memcpy(genesis->origin, "kontor/", 7);
    size = 7;
    for (const char *at = genesis->entity; *at != 0 && size < 56; at++) {
        char c = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (plain) genesis->origin[size++] = c;
        else if (genesis->origin[size - 1] != '-' && genesis->origin[size - 1] != '/') genesis->origin[size++] = '-';
    }
    while (genesis->origin[size - 1] == '-') size--;
    if (size == 7) {
        memcpy(genesis->origin + size, "book", 4);
        size += 4;
    }
    genesis->origin[size++] = '-';
    for (unsigned i = 0; i < 4; i++) {
        genesis->origin[size++] = digits[genesis->book_id[i] >> 4];
        genesis->origin[size++] = digits[genesis->book_id[i] & 15];
    }
    genesis->origin[size] = 0;
}

size_t kt_genesis_write(const kt_genesis *genesis, kt_day date, uint8_t out[KT_GENESIS_RECORD_MAX]) {
    kt_pack pack;
    kt_pack_init(&pack, out, KT_GENESIS_RECORD_MAX);
    kt_pack_envelope(&pack, KT_KIND_GENESIS, 1, date);
    kt_pack_array(&pack, 7);
    kt_pack_uint(&pack, genesis->format);
    kt_pack_uint(&pack, genesis->suite);
    kt_pack_bytes(&pack, genesis->book_id, sizeof genesis->book_id);
    kt_pack_text(&pack, genesis->entity, strlen(genesis->entity));
    kt_pack_text(&pack, genesis->origin, strlen(genesis->origin));
    kt_pack_bytes(&pack, genesis->log_key, sizeof genesis->log_key);
    kt_pack_bytes(&pack, genesis->actor_key, sizeof genesis->actor_key);
    return pack.size;
}

static bool take_bytes(kt_unpack *unpack, uint8_t *out, size_t size) {
    const uint8_t *data;
    size_t found;
    if (!kt_unpack_bytes(unpack, &data, &found) || found != size) return false;
    memcpy(out, data, size);
    return true;
}

static bool take_text(kt_unpack *unpack, char *out, size_t most) {
    const char *data;
    size_t size;
    if (!kt_unpack_text(unpack, &data, &size) || size > most || !kt_utf8_valid(data, size)) return false;
    memcpy(out, data, size);
    out[size] = 0;
    return true;
}

kt_code kt_genesis_read(kt_span record, kt_genesis *out, kt_error *error) {
    kt_envelope envelope;
    kt_unpack unpack;
    uint32_t count;
    uint64_t format, suite;
    kt_code code = kt_envelope_read(record, &envelope, error);
    if (code != KT_OK) return code;
    if (envelope.kind != KT_KIND_GENESIS) return kt_fail(error, KT_DAMAGED, "record 0 is no genesis record");
    kt_unpack_init(&unpack, envelope.body);
    if (!kt_unpack_array(&unpack, &count) || count < 2 || !kt_unpack_uint(&unpack, &format) ||
        !kt_unpack_uint(&unpack, &suite))
        return kt_fail(error, KT_DAMAGED, "the genesis record is malformed");
    if (format == 0 || suite == 0 || envelope.kind_version == 0)
        return kt_fail(error, KT_DAMAGED, "the genesis record is malformed");
    if (format > KT_FORMAT_VERSION || suite > KT_SUITE || envelope.kind_version > 1)
        return kt_fail(error, KT_NEWER, "the book has format %llu, suite %llu; this version reads format %d, suite %d",
                       (unsigned long long)format, (unsigned long long)suite, KT_FORMAT_VERSION, KT_SUITE);
    *out = (kt_genesis){.format = (uint32_t)format, .suite = (uint32_t)suite};
    if (count != 7 || !take_bytes(&unpack, out->book_id, sizeof out->book_id) ||
        !take_text(&unpack, out->entity, KT_NAME_MAX) || !take_text(&unpack, out->origin, KT_ORIGIN_MAX) ||
        !take_bytes(&unpack, out->log_key, sizeof out->log_key) ||
        !take_bytes(&unpack, out->actor_key, sizeof out->actor_key) || !kt_unpack_done(&unpack))
        return kt_fail(error, KT_DAMAGED, "the genesis record is malformed");
    return KT_OK;
}

static kt_span format_key(void) { return kt_span_of("format", 6); }

kt_code kt_format_check(kt_txn *txn, const char *directory, kt_error *error) {
    kt_span value;
    kt_code code = kt_txn_get(txn, KT_TABLE_META, format_key(), &value, error);
    if (code == KT_NOT_FOUND) return kt_fail(error, KT_FOREIGN, "%s: is not a book: it has no genesis", directory);
    if (code != KT_OK) return code;
    uint32_t found = value.size == 4 ? kt_get_le32(value.data) : 0;
    if (found == 0) return kt_fail(error, KT_DAMAGED, "%s: the stored format is malformed", directory);
    if (found > KT_STATE_VERSION)
        return kt_fail(error, KT_NEWER, "%s: the book has format %u; this version reads up to %d: use a newer kontor",
                       directory, found, KT_STATE_VERSION);
    if (found == KT_STATE_VERSION) return KT_OK;
    return kt_fail(
        error, KT_OLDER,
        "%s: the book has format %u, this version keeps %d: run 'kontor rebuild' once; the journal stays as it is",
        directory, found, KT_STATE_VERSION);
}

kt_code kt_format_write(kt_txn *txn, kt_error *error) {
    uint8_t format[4];
    kt_put_le32(format, KT_STATE_VERSION);
    return kt_txn_put(txn, KT_TABLE_META, format_key(), kt_span_of(format, sizeof format), error);
}
