#include "engine/exchange/format.h"

#include <string.h>

static const kt_format *const formats[] = {
    &kt_format_csv, &kt_format_ads, &kt_format_json, &kt_format_msgpack, &kt_format_journal, &kt_format_saft,
};
#define FORMATS (sizeof formats / sizeof formats[0])

static void list_names(char *out, size_t room) {
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < FORMATS; i++) {
        int length = snprintf(out + n, room - n, "%s%s", n ? ", " : "", formats[i]->name);
        if (length < 0 || (size_t)length >= room - n) return;
        n += (size_t)length;
    }
}

/* Endings without regard to case: spreadsheets on some systems write .CSV. */
static bool ends_with(const char *path, const char *ending) {
    size_t a = strlen(path), b = strlen(ending);
    if (a < b) return false;
    path += a - b;
    for (size_t i = 0; i < b; i++) {
        char x = path[i] >= 'A' && path[i] <= 'Z' ? (char)(path[i] + 32) : path[i];
        char y = ending[i] >= 'A' && ending[i] <= 'Z' ? (char)(ending[i] + 32) : ending[i];
        if (x != y) return false;
    }
    return true;
}

kt_code kt_format_find(const char *name, const char *path, const kt_format **out, kt_error *error) {
    char names[128];
    list_names(names, sizeof names);
    *out = NULL;
    if (name) {
        for (size_t i = 0; i < FORMATS; i++)
            if (strcmp(formats[i]->name, name) == 0) {
                *out = formats[i];
                return KT_OK;
            }
        return kt_fail(error, KT_UNSUPPORTED, "format '%s' is not known; there are %s", name, names);
    }
    /* The standard names its files GL_Detail_YYYYMMDD_YYYYMMDD. */
    const char *slash = path ? strrchr(path, '/') : NULL, *base = slash ? slash + 1 : path;
    if (base && strncmp(base, "GL_Detail", 9) == 0 && (ends_with(base, ".csv") || ends_with(base, ".txt"))) {
        *out = &kt_format_ads;
        return KT_OK;
    }
    for (size_t i = 0; path && i < FORMATS; i++)
        for (const char *const *suffix = formats[i]->suffixes; *suffix; suffix++)
            if (ends_with(path, *suffix)) {
                *out = formats[i];
                return KT_OK;
            }
    if (!path || strcmp(path, "-") == 0)
        return kt_fail(error, KT_UNSUPPORTED,
                       "standard input has no name to guess the format from; give --format, one of %s", names);
    return kt_fail(error, KT_UNSUPPORTED, "%s: the format cannot be guessed from this name; give --format, one of %s",
                   path, names);
}
