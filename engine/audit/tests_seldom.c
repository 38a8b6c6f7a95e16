/*
 * seldom: accounts, actors and pairs of accounts that are hardly ever used. What is counted is entries, in the population.
 *
 * Memory is bounded: so many dozen bytes an account, and PAIRS_MAX pairs a worker. Where a book has more pairs than that, no
 * pair of it stands out, and the test says so.
 */
#include <stdlib.h>

#include "engine/audit/tests.h"

/* How often, and in which entries first and last. */
struct use {
    uint64_t count, first, last;
};

static void add_use(struct use *use, uint64_t number) {
    if (use->count != 0 && use->last == number) return; /* several lines of one entry */
    if (use->count++ == 0) use->first = number;
    use->last = number;
}

static void merge_use(struct use *into, const struct use *from) {
    if (from->count == 0) return;
    if (into->count == 0 || from->first < into->first) into->first = from->first;
    if (from->last > into->last) into->last = from->last;
    into->count += from->count;
}

static kt_code add_spot(kt_test_self *self, const struct use *use, uint64_t value, kt_error *error) {
    kt_spot spot = {
        .entry = use->first, .other = use->count > 1 ? use->last : 0, .reason = (uint32_t)use->count, .value = value};
    return kt_spots_add(&self->spots, &spot, error);
}

static const char *entries_word(uint32_t count) { return count == 1 ? "entry" : "entries"; }

/* ---- accounts ---- */

struct accounts {
    kt_test_self self;
    struct use *uses; /* an account each */
};

static kt_code begin_accounts(void *context, kt_error *error) {
    struct accounts *self = context;
    self->uses = calloc(self->self.work->account_count + 1, sizeof *self->uses);
    return self->uses == NULL ? kt_fail(error, KT_MEMORY, "out of memory for the accounts") : KT_OK;
}

static void end_accounts(void *context) { free(((struct accounts *)context)->uses); }

static kt_code see_accounts(void *context, const kt_seen *seen, kt_error *error) {
    struct accounts *self = context;
    (void)error;
    for (size_t i = 0; i < seen->line_count; i++) add_use(&self->uses[seen->lines[i].account], seen->number);
    return KT_OK;
}

static kt_code merge_accounts(void *context, void *other, kt_error *error) {
    struct accounts *self = context, *from = other;
    (void)error;
    for (size_t i = 0; i < self->self.work->account_count; i++) merge_use(&self->uses[i], &from->uses[i]);
    return KT_OK;
}

static kt_code finish_accounts(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    struct accounts *self = context;
    const kt_audit_work *work = self->self.work;
    char used[KT_AMOUNT_TEXT], entries[KT_AMOUNT_TEXT];
    kt_code code = KT_OK;
    out->count = 0;
    for (size_t i = 0; i < work->account_count && code == KT_OK; i++) {
        if (self->uses[i].count == 0) continue;
        out->count++;
        if (self->uses[i].count <= work->options.seldom_account) code = add_spot(&self->self, &self->uses[i], i, error);
    }
    out->examined = kt_report_text(reporter, "%s accounts in use, over %s entries", kt_report_count(out->count, used),
                                   kt_report_count(reporter->audit.population.entries, entries));
    kt_report_parameter(reporter, out, "seldom is at most", "%u entries", work->options.seldom_account);
    return code;
}

static void explain_accounts(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                             kt_audit_finding *out) {
    const kt_account *account = &((struct accounts *)context)->self.work->accounts[spot->value];
    char all[KT_AMOUNT_TEXT];
    for (size_t i = 0; i < entry->entry.line_count; i++) {
        const kt_line *line = &entry->entry.lines[i];
        if (!kt_str_equal(line->account, account->code)) continue;
        out->amount = line->amount;
        out->decimals = entry->decimals[i];
        out->has_amount = true;
        out->currency = kt_report_keep(reporter,
                                       line->currency.size == 0 ? reporter->audit.population.currency : line->currency);
        if (line->amount > 0 || !kt_str_equal(out->counter, account->code)) break;
        out->counter = out->account; /* it stands on the credit side: the largest debit is its counter account */
        break;
    }
    out->account = kt_report_keep(reporter, account->code);
    out->why = kt_report_text(reporter, "account %.*s (%.*s) is used in %u %s of %s", (int)account->code.size,
                              account->code.data, (int)account->name.size, account->name.data, spot->reason,
                              entries_word(spot->reason), kt_report_count(reporter->audit.population.entries, all));
}

const kt_tester kt_tester_accounts = {
    .about = {.name = "accounts",
              .title = "Seldom-used accounts",
              .asks = "Accounts that at most so many entries use.",
              .criterion = "ISA 240.A45(a): unrelated, unusual or seldom-used accounts"},
    .size = sizeof(struct accounts),
    .begin = begin_accounts,
    .see = see_accounts,
    .merge = merge_accounts,
    .finish = finish_accounts,
    .explain = explain_accounts,
    .end = end_accounts,
};

/* ---- actors: who signed the batches ---- */

struct actor {
    uint8_t key[KT_KEY_SIZE];
    struct use use; /* of all the actor's keys, kept with the one met first */
    kt_str name;
};

struct actors {
    kt_test_self self;
    struct actor *actors;
    size_t count, room;
    uint32_t *slots; /* places in actors; UINT32_MAX: free */
    size_t slot_count;
    uint64_t batch; /* the first record of the batch met last, whose actor is `at` */
    size_t at;
    kt_actors *facts;
};

static void end_actors(void *context) {
    struct actors *self = context;
    kt_actors_free(self->facts);
    free(self->actors);
    free(self->slots);
}

static kt_code grow_actors(struct actors *self, kt_error *error) {
    size_t room = self->room == 0 ? 16 : self->room * 2;
    struct actor *actors = realloc(self->actors, room * sizeof *actors);
    if (actors != NULL) self->actors = actors;
    uint32_t *slots = malloc(2 * room * sizeof *slots);
    if (actors == NULL || slots == NULL) {
        free(slots);
        return kt_fail(error, KT_MEMORY, "out of memory for the actors");
    }
    free(self->slots);
    self->slots = slots;
    self->room = room;
    self->slot_count = 2 * room;
    for (size_t i = 0; i < self->slot_count; i++) slots[i] = UINT32_MAX;
    for (size_t i = 0; i < self->count; i++) {
        size_t at = kt_get_le64(actors[i].key) & (self->slot_count - 1);
        while (slots[at] != UINT32_MAX) at = (at + 1) & (self->slot_count - 1);
        slots[at] = (uint32_t)i;
    }
    return KT_OK;
}

static kt_code find_actor(struct actors *self, const uint8_t key[KT_KEY_SIZE], size_t *out, kt_error *error) {
    if (self->count == self->room) {
        kt_code code = grow_actors(self, error);
        if (code != KT_OK) return code;
    }
    size_t at = kt_get_le64(key) & (self->slot_count - 1);
    for (; self->slots[at] != UINT32_MAX; at = (at + 1) & (self->slot_count - 1))
        if (memcmp(self->actors[self->slots[at]].key, key, KT_KEY_SIZE) == 0) {
            *out = self->slots[at];
            return KT_OK;
        }
    self->slots[at] = (uint32_t)self->count;
    self->actors[self->count] = (struct actor){.use = {0, 0, 0}};
    memcpy(self->actors[self->count].key, key, KT_KEY_SIZE);
    *out = self->count++;
    return KT_OK;
}

static kt_code see_actors(void *context, const kt_seen *seen, kt_error *error) {
    struct actors *self = context;
    if (self->count == 0 || self->batch != seen->batch->first) {
        kt_code code = find_actor(self, seen->batch->actor, &self->at, error);
        if (code != KT_OK) return code;
        self->batch = seen->batch->first;
    }
    add_use(&self->actors[self->at].use, seen->number);
    return KT_OK;
}

static kt_code merge_actors(void *context, void *other, kt_error *error) {
    struct actors *self = context, *from = other;
    for (size_t i = 0; i < from->count; i++) {
        size_t at;
        kt_code code = find_actor(self, from->actors[i].key, &at, error);
        if (code != KT_OK) return code;
        merge_use(&self->actors[at].use, &from->actors[i].use);
    }
    return KT_OK;
}

/* A person may have had several keys, one after the other: what was made by any of them counts together. Keys come by
   actor. Returns how many actors there are. */
static size_t join_keys(struct actors *self, kt_error *error, kt_code *code) {
    const kt_actors *facts;
    size_t actors = 0;
    *code = kt_view_actors(self->self.work->view, &self->facts, error);
    facts = self->facts;
    for (size_t i = 0, first = 0; *code == KT_OK && i < facts->key_count; i++) {
        size_t at = 0;
        while (at < self->count && memcmp(self->actors[at].key, facts->keys[i].key, KT_KEY_SIZE) != 0) at++;
        if (at == self->count) continue;
        self->actors[at].name = facts->keys[i].actor;
        if (actors != 0 && kt_str_equal(self->actors[first].name, self->actors[at].name)) {
            merge_use(&self->actors[first].use, &self->actors[at].use);
            self->actors[at].use = (struct use){0, 0, 0};
        } else {
            first = at;
            actors++;
        }
    }
    return actors;
}

static kt_code finish_actors(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    struct actors *self = context;
    uint32_t seldom = self->self.work->options.seldom_actor;
    char actors[KT_AMOUNT_TEXT], entries[KT_AMOUNT_TEXT];
    kt_code code = KT_OK;
    out->count = join_keys(self, error, &code);
    for (size_t i = 0; i < self->count && code == KT_OK && out->count > 1; i++)
        if (self->actors[i].use.count != 0 && self->actors[i].use.count <= seldom)
            code = add_spot(&self->self, &self->actors[i].use, i, error);
    out->examined = kt_report_text(reporter, "%s actors who made %s entries", kt_report_count(out->count, actors),
                                   kt_report_count(reporter->audit.population.entries, entries));
    kt_report_parameter(reporter, out, "seldom is at most", "%u entries", seldom);
    if (out->count == 1)
        out->note = kt_report_text(reporter, "%s", "one actor made all entries: none of several is seldom");
    return code;
}

static void explain_actors(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                           kt_audit_finding *out) {
    const struct actor *actor = &((struct actors *)context)->actors[spot->value];
    char all[KT_AMOUNT_TEXT];
    (void)entry;
    out->why = kt_report_text(reporter, "%.*s made %u %s of %s", (int)actor->name.size, actor->name.data, spot->reason,
                              entries_word(spot->reason), kt_report_count(reporter->audit.population.entries, all));
}

const kt_tester kt_tester_actors = {
    .about = {.name = "actors",
              .title = "Users who seldom make entries",
              .asks = "Actors whose keys signed the batches of at most so many entries, where others made more.",
              .criterion = "ISA 240.A45(b): individuals who typically do not make journal entries"},
    .size = sizeof(struct actors),
    .see = see_actors,
    .merge = merge_actors,
    .finish = finish_actors,
    .explain = explain_actors,
    .end = end_actors,
};

/* ---- pairs of a debit and a credit account ---- */

#define PAIRS_MAX 1500000u
#define PAIR_BACK 32u                   /* lines looked back at for the same pair */
#define PAIR_AHEAD 16u                  /* pairs whose places are being fetched while others are counted */
#define PAIR_PLACES (UINT32_C(1) << 24) /* accounts that a key has room for */
#define PAIR_COUNT UINT64_C(0xffff)

/* A slot is debit and credit account (24 bits each) and how often they met (16 bits, at most; 0: free). Where they met first
   and last lies apart and is only kept while they are seldom, so that the slots are small: with many pairs, fetching them
   from memory is what this test takes. */
struct ends {
    uint64_t first, last;
};

struct pairs {
    kt_test_self self;
    uint64_t *slots;
    struct ends *ends;
    size_t count, room;
    bool full; /* more than are kept */
    struct {
        uint64_t key, number;
    } ahead[PAIR_AHEAD];
    unsigned ahead_next, ahead_count;
};

static void end_pairs(void *context) {
    struct pairs *self = context;
    free(self->slots);
    free(self->ends);
}

static size_t place_of(const uint64_t *slots, size_t room, uint64_t key) {
    size_t at = kt_audit_mix(key, 1) & (room - 1);
    while (slots[at] != 0 && (slots[at] ^ key) > PAIR_COUNT) at = (at + 1) & (room - 1);
    return at;
}

static kt_code grow_pairs(struct pairs *self, kt_error *error) {
    size_t room = self->room == 0 ? 1024 : self->room * 2;
    uint64_t *slots = calloc(room, sizeof *slots);
    struct ends *ends = malloc(room * sizeof *ends);
    if (slots == NULL || ends == NULL) {
        free(slots);
        free(ends);
        return kt_fail(error, KT_MEMORY, "out of memory for pairs of accounts");
    }
    for (size_t i = 0; i < self->room; i++) {
        if (self->slots[i] == 0) continue;
        size_t at = place_of(slots, room, self->slots[i] & ~PAIR_COUNT);
        slots[at] = self->slots[i];
        ends[at] = self->ends[i];
    }
    end_pairs(self);
    self->slots = slots;
    self->ends = ends;
    self->room = room;
    return KT_OK;
}

/* So many more meetings of a pair, in entries from first to last. */
static kt_code count_pair(struct pairs *self, uint64_t key, uint64_t count, uint64_t first, uint64_t last,
                          kt_error *error) {
    if (self->count * 4 >= self->room * 3) {
        kt_code code = grow_pairs(self, error);
        if (code != KT_OK) return code;
    }
    size_t at = place_of(self->slots, self->room, key);
    uint64_t before = self->slots[at] & PAIR_COUNT;
    if (before == 0 && self->count == PAIRS_MAX) {
        self->full = true;
        return KT_OK;
    }
    self->count += before == 0;
    uint64_t now = before + count > PAIR_COUNT ? PAIR_COUNT : before + count;
    self->slots[at] = key | now;
    if (now > self->self.work->options.seldom_pair) return KT_OK;
    struct ends *ends = &self->ends[at];
    if (before == 0 || first < ends->first) ends->first = first;
    if (before == 0 || last > ends->last) ends->last = last;
    return KT_OK;
}

static kt_code count_oldest(struct pairs *self, kt_error *error) {
    unsigned oldest = (self->ahead_next + PAIR_AHEAD - self->ahead_count) % PAIR_AHEAD;
    uint64_t number = self->ahead[oldest].number;
    self->ahead_count--;
    return count_pair(self, self->ahead[oldest].key, 1, number, number, error);
}

static kt_code add_pair(struct pairs *self, uint32_t debit, uint32_t credit, uint64_t number, kt_error *error) {
    kt_code code = self->ahead_count == PAIR_AHEAD ? count_oldest(self, error) : KT_OK;
    uint64_t key = (uint64_t)debit << 40 | (uint64_t)credit << 16;
    if (self->room != 0) __builtin_prefetch(&self->slots[kt_audit_mix(key, 1) & (self->room - 1)], 1);
    self->ahead[self->ahead_next].key = key;
    self->ahead[self->ahead_next].number = number;
    self->ahead_next = (self->ahead_next + 1) % PAIR_AHEAD;
    self->ahead_count++;
    return code;
}

static kt_code count_all(struct pairs *self, kt_error *error) {
    kt_code code = KT_OK;
    while (self->ahead_count != 0 && code == KT_OK) code = count_oldest(self, error);
    return code;
}

/* Another line of the entry on the same account and side: the pair is there already. */
static bool stands_before(const kt_seen *seen, uint32_t at) {
    for (uint32_t i = at > PAIR_BACK ? at - PAIR_BACK : 0; i < at; i++)
        if (seen->lines[i].account == seen->lines[at].account &&
            (seen->lines[i].amount > 0) == (seen->lines[at].amount > 0))
            return true;
    return false;
}

/* Each line meets the largest of the other side, so an entry of n lines gives at most n - 1 pairs. */
static kt_code see_pairs(void *context, const kt_seen *seen, kt_error *error) {
    struct pairs *self = context;
    kt_code code = KT_OK;
    if (self->full || seen->debit == KT_SEEN_NONE || seen->credit == KT_SEEN_NONE) return KT_OK;
    uint32_t debit = seen->lines[seen->debit].account, credit = seen->lines[seen->credit].account;
    if (seen->line_count == 2) return add_pair(self, debit, credit, seen->number, error);
    for (uint32_t i = 0; i < seen->line_count && code == KT_OK; i++) {
        const kt_seen_line *line = &seen->lines[i];
        if (line->amount == 0 || stands_before(seen, i)) continue;
        if (line->amount > 0) code = add_pair(self, line->account, credit, seen->number, error);
        else if (line->account != credit) code = add_pair(self, debit, line->account, seen->number, error);
    }
    return code;
}

static kt_code begin_pairs(void *context, kt_error *error) {
    struct pairs *self = context;
    (void)error;
    self->full = self->self.work->account_count >= PAIR_PLACES;
    return KT_OK;
}

static kt_code merge_pairs(void *context, void *other, kt_error *error) {
    struct pairs *self = context, *from = other;
    kt_code code = count_all(self, error);
    if (code == KT_OK) code = count_all(from, error);
    self->full = self->full || from->full;
    for (size_t i = 0; i < from->room && code == KT_OK && !self->full; i++)
        if (from->slots[i] != 0)
            code = count_pair(self, from->slots[i] & ~PAIR_COUNT, from->slots[i] & PAIR_COUNT, from->ends[i].first,
                              from->ends[i].last, error);
    end_pairs(from); /* as large as all else together, and not needed any more */
    from->slots = NULL;
    from->ends = NULL;
    from->room = from->count = 0;
    return code;
}

static kt_code finish_pairs(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    struct pairs *self = context;
    uint32_t seldom = self->self.work->options.seldom_pair;
    char pairs[KT_AMOUNT_TEXT], entries[KT_AMOUNT_TEXT];
    kt_code code = count_all(self, error);
    out->count = self->count;
    kt_report_parameter(reporter, out, "seldom is at most", "%u entries", seldom);
    out->examined = kt_report_text(reporter, "%s%s pairs of a debit and a credit account in %s entries",
                                   self->full ? "more than " : "", kt_report_count(self->count, pairs),
                                   kt_report_count(reporter->audit.population.entries, entries));
    if (self->full) {
        out->status = KT_AUDIT_REFUSED;
        out->note = kt_report_text(reporter, "%s",
                                   "so many pairs that none of them stands out; a shorter range has fewer");
        return code;
    }
    for (size_t i = 0; i < self->room && code == KT_OK; i++) {
        struct use use = {self->slots[i] & PAIR_COUNT, 0, 0};
        if (self->slots[i] == 0 || use.count > seldom) continue;
        use.first = self->ends[i].first;
        use.last = self->ends[i].last;
        code = add_spot(&self->self, &use, self->slots[i] & ~PAIR_COUNT, error);
    }
    return code;
}

static void explain_pairs(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                          kt_audit_finding *out) {
    const kt_audit_work *work = ((struct pairs *)context)->self.work;
    const kt_account *debit = &work->accounts[spot->value >> 40],
                     *credit = &work->accounts[(spot->value >> 16) & (PAIR_PLACES - 1)];
    char all[KT_AMOUNT_TEXT];
    (void)entry;
    out->account = kt_report_keep(reporter, debit->code);
    out->counter = kt_report_keep(reporter, credit->code);
    out->why = kt_report_text(reporter, "debit %.*s against credit %.*s in %u %s of %s", (int)debit->code.size,
                              debit->code.data, (int)credit->code.size, credit->code.data, spot->reason,
                              entries_word(spot->reason), kt_report_count(reporter->audit.population.entries, all));
}

const kt_tester kt_tester_pairs = {
    .about =
        {.name = "pairs",
         .title = "Seldom pairs of accounts",
         .asks = "Debit and credit accounts that meet in at most so many entries. Each line is paired with the largest "
                 "of the other side.",
         .criterion = "ISA 240.A45(a): unrelated, unusual or seldom-used accounts"},
    .size = sizeof(struct pairs),
    .begin = begin_pairs,
    .see = see_pairs,
    .merge = merge_pairs,
    .finish = finish_pairs,
    .explain = explain_pairs,
    .end = end_pairs,
};
