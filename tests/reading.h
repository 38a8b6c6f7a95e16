/* reading: what a reader makes of some bytes, as text to compare. */
#ifndef KT_TESTS_READING_H
#define KT_TESTS_READING_H

#include "engine/exchange/format.h"

/* Everything the format gives for these bytes (the file is called "in"), a line an item:
     2026-01-31 series/voucher "text" (ref): account 12.50 EUR @ 93.25 DKK {1=x} "text" (ref) %tax; account ...
   A refusal is "! text" and, where reading may go on, goes on; another fault ends it with "!! text". The item's own
   bytes follow with `raw`, in brackets. The caller's: free(). */
char *reading(const kt_format *format, const kt_format_options *options, const void *data, size_t size, bool raw);
char *reading_text(const kt_format *format, const kt_format_options *options, const char *text);

/* is_text over reading_text. */
bool reads(const kt_format *format, const kt_format_options *options, const char *text, const char *expected,
           const char *law);
/* The reading holds this part. */
bool reading_has(const kt_format *format, const kt_format_options *options, const char *text, const char *part,
                 const char *law);

#endif
