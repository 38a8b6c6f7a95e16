/* tap: the test protocol, small and ours. A failing test prints what was expected and found. */
#ifndef KT_TESTS_TAP_H
#define KT_TESTS_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/error.h"

/* All return whether the test passed. `law` says in plain words what must hold. */
bool ok(bool passed, const char *law, ...) __attribute__((format(printf, 2, 3)));
bool is_int(long long found, long long expected, const char *law, ...) __attribute__((format(printf, 3, 4)));
bool is_text(const char *found, const char *expected, const char *law, ...) __attribute__((format(printf, 3, 4)));
bool is_bytes(const void *found, size_t found_size, const void *expected, size_t expected_size, const char *law, ...)
    __attribute__((format(printf, 5, 6)));
bool is_code(kt_code found, kt_code expected, const char *law, ...) __attribute__((format(printf, 3, 4)));
/* found contains part */
bool has_text(const char *found, const char *part, const char *law, ...) __attribute__((format(printf, 3, 4)));

void diag(const char *format, ...) __attribute__((format(printf, 1, 2)));
void skip(int tests, const char *reason, ...) __attribute__((format(printf, 2, 3)));
void skip_all(const char *reason, ...) __attribute__((format(printf, 1, 2), noreturn));
int done(void); /* prints the plan; returns the exit status */

/* A directory of this test's own, removed at exit. */
const char *test_dir(void);
/* Where outside cases lie (KONTOR_CASES, or ../shared/cases from the checkout), NULL where absent. */
const char *test_cases(void);
/* A seed from KONTOR_SEED or the clock, printed; and numbers from it (splitmix64). */
uint64_t test_seed(void);
uint64_t test_random(uint64_t *state);

#endif
