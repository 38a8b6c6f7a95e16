#include "engine/exchange/seen.h"

#include <stdlib.h>
#include <string.h>

#include "engine/exchange/text.h"

#define FAMILIES 64
#define FIRST_SLOTS ((size_t)4096)

struct kt_seen {
    kt_seen_refill refill;
    void *context;
    struct {
        uint64_t family, highest;
    } families[FAMILIES];
    size_t family_count, last_family;
    uint64_t *slots; /* 0: free; NULL: numbers have risen so far */
    size_t slot_count, used;
};

kt_code kt_seen_open(kt_seen_refill refill, void *context, kt_seen **out, kt_error *error) {
    kt_seen *seen = calloc(1, sizeof *seen);
    *out = seen;
    if (!seen) return kt_fail(error, KT_MEMORY, "no memory to remember vouchers");
    seen->refill = refill;
    seen->context = context;
    return KT_OK;
}

void kt_seen_close(kt_seen *seen) {
    if (!seen) return;
    free(seen->slots);
    free(seen);
}

/* FNV leaves its high bits poorly mixed (finalizer of MurmurHash3, Austin Appleby, public domain). */
static uint64_t mixed(uint64_t h) {
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdu;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53u;
    h ^= h >> 33;
    return h ? h : 1;
}

static size_t place(const uint64_t *slots, size_t count, uint64_t key) {
    size_t at = key & (count - 1);
    while (slots[at] && slots[at] != key) at = (at + 1) & (count - 1);
    return at;
}

static bool grow(kt_seen *seen) {
    size_t count = seen->slot_count ? seen->slot_count * 2 : FIRST_SLOTS;
    uint64_t *slots = calloc(count, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i < seen->slot_count; i++)
        if (seen->slots[i]) slots[place(slots, count, seen->slots[i])] = seen->slots[i];
    free(seen->slots);
    seen->slots = slots;
    seen->slot_count = count;
    return true;
}

static kt_code insert(kt_seen *seen, uint64_t key, bool *again, kt_error *error) {
    if (seen->used >= seen->slot_count / 4 * 3 && !grow(seen))
        return kt_fail(error, KT_MEMORY, "no memory to remember %zu vouchers", seen->used);
    key = mixed(key);
    size_t at = place(seen->slots, seen->slot_count, key);
    *again = seen->slots[at] == key;
    if (!*again) {
        seen->slots[at] = key;
        seen->used++;
    }
    return KT_OK;
}

kt_code kt_seen_put(kt_seen *seen, uint64_t key, kt_error *error) {
    bool again;
    return insert(seen, key, &again, error);
}

bool kt_seen_rises(kt_seen *seen, uint64_t family, kt_str voucher) {
    if (seen->slots) return false; /* from the first that did not, all are in the set */
    size_t letters = voucher.size;
    uint64_t number = 0, unit = 1;
    for (; letters > 0; letters--, unit *= 10) {
        unsigned digit = (unsigned)(uint8_t)voucher.data[letters - 1] - '0';
        if (digit > 9) break;
        if (voucher.size - letters == 18) return false;
        number += digit * unit;
    }
    if (letters == voucher.size) return false;
    family = kt_text_hash(family, voucher.data, letters);
    size_t at = seen->last_family;
    if (at >= seen->family_count || seen->families[at].family != family)
        for (at = 0; at < seen->family_count; at++)
            if (seen->families[at].family == family) break;
    if (at == FAMILIES) return false;
    seen->last_family = at;
    if (at == seen->family_count) {
        seen->family_count++;
        seen->families[at].family = family;
    } else if (number <= seen->families[at].highest) {
        return false;
    }
    seen->families[at].highest = number;
    return true;
}

kt_code kt_seen_add(kt_seen *seen, uint64_t key, bool *again, kt_error *error) {
    *again = false;
    if (!seen->slots) {
        if (!grow(seen)) return kt_fail(error, KT_MEMORY, "no memory to remember vouchers");
        kt_code code = seen->refill(seen->context, seen, error);
        if (code != KT_OK) return code;
    }
    return insert(seen, key, again, error);
}
