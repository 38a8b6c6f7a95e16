#include "tests/auditing.h"

#include <string.h>

kt_book *make_danish_book(const char *name) {
    kt_create_options options = {
        .company = {.time_zone = KT_STR("Europe/Copenhagen"), .calendar = KT_STR("mon-fri dk")}};
    return make_book_with(name, &options);
}

void clock_at(const char *utc) {
    if (!kt_time_parse(utc, strlen(utc), &clock_now)) diag("no time: %s", utc);
}

uint64_t posted(kt_book *book, const char *entries) {
    if (post(book, entries) == KT_OK) return receipt.first;
    diag("%s", said.text);
    return 0;
}

kt_audit *audited(kt_book *book, const kt_audit_options *options) {
    kt_audit *audit = NULL;
    kt_view *view = view_of(book);
    if (!is_code(kt_audit_run(view, options, &audit, &said), KT_OK, "the tests run")) diag("%s", said.text);
    kt_view_close(view); /* the answer lives longer than the view */
    return audit;
}

const kt_audit_test *test_of(const kt_audit *audit, const char *name) {
    static const kt_audit_about nothing = {.name = "none"};
    static const kt_audit_test none = {.about = &nothing};
    for (size_t i = 0; audit != NULL && i < audit->test_count; i++)
        if (strcmp(audit->tests[i].about->name, name) == 0) return &audit->tests[i];
    diag("there is no test %s", name);
    return &none;
}

const kt_audit_finding *finding_of(const kt_audit *audit, const char *test, uint64_t entry) {
    const kt_audit_test *run = test_of(audit, test);
    for (size_t i = 0; i < run->finding_count; i++)
        if (run->findings[i].entry == entry) return &run->findings[i];
    return NULL;
}

bool points_at(const kt_audit *audit, const char *test, uint64_t entry, const char *why, const char *law) {
    const kt_audit_finding *finding = finding_of(audit, test, entry);
    if (finding == NULL)
        return ok(false, "%s: %s (entry %llu is not pointed at)", test, law, (unsigned long long)entry);
    return has_text(finding->why.data, why, "%s: %s", test, law);
}

bool leaves_alone(const kt_audit *audit, const char *test, uint64_t entry, const char *law) {
    const kt_audit_finding *finding = finding_of(audit, test, entry);
    if (finding != NULL) diag("%s", finding->why.data);
    return ok(finding == NULL, "%s: %s", test, law);
}
