/*
 * import: kt_import, from the bytes of one file to one batch. Its manual is engine/kontor.h.
 *
 * The default batch id is a digest of what the bytes mean: imprint.h. For a large file a second thread makes it while
 * entries are read already, in a batch that has no id yet. It gets it, and is looked up by it, as soon as the digest is
 * there, and always before a refusal is told, a reject is written or anything is sealed: a file that was posted before is
 * a repeat first of all, whatever is wrong with it now.
 *
 * With create_accounts the file is read twice: first, while a second thread makes that digest, for the accounts, each
 * of which is then named to `creates` and put into the batch; and again for the entries. So all accounts are listed
 * before anything is posted.
 *
 * A mapped file that another program cuts short while it is read ends the process (SIGBUS); the batch is then absent
 * (law 4). One that is changed otherwise is found before the seal, and nothing is posted.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "engine/exchange/format.h"

#include <string.h>

#include "engine/exchange/codes.h"
#include "engine/exchange/control.h"
#include "engine/exchange/imprint.h"
#include "engine/exchange/sink.h"
#include "engine/exchange/source.h"

#define PROGRESS_EVERY 4096
#define JUDGED_ROUNDS 4

typedef struct import {
    const kt_sink *sink;
    void *to;
    const kt_import_options *options;
    kt_import_result *result;
    kt_source_file *file;
    const kt_source *source;
    const kt_format *format;
    void *reader;
    kt_rejects rejects;
    kt_imprint imprint;
    kt_codes codes; /* with create_accounts */
    kt_str book_currency;
    uint8_t digest[KT_DIGEST_SIZE];
    char id[2 * KT_DIGEST_SIZE + 1];
    uint64_t refusals;
    bool nameless; /* the batch has no id yet */
} import;

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
    item->before = item->behind = (kt_str){NULL, 0}; /* most formats have none */
    *refused = false;
    kt_code code = im->format->next(im->reader, item, error);
    if (code == KT_OK || code == KT_END) return code;
    *refused = item->can_go_on;
    return code;
}

/* ---- The batch id ------------------------------------------------------------------------------- */

/* What other files say belongs to the content as well, and only reading them tells. */
static kt_code imprint_included(import *im, kt_error *error) {
    kt_code code = open_reader(im, error);
    while (code == KT_OK) {
        kt_item item;
        bool refused;
        code = next_item(im, &item, &refused, error);
        if (code == KT_OK) kt_imprint_item(&im->imprint, &item);
        else if (refused) {
            kt_imprint_refused(&im->imprint, &item);
            code = KT_OK;
        }
    }
    close_reader(im);
    return code == KT_END ? KT_OK : code;
}

static kt_code make_id(import *im, kt_error *error) {
    kt_code code = KT_OK;
    kt_imprint_wait(&im->imprint);
    if (im->format == &kt_format_journal && holds(im->source, "include")) code = imprint_included(im, error);
    kt_imprint_end(&im->imprint, im->digest, im->id);
    return code;
}

/* Of a batch that has an id, or of one that will get it. */
static kt_batch_options batch_options(const import *im) {
    kt_batch_options options = {
        .allow_duplicate_voucher = im->options->allow_duplicate_voucher,
        .propose = im->options->propose,
        .rounding_account = im->options->rounding_account,
        .dry_run = im->options->dry_run,
    };
    if (im->nameless) return options;
    options.id = im->options->id.size ? im->options->id : (kt_str){im->id, 2 * KT_DIGEST_SIZE};
    options.content_digest = im->digest;
    return options;
}

static kt_code name_batch(import *im, kt_error *error) {
    if (!im->nameless) return KT_OK;
    im->nameless = false;
    kt_code code = make_id(im, error);
    if (code != KT_OK) return code;
    kt_batch_options options = batch_options(im);
    code = im->sink->name(im->to, &options, &im->result->receipt, error);
    if (code == KT_REPEATED) { /* then nothing of this reading counts */
        kt_receipt receipt = im->result->receipt;
        *im->result = (kt_import_result){.receipt = receipt};
    }
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
    kt_code code = im->sink->add_account(im->to, &account, error);
    if (code != KT_OK) return code;
    im->result->accounts_created++;
    if (im->options->creates) im->options->creates(im->options->context, &account);
    return KT_OK;
}

static kt_code need_account(import *im, const kt_account *wanted, kt_error *error) {
    kt_account found;
    kt_code code = im->sink->find_account(im->to, wanted->code, &found, error);
    if (code != KT_NOT_FOUND || wanted->code.size == 0 || wanted->code.size > KT_ACCOUNT_CODE_MAX)
        return code == KT_NOT_FOUND ? KT_OK : code; /* a code that cannot be is for the book to refuse */
    return create_account(im, *wanted, error);
}

/* Reads the whole file once, for the accounts it declares and uses. A journal's declarations come before its entries,
   wherever they stand in the file. The book is not asked: *error says where reading ended, and what was named before
   that is kept. */
static kt_code collect_accounts(import *im, kt_error *error) {
    kt_code code = open_reader(im, error);
    while (code == KT_OK) {
        kt_item item;
        bool refused;
        code = next_item(im, &item, &refused, error);
        if (refused && im->options->skip_bad) code = KT_OK; /* what it uses is not created: it will not be posted */
        else if (code == KT_OK && item.kind == KT_ITEM_ACCOUNT)
            code = kt_codes_add(&im->codes, item.account.code, item.account.name, item.account.type, error);
        else if (code == KT_OK && item.kind == KT_ITEM_ENTRY)
            for (size_t i = 0; i < item.entry.line_count && code == KT_OK; i++)
                code = kt_codes_add(&im->codes, item.entry.lines[i].account, (kt_str){0}, KT_UNCLASSIFIED, error);
    }
    close_reader(im);
    return code == KT_END ? KT_OK : code;
}

static kt_code create_accounts(import *im, kt_error *error) {
    kt_code code = KT_OK;
    for (size_t i = 0; i < im->codes.count && code == KT_OK; i++) {
        const kt_code_named *named = &im->codes.named[i];
        kt_account account = {.code = named->code,
                              .name = named->name,
                              .type = named->type,
                              .open_from = KT_DAY_NONE,
                              .closed_from = KT_DAY_NONE};
        code = need_account(im, &account, error);
    }
    return code;
}

static kt_code set_decimals(import *im, uint8_t decimals, kt_error *error) {
    kt_code code = kt_control_rescale(&im->result->read, im->result->decimals, decimals, error);
    if (code == KT_OK) code = kt_control_rescale(&im->result->posted, im->result->decimals, decimals, error);
    if (code == KT_OK) code = kt_control_rescale(&im->result->proposed, im->result->decimals, decimals, error);
    if (code == KT_OK) code = kt_control_rescale(&im->result->rejected, im->result->decimals, decimals, error);
    im->result->decimals = decimals;
    return code;
}

/* Declared where it is not on record; given more decimals where the file writes more and nothing is posted yet. */
static kt_code need_currency(import *im, kt_str currency, uint8_t decimals, kt_error *error) {
    uint8_t known = 0;
    bool posted = false;
    if (decimals > KT_DECIMALS_MAX) decimals = KT_DECIMALS_MAX; /* its entries are refused by name */
    kt_code code = im->sink->find_currency(im->to, currency, &known, &posted, error);
    if (code != KT_OK && code != KT_NOT_FOUND) return code;
    if (code == KT_OK && (posted || decimals <= known)) return KT_OK;
    code = im->sink->add_currency(im->to, currency, decimals, error);
    if (code == KT_OK) im->result->currencies_declared++;
    if (code == KT_OK && kt_str_equal(currency, im->book_currency)) code = set_decimals(im, decimals, error);
    return code;
}

/* ---- Entries ------------------------------------------------------------------------------------ */

static bool is_refusal(kt_code code) { return code <= KT_INVALID && code > KT_DAMAGED; }

/* A bad entry: counted, told, and kept for mending; or, without skip_bad, the end of it all. */
static kt_code reject(import *im, const kt_item *item, const kt_control *control, const kt_error *why,
                      kt_error *error) {
    kt_code code = name_batch(im, error);
    if (code == KT_OK) code = kt_control_add(&im->result->rejected, control, &item->entry, error);
    if (code != KT_OK) return code;
    if (!im->options->skip_bad) {
        if (error) *error = *why;
        return why->code;
    }
    uint64_t most = im->options->most_refusals;
    if (im->options->refused && (!most || im->refusals < most)) im->options->refused(im->options->context, why);
    im->refusals++;
    kt_str preamble = im->format->preamble ? im->format->preamble(im->reader) : (kt_str){0};
    kt_str closing = im->format->closing ? im->format->closing(im->reader) : (kt_str){0};
    return kt_rejects_add(&im->rejects, preamble, closing, item, error);
}

static kt_code take_item(import *im, const kt_item *item, kt_code read, kt_error *why, kt_error *error) {
    kt_import_result *result = im->result;
    if (read == KT_OK && item->kind == KT_ITEM_ACCOUNT)
        return KT_OK; /* with create_accounts it has been made; without, it is only a word about the account */
    if (read == KT_OK && item->kind == KT_ITEM_CURRENCY)
        return need_currency(im, item->currency, item->decimals, error);
    if (read == KT_OK && item->kind == KT_ITEM_LEFT_OUT) {
        result->virtual_left_out += item->virtual_left_out;
        if (item->virtual_left_out > 0) result->entries_left_out++;
        else result->automated_left_out++;
        return KT_OK;
    }
    kt_control control;
    kt_code code = kt_control_of(&item->entry, im->book_currency, result->decimals, &control, error);
    if (code == KT_OK) code = kt_control_add(&result->read, &control, &item->entry, error);
    if (code != KT_OK) return code;
    if (read != KT_OK) return reject(im, item, &control, why, error);
    code = im->sink->add(im->to, &item->entry, why);
    if (code == KT_OK) {
        result->virtual_left_out += item->virtual_left_out;
        bool proposed = im->sink->proposed != NULL && im->sink->proposed(im->to);
        return kt_control_add(proposed ? &result->proposed : &result->posted, &control, &item->entry, error);
    }
    if (is_refusal(code)) return reject(im, item, &control, why, error);
    if (error) *error = *why;
    return code;
}

/* Reads the whole file once more where the sink does not judge an entry when it is added, so that what will be refused is
   known before anything is counted. What one refusal changes for entries behind it shows in the next round. */
static kt_code judge_entries(import *im, kt_error *error) {
    const kt_import_options *options = im->options;
    bool news = im->sink->judge != NULL && (options->skip_bad || options->dry_run || options->allow_duplicate_voucher);
    kt_code code = KT_OK;
    for (unsigned round = 0; code == KT_OK && news && round < JUDGED_ROUNDS; round++) {
        code = open_reader(im, error);
        while (code == KT_OK) {
            kt_item item;
            bool refused;
            code = next_item(im, &item, &refused, error);
            if (code == KT_OK && item.kind == KT_ITEM_CURRENCY)
                code = need_currency(im, item.currency, item.decimals, error);
            else if (code == KT_OK && item.kind == KT_ITEM_ENTRY) {
                code = im->sink->add(im->to, &item.entry, error);
                refused = is_refusal(code);
            }
            if (refused) code = KT_OK; /* said when it is posted */
        }
        close_reader(im);
        if (code == KT_END) code = im->sink->judge(im->to, &news, error);
    }
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
        if (im->result->read.entries < told + PROGRESS_EVERY || code != KT_OK) continue;
        told = im->result->read.entries;
        if (im->options->progress) im->options->progress(im->options->context, item.done, im->source->size, told);
        if (im->nameless && kt_imprint_finished(&im->imprint)) code = name_batch(im, error);
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
    kt_code code = KT_OK;
    im->nameless = im->sink->name && im->format != &kt_format_journal && !kt_imprint_finished(&im->imprint);
    if (!im->nameless) code = make_id(im, error);
    if (code != KT_OK) return code;
    kt_batch_options options = batch_options(im);
    code = im->sink->begin(im->to, &options, &im->result->receipt, error);
    if (code != KT_OK) return code;
    bool posted;
    return im->sink->find_currency(im->to, im->book_currency, &im->result->decimals, &posted, error);
}

static void nothing_posted(kt_import_result *result) {
    result->rejected = result->read;
    result->posted = result->proposed = (kt_control){0};
    result->accounts_created = 0;
    result->currencies_declared = 0;
    result->virtual_left_out = result->entries_left_out = result->automated_left_out = 0;
}

/* Seals what was good. Where no entry was, nothing is stored, so that the file can be sent again. */
static kt_code finish(import *im, kt_error *error) {
    kt_import_result *result = im->result;
    bool some_bad = result->rejected.entries > 0, dry = im->options->dry_run;
    kt_code code = kt_rejects_close(&im->rejects, error);
    if (code == KT_OK && !dry && (result->posted.entries + result->proposed.entries > 0 || !some_bad)) {
        code = im->sink->commit(im->to, result->rejected.entries, &result->receipt, error);
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
    if (code == KT_OK && im->options->how.openings && im->format != &kt_format_saft)
        code = kt_fail(error, KT_USAGE, "format %s has no opening balances to post", im->format->name);
    if (code == KT_OK) code = im->sink->currency(im->to, &im->book_currency, error);
    if (code != KT_OK) return code;
    kt_code collected = KT_OK; /* a fault found there counts behind what is found before it: a repeat, a bad code */
    kt_error fault;
    kt_imprint_begin(&im->imprint, im->format, im->options, im->source);
    if (im->options->create_accounts) collected = collect_accounts(im, &fault);
    code = begin(im, error);
    if (code == KT_OK && im->codes.count > 0) code = name_batch(im, error); /* before it tells what it would create */
    if (code == KT_OK) code = create_accounts(im, error);
    if (code == KT_OK && collected != KT_OK) {
        if (error) *error = fault;
        code = collected;
    }
    if (code == KT_OK) code = judge_entries(im, error);
    if (code == KT_OK) code = post_entries(im, error);
    kt_error other;
    kt_code named = name_batch(im, &other);
    if (named != KT_OK) {
        if (error) *error = other;
        code = named;
    }
    return code == KT_OK ? finish(im, error) : code;
}

kt_code kt_import_into(const kt_sink *sink, void *to, const char *path, const kt_import_options *options,
                       kt_import_result *result, kt_error *error) {
    kt_import_options none = {0};
    kt_import_result unused;
    if (!result) result = &unused;
    memset(result, 0, sizeof *result);
import im = {.sink = sink, .to = to, .options = options ? options: & none, .result = result };
    im.rejects.path = im.options->skip_bad && !im.options->dry_run ? im.options->reject_path : NULL;
    kt_code code = run(&im, path, error);
    if (code != KT_OK && code != KT_END && code != KT_REPEATED) nothing_posted(result);
    kt_rejects_drop(&im.rejects);
    sink->abort(to);
    kt_codes_release(&im.codes);
    kt_imprint_drop(&im.imprint);
    kt_source_close(im.file);
    return code;
}

kt_code kt_import(kt_book *book, const char *path, const kt_import_options *options, kt_import_result *result,
                  kt_error *error) {
    kt_book_sink sink = {.book = book};
    return kt_import_into(&kt_sink_book, &sink, path, options, result, error);
}
