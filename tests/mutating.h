/*
 * mutating: many spoilt copies of a book, each put before verification's own code (engine/audit/examine.h), thousands in
 * seconds. The work is done by a few children; one that dies is replaced, and the mutant that it died of is counted.
 *
 * A mutant that is the very bytes it was made from is no mutant: it is counted apart, and whoever asks says how many there
 * must be and why.
 */
#ifndef KT_TESTS_MUTATING_H
#define KT_TESTS_MUTATING_H

#include "engine/kontor.h"
#include "storage/store.h"

typedef struct mutants {
    const char *what;
    size_t count;
    /* In a child: puts mutant n into the directory, which is the child's own. False: it would be no change. */
    bool (*make)(void *context, size_t n, const char *directory);
    /* May be NULL. What was not refused and still reads as it did: the change is where nobody reads. */
    bool (*reads_alike)(void *context, const char *directory);
    /* May be NULL: no options; otherwise those of mutant n. */
    const kt_verify_options *(*options)(void *context, size_t n);
    void *context;
} mutants;

#define MUTANTS_DEAD 32

typedef struct mutant_tally {
    size_t tried;  /* really changed */
    size_t caught; /* refused, with a finding or an error that says so */
    size_t same;   /* no change */
    size_t unread; /* not refused, and it reads alike */
    size_t died; /* the child died or hung while it verified: kontor verify, whose child it is, makes a finding of it */
    size_t dead[MUTANTS_DEAD]; /* the first of those */
    size_t missed;
    char why[1600]; /* of one that was missed */
} mutant_tally;

void mutants_try(const mutants *set, mutant_tally *out);
/* One test: all that were tried were caught, none by a death; and `same` were no change. */
bool mutants_caught(const mutants *set, size_t same, const char *law, ...) __attribute__((format(printf, 3, 4)));

/* ---- a book's file ---- */

typedef struct book_file {
    uint8_t *bytes;
    size_t size;
    struct file_place {
        kt_table table;
        size_t key_at, key_size;     /* in the file */
        size_t value_at, value_size; /* the stored value whole, version and checksum included */
    } * places;                      /* of every value of every table */
    size_t count, value_bytes, key_bytes;
} book_file;

/* path: the book's directory, which ends with `name`. Dies where it cannot be read. */
void book_file_open(book_file *out, const char *path, const char *name);
void book_file_close(book_file *file);
bool book_file_put(const char *directory, const uint8_t *bytes, size_t size); /* as the book's file there */
/* Makes every checksum of the place's value fit what the bytes now say, as far as they say anything. */
void book_file_mend(const struct file_place *place, uint8_t *bytes);
/* How many bytes of the place's value are checksums that mending makes anew. */
size_t book_file_checksums(const book_file *file, const struct file_place *place);
/* Every key and value of every table, by walking and by looking up; 0 where one cannot be read. */
uint64_t book_digest(const char *directory);

/* ---- a journal's records ---- */

typedef struct journal_copy {
    kt_span *records;
    uint32_t *blocks; /* records of each block */
    size_t count, block_count;
    uint8_t *bytes;
} journal_copy;

void journal_copy_open(journal_copy *out, const char *directory);
void journal_copy_close(journal_copy *copy);
/* Puts these records in place of the book's, in blocks as before (the last takes what is left over, or lacks it); every
   checksum holds. Not synced. */
bool journal_copy_put(const char *directory, const kt_span *records, size_t count, const journal_copy *blocks);
/* One row of a table put, or deleted where value.data is NULL. Not synced. */
bool book_row_put(const char *directory, kt_table table, kt_span key, kt_span value);

#endif
