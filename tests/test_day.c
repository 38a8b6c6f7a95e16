#include "engine/day.h"

#include <stdio.h>
#include <string.h>

#include "tests/tap.h"

static kt_day day_of(const char *text) {
    kt_day day = KT_DAY_NONE;
    return kt_day_parse(text, strlen(text), &day) ? day : KT_DAY_NONE;
}

static bool refused(const char *text) {
    kt_day day;
    return !kt_day_parse(text, strlen(text), &day);
}

static void known_days(void) {
    is_int(day_of("1970-01-01"), 0, "day 0 is 1970-01-01");
    is_int(day_of("1969-12-31"), -1, "the day before is -1");
    is_int(day_of("2000-02-29"), 11016, "2000 is a leap year");
    is_int(day_of("2026-11-24"), 20781, "a day of today's");
    is_int(day_of("0001-01-01"), KT_DAY_MIN, "the first day kept");
    is_int(day_of("9999-12-31"), KT_DAY_MAX, "the last day kept");
    is_int(kt_day_weekday(0), 3, "1970-01-01 was a Thursday");
    is_int(kt_day_weekday(day_of("2026-11-24")), 1, "2026-11-24 is a Tuesday");
    is_int(kt_day_weekday(KT_DAY_MIN), 0, "0001-01-01 was a Monday");
}

static void impossible_days(void) {
    static const char *const bad[] = {"2023-02-29", "1900-02-29", "2023-00-10",  "2023-13-01", "2023-04-31",
                                      "2023-01-00", "2023-01-32", "0000-01-01",  "2023-1-01",  "2023/01/01",
                                      "23-01-01",   "2023-01-0a", "2023-01-01 ", "",           "+023-01-01",
                                      "2023-01- 1", "-123-01-01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) ok(refused(bad[i]), "\"%s\" is no day", bad[i]);
}

static void every_day_round_trips(void) {
    char text[KT_DAY_TEXT];
    int year = 1, month = 1, dom = 1, y, m, d;
    kt_day wrong = KT_DAY_NONE;
    for (kt_day day = KT_DAY_MIN; day <= KT_DAY_MAX && wrong == KT_DAY_NONE; day++) {
        kt_day back;
        kt_day_to_civil(day, &y, &m, &d);
        if (y != year || m != month || d != dom || !kt_day_from_civil(y, m, d, &back) || back != day ||
            day_of(kt_day_format(day, text)) != day)
            wrong = day;
        /* the calendar by hand: the next day, without division of days */
        static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        if (++dom > lengths[month - 1] + (month == 2 && leap)) {
            dom = 1;
            if (++month > 12) month = 1, year++;
        }
    }
    is_int(wrong, KT_DAY_NONE, "each of the 3,652,059 days goes to civil and to text and comes back");
    is_text(kt_day_format(KT_DAY_NONE, text), "", "no day is no text");
}

static kt_day by_format(const char *text, const char *format) {
    kt_day day = KT_DAY_NONE;
    return kt_day_parse_format(text, strlen(text), format, &day) ? day : KT_DAY_NONE;
}

static void formats(void) {
    kt_day expected = day_of("2025-03-07");
    is_int(by_format("07.03.2025", "%d.%m.%Y"), expected, "%%d.%%m.%%Y");
    is_int(by_format("7.3.2025", "%d.%m.%Y"), expected, "a day and a month of one digit");
    is_int(by_format("3/7/25", "%m/%d/%y"), expected, "%%m/%%d/%%y");
    is_int(by_format("20250307", "%Y%m%d"), expected, "nothing between the fields");
    is_int(by_format("1/1/70", "%d/%m/%y"), 0, "two digits from 70 are of the last century");
    is_int(by_format("1/1/69", "%d/%m/%y"), day_of("2069-01-01"), "and below of this one");
    is_int(by_format("07.03.25", "%d.%m.%Y"), KT_DAY_NONE, "a year of two digits where four are asked for is refused");
    is_int(by_format("29.02.2025", "%d.%m.%Y"), KT_DAY_NONE, "an impossible day is refused");
    is_int(by_format("07.03.2025x", "%d.%m.%Y"), KT_DAY_NONE, "bytes behind the date are refused");
    is_int(by_format("07.03", "%d.%m"), KT_DAY_NONE, "a format without a year gives no day");
    is_int(by_format("2025-03-07", "%Y-%m-%H"), KT_DAY_NONE, "an unknown field is refused");
    is_int(by_format("7 7 2025 3", "%d %d %Y %m"), KT_DAY_NONE, "a field given twice is refused");
    is_int(by_format("", "%d.%m.%Y"), KT_DAY_NONE, "no text is no day");
    is_int(by_format("2025-03-07", "%Y-%m-%d%"), KT_DAY_NONE, "a format that ends in a percent sign is refused");
}

static void months(void) {
    is_int(kt_day_month(0), 0, "month 0 is January 1970");
    is_int(kt_day_month(-1), -1, "December 1969 is -1");
    is_int(kt_month_first(kt_day_month(day_of("2024-02-17"))), day_of("2024-02-01"), "a month's first day");
    is_int(kt_month_last(kt_day_month(day_of("2024-02-17"))), day_of("2024-02-29"), "a leap February's last day");
    is_int(kt_month_first(kt_day_month(KT_DAY_MIN)), KT_DAY_MIN, "the first month begins on the first day");
    is_int(kt_month_last(kt_day_month(KT_DAY_MAX)), KT_DAY_MAX, "the last month ends on the last day");
    is_int(kt_month_first(INT32_MAX), KT_DAY_MAX, "a month beyond the calendar is kept at its end");
    is_int(kt_month_last(INT32_MIN), KT_DAY_MIN, "and one before it at its beginning");
    bool holds = true;
    for (kt_month month = kt_day_month(KT_DAY_MIN); month < kt_day_month(KT_DAY_MAX); month++)
        holds &= kt_month_last(month) + 1 == kt_month_first(month + 1) &&
                 kt_day_month(kt_month_first(month)) == month && kt_day_month(kt_month_last(month)) == month;
    ok(holds, "each month ends the day before the next begins");
}

static void spans(void) {
    kt_day first = 1, last = 1;
    ok(kt_day_parse_span("2024-02", 7, &first, &last) && first == day_of("2024-02-01") && last == day_of("2024-02-29"),
       "a month is its first to its last day");
    ok(kt_day_parse_span("2024", 4, &first, &last) && first == day_of("2024-01-01") && last == day_of("2024-12-31"),
       "a year is its first to its last day");
    ok(kt_day_parse_span("2024-02-03", 10, &first, &last) && first == last && first == day_of("2024-02-03"),
       "a day is itself");
    ok(kt_day_parse_span("9999-12", 7, &first, &last) && last == KT_DAY_MAX, "the calendar's last month");
    ok(!kt_day_parse_span("2024-13", 7, &first, &last), "a thirteenth month is refused");
    ok(!kt_day_parse_span("2024-1", 6, &first, &last), "a month of one digit is refused");
    ok(!kt_day_parse_span("0000", 4, &first, &last), "the year 0 is refused");
    ok(!kt_day_parse_span("", 0, &first, &last), "no text is no span");
}

static int64_t time_of(const char *text) {
    int64_t time = INT64_MIN;
    return kt_time_parse(text, strlen(text), &time) ? time : INT64_MIN;
}

static void times(uint64_t seed) {
    char text[KT_TIME_TEXT];
    is_text(kt_time_format(0, text), "1970-01-01T00:00:00.000000Z", "time 0");
    is_text(kt_time_format(-1, text), "1969-12-31T23:59:59.999999Z", "a microsecond before it");
    is_int(time_of("1970-01-01T00:00:01Z"), 1000000, "a time without a fraction");
    is_int(time_of("1970-01-01T00:00:00.5Z"), 500000, "a fraction of one digit");
    is_int(time_of("1970-01-01T00:00:00.000001Z"), 1, "a fraction of six digits");
    is_int(time_of("1970-01-01"), INT64_C(86400000000) - 1, "a day is its last microsecond");
    static const char *const bad[] = {"1970-01-01T24:00:00Z",
                                      "1970-01-01T00:60:00Z",
                                      "1970-01-01T00:00:60Z",
                                      "1970-01-01T00:00:00",
                                      "1970-01-01T00:00:00.Z",
                                      "1970-01-01T00:00:00.0000001Z",
                                      "1970-01-01 00:00:00Z",
                                      "1970-01-01T0:00:00Z",
                                      "1970-01-01T00:00:00+01:00",
                                      "1970-02-30T00:00:00Z",
                                      "",
                                      "1970-01-01T00:00:00.12x4Z"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        is_int(time_of(bad[i]), INT64_MIN, "\"%s\" is no time", bad[i]);
    is_text(kt_time_format(INT64_MAX, text), "9999-12-31T23:59:59.999999Z", "a time beyond the calendar is its end");
    is_text(kt_time_format(INT64_MIN, text), "0001-01-01T00:00:00.000000Z", "and before it its beginning");
    int64_t wrong = 0;
    for (int i = 0; i < 100000 && !wrong; i++) {
        int64_t span = ((int64_t)KT_DAY_MAX - KT_DAY_MIN + 1) * INT64_C(86400000000);
        int64_t time = (int64_t)(test_random(&seed) % (uint64_t)span) + (int64_t)KT_DAY_MIN * INT64_C(86400000000);
        if (time_of(kt_time_format(time, text)) != time) wrong = time;
    }
    is_int(wrong, 0, "any time goes to text and comes back");
}

int main(void) {
    uint64_t seed = test_seed();
    known_days();
    impossible_days();
    every_day_round_trips();
    formats();
    months();
    spans();
    times(seed);
    return done();
}
