#include <string.h>

#include "storage/digest.h"
#include "storage/note.h"
#include "tests/tap.h"

static void hashes_as(const char *text, const char *hex) {
    uint8_t hash[KT_HASH_SIZE];
    char found[2 * KT_HASH_SIZE + 1];
    kt_sha256_of(text, strlen(text), hash);
    kt_hex_encode(hash, sizeof hash, found);
    is_text(found, hex, "SHA-256 of \"%s\" is FIPS 180-4's", text);
}

static void leaf_by_streaming(const uint8_t *data, size_t size, uint8_t out[KT_HASH_SIZE]) {
    kt_sha256 hash;
    kt_sha256_init(&hash);
    kt_sha256_update(&hash, "\0", 1);
    for (size_t at = 0; at < size; at += 7) kt_sha256_update(&hash, data + at, size - at < 7 ? size - at : 7);
    kt_sha256_final(&hash, out);
}

static void test_sha256(const uint8_t *data, size_t room) {
    hashes_as("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hashes_as("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hashes_as("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");

    size_t wrong = 0;
    for (size_t size = 0; size < room; size++) {
        uint8_t one[KT_HASH_SIZE], other[KT_HASH_SIZE];
        kt_leaf_hash(data, size, one);
        leaf_by_streaming(data, size, other);
        wrong += memcmp(one, other, KT_HASH_SIZE) != 0;
    }
    is_int((long long)wrong, 0, "a leaf's hash is SHA-256 of a zero byte and the leaf, at each of %zu sizes", room);

    uint8_t joined[65] = {1}, node[KT_HASH_SIZE], expected[KT_HASH_SIZE];
    memcpy(joined + 1, data, 64);
    kt_sha256_of(joined, sizeof joined, expected);
    kt_node_hash(data, data + 32, node);
    is_bytes(node, sizeof node, expected, sizeof expected, "a node's hash is SHA-256 of 0x01 and its two children");
    memcpy(node, data + 32, sizeof node);
    kt_node_hash(data, node, node);
    is_bytes(node, sizeof node, expected, sizeof expected, "a node's hash may be written over its right child");
    memcpy(node, data, sizeof node);
    kt_node_hash(node, data + 32, node);
    is_bytes(node, sizeof node, expected, sizeof expected, "a node's hash may be written over its left child");

    kt_sha256 hash, copy;
    kt_sha256_init(&hash);
    kt_sha256_update(&hash, data, 100);
    copy = hash;
    kt_sha256_update(&hash, data + 100, 100);
    kt_sha256_final(&hash, node);
    kt_sha256_update(&copy, data + 100, 100);
    kt_sha256_final(&copy, expected);
    is_bytes(node, sizeof node, expected, sizeof expected, "a running hash can be copied as a value");
}

static void test_crc32c(const uint8_t *data, size_t room) {
    /* RFC 3720, appendix B.4. */
    uint8_t zeros[32] = {0}, ones[32], up[32], down[32];
    static const uint8_t read_command[48] = {
        0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
    memset(ones, 0xFF, sizeof ones);
    for (unsigned i = 0; i < 32; i++) {
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    is_int(kt_crc32c(0, zeros, 32), 0x8a9136aa, "CRC32C of 32 zero bytes is RFC 3720's");
    is_int(kt_crc32c(0, ones, 32), 0x62a8ab43, "CRC32C of 32 bytes 0xff is RFC 3720's");
    is_int(kt_crc32c(0, up, 32), 0x46dd794e, "CRC32C of 32 rising bytes is RFC 3720's");
    is_int(kt_crc32c(0, down, 32), 0x113fdb5c, "CRC32C of 32 falling bytes is RFC 3720's");
    is_int(kt_crc32c(0, read_command, 48), 0xd9963a56, "CRC32C of an iSCSI read command is RFC 3720's");
    is_int(kt_crc32c_by_table(0, read_command, 48), 0xd9963a56, "so is the one by tables");
    is_int(kt_crc32c(0, "123456789", 9), 0xe3069283, "CRC32C of \"123456789\" is the check value");
    is_int(kt_crc32c(42, data, 0), 42, "nothing more leaves a CRC as it was");

    size_t wrong = 0, split = 0;
    for (size_t size = 0; size < room; size++) {
        size_t from = size % 9;
        size_t count = size - from * (size >= from);
        uint32_t whole = kt_crc32c((uint32_t)size, data + from, count);
        wrong += whole != kt_crc32c_by_table((uint32_t)size, data + from, count);
        size_t cut = count / 3;
        split += whole != kt_crc32c(kt_crc32c((uint32_t)size, data + from, cut), data + from + cut, count - cut);
    }
    is_int((long long)wrong, 0, "the processor's CRC32C is the tables', at each of %zu sizes and any alignment", room);
    is_int((long long)split, 0, "a CRC32C of two parts is the one of the whole");
    wrong = 0;
    for (size_t size = 0; size < room; size++) {
        uint64_t number = size * UINT64_C(0x9e3779b97f4a7c15);
        uint8_t key[8];
        for (unsigned i = 0; i < 8; i++) key[i] = (uint8_t)(number >> (56 - 8 * i));
        wrong += kt_crc32c_numbered(number, data, size) !=
                 kt_crc32c_by_table(kt_crc32c_by_table(0, key, 8), data, size);
    }
    is_int((long long)wrong, 0, "that of a number and bytes is the one of both in a row");
}

int main(void) {
    static uint8_t data[3000];
    uint64_t state = test_seed();
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)test_random(&state);
    test_sha256(data, 1200);
    test_crc32c(data, sizeof data);
    return done();
}
