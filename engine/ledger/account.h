/*
 * account: the chart of accounts on record.
 *
 * An account record says the whole of an account; the first opens it, later ones change it. Ids count in the order of
 * record. State: ACCOUNTS, code -> id and facts now; ACCOUNT_FACTS, (id, record) -> facts from that record on, so that
 * a report can name accounts as they were known.
 *
 * Lifetime: a slot stays where it is until another account is asked for or added, unless kt_accounts_expect made room.
 */
#ifndef KT_LEDGER_ACCOUNT_H
#define KT_LEDGER_ACCOUNT_H

#include "engine/ledger/ledger.h"

#define KT_ACCOUNT_NEAR 32u /* bytes of a code that lie in its slot */

typedef struct kt_account_slot { /* what posting needs of an account, in memory */
    uint32_t id;
    kt_day open_from, closed_from;
    uint16_t currency; /* id of the only one allowed; 0: any */
    uint8_t rule;
    struct kt_account_sums *sums; /* accounts with a rule keep theirs here; NULL: not known yet */
    uint32_t code_size;
    union {
        char near[KT_ACCOUNT_NEAR]; /* so that most accounts are one cache line */
        char *far;
    };
} kt_account_slot;

typedef struct kt_account_sums {
    uint16_t count;
    struct kt_account_sum {
        uint16_t currency;
        kt_amount balance;
        kt_amount added; /* by the entry being checked; zero between checks */
    } * of;
} kt_account_sums;

static inline const char *kt_account_slot_code(const kt_account_slot *slot) {
    return slot->code_size <= KT_ACCOUNT_NEAR ? slot->near : slot->far;
}

kt_code kt_accounts_open(kt_accounts **out, kt_error *error);
void kt_accounts_close(kt_accounts *accounts);
void kt_accounts_forget(kt_accounts *accounts);

/* Where there are very many accounts, memory is told to bring those of the lines. */
void kt_accounts_prefetch(const kt_ledger *ledger, const kt_line *lines, size_t count);
/* The lines' accounts are going to be asked for: their slots will stay where they are until the next call of this. They are
   prefetched. */
kt_code kt_accounts_expect(kt_ledger *ledger, const kt_line *lines, size_t count, kt_error *error);
/* KT_NOT_FOUND leaves *error alone. */
kt_code kt_account_slot_find(kt_ledger *ledger, kt_str code, kt_account_slot **out, kt_error *error);

/* Facts as state has them now; strings borrow state. KT_NOT_FOUND. */
kt_code kt_account_facts(kt_state *state, kt_str code, kt_account *out, kt_error *error);
kt_code kt_account_facts_read(kt_span code, kt_span value, kt_account *out, kt_error *error);

/* An account record's body: all but the id. */
kt_code kt_account_body_read(const kt_record *record, kt_account *out, kt_error *error);

kt_code kt_account_check(kt_ledger *ledger, const kt_account *account, kt_error *error);
size_t kt_account_record(const kt_account *account, kt_day date, uint8_t *out, size_t room);
kt_code kt_account_apply(void *self, const kt_record *record, kt_error *error);

#endif
