/*
 * verify: is everything that is stored what was signed? The public function is kt_verify in kontor.h.
 *
 * A child process opens the book for reading and does the work of engine/audit/examine.h; a crash on a damaged page, or a
 * hang, is a finding and not an end. Findings and progress come back over a pipe.
 *
 * Laws checked: 1, 2, 4, 5, 6, 7, 10 on every record.
 */
#ifndef KT_AUDIT_VERIFY_H
#define KT_AUDIT_VERIFY_H

#include "engine/fold.h"
#include "engine/kontor.h"

/* Seconds without a word from the child before it counts as hung. */
#define KT_VERIFY_PATIENCE 300

/* As kt_verify, with the registry handed in: this room knows no department. */
kt_code kt_verify_with(const kt_registry *registry, const char *directory, const kt_verify_options *options,
                       kt_verify_result *out, kt_error *error);

#endif
