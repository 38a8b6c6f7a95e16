/* retention: kt_view_retention, which counts the entries of each fiscal year and says how long they are to be kept. */
#include <stdlib.h>

#include "engine/ledger/company.h"
#include "engine/view.h"
#include "storage/codec.h"
#include "storage/records.h"

typedef struct years {
    uint64_t *entries; /* of the years from `first` on, by the calendar year they begin in */
    int first, last;
} years;

static int year_of(const kt_company *company, kt_day day, kt_day *first, kt_day *last) {
    int year, month, dom;
    kt_fiscal_year(company, day, first, last);
    kt_day_to_civil(*first, &year, &month, &dom);
    return year;
}

static kt_code count_entries(kt_view *view, const kt_company *company, years *out, kt_error *error) {
    kt_records *records;
    kt_day first = 0, last = -1;
    int year = 0;
    kt_code code = kt_records_open(view->txn, view->end, &records, error);
    if (code != KT_OK) return code;
    for (uint64_t number = 0; number < view->end && code == KT_OK; number++) {
        kt_span bytes;
        kt_envelope envelope;
        code = kt_records_read_whole(records, number, &bytes, NULL, error);
        if (code == KT_OK) code = kt_envelope_open(bytes, &envelope, error);
        if (code != KT_OK || envelope.kind != KT_KIND_ENTRY) continue;
        if (envelope.date < first || envelope.date > last) year = year_of(company, envelope.date, &first, &last);
        if (year < out->first || year > out->last)
            code = kt_fail(error, KT_DAMAGED, "record %llu: lies outside the days on record",
                           (unsigned long long)number);
        else out->entries[year - out->first]++;
    }
    kt_records_close(records);
    return code;
}

static kt_day kept_until(const kt_company *company, kt_day last) {
    int year, month, dom;
    kt_day end;
    if (company->retention_years == 0) return KT_DAY_NONE;
    /* A fiscal year begins on a 28th at the latest, so that the day behind its end is there in every year. */
    kt_day_to_civil(last == KT_DAY_MAX ? last : last + 1, &year, &month, &dom);
    return kt_day_from_civil(year + company->retention_years, month, dom, &end) ? end - 1 : KT_DAY_MAX;
}

static void fill(const kt_company *company, const years *counted, kt_day at, kt_retention *rows, size_t *count) {
    for (int year = counted->first; year <= counted->last; year++) {
        uint64_t entries = counted->entries[year - counted->first];
        kt_retention *row = &rows[*count];
        int month = company->fiscal_month ? company->fiscal_month : 1,
            dom = company->fiscal_day ? company->fiscal_day : 1;
        kt_day begin;
        if (entries == 0) continue;
        if (!kt_day_from_civil(year, month, dom, &begin)) begin = KT_DAY_MIN;
        kt_fiscal_year(company, begin, &row->first, &row->last);
        row->entries = entries;
        row->kept_until = kept_until(company, row->last);
        row->past = row->kept_until != KT_DAY_NONE && at > row->kept_until;
        (*count)++;
    }
}

kt_code kt_view_retention(kt_view *view, kt_day at, kt_retention **out, size_t *count, kt_error *error) {
    kt_company company;
    kt_head head;
    years counted = {0};
    kt_day first, last;
    *out = NULL;
    *count = 0;
    kt_code code = kt_view_company(view, at, &company, error);
    if (code == KT_OK) code = kt_view_head(view, &head, error);
    if (code != KT_OK) return code;
    bool none = head.first_day == KT_DAY_NONE;
    if (!none) {
        counted.first = year_of(&company, head.first_day, &first, &last);
        counted.last = year_of(&company, head.last_day, &first, &last);
    } else counted.last = -1;
    size_t room = (size_t)(counted.last - counted.first + 1);
    counted.entries = calloc(room + 1, sizeof *counted.entries);
    *out = calloc(room + 1, sizeof **out);
    if (counted.entries == NULL || *out == NULL) code = kt_fail(error, KT_MEMORY, "out of memory");
    if (code == KT_OK) code = count_entries(view, &company, &counted, error);
    if (code == KT_OK) fill(&company, &counted, at, *out, count);
    free(counted.entries);
    if (code == KT_OK) return code;
    free(*out);
    *out = NULL;
    return code;
}
