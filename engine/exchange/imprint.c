#include "engine/exchange/imprint.h"

#include <string.h>

#include "storage/note.h"

#define ALONE ((size_t)1 << 20) /* fewer bytes are hashed before a thread for them has begun */

/* Length first, so that two texts never run together. */
static void hash_text(kt_sha256 *hash, const void *data, size_t size) {
    uint8_t length[8];
    for (size_t i = 0; i < 8; i++) length[i] = (uint8_t)((uint64_t)size >> (56 - 8 * i));
    kt_sha256_update(hash, length, sizeof length);
    if (size) kt_sha256_update(hash, data, size);
}

static void hash_name(kt_sha256 *hash, const char *text) { hash_text(hash, text ? text : "", text ? strlen(text) : 0); }

/* Every amount in its own byte order, so that the id is the same on every machine. */
static void hash_amount(kt_sha256 *hash, kt_amount amount, uint8_t given) {
    uint8_t bytes[17];
    __extension__ typedef unsigned __int128 bits;
    for (size_t i = 0; i < 16; i++) bytes[i] = (uint8_t)((bits)amount >> (120 - 8 * i));
    bytes[16] = given;
    kt_sha256_update(hash, bytes, sizeof bytes);
}

void kt_imprint_item(kt_imprint *imprint, const kt_item *item) {
    kt_sha256 *hash = &imprint->hash;
    const kt_entry *entry = &item->entry;
    hash_amount(hash, item->kind == KT_ITEM_ENTRY ? entry->date : 0, (uint8_t)item->kind);
    if (item->kind == KT_ITEM_CURRENCY) {
        hash_text(hash, item->currency.data, item->currency.size);
        hash_amount(hash, item->decimals, 0);
        return;
    }
    if (item->kind == KT_ITEM_ACCOUNT) {
        hash_text(hash, item->account.code.data, item->account.code.size);
        hash_amount(hash, item->account.type, 0);
        return;
    }
    hash_text(hash, entry->voucher.data, entry->voucher.size);
    hash_text(hash, entry->text.data, entry->text.size);
    hash_text(hash, entry->ref.data, entry->ref.size);
    hash_amount(hash, (kt_amount)entry->line_count, 0);
    for (size_t i = 0; i < entry->line_count; i++) {
        const kt_line *line = &entry->lines[i];
        hash_text(hash, line->account.data, line->account.size);
        hash_text(hash, line->currency.data, line->currency.size);
        hash_amount(hash, line->amount, line->amount_given);
        hash_text(hash, line->cost_currency.data, line->cost_currency.size);
        hash_amount(hash, line->has_cost ? line->cost : 0, line->has_cost ? line->cost_given : 0);
        hash_text(hash, line->text.data, line->text.size);
    }
}

static void *hash_bytes(void *context) {
    kt_imprint *imprint = context;
    hash_text(&imprint->hash, imprint->source->data, imprint->source->size);
    atomic_store(&imprint->hashed, true);
    return NULL;
}

void kt_imprint_begin(kt_imprint *imprint, const kt_format *format, const kt_import_options *options,
                      const kt_source *source) {
    const kt_format_options *how = &options->how;
    kt_sha256 *hash = &imprint->hash;
    imprint->source = source;
    kt_sha256_init(hash);
    hash_name(hash, "kontor/import/v1");
    hash_name(hash, format->name);
    uint8_t letters[4] = {(uint8_t)(how->decimal ? how->decimal : '.'), (uint8_t)how->group,
                          (uint8_t)(how->delimiter ? how->delimiter : ','), (uint8_t)how->virtual_postings};
    hash_text(hash, letters, sizeof letters);
    hash_name(hash, how->date_format);
    hash_name(hash, how->encoding);
    size_t symbols = 0;
    for (; how->symbols && how->symbols[symbols]; symbols++) hash_name(hash, how->symbols[symbols]);
    hash_amount(hash, (kt_amount)symbols, 0);
    hash_text(hash, options->rounding_account.data, options->rounding_account.size);
    if (how->openings) hash_name(hash, how->openings); /* given, or not: other entries */
    imprint->running = source->size >= ALONE && pthread_create(&imprint->thread, NULL, hash_bytes, imprint) == 0;
    if (!imprint->running) hash_bytes(imprint);
}

bool kt_imprint_finished(const kt_imprint *imprint) { return !imprint->running || atomic_load(&imprint->hashed); }

void kt_imprint_wait(kt_imprint *imprint) {
    if (imprint->running) pthread_join(imprint->thread, NULL);
    imprint->running = false;
}

void kt_imprint_refused(kt_imprint *imprint, const kt_item *item) {
    hash_text(&imprint->hash, item->raw, item->raw_size);
}

void kt_imprint_end(kt_imprint *imprint, uint8_t digest[KT_DIGEST_SIZE], char id[2 * KT_DIGEST_SIZE + 1]) {
    kt_imprint_wait(imprint);
    kt_sha256_final(&imprint->hash, digest);
    kt_hex_encode(digest, KT_DIGEST_SIZE, id);
}

void kt_imprint_drop(kt_imprint *imprint) { kt_imprint_wait(imprint); }
