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

#include "storage/error.h"

/* Syncs the names in a directory. */
kt_code kt_disk_sync_names(const char *directory, kt_error *error);
/* Syncs the directory a path lies in, and with it the path's own name. */
kt_code kt_disk_sync_name(const char *path, kt_error *error);

#endif
