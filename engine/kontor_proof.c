/* Proofs with words in them: which records an entry is understood by, and what a proved record says. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/audit/proof.h"
#include "engine/ledger/company.h"
#include "engine/ledger/currency.h"
#include "engine/ledger/entry.h"
#include "engine/registry.h"
#include "storage/cosign.h"

_Static_assert(KT_PROOF_SIZE_MAX == KT_PROOF_TEXT_MAX, "the public bound is storage's");

/* ---- making ---- */

typedef struct number_list {
    uint64_t at[KT_PROOF_BESIDE_MAX];
    size_t count;
} number_list;

/* Keeps them rising, each once. false: too many. */
static bool put_number(number_list *numbers, uint64_t number) {
    size_t at = numbers->count;
    while (at > 0 && numbers->at[at - 1] > number) at--;
    if (at > 0 && numbers->at[at - 1] == number) return true;
    if (numbers->count == KT_PROOF_BESIDE_MAX) return false;
    memmove(numbers->at + at + 1, numbers->at + at, (numbers->count - at) * sizeof *numbers->at);
    numbers->at[at] = number;
    numbers->count++;
    return true;
}

static kt_code put_currency(kt_view *view, number_list *numbers, kt_str currency, kt_error *error) {
    uint64_t number;
    kt_code code = kt_currency_number(view->state, currency, &number, error);
    if (code == KT_NOT_FOUND)
        return kt_fail(error, KT_DAMAGED, "currency %.*s is not on record", (int)currency.size, currency.data);
    if (code == KT_OK && !put_number(numbers, number))
        code = kt_fail(error, KT_LIMIT, "more than %u currencies in one entry to be proved", KT_PROOF_BESIDE_MAX - 1);
    return code;
}

/* The company's facts of its day as they were on record before it, and each of its currencies. */
static kt_code understand(kt_view *view, const kt_entry_view *entry, number_list *out, kt_error *error) {
    kt_company company;
    uint64_t number;
    kt_day day = entry->entry.date;
    kt_code code = kt_company_number(view->state, day, entry->number, &number, error);
    if (code == KT_OK) code = kt_company_at(view->state, day, entry->number, &company, error);
    if (code == KT_NOT_FOUND) return kt_fail(error, KT_DAMAGED, "the company's facts are not on record");
    if (code != KT_OK) return code;
    (void)put_number(out, number);
    code = put_currency(view, out, company.currency, error);
    kt_str last = company.currency;
    for (size_t i = 0; i < entry->entry.line_count && code == KT_OK; i++) {
        const kt_str both[] = {entry->entry.lines[i].currency, entry->entry.lines[i].cost_currency};
        for (unsigned k = 0; k < 2 && code == KT_OK; k++) {
            if (both[k].size == 0 || kt_str_equal(both[k], last)) continue;
            code = put_currency(view, out, both[k], error);
            last = both[k];
        }
    }
    return code;
}

kt_code kt_prove_under(kt_view *view, uint64_t number, const char *note, size_t note_size, char **text, size_t *size,
                       kt_error *error) {
    kt_records *records;
    kt_span record;
    kt_envelope envelope;
    kt_long whole;
    bool is_entry = false;
    number_list beside = {.count = 0};
    *text = NULL;
    kt_code code = kt_records_open(view->txn, view->end, &records, error);
    if (code != KT_OK) return code;
    code = kt_records_read(records, number, &record, error);
    if (code == KT_OK) code = kt_envelope_open(record, &envelope, error);
    if (code == KT_OK && envelope.kind == KT_KIND_LONG) {
        code = kt_long_read(envelope.body, &whole, error);
        is_entry = code == KT_OK && whole.kind == KT_KIND_ENTRY;
    } else if (code == KT_OK) is_entry = envelope.kind == KT_KIND_ENTRY;
    kt_records_close(records);
    if (code == KT_OK && is_entry) {
        kt_entry_view *entry;
        code = kt_entry_read(view, number, &entry, error);
        if (code == KT_OK) code = understand(view, entry, &beside, error);
        kt_entry_view_free(entry);
    }
    if (code != KT_OK) return code;
    return note == NULL
               ? kt_proof_make(view, number, beside.at, beside.count, text, size, error)
               : kt_proof_make_under(view, number, beside.at, beside.count, note, note_size, text, size, error);
}

kt_code kt_prove(kt_view *view, uint64_t number, char **text, size_t *size, kt_error *error) {
    return kt_prove_under(view, number, NULL, 0, text, size, error);
}

kt_code kt_prove_consistency(kt_view *view, const char *older, size_t older_size, const char *newer, size_t newer_size,
                             char **text, size_t *size, kt_error *error) {
    return kt_proof_make_consistency(view, older, older_size, newer, newer_size, text, size, error);
}

/* ---- witnesses ---- */

kt_code kt_proof_cosigners(const char *text, size_t size, const char *const *witnesses, size_t count,
                           unsigned *cosigners, int64_t *earliest_us, kt_error *error) {
    kt_proof proof;
    kt_note note;
    kt_verifier seen[KT_PROOF_WITNESSES_MAX];
    uint64_t time, earliest = UINT64_MAX;
    *cosigners = 0;
    if (count > KT_PROOF_WITNESSES_MAX)
        return kt_fail(error, KT_USAGE, "%zu witnesses; at most %d", count, KT_PROOF_WITNESSES_MAX);
    kt_code code = kt_proof_parse(text, size, &proof, error);
    if (code == KT_OK) code = kt_note_cut(proof.note, proof.note_size, &note, error);
    for (size_t i = 0; i < count && code == KT_OK; i++) {
        bool again = false; /* a cosignature does not sign its name: one key under two names is one witness */
        code = kt_verifier_parse_as(KT_VERIFIER_WITNESS, witnesses[i], strlen(witnesses[i]), &seen[i], error);
        if (code != KT_OK) return kt_fail_at(error, code, "witness %.60s", witnesses[i]);
        for (size_t k = 0; k < i; k++)
            again = again || memcmp(seen[k].public_key, seen[i].public_key, KT_KEY_SIZE) == 0;
        if (again) continue;
        kt_code found = kt_note_check(&note, &seen[i], &time, error);
        if (found == KT_OK) {
            ++*cosigners;
            if (time < earliest) earliest = time;
        } else if (found != KT_KEY) code = found;
    }
    if (code == KT_OK && *cosigners > 0 && earliest_us != NULL)
        *earliest_us = earliest > INT64_MAX / 1000000 ? INT64_MAX : (int64_t)earliest * 1000000;
    return code;
}

/* ---- checking ---- */

typedef struct known_currency {
    kt_str code;
    uint8_t decimals;
} known_currency;

typedef struct whole_proof {
    kt_proved proved;
    kt_proof_checked checked;
    kt_entry_view entry;
    kt_entry_reader reader;
    known_currency *currencies;
    size_t currency_count;
    uint64_t *beside;
    uint8_t *decimals; /* a line's, then a cost's */
} whole_proof;

void kt_proved_free(kt_proved *proved) {
    if (proved == NULL) return;
    whole_proof *whole = (whole_proof *)proved;
    kt_proof_checked_release(&whole->checked);
    kt_entry_reader_release(&whole->reader);
    free(whole->currencies);
    free(whole->beside);
    free(whole->decimals);
    free(whole);
}

static kt_str kind_name(uint32_t kind) {
    static const char *const own[] = {"genesis", "seal", "part of a long record"};
    if (kind < sizeof own / sizeof *own) return kt_str_from(own[kind]);
    for (unsigned i = 0; i < kt_the_registry.kind_count; i++)
        if (kt_the_registry.kinds[i].kind == kind) return kt_str_from(kt_the_registry.kinds[i].name);
    return KT_STR("");
}

/* The log's owner may have put there what no book would take. */
static bool is_word(kt_str text) {
    return text.size > 0 && text.size <= KT_NAME_MAX && kt_utf8_valid(text.data, text.size);
}

/* Only records before the entry say what it is understood by, and only the kinds that can. */
static kt_code read_beside(whole_proof *whole, kt_error *error) {
    const kt_proof_extra *extra = &whole->checked.extra;
    whole->currencies = calloc((size_t)extra->beside_count + 1, sizeof *whole->currencies);
    whole->beside = calloc((size_t)extra->beside_count + 1, sizeof *whole->beside);
    if (whole->currencies == NULL || whole->beside == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    for (uint32_t i = 0; i < extra->beside_count; i++) {
        const kt_proof_beside *beside = &extra->beside[i];
        kt_envelope envelope;
        kt_company company;
        known_currency *currency = &whole->currencies[whole->currency_count];
        kt_code code = kt_envelope_read(beside->record, &envelope, error);
        if (code != KT_OK) return kt_fail_at(error, code, "record %" PRIu64 " beside it", beside->number);
        uint32_t newest = envelope.kind == KT_KIND_COMPANY ? KT_COMPANY_VERSION : 1;
        bool good = beside->number < whole->checked.proof.index && envelope.kind_version >= 1 &&
                    envelope.kind_version <= newest;
        if (good && envelope.kind == KT_KIND_COMPANY && whole->proved.currency.size == 0) {
            good = kt_company_read(envelope.body, &company) && is_word(company.entity) && is_word(company.currency);
            if (good) whole->proved.entity = company.entity, whole->proved.currency = company.currency;
        } else if (good && envelope.kind == KT_KIND_CURRENCY) {
            good = kt_currency_read(envelope.body, &currency->code, &currency->decimals) && is_word(currency->code);
            whole->currency_count++;
        } else good = false;
        if (!good)
            return kt_fail(error, KT_INVALID,
                           "record %" PRIu64 " beside it: expected a company or a currency, on record before it",
                           beside->number);
        whole->beside[i] = beside->number;
    }
    whole->proved.beside = whole->beside;
    whole->proved.beside_count = extra->beside_count;
    return KT_OK;
}

/* A later record over an earlier one: as state would have it. */
static kt_code decimals_of(const whole_proof *whole, kt_str currency, uint8_t *out, kt_error *error) {
    if (currency.size == 0) currency = whole->proved.currency;
    for (size_t i = whole->currency_count; i-- > 0;)
        if (kt_str_equal(whole->currencies[i].code, currency)) {
            *out = whole->currencies[i].decimals;
            return KT_OK;
        }
    return kt_fail(error, KT_INVALID, "the proof does not say the decimals of currency %.*s",
                   (int)(currency.size > KT_CURRENCY_CODE_MAX ? KT_CURRENCY_CODE_MAX : currency.size), currency.data);
}

static kt_code read_entry(whole_proof *whole, kt_error *error) {
    const kt_envelope *envelope = &whole->checked.envelope;
    bool repeats;
    if (envelope->kind_version > KT_ENTRY_APPROVED_VERSION)
        return kt_fail(error, KT_NEWER, "an entry of version %" PRIu32 "; this program reads up to %d",
                       envelope->kind_version, KT_ENTRY_APPROVED_VERSION);
    kt_code code = kt_entry_unpack(&whole->reader, envelope->date, envelope->body, &whole->entry.entry, &repeats,
                                   error);
    if (code == KT_OK && (whole->entry.entry.proposal != 0) != (envelope->kind_version == KT_ENTRY_APPROVED_VERSION))
        code = kt_fail(error, KT_DAMAGED, "an entry of version %" PRIu32 " is not in its one form",
                       envelope->kind_version);
    if (code == KT_OK) code = read_beside(whole, error);
    if (code == KT_OK && whole->proved.currency.size == 0)
        code = kt_fail(error, KT_INVALID, "the proof does not say the book's currency");
    if (code != KT_OK) return code;
    size_t count = whole->entry.entry.line_count;
    whole->decimals = calloc(2 * count + 1, 1);
    if (whole->decimals == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    for (size_t i = 0; i < count && code == KT_OK; i++) {
        const kt_line *line = &whole->entry.entry.lines[i];
        code = decimals_of(whole, line->currency, &whole->decimals[i], error);
        if (code == KT_OK) code = decimals_of(whole, line->cost_currency, &whole->decimals[count + i], error);
    }
    whole->entry.number = whole->checked.proof.index;
    whole->entry.decimals = whole->decimals;
    whole->entry.cost_decimals = whole->decimals + count;
    whole->entry.parts = whole->checked.parts;
    memcpy(whole->entry.leaf_hash, whole->checked.leaf, KT_DIGEST_SIZE);
    whole->proved.entry = &whole->entry;
    return code;
}

kt_code kt_check_proof(const char *text, size_t size, const char *verifier, kt_proved **out, kt_error *error) {
    *out = NULL;
    whole_proof *whole = calloc(1, sizeof *whole);
    if (whole == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_proof_checked *checked = &whole->checked;
    kt_proved *proved = &whole->proved;
    kt_code code = kt_proof_check(text, size, verifier, checked, error);
    if (code == KT_OK) {
        proved->consistency = checked->proof.consistency;
        proved->origin = kt_str_from(checked->checkpoint.origin);
        proved->size = checked->checkpoint.size;
        proved->older_size = checked->older.size;
        memcpy(proved->root, checked->checkpoint.root, KT_DIGEST_SIZE);
        memcpy(proved->older_root, checked->older.root, KT_DIGEST_SIZE);
        proved->hashes = checked->proof.count;
    }
    if (code == KT_OK && !proved->consistency) {
        proved->number = checked->proof.index;
        proved->kind = kind_name(checked->envelope.kind);
        proved->parts = checked->parts;
        memcpy(proved->leaf_hash, checked->leaf, KT_DIGEST_SIZE);
        if (checked->envelope.kind == KT_KIND_ENTRY) code = read_entry(whole, error);
        else if (checked->extra.beside_count > 0)
            code = kt_fail(error, KT_INVALID, "records stand beside record %" PRIu64 ", which is no entry",
                           proved->number);
    }
    if (code != KT_OK) kt_proved_free(proved);
    else *out = proved;
    return code;
}
