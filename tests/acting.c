#include "tests/acting.h"

#include <stdio.h>
#include <string.h>

#include "storage/keys.h"

const uint8_t *public_of(const char *name) {
    static uint8_t keys[8][KT_KEY_SIZE];
    static unsigned next;
    char file[100];
    kt_signer *signer = NULL;
    snprintf(file, sizeof file, "%s.key", name);
    if (kt_key_load(path_of(file), NULL, NULL, &signer, &said) != KT_OK) {
        if (kt_signer_generate(&signer, &said) != KT_OK ||
            kt_key_save(signer, path_of(file), name, NULL, &said) != KT_OK)
            diag("%s", said.text);
    }
    uint8_t *key = keys[next++ % 8];
    memcpy(key, kt_signer_public(signer), KT_KEY_SIZE);
    kt_signer_close(signer);
    return key;
}

kt_book *open_as(const char *book, const char *who) {
    char file[100];
    kt_book *out = NULL;
    snprintf(file, sizeof file, "%s.key", who);
    kt_open_options options = {.key_file = who ? path_of(file) : NULL, .clock_us = test_clock};
    if (kt_book_open(path_of(book), &options, &out, &said) != KT_OK) diag("%s", said.text);
    return out;
}

kt_code add_actor(kt_book *book, const char *id, const char *key) {
    kt_batch *batch = begin(book);
    kt_code code = kt_batch_actor_add(batch, kt_str_from(id), public_of(key), &said);
    if (code == KT_OK) return kt_batch_commit(batch, &receipt, &said);
    kt_batch_abort(batch);
    return code;
}

kt_code grant(kt_book *book, const char *id, kt_role role, const kt_limits *limits) {
    kt_batch *batch = begin(book);
    kt_code code = kt_batch_actor_grant(batch, kt_str_from(id), role, limits, &said);
    if (code == KT_OK) return kt_batch_commit(batch, &receipt, &said);
    kt_batch_abort(batch);
    return code;
}

kt_code withdraw(kt_book *book, const char *id, kt_role role) {
    kt_batch *batch = begin(book);
    kt_code code = kt_batch_actor_revoke(batch, kt_str_from(id), role, KT_STR("left"), &said);
    if (code == KT_OK) return kt_batch_commit(batch, &receipt, &said);
    kt_batch_abort(batch);
    return code;
}

kt_code revoke_key(kt_book *book, const char *key) {
    kt_batch *batch = begin(book);
    kt_code code = kt_batch_key_revoke(batch, public_of(key), KT_STR("lost"), &said);
    if (code == KT_OK) return kt_batch_commit(batch, &receipt, &said);
    kt_batch_abort(batch);
    return code;
}

kt_code decide(kt_book *book, uint64_t proposal, bool approve, uint64_t *number) {
    kt_batch *batch = begin(book);
    kt_code code = approve ? kt_batch_approve(batch, proposal, number, &said)
                           : kt_batch_reject(batch, proposal, KT_STR("wrong account"), &said);
    if (code == KT_OK) return kt_batch_commit(batch, &receipt, &said);
    kt_batch_abort(batch);
    return code;
}

kt_code rotate(kt_book *book, const char *from, const char *to, const char *liar) {
    char message[KT_ROTATION_MESSAGE_MAX], file[100];
    uint8_t signatures[2][KT_SIGNATURE_SIZE], keys[2][KT_KEY_SIZE];
    const char *who[2] = {from, to};
    for (unsigned i = 0; i < 2; i++) memcpy(keys[i], public_of(who[i]), KT_KEY_SIZE);
    size_t size = kt_key_rotation_message(kt_book_origin(book), keys[0], keys[1], message);
    for (unsigned i = 0; i < 2; i++) {
        kt_signer *signer = NULL;
        snprintf(file, sizeof file, "%s.key", i == 1 && liar ? liar : who[i]);
        if (kt_key_load(path_of(file), NULL, NULL, &signer, &said) != KT_OK) diag("%s", said.text);
        is_code(kt_sign(signer, message, size, signatures[i], &said), KT_OK, "a rotation is signed");
        kt_signer_close(signer);
    }
    kt_batch *batch = begin(book);
    kt_code code = kt_batch_key_rotate(batch, keys[0], keys[1], signatures[0], signatures[1], &said);
    if (code == KT_OK) return kt_batch_commit(batch, &receipt, &said);
    kt_batch_abort(batch);
    return code;
}

kt_code change_log_key(kt_book *book, const char *key) {
    char file[100];
    kt_batch *batch = begin(book);
    (void)public_of(key);
    snprintf(file, sizeof file, "%s.key", key);
    kt_code code = kt_batch_log_rotate(batch, path_of(file), &said);
    if (code == KT_OK) return kt_batch_commit(batch, &receipt, &said);
    kt_batch_abort(batch);
    return code;
}
