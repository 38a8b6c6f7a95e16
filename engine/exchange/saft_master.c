/* saft_master: Header and MasterFiles of a SAF-T file. */
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/saft_write.h"
#include "engine/exchange/text.h"

#define ADDRESS_LINES 6

/* ---- Header ------------------------------------------------------------------------------------- */

static kt_str next_line(kt_str *rest, const char *between) {
    size_t size = strlen(between), at = 0;
    while (at < rest->size && !(rest->size - at >= size && memcmp(rest->data + at, between, size) == 0)) at++;
    kt_str line = {rest->data, at};
    size_t passed = at < rest->size ? at + size : at;
    rest->data += passed;
    rest->size -= passed;
    return kt_text_trim(line);
}

/* Parted by line feeds, or by commas where it is one line. */
static size_t address_lines(kt_str address, kt_str out[ADDRESS_LINES]) {
    const char *between = address.size && memchr(address.data, '\n', address.size) ? "\n" : ", ";
    size_t count = 0;
    while (address.size && count < ADDRESS_LINES) {
        kt_str line = next_line(&address, between);
        if (line.size) out[count++] = line;
    }
    return count;
}

/* "1058 København K": the digits before the first blank. 0: it does not begin so. */
static size_t postal_code(kt_str line) {
    size_t size = 0;
    while (size < line.size && line.data[size] >= '0' && line.data[size] <= '9') size++;
    return size >= 3 && size < line.size && line.data[size] == ' ' ? size : 0;
}

static void put_address(kt_saft_writer *w) {
    kt_str lines[ADDRESS_LINES];
    size_t count = address_lines(w->company.address, lines);
    size_t code = count ? postal_code(lines[count - 1]) : 0, streets = code ? count - 1 : count;
    kt_saft_begin(w, "Address");
    if (streets > 0) kt_saft_text(w, "StreetName", lines[0], 70);
    if (streets > 1) kt_saft_text(w, "AdditionalAddressDetail", lines[1], 70);
    w->result->texts_cut += streets > 2;
    if (code) {
        const kt_str *last = &lines[count - 1];
        kt_saft_text(w, "City", kt_text_trim((kt_str){last->data + code, last->size - code}), 35);
        kt_saft_text(w, "PostalCode", (kt_str){last->data, code}, 18);
    }
    if (w->danish)
        kt_saft_words(w, "Country", "DK"); /* which that layout wants; a Norwegian address is known without */
    kt_saft_end(w);
}

static void put_company(kt_saft_writer *w) {
    const kt_saft_options *options = w->options;
    w->result->company_number_missing = w->company.company_number.size == 0;
    w->result->contact_missing = !w->danish && options->contact.size == 0;
    w->result->bank_account_missing = w->danish && options->bank_account.size == 0;
    kt_saft_begin(w, "Company");
    kt_saft_text(w, "RegistrationNumber", w->company.company_number, 35);
    kt_saft_text(w, "Name", w->company.entity, 70);
    put_address(w);
    if (!w->danish || options->contact.size) {
        /* The schema: "If the name of the person is in an unstructured form, insert NotUsed in this element". */
        kt_saft_begin(w, "Contact");
        kt_saft_begin(w, "ContactPerson");
        kt_saft_words(w, "FirstName", "NotUsed");
        kt_saft_text(w, "LastName", options->contact.size ? options->contact : KT_STR("NotUsed"), 70);
        kt_saft_end(w);
        kt_saft_end(w);
    }
    if (w->company.vat_number.size) {
        kt_saft_begin(w, "TaxRegistration");
        kt_saft_text(w, "TaxRegistrationNumber", w->company.vat_number, 35);
        kt_saft_end(w);
    }
    if (options->bank_account.size) {
        kt_saft_begin(w, "BankAccount");
        kt_saft_text(w, "BankAccountNumber", options->bank_account, 35);
        kt_saft_end(w);
    }
    kt_saft_end(w);
}

void kt_saft_header(kt_saft_writer *w) {
    int64_t day = w->head.recorded_us / ((int64_t)86400 * 1000000);
    kt_saft_begin(w, "Header");
    kt_saft_words(w, "AuditFileVersion", w->danish ? "1.0" : "1.10");
    kt_saft_words(w, "AuditFileCountry", w->danish ? "DK" : "NO");
    kt_saft_day(w, "AuditFileDateCreated", w->options->created ? w->options->created : (kt_day)day);
    kt_saft_words(w, "SoftwareCompanyName", "Kontor");
    kt_saft_words(w, "SoftwareID", "Kontor");
    kt_saft_words(w, "SoftwareVersion", KT_VERSION);
    put_company(w);
    kt_saft_text(w, "DefaultCurrencyCode", w->company.currency, 3);
    if (w->from != KT_DAY_NONE) {
        kt_saft_begin(w, "SelectionCriteria");
        kt_saft_day(w, "SelectionStartDate", w->from);
        kt_saft_day(w, "SelectionEndDate", w->to);
        kt_saft_end(w);
    }
    if (w->result->tax_codes_left_out)
        kt_saft_words(w, "HeaderComment",
                      "The book keeps tax codes of lines, but no tax amounts, so that lines have no TaxInformation; "
                      "tax is posted to accounts of its own");
    if (!w->danish) kt_saft_words(w, "TaxAccountingBasis", "A");
    else kt_saft_text(w, "TaxEntity", w->company.entity, 70);
    kt_saft_end(w);
}

/* ---- Accounts ----------------------------------------------------------------------------------- */

static kt_code add_balances(kt_saft_writer *w, kt_day to, bool opening, kt_error *error) {
    kt_balance_query query = {.from = KT_DAY_NONE, .to = to};
    kt_balance *rows = NULL;
    size_t count = 0, at = 0;
    char shown[KT_SHOWN];
    kt_code code = kt_balances(w->view, &query, &rows, &count, error);
    for (size_t i = 0; i < count && code == KT_OK; i++) {
        while (at < w->account_count && !kt_str_equal(w->accounts[at].code, rows[i].account)) at++; /* one order */
        if (at == w->account_count) code = kt_fail(error, KT_DAMAGED, "balances and accounts do not fit together");
        else if (rows[i].unvalued)
            code = kt_fail(
                error, KT_UNSUPPORTED,
                "account %s: %llu postings%s have no amount in the book's currency, which SAF-T wants for every "
                "balance",
                kt_text_show(rows[i].account, shown), (unsigned long long)rows[i].unvalued,
                opening ? " before the first day" : "");
        else {
            kt_amount *to_add = opening ? &w->balances[at].opening : &w->balances[at].closing;
            if (!kt_amount_add(*to_add, rows[i].book_balance, to_add))
                code = kt_fail(error, KT_OVERFLOW, "account %s: its balance is beyond what can be counted",
                               kt_text_show(rows[i].account, shown));
        }
    }
    free(rows);
    return code;
}

static kt_code check_account(const kt_saft_writer *w, size_t i, kt_error *error) {
    char field[KT_SAFT_FIELD], shown[KT_SHOWN];
    kt_amount written;
    uint8_t places;
    const kt_account *account = &w->accounts[i];
    kt_saft_change change = kt_saft_field(account->code, 70, field);
    if (change.cut || change.replaced)
        return kt_fail(error, KT_UNSUPPORTED, "account %s: its code %s", kt_text_show(account->code, shown),
                       change.cut ? "has more than 70 characters" : "has a character that XML cannot hold");
    if (!kt_saft_monetary(w->balances[i].opening, w->decimals, &written, &places) ||
        !kt_saft_monetary(w->balances[i].closing, w->decimals, &written, &places))
        return kt_fail(error, KT_UNSUPPORTED, "account %s: its balance has more than 2 decimals or 18 digits",
                       kt_text_show(account->code, shown));
    return KT_OK;
}

kt_code kt_saft_weigh(kt_saft_writer *w, kt_error *error) {
    const kt_saft_options *options = w->options;
    kt_code code = kt_view_accounts(w->view, &w->accounts, &w->account_count, error);
    if (code != KT_OK) return code;
    w->balances = calloc(w->account_count ? w->account_count : 1, sizeof *w->balances);
    if (!w->balances) return kt_fail(error, KT_MEMORY, "no memory for an export");
    code = add_balances(w, options->to, false, error);
    if (code == KT_OK && options->from != KT_DAY_NONE && options->from > KT_DAY_MIN)
        code = add_balances(w, options->from - 1, true, error);
    for (size_t i = 0; i < w->account_count && code == KT_OK; i++) code = check_account(w, i, error);
    w->result->accounts = w->account_count;
    return code;
}

/* NS 4102: of four digits and more the first two are the standard account; the first digit's class has to fit the type. */
static bool is_norwegian(const kt_account *account) {
    if (account->code.size < 4) return false;
    for (size_t i = 0; i < account->code.size; i++)
        if (account->code.data[i] < '0' || account->code.data[i] > '9') return false;
    switch (account->code.data[0]) {
    case '1': return account->type == KT_ASSET;
    case '2': return account->type == (account->code.data[1] == '0' ? KT_EQUITY : KT_LIABILITY);
    case '3': return account->type == KT_INCOME;
    case '4':
    case '5':
    case '6':
    case '7': return account->type == KT_EXPENSE;
    case '8': return account->type == KT_INCOME || account->type == KT_EXPENSE;
    default: return false;
    }
}

static kt_str standard_of(const kt_saft_writer *w, const kt_account *account) {
    const kt_saft_standard *found = NULL;
    for (size_t i = 0; i < w->options->standard_count; i++) {
        const kt_saft_standard *one = &w->options->standards[i];
        if (one->prefix.size > account->code.size || (found && one->prefix.size < found->prefix.size)) continue;
        if (one->prefix.size && memcmp(one->prefix.data, account->code.data, one->prefix.size) != 0) continue;
        found = one;
    }
    if (found) return found->standard;
    return !w->danish && is_norwegian(account) ? (kt_str){account->code.data, 2} : (kt_str){0};
}

static const char *danish_type(kt_account_type type) {
    switch (type) {
    case KT_ASSET: return "Asset";
    case KT_LIABILITY:
    case KT_EQUITY: return "Liability"; /* the balance sheet's other side; there is no word for equity */
    case KT_INCOME: return "Sale";
    case KT_EXPENSE: return "Expense";
    default: return "Other";
    }
}

static void put_balance(kt_saft_writer *w, const char *debit, const char *credit, kt_amount balance) {
    kt_saft_amount(w, balance < 0 ? credit : debit, balance < 0 ? -balance : balance, w->decimals);
}

static void put_accounts(kt_saft_writer *w) {
    if (w->account_count == 0) return; /* the schema wants at least one, or none of it */
    kt_saft_begin(w, "GeneralLedgerAccounts");
    for (size_t i = 0; i < w->account_count; i++) {
        const kt_account *account = &w->accounts[i];
        kt_str standard = standard_of(w, account);
        w->result->accounts_without_standard += standard.size == 0;
        kt_saft_begin(w, "Account");
        kt_saft_text(w, "AccountID", account->code, 70);
        kt_saft_text(w, "AccountDescription", account->name.size ? account->name : account->code, KT_SAFT_CHARACTERS);
        if (standard.size) kt_saft_text(w, "StandardAccountID", standard, 35);
        kt_saft_words(w, "AccountType", w->danish ? danish_type(account->type) : "GL");
        put_balance(w, "OpeningDebitBalance", "OpeningCreditBalance", w->balances[i].opening);
        put_balance(w, "ClosingDebitBalance", "ClosingCreditBalance", w->balances[i].closing);
        kt_saft_end(w);
    }
    kt_saft_end(w);
}

/* ---- Tables ------------------------------------------------------------------------------------- */

/* Skatteetaten's list of standard tax codes; a code of the company's own that is none of them is "NA" there. */
static bool is_standard_tax(kt_str code) {
    static const char list[] = " 0 1 3 5 6 7 11 12 13 14 15 20 21 22 31 32 33 51 52 81 82 83 84 85 86 87 88 89 91 92 ";
    char word[8];
    if (code.size == 0 || code.size > 2) return false;
    (void)snprintf(word, sizeof word, " %.*s ", (int)code.size, code.data);
    return strstr(list, word) != NULL;
}

static void put_taxes(kt_saft_writer *w) {
    if (w->danish || w->taxes.count == 0) return; /* the Danish layout's lists of tax codes are not at hand */
    kt_saft_begin(w, "TaxTable");
    kt_saft_begin(w, "TaxTableEntry");
    kt_saft_words(w, "TaxType", "MVA");
    kt_saft_words(w, "Description", "Merverdiavgift");
    for (size_t i = 0; i < w->taxes.count; i++) {
        kt_str code = {w->taxes.named[i].code.data + 1, w->taxes.named[i].code.size - 1};
        kt_saft_begin(w, "TaxCodeDetails");
        kt_saft_text(w, "TaxCode", code, 35);
        kt_saft_words(w, "Country", "NO");
        kt_saft_text(w, "StandardTaxCode", is_standard_tax(code) ? code : KT_STR("NA"), 35);
        kt_saft_words(w, "BaseRate", "100"); /* the schema: "Standard is 100" */
        kt_saft_end(w);
    }
    kt_saft_end(w);
    kt_saft_end(w);
}

static void put_analyses(kt_saft_writer *w) {
    static const char *const words[] = {"", "Cost centre", "Department", "Project"};
    if (w->analyses.count == 0) return;
    kt_saft_begin(w, "AnalysisTypeTable");
    for (size_t i = 0; i < w->analyses.count; i++) {
        kt_str value = w->analyses.named[i].code;
        uint8_t dimension = (uint8_t)value.data[0];
        value = (kt_str){value.data + 1, value.size - 1};
        const char *type = kt_saft_analysis_type(dimension);
        kt_saft_begin(w, "AnalysisTypeTableEntry");
        kt_saft_words(w, "AnalysisType", type);
        kt_saft_words(w, "AnalysisTypeDescription", dimension <= KT_DIMENSION_PROJECT ? words[dimension] : type);
        kt_saft_text(w, "AnalysisID", value, 35);
        kt_saft_text(w, "AnalysisIDDescription", value, KT_SAFT_CHARACTERS);
        kt_saft_end(w);
    }
    kt_saft_end(w);
}

void kt_saft_master(kt_saft_writer *w) {
    bool any = w->account_count || (!w->danish && w->taxes.count) || w->analyses.count;
    if (!any) return;
    kt_saft_begin(w, "MasterFiles");
    put_accounts(w);
    put_taxes(w);
    put_analyses(w);
    kt_saft_end(w);
}
