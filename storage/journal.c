#include "storage/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "storage/large.h"

#define HASH_STEP 2048u /* records after which the other thread is told, so that it is rarely woken */

struct kt_journal {
    kt_store *store;
    kt_journal_options options;
    int lock;
    kt_pipeline *pipeline;
    bool open; /* a batch is */
    bool held; /* the writer's turn is ours */
    bool here; /* the batch is done on the calling thread */
    bool discards;
    kt_txn *reader;       /* what state is read through */
    uint64_t let_go;      /* changes turned over that the reader sees */
    kt_log_head head;     /* of the last batch, stored or under way */
    uint64_t first, next; /* of the batch; the next record */
    uint64_t epoch;       /* this writer's; 0: has sealed nothing yet */
    unsigned blocks;      /* handed over since the last commit */
    kt_parcel *filling;
    unsigned grouped; /* batches sealed and not committed */
    int64_t group_time;
    bool group_behind;
};

/* ---- opening ---- */

kt_code kt_journal_open(kt_store *store, const kt_journal_options *options, kt_journal **out, kt_error *error) {
    char path[4096];
    *out = NULL;
    int length = snprintf(path, sizeof path, "%s/writer.lock", options->directory);
    if (length < 0 || (size_t)length >= sizeof path)
        return kt_fail(error, KT_USAGE, "%s: path too long", options->directory);
    kt_journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    journal->store = store;
    journal->options = *options;
    journal->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    kt_code code = journal->lock < 0 ? kt_fail_errno(error, errno, "%s", path) : KT_OK;
    if (code == KT_OK) code = kt_pipeline_open(store, options->origin, &options->hooks, &journal->pipeline, error);
    if (code != KT_OK) kt_journal_close(journal);
    else *out = journal;
    return code;
}

/* Nothing is open nor under way: another writer may have its turn. */
static void give_turn_back(kt_journal *journal) {
    if (!journal->held) return;
    kt_state_bind(journal->options.state, NULL);
    kt_state_settle_by(journal->options.state, NULL, NULL);
    kt_txn_abort(journal->reader);
    journal->reader = NULL;
    journal->held = false;
    flock(journal->lock, LOCK_UN);
}

void kt_journal_close(kt_journal *journal) {
    if (journal == NULL) return;
    if (journal->open) kt_journal_abort(journal);
    if (journal->pipeline != NULL) kt_pipeline_wait(journal->pipeline);
    give_turn_back(journal);
    kt_pipeline_close(journal->pipeline);
    if (journal->lock >= 0) close(journal->lock);
    free(journal);
}

const kt_log_head *kt_journal_head(const kt_journal *journal) { return &journal->head; }
uint64_t kt_journal_next(const kt_journal *journal) { return journal->next; }

/* ---- reading while others write ---- */

/* The reader comes to see what was committed since, and those changes are let go. */
static kt_code catch_up(kt_journal *journal, kt_error *error) {
    uint64_t committed = kt_pipeline_committed(journal->pipeline);
    if (committed == journal->let_go) return KT_OK;
    kt_code code = kt_txn_renew(journal->reader, error);
    for (; code == KT_OK && journal->let_go < committed; journal->let_go++) kt_state_written(journal->options.state);
    return code;
}

kt_txn *kt_journal_txn(kt_journal *journal) {
    kt_error error = {0};
    kt_pipeline_wait(journal->pipeline);
    kt_code code = catch_up(journal, &error);
    if (code != KT_OK) kt_pipeline_fail(journal->pipeline, code, &error);
    kt_txn *txn = kt_writer_txn(kt_pipeline_writer(journal->pipeline));
    return txn != NULL ? txn : journal->reader;
}

static kt_txn *settle(void *context) { return kt_journal_txn(context); }

/* ---- batches ---- */

static kt_code take_turn(kt_journal *journal, bool no_wait, kt_error *error) {
    while (flock(journal->lock, LOCK_EX | (no_wait ? LOCK_NB : 0)) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK)
            return kt_fail(error, KT_BUSY, "%s: another writer has its turn", journal->options.directory);
        return kt_fail_errno(error, errno, "%s/writer.lock", journal->options.directory);
    }
    journal->held = true;
    return KT_OK;
}

/* The lanes are idle: head, tree and reader as the store has them. */
static kt_code read_head(kt_journal *journal, kt_error *error) {
    bool pending = false;
    kt_code code = journal->reader == NULL ? kt_txn_begin(journal->store, false, &journal->reader, error)
                                           : kt_txn_renew(journal->reader, error);
    if (code == KT_OK) code = kt_log_head_read(journal->reader, &journal->head, error);
    if (code == KT_OK) code = kt_writer_is_pending(journal->reader, &pending, error);
    if (code != KT_OK) return code;
    kt_pipeline_set_head(journal->pipeline, &journal->head.tree);
    if (!pending) return KT_OK;
    code = kt_writer_drop_pending(kt_pipeline_writer(journal->pipeline), error); /* LAW 4 */
    return code == KT_OK ? kt_txn_renew(journal->reader, error) : code;
}

static kt_code next_parcel(kt_journal *journal, bool begins, kt_error *error) {
    kt_code code = kt_pipeline_next(journal->pipeline, &journal->filling, error);
    if (code != KT_OK) return code;
    journal->filling->first = journal->next;
    journal->filling->begins = begins;
    return KT_OK;
}

/* Only where nothing of the batch was stored yet: a write transaction ends on the thread it began on. */
static bool start_lanes(kt_journal *journal) {
    if (journal->here) return kt_pipeline_runs(journal->pipeline);
    journal->here = !kt_pipeline_start(journal->pipeline);
    return !journal->here;
}

static kt_code take_up(kt_journal *journal, bool no_wait, kt_error *error) {
    kt_code code = kt_store_may_write(journal->store, error);
    if (code == KT_OK) code = take_turn(journal, no_wait, error);
    if (code != KT_OK) return code;
    kt_pipeline_forget_failure(journal->pipeline);
    journal->let_go = kt_pipeline_committed(journal->pipeline);
    code = read_head(journal, error);
    if (code != KT_OK) return code;
    kt_state_bind(journal->options.state, journal->reader);
    kt_state_settle_by(journal->options.state, settle, journal);
    return KT_OK;
}

kt_code kt_journal_begin(kt_journal *journal, bool no_wait, kt_error *error) {
    kt_code code = journal->held ? kt_pipeline_failure(journal->pipeline, error) : take_up(journal, no_wait, error);
    if (code == KT_OK) {
        journal->here = journal->options.single_thread;
        journal->discards = false;
        journal->first = journal->next = journal->head.tree.size;
        journal->blocks = journal->grouped = 0;
        code = next_parcel(journal, true, error);
    }
    journal->open = code == KT_OK;
    if (code != KT_OK && kt_pipeline_under_way(journal->pipeline) == 0) give_turn_back(journal);
    return code;
}

void kt_journal_discard(kt_journal *journal) { journal->discards = true; }

void kt_journal_abort(kt_journal *journal) {
    kt_error error = {0};
    bool pending = false;
    if (!journal->open) return;
    journal->open = false;
    unsigned under_way = kt_pipeline_under_way(journal->pipeline);
    kt_pipeline_abort(journal->pipeline);
    kt_code code = catch_up(journal, &error);
    /* Pieces that were committed above the head go. If the disk is full, the next writer does it. */
    if (code == KT_OK) code = kt_txn_renew(journal->reader, &error);
    if (code == KT_OK) code = kt_writer_is_pending(journal->reader, &pending, &error);
    if (code == KT_OK && (pending || under_way != 0)) code = read_head(journal, &error);
    if (under_way == 0) give_turn_back(journal);
    else if (code != KT_OK) kt_pipeline_fail(journal->pipeline, code, &error);
}

kt_code kt_journal_recover(kt_journal *journal, kt_error *error) {
    kt_txn *txn;
    bool pending;
    kt_code code = kt_txn_begin(journal->store, false, &txn, error);
    if (code != KT_OK) return code;
    code = kt_writer_is_pending(txn, &pending, error);
    kt_txn_abort(txn);
    if (code != KT_OK || !pending) return code;
    code = kt_journal_begin(journal, true, error);
    if (code == KT_BUSY) return KT_OK; /* somebody is writing it right now */
    kt_journal_abort(journal);
    return code;
}

/* ---- filling parcels ---- */

static void hand_over(kt_journal *journal, kt_parcel_end end, kt_changes *changes) {
    journal->filling->end = end;
    journal->filling->changes = changes;
    if (end != KT_PARCEL_SEALED) start_lanes(journal);
    if (journal->options.turn != NULL) journal->options.turn(journal->options.context);
    kt_pipeline_give(journal->pipeline, journal->filling);
}

static kt_code end_block(kt_journal *journal, kt_error *error) {
    kt_changes *changes = NULL;
    kt_code code = kt_pipeline_failure(journal->pipeline, error);
    if (code == KT_OK) code = catch_up(journal, error);
    if (code != KT_OK || journal->filling->count == 0) return code;
    if (journal->discards) {
        journal->filling->count = journal->filling->bytes = 0;
        if (journal->options.dropped != NULL) journal->options.dropped(journal->options.context);
        return KT_OK;
    }
    uint64_t full = kt_state_full(journal->options.state, journal->options.spills);
    bool piece = ++journal->blocks >= KT_PIPELINE_BLOCKS || full != 0;
    if (full != 0) code = kt_state_turn(journal->options.state, full, &changes, error);
    if (code != KT_OK) return code;
    if (piece) journal->blocks = 0;
    hand_over(journal, piece ? KT_PARCEL_PIECE : KT_PARCEL_GOES_ON, changes);
    return next_parcel(journal, false, error);
}

kt_code kt_journal_room(kt_journal *journal, size_t most, uint8_t **room, kt_error *error) {
    kt_parcel *parcel = journal->filling;
    if (parcel->count == KT_BLOCK_RECORDS || parcel->bytes + most > KT_BLOCK_BYTES) {
        kt_code code = end_block(journal, error);
        if (code != KT_OK) return code;
        parcel = journal->filling;
    }
    *room = parcel->data + parcel->bytes;
    return KT_OK;
}

void kt_journal_take(kt_journal *journal, size_t size) {
    kt_parcel *parcel = journal->filling;
    parcel->lengths[parcel->count++] = (uint16_t)size;
    parcel->bytes += (uint32_t)size;
    journal->next++;
    if (parcel->count % HASH_STEP == 0 && !journal->discards && start_lanes(journal))
        kt_pipeline_hash(journal->pipeline, parcel);
}

static kt_code append_small(kt_journal *journal, kt_span record, kt_error *error) {
    uint8_t *room;
    kt_code code = kt_journal_room(journal, record.size, &room, error);
    if (code != KT_OK) return code;
    memcpy(room, record.data, record.size);
    kt_journal_take(journal, record.size);
    return KT_OK;
}

static kt_code append_piece(void *context, kt_span record, kt_error *error) {
    return append_small(context, record, error);
}

kt_code kt_journal_append(kt_journal *journal, kt_span record, uint64_t *number, kt_error *error) {
    kt_code code = record.size <= KT_RECORD_MAX ? append_small(journal, record, error)
                                                : kt_large_split(record, append_piece, journal, error);
    *number = journal->next - 1;
    return code;
}

/* ---- the write transaction itself ---- */

kt_code kt_journal_write(kt_journal *journal, kt_txn **txn, kt_error *error) {
    *txn = NULL;
    if (kt_pipeline_runs(journal->pipeline) || journal->next != journal->first)
        return kt_fail(error, KT_USAGE, "%s: a batch is under way", journal->options.directory);
    journal->here = true;
    kt_code code = kt_writer_begin(kt_pipeline_writer(journal->pipeline), error);
    *txn = kt_writer_txn(kt_pipeline_writer(journal->pipeline));
    return code;
}

kt_code kt_journal_commit_state(kt_journal *journal, kt_error *error) {
    kt_code code = kt_writer_commit(kt_pipeline_writer(journal->pipeline), error);
    kt_journal_abort(journal);
    return code;
}

/* ---- sealing ---- */

/* J4. */
static void set_time(kt_journal *journal, kt_seal *seal) {
    int64_t now = journal->options.clock_us(journal->options.clock_context);
    seal->clock_behind = now < journal->head.recorded_us;
    seal->recorded_us = seal->clock_behind ? journal->head.recorded_us : now;
}

/* A writer that finds another's epoch at the head comes after him. */
static void take_epoch(kt_journal *journal) {
    if (journal->epoch == 0 || journal->epoch != journal->head.epoch) journal->epoch = journal->head.epoch + 1;
}

/* All of the seal but what its hashes give, and of the head that it makes. */
static void fill_seal(kt_journal *journal, const kt_seal_input *input, kt_parcel *parcel) {
    kt_seal *seal = &parcel->seal;
    take_epoch(journal);
    *seal = (kt_seal){.id = kt_span_of(parcel->id, input->id.size),
                      .count = journal->next - journal->first,
                      .has_input = input->has_input,
                      .read = input->read,
                      .posted = input->posted,
                      .rejected = input->rejected,
                      .epoch = journal->epoch};
    memcpy(parcel->id, input->id.data, input->id.size);
    memcpy(seal->actor, kt_signer_public(input->actor), sizeof seal->actor);
    memcpy(seal->input, input->input, sizeof seal->input);
    set_time(journal, seal);
    parcel->actor = input->actor;
    parcel->log = input->log;
    parcel->head = (kt_log_head){
        .batches = journal->head.batches + 1, .recorded_us = seal->recorded_us, .epoch = seal->epoch};
}

/* What ends a batch ends it here: state is turned over, the front moves, the parcel goes. */
static kt_code hand_over_end(kt_journal *journal, kt_error *error) {
    kt_parcel *parcel = journal->filling;
    kt_changes *changes;
    kt_code code = KT_OK;
    if (journal->options.flush != NULL) code = journal->options.flush(journal->options.context, error);
    if (code == KT_OK) code = kt_state_turn(journal->options.state, KT_STATE_ALL, &changes, error);
    if (code == KT_OK) code = kt_pipeline_failure(journal->pipeline, error);
    if (code != KT_OK) return code;
    journal->head.batches = parcel->head.batches;
    journal->head.recorded_us = parcel->head.recorded_us;
    journal->head.epoch = parcel->head.epoch;
    journal->head.tree.size = journal->next;
    hand_over(journal, KT_PARCEL_SEALED, changes);
    journal->open = false;
    return KT_OK;
}

static kt_code check_id(kt_journal *journal, kt_span id, kt_error *error) {
    if (journal->discards) return kt_fail(error, KT_USAGE, "a batch that is only tried cannot be sealed");
    if (id.size != 0 && id.size <= KT_SEAL_ID_MAX) return KT_OK; /* no reader would take another */
    return kt_fail(error, KT_USAGE, "a batch id has %zu bytes, expected 1 to %d", id.size, KT_SEAL_ID_MAX);
}

static kt_code tell_sealed(kt_journal *journal, const kt_seal *seal, kt_error *error) {
    if (journal->options.sealed == NULL) return KT_OK;
    return journal->options.sealed(journal->options.context, seal, journal->next, error);
}

static kt_code send(kt_journal *journal, const kt_seal_input *input, kt_seal *seal, kt_error *error) {
    uint8_t *room;
    kt_code code = check_id(journal, input->id, error);
    if (code == KT_OK) code = kt_journal_room(journal, KT_SEAL_RECORD_MAX, &room, error);
    if (code != KT_OK) return code;
    fill_seal(journal, input, journal->filling);
    *seal = journal->filling->seal;
    seal->id = input->id;
    code = tell_sealed(journal, seal, error);
    if (code != KT_OK) return code;
    journal->next++;
    return hand_over_end(journal, error);
}

kt_code kt_journal_send(kt_journal *journal, const kt_seal_input *input, kt_seal *seal, kt_error *error) {
    if (kt_pipeline_under_way(journal->pipeline) == KT_JOURNAL_SENT)
        return kt_fail(error, KT_BUSY, "%s: %u batches are under way: receive one first", journal->options.directory,
                       KT_JOURNAL_SENT);
    start_lanes(journal);
    kt_code code = send(journal, input, seal, error);
    if (code != KT_OK) kt_journal_abort(journal);
    return code;
}

kt_code kt_journal_receive(kt_journal *journal, bool wait, kt_log_head *head, kt_error *error) {
    kt_error unread = {0};
    unsigned under_way = kt_pipeline_under_way(journal->pipeline);
    kt_code code = kt_pipeline_receive(journal->pipeline, wait, head, error);
    if (kt_pipeline_under_way(journal->pipeline) == under_way) return code; /* none was received */
    kt_code renewed = catch_up(journal, &unread);
    if (under_way == 1 && !journal->open) {
        kt_pipeline_wait(journal->pipeline);
        give_turn_back(journal);
    } else if (renewed != KT_OK) kt_pipeline_fail(journal->pipeline, renewed, &unread);
    return code;
}

kt_code kt_journal_seal(kt_journal *journal, const kt_seal_input *input, kt_seal *seal, kt_log_head *head,
                        kt_error *error) {
    kt_code code = kt_pipeline_under_way(journal->pipeline) != 0 ? kt_fail(error, KT_USAGE, "batches are under way")
                                                                 : KT_OK;
    if (code == KT_OK) code = send(journal, input, seal, error);
    if (code != KT_OK) {
        kt_journal_abort(journal);
        return code;
    }
    return kt_journal_receive(journal, true, head, error);
}

/* ---- groups of batches that were signed elsewhere ---- */

/* One time for all of them: so that what was known at a time is all of a group or none of it. */
static void set_group_time(kt_journal *journal, kt_seal *seal) {
    if (journal->grouped == 0) {
        set_time(journal, seal);
        journal->group_time = seal->recorded_us;
        journal->group_behind = seal->clock_behind;
    }
    seal->recorded_us = journal->group_time;
    seal->clock_behind = journal->group_behind;
}

kt_code kt_journal_append_sealed(kt_journal *journal, const kt_seal_given *given, kt_seal *seal, uint64_t *number,
                                 kt_error *error) {
    uint8_t *room;
    kt_code code = check_id(journal, given->id, error);
    if (code == KT_OK && given->count != journal->next - journal->first)
        code = kt_fail(error, KT_DAMAGED, "the seal counts %llu records, found %llu", (unsigned long long)given->count,
                       (unsigned long long)(journal->next - journal->first));
    if (code == KT_OK) code = kt_journal_room(journal, KT_SEAL_RECORD_MAX, &room, error);
    if (code != KT_OK) return code;
    take_epoch(journal);
    *seal = (kt_seal){.id = given->id,
                      .count = given->count,
                      .has_input = given->has_input,
                      .read = given->read,
                      .posted = given->posted,
                      .rejected = given->rejected,
                      .epoch = journal->epoch};
    memcpy(seal->actor, given->actor, sizeof seal->actor);
    memcpy(seal->content, given->content, sizeof seal->content);
    memcpy(seal->signature, given->signature, sizeof seal->signature);
    memcpy(seal->input, given->input, sizeof seal->input);
    set_group_time(journal, seal);
    code = tell_sealed(journal, seal, error);
    if (code != KT_OK) return code;
    *number = journal->next;
    kt_journal_take(journal, kt_seal_write(seal, kt_seal_date(seal->recorded_us), room));
    journal->grouped++;
    journal->first = journal->next;
    return KT_OK;
}

kt_code kt_journal_commit(kt_journal *journal, const kt_signer *log, kt_log_head *head, kt_error *error) {
    kt_parcel *parcel = journal->filling;
    kt_code code = KT_OK;
    if (kt_pipeline_under_way(journal->pipeline) != 0 || journal->grouped == 0 || journal->next != journal->first)
        code = kt_fail(error, KT_USAGE, "what was appended last is not sealed, or batches are under way");
    if (code == KT_OK) {
        parcel->actor = NULL; /* its seals are made */
        parcel->log = log;
        parcel->head = (kt_log_head){.batches = journal->head.batches + journal->grouped,
                                     .recorded_us = journal->group_time,
                                     .epoch = journal->epoch};
        code = hand_over_end(journal, error);
    }
    if (code == KT_OK) return kt_journal_receive(journal, true, head, error);
    kt_journal_abort(journal);
    return code;
}
