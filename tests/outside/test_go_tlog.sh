#!/usr/bin/env bash
# Go's golang.org/x/mod/sumdb/{note,tlog}, which know nothing of Kontor, verify what `kontor export tlog` writes; and
# what they verify is refused as soon as one byte of it is changed.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/outside/go.sh
. tests/outside/go.sh
holds "the Go program builds from Debian's packages alone" build checklog log
holds "and so does the one that changes logs" build mutatelog log
holds "and the one for proofs" build checkproof
[ $failed = 0 ] || { echo "1..$number"; exit 1; }

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
    skipped "no golden log here (KONTOR_CASES)"
fi

if [ ! -x "$kontor" ]; then
    skipped "no $kontor yet"
    echo "1..$number"
    exit $failed
fi

# A book of several thousand records in batches of uneven sizes.
# shellcheck disable=SC2317
entries() { # entries FIRST LAST OFF: OFF tells histories apart
    echo date,voucher,account,amount,text
    seq "$1" "$2" | awk -v off="$3" '{
        date = sprintf("2025-%02d-%02d", $1 % 12 + 1, $1 % 28 + 1)
        amount = sprintf("%d.%02d", $1 % 977 + off, $1 % 100)
        printf "%s,%d,bank,%s,sale %d\n%s,%d,sales,-%s,sale %d\n", date, $1, amount, $1, date, $1, amount, $1
    }'
}
# shellcheck disable=SC2317
post() { # post FIRST LAST [OFF]
    entries "$1" "$2" "${3:-0}" >"$place/$1.csv" && "$kontor" post "$place/$1.csv"
}
holds "a book is made" "$kontor" init --book "$KONTOR_BOOK" --entity "Test ApS" --currency DKK
holds "an account is opened" "$kontor" account add bank "Bank" --type asset
holds "and another" "$kontor" account add sales "Sales" --type income
cp -r "$KONTOR_BOOK" "$place/begun"
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

# Every byte of a small log, and some of a larger one: changed, cut, swapped, and spliced with a history of the same
# beginning, posted under the same keys.
# shellcheck disable=SC2317 # called through holds
histories() { # histories LAST: two of that many entries, in $place/log-LAST-0 and -1
    local off
    for off in 0 1; do
        rm -rf "$place/copy" && cp -r "$place/begun" "$place/copy"
        KONTOR_BOOK=$place/copy post 1 3 && KONTOR_BOOK=$place/copy post 4 "$1" "$off" &&
            KONTOR_BOOK=$place/copy "$kontor" export tlog "$place/log-$1-$off" &&
            KONTOR_BOOK=$place/copy "$kontor" export tlog "$place/hashes-$1-$off" --hashes-only || return 1
    done
}
every=${KONTOR_LONG:+3}
holds "two small books are exported" histories 20
holds "every change of a small log is refused by Go, and the log itself is not" \
    "$place/mutatelog" "$place/log-20-0" "$key" "$place/log-20-1"
sed 's/^/# /' "$place/said"
holds "nor does one of hashes alone take any" \
    "$place/mutatelog" -hashes-only "$place/hashes-20-0" "$key" "$place/hashes-20-1"
sed 's/^/# /' "$place/said"
holds "two larger books are exported" histories 600
holds "so are changes of a larger one" \
    "$place/mutatelog" -every "${every:-97}" "$place/log-600-0" "$key" "$place/log-600-1"
sed 's/^/# /' "$place/said"

# What no log shows by itself: against a checkpoint that somebody kept, it is seen.
"$kontor" checkpoint >"$place/kept"
cp -r "$KONTOR_BOOK" "$place/fork"
holds "the book goes on" post 5018 5100
"$kontor" checkpoint >"$place/newest"
# shellcheck disable=SC2317 # called through holds
logged() { # logged NAME BOOK: exports it, by itself a good log
    "$kontor" export tlog "$place/$1" --book "$2" >/dev/null && "$place/checklog" "$place/$1" "$key"
}
holds "its log is a good one" logged now "$place/book"
holds "and extends every checkpoint kept" "$place/checklog" "$place/now" "$key" "$place/first" "$place/kept" "$place/newest"
holds "an old copy's log is, too" logged old "$place/fork"
refused "but not for whoever kept the newest checkpoint" "rolled back" "$place/checklog" "$place/old" "$key" "$place/newest"
KONTOR_BOOK=$place/fork
holds "the copy goes on by itself, with the owner's real keys" post 5018 5200 7
holds "a fork's log is a good one" logged forked "$place/fork"
holds "also for whoever kept a checkpoint from before" "$place/checklog" "$place/forked" "$key" "$place/first" "$place/kept"
refused "but not one from behind" "does not extend" "$place/checklog" "$place/forked" "$key" "$place/newest"
KONTOR_BOOK=$place/begun
holds "a book is written anew from its beginning and signed with the owner's real keys" post 1001 5200 1
holds "its log is a good one" logged rewritten "$place/begun"
refused "but not for whoever kept a checkpoint" "does not extend" "$place/checklog" "$place/rewritten" "$key" "$place/first"
echo "1..$number"
exit $failed
