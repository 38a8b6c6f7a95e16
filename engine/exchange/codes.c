#include "engine/exchange/codes.h"

#include <stdlib.h>

#include "engine/exchange/text.h"

#define TEXT_ROOM ((size_t)65536)
#define FIRST_SLOTS ((size_t)1024)

struct kt_code_slot {
    uint32_t hash;
    uint32_t named; /* one more than its index; 0: free */
};

struct kt_code_text {
    struct kt_code_text *next;
    size_t used, room;
    char text[];
};

void kt_codes_release(kt_codes *codes) {
    while (codes->texts) {
        struct kt_code_text *next = codes->texts->next;
        free(codes->texts);
        codes->texts = next;
    }
    free(codes->named);
    free(codes->slots);
    *codes = (kt_codes){0};
}

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

/* Eight bytes at a time, the last eight overlapping those before. */
static uint32_t hash_of(kt_str code) {
    uint64_t hash = code.size, word = 0;
    const char *at = code.data, *end = at + code.size;
    if (code.size < 8) {
        for (; at < end; at++) word = word << 8 | (uint8_t)*at;
        return (uint32_t)mix(hash, word);
    }
    for (; end - at > 8; at += 8) {
        memcpy(&word, at, 8);
        hash = mix(hash, word);
    }
    memcpy(&word, end - 8, 8);
    return (uint32_t)mix(hash, word);
}

static bool grow_slots(kt_codes *codes) {
    size_t count = codes->slot_count ? codes->slot_count * 2 : FIRST_SLOTS;
    struct kt_code_slot *slots = calloc(count, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i < codes->slot_count; i++) {
        if (!codes->slots[i].named) continue;
        size_t at = codes->slots[i].hash & (count - 1);
        while (slots[at].named) at = (at + 1) & (count - 1);
        slots[at] = codes->slots[i];
    }
    free(codes->slots);
    codes->slots = slots;
    codes->slot_count = count;
    return true;
}

static bool grow_named(kt_codes *codes) {
    size_t room = codes->room ? codes->room * 2 : FIRST_SLOTS;
    kt_code_named *larger = room < UINT32_MAX ? realloc(codes->named, room * sizeof *larger) : NULL;
    if (!larger) return false;
    codes->named = larger;
    codes->room = room;
    return true;
}

static bool keep(kt_codes *codes, kt_str text, kt_str *out) {
    *out = (kt_str){0};
    if (text.size == 0) return true;
    struct kt_code_text *texts = codes->texts;
    if (!texts || texts->room - texts->used < text.size) {
        size_t room = text.size > TEXT_ROOM ? text.size : TEXT_ROOM;
        texts = malloc(sizeof *texts + room);
        if (!texts) return false;
        texts->used = 0;
        texts->room = room;
        texts->next = codes->texts;
        codes->texts = texts;
    }
    *out = (kt_str){memcpy(texts->text + texts->used, text.data, text.size), text.size};
    texts->used += text.size;
    return true;
}

kt_code kt_codes_add(kt_codes *codes, kt_str code, kt_str name, kt_account_type type, kt_error *error) {
    if (codes->count >= codes->slot_count / 2 && !grow_slots(codes)) goto failed;
    uint32_t hash = hash_of(code);
    size_t at = hash & (codes->slot_count - 1);
    for (; codes->slots[at].named; at = (at + 1) & (codes->slot_count - 1))
        if (codes->slots[at].hash == hash && kt_text_same(codes->named[codes->slots[at].named - 1].code, code))
            return KT_OK;
    if (codes->count == codes->room && !grow_named(codes)) goto failed;
    kt_code_named *named = &codes->named[codes->count];
    if (!keep(codes, code, &named->code) || !keep(codes, name, &named->name)) goto failed;
    named->type = type;
    codes->slots[at].hash = hash;
    codes->slots[at].named = (uint32_t)++codes->count;
    return KT_OK;
failed:
    return kt_fail(error, KT_MEMORY, "no memory for the names of %zu accounts", codes->count);
}
