/* saft_line: what stands within a Line of a SAF-T file, and the rules by which it becomes a line of an entry. */
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/saft.h"
#include "engine/exchange/text.h"

#define BLOCK ((size_t)65536)

struct kt_saft_block {
    struct kt_saft_block *next;
    size_t used;
    char data[BLOCK];
};

/* ---- Texts -------------------------------------------------------------------------------------- */

void kt_saft_texts_release(kt_saft_texts *texts) {
    while (texts->blocks) {
        struct kt_saft_block *next = texts->blocks->next;
        free(texts->blocks);
        texts->blocks = next;
    }
}

void kt_saft_texts_reset(kt_saft_texts *texts) {
    if (!texts->blocks) return;
    kt_saft_texts rest = {texts->blocks->next};
    kt_saft_texts_release(&rest);
    texts->blocks->next = NULL;
    texts->blocks->used = 0;
}

kt_code kt_saft_texts_copy(kt_saft_texts *texts, kt_str *text, kt_error *error) {
    if (text->size == 0) {
        *text = (kt_str){0};
        return KT_OK;
    }
    if (!texts->blocks || BLOCK - texts->blocks->used < text->size) { /* no text is longer than a block */
        struct kt_saft_block *block = malloc(sizeof *block);
        if (!block) return kt_fail(error, KT_MEMORY, "no memory for the texts of a transaction");
        block->next = texts->blocks;
        block->used = 0;
        texts->blocks = block;
    }
    char *to = texts->blocks->data + texts->blocks->used;
    memcpy(to, text->data, text->size);
    texts->blocks->used += text->size;
    text->data = to;
    return KT_OK;
}

void kt_saft_blame(kt_saft_reader *reader, const kt_error *why) {
    if (reader->faulty) return;
    reader->faulty = true;
    reader->fault = *why;
}

/* "file:line: line 2 ..." */
static void blame_line(kt_saft_reader *reader, size_t line, kt_code code, const char *what) {
    kt_error why;
    kt_fail(&why, code, "%s:%zu: line %zu %s", reader->source->name, line, reader->line.number, what);
    kt_saft_blame(reader, &why);
}

/* ---- Values ------------------------------------------------------------------------------------- */

bool kt_saft_figure_read(kt_str text, kt_saft_figure *out, const char **why) {
    char room[64];
    size_t size = 0;
    if (text.size && text.data[0] == '+') {
        text.data++;
        text.size--;
        if (text.size && text.data[0] == '-') text.size = 0;
    }
    if (text.size == 0 || text.size > sizeof room - 2) {
        *why = "is no number";
        return false;
    }
    /* xs:decimal allows ".5" and "5."; kt_number_parse wants digits on both sides. */
    for (size_t i = 0; i < text.size; i++) {
        bool bare = text.data[i] == '.' && (i == 0 || text.data[i - 1] == '-') && i + 1 < text.size;
        if (bare) room[size++] = '0';
        if (text.data[i] == '.' && i + 1 == text.size && i > 0 && text.data[i - 1] != '-') break;
        room[size++] = text.data[i];
    }
    kt_number_fault fault = kt_number_parse(room, size, '.', 0, &out->sum.units, &out->sum.decimals);
    out->given = fault == KT_NUMBER_OK;
    *why = fault == KT_NUMBER_OK ? NULL : kt_number_fault_text(fault);
    return out->given;
}

static void read_figure(kt_saft_reader *reader, const kt_saft_event *event, kt_saft_figure *out) {
    const char *why;
    char what[160], shown[KT_SHOWN];
    if (kt_saft_figure_read(event->text, out, &why)) return;
    (void)snprintf(what, sizeof what, "has the amount %s: %s; expected digits, decimals behind '.'",
                   event->text.size ? kt_text_show_figure(event->text, shown) : "(empty)", why);
    blame_line(reader, event->line, KT_INVALID, what);
    out->given = true; /* so that it is not said to be missing as well */
}

static bool one_of(kt_str type, const char *const *words) {
    for (; *words; words++) {
        size_t i = 0, size = strlen(*words);
        if (size != type.size) continue;
        for (; i < size; i++) {
            char c = type.data[i] >= 'a' && type.data[i] <= 'z' ? (char)(type.data[i] - 32) : type.data[i];
            if (c != (*words)[i]) break;
        }
        if (i == size) return true;
    }
    return false;
}

uint8_t kt_saft_dimension(kt_saft_facts *facts, kt_str type) {
    static const char *const cost_centre[] = {"K", "KST", "CC", NULL}, *const department[] = {"A", "AVD", "DEP", NULL},
                             *const project[] = {"P", "PRO", "PROJ", NULL};
    char own[4];
    uint8_t found = one_of(type, cost_centre)  ? KT_DIMENSION_COST_CENTRE
                    : one_of(type, department) ? KT_DIMENSION_DEPARTMENT
                    : one_of(type, project)    ? KT_DIMENSION_PROJECT
                                               : 0;
    if (type.size == 0 || type.size >= sizeof facts->analyses[0]) return 0;
    for (uint8_t d = KT_DIMENSION_PROJECT + 1; d <= KT_DIMENSIONS_MAX && !found; d++) {
        const char *const words[] = {own, NULL};
        (void)snprintf(own, sizeof own, "D%u", d);
        if (one_of(type, words) && !facts->analyses[d][0]) found = d;
    }
    for (uint8_t d = KT_DIMENSION_PROJECT + 1; d <= KT_DIMENSIONS_MAX; d++)
        if (kt_str_equal(kt_str_from(facts->analyses[d]), type)) return d;
    for (uint8_t d = KT_DIMENSION_PROJECT + 1; d <= KT_DIMENSIONS_MAX && !found; d++)
        if (!facts->analyses[d][0]) found = d;
    if (found && !facts->analyses[found][0]) memcpy(facts->analyses[found], type.data, type.size);
    return found;
}

/* ---- The line ----------------------------------------------------------------------------------- */

static void end_analysis(kt_saft_reader *reader) {
    kt_saft_line *line = &reader->line;
    uint8_t d = line->dimension;
    if (d == 0 || line->value.size == 0 || line->value.size > KT_DIMENSION_VALUE_MAX || line->dimensions[d].size) {
        line->analysis = true;
        return;
    }
    line->dimensions[d] = line->value;
    line->is_split[d] = line->split.given;
    line->splits[d] = line->split.sum;
}

static kt_code keep(kt_saft_reader *reader, const kt_saft_event *event, kt_str *to, kt_error *error) {
    if (event->cut) blame_line(reader, event->line, KT_LIMIT, "has a text of more than 4096 bytes");
    *to = event->text;
    return kt_saft_texts_copy(&reader->texts, to, error);
}

static kt_code on_amount(kt_saft_reader *reader, const kt_saft_event *event, kt_error *error) {
    kt_saft_line *line = &reader->line;
    kt_saft_figure *side = line->credit_open ? &line->credit : &line->debit;
    switch (event->name) {
    case KT_SAFT_AMOUNT: read_figure(reader, event, side); break;
    case KT_SAFT_CURRENCY_AMOUNT: read_figure(reader, event, &line->foreign); break;
    case KT_SAFT_CURRENCY_CODE: return keep(reader, event, &line->currency, error);
    default: break;
    }
    return KT_OK;
}

/* Which side counts: of two the one that is not zero. */
static bool is_credit(const kt_saft_line *line) {
    return line->credit.given && (!line->debit.given || line->debit.sum.units == 0);
}

/* The line's amount in the file's own currency, debit above zero. False: it has none, and why is said. */
static bool own_amount(kt_saft_reader *reader, kt_saft_sum *out) {
    const kt_saft_line *line = &reader->line;
    bool credit = is_credit(line);
    const kt_saft_figure *side = credit ? &line->credit : &line->debit;
    if (line->debit.given && line->credit.given && line->debit.sum.units != 0 && line->credit.sum.units != 0) {
        blame_line(reader, line->line, KT_INVALID, "has a DebitAmount and a CreditAmount; expected one of them");
        return false;
    }
    if (!side->given) {
        blame_line(reader, line->line, KT_INVALID, "has no DebitAmount and no CreditAmount; expected one of them");
        return false;
    }
    reader->minus = reader->minus || side->sum.units < 0;
    reader->plus = reader->plus || side->sum.units > 0;
    reader->negatives += side->sum.units < 0;
    *out = credit ? kt_saft_sum_minus(side->sum) : side->sum;
    bool added = kt_saft_sum_add(credit ? &reader->credit : &reader->debit, side->sum) &&
                 kt_saft_sum_add(credit ? &reader->facts.credit : &reader->facts.debit, side->sum);
    if (!added) blame_line(reader, line->line, KT_OVERFLOW, "brings a sum beyond what can be counted");
    return added;
}

static bool as_much(kt_saft_sum a, kt_saft_sum b) {
    kt_saft_sum difference = kt_saft_sum_minus(b);
    return kt_saft_sum_add(&difference, a) && difference.units == 0;
}

static void set_amount(kt_saft_reader *reader, kt_line *to, kt_saft_sum own) {
    const kt_saft_line *line = &reader->line;
    const kt_saft_facts *facts = &reader->facts;
    kt_saft_sum foreign = line->foreign.sum;
    if (is_credit(line)) foreign = kt_saft_sum_minus(foreign);
    bool other = line->currency.size && !kt_str_equal(line->currency, kt_str_from(facts->currency));
    to->currency = kt_str_from(facts->currency);
    to->amount = own.units;
    to->amount_given = KT_AS_WRITTEN(own.decimals);
    if (!other) {
        if (line->foreign.given && line->currency.size && !as_much(foreign, own))
            blame_line(reader, line->line, KT_INVALID,
                       "has a CurrencyAmount in the file's own currency that is not its Amount");
        return;
    }
    if (!line->foreign.given) {
        blame_line(reader, line->line, KT_INVALID, "has a CurrencyCode without a CurrencyAmount");
        return;
    }
    if ((foreign.units < 0 && own.units > 0) || (foreign.units > 0 && own.units < 0)) {
        blame_line(reader, line->line, KT_INVALID, "has a CurrencyAmount on the other side than its Amount");
        return;
    }
    to->cost = own.units;
    to->cost_given = to->amount_given;
    to->cost_currency = to->currency;
    to->has_cost = true;
    to->currency = line->currency;
    to->amount = foreign.units;
    to->amount_given = KT_AS_WRITTEN(foreign.decimals);
}

static kt_code post_to_account(kt_saft_reader *reader, kt_saft_sum own, bool credit, kt_error *error) {
    kt_saft_row *row;
    kt_code code = kt_saft_facts_row(&reader->facts, reader->line.account, &row, error);
    if (code != KT_OK) return code;
    if (!kt_saft_sum_add(credit ? &row->credit : &row->debit, credit ? kt_saft_sum_minus(own) : own))
        blame_line(reader, reader->line.line, KT_OVERFLOW, "brings an account's sum beyond what can be counted");
    return KT_OK;
}

static kt_code add_dimensions(kt_saft_reader *reader, kt_saft_sum own, kt_error *error) {
    kt_saft_line *line = &reader->line;
    for (uint8_t d = 1; d <= KT_DIMENSIONS_MAX; d++) {
        if (!line->dimensions[d].size) continue;
        kt_saft_sum split = line->splits[d];
        if (line->is_split[d] && !as_much(split, own) && !as_much(kt_saft_sum_minus(split), own)) {
            line->analysis = true;
            continue;
        }
        kt_code code = kt_gather_dimension(&reader->gather, d, line->dimensions[d]);
        if (code != KT_OK) return kt_fail(error, code, "%s:%zu: no memory", reader->source->name, line->line);
    }
    return KT_OK;
}

static kt_code end_line(kt_saft_reader *reader, const kt_entry *entry, kt_error *error) {
    kt_saft_line *line = &reader->line;
    kt_saft_facts *facts = &reader->facts;
    kt_saft_sum own;
    kt_code code = KT_OK;
    facts->lines++;
    if (line->account.size == 0) blame_line(reader, line->line, KT_INVALID, "has no AccountID");
    if (!own_amount(reader, &own)) return KT_OK;
    if (line->account.size) code = post_to_account(reader, own, is_credit(line), error);
    if (code != KT_OK) return code;
    kt_line *to = kt_gather_line(&reader->gather, &code);
    if (!to && code == KT_LIMIT) {
        blame_line(reader, line->line, KT_LIMIT, "is one too many: an entry has at most 1,000,000");
        return KT_OK;
    }
    if (!to) return kt_fail(error, code, "%s:%zu: no memory", reader->source->name, line->line);
    to->account = line->account;
    if (!kt_str_equal(line->text, entry->text)) to->text = line->text;
    to->ref = line->reference.size ? line->reference : line->document;
    to->tax_code = line->tax_code;
    set_amount(reader, to, own);
    code = add_dimensions(reader, own, error);
    facts->analyses_left_out += line->analysis;
    facts->parties_left_out += line->party;
    facts->taxes_left_out += line->tax;
    return code;
}

static kt_code on_close(kt_saft_reader *reader, const kt_saft_event *event, kt_error *error) {
    kt_saft_line *line = &reader->line;
    switch (event->name) {
    case KT_SAFT_ACCOUNT_ID: return keep(reader, event, &line->account, error);
    case KT_SAFT_DESCRIPTION: return keep(reader, event, &line->text, error);
    case KT_SAFT_REFERENCE: return keep(reader, event, &line->reference, error);
    case KT_SAFT_SOURCE_DOCUMENT: return keep(reader, event, &line->document, error);
    case KT_SAFT_CUSTOMER_ID:
    case KT_SAFT_SUPPLIER_ID: line->party = line->party || event->text.size > 0; break;
    case KT_SAFT_ANALYSIS: end_analysis(reader); break;
    case KT_SAFT_DEBIT_AMOUNT: /* OECD's first layout has the amount here itself */
    case KT_SAFT_CREDIT_AMOUNT:
        if (event->leaf && event->text.size)
            read_figure(reader, event, event->name == KT_SAFT_CREDIT_AMOUNT ? &line->credit : &line->debit);
        break;
    default: break;
    }
    return KT_OK;
}

kt_code kt_saft_line_event(kt_saft_reader *reader, const kt_saft_event *event, const kt_entry *entry, kt_error *error) {
    kt_saft_line *line = &reader->line;
    if (event->kind == KT_SAFT_OPEN) {
        if (event->name == KT_SAFT_DEBIT_AMOUNT || event->name == KT_SAFT_CREDIT_AMOUNT)
            line->credit_open = event->name == KT_SAFT_CREDIT_AMOUNT;
        if (event->name == KT_SAFT_ANALYSIS) {
            line->dimension = 0;
            line->value = (kt_str){0};
            line->split = (kt_saft_figure){0};
        }
        return KT_OK;
    }
    if (event->name == KT_SAFT_LINE) return end_line(reader, entry, error);
    switch (event->parent) {
    case KT_SAFT_LINE: return on_close(reader, event, error);
    case KT_SAFT_DEBIT_AMOUNT:
    case KT_SAFT_CREDIT_AMOUNT: return on_amount(reader, event, error);
    case KT_SAFT_ANALYSIS:
        if (event->name == KT_SAFT_ANALYSIS_TYPE) line->dimension = kt_saft_dimension(&reader->facts, event->text);
        if (event->name == KT_SAFT_ANALYSIS_ID) return keep(reader, event, &line->value, error);
        break;
    case KT_SAFT_ANALYSIS_AMOUNT:
        if (event->name == KT_SAFT_AMOUNT) read_figure(reader, event, &line->split);
        break;
    case KT_SAFT_TAX_INFORMATION:
        if (event->name == KT_SAFT_TAX_CODE && line->tax_code.size == 0)
            return keep(reader, event, &line->tax_code, error);
        line->tax = true; /* a second code, a percentage, an amount */
        break;
    default: break;
    }
    return KT_OK;
}
