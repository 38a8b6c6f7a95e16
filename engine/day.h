/*
 * day: calendar days, counted from 1970-01-01 (day 0) in the proleptic Gregorian calendar.
 *
 * Days need no time zone and no clock. The range kept is 0001-01-01 to 9999-12-31.
 * Months are counted likewise: month 0 is January 1970.
 */
#ifndef KT_ENGINE_DAY_H
#define KT_ENGINE_DAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t kt_day;
typedef int32_t kt_month;

#define KT_DAY_MIN ((kt_day)-719162) /* 0001-01-01 */
#define KT_DAY_MAX ((kt_day)2932896) /* 9999-12-31 */
#define KT_DAY_NONE INT32_MIN        /* not given */
#define KT_DAY_TEXT 11               /* bytes of "YYYY-MM-DD" with its zero */

/* False where the date does not exist (2023-02-29). */
bool kt_day_from_civil(int year, int month, int day, kt_day *out);
void kt_day_to_civil(kt_day day, int *year, int *month, int *dom);

/* "YYYY-MM-DD", exactly ten bytes. False for anything else. */
bool kt_day_parse(const char *text, size_t size, kt_day *out);

/* A format of Y m d y and literal bytes, as %Y-%m-%d, %d.%m.%Y, %d/%m/%y (two digits: 1970 to 2069);
   a %m or %d takes one or two digits. False where the text does not fit or the date does not exist. */
bool kt_day_parse_format(const char *text, size_t size, const char *format, kt_day *out);

/* Writes "YYYY-MM-DD" and returns buffer. */
char *kt_day_format(kt_day day, char buffer[KT_DAY_TEXT]);

kt_month kt_day_month(kt_day day);     /* the month the day lies in */
kt_day kt_month_first(kt_month month); /* its first day */
kt_day kt_month_last(kt_month month);  /* its last day */
int kt_day_weekday(kt_day day);        /* 0 Monday .. 6 Sunday */

/* "YYYY-MM-DD", "YYYY-MM" or "YYYY": first and last day of what is named. False for anything else. */
bool kt_day_parse_span(const char *text, size_t size, kt_day *first, kt_day *last);

/* Microseconds since 1970-01-01 UTC as "2026-11-24T17:41:32.123456Z" (28 bytes with the zero) and back.
   Parsing also takes "YYYY-MM-DD" (the day's last microsecond) and any number of fraction digits up to 6. */
#define KT_TIME_TEXT 28
char *kt_time_format(int64_t time_us, char buffer[KT_TIME_TEXT]);
bool kt_time_parse(const char *text, size_t size, int64_t *out);

#ifdef __cplusplus
}
#endif
#endif
