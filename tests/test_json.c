/* The json reader: what an entry may say, and every way it can be bad. */
#include <stdlib.h>
#include <string.h>

#include "tests/reading.h"
#include "tests/tap.h"

#define JSON &kt_format_json
#define LINE(amount) "{\"date\":\"2026-01-31\",\"lines\":[{\"account\":\"1000\",\"amount\":" amount "}]}\n"

static void good(void) {
    reads(JSON, NULL,
          "{\"date\":\"2026-01-31\",\"voucher\":\"1\",\"series\":\"S\",\"text\":\"t\",\"ref\":\"r\",\"lines\":["
          "{\"account\":\"1000\",\"amount\":\"12.50\",\"currency\":\"EUR\",\"cost\":\"93.25\",\"cost_currency\":"
          "\"DKK\",\"text\":\"x\","
          "\"cost_centre\":\"10\",\"department\":\"20\",\"project\":\"30\",\"dimensions\":{\"11\":\"z\",\"4\":\"y\"},"
          "\"ref\":\"lr\",\"tax_code\":\"M\"},"
          "{\"account\":\"2000\",\"credit\":\"12.5\",\"currency\":\"EUR\",\"cost\":\"93.25\"},{\"account\":\"3000\","
          "\"debit\":7}]}\n",
          "2026-01-31 S/1 \"t\" (r): 1000 12.50 EUR @ 93.25 DKK {1=10} {2=20} {3=30} {4=y} {11=z} \"x\" (lr) %M; "
          "2000 -12.5 EUR @ -93.25; 3000 7\n",
          "all that an entry may say");
    reads(JSON, NULL, "\xEF\xBB\xBF\n \n" LINE("\"1\"") "\r\n" LINE("-2"),
          "2026-01-31 : 1000 1\n2026-01-31 : 1000 -2\n",
          "empty lines and a byte order mark are passed over; whole numbers may stand unquoted");
    reads(JSON, NULL, "{\"lines\":[],\"date\":\"2026-01-31\",\"voucher\":null}", "2026-01-31 \n",
          "keys in any order, null is not given, no line end at the end");
}

static void bad(void) {
    reading_has(JSON, NULL, LINE("12.5"),
                "! in:1: line 1 of the entry: amount is a number with a fraction; expected a string of decimal digits",
                "a binary fraction is refused");
    reading_has(JSON, NULL, LINE("1e3"), "amount is a number with a fraction", "an exponent too");
    reading_has(JSON, NULL, LINE("true"), "amount is neither a string nor a whole number", "another type too");
    reading_has(JSON, NULL, LINE("\"1,5\""), "amount '1,5': not a number; expected digits, decimals behind '.'",
                "a string that is no number");
    reading_has(JSON, NULL, LINE("\"\""), "amount (empty)", "an empty amount");
    reading_has(JSON, NULL, LINE("99999999999999999999"), "! in:1: has a number too large",
                "a whole number beyond 64 bits must be quoted");
    reading_has(JSON, NULL, LINE("\"1\",\"debit\":\"1\""), "found 2 of amount, debit and credit", "one amount only");
    reading_has(JSON, NULL, LINE("\"1\",\"colour\":\"1\""),
                "! in:1: line 1 of the entry: key 'colour' is not known; expected account", "an unknown key in a line");
    reading_has(JSON, NULL, LINE("\"1\",\"cost_currency\":\"EUR\""), "cost_currency without cost",
                "a cost's currency without a cost");
    reading_has(JSON, NULL, LINE("\"1\",\"dimensions\":{\"12\":\"1\"}"),
                "dimension '12'; expected a number from 1 to 11", "a dimension that cannot be");
    reading_has(JSON, NULL, LINE("\"1\",\"project\":\"a\",\"dimensions\":{\"3\":\"1\"}"), "dimension 3 stands twice",
                "a dimension given twice");
    reading_has(JSON, NULL, "{\"date\":\"2026-01-31\",\"line\":[]}\n", "! in:1: key 'line' is not known; expected date",
                "an unknown key");
    reading_has(JSON, NULL, "{\"date\":\"2026-01-31\",\"date\":\"2026-02-01\",\"lines\":[]}\n",
                "! in:1: has a key twice", "a key twice");
    reading_has(JSON, NULL, "{\"lines\":[]}\n", "! in:1: has no date", "no date");
    reading_has(JSON, NULL, "{\"date\":\"2026-02-30\",\"lines\":[]}\n", "date '2026-02-30' is no date",
                "an impossible date");
    reading_has(JSON, NULL, "{\"date\":\"2026-02-28\"}\n", "has no lines", "no lines");
    reading_has(JSON, NULL, "{\"date\":\"2026-02-28\",\"lines\":[5]}\n", "line 1 of the entry: is not an object",
                "a line that is no object");
    reading_has(JSON, NULL, "{\"date\":\"2026-02-28\",\"lines\":[{\"amount\":1}]}\n",
                "line 1 of the entry: has no account", "a line without an account");
    reading_has(JSON, NULL, "{\n \"date\": \"2026-02-28\"\n}\n",
                "! in:1: ends within the JSON object; expected one whole entry a line", "an entry over several lines");
    reading_has(JSON, NULL, LINE("1") "{} {}\n", "! in:2: has something behind the JSON object", "two on one line");
    reading_has(JSON, NULL, LINE("1") "\"secret\"\n", "! in:2: is no JSON object", "no object");
    reading_has(JSON, NULL, LINE("1") "{\"date\": \"\xFF\"}\n", "! in:2: is not UTF-8", "bytes that are no UTF-8");
    reading_has(JSON, NULL, LINE("\"\\u0000\""), "! in:1: has a NUL in a string", "a NUL");
    reading_has(JSON, NULL, "", "!! in: is empty", "an empty file");
    reading_has(JSON, NULL, "[1]\n", "!! in:1: begins as a JSON array; expected JSON lines", "a JSON array");
    reading_has(JSON, NULL, "<a/>", "!! in:1: looks like an XML or HTML file; expected JSON lines", "XML");
    reading_has(JSON, NULL, "date,voucher\n", "!! in:1: begins with no JSON object", "CSV");
    kt_format_options comma = {.decimal = ','};
    reading_has(JSON, &comma, LINE("1"), "!! format json has no options", "options for CSV are refused");
    char *found = reading_text(JSON, NULL, "{\"date\": Anna}\n");
    ok(!strstr(found, "Anna"), "the parser's own quotation of the input is not shown (law 9)");
    free(found);
    found = reading(JSON, NULL, LINE("x") LINE("1"), 2 * sizeof LINE("1") - 2, true);
    is_text(found,
            "! in:1: is no JSON object; expected one whole entry a line (column 58)\n[" LINE(
                "x") "]\n2026-01-31 : 1000 1\n[" LINE("1") "]\n",
            "reading goes on behind a bad line, whose own bytes are known");
    free(found);
    char *deep = malloc(100000);
    memset(deep, '[', 100000);
    memcpy(deep, "{\"date\":", 8);
    found = reading(JSON, NULL, deep, 100000, false);
    has_text(found, "! in:1:", "nesting without an end is refused");
    free(found);
    free(deep);
}

int main(void) {
    good();
    bad();
    return done();
}
