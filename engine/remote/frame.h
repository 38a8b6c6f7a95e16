/*
 * frame: what a client and `kontor serve` say to each other, as bytes.
 *
 * A frame is its body's size (4 bytes, big-endian, 1 to KT_FRAME_MAX) and a body: one array in canonical msgpack whose
 * first element says what it is (storage/FORMAT.md, "The socket"). The server begins with a hello; from then on
 * the client asks one thing at a time and gets one frame for it.
 *
 *     hello ◄──     question ──► answer     batch ──► receipt | refusal | tried
 *
 * Laws kept: 12 (bytes that are not exactly one such array are refused). Pure: no memory, no book, no socket. What a
 * reader gives borrows the body. Errors of reading: KT_INVALID, KT_LIMIT, KT_NEWER.
 */
#ifndef KT_REMOTE_FRAME_H
#define KT_REMOTE_FRAME_H

#include "engine/kontor.h"
#include "storage/codec.h"
#include "storage/digest.h"
#include "storage/keys.h"
#include "storage/records.h"

#define KT_PROTOCOL 1
#define KT_FRAME_HEAD 4u
#define KT_FRAME_MAX (8u << 20)
#define KT_FRAME_ASKED_MAX 64u       /* things asked for in one question */
#define KT_FRAME_CURRENCIES_MAX 256u /* that a hello tells; others are asked for */
#define KT_FRAME_TRIED_MAX 1000u     /* refusals that the answer to a try lists */
#define KT_FRAME_TEXT_MAX 1199u      /* a refusal's sentence */

typedef enum kt_frame_type {
    KT_FRAME_HELLO = 1,
    KT_FRAME_QUESTION = 2,
    KT_FRAME_ANSWER = 3,
    KT_FRAME_BATCH = 4,
    KT_FRAME_RECEIPT = 5,
    KT_FRAME_REFUSAL = 6,
    KT_FRAME_TRIED = 7
} kt_frame_type;

/* What a head announces; 0: no size that is taken. */
uint32_t kt_frame_size(const uint8_t head[KT_FRAME_HEAD]);
void kt_frame_head(uint8_t head[KT_FRAME_HEAD], size_t size);
/* The type of a body; KT_INVALID: not one of the above. */
kt_code kt_frame_type_of(kt_span body, kt_frame_type *out, kt_error *error);

/* ---- server to client: who it is ---- */

typedef struct kt_told_currency {
    kt_str code;
    uint8_t decimals;
    bool posted;
} kt_told_currency;

typedef struct kt_hello {
    uint32_t protocol;
    kt_str origin, entity, currency; /* the book's */
    const uint8_t *log_key;
    uint8_t fiscal_month, fiscal_day;
    kt_day today;   /* of the head: what records of registers are dated by */
    uint32_t count; /* currencies on record, the first by code */
    kt_span packed; /* of them: for kt_hello_next */
} kt_hello;

/* The writers pack a whole body. `currencies`: hello->count of them. */
void kt_hello_pack(kt_pack *pack, const kt_hello *hello, const kt_told_currency *currencies);
kt_code kt_hello_read(kt_span body, kt_hello *out, kt_error *error);
bool kt_hello_next(kt_unpack *unpack, kt_told_currency *out); /* from kt_unpack_init(&unpack, hello.packed) */

/* ---- what is on record? ---- */

typedef struct kt_question {
    uint32_t account_count, currency_count, dimension_count; /* together at most KT_FRAME_ASKED_MAX */
    kt_str accounts[KT_FRAME_ASKED_MAX], currencies[KT_FRAME_ASKED_MAX];
    kt_dimension dimensions[KT_FRAME_ASKED_MAX];
} kt_question;

void kt_question_pack(kt_pack *pack, const kt_question *question);
kt_code kt_question_read(kt_span body, kt_question *out, kt_error *error);

typedef struct kt_answer { /* in the order of the question */
    uint32_t account_count, currency_count, dimension_count;
    bool accounts[KT_FRAME_ASKED_MAX]; /* on record? */
    struct {
        bool known, posted;
        uint8_t decimals;
    } currencies[KT_FRAME_ASKED_MAX];
    bool dimensions[KT_FRAME_ASKED_MAX];
} kt_answer;

void kt_answer_pack(kt_pack *pack, const kt_answer *answer);
kt_code kt_answer_read(kt_span body, kt_answer *out, kt_error *error);

/* ---- a batch and what becomes of it ---- */

/* Checked as if it were posted, and stored nowhere; not signed. Without records: is the id on record? */
#define KT_BATCH_TRY 1u
/* An account that is on record already is refused: KT_EXISTS. */
#define KT_BATCH_NEW_ACCOUNTS 2u

typedef struct kt_batch_frame {
    uint32_t flags;
    kt_str id;
    const uint8_t *actor;     /* KT_PUBLIC_KEY_SIZE */
    const uint8_t *signature; /* KT_SIGNATURE_SIZE; NULL: a try */
    const uint8_t *input;     /* KT_HASH_SIZE: what the id stands for; NULL: not said */
    uint64_t posted, rejected;
    /* Currencies whose decimals its amounts rest on and that nothing was posted in when they were told: they may have
       changed meanwhile, and then the batch is refused. */
    uint32_t assumed_count; /* at most KT_FRAME_CURRENCIES_MAX */
    kt_span assumed;        /* for kt_assumed_next */
    uint32_t count;         /* records */
    kt_span packed;         /* each as msgpack bytes, as it will be stored */
} kt_batch_frame;

/* All but the packed records, which the caller puts right behind; `packed` and `assumed` are not looked at. assumed:
   batch->assumed_count of them. */
void kt_batch_frame_pack(kt_pack *pack, const kt_batch_frame *batch, const kt_told_currency *assumed);
bool kt_assumed_next(kt_unpack *unpack, kt_told_currency *out);
kt_code kt_batch_frame_read(kt_span body, kt_batch_frame *out, kt_error *error);

typedef struct kt_receipt_frame {
    kt_receipt receipt;
    bool repeated; /* law 5: stored before, there */
    kt_str note;   /* the signed checkpoint that covers it */
} kt_receipt_frame;

void kt_receipt_pack(kt_pack *pack, const kt_receipt_frame *receipt);
kt_code kt_receipt_read(kt_span body, kt_receipt_frame *out, kt_error *error);

typedef struct kt_refused {
    kt_code code;
    int64_t record; /* of the batch, from 0; -1: the batch as a whole */
    kt_str text;
} kt_refused;

void kt_refusal_pack(kt_pack *pack, const kt_refused *refused);
kt_code kt_refusal_read(kt_span body, kt_refused *out, kt_error *error);

typedef struct kt_tried_frame {
    uint64_t entries; /* that would be posted */
    bool more;        /* were refused than are listed */
    uint32_t count;
    kt_span packed; /* for kt_tried_next */
} kt_tried_frame;

/* All but the refusals, `count` times kt_tried_pack_one behind it. */
void kt_tried_pack(kt_pack *pack, const kt_tried_frame *tried);
void kt_tried_pack_one(kt_pack *pack, const kt_refused *refused);
kt_code kt_tried_read(kt_span body, kt_tried_frame *out, kt_error *error);
bool kt_tried_next(kt_unpack *unpack, kt_refused *out);

#endif
