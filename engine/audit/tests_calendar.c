#include "engine/audit/tests_calendar.h"

#include <string.h>

static const char weekdays[7][4] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool is_word(const char *at, size_t size, const char *word) {
    size_t i = 0;
    while (i < size && word[i] != 0 && lower(at[i]) == word[i]) i++;
    return i == size && word[i] == 0;
}

static int weekday_of(const char *at, size_t size) {
    for (int i = 0; i < 7; i++)
        if (is_word(at, size, weekdays[i])) return i;
    return -1;
}

static void read_word(const char *at, size_t size, kt_calendar *out) {
    if (is_word(at, size, "dk")) out->country = KT_COUNTRY_DENMARK;
    if (size != 7 || at[3] != '-') return;
    int first = weekday_of(at, 3), last = weekday_of(at + 4, 3);
    if (first < 0 || last < 0) return;
    memset(out->works, 0, sizeof out->works);
    for (int day = first;; day = (day + 1) % 7) {
        out->works[day] = true;
        if (day == last) break;
    }
}

void kt_calendar_read(kt_str words, kt_str time_zone, kt_calendar *out) {
    *out = (kt_calendar){.works = {true, true, true, true, true, false, false}};
    for (size_t at = 0, end; at < words.size; at = end + 1) {
        for (end = at; end < words.size && words.data[end] != ' ' && words.data[end] != ','; end++) continue;
        read_word(words.data + at, end - at, out);
    }
    if (out->country == KT_COUNTRY_NONE && kt_str_equal(time_zone, KT_STR("Europe/Copenhagen")))
        out->country = KT_COUNTRY_DENMARK;
}

const char *kt_country_code(kt_country country) { return country == KT_COUNTRY_DENMARK ? "dk" : ""; }

kt_day kt_easter(int year) {
    int a = year % 19, b = year / 100, c = year % 100, d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3;
    int h = (19 * a + b - d - g + 15) % 30, i = c / 4, k = c % 4, l = (32 + 2 * e + 2 * i - h - k) % 7;
    int m = (a + 11 * h + 22 * l) / 451, sum = h + l - 7 * m + 114;
    kt_day out = KT_DAY_NONE;
    (void)kt_day_from_civil(year, sum / 31, sum % 31 + 1, &out);
    return out;
}

static const char *danish(kt_day day, int year, int month, int dom) {
    static const struct {
        int month, dom;
        const char *name;
    } fixed[] = {{1, 1, "New Year's Day"}, {12, 25, "Christmas Day"}, {12, 26, "Second Day of Christmas"}};
    static const struct {
        int behind; /* days behind Easter Sunday */
        int until;  /* last year; 0: still */
        const char *name;
    } moving[] = {{-3, 0, "Maundy Thursday"},
                  {-2, 0, "Good Friday"},
                  {0, 0, "Easter Sunday"},
                  {1, 0, "Easter Monday"},
                  {26, 2023, "Great Prayer Day (store bededag)"},
                  {39, 0, "Ascension Day"},
                  {49, 0, "Whit Sunday"},
                  {50, 0, "Whit Monday"}};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (fixed[i].month == month && fixed[i].dom == dom) return fixed[i].name;
    if (month < 3 || month > 6 || year < 1583) return NULL;
    int behind = day - kt_easter(year);
    for (size_t i = 0; i < sizeof moving / sizeof *moving; i++)
        if (moving[i].behind == behind && (moving[i].until == 0 || year <= moving[i].until)) return moving[i].name;
    return NULL;
}

const char *kt_calendar_holiday(const kt_calendar *calendar, kt_day day) {
    int year, month, dom;
    if (calendar->country != KT_COUNTRY_DENMARK || day < KT_DAY_MIN || day > KT_DAY_MAX) return NULL;
    kt_day_to_civil(day, &year, &month, &dom);
    return danish(day, year, month, dom);
}
