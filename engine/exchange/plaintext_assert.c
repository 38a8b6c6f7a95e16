#include "engine/exchange/plaintext_assert.h"

#include <stdlib.h>
#include <string.h>

#include "engine/exchange/plaintext_amount.h"

#define LATE_MAX 100000

static bool is_below(const kt_plain_account *account, const kt_plain_account *top) {
    return account->size > top->size && account->name[top->size] == ':' &&
           memcmp(account->name, top->name, top->size) == 0;
}

/* In ledger a real posting asserts the real balance, a virtual one both together; in hledger both do the latter. */
static bool asks_real(const kt_plaintext *p, const kt_plain_post *post) { return !post->is_virtual && !p->hledger; }

static const kt_plain_num *balance_of(const kt_plain_balance *balance, bool real) {
    return real ? &balance->real : &balance->all;
}

/* Adds what the account (and those below it) holds of commodity; whether it holds anything else is in *others. */
static bool add_held(const kt_plain_account *account, bool real, const kt_plain_commodity *commodity, kt_plain_num *sum,
                     bool *others) {
    for (size_t i = 0; i < account->balance_count; i++) {
        const kt_plain_balance *balance = &account->balances[i];
        const kt_plain_num *held = balance_of(balance, real);
        if (balance->commodity != commodity)
            *others = *others || !kt_plaintext_num_vanishes(*held, balance->commodity->precision);
        else if (!kt_plaintext_num_add(*sum, *held, sum)) return false;
    }
    return true;
}

static bool held(const kt_plaintext *p, const kt_plain_post *post, bool real, kt_plain_num *sum, bool *others) {
    const kt_plain_commodity *commodity = post->asserted.commodity;
    *sum = (kt_plain_num){0, 0};
    *others = false;
    if (!add_held(post->account, real, commodity, sum, others)) return false;
    if (!post->with_children) return true;
    for (const kt_plain_account *at = p->names.first_account; at; at = at->next)
        if (is_below(at, post->account) && !add_held(at, real, commodity, sum, others)) return false;
    return true;
}

/* A bare zero is assigned by taking away the one commodity that the account holds. */
static kt_code aim_bare_zero(kt_plaintext *p, kt_plain_post *post, kt_error *error) {
    if (p->hledger || post->asserted.commodity->size > 0 || post->asserted.number.units != 0) return KT_OK;
    kt_plain_commodity *only = NULL;
    for (size_t i = 0; i < post->account->balance_count; i++) {
        const kt_plain_balance *balance = &post->account->balances[i];
        if (balance_of(balance, asks_real(p, post))->units == 0) continue;
        if (only && only != balance->commodity)
            return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                                   "balance assignment of 0 to %s, which holds several "
                                   "commodities, is not supported",
                                   post->account->name);
        only = balance->commodity;
    }
    for (size_t i = 0; i < p->post_count; i++)
        if (p->posts[i].account == post->account && p->posts[i].has_amount) {
            if (only && only != p->posts[i].amount.commodity)
                return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                                       "balance assignment of 0 to %s, which holds several "
                                       "commodities, is not supported",
                                       post->account->name);
            only = p->posts[i].amount.commodity;
        }
    if (only) post->asserted.commodity = only;
    return KT_OK;
}

/* What the account holds with the entry's postings so far. */
static bool held_so_far(const kt_plaintext *p, const kt_plain_post *post, bool real, kt_plain_num *sum) {
    bool others;
    if (!held(p, post, real, sum, &others)) return false;
    for (size_t i = 0; i < p->post_count; i++) {
        const kt_plain_post *before = &p->posts[i];
        bool counts = before->account == post->account ||
                      (post->with_children && is_below(before->account, post->account));
        if (counts && before->has_amount && before->amount.commodity == post->asserted.commodity &&
            !(real && before->is_virtual) && !kt_plaintext_num_add(*sum, before->amount.number, sum))
            return false;
    }
    return true;
}

/* A real posting's assignment, where the tools would come to two amounts; or to one that would not hold in the book. */
static kt_code refuse_two_balances(kt_plaintext *p, const kt_plain_post *post, kt_error *error) {
    kt_plain_num real, all;
    bool shown = p->hledger || (p->saw_ledger && !p->saw_hledger);
    bool drops = p->options.virtual_postings == KT_VIRTUAL_DROP;
    if (post->is_virtual || p->surveying || (shown && !(p->hledger && drops))) return KT_OK;
    if (!held_so_far(p, post, true, &real) || !held_so_far(p, post, false, &all))
        return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "the balance of %s is too large", post->account->name);
    if (kt_plaintext_num_compare(real, all) == 0) return KT_OK;
    return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                           "balance assignment to %s, which has virtual postings: hledger counts them, and ledger does "
                           "not; not supported%s",
                           post->account->name, drops && p->hledger ? " with --virtual drop" : "");
}

kt_code kt_plaintext_assert_assign(kt_plaintext *p, kt_plain_post *post, kt_error *error) {
    kt_plain_account *account = post->account;
    if (p->hledger && account->last_day != KT_DAY_NONE && account->last_day > p->day)
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                               "balance assignment to %s, which has later postings before "
                               "it in the file, is not supported",
                               account->name);
    kt_code code = aim_bare_zero(p, post, error);
    if (code != KT_OK) return code;
    code = refuse_two_balances(p, post, error);
    if (code != KT_OK) return code;
    kt_plain_num sum, missing;
    if (!held_so_far(p, post, asks_real(p, post), &sum) ||
        !kt_plaintext_num_subtract(post->asserted.number, sum, &missing))
        return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "the balance of %s is too large", account->name);
    uint8_t precision = post->asserted.commodity->precision;
    missing = kt_plaintext_num_trim(missing, precision > KT_DECIMALS_MAX ? KT_DECIMALS_MAX : precision);
    if (missing.decimals > KT_DECIMALS_MAX)
        return KT_PLAIN_REFUSE(p, error, KT_LIMIT, "an amount with more than %d decimals", KT_DECIMALS_MAX);
    post->amount = (kt_plain_amount){.number = missing, .commodity = post->asserted.commodity};
    post->has_amount = post->assigned = true;
    if (account->assigned_day == KT_DAY_NONE || account->assigned_day < p->day) account->assigned_day = p->day;
    return KT_OK;
}

/* ---- Assertions by date, in a file of hledger's ---- */

static bool remember_late(kt_plaintext *p, const kt_plain_post *post, size_t index) {
    if (p->late_count == LATE_MAX) return false;
    if (p->late_count == p->late_room) {
        size_t room = p->late_room ? p->late_room * 2 : 16;
        kt_plain_late *larger = realloc(p->late, room * sizeof *larger);
        if (!larger) return false;
        p->late = larger;
        p->late_room = room;
    }
    kt_plain_late *late = &p->late[p->late_count];
    *late = (kt_plain_late){.account = post->account,
                            .commodity = post->asserted.commodity,
                            .expected = post->asserted.number,
                            .day = p->day,
                            .entry = p->entry_number,
                            .post = index,
                            .next = post->account->first_late};
    post->account->first_late = ++p->late_count;
    return true;
}

static void count_late(kt_plaintext *p, const kt_plain_post *post, size_t index) {
    for (size_t at = post->account->first_late; at; at = p->late[at - 1].next) {
        kt_plain_late *late = &p->late[at - 1];
        bool before = p->day < late->day ||
                      (p->day == late->day &&
                       (p->entry_number < late->entry || (p->entry_number == late->entry && index <= late->post)));
        if (before && post->amount.commodity == late->commodity &&
            (!kt_plaintext_num_add(late->sum, post->amount.number, &late->sum) ||
             (!post->is_virtual && !kt_plaintext_num_add(late->real, post->amount.number, &late->real))))
            late->day = KT_DAY_NONE; /* never holds */
    }
}

static bool holds_by_date(kt_plaintext *p, const kt_plain_post *post, size_t index, bool real) {
    if (!p->hledger || post->exact || post->with_children || p->dated_posts) return false;
    if (p->surveying) return !p->counting_late ? remember_late(p, post, index) : true;
    for (size_t at = 0; at < p->late_count; at++) {
        const kt_plain_late *late = &p->late[at];
        if (late->entry == p->entry_number && late->post == index)
            return late->day != KT_DAY_NONE &&
                   kt_plaintext_num_compare(real ? late->real : late->sum, late->expected) == 0;
    }
    return false;
}

/* ---- The entry's assertions ---- */

static kt_code refuse_assertion(kt_plaintext *p, const kt_plain_post *post, kt_plain_num found, bool others,
                                kt_error *error) {
    char expected_text[KT_AMOUNT_TEXT], found_text[KT_AMOUNT_TEXT];
    const kt_plain_commodity *commodity = post->asserted.commodity;
    found = kt_plaintext_num_trim(found, commodity->precision);
    kt_amount_format(post->asserted.number.units, post->asserted.number.decimals, 0, expected_text);
    kt_amount_format(found.units, found.decimals, 0, found_text);
    p->line = post->line;
    return KT_PLAIN_REFUSE(p, error, KT_RULE, "balance assertion failed: %s: expected %s %s, found %s %s%s",
                           post->account->name, expected_text, commodity->code, found_text, commodity->code,
                           others ? " and other commodities" : "");
}

static kt_code refuse_without_virtual(kt_plaintext *p, const kt_plain_post *post, kt_error *error) {
    p->line = post->line;
    return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                           "balance assertion of %s holds only with its virtual postings, which --virtual drop leaves "
                           "out: not supported",
                           post->account->name);
}

static kt_code check_held(kt_plaintext *p, size_t index, bool real, kt_error *error) {
    const kt_plain_post *post = &p->posts[index];
    kt_plain_num found, off;
    bool others;
    if (!held(p, post, real, &found, &others) || !kt_plaintext_num_subtract(found, post->asserted.number, &off))
        return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "the balance of %s is too large", post->account->name);
    bool bare = post->asserted.commodity->size == 0 && !p->hledger;
    others = others && (post->exact || bare);
    if (!others && kt_plaintext_num_vanishes(off, post->asserted.commodity->precision)) return KT_OK;
    if (holds_by_date(p, post, index, real)) return KT_OK;
    return refuse_assertion(p, post, found, others, error);
}

static kt_code check_assertion(kt_plaintext *p, size_t index, kt_error *error) {
    const kt_plain_post *post = &p->posts[index];
    kt_code code = check_held(p, index, asks_real(p, post), error);
    /* What the book would not bear out is not taken. While surveying, nothing is known yet of what holds by date. */
    bool borne = p->options.virtual_postings != KT_VIRTUAL_DROP || post->is_virtual || asks_real(p, post) ||
                 p->surveying;
    if (code != KT_OK || borne || check_held(p, index, true, NULL) == KT_OK) return code;
    return refuse_without_virtual(p, post, error);
}

static bool apply(const kt_plain_post *post, bool back) {
    kt_plain_balance *balance = kt_plaintext_names_balance(post->account, post->amount.commodity);
    if (!balance) return false;
    kt_plain_num number = back ? kt_plaintext_num_negate(post->amount.number) : post->amount.number, real, all;
    real = balance->real;
    if (!kt_plaintext_num_add(balance->all, number, &all) ||
        (!post->is_virtual && !kt_plaintext_num_add(balance->real, number, &real)))
        return false;
    balance->all = all;
    balance->real = real;
    return true;
}

/* What ledger adds to the account only when the entry is whole: the amount left out; and never while it reads: a
   deferred posting. */
static bool comes_last(const kt_plaintext *p, const kt_plain_post *post) { return post->filled && !p->hledger; }

static kt_code apply_all(kt_plaintext *p, bool last, size_t *applied, kt_error *error) {
    for (size_t i = 0; i < p->post_count; i++) {
        const kt_plain_post *post = &p->posts[i];
        if (post->deferred || comes_last(p, post) != last) continue;
        if (!apply(post, false)) {
            p->line = post->line;
            return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "the balance of %s is too large", post->account->name);
        }
        *applied = i + 1;
        if (post->has_assertion && !post->assigned) {
            kt_code code = check_assertion(p, i, error);
            if (code != KT_OK) return code;
        }
    }
    return KT_OK;
}

static void take_back(kt_plaintext *p, bool last, size_t applied) {
    for (size_t i = 0; i < applied; i++)
        if (!p->posts[i].deferred && comes_last(p, &p->posts[i]) == last) apply(&p->posts[i], true);
}

static kt_code check_order(kt_plaintext *p, kt_error *error) {
    for (size_t i = 0; p->hledger && i < p->post_count; i++) {
        const kt_plain_account *account = p->posts[i].account;
        if (account->assigned_day != KT_DAY_NONE && account->assigned_day > p->day)
            return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                                   "a posting to %s before a balance assignment that stands "
                                   "earlier in the file is not supported",
                                   account->name);
    }
    return KT_OK;
}

kt_code kt_plaintext_assert_entry(kt_plaintext *p, kt_error *error) {
    size_t first = 0, last = 0;
    kt_code code = check_order(p, error);
    if (code == KT_OK) code = apply_all(p, false, &first, error);
    if (code == KT_OK) code = apply_all(p, true, &last, error);
    if (code != KT_OK) {
        take_back(p, false, first);
        take_back(p, true, last);
        return code;
    }
    for (size_t i = 0; i < p->post_count; i++) {
        kt_plain_account *account = p->posts[i].account;
        if (account->last_day == KT_DAY_NONE || account->last_day < p->day) account->last_day = p->day;
        if (p->counting_late) count_late(p, &p->posts[i], i);
    }
    return KT_OK;
}

/* ---- assert account("NAME") == AMOUNT ---- */

static bool take_relation(kt_plain_cursor *c, int relation[2]) {
    static const struct {
        const char *sign;
        int low, high; /* the comparison's results that make it true */
    } known[] = {{"==", 0, 0}, {"<=", -1, 0}, {">=", 0, 1}, {"<", -1, -1}, {">", 1, 1}};
    kt_plaintext_cursor_blanks(c);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (kt_plaintext_cursor_take(c, known[i].sign)) {
            relation[0] = known[i].low;
            relation[1] = known[i].high;
            kt_plaintext_cursor_blanks(c);
            return true;
        }
    return false;
}

kt_code kt_plaintext_assert_directive(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_plain_cursor c = {text.data, text.data + text.size};
    int relation[2];
    kt_plain_post post = {0};
    const char *end = NULL;
    bool known = kt_plaintext_cursor_take(&c, "account(\"");
    const char *start = c.at;
    if (known && (end = memchr(c.at, '"', (size_t)(c.end - c.at))) != NULL) c.at = end + 1;
    known = known && end && kt_plaintext_cursor_take(&c, ")");
    if (known && kt_plaintext_cursor_take(&c, ".total")) post.with_children = true;
    else if (known) kt_plaintext_cursor_take(&c, ".amount");
    if (!known || !take_relation(&c, relation))
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                               "assert: only account(\"NAME\") compared with an amount is "
                               "supported, not %.*s",
                               KT_PLAIN_SHOWN(text));
    kt_code code = kt_plaintext_amount_read(p, &c, KT_PLAIN_PRICE, &post.asserted, error);
    if (code != KT_OK) return code;
    kt_plaintext_cursor_blanks(&c);
    if (c.at < c.end)
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "assert: only one comparison is supported, not %.*s",
                               KT_PLAIN_SHOWN(text));
    post.account = kt_plaintext_names_account(&p->names, start, (size_t)(end - start));
    if (!post.account) return KT_PLAIN_NO_MEMORY(p, error);
    post.line = p->line;
    post.is_virtual = true; /* all that the account holds */
    kt_plain_num found;
    for (int real = 0; real <= (p->options.virtual_postings == KT_VIRTUAL_DROP); real++) {
        bool others;
        if (!held(p, &post, real, &found, &others))
            return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "the balance of %s is too large", post.account->name);
        int compared = kt_plaintext_num_compare(found, post.asserted.number);
        if (others || compared < relation[0] || compared > relation[1])
            return real ? refuse_without_virtual(p, &post, error) : refuse_assertion(p, &post, found, others, error);
    }
    return KT_OK;
}
