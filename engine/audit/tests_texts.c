/*
 * texts: entries without a text, or with a word that an auditor would ask about.
 *
 * The words are data below, Danish and English, in lower case; "plug*" also begins a longer word. They are compared at the
 * beginnings of words, without regard to the case of ASCII letters and of æ, ø, å. They are those auditors' guides name
 * for journal entries (adjustments without a reason, placeholders, somebody's orders, haste, private matters); a caller
 * may add more.
 */
#include <stdlib.h>

#include "engine/audit/tests.h"

static const char *const built_in[] = {
    /* English */
    "adjust*", "as discussed", "as instructed", "as per", "balancing", "cash gift*", "clean up", "cleanup",
    "confidential", "correct*", "cover", "director*", "dummy", "error*", "fix*", "fudge", "gift*", "miscellaneous",
    "misc", "mistake*", "off book*", "override*", "per ceo", "per cfo", "per management", "placeholder", "plug*",
    "private", "reclass*", "rush", "suspense", "tbd", "temp", "temporary", "test*", "to be deleted", "top side",
    "topside", "unknown", "urgent", "write off*", "write-off*",
    /* Danish */
    "aconto rettelse", "afstemningsdifference*", "afskrevet", "difference*", "direktionen", "direktør*", "diverse",
    "efter aftale", "efterpost*", "efterpostering*", "fejl*", "fortrolig*", "gave", "gaver", "haster", "hastesag",
    "ifølge aftale", "ifølge instruks", "jf. aftale", "korrektion*", "korriger*", "midlertidig*", "omposter*",
    "ompostering*", "omklassificer*", "privat*", "prøve", "regulering*", "ret fejl", "rettelse*", "slettes",
    "til afklaring", "tilbageførsel*", "uafklaret", "udligning*", "ukendt*", "uspecificeret", "xx*", NULL};

enum { REASON_BLANK = 1, REASON_NO_LETTER, REASON_WORD };

#define WORDS_MAX (KT_AUDIT_WORDS_MAX + 256u)

struct word {
    const char *text;
    size_t size;
    bool prefix;
};

struct texts {
    kt_test_self self;
    struct word words[WORDS_MAX]; /* by first byte */
    size_t count;
    uint16_t begins[257]; /* the first of those that begin with a byte */
};

/* Lower case of ASCII and of the Latin letters U+00C0 to U+00DE, which in UTF-8 are 0xC3 and a byte 0x20 lower. */
static inline uint8_t fold(uint8_t c, uint8_t before) {
    if (c >= 'A' && c <= 'Z') return (uint8_t)(c + 32);
    return before == 0xc3 && c >= 0x80 && c <= 0x9e && c != 0x97 ? (uint8_t)(c + 0x20) : c;
}

static inline bool is_wordly(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

static int by_text(const void *a, const void *b) {
    const struct word *x = a, *y = b;
    return kt_span_compare(kt_span_of(x->text, x->size), kt_span_of(y->text, y->size));
}

static void add_word(struct texts *self, const char *text) {
    size_t size = strlen(text);
    bool prefix = size > 0 && text[size - 1] == '*';
    size -= prefix;
    if (size != 0 && self->count < WORDS_MAX) self->words[self->count++] = (struct word){text, size, prefix};
}

static kt_code begin_texts(void *context, kt_error *error) {
    struct texts *self = context;
    const char *const *more = self->self.work->options.words;
    (void)error;
    for (size_t i = 0; built_in[i] != NULL; i++) add_word(self, built_in[i]);
    for (size_t i = 0; more != NULL && more[i] != NULL; i++) add_word(self, more[i]);
    qsort(self->words, self->count, sizeof *self->words, by_text);
    size_t at = 0;
    for (unsigned byte = 0; byte <= 256; byte++) {
        while (at < self->count && fold((uint8_t)self->words[at].text[0], 0) < byte) at++;
        self->begins[byte] = (uint16_t)at;
    }
    return KT_OK;
}

static bool begins_with(const uint8_t *at, size_t left, const struct word *word) {
    uint8_t before = 0, wanted_before = 0;
    if (word->size > left) return false;
    for (size_t i = 0; i < word->size; i++) {
        uint8_t wanted = (uint8_t)word->text[i];
        if (fold(at[i], before) != fold(wanted, wanted_before)) return false;
        before = at[i];
        wanted_before = wanted;
    }
    return word->prefix || left == word->size || !is_wordly(at[word->size]);
}

/* UINT64_MAX: none of them. *letters: it has a letter or a digit. */
static uint64_t find_word(const struct texts *self, kt_str text, bool *letters) {
    const uint8_t *data = (const uint8_t *)text.data;
    bool inside = false;
    for (size_t i = 0; i < text.size; i++) {
        if (!is_wordly(data[i])) {
            inside = false;
            continue;
        }
        *letters = true;
        if (inside) continue;
        inside = true;
        uint8_t first = fold(data[i], 0);
        for (size_t w = self->begins[first]; w < self->begins[first + 1u]; w++)
            if (begins_with(data + i, text.size - i, &self->words[w])) return w;
    }
    return UINT64_MAX;
}

static bool is_blank(kt_str text) {
    for (size_t i = 0; i < text.size; i++)
        if ((uint8_t)text.data[i] > ' ') return false;
    return true;
}

static kt_code see_texts(void *context, const kt_seen *seen, kt_error *error) {
    struct texts *self = context;
    const kt_entry *entry = seen->entry;
    bool letters = false, blank = is_blank(entry->text);
    kt_spot spot = {.entry = seen->number};
    self->self.count++;
    uint64_t word = find_word(self, entry->text, &letters);
    for (size_t i = 0; i < entry->line_count && word == UINT64_MAX; i++) {
        if (entry->lines[i].text.size == 0) continue;
        blank = blank && is_blank(entry->lines[i].text);
        word = find_word(self, entry->lines[i].text, &letters);
    }
    if (word != UINT64_MAX) {
        spot.reason = REASON_WORD;
        spot.value = word;
    } else if (blank) spot.reason = REASON_BLANK;
    else if (!letters) spot.reason = REASON_NO_LETTER;
    return spot.reason == 0 ? KT_OK : kt_spots_add(&self->self.spots, &spot, error);
}

static kt_code finish_texts(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    const struct texts *self = context;
    (void)error;
    kt_report_parameter(reporter, out, "words", "%zu, Danish and English", self->count);
    return KT_OK;
}

static kt_str text_of(const kt_entry *entry) {
    if (entry->text.size != 0) return entry->text;
    for (size_t i = 0; i < entry->line_count; i++)
        if (entry->lines[i].text.size != 0) return entry->lines[i].text;
    return (kt_str){NULL, 0};
}

static void explain_texts(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                          kt_audit_finding *out) {
    const struct texts *self = context;
    kt_str text = text_of(&entry->entry);
    bool letters;
    if (spot->reason == REASON_BLANK) out->why = kt_report_text(reporter, "%s", "neither it nor its lines have a text");
    else if (spot->reason == REASON_NO_LETTER)
        out->why = kt_report_text(reporter, "its text says nothing: %.*s", (int)text.size, text.data);
    else {
        const struct word *word = &self->words[spot->value];
        if (find_word(self, text, &letters) != spot->value) /* then a line's has it */
            for (size_t i = 0; i < entry->entry.line_count; i++)
                if (find_word(self, entry->entry.lines[i].text, &letters) == spot->value) {
                    text = entry->entry.lines[i].text;
                    break;
                }
        out->why = kt_report_text(reporter, "its text has the word '%.*s': %.*s", (int)word->size, word->text,
                                  (int)text.size, text.data);
    }
}

const kt_tester kt_tester_texts = {
    .about = {.name = "texts",
              .title = "Blank texts, and words to ask about",
              .asks =
                  "Entries that have no text on the entry nor on a line, a text without a letter, or a word of a list "
                  "(corrections, placeholders, somebody's orders, haste, private matters).",
              .criterion = "ISA 240.A45(c): little or no explanation or description"},
    .size = sizeof(struct texts),
    .begin = begin_texts,
    .see = see_texts,
    .finish = finish_texts,
    .explain = explain_texts,
};
