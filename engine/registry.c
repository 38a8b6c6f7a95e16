#include "engine/registry.h"

#include "engine/access.h"
#include "engine/ledger/account.h"
#include "engine/ledger/arrive.h"
#include "engine/ledger/company.h"
#include "engine/ledger/currency.h"
#include "engine/ledger/dimension.h"
#include "engine/ledger/period.h"
#include "engine/ledger/post.h"

static const kt_department *const departments[] = {&kt_ledger_department};

static const kt_kind kinds[] = {
    {KT_KIND_ENTRY, 1, "entry", &kt_ledger_department, KT_RIGHT_POST, kt_entry_apply, kt_entry_arrive},
    {KT_KIND_ACCOUNT, 1, "account", &kt_ledger_department, KT_RIGHT_REGISTER, kt_account_apply, kt_account_arrive},
    {KT_KIND_CURRENCY, 1, "currency", &kt_ledger_department, KT_RIGHT_REGISTER, kt_currency_apply, NULL},
    {KT_KIND_PERIOD, 1, "period", &kt_ledger_department, KT_RIGHT_CLOSE, kt_period_apply, NULL},
    {KT_KIND_COMPANY, 1, "company", &kt_ledger_department, KT_RIGHT_ADMIN, kt_company_apply, NULL},
    {KT_KIND_DIMENSION, 1, "dimension", &kt_ledger_department, KT_RIGHT_REGISTER, kt_dimension_apply, NULL},
};

const kt_registry kt_the_registry = {departments, sizeof departments / sizeof *departments, kinds,
                                     sizeof kinds / sizeof *kinds};
