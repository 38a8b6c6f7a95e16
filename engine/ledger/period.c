#include "engine/ledger/period.h"

#include <stdlib.h>

#include "storage/codec.h"

#define MONTH_FIRST (-23628) /* 0001-01 */
#define MONTH_LAST 96359     /* 9999-12 */
#define MONTHS (MONTH_LAST - MONTH_FIRST + 1)

struct kt_periods { /* a bit a month: closed */
    bool loaded;
    uint8_t closed[(MONTHS + 7) / 8];
};

kt_code kt_periods_open(kt_periods **out, kt_error *error) {
    *out = calloc(1, sizeof **out);
    return *out == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
}

void kt_periods_close(kt_periods *periods) { free(periods); }

void kt_periods_forget(kt_periods *periods) {
    if (periods->loaded) memset(periods, 0, sizeof *periods);
}

static void set(kt_periods *periods, kt_month month, bool closed) {
    unsigned bit = (unsigned)(month - MONTH_FIRST);
    uint8_t mask = (uint8_t)(1u << bit % 8);
    if (closed) periods->closed[bit / 8] |= mask;
    else periods->closed[bit / 8] &= (uint8_t)~mask;
}

kt_code kt_period_row_read(kt_span key, kt_span value, kt_period *out, kt_error *error) {
    if (key.size != 12 || value.size < 1) return kt_fail(error, KT_DAMAGED, "a period's row is malformed");
    *out = (kt_period){.month = (kt_month)(kt_get_be32(key.data) ^ 0x80000000u),
                       .closed = value.data[0] != 0,
                       .record = kt_get_be64(key.data + 4),
                       .reason = {(const char *)value.data + 1, value.size - 1}};
    if (out->month < MONTH_FIRST || out->month > MONTH_LAST)
        return kt_fail(error, KT_DAMAGED, "a period's month is out of range");
    return KT_OK;
}

static kt_code load(kt_ledger *ledger, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    kt_period row;
    if (ledger->periods->loaded) return KT_OK;
    if (kt_state_txn(ledger->state) == NULL) return KT_OK; /* a state bound to none knows of no closed month */
    kt_code code = kt_cursor_open(kt_state_txn(ledger->state), KT_TABLE_PERIODS, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_first(cursor, &key, &value, error); code == KT_OK;
         code = kt_cursor_next(cursor, &key, &value, error)) {
        code = kt_period_row_read(key, value, &row, error);
        if (code != KT_OK) break;
        set(ledger->periods, row.month, row.closed);
    }
    kt_cursor_close(cursor);
    if (code == KT_END) code = KT_OK;
    ledger->periods->loaded = code == KT_OK;
    return code;
}

kt_code kt_period_is_closed(kt_ledger *ledger, kt_month month, bool *closed, kt_error *error) {
    kt_code code = load(ledger, error);
    *closed = false;
    if (code != KT_OK || month < MONTH_FIRST || month > MONTH_LAST) return code;
    unsigned bit = (unsigned)(month - MONTH_FIRST);
    *closed = (ledger->periods->closed[bit / 8] >> bit % 8 & 1) != 0;
    return KT_OK;
}

kt_code kt_period_check(kt_ledger *ledger, kt_month month, bool close, kt_str reason, kt_error *error) {
    bool closed;
    char text[KT_DAY_TEXT];
    kt_code code = kt_period_is_closed(ledger, month, &closed, error);
    if (code != KT_OK) return code;
    kt_day_format(kt_month_first(month), text);
    if (close && closed) return kt_fail(error, KT_CLOSED, "period %.7s is closed already", text);
    if (!close && !closed) return kt_fail(error, KT_CLOSED, "period %.7s is open", text);
    if (!close && reason.size == 0)
        return kt_fail(error, KT_USAGE, "reopening period %.7s takes a reason", text); /* LAW 10 */
    if (reason.size > KT_TEXT_MAX || !kt_utf8_valid(reason.data, reason.size))
        return kt_fail(error, KT_INVALID, "the reason is longer than %d bytes or not UTF-8", KT_TEXT_MAX);
    return KT_OK;
}

size_t kt_period_record(kt_month month, bool close, kt_str reason, uint8_t *out, size_t room) {
    kt_pack pack;
    kt_pack_init(&pack, out, room);
    kt_pack_envelope(&pack, KT_KIND_PERIOD, 1, kt_month_first(month));
    kt_pack_array(&pack, 3);
    kt_pack_int(&pack, month);
    kt_pack_bool(&pack, close);
    kt_pack_text(&pack, reason.data, reason.size);
    return pack.size;
}

kt_code kt_period_apply(void *self, const kt_record *record, kt_error *error) {
    kt_ledger *ledger = self;
    kt_unpack unpack;
    uint32_t count;
    int64_t month;
    bool close;
    kt_str reason;
    uint8_t key[12], row[1 + KT_TEXT_MAX];
    kt_unpack_init(&unpack, record->body);
    if (!kt_unpack_array(&unpack, &count) || count != 3 || !kt_unpack_int(&unpack, &month) ||
        !kt_unpack_bool(&unpack, &close) || !kt_unpack_text(&unpack, &reason.data, &reason.size) ||
        !kt_unpack_done(&unpack) || month < MONTH_FIRST || month > MONTH_LAST)
        return kt_fail(error, KT_DAMAGED, "record %llu: a period record is malformed",
                       (unsigned long long)record->number);
    kt_code code = kt_period_check(ledger, (kt_month)month, close, reason, error);
    if (code != KT_OK) return code;
    set(ledger->periods, (kt_month)month, close);
    ledger->memo.known = false;
    kt_put_be32(key, (uint32_t)month ^ 0x80000000u);
    kt_put_be64(key + 4, record->number);
    row[0] = close;
    if (reason.size != 0) memcpy(row + 1, reason.data, reason.size);
    return kt_state_put(ledger->state, KT_TABLE_PERIODS, kt_span_of(key, sizeof key), kt_span_of(row, 1 + reason.size),
                        error);
}
