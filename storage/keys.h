/*
 * keys: files of Ed25519 signing keys.
 *
 * A key file is text: "kontor-key-v1", a name, the public key and the secret seed, each on a line of its own; or the
 * seed locked with a passphrase by Argon2id; or, instead of a seed, that ssh-agent holds the key (format in FORMAT.md).
 * Files are made with mode 0600 and never overwritten but by kt_key_relock; one that others may read is refused with
 * KT_KEY where the seed lies open in it.
 *
 * Law 9: what is secret is read, written and asked for in guarded memory (storage/signer.h) alone, which is wiped behind;
 * no error text shows any byte of it.
 */
#ifndef KT_STORAGE_KEYS_H
#define KT_STORAGE_KEYS_H

#include "storage/signer.h"

#define KT_KEY_NAME_MAX 255 /* bytes of a key's name */

/* Writes the key file (synced, 0600, its directory synced). KT_EXISTS. name is for people. passphrase NULL: not
   locked. */
kt_code kt_key_save(const kt_signer *signer, const char *path, const char *name, const char *passphrase,
                    kt_error *error);
/* passphrase is asked for through the callback only where the file is locked; it writes at most `room` bytes with a
   zero into guarded memory. NULL: a locked key is refused with KT_KEY. */
typedef kt_code (*kt_passphrase_callback)(void *context, const char *key_name, char *out, size_t room, kt_error *error);
kt_code kt_key_load(const char *path, kt_passphrase_callback ask, void *context, kt_signer **out, kt_error *error);

/* A key file for a key that ssh-agent holds: it names the key and has no secret. */
kt_code kt_key_save_agent(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const char *path, const char *name,
                          kt_error *error);
/* As kt_key_save, locked with what `choose` gives. */
kt_code kt_key_save_locked(const kt_signer *signer, const char *path, const char *name, kt_passphrase_callback choose,
                           void *context, kt_error *error);
/* Writes the file anew, locked with what `choose` gives, or open where choose is NULL: a new file beside it, synced, takes
   its name; then the old one's bytes are overwritten, as far as the file system does that in place. ask is for a file
   that is locked now. KT_KEY: it holds no seed (ssh-agent does), or has a second name that would keep the old bytes. */
kt_code kt_key_relock(const char *path, kt_passphrase_callback ask, kt_passphrase_callback choose, void *context,
                      kt_error *error);

typedef enum kt_key_kind { KT_KEY_OPEN, KT_KEY_LOCKED, KT_KEY_AGENT } kt_key_kind;
typedef struct kt_key_about {
    char name[KT_KEY_NAME_MAX + 1];
    uint8_t public_key[KT_PUBLIC_KEY_SIZE]; /* as the file says it */
    kt_key_kind kind;
} kt_key_about;
/* What a key file says of itself; its secret is not kept, and a locked one is not unlocked. */
kt_code kt_key_look(const char *path, kt_key_about *out, kt_error *error);

#endif
