#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_TMPFILE */
#endif
#include "engine/exchange/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/digest.h"

#define COPY_SIZE ((size_t)1 << 20)

struct kt_source_file {
    kt_source source;
    char *name;
    char *directory;
    int fd;
    bool mapped;
    struct stat status;
};

static int spool_open(const char *directory) {
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
    /* Some file systems have no nameless files: made under a name, which is taken away at once. */
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/kontor-XXXXXX", directory);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    return fd;
}

static int spool_anywhere(void) {
    const char *given = getenv("TMPDIR");
    int fd = -1;
    if (given && given[0]) fd = spool_open(given);
    if (fd < 0) fd = spool_open("/var/tmp");
    if (fd < 0) fd = spool_open("/tmp");
    return fd;
}

/* Copies all that can be read from `from` into a nameless file, whose descriptor goes to *out. */
static kt_code spool(int from, const char *name, int *out, kt_error *error) {
    int to = spool_anywhere();
    if (to < 0) return kt_fail_errno(error, errno, "%s: no temporary file to keep it in", name);
    kt_code code = KT_OK;
    char *buffer = malloc(COPY_SIZE);
    if (!buffer) code = kt_fail(error, KT_MEMORY, "%s: no memory to read it", name);
    while (code == KT_OK) {
        ssize_t got = read(from, buffer, COPY_SIZE);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) code = kt_fail_errno(error, errno, "%s: cannot be read", name);
        if (got <= 0) break;
        for (ssize_t put = 0; put < got && code == KT_OK;) {
            ssize_t n = write(to, buffer + put, (size_t)(got - put));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) code = kt_fail_errno(error, errno, "%s: cannot be kept in a temporary file", name);
            else put += n;
        }
    }
    free(buffer);
    if (code != KT_OK) {
        close(to);
        return code;
    }
    *out = to;
    return KT_OK;
}

static kt_code open_descriptor(const char *path, int *out, kt_error *error) {
    if (strcmp(path, "-") == 0) {
        *out = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        return *out >= 0 ? KT_OK : kt_fail_errno(error, errno, "standard input");
    }
    *out = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return *out >= 0 ? KT_OK : kt_fail_errno(error, errno, "%s: cannot be opened", path);
}

static kt_code map(kt_source_file *file, kt_error *error) {
    const char *name = file->source.name;
    if (file->status.st_size < 0 || (uint64_t)file->status.st_size > SIZE_MAX / 2)
        return kt_fail(error, KT_LIMIT, "%s: too large to be addressed", name);
    file->source.size = (size_t)file->status.st_size;
    file->source.data = (const uint8_t *)"";
    if (file->source.size == 0) return KT_OK;
    void *data = mmap(NULL, file->source.size, PROT_READ, MAP_PRIVATE, file->fd, 0);
    if (data == MAP_FAILED) return kt_fail_errno(error, errno, "%s: cannot be mapped", name);
    file->source.data = data;
    file->mapped = true;
    madvise(data, file->source.size, MADV_SEQUENTIAL); /* a wish: nothing depends on it */
    return KT_OK;
}

static kt_code set_names(kt_source_file *file, const char *path, kt_error *error) {
    bool standard = strcmp(path, "-") == 0;
    file->name = strdup(standard ? "standard input" : path);
    if (file->name && !standard) {
        const char *slash = strrchr(path, '/');
        file->directory = !slash ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    }
    if (!file->name || (!standard && !file->directory)) return kt_fail(error, KT_MEMORY, "%s: no memory", path);
    file->source.name = file->name;
    file->source.directory = file->directory;
    return KT_OK;
}

static kt_code load(kt_source_file *file, const char *path, kt_error *error) {
    kt_code code = set_names(file, path, error);
    if (code == KT_OK) code = open_descriptor(path, &file->fd, error);
    if (code != KT_OK) return code;
    if (fstat(file->fd, &file->status) != 0) return kt_fail_errno(error, errno, "%s", file->name);
    if (S_ISDIR(file->status.st_mode))
        return kt_fail(error, KT_INVALID, "%s: is a directory, expected a file", file->name);
    /* A regular file on standard input may be half read already: then the rest of it is what is meant. */
    bool whole = S_ISREG(file->status.st_mode) && lseek(file->fd, 0, SEEK_CUR) == 0;
    if (!whole) {
        int copy = -1;
        code = spool(file->fd, file->name, &copy, error);
        if (code != KT_OK) return code;
        close(file->fd);
        file->fd = copy;
        if (fstat(copy, &file->status) != 0) return kt_fail_errno(error, errno, "%s", file->name);
    }
    return map(file, error);
}

kt_code kt_source_open(const char *path, kt_source_file **out, kt_error *error) {
    *out = NULL;
    kt_source_file *file = calloc(1, sizeof *file);
    if (!file) return kt_fail(error, KT_MEMORY, "%s: no memory", path);
    file->fd = -1;
    kt_code code = load(file, path, error);
    if (code != KT_OK) {
        kt_source_close(file);
        return code;
    }
    *out = file;
    return KT_OK;
}

void kt_source_close(kt_source_file *file) {
    if (!file) return;
    if (file->mapped) munmap((void *)(uintptr_t)file->source.data, file->source.size);
    if (file->fd >= 0) close(file->fd);
    free(file->name);
    free(file->directory);
    free(file);
}

const kt_source *kt_source_of(const kt_source_file *file) { return &file->source; }

bool kt_source_unchanged(const kt_source_file *file) {
    struct stat now;
    return fstat(file->fd, &now) == 0 && now.st_size == file->status.st_size &&
           now.st_mtim.tv_sec == file->status.st_mtim.tv_sec && now.st_mtim.tv_nsec == file->status.st_mtim.tv_nsec;
}

void kt_source_digest(const kt_source *source, uint8_t out[KT_DIGEST_SIZE]) {
    kt_sha256_of(source->data, source->size, out);
}

const char *kt_source_looks_like(const kt_source *source) {
    static const struct {
        const char *bytes;
        size_t size;
        const char *what;
    } marks[] = {
        {"PK\x03\x04", 4, "a ZIP file (perhaps a spreadsheet: save it as CSV)"},
        {"\xD0\xCF\x11\xE0", 4, "an old Office file (perhaps a spreadsheet: save it as CSV)"},
        {"%PDF", 4, "a PDF file"},
        {"\x1F\x8B", 2, "a gzip file (unpack it first)"},
        {"BZh", 3, "a bzip2 file (unpack it first)"},
        {"\xFD"
         "7zXZ",
         5, "an xz file (unpack it first)"},
        {"\x28\xB5\x2F\xFD", 4, "a zstd file (unpack it first)"},
        {"\x7F"
         "ELF",
         4, "a program"},
        {"\x89PNG", 4, "a picture"},
        {"\xFF\xD8\xFF", 3, "a picture"},
        {"\xFF\xFE", 2, "text in UTF-16 (save it as UTF-8)"},
        {"\xFE\xFF", 2, "text in UTF-16 (save it as UTF-8)"},
        {"SQLite format 3", 15, "an SQLite database"},
    };
    const uint8_t *data = source->data;
    size_t size = source->size;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (size >= marks[i].size && memcmp(data, marks[i].bytes, marks[i].size) == 0) return marks[i].what;
    if (size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) {
        data += 3;
        size -= 3;
    }
    size_t head = size < 512 ? size : 512;
    const uint8_t *feed = memchr(data, '\n', head); /* a NUL further down is one row's fault */
    if (feed) head = (size_t)(feed - data) + 1;
    if (memchr(data, 0, head)) return "a binary file";
    size_t at = 0;
    while (at < head && (data[at] == ' ' || data[at] == '\t' || data[at] == '\r' || data[at] == '\n')) at++;
    if (at == head) return NULL;
    if (data[at] == '<') return "an XML or HTML file";
    if (data[at] == '{' || data[at] == '[') return "a JSON file";
    return NULL;
}
