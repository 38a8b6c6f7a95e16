/* inside: what the halves of remote share: the batch in the making (making.c) and its way to the server (remote.c). */
#ifndef KT_REMOTE_INSIDE_H
#define KT_REMOTE_INSIDE_H

#include "engine/ledger/form.h"
#include "engine/remote/draft.h"
#include "engine/remote/link.h"
#include "engine/remote/remote.h"
#include "engine/remote/shadow.h"

/* An entry that the server refused when it was tried; it says so again when it is added again. */
typedef struct kt_known_refusal {
    uint64_t ordinal;
    kt_code code;
    char *text;
} kt_known_refusal;

struct kt_remote {
    kt_link *link;
    kt_signer *own; /* loaded from the file; NULL: the signer is the caller's */
    const kt_signer *signer;
    kt_shadow *shadow;
    uint8_t *hello_body;
    kt_hello hello; /* borrows hello_body */
    char origin[KT_NAME_MAX + 1];
    kt_day today;
    bool stale; /* the shadow may hold what was refused */
    /* The batch. */
    bool open, allow_duplicate_voucher, has_digest;
    char id[KT_BATCH_ID_MAX + 1], rounding_account[KT_ACCOUNT_CODE_MAX + 1];
    uint8_t digest[KT_DIGEST_SIZE];
    kt_draft draft;
    kt_form form;
    kt_told_currency assumed[KT_FRAME_CURRENCIES_MAX]; /* their codes lie behind them */
    char assumed_codes[KT_FRAME_CURRENCIES_MAX][KT_CURRENCY_CODE_MAX];
    uint32_t assumed_count;
    uint64_t ordinal;           /* of the next entry */
    kt_known_refusal *refusals; /* by ordinal */
    size_t refusal_count, refusal_room;
};

/* One question, one answer. The body lives until the next. */
kt_code kt_remote_ask(kt_remote *remote, kt_span begin, kt_span rest, kt_span *body, kt_error *error);
const kt_known_refusal *kt_remote_refusal_of(const kt_remote *remote, uint64_t ordinal);

#endif
