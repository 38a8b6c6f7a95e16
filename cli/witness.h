/*
 * witness: what the commands of a witness share: a note printed or written to a file, and the keeping of it in a book.
 */
#ifndef KT_CLI_WITNESS_H
#define KT_CLI_WITNESS_H

#include "cli/common.h"

/* To --out, or to standard output; and into the witness/ of `book`, where one is given. A book that is only to be read is
   warned of; the note is given out all the same. */
kt_code kt_cosigned_give(const kt_arguments *arguments, const char *book, const char *note, size_t size,
                         kt_error *error);

#endif
