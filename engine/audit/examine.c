#include "engine/audit/examine.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/audit/cosigned.h"
#include "engine/audit/leaves.h"
#include "engine/audit/lookup.h"
#include "engine/audit/refold.h"
#include "engine/logkey.h"
#include "engine/tables.h"
#include "storage/codec.h"
#include "storage/head.h"

#define NO_RECORD UINT64_MAX
#define STEP 16384u

struct examine {
    const kt_registry *registry;
    const kt_verify_options *options;
    const kt_examine_sink *sink;
    kt_verify_result *out;
    kt_store *store, *scratch;
    kt_txn *txn, *replay_txn;   /* of one snapshot: each thread reads through its own */
    kt_records *records, *walk; /* by number, and in order for the leaves */
    kt_leaves *leaves;
    kt_refold *refold;
    struct finding {
        uint64_t record;
        kt_code code;
        char *what;
    } * findings; /* told in the order of records when all are in */
    uint64_t kept;
    kt_log_head head;
    kt_genesis genesis;
    uint8_t log_key[KT_KEY_SIZE]; /* checkpoints must be signed by it, as of the record at hand */
    uint8_t wanted[KT_KEY_SIZE];  /* the key given; seen: it is one of the log's, now or before */
    bool wanted_seen;
    kt_held_list held; /* checkpoints that the book must extend, */
    size_t held_next;  /* and the first of them that was not compared yet */
    kt_tree tree;
    kt_content content;
    uint64_t batch_first, batch_entries, batch_proposals;
    bool uncovered;    /* no checkpoint stands at the last seal */
    int64_t last_time; /* of the last seal */
    uint64_t last_epoch;
    bool broken; /* the tree or the replay cannot go on */
};

static uint64_t most(const struct examine *work) { return work->options->most == 0 ? 100 : work->options->most; }

static void report(struct examine *work, uint64_t record, kt_code code, const char *what) {
    if (work->out->findings++ >= most(work)) return;
    struct finding *grown = realloc(work->findings, (work->kept + 1) * sizeof *grown);
    char *copy = strdup(what);
    if (grown != NULL) work->findings = grown;
    if (grown == NULL || copy == NULL) free(copy);
    else work->findings[work->kept++] = (struct finding){record, code, copy};
}

/* First error first: by record, and what concerns no record behind them. An insertion sort keeps what is equal in order. */
static void tell(struct examine *work) {
    for (uint64_t i = 1; i < work->kept; i++) {
        struct finding moved = work->findings[i];
        uint64_t at = i;
        for (; at > 0 && work->findings[at - 1].record > moved.record; at--)
            work->findings[at] = work->findings[at - 1];
        work->findings[at] = moved;
    }
    for (uint64_t i = 0; i < work->kept; i++) {
        work->sink->found(work->sink->context, work->findings[i].record, work->findings[i].code,
                          work->findings[i].what);
        free(work->findings[i].what);
    }
    free(work->findings);
    work->findings = NULL;
    work->kept = 0;
}

__attribute__((format(printf, 4, 5))) static void find(struct examine *work, uint64_t record, kt_code code,
                                                       const char *format, ...) {
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    report(work, record, code, text);
}

/* ---- what is to be checked against ---- */

/* Two transactions of one snapshot; a writer may commit between the two. */
static kt_code begin_both(struct examine *work, kt_error *error) {
    for (;;) {
        kt_code code = kt_txn_begin(work->store, false, &work->txn, error);
        if (code == KT_OK) code = kt_txn_begin(work->store, false, &work->replay_txn, error);
        if (code != KT_OK || kt_txn_snapshot(work->txn) == kt_txn_snapshot(work->replay_txn)) return code;
        kt_txn_abort(work->txn);
        kt_txn_abort(work->replay_txn);
        work->txn = work->replay_txn = NULL;
    }
}

static kt_code open_book(struct examine *work, const char *directory, kt_error *error) {
    kt_store_options options = {
        .names = kt_table_names, .count = KT_TABLE_COUNT, .read_only = true, .newer_from = KT_TABLE_NEWER};
    kt_code code = kt_keys_setup(error);
    if (code == KT_OK) code = kt_store_open(directory, &options, &work->store, error);
    if (code == KT_OK) code = begin_both(work, error);
    if (code == KT_OK) code = kt_format_check(work->txn, directory, error);
    return code;
}

static kt_code read_genesis(struct examine *work, kt_error *error) {
    kt_records *records;
    kt_span record;
    kt_code code = kt_records_open(work->txn, 1, &records, error);
    if (code != KT_OK) return code;
    code = kt_records_read(records, 0, &record, error);
    if (code == KT_OK) code = kt_genesis_read(record, &work->genesis, error);
    kt_records_close(records);
    return code;
}

/* Whoever names a key trusts that key alone, not what the book says of itself; and those it handed over to, or was handed over
   from: no step of that is made without it. */
static kt_code set_key(struct examine *work, kt_error *error) {
    kt_verifier verifier;
    memcpy(work->log_key, work->genesis.log_key, KT_KEY_SIZE);
    work->wanted_seen = true;
    if (work->options->verifier != NULL) {
        kt_code code = kt_verifier_parse(work->options->verifier, strlen(work->options->verifier), &verifier, error);
        if (code != KT_OK) return code;
        if (strcmp(verifier.name, work->genesis.origin) != 0)
            find(work, 0, KT_DAMAGED, "the book's origin is %s, the key given is of %s", work->genesis.origin,
                 verifier.name);
        memcpy(work->wanted, verifier.public_key, KT_KEY_SIZE);
        work->wanted_seen = memcmp(work->wanted, work->log_key, KT_KEY_SIZE) == 0;
    }
    return KT_OK;
}

static void find_in_held(void *context, kt_code code, const char *what) { report(context, NO_RECORD, code, what); }

/* What the book must extend: nothing else shows that its own key did not sign another past. */
static kt_code read_held(struct examine *work, const char *directory, kt_error *error) {
    kt_code code = kt_held_read(directory, work->options, work->txn, work->genesis.origin, find_in_held, work,
                                &work->held, work->out, error);
    for (size_t i = 0; i < work->held.count && code == KT_OK; i++) {
        const kt_held *held = &work->held.held[i];
        if (held->checkpoint.size > work->head.tree.size)
            find(work, NO_RECORD, KT_DAMAGED,
                 "the book has %llu records, fewer than the %llu of %s: it was rolled back",
                 (unsigned long long)work->head.tree.size, (unsigned long long)held->checkpoint.size, held->what);
    }
    return code;
}

/* ---- each record ---- */

static void check_tile(void *context, unsigned tile_level, uint64_t index, const uint8_t root[KT_HASH_SIZE]) {
    struct examine *work = context;
    uint8_t key[9];
    kt_span value;
    kt_error error = {0};
    key[0] = (uint8_t)tile_level;
    kt_put_be64(key + 1, index);
    kt_code code = kt_txn_get(work->txn, KT_TABLE_TILES, kt_span_of(key, sizeof key), &value, &error);
    if (code == KT_NOT_FOUND)
        find(work, NO_RECORD, KT_DAMAGED, "tile %u/%llu: its root is not stored", tile_level,
             (unsigned long long)index);
    else if (code != KT_OK) report(work, NO_RECORD, code, error.text);
    else if (value.size != KT_HASH_SIZE || memcmp(value.data, root, KT_HASH_SIZE) != 0)
        find(work, NO_RECORD, KT_DAMAGED, "tile %u/%llu: its stored root is not that of the records", tile_level,
             (unsigned long long)index);
}

static void check_seal(struct examine *work, uint64_t number, const kt_seal *seal) {
    char message[KT_SEAL_MESSAGE_MAX];
    uint8_t content[KT_HASH_SIZE];
    kt_content_final(&work->content, content);
    if (memcmp(content, seal->content, sizeof content) != 0) {
        find(work, number, KT_DAMAGED, "the records of batch %.*s (%llu to %llu) are not those that were signed",
             (int)seal->id.size, (const char *)seal->id.data, (unsigned long long)work->batch_first,
             (unsigned long long)number - 1);
        return;
    }
    size_t size = kt_seal_message(work->genesis.origin, seal, message);
    if (!kt_signature_check(seal->actor, message, size, seal->signature))
        find(work, number, KT_DAMAGED, "the signature of batch %.*s (records %llu to %llu) does not hold",
             (int)seal->id.size, (const char *)seal->id.data, (unsigned long long)work->batch_first,
             (unsigned long long)number - 1);
}

/* LAW 6: a checkpoint stands at a seal, and covers all that were sealed since the one before it, at one time. */
static void check_checkpoint(struct examine *work, const kt_seal *seal, uint64_t size) {
    kt_log_row row;
    kt_error error = {0};
    kt_checkpoint checkpoint = {.size = size};
    kt_code code = kt_log_row_at(work->txn, size, &row, &error);
    if (work->uncovered && seal->recorded_us != work->last_time)
        find(work, size - 1, KT_DAMAGED,
             "batch %.*s is of another time than the one before it, and no checkpoint of size %llu is stored between "
             "them",
             (int)seal->id.size, (const char *)seal->id.data, (unsigned long long)work->batch_first);
    work->uncovered = code == KT_NOT_FOUND;
    if (code == KT_NOT_FOUND) { /* others follow under the same head */
        if (size == work->head.tree.size)
            find(work, size - 1, KT_DAMAGED, "no checkpoint of size %llu is stored", (unsigned long long)size);
        return;
    }
    if (code != KT_OK) {
        report(work, size - 1, code, error.text);
        return;
    }
    kt_tree_root(&work->tree, checkpoint.root);
    memcpy(checkpoint.origin, work->genesis.origin, strlen(work->genesis.origin) + 1);
    work->out->checkpoints++;
    if (memcmp(checkpoint.root, row.root, KT_HASH_SIZE) != 0)
        find(work, size - 1, KT_DAMAGED, "the checkpoint of size %llu has another root than the records",
             (unsigned long long)size);
    else if (!kt_checkpoint_check(&checkpoint, work->log_key, row.signature))
        find(work, size - 1, KT_DAMAGED, "the signature of the checkpoint of size %llu does not hold",
             (unsigned long long)size);
    if (row.recorded_us != seal->recorded_us || row.batches != work->out->batches)
        find(work, size - 1, KT_DAMAGED, "the checkpoint of size %llu is not of its seal", (unsigned long long)size);
}

/* Those of the size that the tree has now. */
static void check_held(struct examine *work) {
    uint8_t root[KT_HASH_SIZE];
    for (; work->held_next < work->held.count; work->held_next++) {
        const kt_held *held = &work->held.held[work->held_next];
        if (held->checkpoint.size != work->tree.size) return;
        kt_tree_root(&work->tree, root);
        if (memcmp(root, held->checkpoint.root, KT_HASH_SIZE) != 0)
            find(work, NO_RECORD, KT_DAMAGED, "the first %llu records are not those of %s: the history was rewritten",
                 (unsigned long long)held->checkpoint.size, held->what);
    }
}

/* What the seal counts it as: KT_COUNTS_... */
static uint32_t counts_as(const struct examine *work, const kt_envelope *envelope) {
    kt_long whole;
    uint32_t kind = envelope->kind;
    if (kind == KT_KIND_LONG && kt_long_read(envelope->body, &whole, NULL) == KT_OK) kind = whole.kind;
    for (unsigned i = 0; i < work->registry->kind_count; i++)
        if (work->registry->kinds[i].kind == kind) return work->registry->kinds[i].counts;
    return KT_COUNTS_NOT;
}

/* Checkpoints behind this record, and the one over it, are signed by another key. That it may is checked by the replay. */
static void change_log_key(struct examine *work, uint64_t number, kt_span body) {
    kt_log_handover handover;
    if (kt_log_handover_read(work->genesis.origin, body, &handover, NULL) != KT_OK) return;
    if (memcmp(handover.from, work->log_key, KT_KEY_SIZE) != 0) { /* the replay knows of no other change in its batch */
        find(work, number, KT_DAMAGED, "the log's key is changed from one that it is not");
        return;
    }
    memcpy(work->log_key, handover.to, KT_KEY_SIZE);
    work->wanted_seen = work->wanted_seen || memcmp(work->wanted, work->log_key, KT_KEY_SIZE) == 0;
}

/* A record whose leaf is in the tree already, and not in its batch's content. */
static void look_at(struct examine *work, uint64_t number, kt_span record, const uint8_t leaf[KT_HASH_SIZE]) {
    kt_envelope envelope;
    kt_error error = {0};
    kt_seal seal;
    kt_code code = kt_envelope_open(record, &envelope, &error);
    if (code == KT_OK && envelope.kind == KT_KIND_SEAL &&
        (code = kt_seal_read(envelope.body, envelope.kind_version, &seal, &error)) == KT_OK) {
        work->out->batches++;
        check_seal(work, number, &seal);
        if (seal.posted != work->batch_entries)
            find(work, number, KT_DAMAGED, "the seal counts %llu entries posted, found %llu",
                 (unsigned long long)seal.posted, (unsigned long long)work->batch_entries);
        else if (seal.read != seal.posted + work->batch_proposals + seal.rejected)
            find(work, number, KT_DAMAGED,
                 "the seal counts %llu entries read, which are not the posted, %llu proposed and "
                 "%llu rejected ones",
                 (unsigned long long)seal.read, (unsigned long long)work->batch_proposals,
                 (unsigned long long)seal.rejected);
        work->batch_entries = work->batch_proposals = 0;
        check_checkpoint(work, &seal, number + 1);
        work->last_time = seal.recorded_us;
        work->last_epoch = seal.epoch;
        work->batch_first = number + 1;
        kt_content_init(&work->content);
    } else kt_content_add(&work->content, leaf, 1);
    if (code != KT_OK) report(work, number, code, error.text);
    else {
        if (envelope.kind == KT_KIND_LOG_KEY) change_log_key(work, number, envelope.body);
        uint32_t counts = counts_as(work, &envelope);
        work->out->entries += counts == KT_COUNTS_ENTRY;
        work->batch_entries += counts == KT_COUNTS_ENTRY;
        work->batch_proposals += counts == KT_COUNTS_PROPOSAL;
    }
}

/* ---- in stretches, while everything can be read ---- */

static void add_leaves(struct examine *work, const kt_stretch *stretch, uint32_t from, uint32_t to) {
    while (from < to) {
        uint64_t number = stretch->first + from, tile = number / KT_TILE_WIDTH - stretch->first / KT_TILE_WIDTH;
        uint32_t count = KT_TILE_WIDTH - (uint32_t)(number % KT_TILE_WIDTH);
        if (count == KT_TILE_WIDTH && count <= to - from && stretch->whole[tile])
            kt_tree_add_tile(&work->tree, stretch->roots[tile], check_tile, work);
        else {
            if (count > to - from) count = to - from;
            kt_tree_add_many(&work->tree, stretch->leaves[from], count, check_tile, work);
        }
        from += count;
    }
}

/* The next record to be looked at from `at` on (*look), or where the tree must stand still to be compared. */
static uint32_t next_stop(struct examine *work, const kt_stretch *stretch, uint32_t at, bool *look) {
    uint32_t end = stretch->count, posted = 0, stop;
    uint64_t number = stretch->first + at;
    if (work->held_next < work->held.count) {
        uint64_t size = work->held.held[work->held_next].checkpoint.size;
        if (size > number && size - number < end - at) end = at + (uint32_t)(size - number);
    }
    for (stop = at; stop < end && stretch->sorts[stop] != KT_LEAF_LOOK; stop++)
        posted += stretch->sorts[stop] == KT_LEAF_POSTING;
    work->out->entries += posted;
    work->batch_entries += posted;
    *look = stop < end; /* not the record behind such a place: with it the tree would pass by */
    return stop;
}

static void join(struct examine *work, const kt_stretch *stretch) {
    for (uint32_t at = 0; at < stretch->count && !work->broken;) {
        bool look;
        uint32_t stop = next_stop(work, stretch, at, &look);
        if (stop > at) kt_content_add(&work->content, stretch->leaves[at], stop - at);
        add_leaves(work, stretch, at, stop + look);
        work->out->records += stop + look - at;
        if (look) {
            kt_span record;
            kt_error error = {0};
            uint64_t number = stretch->first + stop;
            kt_code code = kt_records_read(work->records, number, &record, &error);
            work->broken = code != KT_OK;
            if (work->broken) report(work, number, code, error.text);
            else look_at(work, number, record, stretch->leaves[stop]);
        }
        check_held(work);
        at = stop + look;
    }
}

/* Gives the first record that was not examined: the end, or one of a stretch that cannot be read. */
static uint64_t examine_stretches(struct examine *work) {
    uint64_t end = work->head.tree.size, next = 0;
    const kt_stretch *stretch;
    while (!work->broken && (stretch = kt_leaves_next(work->leaves, &next)) != NULL) {
        if (stretch->unread) {
            next = stretch->first;
            break;
        }
        join(work, stretch);
        next = stretch->first + stretch->count;
        if (stretch->first / STEP != next / STEP) work->sink->progress(work->sink->context, next, end);
    }
    kt_leaves_end(work->leaves);
    return next;
}

/* ---- one by one, to say what cannot be read ---- */

static void examine_record(struct examine *work, uint64_t number, kt_span record) {
    uint8_t leaf[KT_HASH_SIZE];
    kt_leaf_hash(record.data, record.size, leaf);
    kt_tree_add(&work->tree, leaf, check_tile, work);
    look_at(work, number, record, leaf);
    check_held(work);
}

static void examine_records(struct examine *work) {
    uint64_t end = work->head.tree.size;
    char last[sizeof((kt_error *)NULL)->text] = "";
    for (uint64_t number = examine_stretches(work); number < end; number++) {
        kt_error error = {0};
        kt_span record;
        kt_code code = kt_records_read(work->records, number, &record, &error);
        if (code != KT_OK) { /* names the record; the others are still read */
            if (strcmp(error.text, last) != 0) report(work, number, code, error.text); /* a block's fault once */
            memcpy(last, error.text, sizeof last);
            work->broken = true;
            continue;
        }
        work->out->records++;
        if (!work->broken) examine_record(work, number, record);
        if (number % STEP == 0) work->sink->progress(work->sink->context, number, end);
    }
    work->sink->progress(work->sink->context, end, end);
}

static void wait_for_replay(struct examine *work) {
    uint64_t record;
    bool unread;
    kt_error error = {0};
    kt_code code = kt_refold_wait(work->refold, &record, &unread, &error);
    if (code == KT_OK) return;
    if (!(unread && work->broken)) report(work, record, code, error.text);
    work->broken = true;
}

/* ---- the head and the state ---- */

static void check_head(struct examine *work) {
    uint8_t root[KT_HASH_SIZE];
    uint64_t rows, pages;
    kt_error error = {0};
    kt_tree_root(&work->tree, root);
    if (memcmp(root, work->head.root, KT_HASH_SIZE) != 0)
        find(work, NO_RECORD, KT_DAMAGED, "the head's root is not that of the records");
    if (work->batch_first != work->head.tree.size)
        find(work, NO_RECORD, KT_DAMAGED, "the records behind the last seal are not sealed");
    if (work->head.batches != work->out->batches)
        find(work, NO_RECORD, KT_DAMAGED, "the head counts %llu batches, found %llu",
             (unsigned long long)work->head.batches, (unsigned long long)work->out->batches);
    if (kt_table_stat(work->txn, KT_TABLE_HEADS, &rows, &pages, &error) == KT_OK && rows != work->out->checkpoints)
        find(work, NO_RECORD, KT_DAMAGED, "%llu checkpoints are stored, and %llu of them stand at a seal",
             (unsigned long long)rows, (unsigned long long)work->out->checkpoints);
}

/* The head's own copy of the last checkpoint, and nothing stored where nobody looks. */
static void check_ends(struct examine *work) {
    kt_log_row row;
    kt_error error = {0};
    const kt_log_head *head = &work->head;
    kt_code code = kt_log_row_at(work->txn, head->tree.size, &row, &error);
    if (code != KT_OK || memcmp(row.signature, head->signature, KT_SIGNATURE_SIZE) != 0 ||
        row.recorded_us != head->recorded_us || row.batches != head->batches || head->recorded_us != work->last_time ||
        head->epoch != work->last_epoch)
        find(work, NO_RECORD, KT_DAMAGED, "the head is not that of the last seal and its checkpoint");
    kt_cursor *cursor;
    kt_span key, value;
    uint8_t from[8];
    bool pending = kt_txn_get(work->txn, KT_TABLE_META, kt_span_of("pending", 7), &value, &error) == KT_OK;
    if (pending && (value.size != 8 || kt_get_le64(value.data) != head->tree.size))
        find(work, NO_RECORD, KT_DAMAGED, "the mark of a pending batch is of another head");
    kt_put_be64(from, head->tree.size);
    if (!pending && kt_cursor_open(work->txn, KT_TABLE_BLOCKS, &cursor, &error) == KT_OK) {
        kt_cursor_raw(cursor, true);
        if (kt_cursor_seek(cursor, kt_span_of(from, sizeof from), &key, &value, &error) == KT_OK)
            find(work, NO_RECORD, KT_DAMAGED, "blocks are stored above the head, and no batch is pending");
        kt_cursor_close(cursor);
    }
}

static bool is_key(kt_span key, const char *name) {
    return key.size == strlen(name) && memcmp(key.data, name, key.size) == 0;
}

static void check_meta(struct examine *work) {
    kt_cursor *cursor;
    kt_span key, value;
    kt_error error = {0};
    kt_store_stats stats;
    if (kt_store_stat(work->txn, &stats, &error) == KT_OK && stats.tables != KT_TABLE_COUNT)
        find(work, NO_RECORD, KT_DAMAGED, "%llu tables are stored, expected %d", (unsigned long long)stats.tables,
             KT_TABLE_COUNT);
    if (kt_cursor_open(work->txn, KT_TABLE_META, &cursor, &error) != KT_OK) return;
    for (kt_code code = kt_cursor_first(cursor, &key, &value, &error); code != KT_END;
         code = kt_cursor_next(cursor, &key, &value, &error)) {
        if (code != KT_OK) {
            report(work, NO_RECORD, code, error.text);
            break;
        }
        if (is_key(key, "format")) {
            if (value.size != 4 || kt_get_le32(value.data) != KT_STATE_VERSION)
                find(work, NO_RECORD, KT_DAMAGED, "the stored format is not this version's");
        } else if (!is_key(key, "head") && !is_key(key, "pending"))
            find(work, NO_RECORD, KT_DAMAGED, "table meta has a key that nothing here writes");
    }
    kt_cursor_close(cursor);
}

static void check_state(struct examine *work) {
    kt_txn *fresh;
    kt_error error = {0};
    kt_code code = kt_txn_begin(work->scratch, false, &fresh, &error);
    if (code == KT_OK) {
        code = kt_state_compare(work->registry, work->store, work->txn, fresh, &error);
        kt_txn_abort(fresh);
    }
    work->out->state_equal = code == KT_OK;
    if (code != KT_OK) report(work, NO_RECORD, code, error.text);
}

static void check_lookups(struct examine *work) {
    kt_error error = {0};
    kt_code code = kt_lookup_check(work->store, work->txn, work->head.tree.size, &error);
    if (code != KT_OK) report(work, NO_RECORD, code, error.text);
}

static void help(void *leaves) { kt_leaves_help(leaves); }

/* This one and the replay's are two; when the replay is done, its thread hashes too. */
static kt_code start_threads(struct examine *work, uint64_t end, kt_error *error) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = work->options->threads != 0 ? work->options->threads : cores > 1 ? (unsigned)cores : 1;
    kt_code code = kt_records_open(work->txn, end, &work->records, error);
    if (code == KT_OK) code = kt_records_open(work->txn, end, &work->walk, error);
    if (code == KT_OK)
        code = kt_leaves_open(work->registry, work->walk, threads > 2 ? threads - 2 : 0, &work->leaves, error);
    if (code == KT_OK)
        code = kt_refold_start(work->registry, work->replay_txn, end, work->scratch, threads == 1, help, work->leaves,
                               &work->refold, error);
    return code;
}

static kt_code run(struct examine *work, const char *directory, char **path, kt_error *error) {
    kt_code code = open_book(work, directory, error);
    if (code != KT_OK) return code;
    /* From here on what does not hold is a finding. */
    kt_error why = {0};
    code = kt_log_head_read(work->txn, &work->head, &why);
    if (code == KT_OK) code = read_genesis(work, &why);
    if (code == KT_DAMAGED || code == KT_NEWER || code == KT_NOT_FOUND) {
        report(work, 0, code, why.text);
        return KT_OK;
    }
    if (code != KT_OK) return kt_fail(error, code, "%s", why.text);
    code = set_key(work, error);
    if (code == KT_OK) code = read_held(work, directory, error);
    if (code == KT_OK) code = kt_scratch_open(path, &work->scratch, error);
    if (code != KT_OK) return code;
    work->sink->scratch(work->sink->context, *path);
    uint64_t end = work->head.tree.size;
    code = start_threads(work, end, error);
    if (code != KT_OK) return code;
    kt_tree_init(&work->tree);
    kt_content_init(&work->content);
    check_held(work); /* of no records */
    examine_records(work);
    wait_for_replay(work);
    if (!work->broken && !work->wanted_seen)
        find(work, 0, KT_DAMAGED, "the book's log key is not the key given, and was not handed over to it or from it");
    if (!work->broken) {
        check_head(work);
        check_ends(work);
        check_meta(work);
        check_state(work);
        check_lookups(work);
    }
    kt_tree_root(&work->tree, work->out->root);
    return KT_OK;
}

kt_code kt_examine(const kt_registry *registry, const char *directory, const kt_verify_options *options,
                   const kt_examine_sink *sink, kt_verify_result *out, kt_error *error) {
    struct examine *work = calloc(1, sizeof *work);
    char *path = NULL;
    if (work == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    *out = (kt_verify_result){0};
    work->registry = registry;
    work->options = options;
    work->sink = sink;
    work->out = out;
    kt_code code = run(work, directory, &path, error);
    tell(work);
    if (work->leaves != NULL) kt_leaves_end(work->leaves);
    kt_refold_close(work->refold);
    kt_leaves_close(work->leaves);
    kt_records_close(work->walk);
    kt_records_close(work->records);
    kt_txn_abort(work->replay_txn);
    kt_txn_abort(work->txn);
    kt_store_close(work->scratch);
    kt_store_close(work->store);
    kt_scratch_remove(path);
    kt_held_release(&work->held);
    free(work);
    return code;
}
