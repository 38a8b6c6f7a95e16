/*
 * signer: Ed25519 keys that sign: a secret in guarded memory, or a key that ssh-agent holds (storage/agent.h).
 *
 * Law 9: secrets live in memory of sodium_malloc (guarded, not swapped, left out of core dumps) and are wiped on close;
 * no error text shows any byte of a key. Law 7: a signature of an agent's is checked before it is given on.
 *
 * Lifetime: from generate, from_seed, from_agent or kt_key_load (storage/keys.h) to kt_signer_close. A signer does not
 * change: any thread may sign with it.
 */
#ifndef KT_STORAGE_SIGNER_H
#define KT_STORAGE_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/error.h"

#define KT_PUBLIC_KEY_SIZE 32
#define KT_SIGNATURE_SIZE 64
#define KT_SEED_SIZE 32

typedef struct kt_signer kt_signer; /* a secret key in guarded memory, or a key held by ssh-agent; opaque */

/* To be called once before anything else in storage that signs, hashes or draws random bytes; cheap to repeat. */
kt_code kt_keys_setup(kt_error *error);

/* A new key from random bytes, or from a seed of KT_SEED_SIZE bytes (tests and published test keys). */
kt_code kt_signer_generate(kt_signer **out, kt_error *error);
kt_code kt_signer_from_seed(const uint8_t seed[KT_SEED_SIZE], kt_signer **out, kt_error *error);
/* A key that ssh-agent holds now (KT_KEY where it does not); name is for the message. */
kt_code kt_signer_from_agent(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const char *name, kt_signer **out,
                             kt_error *error);
void kt_signer_close(kt_signer *signer); /* wipes */
const uint8_t *kt_signer_public(const kt_signer *signer);

/* Fails only where ssh-agent holds the key, with KT_KEY (storage/agent.h; or the signature it gave does not hold). Nothing is
   written to signature then. An agent that asks its user has KT_SIGN_PATIENCE_MS. Any thread. */
#define KT_SIGN_PATIENCE_MS 60000
kt_code kt_sign(const kt_signer *signer, const void *message, size_t size, uint8_t signature[KT_SIGNATURE_SIZE],
                kt_error *error);
bool kt_signature_check(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const void *message, size_t size,
                        const uint8_t signature[KT_SIGNATURE_SIZE]);

/* The seed, for a file of it, into guarded memory. KT_KEY: ssh-agent holds it. */
kt_code kt_signer_seed(const kt_signer *signer, uint8_t seed[KT_SEED_SIZE], kt_error *error);

void kt_random(void *out, size_t size);
void kt_wipe(void *data, size_t size);

#endif
