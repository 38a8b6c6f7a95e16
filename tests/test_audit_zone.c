/* Time where the company is, and the days on which it does not work. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/audit/tests_calendar.h"
#include "engine/audit/tests_zone.h"
#include "storage/bytes.h"
#include "tests/bookkeeping.h"

static int64_t at(const char *text) {
    int64_t out = 0;
    if (!kt_time_parse(text, strlen(text), &out)) diag("a time in a test's text: %s", text);
    return out;
}

static const char *local(const kt_zone *zone, const char *utc) {
    static char text[40];
    char date[KT_DAY_TEXT];
    kt_day where;
    uint32_t minute;
    kt_zone_local(zone, at(utc), &where, &minute);
    snprintf(text, sizeof text, "%s %02u:%02u", kt_day_format(where, date), minute / 60, minute % 60);
    return text;
}

static void utc(void) {
    kt_zone *zone = NULL;
    is_code(kt_zone_open(NULL, KT_STR("UTC"), &zone, &said), KT_OK, "UTC needs no file");
    ok(kt_zone_known(zone), "and is known");
    is_text(local(zone, "2026-07-01T23:59:59.999999Z"), "2026-07-01 23:59", "it is what it is");
    is_text(local(zone, "1969-12-31T23:59:59Z"), "1969-12-31 23:59", "also before 1970");
    kt_zone_close(zone);
    static const char *const bad[] = {"Nowhere/Atlantis", "../../etc/passwd", "/etc/localtime", "Europe/Copenhagen;",
                                      "."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        is_code(kt_zone_open(NULL, kt_str_from(bad[i]), &zone, &said), KT_OK, "%s is no zone", bad[i]);
        ok(!kt_zone_known(zone), "which is said");
        is_text(kt_zone_name(zone), "UTC", "and UTC is used");
        kt_zone_close(zone);
    }
}

static void copenhagen(void) {
    kt_zone *zone = NULL;
    is_code(kt_zone_open(NULL, KT_STR("Europe/Copenhagen"), &zone, &said), KT_OK, "a zone of this machine's");
    if (!kt_zone_known(zone)) {
        skip(7, "this machine has no time zones");
        kt_zone_close(zone);
        return;
    }
    is_text(local(zone, "2026-01-15T22:59:59Z"), "2026-01-15 23:59", "winter time is an hour ahead");
    is_text(local(zone, "2026-01-15T23:00:00Z"), "2026-01-16 00:00", "midnight there is the next day");
    is_text(local(zone, "2026-07-15T21:30:00Z"), "2026-07-15 23:30", "summer time two");
    is_text(local(zone, "2026-03-29T00:59:59Z"), "2026-03-29 01:59", "until the last Sunday of March");
    is_text(local(zone, "2026-03-29T01:00:00Z"), "2026-03-29 03:00", "it begins then");
    is_text(local(zone, "2026-10-25T01:00:00Z"), "2026-10-25 02:00", "and ends in October");
    is_text(local(zone, "2090-07-01T12:00:00Z"), "2090-07-01 14:00", "the rule goes on behind what the file lists");
    kt_zone_close(zone);
}

/* A file of version 2 without transitions: an offset and the footer. */
static void write_zone(const char *name, int32_t offset, const char *footer) {
    uint8_t file[2 * 44 + 2 * 10 + 100] = {0}, *to = file;
    for (unsigned block = 0; block < 2; block++) {
        memcpy(to, "TZif2", 5);
        kt_put_be32(to + 36, 1); /* types */
        kt_put_be32(to + 40, 4); /* letters */
        kt_put_be32(to + 44, (uint32_t)offset);
        memcpy(to + 50, "XXX", 4);
        to += 54;
    }
    to += sprintf((char *)to, "\n%s\n", footer);
    FILE *out = fopen(path_of(name), "wb");
    if (out == NULL || fwrite(file, (size_t)(to - file), 1, out) != 1) diag("%s is not written", name);
    if (out != NULL) fclose(out);
}

static void by_rule(const char *footer, int32_t offset, const char *utc, const char *expected) {
    kt_zone *zone = NULL;
    write_zone("Rule", offset, footer);
    is_code(kt_zone_open(test_dir(), KT_STR("Rule"), &zone, &said), KT_OK, "a zone by the rule %s", footer);
    is_text(local(zone, utc), expected, "%s", utc);
    kt_zone_close(zone);
}

static void rules(void) {
    by_rule("CET-1CEST,M3.5.0,M10.5.0/3", 3600, "2026-03-29T01:00:00Z", "2026-03-29 03:00");
    by_rule("CET-1CEST,M3.5.0,M10.5.0/3", 3600, "2026-10-25T00:59:59Z", "2026-10-25 02:59");
    by_rule("EST5EDT,M3.2.0,M11.1.0", -18000, "2026-03-08T07:00:00Z", "2026-03-08 03:00");
    by_rule("EST5EDT,M3.2.0,M11.1.0", -18000, "2026-11-01T06:00:00Z", "2026-11-01 01:00");
    by_rule("<+0545>-5:45", 20700, "2026-06-01T00:00:00Z", "2026-06-01 05:45");
    by_rule("AEST-10AEDT,M10.1.0,M4.1.0/3", 36000, "2026-01-01T00:00:00Z", "2026-01-01 11:00");
    by_rule("AEST-10AEDT,M10.1.0,M4.1.0/3", 36000, "2026-06-01T00:00:00Z", "2026-06-01 10:00");
    by_rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7200, "2026-03-29T01:00:00Z", "2026-03-29 00:00");
    by_rule("nonsense,M99", 3600, "2026-06-01T00:00:00Z", "2026-06-01 01:00");
    kt_zone *zone = NULL;
    uint64_t seed = test_seed();
    for (unsigned round = 0; round < 2000; round++) { /* whatever the bytes, it ends well */
        uint8_t bytes[300];
        FILE *out = fopen(path_of("Noise"), "wb");
        size_t size = (size_t)(test_random(&seed) % sizeof bytes);
        test_bytes(&seed, bytes, sizeof bytes);
        memcpy(bytes, "TZif2", 5);
        if (round % 2 == 0)
            for (unsigned i = 0; i < 24; i++) bytes[20 + i] = i % 4 == 3 ? (uint8_t)(bytes[20 + i] % 4) : 0;
        if (out == NULL || fwrite(bytes, 1, size, out) != size) diag("noise is not written");
        if (out != NULL) fclose(out);
        if (kt_zone_open(test_dir(), KT_STR("Noise"), &zone, &said) != KT_OK) diag("%s", said.text);
        (void)kt_zone_offset(zone, (int64_t)test_random(&seed) / 1000);
        kt_zone_close(zone);
    }
    ok(true, "files of noise do no harm");
}

static void easter(void) {
    /* The Astronomical Almanac's dates; the earliest and the latest there can be are 22 March and 25 April. */
    static const char *const sundays[] = {"1818-03-22", "1943-04-25", "1961-04-02", "2000-04-23",
                                          "2008-03-23", "2011-04-24", "2023-04-09", "2024-03-31",
                                          "2025-04-20", "2026-04-05", "2038-04-25", "2285-03-22"};
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof sundays / sizeof *sundays; i++) {
        int year, month, dom;
        kt_day_to_civil(day(sundays[i]), &year, &month, &dom);
        wrong += kt_easter(year) != day(sundays[i]);
    }
    is_int(wrong, 0, "Easter is when it is");
    for (int year = 1583; year < 4100; year++) wrong += kt_day_weekday(kt_easter(year)) != 6;
    is_int(wrong, 0, "and always a Sunday");
}

static const char *holiday(const char *words, const char *date) {
    kt_calendar calendar;
    kt_calendar_read(kt_str_from(words), (kt_str){NULL, 0}, &calendar);
    const char *name = kt_calendar_holiday(&calendar, day(date));
    return name == NULL ? "none" : name;
}

static void danish(void) {
    is_text(holiday("mon-fri dk", "2026-01-01"), "New Year's Day", "the first of January");
    is_text(holiday("mon-fri dk", "2026-04-02"), "Maundy Thursday", "before Easter");
    is_text(holiday("mon-fri dk", "2026-04-03"), "Good Friday", "and the day after");
    is_text(holiday("mon-fri dk", "2026-04-06"), "Easter Monday", "and behind it");
    is_text(holiday("mon-fri dk", "2026-05-14"), "Ascension Day", "forty days behind Easter");
    is_text(holiday("mon-fri dk", "2026-05-25"), "Whit Monday", "and fifty");
    is_text(holiday("mon-fri dk", "2023-05-05"), "Great Prayer Day (store bededag)", "kept to 2023");
    is_text(holiday("mon-fri dk", "2024-04-26"), "none", "and abolished from 2024");
    is_text(holiday("mon-fri dk", "2026-12-25"), "Christmas Day", "at the end of the year");
    is_text(holiday("mon-fri dk", "2026-06-05"), "none", "the fifth of June is none");
    is_text(holiday("mon-fri dk", "2026-12-24"), "none", "nor is Christmas Eve");
    is_text(holiday("mon-fri", "2026-12-25"), "none", "a calendar without a country has none");
    kt_calendar calendar;
    unsigned count = 0;
    kt_calendar_read(KT_STR("DK"), (kt_str){NULL, 0}, &calendar);
    for (kt_day at_day = day("2026-01-01"); at_day <= day("2026-12-31"); at_day++)
        count += kt_calendar_holiday(&calendar, at_day) != NULL;
    is_int(count, 10, "there are ten in 2026");
}

static void weeks(void) {
    kt_calendar calendar;
    kt_calendar_read((kt_str){NULL, 0}, (kt_str){NULL, 0}, &calendar);
    ok(calendar.works[0] && calendar.works[4] && !calendar.works[5] && !calendar.works[6],
       "Monday to Friday unless said");
    ok(calendar.country == KT_COUNTRY_NONE, "and no country");
    kt_calendar_read(KT_STR("sun-thu"), (kt_str){NULL, 0}, &calendar);
    ok(calendar.works[6] && calendar.works[3] && !calendar.works[4] && !calendar.works[5], "Sunday to Thursday");
    kt_calendar_read(KT_STR("mon-sat, closed in July"), KT_STR("Europe/Copenhagen"), &calendar);
    ok(calendar.works[5] && !calendar.works[6], "Monday to Saturday; other words are left alone");
    ok(calendar.country == KT_COUNTRY_DENMARK, "in Copenhagen's time without a country it is Denmark");
}

int main(void) {
    utc();
    copenhagen();
    rules();
    easter();
    danish();
    weeks();
    return done();
}
