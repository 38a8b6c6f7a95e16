/*
 * remote: posting to a book that somebody else keeps open: `kontor serve` at a socket.
 *
 * It goes as with a book of one's own (engine/kontor.h): begin, add, commit or abort; one batch at a time. The entries
 * are packed here, by the ledger's own code, hashed and signed with the client's key, which never leaves it; the server
 * checks all of it again and has the last word. A commit that returns KT_OK is on the disk, under a signed checkpoint.
 *
 * Laws kept: 3, 4, 5, 7, 12. Lifetime: one kt_remote belongs to one thread at a time.
 *
 * Errors: as those of kontor.h. What only the book can tell (a closed month, a voucher used before, a rule, a right) is
 * refused by the commit, not by add; it names the entry all the same. KT_IO: nobody serves there, or the server hung up; the
 * same batch with the same id may be sent again and is stored once.
 */
#ifndef KT_REMOTE_REMOTE_H
#define KT_REMOTE_REMOTE_H

#include "engine/kontor.h"
#include "storage/keys.h"

typedef struct kt_remote kt_remote;

typedef struct kt_remote_options {
    const char *key_file; /* the actor's key */
    /* Where it is locked, as in kt_open_options; NULL: refused. */
    kt_code (*passphrase)(void *context, const char *key_name, char *out, size_t room, kt_error *error);
    void *context;
    const kt_signer *signer; /* instead of a file; the caller's */
    kt_str entity;           /* when given, a book of another entity is refused with KT_FOREIGN */
} kt_remote_options;

kt_code kt_remote_open(const char *path, const kt_remote_options *options, kt_remote **out, kt_error *error);
void kt_remote_close(kt_remote *remote);
const char *kt_remote_origin(const kt_remote *remote);
kt_str kt_remote_currency(const kt_remote *remote); /* the book's; lives as long as the remote */

/* KT_REPEATED, KT_DUPLICATE as kt_batch_begin. options->dry_run: nothing but kt_remote_judge is left. */
kt_code kt_remote_begin(kt_remote *remote, const kt_batch_options *options, kt_receipt *receipt, kt_error *error);
kt_code kt_remote_add(kt_remote *remote, const kt_entry *entry, kt_error *error);
/* Opens an account; the commit refuses one that somebody opened meanwhile with KT_EXISTS. */
kt_code kt_remote_account(kt_remote *remote, const kt_account *account, kt_error *error);
kt_code kt_remote_currency_add(kt_remote *remote, kt_str code, uint8_t decimals, kt_error *error);
/* Whether it is on record; of its facts the code alone. */
kt_code kt_remote_find_account(kt_remote *remote, kt_str code, kt_account *out, kt_error *error);
kt_code kt_remote_find_currency(kt_remote *remote, kt_str code, uint8_t *decimals, bool *posted, kt_error *error);
/* See kt_sink. */
kt_code kt_remote_judge(kt_remote *remote, bool *news, kt_error *error);
/* In every case the batch is over. KT_REPEATED: stored before, *receipt says where. */
kt_code kt_remote_commit(kt_remote *remote, uint64_t rejected, kt_receipt *receipt, kt_error *error);
void kt_remote_abort(kt_remote *remote);

/* kt_import, to the server. */
kt_code kt_remote_import(kt_remote *remote, const char *path, const kt_import_options *options,
                         kt_import_result *result, kt_error *error);

#endif
