/*
 * saft_xml: walks a SAF-T file element by element, without ever holding more of it than the element at hand.
 *
 * What comes out is an opening for each element, and a closing that carries the element's text where it has no elements
 * within. Names are those SAF-T files use, of the root's own namespace, whatever prefix it is given; all others are
 * KT_SAFT_OTHER. Beside libxml2 the same bytes are gone through for where each tag stands, since libxml2 counts lines
 * to 65,535 and no bytes: so an opening knows its line, and an element its own bytes.
 *
 * Safe with any bytes: no network, no DTD (a DOCTYPE is refused before libxml2 sees it, and with it every entity but the
 * five of XML), libxml2's own limits on (names, texts of at most 10 MB, 256 levels), at most KT_SAFT_DEPTH levels
 * here. Texts beyond KT_SAFT_TEXT_MAX bytes are cut and marked.
 *
 * Lifetime: what an event points to stays valid until the next call. The source outlives the walk.
 * Errors: KT_INVALID "file:line: ..." no XML, or not SAF-T Financial of Norway or Denmark; KT_UNSUPPORTED a DOCTYPE, or an
 * encoding other than UTF-8, ISO-8859-1, ISO-8859-15, windows-1252 and ASCII; KT_LIMIT; KT_MEMORY. None can be gone on from.
 */
#ifndef KT_EXCHANGE_SAFT_XML_H
#define KT_EXCHANGE_SAFT_XML_H

#include "engine/exchange/format.h"

#define KT_SAFT_DEPTH 32
#define KT_SAFT_TEXT_MAX KT_TEXT_MAX
#define KT_SAFT_NO "urn:StandardAuditFile-Taxation-Financial:NO"
#define KT_SAFT_DK "urn:StandardAuditFile-Taxation-Financial:DK"

/* In the order of the names, which saft_xml.c searches. */
typedef enum kt_saft_name {
    KT_SAFT_OTHER = 0,
    KT_SAFT_ACCOUNT,
    KT_SAFT_ACCOUNT_DESCRIPTION,
    KT_SAFT_ACCOUNT_ID,
    KT_SAFT_ACCOUNT_TYPE,
    KT_SAFT_AMOUNT,
    KT_SAFT_ANALYSIS,
    KT_SAFT_ANALYSIS_AMOUNT,
    KT_SAFT_ANALYSIS_ID,
    KT_SAFT_ANALYSIS_TYPE,
    KT_SAFT_ANALYSIS_TYPE_TABLE_ENTRY,
    KT_SAFT_AUDIT_FILE,
    KT_SAFT_AUDIT_FILE_VERSION,
    KT_SAFT_CLOSING_CREDIT,
    KT_SAFT_CLOSING_DEBIT,
    KT_SAFT_COMPANY,
    KT_SAFT_CREDIT_AMOUNT,
    KT_SAFT_CURRENCY_AMOUNT,
    KT_SAFT_CURRENCY_CODE,
    KT_SAFT_CUSTOMER_ID,
    KT_SAFT_DEBIT_AMOUNT,
    KT_SAFT_DEFAULT_CURRENCY,
    KT_SAFT_DESCRIPTION,
    KT_SAFT_ACCOUNTS, /* GeneralLedgerAccounts */
    KT_SAFT_ENTRIES,  /* GeneralLedgerEntries */
    KT_SAFT_GROUPING_CODE,
    KT_SAFT_HEADER,
    KT_SAFT_JOURNAL,
    KT_SAFT_JOURNAL_ID,
    KT_SAFT_LINE,
    KT_SAFT_NAME,
    KT_SAFT_NUMBER_OF_ENTRIES,
    KT_SAFT_OPENING_CREDIT,
    KT_SAFT_OPENING_DEBIT,
    KT_SAFT_PERIOD_END,
    KT_SAFT_PERIOD_END_YEAR,
    KT_SAFT_PERIOD_START,
    KT_SAFT_PERIOD_START_YEAR,
    KT_SAFT_REFERENCE,
    KT_SAFT_REGISTRATION,
    KT_SAFT_SELECTION,
    KT_SAFT_SELECTION_END,
    KT_SAFT_SELECTION_START,
    KT_SAFT_SOFTWARE_ID,
    KT_SAFT_SOURCE_DOCUMENT,
    KT_SAFT_STANDARD_ACCOUNT,
    KT_SAFT_SUPPLIER_ID,
    KT_SAFT_TAX_CODE,
    KT_SAFT_TAX_INFORMATION,
    KT_SAFT_TOTAL_CREDIT,
    KT_SAFT_TOTAL_DEBIT,
    KT_SAFT_TRANSACTION,
    KT_SAFT_TRANSACTION_DATE,
    KT_SAFT_TRANSACTION_ID,
    KT_SAFT_NAMES
} kt_saft_name;

typedef enum kt_saft_event_kind { KT_SAFT_OPEN, KT_SAFT_CLOSE } kt_saft_event_kind;

typedef struct kt_saft_event {
    kt_saft_event_kind kind;
    kt_saft_name name, parent; /* of the root the parent is KT_SAFT_OTHER */
    kt_str text;               /* of a closing, trimmed: the element's own */
    bool leaf;                 /* no elements within it, so that text is what it says */
    bool cut;                  /* text is the beginning of a longer one */
    size_t line;               /* where the element's opening tag stands */
    size_t begin, end;         /* of a closing: the element's bytes in the source */
} kt_saft_event;

typedef struct kt_saft_xml kt_saft_xml;

kt_code kt_saft_xml_open(const kt_source *source, kt_saft_xml **out, kt_error *error);
/* KT_END behind the root's closing. */
kt_code kt_saft_xml_next(kt_saft_xml *xml, kt_saft_event *event, kt_error *error);
void kt_saft_xml_close(kt_saft_xml *xml);

/* Known from the first event on: the root's namespace, its prefix with a colon or "", and the encoding's name. */
bool kt_saft_xml_danish(const kt_saft_xml *xml);
const char *kt_saft_xml_prefix(const kt_saft_xml *xml);
const char *kt_saft_xml_encoding(const kt_saft_xml *xml);
/* Bytes gone through. */
size_t kt_saft_xml_done(const kt_saft_xml *xml);
size_t kt_saft_xml_line(const kt_saft_xml *xml);

#endif
