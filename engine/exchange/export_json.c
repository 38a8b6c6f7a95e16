/*
 * export_json: kt_export_json, the JSON lines that kt_format_json reads. Amounts are strings with all decimals of their
 * currency; currencies are always named; what is empty is left out.
 */
#include "engine/exchange/export.h"

static void member(kt_pen *pen, const char *before, kt_str text) {
    if (text.size == 0) return;
    kt_pen_words(pen, before);
    kt_pen_string(pen, text, "");
}

static void put_dimensions(kt_pen *pen, const kt_line *line) {
    member(pen, ",\"cost_centre\":", kt_exporter_dimension(line, KT_DIMENSION_COST_CENTRE));
    member(pen, ",\"department\":", kt_exporter_dimension(line, KT_DIMENSION_DEPARTMENT));
    member(pen, ",\"project\":", kt_exporter_dimension(line, KT_DIMENSION_PROJECT));
    bool open = false;
    for (uint8_t d = 0; d < line->dimension_count; d++) {
        if (line->dimensions[d].dimension <= KT_DIMENSION_PROJECT) continue;
        kt_pen_words(pen, open ? ",\"" : ",\"dimensions\":{\"");
        kt_pen_count(pen, line->dimensions[d].dimension);
        member(pen, "\":", line->dimensions[d].value);
        open = true;
    }
    if (open) kt_pen_put(pen, "}", 1);
}

static void put_line(kt_exporter *exporter, const kt_entry_view *view, size_t i) {
    const kt_line *line = &view->entry.lines[i];
    kt_pen *pen = &exporter->pen;
    kt_pen_words(pen, i ? ",{" : "{");
    member(pen, "\"account\":", line->account);
    kt_pen_words(pen, ",\"amount\":\"");
    kt_pen_amount(pen, line->amount, view->decimals[i]);
    member(pen, "\",\"currency\":", kt_exporter_currency(exporter, line->currency));
    if (line->has_cost) {
        kt_pen_words(pen, ",\"cost\":\"");
        kt_pen_amount(pen, line->cost, view->cost_decimals[i]);
        member(pen, "\",\"cost_currency\":", kt_exporter_currency(exporter, line->cost_currency));
    }
    member(pen, ",\"text\":", line->text);
    put_dimensions(pen, line);
    member(pen, ",\"ref\":", line->ref);
    member(pen, ",\"tax_code\":", line->tax_code);
    kt_pen_put(pen, "}", 1);
}

static kt_code put_entry(kt_exporter *exporter, const kt_entry_view *view, kt_error *error) {
    (void)error; /* it holds everything */
    const kt_entry *entry = &view->entry;
    kt_pen *pen = &exporter->pen;
    kt_pen_words(pen, "{\"date\":\"");
    kt_pen_day(pen, entry->date);
    kt_pen_put(pen, "\"", 1);
    member(pen, ",\"series\":", entry->series);
    member(pen, ",\"voucher\":", entry->voucher);
    member(pen, ",\"text\":", entry->text);
    member(pen, ",\"ref\":", entry->ref);
    kt_pen_words(pen, ",\"lines\":[");
    for (size_t i = 0; i < entry->line_count; i++) put_line(exporter, view, i);
    kt_pen_words(pen, "]}\n");
    exporter->result.minus_left_out += entry->minus;
    exporter->result.reverses_left_out += entry->reverses != 0;
    return KT_OK;
}

const kt_export_format kt_export_json = {"json", NULL, put_entry};
