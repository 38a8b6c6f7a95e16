#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/key.h"

typedef struct listing {
    kt_out *out;
    const kt_actors *actors; /* NULL: no book was given */
    size_t shown;
} listing;

enum { PATH, NAME, SHORT, PUBLIC, KIND, ACTOR, STATE, COUNT };

static const kt_key_facts *facts_of(const kt_actors *actors, const uint8_t key[KT_KEY_SIZE]) {
    for (size_t i = 0; actors != NULL && i < actors->key_count; i++)
        if (memcmp(actors->keys[i].key, key, KT_KEY_SIZE) == 0) return &actors->keys[i];
    return NULL;
}

static kt_code show_file(listing *list, const char *directory, const char *file, kt_error *error) {
    char path[4096];
    kt_key_about about;
    kt_error why = {0};
    if (snprintf(path, sizeof(path), "%s/%s", directory, file) >= (int)sizeof(path)) return KT_OK;
    kt_code code = kt_key_look(path, &about, &why);
    if (code != KT_OK) {
        /* What only lies beside the keys is passed over; a key file that cannot be read is not. */
        if (strstr(file, ".key") != NULL) kt_warn("%s", why.text);
        return KT_OK;
    }
    const kt_key_facts *facts = facts_of(list->actors, about.public_key);
    char digits[20];
    (void)snprintf(digits, sizeof(digits), "%02x%02x%02x%02x%02x%02x%02x%02x", about.public_key[0], about.public_key[1],
                   about.public_key[2], about.public_key[3], about.public_key[4], about.public_key[5],
                   about.public_key[6], about.public_key[7]);
    kt_out_words(list->out, PATH, path);
    kt_out_words(list->out, NAME, about.name);
    kt_out_words(list->out, SHORT, digits);
    kt_out_hex(list->out, PUBLIC, about.public_key, KT_KEY_SIZE);
    kt_out_words(list->out, KIND, kt_key_kind_name(about.kind));
    if (facts != NULL) {
        kt_out_text(list->out, ACTOR, facts->actor);
        kt_out_words(list->out, STATE, facts->revoked ? "revoked" : facts->until != 0 ? "rotated" : "valid");
    } else if (list->actors != NULL) kt_out_words(list->out, STATE, "not on record");
    list->shown++;
    return kt_out_row(list->out, error);
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static kt_code show_directory(listing *list, kt_style style, const char *directory, kt_error *error) {
    const kt_column columns[COUNT] = {
        [PATH] = {"file", "file", KT_CELL_TEXT, false},
        [NAME] = {"name", "name", KT_CELL_PROSE, false},
        [SHORT] = {NULL, "public key", KT_CELL_TEXT, false},
        [PUBLIC] = {"public", NULL, KT_CELL_TEXT, false},
        [KIND] = {"kind", "secret", KT_CELL_TEXT, false},
        [ACTOR] = {"actor", "actor", KT_CELL_TEXT, list->actors == NULL},
        [STATE] = {"state", "state", KT_CELL_TEXT, list->actors == NULL},
    };
    struct dirent **names = NULL;
    int count = scandir(directory, &names, NULL, by_name);
    if (count < 0) return kt_fail_errno(error, errno, "%s", directory);
    kt_code code = kt_out_open(style, columns, COUNT, false, &list->out, error);
    for (int i = 0; i < count; i++) {
        if (code == KT_OK && names[i]->d_name[0] != '.') code = show_file(list, directory, names[i]->d_name, error);
        free(names[i]);
    }
    free(names);
    kt_code closed = kt_out_close(list->out, error);
    if (list->shown == 0) kt_say(style, "no key files\n");
    return code != KT_OK ? code : closed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    listing list = {0};
    kt_book *book = NULL;
    kt_view *view = NULL;
    kt_actors *actors = NULL;
    kt_style style;
    char own[4096];
    const char *directory, *place;
    kt_error unnamed;
    kt_code code = kt_style_of(arguments, &style, error);
    bool has_book = kt_book_argument(arguments, &directory, &unnamed) == KT_OK;
    if (code == KT_OK && !has_book && arguments->word_count == 0)
        code = kt_fail(error, KT_USAGE,
                       "which keys? Name a directory, or give --book DIR for those that lie in the book");
    if (code == KT_OK && has_book) {
        code = kt_open_argument(arguments, true, &book, error);
        if (code == KT_OK) code = kt_view_open(book, NULL, &view, error);
        if (code == KT_OK) code = kt_view_actors(view, &actors, error);
        list.actors = actors;
    }
    if (code == KT_OK) {
        place = arguments->word_count != 0 ? arguments->words[0] : own;
        if (place == own && snprintf(own, sizeof(own), "%s/keys", directory) >= (int)sizeof(own))
            code = kt_fail(error, KT_LIMIT, "%.200s...: the path is too long", directory);
        else code = show_directory(&list, style, place, error);
    }
    kt_actors_free(actors);
    kt_view_close(view);
    kt_book_close(book);
    return code;
}

const kt_command kt_command_key_list = {
    .name = "key",
    .verb = "list",
    .words = "[DIR]",
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_KEEPING,
    .summary = "list the key files of a directory, and whose they are on record",
    .about = "Without DIR, those that lie in the book. With a book, also which actor each key is.",
    .example = "kontor key list ~/keys --book acme",
    .run = run,
};
