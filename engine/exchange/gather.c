#include "engine/exchange/gather.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/exchange/text.h"

void kt_gather_release(kt_gather *gather) {
    free(gather->lines);
    free(gather->dimensions);
    *gather = (kt_gather){0};
}

/* Twice the room, so that n additions cost n. */
static void *grown(void *array, size_t *room, size_t element) {
    size_t wanted = *room ? *room * 2 : 64;
    void *larger = realloc(array, wanted * element);
    if (larger) *room = wanted;
    return larger;
}

kt_code kt_gather_grow(kt_gather *gather) {
    if (gather->count == KT_LINES_MAX) return KT_LIMIT;
    kt_line *larger = grown(gather->lines, &gather->room, sizeof *larger);
    if (!larger) return KT_MEMORY;
    gather->lines = larger;
    if (gather->room > KT_LINES_MAX) gather->room = KT_LINES_MAX;
    return KT_OK;
}

kt_code kt_gather_dimension(kt_gather *gather, uint8_t dimension, kt_str value) {
    assert(gather->count > 0);
    if (value.size == 0) return KT_OK;
    if (gather->dimension_count == gather->dimension_room) {
        kt_dimension *larger = grown(gather->dimensions, &gather->dimension_room, sizeof *larger);
        if (!larger) return KT_MEMORY;
        gather->dimensions = larger;
    }
    gather->dimensions[gather->dimension_count++] = (kt_dimension){.dimension = dimension, .value = value};
    gather->lines[gather->count - 1].dimension_count++;
    return KT_OK;
}

static bool all_share(const kt_gather *gather, size_t member) {
    const kt_str *first = (const kt_str *)(const void *)((const char *)&gather->lines[0] + member);
    if (first->size == 0) return false;
    for (size_t i = 1; i < gather->count; i++)
        if (!kt_text_same(*first, *(const kt_str *)(const void *)((const char *)&gather->lines[i] + member)))
            return false;
    return true;
}

void kt_gather_finish(kt_gather *gather, kt_entry *entry) {
    entry->lines = gather->lines;
    entry->line_count = gather->count;
    if (gather->count == 0) return;
    const kt_dimension *next = gather->dimensions;
    for (size_t i = 0; next && i < gather->count; i++) {
        if (gather->lines[i].dimension_count == 0) continue;
        gather->lines[i].dimensions = next;
        next += gather->lines[i].dimension_count;
    }
    if (entry->text.size == 0 && all_share(gather, offsetof(kt_line, text))) {
        entry->text = gather->lines[0].text;
        for (size_t i = 0; i < gather->count; i++) gather->lines[i].text = (kt_str){0};
    }
    if (entry->ref.size == 0 && all_share(gather, offsetof(kt_line, ref))) {
        entry->ref = gather->lines[0].ref;
        for (size_t i = 0; i < gather->count; i++) gather->lines[i].ref = (kt_str){0};
    }
}
