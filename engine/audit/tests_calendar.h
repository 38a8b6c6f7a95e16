/*
 * calendar: working days and public holidays, from the words of the company's calendar.
 *
 * The calendar is words parted by spaces: a span of weekdays that are worked ("mon-fri", the default; "mon-sat",
 * "sun-thu") and a country whose public holidays are kept ("dk"). Where no country is named and the company's time zone
 * is Europe/Copenhagen, it is dk. Other words are left alone.
 *
 * Denmark: the holidays of the Church of Denmark (helligdage): New Year's Day; Maundy Thursday, Good Friday, Easter Sunday and
 * Monday; the fourth Friday after Easter (store bededag) to 2023, abolished from 2024 by law no. 214 of 6 March 2023;
 * Ascension Day; Whit Sunday and Monday; 25 and 26 December. Not 5 June, 24 and 31 December, on which many do not work but
 * which are no public holidays. Easter by the rule for the Gregorian calendar in Nature of 20 April 1876, as in J. Meeus,
 * Astronomical Algorithms (2nd ed. 1998), chapter 8 ("Butcher's"); holds from 1583.
 */
#ifndef KT_AUDIT_TESTS_CALENDAR_H
#define KT_AUDIT_TESTS_CALENDAR_H

#include "engine/kontor.h"

typedef enum kt_country { KT_COUNTRY_NONE, KT_COUNTRY_DENMARK } kt_country;

typedef struct kt_calendar {
    bool works[7]; /* Monday first */
    kt_country country;
} kt_calendar;

void kt_calendar_read(kt_str words, kt_str time_zone, kt_calendar *out);
const char *kt_country_code(kt_country country); /* "dk"; "" for none */
/* Its name, static, where the day is a public holiday; else NULL. */
const char *kt_calendar_holiday(const kt_calendar *calendar, kt_day day);
kt_day kt_easter(int year); /* Easter Sunday */

#endif
