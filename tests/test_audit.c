/* The auditor's tests: of each, one that is planted is found by its number, and a plain one is left alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/acting.h"
#include "tests/auditing.h"

static void whole(void) {
    kt_book *book = make_danish_book("whole");
    posted(book, "2026-01-05 V1 1000 100.25 text=Sale / 4000 -100.25\n2026-02-05 V2 1000 50 text=Sale / 4000 -50");
    posted(book, "2026-02-06 V3 1000 10 EUR @@ 74.60 text=Sale / 4000 -74.60");
    posted(book, "2026-02-07 V4 1100 3 USD text=Sale / 4000 -3 USD");
    kt_audit *audit = audited(book, NULL);
    const kt_audit_population *all = &audit->population;
    is_int((long long)all->entries, 4, "all entries are looked at");
    is_int((long long)all->lines, 8, "and all lines");
    is_int((long long)all->unvalued, 2, "those without a rate are counted apart");
    is_int((long long)all->debit, 22485, "debits are summed in the book's currency");
    is_int((long long)all->credit, 22485, "and credits");
    is_int((long long)all->trial_debit, 22485, "the trial balance says the same");
    ok(all->reconciled && audit->reconciled, "so the population is reconciled");
    is_int((long long)all->debit_off, 0, "and nothing is off");
    is_int((long long)test_of(audit, "completeness")->status, KT_AUDIT_CLEAR, "every account rolls forward");
    is_int((long long)test_of(audit, "completeness")->count, 5, "each in each of its currencies");
    is_int((long long)test_of(audit, "balance")->count, 4, "every entry's balance is looked at");
    is_int((long long)test_of(audit, "balance")->flagged, 0, "since the book can hold no other");
    is_int((long long)audit->month_count, 2, "two months have entries");
    is_int((long long)audit->months[1].entries, 3, "so many in the second");
    is_int((long long)audit->months[0].debit, 10025, "and debits");
    uint64_t hours = 0, days = 0;
    for (unsigned i = 0; i < 24; i++) hours += audit->hours[i];
    for (unsigned i = 0; i < 7; i++) days += audit->recorded_days[i];
    ok(hours == 4 && days == 4, "each entry has its hour and its weekday");
    kt_audit_free(audit);
    kt_view *early = view_known(book, receipt.recorded_us - 1);
    is_code(kt_audit_run(early, NULL, &audit, &said), KT_OK, "what was known earlier is examined as it was known");
    ok(audit != NULL && audit->population.entries == 3 && audit->reconciled, "with fewer entries, reconciled too");
    kt_audit_free(audit);
    kt_view_close(early);
    kt_audit_options february = {.from = day("2026-02-01"), .to = day("2026-02-28")};
    audit = audited(book, &february);
    is_int((long long)audit->population.entries, 3, "a range has its own population");
    ok(audit->reconciled, "which is reconciled to the turnovers of the range");
    is_int((long long)test_of(audit, "completeness")->status, KT_AUDIT_CLEAR,
           "and accounts roll forward from its openings to its closings");
    kt_audit_free(audit);
    kt_book_close(book);
}

static void vouchers(void) {
    kt_book *book = make_danish_book("vouchers");
    uint64_t first = posted(book, "2025-12-30 A#7 1000 1 / 4000 -1\n2025-12-31 A#8 1000 1 / 4000 -1\n"
                                  "2026-01-02 A#1 1000 1 / 4000 -1\n2026-01-02 A#2 1000 1 / 4000 -1\n"
                                  "2026-01-03 A#5 1000 1 / 4000 -1\n2026-01-03 B#INV-09 1000 1 / 4000 -1\n"
                                  "2026-01-03 B#INV-10 1000 1 / 4000 -1\n2026-01-03 B#cash 1000 1 / 4000 -1\n"
                                  "2026-01-04 A#6 1000 1 / 4000 -1");
    kt_batch_options twice = {.allow_duplicate_voucher = true};
    is_code(post_with(book, &twice, "2026-01-04 A#2 1000 1 / 4000 -1\n2026-02-04 B#cash 1000 1 / 4000 -1"), KT_OK,
            "vouchers are used again where that is asked for");
    uint64_t again = receipt.first;
    kt_audit *audit = audited(book, NULL);
    const kt_audit_test *test = test_of(audit, "vouchers");
    is_int((long long)test->flagged, 3, "a gap and two duplicates are pointed at, and no more");
    points_at(audit, "vouchers", first + 3, "numbers 3 to 4 are missing", "a gap is told behind its last voucher");
    const kt_audit_finding *gap = finding_of(audit, "vouchers", first + 3);
    is_int((long long)(gap == NULL ? 0 : gap->other), (long long)first + 4, "with the entry on the far side");
    points_at(audit, "vouchers", again, "is used already by entry", "a number used twice");
    points_at(audit, "vouchers", again + 1, "is used already by entry", "also one that is no number");
    const kt_audit_finding *later = finding_of(audit, "vouchers", again);
    is_int((long long)(later == NULL ? 0 : later->other), (long long)first + 3, "with the entry that used it first");
    leaves_alone(audit, "vouchers", first + 1, "a new fiscal year begins anew");
    has_text(test->examined.data, "11 vouchers in 3 sequences; 2 numbers are missing", "what was examined is said");
    kt_audit_free(audit);
    kt_book_close(book);
}

static void duplicates(void) {
    kt_book *book = make_danish_book("duplicates");
    uint64_t first = posted(book, "2026-01-05 1 5100 812.50 ref=S-17 text=Rent / 1000 -812.50\n"
                                  "2026-01-09 2 5000 812.50 ref=S-17 text=Rent / 1000 -812.50\n"
                                  "2026-01-09 3 5100 812.50 ref=S-18 text=Rent / 1000 -812.50\n"
                                  "2026-02-09 4 5100 812.50 ref=S-17 text=Rent / 1000 -812.50\n"
                                  "2026-03-01 5 5100 99.75 text=Paper / 1000 -99.75\n"
                                  "2026-03-15 6 5100 99.75 text=Paper / 1000 -99.75\n"
                                  "2026-03-15 7 5000 99.75 text=Paper / 1000 -99.75\n"
                                  "2026-03-15 8 5100 99.75 EUR text=Paper / 1000 -99.75 EUR\n"
                                  "2026-03-31 9 5100 99.75 text=Paper / 1000 -99.75");
    /* The currency is put on record before the eighth. */
    kt_audit *audit = audited(book, NULL);
    points_at(audit, "duplicates", first + 1, "the same amount and reference as entry",
              "one reference and amount within the days, on other accounts too");
    leaves_alone(audit, "duplicates", first, "the first is not pointed at");
    leaves_alone(audit, "duplicates", first + 2, "another reference is another party");
    leaves_alone(audit, "duplicates", first + 3, "a month later is another payment");
    points_at(audit, "duplicates", first + 5, "on the same accounts", "without references the accounts are the party");
    leaves_alone(audit, "duplicates", first + 6, "other accounts are another");
    is_int((long long)test_of(audit, "duplicates")->flagged, 2, "another currency is another amount; and that is all");
    kt_audit_free(audit);
    uint64_t reversal = 0;
    is_code(reverse(book, first + 4, "2026-03-02", false, &reversal), KT_OK, "one is reversed");
    kt_audit_options close = {.duplicate_days = 60};
    audit = audited(book, &close);
    leaves_alone(audit, "duplicates", reversal, "a reversal is no duplicate");
    points_at(audit, "duplicates", first + 3, "31 days apart", "more days find more");
    kt_audit_free(audit);
    kt_book_close(book);
}

static void times(void) {
    kt_book *book = make_danish_book("times");
    clock_at("2026-01-14T21:30:00Z"); /* 22:30 there, a Wednesday */
    uint64_t night = posted(book, "2026-01-14 1 1000 1 text=Sale / 4000 -1");
    clock_at("2026-01-15T05:30:00Z"); /* 6:30 */
    uint64_t morning = posted(book, "2026-01-15 2 1000 2 text=Sale / 4000 -2");
    clock_at("2026-01-16T23:30:00Z"); /* Saturday 0:30 there, Friday in UTC */
    uint64_t saturday = posted(book, "2026-01-16 3 1000 3 text=Sale / 4000 -3");
    clock_at("2026-01-19T10:00:00Z");
    uint64_t sunday = posted(book, "2026-01-18 4 1000 4 text=Sale / 4000 -4");
    clock_at("2026-04-03T10:00:00Z");
    uint64_t friday = posted(book, "2026-04-01 5 1000 5 text=Sale / 4000 -5");
    clock_at("2026-04-13T10:00:00Z");
    uint64_t easter = posted(book, "2026-04-06 6 1000 6 text=Sale / 4000 -6");
    clock_at("2026-06-01T10:00:00Z");
    uint64_t old = posted(book, "2026-04-30 7 1000 7 text=Sale / 4000 -7\n2026-05-02 8 1000 8 text=Sale / 4000 -8");
    kt_audit *audit = audited(book, NULL);
    const kt_audit_test *test = test_of(audit, "night");
    if (test->note.size != 0) diag("%s", test->note.data);
    points_at(audit, "night", night, "recorded at 22:30", "half past ten where the company is");
    leaves_alone(audit, "night", morning, "half past six is morning there, and night elsewhere");
    is_int((long long)test->flagged, 2, "and Saturday's half past midnight is the other one");
    points_at(audit, "weekend", saturday, "recorded on a Saturday", "Saturday begins there an hour earlier");
    points_at(audit, "weekend", sunday, "dated on a Sunday", "and what is dated on a Sunday");
    leaves_alone(audit, "weekend", morning, "a Thursday is worked");
    points_at(audit, "holiday", friday, "recorded on a public holiday: Good Friday", "Good Friday");
    points_at(audit, "holiday", easter, "dated on a public holiday: Easter Monday", "Easter Monday");
    leaves_alone(audit, "holiday", night, "an ordinary day is none");
    points_at(audit, "backdated", old, "32 days later", "recorded more than thirty days later");
    leaves_alone(audit, "backdated", old + 1, "thirty are not more");
    is_int((long long)test_of(audit, "backdated")->flagged, 1, "and that is all");
    kt_audit_free(audit);
    kt_audit_options later = {.night_from = 23, .night_until = 1, .backdated_days = 29};
    audit = audited(book, &later);
    leaves_alone(audit, "night", night, "night begins when it is said to");
    points_at(audit, "night", saturday, "recorded at 00:30", "and ends");
    points_at(audit, "backdated", old + 1, "30 days later", "days likewise");
    kt_audit_free(audit);
    kt_book_close(book);
}

static void reopened(void) {
    kt_book *book = make_danish_book("reopened");
    uint64_t before = posted(book, "2026-01-14 1 1000 1 text=Sale / 4000 -1");
    is_code(close_month(book, "2026-01-01"), KT_OK, "a month is closed");
    is_code(reopen_month(book, "2026-01-01", "a forgotten invoice"), KT_OK, "and reopened");
    uint64_t after = posted(book, "2026-01-20 2 5100 9 text=Rent / 1000 -9\n2026-02-20 3 5100 9 text=Rent / 1000 -9");
    is_code(close_month(book, "2026-01-01"), KT_OK, "and closed again");
    kt_audit *audit = audited(book, NULL);
    points_at(audit, "reopened", after, "a forgotten invoice", "what was posted in between, with the reason");
    leaves_alone(audit, "reopened", before, "what stood there before it was closed");
    leaves_alone(audit, "reopened", after + 1, "and another month's");
    is_int((long long)test_of(audit, "reopened")->flagged, 1, "and that is all");
    kt_audit_free(audit);
    kt_view *view = view_of(book);
    kt_period *changes = NULL;
    size_t count = 0;
    is_code(kt_view_period_changes(view, &changes, &count, &said), KT_OK, "all closings and reopenings are told");
    is_int((long long)count, 3, "all three");
    ok(count == 3 && changes[0].closed && !changes[1].closed && changes[2].closed, "in their order");
    ok(count == 3 && changes[1].recorded_us > changes[0].recorded_us, "with their times");
    free(changes);
    kt_view_close(view);
    kt_book_close(book);
}

static void seldom(void) {
    kt_book *book = make_danish_book("seldom");
    uint64_t first = posted(book, "2026-01-05 1 1000 1 / 4000 -1\n2026-01-05 2 1000 2 / 4000 -2\n"
                                  "2026-01-05 3 1000 3 / 4000 -3\n2026-01-05 4 5900 4 / 1000 -4\n"
                                  "2026-01-05 5 1000 5 / 4000 -3 / 4000 -2\n2026-01-05 6 5100 6 / 1000 -6\n"
                                  "2026-01-05 7 5100 7 / 1000 -7\n2026-01-05 8 5100 8 / 1000 -8\n"
                                  "2026-01-05 9 1000 9 / 4000 -9\n2026-01-05 10 5100 5 / 4000 -2 / 1000 -3");
    kt_audit *audit = audited(book, NULL);
    points_at(audit, "accounts", first + 3, "account 5900 (Rounding) is used in 1 entry of 10", "used once");
    is_int((long long)test_of(audit, "accounts")->flagged, 1,
           "others are used more often, and unused ones are not meant");
    is_int((long long)test_of(audit, "accounts")->count, 4, "four are in use");
    points_at(audit, "pairs", first + 3, "debit 5900 against credit 1000 in 1 entry", "a pair that meets once");
    points_at(audit, "pairs", first + 9, "debit 5100 against credit 4000 in 1 entry",
              "also in an entry of several lines");
    is_int((long long)test_of(audit, "pairs")->flagged, 2, "what meets oftener is left alone");
    is_int((long long)test_of(audit, "pairs")->count, 4, "there are four pairs");
    has_text(test_of(audit, "actors")->note.data, "one actor made all entries", "one actor alone is not seldom");
    kt_audit_free(audit);
    is_code(add_actor(book, "anna", "anna"), KT_OK, "another actor comes");
    is_code(grant(book, "anna", KT_ROLE_CLERK, NULL), KT_OK, "who may post");
    kt_book *anna = open_as("seldom", "anna");
    uint64_t hers = posted(anna, "2026-01-06 11 1000 3 / 4000 -3");
    is_code(rotate(anna, "anna", "anna2", NULL), KT_OK, "and takes a new key");
    kt_book_close(anna);
    anna = open_as("seldom", "anna2");
    uint64_t last = posted(anna, "2026-01-07 12 1000 3.50 / 4000 -3.50");
    audit = audited(book, NULL);
    points_at(audit, "actors", hers, "anna made 2 entries of 12", "who made few, by any key");
    const kt_audit_finding *finding = finding_of(audit, "actors", hers);
    is_int((long long)(finding == NULL ? 0 : finding->other), (long long)last, "with the last of them");
    is_int((long long)test_of(audit, "actors")->flagged, 1, "who made many is left alone");
    kt_audit_free(audit);
    kt_book_close(anna);
    kt_book_close(book);
}

static void amounts_and_texts(void) {
    kt_book *book = make_danish_book("amounts");
    uint64_t first = posted(book, "2026-01-05 1 1000 5000 text=Sale / 4000 -5000\n"
                                  "2026-01-05 2 1000 5000.50 text=Sale / 4000 -5000.50\n"
                                  "2026-01-05 3 1000 500 text=Sale / 4000 -500\n"
                                  "2026-01-05 4 1000 12.25 / 4000 -12.25\n"
                                  "2026-01-05 5 1000 12.26 text=?? / 4000 -12.26\n"
                                  "2026-01-05 6 1000 12.27 / 4000 -12.27 text=PLUG\n"
                                  "2026-01-05 7 1000 12.28 text=unplugged / 4000 -12.28\n"
                                  "2026-01-05 8 1000 12.29 text=DIREKTØREN / 4000 -12.29\n"
                                  "2026-01-05 9 1000 12.30 text=contest / 4000 -12.30\n"
                                  "2026-01-05 10 1000 12.31 text=Privatkøb / 4000 -12.31\n"
                                  "2026-01-05 11 1000 12.32 text=bunkers / 4000 -12.32\n"
                                  "2026-01-05 12 1000 12.33 text=Miscellany / 4000 -12.33");
    kt_audit *audit = audited(book, NULL);
    points_at(audit, "round", first, "multiple of 1,000", "five thousand is round");
    leaves_alone(audit, "round", first + 1, "with fifty øre it is not");
    leaves_alone(audit, "round", first + 2, "nor is five hundred");
    points_at(audit, "texts", first + 3, "neither it nor its lines have a text", "no text at all");
    points_at(audit, "texts", first + 4, "says nothing: ??", "a text without a letter");
    points_at(audit, "texts", first + 5, "the word 'plug': PLUG", "a word, on any line, in any case");
    leaves_alone(audit, "texts", first + 6, "inside another word it is none");
    points_at(audit, "texts", first + 7, "direktør", "æ, ø and å have a case too");
    leaves_alone(audit, "texts", first + 8, "'contest' is no test");
    points_at(audit, "texts", first + 9, "privat", "a beginning of a longer word, where the list says so");
    leaves_alone(audit, "texts", first + 10, "an ordinary text");
    leaves_alone(audit, "texts", first + 11, "a whole word is not a beginning");
    is_int((long long)test_of(audit, "texts")->flagged, 5, "and that is all");
    kt_audit_free(audit);
    const char *words[] = {"bunk*", NULL};
    kt_audit_options more = {.words = words, .round_units = 500};
    audit = audited(book, &more);
    points_at(audit, "texts", first + 10, "'bunk'", "words may be added");
    points_at(audit, "round", first + 2, "multiple of 500", "and what is round be said");
    kt_audit_free(audit);
    kt_book_close(book);
}

static void approvals(void) {
    kt_book *book = make_danish_book("approvals");
    kt_limits ten = {.amount = 1000000};
    is_code(add_actor(book, "anna", "a1"), KT_OK, "anna posts and administers");
    is_code(grant(book, "anna", KT_ROLE_CLERK, &ten), KT_OK, "up to ten thousand");
    is_code(grant(book, "anna", KT_ROLE_ADMIN, NULL), KT_OK, "and makes actors");
    is_code(add_actor(book, "bert", "b1"), KT_OK, "bert approves");
    is_code(grant(book, "bert", KT_ROLE_CONTROLLER, NULL), KT_OK, "what others propose");
    kt_book *anna = open_as("approvals", "a1"), *bert = open_as("approvals", "b1");
    is_code(add_actor(anna, "mule", "m1"), KT_OK, "anna makes herself a colleague");
    is_code(grant(anna, "mule", KT_ROLE_CONTROLLER, NULL), KT_OK, "who approves");
    kt_book *mule = open_as("approvals", "m1");
    kt_batch_options beyond = {.propose = KT_PROPOSE_BEYOND};
    uint64_t plain = posted(anna, "2026-03-01 1 1000 8999.99 text=Sale / 4000 -8999.99\n"
                                  "2026-03-01 2 1000 9000 text=Sale / 4000 -9000\n"
                                  "2026-03-01 3 1000 9999.99 text=Sale / 4000 -9999.99");
    is_code(post_with(anna, &beyond,
                      "2026-03-01 4 1000 20000 text=Sale / 4000 -20000\n"
                      "2026-03-01 5 1000 30000 text=Sale / 4000 -30000"),
            KT_OK, "larger ones are proposed");
    uint64_t proposal = receipt.first, honest = 0, planted = 0;
    is_code(decide(bert, proposal, true, &honest), KT_OK, "one is approved by bert");
    is_code(decide(mule, proposal + 1, true, &planted), KT_OK, "the other by anna's creature");
    kt_audit *audit = audited(book, NULL);
    points_at(audit, "approval", planted, "mule approved it by a key that was brought in by anna",
              "who was made by the proposer is no second person");
    leaves_alone(audit, "approval", honest, "who was not is one");
    is_int((long long)test_of(audit, "approval")->count, 2, "both proposals were looked at");
    const kt_audit_finding *finding = finding_of(audit, "approval", planted);
    is_int((long long)(finding == NULL ? 0 : finding->other), (long long)proposal + 1, "with the proposal's number");
    points_at(audit, "limits", plain + 1, "just below the limit of anna, 10,000.00", "nine thousand of ten");
    points_at(audit, "limits", plain + 2, "just below the limit", "and what lies closer");
    leaves_alone(audit, "limits", plain, "a hundredth below ninety percent is left alone");
    is_int((long long)test_of(audit, "limits")->flagged, 2, "and so is what was approved");
    kt_audit_free(audit);
    kt_book_close(mule);
    kt_book_close(bert);
    kt_book_close(anna);
    kt_book_close(book);
}

static void asking(void) {
    kt_book *book = make_danish_book("asking");
    uint64_t first = posted(book, "2026-01-05 1 1000 5000 / 4000 -5000\n2026-01-06 2 1000 6000 / 4000 -6000\n"
                                  "2026-01-07 3 1000 7000 / 4000 -7000");
    const char *two[] = {"texts", "round"}, *wrong[] = {"rund"};
    kt_audit_options options = {.tests = two, .test_count = 2, .most_findings = 2};
    kt_audit *audit = audited(book, &options);
    is_int((long long)audit->test_count, 2, "the tests asked for are run");
    is_text(audit->tests[0].about->name, "round", "in the order of the table");
    is_int((long long)audit->tests[0].flagged, 3, "all findings are counted");
    is_int((long long)audit->tests[0].finding_count, 2, "and so many kept");
    is_int((long long)audit->tests[0].findings[0].entry, (long long)first, "the first");
    is_int((long long)audit->tests[0].findings[0].amount, 500000, "with the amount");
    ok(kt_str_equal(audit->tests[0].findings[0].account, KT_STR("1000")), "and account");
    kt_audit_free(audit);
    kt_view *view = view_of(book);
    kt_audit_options bad = {.tests = wrong, .test_count = 1};
    is_code(kt_audit_run(view, &bad, &audit, &said), KT_UNKNOWN, "there is no test of that name");
    has_text(said.text, "'rund'", "which is said");
    ok(audit == NULL, "and nothing is given");
    kt_audit_options turned = {.from = day("2026-02-01"), .to = day("2026-01-01")};
    is_code(kt_audit_run(view, &turned, &audit, &said), KT_USAGE, "from lies before to");
    kt_audit_options late = {.night_from = 24};
    is_code(kt_audit_run(view, &late, &audit, &said), KT_USAGE, "a day has 24 hours");
    kt_view_close(view);
    kt_view_options known = {.as_known = true, .known_us = 0};
    if (kt_view_open(book, &known, &view, &said) != KT_OK) diag("%s", said.text);
    is_code(kt_audit_run(view, NULL, &audit, &said), KT_NOT_FOUND, "before the book was there is nothing to examine");
    kt_view_close(view);
    kt_book_close(book);
    book = make_danish_book("empty");
    audit = audited(book, NULL);
    is_int((long long)audit->population.entries, 0, "an empty book is examined too");
    ok(audit->reconciled, "and is what it is");
    kt_audit_free(audit);
    size_t count = 0;
    while (kt_audit_nth(count) != NULL) count++;
    is_int((long long)count, 19, "so many tests there are");
    unsigned nameless = 0;
    for (size_t i = 0; i < count; i++) {
        const kt_audit_about *about = kt_audit_nth(i);
        nameless += about->asks == NULL || about->criterion == NULL || kt_audit_find(kt_str_from(about->name)) != about;
        nameless += strstr(about->asks, "fraud") != NULL || strstr(about->title, "fraud") != NULL;
    }
    is_int((long long)nameless, 0, "each with what it asks and rests on, and none speaks of fraud");
    kt_book_close(book);
}

int main(void) {
    whole();
    vouchers();
    duplicates();
    times();
    reopened();
    seldom();
    amounts_and_texts();
    approvals();
    asking();
    return done();
}
