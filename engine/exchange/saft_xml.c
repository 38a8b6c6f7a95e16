#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "engine/exchange/saft_xml.h"

#include <libxml/xmlreader.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/text.h"

#define PREFIX_MAX 40
/* Not XML_PARSE_HUGE, so that libxml2's limits hold; not XML_PARSE_NOENT and no XML_PARSE_DTDLOAD. NOERROR: it is asked
   for its last error instead of printing it. */
#define OPTIONS (XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)

typedef struct open_level {
    kt_saft_name name;
    bool parent; /* of elements */
    size_t line, begin;
} open_level;

/* Where tags stand in bytes that libxml2 has found, or will find, well-formed. */
typedef struct tag_walk {
    const uint8_t *data;
    size_t size, at, line;
    size_t tag_begin, tag_end, tag_line; /* of the last tag */
} tag_walk;

struct kt_saft_xml {
    const kt_source *source;
    xmlTextReaderPtr reader;
    size_t given; /* bytes libxml2 has taken */
    tag_walk place;
    open_level levels[KT_SAFT_DEPTH];
    unsigned depth;
    bool empty; /* the element opened last has no closing tag */
    bool rooted, danish;
    bool converted; /* the bytes are not UTF-8 as they stand */
    size_t text_size;
    bool cut;
    char prefix[PREFIX_MAX + 2];
    char encoding[24];
    char namespace[sizeof KT_SAFT_NO];
    char text[KT_SAFT_TEXT_MAX + 4];
};

static const char *const names[KT_SAFT_NAMES] = {
    [KT_SAFT_OTHER] = "",
    [KT_SAFT_ACCOUNT] = "Account",
    [KT_SAFT_ACCOUNT_DESCRIPTION] = "AccountDescription",
    [KT_SAFT_ACCOUNT_ID] = "AccountID",
    [KT_SAFT_ACCOUNT_TYPE] = "AccountType",
    [KT_SAFT_AMOUNT] = "Amount",
    [KT_SAFT_ANALYSIS] = "Analysis",
    [KT_SAFT_ANALYSIS_AMOUNT] = "AnalysisAmount",
    [KT_SAFT_ANALYSIS_ID] = "AnalysisID",
    [KT_SAFT_ANALYSIS_TYPE] = "AnalysisType",
    [KT_SAFT_ANALYSIS_TYPE_TABLE_ENTRY] = "AnalysisTypeTableEntry",
    [KT_SAFT_AUDIT_FILE] = "AuditFile",
    [KT_SAFT_AUDIT_FILE_VERSION] = "AuditFileVersion",
    [KT_SAFT_CLOSING_CREDIT] = "ClosingCreditBalance",
    [KT_SAFT_CLOSING_DEBIT] = "ClosingDebitBalance",
    [KT_SAFT_COMPANY] = "Company",
    [KT_SAFT_CREDIT_AMOUNT] = "CreditAmount",
    [KT_SAFT_CURRENCY_AMOUNT] = "CurrencyAmount",
    [KT_SAFT_CURRENCY_CODE] = "CurrencyCode",
    [KT_SAFT_CUSTOMER_ID] = "CustomerID",
    [KT_SAFT_DEBIT_AMOUNT] = "DebitAmount",
    [KT_SAFT_DEFAULT_CURRENCY] = "DefaultCurrencyCode",
    [KT_SAFT_DESCRIPTION] = "Description",
    [KT_SAFT_ACCOUNTS] = "GeneralLedgerAccounts",
    [KT_SAFT_ENTRIES] = "GeneralLedgerEntries",
    [KT_SAFT_GROUPING_CODE] = "GroupingCode",
    [KT_SAFT_HEADER] = "Header",
    [KT_SAFT_JOURNAL] = "Journal",
    [KT_SAFT_JOURNAL_ID] = "JournalID",
    [KT_SAFT_LINE] = "Line",
    [KT_SAFT_NAME] = "Name",
    [KT_SAFT_NUMBER_OF_ENTRIES] = "NumberOfEntries",
    [KT_SAFT_OPENING_CREDIT] = "OpeningCreditBalance",
    [KT_SAFT_OPENING_DEBIT] = "OpeningDebitBalance",
    [KT_SAFT_PERIOD_END] = "PeriodEnd",
    [KT_SAFT_PERIOD_END_YEAR] = "PeriodEndYear",
    [KT_SAFT_PERIOD_START] = "PeriodStart",
    [KT_SAFT_PERIOD_START_YEAR] = "PeriodStartYear",
    [KT_SAFT_REFERENCE] = "ReferenceNumber",
    [KT_SAFT_REGISTRATION] = "RegistrationNumber",
    [KT_SAFT_SELECTION] = "SelectionCriteria",
    [KT_SAFT_SELECTION_END] = "SelectionEndDate",
    [KT_SAFT_SELECTION_START] = "SelectionStartDate",
    [KT_SAFT_SOFTWARE_ID] = "SoftwareID",
    [KT_SAFT_SOURCE_DOCUMENT] = "SourceDocumentID",
    [KT_SAFT_STANDARD_ACCOUNT] = "StandardAccountID",
    [KT_SAFT_SUPPLIER_ID] = "SupplierID",
    [KT_SAFT_TAX_CODE] = "TaxCode",
    [KT_SAFT_TAX_INFORMATION] = "TaxInformation",
    [KT_SAFT_TOTAL_CREDIT] = "TotalCredit",
    [KT_SAFT_TOTAL_DEBIT] = "TotalDebit",
    [KT_SAFT_TRANSACTION] = "Transaction",
    [KT_SAFT_TRANSACTION_DATE] = "TransactionDate",
    [KT_SAFT_TRANSACTION_ID] = "TransactionID",
};

static kt_saft_name name_of(const char *text) {
    unsigned low = 1, high = KT_SAFT_NAMES;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        int order = strcmp(text, names[middle]);
        if (order == 0) return (kt_saft_name)middle;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return KT_SAFT_OTHER;
}

/* ---- Where tags stand --------------------------------------------------------------------------- */

static void pass_to(tag_walk *place, size_t at) {
    const uint8_t *feed;
    while (place->at < at && (feed = memchr(place->data + place->at, '\n', at - place->at)) != NULL) {
        place->line++;
        place->at = (size_t)(feed - place->data) + 1;
    }
    place->at = at;
}

static bool stands(const tag_walk *place, const char *what) {
    size_t size = strlen(what);
    return place->size - place->at >= size && memcmp(place->data + place->at, what, size) == 0;
}

static bool pass_behind(tag_walk *place, const char *what) {
    const uint8_t *found = memmem(place->data + place->at, place->size - place->at, what, strlen(what));
    if (!found) return false;
    pass_to(place, (size_t)(found - place->data) + strlen(what));
    return true;
}

/* The end of a tag: a '>' that stands in no quoted value. */
static bool pass_tag(tag_walk *place) {
    uint8_t quote = 0;
    for (size_t at = place->at; at < place->size; at++) {
        uint8_t c = place->data[at];
        if (quote) quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'') quote = c;
        else if (c == '>') {
            pass_to(place, at + 1);
            return true;
        }
    }
    return false;
}

/* The next opening, closing or empty tag. False: there is none, or a declaration ("<!") stands before it. */
static bool next_tag(tag_walk *place) {
    for (;;) {
        const uint8_t *less = memchr(place->data + place->at, '<', place->size - place->at);
        if (!less) return false;
        pass_to(place, (size_t)(less - place->data));
        bool passed;
        if (stands(place, "<!--")) passed = pass_behind(place, "-->");
        else if (stands(place, "<![CDATA[")) passed = pass_behind(place, "]]>");
        else if (stands(place, "<?")) passed = pass_behind(place, "?>");
        else if (stands(place, "<!")) return false;
        else {
            place->tag_begin = place->at;
            place->tag_line = place->line;
            passed = pass_tag(place);
            place->tag_end = place->at;
            return passed;
        }
        if (!passed) return false;
    }
}

/* ---- Opening ------------------------------------------------------------------------------------ */

static int take_bytes(void *context, char *out, int room) {
    kt_saft_xml *xml = context;
    size_t left = xml->source->size - xml->given, size = room < 0 ? 0 : (size_t)room;
    if (size > left) size = left;
    if (size) memcpy(out, xml->source->data + xml->given, size);
    xml->given += size;
    return (int)size;
}

static int close_nothing(void *context) {
    (void)context;
    return 0;
}

static kt_code refuse(const kt_saft_xml *xml, kt_code code, const char *what, kt_error *error) {
    return kt_fail(error, code, "%s:%zu: %s", xml->source->name, xml->place.line, what);
}

/* What is to be refused before libxml2 reads a byte: no XML, bytes of two to a character, a DOCTYPE. */
static kt_code look_at_start(kt_saft_xml *xml, kt_error *error) {
    tag_walk at = xml->place;
    const uint8_t *data = at.data;
    if (at.size == 0) return kt_fail(error, KT_INVALID, "%s: is empty", xml->source->name);
    if (at.size >= 2 &&
        ((data[0] == 0xff && data[1] == 0xfe) || (data[0] == 0xfe && data[1] == 0xff) || !data[0] || !data[1]))
        return refuse(xml, KT_UNSUPPORTED, "is UTF-16 or UTF-32; expected UTF-8, as SAF-T wants", error);
    if (at.size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) at.at = 3;
    while (at.at < at.size && (kt_text_blank((char)data[at.at]) || data[at.at] == '\r' || data[at.at] == '\n')) at.at++;
    if (at.at == at.size || data[at.at] != '<')
        return refuse(xml, KT_INVALID, "is no XML; expected a SAF-T Financial file", error);
    if (!next_tag(&at) && stands(&at, "<!DOCTYPE"))
        return kt_fail(error, KT_UNSUPPORTED, "%s:%zu: has a DOCTYPE, which SAF-T has no use for and which is not read",
                       xml->source->name, at.line);
    return KT_OK;
}

kt_code kt_saft_xml_open(const kt_source *source, kt_saft_xml **out, kt_error *error) {
    *out = NULL;
    kt_saft_xml *xml = calloc(1, sizeof *xml);
    if (!xml) return kt_fail(error, KT_MEMORY, "%s: no memory", source->name);
    xml->source = source;
    xml->place = (tag_walk){.data = source->data, .size = source->size, .line = 1};
    kt_code code = look_at_start(xml, error);
    if (code == KT_OK) {
        xmlResetLastError();
        xml->reader = xmlReaderForIO(take_bytes, close_nothing, xml, NULL, NULL, OPTIONS);
        if (!xml->reader) code = kt_fail(error, KT_MEMORY, "%s: no memory", source->name);
    }
    if (code != KT_OK) kt_saft_xml_close(xml);
    else *out = xml;
    return code;
}

void kt_saft_xml_close(kt_saft_xml *xml) {
    if (!xml) return;
    xmlFreeTextReader(xml->reader);
    free(xml);
}

bool kt_saft_xml_danish(const kt_saft_xml *xml) { return xml->danish; }
const char *kt_saft_xml_prefix(const kt_saft_xml *xml) { return xml->prefix; }
const char *kt_saft_xml_encoding(const kt_saft_xml *xml) { return xml->encoding; }
size_t kt_saft_xml_done(const kt_saft_xml *xml) { return xml->place.at; }
size_t kt_saft_xml_line(const kt_saft_xml *xml) { return xml->place.line; }

/* ---- The root ----------------------------------------------------------------------------------- */

static kt_code check_encoding(kt_saft_xml *xml, kt_error *error) {
    static const char *const taken[] = {"UTF-8", "ISO-8859-1", "ISO-8859-15", "windows-1252", "US-ASCII", "ASCII"};
    const char *encoding = (const char *)xmlTextReaderConstEncoding(xml->reader);
    if (!encoding) encoding = "UTF-8";
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (xmlStrcasecmp((const xmlChar *)encoding, (const xmlChar *)taken[i]) == 0) {
            memcpy(xml->encoding, taken[i], strlen(taken[i]) + 1);
            xml->converted = i != 0;
            return KT_OK;
        }
    char shown[KT_SHOWN];
    return kt_fail(error, KT_UNSUPPORTED, "%s:1: says its encoding is '%s'; expected UTF-8, as SAF-T wants",
                   xml->source->name, kt_text_show(kt_str_from(encoding), shown));
}

static kt_code take_root(kt_saft_xml *xml, kt_error *error) {
    char shown[2][KT_SHOWN];
    kt_code code = check_encoding(xml, error);
    if (code != KT_OK) return code;
    const char *local = (const char *)xmlTextReaderConstLocalName(xml->reader);
    const char *space = (const char *)xmlTextReaderConstNamespaceUri(xml->reader);
    const char *prefix = (const char *)xmlTextReaderConstPrefix(xml->reader);
    xml->danish = space && strcmp(space, KT_SAFT_DK) == 0;
    if (!local || strcmp(local, "AuditFile") != 0 || !space || (!xml->danish && strcmp(space, KT_SAFT_NO) != 0))
        return kt_fail(error, KT_INVALID,
                       "%s:%zu: the root is '%s' of the namespace '%s'; expected AuditFile of %s or %s",
                       xml->source->name, xml->place.tag_line, kt_text_show(kt_str_from(local), shown[0]),
                       kt_text_show(kt_str_from(space), shown[1]), KT_SAFT_NO, KT_SAFT_DK);
    memcpy(xml->namespace, space, sizeof xml->namespace);
    if (prefix && strlen(prefix) > PREFIX_MAX)
        return refuse(xml, KT_LIMIT, "the root's prefix is longer than 40 bytes", error);
    if (prefix) (void)snprintf(xml->prefix, sizeof xml->prefix, "%s:", prefix);
    xml->rooted = true;
    return KT_OK;
}

/* ---- Walking ------------------------------------------------------------------------------------ */

/* libxml2's own words may quote the file, so only what they mean is said (law 9). */
static kt_code not_well_formed(const kt_saft_xml *xml, kt_error *error) {
    const xmlError *last = xmlGetLastError();
    int number = last ? last->code : 0;
    size_t line = last && last->line > 0 ? (size_t)last->line : xml->place.line;
    const char *what = "";
    switch (number) {
    case XML_ERR_NO_MEMORY: return kt_fail(error, KT_MEMORY, "%s:%zu: no memory", xml->source->name, line);
    case XML_ERR_TAG_NAME_MISMATCH:
    case XML_ERR_TAG_NOT_FINISHED: what = ": an element is closed that is not the one open"; break;
    case XML_ERR_DOCUMENT_END:
    case XML_ERR_DOCUMENT_EMPTY:
    case XML_ERR_GT_REQUIRED: what = ": it ends too early, or a tag is not whole"; break;
    case XML_ERR_INVALID_CHAR:
    case XML_ERR_INVALID_CHARREF: what = ": it has a character that XML cannot hold"; break;
    case XML_ERR_INVALID_ENCODING:
    case XML_I18N_CONV_FAILED:
    case XML_ERR_UNSUPPORTED_ENCODING: what = ": its bytes are not in the encoding it says"; break;
    case XML_ERR_UNDECLARED_ENTITY:
    case XML_WAR_UNDECLARED_ENTITY: what = ": it uses an entity that is not one of XML's five"; break;
    default: break;
    }
    return kt_fail(error, KT_INVALID, "%s:%zu: is no well-formed XML%s (libxml2's error %d)", xml->source->name, line,
                   what, number);
}

/* What libxml2 would print: asked for afterwards instead. */
#if LIBXML_VERSION >= 21200
static void hush(void *context, const xmlError *error) {
#else
static void hush(void *context, xmlErrorPtr error) {
#endif
    (void)context;
    (void)error;
}

static void __attribute__((format(printf, 2, 3))) hush_words(void *context, const char *format, ...) {
    (void)context;
    (void)format;
}

/* Where bytes are brought to UTF-8, a bad one is printed past the options that forbid it, with what stands around it (law 9);
   that is held off in this thread alone, and for as long as it reads. */
static int read_on(kt_saft_xml *xml) {
    if (xml->rooted && !xml->converted) return xmlTextReaderRead(xml->reader);
    xmlStructuredErrorFunc before = xmlStructuredError;
    xmlGenericErrorFunc words_before = xmlGenericError;
    void *context = xmlStructuredErrorContext, *words_context = xmlGenericErrorContext;
    xmlSetStructuredErrorFunc(NULL, hush);
    xmlSetGenericErrorFunc(NULL, hush_words);
    int read = xmlTextReaderRead(xml->reader);
    xmlSetStructuredErrorFunc(context, before);
    xmlSetGenericErrorFunc(words_context, words_before);
    return read;
}

static void add_text(kt_saft_xml *xml) {
    const char *value = (const char *)xmlTextReaderConstValue(xml->reader);
    if (!value || xml->cut) return;
    size_t size = strlen(value);
    if (size > KT_SAFT_TEXT_MAX - xml->text_size) {
        size = KT_SAFT_TEXT_MAX - xml->text_size;
        while (size > 0 && ((unsigned char)value[size] & 0xc0) == 0x80) size--;
        xml->cut = true;
    }
    memcpy(xml->text + xml->text_size, value, size);
    xml->text_size += size;
}

static kt_str trimmed(const kt_saft_xml *xml) {
    kt_str text = {xml->text, xml->text_size};
    while (text.size && strchr(" \t\r\n", text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size && strchr(" \t\r\n", text.data[text.size - 1])) text.size--;
    return text;
}

static kt_code close_element(kt_saft_xml *xml, kt_saft_event *event) {
    const open_level *level = &xml->levels[--xml->depth];
    *event = (kt_saft_event){.kind = KT_SAFT_CLOSE,
                             .name = level->name,
                             .parent = xml->depth ? xml->levels[xml->depth - 1].name : KT_SAFT_OTHER,
                             .leaf = !level->parent,
                             .line = level->line,
                             .begin = level->begin,
                             .end = xml->place.tag_end};
    if (event->leaf) {
        event->text = trimmed(xml);
        event->cut = xml->cut;
    }
    xml->text_size = 0;
    xml->cut = false;
    return KT_OK;
}

static kt_code open_element(kt_saft_xml *xml, kt_saft_event *event, kt_error *error) {
    kt_code code = KT_OK;
    if (!next_tag(&xml->place)) return refuse(xml, KT_INVALID, "a tag was not found where libxml2 found it", error);
    if (!xml->rooted) code = take_root(xml, error);
    if (code != KT_OK) return code;
    if (xml->depth == KT_SAFT_DEPTH) return refuse(xml, KT_LIMIT, "elements stand more than 32 levels deep", error);
    const char *space = (const char *)xmlTextReaderConstNamespaceUri(xml->reader);
    kt_saft_name name = KT_SAFT_OTHER;
    if (space && strcmp(space, xml->namespace) == 0)
        name = name_of((const char *)xmlTextReaderConstLocalName(xml->reader));
    if (xml->depth) xml->levels[xml->depth - 1].parent = true;
    *event = (kt_saft_event){.kind = KT_SAFT_OPEN,
                             .name = name,
                             .parent = xml->depth ? xml->levels[xml->depth - 1].name : KT_SAFT_OTHER,
                             .line = xml->place.tag_line};
    xml->levels[xml->depth++] = (open_level){.name = name, .line = event->line, .begin = xml->place.tag_begin};
    xml->empty = xmlTextReaderIsEmptyElement(xml->reader) == 1;
    xml->text_size = 0;
    xml->cut = false;
    return KT_OK;
}

kt_code kt_saft_xml_next(kt_saft_xml *xml, kt_saft_event *event, kt_error *error) {
    if (xml->empty) {
        xml->empty = false;
        return close_element(xml, event);
    }
    for (;;) {
        int read = read_on(xml);
        if (read < 0) return not_well_formed(xml, error);
        if (read == 0) {
            if (xml->rooted && xml->depth == 0) return KT_END;
            return not_well_formed(xml, error);
        }
        switch (xmlTextReaderNodeType(xml->reader)) {
        case XML_READER_TYPE_ELEMENT: return open_element(xml, event, error);
        case XML_READER_TYPE_END_ELEMENT:
            if (!next_tag(&xml->place) || xml->depth == 0)
                return refuse(xml, KT_INVALID, "a tag was not found where libxml2 found it", error);
            return close_element(xml, event);
        case XML_READER_TYPE_TEXT:
        case XML_READER_TYPE_CDATA:
        case XML_READER_TYPE_WHITESPACE:
        case XML_READER_TYPE_SIGNIFICANT_WHITESPACE: add_text(xml); break;
        case XML_READER_TYPE_ENTITY_REFERENCE:
        case XML_READER_TYPE_DOCUMENT_TYPE:
            return refuse(xml, KT_UNSUPPORTED, "has an entity or a DOCTYPE, which are not read", error);
        default: break; /* comments, instructions */
        }
    }
}
