#!/usr/bin/env bash
# kontor export csv, json, journal, ads: what is printed is posted again and gives the same trial balance.
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
export KONTOR_BOOK=$place/book
chart=$place/chart.csv
cat >"$chart" <<'CSV'
code,name,type,parent,currency,rule
1100,"Cash, and bank",asset,,,
3000,Capital,equity,,,
4000,Sales,income,,,
CSV
cat >"$place/jan.csv" <<'CSV'
date,series,voucher,account,debit,credit,currency,text,department
2026-01-02,A,1,1100,10000.00,,DKK,Capital paid in,
2026-01-02,A,1,3000,,10000.00,DKK,Capital paid in,
2026-02-15,A,2,1100,1250.50,,EUR,"Sale, ""large""",north
2026-02-15,A,2,4000,,1250.50,EUR,Sale,north
CSV
does "a book is made" 0 init --entity "Acme ApS" --currency DKK --chart "$chart"
does "and posted to" 0 post "$place/jan.csv"
"$kontor" balance --json >"$place/before.json" 2>"$place/warned"
for format in csv json journal; do
    book=$place/from-$format
    does "export $format" 0 export "$format"
    "$kontor" export "$format" >"$place/out.$format"
    does "another book is made" 0 init --book "$book" --entity "Acme ApS" --currency DKK --chart "$chart"
    does "$format is posted to it" 0 post --book "$book" --format "$format" "$place/out.$format"
    "$kontor" balance --book "$book" --json >"$place/after.json" 2>"$place/warned"
    does "which has entries" 0 journal --book "$book"
    holds "$format gives the same trial balance" cmp "$place/before.json" "$place/after.json"
done
does "a range" 0 export csv --from 2026-02 --to 2026-02
out_has "has its entries" '^2026-02-15,A,2,1100,1250.50,EUR,"Sale, ""large""",,north'
does "as known before there was a book" 1 export json --as-known 2020-01-01
err_has "is refused, with the reason" "not on record then"
does "ads" 0 export ads "$place/ads"
out_has "says what it wrote" '2 entries, 4 lines'
holds "a directory for its owner alone" test "$(stat -c %a "$place/ads")" = 700
holds "and files" test "$(stat -c %a "$place/ads/GL_Detail.csv")" = 600
does "is not written twice" 1 export ads "$place/ads"
err_has "and says so" 'is not empty'
does "export what?" 2 export
does "a word too many" 2 export csv now
if [ -w /dev/full ]; then
    "$kontor" export csv >/dev/full 2>"$place/full"
    holds "a full disk is said, with its status" test $? -eq 4
fi
finish
