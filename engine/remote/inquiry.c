#include "engine/remote/inquiry.h"

#include "engine/ledger/account.h"
#include "engine/ledger/currency.h"
#include "engine/ledger/dimension.h"
#include "engine/logkey.h"

#define US_PER_DAY 86400000000ll

static kt_code find_currency(kt_view *view, kt_str code, kt_told_currency *out, kt_error *error) {
    kt_currency_slot facts;
    kt_span value, key = kt_span_of(code.data, code.size);
    kt_code result = kt_state_get(view->state, KT_TABLE_CURRENCIES, key, &value, error);
    if (result == KT_OK) result = kt_currency_facts_read(key, value, &facts, error);
    if (result == KT_OK) *out = (kt_told_currency){code, facts.decimals, facts.posted};
    return result;
}

/* The book's own first, so that it is there however many there are. */
static kt_code list_currencies(kt_view *view, kt_str book, kt_told_currency *out, uint32_t *count, kt_error *error) {
    kt_cursor *cursor;
    kt_currency_slot facts;
    kt_span key, value;
    *count = 1;
    kt_code code = find_currency(view, book, &out[0], error);
    if (code == KT_OK) code = kt_cursor_open(view->txn, KT_TABLE_CURRENCIES, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_first(cursor, &key, &value, error); code == KT_OK && *count < KT_FRAME_CURRENCIES_MAX;
         code = kt_cursor_next(cursor, &key, &value, error)) {
        kt_str name = {(const char *)key.data, key.size};
        if (kt_str_equal(name, book)) continue;
        code = kt_currency_facts_read(key, value, &facts, error);
        if (code != KT_OK) break;
        out[(*count)++] = (kt_told_currency){kt_view_keep(view, name), facts.decimals, facts.posted};
    }
    kt_cursor_close(cursor);
    return code == KT_END ? KT_OK : code;
}

kt_code kt_inquiry_hello(kt_view *view, kt_pack *pack, kt_error *error) {
    const kt_genesis *genesis = kt_book_genesis(view->book);
    kt_told_currency currencies[KT_FRAME_CURRENCIES_MAX];
    kt_company company;
    uint8_t log_key[KT_KEY_SIZE];
    kt_code code = kt_view_company(view, KT_DAY_MAX, &company, error);
    if (code == KT_OK) code = kt_log_key_at(view->txn, UINT64_MAX, log_key, error);
    if (code != KT_OK) return code;
    kt_hello hello = {.protocol = KT_PROTOCOL,
                      .origin = kt_str_from(genesis->origin),
                      .entity = kt_str_from(genesis->entity),
                      .currency = company.currency,
                      .log_key = log_key,
                      .fiscal_month = company.fiscal_month,
                      .fiscal_day = company.fiscal_day,
                      .today = (kt_day)(view->row.recorded_us / US_PER_DAY)};
    code = list_currencies(view, company.currency, currencies, &hello.count, error);
    if (code == KT_OK) kt_hello_pack(pack, &hello, currencies);
    return code;
}

static kt_code known(kt_code code, bool *out) {
    *out = code == KT_OK;
    return code == KT_NOT_FOUND ? KT_OK : code;
}

kt_code kt_inquiry_answer(kt_view *view, kt_span body, kt_pack *pack, kt_error *error) {
    kt_question question;
    kt_answer answer = {0};
    kt_account account;
    kt_told_currency currency;
    kt_code code = kt_question_read(body, &question, error);
    if (code != KT_OK) return code;
    answer.account_count = question.account_count;
    answer.currency_count = question.currency_count;
    answer.dimension_count = question.dimension_count;
    for (uint32_t i = 0; i < question.account_count && code == KT_OK; i++)
        code = known(kt_account_facts(view->state, question.accounts[i], &account, error), &answer.accounts[i]);
    for (uint32_t i = 0; i < question.currency_count && code == KT_OK; i++) {
        code = known(find_currency(view, question.currencies[i], &currency, error), &answer.currencies[i].known);
        if (!answer.currencies[i].known) continue;
        answer.currencies[i].decimals = currency.decimals;
        answer.currencies[i].posted = currency.posted;
    }
    for (uint32_t i = 0; i < question.dimension_count && code == KT_OK; i++)
        code = known(kt_dimension_recorded(view->state, &question.dimensions[i], error), &answer.dimensions[i]);
    if (code == KT_OK) kt_answer_pack(pack, &answer);
    return code;
}

kt_code kt_inquiry_batch(kt_view *view, const kt_batch_frame *frame, kt_receipt *receipt, char note[KT_CHECKPOINT_MAX],
                         kt_error *error) {
    return kt_accept_look_up(view->state, kt_book_origin(view->book), frame, receipt, note, error);
}
