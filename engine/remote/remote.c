#include "engine/remote/remote.h"

#include <stdlib.h>

#include "engine/exchange/sink.h"
#include "engine/remote/inside.h"
#include "storage/note.h"

#define US_PER_DAY 86400000000ll

/* ---- opening ---- */

kt_code kt_remote_ask(kt_remote *remote, kt_span begin, kt_span rest, kt_span *body, kt_error *error) {
    kt_code code = kt_link_send(remote->link, begin, rest, error);
    return code == KT_OK ? kt_link_receive(remote->link, body, error) : code;
}

static kt_code meet(kt_remote *remote, const kt_remote_options *options, kt_error *error) {
    kt_span body;
    kt_refused refused;
    kt_code code = kt_link_receive(remote->link, &body, error);
    if (code != KT_OK) return code;
    if (kt_refusal_read(body, &refused, NULL) == KT_OK) /* too many clients */
        return kt_fail(error, refused.code, "%.*s", (int)refused.text.size, refused.text.data);
    remote->hello_body = malloc(body.size);
    if (remote->hello_body == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    memcpy(remote->hello_body, body.data, body.size);
    code = kt_hello_read(kt_span_of(remote->hello_body, body.size), &remote->hello, error);
    if (code != KT_OK) return code;
    const kt_hello *hello = &remote->hello;
    memcpy(remote->origin, hello->origin.data, hello->origin.size);
    remote->today = hello->today;
    if (options->entity.size != 0 && !kt_str_equal(options->entity, hello->entity))
        return kt_fail(error, KT_FOREIGN, "the socket serves the book of '%.*s', expected '%.*s'",
                       (int)hello->entity.size, hello->entity.data, (int)options->entity.size, options->entity.data);
    return kt_shadow_begin(remote->shadow, hello, error);
}

static kt_code load_key(kt_remote *remote, const kt_remote_options *options, kt_error *error) {
    remote->signer = options->signer;
    if (remote->signer != NULL) return KT_OK;
    if (options->key_file == NULL) return kt_fail(error, KT_USAGE, "whose key signs? Name a key file");
    kt_code code = kt_key_load(options->key_file, options->passphrase, options->context, &remote->own, error);
    remote->signer = remote->own;
    return code == KT_INVALID || code == KT_DAMAGED ? kt_fail_at(error, KT_KEY, "key") : code;
}

kt_code kt_remote_open(const char *path, const kt_remote_options *options, kt_remote **out, kt_error *error) {
    kt_remote *remote = calloc(1, sizeof *remote);
    *out = NULL;
    if (remote == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_draft_init(&remote->draft);
    kt_code code = kt_keys_setup(error);
    if (code == KT_OK) code = load_key(remote, options, error);
    if (code == KT_OK) code = kt_shadow_open(&remote->shadow, error);
    if (code == KT_OK) code = kt_link_open(path, &remote->link, error);
    if (code == KT_OK) code = meet(remote, options, error);
    if (code != KT_OK) kt_remote_close(remote);
    else *out = remote;
    return code;
}

static void forget_refusals(kt_remote *remote) {
    for (size_t i = 0; i < remote->refusal_count; i++) free(remote->refusals[i].text);
    remote->refusal_count = 0;
}

void kt_remote_close(kt_remote *remote) {
    if (remote == NULL) return;
    forget_refusals(remote);
    free(remote->refusals);
    kt_form_release(&remote->form);
    kt_draft_release(&remote->draft);
    kt_shadow_close(remote->shadow);
    kt_link_close(remote->link);
    kt_signer_close(remote->own);
    free(remote->hello_body);
    free(remote);
}

const char *kt_remote_origin(const kt_remote *remote) { return remote->origin; }
kt_str kt_remote_currency(const kt_remote *remote) { return remote->hello.currency; }

/* ---- a batch ---- */

static kt_code fill(kt_remote *remote, const kt_batch_options *options, kt_error *error) {
    uint8_t bytes[16];
    if (options->id.size > KT_BATCH_ID_MAX || !kt_utf8_valid(options->id.data, options->id.size) ||
        kt_utf8_controls(options->id.data, options->id.size))
        return kt_fail(error, KT_LIMIT,
                       "a batch id has %zu bytes, at most %d of UTF-8 without control characters are kept",
                       options->id.size, KT_BATCH_ID_MAX);
    if (options->rounding_account.size > KT_ACCOUNT_CODE_MAX)
        return kt_fail(error, KT_LIMIT, "the rounding account's code is longer than %d bytes", KT_ACCOUNT_CODE_MAX);
    memset(remote->id, 0, sizeof remote->id);
    memset(remote->rounding_account, 0, sizeof remote->rounding_account);
    if (options->id.size != 0) memcpy(remote->id, options->id.data, options->id.size);
    else {
        kt_random(bytes, sizeof bytes);
        kt_hex_encode(bytes, sizeof bytes, remote->id);
    }
    if (options->rounding_account.size != 0)
        memcpy(remote->rounding_account, options->rounding_account.data, options->rounding_account.size);
    remote->has_digest = options->content_digest != NULL;
    if (remote->has_digest) memcpy(remote->digest, options->content_digest, KT_DIGEST_SIZE);
    remote->allow_duplicate_voucher = options->allow_duplicate_voucher;
    return KT_OK;
}

/* Bytes before the records, at most. */
#define HEAD_ROOM (512u + KT_FRAME_CURRENCIES_MAX * (KT_CURRENCY_CODE_MAX + 4u))

static void pack_head(const kt_remote *remote, uint32_t flags, const uint8_t *signature, uint64_t rejected,
                      kt_pack *pack, uint8_t room[HEAD_ROOM]) {
    kt_batch_frame frame = {.flags = flags,
                            .id = kt_str_from(remote->id),
                            .actor = kt_signer_public(remote->signer),
                            .signature = signature,
                            .input = remote->has_digest ? remote->digest : NULL,
                            .posted = remote->draft.entry_count,
                            .rejected = rejected,
                            .assumed_count = remote->assumed_count,
                            .count = remote->draft.count};
    kt_pack_init(pack, room, HEAD_ROOM);
    kt_batch_frame_pack(pack, &frame, remote->assumed);
}

/* The draft as a frame; what came for it. */
static kt_code submit(kt_remote *remote, uint32_t flags, const uint8_t *signature, uint64_t rejected, kt_span *body,
                      kt_error *error) {
    uint8_t room[HEAD_ROOM];
    kt_pack pack;
    pack_head(remote, flags | KT_BATCH_NEW_ACCOUNTS, signature, rejected, &pack, room);
    return kt_remote_ask(remote, kt_span_of(room, pack.size), kt_span_of(remote->draft.data, remote->draft.size), body,
                         error);
}

/* A refusal, said of the entry it is about. */
static kt_code refuse(const kt_remote *remote, const kt_refused *refused, kt_error *error) {
    const kt_draft_entry *entry = kt_draft_entry_of(&remote->draft, refused->record);
    kt_fail(error, refused->code, "%.*s", (int)refused->text.size, refused->text.data);
    if (entry == NULL || entry->file == NULL) return refused->code;
    return kt_fail_at(error, refused->code, "%s:%zu", entry->file, entry->file_line);
}

static kt_code take_receipt(const kt_receipt_frame *frame, kt_receipt *receipt, kt_error *error) {
    if (receipt != NULL) *receipt = frame->receipt;
    if (!frame->repeated) return KT_OK;
    return kt_fail(error, KT_REPEATED, "already posted as batch %s, records %llu to %llu", frame->receipt.batch_id,
                   (unsigned long long)frame->receipt.first, (unsigned long long)frame->receipt.last);
}

/* Receipt or refusal. `other`: what else may come (0: nothing), left to the caller with KT_OK and *came. */
static kt_code hear(kt_remote *remote, kt_span body, kt_frame_type other, kt_frame_type *came, kt_receipt *receipt,
                    kt_error *error) {
    kt_receipt_frame frame;
    kt_refused refused;
    kt_code code = kt_frame_type_of(body, came, error);
    if (code != KT_OK || (*came == other && other != 0)) return code;
    if (*came == KT_FRAME_RECEIPT) {
        code = kt_receipt_read(body, &frame, error);
        return code == KT_OK ? take_receipt(&frame, receipt, error) : code;
    }
    if (*came != KT_FRAME_REFUSAL) return kt_fail(error, KT_INVALID, "the server says what was not asked for");
    code = kt_refusal_read(body, &refused, error);
    return code == KT_OK ? refuse(remote, &refused, error) : code;
}

/* LAW 5: a named batch is looked up before anything is read for it. */
static kt_code look_up(kt_remote *remote, kt_receipt *receipt, kt_error *error) {
    kt_span body;
    kt_frame_type came;
    kt_code code = submit(remote, KT_BATCH_TRY, NULL, 0, &body, error);
    return code == KT_OK ? hear(remote, body, KT_FRAME_TRIED, &came, receipt, error) : code;
}

kt_code kt_remote_begin(kt_remote *remote, const kt_batch_options *options, kt_receipt *receipt, kt_error *error) {
    static const kt_batch_options defaults;
    if (options == NULL) options = &defaults;
    if (remote->open) return kt_fail(error, KT_USAGE, "a batch is open already");
    kt_code code = remote->stale ? kt_shadow_begin(remote->shadow, &remote->hello, error) : KT_OK;
    if (code != KT_OK) return code;
    remote->stale = false;
    remote->ordinal = 0;
    remote->assumed_count = 0;
    kt_draft_clear(&remote->draft);
    kt_shadow_renew(remote->shadow);
    forget_refusals(remote);
    code = fill(remote, options, error);
    if (code == KT_OK && options->id.size != 0) code = look_up(remote, receipt, error);
    remote->open = code == KT_OK;
    return code;
}

void kt_remote_abort(kt_remote *remote) { remote->open = false; }

kt_code kt_remote_commit(kt_remote *remote, uint64_t rejected, kt_receipt *receipt, kt_error *error) {
    uint8_t signature[KT_SIGNATURE_SIZE];
    kt_span body;
    kt_frame_type came;
    kt_receipt unwanted;
    if (receipt == NULL) receipt = &unwanted;
    memset(receipt, 0, sizeof *receipt);
    if (!remote->open) return kt_fail(error, KT_USAGE, "no batch is open");
    remote->open = false;
    if (remote->draft.count == 0) return KT_OK; /* as with a book: nothing is stored, and no id reserved */
    kt_code code = kt_draft_sign(&remote->draft, remote->origin, kt_str_from(remote->id), remote->signer, signature,
                                 error);
    if (code == KT_OK) code = submit(remote, 0, signature, rejected, &body, error);
    if (code == KT_OK) code = hear(remote, body, 0, &came, receipt, error);
    if (code == KT_OK) {
        remote->stale = false;
        for (uint32_t i = 0; i < remote->assumed_count && code == KT_OK; i++)
            code = kt_shadow_posted(remote->shadow, remote->assumed[i].code, error);
        remote->today = (kt_day)(receipt->recorded_us / US_PER_DAY);
    }
    return code;
}

/* ---- trying ---- */

static size_t place_of(const kt_remote *remote, uint64_t ordinal) {
    size_t low = 0, high = remote->refusal_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (remote->refusals[middle].ordinal < ordinal) low = middle + 1;
        else high = middle;
    }
    return low;
}

const kt_known_refusal *kt_remote_refusal_of(const kt_remote *remote, uint64_t ordinal) {
    size_t at = place_of(remote, ordinal);
    return at < remote->refusal_count && remote->refusals[at].ordinal == ordinal ? &remote->refusals[at] : NULL;
}

/* What was taken for a voucher used before may be refused for another reason next time. */
static kt_code note_refusal(kt_remote *remote, uint64_t ordinal, const kt_refused *refused, kt_error *error) {
    char *text = strndup(refused->text.data, refused->text.size);
    if (text == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    size_t at = place_of(remote, ordinal);
    if (at < remote->refusal_count && remote->refusals[at].ordinal == ordinal) {
        free(remote->refusals[at].text);
        remote->refusals[at] = (kt_known_refusal){ordinal, refused->code, text};
        return KT_OK;
    }
    if (remote->refusal_count == remote->refusal_room) {
        size_t room = remote->refusal_room == 0 ? 64 : remote->refusal_room * 2;
        kt_known_refusal *grown = realloc(remote->refusals, room * sizeof *grown);
        if (grown == NULL) {
            free(text);
            return kt_fail(error, KT_MEMORY, "out of memory");
        }
        remote->refusals = grown;
        remote->refusal_room = room;
    }
    memmove(remote->refusals + at + 1, remote->refusals + at, (remote->refusal_count - at) * sizeof *remote->refusals);
    remote->refusals[at] = (kt_known_refusal){ordinal, refused->code, text};
    remote->refusal_count++;
    return KT_OK;
}

static kt_code note_tried(kt_remote *remote, kt_span body, bool *news, kt_error *error) {
    kt_tried_frame tried;
    kt_unpack unpack;
    kt_refused refused;
    kt_code code = kt_tried_read(body, &tried, error);
    if (code != KT_OK) return code;
    kt_unpack_init(&unpack, tried.packed);
    for (uint32_t i = 0; i < tried.count && code == KT_OK; i++) {
        kt_tried_next(&unpack, &refused);
        const kt_draft_entry *entry = kt_draft_entry_of(&remote->draft, refused.record);
        if (entry == NULL || entry->record != refused.record) return refuse(remote, &refused, error); /* a register's */
        *news = true;
        code = note_refusal(remote, entry->ordinal, &refused, error);
    }
    return code;
}

kt_code kt_remote_judge(kt_remote *remote, bool *news, kt_error *error) {
    kt_span body;
    kt_frame_type came;
    *news = false;
    if (!remote->open) return kt_fail(error, KT_USAGE, "no batch is open");
    kt_code code = KT_OK;
    if (remote->draft.count != 0) {
        code = submit(remote, KT_BATCH_TRY, NULL, 0, &body, error);
        if (code == KT_OK) code = hear(remote, body, KT_FRAME_TRIED, &came, NULL, error);
        if (code == KT_OK) code = note_tried(remote, body, news, error);
    }
    if (code == KT_OK) code = kt_draft_drop_entries(&remote->draft, error);
    remote->ordinal = 0;
    remote->assumed_count = 0;
    kt_shadow_renew(remote->shadow);
    return code;
}

/* ---- importing ---- */

static kt_code sink_currency(void *to, kt_str *out, kt_error *error) {
    (void)error;
    *out = kt_remote_currency(to);
    return KT_OK;
}

static kt_code sink_begin(void *to, const kt_batch_options *options, kt_receipt *receipt, kt_error *error) {
    return kt_remote_begin(to, options, receipt, error);
}

static kt_code sink_find_account(void *to, kt_str code, kt_account *out, kt_error *error) {
    return kt_remote_find_account(to, code, out, error);
}

static kt_code sink_find_currency(void *to, kt_str code, uint8_t *decimals, bool *posted, kt_error *error) {
    return kt_remote_find_currency(to, code, decimals, posted, error);
}

static kt_code sink_account(void *to, const kt_account *account, kt_error *error) {
    return kt_remote_account(to, account, error);
}

static kt_code sink_add_currency(void *to, kt_str code, uint8_t decimals, kt_error *error) {
    return kt_remote_currency_add(to, code, decimals, error);
}

static kt_code sink_add(void *to, const kt_entry *entry, kt_error *error) { return kt_remote_add(to, entry, error); }

static kt_code sink_judge(void *to, bool *news, kt_error *error) { return kt_remote_judge(to, news, error); }

static kt_code sink_commit(void *to, uint64_t rejected, kt_receipt *receipt, kt_error *error) {
    return kt_remote_commit(to, rejected, receipt, error);
}

static void sink_abort(void *to) { kt_remote_abort(to); }

kt_code kt_remote_import(kt_remote *remote, const char *path, const kt_import_options *options,
                         kt_import_result *result, kt_error *error) {
    static const kt_sink sink = {.currency = sink_currency,
                                 .begin = sink_begin,
                                 .find_account = sink_find_account,
                                 .find_currency = sink_find_currency,
                                 .add_account = sink_account,
                                 .add_currency = sink_add_currency,
                                 .add = sink_add,
                                 .judge = sink_judge,
                                 .commit = sink_commit,
                                 .abort = sink_abort};
    return kt_import_into(&sink, remote, path, options, result, error);
}
