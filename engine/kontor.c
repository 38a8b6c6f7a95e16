#include "engine/kontor.h"

#include <string.h>

#include "engine/audit/keep.h"
#include "engine/audit/verify.h"
#include "engine/batch.h"
#include "engine/ledger/post.h"
#include "engine/registry.h"

kt_str kt_str_from(const char *text) { return text == NULL ? (kt_str){NULL, 0} : (kt_str){text, strlen(text)}; }

bool kt_str_equal(kt_str a, kt_str b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

const char *kt_account_type_name(kt_account_type type) {
    static const char *const names[] = {"unclassified", "asset", "liability", "equity", "income", "expense"};
    return (unsigned)type <= KT_EXPENSE ? names[type] : "unclassified";
}

bool kt_account_type_parse(kt_str name, kt_account_type *out) {
    static const struct {
        const char *name;
        kt_account_type type;
    } names[] = {{"asset", KT_ASSET},           {"assets", KT_ASSET},     {"liability", KT_LIABILITY},
                 {"liabilities", KT_LIABILITY}, {"equity", KT_EQUITY},    {"income", KT_INCOME},
                 {"incomes", KT_INCOME},        {"revenue", KT_INCOME},   {"revenues", KT_INCOME},
                 {"expense", KT_EXPENSE},       {"expenses", KT_EXPENSE}, {"unclassified", KT_UNCLASSIFIED}};
    char folded[16];
    if (name.size == 0 || name.size >= sizeof folded) return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        folded[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == name.size && memcmp(names[i].name, folded, name.size) == 0) {
            *out = names[i].type;
            return true;
        }
    return false;
}

kt_code kt_book_open(const char *directory, const kt_open_options *options, kt_book **out, kt_error *error) {
    return kt_book_open_with(&kt_the_registry, directory, options, out, error);
}

kt_code kt_book_create(const char *directory, const kt_create_options *options, kt_error *error) {
    kt_book *book;
    kt_batch *batch;
    kt_error found = {0};
    if (error == NULL) error = &found;
    kt_code code = kt_book_found(&kt_the_registry, directory, options, &book, &batch, error);
    if (code == KT_OK) {
        code = kt_ledger_found(batch, options, error);
        if (code == KT_OK) code = kt_batch_commit(batch, NULL, error);
        kt_book_close(book);
        if (code != KT_OK) kt_book_unfound(directory);
    }
    return code;
}

kt_code kt_verify(const char *directory, const kt_verify_options *options, kt_verify_result *out, kt_error *error) {
    return kt_verify_with(&kt_the_registry, directory, options, out, error);
}

kt_code kt_rebuild(const char *directory, void (*progress)(void *context, uint64_t done, uint64_t of), void *context,
                   bool *equal, uint64_t *records, kt_error *error) {
    return kt_rebuild_with(&kt_the_registry, directory, progress, context, equal, records, error);
}

kt_code kt_backup(kt_book *book, const char *destination, const kt_verify_options *verify, kt_error *error) {
    return kt_backup_with(&kt_the_registry, kt_book_store(book), kt_book_directory(book), destination, verify, error);
}

kt_code kt_restore(const char *source, const char *destination, const kt_verify_options *verify, kt_error *error) {
    kt_book *book;
    kt_open_options options = {.read_only = true};
    kt_code code = kt_book_open(source, &options, &book, error);
    if (code != KT_OK) return code;
    code = kt_backup(book, destination, verify, error);
    kt_book_close(book);
    return code;
}
