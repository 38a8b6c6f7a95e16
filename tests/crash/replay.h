/*
 * replay: a traced poster's writes and syncs, played back up to any moment, with the disk as a power cut may leave it.
 *
 * What was synced is there. What was written and not synced is there or not, whole or in part; a sector of 512 bytes
 * is never torn. A file that was made is there once its directory was synced, and not for certain before. A write
 * through O_DSYNC makes itself durable and nothing else.
 *
 * Lifetime: a replay owns the trace it has read; crash_replay_close releases it. It moves forward only.
 */
#ifndef KT_TESTS_CRASH_REPLAY_H
#define KT_TESTS_CRASH_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/crash/trace.h"

typedef struct crash_replay crash_replay;

/* How the power cut treats what was not synced. */
typedef enum crash_cut {
    CUT_DROPS_ALL,
    CUT_KEEPS_SOME,    /* each write or not */
    CUT_KEEPS_SECTORS, /* each sector or not */
    CUT_TEARS_LAST     /* everything, and the first sectors of the write that was under way */
} crash_cut;

/* place: as KONTOR_TRACE_PLACE. Files that were there before the trace began are taken as they lie in `base`, a copy
   made then (NULL: there were none). NULL where the trace cannot be read. */
crash_replay *crash_replay_open(const char *trace, const char *place, const char *base);
void crash_replay_close(crash_replay *replay);

size_t crash_replay_count(const crash_replay *replay); /* events */
const trace_event *crash_replay_event(const crash_replay *replay, size_t number, const void **bytes);

/* Plays events up to, and without, number. */
void crash_replay_to(crash_replay *replay, size_t number);
bool crash_replay_knows(const crash_replay *replay, const char *name); /* was opened so far */
/* Bytes written to the book's files so far and not synced. */
uint64_t crash_replay_unsynced(const crash_replay *replay);
/* Writes the files as this cut leaves them below `to`, which must exist and be empty. */
bool crash_replay_image(crash_replay *replay, crash_cut cut, uint64_t *random, const char *to);
/* As it would be with everything written: the file's bytes, the replay's own. NULL: no such file. */
const uint8_t *crash_replay_file(crash_replay *replay, const char *name, size_t *size);

#endif
