#!/usr/bin/env bash
# The benchmark of size keeps its word in small, and what it writes is drawn: well-formed, every point, at its place.
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
scale=$build/bench/scale plot=$build/bench/plot
[ -x "$scale" ] && [ -x "$plot" ] || { echo "1..0 # SKIP $scale and $plot are not built"; exit 0; }

# program STATUS COMMAND...: what it says is in $place/out and $place/err.
program() {
    local expected=$1
    shift
    last=$*
    "$@" >"$place/out" 2>"$place/err" </dev/null
    status=$?
    [ "$status" = "$expected" ]
}
well_formed() {
    if command -v xmllint >/dev/null; then xmllint --noout "$1"; else python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$1"; fi
}
readable() { command -v xmllint >/dev/null || python3 -c 'import xml.dom.minidom' 2>/dev/null; }
is_xml() { if readable; then holds "$1" well_formed "$2"; else skip "$1" "neither xmllint nor python3"; fi; }
# Where the marks of the line number $2 lie: x of each.
across() { awk -v n="$2" '/<g class="series">/ { i++ } i == n && /<circle/ { split($0, a, "\""); print a[2] }' "$1"; }

# ---- A small run ------------------------------------------------------------------------------------
program 0 "$scale" --entries 5000 --first 1000 --accounts 50 --batch 256 --year 20000 --dir "$place" --json "$place/run.json"
result $? "a small run verifies what it wrote"
out_has "and says so" '^verified: [0-9,]+ records'
cp "$place/out" "$place/table"
is "each mark is a line of JSON, and so is the verification" "$(grep -c '"entries_per_s"' "$place/run.json") $(grep -c '"verified":true' "$place/run.json")" "3 1"
is "at 1, 2 and 5 times the first" "$(grep -o '"entries":[0-9]*' "$place/run.json" | tr '\n' ' ')" '"entries":1000 "entries":2000 "entries":5000 '
is "and a row of the table" "$(grep -Ec '^ +[125],000 ' "$place/table")" 3
is "nothing of it stays on the disk" "$(find "$place" -name 'kontor-bench-*' | wc -l)" 0
each_is_json() {
    local line
    while read -r line; do echo "$line" >"$place/out" && json bench >/dev/null || return 1; done <"$place/run.json"
}
holds "each line is whole" each_is_json

room=$(df --output=avail -B1000000000 "$place" 2>/dev/null | tail -n 1)
if [ "${room:-9999}" -lt 1000 ]; then
    program 0 "$scale" --entries 10000000000 --first 10000000000 --accounts 2 --dir "$place"
    result $? "where the disk is too small it ends early"
    out_has "and says how much is missing" '^ends early: the disk has no room for 10,000,000,000 entries: [0-9,]+ MB are missing'
else
    skip "where the disk is too small it ends early" "this disk is not"
fi
program 2 "$scale" --entries 1e6
result $? "a number is written in digits"

# ---- Drawing ----------------------------------------------------------------------------------------
program 0 "$plot" --out "$place/run.svg" "$place/run.json"
result $? "the run is drawn"
is_xml "as well-formed XML" "$place/run.svg"
points_are_there() {
    local entries rate
    while read -r entries rate; do
        rate=$(echo "$rate" | sed -E ':a;s/([0-9])([0-9]{3})(,|$)/\1,\2\3/;ta')
        grep -q "<title>run: 50 accounts, ${entries%000},000 entries: $rate</title>" "$place/run.svg" || return 1
    done < <(sed -n 's/.*"entries":\([0-9]*\),"entries_per_s":\([0-9]*\),.*/\1 \2/p' "$place/run.json")
}
holds "with every point that was measured" points_are_there

for n in 1000000:2000000 10000000:1500000 100000000:1000000; do
    echo "{\"bench\":\"scale\",\"accounts\":1000,\"entries\":${n%:*},\"entries_per_s\":${n#*:},\"open_us\":300}"
done >"$place/known.json"
echo '{"bench":"scale","accounts":1000,"verified":true,"records":100012207}' >>"$place/known.json"
sed 's/"accounts":1000,/"accounts":1000000,/; s/000000,"open/00000,"open/' "$place/known.json" >"$place/a<b>&\"c.json"
program 0 "$plot" --title 'Rates < & "more"' --out "$place/two.svg" "$place/known.json" "$place/a<b>&\"c.json"
result $? "two files are drawn together"
is_xml "names of any kind keep it well-formed" "$place/two.svg"
cp "$place/two.svg" "$place/out"
out_has "the title is the one that was given" '<text [^>]*>Rates &lt; &amp; &quot;more&quot;</text>'
out_has "the legend names the first" 'class="legend">known: 1,000 accounts<'
out_has "and the second" 'class="legend">a&lt;b&gt;&amp;&quot;c: 1,000,000 accounts<'
out_has "the axes are labelled: size" '>10M</text>'
out_has "and rate" '>2,000,000</text>'
out_has "the points lie at their values" '<title>known: 1,000 accounts, 10,000,000 entries: 1,500,000</title>'
is "ten times the size is the same step" "$(across "$place/two.svg" 1 | awk 'NR > 1 { printf "%.0f ", $1 - last } { last = $1 }' |
    awk '{ print ($1 > 0 && ($1 - $2) ^ 2 <= 1) }')" 1
is "two lines of three points" "$(grep -c '<title>.* entries: ' "$place/two.svg")" 6
program 0 "$plot" --figure open_us "$place/known.json"
result $? "another figure is drawn to the standard output"
out_has "under its own name" '<title>Opening a book against its size</title>'

# ---- What cannot be drawn ---------------------------------------------------------------------------
printf '{"entries":1,"entries_per_s":2}\n{"entries":\n' >"$place/torn.json"
program 1 "$plot" "$place/torn.json"
result $? "a torn file is refused"
err_has "by file and line" 'torn\.json:2: .*expected a JSON object a line'
printf '{"entries":1,"verified":true}\n' >"$place/none.json"
program 1 "$plot" "$place/none.json"
result $? "a file without a point is refused"
err_has "by saying what was looked for" 'none\.json: nothing to draw: no line with "entries" and "entries_per_s"'
printf '{"entries":0,"entries_per_s":1}\n' >"$place/zero.json"
program 1 "$plot" "$place/zero.json"
result $? "a size of zero has no logarithm"
program 1 "$plot" "$place/nowhere.json"
result $? "a file that is not there is refused"
program 2 "$plot"
result $? "without a file there is a line of help"
finish
