#include "tests/runs_model.h"

#include <stdlib.h>

const kt_run_tables model_tables = {STORING_ONE, STORING_TWO, STORING_THREE};

enum { KEYS = MODEL_ACCOUNTS * MODEL_CURRENCIES * MODEL_SETS * MODEL_MONTHS };

static void must(kt_code code, const kt_error *error) {
    if (code == KT_OK) return;
    diag("%s", error->text);
    abort();
}

void model_open(model *m, const char *name) {
    char directory[STORING_PATH];
    kt_error error = {0};
    *m = (model){.store = storing_open(storing_directory(name, directory), true, false, &error)};
    must(error.code, &error);
    must(kt_runs_open(model_tables, &m->runs, &error), &error);
}

void model_close(model *m) {
    kt_runs_close(m->runs);
    kt_txn_abort(m->txn);
    kt_store_close(m->store);
    free(m->postings);
}

static kt_int128 any_amount(uint64_t *random) {
    kt_int128 amount = (kt_int128)(test_random(random) % 100000);
    if (test_random(random) % 50 == 0)
        amount = (kt_int128)((kt_uint128)test_random(random) << (test_random(random) % 50));
    return test_random(random) % 2 ? amount : -amount;
}

static void add(model *m, uint64_t number, uint32_t line, uint64_t *random) {
    kt_error error = {0};
    if (m->count == m->room) {
        m->room = m->room == 0 ? 4096 : m->room * 2;
        m->postings = realloc(m->postings, m->room * sizeof(*m->postings));
    }
    struct model_posting *p = &m->postings[m->count++];
    bool foreign = test_random(random) % 3 == 0;
    p->key = (kt_run_key){.account = 1 + (uint32_t)(test_random(random) % MODEL_ACCOUNTS),
                          .currency = foreign ? (uint16_t)(2 + test_random(random) % (MODEL_CURRENCIES - 1)) : 1,
                          .dimensions = test_random(random) % 4 ? 0 : (uint32_t)(test_random(random) % MODEL_SETS),
                          .month = MODEL_FIRST_MONTH + (int32_t)(test_random(random) % MODEL_MONTHS)};
    p->item = (kt_run_item){.number = number,
                            .line = line,
                            .day = (uint8_t)(test_random(random) % 31),
                            .minus = test_random(random) % 9 == 0,
                            .own_book = foreign,
                            .unvalued = foreign && test_random(random) % 3 == 0,
                            .amount = any_amount(random)};
    p->item.book = !foreign ? p->item.amount : p->item.unvalued ? 0 : any_amount(random);
    if ((p->item.book > 0) != (p->item.amount > 0)) /* a cost has its amount's sign */
        p->item.book = -p->item.book;
    must(kt_runs_add(m->runs, &p->key, &p->item, &error), &error);
}

void model_block(model *m, uint64_t *random) {
    kt_error error = {0};
    if (m->txn == NULL) must(kt_txn_begin(m->store, true, &m->txn, &error), &error);
    size_t before = m->count;
    uint64_t first = m->next, records = 1 + test_random(random) % 30;
    for (; records != 0; records--, m->next++)
        for (uint32_t line = 0, lines = (uint32_t)(test_random(random) % 4); line < lines; line++)
            add(m, m->next, line, random);
    kt_runs_turn(m->runs);
    must(kt_runs_block(m->runs, m->txn, first, (uint32_t)(m->next - first), &error), &error);
    m->blocks += m->count != before;
}

void model_seal(model *m) {
    kt_error error = {0};
    if (m->txn == NULL) return;
    must(kt_runs_seal(m->runs, m->txn, &error), &error);
    must(kt_txn_commit(m->txn, &error), &error);
    m->txn = NULL;
}

/* ---- asking twice ---- */

typedef struct sum {
    uint64_t count, unvalued;
    kt_int128 debit, credit, book_debit, book_credit;
} sum;

typedef struct answer {
    sum sums[KEYS];
    uint64_t last[KEYS]; /* number and line of the item of that key that came last */
    size_t items;
    int disorder, stray;
} answer;

static size_t index_of(const kt_run_key *key) {
    size_t month = (size_t)(key->month - MODEL_FIRST_MONTH);
    return (((key->account - 1) * MODEL_CURRENCIES + key->currency - 1) * MODEL_SETS + key->dimensions) * MODEL_MONTHS +
           month;
}

static void add_item(sum *s, const kt_run_item *item) {
    bool debit = (item->amount > 0) != item->minus;
    kt_int128 book = item->unvalued ? 0 : item->own_book ? item->book : item->amount;
    s->count++;
    s->unvalued += item->unvalued;
    if (debit) {
        s->debit += item->amount;
        s->book_debit += book;
    } else {
        s->credit -= item->amount;
        s->book_credit -= book;
    }
}

static kt_code take_cell(void *context, const kt_run_cell *cell, kt_error *error) {
    answer *a = context;
    (void)error;
    if (index_of(&cell->key) >= KEYS) {
        a->stray++;
        return KT_OK;
    }
    sum *s = &a->sums[index_of(&cell->key)];
    s->count += cell->count;
    s->unvalued += cell->unvalued;
    s->debit += cell->debit;
    s->credit += cell->credit;
    s->book_debit += cell->book_debit;
    s->book_credit += cell->book_credit;
    return KT_OK;
}

static kt_code take_item(void *context, const kt_run_key *key, const kt_run_item *item, kt_error *error) {
    answer *a = context;
    (void)error;
    if (index_of(key) >= KEYS) {
        a->stray++;
        return KT_OK;
    }
    uint64_t place = (item->number << 8 | item->line) + 1;
    a->disorder += place <= a->last[index_of(key)];
    a->last[index_of(key)] = place;
    a->items++;
    add_item(&a->sums[index_of(key)], item);
    return KT_OK;
}

static bool is_asked(const kt_runs_query *query, const struct model_posting *p) {
    if (query->account != 0 && p->key.account != query->account) return false;
    if (p->item.number >= query->end || p->key.month < query->first_month || p->key.month > query->last_month)
        return false;
    return (p->key.month != query->first_month || p->item.day >= query->first_day) &&
           (p->key.month != query->last_month || p->item.day <= query->last_day);
}

int model_compare(model *m, const kt_runs_query *query) {
    kt_error error = {0};
    kt_txn *txn;
    answer *found = calloc(1, sizeof(*found)), *expected = calloc(1, sizeof(*expected));
    must(kt_txn_begin(m->store, false, &txn, &error), &error);
    must(kt_runs_scan(txn, model_tables, query, take_cell, take_item, found, &error), &error);
    kt_txn_abort(txn);
    for (size_t i = 0; i < m->count; i++)
        if (is_asked(query, &m->postings[i]))
            (void)take_item(expected, &m->postings[i].key, &m->postings[i].item, &error);
    int wrong = found->disorder + found->stray;
    for (size_t i = 0; i < KEYS; i++) {
        const sum *a = &found->sums[i], *b = &expected->sums[i];
        wrong += a->count != b->count || a->unvalued != b->unvalued || a->debit != b->debit || a->credit != b->credit ||
                 a->book_debit != b->book_debit || a->book_credit != b->book_credit;
    }
    if (query->items) wrong += found->items != expected->items;
    free(found);
    free(expected);
    return wrong;
}

kt_runs_query model_query(const model *m, uint64_t *random) {
    kt_runs_query query = {.first_month = INT32_MIN, .last_month = INT32_MAX, .last_day = 31, .end = UINT64_MAX};
    if (test_random(random) % 2)
        query.account = 1 + (uint32_t)(test_random(random) % (MODEL_ACCOUNTS + 2)); /* some that never were */
    if (test_random(random) % 2) query.first_month = MODEL_FIRST_MONTH + (int32_t)(test_random(random) % MODEL_MONTHS);
    if (test_random(random) % 2) query.last_month = MODEL_FIRST_MONTH + (int32_t)(test_random(random) % MODEL_MONTHS);
    if (test_random(random) % 2) query.first_day = (uint8_t)(test_random(random) % 31);
    if (test_random(random) % 2) query.last_day = (uint8_t)(test_random(random) % 31);
    if (test_random(random) % 3 == 0) query.end = test_random(random) % (m->next + 3);
    query.items = test_random(random) % 3 == 0;
    return query;
}

void model_digest(model *m, uint8_t out[KT_HASH_SIZE]) {
    const kt_table tables[3] = {model_tables.manifest, model_tables.cells, model_tables.lists};
    kt_error error = {0};
    kt_sha256 hash;
    kt_txn *txn;
    kt_cursor *cursor;
    kt_span key, value;
    kt_sha256_init(&hash);
    must(kt_txn_begin(m->store, false, &txn, &error), &error);
    for (int i = 0; i < 3; i++) {
        must(kt_cursor_open(txn, tables[i], &cursor, &error), &error);
        for (kt_code code = kt_cursor_first(cursor, &key, &value, &error); code == KT_OK;
             code = kt_cursor_next(cursor, &key, &value, &error)) {
            const uint64_t sizes[2] = {key.size, value.size};
            kt_sha256_update(&hash, sizes, sizeof(sizes));
            kt_sha256_update(&hash, key.data, key.size);
            kt_sha256_update(&hash, value.data, value.size);
        }
        kt_cursor_close(cursor);
    }
    kt_txn_abort(txn);
    kt_sha256_final(&hash, out);
}

int model_runs(model *m, int level, bool sums, bool lists) {
    kt_error error = {0};
    kt_txn *txn;
    kt_run *runs = NULL;
    uint32_t count;
    uint64_t next;
    int found = 0;
    must(kt_txn_begin(m->store, false, &txn, &error), &error);
    must(kt_run_manifest(txn, model_tables, &runs, &count, &next, &error), &error);
    for (uint32_t i = 0; i < count; i++)
        found += (level < 0 || runs[i].level == level) && runs[i].sums == sums && runs[i].lists == lists;
    free(runs);
    kt_txn_abort(txn);
    return found;
}
