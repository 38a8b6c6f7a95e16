#!/usr/bin/env bash
# The shipped year is what its generator makes, and it is what the demo promises: 20,000 entries, each balanced.
set -u
cd "$(dirname "$0")/.." || exit 1
number=0 failed=0
holds() { # holds LAW COMMAND...
    local law=$1
    shift
    number=$((number + 1))
    if "$@"; then echo "ok $number - $law"; else echo "not ok $number - $law"; failed=1; fi
}
generated() { "${KONTOR_BUILD:-build}/fixtures/generate" | cmp - fixtures/trading-2025.csv; }
balanced() {
    awk -F, 'NR > 1 {
        key = $1 "," $2 "," $3
        if (key != last) { if (sum) { print "# off by " sum ": " last; bad = 1 } sum = 0; last = key; entries++ }
        debit = $5; credit = $6; sub(/\./, "", debit); sub(/\./, "", credit); sum += debit - credit
    } END { if (sum || entries < 20000) bad = 1; print "# " entries " entries"; exit bad }' fixtures/trading-2025.csv
}
on_chart() {
    awk -F, 'FNR == 1 { next } FILENAME ~ /charts/ { known[$1] = 1; next } !($4 in known) { print "# " $4; bad = 1 }
        END { exit bad }' fixtures/charts/dk.csv fixtures/trading-2025.csv
}
parents_first() {
    awk -F, 'FNR == 1 { delete seen; next } { if ($NF != "" && !($NF in seen)) { print "# " FILENAME ":" FNR; bad = 1 }
        if ($1 in seen) { print "# twice: " $1; bad = 1 } seen[$1] = 1 } END { exit bad }' fixtures/charts/*.csv
}
holds "the shipped year is what the generator writes, byte for byte" generated
holds "at least 20,000 entries, each balanced to the øre" balanced
holds "every account posted is on the Danish chart" on_chart
holds "charts list parents before children, and no code twice" parents_first
echo "1..$number"
exit $failed
