/* actors: who may do what, and what stands proposed, as on record at the snapshot. */
#include <stdlib.h>

#include "engine/sql/table.h"

static void drop_actors(void *rows) { kt_actors_free(rows); }

/* ---- actor_keys ---- */

static const kt_sql_column key_columns[] = {
    {"key", "TEXT", KT_SQL_PLAIN, "hexadecimal"},
    {"actor", "TEXT", KT_SQL_PLAIN, "id"},
    {"from_record", "INTEGER", KT_SQL_PLAIN, "that brought it in"},
    {"until_record", "INTEGER", KT_SQL_PLAIN, "that ended it; NULL: valid"},
    {"revoked", "INTEGER", KT_SQL_PLAIN, "1: revoked, not rotated"},
    {"reason", "TEXT", KT_SQL_PLAIN, "of the revocation"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

static kt_code key_filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    kt_actors *actors;
    (void)bounds;
    kt_code code = kt_view_actors(cursor->sql->view, &actors, error);
    if (code == KT_OK) kt_sql_list_set(cursor, actors, actors->key_count, drop_actors);
    return code;
}

static kt_code key_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    const kt_sql_list *list = cursor->state;
    const kt_key_facts *key = ((const kt_actors *)list->rows)->keys + list->at;
    (void)error;
    switch (column) {
    case 0: kt_sql_hex(out, key->key, KT_KEY_SIZE); break;
    case 1: kt_sql_text(out, key->actor); break;
    case 2: kt_sql_number(out, key->from); break;
    case 3: kt_sql_reference(out, key->until); break;
    case 4: kt_sql_number(out, key->revoked); break;
    default: kt_sql_text(out, key->reason); break;
    }
    return KT_OK;
}

const kt_sql_table kt_sql_actor_keys = {.name = "actor_keys",
                                        .about = "keys that actors sign with, and signed with",
                                        .columns = key_columns,
                                        .order = {-1, -1},
                                        .state = sizeof(kt_sql_list),
                                        .rows = kt_sql_few,
                                        .filter = key_filter,
                                        .next = kt_sql_list_next,
                                        .cell = key_cell,
                                        .row_id = kt_sql_list_row_id,
                                        .release = kt_sql_list_release};

/* ---- actor_grants ---- */

static const kt_sql_column grant_columns[] = {
    {"actor", "TEXT", KT_SQL_PLAIN, "id"},
    {"role", "TEXT", KT_SQL_PLAIN, NULL},
    {"amount", "INTEGER", KT_SQL_PLAIN, "most of one entry, in the book's smallest units; NULL: any"},
    {"accounts", "TEXT", KT_SQL_PLAIN, "the only ones, \"1000-1999 5000\"; NULL: any"},
    {"series", "TEXT", KT_SQL_PLAIN, "the only ones, parted by spaces; NULL: any"},
    {"record", "INTEGER", KT_SQL_PLAIN, "that gave it"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

static kt_code grant_filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    kt_actors *actors;
    (void)bounds;
    kt_code code = kt_view_actors(cursor->sql->view, &actors, error);
    if (code == KT_OK) kt_sql_list_set(cursor, actors, actors->grant_count, drop_actors);
    return code;
}

static void add(sqlite3_str *text, const char *before, kt_str part) {
    sqlite3_str_appendall(text, before);
    if (part.size != 0) sqlite3_str_append(text, part.data, (int)part.size);
}

static void tell(sqlite3_context *out, sqlite3_str *text) {
    char *words = sqlite3_str_finish(text);
    if (words != NULL) sqlite3_result_text(out, words, -1, sqlite3_free);
}

static void ranges_cell(sqlite3_context *out, const kt_limits *limits) {
    sqlite3_str *text = sqlite3_str_new(NULL);
    for (size_t i = 0; i < limits->account_count; i++) {
        add(text, i == 0 ? "" : " ", limits->accounts[i].from);
        if (limits->accounts[i].to.size != 0) add(text, "-", limits->accounts[i].to);
    }
    tell(out, text);
}

static void series_cell(sqlite3_context *out, const kt_limits *limits) {
    sqlite3_str *text = sqlite3_str_new(NULL);
    for (size_t i = 0; i < limits->series_count; i++) add(text, i == 0 ? "" : " ", limits->series[i]);
    tell(out, text);
}

static kt_code grant_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    const kt_sql_list *list = cursor->state;
    const kt_grant *grant = ((const kt_actors *)list->rows)->grants + list->at;
    switch (column) {
    case 0: kt_sql_text(out, grant->actor); break;
    case 1: kt_sql_text(out, kt_str_from(kt_role_name(grant->role))); break;
    case 2: return grant->limits.amount == 0 ? KT_OK : kt_sql_amount(out, grant->limits.amount, "actor list", error);
    case 3: ranges_cell(out, &grant->limits); break;
    case 4: series_cell(out, &grant->limits); break;
    default: kt_sql_number(out, grant->record); break;
    }
    return KT_OK;
}

const kt_sql_table kt_sql_actor_grants = {.name = "actor_grants",
                                          .about = "roles in force, and how far each goes",
                                          .columns = grant_columns,
                                          .order = {-1, -1},
                                          .state = sizeof(kt_sql_list),
                                          .rows = kt_sql_few,
                                          .filter = grant_filter,
                                          .next = kt_sql_list_next,
                                          .cell = grant_cell,
                                          .row_id = kt_sql_list_row_id,
                                          .release = kt_sql_list_release};

/* ---- actors: a row each, which is their first key's ---- */

static const kt_sql_column actor_columns[] = {
    {"id", "TEXT", KT_SQL_PLAIN, NULL},
    {"roles", "TEXT", KT_SQL_PLAIN, "in force, parted by spaces"},
    {"valid_keys", "INTEGER", KT_SQL_PLAIN, "keys that are neither rotated out nor revoked"},
    {"record", "INTEGER", KT_SQL_PLAIN, "that brought the actor in"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

static kt_code actor_filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    return key_filter(cursor, bounds, error);
}

/* Keys are by actor, so the others of this one follow. */
static kt_code actor_next(kt_sql_cursor *cursor, kt_error *error) {
    kt_sql_list *list = cursor->state;
    const kt_key_facts *keys = ((const kt_actors *)list->rows)->keys;
    (void)error;
    do ++list->at;
    while (list->at < list->count && kt_str_equal(keys[list->at].actor, keys[list->at - 1].actor));
    cursor->end = list->at >= list->count;
    return KT_OK;
}

static void roles_cell(sqlite3_context *out, const kt_actors *actors, kt_str actor) {
    sqlite3_str *text = sqlite3_str_new(NULL);
    for (size_t i = 0; i < actors->grant_count; i++)
        if (kt_str_equal(actors->grants[i].actor, actor))
            add(text, sqlite3_str_length(text) == 0 ? "" : " ", kt_str_from(kt_role_name(actors->grants[i].role)));
    tell(out, text);
}

static kt_code actor_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    const kt_sql_list *list = cursor->state;
    const kt_actors *actors = list->rows;
    const kt_key_facts *key = actors->keys + list->at;
    uint64_t valid = 0;
    (void)error;
    switch (column) {
    case 0: kt_sql_text(out, key->actor); break;
    case 1: roles_cell(out, actors, key->actor); break;
    case 2:
        for (size_t i = list->at; i < actors->key_count && kt_str_equal(actors->keys[i].actor, key->actor); i++)
            valid += actors->keys[i].until == 0;
        kt_sql_number(out, valid);
        break;
    default: kt_sql_number(out, key->from); break;
    }
    return KT_OK;
}

const kt_sql_table kt_sql_actors = {.name = "actors",
                                    .about = "persons, and machines that post for one",
                                    .columns = actor_columns,
                                    .order = {-1, -1},
                                    .state = sizeof(kt_sql_list),
                                    .rows = kt_sql_few,
                                    .filter = actor_filter,
                                    .next = actor_next,
                                    .cell = actor_cell,
                                    .row_id = kt_sql_list_row_id,
                                    .release = kt_sql_list_release};

/* ---- proposals ---- */

static const kt_sql_column proposal_columns[] = {
    {"number", "INTEGER", KT_SQL_PLAIN, "of the record that proposes an entry"},
    {"status", "TEXT", KT_SQL_PLAIN, "open, approved or rejected"},
    {"proposer", "TEXT", KT_SQL_PLAIN, "actor"},
    {"decided", "INTEGER", KT_SQL_PLAIN, "the entry that it became, or the record that rejects it"},
    {"decider", "TEXT", KT_SQL_PLAIN, "actor"},
    {"reason", "TEXT", KT_SQL_PLAIN, "of the rejection"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

static kt_code proposal_filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    kt_proposal *rows;
    size_t count;
    (void)bounds;
    kt_code code = kt_view_proposals(cursor->sql->view, false, &rows, &count, error);
    if (code == KT_OK) kt_sql_list_set(cursor, rows, count, free);
    return code;
}

static kt_code proposal_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    static const char *const names[] = {"open", "approved", "rejected"};
    const kt_sql_list *list = cursor->state;
    const kt_proposal *proposal = (const kt_proposal *)list->rows + list->at;
    (void)error;
    switch (column) {
    case 0: kt_sql_number(out, proposal->number); break;
    case 1: kt_sql_text(out, kt_str_from((unsigned)proposal->status < 3 ? names[proposal->status] : NULL)); break;
    case 2: kt_sql_text(out, proposal->proposer); break;
    case 3: kt_sql_reference(out, proposal->decided); break;
    case 4: kt_sql_text(out, proposal->decider); break;
    default: kt_sql_text(out, proposal->reason); break;
    }
    return KT_OK;
}

const kt_sql_table kt_sql_proposals = {.name = "proposals",
                                       .about = "entries that stand proposed, and what became of them",
                                       .columns = proposal_columns,
                                       .order = {0, -1},
                                       .state = sizeof(kt_sql_list),
                                       .rows = kt_sql_few,
                                       .filter = proposal_filter,
                                       .next = kt_sql_list_next,
                                       .cell = proposal_cell,
                                       .row_id = kt_sql_list_row_id,
                                       .release = kt_sql_list_release};
