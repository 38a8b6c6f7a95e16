#include "engine/exchange/plaintext_balance.h"

#include <stdlib.h>
#include <string.h>

static kt_code add_sum(kt_plaintext *p, kt_plain_commodity *commodity, kt_plain_num number, bool cost,
                       kt_error *error) {
    if (commodity->stamp != p->stamp) {
        if (p->sum_count == p->sum_room) {
            size_t room = p->sum_room ? p->sum_room * 2 : 8;
            kt_plain_sum *larger = realloc(p->sums, room * sizeof *larger);
            if (!larger) return KT_PLAIN_NO_MEMORY(p, error);
            p->sums = larger;
            p->sum_room = room;
        }
        commodity->stamp = p->stamp;
        commodity->slot = p->sum_count++;
        p->sums[commodity->slot] = (kt_plain_sum){.commodity = commodity};
    }
    kt_plain_sum *sum = &p->sums[commodity->slot];
    sum->has_cost = sum->has_cost || cost;
    if (!kt_plaintext_num_add(sum->number, number, &sum->number))
        return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "the sum of the entry's lines is too large");
    return KT_OK;
}

/* Does the lot's price stand for the cost? Only where both are given in one commodity and differ visibly. */
static bool lot_differs(const kt_plain_post *post) {
    kt_plain_num gain;
    if (!post->has_cost || !post->amount.has_lot || post->amount.lot_commodity != post->cost_commodity) return false;
    return !kt_plaintext_num_subtract(post->amount.lot, post->cost, &gain) ||
           !kt_plaintext_num_vanishes(gain, post->cost_commodity->precision);
}

/* One of the two groups that balance, each in itself; (account) is in neither. */
static bool in_group(const kt_plain_post *post, bool virtual_group) {
    return post->is_virtual == virtual_group && !post->unbalanced;
}

static kt_code sum_group(kt_plaintext *p, bool virtual_group, bool by_lots, kt_error *error) {
    p->stamp++;
    p->sum_count = 0;
    for (size_t i = 0; i < p->post_count; i++) {
        const kt_plain_post *post = &p->posts[i];
        if (!in_group(post, virtual_group) || !post->has_amount) continue;
        kt_code code;
        if (!post->has_cost) code = add_sum(p, post->amount.commodity, post->amount.number, false, error);
        else
            code = add_sum(p, post->cost_commodity, by_lots && lot_differs(post) ? post->amount.lot : post->cost, true,
                           error);
        if (code != KT_OK) return code;
    }
    return KT_OK;
}

/* ledger's zero: what would print as zero, where a cost can take it. */
static bool settled(const kt_plain_sum *sum) {
    if (sum->number.units == 0) return true;
    return sum->has_cost && sum->commodity->size > 0 &&
           kt_plaintext_num_vanishes(sum->number, sum->commodity->precision);
}

static bool all_settled(const kt_plaintext *p) {
    for (size_t i = 0; i < p->sum_count; i++)
        if (!settled(&p->sums[i])) return false;
    return true;
}

static kt_code refuse_unbalanced(kt_plaintext *p, bool virtual_group, kt_error *error) {
    char text[3 * (KT_AMOUNT_TEXT + 80)] = "";
    size_t at = 0, shown = 0;
    for (size_t i = 0; i < p->sum_count && shown < 3; i++) {
        char amount[KT_AMOUNT_TEXT];
        const kt_plain_sum *sum = &p->sums[i];
        if (settled(sum)) continue;
        kt_plain_num number = kt_plaintext_num_trim(sum->number, sum->commodity->precision);
        kt_amount_format(number.units, number.decimals, 0, amount);
        for (const char *from = shown ? " and " : ""; *from;) text[at++] = *from++;
        for (const char *from = amount; *from;) text[at++] = *from++;
        text[at++] = ' ';
        const char *code = sum->commodity->size ? sum->commodity->code : "(no commodity)";
        for (size_t k = 0; code[k] && k < 40; k++) text[at++] = code[k];
        text[at] = 0;
        shown++;
    }
    return KT_PLAIN_REFUSE(p, error, KT_UNBALANCED, "the %s do not balance: off by %s",
                           virtual_group ? "virtual postings" : "entry's postings", text);
}

/* ---- The amount left out ---- */

static kt_code fill_one(kt_plaintext *p, size_t at, kt_plain_commodity *commodity, kt_plain_num number,
                        kt_error *error) {
    kt_plain_post *post = &p->posts[at];
    uint8_t least = commodity->precision > KT_DECIMALS_MAX ? KT_DECIMALS_MAX : commodity->precision;
    post->amount = (kt_plain_amount){.number = kt_plaintext_num_trim(kt_plaintext_num_negate(number), least),
                                     .commodity = commodity};
    if (post->amount.number.units > kt_amount_limit() || post->amount.number.units < -kt_amount_limit())
        return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "the amount left out is too large");
    post->has_amount = true;
    post->filled = true;
    return KT_OK;
}

static kt_code append_like(kt_plaintext *p, size_t like, kt_error *error) {
    if (p->post_count >= KT_LINES_MAX)
        return KT_PLAIN_REFUSE(p, error, KT_LIMIT, "an entry of more than %d lines", KT_LINES_MAX);
    if (p->post_count == p->post_room) {
        size_t room = p->post_room * 2;
        kt_plain_post *larger = realloc(p->posts, room * sizeof *larger);
        if (!larger) return KT_PLAIN_NO_MEMORY(p, error);
        p->posts = larger;
        p->post_room = room;
    }
    p->posts[p->post_count] = p->posts[like];
    p->posts[p->post_count].has_assertion = false;
    p->post_count++;
    return KT_OK;
}

static kt_code fill(kt_plaintext *p, size_t at, kt_error *error) {
    size_t filled = 0;
    for (size_t i = 0; i < p->sum_count; i++) {
        const kt_plain_sum sum = p->sums[i];
        if (sum.number.units == 0) continue;
        size_t to = at;
        kt_code code = KT_OK;
        if (filled > 0) {
            to = p->post_count;
            code = append_like(p, at, error);
        }
        if (code == KT_OK) code = fill_one(p, to, sum.commodity, sum.number, error);
        if (code != KT_OK) return code;
        filled++;
    }
    if (filled > 0) return KT_OK;
    /* Nothing is left: the posting stands with zero, so that its account is seen. */
    kt_plain_commodity *commodity = p->sum_count ? p->sums[0].commodity : kt_plaintext_commodity(p, "", 0);
    if (!commodity) return KT_PLAIN_NO_MEMORY(p, error);
    return fill_one(p, at, commodity, (kt_plain_num){0, 0}, error);
}

/* ---- The cost that two commodities imply ---- */

static bool is_currency(const kt_plain_commodity *commodity) {
    return commodity->size == 0 || kt_iso4217_decimals(commodity->code, commodity->size) >= 0;
}

static bool find_pair(kt_plaintext *p, bool virtual_group, kt_plain_sum *costed, kt_plain_sum *other) {
    size_t open = 0;
    kt_plain_sum pair[2];
    for (size_t i = 0; i < p->sum_count; i++) {
        if (p->sums[i].number.units == 0) continue;
        if (open == 2) return false;
        pair[open++] = p->sums[i];
    }
    if (open != 2 || (pair[0].number.units > 0) == (pair[1].number.units > 0)) return false;
    const kt_plain_commodity *top = NULL;
    for (size_t i = 0; i < p->post_count; i++) {
        const kt_plain_post *post = &p->posts[i];
        if (!in_group(post, virtual_group) || !post->has_amount) continue;
        if (post->has_cost) return false;
        if (post->amount.has_lot || !top) top = post->amount.commodity;
    }
    size_t first = pair[1].commodity == top ? 1 : 0;
    if (is_currency(pair[first].commodity) && !is_currency(pair[1 - first].commodity)) first = 1 - first;
    *costed = pair[first];
    *other = pair[1 - first];
    return true;
}

static kt_code imply_costs(kt_plaintext *p, bool virtual_group, const kt_plain_sum *costed, const kt_plain_sum *other,
                           kt_error *error) {
    kt_amount whole = costed->number.units, price = other->number.units;
    for (size_t i = 0; i < p->post_count; i++) {
        kt_plain_post *post = &p->posts[i];
        if (!in_group(post, virtual_group) || post->amount.commodity != costed->commodity) continue;
        kt_plain_num amount;
        kt_amount units;
        if (!kt_plaintext_num_round(post->amount.number, costed->number.decimals, &amount) ||
            !kt_amount_ratio(amount.units, price < 0 ? -price : price, whole < 0 ? -whole : whole, KT_ROUND_HALF_EVEN,
                             &units))
            return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "the implied cost is too large");
        post->cost = (kt_plain_num){units, other->number.decimals};
        post->cost_commodity = other->commodity;
        post->has_cost = post->cost_implied = true;
        if (!kt_plaintext_drops(p, post)) other->commodity->costed = true;
    }
    return KT_OK;
}

/* ---- What the rates leave over ---- */

static bool same_side(kt_amount cost, kt_amount amount) { return cost == 0 || (cost > 0) == (amount > 0); }

/* The decimals that the entry's costs are given in: those that the first walk found for the commodity. */
static uint8_t cost_decimals(const kt_plain_commodity *commodity) {
    return commodity->posted ? commodity->most : commodity->priced;
}

static kt_code book_remainder(kt_plaintext *p, const kt_plain_sum *sum, kt_error *error) {
    size_t last = p->post_count;
    kt_plain_num corrected = {0, 0};
    for (size_t i = p->post_count; i-- > 0;) {
        const kt_plain_post *post = &p->posts[i];
        kt_plain_num with;
        if (!post->has_cost || post->cost_commodity != sum->commodity ||
            !kt_plaintext_num_subtract(post->cost, sum->number, &with))
            continue;
        if (same_side(with.units, post->amount.number.units)) {
            last = i;
            corrected = with;
            break;
        }
    }
    if (last == p->post_count) return refuse_unbalanced(p, false, error);
    p->posts[last].cost = corrected;
    return KT_OK;
}

static kt_code settle_costs(kt_plaintext *p, bool virtual_group, kt_error *error) {
    for (size_t i = 0; i < p->post_count; i++) {
        kt_plain_post *post = &p->posts[i];
        if (post->has_cost && in_group(post, virtual_group) &&
            !kt_plaintext_num_round(post->cost, cost_decimals(post->cost_commodity), &post->cost))
            return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "the cost is too large");
    }
    kt_code code = sum_group(p, virtual_group, false, error);
    for (size_t i = 0; code == KT_OK && i < p->sum_count; i++)
        if (p->sums[i].number.units != 0) code = book_remainder(p, &p->sums[i], error);
    return code;
}

static kt_code find_left_out(kt_plaintext *p, bool virtual_group, size_t *left_out, bool *any, kt_error *error) {
    *left_out = SIZE_MAX;
    *any = false;
    for (size_t i = 0; i < p->post_count; i++) {
        if (!in_group(&p->posts[i], virtual_group)) continue;
        *any = true;
        if (p->posts[i].has_amount) continue;
        if (*left_out != SIZE_MAX) {
            p->line = p->posts[i].line;
            return KT_PLAIN_REFUSE(p, error, KT_INVALID,
                                   "a second posting without an amount; only one can be "
                                   "left out to balance the entry");
        }
        *left_out = i;
    }
    return KT_OK;
}

/* hledger 1.25 leaves the costs out of an entry's remainder when a balance is assigned in it. */
static kt_code check_assigned(kt_plaintext *p, kt_error *error) {
    bool cost = false;
    for (size_t i = 0; i < p->post_count; i++) cost = cost || p->posts[i].has_cost;
    if (p->hledger && p->assigned_count > 0 && cost)
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                               "a balance assignment, a price and an amount left out in one "
                               "entry are not supported");
    return KT_OK;
}

static kt_code balance_group(kt_plaintext *p, bool virtual_group, kt_error *error) {
    size_t left_out;
    bool any, by_lots = !p->hledger;
    kt_plain_sum costed, other;
    kt_code code = find_left_out(p, virtual_group, &left_out, &any, error);
    if (code != KT_OK || !any) return code;
    if (left_out != SIZE_MAX && (code = check_assigned(p, error)) != KT_OK) return code;
    code = sum_group(p, virtual_group, by_lots, error);
    if (code == KT_OK && left_out == SIZE_MAX && !all_settled(p)) {
        code = sum_group(p, virtual_group, !by_lots, error);
        if (code == KT_OK && all_settled(p)) by_lots = !by_lots;
        else if (code == KT_OK) code = sum_group(p, virtual_group, by_lots, error);
    }
    for (size_t i = 0; code == KT_OK && by_lots && i < p->post_count; i++)
        if (in_group(&p->posts[i], virtual_group) && lot_differs(&p->posts[i]))
            p->posts[i].cost = p->posts[i].amount.lot;
    if (code == KT_OK && left_out != SIZE_MAX) code = fill(p, left_out, error);
    else if (code == KT_OK && find_pair(p, virtual_group, &costed, &other))
        code = imply_costs(p, virtual_group, &costed, &other, error);
    else if (code == KT_OK && !all_settled(p)) code = refuse_unbalanced(p, virtual_group, error);
    bool given = !virtual_group || p->options.virtual_postings != KT_VIRTUAL_DROP;
    if (code == KT_OK && given && !p->surveying) code = settle_costs(p, virtual_group, error);
    return code;
}

kt_code kt_plaintext_balance_entry(kt_plaintext *p, kt_error *error) {
    if (p->post_count == 1 && p->bucket && p->posts[0].has_amount && !p->posts[0].is_virtual) {
        kt_code code = append_like(p, 0, error);
        if (code != KT_OK) return code;
        p->posts[1] = (kt_plain_post){.account = p->bucket, .line = p->posts[0].line};
    }
    kt_code code = balance_group(p, false, error);
    if (code == KT_OK) code = balance_group(p, true, error);
    return code;
}

void kt_plaintext_balance_note(kt_plaintext *p) {
    p->virtual_left_out = 0;
    for (size_t i = 0; i < p->post_count; i++) {
        const kt_plain_post *post = &p->posts[i];
        if (kt_plaintext_drops(p, post)) {
            p->virtual_left_out++;
            continue;
        }
        post->account->posted = true;
        post->amount.commodity->posted = true;
        if (post->amount.number.decimals > post->amount.commodity->most)
            post->amount.commodity->most = post->amount.number.decimals;
    }
}
