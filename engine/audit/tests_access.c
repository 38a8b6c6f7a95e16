/*
 * access: the second pair of eyes, and amounts that just do without it.
 *
 * Two approvals are two persons, not two keys. That one actor decides his own proposal the book refuses, and the test
 * holds each decision against it all the same. What the book cannot refuse is that a person acts as two: so it also points at
 * approvals by an actor whose key was brought in by the proposer (an administrator who makes himself a colleague).
 *
 * Limits are those in force at the view: the highest of the grants an actor posts by (clerk, owner). Entries that carry out
 * a proposal had their second pair of eyes and are left out.
 */
#include <stdlib.h>

#include "engine/audit/tests.h"
#include "engine/fold.h"
#include "engine/view.h"

/* The actor of a key; empty: none on record. */
static kt_str actor_of(const kt_actors *actors, const uint8_t key[KT_KEY_SIZE]) {
    for (size_t i = 0; i < actors->key_count; i++)
        if (memcmp(actors->keys[i].key, key, KT_KEY_SIZE) == 0) return actors->keys[i].actor;
    return (kt_str){NULL, 0};
}

/* ---- approvals ---- */

enum { REASON_SAME = 1, REASON_MADE_BY_PROPOSER };

struct approval {
    kt_test_self self;
    kt_actors *actors;
    kt_proposal *proposals;
    size_t proposal_count;
    uint64_t approved;
};

static void end_approval(void *context) {
    struct approval *self = context;
    kt_actors_free(self->actors);
    free(self->proposals);
}

/* Proposals are read at the end: the walk has nothing to count. */
static kt_code see_approval(void *context, const kt_seen *seen, kt_error *error) {
    (void)context;
    (void)seen;
    (void)error;
    return KT_OK;
}

/* Whether one of the decider's keys, the one it was decided by, came in by a batch of the proposer's. */
static kt_code made_by(struct approval *self, const kt_proposal *proposal, const uint8_t key[KT_KEY_SIZE], bool *out,
                       kt_error *error) {
    *out = false;
    for (size_t i = 0; i < self->actors->key_count; i++) {
        const kt_key_facts *facts = &self->actors->keys[i];
        kt_batch_row row;
        if (memcmp(facts->key, key, KT_KEY_SIZE) != 0 || facts->from == 0) continue;
        kt_code code = kt_batch_row_of(self->self.work->view->state, facts->from, &row, error);
        if (code == KT_NOT_FOUND) return KT_OK;
        if (code != KT_OK) return code;
        *out = kt_str_equal(actor_of(self->actors, row.actor), proposal->proposer);
        return KT_OK;
    }
    return KT_OK;
}

static kt_code look_at(struct approval *self, const kt_proposal *proposal, uint64_t place, kt_error *error) {
    kt_batch_row row;
    bool made = false;
    kt_spot spot = {.entry = proposal->decided, .other = proposal->number, .value = place};
    if (proposal->status != KT_PROPOSAL_APPROVED) return KT_OK;
    self->approved++;
    kt_code code = kt_batch_row_of(self->self.work->view->state, proposal->decided, &row, error);
    if (code != KT_OK)
        return code == KT_NOT_FOUND
                   ? kt_fail(error, KT_DAMAGED, "entry %llu lies in no batch", (unsigned long long)proposal->decided)
                   : code;
    uint8_t key[KT_KEY_SIZE];
    memcpy(key, row.actor, sizeof key); /* the row's bytes go with the next question */
    if (kt_str_equal(proposal->proposer, proposal->decider) ||
        kt_str_equal(proposal->proposer, actor_of(self->actors, key)))
        spot.reason = REASON_SAME;
    else {
        code = made_by(self, proposal, key, &made, error);
        if (made) spot.reason = REASON_MADE_BY_PROPOSER;
    }
    return code == KT_OK && spot.reason != 0 ? kt_spots_add(&self->self.spots, &spot, error) : code;
}

static bool is_in_range(const kt_audit_work *work, kt_view *view, const kt_proposal *proposal, kt_error *error,
                        kt_code *code) {
    kt_entry_view *entry = NULL;
    if (work->options.from == KT_DAY_NONE && work->options.to == KT_DAY_NONE) return true;
    *code = kt_entry_read(view, proposal->number, &entry, error);
    if (*code != KT_OK) return false;
    bool in = (work->options.from == KT_DAY_NONE || entry->entry.date >= work->options.from) &&
              (work->options.to == KT_DAY_NONE || entry->entry.date <= work->options.to);
    kt_entry_view_free(entry);
    return in;
}

static kt_code finish_approval(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    struct approval *self = context;
    const kt_audit_work *work = self->self.work;
    char proposals[KT_AMOUNT_TEXT], approved[KT_AMOUNT_TEXT];
    kt_code code = kt_view_actors(work->view, &self->actors, error);
    if (code == KT_OK) code = kt_view_proposals(work->view, false, &self->proposals, &self->proposal_count, error);
    out->count = 0;
    for (size_t i = 0; i < self->proposal_count && code == KT_OK; i++) {
        if (!is_in_range(work, work->view, &self->proposals[i], error, &code)) continue;
        out->count++;
        code = look_at(self, &self->proposals[i], i, error);
    }
    out->examined = kt_report_text(reporter, "%s proposals, %s of them approved",
                                   kt_report_count(out->count, proposals), kt_report_count(self->approved, approved));
    return code;
}

static void explain_approval(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                             kt_audit_finding *out) {
    const struct approval *self = context;
    const kt_proposal *proposal = &self->proposals[spot->value];
    int proposer = (int)proposal->proposer.size, decider = (int)proposal->decider.size;
    (void)entry;
    if (spot->reason == REASON_SAME)
        out->why = kt_report_text(reporter, "%.*s proposed it (%llu) and approved it", proposer,
                                  proposal->proposer.data, (unsigned long long)proposal->number);
    else
        out->why = kt_report_text(reporter,
                                  "%.*s proposed it (%llu), and %.*s approved it by a key that was brought in by %.*s",
                                  proposer, proposal->proposer.data, (unsigned long long)proposal->number, decider,
                                  proposal->decider.data, proposer, proposal->proposer.data);
}

const kt_tester kt_tester_approval = {
    .about = {.name = "approval",
              .title = "Approvals that may be one person's",
              .asks = "Proposals approved by who proposed them, or by an actor whose key the proposer brought in.",
              .criterion = "ISA 240.33: management override of controls; segregation of duties"},
    .size = sizeof(struct approval),
    .see = see_approval,
    .finish = finish_approval,
    .explain = explain_approval,
    .end = end_approval,
};

/* ---- just below a limit ---- */

struct limits {
    kt_test_self self;
    kt_actors *actors;
    uint64_t batch; /* the first record of the batch met last, whose actor's limit is `limit` */
    bool met;
    kt_amount limit, least; /* 0: none */
};

static kt_code begin_limits(void *context, kt_error *error) {
    struct limits *self = context;
    /* From the run's own view: workers are begun one after the other, on the calling thread. */
    return kt_view_actors(self->self.work->view, &self->actors, error);
}

static void end_limits(void *context) { kt_actors_free(((struct limits *)context)->actors); }

/* The highest amount an actor may post; 0: without limit, or not at all. */
static kt_amount limit_of(const kt_actors *actors, kt_str actor) {
    kt_amount highest = 0;
    for (size_t i = 0; i < actors->grant_count; i++) {
        const kt_grant *grant = &actors->grants[i];
        if (!kt_str_equal(grant->actor, actor) || (grant->role != KT_ROLE_CLERK && grant->role != KT_ROLE_OWNER))
            continue;
        if (grant->limits.amount == 0) return 0;
        if (grant->limits.amount > highest) highest = grant->limits.amount;
    }
    return highest;
}

/* Debits in the book's currency; -1: some line has no amount in it. */
static kt_amount debits_of(const kt_seen *seen) {
    kt_amount sum = 0;
    for (size_t i = 0; i < seen->line_count; i++) {
        if (!seen->lines[i].valued) return -1;
        if (seen->lines[i].book > 0 && !kt_amount_add(sum, seen->lines[i].book, &sum)) return -1;
    }
    return sum;
}

static kt_code see_limits(void *context, const kt_seen *seen, kt_error *error) {
    struct limits *self = context;
    if (!self->met || self->batch != seen->batch->first) {
        self->limit = limit_of(self->actors, actor_of(self->actors, seen->batch->actor));
        if (!kt_amount_ratio(self->limit, 100 - self->self.work->options.below_percent, 100, KT_ROUND_DOWN,
                             &self->least))
            return kt_fail(error, KT_OVERFLOW, "a limit exceeds 128 bits");
        self->batch = seen->batch->first;
        self->met = true;
    }
    if (self->limit == 0 || seen->entry->proposal != 0) return KT_OK;
    self->self.count++;
    kt_amount debits = debits_of(seen);
    if (debits < self->least || debits > self->limit) return KT_OK;
    kt_spot spot = {.entry = seen->number, .reason = 1};
    return kt_spots_add(&self->self.spots, &spot, error);
}

static kt_code finish_limits(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    const struct limits *self = context;
    char entries[KT_AMOUNT_TEXT];
    (void)error;
    kt_report_parameter(reporter, out, "just below is within", "%u percent of the actor's limit, as in force now",
                        self->self.work->options.below_percent);
    out->examined = kt_report_text(reporter, "%s entries by actors with a limit, that carry out no proposal",
                                   kt_report_count(self->self.count, entries));
    return KT_OK;
}

static void explain_limits(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                           kt_audit_finding *out) {
    const struct limits *self = context;
    char limit[KT_AMOUNT_TEXT];
    kt_str actor = actor_of(self->actors, entry->actor);
    (void)spot;
    out->why = kt_report_text(
        reporter, "it lies just below the limit of %.*s, %s", (int)actor.size, actor.data,
        kt_report_amount(limit_of(self->actors, actor), reporter->audit.population.decimals, limit));
}

const kt_tester kt_tester_limits = {
    .about = {.name = "limits",
              .title = "Amounts just below a limit",
              .asks = "Entries whose debits come close to the most their actor may post without a second pair of eyes.",
              .criterion = "ISA 240.33: management override of controls; amounts just below authorisation limits"},
    .size = sizeof(struct limits),
    .begin = begin_limits,
    .see = see_limits,
    .finish = finish_limits,
    .explain = explain_limits,
    .end = end_limits,
};
