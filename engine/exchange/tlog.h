/*
 * tlog: writes a log as static files, in the layout of C2SP tlog-tiles (c2sp.org/tlog-tiles).
 *
 *   DIR/checkpoint                       the signed note, written last
 *   DIR/tile/<level>/<N>[.p/<W>]         up to 256 hashes of 32 bytes; W of them where it is not full
 *   DIR/tile/entries/<N>[.p/<W>]         the same leaves as bytes, each behind its length in two bytes, big-endian
 *
 * N is written in groups of three digits, all but the last behind an x: tile 1234067 is x001/x234/067. What is
 * written follows from the leaves alone, never from the batches that they came in.
 *
 * Laws kept: 6. Memory is flat: one open tile for each level and one open bundle, at most 16 MiB together.
 * Lifetime: the writer is the caller's until kt_tlog_writer_close, which takes NULL too; without a successful finish
 * the directory has no checkpoint, and so is no log.
 * Errors: KT_EXISTS where the directory is there and not empty; KT_LIMIT for a leaf above 65,535 bytes; KT_DAMAGED
 * where the checkpoint is not of these leaves; else what the system says, with the file's name. After a failure every
 * further call gives it again.
 */
#ifndef KT_EXCHANGE_TLOG_H
#define KT_EXCHANGE_TLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/error.h"

#define KT_TLOG_LEAF_MAX 65535
#define KT_TLOG_PATH_MAX 64 /* of a tile below DIR, with its zero */

typedef struct kt_tlog_writer kt_tlog_writer;

/* hashes_only: no entry bundles, for a log whose records stay private. */
kt_code kt_tlog_writer_open(const char *directory, bool hashes_only, kt_tlog_writer **out, kt_error *error);
/* The next leaf: the record's stored bytes. */
kt_code kt_tlog_writer_add(kt_tlog_writer *writer, const void *bytes, size_t size, kt_error *error);
/* Writes the partial tiles, syncs, and writes the checkpoint, which must state size and root of the leaves added. */
kt_code kt_tlog_writer_finish(kt_tlog_writer *writer, const char *note, size_t note_size, kt_error *error);
void kt_tlog_writer_close(kt_tlog_writer *writer);

/* Path of a tile below DIR. kind is the level in decimal, or "entries"; width 256 is a full tile. */
void kt_tlog_path(const char *kind, uint64_t index, unsigned width, char out[KT_TLOG_PATH_MAX]);

#endif
