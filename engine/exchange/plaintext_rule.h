/*
 * plaintext_rule: automated transactions (`=`) and periodic ones (`~`).
 *
 * An automated transaction adds postings to every later entry with an account that its query finds. Those are not
 * made here: a rule is kept, and the first entry that it touches is refused by name. A query that is one plain word
 * or /word/, with ^ or $, is decided exactly (ASCII letters without case, as ledger does); any other may touch
 * anything. Where all that a rule would add are virtual postings and those are left out (--virtual drop), so is the
 * rule: the tools never apply a rule to what another has added.
 * A periodic transaction changes no balance unless a forecast or budget is asked for; its period must be one.
 *
 * Errors: KT_INVALID a broken query or period; KT_UNSUPPORTED an entry that a rule touches; KT_LIMIT.
 */
#ifndef KT_EXCHANGE_PLAINTEXT_RULE_H
#define KT_EXCHANGE_PLAINTEXT_RULE_H

#include "engine/exchange/plaintext.h"

/* Passes the postings below, too. */
kt_code kt_plaintext_rule_add(kt_plaintext *p, kt_str query, kt_error *error);
/* Does a rule touch the entry at hand? */
kt_code kt_plaintext_rule_check(kt_plaintext *p, kt_error *error);
kt_code kt_plaintext_rule_period(kt_plaintext *p, kt_str period, kt_error *error);
void kt_plaintext_rule_release(kt_plaintext *p);

#endif
