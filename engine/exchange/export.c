#include <stdlib.h>

#include "engine/exchange/tlog.h"
#include "engine/view.h"

static kt_code add_records(kt_view *view, kt_tlog_writer *writer, kt_error *error) {
    kt_records *records;
    kt_span record;
    kt_code code = kt_records_open(view->txn, view->end, &records, error);
    if (code != KT_OK) return code;
    for (uint64_t number = 0; number < view->end && code == KT_OK; number++) {
        code = kt_records_read(records, number, &record, error);
        if (code == KT_OK) code = kt_tlog_writer_add(writer, record.data, record.size, error);
    }
    kt_records_close(records);
    return code;
}

kt_code kt_export_tlog(kt_view *view, const char *directory, bool hashes_only, kt_error *error) {
    kt_tlog_writer *writer;
    char *note = NULL;
    size_t size;
    kt_code code = kt_view_checkpoint(view, &note, &size, error);
    if (code != KT_OK) return code;
    code = kt_tlog_writer_open(directory, hashes_only, &writer, error);
    if (code == KT_OK) {
        code = add_records(view, writer, error);
        if (code == KT_OK) code = kt_tlog_writer_finish(writer, note, size, error);
        kt_tlog_writer_close(writer);
    }
    free(note);
    return code;
}
