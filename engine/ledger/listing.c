#include <stdlib.h>

#include "engine/actors.h"
#include "engine/ledger/entry.h"
#include "engine/ledger/register.h"
#include "engine/ledger/reverse.h"

/* ---- decimals of an entry's lines ---- */

struct decimals {
    kt_names names;
    uint8_t book;
    uint8_t *of; /* two a line: of its currency, of its cost's */
    size_t room;
};

static kt_code load_decimals(kt_view *view, struct decimals *out, kt_error *error) {
    *out = (struct decimals){0};
    kt_code code = kt_currency_names_load(view, &out->names, error);
    if (code == KT_OK && out->names.book_currency != 0)
        out->book = out->names.currencies[out->names.book_currency - 1].decimals;
    return code;
}

static void release_decimals(struct decimals *decimals) {
    kt_names_release(&decimals->names);
    free(decimals->of);
}

static uint8_t decimals_of(const struct decimals *decimals, kt_str currency) {
    if (currency.size == 0) return decimals->book;
    for (uint16_t i = 0; i < decimals->names.currency_count; i++)
        if (kt_str_equal(decimals->names.currencies[i].code, currency)) return decimals->names.currencies[i].decimals;
    return 0;
}

static kt_code set_decimals(struct decimals *decimals, kt_entry_view *view, kt_error *error) {
    size_t count = view->entry.line_count;
    if (count * 2 > decimals->room) {
        uint8_t *grown = realloc(decimals->of, count * 2);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        decimals->of = grown;
        decimals->room = count * 2;
    }
    for (size_t i = 0; i < count; i++) {
        decimals->of[i] = decimals_of(decimals, view->entry.lines[i].currency);
        decimals->of[count + i] = decimals_of(decimals, view->entry.lines[i].cost_currency);
    }
    view->decimals = decimals->of;
    view->cost_decimals = decimals->of + count;
    return KT_OK;
}

/* ---- the filter ---- */

static char fold(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool contains(kt_str text, kt_str part) {
    for (size_t i = 0; i + part.size <= text.size; i++) {
        size_t k = 0;
        while (k < part.size && fold(text.data[i + k]) == fold(part.data[k])) k++;
        if (k == part.size) return true;
    }
    return false;
}

static bool fits_text(const kt_entry *entry, kt_str text) {
    if (text.size == 0 || contains(entry->text, text)) return true;
    for (size_t i = 0; i < entry->line_count; i++)
        if (contains(entry->lines[i].text, text)) return true;
    return false;
}

static bool below(kt_str account, kt_str wanted) {
    char end = wanted.data[wanted.size - 1];
    if (end != '*' && end != ':') return kt_str_equal(account, wanted);
    size_t size = wanted.size - (end == '*' ? 1 : 0);
    if (account.size >= size && memcmp(account.data, wanted.data, size) == 0) return true;
    return end == ':' && account.size == size - 1 && memcmp(account.data, wanted.data, size - 1) == 0;
}

static bool fits_account(const kt_entry *entry, kt_str account) {
    if (account.size == 0) return true;
    for (size_t i = 0; i < entry->line_count; i++)
        if (below(entry->lines[i].account, account)) return true;
    return false;
}

/* -1, 0, 1: the line's magnitude against a bound as written; bounds with more decimals than the line's are compared at
   theirs. */
static int compare_amount(kt_amount amount, uint8_t decimals, kt_amount bound, uint8_t given) {
    kt_amount scaled = amount < 0 ? -amount : amount, limit = bound;
    if (given != 0) {
        uint8_t wanted = (uint8_t)(given - 1);
        if (wanted > decimals) {
            if (!kt_amount_rescale(scaled, decimals, wanted, KT_ROUND_EXACT, &scaled)) return 1;
        } else if (!kt_amount_rescale(bound, wanted, decimals, KT_ROUND_EXACT, &limit)) return -1;
    }
    return (scaled > limit) - (scaled < limit);
}

static bool fits_amount(const kt_entry_view *view, const kt_journal_filter *filter) {
    if (!filter->has_min && !filter->has_max) return true;
    for (size_t i = 0; i < view->entry.line_count; i++) {
        kt_amount amount = view->entry.lines[i].amount;
        bool enough = !filter->has_min ||
                      compare_amount(amount, view->decimals[i], filter->min, filter->min_given) >= 0;
        bool little = !filter->has_max ||
                      compare_amount(amount, view->decimals[i], filter->max, filter->max_given) <= 0;
        if (enough && little) return true;
    }
    return false;
}

static bool fits(const kt_entry_view *view, const kt_journal_filter *filter) {
    const kt_entry *entry = &view->entry;
    if (filter->series.size != 0 && !kt_str_equal(filter->series, entry->series)) return false;
    if (filter->voucher.size != 0 && !kt_str_equal(filter->voucher, entry->voucher)) return false;
    return fits_account(entry, filter->account) && fits_text(entry, filter->text) && fits_amount(view, filter);
}

/* ---- walking ---- */

struct walk {
    kt_view *view;
    const kt_journal_filter *filter;
    kt_records *records;
    kt_entry_reader reader;
    struct decimals decimals;
};

static kt_code visit(struct walk *walk, uint64_t number, kt_entry_callback callback, void *context, kt_error *error) {
    kt_span bytes;
    kt_envelope envelope;
    kt_entry_view view = {.number = number};
    bool repeats;
    const kt_journal_filter *filter = walk->filter;
    kt_code code = kt_records_read_whole(walk->records, number, &bytes, NULL, error);
    if (code == KT_OK) code = kt_envelope_open(bytes, &envelope, error);
    if (code != KT_OK || envelope.kind != KT_KIND_ENTRY) return code;
    if (filter->from != KT_DAY_NONE && envelope.date < filter->from) return KT_OK;
    if (filter->to != KT_DAY_NONE && envelope.date > filter->to) return KT_OK;
    code = kt_entry_unpack(&walk->reader, envelope.date, envelope.body, &view.entry, &repeats, error);
    if (code == KT_OK) code = set_decimals(&walk->decimals, &view, error);
    return code == KT_OK && fits(&view, filter) ? callback(context, &view, error) : code;
}

kt_code kt_entries(kt_view *view, const kt_journal_filter *filter, kt_entry_callback callback, void *context,
                   kt_error *error) {
    static const kt_journal_filter everything = {.from = KT_DAY_NONE, .to = KT_DAY_NONE};
    struct walk walk = {.view = view, .filter = filter == NULL ? &everything : filter};
    kt_code code = kt_records_open(view->txn, view->end, &walk.records, error);
    if (code == KT_OK) code = load_decimals(view, &walk.decimals, error);
    uint64_t last = walk.filter->last == 0 || walk.filter->last >= view->end ? view->end : walk.filter->last + 1;
    for (uint64_t number = walk.filter->first; number < last && code == KT_OK; number++)
        code = visit(&walk, number, callback, context, error);
    kt_records_close(walk.records);
    kt_entry_reader_release(&walk.reader);
    release_decimals(&walk.decimals);
    return code == KT_END ? KT_OK : code;
}

/* ---- one entry whole ---- */

struct whole {
    kt_entry_view view;
    kt_records *records;
    kt_entry_reader reader;
    struct decimals decimals;
};

void kt_entry_view_free(kt_entry_view *entry) {
    if (entry == NULL) return;
    struct whole *whole = (struct whole *)entry;
    kt_records_close(whole->records);
    kt_entry_reader_release(&whole->reader);
    release_decimals(&whole->decimals);
    free(whole);
}

static const char *kind_name(kt_view *view, uint32_t kind) {
    if (kind == KT_KIND_GENESIS) return "the genesis record";
    if (kind == KT_KIND_SEAL) return "a batch's seal";
    if (kind == KT_KIND_PART) return "a part of a long entry, which goes under the number behind its parts";
    const kt_kind *known = kt_fold_kind(kt_book_fold(view->book), kind);
    return known == NULL ? "of a kind this version does not know" : known->name;
}

/* The leaf is what is stored under the number: a long entry's head, which lists its parts. */
static kt_code fill_leaf(struct whole *whole, uint64_t number, kt_error *error) {
    kt_span leaf;
    kt_code code = kt_records_read(whole->records, number, &leaf, error);
    if (code == KT_OK) kt_leaf_hash(leaf.data, leaf.size, whole->view.leaf_hash);
    return code;
}

static kt_code fill_batch(kt_view *view, kt_entry_view *out, kt_error *error) {
    kt_batch_row row;
    kt_code code = kt_batch_row_of(view->state, out->number, &row, error);
    if (code != KT_OK)
        return code == KT_NOT_FOUND
                   ? kt_fail(error, KT_DAMAGED, "entry %llu lies in no batch", (unsigned long long)out->number)
                   : code;
    out->batch_id = kt_view_keep(view, (kt_str){(const char *)row.id.data, row.id.size});
    out->batch_first = row.first;
    out->batch_last = row.last;
    out->recorded_us = row.recorded_us;
    memcpy(out->actor, row.actor, KT_KEY_SIZE);
    code = kt_actor_of_key(view, row.actor, &out->actor_id, error);
    if (code == KT_OK) code = kt_reversal_of(view->state, out->number, &out->reversed_by, error);
    if (out->reversed_by >= view->end) out->reversed_by = 0; /* not known yet */
    return code;
}

static kt_code read_whole(kt_view *view, struct whole *whole, uint64_t number, kt_error *error) {
    kt_span bytes;
    kt_envelope envelope;
    bool repeats;
    whole->view.number = number;
    kt_code code = kt_records_open(view->txn, view->end, &whole->records, error);
    if (code == KT_OK) code = load_decimals(view, &whole->decimals, error);
    if (code == KT_OK) code = fill_leaf(whole, number, error);
    if (code == KT_OK) code = kt_records_read_whole(whole->records, number, &bytes, &whole->view.parts, error);
    if (code == KT_OK) code = kt_envelope_open(bytes, &envelope, error);
    whole->view.proposed = code == KT_OK && envelope.kind == KT_KIND_PROPOSAL;
    if (code == KT_OK && envelope.kind != KT_KIND_ENTRY && !whole->view.proposed)
        code = kt_fail(error, KT_NOT_FOUND, "record %llu is no entry; it is on record as: %s",
                       (unsigned long long)number, kind_name(view, envelope.kind));
    if (code == KT_OK)
        code = kt_entry_unpack(&whole->reader, envelope.date, envelope.body, &whole->view.entry, &repeats, error);
    if (code == KT_OK) code = set_decimals(&whole->decimals, &whole->view, error);
    return code == KT_OK ? fill_batch(view, &whole->view, error) : code;
}

kt_code kt_entry_read(kt_view *view, uint64_t number, kt_entry_view **out, kt_error *error) {
    *out = NULL;
    struct whole *whole = calloc(1, sizeof *whole);
    if (whole == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_code code = read_whole(view, whole, number, error);
    if (code != KT_OK) kt_entry_view_free(&whole->view);
    else *out = &whole->view;
    return code;
}
