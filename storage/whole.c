#include "storage/whole.h"

#include <errno.h>
#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* How many of the free list's pages lie at or behind `from`. An entry of it is a count and page numbers. */
static uint64_t free_from(MDB_txn *txn, size_t from, size_t to) {
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t found = 0;
    if (mdb_cursor_open(txn, 0, &cursor) != 0) return 0; /* table 0 is LMDB's own free list */
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        size_t count, page;
        memcpy(&count, value.mv_data, sizeof count);
        if (count >= value.mv_size / sizeof page) break; /* no list */
        for (size_t i = 1; i <= count; i++) {
            memcpy(&page, (const char *)value.mv_data + i * sizeof page, sizeof page);
            found += page >= from && page < to;
        }
    }
    mdb_cursor_close(cursor);
    return found;
}

/* Whether all pages of [from, to) are free, as a child finds that may die of it. */
static bool all_free(MDB_env *env, size_t from, size_t to) {
    MDB_txn *txn;
    int status = 1;
    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0) return false;
    pid_t child = fork();
    if (child == 0) _exit(free_from(txn, from, to) == to - from ? 0 : 1);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    mdb_txn_abort(txn);
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

kt_code kt_file_whole(MDB_env *env, const char *directory, kt_error *error) {
    MDB_envinfo info;
    MDB_stat figures;
    struct stat file;
    mdb_filehandle_t handle;
    mdb_env_info(env, &info);
    mdb_env_stat(env, &figures);
    if (mdb_env_get_fd(env, &handle) != 0 || fstat(handle, &file) != 0)
        return kt_fail_errno(error, errno, "%s/data.mdb", directory);
    size_t there = (size_t)file.st_size / figures.ms_psize, needed = info.me_last_pgno + 1;
    while (there < needed && !all_free(env, there, needed)) {
        size_t before = there; /* another process may be writing it */
        if (fstat(handle, &file) != 0) return kt_fail_errno(error, errno, "%s/data.mdb", directory);
        there = (size_t)file.st_size / figures.ms_psize;
        if (there == before)
            return kt_fail(error, KT_DAMAGED, "%s/data.mdb: is cut short: %zu pages, expected %zu at least", directory,
                           there, needed);
    }
    return KT_OK;
}
