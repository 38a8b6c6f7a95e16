#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/show.h"
#include "engine/sql/sql.h"

#define STATEMENTS_MOST 1000000u /* bytes of SQL */

typedef struct session {
    kt_style style;
    sqlite3 *db;
    kt_sql *sql;
    const char *refused; /* what the authorizer refused last */
    uint64_t shown;      /* results */
} session;

/* ---- what may be done: reading, and nothing else ---- */

static bool is_one_of(const char *name, const char *const *names, size_t count) {
    for (size_t i = 0; name != NULL && i < count; i++)
        if (sqlite3_stricmp(name, names[i]) == 0) return true;
    return false;
}

static const char *action_name(int action) {
    switch (action) {
    case SQLITE_INSERT: return "insert";
    case SQLITE_UPDATE: return "update";
    case SQLITE_DELETE: return "delete";
    case SQLITE_ATTACH: return "attach";
    case SQLITE_DETACH: return "detach";
    case SQLITE_PRAGMA: return "this pragma";
    case SQLITE_TRANSACTION: return "a transaction";
    case SQLITE_SAVEPOINT: return "a savepoint";
    case SQLITE_FUNCTION: return "this function";
    case SQLITE_ANALYZE: return "analyze";
    case SQLITE_REINDEX: return "reindex";
    case SQLITE_ALTER_TABLE: return "alter";
    default: return "creating or dropping something";
    }
}

static int authorize(void *context, int action, const char *first, const char *second, const char *database,
                     const char *trigger) {
    static const char *const told[] = {"table_info",  "table_xinfo", "table_list",     "function_list",
                                       "module_list", "pragma_list", "compile_options"};
    static const char *const kept[] = {"load_extension", "kontor_book", "fts3_tokenizer"};
    /* SQLite asks it when it comes to know a virtual table, and then updates nothing; a statement that would is refused anyway. */
    static const char *const master[] = {"sqlite_master", "sqlite_temp_master"};
    (void)database;
    (void)trigger;
    bool good = action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE ||
                (action == SQLITE_UPDATE && is_one_of(first, master, 1)) ||
                (action == SQLITE_PRAGMA && is_one_of(first, told, sizeof told / sizeof *told)) ||
                (action == SQLITE_FUNCTION && !is_one_of(second, kept, sizeof kept / sizeof *kept));
    if (good) return SQLITE_OK;
    bool schema = is_one_of(first, master, 2); /* where what is created or dropped is met first */
    ((session *)context)->refused = schema ? "creating or dropping something" : action_name(action);
    return SQLITE_DENY;
}

/* ---- Ctrl-C ---- */

static sqlite3 *volatile interruptible; /* a handler has no other way to know */

static void on_interrupt(int number) {
    (void)number;
    if (interruptible != NULL) sqlite3_interrupt(interruptible);
}

/* ---- results ---- */

static kt_code said_by_sqlite(session *self, int rc, kt_error *error) {
    kt_code code = kt_sql_fault(self->sql, NULL);
    const char *text = sqlite3_errmsg(self->db);
    if (rc == SQLITE_AUTH && self->refused != NULL)
        return kt_fail(error, KT_UNSUPPORTED, "%s is refused: kontor sql only reads", self->refused);
    if (rc == SQLITE_INTERRUPT) return kt_fail(error, KT_END, "interrupted");
    if (rc == SQLITE_NOMEM) return kt_fail(error, KT_MEMORY, "no memory for this query");
    return kt_fail(error, code != KT_OK ? code : KT_INVALID, "%s", text);
}

typedef struct result {
    sqlite3_stmt *statement;
    int count;
    char names[KT_COLUMNS_MAX][72];
    kt_column columns[KT_COLUMNS_MAX];
    kt_out *out;
    uint64_t rows;
} result;

/* JSON's objects have each name once. */
static void name_columns(result *self) {
    for (int i = 0; i < self->count; i++) {
        const char *name = sqlite3_column_name(self->statement, i);
        snprintf(self->names[i], sizeof self->names[i], "%.60s", name == NULL ? "?" : name);
        for (int again = 2, k = 0; k < i; k++)
            if (strcmp(self->names[k], self->names[i]) == 0) {
                snprintf(self->names[i], sizeof self->names[i], "%.60s_%d", name == NULL ? "?" : name, again++);
                k = -1;
            }
        self->columns[i] = (kt_column){.key = self->names[i], .head = self->names[i], .cell = KT_CELL_VALUE};
    }
}

/* For people: numbers stand to the right, also those that are text; the first row tells. */
static void shape_columns(result *self, bool any) {
    for (int i = 0; i < self->count; i++) {
        int type = any ? sqlite3_column_type(self->statement, i) : SQLITE_NULL;
        self->columns[i].cell = type == SQLITE_INTEGER || type == SQLITE_FLOAT ? KT_CELL_NUMBER : KT_CELL_PROSE;
        if (type != SQLITE_TEXT) continue;
        const char *text = (const char *)sqlite3_column_text(self->statement, i);
        size_t size = (size_t)sqlite3_column_bytes(self->statement, i);
        const char *point = text == NULL ? NULL : strchr(text, '.');
        kt_amount amount;
        uint8_t decimals;
        if (point != NULL && kt_number_parse(text, size, '.', '\0', &amount, &decimals) == KT_NUMBER_OK)
            self->columns[i].cell = KT_CELL_AMOUNT;
    }
}

static void fill_blob(result *self, int column) {
    const uint8_t *bytes = sqlite3_column_blob(self->statement, column);
    size_t size = (size_t)sqlite3_column_bytes(self->statement, column);
    char *text = malloc(2 * size + 1);
    if (text == NULL) return;
    for (size_t i = 0; i < size; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    kt_out_text(self->out, (size_t)column, (kt_str){text, 2 * size});
    free(text);
}

static kt_code fill_row(result *self, kt_error *error) {
    for (int i = 0; i < self->count; i++) {
        switch (sqlite3_column_type(self->statement, i)) {
        case SQLITE_NULL: break;
        case SQLITE_INTEGER: kt_out_integer(self->out, (size_t)i, sqlite3_column_int64(self->statement, i)); break;
        case SQLITE_BLOB: fill_blob(self, i); break;
        default: { /* a binary fraction as SQLite writes it: its text, which is no number of ours */
            const char *text = (const char *)sqlite3_column_text(self->statement, i);
            if (text == NULL) return kt_fail(error, KT_MEMORY, "no memory for a row");
            kt_out_text(self->out, (size_t)i, (kt_str){text, (size_t)sqlite3_column_bytes(self->statement, i)});
        }
        }
    }
    self->rows++;
    return kt_out_row(self->out, error);
}

static kt_code show_rows(session *self, result *at, kt_error *error) {
    int rc = sqlite3_step(at->statement);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return said_by_sqlite(self, rc, error);
    if (self->shown++ != 0) kt_say(self->style, "\n");
    if (self->style == KT_STYLE_TABLE) shape_columns(at, rc == SQLITE_ROW);
    kt_code code = kt_out_open(self->style, at->columns, (size_t)at->count, false, &at->out, error);
    while (code == KT_OK && rc == SQLITE_ROW) {
        code = fill_row(at, error);
        if (code == KT_OK) rc = sqlite3_step(at->statement);
    }
    if (code == KT_OK && rc != SQLITE_DONE) code = said_by_sqlite(self, rc, error);
    if (code == KT_OK) {
        code = kt_out_close(at->out, error);
        kt_say(self->style, "%s", at->rows == 0 ? "" : "\n");
        kt_show_counted(self->style, at->rows, "row", "rows", "\n");
    } else if (self->style == KT_STYLE_TABLE) (void)kt_out_close(at->out, NULL); /* what was found so far */
    else kt_out_abort(at->out); /* cut short, so that nobody takes it for whole */
    return code;
}

static kt_code run_one(session *self, sqlite3_stmt *statement, kt_error *error) {
    result *at = calloc(1, sizeof *at);
    if (at == NULL) return kt_fail(error, KT_MEMORY, "no memory for a table");
    struct sigaction interrupt = {.sa_handler = on_interrupt}, before;
    at->statement = statement;
    at->count = sqlite3_column_count(statement);
    interruptible = self->db;
    (void)sigaction(SIGINT, &interrupt, &before);
    kt_code code = KT_OK;
    if (at->count > KT_COLUMNS_MAX)
        code = kt_fail(error, KT_LIMIT, "%d columns, at most %d are shown", at->count, KT_COLUMNS_MAX);
    else {
        name_columns(at);
        code = show_rows(self, at, error);
    }
    (void)sigaction(SIGINT, &before, NULL);
    interruptible = NULL;
    free(at);
    return code;
}

/* ---- statements ---- */

/* The next statement of text; *out is NULL where none is left. */
static kt_code prepare(session *self, const char **text, sqlite3_stmt **out, kt_error *error) {
    *out = NULL;
    while (*out == NULL && **text != '\0') {
        self->refused = NULL;
        int rc = sqlite3_prepare_v2(self->db, *text, -1, out, text);
        if (rc != SQLITE_OK) return said_by_sqlite(self, rc, error);
    }
    if (*out == NULL || sqlite3_stmt_readonly(*out)) return KT_OK;
    sqlite3_finalize(*out);
    *out = NULL;
    return kt_fail(error, KT_UNSUPPORTED, "a statement that writes is refused: kontor sql only reads");
}

/* All are looked at before the first is run. */
static kt_code check_all(session *self, const char *text, kt_error *error) {
    sqlite3_stmt *statement;
    size_t count = 0;
    for (;;) {
        kt_code code = prepare(self, &text, &statement, error);
        if (code != KT_OK) return code;
        if (statement == NULL) break;
        sqlite3_finalize(statement);
        count++;
    }
    if (count == 0) return kt_fail(error, KT_USAGE, "there is no statement: expected select …");
    if (count > 1 && self->style != KT_STYLE_TABLE)
        return kt_fail(error, KT_USAGE, "%zu statements: --json and --csv take one at a time", count);
    return KT_OK;
}

static kt_code run_all(session *self, const char *text, kt_error *error) {
    kt_code code = check_all(self, text, error);
    while (code == KT_OK) {
        sqlite3_stmt *statement;
        code = prepare(self, &text, &statement, error);
        if (code != KT_OK || statement == NULL) break;
        code = run_one(self, statement, error);
        sqlite3_finalize(statement);
    }
    return code;
}

static kt_code run_input(session *self, kt_error *error) {
    char *text = malloc(STATEMENTS_MOST + 1);
    size_t size = 0;
    if (text == NULL) return kt_fail(error, KT_MEMORY, "no memory for statements");
    size = fread(text, 1, STATEMENTS_MOST + 1, stdin);
    kt_code code = KT_OK;
    if (ferror(stdin) != 0) code = kt_fail_errno(error, errno, "standard input");
    else if (size > STATEMENTS_MOST) code = kt_fail(error, KT_LIMIT, "more than %u bytes of SQL", STATEMENTS_MOST);
    else if (memchr(text, '\0', size) != NULL) code = kt_fail(error, KT_INVALID, "standard input: a zero byte");
    if (code == KT_OK) {
        text[size] = '\0';
        code = run_all(self, text, error);
    }
    free(text);
    return code;
}

/* Somebody types: a statement at a time, and a mistake is no reason to leave. */
static kt_code run_terminal(session *self, kt_error *error) {
    char *line = NULL, *text = calloc(1, STATEMENTS_MOST + 1);
    size_t room = 0, size = 0;
    kt_code code = text == NULL ? kt_fail(error, KT_MEMORY, "no memory for statements") : KT_OK;
    while (code == KT_OK) {
        (void)kt_out_flush(NULL);
        fputs(size == 0 ? "kontor> " : "   ...> ", stderr);
        ssize_t got = getline(&line, &room, stdin);
        if (got < 0) break;
        if (size + (size_t)got > STATEMENTS_MOST)
            code = kt_fail(error, KT_LIMIT, "more than %u bytes of SQL", STATEMENTS_MOST);
        if (code != KT_OK) break;
        memcpy(text + size, line, (size_t)got + 1);
        size += (size_t)got;
        if (text[strspn(text, " \t\r\n;")] == '\0') size = 0;
        if (size == 0 || !sqlite3_complete(text)) continue;
        kt_error wrong = {0};
        self->shown = 0;
        kt_code said = run_all(self, text, &wrong);
        if (said == KT_IO) code = kt_fail(error, said, "%s", wrong.text);
        else if (said != KT_OK) {
            kt_print_safe(stderr, kt_str_from(wrong.text));
            fputc('\n', stderr);
        }
        size = 0;
    }
    free(line);
    free(text);
    return code;
}

/* ---- the command ---- */

static kt_code show_schema(kt_style style, kt_error *error) {
    enum { TABLE, COLUMN, TYPE, INDEXED, ABOUT, COUNT };
    static const kt_column columns[COUNT] = {
        [TABLE] = {"table", "table", KT_CELL_TEXT, false},  [COLUMN] = {"column", "column", KT_CELL_TEXT, false},
        [TYPE] = {"type", "type", KT_CELL_TEXT, false},     [INDEXED] = {"key", "key", KT_CELL_TEXT, false},
        [ABOUT] = {"about", "about", KT_CELL_PROSE, false},
    };
    kt_sql_description about;
    const char *table = "";
    kt_out *out;
    kt_code code = kt_out_open(style, columns, COUNT, false, &out, error);
    for (size_t i = 0; code == KT_OK && kt_sql_describe(i, &about); i++) {
        if (style == KT_STYLE_TABLE && strcmp(table, about.table) != 0) {
            kt_out_words(out, TABLE, about.table);
            kt_out_words(out, ABOUT, about.table_about);
            code = kt_out_row_people(out, true, error);
        }
        table = about.table;
        if (style != KT_STYLE_TABLE) kt_out_words(out, TABLE, about.table);
        kt_out_words(out, COLUMN, about.column);
        kt_out_words(out, TYPE, about.type);
        kt_out_words(out, INDEXED, about.indexed ? "key" : about.hidden ? "argument" : "");
        kt_out_words(out, ABOUT, about.about == NULL ? "" : about.about);
        if (code == KT_OK) code = kt_out_row(out, error);
    }
    if (code == KT_OK) return kt_out_close(out, error);
    kt_out_abort(out);
    return code;
}

/* LAW 9: nothing of the book goes to a temporary file; there is no file at all. */
static kt_code open_session(const kt_arguments *arguments, session *self, kt_error *error) {
    kt_sql_options options = {.entity = kt_str_from(kt_given_value(arguments, "entity"))};
    const char *known = kt_given_value(arguments, "as-known");
    kt_code code = kt_book_argument(arguments, &options.directory, error);
    if (code != KT_OK) return code;
    options.view.as_known = known != NULL;
    if (known != NULL && !kt_time_parse(known, strlen(known), &options.view.known_us))
        return kt_fail(error, KT_USAGE, "--as-known %.40s: expected a time such as 2026-03-31T17:00:00Z or a day",
                       known);
    if (sqlite3_open_v2(":memory:", &self->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK ||
        sqlite3_exec(self->db, "pragma temp_store = memory", NULL, NULL, NULL) != SQLITE_OK)
        return kt_fail(error, KT_MEMORY, "SQLite cannot be started");
    (void)sqlite3_db_config(self->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_limit(self->db, SQLITE_LIMIT_ATTACHED, 0);
    (void)sqlite3_limit(self->db, SQLITE_LIMIT_SQL_LENGTH, (int)STATEMENTS_MOST);
    code = kt_sql_register(self->db, &options, &self->sql, error);
    if (code == KT_OK && sqlite3_set_authorizer(self->db, authorize, self) != SQLITE_OK)
        code = kt_fail(error, KT_MEMORY, "SQLite cannot be started");
    return code;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    session self = {0};
    kt_code code = kt_style_of(arguments, &self.style, error);
    if (code != KT_OK) return code;
    if (kt_given_flag(arguments, "schema")) return show_schema(self.style, error);
    code = open_session(arguments, &self, error);
    if (code != KT_OK) {
    } else if (arguments->word_count != 0) code = run_all(&self, arguments->words[0], error);
    else if (isatty(STDIN_FILENO) == 1) code = run_terminal(&self, error);
    else code = run_input(&self, error);
    sqlite3_close(self.db);
    return code;
}

static const kt_option options[] = {
    {"schema", NULL, "list the tables and their columns, and end", NULL, false, false},
    {"as-known", "TIME", "what was on record at that time", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_sql = {
    .name = "sql",
    .words = "[STATEMENT]",
    .most = 1,
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_READING,
    .summary = "ask the book in SQL",
    .about =
        "The tables are read where they lie; kontor sql --schema lists them. Without a statement they are read from "
        "standard input, each ended by a semicolon. Only what reads is allowed. Amounts are whole numbers of the "
        "smallest unit, ..._text has them with their decimals; kontor_sum() adds either exactly.",
    .options = options,
    .example = "kontor sql \"select date, text, amount_text from lines where account = '6480' order by date\"",
    .run = run,
};
