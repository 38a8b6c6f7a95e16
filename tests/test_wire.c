/* The msgpack reader: what it takes, and that every cut and every flipped byte is refused or read, never more. */
#include <stdlib.h>
#include <string.h>

#include "storage/codec.h"
#include "tests/reading.h"
#include "tests/tap.h"

#define WIRE &kt_format_msgpack

static uint8_t buffer[4096];

static void text(kt_pack *p, unsigned tag, const char *value) {
    kt_pack_uint(p, tag);
    kt_pack_text(p, value, strlen(value));
}

static void simple_line(kt_pack *p, const char *account, kt_int128 amount) {
    kt_pack_array(p, 6);
    text(p, 1, account);
    kt_pack_uint(p, 3);
    kt_pack_amount(p, amount);
    kt_pack_uint(p, 4);
    kt_pack_uint(p, 2);
}

static void simple_entry(kt_pack *p, const char *voucher, kt_int128 amount) {
    kt_pack_array(p, 6);
    kt_pack_uint(p, 1);
    kt_pack_int(p, 20484);
    text(p, 3, voucher);
    kt_pack_uint(p, 6);
    kt_pack_array(p, 2);
    simple_line(p, "1000", amount);
    simple_line(p, "2000", -amount);
}

static void full_entry(kt_pack *p) {
    kt_pack_array(p, 12);
    kt_pack_uint(p, 1);
    kt_pack_int(p, -1);
    text(p, 2, "S");
    text(p, 3, "9");
    text(p, 4, "t");
    text(p, 5, "r");
    kt_pack_uint(p, 6);
    kt_pack_array(p, 1);
    kt_pack_array(p, 22);
    text(p, 1, "1000");
    text(p, 2, "EUR");
    kt_pack_uint(p, 3);
    kt_pack_amount(p, (kt_int128)1 << 100);
    kt_pack_uint(p, 4);
    kt_pack_uint(p, 0);
    kt_pack_uint(p, 5);
    kt_pack_amount(p, 93);
    kt_pack_uint(p, 6);
    kt_pack_uint(p, 1);
    text(p, 7, "DKK");
    text(p, 8, "x");
    text(p, 9, "lr");
    text(p, 10, "M");
    kt_pack_uint(p, 11);
    kt_pack_array(p, 4);
    text(p, 1, "a");
    text(p, 11, "b");
}

static void is_read(const kt_pack *p, const char *expected, const char *law) {
    char *found = reading(WIRE, NULL, p->data, p->size, false);
    is_text(found, expected, "%s", law);
    free(found);
}

static void good(void) {
    kt_pack p;
    kt_pack_init(&p, buffer, sizeof buffer);
    simple_entry(&p, "7", 1250);
    full_entry(&p);
    is_read(&p,
            "2026-01-31 7: 1000 12.50; 2000 -12.50\n"
            "1969-12-31 S/9 \"t\" (r): 1000 1267650600228229401496703205376 EUR @ 9.3 DKK {1=a} {11=b} \"x\" (lr) %M\n",
            "entries one behind the other, with all they may say");
}

static void bad(void) {
    kt_pack p;
    kt_pack_init(&p, buffer, sizeof buffer);
    kt_pack_array(&p, 2); /* no lines, no date's right type */
    kt_pack_uint(&p, 1);
    kt_pack_text(&p, "2026-01-31", 10);
    kt_pack_array(&p, 2);
    kt_pack_uint(&p, 9);
    kt_pack_int(&p, 5);
    kt_pack_array(&p, 1);
    kt_pack_uint(&p, 1);
    kt_pack_array(&p, 4);
    kt_pack_uint(&p, 3);
    kt_pack_text(&p, "\xFF", 1);
    kt_pack_uint(&p, 4);
    kt_pack_text(&p, "", 0);
    simple_entry(&p, "8", 5);
    is_read(&p,
            "! in:1: entry 1 (byte 0): the date (1) is no day from 0001-01-01 to 9999-12-31, counted from 1970-01-01\n"
            "! in:2: entry 2 (byte 13): a tag that is not known; expected 1 to 6\n"
            "! in:3: entry 3 (byte 16): is no array of tags and values\n"
            "! in:4: entry 4 (byte 18): a text that is no UTF-8\n"
            "2026-01-31 8: 1000 0.05; 2000 -0.05\n",
            "what is msgpack but no entry is refused, and reading goes on behind it");
    kt_pack_init(&p, buffer, sizeof buffer);
    kt_pack_array(&p, 4);
    kt_pack_uint(&p, 1);
    kt_pack_int(&p, 0);
    kt_pack_uint(&p, 6);
    kt_pack_array(&p, 1);
    kt_pack_array(&p, 2);
    text(&p, 1, "1000");
    is_read(&p, "! in:1: entry 1 (byte 0), line 1: has no amount (3)\n", "a line without an amount is named");
    reading_has(WIRE, NULL, "", "!! in: is empty", "an empty file");
    reading_has(WIRE, NULL, "date,voucher\n", "!! in: does not begin with a msgpack array; expected msgpack", "CSV");
    reading_has(WIRE, NULL, "<a/>", "!! in: looks like an XML or HTML file; expected msgpack", "XML");
    /* An array that claims four billion values allocates nothing. */
    reading_has(WIRE, NULL, "\x96\x01\xcd\x50\x04\x03\xa1\x37\x06\xdd\xff\xff\xff\xff",
                "!! in:1: entry 1 (byte 0): the file ends within the entry: it is cut short",
                "a claim of four billion lines");
    reading_has(WIRE, NULL, "\x92\xcc\x01\xc0", "!! in:1: entry 1 (byte 0): is no canonical msgpack",
                "a longer form than needed");
}

static void cut_and_flipped(void) {
    kt_pack p;
    kt_pack_init(&p, buffer, sizeof buffer);
    simple_entry(&p, "7", 1250);
    size_t first = p.size;
    full_entry(&p);
    size_t refused = 0;
    for (size_t n = first + 1; n < p.size; n++) {
        char *found = reading(WIRE, NULL, buffer, n, false);
        refused += strstr(found, "!! in:2: entry 2") && strstr(found, "it is cut short");
        free(found);
    }
    is_int((long long)refused, (long long)(p.size - first - 1), "wherever an entry is cut short, that is said");
    uint64_t state = test_seed();
    for (int i = 0; i < 20000; i++) {
        uint8_t copy[sizeof buffer];
        memcpy(copy, buffer, p.size);
        for (int k = 0; k < 3; k++) copy[test_random(&state) % p.size] = (uint8_t)test_random(&state);
        free(reading(WIRE, NULL, copy, p.size, true));
    }
    ok(true, "bytes changed at random are read or refused");
}

int main(void) {
    good();
    bad();
    cut_and_flipped();
    return done();
}
