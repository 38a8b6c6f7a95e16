#include "cli/depth.h"

#include <stdlib.h>
#include <string.h>

/* Parents deeper than this are a fault in the register, and cut off. */
#define DEEPEST 64

static int compare(kt_str a, kt_str b) {
    size_t least = a.size < b.size ? a.size : b.size;
    int order = least == 0 ? 0 : memcmp(a.data, b.data, least);
    if (order != 0) return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

static int by_code(const void *left, const void *right) {
    return compare(((const kt_account *)left)->code, ((const kt_account *)right)->code);
}

static int by_row(const void *left, const void *right) {
    const kt_balance *a = left, *b = right;
    int order = compare(a->account, b->account);
    if (order == 0) order = compare(a->currency, b->currency);
    return order != 0 ? order : compare(a->group, b->group);
}

static const kt_account *find(const kt_account *accounts, size_t count, kt_str code) {
    kt_account key = {.code = code};
    return count == 0 ? NULL : bsearch(&key, accounts, count, sizeof(*accounts), by_code);
}

static kt_str fold_code(const kt_account *accounts, size_t count, kt_str code, size_t depth) {
    size_t parts = 0;
    if (code.size > 0 && memchr(code.data, ':', code.size) != NULL) {
        for (size_t i = 0; i < code.size; i++)
            if (code.data[i] == ':' && ++parts == depth) return (kt_str){code.data, i};
        return code;
    }
    /* From the account up to the top; the one at `depth` from the top stands for it. */
    kt_str chain[DEEPEST];
    size_t length = 0;
    for (kt_str at = code; at.size > 0 && length < DEEPEST;) {
        chain[length++] = at;
        const kt_account *account = find(accounts, count, at);
        at = account == NULL ? (kt_str){NULL, 0} : account->parent;
    }
    return length > depth ? chain[length - depth] : code;
}

static kt_code merge(kt_balance *into, const kt_balance *row, kt_error *error) {
    bool good = kt_amount_add(into->debit, row->debit, &into->debit) &&
                kt_amount_add(into->credit, row->credit, &into->credit) &&
                kt_amount_add(into->balance, row->balance, &into->balance) &&
                kt_amount_add(into->book_debit, row->book_debit, &into->book_debit) &&
                kt_amount_add(into->book_credit, row->book_credit, &into->book_credit) &&
                kt_amount_add(into->book_balance, row->book_balance, &into->book_balance);
    into->lines += row->lines;
    into->unvalued += row->unvalued;
    if (into->type != row->type) into->type = KT_UNCLASSIFIED;
    return good ? KT_OK
                : kt_fail(error, KT_OVERFLOW, "the sum of the accounts below %.*s is beyond what is kept",
                          (int)into->account.size, into->account.data);
}

kt_code kt_depth_fold(kt_view *view, kt_balance *rows, size_t *count, size_t depth, kt_error *error) {
    kt_account *accounts = NULL;
    size_t account_count = 0, kept = 0;
    kt_code code = kt_view_accounts(view, &accounts, &account_count, error);
    if (code != KT_OK) return code;
    if (account_count > 0) qsort(accounts, account_count, sizeof(*accounts), by_code);
    for (size_t i = 0; i < *count; i++) rows[i].account = fold_code(accounts, account_count, rows[i].account, depth);
    if (*count > 0) qsort(rows, *count, sizeof(*rows), by_row);
    for (size_t i = 0; code == KT_OK && i < *count; i++) {
        if (kept > 0 && by_row(&rows[kept - 1], &rows[i]) == 0) code = merge(&rows[kept - 1], &rows[i], error);
        else rows[kept++] = rows[i];
    }
    for (size_t i = 0; i < kept; i++) {
        const kt_account *account = find(accounts, account_count, rows[i].account);
        rows[i].name = account == NULL ? (kt_str){NULL, 0} : account->name;
        if (account != NULL && account->type != KT_UNCLASSIFIED) rows[i].type = account->type;
    }
    *count = kept;
    free(accounts);
    return code;
}
