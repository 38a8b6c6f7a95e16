/*
 * whole: is LMDB's file as long as what it maps?
 *
 * LMDB maps the file without looking at its length, and reading behind its end would end the process (SIGBUS). Pages at
 * the end that a transaction took and gave back were never written, so a sound file may be shorter than the last page number
 * says: all that is missing must then be on the free list. That list may itself lie behind the end, so a child reads it.
 */
#ifndef KT_STORAGE_WHOLE_H
#define KT_STORAGE_WHOLE_H

#include "storage/error.h"

/* directory: for messages. KT_DAMAGED: pages in use are missing. */
struct MDB_env;
kt_code kt_file_whole(struct MDB_env *env, const char *directory, kt_error *error);

#endif
