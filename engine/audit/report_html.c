#include "engine/audit/report_html.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "storage/note.h"

void kt_html_init(kt_html *html, kt_export_write write, void *context) {
    html->write = write;
    html->context = context;
    html->used = 0;
    html->failure = (kt_error){0};
}

static void flush(kt_html *html) {
    if (html->used > 0 && html->failure.code == KT_OK) {
        kt_code code = html->write(html->context, html->buffer, html->used, &html->failure);
        html->failure.code = code; /* also of a taker that says no more than that */
    }
    html->used = 0;
}

kt_code kt_html_finish(kt_html *html, kt_error *error) {
    flush(html);
    if (html->failure.code != KT_OK && error != NULL) *error = html->failure;
    return html->failure.code;
}

static void put(kt_html *html, const char *data, size_t size) {
    while (size > 0) {
        if (html->used == KT_HTML_ROOM) flush(html);
        size_t part = KT_HTML_ROOM - html->used < size ? KT_HTML_ROOM - html->used : size;
        memcpy(html->buffer + html->used, data, part);
        html->used += part;
        data += part;
        size -= part;
    }
}

void kt_html_raw(kt_html *html, const char *markup) { put(html, markup, strlen(markup)); }

void kt_html_rawf(kt_html *html, const char *format, ...) {
    char text[1000];
    va_list values;
    va_start(values, format);
    int size = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (size > 0 && (size_t)size < sizeof text) put(html, text, (size_t)size);
    else kt_fail(&html->failure, KT_LIMIT, "a piece of the page's own markup is too long");
}

/* ---- text ---- */

/* The character at `at`, and its size in bytes; size 1 and U+FFFD where it is none. Shortest forms alone (RFC 3629). */
static uint32_t character(const uint8_t *at, size_t left, size_t *size) {
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t first = at[0], value;
    size_t count = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;
    *size = 1;
    if (count == 1) return first;
    if (first < 0xc2 || first > 0xf4 || count > left) return 0xfffd;
    value = first & (0x7fu >> count);
    for (size_t i = 1; i < count; i++) {
        if ((at[i] & 0xc0u) != 0x80u) return 0xfffd;
        value = value << 6 | (at[i] & 0x3fu);
    }
    if (value < least[count] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return 0xfffd;
    *size = count;
    return value;
}

static bool is_turning(uint32_t c) {
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x061c;
}

static bool is_unfit(uint32_t c) {
    return (c >= 0x80 && c < 0xa0) || c == 0x2028 || c == 0x2029 || (c >= 0xfdd0 && c <= 0xfdef) ||
           (c & 0xfffe) == 0xfffe || c == 0xfeff || is_turning(c);
}

static void put_character(kt_html *html, uint32_t c, const uint8_t *bytes, size_t size) {
    char picture[4] = {(char)0xe2, (char)0x90, (char)(0x80u + (c & 0x3fu)), 0};
    switch (c) {
    case '&': kt_html_raw(html, "&amp;"); return;
    case '<': kt_html_raw(html, "&lt;"); return;
    case '>': kt_html_raw(html, "&gt;"); return;
    case '"': kt_html_raw(html, "&quot;"); return;
    case '\'': kt_html_raw(html, "&#39;"); return;
    case 0x7f: kt_html_raw(html, "\xe2\x90\xa1"); return;
    case 0xfffd: kt_html_raw(html, "\xef\xbf\xbd"); return;
    default: break;
    }
    if (c < 0x20) kt_html_raw(html, picture);
    else if (is_unfit(c)) kt_html_raw(html, "\xef\xbf\xbd");
    else put(html, (const char *)bytes, size);
}

void kt_html_text(kt_html *html, kt_str text) {
    const uint8_t *at = (const uint8_t *)text.data;
    for (size_t i = 0, size; i < text.size; i += size) {
        uint32_t c = character(at + i, text.size - i, &size);
        put_character(html, c, at + i, size);
    }
}

void kt_html_words(kt_html *html, const char *text) { kt_html_text(html, kt_str_from(text)); }

void kt_html_cut(kt_html *html, kt_str text, size_t most) {
    if (text.size <= most) {
        kt_html_text(html, text);
        return;
    }
    size_t size = most;
    while (size > 0 && ((uint8_t)text.data[size] & 0xc0u) == 0x80u) size--; /* no half letter */
    kt_html_text(html, (kt_str){text.data, size});
    kt_html_raw(html, "\xe2\x80\xa6");
}

void kt_html_name(kt_html *html, kt_str text) {
    kt_html_raw(html, "<bdi>");
    kt_html_text(html, text);
    kt_html_raw(html, "</bdi>");
}

/* ---- numbers ---- */

void kt_html_count(kt_html *html, uint64_t count) {
    char text[KT_AMOUNT_TEXT];
    put(html, text, kt_amount_format((kt_amount)count, 0, ',', text));
}

void kt_html_counted(kt_html *html, uint64_t count, const char *one, const char *many) {
    kt_html_count(html, count);
    kt_html_raw(html, " ");
    kt_html_words(html, count == 1 ? one : many);
}

void kt_html_number(kt_html *html, uint64_t number) { kt_html_rawf(html, "%" PRIu64, number); }

void kt_html_amount(kt_html *html, kt_amount amount, uint8_t decimals) {
    /* The bracket hangs behind the column, so that digits stand below digits. */
    if (amount < 0) kt_html_raw(html, "<span class=\"neg\">");
    kt_html_plain_amount(html, amount, decimals);
    if (amount < 0) kt_html_raw(html, "</span>");
}

void kt_html_plain_amount(kt_html *html, kt_amount amount, uint8_t decimals) {
    char text[KT_AMOUNT_TEXT];
    size_t size = kt_amount_format(amount, decimals, ',', text), sign = amount < 0;
    if (sign) kt_html_raw(html, "(");
    put(html, text + sign, size - sign);
    if (sign) kt_html_raw(html, ")");
}

void kt_html_share(kt_html *html, int64_t billionths, unsigned decimals) {
    char text[KT_AMOUNT_TEXT];
    kt_amount kept;
    if (!kt_amount_rescale(billionths, 9, (uint8_t)decimals, KT_ROUND_HALF_EVEN, &kept)) return;
    put(html, text, kt_amount_format(kept, (uint8_t)decimals, ',', text));
}

/* ---- days and times ---- */

void kt_html_day(kt_html *html, kt_day day) {
    char text[KT_DAY_TEXT];
    if (day != KT_DAY_NONE) kt_html_raw(html, kt_day_format(day, text));
}

void kt_html_month(kt_html *html, kt_month month) {
    char text[KT_DAY_TEXT];
    kt_html_rawf(html, "%.7s", kt_day_format(kt_month_first(month), text));
}

void kt_html_local(kt_html *html, const kt_zone *zone, int64_t time_us) {
    kt_day day;
    uint32_t minute;
    if (time_us == 0) return;
    kt_zone_local(zone, time_us, &day, &minute);
    kt_html_day(html, day);
    kt_html_rawf(html, " %02" PRIu32 ":%02" PRIu32, minute / 60 % 24, minute % 60);
}

void kt_html_time(kt_html *html, int64_t time_us) {
    char text[KT_TIME_TEXT];
    kt_time_format(time_us, text);
    kt_html_rawf(html, "%.10s %.8s", text, text + 11);
}

void kt_html_hex(kt_html *html, const uint8_t *bytes, size_t size) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        char pair[3] = {digits[bytes[i] >> 4], digits[bytes[i] & 15u], 0};
        kt_html_raw(html, pair);
    }
}

void kt_html_base64(kt_html *html, const uint8_t *bytes, size_t size) {
    char text[180];
    if (size > 128) return;
    (void)kt_base64_encode(bytes, size, text);
    kt_html_raw(html, text);
}

/* ---- cells ---- */

void kt_html_cell(kt_html *html, const char *form, const char *label) {
    kt_html_rawf(html, "<td role=\"cell\" class=\"%s\" data-l=\"%s\">", form, label);
}

void kt_html_cell_end(kt_html *html) { kt_html_raw(html, "</td>"); }
