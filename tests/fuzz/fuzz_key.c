/* Key files from anywhere. A file that loads holds the key that it says; no message shows its seed (law 9). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create, memmem */
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/keys.h"
#include "storage/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Locked files are refused before the passphrase is stretched: Argon2id would leave no time for anything else. */
static kt_code decline(void *context, const char *key_name, char *out, size_t room, kt_error *error) {
    (void)context;
    (void)out;
    (void)room;
    if (strlen(key_name) == 0) abort();
    return kt_fail(error, KT_KEY, "no passphrase");
}

static void check_message(const uint8_t *data, size_t size, const kt_error *error) {
    const char *seed = memmem(data, size, "seed: ", 6);
    if (!seed || (size_t)((const char *)data + size - seed) < 6 + 16) return;
    char part[17] = {0};
    memcpy(part, seed + 6, 16);
    uint8_t bytes[8];
    if (kt_hex_decode(part, 16, bytes, sizeof bytes) && strstr(error->text, part)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsetenv("SSH_AUTH_SOCK"); /* no agent of whoever runs this is asked */
    int fd = memfd_create("key", MFD_CLOEXEC);
    if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size) || fchmod(fd, 0600) != 0) abort();
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    kt_signer *signer = NULL;
    kt_error error = {0};
    if (kt_key_load(path, decline, NULL, &signer, &error) == KT_OK) {
        char hex[2 * KT_PUBLIC_KEY_SIZE + 1];
        kt_hex_encode(kt_signer_public(signer), KT_PUBLIC_KEY_SIZE, hex);
        uint8_t signature[KT_SIGNATURE_SIZE];
        if (kt_sign(signer, hex, sizeof hex, signature, &error) != KT_OK) abort();
        if (!kt_signature_check(kt_signer_public(signer), hex, sizeof hex, signature)) abort();
    } else {
        if (signer || error.code == KT_OK || error.text[0] == 0) abort();
        check_message(data, size, &error);
    }
    kt_signer_close(signer);
    close(fd);
    return 0;
}
