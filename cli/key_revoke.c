#include <stdio.h>
#include <string.h>

#include "cli/key.h"
#include "storage/note.h"

/* The keys of an actor that are valid, or the one that is named. */
static kt_code revoke(kt_writing *writing, const char *word, kt_str reason, size_t *count, kt_error *error) {
    uint8_t key[KT_KEY_SIZE];
    kt_view *view = NULL;
    kt_actors *actors = NULL;
    *count = 1;
    if (strlen(word) == 2 * sizeof(key) && kt_hex_decode(word, strlen(word), key, sizeof(key)))
        return kt_batch_key_revoke(writing->batch, key, reason, error);
    *count = 0;
    kt_code code = kt_view_open(writing->book, NULL, &view, error);
    if (code == KT_OK) code = kt_view_actors(view, &actors, error);
    for (size_t i = 0; code == KT_OK && i < actors->key_count; i++) {
        const kt_key_facts *facts = &actors->keys[i];
        if (!kt_str_equal(facts->actor, kt_str_from(word)) || facts->until != 0) continue;
        code = kt_batch_key_revoke(writing->batch, facts->key, reason, error);
        ++*count;
    }
    if (code == KT_OK && *count == 0)
        code = kt_fail(error, KT_UNKNOWN, "%.64s: no actor of that id has a valid key (kontor actor list)", word);
    kt_actors_free(actors);
    kt_view_close(view);
    return code;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_writing writing = {0};
    char what[200];
    size_t count = 0;
    kt_str reason = kt_str_from(kt_given_value(arguments, "reason"));
    if (reason.size == 0) return kt_fail(error, KT_USAGE, "key revoke needs --reason TEXT: why");
    kt_code code = kt_writing_open(arguments, &writing, error);
    if (code == KT_OK) code = revoke(&writing, arguments->words[0], reason, &count, error);
    if (code == KT_OK) {
        (void)snprintf(what, sizeof(what), "%zu %s of %.64s revoked", count, count == 1 ? "key" : "keys",
                       arguments->words[0]);
        code = kt_writing_commit(&writing, what, error);
    }
    kt_writing_close(&writing);
    return code;
}

static const kt_option options[] = {
    {"reason", "TEXT", "why; required, and on record", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_key_revoke = {
    .name = "key",
    .verb = "revoke",
    .words = "KEYHEX|ACTOR",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_KEY | KT_TAKES_STYLE,
    .group = KT_GROUP_KEEPING,
    .summary = "take a key out of use, or all keys of an actor",
    .about = "It holds from the record of the revocation on: what the key signed before stays good.",
    .options = options,
    .example = "kontor key revoke anna --reason \"notebook stolen\"",
    .run = run,
};
