/* Sources: c2sp.org/signed-note and c2sp.org/tlog-checkpoint. */
#include "storage/note.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "storage/cosign.h"

#define DASH "\xE2\x80\x94 " /* U+2014 and a space begin a signature line */
#define DASH_SIZE 4
#define KEY_ID_SIZE 4
#define SIGNATURE_PART (KEY_ID_SIZE + KT_SIGNATURE_SIZE)
#define BASE64_SIZE(size) (((size) + 2) / 3 * 4)

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t kt_base64_encode(const void *data, size_t size, char *out) {
    const uint8_t *bytes = data;
    char *at = out;
    for (; size >= 3; bytes += 3, size -= 3) {
        uint32_t three = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
        *at++ = base64_digits[three >> 18];
        *at++ = base64_digits[three >> 12 & 63];
        *at++ = base64_digits[three >> 6 & 63];
        *at++ = base64_digits[three & 63];
    }
    if (size > 0) {
        uint32_t rest = (uint32_t)bytes[0] << 16 | (size > 1 ? (uint32_t)bytes[1] << 8 : 0);
        *at++ = base64_digits[rest >> 18];
        *at++ = base64_digits[rest >> 12 & 63];
        *at++ = size > 1 ? base64_digits[rest >> 6 & 63] : '=';
        *at++ = '=';
    }
    *at = 0;
    return (size_t)(at - out);
}

static int base64_value(char digit) {
    if (digit >= 'A' && digit <= 'Z') return digit - 'A';
    if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9') return digit - '0' + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

bool kt_base64_decode(const char *text, size_t size, void *out, size_t room, size_t *out_size) {
    *out_size = 0;
    if (size % 4 != 0) return false;
    size_t padding = size == 0
                         ? 0
                         : (size_t)(text[size - 1] == '=') + (size_t)(text[size - 1] == '=' && text[size - 2] == '=');
    size_t bytes = size / 4 * 3 - padding;
    if (bytes > room) return false;
    uint8_t *at = out;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < size - padding; i++) {
        int value = base64_value(text[i]);
        if (value < 0) return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *at++ = (uint8_t)(bits >> held);
        }
    }
    /* Bits that no byte takes must be zero, or one value would have several texts. */
    if (bits & ((1u << held) - 1)) return false;
    *out_size = bytes;
    return true;
}

void kt_hex_encode(const void *data, size_t size, char *out) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = 0;
}

static int hex_value(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool kt_hex_decode(const char *text, size_t size, void *out, size_t room) {
    uint8_t *bytes = out;
    if (size % 2 != 0 || size / 2 > room) return false;
    for (size_t i = 0; i < size; i += 2) {
        int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Reads one UTF-8 character at *at (before size); false unless it is well-formed (Unicode, table 3-7). */
static bool next_character(const char *text, size_t size, size_t *at, uint32_t *out) {
    const uint8_t *bytes = (const uint8_t *)text + *at;
    size_t left = size - *at;
    uint32_t first = bytes[0];
    size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0 || length > left) return false;
    uint32_t value = length == 1 ? first : first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) return false;
        value = value << 6 | (bytes[i] & 0x3Fu);
    }
    if ((length == 3 && value < 0x800) || (length == 4 && value < 0x10000) || value > 0x10FFFF ||
        (value >= 0xD800 && value <= 0xDFFF))
        return false;
    *at += length;
    *out = value;
    return true;
}

/* The characters with Unicode's property White_Space. */
static bool is_space(uint32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

static bool name_fits(const char *name, size_t size) {
    if (size == 0) return false;
    for (size_t at = 0; at < size;) {
        uint32_t c;
        if (!next_character(name, size, &at, &c) || is_space(c) || c == '+' || c < 0x20 || c == 0x7F) return false;
    }
    return true;
}

static uint32_t key_id_of(uint8_t type, const char *name, size_t size, const uint8_t public_key[KT_PUBLIC_KEY_SIZE]) {
    kt_sha256 hash;
    uint8_t digest[KT_HASH_SIZE];
    kt_sha256_init(&hash);
    kt_sha256_update(&hash, name, size);
    kt_sha256_update(&hash, (const uint8_t[]){'\n', type}, 2);
    kt_sha256_update(&hash, public_key, KT_PUBLIC_KEY_SIZE);
    kt_sha256_final(&hash, digest);
    return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
}

static kt_code make_verifier(uint8_t type, const char *name, size_t size, const uint8_t *public_key, kt_verifier *out,
                             kt_error *error) {
    if (size > KT_NOTE_NAME_MAX)
        return kt_fail(error, KT_INVALID, "key name: %zu bytes; expected at most %d", size, KT_NOTE_NAME_MAX);
    if (!name_fits(name, size))
        return kt_fail(error, KT_INVALID,
                       "key name: empty, or with a space, a plus sign, a control character or bad UTF-8 in it");
    memset(out, 0, sizeof *out);
    memcpy(out->name, name, size);
    memcpy(out->public_key, public_key, KT_PUBLIC_KEY_SIZE);
    out->type = type;
    out->key_id = key_id_of(type, name, size, public_key);
    return KT_OK;
}

kt_code kt_verifier_make_as(uint8_t type, const char *name, const uint8_t public_key[KT_PUBLIC_KEY_SIZE],
                            kt_verifier *out, kt_error *error) {
    return make_verifier(type, name, strlen(name), public_key, out, error);
}

kt_code kt_verifier_make(const char *name, const uint8_t public_key[KT_PUBLIC_KEY_SIZE], kt_verifier *out,
                         kt_error *error) {
    return kt_verifier_make_as(KT_VERIFIER_LOG, name, public_key, out, error);
}

kt_code kt_verifier_parse(const char *text, size_t size, kt_verifier *out, kt_error *error) {
    return kt_verifier_parse_as(KT_VERIFIER_LOG, text, size, out, error);
}

static const char *type_name(uint8_t type) {
    return type == KT_VERIFIER_LOG       ? "Ed25519, of a log"
           : type == KT_VERIFIER_WITNESS ? "a witness's cosignatures"
                                         : "unknown";
}

kt_code kt_verifier_parse_as(uint8_t type, const char *text, size_t size, kt_verifier *out, kt_error *error) {
    /* Base64 has plus signs too, so the parts are taken from the front. */
    const char *name_end = memchr(text, '+', size);
    size_t name_size = name_end ? (size_t)(name_end - text) : size;
    size_t rest = size - name_size;
    if (!name_end || rest < 10 || name_end[9] != '+')
        return kt_fail(error, KT_INVALID, "verifier key: expected name+key id in 8 hexadecimal digits+base64");
    uint8_t key[1 + KT_PUBLIC_KEY_SIZE];
    size_t key_size;
    if (!kt_base64_decode(name_end + 10, rest - 10, key, sizeof key, &key_size) || key_size != sizeof key)
        return kt_fail(error, KT_INVALID, "verifier key: expected base64 of a type byte and %d bytes after the key id",
                       KT_PUBLIC_KEY_SIZE);
    if (key[0] != type)
        return kt_fail(error, KT_UNSUPPORTED, "verifier key: type 0x%02x (%s); expected 0x%02x (%s)", key[0],
                       type_name(key[0]), type, type_name(type));
    kt_code code = make_verifier(type, text, name_size, key + 1, out, error);
    if (code) return code;
    char key_id[9];
    snprintf(key_id, sizeof key_id, "%08" PRIx32, out->key_id);
    if (memcmp(key_id, name_end + 1, 8) != 0)
        return kt_fail(error, KT_INVALID, "verifier key: its key id does not belong to its name and key; expected %s",
                       key_id);
    return KT_OK;
}

void kt_verifier_format(const kt_verifier *verifier, char out[KT_VERIFIER_MAX]) {
    uint8_t key[1 + KT_PUBLIC_KEY_SIZE] = {verifier->type};
    memcpy(key + 1, verifier->public_key, KT_PUBLIC_KEY_SIZE);
    char base64[BASE64_SIZE(sizeof key) + 1];
    kt_base64_encode(key, sizeof key, base64);
    snprintf(out, KT_VERIFIER_MAX, "%s+%08" PRIx32 "+%s", verifier->name, verifier->key_id, base64);
}

size_t kt_checkpoint_text(const kt_checkpoint *checkpoint, char out[KT_CHECKPOINT_MAX]) {
    char root[BASE64_SIZE(KT_HASH_SIZE) + 1];
    kt_base64_encode(checkpoint->root, KT_HASH_SIZE, root);
    return (size_t)snprintf(out, KT_CHECKPOINT_MAX, "%s\n%" PRIu64 "\n%s\n", checkpoint->origin, checkpoint->size,
                            root);
}

kt_code kt_checkpoint_sign(const kt_checkpoint *checkpoint, const kt_signer *signer,
                           uint8_t signature[KT_SIGNATURE_SIZE], kt_error *error) {
    char text[KT_CHECKPOINT_MAX];
    size_t size = kt_checkpoint_text(checkpoint, text);
    return kt_sign(signer, text, size, signature, error);
}

bool kt_checkpoint_check(const kt_checkpoint *checkpoint, const uint8_t public_key[KT_PUBLIC_KEY_SIZE],
                         const uint8_t signature[KT_SIGNATURE_SIZE]) {
    char text[KT_CHECKPOINT_MAX];
    size_t size = kt_checkpoint_text(checkpoint, text);
    return kt_signature_check(public_key, text, size, signature);
}

static uint32_t load_key_id(const uint8_t bytes[KEY_ID_SIZE]) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void store_key_id(uint32_t key_id, uint8_t out[KEY_ID_SIZE]) {
    for (unsigned i = 0; i < KEY_ID_SIZE; i++) out[i] = (uint8_t)(key_id >> (24 - 8 * i));
}

size_t kt_checkpoint_note(const kt_checkpoint *checkpoint, const kt_verifier *verifier,
                          const uint8_t signature[KT_SIGNATURE_SIZE], char out[KT_CHECKPOINT_MAX]) {
    uint8_t signed_part[SIGNATURE_PART];
    char base64[BASE64_SIZE(SIGNATURE_PART) + 1];
    store_key_id(verifier->key_id, signed_part);
    memcpy(signed_part + KEY_ID_SIZE, signature, KT_SIGNATURE_SIZE);
    kt_base64_encode(signed_part, sizeof signed_part, base64);
    size_t size = kt_checkpoint_text(checkpoint, out);
    size += (size_t)snprintf(out + size, KT_CHECKPOINT_MAX - size, "\n" DASH "%s %s\n", verifier->name, base64);
    return size;
}

kt_code kt_note_cut(const char *note, size_t size, kt_note *out, kt_error *error) {
    if (size > KT_NOTE_MAX)
        return kt_fail(error, KT_INVALID, "note: %zu bytes; expected at most %d", size, KT_NOTE_MAX);
    size_t line = 1, split = 0, split_line = 0;
    for (size_t at = 0; at < size;) {
        uint32_t c;
        size_t before = at;
        if (!next_character(note, size, &at, &c)) return kt_fail(error, KT_INVALID, "note: line %zu: bad UTF-8", line);
        if (c == '\n') {
            line++;
            if (before > 0 && note[before - 1] == '\n') {
                split = before;
                split_line = line;
            }
        } else if (c < 0x20 || c == 0x7F)
            return kt_fail(error, KT_INVALID, "note: line %zu: a control character 0x%02" PRIx32, line, c);
    }
    if (split == 0) return kt_fail(error, KT_INVALID, "note: no empty line between text and signatures");
    *out = (kt_note){note, note + split + 1, split, size - split - 1, split_line};
    if (out->lines_size == 0 || note[size - 1] != '\n')
        return kt_fail(error, KT_INVALID, "note: line %zu: expected a signature line, ended by a line feed", line);
    return KT_OK;
}

static kt_code read_signature(const char *line, size_t size, size_t number, kt_note_signature *out, kt_error *error) {
    const char *space = NULL;
    if (size > DASH_SIZE && memcmp(line, DASH, DASH_SIZE) == 0) space = memchr(line + DASH_SIZE, ' ', size - DASH_SIZE);
    if (!space || !name_fits(line + DASH_SIZE, (size_t)(space - line) - DASH_SIZE))
        return kt_fail(error, KT_INVALID, "note: line %zu: not a signature line; expected \"\xE2\x80\x94 name base64\"",
                       number);
    out->line = line;
    out->line_size = size + 1;
    out->name = line + DASH_SIZE;
    out->name_size = (size_t)(space - out->name);
    size_t base64_size = size - (size_t)(space + 1 - line);
    if (!kt_base64_decode(space + 1, base64_size, out->bytes, sizeof out->bytes, &out->size) ||
        out->size <= KEY_ID_SIZE)
        return kt_fail(error, KT_INVALID,
                       "note: line %zu: expected base64 of a key id and a signature after the key's name", number);
    out->key_id = load_key_id(out->bytes);
    out->size -= KEY_ID_SIZE;
    memmove(out->bytes, out->bytes + KEY_ID_SIZE, out->size);
    return KT_OK;
}

kt_code kt_note_next(const kt_note *note, size_t *at, size_t *count, kt_note_signature *out, kt_error *error) {
    if (*at == note->lines_size) return KT_END;
    const char *line = note->lines + *at, *feed = memchr(line, '\n', note->lines_size - *at);
    size_t number = note->first_line + *count;
    if (*count == KT_NOTE_SIGNATURES)
        return kt_fail(error, KT_INVALID, "note: line %zu: more than %d signatures", number, KT_NOTE_SIGNATURES);
    kt_code code = read_signature(line, (size_t)(feed - line), number, out, error);
    *at += (size_t)(feed + 1 - line);
    ++*count;
    return code;
}

bool kt_note_signature_is_by(const kt_note_signature *signature, const kt_verifier *verifier) {
    return signature->key_id == verifier->key_id && signature->name_size == strlen(verifier->name) &&
           memcmp(signature->name, verifier->name, signature->name_size) == 0;
}

static bool signature_holds(const kt_note *note, const kt_note_signature *found, const kt_verifier *verifier,
                            uint64_t *time) {
    *time = 0;
    if (verifier->type == KT_VERIFIER_WITNESS)
        return kt_cosignature_holds(verifier->public_key, note->text, note->text_size, found->bytes, found->size, time);
    return found->size == KT_SIGNATURE_SIZE &&
           kt_signature_check(verifier->public_key, note->text, note->text_size, found->bytes);
}

kt_code kt_note_check(const kt_note *note, const kt_verifier *verifier, uint64_t *time, kt_error *error) {
    size_t at = 0, count = 0, good = 0;
    uint64_t newest = 0, its;
    kt_note_signature found;
    kt_code code;
    while ((code = kt_note_next(note, &at, &count, &found, error)) == KT_OK) {
        if (!kt_note_signature_is_by(&found, verifier)) continue;
        if (!signature_holds(note, &found, verifier, &its))
            return kt_fail(error, KT_DAMAGED, "note: line %zu: the signature by %s+%08" PRIx32 " does not hold",
                           note->first_line + count - 1, verifier->name, verifier->key_id);
        if (its > newest) newest = its;
        good++;
    }
    if (code != KT_END) return code;
    if (good == 0)
        return kt_fail(error, KT_KEY, "note: none of its %zu signatures is by %s+%08" PRIx32, count, verifier->name,
                       verifier->key_id);
    if (time != NULL) *time = newest;
    return KT_OK;
}

bool kt_decimal_read(const char *text, size_t size, uint64_t *out) {
    uint64_t value = 0;
    if (size == 0 || (text[0] == '0' && size > 1)) return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

kt_code kt_checkpoint_read(const kt_note *note, kt_checkpoint *out, kt_error *error) {
    const char *line[3];
    size_t size[3], count = 0;
    for (size_t at = 0; at < note->text_size; count++) {
        const char *begin = note->text + at;
        size_t width = (size_t)((const char *)memchr(begin, '\n', note->text_size - at) - begin);
        if (width == 0) return kt_fail(error, KT_INVALID, "checkpoint: line %zu: empty", count + 1);
        if (count < 3) {
            line[count] = begin;
            size[count] = width;
        }
        at += width + 1;
    }
    if (count < 3) return kt_fail(error, KT_INVALID, "checkpoint: %zu lines; expected origin, size and root", count);
    memset(out, 0, sizeof *out);
    if (size[0] > KT_NOTE_NAME_MAX)
        return kt_fail(error, KT_INVALID, "checkpoint: line 1: an origin of %zu bytes; expected at most %d", size[0],
                       KT_NOTE_NAME_MAX);
    memcpy(out->origin, line[0], size[0]);
    if (!kt_decimal_read(line[1], size[1], &out->size))
        return kt_fail(error, KT_INVALID,
                       "checkpoint: line 2: expected the size, a decimal number without leading zeros");
    size_t root_size;
    if (!kt_base64_decode(line[2], size[2], out->root, KT_HASH_SIZE, &root_size) || root_size != KT_HASH_SIZE)
        return kt_fail(error, KT_INVALID, "checkpoint: line 3: expected the root, base64 of %d bytes", KT_HASH_SIZE);
    return KT_OK;
}

kt_code kt_checkpoint_open(const char *note, size_t size, const kt_verifier *verifier, bool any_origin,
                           kt_checkpoint *out, kt_error *error) {
    kt_note parts;
    kt_checkpoint found;
    kt_code code = kt_note_cut(note, size, &parts, error);
    if (!code) code = kt_note_check(&parts, verifier, NULL, error);
    if (!code) code = kt_checkpoint_read(&parts, &found, error);
    if (code) return code;
    if (!any_origin && strcmp(found.origin, verifier->name) != 0)
        return kt_fail(error, KT_FOREIGN, "checkpoint: line 1: origin %s; expected %s", found.origin, verifier->name);
    *out = found;
    return KT_OK;
}
