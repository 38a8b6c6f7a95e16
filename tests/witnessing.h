/*
 * witnessing: what tests of witnesses say in one line. A witness is made in test_dir(), by the name of its directory.
 */
#ifndef KT_TESTS_WITNESSING_H
#define KT_TESTS_WITNESSING_H

#include "engine/kontor.h"
#include "tests/bookkeeping.h"

/* A witness that was told of the book's log ("": of none); its key's name is "test/NAME". Dies where it cannot be made. */
kt_witness *make_witness(const char *name, const char *log);
kt_witness *open_witness(const char *name);
/* Has the witness cosign the book as it is, and keeps that in the book's witness/. */
kt_code witness_book(kt_witness *witness, kt_book *book);
kt_code witness_view(kt_witness *witness, kt_book *book, char **note, size_t *size);
/* Files in the witness's evidence whose name begins so. */
unsigned evidence_of(const char *name, const char *sort);
/* The one such file, the caller's: free(). */
char *evidence_text(const char *name, const char *sort, size_t *size);
/* What is carried over HTTP, without HTTP. context: the witness. */
kt_code carry(void *context, const char *body, size_t size, unsigned *status, char *answer, size_t room,
              size_t *answer_size, kt_error *error);
/* Verifies with these witnesses ("", NULL end the list) and a quorum of so many (0: all). */
kt_code verify_witnessed(const char *name, const char *const *vkeys, size_t quorum, found *first);

#endif
