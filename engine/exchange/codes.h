/*
 * codes: the accounts that a file names, each once, in the order of their first coming.
 *
 * An open-addressing table over the codes; a code that is there already costs a hash of its bytes and one comparison.
 *
 * Lifetime: texts are copied; from all zero to kt_codes_release. Errors: KT_MEMORY.
 * Bounds: 60 bytes and its texts for each account.
 */
#ifndef KT_EXCHANGE_CODES_H
#define KT_EXCHANGE_CODES_H

#include "engine/kontor.h"

typedef struct kt_code_named {
    kt_str code, name;
    kt_account_type type;
} kt_code_named;

typedef struct kt_codes { /* all zero to begin with */
    kt_code_named *named;
    size_t count, room;
    struct kt_code_slot *slots;
    size_t slot_count; /* a power of two */
    struct kt_code_text *texts;
} kt_codes;

void kt_codes_release(kt_codes *codes);
/* What was said first of an account is what counts. */
kt_code kt_codes_add(kt_codes *codes, kt_str code, kt_str name, kt_account_type type, kt_error *error);

#endif
