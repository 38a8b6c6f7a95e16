/* cell: how values are told to SQLite, and tables whose rows lie in memory. */
#include <stdlib.h>

#include "engine/sql/table.h"

void kt_sql_text(sqlite3_context *out, kt_str text) {
    if (text.size == 0) sqlite3_result_null(out);
    else sqlite3_result_text64(out, text.data, text.size, SQLITE_TRANSIENT, SQLITE_UTF8);
}

void kt_sql_day(sqlite3_context *out, kt_day day) {
    char text[KT_DAY_TEXT];
    if (day == KT_DAY_NONE) sqlite3_result_null(out);
    else sqlite3_result_text(out, kt_day_format(day, text), KT_DAY_TEXT - 1, SQLITE_TRANSIENT);
}

void kt_sql_time(sqlite3_context *out, int64_t time_us) {
    char text[KT_TIME_TEXT];
    if (time_us == 0) sqlite3_result_null(out);
    else sqlite3_result_text(out, kt_time_format(time_us, text), -1, SQLITE_TRANSIENT);
}

void kt_sql_hex(sqlite3_context *out, const uint8_t *bytes, size_t size) {
    char text[2 * 64];
    if (size > 64) size = 64;
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    sqlite3_result_text(out, text, (int)(2 * size), SQLITE_TRANSIENT);
}

void kt_sql_number(sqlite3_context *out, uint64_t number) {
    sqlite3_result_int64(out, number > INT64_MAX ? INT64_MAX : (sqlite3_int64)number);
}

void kt_sql_reference(sqlite3_context *out, uint64_t number) {
    if (number == 0) sqlite3_result_null(out);
    else kt_sql_number(out, number);
}

void kt_sql_amount_text(sqlite3_context *out, kt_amount amount, uint8_t decimals) {
    char text[KT_AMOUNT_TEXT];
    size_t size = kt_amount_format(amount, decimals, '\0', text);
    sqlite3_result_text(out, text, (int)size, SQLITE_TRANSIENT);
}

/* LAW 8: as text, SQLite's sum() would take it for a binary fraction without a word. */
kt_code kt_sql_amount(sqlite3_context *out, kt_amount amount, const char *instead, kt_error *error) {
    if (amount != (int64_t)amount)
        return kt_fail(error, KT_OVERFLOW,
                       "an amount exceeds the 64 bits of SQLite's integers: ask for %s, and add with kontor_sum(%s)",
                       instead, instead);
    sqlite3_result_int64(out, (sqlite3_int64)amount);
    return KT_OK;
}

/* ---- rows in memory ---- */

void kt_sql_list_release(kt_sql_cursor *cursor) {
    kt_sql_list *list = cursor->state;
    if (list->drop != NULL && list->rows != NULL) list->drop(list->rows);
    list->rows = NULL;
}

void kt_sql_list_set(kt_sql_cursor *cursor, void *rows, size_t count, void (*drop)(void *rows)) {
    kt_sql_list_release(cursor);
    *(kt_sql_list *)cursor->state = (kt_sql_list){rows, 0, count, drop};
    cursor->end = count == 0;
}

kt_code kt_sql_list_next(kt_sql_cursor *cursor, kt_error *error) {
    kt_sql_list *list = cursor->state;
    (void)error;
    cursor->end = ++list->at >= list->count;
    return KT_OK;
}

int64_t kt_sql_list_row_id(kt_sql_cursor *cursor) { return (int64_t)((const kt_sql_list *)cursor->state)->at; }

uint64_t kt_sql_few(const kt_sql *sql) {
    (void)sql;
    return 24;
}
