#include "engine/exchange/plaintext_entry.h"

#include <stdlib.h>
#include <string.h>

#include "engine/exchange/plaintext_account.h"
#include "engine/exchange/plaintext_amount.h"
#include "engine/exchange/plaintext_assert.h"
#include "engine/exchange/plaintext_balance.h"
#include "engine/exchange/plaintext_date.h"
#include "engine/exchange/plaintext_rule.h"

#define ASSIGNMENTS_MAX 1000 /* each looks at all the postings before it */

kt_code kt_plaintext_entry_block(kt_plaintext *p, kt_error *error) {
    kt_plain_line line;
    kt_code code;
    while ((code = kt_plaintext_text_peek(p->file, &line, error)) == KT_OK) {
        if (line.size == 0 || !kt_plaintext_text_is_blank(line.text[0])) return KT_OK;
        kt_plaintext_text_pass(p->file, &line);
    }
    return code == KT_END ? KT_OK : code;
}

static kt_code read_head(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_plain_cursor c = {text.data, text.data + text.size};
    const char *start = c.at;
    while (c.at < c.end && !kt_plaintext_text_is_blank(*c.at) && *c.at != ';') c.at++;
    kt_str date = {start, (size_t)(c.at - start)};
    const char *equals = memchr(date.data, '=', date.size);
    kt_str second = {NULL, 0};
    if (equals) {
        second = (kt_str){equals + 1, (size_t)(c.at - equals - 1)};
        date.size = (size_t)(equals - start);
    }
    kt_code code = kt_plaintext_date_read(p, date, &p->day, error);
    if (code == KT_OK && equals) {
        /* A second date without a year has the first one's. */
        int year = p->year, month, day;
        kt_day other;
        kt_day_to_civil(p->day, &p->year, &month, &day);
        code = kt_plaintext_date_read(p, second, &other, error);
        p->year = year;
    }
    if (code != KT_OK) return code;
    kt_plaintext_cursor_blanks(&c);
    if (c.at < c.end && (*c.at == '*' || *c.at == '!')) {
        c.at++;
        kt_plaintext_cursor_blanks(&c);
    }
    p->ref = (kt_str){NULL, 0};
    const char *close = c.at < c.end && *c.at == '(' ? memchr(c.at, ')', (size_t)(c.end - c.at)) : NULL;
    if (close) {
        p->ref = kt_plaintext_text_trim((kt_str){c.at + 1, (size_t)(close - c.at - 1)});
        c.at = close + 1;
        kt_plaintext_cursor_blanks(&c);
    }
    const char *end = c.at;
    while (end < c.end && !(*end == ';' && (end == c.at || kt_plaintext_text_is_blank(end[-1])))) end++;
    p->text = kt_plaintext_text_trim((kt_str){c.at, (size_t)(end - c.at)});
    return KT_OK;
}

static kt_code add_post(kt_plaintext *p, kt_error *error) {
    if (p->post_count >= KT_LINES_MAX)
        return KT_PLAIN_REFUSE(p, error, KT_LIMIT, "an entry of more than %d lines", KT_LINES_MAX);
    if (p->post_count == p->post_room) {
        size_t room = p->post_room ? p->post_room * 2 : 16;
        kt_plain_post *larger = realloc(p->posts, room * sizeof *larger);
        if (!larger) return KT_PLAIN_NO_MEMORY(p, error);
        p->posts = larger;
        p->post_room = room;
    }
    memset(&p->posts[p->post_count], 0, sizeof *p->posts);
    p->posts[p->post_count].line = p->line;
    return KT_OK;
}

/* The account name ends at a tab or two blanks. */
static kt_str take_name(kt_plain_cursor *c) {
    const char *start = c->at;
    while (c->at < c->end) {
        if (*c->at == '\t' || (*c->at == ' ' && c->at + 1 < c->end && kt_plaintext_text_is_blank(c->at[1]))) break;
        c->at++;
    }
    kt_str name = kt_plaintext_text_trim((kt_str){start, (size_t)(c->at - start)});
    kt_plaintext_cursor_blanks(c);
    return name;
}

static kt_code read_account(kt_plaintext *p, kt_plain_cursor *c, kt_plain_post *post, kt_error *error) {
    kt_str name = take_name(c);
    char first = name.size ? name.data[0] : 0, last = name.size ? name.data[name.size - 1] : 0;
    bool wrapped = name.size > 2 &&
                   ((first == '[' && last == ']') || (first == '(' && last == ')') || (first == '<' && last == '>'));
    kt_virtual wanted = p->options.virtual_postings;
    if (wrapped && first == '(' && wanted != KT_VIRTUAL_DROP)
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                               "unbalanced virtual posting %.*s: not supported, a book has no account that balances "
                               "against nothing (--virtual keep keeps balanced [ ] ones alone, --virtual drop leaves "
                               "all virtual postings out)",
                               KT_PLAIN_SHOWN(name));
    if (wrapped && first == '[' && wanted == KT_VIRTUAL_REFUSE)
        return KT_PLAIN_REFUSE(
            p, error, KT_UNSUPPORTED,
            "virtual posting %.*s: not supported unless asked for (--virtual keep posts it, --virtual "
            "drop leaves all virtual postings out)",
            KT_PLAIN_SHOWN(name));
    if (!wrapped && (first == '(' || first == '['))
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "virtual posting without its closing bracket: %.*s",
                               KT_PLAIN_SHOWN(name));
    if (wrapped) {
        post->is_virtual = first != '<';
        post->unbalanced = first == '(';
        post->deferred = first == '<';
        if (post->deferred) kt_plaintext_mark_ledger(p);
        name = kt_plaintext_text_trim((kt_str){name.data + 1, name.size - 2});
    }
    return kt_plaintext_account_posted(p, name, &post->account, error);
}

static kt_code read_cost(kt_plaintext *p, kt_plain_cursor *c, kt_plain_post *post, kt_error *error) {
    bool bracket = kt_plaintext_cursor_take(c, "(@");
    if (!bracket && !kt_plaintext_cursor_take(c, "@")) return KT_OK;
    bool whole = kt_plaintext_cursor_take(c, "@");
    if (bracket && !kt_plaintext_cursor_take(c, ")"))
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "a price without its closing bracket; expected (@) or (@@)");
    kt_plaintext_cursor_blanks(c);
    if (kt_plaintext_cursor_take(c, "=")) kt_plaintext_mark_ledger(p);
    kt_plain_amount price;
    kt_code code = kt_plaintext_amount_read(p, c, KT_PLAIN_PRICE, &price, error);
    if (code == KT_OK) code = kt_plaintext_amount_lots(p, c, &price, error);
    if (code != KT_OK) return code;
    if (price.number.units < 0) return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "a negative price is not supported");
    if (price.commodity == post->amount.commodity)
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "a price in the same commodity as the amount (%s)",
                               price.commodity->code);
    if (whole) post->cost = post->amount.number.units < 0 ? kt_plaintext_num_negate(price.number) : price.number;
    if (whole
            ? post->cost.decimals > KT_DECIMALS_MAX && !kt_plaintext_num_round(post->cost, KT_DECIMALS_MAX, &post->cost)
            : !kt_plaintext_num_product(price.number, post->amount.number, KT_DECIMALS_MAX, &post->cost))
        return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "the cost is too large");
    if (post->amount.number.units == 0 && post->cost.units != 0)
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "a total price (@@) for an amount of zero is not supported");
    kt_plain_num written = kt_plaintext_num_trim(price.number, 0);
    uint8_t decimals = written.decimals > KT_DECIMALS_MAX ? KT_DECIMALS_MAX : written.decimals;
    if (!kt_plaintext_drops(p, post)) {
        if (decimals > price.commodity->priced) price.commodity->priced = decimals;
        price.commodity->costed = true;
    }
    post->cost_commodity = price.commodity;
    post->has_cost = true;
    return KT_OK;
}

static kt_code read_assertion(kt_plaintext *p, kt_plain_cursor *c, kt_plain_post *post, kt_error *error) {
    if (!kt_plaintext_cursor_take(c, "=")) return KT_OK;
    post->exact = kt_plaintext_cursor_take(c, "=");
    post->with_children = kt_plaintext_cursor_take(c, "*");
    if (post->exact || post->with_children) kt_plaintext_mark_hledger(p);
    kt_code code = kt_plaintext_amount_read(p, c, KT_PLAIN_PRICE, &post->asserted, error);
    if (code == KT_OK) code = kt_plaintext_amount_lots(p, c, &post->asserted, error);
    post->has_assertion = code == KT_OK;
    if (code != KT_OK || c->at == c->end) return code;
    /* hledger lets a price stand behind an asserted amount and passes over it. */
    kt_plain_cursor after = *c;
    kt_plaintext_cursor_blanks(&after);
    if (after.at < after.end && *after.at == '@') {
        kt_plain_post ignored = {.amount = post->asserted, .is_virtual = post->is_virtual};
        code = read_cost(p, &after, &ignored, error);
        *c = after;
    }
    return code;
}

static kt_code settle_decimals(kt_plaintext *p, kt_plain_amount *amount, kt_error *error) {
    if (amount->number.decimals > KT_DECIMALS_MAX)
        amount->number = kt_plaintext_num_trim(amount->number, KT_DECIMALS_MAX);
    if (amount->number.decimals > KT_DECIMALS_MAX)
        return KT_PLAIN_REFUSE(p, error, KT_LIMIT, "an amount with more than %d decimals", KT_DECIMALS_MAX);
    if (amount->number.units > kt_amount_limit() || amount->number.units < -kt_amount_limit())
        return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "an amount that is too large");
    return KT_OK;
}

static kt_code read_post(kt_plaintext *p, kt_str text, kt_error *error) {
    kt_code code = add_post(p, error);
    if (code != KT_OK) return code;
    kt_plain_post *post = &p->posts[p->post_count];
    kt_plain_cursor c = {text.data, text.data + text.size};
    if (*c.at == '*' || *c.at == '!') {
        c.at++;
        kt_plaintext_cursor_blanks(&c);
    }
    code = read_account(p, &c, post, error);
    if (code == KT_OK && c.at < c.end && *c.at != ';' && *c.at != '=') {
        code = kt_plaintext_amount_read(p, &c, KT_PLAIN_POSTED, &post->amount, error);
        if (code == KT_OK) code = kt_plaintext_amount_lots(p, &c, &post->amount, error);
        if (code == KT_OK) code = settle_decimals(p, &post->amount, error);
        post->has_amount = code == KT_OK;
        kt_plaintext_cursor_blanks(&c);
        if (code == KT_OK) code = read_cost(p, &c, post, error);
        kt_plaintext_cursor_blanks(&c);
    }
    if (code == KT_OK) code = read_assertion(p, &c, post, error);
    if (code != KT_OK) return code;
    kt_plaintext_cursor_blanks(&c);
    if (c.at < c.end && *c.at != ';') {
        kt_str rest = {c.at, (size_t)(c.end - c.at)};
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "unexpected behind the posting's amount: \"%.*s\"",
                               KT_PLAIN_SHOWN(rest));
    }
    if (c.at < c.end) post->text = kt_plaintext_text_trim((kt_str){c.at + 1, (size_t)(c.end - c.at - 1)});
    if (kt_plaintext_text_find(post->text, "date:")) p->dated_posts = true;
    if (post->unbalanced && !post->has_amount && !post->has_assertion) {
        /* hledger's nothing: with nothing to balance against, nothing is left. */
        kt_plaintext_mark_hledger(p);
        post->amount.commodity = kt_plaintext_commodity(p, "", 0);
        if (!post->amount.commodity) return KT_PLAIN_NO_MEMORY(p, error);
        post->has_amount = true;
    }
    if (post->has_assertion && post->account == p->left_out && (!p->hledger || !post->has_amount))
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                               "a balance of %s behind a posting to it whose amount is left "
                               "out is not supported",
                               post->account->name);
    if (!post->has_assertion && !post->has_amount && !p->left_out) p->left_out = post->account;
    if (post->has_assertion && !post->has_amount) {
        if (++p->assigned_count > ASSIGNMENTS_MAX)
            return KT_PLAIN_REFUSE(p, error, KT_LIMIT, "more than %d balance assignments in one entry",
                                   ASSIGNMENTS_MAX);
        code = kt_plaintext_assert_assign(p, post, error);
    }
    if (code == KT_OK) p->post_count++;
    return code;
}

static bool starts_with_word(kt_str text, const char *word) {
    size_t size = strlen(word);
    return text.size > size && memcmp(text.data, word, size) == 0 && kt_plaintext_text_is_blank(text.data[size]);
}

static kt_code read_posts(kt_plaintext *p, kt_plain_file *block, kt_error *error) {
    kt_plain_line line;
    kt_code code;
    while ((code = kt_plaintext_text_peek(block, &line, error)) == KT_OK) {
        kt_plaintext_text_pass(block, &line);
        p->line = line.number;
        code = kt_plaintext_text_check(block, &line, error);
        if (code != KT_OK) return code;
        kt_str text = kt_plaintext_text_trim((kt_str){line.text, line.size});
        if (text.data[0] == ';') {
            if (kt_plaintext_text_find(text, "date:")) p->dated_posts = true;
            continue;
        }
        if (starts_with_word(text, "check")) continue;
        if (starts_with_word(text, "assert") || starts_with_word(text, "expr"))
            return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "%s in a transaction is not supported",
                                   text.data[0] == 'a' ? "assert" : "expr");
        code = read_post(p, text, error);
        if (code != KT_OK) return code;
    }
    return code == KT_END ? KT_OK : code;
}

kt_code kt_plaintext_entry_read(kt_plaintext *p, const kt_plain_line *head, kt_error *error) {
    kt_plain_file *file = p->file;
    size_t from = file->at;
    p->post_count = 0;
    p->assigned_count = 0;
    p->left_out = NULL;
    p->entry_number++;
    p->entry_line = head->number;
    kt_plaintext_text_pass(file, head);
    kt_plain_file block = *file; /* borrows the file's bytes up to the block's end */
    kt_code code = kt_plaintext_entry_block(p, error);
    if (code != KT_OK) return code;
    block.size = file->at;
    p->raw = file->data + from;
    p->raw_size = file->at - from;
    p->line = head->number;
    code = kt_plaintext_text_check(file, head, error);
    if (code == KT_OK) code = read_head(p, (kt_str){head->text, head->size}, error);
    if (code == KT_OK) code = read_posts(p, &block, error);
    p->line = head->number;
    if (code == KT_OK && p->post_count == 0)
        code = KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "a transaction without postings is not supported");
    if (code == KT_OK) code = kt_plaintext_rule_check(p, error);
    if (code == KT_OK) code = kt_plaintext_balance_entry(p, error);
    if (code == KT_OK) code = kt_plaintext_assert_entry(p, error);
    if (code == KT_OK) kt_plaintext_balance_note(p);
    return code;
}

kt_code kt_plaintext_entry_give(kt_plaintext *p, kt_entry *out, kt_error *error) {
    if (p->post_count > p->line_room) {
        size_t room = p->post_room;
        kt_line *larger = realloc(p->lines, room * sizeof *larger);
        if (!larger) return KT_PLAIN_NO_MEMORY(p, error);
        p->lines = larger;
        p->line_room = room;
    }
    size_t count = 0;
    for (size_t i = 0; i < p->post_count; i++) {
        const kt_plain_post *post = &p->posts[i];
        if (kt_plaintext_drops(p, post)) continue;
        kt_line *line = &p->lines[count++];
        memset(line, 0, sizeof *line);
        line->amount = post->amount.number.units;
        line->amount_given = KT_AS_WRITTEN(post->amount.number.decimals);
        line->account = (kt_str){post->account->name, post->account->size};
        line->currency = (kt_str){post->amount.commodity->code, post->amount.commodity->size};
        line->text = post->text;
        line->has_cost = post->has_cost;
        if (post->has_cost) {
            line->cost = post->cost.units;
            line->cost_given = KT_AS_WRITTEN(post->cost.decimals);
            line->cost_currency = (kt_str){post->cost_commodity->code, post->cost_commodity->size};
        }
    }
    memset(out, 0, sizeof *out);
    out->date = p->day;
    out->text = p->text;
    out->ref = p->ref;
    out->lines = p->lines;
    out->line_count = count;
    out->file = p->place;
    out->file_line = p->entry_line;
    return KT_OK;
}
