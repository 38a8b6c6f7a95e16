/*
 * plaintext_text: the lines of a journal and of the files it includes.
 *
 * A stack of files, each wholly in memory; lines are taken from the one on top. Line ends are LF or CR LF, a byte
 * order mark at a file's head is passed over, blanks at a line's end do not count. Every line is checked before it
 * is used: no NUL byte, valid UTF-8 (RFC 3629), at most KT_PLAIN_LINE_MAX bytes (law 12). Nothing here depends on
 * the locale.
 *
 * Lifetime: a line points into its file, which stays until it is popped.
 * Errors: KT_INVALID and KT_LIMIT name file and line. Includes: KT_UNSUPPORTED where there is no directory or
 * the pattern is one that is not kept (`**`, `~`, another reader's prefix); KT_INVALID where nothing is found,
 * a file includes itself, or files lie more than KT_PLAIN_DEPTH deep.
 */
#ifndef KT_EXCHANGE_PLAINTEXT_TEXT_H
#define KT_EXCHANGE_PLAINTEXT_TEXT_H

#include <sys/types.h>

#include "engine/exchange/format.h"

#define KT_PLAIN_LINE_MAX ((size_t)1 << 20)
#define KT_PLAIN_FILE_MAX ((size_t)1 << 32)
#define KT_PLAIN_DEPTH 32
#define KT_PLAIN_MATCHES 10000 /* files of one include */

typedef struct kt_plain_line {
    const char *text;
    size_t size;   /* without the line's end and blanks before it */
    size_t number; /* from 1 */
} kt_plain_line;

typedef struct kt_plain_file kt_plain_file;
struct kt_plain_file {
    kt_plain_file *below; /* the file that includes this one */
    const char *name;
    char *own_name;
    const uint8_t *data;
    uint8_t *own_data;
    size_t size, at;
    size_t lines;    /* passed so far */
    char *directory; /* where its own includes start; NULL: refused */
    dev_t device;
    ino_t inode;
    bool on_disk;
    /* What the file may change for itself alone, put back when it ends. */
    int year;
    char decimal_mark;
    size_t applied;
    /* Includes still to be read before the next line: paths in order. */
    char **waiting;
    size_t waiting_count, waiting_at;
};

/* ASCII only, on purpose. */
bool kt_plaintext_text_is_digit(char c);
bool kt_plaintext_text_is_blank(char c); /* space or tab */
char kt_plaintext_text_lower(char c);
bool kt_plaintext_text_equal(const char *text, size_t size, const char *word);
bool kt_plaintext_text_equal_fold(const char *text, size_t size, const char *word);
/* Where word first stands in text, NULL: nowhere. */
const char *kt_plaintext_text_find(kt_str text, const char *word);
/* Without blanks at both ends. */
kt_str kt_plaintext_text_trim(kt_str text);
/* Index of the first bad byte, or size. */
size_t kt_plaintext_text_utf8(const char *text, size_t size);

/* The source as the lowest file. NULL: no memory. */
kt_plain_file *kt_plaintext_text_open(const kt_source *source);
void kt_plaintext_text_close(kt_plain_file *top); /* the whole stack */

/* The next line without passing it. KT_END at the file's end, KT_LIMIT for a line that is too long. */
kt_code kt_plaintext_text_peek(const kt_plain_file *file, kt_plain_line *line, kt_error *error);
/* Passes the line that was peeked. */
void kt_plaintext_text_pass(kt_plain_file *file, const kt_plain_line *line);
kt_code kt_plaintext_text_check(const kt_plain_file *file, const kt_plain_line *line, kt_error *error);

/* Finds the files of an include and lets them wait in *top; they are opened by _next_file. */
kt_code kt_plaintext_text_include(kt_plain_file *top, size_t line, kt_str pattern, kt_error *error);
/* Opens the next waiting file of *top, which becomes the new top. KT_END: none waits. */
kt_code kt_plaintext_text_next_file(kt_plain_file **top, kt_error *error);
/* Drops the top; it must not be the lowest. */
void kt_plaintext_text_pop(kt_plain_file **top);

#endif
