/*
 * time: when entries were made: at night, on days nobody works, long after the day they count for, in a month that had been
 * closed.
 *
 * Recorded times are those of the batch (µs UTC, given by the writer), told where the company is. Valid dates have no hour.
 */
#include <stdlib.h>

#include "engine/audit/tests.h"

enum { RECORDED = 1, VALID };

static void clock_text(uint32_t minute, char out[8]) {
    out[0] = (char)('0' + minute / 600 % 10);
    out[1] = (char)('0' + minute / 60 % 10);
    out[2] = ':';
    out[3] = (char)('0' + minute % 60 / 10);
    out[4] = (char)('0' + minute % 10);
    out[5] = 0;
}

static void tell_zone(const kt_test_self *self, kt_reporter *reporter, kt_audit_test *out) {
    const kt_audit_work *work = self->work;
    kt_report_parameter(reporter, out, "time zone", "%s", kt_zone_name(work->zone));
    if (!kt_zone_known(work->zone))
        out->note = kt_report_text(reporter, "this machine does not know the company's time zone %.*s: times are UTC",
                                   (int)work->company.time_zone.size, work->company.time_zone.data);
}

static kt_code add(kt_test_self *self, const kt_seen *seen, uint32_t reason, uint64_t value, kt_error *error) {
    kt_spot spot = {.entry = seen->number, .reason = reason, .value = value};
    return kt_spots_add(&self->spots, &spot, error);
}

static kt_day recorded_day(const kt_test_self *self, const kt_entry_view *entry, uint32_t *minute) {
    kt_day day;
    kt_zone_local(self->work->zone, entry->recorded_us, &day, minute);
    return day;
}

/* ---- night ---- */

static kt_code see_night(void *context, const kt_seen *seen, kt_error *error) {
    kt_test_self *self = context;
    uint32_t from = self->work->options.night_from * 60u, until = self->work->options.night_until * 60u;
    uint32_t minute = seen->batch->minute;
    self->count++;
    bool night = from <= until ? minute >= from && minute < until : minute >= from || minute < until;
    return night ? add(self, seen, RECORDED, minute, error) : KT_OK;
}

static kt_code finish_night(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    const kt_test_self *self = context;
    (void)error;
    kt_report_parameter(reporter, out, "night", "from %02u:00 to %02u:00", self->work->options.night_from,
                        self->work->options.night_until);
    tell_zone(self, reporter, out);
    return KT_OK;
}

static void explain_night(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                          kt_audit_finding *out) {
    char clock[8];
    (void)context;
    (void)entry;
    clock_text((uint32_t)spot->value, clock);
    out->why = kt_report_text(reporter, "recorded at %s", clock);
}

const kt_tester kt_tester_night = {
    .about = {.name = "night",
              .title = "Entries recorded at night",
              .asks = "Entries whose recorded time, where the company is, lies in the night.",
              .criterion = "ISA 240.A45: inappropriate entries often have unusual characteristics; time of posting"},
    .size = sizeof(kt_test_self),
    .see = see_night,
    .finish = finish_night,
    .explain = explain_night,
};

/* ---- weekend ---- */

static const char *const weekdays[7] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

static kt_code see_weekend(void *context, const kt_seen *seen, kt_error *error) {
    kt_test_self *self = context;
    const bool *works = self->work->calendar.works;
    self->count++;
    bool recorded = !works[kt_day_weekday(seen->batch->day)], valid = !works[kt_day_weekday(seen->entry->date)];
    uint32_t reason = (recorded ? RECORDED : 0u) + (valid ? VALID : 0u);
    return reason == 0 ? KT_OK : add(self, seen, reason, 0, error);
}

static kt_code finish_weekend(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    const kt_test_self *self = context;
    char days[64] = "";
    size_t used = 0;
    (void)error;
    for (unsigned i = 0; i < 7; i++) {
        if (!self->work->calendar.works[i]) continue;
        if (used != 0) days[used++] = ' ';
        memcpy(days + used, weekdays[i], 3);
        used += 3;
    }
    days[used] = 0;
    kt_report_parameter(reporter, out, "working days", "%s", days);
    tell_zone(self, reporter, out);
    return KT_OK;
}

static void explain_weekend(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                            kt_audit_finding *out) {
    uint32_t minute;
    const char *recorded = weekdays[kt_day_weekday(recorded_day(context, entry, &minute))];
    const char *valid = weekdays[kt_day_weekday(entry->entry.date)];
    if (spot->reason == RECORDED) out->why = kt_report_text(reporter, "recorded on a %s", recorded);
    else if (spot->reason == VALID) out->why = kt_report_text(reporter, "dated on a %s", valid);
    else out->why = kt_report_text(reporter, "recorded on a %s and dated on a %s", recorded, valid);
}

const kt_tester kt_tester_weekend = {
    .about = {.name = "weekend",
              .title = "Entries on days of the week that are not worked",
              .asks = "Entries recorded, or dated, on a day that is no working day in the company's calendar.",
              .criterion = "ISA 240.A45: inappropriate entries often have unusual characteristics; time of posting"},
    .size = sizeof(kt_test_self),
    .see = see_weekend,
    .finish = finish_weekend,
    .explain = explain_weekend,
};

/* ---- holiday ---- */

struct holiday {
    kt_test_self self;
    /* What was asked last: neighbours are alike. */
    kt_day recorded, valid;
    bool recorded_off, valid_off, asked;
};

static kt_code see_holiday(void *context, const kt_seen *seen, kt_error *error) {
    struct holiday *self = context;
    const kt_calendar *calendar = &self->self.work->calendar;
    self->self.count++;
    if (calendar->country == KT_COUNTRY_NONE) return KT_OK;
    if (!self->asked || self->recorded != seen->batch->day) {
        self->recorded = seen->batch->day;
        self->recorded_off = kt_calendar_holiday(calendar, self->recorded) != NULL;
    }
    if (!self->asked || self->valid != seen->entry->date) {
        self->valid = seen->entry->date;
        self->valid_off = kt_calendar_holiday(calendar, self->valid) != NULL;
    }
    self->asked = true;
    uint32_t reason = (self->recorded_off ? RECORDED : 0u) + (self->valid_off ? VALID : 0u);
    return reason == 0 ? KT_OK : add(&self->self, seen, reason, 0, error);
}

static kt_code finish_holiday(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    const kt_test_self *self = context;
    (void)error;
    if (self->work->calendar.country == KT_COUNTRY_NONE) {
        out->status = KT_AUDIT_REFUSED;
        out->note = kt_report_text(reporter, "%s",
                                   "the company's calendar names no country whose public holidays are "
                                   "known; for Denmark: kontor company set --calendar \"mon-fri dk\"");
        return KT_OK;
    }
    kt_report_parameter(reporter, out, "public holidays of", "%s", kt_country_code(self->work->calendar.country));
    tell_zone(self, reporter, out);
    return KT_OK;
}

static void explain_holiday(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                            kt_audit_finding *out) {
    const kt_test_self *self = context;
    uint32_t minute;
    const char *recorded = kt_calendar_holiday(&self->work->calendar, recorded_day(self, entry, &minute));
    const char *valid = kt_calendar_holiday(&self->work->calendar, entry->entry.date);
    if (spot->reason == RECORDED) out->why = kt_report_text(reporter, "recorded on a public holiday: %s", recorded);
    else if (spot->reason == VALID) out->why = kt_report_text(reporter, "dated on a public holiday: %s", valid);
    else out->why = kt_report_text(reporter, "recorded on a public holiday: %s, and dated on one: %s", recorded, valid);
}

const kt_tester kt_tester_holiday = {
    .about = {.name = "holiday",
              .title = "Entries on public holidays",
              .asks = "Entries recorded, or dated, on a public holiday of the company's calendar.",
              .criterion = "ISA 240.A45: inappropriate entries often have unusual characteristics; time of posting"},
    .size = sizeof(struct holiday),
    .see = see_holiday,
    .finish = finish_holiday,
    .explain = explain_holiday,
};

/* ---- backdated ---- */

static kt_code see_backdated(void *context, const kt_seen *seen, kt_error *error) {
    kt_test_self *self = context;
    int64_t behind = (int64_t)seen->batch->day - seen->entry->date;
    self->count++;
    return behind > self->work->options.backdated_days ? add(self, seen, RECORDED, (uint64_t)behind, error) : KT_OK;
}

static kt_code finish_backdated(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    const kt_test_self *self = context;
    (void)error;
    kt_report_parameter(reporter, out, "recorded later by more than", "%u days", self->work->options.backdated_days);
    tell_zone(self, reporter, out);
    return KT_OK;
}

static void explain_backdated(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                              kt_audit_finding *out) {
    uint32_t minute;
    char recorded[KT_DAY_TEXT], valid[KT_DAY_TEXT];
    kt_day_format(recorded_day(context, entry, &minute), recorded);
    out->why = kt_report_text(reporter, "dated %s and recorded %s, %llu days later",
                              kt_day_format(entry->entry.date, valid), recorded, (unsigned long long)spot->value);
}

const kt_tester kt_tester_backdated = {
    .about = {.name = "backdated",
              .title = "Entries recorded long after their date",
              .asks = "Entries whose recorded day lies more than so many days behind their valid date.",
              .criterion = "ISA 240.A45(c): entries recorded at the end of the period or as post-closing entries"},
    .size = sizeof(kt_test_self),
    .see = see_backdated,
    .finish = finish_backdated,
    .explain = explain_backdated,
};

/* ---- reopened ---- */

struct reopened {
    kt_test_self self;
    kt_period *changes; /* by month, then record */
    size_t count;
    kt_month first, last;       /* that were ever reopened */
    const kt_period **openings; /* of those months: the first reopening; NULL: none */
};

static kt_code begin_reopened(void *context, kt_error *error) {
    struct reopened *self = context;
    kt_code code = kt_view_period_changes(self->self.work->view, &self->changes, &self->count, error);
    self->first = INT32_MAX;
    self->last = INT32_MIN;
    for (size_t i = 0; i < self->count && code == KT_OK; i++) {
        if (self->changes[i].closed) continue;
        if (self->changes[i].month < self->first) self->first = self->changes[i].month;
        if (self->changes[i].month > self->last) self->last = self->changes[i].month;
    }
    if (code != KT_OK || self->first > self->last) return code;
    self->openings = calloc((size_t)(self->last - self->first) + 1, sizeof(const kt_period *));
    if (self->openings == NULL) return kt_fail(error, KT_MEMORY, "out of memory");
    for (size_t i = self->count; i > 0; i--)
        if (!self->changes[i - 1].closed)
            self->openings[self->changes[i - 1].month - self->first] = &self->changes[i - 1];
    return KT_OK;
}

static void end_reopened(void *context) {
    struct reopened *self = context;
    free(self->openings);
    free(self->changes);
}

static kt_code see_reopened(void *context, const kt_seen *seen, kt_error *error) {
    struct reopened *self = context;
    self->self.count++;
    if (self->openings == NULL) return KT_OK;
    kt_month month = kt_day_month(seen->entry->date);
    if (month < self->first || month > self->last) return KT_OK;
    const kt_period *opening = self->openings[month - self->first];
    if (opening == NULL || opening->record > seen->number) return KT_OK;
    kt_spot spot = {.entry = seen->number, .reason = 1};
    return kt_spots_add(&self->self.spots, &spot, error);
}

static kt_code finish_reopened(void *context, kt_reporter *reporter, kt_audit_test *out, kt_error *error) {
    const struct reopened *self = context;
    unsigned closings = 0, openings = 0;
    (void)error;
    for (size_t i = 0; i < self->count; i++) {
        if (self->changes[i].closed) closings++;
        else openings++;
    }
    kt_report_parameter(reporter, out, "closings of months on record", "%u", closings);
    kt_report_parameter(reporter, out, "reopenings on record", "%u", openings);
    return KT_OK;
}

static void explain_reopened(void *context, kt_reporter *reporter, const kt_spot *spot, const kt_entry_view *entry,
                             kt_audit_finding *out) {
    const struct reopened *self = context;
    const kt_period *last = NULL;
    char day[KT_DAY_TEXT];
    kt_month month = kt_day_month(entry->entry.date);
    for (size_t i = 0; i < self->count; i++) { /* the last reopening before it */
        const kt_period *change = &self->changes[i];
        if (change->month == month && !change->closed && change->record < spot->entry) last = change;
    }
    if (last == NULL) return;
    kt_day_format(kt_month_first(month), day);
    out->other = last->record;
    out->why = kt_report_text(reporter, "%.7s had been closed and was reopened by record %llu: %.*s", day,
                              (unsigned long long)last->record, (int)last->reason.size, last->reason.data);
}

const kt_tester kt_tester_reopened = {
    .about = {.name = "reopened",
              .title = "Entries in months that had been closed",
              .asks = "Entries posted to a month after it was closed and reopened, with the reason on record.",
              .criterion = "ISA 240.A45(c): post-closing entries"},
    .size = sizeof(struct reopened),
    .begin = begin_reopened,
    .see = see_reopened,
    .finish = finish_reopened,
    .explain = explain_reopened,
    .end = end_reopened,
};
