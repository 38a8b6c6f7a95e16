#include "engine/exchange/plaintext_account.h"

#include <stdlib.h>
#include <string.h>

const char *kt_plaintext_account_prefix(const kt_plaintext *p) {
    for (size_t i = p->applied_count; i-- > 0;)
        if (p->applied[i].kind == KT_PLAIN_APPLY_ACCOUNT) return p->applied[i].prefix;
    return NULL;
}

/* a + ":" + b, or one of them where the other is empty; the caller's. */
static char *join(kt_str a, kt_str b, const char *between) {
    size_t middle = a.size && b.size ? strlen(between) : 0;
    char *joined = malloc(a.size + middle + b.size + 1);
    if (!joined) return NULL;
    if (a.size) memcpy(joined, a.data, a.size);
    if (middle) memcpy(joined + a.size, between, middle);
    if (b.size) memcpy(joined + a.size + middle, b.data, b.size);
    joined[a.size + middle + b.size] = 0;
    return joined;
}

static kt_code intern(kt_plaintext *p, kt_str head, kt_str tail, const char *between, kt_plain_account **out,
                      kt_error *error) {
    char *name = join(head, tail, between);
    *out = name ? kt_plaintext_names_account(&p->names, name, strlen(name)) : NULL;
    free(name);
    return *out ? KT_OK : KT_PLAIN_NO_MEMORY(p, error);
}

kt_code kt_plaintext_account_named(kt_plaintext *p, kt_str name, kt_plain_account **out, kt_error *error) {
    if (name.size == 0) return KT_PLAIN_REFUSE(p, error, KT_INVALID, "an account without a name");
    return intern(p, kt_str_from(kt_plaintext_account_prefix(p)), name, ":", out, error);
}

/* ledger: the whole name, or its first part, as it is written. */
static kt_code alias_of_ledger(kt_plaintext *p, kt_str name, kt_plain_account **out, kt_error *error) {
    const kt_plain_table *aliases = &p->names.account_aliases;
    *out = kt_plaintext_table_find(aliases, name.data, name.size);
    if (*out) return KT_OK;
    const char *colon = memchr(name.data, ':', name.size);
    if (!colon) return KT_OK;
    size_t first = (size_t)(colon - name.data);
    kt_plain_account *target = kt_plaintext_table_find(aliases, name.data, first);
    if (!target) return KT_OK;
    return intern(p, (kt_str){target->name, target->size}, (kt_str){colon, name.size - first}, "", out, error);
}

/* hledger: an account or any parent of it, below what is applied. */
static kt_code alias_of_hledger(kt_plaintext *p, kt_plain_account *named, bool again, kt_plain_account **out,
                                kt_error *error) {
    const kt_plain_table *aliases = &p->names.account_aliases;
    kt_plain_account *target = NULL;
    size_t from = 0, matches = 0;
    for (size_t size = 1; size <= named->size; size++) {
        if (size < named->size && named->name[size] != ':') continue;
        kt_plain_account *found = kt_plaintext_table_find(aliases, named->name, size);
        if (found) {
            target = found;
            from = size;
            matches++;
        }
    }
    *out = named;
    if (matches == 0) return KT_OK;
    if (matches > 1 || again)
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED, "more than one alias for an account is not supported: %s",
                               named->name);
    kt_code code = intern(p, (kt_str){target->name, target->size}, (kt_str){named->name + from, named->size - from}, "",
                          out, error);
    if (code != KT_OK || *out == named) return code;
    kt_plain_account *end;
    return alias_of_hledger(p, *out, true, &end, error);
}

static kt_code rewrite(kt_plaintext *p, kt_plain_account **account, kt_error *error) {
    kt_plain_account *target = kt_plaintext_table_find(&p->rewrites, (*account)->name, (*account)->size);
    if (target) {
        *account = target;
        return KT_OK;
    }
    for (size_t i = 0; i < p->rewrites.room; i++) {
        const kt_plain_slot *slot = &p->rewrites.slots[i];
        if (slot->key && (slot->size == 0 || strstr((*account)->name, slot->key)))
            return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                                   "account-rewrite of a part of a name is not supported: "
                                   "%s in %s",
                                   slot->key, (*account)->name);
    }
    return KT_OK;
}

static bool is_unknown(const kt_plain_account *account) {
    static const char last[] = "Unknown";
    size_t size = sizeof last - 1;
    return account->size >= size && memcmp(account->name + account->size - size, last, size) == 0 &&
           (account->size == size || account->name[account->size - size - 1] == ':');
}

kt_code kt_plaintext_account_posted(kt_plaintext *p, kt_str name, kt_plain_account **out, kt_error *error) {
    if (name.size == 0) return KT_PLAIN_REFUSE(p, error, KT_INVALID, "a posting without an account");
    kt_code code = KT_OK;
    *out = NULL;
    if (!p->hledger && p->names.account_aliases.count > 0) code = alias_of_ledger(p, name, out, error);
    if (code == KT_OK && !*out) code = kt_plaintext_account_named(p, name, out, error);
    if (code == KT_OK && p->hledger && p->names.account_aliases.count > 0)
        code = alias_of_hledger(p, *out, false, out, error);
    if (code == KT_OK && p->rewrites.count > 0) code = rewrite(p, out, error);
    if (code == KT_OK && p->maps_unknown && is_unknown(*out))
        return KT_PLAIN_REFUSE(p, error, KT_UNSUPPORTED,
                               "account: `payee` (a posting to %s moves to another account) "
                               "is not supported",
                               (*out)->name);
    return code;
}

kt_code kt_plaintext_account_alias(kt_plaintext *p, kt_str alias, kt_plain_account *account, kt_error *error) {
    if (alias.size == 0 || (alias.size == account->size && memcmp(alias.data, account->name, alias.size) == 0))
        return KT_PLAIN_REFUSE(p, error, KT_INVALID, "alias: %s cannot be its own alias", account->name);
    if (!kt_plaintext_table_put(&p->names.account_aliases, alias.data, alias.size, account, NULL))
        return KT_PLAIN_NO_MEMORY(p, error);
    return KT_OK;
}
