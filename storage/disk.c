#include "storage/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

kt_code kt_disk_sync_names(const char *directory, kt_error *error) {
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    kt_code code = KT_OK;
    if (file < 0 || fsync(file) != 0) code = kt_fail_errno(error, errno, "%s: cannot sync the directory", directory);
    if (file >= 0) close(file);
    return code;
}

kt_code kt_disk_sync_name(const char *path, kt_error *error) {
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') /* "books/acme/" is a name in "books" */
        size--;
    while (size > 0 && path[size - 1] != '/') size--;
    while (size > 1 && path[size - 1] == '/') size--;
    char *parent = size == 0 ? strdup(".") : strndup(path, size);
    if (parent == NULL) return kt_fail(error, KT_MEMORY, "%s: out of memory", path);
    kt_code code = kt_disk_sync_names(parent, error);
    free(parent);
    return code;
}

/* A name beside it that no listing takes for a whole file. */
static char *draft_of(const char *path) {
    const char *slash = strrchr(path, '/');
    int before = slash == NULL ? 0 : (int)(slash + 1 - path);
    char *draft = malloc(strlen(path) + sizeof ".new-");
    if (draft != NULL) (void)sprintf(draft, "%.*s.new-%s", before, path, path + before);
    return draft;
}

static kt_code write_whole(const char *path, const void *data, size_t size, kt_error *error) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return kt_fail_errno(error, errno, "%s", path);
    kt_code code = KT_OK;
    for (size_t done = 0; done < size && code == KT_OK;) {
        ssize_t written = write(file, (const char *)data + done, size - done);
        if (written >= 0) done += (size_t)written;
        else if (errno != EINTR) code = kt_fail_errno(error, errno, "%s", path);
    }
    if (code == KT_OK && fsync(file) != 0) code = kt_fail_errno(error, errno, "%s", path);
    if (close(file) != 0 && code == KT_OK) code = kt_fail_errno(error, errno, "%s", path);
    return code;
}

static kt_code put(const char *path, const void *data, size_t size, bool over, kt_error *error) {
    char *draft = draft_of(path);
    if (draft == NULL) return kt_fail(error, KT_MEMORY, "%s: out of memory", path);
    kt_code code = write_whole(draft, data, size, error);
    if (code == KT_OK && over && rename(draft, path) != 0) code = kt_fail_errno(error, errno, "%s", path);
    if (code == KT_OK && !over && link(draft, path) != 0)
        code = errno == EEXIST ? kt_fail(error, KT_EXISTS, "%s: is there already and is not overwritten", path)
                               : kt_fail_errno(error, errno, "%s", path);
    if (code != KT_OK || !over) unlink(draft);
    if (code == KT_OK) code = kt_disk_sync_name(path, error);
    free(draft);
    return code;
}

kt_code kt_disk_replace(const char *path, const void *data, size_t size, kt_error *error) {
    return put(path, data, size, true, error);
}

kt_code kt_disk_create(const char *path, const void *data, size_t size, kt_error *error) {
    return put(path, data, size, false, error);
}

kt_code kt_disk_read(const char *path, size_t most, char **out, size_t *size, kt_error *error) {
    struct stat about;
    *out = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 && errno == ENOENT) return kt_fail(error, KT_NOT_FOUND, "%s: is not there", path);
    if (file < 0) return kt_fail_errno(error, errno, "%s", path);
    kt_code code = KT_OK;
    char *text = NULL;
    size_t used = 0;
    if (fstat(file, &about) != 0) code = kt_fail_errno(error, errno, "%s", path);
    else if (!S_ISREG(about.st_mode)) code = kt_fail(error, KT_INVALID, "%s: not a file", path);
    else if ((text = malloc(most + 1)) == NULL) code = kt_fail(error, KT_MEMORY, "%s: out of memory", path);
    while (code == KT_OK && used <= most) {
        ssize_t got = read(file, text + used, most + 1 - used);
        if (got > 0) used += (size_t)got;
        else if (got == 0) break;
        else if (errno != EINTR) code = kt_fail_errno(error, errno, "%s", path);
    }
    if (code == KT_OK && used > most) code = kt_fail(error, KT_LIMIT, "%s: more than %zu bytes", path, most);
    close(file);
    if (code != KT_OK) {
        free(text);
        return code;
    }
    text[used] = 0;
    *out = text;
    *size = used;
    return KT_OK;
}
