#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "engine/ledger/register.h"

/* Blocks on disk of the files in a directory, and of those one level below. */
static uint64_t disk_bytes(const char *path, int depth) {
    char name[4096];
    struct stat status;
    uint64_t bytes = 0;
    DIR *directory = opendir(path);
    if (directory == NULL) return 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.' || snprintf(name, sizeof name, "%s/%s", path, entry->d_name) >= (int)sizeof name)
            continue;
        if (lstat(name, &status) != 0) continue;
        if (S_ISDIR(status.st_mode)) bytes += depth > 0 ? disk_bytes(name, depth - 1) : 0;
        else bytes += (uint64_t)status.st_blocks * 512;
    }
    closedir(directory);
    return bytes;
}

kt_code kt_view_stats(kt_view *view, kt_stats *out, kt_error *error) {
    kt_store_stats store;
    uint64_t pages, postings;
    *out = (kt_stats){0};
    kt_code code = kt_view_head(view, &out->head, error);
    if (code == KT_OK) code = kt_store_stat(view->txn, &store, error);
    if (code == KT_OK) code = kt_table_stat(view->txn, KT_TABLE_BLOCKS, &out->blocks, &pages, error);
    if (code == KT_OK) code = kt_runs_count(view->txn, kt_ledger_runs, &out->runs, &postings, error);
    if (code != KT_OK) return code;
    out->disk_bytes = disk_bytes(kt_book_directory(view->book), 1);
    out->journal_bytes = pages * store.page_size;
    out->free_pages = store.free_pages;
    out->free_list = store.free_list;
    out->page_size = store.page_size;
    out->readers = store.readers;
    return KT_OK;
}
