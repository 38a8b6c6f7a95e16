/*
 * acting: what tests of actors say in one line. A key is a file "<name>.key" in test_dir(), made when it is first named.
 */
#ifndef KT_TESTS_ACTING_H
#define KT_TESTS_ACTING_H

#include "tests/bookkeeping.h"

const uint8_t *public_of(const char *key);           /* eight are kept at a time */
kt_book *open_as(const char *book, const char *key); /* key NULL: the book's own */

/* One change in a batch of its own. */
kt_code add_actor(kt_book *book, const char *id, const char *key);
kt_code grant(kt_book *book, const char *id, kt_role role, const kt_limits *limits);
kt_code withdraw(kt_book *book, const char *id, kt_role role);
kt_code revoke_key(kt_book *book, const char *key);
/* liar: signs for the new key instead of it; NULL: nobody does. */
kt_code rotate(kt_book *book, const char *from, const char *to, const char *liar);
kt_code change_log_key(kt_book *book, const char *key);
kt_code decide(kt_book *book, uint64_t proposal, bool approve, uint64_t *number);

#endif
