#include "engine/day.h"

#include <string.h>

#define DAYS_PER_ERA 146097 /* 400 years: the calendar repeats */
#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY (INT64_C(86400) * US_PER_SECOND)

/* Years are counted from 1 March, so that the leap day is the last of its year and months need no table.
   With year0 = year - (month <= 2) and month0 = 0 for March, the day of such a year is (153*month0 + 2)/5 + dom - 1. */
static int64_t civil_to_days(int64_t year, int month, int dom) {
    int64_t year0 = year - (month <= 2);
    int64_t era = (year0 >= 0 ? year0 : year0 - 399) / 400;
    int64_t year_of_era = year0 - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + dom - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - 719468; /* from 0000-03-01 to 1970-01-01 */
}

static bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int month_length(int64_t year, int month) {
    static const int8_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : lengths[month - 1];
}

bool kt_day_from_civil(int year, int month, int day, kt_day *out) {
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > month_length(year, month)) return false;
    *out = (kt_day)civil_to_days(year, month, day);
    return true;
}

void kt_day_to_civil(kt_day day, int *year, int *month, int *dom) {
    int64_t days = (int64_t)day + 719468;
    int64_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month0 = (5 * day_of_year + 2) / 153;
    *dom = (int)(day_of_year - (153 * month0 + 2) / 5 + 1);
    *month = (int)(month0 < 10 ? month0 + 3 : month0 - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Reads exactly count digits; -1 where one is none. */
static inline int digits(const char *text, int count) {
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (!is_digit(text[i])) return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

bool kt_day_parse(const char *text, size_t size, kt_day *out) {
    if (size != 10 || text[4] != '-' || text[7] != '-') return false;
    return kt_day_from_civil(digits(text, 4), digits(text + 5, 2), digits(text + 8, 2), out);
}

bool kt_day_parse_format(const char *text, size_t size, const char *format, kt_day *out) {
    int year = -1, month = -1, dom = -1;
    const char *at = text;
    size_t left = size;
    for (const char *f = format; *f; f++) {
        if (*f != '%') {
            if (left == 0 || *at != *f) return false;
            at++, left--;
            continue;
        }
        int *field = NULL;
        size_t least = 1, most = 2;
        switch (*++f) {
        case 'Y': field = &year, least = most = 4; break;
        case 'y': field = &year, least = 2; break;
        case 'm': field = &month; break;
        case 'd': field = &dom; break;
        default: return false;
        }
        size_t count = 0;
        while (count < most && count < left && is_digit(at[count])) count++;
        if (*field != -1 || count < least) return false;
        *field = digits(at, (int)count);
        if (*f == 'y') *field += *field >= 70 ? 1900 : 2000;
        at += count, left -= count;
    }
    return left == 0 && kt_day_from_civil(year, month, dom, out);
}

static void put_digits(char *out, int value, int count) {
    while (count-- > 0) {
        out[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

char *kt_day_format(kt_day day, char buffer[KT_DAY_TEXT]) {
    int year, month, dom;
    if (day < KT_DAY_MIN || day > KT_DAY_MAX) {
        buffer[0] = '\0';
        return buffer;
    }
    kt_day_to_civil(day, &year, &month, &dom);
    memcpy(buffer, "0000-00-00", KT_DAY_TEXT);
    put_digits(buffer, year, 4);
    put_digits(buffer + 5, month, 2);
    put_digits(buffer + 8, dom, 2);
    return buffer;
}

kt_month kt_day_month(kt_day day) {
    int year, month, dom;
    kt_day_to_civil(day, &year, &month, &dom);
    return (year - 1970) * 12 + month - 1;
}

static int64_t month_year(kt_month month, int *of_year) {
    int64_t years = (month >= 0 ? month : (int64_t)month - 11) / 12;
    *of_year = (int)(month - years * 12) + 1;
    return 1970 + years;
}

/* Keeps what lies outside the calendar at its ends, so that "the month after the last" has a first day. */
static kt_day clamp(int64_t day) { return day < KT_DAY_MIN ? KT_DAY_MIN : day > KT_DAY_MAX ? KT_DAY_MAX : (kt_day)day; }

kt_day kt_month_first(kt_month month) {
    int of_year;
    int64_t year = month_year(month, &of_year);
    return clamp(civil_to_days(year, of_year, 1));
}

kt_day kt_month_last(kt_month month) {
    int of_year;
    int64_t year = month_year(month, &of_year);
    return clamp(civil_to_days(year, of_year, month_length(year, of_year)));
}

int kt_day_weekday(kt_day day) {
    int64_t from_monday = ((int64_t)day + 3) % 7; /* 1970-01-01 was a Thursday */
    return (int)(from_monday < 0 ? from_monday + 7 : from_monday);
}

bool kt_day_parse_span(const char *text, size_t size, kt_day *first, kt_day *last) {
    if (size == 10) {
        if (!kt_day_parse(text, size, first)) return false;
        *last = *first;
        return true;
    }
    if (size == 7 && text[4] == '-') {
        if (!kt_day_from_civil(digits(text, 4), digits(text + 5, 2), 1, first)) return false;
        *last = kt_month_last(kt_day_month(*first));
        return true;
    }
    return size == 4 && kt_day_from_civil(digits(text, 4), 1, 1, first) &&
           kt_day_from_civil(digits(text, 4), 12, 31, last);
}

char *kt_time_format(int64_t time_us, char buffer[KT_TIME_TEXT]) {
    int64_t day = time_us / US_PER_DAY, rest = time_us % US_PER_DAY;
    if (rest < 0) day--, rest += US_PER_DAY;
    if (day != clamp(day)) { /* only damaged bytes hold such a time */
        rest = day < 0 ? 0 : US_PER_DAY - 1;
        day = clamp(day);
    }
    int second = (int)(rest / US_PER_SECOND);
    kt_day_format((kt_day)day, buffer);
    memcpy(buffer + 10, "T00:00:00.000000Z", KT_TIME_TEXT - 10);
    put_digits(buffer + 11, second / 3600, 2);
    put_digits(buffer + 14, second / 60 % 60, 2);
    put_digits(buffer + 17, second % 60, 2);
    put_digits(buffer + 20, (int)(rest % US_PER_SECOND), 6);
    return buffer;
}

bool kt_time_parse(const char *text, size_t size, int64_t *out) {
    kt_day day;
    if (size < 10 || !kt_day_parse(text, 10, &day)) return false;
    if (size == 10) {
        *out = ((int64_t)day + 1) * US_PER_DAY - 1;
        return true;
    }
    /* "T17:41:32Z" is 10 more, and a fraction a point and one to six digits */
    if (size < 20 || size == 21 || size > 27 || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
        text[size - 1] != 'Z')
        return false;
    int hour = digits(text + 11, 2), minute = digits(text + 14, 2), second = digits(text + 17, 2), fraction = 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false;
    if (size > 20) {
        int count = (int)size - 21;
        fraction = digits(text + 20, count);
        if (text[19] != '.' || fraction < 0) return false;
        for (; count < 6; count++) fraction *= 10;
    }
    *out = (int64_t)day * US_PER_DAY + (int64_t)(hour * 3600 + minute * 60 + second) * US_PER_SECOND + fraction;
    return true;
}
