/*
 * source: opens an input so that all its bytes can be addressed.
 *
 * A regular file is mapped read-only. Standard input ("-"), a FIFO or a device is first spooled to a temporary file
 * of mode 0600 that has no name (O_TMPFILE, or made and unlinked at once), so that nothing of it can be found by a
 * name and nothing stays behind whatever happens (law 9); it lies in $TMPDIR, else /var/tmp, else /tmp.
 * A file that another program changes while it is read is found by its size and times: kt_source_unchanged.
 *
 * Lifetime: the kt_source and its bytes live until kt_source_close.
 * Errors: KT_INVALID a directory; KT_PERMISSION; KT_IO a missing file and all else; KT_DISK_FULL when spooling.
 */
#ifndef KT_EXCHANGE_SOURCE_H
#define KT_EXCHANGE_SOURCE_H

#include "engine/exchange/format.h"

typedef struct kt_source_file kt_source_file;

kt_code kt_source_open(const char *path, kt_source_file **out, kt_error *error);
void kt_source_close(kt_source_file *file);

const kt_source *kt_source_of(const kt_source_file *file);

/* False: its size or its time of change is another than when it was opened. */
bool kt_source_unchanged(const kt_source_file *file);

/* SHA-256 over the bytes. */
void kt_source_digest(const kt_source *source, uint8_t out[KT_DIGEST_SIZE]);

/* What the first bytes show to everybody: "an XML file", "a ZIP file (perhaps a spreadsheet)" ...; NULL: nothing in
   particular. JSON counts only for who does not expect it. */
const char *kt_source_looks_like(const kt_source *source);

#endif
