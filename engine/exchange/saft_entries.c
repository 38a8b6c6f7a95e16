/* saft_entries: GeneralLedgerEntries of a SAF-T file, a Journal for each series. */
#include "engine/exchange/export.h"
#include "engine/exchange/saft_write.h"
#include "engine/fold.h"
#include "engine/view.h"

#define DAY_US ((int64_t)86400 * 1000000)

/* The day (UTC) the entry's batch was recorded; entries of one batch stand together. */
static kt_code recorded_day(kt_saft_writer *w, uint64_t number, kt_day *out, kt_error *error) {
    kt_batch_row row;
    if (number < w->batch_first || number > w->batch_last) {
        kt_code code = kt_batch_row_of(w->view->state, number, &row, error);
        if (code == KT_NOT_FOUND)
            return kt_fail(error, KT_DAMAGED, "entry %llu lies in no batch", (unsigned long long)number);
        if (code != KT_OK) return code;
        w->batch_first = row.first;
        w->batch_last = row.last;
        int64_t day = row.recorded_us / DAY_US - (row.recorded_us % DAY_US < 0);
        w->batch_day = day < KT_DAY_MIN ? KT_DAY_MIN : day > KT_DAY_MAX ? KT_DAY_MAX : (kt_day)day;
    }
    *out = w->batch_day;
    return KT_OK;
}

static void put_period(kt_saft_writer *w, kt_day day) {
    kt_day first, last;
    int year, month, dom;
    kt_fiscal_year(&w->company, day, &first, &last);
    kt_day_to_civil(last, &year, &month, &dom);
    kt_saft_count(w, "Period", (uint64_t)(kt_day_month(day) - kt_day_month(first) + 1));
    kt_saft_count(w, "PeriodYear", (uint64_t)year);
}

static void put_amount(kt_saft_writer *w, const kt_entry_view *view, size_t i) {
    const kt_line *line = &view->entry.lines[i];
    kt_amount book = 0, rate;
    (void)kt_saft_book_amount(w, line, &book);
    bool credit = kt_saft_is_credit(&view->entry, line, book);
    bool foreign = line->currency.size && !kt_str_equal(line->currency, w->company.currency);
    kt_saft_begin(w, credit ? "CreditAmount" : "DebitAmount");
    kt_saft_amount(w, "Amount", credit ? -book : book, w->decimals);
    if (foreign) {
        kt_saft_text(w, "CurrencyCode", line->currency, 3);
        kt_saft_amount(w, "CurrencyAmount", credit ? -line->amount : line->amount, view->decimals[i]);
        if (kt_saft_rate(book, w->decimals, line->amount, view->decimals[i], &rate)) {
            char text[KT_AMOUNT_TEXT];
            uint8_t places = 8;
            for (; places > 0 && rate % 10 == 0; places--) rate /= 10;
            kt_amount_format(rate, places, 0, text);
            kt_saft_words(w, "ExchangeRate", text);
        }
    }
    kt_saft_end(w);
}

static void put_line(kt_saft_writer *w, const kt_entry_view *view, size_t i) {
    const kt_entry *entry = &view->entry;
    const kt_line *line = &entry->lines[i];
    kt_str ref = kt_saft_line_ref(entry, line);
    kt_saft_begin(w, "Line");
    kt_saft_count(w, "RecordID", i + 1);
    kt_saft_text(w, "AccountID", line->account, 70);
    for (uint8_t d = 0; d < line->dimension_count; d++) {
        kt_saft_begin(w, "Analysis");
        kt_saft_words(w, "AnalysisType", kt_saft_analysis_type(line->dimensions[d].dimension));
        kt_saft_text(w, "AnalysisID", line->dimensions[d].value, KT_SAFT_CHARACTERS);
        kt_saft_end(w);
    }
    kt_saft_text(w, "Description", line->text.size ? line->text : entry->text, KT_SAFT_CHARACTERS);
    put_amount(w, view, i);
    if (ref.size) kt_saft_text(w, "ReferenceNumber", ref, 35);
    kt_saft_end(w);
}

static kt_code put_entry(kt_saft_writer *w, const kt_entry_view *view, kt_error *error) {
    const kt_entry *entry = &view->entry;
    kt_day recorded = 0;
    char number[32];
    kt_code code = recorded_day(w, view->number, &recorded, error);
    if (code != KT_OK) return code;
    (void)snprintf(number, sizeof number, "#%llu", (unsigned long long)view->number);
    kt_saft_begin(w, "Transaction");
    kt_saft_text(w, "TransactionID", entry->voucher.size ? entry->voucher : kt_str_from(number), 70);
    put_period(w, entry->date);
    kt_saft_day(w, "TransactionDate", entry->date);
    kt_saft_text(w, "Description", entry->text, KT_SAFT_CHARACTERS);
    kt_saft_day(w, "SystemEntryDate", recorded);
    kt_saft_day(w, "GLPostingDate", recorded);
    kt_saft_words(w, "SystemID", number + 1);
    for (size_t i = 0; i < entry->line_count; i++) put_line(w, view, i);
    kt_saft_end(w);
    return KT_OK;
}

typedef struct walk {
    kt_saft_writer *writer;
    kt_str journal;
} walk;

static kt_code on_entry(void *context, const kt_entry_view *view, kt_error *error) {
    walk *at = context;
    if (!kt_str_equal(kt_saft_journal_id(&view->entry), at->journal)) return KT_OK;
    kt_code code = put_entry(at->writer, view, error);
    return code == KT_OK && at->writer->failed ? KT_END : code; /* kt_saft_finish says why */
}

static kt_code put_journal(kt_saft_writer *w, const kt_saft_series *series, kt_error *error) {
    walk at = {w, kt_str_from(series->name)};
    kt_journal_filter filter = {
        .from = w->options->from, .to = w->options->to, .first = series->first, .last = series->last};
    kt_saft_begin(w, "Journal");
    kt_saft_words(w, "JournalID", series->name);
    kt_saft_words(w, "Description", series->name);
    kt_saft_words(w, "Type", "GL");
    kt_code code = kt_entries(w->view, &filter, on_entry, &at, error);
    kt_saft_end(w);
    return code;
}

kt_code kt_saft_entries(kt_saft_writer *w, kt_error *error) {
    kt_code code = KT_OK;
    kt_saft_begin(w, "GeneralLedgerEntries");
    kt_saft_count(w, "NumberOfEntries", w->result->all.entries);
    kt_saft_amount(w, "TotalDebit", w->result->debit, w->decimals);
    kt_saft_amount(w, "TotalCredit", w->result->credit, w->decimals);
    for (size_t i = 0; i < w->series_count && code == KT_OK && !w->failed; i++)
        code = put_journal(w, &w->series[i], error);
    kt_saft_end(w);
    return code;
}
