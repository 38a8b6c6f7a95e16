/*
 * text: what every reader needs to know about bytes: is it UTF-8, and how may it be shown in a message.
 *
 * Laws kept: 9 (a message shows codes, numbers and names of columns; what might be anything is shown only where it
 * consists of the characters of a number or a date). Pure: no memory, no locale.
 */
#ifndef KT_EXCHANGE_TEXT_H
#define KT_EXCHANGE_TEXT_H

#include <string.h>

#include "engine/kontor.h"

#define KT_SHOWN 72 /* room for a shown text, with its zero */

/* Index of the first byte that is no UTF-8 (RFC 3629: shortest forms, no surrogates), size where all is well. */
size_t kt_text_bad(const void *data, size_t size);

static inline bool kt_text_blank(char c) { return c == ' ' || c == '\t'; }

/* Without blanks and tabs at both ends. */
static inline kt_str kt_text_trim(kt_str text) {
    if (text.size == 0 || !(kt_text_blank(text.data[0]) || kt_text_blank(text.data[text.size - 1]))) return text;
    while (text.size && kt_text_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size && kt_text_blank(text.data[text.size - 1])) text.size--;
    return text;
}

/* kt_str_equal without a call, since what is compared here (vouchers, dates, codes) is short and mostly equal. */
static inline bool kt_text_same(kt_str a, kt_str b) {
    const char *x = a.data, *y = b.data;
    size_t size = a.size;
    if (size != b.size) return false;
    if (size >= 8) { /* both ends, which overlap up to 16 bytes */
        uint64_t first[2], last[2];
        memcpy(&first[0], x, 8);
        memcpy(&first[1], y, 8);
        memcpy(&last[0], x + size - 8, 8);
        memcpy(&last[1], y + size - 8, 8);
        if ((first[0] ^ first[1]) | (last[0] ^ last[1])) return false;
        return size <= 16 || memcmp(x + 8, y + 8, size - 16) == 0;
    }
    if (size >= 4) {
        uint32_t first[2], last[2];
        memcpy(&first[0], x, 4);
        memcpy(&first[1], y, 4);
        memcpy(&last[0], x + size - 4, 4);
        memcpy(&last[1], y + size - 4, 4);
        return ((first[0] ^ first[1]) | (last[0] ^ last[1])) == 0;
    }
    return size == 0 || ((x[0] ^ y[0]) | (x[size / 2] ^ y[size / 2]) | (x[size - 1] ^ y[size - 1])) == 0;
}

/* A code, voucher or column name for a message: control characters become '?', cut behind 60 bytes with "...".
   Returns out. */
const char *kt_text_show(kt_str text, char out[KT_SHOWN]);

/* As kt_text_show, quoted, but only for what looks like a number or a date (digits and . , - + / ' and blank); other
   text could be anything and is named by its length: "a text of 12 bytes". */
const char *kt_text_show_figure(kt_str text, char out[KT_SHOWN]);

/* FNV-1a over the bytes, continued from `hash` (KT_HASH_START to begin with). */
#define KT_HASH_START 0xcbf29ce484222325u
uint64_t kt_text_hash(uint64_t hash, const void *data, size_t size);

#endif
