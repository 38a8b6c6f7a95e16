/*
 * note: C2SP signed notes (signed-note) and checkpoints (tlog-checkpoint), Ed25519.
 *
 * A note is text ending in a line feed, an empty line, and signature lines "— name base64(key id || signature)".
 * A key id is the first four bytes of SHA-256(name || 0x0A || type || public key); type 0x01 is Ed25519.
 * A verifier ("vkey") is "name+hex(key id)+base64(type || public key)".
 * A checkpoint's text is: origin, tree size in decimal, root in base64, and perhaps extension lines.
 *
 * Laws kept: 6. Bounds: a note is at most KT_NOTE_MAX bytes and KT_NOTE_SIGNATURES signatures; anything else is
 * refused with KT_INVALID. Base64 is the standard alphabet with padding, canonical forms only.
 */
#ifndef KT_STORAGE_NOTE_H
#define KT_STORAGE_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/digest.h"
#include "storage/error.h"
#include "storage/keys.h"

#define KT_NOTE_MAX 65536
#define KT_NOTE_SIGNATURES 100
#define KT_NOTE_NAME_MAX 255
#define KT_VERIFIER_MAX (KT_NOTE_NAME_MAX + 1 + 8 + 1 + 48 + 1) /* text with its zero */
#define KT_CHECKPOINT_MAX 1024 /* text of a checkpoint of ours with one signature, and its zero */

typedef struct kt_verifier {
    char name[KT_NOTE_NAME_MAX + 1];
    uint32_t key_id; /* big-endian reading of its four bytes */
    uint8_t public_key[KT_PUBLIC_KEY_SIZE];
} kt_verifier;

typedef struct kt_checkpoint {
    char origin[KT_NOTE_NAME_MAX + 1];
    uint64_t size;
    uint8_t root[KT_HASH_SIZE];
} kt_checkpoint;

/* name: no plus sign, no Unicode space, not empty (KT_INVALID). */
kt_code kt_verifier_make(const char *name, const uint8_t public_key[KT_PUBLIC_KEY_SIZE], kt_verifier *out,
                         kt_error *error);
kt_code kt_verifier_parse(const char *text, size_t size, kt_verifier *out, kt_error *error);
void kt_verifier_format(const kt_verifier *verifier, char out[KT_VERIFIER_MAX]);

/* The text of a checkpoint, without signatures: "origin\nsize\nroot\n". Returns its length. */
size_t kt_checkpoint_text(const kt_checkpoint *checkpoint, char out[KT_CHECKPOINT_MAX]);
/* Raw Ed25519 signature over that text. */
void kt_checkpoint_sign(const kt_checkpoint *checkpoint, const kt_signer *signer, uint8_t signature[KT_SIGNATURE_SIZE]);
bool kt_checkpoint_check(const kt_checkpoint *checkpoint, const uint8_t public_key[KT_PUBLIC_KEY_SIZE],
                         const uint8_t signature[KT_SIGNATURE_SIZE]);
/* The whole note with one signature line. Returns its length; zero-terminated. */
size_t kt_checkpoint_note(const kt_checkpoint *checkpoint, const kt_verifier *verifier,
                          const uint8_t signature[KT_SIGNATURE_SIZE], char out[KT_CHECKPOINT_MAX]);

/* Reads a note, checks that it carries a good signature of `verifier` (other signatures are passed over, a bad one by
   this very key refuses), and reads the checkpoint in it, whose origin must be the verifier's name unless
   `any_origin`. KT_INVALID: not a note. KT_DAMAGED: signature. KT_KEY: no signature by this key. KT_FOREIGN: another
   origin. */
kt_code kt_checkpoint_open(const char *note, size_t size, const kt_verifier *verifier, bool any_origin,
                           kt_checkpoint *out, kt_error *error);

/* Standard base64. Encoding returns the length and writes a zero; decoding returns false unless canonical and *size
   bytes fit. */
size_t kt_base64_encode(const void *data, size_t size, char *out);
bool kt_base64_decode(const char *text, size_t size, void *out, size_t room, size_t *out_size);
void kt_hex_encode(const void *data, size_t size, char *out); /* lower case, with a zero */
bool kt_hex_decode(const char *text, size_t size, void *out, size_t room);

#endif
