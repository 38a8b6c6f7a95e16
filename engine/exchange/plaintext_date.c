#include "engine/exchange/plaintext_date.h"

typedef struct part {
    int value;
    size_t digits;
} part;

static size_t split(kt_str text, part parts[3]) {
    size_t count = 0, at = 0;
    for (;;) {
        if (count == 3) return 0;
        part now = {0, 0};
        while (at < text.size && kt_plaintext_text_is_digit(text.data[at]) && now.digits < 5) {
            now.value = now.value * 10 + (text.data[at++] - '0');
            now.digits++;
        }
        if (now.digits == 0) return 0;
        parts[count++] = now;
        if (at == text.size) return count;
        char separator = text.data[at++];
        if (separator != '-' && separator != '/' && separator != '.') return 0;
    }
}

static kt_code refuse(kt_plaintext *p, kt_str text, const char *expected, kt_error *error) {
    return KT_PLAIN_REFUSE(p, error, KT_INVALID, "not a date: %.*s; expected %s", KT_PLAIN_SHOWN(text), expected);
}

kt_code kt_plaintext_date_read(kt_plaintext *p, kt_str text, kt_day *out, kt_error *error) {
    part parts[3];
    size_t count = split(text, parts);
    int year, month, day;
    if (count == 3 && parts[0].digits == 4 && parts[1].digits <= 2 && parts[2].digits <= 2) {
        year = parts[0].value;
        month = parts[1].value;
        day = parts[2].value;
    } else if (count == 2 && parts[0].digits == 4 && parts[1].digits <= 2) {
        year = parts[0].value;
        month = parts[1].value;
        day = 1;
    } else if (count == 2 && parts[0].digits <= 2 && parts[1].digits <= 2) {
        if (p->year == 0) return refuse(p, text, "a year, or a directive Y or year before it", error);
        year = p->year;
        month = parts[0].value;
        day = parts[1].value;
    } else {
        return refuse(p, text, "YYYY-MM-DD", error);
    }
    if (!kt_day_from_civil(year, month, day, out)) return refuse(p, text, "a date that exists", error);
    return KT_OK;
}

int kt_plaintext_date_year(kt_str text) {
    part parts[3];
    return split(text, parts) == 1 && parts[0].digits == 4 ? parts[0].value : 0;
}
