#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strerrordesc_np */
#endif
#include "storage/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A text cut at the end of the buffer must not end inside a UTF-8 character: tables and JSON carry it on. */
static void trim_cut_character(char *text, size_t length) {
    size_t start = length;
    while (start > 0 && length - start < 4) {
        unsigned char byte = (unsigned char)text[--start];
        if (byte < 0x80) return;
        if (byte >= 0xC0) {
            size_t needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
            if (length - start < needed) text[start] = 0;
            return;
        }
    }
}

/* A message stays one line even where a file name in it holds line feeds or escape sequences. */
static void keep_one_line(char *text) {
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7F) *at = ' ';
        else if ((unsigned char)at[0] == 0xC2 && (unsigned char)at[1] >= 0x80 && (unsigned char)at[1] < 0xA0)
            at[0] = at[1] = ' '; /* U+0080 to U+009F: some terminals obey them too */
}

static size_t format_into(char *out, size_t room, const char *format, va_list arguments) {
    int length = vsnprintf(out, room, format, arguments);
    if (length < 0) {
        out[0] = 0;
        return 0;
    }
    size_t size = (size_t)length;
    if (size >= room) {
        size = room - 1;
        trim_cut_character(out, size);
        size = strlen(out);
    }
    return size;
}

kt_code kt_fail(kt_error *error, kt_code code, const char *format, ...) {
    if (!error) return code;
    /* Made aside, since an argument may point into error->text. */
    char text[sizeof error->text];
    va_list arguments;
    va_start(arguments, format);
    size_t size = format_into(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(error->text, text, size + 1);
    keep_one_line(error->text);
    error->code = code;
    return code;
}

kt_code kt_fail_at(kt_error *error, kt_code code, const char *format, ...) {
    if (!error) return code;
    char text[sizeof error->text];
    va_list arguments;
    va_start(arguments, format);
    size_t size = format_into(text, sizeof text, format, arguments);
    va_end(arguments);
    int length = snprintf(text + size, sizeof text - size, ": %s", error->text);
    if (length >= 0 && (size_t)length >= sizeof text - size) trim_cut_character(text, sizeof text - 1);
    memcpy(error->text, text, strlen(text) + 1);
    keep_one_line(error->text);
    error->code = code;
    return code;
}

static kt_code code_of_errno(int errnum) {
    switch (errnum) {
    case ENOSPC:
    case EDQUOT: return KT_DISK_FULL;
    case EACCES:
    case EPERM:
    case EROFS: return KT_PERMISSION;
    case ENOMEM: return KT_MEMORY;
    default: return KT_IO;
    }
}

kt_code kt_fail_errno(kt_error *error, int errnum, const char *format, ...) {
    kt_code code = code_of_errno(errnum);
    if (!error) return code;
    char text[sizeof error->text];
    va_list arguments;
    va_start(arguments, format);
    size_t size = format_into(text, sizeof text, format, arguments);
    va_end(arguments);
    char reason[128];
    /* strerrordesc_np is glibc's untranslated strerror: no locale, and safe among threads. */
    const char *known = strerrordesc_np(errnum);
    if (known) snprintf(reason, sizeof reason, ": %s", known);
    else snprintf(reason, sizeof reason, ": error %d of the operating system", errnum);
    /* The reason matters more than the end of a long path. */
    size_t reason_size = strlen(reason);
    if (size + reason_size >= sizeof text) {
        size = sizeof text - 1 - reason_size;
        trim_cut_character(text, size);
        text[size] = 0;
        size = strlen(text);
    }
    memcpy(text + size, reason, reason_size + 1);
    memcpy(error->text, text, size + reason_size + 1);
    keep_one_line(error->text);
    error->code = code;
    return code;
}

const char *kt_code_name(kt_code code) {
    switch (code) {
    case KT_OK: return "ok";
    case KT_END: return "end";
    case KT_NOT_FOUND: return "not found";
    case KT_REPEATED: return "repeated";
    case KT_INVALID: return "invalid";
    case KT_UNBALANCED: return "unbalanced";
    case KT_UNKNOWN: return "unknown";
    case KT_CLOSED: return "closed";
    case KT_OVERFLOW: return "overflow";
    case KT_DUPLICATE: return "duplicate";
    case KT_EXISTS: return "exists";
    case KT_FORBIDDEN: return "forbidden";
    case KT_UNSUPPORTED: return "unsupported";
    case KT_RULE: return "rule";
    case KT_LIMIT: return "limit";
    case KT_USAGE: return "usage";
    case KT_DAMAGED: return "damaged";
    case KT_NEWER: return "newer";
    case KT_OLDER: return "older";
    case KT_FOREIGN: return "foreign";
    case KT_IO: return "io";
    case KT_DISK_FULL: return "disk full";
    case KT_PERMISSION: return "permission";
    case KT_BUSY: return "busy";
    case KT_KEY: return "key";
    case KT_MEMORY: return "memory";
    case KT_POISONED: return "poisoned";
    }
    return "unknown code";
}
