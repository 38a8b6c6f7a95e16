#include "engine/audit/report_chart.h"

#include <inttypes.h>
#include <string.h>

#define WIDTH 480
#define LEFT 62
#define RIGHT 472
#define TOP 30
#define BOTTOM 214
#define HEIGHT 264

int kt_chart_place(kt_amount value, kt_amount most, int units) {
    while (most > (kt_amount)1 << 100) {
        most >>= 8;
        value >>= 8;
    }
    if (most <= 0 || value <= 0) return 0;
    kt_amount at = value * units / most;
    return at > units ? units : (int)at;
}

void kt_chart_text(kt_html *html, int x, int y, const char *form) {
    kt_html_rawf(html, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, form);
}

/* A step of 1, 2 or 5 and zeros that divides most into at most `count` parts. */
static uint64_t nice_step(uint64_t most, uint64_t count) {
    static const uint64_t parts[3] = {1, 2, 5};
    for (uint64_t ten = 1;; ten *= 10)
        for (unsigned i = 0; i < 3; i++)
            if (most / (ten * parts[i]) < count || ten > UINT64_MAX / 100) return ten * parts[i];
}

/* ---- the frame of a figure ---- */

static void begin(kt_html *html, const char *id, const char *title, int height) {
    kt_html_rawf(html, "<figure id=\"figure-%s\"><figcaption>%s</figcaption>\n", id, title);
    kt_html_rawf(html,
                 "<svg role=\"img\" viewBox=\"0 0 %d %d\" aria-labelledby=\"%s-title %s-desc\"><title "
                 "id=\"%s-title\">%s</title><desc id=\"%s-desc\">",
                 WIDTH, height, id, id, id, title, id);
}

static void end_desc(kt_html *html) { kt_html_raw(html, "</desc>\n"); }

/* The figures behind a picture; on paper they are open, or left out where they are long. */
static void begin_data(kt_html *html, const char *label, bool on_paper) {
    kt_html_rawf(html, "</svg>\n<details%s><summary>The figures of this picture</summary>\n",
                 on_paper ? "" : " class=\"long\"");
    kt_chart_table(html, label, false);
}

static void end_data(kt_html *html) {
    kt_chart_table_end(html);
    kt_html_raw(html, "</details></figure>\n");
}

void kt_chart_table(kt_html *html, const char *label, bool stacks) {
    kt_html_rawf(html,
                 "<div class=\"scroll\" role=\"group\" tabindex=\"0\" aria-label=\"%s\"><table role=\"table\"%s>\n",
                 label, stacks ? " class=\"stack\"" : "");
}

void kt_chart_table_end(kt_html *html) { kt_html_raw(html, "</table></div>\n"); }

static void label_at(kt_html *html, int x, int y, const char *anchor, const char *words) {
    kt_chart_text(html, x, y, anchor);
    kt_html_words(html, words);
    kt_html_raw(html, "</text>\n");
}

static void grid_line(kt_html *html, int y, bool base) {
    kt_html_rawf(html, "<path class=\"%s\" d=\"M%d %dH%d\"/>\n", base ? "axis" : "grid", LEFT, y, RIGHT);
}

/* ---- entries by month ---- */

#define BARS_MAX 60u

struct bar {
    kt_month first;
    uint64_t entries, lines;
    kt_amount debit;
};

/* So many months a bar that there are at most BARS_MAX of them. */
static kt_month bar_span(kt_month months) {
    static const kt_month spans[] = {1, 3, 12, 60, 120, 600, 1200};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        if (months <= spans[i] * (kt_month)BARS_MAX) return spans[i];
    return 6000;
}

static size_t make_bars(const kt_audit *audit, struct bar bars[BARS_MAX], kt_month *span) {
    size_t count = 0;
    *span = 1;
    if (audit->month_count == 0) return 0;
    kt_month first = audit->months[0].month, last = audit->months[audit->month_count - 1].month;
    *span = bar_span(last - first + 12); /* a year more: the first bar begins with a round month */
    kt_month round = *span == 1 ? first : first - ((first % *span) + *span) % *span;
    for (kt_month at = round; at <= last && count < BARS_MAX; at += *span) bars[count++] = (struct bar){.first = at};
    for (size_t i = 0; i < audit->month_count; i++) {
        size_t at = (size_t)((audit->months[i].month - round) / *span);
        if (at >= count) continue;
        bars[at].entries += audit->months[i].entries;
        bars[at].lines += audit->months[i].lines;
        (void)kt_amount_add(bars[at].debit, audit->months[i].debit, &bars[at].debit); /* the sum of all fits */
    }
    return count;
}

static void bar_name(kt_html *html, const struct bar *bar, kt_month span) {
    kt_html_month(html, bar->first);
    if (span == 1) return;
    kt_html_raw(html, " to ");
    kt_html_month(html, bar->first + span - 1);
}

static void y_axis(kt_html *html, uint64_t most, uint64_t step, uint64_t top) {
    for (uint64_t at = 0; at <= most && at <= top; at += step) {
        int y = BOTTOM - kt_chart_place((kt_amount)at, (kt_amount)top, BOTTOM - TOP);
        grid_line(html, y, at == 0);
        kt_chart_text(html, LEFT - 8, y + 5, "end");
        kt_html_count(html, at);
        kt_html_raw(html, "</text>\n");
    }
}

static void draw_bars(kt_html *html, const struct bar *bars, size_t count, kt_month span, uint64_t top) {
    int room = (RIGHT - LEFT) / (int)count, width = room > 40 ? 34 : room > 4 ? room * 4 / 5 : room;
    size_t every = (count + 6) / 7;
    for (size_t i = 0; i < count; i++) {
        int x = LEFT + (int)i * (RIGHT - LEFT) / (int)count + (room - width) / 2;
        int height = kt_chart_place((kt_amount)bars[i].entries, (kt_amount)top, BOTTOM - TOP);
        if (height == 0 && bars[i].entries != 0) height = 1;
        kt_html_raw(html, "<g><title>");
        bar_name(html, &bars[i], span);
        kt_html_raw(html, ": ");
        kt_html_counted(html, bars[i].entries, "entry", "entries");
        kt_html_rawf(html, "</title><rect class=\"one\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/></g>\n", x,
                     BOTTOM - height, width, height);
        if (i % every != 0) continue;
        kt_chart_text(html, x + width / 2, BOTTOM + 20, "middle");
        kt_html_month(html, bars[i].first);
        kt_html_raw(html, "</text>\n");
    }
}

void kt_chart_months(kt_html *html, const kt_facts *facts) {
    struct bar bars[BARS_MAX];
    kt_month span;
    size_t count = make_bars(facts->audit, bars, &span), most = 0;
    if (count == 0) return;
    for (size_t i = 1; i < count; i++)
        if (bars[i].entries > bars[most].entries) most = i;
    uint64_t step = nice_step(bars[most].entries, 5), top = (bars[most].entries + step - 1) / step * step;
    begin(html, "months", "Entries by the month of their date", HEIGHT);
    kt_html_rawf(html, "%zu bars of %" PRId32 " %s each; the highest is ", count, span, span == 1 ? "month" : "months");
    bar_name(html, &bars[most], span);
    kt_html_raw(html, " with ");
    kt_html_counted(html, bars[most].entries, "entry", "entries");
    end_desc(html);
    y_axis(html, top, step, top);
    draw_bars(html, bars, count, span, top);
    label_at(html, 4, 16, "first", "Entries");
    label_at(html, (LEFT + RIGHT) / 2, HEIGHT - 8, "middle",
             span == 1 ? "Month of the entry's date" : "Months of the entries' dates");
    begin_data(html, "Entries by month", count <= 24);
    kt_html_raw(html,
                "<thead><tr><th scope=\"col\">Month</th><th scope=\"col\" class=\"n\">Entries</th><th scope=\"col\" "
                "class=\"n\">Lines</th><th scope=\"col\" class=\"n\">Debit ");
    kt_html_text(html, facts->company.currency);
    kt_html_raw(html, "</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++) {
        kt_html_raw(html, "<tr><th scope=\"row\">");
        bar_name(html, &bars[i], span);
        kt_html_raw(html, "</th><td class=\"n\">");
        kt_html_count(html, bars[i].entries);
        kt_html_raw(html, "</td><td class=\"n\">");
        kt_html_count(html, bars[i].lines);
        kt_html_raw(html, "</td><td class=\"n\">");
        kt_html_amount(html, bars[i].debit, facts->decimals);
        kt_html_raw(html, "</td></tr>\n");
    }
    kt_html_raw(html, "</tbody>");
    end_data(html);
}

/* ---- entries by weekday and hour ---- */

#define LEVELS 5u
#define CELL 18
#define WEEK_LEFT 46
#define WEEK_TOP 10
#define WEEK_STEP 24
#define WEEK_HEIGHT (WEEK_TOP + 7 * WEEK_STEP + 90)

static const char *const weekdays[7] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

/* The least count of each shade: each three times the one before, so that a few stand out beside many. */
static void shade_bounds(uint64_t most, uint64_t bounds[LEVELS + 1]) {
    uint64_t part = most;
    for (unsigned level = LEVELS; level > 1; level--) {
        part /= 3;
        bounds[level] = part + 1;
    }
    bounds[0] = 0;
    bounds[1] = 1;
}

static unsigned shade_of(uint64_t count, const uint64_t bounds[LEVELS + 1]) {
    unsigned level = 0;
    if (count == 0) return 0;
    for (unsigned i = 1; i <= LEVELS; i++)
        if (count >= bounds[i]) level = i;
    return level;
}

static void draw_week(kt_html *html, const kt_audit *audit, const uint64_t bounds[LEVELS + 1]) {
    for (unsigned day = 0; day < 7; day++) {
        int y = WEEK_TOP + (int)day * WEEK_STEP;
        kt_chart_text(html, WEEK_LEFT - 8, y + 16, "end");
        kt_html_rawf(html, "%.3s</text>\n", weekdays[day]);
        for (unsigned hour = 0; hour < 24; hour++) {
            uint64_t count = audit->week[day][hour];
            kt_html_rawf(html,
                         "<rect class=\"s%u\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"><title>%s %02u:00 to "
                         "%02u:00: %" PRIu64 "</title></rect>\n",
                         shade_of(count, bounds), WEEK_LEFT + (int)hour * CELL, y, CELL - 2, WEEK_STEP - 2,
                         weekdays[day], hour, hour + 1, count);
        }
    }
    for (unsigned hour = 0; hour <= 24; hour += 3) {
        kt_chart_text(html, WEEK_LEFT + (int)hour * CELL - 1, WEEK_TOP + 7 * WEEK_STEP + 16,
                      hour == 24 ? "end" : "middle");
        kt_html_rawf(html, "%02u</text>\n", hour);
    }
}

/* Three in a row, so that long counts have room. */
static void draw_legend(kt_html *html, uint64_t most, const uint64_t bounds[LEVELS + 1]) {
    int place = 0;
    for (unsigned level = 0; level <= LEVELS; level++) {
        uint64_t last = level == 0 ? 0 : level == LEVELS ? most : bounds[level + 1] - 1;
        if (level > 0 && last < bounds[level]) continue;
        int x = WEEK_LEFT + place % 3 * 144, y = WEEK_TOP + 7 * WEEK_STEP + 50 + place / 3 * 22;
        kt_html_rawf(html, "<rect class=\"s%u\" x=\"%d\" y=\"%d\" width=\"16\" height=\"14\"/>\n", level, x, y);
        kt_chart_text(html, x + 22, y + 12, "first");
        kt_html_count(html, level == 0 ? 0 : bounds[level]);
        if (last > bounds[level] || level == 0) kt_html_raw(html, level == 0 ? " entries" : " to ");
        if (last > bounds[level]) kt_html_count(html, last);
        kt_html_raw(html, "</text>\n");
        place++;
    }
}

static void week_table(kt_html *html, const kt_audit *audit) {
    begin_data(html, "Entries by weekday and hour", false);
    kt_html_raw(html, "<thead><tr><th scope=\"col\">Hour</th>");
    for (unsigned day = 0; day < 7; day++) kt_html_rawf(html, "<th scope=\"col\" class=\"n\">%.3s</th>", weekdays[day]);
    kt_html_raw(html, "<th scope=\"col\" class=\"n\">All</th></tr></thead><tbody>\n");
    for (unsigned hour = 0; hour < 24; hour++) {
        kt_html_rawf(html, "<tr><th scope=\"row\">%02u:00</th>", hour);
        for (unsigned day = 0; day < 8; day++) {
            kt_html_raw(html, "<td class=\"n\">");
            kt_html_count(html, day < 7 ? audit->week[day][hour] : audit->hours[hour]);
            kt_html_raw(html, "</td>");
        }
        kt_html_raw(html, "</tr>\n");
    }
    kt_html_raw(html, "</tbody><tfoot><tr><th scope=\"row\">All</th>");
    for (unsigned day = 0; day < 7; day++) {
        kt_html_raw(html, "<td class=\"n\">");
        kt_html_count(html, audit->recorded_days[day]);
        kt_html_raw(html, "</td>");
    }
    kt_html_raw(html, "<td class=\"n\">");
    kt_html_count(html, audit->population.entries);
    kt_html_raw(html, "</td></tr></tfoot>");
    end_data(html);
}

void kt_chart_week(kt_html *html, const kt_facts *facts) {
    const kt_audit *audit = facts->audit;
    uint64_t most = 0, bounds[LEVELS + 1];
    unsigned at = 0;
    for (unsigned i = 0; i < 7 * 24; i++)
        if (audit->week[i / 24][i % 24] > most) {
            most = audit->week[i / 24][i % 24];
            at = i;
        }
    if (most == 0) return;
    shade_bounds(most, bounds);
    begin(html, "week", "Entries by the weekday and hour they were recorded in", WEEK_HEIGHT);
    kt_html_rawf(html,
                 "A field for each hour of the week, darker for more entries; most, %" PRIu64
                 ", were recorded on %ss from "
                 "%02u:00 to %02u:00. Time zone: ",
                 most, weekdays[at / 24], at % 24, at % 24 + 1);
    kt_html_text(html, audit->time_zone);
    end_desc(html);
    draw_week(html, audit, bounds);
    kt_chart_text(html, (WEEK_LEFT + WIDTH) / 2, WEEK_TOP + 7 * WEEK_STEP + 36, "middle");
    kt_html_raw(html, "Hour recorded, ");
    kt_html_cut(html, audit->time_zone, 40);
    kt_html_raw(html, "</text>\n");
    draw_legend(html, most, bounds);
    week_table(html, audit);
}
