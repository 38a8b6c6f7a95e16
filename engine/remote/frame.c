#include "engine/remote/frame.h"

#include "storage/bytes.h"

uint32_t kt_frame_size(const uint8_t head[KT_FRAME_HEAD]) {
    uint32_t size = kt_get_be32(head);
    return size <= KT_FRAME_MAX ? size : 0;
}

void kt_frame_head(uint8_t head[KT_FRAME_HEAD], size_t size) { kt_put_be32(head, (uint32_t)size); }

static kt_code malformed(const char *what, kt_error *error) {
    return kt_fail(error, KT_INVALID, "%s is not as the protocol says", what);
}

kt_code kt_frame_type_of(kt_span body, kt_frame_type *out, kt_error *error) {
    kt_unpack unpack;
    uint32_t count;
    uint64_t type;
    kt_unpack_init(&unpack, body);
    if (!kt_unpack_array(&unpack, &count) || count == 0 || !kt_unpack_uint(&unpack, &type) || type < KT_FRAME_HELLO ||
        type > KT_FRAME_TRIED)
        return malformed("a frame", error);
    *out = (kt_frame_type)type;
    return KT_OK;
}

/* ---- what all readers use ---- */

static bool begins(kt_unpack *unpack, kt_span body, kt_frame_type type, uint32_t fields) {
    uint32_t count;
    uint64_t found;
    kt_unpack_init(unpack, body);
    return kt_unpack_array(unpack, &count) && count == fields && kt_unpack_uint(unpack, &found) && found == type;
}

static void begin(kt_pack *pack, kt_frame_type type, uint32_t fields) {
    kt_pack_array(pack, fields);
    kt_pack_uint(pack, type);
}

static void pack_str(kt_pack *pack, kt_str text) { kt_pack_text(pack, text.data, text.size); }

static bool take_str(kt_unpack *unpack, size_t most, kt_str *out) {
    return kt_unpack_text(unpack, &out->data, &out->size) && out->size <= most && kt_utf8_valid(out->data, out->size);
}

static bool take_fixed(kt_unpack *unpack, size_t expected, const uint8_t **out) {
    size_t size;
    return kt_unpack_bytes(unpack, out, &size) && size == expected;
}

/* NULL where there are no bytes. */
static bool take_optional(kt_unpack *unpack, size_t expected, const uint8_t **out) {
    size_t size;
    if (!kt_unpack_bytes(unpack, out, &size) || (size != 0 && size != expected)) return false;
    if (size == 0) *out = NULL;
    return true;
}

static bool take_small(kt_unpack *unpack, uint64_t most, uint8_t *out) {
    uint64_t value;
    if (!kt_unpack_uint(unpack, &value) || value > most) return false;
    *out = (uint8_t)value;
    return true;
}

static bool take_day(kt_unpack *unpack, kt_day *out) {
    int64_t value;
    if (!kt_unpack_int(unpack, &value) || value < INT32_MIN || value > INT32_MAX) return false;
    *out = (kt_day)value;
    return true;
}

/* ---- hello ---- */

void kt_hello_pack(kt_pack *pack, const kt_hello *hello, const kt_told_currency *currencies) {
    begin(pack, KT_FRAME_HELLO, 10);
    kt_pack_uint(pack, hello->protocol);
    pack_str(pack, hello->origin);
    kt_pack_bytes(pack, hello->log_key, KT_PUBLIC_KEY_SIZE);
    pack_str(pack, hello->entity);
    pack_str(pack, hello->currency);
    kt_pack_uint(pack, hello->fiscal_month);
    kt_pack_uint(pack, hello->fiscal_day);
    kt_pack_int(pack, hello->today);
    kt_pack_array(pack, 3 * hello->count);
    for (uint32_t i = 0; i < hello->count; i++) {
        pack_str(pack, currencies[i].code);
        kt_pack_uint(pack, currencies[i].decimals);
        kt_pack_bool(pack, currencies[i].posted);
    }
}

bool kt_hello_next(kt_unpack *unpack, kt_told_currency *out) {
    return unpack->at != unpack->end && take_str(unpack, KT_CURRENCY_CODE_MAX, &out->code) && out->code.size != 0 &&
           take_small(unpack, KT_DECIMALS_MAX, &out->decimals) && kt_unpack_bool(unpack, &out->posted);
}

/* A later protocol may say more behind its number, so that comes first. */
kt_code kt_hello_read(kt_span body, kt_hello *out, kt_error *error) {
    kt_unpack unpack, inner;
    uint32_t count, fields;
    uint64_t type, protocol;
    kt_told_currency currency;
    *out = (kt_hello){0};
    kt_unpack_init(&unpack, body);
    if (!kt_unpack_array(&unpack, &fields) || fields < 2 || !kt_unpack_uint(&unpack, &type) || type != KT_FRAME_HELLO ||
        !kt_unpack_uint(&unpack, &protocol) || protocol == 0)
        return malformed("the server's hello", error);
    if (protocol > KT_PROTOCOL)
        return kt_fail(error, KT_NEWER, "the server speaks protocol %llu, this version %d: use a newer kontor",
                       (unsigned long long)protocol, KT_PROTOCOL);
    if (fields != 10 || !take_str(&unpack, KT_NAME_MAX, &out->origin) || out->origin.size == 0 ||
        !take_fixed(&unpack, KT_PUBLIC_KEY_SIZE, &out->log_key) || !take_str(&unpack, KT_NAME_MAX, &out->entity) ||
        !take_str(&unpack, KT_CURRENCY_CODE_MAX, &out->currency) || out->currency.size == 0 ||
        !take_small(&unpack, 12, &out->fiscal_month) || !take_small(&unpack, 28, &out->fiscal_day) ||
        !take_day(&unpack, &out->today) || !kt_unpack_array(&unpack, &count) || count % 3 != 0 ||
        count > 3 * KT_FRAME_CURRENCIES_MAX)
        return malformed("the server's hello", error);
    out->protocol = (uint32_t)protocol;
    out->count = count / 3;
    out->packed = kt_span_of(unpack.at, (size_t)(unpack.end - unpack.at));
    inner = unpack;
    for (uint32_t i = 0; i < out->count; i++)
        if (!kt_hello_next(&inner, &currency)) return malformed("the server's hello", error);
    return kt_unpack_done(&inner) ? KT_OK : malformed("the server's hello", error);
}

/* ---- questions and answers ---- */

void kt_question_pack(kt_pack *pack, const kt_question *question) {
    begin(pack, KT_FRAME_QUESTION, 4);
    kt_pack_array(pack, question->account_count);
    for (uint32_t i = 0; i < question->account_count; i++) pack_str(pack, question->accounts[i]);
    kt_pack_array(pack, question->currency_count);
    for (uint32_t i = 0; i < question->currency_count; i++) pack_str(pack, question->currencies[i]);
    kt_pack_array(pack, 2 * question->dimension_count);
    for (uint32_t i = 0; i < question->dimension_count; i++) {
        kt_pack_uint(pack, question->dimensions[i].dimension);
        pack_str(pack, question->dimensions[i].value);
    }
}

static bool take_codes(kt_unpack *unpack, size_t most, kt_str *codes, uint32_t *count) {
    if (!kt_unpack_array(unpack, count) || *count > KT_FRAME_ASKED_MAX) return false;
    for (uint32_t i = 0; i < *count; i++)
        if (!take_str(unpack, most, &codes[i]) || codes[i].size == 0) return false;
    return true;
}

kt_code kt_question_read(kt_span body, kt_question *out, kt_error *error) {
    kt_unpack unpack;
    uint32_t count;
    out->account_count = out->currency_count = out->dimension_count = 0;
    bool good = begins(&unpack, body, KT_FRAME_QUESTION, 4) &&
                take_codes(&unpack, KT_ACCOUNT_CODE_MAX, out->accounts, &out->account_count) &&
                take_codes(&unpack, KT_CURRENCY_CODE_MAX, out->currencies, &out->currency_count) &&
                kt_unpack_array(&unpack, &count) && count % 2 == 0 && count <= 2 * KT_FRAME_ASKED_MAX;
    for (uint32_t i = 0; good && i < count / 2; i++) {
        kt_dimension *pair = &out->dimensions[i];
        good = take_small(&unpack, KT_DIMENSIONS_MAX, &pair->dimension) && pair->dimension != 0 &&
               take_str(&unpack, KT_DIMENSION_VALUE_MAX, &pair->value) && pair->value.size != 0;
    }
    if (!good || !kt_unpack_done(&unpack)) return malformed("a question", error);
    out->dimension_count = count / 2;
    if (out->account_count + out->currency_count + out->dimension_count > KT_FRAME_ASKED_MAX)
        return kt_fail(error, KT_LIMIT, "a question asks for more than %u things", KT_FRAME_ASKED_MAX);
    return KT_OK;
}

void kt_answer_pack(kt_pack *pack, const kt_answer *answer) {
    begin(pack, KT_FRAME_ANSWER, 4);
    kt_pack_array(pack, answer->account_count);
    for (uint32_t i = 0; i < answer->account_count; i++) kt_pack_bool(pack, answer->accounts[i]);
    kt_pack_array(pack, answer->currency_count);
    for (uint32_t i = 0; i < answer->currency_count; i++) {
        kt_pack_array(pack, answer->currencies[i].known ? 2 : 0);
        if (!answer->currencies[i].known) continue;
        kt_pack_uint(pack, answer->currencies[i].decimals);
        kt_pack_bool(pack, answer->currencies[i].posted);
    }
    kt_pack_array(pack, answer->dimension_count);
    for (uint32_t i = 0; i < answer->dimension_count; i++) kt_pack_bool(pack, answer->dimensions[i]);
}

kt_code kt_answer_read(kt_span body, kt_answer *out, kt_error *error) {
    kt_unpack unpack;
    uint32_t fields;
    *out = (kt_answer){0};
    bool good = begins(&unpack, body, KT_FRAME_ANSWER, 4) && kt_unpack_array(&unpack, &out->account_count) &&
                out->account_count <= KT_FRAME_ASKED_MAX;
    for (uint32_t i = 0; good && i < out->account_count; i++) good = kt_unpack_bool(&unpack, &out->accounts[i]);
    good = good && kt_unpack_array(&unpack, &out->currency_count) && out->currency_count <= KT_FRAME_ASKED_MAX;
    for (uint32_t i = 0; good && i < out->currency_count; i++) {
        good = kt_unpack_array(&unpack, &fields) && (fields == 0 || fields == 2);
        out->currencies[i].known = good && fields != 0;
        if (out->currencies[i].known)
            good = take_small(&unpack, KT_DECIMALS_MAX, &out->currencies[i].decimals) &&
                   kt_unpack_bool(&unpack, &out->currencies[i].posted);
    }
    good = good && kt_unpack_array(&unpack, &out->dimension_count) && out->dimension_count <= KT_FRAME_ASKED_MAX;
    for (uint32_t i = 0; good && i < out->dimension_count; i++) good = kt_unpack_bool(&unpack, &out->dimensions[i]);
    return good && kt_unpack_done(&unpack) ? KT_OK : malformed("the server's answer", error);
}

/* ---- batches ---- */

void kt_batch_frame_pack(kt_pack *pack, const kt_batch_frame *batch, const kt_told_currency *assumed) {
    begin(pack, KT_FRAME_BATCH, 10);
    kt_pack_uint(pack, batch->flags);
    pack_str(pack, batch->id);
    kt_pack_bytes(pack, batch->actor, KT_PUBLIC_KEY_SIZE);
    kt_pack_bytes(pack, batch->signature, batch->signature == NULL ? 0 : KT_SIGNATURE_SIZE);
    kt_pack_bytes(pack, batch->input, batch->input == NULL ? 0 : KT_HASH_SIZE);
    kt_pack_uint(pack, batch->posted);
    kt_pack_uint(pack, batch->rejected);
    kt_pack_array(pack, 2 * batch->assumed_count);
    for (uint32_t i = 0; i < batch->assumed_count; i++) {
        pack_str(pack, assumed[i].code);
        kt_pack_uint(pack, assumed[i].decimals);
    }
    kt_pack_array(pack, batch->count);
}

bool kt_assumed_next(kt_unpack *unpack, kt_told_currency *out) {
    out->posted = false;
    return take_str(unpack, KT_CURRENCY_CODE_MAX, &out->code) && out->code.size != 0 &&
           take_small(unpack, KT_DECIMALS_MAX, &out->decimals);
}

static bool take_assumed(kt_unpack *unpack, kt_batch_frame *out) {
    uint32_t count;
    kt_told_currency currency;
    if (!kt_unpack_array(unpack, &count) || count % 2 != 0 || count > 2 * KT_FRAME_CURRENCIES_MAX) return false;
    const uint8_t *from = unpack->at;
    out->assumed_count = count / 2;
    for (uint32_t i = 0; i < out->assumed_count; i++)
        if (!kt_assumed_next(unpack, &currency)) return false;
    out->assumed = kt_span_of(from, (size_t)(unpack->at - from));
    return true;
}

kt_code kt_batch_frame_read(kt_span body, kt_batch_frame *out, kt_error *error) {
    kt_unpack unpack;
    uint64_t flags, sum;
    const uint8_t *record;
    size_t size;
    *out = (kt_batch_frame){0};
    if (!begins(&unpack, body, KT_FRAME_BATCH, 10) || !kt_unpack_uint(&unpack, &flags) ||
        flags > (KT_BATCH_TRY | KT_BATCH_NEW_ACCOUNTS) || !take_str(&unpack, KT_BATCH_ID_MAX, &out->id) ||
        !take_fixed(&unpack, KT_PUBLIC_KEY_SIZE, &out->actor) ||
        !take_optional(&unpack, KT_SIGNATURE_SIZE, &out->signature) ||
        !take_optional(&unpack, KT_HASH_SIZE, &out->input) || !kt_unpack_uint(&unpack, &out->posted) ||
        !kt_unpack_uint(&unpack, &out->rejected) || !take_assumed(&unpack, out) ||
        !kt_unpack_array(&unpack, &out->count))
        return malformed("a batch", error);
    out->flags = (uint32_t)flags;
    bool tries = (flags & KT_BATCH_TRY) != 0;
    if (tries == (out->signature != NULL)) return malformed("a batch's signature", error);
    if (out->id.size == 0 || kt_utf8_controls(out->id.data, out->id.size)) return malformed("a batch's id", error);
    if (out->count == 0 && !tries) return kt_fail(error, KT_INVALID, "a batch without records");
    if (__builtin_add_overflow(out->posted, out->rejected, &sum)) return malformed("a batch's counts", error);
    out->packed = kt_span_of(unpack.at, (size_t)(unpack.end - unpack.at));
    for (uint32_t i = 0; i < out->count; i++)
        if (!kt_unpack_bytes(&unpack, &record, &size) || size == 0 || size > KT_RECORD_MAX)
            return malformed("a batch's record", error);
    return kt_unpack_done(&unpack) ? KT_OK : malformed("a batch", error);
}

/* ---- what becomes of it ---- */

void kt_receipt_pack(kt_pack *pack, const kt_receipt_frame *frame) {
    const kt_receipt *receipt = &frame->receipt;
    begin(pack, KT_FRAME_RECEIPT, 11);
    kt_pack_bool(pack, frame->repeated);
    kt_pack_text(pack, receipt->batch_id, strlen(receipt->batch_id));
    kt_pack_uint(pack, receipt->first);
    kt_pack_uint(pack, receipt->last);
    kt_pack_uint(pack, receipt->entries);
    kt_pack_int(pack, receipt->recorded_us);
    kt_pack_bool(pack, receipt->clock_behind);
    kt_pack_uint(pack, receipt->tree_size);
    kt_pack_bytes(pack, receipt->root, KT_HASH_SIZE);
    pack_str(pack, frame->note);
}

kt_code kt_receipt_read(kt_span body, kt_receipt_frame *out, kt_error *error) {
    kt_unpack unpack;
    kt_str id;
    const uint8_t *root;
    *out = (kt_receipt_frame){0};
    kt_receipt *receipt = &out->receipt;
    if (!begins(&unpack, body, KT_FRAME_RECEIPT, 11) || !kt_unpack_bool(&unpack, &out->repeated) ||
        !take_str(&unpack, KT_BATCH_ID_MAX, &id) || !kt_unpack_uint(&unpack, &receipt->first) ||
        !kt_unpack_uint(&unpack, &receipt->last) || !kt_unpack_uint(&unpack, &receipt->entries) ||
        !kt_unpack_int(&unpack, &receipt->recorded_us) || !kt_unpack_bool(&unpack, &receipt->clock_behind) ||
        !kt_unpack_uint(&unpack, &receipt->tree_size) || !take_fixed(&unpack, KT_HASH_SIZE, &root) ||
        !take_str(&unpack, KT_FRAME_MAX, &out->note) || !kt_unpack_done(&unpack))
        return malformed("the server's receipt", error);
    memcpy(receipt->batch_id, id.data, id.size);
    memcpy(receipt->root, root, KT_HASH_SIZE);
    return KT_OK;
}

static void pack_code(kt_pack *pack, kt_code code) { kt_pack_uint(pack, (uint64_t) - (int64_t)code); }

static bool take_code(kt_unpack *unpack, kt_code *out) {
    uint64_t value;
    if (!kt_unpack_uint(unpack, &value) || value == 0 || value > 1000) return false;
    *out = (kt_code) - (int)value;
    return true;
}

void kt_refusal_pack(kt_pack *pack, const kt_refused *refused) {
    begin(pack, KT_FRAME_REFUSAL, 4);
    pack_code(pack, refused->code);
    kt_pack_int(pack, refused->record);
    pack_str(pack, refused->text);
}

kt_code kt_refusal_read(kt_span body, kt_refused *out, kt_error *error) {
    kt_unpack unpack;
    if (!begins(&unpack, body, KT_FRAME_REFUSAL, 4) || !take_code(&unpack, &out->code) ||
        !kt_unpack_int(&unpack, &out->record) || out->record < -1 ||
        !take_str(&unpack, KT_FRAME_TEXT_MAX, &out->text) || !kt_unpack_done(&unpack))
        return malformed("the server's refusal", error);
    return KT_OK;
}

void kt_tried_pack(kt_pack *pack, const kt_tried_frame *tried) {
    begin(pack, KT_FRAME_TRIED, 4);
    kt_pack_uint(pack, tried->entries);
    kt_pack_bool(pack, tried->more);
    kt_pack_array(pack, 3 * tried->count);
}

void kt_tried_pack_one(kt_pack *pack, const kt_refused *refused) {
    kt_pack_int(pack, refused->record);
    pack_code(pack, refused->code);
    pack_str(pack, refused->text);
}

bool kt_tried_next(kt_unpack *unpack, kt_refused *out) {
    return unpack->at != unpack->end && kt_unpack_int(unpack, &out->record) && out->record >= 0 &&
           take_code(unpack, &out->code) && take_str(unpack, KT_FRAME_TEXT_MAX, &out->text);
}

kt_code kt_tried_read(kt_span body, kt_tried_frame *out, kt_error *error) {
    kt_unpack unpack, inner;
    uint32_t count;
    kt_refused one;
    *out = (kt_tried_frame){0};
    if (!begins(&unpack, body, KT_FRAME_TRIED, 4) || !kt_unpack_uint(&unpack, &out->entries) ||
        !kt_unpack_bool(&unpack, &out->more) || !kt_unpack_array(&unpack, &count) || count % 3 != 0 ||
        count > 3 * KT_FRAME_TRIED_MAX)
        return malformed("the server's answer to a try", error);
    out->count = count / 3;
    out->packed = kt_span_of(unpack.at, (size_t)(unpack.end - unpack.at));
    inner = unpack;
    for (uint32_t i = 0; i < out->count; i++)
        if (!kt_tried_next(&inner, &one)) return malformed("the server's answer to a try", error);
    return kt_unpack_done(&inner) ? KT_OK : malformed("the server's answer to a try", error);
}
