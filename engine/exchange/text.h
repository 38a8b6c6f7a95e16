/*
 * text: what every reader needs to know about bytes: is it UTF-8, and how may it be shown in a message.
 *
 * Laws kept: 9 (a message shows codes, numbers and names of columns; what might be anything is shown only where it
 * consists of the characters of a number or a date). Pure: no memory, no locale.
 */
#ifndef KT_EXCHANGE_TEXT_H
#define KT_EXCHANGE_TEXT_H

#include "engine/kontor.h"

#define KT_SHOWN 72 /* room for a shown text, with its zero */

/* Index of the first byte that is no UTF-8 (RFC 3629: shortest forms, no surrogates), size where all is well. */
size_t kt_text_bad(const void *data, size_t size);

/* Without blanks and tabs at both ends. */
kt_str kt_text_trim(kt_str text);

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
