/*
 * export: the walk that all writers of entries share, and what a writer is.
 *
 * Entries are walked twice in the order of record: the first time nothing is written and only refusals are looked for,
 * so that a book which a format cannot hold is refused before the first byte. Memory is flat: the longest entry.
 *
 * Errors: KT_UNSUPPORTED "entry 12, line 3: ..." where the format cannot hold something that balances depend on. What
 * they do not depend on and the format has no place for is left out and counted in the result.
 */
#ifndef KT_EXCHANGE_EXPORT_H
#define KT_EXCHANGE_EXPORT_H

#include "engine/exchange/pen.h"

typedef struct kt_exporter {
    kt_pen pen;
    kt_view *view;
    kt_company company; /* the newest facts */
    uint8_t decimals;   /* of the book's currency */
    kt_export_result result;
    struct { /* what csv tells an entry by, of the last one */
        kt_day date;
        size_t series_size, voucher_size; /* 0: it has no voucher */
        char series[KT_SERIES_MAX], voucher[KT_VOUCHER_MAX];
    } last;
} kt_exporter;

typedef struct kt_export_format {
    const char *name;
    kt_code (*begin)(kt_exporter *exporter, kt_error *error); /* what stands before the entries; NULL: nothing */
    kt_code (*entry)(kt_exporter *exporter, const kt_entry_view *view, kt_error *error);
} kt_export_format;

extern const kt_export_format kt_export_csv, kt_export_json, kt_export_journal;
extern const kt_export_format kt_export_gl_detail; /* of the ads */

kt_code kt_exporter_open(kt_view *view, kt_exporter **out, kt_error *error); /* free() */
/* One walk; write NULL: only looks for refusals. */
kt_code kt_exporter_walk(kt_exporter *exporter, const kt_export_format *format, const kt_export_options *options,
                         kt_export_write write, void *context, kt_error *error);

/* The line's currency, and its cost's: a code always. */
static inline kt_str kt_exporter_currency(const kt_exporter *exporter, kt_str currency) {
    return currency.size ? currency : exporter->company.currency;
}

/* The value of a dimension on a line; empty: none. */
kt_str kt_exporter_dimension(const kt_line *line, uint8_t dimension);

/* "entry 12, line 3" before what is said; returns the code. */
kt_code kt_exporter_refuse(const kt_entry_view *view, size_t line, const char *what, kt_error *error);

#endif
