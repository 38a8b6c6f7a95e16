#include "engine/exchange/saft.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/text.h"

kt_saft_facts *kt_saft_facts_of(void *reader) { return &((kt_saft_reader *)reader)->facts; }

/* ---- What stands in the header ------------------------------------------------------------------ */

/* Cut at a character where it is longer than its room. */
static void take(char *out, size_t room, kt_str text) {
    size_t size = text.size < room ? text.size : room - 1;
    while (size < text.size && size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80) size--;
    if (size) memcpy(out, text.data, size);
    out[size] = 0;
}
#define TAKE(out, text) take((out), sizeof(out), (text))

static int small_number(kt_str text) {
    int number = 0;
    if (text.size == 0 || text.size > 4) return -1;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return -1;
        number = number * 10 + (text.data[i] - '0');
    }
    return number;
}

/* xs:date, whose time zone says nothing of the day. */
static bool read_date(kt_str text, kt_day *out) {
    if (text.size == 16 && (text.data[10] == '+' || text.data[10] == '-') && text.data[13] == ':') text.size = 10;
    if (text.size == 11 && text.data[10] == 'Z') text.size = 10;
    return kt_day_parse(text.data, text.size, out);
}

/* Periods are taken for months of the calendar. */
static void end_selection(kt_saft_reader *r) {
    kt_saft_facts *facts = &r->facts;
    kt_day day;
    if (facts->from == KT_DAY_NONE && kt_day_from_civil(r->year[0], r->month[0], 1, &day)) facts->from = day;
    if (facts->to == KT_DAY_NONE && kt_day_from_civil(r->year[1], r->month[1], 1, &day))
        facts->to = kt_month_last(kt_day_month(day));
}

static void on_header(kt_saft_reader *r, const kt_saft_event *event) {
    kt_saft_facts *facts = &r->facts;
    switch (event->name) {
    case KT_SAFT_AUDIT_FILE_VERSION: TAKE(facts->version, event->text); break;
    case KT_SAFT_SOFTWARE_ID: TAKE(facts->software, event->text); break;
    case KT_SAFT_DEFAULT_CURRENCY: TAKE(facts->currency, event->text); break;
    case KT_SAFT_SELECTION: end_selection(r); break;
    default: break;
    }
}

static void on_selection(kt_saft_reader *r, const kt_saft_event *event) {
    kt_day day;
    switch (event->name) {
    case KT_SAFT_SELECTION_START:
        if (read_date(event->text, &day)) r->facts.from = day;
        break;
    case KT_SAFT_SELECTION_END:
        if (read_date(event->text, &day)) r->facts.to = day;
        break;
    case KT_SAFT_PERIOD_START: r->month[0] = small_number(event->text); break;
    case KT_SAFT_PERIOD_START_YEAR: r->year[0] = small_number(event->text); break;
    case KT_SAFT_PERIOD_END: r->month[1] = small_number(event->text); break;
    case KT_SAFT_PERIOD_END_YEAR: r->year[1] = small_number(event->text); break;
    default: break;
    }
}

static void on_totals(kt_saft_reader *r, const kt_saft_event *event) {
    kt_saft_facts *facts = &r->facts;
    kt_saft_figure figure = {0};
    const char *why;
    if (!event->leaf || !kt_saft_figure_read(event->text, &figure, &why)) return;
    switch (event->name) {
    case KT_SAFT_NUMBER_OF_ENTRIES:
        facts->says_entries = figure.sum.decimals == 0 && figure.sum.units >= 0 && figure.sum.units <= INT64_MAX;
        facts->entries_said = facts->says_entries ? (uint64_t)figure.sum.units : 0;
        break;
    case KT_SAFT_TOTAL_DEBIT:
        facts->says_debit = true;
        facts->debit_said = figure.sum;
        break;
    case KT_SAFT_TOTAL_CREDIT:
        facts->says_credit = true;
        facts->credit_said = figure.sum;
        break;
    default: break;
    }
}

/* ---- Accounts ----------------------------------------------------------------------------------- */

static kt_account_type type_of_digits(kt_str code) {
    if (code.size < 2 || code.data[0] < '1' || code.data[0] > '8' || code.data[1] < '0' || code.data[1] > '9')
        return KT_UNCLASSIFIED;
    switch (code.data[0]) {
    case '1': return KT_ASSET;
    case '2': return code.data[1] == '0' ? KT_EQUITY : KT_LIABILITY;
    case '3': return KT_INCOME;
    case '8':
        if (code.data[1] == '0' || code.data[1] == '4') return KT_INCOME;
        return code.data[1] <= '7' ? KT_EXPENSE : KT_UNCLASSIFIED; /* 88, 89: what is done with the result */
    default: return KT_EXPENSE;
    }
}

static kt_account_type type_of_word(kt_str word) {
    if (kt_str_equal(word, KT_STR("Asset"))) return KT_ASSET;
    if (kt_str_equal(word, KT_STR("Liability"))) return KT_LIABILITY;
    if (kt_str_equal(word, KT_STR("Sale"))) return KT_INCOME;
    if (kt_str_equal(word, KT_STR("Expense"))) return KT_EXPENSE;
    return KT_UNCLASSIFIED;
}

typedef struct account {
    kt_str code, name;
    kt_account_type said, standard, grouping;
    kt_saft_sum opening, closing;
} account;

static kt_code on_account(kt_saft_reader *r, const kt_saft_event *event, account *out, kt_error *error) {
    kt_saft_figure figure = {0};
    const char *why;
    char shown[KT_SHOWN];
    bool opening = event->name == KT_SAFT_OPENING_DEBIT || event->name == KT_SAFT_OPENING_CREDIT;
    bool closing = event->name == KT_SAFT_CLOSING_DEBIT || event->name == KT_SAFT_CLOSING_CREDIT;
    if (opening || closing) {
        if (!kt_saft_figure_read(event->text, &figure, &why))
            return kt_fail(error, KT_INVALID,
                           "%s:%zu: a balance of an account is %s: %s; expected digits, decimals behind '.'",
                           r->source->name, event->line,
                           event->text.size ? kt_text_show_figure(event->text, shown) : "(empty)", why);
        if (event->name == KT_SAFT_OPENING_CREDIT || event->name == KT_SAFT_CLOSING_CREDIT)
            figure.sum = kt_saft_sum_minus(figure.sum);
        if (!kt_saft_sum_add(opening ? &out->opening : &out->closing, figure.sum))
            return kt_fail(error, KT_OVERFLOW, "%s:%zu: a balance is beyond what can be counted", r->source->name,
                           event->line);
        return KT_OK;
    }
    switch (event->name) {
    case KT_SAFT_ACCOUNT_ID: out->code = event->text; return kt_saft_texts_copy(&r->texts, &out->code, error);
    case KT_SAFT_ACCOUNT_DESCRIPTION: out->name = event->text; return kt_saft_texts_copy(&r->texts, &out->name, error);
    case KT_SAFT_ACCOUNT_TYPE: out->said = type_of_word(event->text); break;
    case KT_SAFT_STANDARD_ACCOUNT: out->standard = type_of_digits(event->text); break;
    case KT_SAFT_GROUPING_CODE: out->grouping = type_of_digits(event->text); break;
    default: break;
    }
    return KT_OK;
}

/* A name as the book takes it: short enough, in one line. */
static kt_code keep_name(kt_saft_reader *r, kt_str *name, kt_error *error) {
    char room[KT_NAME_MAX + 1];
    TAKE(room, *name);
    kt_str text = kt_str_from(room);
    for (char *c = room; *c; c++)
        if (strchr("\t\r\n", *c)) *c = ' ';
    kt_code code = kt_saft_facts_keep(&r->facts, &text, error);
    *name = text;
    return code;
}

static kt_code end_account(kt_saft_reader *r, account *found, size_t line, kt_item *item, kt_error *error) {
    char shown[KT_SHOWN];
    kt_saft_row *row;
    if (found->code.size == 0)
        return kt_fail(error, KT_INVALID, "%s:%zu: the account has no AccountID", r->source->name, line);
    kt_code code = kt_saft_facts_row(&r->facts, found->code, &row, error);
    if (code == KT_OK && row->declared)
        code = kt_fail(error, KT_INVALID, "%s:%zu: account %s stands twice in GeneralLedgerAccounts", r->source->name,
                       line, kt_text_show(found->code, shown));
    if (kt_str_equal(found->name, found->code))
        found->name = (kt_str){0}; /* the element is wanted, the name is not there */
    if (code == KT_OK) code = keep_name(r, &found->name, error);
    if (code != KT_OK) return code;
    row->declared = true;
    row->name = found->name;
    row->type = found->said != KT_UNCLASSIFIED       ? found->said
                : found->standard != KT_UNCLASSIFIED ? found->standard
                                                     : found->grouping;
    row->opening = found->opening;
    row->closing = found->closing;
    item->kind = KT_ITEM_ACCOUNT;
    item->account = (kt_account){
        .code = row->code, .name = row->name, .type = row->type, .open_from = KT_DAY_NONE, .closed_from = KT_DAY_NONE};
    return KT_OK;
}

static kt_code read_account(kt_saft_reader *r, kt_item *item, kt_error *error) {
    account found = {0};
    kt_saft_event event;
    kt_saft_texts_reset(&r->texts);
    for (;;) {
        kt_code code = kt_saft_xml_next(r->xml, &event, error);
        if (code != KT_OK) return code;
        if (event.kind != KT_SAFT_CLOSE) continue;
        if (event.name == KT_SAFT_ACCOUNT && event.parent == KT_SAFT_ACCOUNTS)
            return end_account(r, &found, event.line, item, error);
        if (event.parent == KT_SAFT_ACCOUNT) code = on_account(r, &event, &found, error);
        if (code != KT_OK) return code;
    }
}

/* With the currency's decimals at the least, as people write it. */
static const char *show(const kt_saft_reader *r, kt_saft_sum sum, char out[KT_AMOUNT_TEXT]) {
    int usual = kt_iso4217_decimals(r->facts.currency, strlen(r->facts.currency));
    kt_amount units = sum.units;
    uint8_t decimals = usual > sum.decimals ? (uint8_t)usual : sum.decimals;
    if (!kt_amount_rescale(sum.units, sum.decimals, decimals, KT_ROUND_EXACT, &units)) decimals = sum.decimals;
    kt_amount_format(units, decimals, ',', out);
    return out;
}

/* ---- Openings ----------------------------------------------------------------------------------- */

static kt_code refuse_openings(kt_saft_reader *r, size_t line, kt_code code, const char *what, kt_error *error) {
    return kt_fail(error, code, "%s:%zu: the opening balances %s", r->source->name, line, what);
}

static kt_code add_opening(kt_saft_reader *r, kt_str account_code, kt_saft_sum sum, kt_str text, kt_error *error) {
    kt_code code;
    kt_line *line = kt_gather_line(&r->gather, &code);
    if (!line) return kt_fail(error, code, "%s: too many opening balances, or no memory", r->source->name);
    line->account = account_code;
    line->text = text;
    line->currency = kt_str_from(r->facts.currency);
    line->amount = sum.units;
    line->amount_given = KT_AS_WRITTEN(sum.decimals);
    return KT_OK;
}

/* One entry of all opening balances; *any: there are some. */
static kt_code make_openings(kt_saft_reader *r, size_t line, kt_item *item, bool *any, kt_error *error) {
    kt_saft_sum off = {0};
    char what[200], amount[KT_AMOUNT_TEXT];
    kt_code code = KT_OK;
    kt_gather_reset(&r->gather);
    for (size_t i = 0; i < r->facts.row_count && code == KT_OK; i++) {
        kt_saft_row *row = &r->facts.rows[i];
        if (row->opening.units == 0) continue;
        code = add_opening(r, row->code, row->opening, (kt_str){0}, error);
        if (code == KT_OK && !kt_saft_sum_add(&off, row->opening))
            code = refuse_openings(r, line, KT_OVERFLOW, "add up to more than can be counted", error);
    }
    *any = r->gather.count > 0;
    if (code != KT_OK || !*any) return code;
    item->can_go_on = true;
    item->entry = (kt_entry){.date = KT_DAY_NONE,
                             .series = KT_STR("OPEN"),
                             .text = KT_STR("Opening balances"),
                             .file = r->source->name,
                             .file_line = line};
    item->raw = r->source->data;
    if (off.units != 0 && r->openings[0])
        code = add_opening(r, kt_str_from(r->openings), kt_saft_sum_minus(off),
                           KT_STR("What the file's opening balances are off by"), error);
    else if (off.units != 0) {
        (void)snprintf(what, sizeof what, "add up to %s instead of zero; name an account that takes the difference",
                       show(r, off, amount));
        code = refuse_openings(r, line, KT_UNBALANCED, what, error);
    }
    kt_gather_finish(&r->gather, &item->entry);
    if (code == KT_OK && (r->facts.from == KT_DAY_NONE || r->facts.from == KT_DAY_MIN))
        code = refuse_openings(r, line, KT_INVALID, "have no day: the header says no period that begins", error);
    if (code == KT_OK) {
        item->entry.date = r->facts.from - 1;
        item->can_go_on = false;
    }
    return code;
}

/* ---- Transactions ------------------------------------------------------------------------------- */

static kt_code on_transaction(kt_saft_reader *r, const kt_saft_event *event, kt_entry *entry, kt_error *error) {
    kt_error why;
    kt_str *to = event->name == KT_SAFT_TRANSACTION_ID     ? &entry->voucher
                 : event->name == KT_SAFT_DESCRIPTION      ? &entry->text
                 : event->name == KT_SAFT_TRANSACTION_DATE ? &r->date
                                                           : NULL;
    if (!to) return KT_OK;
    if (event->cut) {
        kt_fail(&why, KT_LIMIT, "%s:%zu: has a text of more than 4096 bytes", r->source->name, event->line);
        kt_saft_blame(r, &why);
    }
    *to = event->text;
    return kt_saft_texts_copy(&r->texts, to, error);
}

static void blame(kt_saft_reader *r, const kt_entry *entry, kt_code code, const char *what) {
    kt_error why;
    kt_fail(&why, code, "%s:%zu: %s", r->source->name, entry->file_line, what);
    kt_saft_blame(r, &why);
}

static void check_balance(kt_saft_reader *r, const kt_entry *entry) {
    char texts[3][KT_AMOUNT_TEXT], what[300];
    kt_saft_sum off = r->debit;
    if (!kt_saft_sum_add(&off, kt_saft_sum_minus(r->credit)) || off.units == 0) return;
    (void)snprintf(what, sizeof what, "does not balance: debit %s, credit %s, off by %s", show(r, r->debit, texts[0]),
                   show(r, r->credit, texts[1]), show(r, off, texts[2]));
    blame(r, entry, KT_UNBALANCED, what);
}

/* "file:line: transaction 1001: ..." for every reason there may be. */
static kt_code refuse_transaction(const kt_saft_reader *r, const kt_entry *entry, kt_error *error) {
    char place[32], shown[KT_SHOWN];
    size_t skip = strlen(r->source->name) + 1;
    const char *what = r->fault.text;
    if (strncmp(what, r->source->name, skip - 1) == 0 && what[skip - 1] == ':') what += skip;
    (void)snprintf(place, sizeof place, "%zu: ", entry->file_line);
    size_t digits = strspn(what, "0123456789");
    bool line = digits > 0 && digits < sizeof place - 2 && what[digits] == ':';
    if (line) (void)snprintf(place, sizeof place, "%.*s: ", (int)digits, what);
    if (line) what += digits + 2;
    if (entry->voucher.size == 0)
        return kt_fail(error, r->fault.code, "%s:%sa transaction without an id: %s", r->source->name, place, what);
    return kt_fail(error, r->fault.code, "%s:%stransaction %s: %s", r->source->name, place,
                   kt_text_show(entry->voucher, shown), what);
}

static kt_code end_transaction(kt_saft_reader *r, const kt_saft_event *event, kt_item *item, kt_error *error) {
    kt_entry *entry = &item->entry;
    kt_saft_facts *facts = &r->facts;
    facts->entries++;
    item->raw = r->source->data + event->begin;
    item->raw_size = event->end - event->begin;
    item->before = (kt_str){r->journal, r->journal_size};
    item->behind = kt_str_from(r->behind);
    entry->series = (kt_str){r->series, r->series_size};
    if (entry->voucher.size == 0) blame(r, entry, KT_INVALID, "has no TransactionID");
    if (!read_date(r->date, &entry->date)) {
        char shown[KT_SHOWN], what[160];
        (void)snprintf(what, sizeof what, "has the TransactionDate %s; expected YYYY-MM-DD",
                       r->date.size ? kt_text_show_figure(r->date, shown) : "(none)");
        blame(r, entry, KT_INVALID, what);
    } else if ((facts->from != KT_DAY_NONE && entry->date < facts->from) ||
               (facts->to != KT_DAY_NONE && entry->date > facts->to))
        facts->outside++;
    if (r->line.number < 2)
        blame(r, entry, KT_UNBALANCED, r->line.number ? "has one line only; expected two or more" : "has no lines");
    check_balance(r, entry);
    entry->minus = r->minus && !r->plus;
    if (!entry->minus) facts->turned += r->negatives;
    kt_gather_finish(&r->gather, entry);
    if (!r->faulty) return KT_OK;
    item->can_go_on = true;
    return refuse_transaction(r, entry, error);
}

static void begin_transaction(kt_saft_reader *r, const kt_saft_event *event, kt_item *item) {
    kt_gather_reset(&r->gather);
    kt_saft_texts_reset(&r->texts);
    r->line = (kt_saft_line){0};
    r->date = (kt_str){0};
    r->minus = r->plus = r->faulty = false;
    r->negatives = 0;
    r->debit = r->credit = (kt_saft_sum){0};
    item->kind = KT_ITEM_ENTRY;
    item->entry = (kt_entry){.date = KT_DAY_NONE, .file = r->source->name, .file_line = event->line};
}

static kt_code read_transaction(kt_saft_reader *r, const kt_saft_event *first, kt_item *item, kt_error *error) {
    kt_saft_event event;
    bool in_line = false;
    begin_transaction(r, first, item);
    for (;;) {
        kt_code code = kt_saft_xml_next(r->xml, &event, error);
        if (code != KT_OK) return code;
        if (event.name == KT_SAFT_LINE && event.parent == KT_SAFT_TRANSACTION && event.kind == KT_SAFT_OPEN) {
            size_t number = r->line.number + 1;
            r->line = (kt_saft_line){.number = number, .line = event.line};
            in_line = true;
        } else if (in_line) {
            code = kt_saft_line_event(r, &event, &item->entry, error);
            if (event.name == KT_SAFT_LINE && event.parent == KT_SAFT_TRANSACTION) in_line = false;
        } else if (event.kind == KT_SAFT_CLOSE && event.name == KT_SAFT_TRANSACTION && event.parent == KT_SAFT_JOURNAL)
            return end_transaction(r, &event, item, error);
        else if (event.kind == KT_SAFT_CLOSE && event.parent == KT_SAFT_TRANSACTION)
            code = on_transaction(r, &event, &item->entry, error);
        if (code != KT_OK) return code;
    }
}

/* ---- Journals ----------------------------------------------------------------------------------- */

/* The JournalID stands in the reject file as it stands here. */
static kt_code set_journal(kt_saft_reader *r, const kt_saft_event *event, kt_error *error) {
    const char *prefix = kt_saft_xml_prefix(r->xml);
    size_t own = event ? event->end - event->begin : 0, wanted = own + strlen(prefix) + 16;
    if (event && event->cut)
        return kt_fail(error, KT_LIMIT, "%s:%zu: JournalID is longer than 4096 bytes", r->source->name, event->line);
    if (wanted > r->journal_room) {
        char *larger = realloc(r->journal, wanted);
        if (!larger) return kt_fail(error, KT_MEMORY, "%s: no memory", r->source->name);
        r->journal = larger;
        r->journal_room = wanted;
    }
    r->journal_size = (size_t)snprintf(r->journal, r->journal_room, "<%sJournal>", prefix);
    if (own) memcpy(r->journal + r->journal_size, r->source->data + event->begin, own);
    r->journal_size += own;
    r->series_size = event ? event->text.size : 0;
    if (r->series_size) memcpy(r->series, event->text.data, r->series_size);
    (void)snprintf(r->behind, sizeof r->behind, "</%sJournal>\n", prefix);
    return KT_OK;
}

static kt_code on_close(kt_saft_reader *r, const kt_saft_event *event, kt_error *error) {
    switch (event->parent) {
    case KT_SAFT_HEADER: on_header(r, event); break;
    case KT_SAFT_SELECTION: on_selection(r, event); break;
    case KT_SAFT_COMPANY:
        if (event->name == KT_SAFT_NAME) TAKE(r->facts.company, event->text);
        if (event->name == KT_SAFT_REGISTRATION) TAKE(r->facts.company_number, event->text);
        break;
    case KT_SAFT_ANALYSIS_TYPE_TABLE_ENTRY:
        if (event->name == KT_SAFT_ANALYSIS_TYPE) (void)kt_saft_dimension(&r->facts, event->text);
        break;
    case KT_SAFT_ENTRIES: on_totals(r, event); break;
    case KT_SAFT_JOURNAL:
        if (event->name == KT_SAFT_JOURNAL_ID) return set_journal(r, event, error);
        break;
    default: break;
    }
    return KT_OK;
}

/* ---- The format --------------------------------------------------------------------------------- */

static kt_code next_item(kt_saft_reader *r, kt_item *item, kt_error *error) {
    kt_saft_event event;
    for (;;) {
        kt_code code = kt_saft_xml_next(r->xml, &event, error);
        if (code != KT_OK) return code;
        r->facts.danish = kt_saft_xml_danish(r->xml);
        bool open = event.kind == KT_SAFT_OPEN;
        if (open && event.name == KT_SAFT_ACCOUNT && event.parent == KT_SAFT_ACCOUNTS)
            return read_account(r, item, error);
        if (open && event.name == KT_SAFT_TRANSACTION && event.parent == KT_SAFT_JOURNAL)
            return read_transaction(r, &event, item, error);
        if (open && event.name == KT_SAFT_JOURNAL) code = set_journal(r, NULL, error);
        if (!open) code = on_close(r, &event, error);
        if (!open && code == KT_OK && event.name == KT_SAFT_ACCOUNTS && r->openings) {
            bool any;
            code = make_openings(r, event.line, item, &any, error);
            if (any) return code;
        }
        if (code != KT_OK) return code;
    }
}

static kt_code saft_next(void *context, kt_item *item, kt_error *error) {
    kt_saft_reader *r = context;
    *item = (kt_item){.kind = KT_ITEM_ENTRY, .entry.date = KT_DAY_NONE, .raw = r->source->data};
    item->entry.file = r->source->name;
    item->entry.file_line = kt_saft_xml_line(r->xml);
    kt_code code = next_item(r, item, error);
    item->done = kt_saft_xml_done(r->xml);
    return code;
}

static void saft_close(void *context) {
    kt_saft_reader *r = context;
    if (!r) return;
    kt_saft_xml_close(r->xml);
    kt_saft_facts_release(&r->facts);
    kt_gather_release(&r->gather);
    kt_saft_texts_release(&r->texts);
    free(r->journal);
    free(r);
}

static kt_code saft_open(const kt_source *source, const kt_format_options *options, void **out, kt_error *error) {
    *out = NULL;
    if (options->decimal || options->group || options->delimiter || options->date_format || options->encoding ||
        options->virtual_postings || options->symbols)
        return kt_fail(error, KT_USAGE,
                       "format saft has none of these options: --decimal, --group, --delimiter, --date-format, "
                       "--encoding, --virtual, --symbol");
    kt_saft_reader *r = calloc(1, sizeof *r);
    if (!r) return kt_fail(error, KT_MEMORY, "%s: no memory", source->name);
    r->source = source;
    r->openings = options->openings;
    kt_saft_facts_init(&r->facts);
    kt_code code = kt_saft_xml_open(source, &r->xml, error);
    if (code == KT_OK) *out = r;
    else saft_close(r);
    return code;
}

/* A file of its own, but for what is not needed to read its transactions again. */
static kt_str saft_preamble(void *context) {
    kt_saft_reader *r = context;
    const char *prefix = kt_saft_xml_prefix(r->xml);
    bool named = prefix[0] != 0;
    int size = snprintf(r->preamble, sizeof r->preamble,
                        "<?xml version=\"1.0\" encoding=\"%s\"?>\n<%sAuditFile xmlns%s%.*s=\"%s\">\n<%sHeader>"
                        "<%sDefaultCurrencyCode>%.3s</%sDefaultCurrencyCode></%sHeader>\n<%sGeneralLedgerEntries>\n",
                        kt_saft_xml_encoding(r->xml), prefix, named ? ":" : "", named ? (int)strlen(prefix) - 1 : 0,
                        prefix, r->facts.danish ? KT_SAFT_DK : KT_SAFT_NO, prefix, prefix,
                        strpbrk(r->facts.currency, "<&>") ? "" : r->facts.currency, prefix, prefix, prefix);
    return (kt_str){r->preamble, size > 0 && (size_t)size < sizeof r->preamble ? (size_t)size : 0};
}

static kt_str saft_closing(void *context) {
    kt_saft_reader *r = context;
    static const char *const format = "</%sGeneralLedgerEntries>\n</%sAuditFile>\n";
    const char *prefix = kt_saft_xml_prefix(r->xml);
    int size = snprintf(r->ending, sizeof r->ending, format, prefix, prefix);
    return (kt_str){r->ending, size > 0 ? (size_t)size : 0};
}

static const char *const suffixes[] = {".xml", NULL};

const kt_format kt_format_saft = {"saft", suffixes, saft_open, saft_next, saft_close, saft_preamble, saft_closing};
