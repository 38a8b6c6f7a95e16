/*
 * libtrace.so: preloaded into a poster, it writes down every write and sync of the book's files with the bytes, and
 * every acknowledgement, in the order they happened (see trace.h).
 *
 * It calls the kernel itself rather than the next library's function: so it works before anything is set up, and
 * under a sanitizer. It serves one thread, as the poster is one. rename, link and dup are not followed: the book's
 * files see none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#undef _FORTIFY_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/crash/trace.h"

#define FILES 256
#define TRACE_FILE 1000 /* out of the way of what the program opens */

static struct {
    uint64_t inode; /* 0: not of the book */
    int synced;     /* each write is */
} files[FILES];
static int trace = -1;
static char place[PATH_MAX];

__attribute__((constructor)) static void begin(void) {
    const char *to = getenv("KONTOR_TRACE"), *under = getenv("KONTOR_TRACE_PLACE");
    if (!to || !under || !realpath(under, place)) return;
    long file = syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) abort();
    trace = (int)syscall(SYS_dup3, file, TRACE_FILE, O_CLOEXEC);
    syscall(SYS_close, file);
    if (trace < 0) abort();
}

/* A trace with a hole would prove nothing, so that a failing write ends the program. */
static void put(const void *data, size_t size) {
    while (size != 0) {
        long written = syscall(SYS_write, trace, data, size);
        if (written <= 0) abort();
        data = (const char *)data + written;
        size -= (size_t)written;
    }
}

static void note(uint32_t kind, uint64_t file, uint64_t offset, const void *data, size_t size) {
    int kept = errno;
    trace_event event = {kind, 0, file, offset, size};
    put(&event, sizeof event);
    put(data, size);
    errno = kept;
}

static int followed(int fd) { return trace >= 0 && fd >= 0 && fd < FILES && files[fd].inode != 0; }

static void note_write(int fd, const void *data, long size, uint64_t offset) {
    if (size <= 0) return;
    if (followed(fd))
        note(files[fd].synced ? TRACE_WRITE_SYNCED : TRACE_WRITE, files[fd].inode, offset, data, (size_t)size);
    else if (trace >= 0 && fd == TRACE_ACKS) note(TRACE_ACK, 0, 0, data, (size_t)size);
}

/* Below the place, by its real name; lock files hold nothing that has to last. */
static int is_of_book(int fd, char path[PATH_MAX]) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    long size = syscall(SYS_readlinkat, AT_FDCWD, name, path, PATH_MAX - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    const char *last = strrchr(path, '/');
    return strncmp(path, place, strlen(place)) == 0 && strcmp(last, "/lock.mdb") != 0 &&
           strcmp(last, "/writer.lock") != 0;
}

static int open_file(int at, const char *path, int flags, mode_t mode) {
    struct stat status;
    char found[PATH_MAX];
    int there = trace >= 0 && syscall(SYS_newfstatat, at, path, &status, 0) == 0;
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    if (fd < 0 || trace < 0 || !is_of_book(fd, found)) return fd;
    if (fd >= FILES || syscall(SYS_fstat, fd, &status) != 0) abort();
    files[fd].inode = status.st_ino;
    files[fd].synced = (flags & O_DSYNC) != 0; /* part of O_SYNC */
    uint64_t facts = !there && (flags & O_CREAT) != 0 ? TRACE_MADE : 0;
    if (S_ISDIR(status.st_mode)) facts |= TRACE_IS_DIRECTORY;
    note(TRACE_OPEN, status.st_ino, facts, found, strlen(found));
    if ((flags & O_TRUNC) != 0) note(TRACE_SIZE, status.st_ino, 0, NULL, 0);
    return fd;
}

/* ---- what the program and its libraries call ---- */

#define OPEN_MODE(flags)                            \
    mode_t mode = 0;                                \
    if (((flags) & (O_CREAT | __O_TMPFILE)) != 0) { \
        va_list rest;                               \
        va_start(rest, flags);                      \
        mode = va_arg(rest, mode_t);                \
        va_end(rest);                               \
    }

int open(const char *path, int flags, ...) {
    OPEN_MODE(flags)
    return open_file(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    OPEN_MODE(flags)
    return open_file(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...) {
    OPEN_MODE(flags)
    return open_file(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
    OPEN_MODE(flags)
    return open_file(at, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __open_2(const char *path, int flags) { return open_file(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_file(AT_FDCWD, path, flags, 0); }

int close(int fd) {
    if (fd >= 0 && fd < FILES) files[fd].inode = 0;
    return (int)syscall(SYS_close, fd);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    long written = syscall(SYS_pwrite64, fd, data, size, offset);
    note_write(fd, data, written, (uint64_t)offset);
    return written;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return pwrite(fd, data, size, offset); }

ssize_t write(int fd, const void *data, size_t size) {
    long from = followed(fd) ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
    long written = syscall(SYS_write, fd, data, size);
    note_write(fd, data, written, (uint64_t)from);
    return written;
}

static void note_pieces(int fd, const struct iovec *pieces, int count, long written, long from) {
    for (int i = 0; i < count && written > 0; i++) {
        long size = (long)pieces[i].iov_len < written ? (long)pieces[i].iov_len : written;
        note_write(fd, pieces[i].iov_base, size, (uint64_t)from);
        from += size;
        written -= size;
    }
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
    long from = followed(fd) ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
    long written = syscall(SYS_writev, fd, pieces, count);
    note_pieces(fd, pieces, count, written, from);
    return written;
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) {
    long written = syscall(SYS_pwritev, fd, pieces, count, offset, 0);
    note_pieces(fd, pieces, count, written, offset);
    return written;
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset) {
    return pwritev(fd, pieces, count, offset);
}

static int resized(int fd, long failed) {
    struct stat status;
    if (failed == 0 && followed(fd) && syscall(SYS_fstat, fd, &status) == 0)
        note(TRACE_SIZE, files[fd].inode, (uint64_t)status.st_size, NULL, 0);
    return (int)failed;
}

int ftruncate(int fd, off_t size) { return resized(fd, syscall(SYS_ftruncate, fd, size)); }

int ftruncate64(int fd, off64_t size) { return resized(fd, syscall(SYS_ftruncate, fd, size)); }

int fallocate(int fd, int mode, off_t offset, off_t size) {
    return resized(fd, syscall(SYS_fallocate, fd, mode, offset, size));
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
    return resized(fd, syscall(SYS_fallocate, fd, mode, offset, size));
}

static int synced(int fd, long failed) {
    if (failed == 0 && followed(fd)) note(TRACE_SYNC, files[fd].inode, 0, NULL, 0);
    return (int)failed;
}

int fsync(int fd) { return synced(fd, syscall(SYS_fsync, fd)); }

int fdatasync(int fd) { return synced(fd, syscall(SYS_fdatasync, fd)); }

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    if (followed(fd) && (protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0)
        note(TRACE_MAPPED, files[fd].inode, 0, NULL, 0);
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset) {
    return mmap(at, size, protection, flags, fd, offset);
}

static int is_below(const char *path, char whole[PATH_MAX]) {
    char parent[PATH_MAX], real[PATH_MAX];
    const char *last = strrchr(path, '/');
    if (trace < 0 || !last || (size_t)(last - path) >= sizeof parent) return 0;
    memcpy(parent, path, (size_t)(last - path));
    parent[last - path] = 0;
    if (!realpath(last == path ? "/" : parent, real) || snprintf(whole, PATH_MAX, "%s%s", real, last) >= PATH_MAX)
        return 0;
    return strncmp(whole, place, strlen(place)) == 0;
}

int unlink(const char *path) {
    char whole[PATH_MAX];
    int failed = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (failed == 0 && is_below(path, whole)) note(TRACE_REMOVE, 0, 0, whole, strlen(whole));
    return failed;
}

int mkdir(const char *path, mode_t mode) {
    char whole[PATH_MAX];
    int failed = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (failed == 0 && is_below(path, whole)) note(TRACE_DIRECTORY, 0, 0, whole, strlen(whole));
    return failed;
}
