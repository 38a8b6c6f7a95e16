#include "engine/exchange/saft_facts.h"

#include <stdlib.h>
#include <string.h>

#include "engine/exchange/text.h"

struct kt_saft_text {
    struct kt_saft_text *next;
    char data[];
};

bool kt_saft_sum_add(kt_saft_sum *sum, kt_saft_sum more) {
    uint8_t decimals = sum->decimals > more.decimals ? sum->decimals : more.decimals;
    kt_amount a, b;
    if (!kt_amount_rescale(sum->units, sum->decimals, decimals, KT_ROUND_EXACT, &a) ||
        !kt_amount_rescale(more.units, more.decimals, decimals, KT_ROUND_EXACT, &b) || !kt_amount_add(a, b, &a))
        return false;
    *sum = (kt_saft_sum){a, decimals};
    return true;
}

void kt_saft_facts_init(kt_saft_facts *facts) {
    memset(facts, 0, sizeof *facts);
    facts->from = facts->to = KT_DAY_NONE;
}

void kt_saft_facts_release(kt_saft_facts *facts) {
    while (facts->texts) {
        struct kt_saft_text *next = facts->texts->next;
        free(facts->texts);
        facts->texts = next;
    }
    free(facts->rows);
    free(facts->slots);
    facts->rows = NULL;
    facts->slots = NULL;
}

kt_code kt_saft_facts_keep(kt_saft_facts *facts, kt_str *text, kt_error *error) {
    if (text->size == 0) {
        *text = (kt_str){0};
        return KT_OK;
    }
    struct kt_saft_text *copy = malloc(sizeof *copy + text->size);
    if (!copy) return kt_fail(error, KT_MEMORY, "no memory for the accounts of a file");
    memcpy(copy->data, text->data, text->size);
    copy->next = facts->texts;
    facts->texts = copy;
    text->data = copy->data;
    return KT_OK;
}

static size_t slot_of(const kt_saft_facts *facts, kt_str code) {
    size_t mask = facts->slot_count - 1;
    size_t at = (size_t)kt_text_hash(KT_HASH_START, code.data, code.size) & mask;
    while (facts->slots[at] && !kt_text_same(facts->rows[facts->slots[at] - 1].code, code)) at = (at + 1) & mask;
    return at;
}

/* Half of the slots stay free, so that a search ends soon. */
static kt_code grow(kt_saft_facts *facts, kt_error *error) {
    if (facts->row_count == facts->row_room) {
        size_t room = facts->row_room ? facts->row_room * 2 : 64;
        kt_saft_row *rows = room > UINT32_MAX / 2 ? NULL : realloc(facts->rows, room * sizeof *rows);
        if (!rows) return kt_fail(error, KT_MEMORY, "no memory for the accounts of a file");
        facts->rows = rows;
        facts->row_room = room;
    }
    if (facts->row_count * 2 < facts->slot_count) return KT_OK;
    size_t count = facts->slot_count ? facts->slot_count * 2 : 256;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots) return kt_fail(error, KT_MEMORY, "no memory for the accounts of a file");
    free(facts->slots);
    facts->slots = slots;
    facts->slot_count = count;
    for (size_t i = 0; i < facts->row_count; i++) slots[slot_of(facts, facts->rows[i].code)] = (uint32_t)(i + 1);
    return KT_OK;
}

kt_code kt_saft_facts_row(kt_saft_facts *facts, kt_str code, kt_saft_row **out, kt_error *error) {
    kt_code result = grow(facts, error);
    if (result != KT_OK) return result;
    size_t slot = slot_of(facts, code);
    if (!facts->slots[slot]) {
        result = kt_saft_facts_keep(facts, &code, error);
        if (result != KT_OK) return result;
        facts->rows[facts->row_count++] = (kt_saft_row){.code = code};
        facts->slots[slot] = (uint32_t)facts->row_count;
    }
    *out = &facts->rows[facts->slots[slot] - 1];
    return KT_OK;
}
