/*
 * saft: the reader of SAF-T Financial files, Norwegian (1.x, told by its namespace) and Danish.
 *
 * What becomes of what:
 *   Account                       an account: AccountID, AccountDescription; its type from AccountType (Danish: Asset,
 *                                 Liability, Sale, Expense), else from the first two digits of StandardAccountID, or of
 *                                 GroupingCode where there is none (NS 4102: 1 assets, 20 equity, 21 to 29 liabilities,
 *                                 3, 80 and 84 income, 4 to 7 and 81 to 87 expenses; all else unclassified)
 *   Transaction                   an entry: its JournalID is the series, TransactionID the voucher, TransactionDate the valid
 *                                 date (Period follows it; the other dates say when it was recorded), Description the text
 *   Line                          a line: AccountID, Description, ReferenceNumber or else SourceDocumentID, TaxCode
 *   DebitAmount, CreditAmount     one of the two; both only where one is zero. Below zero in every line of a transaction: an
 *                                 entry booked with minus amounts; in some: the other side, and counted
 *   CurrencyCode, CurrencyAmount  the line's amount where the currency is another than DefaultCurrencyCode; Amount is then its
 *                                 cost. ExchangeRate is not needed
 *   Analysis                      a dimension: A, AVD, DEP department; P, PRO, PROJ project; K, KST, CC cost centre; D4 to D11
 *                                 those; other types the user's own dimensions 4 to 11, in the order of their first coming.
 *                                 One that splits the line's amount, or a ninth type, is left out and counted
 *   customers, suppliers, tax amounts and percentages: left out and counted
 * Openings are no transactions: with kt_format_options.openings they become one entry of series OPEN on the day before the
 * period, else they are only reported.
 *
 * A transaction that does not balance, has one line, or cannot be read is refused by its TransactionID and where it
 * stands, and reading goes on. The reject file holds refused transactions, each in a Journal of its own, in one AuditFile.
 *
 * Lifetime, errors, bounds: as format.h says; memory is the longest transaction, and the accounts (saft_facts.h).
 */
#ifndef KT_EXCHANGE_SAFT_H
#define KT_EXCHANGE_SAFT_H

#include "engine/exchange/format.h"
#include "engine/exchange/gather.h"
#include "engine/exchange/saft_facts.h"
#include "engine/exchange/saft_xml.h"

/* Texts of one transaction, given back all at once. */
typedef struct kt_saft_texts {
    struct kt_saft_block *blocks;
} kt_saft_texts;

typedef struct kt_saft_figure { /* an amount as it stands in the file */
    bool given;
    kt_saft_sum sum;
} kt_saft_figure;

typedef struct kt_saft_line { /* while it is read */
    size_t number;            /* in its transaction, from 1 */
    size_t line;              /* of the file */
    kt_str account, text, reference, document, tax_code;
    kt_saft_figure debit, credit, foreign, split;
    kt_str currency;
    bool credit_open;  /* the side whose parts are read */
    uint8_t dimension; /* of the Analysis that is read; 0: none that is known */
    bool analysis;     /* some is left out */
    kt_str value;
    kt_str dimensions[KT_DIMENSIONS_MAX + 1];
    kt_saft_sum splits[KT_DIMENSIONS_MAX + 1];
    bool is_split[KT_DIMENSIONS_MAX + 1];
    bool party, tax;
} kt_saft_line;

typedef struct kt_saft_reader {
    const kt_source *source;
    const char *openings; /* of the options */
    kt_saft_xml *xml;
    kt_saft_facts facts;
    kt_gather gather;
    kt_saft_texts texts;
    char series[KT_SAFT_TEXT_MAX + 1];
    size_t series_size;
    char *journal; /* what stands before a refused entry */
    size_t journal_size, journal_room;
    char preamble[768], ending[160], behind[80];
    int year[2], month[2]; /* PeriodStart and PeriodEnd with their years */
    /* of the transaction at hand */
    kt_saft_line line;
    kt_str date;
    bool minus, plus; /* lines with amounts below zero, above zero in their column */
    uint64_t negatives;
    kt_saft_sum debit, credit;
    bool faulty; /* and why stands in fault, the first reason there was */
    kt_error fault;
} kt_saft_reader;

/* saft_line.c */
void kt_saft_texts_reset(kt_saft_texts *texts);
void kt_saft_texts_release(kt_saft_texts *texts);
kt_code kt_saft_texts_copy(kt_saft_texts *texts, kt_str *text, kt_error *error);
/* Keeps the first reason to refuse the transaction. */
void kt_saft_blame(kt_saft_reader *reader, const kt_error *why);
/* An amount of the file (xs:decimal). False: it is none, *why says how. */
bool kt_saft_figure_read(kt_str text, kt_saft_figure *out, const char **why);
/* What an AnalysisType stands for, taken into the facts; 0: nothing. */
uint8_t kt_saft_dimension(kt_saft_facts *facts, kt_str type);
/* Everything within a Line, its own closing too, which puts the line into the entry. */
kt_code kt_saft_line_event(kt_saft_reader *reader, const kt_saft_event *event, const kt_entry *entry, kt_error *error);

/* The reader behind kt_format_saft's, for whoever wants its facts. */
kt_saft_facts *kt_saft_facts_of(void *reader);

#endif
