/*
 * seen: has a key been finished before? For readers whose entries must stand together.
 *
 * Voucher numbers rise in nearly every file, and then nothing is kept but the highest number of each family (a
 * series with the letters before the number). At the first number that does not rise, the keys finished so far are
 * put into a set of 8-byte fingerprints by reading the file's first part once more (the owner's `refill`), and from
 * then on every key is put there.
 *
 * Bounds: rising numbers take 1.5 KiB; the set takes 11 to 21 bytes for each key (10 million: 134 MB). Two keys of
 * 64 bits agree by chance in one of some 370,000 files of 10 million keys; then a good entry is refused, never
 * a bad one taken.
 */
#ifndef KT_EXCHANGE_SEEN_H
#define KT_EXCHANGE_SEEN_H

#include "engine/kontor.h"

typedef struct kt_seen kt_seen;

/* Calls kt_seen_put for each key finished before the present one. */
typedef kt_code (*kt_seen_refill)(void *context, kt_seen *seen, kt_error *error);

kt_code kt_seen_open(kt_seen_refill refill, void *context, kt_seen **out, kt_error *error);
void kt_seen_close(kt_seen *seen);

/* True where the number is higher than any of its family before, and so cannot have been seen: that is all, and
   kt_seen_add is not to be called. family: hash of what the number is counted within, without its letters. The same
   key always comes with the same family and voucher. */
bool kt_seen_rises(kt_seen *seen, uint64_t family, kt_str voucher);

/* Asks for a key that did not rise, and remembers it. key: hash of the whole key. */
kt_code kt_seen_add(kt_seen *seen, uint64_t key, bool *again, kt_error *error);

/* For the refill. */
kt_code kt_seen_put(kt_seen *seen, uint64_t key, kt_error *error);

#endif
