#include <inttypes.h>
#include <stdio.h>

#include "cli/common.h"

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading;
    bool hashes_only = kt_given_flag(arguments, "hashes-only");
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_export_tlog(reading.view, arguments->words[0], hashes_only, error);
    if (code == KT_OK)
        kt_say(reading.style, "exported %" PRIu64 " records to %s: checkpoint, tile/%s\n", reading.head.size,
               arguments->words[0], hashes_only ? "" : ", tile/entries/");
    kt_reading_close(&reading);
    return code;
}

static const kt_option options[] = {
    {"hashes-only", NULL, "no entry bundles: proofs without the books", NULL, false, false},
    {NULL, NULL, NULL, NULL, false, false},
};

const kt_command kt_command_export_tlog = {
    .name = "export",
    .verb = "tlog",
    .words = "DIR",
    .least = 1,
    .most = 1,
    .takes = KT_TAKES_BOOK,
    .group = KT_GROUP_TRUST,
    .summary = "write the journal as a transparency log (C2SP tlog-tiles)",
    .about = "DIR must not exist or be empty.",
    .options = options,
    .example = "kontor export tlog public --hashes-only",
    .run = run,
};
