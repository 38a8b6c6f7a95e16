#define _GNU_SOURCE
#include "engine/audit/keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/audit/verify.h"
#include "engine/book.h"
#include "engine/replay.h"
#include "engine/tables.h"
#include "storage/disk.h"

/* ---- copying files ---- */

static kt_code path_of(char out[4096], const char *directory, const char *name, kt_error *error) {
    int size = snprintf(out, 4096, "%s/%s", directory, name);
    return size < 0 || size >= 4096 ? kt_fail(error, KT_USAGE, "%s: path too long", directory) : KT_OK;
}

static kt_code copy_bytes(int from, int to, const char *name, kt_error *error) {
    char buffer[65536];
    for (;;) {
        ssize_t got = read(from, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) return fsync(to) == 0 ? KT_OK : kt_fail_errno(error, errno, "%s", name);
        if (got < 0) return kt_fail_errno(error, errno, "%s", name);
        for (ssize_t done = 0; done < got;) {
            ssize_t written = write(to, buffer + done, (size_t)(got - done));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return kt_fail_errno(error, errno, "%s", name);
            done += written;
        }
    }
}

/* With the narrowest mode: these are keys and other people's documents. */
static kt_code copy_file(const char *from, const char *to, kt_error *error) {
    int source = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (source < 0) return kt_fail_errno(error, errno, "%s", from);
    int target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    kt_code code = target < 0 ? kt_fail_errno(error, errno, "%s", to) : copy_bytes(source, target, to, error);
    close(source);
    if (target >= 0) close(target);
    return code;
}

static kt_code copy_files(const char *from, const char *to, kt_error *error) {
    char source[4096], target[4096];
    DIR *directory = opendir(from);
    if (directory == NULL) return errno == ENOENT ? KT_OK : kt_fail_errno(error, errno, "%s", from);
    kt_code code = mkdir(to, 0700) == 0 ? KT_OK : kt_fail_errno(error, errno, "%s", to);
    for (struct dirent *entry; code == KT_OK && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        code = path_of(source, from, entry->d_name, error);
        if (code == KT_OK) code = path_of(target, to, entry->d_name, error);
        if (code == KT_OK) code = copy_file(source, target, error);
    }
    closedir(directory);
    return code == KT_OK ? kt_disk_sync_names(to, error) : code;
}

static kt_code copy_store(kt_store *store, const char *destination, kt_error *error) {
    char path[4096];
    kt_code code = path_of(path, destination, "data.mdb", error);
    if (code != KT_OK) return code;
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return kt_fail_errno(error, errno, "%s", path);
    code = kt_store_copy(store, file, error);
    if (code == KT_OK && fsync(file) != 0) code = kt_fail_errno(error, errno, "%s", path);
    close(file);
    return code;
}

/* What could not be finished is taken away again. */
static void remove_copy(const char *destination) {
    static const char *const folders[] = {"keys", "attachments", "witness"};
    char path[4096], file[4096 + 256];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (path_of(path, destination, folders[i], NULL) != KT_OK) continue;
        DIR *directory = opendir(path);
        if (directory == NULL) continue;
        for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
            if (entry->d_name[0] != '.' && snprintf(file, sizeof file, "%s/%s", path, entry->d_name) < (int)sizeof file)
                unlink(file);
        closedir(directory);
        rmdir(path);
    }
    static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (path_of(path, destination, names[i], NULL) == KT_OK) unlink(path);
    rmdir(destination);
}

kt_code kt_backup_with(const kt_registry *registry, kt_store *store, const char *source, const char *destination,
                       const kt_verify_options *verify, kt_error *error) {
    static const char *const folders[] = {"keys", "attachments", "witness"};
    char from[4096], to[4096];
    if (mkdir(destination, 0700) != 0) {
        if (errno == EEXIST)
            return kt_fail(error, KT_EXISTS, "%s: is there already and is not overwritten", destination);
        return kt_fail_errno(error, errno, "%s", destination);
    }
    kt_code code = copy_store(store, destination, error);
    for (size_t i = 0; i < sizeof folders / sizeof *folders && code == KT_OK; i++) {
        code = path_of(from, source, folders[i], error);
        if (code == KT_OK) code = path_of(to, destination, folders[i], error);
        if (code == KT_OK) code = copy_files(from, to, error);
    }
    if (code == KT_OK) code = kt_disk_sync_names(destination, error);
    if (code == KT_OK) code = kt_disk_sync_name(destination, error);
    if (code != KT_OK) {
        remove_copy(destination);
        return code;
    }
    return kt_verify_with(registry, destination, verify, NULL, error);
}

/* ---- rebuilding ---- */

static kt_code replay_all(kt_replay *replay, uint64_t end, void (*progress)(void *, uint64_t, uint64_t), void *context,
                          kt_error *error) {
    uint64_t number;
    kt_span record;
    kt_code code;
    while ((code = kt_replay_next(replay, &number, &record, error)) == KT_OK) {
        code = kt_replay_apply(replay, error);
        if (code != KT_OK) return code;
        if (progress != NULL && number % 16384 == 0) progress(context, number, end);
    }
    return code == KT_END ? kt_replay_finish(replay, error) : code;
}

static kt_code replace_table(kt_txn *stored, kt_txn *fresh, kt_table table, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    kt_code code = kt_txn_clear(stored, table, error);
    if (code == KT_OK) code = kt_cursor_open(fresh, table, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_first(cursor, &key, &value, error); code == KT_OK;
         code = kt_cursor_next(cursor, &key, &value, error)) {
        code = kt_txn_append(stored, table, key, value, error);
        if (code != KT_OK) break;
    }
    kt_cursor_close(cursor);
    return code == KT_END ? KT_OK : code;
}

/* Compares under the writer's turn, and replaces what differs. */
static kt_code compare_and_replace(const kt_registry *registry, kt_book *book, const char *directory, kt_store *scratch,
                                   bool *equal, kt_error *error) {
    kt_txn *fresh;
    kt_error difference = {0};
    kt_txn *stored;
    kt_code code = kt_journal_write(kt_book_journal(book), &stored, error);
    if (code == KT_OK) code = kt_txn_begin(scratch, false, &fresh, error);
    if (code != KT_OK) return code;
    code = kt_state_compare(registry, kt_book_store(book), stored, fresh, &difference);
    *equal = code == KT_OK;
    bool older = kt_format_check(stored, directory, NULL) == KT_OLDER;
    if (code == KT_DAMAGED || code == KT_NEWER || older) {
        code = kt_format_write(stored, error);
        for (kt_table table = KT_TABLE_STATE; table < KT_TABLE_COUNT && code == KT_OK; table++)
            code = replace_table(stored, fresh, table, error);
        if (code == KT_OK) code = kt_journal_commit_state(kt_book_journal(book), error);
    } else if (code != KT_OK) kt_fail(error, code, "%s", difference.text);
    kt_txn_abort(fresh);
    return code;
}

kt_code kt_rebuild_with(const kt_registry *registry, const char *directory,
                        void (*progress)(void *context, uint64_t done, uint64_t of), void *context, bool *equal,
                        uint64_t *records, kt_error *error) {
    kt_book *book;
    kt_store *scratch = NULL;
    kt_replay *replay = NULL;
    char *path = NULL;
    *equal = false;
    kt_open_options options = {.older_state = true};
    kt_code code = kt_book_open_with(registry, directory, &options, &book, error);
    if (code != KT_OK) return code;
    kt_journal *journal = kt_book_journal(book);
    code = kt_journal_begin(journal, false, error);
    if (code == KT_OK) {
        *records = kt_journal_head(journal)->tree.size;
        code = kt_scratch_open(&path, &scratch, error);
    }
    if (code == KT_OK) code = kt_replay_open(registry, kt_journal_txn(journal), *records, scratch, &replay, error);
    if (code == KT_OK) code = replay_all(replay, *records, progress, context, error);
    kt_replay_close(replay);
    if (code == KT_OK) code = compare_and_replace(registry, book, directory, scratch, equal, error);
    kt_journal_abort(journal);
    kt_store_close(scratch);
    kt_scratch_remove(path);
    kt_book_close(book);
    return code;
}
