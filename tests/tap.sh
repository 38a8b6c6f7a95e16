# tap: the test protocol for shell tests that drive the command. Sourced, from the checkout's top.
# A law is said in plain words; a failing one shows what was run and what it said.
# shellcheck shell=bash disable=SC2034
set -u
build=${KONTOR_BUILD:-build}
kontor=$(realpath "${KONTOR:-$build/kontor}")
[ -x "$kontor" ] || { echo "1..0 # SKIP $kontor is not built"; exit 0; }
place=$(mktemp -d "${TMPDIR:-/tmp}/kontor-test-XXXXXX") || exit 4
trap 'chmod -R u+rwx "$place" 2>/dev/null; rm -rf "$place"' EXIT
unset KONTOR_BOOK KONTOR_KEY KONTOR_DATA NO_COLOR
number=0 failed=0 last=''

result() { # result GOOD LAW
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        echo "# ran: $last, exit status ${status-}"
        sed 's/^/# out: /' "$place/out" | cut -c1-300 | head -n 12
        sed 's/^/# err: /' "$place/err" | cut -c1-300 | head -n 12
        failed=1
    fi
}
skip() { # skip LAW REASON
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}
# run ARGUMENTS...: runs kontor; its outputs are in $place/out and $place/err, its status in $status.
run() {
    last="kontor $*"
    "$kontor" "$@" >"$place/out" 2>"$place/err" </dev/null
    status=$?
}
does() { # does LAW STATUS ARGUMENTS...
    local law=$1 expected=$2
    shift 2
    run "$@"
    [ "$status" = "$expected" ]
    result $? "$law"
}
out_has() { # out_has LAW PATTERN
    grep -Eq -- "$2" "$place/out"
    result $? "$1"
}
err_has() {
    grep -Eq -- "$2" "$place/err"
    result $? "$1"
}
holds() { # holds LAW COMMAND...
    local law=$1
    shift
    last=$*
    "$@" >>"$place/err" 2>&1
    result $? "$law"
}
finish() {
    echo "1..$number"
    exit $failed
}

# A reader of JSON that needs nothing but what Kontor itself is built with.
cat >"$place/json.c" <<'C'
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* json FILE [INDEX|KEY...]: prints the value there; "#" prints an array's length. Fails where there is none. */
int main(int count, char **words)
{
    json_error_t why;
    json_t *at = json_load_file(words[1], JSON_REJECT_DUPLICATES, &why);
    if (at == NULL) {
        fprintf(stderr, "line %d: %s\n", why.line, why.text);
        return 1;
    }
    for (int i = 2; i < count && at != NULL; i++) {
        if (strcmp(words[i], "#") == 0)
            return printf("%zu\n", json_array_size(at)) < 0 || !json_is_array(at);
        at = json_is_array(at) ? json_array_get(at, strtoul(words[i], NULL, 10)) : json_object_get(at, words[i]);
    }
    if (at == NULL)
        return 1;
    if (json_is_string(at))
        puts(json_string_value(at));
    else
        json_dumpf(at, stdout, JSON_ENCODE_ANY);
    return 0;
}
C
${CC:-gcc} -o "$place/json" "$place/json.c" -ljansson 2>"$place/json.err" || { cat "$place/json.err" >&2; exit 1; }
json() { "$place/json" "$place/out" "$@"; }
# row KEY VALUE WANTED: of the object whose KEY is VALUE in the array just printed.
row() {
    local i n
    n=$(json '#') || return 1
    for ((i = 0; i < n; i++)); do
        if [ "$(json "$i" "$1")" = "$2" ]; then
            json "$i" "$3"
            return
        fi
    done
    return 1
}
is() { # is LAW FOUND EXPECTED
    [ "$2" = "$3" ]
    local good=$?
    [ $good = 0 ] || echo "# found: $2, expected: $3"
    result $good "$1"
}
