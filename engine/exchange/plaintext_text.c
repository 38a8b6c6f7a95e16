#include "engine/exchange/plaintext_text.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool kt_plaintext_text_is_digit(char c) { return c >= '0' && c <= '9'; }

bool kt_plaintext_text_is_blank(char c) { return c == ' ' || c == '\t'; }

char kt_plaintext_text_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

bool kt_plaintext_text_equal(const char *text, size_t size, const char *word) {
    return strlen(word) == size && memcmp(text, word, size) == 0;
}

bool kt_plaintext_text_equal_fold(const char *text, size_t size, const char *word) {
    if (strlen(word) != size) return false;
    for (size_t i = 0; i < size; i++)
        if (kt_plaintext_text_lower(text[i]) != kt_plaintext_text_lower(word[i])) return false;
    return true;
}

const char *kt_plaintext_text_find(kt_str text, const char *word) {
    size_t size = strlen(word);
    for (size_t at = 0; at + size <= text.size; at++) {
        const char *next = memchr(text.data + at, word[0], text.size - size - at + 1);
        if (!next) return NULL;
        if (memcmp(next, word, size) == 0) return next;
        at = (size_t)(next - text.data);
    }
    return NULL;
}

kt_str kt_plaintext_text_trim(kt_str text) {
    while (text.size > 0 && kt_plaintext_text_is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && kt_plaintext_text_is_blank(text.data[text.size - 1])) text.size--;
    return text;
}

/* Bytes of the character at text, 0 where it is none (RFC 3629: shortest form, no surrogates, up to 10FFFF). */
static size_t character_size(const unsigned char *text, size_t room) {
    unsigned char first = text[0];
    size_t size = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (size == 0 || size > room) return 0;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xC0) != 0x80) return 0;
    if ((first == 0xE0 && text[1] < 0xA0) || (first == 0xED && text[1] > 0x9F) || (first == 0xF0 && text[1] < 0x90) ||
        (first == 0xF4 && text[1] > 0x8F))
        return 0;
    return size;
}

size_t kt_plaintext_text_utf8(const char *text, size_t size) {
    size_t at = 0;
    while (at < size) {
        size_t step = character_size((const unsigned char *)text + at, size - at);
        if (step == 0) break;
        at += step;
    }
    return at;
}

static void skip_mark(kt_plain_file *file) {
    if (file->size >= 3 && memcmp(file->data, "\xEF\xBB\xBF", 3) == 0) file->at = 3;
}

static void drop_file(kt_plain_file *file) {
    for (size_t i = 0; i < file->waiting_count; i++) free(file->waiting[i]);
    free(file->waiting);
    free(file->own_name);
    free(file->own_data);
    free(file->directory);
    free(file);
}

kt_plain_file *kt_plaintext_text_open(const kt_source *source) {
    kt_plain_file *file = calloc(1, sizeof *file);
    if (!file) return NULL;
    file->name = source->name ? source->name : "journal";
    file->data = source->data;
    file->size = source->size;
    if (source->directory && !(file->directory = strdup(source->directory))) {
        drop_file(file);
        return NULL;
    }
    struct stat about;
    if (source->name && source->directory && stat(source->name, &about) == 0) {
        file->device = about.st_dev;
        file->inode = about.st_ino;
        file->on_disk = true;
    }
    skip_mark(file);
    return file;
}

void kt_plaintext_text_close(kt_plain_file *top) {
    while (top) {
        kt_plain_file *below = top->below;
        drop_file(top);
        top = below;
    }
}

kt_code kt_plaintext_text_peek(const kt_plain_file *file, kt_plain_line *line, kt_error *error) {
    if (file->at >= file->size) return KT_END;
    const char *text = (const char *)file->data + file->at;
    size_t left = file->size - file->at;
    size_t bound = left > KT_PLAIN_LINE_MAX + 1 ? KT_PLAIN_LINE_MAX + 1 : left;
    const char *end = memchr(text, '\n', bound);
    if (!end && left > KT_PLAIN_LINE_MAX)
        return kt_fail(error, KT_LIMIT, "%s:%zu: the line is longer than %zu bytes", file->name, file->lines + 1,
                       KT_PLAIN_LINE_MAX);
    size_t size = end ? (size_t)(end - text) : left;
    while (size > 0 && (kt_plaintext_text_is_blank(text[size - 1]) || text[size - 1] == '\r' ||
                        text[size - 1] == '\f' || text[size - 1] == '\v'))
        size--;
    *line = (kt_plain_line){text, size, file->lines + 1};
    return KT_OK;
}

void kt_plaintext_text_pass(kt_plain_file *file, const kt_plain_line *line) {
    const char *from = line->text + line->size;
    size_t left = file->size - (size_t)(from - (const char *)file->data);
    const char *end = left > 0 ? memchr(from, '\n', left) : NULL;
    file->at = end ? (size_t)(end + 1 - (const char *)file->data) : file->size;
    file->lines++;
}

kt_code kt_plaintext_text_check(const kt_plain_file *file, const kt_plain_line *line, kt_error *error) {
    if (line->size > 0 && memchr(line->text, 0, line->size))
        return kt_fail(error, KT_INVALID, "%s:%zu: a NUL byte; a journal is text", file->name, line->number);
    size_t bad = kt_plaintext_text_utf8(line->text, line->size);
    if (bad < line->size)
        return kt_fail(error, KT_INVALID, "%s:%zu: byte 0x%02X at column %zu is not UTF-8", file->name, line->number,
                       (unsigned)(unsigned char)line->text[bad], bad + 1);
    return KT_OK;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static char *joined(const char *directory, kt_str name) {
    bool absolute = name.size > 0 && name.data[0] == '/';
    char *path = malloc(strlen(directory) * 2 + name.size + 2);
    if (!path) return NULL;
    size_t at = 0;
    if (!absolute) {
        /* The directory is meant as it is; only the name may be a pattern. */
        for (const char *from = directory; *from; from++) {
            if (strchr("*?[]\\", *from)) path[at++] = '\\';
            path[at++] = *from;
        }
        path[at++] = '/';
    }
    memcpy(path + at, name.data, name.size);
    path[at + name.size] = 0;
    return path;
}

static kt_code collect_matches(kt_plain_file *top, size_t line, glob_t *found, kt_error *error) {
    if (found->gl_pathc > KT_PLAIN_MATCHES)
        return kt_fail(error, KT_LIMIT, "%s:%zu: include: more than %d files", top->name, line, KT_PLAIN_MATCHES);
    char **waiting = calloc(found->gl_pathc + 1, sizeof *waiting);
    if (!waiting) return kt_fail(error, KT_MEMORY, "%s:%zu: include: no memory", top->name, line);
    size_t count = 0;
    for (size_t i = 0; i < found->gl_pathc; i++) {
        struct stat about;
        const char *path = found->gl_pathv[i];
        if (stat(path, &about) != 0 || !S_ISREG(about.st_mode)) continue;
        /* A pattern that also fits the file it stands in means the others. */
        if (found->gl_pathc > 1 && top->on_disk && about.st_dev == top->device && about.st_ino == top->inode) continue;
        if ((waiting[count] = strdup(path))) count++;
    }
    qsort(waiting, count, sizeof *waiting, by_bytes);
    top->waiting = waiting;
    top->waiting_count = count;
    top->waiting_at = 0;
    return KT_OK;
}

kt_code kt_plaintext_text_include(kt_plain_file *top, size_t line, kt_str pattern, kt_error *error) {
    int shown = pattern.size > 200 ? 200 : (int)pattern.size;
    if (!top->directory)
        return kt_fail(error, KT_UNSUPPORTED,
                       "%s:%zu: include: not supported where the journal has no directory "
                       "(%.*s)",
                       top->name, line, shown, pattern.data);
    for (size_t i = 0; i + 1 < pattern.size; i++)
        if (pattern.data[i] == '*' && pattern.data[i + 1] == '*')
            return kt_fail(error, KT_UNSUPPORTED, "%s:%zu: include: '**' is not supported (%.*s)", top->name, line,
                           shown, pattern.data);
    if (pattern.size > 0 && pattern.data[0] == '~')
        return kt_fail(error, KT_UNSUPPORTED, "%s:%zu: include: '~' is not supported (%.*s)", top->name, line, shown,
                       pattern.data);
    if (pattern.size == 0 || pattern.size > 4096)
        return kt_fail(error, KT_INVALID, "%s:%zu: include: expected the name of a file", top->name, line);
    char *path = joined(top->directory, pattern);
    if (!path) return kt_fail(error, KT_MEMORY, "%s:%zu: include: no memory", top->name, line);
    glob_t found;
    memset(&found, 0, sizeof found);
    int answer = glob(path, GLOB_NOSORT, NULL, &found);
    free(path);
    kt_code code = KT_OK;
    if (answer == 0) code = collect_matches(top, line, &found, error);
    else if (answer != GLOB_NOMATCH)
        code = kt_fail(error, KT_INVALID, "%s:%zu: include: cannot look for %.*s", top->name, line, shown,
                       pattern.data);
    globfree(&found);
    if (code == KT_OK && top->waiting_count == 0)
        return kt_fail(error, KT_INVALID, "%s:%zu: include: no file %.*s", top->name, line, shown, pattern.data);
    return code;
}

static kt_code read_all(int descriptor, kt_plain_file *file, size_t expected, kt_error *error) {
    size_t room = expected + 1;
    file->own_data = malloc(room);
    if (!file->own_data) return kt_fail(error, KT_MEMORY, "%s: no memory for %zu bytes", file->name, expected);
    while (file->size < room) {
        ssize_t got = read(descriptor, file->own_data + file->size, room - file->size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return kt_fail_errno(error, errno, "%s", file->name);
        if (got == 0) break;
        file->size += (size_t)got;
    }
    if (file->size == room) return kt_fail(error, KT_INVALID, "%s: the file grows while it is read", file->name);
    file->data = file->own_data;
    return KT_OK;
}

static kt_code load(kt_plain_file *file, const kt_plain_file *below, kt_error *error) {
    struct stat about;
    size_t depth = 1;
    int descriptor = open(file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return kt_fail_errno(error, errno, "%s", file->name);
    kt_code code = KT_OK;
    if (fstat(descriptor, &about) != 0) code = kt_fail_errno(error, errno, "%s", file->name);
    else if (!S_ISREG(about.st_mode)) code = kt_fail(error, KT_INVALID, "%s: not a file", file->name);
    else if (about.st_size < 0 || (uint64_t)about.st_size > KT_PLAIN_FILE_MAX)
        code = kt_fail(error, KT_LIMIT, "%s: larger than %zu bytes", file->name, KT_PLAIN_FILE_MAX);
    for (const kt_plain_file *at = below; code == KT_OK && at; at = at->below, depth++) {
        if (at->on_disk && at->device == about.st_dev && at->inode == about.st_ino)
            code = kt_fail(error, KT_INVALID, "%s:%zu: include: %s includes itself", below->name, below->lines,
                           file->name);
        else if (depth >= KT_PLAIN_DEPTH)
            code = kt_fail(error, KT_INVALID, "%s:%zu: include: more than %d files deep", below->name, below->lines,
                           KT_PLAIN_DEPTH);
    }
    if (code == KT_OK) {
        file->device = about.st_dev;
        file->inode = about.st_ino;
        file->on_disk = true;
        code = read_all(descriptor, file, (size_t)about.st_size, error);
    }
    close(descriptor);
    return code;
}

kt_code kt_plaintext_text_next_file(kt_plain_file **top, kt_error *error) {
    kt_plain_file *below = *top;
    if (below->waiting_at == below->waiting_count) return KT_END;
    const char *path = below->waiting[below->waiting_at++];
    kt_plain_file *file = calloc(1, sizeof *file);
    if (!file || !(file->own_name = strdup(path)) || !(file->directory = strdup(path))) {
        if (file) drop_file(file);
        return kt_fail(error, KT_MEMORY, "%s: no memory", path);
    }
    file->name = file->own_name;
    char *slash = strrchr(file->directory, '/');
    if (slash) *(slash == file->directory ? slash + 1 : slash) = 0;
    else memcpy(file->directory, ".", 2);
    kt_code code = load(file, below, error);
    if (code != KT_OK) {
        drop_file(file);
        return code;
    }
    skip_mark(file);
    file->below = below;
    *top = file;
    if (below->waiting_at == below->waiting_count) {
        for (size_t i = 0; i < below->waiting_count; i++) free(below->waiting[i]);
        free(below->waiting);
        below->waiting = NULL;
        below->waiting_count = below->waiting_at = 0;
    }
    return KT_OK;
}

void kt_plaintext_text_pop(kt_plain_file **top) {
    kt_plain_file *file = *top;
    *top = file->below;
    drop_file(file);
}
