#include "engine/money.h"

#include <assert.h>
#include <string.h>

__extension__ typedef unsigned __int128 magnitude;

#define TEN_9 UINT64_C(1000000000)
#define TEN_18 (TEN_9 * TEN_9)
#define CHUNK 18 /* digits that always fit 64 bits */
#define AMOUNT_MAX ((magnitude)(((magnitude)1 << 127) - 1))

static const uint64_t powers[CHUNK + 1] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    TEN_9,
    UINT64_C(10) * TEN_9,
    UINT64_C(100) * TEN_9,
    UINT64_C(1000) * TEN_9,
    UINT64_C(10000) * TEN_9,
    UINT64_C(100000) * TEN_9,
    UINT64_C(1000000) * TEN_9,
    UINT64_C(10000000) * TEN_9,
    UINT64_C(100000000) * TEN_9,
    TEN_18,
};

kt_amount kt_amount_limit(void) { return (kt_amount)TEN_18 * (kt_amount)TEN_18; }

static magnitude magnitude_of(kt_amount amount) { return amount < 0 ? -(magnitude)amount : (magnitude)amount; }

/* False where the amount does not fit; the smallest 128-bit number has no positive twin, and is allowed. */
static bool with_sign(magnitude value, bool negative, kt_amount *out) {
    if (value > AMOUNT_MAX + negative) return false;
    *out = negative ? (kt_amount)-value : (kt_amount)value;
    return true;
}

/* ---- Reading ---------------------------------------------------------------------------------- */

/* Digits read so far: high * 10^count + low. Only low is touched while 18 digits suffice. */
typedef struct reading {
    magnitude high;
    uint64_t low;
    unsigned count; /* digits in low */
    bool overflow;
} reading;

static void flush(reading *r) {
    if (r->high > (magnitude)kt_amount_limit() / powers[r->count]) r->overflow = true;
    else r->high = r->high * powers[r->count] + r->low;
    r->low = 0;
    r->count = 0;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LITTLE 1
#else
#define LITTLE 0
#endif

/* Eight digits at once, the first in the lowest byte: pairs, then fours, then eight, in one register. */
static inline bool eight_of(uint64_t v, uint64_t *out) {
    const uint64_t high = UINT64_C(0xF0F0F0F0F0F0F0F0), threes = UINT64_C(0x3030303030303030);
    if (((v & high) ^ threes) | (((v + UINT64_C(0x0606060606060606)) & high) ^ threes)) return false;
    v -= threes;
    v = v * 10 + (v >> 8);
    *out = ((v & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064) +
            ((v >> 16) & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001)) >>
           32;
    return true;
}

static inline bool eight_digits(const char *text, uint64_t *out) {
    uint64_t v;
    memcpy(&v, text, 8);
    return LITTLE && eight_of(v, out);
}

/* One to eight digits, with zeros before them made up; no other byte is read. */
static inline bool few_digits(const char *text, size_t size, uint64_t *out) {
    uint64_t v;
    const unsigned before = 8 * (8 - (unsigned)size); /* bits */
    if (size == 8) return eight_digits(text, out);
    if (size >= 4) { /* two loads that overlap */
        uint32_t first, last;
        memcpy(&first, text, 4);
        memcpy(&last, text + size - 4, 4);
        v = (uint64_t)last << 32 | (uint64_t)first << before;
    } else { /* three that may be the same */
        v = (uint64_t)(uint8_t)text[0] << before | (uint64_t)(uint8_t)text[size / 2] << (before + 8 * (size / 2)) |
            (uint64_t)(uint8_t)text[size - 1] << 56;
    }
    return eight_of(v | UINT64_C(0x3030303030303030) >> (64 - before), out);
}

/* What nearly all amounts are: up to 16 digits before the point, and two decimals or none. False: not one of those, and
   for the careful way. */
static inline bool quick_number(const char *text, size_t size, char decimal, kt_amount *units, uint8_t *decimals) {
    bool negative = *text == '-';
    uint64_t low, high = 0;
    text += negative;
    size -= negative;
    size_t whole = size > 3 && text[size - 3] == decimal ? size - 3 : size;
    if (whole == 0 || whole > 16) return false;
    if (whole > 8 && !few_digits(text, whole - 8, &high)) return false;
    size_t tail = whole > 8 ? 8 : whole;
    if (!few_digits(text + whole - tail, tail, &low)) return false;
    uint64_t value = high * powers[8] + low;
    if (whole != size) {
        unsigned tenths = (unsigned)(uint8_t)text[whole + 1] - '0', rest = (unsigned)(uint8_t)text[whole + 2] - '0';
        if ((tenths > 9) | (rest > 9)) return false;
        value = value * 100 + tenths * 10 + rest;
    }
    *units = negative ? -(kt_amount)value : (kt_amount)value;
    *decimals = whole == size ? 0 : 2;
    return true;
}

/* Takes the digits at text; returns how many. */
static inline size_t take_digits(reading *r, const char *text, const char *end) {
    const char *at = text;
    uint64_t eight;
    while (end - at >= 8 && eight_digits(at, &eight)) {
        if (r->count + 8 > CHUNK) flush(r);
        r->low = r->low * powers[8] + eight;
        r->count += 8;
        at += 8;
    }
    while (at < end && *at >= '0' && *at <= '9') {
        if (r->count == CHUNK) flush(r);
        r->low = r->low * 10 + (uint64_t)(*at - '0');
        r->count++;
        at++;
    }
    return (size_t)(at - text);
}

/* Groups behind the first: each of three digits, parted by `group`. False where one is longer or shorter. */
static bool take_groups(reading *r, const char **text, const char *end, char group) {
    while (*text < end && **text == group) {
        size_t count = take_digits(r, *text + 1, end);
        if (count != 3) return false;
        *text += 4;
    }
    return true;
}

static __attribute__((noinline)) kt_number_fault careful_number(const char *text, size_t size, char decimal, char group,
                                                                kt_amount *units, uint8_t *decimals) {
    const char *at = text, *end = text + size;
    reading r = {0};
    bool negative = *at == '-';
    if (negative || *at == '+') at++;
    size_t whole = take_digits(&r, at, end), part = 0;
    at += whole;
    if (group && at < end && *at == group) {
        if (group == decimal || whole < 1 || whole > 3 || !take_groups(&r, &at, end, group)) return KT_NUMBER_SYNTAX;
    }
    if (at < end && *at == decimal) {
        part = take_digits(&r, at + 1, end);
        at += 1 + part;
    }
    if (at != end || whole + part == 0) return KT_NUMBER_SYNTAX;
    if (part > KT_DECIMALS_MAX) return KT_NUMBER_DECIMALS;
    magnitude value = r.low;
    if (r.high || r.overflow) {
        flush(&r);
        if (r.overflow || r.high > (magnitude)kt_amount_limit()) return KT_NUMBER_OVERFLOW;
        value = r.high;
    }
    *units = negative ? -(kt_amount)value : (kt_amount)value;
    *decimals = (uint8_t)part;
    return KT_NUMBER_OK;
}

kt_number_fault kt_number_parse(const char *text, size_t size, char decimal, char group, kt_amount *units,
                                uint8_t *decimals) {
    if (size == 0) return KT_NUMBER_EMPTY;
    if (LITTLE && group != decimal && quick_number(text, size, decimal, units, decimals)) return KT_NUMBER_OK;
    return careful_number(text, size, decimal, group, units, decimals);
}

const char *kt_number_fault_text(kt_number_fault fault) {
    switch (fault) {
    case KT_NUMBER_OK: return "a number";
    case KT_NUMBER_EMPTY: return "empty";
    case KT_NUMBER_SYNTAX: return "not a number";
    case KT_NUMBER_DECIMALS: return "more than 18 decimals";
    case KT_NUMBER_OVERFLOW: return "larger than 10^36 smallest units";
    }
    return "not a number";
}

/* ---- Rounding --------------------------------------------------------------------------------- */

/* Rounds quotient by what the division by divisor left over. False: KT_ROUND_EXACT and something is left. */
static bool round_quotient(magnitude *quotient, magnitude rest, magnitude divisor, kt_rounding mode) {
    if (rest == 0) return true;
    magnitude other = divisor - rest; /* compared instead of 2 * rest, which might not fit */
    switch (mode) {
    case KT_ROUND_EXACT: return false;
    case KT_ROUND_DOWN: return true;
    case KT_ROUND_HALF_UP: *quotient += rest >= other; return true;
    case KT_ROUND_HALF_EVEN: *quotient += rest > other || (rest == other && (*quotient & 1)); return true;
    }
    return false;
}

/* 10^exponent, for exponents up to 38. */
static magnitude ten_to(unsigned exponent) {
    magnitude power = 1;
    for (; exponent > CHUNK; exponent -= CHUNK) power *= TEN_18;
    return power * powers[exponent];
}

bool kt_amount_rescale(kt_amount amount, uint8_t from, uint8_t to, kt_rounding mode, kt_amount *out) {
    unsigned steps = from > to ? (unsigned)(from - to) : (unsigned)(to - from);
    if (steps == 0 || amount == 0) {
        *out = amount;
        return true;
    }
    if (to > from) return steps <= 38 && !__builtin_mul_overflow(amount, (kt_amount)ten_to(steps), out);
    if (steps > 38) { /* less than a half of the unit, whatever the amount */
        *out = 0;
        return mode != KT_ROUND_EXACT;
    }
    magnitude value = magnitude_of(amount), divisor = ten_to(steps), quotient;
    if (value <= UINT64_MAX && steps <= CHUNK) quotient = (uint64_t)value / (uint64_t)divisor;
    else quotient = value / divisor;
    return round_quotient(&quotient, value - quotient * divisor, divisor, mode) && with_sign(quotient, amount < 0, out);
}

/* a * b as high * 2^128 + low, from four products of 64-bit limbs. */
static void multiply(magnitude a, magnitude b, magnitude *high, magnitude *low) {
    uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64), b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
    magnitude p00 = (magnitude)a0 * b0, p01 = (magnitude)a0 * b1, p10 = (magnitude)a1 * b0, p11 = (magnitude)a1 * b1;
    magnitude middle = (p00 >> 64) + (uint64_t)p01 + (uint64_t)p10; /* at most 3 * (2^64 - 1): fits */
    *low = (middle << 64) | (uint64_t)p00;
    *high = p11 + (p01 >> 64) + (p10 >> 64) + (middle >> 64);
}

/* (high * 2^128 + low) / divisor, one bit at a time. high < divisor, so that the quotient fits. */
static magnitude divide(magnitude high, magnitude low, magnitude divisor, magnitude *rest) {
    if (high == 0) {
        *rest = low % divisor;
        return low / divisor;
    }
    magnitude quotient = 0, left = high;
    for (int bit = 127; bit >= 0; bit--) {
        bool carry = left >> 127;
        left = left << 1 | (low >> bit & 1);
        quotient <<= 1;
        if (carry || left >= divisor) {
            left -= divisor;
            quotient |= 1;
        }
    }
    *rest = left;
    return quotient;
}

bool kt_amount_ratio(kt_amount amount, kt_amount numerator, kt_amount denominator, kt_rounding mode, kt_amount *out) {
    if (denominator == 0) return false;
    magnitude high, low, rest, divisor = magnitude_of(denominator);
    multiply(magnitude_of(amount), magnitude_of(numerator), &high, &low);
    if (high >= divisor) return false;
    magnitude quotient = divide(high, low, divisor, &rest);
    if (quotient > AMOUNT_MAX + 1) /* before rounding, which must not wrap around */
        return false;
    bool negative = (amount < 0) != (numerator < 0) && numerator != 0;
    return round_quotient(&quotient, rest, divisor, mode) &&
           with_sign(quotient, negative != (denominator < 0) && quotient != 0, out);
}

bool kt_amount_add(kt_amount a, kt_amount b, kt_amount *out) { return !__builtin_add_overflow(a, b, out); }

/* ---- Writing ---------------------------------------------------------------------------------- */

size_t kt_amount_format(kt_amount amount, uint8_t decimals, char group, char buffer[KT_AMOUNT_TEXT]) {
    char reversed[KT_AMOUNT_TEXT];
    size_t size = 0;
    unsigned digit = 0; /* digits written, from the right */
    magnitude value = magnitude_of(amount);
    assert(decimals <= 38);
    do {
        uint64_t chunk = value <= UINT64_MAX ? (uint64_t)value : (uint64_t)(value % TEN_18);
        bool last = value <= UINT64_MAX;
        value = last ? 0 : value / TEN_18;
        for (unsigned i = 0; last ? chunk > 0 : i < CHUNK; i++) {
            if (digit == decimals && digit > 0) reversed[size++] = '.';
            else if (group && digit > decimals && (digit - decimals) % 3 == 0) reversed[size++] = group;
            reversed[size++] = (char)('0' + chunk % 10);
            chunk /= 10;
            digit++;
        }
    } while (value > 0);
    for (; digit <= decimals; digit++) { /* at least one digit before the point */
        if (digit == decimals && digit > 0) reversed[size++] = '.';
        reversed[size++] = '0';
    }
    if (amount < 0) reversed[size++] = '-';
    for (size_t i = 0; i < size; i++) buffer[i] = reversed[size - 1 - i];
    buffer[size] = '\0';
    return size;
}

/* ---- ISO 4217 --------------------------------------------------------------------------------- */

/* Codes of four bytes each, in order. Those for which ISO 4217 gives no decimals (metals, XDR, XSU, XUA, XTS, XXX,
   the XB. units) are left out: whoever uses one declares it. ANG, BGN, CUC, HRK, SLL and ZWL were withdrawn since 2021
   and stay, since books hold the years before. */
static const char two_decimals[] =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK "
    "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR "
    "MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
    "SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG "
    "YER ZAR ZMW ZWG ZWL ";
static const char no_decimals[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF ";
static const char three_decimals[] = "BHD IQD JOD KWD LYD OMR TND ";
static const char four_decimals[] = "CLF UYW ";

static bool listed(const char *list, size_t bytes, const char *code) {
    size_t low = 0, high = bytes / 4;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = memcmp(code, list + middle * 4, 3);
        if (order == 0) return true;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return false;
}

int kt_iso4217_decimals(const char *code, size_t size) {
    if (size != 3) return -1;
    if (listed(two_decimals, sizeof two_decimals, code)) return 2;
    if (listed(no_decimals, sizeof no_decimals, code)) return 0;
    if (listed(three_decimals, sizeof three_decimals, code)) return 3;
    return listed(four_decimals, sizeof four_decimals, code) ? 4 : -1;
}
