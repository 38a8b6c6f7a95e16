#!/usr/bin/env bash
# A book of a million records, as it is exported for a place that may see the proof and not the books: Go's sumdb packages verify
# its checkpoints, its tiles, and proofs of inclusion and of consistency, sampled; Python's cryptography verifies the
# signatures, of the checkpoints by the log and of the batches by their maker.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/outside/go.sh
. tests/outside/go.sh
[ -x "$kontor" ] || skip_all "no $kontor yet"
million=1000000
case "$kontor" in *asan*) million=100000 ;; esac # ten times as slow there

# shellcheck disable=SC2317 # called through holds
post() { # post FIRST LAST: keeps the checkpoint, and the seal's number
    awk -v first="$1" -v last="$2" 'BEGIN {
        print "date,voucher,account,amount"
        for (i = first; i <= last; i++) {
            day = sprintf("2025-%02d-%02d,%d,", i % 12 + 1, i % 28 + 1, i)
            amount = i % 977 "." i % 90 + 10
            print day "bank," amount; print day "sales,-" amount
        }
    }' >"$place/part.csv" && "$kontor" post "$place/part.csv" && "$kontor" checkpoint >"$place/kept-$2"
    local status=$?
    rm -f "$place/part.csv"
    return "$status"
}
# shellcheck disable=SC2317
make_book() {
    "$kontor" init --entity "Million ApS" --currency DKK && "$kontor" account add bank "Bank" --type asset &&
        "$kontor" account add sales "Sales" --type income && post 1 1 && post 2 $((million / 4)) &&
        post $((million / 4 + 1)) $((million / 2 + 77)) && post $((million / 2 + 78)) $((million - 255)) &&
        post $((million - 254)) "$million"
}
holds "Go's programs are built" build checklog log
holds "and the one for proofs" build checkproof
holds "a book of $million entries is posted, in batches of very different sizes" make_book
holds "its log is exported as hashes alone" "$kontor" export tlog "$place/log" --hashes-only
[ $failed = 0 ] || { echo "1..$number"; exit 1; }
key=$("$kontor" checkpoint --verifier)
size=$("$kontor" checkpoint | sed -n 2p)
holds "Go verifies the checkpoint, every tile, sampled proofs from the tiles, and that it extends all checkpoints kept" \
    "$place/checklog" -hashes-only "$place/log" "$key" "$place"/kept-*
sed 's/^/# /' "$place/said"
tried=0 good=0
for entry in 0 1 255 256 65535 65536 65537 $((size / 3)) $((size / 2)) $((size - 256)) $((size - 2)) $((size - 1)) \
    $(awk -v size="$size" -v seed="${KONTOR_SEED:-$$}" 'BEGIN { srand(seed); for (i = 0; i < 28; i++) print int(rand() * size) }'); do
    tried=$((tried + 1))
    "$kontor" prove "$entry" >"$place/proof" && "$place/checkproof" "$place/proof" "$key" >"$place/said" 2>&1 &&
        grep -q "^record $entry of $size," "$place/said" && good=$((good + 1))
done
[ $good = $tried ]
passed $? "Go verifies Kontor's proofs of inclusion ($good of $tried)"
tried=0 good=0
for older in "$place"/kept-*; do
    for newer in "$place"/kept-*; do
        [ "$(sed -n 2p "$older")" -gt "$(sed -n 2p "$newer")" ] && continue
        tried=$((tried + 1))
        "$kontor" prove --from "$older" --to "$newer" >"$place/proof" &&
            "$place/checkproof" "$place/proof" "$key" >/dev/null 2>&1 && good=$((good + 1))
    done
done
[ $good = $tried ] && [ $tried = 15 ]
passed $? "and of consistency, between every two checkpoints kept ($good of $tried)"

python=""
for candidate in /usr/bin/python3 "$(command -v python3)"; do
    "${candidate:-false}" -c 'import cryptography' 2>/dev/null && python=$candidate && break
done
if [ -z "$python" ]; then
    skipped "signatures: no python3 with cryptography here (apt-get install python3-cryptography)"
else
    for kept in "$place"/kept-*; do
        "$kontor" prove $(($(sed -n 2p "$kept") - 1)) >"$place/seal-${kept##*-}"
    done
    # shellcheck disable=SC2317 # called through holds
    signed() { "$python" tests/outside/check_signatures.py "$key" "$place/log" "$place"/kept-* --seals "$place"/seal-*; }
    holds "Python verifies the log's signature of every checkpoint and the maker's of every batch" signed
    sed 's/^/# /' "$place/said"
    refused "not under another key" "of another log" "$python" tests/outside/check_signatures.py \
        example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx "$place/log"
    cp "$place/kept-1" "$place/wrong-1" && flip "$place/wrong-1" $(($(stat -c %s "$place/wrong-1") - 30))
    refused "nor a checkpoint whose signature was changed" "check_signatures.py:" \
        "$python" tests/outside/check_signatures.py "$key" "$place/log" "$place/wrong-1"
    flip "$place/log/tile/0/001" 40
    refused "nor a batch of which one leaf is another" "is not what was signed" \
        "$python" tests/outside/check_signatures.py "$key" "$place/log" --seals "$place/seal-$((million / 4))"
fi
echo "1..$number"
exit $failed
