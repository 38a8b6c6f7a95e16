/* The ads reader on a real general ledger, held against counts made by other means. */
#include <string.h>

#include "engine/exchange/source.h"
#include "tests/outside/ads_independent.h"
#include "tests/tap.h"

static ads_counts ours, theirs;

static void add_line(const kt_line *line) {
    size_t i = 0;
    while (i < ours.sum_count && (strlen(ours.sums[i].account) != line->account.size ||
                                  memcmp(ours.sums[i].account, line->account.data, line->account.size) ||
                                  memcmp(ours.sums[i].currency, line->currency.data, 3)))
        i++;
    if (i == ours.sum_count) {
        ours.sum_count++;
        snprintf(ours.sums[i].account, 16, "%.*s", (int)line->account.size, line->account.data);
        snprintf(ours.sums[i].currency, 4, "%.*s", (int)line->currency.size, line->currency.data);
    }
    kt_amount amount = 0;
    kt_amount_rescale(line->amount, (uint8_t)(line->amount_given - 1), 2, KT_ROUND_EXACT, &amount);
    ours.sums[i].all += (int64_t)amount;
}

static void add_entry(const kt_entry *entry) {
    kt_amount off = 0, amount;
    for (size_t i = 0; i < entry->line_count; i++) {
        add_line(&entry->lines[i]);
        kt_amount_rescale(entry->lines[i].amount, (uint8_t)(entry->lines[i].amount_given - 1), 2, KT_ROUND_EXACT,
                          &amount);
        off += amount;
    }
    ours.entries++;
    ours.lines += entry->line_count;
    if (off != 0 && ours.lopsided_count < 100) {
        ads_off *lopsided = &ours.lopsided[ours.lopsided_count++];
        snprintf(lopsided->journal, 16, "%.*s", (int)entry->voucher.size, entry->voucher.data);
        lopsided->off = (int64_t)off;
    }
}

static void compare(void) {
    is_int((long long)ours.entries, (long long)theirs.entries, "as many entries as journal ids");
    is_int((long long)ours.entries, 13295, "which are 13,295");
    is_int((long long)ours.lines, 28160, "and 28,160 lines");
    is_int((long long)ours.lines, (long long)theirs.lines, "as counted");
    is_int((long long)ours.lopsided_count, 4, "exactly four do not balance");
    for (size_t i = 0; i < 4; i++) {
        is_text(ours.lopsided[i].journal, theirs.lopsided[i].journal, "by the same journal id");
        is_int(ours.lopsided[i].off, theirs.lopsided[i].off, "and off by the same amount");
    }
    is_int((long long)ours.sum_count, (long long)theirs.sum_count, "as many accounts and currencies");
    size_t equal = 0;
    for (size_t i = 0; i < ours.sum_count; i++)
        for (size_t k = 0; k < theirs.sum_count; k++)
            equal += !strcmp(ours.sums[i].account, theirs.sums[k].account) &&
                     !strcmp(ours.sums[i].currency, theirs.sums[k].currency) && ours.sums[i].all == theirs.sums[k].all;
    is_int((long long)equal, (long long)theirs.sum_count, "each with the same balance");
}

int main(void) {
    char path[4096];
    if (!ads_file(path, sizeof path)) skip_all("the outside cases are not here");
    is_int(ads_count(path, &theirs), 0, "the file is counted by other means");
    kt_source_file *file = NULL;
    kt_error error = {0};
    const kt_format *format = NULL;
    is_code(kt_source_open(path, &file, &error), KT_OK, "the file opens");
    is_code(kt_format_find(NULL, path, &format, &error), KT_OK, "its format is guessed from the standard's name");
    is_text(format->name, "ads", "as ads");
    kt_format_options none = {0};
    void *reader = NULL;
    is_code(format->open(kt_source_of(file), &none, &reader, &error), KT_OK,
            "its header row, with a stray blank, is read");
    kt_code code;
    kt_item item;
    kt_day first = KT_DAY_MAX, last = KT_DAY_MIN;
    while ((code = format->next(reader, &item, &error)) == KT_OK) {
        add_entry(&item.entry);
        first = item.entry.date < first ? item.entry.date : first;
        last = item.entry.date > last ? item.entry.date : last;
    }
    is_code(code, KT_END, "it is read to its end without a refusal (%s)", error.text);
    compare();
    char day[KT_DAY_TEXT];
    is_text(kt_day_format(first, day), "2007-01-01", "no entry carries the filler date");
    diag("last date %s", kt_day_format(last, day));
    format->close(reader);
    kt_source_close(file);
    return done();
}
