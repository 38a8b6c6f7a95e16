#include "storage/signer.h"

#include <string.h>

#include <sodium.h>

#include "storage/agent.h"

_Static_assert(crypto_sign_PUBLICKEYBYTES == KT_PUBLIC_KEY_SIZE, "Ed25519 public key");
_Static_assert(crypto_sign_BYTES == KT_SIGNATURE_SIZE, "Ed25519 signature");
_Static_assert(crypto_sign_SEEDBYTES == KT_SEED_SIZE, "Ed25519 seed");

/* How long an agent may take to say which keys it has, which it does without asking anybody. */
#define LOAD_PATIENCE_MS 10000

struct kt_signer {
    uint8_t secret[crypto_sign_SECRETKEYBYTES]; /* the seed, then the public key; nothing where an agent holds them */
    uint8_t public_key[KT_PUBLIC_KEY_SIZE];
    char agent[KT_AGENT_PATH_MAX]; /* its socket; empty: the secret is here */
};

kt_code kt_keys_setup(kt_error *error) {
    if (sodium_init() < 0) return kt_fail(error, KT_KEY, "libsodium does not start: no source of random numbers");
    return KT_OK;
}

static kt_code no_memory(kt_error *error) {
    return kt_fail(error, KT_MEMORY, "no guarded memory for a key; the limit on locked memory may be too low");
}

kt_code kt_signer_from_seed(const uint8_t seed[KT_SEED_SIZE], kt_signer **out, kt_error *error) {
    *out = NULL;
    kt_code code = kt_keys_setup(error);
    if (code) return code;
    kt_signer *signer = sodium_malloc(sizeof *signer);
    if (!signer) return no_memory(error);
    memset(signer, 0, sizeof *signer);
    crypto_sign_seed_keypair(signer->public_key, signer->secret, seed);
    sodium_mprotect_readonly(signer);
    *out = signer;
    return KT_OK;
}

kt_code kt_signer_generate(kt_signer **out, kt_error *error) {
    *out = NULL;
    kt_code code = kt_keys_setup(error);
    if (code) return code;
    uint8_t *seed = sodium_malloc(KT_SEED_SIZE);
    if (!seed) return no_memory(error);
    randombytes_buf(seed, KT_SEED_SIZE);
    code = kt_signer_from_seed(seed, out, error);
    sodium_free(seed);
    return code;
}

void kt_signer_close(kt_signer *signer) { sodium_free(signer); /* wipes; NULL is accepted */ }

const uint8_t *kt_signer_public(const kt_signer *signer) { return signer->public_key; }

/* A key of the agent's: looked for now, so that a book is refused before anything is posted and not at its end. */
kt_code kt_signer_from_agent(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const char *name, kt_signer **out,
                             kt_error *error) {
    *out = NULL;
    kt_code code = kt_keys_setup(error);
    if (code) return code;
    kt_signer *signer = sodium_malloc(sizeof *signer);
    if (!signer) return no_memory(error);
    memset(signer, 0, sizeof *signer);
    memcpy(signer->public_key, public_key, KT_PUBLIC_KEY_SIZE);
    code = kt_agent_place(name, signer->agent, error);
    if (!code) code = kt_agent_find(signer->agent, public_key, LOAD_PATIENCE_MS, error);
    if (code) {
        sodium_free(signer);
        return code;
    }
    sodium_mprotect_readonly(signer);
    *out = signer;
    return KT_OK;
}

kt_code kt_sign(const kt_signer *signer, const void *message, size_t size, uint8_t signature[KT_SIGNATURE_SIZE],
                kt_error *error) {
    if (!signer->agent[0]) {
        crypto_sign_detached(signature, NULL, message, size, signer->secret);
        return KT_OK;
    }
    uint8_t given[KT_SIGNATURE_SIZE];
    kt_code code = kt_agent_sign(signer->agent, signer->public_key, message, size, KT_SIGN_PATIENCE_MS, given, error);
    if (code) return code;
    /* LAW 7: nothing is stored under a signature that does not hold. */
    if (!kt_signature_check(signer->public_key, message, size, given))
        return kt_fail(error, KT_KEY, "ssh-agent at %s: its signature does not hold", signer->agent);
    memcpy(signature, given, sizeof given);
    return KT_OK;
}

kt_code kt_signer_seed(const kt_signer *signer, uint8_t seed[KT_SEED_SIZE], kt_error *error) {
    if (signer->agent[0])
        return kt_fail(error, KT_KEY, "ssh-agent holds this key; there is no seed to be kept in a file");
    memcpy(seed, signer->secret, KT_SEED_SIZE);
    return KT_OK;
}

bool kt_signature_check(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const void *message, size_t size,
                        const uint8_t signature[KT_SIGNATURE_SIZE]) {
    return crypto_sign_verify_detached(signature, message, size, public_key) == 0;
}

void kt_random(void *out, size_t size) { randombytes_buf(out, size); }

void kt_wipe(void *data, size_t size) { sodium_memzero(data, size); }
