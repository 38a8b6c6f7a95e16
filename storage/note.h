/*
 * note: C2SP signed notes (signed-note) and checkpoints (tlog-checkpoint), Ed25519.
 *
 * A note is text ending in a line feed, an empty line, and signature lines "— name base64(key id || signature)".
 * A key id is the first four bytes of SHA-256(name || 0x0A || type || public key); type 0x01 is Ed25519 over the text, and
 * 0x04 a witness's cosignature (storage/cosign.h).
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

#define KT_VERIFIER_LOG 0x01u
#define KT_VERIFIER_WITNESS 0x04u /* the same keys, and another message: storage/cosign.h */

typedef struct kt_verifier {
    char name[KT_NOTE_NAME_MAX + 1];
    uint8_t type;    /* KT_VERIFIER_... */
    uint32_t key_id; /* big-endian reading of its four bytes */
    uint8_t public_key[KT_PUBLIC_KEY_SIZE];
} kt_verifier;

typedef struct kt_checkpoint {
    char origin[KT_NOTE_NAME_MAX + 1];
    uint64_t size;
    uint8_t root[KT_HASH_SIZE];
} kt_checkpoint;

/* A log's key, type 0x01. name: no plus sign, no Unicode space, not empty (KT_INVALID). */
kt_code kt_verifier_make(const char *name, const uint8_t public_key[KT_PUBLIC_KEY_SIZE], kt_verifier *out,
                         kt_error *error);
kt_code kt_verifier_parse(const char *text, size_t size, kt_verifier *out, kt_error *error);
/* The same of another type. KT_UNSUPPORTED: the text is of a key of some other. */
kt_code kt_verifier_make_as(uint8_t type, const char *name, const uint8_t public_key[KT_PUBLIC_KEY_SIZE],
                            kt_verifier *out, kt_error *error);
kt_code kt_verifier_parse_as(uint8_t type, const char *text, size_t size, kt_verifier *out, kt_error *error);
void kt_verifier_format(const kt_verifier *verifier, char out[KT_VERIFIER_MAX]);

/* The text of a checkpoint, without signatures: "origin\nsize\nroot\n". Returns its length. */
size_t kt_checkpoint_text(const kt_checkpoint *checkpoint, char out[KT_CHECKPOINT_MAX]);
/* Raw Ed25519 signature over that text. Fails as kt_sign does. */
kt_code kt_checkpoint_sign(const kt_checkpoint *checkpoint, const kt_signer *signer,
                           uint8_t signature[KT_SIGNATURE_SIZE], kt_error *error);
bool kt_checkpoint_check(const kt_checkpoint *checkpoint, const uint8_t public_key[KT_PUBLIC_KEY_SIZE],
                         const uint8_t signature[KT_SIGNATURE_SIZE]);
/* The whole note with one signature line. Returns its length; zero-terminated. */
size_t kt_checkpoint_note(const kt_checkpoint *checkpoint, const kt_verifier *verifier,
                          const uint8_t signature[KT_SIGNATURE_SIZE], char out[KT_CHECKPOINT_MAX]);

/* ---- a note in its parts ---- */

/* text[0..text_size) with its last line feed, and the signature lines. Borrows the note. */
typedef struct kt_note {
    const char *text, *lines;
    size_t text_size, lines_size;
    size_t first_line; /* number of the first signature line, from 1 */
} kt_note;

/* One signature line of whatever kind. name and line borrow the note. */
typedef struct kt_note_signature {
    const char *line; /* with its line feed */
    size_t line_size;
    const char *name;
    size_t name_size;
    uint32_t key_id;
    uint8_t bytes[KT_NOTE_MAX / 4 * 3]; /* behind the key id */
    size_t size;
} kt_note_signature;

kt_code kt_note_cut(const char *note, size_t size, kt_note *out, kt_error *error);
/* The line that begins at lines[*at], of which *count came before it; KT_END behind the last. */
kt_code kt_note_next(const kt_note *note, size_t *at, size_t *count, kt_note_signature *out, kt_error *error);
bool kt_note_signature_is_by(const kt_note_signature *signature, const kt_verifier *verifier);
/* All signatures by this key hold, and there is one. *time (NULL: not wanted) is the newest's, 0 for a type without time.
   KT_DAMAGED: one does not. KT_KEY: there is none. */
kt_code kt_note_check(const kt_note *note, const kt_verifier *verifier, uint64_t *time, kt_error *error);
/* What the text says, whoever signed it. */
kt_code kt_checkpoint_read(const kt_note *note, kt_checkpoint *out, kt_error *error);

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
/* A decimal number without leading zeros. */
bool kt_decimal_read(const char *text, size_t size, uint64_t *out);
void kt_hex_encode(const void *data, size_t size, char *out); /* lower case, with a zero */
bool kt_hex_decode(const char *text, size_t size, void *out, size_t room);

#endif
