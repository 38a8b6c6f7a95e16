# Sourced by the tests that run Go programs: $place, a directory of the test's own; building; and what is asked of a command.
# shellcheck shell=bash disable=SC2034 # some are for whoever sources this
kontor=$(realpath -m "${KONTOR:-build/kontor}")
number=0 failed=0

passed() { # passed STATUS LAW
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; failed=1; fi
}
shown() { sed 's/^/#   /' "$place/said"; }
holds() { # holds LAW COMMAND...
    local law=$1 status
    shift
    "$@" >"$place/said" 2>&1
    status=$?
    passed $status "$law"
    [ $status = 0 ] || shown
}
refused() { # refused LAW TEXT COMMAND...: exits 1 and says TEXT
    local law=$1 text=$2 status
    shift 2
    "$@" >"$place/said" 2>&1
    status=$?
    [ $status = 1 ] && grep -qF -- "$text" "$place/said"
    status=$?
    passed $status "$law"
    [ $status = 0 ] || shown
}
skipped() { # skipped REASON
    number=$((number + 1))
    echo "ok $number # skip $1"
}
skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

package=/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog
if ! command -v go >/dev/null || [ ! -d $package ]; then
    if [ "$(id -u)" = 0 ] && { [ "${CI:-}" = true ] || [ "${KONTOR_INSTALL:-}" = 1 ]; } && command -v apt-get >/dev/null; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q golang-go golang-golang-x-mod-dev >/dev/null 2>&1
    fi
    { command -v go >/dev/null && [ -d $package ]; } ||
        skip_all "no Go with golang.org/x/mod here (apt-get install golang-go golang-golang-x-mod-dev)"
fi
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
cache=$(realpath -m "${KONTOR_BUILD:-build}/go-cache")

# Without modules: nothing is fetched, and what Debian ships is what is used.
# shellcheck disable=SC2046,SC2317 # names of files, without spaces; called through holds
build() { # build PROGRAM [MORE]: from tests/outside/go/PROGRAM.go and MORE.go
    GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS='' GOCACHE="$cache" GOTOOLCHAIN=local CGO_ENABLED=0 \
        go build -o "$place/$1" $(printf 'tests/outside/go/%s.go ' "$@")
}

# Changes one bit of byte AT of FILE.
flip() { # flip FILE AT
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# No settings and no book of whoever runs this.
export HOME="$place" XDG_CONFIG_HOME="$place/config" XDG_DATA_HOME="$place/data" KONTOR_BOOK="$place/book"
