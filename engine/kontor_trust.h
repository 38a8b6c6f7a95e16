/*
 * kontor_trust.h: what makes a book believed: verification, backups, the log for outsiders, proofs. Part of kontor.h, whose
 * rules on ownership, threads and errors hold here too.
 */
#ifndef KT_KONTOR_TRUST_H
#define KT_KONTOR_TRUST_H

#include "engine/kontor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Trust -------------------------------------------------------------------------------------- */

typedef struct kt_finding {
    uint64_t record; /* the record concerned, UINT64_MAX: none */
    kt_code code;
    const char *what; /* a sentence */
} kt_finding;

typedef struct kt_verify_options {
    const char *verifier; /* a vkey the checkpoints must be signed by; NULL: the book's own */
    const char *since;    /* text of a checkpoint the head must extend; NULL: none */
    size_t since_size;
    unsigned threads; /* 0: one a core */
    uint64_t most;    /* findings to report before it stops; 0: 100 */
    void (*progress)(void *context, uint64_t done, uint64_t of);
    void (*found)(void *context, const kt_finding *finding); /* first error first */
    void *context;
} kt_verify_options;

typedef struct kt_verify_result {
    uint64_t records, entries, batches, checkpoints, findings;
    uint8_t root[KT_DIGEST_SIZE];
    bool state_equal;
} kt_verify_result;

/* Recomputes every leaf, the tree, every checkpoint and batch signature, replays all records into fresh
   state and compares it with the stored state, in a child process. KT_OK: nothing found. KT_DAMAGED: findings. */
kt_code kt_verify(const char *directory, const kt_verify_options *options, kt_verify_result *out, kt_error *error);

/* Drops the state, replays the journal and compares: *equal says whether it came out the same. */
kt_code kt_rebuild(const char *directory, void (*progress)(void *context, uint64_t done, uint64_t of), void *context,
                   bool *equal, uint64_t *records, kt_error *error);

typedef struct kt_stats {
    kt_head head;
    uint64_t disk_bytes;    /* everything the book takes on disk */
    uint64_t journal_bytes; /* stored blocks */
    uint64_t free_pages;    /* LMDB pages that will be used again */
    uint64_t free_list;     /* entries of LMDB's free list */
    uint64_t page_size;
    uint64_t blocks, runs;
    uint64_t readers;
} kt_stats;
kt_code kt_view_stats(kt_view *view, kt_stats *out, kt_error *error);

/* A hot copy while others post, then verified. destination must not exist. KT_EXISTS. */
kt_code kt_backup(kt_book *book, const char *destination, const kt_verify_options *verify, kt_error *error);
/* Copies a backup to destination (which must not exist) and verifies it. */
kt_code kt_restore(const char *source, const char *destination, const kt_verify_options *verify, kt_error *error);

/* The log as C2SP tlog-tiles: checkpoint, tile/, tile/entries/. directory must not exist or be empty. */
kt_code kt_export_tlog(kt_view *view, const char *directory, bool hashes_only, kt_error *error);

/* ---- Proofs, which need no book to be checked ------------------------------------------------------ */

/* A record (an entry, or any other) with the proof that it lies in the book under the view's signed checkpoint: one text in the
   form of C2SP tlog-proof, zero-terminated, the caller's: free(). It carries the record itself, a long entry whole, and,
   each with a proof of its own, the records that its currencies and the company are understood by. KT_NOT_FOUND: no such
   record. KT_DAMAGED: the book, whose stored tree does not lead to its checkpoint. storage/FORMAT.md says each byte. */
kt_code kt_prove(kt_view *view, uint64_t number, char **text, size_t *size, kt_error *error);

/* The proof that the second checkpoint (NULL: the view's) extends the first; both are signed notes of this book. KT_USAGE: in
   the wrong order. KT_NOT_FOUND: the book has fewer records. KT_FOREIGN: of another book. KT_DAMAGED: the book's history is
   not that of the checkpoints. */
kt_code kt_prove_consistency(kt_view *view, const char *older, size_t older_size, const char *newer, size_t newer_size,
                             char **text, size_t *size, kt_error *error);

#define KT_PROOF_SIZE_MAX 209911808 /* bytes of a proof's text at most; one of an ordinary entry has some 3,000 */

/* What a proof proves, once it holds. Nothing in it comes from anywhere but signed or hashed bytes. */
typedef struct kt_proved {
    bool consistency;          /* else inclusion */
    kt_str origin;             /* the log that the key given is of */
    uint64_t size, older_size; /* records under the checkpoint; consistency: under the older one */
    uint8_t root[KT_DIGEST_SIZE], older_root[KT_DIGEST_SIZE];
    size_t hashes; /* that the proof has */
    /* Inclusion: */
    uint64_t number; /* of the record */
    kt_str kind;     /* "entry"; "" where this version does not know it */
    uint8_t leaf_hash[KT_DIGEST_SIZE];
    uint32_t parts; /* records before it that it was put together from */
    const kt_entry_view
        *entry; /* NULL: no entry. What a record does not say (batch, time, actor, whether it was reversed) is not
                                   set: a record proves itself alone */
    kt_str entity, currency; /* of the book, by a company record before it; "": no entry */
    const uint64_t *beside;  /* numbers of the records beside it that names and decimals rest on, proved as it is */
    size_t beside_count;
} kt_proved;

/* Checks a proof of either kind, with no book, under a verifier key that was got elsewhere (a vkey, as from
   kt_book_verifier). KT_INVALID: no proof in its one form. KT_FOREIGN: not signed by this key. KT_DAMAGED: it does not hold;
   the text says what. What it gives lives until kt_proved_free, and borrows the text. */
kt_code kt_check_proof(const char *text, size_t size, const char *verifier, kt_proved **out, kt_error *error);
void kt_proved_free(kt_proved *proved);

#ifdef __cplusplus
}
#endif

#endif
