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
    /* Witnesses (below), by their vkeys: some checkpoint must carry good cosignatures of `quorum` of them (0: of all), each
       counted once whatever its name, and the book must extend every checkpoint that any of them cosigned. Where none is
       given in `cosigned`, those kept in the book's witness/ are looked at. None that meets the quorum: a finding. */
    const char *const *witnesses;
    size_t witness_count;
    size_t quorum;
    const kt_str *cosigned; /* signed notes; each of them must meet the quorum */
    size_t cosigned_count;
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
    /* The newest checkpoint that met the quorum: what stands behind its records rests on the log key alone. */
    unsigned cosigners;     /* of the witnesses given; 0: none was found, or none asked for */
    uint64_t cosigned_size; /* records under it */
    int64_t cosigned_us;    /* the earliest of their times, µs since 1970 UTC */
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

/* A hot copy while others post, with the cosigned checkpoints kept beside it, then verified. destination must not exist. KT_EXISTS. */
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

/* The same under a checkpoint of the book that was kept (NULL: the view's), with all signatures that its note carries: so a proof
   rests on witnesses too. KT_NOT_FOUND: the record came behind it. KT_FOREIGN KT_DAMAGED: as kt_prove_consistency. */
kt_code kt_prove_under(kt_view *view, uint64_t number, const char *note, size_t note_size, char **text, size_t *size,
                       kt_error *error);

/* How many of these witnesses (vkeys; one key counts once) cosigned the checkpoint that a proof rests on (of consistency: the
   newer one), and the earliest of their times. What kt_check_proof checks is not checked here. KT_USAGE: more than
   KT_PROOF_WITNESSES_MAX. KT_DAMAGED: a cosignature that does not hold. */
#define KT_PROOF_WITNESSES_MAX 100
kt_code kt_proof_cosigners(const char *text, size_t size, const char *const *witnesses, size_t count,
                           unsigned *cosigners, int64_t *earliest_us, kt_error *error);

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

/* ---- Witnesses ------------------------------------------------------------------------------------- */

/* A witness is somebody else's program state, in a directory of its own: a key, and for each log it was told of the last
   checkpoint that it cosigned. It cosigns a checkpoint (C2SP tlog-cosignature) that is signed by the log's key and extends
   that last one by a proof that holds, and nothing else; what it refuses of a log it knows, it keeps in evidence/. The new
   state is on the disk before the cosignature is given out. Any number of processes may use one directory: they take turns.

   What it shows: whoever has its cosignature has the one history that this witness saw, so a log's owner cannot show the
   witness one past and somebody else another. It reads no entry and says nothing about what is in the books. */
typedef struct kt_witness kt_witness;

#define KT_WITNESS_LOG_KEYS 8 /* of one log: its keys one after the other */

typedef struct kt_witness_options { /* for tests; NULL: the system's clock */
    int64_t (*clock_us)(void *context);
    void *context;
} kt_witness_options;

/* Makes the directory (0700) with a new key (witness.key, 0600), which must not exist or be empty (KT_EXISTS). name: in each
   cosignature, as "witness.example.com/w1". log: the vkey of a log to begin with, NULL: none yet. KT_INVALID. */
kt_code kt_witness_create(const char *directory, const char *name, const char *log, kt_error *error);
/* options may be NULL. KT_FOREIGN: no witness there. KT_KEY. KT_DAMAGED. */
kt_code kt_witness_open(const char *directory, const kt_witness_options *options, kt_witness **out, kt_error *error);
void kt_witness_close(kt_witness *witness);
const char *kt_witness_verifier(const kt_witness *witness); /* its vkey, of type 0x04 */

/* Another log, or another key of one that it knows (after a rotation). The same again changes nothing. KT_LIMIT. */
kt_code kt_witness_add(kt_witness *witness, const char *log, kt_error *error);

/* proof: from the checkpoint cosigned last to this one, as kt_prove_consistency makes it; NULL where nothing was cosigned yet or
   it is the same again. *note is the checkpoint with the log's signature and the cosignature, zero-terminated, the
   caller's: free(). KT_UNKNOWN: a log it was not told of. KT_FOREIGN: not signed by a key of that log. KT_DAMAGED: it does not
   extend the last one, and is kept as evidence. KT_INVALID: malformed, or a proof from another checkpoint. */
kt_code kt_witness_cosign(kt_witness *witness, const char *checkpoint, size_t checkpoint_size, const char *proof,
                          size_t proof_size, char **note, size_t *size, kt_error *error);
/* The view's own checkpoint, with a proof made from the view. */
kt_code kt_witness_cosign_view(kt_witness *witness, kt_view *view, char **note, size_t *size, kt_error *error);

/* The note it cosigned last for a log; *note is NULL before the first. KT_UNKNOWN. */
kt_code kt_witness_last(kt_witness *witness, const char *origin, char **note, size_t *size, kt_error *error);

typedef struct kt_witness_log {
    const char *origin, *verifier; /* the key it was told of last */
    uint64_t size;                 /* of the checkpoint cosigned last, */
    int64_t time_us;               /* and when; 0: none yet */
    uint64_t evidence;             /* refused checkpoints kept */
} kt_witness_log;
/* By origin's hash; strings live during the call. A code other than KT_OK ends it. */
kt_code kt_witness_logs(kt_witness *witness,
                        kt_code (*found)(void *context, const kt_witness_log *log, kt_error *error), void *context,
                        kt_error *error);

/* The C2SP tlog-witness protocol without its transport: what to answer to the body of POST add-checkpoint. */
typedef struct kt_witness_answer {
    unsigned status;  /* of HTTP */
    const char *type; /* static; of the body */
    char *body;       /* the caller's: free() */
    size_t size;
} kt_witness_answer;
#define KT_ADD_CHECKPOINT_BODY_MAX 68608 /* bytes; longer ones are refused unread */
/* KT_OK: status 200. Otherwise *out is the refusal (unless out->body is NULL: out of memory), and *error says it too. */
kt_code kt_witness_add_checkpoint(kt_witness *witness, const char *body, size_t size, kt_witness_answer *out,
                                  kt_error *error);

/* The other side: has a witness cosign the view's checkpoint. post carries a body to it and brings back status and answer (at
   most `room` bytes); it is called a few times, since the witness says first what it saw last. witness: its vkey, which must
   have signed then; NULL: its lines are taken as they are. KT_DAMAGED: it saw another history. */
typedef kt_code (*kt_witness_post)(void *context, const char *body, size_t size, unsigned *status, char *answer,
                                   size_t room, size_t *answer_size, kt_error *error);
kt_code kt_witness_ask(kt_view *view, kt_witness_post post, void *context, const char *witness, char **note,
                       size_t *size, kt_error *error);

/* Keeps a cosigned checkpoint in the book's witness/, joined with what others cosigned of the same one; the newest 64 stay. It is
   storage that nobody trusts: only signatures count. KT_DAMAGED: another checkpoint of that size is kept there. */
kt_code kt_cosigned_keep(const char *directory, const char *note, size_t size, kt_error *error);

#ifdef __cplusplus
}
#endif

#endif
