#include "storage/scan.h"

#include <stdlib.h>

#include "storage/run.h"

struct scan {
    kt_txn *txn;
    kt_run_tables tables;
    const kt_runs_query *query;
    kt_run_cell_callback cell;
    kt_run_item_callback item;
    void *context;
    bool whole_months, cut_months; /* which months this pass gives */
    kt_run_reader reader;
};

static bool is_whole(const kt_runs_query *query, int32_t month) {
    return (month > query->first_month || query->first_day == 0) &&
           (month < query->last_month || query->last_day >= 31);
}

static kt_code scan_list(struct scan *scan, const kt_run_cell *cell, kt_error *error) {
    uint8_t buffer[4096];
    size_t have = 0, size;
    uint64_t offset = cell->list_offset, left = cell->list_bytes, last = scan->reader.run->first;
    const kt_runs_query *query = scan->query;
    kt_code code = KT_OK;
    while (left != 0 || have != 0) {
        size_t wanted = sizeof buffer - have;
        code = kt_run_reader_list(&scan->reader, offset, buffer + have, left < wanted ? (size_t)left : wanted, &size,
                                  error);
        if (code != KT_OK) return code;
        if (size == 0 && left != 0) return kt_fail(error, KT_DAMAGED, "a list ends early");
        offset += size;
        left -= size;
        have += size;
        const uint8_t *at = buffer, *end = buffer + have;
        while (at != end && (left == 0 || (size_t)(end - at) >= KT_RUN_ITEM_MAX)) {
            kt_run_item item;
            at = kt_run_item_read(at, end, &last, &item);
            if (at == NULL) return kt_fail(error, KT_DAMAGED, "a list of postings is malformed");
            if (item.number >= query->end) return KT_OK; /* numbers rise */
            if (cell->key.month == query->first_month && item.day < query->first_day) continue;
            if (cell->key.month == query->last_month && item.day > query->last_day) continue;
            code = scan->item(scan->context, &cell->key, &item, error);
            if (code != KT_OK) return code;
        }
        have = (size_t)(end - at);
        memmove(buffer, at, have);
    }
    return KT_OK;
}

static kt_code scan_run(struct scan *scan, const kt_run *run, kt_error *error) {
    const kt_runs_query *query = scan->query;
    bool whole_run = run->end <= query->end;
    kt_code code = kt_run_reader_open(&scan->reader, scan->txn, scan->tables, run, query->account, error);
    if (code != KT_OK) return code;
    while ((code = kt_run_reader_next(&scan->reader, error)) == KT_OK) {
        const kt_run_cell *cell = &scan->reader.cell;
        if (query->account != 0) {
            if (cell->key.account < query->account) continue;
            if (cell->key.account > query->account) break;
        }
        if (cell->key.month < query->first_month || cell->key.month > query->last_month) continue;
        bool whole = is_whole(query, cell->key.month);
        if (whole ? !scan->whole_months : !scan->cut_months) continue;
        if (whole && whole_run && !query->items) {
            if (scan->cell != NULL) code = scan->cell(scan->context, cell, error);
        } else if (scan->item != NULL) code = scan_list(scan, cell, error);
        if (code != KT_OK) break;
    }
    kt_run_reader_close(&scan->reader);
    return code == KT_END ? KT_OK : code;
}

/* One pass over the runs whose sums, or whose lists, are in force. */
static kt_code scan_pass(struct scan *scan, const kt_run *runs, uint32_t count, bool lists, kt_error *error) {
    kt_code code = KT_OK;
    for (uint32_t i = 0; i < count && code == KT_OK; i++) {
        if ((lists ? !runs[i].lists : !runs[i].sums) || runs[i].first >= scan->query->end) continue;
        code = scan_run(scan, &runs[i], error);
    }
    return code;
}

kt_code kt_runs_scan(kt_txn *txn, kt_run_tables tables, const kt_runs_query *query, kt_run_cell_callback cell,
                     kt_run_item_callback item, void *context, kt_error *error) {
    kt_run *runs = NULL;
    uint32_t count;
    uint64_t next, newest = 0;
    struct scan *scan = malloc(sizeof *scan);
    if (scan == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    *scan = (struct scan){.txn = txn, .tables = tables, .query = query, .cell = cell, .item = item, .context = context};
    kt_code code = kt_run_manifest(txn, tables, &runs, &count, &next, error);
    for (uint32_t i = 0; i < count; i++)
        if (runs[i].end > newest) newest = runs[i].end;
    if (code == KT_OK && (query->items || query->end < newest)) {
        /* Sums may be merged across `end`; the runs that carry lists are finer. */
        scan->whole_months = scan->cut_months = true;
        code = scan_pass(scan, runs, count, true, error);
    } else if (code == KT_OK) {
        scan->whole_months = true;
        code = scan_pass(scan, runs, count, false, error);
        bool cut = !is_whole(query, query->first_month) || !is_whole(query, query->last_month);
        scan->whole_months = false;
        scan->cut_months = true;
        if (code == KT_OK && cut) code = scan_pass(scan, runs, count, true, error);
    }
    free(runs);
    free(scan);
    return code;
}
