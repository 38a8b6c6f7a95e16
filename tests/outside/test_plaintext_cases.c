/* The journal reader on cases that nobody here wrote: ledger's own tests, whole books, and the pta-standards suites.
   Each comes out right (as expected there, or as Debian's ledger or hledger prints it), or is refused by name. */
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/format.h"
#include "tests/tap.h"

typedef enum outcome { RIGHT, NAMED, WRONG } outcome;

typedef struct group {
    const char *name;
    int right, named, wrong;
} group;

static void count(group *g, outcome out, const char *what, const char *why) {
    g->right += out == RIGHT;
    g->named += out == NAMED;
    g->wrong += out == WRONG;
    if (out != RIGHT) diag("%s: %s %s: %s", g->name, what, out == NAMED ? "refused by name" : "WRONG", why);
}

/* ---- Balances: our own plain sums ---- */

typedef struct row {
    char *account, *currency;
    kt_amount units;
    int decimals;
} row;

typedef struct sums {
    row *rows;
    size_t count;
} sums;

static kt_amount power(int exponent) {
    kt_amount value = 1;
    while (exponent-- > 0) value *= 10;
    return value;
}

static void add(sums *s, const char *account, size_t account_size, const char *currency, size_t currency_size,
                kt_amount units, int decimals) {
    size_t at = 0;
    while (at < s->count &&
           (strlen(s->rows[at].account) != account_size || memcmp(s->rows[at].account, account, account_size) ||
            strlen(s->rows[at].currency) != currency_size || memcmp(s->rows[at].currency, currency, currency_size)))
        at++;
    if (at == s->count) {
        s->rows = realloc(s->rows, (at + 1) * sizeof *s->rows);
        if (!s->rows) abort();
        s->rows[s->count++] = (row){strndup(account, account_size), strndup(currency, currency_size), 0, 0};
    }
    row *found = &s->rows[at];
    int most = decimals > found->decimals ? decimals : found->decimals;
    found->units = found->units * power(most - found->decimals) + units * power(most - decimals);
    found->decimals = most;
}

static void release(sums *s) {
    for (size_t i = 0; i < s->count; i++) {
        free(s->rows[i].account);
        free(s->rows[i].currency);
    }
    free(s->rows);
    memset(s, 0, sizeof *s);
}

/* Commodities stay what they are called in the file. */
static const char *const as_written[] = {"$=$", "\xE2\x82\xAC=\xE2\x82\xAC", "\xC2\xA3=\xC2\xA3", NULL};

typedef struct left_out {
    size_t postings, entries, rules;
} left_out;

static kt_code read_journal(const char *name, const char *directory, const void *data, size_t size, kt_virtual virtuals,
                            sums *out, left_out *left, kt_error *error) {
    kt_format_options options = {.symbols = as_written, .virtual_postings = virtuals};
    kt_source source = {.name = name, .data = data, .size = size, .directory = directory};
    void *reader;
    kt_code code = kt_format_journal.open(&source, &options, &reader, error);
    kt_item item;
    while (code == KT_OK && (code = kt_format_journal.next(reader, &item, error)) == KT_OK) {
        for (size_t i = 0; item.kind == KT_ITEM_ENTRY && i < item.entry.line_count; i++) {
            const kt_line *line = &item.entry.lines[i];
            add(out, line->account.data, line->account.size, line->currency.size ? line->currency.data : "",
                line->currency.size, line->amount, line->amount_given - 1);
        }
        if (!left) continue;
        left->postings += item.virtual_left_out;
        left->entries += item.kind == KT_ITEM_LEFT_OUT && item.virtual_left_out > 0;
        left->rules += item.kind == KT_ITEM_LEFT_OUT && item.virtual_left_out == 0;
    }
    kt_format_journal.close(reader);
    return code == KT_END ? KT_OK : code;
}

static char *load(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    int c;
    while (file && out && (c = fgetc(file)) != EOF) fputc(c, out);
    if (file) fclose(file);
    if (out) fclose(out);
    return text;
}

/* ---- What the tools print ---- */

typedef struct printed {
    kt_amount units;
    int decimals;
    char currency[64];
} printed;

/* "$-1,000.00", "-60,00 EUR", "0". */
static bool parse_printed(const char *text, size_t size, printed *out) {
    size_t digits = 0, after = 0, named = 0;
    char decimal = 0;
    memset(out, 0, sizeof *out);
    const char *point = NULL, *comma = NULL;
    int points = 0, commas = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '.') {
            point = text + i;
            points++;
        } else if (text[i] == ',') {
            comma = text + i;
            commas++;
        }
    }
    size_t behind = comma ? strspn(comma + 1, "0123456789") : 0;
    if (point && comma) decimal = point > comma ? '.' : ',';
    else if (points == 1) decimal = '.';
    else if (commas == 1 && behind != 3) decimal = ',';
    bool negative = false, seen = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c >= '0' && c <= '9') {
            out->units = out->units * 10 + (c - '0');
            digits++;
            after += seen;
        } else if (c == '-') {
            negative = true;
        } else if (c == decimal && decimal) {
            seen = true;
        } else if (!strchr(".,' \"", c) && named + 1 < sizeof out->currency) {
            out->currency[named++] = c;
        }
    }
    out->units = negative ? -out->units : out->units;
    out->decimals = (int)after;
    return digits > 0;
}

typedef struct report_row {
    char *path;
    printed amounts[32];
    size_t count;
} report_row;

typedef struct report {
    report_row *rows;
    size_t count;
} report;

static void release_report(report *r) {
    for (size_t i = 0; i < r->count; i++) free(r->rows[i].path);
    free(r->rows);
    memset(r, 0, sizeof *r);
}

static size_t strip_colours(const char *line, size_t size, char *out) {
    size_t to = 0;
    for (size_t i = 0; i < size; i++) {
        if (line[i] == 0x1B) {
            while (i < size && line[i] != 'm') i++;
            continue;
        }
        out[to++] = line[i];
    }
    out[to] = 0;
    return to;
}

/* The part above that stands `indent` deep, with name put below it. */
static char *path_below(char *parents[16], size_t depth, const char *name) {
    char path[1000] = "";
    size_t at = 0;
    for (size_t i = 0; i < depth; i++)
        if (parents[i]) at += (size_t)snprintf(path + at, sizeof path - at, "%s:", parents[i]);
    snprintf(path + at, sizeof path - at, "%s", name);
    return strdup(path);
}

/* A balance report up to its total; false where a line is not understood. */
static bool parse_report(const char *text, const char *end, report *out) {
    char *parents[16] = {NULL};
    report_row now = {0};
    bool good = true;
    while (good && text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t size = stop ? (size_t)(stop - text) : (size_t)(end - text);
        char line[2000], *at = line;
        if (size >= sizeof line) return false;
        size_t length = strip_colours(text, size, line);
        text = stop ? stop + 1 : end;
        if (strncmp(line, "----", 4) == 0) break;
        while (length > 0 && line[length - 1] == ' ') line[--length] = 0;
        at += strspn(at, " ");
        if (!*at) continue;
        char *gap = strstr(at, "  ");
        good = now.count < 32 && parse_printed(at, gap ? (size_t)(gap - at) : strlen(at), &now.amounts[now.count]);
        now.count++;
        if (!gap || !good) continue;
        size_t depth = (strspn(gap, " ") - 2) / 2;
        char *name = gap + strspn(gap, " ");
        now.path = path_below(parents, depth < 15 ? depth : 15, name);
        for (size_t i = depth < 15 ? depth : 15; i < 16; i++) {
            free(parents[i]);
            parents[i] = NULL;
        }
        parents[depth < 15 ? depth : 15] = strdup(name);
        out->rows = realloc(out->rows, (out->count + 1) * sizeof *out->rows);
        if (!out->rows) abort();
        out->rows[out->count++] = now;
        memset(&now, 0, sizeof now);
    }
    for (size_t i = 0; i < 16; i++) free(parents[i]);
    return good;
}

static bool lies_in(const char *account, const char *path, bool below) {
    size_t size = strlen(path);
    return strncmp(account, path, size) == 0 && (account[size] == 0 || (below && account[size] == ':'));
}

/* Equal to the decimals that are printed. */
static bool is_printed(kt_amount units, int decimals, const printed *p) {
    int most = decimals > p->decimals ? decimals : p->decimals;
    kt_amount off = units * power(most - decimals) - p->units * power(most - p->decimals);
    kt_amount unit = power(most - p->decimals);
    return most == p->decimals ? off == 0 : off * 2 <= unit && off * 2 >= -unit;
}

static bool row_holds(const sums *ours, const report_row *row_, bool below, char *why, size_t room) {
    sums total = {0};
    bool good = true;
    for (size_t i = 0; i < ours->count; i++)
        if (lies_in(ours->rows[i].account, row_->path, below)) {
            char bare[64] = "";
            size_t to = 0;
            /* As parse_printed leaves names: without blanks and quotes. */
            for (const char *c = ours->rows[i].currency; *c && to + 1 < sizeof bare; c++)
                if (!strchr(".,' \"-", *c) && !(*c >= '0' && *c <= '9')) bare[to++] = *c;
            add(&total, "", 0, bare, strlen(bare), ours->rows[i].units, ours->rows[i].decimals);
        }
    for (size_t i = 0; good && i < total.count; i++) {
        printed zero = {0, 2, ""};
        const printed *shown = NULL;
        for (size_t k = 0; k < row_->count; k++)
            if (strcmp(row_->amounts[k].currency, total.rows[i].currency) == 0) shown = &row_->amounts[k];
        good = is_printed(total.rows[i].units, total.rows[i].decimals, shown ? shown : &zero);
        if (!good) snprintf(why, room, "%s in %s differs", row_->path, total.rows[i].currency);
    }
    for (size_t k = 0; good && k < row_->count; k++) {
        bool found = row_->amounts[k].units == 0;
        for (size_t i = 0; i < total.count; i++)
            found = found || strcmp(row_->amounts[k].currency, total.rows[i].currency) == 0;
        good = found;
        if (!good) snprintf(why, room, "%s has no %s", row_->path, row_->amounts[k].currency);
    }
    release(&total);
    return good;
}

/* Every printed row is ours, and every balance of ours is printed. */
static bool report_holds(const sums *ours, const report *r, bool below, bool all, char *why, size_t room) {
    for (size_t i = 0; i < r->count; i++)
        if (!row_holds(ours, &r->rows[i], below, why, room)) return false;
    for (size_t i = 0; all && i < ours->count; i++) {
        bool found = ours->rows[i].units == 0;
        for (size_t k = 0; k < r->count; k++) found = found || strcmp(r->rows[k].path, ours->rows[i].account) == 0;
        if (!found) {
            snprintf(why, room, "%s is not in the report", ours->rows[i].account);
            return false;
        }
    }
    return true;
}

static bool has_tool(const char *tool) {
    char command[100];
    snprintf(command, sizeof command, "%s --version >/dev/null 2>&1", tool);
    return system(command) == 0;
}

/* What the tool prints for a file; NULL where it refuses it. */
static char *run_tool(const char *command, const char *path) {
    char line[1200], *text = NULL;
    size_t size;
    snprintf(line, sizeof line, "LC_ALL=C.UTF-8 ");
    size_t at = strlen(line);
    for (const char *c = command; *c && at + strlen(path) + 4 < sizeof line; c++) {
        if (*c == '@') at += (size_t)snprintf(line + at, sizeof line - at, "'%s'", path);
        else line[at++] = *c;
        line[at] = 0;
    }
    FILE *pipe = popen(line, "r");
    FILE *out = open_memstream(&text, &size);
    int c;
    while (pipe && out && (c = fgetc(pipe)) != EOF) fputc(c, out);
    if (out) fclose(out);
    if (pipe && pclose(pipe) == 0) return text;
    free(text);
    return NULL;
}

static const char *const ledger_flat = "ledger --args-only -f @ bal --flat --no-total --empty 2>/dev/null";
static const char *const ledger_real = "ledger --args-only -f @ bal --flat --no-total --empty --real 2>/dev/null";
static const char *const hledger_flat = "hledger -f @ bal --flat -N -E 2>/dev/null";
static const char *const hledger_real = "hledger -f @ bal --flat -N -E --real 2>/dev/null";

/* ledger's flat rows hold the accounts below them, hledger's do not. */
static bool as_tool_prints(const sums *ours, const char *command, const char *path, char *why, size_t room) {
    char *text = run_tool(command, path);
    report r = {0};
    bool good = text && parse_report(text, text + strlen(text), &r) &&
                report_holds(ours, &r, command == ledger_flat || command == ledger_real, true, why, room);
    if (!text) snprintf(why, room, "the tool refuses the file");
    release_report(&r);
    free(text);
    return good;
}

/* ---- ledger's own tests ---- */

/* The first balance report that the test expects, where its options are understood. */
static bool expected_report(const char *text, report *out) {
    const char *at = text;
    while ((at = strstr(at, "test bal"))) {
        const char *line_end = strchr(at, '\n'), *end = line_end ? strstr(line_end, "\nend test") : NULL;
        if (!end || (at > text && at[-1] != '\n')) return false;
        char options[200];
        snprintf(options, sizeof options, "%.*s", (int)(line_end - at - 8 < 199 ? line_end - at - 8 : 199), at + 8);
        char *rest = options, *word;
        bool known = true;
        while ((word = strsep(&rest, " ")))
            known = known && (!*word || !strcmp(word, "--flat") || !strcmp(word, "--no-total") ||
                              !strcmp(word, "--force-color") || !strcmp(word, "ance"));
        if (known) return parse_report(line_end + 1, end + 1, out);
        at = end;
    }
    return false;
}

static void ledger_case(group *g, const char *directory, const char *name, bool tool) {
    char path[600], why[300] = "no expected report was understood";
    size_t size;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    char *text = load(path, &size);
    sums ours = {0};
    kt_error error = {0};
    kt_code code = read_journal(path, directory, text, size, KT_VIRTUAL_REFUSE, &ours, NULL, &error);
    report r = {0};
    outcome out = code == KT_UNSUPPORTED ? NAMED : WRONG;
    if (code == KT_OK) {
        bool good = expected_report(text, &r) && report_holds(&ours, &r, true, true, why, sizeof why);
        if (good || (tool && r.count == 0 && as_tool_prints(&ours, ledger_flat, path, why, sizeof why))) out = RIGHT;
    }
    count(g, out, name, code == KT_OK ? why : error.text);
    release_report(&r);
    release(&ours);
    free(text);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The names in a directory with an ending, sorted; the last is NULL. */
static char **list(const char *directory, const char *ending) {
    size_t found = 0;
    char **names = calloc(1, sizeof *names);
    DIR *open_directory = opendir(directory);
    struct dirent *entry;
    while (names && open_directory && (entry = readdir(open_directory))) {
        size_t size = strlen(entry->d_name), end = strlen(ending);
        if (size < end || strcmp(entry->d_name + size - end, ending)) continue;
        names = realloc(names, (found + 2) * sizeof *names);
        if (!names) abort();
        names[found++] = strdup(entry->d_name);
        names[found] = NULL;
    }
    if (open_directory) closedir(open_directory);
    if (names) qsort(names, found, sizeof *names, by_name);
    return names;
}

static void verdict(const group *g, bool tool) {
    int all = g->right + g->named + g->wrong;
    diag("%s: %d right, %d refused by name, %d wrong, of %d", g->name, g->right, g->named, g->wrong, all);
    if (tool) ok(g->wrong == 0, "%s: nothing comes out wrong", g->name);
    if (tool) ok(g->right * 100 >= all * 95, "%s: 95 in 100 come out right", g->name);
    else skip(2, "without ledger and hledger what they do is not known");
}

static void test_ledger(const char *cases, bool tool) {
    group g = {.name = "ledger"};
    char directory[500];
    snprintf(directory, sizeof directory, "%s/plaintext/ledger", cases);
    char **names = list(directory, ".test");
    for (size_t i = 0; names[i]; i++) {
        ledger_case(&g, directory, names[i], tool);
        free(names[i]);
    }
    free(names);
    verdict(&g, tool);
}

/* ---- Books ---- */

/* Whole books. What a book cannot hold, they hold as virtual postings: refused by name, and left out where told, as
   ledger --real leaves them out. */
typedef struct whole_book {
    const char *name;
    bool virtuals;
    left_out left;
} whole_book;

static bool book_agrees(const char *path, const char *directory, const whole_book *book, char *why, size_t room) {
    size_t size;
    char *text = load(path, &size);
    sums ours = {0};
    left_out left = {0};
    kt_error error = {0};
    kt_virtual virtuals = book->virtuals ? KT_VIRTUAL_DROP : KT_VIRTUAL_REFUSE;
    kt_code code = read_journal(book->name, directory, text, size, virtuals, &ours, &left, &error);
    bool good = code == KT_OK && as_tool_prints(&ours, book->virtuals ? ledger_real : ledger_flat, path, why, room);
    if (code != KT_OK) snprintf(why, room, "%s", error.text);
    if (good && (left.postings != book->left.postings || left.entries != book->left.entries ||
                 left.rules != book->left.rules)) {
        good = false;
        snprintf(why, room, "%zu postings, %zu entries, %zu rules left out", left.postings, left.entries, left.rules);
    }
    release(&ours);
    free(text);
    return good;
}

static void expected_totals(const char *directory) {
    char path[600], why[300] = "";
    size_t size, test_size;
    snprintf(path, sizeof path, "%s/bcexample.test", directory);
    char *test = load(path, &test_size);
    snprintf(path, sizeof path, "%s/bcexample.journal", directory);
    char *text = load(path, &size);
    const char *start = test ? strstr(test, "\n$ ") : NULL;
    start = start ? strchr(start + 1, '\n') : NULL;
    sums ours = {0};
    report r = {0};
    kt_error error = {0};
    kt_code code = read_journal(path, directory, text, size, KT_VIRTUAL_REFUSE, &ours, NULL, &error);
    ok(start && code == KT_OK && parse_report(start + 1, test + test_size, &r) && r.count == 5 &&
           report_holds(&ours, &r, true, false, why, sizeof why),
       "bcexample has the totals that its test expects%s%s", *why ? ": " : "", why);
    release_report(&r);
    release(&ours);
    free(text);
    free(test);
}

static void test_books(const char *cases, bool tool) {
    static const whole_book books[] = {
        {"bcexample.journal", false, {0, 0, 0}}, {"drewr3.dat", true, {0, 0, 1}}, {"standard.dat", true, {12, 2, 0}}};
    group g = {.name = "books"};
    char directory[500], path[600], why[sizeof((kt_error *)0)->text] = "";
    snprintf(directory, sizeof directory, "%s/plaintext/books", cases);
    expected_totals(directory);
    for (size_t i = 0; i < sizeof books / sizeof *books; i++) {
        size_t size;
        snprintf(path, sizeof path, "%s/%s", directory, books[i].name);
        char *text = load(path, &size);
        sums ours = {0};
        kt_error error = {0};
        if (books[i].virtuals) {
            kt_code code = read_journal(books[i].name, directory, text, size, KT_VIRTUAL_REFUSE, &ours, NULL, &error);
            is_code(code, KT_UNSUPPORTED, "%s is refused for its virtual postings", books[i].name);
            has_text(error.text, "--virtual drop", "with what can be asked for");
        }
        release(&ours);
        free(text);
        if (tool) {
            bool good = book_agrees(path, directory, &books[i], why, sizeof why);
            count(&g, good ? RIGHT : WRONG, books[i].name, why);
        }
    }
    if (!tool) {
        skip(1, "ledger and hledger are not installed");
        return;
    }
    ok(g.right == 3, "books: 3 of 3 have the balances that ledger prints, account by account (with --real where told)");
}

/* ---- pta-standards ---- */

static bool tool_takes(bool hledger, const char *input) {
    char path[600];
    snprintf(path, sizeof path, "%s/case.journal", test_dir());
    FILE *file = fopen(path, "w");
    if (!file || fputs(input, file) < 0 || fclose(file)) abort();
    char *text = run_tool(hledger ? hledger_flat : ledger_flat, path);
    free(text);
    return text != NULL;
}

/* A case that is refused for its virtual postings has the tool's real balances where they are left out, or is refused as
   the tool refuses it. ledger 3.3 weighs [virtual] postings together with the real ones: what balances so alone is
   refused, since without them it is lopsided. */
static void without_virtual(group *g, bool hledger, const char *what, const char *input) {
    char path[600], why[300] = "";
    snprintf(path, sizeof path, "%s/case.journal", test_dir());
    bool taken = tool_takes(hledger, input);
    sums ours = {0};
    left_out left = {0};
    kt_error error = {0};
    kt_code code = read_journal("case", test_dir(), input, strlen(input), KT_VIRTUAL_DROP, &ours, &left, &error);
    bool good = code != KT_OK ? !taken
                              : taken && left.postings > 0 &&
                                    as_tool_prints(&ours, hledger ? hledger_real : ledger_real, path, why, sizeof why);
    release(&ours);
    count(g, good ? RIGHT : code == KT_UNBALANCED ? NAMED : WRONG, what, code == KT_OK ? why : error.text);
}

static void pta_case(group *g, bool hledger, bool tool, json_t *test, int *as_tool, group *real) {
    const char *id = json_string_value(json_object_get(test, "id"));
    const char *input = json_string_value(json_object_get(json_object_get(test, "input"), "inline"));
    json_t *expected = json_object_get(test, "expected");
    const char *parse = json_string_value(json_object_get(expected, "parse"));
    const char *validate = json_string_value(json_object_get(expected, "validate"));
    if (!input || json_is_true(json_object_get(test, "skip"))) return;
    bool wanted = !(parse && !strcmp(parse, "error")) && !(validate && !strcmp(validate, "error"));
    sums ours = {0};
    kt_error error = {0};
    kt_code code = read_journal("case", test_dir(), input, strlen(input), KT_VIRTUAL_REFUSE, &ours, NULL, &error);
    release(&ours);
    /* "Parses" says nothing about an assertion's truth. */
    bool parsed = !validate && wanted && (code == KT_RULE || code == KT_UNBALANCED);
    outcome out = (code == KT_OK) == wanted || parsed ? RIGHT : code == KT_UNSUPPORTED ? NAMED : WRONG;
    char what[200];
    snprintf(what, sizeof what, "%s/%s", hledger ? "hledger" : "ledger", id);
    if (code == KT_UNSUPPORTED && tool && strstr(error.text, "--virtual drop"))
        without_virtual(real, hledger, what, input);
    if (out != RIGHT && tool && tool_takes(hledger, input) == (code == KT_OK)) {
        diag("pta: %s: not as stated, and as the tool does: %s", what, code == KT_OK ? "taken" : error.text);
        out = RIGHT;
        ++*as_tool;
    }
    count(g, out, what, code == KT_OK ? "taken, and should be refused" : error.text);
}

static void test_pta(const char *cases, bool tool) {
    group g = {.name = "pta"}, real = {.name = "pta, virtual postings left out"};
    char directory[500], path[600];
    int as_tool = 0;
    snprintf(directory, sizeof directory, "%s/plaintext/pta", cases);
    char **names = list(directory, ".json");
    for (size_t i = 0; names[i]; i++) {
        json_error_t where;
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        json_t *suite = json_load_file(path, 0, &where), *test;
        size_t at;
        json_array_foreach(json_object_get(suite, "tests"), at, test)
            pta_case(&g, strncmp(names[i], "hledger", 7) == 0, tool, test, &as_tool, &real);
        json_decref(suite);
        free(names[i]);
    }
    free(names);
    diag("pta: %d of them right as the tool does it, against what is stated", as_tool);
    verdict(&g, tool);
    if (!tool) skip(1, "without ledger and hledger what they do is not known");
    else
        ok(real.right >= 4 && real.wrong == 0,
           "pta: %d cases with virtual postings come out as with the tool's --real, and none wrong", real.right);
}

int main(void) {
    const char *cases = test_cases();
    if (!cases) skip_all("the outside cases are not here");
    bool tool = has_tool("ledger") && has_tool("hledger");
    test_ledger(cases, tool);
    test_books(cases, tool);
    test_pta(cases, tool);
    return done();
}
