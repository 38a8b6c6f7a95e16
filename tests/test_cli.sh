#!/usr/bin/env bash
# Every command's happy path, --json, --help and exit status, through the command itself.
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
chart=$place/chart.csv
cat >"$chart" <<'CSV'
code,name,type,parent,currency,rule
1000,Assets,asset,,,
1100,"Cash, and bank",asset,1000,,
1200,Cash box,asset,1000,DKK,not-negative
2000,Debt,liability,,,
3000,Capital,equity,,,
4000,Sales,income,,,
5000,Rent,expense,,,
CSV
cat >"$place/jan.csv" <<'CSV'
date,series,voucher,account,debit,credit,text,department
2026-01-02,A,1,1100,10000.00,,Capital paid in,
2026-01-02,A,1,3000,,10000.00,Capital paid in,
2026-01-15,A,2,1100,1250.50,,Sale,north
2026-01-15,A,2,4000,,1250.50,Sale,north
2026-02-01,A,3,5000,500.00,,Rent,south
2026-02-01,A,3,1100,,500.00,Rent,south
CSV

# ---- The overview, help, wrong usage ---------------------------------------------------------------
does "without arguments there is an overview" 0
out_has "it names what there is to do" '^  balance-sheet '
does "so there is with help" 0 help
does "and with --help" 0 --help
out_has "which says the same" '^  post '
does "the version is printed" 0 version
out_has "as a version" '^kontor [0-9]+\.[0-9]+'
does "--version too" 0 --version
commands=$("$kontor" complete -- "")
for command in $commands; do
    verbs=$("$kontor" complete -- "$command" "" | grep -v '^:') || verbs=''
    "$kontor" "$command" --help 2>/dev/null | grep -q VERB || verbs=''
    does "$command --help" 0 "$command" --help
    out_has "$command --help gives an example" '^Example'
    for verb in $verbs; do
        does "$command $verb --help" 0 "$command" "$verb" --help
        out_has "$command $verb --help gives an example" '^Example'
        does "help $command $verb" 0 help "$command" "$verb"
    done
done
does "a command that is not there" 2 blance
err_has "is named, with the nearest" 'did you mean balance'
err_has "and a hint" '^try: kontor --help'
does "an option that is not there" 2 balance --jsn
err_has "likewise" 'did you mean --json'
err_has "with a hint to the command's help" '^try: kontor balance --help'
does "an option without its value" 2 balance --book
does "a word too many" 2 stats now --book "$place/none"
does "a word too few" 2 ledger --book "$place/none"
does "a command without its verb" 2 account
does "no book is named" 2 balance
err_has "and what to do is said" 'KONTOR_BOOK'
does "a flag that takes no value" 2 balance --json=yes
does "an option given twice" 2 balance --at 2026 --at 2027 --book "$place/none"
does "both --json and --csv" 2 balance --json --csv --book "$place/none"
does "a value that is none of those there are" 2 post x --format xml --book "$place/none"
does "standard input without a format" 2 post - --book "$place/none"
does "completion offers commands" 0 complete -- per
out_has "that begin so" '^period$'
does "completion offers values" 0 complete -- post --format c
out_has "of the option" '^csv$'
holds "the completion script is bash" bash -n cli/kontor.bash

# ---- init ------------------------------------------------------------------------------------------
export KONTOR_BOOK=$place/book
does "init needs an entity" 2 init --currency DKK
does "init needs a currency" 2 init --entity Acme
printf 'code,name,type\n1000,Cash,asset\n1000,Again,asset\n' >"$place/bad.csv"
does "a chart that names an account twice is refused" 1 init --entity Acme --currency DKK --chart "$place/bad.csv"
err_has "with file and line" 'bad\.csv:3: account 1000'
holds "and no book is left half made" test ! -e "$KONTOR_BOOK"
printf 'code,name,type\n1000,Cash,wealth\n' >"$place/bad.csv"
does "a chart with an unknown type is refused" 1 init --entity Acme --currency DKK --chart "$place/bad.csv"
err_has "with what was expected" 'bad\.csv:2: .*expected asset'
printf 'code,name,type,currency\n1000,Cash,asset,DKK\n1010,Odd,asset,X!\n' >"$place/bad.csv"
does "a chart with an unknown currency is refused" 1 init --entity Acme --currency DKK --chart "$place/bad.csv"
holds "and still no book is left half made" test ! -e "$KONTOR_BOOK"
does "a chart that is not there" 1 init --entity Acme --currency DKK --chart nowhere
does "a book is made" 0 init --entity "Acme ApS" --currency DKK --chart "$chart" --timezone Europe/Copenhagen \
    --company-number 12345678 --vat-number DK12345678 --address "Havnegade 1" --fiscal-year-start 01-01
out_has "its origin is printed" 'kontor/acme-aps-[0-9a-f]{8}'
out_has "and the verifier key" 'kontor/acme-aps-[0-9a-f]{8}\+[0-9a-f]{8}\+'
out_has "and where the signing key lies" 'keys/log\.key'
out_has "and that it is to be backed up" 'Back up the signing key'
does "a book is not made over another" 1 init --entity "Acme ApS" --currency DKK
does "a chart that came along is found by name" 0 init --book "$place/dk" --entity Dansk --currency DKK --chart dk --json
is "and its accounts are there" "$(json 0 accounts)" "$(($(grep -c . fixtures/charts/dk.csv) - 1))"

# ---- Accounts, currencies, the company ---------------------------------------------------------------
does "an account is opened" 0 account add 6000 "Postage" --type expense
out_has "and said to be" 'account 6000 opened'
out_has "with its checkpoint" 'kontor/acme-aps-'
does "but not twice" 1 account add 6000
does "an account is shown" 0 account show 1200 --json
is "with its rule" "$(json 0 rule)" not-negative
is "and its parent" "$(json 0 parent)" 1000
is "and its currency" "$(json 0 currency)" DKK
does "an account that is not there is not found" 1 account show 9999
does "a name is changed" 0 account set 6000 --name "Postage and freight"
does "accounts are listed" 0 account list --json
is "all of them" "$(json '#')" 8
is "with the changed name" "$(row account 6000 name)" "Postage and freight"
does "accounts of one type" 0 account list --type income --json
is "are listed alone" "$(json '#')" 1
does "accounts as CSV" 0 account list --csv
out_has "with quotes where needed" '^1100,"Cash, and bank",asset'
does "accounts for people" 0 account list
out_has "with headings" '^account +name +type'
does "an account is closed" 0 account close 6000 --from 2026-06-01
does "and shows it" 0 account show 6000
out_has "with its day" 'closed from +2026-06-01'
does "and is opened again" 0 account set 6000 --close-from none
does "a currency is declared" 0 currency add BTC 8
does "currencies are listed" 0 currency list --json
is "with their decimals" "$(row currency BTC decimals)" 8
does "the company is shown" 0 company show --json
is "with its name" "$(json 0 entity)" "Acme ApS"
does "its address is changed" 0 company set --from 2026-07-01 --address "Havnegade 2"
does "the company later" 0 company show --at 2026-08-01
out_has "has the new address" 'Havnegade 2'
does "the company earlier" 0 company show --at 2026-06-30
out_has "has the old one" 'Havnegade 1'

# ---- Posting -----------------------------------------------------------------------------------------
run checkpoint
cp "$place/out" "$place/before"
does "a dry run checks" 0 post "$place/jan.csv" --dry-run
out_has "and says that it stored nothing" 'dry run: nothing was stored'
run checkpoint
holds "and did not" cmp "$place/out" "$place/before"
before=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)
does "a file is posted" 0 post "$place/jan.csv"
out_has "with what was read" '^read +3 +6 +11,750\.50 +11,750\.50'
out_has "what was posted" '^posted +3 +6 +11,750\.50 +11,750\.50'
out_has "what was rejected" '^rejected +0 +0 +0\.00 +0\.00'
out_has "its records" '^records +[0-9]+–[0-9]+, recorded 20'
out_has "its checkpoint" '^ +root [A-Za-z0-9+/]{43}=$'
out_has "and its speed" 'entries a second'
does "the same file again" 0 post "$place/jan.csv"
out_has "is said to be posted already" '^already posted as batch [0-9a-f]+, records [0-9]+–[0-9]+, at 20[0-9T:.-]+Z; nothing new$'
is "in one line and no more" "$(wc -l <"$place/out")" 1
does "and again in JSON" 0 post "$place/jan.csv" --json
is "says so there" "$(json 0 state)" repeated
cat >"$place/mixed.csv" <<'CSV'
date,series,voucher,account,debit,credit,text
2026-02-10,A,4,1100,100.00,,Good
2026-02-10,A,4,4000,,100.00,Good
2026-02-11,A,5,1100,100.00,,Lopsided
2026-02-11,A,5,4000,,99.00,Lopsided
CSV
does "good entries are posted beside bad ones when asked" 3 post "$place/mixed.csv" --skip-bad --json
is "one is posted" "$(json 0 posted_entries)" 1
is "one is rejected" "$(json 0 rejected_entries)" 1
is "amounts are decimal strings" "$(json 0 posted_debit)" 100.00
err_has "the bad one is listed with its line" 'rejected: .*mixed\.csv:4: '
holds "and written to a file beside the input" grep -q Lopsided "$place/mixed.csv.rejected.csv"
sed -i 's/99\.00/100.00/' "$place/mixed.csv.rejected.csv"
does "which is posted when mended" 0 post "$place/mixed.csv.rejected.csv"
printf 'date,voucher,account,amount\n2026-02-12,C1,1100,5.00\n2026-02-12,C1,4100,-5.00\n' >"$place/new.csv"
printf 'prefix,type\n4,income\n' >"$place/rules.csv"
does "unknown accounts are created when asked" 0 post "$place/new.csv" --create-accounts="$place/rules.csv"
out_has "and listed first" '^  4100  \(income\)'
does "by the rules" 0 account show 4100 --json
is "with their type" "$(json 0 type)" income
does "standard input is refused without entries" 1 post - --format csv
"$kontor" post - --format csv --id by-hand >"$place/out" 2>"$place/err" <<'CSV'
date,voucher,account,amount
2026-02-13,H1,1100,7.00
2026-02-13,H1,4000,-7.00
CSV
status=$?
last="kontor post -"
is "standard input is posted" "$status" 0
out_has "under the id given" '^batch +by-hand$'
printf 'date;voucher;account;amount\n14-02-2026;K1;1100;1.234,50\n14-02-2026;K1;4000;-1.234,50\n' >"$place/danish.csv"
does "a spreadsheet's way of writing is read" 0 post "$place/danish.csv" --decimal , --group . --delimiter ';' \
    --date-format %d-%m-%Y --json
is "for what it says" "$(json 0 posted_debit)" 1234.50
printf 'date,voucher,account,amount\n2026-02-15,X1,1100,1.00\n2026-02-15,X1,4000,-1.00\n' >"$place/one.csv"
printf 'date,voucher,account,amount\n2026-02-15,X2,1100,1.00\n2026-02-15,X2,4000,-2.00\n' >"$place/two.csv"
cp "$place/one.csv" "$place/three.csv"
does "of several files the first refusal stops" 1 post "$place/one.csv" "$place/two.csv" "$place/three.csv"
err_has "and says which were posted" '^posted before the refusal:'
err_has "by name" '^  .*one\.csv'
err_has "and which were not looked at" '^  .*three\.csv'
cat >"$place/virtual.journal" <<'J'
= /4000/
  (tithe)  0.1

2026-02-16 Sale
  1100  5.00 DKK
  4000
  (budget)  5.00 DKK

2026-02-17 Budget
  (budget)  1.00 DKK
J
does "virtual postings are refused" 1 post "$place/virtual.journal"
err_has "saying that they can be left out" '--virtual drop'
does "left out of a dry run" 0 post "$place/virtual.journal" --virtual drop --dry-run
out_has "they are counted" '^left out +2 virtual postings, with 1 entry that holds nothing else, and what 1 automated transaction \(=\) would add$'
does "left out, the rest is posted" 0 post "$place/virtual.journal" --virtual drop --json
is "one entry" "$(json 0 posted_entries)" 1
is "without two postings" "$(json 0 virtual_left_out)" 2
is "an entry of nothing else" "$(json 0 entries_left_out)" 1
is "and an automated transaction" "$(json 0 automated_left_out)" 1
does "keep or drop is what there is" 2 post "$place/virtual.journal" --virtual real
does "for journals alone" 2 post "$place/one.csv" --virtual drop
does "completion offers both" 0 complete -- post --virtual ""
is "by name" "$(tr '\n' ' ' <"$place/out")" "keep drop "
does "the help names both" 0 post --help
out_has "with what they do" '--virtual keep\|drop '
does "several files with one id are wrong usage" 2 post "$place/one.csv" "$place/two.csv" --id x

# ---- Reading -----------------------------------------------------------------------------------------
does "a trial balance" 0 balance
out_has "is for people" '^account +name +type'
out_has "with separators" '10,000\.00'
out_has "with a total that comes to nothing" '^total .* 0\.00 *$'
holds "without colours where nobody looks" sh -c "! grep -q '$(printf '\033')' '$place/out'"
does "a trial balance in JSON" 0 balance --json --at 2026-01-31
is "has the debits" "$(row account 1100 debit)" 11250.50
is "the credits" "$(row account 4000 credit)" 1250.50
is "the balance" "$(row account 4000 balance)" -1250.50
is "and name, type, currency" "$(row account 4000 name) $(row account 4000 type) $(row account 4000 currency)" "Sales income DKK"
does "a trial balance of a range" 0 balance --json --from 2026-02-01 --to 2026-02-01
is "has that range" "$(row account 5000 debit) $(row account 1100 credit)" "500.00 500.00"
does "a trial balance by month" 0 balance --by month --json
is "has its months" "$(row group 2026-02 account)" 1100
does "a trial balance by department" 0 balance --by department --json
is "has its departments" "$(row group south account)" 1100
does "a trial balance folded by parents" 0 balance --depth 1 --json --at 2026-01-31
is "shows the top" "$(row account 1000 balance)" 11250.50
does "a trial balance as CSV" 0 balance --csv
out_has "has a header row" '^account,name,type,currency,debit,credit,balance'
does "a trial balance as known before anything was posted" 0 balance --as-known "$before" --json
is "is empty" "$(json '#')" 0
does "a statement of an account" 0 ledger 1100
out_has "ends in its balance" '^.*Closing balance'
does "a statement of a month" 0 ledger 1100 --from 2026-02 --to 2026-02 --json
is "opens with what was before" "$(row row opening balance)" 11250.50
is "runs on" "$(row row posting balance)" 10750.50
does "a statement of no account" 1 ledger 9999
does "the journal" 0 journal --json
first=$(json 0 number)
does "the journal of a voucher" 0 journal --series A --voucher 2 --json
is "is that voucher" "$(json '#') $(json 0 text)" "2 Sale"
does "the journal of a text" 0 journal --text RENT --json
is "folds its case" "$(json '#')" 2
does "the journal of large amounts" 0 journal --min 5000 --json
is "is of those" "$(json '#')" 2
does "the journal for people" 0 journal --from 2026-01
out_has "counts" '^[0-9]+ entries, [0-9]+ lines'
does "one entry" 0 entry "$first"
out_has "with its leaf hash" 'leaf hash +[0-9a-f]{64}'
does "one entry in JSON" 0 entry "$first" --json
is "line by line" "$(json 1 account) $(json 1 amount)" "3000 -10000.00"
does "no entry" 1 entry 0
does "an entry is reversed" 0 reverse "$first" --date 2026-03-01 --text "Wrong"
does "but not twice" 1 reverse "$first" --date 2026-03-01
does "the entry" 0 entry "$first" --json
reversal=$(json 0 reversed_by)
does "and its reversal" 0 entry "$reversal" --json
is "name each other" "$(json 0 reverses)" "$first"
does "a batch is reversed" 0 reverse --batch by-hand --date 2026-03-02 --negative
does "reverse of nothing" 2 reverse --date 2026-03-01
does "reverse without a day" 2 reverse "$first"
does "months are listed" 0 period list --json
is "and open" "$(row month 2026-01 state)" open
does "a month is closed" 0 period close 2026-01
does "and shows it" 0 period list --json
is "as closed" "$(row month 2026-01 state)" closed
does "reopening wants a reason" 2 period reopen 2026-01
does "a month is reopened" 0 period reopen 2026-01 --reason "late invoice"
does "with its reason" 0 period list
out_has "on record" '2026-01 +reopened .*late invoice'
does "a day is not a month" 2 period close 2026-01-01
does "an income statement" 0 income --from 2026-01 --to 2026-02
out_has "has a result" '^ *Result +'
does "an income statement in JSON" 0 income --from 2026-01 --to 2026-01 --json
is "where income is a credit" "$(row account 4000 balance)" -1250.50
is "and so is a profit" "$(row name Result balance)" -1250.50
does "an income statement of the year to date" 0 income
out_has "runs to the book's last day" 'from 2026-01-01 to 2026-0'
does "a balance sheet" 0 balance-sheet --at 2026-01-31
out_has "balances" '^assets 11,250\.50 = liabilities \+ equity 11,250\.50'
does "a balance sheet in JSON" 0 balance-sheet --at 2026-01-31 --json
is "where equity is a credit" "$(row account 3000 balance)" -10000.00

# ---- Trust and keeping -------------------------------------------------------------------------------
does "the checkpoint" 0 checkpoint
cp "$place/out" "$place/old-checkpoint"
out_has "is a signed note" '^— kontor/acme-aps-[0-9a-f]{8} [A-Za-z0-9+/=]+$'
does "the checkpoint in JSON" 0 checkpoint --json
is "says the same size" "$(json 0 tree_size)" "$(sed -n 2p "$place/old-checkpoint")"
does "the key that checks it" 0 checkpoint --verifier
verifier=$(cat "$place/out")
does "the book verifies" 0 verify
out_has "with what was counted" '[0-9]+ records'
does "under its own key" 0 verify --key "$verifier"
does "and not under another's" 1 verify --key "kontor/other+0a4f5d53+AdUqTmwXJNgKDqkQxJ1bdF5xMMpKfrKpuMoJbZqVQZhH"
does "account add" 0 account add 7000 Later --type expense
does "and it extends the checkpoint kept" 0 verify --since "$place/old-checkpoint"
does "its findings in JSON" 0 verify --json
is "are none" "$(json '#')" 0
does "statistics" 0 stats --json
is "count entries" "$(json 0 entries | grep -c '^[1-9]')" 1
does "the state is rebuilt" 0 rebuild
out_has "and comes out the same" 'came out the same'
does "a backup is made" 0 backup "$place/backup"
does "and not over another" 1 backup "$place/backup"
does "and verifies" 0 verify --book "$place/backup"
does "a book is restored" 0 restore "$place/backup" "$place/restored"
does "and not over another" 1 restore "$place/backup" "$place/restored"
run checkpoint
cp "$place/out" "$place/before"
run checkpoint --book "$place/restored"
holds "it is the same book" cmp "$place/out" "$place/before"
does "the log is exported" 0 export tlog "$place/tlog"
holds "with its checkpoint" test -s "$place/tlog/checkpoint"
holds "and entries" test -d "$place/tlog/tile/entries"
does "or its hashes alone" 0 export tlog "$place/hashes" --hashes-only
holds "without entries" test ! -e "$place/hashes/tile/entries"
does "an entry is proved" 0 prove "$first"
cp "$place/out" "$place/proof"
out_has "in the form of C2SP" '^c2sp.org/tlog-proof@v1$'
does "and the proof checked without the book" 0 check-proof "$place/proof" --key "$verifier"
out_has "with the entry in it" '^kind +entry$'
does "in JSON" 0 check-proof "$place/proof" --key "$verifier" --json
is "which says what is proved" "$(json 0 proves)" inclusion
does "not under another's key" 1 check-proof "$place/proof" --key "kontor/other+0a4f5d53+AdUqTmwXJNgKDqkQxJ1bdF5xMMpKfrKpuMoJbZqVQZhH"
does "and not without one" 2 check-proof "$place/proof"
sed 's/^index ./index 9/' "$place/proof" >"$place/spoilt"
does "nor with another number" 1 check-proof "$place/spoilt" --key "$verifier"
does "that the book extends a checkpoint is proved" 0 prove --from "$place/old-checkpoint"
cp "$place/out" "$place/between"
does "and checked" 0 check-proof "$place/between" --key "$verifier"
out_has "with both sizes" 'over [0-9]+ and [0-9]+ records'
printf 'date,voucher,account,amount\n2026-01-01,1,1,5\n2026-01-01,1,2,-5\n' >"$place/odd.csv"
run init --book "$place/odd" --entity "Odd ApS" --currency DKK --decimals 3
run post "$place/odd.csv" --book "$place/odd" --create-accounts
run prove "$(( $("$kontor" journal --book "$place/odd" --csv | sed -n '2s/,.*//p') ))" --book "$place/odd"
cp "$place/out" "$place/odd.proof"
run checkpoint --verifier --book "$place/odd"
does "a proof in decimals that are not the currency's own is checked" 0 check-proof "$place/odd.proof" --key "$(cat "$place/out")"
err_has "and said to be" 'DKK is counted with 3 decimals.*ISO 4217 gives it 2'
does "what is to be proved is said" 2 prove
does "the book of the entity expected" 0 stats --entity "Acme ApS"
printf 'date,voucher,account,amount\n2026-02-20,U1,1100,5.00\n2026-02-20,U1,9100,-5.00\n' >"$place/un.csv"
does "an account without a type is posted" 0 post "$place/un.csv" --create-accounts
does "and the trial balance" 0 balance
out_has "warns of it" '^warning: account 9100 is unclassified'
does "so does the balance sheet" 0 balance-sheet
out_has "by name" '^warning: account 9100 is unclassified'
does "its type is set" 0 account set 9100 --type income
does "and the trial balance" 0 balance
holds "warns no more" sh -c "! grep -q warning '$place/out'"

# ---- What the surroundings refuse ----------------------------------------------------------------------
if [ -w /dev/full ]; then
    last="kontor balance > /dev/full"
    "$kontor" balance >/dev/full 2>"$place/err"
    status=$?
    is "an output that cannot be written is exit status 4" "$status" 4
    err_has "and is said" 'standard output'
else
    skip "an output that cannot be written is exit status 4" "no /dev/full"
fi
does "a file that is not there is exit status 4" 4 post "$place/nowhere.csv"
finish
