#include "engine/actors.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/view.h"
#include "storage/codec.h"
#include "storage/note.h"

#define SMALL_RECORD 8192u

static const char *const role_names[] = {NULL, "owner", "clerk", "controller", "payroll", "staff", "auditor", "admin"};

const char *kt_role_name(kt_role role) {
    return role >= KT_ROLE_OWNER && role <= KT_ROLE_ADMIN ? role_names[role] : "?";
}

bool kt_role_parse(kt_str name, kt_role *out) {
    for (kt_role role = KT_ROLE_OWNER; role <= KT_ROLE_ADMIN; role++)
        if (kt_str_equal(name, kt_str_from(role_names[role]))) {
            *out = role;
            return true;
        }
    return false;
}

size_t kt_key_rotation_message(const char *origin, const uint8_t from[KT_KEY_SIZE], const uint8_t to[KT_KEY_SIZE],
                               char out[KT_ROTATION_MESSAGE_MAX]) {
    char a[2 * KT_KEY_SIZE + 1], b[2 * KT_KEY_SIZE + 1];
    kt_hex_encode(from, KT_KEY_SIZE, a);
    kt_hex_encode(to, KT_KEY_SIZE, b);
    int size = snprintf(out, KT_ROTATION_MESSAGE_MAX, "kontor/rotation/v1\n%s\n%s\n%s\n", origin, a, b);
    return size < 0 || size >= KT_ROTATION_MESSAGE_MAX ? 0 : (size_t)size;
}

/* ---- records ---- */

/* A record's fields as they are read; what a kind has not stays empty. */
struct fields {
    kt_access_change change;
    const uint8_t *from_signature, *to_signature;
};

static void pack_str(kt_pack *pack, kt_str text) { kt_pack_text(pack, text.data, text.size); }

static kt_span write_record(const struct fields *fields, uint32_t kind, kt_day date, uint8_t *out, size_t room) {
    const kt_access_change *change = &fields->change;
    kt_pack pack;
    kt_pack_init(&pack, out, room);
    kt_pack_envelope(&pack, kind, 1, date);
    switch (change->what) {
    case KT_ACCESS_ADD:
        kt_pack_array(&pack, 2);
        pack_str(&pack, change->actor);
        kt_pack_bytes(&pack, change->key, KT_KEY_SIZE);
        break;
    case KT_ACCESS_GRANT:
    case KT_ACCESS_WITHDRAW:
        kt_pack_array(&pack, 3);
        pack_str(&pack, change->actor);
        kt_pack_uint(&pack, (uint64_t)change->role);
        if (change->what == KT_ACCESS_WITHDRAW) pack_str(&pack, change->reason);
        else {
            if (pack.size + change->limits.size <= room)
                memcpy(pack.data + pack.size, change->limits.data, change->limits.size);
            pack.size += change->limits.size;
        }
        break;
    case KT_ACCESS_ROTATE:
        kt_pack_array(&pack, 4);
        kt_pack_bytes(&pack, change->key, KT_KEY_SIZE);
        kt_pack_bytes(&pack, change->next_key, KT_KEY_SIZE);
        kt_pack_bytes(&pack, fields->from_signature, KT_SIGNATURE_SIZE);
        kt_pack_bytes(&pack, fields->to_signature, KT_SIGNATURE_SIZE);
        break;
    case KT_ACCESS_REVOKE:
        kt_pack_array(&pack, 2);
        kt_pack_bytes(&pack, change->key, KT_KEY_SIZE);
        pack_str(&pack, change->reason);
        break;
    }
    return kt_span_of(out, pack.size);
}

static bool take_text(kt_unpack *unpack, kt_str *out) {
    return kt_unpack_text(unpack, &out->data, &out->size) && kt_utf8_valid(out->data, out->size);
}

static bool take_bytes(kt_unpack *unpack, size_t size, const uint8_t **out) {
    size_t found;
    return kt_unpack_bytes(unpack, out, &found) && found == size;
}

static bool take_limits(kt_unpack *unpack, kt_span *out) {
    const uint8_t *at = unpack->at;
    bool good = kt_unpack_skip(unpack);
    *out = kt_span_of(at, (size_t)(unpack->at - at));
    return good;
}

static bool take_role(kt_unpack *unpack, kt_role *out) {
    uint64_t role;
    if (!kt_unpack_uint(unpack, &role) || role < KT_ROLE_OWNER || role > KT_ROLE_ADMIN) return false;
    *out = (kt_role)role;
    return true;
}

static bool read_record(const kt_record *record, struct fields *out) {
    kt_unpack unpack;
    uint32_t count;
    kt_access_change *change = &out->change;
    *out = (struct fields){0};
    kt_unpack_init(&unpack, record->body);
    bool good = kt_unpack_array(&unpack, &count);
    switch (record->kind) {
    case KT_KIND_ACTOR:
        change->what = KT_ACCESS_ADD;
        good = good && count == 2 && take_text(&unpack, &change->actor) &&
               take_bytes(&unpack, KT_KEY_SIZE, &change->key);
        break;
    case KT_KIND_GRANT:
        change->what = KT_ACCESS_GRANT;
        good = good && count == 3 && take_text(&unpack, &change->actor) && take_role(&unpack, &change->role) &&
               take_limits(&unpack, &change->limits);
        break;
    case KT_KIND_WITHDRAWAL:
        change->what = KT_ACCESS_WITHDRAW;
        good = good && count == 3 && take_text(&unpack, &change->actor) && take_role(&unpack, &change->role) &&
               take_text(&unpack, &change->reason);
        break;
    case KT_KIND_ROTATION:
        change->what = KT_ACCESS_ROTATE;
        good = good && count == 4 && take_bytes(&unpack, KT_KEY_SIZE, &change->key) &&
               take_bytes(&unpack, KT_KEY_SIZE, &change->next_key) &&
               take_bytes(&unpack, KT_SIGNATURE_SIZE, &out->from_signature) &&
               take_bytes(&unpack, KT_SIGNATURE_SIZE, &out->to_signature);
        break;
    default:
        change->what = KT_ACCESS_REVOKE;
        good = good && count == 2 && take_bytes(&unpack, KT_KEY_SIZE, &change->key) &&
               take_text(&unpack, &change->reason);
        break;
    }
    return good && kt_unpack_done(&unpack);
}

/* A rotation is by both: who holds the old key gives it up, and who is to act by the new one holds it. */
static kt_code check_signatures(const char *origin, const struct fields *fields, kt_error *error) {
    const kt_access_change *change = &fields->change;
    char message[KT_ROTATION_MESSAGE_MAX];
    if (change->what != KT_ACCESS_ROTATE) return KT_OK;
    size_t size = kt_key_rotation_message(origin, change->key, change->next_key, message);
    if (!kt_signature_check(change->key, message, size, fields->from_signature))
        return kt_fail(error, KT_KEY, "the old key's signature on the rotation does not hold");
    if (!kt_signature_check(change->next_key, message, size, fields->to_signature))
        return kt_fail(error, KT_KEY, "the new key's signature on the rotation does not hold");
    return KT_OK;
}

kt_code kt_actors_apply(void *self, const kt_record *record, kt_error *error) {
    kt_access *access = self;
    struct fields fields;
    if (!read_record(record, &fields))
        return kt_fail(error, KT_DAMAGED, "record %llu: a record of actors is malformed",
                       (unsigned long long)record->number);
    kt_code code = check_signatures(kt_access_origin(access), &fields, error);
    return code == KT_OK ? kt_access_make(access, &fields.change, record->number, error) : code;
}

/* ---- in a batch ---- */

static kt_code add(kt_batch *batch, uint32_t kind, const struct fields *fields, kt_error *error) {
    kt_fold *fold = kt_book_fold(batch->book);
    size_t room = SMALL_RECORD + fields->change.limits.size;
    kt_code code = kt_batch_may(batch, kind, error);
    if (code == KT_OK) code = check_signatures(kt_access_origin(kt_fold_access(fold)), fields, error);
    if (code == KT_OK) code = kt_access_check(kt_fold_access(fold), &fields->change, error);
    uint8_t *record = code == KT_OK ? malloc(room) : NULL;
    if (code == KT_OK && record == NULL) code = kt_fail(error, KT_MEMORY, "out of memory");
    if (code == KT_OK)
        code = kt_batch_append(batch, write_record(fields, kind, kt_batch_today(batch), record, room), NULL, error);
    free(record);
    return code;
}

kt_code kt_batch_actor_add(kt_batch *batch, kt_str id, const uint8_t key[KT_KEY_SIZE], kt_error *error) {
    struct fields fields = {.change = {.what = KT_ACCESS_ADD, .actor = id, .key = key}};
    return add(batch, KT_KIND_ACTOR, &fields, error);
}

static kt_code check_limits(const kt_limits *limits, kt_error *error) {
    if (limits->amount < 0) return kt_fail(error, KT_INVALID, "a limit below zero");
    if (limits->account_count > KT_LIMIT_RANGES_MAX || limits->series_count > KT_LIMIT_SERIES_MAX)
        return kt_fail(error, KT_LIMIT,
                       "a grant names %zu ranges of accounts and %zu series, at most %d and %d are kept",
                       limits->account_count, limits->series_count, KT_LIMIT_RANGES_MAX, KT_LIMIT_SERIES_MAX);
    for (size_t i = 0; i < limits->account_count; i++) {
        const kt_account_range *range = &limits->accounts[i];
        if (range->from.size == 0) return kt_fail(error, KT_INVALID, "a range of accounts without a beginning");
        if (range->to.size != 0 && kt_span_compare(kt_span_of(range->from.data, range->from.size),
                                                   kt_span_of(range->to.data, range->to.size)) > 0)
            return kt_fail(error, KT_INVALID, "accounts %.*s to %.*s: the range is empty", (int)range->from.size,
                           range->from.data, (int)range->to.size, range->to.data);
    }
    return KT_OK;
}

kt_code kt_batch_actor_grant(kt_batch *batch, kt_str id, kt_role role, const kt_limits *limits, kt_error *error) {
    static const kt_limits none;
    kt_limits read;
    if (limits == NULL) limits = &none;
    kt_code code = check_limits(limits, error);
    uint8_t *packed = code == KT_OK ? malloc(KT_LIMITS_PACKED_MAX) : NULL;
    if (code == KT_OK && packed == NULL) code = kt_fail(error, KT_MEMORY, "out of memory");
    if (code != KT_OK) return code;
    size_t size = kt_limits_pack(limits, packed, KT_LIMITS_PACKED_MAX);
    if (size > KT_LIMITS_PACKED_MAX || kt_limits_read(kt_span_of(packed, size), &read, NULL) != KT_OK)
        code = kt_fail(error, KT_INVALID,
                       "a range or series of the limits is too long, not UTF-8 or has a control "
                       "character");
    else kt_limits_release(&read);
    struct fields fields = {
        .change = {.what = KT_ACCESS_GRANT, .actor = id, .role = role, .limits = kt_span_of(packed, size)}};
    if (code == KT_OK) code = add(batch, KT_KIND_GRANT, &fields, error);
    free(packed);
    return code;
}

kt_code kt_batch_actor_revoke(kt_batch *batch, kt_str id, kt_role role, kt_str reason, kt_error *error) {
    struct fields fields = {.change = {.what = KT_ACCESS_WITHDRAW, .actor = id, .role = role, .reason = reason}};
    return add(batch, KT_KIND_WITHDRAWAL, &fields, error);
}

kt_code kt_batch_key_rotate(kt_batch *batch, const uint8_t from[KT_KEY_SIZE], const uint8_t to[KT_KEY_SIZE],
                            const uint8_t from_signature[64], const uint8_t to_signature[64], kt_error *error) {
    struct fields fields = {.change = {.what = KT_ACCESS_ROTATE, .key = from, .next_key = to},
                            .from_signature = from_signature,
                            .to_signature = to_signature};
    return add(batch, KT_KIND_ROTATION, &fields, error);
}

kt_code kt_batch_key_revoke(kt_batch *batch, const uint8_t key[KT_KEY_SIZE], kt_str reason, kt_error *error) {
    struct fields fields = {.change = {.what = KT_ACCESS_REVOKE, .key = key, .reason = reason}};
    return add(batch, KT_KIND_REVOCATION, &fields, error);
}

/* ---- queries ---- */

kt_code kt_actor_of_key(kt_view *view, const uint8_t key[KT_KEY_SIZE], kt_str *out, kt_error *error) {
    kt_span value;
    kt_key_row row;
    *out = (kt_str){NULL, 0};
    kt_code code = kt_state_get(view->state, KT_TABLE_ACTORS, kt_span_of(key, KT_KEY_SIZE), &value, error);
    if (code == KT_NOT_FOUND) return KT_OK;
    if (code == KT_OK) code = kt_key_row_read(value, &row, error);
    if (code == KT_OK) *out = kt_view_keep(view, row.actor);
    return code;
}

/* Texts and limits are copied into one piece behind the struct's arrays. */
struct listing {
    kt_actors actors;
    size_t key_room, grant_room;
    uint8_t **kept; /* bytes that texts point to, one for each row */
    size_t kept_count, kept_room;
};

static kt_code keep(struct listing *listing, kt_span bytes, const uint8_t **out, kt_error *error) {
    if (listing->kept_count == listing->kept_room) {
        size_t room = listing->kept_room == 0 ? 16 : 2 * listing->kept_room;
        uint8_t **grown = realloc(listing->kept, room * sizeof *grown);
        if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
        listing->kept = grown;
        listing->kept_room = room;
    }
    uint8_t *copy = malloc(bytes.size + 1);
    if (copy == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    memcpy(copy, bytes.data, bytes.size);
    listing->kept[listing->kept_count++] = copy;
    *out = copy;
    return KT_OK;
}

static kt_code grow(void *array, size_t count, size_t *room, size_t size, kt_error *error) {
    void *at, *grown;
    if (count < *room) return KT_OK;
    memcpy(&at, array, sizeof at);
    grown = realloc(at, (*room == 0 ? 8 : 2 * *room) * size);
    if (grown == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    *room = *room == 0 ? 8 : 2 * *room;
    memcpy(array, &grown, sizeof grown);
    return KT_OK;
}

static kt_code list_key(struct listing *listing, uint64_t end, kt_span key, kt_span value, kt_error *error) {
    kt_key_row row;
    const uint8_t *copy = NULL;
    kt_code code = key.size == KT_KEY_SIZE ? keep(listing, value, &copy, error)
                                           : kt_fail(error, KT_DAMAGED, "an actor's key has a malformed row");
    if (code == KT_OK) code = kt_key_row_read(kt_span_of(copy, value.size), &row, error);
    if (code != KT_OK || row.from >= end) return code;
    code = grow(&listing->actors.keys, listing->actors.key_count, &listing->key_room, sizeof *listing->actors.keys,
                error);
    if (code != KT_OK) return code;
    kt_key_facts *facts = &listing->actors.keys[listing->actors.key_count++];
    bool ended = row.until != 0 && row.until < end;
    *facts = (kt_key_facts){.actor = row.actor, .from = row.from};
    memcpy(facts->key, key.data, KT_KEY_SIZE);
    if (!ended) return KT_OK;
    facts->until = row.until;
    facts->revoked = row.revoked;
    facts->reason = row.reason;
    return KT_OK;
}

/* Rows come by actor, role and record: the last before the end holds. */
static kt_code list_grant(struct listing *listing, uint64_t end, kt_span key, kt_span value, kt_error *error) {
    kt_grant_row row;
    const uint8_t *name = NULL, *copy = NULL;
    kt_actors *actors = &listing->actors;
    kt_code code = keep(listing, key, &name, error);
    if (code == KT_OK) code = keep(listing, value, &copy, error);
    if (code == KT_OK) code = kt_grant_row_read(kt_span_of(name, key.size), kt_span_of(copy, value.size), &row, error);
    if (code != KT_OK || row.record >= end) return code;
    kt_grant *last = actors->grant_count == 0 ? NULL : &actors->grants[actors->grant_count - 1];
    if (last != NULL && last->role == row.role && kt_str_equal(last->actor, row.actor)) {
        kt_limits_release(&last->limits);
        actors->grant_count--;
    }
    if (row.withdrawn) return KT_OK;
    code = grow(&actors->grants, actors->grant_count, &listing->grant_room, sizeof *actors->grants, error);
    if (code != KT_OK) return code;
    kt_grant *grant = &actors->grants[actors->grant_count];
    *grant = (kt_grant){.actor = row.actor, .role = row.role, .record = row.record};
    code = kt_limits_read(row.limits, &grant->limits, error);
    actors->grant_count += code == KT_OK;
    return code;
}

static kt_code list_table(struct listing *listing, kt_view *view, kt_table table, kt_error *error) {
    kt_cursor *cursor;
    kt_span key, value;
    kt_code code = kt_cursor_open(view->txn, table, &cursor, error);
    if (code != KT_OK) return code;
    for (code = kt_cursor_first(cursor, &key, &value, error); code == KT_OK;
         code = kt_cursor_next(cursor, &key, &value, error)) {
        code = table == KT_TABLE_ACTORS ? list_key(listing, view->end, key, value, error)
                                        : list_grant(listing, view->end, key, value, error);
        if (code != KT_OK) break;
    }
    kt_cursor_close(cursor);
    return code == KT_END ? KT_OK : code;
}

static int by_actor(const void *a, const void *b) {
    const kt_key_facts *left = a, *right = b;
    int order = kt_span_compare(kt_span_of(left->actor.data, left->actor.size),
                                kt_span_of(right->actor.data, right->actor.size));
    if (order != 0) return order;
    return left->from < right->from ? -1 : left->from > right->from;
}

kt_code kt_view_actors(kt_view *view, kt_actors **out, kt_error *error) {
    struct listing *listing = calloc(1, sizeof *listing);
    *out = NULL;
    if (listing == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    kt_code code = list_table(listing, view, KT_TABLE_ACTORS, error);
    if (code == KT_OK) code = list_table(listing, view, KT_TABLE_GRANTS, error);
    if (code == KT_OK && listing->actors.key_count != 0)
        qsort(listing->actors.keys, listing->actors.key_count, sizeof *listing->actors.keys, by_actor);
    if (code != KT_OK) kt_actors_free(&listing->actors);
    else *out = &listing->actors;
    return code;
}

void kt_actors_free(kt_actors *actors) {
    struct listing *listing = (struct listing *)actors; /* its first member */
    if (listing == NULL) return;
    for (size_t i = 0; i < actors->grant_count; i++) kt_limits_release(&actors->grants[i].limits);
    for (size_t i = 0; i < listing->kept_count; i++) free(listing->kept[i]);
    free(listing->kept);
    free(actors->keys);
    free(actors->grants);
    free(listing);
}
