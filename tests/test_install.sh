#!/usr/bin/env bash
# What `make install` leaves is what a C programmer needs, and `make uninstall` takes it away again.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${KONTOR_BUILD:-build}
case $build in
*asan*) echo "1..0 # SKIP a sanitized library is not for installing" && exit 0 ;;
esac
place=$(mktemp -d "${TMPDIR:-/tmp}/kontor-test-XXXXXX") || exit 1
trap 'rm -rf "$place"' EXIT
number=0 failed=0
holds() { # holds LAW COMMAND...
    local law=$1
    shift
    number=$((number + 1))
    if "$@" >"$place/said" 2>&1; then
        echo "ok $number - $law"
    else
        echo "not ok $number - $law"
        sed 's/^/# /' "$place/said"
        failed=1
    fi
}

make_at() { make --no-print-directory -s BUILD="$build" DESTDIR="$place/root" PREFIX=/usr "$1"; }
root=$place/root/usr
holds "make install works" make_at install
for file in bin/kontor lib/libkontor.a lib/libkontor.so lib/kontor/kontor_sql.so lib/pkgconfig/kontor.pc include/kontor.h include/kontor/error.h \
    share/man/man1/kontor.1 share/bash-completion/completions/kontor share/kontor/charts/dk.csv; do
    holds "$file is there" test -s "$root/$file"
done
only_public() { # everything exported is declared in an installed header
    nm -D --defined-only "$root/lib/libkontor.so" | awk '$2 != "A" { print $3 }' | sort >"$place/exported"
    [ -s "$place/exported" ] || return 1
    while read -r name; do
        grep -q "\b$name(" "$root"/include/kontor.h "$root"/include/kontor/*.h || { echo "$name"; return 1; }
    done <"$place/exported"
}
all_public() { # every function of the headers is there
    for name in $(grep -ohE '^[a-z].*\bkt_[a-z0-9_]+\(' engine/kontor*.h | grep -v typedef | grep -ohE 'kt_[a-z0-9_]+\($' | tr -d '('); do
        grep -qx "$name" "$place/exported" || { echo "$name is declared and not exported"; return 1; }
    done
}
holds "the shared library exports what the headers declare and nothing else" only_public
holds "and all of it" all_public
holds "its name is libkontor.so.0" sh -c "readelf -d '$root/lib/libkontor.so' | grep -q 'SONAME.*\[libkontor.so.0\]'"

cat >"$place/user.c" <<'END'
#include <kontor.h>
#include <stdio.h>
int main(void)
{
    char text[KT_AMOUNT_TEXT];
    kt_error error;
    kt_book *book = NULL;
    kt_amount_format(-12345, 2, ',', text);
    kt_code code = kt_book_open("/nonexistent", NULL, &book, &error);
    printf("%s %s\n", text, code == KT_OK ? "opened" : "refused");
    kt_book_close(book);
    return code == KT_OK;
}
END
# With the flags that kontor.pc gives, its prefix moved to where the test installed it.
flags() { sed -n "s,^$1: ,,p" "$root/lib/pkgconfig/kontor.pc" | sed "s,\${libdir},$root/lib,g; s,\${includedir},$root/include,g"; }
# shellcheck disable=SC2046
shared() { ${CC:-gcc} -Wall -Werror -o "$place/user" "$place/user.c" $(flags Cflags) $(flags Libs); }
# shellcheck disable=SC2046
static() {
    ${CC:-gcc} -Wall -Werror -o "$place/user-static" "$place/user.c" $(flags Cflags) "$root/lib/libkontor.a" \
        $(flags Libs.private)
}
runs() { [ "$(LD_LIBRARY_PATH=$root/lib "$1")" = "-123.45 refused" ]; }
holds "a program compiles against the installed header and shared library" shared
holds "and runs" runs "$place/user"
holds "and against the static one" static
holds "and runs too" runs "$place/user-static"
cat >"$place/user.cc" <<'END'
#include <kontor.h>
int main() { return kt_str_equal(kt_str_from("a"), kt_str_from("a")) ? 0 : 1; }
END
if command -v g++ >/dev/null; then
    # shellcheck disable=SC2046
    cplusplus() { g++ -Wall -o "$place/user-cc" "$place/user.cc" $(flags Cflags) $(flags Libs); }
    holds "the header is C++ as well" cplusplus
fi
holds "the installed command runs" "$root/bin/kontor" --help
holds "make uninstall works" make_at uninstall
holds "and leaves no file" sh -c "! find '$place/root' -type f -o -type l | grep ."
echo "1..$number"
exit $failed
