/* The journal reader on anything. What it gives must be whole: currencies and accounts first, every line with an
   account, and costs and uncosted amounts that sum to zero in each currency (law 2). */
#include <stdlib.h>
#include <string.h>

#include "engine/exchange/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) abort();
}

#define CURRENCIES 64

typedef struct sum {
    kt_str currency;
    kt_amount units;
    uint8_t decimals;
} sum;

static kt_amount power(unsigned exponent) {
    kt_amount value = 1;
    while (exponent-- > 0) value *= 10;
    return value;
}

/* False where the sum would not fit or there are too many currencies to follow. */
static bool add(sum *sums, size_t *count, kt_str currency, kt_amount units, uint8_t decimals) {
    size_t at = 0;
    while (at < *count && !kt_str_equal(sums[at].currency, currency)) at++;
    if (at == CURRENCIES) return false;
    if (at == *count) sums[(*count)++] = (sum){currency, 0, 0};
    uint8_t most = decimals > sums[at].decimals ? decimals : sums[at].decimals;
    kt_amount x, y;
    if (__builtin_mul_overflow(sums[at].units, power((unsigned)(most - sums[at].decimals)), &x) ||
        __builtin_mul_overflow(units, power((unsigned)(most - decimals)), &y) || __builtin_add_overflow(x, y, &x))
        return false;
    sums[at].units = x;
    sums[at].decimals = most;
    return true;
}

static void check_entry(const kt_entry *entry) {
    sum sums[CURRENCIES];
    size_t count = 0;
    bool followed = true;
    must(entry->line_count > 0 && entry->date != KT_DAY_NONE);
    for (size_t i = 0; i < entry->line_count; i++) {
        const kt_line *line = &entry->lines[i];
        must(line->account.size > 0);
        must(line->amount_given >= 1 && line->amount_given <= KT_DECIMALS_MAX + 1);
        must(line->amount <= kt_amount_limit() && line->amount >= -kt_amount_limit());
        if (line->has_cost) {
            must(line->cost_given >= 1 && line->cost_given <= KT_DECIMALS_MAX + 1);
            must(line->cost == 0 || (line->cost > 0) == (line->amount > 0));
        }
        followed = followed && add(sums, &count, line->has_cost ? line->cost_currency : line->currency,
                                   line->has_cost ? line->cost : line->amount,
                                   (uint8_t)((line->has_cost ? line->cost_given : line->amount_given) - 1));
    }
    for (size_t i = 0; followed && i < count; i++) must(sums[i].units == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    /* The last byte chooses, so that each reading is reached. */
    kt_virtual virtuals = size == 0 ? KT_VIRTUAL_REFUSE : data[size - 1] == '\n' ? KT_VIRTUAL_KEEP : data[size - 1] % 3;
    kt_format_options options = {.virtual_postings = virtuals};
    kt_source source = {.name = "fuzz", .data = data, .size = size};
    void *reader;
    kt_error error;
    if (kt_format_journal.open(&source, &options, &reader, &error) != KT_OK) return 0;
    kt_item item;
    int stage = 0;
    size_t refused = 0;
    for (;;) {
        kt_code code = kt_format_journal.next(reader, &item, &error);
        if (code == KT_END) break;
        if (code != KT_OK) {
            must(error.code == code && strncmp(error.text, "fuzz:", 5) == 0);
            if (!item.can_go_on) break;
            must(++refused <= size);
            continue;
        }
        int next = item.kind == KT_ITEM_CURRENCY ? 0 : item.kind == KT_ITEM_ACCOUNT ? 1 : 2;
        must(next >= stage);
        stage = next;
        must(item.kind != KT_ITEM_LEFT_OUT || virtuals == KT_VIRTUAL_DROP);
        if (item.kind == KT_ITEM_ENTRY) {
            check_entry(&item.entry);
            must(item.raw >= data && item.raw + item.raw_size <= data + size && item.done <= size);
        }
    }
    kt_format_journal.close(reader);
    return 0;
}
