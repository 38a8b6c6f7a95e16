#include "engine/access.h"

#include "engine/tables.h"

#define FACTS_SIZE 12

kt_code kt_access_grant(kt_state *state, const uint8_t actor[KT_KEY_SIZE], uint32_t rights, uint64_t record,
                        kt_error *error) {
    uint8_t facts[FACTS_SIZE];
    kt_put_le32(facts, rights);
    kt_put_le64(facts + 4, record);
    return kt_state_put(state, KT_TABLE_ACTORS, kt_span_of(actor, KT_KEY_SIZE), kt_span_of(facts, sizeof facts), error);
}

kt_code kt_access_check(kt_state *state, const uint8_t actor[KT_KEY_SIZE], uint32_t rights, kt_error *error) {
    static const char *const names[] = {"post entries", "change the registers", "close and reopen periods",
                                        "administer the book"};
    kt_span facts;
    kt_code code = kt_state_get(state, KT_TABLE_ACTORS, kt_span_of(actor, KT_KEY_SIZE), &facts, error);
    if (code == KT_NOT_FOUND)
        return kt_fail(error, KT_FORBIDDEN, "the actor's key %02x%02x%02x%02x... is not on record in this book",
                       actor[0], actor[1], actor[2], actor[3]);
    if (code != KT_OK) return code;
    if (facts.size != FACTS_SIZE) return kt_fail(error, KT_DAMAGED, "an actor's facts are malformed");
    uint32_t missing = rights & ~kt_get_le32(facts.data);
    if (missing == 0) return KT_OK;
    return kt_fail(error, KT_FORBIDDEN, "the actor %02x%02x%02x%02x... may not %s", actor[0], actor[1], actor[2],
                   actor[3], names[__builtin_ctz(missing) & 3]);
}
