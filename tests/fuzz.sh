#!/usr/bin/env bash
# Runs each fuzz program for some seconds: fuzz.sh SECONDS DIRECTORY. Findings stay in DIRECTORY.
set -u
seconds=${1:-30} place=${2:-build/fuzz}
# shellcheck disable=SC2016 # expanded by the inner shell
one='
name=$(basename "$1") corpus="$2/corpus/$(basename "$1")"
mkdir -p "$corpus"
seeds=tests/fuzz/seeds/${name#fuzz_}
[ -d "$seeds" ] || seeds=
if "$1" -max_total_time="$3" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$2/" "$corpus" $seeds >"$2/$name.log" 2>&1; then
    runs=$(sed -n "s/^stat::number_of_executed_units: *//p" "$2/$name.log")
    printf "  ok    %-28s %s inputs in %s s\n" "$name" "$runs" "$3"
else
    printf "  FOUND %-28s see %s\n" "$name" "$2/$name.log"
    tail -n 25 "$2/$name.log"
    exit 1
fi'
programs=()
for source in tests/fuzz/fuzz_*.c; do
    [ -e "$source" ] && programs+=("$place/$(basename "$source" .c)")
done
[ ${#programs[@]} -gt 0 ] || { echo "no fuzz programs" >&2; exit 1; }
printf '%s\0' "${programs[@]}" | xargs -0 -P "${JOBS:-2}" -I{} bash -c "$one" fuzz {} "$place" "$seconds"
