#include "cli/audit_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the list of tests ---- */

kt_code kt_audit_show_list(kt_style style, kt_error *error) {
    enum { NAME, TITLE, ASKS, CRITERION, COUNT };
    static const kt_column columns[COUNT] = {
        [NAME] = {"name", "test", KT_CELL_TEXT, false},
        [TITLE] = {"title", "title", KT_CELL_PROSE, false},
        [ASKS] = {"asks", NULL, KT_CELL_PROSE, false},
        [CRITERION] = {"criterion", "rests on", KT_CELL_PROSE, false},
    };
    kt_out *out;
    kt_code code = kt_out_open(style, columns, COUNT, false, &out, error);
    if (code != KT_OK) return code;
    const kt_audit_about *about;
    for (size_t i = 0; code == KT_OK && (about = kt_audit_nth(i)) != NULL; i++) {
        kt_out_words(out, NAME, about->name);
        kt_out_words(out, TITLE, about->title);
        kt_out_words(out, ASKS, about->asks);
        kt_out_words(out, CRITERION, about->criterion);
        code = kt_out_row(out, error);
    }
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

/* ---- rows ---- */

enum {
    ROW,
    FILE_NAME,
    TEST,
    STATUS,
    ENTRY,
    OTHER,
    DATE,
    RECORDED,
    AMOUNT,
    CURRENCY,
    ACCOUNT,
    COUNTER,
    SERIES,
    VOUCHER,
    WHY,
    EXAMINED,
    TAKEN,
    FLAGGED,
    KEPT,
    NOTE,
    PARAMETER,
    VALUE,
    ENTRIES,
    LINES,
    DEBIT,
    CREDIT,
    TRIAL_LINES,
    TRIAL_DEBIT,
    TRIAL_CREDIT,
    RECONCILED,
    DIGITS,
    OBSERVED,
    SHARE,
    EXPECTED,
    DEVIATION,
    CHI_SQUARE,
    CRITICAL,
    MAD,
    CONFORMITY,
    COLUMNS
};

static const kt_column all_columns[COLUMNS] = {
    [ROW] = {"row", NULL, KT_CELL_TEXT, false},
    [FILE_NAME] = {"file", NULL, KT_CELL_TEXT, false},
    [TEST] = {"test", NULL, KT_CELL_TEXT, false},
    [STATUS] = {"status", NULL, KT_CELL_TEXT, false},
    [ENTRY] = {"entry", NULL, KT_CELL_NUMBER, false},
    [OTHER] = {"other", NULL, KT_CELL_NUMBER, false},
    [DATE] = {"date", NULL, KT_CELL_TEXT, false},
    [RECORDED] = {"recorded", NULL, KT_CELL_TEXT, false},
    [AMOUNT] = {"amount", NULL, KT_CELL_AMOUNT, false},
    [CURRENCY] = {"currency", NULL, KT_CELL_TEXT, false},
    [ACCOUNT] = {"account", NULL, KT_CELL_TEXT, false},
    [COUNTER] = {"counter_account", NULL, KT_CELL_TEXT, false},
    [SERIES] = {"series", NULL, KT_CELL_TEXT, false},
    [VOUCHER] = {"voucher", NULL, KT_CELL_TEXT, false},
    [WHY] = {"why", NULL, KT_CELL_PROSE, false},
    [EXAMINED] = {"examined", NULL, KT_CELL_PROSE, false},
    [TAKEN] = {"count", NULL, KT_CELL_COUNT, false},
    [FLAGGED] = {"flagged", NULL, KT_CELL_COUNT, false},
    [KEPT] = {"shown", NULL, KT_CELL_COUNT, false},
    [NOTE] = {"note", NULL, KT_CELL_PROSE, false},
    [PARAMETER] = {"parameter", NULL, KT_CELL_TEXT, false},
    [VALUE] = {"value", NULL, KT_CELL_PROSE, false},
    [ENTRIES] = {"entries", NULL, KT_CELL_COUNT, false},
    [LINES] = {"lines", NULL, KT_CELL_COUNT, false},
    [DEBIT] = {"debit", NULL, KT_CELL_AMOUNT, false},
    [CREDIT] = {"credit", NULL, KT_CELL_AMOUNT, false},
    [TRIAL_LINES] = {"trial_lines", NULL, KT_CELL_COUNT, false},
    [TRIAL_DEBIT] = {"trial_debit", NULL, KT_CELL_AMOUNT, false},
    [TRIAL_CREDIT] = {"trial_credit", NULL, KT_CELL_AMOUNT, false},
    [RECONCILED] = {"reconciled", NULL, KT_CELL_FLAG, false},
    [DIGITS] = {"digits", NULL, KT_CELL_TEXT, false},
    [OBSERVED] = {"observed", NULL, KT_CELL_COUNT, false},
    [SHARE] = {"share", NULL, KT_CELL_AMOUNT, false},
    [EXPECTED] = {"expected", NULL, KT_CELL_AMOUNT, false},
    [DEVIATION] = {"deviation", NULL, KT_CELL_AMOUNT, false},
    [CHI_SQUARE] = {"chi_square", NULL, KT_CELL_AMOUNT, false},
    [CRITICAL] = {"critical_5_percent", NULL, KT_CELL_AMOUNT, false},
    [MAD] = {"mad", NULL, KT_CELL_AMOUNT, false},
    [CONFORMITY] = {"conformity", NULL, KT_CELL_TEXT, false},
};

#define BILLIONTHS 9

kt_code kt_audit_show_open(kt_style style, kt_out **out, kt_error *error) {
    *out = NULL;
    return style == KT_STYLE_TABLE ? KT_OK : kt_out_open(style, all_columns, COLUMNS, false, out, error);
}

static void begin_row(kt_out *out, const char *row, const char *file, const kt_audit_test *test) {
    kt_out_words(out, ROW, row);
    if (file != NULL) kt_out_words(out, FILE_NAME, file);
    if (test != NULL) kt_out_words(out, TEST, test->about->name);
}

static kt_code population_row(kt_out *out, const kt_audit_population *population, const char *file, kt_error *error) {
    begin_row(out, "population", file, NULL);
    kt_out_text(out, CURRENCY, population->currency);
    kt_out_count(out, ENTRIES, population->entries);
    kt_out_count(out, LINES, population->lines);
    kt_out_amount(out, DEBIT, population->debit, population->decimals);
    kt_out_amount(out, CREDIT, population->credit, population->decimals);
    kt_out_count(out, TRIAL_LINES, population->trial_lines);
    kt_out_amount(out, TRIAL_DEBIT, population->trial_debit, population->decimals);
    kt_out_amount(out, TRIAL_CREDIT, population->trial_credit, population->decimals);
    kt_out_flag(out, RECONCILED, population->reconciled);
    return kt_out_row(out, error);
}

static void population_cells(kt_out *out, const kt_audit_population *population) {
    kt_out_count(out, ENTRIES, population->entries);
    kt_out_count(out, LINES, population->lines);
    kt_out_amount(out, DEBIT, population->debit, population->decimals);
    kt_out_amount(out, CREDIT, population->credit, population->decimals);
    kt_out_flag(out, RECONCILED, population->reconciled);
}

static kt_code test_row(kt_out *out, const kt_audit *audit, const kt_audit_test *test, const char *file,
                        kt_error *error) {
    begin_row(out, "test", file, test);
    kt_out_words(out, STATUS, kt_audit_status_name(test->status));
    kt_out_text(out, EXAMINED, test->examined);
    kt_out_count(out, TAKEN, test->count);
    kt_out_count(out, FLAGGED, test->flagged);
    kt_out_count(out, KEPT, test->finding_count);
    kt_out_text(out, NOTE, test->note);
    population_cells(out, &audit->population);
    if (test->table.freedom != 0) {
        kt_out_amount(out, CHI_SQUARE, test->table.chi_square, BILLIONTHS);
        kt_out_amount(out, CRITICAL, test->table.critical_5_percent, BILLIONTHS);
        kt_out_words(out, CONFORMITY, kt_audit_conformity_name(test->table.conformity));
    }
    if (test->table.bin_count != 0) kt_out_amount(out, MAD, test->table.mad, BILLIONTHS);
    return kt_out_row(out, error);
}

static kt_code finding_row(kt_out *out, const kt_audit_test *test, const kt_audit_finding *finding, const char *file,
                           kt_error *error) {
    begin_row(out, "finding", file, test);
    if (finding->entry != 0) kt_out_count(out, ENTRY, finding->entry);
    if (finding->other != 0) kt_out_count(out, OTHER, finding->other);
    kt_out_day(out, DATE, finding->date);
    kt_out_time(out, RECORDED, finding->recorded_us);
    if (finding->has_amount) kt_out_amount(out, AMOUNT, finding->amount, finding->decimals);
    kt_out_text(out, CURRENCY, finding->currency);
    kt_out_text(out, ACCOUNT, finding->account);
    kt_out_text(out, COUNTER, finding->counter);
    kt_out_text(out, SERIES, finding->series);
    kt_out_text(out, VOUCHER, finding->voucher);
    kt_out_text(out, WHY, finding->why);
    return kt_out_row(out, error);
}

static void digits_text(const kt_audit_test *test, const kt_audit_bin *bin, char text[16]) {
    (void)snprintf(text, 16, test->table.bin_count == 100 ? "%02" PRIu32 : "%" PRIu32, bin->digits);
}

static kt_code digits_row(kt_out *out, const kt_audit_test *test, const kt_audit_bin *bin, const char *file,
                          kt_error *error) {
    char digits[16];
    digits_text(test, bin, digits);
    begin_row(out, "digits", file, test);
    kt_out_words(out, DIGITS, digits);
    kt_out_count(out, OBSERVED, bin->observed);
    kt_out_amount(out, SHARE, bin->share, BILLIONTHS);
    kt_out_amount(out, EXPECTED, bin->expected, BILLIONTHS);
    kt_out_amount(out, DEVIATION, bin->deviation, BILLIONTHS);
    if (bin->first != 0) kt_out_count(out, ENTRY, bin->first);
    kt_out_words(out, STATUS, bin->flagged ? "flagged" : "");
    return kt_out_row(out, error);
}

static kt_code test_rows(kt_out *out, const kt_audit *audit, const kt_audit_test *test, const char *file,
                         kt_error *error) {
    kt_code code = test_row(out, audit, test, file, error);
    for (size_t i = 0; i < test->parameter_count && code == KT_OK; i++) {
        begin_row(out, "parameter", file, test);
        kt_out_words(out, PARAMETER, test->parameters[i].name);
        kt_out_text(out, VALUE, test->parameters[i].value);
        code = kt_out_row(out, error);
    }
    for (size_t i = 0; i < test->table.bin_count && code == KT_OK; i++)
        code = digits_row(out, test, &test->table.bins[i], file, error);
    for (size_t i = 0; i < test->finding_count && code == KT_OK; i++)
        code = finding_row(out, test, &test->findings[i], file, error);
    return code;
}

/* ---- for people ---- */

static const char *counted(uint64_t count, char room[KT_AMOUNT_TEXT]) {
    (void)kt_amount_format((kt_amount)count, 0, ',', room);
    return room;
}

static const char *amount(kt_amount value, uint8_t decimals, char room[KT_AMOUNT_TEXT]) {
    (void)kt_amount_format(value, decimals, ',', room);
    return room;
}

static const char *cut(int64_t billionths, unsigned decimals, char room[KT_AMOUNT_TEXT]) {
    for (unsigned i = decimals; i < BILLIONTHS; i++) billionths /= 10;
    return amount(billionths, (uint8_t)decimals, room);
}

static void label(const char *name) { printf("  %-11s ", name); }

static void say_text(const char *name, kt_str text) {
    if (text.size == 0) return;
    label(name);
    kt_print_safe(stdout, text);
    putchar('\n');
}

static void say_population(const kt_audit_population *population, bool file) {
    char one[KT_AMOUNT_TEXT], two[KT_AMOUNT_TEXT], three[KT_AMOUNT_TEXT], day[KT_DAY_TEXT];
    puts("population");
    label("dates");
    printf("%s", population->from == KT_DAY_NONE ? "from the beginning" : kt_day_format(population->from, day));
    printf(" to %s\n", population->to == KT_DAY_NONE ? "the end" : kt_day_format(population->to, day));
    label("entries");
    printf("%s entries, %s lines\n", counted(population->entries, one), counted(population->lines, two));
    label("debit");
    printf("%s %.*s\n", amount(population->debit, population->decimals, one), (int)population->currency.size,
           population->currency.data);
    label("credit");
    printf("%s %.*s\n", amount(population->credit, population->decimals, one), (int)population->currency.size,
           population->currency.data);
    if (population->unvalued != 0) {
        label("");
        printf("%s lines have no amount in the book's currency and are in no sum\n",
               counted(population->unvalued, one));
    }
    label("reconciled");
    if (population->reconciled)
        puts(file ? "equal to what would be posted and what would be refused" : "equal to the trial balance");
    else
        printf("NOT equal: %s lines in the trial balance, debit off by %s, credit off by %s\n",
               counted(population->trial_lines, one), amount(population->debit_off, population->decimals, two),
               amount(population->credit_off, population->decimals, three));
}

static void say_statistics(const kt_audit_table *table) {
    char one[KT_AMOUNT_TEXT], two[KT_AMOUNT_TEXT], three[KT_AMOUNT_TEXT];
    if (table->freedom != 0) {
        label("chi-square");
        printf("%s with %u degrees of freedom; critical %s at 5 %%, %s at 1 %%\n", cut(table->chi_square, 3, one),
               table->freedom, cut(table->critical_5_percent, 3, two), cut(table->critical_1_percent, 3, three));
        label("deviation");
        printf("%s on the mean: %s (limits %s,", cut(table->mad, 6, one), kt_audit_conformity_name(table->conformity),
               cut(table->limits[0], 4, two));
        printf(" %s, %s)\n", cut(table->limits[1], 4, one), cut(table->limits[2], 4, two));
    }
}

static kt_code digits_table(const kt_audit_test *test, kt_error *error) {
    static const kt_column columns[] = {
        {NULL, "digits", KT_CELL_TEXT, false},        {NULL, "observed", KT_CELL_COUNT, false},
        {NULL, "share %", KT_CELL_AMOUNT, false},     {NULL, "expected %", KT_CELL_AMOUNT, false},
        {NULL, "deviation %", KT_CELL_AMOUNT, false}, {NULL, "", KT_CELL_TEXT, false},
    };
    kt_out *out;
    kt_code code = kt_out_open(KT_STYLE_TABLE, columns, 6, false, &out, error);
    for (size_t i = 0; i < test->table.bin_count && code == KT_OK; i++) {
        const kt_audit_bin *bin = &test->table.bins[i];
        char digits[16];
        digits_text(test, bin, digits);
        kt_out_words(out, 0, digits);
        kt_out_count(out, 1, bin->observed);
        kt_out_amount(out, 2, bin->share / 10000, 3); /* billionths as thousandths of a percent */
        kt_out_amount(out, 3, bin->expected / 10000, 3);
        kt_out_amount(out, 4, bin->deviation / 10000, 3);
        kt_out_words(out, 5, bin->flagged ? "*" : "");
        code = kt_out_row(out, error);
    }
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static kt_code findings_table(const kt_audit_test *test, kt_error *error) {
    enum { F_ENTRY, F_DATE, F_VOUCHER, F_ACCOUNT, F_AMOUNT, F_CURRENCY, F_WHY, F_COUNT };
    bool entries = false, amounts = false, vouchers = false, accounts = false;
    for (size_t i = 0; i < test->finding_count; i++) {
        entries = entries || test->findings[i].entry != 0;
        amounts = amounts || test->findings[i].has_amount;
        vouchers = vouchers || test->findings[i].voucher.size != 0;
        accounts = accounts || test->findings[i].account.size != 0;
    }
    const kt_column columns[F_COUNT] = {
        [F_ENTRY] = {NULL, "entry", KT_CELL_NUMBER, !entries},
        [F_DATE] = {NULL, "date", KT_CELL_TEXT, !entries},
        [F_VOUCHER] = {NULL, "voucher", KT_CELL_TEXT, !vouchers},
        [F_ACCOUNT] = {NULL, "account", KT_CELL_TEXT, !accounts},
        [F_AMOUNT] = {NULL, "amount", KT_CELL_AMOUNT, !amounts},
        [F_CURRENCY] = {NULL, "", KT_CELL_TEXT, !amounts},
        [F_WHY] = {NULL, "why", KT_CELL_TEXT, false},
    };
    kt_out *out;
    kt_code code = kt_out_open(KT_STYLE_TABLE, columns, F_COUNT, false, &out, error);
    for (size_t i = 0; i < test->finding_count && code == KT_OK; i++) {
        const kt_audit_finding *finding = &test->findings[i];
        if (finding->entry != 0) kt_out_count(out, F_ENTRY, finding->entry);
        kt_out_day(out, F_DATE, finding->date);
        kt_out_text(out, F_VOUCHER, finding->voucher);
        kt_out_text(out, F_ACCOUNT, finding->account);
        if (finding->has_amount) kt_out_amount(out, F_AMOUNT, finding->amount, finding->decimals);
        kt_out_text(out, F_CURRENCY, finding->currency);
        kt_out_text(out, F_WHY, finding->why);
        code = kt_out_row(out, error);
    }
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static kt_code say_test(const kt_audit_test *test, bool reconciled, bool whole, kt_error *error) {
    char flagged[KT_AMOUNT_TEXT], shown[KT_AMOUNT_TEXT];
    kt_code code = KT_OK;
    printf("\n%s (%s)\n", test->about->title, test->about->name);
    label("examined");
    kt_print_safe(stdout, test->examined);
    puts(reconciled ? ", reconciled" : ", NOT reconciled");
    for (size_t i = 0; i < test->parameter_count; i++) {
        label(i == 0 ? "by" : "");
        printf("%s: ", test->parameters[i].name);
        kt_print_safe(stdout, test->parameters[i].value);
        putchar('\n');
    }
    say_statistics(&test->table);
    say_text("note", test->note);
    label("result");
    if (test->status == KT_AUDIT_REFUSED) puts("not run");
    else if (test->status == KT_AUDIT_IMBALANCE) printf("does NOT add up: %s\n", counted(test->flagged, flagged));
    else if (test->flagged == 0) puts(test->status == KT_AUDIT_CLEAR ? "nothing to point at" : "beyond the limits");
    else if (test->finding_count < test->flagged)
        printf("%s to look into, the first %s shown\n", counted(test->flagged, flagged),
               counted(test->finding_count, shown));
    else printf("%s to look into\n", counted(test->flagged, flagged));
    /* Ninety lines only for who asks for this test alone; those pointed at are told below. */
    if (whole ? test->table.bin_count != 0 : test->table.bin_count != 0 && test->table.bin_count < 10)
        code = digits_table(test, error);
    if (code == KT_OK && test->finding_count != 0) code = findings_table(test, error);
    return code;
}

kt_code kt_audit_show(kt_out *out, const kt_audit *audit, const char *file, bool whole, kt_error *error) {
    kt_code code = KT_OK;
    if (out != NULL) {
        code = population_row(out, &audit->population, file, error);
        for (size_t i = 0; i < audit->test_count && code == KT_OK; i++)
            code = test_rows(out, audit, &audit->tests[i], file, error);
        return code;
    }
    if (file != NULL) printf("%s\n", file);
    say_population(&audit->population, file != NULL);
    for (size_t i = 0; i < audit->test_count && code == KT_OK; i++)
        code = say_test(&audit->tests[i], audit->population.reconciled, whole, error);
    return code;
}
