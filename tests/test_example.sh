#!/usr/bin/env bash
# The example of the C API compiles without a warning, does what it says, is short enough to be read, and is the one that
# the README shows: the first block of C behind the line <!-- fixtures/example.c -->.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${KONTOR_BUILD:-build}
case $build in
*asan*) echo "1..0 # SKIP a sanitized library takes a sanitized program" && exit 0 ;;
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
library=$(cd "$build" && pwd)
example() { "$place/example" "$place/book"; }
prints() { [ "$(example)" = "$(printf '1000 12500\n4000 -12500')" ]; }
short() { [ "$(wc -l <fixtures/example.c)" -le 30 ] && ! grep -nE '^.{121}' fixtures/example.c; }
checked() { # Every call that may fail is asked how it went.
    local calls
    calls=$(grep -o '&why)' fixtures/example.c | wc -l)
    [ "$calls" -ge 8 ] && [ "$calls" = "$(grep -o '&why) == KT_OK' fixtures/example.c | wc -l)" ]
}
refuses() { ! example && example 2>&1 | grep -q "exists: .*is not empty"; }
shown() { awk '/<!-- fixtures\/example.c -->/ { found = 1 } found && /^```$/ { exit } show { print } found && /^```c$/ { show = 1 }' README.md; }
same() { shown | diff - fixtures/example.c; }

holds "the example compiles" "${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -I. -Iengine -o "$place/example" fixtures/example.c \
    "$library/libkontor.so" "-Wl,-rpath,$library"
holds "it posts a sale and prints the balances" prints
holds "it has 30 lines at the most, of 120 columns" short
holds "and asks of every step whether it was done" checked
holds "where a book is already, it is refused by saying so" refuses
if [ -e README.md ]; then
    holds "the README shows it as it is" same
else
    number=$((number + 1))
    echo "ok $number # SKIP there is no README.md"
fi
echo "1..$number"
exit $failed
