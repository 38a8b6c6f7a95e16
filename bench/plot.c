/*
 * plot: draws figures against the size of the book as an SVG, from the JSON lines that scale wrote.
 *
 *     plot [--figure KEY] [--title TEXT] [--out FILE] FILE...
 *
 * Each file, and each number of accounts in it, is a line of its own; a file may hold several runs, one after the other. KEY is
 * a whole number of scale's lines: entries_per_s (as it is), balance_us, statement_us, open_us, single_us ...
 * The scale of sizes is logarithmic, the other one linear from zero. Whole numbers throughout: positions are tenths of a
 * pixel, logarithms 16 bits behind the point.
 */
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/lib/tool.h"

#define SERIES_MAX 8 /* colours that people tell apart, and room in the legend */
#define POINTS_MAX 256
#define VALUE_MAX 1000000000000000ll /* times a height in tenths of a pixel it is a 64-bit number */

/* Tenths of a pixel. */
enum { WIDTH = 9600, HEIGHT = 5400, LEFT = 1150, RIGHT = 9300, TOP = 1100, BOTTOM = 4600, LEGEND = 780 };

struct point {
    int64_t x, y;
};

struct series {
    char label[96];
    const char *file;
    int64_t accounts;
    struct point points[POINTS_MAX];
    size_t count;
};

struct chart {
    const char *figure, *title, *unit;
    struct series series[SERIES_MAX];
    size_t count;
    int64_t x_low, x_high, y_high, y_step;
};

static const struct {
    const char *key, *title, *unit;
} known[] = {
    {"entries_per_s", "Posting rate against the size of the book", "entries a second, durable, all checks"},
    {"balance_us", "A trial balance against the size of the book", "microseconds"},
    {"balance_day_us", "A trial balance on a day within a month", "microseconds"},
    {"statement_us", "One account, one month, against the size of the book", "microseconds"},
    {"open_us", "Opening a book against its size", "microseconds"},
    {"single_us", "A commit of one entry against the size of the book", "microseconds"},
    {"batch_median_us", "A batch's way to the disk against the size of the book", "microseconds, median"},
    {"anonymous_bytes", "Memory against the size of the book", "bytes, anonymous, at its peak"},
};

/* ---- reading ---- */

static _Noreturn void refuse(const char *file, const char *what) {
    fprintf(stderr, "plot: %s: %s\n", file, what);
    exit(1);
}

/* A name may be any bytes; an SVG may not. */
static void make_drawable(char *text) {
    json_t *valid = json_string(text);
    for (char *at = text; valid == NULL && *at != 0; at++)
        if ((unsigned char)*at >= 0x80) *at = '?';
    json_decref(valid);
}

/* A file's name without its folders and without its ending. */
static void name_series(struct series *series) {
    const char *slash = strrchr(series->file, '/'), *name = slash == NULL ? series->file : slash + 1;
    const char *dot = strrchr(name, '.');
    int length = dot == NULL || dot == name ? (int)strlen(name) : (int)(dot - name);
    char accounts[32];
    snprintf(series->label, sizeof series->label, "%.*s: %s accounts", length > 40 ? 40 : length, name,
             bench_show(series->accounts, 0, accounts, sizeof accounts));
    make_drawable(series->label);
}

/* The series of a file and a number of accounts; a size at or below the last one begins a new run. */
static struct series *series_of(struct chart *chart, const char *file, int64_t accounts, int64_t x) {
    for (size_t i = chart->count; i > 0; i--) {
        struct series *one = &chart->series[i - 1];
        if (strcmp(one->file, file) == 0 && one->accounts == accounts && one->points[one->count - 1].x < x) return one;
    }
    if (chart->count == SERIES_MAX) refuse(file, "more lines than 8: draw fewer files");
    struct series *one = &chart->series[chart->count++];
    one->file = file;
    one->accounts = accounts;
    name_series(one);
    return one;
}

/* Lines without the figure (such as the one of verification) are passed over. */
static void read_line(struct chart *chart, const char *file, const json_t *line) {
    const json_t *x = json_object_get(line, "entries"), *y = json_object_get(line, chart->figure);
    if (!json_is_object(line)) refuse(file, "expected an object on each line");
    if (x == NULL || y == NULL) return;
    if (!json_is_integer(x) || json_integer_value(x) < 1 || json_integer_value(x) > VALUE_MAX)
        refuse(file, "\"entries\": expected a whole number above 0");
    if (!json_is_integer(y) || json_integer_value(y) < 0 || json_integer_value(y) > VALUE_MAX) {
        fprintf(stderr, "plot: %s: \"%s\": expected a whole number\n", file, chart->figure);
        exit(1);
    }
    struct series *one = series_of(chart, file, json_integer_value(json_object_get(line, "accounts")),
                                   json_integer_value(x));
    if (one->count == POINTS_MAX) refuse(file, "more points than 256");
    one->points[one->count++] = (struct point){json_integer_value(x), json_integer_value(y)};
}

static void read_file(struct chart *chart, const char *file) {
    FILE *in = fopen(file, "r");
    size_t before = chart->count;
    if (in == NULL) refuse(file, strerror(errno));
    char *text = NULL;
    size_t room = 0;
    ssize_t size;
    for (unsigned number = 1; (size = getline(&text, &room, in)) > 0; number++) {
        json_error_t why;
        if (strspn(text, " \t\r\n") == (size_t)size) continue;
        json_t *line = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, &why);
        if (line == NULL) {
            fprintf(stderr, "plot: %s:%u: %s: expected a JSON object a line\n", file, number, why.text);
            exit(1);
        }
        read_line(chart, file, line);
        json_decref(line);
    }
    if (ferror(in)) refuse(file, strerror(errno));
    free(text);
    fclose(in);
    if (chart->count > before) return;
    fprintf(stderr, "plot: %s: nothing to draw: no line with \"entries\" and \"%s\"\n", file, chart->figure);
    exit(1);
}

/* ---- scales ---- */

/* The binary logarithm of v >= 1, 16 bits behind the point: squaring the mantissa gives the next bit. */
static int64_t log2_of(int64_t v) {
    int whole = 63 - __builtin_clzll((unsigned long long)v);
    uint64_t mantissa = whole > 31 ? (uint64_t)v >> (whole - 31) : (uint64_t)v << (31 - whole);
    int64_t log = whole;
    for (int i = 0; i < 16; i++) {
        mantissa = mantissa * mantissa >> 31;
        log *= 2;
        if (mantissa >> 32 == 0) continue;
        mantissa >>= 1;
        log++;
    }
    return log;
}

/* The greatest of 1, 2, 5, 10, 20 ... that is not above v. */
static int64_t step_below(int64_t v) {
    int64_t ten = 1;
    while (ten <= v / 10) ten *= 10;
    return v >= ten * 5 ? ten * 5 : v >= ten * 2 ? ten * 2 : ten;
}

static int64_t step_after(int64_t step) {
    int64_t ten = 1;
    while (ten * 10 <= step) ten *= 10;
    return step == ten * 2 ? ten * 5 : step * 2;
}

static void set_scales(struct chart *chart) {
    int64_t low = INT64_MAX, high = 0, most = 1;
    for (size_t i = 0; i < chart->count; i++)
        for (size_t k = 0; k < chart->series[i].count; k++) {
            struct point at = chart->series[i].points[k];
            if (at.x < low) low = at.x;
            if (at.x > high) high = at.x;
            if (at.y > most) most = at.y;
        }
    chart->x_low = step_below(low);
    chart->x_high = step_below(high);
    if (chart->x_high < high || chart->x_high == chart->x_low) chart->x_high = step_after(chart->x_high);
    /* Four to ten lines, the top one above the highest point. */
    chart->y_step = step_below(most / 4 > 0 ? most / 4 : 1);
    chart->y_high = (most / chart->y_step + 1) * chart->y_step;
}

static int64_t x_of(const struct chart *chart, int64_t v) {
    int64_t low = log2_of(chart->x_low), high = log2_of(chart->x_high);
    return LEFT + (log2_of(v) - low) * (RIGHT - LEFT) / (high - low);
}

static int64_t y_of(const struct chart *chart, int64_t v) { return BOTTOM - v * (BOTTOM - TOP) / chart->y_high; }

/* ---- drawing ---- */

/* Okabe and Ito's colours, told apart by the colour-blind too; the marks differ for print without colour. */
static const char *const colours[SERIES_MAX] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                "#56B4E9", "#E69F00", "#000000", "#7F7F7F"};

static void put_text(FILE *out, const char *text) {
    for (; *text != 0; text++) switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
        }
}

/* A coordinate: tenths as pixels. */
static const char *px(int64_t tenths, char room[16]) {
    snprintf(room, 16, "%d.%d", (int)(tenths / 10), (int)(tenths % 10));
    return room;
}

static void put_label(FILE *out, int64_t x, int64_t y, const char *how, const char *text) {
    char a[16], b[16];
    fprintf(out, "<text x=\"%s\" y=\"%s\" %s>", px(x, a), px(y, b), how);
    put_text(out, text);
    fputs("</text>\n", out);
}

static void put_rule(FILE *out, int64_t x1, int64_t y1, int64_t x2, int64_t y2, const char *kind) {
    char a[16], b[16], c[16], d[16];
    fprintf(out, "<line x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\" class=\"%s\"/>\n", px(x1, a), px(y1, b), px(x2, c),
            px(y2, d), kind);
}

/* 1,000 as 1k, 2,000,000 as 2M. */
static char *short_number(int64_t value, char *room, size_t size) {
    if (value >= 1000000 && value % 1000000 == 0) bench_show(value / 1000000, 0, room, size - 1), strcat(room, "M");
    else if (value >= 1000 && value % 1000 == 0) bench_show(value / 1000, 0, room, size - 1), strcat(room, "k");
    else bench_show(value, 0, room, size);
    return room;
}

static void draw_axes(FILE *out, const struct chart *chart) {
    char text[64];
    for (int64_t v = 0; v <= chart->y_high; v += chart->y_step) {
        put_rule(out, LEFT, y_of(chart, v), RIGHT, y_of(chart, v), "grid");
        put_rule(out, LEFT - 50, y_of(chart, v), LEFT, y_of(chart, v), "axis");
        put_label(out, LEFT - 80, y_of(chart, v) + 40, "text-anchor=\"end\"", bench_show(v, 0, text, sizeof text));
    }
    for (int64_t v = chart->x_low; v <= chart->x_high; v = step_after(v)) {
        put_rule(out, x_of(chart, v), TOP, x_of(chart, v), BOTTOM, "grid");
        put_rule(out, x_of(chart, v), BOTTOM, x_of(chart, v), BOTTOM + 50, "axis");
        put_label(out, x_of(chart, v), BOTTOM + 190, "text-anchor=\"middle\"", short_number(v, text, sizeof text));
    }
    put_rule(out, LEFT, TOP, LEFT, BOTTOM, "axis");
    put_rule(out, LEFT, BOTTOM, RIGHT, BOTTOM, "axis");
    put_label(out, (LEFT + RIGHT) / 2, BOTTOM + 480, "text-anchor=\"middle\"", "entries in the book (logarithmic)");
    snprintf(text, sizeof text, "text-anchor=\"middle\" transform=\"rotate(-90 26 %d)\"", (TOP + BOTTOM) / 20);
    put_label(out, 260, (TOP + BOTTOM) / 2, text, chart->unit);
}

/* A mark of a series' own shape, round x and y. */
static void put_mark(FILE *out, size_t shape, int64_t x, int64_t y, const char *title) {
    char a[16], b[16];
    switch (shape % 4) {
    case 0: fprintf(out, "<circle cx=\"%s\" cy=\"%s\" r=\"4.5\"", px(x, a), px(y, b)); break;
    case 1: fprintf(out, "<rect x=\"%s\" y=\"%s\" width=\"8\" height=\"8\"", px(x - 40, a), px(y - 40, b)); break;
    case 2: fprintf(out, "<path d=\"M%s %sl5 9h-10z\"", px(x, a), px(y - 55, b)); break;
    default: fprintf(out, "<path d=\"M%s %sl5 5.5l-5 5.5l-5 -5.5z\"", px(x, a), px(y - 55, b)); break;
    }
    fprintf(out, " fill=\"%s\"", colours[shape]);
    if (title == NULL) fputs("/>\n", out);
    else {
        fputs("><title>", out);
        put_text(out, title);
        fputs("</title></", out);
        fputs(shape % 4 == 0 ? "circle>\n" : shape % 4 == 1 ? "rect>\n" : "path>\n", out);
    }
}

static void draw_series(FILE *out, const struct chart *chart, size_t number) {
    const struct series *one = &chart->series[number];
    char a[16], b[16], size[32], value[32], title[160];
    fprintf(out, "<g class=\"series\">\n<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s points=\"",
            colours[number], number >= 4 ? " stroke-dasharray=\"6 3\"" : "");
    for (size_t i = 0; i < one->count; i++)
        fprintf(out, "%s%s,%s", i == 0 ? "" : " ", px(x_of(chart, one->points[i].x), a),
                px(y_of(chart, one->points[i].y), b));
    fputs("\"/>\n", out);
    for (size_t i = 0; i < one->count; i++) {
        struct point at = one->points[i];
        snprintf(title, sizeof title, "%s, %s entries: %s", one->label, bench_show(at.x, 0, size, sizeof size),
                 bench_show(at.y, 0, value, sizeof value));
        put_mark(out, number, x_of(chart, at.x), y_of(chart, at.y), title);
    }
    fputs("</g>\n", out);
}

/* Two columns, below the title. */
static void draw_legend(FILE *out, const struct chart *chart) {
    char a[16], b[16], c[16];
    for (size_t i = 0; i < chart->count; i++) {
        int64_t x = LEFT + (int64_t)(i % 2) * 4100, y = LEGEND + (int64_t)(i / 2) * 220;
        fprintf(out, "<path d=\"M%s %sH%s\" stroke=\"%s\" stroke-width=\"2\"%s/>\n", px(x, a), px(y, b), px(x + 300, c),
                colours[i], i >= 4 ? " stroke-dasharray=\"6 3\"" : "");
        put_mark(out, i, x + 150, y, NULL);
        put_label(out, x + 380, y + 40, "class=\"legend\"", chart->series[i].label);
    }
}

static void draw(FILE *out, const struct chart *chart) {
    /* A longer legend pushes the chart down. */
    int64_t more = chart->count > 2 ? (int64_t)((chart->count + 1) / 2 - 1) * 220 : 0;
    char height[16], a[16];
    px(HEIGHT + more, height);
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"960\" height=\"%s\" viewBox=\"0 0 960 %s\" role=\"img\" "
            "font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n<title>",
            height, height);
    put_text(out, chart->title);
    fprintf(out,
            "</title>\n<style>.grid{stroke:#ddd;stroke-width:1}.axis{stroke:#222;stroke-width:1.2}</style>\n"
            "<rect width=\"960\" height=\"%s\" fill=\"#fff\"/>\n",
            height);
    put_label(out, WIDTH / 2, 400, "text-anchor=\"middle\" font-size=\"19\" font-weight=\"bold\"", chart->title);
    draw_legend(out, chart);
    fprintf(out, "<g transform=\"translate(0 %s)\">\n", px(more, a));
    draw_axes(out, chart);
    for (size_t i = 0; i < chart->count; i++) draw_series(out, chart, i);
    fputs("</g>\n</svg>\n", out);
}

int main(int count, char **words) {
    static struct chart chart;
    const char *to = NULL;
    int first = 1;
    chart.figure = known[0].key;
    for (; first + 1 < count && strncmp(words[first], "--", 2) == 0; first += 2) {
        if (strcmp(words[first], "--figure") == 0) chart.figure = words[first + 1];
        else if (strcmp(words[first], "--title") == 0) make_drawable(words[first + 1]), chart.title = words[first + 1];
        else if (strcmp(words[first], "--out") == 0) to = words[first + 1];
        else break;
    }
    if (first >= count || strncmp(words[first], "--", 2) == 0) {
        fputs("usage: plot [--figure KEY] [--title TEXT] [--out FILE] FILE...\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].key, chart.figure) != 0) continue;
        if (chart.title == NULL) chart.title = known[i].title;
        chart.unit = known[i].unit;
    }
    if (chart.unit == NULL) chart.unit = chart.figure;
    if (chart.title == NULL) chart.title = chart.figure;
    for (int i = first; i < count; i++) read_file(&chart, words[i]);
    set_scales(&chart);
    FILE *out = to == NULL ? stdout : fopen(to, "w");
    if (out == NULL) refuse(to, strerror(errno));
    draw(out, &chart);
    if (fclose(out) != 0) refuse(to == NULL ? "standard output" : to, strerror(errno));
    return 0;
}
