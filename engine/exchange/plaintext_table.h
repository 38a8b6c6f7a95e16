/*
 * plaintext_table: names and what is known of them: commodities, accounts, aliases.
 *
 * One hash table from bytes to a pointer; whoever puts a thing in owns it. Memory goes with distinct names, never
 * with transactions.
 *
 * Lifetime: init before use, release after; release frees the keys and, through `drop`, the things.
 * Errors: NULL or false where memory is short.
 */
#ifndef KT_EXCHANGE_PLAINTEXT_TABLE_H
#define KT_EXCHANGE_PLAINTEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/exchange/plaintext_number.h"
#include "engine/kontor.h"

typedef struct kt_plain_slot {
    char *key;
    size_t size;
    void *value;
    uint64_t hash;
} kt_plain_slot;

typedef struct kt_plain_table {
    kt_plain_slot *slots; /* open addressing, a power of two */
    size_t room;
    size_t count;
} kt_plain_table;

void *kt_plaintext_table_find(const kt_plain_table *table, const char *key, size_t size);
/* Replaces what the key stood for; the old value is given back through *old (may be NULL). */
bool kt_plaintext_table_put(kt_plain_table *table, const char *key, size_t size, void *value, void **old);
void kt_plaintext_table_release(kt_plain_table *table, void (*drop)(void *value));

typedef struct kt_plain_commodity kt_plain_commodity;
struct kt_plain_commodity {
    kt_plain_commodity *next; /* in the order of coming */
    char *code;               /* as a currency of the book; empty: the book's own */
    size_t size;
    bool comma;           /* ledger has seen it with a decimal comma */
    kt_plain_style style; /* as a directive showed it */
    bool styled;
    uint8_t precision; /* ledger's display precision so far */
    uint8_t most;      /* decimals of posted amounts */
    uint8_t priced;    /* decimals of written costs */
    bool posted, costed;
    bool seconds; /* one of s, m, h: ledger converts among them */
    /* Scratch of one entry's sums. */
    size_t slot;
    uint64_t stamp;
};

typedef struct kt_plain_balance {
    kt_plain_commodity *commodity;
    kt_plain_num real, all; /* without and with virtual postings */
} kt_plain_balance;

typedef struct kt_plain_account kt_plain_account;
struct kt_plain_account {
    kt_plain_account *next; /* in the order of coming */
    char *name;
    size_t size;
    bool declared, posted;
    bool typed; /* `type:` was given */
    kt_account_type type;
    kt_plain_balance *balances;
    size_t balance_count, balance_room;
    kt_day last_day;     /* latest posting so far; KT_DAY_NONE: none */
    kt_day assigned_day; /* latest assignment so far */
    /* Scratch of the entry being checked: what it has added so far. */
    size_t first_late; /* 1 + index of its first assertion to be checked by date, 0: none */
};

typedef struct kt_plain_names {
    kt_plain_table commodities, commodity_aliases, accounts, account_aliases;
    kt_plain_commodity *first_commodity, **end_commodity;
    kt_plain_account *first_account, **end_account;
} kt_plain_names;

void kt_plaintext_names_init(kt_plain_names *names);
void kt_plaintext_names_release(kt_plain_names *names);
/* By its exact code, made where new. */
kt_plain_commodity *kt_plaintext_names_commodity(kt_plain_names *names, const char *code, size_t size);
kt_plain_account *kt_plaintext_names_account(kt_plain_names *names, const char *name, size_t size);
/* The account's balance in a commodity, made at zero where new. */
kt_plain_balance *kt_plaintext_names_balance(kt_plain_account *account, kt_plain_commodity *commodity);
/* The type by directive, the parent's, or the name of the top account, by hledger's rules. */
kt_account_type kt_plaintext_names_type(const kt_plain_names *names, const kt_plain_account *account);

#endif
