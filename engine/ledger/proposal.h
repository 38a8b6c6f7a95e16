/*
 * proposal: entries that wait for a second pair of eyes, and what an actor may post.
 *
 * A proposal's record is an entry's under another kind. It is checked as any entry and moves no balance. Approving posts it: an
 * entry with the same content that names the proposal (its field 9), in a batch of another actor. So statements,
 * exports and proofs know nothing of proposals, and an entry shows whose eyes saw it.
 *
 * REJECTION: [proposal, reason].
 *
 * Laws kept: 7, 12.
 */
#ifndef KT_LEDGER_PROPOSAL_H
#define KT_LEDGER_PROPOSAL_H

#include "engine/ledger/ledger.h"

/* May the batch's actor post the entry that was checked last (ledger->plan)? KT_FORBIDDEN, and what deciding a proposal gives. */
kt_code kt_entry_allow(kt_ledger *ledger, const kt_entry *entry, kt_error *error);
/* The entry names a proposal, which is carried out by it. */
kt_code kt_proposal_carry_out(kt_ledger *ledger, const kt_entry *entry, uint64_t number, kt_error *error);
/* An entry that was checked stands proposed as record `number`. */
kt_code kt_proposal_fold(kt_ledger *ledger, const kt_entry *entry, uint64_t number, kt_error *error);

kt_code kt_proposal_apply(void *self, const kt_record *record, kt_error *error);
kt_code kt_proposal_arrive(void *self, const kt_record *record, kt_error *error);
kt_code kt_rejection_apply(void *self, const kt_record *record, kt_error *error);

#endif
