/*
 * agent: Ed25519 keys held by ssh-agent, over its Unix socket (draft-ietf-sshm-ssh-agent, sections 4.4 and 4.5), and
 * the public key lines that OpenSSH writes for them.
 *
 * Each call connects, asks one question, reads one answer and hangs up, so that nothing is kept between them: an agent
 * that was started anew is found again, and threads need no turn. An answer is at most KT_AGENT_FRAME_MAX bytes and
 * is bounded before anything is allocated for it; nothing in it is believed: whoever signs checks the signature
 * (kt_sign does).
 *
 * Errors: KT_KEY, whatever is wrong: no agent, no such key in it, it declined, its socket failed, it answered something
 * else than what was asked, or not in time.
 */
#ifndef KT_STORAGE_AGENT_H
#define KT_STORAGE_AGENT_H

#include <stdbool.h>

#include "storage/signer.h"

#define KT_AGENT_FRAME_MAX 262144u  /* as OpenSSH's own */
#define KT_AGENT_MESSAGE_MAX 65536u /* bytes to be signed */
#define KT_AGENT_PATH_MAX 108       /* of the socket, with its zero */

/* Where the agent listens: SSH_AUTH_SOCK. key_name is for the message. */
kt_code kt_agent_place(const char *key_name, char out[KT_AGENT_PATH_MAX], kt_error *error);
/* Whether it holds this key: KT_KEY where it does not. */
kt_code kt_agent_find(const char *socket_path, const uint8_t public_key[KT_PUBLIC_KEY_SIZE], int timeout_ms,
                      kt_error *error);
/* The signature is as the agent gave it: unchecked. */
kt_code kt_agent_sign(const char *socket_path, const uint8_t public_key[KT_PUBLIC_KEY_SIZE], const void *message,
                      size_t size, int timeout_ms, uint8_t signature[KT_SIGNATURE_SIZE], kt_error *error);

/* Answers, without their length: the type and what follows. Exact: nothing may stand behind. */
kt_code kt_agent_read_identities(const uint8_t *answer, size_t size, const uint8_t public_key[KT_PUBLIC_KEY_SIZE],
                                 bool *found, kt_error *error);
kt_code kt_agent_read_signature(const uint8_t *answer, size_t size, uint8_t signature[KT_SIGNATURE_SIZE],
                                kt_error *error);

/* "ssh-ed25519 BASE64 [comment]", with or without a line feed: KT_INVALID; KT_UNSUPPORTED for a key of another kind. */
kt_code kt_openssh_read(const char *text, size_t size, uint8_t public_key[KT_PUBLIC_KEY_SIZE], kt_error *error);
/* The fingerprint that ssh-add -l shows: "SHA256:" and base64 without padding. */
#define KT_FINGERPRINT_MAX 52
void kt_openssh_fingerprint(const uint8_t public_key[KT_PUBLIC_KEY_SIZE], char out[KT_FINGERPRINT_MAX]);

#endif
