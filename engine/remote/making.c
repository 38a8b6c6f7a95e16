/* making: entries and registers become records of the draft. What the shadow does not know of them is asked for first. */
#include <stdlib.h>

#include "engine/ledger/account.h"
#include "engine/ledger/currency.h"
#include "engine/ledger/dimension.h"
#include "engine/ledger/entry.h"
#include "engine/ledger/voucher.h"
#include "engine/remote/inside.h"

#define RECORD_ROOM 8192u
#define QUESTION_ROOM (KT_FRAME_ASKED_MAX * (KT_ACCOUNT_CODE_MAX + 8u) + 64u)

/* ---- what is not known yet ---- */

typedef struct asking {
    kt_remote *remote;
    kt_question question;
} asking;

static kt_code take_answer(asking *ask, kt_span body, kt_error *error) {
    const kt_question *question = &ask->question;
    kt_shadow *shadow = ask->remote->shadow;
    kt_answer answer;
    kt_code code = kt_answer_read(body, &answer, error);
    if (code == KT_OK &&
        (answer.account_count != question->account_count || answer.currency_count != question->currency_count ||
         answer.dimension_count != question->dimension_count))
        code = kt_fail(error, KT_INVALID, "the server answers another question than was asked");
    for (uint32_t i = 0; i < question->account_count && code == KT_OK; i++)
        if (answer.accounts[i]) code = kt_shadow_tell_account(shadow, question->accounts[i], error);
    for (uint32_t i = 0; i < question->currency_count && code == KT_OK; i++) {
        kt_told_currency told = {question->currencies[i], answer.currencies[i].decimals, answer.currencies[i].posted};
        if (answer.currencies[i].known) code = kt_shadow_tell_currency(shadow, &told, error);
    }
    for (uint32_t i = 0; i < question->dimension_count && code == KT_OK; i++)
        if (answer.dimensions[i]) code = kt_shadow_tell_dimension(shadow, &question->dimensions[i], error);
    return code;
}

static kt_code ask_now(asking *ask, kt_error *error) {
    kt_question *question = &ask->question;
    uint8_t room[QUESTION_ROOM];
    kt_pack pack;
    kt_span body;
    if (question->account_count + question->currency_count + question->dimension_count == 0) return KT_OK;
    kt_pack_init(&pack, room, sizeof room);
    kt_question_pack(&pack, question);
    kt_code code = kt_remote_ask(ask->remote, kt_span_of(room, pack.size), kt_span_of(NULL, 0), &body, error);
    if (code == KT_OK) code = take_answer(ask, body, error);
    question->account_count = question->currency_count = question->dimension_count = 0;
    return code;
}

static kt_code make_place(asking *ask, kt_error *error) {
    const kt_question *question = &ask->question;
    uint32_t asked = question->account_count + question->currency_count + question->dimension_count;
    return asked < KT_FRAME_ASKED_MAX ? KT_OK : ask_now(ask, error);
}

/* A text that no book has on record need not be asked for; the check refuses it. */
static bool is_askable(kt_str text, size_t most) {
    return text.size != 0 && text.size <= most && kt_utf8_valid(text.data, text.size);
}

static kt_code ask_account(asking *ask, kt_str code, kt_error *error) {
    kt_question *question = &ask->question;
    kt_code result = kt_shadow_knows_account(ask->remote->shadow, code, error);
    if (result != KT_NOT_FOUND) return result;
    if (!is_askable(code, KT_ACCOUNT_CODE_MAX)) return KT_OK;
    for (uint32_t i = 0; i < question->account_count; i++)
        if (kt_str_equal(question->accounts[i], code)) return KT_OK;
    result = make_place(ask, error);
    if (result == KT_OK) question->accounts[question->account_count++] = code;
    return result;
}

static kt_code ask_currency(asking *ask, kt_str code, kt_error *error) {
    uint8_t decimals;
    bool posted;
    kt_question *question = &ask->question;
    if (code.size == 0) return KT_OK;
    if (!is_askable(code, KT_CURRENCY_CODE_MAX)) return KT_OK;
    for (uint32_t i = 0; i < question->currency_count; i++)
        if (kt_str_equal(question->currencies[i], code)) return KT_OK;
    kt_code result = kt_shadow_currency(ask->remote->shadow, code, &decimals, &posted, error);
    if (result != KT_NOT_FOUND) return result;
    result = make_place(ask, error);
    if (result == KT_OK) question->currencies[question->currency_count++] = code;
    return result;
}

static kt_code ask_dimension(asking *ask, const kt_dimension *pair, kt_error *error) {
    kt_question *question = &ask->question;
    if (pair->dimension == 0 || pair->dimension > KT_DIMENSIONS_MAX || !is_askable(pair->value, KT_DIMENSION_VALUE_MAX))
        return KT_OK;
    for (uint32_t i = 0; i < question->dimension_count; i++)
        if (question->dimensions[i].dimension == pair->dimension &&
            kt_str_equal(question->dimensions[i].value, pair->value))
            return KT_OK;
    kt_code code = kt_shadow_dimension(ask->remote->shadow, pair, error);
    if (code != KT_NOT_FOUND) return code;
    code = make_place(ask, error);
    if (code == KT_OK) question->dimensions[question->dimension_count++] = *pair;
    return code;
}

static kt_code learn(kt_remote *remote, const kt_entry *entry, kt_error *error) {
    asking ask;
    kt_code code = KT_OK;
    ask.remote = remote;
    ask.question.account_count = ask.question.currency_count = ask.question.dimension_count = 0;
    if (remote->rounding_account[0] != '\0') code = ask_account(&ask, kt_str_from(remote->rounding_account), error);
    for (size_t i = 0; i < entry->line_count && code == KT_OK; i++) {
        const kt_line *line = &entry->lines[i];
        code = ask_account(&ask, line->account, error);
        if (code == KT_OK) code = ask_currency(&ask, line->currency, error);
        if (code == KT_OK && line->has_cost) code = ask_currency(&ask, line->cost_currency, error);
        for (unsigned d = 0; d < line->dimension_count && code == KT_OK; d++)
            code = ask_dimension(&ask, &line->dimensions[d], error);
    }
    return code == KT_OK ? ask_now(&ask, error) : code;
}

/* ---- registers ---- */

/* Into the draft, and so that what follows sees it. */
static kt_code put(kt_remote *remote, const uint8_t *record, size_t size, kt_error *error) {
    kt_code code = kt_draft_add(&remote->draft, kt_span_of(record, size), NULL, error);
    if (code == KT_OK) code = kt_shadow_apply(remote->shadow, kt_span_of(record, size), error);
    remote->stale = true; /* until the batch is acknowledged */
    return code;
}

kt_code kt_remote_currency_add(kt_remote *remote, kt_str code, uint8_t decimals, kt_error *error) {
    uint8_t record[RECORD_ROOM];
    kt_code result = kt_currency_check(kt_shadow_ledger(remote->shadow), code, decimals, error);
    if (result != KT_OK) return result;
    return put(remote, record, kt_currency_record(code, decimals, remote->today, record, sizeof record), error);
}

/* As a book does it (engine/ledger/post.c): one of ISO 4217 that is not on record is tried, or put there. */
static kt_code need_currency(kt_remote *remote, kt_str code, bool try, bool *needed, kt_error *error) {
    uint8_t decimals;
    bool posted;
    if (code.size == 0) return KT_OK;
    kt_code result = kt_shadow_currency(remote->shadow, code, &decimals, &posted, error);
    if (result != KT_NOT_FOUND) return result;
    int standard = kt_iso4217_decimals(code.data, code.size);
    if (standard < 0) return KT_OK; /* the check refuses it by name */
    *needed = true;
    if (try) return kt_currency_try(kt_shadow_ledger(remote->shadow), code, (uint8_t)standard, error);
    return kt_remote_currency_add(remote, code, (uint8_t)standard, error);
}

static kt_code need_currencies(kt_remote *remote, const kt_entry *entry, bool try, bool *needed, kt_error *error) {
    kt_code code = KT_OK;
    for (size_t i = 0; i < entry->line_count && code == KT_OK; i++) {
        const kt_line *line = &entry->lines[i];
        code = need_currency(remote, line->currency, try, needed, error);
        if (code == KT_OK && line->has_cost) code = need_currency(remote, line->cost_currency, try, needed, error);
    }
    return code;
}

kt_code kt_remote_account(kt_remote *remote, const kt_account *given, kt_error *error) {
    uint8_t record[RECORD_ROOM];
    bool needed = false;
    kt_account facts = *given, known;
    if (facts.open_from == 0) facts.open_from = KT_DAY_NONE;
    if (facts.closed_from == 0) facts.closed_from = KT_DAY_NONE;
    kt_line line = {.account = facts.parent, .currency = facts.currency};
    kt_entry about = {.lines = &line, .line_count = 1};
    kt_code code = learn(remote, &about, error);
    if (code == KT_OK) code = kt_remote_find_account(remote, facts.code, &known, error);
    if (code == KT_OK)
        return kt_fail(error, KT_EXISTS, "account %.*s is on record", (int)facts.code.size, facts.code.data);
    if (code != KT_NOT_FOUND) return code;
    code = need_currency(remote, facts.currency, false, &needed, error);
    if (code == KT_OK) code = kt_account_check(kt_shadow_ledger(remote->shadow), &facts, error);
    if (code != KT_OK) return code;
    return put(remote, record, kt_account_record(&facts, remote->today, record, sizeof record), error);
}

kt_code kt_remote_find_account(kt_remote *remote, kt_str code, kt_account *out, kt_error *error) {
    kt_line line = {.account = code};
    kt_entry about = {.lines = &line, .line_count = 1};
    kt_code result = learn(remote, &about, error);
    return result == KT_OK ? kt_shadow_account(remote->shadow, code, out, error) : result;
}

kt_code kt_remote_find_currency(kt_remote *remote, kt_str code, uint8_t *decimals, bool *posted, kt_error *error) {
    kt_line line = {.currency = code};
    kt_entry about = {.lines = &line, .line_count = 1};
    kt_code result = learn(remote, &about, error);
    if (result == KT_OK) result = kt_shadow_currency(remote->shadow, code, decimals, posted, error);
    if (result != KT_NOT_FOUND || kt_iso4217_decimals(code.data, code.size) < 0) return result;
    *decimals = (uint8_t)kt_iso4217_decimals(code.data, code.size);
    *posted = false;
    return KT_OK;
}

/* ---- entries ---- */

static kt_code declare_dimensions(kt_remote *remote, const kt_entry *entry, kt_error *error) {
    uint8_t record[RECORD_ROOM];
    kt_code code = KT_OK;
    for (size_t i = 0; i < entry->line_count; i++)
        for (unsigned d = 0; d < entry->lines[i].dimension_count && code == KT_OK; d++) {
            const kt_dimension *pair = &entry->lines[i].dimensions[d];
            code = kt_shadow_dimension(remote->shadow, pair, error);
            if (code != KT_NOT_FOUND) continue;
            code = put(remote, record, kt_dimension_record(pair, entry->date, record, sizeof record), error);
        }
    return code;
}

static kt_code check(kt_remote *remote, kt_entry *entry, kt_error *error) {
    return kt_form_check(&remote->form, kt_shadow_ledger(remote->shadow), entry, kt_str_from(remote->rounding_account),
                         remote->allow_duplicate_voucher, error);
}

/* First as if the currencies it needs were on record, so that a refusal leaves the batch as it was. */
static kt_code check_with_currencies(kt_remote *remote, const kt_entry *entry, kt_error *error) {
    kt_entry trial = *entry;
    bool needed = false;
    kt_code code = need_currencies(remote, entry, true, &needed, error);
    if (code == KT_OK && needed) code = check(remote, &trial, error);
    kt_currencies_untry(kt_shadow_ledger(remote->shadow)->currencies);
    return code == KT_OK && needed ? need_currencies(remote, entry, false, &needed, error) : code;
}

static kt_code pack(kt_remote *remote, const kt_entry *entry, bool repeats, kt_error *error) {
    kt_draft_entry about = {.ordinal = remote->ordinal - 1, .file = entry->file, .file_line = entry->file_line};
    size_t bound = kt_entry_bound(entry);
    uint8_t *room;
    kt_pack pack;
    if (bound <= KT_RECORD_MAX) {
        kt_code code = kt_draft_room(&remote->draft, bound, &room, error);
        if (code != KT_OK) return code;
        kt_pack_init(&pack, room, bound);
        kt_entry_pack(&pack, entry, repeats);
        return kt_draft_take(&remote->draft, pack.size, &about, error);
    }
    room = malloc(bound);
    if (room == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_pack_init(&pack, room, bound);
    kt_entry_pack(&pack, entry, repeats);
    kt_code code = kt_draft_add(&remote->draft, kt_span_of(room, pack.size), &about, error);
    free(room);
    return code;
}

/* The decimals of a currency in which nothing is posted may still change: those that were counted with are said. */
static kt_code assume(kt_remote *remote, kt_str code, kt_error *error) {
    kt_told_currency told = {.code = code.size == 0 ? remote->hello.currency : code};
    kt_code result = kt_shadow_currency(remote->shadow, told.code, &told.decimals, &told.posted, error);
    if (result != KT_OK || told.posted) return result;
    for (uint32_t i = 0; i < remote->assumed_count; i++)
        if (kt_str_equal(remote->assumed[i].code, told.code)) return KT_OK;
    if (remote->assumed_count == KT_FRAME_CURRENCIES_MAX)
        return kt_fail(error, KT_LIMIT, "a batch through a socket brings at most %u new currencies into use",
                       KT_FRAME_CURRENCIES_MAX);
    char *copy = remote->assumed_codes[remote->assumed_count];
    memcpy(copy, told.code.data, told.code.size);
    told.code.data = copy;
    remote->assumed[remote->assumed_count++] = told;
    return KT_OK;
}

static kt_code assume_all(kt_remote *remote, const kt_entry *entry, kt_error *error) {
    kt_code code = KT_OK;
    for (size_t i = 0; i < entry->line_count && code == KT_OK; i++) {
        code = assume(remote, entry->lines[i].currency, error);
        if (code == KT_OK && entry->lines[i].has_cost) code = assume(remote, entry->lines[i].cost_currency, error);
    }
    return code;
}

/* A bound before anything is packed: what cannot be sent is not made. */
static kt_code check_size(const kt_entry *entry, kt_error *error) {
    size_t bound = entry->line_count <= KT_LINES_MAX ? kt_entry_bound(entry) : 0;
    if (bound <= KT_FRAME_MAX) return KT_OK;
    kt_fail(error, KT_LIMIT, "an entry of up to %zu bytes, at most %u go through a socket", bound, KT_FRAME_MAX);
    return entry->file == NULL ? KT_LIMIT : kt_fail_at(error, KT_LIMIT, "%s:%zu", entry->file, entry->file_line);
}

kt_code kt_remote_add(kt_remote *remote, const kt_entry *entry, kt_error *error) {
    const kt_known_refusal *known = kt_remote_refusal_of(remote, remote->ordinal++);
    kt_ledger *ledger = kt_shadow_ledger(remote->shadow);
    kt_entry given = *entry;
    bool repeats = known != NULL && known->code == KT_DUPLICATE && remote->allow_duplicate_voucher;
    if (!remote->open) return kt_fail(error, KT_USAGE, "no batch is open");
    if (entry->reverses != 0)
        return kt_fail(error, KT_UNSUPPORTED, "a reversal is made where the book is, not through a socket");
    kt_code code = check_size(entry, error);
    if (code == KT_OK && entry->line_count <= KT_LINES_MAX) code = learn(remote, entry, error);
    if (code == KT_OK && entry->line_count <= KT_LINES_MAX) code = check_with_currencies(remote, entry, error);
    if (code == KT_OK) code = check(remote, &given, error);
    if (code != KT_OK) return code;
    if (known != NULL && !repeats) {
        kt_fail(error, known->code, "%s", known->text);
        return entry->file == NULL ? known->code
                                   : kt_fail_at(error, known->code, "%s:%zu", entry->file, entry->file_line);
    }
    code = assume_all(remote, &given, error);
    if (code == KT_OK) code = declare_dimensions(remote, &given, error);
    if (code == KT_OK) code = pack(remote, &given, repeats || ledger->plan->voucher_used, error);
    if (code == KT_OK && given.voucher.size != 0 && !ledger->plan->voucher_used) kt_voucher_use(ledger);
    return code;
}
