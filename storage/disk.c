#include "storage/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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
