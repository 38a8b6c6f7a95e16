/*
 * zone: time where the company is: an IANA time zone read from the system's own files (TZif, RFC 9636), without the
 * process's TZ or locale, so that any thread may ask.
 *
 * Where the system does not know the zone, times are UTC and kt_zone_known says false: the tests say so. Of a TZif file
 * the 64-bit block and the footer's rule for later times (POSIX TZ, RFC 9636 section 3.3) are read; leap seconds are not
 * counted, as in POSIX time.
 *
 * Lifetime: a zone is read only once it is open. Errors: KT_MEMORY alone.
 */
#ifndef KT_AUDIT_TESTS_ZONE_H
#define KT_AUDIT_TESTS_ZONE_H

#include "engine/kontor.h"

typedef struct kt_zone kt_zone;

/* directory NULL: where systems keep it, /usr/share/zoneinfo. */
kt_code kt_zone_open(const char *directory, kt_str name, kt_zone **out, kt_error *error);
void kt_zone_close(kt_zone *zone);
bool kt_zone_known(const kt_zone *zone);
const char *kt_zone_name(const kt_zone *zone); /* "UTC" where not known */
/* Seconds to add to UTC at a time (seconds since 1970 UTC). */
int32_t kt_zone_offset(const kt_zone *zone, int64_t seconds);
/* The day and the minute in it, there, of µs since 1970 UTC. */
void kt_zone_local(const kt_zone *zone, int64_t time_us, kt_day *day, uint32_t *minute);

#endif
