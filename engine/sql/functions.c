/* functions: kontor_book, kontor_text, kontor_units and kontor_sum. Money stays whole numbers in all of them (law 8). */
#include <string.h>

#include "engine/sql/table.h"

static void fail(sqlite3_context *out, const kt_error *error) { sqlite3_result_error(out, error->text, -1); }

/* An INTEGER, or the text of a decimal number; *decimals of it. A binary fraction is refused. */
static bool read_number(sqlite3_context *out, sqlite3_value *value, const char *function, kt_amount *amount,
                        uint8_t *decimals) {
    kt_error error;
    *decimals = 0;
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: *amount = sqlite3_value_int64(value); return true;
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_value_text(value);
        size_t size = (size_t)sqlite3_value_bytes(value);
        kt_number_fault fault = text == NULL ? KT_NUMBER_EMPTY
                                             : kt_number_parse(text, size, '.', '\0', amount, decimals);
        if (fault == KT_NUMBER_OK) return true;
        kt_fail(&error, KT_INVALID, "%s: %s", function, kt_number_fault_text(fault)); /* LAW 9: not what it says */
        break;
    }
    case SQLITE_FLOAT: kt_fail(&error, KT_INVALID, "%s: a binary fraction is no amount", function); break;
    default: kt_fail(&error, KT_INVALID, "%s: expected an integer or a decimal number as text", function); break;
    }
    fail(out, &error);
    return false;
}

static bool read_decimals(sqlite3_context *out, sqlite3_value *value, const char *function, uint8_t *decimals) {
    kt_error error;
    sqlite3_int64 number = sqlite3_value_int64(value);
    if (sqlite3_value_type(value) == SQLITE_INTEGER && number >= 0 && number <= KT_DECIMALS_MAX) {
        *decimals = (uint8_t)number;
        return true;
    }
    kt_fail(&error, KT_INVALID, "%s: decimals: expected 0 to %d", function, KT_DECIMALS_MAX);
    fail(out, &error);
    return false;
}

static bool is_null(sqlite3_value *value) { return sqlite3_value_type(value) == SQLITE_NULL; }

/* kontor_text(units, decimals): 1250, 2 gives '12.50'. */
static void text_of(sqlite3_context *out, int count, sqlite3_value **values) {
    kt_amount amount;
    uint8_t none, decimals;
    (void)count;
    if (is_null(values[0]) || is_null(values[1])) return;
    if (!read_number(out, values[0], "kontor_text", &amount, &none) ||
        !read_decimals(out, values[1], "kontor_text", &decimals))
        return;
    if (none != 0) sqlite3_result_error(out, "kontor_text: smallest units are whole", -1);
    else kt_sql_amount_text(out, amount, decimals);
}

/* kontor_units(text, decimals): '12.50', 2 gives 1250. */
static void units_of(sqlite3_context *out, int count, sqlite3_value **values) {
    kt_amount amount;
    kt_error error;
    uint8_t given, decimals;
    (void)count;
    if (is_null(values[0]) || is_null(values[1])) return;
    if (!read_number(out, values[0], "kontor_units", &amount, &given) ||
        !read_decimals(out, values[1], "kontor_units", &decimals))
        return;
    if (kt_amount_rescale(amount, given, decimals, KT_ROUND_EXACT, &amount) && amount == (int64_t)amount) {
        sqlite3_result_int64(out, (sqlite3_int64)amount);
        return;
    }
    kt_fail(&error, KT_INVALID, "kontor_units: the amount has more than %u decimals, or more than 64 bits", decimals);
    fail(out, &error);
}

/* ---- kontor_sum(x): exact, of integers or decimal texts; NULL where there is nothing, as sum() ---- */

typedef struct sum {
    kt_amount amount;
    uint8_t decimals;
    bool any, text, failed;
} sum;

/* SQLite's memory is not aligned for 128 bits: the sum is taken out of it and put back. */
static bool add(sqlite3_context *out, sqlite3_value *value, sum *to) {
    kt_amount amount;
    uint8_t decimals;
    if (!read_number(out, value, "kontor_sum", &amount, &decimals)) return false;
    uint8_t most = decimals > to->decimals ? decimals : to->decimals;
    if (!kt_amount_rescale(amount, decimals, most, KT_ROUND_EXACT, &amount) ||
        !kt_amount_rescale(to->amount, to->decimals, most, KT_ROUND_EXACT, &to->amount) ||
        !kt_amount_add(to->amount, amount, &to->amount)) {
        sqlite3_result_error(out, "kontor_sum: the sum exceeds 128 bits", -1);
        return false;
    }
    to->decimals = most;
    to->any = true;
    to->text |= sqlite3_value_type(value) == SQLITE_TEXT;
    return true;
}

static void sum_step(sqlite3_context *out, int count, sqlite3_value **values) {
    sum so_far;
    (void)count;
    if (is_null(values[0])) return;
    void *kept = sqlite3_aggregate_context(out, sizeof so_far);
    if (kept == NULL) {
        sqlite3_result_error_nomem(out);
        return;
    }
    memcpy(&so_far, kept, sizeof so_far);
    if (!so_far.failed) so_far.failed = !add(out, values[0], &so_far);
    memcpy(kept, &so_far, sizeof so_far);
}

static void sum_final(sqlite3_context *out) {
    sum all;
    const void *kept = sqlite3_aggregate_context(out, 0);
    if (kept == NULL) return;
    memcpy(&all, kept, sizeof all);
    if (!all.any || all.failed) return;
    if (all.text || all.amount != (int64_t)all.amount) kt_sql_amount_text(out, all.amount, all.decimals);
    else sqlite3_result_int64(out, (sqlite3_int64)all.amount);
}

/* ---- kontor_book() ---- */

static bool book_known(sqlite3_value *value, kt_view_options *view, kt_error *error) {
    const char *text = (const char *)sqlite3_value_text(value);
    if (text == NULL) return true;
    view->as_known = true;
    if (kt_time_parse(text, strlen(text), &view->known_us)) return true;
    kt_fail(error, KT_USAGE, "kontor_book: '%.40s': expected a time such as 2026-03-31T17:00:00Z or a day", text);
    return false;
}

/* kontor_book(DIR [, AS-KNOWN]) opens a book for reading in place of the one before; kontor_book() only tells. Both give the
   book's origin. */
static void book(sqlite3_context *out, int count, sqlite3_value **values) {
    kt_sql *sql = sqlite3_user_data(out);
    kt_view_options view = {0};
    kt_error error = {0};
    kt_code code = KT_OK;
    if (count > 2) {
        sqlite3_result_error(out, "kontor_book: expected a directory, and perhaps a time", -1);
        return;
    }
    if (count == 2 && !book_known(values[1], &view, &error)) code = KT_USAGE;
    if (code == KT_OK && count != 0) {
        const char *directory = (const char *)sqlite3_value_text(values[0]);
        if (directory == NULL) code = kt_fail(&error, KT_USAGE, "kontor_book: expected a directory");
        else code = kt_sql_choose(sql, directory, &view, &error);
    } else if (code == KT_OK) code = kt_sql_open(sql, &error);
    if (code != KT_OK) fail(out, &error);
    else sqlite3_result_text(out, kt_book_origin(sql->book), -1, SQLITE_TRANSIENT);
}

static void release(void *sql) { kt_sql_release(sql); }

int kt_sql_functions(sqlite3 *db, kt_sql *sql) {
    const int pure = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int rc = sqlite3_create_function_v2(db, "kontor_text", 2, pure, NULL, text_of, NULL, NULL, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_create_function_v2(db, "kontor_units", 2, pure, NULL, units_of, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(db, "kontor_sum", 1, pure, NULL, NULL, sum_step, sum_final, NULL);
    if (rc != SQLITE_OK) return rc;
    /* Opening a book is for whoever types, never for a view or trigger that a database brought along. */
    sql->uses++; /* let go by SQLite, also where it fails */
    return sqlite3_create_function_v2(db, "kontor_book", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, sql, book, NULL, NULL,
                                      release);
}
