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
/* The row of a file in JSON and CSV. */
kt_code kt_post_open_rows(kt_style style, kt_out **out, kt_error *error);

#endif
