/* What ssh-agent answers, and OpenSSH's public key lines: bytes from elsewhere. Whatever is read was there, exactly. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <stdlib.h>
#include <string.h>

#include "storage/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held) {
    if (!held) abort();
}

static void refused(const kt_error *error) { must(error->code != KT_OK && error->text[0] != '\0'); }

/* The first byte says which; one of the keys looked for is the seeds', the other none. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t key[KT_PUBLIC_KEY_SIZE] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a,
                                                    0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4,
                                                    0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
    uint8_t signature[KT_SIGNATURE_SIZE], read[KT_PUBLIC_KEY_SIZE];
    bool found = false;
    kt_error error = {0};
    if (size == 0) return 0;
    const uint8_t *rest = data + 1;
    size--;
    switch (data[0] % 3) {
    case 0:
        if (kt_agent_read_identities(rest, size, key, &found, &error) != KT_OK) refused(&error);
        else if (found) must(memmem(rest, size, key, sizeof key) != NULL);
        break;
    case 1:
        if (kt_agent_read_signature(rest, size, signature, &error) != KT_OK) refused(&error);
        else must(size == 1 + 4 + 4 + 11 + 4 + 64 && memcmp(rest + 24, signature, sizeof signature) == 0);
        break;
    default:
        if (kt_openssh_read((const char *)rest, size, read, &error) != KT_OK) refused(&error);
        else {
            char print[KT_FINGERPRINT_MAX];
            kt_openssh_fingerprint(read, print);
            must(strncmp(print, "SHA256:", 7) == 0 && strlen(print) == 50);
        }
    }
    return 0;
}
