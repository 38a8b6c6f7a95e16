#!/usr/bin/env bash
# The auditor's page as people see it: in headless Chromium at phone and desk width, on paper, and by axe-core's rules of
# accessibility. axe-core and playwright-core come from npm, once, into the build directory.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath -m "${KONTOR_BUILD:-build}")
kontor=$(realpath -m "${KONTOR:-$build/kontor}")
number=0 failed=0
axe=4.11.0 playwright=1.57.0

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}
passed() { # passed STATUS LAW
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; failed=1; fi
}

[ -x "$kontor" ] || skip_all "$kontor is not built"
case $build in
*asan*) skip_all "the page is the same bytes under the sanitizers" ;;
esac
for tool in node npm; do
    command -v $tool >/dev/null || skip_all "no $tool here (apt-get install nodejs npm)"
done
chromium=$(command -v chromium || command -v chromium-browser) || skip_all "no Chromium here (apt-get install chromium)"
modules=$build/report-node
if [ "$(cat "$modules/.pinned" 2>/dev/null)" != "$axe $playwright" ]; then
    mkdir -p "$modules" && rm -f "$modules/.pinned"
    echo '{"private":true}' >"$modules/package.json"
    timeout 180 npm install --prefix "$modules" --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-timeout=30000 --save-exact \
        "axe-core@$axe" "playwright-core@$playwright" >"$modules/npm.log" 2>&1 ||
        skip_all "npm could not bring axe-core $axe and playwright-core $playwright"
    echo "$axe $playwright" >"$modules/.pinned"
fi

place=$(mktemp -d "${TMPDIR:-/tmp}/kontor-test-XXXXXX") || exit 4
trap 'rm -rf "$place"' EXIT
# No settings and no book of whoever runs this; Chromium keeps what it writes down here.
unset KONTOR_KEY
export HOME=$place/home XDG_CONFIG_HOME=$place/home XDG_CACHE_HOME=$place/home KONTOR_BOOK=$place/book TMPDIR=$place
mkdir "$place/home"

# A year of entries with long names, large amounts, another currency, a proposal, and much to point at.
cat >"$place/chart.csv" <<'CSV'
code,name,type,parent,currency,rule
1100,"Bank & <b>cash</b>, the account with the longest name that anybody would think of giving to an account",asset,,,
3000,Capital,equity,,,
4000,Sales,income,,,
5000,Wages,expense,,,
Assets:Savings:Somewhere:Far:Away:WithoutAnyBreakInItAtAll,Savings,asset,,,
CSV
{
    echo date,series,voucher,account,amount,currency,text
    echo '2026-01-01,G,1,1100,9876543210123.45,DKK,Opening'
    echo '2026-01-01,G,1,3000,-9876543210123.45,DKK,Opening'
    echo '2026-01-02,G,2,Assets:Savings:Somewhere:Far:Away:WithoutAnyBreakInItAtAll,1000,EUR,'
    echo '2026-01-02,G,2,3000,-1000,EUR,'
    seq 1 1100 | awk '{ amount = 100 + $1 * $1 % 99991 * 7
        printf "2026-%02d-%02d,A,%d,1100,%d.%02d,DKK,Sale\n", $1 % 12 + 1, $1 % 28 + 1, $1, amount / 100, amount % 100
        printf "2026-%02d-%02d,A,%d,4000,-%d.%02d,DKK,Sale\n", $1 % 12 + 1, $1 % 28 + 1, $1, amount / 100, amount % 100 }'
} >"$place/sales.csv"
printf 'date,series,voucher,account,amount\n2026-12-01,A,9001,5000,25000\n2026-12-01,A,9001,1100,-25000\n' >"$place/wages.csv"
{
    "$kontor" init --entity "Nordhavn Handel & Søn ApS" --currency DKK --chart "$place/chart.csv" --timezone Europe/Copenhagen &&
        "$kontor" post "$place/sales.csv" && "$kontor" key new "$place/anna.key" &&
        "$kontor" actor add anna --public "$place/anna.key" &&
        "$kontor" actor grant anna clerk --limit 10000 --accounts 1000-5999 --series A && "$kontor" checkpoint --verifier >"$place/vkey"
} >"$place/log" 2>&1
passed $? "a book with much to see"
"$kontor" propose "$place/wages.csv" --key "$place/anna.key" >>"$place/log" 2>&1 # exit status 3: waiting for approval
"$kontor" report audit --out "$place/report" --key "$place/vkey" >>"$place/log" 2>&1
passed $? "and its report"
[ $failed = 0 ] || { sed 's/^/# /' "$place/log"; echo "1..$number"; exit 1; }

NODE_PATH=$modules/node_modules CHROMIUM=$chromium timeout 500 node tests/outside/report_chromium.js \
    "$place/report/audit.html" "$place/report.pdf" >"$place/said" 2>"$place/why"
passed $? "Chromium opened it and printed it"
while read -r line; do
    case $line in
    "not ok "*) passed 1 "${line#not ok }" ;;
    "ok "*) passed 0 "${line#ok }" ;;
    esac
done <"$place/said"
[ $failed = 0 ] || sed 's/^/# /' "$place/why" | cut -c1-300 | head -n 40

if command -v pdfinfo >/dev/null; then
    pdfinfo "$place/report.pdf" >"$place/pdf" 2>&1
    [ "$(sed -n 's/^Pages: *//p' "$place/pdf")" -ge 2 ]
    passed $? "on paper it has several pages"
    grep -q '^Page size:.*(A4)' "$place/pdf"
    passed $? "of A4"
    pdftotext -layout "$place/report.pdf" - >"$place/text" 2>/dev/null
    grep -q 'Nordhavn Handel & Søn ApS' "$place/text" && grep -q '9,876,543,210,123.45' "$place/text"
    passed $? "with its names and amounts as text"
    grep -Eq '^ *Kontor audit report +2 / [0-9]+' "$place/text"
    passed $? "and the pages counted"
else
    number=$((number + 1))
    echo "ok $number # skip no pdfinfo here (apt-get install poppler-utils)"
fi
echo "1..$number"
exit $failed
