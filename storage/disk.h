/*
 * disk: names that last. A file that was synced is found again after a power cut only when the directory that names it
 * was synced too, and so on upwards to where something was there before.
 *
 * Laws kept: 3.
 *
 * Errors: KT_IO, KT_PERMISSION, KT_MEMORY, each with the directory's path.
 */
#ifndef KT_STORAGE_DISK_H
#define KT_STORAGE_DISK_H

#include <stddef.h>

#include "storage/error.h"

/* Syncs the names in a directory. */
kt_code kt_disk_sync_names(const char *directory, kt_error *error);
/* Syncs the directory a path lies in, and with it the path's own name. */
kt_code kt_disk_sync_name(const char *path, kt_error *error);

/* Small files, whole. Replaces or makes one of mode 0600: it has the old bytes or the new, whatever happens, and the new for
   good when this returns KT_OK. Whoever writes the same name at the same time takes turns by a lock of his own. */
kt_code kt_disk_replace(const char *path, const void *data, size_t size, kt_error *error);
/* Likewise, and never over another. KT_EXISTS. */
kt_code kt_disk_create(const char *path, const void *data, size_t size, kt_error *error);
/* Of at most `most` bytes; zero-terminated, the caller's: free(). KT_NOT_FOUND. KT_LIMIT. */
kt_code kt_disk_read(const char *path, size_t most, char **out, size_t *size, kt_error *error);

#endif
