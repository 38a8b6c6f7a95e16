#!/usr/bin/env bash
# Go's golang.org/x/mod/sumdb/note, which knows nothing of Kontor, opens what two witnesses cosigned, and refuses it as soon as
# one byte of it is changed.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/outside/go.sh
. tests/outside/go.sh
holds "the Go program builds from Debian's packages alone" build checkcosigned
[ -x "$kontor" ] || skipped "no $kontor yet"
[ $failed = 0 ] && [ -x "$kontor" ] || { echo "1..$number"; exit $failed; }
holds "a book is made" "$kontor" init --book "$KONTOR_BOOK" --entity "Test ApS" --currency DKK
log=$("$kontor" checkpoint --verifier)
one=$("$kontor" witness init "$place/w1" --name audit.example.com/w1 --log "$log")
two=$("$kontor" witness init "$place/w2" --name bank.example.com/w2 --log "$log")
other=$("$kontor" witness init "$place/w3" --name other.example.com/w3 --log "$log")
before=$(date +%s)
holds "one witness cosigns" "$kontor" witness cosign "$place/w1"
holds "and another" "$kontor" witness cosign "$place/w2"
note=$(echo "$KONTOR_BOOK"/witness/*)
holds "Go opens the note that the book keeps, with the log's signature and both" "$place/checkcosigned" "$note" "$log" "$one" "$two"
time=$(sed -n 's/^audit.*cosigned at //p' "$place/said")
holds "and reads the time" test "$time" -ge "$before" -a "$time" -le "$(date +%s)"
refused "a witness that did not cosign is missed" "2 of 3 signatures are there" "$place/checkcosigned" "$note" "$log" "$one" "$other"
size=$(stat -c %s "$note") caught=0
for ((at = 0; at < size; at++)); do
    flip "$note" $at
    "$place/checkcosigned" "$note" "$log" "$one" "$two" >/dev/null || caught=$((caught + 1))
    flip "$note" $at
done
holds "every byte of the note counts ($caught of $size)" test $caught = "$size"
echo "1..$number"
exit $failed
