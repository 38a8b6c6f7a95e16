#include "storage/seal.h"

#include <stdio.h>

#include "storage/codec.h"
#include "storage/note.h"
#include "storage/records.h"

#define RUN 256u
#define SEAL_VERSION 1

void kt_content_init(kt_content *content) {
    kt_sha256_init(&content->run);
    kt_sha256_init(&content->all);
    content->leaves = 0;
}

static void close_run(const kt_content *content, kt_sha256 *all) {
    kt_sha256 run = content->run;
    uint8_t digest[KT_HASH_SIZE];
    kt_sha256_final(&run, digest);
    kt_sha256_update(all, digest, sizeof digest);
}

void kt_content_add(kt_content *content, const uint8_t *leaves, size_t count) {
    while (count != 0) {
        size_t room = RUN - content->leaves % RUN, taken = count < room ? count : room;
        kt_sha256_update(&content->run, leaves, taken * KT_HASH_SIZE);
        content->leaves += taken;
        leaves += taken * KT_HASH_SIZE;
        count -= taken;
        if (content->leaves % RUN == 0) {
            close_run(content, &content->all);
            kt_sha256_init(&content->run);
        }
    }
}

void kt_content_final(const kt_content *content, uint8_t out[KT_HASH_SIZE]) {
    kt_sha256 all = content->all;
    if (content->leaves % RUN != 0) close_run(content, &all);
    kt_sha256_final(&all, out);
}

size_t kt_seal_message(const char *origin, const kt_seal *seal, char out[KT_SEAL_MESSAGE_MAX]) {
    char id[2 * KT_SEAL_ID_MAX + 1], actor[2 * KT_PUBLIC_KEY_SIZE + 1], content[2 * KT_HASH_SIZE + 1];
    size_t id_size = seal->id.size < KT_SEAL_ID_MAX ? seal->id.size : KT_SEAL_ID_MAX;
    kt_hex_encode(seal->id.data, id_size, id);
    kt_hex_encode(seal->actor, sizeof seal->actor, actor);
    kt_hex_encode(seal->content, sizeof seal->content, content);
    int size = snprintf(out, KT_SEAL_MESSAGE_MAX, "kontor/batch/v1\n%s\n%s\n%s\n%llu\n%s\n", origin, id, actor,
                        (unsigned long long)seal->count, content);
    return size < 0 ? 0 : (size_t)size < KT_SEAL_MESSAGE_MAX ? (size_t)size : KT_SEAL_MESSAGE_MAX - 1;
}

int32_t kt_seal_date(int64_t recorded_us) {
    const int64_t day = 86400000000ll;
    return (int32_t)(recorded_us / day - (recorded_us % day < 0));
}

size_t kt_seal_write(const kt_seal *seal, int32_t date, uint8_t out[KT_SEAL_RECORD_MAX]) {
    kt_pack pack;
    kt_pack_init(&pack, out, KT_SEAL_RECORD_MAX);
    kt_pack_envelope(&pack, KT_KIND_SEAL, SEAL_VERSION, date);
    kt_pack_array(&pack, 12);
    kt_pack_text(&pack, (const char *)seal->id.data, seal->id.size);
    kt_pack_bytes(&pack, seal->actor, sizeof seal->actor);
    kt_pack_uint(&pack, seal->count);
    kt_pack_bytes(&pack, seal->content, sizeof seal->content);
    kt_pack_bytes(&pack, seal->signature, sizeof seal->signature);
    kt_pack_int(&pack, seal->recorded_us);
    kt_pack_bool(&pack, seal->clock_behind);
    kt_pack_bytes(&pack, seal->input, seal->has_input ? sizeof seal->input : 0);
    kt_pack_uint(&pack, seal->read);
    kt_pack_uint(&pack, seal->posted);
    kt_pack_uint(&pack, seal->rejected);
    kt_pack_uint(&pack, seal->epoch);
    return pack.size;
}

static bool take(kt_unpack *unpack, uint8_t *out, size_t size) {
    const uint8_t *bytes;
    size_t found;
    if (!kt_unpack_bytes(unpack, &bytes, &found) || found != size) return false;
    memcpy(out, bytes, size);
    return true;
}

kt_code kt_seal_read(kt_span body, uint32_t kind_version, kt_seal *out, kt_error *error) {
    kt_unpack unpack;
    uint32_t count;
    const char *id;
    const uint8_t *input;
    size_t id_size, input_size;
    if (kind_version != SEAL_VERSION)
        return kt_fail(error, kind_version == 0 ? KT_DAMAGED : KT_NEWER, "a seal of version %u, expected %d",
                       kind_version, SEAL_VERSION);
    *out = (kt_seal){0};
    kt_unpack_init(&unpack, body);
    if (!kt_unpack_array(&unpack, &count) || count != 12 || !kt_unpack_text(&unpack, &id, &id_size) ||
        !take(&unpack, out->actor, sizeof out->actor) || !kt_unpack_uint(&unpack, &out->count) ||
        !take(&unpack, out->content, sizeof out->content) || !take(&unpack, out->signature, sizeof out->signature) ||
        !kt_unpack_int(&unpack, &out->recorded_us) || !kt_unpack_bool(&unpack, &out->clock_behind) ||
        !kt_unpack_bytes(&unpack, &input, &input_size) || !kt_unpack_uint(&unpack, &out->read) ||
        !kt_unpack_uint(&unpack, &out->posted) || !kt_unpack_uint(&unpack, &out->rejected) ||
        !kt_unpack_uint(&unpack, &out->epoch) || !kt_unpack_done(&unpack) || id_size == 0 || id_size > KT_SEAL_ID_MAX ||
        (input_size != 0 && input_size != KT_HASH_SIZE))
        return kt_fail(error, KT_DAMAGED, "a seal is malformed");
    out->id = kt_span_of(id, id_size);
    out->has_input = input_size != 0;
    if (out->has_input) memcpy(out->input, input, KT_HASH_SIZE);
    return KT_OK;
}
