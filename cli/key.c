#include "cli/key.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/agent.h"
#include "storage/note.h"

#define PUBLIC_FILE_MAX 65536u

const char *kt_key_kind_name(kt_key_kind kind) {
    return kind == KT_KEY_LOCKED ? "locked" : kind == KT_KEY_AGENT ? "ssh-agent" : "open";
}

kt_code kt_key_openssh(const char *path, uint8_t out[KT_KEY_SIZE], kt_error *error) {
    char *text = NULL;
    size_t size = 0, found = 0, number = 0;
    kt_code code = kt_file_read(path, PUBLIC_FILE_MAX, &text, &size, error);
    for (char *at = text; code == KT_OK && at < text + size; number++) {
        size_t width = strcspn(at, "\n");
        if (strncmp(at, "ssh-ed25519 ", strlen("ssh-ed25519 ")) == 0) {
            code = kt_openssh_read(at, width, out, error);
            if (code != KT_OK) (void)kt_fail_at(error, code, "%s:%zu", path, number + 1);
            found++;
        }
        at += width + 1;
    }
    free(text);
    if (code == KT_OK && found != 1)
        code = kt_fail(error, KT_INVALID, "%s: %zu Ed25519 keys; expected one line \"ssh-ed25519 BASE64 comment\"",
                       path, found);
    return code;
}

/* A file that says it is a key file is never read into ordinary memory. */
static bool says_key_file(const char *path) {
    char begin[12] = {0};
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool says = file >= 0 && read(file, begin, sizeof(begin)) == (ssize_t)sizeof(begin) &&
                memcmp(begin, "kontor-key-v", sizeof(begin)) == 0;
    if (file >= 0) (void)close(file);
    return says;
}

kt_code kt_key_public(const char *text, uint8_t out[KT_KEY_SIZE], kt_error *error) {
    if (strlen(text) == 2 * (size_t)KT_KEY_SIZE && kt_hex_decode(text, strlen(text), out, KT_KEY_SIZE)) return KT_OK;
    if (access(text, F_OK) != 0)
        return kt_fail(error, KT_USAGE,
                       "%.200s: expected a public key in %d hexadecimal digits, or a file that holds it", text,
                       2 * KT_KEY_SIZE);
    if (!says_key_file(text)) return kt_key_openssh(text, out, error);
    kt_key_about about;
    kt_code code = kt_key_look(text, &about, error);
    if (code == KT_OK) memcpy(out, about.public_key, KT_KEY_SIZE);
    return code;
}

kt_code kt_key_show(kt_style style, const char *path, const kt_key_about *about, const char *kind, const char *vkey,
                    kt_error *error) {
    enum { NAME, PATH, KIND, PUBLIC, FINGERPRINT, VERIFIER, COUNT };
    const kt_column columns[COUNT] = {
        [NAME] = {"name", "name", KT_CELL_TEXT, false},
        [PATH] = {"file", "file", KT_CELL_TEXT, path == NULL},
        [KIND] = {"kind", "secret", KT_CELL_TEXT, false},
        [PUBLIC] = {"public", "public key", KT_CELL_TEXT, false},
        [FINGERPRINT] = {"fingerprint", "fingerprint", KT_CELL_TEXT, false},
        [VERIFIER] = {"verifier", "verifier key", KT_CELL_TEXT, vkey == NULL},
    };
    char fingerprint[KT_FINGERPRINT_MAX];
    kt_out *out;
    kt_code code = kt_out_open(style, columns, COUNT, true, &out, error);
    if (code != KT_OK) return code;
    kt_openssh_fingerprint(about->public_key, fingerprint);
    kt_out_words(out, NAME, about->name);
    if (path != NULL) kt_out_words(out, PATH, path);
    kt_out_words(out, KIND, kind);
    kt_out_hex(out, PUBLIC, about->public_key, KT_KEY_SIZE);
    kt_out_words(out, FINGERPRINT, fingerprint);
    if (vkey != NULL) kt_out_words(out, VERIFIER, vkey);
    code = kt_out_row(out, error);
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}
