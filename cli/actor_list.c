#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/actor.h"

/* A row for each grant and for each key: what an actor may do, and by which key. */
enum { ACTOR, WHAT, ROLE, LIMIT, ACCOUNTS, SERIES, KEY, STATE, RECORD, REASON, COUNT };

static const kt_column columns[COUNT] = {
    [ACTOR] = {"actor", "actor", KT_CELL_TEXT, false},
    [WHAT] = {"what", "what", KT_CELL_TEXT, false},
    [ROLE] = {"role", "role", KT_CELL_TEXT, false},
    [LIMIT] = {"limit", "limit", KT_CELL_AMOUNT, false},
    [ACCOUNTS] = {"accounts", "accounts", KT_CELL_PROSE, false},
    [SERIES] = {"series", "series", KT_CELL_PROSE, false},
    [KEY] = {"key", "key", KT_CELL_TEXT, false},
    [STATE] = {"state", "state", KT_CELL_TEXT, false},
    [RECORD] = {"record", "record", KT_CELL_NUMBER, false},
    [REASON] = {"reason", "reason", KT_CELL_PROSE, false},
};

/* "4000-4999 6000": the caller frees. */
static char *ranges_text(const kt_limits *limits) {
    size_t room = 1, used = 0;
    for (size_t i = 0; i < limits->account_count; i++)
        room += limits->accounts[i].from.size + limits->accounts[i].to.size + 2;
    char *text = calloc(1, room);
    for (size_t i = 0; text != NULL && i < limits->account_count; i++) {
        const kt_account_range *range = &limits->accounts[i];
        used += (size_t)snprintf(text + used, room - used, "%s%.*s%s%.*s", i == 0 ? "" : " ", (int)range->from.size,
                                 range->from.data, range->to.size == 0 ? "" : "-", (int)range->to.size, range->to.data);
    }
    return text;
}

static char *series_text(const kt_limits *limits) {
    size_t room = 1, used = 0;
    for (size_t i = 0; i < limits->series_count; i++) room += limits->series[i].size + 1;
    char *text = calloc(1, room);
    for (size_t i = 0; text != NULL && i < limits->series_count; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%.*s", i == 0 ? "" : " ", (int)limits->series[i].size,
                                 limits->series[i].data);
    return text;
}

static kt_code grant_row(kt_out *out, const kt_grant *grant, uint8_t decimals, kt_error *error) {
    char *ranges = ranges_text(&grant->limits), *series = series_text(&grant->limits);
    kt_code code = KT_OK;
    if (ranges == NULL || series == NULL) code = kt_fail(error, KT_MEMORY, "out of memory");
    else {
        kt_out_text(out, ACTOR, grant->actor);
        kt_out_words(out, WHAT, "grant");
        kt_out_words(out, ROLE, kt_role_name(grant->role));
        if (grant->limits.amount != 0) kt_out_amount(out, LIMIT, grant->limits.amount, decimals);
        kt_out_words(out, ACCOUNTS, ranges);
        kt_out_words(out, SERIES, series);
        kt_out_count(out, RECORD, grant->record);
        code = kt_out_row(out, error);
    }
    free(ranges);
    free(series);
    return code;
}

static kt_code key_row(kt_out *out, const kt_key_facts *facts, kt_error *error) {
    kt_out_text(out, ACTOR, facts->actor);
    kt_out_words(out, WHAT, "key");
    kt_out_hex(out, KEY, facts->key, KT_KEY_SIZE);
    kt_out_words(out, STATE, facts->revoked ? "revoked" : facts->until != 0 ? "rotated" : "valid");
    kt_out_count(out, RECORD, facts->until != 0 ? facts->until : facts->from);
    kt_out_text(out, REASON, facts->reason);
    return kt_out_row(out, error);
}

/* An actor's grants, then its keys. Both lists are ordered by actor. */
static kt_code print(kt_style style, const kt_actors *actors, uint8_t decimals, kt_error *error) {
    kt_out *out;
    size_t grant = 0;
    kt_code code = kt_out_open(style, columns, COUNT, false, &out, error);
    if (code != KT_OK) return code;
    for (size_t i = 0; code == KT_OK && i < actors->key_count; i++) {
        const kt_str actor = actors->keys[i].actor;
        for (; code == KT_OK && grant < actors->grant_count && kt_str_equal(actors->grants[grant].actor, actor);
             grant++)
            code = grant_row(out, &actors->grants[grant], decimals, error);
        if (code == KT_OK) code = key_row(out, &actors->keys[i], error);
    }
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading;
    kt_actors *actors = NULL;
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_view_actors(reading.view, &actors, error);
    if (code == KT_OK) code = print(reading.style, actors, reading.decimals, error);
    kt_actors_free(actors);
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"as-known", "TIME", "as the book stood then", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_actor_list = {
    .name = "actor",
    .verb = "list",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_REGISTERS,
    .summary = "list the actors: their roles, how far they go, and their keys",
    .options = options,
    .example = "kontor actor list --json",
    .run = run,
};
