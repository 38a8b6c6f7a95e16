/* post: what the two halves of posting share: one file's way in (post_file.c) and what is printed of it. */
#ifndef KT_CLI_POST_H
#define KT_CLI_POST_H

#include "cli/chart.h"
#include "cli/common.h"
#include "cli/progress.h"
#include "engine/remote/remote.h"

#define KT_SYMBOLS_MAX 64

typedef struct kt_posting_job {
    kt_import_options import;
    const char *symbols[KT_SYMBOLS_MAX + 1];
    kt_rules rules;
    const char *rejects; /* --rejects */
    kt_style style;
    kt_book *book;                           /* NULL: it goes through a socket */
    kt_remote *remote;                       /* --socket */
    char currency[KT_CURRENCY_CODE_MAX + 1]; /* the book's */
    kt_out *out;                             /* JSON and CSV: a row a file */
    size_t files;
    kt_progress progress;
    uint64_t refusals, creations;
    bool part; /* some entries of some file were rejected */
} kt_posting_job;

/* Posts one file and prints what came of it. KT_END is taken into job->part and answered with KT_OK. */
kt_code kt_post_file(kt_posting_job *job, const char *path, kt_error *error);
/* Its two halves: what posting gives (KT_OK, KT_END, KT_REPEATED, or a refusal; result and time either way) ... */
kt_code kt_post_import(kt_posting_job *job, const char *path, kt_import_result *result, uint64_t *ms, kt_error *error);
/* ... and saying so, where it was one of the three. */
kt_code kt_post_tell(kt_posting_job *job, const char *path, kt_code posted, const kt_import_result *result, uint64_t ms,
                     kt_error *error);
/* How a file's posting ended, in one word or two. */
const char *kt_post_state(const kt_posting_job *job, kt_code posted, const kt_import_result *result);
/* The row of a file in JSON and CSV. */
kt_code kt_post_open_rows(kt_style style, kt_out **out, kt_error *error);

#endif
