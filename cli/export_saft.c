#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/export.h"
#include "cli/sheet.h"

typedef struct target { /* a new file, or standard output */
    const char *path;
    int fd;
} target;

static kt_code take(void *context, const char *data, size_t size, kt_error *error) {
    const target *to = context;
    while (size > 0) {
        ssize_t written = write(to->fd, data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0)
            return kt_fail_errno(error, written < 0 ? errno : EIO, "%s: cannot write",
                                 to->path == NULL ? "standard output" : to->path);
        data += written;
        size -= (size_t)written;
    }
    return KT_OK;
}

static kt_code open_target(const char *path, target *to, kt_error *error) {
    *to = (target){.path = path, .fd = STDOUT_FILENO};
    if (path == NULL) return kt_out_flush(error);
    to->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to->fd < 0 && errno == EEXIST)
        return kt_fail(error, KT_EXISTS, "%s: is there already; an export never overwrites a file", path);
    if (to->fd < 0) return kt_fail_errno(error, errno, "%s: cannot create", path);
    return KT_OK;
}

/* What is no whole file does not stay. */
static kt_code close_target(target *to, kt_code code, kt_error *error) {
    if (to->path == NULL || to->fd < 0) return code;
    if (code == KT_OK && fsync(to->fd) != 0) code = kt_fail_errno(error, errno, "%s: cannot sync", to->path);
    if (close(to->fd) != 0 && code == KT_OK) code = kt_fail_errno(error, errno, "%s: cannot close", to->path);
    if (code != KT_OK) (void)unlink(to->path);
    return code;
}

static kt_code read_standards(const char *path, kt_sheet *sheet, kt_saft_standard **out, size_t *count,
                              kt_error *error) {
    static const char *const columns[] = {"prefix", "standard", NULL};
    kt_code code = kt_sheet_read(path, columns, 2, sheet, error);
    if (code != KT_OK) return code;
    *out = calloc(sheet->count + 1, sizeof(**out));
    if (*out == NULL) return kt_fail(error, KT_MEMORY, "%s: no memory", path);
    for (size_t i = 0; i < sheet->count; i++) {
        const kt_sheet_row *row = &sheet->rows[i];
        if (row->cells[0].size == 0 || row->cells[1].size == 0)
            return kt_fail(error, KT_INVALID,
                           "%s:%zu: expected a prefix of account codes and the standard account it stands for", path,
                           row->line);
        (*out)[i] = (kt_saft_standard){row->cells[0], row->cells[1]};
    }
    *count = sheet->count;
    return KT_OK;
}

static void warn(uint64_t count, const char *what) {
    if (count > 0) kt_warn("%" PRIu64 " %s", count, what);
}

static void warn_all(const char *name, const kt_saft_result *result) {
    kt_export_warn(name, &result->all);
    warn(result->texts_cut, "texts were cut to the format's fields");
    warn(result->characters_replaced, "characters that XML cannot hold were replaced by U+FFFD");
    warn(result->tax_codes_left_out,
         "lines have a tax code and no tax amount, so that the lines are written without either");
    warn(result->accounts_without_standard,
         "accounts have no standard account, which the authority expects: name them with --standard");
    if (result->company_number_missing)
        kt_warn(
            "the company's number, which the authority expects, is not on record: kontor company set --company-number");
    if (result->contact_missing) kt_warn("no contact was named, which the authority expects: --contact");
    if (result->bank_account_missing) kt_warn("no bank account was named, which the authority expects: --bank-account");
}

static kt_code export(const kt_arguments *arguments, const char *variant, const kt_saft_options *options,
                      kt_reading *reading, kt_error *error) {
    kt_saft_result result = {0};
    target to;
    const char *path = kt_given_value(arguments, "out");
    kt_code code = open_target(path, &to, error);
    if (code != KT_OK) return code;
    code = kt_export_saft(reading->view, variant, options, take, &to, &result, error);
    code = close_target(&to, code, error);
    if (code != KT_OK) return code;
    warn_all("SAF-T", &result);
    if (path != NULL)
        kt_say(reading->style,
               "exported %" PRIu64 " entries, %" PRIu64 " lines, %" PRIu64 " accounts as SAF-T Financial %s to %s\n",
               result.all.entries, result.all.lines, result.accounts, variant, path);
    return KT_OK;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading = {0};
    kt_saft_options options = {.contact = kt_str_from(kt_given_value(arguments, "contact")),
                               .bank_account = kt_str_from(kt_given_value(arguments, "bank-account"))};
    kt_sheet sheet = {0};
    kt_saft_standard *standards = NULL;
    const char *variant = kt_given_value(arguments, "variant"), *map = kt_given_value(arguments, "standard");
    if (variant == NULL)
        return kt_fail(error, KT_USAGE, "export saft: of which country? Give --variant no or --variant dk");
    variant = strcmp(variant, "dk") == 0 ? "dk-1.0" : "no-1.10";
    kt_code code = kt_option_range(arguments, &options.from, &options.to, error);
    if (code == KT_OK && map != NULL) code = read_standards(map, &sheet, &standards, &options.standard_count, error);
    options.standards = standards;
    if (code == KT_OK) code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) {
        options.created = kt_today(reading.company.time_zone);
        code = export(arguments, variant, &options, &reading, error);
    }
    kt_reading_close(&reading);
    free(standards);
    kt_sheet_release(&sheet);
    return code;
}

static const kt_option options[] = {
    {"variant", "COUNTRY", "no: Norway's 1.10; dk: Denmark's 1.0", "no dk", false, false},
    {"out", "FILE", "a new file; default: standard output", NULL, false, false},
    {"from", "DATE", "entries from that day, inclusive", NULL, false, false},
    {"to", "DATE", "entries to that day, inclusive", NULL, false, false},
    {"as-known", "TIME", "what was on record at that time", NULL, false, false},
    {"standard", "FILE.csv", "the authority's standard accounts, by prefix,standard rows", NULL, false, false},
    {"contact", "NAME", "the person to be asked", NULL, false, false},
    {"bank-account", "NUMBER", "the company's", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_export_saft = {
    .name = "export",
    .verb = "saft",
    .words = "",
    .takes = KT_TAKES_BOOK,
    .group = KT_GROUP_READING,
    .summary = "write the entries as SAF-T Financial, Norwegian 1.10 or Danish 1.0",
    .about =
        "Balances are those before --from and on --to. Refused before anything is written where a line has no amount\n"
        "in the book's currency, more than 2 decimals, or a currency without three letters. The Norwegian file\n"
        "validates against Skatteetaten's schema; the Danish one could be held against public descriptions alone.",
    .options = options,
    .example = "kontor export saft --variant no --from 2026 --to 2026 --out saft-2026.xml",
    .run = run,
};
