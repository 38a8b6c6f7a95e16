#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/post.h"
#include "storage/note.h"

enum {
    FILE_NAME,
    STATE,
    BATCH,
    FIRST,
    LAST,
    RECORDED,
    READ_ENTRIES,
    READ_LINES,
    READ_DEBIT,
    READ_CREDIT,
    POSTED_ENTRIES,
    POSTED_LINES,
    POSTED_DEBIT,
    POSTED_CREDIT,
    PROPOSED_ENTRIES,
    PROPOSED_LINES,
    PROPOSED_DEBIT,
    PROPOSED_CREDIT,
    REJECTED_ENTRIES,
    REJECTED_LINES,
    REJECTED_DEBIT,
    REJECTED_CREDIT,
    ACCOUNTS,
    ORIGIN,
    SIZE,
    ROOT,
    RATE,
    VIRTUAL_OUT,
    ENTRIES_OUT,
    AUTOMATED_OUT,
    COUNT
};

kt_code kt_post_open_rows(kt_style style, kt_out **out, kt_error *error) {
    static const kt_column columns[COUNT] = {
        [FILE_NAME] = {"file", NULL, KT_CELL_TEXT, false},
        [STATE] = {"state", NULL, KT_CELL_TEXT, false},
        [BATCH] = {"batch", NULL, KT_CELL_TEXT, false},
        [FIRST] = {"first_record", NULL, KT_CELL_NUMBER, false},
        [LAST] = {"last_record", NULL, KT_CELL_NUMBER, false},
        [RECORDED] = {"recorded", NULL, KT_CELL_TEXT, false},
        [READ_ENTRIES] = {"read_entries", NULL, KT_CELL_COUNT, false},
        [READ_LINES] = {"read_lines", NULL, KT_CELL_COUNT, false},
        [READ_DEBIT] = {"read_debit", NULL, KT_CELL_AMOUNT, false},
        [READ_CREDIT] = {"read_credit", NULL, KT_CELL_AMOUNT, false},
        [POSTED_ENTRIES] = {"posted_entries", NULL, KT_CELL_COUNT, false},
        [POSTED_LINES] = {"posted_lines", NULL, KT_CELL_COUNT, false},
        [POSTED_DEBIT] = {"posted_debit", NULL, KT_CELL_AMOUNT, false},
        [POSTED_CREDIT] = {"posted_credit", NULL, KT_CELL_AMOUNT, false},
        [PROPOSED_ENTRIES] = {"proposed_entries", NULL, KT_CELL_COUNT, false},
        [PROPOSED_LINES] = {"proposed_lines", NULL, KT_CELL_COUNT, false},
        [PROPOSED_DEBIT] = {"proposed_debit", NULL, KT_CELL_AMOUNT, false},
        [PROPOSED_CREDIT] = {"proposed_credit", NULL, KT_CELL_AMOUNT, false},
        [REJECTED_ENTRIES] = {"rejected_entries", NULL, KT_CELL_COUNT, false},
        [REJECTED_LINES] = {"rejected_lines", NULL, KT_CELL_COUNT, false},
        [REJECTED_DEBIT] = {"rejected_debit", NULL, KT_CELL_AMOUNT, false},
        [REJECTED_CREDIT] = {"rejected_credit", NULL, KT_CELL_AMOUNT, false},
        [ACCOUNTS] = {"accounts_created", NULL, KT_CELL_COUNT, false},
        [ORIGIN] = {"origin", NULL, KT_CELL_TEXT, false},
        [SIZE] = {"tree_size", NULL, KT_CELL_NUMBER, false},
        [ROOT] = {"root", NULL, KT_CELL_TEXT, false},
        [RATE] = {"entries_per_second", NULL, KT_CELL_COUNT, false},
        [VIRTUAL_OUT] = {"virtual_left_out", NULL, KT_CELL_COUNT, false},
        [ENTRIES_OUT] = {"entries_left_out", NULL, KT_CELL_COUNT, false},
        [AUTOMATED_OUT] = {"automated_left_out", NULL, KT_CELL_COUNT, false},
    };
    return kt_out_open(style, columns, COUNT, false, out, error);
}

static const char *origin_of(const kt_posting_job *job) {
    return job->remote != NULL ? kt_remote_origin(job->remote) : kt_book_origin(job->book);
}

static void control_cells(kt_out *out, size_t first, const kt_control *control, uint8_t decimals) {
    kt_out_count(out, first, control->entries);
    kt_out_count(out, first + 1, control->lines);
    kt_out_amount(out, first + 2, control->debit, decimals);
    kt_out_amount(out, first + 3, control->credit, decimals);
}

static kt_code print_row(kt_posting_job *job, const char *path, const char *state, const kt_import_result *result,
                         uint64_t rate, kt_error *error) {
    kt_out *out = job->out;
    const kt_receipt *receipt = &result->receipt;
    char root[48];
    kt_out_words(out, FILE_NAME, path);
    kt_out_words(out, STATE, state);
    control_cells(out, READ_ENTRIES, &result->read, result->decimals);
    control_cells(out, POSTED_ENTRIES, &result->posted, result->decimals);
    control_cells(out, PROPOSED_ENTRIES, &result->proposed, result->decimals);
    control_cells(out, REJECTED_ENTRIES, &result->rejected, result->decimals);
    kt_out_count(out, ACCOUNTS, result->accounts_created);
    kt_out_words(out, ORIGIN, origin_of(job));
    kt_out_count(out, RATE, rate);
    kt_out_count(out, VIRTUAL_OUT, result->virtual_left_out);
    kt_out_count(out, ENTRIES_OUT, result->entries_left_out);
    kt_out_count(out, AUTOMATED_OUT, result->automated_left_out);
    if (receipt->tree_size > 0) {
        (void)kt_base64_encode(receipt->root, sizeof(receipt->root), root);
        kt_out_words(out, BATCH, receipt->batch_id);
        kt_out_count(out, FIRST, receipt->first);
        kt_out_count(out, LAST, receipt->last);
        kt_out_time(out, RECORDED, receipt->recorded_us);
        kt_out_count(out, SIZE, receipt->tree_size);
        kt_out_words(out, ROOT, root);
    }
    return kt_out_row(out, error);
}

/* "debit DKK": the totals are of what has a value in the book's currency. */
static void name_sides(const kt_posting_job *job, char heads[2][KT_CURRENCY_CODE_MAX + 8]) {
    for (size_t i = 0; i < 2; i++)
        (void)snprintf(heads[i], KT_CURRENCY_CODE_MAX + 8, "%s %s", i == 0 ? "debit" : "credit", job->currency);
}

static kt_code control_table(const kt_posting_job *job, const kt_import_result *result, kt_error *error) {
    char heads[2][KT_CURRENCY_CODE_MAX + 8];
    const kt_column columns[] = {
        {NULL, "", KT_CELL_TEXT, false},         {NULL, "entries", KT_CELL_COUNT, false},
        {NULL, "lines", KT_CELL_COUNT, false},   {NULL, heads[0], KT_CELL_AMOUNT, false},
        {NULL, heads[1], KT_CELL_AMOUNT, false},
    };
    const struct {
        const char *name;
        const kt_control *control;
    } rows[] = {{"posted", &result->posted},
                {"proposed", &result->proposed},
                {"rejected", &result->rejected},
                {"read", &result->read}};
    kt_out *out = NULL;
    name_sides(job, heads);
    kt_code code = kt_out_open(KT_STYLE_TABLE, columns, 5, false, &out, error);
    for (size_t i = 0; code == KT_OK && i < 4; i++) {
        if (rows[i].control == &result->proposed && result->proposed.entries == 0) continue;
        if (i == 3) code = kt_out_rule(out, error);
        kt_out_words(out, 0, rows[i].name);
        control_cells(out, 1, rows[i].control, result->decimals);
        if (code == KT_OK) code = kt_out_row_people(out, i == 3, error);
    }
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static const char *plural(uint64_t count, const char *one, const char *many) { return count == 1 ? one : many; }

/* What --virtual drop did not post is in none of the totals. */
static void print_left_out(const kt_import_result *result) {
    uint64_t postings = result->virtual_left_out, entries = result->entries_left_out;
    uint64_t automated = result->automated_left_out;
    printf("left out    %" PRIu64 " virtual %s", postings, plural(postings, "posting", "postings"));
    if (entries > 0)
        printf(", with %" PRIu64 " %s", entries,
               plural(entries, "entry that holds nothing else", "entries that hold nothing else"));
    if (automated > 0)
        printf(", and what %" PRIu64 " automated %s would add", automated,
               plural(automated, "transaction (=)", "transactions (=)"));
    putchar('\n');
}

static void print_trail(const kt_posting_job *job, const kt_import_result *result, uint64_t ms) {
    const kt_receipt *receipt = &result->receipt;
    char root[48], when[KT_TIME_TEXT], rate[KT_AMOUNT_TEXT], count[KT_AMOUNT_TEXT];
    if (job->import.dry_run || receipt->tree_size == 0) {
        if (!job->import.dry_run) printf("no entry was posted: nothing was stored\n");
        else if (result->rejected.entries > 0)
            printf("dry run: nothing was stored; the rejected entries would go to a file\n");
        else if (result->proposed.entries > 0)
            printf(
                "dry run: nothing was stored; what lies beyond the actor's limits would wait for another's approval\n");
        else printf("dry run: nothing was stored; all of it would be posted\n");
        return;
    }
    (void)kt_base64_encode(receipt->root, sizeof(receipt->root), root);
    (void)kt_amount_format((kt_amount)kt_progress_rate(result->posted.entries, ms == 0 ? 1 : ms), 0, ',', rate);
    if (result->proposed.entries > 0)
        printf("proposed    %" PRIu64 " %s for another's approval (kontor proposals)\n", result->proposed.entries,
               plural(result->proposed.entries, "entry waits", "entries wait"));
    printf("batch       %s\n", receipt->batch_id);
    printf("records     %" PRIu64 "–%" PRIu64 ", recorded %s\n", receipt->first, receipt->last,
           kt_time_format(receipt->recorded_us, when));
    printf("checkpoint  %s\n            size %" PRIu64 "\n            root %s\n", origin_of(job), receipt->tree_size,
           root);
    (void)kt_amount_format((kt_amount)result->posted.entries, 0, ',', count);
    printf("speed       %s %s in %" PRIu64 ".%03" PRIu64 " s: %s entries a second\n", count,
           result->posted.entries == 1 ? "entry" : "entries", ms / 1000u, ms % 1000u, rate);
}

static void print_repeat(const kt_receipt *receipt) {
    char when[KT_TIME_TEXT];
    printf("already posted as batch %s, records %" PRIu64 "–%" PRIu64 ", at %s; nothing new\n", receipt->batch_id,
           receipt->first, receipt->last, kt_time_format(receipt->recorded_us, when));
}

/* FILE.rejected.<ending>, so that the format is guessed from it again. */
static char *reject_name(const char *path, const char *format) {
    if (strcmp(path, "-") == 0) path = "stdin";
    const char *slash = strrchr(path, '/'), *ending = strrchr(slash == NULL ? path : slash, '.');
    size_t room = strlen(path) + strlen(".rejected.") + 16 + (ending == NULL ? 0 : strlen(ending));
    char *name = malloc(room);
    if (name == NULL) return NULL;
    if (ending != NULL) (void)snprintf(name, room, "%s.rejected%s", path, ending);
    else (void)snprintf(name, room, "%s.rejected%s%s", path, format == NULL ? "" : ".", format == NULL ? "" : format);
    return name;
}

static void on_refused(void *context, const kt_error *why) {
    kt_posting_job *job = context;
    kt_progress_end(&job->progress);
    fputs("rejected: ", stderr);
    kt_print_safe(stderr, kt_str_from(why->text));
    fputc('\n', stderr);
    job->refusals++;
}

static void on_creates(void *context, const kt_account *account) {
    kt_posting_job *job = context;
    FILE *to = job->style == KT_STYLE_TABLE ? stdout : stderr;
    kt_progress_end(&job->progress);
    if (job->creations++ == 0)
        fputs(job->import.dry_run ? "accounts that would be created:\n" : "accounts to create:\n", to);
    fputs("  ", to);
    kt_print_safe(to, account->code);
    fprintf(to, "  (%s)\n", kt_account_type_name(account->type));
}

static void on_progress(void *context, uint64_t bytes_done, uint64_t bytes, uint64_t entries) {
    kt_posting_job *job = context;
    kt_progress_import(&job->progress, bytes_done, bytes, entries);
}

const char *kt_post_state(const kt_posting_job *job, kt_code posted, const kt_import_result *result) {
    if (posted == KT_REPEATED) return "repeated";
    if (posted != KT_OK && posted != KT_END) return "refused";
    if (job->import.dry_run) return "dry run";
    if (posted == KT_OK && result->proposed.entries > 0)
        return result->posted.entries == 0 ? "proposed" : "posted in part";
    if (posted == KT_OK) return "posted";
    return result->receipt.tree_size == 0 ? "rejected" : "posted in part";
}

kt_code kt_post_tell(kt_posting_job *job, const char *path, kt_code posted, const kt_import_result *result, uint64_t ms,
                     kt_error *error) {
    if (job->style != KT_STYLE_TABLE)
        return print_row(job, path, kt_post_state(job, posted, result), result,
                         kt_progress_rate(result->posted.entries, ms), error);
    if (job->files > 1) printf("%s\n", path);
    if (posted == KT_REPEATED) {
        print_repeat(&result->receipt);
        return KT_OK;
    }
    if (result->accounts_created > 0 && !job->import.dry_run)
        printf("accounts created: %" PRIu64 "\n", result->accounts_created);
    kt_code printed = control_table(job, result, error);
    if (job->import.how.virtual_postings == KT_VIRTUAL_DROP) print_left_out(result);
    print_trail(job, result, ms);
    return printed;
}

kt_code kt_post_import(kt_posting_job *job, const char *path, kt_import_result *result, uint64_t *ms, kt_error *error) {
    kt_import_options import = job->import;
    char *rejects = NULL;
    import.progress = on_progress;
    import.refused = on_refused;
    import.creates = on_creates;
    import.context = job;
    if (import.skip_bad && !import.dry_run) {
        rejects = job->rejects == NULL ? reject_name(path, import.format) : strdup(job->rejects);
        if (rejects == NULL) return kt_fail(error, KT_MEMORY, "%s: no memory", path);
        import.reject_path = rejects;
    }
    job->refusals = job->creations = 0;
    kt_progress_begin(&job->progress, "posting");
    uint64_t started = kt_progress_clock_ms();
    kt_code code = job->remote != NULL ? kt_remote_import(job->remote, path, &import, result, error)
                                       : kt_import(job->book, path, &import, result, error);
    *ms = kt_progress_clock_ms() - started;
    kt_progress_end(&job->progress);
    if (code == KT_END) {
        job->part = true;
        if (rejects != NULL)
            fprintf(stderr, "the rejected entries stand in %s: mend that file, and post it\n", rejects);
    }
    if (code == KT_OK && import.propose == KT_PROPOSE_BEYOND && result->proposed.entries > 0) job->part = true;
    if ((code == KT_OK || code == KT_END) && result->receipt.clock_behind)
        kt_warn("the clock is behind the book's last record, whose time was used instead");
    free(rejects);
    return code;
}

kt_code kt_post_file(kt_posting_job *job, const char *path, kt_error *error) {
    kt_import_result result = {0};
    uint64_t ms = 0;
    kt_code code = kt_post_import(job, path, &result, &ms, error);
    if (code == KT_OK || code == KT_END || code == KT_REPEATED)
        code = kt_post_tell(job, path, code, &result, ms, error);
    return code;
}
