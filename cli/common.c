#include "cli/common.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/passphrase.h"
#include "storage/note.h"

int kt_exit_status(kt_code code) {
    switch (code) {
    case KT_OK:
    case KT_REPEATED: return 0;
    case KT_USAGE: return 2;
    case KT_END: return 3;
    case KT_IO:
    case KT_DISK_FULL:
    case KT_PERMISSION:
    case KT_BUSY:
    case KT_KEY:
    case KT_MEMORY:
    case KT_POISONED: return 4;
    default: return 1;
    }
}

static const char *from_environment(const char *name) {
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

kt_code kt_book_argument(const kt_arguments *arguments, const char **out, kt_error *error) {
    *out = kt_given_value(arguments, "book");
    if (*out == NULL) *out = from_environment("KONTOR_BOOK");
    if (*out == NULL || (*out)[0] == '\0')
        return kt_fail(error, KT_USAGE, "which book? Give --book DIR or set KONTOR_BOOK");
    return KT_OK;
}

const char *kt_key_argument(const kt_arguments *arguments) {
    const char *key = (arguments->command->takes & KT_TAKES_KEY) != 0 ? kt_given_value(arguments, "key") : NULL;
    return key != NULL ? key : from_environment("KONTOR_KEY");
}

kt_code kt_open_argument(const kt_arguments *arguments, bool read_only, kt_book **out, kt_error *error) {
    const char *directory;
    *out = NULL;
    kt_code code = kt_book_argument(arguments, &directory, error);
    if (code == KT_OK) code = kt_passphrase_check(arguments, error);
    if (code != KT_OK) return code;
    kt_open_options options = {
        .read_only = read_only,
        .key_file = read_only ? NULL : kt_key_argument(arguments),
        .entity = kt_str_from(kt_given_value(arguments, "entity")),
        .passphrase = kt_passphrase_ask,
        .passphrase_context = kt_passphrase_context(arguments),
    };
    return kt_book_open(directory, &options, out, error);
}

static kt_code known_time(const kt_arguments *arguments, kt_view_options *options, kt_error *error) {
    if (kt_option_find(arguments->command, "as-known", strlen("as-known")) == NULL) return KT_OK;
    const char *text = kt_given_value(arguments, "as-known");
    if (text == NULL) return KT_OK;
    options->as_known = true;
    if (!kt_time_parse(text, strlen(text), &options->known_us))
        return kt_fail(error, KT_USAGE, "--as-known %.40s: expected a time such as 2026-03-31T17:00:00Z or a day",
                       text);
    return KT_OK;
}

kt_code kt_reading_open(const kt_arguments *arguments, kt_reading *out, kt_error *error) {
    *out = (kt_reading){0};
    kt_view_options options = {0};
    kt_code code = KT_OK;
    if ((arguments->command->takes & KT_TAKES_STYLE) != 0) code = kt_style_of(arguments, &out->style, error);
    if (code == KT_OK) code = known_time(arguments, &options, error);
    if (code == KT_OK) code = kt_open_argument(arguments, true, &out->book, error);
    if (code == KT_OK) code = kt_view_open(out->book, &options, &out->view, error);
    if (code == KT_OK) code = kt_view_head(out->view, &out->head, error);
    if (code == KT_OK) code = kt_view_company(out->view, KT_DAY_MAX, &out->company, error);
    kt_currency currency;
    if (code == KT_OK) code = kt_view_currency(out->view, out->company.currency, &currency, error);
    if (code == KT_OK) out->decimals = currency.decimals;
    return code;
}

void kt_reading_close(kt_reading *reading) {
    kt_view_close(reading->view);
    kt_book_close(reading->book);
    *reading = (kt_reading){0};
}

kt_code kt_writing_open(const kt_arguments *arguments, kt_writing *out, kt_error *error) {
    *out = (kt_writing){0};
    kt_code code = kt_style_of(arguments, &out->style, error);
    if (code == KT_OK) code = kt_open_argument(arguments, false, &out->book, error);
    if (code == KT_OK) code = kt_batch_begin(out->book, NULL, &out->batch, NULL, error);
    return code;
}

kt_code kt_writing_commit(kt_writing *writing, const char *what, kt_error *error) {
    enum { WHAT, BATCH, FIRST, LAST, RECORDED, ORIGIN, SIZE, ROOT, COUNT };
    static const kt_column columns[COUNT] = {
        [WHAT] = {"done", "done", KT_CELL_PROSE, false},
        [BATCH] = {"batch", "batch", KT_CELL_TEXT, false},
        [FIRST] = {"first_record", "first record", KT_CELL_NUMBER, false},
        [LAST] = {"last_record", "last record", KT_CELL_NUMBER, false},
        [RECORDED] = {"recorded", "recorded", KT_CELL_TEXT, false},
        [ORIGIN] = {"origin", "checkpoint", KT_CELL_TEXT, false},
        [SIZE] = {"tree_size", "size", KT_CELL_NUMBER, false},
        [ROOT] = {"root", "root", KT_CELL_TEXT, false},
    };
    kt_receipt receipt = {0};
    kt_batch *batch = writing->batch;
    writing->batch = NULL;
    kt_code code = kt_batch_commit(batch, &receipt, error);
    if (code != KT_OK) return code;
    if (receipt.clock_behind) kt_warn("the clock is behind the book's last record, whose time was used instead");
    kt_out *out;
    char root[48];
    code = kt_out_open(writing->style, columns, COUNT, true, &out, error);
    if (code != KT_OK) return code;
    (void)kt_base64_encode(receipt.root, sizeof(receipt.root), root);
    kt_out_words(out, WHAT, what);
    kt_out_words(out, BATCH, receipt.batch_id);
    kt_out_count(out, FIRST, receipt.first);
    kt_out_count(out, LAST, receipt.last);
    kt_out_time(out, RECORDED, receipt.recorded_us);
    kt_out_words(out, ORIGIN, kt_book_origin(writing->book));
    kt_out_count(out, SIZE, receipt.tree_size);
    kt_out_words(out, ROOT, root);
    code = kt_out_row(out, error);
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

void kt_writing_close(kt_writing *writing) {
    if (writing->batch != NULL) kt_batch_abort(writing->batch);
    kt_book_close(writing->book);
    *writing = (kt_writing){0};
}

static kt_code span(const kt_arguments *arguments, const char *option, kt_day *first, kt_day *last, kt_error *error) {
    const char *text = kt_given_value(arguments, option);
    *first = *last = KT_DAY_NONE;
    if (text == NULL || kt_day_parse_span(text, strlen(text), first, last)) return KT_OK;
    return kt_fail(error, KT_USAGE, "--%s %.40s: expected a day that exists, as 2026-03-31, 2026-03 or 2026", option,
                   text);
}

kt_code kt_option_from(const kt_arguments *arguments, const char *option, kt_day *out, kt_error *error) {
    kt_day last;
    return span(arguments, option, out, &last, error);
}

kt_code kt_option_until(const kt_arguments *arguments, const char *option, kt_day *out, kt_error *error) {
    kt_day first;
    return span(arguments, option, &first, out, error);
}

kt_code kt_option_day(const kt_arguments *arguments, const char *option, kt_day *out, kt_error *error) {
    const char *text = kt_given_value(arguments, option);
    *out = KT_DAY_NONE;
    if (text == NULL || kt_day_parse(text, strlen(text), out)) return KT_OK;
    return kt_fail(error, KT_USAGE, "--%s %.40s: expected a day that exists, as 2026-03-31", option, text);
}

kt_code kt_option_range(const kt_arguments *arguments, kt_day *from, kt_day *to, kt_error *error) {
    char first[KT_DAY_TEXT], last[KT_DAY_TEXT];
    kt_code code = kt_option_from(arguments, "from", from, error);
    if (code == KT_OK) code = kt_option_until(arguments, "to", to, error);
    if (code == KT_OK && *from != KT_DAY_NONE && *to != KT_DAY_NONE && *from > *to)
        code = kt_fail(error, KT_USAGE, "--from %s is after --to %s", kt_day_format(*from, first),
                       kt_day_format(*to, last));
    return code;
}

kt_code kt_word_month(const char *text, kt_day *first, kt_error *error) {
    kt_day last;
    if (strlen(text) == strlen("2026-03") && kt_day_parse_span(text, strlen(text), first, &last)) return KT_OK;
    return kt_fail(error, KT_USAGE, "%.40s is not a month: expected one such as 2026-03", text);
}

kt_code kt_word_number(const char *text, const char *what, uint64_t *out, kt_error *error) {
    size_t digits = strspn(text, "0123456789");
    uint64_t value = 0;
    bool good = digits > 0 && text[digits] == '\0';
    for (size_t i = 0; good && i < digits; i++)
        good = !__builtin_mul_overflow(value, UINT64_C(10), &value) &&
               !__builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value);
    *out = value;
    return good ? KT_OK : kt_fail(error, KT_USAGE, "%.40s is not the number of %s", text, what);
}

kt_day kt_today(kt_str time_zone) {
    char zone[KT_NAME_MAX + 1];
    struct tm civil = {0};
    time_t now = time(NULL);
    if (time_zone.size > 0 && time_zone.size < sizeof(zone)) {
        memcpy(zone, time_zone.data, time_zone.size);
        zone[time_zone.size] = '\0';
        (void)setenv("TZ", zone, 1);
        tzset();
    }
    kt_day day;
    if (localtime_r(&now, &civil) == NULL ||
        !kt_day_from_civil(civil.tm_year + 1900, civil.tm_mon + 1, civil.tm_mday, &day))
        return (kt_day)(now / 86400);
    return day;
}

kt_code kt_file_read(const char *path, size_t most, char **out, size_t *size, kt_error *error) {
    struct stat about;
    kt_code code = KT_OK;
    char *text = NULL;
    size_t used = 0;
    *out = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return kt_fail_errno(error, errno, "%s", path);
    if (fstat(file, &about) != 0) code = kt_fail_errno(error, errno, "%s", path);
    else if (S_ISDIR(about.st_mode)) code = kt_fail_errno(error, EISDIR, "%s", path);
    else if (about.st_size > 0 && (uintmax_t)about.st_size > most)
        code = kt_fail(error, KT_LIMIT, "%s: %jd bytes, at most %zu are read", path, (intmax_t)about.st_size, most);
    else if ((text = malloc(most + 1)) == NULL) code = kt_fail(error, KT_MEMORY, "%s: no memory", path);
    while (code == KT_OK && used <= most) {
        ssize_t got = read(file, text + used, most + 1 - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) code = kt_fail_errno(error, errno, "%s", path);
        if (got <= 0) break;
        used += (size_t)got;
    }
    (void)close(file);
    if (code == KT_OK && used > most) code = kt_fail(error, KT_LIMIT, "%s: more than %zu bytes", path, most);
    if (code != KT_OK) {
        free(text);
        return code;
    }
    text[used] = '\0';
    *out = text;
    *size = used;
    return KT_OK;
}

kt_code kt_retention_argument(const kt_arguments *arguments, uint8_t *out, kt_error *error) {
    const char *text = kt_given_value(arguments, "retention");
    uint64_t years = 0;
    *out = 0;
    if (text == NULL) return KT_OK;
    kt_code code = kt_word_number(text, "retention", &years, error);
    if (code == KT_OK && (years < 1 || years > UINT8_MAX))
        code = kt_fail(error, KT_USAGE, "--retention %.20s: expected 1 to 255 years", text);
    *out = (uint8_t)years;
    return code;
}
