#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show.h"
#include "cli/trust.h"
#include "storage/note.h"

enum {
    PROVES,
    ORIGIN,
    SIZE,
    ROOT,
    OLDER_SIZE,
    OLDER_ROOT,
    RECORD,
    KIND,
    LEAF,
    PARTS,
    ENTITY,
    DATE,
    SERIES,
    VOUCHER,
    TEXT,
    REF,
    REVERSES,
    LINES,
    COUNT = LINES + KT_LINE_COLUMNS
};

static const kt_column proof_columns[LINES] = {
    [PROVES] = {"proves", NULL, KT_CELL_TEXT, false},
    [ORIGIN] = {"origin", "log", KT_CELL_TEXT, false},
    [SIZE] = {"tree_size", NULL, KT_CELL_NUMBER, false},
    [ROOT] = {"root", NULL, KT_CELL_TEXT, false},
    [OLDER_SIZE] = {"older_tree_size", NULL, KT_CELL_NUMBER, false},
    [OLDER_ROOT] = {"older_root", NULL, KT_CELL_TEXT, false},
    [RECORD] = {"number", "record", KT_CELL_NUMBER, false},
    [KIND] = {"kind", "kind", KT_CELL_TEXT, false},
    [LEAF] = {"leaf_hash", "leaf hash", KT_CELL_TEXT, false},
    [PARTS] = {"parts", NULL, KT_CELL_NUMBER, false},
    [ENTITY] = {"entity", "entity", KT_CELL_PROSE, false},
    [DATE] = {"date", "date", KT_CELL_TEXT, false},
    [SERIES] = {"series", "series", KT_CELL_TEXT, false},
    [VOUCHER] = {"voucher", "voucher", KT_CELL_TEXT, false},
    [TEXT] = {"text", "text", KT_CELL_PROSE, false},
    [REF] = {"ref", "ref", KT_CELL_TEXT, false},
    [REVERSES] = {"reverses", "reverses", KT_CELL_NUMBER, false},
};

static void proof_cells(kt_out *out, const kt_proved *proved) {
    char root[48];
    kt_out_words(out, PROVES, proved->consistency ? "consistency" : "inclusion");
    kt_out_text(out, ORIGIN, proved->origin);
    kt_out_count(out, SIZE, proved->size);
    (void)kt_base64_encode(proved->root, sizeof(proved->root), root);
    kt_out_words(out, ROOT, root);
    if (proved->consistency) {
        kt_out_count(out, OLDER_SIZE, proved->older_size);
        (void)kt_base64_encode(proved->older_root, sizeof(proved->older_root), root);
        kt_out_words(out, OLDER_ROOT, root);
        return;
    }
    kt_out_count(out, RECORD, proved->number);
    kt_out_text(out, KIND, proved->kind);
    kt_out_hex(out, LEAF, proved->leaf_hash, sizeof(proved->leaf_hash));
    kt_out_count(out, PARTS, proved->parts);
    if (proved->entry == NULL) return;
    const kt_entry *entry = &proved->entry->entry;
    kt_out_text(out, ENTITY, proved->entity);
    kt_out_day(out, DATE, entry->date);
    kt_out_text(out, SERIES, entry->series);
    kt_out_text(out, VOUCHER, entry->voucher);
    kt_out_text(out, TEXT, entry->text);
    kt_out_text(out, REF, entry->ref);
    if (entry->reverses != 0) kt_out_count(out, REVERSES, entry->reverses);
}

static kt_code print_rows(kt_style style, const kt_proved *proved, kt_error *error) {
    kt_out *out;
    kt_column columns[COUNT];
    memcpy(columns, proof_columns, sizeof(proof_columns));
    memcpy(columns + LINES, kt_line_columns, sizeof(kt_line_columns));
    kt_code code = kt_out_open(style, columns, COUNT, false, &out, error);
    if (code != KT_OK) return code;
    size_t rows = proved->entry == NULL ? 1 : proved->entry->entry.line_count;
    for (size_t i = 0; code == KT_OK && i < rows; i++) {
        proof_cells(out, proved);
        if (proved->entry != NULL) kt_line_cells(out, LINES, proved->entry, i, proved->currency);
        code = kt_out_row(out, error);
    }
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static kt_code print_lines(const kt_proved *proved, kt_error *error) {
    kt_out *out;
    kt_side_sums sums = {0};
    const kt_entry_view *entry = proved->entry;
    kt_code code = kt_out_open(KT_STYLE_TABLE, kt_line_columns, KT_LINE_COLUMNS, false, &out, error);
    for (size_t i = 0; code == KT_OK && i < entry->entry.line_count; i++) {
        kt_line_cells(out, 0, entry, i, proved->currency);
        code = kt_out_row(out, error);
        if (code == KT_OK) code = kt_side_sums_add(&sums, entry, i, proved->currency, error);
    }
    if (code == KT_OK) code = kt_side_sums_print(&sums, out, 0, error);
    kt_side_sums_release(&sums);
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

/* What was checked, as verify says it. */
static void print_checked(const kt_proved *proved) {
    const char *good = kt_trust_mark(true);
    char root[48];
    (void)kt_base64_encode(proved->root, sizeof(proved->root), root);
    printf("%s checkpoint%s of ", good, proved->consistency ? "s" : "");
    kt_print_safe(stdout, proved->origin);
    if (proved->consistency) {
        printf(" over %" PRIu64 " and %" PRIu64 " records: signed by the key given\n", proved->older_size,
               proved->size);
        printf("%s the newer extends the older: %zu hash%s lead%s from one root to the other\n", good, proved->hashes,
               proved->hashes == 1 ? "" : "es", proved->hashes == 1 ? "s" : "");
        printf("root  %s\n", root);
        printf("nothing that the older one covers was changed, dropped or inserted\n");
        return;
    }
    printf(" over %" PRIu64 " records: signed by the key given\n", proved->size);
    printf("%s record %" PRIu64 ": its bytes give the leaf hash, which leads to the root with %zu more\n", good,
           proved->number, proved->hashes);
    if (proved->parts > 0) printf("%s its %" PRIu32 " parts are those whose hashes it lists\n", good, proved->parts);
    for (size_t i = 0; i < proved->beside_count; i++)
        printf("%s record %" PRIu64 ", which names the company or says a currency's decimals: proved likewise\n", good,
               proved->beside[i]);
    printf("root  %s\n", root);
}

static kt_code print_people(const kt_proved *proved, kt_error *error) {
    if (!proved->consistency) {
        kt_out *out;
        kt_code code = kt_out_open(KT_STYLE_TABLE, proof_columns, LINES, true, &out, error);
        if (code != KT_OK) return code;
        proof_cells(out, proved);
        code = kt_out_row(out, error);
        kt_code closed = kt_out_close(out, error);
        if (code == KT_OK) code = closed;
        if (code == KT_OK && proved->entry != NULL) {
            kt_say(KT_STYLE_TABLE, "\n");
            code = print_lines(proved, error);
        }
        if (code != KT_OK) return code;
        kt_say(KT_STYLE_TABLE, "\n");
    }
    print_checked(proved);
    return KT_OK;
}

static kt_str currency_of(const kt_proved *proved, size_t line) {
    kt_str own = proved->entry->entry.lines[line].currency;
    return own.size == 0 ? proved->currency : own;
}

/* A currency's decimals are what some record says of it, and a proof cannot show that no later one says otherwise. So what differs
   from the standard is said. */
static void warn_of_decimals(const kt_proved *proved) {
    for (size_t i = 0; proved->entry != NULL && i < proved->entry->entry.line_count; i++) {
        kt_str currency = currency_of(proved, i);
        int standard = kt_iso4217_decimals(currency.data, currency.size);
        bool said = standard < 0 || standard == proved->entry->decimals[i];
        for (size_t k = 0; k < i && !said; k++) said = kt_str_equal(currency_of(proved, k), currency);
        if (!said)
            kt_warn("%.*s is counted with %u decimals, as the book says; ISO 4217 gives it %d: ask the company why",
                    (int)currency.size, currency.data, proved->entry->decimals[i], standard);
    }
}

/* Whose cosignatures the checkpoint carries, and whether they are enough. */
static kt_code check_witnesses(const kt_trust *trust, const char *text, size_t size, kt_error *error) {
    const kt_verify_options *wanted = &trust->options;
    char when[KT_TIME_TEXT];
    unsigned count = 0;
    int64_t time = 0;
    size_t quorum = wanted->quorum == 0 ? wanted->witness_count : wanted->quorum;
    if (wanted->witness_count == 0) return KT_OK;
    kt_code code = kt_proof_cosigners(text, size, wanted->witnesses, wanted->witness_count, &count, &time, error);
    if (code == KT_OK && count < quorum)
        code = kt_fail(
            error, KT_FOREIGN,
            "the proof's checkpoint is cosigned by %u of the %zu witnesses given; expected %zu (kontor prove "
            "--under makes a proof under a cosigned one)",
            count, wanted->witness_count, quorum);
    if (code == KT_OK)
        kt_say(trust->style, "%s checkpoint: cosigned by %u of %zu witnesses, %s\n", kt_trust_mark(true), count,
               wanted->witness_count, kt_time_format(time, when));
    return code;
}

static kt_code read_proof(const kt_arguments *arguments, kt_trust *trust, char **text, size_t *size, kt_error *error) {
    const char *path = arguments->words[0];
    kt_code code = kt_style_of(arguments, &trust->style, error);
    if (code == KT_OK && kt_given_value(arguments, "key") == NULL)
        return kt_fail(error, KT_USAGE,
                       "under which key? Give --key PUBKEY, got from the company (kontor checkpoint "
                       "--verifier) and not from whoever gave the proof");
    if (code == KT_OK && kt_given_value(arguments, "quorum") != NULL && kt_given_nth(arguments, "witness", 0) == NULL)
        return kt_fail(error, KT_USAGE, "--quorum goes with --witness");
    if (code == KT_OK) code = kt_trust_read(arguments, trust, error);
    if (code == KT_OK)
        code = kt_file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, KT_PROOF_SIZE_MAX, text, size, error);
    return code;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_trust trust = {.findings = 0};
    char *text = NULL;
    const char *path = arguments->words[0];
    size_t size = 0;
    kt_proved *proved = NULL;
    kt_code code = read_proof(arguments, &trust, &text, &size, error);
    if (code == KT_OK) {
        code = kt_check_proof(text, size, trust.options.verifier, &proved, error);
        if (code != KT_OK) code = kt_fail_at(error, code, "%s", strcmp(path, "-") == 0 ? "standard input" : path);
    }
    if (code == KT_OK)
        code = trust.style == KT_STYLE_TABLE ? print_people(proved, error) : print_rows(trust.style, proved, error);
    if (code == KT_OK) warn_of_decimals(proved);
    if (code == KT_OK) code = check_witnesses(&trust, text, size, error);
    kt_proved_free(proved);
    free(text);
    kt_code closed = kt_trust_close(&trust, code == KT_OK ? error : NULL);
    return code != KT_OK ? code : closed;
}

static const kt_option options[] = {
    {"key", "PUBKEY", "the verifier key (or a file with it) that must have signed; needed", NULL, false, false},
    {"witness", "VKEY", "a witness's key (or a file with it) that must have cosigned the checkpoint; may be repeated",
     NULL, false, true},
    {"quorum", "N", "how many of these witnesses must have; default: all", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_check_proof = {
    .name = "check-proof",
    .words = "FILE",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_STYLE,
    .group = KT_GROUP_TRUST,
    .summary = "check a proof without the book, and show the entry in it",
    .about = "FILE is what kontor prove printed, of either kind; - reads standard input. The exit status is 1 where it "
             "does not "
             "hold, and the sentence says what. The entry's record is proved, not what came after it: whether it was "
             "reversed "
             "is not in it.",
    .options = options,
    .example = "kontor check-proof voucher.tlog-proof --key acme.vkey",
    .run = run,
};
