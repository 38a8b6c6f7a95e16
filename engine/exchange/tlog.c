#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* syncfs */
#endif
#include "engine/exchange/tlog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/note.h"
#include "storage/tree.h"

#define LEVELS (KT_TREE_LEVELS / 8)
#define BUNDLE_MAX (KT_TILE_WIDTH * (2 + KT_TLOG_LEAF_MAX))

typedef struct open_tile {
    uint64_t index;
    unsigned width;
    uint8_t hashes[KT_TILE_WIDTH * KT_HASH_SIZE];
} open_tile;

struct kt_tlog_writer {
    int fd; /* of the directory */
    bool hashes_only, finished;
    char *directory;
    kt_tree tree; /* over all leaves but those of level 0's open tile */
    open_tile level[LEVELS];
    uint8_t *bundle; /* the leaves of level 0's open tile */
    size_t bundle_size, bundle_room;
    kt_error failure; /* the first one; code 0: none */
};

void kt_tlog_path(const char *kind, uint64_t index, unsigned width, char out[KT_TLOG_PATH_MAX]) {
    char number[40]; /* 20 digits are 7 groups, at most "x018/" each */
    size_t at = sizeof number;
    number[--at] = 0;
    uint64_t rest = index;
    do {
        unsigned group = (unsigned)(rest % 1000);
        bool last = at == sizeof number - 1;
        if (!last) number[--at] = '/';
        for (int digit = 0; digit < 3; digit++, group /= 10) number[--at] = (char)('0' + group % 10);
        if (!last) number[--at] = 'x';
        rest /= 1000;
    } while (rest > 0);
    if (width < KT_TILE_WIDTH) snprintf(out, KT_TLOG_PATH_MAX, "tile/%s/%s.p/%u", kind, number + at, width);
    else snprintf(out, KT_TLOG_PATH_MAX, "tile/%s/%s", kind, number + at);
}

/* Keeps the failure, so that every later call says the same. */
static kt_code fail_errno(kt_tlog_writer *writer, int errnum, const char *path, const char *what) {
    return kt_fail_errno(&writer->failure, errnum, "%s/%s: %s", writer->directory, path, what);
}

static kt_code failed(const kt_tlog_writer *writer, kt_error *error) {
    if (writer->failure.code && error) *error = writer->failure;
    return writer->failure.code;
}

static kt_code make_parents(kt_tlog_writer *writer, const char *path) {
    char parent[KT_TLOG_PATH_MAX];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        memcpy(parent, path, (size_t)(slash - path));
        parent[slash - path] = 0;
        if (mkdirat(writer->fd, parent, 0777) != 0 && errno != EEXIST)
            return fail_errno(writer, errno, parent, "cannot create the directory");
    }
    return KT_OK;
}

static kt_code write_file(kt_tlog_writer *writer, const char *path, const void *data, size_t size, bool sync) {
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int fd = openat(writer->fd, path, flags, 0666);
    if (fd < 0 && errno == ENOENT) {
        kt_code code = make_parents(writer, path);
        if (code) return code;
        fd = openat(writer->fd, path, flags, 0666);
    }
    if (fd < 0) return fail_errno(writer, errno, path, "cannot create");
    kt_code code = KT_OK;
    for (const uint8_t *at = data; size > 0;) {
        ssize_t written = write(fd, at, size);
        if (written > 0) {
            at += written;
            size -= (size_t)written;
        } else if (written < 0 && errno != EINTR) {
            code = fail_errno(writer, errno, path, "cannot write");
            break;
        }
    }
    if (!code && sync && fsync(fd) != 0) code = fail_errno(writer, errno, path, "cannot sync");
    if (close(fd) != 0 && !code) code = fail_errno(writer, errno, path, "cannot close");
    return code;
}

static kt_code write_tile(kt_tlog_writer *writer, unsigned level) {
    const open_tile *tile = &writer->level[level];
    char kind[8], path[KT_TLOG_PATH_MAX];
    snprintf(kind, sizeof kind, "%u", level);
    kt_tlog_path(kind, tile->index, tile->width, path);
    kt_code code = write_file(writer, path, tile->hashes, (size_t)tile->width * KT_HASH_SIZE, false);
    if (!code && level == 0 && !writer->hashes_only) {
        kt_tlog_path("entries", tile->index, tile->width, path);
        code = write_file(writer, path, writer->bundle, writer->bundle_size, false);
    }
    return code;
}

/* The tree completes a tile: its root is the next hash one level up. */
static void take_tile_root(void *context, unsigned tile_level, uint64_t index, const uint8_t root[KT_HASH_SIZE]) {
    kt_tlog_writer *writer = context;
    unsigned level = tile_level + 1;
    if (level >= LEVELS || writer->failure.code) return;
    open_tile *tile = &writer->level[level];
    tile->index = index / KT_TILE_WIDTH;
    memcpy(tile->hashes + (size_t)tile->width * KT_HASH_SIZE, root, KT_HASH_SIZE);
    if (++tile->width == KT_TILE_WIDTH) {
        write_tile(writer, level); /* a failure is kept, and seen by the caller of the tree */
        tile->width = 0;
    }
}

/* Only an empty directory is written to: what lies there already could be taken for part of the log. */
static kt_code open_directory(const char *directory, int *out, kt_error *error) {
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return kt_fail_errno(error, errno, "%s: cannot create the directory", directory);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOTDIR) return kt_fail(error, KT_EXISTS, "%s: is there, and no directory", directory);
    if (fd < 0) return kt_fail_errno(error, errno, "%s: cannot open the directory", directory);
    int second = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = second < 0 ? NULL : fdopendir(second);
    if (!list) {
        kt_code code = kt_fail_errno(error, errno, "%s: cannot read the directory", directory);
        if (second >= 0) close(second);
        close(fd);
        return code;
    }
    const struct dirent *entry;
    do entry = readdir(list);
    while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    bool empty = !entry;
    closedir(list);
    if (!empty) {
        close(fd);
        return kt_fail(error, KT_EXISTS, "%s: is not empty; expected a new or an empty directory", directory);
    }
    *out = fd;
    return KT_OK;
}

kt_code kt_tlog_writer_open(const char *directory, bool hashes_only, kt_tlog_writer **out, kt_error *error) {
    *out = NULL;
    int fd = -1;
    kt_code code = open_directory(directory, &fd, error);
    if (code) return code;
    kt_tlog_writer *writer = calloc(1, sizeof *writer);
    char *name = strdup(directory);
    if (!writer || !name) {
        free(writer);
        free(name);
        close(fd);
        return kt_fail(error, KT_MEMORY, "%s: out of memory", directory);
    }
    writer->fd = fd;
    writer->hashes_only = hashes_only;
    writer->directory = name;
    kt_tree_init(&writer->tree);
    *out = writer;
    return KT_OK;
}

static kt_code add_to_bundle(kt_tlog_writer *writer, const void *bytes, size_t size) {
    size_t needed = writer->bundle_size + 2 + size;
    if (needed > writer->bundle_room) {
        size_t room = writer->bundle_room ? 2 * writer->bundle_room : 65536;
        while (room < needed) room *= 2;
        if (room > BUNDLE_MAX) room = BUNDLE_MAX;
        uint8_t *larger = realloc(writer->bundle, room);
        if (!larger)
            return kt_fail(&writer->failure, KT_MEMORY, "%s: out of memory for a bundle of %zu bytes",
                           writer->directory, room);
        writer->bundle = larger;
        writer->bundle_room = room;
    }
    uint8_t *at = writer->bundle + writer->bundle_size;
    at[0] = (uint8_t)(size >> 8);
    at[1] = (uint8_t)size;
    if (size > 0) memcpy(at + 2, bytes, size);
    writer->bundle_size = needed;
    return KT_OK;
}

kt_code kt_tlog_writer_add(kt_tlog_writer *writer, const void *bytes, size_t size, kt_error *error) {
    if (writer->failure.code) return failed(writer, error);
    open_tile *tile = &writer->level[0];
    if (writer->finished)
        return kt_fail(error, KT_USAGE, "%s: the log is finished and takes no more leaves", writer->directory);
    if (size > KT_TLOG_LEAF_MAX) {
        kt_fail(&writer->failure, KT_LIMIT, "%s: leaf %" PRIu64 " has %zu bytes; expected at most %d",
                writer->directory, tile->index * KT_TILE_WIDTH + tile->width, size, KT_TLOG_LEAF_MAX);
        return failed(writer, error);
    }
    if (!writer->hashes_only && add_to_bundle(writer, bytes, size)) return failed(writer, error);
    kt_leaf_hash(bytes, size, tile->hashes + (size_t)tile->width * KT_HASH_SIZE);
    if (++tile->width < KT_TILE_WIDTH) return KT_OK;
    if (!write_tile(writer, 0)) kt_tree_add_many(&writer->tree, tile->hashes, KT_TILE_WIDTH, take_tile_root, writer);
    tile->index++;
    tile->width = 0;
    writer->bundle_size = 0;
    return failed(writer, error);
}

/* Size and root are the second and the third line; whether the signature holds is for those who know the key. */
static kt_code check_note(kt_tlog_writer *writer, const char *note, size_t note_size) {
    const char *feed = memchr(note, '\n', note_size);
    kt_checkpoint made = {.size = writer->tree.size};
    kt_tree_root(&writer->tree, made.root);
    char text[KT_CHECKPOINT_MAX];
    size_t size = kt_checkpoint_text(&made, text); /* with an empty origin */
    if (!feed || feed == note || (size_t)(note + note_size - feed) < size || memcmp(feed, text, size) != 0) {
        for (size_t i = 0; i < size; i++) text[i] = text[i] == '\n' ? ' ' : text[i];
        return kt_fail(&writer->failure, KT_DAMAGED,
                       "%s/checkpoint: the note is not of the leaves added; expected size and root%s",
                       writer->directory, text);
    }
    return KT_OK;
}

kt_code kt_tlog_writer_finish(kt_tlog_writer *writer, const char *note, size_t note_size, kt_error *error) {
    if (writer->failure.code) return failed(writer, error);
    if (writer->finished) return kt_fail(error, KT_USAGE, "%s: the log is finished already", writer->directory);
    writer->finished = true;
    kt_code code = KT_OK;
    for (unsigned level = 0; level < LEVELS && !code; level++)
        if (writer->level[level].width > 0) code = write_tile(writer, level);
    kt_tree_add_many(&writer->tree, writer->level[0].hashes, writer->level[0].width, NULL, NULL);
    if (!code) code = check_note(writer, note, note_size);
    /* One sync for all tiles, before the checkpoint that vouches for them. */
    if (!code && syncfs(writer->fd) != 0) code = fail_errno(writer, errno, "tile", "cannot sync");
    if (!code) code = write_file(writer, "checkpoint", note, note_size, true);
    if (!code && fsync(writer->fd) != 0) code = fail_errno(writer, errno, "checkpoint", "cannot sync the directory");
    return failed(writer, error);
}

void kt_tlog_writer_close(kt_tlog_writer *writer) {
    if (!writer) return;
    close(writer->fd);
    free(writer->directory);
    free(writer->bundle);
    free(writer);
}
