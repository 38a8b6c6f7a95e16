#!/usr/bin/env bash
# Witnesses through the command: two of an auditor's and a bank's, one of them serving over HTTP, and an owner who shows another
# past than the one that they cosigned.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
export KONTOR_BOOK=$place/book
cat >"$place/chart.csv" <<'CSV'
code,name,type
1100,Bank,asset
4000,Sales,income
CSV
entry() { # entry VOUCHER AMOUNT: a file with it
    printf 'date,voucher,account,amount\n2026-01-15,%s,1100,%s\n2026-01-15,%s,4000,-%s\n' "$1" "$2" "$1" "$2" >"$place/$1-$2.csv"
    echo "$place/$1-$2.csv"
}
server=
trap 'kill -9 $server 2>/dev/null; chmod -R u+rwx "$place" 2>/dev/null; rm -rf "$place"' EXIT
does "there is a book" 0 init --entity "Acme ApS" --currency DKK --chart "$place/chart.csv"
cp -r "$place/book" "$place/day-one"
does "with an entry" 0 post "$(entry 1 100.00)"
run checkpoint --verifier
cp "$place/out" "$place/acme.vkey"
origin=$(sed 's/+.*//' "$place/acme.vkey")

# ---- a witness of its own ----
does "a witness needs a name" 2 witness init "$place/w1"
does "one that fits" 1 witness init "$place/w1" --name "two words" --log "$place/acme.vkey"
does "a witness is made" 0 witness init "$place/w1" --name audit.example.com/w1 --log "$place/acme.vkey"
out_has "and its verifier key printed" '^audit\.example\.com/w1\+[0-9a-f]{8}\+B[A-Za-z0-9+/=]+$'
cp "$place/out" "$place/w1.vkey"
is "its directory is its owner's" "$(stat -c %a "$place/w1")" 700
is "and its key" "$(stat -c %a "$place/w1/witness.key")" 600
does "it is not made twice" 1 witness init "$place/w1" --name audit.example.com/w1
does "before it cosigned anything, verification with it fails" 1 verify --witness "$place/w1.vkey"
out_has "and says why" 'no checkpoint cosigned by any of the 1 witness given'
does "it cosigns the book" 0 witness cosign "$place/w1"
cp "$place/out" "$place/cosigned"
is "as a note of four lines of text and signatures" "$(wc -l <"$place/cosigned")" 6
is "with the log's signature first" "$(sed -n '5s/ [^ ]*$//p' "$place/cosigned")" "— $origin"
is "and its own behind it" "$(sed -n '6s/ [^ ]*$//p' "$place/cosigned")" "— audit.example.com/w1"
does "with it the book verifies" 0 verify --witness "$place/w1.vkey" --key "$place/acme.vkey"
out_has "saying how far it reaches" 'cosigned by 1 of 1 witnesses: the first [0-9]+ records, 20[0-9T:.-]*Z$'
does "the note is a checkpoint like any other" 0 verify --since "$place/cosigned"
does "the book grows" 0 post "$(entry 2 50.00)"
does "and extends it" 0 verify --witness "$place/w1.vkey"
out_has "with records behind it" 'the 2 behind them rest on the log key alone'
does "it shows what it cosigned" 0 witness show "$place/w1" --json
is "of which log" "$(json 0 origin)" "$origin"
does "and the note itself" 0 witness show "$place/w1" --last "$origin"
is "as it gave it out" "$(cat "$place/out")" "$(cat "$place/cosigned")"
does "of another log it has none" 1 witness show "$place/w1" --last kontor/other-00000000
does "from files it wants a proof" 1 witness cosign "$place/w1" --checkpoint <("$kontor" checkpoint)
"$kontor" checkpoint >"$place/newest"
"$kontor" prove --from "$place/cosigned" >"$place/proof"
does "with one it cosigns" 0 witness cosign "$place/w1" --checkpoint "$place/newest" --proof "$place/proof" --out "$place/cosigned2"
does "which can be given to verification" 0 verify --witness "$place/w1.vkey" --cosigned "$place/cosigned2"
does "an entry is proved under what was cosigned" 0 prove 7 --under "$place/cosigned2"
cp "$place/out" "$place/entry.proof"
does "and the witness counts for who has the proof alone" 0 check-proof "$place/entry.proof" --key "$place/acme.vkey" --witness "$place/w1.vkey"
out_has "which is said" 'checkpoint: cosigned by 1 of 1 witnesses, 20'
"$kontor" prove 7 >"$place/plain.proof"
does "a proof under a checkpoint that nobody cosigned is not enough then" 1 check-proof "$place/plain.proof" --key "$place/acme.vkey" --witness "$place/w1.vkey"
err_has "and says what to do" 'cosigned by 0 of the 1 witnesses given; expected 1.*--under'
does "a quorum is of witnesses" 2 check-proof "$place/entry.proof" --key "$place/acme.vkey" --quorum 1
does "what came behind a checkpoint is not proved under it" 1 prove 10 --under "$place/cosigned"
does "a book or files, not both" 2 witness cosign "$place/w1" --checkpoint "$place/newest" --book "$place/book"
does "a quorum is of those given" 2 verify --witness "$place/w1.vkey" --quorum 2
does "and of somebody" 2 verify --witness "$place/w1.vkey" --quorum 0
does "a cosigned checkpoint wants a witness" 2 verify --cosigned "$place/cosigned2"
does "the log's key is no witness's" 1 verify --witness "$place/acme.vkey"

# ---- one that serves ----
serve() { # serve DIR: port in $port
    : >"$place/served"
    "$kontor" witness serve "$1" --listen 127.0.0.1:0 >"$place/served" 2>"$place/told" &
    server=$!
    for _ in $(seq 200); do
        port=$(sed -n 's/.* at port //p' "$place/served")
        [ -n "$port" ] && return 0
        kill -0 $server 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}
http() { # http METHOD PATH BODY-FILE: status in $code, headers and body in $place/answer
    exec 9<>"/dev/tcp/127.0.0.1/$port" || return 1
    { printf '%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n' "$1" "$2" "$(stat -Lc %s "$3")"; cat "$3"; } >&9 2>/dev/null
    tr -d '\r' <&9 >"$place/answer" 2>/dev/null
    exec 9>&-
    code=$(sed -n '1s/^HTTP\/1\.1 \([0-9]*\).*/\1/p' "$place/answer")
}
does "a second witness" 0 witness init "$place/w2" --name bank.example.com/w2
cp "$place/out" "$place/w2.vkey"
does "where nobody serves nobody is asked" 4 witness ask http://127.0.0.1:1 --witness "$place/w2.vkey"
does "TLS is refused by name" 1 witness ask https://127.0.0.1:1
does "as is what is no URL" 2 witness ask 127.0.0.1
does "and no address to listen at" 2 witness serve "$place/w2" --listen nowhere
holds "it serves" serve "$place/w2"
does "a log that it was not told of" 1 witness ask "http://127.0.0.1:$port"
err_has "is unknown to it" 'was told of no log'
does "it is told, while it serves" 0 witness add "$place/w2" --log "$place/acme.vkey"
does "asked, it cosigns" 0 witness ask "http://127.0.0.1:$port/" --witness "$place/w2.vkey" --out "$place/asked"
is "for its answer a file was wanted" "$(wc -c <"$place/out")" 0
does "another's key is not taken for its own" 1 witness ask "http://127.0.0.1:$port" --witness "$place/w1.vkey"
does "the first cosigns the same checkpoint" 0 witness cosign "$place/w1"
does "both are a quorum" 0 verify --witness "$place/w1.vkey" --witness "$place/w2.vkey"
out_has "of two" 'cosigned by 2 of 2 witnesses'
does "the book grows" 0 post "$(entry 3 25.00)"
does "and is cosigned again, by a proof" 0 witness ask "http://127.0.0.1:$port" --witness "$place/w2.vkey"
does "two on no one checkpoint are no quorum of it: the older one is" 0 verify --witness "$place/w1.vkey" --witness "$place/w2.vkey"
out_has "and it is said how far that reaches" 'the 2 behind them'
{ printf 'old 0\n\n'; cat "$place/cosigned"; } >"$place/old"
http POST /add-checkpoint "$place/old"
is "an older checkpoint again is a conflict" "$code" 409
holds "typed as the document says" grep -qi '^content-type: text/x.tlog.size$' "$place/answer"
is "with the last size" "$(tail -n 1 "$place/answer")" "$("$kontor" stats --json | tr ',{' '\n\n' | sed -n 's/.*"records": *//p')"
printf 'rubbish' >"$place/rubbish"
http POST /add-checkpoint "$place/rubbish"
is "rubbish is a bad request" "$code" 400
: >"$place/nothing"
http GET /add-checkpoint "$place/nothing"
is "it is posted, not got" "$code" 405
http GET /elsewhere "$place/nothing"
is "there is nothing else" "$code" 404
http GET "/last-checkpoint?origin=$origin" "$place/nothing"
is "but the last note of a log" "$code" 200
sed '1,/^$/d' "$place/answer" >"$place/last"
does "which verification takes" 0 verify --witness "$place/w2.vkey" --cosigned "$place/last"
http GET "/last-checkpoint?origin=none" "$place/nothing"
is "of those that it knows" "$code" 404
head -c 100000 /dev/zero | tr '\0' x >"$place/large"
http POST /add-checkpoint "$place/large"
is "a body that is too large is not read" "$code" 413
does "after all of that it still cosigns" 0 witness ask "http://127.0.0.1:$port" --witness "$place/w2.vkey"

# ---- the owner, with his real key, shows another past ----
export KONTOR_BOOK=$place/day-one
does "he goes on from the first day's copy" 0 post "$(entry 1 90.00)"
does "with other entries" 0 post "$(entry 2 40.00)"
does "and more" 0 post "$(entry 3 20.00)"
does "and more" 0 post "$(entry 4 10.00)"
does "under the log's own key that verifies: this is what a key alone does not show" 0 verify --key "$place/acme.vkey"
does "with a witness it does not" 1 verify --key "$place/acme.vkey" --witness "$place/w2.vkey"
out_has "for he has nothing cosigned" 'is kept in the book'
does "against what the witness cosigned neither" 1 verify --key "$place/acme.vkey" --witness "$place/w2.vkey" --cosigned "$place/last"
out_has "and it is called what it is" 'the history was rewritten'
does "the witness that serves refuses it" 1 witness ask "http://127.0.0.1:$port" --witness "$place/w2.vkey"
err_has "and the owner hears why" 'not proved to extend'
is "it keeps the evidence" "$(find "$place/w2/evidence" -name 'unproved-*.proof' | wc -l)" 1
does "which anybody can check" 1 check-proof "$(echo "$place"/w2/evidence/unproved-*.proof)" --key "$place/acme.vkey"
err_has "that both were signed and do not belong together" 'leads to another root'
does "the other refuses it too" 1 witness cosign "$place/w1"
err_has "and says where its evidence lies" 'kept as .*w1/evidence/unproved-'
does "evidence is counted" 0 witness show "$place/w1" --json
is "of each log" "$(json 0 evidence)" 1

# ---- the log's key changes hands ----
export KONTOR_BOOK=$place/book
does "there is a new log key" 0 key new "$place/next.key"
does "which the old one hands over to" 0 key rotate --log --to "$place/next.key"
does "under a key that it was not told of the witness cosigns nothing" 1 witness ask "http://127.0.0.1:$port" --witness "$place/w2.vkey"
err_has "and says so" 'under another key'
run checkpoint --verifier
cp "$place/out" "$place/next.vkey"
does "told of it" 0 witness add "$place/w2" --log "$place/next.vkey"
does "it does, for the history is the same" 0 witness ask "http://127.0.0.1:$port" --witness "$place/w2.vkey"
does "and the book verifies with it, under the first key and its successor" 0 verify --key "$place/acme.vkey" --witness "$place/w2.vkey"
does "also against what was cosigned under the old key" 0 verify --witness "$place/w2.vkey" --cosigned "$place/last"

kill -TERM $server
wait $server
is "told to end it ends" $? 0
holds "and says what it did" grep -Eq '^stopped: [0-9]+ cosigned, [0-9]+ refused$' "$place/served"
holds "the refusal is in its log" grep -q '^refused: log .*not proved to extend' "$place/told"
does "a backup has what was cosigned with it" 0 backup "$place/copy" --book "$place/book"
does "so it verifies" 0 verify --book "$place/copy" --witness "$place/w2.vkey"
finish
