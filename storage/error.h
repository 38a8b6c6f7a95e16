/*
 * error: the one error type, used in every room.
 *
 * A function that can fail returns a kt_code (0 or negative) and takes a nullable kt_error last.
 * A refusal names the file, the line, the thing, what was found and what was expected (law 12) and
 * never carries personal data or a secret (law 9): callers pass names, numbers and digests, not
 * field contents that a person could be told from.
 *
 * Lifetime: a kt_error is a plain value of the caller's; nothing in it needs to be released.
 */
#ifndef KT_STORAGE_ERROR_H
#define KT_STORAGE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum kt_code {
    KT_OK = 0,
    /* Answers that are no faults. */
    KT_END = -1,       /* nothing more to read */
    KT_NOT_FOUND = -2, /* no such key, number or code */
    KT_REPEATED = -3,  /* this batch was posted before; the receipt says where (law 5) */
    /* Refusals: the input or the command is wrong, the book is untouched. */
    KT_INVALID = -10,     /* malformed: syntax, number, date, encoding, size */
    KT_UNBALANCED = -11,  /* an entry that does not sum to zero (law 2) */
    KT_UNKNOWN = -12,     /* an account, currency, dimension or key that is not on record */
    KT_CLOSED = -13,      /* a closed period or a closed account (law 10) */
    KT_OVERFLOW = -14,    /* a sum or an amount beyond what is kept */
    KT_DUPLICATE = -15,   /* a voucher used before, or a batch id with other content */
    KT_EXISTS = -16,      /* already there: will not overwrite */
    KT_FORBIDDEN = -17,   /* the actor may not do this (law 7) */
    KT_UNSUPPORTED = -18, /* understood, and not supported: named, never skipped */
    KT_RULE = -19,        /* an account's own rule forbids it (balance rule, currency, reversed twice) */
    KT_LIMIT = -20,       /* larger than the format allows */
    KT_USAGE = -21,       /* the caller's arguments do not fit */
    /* Found wrong in what is stored. */
    KT_DAMAGED = -30, /* checksum, hash, signature or structure does not hold */
    KT_NEWER = -31,   /* written by a newer version */
    KT_FOREIGN = -32, /* not a book, or a book of another entity */
    KT_OLDER = -33,   /* its state was written by an older version: kt_rebuild brings it to this one's */
    /* Surroundings. */
    KT_IO = -40,
    KT_DISK_FULL = -41,
    KT_PERMISSION = -42,
    KT_BUSY = -43,
    KT_KEY = -44, /* signing key missing, wrong or locked */
    KT_MEMORY = -45,
    KT_POISONED = -46 /* a sync failed: reopen and verify before writing again */
} kt_code;

typedef struct kt_error {
    kt_code code;
    char text[1200]; /* UTF-8, one line, no line feed at the end */
} kt_error;

/* Sets *error (when not NULL) and returns code. The text is cut at the end of the buffer. */
kt_code kt_fail(kt_error *error, kt_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text already in *error; for callers who know the place. Returns error's code. */
kt_code kt_fail_at(kt_error *error, kt_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As kt_fail, followed by the operating system's reason for errnum; disk full, no permission and a
   read-only file system become their own codes, everything else KT_IO. */
kt_code kt_fail_errno(kt_error *error, int errnum, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Short name of a code, such as "unbalanced"; static. */
const char *kt_code_name(kt_code code);

#ifdef __cplusplus
}
#endif
#endif
