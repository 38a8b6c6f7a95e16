#include <errno.h>
#include <string.h>

#include "storage/error.h"
#include "tests/tap.h"

static void test_texts(void) {
    kt_error error = {0};
    is_code(kt_fail(&error, KT_CLOSED, "period %s is closed", "2025-01"), KT_CLOSED, "a refusal gives its code back");
    is_text(error.text, "period 2025-01 is closed", "and its text");
    is_code(kt_fail_at(&error, KT_INVALID, "%s:%d", "a.csv", 7), KT_INVALID, "a caller puts the place before it");
    is_text(error.text, "a.csv:7: period 2025-01 is closed", "in one line");
    is_code(error.code, KT_INVALID, "the code is the caller's");
    kt_fail(&error, KT_INVALID, "again: %s", error.text);
    is_text(error.text, "again: a.csv:7: period 2025-01 is closed", "a text may be made from the one before");
    kt_fail(&error, KT_INVALID, "two\nlines\x1b[31m and a\ttab");
    is_text(error.text, "two lines [31m and a tab", "line feeds and escapes do not reach a terminal");
    kt_fail(&error, KT_INVALID,
            "one \xc2\x9b"
            "31m and \xc2\xa0");
    is_text(error.text, "one   31m and \xc2\xa0", "nor do those of two bytes");
    is_code(kt_fail(NULL, KT_LIMIT, "nobody reads this"), KT_LIMIT, "who does not want the text gets the code");
    is_code(kt_fail_at(NULL, KT_LIMIT, "nor this"), KT_LIMIT, "from the others too");
    is_code(kt_fail_errno(NULL, ENOSPC, "nor this"), KT_DISK_FULL, "and from the system");
}

static void test_system(void) {
    static const struct {
        int number;
        kt_code code;
        const char *text;
    } reason[] = {
        {ENOSPC, KT_DISK_FULL, "a.key: No space left on device"},
        {EDQUOT, KT_DISK_FULL, "a.key: Disk quota exceeded"},
        {EACCES, KT_PERMISSION, "a.key: Permission denied"},
        {EROFS, KT_PERMISSION, "a.key: Read-only file system"},
        {ENOENT, KT_IO, "a.key: No such file or directory"},
        {99999, KT_IO, "a.key: error 99999 of the operating system"},
    };
    kt_error error;
    for (size_t i = 0; i < sizeof reason / sizeof *reason; i++) {
        is_code(kt_fail_errno(&error, reason[i].number, "a.key"), reason[i].code, "errno %d has its code",
                reason[i].number);
        is_text(error.text, reason[i].text, "and its reason");
    }
}

/* Wherever the buffer ends, the text must end with a whole character. */
static void test_cut(void) {
    kt_error error;
    size_t broken = 0;
    for (size_t pad = 0; pad < 4; pad++) {
        char text[2000];
        memset(text, 'x', pad);
        for (size_t at = pad; at < sizeof text - 4; at += 3) memcpy(text + at, "\xE2\x82\xAC", 4); /* the euro sign */
        kt_fail(&error, KT_INVALID, "%s", text);
        size_t length = strlen(error.text);
        broken += length < sizeof error.text - 4 || (length - pad) % 3 != 0;
        kt_fail_at(&error, KT_INVALID, "a.csv:1");
        length = strlen(error.text);
        broken += length < sizeof error.text - 4 || (length - pad - strlen("a.csv:1: ")) % 3 != 0;
        kt_fail_errno(&error, ENOENT, "%s", text);
        broken += !strstr(error.text, "\xAC: No such file or directory");
    }
    is_int((long long)broken, 0, "a long text is cut behind a whole character, and keeps the system's reason");
}

int main(void) {
    test_texts();
    test_system();
    test_cut();
    is_text(kt_code_name(KT_UNBALANCED), "unbalanced", "codes have names");
    is_text(kt_code_name((kt_code)-99), "unknown code", "all of them");
    return done();
}
