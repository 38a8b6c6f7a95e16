#!/usr/bin/env bash
# kontor serve and kontor post --socket: what is printed and the exit codes are those of posting to the book itself.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
socket=$place/socket
export KONTOR_BOOK=$place/book
cat >"$place/chart.csv" <<'CSV'
code,name,type,parent,currency,rule
1100,Bank,asset,,,
1200,Cash box,asset,,DKK,not-negative
4000,Sales,income,,,
5900,Rounding,expense,,,
CSV
does "there is a book" 0 init --entity "Acme ApS" --currency DKK --chart "$place/chart.csv"
cp -r "$place/book" "$place/twin"
server=
serve() { # serve ARGUMENTS...: in the background; waits until it listens
    "$kontor" serve --socket "$socket" "$@" >"$place/served" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        grep -q '^serving' "$place/served" && return 0
        kill -0 $server 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}
stop() { # stop SIGNAL: its exit status
    kill -s "$1" $server
    wait $server
}
trap 'kill -9 $server 2>/dev/null; chmod -R u+rwx "$place" 2>/dev/null; rm -rf "$place"' EXIT

does "serve needs a socket" 2 serve
does "and refuses a mode that is none" 2 serve --socket "$socket" --mode 99
does "post needs somebody to serve" 4 post --socket "$socket" --key "$place/book/keys/log.key" "$place/chart.csv"
err_has "and says so" "nobody serves a book there"
umask 000
holds "a server starts" serve
is "its socket is the owner's alone, whatever the umask" "$(stat -c %a "$socket")" 600
umask 022
does "a second one at the same socket is refused" 4 serve --socket "$socket"
err_has "and told why" "a server listens there already"

cat >"$place/good.csv" <<'CSV'
date,voucher,account,amount,currency,text
2026-01-15,1,1100,100.00,,a
2026-01-15,1,4000,-100.00,,a
2026-02-15,2,1200,10.00,,b
2026-02-15,2,4000,-10.00,,b
2026-02-16,3,1100,5.00,EUR,c
2026-02-16,3,4000,-5.00,EUR,c
CSV
does "a file is posted through it" 0 post --socket "$socket" "$place/good.csv"
out_has "with its control totals" "^posted +3 +6 +110.00 +110.00"
out_has "its place" "^records +[0-9]+–[0-9]+, recorded 20"
out_has "and its checkpoint" "^checkpoint  kontor/acme-aps-"
does "sent again it is recognized" 0 post --socket "$socket" "$place/good.csv"
out_has "and told where it lies" "^already posted as batch [0-9a-f]{64}, records"
does "also from beside the server" 0 post "$place/good.csv"
out_has "where the id is the same" "^already posted as batch"
does "as JSON" 0 post --socket "$socket" --json --id again "$place/good.csv" --allow-duplicate-voucher
is "with the same figures" "$(json 0 posted_entries) $(json 0 posted_debit) $(json 0 state)" "3 110.00 posted"
KONTOR_BOOK=$place/twin does "the same in a book of its own" 0 post "$place/good.csv"
KONTOR_BOOK=$place/twin does "and again" 0 post --json --id again "$place/good.csv" --allow-duplicate-voucher
"$kontor" balance --json >"$place/a"
"$kontor" balance --json --book "$place/twin" >"$place/b"
holds "both books say the same" cmp "$place/a" "$place/b"

# One bad entry of each sort: of form, of what the client knows, of what only the book knows.
cat >"$place/bad.csv" <<'CSV'
date,voucher,account,amount
2026-03-01,10,1100,1.00
2026-03-01,10,4000,-1.00
2026-03-02,11,1100,1.00
2026-03-02,11,4000,-2.00
2026-03-03,12,9999,1.00
2026-03-03,12,4000,-1.00
2026-03-04,1,1100,1.00
2026-03-04,1,4000,-1.00
2026-03-05,14,1200,-500.00
2026-03-05,14,4000,500.00
2026-03-06,15,1100,2.00
2026-03-06,15,4000,-2.00
CSV
does "a file with bad entries is refused whole" 1 post --socket "$socket" "$place/bad.csv"
err_has "naming the line" "bad.csv:4: voucher 11: does not balance"
does "a dry run finds them and stores nothing" 3 post --socket "$socket" "$place/bad.csv" --dry-run --skip-bad
out_has "counts them" "^rejected +4 +8"
does "with --skip-bad the good ones are posted" 3 post --socket "$socket" "$place/bad.csv" --skip-bad
out_has "counted" "^posted +2 +4 +3.00 +3.00"
out_has "against the bad ones" "^rejected +4 +8"
grep '^rejected:' "$place/err" >"$place/refused"
KONTOR_BOOK=$place/twin does "the same in a book of its own" 3 post --skip-bad --rejects "$place/twin.rejected.csv" "$place/bad.csv"
grep '^rejected:' "$place/err" >"$place/refused.twin"
holds "with the same reasons" cmp "$place/refused" "$place/refused.twin"
holds "and the same rejects" cmp "$place/bad.csv.rejected.csv" "$place/twin.rejected.csv"

cat >"$place/new.journal" <<'J'
2026-04-01 Opening
    assets:new bank   12.00 DKK
    equity:opening   -12.00 DKK
J
does "accounts that are not there are refused" 1 post --socket "$socket" "$place/new.journal"
err_has "by name" "account assets:new bank is not on record"
does "and created where asked for" 0 post --socket "$socket" --create-accounts "$place/new.journal"
out_has "listed first" "^  assets:new bank  \(asset\)"
printf '%s\n' '{"date":"2026-04-02","voucher":"j","lines":[{"account":"1100","amount":"1"},{"account":"4000","amount":"-1"}]}' |
    "$kontor" post --socket "$socket" --format json --id json - >"$place/out" 2>"$place/err"
status=$?
is "standard input goes too" $status 0
does "the server's own entity is served" 0 post --socket "$socket" --entity "Acme ApS" --id e1 "$place/good.csv" --allow-duplicate-voucher
does "no other" 1 post --socket "$socket" --entity "Other A/S" --id e2 "$place/good.csv"
does "another key is made elsewhere" 0 init --entity Other --currency DKK --book "$place/other" --chart "$place/chart.csv"
does "and may not post" 1 post --socket "$socket" --key "$place/other/keys/log.key" --id x1 "$place/new.journal"
err_has "since it is not on record" "not on record in this book"
does "without a key nothing is signed" 4 post --socket "$socket" --key "$place/no.key" --id x2 "$place/new.journal"

# Thirty files at once.
for i in $(seq 30); do
    printf 'date,voucher,account,amount\n2026-05-01,p%s,1100,1.00\n2026-05-01,p%s,4000,-1.00\n' "$i" "$i" >"$place/p$i.csv"
done
before=$("$kontor" stats --json 2>/dev/null | grep -o '"entries": *[0-9]*' | grep -o '[0-9]*')
pids=()
for i in $(seq 30); do
    "$kontor" post --socket "$socket" "$place/p$i.csv" >/dev/null 2>>"$place/parallel" &
    pids+=($!)
done
failed_posts=0
for pid in "${pids[@]}"; do wait "$pid" || failed_posts=$((failed_posts + 1)); done
is "thirty commands at once all post" $failed_posts 0
after=$("$kontor" stats --json 2>/dev/null | grep -o '"entries": *[0-9]*' | grep -o '[0-9]*')
is "each once" "$((after - before))" 30

stop TERM
is "SIGTERM stops it cleanly" $? 0
holds "it says what it did" grep -q '^stopped: [0-9]* batches of [0-9]* entries in [0-9]* commits' "$place/served"
holds "and its socket is gone" test ! -e "$socket"
does "the book is sound" 0 verify
holds "it starts again, for a group" serve --mode 0660
is "with the mode that was asked for" "$(stat -c %a "$socket")" 660
stop KILL 2>/dev/null
holds "killed, it leaves its socket" test -S "$socket"
holds "which the next one replaces" serve
does "and serves at" 0 post --socket "$socket" --id last "$place/p1.csv" --allow-duplicate-voucher
stop INT
is "SIGINT stops it too" $? 0
does "and the book is sound" 0 verify
finish
