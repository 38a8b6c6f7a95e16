/*
 * plaintext: the journal reader shared by ledger and hledger (`--format journal`); kt_format_journal is its face.
 * This header is for the reader's own rooms:
 *
 *     plaintext_number   digits, exactly               plaintext_entry      a dated transaction
 *     plaintext_table    accounts and commodities      plaintext_balance    what is left out, what is left over
 *     plaintext_text     lines and included files      plaintext_assert     balances said and asked for
 *     plaintext_amount   amounts, lots, (expressions)  plaintext_directive  everything that is no transaction
 *                                                      plaintext_rule       `=` and `~`
 *
 * Two walks over the source: the first finds which currencies with how many decimals and which accounts there are,
 * so that these items come first; the second gives the entries. Memory goes with the longest entry and with
 * accounts times commodities, never with the number of entries.
 *
 * Whose reading holds. A file is read as ledger 3.3 reads it. Something that ledger refuses and hledger 1.25 takes
 * (`==`, `=*`, `decimal-mark`, `commodity 1.000,00 EUR`, `1 000,00`, `.5`, `+1`) shows a file of hledger's, unless
 * something that only ledger takes (`bucket`, `apply tag`, subdirectives, `(expressions)`) stands in it too.
 * They differ in a balance only here:
 *   - `1,000` without a decimal-mark, commodity or D directive: ledger a thousand, hledger one. `0,123` and
 *     `12345,678` are refused: the versions of ledger differ among themselves;
 *   - a bare number below a D directive has that commodity in hledger, and none (the book's) in ledger;
 *   - `{price}` with `@`: ledger balances with the lot's price, hledger with the `@`. Where an amount was left out
 *     the reading decides; otherwise the one under which the entry balances. `{price}` alone counts in neither;
 *   - an alias meets the whole account name in ledger, and the name below `apply account` in hledger;
 *   - an assignment (`= X` without an amount) follows the file in ledger and the dates in hledger: in a file of
 *     hledger's it is refused where the two orders differ. An assertion must hold in the file's order; in a
 *     file of hledger's it may hold by date instead;
 *   - `= 0` with no commodity asks about every commodity in ledger, about the bare one in hledger.
 * Periodic transactions (`~`) change no balance in either and are passed over once their period is understood.
 * An automated transaction (`=`) is refused at the first entry it touches, or might touch: its postings would
 * have to be made. Posting dates and other tags in comments are comments here.
 *
 * Virtual postings. `[accounts]` balance among themselves, as in hledger and ledger since 3.4. With --virtual keep they
 * are postings as any, and `(accounts)` are refused. With --virtual drop both are read and weighed as the tools do,
 * and then not given, as by ledger --real and hledger --real; so are automated transactions that would only add such.
 * A real posting states its account's real balance in ledger and all of it in hledger. So:
 *   - with drop, an assertion that holds only with what is left out is refused: it would not hold in the book;
 *   - an assignment to an account whose two balances differ follows the reading where the file shows whose it is, and
 *     is refused where it does not, and with drop in a file of hledger's.
 *
 * Costs. The cost of a line is its exact product, half-even at 18 decimals, and then brought half-even to the
 * decimals that the file's postings use of the cost's currency (the written prices', where nothing is posted in it).
 * ledger takes an entry whose remainder prints as zero; here whatever that rounding and that tolerance leave over
 * goes into the cost of the last line with a cost in the currency (law 2: what a rate leaves over is booked), so that
 * the lines given sum to zero. A remainder that no cost can take is unbalanced. Two commodities without any cost
 * imply one, as in both tools: the first line's commodity is costed in the other, or the one that is no ISO 4217
 * currency in the one that is.
 *
 * Lifetime, errors and bounds: see format.h. KT_RULE: an assertion failed; can_go_on is set for it too. A refused
 * directive ends the reading, since it would change the meaning of what follows.
 */
#ifndef KT_EXCHANGE_PLAINTEXT_H
#define KT_EXCHANGE_PLAINTEXT_H

#include "engine/exchange/plaintext_table.h"
#include "engine/exchange/plaintext_text.h"

typedef struct kt_plain_amount {
    kt_plain_num number;
    kt_plain_commodity *commodity;
    bool has_lot; /* {price}: the price of the whole amount, with its sign */
    kt_plain_num lot;
    kt_plain_commodity *lot_commodity;
} kt_plain_amount;

typedef struct kt_plain_post {
    kt_plain_account *account;
    kt_plain_amount amount;
    kt_plain_num cost; /* of the whole amount, with its sign */
    kt_plain_commodity *cost_commodity;
    kt_plain_amount asserted;
    size_t line;
    kt_str text;
    bool has_amount, has_cost, has_assertion;
    bool cost_implied;           /* inferred from two commodities */
    bool assigned;               /* the amount comes from the assertion */
    bool filled;                 /* the amount was left out, and is what the others left */
    bool is_virtual, unbalanced; /* [account] or (account); the latter */
    bool deferred;
    bool exact;         /* == */
    bool with_children; /* =* */
} kt_plain_post;

typedef struct kt_plain_sum {
    kt_plain_commodity *commodity;
    kt_plain_num number;
    bool has_cost; /* some line's cost is in it */
} kt_plain_sum;

typedef enum kt_plain_applied_kind {
    KT_PLAIN_APPLY_ACCOUNT,
    KT_PLAIN_APPLY_TAG,
    KT_PLAIN_APPLY_YEAR
} kt_plain_applied_kind;

typedef struct kt_plain_applied {
    kt_plain_applied_kind kind;
    char *prefix; /* of accounts, with all that were applied before */
    int year;     /* to go back to */
} kt_plain_applied;

typedef struct kt_plain_rule {
    char *word; /* lower case; NULL: not understood, may touch anything */
    bool from_start, to_end;
    bool only_virtual; /* all that it would add are virtual postings */
    size_t line;
} kt_plain_rule;

/* An assertion that failed in the file's order and may hold by date. */
typedef struct kt_plain_late {
    kt_plain_account *account;
    kt_plain_commodity *commodity;
    kt_plain_num sum, real, expected; /* real: without virtual postings */
    kt_day day;
    uint64_t entry;
    size_t post;
    size_t next; /* 1 + index of the account's next, 0: none */
} kt_plain_late;

typedef struct kt_plaintext {
    const kt_source *source;
    kt_format_options options;
    kt_plain_file *file;
    kt_plain_names names;

    /* Where messages are about. */
    const char *place;
    size_t line;

    /* Whose reading. */
    bool saw_ledger, saw_hledger, hledger;

    /* What directives set. */
    int year; /* 0: none */
    char decimal_mark;
    kt_plain_commodity *default_commodity;
    kt_plain_style default_style;
    bool has_default_style;
    kt_plain_account *bucket;
    kt_plain_applied *applied;
    size_t applied_count, applied_room;
    kt_plain_rule *rules;
    size_t rule_count, rule_room;
    kt_plain_table rewrites; /* account-rewrite: name -> account */
    bool has_rewrites;
    bool maps_unknown; /* an account's `payee` takes postings away from Unknown */
    kt_plain_commodity *time_unit;

    /* The entry at hand. */
    kt_plain_post *posts;
    size_t post_count, post_room;
    kt_plain_sum *sums;
    size_t sum_count, sum_room;
    size_t assigned_count;
    const kt_plain_account *left_out; /* account of the first posting without an amount */
    size_t virtual_left_out;          /* postings of it, by --virtual drop */
    bool rule_left_out;               /* the directive just read was a rule that is left out */
    uint64_t stamp;
    uint64_t entry_number;
    kt_day day;
    kt_str text, ref;
    const uint8_t *raw;
    size_t raw_size;
    size_t entry_line;
    kt_line *lines;
    size_t line_room;

    /* Assertions to be checked by date. */
    kt_plain_late *late;
    size_t late_count, late_room;
    bool counting_late; /* the walk that sums for them */
    bool late_known;
    bool dated_posts; /* some posting has a date of its own: no order by date can be told */

    /* What comes before the entries. */
    bool surveying; /* the walk that finds it; else decimals are known */
    struct kt_plain_found_currency {
        char *code;
        size_t size;
        uint8_t decimals;
    } * currencies;
    size_t currency_count, currency_at;
    struct kt_plain_found_account {
        char *name;
        size_t size;
        kt_account_type type;
    } * accounts;
    size_t account_count, account_at;
} kt_plaintext;

/* Sets the error with "file:line: " before it; the value is the code. */
#define KT_PLAIN_REFUSE(p, error, code, ...) \
    (kt_fail((error), (code), __VA_ARGS__), kt_fail_at((error), (code), "%s:%zu", (p)->place, (p)->line))

#define KT_PLAIN_NO_MEMORY(p, error) KT_PLAIN_REFUSE(p, error, KT_MEMORY, "no memory")

/* Is the posting to be read and not given? */
static inline bool kt_plaintext_drops(const kt_plaintext *p, const kt_plain_post *post) {
    return post->is_virtual && p->options.virtual_postings == KT_VIRTUAL_DROP;
}

/* "%.*s" of a text that may be long. */
#define KT_PLAIN_SHOWN(text) (int)((text).size > 120 ? 120 : (text).size), (text).data

/* Notes that only one of the two tools takes what was just read. */
void kt_plaintext_mark_ledger(kt_plaintext *p);
void kt_plaintext_mark_hledger(kt_plaintext *p);

/* The commodity a symbol stands for: an alias, a mapped symbol, or itself; "" is the book's. NULL: no memory. */
kt_plain_commodity *kt_plaintext_commodity(kt_plaintext *p, const char *symbol, size_t size);

#endif
