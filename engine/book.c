#include "engine/batch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/logkey.h"
#include "engine/tables.h"
#include "storage/codec.h"
#include "storage/disk.h"
#include "storage/note.h"

kt_store *kt_book_store(kt_book *book) { return book->store; }
kt_fold *kt_book_fold(kt_book *book) { return book->fold; }
kt_journal *kt_book_journal(kt_book *book) { return book->journal; }
const kt_genesis *kt_book_genesis(const kt_book *book) { return &book->genesis; }
const kt_registry *kt_book_registry(const kt_book *book) { return book->registry; }
const char *kt_book_directory(const kt_book *book) { return book->directory; }
const char *kt_book_origin(const kt_book *book) { return book->genesis.origin; }
const char *kt_book_verifier(const kt_book *book) { return book->verifier; }

static int64_t system_clock(void *context) {
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- what the journal asks of the fold; the last four on the lanes ---- */

static void block_turns(void *context) { kt_fold_turn(((kt_book *)context)->fold); }

static void block_dropped(void *context) { kt_fold_drop(((kt_book *)context)->fold); }

static kt_code batch_sealed(void *context, const kt_seal *seal, uint64_t number, kt_error *error) {
    return kt_fold_sealed(((kt_book *)context)->fold, seal, number, error);
}

static kt_code batch_ends(void *context, kt_error *error) { return kt_fold_flush(((kt_book *)context)->fold, error); }

static void block_prepared(void *context, uint64_t first, uint32_t count) {
    kt_fold_prepare(((kt_book *)context)->fold, first, count);
}

static kt_code block_written(void *context, kt_txn *txn, uint64_t first, uint32_t count, kt_error *error) {
    return kt_fold_block(((kt_book *)context)->fold, txn, first, count, error);
}

static kt_code head_moves(void *context, kt_txn *txn, kt_error *error) {
    return kt_fold_head(((kt_book *)context)->fold, txn, error);
}

static kt_code recover(void *context, kt_txn *txn, uint64_t size, kt_error *error) {
    (void)size;
    return kt_fold_recover(((kt_book *)context)->fold, txn, error);
}

/* ---- opening ---- */

static char *join(const char *directory, const char *name) {
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = malloc(size);
    if (path != NULL) snprintf(path, size, "%s/%s", directory, name);
    return path;
}

/* LMDB keeps one environment open a process; a book holds it until it is closed. */
static kt_code open_parts(kt_book *book, bool create, bool read_only, bool older, kt_error *error) {
    kt_store_options options = {.names = kt_table_names,
                                .count = KT_TABLE_COUNT,
                                .create = create,
                                .read_only = read_only,
                                .newer_from = KT_TABLE_NEWER,
                                .make_newer = older && !read_only};
    kt_code code = kt_keys_setup(error);
    if (code == KT_OK) code = kt_store_open(book->directory, &options, &book->store, error);
    if (code == KT_OK) code = kt_fold_open(book->registry, &book->fold, error);
    if (code != KT_OK || read_only) return code;
    kt_journal_options journal = {.directory = book->directory,
                                  .origin = book->genesis.origin,
                                  .clock_us = book->clock_us,
                                  .clock_context = book->clock_context,
                                  .single_thread = book->single_thread,
                                  .state = kt_fold_state(book->fold),
                                  .spills = kt_registry_spills(book->registry),
                                  .turn = block_turns,
                                  .dropped = block_dropped,
                                  .sealed = batch_sealed,
                                  .flush = batch_ends,
                                  .context = book,
                                  .hooks = {block_prepared, block_written, head_moves, recover, book}};
    return kt_journal_open(book->store, &journal, &book->journal, error);
}

static kt_code new_book(const kt_registry *registry, const char *directory, kt_book **out, kt_error *error) {
    kt_book *book = calloc(1, sizeof *book);
    *out = NULL;
    if (book == NULL || (book->directory = strdup(directory)) == NULL) {
        free(book);
        return kt_fail(error, KT_MEMORY, "out of memory");
    }
    book->registry = registry;
    book->clock_us = system_clock;
    *out = book;
    return KT_OK;
}

static kt_code set_verifier(kt_book *book, kt_error *error) {
    kt_verifier verifier;
    kt_code code = kt_verifier_make(book->genesis.origin, book->log_key, &verifier, error);
    if (code == KT_OK) kt_verifier_format(&verifier, book->verifier);
    return code;
}

/* State of an older format has no log keys: only rebuilding opens it, and signs nothing. */
static kt_code read_log_key(kt_book *book, kt_txn *txn, kt_error *error) {
    if (kt_format_check(txn, book->directory, NULL) == KT_OK)
        return kt_log_key_at(txn, UINT64_MAX, book->log_key, error);
    memcpy(book->log_key, book->genesis.log_key, KT_KEY_SIZE);
    return KT_OK;
}

/* The format's version is looked at before anything that a newer version may have changed. */
static kt_code read_genesis(kt_book *book, bool older_state, kt_error *error) {
    kt_txn *txn;
    kt_records *records = NULL;
    kt_span value;
    kt_code code = kt_txn_begin(book->store, false, &txn, error);
    if (code != KT_OK) return code;
    code = kt_format_check(txn, book->directory, error);
    if (code == KT_OLDER && older_state) code = KT_OK;
    if (code == KT_OK) code = kt_records_open(txn, 1, &records, error);
    if (code == KT_OK) code = kt_records_read(records, 0, &value, error);
    if (code == KT_OK) code = kt_genesis_read(value, &book->genesis, error);
    if (code == KT_OK) code = read_log_key(book, txn, error);
    kt_records_close(records);
    kt_txn_abort(txn);
    return code == KT_OK ? set_verifier(book, error) : code;
}

kt_code kt_book_open_with(const kt_registry *registry, const char *directory, const kt_open_options *options,
                          kt_book **out, kt_error *error) {
    static const kt_open_options defaults;
    if (options == NULL) options = &defaults;
    kt_book *book;
    *out = NULL;
    kt_code code = new_book(registry, directory, &book, error);
    if (code != KT_OK) return code;
    book->no_wait = options->no_wait;
    book->single_thread = options->single_thread;
    book->passphrase = options->passphrase;
    book->passphrase_context = options->passphrase_context;
    if (options->clock_us != NULL) {
        book->clock_us = options->clock_us;
        book->clock_context = options->context;
    }
    if (options->key_file != NULL && (book->key_file = strdup(options->key_file)) == NULL)
        code = kt_fail(error, KT_MEMORY, "out of memory");
    if (code == KT_OK) code = open_parts(book, false, options->read_only, options->older_state, error);
    if (code == KT_OK) code = read_genesis(book, options->older_state, error);
    if (code == KT_OK) kt_access_set_origin(kt_fold_access(book->fold), book->genesis.origin);
    if (code == KT_OK && options->entity.size != 0 && !kt_str_equal(options->entity, kt_str_from(book->genesis.entity)))
        code = kt_fail(error, KT_FOREIGN, "%s: is the book of '%s', expected '%.*s'", directory, book->genesis.entity,
                       (int)options->entity.size, options->entity.data);
    if (code == KT_OK && book->journal != NULL) code = kt_journal_recover(book->journal, error); /* LAW 4 */
    if (code != KT_OK) kt_book_close(book);
    else *out = book;
    return code;
}

void kt_book_close(kt_book *book) {
    if (book == NULL) return;
    if (book->batch != NULL) kt_batch_abort(book->batch);
    kt_journal_close(book->journal);
    kt_fold_close(book->fold);
    if (book->actor != book->log) kt_signer_close(book->actor);
    kt_signer_close(book->log);
    kt_store_close(book->store);
    free(book->key_file);
    free(book->directory);
    free(book);
}

/* ---- founding ---- */

static kt_code make_directory(const char *path, kt_error *error) {
    if (mkdir(path, 0700) == 0) return KT_OK;
    if (errno != EEXIST) return kt_fail_errno(error, errno, "%s", path);
    DIR *directory = opendir(path);
    if (directory == NULL) return kt_fail_errno(error, errno, "%s", path);
    kt_code code = KT_OK;
    for (struct dirent *entry; code == KT_OK && (entry = readdir(directory)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            code = kt_fail(error, KT_EXISTS, "%s: is not empty: a new book takes an empty or a new directory", path);
    closedir(directory);
    return code;
}

static kt_code make_keys(kt_book *book, const kt_create_options *options, kt_error *error) {
    char *keys = join(book->directory, "keys");
    book->key_file = join(book->directory, "keys/log.key");
    kt_code code = keys == NULL || book->key_file == NULL ? kt_fail(error, KT_MEMORY, "out of memory") : KT_OK;
    if (code == KT_OK && mkdir(keys, 0700) != 0) code = kt_fail_errno(error, errno, "%s", keys);
    if (code == KT_OK && options->random != NULL) {
        uint8_t seed[KT_SEED_SIZE];
        options->random(options->context, seed, sizeof seed);
        code = kt_signer_from_seed(seed, &book->log, error);
        kt_wipe(seed, sizeof seed);
    } else if (code == KT_OK) code = kt_signer_generate(&book->log, error);
    if (code == KT_OK) code = kt_key_save(book->log, book->key_file, book->genesis.origin, NULL, error);
    book->actor = book->log;
    free(keys);
    return code;
}

static kt_code append_genesis(kt_book *book, kt_error *error) {
    uint8_t record[KT_GENESIS_RECORD_MAX];
    uint64_t number;
    int64_t now = book->clock_us(book->clock_context);
    kt_day today = (kt_day)(now / 86400000000ll);
    size_t size = kt_genesis_write(&book->genesis, today, record);
    kt_txn *txn;
    kt_code code = kt_journal_write(book->journal, &txn, error);
    if (code == KT_OK) code = kt_format_write(txn, error);
    if (code == KT_OK) code = kt_journal_append(book->journal, kt_span_of(record, size), &number, error);
    return code == KT_OK ? kt_fold_genesis_apply(book->fold, &book->genesis, error) : code;
}

void kt_book_unfound(const char *directory) {
    static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock", "keys/log.key"};
    char path[4096];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (snprintf(path, sizeof path, "%s/%s", directory, names[i]) < (int)sizeof path) unlink(path);
    if (snprintf(path, sizeof path, "%s/keys", directory) < (int)sizeof path) rmdir(path);
    rmdir(directory);
}

kt_code kt_book_found(const kt_registry *registry, const char *directory, const kt_create_options *options,
                      kt_book **out, kt_batch **batch, kt_error *error) {
    kt_book *book;
    *out = NULL;
    *batch = NULL;
    if (options->company.entity.size == 0 || options->company.entity.size > KT_NAME_MAX)
        return kt_fail(error, KT_USAGE, "the entity's name has %zu bytes, expected 1 to %d",
                       options->company.entity.size, KT_NAME_MAX);
    kt_code code = new_book(registry, directory, &book, error);
    if (code != KT_OK) return code;
    if (options->clock_us != NULL) {
        book->clock_us = options->clock_us;
        book->clock_context = options->context;
    }
    code = kt_keys_setup(error);
    if (code == KT_OK) code = make_directory(directory, error);
    bool made = code == KT_OK;
    if (code == KT_OK) {
        book->genesis.format = KT_FORMAT_VERSION;
        book->genesis.suite = KT_SUITE;
        memcpy(book->genesis.entity, options->company.entity.data, options->company.entity.size);
        if (options->random != NULL) options->random(options->context, book->genesis.book_id, KT_BOOK_ID_SIZE);
        else kt_random(book->genesis.book_id, KT_BOOK_ID_SIZE);
        kt_genesis_name(&book->genesis);
        code = make_keys(book, options, error);
    }
    if (code == KT_OK) {
        memcpy(book->genesis.log_key, kt_signer_public(book->log), KT_KEY_SIZE);
        memcpy(book->log_key, book->genesis.log_key, KT_KEY_SIZE);
        memcpy(book->genesis.actor_key, kt_signer_public(book->log), KT_KEY_SIZE);
        code = set_verifier(book, error);
    }
    if (code == KT_OK) code = open_parts(book, true, false, false, error);
    if (code == KT_OK) code = kt_disk_sync_names(directory, error); /* LAW 3: the names, before the first batch */
    if (code == KT_OK) code = kt_disk_sync_name(directory, error);
    if (code == KT_OK) code = kt_journal_begin(book->journal, true, error);
    if (code == KT_OK) code = append_genesis(book, error);
    if (code == KT_OK) code = kt_batch_start(book, batch, error);
    if (code == KT_OK) {
        snprintf((*batch)->id, sizeof(*batch)->id, "genesis");
        *out = book;
    } else {
        kt_book_close(book);
        if (made) kt_book_unfound(directory);
    }
    return code;
}

/* ---- keys ---- */

/* A file that is no key file is a matter of keys, and so of the surroundings. */
static kt_code of_keys(kt_code code, kt_error *error) {
    return code == KT_INVALID || code == KT_DAMAGED ? kt_fail_at(error, KT_KEY, "key") : code;
}

/* The log's key as of what is stored now: another process may have changed it. */
static kt_code look_up_log_key(kt_book *book, kt_txn *txn, kt_error *error) {
    uint8_t key[KT_KEY_SIZE];
    kt_code code = kt_log_key_at(txn, UINT64_MAX, key, error);
    if (code != KT_OK || memcmp(key, book->log_key, KT_KEY_SIZE) == 0) return code;
    if (book->actor != book->log) kt_signer_close(book->log);
    book->log = NULL;
    memcpy(book->log_key, key, KT_KEY_SIZE);
    return set_verifier(book, error);
}

kt_code kt_book_load_log(kt_book *book, kt_error *error) {
    kt_txn *txn;
    if (book->log != NULL) return KT_OK;
    kt_code code = kt_txn_begin(book->store, false, &txn, error);
    if (code != KT_OK) return code;
    code = look_up_log_key(book, txn, error);
    kt_txn_abort(txn);
    if (code == KT_OK)
        code = kt_log_key_load(book->directory, book->log_key, book->passphrase, book->passphrase_context, &book->log,
                               error);
    return of_keys(code, error);
}

kt_code kt_book_follow_log(kt_book *book, kt_error *error) {
    kt_code code = look_up_log_key(book, kt_state_txn(kt_fold_state(book->fold)), error);
    return code == KT_OK ? kt_book_load_log(book, error) : code;
}

void kt_book_take_log(kt_book *book, kt_signer *log) {
    uint8_t old[KT_KEY_SIZE];
    memcpy(old, book->log_key, KT_KEY_SIZE);
    if (book->actor != book->log) kt_signer_close(book->log);
    book->log = log;
    memcpy(book->log_key, kt_signer_public(log), KT_KEY_SIZE);
    (void)set_verifier(book, NULL);
    (void)kt_log_key_install(book->directory, old, NULL); /* where it fails, the next who loads the key does it */
}

kt_code kt_book_load_actor(kt_book *book, kt_error *error) {
    kt_code code = kt_book_load_log(book, error);
    if (code != KT_OK || book->actor != NULL) return code;
    char *own = book->key_file == NULL ? join(book->directory, "keys/actor.key") : NULL;
    if (book->key_file == NULL && own == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    if (own != NULL && access(own, F_OK) != 0) book->actor = book->log; /* the two have not parted */
    else
        code = kt_key_load(own != NULL ? own : book->key_file, book->passphrase, book->passphrase_context, &book->actor,
                           error);
    free(own);
    return of_keys(code, error);
}

kt_code kt_book_own_key(kt_book *book, const char *key_file, kt_error *error) {
    kt_key_about about;
    char path[4096], kept[4200], hex[9];
    int size = snprintf(path, sizeof path, "%s/keys/actor.key", book->directory);
    if (size < 0 || (size_t)size >= sizeof path) return kt_fail(error, KT_USAGE, "%s: path too long", book->directory);
    if (access(path, F_OK) == 0) {
        kt_code code = kt_key_look(path, &about, error);
        if (code != KT_OK) return of_keys(code, error);
        kt_hex_encode(about.public_key, 4, hex);
        (void)snprintf(kept, sizeof kept, "%s/keys/actor.%s.key", book->directory, hex);
        if (link(path, kept) != 0 && errno != EEXIST) return kt_fail_errno(error, errno, "%s", kept);
    }
    if (rename(key_file, path) == 0) return kt_disk_sync_name(path, error);
    if (errno == EXDEV)
        return kt_fail(error, KT_USAGE,
                       "%s: lies on another file system than the book: put it at %s, or give it as --key", key_file,
                       path);
    return kt_fail_errno(error, errno, "%s", key_file);
}

const kt_signer *kt_book_actor_signer(const kt_book *book) { return book->actor; }
const kt_signer *kt_book_log_signer(const kt_book *book) { return book->log; }
