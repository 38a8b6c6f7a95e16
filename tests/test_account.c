/* Accounts: what is on record of them, what they refuse, and what was known of them when. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bookkeeping.h"

static kt_book *book;

static kt_account account(const char *code) {
    return (kt_account){.code = kt_str_from(code), .open_from = KT_DAY_NONE, .closed_from = KT_DAY_NONE};
}

static kt_code open_below(const char *code, const char *parent) {
    kt_account below = account(code);
    below.parent = kt_str_from(parent);
    return open_account(book, &below);
}

static kt_code open_ruled(const char *code, kt_balance_rule rule) {
    kt_account ruled = account(code);
    ruled.type = KT_ASSET;
    ruled.rule = rule;
    return open_account(book, &ruled);
}

static void types(void) {
    static const char *const names[] = {"unclassified", "asset", "liability", "equity", "income", "expense"};
    kt_account_type type;
    for (unsigned i = 0; i < 6; i++) {
        is_text(kt_account_type_name((kt_account_type)i), names[i], "a type is called %s", names[i]);
        ok(kt_account_type_parse(kt_str_from(names[i]), &type) && type == (kt_account_type)i, "and read again");
    }
    ok(kt_account_type_parse(KT_STR("Revenue"), &type) && type == KT_INCOME, "revenue is income");
    ok(kt_account_type_parse(KT_STR("EXPENSES"), &type) && type == KT_EXPENSE, "whatever its case and number");
    ok(!kt_account_type_parse(KT_STR("asse"), &type), "a part of a word is none");
    ok(!kt_account_type_parse(KT_STR(""), &type), "nor is nothing");
}

static void changes_of_type(void) {
    is_code(open_accounts(book, "7000 asset, 7001 unclassified"), KT_OK, "two accounts are opened");
    is_code(open_accounts(book, "7000 expense"), KT_OK, "a type changes while nothing is posted");
    is_code(post(book, "2026-01-31 - 7000 1 / 7001 -1"), KT_OK, "both are posted");
    is_code(open_accounts(book, "7000 asset"), KT_RULE, "then it stays");
    has_text(said.text, "expense", "as what it is");
    is_code(open_accounts(book, "7001 income"), KT_OK, "an unclassified one may still become something");
    is_code(open_accounts(book, "7001 expense"), KT_RULE, "once");
    is_code(open_accounts(book, "7001 income Other"), KT_OK, "the rest of it may change");
}

static void parents(void) {
    is_code(open_below("8000", "9998"), KT_UNKNOWN, "a parent must be on record");
    is_code(open_below("8000", "8000"), KT_INVALID, "an account is not its own parent");
    is_code(open_below("8000", ""), KT_OK, "a root is opened");
    is_code(open_below("8100", "8000"), KT_OK, "and one below it");
    is_code(open_below("8110", "8100"), KT_OK, "and one below that");
    is_code(open_below("8000", "8110"), KT_INVALID, "the root cannot come to stand below its own branch");
    has_text(said.text, "below itself", "and the refusal says so");
    char code[20] = "8110", below[20];
    kt_code last = KT_OK;
    for (int depth = 0; depth < 80 && last == KT_OK; depth++) {
        snprintf(below, sizeof below, "8110-%d", depth);
        last = open_below(below, code);
        memcpy(code, below, sizeof code);
    }
    is_code(last, KT_INVALID, "a tree has an end, so that nothing walks up it for ever");
}

static void one_currency(void) {
    kt_account only = account("7100");
    only.currency = KT_STR("EUR");
    is_code(open_account(book, &only), KT_OK, "an account may take one currency only");
    is_code(post(book, "2026-01-31 - 7100 1 EUR / 2000 -1 EUR"), KT_OK, "it takes that one");
    is_code(post(book, "2026-01-31 - 7100 1 / 2000 -1"), KT_RULE, "but not the book's");
    has_text(said.text, "account 7100 takes EUR only, found DKK", "which is said with both");
    is_code(post(book, "2026-01-31 - 7100 1 USD / 2000 -1 USD"), KT_RULE, "nor a third, new to the book");
    only.currency = KT_STR("DKK");
    only.code = KT_STR("7101");
    is_code(open_account(book, &only), KT_OK, "another takes only the book's");
    is_code(post(book, "2026-01-31 - 7101 1 / 2000 -1"), KT_OK, "without its name");
    is_code(post(book, "2026-01-31 - 7101 1 DKK / 2000 -1 DKK"), KT_OK, "and with it");
    is_code(post(book, "2026-01-31 - 7101 1 EUR / 2000 -1 EUR"), KT_RULE, "and no other");
}

static void days(void) {
    kt_account dated = account("7200");
    dated.open_from = day("2026-02-01");
    dated.closed_from = day("2026-03-01");
    is_code(open_account(book, &dated), KT_OK, "an account is open from one day to another");
    is_code(post(book, "2026-01-31 - 7200 1 / 2000 -1"), KT_CLOSED, "it takes nothing before the first");
    is_code(post(book, "2026-02-01 - 7200 1 / 2000 -1\n2026-02-28 - 7200 1 / 2000 -1"), KT_OK,
            "it takes what is between");
    is_code(post(book, "2026-03-01 - 7200 1 / 2000 -1"), KT_CLOSED, "and nothing from the last");
    dated.closed_from = KT_DAY_NONE;
    is_code(open_account(book, &dated), KT_OK, "opened again");
    is_code(post(book, "2026-03-01 - 7200 1 / 2000 -1"), KT_OK, "it does");
}

static void rules(void) {
    is_code(open_ruled("7300", KT_RULE_NOT_NEGATIVE), KT_OK, "a till may not go below zero");
    is_code(post(book, "2026-01-31 - 7300 100 / 2000 -100"), KT_OK, "it is filled");
    is_code(post(book, "2026-01-31 - 7300 -100.01 / 2000 100.01"), KT_RULE, "more than is in it does not go out");
    has_text(said.text, "account 7300 may not go below zero: its balance would be -0.01",
             "and the refusal says what would be");
    is_code(post(book, "2026-01-31 - 7300 -60 / 7300 -60 / 2000 120"), KT_RULE, "nor in two lines of one entry");
    is_code(post(book, "2026-01-31 - 7300 -60 / 2000 60\n2026-01-31 - 7300 -60 / 2000 60"), KT_RULE,
            "nor in two entries of one batch");
    is_code(post(book, "2026-01-31 - 7300 -160 / 7300 60 / 2000 100"), KT_OK, "an entry counts as a whole");
    is_code(post(book, "2026-01-31 - 7300 5 EUR / 2000 -5 EUR"), KT_OK, "each currency is a till of its own");
    is_code(post(book, "2026-01-31 - 7300 10 / 2000 -10 / 7300 -6 EUR / 2000 6 EUR"), KT_RULE,
            "and none pays for another");
    book = reopen(book);
    is_code(post(book, "2026-01-31 - 7300 -0.01 / 2000 0.01"), KT_RULE, "reopened, the book knows that it is empty");
    is_code(post(book, "2026-01-31 - 7300 0.01 / 2000 -0.01"), KT_OK, "and takes what comes in");
    is_code(open_ruled("7310", KT_RULE_NOT_POSITIVE), KT_OK, "a loan may not go above zero");
    is_code(post(book, "2026-01-31 - 7310 -10 / 1000 10\n2026-01-31 - 7310 10 / 1000 -10"), KT_OK,
            "it is taken and paid back");
    is_code(post(book, "2026-01-31 - 7310 1 / 1000 -1"), KT_RULE, "and not more than it was");
    is_code(open_accounts(book, "7320 asset"), KT_OK, "an account without a rule");
    is_code(post(book, "2026-01-31 - 7320 -50 / 2000 50"), KT_OK, "goes below zero");
    is_code(open_ruled("7320", KT_RULE_NOT_NEGATIVE), KT_OK, "before the rule comes");
    is_code(post(book, "2026-01-31 - 7320 -1 / 2000 1"), KT_RULE, "then it goes no further");
    is_code(post(book, "2026-01-31 - 7320 20 / 2000 -20"), KT_OK, "but may come back");
}

/* A rule that comes in the middle of a batch counts what the batch did before. */
static void rule_amid_a_batch(void) {
    kt_account ruled = account("7330");
    is_code(open_account(book, &ruled), KT_OK, "an account without a rule");
    is_code(post(book, "2026-01-31 - 7330 100 / 2000 -100"), KT_OK, "holds a hundred");
    kt_batch *batch = begin(book);
    is_code(add(batch, "2026-01-31 - 7330 -80 / 2000 80", NULL), KT_OK, "a batch takes eighty");
    ruled.rule = KT_RULE_NOT_NEGATIVE;
    is_code(kt_batch_account(batch, &ruled, &said), KT_OK, "and then sets the rule");
    is_code(add(batch, "2026-01-31 - 7330 -80 / 2000 80", NULL), KT_RULE, "eighty more are refused");
    is_code(add(batch, "2026-01-31 - 7330 -20 / 2000 20", NULL), KT_OK, "twenty are not");
    is_code(kt_batch_commit(batch, &receipt, &said), KT_OK, "the batch is committed");
    is_int((long long)balance(book, "7330"), 0, "and the account is empty");
}

static void lists(void) {
    kt_view *view = view_of(book);
    kt_account *all = NULL;
    size_t count = 0;
    unsigned unsorted = 0, missing = 0;
    is_code(kt_view_accounts(view, &all, &count, &said), KT_OK, "all accounts are listed");
    is_int((long long)head_of(book).accounts, (long long)count, "as many as the head counts");
    for (size_t i = 1; i < count; i++) {
        size_t shorter = all[i].code.size < all[i - 1].code.size ? all[i].code.size : all[i - 1].code.size;
        unsorted += memcmp(all[i - 1].code.data, all[i].code.data, shorter) > 0;
    }
    for (uint32_t id = 1; id <= count; id++) {
        size_t i = 0;
        while (i < count && all[i].id != id) i++;
        missing += i == count;
    }
    is_int(unsorted, 0, "by code");
    is_int(missing, 0, "their ids count from one");
    free(all);
    kt_account one;
    is_code(kt_view_account(view, KT_STR("7200"), &one, &said), KT_OK, "one is shown");
    is_int(one.open_from, day("2026-02-01"), "with its day");
    is_code(kt_view_account(view, KT_STR("7201"), &one, &said), KT_NOT_FOUND, "and one that is not there is not");
    kt_view_close(view);
    kt_batch *batch = begin(book);
    kt_account fresh = account("7999");
    is_code(kt_batch_find_account(batch, fresh.code, &one, &said), KT_NOT_FOUND,
            "a batch does not know what it has not opened");
    is_code(kt_batch_account(batch, &fresh, &said), KT_OK, "opens it");
    is_code(kt_batch_find_account(batch, fresh.code, &one, &said), KT_OK, "and knows it");
    is_code(add(batch, "2026-01-31 - 7999 1 / 2000 -1", NULL), KT_OK, "and posts on it");
    kt_batch_abort(batch);
    is_code(post(book, "2026-01-31 - 7999 1 / 2000 -1"), KT_UNKNOWN, "which is over when the batch is");
}

static void is_named(int64_t time, const char *name, const char *law) {
    kt_view *view = view_known(book, time);
    kt_account one;
    if (kt_view_account(view, KT_STR("7500"), &one, NULL) != KT_OK) one.name = KT_STR("(none)");
    ok(kt_str_equal(one.name, kt_str_from(name)), "%s", law);
    kt_view_close(view);
}

static void as_known(void) {
    int64_t before = head_of(book).recorded_us, first, second;
    is_code(open_accounts(book, "7500 asset Old"), KT_OK, "an account is opened");
    first = head_of(book).recorded_us;
    is_code(open_accounts(book, "7500 asset New"), KT_OK, "and renamed");
    second = head_of(book).recorded_us;
    is_named(before, "(none)", "before it was opened it is not known");
    is_named(first, "Old", "then under its old name");
    is_named(second - 1, "Old", "until the change was recorded");
    is_named(second, "New", "and then under its new one");
    kt_view *view = view_known(book, before);
    kt_account *all = NULL;
    size_t count, seen = 0;
    is_code(kt_view_accounts(view, &all, &count, &said), KT_OK, "the list of the past");
    for (size_t i = 0; i < count; i++) seen += kt_str_equal(all[i].code, KT_STR("7500"));
    is_int((long long)seen, 0, "does not have it");
    free(all);
    kt_view_close(view);
}

int main(void) {
    book = make_book("book");
    types();
    changes_of_type();
    parents();
    one_currency();
    days();
    rules();
    rule_amid_a_batch();
    lists();
    as_known();
    kt_book_close(book);
    is_sound("book", "the book verifies");
    return done();
}
