#include <stdio.h>
#include <string.h>

#include "cli/key.h"
#include "storage/note.h"

/* The log's key is on record: the book's directory need not hold it. */
static kt_code show_book(const kt_arguments *arguments, kt_style style, kt_error *error) {
    kt_key_about about = {0}, file;
    kt_verifier verifier;
    kt_book *book = NULL;
    char path[4096];
    kt_code code = kt_open_argument(arguments, true, &book, error);
    if (code != KT_OK) return code;
    const char *vkey = kt_book_verifier(book);
    code = kt_verifier_parse(vkey, strlen(vkey), &verifier, error);
    if (code == KT_OK) {
        (void)snprintf(about.name, sizeof(about.name), "%s", verifier.name);
        memcpy(about.public_key, verifier.public_key, sizeof(about.public_key));
        bool fits = snprintf(path, sizeof(path), "%s/keys/log.key", kt_book_directory(book)) < (int)sizeof(path);
        bool there = fits && kt_key_look(path, &file, NULL) == KT_OK &&
                     memcmp(file.public_key, about.public_key, sizeof(file.public_key)) == 0;
        code = kt_key_show(style, there ? path : NULL, &about, there ? kt_key_kind_name(file.kind) : "not here", vkey,
                           error);
    }
    kt_book_close(book);
    return code;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_key_about about;
    kt_verifier verifier;
    kt_style style;
    char vkey[KT_VERIFIER_MAX];
    kt_code code = kt_style_of(arguments, &style, error);
    if (code == KT_OK && arguments->word_count == 0) return show_book(arguments, style, error);
    if (code == KT_OK) code = kt_key_look(arguments->words[0], &about, error);
    if (code != KT_OK) return code;
    /* A name with a space in it is good for people, and none for a note. */
    bool named = kt_verifier_make(about.name, about.public_key, &verifier, NULL) == KT_OK;
    if (named) kt_verifier_format(&verifier, vkey);
    return kt_key_show(style, arguments->words[0], &about, kt_key_kind_name(about.kind), named ? vkey : NULL, error);
}

const kt_command kt_command_key_show = {
    .name = "key",
    .verb = "show",
    .words = "[FILE]",
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_KEEPING,
    .summary = "show the public half of a key file, or of the book's own key",
    .about = "The fingerprint is the one ssh-add -l shows. What is secret is never shown.",
    .example = "kontor key show anna.key",
    .run = run,
};
