#include "cli/trust.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/note.h"

enum { RECORD, CODE, WHAT, COUNT };

const char *kt_trust_mark(bool good) {
    if (kt_terminal_utf8()) return good ? "✓" : "✗";
    return good ? "ok   " : "WRONG";
}

static void on_found(void *context, const kt_finding *finding) {
    kt_trust *trust = context;
    kt_progress_end(&trust->progress);
    trust->findings++;
    if (trust->style == KT_STYLE_TABLE) {
        printf("%s ", kt_trust_mark(false));
        if (finding->record != UINT64_MAX && strncmp(finding->what, "record ", 7) != 0)
            printf("record %" PRIu64 ": ", finding->record);
        printf("%s: ", kt_code_name(finding->code));
        kt_print_safe(stdout, kt_str_from(finding->what));
        putchar('\n');
        return;
    }
    if (finding->record != UINT64_MAX) kt_out_count(trust->out, RECORD, finding->record);
    kt_out_words(trust->out, CODE, kt_code_name(finding->code));
    kt_out_words(trust->out, WHAT, finding->what);
    (void)kt_out_row(trust->out, NULL); /* a failed write is told when the rows are closed */
}

static void on_progress(void *context, uint64_t done, uint64_t of) {
    kt_trust *trust = context;
    kt_progress_records(&trust->progress, done, of);
}

static kt_code number(const kt_arguments *arguments, const char *option, uint64_t most, uint64_t *out,
                      kt_error *error) {
    const char *text = kt_given_value(arguments, option);
    kt_code code = text == NULL ? KT_OK : kt_word_number(text, option, out, error);
    if (code == KT_OK && *out > most)
        code = kt_fail(error, KT_USAGE, "--%s %.20s: at most %" PRIu64, option, text, most);
    return code;
}

kt_code kt_trust_key(const char *text, char **kept, const char **out, kt_error *error) {
    size_t size;
    if (text == NULL) return KT_OK;
    if (strchr(text, '+') != NULL && access(text, F_OK) != 0) {
        *out = text;
        return KT_OK;
    }
    kt_code code = kt_file_read(text, KT_VERIFIER_MAX + 2, kept, &size, error);
    if (code == KT_OK) {
        (*kept)[strcspn(*kept, "\r\n")] = '\0';
        *out = *kept;
    }
    return code;
}

static bool has_option(const kt_arguments *arguments, const char *option) {
    return kt_option_find(arguments->command, option, strlen(option)) != NULL;
}

static size_t count_given(const kt_arguments *arguments, const char *option) {
    size_t count = 0;
    while (has_option(arguments, option) && kt_given_nth(arguments, option, count) != NULL) count++;
    return count;
}

static kt_code read_witnesses(const kt_arguments *arguments, kt_trust *trust, kt_error *error) {
    size_t count = count_given(arguments, "witness"), files = count_given(arguments, "cosigned");
    uint64_t quorum = 0;
    trust->witness_files = calloc(count + 1, sizeof *trust->witness_files);
    trust->witnesses = calloc(count + 1, sizeof *trust->witnesses);
    trust->cosigned = calloc(files + 1, sizeof *trust->cosigned);
    if (trust->witness_files == NULL || trust->witnesses == NULL || trust->cosigned == NULL)
        return kt_fail(error, KT_MEMORY, "out of memory");
    kt_code code = number(arguments, "quorum", count, &quorum, error);
    if (code == KT_OK && kt_given_value(arguments, "quorum") != NULL && quorum == 0)
        code = kt_fail(error, KT_USAGE, "--quorum 0: expected 1 to %zu, the witnesses given", count);
    for (size_t i = 0; i < count && code == KT_OK; i++)
        code = kt_trust_key(kt_given_nth(arguments, "witness", i), &trust->witness_files[i], &trust->witnesses[i],
                            error);
    for (size_t i = 0; i < files && code == KT_OK; i++) {
        char *text = NULL;
        code = kt_file_read(kt_given_nth(arguments, "cosigned", i), KT_NOTE_MAX, &text, &trust->cosigned[i].size,
                            error);
        trust->cosigned[i].data = text;
    }
    trust->options.witnesses = trust->witnesses;
    trust->options.witness_count = count;
    trust->options.quorum = (size_t)quorum;
    trust->options.cosigned = trust->cosigned;
    trust->options.cosigned_count = files;
    return code;
}

static void free_witnesses(kt_trust *trust) {
    for (size_t i = 0; trust->witness_files != NULL && i < trust->options.witness_count; i++)
        free(trust->witness_files[i]);
    for (size_t i = 0; trust->cosigned != NULL && i < trust->options.cosigned_count; i++) {
        union {
            const char *in;
            void *out;
        } text = {.in = trust->cosigned[i].data};
        free(text.out);
    }
    free(trust->witness_files);
    free(trust->witnesses);
    free(trust->cosigned);
}

kt_code kt_trust_read(const kt_arguments *arguments, kt_trust *out, kt_error *error) {
    const char *since = has_option(arguments, "since") ? kt_given_value(arguments, "since") : NULL;
    kt_code code = kt_trust_key(kt_given_value(arguments, "key"), &out->key, &out->options.verifier, error);
    if (code == KT_OK && since != NULL)
        code = kt_file_read(since, KT_NOTE_MAX, &out->since, &out->options.since_size, error);
    out->options.since = out->since;
    return code == KT_OK ? read_witnesses(arguments, out, error) : code;
}

kt_code kt_trust_open(const kt_arguments *arguments, const char *what, kt_trust *out, kt_error *error) {
    static const kt_column columns[COUNT] = {
        [RECORD] = {"record", NULL, KT_CELL_NUMBER, false},
        [CODE] = {"code", NULL, KT_CELL_TEXT, false},
        [WHAT] = {"what", NULL, KT_CELL_TEXT, false},
    };
    *out = (kt_trust){0};
    out->options.progress = on_progress;
    out->options.found = on_found;
    out->options.context = out;
    uint64_t threads = 0;
    kt_code code = kt_style_of(arguments, &out->style, error);
    if (code == KT_OK && kt_option_find(arguments->command, "since", strlen("since")) != NULL) {
        code = kt_trust_read(arguments, out, error);
        if (code == KT_OK) code = number(arguments, "threads", 1024, &threads, error);
        if (code == KT_OK) code = number(arguments, "most", UINT64_MAX, &out->options.most, error);
        out->options.threads = (unsigned)threads;
    }
    if (code == KT_OK && out->style != KT_STYLE_TABLE)
        code = kt_out_open(out->style, columns, COUNT, false, &out->out, error);
    if (code == KT_OK) kt_progress_begin(&out->progress, what);
    return code;
}

void kt_trust_print(const kt_trust *trust, const kt_verify_result *result) {
    const struct {
        uint64_t count;
        const char *what;
    } lines[] = {
        {result->records, "records: stored bytes, leaves and the tree over them"},
        {result->batches, "batches: seals and their signatures"},
        {result->checkpoints, "checkpoints: signatures, each extending the one before"},
        {result->entries, "entries: replayed, balanced"},
    };
    if (trust->style != KT_STYLE_TABLE) return;
    bool clean = trust->findings == 0 && result->findings == 0;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        char count[KT_AMOUNT_TEXT];
        (void)kt_amount_format((kt_amount)lines[i].count, 0, ',', count);
        printf("%s %12s %s\n", clean ? kt_trust_mark(true) : "     ", count, lines[i].what);
    }
    printf("%s %12s state: %s\n", kt_trust_mark(result->state_equal), "",
           result->state_equal ? "the replay gives the stored one"
                               : "not what the replay gives, or not to be compared");
    char root[48];
    (void)kt_base64_encode(result->root, sizeof(result->root), root);
    printf("root  %s\n", root);
    if (result->cosigners > 0) {
        char when[KT_TIME_TEXT], behind[KT_AMOUNT_TEXT];
        uint64_t rest = result->records > result->cosigned_size ? result->records - result->cosigned_size : 0;
        (void)kt_amount_format((kt_amount)rest, 0, ',', behind);
        printf("cosigned by %u of %zu witnesses: the first %" PRIu64 " records, %s", result->cosigners,
               trust->options.witness_count, result->cosigned_size, kt_time_format(result->cosigned_us, when));
        if (rest > 0) printf("; the %s behind them rest%s on the log key alone", behind, rest == 1 ? "s" : "");
        putchar('\n');
    }
    if (!clean) return;
    if (trust->options.verifier != NULL) printf("nothing wrong was found, under the key given\n");
    else
        printf("nothing wrong was found, under the key the book itself names; --key KEY holds it against the one you "
               "kept\n");
}

kt_code kt_trust_close(kt_trust *trust, kt_error *error) {
    kt_progress_end(&trust->progress);
    kt_code code = kt_out_close(trust->out, error);
    free(trust->since);
    free(trust->key);
    free_witnesses(trust);
    trust->out = NULL;
    trust->since = trust->key = NULL;
    return code;
}
