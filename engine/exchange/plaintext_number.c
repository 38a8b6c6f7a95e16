#include "engine/exchange/plaintext_number.h"

#include <string.h>

/* 10^38 is the last power of ten below 2^127. */
static bool power_of_ten(unsigned exponent, kt_amount *out) {
    if (exponent > 38) return false;
    kt_amount power = 1;
    for (unsigned i = 0; i < exponent; i++) power *= 10;
    *out = power;
    return true;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The digits of the token with everything else left out. */
static kt_plain_reading collect(const char *token, size_t size, size_t decimals, kt_plain_num *out) {
    kt_amount units = 0;
    bool any = false;
    if (decimals > KT_PLAIN_DECIMALS_MAX) {
        /* Zeros at the end say nothing and must not make a number too long. */
        while (size > 0 && decimals > KT_PLAIN_DECIMALS_MAX && token[size - 1] == '0') {
            size--;
            decimals--;
        }
        if (decimals > KT_PLAIN_DECIMALS_MAX) return KT_PLAIN_TOO_LARGE;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_digit(token[i])) continue;
        any = true;
        if (__builtin_mul_overflow(units, (kt_amount)10, &units) ||
            __builtin_add_overflow(units, (kt_amount)(token[i] - '0'), &units))
            return KT_PLAIN_TOO_LARGE;
    }
    if (!any) return KT_PLAIN_MALFORMED;
    if (units > kt_amount_limit()) return KT_PLAIN_TOO_LARGE;
    *out = (kt_plain_num){units, (uint8_t)decimals};
    return KT_PLAIN_READ;
}

/* A comma that would group a thousand behind nothing but zeros, or behind more than three digits, is read as a
   thousand by ledger 3.3 and as a decimal sign by its successors and by hledger. */
static bool lone_comma_is_doubtful(const char *token, size_t comma) {
    bool zeros = true;
    size_t digits = 0;
    for (size_t i = 0; i < comma; i++) {
        if (!is_digit(token[i])) continue;
        digits++;
        zeros = zeros && token[i] == '0';
    }
    return zeros || digits > 3;
}

typedef struct ledger_scan {
    size_t offset; /* digits since the last separator that set the count back */
    size_t decimals;
    bool comma_style, no_more_commas, no_more_periods, seen_comma, seen_period;
} ledger_scan;

static bool scan_period(ledger_scan *s) {
    if (s->no_more_periods) return false;
    if (s->comma_style || s->seen_comma) {
        if (s->offset % 3 != 0 || (!s->comma_style && s->decimals == 0 && s->seen_period)) return false;
        s->no_more_commas = true;
    } else {
        s->no_more_periods = true;
        s->decimals = s->offset;
        s->offset = 0;
    }
    s->seen_period = true;
    return true;
}

static bool scan_comma(ledger_scan *s) {
    if (s->no_more_commas) return false;
    if (s->comma_style) {
        if (s->seen_period) return false;
        s->no_more_commas = true;
        s->decimals = s->offset;
        s->offset = 0;
    } else if (s->offset % 3 != 0) {
        if (s->seen_comma || s->seen_period) return false;
        s->comma_style = true;
        s->no_more_commas = true;
        s->decimals = s->offset;
        s->offset = 0;
    } else {
        s->no_more_periods = true;
    }
    s->seen_comma = true;
    return true;
}

kt_plain_reading kt_plaintext_number_ledger(const char *token, size_t size, bool *comma, kt_plain_num *out) {
    if (size == 0 || !is_digit(token[0]) || !is_digit(token[size - 1])) return KT_PLAIN_MALFORMED;
    ledger_scan s = {.comma_style = *comma};
    size_t commas = 0, at_comma = 0;
    bool periods = false;
    for (size_t i = size; i-- > 0;) {
        char c = token[i];
        bool fits = true;
        if (c == '.') {
            /* A period left of a grouping comma turns that comma into the decimal sign after the fact in some
               versions and loses the decimals in others: 1.000,000. */
            if (commas > 0 && !s.comma_style) return KT_PLAIN_AMBIGUOUS;
            periods = true;
            fits = scan_period(&s);
        } else if (c == ',') {
            commas++;
            at_comma = i;
            fits = scan_comma(&s);
        } else if (c == '\'') {
            fits = s.offset % 3 == 0;
        } else if (is_digit(c)) {
            s.offset++;
        } else {
            return KT_PLAIN_MALFORMED;
        }
        if (!fits) return KT_PLAIN_MALFORMED;
    }
    if (commas == 1 && !periods && !s.comma_style && lone_comma_is_doubtful(token, at_comma)) return KT_PLAIN_AMBIGUOUS;
    kt_plain_reading reading = collect(token, size, s.decimals, out);
    if (reading == KT_PLAIN_READ) *comma = s.comma_style;
    return reading;
}

/* Separators of a token: kinds[0] the first kind, kinds[1] the second; false for a third. */
typedef struct separators {
    char kinds[2];
    size_t counts[2];
    size_t last; /* place of the last separator */
} separators;

static bool find_separators(const char *token, size_t size, separators *found) {
    memset(found, 0, sizeof *found);
    for (size_t i = 0; i < size; i++) {
        char c = token[i];
        if (is_digit(c)) continue;
        if (i > 0 && !is_digit(token[i - 1])) return false;
        if (found->counts[0] == 0) found->kinds[0] = c;
        int kind = c == found->kinds[0] ? 0 : 1;
        if (kind == 1 && found->counts[1] == 0) found->kinds[1] = c;
        if (c != found->kinds[kind] || (kind == 0 && found->counts[1] > 0)) return false;
        found->counts[kind]++;
        found->last = i;
    }
    return true;
}

static bool may_be_decimal(char c) { return c == '.' || c == ','; }

/* hledger takes groups of any size: 1,000,5 is 10005 to it. Groups that nobody writes are refused as a slip. */
static bool groups_are_odd(const char *token, size_t end, char group) {
    size_t digits = 0, groups = 0;
    for (size_t i = end; i-- > 0;) {
        if (token[i] != group) {
            digits++;
            continue;
        }
        if (groups == 0 ? digits != 3 : digits != 2 && digits != 3) return true;
        groups++;
        digits = 0;
    }
    return groups > 0 && (digits == 0 || digits > 3);
}

kt_plain_reading kt_plaintext_number_hledger(const char *token, size_t size, kt_plain_style style, kt_plain_num *out) {
    separators s;
    if (size == 0 || !find_separators(token, size, &s)) return KT_PLAIN_MALFORMED;
    bool decimal = false;
    if (s.counts[1] > 0) {
        if (s.counts[1] != 1 || !may_be_decimal(s.kinds[1]) || !is_digit(token[0])) return KT_PLAIN_MALFORMED;
        decimal = true;
    } else if (s.counts[0] > 1) {
        if (!is_digit(token[0]) || !is_digit(token[size - 1])) return KT_PLAIN_MALFORMED;
    } else if (s.counts[0] == 1) {
        bool edge = s.last == 0 || s.last == size - 1;
        if (edge && !may_be_decimal(s.kinds[0])) return KT_PLAIN_MALFORMED;
        if (!may_be_decimal(s.kinds[0])) decimal = false;
        else if (edge) decimal = true;
        else if (style.decimal) decimal = style.decimal == s.kinds[0];
        else if (style.group) decimal = style.group != s.kinds[0];
        else decimal = !style.whole;
    }
    bool grouped = s.counts[1] > 0 || (s.counts[0] > 0 && !decimal);
    if (grouped && groups_are_odd(token, decimal ? s.last : size, s.kinds[0])) return KT_PLAIN_AMBIGUOUS;
    return collect(token, size, decimal ? size - 1 - s.last : 0, out);
}

kt_plain_style kt_plaintext_number_style(const char *token, size_t size) {
    kt_plain_style style = {0, 0, false};
    separators s;
    if (!find_separators(token, size, &s)) return style;
    if (s.counts[1] > 0) {
        style.group = s.kinds[0];
        style.decimal = s.kinds[1];
    } else if (s.counts[0] > 1 || (s.counts[0] == 1 && !may_be_decimal(s.kinds[0]))) {
        style.group = s.kinds[0];
        style.whole = true;
    } else if (s.counts[0] == 1) {
        style.decimal = s.kinds[0];
    } else {
        style.whole = true;
    }
    return style;
}

static bool rescale(kt_plain_num a, uint8_t decimals, kt_amount *out) {
    kt_amount power;
    return decimals >= a.decimals && power_of_ten((unsigned)(decimals - a.decimals), &power) &&
           !__builtin_mul_overflow(a.units, power, out);
}

bool kt_plaintext_num_add(kt_plain_num a, kt_plain_num b, kt_plain_num *out) {
    a = a.decimals > KT_DECIMALS_MAX ? kt_plaintext_num_trim(a, KT_DECIMALS_MAX) : a;
    b = b.decimals > KT_DECIMALS_MAX ? kt_plaintext_num_trim(b, KT_DECIMALS_MAX) : b;
    uint8_t decimals = a.decimals > b.decimals ? a.decimals : b.decimals;
    kt_amount x, y, sum;
    if (!rescale(a, decimals, &x) || !rescale(b, decimals, &y) || __builtin_add_overflow(x, y, &sum)) return false;
    *out = (kt_plain_num){sum, decimals};
    return true;
}

bool kt_plaintext_num_subtract(kt_plain_num a, kt_plain_num b, kt_plain_num *out) {
    return kt_plaintext_num_add(a, kt_plaintext_num_negate(b), out);
}

bool kt_plaintext_num_product(kt_plain_num a, kt_plain_num b, uint8_t most, kt_plain_num *out) {
    a = kt_plaintext_num_trim(a, 0);
    b = kt_plaintext_num_trim(b, 0);
    unsigned decimals = (unsigned)a.decimals + b.decimals;
    unsigned over = decimals > most ? decimals - most : 0;
    kt_amount divisor, units;
    if (!power_of_ten(over, &divisor) || !kt_amount_ratio(a.units, b.units, divisor, KT_ROUND_HALF_EVEN, &units))
        return false;
    *out = (kt_plain_num){units, (uint8_t)(decimals - over)};
    return true;
}

bool kt_plaintext_num_quotient(kt_plain_num a, kt_plain_num b, uint8_t most, kt_plain_num *out) {
    b = kt_plaintext_num_trim(b, 0);
    if (b.units == 0) return false;
    for (unsigned decimals = 0; decimals <= most; decimals++) {
        /* a / b = units / 10^decimals  <=>  units = a.units * 10^(decimals + b.decimals - a.decimals) / b.units */
        int shift = (int)decimals + b.decimals - a.decimals;
        kt_amount numerator, denominator = b.units, units;
        if (shift >= 0 ? !power_of_ten((unsigned)shift, &numerator) : !power_of_ten((unsigned)-shift, &numerator))
            continue;
        if (shift < 0 && (__builtin_mul_overflow(denominator, numerator, &denominator))) continue;
        if (kt_amount_ratio(a.units, shift < 0 ? 1 : numerator, denominator, KT_ROUND_EXACT, &units)) {
            *out = (kt_plain_num){units, (uint8_t)decimals};
            return true;
        }
    }
    return false;
}

bool kt_plaintext_num_round(kt_plain_num a, uint8_t decimals, kt_plain_num *out) {
    kt_amount units, power;
    if (decimals >= a.decimals) {
        if (!rescale(a, decimals, &units)) return false;
    } else if (!power_of_ten((unsigned)(a.decimals - decimals), &power) ||
               !kt_amount_ratio(a.units, 1, power, KT_ROUND_HALF_EVEN, &units)) {
        return false;
    }
    *out = (kt_plain_num){units, decimals};
    return true;
}

kt_plain_num kt_plaintext_num_trim(kt_plain_num a, uint8_t least) {
    while (a.decimals > least && a.units % 10 == 0) {
        a.units /= 10;
        a.decimals--;
    }
    return a;
}

kt_plain_num kt_plaintext_num_negate(kt_plain_num a) { return (kt_plain_num){-a.units, a.decimals}; }

int kt_plaintext_num_compare(kt_plain_num a, kt_plain_num b) {
    int sign_a = (a.units > 0) - (a.units < 0), sign_b = (b.units > 0) - (b.units < 0);
    if (sign_a != sign_b) return sign_a < sign_b ? -1 : 1;
    kt_plain_num difference;
    a = kt_plaintext_num_trim(a, 0);
    b = kt_plaintext_num_trim(b, 0);
    if (kt_plaintext_num_subtract(a, b, &difference)) return (difference.units > 0) - (difference.units < 0);
    /* Equal signs, and one of them too large to be written with the other's decimals: it has fewer of these. */
    bool a_larger = a.decimals < b.decimals;
    return a_larger == (sign_a > 0) ? 1 : -1;
}

bool kt_plaintext_num_vanishes(kt_plain_num a, uint8_t decimals) {
    if (a.units == 0) return true;
    kt_amount power;
    if (a.decimals <= decimals || !power_of_ten((unsigned)(a.decimals - decimals), &power))
        return a.decimals > decimals;
    kt_amount half = power / 2;
    return a.units <= half && a.units >= -half;
}
