#!/usr/bin/env bash
# A reader written in Python from storage/FORMAT.md alone reads an exported book, checks every leaf, seal and signature, and adds
# up the same trial balance; and what it takes is refused as soon as one byte of it is changed.
set -u
cd "$(dirname "$0")/../.." || exit 1
kontor=$(realpath -m "${KONTOR:-build/kontor}")
reader=tests/outside/read_book.py
number=0 failed=0

passed() { # passed STATUS LAW
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; failed=1; fi
}
holds() { # holds LAW COMMAND...
    local law=$1 status
    shift
    "$@" >"$place/said" 2>&1
    status=$?
    passed $status "$law"
    [ $status = 0 ] || sed 's/^/#   /' "$place/said"
}
refused() { # refused LAW COMMAND...: exits 1 and says why in one line
    local law=$1 status
    shift
    "$@" >"$place/said" 2>&1
    [ $? = 1 ] && [ "$(wc -l <"$place/said")" = 1 ]
    status=$?
    passed $status "$law"
    sed 's/^/#   /' "$place/said"
}

python=""
for candidate in /usr/bin/python3 "$(command -v python3)"; do
    "${candidate:-false}" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null || continue
    [ -n "$python" ] || python=$candidate
    "$candidate" -c 'import cryptography' 2>/dev/null && { python=$candidate && break; }
done
if [ -z "$python" ]; then
    echo "1..0 # SKIP no python3 of 3.8 or later here (apt-get install python3)"
    exit 0
fi
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
export KONTOR_BOOK="$place/book"

# shellcheck disable=SC2317 # called through holds
account() { "$kontor" account add "$1" --type "$2" --name "$3"; }
# shellcheck disable=SC2317 # called through holds
people() { # actors with limits; what lies beyond is proposed, and approved, rejected, withdrawn or left open; keys come and go
    for who in anna anna2 bert; do "$kontor" key new "$place/$who.key"; done
    "$kontor" actor add anna --public "$place/anna.key"
    "$kontor" actor add bert --public "$place/bert.key"
    "$kontor" actor grant anna clerk --limit 1000 --accounts 1000-1999 --accounts 5000 --series A --series B
    "$kontor" actor grant bert controller --limit 99999999999999999.99
    "$kontor" actor grant bert auditor
    "$kontor" actor revoke bert auditor --reason "reads anyway"
    awk 'BEGIN { print "date,series,voucher,account,amount,text"
        for (i = 1; i <= 4; i++) printf "2024-06-%02d,B,P%d,5000,%d.00,Rent\n2024-06-%02d,B,P%d,1000,-%d.00,\n",
            i, i, i * 900, i, i, i * 900 }' >"$place/beyond.csv"
    "$kontor" post "$place/beyond.csv" --key "$place/anna.key" || [ $? = 3 ]
    proposals=$("$kontor" proposals --csv | sed '1d; s/,.*//' | xargs)
    # shellcheck disable=SC2086 # three numbers
    set -- $proposals
    "$kontor" approve "$1" --key "$place/bert.key"
    "$kontor" key rotate --key "$place/anna.key" --to "$place/anna2.key"
    "$kontor" reject "$2" --key "$place/anna2.key" --reason "too early"
    "$kontor" key revoke bert --reason "notebook stolen"
    "$kontor" company set --retention 5 --from 2024-07-01
}
# shellcheck disable=SC2317 # called through holds
build() ( # in a shell of its own, so that the first failure ends it
    set -e
    "$kontor" init --entity "Müller & Søn A/S" --currency EUR --timezone Europe/Copenhagen --fiscal-year-start 07-01
    account 1000 asset "Bank"
    account 1010 asset "Dollars"
    account 1020 asset "Grains of sand"
    account 3000 equity "Capital"
    account 4000 income "Sales"
    account 5000 expense "Costs"
    "$kontor" currency add SND 18
    cat >"$place/first.csv" <<'END'
date,series,voucher,account,amount,text,cost_centre,project
2024-01-05,A,1,1000,100.00,Sale,,
2024-01-05,A,1,4000,-100.00,Sale,North,P 7
2024-01-06,A,INV-0002,5000,12.50,Paper,South,
2024-01-06,A,INV-0002,1000,-12.50,Papier für Köln,,
END
    "$kontor" post "$place/first.csv"
    cat >"$place/foreign.journal" <<'END'
2024-02-01 Dollars bought
    1010    USD 100.00 @ EUR 0.93
    1000    EUR -93.00

2024-02-02 * (77) Dollars spent ; on a trip
    1010    USD -50.00 @@ EUR 46.50
    5000    EUR 46.50

2024-02-03 A beach, in units beyond 64 bits
    1020    SND 123456789012.000000000000000001
    3000    SND -123456789012.000000000000000001
END
    "$kontor" post "$place/foreign.journal"
    awk 'BEGIN { print "date,voucher,account,amount,text"
        for (i = 1; i <= 3000; i++)
            printf "2024-03-01,9,1000,%d.25,line %d of a long till\n2024-03-01,9,4000,-%d.25,\n", i, i, i }' >"$place/long.csv"
    "$kontor" post "$place/long.csv"
    awk 'BEGIN { print "date,voucher,account,amount"
        for (i = 100; i <= 800; i++) printf "2024-04-%02d,%d,1000,%d.%02d\n2024-04-%02d,%d,4000,-%d.%02d\n",
            i % 30 + 1, i, i * 7, i % 100, i % 30 + 1, i, i * 7, i % 100 }' >"$place/many.csv"
    "$kontor" post "$place/many.csv"
    entry=$("$kontor" journal --text Dollars --csv | sed -n '2s/,.*//p')
    "$kontor" reverse "$entry" --date 2024-05-01 --text "Not bought after all"
    "$kontor" reverse "$("$kontor" journal --account 5000 --csv | sed -n '2s/,.*//p')" --date 2024-05-02 --negative
    "$kontor" period close 2024-01
    "$kontor" period reopen 2024-01 --reason "an invoice turned up"
    "$kontor" company set --address "Strandvejen 1" --from 2024-06-01
    "$kontor" account set 5000 --name "Costs of all kinds"
    people
    "$kontor" export tlog "$place/log"
    "$kontor" checkpoint >"$place/checkpoint"
    "$kontor" balance --json >"$place/balance"
)
holds "a book is made: batches of many sizes, foreign currencies, a long entry, reversals" build
[ $failed = 0 ] || { echo "1..$number"; exit 1; }

check() { "$python" $reader "$place/log" --checkpoint "$place/checkpoint" --balance "$place/balance"; }
holds "read from the export alone, every leaf, tile, seal, signature and balance is the same" check
sed 's/^/# /' "$place/said"
if grep -q "signatures, which were not checked" "$place/said"; then
    number=$((number + 1))
    echo "ok $number # SKIP signatures are not checked: no python3-cryptography here"
fi
long=$(sed -n 's/.* \([0-9]*\) long.*/\1/p' "$place/said")
passed "$([ "$long" = 1 ]; echo $?)" "a long entry was among them"
grep -q ' 3 proposals' "$place/said"
passed $? "and proposals"
[ $failed = 0 ] || { echo "1..$number"; exit 1; } # what is refused already proves nothing
holds "the worked example in FORMAT.md is a record, with its leaf hash" "$python" $reader --example storage/FORMAT.md

# Changes one bit of byte AT of FILE.
flip() { # flip FILE AT
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    # shellcheck disable=SC2059 # the format is the byte
    printf "$(printf '\\%03o' $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
refused_flipped() { # refused_flipped LAW FILE AT
    flip "$2" "$3"
    refused "$1" check
    flip "$2" "$3"
}
bundle=$place/log/tile/entries/000
size=$(stat -c %s "$bundle")
taken=0
for i in $(seq 0 39); do
    at=$((size * i / 40 + i))
    flip "$bundle" $at
    check >"$place/said" 2>&1 && { taken=$((taken + 1)); echo "# byte $at was not missed"; }
    flip "$bundle" $at
done
passed $taken "a flipped bit anywhere in the records is found"
refused_flipped "a flipped bit in a tile is found" "$place/log/tile/0/001" 4321
refused_flipped "a flipped bit in the root is found" "$place/log/checkpoint" 50
sed 's/"debit": "59/"debit": "58/; s/"credit": "0.00"/"credit": "0.01"/' "$place/balance" >"$place/other"
refused "another trial balance is found" "$python" $reader "$place/log" --balance "$place/other"
truncate -s -1 "$bundle"
refused "a bundle cut short is found" check
echo "1..$number"
exit $failed
