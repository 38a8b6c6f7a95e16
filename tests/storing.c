#include "tests/storing.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "storage/codec.h"

static const char *const names[STORING_COUNT] = {"meta", "blocks", "tiles", "heads", "undo", "one", "two", "three"};

const char *storing_directory(const char *name, char out[STORING_PATH]) {
    (void)snprintf(out, STORING_PATH, "%s/%s", test_dir(), name);
    if (mkdir(out, 0700) != 0) diag("%s: cannot be made", out);
    return out;
}

kt_store *storing_open(const char *directory, bool create, bool read_only, kt_error *error) {
    kt_store_options options = {.names = names, .count = STORING_COUNT, .create = create, .read_only = read_only};
    kt_store *store = NULL;
    kt_code code = kt_keys_setup(error);
    return code == KT_OK && kt_store_open(directory, &options, &store, error) == KT_OK ? store : NULL;
}

int64_t storing_clock(void *time_us) { return *(const int64_t *)time_us; }

kt_signer *storing_signer(uint8_t number) {
    uint8_t seed[KT_SEED_SIZE];
    kt_signer *signer = NULL;
    memset(seed, number, sizeof(seed));
    if (kt_signer_from_seed(seed, &signer, NULL) != KT_OK) abort();
    return signer;
}

size_t storing_record(uint32_t kind, int32_t date, uint64_t seed, size_t size, uint8_t *out, size_t room) {
    kt_pack pack;
    uint8_t *bytes = malloc(size + 8);
    if (bytes == NULL) abort();
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = test_random(&seed);
        memcpy(bytes + i, &word, 8);
    }
    kt_pack_init(&pack, out, room);
    kt_pack_envelope(&pack, kind, 1, date);
    kt_pack_bytes(&pack, bytes, size);
    free(bytes);
    if (pack.size > room) abort();
    return pack.size;
}

kt_code storing_seal(kt_journal *journal, const char *id, kt_seal *seal, kt_log_head *head, kt_error *error) {
    kt_signer *signer = storing_signer(1);
    kt_seal_input input = {.id = kt_span_of(id, strlen(id)), .actor = signer, .log = signer, .posted = 1};
    kt_code code = kt_journal_seal(journal, &input, seal, head, error);
    kt_signer_close(signer);
    return code;
}

uint64_t storing_rows(kt_store *store, kt_table table) {
    kt_txn *txn;
    uint64_t rows = UINT64_MAX, pages;
    if (kt_txn_begin(store, false, &txn, NULL) != KT_OK) return rows;
    if (kt_table_stat(txn, table, &rows, &pages, NULL) != KT_OK) rows = UINT64_MAX;
    kt_txn_abort(txn);
    return rows;
}

size_t storing_place(kt_span value, const char *ends, const uint8_t *bytes, size_t size) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char row[2000];
    size_t place = SIZE_MAX;
    while (maps && fgets(row, sizeof row, maps)) {
        unsigned long from, to, offset;
        uintptr_t at = (uintptr_t)value.data;
        if (strstr(row, ends) && sscanf(row, "%lx-%lx %*s %lx", &from, &to, &offset) == 3 && at >= from && at < to)
            place = at - from + offset;
    }
    if (maps) fclose(maps);
    return place < size && memcmp(bytes + place, value.data, value.size) == 0 ? place : SIZE_MAX;
}
