#!/usr/bin/env bash
# kontor export saft, import saft, retention: files that validate, books that come back, and what the example lacks.
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
cases=${KONTOR_CASES:-../shared/cases}/saft
schema=$cases/Norwegian_SAF-T_Financial_Schema_v_1.10.xsd
example=$cases/ExampleFile_888888888_20180228235959.xml
export KONTOR_BOOK=$place/book
cat >"$place/chart.csv" <<'CSV'
code,name,type,parent,currency,rule
1920,"Bank ""Kjære & <sønn>""",asset,,,
2050,Egenkapital,equity,,,
3000,现金 salg,income,,,
7000,Diverse,expense,,,
CSV
cat >"$place/a.csv" <<'CSV'
date,series,voucher,account,debit,credit,currency,text,ref,cost_centre,department,tax_code
2025-12-30,A,1,1920,10000.00,,,Innskudd <&>,,,,
2025-12-30,A,1,2050,,10000.00,,Innskudd <&>,,,,
2026-02-15,B,1,1920,1250.50,,,Salg ærlig,F-17,,nord,
2026-02-15,B,1,3000,,1250.50,,Salg,F-17,k1,nord,3
2026-03-01,,,7000,99.99,,,,,,,
2026-03-01,,,1920,,99.99,,,,,,
CSV
validates() { # validates LAW FILE
    if [ -f "$schema" ] && command -v xmllint >/dev/null; then
        holds "$1" xmllint --noout --schema "$schema" "$2"
    else
        skip "$1" "the schema or xmllint is not here"
    fi
}
same() { # same LAW BOOK
    "$kontor" balance --json >"$place/before.json" 2>"$place/warned"
    "$kontor" balance --book "$2" --json >"$place/after.json" 2>"$place/warned"
    holds "$1" cmp "$place/before.json" "$place/after.json"
}
does "a Norwegian book is made" 0 init --entity "Tøyen & sønn AS" --currency NOK --chart "$place/chart.csv"
does "with its facts" 0 company set --company-number 888888888 --vat-number 888888888MVA --address "Gata 1, 0235 Oslo"
does "and posted to" 0 post "$place/a.csv"
does "export saft: of which country?" 2 export saft
err_has "is asked" 'variant no or --variant dk'
does "of no other" 2 export saft --variant se
does "Norway's" 0 export saft --variant no --out "$place/no.xml" --contact "Kari Nordmann"
out_has "says what it wrote" 'exported 3 entries, 6 lines, 4 accounts as SAF-T Financial no-1.10'
err_has "and what it could not" '1 lines have a tax code and no tax amount'
validates "which validates against Skatteetaten's schema" "$place/no.xml"
holds "names schema and version" grep -q 'Norwegian_SAF-T_Financial_Schema_v_1.10.xsd' "$place/no.xml"
holds "is for its owner alone" test "$(stat -c %a "$place/no.xml")" = 600
does "and is not written over" 1 export saft --variant no --out "$place/no.xml"
err_has "as it says" 'is there already'
does "a year of it" 0 export saft --variant no --from 2026 --to 2026 --out "$place/2026.xml"
validates "validates too" "$place/2026.xml"
holds "with the openings before it" grep -q '<OpeningCreditBalance>10000.00<' "$place/2026.xml"
holds "of the standard account" grep -q '<StandardAccountID>20<' "$place/2026.xml"
printf 'prefix,standard\n1,5820\n70,4400\n' >"$place/standard.csv"
does "Denmark's" 0 export saft --variant dk --out "$place/dk.xml" --standard "$place/standard.csv" --bank-account 1234
holds "has its own namespace" grep -q '<AuditFile xmlns="urn:StandardAuditFile-Taxation-Financial:DK"' "$place/dk.xml"
holds "and nothing of Norway's" test "$(grep -c 'Norwegian\|:NO"\|>GL</AccountType>\|MVA</TaxType>' "$place/dk.xml")" = 0
holds "and standard accounts as named" grep -q '<StandardAccountID>5820<' "$place/dk.xml"
does "on standard output" 0 export saft --variant dk
out_has "the file alone" '^</AuditFile>$'
for country in no dk; do
    book=$place/from-$country
    does "another book is made" 0 init --book "$book" --entity "X" --currency NOK
    does "$country.xml is imported" 0 import saft "$place/$country.xml" --book "$book" --create-accounts
    out_has "all accounts roll forward" '^4 of 4 accounts roll forward from opening to closing balance$'
    if [ $country = no ]; then
        same "and gives the same trial balance" "$book"
    else
        holds "equity is set, as the Danish layout has no word for it" "$kontor" balance --book "$book"
    fi
done
does "post takes it too" 0 post "$place/no.xml" --book "$place/from-no"
out_has "and knows it was posted" 'already posted'
does "not from standard input" 2 import saft -
sed 's/<Amount>1250.50</<Amount>1250.51</' "$place/no.xml" | sed '0,/1250.51/s//1250.50/' >"$place/bad.xml"
does "a book for a bad file" 0 init --book "$place/mended" --entity X --currency NOK
does "which is refused" 1 import saft "$place/bad.xml" --book "$place/mended" --create-accounts
err_has "by transaction and line" 'bad.xml:[0-9]+: transaction 1: does not balance: debit 1,250.50, credit 1,250.51, off by -0.01'
does "or posted in part" 3 import saft "$place/bad.xml" --book "$place/mended" --create-accounts --skip-bad
holds "the refused ones are XML" grep -q '</AuditFile>' "$place/bad.xml.rejected.xml"
command -v xmllint >/dev/null && holds "and well-formed" xmllint --noout "$place/bad.xml.rejected.xml"
sed -i 's/1250.51/1250.50/' "$place/bad.xml.rejected.xml"
does "and can be mended and posted" 0 import saft "$place/bad.xml.rejected.xml" --book "$place/mended" --create-accounts
same "so that all of it is there" "$place/mended"
printf '<!DOCTYPE a><a/>' >"$place/dtd.xml"
does "a DOCTYPE" 1 import saft "$place/dtd.xml"
err_has "is refused" 'has a DOCTYPE'
if [ -f "$example" ]; then
    book=$place/example
    does "a book for the example" 0 init --book "$book" --entity X --currency NOK
    does "which imports" 0 import saft "$example" --book "$book" --create-accounts
    out_has "53 transactions" '^posted +53 +170 +9,487,049.35 +9,487,049.35'
    out_has "19 of its 22 accounts roll forward" '^19 of 22 accounts roll forward.*these do not:'
    for account in 1920 2711 2740; do out_has "and not $account" "^$account +[BIO]"; done
    out_has "and the openings do not add up" 'opening balances add up to 2,545,410.00 instead of zero'
    does "so that they are not posted alone" 1 import saft "$example" --book "$book" --openings --dry-run
    err_has "for want of an account" 'add up to 2,545,410.00 instead of zero; name an account'
    does "with one they are" 0 import saft "$example" --book "$book" --dry-run --json --openings=2050 \
        --allow-duplicate-voucher --create-accounts
    is "in JSON: a row for the file" "$(json 0 opening)" 2545410.00
    is "and one an account" "$(row account 1920 difference)" 53838.25
    is "which is one of 22" "$(json '#')" 23
else
    skip "the example imports" "the cases are not here"
fi
does "how long are the books kept?" 0 retention
err_has "nobody said" 'no rule is on record'
does "five years" 0 company set --retention 5
does "which is a fact of the company" 0 company show
out_has "on record" '^years kept +5$'
does "the year of 2025 is kept" 0 retention --at 2030-12-31 --json
is "until the end of 2030" "$(json 0 kept_until)" 2030-12-31
is "and is not past it then" "$(json 0 past)" false
does "a day later" 0 retention --at 2031-01-01 --json
is "it is" "$(json 0 past)" true
is "but not the next year" "$(json 1 past)" false
does "no rule of no years" 2 company set --retention 0
does "the book is sound" 0 verify
finish
