#!/usr/bin/env bash
# A full disk, as the command meets it: exit status 4, the disk is named, the book is what it was, and the same file
# posts once there is space. On a small file system of its own where one may be mounted, and with the disk's answers
# feigned.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
shim=$(realpath "$build/tests/libfault.so" 2>/dev/null)

# entries FROM COUNT SIZE: two-line entries with texts of SIZE bytes.
entries() {
    awk -v from="$1" -v count="$2" -v size="$3" 'BEGIN {
        text = sprintf("%" size "s", ""); gsub(/ /, "x", text)
        print "date,voucher,account,amount,text"
        for (i = from; i < from + count; i++)
            printf "2026-02-01,%d,1,5.00,%s\n2026-02-01,%d,2,-5.00,%sy\n", i, text, i, text
    }'
}
entries 1 50 4 >"$place/good.csv"
entries 1000 1000 100 >"$place/one.csv"     # one transaction
entries 5000 3500 4000 >"$place/many.csv"   # several
printf 'code,name,type,parent,currency,rule\n1,Bank,asset,,,\n2,Sales,income,,,\n' >"$place/chart.csv"

book() { # book DIRECTORY: with one batch
    export KONTOR_BOOK=$1
    does "a book" 0 init --entity "Full ApS" --currency DKK --chart "$place/chart.csv"
    does "with some entries" 0 post "$place/good.csv"
    before=$("$kontor" checkpoint)
}
# refused LAW: what was just run found no space, and the book is what it was.
refused() {
    is "$1: exit status 4" "$status" 4
    err_has "the disk is named, and what is wrong with it" "$KONTOR_BOOK.*(No space left|no space left|disk is full)"
    is "nothing of it is stored" "$("$kontor" checkpoint)" "$before"
    does "the book verifies" 0 verify
}
posts() { # posts FILE: now there is space
    does "with space again the same file posts" 0 post "$1"
    does "once" 0 post "$1"
    out_has "and says so when it is sent again" "already posted"
    does "the book verifies" 0 verify
    before=$("$kontor" checkpoint)
}

feigned() { # feigned SETTING ARGUMENTS...
    local setting=$1
    shift
    last="kontor $* ($setting)"
    env LD_PRELOAD="$shim" ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 KONTOR_FAULT_PLACE="$KONTOR_BOOK" \
        "$setting" "$kontor" "$@" >"$place/out" 2>"$place/err" </dev/null
    status=$?
}
if [ -e "$shim" ]; then
    book "$place/feigned"
    feigned KONTOR_FAULT_SPACE=40000 post "$place/one.csv"
    refused "a batch that does not fit"
    posts "$place/one.csv"
    feigned KONTOR_FAULT_SPACE=24000000 post "$place/many.csv"
    refused "a batch of several transactions that fits by half"
    posts "$place/many.csv"
else
    skip "a full disk feigned" "libfault.so is not built"
fi

# A small file system in a mount namespace of its own, where it hides nobody's files and ends with the last process.
mkdir -p "$place/disk"
for how in "unshare -m" "unshare -rm"; do
    $how mount -t tmpfs -o size=20m none "$place/disk" 2>/dev/null || continue
    own=$how
    break
done
if [ -z "${own:-}" ]; then
    skip "a full disk" "no file system may be mounted here"
    finish
fi
export kontor place
# shellcheck disable=SC2016 # expanded by the inner shell
$own bash -c '
    mount -t tmpfs -o size=20m none "$place/disk" || exit 99
    export KONTOR_BOOK=$place/disk/book
    step() {
        local name=$1
        shift
        "$@" >"$place/$name.out" 2>"$place/$name.err" </dev/null
        echo $? >"$place/$name.status"
    }
    step init "$kontor" init --entity "Full ApS" --currency DKK --chart "$place/chart.csv"
    step good "$kontor" post "$place/good.csv"
    "$kontor" checkpoint >"$place/before"
    head -c 30000000 /dev/zero >"$place/disk/ballast" 2>/dev/null
    step full "$kontor" post "$place/one.csv"
    "$kontor" checkpoint >"$place/after-full"
    step verify-full "$kontor" verify
    rm "$place/disk/ballast"
    step free "$kontor" post "$place/one.csv"
    "$kontor" checkpoint >"$place/before-many"
    step many "$kontor" post "$place/many.csv"
    "$kontor" checkpoint >"$place/after-many"
    step verify-many "$kontor" verify
    mount -o remount,size=200m "$place/disk"
    step wider "$kontor" post "$place/many.csv"
    step again "$kontor" post "$place/many.csv"
    step verify "$kontor" verify
'
# gave LAW STEP STATUS
gave() {
    cp "$place/$2.out" "$place/out" && cp "$place/$2.err" "$place/err"
    status=$(cat "$place/$2.status") last="$2"
    is "$1" "$status" "$3"
}
same() { # same LAW ONE OTHER
    last="comparing $2 with $3"
    cmp -s "$place/$2" "$place/$3"
    result $? "$1"
}
gave "on a file system of 20 MB there is a book" init 0
gave "with some entries" good 0
gave "another file fills the disk: exit status 4" full 4
err_has "the disk is named" "disk/book.*(No space left|no space left|disk is full)"
same "nothing of the batch is stored" before after-full
gave "the book verifies on the full disk" verify-full 0
gave "once there is space the same file posts" free 0
gave "a batch of several transactions that does not fit: exit status 4" many 4
err_has "the disk is named" "disk/book.*(No space left|no space left|disk is full)"
same "nothing of it is stored" before-many after-many
gave "the book verifies" verify-many 0
gave "on a larger disk it posts" wider 0
gave "once" again 0
out_has "and says so when it is sent again" "already posted"
gave "the book verifies" verify 0
finish
