#!/usr/bin/env bash
# kontor sql, and kontor_sql.so in the ordinary sqlite3 shell: the book's answers, and nothing but reading.
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
export KONTOR_BOOK=$place/book
extension=$(realpath "$build")/kontor_sql.so
cat >"$place/chart.csv" <<'CSV'
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
2026-02-15,A,2,4000,,1250.50,EUR,"it's",north
CSV
does "a book is made" 0 init --entity "Acme ApS" --currency DKK --chart "$place/chart.csv"
does "and posted to" 0 post "$place/jan.csv"

does "a question" 0 sql "select date, account, text, amount_text from lines order by number, line"
out_has "is answered for people, numbers to the right" '^2026-01-02  1100 +Capital paid in +10000\.00$'
out_has "and counted" '^4 rows$'
does "as JSON" 0 sql --json "select number, voucher, ref, amount, amount from lines where currency = 'EUR' order by line"
is "numbers are numbers" "$(json 0 amount)" 125050
is "texts are texts" "$(json 0 voucher)" 2
is "what is not there is null" "$(json 0 ref)" null
is "no column is lost" "$(json 1 amount_2)" -125050
does "as CSV" 0 sql --csv "select text, amount from lines where currency = 'EUR' order by line"
printf 'text,amount\r\n"Sale, ""large""",125050\r\nit'"'"'s,-125050\r\n' >"$place/expected"
holds "byte for byte" cmp "$place/out" "$place/expected"
does "nothing found, as JSON" 0 sql --json "select * from entries where number = 0"
is "is an empty array" "$(json '#')" 0
run sql --csv "select account, name, currency, balance_text from balances order by account, currency"
cut -d, -f1-99 "$place/out" | tr -d '\r' | tail -n +2 | sed 's/.*,\([A-Z]*,-*[0-9.]*\)$/\1/' >"$place/ours"
run balance --csv
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) { gsub(/\r/, "", $i); if ($i == "balance") b = i - NF; if ($i == "currency") c = i - NF } next }
    { gsub(/\r/, ""); print $(NF + c) "," $(NF + b) }' "$place/out" >"$place/theirs"
holds "balances are those of kontor balance" cmp "$place/ours" "$place/theirs"

printf 'select count(*) from entries;\n-- a remark\nselect count(*)\nfrom lines' >"$place/in"
last="kontor sql <in"
"$kontor" sql <"$place/in" >"$place/out" 2>"$place/err"
status=$?
is "statements come from standard input, several" "$status:$(grep -cE '^ +[24]$' "$place/out")" 0:2
does "in JSON one at a time" 2 sql --json "select 1; select 2"
does "nothing to ask" 2 sql " ; -- nothing"
does "a mistake" 1 sql "select 1; selct 2"
err_has "is named" 'near "selct": syntax error'
holds "and nothing was run before it" test ! -s "$place/out"
does "a wrong column" 1 sql "select nothing from entries"
does "more columns than are shown" 1 sql "select *, * from lines"
err_has "are counted" '48 columns, at most 40'
does "the schema needs no book" 0 sql --schema --book "$place/nowhere"
out_has "and tells tables and columns" '^ +account +TEXT +key +code$'
does "as JSON" 0 sql --schema --json
does "a book that is not there" 4 sql --book "$place/nowhere" "select * from entries"
does "another entity" 1 sql --entity "Beta ApS" "select * from entries"
does "as known before there was a book" 0 sql --csv --as-known 2020-01-01 "select count(*) from entries"
out_has "there is nothing" '^0'

refused() { # refused STATEMENT WHAT
    does "$1" 1 sql "$1"
    err_has "is refused" "$2"
}
refused "insert into entries (number) values (1)" 'insert is refused'
refused "delete from lines" 'may not be modified'
refused "update sqlite_master set sql = ''" 'may not be modified'
refused "create table mine (a)" 'creating .* is refused'
refused "create temp view mine as select 1" 'creating .* is refused'
refused "attach '$place/other.db' as other" 'attach is refused'
refused "vacuum into '$place/other.db'" 'refused'
refused "begin" 'a transaction is refused'
refused "pragma temp_store = file" 'this pragma is refused'
refused "select load_extension('$extension')" 'not authorized'
refused "select kontor_book('$place/book')" 'not authorized'
refused "select readfile('$place/chart.csv')" 'no such function'
holds "no file came of it" test ! -e "$place/other.db"
does "what only tells is allowed" 0 sql "pragma table_info(entries)"
does "a plan" 0 sql "explain query plan select * from lines where account = '1100'"
out_has "shows what is pushed down" 'account=\?'

# An endless question, and Ctrl-C.
timeout --foreground -s INT 0.5 "$kontor" sql "with recursive c(i) as (select 1 union all select i + 1 from c) select count(*) from c" \
    >"$place/out" 2>"$place/err"
status=$?
last="kontor sql, interrupted"
err_has "Ctrl-C ends a question" interrupted
if [ -w /dev/full ]; then
    "$kontor" sql "select * from lines" >/dev/full 2>"$place/err"
    holds "a full disk is said, with its status" test $? -eq 4
fi

case $build in
*asan*) skip "the sqlite3 shell" "a sanitized library is not for loading" && finish ;;
esac
command -v sqlite3 >/dev/null || { skip "the sqlite3 shell" "sqlite3 is not installed" && finish; }
shell() { # shell SQL: in the sqlite3 shell, with the extension
    last="sqlite3: $1"
    printf '.bail on\n.load %s\n%s\n' "${extension%.so}" "$1" | sqlite3 >"$place/out" 2>"$place/err"
    status=$?
}
shell "select count(*), sum(amount) from lines;"
is "the sqlite3 shell loads the extension, and KONTOR_BOOK names the book" "$(cat "$place/out")" "4|0"
unset KONTOR_BOOK
shell "select * from entries;"
err_has "without it the shell is told how" "kontor_book\('DIR'\)"
shell "select kontor_book('$place/book') like 'kontor/acme-aps-%'; select text from lines where account = '4000';"
is "kontor_book names it" "$(tail -n 1 "$place/out")" "it's"
shell "select kontor_book('$place/book') is null; create table mine as select * from lines; select count(*), sum(amount) from mine;"
is "a copy of one's own is one's own" "$(tail -n 1 "$place/out")" "4|0"
shell "select kontor_book('$place/book'); delete from entries;"
err_has "nothing is written through it" 'may not be modified'
shell "select kontor_book('$place/book'); create view v as select kontor_book('$place/other');"
shell "select kontor_book('$place/nowhere');"
err_has "a book that is not there is named" "$place/nowhere"
is "it shows nothing but its entry point" "$(nm -D --defined-only "$extension" | awk '$2 == "T" { print $3 }')" sqlite3_kontorsql_init
finish
