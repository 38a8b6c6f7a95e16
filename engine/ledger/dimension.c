#include "engine/ledger/dimension.h"

#include <stdlib.h>

#include "storage/codec.h"

#define KEY_MAX 480u

struct kt_dimension_sets { /* the set asked for last, since neighbours are alike */
    uint8_t packed[KEY_MAX];
    size_t size;
    uint32_t id;
};

kt_code kt_dimensions_open(kt_dimension_sets **out, kt_error *error) {
    *out = calloc(1, sizeof **out);
    return *out == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
}

void kt_dimensions_close(kt_dimension_sets *sets) { free(sets); }
void kt_dimensions_forget(kt_dimension_sets *sets) { sets->size = 0; }

static size_t value_key(const kt_dimension *pair, uint8_t key[2 + KT_DIMENSION_VALUE_MAX]) {
    key[0] = 0;
    key[1] = pair->dimension;
    memcpy(key + 2, pair->value.data, pair->value.size);
    return 2 + pair->value.size;
}

kt_code kt_dimension_recorded(kt_state *state, const kt_dimension *pair, kt_error *error) {
    uint8_t key[2 + KT_DIMENSION_VALUE_MAX];
    kt_span value;
    return kt_state_get(state, KT_TABLE_DIMENSIONS, kt_span_of(key, value_key(pair, key)), &value, error);
}

kt_code kt_dimension_known(kt_ledger *ledger, const kt_dimension *pair, kt_error *error) {
    return kt_dimension_recorded(ledger->state, pair, error);
}

kt_code kt_dimension_check(const kt_dimension *pairs, size_t count, kt_error *error) {
    uint8_t last = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].dimension <= last || pairs[i].dimension > KT_DIMENSIONS_MAX)
            return kt_fail(error, KT_INVALID, "dimension %u: expected rising numbers from 1 to %d", pairs[i].dimension,
                           KT_DIMENSIONS_MAX);
        if (pairs[i].value.size == 0 || pairs[i].value.size > KT_DIMENSION_VALUE_MAX)
            return kt_fail(error, KT_LIMIT, "a value of dimension %u has %zu bytes, expected 1 to %d",
                           pairs[i].dimension, pairs[i].value.size, KT_DIMENSION_VALUE_MAX);
        if (!kt_utf8_valid(pairs[i].value.data, pairs[i].value.size) ||
            kt_utf8_controls(pairs[i].value.data, pairs[i].value.size))
            return kt_fail(error, KT_INVALID, "a value of dimension %u is not UTF-8 or has a control character",
                           pairs[i].dimension);
        last = pairs[i].dimension;
        bytes += 4 + pairs[i].value.size;
    }
    if (bytes > KEY_MAX - 8)
        return kt_fail(error, KT_LIMIT, "the dimensions of a line take %zu bytes, at most %u", bytes, KEY_MAX - 8);
    return KT_OK;
}

size_t kt_dimension_record(const kt_dimension *pair, kt_day date, uint8_t *out, size_t room) {
    kt_pack pack;
    kt_pack_init(&pack, out, room);
    kt_pack_envelope(&pack, KT_KIND_DIMENSION, 1, date);
    kt_pack_array(&pack, 2);
    kt_pack_uint(&pack, pair->dimension);
    kt_pack_text(&pack, pair->value.data, pair->value.size);
    return pack.size;
}

kt_code kt_dimension_apply(void *self, const kt_record *record, kt_error *error) {
    kt_ledger *ledger = self;
    kt_unpack unpack;
    uint32_t count;
    uint64_t dimension;
    kt_dimension pair;
    uint8_t key[2 + KT_DIMENSION_VALUE_MAX], number[8];
    kt_unpack_init(&unpack, record->body);
    if (!kt_unpack_array(&unpack, &count) || count != 2 || !kt_unpack_uint(&unpack, &dimension) ||
        !kt_unpack_text(&unpack, &pair.value.data, &pair.value.size) || !kt_unpack_done(&unpack) ||
        dimension > KT_DIMENSIONS_MAX)
        return kt_fail(error, KT_DAMAGED, "record %llu: a dimension record is malformed",
                       (unsigned long long)record->number);
    pair.dimension = (uint8_t)dimension;
    kt_code code = kt_dimension_check(&pair, 1, error);
    if (code != KT_OK) return code;
    kt_put_le64(number, record->number);
    return kt_state_put(ledger->state, KT_TABLE_DIMENSIONS, kt_span_of(key, value_key(&pair, key)),
                        kt_span_of(number, sizeof number), error);
}

static size_t pack_pairs(const kt_dimension *pairs, size_t count, uint8_t *out, size_t room) {
    kt_pack pack;
    kt_pack_init(&pack, out, room);
    kt_pack_array(&pack, (uint32_t)(2 * count));
    for (size_t i = 0; i < count; i++) {
        kt_pack_uint(&pack, pairs[i].dimension);
        kt_pack_text(&pack, pairs[i].value.data, pairs[i].value.size);
    }
    return pack.size;
}

static kt_code make_set(kt_ledger *ledger, const uint8_t *key, size_t size, uint32_t *id, kt_error *error) {
    uint8_t bytes[4], id_key[4];
    kt_span value, counter = kt_span_of("dimensions", 10);
    kt_code code = kt_state_get(ledger->state, KT_TABLE_TOTALS, counter, &value, error);
    if (code != KT_OK && code != KT_NOT_FOUND) return code;
    *id = code == KT_OK && value.size == 4 ? kt_get_le32(value.data) + 1 : 1;
    kt_put_le32(bytes, *id);
    kt_put_be32(id_key, *id);
    code = kt_state_put(ledger->state, KT_TABLE_TOTALS, counter, kt_span_of(bytes, 4), error);
    if (code == KT_OK)
        code = kt_state_put(ledger->state, KT_TABLE_DIMENSIONS, kt_span_of(key, size), kt_span_of(bytes, 4), error);
    if (code == KT_OK)
        code = kt_state_put(ledger->state, KT_TABLE_DIMENSION_SETS, kt_span_of(id_key, 4),
                            kt_span_of(key + 1, size - 1), error);
    return code;
}

kt_code kt_dimension_set(kt_ledger *ledger, const kt_dimension *pairs, size_t count, uint32_t *id, kt_error *error) {
    kt_dimension_sets *sets = ledger->dimensions;
    uint8_t key[1 + KEY_MAX];
    kt_span value;
    *id = 0;
    if (count == 0) return KT_OK;
    key[0] = 1;
    size_t size = pack_pairs(pairs, count, key + 1, KEY_MAX);
    if (size == sets->size && memcmp(sets->packed, key + 1, size) == 0) {
        *id = sets->id;
        return KT_OK;
    }
    kt_code code = kt_state_get(ledger->state, KT_TABLE_DIMENSIONS, kt_span_of(key, 1 + size), &value, error);
    if (code == KT_OK) *id = kt_get_le32(value.data);
    else if (code == KT_NOT_FOUND) code = make_set(ledger, key, 1 + size, id, error);
    if (code != KT_OK) return code;
    memcpy(sets->packed, key + 1, size);
    sets->size = size;
    sets->id = *id;
    return KT_OK;
}

kt_code kt_dimension_value(kt_txn *txn, uint32_t set, uint8_t dimension, kt_str *value, kt_error *error) {
    uint8_t key[4];
    kt_span pairs;
    kt_unpack unpack;
    uint32_t count;
    uint64_t number;
    *value = (kt_str){NULL, 0};
    if (set == 0) return KT_OK;
    kt_put_be32(key, set);
    kt_code code = kt_txn_get(txn, KT_TABLE_DIMENSION_SETS, kt_span_of(key, sizeof key), &pairs, error);
    if (code == KT_NOT_FOUND) return kt_fail(error, KT_DAMAGED, "dimension set %u is missing", set);
    if (code != KT_OK) return code;
    kt_unpack_init(&unpack, pairs);
    kt_unpack_array(&unpack, &count);
    for (uint32_t i = 0; i + 1 < count; i += 2) {
        kt_str found;
        if (!kt_unpack_uint(&unpack, &number) || !kt_unpack_text(&unpack, &found.data, &found.size)) break;
        if (number == dimension) *value = found;
    }
    return kt_unpack_done(&unpack) ? KT_OK : kt_fail(error, KT_DAMAGED, "dimension set %u is malformed", set);
}
