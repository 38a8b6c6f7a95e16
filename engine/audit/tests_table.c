#include "engine/audit/tests.h"

/* In the order in which they are run, told and listed. */
const kt_tester *const kt_testers[] = {
    &kt_tester_completeness, &kt_tester_balance, &kt_tester_vouchers,  &kt_tester_duplicates, &kt_tester_night,
    &kt_tester_weekend,      &kt_tester_holiday, &kt_tester_backdated, &kt_tester_reopened,   &kt_tester_accounts,
    &kt_tester_actors,       &kt_tester_pairs,   &kt_tester_round,     &kt_tester_endings,    &kt_tester_texts,
    &kt_tester_approval,     &kt_tester_limits,  &kt_tester_benford,   &kt_tester_benford2,   NULL,
};
