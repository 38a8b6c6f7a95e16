/*
 * import: kt_import, from the bytes of one file to one batch. Its manual is engine/kontor.h.
 *
 * The default batch id is the hex SHA-256 over the format, the options that change what the bytes mean, and the
 * bytes; where a journal includes other files, over what was read from them too. Options that only say what to do
 * with the entries (skip bad ones, create accounts, allow a voucher twice) are not part of it: the same file
 * sent again is the same submission.
 *
 * With create_accounts the file is read twice: first for the accounts, each of which is named to `creates` and put
 * into the batch, and then for the entries. So all accounts are listed before anything is posted.
 *
 * A mapped file that another program cuts short while it is read ends the process (SIGBUS); the batch is then absent
 * (law 4). One that is changed otherwise is found before the seal, and nothing is posted.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "engine/exchange/format.h"

#include <string.h>

#include "engine/exchange/control.h"
#include "engine/exchange/source.h"
#include "storage/digest.h"
#include "storage/note.h"

#define PROGRESS_EVERY 4096

typedef struct import {
    kt_book *book;
    const kt_import_options *options;
    kt_import_result *result;
    kt_source_file *file;
    const kt_source *source;
    const kt_format *format;
    void *reader;
    kt_batch *batch;
    kt_rejects rejects;
    char currency[KT_CURRENCY_CODE_MAX + 1]; /* the book's */
    kt_str book_currency;
    uint8_t digest[KT_DIGEST_SIZE];
    char id[2 * KT_DIGEST_SIZE + 1];
    uint64_t refusals;
} import;

/* ---- The batch id ------------------------------------------------------------------------------- */

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

static void hash_item(kt_sha256 *hash, const kt_item *item) {
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

static bool holds(const kt_source *source, const char *word) {
    return memmem(source->data, source->size, word, strlen(word)) != NULL;
}

static kt_code open_reader(import *im, kt_error *error) {
    im->format = NULL;
    const char *path = im->source->name;
    if (!im->source->directory) path = "-"; /* standard input */
    kt_code code = kt_format_find(im->options->format, path, &im->format, error);
    return code == KT_OK ? im->format->open(im->source, &im->options->how, &im->reader, error) : code;
}

static void close_reader(import *im) {
    if (im->reader) im->format->close(im->reader);
    im->reader = NULL;
}

/* Reads the next item. `refused`: it was a bad entry, *error says why, and reading may go on. */
static kt_code next_item(import *im, kt_item *item, bool *refused, kt_error *error) {
    memset(item, 0, sizeof *item);
    *refused = false;
    kt_code code = im->format->next(im->reader, item, error);
    if (code == KT_OK || code == KT_END) return code;
    *refused = item->can_go_on;
    return code;
}

/* What other files say belongs to the content as well, and only reading them tells. */
static kt_code hash_included(import *im, kt_sha256 *hash, kt_error *error) {
    kt_code code = open_reader(im, error);
    while (code == KT_OK) {
        kt_item item;
        bool refused;
        code = next_item(im, &item, &refused, error);
        if (code == KT_OK) hash_item(hash, &item);
        else if (refused) {
            hash_text(hash, item.raw, item.raw_size);
            code = KT_OK;
        }
    }
    close_reader(im);
    return code == KT_END ? KT_OK : code;
}

static kt_code compute_id(import *im, kt_error *error) {
    const kt_format_options *how = &im->options->how;
    kt_sha256 hash;
    kt_sha256_init(&hash);
    hash_name(&hash, "kontor/import/v1");
    hash_name(&hash, im->format->name);
    uint8_t letters[4] = {(uint8_t)(how->decimal ? how->decimal : '.'), (uint8_t)how->group,
                          (uint8_t)(how->delimiter ? how->delimiter : ','), how->virtual_keep};
    hash_text(&hash, letters, sizeof letters);
    hash_name(&hash, how->date_format);
    hash_name(&hash, how->encoding);
    size_t symbols = 0;
    for (; how->symbols && how->symbols[symbols]; symbols++) hash_name(&hash, how->symbols[symbols]);
    hash_amount(&hash, (kt_amount)symbols, 0);
    hash_text(&hash, im->options->rounding_account.data, im->options->rounding_account.size);
    hash_text(&hash, im->source->data, im->source->size);
    kt_code code = KT_OK;
    if (im->format == &kt_format_journal && holds(im->source, "include")) code = hash_included(im, &hash, error);
    kt_sha256_final(&hash, im->digest);
    kt_hex_encode(im->digest, sizeof im->digest, im->id);
    return code;
}

/* ---- Accounts and currencies -------------------------------------------------------------------- */

/* The longest prefix in the rules, else what the file says, else the name of the top of the tree in a journal. */
static kt_account_type type_of(const import *im, kt_str code, kt_account_type declared) {
    kt_account_type type = declared;
    size_t longest = 0;
    bool ruled = false;
    for (size_t i = 0; i < im->options->rule_count; i++) {
        const kt_type_rule *rule = &im->options->rules[i];
        if (rule->prefix.size > code.size || (ruled && rule->prefix.size < longest)) continue;
        if (rule->prefix.size && memcmp(rule->prefix.data, code.data, rule->prefix.size) != 0) continue;
        longest = rule->prefix.size;
        type = rule->type;
        ruled = true;
    }
    if (ruled || declared != KT_UNCLASSIFIED || im->format != &kt_format_journal) return type;
    const char *colon = code.size ? memchr(code.data, ':', code.size) : NULL;
    kt_str top = {code.data, colon ? (size_t)(colon - code.data) : code.size};
    kt_account_type named;
    return kt_account_type_parse(top, &named) ? named : KT_UNCLASSIFIED;
}

static kt_code create_account(import *im, kt_account account, kt_error *error) {
    account.type = type_of(im, account.code, account.type);
    kt_code code = kt_batch_account(im->batch, &account, error);
    if (code != KT_OK) return code;
    im->result->accounts_created++;
    if (im->options->creates) im->options->creates(im->options->context, &account);
    return KT_OK;
}

static kt_code need_account(import *im, const kt_account *wanted, kt_error *error) {
    kt_account found;
    kt_code code = kt_batch_find_account(im->batch, wanted->code, &found, error);
    if (code != KT_NOT_FOUND || wanted->code.size == 0 || wanted->code.size > KT_ACCOUNT_CODE_MAX)
        return code == KT_NOT_FOUND ? KT_OK : code; /* a code that cannot be is for the book to refuse */
    return create_account(im, *wanted, error);
}

static kt_code need_accounts_of(import *im, const kt_entry *entry, kt_error *error) {
    kt_code code = KT_OK;
    for (size_t i = 0; i < entry->line_count && code == KT_OK; i++) {
        kt_account account = {.code = entry->lines[i].account, .open_from = KT_DAY_NONE, .closed_from = KT_DAY_NONE};
        code = need_account(im, &account, error);
    }
    return code;
}

/* Reads the whole file once, for the accounts it declares and uses. A journal's declarations come before its entries,
   wherever they stand in the file. */
static kt_code create_accounts(import *im, kt_error *error) {
    kt_code code = open_reader(im, error);
    while (code == KT_OK) {
        kt_item item;
        bool refused;
        code = next_item(im, &item, &refused, error);
        if (refused && im->options->skip_bad) code = KT_OK; /* what it uses is not created: it will not be posted */
        else if (code == KT_OK && item.kind == KT_ITEM_ACCOUNT) code = need_account(im, &item.account, error);
        else if (code == KT_OK && item.kind == KT_ITEM_ENTRY) code = need_accounts_of(im, &item.entry, error);
    }
    close_reader(im);
    return code == KT_END ? KT_OK : code;
}

static kt_code set_decimals(import *im, uint8_t decimals, kt_error *error) {
    kt_code code = kt_control_rescale(&im->result->read, im->result->decimals, decimals, error);
    if (code == KT_OK) code = kt_control_rescale(&im->result->posted, im->result->decimals, decimals, error);
    if (code == KT_OK) code = kt_control_rescale(&im->result->rejected, im->result->decimals, decimals, error);
    im->result->decimals = decimals;
    return code;
}

/* Declared where it is not on record; given more decimals where the file writes more and nothing is posted yet. */
static kt_code need_currency(import *im, kt_str currency, uint8_t decimals, kt_error *error) {
    uint8_t known = 0;
    bool posted = false;
    if (decimals > KT_DECIMALS_MAX) decimals = KT_DECIMALS_MAX; /* its entries are refused by name */
    kt_code code = kt_batch_find_currency(im->batch, currency, &known, &posted, error);
    if (code != KT_OK && code != KT_NOT_FOUND) return code;
    if (code == KT_OK && (posted || decimals <= known)) return KT_OK;
    code = kt_batch_currency(im->batch, currency, decimals, error);
    if (code == KT_OK) im->result->currencies_declared++;
    if (code == KT_OK && kt_str_equal(currency, im->book_currency)) code = set_decimals(im, decimals, error);
    return code;
}

/* ---- Entries ------------------------------------------------------------------------------------ */

static bool is_refusal(kt_code code) { return code <= KT_INVALID && code > KT_DAMAGED; }

/* A bad entry: counted, told, and kept for mending; or, without skip_bad, the end of it all. */
static kt_code reject(import *im, const kt_item *item, const kt_error *why, kt_error *error) {
    kt_code code = kt_control_add(&im->result->rejected, &item->entry, im->book_currency, im->result->decimals, error);
    if (code != KT_OK) return code;
    if (!im->options->skip_bad) {
        if (error) *error = *why;
        return why->code;
    }
    uint64_t most = im->options->most_refusals;
    if (im->options->refused && (!most || im->refusals < most)) im->options->refused(im->options->context, why);
    im->refusals++;
    kt_str preamble = im->format->preamble ? im->format->preamble(im->reader) : (kt_str){0};
    return kt_rejects_add(&im->rejects, preamble, item->raw, item->raw_size, error);
}

static kt_code take_item(import *im, const kt_item *item, kt_code read, kt_error *why, kt_error *error) {
    kt_import_result *result = im->result;
    if (read == KT_OK && item->kind == KT_ITEM_ACCOUNT)
        return KT_OK; /* with create_accounts it has been made; without, it is only a word about the account */
    if (read == KT_OK && item->kind == KT_ITEM_CURRENCY)
        return need_currency(im, item->currency, item->decimals, error);
    kt_code code = kt_control_add(&result->read, &item->entry, im->book_currency, result->decimals, error);
    if (code != KT_OK) return code;
    if (read != KT_OK) return reject(im, item, why, error);
    code = kt_batch_add(im->batch, &item->entry, NULL, why);
    if (code == KT_OK) return kt_control_add(&result->posted, &item->entry, im->book_currency, result->decimals, error);
    if (is_refusal(code)) return reject(im, item, why, error);
    if (error) *error = *why;
    return code;
}

static kt_code post_entries(import *im, kt_error *error) {
    kt_code code = open_reader(im, error);
    uint64_t told = 0;
    kt_error why;
    while (code == KT_OK) {
        kt_item item;
        bool refused;
        kt_code read = next_item(im, &item, &refused, &why);
        if (read == KT_END) break;
        if (read != KT_OK && !refused) {
            if (error) *error = why;
            code = read;
            break;
        }
        code = take_item(im, &item, read, &why, error);
        if (im->options->progress && im->result->read.entries >= told + PROGRESS_EVERY) {
            told = im->result->read.entries;
            im->options->progress(im->options->context, item.done, im->source->size, told);
        }
    }
    close_reader(im);
    if (code == KT_OK && !kt_source_unchanged(im->file))
        code = kt_fail(error, KT_INVALID, "%s: was changed by somebody while it was read; nothing is posted",
                       im->source->name);
    if (code == KT_OK && im->options->progress)
        im->options->progress(im->options->context, im->source->size, im->source->size, im->result->read.entries);
    return code;
}

/* ---- The whole ---------------------------------------------------------------------------------- */

static kt_code begin(import *im, kt_error *error) {
    kt_batch_options options = {
        .id = im->options->id.size ? im->options->id : (kt_str){im->id, 2 * KT_DIGEST_SIZE},
        .content_digest = im->digest,
        .allow_duplicate_voucher = im->options->allow_duplicate_voucher,
        .rounding_account = im->options->rounding_account,
        .dry_run = im->options->dry_run,
    };
    kt_code code = kt_batch_begin(im->book, &options, &im->batch, &im->result->receipt, error);
    if (code != KT_OK) return code;
    bool posted;
    return kt_batch_find_currency(im->batch, im->book_currency, &im->result->decimals, &posted, error);
}

static kt_code read_company(import *im, kt_error *error) {
    kt_view *view = NULL;
    kt_company company = {0};
    kt_code code = kt_view_open(im->book, NULL, &view, error);
    if (code != KT_OK) return code;
    code = kt_view_company(view, KT_DAY_MAX, &company, error);
    if (code == KT_OK && company.currency.size > KT_CURRENCY_CODE_MAX)
        code = kt_fail(error, KT_DAMAGED, "the book's currency has %zu bytes", company.currency.size);
    if (code == KT_OK) {
        memcpy(im->currency, company.currency.data, company.currency.size);
        im->book_currency = (kt_str){im->currency, company.currency.size};
    }
    kt_view_close(view);
    return code;
}

static void nothing_posted(kt_import_result *result) {
    result->rejected = result->read;
    result->posted = (kt_control){0};
    result->accounts_created = 0;
    result->currencies_declared = 0;
}

/* Seals what was good. Where no entry was, nothing is stored, so that the file can be sent again. */
static kt_code finish(import *im, kt_error *error) {
    kt_import_result *result = im->result;
    bool some_bad = result->rejected.entries > 0, dry = im->options->dry_run;
    kt_code code = kt_rejects_close(&im->rejects, error);
    if (code == KT_OK && !dry && (result->posted.entries > 0 || !some_bad)) {
        kt_batch_rejected(im->batch, result->rejected.entries);
        code = kt_batch_commit(im->batch, &result->receipt, error);
        im->batch = NULL;
    } else if (code == KT_OK && !dry) {
        result->accounts_created = 0;
        result->currencies_declared = 0;
    }
    if (code == KT_OK) kt_rejects_keep(&im->rejects);
    if (code == KT_OK && some_bad)
        code = kt_fail(error, KT_END, "%llu of %llu entries were rejected",
                       (unsigned long long)result->rejected.entries, (unsigned long long)result->read.entries);
    return code;
}

static kt_code run(import *im, const char *path, kt_error *error) {
    kt_code code = kt_source_open(path, &im->file, error);
    if (code != KT_OK) return code;
    im->source = kt_source_of(im->file);
    code = kt_format_find(im->options->format, path, &im->format, error);
    im->rejects.text = im->format != &kt_format_msgpack;
    if (code == KT_OK) code = read_company(im, error);
    if (code == KT_OK) code = compute_id(im, error);
    if (code == KT_OK) code = begin(im, error);
    if (code == KT_OK && im->options->create_accounts) code = create_accounts(im, error);
    if (code == KT_OK) code = post_entries(im, error);
    return code == KT_OK ? finish(im, error) : code;
}

kt_code kt_import(kt_book *book, const char *path, const kt_import_options *options, kt_import_result *result,
                  kt_error *error) {
    kt_import_options none = {0};
    kt_import_result unused;
    if (!result) result = &unused;
    memset(result, 0, sizeof *result);
import im = {.book = book, .options = options ? options: & none, .result = result };
    im.rejects.path = im.options->skip_bad && !im.options->dry_run ? im.options->reject_path : NULL;
    kt_code code = run(&im, path, error);
    if (code != KT_OK && code != KT_END && code != KT_REPEATED) nothing_posted(result);
    kt_rejects_drop(&im.rejects);
    kt_batch_abort(im.batch);
    kt_source_close(im.file);
    return code;
}
