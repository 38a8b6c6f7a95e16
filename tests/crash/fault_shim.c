/*
 * libfault.so: preloaded, it makes the disk of the files below KONTOR_FAULT_PLACE fail, as the environment says at
 * the moment of each call, so that a program can change it while it runs:
 *
 *   KONTOR_FAULT_SPACE=N   N more bytes fit, as whole sectors of 512; then writes stop short, and then ENOSPC
 *   KONTOR_FAULT_WRITE=N   the Nth write and all after it find no space
 *   KONTOR_FAULT_SYNC=N    the Nth sync gives EIO; those after it succeed, as on Linux
 *   KONTOR_FAULT_META=N0+HOW  of writes to a file opened with O_DSYNC, N go well and the next gives EIO; HOW is 1: and
 *                          changes nothing; 2: with its bytes in the page cache, as on Linux; 3: likewise, and from
 *                          then on all other writes give EIO too
 *
 * Counting begins anew whenever none of them is set. statvfs tells the same story.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#undef _FORTIFY_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SECTOR 512u
#define NO_LIMIT UINT64_MAX
#define PIECES 1024

static uint64_t written_bytes, writes, syncs, synced_writes;

static uint64_t setting(const char *name) {
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : NO_LIMIT;
}

static int is_faulty(int fd) {
    char name[64], path[PATH_MAX];
    const char *place = getenv("KONTOR_FAULT_PLACE");
    if (setting("KONTOR_FAULT_SPACE") == NO_LIMIT && setting("KONTOR_FAULT_WRITE") == NO_LIMIT &&
        setting("KONTOR_FAULT_SYNC") == NO_LIMIT && setting("KONTOR_FAULT_META") == NO_LIMIT) {
        written_bytes = writes = syncs = synced_writes = 0;
        return 0;
    }
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    long size = syscall(SYS_readlinkat, AT_FDCWD, name, path, sizeof path - 1);
    if (!place || size <= 0) return 0;
    path[size] = 0;
    return strncmp(path, place, strlen(place)) == 0;
}

/* How much of a write of this size at this place there is room for. */
static uint64_t room_for(uint64_t offset, uint64_t size) {
    uint64_t space = setting("KONTOR_FAULT_SPACE");
    if (++writes >= setting("KONTOR_FAULT_WRITE")) return 0;
    uint64_t left = space == NO_LIMIT ? NO_LIMIT : space > written_bytes ? space - written_bytes : 0;
    if (left < size) {
        uint64_t end = (offset + left) / SECTOR * SECTOR;
        size = end > offset ? end - offset : 0;
    }
    written_bytes += size;
    if (left != NO_LIMIT && left < SECTOR) written_bytes = space; /* less than a sector is none */
    return size;
}

/* Does a write to this file give EIO, and do its bytes arrive all the same? */
static int synced_fault(int fd, int *arrives) {
    uint64_t how = setting("KONTOR_FAULT_META");
    if (how == NO_LIMIT) return 0;
    uint64_t before = how / 10;
    int synced = (syscall(SYS_fcntl, fd, F_GETFL) & O_DSYNC) != 0, due = synced && synced_writes >= before;
    synced_writes += (uint64_t)synced;
    *arrives = due && how % 10 > 1;
    return due || (how % 10 == 3 && synced_writes > before);
}

static ssize_t write_pieces(int fd, const struct iovec *pieces, int count, off_t offset, int seeks) {
    struct iovec fitting[PIECES];
    uint64_t size = 0;
    for (int i = 0; i < count; i++) size += pieces[i].iov_len;
    if (count > PIECES) abort();
    uint64_t room = size;
    int arrives = 0, fails = is_faulty(fd) && synced_fault(fd, &arrives);
    if (fails) {
        if (arrives) (void)syscall(SYS_pwritev, fd, pieces, count, offset, 0);
        errno = EIO;
        return -1;
    }
    if (is_faulty(fd)) {
        uint64_t at = (uint64_t)(seeks ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : offset);
        room = room_for(at, size);
        if (room == 0 && size != 0) {
            errno = ENOSPC;
            return -1;
        }
    }
    int kept = 0;
    for (; kept < count && room != 0; kept++) {
        fitting[kept] = pieces[kept];
        if (fitting[kept].iov_len > room) fitting[kept].iov_len = (size_t)room;
        room -= fitting[kept].iov_len;
    }
    if (seeks) return syscall(SYS_writev, fd, fitting, kept);
    return syscall(SYS_pwritev, fd, fitting, kept, offset, 0);
}

ssize_t write(int fd, const void *data, size_t size) {
    struct iovec piece = {(void *)(uintptr_t)data, size};
    return size == 0 ? 0 : write_pieces(fd, &piece, 1, 0, 1);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) { return write_pieces(fd, pieces, count, 0, 1); }

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    struct iovec piece = {(void *)(uintptr_t)data, size};
    return size == 0 ? 0 : write_pieces(fd, &piece, 1, offset, 0);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return pwrite(fd, data, size, offset); }

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) {
    return write_pieces(fd, pieces, count, offset, 0);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset) {
    return write_pieces(fd, pieces, count, offset, 0);
}

static int sync_of(int fd, long call) {
    if (is_faulty(fd) && ++syncs == setting("KONTOR_FAULT_SYNC")) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}

int fsync(int fd) { return sync_of(fd, SYS_fsync); }

int fdatasync(int fd) { return sync_of(fd, SYS_fdatasync); }

int statvfs(const char *path, struct statvfs *out) {
    struct statfs found;
    if (syscall(SYS_statfs, path, &found) != 0) return -1;
    memset(out, 0, sizeof *out);
    out->f_bsize = (unsigned long)found.f_bsize;
    out->f_frsize = (unsigned long)found.f_frsize;
    out->f_blocks = found.f_blocks;
    out->f_bfree = found.f_bfree;
    out->f_bavail = found.f_bavail;
    uint64_t space = setting("KONTOR_FAULT_SPACE");
    if (writes >= setting("KONTOR_FAULT_WRITE") || (space != NO_LIMIT && space <= written_bytes))
        out->f_bfree = out->f_bavail = 0;
    else if (space != NO_LIMIT) out->f_bfree = out->f_bavail = (space - written_bytes) / out->f_frsize;
    return 0;
}

int statvfs64(const char *path, struct statvfs64 *out) { return statvfs(path, (struct statvfs *)(void *)out); }
