#include "engine/ledger/company.h"

#include "engine/ledger/currency.h"
#include "storage/codec.h"

#define TEXTS 7

static void texts_of(kt_company *company, kt_str *out[TEXTS]) {
    kt_str *all[TEXTS] = {&company->entity,     &company->currency, &company->time_zone, &company->company_number,
                          &company->vat_number, &company->address,  &company->calendar};
    memcpy(out, all, sizeof all);
}

size_t kt_company_record(const kt_company *company, kt_day from, uint8_t *out, size_t room) {
    kt_pack pack;
    kt_company copy = *company;
    kt_str *texts[TEXTS];
    texts_of(&copy, texts);
    kt_pack_init(&pack, out, room);
    bool kept = company->retention_years != 0;
    kt_pack_envelope(&pack, KT_KIND_COMPANY, kept ? KT_COMPANY_VERSION : 1, from);
    kt_pack_array(&pack, kept ? TEXTS + 3 : TEXTS + 2);
    kt_pack_uint(&pack, company->fiscal_month);
    kt_pack_uint(&pack, company->fiscal_day);
    for (unsigned i = 0; i < TEXTS; i++) kt_pack_text(&pack, texts[i]->data, texts[i]->size);
    if (kept) kt_pack_uint(&pack, company->retention_years);
    return pack.size;
}

bool kt_company_read(kt_span body, kt_company *out) {
    kt_unpack unpack;
    uint32_t count;
    uint64_t month, day, years = 1;
    kt_str *texts[TEXTS];
    *out = (kt_company){0};
    texts_of(out, texts);
    kt_unpack_init(&unpack, body);
    if (!kt_unpack_array(&unpack, &count) || (count != TEXTS + 2 && count != TEXTS + 3) ||
        !kt_unpack_uint(&unpack, &month) || !kt_unpack_uint(&unpack, &day) || month < 1 || month > 12 || day < 1 ||
        day > 28)
        return false;
    for (unsigned i = 0; i < TEXTS; i++) kt_unpack_text(&unpack, &texts[i]->data, &texts[i]->size);
    out->fiscal_month = (uint8_t)month;
    out->fiscal_day = (uint8_t)day;
    if (count == TEXTS + 3 && (!kt_unpack_uint(&unpack, &years) || years < 1 || years > UINT8_MAX)) return false;
    out->retention_years = count == TEXTS + 3 ? (uint8_t)years : 0;
    return kt_unpack_done(&unpack);
}

static kt_code facts_at(kt_state *state, kt_day day, uint64_t end, kt_company *out, kt_day *since, uint64_t *record,
                        kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    bool found = false;
    kt_code code = kt_cursor_open(kt_state_txn(state), KT_TABLE_COMPANY, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_first(cursor, &key, &value, error); code == KT_OK;
         code = kt_cursor_next(cursor, &key, &value, error)) {
        if (key.size != 12) {
            code = kt_fail(error, KT_DAMAGED, "the company's facts are malformed");
            break;
        }
        kt_day from = (kt_day)(kt_get_be32(key.data) ^ 0x80000000u);
        if (kt_get_be64(key.data + 4) >= end || (found && from > day)) continue;
        if (!kt_company_read(value, out)) {
            code = kt_fail(error, KT_DAMAGED, "the company's facts are malformed");
            break;
        }
        *since = from;
        *record = kt_get_be64(key.data + 4);
        found = true;
    }
    kt_cursor_close(cursor);
    if (code != KT_END) return code;
    return found ? KT_OK : KT_NOT_FOUND;
}

kt_code kt_company_at(kt_state *state, kt_day day, uint64_t end, kt_company *out, kt_error *error) {
    kt_day since;
    uint64_t record;
    return facts_at(state, day, end, out, &since, &record, error);
}

kt_code kt_company_number(kt_state *state, kt_day day, uint64_t end, uint64_t *number, kt_error *error) {
    kt_company company;
    kt_day since;
    return facts_at(state, day, end, &company, &since, number, error);
}

static kt_code remember(kt_ledger *ledger, const kt_company *company, kt_day from, kt_error *error) {
    kt_company_now *now = &ledger->company;
    kt_currency_slot *slot;
    kt_code code = kt_currency_slot_find(ledger, company->currency, &slot, error);
    if (code == KT_NOT_FOUND) return kt_fail(error, KT_DAMAGED, "the book's currency is not on record");
    if (code != KT_OK) return code;
    now->currency = slot->id;
    now->decimals = slot->decimals;
    now->posted = slot->posted;
    memcpy(now->code, company->currency.data, company->currency.size);
    now->code_size = (uint8_t)company->currency.size;
    now->fiscal_month = company->fiscal_month;
    now->fiscal_day = company->fiscal_day;
    now->from = from;
    now->year_first = 1;
    now->year_last = 0;
    now->loaded = true;
    return KT_OK;
}

/* KT_NOT_FOUND: no facts are on record yet. */
static kt_code load_stored(kt_ledger *ledger, kt_error *error) {
    kt_company company;
    if (ledger->company.loaded) return KT_OK;
    kt_day from;
    uint64_t record;
    kt_code code = facts_at(ledger->state, KT_DAY_MAX, UINT64_MAX, &company, &from, &record, error);
    return code == KT_OK ? remember(ledger, &company, from, error) : code;
}

kt_code kt_company_load(kt_ledger *ledger, kt_error *error) {
    kt_code code = load_stored(ledger, error);
    return code == KT_NOT_FOUND ? kt_fail(error, KT_DAMAGED, "the company's facts are not on record") : code;
}

int32_t kt_company_year(kt_ledger *ledger, kt_day day) {
    kt_company_now *now = &ledger->company;
    if (day < now->year_first || day > now->year_last) {
        kt_company facts = {.fiscal_month = now->fiscal_month, .fiscal_day = now->fiscal_day};
        int year, month, dom;
        kt_fiscal_year(&facts, day, &now->year_first, &now->year_last);
        kt_day_to_civil(now->year_first, &year, &month, &dom);
        now->year = year;
    }
    return now->year;
}

void kt_fiscal_year(const kt_company *company, kt_day day, kt_day *first, kt_day *last) {
    int year, month, dom, start_month = company->fiscal_month == 0 ? 1 : company->fiscal_month;
    int start_day = company->fiscal_day == 0 ? 1 : company->fiscal_day;
    kt_day next;
    kt_day_to_civil(day, &year, &month, &dom);
    if (month < start_month || (month == start_month && dom < start_day)) year--;
    if (!kt_day_from_civil(year, start_month, start_day, first)) *first = KT_DAY_MIN;
    *last = kt_day_from_civil(year + 1, start_month, start_day, &next) ? next - 1 : KT_DAY_MAX;
}

static bool has_controls(kt_str text, bool lines) {
    size_t begin = 0;
    if (text.size == 0) return false; /* and perhaps no text at all, to which nothing may be added */
    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && !(lines && text.data[i] == '\n')) continue;
        if (kt_utf8_controls(text.data + begin, i - begin)) return true;
        begin = i + 1;
    }
    return false;
}

kt_code kt_company_check(kt_ledger *ledger, const kt_company *company, kt_error *error) {
    static const char *const names[TEXTS] = {"entity",     "currency", "time zone", "company number",
                                             "VAT number", "address",  "calendar"};
    kt_company copy = *company;
    kt_str *texts[TEXTS];
    texts_of(&copy, texts);
    for (unsigned i = 0; i < TEXTS; i++) {
        size_t most = i == 1 ? KT_CURRENCY_CODE_MAX : KT_NAME_MAX;
        if (texts[i]->size > most || !kt_utf8_valid(texts[i]->data, texts[i]->size))
            return kt_fail(error, KT_INVALID, "the company's %s is longer than %zu bytes or not UTF-8", names[i], most);
        bool lines = texts[i] == &copy.address; /* parted by line feeds */
        if (has_controls(*texts[i], lines))
            return kt_fail(error, KT_INVALID, "the company's %s has a control character", names[i]);
    }
    if (company->entity.size == 0) return kt_fail(error, KT_INVALID, "the company's name is empty");
    if (company->fiscal_month < 1 || company->fiscal_month > 12 || company->fiscal_day < 1 || company->fiscal_day > 28)
        return kt_fail(error, KT_INVALID, "the fiscal year begins on month %u day %u; expected 01-01 to 12-28",
                       company->fiscal_month, company->fiscal_day);
    const kt_company_now *now = &ledger->company;
    if (!now->loaded) return KT_OK; /* the first facts */
    if (!kt_str_equal(company->currency, (kt_str){now->code, now->code_size}))
        return kt_fail(error, KT_RULE, "the book's currency is %.*s and cannot change", now->code_size, now->code);
    bool same = company->fiscal_month == now->fiscal_month && company->fiscal_day == now->fiscal_day;
    if (same) return KT_OK;
    kt_code code = kt_totals_load(ledger->state, &ledger->totals, error);
    if (code != KT_OK) return code;
    if (ledger->totals.entries != 0)
        return kt_fail(error, KT_RULE, "the fiscal year's first day cannot change once entries exist");
    return KT_OK;
}

kt_code kt_company_apply(void *self, const kt_record *record, kt_error *error) {
    kt_ledger *ledger = self;
    kt_company company;
    uint8_t key[12];
    kt_code code = KT_OK;
    bool good = kt_company_read(record->body, &company);
    if (!good || (company.retention_years != 0) != (record->kind_version == KT_COMPANY_VERSION))
        return kt_fail(error, KT_DAMAGED, "record %llu: a company record is malformed",
                       (unsigned long long)record->number);
    code = load_stored(ledger, error);
    if (code == KT_OK || code == KT_NOT_FOUND) code = kt_company_check(ledger, &company, error);
    if (code != KT_OK) return code;
    kt_put_be32(key, (uint32_t)record->date ^ 0x80000000u);
    kt_put_be64(key + 4, record->number);
    code = kt_state_put(ledger->state, KT_TABLE_COMPANY, kt_span_of(key, sizeof key), record->body, error);
    /* In memory are the facts that state gives for the last day, whatever the order of record. */
    if (code == KT_OK && (!ledger->company.loaded || record->date >= ledger->company.from))
        code = remember(ledger, &company, record->date, error);
    ledger->company.changed = true;
    return code;
}
