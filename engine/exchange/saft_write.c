/* saft_write: kt_export_saft, from its options to a whole file. */
#include "engine/exchange/saft_write.h"

#include <stdlib.h>
#include <string.h>

#include "engine/exchange/text.h"

/* What the file is said to select: as asked, else as far as there are entries. */
static void select_days(kt_saft_writer *w) {
    w->from = w->options->from;
    w->to = w->options->to;
    if (w->from == KT_DAY_NONE) w->from = w->head.first_day;
    if (w->to == KT_DAY_NONE) w->to = w->head.last_day;
    if (w->from == KT_DAY_NONE) w->from = w->to;
    if (w->to == KT_DAY_NONE) w->to = w->from;
    if (w->to < w->from) { /* one end was asked for, and no entry lies on that side of it */
        if (w->options->to == KT_DAY_NONE) w->to = w->from;
        else w->from = w->to;
    }
}

static void put_root(kt_saft_writer *w) {
    kt_saft_begin(w, "AuditFile");
    kt_saft_attribute(w, "xmlns",
                      w->danish ? "urn:StandardAuditFile-Taxation-Financial:DK"
                                : "urn:StandardAuditFile-Taxation-Financial:NO");
    kt_saft_attribute(w, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
    kt_saft_attribute(w, "xsi:schemaLocation",
                      w->danish
                          ? "urn:StandardAuditFile-Taxation-Financial:DK Danish_SAF-T_Financial_Schema_v_1_0.xsd"
                          : "urn:StandardAuditFile-Taxation-Financial:NO Norwegian_SAF-T_Financial_Schema_v_1.10.xsd");
}

static kt_code write_file(kt_saft_writer *w, kt_error *error) {
    kt_code code = kt_saft_pen_open(w, error);
    if (code != KT_OK) return code;
    put_root(w);
    kt_saft_header(w);
    kt_saft_master(w);
    code = kt_saft_entries(w, error);
    kt_saft_end(w);
    return code == KT_OK ? kt_saft_finish(w, error) : code;
}

static kt_code prepare(kt_saft_writer *w, const char *variant, kt_error *error) {
    char shown[KT_SHOWN];
    kt_currency currency;
    w->danish = strcmp(variant, "dk-1.0") == 0;
    if (!w->danish && strcmp(variant, "no-1.10") != 0)
        return kt_fail(error, KT_UNSUPPORTED, "SAF-T of the variant '%s' is not written; there are no-1.10 and dk-1.0",
                       kt_text_show(kt_str_from(variant), shown));
    kt_code code = kt_view_company(w->view, KT_DAY_MAX, &w->company, error);
    if (code == KT_OK) code = kt_view_currency(w->view, w->company.currency, &currency, error);
    if (code == KT_OK) code = kt_view_head(w->view, &w->head, error);
    if (code != KT_OK) return code;
    w->decimals = currency.decimals;
    w->batch_first = 1; /* of none: first behind last */
    select_days(w);
    return KT_OK;
}

kt_code kt_export_saft(kt_view *view, const char *variant, const kt_saft_options *options, kt_export_write write,
                       void *context, kt_saft_result *result, kt_error *error) {
    static const kt_saft_options all = {.from = KT_DAY_NONE, .to = KT_DAY_NONE};
    kt_saft_result unused;
    if (!result) result = &unused;
    memset(result, 0, sizeof *result);
    kt_saft_writer w = {
        .view = view, .options = options ? options : &all, .result = result, .write = write, .context = context};
    kt_code code = prepare(&w, variant, error);
    if (code == KT_OK) code = kt_saft_scan(&w, error);
    if (code == KT_OK) code = kt_saft_weigh(&w, error);
    if (code == KT_OK) code = write_file(&w, error);
    kt_saft_pen_close(&w);
    kt_codes_release(&w.analyses);
    kt_codes_release(&w.taxes);
    free(w.series);
    free(w.accounts);
    free(w.balances);
    return code;
}
