#!/usr/bin/env bash
# Go's golang.org/x/mod/sumdb/{note,tlog}, which know nothing of Kontor, verify what `kontor export tlog` writes; and
# what they verify is refused as soon as one byte of it is changed.
set -u
cd "$(dirname "$0")/../.." || exit 1
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

# Without modules: nothing is fetched, and what Debian ships is what is used.
# shellcheck disable=SC2317 # called through holds
build() { # build PROGRAM
    GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS='' GOCACHE="$place/cache" GOTOOLCHAIN=local CGO_ENABLED=0 \
        go build -o "$place/$1" "tests/outside/go/$1.go"
}
holds "the Go program builds from Debian's packages alone" build checklog
holds "and so does the one for proofs" build checkproof
[ $failed = 0 ] || { echo "1..$number"; exit 1; }

# Changes one bit of byte AT of FILE.
flip() { # flip FILE AT
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
# The log with one byte of FILE changed is refused, and whole again after it.
spoiled() { # spoiled LAW TEXT FILE AT
    flip "$log/$3" "$4"
    refused "$1" "$2" "$place/checklog" "$log" "$key"
    flip "$log/$3" "$4"
}

# A log of others, to see that the Go program itself judges rightly.
cases=${KONTOR_CASES:-../shared/cases}
if [ -d "$cases/tlog/golden-log" ]; then
    holds "it accepts the golden log of others" "$place/checklog" "$cases/tlog/golden-log" \
        example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx
else
    number=$((number + 1))
    echo "ok $number # skip no golden log here (KONTOR_CASES)"
fi

if [ ! -x "$kontor" ]; then
    number=$((number + 1))
    echo "ok $number # skip no $kontor yet"
    echo "1..$number"
    exit $failed
fi

# A book of several thousand records in batches of uneven sizes.
export HOME="$place" XDG_CONFIG_HOME="$place/config" XDG_DATA_HOME="$place/data" KONTOR_BOOK="$place/book"
# shellcheck disable=SC2317
entries() { # entries FIRST LAST
    echo date,voucher,account,amount,text
    seq "$1" "$2" | awk '{
        printf "2025-%02d-%02d,%d,bank,%d.%02d,sale %d\n", $1 % 12 + 1, $1 % 28 + 1, $1, $1 % 977, $1 % 100, $1
        printf "2025-%02d-%02d,%d,sales,-%d.%02d,sale %d\n", $1 % 12 + 1, $1 % 28 + 1, $1, $1 % 977, $1 % 100, $1
    }'
}
# shellcheck disable=SC2317
post() { # post FIRST LAST
    entries "$1" "$2" >"$place/$1.csv" && "$kontor" post "$place/$1.csv"
}
holds "a book is made" "$kontor" init --book "$KONTOR_BOOK" --entity "Test ApS" --currency DKK
holds "an account is opened" "$kontor" account add bank "Bank" --type asset
holds "and another" "$kontor" account add sales "Sales" --type income
holds "1,000 entries are posted" post 1001 2000
"$kontor" checkpoint >"$place/first"
holds "then 17" post 2001 2017
holds "then 3,000" post 2018 5017

log="$place/log"
holds "the book is exported as a log" "$kontor" export tlog "$log"
key=$("$kontor" checkpoint --verifier)
holds "Go's packages verify checkpoint, leaves, tiles and proofs" "$place/checklog" "$log" "$key"
sed 's/^/# /' "$place/said"
"$kontor" checkpoint >"$place/checkpoint"
holds "the exported checkpoint is the book's" cmp "$log/checkpoint" "$place/checkpoint"
other=example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx
refused "the key of another log is refused" "checkpoint" "$place/checklog" "$log" "$other"

spoiled "a byte changed in a full tile is refused" tile/0/003 tile/0/003 4000
spoiled "a byte changed on level 1 is refused" tile/1/000.p "$(cd "$log" && echo tile/1/000.p/*)" 33
spoiled "a byte changed in a bundle is refused" /002 tile/entries/002 300
partial=$(cd "$log" && echo tile/entries/*.p/*)
spoiled "a byte changed in the last bundle is refused" "tile/" "$partial" 5
spoiled "a byte changed in the checkpoint's text is refused" checkpoint checkpoint 8
size=$(stat -c %s "$log/checkpoint")
spoiled "a byte changed in the signature is refused" checkpoint checkpoint $((size - 20))
mv "$log/tile/0/001" "$place/kept"
refused "a missing tile is refused" tile/0/001 "$place/checklog" "$log" "$key"
mv "$place/kept" "$log/tile/0/001"
holds "and whole again it is accepted" "$place/checklog" "$log" "$key"

# Proofs, sampled over the whole book, and what is changed in them.
last=$(($("$kontor" checkpoint | sed -n 2p) - 1))
proved=0
for entry in 0 1 2 255 256 257 1000 2000 2001 3000 3839 3840 $((last - 1)) $last; do
    "$kontor" prove "$entry" >"$place/proof" && "$place/checkproof" "$place/proof" "$key" >"$place/said" 2>&1 &&
        grep -q "^record $entry of $((last + 1))," "$place/said" && proved=$((proved + 1))
done
[ $proved = 14 ]
passed $? "Go verifies proofs of inclusion ($proved of 14)"
spoil() { # spoil LAW FILE: one byte of each line changed is refused by Go and by kontor alike
    local at=0 line bad=0 tried=0 text
    mapfile -t text <"$2"
    for line in "${text[@]}"; do
        if [ -n "$line" ]; then
            cp "$2" "$place/spoilt" && flip "$place/spoilt" $((at + $(printf %s "$line" | wc -c) / 2))
            tried=$((tried + 1))
            "$place/checkproof" "$place/spoilt" "$key" >/dev/null 2>&1 && bad=$((bad + 1))
            "$kontor" check-proof "$place/spoilt" --key "$key" >/dev/null 2>&1 && bad=$((bad + 1))
        fi
        at=$((at + $(printf '%s\n' "$line" | wc -c)))
    done
    [ $bad = 0 ] && [ $tried -gt 5 ]
    passed $? "$1 ($tried tried)"
}
"$kontor" prove 3000 >"$place/proof"
holds "a proof of an entry in the middle" "$place/checkproof" "$place/proof" "$key"
spoil "a byte changed in any line of it is refused by both" "$place/proof"
refused "the key of another log is refused" "checkpoint" "$place/checkproof" "$place/proof" "$other"
"$kontor" prove --from "$place/first" >"$place/between"
holds "Go verifies the proof that the book extends an earlier checkpoint" "$place/checkproof" "$place/between" "$key"
spoil "a byte changed in any line of it is refused by both" "$place/between"

# shellcheck disable=SC2317 # called through holds
post_long() { # an entry of more than one record
    {
        echo date,voucher,account,amount,text
        seq 1 4000 | awk '{ printf "2025-12-31,long,%s,line %d of a long entry\n", $1 % 2 ? "bank,1.00" : "sales,-1.00", $1 }'
    } >"$place/long.csv" && "$kontor" post "$place/long.csv"
}
cp -r "$KONTOR_BOOK" "$place/longer"
KONTOR_BOOK=$place/longer
holds "an entry of 4,000 lines is posted to a copy" post_long
entry=$(($("$kontor" checkpoint | sed -n 2p) - 2))
"$kontor" prove $entry >"$place/proof"
holds "Go verifies its proof" "$place/checkproof" "$place/proof" "$key"
grep -q " [1-9][0-9]* parts" "$place/said"
passed $? "with all its parts"
spoil "a byte changed in any line of it is refused by both" "$place/proof"
KONTOR_BOOK=$place/book

holds "the book is exported as hashes alone" "$kontor" export tlog "$place/hashes" --hashes-only
holds "which Go verifies too" "$place/checklog" -hashes-only "$place/hashes" "$key"
rm -rf "$log/tile/entries" && holds "with the same tiles" diff -r "$log" "$place/hashes"
refused "an export does not write over another" "$place/hashes" "$kontor" export tlog "$place/hashes"
echo "1..$number"
exit $failed
