#include "engine/exchange/control.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine/exchange/text.h"

static bool is_book_currency(kt_str currency, kt_str book) {
    return currency.size == 0 || kt_text_same(currency, book);
}

/* The line's amount in the book's currency as written, false where it has none. */
static bool book_amount(const kt_line *line, kt_str book, kt_amount *amount, uint8_t *given) {
    if (is_book_currency(line->currency, book)) {
        *amount = line->amount;
        *given = line->amount_given;
        return true;
    }
    if (line->has_cost && is_book_currency(line->cost_currency, book)) {
        *amount = line->cost;
        *given = line->cost_given;
        return true;
    }
    return false;
}

static kt_code beyond(const kt_entry *entry, kt_error *error) {
    return kt_fail(error, KT_OVERFLOW, "%s:%zu: the control totals of the file are beyond what can be counted",
                   entry->file ? entry->file : "?", entry->file_line);
}

kt_code kt_control_of(const kt_entry *entry, kt_str book_currency, uint8_t decimals, kt_control *out, kt_error *error) {
    kt_amount debit = 0, credit = 0;
    for (size_t i = 0; i < entry->line_count; i++) {
        kt_amount amount;
        uint8_t given;
        if (!book_amount(&entry->lines[i], book_currency, &amount, &given)) continue;
        if (given && given != KT_AS_WRITTEN(decimals) &&
            !kt_amount_rescale(amount, (uint8_t)(given - 1), decimals, KT_ROUND_HALF_EVEN, &amount))
            return beyond(entry, error);
        if (amount < 0 ? __builtin_sub_overflow(credit, amount, &credit)
                       : __builtin_add_overflow(debit, amount, &debit))
            return beyond(entry, error);
    }
    out->entries = 1;
    out->lines = entry->line_count;
    out->debit = debit;
    out->credit = credit;
    return KT_OK;
}

kt_code kt_control_add(kt_control *control, const kt_control *more, const kt_entry *entry, kt_error *error) {
    kt_amount debit, credit;
    if (__builtin_add_overflow(control->debit, more->debit, &debit) ||
        __builtin_add_overflow(control->credit, more->credit, &credit))
        return beyond(entry, error);
    control->debit = debit;
    control->credit = credit;
    control->entries += more->entries;
    control->lines += more->lines;
    return KT_OK;
}

kt_code kt_control_rescale(kt_control *control, uint8_t from, uint8_t to, kt_error *error) {
    if (!kt_amount_rescale(control->debit, from, to, KT_ROUND_EXACT, &control->debit) ||
        !kt_amount_rescale(control->credit, from, to, KT_ROUND_EXACT, &control->credit))
        return kt_fail(error, KT_OVERFLOW, "the control totals are beyond what can be counted with %u decimals", to);
    return KT_OK;
}

static kt_code make(kt_rejects *rejects, kt_error *error) {
    int fd = open(rejects->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return kt_fail(error, KT_EXISTS, "%s: is there already; rejected entries are never written over a file",
                       rejects->path);
    if (fd < 0) return kt_fail_errno(error, errno, "%s: rejected entries cannot be written", rejects->path);
    rejects->made = true;
    rejects->file = fdopen(fd, "w");
    if (!rejects->file) {
        kt_fail_errno(error, errno, "%s: rejected entries cannot be written", rejects->path);
        close(fd);
        return error ? error->code : KT_IO;
    }
    return KT_OK;
}

static kt_code put(kt_rejects *rejects, const void *data, size_t size, kt_error *error) {
    if (size == 0) return KT_OK;
    bool feed = rejects->text && ((const char *)data)[size - 1] != '\n';
    if (fwrite(data, 1, size, rejects->file) != size || (feed && putc('\n', rejects->file) == EOF))
        return kt_fail_errno(error, errno, "%s: rejected entries cannot be written", rejects->path);
    return KT_OK;
}

static kt_code put_item(kt_rejects *rejects, const kt_item *item, kt_error *error) {
    if (item->raw_size == 0) return KT_OK; /* made of more than one place of the file */
    if (item->before.size == 0) return put(rejects, item->raw, item->raw_size, error);
    kt_code code = put(rejects, item->before.data, item->before.size, error);
    if (code == KT_OK) code = put(rejects, item->raw, item->raw_size, error);
    return code == KT_OK ? put(rejects, item->behind.data, item->behind.size, error) : code;
}

kt_code kt_rejects_add(kt_rejects *rejects, kt_str preamble, kt_str closing, const kt_item *item, kt_error *error) {
    if (!rejects->path) return KT_OK;
    kt_code code = KT_OK;
    if (!rejects->file) {
        size_t size = closing.size < sizeof rejects->closing ? closing.size : sizeof rejects->closing - 1;
        if (size) memcpy(rejects->closing, closing.data, size);
        rejects->closing[size] = 0;
        code = make(rejects, error);
        if (code == KT_OK) code = put(rejects, preamble.data, preamble.size, error);
    }
    return code == KT_OK ? put_item(rejects, item, error) : code;
}

kt_code kt_rejects_close(kt_rejects *rejects, kt_error *error) {
    if (!rejects->file) return KT_OK;
    kt_code code = put(rejects, rejects->closing, strlen(rejects->closing), error);
    if (code == KT_OK && (fflush(rejects->file) != 0 || fsync(fileno(rejects->file)) != 0))
        code = kt_fail_errno(error, errno, "%s: rejected entries cannot be written", rejects->path);
    if (fclose(rejects->file) != 0 && code == KT_OK)
        code = kt_fail_errno(error, errno, "%s: rejected entries cannot be written", rejects->path);
    rejects->file = NULL;
    return code;
}

void kt_rejects_keep(kt_rejects *rejects) { rejects->made = false; }

void kt_rejects_drop(kt_rejects *rejects) {
    if (rejects->file) fclose(rejects->file);
    rejects->file = NULL;
    if (rejects->made) unlink(rejects->path);
    rejects->made = false;
}
