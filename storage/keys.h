/*
 * keys: Ed25519 signing keys and their files.
 *
 * A key file is text: "kontor-key-v1", a name, the public key and the secret seed, each on a line of its own, or the
 * seed locked with a passphrase by Argon2id (format in FORMAT.md). Files are made with mode 0600 and never
 * overwritten; one that others may read is refused with KT_KEY unless it is locked.
 *
 * Law 9: secrets live in memory of sodium_malloc (guarded, not swapped, not dumped) and are wiped on close; no error
 * text shows any byte of a key.
 */
#ifndef KT_STORAGE_KEYS_H
#define KT_STORAGE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/error.h"

#define KT_PUBLIC_KEY_SIZE 32
#define KT_SIGNATURE_SIZE 64
#define KT_SEED_SIZE 32

typedef struct kt_signer kt_signer; /* a secret key, opaque */

/* To be called once before anything else in storage that signs, hashes or draws random bytes; cheap to repeat. */
kt_code kt_keys_setup(kt_error *error);

/* A new key from random bytes, or from a seed of KT_SEED_SIZE bytes (tests and published test keys). */
kt_code kt_signer_generate(kt_signer **out, kt_error *error);
kt_code kt_signer_from_seed(const uint8_t seed[KT_SEED_SIZE], kt_signer **out, kt_error *error);
void kt_signer_close(kt_signer *signer); /* wipes */
const uint8_t *kt_signer_public(const kt_signer *signer);

void kt_sign(const kt_signer *signer, const void *message, size_t size, uint8_t signature[KT_SIGNATURE_SIZE]);
bool kt_signature_check(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const void *message, size_t size,
                        const uint8_t signature[KT_SIGNATURE_SIZE]);

/* Writes the key file (synced, 0600, its directory synced). KT_EXISTS. name is for people. passphrase NULL: not
   locked. */
kt_code kt_key_save(const kt_signer *signer, const char *path, const char *name, const char *passphrase,
                    kt_error *error);
/* passphrase is asked for through the callback only where the file is locked; it writes at most `room` bytes with a
   zero into guarded memory. NULL: a locked key is refused with KT_KEY. */
typedef kt_code (*kt_passphrase_callback)(void *context, const char *key_name, char *out, size_t room, kt_error *error);
kt_code kt_key_load(const char *path, kt_passphrase_callback ask, void *context, kt_signer **out, kt_error *error);

void kt_random(void *out, size_t size);
void kt_wipe(void *data, size_t size);

#endif
