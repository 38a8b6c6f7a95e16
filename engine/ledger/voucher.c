#include "engine/ledger/voucher.h"

#include <stdlib.h>

#define PAGE_NUMBERS 512u
#define PAGE_BYTES (PAGE_NUMBERS / 8)
#define PLACES 64u /* pages in memory: one for each sequence that rises at the same time */
#define SPARSE 16u /* up to so many numbers are listed; more are a bitmap */
#define DIGITS_MAX 18u
#define NO_NUMBER 255u
#define KEY_MAX (4 + 1 + KT_SERIES_MAX + 1 + KT_VOUCHER_MAX + 1 + 8)

struct place {
    uint32_t key_size; /* 0: free */
    bool changed;
    uint8_t key[KEY_MAX];
    uint8_t bits[PAGE_BYTES];
};

/* The voucher asked for last. The next one is mostly the same but for its last two digits, and then its page follows
   without making the key. */
struct last {
    bool known;
    int32_t year;
    uint32_t series_size, size;
    uint64_t hundreds; /* its number without the last two digits */
    uint64_t page;
    struct place *place;
    char series[KT_SERIES_MAX], voucher[KT_VOUCHER_MAX];
};

struct kt_vouchers {
    struct place places[PLACES];
    struct place *asked; /* the place and number of the voucher asked for last */
    unsigned asked_bit;
    struct last last;
};

kt_code kt_vouchers_open(kt_vouchers **out, kt_error *error) {
    *out = calloc(1, sizeof **out);
    return *out == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
}

void kt_vouchers_close(kt_vouchers *vouchers) { free(vouchers); }

void kt_vouchers_forget(kt_vouchers *vouchers) {
    for (unsigned i = 0; i < PLACES; i++) vouchers->places[i].key_size = 0;
    vouchers->last.known = false;
}

/* ---- a page as state keeps it ---- */

static size_t write_page(const uint8_t bits[PAGE_BYTES], uint8_t out[PAGE_BYTES]) {
    size_t size = 0;
    for (unsigned i = 0; i < PAGE_NUMBERS; i++) {
        if ((bits[i / 8] >> i % 8 & 1) == 0) continue;
        if (size == 2 * SPARSE) {
            memcpy(out, bits, PAGE_BYTES);
            return PAGE_BYTES;
        }
        kt_put_le16(out + size, (uint16_t)i);
        size += 2;
    }
    return size;
}

static bool read_page(kt_span value, uint8_t bits[PAGE_BYTES]) {
    if (value.size == PAGE_BYTES) {
        memcpy(bits, value.data, PAGE_BYTES);
        return true;
    }
    memset(bits, 0, PAGE_BYTES);
    if (value.size > 2 * SPARSE || value.size % 2 != 0) return false;
    for (size_t i = 0; i < value.size; i += 2) {
        uint16_t number = kt_get_le16(value.data + i);
        if (number >= PAGE_NUMBERS) return false;
        bits[number / 8] |= (uint8_t)(1u << number % 8);
    }
    return true;
}

/* ---- finding the page ---- */

static size_t page_key(int32_t year, kt_str series, kt_str voucher, uint8_t key[KEY_MAX], unsigned *bit) {
    size_t digits = 0;
    uint64_t number = 0;
    while (digits < voucher.size && digits < DIGITS_MAX) {
        char c = voucher.data[voucher.size - 1 - digits];
        if (c < '0' || c > '9') break;
        digits++;
    }
    size_t prefix = voucher.size - digits;
    for (size_t i = prefix; i < voucher.size; i++) number = number * 10 + (uint64_t)(voucher.data[i] - '0');
    uint8_t width = digits == 0 ? NO_NUMBER : voucher.data[prefix] == '0' ? (uint8_t)digits : 0;
    kt_put_be32(key, (uint32_t)year ^ 0x80000000u);
    size_t size = 4;
    key[size++] = (uint8_t)series.size;
    if (series.size != 0) memcpy(key + size, series.data, series.size);
    size += series.size;
    key[size++] = (uint8_t)prefix;
    memcpy(key + size, voucher.data, prefix);
    size += prefix;
    key[size++] = width;
    kt_put_be64(key + size, number / PAGE_NUMBERS);
    *bit = (unsigned)(number % PAGE_NUMBERS);
    return size + 8;
}

static uint32_t hash_key(const uint8_t *key, size_t size) {
    uint64_t h = size, word;
    for (; size >= 8; key += 8, size -= 8) {
        memcpy(&word, key, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdull;
        h ^= h >> 29;
    }
    for (; size != 0; key++, size--) h = (h ^ *key) * 0x100000001b3ull;
    return (uint32_t)(h >> 40);
}

static kt_code write_back(kt_ledger *ledger, struct place *place, kt_error *error) {
    uint8_t value[PAGE_BYTES];
    if (place->key_size == 0 || !place->changed) return KT_OK;
    size_t size = write_page(place->bits, value);
    place->changed = false;
    return kt_state_put(ledger->state, KT_TABLE_VOUCHERS, kt_span_of(place->key, place->key_size),
                        kt_span_of(value, size), error);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The same page as last time, known from the last two digits alone? */
static inline bool find_again(const struct last *last, int32_t year, kt_str series, kt_str voucher, unsigned *bit) {
    if (!last->known || voucher.size != last->size || series.size != last->series_size || year != last->year)
        return false;
    if (!kt_bytes_same(voucher.data, last->voucher, voucher.size - 2) ||
        !kt_bytes_same(series.data, last->series, series.size))
        return false;
    char tens = voucher.data[voucher.size - 2], ones = voucher.data[voucher.size - 1];
    if (!is_digit(tens) || !is_digit(ones)) return false;
    uint64_t number = last->hundreds * 100 + (uint64_t)(tens - '0') * 10 + (uint64_t)(ones - '0');
    *bit = (unsigned)(number % PAGE_NUMBERS);
    return number / PAGE_NUMBERS == last->page;
}

/* Only where there are three digits at least: then prefix and width stay what they are when the last two change. */
static void remember(struct last *last, int32_t year, kt_str series, kt_str voucher, struct place *place,
                     const uint8_t *key, size_t key_size, unsigned bit) {
    last->known = false;
    if (voucher.size < 3 || !is_digit(voucher.data[voucher.size - 1]) || !is_digit(voucher.data[voucher.size - 2]) ||
        !is_digit(voucher.data[voucher.size - 3]))
        return;
    last->known = true;
    last->year = year;
    last->size = (uint32_t)voucher.size;
    last->series_size = (uint32_t)series.size;
    last->page = kt_get_be64(key + key_size - 8);
    last->hundreds = (last->page * PAGE_NUMBERS + bit) / 100;
    last->place = place;
    memcpy(last->voucher, voucher.data, voucher.size);
    if (series.size != 0) memcpy(last->series, series.data, series.size);
}

static kt_code find(kt_ledger *ledger, int32_t year, kt_str series, kt_str voucher, struct place **out, unsigned *bit,
                    kt_error *error) {
    uint8_t key[KEY_MAX];
    kt_span value;
    struct last *last = &ledger->vouchers->last;
    if (find_again(last, year, series, voucher, bit)) {
        *out = last->place;
        return KT_OK;
    }
    size_t size = page_key(year, series, voucher, key, bit);
    struct place *place = &ledger->vouchers->places[hash_key(key, size) % PLACES];
    *out = place;
    remember(last, year, series, voucher, place, key, size, *bit);
    if (place->key_size == size && memcmp(place->key, key, size) == 0) return KT_OK;
    last->known = false;
    kt_code code = write_back(ledger, place, error);
    if (code != KT_OK) return code;
    place->key_size = 0;
    code = kt_state_get(ledger->state, KT_TABLE_VOUCHERS, kt_span_of(key, size), &value, error);
    if (code == KT_NOT_FOUND) memset(place->bits, 0, sizeof place->bits);
    else if (code != KT_OK) return code;
    else if (!read_page(value, place->bits))
        return kt_fail(error, KT_DAMAGED, "a page of voucher numbers is malformed");
    memcpy(place->key, key, size);
    place->key_size = (uint32_t)size;
    place->changed = false;
    return KT_OK;
}

kt_code kt_voucher_used(kt_ledger *ledger, int32_t year, kt_str series, kt_str voucher, bool *used, kt_error *error) {
    kt_vouchers *vouchers = ledger->vouchers;
    kt_code code = find(ledger, year, series, voucher, &vouchers->asked, &vouchers->asked_bit, error);
    *used = code == KT_OK && (vouchers->asked->bits[vouchers->asked_bit / 8] >> vouchers->asked_bit % 8 & 1) != 0;
    return code;
}

void kt_voucher_use(kt_ledger *ledger) {
    struct place *place = ledger->vouchers->asked;
    place->bits[ledger->vouchers->asked_bit / 8] |= (uint8_t)(1u << ledger->vouchers->asked_bit % 8);
    place->changed = true;
}

kt_code kt_vouchers_flush(kt_ledger *ledger, kt_error *error) {
    kt_code code = KT_OK;
    for (unsigned i = 0; i < PLACES && code == KT_OK; i++)
        code = write_back(ledger, &ledger->vouchers->places[i], error);
    return code;
}
