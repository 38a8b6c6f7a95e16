#include "engine/remote/group.h"

#include <stdio.h>

static void decide(kt_submission *submission, kt_code code, int64_t record, const kt_error *why) {
    submission->decided = true;
    submission->applied = false;
    submission->code = code;
    submission->record = record;
    snprintf(submission->text, sizeof submission->text, "%s", why->text);
}

static bool is_surroundings(kt_code code) { return code <= KT_IO; }

/* The disk, the key, memory: no fault of any of them, and none of them is stored. */
static kt_code fail_all(kt_submission *const *submissions, size_t count, kt_code code, const kt_error *why) {
    for (size_t i = 0; i < count; i++)
        if (!submissions[i]->decided) decide(submissions[i], code, -1, why);
    return code;
}

enum outcome { ALL_APPLIED, BEGIN_AGAIN, FAILED };

/* Applies the first *count of them that are undecided, and gives the commit up at one that is refused late. */
static enum outcome apply_all(kt_accept *accept, kt_submission *const *submissions, size_t count, size_t *bad,
                              kt_error *error) {
    for (size_t i = 0; i < count; i++) {
        kt_submission *submission = submissions[i];
        int64_t record;
        bool clean;
        if (submission->decided) continue;
        kt_code code = kt_accept_batch(accept, &submission->arrival, &submission->receipt, submission->note, &record,
                                       &clean, error);
        if (is_surroundings(code)) return FAILED;
        submission->applied = code == KT_OK || (code == KT_REPEATED && submission->receipt.tree_size == 0);
        submission->code = code;
        if (!submission->applied) decide(submission, code, record, error);
        else if (code == KT_REPEATED) snprintf(submission->text, sizeof submission->text, "%s", error->text);
        if (!clean && !submission->applied) {
            *bad = i;
            return BEGIN_AGAIN;
        }
    }
    return ALL_APPLIED;
}

static void take_back(kt_submission *const *submissions, size_t count) {
    for (size_t i = 0; i < count; i++) submissions[i]->applied = false;
}

static kt_code commit(kt_accept *accept, kt_submission *const *submissions, size_t count, kt_error *error) {
    uint64_t size;
    uint8_t root[KT_HASH_SIZE];
    char note[KT_CHECKPOINT_MAX];
    bool any = false;
    for (size_t i = 0; i < count && !any; i++) any = submissions[i]->applied;
    if (!any) {
        kt_accept_abort(accept);
        return KT_OK;
    }
    kt_code code = kt_accept_commit(accept, &size, root, note, error);
    for (size_t i = 0; i < count && code == KT_OK; i++) {
        kt_submission *submission = submissions[i];
        if (!submission->applied) continue;
        submission->decided = true;
        submission->applied = false;
        submission->receipt.tree_size = size;
        memcpy(submission->receipt.root, root, KT_HASH_SIZE);
        memcpy(submission->note, note, sizeof note);
    }
    return code;
}

kt_code kt_group_commit(kt_accept *accept, kt_submission *const *submissions, size_t count, size_t *decided) {
    kt_error error = {0};
    size_t bad = 0;
    *decided = count;
    for (size_t i = 0; i < count; i++) submissions[i]->decided = submissions[i]->applied = false;
    for (unsigned again = 0;; again++) {
        kt_code code = kt_accept_begin(accept, &error);
        if (code != KT_OK) return fail_all(submissions, *decided, code, &error);
        enum outcome outcome = apply_all(accept, submissions, *decided, &bad, &error);
        if (outcome == ALL_APPLIED) {
            code = commit(accept, submissions, *decided, &error);
            return code == KT_OK ? KT_OK : fail_all(submissions, *decided, code, &error);
        }
        kt_accept_abort(accept);
        take_back(submissions, *decided);
        if (outcome == FAILED) return fail_all(submissions, *decided, error.code, &error);
        if (again == KT_GROUP_AGAIN) *decided = bad + 1;
    }
}
