#define _GNU_SOURCE
#include "engine/audit/cosigned.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/logkey.h"
#include "storage/disk.h"

#define NAME_SIZE 20 /* digits of a size */

static kt_code folder_of(char out[4096], const char *directory, kt_error *error) {
    int size = snprintf(out, 4000, "%s/witness", directory);
    return size < 0 || size >= 4000 ? kt_fail(error, KT_USAGE, "%s: path too long", directory) : KT_OK;
}

static int is_kept(const struct dirent *entry) {
    return strlen(entry->d_name) == NAME_SIZE && strspn(entry->d_name, "0123456789") == NAME_SIZE;
}

/* Names newest first. 0 also where there is no such folder. */
static kt_code list_kept(const char *folder, struct dirent ***names, int *count, kt_error *error) {
    *names = NULL;
    *count = scandir(folder, names, is_kept, alphasort);
    if (*count >= 0) return KT_OK;
    *count = 0;
    return errno == ENOENT ? KT_OK : kt_fail_errno(error, errno, "%s", folder);
}

static void free_names(struct dirent **names, int count) {
    for (int i = 0; i < count; i++) free(names[i]);
    free(names);
}

/* ---- keeping ---- */

static kt_code drop_older(const char *folder, kt_error *error) {
    struct dirent **names;
    int count;
    char path[4200];
    kt_code code = list_kept(folder, &names, &count, error);
    for (int i = 0; i + (int)KT_COSIGNED_KEPT < count; i++)
        if (snprintf(path, sizeof path, "%s/%.*s", folder, NAME_SIZE, names[i]->d_name) < (int)sizeof path)
            unlink(path);
    free_names(names, count);
    return code;
}

/* What is no note there is as good as nothing. */
static kt_code put_kept(const char *path, const char *note, size_t size, kt_error *error) {
    char *kept = NULL, *merged = NULL;
    size_t kept_size, merged_size;
    kt_error why = {0};
    kt_code code = kt_disk_read(path, KT_NOTE_MAX, &kept, &kept_size, &why);
    if (code == KT_OK) {
        code = kt_note_merge(note, size, kept, kept_size, &merged, &merged_size, &why);
        if (code == KT_FOREIGN)
            code = kt_fail(error, KT_DAMAGED,
                           "%s: another checkpoint of the same size is kept there: the book's history was forked",
                           path);
        else if (code == KT_OK) code = kt_disk_replace(path, merged, merged_size, error);
        else code = kt_disk_replace(path, note, size, error);
    } else if (code == KT_NOT_FOUND || code == KT_LIMIT) code = kt_disk_replace(path, note, size, error);
    else kt_fail(error, code, "%s", why.text);
    free(merged);
    free(kept);
    return code;
}

kt_code kt_cosigned_keep(const char *directory, const char *note, size_t size, kt_error *error) {
    char folder[4096], path[4200];
    kt_note parts;
    kt_checkpoint checkpoint;
    kt_code code = kt_note_cut(note, size, &parts, error);
    if (code == KT_OK) code = kt_checkpoint_read(&parts, &checkpoint, error);
    if (code == KT_OK) code = folder_of(folder, directory, error);
    if (code != KT_OK) return code;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return kt_fail_errno(error, errno, "%s", folder);
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) return kt_fail_errno(error, errno, "%s", folder);
    while (flock(lock, LOCK_EX) != 0 && code == KT_OK)
        if (errno != EINTR) code = kt_fail_errno(error, errno, "%s", folder);
    (void)snprintf(path, sizeof path, "%s/%0*" PRIu64, folder, NAME_SIZE, checkpoint.size);
    if (code == KT_OK) code = put_kept(path, note, size, error);
    if (code == KT_OK) code = drop_older(folder, error);
    if (code == KT_OK) code = kt_disk_sync_name(folder, error);
    close(lock);
    return code;
}

/* ---- what is held against the book ---- */

static kt_code put_held(kt_held_list *list, const kt_checkpoint *checkpoint, const char *what, kt_error *error) {
    kt_held *grown = realloc(list->held, (list->count + 1) * sizeof *grown);
    if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    size_t at = list->count++;
    list->held = grown;
    for (; at > 0 && grown[at - 1].checkpoint.size > checkpoint->size; at--) grown[at] = grown[at - 1];
    grown[at].checkpoint = *checkpoint;
    (void)snprintf(grown[at].what, sizeof grown[at].what, "%s", what);
    return KT_OK;
}

void kt_held_release(kt_held_list *list) {
    free(list->held);
    *list = (kt_held_list){NULL, 0};
}

typedef struct witness_panel {
    kt_txn *txn;
    const char *origin;
    kt_verifier witnesses[KT_WITNESSES_MAX];
    size_t count, quorum;
    kt_cosigned_found found;
    void *context;
    kt_held_list *list;
    kt_verify_result *out;
    size_t best; /* cosignatures of the witnesses given, on one checkpoint */
    uint64_t best_size;
    bool met;
} witness_panel;

__attribute__((format(printf, 3, 4))) static void find(const witness_panel *panel, kt_code code, const char *format,
                                                       ...) {
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    panel->found(panel->context, code, text);
}

static kt_code read_witnesses(const kt_verify_options *options, witness_panel *out, kt_error *error) {
    if (options->witness_count > KT_WITNESSES_MAX)
        return kt_fail(error, KT_USAGE, "%zu witnesses; at most %u", options->witness_count, KT_WITNESSES_MAX);
    for (size_t i = 0; i < options->witness_count; i++) {
        kt_verifier *key = &out->witnesses[out->count];
        const char *text = options->witnesses[i];
        kt_code code = kt_verifier_parse_as(KT_VERIFIER_WITNESS, text, strlen(text), key, error);
        if (code != KT_OK) return kt_fail_at(error, code, "witness %.60s", text);
        bool own;
        code = kt_log_key_known(out->txn, key->public_key, &own, error);
        if (code != KT_OK) return code;
        if (own)
            return kt_fail(error, KT_USAGE, "witness %s: its key is or was the log's own: nobody is his own witness",
                           key->name);
        /* A cosignature does not sign its name: one key under two names is one witness. */
        bool known = false;
        for (size_t k = 0; k < out->count; k++)
            known = known || memcmp(key->public_key, out->witnesses[k].public_key, KT_PUBLIC_KEY_SIZE) == 0;
        if (!known) out->count++;
    }
    out->quorum = options->quorum == 0 ? out->count : options->quorum;
    if (out->quorum > out->count)
        return kt_fail(error, KT_USAGE, "a quorum of %zu, and %zu witness%s given", out->quorum, out->count,
                       out->count == 1 ? "" : "es");
    return KT_OK;
}

/* How many of the witnesses cosigned it, and the earliest of their times. */
static kt_code count_cosigners(const witness_panel *panel, const kt_note *note, size_t *count, uint64_t *time,
                               kt_error *error) {
    *count = 0;
    *time = UINT64_MAX;
    for (size_t i = 0; i < panel->count; i++) {
        uint64_t its;
        kt_code code = kt_note_check(note, &panel->witnesses[i], &its, error);
        if (code == KT_KEY) continue;
        if (code != KT_OK) return code;
        ++*count;
        if (its < *time) *time = its;
    }
    return KT_OK;
}

/* given: by whoever verifies, so that what is wrong with it is said; otherwise it counts for nothing. */
static kt_code hold_note(witness_panel *panel, const char *text, size_t size, bool given, kt_error *error) {
    kt_note note;
    kt_checkpoint checkpoint;
    kt_error why = {0};
    size_t count = 0;
    uint64_t time = 0;
    kt_code code = kt_note_cut(text, size, &note, &why);
    if (code == KT_OK) code = kt_log_checkpoint_open(panel->txn, panel->origin, text, size, &checkpoint, &why);
    if (code == KT_OK) code = count_cosigners(panel, &note, &count, &time, &why);
    if (code != KT_OK) {
        if (given) find(panel, code == KT_KEY ? KT_FOREIGN : code, "the cosigned checkpoint given: %s", why.text);
        return KT_OK;
    }
    if (count > panel->best) {
        panel->best = count;
        panel->best_size = checkpoint.size;
    }
    if (given && count < panel->quorum)
        find(panel, KT_KEY,
             "the cosigned checkpoint given, of %" PRIu64 " records, is cosigned by %zu of the %zu witnesses "
             "given; expected %zu",
             checkpoint.size, count, panel->count, panel->quorum);
    if (count >= panel->quorum && (!panel->met || checkpoint.size >= panel->out->cosigned_size)) {
        panel->met = true;
        panel->out->cosigners = (unsigned)count;
        panel->out->cosigned_size = checkpoint.size;
        panel->out->cosigned_us = time > INT64_MAX / 1000000 ? INT64_MAX : (int64_t)time * 1000000;
    }
    if (count == 0 && !given) return KT_OK;
    char what[sizeof((kt_held *)NULL)->what];
    (void)snprintf(what, sizeof what, "the checkpoint cosigned by %zu witness%s", count, count == 1 ? "" : "es");
    return put_held(panel->list, &checkpoint, what, error);
}

static kt_code hold_kept(witness_panel *panel, const char *directory, kt_error *error) {
    struct dirent **names = NULL;
    char folder[4096], path[4200];
    int count = 0;
    kt_code code = folder_of(folder, directory, error);
    if (code == KT_OK) code = list_kept(folder, &names, &count, error);
    for (int i = count; i-- > 0 && code == KT_OK && count - i <= (int)KT_COSIGNED_LOOKED;) {
        char *text = NULL;
        size_t size;
        (void)snprintf(path, sizeof path, "%s/%.*s", folder, NAME_SIZE, names[i]->d_name);
        kt_code got = kt_disk_read(path, KT_NOTE_MAX, &text, &size, NULL);
        if (got == KT_OK) code = hold_note(panel, text, size, false, error);
        else if (got == KT_MEMORY) code = kt_fail(error, KT_MEMORY, "out of memory");
        free(text);
    }
    free_names(names, count);
    return code;
}

static void tell_quorum(const witness_panel *panel) {
    if (panel->best == 0)
        find(panel, KT_KEY,
             "no checkpoint cosigned by any of the %zu witness%s given is kept in the book's witness/: ask them, or "
             "whoever "
             "kept one (--cosigned)",
             panel->count, panel->count == 1 ? "" : "es");
    else
        find(panel, KT_KEY,
             "no checkpoint kept in the book's witness/ is cosigned by %zu of the %zu witnesses given: the most is "
             "%zu, of "
             "%" PRIu64 " records",
             panel->quorum, panel->count, panel->best, panel->best_size);
}

kt_code kt_held_read(const char *directory, const kt_verify_options *options, kt_txn *txn, const char *origin,
                     kt_cosigned_found found, void *context, kt_held_list *list, kt_verify_result *out,
                     kt_error *error) {
    kt_code code = KT_OK;
    kt_checkpoint since;
    if (options->since != NULL) {
        code = kt_log_checkpoint_open(txn, origin, options->since, options->since_size, &since, error);
        if (code != KT_OK) return kt_fail_at(error, code, "the checkpoint given");
        code = put_held(list, &since, "the checkpoint given", error);
    }
    if (code != KT_OK) return code;
    if (options->witness_count == 0)
        return options->quorum == 0 && options->cosigned_count == 0
                   ? KT_OK
                   : kt_fail(error, KT_USAGE, "a quorum, or a cosigned checkpoint, and no witness");
    witness_panel *panel = calloc(1, sizeof *panel);
    if (panel == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    *panel = (witness_panel){
        .txn = txn, .origin = origin, .found = found, .context = context, .list = list, .out = out};
    code = read_witnesses(options, panel, error);
    for (size_t i = 0; i < options->cosigned_count && code == KT_OK; i++)
        code = hold_note(panel, options->cosigned[i].data, options->cosigned[i].size, true, error);
    if (code == KT_OK && options->cosigned_count == 0) {
        code = hold_kept(panel, directory, error);
        if (code == KT_OK && !panel->met) tell_quorum(panel);
    }
    free(panel);
    return code;
}
