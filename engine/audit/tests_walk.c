#include "engine/audit/tests_walk.h"

#include <pthread.h>
#include <stdlib.h>

#include "engine/fold.h"
#include "engine/view.h"

#define STRETCH 16384u /* records */

/* ---- opening and closing ---- */

static kt_code open_worker(kt_audit_walk *walk, kt_audit_worker *worker, kt_error *error) {
    const kt_audit_work *work = walk->work;
    worker->work = work;
    worker->walk = walk;
    worker->year_first = KT_DAY_MAX; /* no year yet */
    worker->year_last = KT_DAY_MIN;
    worker->batch.first = 1; /* no batch yet */
    if (work->head.entries != 0) {
        kt_month first = kt_day_month(work->head.first_day), last = kt_day_month(work->head.last_day);
        worker->month_count = (size_t)(last - first) + 1;
        worker->months = calloc(worker->month_count, sizeof *worker->months);
        if (worker->months == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        for (size_t i = 0; i < worker->month_count; i++) worker->months[i].month = first + (kt_month)i;
    }
    kt_code code = KT_OK;
    for (size_t i = 0; i < walk->tester_count && code == KT_OK; i++) {
        const kt_tester *tester = walk->testers[i];
        kt_test_self *self = worker->selves[i] = calloc(1, tester->size);
        if (self == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        self->work = work;
        kt_spots_init(&self->spots, work->options.most_findings);
        if (tester->begin != NULL) code = tester->begin(self, error);
    }
    return code;
}

kt_code kt_audit_walk_open(kt_audit_walk *walk, kt_error *error) {
    kt_view *view = walk->work->view;
    uint64_t stretches = view->end / STRETCH + 1;
    unsigned wanted = walk->work->options.threads;
    if (wanted > stretches) wanted = (unsigned)stretches;
    walk->workers[0].view = view;
    walk->worker_count = 1;
    kt_code code = open_worker(walk, &walk->workers[0], error);
    while (code == KT_OK && walk->worker_count < wanted) {
        kt_audit_worker *worker = &walk->workers[walk->worker_count];
        if (kt_view_open(view->book, NULL, &worker->view, NULL) != KT_OK) break; /* so many readers: fewer workers do */
        worker->view->end = view->end;
        walk->worker_count++;
        code = open_worker(walk, worker, error);
    }
    return code;
}

void kt_audit_walk_close(kt_audit_walk *walk) {
    for (unsigned w = 0; w < walk->worker_count; w++) {
        kt_audit_worker *worker = &walk->workers[w];
        for (size_t i = 0; i < walk->tester_count; i++) {
            kt_test_self *self = worker->selves[i];
            if (self == NULL) continue;
            if (walk->testers[i]->end != NULL) walk->testers[i]->end(self);
            kt_spots_release(&self->spots);
            kt_sift_release(&self->sift);
            free(self);
        }
        free(worker->months);
        free(worker->lines);
        if (w != 0) kt_view_close(worker->view);
    }
    walk->worker_count = 0;
}

/* ---- seeing an entry ---- */

static kt_code find_account(const kt_audit_work *work, kt_str code, uint32_t *out) {
    uint64_t hash = kt_audit_hash(0, code);
    size_t mask = work->account_slot_count - 1;
    for (size_t at = hash & mask; work->account_slots[at] != 0; at = (at + 1) & mask) {
        uint64_t slot = work->account_slots[at];
        if (slot >> 32 != hash >> 32) continue;
        uint32_t place = (uint32_t)slot - 1;
        if (work->accounts[place].code.size == code.size &&
            kt_bytes_same(work->accounts[place].code.data, code.data, code.size)) {
            *out = place;
            return KT_OK;
        }
    }
    return KT_NOT_FOUND;
}

static kt_code find_currency(const kt_audit_work *work, kt_str code, uint16_t *out) {
    for (size_t i = 0; i < work->currency_count; i++)
        if (kt_str_equal(work->currencies[i].code, code)) {
            *out = (uint16_t)i;
            return KT_OK;
        }
    return KT_NOT_FOUND;
}

static kt_code see_line(const kt_audit_work *work, const kt_entry_view *view, const kt_line *line, kt_seen_line *out,
                        kt_error *error) {
    kt_code code = find_account(work, line->account, &out->account);
    if (code == KT_OK) {
        out->currency = work->book_currency;
        if (line->currency.size != 0) code = find_currency(work, line->currency, &out->currency);
    }
    if (code != KT_OK)
        return kt_fail(error, KT_DAMAGED, "entry %llu names an account or a currency that is not on record",
                       (unsigned long long)view->number);
    out->amount = line->amount;
    out->debit = (line->amount > 0) != view->entry.minus;
    out->valued = out->currency == work->book_currency;
    out->book = out->valued ? line->amount : 0;
    if (!out->valued && line->has_cost &&
        (line->cost_currency.size == 0 || kt_str_equal(line->cost_currency, work->company.currency))) {
        out->valued = true;
        out->book = line->cost;
    }
    return KT_OK;
}

static bool is_fresh(const kt_seen_line *lines, size_t at) {
    kt_amount magnitude = kt_audit_abs(lines[at].amount);
    if (magnitude == 0) return false;
    for (size_t i = at > KT_SEEN_BACK ? at - KT_SEEN_BACK : 0; i < at; i++)
        if (kt_audit_abs(lines[i].amount) == magnitude && lines[i].currency == lines[at].currency) return false;
    return true;
}

static kt_code see_lines(kt_audit_worker *worker, const kt_entry_view *view, kt_seen *seen, kt_error *error) {
    size_t count = view->entry.line_count;
    if (count > worker->line_room) {
        kt_seen_line *grown = realloc(worker->lines, count * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory for an entry");
        worker->lines = grown;
        worker->line_room = count;
    }
    kt_amount largest = 0, lowest = 0;
    seen->debit = seen->credit = KT_SEEN_NONE;
    for (uint32_t i = 0; i < count; i++) {
        kt_seen_line *line = &worker->lines[i];
        kt_code code = see_line(worker->work, view, &view->entry.lines[i], line, error);
        if (code != KT_OK) return code;
        line->fresh = worker->walk->first && is_fresh(worker->lines, i);
        kt_amount weight = line->valued ? line->book : line->amount;
        if (weight > largest) {
            largest = weight;
            seen->debit = i;
        } else if (weight < lowest) {
            lowest = weight;
            seen->credit = i;
        }
    }
    seen->lines = worker->lines;
    seen->line_count = count;
    return KT_OK;
}

/* The batch is met with its first entry; its place and time serve all others. */
static kt_code see_batch(kt_audit_worker *worker, uint64_t number, kt_error *error) {
    kt_batch_row row;
    if (number >= worker->batch.first && number <= worker->batch.last) return KT_OK;
    kt_code code = kt_batch_row_of(worker->view->state, number, &row, error);
    if (code == KT_NOT_FOUND)
        return kt_fail(error, KT_DAMAGED, "entry %llu lies in no batch", (unsigned long long)number);
    if (code != KT_OK) return code;
    worker->batch.first = row.first;
    worker->batch.last = row.last;
    worker->batch.recorded_us = row.recorded_us;
    memcpy(worker->batch.actor, row.actor, KT_KEY_SIZE);
    kt_zone_local(worker->work->zone, row.recorded_us, &worker->batch.day, &worker->batch.minute);
    return KT_OK;
}

static kt_code count_entry(kt_audit_worker *worker, const kt_seen *seen, kt_error *error) {
    kt_audit_population *sums = &worker->sums;
    kt_audit_month *month = NULL;
    bool fits = true;
    sums->entries++;
    sums->lines += seen->line_count;
    unsigned hour = seen->batch->minute / 60 % 24;
    int weekday = kt_day_weekday(seen->batch->day);
    worker->hours[hour]++;
    worker->recorded_days[weekday]++;
    worker->week[weekday][hour]++;
    worker->valid_days[kt_day_weekday(seen->entry->date)]++;
    if (worker->month_count != 0) {
        int64_t place = (int64_t)kt_day_month(seen->entry->date) - worker->months[0].month;
        if (place >= 0 && (uint64_t)place < worker->month_count) month = &worker->months[place];
    }
    if (month != NULL) {
        month->entries++;
        month->lines += seen->line_count;
    }
    for (size_t i = 0; i < seen->line_count && fits; i++) {
        const kt_seen_line *line = &seen->lines[i];
        if (!line->valued) sums->unvalued++;
        else if (!line->debit) fits = kt_amount_add(sums->credit, -line->book, &sums->credit);
        else {
            fits = kt_amount_add(sums->debit, line->book, &sums->debit);
            if (month != NULL) fits = fits && kt_amount_add(month->debit, line->book, &month->debit);
        }
    }
    return fits ? KT_OK : kt_fail(error, KT_OVERFLOW, "a sum exceeds 128 bits");
}

static kt_code see(void *context, const kt_entry_view *view, kt_error *error) {
    kt_audit_worker *worker = context;
    const kt_audit_walk *walk = worker->walk;
    kt_seen seen = {.number = view->number, .entry = &view->entry, .batch = &worker->batch};
    kt_code code = walk->first ? see_batch(worker, view->number, error) : KT_OK;
    if (code == KT_OK) code = see_lines(worker, view, &seen, error);
    if (code != KT_OK) return code;
    if (view->entry.date < worker->year_first || view->entry.date > worker->year_last)
        kt_fiscal_year(&worker->work->company, view->entry.date, &worker->year_first, &worker->year_last);
    seen.year_first = worker->year_first;
    if (walk->first) code = count_entry(worker, &seen, error);
    for (size_t i = 0; i < walk->tester_count && code == KT_OK; i++)
        if (walk->first || walk->testers[i]->sorted != NULL)
            code = walk->testers[i]->see(worker->selves[i], &seen, error);
    return code;
}

/* ---- walking ---- */

static void work_on(kt_audit_worker *worker) {
    kt_audit_walk *walk = worker->walk;
    const kt_audit_work *work = worker->work;
    uint64_t end = work->view->end;
    worker->code = KT_OK;
    while (worker->code == KT_OK && !__atomic_load_n(&walk->ended, __ATOMIC_RELAXED)) {
        uint64_t first = __atomic_fetch_add(&walk->next, 1, __ATOMIC_RELAXED) * STRETCH;
        if (first >= end) break;
        kt_journal_filter filter = {
            .from = work->options.from, .to = work->options.to, .first = first, .last = first + STRETCH - 1};
        worker->code = kt_entries(worker->view, &filter, see, worker, &worker->error);
        uint64_t count = end - first < STRETCH ? end - first : STRETCH;
        uint64_t done = __atomic_add_fetch(&walk->done, count, __ATOMIC_RELAXED);
        if (work->options.progress != NULL && worker == &walk->workers[0])
            work->options.progress(work->options.context, done, end * work->parts);
    }
    if (worker->code != KT_OK) __atomic_store_n(&walk->ended, true, __ATOMIC_RELAXED);
}

/* The buckets of every sift, each worker its share of them. */
static void sort(kt_audit_worker *worker) {
    kt_audit_walk *walk = worker->walk;
    unsigned self = (unsigned)(worker - walk->workers);
    kt_sift *sifts[KT_AUDIT_THREADS_MAX];
    kt_sift_item *items;
    size_t count;
    worker->code = KT_OK;
    for (size_t i = 0; i < walk->tester_count; i++) {
        if (walk->testers[i]->sorted == NULL) continue;
        for (unsigned w = 0; w < walk->worker_count; w++)
            sifts[w] = &((kt_test_self *)walk->workers[w].selves[i])->sift;
        for (unsigned bucket = self; bucket < KT_SIFT_BUCKETS && worker->code == KT_OK; bucket += walk->worker_count) {
            worker->code = kt_sift_bucket(sifts, walk->worker_count, bucket, sifts[self], &items, &count,
                                          &worker->error);
            if (worker->code == KT_OK && count != 0)
                worker->code = walk->testers[i]->sorted(worker->selves[i], items, count, &worker->error);
        }
    }
}

static void *walk_thread(void *context) {
    work_on(context);
    return NULL;
}

static void *sort_thread(void *context) {
    sort(context);
    return NULL;
}

/* All workers at once, the first on this thread; one whose thread cannot be had works after it. */
static kt_code all_at_once(kt_audit_walk *walk, void *(*what)(void *context), kt_error *error) {
    pthread_t threads[KT_AUDIT_THREADS_MAX];
    bool runs[KT_AUDIT_THREADS_MAX] = {false};
    for (unsigned w = 1; w < walk->worker_count; w++)
        runs[w] = pthread_create(&threads[w], NULL, what, &walk->workers[w]) == 0;
    (void)what(&walk->workers[0]);
    for (unsigned w = 1; w < walk->worker_count; w++) {
        if (runs[w]) (void)pthread_join(threads[w], NULL);
        else (void)what(&walk->workers[w]);
    }
    for (unsigned w = 0; w < walk->worker_count; w++)
        if (walk->workers[w].code != KT_OK) {
            if (error != NULL) *error = walk->workers[w].error;
            return walk->workers[w].code;
        }
    return KT_OK;
}

kt_code kt_audit_walk_run(kt_audit_walk *walk, kt_error *error) {
    kt_audit_work *work = walk->work;
    bool sifts = false;
    for (size_t i = 0; i < walk->tester_count; i++) sifts = sifts || walk->testers[i]->sorted != NULL;
    work->parts = sifts ? kt_sift_parts(work->head.entries) : 1;
    kt_code code = KT_OK;
    for (work->part = 0; work->part < work->parts && code == KT_OK; work->part++) {
        walk->first = work->part == 0;
        walk->next = 0;
        code = all_at_once(walk, walk_thread, error);
        if (code != KT_OK || !sifts) continue;
        code = all_at_once(walk, sort_thread, error);
        for (size_t i = 0; i < walk->tester_count; i++)
            for (unsigned w = 0; w < walk->worker_count; w++)
                kt_sift_clear(&((kt_test_self *)walk->workers[w].selves[i])->sift);
    }
    return code;
}

/* ---- merging ---- */

static kt_code merge_sums(kt_audit_worker *into, const kt_audit_worker *from, kt_error *error) {
    kt_audit_population *sums = &into->sums;
    sums->entries += from->sums.entries;
    sums->lines += from->sums.lines;
    sums->unvalued += from->sums.unvalued;
    bool fits = kt_amount_add(sums->debit, from->sums.debit, &sums->debit) &&
                kt_amount_add(sums->credit, from->sums.credit, &sums->credit);
    for (unsigned i = 0; i < 24; i++) into->hours[i] += from->hours[i];
    for (unsigned i = 0; i < 7; i++) {
        into->recorded_days[i] += from->recorded_days[i];
        into->valid_days[i] += from->valid_days[i];
        for (unsigned k = 0; k < 24; k++) into->week[i][k] += from->week[i][k];
    }
    for (size_t i = 0; i < into->month_count && fits; i++) {
        into->months[i].entries += from->months[i].entries;
        into->months[i].lines += from->months[i].lines;
        fits = kt_amount_add(into->months[i].debit, from->months[i].debit, &into->months[i].debit);
    }
    return fits ? KT_OK : kt_fail(error, KT_OVERFLOW, "a sum exceeds 128 bits");
}

kt_code kt_audit_walk_merge(kt_audit_walk *walk, kt_error *error) {
    kt_code code = KT_OK;
    for (unsigned w = 1; w < walk->worker_count && code == KT_OK; w++) {
        code = merge_sums(&walk->workers[0], &walk->workers[w], error);
        for (size_t i = 0; i < walk->tester_count && code == KT_OK; i++) {
            kt_test_self *into = walk->workers[0].selves[i], *from = walk->workers[w].selves[i];
            into->count += from->count;
            code = kt_spots_merge(&into->spots, &from->spots, error);
            if (code == KT_OK && walk->testers[i]->merge != NULL) code = walk->testers[i]->merge(into, from, error);
        }
    }
    return code;
}
