#include "engine/remote/door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/remote/link.h"

#define WAITING 512 /* clients the system keeps waiting */

struct kt_door {
    int socket;
    char *path;
    dev_t device; /* of the file that was made */
    ino_t inode;
    int made;
};

/* One server at a time looks at, makes or removes a socket there. -1: the directory cannot be opened. */
static int lock_directory(const char *path) {
    const char *slash = strrchr(path, '/');
    char *directory = slash == NULL ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    if (directory == NULL) return -1;
    int lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    while (lock >= 0 && flock(lock, LOCK_EX) != 0 && errno == EINTR) {
    }
    return lock;
}

/* Clears the path of a dead server's socket. */
static kt_code clear_path(const char *path, const struct sockaddr_un *address, kt_error *error) {
    struct stat found;
    if (lstat(path, &found) != 0) return errno == ENOENT ? KT_OK : kt_fail_errno(error, errno, "%s", path);
    if (!S_ISSOCK(found.st_mode)) return kt_fail(error, KT_EXISTS, "%s: is there and is no socket", path);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return kt_fail_errno(error, errno, "%s", path);
    int failed = connect(probe, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;
    close(probe);
    if (failed == 0 || failed == EAGAIN) return kt_fail(error, KT_BUSY, "%s: a server listens there already", path);
    if (failed != ECONNREFUSED && failed != ENOENT) return kt_fail_errno(error, failed, "%s", path);
    if (unlink(path) != 0 && errno != ENOENT) return kt_fail_errno(error, errno, "%s", path);
    return KT_OK;
}

/* Bound under another name, given its mode, and only then moved to the path: nobody meets it with another mode. */
static kt_code make_socket(kt_door *door, const char *path, unsigned mode, kt_error *error) {
    struct sockaddr_un address;
    struct stat made;
    char hidden[sizeof address.sun_path];
    const char *slash = strrchr(path, '/');
    int prefix = slash == NULL ? 0 : (int)(slash - path) + 1;
    if (snprintf(hidden, sizeof hidden, "%.*s.kt-%ld", prefix, path, (long)getpid()) >= (int)sizeof hidden)
        return kt_fail(error, KT_USAGE, "%s: the path of a socket is too long", path);
    kt_code code = kt_link_address(hidden, &address, error);
    if (code != KT_OK) return code;
    unlink(hidden); /* of a process of this number that died right here */
    mode_t before = umask(0777);
    int failed = bind(door->socket, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    umask(before);
    if (failed != 0) return kt_fail_errno(error, failed, "%s", path);
    if (chmod(hidden, (mode_t)mode) != 0 || listen(door->socket, WAITING) != 0 || lstat(hidden, &made) != 0 ||
        rename(hidden, path) != 0) {
        code = kt_fail_errno(error, errno, "%s", path);
        unlink(hidden);
        return code;
    }
    door->device = made.st_dev;
    door->inode = made.st_ino;
    door->made = 1;
    return KT_OK;
}

kt_code kt_door_open(const char *path, unsigned mode, kt_door **out, kt_error *error) {
    struct sockaddr_un address;
    *out = NULL;
    if ((mode & ~0777u) != 0) return kt_fail(error, KT_USAGE, "mode %o: expected the permissions of a file", mode);
    kt_code code = kt_link_address(path, &address, error);
    if (code != KT_OK) return code;
    kt_door *door = calloc(1, sizeof *door);
    if (door == NULL || (door->path = strdup(path)) == NULL) {
        free(door);
        return kt_fail(error, KT_MEMORY, "out of memory");
    }
    door->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (door->socket < 0) code = kt_fail_errno(error, errno, "%s", path);
    int lock = lock_directory(path);
    if (code == KT_OK) code = clear_path(path, &address, error);
    if (code == KT_OK) code = make_socket(door, path, mode, error);
    if (lock >= 0) close(lock);
    if (code != KT_OK) kt_door_close(door);
    else *out = door;
    return code;
}

void kt_door_close(kt_door *door) {
    struct stat found;
    if (door == NULL) return;
    if (door->made) {
        int lock = lock_directory(door->path);
        if (lstat(door->path, &found) == 0 && found.st_dev == door->device && found.st_ino == door->inode)
            unlink(door->path);
        if (lock >= 0) close(lock);
    }
    if (door->socket >= 0) close(door->socket);
    free(door->path);
    free(door);
}

int kt_door_descriptor(const kt_door *door) { return door->socket; }
