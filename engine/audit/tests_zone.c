#include "engine/audit/tests_zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/bytes.h"

#define DAY_SECONDS 86400
#define FILE_MAX (256u * 1024u)
#define HEAD_SIZE 44u

/* "Mm.w.d/time": the w-th weekday d (5: the last) of month m. */
struct change {
    uint8_t month, week, weekday;
    int32_t time;
};

struct kt_zone {
    char name[KT_NAME_MAX + 1];
    bool known;
    size_t count;
    int64_t *times;            /* when an offset begins */
    int32_t *offsets;          /* count + 1: the first holds before the first time */
    bool has_rule, has_summer; /* the footer's, behind the last time */
    int32_t standard, summer;
    struct change begins, ends; /* of summer time */
};

/* ---- the footer: a POSIX TZ string ---- */

struct text {
    const char *at, *end;
};

static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool skip_name(struct text *text) {
    const char *start = text->at;
    if (text->at < text->end && *text->at == '<') {
        while (text->at < text->end && *text->at != '>') text->at++;
        return text->at < text->end && text->at++ != start + 1;
    }
    while (text->at < text->end && is_letter(*text->at)) text->at++;
    return text->at - start >= 3;
}

static bool take_number(struct text *text, int32_t most, int32_t *out) {
    const char *start = text->at;
    *out = 0;
    while (text->at < text->end && is_digit(*text->at) && text->at - start < 3) *out = *out * 10 + (*text->at++ - '0');
    return text->at != start && *out <= most;
}

static bool skip_char(struct text *text, char c) {
    bool there = text->at < text->end && *text->at == c;
    text->at += there;
    return there;
}

/* [+-]hh[:mm[:ss]], in seconds. */
static bool take_time(struct text *text, int32_t *out) {
    int32_t hours, minutes = 0, seconds = 0, sign = 1;
    if (skip_char(text, '-')) sign = -1;
    else (void)skip_char(text, '+');
    if (!take_number(text, 167, &hours)) return false;
    if (skip_char(text, ':') && !take_number(text, 59, &minutes)) return false;
    if (skip_char(text, ':') && !take_number(text, 59, &seconds)) return false;
    *out = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool take_change(struct text *text, struct change *out) {
    int32_t month, week, weekday;
    out->time = 2 * 3600;
    if (!skip_char(text, ',') || !skip_char(text, 'M') || !take_number(text, 12, &month) || !skip_char(text, '.') ||
        !take_number(text, 5, &week) || !skip_char(text, '.') || !take_number(text, 6, &weekday) || month == 0 ||
        week == 0)
        return false;
    out->month = (uint8_t)month;
    out->week = (uint8_t)week;
    out->weekday = (uint8_t)weekday;
    return !skip_char(text, '/') || take_time(text, &out->time);
}

/* Rules by the day of the year (Jn) are of a few zones without summer time worth the name: those keep the last offset. */
static bool read_rule(struct kt_zone *zone, struct text text) {
    int32_t west;
    if (!skip_name(&text) || !take_time(&text, &west)) return false;
    zone->standard = zone->summer = -west;
    zone->has_summer = text.at != text.end;
    if (!zone->has_summer) return true;
    if (!skip_name(&text)) return false;
    zone->summer = zone->standard + 3600;
    if (text.at < text.end && *text.at != ',') {
        if (!take_time(&text, &west)) return false;
        zone->summer = -west;
    }
    return take_change(&text, &zone->begins) && take_change(&text, &zone->ends) && text.at == text.end;
}

/* ---- the file ---- */

/* Counts of a header, in the order of the file. */
struct counts {
    uint64_t utc, standard, leap, times, types, letters;
};

static bool read_head(const uint8_t *data, size_t size, struct counts *out) {
    if (size < HEAD_SIZE || memcmp(data, "TZif", 4) != 0) return false;
    *out = (struct counts){kt_get_be32(data + 20), kt_get_be32(data + 24), kt_get_be32(data + 28),
                           kt_get_be32(data + 32), kt_get_be32(data + 36), kt_get_be32(data + 40)};
    return out->types >= 1 && out->types <= 256 && out->times <= FILE_MAX && out->letters <= FILE_MAX &&
           out->leap <= FILE_MAX && out->utc <= 256 && out->standard <= 256;
}

static size_t block_size(const struct counts *counts, unsigned width) {
    return (size_t)(counts->times * (width + 1) + counts->types * 6 + counts->letters + counts->leap * (width + 4) +
                    counts->standard + counts->utc);
}

static bool read_block(struct kt_zone *zone, const uint8_t *data, const struct counts *counts) {
    const uint8_t *kinds = data + counts->times * 8, *types = kinds + counts->times;
    zone->count = (size_t)counts->times;
    zone->times = malloc((zone->count + 1) * sizeof *zone->times);
    zone->offsets = malloc((zone->count + 1) * sizeof *zone->offsets);
    if (zone->times == NULL || zone->offsets == NULL) return false;
    zone->offsets[0] = (int32_t)kt_get_be32(types);
    for (size_t i = 0; i < zone->count; i++) {
        zone->times[i] = (int64_t)kt_get_be64(data + i * 8);
        if (kinds[i] >= counts->types || (i > 0 && zone->times[i] <= zone->times[i - 1])) return false;
        zone->offsets[i + 1] = (int32_t)kt_get_be32(types + (size_t)kinds[i] * 6);
    }
    for (size_t i = 0; i <= zone->count; i++)
        if (zone->offsets[i] < -26 * 3600 || zone->offsets[i] > 26 * 3600) return false;
    return true;
}

static bool read_file(struct kt_zone *zone, const uint8_t *data, size_t size) {
    struct counts counts;
    if (!read_head(data, size, &counts) || data[4] < '2') return false;
    size_t at = HEAD_SIZE + block_size(&counts, 4);
    if (at > size || !read_head(data + at, size - at, &counts)) return false;
    at += HEAD_SIZE;
    size_t block = block_size(&counts, 8);
    if (block > size - at || !read_block(zone, data + at, &counts)) return false;
    at += block;
    if (size - at < 2 || data[at] != '\n' || data[size - 1] != '\n') return true;
    zone->has_rule = size - at > 2 &&
                     read_rule(zone, (struct text){(const char *)data + at + 1, (const char *)data + size - 1});
    return true;
}

/* A name from the book: no way out of the directory. */
static bool is_name(kt_str name) {
    if (name.size == 0 || name.size > KT_NAME_MAX || name.data[0] == '/' || name.data[0] == '.') return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!is_letter(c) && !is_digit(c) && c != '/' && c != '_' && c != '-' && c != '+') return false;
    }
    return true;
}

static size_t read_bytes(const char *path, uint8_t *data, size_t room) {
    size_t used = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    while (used < room) {
        ssize_t got = read(file, data + used, room - used);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        used += (size_t)got;
    }
    (void)close(file);
    return used < room ? used : 0;
}

static void forget(kt_zone *zone) {
    free(zone->times);
    free(zone->offsets);
    *zone = (kt_zone){.name = "UTC"};
}

kt_code kt_zone_open(const char *directory, kt_str name, kt_zone **out, kt_error *error) {
    char path[2 * KT_NAME_MAX + 64];
    uint8_t *data = malloc(FILE_MAX);
    kt_zone *zone = *out = calloc(1, sizeof *zone);
    if (data == NULL || zone == NULL) {
        free(data);
        free(zone);
        *out = NULL;
        return kt_fail(error, KT_MEMORY, "out of memory for a time zone");
    }
    memcpy(zone->name, "UTC", 4);
    bool utc = name.size == 0 || kt_str_equal(name, KT_STR("UTC"));
    zone->known = utc;
    if (!utc && is_name(name)) {
        int length = snprintf(path, sizeof path, "%s/%.*s", directory == NULL ? "/usr/share/zoneinfo" : directory,
                              (int)name.size, name.data);
        size_t size = length < 0 || (size_t)length >= sizeof path ? 0 : read_bytes(path, data, FILE_MAX);
        if (size != 0 && read_file(zone, data, size)) {
            memcpy(zone->name, name.data, name.size);
            zone->name[name.size] = 0;
            zone->known = true;
        } else forget(zone);
    }
    free(data);
    return KT_OK;
}

void kt_zone_close(kt_zone *zone) {
    if (zone == NULL) return;
    free(zone->times);
    free(zone->offsets);
    free(zone);
}

bool kt_zone_known(const kt_zone *zone) { return zone->known; }
const char *kt_zone_name(const kt_zone *zone) { return zone->name; }

/* ---- asking ---- */

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* Seconds since 1970, by the clock that goes `offset` before UTC, at which a change comes in a year. */
static int64_t change_time(const struct change *change, int year, int32_t offset) {
    kt_day first = 0;
    (void)kt_day_from_civil(year, change->month, 1, &first);
    kt_day last = kt_month_last(kt_day_month(first));
    int sunday_first = (kt_day_weekday(first) + 1) % 7; /* 0 Sunday, as the rule counts */
    kt_day day = first + (change->weekday - sunday_first + 7) % 7 + 7 * (change->week - 1);
    while (day > last) day -= 7;
    return (int64_t)day * DAY_SECONDS + change->time - offset;
}

static int32_t by_rule(const kt_zone *zone, int64_t seconds) {
    int year, month, dom;
    int64_t day = floor_div(seconds + zone->standard, DAY_SECONDS);
    if (!zone->has_summer || day < KT_DAY_MIN || day > KT_DAY_MAX) return zone->standard;
    kt_day_to_civil((kt_day)day, &year, &month, &dom);
    int64_t begins = change_time(&zone->begins, year, zone->standard),
            ends = change_time(&zone->ends, year, zone->summer);
    bool summer = begins < ends ? seconds >= begins && seconds < ends : seconds >= begins || seconds < ends;
    return summer ? zone->summer : zone->standard;
}

int32_t kt_zone_offset(const kt_zone *zone, int64_t seconds) {
    if (zone->times == NULL) return 0;
    if (zone->has_rule && (zone->count == 0 || seconds >= zone->times[zone->count - 1])) return by_rule(zone, seconds);
    size_t low = 0, high = zone->count; /* offsets[low] holds: times[low - 1] <= seconds < times[low] */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (zone->times[middle] <= seconds) low = middle + 1;
        else high = middle;
    }
    return zone->offsets[low];
}

void kt_zone_local(const kt_zone *zone, int64_t time_us, kt_day *day, uint32_t *minute) {
    int64_t seconds = floor_div(time_us, 1000000);
    seconds += kt_zone_offset(zone, seconds);
    int64_t days = floor_div(seconds, DAY_SECONDS);
    *minute = (uint32_t)((seconds - days * DAY_SECONDS) / 60);
    *day = days < KT_DAY_MIN ? KT_DAY_MIN : days > KT_DAY_MAX ? KT_DAY_MAX : (kt_day)days;
}
