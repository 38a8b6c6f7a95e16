/* entries: one row an entry. */
#include "engine/ledger/reverse.h"
#include "engine/sql/walk.h"

enum { NUMBER, DATE, SERIES, VOUCHER, TEXT, REF, LINE_COUNT, REVERSES, REVERSED_BY, PROPOSAL, MINUS, BATCH, RECORDED };

static const kt_sql_column columns[] = {
    [NUMBER] = {"number", "INTEGER", KT_SQL_NUMBER, "of its record"},
    [DATE] = {"date", "TEXT", KT_SQL_DAY, "when it counts, 2026-03-31"},
    [SERIES] = {"series", "TEXT", KT_SQL_PLAIN, "of vouchers"},
    [VOUCHER] = {"voucher", "TEXT", KT_SQL_PLAIN, "number in its series"},
    [TEXT] = {"text", "TEXT", KT_SQL_PLAIN, NULL},
    [REF] = {"ref", "TEXT", KT_SQL_PLAIN, NULL},
    [LINE_COUNT] = {"line_count", "INTEGER", KT_SQL_PLAIN, "lines it has"},
    [REVERSES] = {"reverses", "INTEGER", KT_SQL_PLAIN, "the entry that it reverses"},
    [REVERSED_BY] = {"reversed_by", "INTEGER", KT_SQL_PLAIN, "the entry that reverses it"},
    [PROPOSAL] = {"proposal", "INTEGER", KT_SQL_PLAIN, "the proposal that it carries out"},
    [MINUS] = {"minus", "INTEGER", KT_SQL_PLAIN, "1: booked with minus amounts"},
    [BATCH] = {"batch", "TEXT", KT_SQL_BATCH, "id of its batch"},
    [RECORDED] = {"recorded", "TEXT", KT_SQL_PLAIN, "when it was known, UTC"},
    {NULL, NULL, KT_SQL_PLAIN, NULL},
};

typedef struct state {
    kt_sql_walk walk;
    kt_batch_row batch;
    bool batch_known;
} state;

static uint64_t rows(const kt_sql *sql) { return sql->entries; }

static kt_code filter(kt_sql_cursor *cursor, const kt_sql_bounds *bounds, kt_error *error) {
    state *self = cursor->state;
    return kt_sql_walk_begin(&self->walk, cursor->sql, bounds, &cursor->end, error);
}

static kt_code next(kt_sql_cursor *cursor, kt_error *error) {
    state *self = cursor->state;
    return kt_sql_walk_next(&self->walk, &cursor->end, error);
}

static int64_t row_id(kt_sql_cursor *cursor) { return (int64_t)((const state *)cursor->state)->walk.number; }

static kt_code reversed_by(kt_sql_cursor *cursor, sqlite3_context *out, kt_error *error) {
    const state *self = cursor->state;
    uint64_t reversal;
    kt_code code = kt_reversal_of(cursor->sql->view->state, self->walk.number, &reversal, error);
    if (code == KT_OK) kt_sql_reference(out, reversal < cursor->sql->view->end ? reversal : 0);
    return code;
}

static kt_code batch_cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    state *self = cursor->state;
    kt_code code = kt_sql_batch_of(cursor->sql, self->walk.number, &self->batch, &self->batch_known, error);
    if (code != KT_OK) return code;
    if (column == RECORDED) kt_sql_time(out, self->batch.recorded_us);
    else kt_sql_text(out, (kt_str){(const char *)self->batch.id.data, self->batch.id.size});
    return KT_OK;
}

static kt_code cell(kt_sql_cursor *cursor, sqlite3_context *out, int column, kt_error *error) {
    state *self = cursor->state;
    const kt_entry *entry = &self->walk.entry;
    switch (column) { /* what needs no unpacking */
    case NUMBER: kt_sql_number(out, self->walk.number); return KT_OK;
    case DATE: kt_sql_day(out, self->walk.envelope.date); return KT_OK;
    case REVERSED_BY: return reversed_by(cursor, out, error);
    case BATCH:
    case RECORDED: return batch_cell(cursor, out, column, error);
    default: break;
    }
    kt_code code = kt_sql_walk_unpack(&self->walk, error);
    if (code != KT_OK) return code;
    switch (column) {
    case SERIES: kt_sql_text(out, entry->series); break;
    case VOUCHER: kt_sql_text(out, entry->voucher); break;
    case TEXT: kt_sql_text(out, entry->text); break;
    case REF: kt_sql_text(out, entry->ref); break;
    case LINE_COUNT: kt_sql_number(out, entry->line_count); break;
    case REVERSES: kt_sql_reference(out, entry->reverses); break;
    case PROPOSAL: kt_sql_reference(out, entry->proposal); break;
    case MINUS: kt_sql_number(out, entry->minus); break;
    default: break;
    }
    return KT_OK;
}

static void release(kt_sql_cursor *cursor) { kt_sql_walk_release(&((state *)cursor->state)->walk); }

const kt_sql_table kt_sql_entries = {.name = "entries",
                                     .about = "entries, in the order of record",
                                     .columns = columns,
                                     .order = {NUMBER, -1},
                                     .backwards = true,
                                     .state = sizeof(state),
                                     .rows = rows,
                                     .filter = filter,
                                     .next = next,
                                     .cell = cell,
                                     .row_id = row_id,
                                     .release = release};
