#include "engine/access_rows.h"

#include <stdlib.h>

#include "storage/codec.h"

#define KEY_FIXED 18u
#define PROPOSAL_SIZE (10u + KT_KEY_SIZE + KT_HASH_SIZE)

/* ---- keys ---- */

kt_code kt_key_row_read(kt_span value, kt_key_row *out, kt_error *error) {
    const uint8_t *row = value.data;
    if (value.size < KEY_FIXED || value.size < KEY_FIXED + (size_t)row[17] || row[17] == 0 || row[17] > KT_ACTOR_ID_MAX)
        return kt_fail(error, KT_DAMAGED, "an actor's key has a malformed row");
    size_t actor = row[17];
    *out = (kt_key_row){.from = kt_get_le64(row),
                        .until = kt_get_le64(row + 8),
                        .revoked = row[16] != 0,
                        .actor = {(const char *)row + KEY_FIXED, actor},
                        .reason = {(const char *)row + KEY_FIXED + actor, value.size - KEY_FIXED - actor}};
    return KT_OK;
}

kt_code kt_key_row_put(kt_state *state, const uint8_t key[KT_KEY_SIZE], const kt_key_row *row, kt_error *error) {
    uint8_t value[KEY_FIXED + KT_ACTOR_ID_MAX + KT_TEXT_MAX];
    kt_put_le64(value, row->from);
    kt_put_le64(value + 8, row->until);
    value[16] = row->revoked;
    value[17] = (uint8_t)row->actor.size;
    memcpy(value + KEY_FIXED, row->actor.data, row->actor.size);
    if (row->reason.size != 0) memcpy(value + KEY_FIXED + row->actor.size, row->reason.data, row->reason.size);
    return kt_state_put(state, KT_TABLE_ACTORS, kt_span_of(key, KT_KEY_SIZE),
                        kt_span_of(value, KEY_FIXED + row->actor.size + row->reason.size), error);
}

/* ---- grants: the key is the actor, a zero, the role, the record ---- */

kt_code kt_grant_row_read(kt_span key, kt_span value, kt_grant_row *out, kt_error *error) {
    if (key.size < 11 || key.size > KT_ACTOR_ID_MAX + 10 || key.data[key.size - 10] != 0 || value.size < 1)
        return kt_fail(error, KT_DAMAGED, "a grant's row is malformed");
    size_t actor = key.size - 10;
    *out = (kt_grant_row){.actor = {(const char *)key.data, actor},
                          .role = (kt_role)key.data[actor + 1],
                          .record = kt_get_be64(key.data + actor + 2),
                          .withdrawn = value.data[0] != 0,
                          .limits = kt_span_of(value.data + 1, value.size - 1)};
    return KT_OK;
}

kt_code kt_grant_row_put(kt_state *state, const kt_grant_row *row, kt_error *error) {
    uint8_t key[KT_ACTOR_ID_MAX + 10], *value = malloc(1 + row->limits.size);
    if (value == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    memcpy(key, row->actor.data, row->actor.size);
    key[row->actor.size] = 0;
    key[row->actor.size + 1] = (uint8_t)row->role;
    kt_put_be64(key + row->actor.size + 2, row->record);
    value[0] = row->withdrawn;
    if (row->limits.size != 0) memcpy(value + 1, row->limits.data, row->limits.size);
    kt_code code = kt_state_put(state, KT_TABLE_GRANTS, kt_span_of(key, row->actor.size + 10),
                                kt_span_of(value, 1 + row->limits.size), error);
    free(value);
    return code;
}

/* ---- proposals ---- */

kt_code kt_proposal_row_read(kt_span value, kt_proposal_row *out, kt_error *error) {
    const uint8_t *row = value.data;
    if (value.size != PROPOSAL_SIZE || row[0] > KT_PROPOSAL_REJECTED)
        return kt_fail(error, KT_DAMAGED, "a proposal's row is malformed");
    *out = (kt_proposal_row){
        .status = (kt_proposal_status)row[0], .sealed = row[1] != 0, .decided = kt_get_le64(row + 2)};
    memcpy(out->proposer, row + 10, KT_KEY_SIZE);
    memcpy(out->digest, row + 10 + KT_KEY_SIZE, KT_HASH_SIZE);
    return KT_OK;
}

kt_code kt_proposal_row_get(kt_state *state, uint64_t number, kt_proposal_row *out, kt_error *error) {
    uint8_t key[8];
    kt_span value;
    kt_put_be64(key, number);
    kt_code code = kt_state_get(state, KT_TABLE_PROPOSALS, kt_span_of(key, sizeof key), &value, error);
    if (code == KT_NOT_FOUND)
        return kt_fail(error, KT_NOT_FOUND, "record %llu is no proposal", (unsigned long long)number);
    return code == KT_OK ? kt_proposal_row_read(value, out, error) : code;
}

kt_code kt_proposal_row_put(kt_state *state, uint64_t number, const kt_proposal_row *row, kt_error *error) {
    uint8_t key[8], value[PROPOSAL_SIZE];
    kt_put_be64(key, number);
    value[0] = (uint8_t)row->status;
    value[1] = row->sealed;
    kt_put_le64(value + 2, row->decided);
    memcpy(value + 10, row->proposer, KT_KEY_SIZE);
    memcpy(value + 10 + KT_KEY_SIZE, row->digest, KT_HASH_SIZE);
    return kt_state_put(state, KT_TABLE_PROPOSALS, kt_span_of(key, sizeof key), kt_span_of(value, sizeof value), error);
}

/* ---- limits ---- */

size_t kt_limits_pack(const kt_limits *limits, uint8_t *out, size_t room) {
    kt_pack pack;
    kt_pack_init(&pack, out, room);
    kt_pack_array(&pack, 3);
    kt_pack_amount(&pack, limits->amount);
    kt_pack_array(&pack, (uint32_t)(2 * limits->account_count));
    for (size_t i = 0; i < limits->account_count; i++) {
        const kt_account_range *range = &limits->accounts[i];
        kt_pack_text(&pack, range->from.data, range->from.size);
        kt_pack_text(&pack, range->to.data, range->to.size);
    }
    kt_pack_array(&pack, (uint32_t)limits->series_count);
    for (size_t i = 0; i < limits->series_count; i++)
        kt_pack_text(&pack, limits->series[i].data, limits->series[i].size);
    return pack.size;
}

static bool take_code(kt_unpack *unpack, size_t most, kt_str *out) {
    return kt_unpack_text(unpack, &out->data, &out->size) && out->size <= most && kt_utf8_valid(out->data, out->size) &&
           !kt_utf8_controls(out->data, out->size);
}

static bool take_ranges(kt_unpack *unpack, kt_account_range **out, size_t *count) {
    uint32_t texts;
    if (!kt_unpack_array(unpack, &texts) || texts % 2 != 0 || texts > 2 * KT_LIMIT_RANGES_MAX) return false;
    *out = calloc(texts / 2 + 1, sizeof **out);
    if (*out == NULL) return false;
    for (*count = 0; *count < texts / 2; ++*count) {
        kt_account_range *range = &(*out)[*count];
        if (!take_code(unpack, KT_ACCOUNT_CODE_MAX, &range->from) ||
            !take_code(unpack, KT_ACCOUNT_CODE_MAX, &range->to) || range->from.size == 0)
            return false;
    }
    return true;
}

static bool take_series(kt_unpack *unpack, kt_str **out, size_t *count) {
    uint32_t texts;
    if (!kt_unpack_array(unpack, &texts) || texts > KT_LIMIT_SERIES_MAX) return false;
    *out = calloc(texts + 1, sizeof **out);
    if (*out == NULL) return false;
    for (*count = 0; *count < texts; ++*count)
        if (!take_code(unpack, KT_SERIES_MAX, &(*out)[*count])) return false;
    return true;
}

kt_code kt_limits_read(kt_span packed, kt_limits *out, kt_error *error) {
    kt_unpack unpack;
    uint32_t count;
    kt_account_range *ranges = NULL;
    kt_str *series = NULL;
    *out = (kt_limits){0};
    kt_unpack_init(&unpack, packed);
    bool good = packed.size <= KT_LIMITS_PACKED_MAX && kt_unpack_array(&unpack, &count) && count == 3 &&
                kt_unpack_amount(&unpack, &out->amount) && out->amount >= 0 &&
                take_ranges(&unpack, &ranges, &out->account_count) &&
                take_series(&unpack, &series, &out->series_count) && kt_unpack_done(&unpack);
    out->accounts = ranges;
    out->series = series;
    if (good) return KT_OK;
    kt_limits_release(out);
    return kt_fail(error, KT_DAMAGED, "a grant's limits are malformed");
}

void kt_limits_release(kt_limits *limits) {
    free((void *)(uintptr_t)limits->accounts);
    free((void *)(uintptr_t)limits->series);
    *limits = (kt_limits){0};
}
