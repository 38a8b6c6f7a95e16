#include "engine/exchange/export.h"

#include <stdlib.h>
#include <string.h>

#include "engine/exchange/tlog.h"
#include "engine/view.h"

static kt_code add_records(kt_view *view, kt_tlog_writer *writer, kt_error *error) {
    kt_records *records;
    kt_span record;
    kt_code code = kt_records_open(view->txn, view->end, &records, error);
    if (code != KT_OK) return code;
    for (uint64_t number = 0; number < view->end && code == KT_OK; number++) {
        code = kt_records_read(records, number, &record, error);
        if (code == KT_OK) code = kt_tlog_writer_add(writer, record.data, record.size, error);
    }
    kt_records_close(records);
    return code;
}

kt_code kt_export_tlog(kt_view *view, const char *directory, bool hashes_only, kt_error *error) {
    kt_tlog_writer *writer;
    char *note = NULL;
    size_t size;
    kt_code code = kt_view_checkpoint(view, &note, &size, error);
    if (code != KT_OK) return code;
    code = kt_tlog_writer_open(directory, hashes_only, &writer, error);
    if (code == KT_OK) {
        code = add_records(view, writer, error);
        if (code == KT_OK) code = kt_tlog_writer_finish(writer, note, size, error);
        kt_tlog_writer_close(writer);
    }
    free(note);
    return code;
}

/* ---- Entries ------------------------------------------------------------------------------------ */

kt_str kt_exporter_dimension(const kt_line *line, uint8_t dimension) {
    for (uint8_t i = 0; i < line->dimension_count; i++)
        if (line->dimensions[i].dimension == dimension) return line->dimensions[i].value;
    return (kt_str){0};
}

kt_code kt_exporter_refuse(const kt_entry_view *view, size_t line, const char *what, kt_error *error) {
    return kt_fail(error, KT_UNSUPPORTED, "entry %llu, line %zu: %s", (unsigned long long)view->number, line + 1, what);
}

kt_code kt_exporter_open(kt_view *view, kt_exporter **out, kt_error *error) {
    kt_currency currency = {0};
    kt_exporter *exporter = malloc(sizeof *exporter);
    *out = NULL;
    if (!exporter) return kt_fail(error, KT_MEMORY, "no memory for an export");
    exporter->view = view;
    kt_code code = kt_view_company(view, KT_DAY_MAX, &exporter->company, error);
    if (code == KT_OK) code = kt_view_currency(view, exporter->company.currency, &currency, error);
    exporter->decimals = currency.decimals;
    if (code == KT_OK) *out = exporter;
    else free(exporter);
    return code;
}

typedef struct walk {
    kt_exporter *exporter;
    const kt_export_format *format;
} walk;

static kt_code on_entry(void *context, const kt_entry_view *view, kt_error *error) {
    walk *at = context;
    kt_exporter *exporter = at->exporter;
    exporter->result.entries++;
    exporter->result.lines += view->entry.line_count;
    kt_code code = at->format->entry(exporter, view, error);
    if (code == KT_OK && kt_pen_failed(&exporter->pen)) code = kt_pen_finish(&exporter->pen, error);
    return code;
}

kt_code kt_exporter_walk(kt_exporter *exporter, const kt_export_format *format, const kt_export_options *options,
                         kt_export_write write, void *context, kt_error *error) {
    walk at = {exporter, format};
    kt_journal_filter filter = {.from = options ? options->from : KT_DAY_NONE,
                                .to = options ? options->to : KT_DAY_NONE};
    kt_pen_init(&exporter->pen, write, context);
    exporter->result = (kt_export_result){0};
    kt_code code = format->begin ? format->begin(exporter, error) : KT_OK;
    if (code == KT_OK) code = kt_entries(exporter->view, &filter, on_entry, &at, error);
    return code == KT_OK ? kt_pen_finish(&exporter->pen, error) : code;
}

kt_code kt_export(kt_view *view, const char *format, const kt_export_options *options, kt_export_write write,
                  void *context, kt_export_result *result, kt_error *error) {
    static const kt_export_format *const formats[] = {&kt_export_csv, &kt_export_json, &kt_export_journal};
    const kt_export_format *found = NULL;
    kt_exporter *exporter;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i]->name, format) == 0) found = formats[i];
    if (!found)
        return kt_fail(error, KT_UNSUPPORTED, "format %.40s is not written; expected csv, json or journal", format);
    kt_code code = kt_exporter_open(view, &exporter, error);
    if (code != KT_OK) return code;
    code = kt_exporter_walk(exporter, found, options, NULL, NULL, error);
    if (code == KT_OK) code = kt_exporter_walk(exporter, found, options, write, context, error);
    if (result) *result = exporter->result;
    free(exporter);
    return code;
}
