#!/usr/bin/env bash
# Actors, what they may do, and four eyes, through the command.
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
export KONTOR_BOOK=$place/book
printf 'code,name,type\n1100,Bank,asset\n4000,Sales,income\n5000,Rent,expense\n' >"$place/chart.csv"
run init --entity Acme --currency DKK --chart "$place/chart.csv"
for who in anna carl cora; do run key new "$place/$who.key"; done
file() { # file NAME ACCOUNT AMOUNT...: an entry for each amount, on the account and the bank
    local name=$1 account=$2 n=0
    shift 2
    echo date,series,voucher,account,amount,text >"$place/$name.csv"
    for amount in "$@"; do
        n=$((n + 1))
        printf '2026-01-0%d,A,%s%d,%s,%s,Rent\n2026-01-0%d,A,%s%d,1100,-%s,Rent\n' $n "$name" $n "$account" "$amount" $n "$name" $n "$amount"
    done >>"$place/$name.csv"
}

# ---- Who there is ------------------------------------------------------------------------------------------------
does "the founder is on record" 0 actor list --json
is "as the owner" "$(row what grant role)" owner
does "an actor needs a key" 2 actor add anna
does "which is one" 2 actor add anna --public 1234
does "an actor is added" 0 actor add anna --public "$place/anna.key"
does "but not twice" 1 actor add anna --public "$place/carl.key"
does "nor another with the same key" 1 actor add carl --public "$place/anna.key"
run key show "$place/carl.key" --json
does "another is, by the digits of his key" 0 actor add carl --public "$(json 0 public)"
does "and a third" 0 actor add cora --public "$place/cora.key"
does "there is no such role" 2 actor grant anna boss
err_has "and those there are, are named" 'clerk controller'
does "a limit is an amount" 2 actor grant anna clerk --limit much
does "no finer than the currency" 2 actor grant anna clerk --limit 10.005
does "a range has two ends" 2 actor grant anna clerk --accounts 4000-
does "a clerk is granted, up to a limit" 0 actor grant anna clerk --limit 1000 --accounts 1000-1999 --accounts 5000 --series A
does "a controller is, without one" 0 actor grant carl controller
does "an actor that is not there is not" 1 actor grant dora clerk
does "they are listed" 0 actor list --json
is "with the limit" "$(row role clerk limit)" 1000.00
is "the accounts" "$(row role clerk accounts)" "1000-1999 5000"
is "and the series" "$(row role clerk series)" A
does "for people" 0 actor list
out_has "with a row for each grant" '^anna +grant +clerk +1,000\.00'
does "and as CSV" 0 actor list --csv
out_has "with a row for each key" '^anna,key,'

# ---- What they may do ----------------------------------------------------------------------------------------------
file small 5000 900.00
file large 5000 100.00 1000.01
file wrong 4000 5.00
does "a clerk posts" 0 post "$place/small.csv" --key "$place/anna.key"
does "on other accounts she only proposes" 3 post "$place/wrong.csv" --key "$place/anna.key"
out_has "which is said" "1 entry waits for another's approval"
run proposals --json
does "and withdraws" 0 reject "$(json 0 number)" --reason "wrong account" --key "$place/anna.key"
does "nor closes a month" 1 period close 2025-12 --key "$place/anna.key"
does "nor grants" 1 actor grant anna controller --key "$place/anna.key"
does "who has no role posts nothing" 1 post "$place/large.csv" --key "$place/cora.key"

# ---- Four eyes -----------------------------------------------------------------------------------------------------
does "nothing is proposed yet" 0 proposals
out_has "which is said" 'nothing is proposed'
does "what lies above her limit is only proposed" 3 post "$place/large.csv" --key "$place/anna.key"
out_has "and posts the rest" '^posted +1 +2 +100\.00'
out_has "with what is proposed" '^proposed +1 +2 +1,000\.01'
out_has "of what was read" '^read +2 +4 +1,100\.01'
out_has "and is told that it waits" "1 entry waits for another's approval"
does "it is listed" 0 proposals --json
is "alone" "$(json '#')" 1
is "as hers" "$(json 0 proposer)" anna
is "with its amount" "$(json 0 debit)" 1000.01
proposal=$(json 0 number)
does "it moves no balance" 0 balance --json
is "until then" "$(row account 5000 debit)" 1000.00
does "she does not approve it herself" 1 approve "$proposal" --key "$place/anna.key"
does "nor does who has no role" 1 approve "$proposal" --key "$place/cora.key"
does "what is no proposal is not approved" 1 approve 1 --key "$place/carl.key"
does "the controller approves it" 0 approve "$proposal" --key "$place/carl.key"
out_has "as an entry" "proposal $proposal approved as entry [0-9]+"
does "once" 1 approve "$proposal" --key "$place/carl.key"
does "then it counts" 0 balance --json
is "in the balance" "$(row account 5000 debit)" 2000.01
does "it is decided" 0 proposals --all --json
is "by the controller" "$(row number "$proposal" decider)" carl
file more 5000 2000.00 3.00
run propose "$place/more.csv" --key "$place/anna.key" --json
is "what is proposed with propose posts nothing, however small" "$(json 0 posted_entries) $(json 0 proposed_entries)" "0 2"
run proposals --json
first=$(json 0 number) other=$(json 1 number)
does "a rejection needs its reason" 2 reject "$first" --key "$place/carl.key"
does "the controller rejects" 0 reject "$first" --reason "no invoice" --key "$place/carl.key"
does "she withdraws" 0 reject "$other" --reason "booked twice" --key "$place/anna.key"
does "what was decided stays so" 1 approve "$first" --key "$place/carl.key"
run proposals --all --json
is "the reason is on record" "$(row number "$first" reason)" "no invoice"

# ---- And no longer -------------------------------------------------------------------------------------------------
does "a role is taken back for a reason" 2 actor revoke anna clerk
does "a role is taken back" 0 actor revoke anna clerk --reason "left the department"
file late 5000 1.00
does "and is gone" 1 post "$place/late.csv" --key "$place/anna.key"
does "one that is not there is not taken" 1 actor revoke anna clerk --reason "again"
does "all of it verifies" 0 verify
finish
