/*
 * export_csv: kt_export_csv, the table that kt_format_csv reads, with all the columns it knows.
 *
 * The reader takes blanks off the ends of codes, has no column for a cost or for the user's own dimensions, and tells
 * entries by date, series and voucher: lines with those, and two entries in a row that share all three, are refused. A
 * text or reference of the entry stands on its lines that have none of their own. An entry without a voucher may come
 * back as several where its first lines balance already.
 */
#include <string.h>

#include "engine/exchange/export.h"
#include "engine/exchange/text.h"

static kt_code begin(kt_exporter *exporter, kt_error *error) {
    (void)error;
    exporter->last.voucher_size = 0;
    kt_pen_words(&exporter->pen, "date,series,voucher,account,amount,currency,text,cost_centre,department,project,ref,"
                                 "tax_code\n");
    return KT_OK;
}

/* What the reader would trim would be another code. */
static bool put_code(kt_pen *pen, kt_str code) {
    kt_pen_field(pen, code);
    kt_pen_put(pen, ",", 1);
    return kt_text_trim(code).size == code.size;
}

static kt_code check_line(const kt_entry_view *view, size_t i, kt_error *error) {
    const kt_line *line = &view->entry.lines[i];
    if (line->has_cost)
        return kt_exporter_refuse(view, i, "has a cost, for which csv has no column; export json or journal", error);
    for (uint8_t d = 0; d < line->dimension_count; d++)
        if (line->dimensions[d].dimension > KT_DIMENSION_PROJECT)
            return kt_exporter_refuse(
                view, i, "has a dimension of the user's own, for which csv has no column; export json", error);
    return KT_OK;
}

static kt_code put_line(kt_exporter *exporter, const kt_entry_view *view, size_t i, kt_error *error) {
    const kt_entry *entry = &view->entry;
    const kt_line *line = &entry->lines[i];
    kt_pen *pen = &exporter->pen;
    kt_code code = check_line(view, i, error);
    if (code != KT_OK) return code;
    kt_str text = line->text.size ? line->text : entry->text, ref = line->ref.size ? line->ref : entry->ref;
    kt_pen_day(pen, entry->date);
    kt_pen_put(pen, ",", 1);
    bool same = put_code(pen, entry->series);
    same = put_code(pen, entry->voucher) && same;
    same = put_code(pen, line->account) && same;
    kt_pen_amount(pen, line->amount, view->decimals[i]);
    kt_pen_put(pen, ",", 1);
    same = put_code(pen, kt_exporter_currency(exporter, line->currency)) && same;
    kt_pen_field(pen, text);
    kt_pen_put(pen, ",", 1);
    for (uint8_t d = KT_DIMENSION_COST_CENTRE; d <= KT_DIMENSION_PROJECT; d++)
        same = put_code(pen, kt_exporter_dimension(line, d)) && same;
    same = put_code(pen, ref) && same;
    kt_pen_field(pen, line->tax_code);
    kt_pen_put(pen, "\n", 1);
    if (!same || kt_text_trim(line->tax_code).size != line->tax_code.size)
        return kt_exporter_refuse(view, i, "has a code that begins or ends with a blank, which csv does not keep",
                                  error);
    if ((entry->text.size && line->text.size && !kt_str_equal(entry->text, line->text)) ||
        (entry->ref.size && line->ref.size && !kt_str_equal(entry->ref, line->ref)))
        exporter->result.texts_left_out++;
    return KT_OK;
}

/* Allowed where a voucher was posted twice on purpose. */
static kt_code check_key(kt_exporter *exporter, const kt_entry_view *view, kt_error *error) {
    const kt_entry *entry = &view->entry;
    const kt_str series = {exporter->last.series, exporter->last.series_size};
    const kt_str voucher = {exporter->last.voucher, exporter->last.voucher_size};
    if (entry->voucher.size && entry->date == exporter->last.date && kt_str_equal(entry->voucher, voucher) &&
        kt_str_equal(entry->series, series))
        return kt_exporter_refuse(view, 0,
                                  "has date, series and voucher of the one before, and csv tells entries by them; "
                                  "export json",
                                  error);
    if (entry->voucher.size > KT_VOUCHER_MAX || entry->series.size > KT_SERIES_MAX)
        return kt_exporter_refuse(view, 0, "has a voucher or series longer than a book keeps", error);
    exporter->last.date = entry->date;
    exporter->last.voucher_size = entry->voucher.size;
    exporter->last.series_size = entry->series.size;
    if (entry->voucher.size) memcpy(exporter->last.voucher, entry->voucher.data, entry->voucher.size);
    if (entry->series.size) memcpy(exporter->last.series, entry->series.data, entry->series.size);
    return KT_OK;
}

static kt_code put_entry(kt_exporter *exporter, const kt_entry_view *view, kt_error *error) {
    kt_code code = check_key(exporter, view, error);
    uint64_t texts = exporter->result.texts_left_out;
    for (size_t i = 0; i < view->entry.line_count && code == KT_OK; i++) code = put_line(exporter, view, i, error);
    if (exporter->result.texts_left_out > texts) exporter->result.texts_left_out = texts + 1; /* an entry's, once */
    exporter->result.minus_left_out += view->entry.minus;
    exporter->result.reverses_left_out += view->entry.reverses != 0;
    return code;
}

const kt_export_format kt_export_csv = {"csv", begin, put_entry};
