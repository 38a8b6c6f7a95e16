#include "engine/ledger/balance.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/ledger/dimension.h"

struct sum {
    uint32_t account, group;
    uint16_t currency;
    uint64_t lines, unvalued;
    kt_amount debit, credit, book_debit, book_credit;
};

struct group {
    kt_str name;
    kt_month month;
};

struct work {
    kt_view *view;
    kt_by by;
    struct sum *sums;
    uint32_t *slots; /* open addressing; UINT32_MAX: free */
    uint32_t count, room, slot_count;
    struct group *groups;
    uint32_t group_count, group_room;
    uint32_t *sets; /* dimension set -> group + 1 */
    uint32_t set_room;
};

bool kt_span_query(kt_day from, kt_day to, uint64_t end, kt_runs_query *out) {
    *out = (kt_runs_query){.first_month = INT32_MIN, .last_month = INT32_MAX, .last_day = 31, .end = end};
    if (from != KT_DAY_NONE) {
        out->first_month = kt_day_month(from);
        out->first_day = (uint8_t)(from - kt_month_first(out->first_month));
    }
    if (to != KT_DAY_NONE) {
        out->last_month = kt_day_month(to);
        out->last_day = to == kt_month_last(out->last_month) ? 31 : (uint8_t)(to - kt_month_first(out->last_month));
    }
    return from == KT_DAY_NONE || to == KT_DAY_NONE || from <= to;
}

/* ---- groups ---- */

static kt_code add_group(struct work *work, struct group group, uint32_t *out, kt_error *error) {
    for (uint32_t i = 0; i < work->group_count; i++)
        if (work->groups[i].month == group.month && kt_str_equal(work->groups[i].name, group.name)) {
            *out = i;
            return KT_OK;
        }
    if (work->group_count == work->group_room) {
        uint32_t room = work->group_room == 0 ? 32 : work->group_room * 2;
        struct group *grown = realloc(work->groups, room * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        work->groups = grown;
        work->group_room = room;
    }
    *out = work->group_count;
    work->groups[work->group_count++] = group;
    return KT_OK;
}

static kt_code group_of_set(struct work *work, uint32_t set, uint32_t *group, kt_error *error) {
    if (set >= work->set_room) {
        uint32_t room = set + 1024;
        uint32_t *grown = realloc(work->sets, room * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        memset(grown + work->set_room, 0, (room - work->set_room) * sizeof *grown);
        work->sets = grown;
        work->set_room = room;
    }
    if (work->sets[set] == 0) {
        struct group found = {0};
        kt_code code = kt_dimension_value(work->view->txn, set, (uint8_t)work->by, &found.name, error);
        if (code == KT_OK) code = add_group(work, found, group, error);
        if (code != KT_OK) return code;
        work->sets[set] = *group + 1;
    }
    *group = work->sets[set] - 1;
    return KT_OK;
}

static kt_code group_of(struct work *work, const kt_run_key *key, uint32_t *group, kt_error *error) {
    *group = 0;
    if (work->by == KT_BY_NOTHING) return KT_OK;
    if (work->by != KT_BY_MONTH) return group_of_set(work, key->dimensions, group, error);
    char day[KT_DAY_TEXT];
    struct group month = {.month = key->month};
    for (uint32_t i = work->group_count; i-- > 0;) /* neighbours are alike */
        if (work->groups[i].month == key->month) {
            *group = i;
            return KT_OK;
        }
    kt_day_format(kt_month_first(key->month), day);
    month.name = kt_view_keep(work->view, (kt_str){day, 7});
    return add_group(work, month, group, error);
}

/* ---- sums ---- */

static uint32_t hash_sum(uint32_t account, uint16_t currency, uint32_t group) {
    uint64_t h = ((uint64_t)account << 32 | group) * 0x9e3779b97f4a7c15ull + currency;
    h *= 0xff51afd7ed558ccdull;
    return (uint32_t)(h >> 32);
}

static bool grow(struct work *work) {
    if (work->count == work->room) {
        uint32_t room = work->room == 0 ? 1024 : work->room * 2;
        struct sum *grown = room > work->room ? realloc(work->sums, room * sizeof *grown) : NULL;
        if (grown == NULL) return false;
        work->sums = grown;
        work->room = room;
    }
    if (work->count * 2 < work->slot_count) return true;
    uint32_t count = work->slot_count == 0 ? 4096 : work->slot_count * 2;
    uint32_t *slots = malloc(count * sizeof *slots);
    if (slots == NULL) return false;
    memset(slots, 0xff, count * sizeof *slots);
    for (uint32_t i = 0; i < work->count; i++) {
        uint32_t at = hash_sum(work->sums[i].account, work->sums[i].currency, work->sums[i].group) & (count - 1);
        while (slots[at] != UINT32_MAX) at = (at + 1) & (count - 1);
        slots[at] = i;
    }
    free(work->slots);
    work->slots = slots;
    work->slot_count = count;
    return true;
}

static kt_code find_sum(struct work *work, const kt_run_key *key, struct sum **out, kt_error *error) {
    uint32_t group;
    kt_code code = group_of(work, key, &group, error);
    if (code != KT_OK) return code;
    if (!grow(work)) return kt_fail(error, KT_MEMORY, "out of memory");
    uint32_t mask = work->slot_count - 1, at = hash_sum(key->account, key->currency, group) & mask;
    for (; work->slots[at] != UINT32_MAX; at = (at + 1) & mask) {
        struct sum *sum = &work->sums[work->slots[at]];
        if (sum->account == key->account && sum->currency == key->currency && sum->group == group) {
            *out = sum;
            return KT_OK;
        }
    }
    work->slots[at] = work->count;
    *out = &work->sums[work->count++];
    **out = (struct sum){.account = key->account, .group = group, .currency = key->currency};
    return KT_OK;
}

static bool add_to(kt_amount *sum, kt_amount amount) { return !__builtin_add_overflow(*sum, amount, sum); }

static kt_code overflow(kt_error *error) { return kt_fail(error, KT_OVERFLOW, "a sum exceeds 128 bits"); }

static kt_code add_cell(void *context, const kt_run_cell *cell, kt_error *error) {
    struct sum *sum;
    kt_code code = find_sum(context, &cell->key, &sum, error);
    if (code != KT_OK) return code;
    sum->lines += cell->count;
    sum->unvalued += cell->unvalued;
    bool fits = add_to(&sum->debit, cell->debit) && add_to(&sum->credit, cell->credit) &&
                add_to(&sum->book_debit, cell->book_debit) && add_to(&sum->book_credit, cell->book_credit);
    return fits ? KT_OK : overflow(error);
}

static kt_code add_item(void *context, const kt_run_key *key, const kt_run_item *item, kt_error *error) {
    struct sum *sum;
    kt_code code = find_sum(context, key, &sum, error);
    if (code != KT_OK) return code;
    bool debit = (item->amount > 0) != item->minus;
    sum->lines++;
    sum->unvalued += item->unvalued;
    bool fits = debit ? add_to(&sum->debit, item->amount) && add_to(&sum->book_debit, item->book)
                      : add_to(&sum->credit, -item->amount) && add_to(&sum->book_credit, -item->book);
    return fits ? KT_OK : overflow(error);
}

/* ---- rows ---- */

static kt_code fill_row(const struct work *work, const kt_names *names, const struct sum *sum, kt_balance *row,
                        kt_error *error) {
    if (names->book_currency == 0 || sum->account == 0 || sum->account > names->account_count || sum->currency == 0 ||
        sum->currency > names->currency_count)
        return kt_fail(error, KT_DAMAGED, "sums name an account or a currency that is not on record");
    const kt_account *account = &names->accounts[sum->account - 1];
    const kt_currency *currency = &names->currencies[sum->currency - 1];
    *row = (kt_balance){.debit = sum->debit,
                        .credit = sum->credit,
                        .book_debit = sum->book_debit,
                        .book_credit = sum->book_credit,
                        .account = account->code,
                        .name = account->name,
                        .currency = currency->code,
                        .type = account->type,
                        .decimals = currency->decimals,
                        .book_decimals = names->currencies[names->book_currency - 1].decimals,
                        .lines = sum->lines,
                        .unvalued = sum->unvalued};
    if (work->by != KT_BY_NOTHING) row->group = work->groups[sum->group].name;
    if (__builtin_sub_overflow(sum->debit, sum->credit, &row->balance) ||
        __builtin_sub_overflow(sum->book_debit, sum->book_credit, &row->book_balance))
        return overflow(error);
    return KT_OK;
}

static int compare_str(kt_str a, kt_str b) {
    return kt_span_compare(kt_span_of(a.data, a.size), kt_span_of(b.data, b.size));
}

static int by_account(const void *a, const void *b) {
    const kt_balance *x = a, *y = b;
    int order = compare_str(x->account, y->account);
    if (order == 0) order = compare_str(x->currency, y->currency);
    return order != 0 ? order : compare_str(x->group, y->group);
}

static kt_code make_rows(struct work *work, kt_balance **out, size_t *count, kt_error *error) {
    kt_names names;
    kt_code code = kt_names_load(work->view, &names, error);
    kt_balance *rows = code == KT_OK ? calloc(work->count + 1u, sizeof *rows) : NULL;
    if (code == KT_OK && rows == NULL) code = kt_fail(error, KT_MEMORY, "out of memory");
    for (uint32_t i = 0; i < work->count && code == KT_OK; i++)
        code = fill_row(work, &names, &work->sums[i], &rows[i], error);
    kt_names_release(&names);
    if (code != KT_OK) {
        free(rows);
        return code;
    }
    qsort(rows, work->count, sizeof *rows, by_account);
    *out = rows;
    *count = work->count;
    return KT_OK;
}

kt_code kt_balances(kt_view *view, const kt_balance_query *query, kt_balance **out, size_t *count, kt_error *error) {
    static const kt_balance_query everything = {KT_DAY_NONE, KT_DAY_NONE, KT_BY_NOTHING};
    struct work work = {.view = view};
    kt_runs_query scan;
    if (query == NULL) query = &everything;
    *out = NULL;
    *count = 0;
    work.by = query->by;
    if ((unsigned)query->by > KT_DIMENSIONS_MAX && query->by != KT_BY_MONTH)
        return kt_fail(error, KT_USAGE, "there is no dimension %u to report by: expected 1 to %d", (unsigned)query->by,
                       KT_DIMENSIONS_MAX);
    if (!kt_span_query(query->from, query->to, view->end, &scan))
        return kt_fail(error, KT_USAGE, "the first day lies behind the last");
    kt_code code = kt_runs_scan(view->txn, kt_ledger_runs, &scan, add_cell, add_item, &work, error);
    if (code == KT_OK) code = make_rows(&work, out, count, error);
    free(work.sums);
    free(work.slots);
    free(work.groups);
    free(work.sets);
    return code;
}
