#!/usr/bin/env bash
# Bad input is refused by naming the file, the line, what was found and what was expected, and the book is afterwards
# what it was (law 12). Each message is shown.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
chmod 755 "$place"
export KONTOR_BOOK=$place/book
cat >"$place/chart.csv" <<'CSV'
code,name,type,parent,currency,rule
1100,Bank,asset,,,
1200,Cash box,asset,,DKK,not-negative
4000,Sales,income,,,
CSV
does "there is a book" 0 init --entity "Acme ApS" --currency DKK --chart "$place/chart.csv"
does "with an account that is closed" 0 account add 1300 Old --type asset --close-from 2026-01-01
cat >"$place/good.csv" <<'CSV'
date,voucher,account,amount
2026-01-15,1,1100,100.00
2026-01-15,1,4000,-100.00
2026-02-15,2,1200,10.00
2026-02-15,2,4000,-10.00
CSV
does "with some entries" 0 post "$place/good.csv"
does "and a closed month" 0 period close 2026-01

head_is() { "$kontor" checkpoint 2>&1; }
# refused LAW STATUS PATTERN ARGUMENTS...: the status (or one of 1|4), the message, and the head as it was.
refused() {
    local law=$1 expected=$2 pattern=$3 before good=0
    shift 3
    before=$(head_is)
    run "$@"
    [[ $status =~ ^($expected)$ ]] || good=1
    grep -Eiq -- "$pattern" "$place/err" || good=1
    [ "$(head_is)" = "$before" ] || { good=1; echo "# the head has moved"; }
    result $good "$law"
    sed 's/^/# /' "$place/err" | cut -c1-200 | head -n 2
}
# file NAME LINES...: a CSV file with the usual header.
file() {
    local name=$1
    shift
    { echo 'date,voucher,account,amount'; printf '%b\n' "$@"; } >"$place/$name"
}

# ---- What an entry may not be ------------------------------------------------------------------------
file unbalanced.csv '2026-02-20,9,1100,100.00' '2026-02-20,9,4000,-99.00'
refused "unbalanced" 1 'unbalanced\.csv:2: .*1\.00' post "$place/unbalanced.csv"
file unknown.csv '2026-02-20,9,1100,100.00' '2026-02-20,9,4711,-100.00'
refused "an unknown account" 1 'unknown\.csv:[23]: .*4711' post "$place/unknown.csv"
file closed.csv '2026-02-20,9,1300,100.00' '2026-02-20,9,4000,-100.00'
refused "a closed account" 1 'closed\.csv:2: .*1300' post "$place/closed.csv"
file period.csv '2026-01-20,9,1100,100.00' '2026-01-20,9,4000,-100.00'
refused "a closed period" 1 'period\.csv:2: .*2026-01' post "$place/period.csv"
file decimals.csv '2026-02-20,9,1100,100.005' '2026-02-20,9,4000,-100.005'
refused "too many decimals" 1 'decimals\.csv:2: .*decimals' post "$place/decimals.csv"
file overflow.csv '2026-02-20,9,1100,9999999999999999999999999999999999999999' '2026-02-20,9,4000,-9999999999999999999999999999999999999999'
refused "an amount beyond all bounds" 1 'overflow\.csv:2: ' post "$place/overflow.csv"
file word.csv '2026-02-20,9,1100,lots' '2026-02-20,9,4000,-100.00'
refused "not a number" 1 'word\.csv:2: .*not a number' post "$place/word.csv"
file comma.csv '2026-02-20,9,1100,"1.234,50"' '2026-02-20,9,4000,"-1.234,50"'
refused "a number as spreadsheets write it, unasked" 1 'comma\.csv:2: .*1\.234,50' post "$place/comma.csv"
file empty-amount.csv '2026-02-20,9,1100,' '2026-02-20,9,4000,-100.00'
refused "an empty amount" 1 'empty-amount\.csv:2: .*empty' post "$place/empty-amount.csv"
file date.csv '2026-02-30,9,1100,100.00' '2026-02-30,9,4000,-100.00'
refused "an impossible date" 1 'date\.csv:2: .*2026-02-30' post "$place/date.csv"
file voucher.csv '2026-02-20,2,1100,100.00' '2026-02-20,2,4000,-100.00'
refused "a voucher used before" 1 'voucher\.csv:2: .*2' post "$place/voucher.csv"
file rule.csv '2026-02-20,9,1200,-100.00' '2026-02-20,9,4000,100.00'
refused "an account below zero that may not be" 1 'rule\.csv:2: .*1200' post "$place/rule.csv"
printf 'date,voucher,account,amount,currency\n2026-02-20,9,1200,1.00,EUR\n2026-02-20,9,4000,-1.00,EUR\n' >"$place/currency.csv"
refused "a currency that an account does not take" 1 'currency\.csv:2: .*1200 takes DKK only, found EUR' post "$place/currency.csv"

# ---- What a file may not be ----------------------------------------------------------------------------
file columns.csv '2026-02-20,9,1100,100.00,and,more' '2026-02-20,9,4000,-100.00'
refused "the wrong number of columns" 1 'columns\.csv:2: .*columns' post "$place/columns.csv"
file quotes.csv '2026-02-20,9,"1100,100.00' '2026-02-20,9,4000,-100.00'
refused "broken quoting" 1 'quotes\.csv:[0-9]+: .*quot' post "$place/quotes.csv"
file utf8.csv '2026-02-20,9,1100\xff,100.00' '2026-02-20,9,4000,-100.00'
refused "invalid UTF-8" 1 'utf8\.csv:2: .*UTF-8' post "$place/utf8.csv"
file nul.csv '2026-02-20,9,11\x0000,100.00' '2026-02-20,9,4000,-100.00'
refused "a NUL byte" 1 'nul\.csv:2: .*NUL' post "$place/nul.csv"
: >"$place/empty.csv"
refused "an empty file" 1 'empty\.csv.* empty' post "$place/empty.csv"
printf '%%PDF-1.7\n%%\342\343\317\323\n1 0 obj\n' >"$place/invoice.csv"
refused "a file of another format" 1 'invoice\.csv:1: ' post "$place/invoice.csv"
refused "CSV that is called JSON" 1 'good\.csv:1: ' post "$place/good.csv" --format json
refused "CSV that is called a journal" 1 'good\.csv:[0-9]+: ' post "$place/good.csv" --format journal
refused "CSV that is called msgpack" 1 'good\.csv' post "$place/good.csv" --format msgpack
refused "CSV that is called ADS" 1 'good\.csv:1: ' post "$place/good.csv" --format ads
printf '\x97\xaa2026-02-20' >"$place/cut.msgpack"
refused "a truncated msgpack" 1 'cut\.msgpack' post "$place/cut.msgpack"
cp "$place/good.csv" "$place/strange.xyz"
refused "a name that says no format" 1 'strange\.xyz: .*format' post "$place/strange.xyz"
free=$(df -Pk "$place" | awk 'NR == 2 { print $4 }')
if [ "${free:-0}" -gt 2000000 ]; then
    { echo 'date,voucher,account,amount'; head -c 1000000000 /dev/zero | tr '\0' 'x'; } >"$place/long.csv"
    refused "a line of 1 GB" 1 'long\.csv:2: .*long' post "$place/long.csv"
    rm -f "$place/long.csv"
else
    skip "a line of 1 GB" "less than 2 GB free in $place"
fi
mkdir "$place/directory"
refused "a directory" 1 'directory: .*is a directory' post "$place/directory" --format csv
refused "a missing file" 4 'nowhere\.csv: .*No such file' post "$place/nowhere.csv"

# ---- Which book, which key -------------------------------------------------------------------------------
refused "a directory that is no book" 1 'directory: is not a book' balance --book "$place/directory"
refused "a book that is not there" 4 'nobook: .*No such file' balance --book "$place/nobook"
does "there is another company's book" 0 init --book "$place/other" --entity "Other ApS" --currency DKK
refused "a book of another entity" 1 'Other ApS.*expected .Acme ApS' post "$place/good.csv" --book "$place/other" --entity "Acme ApS"
file later.csv '2026-02-21,10,1100,1.00' '2026-02-21,10,4000,-1.00'
refused "a missing key" 4 'nokey: ' post "$place/later.csv" --key "$place/nokey"
refused "a wrong key" '1|4' 'key' post "$place/later.csv" --key "$place/other/keys/log.key"
cp "$place/book/keys/log.key" "$place/open.key"
chmod 644 "$place/open.key"
refused "a key that others may read" 4 'open\.key' post "$place/later.csv" --key "$place/open.key"
echo nonsense >"$place/no.key"
chmod 600 "$place/no.key"
refused "a key file that is none" '1|4' 'no\.key' post "$place/later.csv" --key "$place/no.key"

# ---- Damage ----------------------------------------------------------------------------------------------
# damaged LAW PATTERN: the copy is refused by every command, with the message, and not one byte of it changes.
damaged() {
    local before good=0
    before=$(sha256sum <"$place/copy/data.mdb")
    run post "$place/later.csv" --book "$place/copy"
    [ "$status" = 1 ] && grep -Eiq -- "$2" "$place/err" || good=1
    [ "$(sha256sum <"$place/copy/data.mdb")" = "$before" ] || good=1
    result $good "$1"
    sed 's/^/# /' "$place/err" | cut -c1-200 | head -n 2
    run verify --book "$place/copy"
    [ "$status" = 1 ]
    result $? "$1: and verify says so"
    rm -rf "$place/copy"
}
cp -r "$place/book" "$place/copy"
printf 'not a database' | dd of="$place/copy/data.mdb" bs=1 conv=notrunc status=none
printf 'not a database' | dd of="$place/copy/data.mdb" bs=1 seek=4112 conv=notrunc status=none
printf 'not a database' | dd of="$place/copy/data.mdb" bs=1 seek=16 conv=notrunc status=none
damaged "a database whose head is overwritten" 'copy'
cp -r "$place/book" "$place/copy"
truncate -s 5000 "$place/copy/data.mdb"
damaged "a database that was cut short" 'copy|ends too early|damaged'
# LMDB's own format number, in both of its heads.
cp -r "$place/book" "$place/copy"
printf '\x63' | dd of="$place/copy/data.mdb" bs=1 seek=20 conv=notrunc status=none
printf '\x63' | dd of="$place/copy/data.mdb" bs=1 seek=4116 conv=notrunc status=none
damaged "a database of a newer LMDB" 'copy: '

# ---- Permission and space ------------------------------------------------------------------------------------
# As somebody who is not root, since root may do everything. Needs a program that others can reach.
if [ "$(id -u)" = 0 ]; then
    if command -v setpriv >/dev/null; then
        cp "$kontor" "$place/kontor" && chmod 755 "$place/kontor"
        somebody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$place/kontor" "$@"; }
        give() { chown -R 65534:65534 "$@"; }
    fi
else
    somebody() { "$kontor" "$@"; }
    give() { :; }
fi
if declare -F somebody >/dev/null; then
    cp -r "$place/book" "$place/theirs"
    give "$place/theirs"
    cp "$place/later.csv" "$place/secret.csv"
    give "$place/secret.csv"
    chmod 000 "$place/secret.csv"
    # mine LAW STATUS PATTERN ARGUMENTS...: as refused, by somebody who is not root.
    mine() {
        local law=$1 expected=$2 pattern=$3 before good=0
        shift 3
        before=$(somebody checkpoint --book "$place/theirs" 2>&1)
        last="kontor $* (not as root)"
        somebody "$@" --book "$place/theirs" >"$place/out" 2>"$place/err" </dev/null
        status=$?
        [ "$status" = "$expected" ] && grep -Eiq -- "$pattern" "$place/err" || good=1
        [ "$(somebody checkpoint --book "$place/theirs" 2>&1)" = "$before" ] || good=1
        result $good "$law"
        sed 's/^/# /' "$place/err" | cut -c1-200 | head -n 2
    }
    mine "a file without permission" 4 'secret\.csv: .*Permission denied' post "$place/secret.csv"
    chmod -R a-w "$place/theirs"
    mine "a read-only book takes no posting" 4 'theirs' post "$place/later.csv"
    somebody balance --book "$place/theirs" >"$place/out" 2>"$place/err"
    status=$?
    last="kontor balance (not as root)"
    is "a read-only book can be read" "$status" 0
    chmod -R u+w "$place/theirs"
    chmod 000 "$place/theirs"
    mine "a book without permission" 4 'theirs' balance
    chmod 700 "$place/theirs"
else
    skip "permissions" "neither an ordinary user nor setpriv"
fi

awk 'BEGIN { print "date,voucher,account,amount,text"
    for (i = 1; i <= 30000; i++) { printf "2026-02-20,F%d,1100,1.00,%064d\n2026-02-20,F%d,4000,-1.00,\n", i, i, i } }' >"$place/large.csv"
mkdir "$place/small"
cat >"$place/full.sh" <<'SH'
mount -t tmpfs -o size=3m,mode=700 tmpfs "$1/small" || exit 77
cp -r "$1/book" "$1/small/" || exit 77
"$2" checkpoint --book "$1/small/book" >"$1/before" || exit 78
"$2" post "$1/large.csv" --book "$1/small/book" >"$1/out" 2>"$1/err" </dev/null
status=$?
"$2" checkpoint --book "$1/small/book" >"$1/after" || exit 79
"$2" verify --book "$1/small/book" >"$1/verified" 2>&1 || exit 80
"$2" post "$1/later.csv" --book "$1/small/book" >/dev/null 2>&1 || exit 81
exit $status
SH
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    last="kontor post onto a disk of 3 MB"
    unshare -m bash "$place/full.sh" "$place" "$kontor"
    status=$?
    if [ "$status" = 77 ]; then
        skip "a full disk" "no tmpfs can be mounted here"
    else
        is "a full disk is exit status 4, and a small file can be posted then" "$status" 4
        err_has "and said" 'space|Input/output error' # LMDB calls a short write the latter
        holds "the book is what it was" cmp "$place/before" "$place/after"
        sed 's/^/# /' "$place/err" | cut -c1-200 | head -n 2
    fi
else
    skip "a full disk" "a small file system can be mounted by root alone"
fi

# ---- Two at once -----------------------------------------------------------------------------------------------
sed 's/,F/,G/' "$place/large.csv" | head -n 10001 >"$place/first.csv"
sed 's/,F/,H/' "$place/large.csv" | head -n 10001 >"$place/second.csv"
"$kontor" post "$place/first.csv" >"$place/out1" 2>"$place/err1" &
one=$!
"$kontor" post "$place/second.csv" >"$place/out2" 2>"$place/err2" &
two=$!
wait $one
good1=$?
wait $two
good2=$?
cat "$place/err1" "$place/err2" >"$place/err"
last="two posts at once"
is "two writers at once both finish" "$good1 $good2" "0 0"
does "what both posted" 0 balance --json
is "is there" "$(row account 1100 debit)" 10100.00
does "and the book verifies" 0 verify
finish
