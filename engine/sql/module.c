/* module: what SQLite asks of a virtual table, answered by a kt_sql_table. Everything only reads: there is no xUpdate, so
   SQLite itself refuses to write ("table entries may not be modified"). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sql/table.h"

typedef struct table_connection {
    sqlite3_vtab base;
    kt_sql *sql;
    const kt_sql_table *table;
} table_connection;

static int result_of(kt_code code) {
    switch (code) {
    case KT_OK: return SQLITE_OK;
    case KT_MEMORY: return SQLITE_NOMEM;
    default: return SQLITE_ERROR;
    }
}

static void remember(kt_sql *sql, kt_code code, const kt_error *error) {
    sql->fault = code;
    sql->fault_error = *error;
}

static int fail(sqlite3_vtab *base, kt_code code, const kt_error *error) {
    table_connection *self = (table_connection *)base;
    if (code == KT_OK) return SQLITE_OK;
    remember(self->sql, code, error);
    sqlite3_free(base->zErrMsg);
    base->zErrMsg = sqlite3_mprintf("%s: %s", self->table->name, error->text);
    return result_of(code);
}

static int declare(sqlite3 *db, const kt_sql_table *table) {
    char text[4096] = "CREATE TABLE x(";
    size_t used = strlen(text);
    for (const kt_sql_column *column = table->columns; column->name != NULL; column++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\"%s\" %s%s", column == table->columns ? "" : ", ",
                                 column->name, column->type, column->key >= KT_SQL_SINCE ? " HIDDEN" : "");
    snprintf(text + used, sizeof text - used, ")");
    return sqlite3_declare_vtab(db, text);
}

/* Without xCreate: the table is there in every database, and nowhere else. */
static int connect_table(sqlite3 *db, void *context, int count, const char *const *words, sqlite3_vtab **out,
                         char **message) {
    const kt_sql_registered *registered = context;
    (void)count;
    (void)words;
    int rc = declare(db, registered->table);
    if (rc != SQLITE_OK) {
        *message = sqlite3_mprintf("%s: %s", registered->table->name, sqlite3_errmsg(db));
        return rc;
    }
    table_connection *self = sqlite3_malloc(sizeof *self);
    if (self == NULL) return SQLITE_NOMEM;
    *self = (table_connection){.sql = registered->sql, .table = registered->table};
    *out = &self->base;
    return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *base) {
    sqlite3_free(base);
    return SQLITE_OK;
}

static int best_index(sqlite3_vtab *base, sqlite3_index_info *info) {
    table_connection *self = (table_connection *)base;
    kt_error error = {0};
    /* Plans want to know how much there is: the first one opens the book and looks. */
    if (self->sql->book == NULL) {
        kt_code code = kt_sql_enter(self->sql, &error);
        if (code != KT_OK) return fail(base, code, &error);
        kt_sql_leave(self->sql);
    }
    return kt_sql_plan(self->sql, self->table, info);
}

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **out) {
    table_connection *self = (table_connection *)base;
    kt_error error = {0};
    kt_sql_cursor *cursor = sqlite3_malloc64(sizeof *cursor);
    void *state = calloc(1, self->table->state);
    if (cursor == NULL || state == NULL) {
        sqlite3_free(cursor);
        free(state);
        return SQLITE_NOMEM;
    }
    *cursor = (kt_sql_cursor){.sql = self->sql, .table = self->table, .end = true, .state = state};
    kt_code code = kt_sql_enter(self->sql, &error);
    if (code != KT_OK) {
        sqlite3_free(cursor);
        free(state);
        return fail(base, code, &error);
    }
    *out = &cursor->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base) {
    kt_sql_cursor *cursor = (kt_sql_cursor *)base;
    if (cursor->table->release != NULL) cursor->table->release(cursor);
    kt_sql_leave(cursor->sql);
    free(cursor->state);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int flags, const char *plan, int count, sqlite3_value **values) {
    kt_sql_cursor *cursor = (kt_sql_cursor *)base;
    kt_sql_bounds bounds;
    kt_error error = {0};
    kt_sql_bounds_read(cursor->table, flags, plan, count, values, &bounds);
    cursor->end = bounds.nothing;
    return bounds.nothing ? SQLITE_OK : fail(base->pVtab, cursor->table->filter(cursor, &bounds, &error), &error);
}

static int next(sqlite3_vtab_cursor *base) {
    kt_sql_cursor *cursor = (kt_sql_cursor *)base;
    kt_error error = {0};
    return fail(base->pVtab, cursor->table->next(cursor, &error), &error);
}

static int at_end(sqlite3_vtab_cursor *base) { return ((kt_sql_cursor *)base)->end; }

static int cell(sqlite3_vtab_cursor *base, sqlite3_context *out, int column) {
    kt_sql_cursor *cursor = (kt_sql_cursor *)base;
    kt_error error = {0};
    kt_code code = cursor->table->cell(cursor, out, column, &error);
    if (code == KT_OK) return SQLITE_OK;
    remember(cursor->sql, code, &error);
    char *text = sqlite3_mprintf("%s.%s: %s", cursor->table->name, cursor->table->columns[column].name, error.text);
    if (text == NULL) sqlite3_result_error_nomem(out);
    else sqlite3_result_error(out, text, -1);
    sqlite3_free(text);
    return result_of(code);
}

static int row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *out) {
    kt_sql_cursor *cursor = (kt_sql_cursor *)base;
    *out = cursor->table->row_id(cursor);
    return SQLITE_OK;
}

const sqlite3_module kt_sql_module = {.iVersion = 1,
                                      .xConnect = connect_table,
                                      .xBestIndex = best_index,
                                      .xDisconnect = disconnect_table,
                                      .xOpen = open_cursor,
                                      .xClose = close_cursor,
                                      .xFilter = filter,
                                      .xNext = next,
                                      .xEof = at_end,
                                      .xColumn = cell,
                                      .xRowid = row_id};
