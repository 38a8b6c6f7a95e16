#include "engine/registry.h"

#include "engine/actors.h"
#include "engine/ledger/account.h"
#include "engine/ledger/arrive.h"
#include "engine/ledger/company.h"
#include "engine/ledger/currency.h"
#include "engine/ledger/dimension.h"
#include "engine/ledger/period.h"
#include "engine/ledger/post.h"
#include "engine/ledger/proposal.h"
#include "engine/logkey.h"

static const kt_department *const departments[] = {&kt_ledger_department};

static const kt_kind kinds[] = {
    {KT_KIND_ENTRY, 2, "entry", &kt_ledger_department, 0, KT_COUNTS_ENTRY, kt_entry_apply, kt_entry_arrive},
    {KT_KIND_ACCOUNT, 1, "account", &kt_ledger_department, KT_RIGHT_REGISTER, 0, kt_account_apply, kt_account_arrive},
    {KT_KIND_CURRENCY, 1, "currency", &kt_ledger_department, KT_RIGHT_VALUES, 0, kt_currency_apply, NULL},
    {KT_KIND_PERIOD, 1, "period", &kt_ledger_department, KT_RIGHT_CLOSE, 0, kt_period_apply, NULL},
    {KT_KIND_COMPANY, KT_COMPANY_VERSION, "company", &kt_ledger_department, KT_RIGHT_ADMIN, 0, kt_company_apply, NULL},
    {KT_KIND_DIMENSION, 1, "dimension", &kt_ledger_department, KT_RIGHT_VALUES, 0, kt_dimension_apply, NULL},
    {KT_KIND_PROPOSAL, 1, "proposal", &kt_ledger_department, KT_RIGHT_POST, KT_COUNTS_PROPOSAL, kt_proposal_apply,
     kt_proposal_arrive},
    {KT_KIND_REJECTION, 1, "rejection", &kt_ledger_department, 0, 0, kt_rejection_apply, NULL},
    {KT_KIND_LOG_KEY, 1, "log key", NULL, KT_RIGHT_OWN, 0, kt_log_key_apply, kt_log_key_arrive},
    {KT_KIND_ACTOR, 1, "actor", NULL, KT_RIGHT_ADMIN, 0, kt_actors_apply, NULL},
    {KT_KIND_GRANT, 1, "grant", NULL, KT_RIGHT_ADMIN, 0, kt_actors_apply, NULL},
    {KT_KIND_WITHDRAWAL, 1, "withdrawal", NULL, KT_RIGHT_ADMIN, 0, kt_actors_apply, NULL},
    {KT_KIND_ROTATION, 1, "rotation", NULL, 0, 0, kt_actors_apply, NULL},
    {KT_KIND_REVOCATION, 1, "revocation", NULL, 0, 0, kt_actors_apply, NULL},
};

const kt_registry kt_the_registry = {departments, sizeof departments / sizeof *departments, kinds,
                                     sizeof kinds / sizeof *kinds};
