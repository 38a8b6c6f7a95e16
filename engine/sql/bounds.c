#include <stdio.h>
#include <string.h>

#include "engine/sql/table.h"

enum { FLAG_DESCENDING = 1 };

/* ---- planning ----

   A plan is text, since `explain query plan` shows it: "account=? date>=? date<=?", values in that order. */

/* How a comparison is written in a plan; NULL: it is not one that this key can use. */
static const char *operator_text(kt_sql_key key, unsigned char operation) {
    if (operation == SQLITE_INDEX_CONSTRAINT_EQ) return "=?";
    if (key != KT_SQL_NUMBER && key != KT_SQL_DAY && key != KT_SQL_ACCOUNT) return NULL;
    switch (operation) {
    case SQLITE_INDEX_CONSTRAINT_GT: return ">?";
    case SQLITE_INDEX_CONSTRAINT_GE: return ">=?";
    case SQLITE_INDEX_CONSTRAINT_LT: return "<?";
    case SQLITE_INDEX_CONSTRAINT_LE: return "<=?";
    case SQLITE_INDEX_CONSTRAINT_LIKE: return key != KT_SQL_NUMBER ? "~?" : NULL;
    case SQLITE_INDEX_CONSTRAINT_GLOB: return key != KT_SQL_NUMBER ? "*?" : NULL;
    default: return NULL;
    }
}

enum { SAID_EQUAL = 1, SAID_LOW = 2, SAID_HIGH = 4 };

static unsigned said(unsigned char operation) {
    switch (operation) {
    case SQLITE_INDEX_CONSTRAINT_EQ: return SAID_EQUAL;
    case SQLITE_INDEX_CONSTRAINT_GT:
    case SQLITE_INDEX_CONSTRAINT_GE: return SAID_LOW;
    case SQLITE_INDEX_CONSTRAINT_LT:
    case SQLITE_INDEX_CONSTRAINT_LE: return SAID_HIGH;
    default: return SAID_LOW | SAID_HIGH;
    }
}

/* Finding an account's postings in some dozen runs takes as long as walking so many lines. */
#define SEARCH_OF_LISTS 500u

static uint64_t share(uint64_t rows, uint64_t parts) { return rows / (parts == 0 ? 1 : parts) + 1; }

static uint64_t cut(uint64_t rows, unsigned how, uint64_t kinds) {
    if (how & SAID_EQUAL) return share(rows, kinds);
    if (how == 0) return rows;
    return share(rows, how == (SAID_LOW | SAID_HIGH) ? 16 : 4);
}

/* How much is read, and how much of it is given. Whoever walks the journal by day reads every record's date and little more. */
static void estimate(const kt_sql *sql, const kt_sql_table *table, const unsigned *how, sqlite3_index_info *info) {
    uint64_t all = table->rows(sql), read = all, given;
    bool unique = (how[KT_SQL_NUMBER] & SAID_EQUAL) != 0 ||
                  (table == &kt_sql_accounts_table && (how[KT_SQL_ACCOUNT] & SAID_EQUAL) != 0);
    read = cut(read, how[KT_SQL_NUMBER], sql->entries);
    read = cut(read, how[KT_SQL_BATCH], sql->batches);
    read = cut(read, how[KT_SQL_ACCOUNT], sql->accounts_there);
    given = cut(read, how[KT_SQL_DAY], 200);
    if (how[KT_SQL_ACCOUNT] != 0) read = given; /* lists are by month */
    else if (how[KT_SQL_DAY] != 0) read = share(read, 2);
    given = cut(given, how[KT_SQL_CURRENCY], 4);
    read += 4; /* finding the first one */
    if (table == &kt_sql_lines && how[KT_SQL_ACCOUNT] != 0) read += SEARCH_OF_LISTS;
    info->estimatedRows = given > INT64_MAX ? INT64_MAX : (sqlite3_int64)given;
    info->estimatedCost = read > UINT32_MAX ? UINT32_MAX : (uint32_t)read; /* exact in the type it has there */
    if (unique && table != &kt_sql_lines) info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
}

static bool in_order(const kt_sql_table *table, const sqlite3_index_info *info, bool *descending) {
    *descending = info->nOrderBy > 0 && info->aOrderBy[0].desc != 0;
    if (info->nOrderBy < 1 || info->nOrderBy > 2 || (*descending && !table->backwards)) return false;
    for (int i = 0; i < info->nOrderBy; i++)
        if (table->order[i] < 0 || info->aOrderBy[i].iColumn != table->order[i] ||
            (info->aOrderBy[i].desc != 0) != *descending)
            return false;
    return true;
}

static bool binary(sqlite3_index_info *info, int i) {
    const char *collation = sqlite3_vtab_collation(info, i);
    return collation == NULL || sqlite3_stricmp(collation, "BINARY") == 0;
}

int kt_sql_plan(const kt_sql *sql, const kt_sql_table *table, sqlite3_index_info *info) {
    char plan[1024] = "";
    size_t used = 0;
    unsigned how[KT_SQL_BY + 1] = {0};
    int values = 0;
    bool descending;
    for (int i = 0; i < info->nConstraint; i++) {
        int column = info->aConstraint[i].iColumn;
        kt_sql_key key = column < 0 ? KT_SQL_PLAIN : table->columns[column].key;
        const char *op = key == KT_SQL_PLAIN ? NULL : operator_text(key, info->aConstraint[i].op);
        if (op == NULL || used + 64 > sizeof plan) continue;
        if (!info->aConstraint[i].usable) {
            if (key >= KT_SQL_SINCE) return SQLITE_CONSTRAINT; /* an argument that is not known yet: no plan */
            continue;
        }
        if (key != KT_SQL_NUMBER && !binary(info, i)) continue;
        used += (size_t)snprintf(plan + used, sizeof plan - used, "%s%s%s", used == 0 ? "" : " ",
                                 table->columns[column].name, op);
        info->aConstraintUsage[i].argvIndex = ++values;
        info->aConstraintUsage[i].omit = key >= KT_SQL_SINCE;
        how[key] |= said(info->aConstraint[i].op);
    }
    info->idxStr = sqlite3_mprintf("%s", plan);
    if (info->idxStr == NULL) return SQLITE_NOMEM;
    info->needToFreeIdxStr = 1;
    estimate(sql, table, how, info);
    if (in_order(table, info, &descending)) {
        info->orderByConsumed = 1;
        info->idxNum = descending ? FLAG_DESCENDING : 0;
    }
    return SQLITE_OK;
}

/* ---- reading ---- */

static kt_str text_of(sqlite3_value *value) {
    const char *text = (const char *)sqlite3_value_text(value);
    return text == NULL ? (kt_str){"", 0} : (kt_str){text, (size_t)sqlite3_value_bytes(value)};
}

static int compare(kt_str a, kt_str b) {
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static void bound_number(kt_sql_bounds *out, const char *op, sqlite3_value *value) {
    if (sqlite3_value_numeric_type(value) != SQLITE_INTEGER) return;
    sqlite3_int64 number = sqlite3_value_int64(value);
    uint64_t bound = number < 0 ? 0 : (uint64_t)number;
    bool low = op[0] != '<', high = op[0] != '>';
    if (number < 0) {
        out->nothing |= high;
        return;
    }
    if (op[0] == '>' && op[1] != '=') bound++;
    if (op[0] == '<' && op[1] != '=') {
        out->nothing |= bound == 0;
        bound -= bound != 0;
    }
    if (low && bound > out->first) out->first = bound;
    if (high && bound < out->last) out->last = bound;
}

/* The first day whose text does not lie below `text` (or, `above`, lies above it), KT_DAY_MAX + 1 where none does: days' texts
   are ordered as days are, so any text has its place among them. */
static kt_day first_day(kt_str text, bool above) {
    char room[KT_DAY_TEXT];
    kt_day low = KT_DAY_MIN, high = KT_DAY_MAX + 1;
    while (low < high) {
        kt_day middle = low + (high - low) / 2;
        int order = compare((kt_str){kt_day_format(middle, room), KT_DAY_TEXT - 1}, text);
        if (order < 0 || (above && order == 0)) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* How what LIKE or GLOB takes must begin, as far as case plays no part. */
static kt_str beginning(kt_str pattern, bool like) {
    size_t size = 0;
    for (; size < pattern.size; size++) {
        unsigned char c = (unsigned char)pattern.data[size];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
        if (like ? c == '%' || c == '_' || letter : c == '*' || c == '?' || c == '[') break;
    }
    return (kt_str){pattern.data, size};
}

/* The days whose text begins so: what follows is a digit or '-', and ':' lies behind both. */
static void bound_day_beginning(kt_sql_bounds *out, kt_str beginning) {
    char behind[KT_DAY_TEXT];
    if (beginning.size >= sizeof behind) return;
    memcpy(behind, beginning.data, beginning.size);
    behind[beginning.size] = ':';
    kt_day from = first_day(beginning, false), to = first_day((kt_str){behind, beginning.size + 1}, false) - 1;
    if (from > out->from) out->from = from;
    if (to < out->to) out->to = to;
}

static void bound_day(kt_sql_bounds *out, const char *op, sqlite3_value *value) {
    if (sqlite3_value_type(value) != SQLITE_TEXT) return;
    kt_str text = text_of(value);
    if (op[0] == '~' || op[0] == '*') {
        bound_day_beginning(out, beginning(text, op[0] == '~'));
        return;
    }
    bool low = op[0] != '<', high = op[0] != '>', equal = op[0] == '=' || op[1] == '=';
    kt_day from = low ? first_day(text, !equal) : KT_DAY_MIN, to = high ? first_day(text, equal) - 1 : KT_DAY_MAX;
    if (from > out->from) out->from = from;
    if (to < out->to) out->to = to;
}

static void bound_account(kt_sql_bounds *out, const char *op, sqlite3_value *value) {
    kt_sql_codes *codes = &out->account;
    int type = sqlite3_value_type(value);
    if (type == SQLITE_INTEGER && op[0] == '=') {
        out->by_account = codes->numeric = true;
        codes->number = sqlite3_value_int64(value);
        return;
    }
    if (type != SQLITE_TEXT) return;
    kt_str text = text_of(value);
    out->by_account = true;
    if (op[0] == '~' || op[0] == '*') {
        kt_str prefix = beginning(text, op[0] == '~');
        if (prefix.size > codes->prefix.size) codes->prefix = prefix;
        return;
    }
    if (op[0] != '<' && (!codes->has_low || compare(text, codes->low) > 0)) {
        codes->has_low = true;
        codes->low = text;
    }
    if (op[0] != '>' && (!codes->has_high || compare(text, codes->high) < 0)) {
        codes->has_high = true;
        codes->high = text;
    }
}

static void bound(kt_sql_bounds *out, kt_sql_key key, const char *op, sqlite3_value *value) {
    kt_str *text = NULL;
    if (sqlite3_value_type(value) == SQLITE_NULL) {
        out->nothing |= key < KT_SQL_SINCE; /* a comparison with NULL is never true; an argument is not given */
        return;
    }
    switch (key) {
    case KT_SQL_NUMBER: bound_number(out, op, value); break;
    case KT_SQL_DAY: bound_day(out, op, value); break;
    case KT_SQL_ACCOUNT: bound_account(out, op, value); break;
    case KT_SQL_BATCH: text = &out->batch; break;
    case KT_SQL_CURRENCY: text = &out->currency; break;
    case KT_SQL_SINCE: text = &out->since; break;
    case KT_SQL_UNTIL: text = &out->until; break;
    case KT_SQL_BY: text = &out->by; break;
    default: break;
    }
    if (text != NULL && (key >= KT_SQL_SINCE || sqlite3_value_type(value) == SQLITE_TEXT)) *text = text_of(value);
}

void kt_sql_bounds_read(const kt_sql_table *table, int flags, const char *plan, int count, sqlite3_value **values,
                        kt_sql_bounds *out) {
    *out = (kt_sql_bounds){
        .descending = (flags & FLAG_DESCENDING) != 0, .last = UINT64_MAX, .from = KT_DAY_MIN, .to = KT_DAY_MAX};
    for (int i = 0; i < count && plan != NULL && *plan != '\0'; i++) {
        size_t size = strcspn(plan, "=<>~*");
        for (const kt_sql_column *column = table->columns; column->name != NULL; column++)
            if (column->key != KT_SQL_PLAIN && strncmp(column->name, plan, size) == 0 && column->name[size] == '\0') {
                bound(out, column->key, plan + size, values[i]);
                break;
            }
        plan += strcspn(plan, " ");
        plan += *plan == ' ';
    }
    if (out->first > out->last || out->from > out->to) out->nothing = true;
}

/* Could the code, taken for a number, be this one? Codes of digits alone are their own number's text; what begins with a
   letter is none; the rest is left to SQLite. */
static bool may_be(kt_str code, int64_t number) {
    char text[24];
    bool digits = code.size != 0 && code.data[0] != '0';
    for (size_t i = 0; i < code.size; i++) digits &= code.data[i] >= '0' && code.data[i] <= '9';
    if (digits) {
        int size = snprintf(text, sizeof text, "%lld", (long long)number);
        return code.size > 15 || kt_str_equal(code, (kt_str){text, (size_t)size});
    }
    char c = code.size == 0 ? '\0' : code.data[0];
    return !((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
}

bool kt_sql_codes_fit(const kt_sql_codes *codes, kt_str code) {
    if (codes->has_low && compare(code, codes->low) < 0) return false;
    if (codes->has_high && compare(code, codes->high) > 0) return false;
    if (codes->numeric && !may_be(code, codes->number)) return false;
    return codes->prefix.size == 0 ||
           (code.size >= codes->prefix.size && memcmp(code.data, codes->prefix.data, codes->prefix.size) == 0);
}

bool kt_sql_codes_one(const kt_sql_codes *codes) {
    return codes->has_low && codes->has_high && kt_str_equal(codes->low, codes->high);
}
