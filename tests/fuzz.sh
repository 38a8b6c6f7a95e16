#!/usr/bin/env bash
# Runs each fuzz program for some seconds, two at a time: fuzz.sh SECONDS DIRECTORY [NAME...]. Findings stay in DIRECTORY.
# Inputs begin from tests/fuzz/seeds, from the fixtures, and from outside cases where they are (KONTOR_CASES); words come from
# tests/fuzz/dictionaries.
set -u
seconds=${1:-30} place=${2:-build/fuzz}
shift $(($# < 2 ? $# : 2))
cases=${KONTOR_CASES:-../shared/cases}

sources() { # sources NAME: files that the program's kind of input is in
    case $1 in
    ads) printf '%s\n' "$cases"/ads/*.csv ;;
    csv) printf '%s\n' fixtures/*.csv "$cases"/ads/*.csv ;;
    journal) printf '%s\n' "$cases"/plaintext/*/* ;;
    note | witness) printf '%s\n' "$cases"/tlog/golden-log/checkpoint* ;;
    saft) printf '%s\n' "$cases"/saft/*.xml ;;
    esac
}
# The beginnings of those files, so that inputs stay small. The first byte of the CSV program's input chooses its options.
gather() { # gather NAME
    local file to="$place/seeds/$1"
    rm -rf "$to" && mkdir -p "$to"
    sources "$1" | while IFS= read -r file; do
        [ -f "$file" ] || continue
        { [ "$1" = csv ] && printf '\0'; head -c 16000 "$file"; } >"$to/$(printf %s "$file" | tr / _)"
    done
}
run() { # run PROGRAM
    local name words=() seeds=()
    name=$(basename "$1")
    gather "${name#fuzz_}"
    mkdir -p "$place/corpus/$name"
    [ -d "tests/fuzz/seeds/${name#fuzz_}" ] && seeds+=("tests/fuzz/seeds/${name#fuzz_}")
    [ -f "tests/fuzz/dictionaries/${name#fuzz_}" ] && words=("-dict=tests/fuzz/dictionaries/${name#fuzz_}")
    if "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=1024 -print_final_stats=1 \
        "${words[@]}" -artifact_prefix="$place/" "$place/corpus/$name" "${seeds[@]}" "$place/seeds/${name#fuzz_}" \
        >"$place/$name.log" 2>&1; then
        printf "  ok    %-28s %s inputs in %s s\n" "$name" \
            "$(sed -n "s/^stat::number_of_executed_units: *//p" "$place/$name.log")" "$seconds"
    else
        printf "  FOUND %-28s see %s\n" "$name" "$place/$name.log"
        tail -n 25 "$place/$name.log"
        return 1
    fi
}
export -f sources gather run
export seconds place cases

programs=()
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    case " ${*:-${name#fuzz_}} " in *" ${name#fuzz_} "*) [ -e "$source" ] && programs+=("$place/$name") ;; esac
done
[ ${#programs[@]} -gt 0 ] || { echo "no fuzz programs" >&2; exit 1; }
# shellcheck disable=SC2016 # expanded by the inner shell
printf '%s\0' "${programs[@]}" | xargs -0 -P 2 -I{} bash -c 'run "$1"' run {}
