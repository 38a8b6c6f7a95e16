#include "engine/exchange/sink.h"

#include <string.h>

static kt_code find_book_currency(void *to, kt_str *out, kt_error *error) {
    kt_book_sink *sink = to;
    kt_view *view = NULL;
    kt_company company = {0};
    kt_code code = kt_view_open(sink->book, NULL, &view, error);
    if (code != KT_OK) return code;
    code = kt_view_company(view, KT_DAY_MAX, &company, error);
    if (code == KT_OK && company.currency.size > KT_CURRENCY_CODE_MAX)
        code = kt_fail(error, KT_DAMAGED, "the book's currency has %zu bytes", company.currency.size);
    if (code == KT_OK) {
        memcpy(sink->currency, company.currency.data, company.currency.size);
        *out = (kt_str){sink->currency, company.currency.size};
    }
    kt_view_close(view);
    return code;
}

static kt_code begin(void *to, const kt_batch_options *options, kt_receipt *receipt, kt_error *error) {
    kt_book_sink *sink = to;
    return kt_batch_begin(sink->book, options, &sink->batch, receipt, error);
}

static kt_code name(void *to, const kt_batch_options *options, kt_receipt *receipt, kt_error *error) {
    return kt_batch_name(((kt_book_sink *)to)->batch, options, receipt, error);
}

static kt_code find_account(void *to, kt_str code, kt_account *out, kt_error *error) {
    return kt_batch_find_account(((kt_book_sink *)to)->batch, code, out, error);
}

static kt_code find_currency(void *to, kt_str code, uint8_t *decimals, bool *posted, kt_error *error) {
    return kt_batch_find_currency(((kt_book_sink *)to)->batch, code, decimals, posted, error);
}

static kt_code add_account(void *to, const kt_account *account, kt_error *error) {
    return kt_batch_account(((kt_book_sink *)to)->batch, account, error);
}

static kt_code add_currency(void *to, kt_str code, uint8_t decimals, kt_error *error) {
    return kt_batch_currency(((kt_book_sink *)to)->batch, code, decimals, error);
}

static kt_code add(void *to, const kt_entry *entry, kt_error *error) {
    kt_book_sink *sink = to;
    sink->proposals = kt_batch_proposed(sink->batch);
    return kt_batch_add(sink->batch, entry, NULL, error);
}

static bool proposed(void *to) {
    const kt_book_sink *sink = to;
    return kt_batch_proposed(sink->batch) != sink->proposals;
}

static kt_code commit(void *to, uint64_t rejected, kt_receipt *receipt, kt_error *error) {
    kt_book_sink *sink = to;
    kt_batch *batch = sink->batch;
    sink->batch = NULL;
    kt_batch_rejected(batch, rejected);
    return kt_batch_commit(batch, receipt, error);
}

static void give_up(void *to) {
    kt_book_sink *sink = to;
    kt_batch_abort(sink->batch);
    sink->batch = NULL;
}

const kt_sink kt_sink_book = {.currency = find_book_currency,
                              .begin = begin,
                              .name = name,
                              .find_account = find_account,
                              .find_currency = find_currency,
                              .add_account = add_account,
                              .add_currency = add_currency,
                              .add = add,
                              .proposed = proposed,
                              .judge = NULL,
                              .commit = commit,
                              .abort = give_up};
