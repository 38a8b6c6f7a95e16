/*
 * arrive: records of the ledger's kinds that somebody else packed and signed: checked as kt_batch_add would check them
 * before they are applied. Replay does not ask for all of it, since what it reads was checked when it came.
 *
 * Laws kept: 2, 10, 12. A refusal changes nothing. Errors: as kt_batch_add; what is not in the one form that is stored is
 * KT_INVALID; a reversal, whose target would have to be read, is KT_UNSUPPORTED.
 */
#ifndef KT_LEDGER_ARRIVE_H
#define KT_LEDGER_ARRIVE_H

#include "engine/ledger/ledger.h"

kt_code kt_entry_arrive(void *self, const kt_record *record, kt_error *error);
kt_code kt_account_arrive(void *self, const kt_record *record, kt_error *error);

#endif
