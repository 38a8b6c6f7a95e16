#!/usr/bin/env bash
# kontor audit: what it examined, what it points at and why; for people, as JSON and as CSV; over files too.
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
export KONTOR_BOOK=$place/book
does "a book is made" 0 init --entity "Acme ApS" --currency DKK --timezone Europe/Copenhagen --calendar "mon-fri dk" \
    --chart fixtures/charts/general.csv
"$kontor" account list --csv >"$place/accounts"
bank=$(sed -n 2p "$place/accounts" | cut -d, -f1)
other=$(sed -n 3p "$place/accounts" | cut -d, -f1)
cat >"$place/jan.csv" <<CSV
date,series,voucher,account,amount,text
2026-01-01,A,1,$bank,5000.00,Sale
2026-01-01,A,1,$other,-5000.00,Sale
2026-01-05,A,2,$bank,12.50,Plug
2026-01-05,A,2,$other,-12.50,Plug
2026-01-06,A,5,$bank,13.50,Sale
2026-01-06,A,5,$other,-13.50,Sale
CSV
does "and posted to" 0 post "$place/jan.csv"
run audit --json round
first=$(row row finding entry)
does "audit --list" 0 audit --list
for test in completeness balance vouchers duplicates night weekend holiday backdated reopened accounts actors pairs round \
    endings texts approval limits benford benford2; do
    out_has "names $test" "^$test "
done
does "audit runs all" 0 audit
out_has "says what it examined" '3 entries, 6 lines'
out_has "and that it is all there" 'equal to the trial balance'
out_has "each test says so too" '3 entries, 6 lines, reconciled'
out_has "a round sum" "5,000.00 .*multiple of 1,000"
out_has "a holiday" "New Year's Day"
out_has "a word" "the word 'plug': Plug"
out_has "a gap" 'numbers 3 to 4 are missing'
out_has "too few amounts for Benford" '3 amounts: fewer than 1,000'
holds "it never says the word" bash -c "! grep -qi fraud '$place/out'"
does "one test" 0 audit texts
holds "runs alone" bash -c "! grep -q 'trial balance, DKK.*Round' '$place/out' && ! grep -q '(round)' '$place/out'"
does "several" 0 audit texts round
out_has "run together" '\(round\)'
does "as JSON" 0 audit --json vouchers
is "the gap's entry" "$(row row finding entry)" "$((first + 1))"
is "and what is missing" "$(row row finding why)" \
    "behind voucher 2 numbers 3 to 4 are missing, in the fiscal year from 2026-01-01"
is "the population is reconciled" "$(row row population reconciled)" true
is "to the trial balance" "$(row row population debit)" "$(row row population trial_debit)"
does "as CSV" 0 audit --csv texts
out_has "with a heading" '^row,file,test,status,entry'
out_has "and rows" '^finding,,texts,'
does "a range" 0 audit --from 2026-01-05 --to 2026-01-31
out_has "has its own population" '2 entries, 4 lines'
does "how many are shown may be said" 0 audit --limit 1 accounts
does "no such test" 2 audit rounds
err_has "is said" "'rounds' is no test .* and no file"
does "a night is two hours" 2 audit --night 25-3
does "and a number a number" 2 audit --round 0
does "tests and files do not go together" 2 audit texts "$place/jan.csv"
cat >"$place/bad.csv" <<CSV
date,voucher,account,amount,text
2026-02-01,7,$bank,10.00,Sale
2026-02-01,7,$other,-9.00,Sale
2026-02-02,8,$bank,10.00,Sale
CSV
does "a file is looked at before it is posted" 0 audit "$place/bad.csv"
out_has "what does not balance" 'bad.csv:2.*off by 1.00'
out_has "what has one line" 'bad.csv:4'
out_has "and its sums" '2 entries, 3 lines'
does "and is not posted" 0 journal --from 2026-02-01
holds "at all" bash -c "! grep -q Sale '$place/out'"
does "help" 0 audit --help
out_has "has an example" 'kontor audit --from 2026'
does "it is completed" 0 complete -- aud
out_has "by name" audit
if [ -w /dev/full ]; then
    "$kontor" audit >/dev/full 2>"$place/full"
    holds "a full disk is said, with its status" test $? -eq 4
fi
finish
