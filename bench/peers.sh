#!/usr/bin/env bash
# The same year of two-line entries (1,000 accounts) into Kontor and its peers, in one run: peers.sh [--entries N].
# Prints entries/s, peak memory and bytes on disk of each, and how often slower than Kontor it is.
#
# What each one does is not the same, and the table says so by its columns alone: Kontor and the two databases keep what
# they are given, checked and synced; ledger and hledger read a text file and print balances, and keep nothing.
# Peak memory is the largest resident set, pages of mapped files included; of PostgreSQL it is the one backend that works.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${KONTOR_BUILD:-build} entries=200000 batch=8192
while [ $# -gt 0 ]; do
    case $1 in
    --entries) entries=${2:-} && shift ;;
    --entries=*) entries=${1#*=} ;;
    *) echo "peers.sh: unknown '$1': expected --entries N" >&2 && exit 2 ;;
    esac
    shift
done
case $entries in '' | *[!0-9]* | 0*) echo "peers.sh: --entries '$entries': expected a number above 0" >&2 && exit 2 ;; esac
timer=/usr/bin/time
[ -x $timer ] || { echo "peers.sh: $timer is missing (package time)" >&2 && exit 4; }

place=$(mktemp -d "${TMPDIR:-/tmp}/kontor-peers-XXXXXX") || exit 4
cluster=
finish() {
    [ -n "$cluster" ] && unprivileged "$pg/pg_ctl" -D "$cluster" -m immediate stop >/dev/null 2>&1
    rm -rf "$place"
}
trap finish EXIT
trap 'exit 130' INT TERM

echo "making $entries entries ..." >&2
awk -v n="$entries" -v csv="$place/year.csv" -v journal="$place/year.journal" -v chart="$place/chart.csv" 'BEGIN {
    split("31 28 31 30 31 30 31 31 30 31 30 31", days, " ")
    for (m = 1; m <= 12; m++) for (d = 1; d <= days[m]; d++) date[count++] = sprintf("2025-%02d-%02d", m, d)
    split("asset liability equity income expense", type, " ")
    print "code,name,type,parent" > chart
    for (a = 0; a < 1000; a++) printf "a%d,Account %d,%s,\n", 1000 + a, 1000 + a, type[int(a / 200) + 1] > chart
    print "date,voucher,account,amount,text" > csv
    seed = 20250101
    for (i = 0; i < n; i++) {
        seed = (seed * 16807) % 2147483647; from = seed % 1000
        seed = (seed * 16807) % 2147483647; to = (from + 1 + seed % 999) % 1000
        seed = (seed * 16807) % 2147483647; amount = sprintf("%d.%02d", 1 + seed % 9999, seed % 97)
        day = date[int(i * 365 / n)]
        printf "%s,V%d,a%d,%s,Entry %d\n%s,V%d,a%d,-%s,Entry %d\n", day, i + 1, 1000 + from, amount, i + 1, day, i + 1, 1000 + to, amount, i + 1 > csv
        printf "%s (V%d) Entry %d\n    a%d    %s DKK\n    a%d    -%s DKK\n\n", day, i + 1, i + 1, 1000 + from, amount, 1000 + to, amount > journal
    }
}' </dev/null

rows=()
# measured NAME COMMAND...: wall time in ms and peak memory in KiB, as $ms and $peak. Output goes to $place/out.
measured() {
    local name=$1 begin end status
    shift
    echo "$name ..." >&2
    begin=$(date +%s%N)
    "$timer" -f %M -o "$place/peak" "$@" >"$place/out" 2>"$place/err"
    status=$?
    end=$(date +%s%N)
    ms=$(((end - begin) / 1000000)) peak=$(tail -n 1 "$place/peak")
    [ "$ms" -gt 0 ] || ms=1
    [ "$status" = 0 ] && return 0
    rows+=("$name|failed: $(head -c 200 "$place/err" | tr '\n|' '  ')")
    return 1
}
row() { rows+=("$1|$2|$3|$4"); } # NAME MS PEAK-KIB BYTES
absent() { rows+=("$1|not here: $2"); }
bytes() { du -s --block-size=1 "$@" | awk '{ sum += $1 } END { print sum }'; }

# ---- Kontor -----------------------------------------------------------------------------------------
"$build/kontor" init --book "$place/book" --entity "Peers" --currency DKK --chart "$place/chart.csv" >/dev/null || exit 1
if measured Kontor "$build/kontor" post --book "$place/book" "$place/year.csv"; then
    row Kontor "$ms" "$peak" "$(bytes "$place/book")"
    "$build/kontor" balance --book "$place/book" --csv |
        awk -F, 'NR > 1 { gsub(/"/, ""); sub(/\./, "", $7); print $1, $7 + 0 }' | sort >"$place/kontor.balances"
fi

# ---- SQLite -----------------------------------------------------------------------------------------
if [ -x "$build/bench/peer_sqlite" ]; then
    if measured SQLite "$build/bench/peer_sqlite" "$place/peer.sqlite" "$place/year.csv" "$batch"; then
        row SQLite "$ms" "$peak" "$(bytes "$place"/peer.sqlite*)"
        tail -n +2 "$place/out" | awk '$2 != 0' | sort >"$place/sqlite.balances"
        awk '$2 != 0' "$place/kontor.balances" | cmp -s - "$place/sqlite.balances" ||
            { echo "peers.sh: Kontor's balances and SQLite's are not the same" >&2 && exit 1; }
    fi
else
    absent SQLite "package libsqlite3-dev"
fi

# ---- ledger and hledger ------------------------------------------------------------------------------
for peer in ledger hledger; do
    if command -v $peer >/dev/null; then
        measured $peer env LC_ALL=C.UTF-8 $peer -f "$place/year.journal" balance --flat &&
            row $peer "$ms" "$peak" "$(bytes "$place/year.journal")"
    else
        absent $peer "package $peer"
    fi
done

# ---- PostgreSQL: a cluster of its own, for an unprivileged user, on a unix socket alone -----------------
unprivileged() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi
}
# What a careful ledger would do: bulk copy, every entry checked, lines with an index, balances kept, one transaction.
postgres_sql() {
    cat <<-SQL
		\\set ON_ERROR_STOP on
		CREATE TABLE account(id serial PRIMARY KEY, code text NOT NULL UNIQUE, name text, type text);
		CREATE TABLE entry(id bigserial PRIMARY KEY, date date NOT NULL, voucher text NOT NULL UNIQUE, text text);
		CREATE TABLE line(entry bigint NOT NULL REFERENCES entry, account int NOT NULL REFERENCES account, amount numeric(20,2) NOT NULL);
		CREATE INDEX line_account ON line(account);
		CREATE TABLE balance(account int PRIMARY KEY REFERENCES account, amount numeric(20,2) NOT NULL);
		CREATE TEMP TABLE chart(code text, name text, type text, parent text);
		\\copy chart FROM '$1/chart.csv' CSV HEADER
		INSERT INTO account(code, name, type) SELECT code, name, type FROM chart;
		BEGIN;
		CREATE TEMP TABLE row(date date, voucher text, account text, amount numeric(20,2), text text) ON COMMIT DROP;
		\\copy row FROM '$1/year.csv' CSV HEADER
		DO \$\$ BEGIN
		    IF EXISTS (SELECT FROM row GROUP BY voucher HAVING sum(amount) <> 0) THEN RAISE 'an entry does not balance'; END IF;
		    IF EXISTS (SELECT FROM row LEFT JOIN account ON code = row.account WHERE code IS NULL) THEN RAISE 'an unknown account'; END IF;
		END \$\$;
		INSERT INTO entry(date, voucher, text) SELECT DISTINCT ON (voucher) date, voucher, text FROM row;
		INSERT INTO line SELECT entry.id, account.id, amount FROM row JOIN entry USING (voucher) JOIN account ON code = row.account;
		INSERT INTO balance SELECT account, sum(amount) FROM line GROUP BY account;
		COMMIT;
		SELECT 'pid ' || pg_backend_pid() \\g $1/pid
		\\! grep -h VmHWM /proc/\$(grep -o '[0-9]*' $1/pid | head -n 1)/status
	SQL
}
pg=
for directory in /usr/lib/postgresql/*/bin; do [ -x "$directory/initdb" ] && pg=$directory; done
if [ -z "$pg" ]; then
    absent PostgreSQL "package postgresql"
else
    home=$place/pg
    mkdir "$home" && cp "$place/chart.csv" "$place/year.csv" "$home"
    postgres_sql "$home" >"$home/load.sql"
    [ "$(id -u)" = 0 ] && chmod 711 "$place" && chown -R nobody:nogroup "$home"
    if unprivileged "$pg/initdb" -D "$home/data" -U kontor -A trust -E UTF8 --locale=C >"$home/log" 2>&1 &&
        unprivileged "$pg/pg_ctl" -w -D "$home/data" -o "-c listen_addresses='' -k $home" -l "$home/server.log" start >/dev/null 2>&1; then
        cluster=$home/data
        before=$(bytes "$home/data")
        if measured PostgreSQL "$pg/psql" -X -q -t -h "$home" -U kontor -d postgres -f "$home/load.sql"; then
            hwm=$(awk '/VmHWM/ { print $2 }' "$place/out")
            row PostgreSQL "$ms" "${hwm:-$peak}" "$(($(bytes "$home/data") - before))"
        fi
    else
        absent PostgreSQL "no cluster could be started"
    fi
fi

# ---- The table --------------------------------------------------------------------------------------
printf '%s\n' "${rows[@]}" | awk -F'|' -v n="$entries" '
    BEGIN { printf "\n%d entries of two lines, 1,000 accounts\n\n%-12s %12s %10s %12s %14s %14s\n", n, "", "entries/s", "seconds", "peak MiB", "bytes on disk", "Kontor faster" }
    NF == 2 { printf "%-12s %s\n", $1, $2; next }
    { rate = n * 1000 / $2; if ($1 == "Kontor") own = rate
      printf "%-12s %12d %10.2f %12d %14d %13.1fx\n", $1, rate, $2 / 1000, $3 / 1024, $4, own ? own / rate : 0 }'
printf '%s\n' "${rows[@]}" | grep -q '^Kontor|[0-9]'
