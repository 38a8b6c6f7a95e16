/*
 * seal: the record that ends a batch, and what its maker signs.
 *
 * Signed (law 7), as text so that any tool can rebuild it:
 *
 *     kontor/batch/v1 \n origin \n hex(batch id) \n hex(actor key) \n records before the seal \n hex(content) \n
 *
 * content is SHA-256 over the SHA-256 of each run of 256 leaf hashes of the batch's records (the last run may be
 * shorter). The message names the book's origin, so a batch cannot be replayed into another book. Outside the
 * signed part the writer adds the recorded time, the counts of the input and its digest, and his epoch.
 */
#ifndef KT_STORAGE_SEAL_H
#define KT_STORAGE_SEAL_H

#include "storage/bytes.h"
#include "storage/digest.h"
#include "storage/keys.h"

#define KT_SEAL_ID_MAX 128
#define KT_SEAL_MESSAGE_MAX 1024

typedef struct kt_content { /* the running content digest of a batch */
    kt_sha256 run, all;
    uint64_t leaves;
} kt_content;

void kt_content_init(kt_content *content);
void kt_content_add(kt_content *content, const uint8_t *leaves, size_t count);
void kt_content_final(const kt_content *content, uint8_t out[KT_HASH_SIZE]);

typedef struct kt_seal {
    kt_span id; /* 1 to KT_SEAL_ID_MAX bytes */
    uint8_t actor[KT_PUBLIC_KEY_SIZE];
    uint64_t count; /* records before the seal */
    uint8_t content[KT_HASH_SIZE];
    uint8_t signature[KT_SIGNATURE_SIZE];
    int64_t recorded_us; /* never earlier than the seal before */
    bool clock_behind;   /* the clock was behind the last recorded time */
    bool has_input;
    uint8_t input[KT_HASH_SIZE];     /* digest of what the batch id stands for */
    uint64_t read, posted, rejected; /* entries of the input */
    uint64_t epoch;                  /* of the writer: counts openings for writing */
} kt_seal;

/* Text of the signed message; returns its length. */
size_t kt_seal_message(const char *origin, const kt_seal *seal, char out[KT_SEAL_MESSAGE_MAX]);
/* The day of a recorded time, which the seal's record is dated by. */
int32_t kt_seal_date(int64_t recorded_us);
/* Packs the whole record; returns its size (at most KT_SEAL_RECORD_MAX). date: the day of recorded_us. */
#define KT_SEAL_RECORD_MAX 512
size_t kt_seal_write(const kt_seal *seal, int32_t date, uint8_t out[KT_SEAL_RECORD_MAX]);
/* id borrows body. KT_DAMAGED, KT_NEWER. */
kt_code kt_seal_read(kt_span body, uint32_t kind_version, kt_seal *out, kt_error *error);

#endif
