#include <stdlib.h>

#include "engine/ledger/account.h"
#include "engine/ledger/balance.h"
#include "engine/ledger/entry.h"

struct posting {
    uint64_t number;
    uint32_t line;
    kt_day date;
    uint16_t currency;
    bool has_book;
    kt_amount amount, book;
};

struct work {
    struct posting *postings;
    size_t count, room;
    kt_amount *openings; /* by currency id */
    bool *seen;
    uint16_t currency_count;
    uint32_t account;
};

struct kt_statement_memory {
    kt_statement statement;
    struct kt_statement_memory_chunk {
        struct kt_statement_memory_chunk *next;
        size_t used, room;
        char bytes[];
    } * chunks;
};

static kt_str keep(struct kt_statement_memory *memory, kt_str text) {
    if (text.size == 0) return (kt_str){NULL, 0};
    struct kt_statement_memory_chunk *chunk = memory->chunks;
    if (chunk == NULL || chunk->room - chunk->used < text.size) {
        size_t room = text.size > 65536 ? text.size : 65536;
        chunk = malloc(sizeof *chunk + room);
        if (chunk == NULL) return (kt_str){NULL, 0};
        *chunk = (struct kt_statement_memory_chunk){memory->chunks, 0, room};
        memory->chunks = chunk;
    }
    char *at = chunk->bytes + chunk->used;
    memcpy(at, text.data, text.size);
    chunk->used += text.size;
    return (kt_str){at, text.size};
}

void kt_statement_free(kt_statement *statement) {
    if (statement == NULL) return;
    struct kt_statement_memory *memory = (struct kt_statement_memory *)statement;
    for (struct kt_statement_memory_chunk *chunk = memory->chunks, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(statement->openings);
    free(statement->postings);
    free(memory);
}

/* ---- gathering ---- */

static kt_code add_opening(struct work *work, uint16_t currency, kt_amount amount, kt_error *error) {
    if (currency == 0 || currency > work->currency_count)
        return kt_fail(error, KT_DAMAGED, "a posting names no currency on record");
    work->seen[currency - 1] = true;
    if (__builtin_add_overflow(work->openings[currency - 1], amount, &work->openings[currency - 1]))
        return kt_fail(error, KT_OVERFLOW, "a sum exceeds 128 bits");
    return KT_OK;
}

static kt_code opening_cell(void *context, const kt_run_cell *cell, kt_error *error) {
    return add_opening(context, cell->key.currency, cell->debit - cell->credit, error);
}

static kt_code opening_item(void *context, const kt_run_key *key, const kt_run_item *item, kt_error *error) {
    return add_opening(context, key->currency, item->amount, error);
}

static kt_code take_item(void *context, const kt_run_key *key, const kt_run_item *item, kt_error *error) {
    struct work *work = context;
    kt_code code = add_opening(work, key->currency, 0, error);
    if (code != KT_OK) return code;
    if (work->count == work->room) {
        size_t room = work->room == 0 ? 256 : work->room * 2;
        struct posting *grown = realloc(work->postings, room * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        work->postings = grown;
        work->room = room;
    }
    work->postings[work->count++] = (struct posting){.number = item->number,
                                                     .line = item->line,
                                                     .date = kt_month_first(key->month) + item->day,
                                                     .currency = key->currency,
                                                     .has_book = !item->unvalued,
                                                     .amount = item->amount,
                                                     .book = item->book};
    return KT_OK;
}

static int by_date(const void *a, const void *b) {
    const struct posting *x = a, *y = b;
    if (x->date != y->date) return x->date < y->date ? -1 : 1;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static kt_code gather(kt_view *view, struct work *work, kt_day from, kt_day to, kt_error *error) {
    kt_runs_query query;
    kt_code code = KT_OK;
    if (from != KT_DAY_NONE && from > KT_DAY_MIN) {
        kt_span_query(KT_DAY_NONE, from - 1, view->end, &query);
        query.account = work->account;
        code = kt_runs_scan(view->txn, kt_ledger_runs, &query, opening_cell, opening_item, work, error);
    }
    if (code != KT_OK) return code;
    kt_span_query(from, to, view->end, &query);
    query.account = work->account;
    query.items = true;
    code = kt_runs_scan(view->txn, kt_ledger_runs, &query, NULL, take_item, work, error);
    if (code == KT_OK && work->count != 0) qsort(work->postings, work->count, sizeof *work->postings, by_date);
    return code;
}

/* ---- telling ---- */

struct reading {
    kt_records *records;
    kt_entry_reader reader;
    kt_entry entry;
    uint64_t number; /* of the entry read; 0: none */
};

static kt_code read_entry(struct reading *reading, uint64_t number, kt_error *error) {
    kt_span bytes;
    kt_envelope envelope;
    bool repeats;
    if (reading->number == number) return KT_OK;
    kt_code code = kt_records_read_whole(reading->records, number, &bytes, NULL, error);
    if (code == KT_OK) code = kt_envelope_open(bytes, &envelope, error);
    if (code == KT_OK && envelope.kind != KT_KIND_ENTRY)
        code = kt_fail(error, KT_DAMAGED, "record %llu is no entry", (unsigned long long)number);
    if (code == KT_OK)
        code = kt_entry_unpack(&reading->reader, envelope.date, envelope.body, &reading->entry, &repeats, error);
    reading->number = code == KT_OK ? number : 0;
    return code;
}

static kt_code tell(struct work *work, struct reading *reading, const kt_names *names, kt_str account,
                    struct kt_statement_memory *memory, kt_error *error) {
    kt_statement *out = &memory->statement;
    out->postings = calloc(work->count + 1, sizeof *out->postings);
    if (out->postings == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_code code = KT_OK;
    for (size_t i = 0; i < work->count && code == KT_OK; i++) {
        const struct posting *from = &work->postings[i];
        code = read_entry(reading, from->number, error);
        if (code == KT_OK && from->line >= reading->entry.line_count)
            code = kt_fail(error, KT_DAMAGED, "entry %llu has no line %u", (unsigned long long)from->number,
                           from->line);
        if (code != KT_OK) break;
        const kt_line *line = &reading->entry.lines[from->line];
        const kt_currency *currency = &names->currencies[from->currency - 1];
        kt_amount *running = &work->openings[from->currency - 1];
        *running += from->amount;
        out->postings[out->posting_count++] = (kt_posting){
            .number = from->number,
            .line = from->line,
            .date = from->date,
            .amount = from->amount,
            .running = *running,
            .book = from->book,
            .has_book = from->has_book,
            .minus = reading->entry.minus,
            .account = account,
            .currency = currency->code,
            .decimals = currency->decimals,
            .series = keep(memory, reading->entry.series),
            .voucher = keep(memory, reading->entry.voucher),
            .text = keep(memory, line->text.size != 0 ? line->text : reading->entry.text),
            .ref = keep(memory, line->ref.size != 0 ? line->ref : reading->entry.ref)};
    }
    return code;
}

static kt_code list_openings(struct work *work, const kt_names *names, kt_statement *out, kt_error *error) {
    out->openings = calloc(work->currency_count + 1u, sizeof *out->openings);
    if (out->openings == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    for (uint16_t i = 0; i < work->currency_count; i++)
        if (work->seen[i])
            out->openings[out->opening_count++] = (kt_opening){names->currencies[i].code, names->currencies[i].decimals,
                                                               work->openings[i]};
    return KT_OK;
}

static kt_code read_statement(kt_view *view, struct work *work, const kt_names *names, kt_str account, kt_day from,
                              kt_day to, struct kt_statement_memory *memory, kt_error *error) {
    struct reading reading = {0};
    work->currency_count = names->currency_count;
    work->openings = calloc(work->currency_count + 1u, sizeof *work->openings);
    work->seen = calloc(work->currency_count + 1u, sizeof *work->seen);
    kt_code code = work->openings == NULL || work->seen == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
    if (code == KT_OK) code = gather(view, work, from, to, error);
    if (code == KT_OK) code = list_openings(work, names, &memory->statement, error);
    if (code == KT_OK) code = kt_records_open(view->txn, view->end, &reading.records, error);
    if (code == KT_OK) code = tell(work, &reading, names, account, memory, error);
    kt_records_close(reading.records);
    kt_entry_reader_release(&reading.reader);
    free(work->openings);
    free(work->seen);
    free(work->postings);
    return code;
}

kt_code kt_statement_read(kt_view *view, kt_str account, kt_day from, kt_day to, kt_statement **out, kt_error *error) {
    struct work work = {0};
    kt_names names = {0};
    kt_account facts;
    *out = NULL;
    if (from != KT_DAY_NONE && to != KT_DAY_NONE && from > to)
        return kt_fail(error, KT_USAGE, "the first day lies behind the last");
    struct kt_statement_memory *memory = calloc(1, sizeof *memory);
    if (memory == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_code code = kt_view_account(view, account, &facts, error);
    if (code == KT_OK) code = kt_currency_names_load(view, &names, error);
    work.account = facts.id;
    if (code == KT_OK) code = read_statement(view, &work, &names, facts.code, from, to, memory, error);
    kt_names_release(&names);
    if (code != KT_OK) kt_statement_free(&memory->statement);
    else *out = &memory->statement;
    return code;
}
