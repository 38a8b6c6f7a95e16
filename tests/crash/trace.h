/*
 * trace: what the trace shim writes down, in the order it happened, and test_power reads back.
 *
 * The shim (libtrace.so, preloaded) follows the files below KONTOR_TRACE_PLACE and writes to KONTOR_TRACE a stream of
 * events, each followed by its bytes. Files are known by their inode, since LMDB holds one file open twice.
 */
#ifndef KT_TESTS_CRASH_TRACE_H
#define KT_TESTS_CRASH_TRACE_H

#include <stdint.h>

#define TRACE_ACKS 3 /* what is written to this file is an acknowledgement */

enum trace_kind {
    TRACE_OPEN = 1,     /* bytes: the path; offset: the bits below */
    TRACE_WRITE,        /* bytes at offset */
    TRACE_WRITE_SYNCED, /* likewise, through a descriptor opened with O_DSYNC or O_SYNC */
    TRACE_SIZE,         /* truncated, or room made, to offset bytes */
    TRACE_SYNC,         /* of a file or a directory */
    TRACE_REMOVE,       /* bytes: the path */
    TRACE_DIRECTORY,    /* made; bytes: the path */
    TRACE_MAPPED,       /* mapped to be written through memory: the trace cannot see what happens to it */
    TRACE_ACK
};

#define TRACE_MADE 1u /* the call made the file */
#define TRACE_IS_DIRECTORY 2u

typedef struct trace_event {
    uint32_t kind, spare;
    uint64_t file, offset, size;
} trace_event;

#endif
