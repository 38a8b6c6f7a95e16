#include <stdlib.h>

#include "cli/common.h"

enum { NUMBER, STATUS, DATE, SERIES, VOUCHER, TEXT, AMOUNT, LINES, PROPOSER, DECIDED, DECIDER, REASON, COUNT };

static const kt_column columns[COUNT] = {
    [NUMBER] = {"number", "number", KT_CELL_NUMBER, false},
    [STATUS] = {"status", "status", KT_CELL_TEXT, false},
    [DATE] = {"date", "date", KT_CELL_TEXT, false},
    [SERIES] = {"series", "series", KT_CELL_TEXT, false},
    [VOUCHER] = {"voucher", "voucher", KT_CELL_TEXT, false},
    [TEXT] = {"text", "text", KT_CELL_PROSE, false},
    [AMOUNT] = {"debit", "debit", KT_CELL_AMOUNT, false},
    [LINES] = {"lines", "lines", KT_CELL_COUNT, false},
    [PROPOSER] = {"proposer", "proposer", KT_CELL_TEXT, false},
    [DECIDED] = {"decided", "decided by record", KT_CELL_NUMBER, false},
    [DECIDER] = {"decider", "decider", KT_CELL_TEXT, false},
    [REASON] = {"reason", "reason", KT_CELL_PROSE, false},
};

static const char *status_name(kt_proposal_status status) {
    return status == KT_PROPOSAL_APPROVED ? "approved" : status == KT_PROPOSAL_REJECTED ? "rejected" : "open";
}

static kt_code print_row(const kt_reading *reading, kt_out *out, const kt_proposal *proposal, kt_error *error) {
    kt_entry_view *view = NULL;
    kt_amount debit = 0;
    kt_code code = kt_entry_read(reading->view, proposal->number, &view, error);
    if (code != KT_OK) return code;
    const kt_entry *entry = &view->entry;
    for (size_t i = 0; i < entry->line_count; i++) {
        const kt_line *line = &entry->lines[i];
        bool own = line->currency.size == 0 || kt_str_equal(line->currency, reading->company.currency);
        bool cost = line->has_cost &&
                    (line->cost_currency.size == 0 || kt_str_equal(line->cost_currency, reading->company.currency));
        kt_amount amount = own ? line->amount : cost ? line->cost : 0;
        if (amount > 0) debit += amount;
    }
    kt_out_count(out, NUMBER, proposal->number);
    kt_out_words(out, STATUS, status_name(proposal->status));
    kt_out_day(out, DATE, entry->date);
    kt_out_text(out, SERIES, entry->series);
    kt_out_text(out, VOUCHER, entry->voucher);
    kt_out_text(out, TEXT, entry->text);
    kt_out_amount(out, AMOUNT, debit, reading->decimals);
    kt_out_count(out, LINES, entry->line_count);
    kt_out_text(out, PROPOSER, proposal->proposer);
    if (proposal->decided != 0) kt_out_count(out, DECIDED, proposal->decided);
    kt_out_text(out, DECIDER, proposal->decider);
    kt_out_text(out, REASON, proposal->reason);
    code = kt_out_row(out, error);
    kt_entry_view_free(view);
    return code;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading;
    kt_proposal *proposals = NULL;
    size_t count = 0;
    kt_out *out = NULL;
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK)
        code = kt_view_proposals(reading.view, !kt_given_flag(arguments, "all"), &proposals, &count, error);
    if (code == KT_OK) code = kt_out_open(reading.style, columns, COUNT, false, &out, error);
    for (size_t i = 0; code == KT_OK && i < count; i++) code = print_row(&reading, out, &proposals[i], error);
    kt_code closed = kt_out_close(out, error);
    if (code == KT_OK) code = closed;
    if (code == KT_OK && count == 0) kt_say(reading.style, "nothing is proposed\n");
    free(proposals);
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"all", NULL, "those that were decided too", NULL, false, false},
    {"as-known", "TIME", "as the book stood then", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_proposals = {
    .name = "proposals",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_POSTING,
    .summary = "list what is proposed and waits for another's approval",
    .about = "kontor entry NUMBER shows one whole.",
    .options = options,
    .example = "kontor proposals --all --json",
    .run = run,
};
