#include "tests/witnessing.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(kt_code code, const char *what) {
    if (code == KT_OK) return;
    diag("%s: %s", what, said.text);
    exit(1);
}

kt_witness *open_witness(const char *name) {
    kt_witness *witness = NULL;
    kt_witness_options options = {.clock_us = test_clock};
    must(kt_witness_open(path_of(name), &options, &witness, &said), "a witness is opened");
    return witness;
}

kt_witness *make_witness(const char *name, const char *log) {
    char signed_as[100];
    snprintf(signed_as, sizeof signed_as, "test/%s", name);
    must(kt_witness_create(path_of(name), signed_as, log[0] ? log : NULL, &said), "a witness is made");
    return open_witness(name);
}

kt_code witness_view(kt_witness *witness, kt_book *book, char **note, size_t *size) {
    kt_view *view = view_of(book);
    kt_code code = kt_witness_cosign_view(witness, view, note, size, &said);
    kt_view_close(view);
    return code;
}

kt_code witness_book(kt_witness *witness, kt_book *book) {
    char *note = NULL;
    size_t size = 0;
    kt_code code = witness_view(witness, book, &note, &size);
    if (code == KT_OK) code = kt_cosigned_keep(kt_book_directory(book), note, size, &said);
    free(note);
    return code;
}

static unsigned look(const char *name, const char *sort, char *path, size_t room) {
    char folder[1000];
    unsigned count = 0;
    snprintf(folder, sizeof folder, "%s/evidence", path_of(name));
    DIR *listing = opendir(folder);
    for (struct dirent *entry; listing && (entry = readdir(listing));)
        if (entry->d_name[0] != '.' && strncmp(entry->d_name, sort, strlen(sort)) == 0) {
            count++;
            if (path) snprintf(path, room, "%s/%s", folder, entry->d_name);
        }
    if (listing) closedir(listing);
    return count;
}

unsigned evidence_of(const char *name, const char *sort) { return look(name, sort, NULL, 0); }

char *evidence_text(const char *name, const char *sort, size_t *size) {
    char path[1400] = "", *text = NULL;
    *size = 0;
    FILE *in = look(name, sort, path, sizeof path) == 1 ? fopen(path, "rb") : NULL;
    if (in) {
        text = calloc(1, 200000);
        *size = fread(text, 1, 199999, in);
        fclose(in);
    }
    return text;
}

kt_code carry(void *context, const char *body, size_t size, unsigned *status, char *answer, size_t room,
              size_t *answer_size, kt_error *error) {
    kt_witness_answer got;
    (void)kt_witness_add_checkpoint(context, body, size, &got, NULL);
    if (!got.body || got.size > room) return kt_fail(error, KT_IO, "no answer");
    *status = got.status;
    memcpy(answer, got.body, got.size);
    *answer_size = got.size;
    free(got.body);
    return KT_OK;
}

kt_code verify_witnessed(const char *name, const char *const *vkeys, size_t quorum, found *first) {
    size_t count = 0;
    while (vkeys[count]) count++;
    kt_verify_options options = {.witnesses = vkeys, .witness_count = count, .quorum = quorum};
    return verify_path(path_of(name), &options, first);
}
