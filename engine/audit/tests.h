/*
 * tests: what the auditor's tests share: the population as one walk shows it, and what a test is to the walk.
 *
 *                       ┌─ worker: its own view, stretches of records ─ kt_seen ─► see, see, see ... (a self for each test)
 *     kt_audit_run ─────┤
 *                       └─ worker ...                                             then: merge ─► finish ─► explain
 *
 * A test keeps what it counts in a self for each worker, so that nothing is shared while they walk, and merges them at the
 * end; what comes out is the same however the records were shared out. What it points at it keeps as spots
 * (tests_spots.h), and says why in words only for those that are kept, when the entry is at hand again.
 *
 * A test that has to hold entries against each other puts keys into its sift (tests_sift.h); a book of more entries than a
 * sift holds is walked again for the next part of the keys, with only such tests looking on.
 *
 * Adding a test: a file, and a line in the table of tests_table.c.
 *
 * Lifetime: a kt_seen is valid while see runs; the work as long as the run. Laws kept: 8, 11.
 */
#ifndef KT_AUDIT_TESTS_H
#define KT_AUDIT_TESTS_H

#include "engine/audit/tests_calendar.h"
#include "engine/audit/tests_report.h"
#include "engine/audit/tests_sift.h"
#include "engine/audit/tests_spots.h"
#include "engine/audit/tests_zone.h"
#include "engine/kontor.h"
#include "storage/bytes.h"

/* What does not change while the walk goes on; read by all workers. */
typedef struct kt_audit_work {
    kt_view *view;
    kt_head head;
    kt_company company;
    kt_audit_options options; /* the defaults filled in; from and to KT_DAY_NONE where open */
    kt_account *accounts;     /* by code; a seen line names one by its place here */
    size_t account_count;
    uint64_t *account_slots; /* hash table: half of the hash, and the place in accounts + 1; 0: free */
    size_t account_slot_count;
    kt_currency *currencies; /* as kt_view_currencies; the book's is book_currency */
    size_t currency_count;
    uint16_t book_currency;
    kt_zone *zone;
    kt_calendar calendar;
    unsigned parts, part; /* of the sifts' keys, and the one this walk is for */
} kt_audit_work;

typedef struct kt_seen_line {
    kt_amount amount;  /* as stored: debit above zero */
    kt_amount book;    /* 0 where not valued */
    uint32_t account;  /* place in work->accounts */
    uint16_t currency; /* place in work->currencies */
    bool debit;        /* the column it stands in */
    bool valued;       /* it has a book amount */
    bool fresh; /* not zero, and none of the KT_SEEN_BACK lines before it has the same magnitude and currency: the
                          other side of a sum is no second amount */
} kt_seen_line;

typedef struct kt_seen_batch {
    uint64_t first, last;
    int64_t recorded_us;
    kt_day day;      /* where the company is */
    uint32_t minute; /* of that day */
    uint8_t actor[KT_KEY_SIZE];
} kt_seen_batch;

#define KT_SEEN_NONE UINT32_MAX
#define KT_SEEN_BACK 32u

/* An entry as all tests see it. */
typedef struct kt_seen {
    uint64_t number;
    const kt_entry *entry;
    const kt_seen_line *lines; /* as many as the entry has */
    size_t line_count;
    uint32_t debit,
        credit; /* the lines of the largest amounts above and below zero, the first of equals; KT_SEEN_NONE */
    const kt_seen_batch *batch; /* on the first walk */
    kt_day year_first;          /* of the fiscal year of its valid date */
} kt_seen;

/* A test's own counters begin with this. */
typedef struct kt_test_self {
    const kt_audit_work *work;
    kt_spots spots;
    kt_sift sift;   /* where the test sifts */
    uint64_t count; /* of what it took */
} kt_test_self;

typedef struct kt_tester {
    kt_audit_about about;
    size_t size; /* of its self, which is all zero to begin with but for the work and the spots */
    kt_code (*begin)(void *self, kt_error *error); /* may be NULL, as all but see and explain may */
    kt_code (*see)(void *self, const kt_seen *seen, kt_error *error);
    /* The sift's items of one bucket in order, after each walk. A test with this is shown all walks. */
    kt_code (*sorted)(void *self, const kt_sift_item *items, size_t count, kt_error *error);
    kt_code (*merge)(void *self, void *other, kt_error *error); /* all but spots and count */
    /* All is counted: more spots, the table, parameters, what was examined. */
    kt_code (*finish)(void *self, kt_reporter *reporter, kt_audit_test *out, kt_error *error);
    /* Says why, and may name accounts and amounts: the finding has the entry's facts already. entry NULL: none. */
    void (*explain)(void *self, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                    kt_audit_finding *out);
    void (*end)(void *self);
} kt_tester;

/* The table, ended by NULL. */
extern const kt_tester *const kt_testers[];

extern const kt_tester kt_tester_completeness, kt_tester_balance, kt_tester_vouchers, kt_tester_duplicates;
extern const kt_tester kt_tester_night, kt_tester_weekend, kt_tester_holiday, kt_tester_backdated, kt_tester_reopened;
extern const kt_tester kt_tester_accounts, kt_tester_actors, kt_tester_pairs;
extern const kt_tester kt_tester_round, kt_tester_endings, kt_tester_texts;
extern const kt_tester kt_tester_benford, kt_tester_benford2;
extern const kt_tester kt_tester_approval, kt_tester_limits;

/* Numbers for hash tables; not for secrets. */
static inline uint64_t kt_audit_mix(uint64_t a, uint64_t b) {
    kt_uint128 product = (kt_uint128)(a ^ UINT64_C(0x9e3779b97f4a7c15)) * (b ^ UINT64_C(0xd6e8feb86659fd93));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t kt_audit_hash(uint64_t seed, kt_str text) {
    const uint8_t *at = (const uint8_t *)text.data;
    size_t size = text.size;
    uint64_t word, hash = kt_audit_mix(seed, size);
    for (; size > 8; at += 8, size -= 8) {
        memcpy(&word, at, 8);
        hash = kt_audit_mix(hash, word);
    }
    return kt_audit_mix(hash, size == 0 ? 0 : kt_bytes_word(at, size));
}

static inline kt_amount kt_audit_abs(kt_amount amount) { return amount < 0 ? -amount : amount; }

/* The amount of one whole unit: 100 for two decimals. */
kt_amount kt_audit_unit(uint8_t decimals);

#endif
