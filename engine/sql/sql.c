#include "engine/sql/sql.h"

#include <stdlib.h>
#include <string.h>

#include "engine/sql/table.h"
#ifndef SQLITE_CORE
SQLITE_EXTENSION_INIT1
#endif

/* The tables there are. */
static const kt_sql_table *const tables[] = {
    &kt_sql_entries, &kt_sql_lines,      &kt_sql_accounts_table, &kt_sql_balances,  &kt_sql_currencies_table,
    &kt_sql_periods, &kt_sql_company,    &kt_sql_records,        &kt_sql_batches,   &kt_sql_checkpoints,
    &kt_sql_actors,  &kt_sql_actor_keys, &kt_sql_actor_grants,   &kt_sql_proposals,
};

enum { TABLES = sizeof tables / sizeof *tables };
_Static_assert(TABLES <= KT_SQL_TABLES_MAX, "room for all tables");

static void release(void *registered) { kt_sql_release(((kt_sql_registered *)registered)->sql); }

static int register_all(sqlite3 *db, kt_sql *sql) {
    int rc = kt_sql_functions(db, sql);
    for (size_t i = 0; i < TABLES && rc == SQLITE_OK; i++) {
        sql->registered[i] = (kt_sql_registered){sql, tables[i]};
        sql->uses++; /* let go by SQLite, also where it fails */
        rc = sqlite3_create_module_v2(db, tables[i]->name, &kt_sql_module, &sql->registered[i], release);
    }
    return rc;
}

kt_code kt_sql_register(sqlite3 *db, const kt_sql_options *options, kt_sql **out, kt_error *error) {
    static const kt_sql_options defaults;
    if (options == NULL) options = &defaults;
    kt_sql *sql = calloc(1, sizeof *sql);
    if (sql == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    sql->uses = 1;
    sql->view_options = options->view;
    kt_code code = KT_OK;
    if (options->entity.size > KT_NAME_MAX) code = kt_fail(error, KT_LIMIT, "the entity's name is too long");
    else if (options->entity.size != 0) memcpy(sql->entity, options->entity.data, options->entity.size);
    if (code == KT_OK && options->directory != NULL) {
        sql->directory = strdup(options->directory);
        if (sql->directory == NULL) code = kt_fail(error, KT_MEMORY, "out of memory");
    }
    if (code == KT_OK && register_all(db, sql) != SQLITE_OK)
        code = kt_fail(error, KT_INVALID, "SQLite: %s", sqlite3_errmsg(db));
    if (out != NULL) *out = code == KT_OK ? sql : NULL;
    kt_sql_release(sql);
    return code;
}

kt_code kt_sql_fault(kt_sql *sql, kt_error *error) {
    kt_code code = sql->fault;
    if (code != KT_OK && error != NULL) *error = sql->fault_error;
    sql->fault = KT_OK;
    return code;
}

bool kt_sql_describe(size_t n, kt_sql_description *out) {
    for (size_t i = 0; i < TABLES; i++)
        for (const kt_sql_column *column = tables[i]->columns; column->name != NULL; column++)
            if (n-- == 0) {
                *out = (kt_sql_description){.table = tables[i]->name,
                                            .table_about = tables[i]->about,
                                            .column = column->name,
                                            .type = column->type,
                                            .about = column->about,
                                            .hidden = column->key >= KT_SQL_SINCE,
                                            .indexed = column->key != KT_SQL_PLAIN && column->key < KT_SQL_SINCE};
                return true;
            }
    return false;
}

int sqlite3_kontorsql_init(sqlite3 *db, char **message, const sqlite3_api_routines *api) {
    kt_error error = {0};
#ifndef SQLITE_CORE
    SQLITE_EXTENSION_INIT2(api);
    if (sqlite3_libversion_number() < 3025000) {
        *message = sqlite3_mprintf("kontor_sql wants SQLite 3.25 or newer");
        return SQLITE_ERROR;
    }
#else
    (void)api;
#endif
    if (kt_sql_register(db, NULL, NULL, &error) == KT_OK) return SQLITE_OK;
    if (message != NULL) *message = sqlite3_mprintf("%s", error.text);
    return SQLITE_ERROR;
}
