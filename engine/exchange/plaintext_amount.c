#include "engine/exchange/plaintext_amount.h"

#include <string.h>

#include "engine/exchange/plaintext_date.h"

#define EXPRESSION_DEPTH 32
#define TOKEN_MAX 200

void kt_plaintext_cursor_blanks(kt_plain_cursor *c) {
    while (c->at < c->end && kt_plaintext_text_is_blank(*c->at)) c->at++;
}

bool kt_plaintext_cursor_take(kt_plain_cursor *c, const char *word) {
    size_t size = strlen(word);
    if ((size_t)(c->end - c->at) < size || memcmp(c->at, word, size) != 0) return false;
    c->at += size;
    return true;
}

static char peek(const kt_plain_cursor *c) { return c->at < c->end ? *c->at : 0; }

/* ledger ends a symbol at every one of these; hledger allows the second row. */
static bool ends_symbol(char c) {
    return c == 0 || kt_plaintext_text_is_blank(c) || kt_plaintext_text_is_digit(c) ||
           strchr(".,;:+-*=<>{}[]()@\"|", c);
}

static bool only_hledger_symbol(char c) { return strchr("?!/^&", c) != NULL; }

bool kt_plaintext_amount_symbol(kt_plaintext *p, kt_plain_cursor *c, kt_str *symbol) {
    if (peek(c) == '"') {
        const char *start = c->at + 1;
        const char *end = memchr(start, '"', (size_t)(c->end - start));
        if (!end) return false;
        *symbol = (kt_str){start, (size_t)(end - start)};
        c->at = end + 1;
        return true;
    }
    const char *start = c->at;
    bool other = false;
    while (c->at < c->end && !ends_symbol(*c->at)) {
        other = other || only_hledger_symbol(*c->at);
        c->at++;
    }
    if (c->at == start) return false;
    if (other) kt_plaintext_mark_hledger(p);
    *symbol = (kt_str){start, (size_t)(c->at - start)};
    return true;
}

static bool is_group_space(const kt_plain_cursor *c, size_t *size) {
    /* A space, a no-break space or a narrow one, with a digit on either side. */
    size_t room = (size_t)(c->end - c->at);
    *size = peek(c) == ' '                                      ? 1
            : room > 2 && memcmp(c->at, "\xC2\xA0", 2) == 0     ? 2
            : room > 3 && memcmp(c->at, "\xE2\x80\xAF", 3) == 0 ? 3
                                                                : 0;
    return *size > 0 && room > *size && kt_plaintext_text_is_digit(c->at[*size]);
}

/* Digits and separators. Spaces of any kind come out as ' '. */
static size_t read_token(kt_plaintext *p, kt_plain_cursor *c, char token[TOKEN_MAX]) {
    size_t size = 0, space;
    while (c->at < c->end && size < TOKEN_MAX) {
        char now = *c->at;
        if (kt_plaintext_text_is_digit(now) || now == '.' || now == ',') {
            token[size++] = now;
            c->at++;
        } else if (now == '\'' && size > 0 && c->at + 1 < c->end && kt_plaintext_text_is_digit(c->at[1])) {
            token[size++] = now;
            c->at++;
        } else if (size > 0 && kt_plaintext_text_is_digit(token[size - 1]) && is_group_space(c, &space)) {
            token[size++] = ' ';
            c->at += space;
            kt_plaintext_mark_hledger(p);
        } else {
            break;
        }
    }
    return size;
}

static kt_plain_style style_of(const kt_plaintext *p, const kt_plain_commodity *commodity) {
    if (p->decimal_mark) return (kt_plain_style){p->decimal_mark, 0, false};
    if (commodity->styled) return commodity->style;
    if (p->has_default_style) return p->default_style;
    return (kt_plain_style){0, 0, false};
}

static kt_code refuse_number(kt_plaintext *p, kt_plain_reading reading, const char *token, size_t size,
                             kt_error *error) {
    int shown = size > 60 ? 60 : (int)size;
    if (reading == KT_PLAIN_TOO_LARGE)
        return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "the number %.*s is too large or too long", shown, token);
    if (reading == KT_PLAIN_AMBIGUOUS)
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                               "ambiguous number %.*s: the separator may mean thousands or decimals; "
                               "say which with a decimal-mark or commodity directive",
                               shown, token);
    return KT_PLAIN_REFUSE(p, error, KT_INVALID, "not a number: %.*s", shown, token);
}

static kt_code read_number(kt_plaintext *p, const char *token, size_t size, kt_plain_commodity *commodity,
                           kt_plain_use use, kt_plain_num *out, kt_error *error) {
    bool comma = commodity->comma;
    kt_plain_reading reading = KT_PLAIN_MALFORMED;
    if (!p->hledger && !p->decimal_mark) {
        reading = kt_plaintext_number_ledger(token, size, &comma, out);
        /* A directive settles what the digits alone leave open. */
        if (reading == KT_PLAIN_AMBIGUOUS && style_of(p, commodity).decimal) reading = KT_PLAIN_MALFORMED;
        if (reading == KT_PLAIN_READ && use == KT_PLAIN_POSTED) commodity->comma = comma;
    }
    if (reading == KT_PLAIN_MALFORMED) {
        reading = kt_plaintext_number_hledger(token, size, style_of(p, commodity), out);
        if (reading == KT_PLAIN_READ && !p->hledger) kt_plaintext_mark_hledger(p);
    }
    if (reading != KT_PLAIN_READ) return refuse_number(p, reading, token, size, error);
    if (use == KT_PLAIN_POSTED && out->decimals > commodity->precision) commodity->precision = out->decimals;
    return KT_OK;
}

static kt_code refuse_amount(kt_plaintext *p, const char *start, const kt_plain_cursor *c, kt_error *error) {
    kt_str seen = {start, (size_t)(c->end - start)};
    return KT_PLAIN_REFUSE(p, error, KT_INVALID, "not an amount: \"%.*s\"; expected such as 1.00 EUR or $1.00",
                           KT_PLAIN_SHOWN(seen));
}

static bool take_sign(kt_plaintext *p, kt_plain_cursor *c, bool *negative) {
    if (peek(c) == '+') kt_plaintext_mark_hledger(p);
    else if (peek(c) != '-') return false;
    else *negative = !*negative;
    c->at++;
    kt_plaintext_cursor_blanks(c);
    return true;
}

static bool starts_number(char c) { return kt_plaintext_text_is_digit(c) || c == '.' || c == ','; }

/* The commodity behind the digits, if one is there; the cursor stays before blanks that lead to none. */
static bool symbol_behind(kt_plaintext *p, kt_plain_cursor *c, kt_str *symbol) {
    kt_plain_cursor after = *c;
    kt_plaintext_cursor_blanks(&after);
    if (!kt_plaintext_amount_symbol(p, &after, symbol)) return false;
    *c = after;
    return true;
}

static bool has_exponent(const kt_plain_cursor *c) {
    const char *at = c->at;
    if (at >= c->end || (*at != 'e' && *at != 'E')) return false;
    at++;
    if (at < c->end && (*at == '+' || *at == '-')) at++;
    return at < c->end && kt_plaintext_text_is_digit(*at);
}

static kt_code simple_amount(kt_plaintext *p, kt_plain_cursor *c, kt_plain_use use, kt_plain_amount *out,
                             kt_error *error) {
    const char *start = c->at;
    bool negative = false, signed_ = take_sign(p, c, &negative);
    kt_str symbol = {NULL, 0};
    bool before = false;
    if (!starts_number(peek(c))) {
        if (!kt_plaintext_amount_symbol(p, c, &symbol)) return refuse_amount(p, start, c, error);
        before = true;
        kt_plaintext_cursor_blanks(c);
        if (!signed_) take_sign(p, c, &negative);
    }
    char token[TOKEN_MAX];
    size_t size = read_token(p, c, token);
    if (size == 0 || size == TOKEN_MAX) return refuse_amount(p, start, c, error);
    if (has_exponent(c)) return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "numbers with an exponent are not supported");
    if (!before) symbol_behind(p, c, &symbol);
    kt_plain_commodity *commodity = kt_plaintext_commodity(p, symbol.data, symbol.size);
    if (symbol.size == 0 && p->hledger && p->default_commodity) commodity = p->default_commodity;
    if (!commodity) return KT_PLAIN_NO_MEMORY(p, error);
    if (commodity->seconds) {
        if (p->time_unit && p->time_unit != commodity)
            return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                                   "time units (s, m, h) converted into each other are "
                                   "not supported: %s beside %s",
                                   commodity->code, p->time_unit->code);
        p->time_unit = commodity;
    }
    kt_plain_num number;
    kt_code code = read_number(p, token, size, commodity, use, &number, error);
    if (code != KT_OK) return code;
    *out = (kt_plain_amount){.number = negative ? kt_plaintext_num_negate(number) : number, .commodity = commodity};
    return KT_OK;
}

static kt_code skip_to(kt_plaintext *p, kt_plain_cursor *c, char close, kt_str *inside, kt_error *error) {
    const char *end = memchr(c->at, close, (size_t)(c->end - c->at));
    if (!end) return KT_PLAIN_REFUSE(p, error, KT_INVALID, "a lot without its closing '%c'", close);
    *inside = (kt_str){c->at, (size_t)(end - c->at)};
    c->at = end + 1;
    return KT_OK;
}

static kt_code lot_price(kt_plaintext *p, kt_plain_cursor *c, kt_plain_amount *amount, kt_error *error) {
    if (amount->has_lot) return KT_PLAIN_REFUSE(p, error, KT_INVALID, "a lot with two prices");
    bool whole = kt_plaintext_cursor_take(c, "{");
    kt_plaintext_cursor_blanks(c);
    if (kt_plaintext_cursor_take(c, "=")) kt_plaintext_cursor_blanks(c);
    kt_str inside;
    kt_code code = skip_to(p, c, '}', &inside, error);
    if (code != KT_OK) return code;
    if (whole && !kt_plaintext_cursor_take(c, "}"))
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "a lot without its closing '}}'");
    if (inside.size == 0) return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "a lot {} without a price is not supported");
    kt_plain_cursor price = {inside.data, inside.data + inside.size};
    kt_plain_amount read;
    code = simple_amount(p, &price, KT_PLAIN_PRICE, &read, error);
    if (code != KT_OK) return code;
    kt_plaintext_cursor_blanks(&price);
    if (price.at < price.end)
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "a lot's price is not an amount: %.*s", KT_PLAIN_SHOWN(inside));
    amount->has_lot = true;
    amount->lot_commodity = read.commodity;
    if (whole) amount->lot = (amount->number.units < 0) ? kt_plaintext_num_negate(read.number) : read.number;
    else if (!kt_plaintext_num_product(read.number, amount->number, KT_DECIMALS_MAX, &amount->lot))
        return KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "a lot's price is too large");
    return KT_OK;
}

kt_code kt_plaintext_amount_lots(kt_plaintext *p, kt_plain_cursor *c, kt_plain_amount *amount, kt_error *error) {
    for (;;) {
        kt_plain_cursor after = *c;
        kt_str inside;
        kt_day day;
        kt_code code = KT_OK;
        kt_plaintext_cursor_blanks(&after);
        if (kt_plaintext_cursor_take(&after, "{")) {
            code = lot_price(p, &after, amount, error);
        } else if (kt_plaintext_cursor_take(&after, "[")) {
            code = skip_to(p, &after, ']', &inside, error);
            if (code == KT_OK) code = kt_plaintext_date_read(p, kt_plaintext_text_trim(inside), &day, error);
        } else if (peek(&after) == '(' && (after.end - after.at < 2 || after.at[1] != '@')) {
            if (after.end - after.at > 1 && after.at[1] == '(')
                return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "a lot's ((value expression)) is not supported");
            after.at++;
            code = skip_to(p, &after, ')', &inside, error);
            kt_plaintext_mark_ledger(p);
        } else {
            return KT_OK;
        }
        if (code != KT_OK) return code;
        *c = after;
    }
}

/* ---- (expressions) ---- */

typedef struct value {
    kt_plain_num number;
    kt_plain_commodity *commodity;
} value;

static kt_code expression_sum(kt_plaintext *p, kt_plain_cursor *c, kt_plain_use use, int depth, value *out,
                              kt_error *error);

static kt_code expression_factor(kt_plaintext *p, kt_plain_cursor *c, kt_plain_use use, int depth, value *out,
                                 kt_error *error) {
    if (depth > EXPRESSION_DEPTH)
        return KT_PLAIN_REFUSE(p, error, KT_LIMIT, "an expression more than %d brackets deep", EXPRESSION_DEPTH);
    kt_plaintext_cursor_blanks(c);
    if (peek(c) == '-' && c->at + 1 < c->end && c->at[1] == '(') {
        c->at++;
        kt_code code = expression_factor(p, c, use, depth + 1, out, error);
        out->number = code == KT_OK ? kt_plaintext_num_negate(out->number) : out->number;
        return code;
    }
    if (kt_plaintext_cursor_take(c, "(")) {
        kt_code code = expression_sum(p, c, use, depth + 1, out, error);
        kt_plaintext_cursor_blanks(c);
        if (code == KT_OK && !kt_plaintext_cursor_take(c, ")"))
            return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                                   "an expression that is more than + - * / of amounts is not supported");
        return code;
    }
    char first = peek(c);
    bool name = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '_';
    const char *start = c->at;
    kt_plain_amount amount;
    kt_error ignored;
    kt_code code = simple_amount(p, c, use, &amount, name ? &ignored : error);
    if (code != KT_OK && name) {
        kt_str seen = {start, (size_t)(c->end - start)};
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "a name in an amount expression is not supported: %.*s",
                               KT_PLAIN_SHOWN(seen));
    }
    if (code == KT_OK) *out = (value){amount.number, amount.commodity};
    return code;
}

static kt_code combine(kt_plaintext *p, char sign, value a, value b, value *out, kt_error *error) {
    bool sum = sign == '+' || sign == '-';
    bool bare_a = a.commodity->size == 0, bare_b = b.commodity->size == 0;
    if (sum ? a.commodity != b.commodity : (!bare_b && (sign == '/' || !bare_a)))
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                               "an expression that mixes commodities is not supported "
                               "(\"%s\" %c \"%s\")",
                               a.commodity->code, sign, b.commodity->code);
    out->commodity = bare_a ? b.commodity : a.commodity;
    bool fits;
    switch (sign) {
    case '+': fits = kt_plaintext_num_add(a.number, b.number, &out->number); break;
    case '-': fits = kt_plaintext_num_subtract(a.number, b.number, &out->number); break;
    case '*': fits = kt_plaintext_num_product(a.number, b.number, KT_PLAIN_DECIMALS_MAX, &out->number); break;
    default:
        fits = kt_plaintext_num_quotient(a.number, b.number, KT_DECIMALS_MAX, &out->number);
        if (!fits)
            return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                                   "a quotient that does not come out even within %d "
                                   "decimals is not supported",
                                   KT_DECIMALS_MAX);
    }
    return fits ? KT_OK : KT_PLAIN_REFUSE(p, error, KT_OVERFLOW, "an expression's value is too large");
}

static kt_code expression_product(kt_plaintext *p, kt_plain_cursor *c, kt_plain_use use, int depth, value *out,
                                  kt_error *error) {
    kt_code code = expression_factor(p, c, use, depth, out, error);
    while (code == KT_OK) {
        kt_plaintext_cursor_blanks(c);
        char sign = peek(c);
        if (sign != '*' && sign != '/') break;
        c->at++;
        value right;
        code = expression_factor(p, c, use, depth, &right, error);
        if (code == KT_OK) code = combine(p, sign, *out, right, out, error);
    }
    return code;
}

static kt_code expression_sum(kt_plaintext *p, kt_plain_cursor *c, kt_plain_use use, int depth, value *out,
                              kt_error *error) {
    kt_code code = expression_product(p, c, use, depth, out, error);
    while (code == KT_OK) {
        kt_plaintext_cursor_blanks(c);
        char sign = peek(c);
        if (sign != '+' && sign != '-') break;
        c->at++;
        value right;
        code = expression_product(p, c, use, depth, &right, error);
        if (code == KT_OK) code = combine(p, sign, *out, right, out, error);
    }
    return code;
}

kt_code kt_plaintext_amount_read(kt_plaintext *p, kt_plain_cursor *c, kt_plain_use use, kt_plain_amount *out,
                                 kt_error *error) {
    kt_plaintext_cursor_blanks(c);
    if (peek(c) != '(') return simple_amount(p, c, use, out, error);
    kt_plaintext_mark_ledger(p);
    value result;
    kt_code code = expression_factor(p, c, use, 0, &result, error);
    if (code == KT_OK)
        *out = (kt_plain_amount){.number = kt_plaintext_num_trim(result.number, result.commodity->precision),
                                 .commodity = result.commodity};
    return code;
}

kt_code kt_plaintext_amount_example(kt_plaintext *p, kt_str text, kt_plain_commodity **commodity, kt_plain_style *style,
                                    kt_error *error) {
    kt_plain_cursor c = {text.data, text.data + text.size};
    kt_str symbol = {NULL, 0};
    bool negative = false, before = false;
    kt_plaintext_cursor_blanks(&c);
    take_sign(p, &c, &negative);
    if (!starts_number(peek(&c))) before = kt_plaintext_amount_symbol(p, &c, &symbol);
    kt_plaintext_cursor_blanks(&c);
    take_sign(p, &c, &negative);
    char token[TOKEN_MAX];
    size_t size = read_token(p, &c, token);
    if (size == 0 || size == TOKEN_MAX) return refuse_amount(p, text.data, &c, error);
    if (!before) symbol_behind(p, &c, &symbol);
    kt_plaintext_cursor_blanks(&c);
    if (c.at < c.end) return refuse_amount(p, text.data, &c, error);
    *commodity = kt_plaintext_commodity(p, symbol.data, symbol.size);
    if (!*commodity) return KT_PLAIN_NO_MEMORY(p, error);
    *style = kt_plaintext_number_style(token, size);
    (*commodity)->style = *style;
    (*commodity)->styled = true;
    bool comma = (*commodity)->comma;
    kt_plain_num number;
    if (kt_plaintext_number_ledger(token, size, &comma, &number) == KT_PLAIN_READ) {
        (*commodity)->comma = comma;
        if (number.decimals > (*commodity)->precision) (*commodity)->precision = number.decimals;
    }
    return KT_OK;
}
