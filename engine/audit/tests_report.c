#include "engine/audit/tests_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 8192u

struct kt_report_chunk {
    struct kt_report_chunk *next;
    size_t used, room;
    char bytes[];
};

kt_reporter *kt_reporter_new(void) { return calloc(1, sizeof(kt_reporter)); }

void kt_audit_free(kt_audit *audit) {
    if (audit == NULL) return;
    kt_reporter *reporter = (kt_reporter *)audit;
    for (struct kt_report_chunk *chunk = reporter->chunks, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    for (size_t i = 0; i < audit->test_count; i++) {
        free(audit->tests[i].parameters);
        free(audit->tests[i].findings);
        free(audit->tests[i].table.bins);
    }
    free(audit->tests);
    free(audit->months);
    free(reporter);
}

kt_str kt_report_keep(kt_reporter *reporter, kt_str text) {
    struct kt_report_chunk *chunk = reporter->chunks;
    if (text.size == 0) return (kt_str){NULL, 0};
    if (chunk == NULL || chunk->room - chunk->used <= text.size) {
        size_t room = text.size + 1 > 16384 ? text.size + 1 : 16384;
        chunk = malloc(sizeof *chunk + room);
        if (chunk == NULL) {
            reporter->code = KT_MEMORY;
            return (kt_str){NULL, 0};
        }
        *chunk = (struct kt_report_chunk){reporter->chunks, 0, room};
        reporter->chunks = chunk;
    }
    char *at = chunk->bytes + chunk->used;
    memcpy(at, text.data, text.size);
    at[text.size] = 0;
    chunk->used += text.size + 1;
    return (kt_str){at, text.size};
}

static kt_str keep_formatted(kt_reporter *reporter, const char *format, va_list values) {
    char *text = malloc(TEXT_MAX);
    if (text == NULL) {
        reporter->code = KT_MEMORY;
        return (kt_str){NULL, 0};
    }
    int size = vsnprintf(text, TEXT_MAX, format, values);
    size_t used = size < 0 ? 0 : (size_t)size < TEXT_MAX ? (size_t)size : TEXT_MAX - 1;
    while (used == TEXT_MAX - 1 && used > 0 && ((unsigned char)text[used - 1] & 0x80u) != 0)
        used--; /* no half letter */
    kt_str kept = kt_report_keep(reporter, (kt_str){text, used});
    free(text);
    return kept;
}

kt_str kt_report_text(kt_reporter *reporter, const char *format, ...) {
    va_list values;
    va_start(values, format);
    kt_str text = keep_formatted(reporter, format, values);
    va_end(values);
    return text;
}

void kt_report_parameter(kt_reporter *reporter, kt_audit_test *test, const char *name, const char *format, ...) {
    va_list values;
    kt_audit_parameter *grown = realloc(test->parameters, (test->parameter_count + 1) * sizeof *grown);
    if (grown == NULL) {
        reporter->code = KT_MEMORY;
        return;
    }
    test->parameters = grown;
    va_start(values, format);
    test->parameters[test->parameter_count++] = (kt_audit_parameter){name, keep_formatted(reporter, format, values)};
    va_end(values);
}

char *kt_report_count(uint64_t count, char room[KT_AMOUNT_TEXT]) {
    (void)kt_amount_format((kt_amount)count, 0, ',', room);
    return room;
}

char *kt_report_amount(kt_amount amount, uint8_t decimals, char room[KT_AMOUNT_TEXT]) {
    (void)kt_amount_format(amount, decimals, ',', room);
    return room;
}

char *kt_report_share(int64_t billionths, unsigned decimals, char room[KT_AMOUNT_TEXT]) {
    int64_t cut = billionths;
    for (unsigned i = decimals; i < 9; i++) cut /= 10;
    (void)kt_amount_format((kt_amount)cut, (uint8_t)decimals, ',', room);
    return room;
}
