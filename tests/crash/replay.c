#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/crash/replay.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"

#define SECTOR 512u
#define FILES 16

struct bytes {
    uint8_t *data;
    size_t size, room;
};

struct file {
    char name[256]; /* below the place */
    uint64_t inode;
    bool directory, gone;
    bool lasting; /* its name is durable */
    struct bytes durable, image;
    size_t *pending; /* numbers of events not synced */
    size_t pending_count, pending_room;
};

struct crash_replay {
    char *place;
    const char *base;
    struct bytes trace;
    size_t *events; /* where they begin */
    size_t count, at;
    struct file files[FILES];
    size_t file_count;
};

/* Tests have no use for going on without memory. */
static void *need(void *memory) {
    if (!memory) {
        printf("Bail out! out of memory\n");
        exit(255);
    }
    return memory;
}

static void grow(struct bytes *bytes, size_t size) {
    if (size > bytes->room) {
        bytes->room = size + size / 2 + 65536;
        bytes->data = need(realloc(bytes->data, bytes->room));
    }
    if (size > bytes->size) {
        memset(bytes->data + bytes->size, 0, size - bytes->size);
        bytes->size = size;
    }
}

static bool read_all(const char *path, struct bytes *out) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) return false;
    grow(out, (size_t)status.st_size);
    size_t done = 0;
    while (done < out->size) {
        ssize_t got = read(fd, out->data + done, out->size - done);
        if (got <= 0) break;
        done += (size_t)got;
    }
    close(fd);
    return done == out->size;
}

crash_replay *crash_replay_open(const char *trace, const char *place, const char *base) {
    crash_replay *replay = need(calloc(1, sizeof *replay));
    replay->place = realpath(place, NULL);
    replay->base = base;
    if (!replay->place || !read_all(trace, &replay->trace)) {
        crash_replay_close(replay);
        return NULL;
    }
    size_t room = 0;
    for (size_t at = 0; at + sizeof(trace_event) <= replay->trace.size;) {
        trace_event event;
        memcpy(&event, replay->trace.data + at, sizeof event);
        if (replay->count == room) {
            room = room * 2 + 1024;
            replay->events = need(realloc(replay->events, room * sizeof *replay->events));
        }
        replay->events[replay->count++] = at;
        at += sizeof event + event.size;
    }
    return replay;
}

void crash_replay_close(crash_replay *replay) {
    if (!replay) return;
    for (size_t i = 0; i < replay->file_count; i++) {
        free(replay->files[i].durable.data);
        free(replay->files[i].image.data);
        free(replay->files[i].pending);
    }
    free(replay->events);
    free(replay->trace.data);
    free(replay->place);
    free(replay);
}

size_t crash_replay_count(const crash_replay *replay) { return replay->count; }

/* Events follow bytes of any length, so that they are copied out to where they are aligned. */
static const void *event_at(const crash_replay *replay, size_t number, trace_event *event) {
    memcpy(event, replay->trace.data + replay->events[number], sizeof *event);
    return replay->trace.data + replay->events[number] + sizeof *event;
}

const trace_event *crash_replay_event(const crash_replay *replay, size_t number, const void **bytes) {
    static _Thread_local trace_event event;
    *bytes = event_at(replay, number, &event);
    return &event;
}

/* ---- files ---- */

static struct file *by_inode(crash_replay *replay, uint64_t inode) {
    for (size_t i = 0; i < replay->file_count; i++)
        if (replay->files[i].inode == inode && inode != 0 && !replay->files[i].gone) return &replay->files[i];
    return NULL;
}

static struct file *by_name(crash_replay *replay, const char *name) {
    for (size_t i = 0; i < replay->file_count; i++)
        if (strcmp(replay->files[i].name, name) == 0 && !replay->files[i].gone) return &replay->files[i];
    return NULL;
}

bool crash_replay_knows(const crash_replay *replay, const char *name) {
    for (size_t i = 0; i < replay->file_count; i++)
        if (strcmp(replay->files[i].name, name) == 0 && !replay->files[i].gone) return true;
    return false;
}

/* The file a path of the trace names, made known where it is not; the place itself is "". */
static struct file *named(crash_replay *replay, const void *path, size_t size) {
    char name[256];
    size_t skip = strlen(replay->place);
    if (size < skip || size - skip >= sizeof name) return NULL;
    skip += size > skip; /* the slash */
    memcpy(name, (const char *)path + skip, size - skip);
    name[size - skip] = 0;
    struct file *file = by_name(replay, name);
    if (file) return file;
    if (replay->file_count == FILES) {
        printf("Bail out! more files than a book has\n");
        exit(255);
    }
    file = &replay->files[replay->file_count++];
    snprintf(file->name, sizeof file->name, "%s", name);
    file->lasting = true;
    return file;
}

static void take_base(crash_replay *replay, struct file *file) {
    char path[PATH_MAX];
    struct stat status;
    if (!replay->base || snprintf(path, sizeof path, "%s/%s", replay->base, file->name) >= (int)sizeof path) return;
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && !read_all(path, &file->durable)) {
        printf("Bail out! %s cannot be read\n", path);
        exit(255);
    }
}

static void opened(crash_replay *replay, const trace_event *event, const void *path) {
    struct file *file = named(replay, path, event->size);
    if (!file) return;
    bool known = file->inode != 0;
    file->inode = event->file;
    if ((event->offset & TRACE_IS_DIRECTORY) != 0) file->directory = true;
    else if ((event->offset & TRACE_MADE) != 0) file->lasting = false;
    else if (!known) take_base(replay, file);
}

static bool lies_in(const struct file *file, const struct file *directory) {
    const char *last = strrchr(file->name, '/');
    size_t parent = last ? (size_t)(last - file->name) : 0;
    return file != directory && strlen(directory->name) == parent && memcmp(file->name, directory->name, parent) == 0;
}

/* ---- writes ---- */

enum part { WHOLE, SOME_SECTORS, FIRST_SECTORS };

static void apply(crash_replay *replay, size_t number, struct bytes *to, enum part part, uint64_t *random) {
    trace_event event;
    const uint8_t *bytes = event_at(replay, number, &event);
    if (event.kind == TRACE_SIZE) {
        grow(to, (size_t)event.offset);
        to->size = (size_t)event.offset;
        return;
    }
    uint64_t stop = UINT64_MAX;
    if (part == FIRST_SECTORS)
        stop = (event.offset / SECTOR + test_random(random) % (event.size / SECTOR + 2)) * SECTOR;
    for (uint64_t at = event.offset, end = event.offset + event.size; at < end;) {
        uint64_t next = (at / SECTOR + 1) * SECTOR;
        if (next > end || part == WHOLE) next = end;
        if (at >= stop) break;
        if (part != SOME_SECTORS || test_random(random) % 2 == 0) {
            grow(to, (size_t)next);
            memcpy(to->data + at, bytes + (at - event.offset), (size_t)(next - at));
        }
        at = next;
    }
}

static void wait_for_sync(struct file *file, size_t number) {
    if (file->pending_count == file->pending_room) {
        file->pending_room = file->pending_room * 2 + 64;
        file->pending = need(realloc(file->pending, file->pending_room * sizeof *file->pending));
    }
    file->pending[file->pending_count++] = number;
}

static void synced(crash_replay *replay, struct file *file) {
    for (size_t i = 0; i < file->pending_count; i++) apply(replay, file->pending[i], &file->durable, WHOLE, NULL);
    file->pending_count = 0;
    for (size_t i = 0; i < replay->file_count; i++)
        if (lies_in(&replay->files[i], file)) replay->files[i].lasting = true;
}

static void play(crash_replay *replay, size_t number) {
    trace_event event;
    const void *bytes = event_at(replay, number, &event);
    struct file *file = event.file != 0 ? by_inode(replay, event.file) : NULL;
    switch (event.kind) {
    case TRACE_OPEN: opened(replay, &event, bytes); break;
    case TRACE_WRITE:
    case TRACE_SIZE:
        if (file) wait_for_sync(file, number);
        break;
    case TRACE_WRITE_SYNCED:
        if (file) apply(replay, number, &file->durable, WHOLE, NULL);
        break;
    case TRACE_SYNC:
        if (file) synced(replay, file);
        break;
    case TRACE_DIRECTORY:
        file = named(replay, bytes, event.size);
        if (file) {
            file->directory = true;
            file->lasting = false;
        }
        break;
    case TRACE_REMOVE:
        file = named(replay, bytes, event.size);
        if (file) file->gone = true;
        break;
    default: break;
    }
}

void crash_replay_to(crash_replay *replay, size_t number) {
    while (replay->at < number && replay->at < replay->count) play(replay, replay->at++);
}

uint64_t crash_replay_unsynced(const crash_replay *replay) {
    trace_event event;
    uint64_t bytes = 0;
    for (size_t i = 0; i < replay->file_count; i++)
        for (size_t j = 0; j < replay->files[i].pending_count && !replay->files[i].gone; j++) {
            event_at(replay, replay->files[i].pending[j], &event);
            bytes += event.size;
        }
    return bytes;
}

/* ---- the disk after the cut ---- */

/* What is left of a file's unsynced writes goes onto what is durable. */
static void cut_file(crash_replay *replay, struct file *file, crash_cut cut, uint64_t *random) {
    trace_event event = {0};
    file->image.size = 0;
    grow(&file->image, file->durable.size);
    if (file->durable.size != 0) memcpy(file->image.data, file->durable.data, file->durable.size);
    for (size_t i = 0; i < file->pending_count; i++) {
        if (cut == CUT_DROPS_ALL || (cut == CUT_KEEPS_SOME && test_random(random) % 2 == 0)) continue;
        apply(replay, file->pending[i], &file->image, cut == CUT_KEEPS_SECTORS ? SOME_SECTORS : WHOLE, random);
    }
    if (cut != CUT_TEARS_LAST || replay->at == replay->count) return;
    event_at(replay, replay->at, &event);
    if (event.file == file->inode && (event.kind == TRACE_WRITE || event.kind == TRACE_WRITE_SYNCED))
        apply(replay, replay->at, &file->image, FIRST_SECTORS, random);
}

/* A name lasts when those of all directories above it do. */
static bool lasts(crash_replay *replay, const struct file *file) {
    for (size_t i = 0; i < replay->file_count; i++) {
        const struct file *other = &replay->files[i];
        size_t size = strlen(other->name);
        bool above = other == file ||
                     (other->directory && strncmp(file->name, other->name, size) == 0 && file->name[size] == '/');
        if (above && !other->lasting) return false;
    }
    return true;
}

static bool write_image(char *path, const struct bytes *bytes, size_t top) {
    for (char *slash = strchr(path + top + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        (void)mkdir(path, 0700); /* there already, or the open below fails */
        *slash = '/';
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t done = 0;
    while (fd >= 0 && done < bytes->size) {
        ssize_t written = write(fd, bytes->data + done, bytes->size - done);
        if (written <= 0) break;
        done += (size_t)written;
    }
    return fd >= 0 && close(fd) == 0 && done == bytes->size;
}

bool crash_replay_image(crash_replay *replay, crash_cut cut, uint64_t *random, const char *to) {
    bool good = true;
    for (size_t i = 0; i < replay->file_count && good; i++) {
        struct file *file = &replay->files[i];
        char path[PATH_MAX];
        if (file->gone || file->name[0] == 0 || (cut == CUT_DROPS_ALL && !lasts(replay, file))) continue;
        if (snprintf(path, sizeof path, "%s/%s", to, file->name) >= (int)sizeof path) return false;
        if (file->directory) continue; /* made with what lies in it */
        cut_file(replay, file, cut, random);
        good = write_image(path, &file->image, strlen(to));
    }
    return good;
}

const uint8_t *crash_replay_file(crash_replay *replay, const char *name, size_t *size) {
    struct file *file = by_name(replay, name);
    if (!file) return NULL;
    uint64_t none = 0;
    size_t at = replay->at;
    replay->at = replay->count; /* nothing is under way */
    cut_file(replay, file, CUT_TEARS_LAST, &none);
    replay->at = at;
    *size = file->image.size;
    return file->image.data;
}
