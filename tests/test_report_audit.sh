#!/usr/bin/env bash
# kontor report audit: where it is written and for whom, that it is XML and HTML, and what its exit status says.
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
export KONTOR_BOOK=$place/book
cat >"$place/chart.csv" <<'CSV'
code,name,type,parent,currency,rule
1100,"Cash <b>&amp; 'bank'""",asset,,,
3000,Capital,equity,,,
4000,Sales,income,,,
CSV
{
    echo date,series,voucher,account,amount,text
    seq 1 1100 | awk '{ amount = 100 + $1 * $1 % 99991 * 7
        printf "2026-%02d-%02d,A,%d,1100,%d.%02d,<script>x</script>\n", $1 % 12 + 1, $1 % 28 + 1, $1, amount / 100, amount % 100
        printf "2026-%02d-%02d,A,%d,4000,-%d.%02d,]]> --> &x;\n", $1 % 12 + 1, $1 % 28 + 1, $1, amount / 100, amount % 100 }'
} >"$place/sales.csv"
page=$place/report/audit.html
does "a book is made" 0 init --entity "Bang & \"Søn\" <ApS>" --currency DKK --chart "$place/chart.csv" --timezone Europe/Copenhagen
does "and posted to" 0 post "$place/sales.csv"
does "a report: where to?" 2 report audit
err_has "is asked" '--out DIR'
does "a report" 0 report audit --out "$place/report" --made 2026-12-31T12:00:00Z
out_has "says what it found" '^verified +yes$'
holds "its directory is for its owner alone" test "$(stat -c %a "$place/report")" = 700
holds "and so is its page" test "$(stat -c %a "$page")" = 600
holds "the only one there" test "$(ls "$place/report")" = audit.html
does "it is not written over" 1 report audit --out "$place/report"
err_has "as it says" 'not empty'
if command -v xmllint >/dev/null; then
    holds "it is XML" xmllint --noout "$page"
    xmllint --html --noout "$page" 2>"$place/html"
    holds "and HTML, but for names that an old parser does not know" test -z "$(grep error "$place/html" | grep -v 'Tag [a-z]* invalid')"
    holds "no name is there twice" test -z "$(xmllint --xpath '//@id' "$page" | sort | uniq -d)"
    xmllint --xpath '//@href' "$page" | grep -o '#[^"]*' | sort -u >"$place/wanted"
    xmllint --xpath '//@id' "$page" | sed 's/.*id="/#/; s/"$//' | sort -u >"$place/there"
    holds "and each that is linked to is there" test -z "$(comm -23 "$place/wanted" "$place/there")"
    holds "nothing is loaded from elsewhere" test -z "$(xmllint --xpath '//@href' "$page" | grep -v 'href="#')"
    holds "and nothing runs" test "$(xmllint --xpath 'count(//*[local-name()="script"])' "$page")" = 0
else
    skip "it is XML and HTML" "no xmllint (apt-get install libxml2-utils)"
fi
holds "names are letters" grep -q '<h1><bdi>Bang &amp; &quot;Søn&quot; &lt;ApS&gt;</bdi></h1>' "$page"
holds "it never says a word that is not its to say" test -z "$(grep -i 'fraud' "$page")"
does "made again elsewhere" 0 report audit --out "$place/again" --made 2026-12-31T12:00:00Z --threads 1
holds "it is the same bytes" cmp "$page" "$place/again/audit.html"
does "as JSON" 0 report audit --out "$place/json.out" --json
is "it is told in fields" "$(json 0 reconciled)" true

run checkpoint --verifier
cp "$place/out" "$place/log.vkey"
does "a witness" 0 witness init "$place/w" --name witness.example.com/w --log "$place/log.vkey"
grep -o 'witness\.example\.com/w+.*' "$place/out" 2>/dev/null | tail -n 1 >"$place/w.vkey"
does "that has not cosigned" 1 report audit --out "$place/none" --witness "$place/w.vkey"
holds "is missed" grep -q 'not cosigned by enough' "$place/none/audit.html"
err_has "and the page is named" 'none/audit.html'
does "and when it has" 0 witness cosign "$place/w"
does "it is told" 0 report audit --out "$place/cosigned" --witness "$place/w.vkey" --key "$place/log.vkey"
holds "in words" grep -q 'by 1 of the 1 witnesses named' "$place/cosigned/audit.html"

# Somewhere in a copy, where the book can still be opened and verification finds it.
for at in $(seq 30000 3000 300000); do
    rm -rf "$place/bad"
    cp -r "$place/book" "$place/bad"
    printf '\377\000\377' | dd of="$place/bad/data.mdb" bs=1 seek="$at" conv=notrunc status=none
    "$kontor" verify --book "$place/bad" >/dev/null 2>&1
    [ $? = 1 ] && "$kontor" company show --book "$place/bad" >/dev/null 2>&1 && break
done
does "a damaged book" 1 report audit --book "$place/bad" --out "$place/damaged"
holds "is reported as that" grep -q 'something is wrong' "$place/damaged/audit.html"
does "a file in its place" 1 report audit --out "$place/chart.csv"
err_has "is no directory" 'no directory'
does "a time that is none" 2 report audit --out "$place/x" --made yesterday
holds "makes nothing" test ! -e "$place/x"
does "nor does a book that is none" 1 report audit --out "$place/x" --book "$place/report"
holds "which is left as it was" test ! -e "$place/x"
does "its help" 0 report audit --help
out_has "has an example" 'kontor report audit --out audit-2026'
finish
