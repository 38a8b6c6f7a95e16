#include "tests/mutating.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/audit/examine.h"
#include "engine/registry.h"
#include "engine/tables.h"
#include "storage/block.h"
#include "storage/digest.h"
#include "tests/storing.h"

#define WORKERS 2u
#define PATIENCE 60u /* seconds for one mutant */

static _Noreturn void die(const char *what) {
    diag("%s: %s", what, strerror(errno));
    ok(false, "%s", what);
    exit(done());
}

/* ---- the children ---- */

/* Shared with the child that fills it. */
struct worker {
    pid_t child;
    size_t at;    /* the mutant it is at; the set's count: it is done */
    bool reading; /* behind the verification */
    mutant_tally tally;
};

static void on_found(void *context, uint64_t record, kt_code code, const char *what) {
    (void)record, (void)code, (void)what;
    ++*(size_t *)context;
}
static void on_progress(void *context, uint64_t reached, uint64_t of) { (void)context, (void)reached, (void)of; }
static void on_scratch(void *context, const char *path) { (void)context, (void)path; }

/* What the surroundings may say is no judgement of the book. */
static bool is_refusal(kt_code code) {
    switch (code) {
    case KT_OK:
    case KT_MEMORY:
    case KT_BUSY:
    case KT_DISK_FULL:
    case KT_USAGE: return false;
    default: return true;
    }
}

static void try_one(const mutants *set, struct worker *worker, const char *directory) {
    static const kt_verify_options plain = {.threads = 1, .most = 1};
    kt_verify_options options = set->options == NULL ? plain : *set->options(set->context, worker->at);
    size_t findings = 0;
    kt_examine_sink sink = {on_found, on_progress, on_scratch, &findings};
    kt_verify_result result;
    kt_error error = {0};
    mutant_tally *tally = &worker->tally;
    if (!set->make(set->context, worker->at, directory)) {
        tally->same++;
        return;
    }
    tally->tried++;
    options.threads = 1;
    kt_code code = kt_examine(&kt_the_registry, directory, &options, &sink, &result, &error);
    if (code == KT_OK ? result.findings > 0 && findings > 0 : is_refusal(code)) {
        tally->caught++;
        return;
    }
    worker->reading = true;
    if (code == KT_OK && set->reads_alike != NULL && set->reads_alike(set->context, directory)) tally->unread++;
    else if (tally->missed++ == 0)
        snprintf(tally->why, sizeof tally->why, "%s: mutant %zu is not refused (%s %s)", set->what, worker->at,
                 kt_code_name(code), error.text);
    worker->reading = false;
}

static _Noreturn void work(const mutants *set, struct worker *worker, unsigned number) {
    char directory[1100];
    snprintf(directory, sizeof directory, "%s/mutant-%u", test_dir(), number);
    mkdir(directory, 0700);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    kt_store_forked();
    for (; worker->at < set->count; worker->at += WORKERS) {
        alarm(PATIENCE);
        try_one(set, worker, directory);
    }
    _exit(0);
}

static void start(const mutants *set, struct worker *worker, unsigned number) {
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) die("no process for the mutants");
    if (child == 0) work(set, worker, number);
    worker->child = child;
}

/* The child died of its mutant: the next one goes on behind it. */
static void bury(const mutants *set, struct worker *worker) {
    mutant_tally *tally = &worker->tally;
    if (worker->reading) {
        tally->missed++;
        snprintf(tally->why, sizeof tally->why, "%s: mutant %zu is not refused, and reading it dies", set->what,
                 worker->at);
        worker->reading = false;
    } else {
        if (tally->died < MUTANTS_DEAD) tally->dead[tally->died] = worker->at;
        tally->died++;
    }
    worker->at += WORKERS;
}

static void add_up(mutant_tally *sum, const mutant_tally *one) {
    for (size_t i = 0; i < one->died && i < MUTANTS_DEAD && sum->died + i < MUTANTS_DEAD; i++)
        sum->dead[sum->died + i] = one->dead[i];
    sum->tried += one->tried;
    sum->caught += one->caught;
    sum->same += one->same;
    sum->unread += one->unread;
    sum->died += one->died;
    sum->missed += one->missed;
    if (one->missed != 0) memcpy(sum->why, one->why, sizeof sum->why);
}

void mutants_try(const mutants *set, mutant_tally *out) {
    struct worker *workers = mmap(NULL, WORKERS * sizeof *workers, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                                  -1, 0);
    if (workers == MAP_FAILED) die("no memory for the mutants");
    *out = (mutant_tally){0};
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].at = i;
        start(set, &workers[i], i);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        for (;;) {
            int status;
            pid_t gone;
            while ((gone = waitpid(workers[i].child, &status, 0)) < 0 && errno == EINTR) continue;
            if (gone < 0) die("a child is lost");
            if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
            bury(set, &workers[i]);
            start(set, &workers[i], i);
        }
    for (unsigned i = 0; i < WORKERS; i++) add_up(out, &workers[i].tally);
    munmap(workers, WORKERS * sizeof *workers);
}

bool mutants_caught(const mutants *set, size_t same, const char *law, ...) {
    mutant_tally tally;
    char text[300];
    va_list arguments;
    va_start(arguments, law);
    vsnprintf(text, sizeof text, law, arguments);
    va_end(arguments);
    mutants_try(set, &tally);
    if (tally.missed != 0) diag("%s", tally.why);
    if (tally.died != 0)
        diag("%s: verification died of %zu, first of mutant %zu", set->what, tally.died, tally.dead[0]);
    if (tally.same != same) diag("%s: %zu were no change, expected %zu", set->what, tally.same, same);
    return ok(tally.tried > 0 && tally.caught == tally.tried && tally.same == same && tally.missed == 0 &&
                  tally.died == 0,
              "%s: %zu tried, %zu caught", text, tally.tried, tally.caught);
}

/* ---- a book's file ---- */

/* Over what is there: pages that stay are not given back and asked for again. */
bool book_file_put(const char *directory, const uint8_t *bytes, size_t size) {
    char path[1200];
    snprintf(path, sizeof path, "%s/lock.mdb", directory);
    unlink(path);
    snprintf(path, sizeof path, "%s/data.mdb", directory);
    int out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool good = out >= 0 && write(out, bytes, size) == (ssize_t)size && ftruncate(out, (off_t)size) == 0;
    if (out >= 0) good = close(out) == 0 && good;
    if (!good) diag("%s is not written", path);
    return good;
}

static void read_whole(book_file *out, const char *path) {
    char name[1200];
    struct stat status;
    snprintf(name, sizeof name, "%s/data.mdb", path);
    FILE *in = fopen(name, "rb");
    if (in == NULL || fstat(fileno(in), &status) != 0) die("the book's file is not read");
    out->size = (size_t)status.st_size;
    out->bytes = malloc(out->size);
    if (out->bytes == NULL || fread(out->bytes, 1, out->size, in) != out->size) die("the book's file is not read");
    fclose(in);
}

static kt_txn *open_rows(const char *directory, bool write, kt_store **store) {
    kt_store_options options = {
        .names = kt_table_names, .count = KT_TABLE_COUNT, .read_only = !write, .scratch = write};
    kt_error error = {0};
    kt_txn *txn = NULL;
    if (kt_store_open(directory, &options, store, &error) != KT_OK ||
        kt_txn_begin(*store, write, &txn, &error) != KT_OK)
        diag("%s", error.text);
    return txn;
}

void book_file_open(book_file *out, const char *path, const char *name) {
    char ends[200];
    kt_store *store = NULL;
    kt_txn *txn = open_rows(path, false, &store);
    kt_span key, value;
    *out = (book_file){0};
    read_whole(out, path);
    snprintf(ends, sizeof ends, "/%s/data.mdb", name);
    if (txn == NULL) die("the book's file is not read");
    for (kt_table table = 0; table < KT_TABLE_COUNT; table++) {
        kt_cursor *cursor = NULL;
        if (kt_cursor_open(txn, table, &cursor, NULL) != KT_OK) die("a table is not read");
        kt_cursor_raw(cursor, true);
        for (kt_code code = kt_cursor_first(cursor, &key, &value, NULL); code == KT_OK;
             code = kt_cursor_next(cursor, &key, &value, NULL)) {
            struct file_place *grown = realloc(out->places, (out->count + 1) * sizeof *grown);
            if (grown == NULL) die("no memory");
            out->places = grown;
            struct file_place *place = &out->places[out->count++];
            *place = (struct file_place){table, storing_place(key, ends, out->bytes, out->size), key.size,
                                         storing_place(value, ends, out->bytes, out->size), value.size};
            if (place->key_at == SIZE_MAX || place->value_at == SIZE_MAX) die("a value's place is not found");
            out->value_bytes += value.size;
            out->key_bytes += key.size;
        }
        kt_cursor_close(cursor);
    }
    kt_txn_abort(txn);
    kt_store_close(store);
}

void book_file_close(book_file *file) {
    free(file->bytes);
    free(file->places);
}

/* ---- checksums ---- */

/* A block as its own count has it; false where that does not fit its bytes. */
static bool block_layout(const struct file_place *place, const uint8_t *value, uint32_t *count, size_t *head) {
    size_t room = place->value_size - KT_VALUE_OVERHEAD;
    *count = kt_get_le32(value + KT_VALUE_OVERHEAD);
    *head = 8 + (size_t)(*count / KT_BLOCK_GROUP + (*count % KT_BLOCK_GROUP != 0)) * 8;
    return *count <= KT_BLOCK_RECORDS && *head + (size_t)*count * 6 <= room;
}

static void mend_block(const struct file_place *place, uint8_t *bytes) {
    uint8_t *value = bytes + place->value_at, *at = value + KT_VALUE_OVERHEAD;
    kt_span key = kt_span_of(bytes + place->key_at, place->key_size);
    size_t room = place->value_size - KT_VALUE_OVERHEAD, head, offset = 0;
    uint32_t count;
    if (!block_layout(place, value, &count, &head)) {
        kt_put_le32(value + 1, kt_value_crc(place->table, key, at, head < room ? head : room));
        return;
    }
    uint8_t *table = at + head, *records = table + (size_t)count * 6;
    size_t left = room - head - (size_t)count * 6;
    uint64_t first = kt_get_be64(key.data);
    for (uint32_t i = 0; i < count; i++) {
        size_t size = kt_get_le16(table + (size_t)i * 6);
        if (size > left - offset) break;
        kt_put_le32(table + (size_t)i * 6 + 2, kt_block_record_crc(first + i, records + offset, size));
        offset += size;
    }
    for (uint32_t i = 0; i < count; i += KT_BLOCK_GROUP) {
        size_t here = count - i < KT_BLOCK_GROUP ? count - i : KT_BLOCK_GROUP;
        kt_put_le32(at + 8 + (size_t)(i / KT_BLOCK_GROUP) * 8 + 4, kt_crc32c(0, table + (size_t)i * 6, here * 6));
    }
    kt_put_le32(value + 1, kt_value_crc(place->table, key, at, head));
}

void book_file_mend(const struct file_place *place, uint8_t *bytes) {
    uint8_t *value = bytes + place->value_at;
    kt_span key = kt_span_of(bytes + place->key_at, place->key_size);
    if (place->table == KT_TABLE_BLOCKS) mend_block(place, bytes);
    else
        kt_put_le32(value + 1,
                    kt_value_crc(place->table, key, value + KT_VALUE_OVERHEAD, place->value_size - KT_VALUE_OVERHEAD));
}

size_t book_file_checksums(const book_file *file, const struct file_place *place) {
    uint32_t count;
    size_t head;
    if (place->table != KT_TABLE_BLOCKS) return 4;
    if (!block_layout(place, file->bytes + place->value_at, &count, &head)) die("a block does not hold its records");
    return 4 + (head - 8) / 8 * 4 + (size_t)count * 4;
}

uint64_t book_digest(const char *directory) {
    kt_store *store = NULL;
    kt_txn *txn = open_rows(directory, false, &store);
    kt_span key, value, looked_up;
    uint64_t sum = 1;
    kt_code code = txn == NULL ? KT_DAMAGED : KT_OK;
    for (kt_table table = 0; table < KT_TABLE_COUNT && code == KT_OK; table++) {
        kt_cursor *cursor = NULL;
        bool raw = table == KT_TABLE_BLOCKS;
        code = kt_cursor_open(txn, table, &cursor, NULL);
        if (code == KT_OK) kt_cursor_raw(cursor, raw);
        for (kt_code moved = code == KT_OK ? kt_cursor_first(cursor, &key, &value, NULL) : KT_END;
             moved != KT_END && code == KT_OK; moved = kt_cursor_next(cursor, &key, &value, NULL)) {
            code = moved;
            if (code == KT_OK && !raw) code = kt_txn_get(txn, table, key, &looked_up, NULL);
            if (code == KT_OK) sum = sum * 31 + kt_crc32c(kt_crc32c(table, key.data, key.size), value.data, value.size);
        }
        kt_cursor_close(cursor);
    }
    kt_txn_abort(txn);
    kt_store_close(store);
    return code == KT_OK ? sum : 0;
}

/* ---- a journal's records ---- */

static void copy_block(journal_copy *out, kt_block_view *block) {
    size_t used = out->count == 0 ? 0 : (size_t)(out->records[out->count - 1].data - out->bytes);
    if (out->count != 0) used += out->records[out->count - 1].size;
    for (uint32_t i = 0; i < block->count; i++) {
        kt_span record;
        if (kt_block_record(block, i, &record, NULL) != KT_OK) die("a record is not read");
        memcpy(out->bytes + used, record.data, record.size);
        out->records[out->count++] = kt_span_of(out->bytes + used, record.size);
        used += record.size;
    }
    out->blocks[out->block_count++] = block->count;
}

void journal_copy_open(journal_copy *out, const char *directory) {
    kt_store *store = NULL;
    kt_txn *txn = open_rows(directory, false, &store);
    kt_cursor *cursor = NULL;
    kt_span key, value;
    kt_block_view block;
    size_t bytes = 0, records = 0, blocks = 0;
    *out = (journal_copy){0};
    for (unsigned round = 0; round < 2; round++) {
        if (txn == NULL || kt_cursor_open(txn, KT_TABLE_BLOCKS, &cursor, NULL) != KT_OK) die("blocks are not read");
        kt_cursor_raw(cursor, true);
        for (kt_code code = kt_cursor_first(cursor, &key, &value, NULL); code == KT_OK;
             code = kt_cursor_next(cursor, &key, &value, NULL)) {
            if (kt_block_open(KT_TABLE_BLOCKS, key, value, &block, NULL) != KT_OK) die("a block is not read");
            if (round == 0) bytes += block.bytes, records += block.count, blocks++;
            else copy_block(out, &block);
        }
        kt_cursor_close(cursor);
        if (round == 1) break;
        out->bytes = malloc(bytes + 1);
        out->records = calloc(records + 1, sizeof *out->records);
        out->blocks = calloc(blocks + 1, sizeof *out->blocks);
        if (out->bytes == NULL || out->records == NULL || out->blocks == NULL) die("no memory");
    }
    kt_txn_abort(txn);
    kt_store_close(store);
}

void journal_copy_close(journal_copy *copy) {
    free(copy->records);
    free(copy->blocks);
    free(copy->bytes);
}

/* KT_OK where there is nothing to be put. */
static kt_code put_block(kt_txn *txn, uint64_t first, const kt_span *records, size_t count) {
    static uint8_t bytes[KT_BLOCK_BYTES];
    static uint16_t lengths[KT_BLOCK_RECORDS];
    uint8_t key[8], *room;
    size_t size = 0;
    if (count == 0) return KT_OK;
    if (count > KT_BLOCK_RECORDS) return KT_LIMIT;
    for (size_t i = 0; i < count; i++) {
        if (records[i].size > sizeof bytes - size) return KT_LIMIT;
        lengths[i] = (uint16_t)records[i].size;
        memcpy(bytes + size, records[i].data, records[i].size);
        size += records[i].size;
    }
    kt_put_be64(key, first);
    kt_code code = kt_txn_append_room(txn, KT_TABLE_BLOCKS, kt_span_of(key, sizeof key),
                                      kt_block_size((uint32_t)count, (uint32_t)size), &room, NULL);
    if (code == KT_OK)
        kt_block_write(KT_TABLE_BLOCKS, first, (uint32_t)count, lengths, NULL, bytes, (uint32_t)size, room);
    return code;
}

bool journal_copy_put(const char *directory, const kt_span *records, size_t count, const journal_copy *blocks) {
    kt_store *store = NULL;
    kt_txn *txn = open_rows(directory, true, &store);
    kt_code code = txn == NULL ? KT_IO : kt_txn_clear(txn, KT_TABLE_BLOCKS, NULL);
    size_t at = 0;
    for (size_t i = 0; i < blocks->block_count && code == KT_OK; i++) {
        size_t here = i + 1 == blocks->block_count || blocks->blocks[i] > count - at ? count - at : blocks->blocks[i];
        code = put_block(txn, at, records + at, here);
        at += here;
    }
    if (code == KT_OK) code = kt_txn_commit(txn, NULL);
    else kt_txn_abort(txn);
    kt_store_close(store);
    return code == KT_OK;
}

bool book_row_put(const char *directory, kt_table table, kt_span key, kt_span value) {
    kt_store *store = NULL;
    kt_txn *txn = open_rows(directory, true, &store);
    kt_code code = txn == NULL          ? KT_IO
                   : value.data == NULL ? kt_txn_delete(txn, table, key, NULL)
                                        : kt_txn_put(txn, table, key, value, NULL);
    if (code == KT_OK) code = kt_txn_commit(txn, NULL);
    else kt_txn_abort(txn);
    kt_store_close(store);
    return code == KT_OK;
}
