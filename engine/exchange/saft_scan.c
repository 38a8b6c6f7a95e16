/* saft_scan: the first walk of an export to SAF-T: what the format cannot hold, and what stands before the entries. */
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/export.h"
#include "engine/exchange/saft_write.h"
#include "engine/exchange/text.h"

#define JOURNAL_MAX 18 /* SAFshorttextType */
#define ACCOUNT_MAX 70 /* SAFmiddle2textType */
#define FIRST_YEAR 1970
#define LAST_YEAR 2100

/* ---- Values ------------------------------------------------------------------------------------- */

bool kt_saft_book_amount(const kt_saft_writer *writer, const kt_line *line, kt_amount *out) {
    bool own = line->currency.size == 0 || kt_str_equal(line->currency, writer->company.currency);
    bool cost = line->cost_currency.size == 0 || kt_str_equal(line->cost_currency, writer->company.currency);
    if (!own && (!line->has_cost || !cost)) return false;
    *out = own ? line->amount : line->cost;
    return true;
}

bool kt_saft_monetary(kt_amount amount, uint8_t decimals, kt_amount *out, uint8_t *written) {
    const kt_amount limit = (kt_amount)1000000000000000000; /* SAFmonetaryType: 18 digits, 2 of them behind the point */
    *written = decimals > 2 ? 2 : decimals;
    if (!kt_amount_rescale(amount, decimals, *written, KT_ROUND_EXACT, out)) return false;
    return *out<limit && * out> - limit;
}

bool kt_saft_is_credit(const kt_entry *entry, const kt_line *line, kt_amount book) {
    kt_amount sign = book != 0 ? book : line->amount;
    return entry->minus ? sign > 0 : sign < 0;
}

bool kt_saft_rate(kt_amount book, uint8_t book_decimals, kt_amount foreign, uint8_t decimals, kt_amount *out) {
    kt_amount numerator = 1, denominator = 1;
    if (foreign == 0 || book == 0 || (foreign < 0) != (book < 0) || decimals > 18 || book_decimals > 18) return false;
    for (unsigned i = 0; i < 8u + decimals; i++) numerator *= 10;
    for (unsigned i = 0; i < book_decimals; i++) denominator *= 10;
    if (__builtin_mul_overflow(denominator, foreign, &denominator)) return false;
    return kt_amount_ratio(book, numerator, denominator, KT_ROUND_EXACT, out) && *out < (kt_amount)1000000000000000000;
}

/* Every journal has an id; entries without a series are the general ledger's. */
kt_str kt_saft_journal_id(const kt_entry *entry) { return entry->series.size ? entry->series : KT_STR("GL"); }

const char *kt_saft_analysis_type(uint8_t dimension) {
    static const char *const types[KT_DIMENSIONS_MAX + 1] = {"",   "K",  "A",  "P",  "D4",  "D5",
                                                             "D6", "D7", "D8", "D9", "D10", "D11"};
    return types[dimension];
}

kt_str kt_saft_line_ref(const kt_entry *entry, const kt_line *line) { return line->ref.size ? line->ref : entry->ref; }

/* ---- Refusals ----------------------------------------------------------------------------------- */

/* A code stands in the file as it is, or the entry does not. */
static kt_code check_code(const kt_entry_view *view, size_t line, kt_str code, size_t most, const char *what,
                          kt_error *error) {
    char field[KT_SAFT_FIELD], shown[KT_SHOWN], sentence[200];
    kt_saft_change change = kt_saft_field(code, most, field);
    if (!change.cut && !change.replaced) return KT_OK;
    (void)snprintf(sentence, sizeof sentence, "%s '%s' %s", what, kt_text_show(code, shown),
                   change.cut ? "is longer than the format's field" : "has a character that XML cannot hold");
    (void)most;
    return kt_exporter_refuse(view, line, sentence, error);
}

static kt_code check_foreign(const kt_entry_view *view, size_t i, kt_error *error) {
    const kt_line *line = &view->entry.lines[i];
    kt_amount written;
    uint8_t places;
    if (line->currency.size != 3)
        return kt_exporter_refuse(view, i, "the currency's code has not three letters, as SAF-T wants", error);
    if (!kt_saft_monetary(line->amount, view->decimals[i], &written, &places))
        return kt_exporter_refuse(view, i, "the amount in its own currency has more than 2 decimals or 18 digits",
                                  error);
    return check_code(view, i, line->currency, 3, "the currency", error);
}

static kt_code add_code(kt_codes *codes, uint8_t dimension, kt_str value, kt_error *error) {
    char room[KT_DIMENSION_VALUE_MAX + KT_REF_MAX];
    if (value.size >= sizeof room) value.size = sizeof room - 1;
    room[0] = (char)dimension;
    if (value.size) memcpy(room + 1, value.data, value.size);
    return kt_codes_add(codes, (kt_str){room, value.size + 1}, (kt_str){0}, KT_UNCLASSIFIED, error);
}

static kt_code scan_line(kt_saft_writer *w, const kt_entry_view *view, size_t i, kt_error *error) {
    const kt_entry *entry = &view->entry;
    const kt_line *line = &entry->lines[i];
    kt_amount book, written;
    uint8_t places;
    if (!kt_saft_book_amount(w, line, &book))
        return kt_exporter_refuse(view, i, "has no amount in the book's currency, which SAF-T wants for every line",
                                  error);
    if (!kt_saft_monetary(book, w->decimals, &written, &places))
        return kt_exporter_refuse(view, i, "the amount has more than 2 decimals or 18 digits", error);
    bool foreign = line->currency.size && !kt_str_equal(line->currency, w->company.currency);
    kt_code code = foreign ? check_foreign(view, i, error) : KT_OK;
    if (code == KT_OK) code = check_code(view, i, line->account, ACCOUNT_MAX, "the account", error);
    for (uint8_t d = 0; d < line->dimension_count && code == KT_OK; d++)
        code = add_code(&w->analyses, line->dimensions[d].dimension, line->dimensions[d].value, error);
    if (code == KT_OK && line->tax_code.size) code = add_code(&w->taxes, 0, line->tax_code, error);
    if (code != KT_OK) return code;
    w->result->tax_codes_left_out += line->tax_code.size > 0;
    bool credit = kt_saft_is_credit(entry, line, book);
    kt_amount *total = credit ? &w->result->credit : &w->result->debit;
    if (!kt_amount_add(*total, credit ? -book : book, total))
        return kt_exporter_refuse(view, i, "the totals are beyond what can be counted", error);
    return KT_OK;
}

/* ---- Series ------------------------------------------------------------------------------------- */

static int compare(const kt_saft_series *series, kt_str name) {
    size_t size = strlen(series->name), least = size < name.size ? size : name.size;
    int order = memcmp(series->name, name.data, least);
    return order ? order : (size > name.size) - (size < name.size);
}

/* The last one asked for is mostly the next one too. */
static kt_code find_series(kt_saft_writer *w, kt_str name, kt_saft_series **out, kt_error *error) {
    size_t low = 0, high = w->series_count;
    *out = w->series_count ? &w->series[w->series_last] : NULL;
    if (*out && compare(*out, name) == 0) return KT_OK;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare(&w->series[middle], name);
        if (order == 0) {
            w->series_last = middle;
            *out = &w->series[middle];
            return KT_OK;
        }
        if (order > 0) high = middle;
        else low = middle + 1;
    }
    if (w->series_count == w->series_room) {
        size_t room = w->series_room ? w->series_room * 2 : 16;
        kt_saft_series *larger = realloc(w->series, room * sizeof *larger);
        if (!larger) return kt_fail(error, KT_MEMORY, "no memory for an export");
        w->series = larger;
        w->series_room = room;
    }
    memmove(&w->series[low + 1], &w->series[low], (w->series_count - low) * sizeof *w->series);
    w->series_count++;
    w->series_last = low;
    *out = &w->series[low];
    **out = (kt_saft_series){.first = UINT64_MAX};
    memcpy((*out)->name, name.data, name.size);
    return KT_OK;
}

/* ---- Entries ------------------------------------------------------------------------------------ */

static kt_code scan_entry(void *context, const kt_entry_view *view, kt_error *error) {
    kt_saft_writer *w = context;
    kt_saft_result *result = w->result;
    const kt_entry *entry = &view->entry;
    kt_saft_series *series;
    kt_day first, last;
    int year, month, dom;
    bool refs = false;
    kt_fiscal_year(&w->company, entry->date, &first, &last);
    kt_day_to_civil(last, &year, &month, &dom);
    if (year < FIRST_YEAR || year > LAST_YEAR)
        return kt_exporter_refuse(
            view, 0, "lies in a fiscal year before 1970 or behind 2100, which SAF-T has no place for", error);
    kt_code code = check_code(view, 0, kt_saft_journal_id(entry), JOURNAL_MAX, "the series", error);
    if (code == KT_OK) code = check_code(view, 0, entry->voucher, ACCOUNT_MAX, "the voucher", error);
    for (size_t i = 0; i < entry->line_count && code == KT_OK; i++) {
        code = scan_line(w, view, i, error);
        refs = refs || (entry->ref.size && entry->lines[i].ref.size && !kt_str_equal(entry->ref, entry->lines[i].ref));
    }
    if (code == KT_OK) code = find_series(w, kt_saft_journal_id(entry), &series, error);
    if (code != KT_OK) return code;
    if (series->first == UINT64_MAX) series->first = view->number;
    series->last = view->number;
    result->all.entries++;
    result->all.lines += entry->line_count;
    result->all.texts_left_out += refs;
    result->all.reverses_left_out += entry->reverses != 0;
    return KT_OK;
}

kt_code kt_saft_scan(kt_saft_writer *w, kt_error *error) {
    kt_journal_filter filter = {.from = w->options->from, .to = w->options->to};
    kt_amount written;
    uint8_t places;
    if (w->company.currency.size != 3)
        return kt_fail(error, KT_UNSUPPORTED,
                       "the book's currency has a code of %zu letters; SAF-T has place for three",
                       w->company.currency.size);
    kt_code code = kt_entries(w->view, &filter, scan_entry, w, error);
    if (code != KT_OK) return code;
    w->result->journals = w->series_count;
    w->result->decimals = w->decimals;
    if (!kt_saft_monetary(w->result->debit, w->decimals, &written, &places) ||
        !kt_saft_monetary(w->result->credit, w->decimals, &written, &places))
        return kt_fail(error, KT_UNSUPPORTED,
                       "the totals of the entries have more than 18 digits; SAF-T has no place for "
                       "them: export a shorter time");
    return KT_OK;
}
