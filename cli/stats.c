#include "cli/common.h"

static kt_code print(const kt_reading *reading, const kt_stats *stats, kt_error *error) {
    enum {
        RECORDS,
        ENTRIES,
        BATCHES,
        ACCOUNTS,
        FIRST_DAY,
        LAST_DAY,
        RECORDED,
        DISK,
        JOURNAL,
        PER_ENTRY,
        BLOCKS,
        RUNS,
        PAGE,
        FREE_PAGES,
        FREE_LIST,
        READERS,
        COUNT
    };
    static const kt_column columns[COUNT] = {
        [RECORDS] = {"records", "records", KT_CELL_COUNT, false},
        [ENTRIES] = {"entries", "entries", KT_CELL_COUNT, false},
        [BATCHES] = {"batches", "batches", KT_CELL_COUNT, false},
        [ACCOUNTS] = {"accounts", "accounts", KT_CELL_COUNT, false},
        [FIRST_DAY] = {"first_day", "first day", KT_CELL_TEXT, false},
        [LAST_DAY] = {"last_day", "last day", KT_CELL_TEXT, false},
        [RECORDED] = {"recorded", "last recorded", KT_CELL_TEXT, false},
        [DISK] = {"disk_bytes", "bytes on disk", KT_CELL_COUNT, false},
        [JOURNAL] = {"journal_bytes", "bytes of journal", KT_CELL_COUNT, false},
        [PER_ENTRY] = {"bytes_per_entry", "bytes an entry", KT_CELL_COUNT, false},
        [BLOCKS] = {"blocks", "blocks", KT_CELL_COUNT, false},
        [RUNS] = {"runs", "runs", KT_CELL_COUNT, false},
        [PAGE] = {"page_size", "page size", KT_CELL_COUNT, false},
        [FREE_PAGES] = {"free_pages", "free pages", KT_CELL_COUNT, false},
        [FREE_LIST] = {"free_list", "free list", KT_CELL_COUNT, false},
        [READERS] = {"readers", "readers", KT_CELL_COUNT, false},
    };
    const kt_head *head = &stats->head;
    kt_out *out;
    kt_code code = kt_out_open(reading->style, columns, COUNT, true, &out, error);
    if (code != KT_OK) return code;
    kt_out_count(out, RECORDS, head->size);
    kt_out_count(out, ENTRIES, head->entries);
    kt_out_count(out, BATCHES, head->batches);
    kt_out_count(out, ACCOUNTS, head->accounts);
    kt_out_day(out, FIRST_DAY, head->first_day);
    kt_out_day(out, LAST_DAY, head->last_day);
    kt_out_time(out, RECORDED, head->recorded_us);
    kt_out_count(out, DISK, stats->disk_bytes);
    kt_out_count(out, JOURNAL, stats->journal_bytes);
    if (head->entries > 0) kt_out_count(out, PER_ENTRY, stats->disk_bytes / head->entries);
    kt_out_count(out, BLOCKS, stats->blocks);
    kt_out_count(out, RUNS, stats->runs);
    kt_out_count(out, PAGE, stats->page_size);
    kt_out_count(out, FREE_PAGES, stats->free_pages);
    kt_out_count(out, FREE_LIST, stats->free_list);
    kt_out_count(out, READERS, stats->readers);
    code = kt_out_row(out, error);
    kt_code closed = kt_out_close(out, error);
    return code != KT_OK ? code : closed;
}

static kt_code run(const kt_arguments *arguments, kt_error *error) {
    kt_reading reading;
    kt_stats stats;
    kt_code code = kt_reading_open(arguments, &reading, error);
    if (code == KT_OK) code = kt_view_stats(reading.view, &stats, error);
    if (code == KT_OK) code = print(&reading, &stats, error);
    kt_reading_close(&reading);
    return code;
}

const kt_command kt_command_stats = {
    .name = "stats",
    .words = "",
    .takes = KT_TAKES_BOOK | KT_TAKES_STYLE,
    .group = KT_GROUP_KEEPING,
    .summary = "show how much there is and what it takes on disk",
    .example = "kontor stats --json",
    .run = run,
};
