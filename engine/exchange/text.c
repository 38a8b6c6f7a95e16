#include "engine/exchange/text.h"

/* Length of the character at p, 0 where there is none; `left` bytes may be read, at least one. */
static size_t character(const uint8_t *p, size_t left) {
    uint8_t a = p[0];
    if (a < 0x80) return 1;
    if (a < 0xC2 || a > 0xF4) return 0;
    size_t need = a < 0xE0 ? 2 : a < 0xF0 ? 3 : 4;
    if (left < need) return 0;
    uint8_t low = 0x80, high = 0xBF;
    if (a == 0xE0) low = 0xA0;
    else if (a == 0xED) high = 0x9F;
    else if (a == 0xF0) low = 0x90;
    else if (a == 0xF4) high = 0x8F;
    if (p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < need; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    return need;
}

size_t kt_text_bad(const void *data, size_t size) {
    const uint8_t *p = data;
    size_t at = 0;
    while (at < size) {
        uint64_t word;
        while (size - at >= sizeof word) { /* most text is ASCII: eight bytes at a time */
            memcpy(&word, p + at, sizeof word);
            word &= 0x8080808080808080u;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            if (word) at += (size_t)__builtin_ctzll(word) / 8;
#endif
            if (word) break;
            at += sizeof word;
        }
        if (at == size) break;
        size_t step = character(p + at, size - at);
        if (!step) return at;
        at += step;
    }
    return size;
}

const char *kt_text_show(kt_str text, char out[KT_SHOWN]) {
    size_t most = 60, n = 0, at = 0;
    while (at < text.size) {
        const uint8_t *p = (const uint8_t *)text.data + at;
        size_t step = character(p, text.size - at);
        if (n + (step ? step : 1) > most) {
            memcpy(out + n, "...", 3);
            n += 3;
            break;
        }
        if (!step || p[0] < 0x20 || p[0] == 0x7F) {
            out[n++] = '?';
            at++;
            continue;
        }
        memcpy(out + n, p, step);
        n += step;
        at += step;
    }
    out[n] = 0;
    return out;
}

const char *kt_text_show_figure(kt_str text, char out[KT_SHOWN]) {
    bool figure = text.size <= 48;
    for (size_t i = 0; i < text.size && figure; i++)
        figure = (text.data[i] >= '0' && text.data[i] <= '9') || memchr(".,-+/' ", text.data[i], 7);
    if (!figure) {
        snprintf(out, KT_SHOWN, "a text of %zu bytes", text.size);
        return out;
    }
    out[0] = '\'';
    if (text.size) memcpy(out + 1, text.data, text.size);
    out[text.size + 1] = '\'';
    out[text.size + 2] = 0;
    return out;
}

uint64_t kt_text_hash(uint64_t hash, const void *data, size_t size) {
    const uint8_t *p = data;
    for (size_t i = 0; i < size; i++) hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}
